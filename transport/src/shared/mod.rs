//! A handle for many threads: they ask, and one thread, which the caller starts, talks to the kernel for all of them.
//!
//! A [`Handle`] may be cloned and used anywhere. Its requests go through one bounded queue to the [`Worker`], which sends
//! what waits there in one datagram, up to as many requests as the socket's receive buffer has room for answers, and takes
//! each answer to who asked, by its sequence number and port id. Dumps have sockets of their own, so that neither a
//! long dump nor one that nobody reads on holds the other requests up.
//!
//! ```
//! use ringlink::codec::route::{Link, LinkHeader, Rtm};
//! use ringlink::{Protocol, shared};
//!
//! let (handle, worker) = shared::open(Protocol::ROUTE)?;
//! std::thread::scope(|scope| {
//!     let worker = scope.spawn(|| worker.run());
//!     for _ in 0..4 {
//!         let handle = handle.clone();
//!         scope.spawn(move || {
//!             let lo = LinkHeader { index: 1, ..LinkHeader::default() };
//!             let link = handle.get(Rtm::GETLINK, lo, |_| {})?;
//!             let links = handle.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?;
//!             let mut names = Vec::new();
//!             let end = links.for_each(|link| {
//!                 names.push(link.attributes.get(Link::IFNAME)?.map(|name| name.to_string()));
//!                 Ok(())
//!             })?;
//!             assert!(link.body().header.index == 1 && end.is_complete() && !names.is_empty());
//!             Ok::<(), ringlink::Error>(())
//!         });
//!     }
//!     drop(handle); // with the last one the worker ends
//!     assert!(worker.join().is_ok_and(|counts| counts.requests == 4 && counts.dumps == 4));
//! });
//! # Ok::<(), ringlink::Error>(())
//! ```
//!
//! One request costs about two changes of thread more than on a [`Connection`](crate::Connection): threads with much to ask are better
//! off with one each. There are no events here; a [`Monitor`](crate::Monitor) is cheap, and each thread may have its own.
//!
//! Memory is bounded by the [`Limits`]. The worker waits for answers that a kernel does not give at once, and the other
//! requests wait with it: the kernel's configuration lock holds up one of them and all behind it.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use ringlink_codec::exchange::Exchange;
use ringlink_codec::reply::End;
use ringlink_codec::table::{AttributeWriter, Body, Format, Operation};
use ringlink_codec::wire::{Message, MessageHeader, MessageType, Messages};

use crate::connection::{Config, Root};
use crate::engine::Engine;
use crate::error::Error;
use crate::socket::Protocol;

mod worker;

pub use worker::{Counts, Worker};

use worker::{Ask, Asked, Kind, Opener, Outcome, Part, Work};

/// Opens a handle and its worker, with the defaults.
///
/// # Errors
///
/// As [`with`].
pub fn open(protocol: Protocol) -> Result<(Handle, Worker), Error> {
    with(protocol, Config::default(), Limits::default())
}

/// Opens a handle and its worker. All sockets are opened here, in the calling thread's namespace or the configuration's.
///
/// # Errors
///
/// Those of [`Connection::with`](crate::Connection::with); [`Error::Configuration`] where a limit is zero or above 65,536.
pub fn with(protocol: Protocol, config: Config, limits: Limits) -> Result<(Handle, Worker), Error> {
    make(Opener { protocol, config, source: None }, limits)
}

/// A handle and its worker over engines of the caller's, whose sockets are connected to whom is asked: of a
/// [`Mock`](crate::engine::mock::Mock), for tests, or ones that meet [`faults`](crate::engine::faults). There is one for requests
/// and one for each dump that may be under way; where a dump does not come to its end, the worker asks for another. Of the
/// configuration, the deadline and the longest request count.
///
/// ```
/// use ringlink::codec::reply::Refusal;
/// use ringlink::codec::route::{LinkHeader, Rtm};
/// use ringlink::engine::mock::Mock;
/// use ringlink::server::{Answer, Request};
/// use ringlink::shared::{self, Limits};
/// use ringlink::{Config, Error, Protocol};
///
/// let kernel = Mock::new(Protocol::ROUTE, |_: &Request<'_>, _: &mut Answer<'_, '_>| Ok::<(), Refusal<'static>>(()));
/// let (handle, worker) = shared::over(move || kernel.engine(), Config::default(), Limits::default())?;
/// std::thread::scope(|scope| {
///     scope.spawn(|| worker.run());
///     let changed = handle.apply(Rtm::SETLINK, LinkHeader { index: 1, ..LinkHeader::default() }, |_| {});
///     drop(handle);
///     changed
/// })?;
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
///
/// What `open` says; [`Error::Configuration`] as with [`with`].
pub fn over(
    open: impl Fn() -> Result<Box<dyn Engine>, Error> + Send + 'static,
    config: Config,
    limits: Limits,
) -> Result<(Handle, Worker), Error> {
    // The protocol is that of the engines.
    make(Opener { protocol: Protocol(0), config, source: Some(Box::new(open)) }, limits)
}

fn make(opener: Opener, limits: Limits) -> Result<(Handle, Worker), Error> {
    let Limits { waiting, dumps, datagrams } = limits;
    if [waiting, dumps, datagrams].iter().any(|limit| !(1..=65_536).contains(limit)) {
        return Err(Error::Configuration { rule: "a shared handle's limits are 1 to 65536" });
    }
    let (queue, work) = sync_channel(waiting);
    let handle = Handle { queue, request: opener.config.request, datagrams };
    let worker = Worker::new(work, opener, dumps, datagrams)?;
    Ok((handle, worker))
}

/// What a shared handle and its worker may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many requests may wait in the queue; who asks one more waits until there is room. Default: 256.
    pub waiting: usize,
    /// How many dumps may be under way; who asks for one more waits for an end. Each has a socket and an engine of its own.
    /// A thread that holds so many unfinished dumps must not ask for another. Default: 4.
    pub dumps: usize,
    /// How many datagrams of each dump, of up to 32 KiB, may be received before somebody reads them. Default: 8.
    pub datagrams: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { waiting: 256, dumps: 4, datagrams: 8 }
    }
}

/// Asks, from any thread. See the [module](self).
///
/// Every method waits for the worker: until it runs, and until it has the answer. When the worker has ended, because its
/// thread panicked or was never started and the worker was dropped, they fail with [`Error::WorkerGone`].
#[derive(Clone)]
pub struct Handle {
    queue: SyncSender<Work>,
    /// Bytes of the longest request.
    request: usize,
    datagrams: usize,
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").finish_non_exhaustive()
    }
}

impl Handle {
    /// Asks a question that has one answer.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::get`](crate::Connection::get), and [`Error::WorkerGone`].
    pub fn get<Q: Format, A: Format>(
        &self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Answer<A>, Error> {
        let request = self.write(operation, header, fill)?;
        match self.ask(request, Root::of(operation), Kind::Get(operation.answer))? {
            Outcome::Answer(bytes) => Ok(Answer { bytes, format: PhantomData }),
            Outcome::Done(_) => Err(Error::NoAnswer),
        }
    }

    /// Asks for a change, and waits until the kernel has made it. Returns a warning where the kernel gives one.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::apply`](crate::Connection::apply), and [`Error::WorkerGone`]: the change may yet be made.
    pub fn apply<Q: Format, A>(
        &self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Option<String>, Error> {
        let request = self.write(operation, header, fill)?;
        match self.ask(request, Root::of(operation), Kind::Apply)? {
            Outcome::Done(warning) => Ok(warning),
            Outcome::Answer(_) => Ok(None),
        }
    }

    /// Asks for everything, and waits until the dump has started.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where the request does not fit, [`Error::WorkerGone`], and what the engine says. A refusal comes from
    /// [`Dump::next`].
    pub fn dump<Q: Format, A: Format>(
        &self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Dump<A>, Error> {
        let request = self.write(operation, header, fill)?;
        // Room for all the datagrams, the start and the end: the worker never waits to say something.
        let (say, parts) = sync_channel(self.datagrams.saturating_add(2));
        let reader = Arc::new(());
        let asked = Asked {
            request,
            root: Root::of(operation),
            answer: operation.answer,
            say,
            reader: Arc::downgrade(&reader),
        };
        self.queue.send(Work::Dump(asked)).map_err(|_| Error::WorkerGone)?;
        match parts.recv() {
            Ok(Part::Started { lane, exchange }) => Ok(Dump {
                queue: self.queue.clone(),
                parts,
                reader: Some(reader),
                lane,
                exchange,
                answer: operation.answer,
                datagram: Vec::new(),
                at: 0,
                end: None,
                format: PhantomData,
            }),
            Ok(Part::Failed(error)) => Err(error),
            Ok(Part::Datagram(_) | Part::End(_)) | Err(_) => Err(Error::WorkerGone),
        }
    }

    fn write<Q: Format, A>(
        &self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Vec<u8>, Error> {
        let mut buffer = vec![0; self.request];
        let length = operation.write(&mut buffer, header, |attributes| fill(attributes))?.len();
        buffer.truncate(length);
        buffer.shrink_to_fit();
        Ok(buffer)
    }

    fn ask(&self, request: Vec<u8>, root: Root, kind: Kind) -> Result<Outcome, Error> {
        let (say, outcome) = sync_channel(1);
        self.queue.send(Work::Ask(Ask { request, root, kind, say })).map_err(|_| Error::WorkerGone)?;
        outcome.recv().map_err(|_| Error::WorkerGone)?
    }
}

/// One answer, owned.
#[derive(Clone)]
pub struct Answer<A> {
    /// One message.
    bytes: Vec<u8>,
    format: PhantomData<fn() -> A>,
}

impl<A: Format> Answer<A> {
    /// The answer, taken apart.
    pub fn body(&self) -> Body<'_, A> {
        Body::of(self.message())
    }

    /// The answer as a message.
    pub fn message(&self) -> Message<'_> {
        // It was a message when it was received.
        Message::parse(&self.bytes).unwrap_or(Message { header: MessageHeader::default(), payload: &[] })
    }
}

impl<A> fmt::Debug for Answer<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("length", &self.bytes.len()).finish()
    }
}

/// A dump under way: [`next`](Dump::next) lends one message after the other, [`end`](Dump::end) says how it ended.
///
/// It may be dropped at any time: the worker throws away what is left of it.
#[must_use = "a dump does nothing but what is asked of it"]
pub struct Dump<A> {
    queue: SyncSender<Work>,
    parts: Receiver<Part>,
    /// While it is there, somebody reads.
    reader: Option<Arc<()>>,
    lane: usize,
    exchange: Exchange,
    answer: MessageType,
    datagram: Vec<u8>,
    /// Where the next message starts in the datagram.
    at: usize,
    /// How it ended, or why not.
    end: Option<Result<End, Error>>,
    format: PhantomData<fn() -> A>,
}

impl<A> fmt::Debug for Dump<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dump").field("exchange", &self.exchange).field("end", &self.end).finish_non_exhaustive()
    }
}

impl<A: Format> Dump<A> {
    /// The next message, or `None` at the end. The message is lent until the next call.
    ///
    /// # Errors
    ///
    /// Those of [`connection::Dump::next`](crate::connection::Dump::next), of which each ends the dump and is said again if it
    /// is asked again; and [`Error::WorkerGone`].
    #[allow(clippy::should_implement_trait, reason = "lends, which an iterator cannot")]
    pub fn next(&mut self) -> Result<Option<Body<'_, A>>, Error> {
        let Some(place) = self.advance()? else { return Ok(None) };
        // `advance` has parsed the message at this place already.
        Ok(self.datagram.get(place).and_then(|bytes| Message::parse(bytes).ok()).map(Body::of))
    }

    /// Hands every message that is left to a closure, and says how the dump ended.
    ///
    /// # Errors
    ///
    /// Those of [`next`](Dump::next), and the closure's own, which gives the rest of the dump up.
    pub fn for_each(mut self, mut each: impl FnMut(Body<'_, A>) -> Result<(), Error>) -> Result<End, Error> {
        while let Some(body) = self.next()? {
            each(body)?;
        }
        Ok(self.end())
    }

    /// How the dump ended. Before its end, and after an error, it counts as cut ([`End::truncated`]).
    pub fn end(&self) -> End {
        match self.end {
            Some(Ok(end)) => end,
            _ => {
                let mut exchange = self.exchange;
                exchange.truncated();
                exchange.end()
            }
        }
    }

    /// Goes to the next answer; returns where in the datagram it is.
    fn advance(&mut self) -> Result<Option<Range<usize>>, Error> {
        loop {
            let mut messages = Messages::new(self.datagram.get(self.at..).unwrap_or_default());
            let start = self.at;
            // The worker has been through the messages, and says what is wrong with them.
            if let Some(Ok(message)) = messages.next() {
                self.at = start.saturating_add(messages.offset());
                if message.header.kind == self.answer && self.exchange.is_item(message.header, self.exchange.source()) {
                    return Ok(Some(start..self.at));
                }
                continue;
            }
            if let Some(end) = &self.end {
                return end.clone().map(|_| None);
            }
            let read = std::mem::take(&mut self.datagram);
            if read.capacity() > 0 {
                let sequence = self.exchange.sequence();
                // Where nobody takes it back, the next part says so.
                let _ = self.queue.send(Work::Read { lane: self.lane, sequence, datagram: read });
            }
            self.at = 0;
            match self.parts.recv() {
                Ok(Part::Datagram(bytes)) => self.datagram = bytes,
                Ok(Part::End(end)) => self.end = Some(Ok(end)),
                Ok(Part::Failed(error)) => self.end = Some(Err(error)),
                Ok(Part::Started { .. }) => {}
                Err(_) => self.end = Some(Err(Error::WorkerGone)),
            }
        }
    }
}

impl<A> Drop for Dump<A> {
    fn drop(&mut self) {
        self.reader = None;
        // The worker may sleep until there is room for more of this dump. Where the queue is full it does not sleep.
        let _ = self.queue.try_send(Work::Unread);
    }
}
