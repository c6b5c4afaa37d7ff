//! An engine that does on purpose what another one does when things go wrong: for tests of what a program makes of a kernel that
//! is short of memory, drops what it has no room for, answers late or never, and of others who talk in between.
//!
//! A [`Plan`] says which [`Fault`]s there are to be and how often, by a seed: the same calls meet the same faults. It stands
//! before any engine, one of a [`Mock`](crate::engine::mock::Mock) or one with a socket. What netlink promises is kept: of one
//! sender the datagrams come in the order in which they were sent, and where the kernel drops one, the socket says so. What is
//! beyond that is a fault of its own ([`Fault::Silence`], [`Fault::Stale`]), to be asked for.
//!
//! ```
//! use ringlink::codec::reply::{Errno, Refusal};
//! use ringlink::codec::route::{LinkHeader, Rtm};
//! use ringlink::engine::faults::{Fault, Plan};
//! use ringlink::engine::mock::Mock;
//! use ringlink::server::{Answer, Request};
//! use ringlink::{Config, Connection, Error, Protocol};
//!
//! // A kernel that does whatever it is asked, and nothing goes wrong by itself.
//! let kernel = Mock::new(Protocol::ROUTE, |_: &Request<'_>, _: &mut Answer<'_, '_>| Ok::<(), Refusal<'static>>(()));
//! let plan = Plan::quiet();
//! let mut connection = Connection::over(plan.over(kernel.engine()?)?, Config::default());
//! let mut change = || connection.apply(Rtm::SETLINK, LinkHeader { index: 1, ..LinkHeader::default() }, |_| {});
//!
//! // The answer is lost. Nobody waits 30 seconds for it: the time passes at once.
//! plan.inject(Fault::Silence);
//! assert_eq!(change(), Err(Error::TimedOut));
//! plan.inject(Fault::Overrun);
//! assert!(change().is_err_and(|error| error.is_loss()));
//! assert_eq!(change(), Ok(None));
//! assert_eq!(plan.total(), 2);
//! # Ok::<(), Error>(())
//! ```

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ringlink_codec::wire::{MessageHeader, MessageType, Messages};

use crate::engine::{Counters, Datagram, Deadline, Destination, Engine, EngineKind, Origin, Reason};
use crate::error::Error;
use crate::socket::Socket;
use crate::sys::Slots;

/// Something that goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// No engine can be made: no descriptor is left (`EMFILE`), or no memory (`ENOMEM`).
    Opening,
    /// A send fails, and nothing is sent: `ENOBUFS`, `ENOMEM`, `EAGAIN`, `EINTR` or `ECONNREFUSED`.
    Send,
    /// A receive fails once, with `ENOMEM`, `EINTR` or `EINVAL`; what was to be received is there yet.
    Receive,
    /// A datagram comes late: a wait ends without it, and it is the next thing to come.
    Late,
    /// A datagram and all that are there behind it are lost, and nobody says so: who was asked has died.
    Silence,
    /// Up to three datagrams are dropped, and the socket says so, with their number or without. It may be that none of them was
    /// for who hears of it.
    Overrun,
    /// A datagram is longer than a slot, and gone.
    Truncated,
    /// A datagram lacks its last bytes, up to twelve of them: no whole message is missing unnoticed.
    Cut,
    /// A verdict has no error number, and what is behind it in its datagram is lost: the kernel sends none such, processes may.
    Hollow,
    /// A datagram comes twice.
    Duplicate,
    /// A datagram comes once more before the answer of the next request, or of the one after that.
    Stale,
    /// Before a datagram comes one of another process that says something else in its place.
    Stranger,
    /// Before a datagram comes an event, to a multicast group, that has its sequence number and says something else.
    Event,
}

impl Fault {
    /// All of them.
    pub const ALL: [Fault; 13] = [
        Fault::Opening,
        Fault::Send,
        Fault::Receive,
        Fault::Late,
        Fault::Silence,
        Fault::Overrun,
        Fault::Truncated,
        Fault::Cut,
        Fault::Hollow,
        Fault::Duplicate,
        Fault::Stale,
        Fault::Stranger,
        Fault::Event,
    ];

    /// Those that sockets for events meet: of these nothing is lost, and nothing made up, without a word.
    pub const OF_MONITORS: [Fault; 6] =
        [Fault::Receive, Fault::Late, Fault::Overrun, Fault::Truncated, Fault::Cut, Fault::Stranger];
}

/// Which faults there are to be, and which there were. Its clones are the same one, and any number of engines may follow it.
#[derive(Clone)]
pub struct Plan(Arc<Mutex<State>>);

struct State {
    random: u64,
    /// One point in so many has a fault; 0 for none.
    one_in: u32,
    faults: Vec<Fault>,
    /// What is to be met next, whatever the chance.
    injected: VecDeque<Fault>,
    counts: [u64; Fault::ALL.len()],
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Plan").field("one_in", &state.one_in).field("counts", &state.counts).finish_non_exhaustive()
    }
}

impl Plan {
    /// One of these faults in `one_in` sends and receives, by chance: each seed makes another sequence, and the same one each
    /// time.
    pub fn new(seed: u64, one_in: u32, faults: &[Fault]) -> Plan {
        // A generator of this kind never leaves zero.
        let random = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let (injected, counts) = (VecDeque::new(), [0; Fault::ALL.len()]);
        Plan(Arc::new(Mutex::new(State { random, one_in, faults: faults.to_vec(), injected, counts })))
    }

    /// None but those that are [injected](Plan::inject).
    pub fn quiet() -> Plan {
        Plan::new(0, 0, &[])
    }

    /// An engine that follows this plan over one that works.
    ///
    /// # Errors
    ///
    /// [`Fault::Opening`], and what the system says where there really is no memory or no descriptor left.
    pub fn over(&self, engine: Box<dyn Engine>) -> Result<Box<dyn Engine>, Error> {
        Ok(Box::new(Faulty::new(self.clone(), engine)?))
    }

    /// Has the next engine that is made, send or datagram, whichever the fault is of, meet this fault; one behind the other where
    /// there are several.
    pub fn inject(&self, fault: Fault) {
        self.lock().injected.push_back(fault);
    }

    /// One fault in so many sends and receives from now on; 0 for none. What was withheld comes all the same.
    pub fn set_chance(&self, one_in: u32) {
        self.lock().one_in = one_in;
    }

    /// How often that fault was met.
    pub fn count(&self, fault: Fault) -> u64 {
        self.lock().counts.get(fault as usize).copied().unwrap_or(0)
    }

    /// How many faults were met.
    pub fn total(&self) -> u64 {
        self.lock().counts.iter().sum()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The fault for this point, if there is to be one.
    fn draw(&self, fits: impl Fn(Fault) -> bool) -> Option<Fault> {
        let mut state = self.lock();
        if let Some(fault) = state.injected.front().copied().filter(|fault| fits(*fault)) {
            return Some(fault);
        }
        let one_in = state.one_in;
        if one_in == 0 || state.below(one_in) > 0 {
            return None;
        }
        let fitting = state.faults.iter().filter(|fault| fits(**fault)).count();
        let chosen = state.below(u32::try_from(fitting).unwrap_or(u32::MAX).max(1));
        state.faults.iter().copied().filter(|fault| fits(*fault)).nth(usize::try_from(chosen).unwrap_or(0))
    }

    /// Counts a fault that was met.
    fn note(&self, fault: Fault) {
        let mut state = self.lock();
        if state.injected.front() == Some(&fault) {
            state.injected.pop_front();
        }
        if let Some(count) = state.counts.get_mut(fault as usize) {
            *count = count.wrapping_add(1);
        }
    }

    /// A number from 0 on and below `limit`.
    fn below(&self, limit: u32) -> u32 {
        self.lock().below(limit)
    }

    /// One of these.
    fn one_of(&self, numbers: &[i32]) -> i32 {
        let place = self.below(u32::try_from(numbers.len()).unwrap_or(1));
        usize::try_from(place).ok().and_then(|place| numbers.get(place)).copied().unwrap_or(libc::EIO)
    }
}

impl State {
    fn below(&mut self, limit: u32) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        u32::try_from((self.random >> 32) % u64::from(limit.max(1))).unwrap_or(0)
    }
}

/// Bytes of a datagram that is kept, or made up, at the most: as with the kernel's dumps.
const DATAGRAM: usize = 32 * 1024;

/// How many of them may be held at once.
const SLOTS: u16 = 4;

/// How long a wait is once something was lost before the last send. A kernel's answer is there by then; a process takes its time.
const PATIENCE: Duration = Duration::from_millis(20);

/// How many datagrams may wait to come late, again or unasked; beyond that none is withheld.
const WAITING: usize = 64;

/// A datagram's bytes, and where it is from.
type Kept = (Vec<u8>, Origin);

/// An engine that follows a plan.
struct Faulty {
    plan: Plan,
    engine: Box<dyn Engine>,
    slots: Slots,
    /// What comes before anything else.
    due: RefCell<VecDeque<Kept>>,
    /// What comes after the next send, and after the one behind that.
    stale: RefCell<[Vec<Kept>; 2]>,
    /// How long a wait may be: less than for ever once something was lost or spoilt, and nothing as long as nothing was sent since.
    patience: Cell<Option<Duration>>,
    /// A pipe whose other end is closed: poll(2) says at once that it may be read.
    always: OwnedFd,
    /// Whether the last receive said that nothing is there although something is.
    hesitated: Cell<bool>,
    /// A moment that has passed.
    opened: Instant,
}

impl fmt::Debug for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Faulty").field("engine", &self.engine).field("plan", &self.plan).finish_non_exhaustive()
    }
}

impl Faulty {
    fn new(plan: Plan, engine: Box<dyn Engine>) -> Result<Faulty, Error> {
        if let Some(fault) = plan.draw(|fault| fault == Fault::Opening) {
            plan.note(fault);
            let (call, errno) = [("socket", libc::EMFILE), ("mmap", libc::ENOMEM)][plan.below(2) as usize];
            return Err(Error::System { call, errno });
        }
        let (always, _) = std::io::pipe().map_err(|error| Error::from_io("pipe", &error))?;
        Ok(Faulty {
            plan,
            engine,
            slots: Slots::new(SLOTS, DATAGRAM)?,
            due: RefCell::default(),
            stale: RefCell::default(),
            patience: Cell::new(None),
            always: always.into(),
            hesitated: Cell::new(false),
            opened: Instant::now(),
        })
    }

    /// The fault of a send, if it has one.
    fn fail_to_send(&self) -> Result<(), Error> {
        let Some(fault) = self.plan.draw(|fault| fault == Fault::Send) else { return Ok(()) };
        self.plan.note(fault);
        let errnos = [libc::ENOBUFS, libc::ENOMEM, libc::EAGAIN, libc::EINTR, libc::ECONNREFUSED];
        Err(Error::System { call: "send", errno: self.plan.one_of(&errnos) })
    }

    /// What comes once something was sent.
    fn sent(&self) {
        self.patience.set(self.patience.get().map(|_| PATIENCE));
        let [next, later] = &mut *self.stale.borrow_mut();
        self.due.borrow_mut().extend(next.drain(..));
        std::mem::swap(next, later);
    }

    /// What the engine beneath has. Nobody waits for what may have been lost.
    fn next(&self, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        let Some(patience) = self.patience.get() else { return self.engine.receive(deadline) };
        let short = deadline.remaining().is_none_or(|remaining| remaining > patience);
        let result = self.engine.receive(if short { Deadline::after(patience) } else { deadline });
        if let (Err(Error::TimedOut), false) = (&result, self.engine.socket().is_connected()) {
            // Events come without being asked for: the next wait is one for others.
            self.patience.set(None);
        }
        result
    }

    fn passed(&self) -> Deadline {
        Deadline::at(self.opened)
    }

    /// Hands out what was kept.
    fn lend(&self, (bytes, origin): Kept) -> Result<Datagram<'_>, Error> {
        let Some(mut lease) = self.slots.take() else {
            self.due.borrow_mut().push_front((bytes, origin));
            return Err(Error::Exhausted { slots: self.slots.count() });
        };
        if let Some(slot) = lease.bytes_mut().get_mut(..bytes.len()) {
            slot.copy_from_slice(&bytes);
        }
        Ok(Datagram::new(lease, 0, bytes.len(), origin))
    }

    /// Meets a fault of a receive.
    fn meet(&self, fault: Fault, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        if fault == Fault::Receive {
            self.plan.note(fault);
            self.hesitated.set(true);
            let errno = self.plan.one_of(&[libc::ENOMEM, libc::EINTR, libc::EINVAL]);
            return Err(Error::System { call: "recv", errno });
        }
        let datagram = self.next(deadline)?;
        let header = header(&datagram);
        let spoils = fault != Fault::Hollow || header.kind == MessageType::ERROR;
        if datagram.len() > DATAGRAM || !spoils || self.due.borrow().len() > WAITING {
            return Ok(datagram);
        }
        self.plan.note(fault);
        let origin = datagram.origin;
        let mut bytes = datagram.to_vec();
        match fault {
            Fault::Late => {
                self.due.borrow_mut().push_back((bytes, origin));
                Err(Error::TimedOut)
            }
            Fault::Silence => {
                self.patience.set(Some(Duration::ZERO));
                drop(datagram);
                while self.engine.receive(self.passed()).is_ok() {}
                self.next(self.passed())
            }
            Fault::Overrun => {
                self.patience.set(Some(Duration::ZERO));
                let lost = self.plan.below(4);
                if lost == 0 {
                    self.due.borrow_mut().push_back((bytes, origin));
                }
                drop(datagram);
                for _ in 1..lost {
                    if self.engine.receive(self.passed()).is_err() {
                        break;
                    }
                }
                Err(Error::Overrun { drops: self.plan.below(2) * lost.max(1) })
            }
            Fault::Truncated => {
                self.patience.set(Some(Duration::ZERO));
                Err(Error::Truncated { length: bytes.len(), slot: bytes.len() / 2 })
            }
            Fault::Cut => {
                self.patience.set(Some(Duration::ZERO));
                let missing = usize::try_from(self.plan.below(12)).unwrap_or(0).saturating_add(1);
                bytes.truncate(bytes.len().saturating_sub(missing));
                self.lend((bytes, origin))
            }
            Fault::Hollow => {
                self.patience.set(Some(Duration::ZERO));
                let length = size_of_val(&header.to_bytes());
                let header = MessageHeader { length: u32::try_from(length).unwrap_or(0), ..header };
                self.lend((header.to_bytes().to_vec(), origin))
            }
            Fault::Duplicate => {
                self.due.borrow_mut().push_back((bytes, origin));
                Ok(datagram)
            }
            Fault::Stale => {
                let place = usize::try_from(self.plan.below(2)).unwrap_or(0);
                if let Some(stale) = self.stale.borrow_mut().get_mut(place) {
                    stale.push((bytes, origin));
                }
                Ok(datagram)
            }
            Fault::Stranger | Fault::Event => {
                self.due.borrow_mut().push_back((bytes.clone(), origin));
                let other = match fault {
                    Fault::Event => Origin { group: self.plan.below(31).saturating_add(1), ..origin },
                    _ => Origin { sender: self.plan.below(u32::MAX).saturating_add(1), ..origin },
                };
                lie(&mut bytes);
                drop(datagram);
                self.lend((bytes, other))
            }
            Fault::Opening | Fault::Send | Fault::Receive => Ok(datagram),
        }
    }
}

/// Has a datagram say something else: no for yes, yes for no, and other values.
fn lie(bytes: &mut [u8]) {
    let kind = header(bytes).kind;
    let payload = bytes.get_mut(size_of_val(&MessageHeader::default().to_bytes())..).unwrap_or_default();
    match (kind, payload.first_chunk_mut()) {
        (MessageType::ERROR | MessageType::DONE, Some(errno)) => {
            *errno = if *errno == [0; 4] { (-libc::EPERM).to_ne_bytes() } else { [0; 4] };
        }
        _ => payload.iter_mut().for_each(|byte| *byte = !*byte),
    }
}

/// The header of a datagram's first message.
fn header(bytes: &[u8]) -> MessageHeader {
    Messages::new(bytes).next().and_then(Result::ok).map(|message| message.header).unwrap_or_default()
}

/// Whether it is one of a receive.
fn is_of_receiving(fault: Fault) -> bool {
    !matches!(fault, Fault::Opening | Fault::Send)
}

impl Engine for Faulty {
    fn socket(&self) -> &Socket {
        self.engine.socket()
    }

    fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        self.fail_to_send()?;
        self.engine.send(bytes)?;
        self.sent();
        Ok(())
    }

    fn send_to(&self, bytes: &[u8], to: Destination) -> Result<(), Error> {
        self.fail_to_send()?;
        self.engine.send_to(bytes, to)?;
        self.sent();
        Ok(())
    }

    fn receive(&self, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        self.hesitated.set(false);
        let due = self.due.borrow_mut().pop_front();
        if let Some(kept) = due {
            return self.lend(kept);
        }
        match self.plan.draw(is_of_receiving) {
            Some(fault) => self.meet(fault, deadline),
            None => self.next(deadline),
        }
    }

    fn exchange(&self, bytes: &[u8], deadline: Deadline) -> Result<Datagram<'_>, Error> {
        // The slot first: nothing is sent when there is no room for an answer.
        drop(self.slots.take().ok_or(Error::Exhausted { slots: self.slots.count() })?);
        self.send(bytes)?;
        self.receive(deadline)
    }

    fn wipe(&self) {
        self.engine.wipe();
        self.slots.wipe();
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        match self.due.borrow().is_empty() && !self.hesitated.get() {
            true => self.engine.descriptor(),
            false => self.always.as_fd(),
        }
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
