//! The engine of a kernel that is only played: a [`Service`] of one's own answers, in this process, for tests without rights,
//! namespaces or a network.
//!
//! A [`Mock`] has connections and monitors like a kernel, as many as are wanted. What a connection sends is answered by the service,
//! in the way of kernels: inside the send, a dump's next part inside the receive, and what the service tells a group is queued for
//! the monitors that joined it. All that is above an engine is the real thing: numbering, matching, refusals with paths,
//! dumps that were interrupted or given up, batches, watches, deadlines.
//!
//! ```
//! use ringlink::codec::reply::{Errno, Refusal};
//! use ringlink::codec::route::{Link, LinkHeader, Rtm};
//! use ringlink::engine::mock::Mock;
//! use ringlink::server::{self, Answer, Request};
//! use ringlink::{Connection, Error, Protocol};
//!
//! // What is to be tested.
//! fn names(connection: &mut Connection) -> Result<Vec<String>, Error> {
//!     let mut names = Vec::new();
//!     let mut links = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?;
//!     while let Some(link) = links.next()? {
//!         names.push(link.attributes.get(Link::IFNAME)?.unwrap_or_default().to_string());
//!     }
//!     Ok(names)
//! }
//!
//! // A kernel with two interfaces, that lets nobody change them.
//! let kernel = Mock::new(Protocol::ROUTE, |request: &Request<'_>, answer: &mut Answer<'_, '_>| {
//!     if request.body(Rtm::GETLINK).is_err() {
//!         return Err(Refusal::new(Errno::PERM));
//!     }
//!     for (next, name) in (1..).zip(["lo", "eth0"]).skip(answer.cursor() as usize) {
//!         let header = LinkHeader { index: next as i32, ..LinkHeader::default() };
//!         if !answer.part(next, Rtm::GETLINK, header, |link| link.put(Link::IFNAME, name))? {
//!             break;
//!         }
//!     }
//!     Ok(())
//! });
//! let mut connection = kernel.connection()?;
//! assert_eq!(names(&mut connection)?, ["lo", "eth0"]);
//! let refused = connection.apply(Rtm::DELLINK, LinkHeader { index: 2, ..LinkHeader::default() }, |_| {}).unwrap_err();
//! assert!(refused.is_permission());
//! # Ok::<(), Error>(())
//! ```
//!
//! A wait for what does not come ends at its deadline, as with a socket. What the mock's socket cannot say is `ENOTSOCK`: it has a
//! protocol, a port id, a receive buffer's size, and a send buffer that takes anything.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::io::{Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use ringlink_codec::answer::Echo;
use ringlink_codec::follow::{Store, Subject};
use ringlink_codec::table::{AttributeWriter, Format, Operation};

use crate::connection::{Config, Connection};
use crate::engine::{Counters, Datagram, Deadline, Destination, Engine, EngineKind, Origin, Reason};
use crate::error::Error;
use crate::monitor::Monitor;
use crate::server::{Asker, Desk, Post, Service};
use crate::socket::{Protocol, Socket};
use crate::sys::Slots;
use crate::watch::{Watch, WatchConfig};

/// Bytes of a datagram at the most: as with the kernel's dumps.
const DATAGRAM: usize = 32 * 1024;

/// Datagrams that may be held at once.
const SLOTS: u16 = 64;

/// What a socket says its receive buffer is: the kernel's default.
const RECEIVE_BUFFER: usize = 212_992;

/// A kernel that is only played. See the [module](self). Its clones are the same one.
pub struct Mock<S> {
    protocol: Protocol,
    shared: Arc<Shared<S>>,
}

impl<S> Clone for Mock<S> {
    fn clone(&self) -> Mock<S> {
        Mock { protocol: self.protocol, shared: Arc::clone(&self.shared) }
    }
}

impl<S> fmt::Debug for Mock<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mock").field("protocol", &self.protocol).finish_non_exhaustive()
    }
}

struct Shared<S> {
    state: Mutex<State<S>>,
    /// Something was queued.
    arrived: Condvar,
}

struct State<S> {
    service: S,
    desk: Desk,
    /// By port id.
    sockets: BTreeMap<u32, Queue>,
    last: u32,
}

/// A datagram and where it is from, or that some were lost.
type Queued = Result<(Box<[u8]>, Origin), Error>;

/// What one socket has not received yet.
struct Queue {
    groups: Vec<u32>,
    datagrams: VecDeque<Queued>,
    /// A byte is in it while there is something to receive.
    ringer: UnixStream,
    rung: bool,
}

impl<S> Shared<S> {
    fn lock(&self) -> MutexGuard<'_, State<S>> {
        // A service that panicked fails its test anyway; the others need not know.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Service + Send + 'static> Mock<S> {
    /// A kernel in which this service answers. The protocol is what its sockets say that they are of.
    pub fn new(protocol: Protocol, service: S) -> Mock<S> {
        let desk = Desk::new(DATAGRAM, usize::MAX, Echo::Capped);
        let state = State { service, desk, sockets: BTreeMap::new(), last: 0 };
        Mock { protocol, shared: Arc::new(Shared { state: Mutex::new(state), arrived: Condvar::new() }) }
    }

    /// A connection, with the default configuration.
    ///
    /// # Errors
    ///
    /// As [`engine`](Mock::engine).
    pub fn connection(&self) -> Result<Connection, Error> {
        Ok(Connection::over(self.engine()?, Config::default()))
    }

    /// A monitor that has joined these groups.
    ///
    /// # Errors
    ///
    /// As [`engine`](Mock::engine).
    pub fn monitor(&self, groups: &[u32]) -> Result<Monitor, Error> {
        Ok(Monitor::over(self.open(groups)?))
    }

    /// A watch, with the default configuration.
    ///
    /// # Errors
    ///
    /// As [`engine`](Mock::engine).
    pub fn watch<F: Subject, T: Store>(&self, subject: F, store: T) -> Result<Watch<F, T>, Error> {
        let monitor = self.monitor(subject.groups())?;
        Ok(Watch::over(subject, store, monitor, self.connection()?, WatchConfig::default()))
    }

    /// An engine, for [`Connection::over`] with a configuration of the caller's, or to be recorded.
    ///
    /// # Errors
    ///
    /// What the system says when there is no memory or no descriptor left.
    pub fn engine(&self) -> Result<Box<dyn Engine>, Error> {
        self.open(&[])
    }

    /// An engine whose socket has joined these groups, for [`Monitor::over`].
    ///
    /// # Errors
    ///
    /// As [`engine`](Mock::engine).
    pub fn listener(&self, groups: &[u32]) -> Result<Box<dyn Engine>, Error> {
        self.open(groups)
    }

    fn open(&self, groups: &[u32]) -> Result<Box<dyn Engine>, Error> {
        let (bell, ringer) = UnixStream::pair().map_err(|error| Error::from_io("socketpair", &error))?;
        let slots = Slots::new(SLOTS, DATAGRAM)?;
        let mut state = self.shared.lock();
        let port = state.last.wrapping_add(1);
        let socket = Socket::stand_in(self.protocol, port, groups.is_empty().then_some(0), RECEIVE_BUFFER)?;
        let queue = Queue { groups: groups.to_vec(), datagrams: VecDeque::new(), ringer, rung: false };
        state.last = port;
        state.sockets.insert(port, queue);
        drop(state);
        Ok(Box::new(Line { shared: Arc::clone(&self.shared), socket, slots, bell, counters: Cell::default() }))
    }

    /// Lets something be done with the service: change what it will answer, or see what it was asked. Not from within the
    /// service, which is locked while it answers.
    ///
    /// ```
    /// use ringlink::engine::mock::Mock;
    /// use ringlink::server::{Answer, Request, Service};
    /// use ringlink::codec::reply::Refusal;
    /// use ringlink::codec::route::{LinkHeader, Rtm};
    /// use ringlink::Protocol;
    ///
    /// #[derive(Default)]
    /// struct Counting(u32);
    ///
    /// impl Service for Counting {
    ///     fn answer(&mut self, _: &Request<'_>, _: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>> {
    ///         self.0 += 1;
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let kernel = Mock::new(Protocol::ROUTE, Counting::default());
    /// kernel.connection()?.apply(Rtm::NEWLINK, LinkHeader::default(), |_| {})?;
    /// assert_eq!(kernel.with(|service| service.0), 1);
    /// # Ok::<(), ringlink::Error>(())
    /// ```
    pub fn with<T>(&self, does: impl FnOnce(&mut S) -> T) -> T {
        does(&mut self.shared.lock().service)
    }

    /// Tells a multicast group of something that nobody asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where it does not fit a datagram.
    pub fn tell<Q: Format, A>(
        &self,
        group: u32,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<(), Error> {
        let State { desk, sockets, .. } = &mut *self.shared.lock();
        let event = desk.tell(operation, header, fill)?;
        post(sockets, Destination::Group(group), event);
        self.shared.arrived.notify_all();
        Ok(())
    }

    /// Has so many events be lost, as a kernel says it: every monitor's next receive is an [`Error::Overrun`], and what was
    /// queued before comes after it.
    pub fn overrun(&self, drops: u32) {
        for queue in self.shared.lock().sockets.values_mut().filter(|queue| !queue.groups.is_empty()) {
            queue.datagrams.push_front(Err(Error::Overrun { drops }));
            queue.ring();
        }
        self.shared.arrived.notify_all();
    }
}

impl Queue {
    fn ring(&mut self) {
        if !self.rung {
            // There is room for a byte, and the other end is there as long as the queue is.
            self.rung = (&self.ringer).write_all(&[1]).is_ok();
        }
    }
}

/// Queues a datagram for whom it is for.
fn post(sockets: &mut BTreeMap<u32, Queue>, to: Destination, bytes: &[u8]) {
    match to {
        Destination::Port(port) => {
            if let Some(queue) = sockets.get_mut(&port) {
                queue.datagrams.push_back(Ok((bytes.into(), Origin::default())));
                queue.ring();
            }
        }
        Destination::Group(group) => {
            for queue in sockets.values_mut().filter(|queue| queue.groups.contains(&group)) {
                queue.datagrams.push_back(Ok((bytes.into(), Origin { group, ..Origin::default() })));
                queue.ring();
            }
        }
    }
}

/// One socket's engine.
struct Line<S> {
    shared: Arc<Shared<S>>,
    socket: Socket,
    slots: Slots,
    bell: UnixStream,
    counters: Cell<Counters>,
}

impl<S> fmt::Debug for Line<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line").field("socket", &self.socket).finish_non_exhaustive()
    }
}

impl<S> Line<S> {
    /// The next datagram, if there is one or one can be made.
    fn next(&self, state: &mut State<S>) -> Option<Queued>
    where
        S: Service,
    {
        let port = self.socket.port();
        let State { service, desk, sockets, .. } = state;
        if desk.has_dump(port) && sockets.get(&port).is_some_and(|queue| queue.datagrams.is_empty()) {
            let post: &mut Post<'_> = &mut |to, bytes| post(sockets, to, bytes);
            desk.go_on(service, port, post);
            self.shared.arrived.notify_all();
        }
        let queue = sockets.get_mut(&port)?;
        let next = queue.datagrams.pop_front();
        if queue.datagrams.is_empty() && queue.rung && !desk.has_dump(port) {
            queue.rung = (&self.bell).read(&mut [0]).is_err();
        }
        next
    }
}

impl<S: Service + Send> Engine for Line<S> {
    fn socket(&self) -> &Socket {
        &self.socket
    }

    fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        let State { service, desk, sockets, .. } = &mut *self.shared.lock();
        let post: &mut Post<'_> = &mut |to, bytes| post(sockets, to, bytes);
        desk.take(service, Asker { port: self.socket.port(), credentials: None }, bytes, post);
        self.shared.arrived.notify_all();
        Ok(())
    }

    fn receive(&self, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        let mut lease = self.slots.take().ok_or(Error::Exhausted { slots: self.slots.count() })?;
        let mut state = self.shared.lock();
        let (bytes, origin) = loop {
            if let Some(next) = self.next(&mut state) {
                break next?;
            }
            state = match deadline.remaining() {
                None => self.shared.arrived.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(remaining) if remaining.is_zero() => return Err(Error::TimedOut),
                Some(remaining) => {
                    self.shared.arrived.wait_timeout(state, remaining).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        };
        drop(state);
        if let Some(slot) = lease.bytes_mut().get_mut(..bytes.len()) {
            slot.copy_from_slice(&bytes);
        }
        let mut counters = self.counters.get();
        counters.datagrams = counters.datagrams.wrapping_add(1);
        counters.bytes = counters.bytes.wrapping_add(bytes.len() as u64);
        self.counters.set(counters);
        Ok(Datagram::new(lease, 0, bytes.len(), origin))
    }

    fn exchange(&self, bytes: &[u8], deadline: Deadline) -> Result<Datagram<'_>, Error> {
        self.send(bytes)?;
        self.receive(deadline)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Mock
    }

    fn reason(&self) -> Reason {
        Reason::Asked(EngineKind::Mock)
    }

    fn counters(&self) -> Counters {
        self.counters.get()
    }
}

impl<S> Drop for Line<S> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        let port = self.socket.port();
        state.sockets.remove(&port);
        state.desk.forget(port);
    }
}
