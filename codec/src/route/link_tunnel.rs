//! Tunnels (include/uapi/linux/if_link.h, if_tunnel.h).
//!
//! IPv4 and IPv6 tunnels that share numbers share a space where every payload has one type: [`Gre`] and [`Vti`], whose
//! addresses say by their length which they are. [`IpTunnel`] and [`Ip6Tunnel`] are two, because `IFLA_IPTUN_FLAGS` is 16
//! bits wide in one, 32 in the other, and means other things.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::EtherType;
use crate::table::{Be, Be16, Be32, Encode, Flag, Inet, Malformed, Shape, Value};
use crate::wire::{Payload, Writer};
use crate::{flags, record, space, values};

// include/uapi/linux/if_link.h. Where nothing else is said, 1 is on and 0 off.
space! {
    /// Ethernet over UDP (RFC 7348).
    pub Vxlan, "IFLA_VXLAN_" {
        /// Network id, 24 bits.
        ID: u32 = 1,
        /// Where packets to unknown neighbours go: a multicast group or one remote end.
        GROUP: Ipv4Addr = 2,
        /// Index of the interface that it sends by; 0 or absent for none.
        LINK: u32 = 3,
        /// Source address.
        LOCAL: Ipv4Addr = 4,
        /// Time to live; 0 for the route's.
        TTL: u8 = 5,
        /// Type of service; 1 copies the inner packet's.
        TOS: u8 = 6,
        /// Neighbours are learned from packets.
        LEARNING: u8 = 7,
        /// When a silent neighbour is forgotten, in seconds.
        AGEING: u32 = 8,
        /// Most neighbours it learns; 0 for no limit.
        LIMIT: u32 = 9,
        /// Source ports.
        PORT_RANGE: VxlanPortRange = 10,
        /// It answers ARP and neighbour solicitations itself.
        PROXY: u8 = 11,
        /// Packets to a router go straight to where it would send them.
        RSC: u8 = 12,
        /// A neighbour that is missing in the forwarding table is announced.
        L2MISS: u8 = 13,
        /// A neighbour whose hardware address is missing is announced.
        L3MISS: u8 = 14,
        /// Destination port.
        PORT: Be16 = 15,
        /// As `GROUP`, for IPv6.
        GROUP6: Ipv6Addr = 16,
        /// As `LOCAL`, for IPv6.
        LOCAL6: Ipv6Addr = 17,
        /// UDP checksums over IPv4.
        UDP_CSUM: u8 = 18,
        /// Over IPv6, none is sent.
        UDP_ZERO_CSUM6_TX: u8 = 19,
        /// Over IPv6, none is accepted.
        UDP_ZERO_CSUM6_RX: u8 = 20,
        /// Remote checksum offload when sending.
        REMCSUM_TX: u8 = 21,
        /// Remote checksum offload when receiving.
        REMCSUM_RX: u8 = 22,
        /// Group policy extension.
        GBP: Flag = 23,
        /// Remote checksum offload without partial checksums.
        REMCSUM_NOPARTIAL: Flag = 24,
        /// Ends and ids come with each packet, from routes or BPF.
        COLLECT_METADATA: u8 = 25,
        /// Flow label, 20 bits.
        LABEL: Be32 = 26,
        /// Generic protocol extension.
        GPE: Flag = 27,
        /// Time to live is the inner packet's.
        TTL_INHERIT: FlagOrByte = 28,
        /// Whether the outer packet may be fragmented.
        DF: VxlanDf = 29,
        /// It takes only the network ids it is told; with `COLLECT_METADATA`.
        VNIFILTER: u8 = 30,
        /// Packets to a local end go straight to its VXLAN interface.
        LOCALBYPASS: u8 = 31,
        /// Where the flow label comes from.
        LABEL_POLICY: VxlanLabelPolicy = 32,
        /// Bits of the header that must be zero in packets that come in.
        RESERVED_BITS: [u8; 8] = 33,
        /// Multicast is routed; else it goes out by `LINK`.
        MC_ROUTE: u8 = 34,
    }
}

record! {
    /// Source ports.
    pub VxlanPortRange, "ifla_vxlan_port_range", "" {
        /// The lowest.
        low: Be16,
        /// The highest.
        high: Be16,
    }
}

values! {
    /// Whether the outer packet may be fragmented.
    pub VxlanDf(u8), "VXLAN_DF_" {
        /// It may.
        UNSET = 0,
        /// It may not.
        SET = 1,
        /// As the inner packet.
        INHERIT = 2,
    }
}

values! {
    /// Where the flow label comes from.
    pub VxlanLabelPolicy(u32), "VXLAN_LABEL_" {
        /// It is set.
        FIXED = 0,
        /// The inner packet's.
        INHERIT = 1,
    }
}

/// The payload type of a switch that the kernel takes as a flag and tells as a byte (drivers/net/vxlan/vxlan_core.c).
///
/// `put(key, ())` switches it on; it reads as whether it is on.
#[derive(Clone, Copy, Debug)]
pub struct FlagOrByte;

impl Value for FlagOrByte {
    type Read<'a> = bool;
    // No shape is empty and a byte; a shape that is either prints errors for the other.
    const SHAPE: Shape = Shape::Bytes;

    fn decode(payload: Payload<'_>) -> Result<bool, Malformed> {
        Ok(payload.bytes.first().is_none_or(|byte| *byte != 0))
    }
}

impl Encode<FlagOrByte> for () {
    fn encode(self, _: &mut Writer<'_>) {}
}

// include/uapi/linux/if_link.h. Where nothing else is said, 1 is on and 0 off.
space! {
    /// Ethernet over UDP, with options (RFC 8926).
    pub Geneve, "IFLA_GENEVE_" {
        /// Network id, 24 bits.
        ID: u32 = 1,
        /// Remote end.
        REMOTE: Ipv4Addr = 2,
        /// Time to live; 0 for the route's.
        TTL: u8 = 3,
        /// Type of service; 1 copies the inner packet's.
        TOS: u8 = 4,
        /// Destination port.
        PORT: Be16 = 5,
        /// Ends and ids come with each packet, from routes or BPF.
        COLLECT_METADATA: Flag = 6,
        /// As `REMOTE`, for IPv6.
        REMOTE6: Ipv6Addr = 7,
        /// UDP checksums over IPv4.
        UDP_CSUM: u8 = 8,
        /// Over IPv6, none is sent.
        UDP_ZERO_CSUM6_TX: u8 = 9,
        /// Over IPv6, none is accepted.
        UDP_ZERO_CSUM6_RX: u8 = 10,
        /// Flow label, 20 bits.
        LABEL: Be32 = 11,
        /// Time to live is the inner packet's.
        TTL_INHERIT: u8 = 12,
        /// Whether the outer packet may be fragmented.
        DF: GeneveDf = 13,
        /// IP packets are carried without an Ethernet header.
        INNER_PROTO_INHERIT: Flag = 14,
        /// Source ports.
        PORT_RANGE: GenevePortRange = 15,
        /// Packets carry a hint that lets the receiver merge them.
        GRO_HINT: Flag = 16,
        /// Source address.
        LOCAL: Ipv4Addr = 17,
        /// As `LOCAL`, for IPv6.
        LOCAL6: Ipv6Addr = 18,
    }
}

record! {
    /// Source ports.
    pub GenevePortRange, "ifla_geneve_port_range", "" {
        /// The lowest.
        low: Be16,
        /// The highest.
        high: Be16,
    }
}

values! {
    /// Whether the outer packet may be fragmented.
    pub GeneveDf(u8), "GENEVE_DF_" {
        /// It may.
        UNSET = 0,
        /// It may not.
        SET = 1,
        /// As the inner packet.
        INHERIT = 2,
    }
}

// include/uapi/linux/if_tunnel.h
space! {
    /// IPv4 or IPv6 in IPv4 (`ipip`, `sit`).
    pub IpTunnel, "IFLA_IPTUN_" {
        /// Index of the interface that it sends by; 0 for any.
        LINK: u32 = 1,
        /// Local end; 0.0.0.0 for any.
        LOCAL: Ipv4Addr = 2,
        /// Remote end; 0.0.0.0 for the packet's own.
        REMOTE: Ipv4Addr = 3,
        /// Time to live; 0 copies the inner packet's.
        TTL: u8 = 4,
        /// Type of service; 1 copies the inner packet's.
        TOS: u8 = 5,
        // 6 and 7 are of ip6tnl only.
        /// Whether it is ISATAP; `sit` only. The kernel calls it big-endian and reads it in the machine's byte order.
        FLAGS: SitFlags = 8,
        /// Inner protocol: 4 IPv4, 41 IPv6, 137 MPLS, 0 any.
        PROTO: u8 = 9,
        /// 1: it finds out how large packets may be.
        PMTUDISC: u8 = 10,
        /// 6rd: the prefix that stands for IPv4 addresses (RFC 5969).
        _6RD_PREFIX as "6RD_PREFIX": Ipv6Addr = 11,
        /// 6rd: what all IPv4 addresses begin with.
        _6RD_RELAY_PREFIX as "6RD_RELAY_PREFIX": Ipv4Addr = 12,
        /// 6rd: length of the prefix.
        _6RD_PREFIXLEN as "6RD_PREFIXLEN": u16 = 13,
        /// 6rd: length of what all IPv4 addresses begin with.
        _6RD_RELAY_PREFIXLEN as "6RD_RELAY_PREFIXLEN": u16 = 14,
        /// What it is wrapped in once more.
        ENCAP_TYPE: TunnelEncap = 15,
        /// How it is wrapped.
        ENCAP_FLAGS: TunnelEncapFlags = 16,
        /// Source port of the wrapping; 0 for one by flow.
        ENCAP_SPORT: Be16 = 17,
        /// Destination port of the wrapping.
        ENCAP_DPORT: Be16 = 18,
        /// Ends come with each packet, from routes or BPF.
        COLLECT_METADATA: Flag = 19,
        /// Mark of its packets.
        FWMARK: u32 = 20,
    }
}

flags! {
    /// What a `sit` tunnel is.
    pub SitFlags(u16), "SIT_" {
        /// ISATAP (RFC 5214).
        ISATAP = 0x1,
    }
}

// include/uapi/linux/if_tunnel.h
space! {
    /// IPv4 or IPv6 in IPv6 (`ip6tnl`).
    pub Ip6Tunnel, "IFLA_IPTUN_" {
        /// Index of the interface that it sends by; 0 for any.
        LINK: u32 = 1,
        /// Local end; `::` for any.
        LOCAL: Ipv6Addr = 2,
        /// Remote end; `::` for the packet's own.
        REMOTE: Ipv6Addr = 3,
        /// Hop limit; 0 copies the inner packet's.
        TTL: u8 = 4,
        // 5 is of IPv4 tunnels only.
        /// How often it may be wrapped again; see [`Ip6TunnelFlags::IGN_ENCAP_LIMIT`].
        ENCAP_LIMIT: u8 = 6,
        /// Traffic class and flow label.
        FLOWINFO: Be32 = 7,
        /// How it behaves.
        FLAGS: Ip6TunnelFlags = 8,
        /// Inner protocol: 4 IPv4, 41 IPv6, 137 MPLS, 0 any.
        PROTO: u8 = 9,
        // 10 to 14 are of IPv4 tunnels only.
        /// What it is wrapped in once more.
        ENCAP_TYPE: TunnelEncap = 15,
        /// How it is wrapped.
        ENCAP_FLAGS: TunnelEncapFlags = 16,
        /// Source port of the wrapping; 0 for one by flow.
        ENCAP_SPORT: Be16 = 17,
        /// Destination port of the wrapping.
        ENCAP_DPORT: Be16 = 18,
        /// Ends come with each packet, from routes or BPF.
        COLLECT_METADATA: Flag = 19,
        /// Mark of its packets.
        FWMARK: u32 = 20,
    }
}

// include/uapi/linux/ip6_tunnel.h
flags! {
    /// How an IPv6 tunnel behaves.
    pub Ip6TunnelFlags(u32), "IP6_TNL_F_" {
        /// No limit on wrapping is sent.
        IGN_ENCAP_LIMIT = 0x1,
        /// Traffic class is the inner packet's.
        USE_ORIG_TCLASS = 0x2,
        /// Flow label is the inner packet's.
        USE_ORIG_FLOWLABEL = 0x4,
        MIP6_DEV = 0x8,
        /// The inner packet takes the outer one's traffic class.
        RCV_DSCP_COPY = 0x10,
        /// Mark is the inner packet's.
        USE_ORIG_FWMARK = 0x20,
        /// The remote end may be on this machine.
        ALLOW_LOCAL_REMOTE = 0x40,
        // The bits that follow are the kernel's findings: include/net/ip6_tunnel.h.
        CAP_XMIT = 0x1_0000,
        CAP_RCV = 0x2_0000,
        CAP_PER_PACKET = 0x4_0000,
    }
}

// include/uapi/linux/if_tunnel.h
values! {
    /// What a tunnel is wrapped in once more.
    pub TunnelEncap(u16), "TUNNEL_ENCAP_" {
        NONE = 0,
        /// Foo over UDP.
        FOU = 1,
        /// Generic UDP encapsulation.
        GUE = 2,
        MPLS = 3,
    }
}

// include/uapi/linux/if_tunnel.h
flags! {
    /// How a tunnel is wrapped once more.
    pub TunnelEncapFlags(u16), "TUNNEL_ENCAP_FLAG_" {
        /// UDP checksums over IPv4.
        CSUM = 0x1,
        /// UDP checksums over IPv6.
        CSUM6 = 0x2,
        /// Remote checksum offload.
        REMCSUM = 0x4,
    }
}

// include/uapi/linux/if_tunnel.h
space! {
    /// Generic routing encapsulation, of packets, frames or mirrored frames (`gre`, `gretap`, `erspan` and their IPv6
    /// forms `ip6gre`, `ip6gretap`, `ip6erspan`).
    pub Gre, "IFLA_GRE_" {
        /// Index of the interface that it sends by; 0 for any.
        LINK: u32 = 1,
        /// What packets that come in must have.
        IFLAGS: Be<GreFlags> = 2,
        /// What packets that go out have.
        OFLAGS: Be<GreFlags> = 3,
        /// Key of packets that come in, with `KEY` in `IFLAGS`.
        IKEY: Be32 = 4,
        /// Key of packets that go out, with `KEY` in `OFLAGS`.
        OKEY: Be32 = 5,
        /// Local end.
        LOCAL: Inet = 6,
        /// Remote end; all zero for the packet's own.
        REMOTE: Inet = 7,
        /// Time to live; 0 copies the inner packet's.
        TTL: u8 = 8,
        /// IPv4: type of service; 1 copies the inner packet's.
        TOS: u8 = 9,
        /// IPv4: 1: it finds out how large packets may be.
        PMTUDISC: u8 = 10,
        /// IPv6: how often it may be wrapped again.
        ENCAP_LIMIT: u8 = 11,
        /// IPv6: traffic class and flow label.
        FLOWINFO: Be32 = 12,
        /// IPv6: how it behaves.
        FLAGS: Ip6TunnelFlags = 13,
        /// What it is wrapped in once more.
        ENCAP_TYPE: TunnelEncap = 14,
        /// How it is wrapped.
        ENCAP_FLAGS: TunnelEncapFlags = 15,
        /// Source port of the wrapping; 0 for one by flow.
        ENCAP_SPORT: Be16 = 16,
        /// Destination port of the wrapping.
        ENCAP_DPORT: Be16 = 17,
        /// Ends and keys come with each packet, from routes or BPF.
        COLLECT_METADATA: Flag = 18,
        /// IPv4: 1: the inner packet's wish not to be fragmented is ignored.
        IGNORE_DF: u8 = 19,
        /// Mark of its packets.
        FWMARK: u32 = 20,
        /// ERSPAN version 1: where the mirrored packets come from, 20 bits.
        ERSPAN_INDEX: u32 = 21,
        /// ERSPAN: version, 1 or 2; 0 for GRE without an ERSPAN header.
        ERSPAN_VER: u8 = 22,
        /// ERSPAN version 2: 0 packets that came in, 1 packets that went out.
        ERSPAN_DIR: u8 = 23,
        /// ERSPAN version 2: which device sends, 6 bits.
        ERSPAN_HWID: u16 = 24,
    }
}

// include/uapi/linux/if_tunnel.h; REC, FLAGS and VERSION there are masks of numbers.
flags! {
    /// What packets of a GRE tunnel have.
    pub GreFlags(u16), "GRE_" {
        /// PPTP: an acknowledgement.
        ACK = 0x80,
        STRICT = 0x800,
        /// Numbers.
        SEQ = 0x1000,
        KEY = 0x2000,
        ROUTING = 0x4000,
        /// Checksums.
        CSUM = 0x8000,
    }
}

// include/uapi/linux/if_tunnel.h
space! {
    /// An interface for packets that an IPsec tunnel takes by its key (`vti`, `vti6`).
    pub Vti, "IFLA_VTI_" {
        /// Index of the interface that it sends by; 0 for any.
        LINK: u32 = 1,
        /// Mark of the policies for packets that come in.
        IKEY: Be32 = 2,
        /// Mark of the policies for packets that go out.
        OKEY: Be32 = 3,
        /// Local end.
        LOCAL: Inet = 4,
        /// Remote end.
        REMOTE: Inet = 5,
        /// Mark of its packets.
        FWMARK: u32 = 6,
    }
}

// include/uapi/linux/if_link.h
space! {
    /// An interface for packets that an IPsec tunnel takes by its interface id (`xfrm`).
    pub XfrmInterface, "IFLA_XFRM_" {
        /// Index of the interface below; 0 for any.
        LINK: u32 = 1,
        /// Interface id of the policies and states.
        IF_ID: u32 = 2,
        /// The id comes with each packet, from routes or BPF.
        COLLECT_METADATA: Flag = 3,
    }
}

// include/uapi/linux/if_link.h
space! {
    /// One protocol straight over UDP (`bareudp`).
    pub Bareudp, "IFLA_BAREUDP_" {
        /// Destination port.
        PORT: Be16 = 1,
        /// The protocol.
        ETHERTYPE: Be<EtherType> = 2,
        /// The lowest source port.
        SRCPORT_MIN: u16 = 3,
        /// Kindred protocols too: IPv6 with IPv4, MPLS multicast with MPLS.
        MULTIPROTO_MODE: Flag = 4,
    }
}

// include/uapi/linux/if_link.h
space! {
    /// Packets of mobile devices over UDP (3GPP TS 29.281). What is tunnelled where is set in the generic family `gtp`.
    pub Gtp, "IFLA_GTP_" {
        /// In a request, descriptor of the UDP socket for version 0.
        FD0: u32 = 1,
        /// In a request, descriptor of the UDP socket for version 1.
        FD1: u32 = 2,
        /// Size of the table of contexts.
        PDP_HASHSIZE: u32 = 3,
        /// Which side it is.
        ROLE: GtpRole = 4,
        /// In a request, instead of descriptors: the kernel makes the sockets.
        CREATE_SOCKETS: u8 = 5,
        /// How often it was restarted, told to the other side.
        RESTART_COUNT: u8 = 6,
        /// In a request, with `CREATE_SOCKETS`: local address.
        LOCAL: Ipv4Addr = 7,
        /// As `LOCAL`, for IPv6.
        LOCAL6: Ipv6Addr = 8,
    }
}

values! {
    /// Which side of a GTP tunnel it is.
    pub GtpRole(u32), "GTP_ROLE_" {
        /// Towards the internet.
        GGSN = 0,
        /// Towards the mobile devices.
        SGSN = 1,
    }
}

// include/uapi/linux/amt.h
space! {
    /// Multicast over networks that have none (automatic multicast tunnelling, RFC 7450).
    pub Amt, "IFLA_AMT_" {
        /// Which side it is.
        MODE: AmtMode = 1,
        /// UDP port of the relay.
        RELAY_PORT: Be16 = 2,
        /// UDP port of the gateway.
        GATEWAY_PORT: Be16 = 3,
        /// Index of the interface below.
        LINK: u32 = 4,
        /// Local address.
        LOCAL_IP: Ipv4Addr = 5,
        /// Address of the relay, once it was found.
        REMOTE_IP: Ipv4Addr = 6,
        /// Where a gateway asks for a relay.
        DISCOVERY_IP: Ipv4Addr = 7,
        /// Most gateways that a relay serves.
        MAX_TUNNELS: u32 = 8,
    }
}

values! {
    /// Which side of an AMT tunnel it is.
    pub AmtMode(u32), "AMT_MODE_" {
        GATEWAY = 0,
        RELAY = 1,
    }
}

// include/uapi/linux/if_link.h
space! {
    /// An OpenVPN interface. Peers and keys are set in the generic family `ovpn`.
    pub Ovpn, "IFLA_OVPN_" {
        /// How many peers.
        MODE: OvpnMode = 1,
    }
}

values! {
    /// How many peers an OpenVPN interface has.
    pub OvpnMode(u8), "OVPN_MODE_" {
        /// One.
        P2P = 0,
        /// Many.
        MP = 1,
    }
}
