//! Sockets of this machine: all of a kind, chosen by the kernel, and the end of one.
//!
//! These are requests over a [`Connection`] of [`Protocol::SOCK_DIAG`](crate::Protocol::SOCK_DIAG); what is told is in
//! [`codec::diag`](crate::codec::diag). The kernel does not say where a dump is not consistent: sockets that come and go meanwhile may be in it or
//! not. Kinds that it was built without are refused with [`Error::is_not_found`].
//!
//! ```
//! use ringlink::codec::diag::{IpProtocol, SocketStates, SocketView};
//! use ringlink::codec::route::Family;
//! use ringlink::sockets::{InetQuery, inet};
//! use ringlink::{Connection, Protocol};
//!
//! let mut connection = Connection::open(Protocol::SOCK_DIAG)?;
//! let query = InetQuery { states: SocketStates::LISTEN, ..InetQuery::new(Family::INET, IpProtocol::TCP) };
//! let mut sockets = inet(&mut connection, &query)?;
//! while let Some(socket) = sockets.next()? {
//!     let socket = SocketView::read(socket)?;
//!     println!("{} user {}", socket.header.id.local(socket.header.family), socket.header.uid);
//! }
//! # Ok::<(), ringlink::Error>(())
//! ```

use ringlink_codec::diag::{
    InetDiag, InetExtensions, InetHeader, InetMessage, InetRequest, InetRequestHeader, IpProtocol, MPTCP_PROTOCOL,
    NO_COOKIE, NetlinkDiag, NetlinkMessage, NetlinkRequestHeader, NetlinkShow, PacketDiag, PacketMessage,
    PacketRequestHeader, PacketShow, SocketStates, UnixDiag, UnixMessage, UnixRequestHeader, UnixShow, XdpDiag,
    XdpMessage, XdpRequestHeader, XdpShow,
};
use ringlink_codec::route::Family;

use crate::connection::{Connection, Dump};
use crate::error::Error;

/// Which sockets of TCP, UDP and their kin, and what of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InetQuery<'f> {
    /// `INET` or `INET6`.
    pub family: Family,
    /// The protocol's number, which for MPTCP has more than eight bits.
    pub protocol: u32,
    /// Sockets of these states. Default: all.
    pub states: SocketStates,
    /// What is to be told beyond the header. Default: nothing.
    pub extensions: InetExtensions,
    /// A program that [`compile`](crate::codec::diag::filter::compile) made; empty for all sockets.
    pub filter: &'f [u8],
}

impl InetQuery<'_> {
    /// All sockets of a protocol.
    pub const fn new(family: Family, protocol: IpProtocol) -> Self {
        Self {
            family,
            protocol: protocol.0 as u32,
            states: SocketStates::ALL,
            extensions: InetExtensions(0),
            filter: &[],
        }
    }

    /// All sockets of MPTCP.
    pub const fn mptcp(family: Family) -> Self {
        Self { protocol: MPTCP_PROTOCOL, ..Self::new(family, IpProtocol::IP) }
    }
}

/// Sockets of TCP, UDP and their kin.
///
/// # Errors
///
/// As [`Connection::dump`].
pub fn inet<'c>(connection: &'c mut Connection, query: &InetQuery<'_>) -> Result<Dump<'c, InetMessage>, Error> {
    let narrow = u8::try_from(query.protocol);
    let header = InetRequestHeader {
        sdiag_family: query.family,
        sdiag_protocol: IpProtocol(narrow.unwrap_or(0)),
        ext: query.extensions,
        states: query.states,
        ..InetRequestHeader::default()
    };
    connection.dump(InetDiag::SOCK_DIAG_BY_FAMILY, header, |ask| {
        if narrow.is_err() {
            ask.put(InetRequest::PROTOCOL, query.protocol);
        }
        if !query.filter.is_empty() {
            ask.put(InetRequest::BYTECODE, query.filter);
        }
    })
}

/// Closes a socket that was told of, as if its process had been told that the connection was lost.
///
/// The socket is found by its addresses and its cookie, so that none is closed that came after it.
///
/// # Errors
///
/// [`Error::Refused`]: [`is_not_found`](Error::is_not_found) where it is gone already,
/// [`is_unsupported`](Error::is_unsupported) where the kernel does not close sockets of that protocol or state, or was built
/// without `CONFIG_INET_DIAG_DESTROY`, [`is_permission`](Error::is_permission) without `CAP_NET_ADMIN`.
pub fn destroy(connection: &mut Connection, protocol: u32, socket: &InetHeader) -> Result<(), Error> {
    let narrow = u8::try_from(protocol);
    let header = InetRequestHeader {
        sdiag_family: socket.family,
        sdiag_protocol: IpProtocol(narrow.unwrap_or(0)),
        id: socket.id,
        ..InetRequestHeader::default()
    };
    let done = connection.apply(InetDiag::SOCK_DESTROY, header, |ask| {
        if narrow.is_err() {
            ask.put(InetRequest::PROTOCOL, protocol);
        }
    });
    done.map(drop)
}

/// Sockets of AF_UNIX of some states.
///
/// # Errors
///
/// As [`Connection::dump`].
pub fn unix(connection: &mut Connection, states: SocketStates, show: UnixShow) -> Result<Dump<'_, UnixMessage>, Error> {
    let header =
        UnixRequestHeader { sdiag_family: Family::UNIX, states, show, cookie: NO_COOKIE, ..Default::default() };
    connection.dump(UnixDiag::SOCK_DIAG_BY_FAMILY, header, |_| {})
}

/// Sockets of netlink, of all its protocols.
///
/// # Errors
///
/// As [`Connection::dump`].
pub fn netlink(connection: &mut Connection, show: NetlinkShow) -> Result<Dump<'_, NetlinkMessage>, Error> {
    let header = NetlinkRequestHeader {
        sdiag_family: Family::NETLINK,
        sdiag_protocol: NetlinkRequestHeader::ALL_PROTOCOLS,
        show,
        ..Default::default()
    };
    connection.dump(NetlinkDiag::SOCK_DIAG_BY_FAMILY, header, |_| {})
}

/// Packet sockets.
///
/// # Errors
///
/// As [`Connection::dump`].
pub fn packet(connection: &mut Connection, show: PacketShow) -> Result<Dump<'_, PacketMessage>, Error> {
    let header = PacketRequestHeader { sdiag_family: Family::PACKET, show, ..Default::default() };
    connection.dump(PacketDiag::SOCK_DIAG_BY_FAMILY, header, |_| {})
}

/// Sockets of AF_XDP.
///
/// # Errors
///
/// As [`Connection::dump`].
pub fn xdp(connection: &mut Connection, show: XdpShow) -> Result<Dump<'_, XdpMessage>, Error> {
    let header = XdpRequestHeader { sdiag_family: Family::XDP, show, ..Default::default() };
    connection.dump(XdpDiag::SOCK_DIAG_BY_FAMILY, header, |_| {})
}
