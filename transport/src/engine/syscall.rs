//! The engine of plain system calls: `send(2)`, and one `recv(2)` or `recvmsg(2)` a datagram.
//!
//! It works on every kernel and in every sandbox that lets a netlink socket be opened, costs nothing to set up, and for a
//! single dump is as fast as anything: the kernel fills a dump inside the receive call. Without a deadline a datagram
//! takes one system call; with one it takes one if it is there already, and a `ppoll(2)` more if not.
//!
//! A few slots are kept so that a datagram may be held while the next is received; asking for one more than there are
//! slots is [`Error::Exhausted`]. A slot that is never used takes no memory.
//!
//! ```
//! use ringlink::engine::{Deadline, Engine, syscall::{Syscall, SyscallConfig}};
//! use ringlink::socket::{Protocol, Socket, SocketOptions};
//!
//! let socket = Socket::open(Protocol::ROUTE, &SocketOptions::default())?;
//! let engine = Syscall::new(socket, SyscallConfig { slots: 1, ..SyscallConfig::default() })?;
//! let nothing = engine.receive(Deadline::after(std::time::Duration::ZERO));
//! assert!(nothing.is_err_and(|error| error.is_timed_out()));
//! # Ok::<(), ringlink::error::Error>(())
//! ```

use std::cell::Cell;
use std::io;
use std::os::fd::AsFd;

use crate::engine::{Counters, Datagram, Deadline, Destination, Engine, EngineKind, Origin, Reason};
use crate::error::Error;
use crate::socket::Socket;
use crate::sys::{self, Lease, Slots};

/// Sizes of a [`Syscall`] engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SyscallConfig {
    /// How many datagrams may be held at once; 1 to 32,768. Default: 4.
    pub slots: u16,
    /// Bytes of a slot; at least 4,096. The kernel fills dump datagrams up to the largest receive it has seen on the
    /// socket, but never above 32 KiB. Default: 32,768.
    pub slot: usize,
}

impl SyscallConfig {
    /// For constrained agents: one slot, 32 KiB. A datagram has to be given back before the next is received.
    pub const fn tiny() -> SyscallConfig {
        SyscallConfig { slots: 1, slot: 32 * 1024 }
    }
}

impl Default for SyscallConfig {
    fn default() -> SyscallConfig {
        SyscallConfig { slots: 4, slot: 32 * 1024 }
    }
}

/// Moves datagrams by system calls.
#[derive(Debug)]
pub struct Syscall {
    socket: Socket,
    core: Core,
}

impl Syscall {
    /// Takes a socket over.
    pub fn new(socket: Socket, config: SyscallConfig) -> Result<Syscall, Error> {
        Ok(Syscall { socket, core: Core::new(config)? })
    }
}

impl Engine for Syscall {
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

    fn kind(&self) -> EngineKind {
        EngineKind::Syscall
    }

    fn reason(&self) -> Reason {
        Reason::Asked(EngineKind::Syscall)
    }

    fn counters(&self) -> Counters {
        self.core.counters.get()
    }
}

/// The engine without its socket, so that [`Auto`](crate::engine::auto::Auto) can keep one socket for two engines.
#[derive(Debug)]
pub(crate) struct Core {
    slots: Slots,
    counters: Cell<Counters>,
}

impl Core {
    pub(crate) fn new(config: SyscallConfig) -> Result<Core, Error> {
        check(config.slots, config.slot)?;
        Ok(Core { slots: Slots::new(config.slots, config.slot)?, counters: Cell::default() })
    }

    pub(crate) fn wipe(&self) {
        self.slots.wipe();
    }

    pub(crate) fn counters(&self) -> Counters {
        self.counters.get()
    }

    fn count(&self, change: impl FnOnce(&mut Counters)) {
        let mut counters = self.counters.get();
        change(&mut counters);
        self.counters.set(counters);
    }

    pub(crate) fn send(&self, socket: &Socket, bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
        send(socket, bytes, deadline, || self.count(|counters| counters.system_calls += 1))
    }

    pub(crate) fn send_to(&self, socket: &Socket, bytes: &[u8], to: Destination) -> Result<(), Error> {
        send_to(socket, bytes, to, || self.count(|counters| counters.system_calls += 1))
    }

    pub(crate) fn exchange(&self, socket: &Socket, bytes: &[u8], deadline: Deadline) -> Result<Datagram<'_>, Error> {
        // The slot first: nothing is sent when there is no room for an answer.
        let lease = self.lease()?;
        self.send(socket, bytes, deadline)?;
        self.receive_into(lease, socket, deadline)
    }

    pub(crate) fn receive(&self, socket: &Socket, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        self.receive_into(self.lease()?, socket, deadline)
    }

    fn lease(&self) -> Result<Lease<'_>, Error> {
        self.slots.take().ok_or(Error::Exhausted { slots: self.slots.count() })
    }

    fn receive_into<'s>(
        &'s self,
        mut lease: Lease<'s>,
        socket: &Socket,
        deadline: Deadline,
    ) -> Result<Datagram<'s>, Error> {
        let wait = deadline.moment().is_none();
        loop {
            let slot = lease.bytes_mut();
            let received = if socket.is_connected() {
                sys::receive(socket.as_fd(), slot, wait)
                    .map(|length| (length, Origin { sender: socket.peer(), ..Origin::default() }))
            } else {
                sys::receive_from(socket.as_fd(), slot, wait)
            };
            match received {
                Ok((length, _)) if length > slot.len() => {
                    self.count(|counters| counters.system_calls += 1);
                    return Err(Error::Truncated { length, slot: slot.len() });
                }
                Ok((length, origin)) => {
                    self.count(|counters| {
                        counters.system_calls += 1;
                        counters.datagrams += 1;
                        counters.bytes += length as u64;
                    });
                    return Ok(Datagram::new(lease, 0, length, origin));
                }
                Err(error) => {
                    self.count(|counters| counters.system_calls += 1);
                    self.after_failure(socket, deadline, &error)?;
                }
            }
        }
    }

    /// Waits, or returns at once, when the receive is to be tried again.
    #[cold]
    fn after_failure(&self, socket: &Socket, deadline: Deadline, error: &io::Error) -> Result<(), Error> {
        match error.raw_os_error() {
            Some(libc::EINTR) => Ok(()),
            Some(libc::EAGAIN) => match deadline.remaining() {
                // A socket that somebody made non-blocking still waits here.
                remaining if remaining.is_none_or(|remaining| !remaining.is_zero()) => {
                    self.count(|counters| counters.system_calls += 1);
                    sys::wait_readable(socket.as_fd(), remaining).map(drop)
                }
                _ => Err(Error::TimedOut),
            },
            Some(libc::ENOBUFS) => {
                self.count(|counters| {
                    counters.system_calls += 1;
                    counters.overruns += 1;
                });
                Err(Error::Overrun { drops: socket.take_drops() })
            }
            _ => Err(Error::from_io("recv", error)),
        }
    }
}

/// Sends one datagram, however often a signal comes in between; `called` counts the system calls.
///
/// The kernel takes what is sent to it, however long that takes. A process has a queue, which may be full: then the send waits
/// until the deadline for room in it, and fails with `EAGAIN`.
pub(crate) fn send(socket: &Socket, bytes: &[u8], deadline: Deadline, called: impl Fn()) -> Result<(), Error> {
    let mut wait = socket.peer() == 0;
    loop {
        called();
        match sys::send(socket.as_fd(), bytes, wait) {
            Ok(_) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && !deadline.has_passed() => {
                called();
                sys::set_send_timeout(socket.as_fd(), deadline.remaining())?;
                wait = true;
            }
            Err(error) => return Err(Error::from_io("send", &error)),
        }
    }
}

/// Sends one datagram to a process or a group, without waiting; `called` counts the system calls.
pub(crate) fn send_to(socket: &Socket, bytes: &[u8], to: Destination, called: impl Fn()) -> Result<(), Error> {
    let (port, groups) = match to {
        Destination::Port(port) => (port, 0),
        Destination::Group(group) => match group.checked_sub(1).and_then(|bit| 1_u32.checked_shl(bit)) {
            Some(groups) => (0, groups),
            None => return Err(Error::Configuration { rule: "a process tells groups 1 to 32" }),
        },
    };
    loop {
        called();
        match sys::send_to(socket.as_fd(), bytes, port, groups) {
            Ok(_) => return Ok(()),
            // The kernel sends to the group first, and then to port 0, which has nobody in protocols between processes.
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused && groups != 0 => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::from_io("sendto", &error)),
        }
    }
}

/// Checks a number of slots and their size.
pub(crate) fn check(slots: u16, slot: usize) -> Result<(), Error> {
    if !(1..=32_768).contains(&slots) {
        return Err(Error::Configuration { rule: "an engine has 1 to 32768 slots" });
    }
    if !(4096..=(1 << 24)).contains(&slot) {
        return Err(Error::Configuration { rule: "an engine's slot has 4096 to 16777216 bytes" });
    }
    Ok(())
}
