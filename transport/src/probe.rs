//! What this kernel has, and what this process may: found by asking, never by versions.
//!
//! Each question is harmless and short, has a deadline, and changes nothing. None waits for the kernel's configuration
//! lock (RTNL). What may not be asked is an error of permission and not an absence. Opening a protocol's socket, and asking for a
//! part of netfilter or a kind of socket, has kernels with loadable modules load what they lack, as the first use would.
//!
//! ```
//! use ringlink::probe;
//! use ringlink::{Config, Protocol};
//!
//! for (protocol, opened) in probe::protocols(&Config::default()) {
//!     if let Err(error) = opened {
//!         println!("{protocol}: {error}");
//!     }
//! }
//! let ring = probe::ring();
//! println!("io_uring: {:?}, single issuer: {}", ring.usable, ring.single_issuer);
//! # let _ = Protocol::ROUTE;
//! ```
//!
//! What is absent: words for people (the program's `doctor` has them), and what cannot be asked without changing something, such
//! as which kinds of interfaces or queueing disciplines there are.

use std::time::Duration;

use ringlink_codec::diag::{FAMILIES as SOCKETS, InetDiag, IpProtocol, MPTCP_PROTOCOL, SocketStates};
use ringlink_codec::generic::GenericHeader;
use ringlink_codec::netfilter::conntrack::{Conntrack, Expect};
use ringlink_codec::netfilter::ipset::{self, IpSet, Set};
use ringlink_codec::netfilter::log::Log;
use ringlink_codec::netfilter::nftables::Nft;
use ringlink_codec::netfilter::queue::Queue;
use ringlink_codec::netfilter::{Family as Hooks, NetfilterHeader, Subsystem, Transaction};
use ringlink_codec::route::Family;
use ringlink_codec::table::{AttributeWriter, Operation};
use ringlink_codec::wire::{Flags, MessageHeader, MessageType};

use crate::connection::{Config, Connection};
use crate::engine::ring::RingConfig;
use crate::engine::{Deadline, EngineChoice, Sizes};
use crate::error::Error;
use crate::socket::{Protocol, Socket, SocketOption, SocketOptions};
use crate::sockets::{self, InetQuery};
use crate::uring;

/// How long each question may take.
const PATIENCE: Duration = Duration::from_millis(100);

/// The greatest number of a protocol, [`Protocol::SMC`].
const LAST: u8 = 22;

/// Whether a socket of each protocol can be opened, by number: [`Error::NoProtocol`] where this kernel has none, and for a
/// number that never had one. The configuration's socket and its namespace count.
pub fn protocols(config: &Config) -> Vec<(Protocol, Result<(), Error>)> {
    let options = SocketOptions { namespace: config.socket.namespace.clone(), ..SocketOptions::default() };
    (0..=LAST).map(Protocol).map(|protocol| (protocol, Socket::open(protocol, &options).map(drop))).collect()
}

/// Whether each part of netfilter answers; `None` for those that nothing harmless can be asked. Without `CAP_NET_ADMIN` in
/// the namespace they say so, there or not.
pub fn netfilter(config: &Config) -> Vec<(Subsystem, Option<Result<(), Error>>)> {
    type Fill<'f> = &'f dyn Fn(&mut AttributeWriter<'_, '_, Transaction>);
    let ask = |subsystem: Subsystem, kind: MessageType, dump, header, fill: Fill<'_>| {
        (subsystem, Some(subsystem_answers(config, kind, dump, header, fill)))
    };
    // The first question of parts without tables here: `NFNL_MSG_ACCT_GET`, `IPCTNL_MSG_TIMEOUT_GET`,
    // `NFNL_MSG_CTHELPER_GET`; of hooks it has the number 0 (`NFNL_MSG_HOOK_GET`).
    let get = |subsystem: Subsystem| MessageType(u16::from(subsystem.0) << 8 | 1);
    let hooks = MessageType(u16::from(Subsystem::HOOK.0) << 8);
    let none: Fill<'_> = &|_| {};
    // The protocol's oldest version, which is the first attribute of each message.
    let version: Fill<'_> = &|to| to.put_raw(Set::PROTOCOL.number(), &[ipset::VERSION_MIN]);
    // The number of a hook (`NFNLA_HOOK_HOOKNUM`), without which the question is refused.
    let number: Fill<'_> = &|to| to.put_raw(1, &[0; 4]);
    let header = NetfilterHeader::default();
    let first = NetfilterHeader::of(Hooks::IPV4);
    // Settings of the last queue and group, with nothing to be set.
    let last = header.numbered(u16::MAX);
    [
        ask(Subsystem::CTNETLINK, Conntrack::GET_STATS.kind, false, header, none),
        ask(Subsystem::CTNETLINK_EXP, Expect::GET_STATS_CPU.kind, true, header, none),
        ask(Subsystem::QUEUE, Queue::CONFIG.kind, false, last, none),
        ask(Subsystem::ULOG, Log::CONFIG.kind, false, last, none),
        (Subsystem::OSF, None),
        ask(Subsystem::IPSET, IpSet::PROTOCOL.kind, false, header, version),
        ask(Subsystem::ACCT, get(Subsystem::ACCT), true, header, none),
        ask(Subsystem::CTNETLINK_TIMEOUT, get(Subsystem::CTNETLINK_TIMEOUT), true, header, none),
        ask(Subsystem::CTHELPER, get(Subsystem::CTHELPER), true, header, none),
        ask(Subsystem::NFTABLES, Nft::GETGEN.kind, false, header, none),
        (Subsystem::NFT_COMPAT, None),
        ask(Subsystem::HOOK, hooks, true, first, number),
    ]
    .into()
}

/// A part that is not there, and a message that a part does not know, are both `EINVAL`: what is asked is known to all
/// kernels that have the part.
fn subsystem_answers(
    config: &Config,
    kind: MessageType,
    dump: bool,
    header: NetfilterHeader,
    fill: &dyn Fn(&mut AttributeWriter<'_, '_, Transaction>),
) -> Result<(), Error> {
    let operation = Operation::<(NetfilterHeader, Transaction)>::new(kind.0, kind.0);
    // One connection each: what a dump has left is thrown away with it.
    let mut connection = open(Protocol::NETFILTER, config)?;
    let asked = match dump {
        true => connection.dump(operation, header, |to| fill(to)).and_then(|mut dump| dump.next().map(drop)),
        false => connection.apply(operation, header, |to| fill(to)).map(drop),
    };
    match asked {
        Err(error) if error.is_permission() || error.errno() == Some(libc::EINVAL) => Err(error),
        // It says no, so it is there: there is no such queue, another process has it, the version is too old.
        Err(Error::Refused(_)) => Ok(()),
        other => other,
    }
}

/// Sockets that sock_diag is asked about, in [`sockets()`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketKind {
    /// An address family: all of its sockets, or for IPv4 and IPv6 what tells of theirs.
    Family(u8),
    /// A protocol over IPv4; MPTCP's number has more than eight bits.
    Inet(u32),
}

/// Whether the kernel tells of the sockets of each family with tables here, and of each protocol of IPv4's:
/// [`Error::is_not_found`] where it does not.
pub fn sockets(config: &Config) -> Vec<(SocketKind, Result<(), Error>)> {
    let families =
        SOCKETS.iter().map(|family| (SocketKind::Family(family.number), family_answers(config, family.number)));
    let protocols =
        [IpProtocol::TCP, IpProtocol::UDP, IpProtocol::UDPLITE, IpProtocol::RAW, IpProtocol::SCTP, IpProtocol::DCCP];
    let protocols = protocols.map(|protocol| u32::from(protocol.0)).into_iter().chain([MPTCP_PROTOCOL]);
    families.chain(protocols.map(|protocol| (SocketKind::Inet(protocol), protocol_answers(config, protocol)))).collect()
}

/// A question that is too short: whoever there is refuses it, where nobody is that is `ENOENT`.
fn family_answers(config: &Config, family: u8) -> Result<(), Error> {
    // Of every question's header the first byte is the family. No other is so short.
    let kind = InetDiag::SOCK_DIAG_BY_FAMILY.kind.0;
    let operation = Operation::<(GenericHeader, Transaction)>::new(kind, kind);
    let header = GenericHeader { cmd: family, ..GenericHeader::default() };
    match open(Protocol::SOCK_DIAG, config)?.apply(operation, header, |_| {}) {
        Err(error) if error.is_not_found() || error.is_permission() => Err(error),
        Err(Error::Refused(_)) => Ok(()),
        other => other.map(drop),
    }
}

/// Sockets in no state at all, of which there are none.
fn protocol_answers(config: &Config, protocol: u32) -> Result<(), Error> {
    let mut connection = open(Protocol::SOCK_DIAG, config)?;
    let plain = InetQuery { states: SocketStates(0), ..InetQuery::new(Family::INET, IpProtocol::IP) };
    sockets::inet(&mut connection, &InetQuery { protocol, ..plain })?.next().map(drop)
}

/// Which options a socket has: those that this kernel took.
///
/// # Errors
///
/// As [`Socket::open`].
pub fn options(config: &Config) -> Result<Vec<(SocketOption, bool)>, Error> {
    let socket = Socket::open(Protocol::ROUTE, &config.socket)?;
    let wanted = [
        SocketOption::ExtAck,
        SocketOption::CapAck,
        SocketOption::StrictCheck,
        SocketOption::NoEnobufs,
        SocketOption::ListenAllNsid,
        SocketOption::PacketInfo,
        SocketOption::BroadcastError,
    ];
    // What needs a right is known where it is refused for want of it.
    let takes = |option| socket.set(option, true).unwrap_or_else(|error| error.is_permission());
    Ok(wanted.map(|option| (option, takes(option))).into())
}

/// What a socket's buffer for what it receives may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReceiveBuffer {
    /// Bytes it has without being asked, in the kernel's accounting (`net.core.rmem_default`).
    pub default: usize,
    /// Bytes that it was asked for.
    pub asked: usize,
    /// Bytes that it got then: twice what was asked, or what `net.core.rmem_max` allows to those without `CAP_NET_ADMIN`.
    pub given: usize,
}

/// What becomes of a wish for a large buffer.
///
/// # Errors
///
/// As [`Socket::open`] and [`Socket::set_receive_buffer`].
pub fn receive_buffer(config: &Config, asked: usize) -> Result<ReceiveBuffer, Error> {
    let options = SocketOptions { receive_buffer: None, ..config.socket.clone() };
    let socket = Socket::open(Protocol::ROUTE, &options)?;
    let default = socket.receive_buffer()?;
    Ok(ReceiveBuffer { default, asked, given: socket.set_receive_buffer(asked)? })
}

/// What io_uring there is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RingSupport {
    /// Whether all that this library needs is there, and the first part that is not: [`Error::NoRing`]. Where memory or
    /// descriptors ran out, [`Error::System`].
    pub usable: Result<(), Error>,
    /// Whether a receive that was armed once was still armed after a datagram (`IORING_CQE_F_MORE`): kernels before 6.0 refuse
    /// it or, some, receive once only. `None` where it did not come to that.
    pub multishot: Option<bool>,
    /// `IORING_SETUP_COOP_TASKRUN`, Linux 5.19: used by engines.
    pub cooperative: bool,
    /// `IORING_SETUP_SINGLE_ISSUER`, 6.0: used by fleets.
    pub single_issuer: bool,
    /// `IORING_SETUP_DEFER_TASKRUN`, 6.1: used by fleets.
    pub deferred: bool,
}

/// What io_uring there is, found by setting one up and receiving with it.
pub fn ring() -> RingSupport {
    let [cooperative, single_issuer, deferred] = uring::ways();
    let tried = try_ring();
    RingSupport {
        multishot: tried.as_ref().ok().copied(),
        usable: tried.map(drop),
        cooperative,
        single_issuer,
        deferred,
    }
}

/// Receives one answer with a ring, and says whether the receive went on after it.
fn try_ring() -> Result<bool, Error> {
    let socket = Socket::open(Protocol::ROUTE, &SocketOptions::default())?;
    socket.connect_to_kernel()?;
    let engine =
        crate::engine::open_with(EngineChoice::Ring, Sizes { ring: RingConfig::tiny(), ..Sizes::default() }, socket)?;
    // `NLMSG_NOOP`, which is acknowledged and nothing else.
    let flags = Flags::REQUEST | Flags::ACK;
    let noop = MessageHeader { length: 16, kind: MessageType::NOOP, flags, sequence: 1, port: 0 };
    drop(engine.exchange(&noop.to_bytes(), Deadline::after(PATIENCE))?);
    Ok(engine.counters().rearms == 0)
}

fn open(protocol: Protocol, config: &Config) -> Result<Connection, Error> {
    let socket = SocketOptions { receive_buffer: None, ..config.socket.clone() };
    Connection::with(protocol, Config { socket, deadline: Some(PATIENCE), ..Config::tiny() })
}
