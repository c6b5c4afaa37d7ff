//! The engine of io_uring: one multishot receive into a ring of provided buffers (io_uring_setup(2)).
//!
//! The receive stays armed; one `io_uring_enter(2)` fills as many slots as there are datagrams, so a long dump or a burst
//! of events takes a few system calls where `recv(2)` takes one a datagram. A request's answer is mostly in its slot when
//! the `send(2)` returns, so an exchange is one system call; plain system calls are still quicker at that, as two calls
//! cost less than a ring's bookkeeping. On a socket [connected to the kernel](Socket::connect_to_kernel) it uses multishot `recv` with
//! `MSG_TRUNC`, otherwise multishot `recvmsg`, which tells the sender, the group and the namespace.
//!
//! It needs Linux 6.0 and the permission to use io_uring; [`Ring::new`] tries everything it needs and fails with
//! [`Error::NoRing`] where a part is missing. A slot is lent to the caller in a [`Datagram`] and goes back to the kernel
//! with the next system call; when the caller holds all of them, asking for more is [`Error::Exhausted`].
//!
//! The memory that a ring needs is made by [`Ring::new`]; slots that were never filled take none. A ring must not be used
//! or dropped in a forked child.
//!
//! ```
//! use ringlink::engine::{Deadline, Engine, ring::{Ring, RingConfig}};
//! use ringlink::socket::{Protocol, Socket, SocketOptions};
//!
//! let socket = Socket::open(Protocol::ROUTE, &SocketOptions::default())?;
//! socket.connect_to_kernel()?;
//! match Ring::new(socket, RingConfig::tiny()) {
//!     Ok(ring) => assert!(ring.receive(Deadline::after(std::time::Duration::ZERO)).is_err()),
//!     Err(error) => println!("no ring: {error}"),
//! }
//! # Ok::<(), ringlink::error::Error>(())
//! ```

use std::cell::Cell;
use std::fmt;
use std::io;
use std::mem::{ManuallyDrop, MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use io_uring::types::{BufRingEntry, Fd, RecvMsgOut, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};

use crate::engine::syscall::check;
use crate::engine::{Counters, Datagram, Deadline, Engine, EngineKind, Origin, Reason};
use crate::error::{Error, RingPart};
use crate::socket::Socket;
use crate::sys::{self, Mapping, Slots};

/// Sizes of a [`Ring`] engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingConfig {
    /// How many datagrams may be held or in the making at once; 1 to 32,768. Default: 24, which are
    /// 768 KiB: more take fewer system calls but fall out of the processor's caches.
    pub slots: u16,
    /// Bytes of a slot; at least 4,096. On a socket that is not connected, 76 of them are taken by the sender's address
    /// and the control messages. Default: 32,768, the most the kernel puts into a dump's datagram.
    pub slot: usize,
}

impl RingConfig {
    /// For constrained agents: 4 slots, so at most 128 KiB. Long dumps and bursts of events take more system calls;
    /// nothing is lost.
    pub const fn tiny() -> RingConfig {
        RingConfig { slots: 4, slot: 32 * 1024 }
    }

    /// For sockets that follow events: many slots. An event touches only the pages it fills, so small events take about
    /// 1 MiB in all.
    pub const fn monitor() -> RingConfig {
        RingConfig { slots: 256, slot: 32 * 1024 }
    }
}

impl Default for RingConfig {
    fn default() -> RingConfig {
        RingConfig { slots: 24, slot: 32 * 1024 }
    }
}

/// Moves datagrams by one io_uring.
#[derive(Debug)]
pub struct Ring {
    socket: Socket,
    core: Core,
}

impl Ring {
    /// Takes a socket over, sets the ring up and arms the receive.
    ///
    /// Whether the socket is connected to the kernel is looked at now: connect it first.
    ///
    /// # Errors
    ///
    /// [`Error::NoRing`] where io_uring is missing, forbidden or too old, [`Error::Configuration`], and
    /// [`Error::System`] when there is no memory or no descriptor left.
    pub fn new(socket: Socket, config: RingConfig) -> Result<Ring, Error> {
        let core = Core::new(&socket, config)?;
        Ok(Ring { socket, core })
    }
}

impl Engine for Ring {
    fn socket(&self) -> &Socket {
        &self.socket
    }

    fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        self.core.send(&self.socket, bytes)
    }

    fn receive(&self, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        self.core.receive(&self.socket, deadline)
    }

    fn exchange(&self, bytes: &[u8], deadline: Deadline) -> Result<Datagram<'_>, Error> {
        self.core.exchange(&self.socket, bytes, deadline)
    }

    fn kind(&self) -> EngineKind {
        EngineKind::Ring
    }

    fn reason(&self) -> Reason {
        Reason::Asked(EngineKind::Ring)
    }

    fn counters(&self) -> Counters {
        self.core.counters.get()
    }
}

/// The one group of provided buffers.
const GROUP: u16 = 0;
/// Submission queue entries: a receive and its cancellation are the most there can be at once.
const ENTRIES: u32 = 4;
/// The name that multishot `recvmsg` is to leave room for.
const NAME: usize = size_of::<libc::sockaddr_nl>();
/// What multishot `recvmsg` puts before a payload: `struct io_uring_recvmsg_out`, the name and the control messages.
const PREFIX: usize = 16 + NAME + sys::CONTROL;

/// Requests, by the user data of their completions.
const RECEIVE: u64 = 1;
const CANCEL: u64 = 2;

/// How long a drop waits for the kernel to confirm that it has let go of the memory, before it gives the memory up.
const PATIENCE: Duration = Duration::from_secs(1);

/// The engine without its socket, so that [`Auto`](crate::engine::auto::Auto) can keep one socket for two engines.
///
/// Not `Sync` (its cells see to that), so between two points in a method nobody else touches the queues.
pub(crate) struct Core {
    /// INVARIANT: every request submitted to it has user data `RECEIVE` (at most one in flight, and then `armed`, refers to
    /// no memory but `memory`'s) or `CANCEL` (refers to no memory).
    uring: IoUring,
    /// What the kernel may read and write while a request is in flight.
    ///
    /// INVARIANT: not dropped while `armed`.
    memory: ManuallyDrop<Memory>,
    /// Whether the sockets it is used with are connected; decides which receive is armed.
    connected: bool,
    /// INVARIANT: true from before a receive is queued until its last completion is seen.
    armed: Cell<bool>,
    /// Slots handed to the kernel, now and before it was last handed any; slots that came back full. All wrap.
    published: Cell<u32>,
    published_before: Cell<u32>,
    taken: Cell<u32>,
    /// A completion that was looked at before its turn.
    early: Cell<Option<Completion>>,
    /// The thread that armed the receive, as [`thread`] numbers them.
    thread: Cell<usize>,
    counters: Cell<Counters>,
}

/// INVARIANT: no part of it moves or is freed before the whole is.
struct Memory {
    slots: Slots,
    /// The ring of provided buffers: `mask + 1` entries of 16 bytes.
    entries: Mapping,
    mask: u16,
    /// The kernel's view of how many entries were ever written.
    tail: Cell<u16>,
    /// The template of multishot `recvmsg`: lengths, and no pointers.
    header: Box<libc::msghdr>,
}

// SAFETY: the pointers in it are to its own memory (and null in `header`), and io_uring's descriptor may be used by any
// thread, as the ring is set up without IORING_SETUP_SINGLE_ISSUER.
unsafe impl Send for Core {}

/// A completion queue entry.
#[derive(Clone, Copy)]
struct Completion {
    request: u64,
    result: i32,
    flags: u32,
}

impl Core {
    pub(crate) fn new(socket: &Socket, config: RingConfig) -> Result<Core, Error> {
        check(config.slots, config.slot)?;
        let uring = set_up(config.slots)?;
        if !uring.params().is_feature_ext_arg() {
            return Err(Error::NoRing { part: RingPart::TimedWait, errno: libc::EINVAL });
        }
        let memory = Memory::new(config)?;
        let entries = memory.mask + 1;
        // SAFETY: the entries are page-aligned and as many as said. They stay mapped while any request that would look at
        // them is in flight: `memory` is not dropped before, or not at all.
        unsafe { uring.submitter().register_buf_ring_with_flags(memory.entries.start().addr_u64(), entries, GROUP, 0) }
            .map_err(|error| no_ring(RingPart::BufferRing, &error))?;
        let core = Core {
            uring,
            memory: ManuallyDrop::new(memory),
            connected: socket.is_connected(),
            armed: Cell::new(false),
            published: Cell::new(0),
            published_before: Cell::new(0),
            taken: Cell::new(0),
            early: Cell::new(None),
            thread: Cell::new(thread()),
            counters: Cell::default(),
        };
        core.publish();
        core.arm(socket)?;
        core.enter(0, None)?;
        // A kernel that does not know the flag refuses the request at once; what was received stays in its place.
        let first = core.next();
        match first {
            Some(Completion { request: RECEIVE, result, .. }) if result == -libc::EINVAL => {
                Err(Error::NoRing { part: RingPart::Multishot, errno: libc::EINVAL })
            }
            first => {
                core.early.set(first);
                Ok(core)
            }
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        self.counters.get()
    }

    fn count(&self, change: impl FnOnce(&mut Counters)) {
        let mut counters = self.counters.get();
        change(&mut counters);
        self.counters.set(counters);
    }

    pub(crate) fn send(&self, socket: &Socket, bytes: &[u8]) -> Result<(), Error> {
        loop {
            self.count(|counters| counters.system_calls += 1);
            match sys::send(socket.as_fd(), bytes) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Error::from_io("send", &error)),
            }
        }
    }

    /// The kernel answers inside the send, and carries the armed receive on when the send returns: mostly the answer is in
    /// its slot by then, and this is one system call. A send by the ring would be one too, and slower.
    pub(crate) fn exchange(&self, socket: &Socket, bytes: &[u8], deadline: Deadline) -> Result<Datagram<'_>, Error> {
        if !self.has_completions() {
            self.publish();
            if self.published == self.taken {
                return Err(self.exhausted());
            }
        }
        self.send(socket, bytes)?;
        self.receive(socket, deadline)
    }

    pub(crate) fn receive(&self, socket: &Socket, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        match self.deliver(socket) {
            Some(delivery) => delivery,
            None => self.wait(socket, deadline),
        }
    }

    /// Submits what is queued and waits; the completion queue is empty.
    fn wait(&self, socket: &Socket, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        let mut late = false;
        loop {
            self.publish();
            if self.published == self.taken {
                return Err(self.exhausted());
            }
            self.hand_over()?;
            if !self.armed.get() {
                self.arm(socket)?;
                self.count(|counters| counters.rearms += 1);
            }
            let remaining = deadline.remaining();
            self.enter(1, remaining)?;
            if let Some(delivery) = self.deliver(socket) {
                return delivery;
            }
            if remaining == Some(Duration::ZERO) {
                // A receive that ended just now has not looked at what is there; it gets one more chance.
                if late || self.armed.get() {
                    return Err(Error::TimedOut);
                }
                late = true;
            }
        }
    }

    fn exhausted(&self) -> Error {
        Error::Exhausted { slots: self.memory.slots.count() }
    }

    /// Works through the completions there are, up to the first datagram or error.
    fn deliver(&self, socket: &Socket) -> Option<Result<Datagram<'_>, Error>> {
        while let Some(completion) = self.next() {
            if completion.request == RECEIVE {
                let delivery = self.received(socket, completion);
                if delivery.is_some() {
                    return delivery;
                }
            }
        }
        None
    }

    /// The datagram, or the error, that a completion of the receive stands for; neither when the receive only ended.
    fn received(&self, socket: &Socket, completion: Completion) -> Option<Result<Datagram<'_>, Error>> {
        let Some(number) = cqueue::buffer_select(completion.flags) else {
            return match -completion.result {
                libc::ENOBUFS => self.no_buffer_space(socket),
                // The thread that armed it has ended, or it was handed over.
                libc::ECANCELED | libc::EINTR | libc::EAGAIN | 0 => None,
                errno => Some(Err(Error::System { call: "recv", errno })),
            };
        };
        self.taken.set(self.taken.get().wrapping_add(1));
        // SAFETY: the slot was handed to the kernel by `publish`, and this completion gives it back.
        let lease = unsafe { self.memory.slots.lease(number) };
        let Ok(length) = usize::try_from(completion.result) else {
            return Some(Err(Error::System { call: "recv", errno: -completion.result }));
        };
        let size = self.memory.slots.size();
        let (start, length, origin) = if self.connected {
            (0, length, Origin::default())
        } else {
            let parsed = lease.bytes().get(..length).map(|bytes| RecvMsgOut::parse(bytes, &self.memory.header));
            let Some(Ok(parsed)) = parsed else {
                return Some(Err(Error::System { call: "recvmsg", errno: libc::EBADMSG }));
            };
            let word = |at| parsed.name_data().get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
            // `nl_pid` and `nl_groups` of `struct sockaddr_nl`.
            let [sender, groups] = [4, 8].map(|at| word(at).map_or(0, u32::from_ne_bytes));
            let length = parsed.incoming_payload_len() as usize;
            (PREFIX, length, sys::origin(sender, groups, parsed.control_data()))
        };
        if start + length > size {
            return Some(Err(Error::Truncated { length, slot: size - start }));
        }
        self.count(|counters| {
            counters.datagrams += 1;
            counters.bytes += length as u64;
        });
        Some(Ok(Datagram::new(lease, start, start + length, origin)))
    }

    /// Decides what `ENOBUFS` means: the ring had no slot left (nothing is lost, the receive is armed again), or the
    /// socket's queue overran.
    ///
    /// Completions are seen in order, so `published - taken` is how many slots the kernel had at that completion, or fewer
    /// if some were published after it; before that publication it had at least `published_before - taken`. A kernel
    /// without a slot does not look at the socket, so an overrun that came at the same time is still reported later.
    #[cold]
    fn no_buffer_space(&self, socket: &Socket) -> Option<Result<Datagram<'_>, Error>> {
        let had_none = self.published == self.taken;
        let may_have_had_none = self.published_before.get().wrapping_sub(self.taken.get()).cast_signed() <= 0;
        let drops = if had_none {
            0
        } else {
            self.count(|counters| counters.system_calls += 1);
            socket.take_drops()
        };
        if had_none || (may_have_had_none && drops == 0) {
            self.count(|counters| counters.starvations += 1);
            return None;
        }
        self.count(|counters| counters.overruns += 1);
        Some(Err(Error::Overrun { drops }))
    }

    /// Hands the free slots to the kernel, all at once. Only called when every completion seen so far was worked through.
    fn publish(&self) {
        let memory = &*self.memory;
        let start = memory.entries.start().cast::<BufRingEntry>();
        let (mut tail, before) = (memory.tail.get(), self.published.get());
        let mut published = before;
        while let Some(number) = memory.slots.take_number() {
            // SAFETY: the index is masked, so the entry lies in the mapping; the kernel does not read entries at or after
            // its tail, and there are never more slots than entries.
            let entry = unsafe { start.add(usize::from(tail & memory.mask)).as_mut() };
            entry.set_addr(memory.slots.start(number).addr_u64());
            entry.set_len(memory.slots.size() as u32);
            entry.set_bid(number);
            tail = tail.wrapping_add(1);
            published = published.wrapping_add(1);
        }
        self.published_before.set(before);
        if published != before {
            memory.tail.set(tail);
            self.published.set(published);
            // SAFETY: the pointer is to the first entry of the ring.
            let shared = unsafe { BufRingEntry::tail(start.as_ptr()) };
            // SAFETY: the tail is two bytes of the mapping, aligned, that are written here alone and atomically.
            unsafe { AtomicU16::from_ptr(shared.cast_mut()) }.store(tail, Ordering::Release);
        }
    }

    /// Queues a multishot receive.
    fn arm(&self, socket: &Socket) -> Result<(), Error> {
        let descriptor = Fd(socket.as_fd().as_raw_fd());
        let entry = if self.connected {
            opcode::RecvMulti::new(descriptor, GROUP).flags(libc::MSG_TRUNC).build()
        } else {
            opcode::RecvMsgMulti::new(descriptor, &raw const *self.memory.header, GROUP)
                .flags(libc::MSG_TRUNC as u32)
                .build()
        };
        self.armed.set(true);
        self.thread.set(thread());
        // SAFETY: the request refers to the header and the slots, which are `memory`'s, and `armed` is set.
        unsafe { self.push(&entry.user_data(RECEIVE)) }
    }

    /// Cancels the receive when another thread armed it: its completions are that thread's work, and die with it. The
    /// receive is armed again when the cancelled one has ended.
    fn hand_over(&self) -> Result<(), Error> {
        let here = thread();
        if self.thread.replace(here) != here && self.armed.get() {
            self.cancel()?;
        }
        Ok(())
    }

    fn cancel(&self) -> Result<(), Error> {
        let entry = opcode::AsyncCancel::new(RECEIVE).build().user_data(CANCEL);
        // SAFETY: the request refers to no memory.
        unsafe { self.push(&entry) }
    }

    /// Queues a request; the queue has room, because every wait submits all of it.
    ///
    /// # Safety
    ///
    /// What the request refers to is `memory`'s, and then `armed` is set.
    unsafe fn push(&self, entry: &squeue::Entry) -> Result<(), Error> {
        // SAFETY: no other submission queue value exists: they live only in this function, which calls nobody.
        let mut queue = unsafe { self.uring.submission_shared() };
        // SAFETY: the caller's promise.
        unsafe { queue.push(entry) }.map_err(|_| Error::System { call: "io_uring_enter", errno: libc::EBUSY })
    }

    /// The next completion, if there is one.
    fn next(&self) -> Option<Completion> {
        if let Some(early) = self.early.take() {
            return Some(early);
        }
        // SAFETY: no other completion queue value exists: they live only in this function and the next, which call nobody.
        let entry = unsafe { self.uring.completion_shared() }.next()?;
        let completion = Completion { request: entry.user_data(), result: entry.result(), flags: entry.flags() };
        if completion.request == RECEIVE && !cqueue::more(completion.flags) {
            self.armed.set(false);
        }
        Some(completion)
    }

    fn has_completions(&self) -> bool {
        let early = self.early.take();
        self.early.set(early);
        // SAFETY: as above.
        early.is_some() || !unsafe { self.uring.completion_shared() }.is_empty()
    }

    /// Submits what is queued and waits for so many completions, at most so long. Returns early when a signal comes.
    fn enter(&self, completions: usize, remaining: Option<Duration>) -> Result<(), Error> {
        self.count(|counters| counters.system_calls += 1);
        let entered = match remaining {
            None => self.uring.submitter().submit_and_wait(completions),
            Some(remaining) => {
                let time = Timespec::from(remaining);
                self.uring.submitter().submit_with_args(completions, &SubmitArgs::new().timespec(&time))
            }
        };
        match entered {
            Ok(_) => Ok(()),
            Err(error) => match error.raw_os_error() {
                // Over, interrupted, or the kernel wants its completions taken first.
                Some(libc::ETIME | libc::EINTR | libc::EBUSY) => Ok(()),
                _ => Err(Error::from_io("io_uring_enter", &error)),
            },
        }
    }

    /// Ends the receive in flight. `false` when that cannot be confirmed.
    fn finish(&self) -> bool {
        let deadline = Deadline::after(PATIENCE);
        let cancelled = !self.armed.get() || self.cancel().is_ok();
        while cancelled && self.armed.get() {
            let remaining = deadline.remaining();
            if self.enter(1, remaining).is_err() || remaining == Some(Duration::ZERO) {
                break;
            }
            while self.next().is_some() {}
        }
        !self.armed.get()
    }
}

impl Drop for Core {
    // This drop makes system calls: the kernel may write to the slots until it has confirmed that it will not.
    fn drop(&mut self) {
        if self.finish() {
            // SAFETY: the last completion of the receive was seen, so the kernel no longer uses the memory (of the entries
            // it keeps its own reference until the ring is closed); `memory` is not used again.
            unsafe { ManuallyDrop::drop(&mut self.memory) };
        }
        // Otherwise the memory stays mapped for good: closing the ring cancels its requests only some time later.
    }
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core")
            .field("slots", &self.memory.slots.count())
            .field("connected", &self.connected)
            .field("armed", &self.armed.get())
            .field("counters", &self.counters.get())
            .finish_non_exhaustive()
    }
}

impl Memory {
    fn new(config: RingConfig) -> Result<Memory, Error> {
        // SAFETY: all fields are integers and pointers, for which zero is a value.
        let mut header: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        header.msg_namelen = NAME as libc::socklen_t;
        header.msg_controllen = sys::CONTROL as _;
        let entries = config.slots.next_power_of_two();
        Ok(Memory {
            slots: Slots::new(config.slots, config.slot)?,
            entries: Mapping::new(usize::from(entries) * size_of::<BufRingEntry>())?,
            mask: entries - 1,
            tail: Cell::new(0),
            header: Box::new(header),
        })
    }
}

/// An address as io_uring's structures hold it.
trait Address {
    fn addr_u64(self) -> u64;
}

impl<T> Address for std::ptr::NonNull<T> {
    fn addr_u64(self) -> u64 {
        self.as_ptr().expose_provenance() as u64
    }
}

/// Sets a ring up, with cooperative task running where the kernel has it (Linux 5.19): the receive is carried on when
/// this program enters the kernel anyway, instead of interrupting it.
///
/// IORING_SETUP_SINGLE_ISSUER and IORING_SETUP_DEFER_TASKRUN are left out: they would tie the engine to the thread that
/// made it, and a dump is no faster with them.
fn set_up(slots: u16) -> Result<IoUring, Error> {
    // Each slot can be in one completion; a receive's end and its cancellation need one each,
    // several times over.
    let completions = (u32::from(slots) + 8).next_power_of_two();
    let mut plain = IoUring::builder();
    plain.setup_cqsize(completions);
    let mut cooperative = plain.clone();
    cooperative.setup_coop_taskrun();
    cooperative
        .build(ENTRIES)
        .or_else(|error| match error.raw_os_error() {
            Some(libc::EINVAL) => plain.build(ENTRIES),
            _ => Err(error),
        })
        .map_err(|error| no_ring(RingPart::Setup, &error))
}

/// Memory and descriptors that ran out are failures of this call; anything else says that there is no ring here.
fn no_ring(part: RingPart, error: &io::Error) -> Error {
    match error.raw_os_error() {
        Some(libc::ENOMEM | libc::EMFILE | libc::ENFILE) => Error::from_io("io_uring_setup", error),
        errno => Error::NoRing { part, errno: errno.unwrap_or(0) },
    }
}

/// A number that is the calling thread's own while the thread lives.
fn thread() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| std::ptr::from_ref(here).addr())
}
