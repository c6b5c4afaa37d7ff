//! Flowtables: connections that go past the rules.

use super::Devices;
use crate::table::{Be, Be32, Be64, BeI32, Nest, Pad, Str};
use crate::{flags, space};

space! {
    /// A flowtable: connections whose packets go straight from one device to another.
    pub Flowtable, "NFTA_FLOWTABLE_" {
        /// Its table's name.
        TABLE: Str = 1,
        /// Its name, 1 to 255 bytes, unique within its table.
        NAME: Str = 2,
        /// Where it is hooked in.
        HOOK: Nest<FlowtableHook> = 3,
        /// How many rules use it.
        USE: Be32 = 4,
        /// Its number within the table.
        HANDLE: Be64 = 5,
        /// Nothing.
        PAD: Pad = 6,
        /// What is special about it.
        FLAGS: Be<FlowtableFlags> = 7,
    }
}

flags! {
    /// What is special about a flowtable.
    pub FlowtableFlags(u32), "NFT_FLOWTABLE_" {
        /// Devices do its work.
        HW_OFFLOAD = 0x1,
        /// It counts.
        COUNTER = 0x2,
    }
}

space! {
    /// Where a flowtable is hooked in.
    pub FlowtableHook, "NFTA_FLOWTABLE_HOOK_" {
        /// Which hook: `NF_NETDEV_INGRESS`, 0.
        NUM: Be32 = 1,
        /// Those with lower numbers come first.
        PRIORITY: BeI32 = 2,
        /// The devices.
        DEVS: Nest<Devices> = 3,
    }
}
