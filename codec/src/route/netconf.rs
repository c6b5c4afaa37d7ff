//! Forwarding settings of interfaces.

use super::Family;
use crate::{record, space};

record! {
    /// What messages of forwarding settings begin with (`struct netconfmsg`, include/uapi/linux/netconf.h).
    pub NetconfHeader, "netconfmsg", "ncm_" {
        /// `INET`, `INET6` or `MPLS`.
        family: Family,
    }
}

/// Header and attributes of messages of forwarding settings.
pub type NetconfMessage = (NetconfHeader, Netconf);

space! {
    /// Forwarding settings of an interface, as its sysctls have them (include/uapi/linux/netconf.h;
    /// net/ipv4/devinet.c, net/ipv6/addrconf.c, net/mpls/af_mpls.c).
    pub Netconf, "NETCONFA_" {
        /// Interface; -1 for `all`, -2 for `default`.
        IFINDEX: i32 = 1,
        /// 1: packets are forwarded.
        FORWARDING: i32 = 2,
        /// Reverse path filter: 0 off, 1 strict, 2 loose; IPv4 only.
        RP_FILTER: i32 = 3,
        /// 1: multicast packets are forwarded.
        MC_FORWARDING: i32 = 4,
        /// 1: neighbours are answered for.
        PROXY_NEIGH: i32 = 5,
        /// 1: routes over links that are down do not count.
        IGNORE_ROUTES_WITH_LINKDOWN: i32 = 6,
        /// 1: labelled packets are taken; MPLS only.
        INPUT: i32 = 7,
        /// 1: broadcasts are forwarded; IPv4 only.
        BC_FORWARDING: i32 = 8,
        /// 1: packets are forwarded by this interface, whatever `all` says; IPv6 only.
        FORCE_FORWARDING: i32 = 9,
    }
}
