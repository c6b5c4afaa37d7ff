//! Connection tracking (include/uapi/linux/netfilter/nfnetlink_conntrack.h; net/netfilter/nf_conntrack_netlink.c).
//!
//! A connection is two tuples, of its packets and of the answers to them, and what is known of it. [`Cta`] are its
//! attributes, [`ConnectionView`] reads those that most programs want; [`Expectation`] and [`ExpectationView`] are the same
//! for connections that a helper expects. All numbers are big-endian but those of one byte and the flags of a [`Filter`].
//!
//! ```
//! use std::net::Ipv4Addr;
//!
//! use ringlink_codec::netfilter::conntrack::*;
//! use ringlink_codec::netfilter::{Family, NetfilterHeader};
//! use ringlink_codec::prelude::*;
//!
//! let tuple = |from: [u8; 4], to: [u8; 4], source, destination| Endpoints {
//!     source: Some(Ipv4Addr::from(from).into()),
//!     destination: Some(Ipv4Addr::from(to).into()),
//!     protocol: Some(Protocol::TCP),
//!     source_port: Some(source),
//!     destination_port: Some(destination),
//!     ..Endpoints::default()
//! };
//! let mut buffer = Buffer::<256>::new();
//! let bytes = buffer.message(Conntrack::NEW, NetfilterHeader::of(Family::IPV4), |connection| {
//!     connection.nest(Cta::TUPLE_ORIG, |there| tuple([192, 0, 2, 1], [192, 0, 2, 2], 40000, 443).write(there));
//!     connection.nest(Cta::TUPLE_REPLY, |back| tuple([192, 0, 2, 2], [192, 0, 2, 1], 443, 40000).write(back));
//!     connection.put(Cta::TIMEOUT, 60);
//!     connection.put(Cta::STATUS, Status::CONFIRMED | Status::ASSURED);
//! })?;
//!
//! let view = ConnectionView::read(Message::parse(bytes)?.body(Conntrack::NEW)?)?;
//! assert_eq!((view.original.source_port, view.reply.source_port, view.timeout), (Some(40000), Some(443), Some(60)));
//! assert!(view.status.is_some_and(|status| status.contains(Status::ASSURED)));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```
//!
//! # What is absent
//!
//! What the kernel has in `/proc/sys/net/netfilter`: whether it counts packets, keeps times, tells events.

mod expectation;
mod value;

mod view;

pub mod watched;

pub use expectation::*;
pub use value::*;
pub use view::{ConnectionView, Counts, Endpoints, ExpectationView, NatTarget, ProtocolView};

use core::net::{Ipv4Addr, Ipv6Addr};

use super::NetfilterHeader;
use crate::table::{Be, Be16, Be32, Be64, Bytes, Nest, Pad, Str};
use crate::{operations, space};

/// What tells of a connection.
pub type ConnectionMessage = (NetfilterHeader, Cta);
/// What tells of one processor's counters.
pub type CpuStatsMessage = (NetfilterHeader, CpuStats);
/// What tells how many connections there are.
pub type GlobalStatsMessage = (NetfilterHeader, GlobalStats);

operations! {
    /// Messages about connections.
    pub Conntrack, "IPCTNL_MSG_CT_", from 0x0100 {
        /// Make a connection or change it, or: this is one.
        NEW: new ConnectionMessage = 0,
        /// Tell of one connection, by one of its tuples, or of all; of all, those that [`Cta::FILTER`], [`Cta::MARK`],
        /// [`Cta::STATUS`] and [`Cta::ZONE`] choose.
        GET: get ConnectionMessage => NEW ConnectionMessage = 1,
        /// Delete a connection, by one of its tuples, or without one all that the filter chooses; or: this one is gone.
        DELETE: delete ConnectionMessage = 2,
        /// As `GET`, and count from 0 again.
        GET_CTRZERO: get ConnectionMessage => NEW ConnectionMessage = 3,
        /// Tell of each processor's counters; the processor is the header's `res_id`.
        GET_STATS_CPU: get CpuStatsMessage = 4,
        /// Tell how many connections there are.
        GET_STATS: get GlobalStatsMessage = 5,
        /// Tell of those whose end could not be told yet.
        GET_DYING: get ConnectionMessage => NEW ConnectionMessage = 6,
        /// Tell of those whose first packet has not left; empty since Linux 5.19.
        GET_UNCONFIRMED: get ConnectionMessage => NEW ConnectionMessage = 7,
    }
}

space! {
    /// Attributes of a connection.
    pub Cta, "CTA_" {
        /// Its packets.
        TUPLE_ORIG: Nest<Tuple> = 1,
        /// Answers to them.
        TUPLE_REPLY: Nest<Tuple> = 2,
        /// What is so of it. In a question for all: those with these bits.
        STATUS: Be<Status> = 3,
        /// What its protocol knows of it.
        PROTOINFO: Nest<ProtoInfo> = 4,
        /// Its helper.
        HELP: Nest<Help> = 5,
        /// Where its source is to be translated to; for making one.
        NAT_SRC: Nest<Nat> = 6,
        /// Seconds until it is forgotten.
        TIMEOUT: Be32 = 7,
        /// Its mark. In a question for all: those with this mark.
        MARK: Be32 = 8,
        /// What it has sent, where the kernel counts (`net.netfilter.nf_conntrack_acct`).
        COUNTERS_ORIG: Nest<Counters> = 9,
        /// What came back.
        COUNTERS_REPLY: Nest<Counters> = 10,
        /// How many in the kernel hold it.
        USE: Be32 = 11,
        /// A number that tells it from an earlier one with the same tuples.
        ID: Be32 = 12,
        /// Where its destination is to be translated to; for making one.
        NAT_DST: Nest<Nat> = 13,
        /// The connection that this one was expected by.
        TUPLE_MASTER: Nest<Tuple> = 14,
        /// How sequence numbers of its packets are changed.
        SEQ_ADJ_ORIG: Nest<SequenceAdjustment> = 15,
        /// How those of the answers are.
        SEQ_ADJ_REPLY: Nest<SequenceAdjustment> = 16,
        /// Security mark; not told any more, see `SECCTX`.
        SECMARK: Be32 = 17,
        /// The zone of both tuples.
        ZONE: Be16 = 18,
        /// Security label.
        SECCTX: Nest<SecurityContext> = 19,
        /// When it began and ended, where the kernel keeps that (`net.netfilter.nf_conntrack_timestamp`).
        TIMESTAMP: Nest<Timestamp> = 20,
        /// Which bits of the mark count.
        MARK_MASK: Be32 = 21,
        /// Its labels, as many bits as the rules use, up to 128.
        LABELS: Bytes = 22,
        /// Which labels are to be set; as long as they are.
        LABELS_MASK: Bytes = 23,
        /// What a SYN proxy knows of it.
        SYNPROXY: Nest<SynProxy> = 24,
        /// Which parts of the tuples choose; in questions for all, with a family in the header. Since Linux 5.8.
        FILTER: Nest<Filter> = 25,
        /// Which bits of the status count. Since Linux 5.15.
        STATUS_MASK: Be<Status> = 26,
        /// When this event happened, in nanoseconds since 1970. Since Linux 6.14.
        TIMESTAMP_EVENT: Be64 = 27,
    }
}

space! {
    /// What is the same in all packets of one direction.
    pub Tuple, "CTA_TUPLE_" {
        /// Addresses.
        IP: Nest<TupleIp> = 1,
        /// Protocol, and ports or what it has instead.
        PROTO: Nest<TupleProto> = 2,
        /// The zone of this direction alone.
        ZONE: Be16 = 3,
    }
}

space! {
    /// Addresses.
    pub TupleIp, "CTA_IP_" {
        /// Source, in IPv4.
        V4_SRC: Ipv4Addr = 1,
        /// Destination, in IPv4.
        V4_DST: Ipv4Addr = 2,
        /// Source, in IPv6.
        V6_SRC: Ipv6Addr = 3,
        /// Destination, in IPv6.
        V6_DST: Ipv6Addr = 4,
    }
}

space! {
    /// Protocol, and ports or what it has instead.
    pub TupleProto, "CTA_PROTO_" {
        /// The protocol.
        NUM: Protocol = 1,
        /// Source port; of GRE, the call's key.
        SRC_PORT: Be16 = 2,
        /// Destination port; of GRE, the call's key.
        DST_PORT: Be16 = 3,
        /// ICMP: identifier.
        ICMP_ID: Be16 = 4,
        /// ICMP: type.
        ICMP_TYPE: u8 = 5,
        /// ICMP: code.
        ICMP_CODE: u8 = 6,
        /// ICMPv6: identifier.
        ICMPV6_ID: Be16 = 7,
        /// ICMPv6: type.
        ICMPV6_TYPE: u8 = 8,
        /// ICMPv6: code.
        ICMPV6_CODE: u8 = 9,
    }
}

space! {
    /// What a protocol knows of a connection.
    pub ProtoInfo, "CTA_PROTOINFO_" {
        /// TCP.
        TCP: Nest<TcpInfo> = 1,
        /// DCCP; not in Linux 6.18.
        DCCP: Nest<DccpInfo> = 2,
        /// SCTP.
        SCTP: Nest<SctpInfo> = 3,
    }
}

space! {
    /// What TCP knows of a connection.
    pub TcpInfo, "CTA_PROTOINFO_TCP_" {
        /// Its state.
        STATE: TcpState = 1,
        /// By how many bits its windows are shifted, 0 to 14.
        WSCALE_ORIGINAL: u8 = 2,
        /// By how many those of the answers are.
        WSCALE_REPLY: u8 = 3,
        /// What was seen of its packets.
        FLAGS_ORIGINAL: TcpFlagsMask = 4,
        /// What was seen of the answers.
        FLAGS_REPLY: TcpFlagsMask = 5,
    }
}

space! {
    /// What DCCP knows of a connection.
    pub DccpInfo, "CTA_PROTOINFO_DCCP_" {
        /// Its state.
        STATE: DccpState = 1,
        /// Whether the side that began is client or server.
        ROLE: DccpRole = 2,
        /// Sequence number of the handshake.
        HANDSHAKE_SEQ: Be64 = 3,
        /// Aligns what follows.
        PAD: Pad = 4,
    }
}

space! {
    /// What SCTP knows of a connection.
    pub SctpInfo, "CTA_PROTOINFO_SCTP_" {
        /// Its state.
        STATE: SctpState = 1,
        /// Verification tag of its packets.
        VTAG_ORIGINAL: Be32 = 2,
        /// Verification tag of the answers.
        VTAG_REPLY: Be32 = 3,
    }
}

space! {
    /// What passed in one direction.
    pub Counters, "CTA_COUNTERS" {
        /// Packets.
        PACKETS as "_PACKETS": Be64 = 1,
        /// Their bytes, IP headers included.
        BYTES as "_BYTES": Be64 = 2,
        /// Packets, in 32 bits; not used.
        PACKETS_32 as "32_PACKETS": Be32 = 3,
        /// Bytes, in 32 bits; not used.
        BYTES_32 as "32_BYTES": Be32 = 4,
        /// Aligns what follows.
        PAD as "_PAD": Pad = 5,
    }
}

space! {
    /// When a connection began and ended.
    pub Timestamp, "CTA_TIMESTAMP_" {
        /// Beginning, in nanoseconds since 1970.
        START: Be64 = 1,
        /// End, in nanoseconds since 1970.
        STOP: Be64 = 2,
        /// Aligns what follows.
        PAD: Pad = 3,
    }
}

space! {
    /// What an address is translated to; for making a connection.
    pub Nat, "CTA_NAT_" {
        /// Lowest address, in IPv4.
        V4_MINIP: Ipv4Addr = 1,
        /// Highest address, in IPv4; the lowest where it is not said.
        V4_MAXIP: Ipv4Addr = 2,
        /// Ports.
        PROTO: Nest<NatPorts> = 3,
        /// Lowest address, in IPv6.
        V6_MINIP: Ipv6Addr = 4,
        /// Highest address, in IPv6; the lowest where it is not said.
        V6_MAXIP: Ipv6Addr = 5,
    }
}

space! {
    /// What a port is translated to.
    pub NatPorts, "CTA_PROTONAT_" {
        /// Lowest port.
        PORT_MIN: Be16 = 1,
        /// Highest port; the lowest where it is not said.
        PORT_MAX: Be16 = 2,
    }
}

space! {
    /// How sequence numbers are changed.
    pub SequenceAdjustment, "CTA_SEQADJ_" {
        /// Sequence number of the last change.
        CORRECTION_POS: Be32 = 1,
        /// What is added before it; signed.
        OFFSET_BEFORE: Be32 = 2,
        /// What is added behind it; signed.
        OFFSET_AFTER: Be32 = 3,
    }
}

space! {
    /// [`SequenceAdjustment`] by the names it had as a part of address translation.
    pub NatSequence, "CTA_NAT_SEQ_" {
        /// Sequence number of the last change.
        CORRECTION_POS: Be32 = 1,
        /// What is added before it; signed.
        OFFSET_BEFORE: Be32 = 2,
        /// What is added behind it; signed.
        OFFSET_AFTER: Be32 = 3,
    }
}

space! {
    /// What a SYN proxy knows of a connection.
    pub SynProxy, "CTA_SYNPROXY_" {
        /// Initial sequence number.
        ISN: Be32 = 1,
        /// Initial time stamp.
        ITS: Be32 = 2,
        /// What is added to time stamps.
        TSOFF: Be32 = 3,
    }
}

space! {
    /// A connection's helper.
    pub Help, "CTA_HELP_" {
        /// Its name (`ftp`).
        NAME: Str = 1,
        /// What it keeps for the connection; its own format.
        INFO: Bytes = 2,
    }
}

space! {
    /// Security label.
    pub SecurityContext, "CTA_SECCTX_" {
        /// The label as text.
        NAME: Str = 1,
    }
}

space! {
    /// Which parts of the tuples choose, in questions for all.
    pub Filter, "CTA_FILTER_" {
        /// Of [`Cta::TUPLE_ORIG`].
        ORIG_FLAGS: FilterFlags = 1,
        /// Of [`Cta::TUPLE_REPLY`].
        REPLY_FLAGS: FilterFlags = 2,
    }
}

space! {
    /// One processor's counters, since the namespace was made.
    pub CpuStats, "CTA_STATS_" {
        /// Searches; not told any more.
        SEARCHED: Be32 = 1,
        /// Packets of connections that were there.
        FOUND: Be32 = 2,
        /// Packets of connections that were not; not told any more.
        NEW: Be32 = 3,
        /// Packets that could not be tracked.
        INVALID: Be32 = 4,
        /// Packets that were tracked already; not told any more.
        IGNORE: Be32 = 5,
        /// Connections removed; not told any more.
        DELETE: Be32 = 6,
        /// Connections put on the list of the dying; not told any more.
        DELETE_LIST: Be32 = 7,
        /// Connections inserted.
        INSERT: Be32 = 8,
        /// Connections that could not be inserted.
        INSERT_FAILED: Be32 = 9,
        /// Packets dropped because a connection could not be made or inserted.
        DROP: Be32 = 10,
        /// Connections dropped to make room for others.
        EARLY_DROP: Be32 = 11,
        /// Packets whose protocol had an error.
        ERROR: Be32 = 12,
        /// Searches begun anew because the table had changed.
        SEARCH_RESTART: Be32 = 13,
        /// Clashes of two equal connections that were resolved.
        CLASH_RESOLVE: Be32 = 14,
        /// Insertions given up because the chain was too long.
        CHAIN_TOOLONG: Be32 = 15,
    }
}

space! {
    /// How many connections there are.
    pub GlobalStats, "CTA_STATS_GLOBAL_" {
        /// Connections of this namespace.
        ENTRIES: Be32 = 1,
        /// How many there may be (`net.netfilter.nf_conntrack_max`). Since Linux 4.18.
        MAX_ENTRIES: Be32 = 2,
    }
}
