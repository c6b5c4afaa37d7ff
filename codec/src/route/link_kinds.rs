//! Kinds of interfaces, and what goes with each (include/uapi/linux/if_link.h unless said otherwise).
//!
//! [`LinkInfo::KIND`] names the kind and [`LinkInfo::DATA`] holds what it is set to; for a port, `SLAVE_KIND` and
//! `SLAVE_DATA` say the same of what the interface above knows of it. Kinds that have nothing of their own (dummy, ifb,
//! nlmon, vcan, lowpan, wireguard, team …) have a name only. Tunnels, bonds, bridges and CAN controllers stand in
//! modules of their own.
//!
//! ```
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::route::{Link, LinkHeader, LinkInfo, Macvlan, Rtm, Veth};
//!
//! // `ip link add a type veth peer name b`
//! let mut buffer = Buffer::<128>::new();
//! let pair = buffer.message(Rtm::NEWLINK.create().exclusive(), LinkHeader::default(), |link| {
//!     link.put(Link::IFNAME, "a");
//!     link.nest(Link::LINKINFO, |info| {
//!         info.put(LinkInfo::KIND, "veth");
//!         info.choose(LinkInfo::DATA, Veth, |veth| {
//!             veth.headed(Veth::PEER, LinkHeader::default(), |peer| peer.put(Link::IFNAME, "b"));
//!         });
//!     });
//! })?;
//! let info = Message::parse(pair)?.body(Rtm::NEWLINK)?.attributes.get(Link::LINKINFO)?;
//! let veth = info.and_then(|info| info.chosen(LinkInfo::DATA, Veth).transpose()).transpose()?;
//! let peer = veth.and_then(|veth| veth.get(Veth::PEER).transpose()).transpose()?;
//! assert_eq!(peer.and_then(|(_, peer)| peer.get(Link::IFNAME).transpose()).transpose()?, Some(Text::new("b")));
//!
//! // The same bytes are no macvlan.
//! assert!(info.and_then(|info| info.chosen(LinkInfo::DATA, Macvlan).transpose()).is_none());
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use super::{
    Amt, Bareudp, Bond, BondPort, Bridge, BridgePort, Can, CanDeviceStats, EtherType, Geneve, Gre, Gtp, Ip6Tunnel,
    IpTunnel, Link, LinkHeader, Ovpn, Vti, Vxlan, XfrmInterface,
};
use crate::table::{Be, Be16, Be64, Bytes, Choice, Hardware, Headed, Many, Nest, Pad, Str};
use crate::{choices, flags, record, space, values};

space! {
    /// The kind of an interface and what goes with it.
    pub LinkInfo, "IFLA_INFO_" {
        /// Name of the kind (`vlan`).
        KIND: Str = 1,
        /// What the interface is set to, by its kind.
        DATA: Choice<LinkData> = 2,
        /// Counters of its own, by its kind.
        XSTATS: Choice<LinkXstats> = 3,
        /// Name of the kind of interface that it is a port of (`bridge`).
        SLAVE_KIND: Str = 4,
        /// What it is set to as a port.
        SLAVE_DATA: Choice<LinkSlaveData> = 5,
    }
}

choices! {
    /// What an interface is set to, by its kind.
    pub LinkData, by Sibling 1 {
        "amt" => Nest<Amt>,
        "bareudp" => Nest<Bareudp>,
        "batadv" => Nest<Batadv>,
        "bond" => Nest<Bond>,
        "bridge" => Nest<Bridge>,
        "can" => Nest<Can>,
        "dsa" => Nest<Dsa>,
        "geneve" => Nest<Geneve>,
        "gre" | "gretap" | "erspan" | "ip6gre" | "ip6gretap" | "ip6erspan" => Nest<Gre>,
        "gtp" => Nest<Gtp>,
        "hsr" => Nest<Hsr>,
        "ip6tnl" => Nest<Ip6Tunnel>,
        "ipip" | "sit" => Nest<IpTunnel>,
        "ipoib" => Nest<Ipoib>,
        "ipvlan" | "ipvtap" => Nest<Ipvlan>,
        "macsec" => Nest<Macsec>,
        "macvlan" | "macvtap" => Nest<Macvlan>,
        "netkit" => Nest<Netkit>,
        "ovpn" => Nest<Ovpn>,
        "ppp" => Nest<Ppp>,
        "rmnet" => Nest<Rmnet>,
        "tun" => Nest<Tun>,
        "veth" => Nest<Veth>,
        "vlan" => Nest<Vlan>,
        "vrf" => Nest<Vrf>,
        "vti" | "vti6" => Nest<Vti>,
        "vxcan" => Nest<Vxcan>,
        "vxlan" => Nest<Vxlan>,
        "wwan" => Nest<Wwan>,
        "xfrm" => Nest<XfrmInterface>,
    }
}

choices! {
    /// Counters that only one kind of interface has.
    pub LinkXstats, by Sibling 1 {
        "can" => CanDeviceStats,
        else => Bytes,
    }
}

choices! {
    /// What an interface is set to as a port, by the kind above it.
    pub LinkSlaveData, by Sibling 4 {
        "bond" => Nest<BondPort>,
        "bridge" => Nest<BridgePort>,
        "vrf" => Nest<VrfPort>,
    }
}

// include/uapi/linux/veth.h
space! {
    /// One end of a pair; only in requests.
    pub Veth, "VETH_INFO_" {
        /// The other end, as a message of its own: name, hardware address, namespace … Kinds and settings are not read.
        PEER: Headed<LinkHeader, Link> = 1,
    }
}

// include/uapi/linux/can/vxcan.h
space! {
    /// One end of a pair for CAN; only in requests.
    pub Vxcan, "VXCAN_INFO_" {
        /// The other end.
        PEER: Headed<LinkHeader, Link> = 1,
    }
}

space! {
    /// A VLAN of the interface below.
    pub Vlan, "IFLA_VLAN_" {
        /// Its id, 0 to 4094.
        ID: u16 = 1,
        /// How it behaves.
        FLAGS: VlanFlagsChange = 2,
        /// From packet priority to tag priority.
        EGRESS_QOS: Nest<VlanQos> = 3,
        /// From tag priority to packet priority.
        INGRESS_QOS: Nest<VlanQos> = 4,
        /// Protocol of the tag: 802.1Q where nothing is said, or 802.1ad.
        PROTOCOL: Be<EtherType> = 5,
    }
}

record! {
    /// How a VLAN behaves, or is to.
    pub VlanFlagsChange, "ifla_vlan_flags", "" {
        /// The flags.
        flags: VlanFlags,
        /// In a request, which of `flags` are meant; the kernel tells all bits.
        mask: VlanFlags,
    }
}

// include/uapi/linux/if_vlan.h
flags! {
    /// How a VLAN behaves.
    pub VlanFlags(u32), "VLAN_FLAG_" {
        /// Packets come up without their tag.
        REORDER_HDR = 0x1,
        /// It is announced by GVRP.
        GVRP = 0x2,
        /// It does not follow the state of the interface below.
        LOOSE_BINDING = 0x4,
        /// It is announced by MVRP.
        MVRP = 0x8,
        /// It follows the bridge ports that take part in it.
        BRIDGE_BINDING = 0x10,
    }
}

space! {
    /// How priorities are translated.
    pub VlanQos, "IFLA_VLAN_QOS_" {
        /// One of them.
        MAPPING: Many<VlanQosMapping> = 1,
    }
}

record! {
    /// How one priority is translated.
    pub VlanQosMapping, "ifla_vlan_qos_mapping", "" {
        /// From this.
        from: u32,
        /// To this.
        to: u32,
    }
}

space! {
    /// An interface with a hardware address of its own, on another one.
    pub Macvlan, "IFLA_MACVLAN_" {
        /// Whom it talks to.
        MODE: MacvlanMode = 1,
        /// How it behaves.
        FLAGS: MacvlanFlags = 2,
        /// In a request for `SOURCE`, what to do with the addresses.
        MACADDR_MODE: MacvlanAddressMode = 3,
        /// In a request for `SOURCE`, the address.
        MACADDR: Hardware = 4,
        /// For `SOURCE`, the addresses.
        MACADDR_DATA: Nest<MacvlanAddresses> = 5,
        /// For `SOURCE`, how many addresses.
        MACADDR_COUNT: u32 = 6,
        /// How many broadcast packets it wants to be kept; the largest wish on the interface below counts.
        BC_QUEUE_LEN: u32 = 7,
        /// How many are kept.
        BC_QUEUE_LEN_USED: u32 = 8,
        /// From how many takers on a multicast packet is queued; negative for never.
        BC_CUTOFF: i32 = 9,
    }
}

space! {
    /// Addresses whose packets a macvlan in mode `SOURCE` takes.
    pub MacvlanAddresses, "IFLA_MACVLAN_" {
        // The list borrows the number of the space around it.
        /// One of them.
        MACADDR: Many<Hardware> = 4,
    }
}

values! {
    /// Whom a macvlan talks to.
    pub MacvlanMode(u32), "MACVLAN_MODE_" {
        /// Nobody on the same interface.
        PRIVATE = 1,
        /// Others on the same interface, by way of the switch outside.
        VEPA = 2,
        /// Others on the same interface.
        BRIDGE = 4,
        /// It has the interface for itself.
        PASSTHRU = 8,
        /// It takes packets by their source address.
        SOURCE = 16,
    }
}

flags! {
    /// How a macvlan behaves.
    pub MacvlanFlags(u16), "MACVLAN_FLAG_" {
        /// In mode `PASSTHRU`: the interface below does not become promiscuous.
        NOPROMISC = 0x1,
        /// In mode `SOURCE`: a packet is for the first that takes it only.
        NODST = 0x2,
    }
}

values! {
    /// What to do with the addresses of a macvlan in mode `SOURCE`.
    pub MacvlanAddressMode(u32), "MACVLAN_MACADDR_" {
        ADD = 0,
        DEL = 1,
        /// Delete all.
        FLUSH = 2,
        /// Replace all.
        SET = 3,
    }
}

space! {
    /// An interface with addresses of its own that shares the hardware address of another one.
    pub Ipvlan, "IFLA_IPVLAN_" {
        /// On which layer it works.
        MODE: IpvlanMode = 1,
        /// Whom it talks to.
        FLAGS: IpvlanFlags = 2,
    }
}

values! {
    /// On which layer an ipvlan works.
    pub IpvlanMode(u16), "IPVLAN_MODE_" {
        L2 = 0,
        L3 = 1,
        /// As `L3`, seen by netfilter.
        L3S = 2,
    }
}

flags! {
    /// Whom an ipvlan talks to; without a flag, others on the same interface.
    pub IpvlanFlags(u16), "IPVLAN_F_" {
        /// Nobody on the same interface.
        PRIVATE = 0x1,
        /// Others on the same interface, by way of the switch outside.
        VEPA = 0x2,
    }
}

space! {
    /// A routing domain.
    pub Vrf, "IFLA_VRF_" {
        /// Its routing table.
        TABLE: u32 = 1,
    }
}

space! {
    /// A port of a routing domain.
    pub VrfPort, "IFLA_VRF_PORT_" {
        /// The domain's routing table.
        TABLE: u32 = 1,
    }
}

space! {
    /// The kernel's side of a tun or tap device. Told only; such devices are made by ioctl.
    pub Tun, "IFLA_TUN_" {
        /// User id of who may open it; absent where there is none.
        OWNER: u32 = 1,
        /// Group id of who may open it; absent where there is none.
        GROUP: u32 = 2,
        /// Whether packets or frames.
        TYPE: TunType = 3,
        /// 1: packets have a header of flags and protocol.
        PI: u8 = 4,
        /// 1: packets have a virtio header.
        VNET_HDR: u8 = 5,
        /// 1: it stays when nobody has it open.
        PERSIST: u8 = 6,
        /// 1: it may have several queues.
        MULTI_QUEUE: u8 = 7,
        /// Queues that are open; only with `MULTI_QUEUE`.
        NUM_QUEUES: u32 = 8,
        /// Queues that are open but detached; only with `MULTI_QUEUE`.
        NUM_DISABLED_QUEUES: u32 = 9,
    }
}

// include/uapi/linux/if_tun.h
values! {
    /// What a tun device carries.
    pub TunType(u8), "IFF_" {
        /// Packets.
        TUN = 1,
        /// Ethernet frames.
        TAP = 2,
    }
}

space! {
    /// A pair, or a single end, whose packets BPF programs direct.
    pub Netkit, "IFLA_NETKIT_" {
        /// In a request, the other end.
        PEER_INFO: Headed<LinkHeader, Link> = 1,
        /// 1: this is the end that was made first; it alone can be changed.
        PRIMARY: u8 = 2,
        /// What happens to packets without a program.
        POLICY: NetkitPolicy = 3,
        /// The same, at the other end.
        PEER_POLICY: NetkitPolicy = 4,
        /// On which layer it works.
        MODE: NetkitMode = 5,
        /// What is wiped from packets that come in.
        SCRUB: NetkitScrub = 6,
        /// The same, at the other end.
        PEER_SCRUB: NetkitScrub = 7,
        /// Bytes that it wants free before a packet.
        HEADROOM: u16 = 8,
        /// Bytes that it wants free behind a packet.
        TAILROOM: u16 = 9,
        /// Whether it has another end.
        PAIRING: NetkitPairing = 10,
    }
}

values! {
    /// What happens to packets without a program.
    pub NetkitPolicy(u32), "NETKIT_" {
        PASS = 0,
        DROP = 2,
    }
}

values! {
    /// On which layer a netkit works.
    pub NetkitMode(u32), "NETKIT_" {
        L2 = 0,
        L3 = 1,
    }
}

values! {
    /// What is wiped from packets.
    pub NetkitScrub(u32), "NETKIT_SCRUB_" {
        NONE = 0,
        /// Mark and priority, when they come into another namespace.
        DEFAULT = 1,
    }
}

values! {
    /// Whether a netkit has another end.
    pub NetkitPairing(u32), "NETKIT_DEVICE_" {
        PAIR = 0,
        SINGLE = 1,
    }
}

space! {
    /// A channel secured by MACsec (IEEE 802.1AE).
    pub Macsec, "IFLA_MACSEC_" {
        /// Id of the channel: hardware address and port.
        SCI: Be64 = 1,
        /// In a request without `SCI`, the port.
        PORT: Be16 = 2,
        /// Length of the check value, 8 to 16 bytes.
        ICV_LEN: u8 = 3,
        /// Cipher.
        CIPHER_SUITE: MacsecCipher = 4,
        /// How many packets late a packet may be; with `REPLAY_PROTECT`.
        WINDOW: u32 = 5,
        /// Number of the association that sends, 0 to 3.
        ENCODING_SA: u8 = 6,
        /// 1: packets are encrypted, not only authenticated.
        ENCRYPT: u8 = 7,
        /// 1: packets are authenticated.
        PROTECT: u8 = 8,
        /// 1: every packet has the channel's id.
        INC_SCI: u8 = 9,
        /// 1: packets say that they come from an end station.
        ES: u8 = 10,
        /// 1: packets may be single-copy broadcast.
        SCB: u8 = 11,
        /// 1: packets that come too late are dropped.
        REPLAY_PROTECT: u8 = 12,
        /// What happens to packets that do not check out.
        VALIDATION: MacsecValidation = 13,
        /// Aligns what follows.
        PAD: Pad = 14,
        /// Who does the work.
        OFFLOAD: MacsecOffload = 15,
    }
}

// include/uapi/linux/if_macsec.h
values! {
    /// Cipher of MACsec.
    pub MacsecCipher(u64), "MACSEC_" {
        /// AES-128 in GCM, by the number of the standard's first edition; the kernel tells this one.
        DEFAULT_CIPHER_ID = 0x0080_0200_0100_0001,
        CIPHER_ID_GCM_AES_128 = 0x0080_c200_0100_0001,
        CIPHER_ID_GCM_AES_256 = 0x0080_c200_0100_0002,
        CIPHER_ID_GCM_AES_XPN_128 = 0x0080_c200_0100_0003,
        CIPHER_ID_GCM_AES_XPN_256 = 0x0080_c200_0100_0004,
    }
}

values! {
    /// What happens to packets that do not check out.
    pub MacsecValidation(u8), "MACSEC_VALIDATE_" {
        /// They are taken unchecked.
        DISABLED = 0,
        /// They are counted and taken.
        CHECK = 1,
        /// They are dropped.
        STRICT = 2,
    }
}

values! {
    /// Who does the work of MACsec.
    pub MacsecOffload(u8), "MACSEC_OFFLOAD_" {
        /// The kernel.
        OFF = 0,
        PHY = 1,
        MAC = 2,
    }
}

space! {
    /// Two ports that carry every packet twice (HSR, PRP; IEC 62439-3).
    pub Hsr, "IFLA_HSR_" {
        /// Index of the first port.
        SLAVE1: u32 = 1,
        /// Index of the second port.
        SLAVE2: u32 = 2,
        /// Last byte of the address of supervision frames.
        MULTICAST_SPEC: u8 = 3,
        /// Address of supervision frames.
        SUPERVISION_ADDR: Hardware = 4,
        /// Number of the last packet sent.
        SEQ_NR: u16 = 5,
        /// Version of HSR, 0 or 1.
        VERSION: u8 = 6,
        /// Protocol.
        PROTOCOL: HsrProtocol = 7,
        /// Index of the port to another ring.
        INTERLINK: u32 = 8,
    }
}

values! {
    /// Protocol of an HSR interface.
    pub HsrProtocol(u8), "HSR_PROTOCOL_" {
        HSR = 0,
        PRP = 1,
    }
}

space! {
    /// A partition of an InfiniBand port, for IP.
    pub Ipoib, "IFLA_IPOIB_" {
        /// Key of the partition.
        PKEY: u16 = 1,
        /// What packets are carried by.
        MODE: IpoibMode = 2,
        /// 1: multicast groups may be joined by user space only.
        UMCAST: u16 = 3,
    }
}

values! {
    /// What packets are carried by.
    pub IpoibMode(u16), "IPOIB_MODE_" {
        /// Datagrams, which may get lost.
        DATAGRAM = 0,
        CONNECTED = 1,
    }
}

space! {
    /// A channel of a modem.
    pub Rmnet, "IFLA_RMNET_" {
        /// Its number, 0 to 254.
        MUX_ID: u16 = 1,
        /// How packets are wrapped.
        FLAGS: RmnetFlagsChange = 2,
    }
}

record! {
    /// How packets of a modem are wrapped, or are to be.
    pub RmnetFlagsChange, "ifla_rmnet_flags", "" {
        /// The flags.
        flags: RmnetFlags,
        /// In a request, which of `flags` are meant.
        mask: RmnetFlags,
    }
}

flags! {
    /// How packets of a modem are wrapped.
    pub RmnetFlags(u32), "RMNET_FLAGS_" {
        INGRESS_DEAGGREGATION = 0x1,
        INGRESS_MAP_COMMANDS = 0x2,
        INGRESS_MAP_CKSUMV4 = 0x4,
        EGRESS_MAP_CKSUMV4 = 0x8,
        INGRESS_MAP_CKSUMV5 = 0x10,
        EGRESS_MAP_CKSUMV5 = 0x20,
    }
}

space! {
    /// A port of a switch chip.
    pub Dsa, "IFLA_DSA_" {
        /// Index of the interface that carries its packets to the processor; `IFLA_DSA_MASTER` of old.
        CONDUIT: u32 = 1,
    }
}

// include/uapi/linux/batman_adv.h
space! {
    /// A mesh (B.A.T.M.A.N. advanced).
    pub Batadv, "IFLA_BATADV_" {
        /// Routing algorithm (`BATMAN_IV`, `BATMAN_V`); only when it is made.
        ALGO_NAME: Str = 1,
    }
}

space! {
    /// A point-to-point connection; only in requests.
    pub Ppp, "IFLA_PPP_" {
        /// Descriptor of /dev/ppp.
        DEV_FD: i32 = 1,
    }
}

// include/uapi/linux/wwan.h
space! {
    /// A channel of a mobile modem.
    pub Wwan, "IFLA_WWAN_" {
        /// Its number.
        LINK_ID: u32 = 1,
    }
}
