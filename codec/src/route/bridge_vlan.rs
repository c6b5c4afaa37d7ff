//! VLANs of bridges and their ports, with all that can be set of each (include/uapi/linux/if_bridge.h;
//! net/bridge/br_vlan.c, br_vlan_options.c).

use super::{BridgePortState, BridgeQuerier, BridgeVlan, Family, MdbRouters, MulticastRouter};
use crate::table::{Many, Nest, Pad};
use crate::{flags, record, space};

record! {
    /// What messages of VLANs begin with.
    pub BridgeVlanHeader, "br_vlan_msg", "" {
        /// `BRIDGE`.
        family: Family,
        /// Zero.
        reserved1: u8,
        /// Zero.
        reserved2: u16,
        /// The bridge or port; in a dump request 0 for all.
        ifindex: u32,
    }
}

/// Header and attributes of requests, notifications and answers.
pub type BridgeVlanMessage = (BridgeVlanHeader, BridgeVlans);

/// Header and attributes of a dump request.
pub type BridgeVlanQuestion = (BridgeVlanHeader, BridgeVlanDump);

space! {
    /// What is to be dumped.
    pub BridgeVlanDump, "BRIDGE_VLANDB_DUMP_" {
        /// Which.
        FLAGS: BridgeVlanDumpFlags = 1,
    }
}

flags! {
    /// What is to be dumped.
    pub BridgeVlanDumpFlags(u32), "BRIDGE_VLANDB_DUMPF_" {
        /// With counters.
        STATS = 0x1,
        /// Only what bridges have of each VLAN: `GLOBAL_OPTIONS`.
        GLOBAL = 0x2,
    }
}

space! {
    /// VLANs of a bridge or port.
    pub BridgeVlans, "BRIDGE_VLANDB_" {
        /// One VLAN or a range of VLANs that are set alike.
        ENTRY: Many<Nest<BridgeVlanEntry>> = 1,
        /// The same, of a bridge as a whole.
        GLOBAL_OPTIONS: Many<Nest<BridgeVlanOptions>> = 2,
    }
}

space! {
    /// A VLAN, or a range of VLANs.
    pub BridgeVlanEntry, "BRIDGE_VLANDB_ENTRY_" {
        /// Its id, and what it does there.
        INFO: BridgeVlan = 1,
        /// Last id of a range.
        RANGE: u16 = 2,
        /// State in the spanning tree.
        STATE: BridgePortState = 3,
        /// The tunnel that it maps to.
        TUNNEL_INFO: Nest<BridgeVlanTunnelId> = 4,
        /// Counters.
        STATS: Nest<BridgeVlanStats> = 5,
        /// Whether multicast routers are in it behind this port.
        MCAST_ROUTER: MulticastRouter = 6,
        /// Multicast groups in it now.
        MCAST_N_GROUPS: u32 = 7,
        /// Most multicast groups in it; 0 for no limit.
        MCAST_MAX_GROUPS: u32 = 8,
        /// 1: ARP and neighbour discovery are answered, not forwarded.
        NEIGH_SUPPRESS: u8 = 9,
        /// 1: announcements of neighbours are forwarded in spite of that.
        NEIGH_FORWARD_GRAT: u8 = 10,
    }
}

space! {
    /// The tunnel that a VLAN maps to.
    pub BridgeVlanTunnelId, "BRIDGE_VLANDB_TINFO_" {
        /// Its id.
        ID: u32 = 1,
        /// In a request: `RTM_SETLINK` to set it, `RTM_DELLINK` to take it away.
        CMD: u32 = 2,
    }
}

space! {
    /// Counters of a VLAN.
    pub BridgeVlanStats, "BRIDGE_VLANDB_STATS_" {
        /// Bytes received.
        RX_BYTES: u64 = 1,
        /// Packets received.
        RX_PACKETS: u64 = 2,
        /// Bytes sent.
        TX_BYTES: u64 = 3,
        /// Packets sent.
        TX_PACKETS: u64 = 4,
        /// Aligns what follows.
        PAD: Pad = 5,
    }
}

space! {
    /// What a bridge has of a VLAN, or of a range of VLANs. Times are in hundredths of a second; see
    /// [`Bridge`](super::Bridge) for what they mean.
    pub BridgeVlanOptions, "BRIDGE_VLANDB_GOPTS_" {
        /// Its id.
        ID: u16 = 1,
        /// Last id of a range.
        RANGE: u16 = 2,
        /// 1: multicast goes where it is wanted.
        MCAST_SNOOPING: u8 = 3,
        /// Version of IGMP, 2 or 3.
        MCAST_IGMP_VERSION: u8 = 4,
        /// Version of MLD, 1 or 2.
        MCAST_MLD_VERSION: u8 = 5,
        /// Queries before a group counts as left.
        MCAST_LAST_MEMBER_CNT: u32 = 6,
        /// Queries at start.
        MCAST_STARTUP_QUERY_CNT: u32 = 7,
        /// Time between queries before a group counts as left.
        MCAST_LAST_MEMBER_INTVL: u64 = 8,
        /// Aligns what follows.
        PAD: Pad = 9,
        /// When a silent member counts as gone.
        MCAST_MEMBERSHIP_INTVL: u64 = 10,
        /// When a silent other querier counts as gone.
        MCAST_QUERIER_INTVL: u64 = 11,
        /// Time between queries.
        MCAST_QUERY_INTVL: u64 = 12,
        /// How long members may take to answer.
        MCAST_QUERY_RESPONSE_INTVL: u64 = 13,
        /// Time between queries at start.
        MCAST_STARTUP_QUERY_INTVL: u64 = 14,
        /// 1: it queries where nobody else does.
        MCAST_QUERIER: u8 = 15,
        /// Ports towards multicast routers.
        MCAST_ROUTER_PORTS: Nest<MdbRouters> = 16,
        /// Who queries.
        MCAST_QUERIER_STATE: Nest<BridgeQuerier> = 17,
        /// Spanning tree that it belongs to.
        MSTI: u16 = 18,
    }
}
