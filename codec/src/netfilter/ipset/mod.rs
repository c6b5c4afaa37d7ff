//! Sets of addresses (include/uapi/linux/netfilter/ipset/ip_set.h; net/netfilter/ipset).

use crate::operations;

operations! {
    /// Messages about sets.
    pub IpSet, "IPSET_CMD_", from 0x0600 {}
}
