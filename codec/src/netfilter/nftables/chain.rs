//! Chains: lists of rules, and where they are hooked in.

use super::{Counter, VerdictCode};
use crate::table::{BareStr, Be, Be32, Be64, BeI32, Many, Nest, Pad, Str, Tlvs};
use crate::{flags, space};

space! {
    /// A chain: a list of rules.
    pub Chain, "NFTA_CHAIN_" {
        /// Its table's name.
        TABLE: Str = 1,
        /// Its number within the table.
        HANDLE: Be64 = 2,
        /// Its name, 1 to 255 bytes, unique within its table.
        NAME: Str = 3,
        /// Where it is hooked in; without it, it is only jumped to.
        HOOK: Nest<Hook> = 4,
        /// What becomes of packets that get to its end.
        POLICY: Be<VerdictCode> = 5,
        /// How many rules it holds and jumps lead to it.
        USE: Be32 = 6,
        /// What it may do, of a hooked one: `filter`, `nat`, `route`.
        TYPE: Str = 7,
        /// Packets that its policy decided.
        COUNTERS: Nest<Counter> = 8,
        /// Nothing.
        PAD: Pad = 9,
        /// What is special about it.
        FLAGS: Be<ChainFlags> = 10,
        /// Its number within the transaction that makes it.
        ID: Be32 = 11,
        /// What programs keep with it: libnftnl's records (a comment is type 0), up to 256 bytes.
        USERDATA: Tlvs = 12,
    }
}

flags! {
    /// What is special about a chain.
    pub ChainFlags(u32), "NFT_CHAIN_" {
        /// It is hooked in.
        BASE = 0x1,
        /// A device does its work.
        HW_OFFLOAD = 0x2,
        /// It goes with the rule that jumps to it.
        BINDING = 0x4,
    }
}

space! {
    /// Where a chain is hooked in.
    pub Hook, "NFTA_HOOK_" {
        /// Which hook of the family: `NF_INET_*`, for ARP `NF_ARP_*`, for devices `NF_NETDEV_*`.
        HOOKNUM: Be32 = 1,
        /// Chains with lower numbers come first.
        PRIORITY: BeI32 = 2,
        /// The device, where there is one.
        DEV: Str = 3,
        /// The devices.
        DEVS: Nest<Devices> = 4,
    }
}

space! {
    /// Devices.
    pub Devices, "NFTA_DEVICE_" {
        /// One of this name.
        NAME: Many<Str> = 1,
        /// Those whose names begin like this; without a NUL.
        PREFIX: Many<BareStr> = 2,
    }
}
