//! The engine of recorded sessions: one records what another engine moves, one replays it without a kernel.
//!
//! A [`Recorder`] is an engine around an engine. It writes down every datagram sent, every datagram received with its
//! sender, group and namespace, every error, and how long each took. A [`Replay`] is an engine that gives the same answers
//! to the same requests, on any machine, without rights, sockets or waiting. A [`Recording`] is untrusted input: whatever
//! the bytes, reading and replaying it ends with an error or without one, never with a panic.
//!
//! ```
//! use ringlink::codec::route::{Link, LinkHeader, Rtm};
//! use ringlink::engine::record::{Recorder, Recording, Replay, Tape};
//! use ringlink::engine::{self, EngineChoice};
//! use ringlink::socket::{Protocol, Socket, SocketOptions};
//! use ringlink::{Config, Connection, Error};
//!
//! fn mtu_of_lo(connection: &mut Connection) -> Result<Option<u32>, Error> {
//!     let lo = LinkHeader { index: 1, ..LinkHeader::default() };
//!     Ok(connection.get(Rtm::GETLINK, lo, |_| {})?.body().attributes.get(Link::MTU)?)
//! }
//!
//! let socket = Socket::open(Protocol::ROUTE, &SocketOptions::default())?;
//! socket.connect_to_kernel()?;
//! let engine = engine::open(EngineChoice::Auto, socket)?;
//! let tape = Tape::default();
//! let recorder = Recorder::new(engine, tape.clone(), "the loopback interface")?;
//! let live = mtu_of_lo(&mut Connection::over(Box::new(recorder), Config::default()))?;
//!
//! let replay = Replay::new(Recording::parse(&tape.bytes())?)?;
//! let replayed = mtu_of_lo(&mut Connection::over(Box::new(replay), Config::default()))?;
//! assert_eq!(live, replayed);
//! # Ok::<(), Error>(())
//! ```
//!
//! # What a replay asks for
//!
//! What is sent has to be what was sent then, byte for byte, in the same order between the same receives; else the call fails
//! with [`Error::Recording`], which names the entry and the first byte that differs, and the replay stays where it is.
//! Sequence numbers are the exception, since a connection starts with a random one: where a number stood then, any may
//! stand now (but 0 for 0), and what is received has the number of now in the place of the number of then, in the
//! headers of messages and of the requests that errors repeat. The port id is that of the recording, for
//! [`Replay`]'s socket is none: it has the protocol, the port id and the receive buffer of the one recorded, and all its
//! options are `ENOTSOCK`.
//!
//! Deadlines have no meaning: a wait that was in vain then is in vain at once. What was lost is replayed where the engine said
//! so; a socket that only counts its losses ([`SocketOption::NoEnobufs`](crate::socket::SocketOption::NoEnobufs)) says
//! nothing, so a [monitor](crate::Monitor) is recorded over one without this option.
//!
//! # The format
//!
//! Numbers are little-endian; the messages are as they were. A header:
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `RINGLREC` |
//! | 1 | version, 1 |
//! | 1 | byte order of the messages: 1 little, 2 big |
//! | 1 | the socket's protocol |
//! | 1 | 1 where the socket was connected, to the kernel or to the process that sent what was received, else 0 |
//! | 4 | the socket's port id |
//! | 4 | its receive buffer's size: how many requests are sent at a time depends on it |
//! | 4, n | length of a note, and the note: UTF-8 for people |
//!
//! Then entries, each with a kind (1), nanoseconds that the call took (8), the length of what follows (4), and that:
//!
//! | kind | what follows |
//! |---|---|
//! | 1 | a datagram that was sent |
//! | 2 | sender (4), group (4), 1 where a namespace id is known (1), namespace id (4), a datagram that was received |
//! | 3 | an error, a datagram that was not sent |
//! | 4 | an error instead of a datagram received |
//!
//! An error is a kind (1), two numbers (8 each), a length (1) and a name of so many bytes: 1, timed out; 2, overrun (drops);
//! 3, truncated (length, slot); 4, exhausted (slots); 5, a system call failed (error number; its name); 0, another
//! (error number or 0; its text). A send with its receive ([`Engine::exchange`]) is two entries, of which the second has
//! the time of both. A recording that was broken off between two entries is whole.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ringlink_codec::wire::{MESSAGE_HEADER, Message, MessageType, Messages};

use crate::engine::{Counters, Datagram, Deadline, Destination, Engine, EngineKind, Origin, Reason};
use crate::error::{Error, RecordingProblem};
use crate::socket::{Protocol, Socket};
use crate::sys::Slots;

/// Moves datagrams by another engine, and writes down what it does. See the [module](self).
pub struct Recorder<W> {
    engine: Box<dyn Engine>,
    log: RefCell<Log<W>>,
}

impl<W> fmt::Debug for Recorder<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("engine", &self.engine).finish_non_exhaustive()
    }
}

impl Recorder<File> {
    /// Records into a new file, or over the one there is.
    ///
    /// # Errors
    ///
    /// As [`new`](Recorder::new), and what the system says of the file.
    pub fn create(engine: Box<dyn Engine>, path: impl AsRef<Path>, note: &str) -> Result<Recorder<File>, Error> {
        let file = File::create(path).map_err(|error| Error::from_io("open", &error))?;
        Recorder::new(engine, file, note)
    }
}

impl<W: Write + Send> Recorder<W> {
    /// Records an engine that has moved nothing yet. The note is for people: which kernel, which commands; at most 64 KiB.
    ///
    /// Each call of the engine is one write, so `sink` needs no buffer. When a write fails, the call that was to be recorded
    /// fails, and all after it; what became of that one is then not known, as after a deadline.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] where the note is too long, and what the sink says.
    pub fn new(engine: Box<dyn Engine>, sink: W, note: &str) -> Result<Recorder<W>, Error> {
        let socket = engine.socket();
        let mut log = Log { sink, entries: Vec::new(), failure: None };
        log.entries.extend(MAGIC);
        log.entries.extend([VERSION, BYTE_ORDER, socket.protocol().0, u8::from(socket.is_connected())]);
        log.entries.extend(socket.port().to_le_bytes());
        log.put_length(socket.receive_buffer().unwrap_or(0));
        if note.len() > NOTE {
            return Err(Error::Configuration { rule: "a recording's note has at most 65536 bytes" });
        }
        log.put_length(note.len());
        log.entries.extend(note.as_bytes());
        log.write()?;
        Ok(Recorder { engine, log: RefCell::new(log) })
    }
}

impl<W: Write + Send> Engine for Recorder<W> {
    fn socket(&self) -> &Socket {
        self.engine.socket()
    }

    fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        self.log.borrow().check()?;
        let start = Instant::now();
        let outcome = self.engine.send(bytes);
        let mut log = self.log.borrow_mut();
        log.put_sent(start.elapsed(), bytes, outcome.as_ref().err());
        log.write()?;
        outcome
    }

    /// What is sent is written down, and not to whom.
    fn send_to(&self, bytes: &[u8], to: Destination) -> Result<(), Error> {
        self.log.borrow().check()?;
        let start = Instant::now();
        let outcome = self.engine.send_to(bytes, to);
        let mut log = self.log.borrow_mut();
        log.put_sent(start.elapsed(), bytes, outcome.as_ref().err());
        log.write()?;
        outcome
    }

    fn receive(&self, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        self.log.borrow().check()?;
        let start = Instant::now();
        let outcome = self.engine.receive(deadline);
        let mut log = self.log.borrow_mut();
        log.put_received(start.elapsed(), &outcome);
        log.write()?;
        outcome
    }

    fn exchange(&self, bytes: &[u8], deadline: Deadline) -> Result<Datagram<'_>, Error> {
        self.log.borrow().check()?;
        let start = Instant::now();
        let outcome = self.engine.exchange(bytes, deadline);
        let mut log = self.log.borrow_mut();
        match &outcome {
            Err(error) if error.is_of_sending() => log.put_sent(start.elapsed(), bytes, Some(error)),
            _ => {
                log.put_sent(Duration::ZERO, bytes, None);
                log.put_received(start.elapsed(), &outcome);
            }
        }
        log.write()?;
        outcome
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.engine.descriptor()
    }

    fn wipe(&self) {
        self.engine.wipe();
    }

    fn kind(&self) -> EngineKind {
        self.engine.kind()
    }

    fn reason(&self) -> Reason {
        self.engine.reason()
    }

    fn counters(&self) -> Counters {
        self.engine.counters()
    }
}

/// Memory to record into: its clones share it, so that one may be given to a [`Recorder`] and another be read.
#[derive(Clone, Default)]
pub struct Tape(Arc<Mutex<Vec<u8>>>);

impl fmt::Debug for Tape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner).len();
        f.debug_struct("Tape").field("bytes", &bytes).finish()
    }
}

impl Tape {
    /// What has been recorded so far.
    pub fn bytes(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Write for Tape {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A recorded session: checked from its first byte to its last.
#[derive(Clone)]
pub struct Recording {
    /// INVARIANT: a header, and behind `start` entries that can be read.
    bytes: Vec<u8>,
    protocol: Protocol,
    connected: bool,
    port: u32,
    receive_buffer: u32,
    note: String,
    /// Where the entries start.
    start: usize,
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording")
            .field("protocol", &self.protocol)
            .field("note", &self.note)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

/// One call of the recorded engine, or half of an exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'r> {
    /// Where it starts in the recording, in bytes.
    pub offset: usize,
    /// How long the call took; zero for the sending half of an exchange.
    pub took: Duration,
    /// What happened.
    pub event: Event<'r>,
}

/// What happened in a recorded session. Its `Debug` counts the bytes, which may be keys, and does not show them.
#[derive(Clone, PartialEq, Eq)]
pub enum Event<'r> {
    /// This was sent.
    Sent(&'r [u8]),
    /// This was received.
    Received {
        /// The datagram.
        bytes: &'r [u8],
        /// The sender's port id.
        sender: u32,
        /// The multicast group; 0 for none.
        group: u32,
        /// The id of the namespace it came from.
        namespace: Option<i32>,
    },
    /// This was to be sent.
    NotSent(&'r [u8], Error),
    /// Nothing was received.
    NotReceived(Error),
}

impl fmt::Debug for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Sent(bytes) => write!(f, "Sent({} bytes)", bytes.len()),
            Event::Received { bytes, sender, group, namespace } => f
                .debug_struct("Received")
                .field("length", &bytes.len())
                .field("sender", sender)
                .field("group", group)
                .field("namespace", namespace)
                .finish(),
            Event::NotSent(bytes, error) => write!(f, "NotSent({} bytes, {error:?})", bytes.len()),
            Event::NotReceived(error) => f.debug_tuple("NotReceived").field(error).finish(),
        }
    }
}

impl Recording {
    /// Reads a recording from bytes.
    ///
    /// # Errors
    ///
    /// [`Error::Recording`], with the place.
    pub fn parse(bytes: &[u8]) -> Result<Recording, Error> {
        Recording::of(bytes.to_vec())
    }

    /// Reads a recording from a file.
    ///
    /// # Errors
    ///
    /// As [`parse`](Recording::parse), and what the system says of the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Recording, Error> {
        Recording::of(fs::read(path).map_err(|error| Error::from_io("read", &error))?)
    }

    fn of(bytes: Vec<u8>) -> Result<Recording, Error> {
        let mut cursor = Cursor { bytes: &bytes, at: 0, start: 0 };
        if !bytes.starts_with(&MAGIC) {
            return Err(cursor.problem(RecordingProblem::NotARecording));
        }
        cursor.at = MAGIC.len();
        let version = cursor.byte()?;
        if version != VERSION {
            return Err(cursor.problem(RecordingProblem::Version { found: version }));
        }
        let order = cursor.byte()?;
        if order != BYTE_ORDER {
            return Err(cursor.problem(RecordingProblem::ByteOrder));
        }
        let protocol = Protocol(cursor.byte()?);
        let connected = cursor.flag()?;
        let (port, receive_buffer) = (cursor.number()?, cursor.number()?);
        let length = cursor.length(NOTE, "a note of this length")?;
        let note = cursor.take(length)?;
        let note = std::str::from_utf8(note).map_err(|_| cursor.field("a note that is not UTF-8"))?.to_owned();
        let start = cursor.at;
        while !cursor.is_at_end() {
            cursor.entry()?;
        }
        Ok(Recording { protocol, connected, port, receive_buffer, note, start, bytes })
    }

    /// The note that the recorder was given.
    pub fn note(&self) -> &str {
        &self.note
    }

    /// The protocol of the session's socket.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The port id of the session's socket.
    pub fn port(&self) -> u32 {
        self.port
    }

    /// What happened, in order.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'_>> {
        let mut next = self.start;
        std::iter::from_fn(move || {
            let (entry, behind) = self.entry(next)?;
            next = behind;
            Some(entry)
        })
    }

    /// The entry at this place, and the place behind it; `None` at the end.
    fn entry(&self, at: usize) -> Option<(Entry<'_>, usize)> {
        let mut cursor = Cursor { bytes: &self.bytes, at, start: at };
        // By the invariant it can be read, where there is one.
        let entry = cursor.entry().ok()?;
        Some((entry, cursor.at))
    }
}

/// Moves nothing: answers as a kernel did in a recorded session. See the [module](self).
#[derive(Debug)]
pub struct Replay {
    socket: Socket,
    recording: Recording,
    slots: Slots,
    /// Where the next entry is.
    next: Cell<usize>,
    /// The sequence numbers of now, by those of then.
    sequences: RefCell<HashMap<u32, u32>>,
    counters: Cell<Counters>,
}

/// The most slots that a replay has; a slot takes no memory before it is used.
const SLOTS: usize = 256;

impl Replay {
    /// Starts a session over.
    ///
    /// As many datagrams as were received, 256 at most, may be held at once.
    ///
    /// # Errors
    ///
    /// What the system says when there is no memory or no descriptor left.
    pub fn new(recording: Recording) -> Result<Replay, Error> {
        let lengths = recording.entries().filter_map(|entry| match entry.event {
            Event::Received { bytes, .. } => Some(bytes.len()),
            _ => None,
        });
        let (count, longest) = lengths.fold((0usize, 0), |(count, longest), length| (count + 1, length.max(longest)));
        let count = u16::try_from(count.clamp(1, SLOTS)).unwrap_or(1);
        let slots = Slots::new(count, longest.max(1).next_multiple_of(4096))?;
        let buffer = usize::try_from(recording.receive_buffer).unwrap_or(usize::MAX);
        // A connected socket receives from one sender alone.
        let sender = recording.entries().find_map(|entry| match entry.event {
            Event::Received { sender, .. } => Some(sender),
            _ => None,
        });
        let peer = recording.connected.then(|| sender.unwrap_or(0));
        let socket = Socket::stand_in(recording.protocol, recording.port, peer, buffer)?;
        let next = Cell::new(recording.start);
        Ok(Replay { socket, recording, slots, next, sequences: RefCell::default(), counters: Cell::default() })
    }

    /// Opens a recording and starts it over.
    ///
    /// # Errors
    ///
    /// As [`Recording::open`] and [`new`](Replay::new).
    pub fn open(path: impl AsRef<Path>) -> Result<Replay, Error> {
        Replay::new(Recording::open(path)?)
    }

    /// The next entry, and the place behind it.
    fn entry(&self) -> Result<(Entry<'_>, usize), Error> {
        let offset = self.next.get();
        self.recording.entry(offset).ok_or(Error::Recording { offset, problem: RecordingProblem::Ended })
    }

    /// Compares what is sent with what was sent then, and learns its sequence numbers.
    fn compare(&self, offset: usize, then: &[u8], now: &[u8]) -> Result<(), Error> {
        let mut expected = then.to_vec();
        let mut numbers = Vec::new();
        for at in sequences(then) {
            let number = |bytes| number_at(bytes, at).filter(|number| *number != 0);
            if let (Some(then), Some(now)) = (number(then), number(now)) {
                put_number(&mut expected, at, now);
                numbers.push((then, now));
            }
        }
        if expected != now {
            let same = expected.iter().zip(now).take_while(|(then, now)| then == now).count();
            return Err(Error::Recording { offset, problem: RecordingProblem::Differs { at: same } });
        }
        self.sequences.borrow_mut().extend(numbers);
        Ok(())
    }
}

impl Engine for Replay {
    fn socket(&self) -> &Socket {
        &self.socket
    }

    fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        let (Entry { offset, event, .. }, behind) = self.entry()?;
        let (then, outcome) = match event {
            Event::Sent(then) => (then, Ok(())),
            Event::NotSent(then, error) => (then, Err(error)),
            Event::Received { .. } | Event::NotReceived(_) => {
                return Err(Error::Recording { offset, problem: RecordingProblem::SendsEarly });
            }
        };
        self.compare(offset, then, bytes)?;
        self.next.set(behind);
        outcome
    }

    fn send_to(&self, bytes: &[u8], _: Destination) -> Result<(), Error> {
        self.send(bytes)
    }

    fn receive(&self, _: Deadline) -> Result<Datagram<'_>, Error> {
        let (Entry { offset, event, .. }, behind) = self.entry()?;
        let mut counters = self.counters.get();
        let outcome = match event {
            Event::Received { bytes, sender, group, namespace } => {
                let mut lease = self.slots.take().ok_or(Error::Exhausted { slots: self.slots.count() })?;
                // A slot takes the longest of the recording.
                let slot = lease.bytes_mut().get_mut(..bytes.len()).unwrap_or_default();
                slot.copy_from_slice(bytes.get(..slot.len()).unwrap_or_default());
                let numbers = self.sequences.borrow();
                for at in sequences(bytes) {
                    if let Some(now) = number_at(bytes, at).and_then(|then| numbers.get(&then)) {
                        put_number(slot, at, *now);
                    }
                }
                counters.datagrams = counters.datagrams.wrapping_add(1);
                counters.bytes = counters.bytes.wrapping_add(bytes.len() as u64);
                Ok(Datagram::new(lease, 0, bytes.len(), Origin { sender, group, namespace, ..Origin::default() }))
            }
            Event::NotReceived(error) => {
                let overrun = u64::from(matches!(error, Error::Overrun { .. }));
                counters.overruns = counters.overruns.wrapping_add(overrun);
                Err(error)
            }
            Event::Sent(_) | Event::NotSent(..) => {
                return Err(Error::Recording { offset, problem: RecordingProblem::ReceivesEarly });
            }
        };
        self.counters.set(counters);
        self.next.set(behind);
        outcome
    }

    fn exchange(&self, bytes: &[u8], deadline: Deadline) -> Result<Datagram<'_>, Error> {
        self.send(bytes)?;
        self.receive(deadline)
    }

    fn wipe(&self) {
        self.slots.wipe();
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Replay
    }

    fn reason(&self) -> Reason {
        Reason::Asked(EngineKind::Replay)
    }

    fn counters(&self) -> Counters {
        self.counters.get()
    }
}

const MAGIC: [u8; 8] = *b"RINGLREC";
const VERSION: u8 = 1;
const BYTE_ORDER: u8 = if cfg!(target_endian = "little") { 1 } else { 2 };

/// Bytes of the longest note.
const NOTE: usize = 1 << 16;
/// Bytes of the longest datagram: what a slot of any engine takes.
const DATAGRAM: usize = 1 << 24;

/// Kinds of entries.
const SENT: u8 = 1;
const RECEIVED: u8 = 2;
const NOT_SENT: u8 = 3;
const NOT_RECEIVED: u8 = 4;

/// Kinds of errors.
const OTHER: u8 = 0;
const TIMED_OUT: u8 = 1;
const OVERRUN: u8 = 2;
const TRUNCATED: u8 = 3;
const EXHAUSTED: u8 = 4;
const SYSTEM: u8 = 5;

/// The calls that engines make: an [`Error::System`] holds no other words.
const CALLS: [&str; 10] =
    ["send", "sendto", "sendmsg", "recv", "recvmsg", "io_uring_enter", "ppoll", "getsockopt", "setsockopt", "mmap"];

/// Where in a datagram sequence numbers stand: in each message's header, and in the header of the request that an error
/// repeats. What is behind a message that cannot be read has none.
fn sequences(datagram: &[u8]) -> impl Iterator<Item = usize> {
    const SEQUENCE: usize = 8;
    const REPEATED: usize = MESSAGE_HEADER + 4;
    let mut messages = Messages::new(datagram);
    std::iter::from_fn(move || {
        let at = messages.offset();
        let Message { header, payload } = messages.next()?.ok()?;
        let repeated = header.kind == MessageType::ERROR && payload.len() >= REPEATED;
        Some([Some(at + SEQUENCE), repeated.then_some(at + REPEATED + SEQUENCE)])
    })
    .flatten()
    .flatten()
}

fn number_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

fn put_number(bytes: &mut [u8], at: usize, number: u32) {
    if let Some(place) = bytes.get_mut(at..).and_then(|bytes| bytes.first_chunk_mut()) {
        *place = number.to_ne_bytes();
    }
}

/// Where entries are written.
struct Log<W> {
    sink: W,
    /// What is to be written next.
    entries: Vec<u8>,
    /// Why nothing more can be written.
    failure: Option<Error>,
}

impl<W: Write> Log<W> {
    fn check(&self) -> Result<(), Error> {
        self.failure.clone().map_or(Ok(()), Err)
    }

    fn write(&mut self) -> Result<(), Error> {
        if let Err(error) = self.sink.write_all(&self.entries) {
            self.failure = Some(Error::from_io("write", &error));
        }
        self.entries.clear();
        self.check()
    }

    fn put_sent(&mut self, took: Duration, bytes: &[u8], error: Option<&Error>) {
        let kind = if error.is_some() { NOT_SENT } else { SENT };
        self.put_entry(kind, took, |log| {
            if let Some(error) = error {
                log.put_error(error);
            }
            log.entries.extend(bytes);
        });
    }

    fn put_received(&mut self, took: Duration, outcome: &Result<Datagram<'_>, Error>) {
        match outcome {
            Ok(datagram) => self.put_entry(RECEIVED, took, |log| {
                log.entries.extend(datagram.sender().to_le_bytes());
                log.entries.extend(datagram.group().to_le_bytes());
                log.entries.push(u8::from(datagram.namespace().is_some()));
                log.entries.extend(datagram.namespace().unwrap_or(0).to_le_bytes());
                log.entries.extend(datagram.bytes());
            }),
            Err(error) => self.put_entry(NOT_RECEIVED, took, |log| log.put_error(error)),
        }
    }

    fn put_entry(&mut self, kind: u8, took: Duration, body: impl FnOnce(&mut Log<W>)) {
        self.entries.push(kind);
        self.entries.extend(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX).to_le_bytes());
        let at = self.entries.len();
        self.put_length(0);
        body(self);
        let length = self.entries.len().saturating_sub(at + 4);
        if let Some(place) = self.entries.get_mut(at..).and_then(|entry| entry.first_chunk_mut()) {
            *place = short(length).to_le_bytes();
        }
    }

    fn put_length(&mut self, length: usize) {
        self.entries.extend(short(length).to_le_bytes());
    }

    fn put_error(&mut self, error: &Error) {
        let wide = |number: usize| number as u64;
        let errno = |number: i32| u64::from(number.cast_unsigned());
        let text;
        let (kind, first, second, name) = match error {
            Error::TimedOut => (TIMED_OUT, 0, 0, ""),
            Error::Overrun { drops } => (OVERRUN, u64::from(*drops), 0, ""),
            Error::Truncated { length, slot } => (TRUNCATED, wide(*length), wide(*slot), ""),
            Error::Exhausted { slots } => (EXHAUSTED, wide(*slots), 0, ""),
            Error::System { call, errno: number } => (SYSTEM, errno(*number), 0, *call),
            other => {
                text = other.to_string();
                (OTHER, errno(other.errno().unwrap_or(0)), 0, &*text)
            }
        };
        let length = u8::try_from(name.len()).unwrap_or(u8::MAX);
        self.entries.push(kind);
        self.entries.extend(first.to_le_bytes());
        self.entries.extend(second.to_le_bytes());
        self.entries.push(length);
        self.entries.extend(name.bytes().take(length.into()));
    }
}

/// No datagram is so long that its length has more than 32 bits: sockets' buffers are smaller.
fn short(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Reads a recording's fields.
struct Cursor<'b> {
    bytes: &'b [u8],
    at: usize,
    /// Where the header or entry that is being read starts.
    start: usize,
}

impl<'b> Cursor<'b> {
    fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    fn problem(&self, problem: RecordingProblem) -> Error {
        Error::Recording { offset: self.start, problem }
    }

    /// For a field that has just been read.
    fn field(&self, name: &'static str) -> Error {
        Error::Recording { offset: self.at, problem: RecordingProblem::Field { name } }
    }

    fn take(&mut self, length: usize) -> Result<&'b [u8], Error> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..length).ok_or(self.problem(RecordingProblem::Cut))?;
        self.at = self.at.saturating_add(length);
        Ok(taken)
    }

    fn chunk<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.take(N)?.first_chunk().copied().ok_or(self.problem(RecordingProblem::Cut))
    }

    fn byte(&mut self) -> Result<u8, Error> {
        self.chunk().map(u8::from_le_bytes)
    }

    fn number(&mut self) -> Result<u32, Error> {
        self.chunk().map(u32::from_le_bytes)
    }

    fn long(&mut self) -> Result<u64, Error> {
        self.chunk().map(u64::from_le_bytes)
    }

    fn flag(&mut self) -> Result<bool, Error> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(self.field("this flag")),
        }
    }

    fn length(&mut self, most: usize, name: &'static str) -> Result<usize, Error> {
        let length = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if length > most { Err(self.field(name)) } else { Ok(length) }
    }

    fn entry(&mut self) -> Result<Entry<'b>, Error> {
        self.start = self.at;
        let kind = self.byte()?;
        if !(SENT..=NOT_RECEIVED).contains(&kind) {
            return Err(self.problem(RecordingProblem::Field { name: "this kind of entry" }));
        }
        let took = Duration::from_nanos(self.long()?);
        let length = self.length(DATAGRAM + 1024, "an entry of this length")?;
        let end = self.at;
        self.take(length)?;
        let end = end.saturating_add(length);
        // What is in the entry ends with it.
        let mut body = Cursor { bytes: self.bytes.get(..end).unwrap_or_default(), at: end - length, start: self.start };
        let event = match kind {
            SENT => Event::Sent(body.rest()?),
            RECEIVED => {
                let (sender, group, known) = (body.number()?, body.number()?, body.flag()?);
                let namespace = body.number()?.cast_signed();
                Event::Received { sender, group, namespace: known.then_some(namespace), bytes: body.rest()? }
            }
            NOT_SENT => {
                let error = body.error()?;
                Event::NotSent(body.rest()?, error)
            }
            _ => Event::NotReceived(body.error()?),
        };
        if !body.is_at_end() {
            return Err(body.field("what is behind this entry's last field"));
        }
        Ok(Entry { offset: self.start, took, event })
    }

    fn rest(&mut self) -> Result<&'b [u8], Error> {
        let rest = self.bytes.len().saturating_sub(self.at);
        if rest > DATAGRAM {
            return Err(self.field("a datagram of this length"));
        }
        self.take(rest)
    }

    fn error(&mut self) -> Result<Error, Error> {
        let (kind, first, second) = (self.byte()?, self.long()?, self.long()?);
        let length = self.byte()?;
        let name = self.take(length.into())?;
        let size = |number: u64| usize::try_from(number).map_err(|_| self.field("a number in this error"));
        let errno = || u32::try_from(first).map(u32::cast_signed).map_err(|_| self.field("a number in this error"));
        Ok(match kind {
            TIMED_OUT => Error::TimedOut,
            OVERRUN => Error::Overrun { drops: errno()?.cast_unsigned() },
            TRUNCATED => Error::Truncated { length: size(first)?, slot: size(second)? },
            EXHAUSTED => Error::Exhausted { slots: size(first)? },
            // Of another error only the number is left.
            SYSTEM | OTHER => {
                let known = CALLS.iter().find(|call| call.as_bytes() == name);
                Error::System { call: known.copied().unwrap_or("a recorded call"), errno: errno()? }
            }
            _ => return Err(self.field("this kind of error")),
        })
    }
}
