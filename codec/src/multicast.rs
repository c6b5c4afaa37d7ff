//! Multicast groups, by protocol: who tells what to whom.
//!
//! A group's type names its protocol, so that what is joined and what is heard cannot be confused. Those of rtnetlink are
//! [`route::Group`](crate::route::Group); a generic family's have numbers that are found at run time.
//!
//! ```
//! use ringlink_codec::multicast::{Multicast, NetfilterGroup};
//!
//! assert_eq!((NetfilterGroup::PROTOCOL, NetfilterGroup::CONNTRACK_DESTROY.number()), (12, 3));
//! assert_eq!(NetfilterGroup::numbered(7), NetfilterGroup::NFTABLES);
//! ```

use crate::route::Group as RouteGroup;
use crate::values;

/// A multicast group of one protocol.
pub trait Multicast: Copy {
    /// The protocol's number, as `socket(2)` takes it.
    const PROTOCOL: u8;

    /// The group with this number.
    fn numbered(number: u32) -> Self;

    /// The group's number, from 1 on.
    fn number(self) -> u32;
}

/// Says of which protocol a set of groups is.
macro_rules! groups_of {
    ($($name:ident: $protocol:literal,)*) => {$(
        impl Multicast for $name {
            const PROTOCOL: u8 = $protocol;

            fn numbered(number: u32) -> Self {
                Self(number)
            }

            fn number(self) -> u32 {
                self.0
            }
        }
    )*};
}

groups_of! {
    RouteGroup: 0,
    SocketGroup: 4,
    XfrmGroup: 6,
    SelinuxGroup: 7,
    AuditGroup: 9,
    ConnectorGroup: 11,
    NetfilterGroup: 12,
    UeventGroup: 15,
}

// include/uapi/linux/sock_diag.h
values! {
    /// Sockets that were closed; joining takes `CAP_NET_ADMIN`.
    pub SocketGroup(u32), "SKNLGRP_" {
        /// No group.
        NONE = 0,
        /// TCP over IPv4.
        INET_TCP_DESTROY = 1,
        /// UDP over IPv4.
        INET_UDP_DESTROY = 2,
        /// TCP over IPv6.
        INET6_TCP_DESTROY = 3,
        /// UDP over IPv6.
        INET6_UDP_DESTROY = 4,
    }
}

// include/uapi/linux/xfrm.h
values! {
    /// IPsec.
    pub XfrmGroup(u32), "XFRMNLGRP_" {
        /// No group.
        NONE = 0,
        /// A state is wanted that is not there.
        ACQUIRE = 1,
        /// A state or policy has come to its limits.
        EXPIRE = 2,
        /// States made, changed and deleted.
        SA = 3,
        /// Policies made, changed and deleted.
        POLICY = 4,
        /// Replay counters and lifetimes.
        AEVENTS = 5,
        /// A packet that a mobile node cannot protect.
        REPORT = 6,
        /// States that moved to other addresses.
        MIGRATE = 7,
        /// A peer behind a translator has another address or port.
        MAPPING = 8,
    }
}

// include/uapi/linux/selinux_netlink.h
values! {
    /// SELinux.
    pub SelinuxGroup(u32), "SELNLGRP_" {
        /// No group.
        NONE = 0,
        /// Enforcing or not, and policies loaded.
        AVC = 1,
    }
}

// include/uapi/linux/audit.h
values! {
    /// The audit subsystem.
    pub AuditGroup(u32), "AUDIT_NLGRP_" {
        /// No group.
        NONE = 0,
        /// Every record, as far as they can be kept up with; joining takes `CAP_AUDIT_READ`.
        READLOG = 1,
    }
}

// include/uapi/linux/connector.h
values! {
    /// The connector's parties, each of which is a group.
    pub ConnectorGroup(u32), "CN_IDX_" {
        /// Processes that start, end and change (drivers/connector/cn_proc.c).
        PROC = 1,
        /// The file system CIFS.
        CIFS = 2,
        /// The helper of uvesafb.
        V86D = 4,
        /// A tracer of file systems.
        BB = 5,
        /// The device mapper's logs.
        DM = 7,
        /// The network block device DRBD.
        DRBD = 8,
    }
}

// include/uapi/linux/netfilter/nfnetlink.h
values! {
    /// Netfilter.
    pub NetfilterGroup(u32), "NFNLGRP_" {
        /// No group.
        NONE = 0,
        /// Connections that start.
        CONNTRACK_NEW = 1,
        /// Connections that change.
        CONNTRACK_UPDATE = 2,
        /// Connections that end.
        CONNTRACK_DESTROY = 3,
        /// Expected connections.
        CONNTRACK_EXP_NEW = 4,
        /// Expected connections that change.
        CONNTRACK_EXP_UPDATE = 5,
        /// Expected connections that came or did not.
        CONNTRACK_EXP_DESTROY = 6,
        /// Rules and sets that change.
        NFTABLES = 7,
        /// Accounting quotas that are used up.
        ACCT_QUOTA = 8,
        /// The way of packets through the rules.
        NFTRACE = 9,
    }
}

// lib/kobject_uevent.c; the names are this library's.
values! {
    /// Devices that come, go and change.
    pub UeventGroup(u32), "UEVENT_" {
        /// No group.
        NONE = 0,
        /// The kernel's messages.
        KERNEL = 1,
        /// What udev made of them.
        UDEV = 2,
    }
}
