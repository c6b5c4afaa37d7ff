//! Counters of interfaces on their own: what `RTM_GETSTATS` tells (include/uapi/linux/if_link.h; net/core/rtnetlink.c).
//!
//! ```
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::route::{Rtm, Statistics, StatisticsHeader};
//!
//! // The 64-bit counters and the bridge's own of interface 7.
//! let wanted = Statistics::mask(Statistics::LINK_64) | Statistics::mask(Statistics::LINK_XSTATS);
//! let header = StatisticsHeader { ifindex: 7, filter_mask: wanted, ..Default::default() };
//! let mut buffer = Buffer::<32>::new();
//! let question = buffer.message(Rtm::GETSTATS, header, |_| {})?;
//! assert_eq!((question.len(), wanted), (28, 0b11));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use super::{Family, LinkStats64};
use crate::table::{Indexed, Key, Many, Nest, Pad};
use crate::{record, space};

record! {
    /// What messages of counters begin with.
    pub StatisticsHeader, "if_stats_msg", "" {
        /// `UNSPEC`.
        family: Family,
        /// Nothing.
        pad1: u8,
        /// Nothing.
        pad2: u16,
        /// The interface; in a dump request 0 for all.
        ifindex: u32,
        /// Which counters, as [`Statistics::mask`] makes it; must not be 0 in a request.
        filter_mask: u32,
    }
}

/// Header and attributes of answers and notifications.
pub type StatisticsMessage = (StatisticsHeader, Statistics);

/// Header and attributes of requests.
pub type StatisticsRequest = (StatisticsHeader, StatisticsSettings);

space! {
    /// Counters of an interface.
    pub Statistics, "IFLA_STATS_" {
        /// Those that every interface has.
        LINK_64: LinkStats64 = 1,
        /// Those of its kind.
        LINK_XSTATS: Nest<KindStatistics> = 2,
        /// Those of it as a port, by the kind above it.
        LINK_XSTATS_SLAVE: Nest<KindStatistics> = 3,
        /// Those of the device.
        LINK_OFFLOAD_XSTATS: Nest<OffloadStatistics> = 4,
        /// Those of address families.
        AF_SPEC: Nest<FamilyStatistics> = 5,
    }
}

impl Statistics {
    /// The bit of a header's `filter_mask` that asks for an attribute.
    #[must_use]
    pub const fn mask<V>(key: Key<Self, V>) -> u32 {
        1_u32.wrapping_shl((key.number() as u32).wrapping_sub(1))
    }
}

space! {
    /// What a request says beyond its header.
    pub StatisticsSettings, "IFLA_STATS_" {
        /// `RTM_GETSTATS`: which parts of some attributes.
        GET_FILTERS: Nest<StatisticsFilters> = 1,
        /// `RTM_SETSTATS`: 1 to let the device count what it routes, 0 to stop.
        SET_OFFLOAD_XSTATS_L3_STATS: u8 = 2,
    }
}

space! {
    /// Which parts of some attributes are wanted: masks by the attributes' numbers.
    pub StatisticsFilters, "IFLA_STATS_" {
        /// Bit n - 1 for attribute n of [`OffloadStatistics`].
        LINK_OFFLOAD_XSTATS: u32 = 4,
    }
}

space! {
    /// Counters by kind of interface.
    pub KindStatistics, "LINK_XSTATS_TYPE_" {
        /// Bridge, or port of a bridge.
        BRIDGE: Nest<BridgeStatistics> = 1,
        /// Bond, or port of a bond.
        BOND: Nest<BondStatistics> = 2,
    }
}

space! {
    /// Counters of a bridge or of a port of a bridge (include/uapi/linux/if_bridge.h).
    pub BridgeStatistics, "BRIDGE_XSTATS_" {
        /// Of a VLAN.
        VLAN: Many<BridgeVlanCounters> = 1,
        /// Of IGMP and MLD.
        MCAST: BridgeMulticastCounters = 2,
        /// Aligns what follows.
        PAD: Pad = 3,
        /// Of the spanning tree protocol.
        STP: BridgeStpCounters = 4,
    }
}

record! {
    /// Counters of a VLAN.
    pub BridgeVlanCounters, "bridge_vlan_xstats", "" {
        /// Bytes received.
        rx_bytes: u64,
        /// Packets received.
        rx_packets: u64,
        /// Bytes sent.
        tx_bytes: u64,
        /// Packets sent.
        tx_packets: u64,
        /// Id of the VLAN.
        vid: u16,
        /// What it does there: [`BridgeVlanFlags`](super::BridgeVlanFlags).
        flags: u16,
        /// Nothing.
        pad2: u32,
    }
}

record! {
    /// Counters of IGMP and MLD: the first of each pair are received, the second sent.
    pub BridgeMulticastCounters, "br_mcast_stats", "" {
        /// Queries of IGMP 1.
        igmp_v1queries: [u64; 2],
        /// Queries of IGMP 2.
        igmp_v2queries: [u64; 2],
        /// Queries of IGMP 3.
        igmp_v3queries: [u64; 2],
        /// Leave messages.
        igmp_leaves: [u64; 2],
        /// Reports of IGMP 1.
        igmp_v1reports: [u64; 2],
        /// Reports of IGMP 2.
        igmp_v2reports: [u64; 2],
        /// Reports of IGMP 3.
        igmp_v3reports: [u64; 2],
        /// What made no sense.
        igmp_parse_errors: u64,
        /// Queries of MLD 1.
        mld_v1queries: [u64; 2],
        /// Queries of MLD 2.
        mld_v2queries: [u64; 2],
        /// Leave messages.
        mld_leaves: [u64; 2],
        /// Reports of MLD 1.
        mld_v1reports: [u64; 2],
        /// Reports of MLD 2.
        mld_v2reports: [u64; 2],
        /// What made no sense.
        mld_parse_errors: u64,
        /// Bytes of multicast.
        mcast_bytes: [u64; 2],
        /// Packets of multicast.
        mcast_packets: [u64; 2],
    }
}

record! {
    /// Counters of the spanning tree protocol.
    pub BridgeStpCounters, "bridge_stp_xstats", "" {
        /// Times it began to block.
        transition_blk: u64,
        /// Times it began to forward.
        transition_fwd: u64,
        /// Packets received.
        rx_bpdu: u64,
        /// Packets sent.
        tx_bpdu: u64,
        /// Notices of a change of topology received.
        rx_tcn: u64,
        /// Notices of a change of topology sent.
        tx_tcn: u64,
    }
}

space! {
    /// Counters of a bond or of a port of a bond (include/uapi/linux/if_bonding.h).
    pub BondStatistics, "BOND_XSTATS_" {
        /// Of 802.3ad.
        _3AD as "3AD": Nest<BondLacpStatistics> = 1,
    }
}

space! {
    /// Counters of 802.3ad.
    pub BondLacpStatistics, "BOND_3AD_STAT_" {
        // Numbers begin at 0 here.
        /// LACP packets received.
        LACPDU_RX: u64 = 0,
        /// LACP packets sent.
        LACPDU_TX: u64 = 1,
        /// Packets of an unknown kind received.
        LACPDU_UNKNOWN_RX: u64 = 2,
        /// Broken packets received.
        LACPDU_ILLEGAL_RX: u64 = 3,
        /// Markers received.
        MARKER_RX: u64 = 4,
        /// Markers sent.
        MARKER_TX: u64 = 5,
        /// Answers to markers received.
        MARKER_RESP_RX: u64 = 6,
        /// Answers to markers sent.
        MARKER_RESP_TX: u64 = 7,
        /// Unknown markers received.
        MARKER_UNKNOWN_RX: u64 = 8,
        /// Aligns what follows.
        PAD: Pad = 9,
    }
}

space! {
    /// Counters of the device.
    pub OffloadStatistics, "IFLA_OFFLOAD_XSTATS_" {
        /// Of packets that came by way of the processor.
        CPU_HIT: LinkStats64 = 1,
        /// Which counters the device keeps; items are named by the number of the attribute that has them.
        HW_S_INFO: Indexed<Nest<OffloadInfo>> = 2,
        /// Of packets that the device routes.
        L3_STATS: OffloadCounters = 3,
    }
}

space! {
    /// Whether a device keeps some counters.
    pub OffloadInfo, "IFLA_OFFLOAD_XSTATS_HW_S_INFO_" {
        /// 1: it was asked to.
        REQUEST: u8 = 1,
        /// 1: it does.
        USED: u8 = 2,
    }
}

record! {
    /// Counters of packets that a device routes.
    pub OffloadCounters, "rtnl_hw_stats64", "" {
        /// Packets received.
        rx_packets: u64,
        /// Packets sent.
        tx_packets: u64,
        /// Bytes received.
        rx_bytes: u64,
        /// Bytes sent.
        tx_bytes: u64,
        /// Broken packets received.
        rx_errors: u64,
        /// Packets that could not be sent.
        tx_errors: u64,
        /// Received packets dropped.
        rx_dropped: u64,
        /// Packets dropped on the way out.
        tx_dropped: u64,
        /// Multicast packets received.
        multicast: u64,
    }
}

space! {
    /// Counters by address family.
    pub FamilyStatistics, "AF_" {
        /// MPLS.
        MPLS: Nest<MplsStatistics> = 28,
    }
}

space! {
    /// Counters of MPLS (include/uapi/linux/mpls.h).
    pub MplsStatistics, "MPLS_STATS_" {
        /// Of an interface.
        LINK: MplsCounters = 1,
    }
}

record! {
    /// Counters of MPLS on an interface.
    pub MplsCounters, "mpls_link_stats", "" {
        /// Packets received.
        rx_packets: u64,
        /// Packets sent.
        tx_packets: u64,
        /// Bytes received.
        rx_bytes: u64,
        /// Bytes sent.
        tx_bytes: u64,
        /// Broken packets received.
        rx_errors: u64,
        /// Packets that could not be sent.
        tx_errors: u64,
        /// Received packets dropped.
        rx_dropped: u64,
        /// Packets dropped on the way out.
        tx_dropped: u64,
        /// Packets with a label that has no route.
        rx_noroute: u64,
    }
}
