//! Numbers with names.

use crate::{flags, record, values};

// include/uapi/linux/in.h
values! {
    /// Protocols that connections are tracked of; others are known by their addresses alone.
    pub Protocol(u8), "IPPROTO_" {
        /// ICMP.
        ICMP = 1,
        /// Groups of multicast.
        IGMP = 2,
        /// TCP.
        TCP = 6,
        /// UDP.
        UDP = 17,
        /// DCCP; not tracked by Linux 6.18.
        DCCP = 33,
        /// GRE.
        GRE = 47,
        /// IPsec: ciphered.
        ESP = 50,
        /// IPsec: authenticated.
        AH = 51,
        /// ICMPv6.
        ICMPV6 = 58,
        /// SCTP.
        SCTP = 132,
        /// UDP-Lite.
        UDPLITE = 136,
    }
}

// include/uapi/linux/netfilter/nf_conntrack_common.h
flags! {
    /// What is so of a connection.
    pub Status(u32), "IPS_" {
        /// It was expected.
        EXPECTED = 0x1,
        /// Packets went both ways.
        SEEN_REPLY = 0x2,
        /// It is not dropped early to make room.
        ASSURED = 0x4,
        /// Its first packet has left.
        CONFIRMED = 0x8,
        /// Its source is translated.
        SRC_NAT = 0x10,
        /// Its destination is translated.
        DST_NAT = 0x20,
        /// Its sequence numbers are changed.
        SEQ_ADJUST = 0x40,
        /// Translation of its source is decided.
        SRC_NAT_DONE = 0x80,
        /// Translation of its destination is decided.
        DST_NAT_DONE = 0x100,
        /// It is being removed.
        DYING = 0x200,
        /// Packets do not put off its end.
        FIXED_TIMEOUT = 0x400,
        /// It is a template for others.
        TEMPLATE = 0x800,
        /// It stands for packets that are not tracked; not used. In the kernel, of two that clashed (`IPS_NAT_CLASH`).
        UNTRACKED = 0x1000,
        /// A helper was given to it explicitly.
        HELPER = 0x2000,
        /// A flow table forwards its packets.
        OFFLOAD = 0x4000,
        /// Hardware forwards its packets.
        HW_OFFLOAD = 0x8000,
    }
}

// include/uapi/linux/netfilter/nf_conntrack_tuple_common.h
values! {
    /// A direction.
    pub Direction(u32), "IP_CT_DIR_" {
        /// That of the first packet.
        ORIGINAL = 0,
        /// The other.
        REPLY = 1,
    }
}

// include/uapi/linux/netfilter/nf_conntrack_tcp.h
values! {
    /// States of TCP.
    pub TcpState(u8), "TCP_CONNTRACK_" {
        /// None yet.
        NONE = 0,
        /// A SYN was seen.
        SYN_SENT = 1,
        /// SYN and ACK came back.
        SYN_RECV = 2,
        /// It is established.
        ESTABLISHED = 3,
        /// A FIN was seen.
        FIN_WAIT = 4,
        /// That was acknowledged.
        CLOSE_WAIT = 5,
        /// A FIN from the other side, too.
        LAST_ACK = 6,
        /// That was acknowledged, too.
        TIME_WAIT = 7,
        /// A reset was seen.
        CLOSE = 8,
        /// SYNs from both sides; in old kernels LISTEN.
        SYN_SENT2 = 9,
    }
}

// include/uapi/linux/netfilter/nf_conntrack_tcp.h
flags! {
    /// What was seen of TCP's packets in one direction.
    pub TcpFlags(u8), "IP_CT_" {
        /// The sender scales its windows.
        WINDOW_SCALE as "TCP_FLAG_WINDOW_SCALE" = 0x1,
        /// The sender takes selective acknowledgements.
        SACK_PERM as "TCP_FLAG_SACK_PERM" = 0x2,
        /// The sender sent the first FIN.
        CLOSE_INIT as "TCP_FLAG_CLOSE_INIT" = 0x4,
        /// Windows are not checked strictly.
        BE_LIBERAL as "TCP_FLAG_BE_LIBERAL" = 0x8,
        /// Data waits for acknowledgement.
        DATA_UNACKNOWLEDGED as "TCP_FLAG_DATA_UNACKNOWLEDGED" = 0x10,
        /// The highest acknowledgement is known.
        MAXACK_SET as "TCP_FLAG_MAXACK_SET" = 0x20,
        /// A challenge by RFC 5961 may come.
        EXP_CHALLENGE_ACK = 0x40,
        /// Both sides opened it.
        TCP_SIMULTANEOUS_OPEN = 0x80,
    }
}

record! {
    /// Flags, and which of them count (`struct nf_ct_tcp_flags`, include/uapi/linux/netfilter/nf_conntrack_tcp.h).
    pub TcpFlagsMask, "nf_ct_tcp_flags", "" {
        /// The flags.
        flags: TcpFlags,
        /// Which of them count; in answers all or none.
        mask: TcpFlags,
    }
}

// include/linux/netfilter/nf_conntrack_dccp.h, of kernels that track DCCP
values! {
    /// States of DCCP.
    pub DccpState(u8), "CT_DCCP_" {
        /// None yet.
        NONE = 0,
        /// A request was seen.
        REQUEST = 1,
        /// A response came back.
        RESPOND = 2,
        /// That was acknowledged.
        PARTOPEN = 3,
        /// Data was seen.
        OPEN = 4,
        /// The server wants to close.
        CLOSEREQ = 5,
        /// A close was seen.
        CLOSING = 6,
        /// It is closed.
        TIMEWAIT = 7,
    }
}

// include/linux/netfilter/nf_conntrack_dccp.h, of kernels that track DCCP
values! {
    /// Sides of DCCP.
    pub DccpRole(u8), "CT_DCCP_ROLE_" {
        /// The one that asks.
        CLIENT = 0,
        /// The one that answers.
        SERVER = 1,
    }
}

// include/uapi/linux/netfilter/nf_conntrack_sctp.h
values! {
    /// States of SCTP.
    pub SctpState(u8), "SCTP_CONNTRACK_" {
        /// None yet.
        NONE = 0,
        /// It is closed.
        CLOSED = 1,
        /// INIT was seen.
        COOKIE_WAIT = 2,
        /// A cookie went back.
        COOKIE_ECHOED = 3,
        /// It is established.
        ESTABLISHED = 4,
        /// SHUTDOWN was seen.
        SHUTDOWN_SENT = 5,
        /// SHUTDOWN was seen from the other side.
        SHUTDOWN_RECD = 6,
        /// That was acknowledged.
        SHUTDOWN_ACK_SENT = 7,
        /// A heartbeat on another path.
        HEARTBEAT_SENT = 8,
        /// That was acknowledged; not used any more.
        HEARTBEAT_ACKED = 9,
    }
}

// net/netfilter/nf_internals.h
flags! {
    /// Parts of a tuple that choose. The kernel refuses a flag whose part is not there.
    pub FilterFlags(u32), "CTA_FILTER_F_CTA_" {
        /// Source address. Of IPv6, kernels up to 6.18 at least tell all but the connections that have it.
        IP_SRC = 0x1,
        /// Destination address; of IPv6, as `IP_SRC`.
        IP_DST = 0x2,
        /// Zone of the tuple.
        TUPLE_ZONE = 0x4,
        /// Protocol.
        PROTO_NUM = 0x8,
        /// Source port.
        PROTO_SRC_PORT = 0x10,
        /// Destination port.
        PROTO_DST_PORT = 0x20,
        /// ICMP: type.
        PROTO_ICMP_TYPE = 0x40,
        /// ICMP: code.
        PROTO_ICMP_CODE = 0x80,
        /// ICMP: identifier.
        PROTO_ICMP_ID = 0x100,
        /// ICMPv6: type.
        PROTO_ICMPV6_TYPE = 0x200,
        /// ICMPv6: code.
        PROTO_ICMPV6_CODE = 0x400,
        /// ICMPv6: identifier.
        PROTO_ICMPV6_ID = 0x800,
    }
}
