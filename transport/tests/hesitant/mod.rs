//! An engine that says that it has nothing although it has, so that requests wait where with system calls they do not.

use std::cell::Cell;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;

use ringlink::engine::syscall::{Syscall, SyscallConfig};
use ringlink::engine::{Counters, Datagram, Deadline, Engine, EngineKind, Reason};
use ringlink::socket::{Protocol, Socket};
use ringlink::{Config, Connection, Error};

/// System calls that have nothing the first times that they are asked, without waiting, for a datagram. The descriptor becomes readable again
/// each time: it has a new edge.
#[derive(Debug)]
pub(crate) struct Hesitant {
    inner: Syscall,
    hesitation: Hesitation,
    left: Cell<u32>,
    bell: UnixStream,
    ringer: UnixStream,
}

/// How often it says so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hesitation {
    /// After a request was sent.
    pub(crate) sent: u32,
    /// After a datagram was received.
    pub(crate) received: u32,
}

/// A connection over such an engine.
pub(crate) fn hesitant(config: &Config, hesitation: Hesitation) -> Connection {
    let socket = Socket::open(Protocol::ROUTE, &config.socket).expect("a socket");
    socket.connect_to_kernel().expect("connected");
    let inner = Syscall::new(socket, SyscallConfig::default()).expect("slots");
    let (bell, ringer) = UnixStream::pair().expect("a pair of sockets");
    // One byte is always in it.
    (&ringer).write_all(&[1]).expect("there is room");
    Connection::over(Box::new(Hesitant { inner, hesitation, left: Cell::new(0), bell, ringer }), config.clone())
}

impl Engine for Hesitant {
    fn socket(&self) -> &Socket {
        self.inner.socket()
    }

    fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        self.inner.send(bytes)
    }

    fn receive(&self, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        if let (Some(left), true) = (self.left.get().checked_sub(1), deadline.has_passed()) {
            self.left.set(left);
            assert!((&self.bell).read(&mut [0; 8]).is_ok_and(|bytes| bytes == 1));
            (&self.ringer).write_all(&[1]).expect("there is room");
            return Err(Error::TimedOut);
        }
        let datagram = self.inner.receive(deadline)?;
        self.left.set(self.hesitation.received);
        Ok(datagram)
    }

    fn exchange(&self, bytes: &[u8], deadline: Deadline) -> Result<Datagram<'_>, Error> {
        self.inner.send(bytes)?;
        self.left.set(self.hesitation.sent);
        self.receive(deadline)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    fn kind(&self) -> EngineKind {
        self.inner.kind()
    }

    fn reason(&self) -> Reason {
        self.inner.reason()
    }

    fn counters(&self) -> Counters {
        self.inner.counters()
    }
}
