//! Requests and their answers over one socket: get, apply, dump, batch.
//!
//! A [`Connection`] owns a socket connected to the kernel, or to a process ([`Config::peer`]), so that nobody else can answer in
//! its place. One
//! request runs at a time; each is numbered, registered before it is sent, and ends with an answer, an
//! acknowledgement, an [`End`](crate::codec::reply::End), or an error that says what is known. It retries nothing on its own.
//!
//! After fork(2) it is the parent's: a child that uses it takes the parent's answers away, and with a ring must not even drop
//! it. The child opens one of its own. A program that is executed inherits nothing.
//!
//! ```
//! use ringlink::codec::route::{Link, LinkHeader, Rtm};
//! use ringlink::{Connection, Protocol};
//!
//! let mut connection = Connection::open(Protocol::ROUTE)?;
//! let mut links = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?;
//! while let Some(link) = links.next()? {
//!     let (name, mtu) = link.attributes.read((Link::IFNAME, Link::MTU))?;
//!     println!("{}: {:?} mtu {:?}", link.header.index, name, mtu);
//! }
//! assert!(links.end().is_complete());
//! # Ok::<(), ringlink::Error>(())
//! ```

use std::cell::{Cell, RefCell};
use std::fmt;
use std::marker::PhantomData;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use ringlink_codec::exchange::Exchange;
use ringlink_codec::table::{AttributeWriter, Body, Format, Operation};
use ringlink_codec::wire::{Message, MessageHeader};

use crate::engine::{self, Counters, Datagram, Deadline, Engine, EngineChoice, EngineKind, Reason, Sizes};
use crate::error::Error;
use crate::namespace::Namespace;
use crate::socket::{Protocol, Socket, SocketOptions};
use crate::sys;

mod batch;
mod dump;
mod lookups;
mod memory;
mod outbox;
mod overlap;
mod ready;
mod request;
mod transaction;

pub mod steps;

pub use batch::{Batch, Failure, Outcomes};
pub use dump::Dump;
pub use lookups::Lookups;
use memory::Memory;
pub use overlap::{Answers, Reader};
pub(crate) use request::{Root, exchange, expect, refused, verdict};
pub use transaction::{Rejected, Transaction};

/// How a connection is opened.
#[derive(Clone, Debug)]
pub struct Config {
    /// What moves the bytes. Default: [`EngineChoice::Auto`].
    pub engine: EngineChoice,
    /// How much the engine may take. Default: see [`Sizes`].
    pub sizes: Sizes,
    /// How long a request may wait for its answer, and a dump for each of its datagrams; `None` for ever. Default: 30 s.
    ///
    /// A deadline abandons, it does not cancel: a kernel that is at work, or waits for its configuration lock (RTNL),
    /// cannot be interrupted, the calling thread waits inside it, and a request whose deadline passed may still take
    /// effect.
    pub deadline: Option<Duration>,
    /// Bytes of the longest request or batch. Default: 32,768. At most what the socket's send buffer takes, less 32.
    pub request: usize,
    /// The socket's options, its namespace among them.
    pub socket: SocketOptions,
    /// Who is asked, or listened to: the port id of a process's socket ([`server`](crate::server)). Default: 0, the kernel.
    ///
    /// A process may be slow to take requests, or die: what cannot be sent before the deadline fails with `EAGAIN`, what is sent
    /// to nobody with `ECONNREFUSED`, and what is not answered with [`Error::TimedOut`].
    pub peer: u32,
    /// Whether what answers held is overwritten once they are given back; see [`Connection::wipe`]. Default: false, but for
    /// IPsec, whose states hold keys.
    pub wipe: bool,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            engine: EngineChoice::Auto,
            sizes: Sizes::default(),
            deadline: Some(Duration::from_secs(30)),
            request: 32 * 1024,
            socket: SocketOptions::default(),
            peer: 0,
            wipe: false,
        }
    }
}

impl Config {
    /// For constrained agents: plain system calls, one datagram at a time, requests of up to 4 KiB: 36 KiB of memory that
    /// is allocated when the connection is opened, and nothing after.
    pub fn tiny() -> Config {
        Config { engine: EngineChoice::Syscall, sizes: Sizes::tiny(), request: 4096, ..Config::default() }
    }

    /// The defaults, in another network namespace.
    pub fn in_namespace(namespace: Namespace) -> Config {
        let socket = SocketOptions { namespace: Some(namespace), ..SocketOptions::default() };
        Config { socket, ..Config::default() }
    }

    /// The defaults, for asking or hearing a process instead of the kernel, by its socket's port id.
    pub fn of_process(port: u32) -> Config {
        Config { peer: port, ..Config::default() }
    }
}

/// What a connection has done, and with what.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Statistics {
    /// What moves the bytes at present.
    pub engine: EngineKind,
    /// Why it is that.
    pub reason: Reason,
    /// Messages received, of requests given up too.
    pub messages: u64,
    /// How often a receive was repeated after the kernel's spurious `EINVAL` at the end of a dump.
    pub retries: u64,
    /// How often the socket was replaced, because a long dump on it had been given up.
    pub reopened: u64,
    /// What the engines did.
    pub counters: Counters,
}

/// A socket for requests. See the [module](self).
pub struct Connection {
    engine: Box<dyn Engine>,
    /// Whose datagrams are read.
    peer: u32,
    /// Whether the engine is one that the configuration says how to open again.
    replaceable: bool,
    config: Config,
    /// The request being written or sent; of the configured size, so that nothing is allocated after opening.
    request: RefCell<Memory>,
    /// Whether there is a secret in it.
    secret: Cell<bool>,
    sequence: Cell<u32>,
    /// A dump that was given up while the kernel was still at it: no other can start on this socket before its end.
    abandoned: Cell<Option<Exchange>>,
    /// One whose end was waited for in vain.
    forgotten: Cell<Option<Exchange>>,
    /// Whether requests of other kinds were given up since, whose answers may come yet.
    strays: Cell<bool>,
    messages: Cell<u64>,
    retries: Cell<u64>,
    reopened: Cell<u64>,
    /// Whether the kernel has seen a large receive on this socket (see [`Connection::prime`]).
    primed: Cell<bool>,
    /// What engines that were replaced did.
    past: Counters,
    /// Where the [`steps`] keep the answers that they lend; nothing before the first.
    kept: Memory,
    /// A moment that has passed.
    opened: Instant,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("engine", &self.engine).field("sequence", &self.sequence.get()).finish()
    }
}

impl Connection {
    /// Opens a connection with the default configuration.
    ///
    /// # Errors
    ///
    /// [`Error::NoProtocol`], and what the system says of sockets.
    pub fn open(protocol: Protocol) -> Result<Connection, Error> {
        Connection::with(protocol, Config::default())
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// As [`open`](Connection::open); [`Error::Namespace`] and [`Error::NoRing`] where the configuration asks for these.
    pub fn with(protocol: Protocol, config: Config) -> Result<Connection, Error> {
        let config = Config { wipe: config.wipe || protocol == Protocol::XFRM, ..config };
        let engine = open_engine(protocol, &config)?;
        Ok(Connection { replaceable: true, ..Connection::over(engine, config) })
    }

    /// A connection over an engine of the caller's, whose socket is connected to whom is asked: one that
    /// [records](crate::engine::record) or replays, or one of a kind of its own.
    ///
    /// Of the configuration, the deadline and the longest request count. The engine is never replaced: what is left of a
    /// dump that was given up is received to its end before the next one starts, however long it is.
    pub fn over(engine: Box<dyn Engine>, config: Config) -> Connection {
        // The first sequence number cannot be guessed by who might have sent a message before the socket was connected.
        let sequence = engine.socket().port() ^ sys::unguessable();
        Connection {
            peer: engine.socket().peer(),
            engine,
            replaceable: false,
            request: RefCell::new(Memory::new(config.request)),
            secret: Cell::new(false),
            config,
            sequence: Cell::new(sequence),
            abandoned: Cell::new(None),
            forgotten: Cell::new(None),
            strays: Cell::new(false),
            messages: Cell::new(0),
            retries: Cell::new(0),
            reopened: Cell::new(0),
            primed: Cell::new(false),
            past: Counters::default(),
            kept: Memory::default(),
            opened: Instant::now(),
        }
    }

    /// Asks a question that has one answer.
    ///
    /// ```
    /// use ringlink::codec::route::{Link, LinkHeader, Rtm};
    /// use ringlink::{Connection, Protocol};
    ///
    /// let mut connection = Connection::open(Protocol::ROUTE)?;
    /// let reply = connection.get(Rtm::GETLINK, LinkHeader { index: 1, ..Default::default() }, |_| {})?;
    /// assert_eq!(reply.body().header.index, 1);
    /// # Ok::<(), ringlink::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Codec`] where the request does not fit or the answer is of another type,
    /// [`Error::TimedOut`], and what the engine says.
    pub fn get<Q: Format, A: Format>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Reply<'_, A>, Error> {
        let mut request = self.write(Exchange::get, operation, header, fill)?;
        let answer = self.answer(&mut request, self.deadline());
        self.note(&answer);
        answer
    }

    /// Asks for a change, and waits until the kernel has made it.
    ///
    /// Returns a warning where the kernel gives one with its yes.
    ///
    /// ```no_run
    /// use ringlink::codec::route::{Link, LinkHeader, LinkInfo, Rtm};
    /// use ringlink::{Connection, Protocol};
    ///
    /// let mut connection = Connection::open(Protocol::ROUTE)?;
    /// connection.apply(Rtm::NEWLINK.create().exclusive(), LinkHeader::default(), |link| {
    ///     link.put(Link::IFNAME, "br0");
    ///     link.nest(Link::LINKINFO, |info| info.put(LinkInfo::KIND, "bridge"));
    /// })?;
    /// # Ok::<(), ringlink::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], [`Error::Codec`] where the request does not fit, [`Error::TimedOut`] (the change may yet be
    /// made), and what the engine says.
    pub fn apply<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Option<String>, Error> {
        self.apply_each(operation, header, fill, |_| {})
    }

    /// As [`apply`](Connection::apply), and hands what the kernel tells about the change to a closure: a few changes are
    /// answered, such as ethtool's of features.
    ///
    /// # Errors
    ///
    /// As [`apply`](Connection::apply).
    pub fn apply_each<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
        mut each: impl FnMut(Message<'_>),
    ) -> Result<Option<String>, Error> {
        let mut request = self.write(Exchange::apply, operation, header, fill)?;
        let warning = self.acknowledgement(&mut request, self.deadline(), &mut each);
        self.note(&warning);
        self.forget_request();
        warning
    }

    /// Asks for everything.
    ///
    /// The messages come as they are received; nothing is collected. See [`Dump`].
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where the request does not fit, and what the engine says. A refusal comes from [`Dump::next`].
    pub fn dump<Q: Format, A: Format>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Dump<'_, A>, Error> {
        let request = self.prepare_dump(operation, header, fill)?;
        Dump::start(self, request)
    }

    /// Collects many requests into few datagrams. See [`Batch`].
    pub fn batch(&mut self) -> Batch<'_> {
        Batch::new(self)
    }

    /// Collects changes of a firewall that are made together or not at all. See [`Transaction`].
    pub fn transaction(&mut self) -> Transaction<'_> {
        Transaction::new(self)
    }

    /// Asks many questions that have one answer each, many in one send. See [`Lookups`].
    pub fn lookups<Q: Format, A: Format, F>(&mut self, operation: Operation<Q, A>, each: F) -> Lookups<'_, Q, A, F>
    where
        F: FnMut(usize, Result<Body<'_, A>, Error>) -> Result<(), Error>,
    {
        Lookups::new(self, operation, each)
    }

    /// The descriptor that becomes readable when there is something to take, for [`steps`]: of the socket or of the ring.
    ///
    /// It changes where a long dump makes a ring ([`EngineChoice::Auto`]), and where the socket is replaced because a dump on
    /// it was given up: ask for it each time.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.engine.descriptor()
    }

    /// The socket, for its options, its buffers and its port id.
    pub fn socket(&self) -> &Socket {
        self.engine.socket()
    }

    /// What the connection has done so far, and with which engine.
    pub fn statistics(&self) -> Statistics {
        Statistics {
            engine: self.engine.kind(),
            reason: self.engine.reason(),
            messages: self.messages.get(),
            retries: self.retries.get(),
            reopened: self.reopened.get(),
            counters: self.past.plus(self.engine.counters()),
        }
    }

    /// From now on overwrites what answers held once they are given back, because they hold keys: of the engine a slot's size
    /// for each datagram, 32 KiB or about a microsecond.
    ///
    /// Requests need no such word: what a key was written into is overwritten when the request is over, a request that was
    /// given up before the next one, and at the latest when the connection is dropped. What is overwritten is the library's
    /// memory. It does not reach the kernel's own, swapped memory, and what the caller copies. Dumps in two threads, a
    /// [shared](crate::shared) connection and a [fleet](crate::fleet) copy what they move, and overwrite nothing.
    pub fn wipe(&mut self) {
        self.config.wipe = true;
        self.engine.wipe();
    }

    /// Changes how long a request may wait for its answer; see [`Config::deadline`].
    pub fn set_deadline(&mut self, deadline: Option<Duration>) {
        self.config.deadline = deadline;
    }

    fn deadline(&self) -> Deadline {
        self.config.deadline.map_or(Deadline::none(), Deadline::after)
    }

    /// A deadline that has passed: to take what is there.
    fn passed(&self) -> Deadline {
        Deadline::at(self.opened)
    }

    /// The next sequence number; never zero, which is that of messages nobody asked for.
    fn next_sequence(&self) -> u32 {
        let next = match self.sequence.get().wrapping_add(1) {
            0 => 1,
            next => next,
        };
        self.sequence.set(next);
        next
    }
}

/// One answer, borrowed from the connection.
#[must_use]
pub struct Reply<'c, A> {
    datagram: Datagram<'c>,
    at: usize,
    answer: PhantomData<fn() -> A>,
}

impl<A: Format> Reply<'_, A> {
    /// The answer, taken apart.
    pub fn body(&self) -> Body<'_, A> {
        Body::of(self.message())
    }

    /// The answer as a message.
    pub fn message(&self) -> Message<'_> {
        // It was parsed from this very place.
        Message::parse(self.bytes()).unwrap_or(Message { header: MessageHeader::default(), payload: &[] })
    }
}

impl<A> Reply<'_, A> {
    /// The answer and whatever is behind it in the datagram.
    fn bytes(&self) -> &[u8] {
        self.datagram.bytes().get(self.at..).unwrap_or_default()
    }
}

impl<A> fmt::Debug for Reply<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("datagram", &self.datagram).field("at", &self.at).finish()
    }
}

fn open_engine(protocol: Protocol, config: &Config) -> Result<Box<dyn Engine>, Error> {
    let socket = Socket::open(protocol, &config.socket)?;
    socket.connect_to(config.peer)?;
    let engine = engine::open_with(config.engine, config.sizes, socket)?;
    if config.wipe {
        engine.wipe();
    }
    Ok(engine)
}
