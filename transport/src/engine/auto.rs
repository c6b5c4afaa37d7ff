//! The engine that chooses: system calls for short exchanges, a ring once a dump is long.
//!
//! A ring costs more to set up and to take down (about 0.4 ms) than a short dump takes, so [`Auto`] starts with system
//! calls. When more than
//! [`Sizes::threshold`] datagrams have come since the last send, it makes a ring on the same socket and goes on with
//! it: system calls leave nothing in flight, so the next receive continues where the last one ended. Where no ring can be
//! made it stays with system calls for good, and [`Engine::reason`] says why.

use std::cell::{Cell, OnceCell};
use std::os::fd::{AsFd, BorrowedFd};

use crate::engine::{Counters, Datagram, Deadline, Destination, Engine, EngineKind, Reason, Sizes, ring, syscall};
use crate::error::Error;
use crate::socket::Socket;

/// Moves datagrams by system calls first, and by a ring once that pays.
#[derive(Debug)]
pub struct Auto {
    socket: Socket,
    sizes: Sizes,
    syscall: syscall::Core,
    /// Once it is there, it alone receives: it has a receive in flight.
    ring: OnceCell<ring::Core>,
    /// Why there will never be a ring.
    failure: OnceCell<Error>,
    /// Datagrams received since the last send.
    run: Cell<u32>,
    /// Whether slots are overwritten, those of a ring to come, too.
    wiped: Cell<bool>,
}

impl Auto {
    /// Takes a socket over. Connect it first, if it is to be connected.
    pub fn new(socket: Socket, sizes: Sizes) -> Result<Auto, Error> {
        Ok(Auto {
            syscall: syscall::Core::new(sizes.syscall)?,
            socket,
            sizes,
            ring: OnceCell::new(),
            failure: OnceCell::new(),
            run: Cell::new(0),
            wiped: Cell::new(false),
        })
    }

    /// The ring, made now if the time has come.
    fn ring(&self) -> Option<&ring::Core> {
        if let Some(ring) = self.ring.get() {
            return Some(ring);
        }
        if self.run.get() <= self.sizes.threshold || self.failure.get().is_some() {
            return None;
        }
        match ring::Core::new(&self.socket, self.sizes.ring) {
            Ok(ring) => {
                if self.wiped.get() {
                    ring.wipe();
                }
                Some(self.ring.get_or_init(|| ring))
            }
            Err(error) => {
                self.failure.get_or_init(|| error);
                None
            }
        }
    }
}

impl Engine for Auto {
    fn socket(&self) -> &Socket {
        &self.socket
    }

    fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        self.run.set(0);
        self.syscall.send(&self.socket, bytes, Deadline::none())
    }

    fn send_to(&self, bytes: &[u8], to: Destination) -> Result<(), Error> {
        self.syscall.send_to(&self.socket, bytes, to)
    }

    fn receive(&self, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        if let Some(ring) = self.ring() {
            return ring.receive(&self.socket, deadline);
        }
        let datagram = self.syscall.receive(&self.socket, deadline)?;
        self.run.set(self.run.get().saturating_add(1));
        Ok(datagram)
    }

    fn exchange(&self, bytes: &[u8], deadline: Deadline) -> Result<Datagram<'_>, Error> {
        if let Some(ring) = self.ring.get() {
            return ring.exchange(&self.socket, bytes, deadline);
        }
        self.run.set(1);
        self.syscall.exchange(&self.socket, bytes, deadline)
    }

    fn wipe(&self) {
        self.wiped.set(true);
        self.syscall.wipe();
        if let Some(ring) = self.ring.get() {
            ring.wipe();
        }
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.ring.get().map_or(self.socket.as_fd(), ring::Core::descriptor)
    }

    fn kind(&self) -> EngineKind {
        match self.ring.get() {
            Some(_) => EngineKind::Ring,
            None => EngineKind::Syscall,
        }
    }

    fn reason(&self) -> Reason {
        let threshold = self.sizes.threshold;
        match (self.ring.get(), self.failure.get()) {
            (Some(_), _) => Reason::Long { threshold },
            (None, Some(error)) => Reason::NoRing(error.clone()),
            (None, None) => Reason::Short { threshold },
        }
    }

    fn counters(&self) -> Counters {
        let ring = self.ring.get().map(ring::Core::counters).unwrap_or_default();
        self.syscall.counters().plus(ring)
    }
}
