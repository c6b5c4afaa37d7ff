//! Filters by what stands in a packet's headers (tc-flower(8); net/sched/cls_flower.c).

use core::net::{Ipv4Addr, Ipv6Addr};

use super::super::EtherType;
use super::{Action, FilterFlags, Handle};
use crate::table::{Be, Be16, Be32, Be64, Bytes, Hardware, Indexed, Many, Nest, Str};
use crate::{flags, space};

// include/uapi/linux/pkt_cls.h
space! {
    /// `flower`: a packet matches if each field that is given has its value in the bits of its mask; without a mask, in all.
    pub Flower, "TCA_FLOWER_" {
        /// Class that packets go to.
        CLASSID: Handle = 1,
        /// Interface by which packets came.
        INDEV: Str = 2,
        /// What is done with packets, by priority from 1 on.
        ACT: Indexed<Nest<Action>> = 3,
        /// Ethernet address, destination.
        KEY_ETH_DST: Hardware = 4,
        /// Its bits that count.
        KEY_ETH_DST_MASK: Hardware = 5,
        /// Ethernet address, source.
        KEY_ETH_SRC: Hardware = 6,
        /// Its bits that count.
        KEY_ETH_SRC_MASK: Hardware = 7,
        /// What the frame holds.
        KEY_ETH_TYPE: Be<EtherType> = 8,
        /// Transport protocol (`IPPROTO_`).
        KEY_IP_PROTO: u8 = 9,
        /// IPv4 address, source; for ARP see `KEY_ARP_SIP`.
        KEY_IPV4_SRC: Ipv4Addr = 10,
        /// Its bits that count.
        KEY_IPV4_SRC_MASK: Ipv4Addr = 11,
        /// IPv4 address, destination.
        KEY_IPV4_DST: Ipv4Addr = 12,
        /// Its bits that count.
        KEY_IPV4_DST_MASK: Ipv4Addr = 13,
        /// IPv6 address, source.
        KEY_IPV6_SRC: Ipv6Addr = 14,
        /// Its bits that count.
        KEY_IPV6_SRC_MASK: Ipv6Addr = 15,
        /// IPv6 address, destination.
        KEY_IPV6_DST: Ipv6Addr = 16,
        /// Its bits that count.
        KEY_IPV6_DST_MASK: Ipv6Addr = 17,
        /// TCP port, source.
        KEY_TCP_SRC: Be16 = 18,
        /// TCP port, destination.
        KEY_TCP_DST: Be16 = 19,
        /// UDP port, source.
        KEY_UDP_SRC: Be16 = 20,
        /// UDP port, destination.
        KEY_UDP_DST: Be16 = 21,
        /// In hardware, in software, or both.
        FLAGS: FilterFlags = 22,
        /// VLAN identifier, 0 to 4095; the header says big-endian, the kernel does otherwise.
        KEY_VLAN_ID: u16 = 23,
        /// VLAN priority, 0 to 7.
        KEY_VLAN_PRIO: u8 = 24,
        /// What the frame within the VLAN tag holds.
        KEY_VLAN_ETH_TYPE: Be<EtherType> = 25,
        /// Key of the tunnel that the packet came by (VNI, GRE key).
        KEY_ENC_KEY_ID: Be32 = 26,
        /// Tunnel's IPv4 address, source.
        KEY_ENC_IPV4_SRC: Ipv4Addr = 27,
        /// Its bits that count.
        KEY_ENC_IPV4_SRC_MASK: Ipv4Addr = 28,
        /// Tunnel's IPv4 address, destination.
        KEY_ENC_IPV4_DST: Ipv4Addr = 29,
        /// Its bits that count.
        KEY_ENC_IPV4_DST_MASK: Ipv4Addr = 30,
        /// Tunnel's IPv6 address, source.
        KEY_ENC_IPV6_SRC: Ipv6Addr = 31,
        /// Its bits that count.
        KEY_ENC_IPV6_SRC_MASK: Ipv6Addr = 32,
        /// Tunnel's IPv6 address, destination.
        KEY_ENC_IPV6_DST: Ipv6Addr = 33,
        /// Its bits that count.
        KEY_ENC_IPV6_DST_MASK: Ipv6Addr = 34,
        /// Bits of the TCP source port that count.
        KEY_TCP_SRC_MASK: Be16 = 35,
        /// Bits of the TCP destination port that count.
        KEY_TCP_DST_MASK: Be16 = 36,
        /// Bits of the UDP source port that count.
        KEY_UDP_SRC_MASK: Be16 = 37,
        /// Bits of the UDP destination port that count.
        KEY_UDP_DST_MASK: Be16 = 38,
        /// Bits of the SCTP source port that count.
        KEY_SCTP_SRC_MASK: Be16 = 39,
        /// Bits of the SCTP destination port that count.
        KEY_SCTP_DST_MASK: Be16 = 40,
        /// SCTP port, source.
        KEY_SCTP_SRC: Be16 = 41,
        /// SCTP port, destination.
        KEY_SCTP_DST: Be16 = 42,
        /// Tunnel's UDP port, source.
        KEY_ENC_UDP_SRC_PORT: Be16 = 43,
        /// Its bits that count.
        KEY_ENC_UDP_SRC_PORT_MASK: Be16 = 44,
        /// Tunnel's UDP port, destination.
        KEY_ENC_UDP_DST_PORT: Be16 = 45,
        /// Its bits that count.
        KEY_ENC_UDP_DST_PORT_MASK: Be16 = 46,
        /// What else is so of the packet.
        KEY_FLAGS: Be<FlowerKeyFlags> = 47,
        /// Flags that count.
        KEY_FLAGS_MASK: Be<FlowerKeyFlags> = 48,
        /// ICMP code.
        KEY_ICMPV4_CODE: u8 = 49,
        /// Its bits that count.
        KEY_ICMPV4_CODE_MASK: u8 = 50,
        /// ICMP type.
        KEY_ICMPV4_TYPE: u8 = 51,
        /// Its bits that count.
        KEY_ICMPV4_TYPE_MASK: u8 = 52,
        /// ICMPv6 code.
        KEY_ICMPV6_CODE: u8 = 53,
        /// Its bits that count.
        KEY_ICMPV6_CODE_MASK: u8 = 54,
        /// ICMPv6 type.
        KEY_ICMPV6_TYPE: u8 = 55,
        /// Its bits that count.
        KEY_ICMPV6_TYPE_MASK: u8 = 56,
        /// Sender's IPv4 address in ARP.
        KEY_ARP_SIP: Ipv4Addr = 57,
        /// Its bits that count.
        KEY_ARP_SIP_MASK: Ipv4Addr = 58,
        /// Target's IPv4 address in ARP.
        KEY_ARP_TIP: Ipv4Addr = 59,
        /// Its bits that count.
        KEY_ARP_TIP_MASK: Ipv4Addr = 60,
        /// ARP operation: 1 asks, 2 answers.
        KEY_ARP_OP: u8 = 61,
        /// Its bits that count.
        KEY_ARP_OP_MASK: u8 = 62,
        /// Sender's Ethernet address in ARP.
        KEY_ARP_SHA: Hardware = 63,
        /// Its bits that count.
        KEY_ARP_SHA_MASK: Hardware = 64,
        /// Target's Ethernet address in ARP.
        KEY_ARP_THA: Hardware = 65,
        /// Its bits that count.
        KEY_ARP_THA_MASK: Hardware = 66,
        /// Time to live of the outermost MPLS label.
        KEY_MPLS_TTL: u8 = 67,
        /// 1 if the outermost MPLS label is the only one.
        KEY_MPLS_BOS: u8 = 68,
        /// Traffic class of the outermost MPLS label, 0 to 7.
        KEY_MPLS_TC: u8 = 69,
        /// The outermost MPLS label, 20 bits; the header says big-endian, the kernel does otherwise.
        KEY_MPLS_LABEL: u32 = 70,
        /// TCP flags, the low 12 bits.
        KEY_TCP_FLAGS: Be16 = 71,
        /// Flags that count.
        KEY_TCP_FLAGS_MASK: Be16 = 72,
        /// Type of service, or traffic class.
        KEY_IP_TOS: u8 = 73,
        /// Its bits that count.
        KEY_IP_TOS_MASK: u8 = 74,
        /// Time to live, or hop limit.
        KEY_IP_TTL: u8 = 75,
        /// Its bits that count.
        KEY_IP_TTL_MASK: u8 = 76,
        /// Identifier of the inner VLAN of two, as that of the outer one.
        KEY_CVLAN_ID: u16 = 77,
        /// Priority of the inner VLAN, 0 to 7.
        KEY_CVLAN_PRIO: u8 = 78,
        /// What the frame within both VLAN tags holds.
        KEY_CVLAN_ETH_TYPE: Be<EtherType> = 79,
        /// Tunnel's type of service.
        KEY_ENC_IP_TOS: u8 = 80,
        /// Its bits that count.
        KEY_ENC_IP_TOS_MASK: u8 = 81,
        /// Tunnel's time to live.
        KEY_ENC_IP_TTL: u8 = 82,
        /// Its bits that count.
        KEY_ENC_IP_TTL_MASK: u8 = 83,
        /// Options of the tunnel's protocol.
        KEY_ENC_OPTS: Nest<FlowerTunnelOptions> = 84,
        /// Their bits that count.
        KEY_ENC_OPTS_MASK: Nest<FlowerTunnelOptions> = 85,
        /// Devices that have the filter in hardware; only in answers.
        IN_HW_COUNT: u32 = 86,
        /// The first of a range of source ports.
        KEY_PORT_SRC_MIN: Be16 = 87,
        /// The last of a range of source ports.
        KEY_PORT_SRC_MAX: Be16 = 88,
        /// The first of a range of destination ports.
        KEY_PORT_DST_MIN: Be16 = 89,
        /// The last of a range of destination ports.
        KEY_PORT_DST_MAX: Be16 = 90,
        /// State of the connection that the packet belongs to.
        KEY_CT_STATE: FlowerConnectionFlags = 91,
        /// Flags that count.
        KEY_CT_STATE_MASK: FlowerConnectionFlags = 92,
        /// Zone of the connection.
        KEY_CT_ZONE: u16 = 93,
        /// Its bits that count.
        KEY_CT_ZONE_MASK: u16 = 94,
        /// Mark of the connection.
        KEY_CT_MARK: u32 = 95,
        /// Its bits that count.
        KEY_CT_MARK_MASK: u32 = 96,
        /// Labels of the connection, up to 16 bytes.
        KEY_CT_LABELS: Bytes = 97,
        /// Their bits that count.
        KEY_CT_LABELS_MASK: Bytes = 98,
        /// MPLS labels, each by its depth.
        KEY_MPLS_OPTS: Nest<FlowerMpls> = 99,
        /// Hash that the packet carries.
        KEY_HASH: u32 = 100,
        /// Its bits that count.
        KEY_HASH_MASK: u32 = 101,
        /// How many VLAN tags.
        KEY_NUM_OF_VLANS: u8 = 102,
        /// PPPoE session.
        KEY_PPPOE_SID: Be16 = 103,
        /// What the PPP frame holds.
        KEY_PPP_PROTO: Be16 = 104,
        /// L2TPv3 session.
        KEY_L2TPV3_SID: Be32 = 105,
        /// 1 if a bridge did not know the destination.
        L2_MISS: u8 = 106,
        /// Connectivity fault management.
        KEY_CFM: Nest<FlowerCfm> = 107,
        /// Security parameter index of IPsec.
        KEY_SPI: Be32 = 108,
        /// Its bits that count.
        KEY_SPI_MASK: Be32 = 109,
        /// What else is so of the tunnel's packet.
        KEY_ENC_FLAGS: Be<FlowerKeyFlags> = 110,
        /// Flags that count.
        KEY_ENC_FLAGS_MASK: Be<FlowerKeyFlags> = 111,
    }
}

flags! {
    /// What is so of a packet.
    pub FlowerKeyFlags(u32), "TCA_FLOWER_KEY_FLAGS_" {
        /// It is a fragment.
        IS_FRAGMENT = 0x1,
        /// It is the first fragment.
        FRAG_IS_FIRST = 0x2,
        /// The tunnel's packet has a checksum.
        TUNNEL_CSUM = 0x4,
        /// The tunnel's packet must not be fragmented.
        TUNNEL_DONT_FRAGMENT = 0x8,
        /// The tunnel's packet is for operations, administration and maintenance.
        TUNNEL_OAM = 0x10,
        /// The tunnel's packet has options that must be understood.
        TUNNEL_CRIT_OPT = 0x20,
    }
}

flags! {
    /// What connection tracking says of a packet.
    pub FlowerConnectionFlags(u16), "TCA_FLOWER_KEY_CT_FLAGS_" {
        /// It begins a connection.
        NEW = 0x1,
        /// It belongs to a connection that both sides know.
        ESTABLISHED = 0x2,
        /// It is related to a connection.
        RELATED = 0x4,
        /// It was looked up.
        TRACKED = 0x8,
        /// It belongs to none and can begin none.
        INVALID = 0x10,
        /// It goes against the direction in which the connection began.
        REPLY = 0x20,
    }
}

space! {
    /// Options of one tunnel protocol.
    pub FlowerTunnelOptions, "TCA_FLOWER_KEY_ENC_OPTS_" {
        /// Geneve options: in requests one in each, in answers all in one.
        GENEVE: Many<Nest<FlowerGeneve>> = 1,
        /// VXLAN extension.
        VXLAN: Nest<FlowerVxlan> = 2,
        /// ERSPAN header.
        ERSPAN: Nest<FlowerErspan> = 3,
        /// GTP extension header.
        GTP: Nest<FlowerGtp> = 4,
        /// PFCP header.
        PFCP: Nest<FlowerPfcp> = 5,
    }
}

space! {
    /// A Geneve option (RFC 8926), or several, one behind the other: then the attributes repeat, in this order.
    pub FlowerGeneve, "TCA_FLOWER_KEY_ENC_OPT_GENEVE_" {
        /// Who defines the type.
        CLASS: Many<Be16> = 1,
        /// Type.
        TYPE: Many<u8> = 2,
        /// Data, a multiple of 4 bytes, at most 124.
        DATA: Many<Bytes> = 3,
    }
}

space! {
    /// A VXLAN extension.
    pub FlowerVxlan, "TCA_FLOWER_KEY_ENC_OPT_VXLAN_" {
        /// Group policy: identifier in the low 16 bits, flags above.
        GBP: u32 = 1,
    }
}

space! {
    /// An ERSPAN header.
    pub FlowerErspan, "TCA_FLOWER_KEY_ENC_OPT_ERSPAN_" {
        /// Version: 1 has an index, 2 a direction and a hardware identifier.
        VER: u8 = 1,
        /// Where the packet was mirrored, 20 bits.
        INDEX: Be32 = 2,
        /// 0: on its way in, 1: on its way out.
        DIR: u8 = 3,
        /// Engine that mirrored it, 6 bits.
        HWID: u8 = 4,
    }
}

space! {
    /// A GTP extension header for a PDU session (3GPP TS 38.415).
    pub FlowerGtp, "TCA_FLOWER_KEY_ENC_OPT_GTP_" {
        /// Type of the PDU: 0 down, 1 up.
        PDU_TYPE: u8 = 1,
        /// Identifier of the flow's quality of service, 6 bits.
        QFI: u8 = 2,
    }
}

space! {
    /// A PFCP header (3GPP TS 29.244).
    pub FlowerPfcp, "TCA_FLOWER_KEY_ENC_OPT_PFCP_" {
        /// 0 for messages of a node, 1 for those of a session.
        TYPE: u8 = 1,
        /// Session.
        SEID: Be64 = 2,
    }
}

space! {
    /// MPLS labels.
    pub FlowerMpls, "TCA_FLOWER_KEY_MPLS_OPTS_" {
        /// One label.
        LSE: Many<Nest<FlowerMplsLabel>> = 1,
    }
}

space! {
    /// One entry of the MPLS label stack.
    pub FlowerMplsLabel, "TCA_FLOWER_KEY_MPLS_OPT_LSE_" {
        /// Which, from 1, the outermost, to 7.
        DEPTH: u8 = 1,
        /// Time to live.
        TTL: u8 = 2,
        /// 1 if it is the last.
        BOS: u8 = 3,
        /// Traffic class, 0 to 7.
        TC: u8 = 4,
        /// Label, 20 bits.
        LABEL: u32 = 5,
    }
}

space! {
    /// Connectivity fault management (IEEE 802.1Q).
    pub FlowerCfm, "TCA_FLOWER_KEY_CFM_" {
        /// Level of the maintenance domain, 0 to 7.
        MD_LEVEL: u8 = 1,
        /// What the packet is.
        OPCODE: u8 = 2,
    }
}
