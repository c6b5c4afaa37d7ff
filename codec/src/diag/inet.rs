//! Sockets of TCP, UDP, UDP-Lite, MPTCP, DCCP, SCTP and raw ones, over IPv4 and IPv6.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{
    BbrInfo, DctcpInfo, MptcpInfo, SocketMemory, SocketShutdown, SocketState, SocketStates, TcpInfo, TcpMd5Key,
    VegasInfo,
};
use crate::generic::mptcp_pm::Subflow;
use crate::route::Family;
use crate::table::{Be16, Body, Bytes, Flag, Key, Many, Nest, Operation, Packed, Pad, Str, Text};
use crate::wire::Error;
use crate::{flags, operations, record, space, values};

// include/uapi/linux/sock_diag.h, include/uapi/linux/inet_diag.h
operations! {
    /// What TCP, UDP and their kin are asked.
    pub InetDiag, "" {
        /// TCP sockets, in the form before Linux 3.3.
        TCPDIAG_GETSOCK: get (InetOldRequestHeader, InetRequest) => OLD_ANSWER (InetHeader, InetSocket) = 18,
        /// DCCP sockets, in the form before Linux 3.3.
        DCCPDIAG_GETSOCK: get (InetOldRequestHeader, InetRequest) => OLD_DCCP_ANSWER (InetHeader, InetSocket) = 19,
        /// Sockets of a protocol: all, or the one whose addresses, ports and cookie these are.
        SOCK_DIAG_BY_FAMILY: get (InetRequestHeader, InetRequest) => ANSWER (InetHeader, InetSocket) = 20,
        /// Close this socket (`CONFIG_INET_DIAG_DESTROY`): who waits for it is told `ECONNABORTED`.
        SOCK_DESTROY: act (InetRequestHeader, InetRequest) = 21,
    }
}

impl InetDiag {
    const ANSWER: Operation<InetMessage> = InetAnswer::SOCK_DIAG_BY_FAMILY;
    const OLD_ANSWER: Operation<InetMessage> = InetAnswer::TCPDIAG_GETSOCK;
    const OLD_DCCP_ANSWER: Operation<InetMessage> = InetAnswer::DCCPDIAG_GETSOCK;
}

// include/uapi/linux/sock_diag.h, include/uapi/linux/inet_diag.h
operations! {
    /// What is told of TCP, UDP and their kin. Answers have the type of the question.
    pub InetAnswer, "" {
        /// A TCP socket, asked for in the old form.
        TCPDIAG_GETSOCK: new (InetHeader, InetSocket) = 18,
        /// A DCCP socket, asked for in the old form.
        DCCPDIAG_GETSOCK: new (InetHeader, InetSocket) = 19,
        /// A socket; to the groups of [`SocketGroup`](crate::multicast::SocketGroup): one that was closed.
        SOCK_DIAG_BY_FAMILY: new (InetHeader, InetSocket) = 20,
    }
}

/// Header and attributes of a request.
pub type InetRequestMessage = (InetRequestHeader, InetRequest);
/// Header and attributes of an answer.
pub type InetMessage = (InetHeader, InetSocket);

/// The protocol number of MPTCP (`IPPROTO_MPTCP`), which is wider than [`IpProtocol`]: it goes in
/// [`InetRequest::PROTOCOL`].
pub const MPTCP_PROTOCOL: u32 = 262;

// include/uapi/linux/in.h
values! {
    /// Protocols that have sockets to tell of.
    pub IpProtocol(u8), "IPPROTO_" {
        /// For MPTCP, whose number is in an attribute; for raw sockets, any.
        IP = 0,
        /// ICMP.
        ICMP = 1,
        /// TCP.
        TCP = 6,
        /// UDP.
        UDP = 17,
        /// DCCP.
        DCCP = 33,
        /// ICMPv6.
        ICMPV6 = 58,
        /// SCTP.
        SCTP = 132,
        /// UDP-Lite.
        UDPLITE = 136,
        /// Raw sockets of any protocol.
        RAW = 255,
    }
}

record! {
    /// A socket's addresses and ports (`struct inet_diag_sockid`, include/uapi/linux/inet_diag.h).
    pub InetSocketId, "inet_diag_sockid", "idiag_" {
        /// Own port.
        sport: Be16,
        /// The peer's port.
        dport: Be16,
        /// Own address; IPv4 has the first four bytes.
        src: [u8; 16],
        /// The peer's address.
        dst: [u8; 16],
        /// Interface that it is bound to (`idiag_if` in C).
        if_: u32,
        /// The socket's cookie; [`NO_COOKIE`](super::NO_COOKIE) for any.
        cookie: [u32; 2],
    }
}

impl InetSocketId {
    /// Own address and port.
    #[must_use]
    pub fn local(self, family: Family) -> SocketAddr {
        SocketAddr::new(ip(self.src, family), self.sport.get())
    }

    /// The peer's address and port.
    #[must_use]
    pub fn peer(self, family: Family) -> SocketAddr {
        SocketAddr::new(ip(self.dst, family), self.dport.get())
    }
}

fn ip(octets: [u8; 16], family: Family) -> IpAddr {
    match (family, octets.first_chunk::<4>()) {
        (Family::INET, Some(octets)) => IpAddr::V4(Ipv4Addr::from(*octets)),
        _ => IpAddr::V6(Ipv6Addr::from(octets)),
    }
}

record! {
    /// What a request begins with (`struct inet_diag_req_v2`, include/uapi/linux/inet_diag.h).
    pub InetRequestHeader, "inet_diag_req_v2", "idiag_" {
        /// `INET` or `INET6`.
        sdiag_family: Family,
        /// The protocol.
        sdiag_protocol: IpProtocol,
        /// What is to be told beyond the header.
        ext: InetExtensions,
        /// For raw sockets: those of this protocol (`sdiag_raw_protocol`).
        pad: u8,
        /// In a dump: sockets of these states.
        states: SocketStates,
        /// Of one socket: which; in a dump without a filter: these ports, if they are not zero.
        id: InetSocketId,
    }
}

record! {
    /// What a request in the form before Linux 3.3 begins with (`struct inet_diag_req`, include/uapi/linux/inet_diag.h).
    pub InetOldRequestHeader, "inet_diag_req", "idiag_" {
        /// `INET` or `INET6`.
        family: Family,
        /// Not looked at.
        src_len: u8,
        /// Not looked at.
        dst_len: u8,
        /// What is to be told beyond the header.
        ext: InetExtensions,
        /// Of one socket: which.
        id: InetSocketId,
        /// In a dump: sockets of these states.
        states: SocketStates,
        /// Not looked at.
        dbs: u32,
    }
}

// include/uapi/linux/inet_diag.h: a bit for each of the first eight attributes; the names are this library's.
flags! {
    /// What is to be told of a socket beyond the header.
    pub InetExtensions(u8), "INET_DIAG_EXT_" {
        /// Memory, in the old form.
        MEMINFO = 0x1,
        /// The protocol's state: `tcp_info`, `mptcp_info`, `sctp_info`.
        INFO = 0x2,
        /// State of the congestion control: Vegas, DCTCP or BBR.
        VEGASINFO = 0x4,
        /// Name of the congestion control.
        CONG = 0x8,
        /// IPv4's type of service.
        TOS = 0x10,
        /// IPv6's traffic class, and the network class.
        TCLASS = 0x20,
        /// Memory.
        SKMEMINFO = 0x40,
        /// Which directions are closed.
        SHUTDOWN = 0x80,
    }
}

space! {
    /// What a request may say more (include/uapi/linux/inet_diag.h).
    pub InetRequest, "INET_DIAG_REQ_" {
        /// Only sockets that this program lets pass: see [`bytecode`](super::bytecode).
        BYTECODE: Bytes = 1,
        /// What BPF programs keep with the sockets.
        SK_BPF_STORAGES: Nest<BpfStorageRequest> = 2,
        /// The protocol, where its number has more than eight bits.
        PROTOCOL: u32 = 3,
    }
}

space! {
    /// Which of the storages that BPF programs keep with sockets (include/uapi/linux/sock_diag.h). None is all.
    pub BpfStorageRequest, "SK_DIAG_BPF_STORAGE_REQ_" {
        /// Descriptor of the map.
        MAP_FD: Many<u32> = 1,
    }
}

space! {
    /// What BPF programs keep with a socket (include/uapi/linux/sock_diag.h).
    pub BpfStorageReply, "SK_DIAG_" {
        /// One map's.
        BPF_STORAGE: Many<Nest<BpfStorage>> = 1,
    }
}

space! {
    /// What one map keeps with a socket (include/uapi/linux/sock_diag.h).
    pub BpfStorage, "SK_DIAG_BPF_STORAGE_" {
        /// Nothing.
        PAD: Pad = 1,
        /// The map's number.
        MAP_ID: u32 = 2,
        /// The value.
        MAP_VALUE: Bytes = 3,
    }
}

record! {
    /// What an answer begins with (`struct inet_diag_msg`, include/uapi/linux/inet_diag.h).
    pub InetHeader, "inet_diag_msg", "idiag_" {
        /// `INET` or `INET6`.
        family: Family,
        /// State.
        state: SocketState,
        /// Which timer runs.
        timer: SocketTimer,
        /// How often was sent again; of a timer that only counts, its count.
        retrans: u8,
        /// Addresses, ports, interface, cookie.
        id: InetSocketId,
        /// When the timer runs out, in milliseconds from now.
        expires: u32,
        /// Bytes received and not yet read; of one that listens, connections that wait.
        rqueue: u32,
        /// Bytes sent and not confirmed; of one that listens, how many connections may wait.
        wqueue: u32,
        /// The user whose it is.
        uid: u32,
        /// Its inode, 0 where no process has it.
        inode: u32,
    }
}

// net/ipv4/inet_diag.c; the names are this library's.
values! {
    /// Timers of a TCP socket.
    pub SocketTimer(u8), "INET_DIAG_TIMER_" {
        /// None runs.
        OFF = 0,
        /// Sends again.
        ON = 1,
        /// Asks whether the peer is there; or ends a connection that was closed.
        KEEPALIVE = 2,
        /// Ends the wait for stray packets.
        TIMEWAIT = 3,
        /// Asks whether the peer's window has opened.
        PERSIST = 4,
        /// Sends again where packets may have come out of order.
        REORDER = 5,
    }
}

space! {
    /// What is told of a socket (include/uapi/linux/inet_diag.h; net/ipv4/inet_diag.c, tcp_diag.c).
    pub InetSocket, "INET_DIAG_" {
        /// Memory, in the old form.
        MEMINFO: InetMemory = 1,
        /// TCP's and DCCP's state. MPTCP's sockets have [`MPTCP_INFO`](Self::MPTCP_INFO) here, SCTP's `sctp_info`.
        INFO: TcpInfo = 2,
        /// State of Vegas and its kin.
        VEGASINFO: VegasInfo = 3,
        /// Name of the congestion control.
        CONG: Str = 4,
        /// IPv4's type of service.
        TOS: u8 = 5,
        /// IPv6's traffic class.
        TCLASS: u8 = 6,
        /// Memory.
        SKMEMINFO: SocketMemory = 7,
        /// Which directions are closed.
        SHUTDOWN: SocketShutdown = 8,
        /// State of DCTCP.
        DCTCPINFO: DctcpInfo = 9,
        /// Protocol of a raw socket.
        PROTOCOL: IpProtocol = 10,
        /// Whether an IPv6 socket is for IPv6 only.
        SKV6ONLY: u8 = 11,
        /// SCTP's own addresses: each the bytes of a [`SocketAddress`](crate::table::SocketAddress).
        LOCALS: Packed<[u8; 128]> = 12,
        /// SCTP's addresses of the peer.
        PEERS: Packed<[u8; 128]> = 13,
        /// Nothing.
        PAD: Pad = 14,
        /// Mark of its packets; told to those with `CAP_NET_ADMIN`.
        MARK: u32 = 15,
        /// State of BBR.
        BBRINFO: BbrInfo = 16,
        /// The network class of its control group, or the socket's priority.
        CLASS_ID: u32 = 17,
        /// Keys of RFC 2385 signatures; told to those with `CAP_NET_ADMIN`.
        MD5SIG: Packed<TcpMd5Key> = 18,
        /// What stands between the protocol and the process: TLS, MPTCP.
        ULP_INFO: Nest<UlpInfo> = 19,
        /// What BPF programs keep with it.
        SK_BPF_STORAGES: Nest<BpfStorageReply> = 20,
        /// Inode of its control group.
        CGROUP_ID: u64 = 21,
        /// Options that are on or off.
        SOCKOPT: InetSocketOptions = 22,
    }
}

impl InetSocket {
    /// MPTCP's state, which stands where TCP's does.
    pub const MPTCP_INFO: Key<Self, MptcpInfo> = Key::new(Self::INFO.number());
    /// SCTP's state (`struct sctp_info`, include/uapi/linux/sctp.h), which stands where TCP's does.
    pub const SCTP_INFO: Key<Self, Bytes> = Key::new(Self::INFO.number());
}

record! {
    /// A socket's memory, in the old form, in bytes (`struct inet_diag_meminfo`, include/uapi/linux/inet_diag.h).
    pub InetMemory, "inet_diag_meminfo", "idiag_" {
        /// Received and not yet read.
        rmem: u32,
        /// Queued to be sent.
        wmem: u32,
        /// Set aside for what comes next.
        fmem: u32,
        /// On its way out.
        tmem: u32,
    }
}

record! {
    /// Options that are on or off (`struct inet_diag_sockopt`, include/uapi/linux/inet_diag.h). In C they are bit fields.
    pub InetSocketOptions, "inet_diag_sockopt", "" {
        /// The first eight.
        first: InetSocketOptionsFirst,
        /// The rest.
        second: InetSocketOptionsSecond,
    }
}

// include/uapi/linux/inet_diag.h. Bit fields begin at the other end on big-endian machines.
flags! {
    /// Options of a socket. The bits are where little-endian machines have them.
    pub InetSocketOptionsFirst(u8), "INET_DIAG_SOCKOPT_" {
        /// `IP_RECVERR`.
        RECVERR as "recverr" = 0x1,
        /// The socket is of a protocol with connections.
        IS_ICSK as "is_icsk" = 0x2,
        /// `IP_FREEBIND`.
        FREEBIND as "freebind" = 0x4,
        /// `IP_HDRINCL`.
        HDRINCL as "hdrincl" = 0x8,
        /// `IP_MULTICAST_LOOP`.
        MC_LOOP as "mc_loop" = 0x10,
        /// `IP_TRANSPARENT`.
        TRANSPARENT as "transparent" = 0x20,
        /// `IP_MULTICAST_ALL`.
        MC_ALL as "mc_all" = 0x40,
        /// `IP_NODEFRAG`.
        NODEFRAG as "nodefrag" = 0x80,
    }
}

// include/uapi/linux/inet_diag.h
flags! {
    /// More options of a socket. The bits are where little-endian machines have them.
    pub InetSocketOptionsSecond(u8), "INET_DIAG_SOCKOPT_" {
        /// `IP_BIND_ADDRESS_NO_PORT`.
        BIND_ADDRESS_NO_PORT as "bind_address_no_port" = 0x1,
        /// `IP_RECVERR_RFC4884`.
        RECVERR_RFC4884 as "recverr_rfc4884" = 0x2,
        /// The connection is made with the first data (`TCP_FASTOPEN_CONNECT`).
        DEFER_CONNECT as "defer_connect" = 0x4,
    }
}

space! {
    /// What stands between the protocol and the process (include/uapi/linux/inet_diag.h).
    pub UlpInfo, "INET_ULP_INFO_" {
        /// Its name: `tls`, `mptcp`, `espintcp`, `smc`.
        NAME: Str = 1,
        /// TLS.
        TLS: Nest<TlsInfo> = 2,
        /// The MPTCP connection of which this is a subflow.
        MPTCP: Nest<Subflow> = 3,
    }
}

space! {
    /// TLS in the kernel (include/uapi/linux/tls.h).
    pub TlsInfo, "TLS_INFO_" {
        /// Version: 0x0303 for 1.2, 0x0304 for 1.3.
        VERSION: u16 = 1,
        /// Cipher.
        CIPHER: TlsCipher = 2,
        /// Who encrypts.
        TXCONF: TlsConfiguration = 3,
        /// Who decrypts.
        RXCONF: TlsConfiguration = 4,
        /// Files are sent to the device without a copy.
        ZC_RO_TX: Flag = 5,
        /// The peer does not pad.
        RX_NO_PAD: Flag = 6,
        /// Bytes that a record carries at most.
        TX_MAX_PAYLOAD_LEN: u16 = 7,
    }
}

// include/uapi/linux/tls.h
values! {
    /// Ciphers of TLS in the kernel.
    pub TlsCipher(u16), "TLS_CIPHER_" {
        AES_GCM_128 = 51,
        AES_GCM_256 = 52,
        AES_CCM_128 = 53,
        CHACHA20_POLY1305 = 54,
        SM4_GCM = 55,
        SM4_CCM = 56,
        ARIA_GCM_128 = 57,
        ARIA_GCM_256 = 58,
    }
}

// include/uapi/linux/tls.h
values! {
    /// Who encrypts or decrypts.
    pub TlsConfiguration(u16), "TLS_CONF_" {
        /// Nobody in the kernel.
        BASE = 1,
        /// The kernel.
        SW = 2,
        /// The device.
        HW = 3,
        /// The device, which has the whole connection.
        HW_RECORD = 4,
    }
}

/// What most programs want to know of a socket, borrowed from its message.
///
/// ```
/// use ringlink_codec::diag::{InetAnswer, InetHeader, InetSocket, InetSocketId, SocketState, SocketView};
/// use ringlink_codec::prelude::*;
/// use ringlink_codec::route::Family;
///
/// let mut buffer = Buffer::<128>::new();
/// let id = InetSocketId { sport: 22.into(), src: [127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0], ..Default::default() };
/// let header = InetHeader { family: Family::INET, state: SocketState::LISTEN, id, ..Default::default() };
/// let bytes =
///     buffer.message(InetAnswer::SOCK_DIAG_BY_FAMILY, header, |socket| socket.put(InetSocket::CONG, "cubic"))?;
///
/// let view = SocketView::read(Message::parse(bytes)?.body(InetAnswer::SOCK_DIAG_BY_FAMILY)?)?;
/// assert_eq!(view.header.id.local(view.header.family).to_string(), "127.0.0.1:22");
/// assert_eq!(view.congestion, Some(Text::new("cubic")));
/// # Ok::<(), ringlink_codec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SocketView<'a> {
    /// Family, state, timer, addresses, queues, user, inode.
    pub header: InetHeader,
    /// Memory.
    pub memory: Option<SocketMemory>,
    /// Name of the congestion control.
    pub congestion: Option<Text<'a>>,
    /// IPv4's type of service.
    pub tos: Option<u8>,
    /// IPv6's traffic class.
    pub traffic_class: Option<u8>,
    /// The network class of its control group, or the socket's priority.
    pub class: Option<u32>,
    /// Which directions are closed.
    pub shutdown: Option<SocketShutdown>,
    /// Protocol of a raw socket.
    pub protocol: Option<IpProtocol>,
    /// Whether it is for IPv6 only.
    pub v6only: Option<bool>,
    /// Mark of its packets.
    pub mark: Option<u32>,
    /// Inode of its control group.
    pub cgroup: Option<u64>,
    /// Options that are on or off.
    pub options: Option<InetSocketOptions>,
}

impl<'a> SocketView<'a> {
    /// Reads the attributes in one pass.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, or one of those above has the wrong length.
    #[inline]
    pub fn read(body: Body<'a, InetMessage>) -> Result<Self, Error> {
        let (memory, congestion, tos, traffic_class, class, shutdown, protocol, v6only, mark, cgroup, options) =
            body.attributes.read((
                InetSocket::SKMEMINFO,
                InetSocket::CONG,
                InetSocket::TOS,
                InetSocket::TCLASS,
                InetSocket::CLASS_ID,
                InetSocket::SHUTDOWN,
                InetSocket::PROTOCOL,
                InetSocket::SKV6ONLY,
                InetSocket::MARK,
                InetSocket::CGROUP_ID,
                InetSocket::SOCKOPT,
            ))?;
        Ok(Self {
            header: body.header,
            memory,
            congestion,
            tos,
            traffic_class,
            class,
            shutdown,
            protocol,
            v6only: v6only.map(|only| only != 0),
            mark,
            cgroup,
            options,
        })
    }
}
