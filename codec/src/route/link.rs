//! Interfaces: their header, their attributes, what they are and do (rtnetlink(7), include/uapi/linux/if_link.h).
//!
//! One space, [`Link`], for everything that `RTM_NEWLINK` and its siblings carry. What hangs on the kind of an
//! interface is in [`LinkInfo`]; what hangs on an address family is in [`AfSpec`], or, in messages of the family
//! `AF_BRIDGE`, in [`BridgeAfSpec`].
//!
//! ```
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::route::{Link, LinkFlags, LinkHeader, Rtm};
//!
//! // `ip link set lo mtu 9000 up`
//! let mut buffer = Buffer::<64>::new();
//! let header = LinkHeader { index: 1, flags: LinkFlags::UP, change: LinkFlags::UP, ..LinkHeader::default() };
//! let bytes = buffer.message(Rtm::NEWLINK, header, |link| link.put(Link::MTU, 9000))?;
//!
//! let body = Message::parse(bytes)?.body(Rtm::NEWLINK)?;
//! assert_eq!(body.header.flags, LinkFlags::UP);
//! assert_eq!(body.attributes.get(Link::MTU)?, Some(9000));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use super::{
    BridgeAfSpec, BridgePort, Family, Inet6Link, InetLink, LinkInfo, LinkMap, LinkStats, LinkStats64, MctpLink, Port,
    VfList, VfPorts,
};
use crate::table::{Bytes, Choice, Hardware, Key, Many, Nest, Pad, Str, Uint};
use crate::{choices, flags, record, space, values};

// include/uapi/linux/rtnetlink.h
record! {
    /// What every message about an interface begins with.
    pub LinkHeader, "ifinfomsg", "ifi_" {
        /// `UNSPEC` for the interface itself; `BRIDGE` or `INET6` for what that family knows of it.
        family: Family,
        /// Nothing.
        pad: u8,
        /// What hardware it is or looks like (`ifi_type`).
        kind: LinkType,
        /// Its number, from 1; 0 where a name says which one is meant, or where the kernel is to choose.
        index: i32,
        /// What it does, can do, and is in.
        flags: LinkFlags,
        /// In a request, which bits of `flags` are meant. 0 means all of them, which is seldom wanted.
        change: LinkFlags,
    }
}

/// What `RTM_NEWLINK`, `RTM_DELLINK`, `RTM_GETLINK` and `RTM_SETLINK` carry.
pub type LinkMessage = (LinkHeader, Link);

// include/uapi/linux/if.h
flags! {
    /// What an interface does, can do, and is in.
    pub LinkFlags(u32), "IFF_" {
        /// Switched on by the administrator.
        UP = 0x1,
        /// Its broadcast address is valid.
        BROADCAST = 0x2,
        DEBUG = 0x4,
        LOOPBACK = 0x8,
        /// Has one peer, no neighbours.
        POINTOPOINT = 0x10,
        NOTRAILERS = 0x20,
        /// Can carry packets: operational state `UP` or unknown.
        RUNNING = 0x40,
        /// No address resolution.
        NOARP = 0x80,
        /// Receives every packet.
        PROMISC = 0x100,
        /// Receives every multicast packet.
        ALLMULTI = 0x200,
        /// Has ports below it (bond).
        MASTER = 0x400,
        /// Is a port of a bond.
        SLAVE = 0x800,
        MULTICAST = 0x1000,
        PORTSEL = 0x2000,
        AUTOMEDIA = 0x4000,
        /// Loses its addresses when it goes down.
        DYNAMIC = 0x8000,
        /// The driver has a carrier.
        LOWER_UP = 0x1_0000,
        DORMANT = 0x2_0000,
        /// Sends back what it sends (CAN).
        ECHO = 0x4_0000,
    }
}

// include/uapi/linux/if_arp.h
values! {
    /// What hardware an interface is, or looks like.
    pub LinkType(u16), "ARPHRD_" {
        NETROM = 0,
        ETHER = 1,
        EETHER = 2,
        AX25 = 3,
        PRONET = 4,
        CHAOS = 5,
        IEEE802 = 6,
        ARCNET = 7,
        APPLETLK = 8,
        DLCI = 15,
        ATM = 19,
        METRICOM = 23,
        IEEE1394 = 24,
        EUI64 = 27,
        INFINIBAND = 32,
        SLIP = 256,
        CSLIP = 257,
        SLIP6 = 258,
        CSLIP6 = 259,
        RSRVD = 260,
        ADAPT = 264,
        ROSE = 270,
        X25 = 271,
        HWX25 = 272,
        CAN = 280,
        MCTP = 290,
        PPP = 512,
        /// Cisco HDLC, also `ARPHRD_HDLC`.
        CISCO = 513,
        LAPB = 516,
        DDCMP = 517,
        RAWHDLC = 518,
        /// No link header: IP packets only (a modem, for one).
        RAWIP = 519,
        /// IPv4 in IPv4.
        TUNNEL = 768,
        /// IPv4 or IPv6 in IPv6.
        TUNNEL6 = 769,
        FRAD = 770,
        SKIP = 771,
        LOOPBACK = 772,
        LOCALTLK = 773,
        FDDI = 774,
        BIF = 775,
        /// IPv6 in IPv4.
        SIT = 776,
        IPDDP = 777,
        IPGRE = 778,
        PIMREG = 779,
        HIPPI = 780,
        ASH = 781,
        ECONET = 782,
        IRDA = 783,
        FCPP = 784,
        FCAL = 785,
        FCPL = 786,
        FCFABRIC = 787,
        // 788 to 799 are kept for other media of Fibre Channel.
        IEEE802_TR = 800,
        IEEE80211 = 801,
        IEEE80211_PRISM = 802,
        IEEE80211_RADIOTAP = 803,
        IEEE802154 = 804,
        IEEE802154_MONITOR = 805,
        PHONET = 820,
        PHONET_PIPE = 821,
        CAIF = 822,
        IP6GRE = 823,
        NETLINK = 824,
        _6LOWPAN as "6LOWPAN" = 825,
        VSOCKMON = 826,
        /// No link header at all (tun, WireGuard).
        NONE = 0xfffe,
        /// Nothing is known.
        VOID = 0xffff,
    }
}

// include/uapi/linux/if_link.h
space! {
    /// An interface.
    pub Link, "IFLA_" {
        /// Hardware address; for an IP tunnel its local end.
        ADDRESS: Hardware = 1,
        /// Hardware broadcast address; for an IP tunnel its remote end.
        BROADCAST: Hardware = 2,
        /// Name, at most 15 bytes, unique in its namespace.
        IFNAME: Str = 3,
        /// Largest packet it takes, in bytes, without the link header.
        MTU: u32 = 4,
        /// Index of the interface it sits on, in the namespace that `LINK_NETNSID` says; 0 for none.
        LINK: u32 = 5,
        /// Name of the root queueing discipline.
        QDISC: Str = 6,
        /// Counters of 32 bits, which wrap; see `STATS64`.
        STATS: LinkStats = 7,
        /// Never used.
        COST: Bytes = 8,
        /// Never used.
        PRIORITY: Bytes = 9,
        /// Index of the bridge, bond, VRF … that it is a port of; in a request 0 takes it out.
        MASTER: u32 = 10,
        /// An event of the old wireless extensions (`struct iw_event`).
        WIRELESS: Bytes = 11,
        /// What the header's family knows of it: as a bridge port, or of IPv6.
        PROTINFO: Choice<LinkProtinfo> = 12,
        /// Packets that its transmit queue holds.
        TXQLEN: u32 = 13,
        /// Where a device of old sits on its bus.
        MAP: LinkMap = 14,
        /// Accepted, handed to the driver, told by none.
        WEIGHT: u32 = 15,
        /// State by RFC 2863.
        OPERSTATE: OperState = 16,
        /// Whether `OPERSTATE` waits for user space before it goes up.
        LINKMODE: LinkMode = 17,
        /// Its kind (vlan, bridge …) and what goes with that.
        LINKINFO: Nest<LinkInfo> = 18,
        /// In a request, the namespace to move it to, or make it in: that of the process with this id.
        NET_NS_PID: u32 = 19,
        /// A description of at most 255 bytes; empty removes it.
        IFALIAS: Str = 20,
        /// How many virtual functions the device has.
        NUM_VF: u32 = 21,
        /// The virtual functions; told only where `EXT_MASK` asks for them. With more than about 220 of them its
        /// 16-bit length wraps.
        VFINFO_LIST: Nest<VfList> = 22,
        /// Counters.
        STATS64: LinkStats64 = 23,
        /// Port profiles of the virtual functions.
        VF_PORTS: Nest<VfPorts> = 24,
        /// Port profile of the device itself.
        PORT_SELF: Nest<Port> = 25,
        /// What each address family knows of it; in messages of the family `BRIDGE`, VLANs and the like.
        AF_SPEC: Choice<LinkAfSpec> = 26,
        /// Group number, for requests that mean many interfaces.
        GROUP: u32 = 27,
        /// In a request, the namespace to move it to, or make it in, by descriptor.
        NET_NS_FD: u32 = 28,
        /// In a request, what to tell beyond the usual, or to leave out.
        EXT_MASK: ExtMask = 29,
        /// How many want it promiscuous; above 0 it is.
        PROMISCUITY: u32 = 30,
        /// Transmit queues.
        NUM_TX_QUEUES: u32 = 31,
        /// Receive queues.
        NUM_RX_QUEUES: u32 = 32,
        /// 1 with a carrier, 0 without; some virtual kinds let it be set.
        CARRIER: u8 = 33,
        /// Identifies the physical port behind it, up to 32 bytes; the same for all functions of one port.
        PHYS_PORT_ID: Bytes = 34,
        /// How often the carrier came or went.
        CARRIER_CHANGES: u32 = 35,
        /// Identifies the switch that it is a port of, up to 32 bytes.
        PHYS_SWITCH_ID: Bytes = 36,
        /// The namespace of the interface in `LINK`, by the id it has here; absent where it is this one.
        LINK_NETNSID: i32 = 37,
        /// Name of the physical port behind it (`p0`, `pf0vf1`).
        PHYS_PORT_NAME: Str = 38,
        /// 1: a protocol in user space keeps it down.
        PROTO_DOWN: u8 = 39,
        /// Most segments in one packet handed down to be segmented.
        GSO_MAX_SEGS: u32 = 40,
        /// Most bytes in one packet handed down to be segmented; for IPv4 see `GSO_IPV4_MAX_SIZE`.
        GSO_MAX_SIZE: u32 = 41,
        /// Aligns what follows.
        PAD: Pad = 42,
        /// XDP programs.
        XDP: Nest<LinkXdp> = 43,
        /// Why this message was sent, where it was not a change of an attribute.
        EVENT: LinkEvent = 44,
        /// In the message that takes it away: the namespace it went to.
        NEW_NETNSID: i32 = 45,
        /// The namespace that a request means, by the id it has here, also `IFLA_TARGET_NETNSID`; repeated in answers.
        IF_NETNSID: i32 = 46,
        /// How often the carrier came.
        CARRIER_UP_COUNT: u32 = 47,
        /// How often the carrier went.
        CARRIER_DOWN_COUNT: u32 = 48,
        /// In the message that takes it away: its index in the namespace it went to. In a request to move it: the
        /// index it is to have there.
        NEW_IFINDEX: i32 = 49,
        /// Smallest MTU the driver takes, in bytes.
        MIN_MTU: u32 = 50,
        /// Largest MTU the driver takes, in bytes; 0 where there is no limit.
        MAX_MTU: u32 = 51,
        /// Alternative names, told or to add or delete (`RTM_NEWLINKPROP`, `RTM_DELLINKPROP`).
        PROP_LIST: Nest<LinkProperties> = 52,
        /// In a get: an alternative name that says which interface is meant, up to 127 bytes.
        ALT_IFNAME: Str = 53,
        /// Hardware address burnt into the device.
        PERM_ADDRESS: Hardware = 54,
        /// Which of the reasons to keep it down (`PROTO_DOWN`) hold.
        PROTO_DOWN_REASON: Nest<ProtoDownReason> = 55,
        /// Name of the device it belongs to, where that is no interface (`0000:01:00.0`).
        PARENT_DEV_NAME: Str = 56,
        /// Name of the bus of that device (`pci`).
        PARENT_DEV_BUS_NAME: Str = 57,
        /// Most bytes that received packets are merged to; for IPv4 see `GRO_IPV4_MAX_SIZE`.
        GRO_MAX_SIZE: u32 = 58,
        /// Most bytes that the device segments by itself.
        TSO_MAX_SIZE: u32 = 59,
        /// Most segments that the device makes by itself.
        TSO_MAX_SEGS: u32 = 60,
        /// How many want all multicast packets; above 0 it receives them.
        ALLMULTI: u32 = 61,
        /// The devlink port behind it.
        DEVLINK_PORT: Nest<LinkDevlinkPort> = 62,
        /// As `GSO_MAX_SIZE`, for IPv4.
        GSO_IPV4_MAX_SIZE: u32 = 63,
        /// As `GRO_MAX_SIZE`, for IPv4.
        GRO_IPV4_MAX_SIZE: u32 = 64,
        /// The clock pin that its recovered clock feeds; empty where there is none.
        DPLL_PIN: Nest<LinkDpllPin> = 65,
        /// How far ahead the device can hold a packet to send it on time, in nanoseconds.
        MAX_PACING_OFFLOAD_HORIZON: Uint = 66,
        /// 1: it cannot move to another namespace.
        NETNS_IMMUTABLE: u8 = 67,
        /// Bytes that it wants free before a packet.
        HEADROOM: u16 = 68,
        /// Bytes that it wants free behind a packet.
        TAILROOM: u16 = 69,
    }
}

impl Link {
    /// The newer name of [`IF_NETNSID`](Self::IF_NETNSID).
    ///
    /// `IFLA_TARGET_NETNSID`
    pub const TARGET_NETNSID: Key<Self, i32> = Self::IF_NETNSID;
}

choices! {
    /// What a family knows of an interface, by the header's family.
    pub LinkProtinfo, by Header 0 {
        // AF_BRIDGE
        7 => Nest<BridgePort>,
        // AF_INET6
        10 => Nest<Inet6Link>,
        else => Bytes,
    }
}

choices! {
    /// What address families know of an interface, by the header's family.
    pub LinkAfSpec, by Header 0 {
        // AF_BRIDGE
        7 => Nest<BridgeAfSpec>,
        else => Nest<AfSpec>,
    }
}

// The numbers are those of the address families: include/linux/socket.h.
space! {
    /// What each address family knows of an interface.
    pub AfSpec, "AF_" {
        /// IPv4: its settings.
        INET: Nest<InetLink> = 2,
        /// IPv6: its settings and counters.
        INET6: Nest<Inet6Link> = 10,
        /// The management component transport protocol.
        MCTP: Nest<MctpLink> = 45,
    }
}

// include/uapi/linux/if_link.h
space! {
    /// Properties of which an interface has many.
    pub LinkProperties, "IFLA_" {
        // The list borrows the numbers of the space around it.
        /// An alternative name, up to 127 bytes, unique in its namespace among all names.
        ALT_IFNAME: Many<Str> = 53,
    }
}

// include/uapi/linux/if_link.h
space! {
    /// Why an interface is kept down, as bits that its users agree on (/etc/iproute2/protodown_reasons.d).
    pub ProtoDownReason, "IFLA_PROTO_DOWN_REASON_" {
        /// In a request, which bits of `VALUE` are meant.
        MASK: u32 = 1,
        /// The bits.
        VALUE: u32 = 2,
    }
}

// include/uapi/linux/devlink.h: three attributes of the devlink family's space.
space! {
    /// The devlink port behind an interface.
    pub LinkDevlinkPort, "DEVLINK_ATTR_" {
        /// Name of the device's bus (`pci`).
        BUS_NAME: Str = 1,
        /// Name of the device (`0000:01:00.0`).
        DEV_NAME: Str = 2,
        /// Number of the port.
        PORT_INDEX: u32 = 3,
    }
}

// include/uapi/linux/dpll.h: one attribute of the dpll family's space.
space! {
    /// The clock pin that an interface feeds.
    pub LinkDpllPin, "DPLL_A_PIN_" {
        /// Its number in the dpll family.
        ID: u32 = 1,
    }
}

// include/uapi/linux/if_link.h
space! {
    /// XDP programs of an interface: told, or one to attach.
    pub LinkXdp, "IFLA_XDP_" {
        /// In a request, the descriptor of the program to attach; -1 detaches.
        FD: i32 = 1,
        /// Where programs are attached.
        ATTACHED: XdpAttached = 2,
        /// In a request, where and how to attach.
        FLAGS: XdpFlags = 3,
        /// Id of the program, where there is only one.
        PROG_ID: u32 = 4,
        /// Id of the program in the driver.
        DRV_PROG_ID: u32 = 5,
        /// Id of the program behind the driver.
        SKB_PROG_ID: u32 = 6,
        /// Id of the program in the device.
        HW_PROG_ID: u32 = 7,
        /// In a request with `REPLACE`, the descriptor of the program that must be attached now.
        EXPECTED_FD: i32 = 8,
    }
}

values! {
    /// Where XDP programs are attached.
    pub XdpAttached(u8), "XDP_ATTACHED_" {
        NONE = 0,
        /// In the driver.
        DRV = 1,
        /// Behind the driver, on socket buffers.
        SKB = 2,
        /// In the device.
        HW = 3,
        /// In several places; each has its program's id.
        MULTI = 4,
    }
}

flags! {
    /// Where and how to attach an XDP program.
    pub XdpFlags(u32), "XDP_FLAGS_" {
        /// Fail if there is one.
        UPDATE_IF_NOEXIST = 0x1,
        SKB_MODE = 0x2,
        DRV_MODE = 0x4,
        HW_MODE = 0x8,
        /// Fail if the one that is there is not `EXPECTED_FD`.
        REPLACE = 0x10,
    }
}

// include/uapi/linux/if.h
values! {
    /// What state an interface is in (RFC 2863).
    pub OperState(u8), "IF_OPER_" {
        /// The driver does not say; taken for up.
        UNKNOWN = 0,
        NOTPRESENT = 1,
        DOWN = 2,
        /// What it sits on is down.
        LOWERLAYERDOWN = 3,
        TESTING = 4,
        /// Has a carrier, waits for something else (802.1X).
        DORMANT = 5,
        UP = 6,
    }
}

// include/uapi/linux/if.h
values! {
    /// Whether an interface with a carrier is up.
    pub LinkMode(u8), "IF_LINK_MODE_" {
        /// It is.
        DEFAULT = 0,
        /// It is dormant, until user space says more.
        DORMANT = 1,
        /// It is under test, until user space says more.
        TESTING = 2,
    }
}

// include/uapi/linux/if_link.h
values! {
    /// Why a message about an interface was sent.
    pub LinkEvent(u32), "IFLA_EVENT_" {
        NONE = 0,
        /// The device was reset.
        REBOOT = 1,
        /// Offload features changed.
        FEATURES = 2,
        /// A bond's active port changed.
        BONDING_FAILOVER = 3,
        /// Neighbours are told again where its addresses are.
        NOTIFY_PEERS = 4,
        /// Multicast groups are joined again.
        IGMP_RESEND = 5,
        /// A bond's options changed.
        BONDING_OPTIONS = 6,
    }
}

// include/uapi/linux/rtnetlink.h
flags! {
    /// What to tell about interfaces beyond the usual, or to leave out.
    pub ExtMask(u32), "RTEXT_FILTER_" {
        /// Virtual functions.
        VF = 0x1,
        /// VLANs of bridge ports.
        BRVLAN = 0x2,
        /// VLANs of bridge ports, as ranges.
        BRVLAN_COMPRESSED = 0x4,
        /// Leave out counters of address families, the largest part of a message; newer kernels leave out all.
        SKIP_STATS = 0x8,
        /// Media redundancy of bridges.
        MRP = 0x10,
        /// What connectivity fault management is set to.
        CFM_CONFIG = 0x20,
        /// What connectivity fault management finds.
        CFM_STATUS = 0x40,
        /// States of bridge ports by spanning tree instance.
        MST = 0x80,
        /// Index and names only; such a get takes no lock that others wait for.
        NAME_ONLY = 0x100,
    }
}
