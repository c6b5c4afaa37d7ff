//! Expressions that ask for something of the packet or what surrounds it.

use super::{Expression, Register};
use crate::table::{Be, Be32, Nest};
use crate::{flags, space, values};

space! {
    /// `payload`: bytes of the packet into a register, or from one into the packet.
    pub Payload, "NFTA_PAYLOAD_" {
        /// Where to.
        DREG: Be<Register> = 1,
        /// From where in the packet the offset counts.
        BASE: Be<PayloadBase> = 2,
        /// How many bytes from there.
        OFFSET: Be32 = 3,
        /// How many bytes.
        LEN: Be32 = 4,
        /// Where from, for writing.
        SREG: Be<Register> = 5,
        /// Which checksum is set right after writing.
        CSUM_TYPE: Be<PayloadChecksum> = 6,
        /// Where that stands, counted as the bytes are.
        CSUM_OFFSET: Be32 = 7,
        /// What else is set right.
        CSUM_FLAGS: Be<PayloadChecksumFlags> = 8,
    }
}

values! {
    /// From where in a packet offsets count.
    pub PayloadBase(u32), "NFT_PAYLOAD_" {
        /// The link layer's header.
        LL_HEADER = 0,
        /// The network layer's header.
        NETWORK_HEADER = 1,
        /// The transport layer's header.
        TRANSPORT_HEADER = 2,
        /// What is behind the transport layer's header.
        INNER_HEADER = 3,
        /// The tunnel's header; in [`Inner`] only.
        TUN_HEADER = 4,
    }
}

values! {
    /// Which checksum is set right.
    pub PayloadChecksum(u32), "NFT_PAYLOAD_CSUM_" {
        /// None.
        NONE = 0,
        /// The Internet's.
        INET = 1,
        /// SCTP's.
        SCTP = 2,
    }
}

flags! {
    /// What else is set right when a packet was changed.
    pub PayloadChecksumFlags(u32), "NFT_PAYLOAD_" {
        /// The transport layer's checksum, which covers addresses.
        L4CSUM_PSEUDOHDR = 0x1,
    }
}

space! {
    /// `exthdr`: a header of IPv6, an option of IPv4 or TCP, a chunk of SCTP.
    pub Exthdr, "NFTA_EXTHDR_" {
        /// Where to.
        DREG: Be<Register> = 1,
        /// Number of the header, the option, the chunk.
        TYPE: u8 = 2,
        /// How many bytes from its beginning.
        OFFSET: Be32 = 3,
        /// How many bytes.
        LEN: Be32 = 4,
        /// How.
        FLAGS: Be<ExthdrFlags> = 5,
        /// Of what.
        OP: Be<ExthdrOp> = 6,
        /// Where from, for writing; without both registers, a TCP option is taken out.
        SREG: Be<Register> = 7,
    }
}

values! {
    /// What headers, options and chunks are of.
    pub ExthdrOp(u32), "NFT_EXTHDR_OP_" {
        /// A header of IPv6.
        IPV6 = 0,
        /// An option of TCP.
        TCPOPT = 1,
        /// An option of IPv4.
        IPV4 = 2,
        /// A chunk of SCTP.
        SCTP = 3,
        /// An option of DCCP.
        DCCP = 4,
    }
}

flags! {
    /// How a header is asked for.
    pub ExthdrFlags(u32), "NFT_EXTHDR_F_" {
        /// Whether it is there, as one byte.
        PRESENT = 0x1,
    }
}

space! {
    /// `inner`: an expression about the packet in a tunnel.
    pub Inner, "NFTA_INNER_" {
        /// How deep, 0.
        NUM: Be32 = 1,
        /// What tunnel.
        TYPE: Be<InnerType> = 2,
        /// Which headers there are.
        FLAGS: Be<InnerFlags> = 3,
        /// Bytes of the tunnel's header.
        HDRSIZE: Be32 = 4,
        /// The expression: `payload` or `meta`.
        EXPR: Nest<Expression> = 5,
    }
}

values! {
    /// What tunnel.
    pub InnerType(u32), "NFT_INNER_" {
        /// Any.
        UNSPEC = 0,
        /// VXLAN.
        VXLAN = 1,
        /// Geneve.
        GENEVE = 2,
    }
}

flags! {
    /// Which headers there are in a tunnel.
    pub InnerFlags(u32), "NFT_INNER_" {
        /// The tunnel's, of known size.
        HDRSIZE = 0x1,
        /// The link layer's.
        LL = 0x2,
        /// The network layer's.
        NH = 0x4,
        /// The transport layer's.
        TH = 0x8,
    }
}

space! {
    /// `meta`: what the kernel knows of the packet into a register, or from one there.
    pub Meta, "NFTA_META_" {
        /// Where to.
        DREG: Be<Register> = 1,
        /// What.
        KEY: Be<MetaKey> = 2,
        /// Where from, for writing.
        SREG: Be<Register> = 3,
    }
}

values! {
    /// What the kernel knows of a packet. Numbers are in the machine's byte order where nothing else is said.
    pub MetaKey(u32), "NFT_META_" {
        /// Length in bytes, 4 bytes.
        LEN = 0,
        /// EtherType, 2 bytes, big-endian.
        PROTOCOL = 1,
        /// Priority, 4 bytes.
        PRIORITY = 2,
        /// Mark, 4 bytes.
        MARK = 3,
        /// Index of the interface it came from, 4 bytes.
        IIF = 4,
        /// Index of the interface it goes to, 4 bytes.
        OIF = 5,
        /// Name of the interface it came from, 16 bytes.
        IIFNAME = 6,
        /// Name of the interface it goes to, 16 bytes.
        OIFNAME = 7,
        /// What hardware the interface is that it came from (`ARPHRD_*`), 2 bytes; `NFT_META_IIFTYPE`, too.
        IFTYPE = 8,
        /// What hardware the interface is that it goes to, 2 bytes.
        OIFTYPE = 9,
        /// User of the socket, 4 bytes.
        SKUID = 10,
        /// Group of the socket, 4 bytes.
        SKGID = 11,
        /// Whether it is traced, 1 byte.
        NFTRACE = 12,
        /// Realm, 4 bytes.
        RTCLASSID = 13,
        /// Security mark, 4 bytes.
        SECMARK = 14,
        /// Family (`NFPROTO_*`), 1 byte.
        NFPROTO = 15,
        /// Protocol (`IPPROTO_*`), 1 byte.
        L4PROTO = 16,
        /// Name of the bridge it came over, 16 bytes.
        BRI_IIFNAME = 17,
        /// Name of the bridge it goes over, 16 bytes.
        BRI_OIFNAME = 18,
        /// To whom it came (`PACKET_*`), 1 byte.
        PKTTYPE = 19,
        /// Processor, 4 bytes.
        CPU = 20,
        /// Group of the interface it came from, 4 bytes.
        IIFGROUP = 21,
        /// Group of the interface it goes to, 4 bytes.
        OIFGROUP = 22,
        /// Control group's class, 4 bytes.
        CGROUP = 23,
        /// A random number, 4 bytes.
        PRANDOM = 24,
        /// Whether it was decrypted (IPsec), 1 byte.
        SECPATH = 25,
        /// Kind of the interface it came from, 16 bytes.
        IIFKIND = 26,
        /// Kind of the interface it goes to, 16 bytes.
        OIFKIND = 27,
        /// VLAN that the bridge gives to packets without one, 2 bytes.
        BRI_IIFPVID = 28,
        /// VLAN protocol of the bridge, 2 bytes, big-endian.
        BRI_IIFVPROTO = 29,
        /// Time, in nanoseconds since 1970, 8 bytes.
        TIME_NS = 30,
        /// Day of the week, Sunday is 0, 1 byte.
        TIME_DAY = 31,
        /// Second of the day, in the kernel's time zone, 4 bytes.
        TIME_HOUR = 32,
        /// Index of the interface below a VRF, 4 bytes.
        SDIF = 33,
        /// Name of the interface below a VRF, 16 bytes.
        SDIFNAME = 34,
        /// Whether the bridge shall route it, 1 byte.
        BRI_BROUTE = 35,
        // 36 is an alias that programs used.
        /// Hardware address of the bridge it came over, 6 bytes.
        BRI_IIFHWADDR = 37,
    }
}

space! {
    /// `rt`: what the route says.
    pub Rt, "NFTA_RT_" {
        /// Where to.
        DREG: Be<Register> = 1,
        /// What.
        KEY: Be<RtKey> = 2,
    }
}

values! {
    /// What a route says.
    pub RtKey(u32), "NFT_RT_" {
        /// Realm, 4 bytes.
        CLASSID = 0,
        /// Next hop, IPv4.
        NEXTHOP4 = 1,
        /// Next hop, IPv6.
        NEXTHOP6 = 2,
        /// Largest segment of TCP, 2 bytes.
        TCPMSS = 3,
        /// Whether it will be encrypted (IPsec), 1 byte.
        XFRM = 4,
    }
}

space! {
    /// `socket`: what the socket says that the packet is for.
    pub Socket, "NFTA_SOCKET_" {
        /// What.
        KEY: Be<SocketKey> = 1,
        /// Where to.
        DREG: Be<Register> = 2,
        /// Which level of control groups, counted from the top.
        LEVEL: Be32 = 3,
    }
}

values! {
    /// What a socket says.
    pub SocketKey(u32), "NFT_SOCKET_" {
        /// `IP_TRANSPARENT`, 1 byte.
        TRANSPARENT = 0,
        /// Mark, 4 bytes.
        MARK = 1,
        /// Whether it is bound to all addresses, 1 byte.
        WILDCARD = 2,
        /// Its control group's number, 8 bytes.
        CGROUPV2 = 3,
    }
}

space! {
    /// `ct`: what the connection says, or is given.
    pub Ct, "NFTA_CT_" {
        /// Where to.
        DREG: Be<Register> = 1,
        /// What.
        KEY: Be<CtKey> = 2,
        /// Which way of it.
        DIRECTION: CtDirection = 3,
        /// Where from, for writing.
        SREG: Be<Register> = 4,
    }
}

values! {
    /// What a connection says. Numbers are in the machine's byte order where nothing else is said.
    pub CtKey(u32), "NFT_CT_" {
        /// State: [`CtState`], 4 bytes.
        STATE = 0,
        /// Which way the packet goes, 1 byte.
        DIRECTION = 1,
        /// Status (`IPS_*`), 4 bytes.
        STATUS = 2,
        /// Mark, 4 bytes.
        MARK = 3,
        /// Security mark, 4 bytes.
        SECMARK = 4,
        /// Milliseconds until it is forgotten, 4 bytes.
        EXPIRATION = 5,
        /// Name of its helper, 16 bytes.
        HELPER = 6,
        /// Family, 1 byte.
        L3PROTOCOL = 7,
        /// Source address.
        SRC = 8,
        /// Destination address.
        DST = 9,
        /// Protocol, 1 byte.
        PROTOCOL = 10,
        /// Source port, 2 bytes, big-endian.
        PROTO_SRC = 11,
        /// Destination port, 2 bytes, big-endian.
        PROTO_DST = 12,
        /// Labels, 16 bytes.
        LABELS = 13,
        /// Packets, 8 bytes.
        PKTS = 14,
        /// Bytes, 8 bytes.
        BYTES = 15,
        /// Bytes per packet, 8 bytes.
        AVGPKT = 16,
        /// Zone, 2 bytes.
        ZONE = 17,
        /// Which of its events are told, 4 bytes.
        EVENTMASK = 18,
        /// Source address, IPv4.
        SRC_IP = 19,
        /// Destination address, IPv4.
        DST_IP = 20,
        /// Source address, IPv6.
        SRC_IP6 = 21,
        /// Destination address, IPv6.
        DST_IP6 = 22,
        /// Its number, 4 bytes, big-endian.
        ID = 23,
    }
}

// include/uapi/linux/netfilter/nf_conntrack_tuple_common.h
values! {
    /// Which way of a connection.
    pub CtDirection(u8), "IP_CT_DIR_" {
        /// That of its first packet.
        ORIGINAL = 0,
        /// The other.
        REPLY = 1,
    }
}

// include/uapi/linux/netfilter/nf_conntrack_common.h: bit 0, those of `NF_CT_STATE_BIT(IP_CT_*)`, and bit 6.
flags! {
    /// State of a connection, as a register holds it.
    pub CtState(u32), "NF_CT_STATE_" {
        /// The packet belongs to none.
        INVALID = 0x1,
        /// Packets went both ways.
        ESTABLISHED = 0x2,
        /// It belongs to another one.
        RELATED = 0x4,
        /// It is the first packet.
        NEW = 0x8,
        /// It is not tracked.
        UNTRACKED = 0x40,
    }
}

space! {
    /// `fib`: what the routing table says.
    pub Fib, "NFTA_FIB_" {
        /// Where to.
        DREG: Be<Register> = 1,
        /// What.
        RESULT: Be<FibResult> = 2,
        /// What it is asked with.
        FLAGS: Be<FibFlags> = 3,
    }
}

values! {
    /// What the routing table says.
    pub FibResult(u32), "NFT_FIB_RESULT_" {
        /// Nothing.
        UNSPEC = 0,
        /// Index of the interface, 4 bytes.
        OIF = 1,
        /// Name of the interface, 16 bytes.
        OIFNAME = 2,
        /// What kind of address it is (`RTN_*`), 4 bytes.
        ADDRTYPE = 3,
    }
}

flags! {
    /// What the routing table is asked with.
    pub FibFlags(u32), "NFTA_FIB_F_" {
        /// The source address.
        SADDR = 0x1,
        /// The destination address.
        DADDR = 0x2,
        /// The mark.
        MARK = 0x4,
        /// The interface it came from.
        IIF = 0x8,
        /// The interface it goes to.
        OIF = 0x10,
        /// Only whether there is a route.
        PRESENT = 0x20,
    }
}

space! {
    /// `osf`: what operating system made the packet, by fingerprints.
    pub Osf, "NFTA_OSF_" {
        /// Where to: a name, 16 bytes.
        DREG: Be<Register> = 1,
        /// How the hops are looked at: 0 as they should be, 1 less than at the beginning, 2 not.
        TTL: u8 = 2,
        /// How.
        FLAGS: Be<OsfFlags> = 3,
    }
}

flags! {
    /// How an operating system is told.
    pub OsfFlags(u32), "NFT_OSF_F_" {
        /// With its version.
        VERSION = 0x1,
    }
}

space! {
    /// `xfrm`: what IPsec did or will do (net/netfilter/nft_xfrm.c).
    pub Xfrm, "NFTA_XFRM_" {
        /// Where to.
        DREG: Be<Register> = 1,
        /// What.
        KEY: Be<XfrmKey> = 2,
        /// Which way: `XFRM_POLICY_IN`, 0, or `XFRM_POLICY_OUT`, 1.
        DIR: u8 = 3,
        /// Which of the states, the outermost is 0.
        SPNUM: Be32 = 4,
    }
}

values! {
    /// What a state of IPsec says.
    pub XfrmKey(u32), "NFT_XFRM_KEY_" {
        /// Nothing.
        UNSPEC = 0,
        /// Destination of the tunnel, IPv4.
        DADDR_IP4 = 1,
        /// Destination of the tunnel, IPv6.
        DADDR_IP6 = 2,
        /// Source of the tunnel, IPv4.
        SADDR_IP4 = 3,
        /// Source of the tunnel, IPv6.
        SADDR_IP6 = 4,
        /// Number that policies ask for, 4 bytes.
        REQID = 5,
        /// SPI, 4 bytes, big-endian.
        SPI = 6,
    }
}

space! {
    /// `tunnel`: what tunnels put on the packet, or will.
    pub Tunnel, "NFTA_TUNNEL_" {
        /// What.
        KEY: Be<TunnelSubject> = 1,
        /// Where to.
        DREG: Be<Register> = 2,
        /// Which way.
        MODE: Be<TunnelMode> = 3,
    }
}

values! {
    /// What is asked of a tunnel.
    pub TunnelSubject(u32), "NFT_TUNNEL_" {
        /// Whether there is one, 1 byte.
        PATH = 0,
        /// Its number, 4 bytes.
        ID = 1,
    }
}

values! {
    /// Which way through tunnels.
    pub TunnelMode(u32), "NFT_TUNNEL_MODE_" {
        /// Either.
        NONE = 0,
        /// Received.
        RX = 1,
        /// To be sent.
        TX = 2,
    }
}
