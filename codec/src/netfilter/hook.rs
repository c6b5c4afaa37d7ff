//! What is hooked in where (include/uapi/linux/netfilter/nfnetlink_hook.h; net/netfilter/nfnetlink_hook.c).

use super::NetfilterHeader;
use crate::table::{Be, Be32, Choice, Nest, Str};
use crate::{choices, operations, space, values};

/// What tells of a function at a hook.
pub type HookMessage = (NetfilterHeader, Hook);

operations! {
    /// Messages about hooks.
    pub Hooks, "NFNL_MSG_HOOK_", from 0x0c00 {
        /// Tell of all functions at a hook: of the header's family, by [`Hook::HOOKNUM`], and where packets of one device are
        /// meant, by [`Hook::DEV`].
        GET: get HookMessage = 0,
    }
}

space! {
    /// A function at a hook.
    pub Hook, "NFNLA_HOOK_" {
        /// The hook, a number of its family's.
        HOOKNUM: Be32 = 1,
        /// Its priority, signed: the lowest comes first.
        PRIORITY: Be32 = 2,
        /// Name of the device.
        DEV: Str = 3,
        /// Name of the function.
        FUNCTION_NAME: Str = 4,
        /// Name of the module that it is in.
        MODULE_NAME: Str = 5,
        /// What it belongs to.
        CHAIN_INFO: Nest<HookInfo> = 6,
    }
}

space! {
    /// What a function at a hook belongs to.
    pub HookInfo, "NFNLA_HOOK_INFO_" {
        /// Which one.
        DESC: Choice<HookOwner> = 1,
        /// Of what kind.
        TYPE: Be<HookType> = 2,
    }
}

choices! {
    /// What a function at a hook belongs to, by its kind.
    pub HookOwner, by Sibling 2 {
        1 | 3 => Nest<HookChain>,
        2 => Nest<HookProgram>,
    }
}

// include/uapi/linux/netfilter/nfnetlink_hook.h
values! {
    /// What hooks in functions.
    pub HookType(u32), "NFNL_HOOK_TYPE_" {
        /// A chain of nf_tables.
        NFTABLES = 0x1,
        /// A BPF program.
        BPF = 0x2,
        /// A flow table of nf_tables.
        NFT_FLOWTABLE = 0x3,
    }
}

space! {
    /// A chain or flow table of nf_tables.
    pub HookChain, "NFNLA_CHAIN_" {
        /// Name of its table.
        TABLE: Str = 1,
        /// Family of its table.
        FAMILY: super::Family = 2,
        /// Its name.
        NAME: Str = 3,
    }
}

space! {
    /// A BPF program.
    pub HookProgram, "NFNLA_HOOK_BPF_" {
        /// Its number.
        ID: Be32 = 1,
    }
}
