//! How bytes move: one contract, three engines, one that replays what others did, one that plays a kernel, and one
//! that does badly on purpose.
//!
//! An [`Engine`] owns a [`Socket`] and moves whole datagrams over it. It never looks inside them. [`syscall`] does it
//! with `send(2)` and `recv(2)`, [`ring`] with one io_uring, and [`auto`] starts with the first and changes to the second
//! when a dump turns out to be long; [`record`](mod@record) writes down what an engine does, and does it again without a
//! kernel; with [`mock`] a closure is the kernel; [`faults`] stands before another one, for tests of what happens when things
//! go wrong. All of them yield the same [`Datagram`] and the same errors; if a program can tell
//! them apart other than by [`Engine::kind`] and [`Engine::counters`], that is a bug.
//!
//! An engine is `Send` and not `Sync`: it may move to another thread, and one thread at a time uses it. After
//! construction it allocates nothing. It does not match answers to requests, does not refuse senders (it says who sent
//! each datagram; on a socket connected to the kernel that can only be the kernel), and does not retry: that is done in the
//! floor above.
//!
//! ```
//! use ringlink::engine::{self, Deadline, EngineChoice};
//! use ringlink::socket::{Protocol, Socket, SocketOptions};
//! use std::time::Duration;
//!
//! let socket = Socket::open(Protocol::ROUTE, &SocketOptions::default())?;
//! socket.connect_to_kernel()?;
//! let engine = engine::open(EngineChoice::Auto, socket)?;
//!
//! // A NLMSG_NOOP that asks for an acknowledgement: 16 bytes there, 36 bytes back.
//! let mut request = [0u8; 16];
//! request[0..4].copy_from_slice(&16u32.to_ne_bytes()); // length
//! request[4..6].copy_from_slice(&1u16.to_ne_bytes()); // NLMSG_NOOP
//! request[6..8].copy_from_slice(&5u16.to_ne_bytes()); // NLM_F_REQUEST | NLM_F_ACK
//! let answer = engine.exchange(&request, Deadline::after(Duration::from_secs(5)))?;
//! assert_eq!((answer.len(), answer.sender()), (36, 0));
//! # Ok::<(), ringlink::error::Error>(())
//! ```

use std::fmt;
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::socket::Socket;
use crate::sys::Lease;

pub mod syscall;

pub mod ring;

pub mod auto;

pub mod record;

pub mod mock;

pub mod faults;

/// Opens the engine asked for, with its default configuration, on a socket.
///
/// [`EngineChoice::Ring`] fails where io_uring is missing or forbidden ([`Error::NoRing`]); the other two do not need it.
pub fn open(choice: EngineChoice, socket: Socket) -> Result<Box<dyn Engine>, Error> {
    open_with(choice, Sizes::default(), socket)
}

/// As [`open`], with sizes of the caller's choice.
pub fn open_with(choice: EngineChoice, sizes: Sizes, socket: Socket) -> Result<Box<dyn Engine>, Error> {
    Ok(match choice {
        EngineChoice::Auto => Box::new(auto::Auto::new(socket, sizes)?),
        EngineChoice::Ring => Box::new(ring::Ring::new(socket, sizes.ring)?),
        EngineChoice::Syscall => Box::new(syscall::Syscall::new(socket, sizes.syscall)?),
    })
}

/// The engine for datagrams that come without end: of the two, [`EngineChoice::Auto`] takes the ring where there is one to be
/// had.
pub(crate) fn prefer_ring(
    choice: EngineChoice,
    ring: impl FnOnce() -> Result<ring::Ring, Error>,
    syscall: impl FnOnce() -> Result<syscall::Syscall, Error>,
) -> Result<Box<dyn Engine>, Error> {
    match choice {
        EngineChoice::Ring => Ok(Box::new(ring()?)),
        EngineChoice::Syscall => Ok(Box::new(syscall()?)),
        EngineChoice::Auto => match ring() {
            // A limit on memory or descriptors that a ring runs into may leave enough for a socket.
            Err(error) if error.is_shortage() || matches!(error, Error::NoRing { .. }) => Ok(Box::new(syscall()?)),
            ring => Ok(Box::new(ring?)),
        },
    }
}

/// How much an engine may take: of these, the part that belongs to the engine chosen counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// The plain system calls' sizes.
    pub syscall: syscall::SyscallConfig,
    /// The ring's sizes.
    pub ring: ring::RingConfig,
    /// When [`EngineChoice::Auto`] makes its ring: with a dump of more datagrams than this; 0 makes it with the second datagram
    /// of any answer. Default: 64, which is 2 MiB, or 40,000 routes: from there on the ring's setup is lost in the noise.
    pub threshold: u32,
}

impl Default for Sizes {
    fn default() -> Sizes {
        Sizes { syscall: syscall::SyscallConfig::default(), ring: ring::RingConfig::default(), threshold: 64 }
    }
}

impl Sizes {
    /// For constrained agents: one slot of 32 KiB for system calls, four for a ring.
    pub const fn tiny() -> Sizes {
        Sizes { syscall: syscall::SyscallConfig::tiny(), ring: ring::RingConfig::tiny(), threshold: u32::MAX }
    }
}

/// Moves datagrams between one socket and its caller.
///
/// All methods take `&self`, so that datagrams may be held while more are received; an engine is not `Sync`, so no two
/// calls overlap.
///
/// # Deadlines abandon, they do not cancel
///
/// A deadline bounds how long a call waits for a datagram. It cannot stop a kernel that is already at work: a request
/// is carried out inside the send, a dump is filled inside the receive, and either may wait there for the kernel's
/// configuration lock (RTNL), which no flag, time limit or cancellation interrupts. A request whose deadline passed may
/// still take effect, and its answer may still come.
pub trait Engine: Send + fmt::Debug {
    /// The socket, for its options, its groups and its port id.
    fn socket(&self) -> &Socket;

    /// Sends one datagram, of one or many messages, to whom the socket is connected, which is the kernel mostly.
    ///
    /// Fails with `EMSGSIZE` when it is longer than the socket's send buffer less 32 bytes, and with whatever else
    /// `send(2)` says. Nothing is sent in part.
    fn send(&self, bytes: &[u8]) -> Result<(), Error>;

    /// Sends one datagram to a process or a group, for protocols between processes; the socket is not connected. It never
    /// waits: `EAGAIN` says that the receiver's queue has no room at present, `ECONNREFUSED` that nobody has that port id.
    /// That a group's member had no room, or that there is none, is no error: it learns of its loss itself.
    ///
    /// Engines without a socket of netlink's have nobody to send to.
    fn send_to(&self, bytes: &[u8], to: Destination) -> Result<(), Error> {
        syscall::send_to(self.socket(), bytes, to, || {})
    }

    /// Waits for the next datagram.
    ///
    /// A deadline that has passed already takes what is there and waits for nothing.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`], [`Error::Overrun`], [`Error::Truncated`], [`Error::Exhausted`] when the caller holds a
    /// datagram in every slot, and [`Error::System`]. After each of them the engine remains usable.
    fn receive(&self, deadline: Deadline) -> Result<Datagram<'_>, Error>;

    /// Sends one datagram and waits for the next one that arrives, in one system call where the engine can.
    ///
    /// The datagram returned is the next in the socket's queue: the answer, unless something else was queued before it.
    /// When the send fails nothing is received; when every slot is lent out nothing is sent.
    fn exchange(&self, bytes: &[u8], deadline: Deadline) -> Result<Datagram<'_>, Error>;

    /// From now on overwrites what a datagram held once it is given back, because it may hold keys: a slot's size for each.
    /// An engine that keeps no datagrams has nothing to do.
    fn wipe(&self) {}

    /// Becomes readable when a [`receive`](Engine::receive) that waits for nothing is worth while, for epoll(7), level- or
    /// edge-triggered, and poll(2). Ask for it before each wait: an engine may come to another one.
    fn descriptor(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }

    /// What moves the bytes at present.
    fn kind(&self) -> EngineKind;

    /// Which engine this is and why, for people: it prints as one line.
    fn reason(&self) -> Reason;

    /// What the engine has done so far.
    fn counters(&self) -> Counters;
}

/// Whom a datagram is for, in [`Engine::send_to`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// The socket with this port id.
    Port(u32),
    /// Those that joined this multicast group, 1 to 32: a process can tell no others.
    Group(u32),
}

/// What the caller asks for, in [`open`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum EngineChoice {
    /// System calls at first, a ring once a dump is long and if there is one to be had.
    #[default]
    Auto,
    /// io_uring, or an error.
    Ring,
    /// `send(2)` and `recv(2)`.
    Syscall,
}

/// What moves the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EngineKind {
    /// io_uring.
    Ring,
    /// `send(2)` and `recv(2)`.
    Syscall,
    /// Nothing: they come from a recording.
    Replay,
    /// Nothing: they come from a [`Mock`](mock::Mock).
    Mock,
}

impl fmt::Display for EngineKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            EngineKind::Ring => "ring",
            EngineKind::Syscall => "syscall",
            EngineKind::Replay => "replay",
            EngineKind::Mock => "mock",
        })
    }
}

/// Why an engine is what it is. Prints as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// The caller asked for this kind.
    Asked(EngineKind),
    /// System calls, because no dump has been long enough yet to pay for a ring.
    Short {
        /// A dump of more datagrams than this makes the ring.
        threshold: u32,
    },
    /// A ring, because a dump was long.
    Long {
        /// The number of datagrams that was exceeded.
        threshold: u32,
    },
    /// System calls for good, because no ring could be made.
    NoRing(Error),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reason::Asked(kind) => write!(f, "{kind}: asked for by the caller"),
            Reason::Short { threshold } => write!(f, "syscall: no dump has taken more than {threshold} datagrams yet"),
            Reason::Long { threshold } => write!(f, "ring: a dump took more than {threshold} datagrams"),
            Reason::NoRing(error) => write!(f, "syscall: {error}"),
        }
    }
}

/// What an engine has done since it was made. Every number wraps at its type's end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counters {
    /// System calls made for sending and receiving, reading the drop counter included; opening and closing are not.
    pub system_calls: u64,
    /// Datagrams received and handed out.
    pub datagrams: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How often the ring's receive ended and was armed again (0 for system calls).
    pub rearms: u64,
    /// How often the ring ran out of slots while nothing was lost (0 for system calls).
    pub starvations: u64,
    /// How often the socket overran: [`Error::Overrun`] was returned.
    pub overruns: u64,
}

impl Counters {
    /// The sums of both.
    #[must_use]
    pub fn plus(self, other: Counters) -> Counters {
        Counters {
            system_calls: self.system_calls.wrapping_add(other.system_calls),
            datagrams: self.datagrams.wrapping_add(other.datagrams),
            bytes: self.bytes.wrapping_add(other.bytes),
            rearms: self.rearms.wrapping_add(other.rearms),
            starvations: self.starvations.wrapping_add(other.starvations),
            overruns: self.overruns.wrapping_add(other.overruns),
        }
    }
}

/// The moment until which a call may wait, or never.
///
/// ```
/// use ringlink::engine::Deadline;
/// use std::time::Duration;
///
/// assert_eq!(Deadline::none().remaining(), None);
/// assert!(Deadline::after(Duration::ZERO).has_passed());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Deadline(Option<Instant>);

impl Deadline {
    /// Waits for ever.
    pub const fn none() -> Deadline {
        Deadline(None)
    }

    /// Waits until that moment.
    pub const fn at(moment: Instant) -> Deadline {
        Deadline(Some(moment))
    }

    /// Waits that long from now; for ever, when the clock cannot tell so late a moment.
    pub fn after(duration: Duration) -> Deadline {
        Deadline(Instant::now().checked_add(duration))
    }

    /// The moment, if there is one.
    pub const fn moment(&self) -> Option<Instant> {
        self.0
    }

    /// The time left, zero when the moment has passed, `None` when there is no end.
    pub fn remaining(&self) -> Option<Duration> {
        self.0.map(|moment| moment.saturating_duration_since(Instant::now()))
    }

    /// Whether the moment has passed.
    pub fn has_passed(&self) -> bool {
        self.remaining() == Some(Duration::ZERO)
    }
}

impl From<Instant> for Deadline {
    fn from(moment: Instant) -> Deadline {
        Deadline::at(moment)
    }
}

/// One whole datagram, borrowed from the engine; its slot is given back on drop, without a system call.
///
/// It dereferences to its bytes. It cannot leave the engine's thread or outlive the engine:
///
/// ```compile_fail,E0277
/// # fn f(engine: &dyn ringlink::engine::Engine) -> Result<(), ringlink::error::Error> {
/// let datagram = engine.receive(ringlink::engine::Deadline::none())?;
/// std::thread::scope(|scope| { scope.spawn(move || datagram.len()); }); // not Send
/// # Ok(()) }
/// ```
///
/// ```compile_fail,E0505
/// # fn f(engine: Box<dyn ringlink::engine::Engine>) -> Result<(), ringlink::error::Error> {
/// let datagram = engine.receive(ringlink::engine::Deadline::none())?;
/// drop(engine);
/// datagram.len();
/// # Ok(()) }
/// ```
#[must_use = "a datagram that is not looked at is lost"]
pub struct Datagram<'e> {
    lease: Lease<'e>,
    start: usize,
    end: usize,
    origin: Origin,
}

/// Where a datagram came from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) sender: u32,
    pub(crate) group: u32,
    pub(crate) namespace: Option<i32>,
    pub(crate) credentials: Option<Credentials>,
}

/// The process that sent a datagram, as the kernel vouches for it (`struct ucred`, unix(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Process id; 0 for the kernel.
    pub process: i32,
    /// User id, as the receiver's user namespace has it; 0 for the kernel.
    pub user: u32,
    /// Group id.
    pub group: u32,
}

impl<'e> Datagram<'e> {
    /// The bytes from `start` to `end` of a lease, both clamped to the slot.
    pub(crate) fn new(lease: Lease<'e>, start: usize, end: usize, origin: Origin) -> Datagram<'e> {
        let end = end.min(lease.bytes().len());
        Datagram { lease, start: start.min(end), end, origin }
    }

    /// The datagram's bytes: one or many messages.
    pub fn bytes(&self) -> &[u8] {
        &self.lease.bytes()[self.start..self.end]
    }

    /// The sender's port id; 0 is the kernel. On a connected socket it is always whom it is connected to.
    pub fn sender(&self) -> u32 {
        self.origin.sender
    }

    /// Whether the kernel sent it.
    pub fn is_from_kernel(&self) -> bool {
        self.origin.sender == 0
    }

    /// The multicast group it was sent to; 0 when it was sent to this socket alone.
    ///
    /// On a socket connected to the kernel it is always 0: such a socket serves requests and joins no group. On others,
    /// groups above 32 need the option [`SocketOptions::pktinfo`](crate::socket::SocketOptions::pktinfo).
    pub fn group(&self) -> u32 {
        self.origin.group
    }

    /// The id, in the socket's namespace, of the namespace it came from; `None` is the socket's own. Needs
    /// [`SocketOptions::listen_all_nsid`](crate::socket::SocketOptions::listen_all_nsid).
    pub fn namespace(&self) -> Option<i32> {
        self.origin.namespace
    }

    /// The process that sent it. Needs [`SocketOptions::credentials`](crate::socket::SocketOptions::credentials), and a socket
    /// that is not connected.
    pub fn credentials(&self) -> Option<Credentials> {
        self.origin.credentials
    }
}

impl Deref for Datagram<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.bytes()
    }
}

impl AsRef<[u8]> for Datagram<'_> {
    fn as_ref(&self) -> &[u8] {
        self.bytes()
    }
}

impl fmt::Debug for Datagram<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Origin { sender, group, namespace, .. } = self.origin;
        f.debug_struct("Datagram")
            .field("length", &self.bytes().len())
            .field("sender", &sender)
            .field("group", &group)
            .field("namespace", &namespace)
            .finish()
    }
}
