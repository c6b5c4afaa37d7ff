//! Bridges and their ports, as attributes of an interface; VLANs and the like of a port, in messages of the family
//! `AF_BRIDGE`.
//!
//! ```
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::route::{BridgeAfSpec, BridgeVlan, BridgeVlanFlags, Family, Link, LinkHeader, Rtm};
//!
//! // `bridge vlan add dev … vid 10 pvid untagged`: the port is number 7.
//! let mut buffer = Buffer::<64>::new();
//! let header = LinkHeader { family: Family::BRIDGE, index: 7, ..LinkHeader::default() };
//! let bytes = buffer.message(Rtm::SETLINK, header, |link| {
//!     link.choose(Link::AF_SPEC, BridgeAfSpec, |bridge| {
//!         let flags = BridgeVlanFlags::PVID | BridgeVlanFlags::UNTAGGED;
//!         bridge.add(BridgeAfSpec::VLAN_INFO, BridgeVlan { flags, vid: 10 });
//!     });
//! })?;
//!
//! let body = Message::parse(bytes)?.body(Rtm::SETLINK)?;
//! let bridge = body.attributes.chosen(Link::AF_SPEC, BridgeAfSpec)?;
//! let vlan = bridge.and_then(|bridge| bridge.all(BridgeAfSpec::VLAN_INFO).next()).transpose()?;
//! assert_eq!(vlan.map(|vlan| vlan.vid), Some(10));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{BridgeCfm, BridgeMrp, EtherType};
use crate::table::{Be, Flag, Hardware, Many, Nest, Pad};
use crate::{flags, record, space, values};

// include/uapi/linux/if_link.h. Times are in hundredths of a second (clock ticks of user space).
space! {
    /// A bridge.
    pub Bridge, "IFLA_BR_" {
        /// How long a port listens, then learns, before it forwards; hundredths of a second, 2 to 30 s.
        FORWARD_DELAY: u32 = 1,
        /// Time between hello packets; hundredths of a second, 1 to 10 s.
        HELLO_TIME: u32 = 2,
        /// When what the root said is too old; hundredths of a second, 6 to 40 s.
        MAX_AGE: u32 = 3,
        /// When a silent neighbour is forgotten; hundredths of a second, 0 for never learned.
        AGEING_TIME: u32 = 4,
        /// Who speaks the spanning tree protocol.
        STP_STATE: BridgeStp = 5,
        /// Priority to be the root, lower is better.
        PRIORITY: u16 = 6,
        /// 1: VLANs count.
        VLAN_FILTERING: u8 = 7,
        /// Protocol of the VLAN tags that count.
        VLAN_PROTOCOL: Be<EtherType> = 8,
        /// Which of the addresses 01:80:c2:00:00:0X, by X, are forwarded after all.
        GROUP_FWD_MASK: u16 = 9,
        /// The root's id.
        ROOT_ID: BridgeId = 10,
        /// Its own id.
        BRIDGE_ID: BridgeId = 11,
        /// Number of the port towards the root; 0 where it is the root.
        ROOT_PORT: u16 = 12,
        /// Cost of the path to the root.
        ROOT_PATH_COST: u32 = 13,
        /// 1 while the topology changes.
        TOPOLOGY_CHANGE: u8 = 14,
        /// 1: a port saw the topology change.
        TOPOLOGY_CHANGE_DETECTED: u8 = 15,
        /// Until the next hello; hundredths of a second.
        HELLO_TIMER: u64 = 16,
        /// Until the next notice of a change of topology; hundredths of a second.
        TCN_TIMER: u64 = 17,
        /// Until the topology counts as stable; hundredths of a second.
        TOPOLOGY_CHANGE_TIMER: u64 = 18,
        /// Until old neighbours are looked for; hundredths of a second.
        GC_TIMER: u64 = 19,
        /// Where its own packets go, 01:80:c2:00:00:0X.
        GROUP_ADDR: Hardware = 20,
        /// In a request: forget all learned neighbours.
        FDB_FLUSH: Flag = 21,
        /// Whether multicast routers are behind the bridge itself.
        MCAST_ROUTER: MulticastRouter = 22,
        /// 1: multicast goes where it is wanted, by IGMP and MLD.
        MCAST_SNOOPING: u8 = 23,
        /// 1: queries come from its own address, not from 0.0.0.0.
        MCAST_QUERY_USE_IFADDR: u8 = 24,
        /// 1: it queries where nobody else does.
        MCAST_QUERIER: u8 = 25,
        /// No longer means anything.
        MCAST_HASH_ELASTICITY: u32 = 26,
        /// Most groups it keeps.
        MCAST_HASH_MAX: u32 = 27,
        /// Queries before a group counts as left.
        MCAST_LAST_MEMBER_CNT: u32 = 28,
        /// Queries at start.
        MCAST_STARTUP_QUERY_CNT: u32 = 29,
        /// Time between queries before a group counts as left; hundredths of a second.
        MCAST_LAST_MEMBER_INTVL: u64 = 30,
        /// When a silent member counts as gone; hundredths of a second.
        MCAST_MEMBERSHIP_INTVL: u64 = 31,
        /// When a silent other querier counts as gone; hundredths of a second.
        MCAST_QUERIER_INTVL: u64 = 32,
        /// Time between queries; hundredths of a second.
        MCAST_QUERY_INTVL: u64 = 33,
        /// How long members may take to answer; hundredths of a second.
        MCAST_QUERY_RESPONSE_INTVL: u64 = 34,
        /// Time between queries at start; hundredths of a second.
        MCAST_STARTUP_QUERY_INTVL: u64 = 35,
        /// 1: bridged packets go through iptables.
        NF_CALL_IPTABLES: u8 = 36,
        /// 1: bridged packets go through ip6tables.
        NF_CALL_IP6TABLES: u8 = 37,
        /// 1: bridged packets go through arptables.
        NF_CALL_ARPTABLES: u8 = 38,
        /// VLAN of untagged packets on new ports, 1 to 4094; 0 for none.
        VLAN_DEFAULT_PVID: u16 = 39,
        /// Aligns what follows.
        PAD: Pad = 40,
        /// 1: packets are counted by VLAN.
        VLAN_STATS_ENABLED: u8 = 41,
        /// 1: IGMP and MLD packets are counted.
        MCAST_STATS_ENABLED: u8 = 42,
        /// Version of IGMP, 2 or 3.
        MCAST_IGMP_VERSION: u8 = 43,
        /// Version of MLD, 1 or 2.
        MCAST_MLD_VERSION: u8 = 44,
        /// 1: packets are counted by VLAN and port.
        VLAN_STATS_PER_PORT: u8 = 45,
        /// Options that are on or off.
        MULTI_BOOLOPT: BridgeOptionsChange = 46,
        /// Who queries for members.
        MCAST_QUERIER_STATE: Nest<BridgeQuerier> = 47,
        /// Learned neighbours.
        FDB_N_LEARNED: u32 = 48,
        /// Most neighbours it learns; 0 for no limit.
        FDB_MAX_LEARNED: u32 = 49,
        /// Who is to speak the spanning tree protocol once it is on.
        STP_MODE: BridgeStpMode = 50,
    }
}

record! {
    /// Id of a bridge: the lowest one is the root.
    pub BridgeId, "ifla_bridge_id", "" {
        /// Priority, most significant byte first.
        prio: [u8; 2],
        /// Hardware address.
        addr: [u8; 6],
    }
}

// net/bridge/br_private.h
values! {
    /// Who speaks the spanning tree protocol for a bridge. In a request, anything but 0 switches it on.
    pub BridgeStp(u32), "BR_" {
        /// Nobody.
        NO_STP = 0,
        /// The kernel.
        KERNEL_STP = 1,
        /// A program (`/sbin/bridge-stp`).
        USER_STP = 2,
    }
}

// include/uapi/linux/if_link.h
values! {
    /// Who is to speak the spanning tree protocol for a bridge.
    pub BridgeStpMode(u32), "BR_STP_MODE_" {
        /// The program if it wants to, else the kernel.
        AUTO = 0,
        /// A program.
        USER = 1,
        /// The kernel.
        KERNEL = 2,
    }
}

// include/uapi/linux/if_bridge.h
values! {
    /// Whether multicast routers are taken to be behind a port.
    pub MulticastRouter(u8), "MDB_RTR_TYPE_" {
        /// Never.
        DISABLED = 0,
        /// While queries come from there.
        TEMP_QUERY = 1,
        /// Always.
        PERM = 2,
        /// For as long as user space keeps saying so.
        TEMP = 3,
    }
}

// include/uapi/linux/if_bridge.h
record! {
    /// Options of a bridge that are on or off.
    pub BridgeOptionsChange, "br_boolopt_multi", "opt" {
        /// Those that are on, or are to be.
        val: BridgeOptions,
        /// Those that the kernel has, or that are to change.
        mask: BridgeOptions,
    }
}

// include/uapi/linux/if_bridge.h: there they are numbers of bits.
flags! {
    /// Options of a bridge.
    pub BridgeOptions(u32), "BR_BOOLOPT_" {
        /// Nothing is learned from link-local packets.
        NO_LL_LEARN = 0x1,
        /// Multicast goes where it is wanted, by VLAN.
        MCAST_VLAN_SNOOPING = 0x2,
        /// Several spanning trees.
        MST_ENABLE = 0x4,
        /// Tells when a device could not take over a multicast group.
        MDB_OFFLOAD_FAIL_NOTIFICATION = 0x8,
        /// Its own addresses are kept once, for VLAN 0, not for each VLAN.
        FDB_LOCAL_VLAN_0 = 0x10,
    }
}

// include/uapi/linux/if_bridge.h
space! {
    /// Who queries for multicast members.
    pub BridgeQuerier, "BRIDGE_QUERIER_" {
        /// IPv4: address of the querier.
        IP_ADDRESS: Ipv4Addr = 1,
        /// IPv4: index of the port towards it; absent where it is the bridge.
        IP_PORT: u32 = 2,
        /// IPv4: until another querier counts as gone; hundredths of a second.
        IP_OTHER_TIMER: u64 = 3,
        /// Aligns what follows.
        PAD: Pad = 4,
        /// IPv6: address of the querier.
        IPV6_ADDRESS: Ipv6Addr = 5,
        /// IPv6: index of the port towards it; absent where it is the bridge.
        IPV6_PORT: u32 = 6,
        /// IPv6: until another querier counts as gone; hundredths of a second.
        IPV6_OTHER_TIMER: u64 = 7,
    }
}

// include/uapi/linux/if_link.h. Where nothing else is said, 1 is on and 0 off.
space! {
    /// A port of a bridge.
    pub BridgePort, "IFLA_BRPORT_" {
        /// State in the spanning tree.
        STATE: BridgePortState = 1,
        /// Priority, 0 to 63, lower is better.
        PRIORITY: u16 = 2,
        /// Cost of the path through it, 1 to 65535.
        COST: u32 = 3,
        /// Packets may leave where they came in (hairpin).
        MODE: u8 = 4,
        /// Spanning tree packets shut it.
        GUARD: u8 = 5,
        /// It may not become the port towards the root.
        PROTECT: u8 = 6,
        /// A group is left at once, without a last query.
        FAST_LEAVE: u8 = 7,
        /// Neighbours are learned from packets.
        LEARNING: u8 = 8,
        /// Packets to unknown neighbours go out here.
        UNICAST_FLOOD: u8 = 9,
        /// The bridge answers ARP for neighbours elsewhere.
        PROXYARP: u8 = 10,
        /// What the device learned is learned too.
        LEARNING_SYNC: u8 = 11,
        /// As `PROXYARP`, as wireless standards want it.
        PROXYARP_WIFI: u8 = 12,
        /// The root, as it is known here.
        ROOT_ID: BridgeId = 13,
        /// The bridge that leads to the root from here.
        BRIDGE_ID: BridgeId = 14,
        /// Id of that bridge's port.
        DESIGNATED_PORT: u16 = 15,
        /// Cost from that bridge to the root.
        DESIGNATED_COST: u16 = 16,
        /// Its own id: priority and number.
        ID: u16 = 17,
        /// Its number.
        NO: u16 = 18,
        /// 1: a change of topology is to be acknowledged.
        TOPOLOGY_CHANGE_ACK: u8 = 19,
        /// 1: a packet of the spanning tree waits to be sent.
        CONFIG_PENDING: u8 = 20,
        /// Until what the root said is too old; hundredths of a second.
        MESSAGE_AGE_TIMER: u64 = 21,
        /// Until the next state; hundredths of a second.
        FORWARD_DELAY_TIMER: u64 = 22,
        /// Until the next packet may be sent; hundredths of a second.
        HOLD_TIMER: u64 = 23,
        /// In a request: forget the neighbours learned here.
        FLUSH: Flag = 24,
        /// Whether multicast routers are behind it.
        MULTICAST_ROUTER: MulticastRouter = 25,
        /// Aligns what follows.
        PAD: Pad = 26,
        /// Multicast to unknown groups goes out here.
        MCAST_FLOOD: u8 = 27,
        /// Multicast is sent to each member alone.
        MCAST_TO_UCAST: u8 = 28,
        /// VLANs are mapped to tunnel ids.
        VLAN_TUNNEL: u8 = 29,
        /// Broadcast goes out here.
        BCAST_FLOOD: u8 = 30,
        /// As the bridge's mask, for this port.
        GROUP_FWD_MASK: u16 = 31,
        /// ARP and neighbour solicitations that the bridge can answer do not go out here.
        NEIGH_SUPPRESS: u8 = 32,
        /// No packets between it and other isolated ports.
        ISOLATED: u8 = 33,
        /// Index of the port that takes over when this one is down; 0 for none.
        BACKUP_PORT: u32 = 34,
        /// 1: the MRP ring is open here.
        MRP_RING_OPEN: u8 = 35,
        /// 1: the MRP interconnection is open here.
        MRP_IN_OPEN: u8 = 36,
        /// Most hosts that are followed one by one.
        MCAST_EHT_HOSTS_LIMIT: u32 = 37,
        /// Hosts that are followed one by one.
        MCAST_EHT_HOSTS_CNT: u32 = 38,
        /// Packets from neighbours not known here are dropped.
        LOCKED: u8 = 39,
        /// Neighbours that were dropped for that are listed, for somebody to let them in.
        MAB: u8 = 40,
        /// Multicast groups joined here.
        MCAST_N_GROUPS: u32 = 41,
        /// Most multicast groups joined here; 0 for no limit.
        MCAST_MAX_GROUPS: u32 = 42,
        /// As `NEIGH_SUPPRESS`, by VLAN.
        NEIGH_VLAN_SUPPRESS: u8 = 43,
        /// Nexthop that packets to `BACKUP_PORT` are sent to; 0 for none.
        BACKUP_NHID: u32 = 44,
        /// Gratuitous ARP and unsolicited neighbour advertisements go out in spite of `NEIGH_SUPPRESS`.
        NEIGH_FORWARD_GRAT: u8 = 45,
    }
}

// include/uapi/linux/if_bridge.h
values! {
    /// State of a port in the spanning tree.
    pub BridgePortState(u8), "BR_STATE_" {
        DISABLED = 0,
        LISTENING = 1,
        LEARNING = 2,
        FORWARDING = 3,
        BLOCKING = 4,
    }
}

// include/uapi/linux/if_bridge.h
space! {
    /// What a message of the family `AF_BRIDGE` says of a bridge or port beyond [`BridgePort`].
    pub BridgeAfSpec, "IFLA_BRIDGE_" {
        // Numbers begin at 0 here.
        /// Who is meant: the bridge above, or the device itself.
        FLAGS: BridgeFlags = 0,
        /// How a device switches between its virtual functions.
        MODE: BridgeMode = 1,
        /// A VLAN of the port, or one end of a range.
        VLAN_INFO: Many<BridgeVlan> = 2,
        /// Which tunnel id a VLAN has, or one end of a range.
        VLAN_TUNNEL_INFO: Many<Nest<BridgeVlanTunnel>> = 3,
        /// Media redundancy.
        MRP: Nest<BridgeMrp> = 4,
        /// Connectivity fault management.
        CFM: Nest<BridgeCfm> = 5,
        /// States of a port by spanning tree instance.
        MST: Nest<BridgeMst> = 6,
    }
}

flags! {
    /// Who a request of the family `AF_BRIDGE` means; without a flag, the bridge above.
    pub BridgeFlags(u16), "BRIDGE_FLAGS_" {
        /// The bridge above.
        MASTER = 0x1,
        /// The device itself.
        SELF = 0x2,
    }
}

values! {
    /// How a device switches between its virtual functions.
    pub BridgeMode(u16), "BRIDGE_MODE_" {
        /// It does so itself.
        VEB = 0,
        /// The switch outside does (802.1Qbg).
        VEPA = 1,
        UNDEF = 0xffff,
    }
}

record! {
    /// A VLAN of a bridge port, or one end of a range.
    pub BridgeVlan, "bridge_vlan_info", "" {
        /// What it does there, and which end it is.
        flags: BridgeVlanFlags,
        /// Its id, 1 to 4094.
        vid: u16,
    }
}

flags! {
    /// What a VLAN does on a bridge port.
    pub BridgeVlanFlags(u16), "BRIDGE_VLAN_INFO_" {
        /// In a request: on the bridge too.
        MASTER = 0x1,
        /// Untagged packets are taken for it.
        PVID = 0x2,
        /// Packets leave without a tag.
        UNTAGGED = 0x4,
        /// First of a range.
        RANGE_BEGIN = 0x8,
        /// Last of a range; its flags are those of the first.
        RANGE_END = 0x10,
        /// The bridge itself takes part.
        BRENTRY = 0x20,
        /// Only options change.
        ONLY_OPTS = 0x40,
    }
}

space! {
    /// Which tunnel id a VLAN has.
    pub BridgeVlanTunnel, "IFLA_BRIDGE_VLAN_TUNNEL_" {
        /// Tunnel id, 24 bits.
        ID: u32 = 1,
        /// VLAN id, 1 to 4094.
        VID: u16 = 2,
        /// Which end of a range it is.
        FLAGS: BridgeVlanFlags = 3,
    }
}

space! {
    /// States of a port by spanning tree instance.
    pub BridgeMst, "IFLA_BRIDGE_MST_" {
        /// One of them.
        ENTRY: Many<Nest<BridgeMstEntry>> = 1,
    }
}

space! {
    /// State of a port in one spanning tree instance.
    pub BridgeMstEntry, "IFLA_BRIDGE_MST_ENTRY_" {
        /// Number of the instance, 1 to 4094; 0 is the common one, told by [`BridgePort::STATE`].
        MSTI: u16 = 1,
        /// State.
        STATE: BridgePortState = 2,
    }
}
