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

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, sync_channel};
use std::sync::{Arc, Weak};
use std::time::Duration;

use ringlink_codec::exchange::{Exchange, Origin, Step};
use ringlink_codec::reply::End;
use ringlink_codec::table::{AttributeWriter, Body, Format, Operation};
use ringlink_codec::wire::{Flags, Message, MessageHeader, MessageType, Messages};

use crate::connection::{Config, Root, expect, first_sequence, refused};
use crate::engine::{self, Datagram, Deadline, Engine};
use crate::error::Error;
use crate::socket::{Protocol, Socket};

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
/// Those of [`Connection::with`](crate::Connection::with); [`Error::Configuration`] where a limit is zero.
pub fn with(protocol: Protocol, config: Config, limits: Limits) -> Result<(Handle, Worker), Error> {
    let Limits { waiting, dumps, datagrams } = limits;
    if waiting == 0 || dumps == 0 || datagrams == 0 {
        return Err(Error::Configuration { rule: "a shared handle's limits are at least 1" });
    }
    let (queue, work) = sync_channel(waiting);
    let handle = Handle { queue, request: config.request, datagrams };
    let opener = Opener { protocol, config };
    let engine = opener.open()?;
    let buffer = engine.socket().receive_buffer().unwrap_or(0);
    let worker = Worker {
        work,
        batch: Batch {
            bytes: Vec::with_capacity(opener.config.request),
            window: (buffer / ANSWER).max(1),
            first: 0,
            flying: Vec::new(),
        },
        overflow: None,
        sequence: engine.socket().port() ^ first_sequence(),
        engine,
        lanes: (0..dumps).map(|_| opener.open_primed().map(Lane::new)).collect::<Result<_, _>>()?,
        opener,
        waiting: VecDeque::new(),
        datagrams,
        counts: Counts::default(),
    };
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
        match self.ask(request, Root::of::<Q>(), Kind::Get(operation.answer))? {
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
        match self.ask(request, Root::of::<Q>(), Kind::Apply)? {
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
        let asked =
            Asked { request, root: Root::of::<Q>(), answer: operation.answer, say, reader: Arc::downgrade(&reader) };
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
                if message.header.kind == self.answer && self.exchange.is_item(message.header, Origin::KERNEL) {
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

/// What goes to the worker.
enum Work {
    Ask(Ask),
    Dump(Asked),
    /// A dump was given up.
    Unread,
    /// A datagram of a dump was read; its memory comes back.
    Read {
        lane: usize,
        sequence: u32,
        datagram: Vec<u8>,
    },
}

/// A request with one answer.
struct Ask {
    request: Vec<u8>,
    root: Root,
    kind: Kind,
    say: SyncSender<Result<Outcome, Error>>,
}

#[derive(Clone, Copy)]
enum Kind {
    /// A question, with the type of its answer.
    Get(MessageType),
    Apply,
}

enum Outcome {
    Answer(Vec<u8>),
    Done(Option<String>),
}

/// A request for a dump.
struct Asked {
    request: Vec<u8>,
    root: Root,
    answer: MessageType,
    say: SyncSender<Part>,
    reader: Weak<()>,
}

/// What a dump's reader hears, in this order.
enum Part {
    Started { lane: usize, exchange: Exchange },
    Datagram(Vec<u8>),
    End(End),
    Failed(Error),
}

/// What a worker has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Requests sent that have one answer.
    pub requests: u64,
    /// Dumps started.
    pub dumps: u64,
    /// Datagrams in which the requests were sent.
    pub sends: u64,
    /// The most requests that one of them held.
    pub most_at_once: usize,
    /// Messages received that belonged to no request under way: answers that came after their deadline, and the rest of
    /// answers of several messages.
    pub strays: u64,
    /// How often the kernel dropped answers, or one was too long for the engine.
    pub losses: u64,
}

/// Talks to the kernel for all handles, in whatever thread calls [`run`](Worker::run). See the [module](self).
#[must_use = "nothing is answered before `run`"]
pub struct Worker {
    work: Receiver<Work>,
    opener: Opener,
    engine: Box<dyn Engine>,
    batch: Batch,
    /// A request that did not fit beside others.
    overflow: Option<Ask>,
    sequence: u32,
    lanes: Vec<Lane>,
    /// Dumps that wait for a lane: at most one for each thread that asks.
    waiting: VecDeque<Asked>,
    datagrams: usize,
    counts: Counts,
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("engine", &self.engine).field("counts", &self.counts).finish_non_exhaustive()
    }
}

/// What an answer costs in a receive buffer, in bytes of the kernel's accounting, at the most (see
/// [`Lookups`](crate::connection::Lookups)). With the default receive buffer 64 requests are on the way.
const ANSWER: usize = 3328;

/// How long the worker waits for a dump's datagram before it looks whether somebody else asks. The kernel has filled it
/// when the one before was received, so nearly always it is there.
const PATIENCE: Duration = Duration::from_millis(10);

/// How often a dump's receive that the kernel refused with `EINVAL` is repeated: a reader on another processor than the
/// requester may see that at the end of a dump.
const SPURIOUS: u32 = 3;

impl Worker {
    /// Works until all handles and dumps are dropped, and says what it did.
    ///
    /// It holds no thread but the calling one, and sleeps while nobody asks.
    pub fn run(mut self) -> Counts {
        loop {
            if let Some(ask) = self.overflow.take() {
                self.add(ask);
            }
            let busy = !self.batch.flying.is_empty()
                || self.lanes.iter().any(Lane::can_go)
                || (!self.waiting.is_empty() && self.lanes.iter().any(Lane::is_free));
            let work = match busy {
                true => self.work.try_recv(),
                false => self.work.recv().map_err(|_| TryRecvError::Disconnected),
            };
            match work {
                Ok(work) => self.take(work),
                Err(TryRecvError::Empty) => {}
                // Who waits for an answer or reads a dump has a way to send more: nobody does.
                Err(TryRecvError::Disconnected) => return self.counts,
            }
            while self.overflow.is_none() && self.batch.flying.len() < self.batch.window {
                match self.work.try_recv() {
                    Ok(work) => self.take(work),
                    Err(_) => break,
                }
            }
            self.answer_all();
            self.start_dumps();
            for lane in &mut self.lanes {
                if lane.can_go() {
                    lane.go(&self.opener, &mut self.counts);
                }
            }
        }
    }

    fn take(&mut self, work: Work) {
        match work {
            Work::Ask(ask) => self.add(ask),
            Work::Dump(asked) => self.waiting.push_back(asked),
            Work::Unread => {}
            Work::Read { lane, sequence, datagram } => {
                if let Some(running) = self.lanes.get_mut(lane).and_then(|lane| lane.running.as_mut())
                    && running.exchange.sequence() == sequence
                {
                    running.free.push(datagram);
                }
            }
        }
    }

    /// Puts a request behind those that wait to be sent, or aside where it does not fit.
    fn add(&mut self, ask: Ask) {
        let start = self.batch.bytes.len().next_multiple_of(4);
        let end = start.saturating_add(ask.request.len());
        if end > self.opener.config.request && !self.batch.flying.is_empty() {
            self.overflow = Some(ask);
            return;
        }
        if self.batch.flying.is_empty() {
            // The numbers of one batch follow each other, all above that of messages nobody asked for.
            let room = u32::try_from(self.batch.window).ok().and_then(|window| self.sequence.checked_add(window));
            self.batch.first = room.map_or(1, |_| self.sequence.saturating_add(1));
            self.sequence = self.batch.first.wrapping_sub(1);
        }
        self.sequence = self.sequence.wrapping_add(1);
        let port = self.engine.socket().port();
        let exchange = match ask.kind {
            Kind::Get(_) => Exchange::get(self.sequence, port),
            Kind::Apply => Exchange::apply(self.sequence, port),
        };
        self.batch.bytes.resize(start, 0);
        self.batch.bytes.extend(&ask.request);
        exchange.stamp(self.batch.bytes.get_mut(start..).unwrap_or_default());
        let Ask { root, kind, say, .. } = ask;
        self.batch.flying.push(Flying { exchange, request: start..end, root, kind, say: Some(say) });
    }

    /// Sends what waits to be sent, and receives until each has its answer or there is no hope of one.
    fn answer_all(&mut self) {
        let count = self.batch.flying.len();
        if count == 0 {
            return;
        }
        self.counts.requests += count as u64;
        self.counts.sends += 1;
        self.counts.most_at_once = self.counts.most_at_once.max(count);
        let protocol = self.opener.protocol;
        let deadline = self.opener.deadline();
        let mut lost = None;
        let mut received = self.engine.exchange(&self.batch.bytes, deadline);
        let error = loop {
            match received {
                Ok(datagram) => {
                    let sorted = self.batch.sort(&datagram, protocol, &mut self.counts);
                    lost = lost.or(sorted.err());
                }
                // Nobody can say whose answer it was. Those that are there yet are taken.
                Err(error) if error.is_loss() => lost = Some(error),
                Err(error) => break lost.unwrap_or(error),
            }
            if self.batch.flying.iter().all(|flying| flying.say.is_none()) {
                break Error::TimedOut;
            }
            received = self.engine.receive(if lost.is_some() { Deadline::after(Duration::ZERO) } else { deadline });
        };
        self.counts.losses += u64::from(error.is_loss());
        for flying in &mut self.batch.flying {
            flying.tell(Err(error.clone()));
        }
        self.batch.flying.clear();
        self.batch.bytes.clear();
    }

    /// Starts dumps that wait, on lanes that are free.
    fn start_dumps(&mut self) {
        while let Some(number) = self.lanes.iter().position(Lane::is_free)
            && let Some(asked) = self.waiting.pop_front()
        {
            let Some(lane) = self.lanes.get_mut(number) else { return };
            // 0 is the number of messages nobody asked for.
            self.sequence = self.sequence.checked_add(1).unwrap_or(1);
            let Asked { mut request, root, answer, say, reader } = asked;
            match lane.start(&self.opener, self.sequence, &mut request) {
                Ok(exchange) => {
                    self.counts.dumps += 1;
                    let _ = say.try_send(Part::Started { lane: number, exchange });
                    let free = vec![Vec::new(); self.datagrams];
                    let until = self.opener.deadline();
                    let running = Running { exchange, request, root, answer, say, reader, free, until, refusals: 0 };
                    lane.running = Some(running);
                }
                Err(error) => {
                    let _ = say.try_send(Part::Failed(error));
                }
            }
        }
    }
}

/// Requests that are sent in one datagram.
struct Batch {
    bytes: Vec<u8>,
    /// How many there may be: as many as the receive buffer has room for answers.
    window: usize,
    /// The sequence number of the first.
    first: u32,
    flying: Vec<Flying>,
}

/// A request that has no answer yet.
struct Flying {
    exchange: Exchange,
    /// Where it stands among those sent, for the path of a refusal.
    request: Range<usize>,
    root: Root,
    kind: Kind,
    /// Who waits for the answer; nobody, once it has been said.
    say: Option<SyncSender<Result<Outcome, Error>>>,
}

impl Flying {
    fn tell(&mut self, outcome: Result<Outcome, Error>) {
        if let Some(say) = self.say.take() {
            // There is room for one, and this is the one. Who asked waits for it.
            let _ = say.try_send(outcome);
        }
    }
}

impl Batch {
    /// Takes a datagram's messages to those who wait for them.
    fn sort(&mut self, datagram: &Datagram<'_>, protocol: Protocol, counts: &mut Counts) -> Result<(), Error> {
        for message in Messages::new(datagram) {
            let message = message?;
            let place = usize::try_from(message.header.sequence.wrapping_sub(self.first)).unwrap_or(usize::MAX);
            // An answer that has been given is given once.
            let Some(flying) = self.flying.get_mut(place).filter(|flying| flying.say.is_some()) else {
                counts.strays += 1;
                continue;
            };
            match (flying.exchange.accept(message, origin(datagram)), flying.kind) {
                (Step::Item(message), Kind::Get(answer)) => {
                    flying.tell(expect(message, answer).map(|()| Outcome::Answer(owned(message))));
                }
                (Step::Finished { .. }, Kind::Get(_)) => flying.tell(Err(Error::NoAnswer)),
                (Step::Finished { warning, .. }, Kind::Apply) => {
                    flying.tell(Ok(Outcome::Done(warning.map(|text| text.to_string()))));
                }
                (Step::Failed(refusal), _) => {
                    let request = self.bytes.get(flying.request.clone()).and_then(|bytes| Message::parse(bytes).ok());
                    flying.tell(Err(refused(protocol, &refusal, request, Some(flying.root))));
                }
                (Step::NotMine, _) => counts.strays += 1,
                (Step::Skip, _) | (Step::Item(_), Kind::Apply) => {}
            }
        }
        Ok(())
    }
}

/// A socket for dumps, one at a time.
struct Lane {
    engine: Box<dyn Engine>,
    running: Option<Running>,
    /// Whether its last dump did not come to its end: the kernel may be at it yet, and would start no other.
    broken: bool,
}

/// A dump under way.
struct Running {
    exchange: Exchange,
    request: Vec<u8>,
    root: Root,
    answer: MessageType,
    say: SyncSender<Part>,
    reader: Weak<()>,
    /// Memory for datagrams that the reader may yet be given.
    free: Vec<Vec<u8>>,
    /// When the next datagram is to be there.
    until: Deadline,
    /// How often the kernel refused a receive.
    refusals: u32,
}

impl Running {
    fn is_read(&self) -> bool {
        self.reader.strong_count() > 0
    }
}

impl Lane {
    fn new(engine: Box<dyn Engine>) -> Lane {
        Lane { engine, running: None, broken: false }
    }

    fn is_free(&self) -> bool {
        self.running.is_none()
    }

    /// Whether a datagram of its dump may be received: the reader has room for it, or does not want it.
    fn can_go(&self) -> bool {
        self.running.as_ref().is_some_and(|running| !running.free.is_empty() || !running.is_read())
    }

    fn start(&mut self, opener: &Opener, sequence: u32, request: &mut [u8]) -> Result<Exchange, Error> {
        if self.broken {
            let engine = opener.open_primed()?;
            if engine.socket().namespace_cookie()? != self.engine.socket().namespace_cookie()? {
                let rule = "a shared handle's worker runs in a thread of the namespace that its sockets were opened in";
                return Err(Error::Configuration { rule });
            }
            self.engine = engine;
            self.broken = false;
        }
        let exchange = Exchange::dump(sequence, self.engine.socket().port());
        exchange.stamp(request);
        self.engine.send(request)?;
        Ok(exchange)
    }

    /// Receives a datagram of the dump, and hands it on.
    fn go(&mut self, opener: &Opener, counts: &mut Counts) {
        let Some(running) = &mut self.running else { return };
        // Data that nobody reads is no reason to wait.
        let patience = if running.free.is_empty() { Duration::ZERO } else { PATIENCE };
        let received = match self.engine.receive(Deadline::after(Duration::ZERO)) {
            Err(error) if error.is_timed_out() => self.engine.receive(Deadline::after(patience)),
            other => other,
        };
        let failure = match received {
            Ok(datagram) => {
                running.until = opener.deadline();
                let taken = running.take(&datagram, opener.protocol, counts);
                drop(datagram);
                match taken {
                    Ok(false) => return,
                    Ok(true) => None,
                    Err(error) => Some(error),
                }
            }
            Err(error) if error.is_timed_out() && !running.until.has_passed() => return,
            Err(error) if error.is_loss() => {
                counts.losses += 1;
                running.exchange.truncated();
                return;
            }
            Err(Error::System { errno: libc::EINVAL, .. }) if running.refusals < SPURIOUS => {
                running.refusals += 1;
                return;
            }
            Err(error) => Some(error),
        };
        self.broken = !running.exchange.is_finished();
        let _ = running.say.try_send(match failure {
            Some(error) => Part::Failed(error),
            None => Part::End(running.exchange.end()),
        });
        self.running = None;
    }
}

impl Running {
    /// Goes through a datagram and hands it to the reader; says whether it was the last.
    fn take(&mut self, datagram: &Datagram<'_>, protocol: Protocol, counts: &mut Counts) -> Result<bool, Error> {
        let mut failure = None;
        let mut items = false;
        for message in Messages::new(datagram) {
            let message = match message {
                Ok(message) => message,
                Err(error) => {
                    failure = Some(Error::Codec(error));
                    break;
                }
            };
            match self.exchange.accept(message, origin(datagram)) {
                Step::Item(message) if message.header.kind == self.answer => items = true,
                Step::Item(_) => self.exchange.skipped(),
                Step::Failed(refusal) => {
                    let request = Message::parse(&self.request).ok();
                    failure = Some(refused(protocol, &refusal, request, Some(self.root)));
                }
                Step::NotMine => counts.strays += 1,
                Step::Finished { .. } | Step::Skip => {}
            }
        }
        if items && let Some(mut copy) = self.free.pop() {
            copy.clear();
            copy.extend_from_slice(datagram);
            // Where nobody reads any more, that is noticed before the next one.
            let _ = self.say.try_send(Part::Datagram(copy));
        }
        failure.map_or(Ok(self.exchange.is_finished()), Err)
    }
}

/// What sockets are opened with.
struct Opener {
    protocol: Protocol,
    config: Config,
}

impl Opener {
    fn deadline(&self) -> Deadline {
        self.config.deadline.map_or(Deadline::none(), Deadline::after)
    }

    fn open(&self) -> Result<Box<dyn Engine>, Error> {
        let socket = Socket::open(self.protocol, &self.config.socket)?;
        socket.connect_to_kernel()?;
        engine::open_with(self.config.engine, self.config.sizes, socket)
    }

    /// An engine whose kernel has seen a large receive: else it might end a dump whose first object is large at once.
    fn open_primed(&self) -> Result<Box<dyn Engine>, Error> {
        let engine = self.open()?;
        let port = engine.socket().port();
        let mut exchange = Exchange::apply(port ^ first_sequence() | 1, port);
        let noop = MessageHeader {
            length: 16,
            kind: MessageType::NOOP,
            flags: Flags::REQUEST | Flags::ACK,
            sequence: exchange.sequence(),
            port,
        };
        let deadline = self.deadline();
        engine.send(&noop.to_bytes())?;
        while !exchange.is_finished() {
            let datagram = engine.receive(deadline)?;
            for message in Messages::new(&datagram) {
                // A refusal is as good: it was received, too.
                exchange.accept(message?, origin(&datagram));
            }
        }
        Ok(engine)
    }
}

/// Who sent a datagram, and to whom.
fn origin(datagram: &Datagram<'_>) -> Origin {
    Origin { port: datagram.sender(), group: datagram.group() }
}

/// A message's bytes.
fn owned(message: Message<'_>) -> Vec<u8> {
    let mut bytes = message.header.to_bytes().to_vec();
    bytes.extend(message.payload);
    bytes
}
