//! Connection tracking (include/uapi/linux/netfilter/nfnetlink_conntrack.h; net/netfilter/nf_conntrack_netlink.c).

use crate::operations;

operations! {
    /// Messages about connections.
    pub Conntrack, "IPCTNL_MSG_CT_", from 0x0100 {}
}

operations! {
    /// Messages about connections that are expected.
    pub Expect, "IPCTNL_MSG_EXP_", from 0x0200 {}
}
