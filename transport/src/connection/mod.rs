//! Requests and their answers over one socket: get, apply, dump, batch.
//!
//! A [`Connection`] owns a socket connected to the kernel, so that no other process can answer in its place. One
//! request runs at a time; each is numbered, registered before it is sent, and ends with an answer, an
//! acknowledgement, an [`End`](codec::reply::End), or an error that says what is known. It retries nothing on its own.
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
use std::time::Duration;

use ringlink_codec as codec;
use ringlink_codec::exchange::{Exchange, Origin, Step};
use ringlink_codec::reply::{Path, Refusal};
use ringlink_codec::table::{AttributeWriter, Body, Format, Operation, Record, Table};
use ringlink_codec::wire::{Flags, Message, MessageHeader, MessageType, Messages};

use crate::engine::{self, Counters, Datagram, Deadline, Engine, EngineChoice, EngineKind, Reason, Sizes};
use crate::error::{Error, Refused};
use crate::namespace::Namespace;
use crate::socket::{Protocol, Socket, SocketOptions};

mod batch;
mod dump;
mod lookups;
mod outbox;
mod overlap;

pub use batch::{Batch, Failure, Outcomes};
pub use dump::Dump;
pub use lookups::Lookups;
pub use overlap::{Answers, Reader};

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
}

impl Default for Config {
    fn default() -> Config {
        Config {
            engine: EngineChoice::Auto,
            sizes: Sizes::default(),
            deadline: Some(Duration::from_secs(30)),
            request: 32 * 1024,
            socket: SocketOptions::default(),
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
    /// Whether the engine is one that the configuration says how to open again.
    replaceable: bool,
    config: Config,
    /// The request being written or sent; of the configured size, so that nothing is allocated after opening.
    request: RefCell<Vec<u8>>,
    sequence: Cell<u32>,
    /// A dump that was given up while the kernel was still at it: no other can start on this socket before its end.
    abandoned: Cell<Option<Exchange>>,
    messages: Cell<u64>,
    retries: Cell<u64>,
    reopened: Cell<u64>,
    /// Whether the kernel has seen a large receive on this socket (see [`Connection::prime`]).
    primed: Cell<bool>,
    /// What engines that were replaced did.
    past: Counters,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("engine", &self.engine).field("sequence", &self.sequence.get()).finish()
    }
}

/// How many datagrams of a dump that was given up are worth receiving before the socket is replaced instead.
const DRAIN: usize = 8;

/// How often a receive that the kernel refused with `EINVAL` is repeated: a reader on another processor than the
/// requester may see that at the end of a dump.
const SPURIOUS: u32 = 3;

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
        let engine = open_engine(protocol, &config)?;
        Ok(Connection { replaceable: true, ..Connection::over(engine, config) })
    }

    /// A connection over an engine of the caller's, whose socket is connected to the kernel: one that
    /// [records](crate::engine::record) or replays, or one of a kind of its own.
    ///
    /// Of the configuration, the deadline and the longest request count. The engine is never replaced: what is left of a
    /// dump that was given up is received to its end before the next one starts, however long it is.
    pub fn over(engine: Box<dyn Engine>, config: Config) -> Connection {
        // The first sequence number cannot be guessed by who might have sent a message before the socket was connected.
        let sequence = engine.socket().port() ^ first_sequence();
        Connection {
            engine,
            replaceable: false,
            request: RefCell::new(vec![0; config.request]),
            config,
            sequence: Cell::new(sequence),
            abandoned: Cell::new(None),
            messages: Cell::new(0),
            retries: Cell::new(0),
            reopened: Cell::new(0),
            primed: Cell::new(false),
            past: Counters::default(),
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
        let exchange = Exchange::get(self.next_sequence(), self.engine.socket().port());
        let length = self.write(operation, header, fill, exchange)?;
        let root = Root::of::<Q>();
        self.get_written(length, exchange, operation.answer, root)
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
        let exchange = Exchange::apply(self.next_sequence(), self.engine.socket().port());
        let length = self.write(operation, header, fill, exchange)?;
        self.apply_written(length, exchange, Root::of::<Q>())
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
        let (exchange, length) = self.prepare_dump(operation, header, fill)?;
        Dump::start(self, length, exchange, operation.answer, Root::of::<Q>())
    }

    /// Collects many requests into few datagrams. See [`Batch`].
    pub fn batch(&mut self) -> Batch<'_> {
        Batch::new(self)
    }

    /// Asks many questions that have one answer each, many in one send. See [`Lookups`].
    pub fn lookups<Q: Format, A: Format, F>(&mut self, operation: Operation<Q, A>, each: F) -> Lookups<'_, Q, A, F>
    where
        F: FnMut(usize, Result<Body<'_, A>, Error>) -> Result<(), Error>,
    {
        Lookups::new(self, operation, each)
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

    /// Changes how long a request may wait for its answer; see [`Config::deadline`].
    pub fn set_deadline(&mut self, deadline: Option<Duration>) {
        self.config.deadline = deadline;
    }

    fn deadline(&self) -> Deadline {
        self.config.deadline.map_or(Deadline::none(), Deadline::after)
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

    /// Writes a request into the request buffer and returns its length.
    fn write<Q: Format, A>(
        &self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
        exchange: Exchange,
    ) -> Result<usize, Error> {
        let mut buffer = self.request.borrow_mut();
        let request = operation.write(&mut buffer, header, |attributes| fill(attributes))?;
        exchange.stamp(request);
        Ok(request.len())
    }

    /// Makes the socket free and ready for a dump, and writes the request for it.
    fn prepare_dump<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<(Exchange, usize), Error> {
        self.settle()?;
        self.prime()?;
        let exchange = Exchange::dump(self.next_sequence(), self.engine.socket().port());
        let length = self.write(operation, header, fill, exchange)?;
        Ok((exchange, length))
    }

    fn get_written<A: Format>(
        &self,
        length: usize,
        mut exchange: Exchange,
        answer: MessageType,
        root: Root,
    ) -> Result<Reply<'_, A>, Error> {
        let deadline = self.deadline();
        let mut datagram = self.send_written(length, deadline)?;
        loop {
            let mut messages = Messages::new(&datagram);
            loop {
                let at = messages.offset();
                let Some(message) = messages.next().transpose()? else {
                    break;
                };
                match self.accept(&mut exchange, message, origin(&datagram)) {
                    Step::Item(message) => {
                        expect(message, answer)?;
                        return Ok(Reply { datagram, at, answer: std::marker::PhantomData });
                    }
                    Step::Failed(refusal) => return Err(self.refused(&refusal, length, root)),
                    // An acknowledgement is no answer: the kernel had nothing to say.
                    Step::Finished { .. } => return Err(Error::NoAnswer),
                    Step::NotMine | Step::Skip => {}
                }
            }
            drop(datagram);
            datagram = self.receive(deadline)?;
        }
    }

    fn apply_written(&self, length: usize, mut exchange: Exchange, root: Root) -> Result<Option<String>, Error> {
        let deadline = self.deadline();
        let mut datagram = self.send_written(length, deadline)?;
        loop {
            for message in Messages::new(&datagram) {
                match self.accept(&mut exchange, message?, origin(&datagram)) {
                    Step::Finished { warning, .. } => return Ok(warning.map(|text| text.to_string())),
                    Step::Failed(refusal) => return Err(self.refused(&refusal, length, root)),
                    Step::NotMine | Step::Skip | Step::Item(_) => {}
                }
            }
            drop(datagram);
            datagram = self.receive(deadline)?;
        }
    }

    /// Sends the written request, and receives a datagram.
    fn send_written(&self, length: usize, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        let request = self.request.borrow();
        self.engine.exchange(request.get(..length).unwrap_or_default(), deadline)
    }

    fn receive(&self, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        let mut left = SPURIOUS;
        loop {
            match self.engine.receive(deadline) {
                Err(Error::System { errno: libc::EINVAL, .. }) if left > 0 => {
                    left -= 1;
                    self.retries.set(self.retries.get().wrapping_add(1));
                }
                other => return other,
            }
        }
    }

    /// What a message means for a request; also notices the end of a dump that was given up.
    #[inline]
    fn accept<'m>(&self, exchange: &mut Exchange, message: Message<'m>, origin: Origin) -> Step<'m> {
        self.messages.set(self.messages.get().wrapping_add(1));
        let step = exchange.accept(message, origin);
        if let Step::NotMine = step {
            self.note_abandoned(message, origin);
        }
        step
    }

    #[cold]
    fn note_abandoned(&self, message: Message<'_>, origin: Origin) {
        if let Some(mut abandoned) = self.abandoned.get() {
            abandoned.accept(message, origin);
            self.abandoned.set((!abandoned.is_finished()).then_some(abandoned));
        }
    }

    /// Makes the socket free for a dump: receives what is left of one that was given up, or where that is much, opens
    /// another socket and closes this one, which ends the old dump in the kernel.
    fn settle(&mut self) -> Result<(), Error> {
        let mut received = 0;
        while self.abandoned.get().is_some() {
            if received == DRAIN && self.reopen()? {
                break;
            }
            received += 1;
            match self.drain() {
                // Its end may have been lost, and then nothing comes any more.
                Err(error) if error.is_timed_out() => match self.reopen()? {
                    true => break,
                    false => return Err(error),
                },
                other => other?,
            }
        }
        Ok(())
    }

    /// Receives one datagram of the dump that was given up.
    fn drain(&self) -> Result<(), Error> {
        match self.receive(self.deadline()) {
            Ok(datagram) => {
                let origin = origin(&datagram);
                for message in Messages::new(&datagram).map_while(Result::ok) {
                    self.messages.set(self.messages.get().wrapping_add(1));
                    self.note_abandoned(message, origin);
                }
                Ok(())
            }
            // Cut or lost data of a dump that nobody wants is no loss.
            Err(error) if error.is_loss() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Replaces socket and engine by fresh ones in the same namespace; says no where that cannot be made sure of.
    fn reopen(&mut self) -> Result<bool, Error> {
        if !self.replaceable {
            return Ok(false);
        }
        let engine = open_engine(self.engine.socket().protocol(), &self.config)?;
        let here = engine.socket().namespace_cookie();
        match (here, self.engine.socket().namespace_cookie()) {
            (Ok(new), Ok(old)) if new == old => {}
            // The caller's thread has moved to another namespace since, or this kernel cannot tell.
            _ => return Ok(false),
        }
        self.past = self.past.plus(self.engine.counters());
        self.engine = engine;
        self.abandoned.set(None);
        self.primed.set(false);
        self.reopened.set(self.reopened.get().wrapping_add(1));
        Ok(true)
    }

    /// Lets the kernel see a large receive, once.
    ///
    /// The kernel sizes a dump's first datagram before it knows how large receives are. Where the first object of a
    /// table does not fit a small one, the dump would end at once, without an error and without data. An acknowledged
    /// `NLMSG_NOOP`, received with a large buffer, prevents that.
    fn prime(&self) -> Result<(), Error> {
        if self.primed.get() {
            return Ok(());
        }
        let mut exchange = Exchange::apply(self.next_sequence(), self.engine.socket().port());
        let noop = MessageHeader {
            length: 16,
            kind: MessageType::NOOP,
            flags: Flags::REQUEST | Flags::ACK,
            sequence: exchange.sequence(),
            port: self.engine.socket().port(),
        };
        let deadline = self.deadline();
        let mut datagram = self.engine.exchange(&noop.to_bytes(), deadline)?;
        loop {
            for message in Messages::new(&datagram) {
                // A refusal is as good: it was received, too.
                if let Step::Finished { .. } | Step::Failed(_) = self.accept(&mut exchange, message?, origin(&datagram))
                {
                    self.primed.set(true);
                    return Ok(());
                }
            }
            drop(datagram);
            datagram = self.receive(deadline)?;
        }
    }

    /// The error for a refusal of the request in the request buffer.
    #[cold]
    fn refused(&self, refusal: &Refusal<'_>, length: usize, root: Root) -> Error {
        let request = self.request.borrow();
        let message = request.get(..length).and_then(|bytes| Message::parse(bytes).ok());
        refused(self.engine.socket().protocol(), refusal, message, Some(root))
    }
}

/// One answer, borrowed from the connection.
#[must_use]
pub struct Reply<'c, A> {
    datagram: Datagram<'c>,
    at: usize,
    answer: std::marker::PhantomData<fn() -> A>,
}

impl<A: Format> Reply<'_, A> {
    /// The answer, taken apart.
    pub fn body(&self) -> Body<'_, A> {
        Body::of(self.message())
    }

    /// The answer as a message.
    pub fn message(&self) -> Message<'_> {
        let bytes = self.datagram.bytes().get(self.at..).unwrap_or_default();
        // It was parsed from this very place.
        Message::parse(bytes).unwrap_or(Message { header: MessageHeader::default(), payload: &[] })
    }
}

impl<A> fmt::Debug for Reply<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply").field("datagram", &self.datagram).field("at", &self.at).finish()
    }
}

/// A request's root space and the size of its fixed header: what a refusal's offset is resolved with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root {
    space: fn() -> &'static codec::table::Space,
    header: usize,
}

impl Root {
    pub(crate) fn of<Q: Format>() -> Root {
        Root { space: <Q::Space as Table>::space, header: <Q::Header as Record>::LAYOUT.size }
    }
}

/// The error for a refusal of `request`.
#[cold]
pub(crate) fn refused(
    protocol: Protocol,
    refusal: &Refusal<'_>,
    request: Option<Message<'_>>,
    root: Option<Root>,
) -> Error {
    let table = codec::protocol::Protocol::numbered(protocol.0);
    let row = request.zip(table).and_then(|(request, table)| table.row(request, codec::generic::Numbers::default()));
    let root = root.or(row.map(|row| Root { space: row.space, header: row.header.size }));
    let path = match (request, root) {
        (Some(request), Some(root)) => refusal.path(request, (root.space)(), root.header),
        _ => Path::default(),
    };
    Error::Refused(Box::new(Refused::new(refusal, row.map_or("", |row| row.name), path)))
}

fn open_engine(protocol: Protocol, config: &Config) -> Result<Box<dyn Engine>, Error> {
    let socket = Socket::open(protocol, &config.socket)?;
    socket.connect_to_kernel()?;
    engine::open_with(config.engine, config.sizes, socket)
}

/// Says no to an answer of another type.
pub(crate) fn expect(message: Message<'_>, answer: MessageType) -> Result<(), Error> {
    if message.header.kind == answer {
        return Ok(());
    }
    let kind = codec::wire::ErrorKind::MessageType { found: message.header.kind.0, expected: answer.0 };
    Err(Error::Codec(codec::Error::new(kind, 4)))
}

/// Who sent a datagram, and to whom.
fn origin(datagram: &Datagram<'_>) -> Origin {
    Origin { port: datagram.sender(), group: datagram.group() }
}

/// A number that other processes do not know.
pub(crate) fn first_sequence() -> u32 {
    use std::hash::{BuildHasher, Hasher};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    u32::try_from(random >> 32).unwrap_or_default()
}
