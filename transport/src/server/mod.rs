//! A protocol of one's own: a process that answers others over netlink, as the kernel does.
//!
//! A [`Server`] has a socket with a port id that others know, of a protocol between processes: `NETLINK_USERSOCK` has no part of the
//! kernel's in it. It receives requests and who sent them, has a [`Service`] answer them, and sends what that says: answers,
//! acknowledgements, refusals with texts and places, dumps in parts, events for groups. Others ask it with a
//! [`Connection`](crate::Connection) and hear it with a [`Monitor`](crate::Monitor), whose [`Config::peer`](crate::Config::peer)
//! is its port id: whatever works with the kernel works with it, batches and look-ups too, and what came in one datagram
//! is answered in one, as far as it fits.
//!
//! ```
//! use ringlink::codec::reply::{Errno, Refusal};
//! use ringlink::codec::table::Str;
//! use ringlink::codec::{operations, space};
//! use ringlink::engine::Deadline;
//! use ringlink::server::{self, Answer, Request, Server};
//! use ringlink::{Config, Connection, Error, Protocol};
//!
//! space! {
//!     /// Attributes of a greeting.
//!     pub Greeting, "GREETING_" {
//!         /// Who.
//!         NAME: Str = 1,
//!         /// What is said to him.
//!         TEXT: Str = 2,
//!     }
//! }
//!
//! operations! {
//!     /// Messages of the greeter.
//!     pub Greeter, "GREETER_" {
//!         /// A greeting.
//!         HELLO: new ((), Greeting) = 16,
//!         /// Greet somebody.
//!         GREET: get ((), Greeting) => HELLO ((), Greeting) = 17,
//!     }
//! }
//!
//! fn greet(request: &Request<'_>, answer: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>> {
//!     let Ok(question) = request.body(Greeter::GREET) else { return Err(server::unknown()) };
//!     let Some(name) = question.attributes.get(Greeting::NAME)? else {
//!         return Err(Refusal::new(Errno::INVAL).saying("nobody to greet").lacking(Greeting::NAME));
//!     };
//!     answer.item(Greeter::GREET, (), |greeting| greeting.put(Greeting::TEXT, format!("hello, {name}").as_str()))
//! }
//!
//! let mut server = Server::open(Protocol::USERSOCK, 0)?;
//! let port = server.port();
//! let asker = std::thread::spawn(move || {
//!     let mut connection = Connection::with(Protocol::USERSOCK, Config::of_process(port))?;
//!     let reply = connection.get(Greeter::GREET, (), |ask| ask.put(Greeting::NAME, "you"))?;
//!     let text = reply.body().attributes.get(Greeting::TEXT)?.unwrap_or_default().to_string();
//!     drop(reply);
//!     let refused = connection.get(Greeter::GREET, (), |_| {}).map(drop).unwrap_err();
//!     Ok::<_, Error>((text, refused.to_string()))
//! });
//! for _ in 0..2 {
//!     server.step(&mut greet, Deadline::none())?;
//! }
//! let (text, refused) = asker.join().unwrap()?;
//! assert_eq!(text, "hello, you");
//! assert_eq!(refused, "GREETER_GREET refused: Invalid argument (EINVAL): nobody to greet, GREETING_NAME is missing");
//! # Ok::<(), Error>(())
//! ```
//!
//! # What the kernel sees to, and what not
//!
//! * Sending needs no rights in `NETLINK_USERSOCK`; joining one of its groups needs `CAP_NET_ADMIN`. A process tells groups 1 to 32.
//! * A connection's socket takes unicast from its peer alone. But a port id says nothing of who has it: where the server is gone,
//!   any process may bind to the port. Who asks a server the kernel says where
//!   [`SocketOptions::credentials`](crate::SocketOptions::credentials) are asked for ([`Answer::credentials`]).
//! * Nobody is told when the other side is gone. A request to a port id that nobody has is refused (`ECONNREFUSED`), and an answer
//!   that does not come is a deadline's to notice.
//!
//! # Pace
//!
//! Nothing the server sends waits. The kernel says that a receiver's queue is full, but not when it no longer is: so what had no
//! room stays here, and is tried again after 50 µs, then after twice that, up to 10 ms, or when the receiver asks something else.
//! Meanwhile no more of its dump is made, as the kernel makes a dump's next part when there is room for it, and others are served. Memory is
//! bounded: see [`ServerConfig`].

mod service;

pub use ringlink_codec::answer::{Echo, Request};
pub use service::{Answer, Figures, Service, unknown};

pub(crate) use service::{Asker, Desk, Post};

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use ringlink_codec::table::{AttributeWriter, Format, Operation};

use crate::engine::ring::{Ring, RingConfig};
use crate::engine::syscall::{Syscall, SyscallConfig};
use crate::engine::{self, Counters, Deadline, Destination, Engine, EngineChoice, Reason};
use crate::error::Error;
use crate::socket::{Protocol, Socket, SocketOptions};

/// How a server is opened.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// What moves the bytes. Default: [`EngineChoice::Auto`], which is a ring where there is one to be had.
    pub engine: EngineChoice,
    /// Bytes of the longest datagram, there and back. Default: 32,768, what connections take.
    pub datagram: usize,
    /// Bytes that may wait for one who has no room for them; what is beyond is dropped. Default: 262,144.
    pub backlog: usize,
    /// How long something waits for one who takes nothing; then it is dropped, and his dump is over. Default: 30 s.
    pub patience: Duration,
    /// For how many something may wait, and how many dumps may be under way. Default: 1,024.
    pub peers: usize,
    /// How much of a request a refusal repeats. Default: its header.
    pub echo: Echo,
    /// The socket's options, its port id among them.
    pub socket: SocketOptions,
}

impl Default for ServerConfig {
    fn default() -> ServerConfig {
        ServerConfig {
            engine: EngineChoice::Auto,
            datagram: 32 * 1024,
            backlog: 256 * 1024,
            patience: Duration::from_secs(30),
            peers: 1024,
            echo: Echo::Capped,
            socket: SocketOptions::default(),
        }
    }
}

/// A socket that others ask. See the [module](self).
pub struct Server {
    engine: Box<dyn Engine>,
    desk: Desk,
    outgoing: Outgoing,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").field("engine", &self.engine).field("desk", &self.desk).finish_non_exhaustive()
    }
}

impl Server {
    /// Opens a server with the default configuration on a port id of the caller's choice; 0 leaves the choice to the kernel.
    ///
    /// # Errors
    ///
    /// As [`with`](Server::with).
    pub fn open(protocol: Protocol, port: u32) -> Result<Server, Error> {
        let socket = SocketOptions { port, ..SocketOptions::default() };
        Server::with(protocol, ServerConfig { socket, ..ServerConfig::default() })
    }

    /// Opens a server.
    ///
    /// # Errors
    ///
    /// What [`Socket::open`] says, `EADDRINUSE` among it where somebody has the port id; [`Error::NoRing`] where the configuration
    /// asks for a ring; [`Error::Configuration`] for a datagram below 4,096 bytes.
    pub fn with(protocol: Protocol, config: ServerConfig) -> Result<Server, Error> {
        // On a ring a slot has to take the sender's address, too.
        let ring = RingConfig { slot: config.datagram.saturating_add(7 * 64), ..RingConfig::default() };
        let syscall = SyscallConfig { slot: config.datagram, slots: 1 };
        let socket = || Socket::open(protocol, &config.socket);
        let engine =
            engine::prefer_ring(config.engine, || Ring::new(socket()?, ring), || Syscall::new(socket()?, syscall))?;
        Ok(Server {
            engine,
            desk: Desk::new(config.datagram, config.peers, config.echo),
            outgoing: Outgoing { waiting: BTreeMap::new(), gone: Vec::new(), dropped: 0, pauses: 0, config },
        })
    }

    /// Waits for something to do, and does it: has a datagram of requests answered, goes on with dumps, sends what waits.
    ///
    /// What others do wrong is no error here: it is refused where it can be, and counted ([`figures`](Server::figures)).
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] where there was nothing to do, and what the engine says. The server goes on after each of them.
    pub fn step(&mut self, service: &mut dyn Service, deadline: Deadline) -> Result<(), Error> {
        loop {
            match self.take(service, deadline) {
                Ok(()) => {
                    self.go_on(service);
                    return Ok(());
                }
                Err(error) if error.is_timed_out() => {
                    if self.go_on(service) {
                        return Ok(());
                    }
                    if deadline.has_passed() {
                        return Err(error);
                    }
                }
                Err(error) if error.is_loss() => self.outgoing.dropped += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Tells a multicast group of something that nobody asked for.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where it does not fit a datagram, [`Error::Configuration`] for a group that is not 1 to 32, and what the
    /// engine says. That a listener had no room is no error: he learns of his loss himself.
    pub fn tell<Q: Format, A>(
        &mut self,
        group: u32,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<(), Error> {
        let event = self.desk.tell(operation, header, fill)?;
        self.engine.send_to(event, Destination::Group(group))
    }

    /// The port id that others ask.
    pub fn port(&self) -> u32 {
        self.engine.socket().port()
    }

    /// The socket, for its options and its buffers.
    pub fn socket(&self) -> &Socket {
        self.engine.socket()
    }

    /// The descriptor that becomes readable when there are requests: then a [`step`](Server::step) whose deadline has passed
    /// answers them. While [`wakes`](Server::wakes) tells a moment, one is due then, too.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.engine.descriptor()
    }

    /// When there is something to do without a request: a dump to go on with, or something that waits to be sent.
    pub fn wakes(&self) -> Option<Instant> {
        let free = self.desk.ports().any(|port| !self.outgoing.waiting.contains_key(&port));
        let next = self.outgoing.waiting.values().map(|waiting| waiting.again).min();
        if free { Some(Instant::now()) } else { next }
    }

    /// What was answered so far.
    pub fn figures(&self) -> Figures {
        let figures = self.desk.figures;
        let Outgoing { dropped, pauses, .. } = self.outgoing;
        Figures { dropped: figures.dropped.wrapping_add(dropped), pauses, ..figures }
    }

    /// The engine, and why it is that.
    pub fn reason(&self) -> Reason {
        self.engine.reason()
    }

    /// What the engine did.
    pub fn counters(&self) -> Counters {
        self.engine.counters()
    }

    /// Receives a datagram, and has its requests answered.
    fn take(&mut self, service: &mut dyn Service, deadline: Deadline) -> Result<(), Error> {
        let datagram = self.engine.receive(self.wait(deadline))?;
        let asker = Asker { port: datagram.sender(), credentials: datagram.credentials() };
        self.outgoing.knocked(asker.port);
        let post: &mut Post<'_> = &mut |to, bytes| self.outgoing.post(&*self.engine, to, bytes);
        self.desk.take(service, asker, &datagram, post);
        Ok(())
    }

    /// Until when to wait for requests.
    fn wait(&self, deadline: Deadline) -> Deadline {
        match (self.wakes(), deadline.moment()) {
            (Some(wakes), Some(moment)) => Deadline::at(wakes.min(moment)),
            (Some(wakes), None) => Deadline::at(wakes),
            (None, _) => deadline,
        }
    }

    /// Sends what waits and has become due, then the next part of each dump whose receiver takes it. Says whether there was
    /// anything.
    fn go_on(&mut self, service: &mut dyn Service) -> bool {
        let mut any = self.outgoing.send_due(&*self.engine);
        let mut next = self.desk.ports().next();
        while let Some(port) = next {
            if !self.outgoing.waiting.contains_key(&port) && !self.outgoing.gone.contains(&port) {
                any = true;
                let post: &mut Post<'_> = &mut |to, bytes| self.outgoing.post(&*self.engine, to, bytes);
                self.desk.go_on(service, port, post);
            }
            next = self.desk.ports().find(|other| *other > port);
        }
        for port in self.outgoing.gone.drain(..) {
            self.desk.forget(port);
        }
        any
    }
}

/// The shortest pause before something is tried again, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_micros(50), Duration::from_millis(10));

/// Sends, and keeps what there is no room for at the other side.
struct Outgoing {
    /// By port.
    waiting: BTreeMap<u32, Waiting>,
    /// Those that are no more, or have taken nothing for too long.
    gone: Vec<u32>,
    dropped: u64,
    pauses: u64,
    config: ServerConfig,
}

/// What waits for one receiver.
struct Waiting {
    datagrams: VecDeque<Box<[u8]>>,
    bytes: usize,
    /// When the receiver last took something.
    since: Instant,
    pause: Duration,
    again: Instant,
}

impl Outgoing {
    fn post(&mut self, engine: &dyn Engine, to: Destination, bytes: &[u8]) {
        let Destination::Port(port) = to else {
            // A group is told without waiting; what is wrong with it is wrong each time.
            if engine.send_to(bytes, to).is_err() {
                self.dropped += 1;
            }
            return;
        };
        if let Some(waiting) = self.waiting.get_mut(&port) {
            if waiting.bytes.saturating_add(bytes.len()) > self.config.backlog {
                self.dropped += 1;
                return;
            }
            waiting.bytes += bytes.len();
            waiting.datagrams.push_back(bytes.into());
            return;
        }
        match engine.send_to(bytes, to) {
            Ok(()) => {}
            Err(Error::System { errno: libc::EAGAIN, .. }) if self.waiting.len() < self.config.peers => {
                self.pauses += 1;
                let now = Instant::now();
                let (pause, _) = PAUSES;
                let datagrams = VecDeque::from([bytes.into()]);
                let waiting = Waiting { datagrams, bytes: bytes.len(), since: now, pause, again: now + pause };
                self.waiting.insert(port, waiting);
            }
            Err(_) => {
                self.dropped += 1;
                self.gone.push(port);
            }
        }
    }

    /// Who sends something has perhaps received something before.
    fn knocked(&mut self, port: u32) {
        if let Some(waiting) = self.waiting.get_mut(&port) {
            waiting.again = Instant::now();
        }
    }

    /// Tries again what has become due; says whether anything was sent or given up.
    fn send_due(&mut self, engine: &dyn Engine) -> bool {
        if self.waiting.is_empty() {
            return false;
        }
        let now = Instant::now();
        let mut any = false;
        let Outgoing { waiting, gone, dropped, config, .. } = self;
        waiting.retain(|port, waiting| {
            if waiting.again > now {
                return true;
            }
            while let Some(bytes) = waiting.datagrams.front() {
                match engine.send_to(bytes, Destination::Port(*port)) {
                    Ok(()) => {
                        any = true;
                        waiting.bytes = waiting.bytes.saturating_sub(bytes.len());
                        waiting.datagrams.pop_front();
                        (waiting.since, waiting.pause) = (now, PAUSES.0);
                    }
                    Err(Error::System { errno: libc::EAGAIN, .. })
                        if now.duration_since(waiting.since) < config.patience =>
                    {
                        waiting.again = now + waiting.pause;
                        waiting.pause = (waiting.pause * 2).min(PAUSES.1);
                        return true;
                    }
                    Err(_) => {
                        any = true;
                        *dropped += waiting.datagrams.len() as u64;
                        gone.push(*port);
                        return false;
                    }
                }
            }
            false
        });
        any
    }
}
