//! Many sockets in one thread: requests for all of them in few system calls, results as they come.
//!
//! A [`Fleet`] owns sockets, mostly one for each of many network namespaces. Requests are queued with
//! [`dump`](Fleet::dump), [`get`](Fleet::get) and [`apply`](Fleet::apply), and [`run`](Fleet::run) carries them out: a
//! socket's own one after the other, those of different sockets side by side. Each ends with an [`Event::Done`] of its own, so
//! one socket's failure is no other's.
//!
//! On a ring the sends of all sockets go out in one submission, and one wait brings what has come for any of them. Where there is
//! no ring the same is done by `send(2)`, `ppoll(2)` and `recv(2)`. The kernel makes a socket's answers in the thread that
//! receives them, so a fleet makes nothing run in parallel: for that, take a second thread with a fleet of its own.
//!
//! ```
//! use ringlink::codec::route::{AddressHeader, LinkHeader, Rtm};
//! use ringlink::fleet::{Event, Fleet, FleetConfig};
//! use ringlink::socket::{Protocol, Socket, SocketOptions};
//!
//! let mut fleet = Fleet::new(FleetConfig::default())?;
//! for _ in 0..3 {
//!     let socket = fleet.add(Socket::open(Protocol::ROUTE, &SocketOptions::default())?)?;
//!     fleet.dump(socket, Rtm::GETLINK, LinkHeader::default(), |_| {})?;
//!     fleet.dump(socket, Rtm::GETADDR, AddressHeader::default(), |_| {})?;
//! }
//! let (mut links, mut ends) = (0, 0);
//! fleet.run(|_ticket, event| {
//!     match event {
//!         Event::Answer(message) => links += u32::from(message.body(Rtm::NEWLINK).is_ok()),
//!         Event::Done(end) => ends += u32::from(end?.is_complete()),
//!     }
//!     Ok(())
//! })?;
//! assert!(links >= 3 && ends == 6);
//! # Ok::<(), ringlink::Error>(())
//! ```

use std::collections::VecDeque;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;
use std::time::Duration;

use ringlink_codec::exchange::{Exchange, Origin, Step};
use ringlink_codec::reply::{End, ExtendedAck};
use ringlink_codec::table::{AttributeWriter, Format, Operation};
use ringlink_codec::wire::{Message, MessageHeader, MessageType, Messages};

use crate::connection::{Root, expect, refused};
use crate::engine::ring::RingConfig;
use crate::engine::{Counters, Datagram, Deadline, EngineChoice, EngineKind};
use crate::error::Error;
use crate::socket::{Protocol, Socket, SocketOptions};
use crate::sys;
use crate::uring::Arrival;
use mover::Mover;

mod mover;

/// How a fleet is made.
#[derive(Clone, Copy, Debug)]
pub struct FleetConfig {
    /// What moves the bytes. [`EngineChoice::Auto`] is a ring where there is one to be had. Default: `Auto`.
    pub engine: EngineChoice,
    /// The most sockets there may be, 1 to 65,535. Default: 1,024.
    pub sockets: u16,
    /// Bytes of the longest request. Default: 1,024.
    pub request: usize,
    /// The ring's slots, which all sockets share; half as many requests run side by side. Default: 64 of 32 KiB.
    pub ring: RingConfig,
    /// How long to wait while nothing comes for any socket; `None` for ever. Default: 30 s. As every deadline it abandons, it
    /// does not cancel.
    pub deadline: Option<Duration>,
}

impl Default for FleetConfig {
    fn default() -> FleetConfig {
        FleetConfig {
            engine: EngineChoice::Auto,
            sockets: 1024,
            request: 1024,
            ring: RingConfig { slots: 64, ..RingConfig::default() },
            deadline: Some(Duration::from_secs(30)),
        }
    }
}

/// Which request it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    /// The socket's number, from [`Fleet::add`].
    pub socket: usize,
    /// The request's number among those of this socket, from 0 on.
    pub number: u64,
}

/// Something that happened to a request.
#[derive(Debug)]
pub enum Event<'m> {
    /// An answer; of the type that answers the operation.
    Answer(Message<'m>),
    /// Nothing more comes: how it ended, or why it failed ([`Error::Refused`], or what [`Dump::next`](crate::connection::Dump)
    /// and the engines say).
    Done(Result<End, Error>),
}

/// The caller's closure.
type Each<'f> = dyn FnMut(Ticket, Event<'_>) -> Result<(), Error> + 'f;

/// Many sockets in one thread. See the [module](self).
pub struct Fleet {
    mover: Mover,
    sockets: Vec<Socket>,
    crew: Crew,
    /// Where requests are written.
    scratch: Vec<u8>,
    /// How many sockets may be at something side by side.
    most: usize,
    deadline: Option<Duration>,
    /// A ring that serves one thread alone must not move to another.
    thread: PhantomData<*const ()>,
}

/// Who has something to ask, and who is at it.
#[derive(Debug, Default)]
struct Crew {
    members: Vec<Member>,
    /// Members that have something to ask and are not at anything.
    ready: VecDeque<usize>,
    /// How many members are at something.
    busy: usize,
}

/// What is known of a socket.
#[derive(Debug)]
struct Member {
    sequence: u32,
    /// How many requests were queued.
    count: u64,
    /// Whether the kernel has seen a large receive on the socket; before, it would cut a dump's first datagram too small.
    primed: bool,
    queue: VecDeque<Request>,
    current: Option<Current>,
    /// Why nothing more can be asked.
    failure: Option<Error>,
}

/// A request that waits, or is under way.
#[derive(Debug)]
struct Request {
    number: u64,
    kind: fn(u32, u32) -> Exchange,
    bytes: Vec<u8>,
    answer: MessageType,
    root: Root,
}

/// What a socket is at.
#[derive(Debug)]
struct Current {
    exchange: Exchange,
    request: Request,
    /// Whether it is primed; that is no request of the caller's.
    priming: bool,
}

/// The request that primes a socket.
const PRIMING: Operation<((), ExtendedAck)> =
    Operation::new(MessageType::NOOP.0, MessageType::NOOP.0).named("NLMSG_NOOP");

impl Request {
    /// What primes a socket.
    fn priming() -> Request {
        let header = MessageHeader { length: 16, kind: PRIMING.kind, ..MessageHeader::default() };
        let (bytes, root) = (header.to_bytes().to_vec(), Root::of(PRIMING));
        Request { number: 0, kind: Exchange::apply, bytes, answer: PRIMING.answer, root }
    }
}

impl fmt::Debug for Fleet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fleet")
            .field("mover", &self.mover)
            .field("sockets", &self.sockets.len())
            .field("ready", &self.crew.ready.len())
            .field("busy", &self.crew.busy)
            .finish_non_exhaustive()
    }
}

impl Fleet {
    /// A fleet without sockets.
    ///
    /// # Errors
    ///
    /// [`Error::NoRing`] where a ring is asked for and not to be had, [`Error::Configuration`], and [`Error::System`]
    /// when there is no memory or no descriptor left.
    pub fn new(config: FleetConfig) -> Result<Fleet, Error> {
        Ok(Fleet {
            mover: Mover::new(config)?,
            sockets: Vec::new(),
            crew: Crew::default(),
            scratch: vec![0; config.request],
            // An answer beside the one under way: so that it does not starve the others.
            most: usize::from(config.ring.slots / 2).max(1),
            deadline: config.deadline,
            thread: PhantomData,
        })
    }

    /// Opens so many sockets and takes them over; returns their numbers.
    ///
    /// On a ring that has requests for it (Linux 6.11) and nothing else to do, all of them are made, bound and configured in
    /// a few system calls; those in another namespace ([`SocketOptions::namespace`]) are not. That is a matter of system calls
    /// more than of time, for the work is the kernel's either way.
    ///
    /// # Errors
    ///
    /// Those of [`Socket::open`] and [`add`](Fleet::add); then none was added that is not in the fleet's sockets.
    pub fn open(&mut self, protocol: Protocol, options: &SocketOptions, count: usize) -> Result<Range<usize>, Error> {
        let first = self.sockets.len();
        let sockets = match &options.namespace {
            None => self.mover.open(protocol, options, count)?,
            Some(namespace) => {
                let sockets = Socket::open_in_each(protocol, options, &vec![namespace.clone(); count])?;
                sockets.into_iter().collect::<Result<Vec<Socket>, Error>>()?
            }
        };
        for socket in sockets {
            self.add(socket)?;
        }
        Ok(first..self.sockets.len())
    }

    /// Takes a socket over, connects it to the kernel, and returns its number: how many were added before it.
    /// [`Socket::open_in_each`] opens many at once.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] where there are [`FleetConfig::sockets`] already, and what `connect(2)` says.
    pub fn add(&mut self, socket: Socket) -> Result<usize, Error> {
        socket.connect_to_kernel()?;
        let number = self.mover.add(&socket)?;
        self.crew.members.push(Member {
            sequence: socket.port() ^ sys::unguessable(),
            count: 0,
            primed: false,
            queue: VecDeque::new(),
            current: None,
            failure: None,
        });
        self.sockets.push(socket);
        Ok(number)
    }

    /// Queues a question for everything.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where the request does not fit, [`Error::Configuration`] where there is no such socket, and the
    /// failure that made an end of the socket, if one did.
    pub fn dump<Q: Format, A: Format>(
        &mut self,
        socket: usize,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Ticket, Error> {
        self.queue(socket, Exchange::dump, operation, header, fill)
    }

    /// Queues a question with one answer.
    ///
    /// # Errors
    ///
    /// As [`dump`](Fleet::dump).
    pub fn get<Q: Format, A: Format>(
        &mut self,
        socket: usize,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Ticket, Error> {
        self.queue(socket, Exchange::get, operation, header, fill)
    }

    /// Queues a request for a change.
    ///
    /// # Errors
    ///
    /// As [`dump`](Fleet::dump).
    pub fn apply<Q: Format, A>(
        &mut self,
        socket: usize,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Ticket, Error> {
        self.queue(socket, Exchange::apply, operation, header, fill)
    }

    fn queue<Q: Format, A>(
        &mut self,
        socket: usize,
        kind: fn(u32, u32) -> Exchange,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Ticket, Error> {
        let rule = "a fleet's socket is named by the number it was added with";
        let member = self.crew.members.get_mut(socket).ok_or(Error::Configuration { rule })?;
        if let Some(failure) = &member.failure {
            return Err(failure.clone());
        }
        let bytes = operation.write(&mut self.scratch, header, |attributes| fill(attributes))?.to_vec();
        let number = member.count;
        member.count += 1;
        if member.current.is_none() && member.queue.is_empty() {
            self.crew.ready.push_back(socket);
        }
        let root = Root::of(operation);
        member.queue.push_back(Request { number, kind, bytes, answer: operation.answer, root });
        Ok(Ticket { socket, number })
    }

    /// Carries out all that is queued, and hands everything that happens to a closure, until every request has ended.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] where nothing comes for any socket (the requests that were under way have then ended with it, and their
    /// sockets take no more: what they had asked may yet be answered), what the ring says of itself, and the closure's own. After
    /// each of them this may be called again, for what is left.
    pub fn run(&mut self, mut each: impl FnMut(Ticket, Event<'_>) -> Result<(), Error>) -> Result<(), Error> {
        let Fleet { mover, sockets, crew, .. } = self;
        loop {
            for _ in 0..crew.ready.len() {
                if crew.busy >= self.most {
                    break;
                }
                let Some(number) = crew.ready.pop_front() else { break };
                // Before Linux 6.2 the answer can be told before it is told that the question was sent.
                if mover.is_sending(number) {
                    crew.ready.push_back(number);
                    continue;
                }
                if let Some(socket) = sockets.get(number)
                    && let Some(request) = crew.start(number, socket.port())
                    && let Err(error) = mover.send(sockets, number, request)
                {
                    crew.trouble(number, error, &mut each)?;
                }
            }
            if crew.busy == 0 && crew.ready.is_empty() {
                return Ok(());
            }
            let deadline = self.deadline.map_or(Deadline::none(), Deadline::after);
            match mover.next(sockets, deadline) {
                Ok(Arrival::Received(number, Ok(datagram))) => {
                    crew.take(number, &datagram, &mut each)?;
                }
                Ok(Arrival::Received(number, Err(error)) | Arrival::Sent(number, Err(error))) => {
                    crew.trouble(number, error, &mut each)?;
                }
                Ok(Arrival::Sent(_, Ok(()))) => {}
                Err(error) => {
                    if error.is_timed_out() {
                        crew.give_up(&mut each)?;
                    }
                    return Err(error);
                }
            }
        }
    }

    /// The sockets, by their numbers.
    pub fn sockets(&self) -> &[Socket] {
        &self.sockets
    }

    /// What moves the bytes.
    pub fn kind(&self) -> EngineKind {
        self.mover.kind()
    }

    /// What was done for all sockets together.
    pub fn counters(&self) -> Counters {
        self.mover.counters()
    }
}

impl Crew {
    /// Goes on to the next thing that a member has to ask, and returns it; a member that has not received anything is primed
    /// first.
    fn start(&mut self, number: usize, port: u32) -> Option<&[u8]> {
        let member = self.members.get_mut(number)?;
        let priming = !member.primed;
        let mut request = match priming {
            true => Request::priming(),
            false => member.queue.pop_front()?,
        };
        member.sequence = member.sequence.checked_add(1).unwrap_or(1);
        let exchange = (request.kind)(member.sequence, port);
        exchange.stamp(&mut request.bytes);
        self.busy += 1;
        Some(&member.current.insert(Current { exchange, request, priming }).request.bytes)
    }

    /// Goes through a datagram.
    fn take(&mut self, number: usize, datagram: &Datagram<'_>, each: &mut Each<'_>) -> Result<(), Error> {
        let Some(member) = self.members.get_mut(number) else { return Ok(()) };
        let Some(Current { exchange, request, priming }) = &mut member.current else { return Ok(()) };
        let ticket = Ticket { socket: number, number: request.number };
        let origin = Origin { port: datagram.sender(), group: datagram.group() };
        let mut heard = Ok(());
        let mut refusal_found = None;
        for message in Messages::new(datagram) {
            let Ok(message) = message else {
                // What is behind such a message in the datagram is left out.
                exchange.skipped();
                break;
            };
            match exchange.accept(message, origin) {
                Step::Item(message) if heard.is_ok() && expect(message, request.answer).is_ok() => {
                    heard = each(ticket, Event::Answer(message));
                }
                Step::Item(_) => exchange.skipped(),
                Step::Failed(refusal) => {
                    let asked = Message::parse(&request.bytes).ok();
                    refusal_found = Some(refused(&refusal, asked, request.root));
                }
                Step::NotMine | Step::Skip | Step::Finished { .. } => {}
            }
        }
        if !exchange.is_finished() {
            return heard;
        }
        let (end, priming) = (exchange.end(), *priming);
        member.current = None;
        self.busy -= 1;
        // A protocol that knows no NOOP has said so, and the kernel has seen the receive.
        member.primed = true;
        if priming || !member.queue.is_empty() {
            self.ready.push_back(number);
        }
        if priming {
            return Ok(());
        }
        heard.and_then(|()| each(ticket, Event::Done(refusal_found.map_or(Ok(end), Err))))
    }

    /// Something went wrong with a socket: lost data leaves holes, all else makes an end of it.
    fn trouble(&mut self, number: usize, error: Error, each: &mut Each<'_>) -> Result<(), Error> {
        let Some(member) = self.members.get_mut(number) else { return Ok(()) };
        if error.is_loss() {
            if let Some(current) = &mut member.current {
                current.exchange.truncated();
            }
            return Ok(());
        }
        let current = member.current.take();
        self.busy -= usize::from(current.is_some());
        self.ready.retain(|ready| *ready != number);
        member.failure = Some(error.clone());
        let asked = current.filter(|current| !current.priming).map(|current| current.request);
        asked.into_iter().chain(member.queue.drain(..)).try_for_each(|request| {
            each(Ticket { socket: number, number: request.number }, Event::Done(Err(error.clone())))
        })
    }

    /// Makes an end of every socket that is at something.
    fn give_up(&mut self, each: &mut Each<'_>) -> Result<(), Error> {
        (0..self.members.len()).try_for_each(|number| match self.members.get(number) {
            Some(Member { current: Some(_), .. }) => self.trouble(number, Error::TimedOut, each),
            _ => Ok(()),
        })
    }
}
