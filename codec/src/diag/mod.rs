//! Sockets of this machine, as the kernel tells of them (`NETLINK_SOCK_DIAG`, sock_diag(7)): what `ss` asks.
//!
//! Every request and every answer is of type [`SOCK_DIAG_BY_FAMILY`](InetDiag::SOCK_DIAG_BY_FAMILY); the first byte of its
//! header is the address family, which says what the rest is. A request goes out with `NLM_F_REQUEST`, an answer comes
//! without. There is a module of tables for each family, and a [filter] language for TCP, UDP and their kin that the
//! kernel runs.
//!
//! ```
//! use ringlink_codec::diag::{InetDiag, InetRequestHeader, IpProtocol, SocketStates};
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::protocol::SOCK_DIAG;
//! use ringlink_codec::route::Family;
//!
//! // Which TCP sockets listen?
//! let mut buffer = Buffer::<128>::new();
//! let header = InetRequestHeader {
//!     sdiag_family: Family::INET,
//!     sdiag_protocol: IpProtocol::TCP,
//!     states: SocketStates::LISTEN,
//!     ..Default::default()
//! };
//! let bytes = buffer.message(InetDiag::SOCK_DIAG_BY_FAMILY.with(Flags::DUMP), header, |_| {})?;
//! assert_eq!(bytes.len(), 72);
//! assert!(Message::parse(bytes)?.tree(&SOCK_DIAG).to_string().starts_with("SOCK_DIAG_BY_FAMILY (20) flags REQUEST|DUMP"));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```
//!
//! # What is absent
//!
//! The answers about TIPC sockets, which have no header and so no family: they are those of TIPC's generic family. Which
//! process has a socket: `/proc` says that.

pub mod bytecode;
pub mod filter;

mod inet;
mod mptcp;
mod netlink;
mod packet;
mod smc;
mod tcp;
mod unix;
mod vsock;
mod xdp;

pub use inet::{
    BpfStorage, BpfStorageReply, BpfStorageRequest, InetAnswer, InetDiag, InetExtensions, InetHeader, InetMemory,
    InetMessage, InetOldRequestHeader, InetRequest, InetRequestHeader, InetRequestMessage, InetSocket, InetSocketId,
    InetSocketOptions, InetSocketOptionsFirst, InetSocketOptionsSecond, IpProtocol, MPTCP_PROTOCOL, SocketTimer,
    SocketView, TlsCipher, TlsConfiguration, TlsInfo, UlpInfo,
};
pub use mptcp::{MptcpFlags, MptcpInfo};
pub use netlink::{
    NetlinkAnswer, NetlinkDiag, NetlinkDiagFlags, NetlinkHeader, NetlinkMessage, NetlinkRequestHeader, NetlinkRing,
    NetlinkShow, NetlinkSocket, NetlinkSocketView,
};
pub use packet::{
    BpfInstruction, PacketAnswer, PacketDiag, PacketHeader, PacketInfo, PacketInfoFlags, PacketMembership,
    PacketMessage, PacketRequestHeader, PacketRing, PacketShow, PacketSocket, PacketSocketView,
};
pub use smc::{
    SmcAnswer, SmcConnection, SmcCursor, SmcDiag, SmcDmb, SmcFallback, SmcHeader, SmcLink, SmcLinkGroup, SmcMode,
    SmcRequestHeader, SmcSocket,
};
pub use tcp::{BbrInfo, DctcpInfo, TcpCongestionState, TcpInfo, TcpMd5Key, TcpMd5Secret, TcpOptions, VegasInfo};
pub use unix::{
    UnixAnswer, UnixDiag, UnixFile, UnixHeader, UnixMessage, UnixQueues, UnixRequestHeader, UnixShow, UnixSocket,
    UnixSocketView,
};
pub use vsock::{TipcAnswer, TipcDiag, TipcRequestHeader, VsockAnswer, VsockDiag, VsockHeader, VsockRequestHeader};
pub use xdp::{
    XdpAnswer, XdpDiag, XdpHeader, XdpInfo, XdpMessage, XdpRequestHeader, XdpRing, XdpShow, XdpSocket, XdpStatistics,
    XdpUmem, XdpUmemFlags,
};

use crate::protocol::AddressFamily;
use crate::{flags, record, space, values};

/// All address families whose sockets the kernel tells of, by number.
pub const FAMILIES: &[AddressFamily] = &[
    AddressFamily { number: 1, requests: UnixDiag::OPERATIONS, answers: UnixAnswer::OPERATIONS },
    AddressFamily { number: 2, requests: InetDiag::OPERATIONS, answers: InetAnswer::OPERATIONS },
    AddressFamily { number: 10, requests: InetDiag::OPERATIONS, answers: InetAnswer::OPERATIONS },
    AddressFamily { number: 16, requests: NetlinkDiag::OPERATIONS, answers: NetlinkAnswer::OPERATIONS },
    AddressFamily { number: 17, requests: PacketDiag::OPERATIONS, answers: PacketAnswer::OPERATIONS },
    AddressFamily { number: 30, requests: TipcDiag::OPERATIONS, answers: TipcAnswer::OPERATIONS },
    AddressFamily { number: 40, requests: VsockDiag::OPERATIONS, answers: VsockAnswer::OPERATIONS },
    AddressFamily { number: 43, requests: SmcDiag::OPERATIONS, answers: SmcAnswer::OPERATIONS },
    AddressFamily { number: 44, requests: XdpDiag::OPERATIONS, answers: XdpAnswer::OPERATIONS },
];

/// A socket's cookie in requests that mean any socket (`INET_DIAG_NOCOOKIE`, include/uapi/linux/inet_diag.h).
pub const NO_COOKIE: [u32; 2] = [u32::MAX; 2];

// include/net/tcp_states.h; other families than TCP use them, too
values! {
    /// What a socket is doing.
    pub SocketState(u8), "TCP_" {
        /// Connected.
        ESTABLISHED = 1,
        /// Asked for a connection.
        SYN_SENT = 2,
        /// Was asked for a connection.
        SYN_RECV = 3,
        /// Closed here, the peer has not confirmed it.
        FIN_WAIT1 = 4,
        /// Closed here, the peer has confirmed it.
        FIN_WAIT2 = 5,
        /// Closed on both sides; waits for stray packets.
        TIME_WAIT = 6,
        /// Not connected.
        CLOSE = 7,
        /// Closed by the peer.
        CLOSE_WAIT = 8,
        /// Closed by the peer, then here; the peer has not confirmed it.
        LAST_ACK = 9,
        /// Waits for connections.
        LISTEN = 10,
        /// Closed on both sides at once.
        CLOSING = 11,
        /// Was asked for a connection, and no socket is made yet.
        NEW_SYN_RECV = 12,
        /// Bound to a port and nothing else; only in requests.
        BOUND_INACTIVE = 13,
    }
}

// include/net/tcp_states.h
flags! {
    /// Sockets of which states.
    pub SocketStates(u32), "TCPF_" {
        /// Connected.
        ESTABLISHED = 0x2,
        /// Asked for a connection.
        SYN_SENT = 0x4,
        /// Was asked for a connection.
        SYN_RECV = 0x8,
        /// Closed here, the peer has not confirmed it.
        FIN_WAIT1 = 0x10,
        /// Closed here, the peer has confirmed it.
        FIN_WAIT2 = 0x20,
        /// Closed on both sides.
        TIME_WAIT = 0x40,
        /// Not connected.
        CLOSE = 0x80,
        /// Closed by the peer.
        CLOSE_WAIT = 0x100,
        /// Closed by the peer, then here.
        LAST_ACK = 0x200,
        /// Waits for connections.
        LISTEN = 0x400,
        /// Closed on both sides at once.
        CLOSING = 0x800,
        /// Was asked for a connection, and no socket is made yet.
        NEW_SYN_RECV = 0x1000,
        /// Bound to a port and nothing else.
        BOUND_INACTIVE = 0x2000,
    }
}

impl SocketStates {
    /// Every state that a socket can be told to be in.
    pub const ALL: Self = Self(0xffe);

    /// Sockets that are in one of these states.
    #[must_use]
    pub fn has(self, state: SocketState) -> bool {
        self.0.checked_shr(u32::from(state.0)).is_some_and(|rest| rest & 1 == 1)
    }
}

// include/net/sock.h
flags! {
    /// Directions in which a socket is closed.
    pub SocketShutdown(u8), "SHUTDOWN_" {
        /// It receives nothing any more.
        RCV as "RCV" = 0x1,
        /// It sends nothing any more.
        SEND as "SEND" = 0x2,
    }
}

// include/net/sock.h, include/linux/net.h
values! {
    /// Types of sockets.
    pub SocketType(u8), "SOCK_" {
        /// A stream of bytes.
        STREAM = 1,
        /// Datagrams.
        DGRAM = 2,
        /// The protocol below.
        RAW = 3,
        /// Datagrams that are not lost.
        RDM = 4,
        /// Datagrams, in order and not lost.
        SEQPACKET = 5,
        /// The forerunner of packet sockets.
        PACKET = 10,
    }
}

record! {
    /// A socket's memory, in bytes (`SK_MEMINFO_*`, include/uapi/linux/sock_diag.h; an array in C).
    pub SocketMemory, "", "" {
        /// Received and not yet read.
        rmem_alloc: u32,
        /// At most that much.
        rcvbuf: u32,
        /// On its way out, in devices' hands.
        wmem_alloc: u32,
        /// At most that much.
        sndbuf: u32,
        /// Set aside for what comes next.
        fwd_alloc: u32,
        /// Queued to be sent.
        wmem_queued: u32,
        /// For options and ancillary data.
        optmem: u32,
        /// Received while the socket was locked.
        backlog: u32,
        /// Packets dropped, in packets.
        drops: u32,
    }
}

space! {
    /// Families whose answers have no attributes.
    pub NoAttributes, "" {}
}

/// A socket's cookie as one number.
#[must_use]
pub const fn cookie_number([low, high]: [u32; 2]) -> u64 {
    let ([a, b, c, d], [e, f, g, h]) = (low.to_le_bytes(), high.to_le_bytes());
    u64::from_le_bytes([a, b, c, d, e, f, g, h])
}
