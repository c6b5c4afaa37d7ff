//! Tables, chains, rules, sets (include/uapi/linux/netfilter/nf_tables.h; net/netfilter/nf_tables_api.c).

use crate::operations;

operations! {
    /// Messages of nf_tables.
    pub Nft, "NFT_MSG_", from 0x0a00 {}
}

operations! {
    /// What of iptables the kernel has.
    pub Compat, "NFNL_MSG_COMPAT_", from 0x0b00 {}
}
