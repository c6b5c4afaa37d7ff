//! Requests and events on tokio's reactor (feature `tokio1`): the methods of [`crate::Connection`] and [`crate::Monitor`], to
//! be awaited.
//!
//! There is no thread and no runtime behind it: a task that waits is woken by the runtime's reactor when the socket has
//! something, and takes the same [`steps`] that the blocking methods take. Connections and
//! monitors can be opened anywhere; methods that wait must be awaited in a runtime whose IO driver is enabled, always the same
//! one, and its tasks may move between its threads.
//!
//! ```
//! use ringlink::Protocol;
//! use ringlink::codec::route::{Link, LinkHeader, Rtm};
//! use ringlink::tokio::Connection;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), ringlink::Error> {
//! let mut connection = Connection::open(Protocol::ROUTE)?;
//! let lo = connection.get(Rtm::GETLINK, LinkHeader { index: 1, ..Default::default() }, |_| {}).await?;
//! println!("{:?}", lo.attributes.get(Link::IFNAME)?);
//!
//! let mut links = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?;
//! while let Some(link) = links.next().await? {
//!     println!("{:?}", link.attributes.get(Link::IFNAME)?);
//! }
//! assert!(links.end().is_complete());
//! # Ok(())
//! # }
//! ```
//!
//! # Dropping a future
//!
//! Every future may be dropped at any point, by `select!`, by a timeout or with its task, and the connection goes on:
//!
//! * of [`get`](Connection::get) and [`apply`](Connection::apply), the answer that comes late is nobody's;
//! * of [`Dump::next`], nothing is lost: the next call goes on where it was. A [`Dump`] that is dropped before its end is
//!   received and thrown away before the next dump, or the socket is replaced for it;
//! * of [`Batch::add`] and [`Lookups::add`], the request was not added; of `flush`, the next call goes on with it; a batch that
//!   is dropped leaves open what became of the requests that were under way;
//! * of [`Monitor::receive`], no event is lost.
//!
//! A future that was never polled has done nothing.
//!
//! # What a timeout cannot do
//!
//! [`Config::deadline`] does not count here: who wants a deadline wraps a future in `tokio::time::timeout`. That abandons a
//! request and does not cancel it. The kernel carries a request out inside the very `send(2)` of the first poll and fills a
//! dump's next datagram inside `recv(2)`, and either may wait there for the kernel's configuration lock (RTNL): no timeout
//! comes in between, and the runtime's thread waits, too. So a request that was polled once has mostly taken
//! effect, and most futures here are ready at their first poll. A program that must not have its runtime held up by a
//! busy kernel asks in a thread of its own.
//!
//! # Engines
//!
//! [`EngineChoice::Auto`] is plain system calls here, and the reactor watches the socket. A ring can be asked for
//! ([`EngineChoice::Ring`]), and then the reactor watches the ring: it saves an eighth of the processor time of following
//! events where the runtime has one thread. Where it has several it costs as much more, for the kernel hands what arrives on a
//! ring to the thread that armed the receive, and a task that has moved has to have its receive cancelled and armed again.
//! Requests gain nothing by it.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::task::Poll;
use std::time::Instant;

use ringlink_codec::reply::End;
use ringlink_codec::table::{AttributeWriter, Body, Format, Operation};
use ringlink_codec::wire::{Message, Messages};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::task::coop::consume_budget;

use crate::connection::steps::{self, Advance};
use crate::connection::{self, Config, Outcomes, Statistics};
use crate::engine::{Counters, Deadline, Engine, EngineChoice, Reason};
use crate::error::Error;
use crate::monitor;
use crate::socket::{Protocol, Socket};

/// A socket for requests; [`crate::Connection`] to be awaited. See the [module](self).
#[derive(Debug)]
pub struct Connection {
    inner: connection::Connection,
    readiness: Readiness,
}

impl Connection {
    /// Opens a connection with the default configuration.
    ///
    /// # Errors
    ///
    /// As [`crate::Connection::open`].
    pub fn open(protocol: Protocol) -> Result<Connection, Error> {
        Connection::with(protocol, Config::default())
    }

    /// Opens a connection. The configuration's deadline does not count; see the [module](self).
    ///
    /// # Errors
    ///
    /// As [`crate::Connection::with`].
    pub fn with(protocol: Protocol, config: Config) -> Result<Connection, Error> {
        connection::Connection::with(protocol, plain(config)).map(Connection::from)
    }

    /// As [`crate::Connection::over`].
    pub fn over(engine: Box<dyn Engine>, config: Config) -> Connection {
        Connection::from(connection::Connection::over(engine, config))
    }

    /// As [`crate::Connection::get`]. The answer is lent until the connection is asked for something else.
    ///
    /// # Errors
    ///
    /// As there, but for the deadline.
    pub async fn get<Q: Format, A: Format>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Body<'_, A>, Error> {
        let mut get = self.inner.start_get(operation, header, fill)?;
        self.readiness.drive(&mut get).await?;
        Ok(get.into_answer())
    }

    /// As [`crate::Connection::apply`].
    ///
    /// # Errors
    ///
    /// As there, but for the deadline.
    pub async fn apply<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Option<String>, Error> {
        let mut apply = self.inner.start_apply(operation, header, fill)?;
        self.readiness.drive(&mut apply).await
    }

    /// As [`crate::Connection::dump`]; nothing is sent before the first answer is asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where the request does not fit.
    pub fn dump<Q: Format, A: Format>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Dump<'_, A>, Error> {
        let steps = self.inner.start_dump(operation, header, fill)?;
        Ok(Dump { steps, readiness: &mut self.readiness })
    }

    /// As [`crate::Connection::batch`].
    pub fn batch(&mut self) -> Batch<'_> {
        Batch { steps: self.inner.batch(), readiness: &mut self.readiness }
    }

    /// As [`crate::Connection::transaction`].
    pub fn transaction(&mut self) -> Transaction<'_> {
        Transaction { steps: self.inner.transaction(), readiness: &mut self.readiness }
    }

    /// As [`crate::Connection::lookups`].
    pub fn lookups<Q: Format, A: Format, F>(&mut self, operation: Operation<Q, A>, each: F) -> Lookups<'_, Q, A, F>
    where
        F: FnMut(usize, Result<Body<'_, A>, Error>) -> Result<(), Error>,
    {
        Lookups { steps: self.inner.lookups(operation, each), readiness: &mut self.readiness }
    }

    /// The socket, for its options, its buffers and its port id.
    pub fn socket(&self) -> &Socket {
        self.inner.socket()
    }

    /// What the connection has done so far, and with which engine.
    pub fn statistics(&self) -> Statistics {
        self.inner.statistics()
    }

    /// The connection for those who wait.
    pub fn into_blocking(self) -> connection::Connection {
        self.inner
    }
}

/// A connection to be awaited from now on, over the engine that it has.
impl From<connection::Connection> for Connection {
    fn from(inner: connection::Connection) -> Connection {
        Connection { inner, readiness: Readiness::default() }
    }
}

/// A dump under way; [`connection::Dump`] to be awaited.
#[must_use = "a dump does nothing but what is asked of it"]
pub struct Dump<'c, A> {
    steps: steps::Dump<'c, A>,
    readiness: &'c mut Readiness,
}

impl<A: Format> Dump<'_, A> {
    /// The next answer, or `None` at the end. It is lent until the next call.
    ///
    /// # Errors
    ///
    /// As [`connection::Dump::next`], but for the deadline.
    pub async fn next(&mut self) -> Result<Option<Body<'_, A>>, Error> {
        let reached = self.steps.step_within()? || self.readiness.drive(&mut self.steps).await?;
        Ok(reached.then(|| self.steps.current()))
    }

    /// As [`next`](Dump::next), but the message as it is.
    ///
    /// # Errors
    ///
    /// As [`next`](Dump::next).
    pub async fn next_message(&mut self) -> Result<Option<Message<'_>>, Error> {
        let reached = self.steps.step_within()? || self.readiness.drive(&mut self.steps).await?;
        Ok(reached.then(|| self.steps.current_message()))
    }

    /// Hands every answer that is left to a closure, and says how the dump ended. Other tasks have their turn whenever this
    /// one's budget is used up, of which each datagram takes a unit.
    ///
    /// # Errors
    ///
    /// Those of [`next`](Dump::next), and the closure's own, which gives the rest of the dump up.
    pub async fn for_each(mut self, mut each: impl FnMut(Body<'_, A>) -> Result<(), Error>) -> Result<End, Error> {
        let mut steps = Each { steps: &mut self.steps, each: &mut each };
        while self.readiness.drive(&mut steps).await? {}
        Ok(self.end())
    }

    /// How the dump ended. Before its end, and after an error, it counts as cut ([`End::truncated`]).
    pub fn end(&self) -> End {
        self.steps.end()
    }
}

impl<A> fmt::Debug for Dump<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.fmt(f)
    }
}

/// A dump of whose answers each goes to a closure.
struct Each<'d, 'c, A, F> {
    steps: &'d mut steps::Dump<'c, A>,
    each: &'d mut F,
}

impl<A: Format, F: FnMut(Body<'_, A>) -> Result<(), Error>> Advance for Each<'_, '_, A, F> {
    type Output = bool;

    fn advance(&mut self) -> Poll<Result<bool, Error>> {
        self.steps.advance_each(&mut *self.each)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.steps.descriptor()
    }
}

/// Many requests in few datagrams; [`connection::Batch`] to be awaited.
#[derive(Debug)]
#[must_use = "requests that still wait to be sent are sent by `finish`"]
pub struct Batch<'c> {
    steps: connection::Batch<'c>,
    readiness: &'c mut Readiness,
}

impl Batch<'_> {
    /// As [`connection::Batch::add`].
    ///
    /// # Errors
    ///
    /// As there, but for the deadline.
    pub async fn add<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        mut fill: impl FnMut(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<(), Error> {
        while !self.steps.offer(operation, header, &mut fill)? {
            self.flush().await?;
        }
        Ok(())
    }

    /// As [`connection::Batch::flush`].
    ///
    /// # Errors
    ///
    /// As there, but for the deadline.
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.readiness.drive(&mut self.steps).await
    }

    /// As [`connection::Batch::finish`].
    ///
    /// # Errors
    ///
    /// As [`flush`](Batch::flush).
    pub async fn finish(mut self) -> Result<Outcomes, Error> {
        self.flush().await?;
        self.steps.finish()
    }
}

/// Changes of a firewall; [`connection::Transaction`] to be awaited. Commands are added as there: that waits for nothing.
#[derive(Debug)]
#[must_use = "nothing is sent before `commit`"]
pub struct Transaction<'c> {
    steps: connection::Transaction<'c>,
    readiness: &'c mut Readiness,
}

impl Transaction<'_> {
    /// As [`connection::Transaction::at_generation`].
    pub fn at_generation(self, generation: u32) -> Self {
        Transaction { steps: self.steps.at_generation(generation), ..self }
    }

    /// As [`connection::Transaction::commit`].
    ///
    /// # Errors
    ///
    /// As there, but for the deadline.
    pub async fn commit(mut self) -> Result<(), Error> {
        self.readiness.drive(&mut self.steps).await
    }
}

impl<'c> Deref for Transaction<'c> {
    type Target = connection::Transaction<'c>;

    fn deref(&self) -> &connection::Transaction<'c> {
        &self.steps
    }
}

impl<'c> DerefMut for Transaction<'c> {
    fn deref_mut(&mut self) -> &mut connection::Transaction<'c> {
        &mut self.steps
    }
}

/// Many questions in few datagrams; [`connection::Lookups`] to be awaited.
#[must_use = "questions that still wait to be sent are sent by `finish`"]
pub struct Lookups<'c, Q, A, F> {
    steps: connection::Lookups<'c, Q, A, F>,
    readiness: &'c mut Readiness,
}

impl<Q, A, F> fmt::Debug for Lookups<'_, Q, A, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.steps.fmt(f)
    }
}

impl<Q: Format, A: Format, F> Lookups<'_, Q, A, F>
where
    F: FnMut(usize, Result<Body<'_, A>, Error>) -> Result<(), Error>,
{
    /// As [`connection::Lookups::add`].
    ///
    /// # Errors
    ///
    /// As there, but for the deadline.
    pub async fn add(
        &mut self,
        header: Q::Header,
        mut fill: impl FnMut(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<(), Error> {
        while !self.steps.offer(header, &mut fill)? {
            self.flush().await?;
        }
        Ok(())
    }

    /// As [`connection::Lookups::flush`].
    ///
    /// # Errors
    ///
    /// As there, but for the deadline.
    pub async fn flush(&mut self) -> Result<(), Error> {
        self.readiness.drive(&mut self.steps).await
    }

    /// As [`connection::Lookups::finish`].
    ///
    /// # Errors
    ///
    /// As [`flush`](Lookups::flush).
    pub async fn finish(mut self) -> Result<usize, Error> {
        self.flush().await?;
        self.steps.finish()
    }
}

/// A socket for events; [`crate::Monitor`] to be awaited.
///
/// ```no_run
/// use ringlink::Protocol;
/// use ringlink::codec::route::{Group, Link, Rtm};
/// use ringlink::tokio::Monitor;
///
/// # async fn f() -> Result<(), ringlink::Error> {
/// let mut monitor = Monitor::open(Protocol::ROUTE, &[Group::LINK.0])?;
/// loop {
///     let notice = monitor.receive().await?;
///     for message in notice.messages() {
///         if let Ok(link) = message?.body(Rtm::NEWLINK) {
///             println!("{:?} changed", link.attributes.get(Link::IFNAME)?);
///         }
///     }
/// }
/// # }
/// ```
pub struct Monitor {
    inner: monitor::Monitor,
    readiness: Readiness,
    /// What is lent.
    bytes: Vec<u8>,
    /// A moment that has passed.
    opened: Instant,
}

/// A datagram of events, lent by a monitor. Unlike a [blocking monitor's](monitor::Notice) it may be held while its task
/// moves between threads: it is a copy.
#[derive(Clone, Copy)]
#[must_use = "events that are not looked at are lost"]
pub struct Notice<'m> {
    bytes: &'m [u8],
    group: u32,
    namespace: Option<i32>,
}

// Bytes may be keys, so that both only count them.
impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl fmt::Debug for Notice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notice")
            .field("length", &self.bytes.len())
            .field("group", &self.group)
            .field("namespace", &self.namespace)
            .finish()
    }
}

impl Monitor {
    /// Opens a monitor with the default configuration and joins these groups.
    ///
    /// # Errors
    ///
    /// As [`crate::Monitor::with`].
    pub fn open(protocol: Protocol, groups: &[u32]) -> Result<Monitor, Error> {
        Monitor::with(protocol, &Config::default(), groups)
    }

    /// Opens a monitor and joins these groups. Of the configuration, the engine and the socket's options count.
    ///
    /// # Errors
    ///
    /// As [`crate::Monitor::with`].
    pub fn with(protocol: Protocol, config: &Config, groups: &[u32]) -> Result<Monitor, Error> {
        monitor::Monitor::with(protocol, &plain(config.clone()), groups).map(Monitor::from)
    }

    /// The next datagram from the kernel. A future that is dropped has taken none.
    ///
    /// # Errors
    ///
    /// [`Error::Overrun`] where events were lost, and what the engine says. The monitor goes on after each of them.
    pub async fn receive(&mut self) -> Result<Notice<'_>, Error> {
        let Monitor { inner, readiness, bytes, opened } = self;
        let (group, namespace) = readiness.drive(&mut Receive { inner, bytes, now: Deadline::at(*opened) }).await?;
        Ok(Notice { bytes, group, namespace })
    }

    /// How many datagrams of other processes were refused.
    pub fn foreign(&self) -> u64 {
        self.inner.foreign()
    }

    /// The socket, for its groups and its drop counter.
    pub fn socket(&self) -> &Socket {
        self.inner.socket()
    }

    /// The engine, and why it is that.
    pub fn reason(&self) -> Reason {
        self.inner.reason()
    }

    /// What the engine did.
    pub fn counters(&self) -> Counters {
        self.inner.counters()
    }

    /// The monitor for those who wait.
    pub fn into_blocking(self) -> monitor::Monitor {
        self.inner
    }
}

/// A monitor to be awaited from now on, over the engine that it has.
impl From<monitor::Monitor> for Monitor {
    fn from(inner: monitor::Monitor) -> Monitor {
        Monitor { inner, readiness: Readiness::default(), bytes: Vec::new(), opened: Instant::now() }
    }
}

impl<'m> Notice<'m> {
    /// The events, in order.
    pub fn messages(&self) -> Messages<'m> {
        Messages::new(self.bytes)
    }

    /// The multicast group it was sent to.
    pub fn group(&self) -> u32 {
        self.group
    }

    /// The id of the namespace it comes from, as [`monitor::Notice::namespace`].
    pub fn namespace(&self) -> Option<i32> {
        self.namespace
    }

    /// The bytes.
    pub fn bytes(&self) -> &'m [u8] {
        self.bytes
    }
}

/// The next datagram of a monitor, copied to where it may be lent from in any thread.
struct Receive<'m> {
    inner: &'m mut monitor::Monitor,
    bytes: &'m mut Vec<u8>,
    now: Deadline,
}

impl Advance for Receive<'_> {
    type Output = (u32, Option<i32>);

    fn advance(&mut self) -> Poll<Result<(u32, Option<i32>), Error>> {
        match self.inner.receive(self.now) {
            Err(Error::TimedOut) => Poll::Pending,
            Err(error) => Poll::Ready(Err(error)),
            Ok(notice) => {
                self.bytes.clear();
                self.bytes.extend_from_slice(notice.bytes());
                Poll::Ready(Ok((notice.group(), notice.namespace())))
            }
        }
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.inner.descriptor()
    }
}

/// The reactor's view of a descriptor; none before something was first waited for.
#[derive(Debug, Default)]
struct Readiness {
    /// The descriptor watched, and the duplicate of it that the reactor has: it must never watch one that was closed, and a
    /// connection closes its own where it replaces its socket.
    watched: Option<(RawFd, AsyncFd<OwnedFd>)>,
}

impl Readiness {
    /// Advances something until it is ready. Between two steps there is nothing but waiting, so dropping the future at any
    /// point is leaving off between two steps.
    async fn drive<S: Advance>(&mut self, steps: &mut S) -> Result<S::Output, Error> {
        // What is always ready, as a dump is, would never leave another task its turn.
        consume_budget().await;
        self.forget_unless(steps.descriptor());
        if let Poll::Ready(result) = steps.advance() {
            return result;
        }
        loop {
            let watched = self.watch(steps.descriptor())?;
            let mut guard = watched.readable().await.map_err(|error| Error::from_io("epoll_wait", &error))?;
            if let Poll::Ready(result) = steps.advance() {
                return result;
            }
            guard.clear_ready();
        }
    }

    /// Stops watching another descriptor than this. It is told by its number: one step replaces a socket once at the most, and
    /// the old one is closed after the new one was opened, so looked at before and after each step, the number of another
    /// descriptor is another number.
    fn forget_unless(&mut self, descriptor: BorrowedFd<'_>) {
        self.watched.take_if(|(number, _)| *number != descriptor.as_raw_fd());
    }

    fn watch(&mut self, descriptor: BorrowedFd<'_>) -> Result<&AsyncFd<OwnedFd>, Error> {
        self.forget_unless(descriptor);
        let (_, watched) = match self.watched.take() {
            Some(watched) => self.watched.insert(watched),
            None => {
                let own = descriptor.try_clone_to_owned().map_err(|error| Error::from_io("fcntl", &error))?;
                self.watched.insert((descriptor.as_raw_fd(), register(own)?))
            }
        };
        Ok(watched)
    }
}

#[allow(deprecated, reason = "its successor is unsafe for the sake of what may close its descriptor; this owns it")]
fn register(descriptor: OwnedFd) -> Result<AsyncFd<OwnedFd>, Error> {
    AsyncFd::try_with_interest(descriptor, Interest::READABLE)
        .map_err(|error| Error::from_io("epoll_ctl", &error.into_parts().1))
}

/// System calls, unless a ring was asked for.
fn plain(config: Config) -> Config {
    let engine = match config.engine {
        EngineChoice::Auto => EngineChoice::Syscall,
        asked => asked,
    };
    Config { engine, ..config }
}
