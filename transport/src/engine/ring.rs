//! The engine of io_uring: one multishot receive into a ring of provided buffers (io_uring_setup(2)).
//!
//! The receive stays armed; one `io_uring_enter(2)` fills as many slots as there are datagrams, so a long dump or a burst
//! of events takes a few system calls where `recv(2)` takes one a datagram. A request's answer is mostly in its slot when
//! the `send(2)` returns, so an exchange is one system call; plain system calls are still quicker at that, as two calls
//! cost less than a ring's bookkeeping. On a socket [connected to the kernel](Socket::connect_to_kernel) it uses multishot `recv` with
//! `MSG_TRUNC`, otherwise multishot `recvmsg`, which tells the sender, the group and the namespace.
//!
//! It needs Linux 6.0 and the permission to use io_uring; [`Ring::new`] tries everything it needs and fails with
//! [`Error::NoRing`] where a part is missing. A slot is lent to the caller in a [`Datagram`] and goes back to the kernel
//! with the next system call; when the caller holds all of them, asking for more is [`Error::Exhausted`].
//!
//! The memory that a ring needs is made by [`Ring::new`]; slots that were never filled take none. A ring must not be used
//! or dropped in a forked child.
//!
//! ```
//! use ringlink::engine::{Deadline, Engine, ring::{Ring, RingConfig}};
//! use ringlink::socket::{Protocol, Socket, SocketOptions};
//!
//! let socket = Socket::open(Protocol::ROUTE, &SocketOptions::default())?;
//! socket.connect_to_kernel()?;
//! match Ring::new(socket, RingConfig::tiny()) {
//!     Ok(ring) => assert!(ring.receive(Deadline::after(std::time::Duration::ZERO)).is_err()),
//!     Err(error) => println!("no ring: {error}"),
//! }
//! # Ok::<(), ringlink::error::Error>(())
//! ```

use std::os::fd::BorrowedFd;
use std::slice;

use crate::engine::{Counters, Datagram, Deadline, Destination, Engine, EngineKind, Reason};
use crate::error::Error;
use crate::socket::Socket;
use crate::uring::{self, Arrival};

/// Sizes of a [`Ring`] engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingConfig {
    /// How many datagrams may be held or in the making at once; 1 to 32,768. Default: 24, which are
    /// 768 KiB: more take fewer system calls but fall out of the processor's caches.
    pub slots: u16,
    /// Bytes of a slot; at least 4,096. On a socket that is not connected, 76 of them are taken by the sender's address
    /// and the control messages. Default: 32,768, the most the kernel puts into a dump's datagram.
    pub slot: usize,
}

impl RingConfig {
    /// For constrained agents: 4 slots, so at most 128 KiB. Long dumps and bursts of events take more system calls;
    /// nothing is lost.
    pub const fn tiny() -> RingConfig {
        RingConfig { slots: 4, slot: 32 * 1024 }
    }

    /// For sockets that follow events: many slots. An event touches only the pages it fills, so small events take about
    /// 1 MiB in all. The odd size has them start in different sets of the processor's caches, which is worth 2 to 4 % of the
    /// time an event takes.
    pub const fn monitor() -> RingConfig {
        RingConfig { slots: 256, slot: 32 * 1024 + 7 * 64 }
    }
}

impl Default for RingConfig {
    fn default() -> RingConfig {
        RingConfig { slots: 24, slot: 32 * 1024 }
    }
}

/// Moves datagrams by one io_uring.
#[derive(Debug)]
pub struct Ring {
    socket: Socket,
    core: Core,
}

impl Ring {
    /// Takes a socket over, sets the ring up and arms the receive.
    ///
    /// Whether the socket is connected to the kernel is looked at now: connect it first.
    ///
    /// # Errors
    ///
    /// [`Error::NoRing`] where io_uring is missing, forbidden or too old, [`Error::Configuration`], and
    /// [`Error::System`] when there is no memory or no descriptor left.
    pub fn new(socket: Socket, config: RingConfig) -> Result<Ring, Error> {
        let core = Core::new(&socket, config)?;
        Ok(Ring { socket, core })
    }
}

impl Engine for Ring {
    fn socket(&self) -> &Socket {
        &self.socket
    }

    fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        self.core.send(&self.socket, bytes, Deadline::none())
    }

    fn send_to(&self, bytes: &[u8], to: Destination) -> Result<(), Error> {
        self.core.send_to(&self.socket, bytes, to)
    }

    fn receive(&self, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        self.core.receive(&self.socket, deadline)
    }

    fn exchange(&self, bytes: &[u8], deadline: Deadline) -> Result<Datagram<'_>, Error> {
        self.core.exchange(&self.socket, bytes, deadline)
    }

    fn wipe(&self) {
        self.core.wipe();
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.core.descriptor()
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Ring
    }

    fn reason(&self) -> Reason {
        Reason::Asked(EngineKind::Ring)
    }

    fn counters(&self) -> Counters {
        self.core.counters()
    }
}

/// The engine without its socket, so that [`Auto`](crate::engine::auto::Auto) can keep one socket for two engines.
#[derive(Debug)]
pub(crate) struct Core {
    uring: uring::Core,
}

impl Core {
    pub(crate) fn new(socket: &Socket, config: RingConfig) -> Result<Core, Error> {
        let mut uring = uring::Core::new(config, uring::Purpose::Engine)?;
        uring.add(socket)?;
        uring.start(slice::from_ref(socket))?;
        Ok(Core { uring })
    }

    pub(crate) fn wipe(&self) {
        self.uring.wipe();
    }

    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        self.uring.descriptor()
    }

    pub(crate) fn counters(&self) -> Counters {
        self.uring.counters()
    }

    pub(crate) fn send(&self, socket: &Socket, bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
        self.uring.send_now(socket, bytes, deadline)
    }

    pub(crate) fn send_to(&self, socket: &Socket, bytes: &[u8], to: Destination) -> Result<(), Error> {
        self.uring.send_to(socket, bytes, to)
    }

    /// The kernel answers inside the send, and carries the armed receive on when the send returns: mostly the answer is in
    /// its slot by then, and this is one system call. A send by the ring would be one too, and slower.
    pub(crate) fn exchange(&self, socket: &Socket, bytes: &[u8], deadline: Deadline) -> Result<Datagram<'_>, Error> {
        self.uring.make_room()?;
        self.send(socket, bytes, deadline)?;
        self.receive(socket, deadline)
    }

    pub(crate) fn receive(&self, socket: &Socket, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        loop {
            if let Arrival::Received(_, result) = self.uring.next(slice::from_ref(socket), deadline)? {
                return result;
            }
        }
    }
}
