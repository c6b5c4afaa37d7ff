//! What moves a fleet's bytes: one ring, or system calls.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::os::fd::{AsFd, AsRawFd};

use super::FleetConfig;
use crate::engine::syscall::{self, SyscallConfig};
use crate::engine::{Counters, Deadline, EngineChoice, EngineKind};
use crate::error::Error;
use crate::socket::{Protocol, Socket, SocketOptions};
use crate::sys;
use crate::uring::{self, Arrival, Purpose};

/// Moves the bytes of many sockets.
#[derive(Debug)]
pub(super) enum Mover {
    Ring(Box<uring::Core>),
    Calls(Box<Calls>),
}

impl Mover {
    pub(super) fn new(config: FleetConfig) -> Result<Mover, Error> {
        if config.sockets == 0 || !(16..=1 << 20).contains(&config.request) {
            return Err(Error::Configuration {
                rule: "a fleet has 1 to 65535 sockets and requests of 16 to 1048576 bytes",
            });
        }
        let purpose = Purpose::Fleet { sockets: config.sockets.into(), request: config.request };
        let calls = || Calls::new(config).map(Box::new).map(Mover::Calls);
        Ok(match config.engine {
            EngineChoice::Ring => Mover::Ring(Box::new(uring::Core::new(config.ring, purpose)?)),
            EngineChoice::Syscall => calls()?,
            EngineChoice::Auto => match uring::Core::new(config.ring, purpose) {
                Ok(ring) => Mover::Ring(Box::new(ring)),
                Err(Error::NoRing { .. } | Error::System { errno: libc::ENOMEM, .. }) => calls()?,
                Err(error) => return Err(error),
            },
        })
    }

    /// Opens sockets in the caller's namespace, on a ring in a few system calls for all of them.
    pub(super) fn open(&self, protocol: Protocol, options: &SocketOptions, count: usize) -> Result<Vec<Socket>, Error> {
        if let Mover::Ring(ring) = self
            // Far from process ids, which others are bound to.
            && let Some(opened) = ring.open(protocol.0, count, sys::unguessable() | 1 << 31, &options.numbers())?
        {
            let finish = |one: uring::Opened| Socket::opened(one.descriptor, protocol, one.port, options, &one.options);
            return opened.into_iter().map(finish).collect();
        }
        (0..count).map(|_| Socket::open(protocol, options)).collect()
    }

    pub(super) fn add(&mut self, socket: &Socket) -> Result<usize, Error> {
        match self {
            Mover::Ring(ring) => ring.add(socket),
            Mover::Calls(calls) => calls.add(socket),
        }
    }

    /// Sends, or queues to be sent: what goes wrong is returned or arrives.
    pub(super) fn send(&self, sockets: &[Socket], number: usize, bytes: &[u8]) -> Result<(), Error> {
        match self {
            Mover::Ring(ring) => {
                ring.want(number);
                ring.send_queued(number, bytes)
            }
            Mover::Calls(calls) => calls.send(sockets, number, bytes),
        }
    }

    /// Whether what was sent last has yet to arrive as sent.
    pub(super) fn is_sending(&self, number: usize) -> bool {
        match self {
            Mover::Ring(ring) => ring.is_sending(number),
            Mover::Calls(_) => false,
        }
    }

    pub(super) fn next(&self, sockets: &[Socket], deadline: Deadline) -> Result<Arrival<'_>, Error> {
        match self {
            Mover::Ring(ring) => ring.next(sockets, deadline),
            Mover::Calls(calls) => calls.next(sockets, deadline),
        }
    }

    pub(super) fn kind(&self) -> EngineKind {
        match self {
            Mover::Ring(_) => EngineKind::Ring,
            Mover::Calls(_) => EngineKind::Syscall,
        }
    }

    pub(super) fn counters(&self) -> Counters {
        match self {
            Mover::Ring(ring) => ring.counters(),
            Mover::Calls(calls) => calls.core.counters().plus(calls.polls.get()),
        }
    }
}

/// `send(2)`, `ppoll(2)` and `recv(2)`.
#[derive(Debug)]
pub(super) struct Calls {
    core: syscall::Core,
    polls: Cell<Counters>,
    most: usize,
    entries: RefCell<Vec<libc::pollfd>>,
    /// Sockets that may have something to receive.
    promising: RefCell<VecDeque<usize>>,
}

impl Calls {
    fn new(config: FleetConfig) -> Result<Calls, Error> {
        // A fleet looks at one datagram at a time.
        let core = syscall::Core::new(SyscallConfig { slots: 1, slot: config.ring.slot })?;
        Ok(Calls {
            core,
            polls: Cell::default(),
            most: config.sockets.into(),
            entries: RefCell::default(),
            promising: RefCell::default(),
        })
    }

    fn add(&mut self, socket: &Socket) -> Result<usize, Error> {
        let entries = self.entries.get_mut();
        if entries.len() == self.most {
            return Err(Error::Configuration { rule: "a ring has no more sockets than it was made for" });
        }
        entries.push(libc::pollfd { fd: socket.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 });
        Ok(entries.len() - 1)
    }

    fn send(&self, sockets: &[Socket], number: usize, bytes: &[u8]) -> Result<(), Error> {
        let socket = sockets.get(number).ok_or(Error::System { call: "send", errno: libc::EBADF })?;
        // The kernel mostly answers inside the send.
        self.promising.borrow_mut().push_back(number);
        self.core.send(socket, bytes, Deadline::none())
    }

    fn next(&self, sockets: &[Socket], deadline: Deadline) -> Result<Arrival<'_>, Error> {
        loop {
            let next = self.promising.borrow_mut().pop_front();
            let Some((number, socket)) = next.and_then(|number| Some((number, sockets.get(number)?))) else {
                self.poll(deadline)?;
                continue;
            };
            match self.core.receive(socket, Deadline::after(std::time::Duration::ZERO)) {
                Err(error) if error.is_timed_out() => {}
                result => {
                    // There may be more; after the others' turn.
                    self.promising.borrow_mut().push_back(number);
                    return Ok(Arrival::Received(number, result));
                }
            }
        }
    }

    /// Waits until a socket has something.
    fn poll(&self, deadline: Deadline) -> Result<(), Error> {
        let remaining = deadline.remaining();
        let mut entries = self.entries.borrow_mut();
        let mut polls = self.polls.get();
        polls.system_calls += 1;
        self.polls.set(polls);
        sys::wait_any(&mut entries, remaining)?;
        let ready = entries.iter().enumerate().filter(|(_, entry)| entry.revents != 0).map(|(number, _)| number);
        self.promising.borrow_mut().extend(ready);
        match self.promising.borrow().is_empty() && remaining.is_some_and(|remaining| remaining.is_zero()) {
            true => Err(Error::TimedOut),
            false => Ok(()),
        }
    }
}
