//! Network identifiers that a VXLAN interface takes, where it takes several (include/uapi/linux/if_link.h;
//! drivers/net/vxlan/vxlan_vnifilter.c).

use core::net::{Ipv4Addr, Ipv6Addr};

use super::Family;
use crate::table::{Many, Nest, Pad};
use crate::{flags, record, space};

record! {
    /// What messages of identifiers begin with.
    pub TunnelHeader, "tunnel_msg", "" {
        /// `BRIDGE`.
        family: Family,
        /// What is to be dumped.
        flags: TunnelFlags,
        /// Zero.
        reserved2: u16,
        /// The VXLAN interface; in a dump request 0 for all.
        ifindex: u32,
    }
}

flags! {
    /// What is to be dumped.
    pub TunnelFlags(u8), "TUNNEL_MSG_FLAG_" {
        /// With counters.
        STATS = 0x1,
    }
}

/// Header and attributes of requests, notifications and answers.
pub type TunnelMessage = (TunnelHeader, VxlanVnis);

space! {
    /// Identifiers that a VXLAN interface takes.
    pub VxlanVnis, "VXLAN_VNIFILTER_" {
        /// One of them, or a range.
        ENTRY: Many<Nest<VxlanVni>> = 1,
    }
}

space! {
    /// An identifier, or a range of identifiers with the same group.
    pub VxlanVni, "VXLAN_VNIFILTER_ENTRY_" {
        /// The identifier, 24 bits, or the first of a range.
        START: u32 = 1,
        /// The last of a range.
        END: u32 = 2,
        /// Multicast group or remote end, of IPv4.
        GROUP: Ipv4Addr = 3,
        /// Multicast group or remote end, of IPv6.
        GROUP6: Ipv6Addr = 4,
        /// Counters.
        STATS: Nest<VxlanVniStats> = 5,
    }
}

space! {
    /// Counters of an identifier.
    pub VxlanVniStats, "VNIFILTER_ENTRY_STATS_" {
        /// Bytes received.
        RX_BYTES: u64 = 1,
        /// Packets received.
        RX_PKTS: u64 = 2,
        /// Received packets dropped.
        RX_DROPS: u64 = 3,
        /// Broken packets received.
        RX_ERRORS: u64 = 4,
        /// Bytes sent.
        TX_BYTES: u64 = 5,
        /// Packets sent.
        TX_PKTS: u64 = 6,
        /// Packets dropped on the way out.
        TX_DROPS: u64 = 7,
        /// Packets that could not be sent.
        TX_ERRORS: u64 = 8,
        /// Aligns what follows.
        PAD: Pad = 9,
    }
}
