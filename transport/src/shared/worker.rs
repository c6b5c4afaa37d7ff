//! The thread that talks to the kernel for all handles: requests on one socket, many in a datagram; dumps on others, a
//! datagram of each in turn.

use std::collections::VecDeque;
use std::fmt;
use std::ops::Range;
use std::sync::Weak;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError};
use std::time::Duration;

use ringlink_codec::exchange::{Exchange, Origin, Step};
use ringlink_codec::reply::End;
use ringlink_codec::wire::{Flags, Message, MessageHeader, MessageType, Messages};

use crate::connection::{Config, Root, exchange, expect, refused, verdict};
use crate::engine::{self, Datagram, Deadline, Engine};
use crate::error::Error;
use crate::socket::{Protocol, Socket};
use crate::sys;

/// What goes to the worker.
pub(super) enum Work {
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
pub(super) struct Ask {
    pub(super) request: Vec<u8>,
    pub(super) root: Root,
    pub(super) kind: Kind,
    pub(super) say: SyncSender<Result<Outcome, Error>>,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A question, with the type of its answer.
    Get(MessageType),
    Apply,
}

pub(super) enum Outcome {
    Answer(Vec<u8>),
    Done(Option<String>),
}

/// A request for a dump.
pub(super) struct Asked {
    pub(super) request: Vec<u8>,
    pub(super) root: Root,
    pub(super) answer: MessageType,
    pub(super) say: SyncSender<Part>,
    pub(super) reader: Weak<()>,
}

/// What a dump's reader hears, in this order.
pub(super) enum Part {
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

/// Talks to the kernel for all handles, in whatever thread calls [`run`](Worker::run). See the
/// [module](crate::shared).
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
    pub(super) fn new(work: Receiver<Work>, opener: Opener, dumps: usize, datagrams: usize) -> Result<Worker, Error> {
        let engine = opener.open()?;
        let window = (engine.socket().receive_buffer().unwrap_or(0) / ANSWER).max(1);
        let bytes = Vec::with_capacity(opener.config.request);
        Ok(Worker {
            work,
            batch: Batch { bytes, window, first: 0, flying: Vec::with_capacity(window) },
            overflow: None,
            sequence: engine.socket().port() ^ sys::unguessable(),
            engine,
            lanes: (0..dumps).map(|_| opener.open_primed().map(Lane::new)).collect::<Result<_, _>>()?,
            opener,
            waiting: VecDeque::new(),
            datagrams,
            counts: Counts::default(),
        })
    }

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
        let socket = self.engine.socket();
        let exchange = match ask.kind {
            Kind::Get(_) => exchange(socket, Exchange::get, self.sequence),
            Kind::Apply => exchange(socket, Exchange::apply, self.sequence),
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
        let deadline = self.opener.deadline();
        let mut lost = None;
        let mut received = self.engine.exchange(&self.batch.bytes, deadline);
        let error = loop {
            match received {
                Ok(datagram) => {
                    let sorted = self.batch.sort(&datagram, &mut self.counts);
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
    fn sort(&mut self, datagram: &Datagram<'_>, counts: &mut Counts) -> Result<(), Error> {
        for message in Messages::new(datagram) {
            let message = message?;
            let place = usize::try_from(message.header.sequence.wrapping_sub(self.first)).unwrap_or(usize::MAX);
            // An answer that has been given is given once.
            let Some(flying) = self.flying.get_mut(place).filter(|flying| flying.say.is_some()) else {
                counts.strays += 1;
                continue;
            };
            let step = flying.exchange.accept(message, origin(datagram));
            if let Err(error) = verdict(&step, message) {
                flying.tell(Err(error));
                continue;
            }
            match (step, flying.kind) {
                (Step::Item(message), Kind::Get(answer)) => {
                    flying.tell(expect(message, answer).map(|()| Outcome::Answer(owned(message))));
                }
                (Step::Finished { .. }, Kind::Get(_)) => flying.tell(Err(Error::NoAnswer)),
                (Step::Finished { warning, .. }, Kind::Apply) => {
                    flying.tell(Ok(Outcome::Done(warning.map(|text| text.to_string()))));
                }
                (Step::Failed(refusal), _) => {
                    let request = self.bytes.get(flying.request.clone()).and_then(|bytes| Message::parse(bytes).ok());
                    flying.tell(Err(refused(&refusal, request, flying.root)));
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
            if opener.source.is_none()
                && engine.socket().namespace_cookie()? != self.engine.socket().namespace_cookie()?
            {
                let rule = "a shared handle's worker runs in a thread of the namespace that its sockets were opened in";
                return Err(Error::Configuration { rule });
            }
            self.engine = engine;
            self.broken = false;
        }
        let dump = exchange(self.engine.socket(), Exchange::dump, sequence);
        dump.stamp(request);
        self.engine.send(request)?;
        Ok(dump)
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
                let taken = running.take(&datagram, counts);
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
    fn take(&mut self, datagram: &Datagram<'_>, counts: &mut Counts) -> Result<bool, Error> {
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
                    failure = Some(refused(&refusal, request, self.root));
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
pub(super) struct Opener {
    pub(super) protocol: Protocol,
    pub(super) config: Config,
    /// Where engines come from that the configuration does not say how to open.
    pub(super) source: Option<Box<Source>>,
}

/// Makes an engine whose socket is connected to whom is asked.
pub(super) type Source = dyn Fn() -> Result<Box<dyn Engine>, Error> + Send;

impl Opener {
    fn deadline(&self) -> Deadline {
        self.config.deadline.map_or(Deadline::none(), Deadline::after)
    }

    fn open(&self) -> Result<Box<dyn Engine>, Error> {
        if let Some(source) = &self.source {
            return source();
        }
        let socket = Socket::open(self.protocol, &self.config.socket)?;
        socket.connect_to(self.config.peer)?;
        engine::open_with(self.config.engine, self.config.sizes, socket)
    }

    /// An engine whose kernel has seen a large receive: else it might end a dump whose first object is large at once.
    fn open_primed(&self) -> Result<Box<dyn Engine>, Error> {
        let engine = self.open()?;
        let port = engine.socket().port();
        if engine.socket().peer() != 0 {
            // Processes know nothing of it.
            return Ok(engine);
        }
        let mut exchange = Exchange::apply(port ^ sys::unguessable() | 1, port);
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
