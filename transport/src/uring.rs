//! One io_uring with one ring of provided buffers and any number of sockets: the half of this crate's unsafe code that is
//! not [`sys`]. Everything here is safe to call.
//!
//! Each socket has at most one multishot receive in flight, and at most one send, whose bytes are copied into memory that
//! stays. The sockets are the caller's; he passes them, in the order in which they were added, to whatever may have to look at
//! one.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::mem::{ManuallyDrop, MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use io_uring::types::{BufRingEntry, CancelBuilder, Fd, RecvMsgOut, SubmitArgs, Timespec};
#[cfg(not(miri))]
use io_uring::{Builder, IoUring};
use io_uring::{cqueue, opcode, squeue};

use crate::engine::ring::RingConfig;
use crate::engine::syscall::{self, check};
use crate::engine::{Counters, Datagram, Deadline, Destination, Origin};
use crate::error::{Error, RingPart};
#[cfg(miri)]
use crate::played::ring::{Builder, IoUring};
use crate::socket::Socket;
use crate::sys::{self, Mapping, Slots};

/// What a ring is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// One socket, and any thread.
    Engine,
    /// Many sockets, each of whose requests have at most so many bytes, and one thread.
    Fleet {
        /// The most sockets there will be.
        sockets: u32,
        /// Bytes of a request.
        request: usize,
    },
}

/// A socket that the ring opened.
pub(crate) struct Opened {
    pub(crate) descriptor: OwnedFd,
    /// The port id it was bound to, if it was.
    pub(crate) port: Option<u32>,
    /// What became of its options, in their order: 0, or a negative error number.
    pub(crate) options: Vec<i32>,
}

/// Something that came.
pub(crate) enum Arrival<'c> {
    /// At the socket with this number a datagram, or why none.
    Received(usize, Result<Datagram<'c>, Error>),
    /// A queued send of the socket with this number is over.
    Sent(usize, Result<(), Error>),
}

/// The one group of provided buffers.
const GROUP: u16 = 0;
/// The name that multishot `recvmsg` is to leave room for.
const NAME: usize = size_of::<libc::sockaddr_nl>();
/// What multishot `recvmsg` puts before a payload: `struct io_uring_recvmsg_out`, the name and the control messages.
const PREFIX: usize = 16 + NAME + sys::CONTROL;

/// Requests, by the low half of the user data of their completions; the high half is the socket's number.
const RECEIVE: u32 = 1;
const SEND: u32 = 2;
const CANCEL: u32 = 3;
/// The steps of opening a socket: making it, binding it, setting its options, of which the first has this number.
const MAKE: u32 = 4;
const BIND: u32 = 5;
const OPTION: u32 = 6;

/// How long a drop waits for the kernel to confirm that it has let go of the memory, before it gives the memory up.
const PATIENCE: Duration = Duration::from_secs(1);

/// Not `Sync` (its cells see to that), so between two points in a method nobody else touches the queues.
pub(crate) struct Core {
    /// INVARIANT: a request submitted to it has user data `RECEIVE` (at most one a member in flight, and then the member is
    /// `armed`) or `SEND` (likewise, `sending`), or `MAKE` and what is above it, and refers to no memory but `memory`'s; or
    /// `CANCEL`, and refers to no memory.
    uring: IoUring,
    /// What the kernel may read and write while a request is in flight.
    ///
    /// INVARIANT: not dropped while `in_flight` is not zero.
    memory: ManuallyDrop<Memory>,
    members: Vec<Member>,
    /// INVARIANT: how many members are `armed`, how many are `sending`, and how many steps of opening are under way.
    in_flight: Cell<u32>,
    /// How many members want a receive and are not `armed`.
    to_arm: Cell<u32>,
    /// Slots handed to the kernel, now and before it was last handed any; slots that came back full. All wrap.
    published: Cell<u32>,
    published_before: Cell<u32>,
    taken: Cell<u32>,
    /// A completion that was looked at before its turn.
    early: Cell<Option<Completion>>,
    /// The thread that armed the receives, as [`thread`] numbers them.
    thread: Cell<usize>,
    counters: Cell<Counters>,
}

/// What is known of a socket.
#[derive(Debug)]
struct Member {
    descriptor: RawFd,
    /// Whether it is connected; decides which receive is armed.
    connected: bool,
    /// To whom.
    peer: u32,
    /// Whether it is to receive.
    wanted: Cell<bool>,
    /// INVARIANT: true from before a receive is queued until its last completion is seen.
    armed: Cell<bool>,
    /// INVARIANT: true from before a send is queued until its completion is seen.
    sending: Cell<bool>,
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
    /// What is being sent, a slot for each socket; none where nothing is sent by the ring.
    requests: Option<Slots>,
}

// SAFETY: the pointers in it are to its own memory (and null in `header`), and io_uring's descriptor may be used by any
// thread where the ring is set up without IORING_SETUP_SINGLE_ISSUER. A ring that is set up with it belongs to a fleet,
// which is not `Send`.
unsafe impl Send for Core {}

/// A completion queue entry.
#[derive(Clone, Copy)]
struct Completion {
    request: u32,
    member: usize,
    result: i32,
    flags: u32,
}

impl Core {
    pub(crate) fn new(config: RingConfig, purpose: Purpose) -> Result<Core, Error> {
        check(config.slots, config.slot)?;
        let uring = set_up(config.slots, purpose)?;
        if !uring.params().is_feature_ext_arg() {
            return Err(Error::NoRing { part: RingPart::TimedWait, errno: libc::EINVAL });
        }
        let memory = Memory::new(config, purpose)?;
        let entries = memory.mask + 1;
        // SAFETY: the entries are page-aligned and as many as said. They stay mapped while any request that would look at
        // them is in flight: `memory` is not dropped before, or not at all.
        unsafe { uring.submitter().register_buf_ring_with_flags(memory.entries.start().addr_u64(), entries, GROUP, 0) }
            .map_err(|error| no_ring(RingPart::BufferRing, &error))?;
        let core = Core {
            uring,
            memory: ManuallyDrop::new(memory),
            members: Vec::new(),
            in_flight: Cell::new(0),
            to_arm: Cell::new(0),
            published: Cell::new(0),
            published_before: Cell::new(0),
            taken: Cell::new(0),
            early: Cell::new(None),
            thread: Cell::new(thread()),
            counters: Cell::default(),
        };
        core.publish();
        Ok(core)
    }

    /// Adds a socket; it receives from [`start`](Core::start) or [`want`](Core::want) on. Its number is how many were added
    /// before it.
    pub(crate) fn add(&mut self, socket: &Socket) -> Result<usize, Error> {
        let number = self.members.len();
        let most = self.memory.requests.as_ref().map_or(1, Slots::count);
        if number >= most {
            return Err(Error::Configuration { rule: "a ring has no more sockets than it was made for" });
        }
        self.members.push(Member {
            descriptor: socket.as_fd().as_raw_fd(),
            connected: socket.is_connected(),
            peer: socket.peer(),
            wanted: Cell::new(false),
            armed: Cell::new(false),
            sending: Cell::new(false),
        });
        Ok(number)
    }

    /// Opens so many netlink sockets, binds them to port ids from `port` on and switches options on, all in a few system calls.
    /// `None` where this kernel's ring cannot do that, or has other things to do.
    pub(crate) fn open(
        &self,
        protocol: u8,
        count: usize,
        port: u32,
        options: &[u32],
    ) -> Result<Option<Vec<Opened>>, Error> {
        let before = self.members.len();
        let Some(requests) = self.memory.requests.as_ref().filter(|slots| before + count <= slots.count()) else {
            return Ok(None);
        };
        if self.in_flight.get() > 0 || self.has_completions() {
            return Ok(None);
        }
        for _ in 0..count {
            let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
            let entry = opcode::Socket::new(libc::AF_NETLINK, kind, protocol.into()).build();
            self.step(&entry.user_data(user_data(MAKE, 0)))?;
        }
        let (mut opened, mut refused) = (Vec::with_capacity(count), 0);
        self.take_steps(|_, completion| match completion.result {
            descriptor @ 0.. => {
                // SAFETY: the kernel just made this descriptor for this request, nobody else owns it.
                let descriptor = unsafe { OwnedFd::from_raw_fd(descriptor) };
                opened.push(Opened { descriptor, port: None, options: vec![0; options.len()] });
            }
            error => refused = -error,
        })?;
        match refused {
            0 => {}
            libc::EINVAL => return Ok(None),
            errno => return Err(Error::System { call: "socket", errno }),
        }
        for (index, socket) in opened.iter().enumerate() {
            let number = u16::try_from(before + index).unwrap_or(u16::MAX);
            let port = port.wrapping_add(u32::from(number));
            // `struct sockaddr_nl`, whose family has two bytes, and behind it an int that is 1.
            let [one, two] = (libc::AF_NETLINK as libc::sa_family_t).to_ne_bytes();
            let words = [[one, two, 0, 0], port.to_ne_bytes(), [0; 4], 1_u32.to_ne_bytes()];
            // SAFETY: as in `send_queued`: the slot is of a member that is to be, so nothing is being sent from it.
            let mut lease = ManuallyDrop::new(unsafe { requests.lease(number) });
            for (to, from) in lease.bytes_mut().iter_mut().zip(words.as_flattened()) {
                *to = *from;
            }
            let (descriptor, address) = (Fd(socket.descriptor.as_raw_fd()), requests.start(number).as_ptr());
            let bind = opcode::Bind::new(descriptor, address.cast(), NAME as libc::socklen_t).build();
            self.step(&bind.user_data(user_data(BIND, index)))?;
            for (step, option) in (OPTION..).zip(options) {
                // SAFETY: a slot has at least 16 bytes.
                let value = unsafe { address.add(NAME) };
                let level = libc::SOL_NETLINK as u32;
                let set = opcode::SetSockOpt::new(descriptor, level, *option, value.cast(), 4).build();
                self.step(&set.user_data(user_data(step, index)))?;
            }
        }
        self.take_steps(|request, completion| {
            let Some(socket) = opened.get_mut(completion.member) else { return };
            match request.checked_sub(OPTION) {
                None if completion.result == 0 => {
                    socket.port = Some(port.wrapping_add((before + completion.member) as u32));
                }
                None => {}
                Some(option) => {
                    if let Some(result) = socket.options.get_mut(option as usize) {
                        *result = completion.result;
                    }
                }
            }
        })?;
        Ok(Some(opened))
    }

    /// Queues a step of opening, which refers to no memory but the slots of requests.
    fn step(&self, entry: &squeue::Entry) -> Result<(), Error> {
        self.in_flight.set(self.in_flight.get() + 1);
        // SAFETY: the request refers to a slot of requests at most, which is `memory`'s, and `in_flight` counts it.
        unsafe { self.push(entry) }
    }

    /// Waits until all steps of opening are done.
    fn take_steps(&self, mut each: impl FnMut(u32, Completion)) -> Result<(), Error> {
        while self.in_flight.get() > 0 {
            self.enter(1, None)?;
            while let Some(completion) = self.completion() {
                if completion.request >= MAKE {
                    self.in_flight.set(self.in_flight.get() - 1);
                    each(completion.request, completion);
                }
            }
        }
        Ok(())
    }

    /// Has the first socket receive, and makes sure that the kernel knows how.
    pub(crate) fn start(&self, sockets: &[Socket]) -> Result<(), Error> {
        self.want(0);
        self.arm(sockets)?;
        // With work that is deferred to the enter that waits, only a wait shows a refusal; a time of zero waits for none.
        self.enter(1, Some(Duration::ZERO))?;
        // A kernel that does not know the flag refuses the request at once; what was received stays in its place.
        let first = self.completion();
        match first {
            Some(Completion { request: RECEIVE, result, .. }) if result == -libc::EINVAL => {
                Err(Error::NoRing { part: RingPart::Multishot, errno: libc::EINVAL })
            }
            first => {
                self.early.set(first);
                Ok(())
            }
        }
    }

    /// Has a socket receive from the next wait on.
    pub(crate) fn want(&self, member: usize) {
        if let Some(member) = self.members.get(member)
            && !member.wanted.replace(true)
        {
            self.to_arm.set(self.to_arm.get() + 1);
        }
    }

    /// From now on slots are overwritten when they are given back.
    pub(crate) fn wipe(&self) {
        self.memory.slots.wipe();
    }

    /// Readable while there are completions.
    pub(crate) fn descriptor(&self) -> BorrowedFd<'_> {
        // SAFETY: the ring owns the descriptor, which is open for as long as it lives.
        unsafe { BorrowedFd::borrow_raw(self.uring.as_raw_fd()) }
    }

    pub(crate) fn counters(&self) -> Counters {
        self.counters.get()
    }

    fn count(&self, change: impl FnOnce(&mut Counters)) {
        let mut counters = self.counters.get();
        change(&mut counters);
        self.counters.set(counters);
    }

    /// Sends one datagram by a system call.
    pub(crate) fn send_now(&self, socket: &Socket, bytes: &[u8], deadline: Deadline) -> Result<(), Error> {
        syscall::send(socket, bytes, deadline, || self.count(|counters| counters.system_calls += 1))
    }

    /// Sends one datagram to a process or a group by a system call.
    pub(crate) fn send_to(&self, socket: &Socket, bytes: &[u8], to: Destination) -> Result<(), Error> {
        syscall::send_to(socket, bytes, to, || self.count(|counters| counters.system_calls += 1))
    }

    /// Queues one datagram to be sent with the next wait; what became of it arrives. One at a time for each socket.
    pub(crate) fn send_queued(&self, member: usize, bytes: &[u8]) -> Result<(), Error> {
        let busy = Error::System { call: "io_uring_enter", errno: libc::EBUSY };
        let (Some(requests), Some(socket)) = (&self.memory.requests, self.members.get(member)) else {
            return Err(busy);
        };
        let (Ok(number), false) = (u16::try_from(member), socket.sending.get()) else { return Err(busy) };
        // SAFETY: every slot was taken from the list, this one is this member's alone, and the kernel does not have it, as
        // the member is not sending. The lease does not give it back.
        let mut lease = ManuallyDrop::new(unsafe { requests.lease(number) });
        let Some(slot) = lease.bytes_mut().get_mut(..bytes.len()) else {
            return Err(Error::System { call: "send", errno: libc::EMSGSIZE });
        };
        slot.copy_from_slice(bytes);
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let entry = opcode::Send::new(Fd(socket.descriptor), requests.start(number).as_ptr(), length).build();
        socket.sending.set(true);
        self.in_flight.set(self.in_flight.get() + 1);
        // SAFETY: the request refers to the slot, which is `memory`'s, and `sending` and `in_flight` are set.
        unsafe { self.push(&entry.user_data(user_data(SEND, member))) }
    }

    /// Whether a datagram of this member's is queued, or what became of it has not arrived.
    pub(crate) fn is_sending(&self, member: usize) -> bool {
        self.members.get(member).is_some_and(|member| member.sending.get())
    }

    /// Makes sure that there is a slot for what comes next.
    pub(crate) fn make_room(&self) -> Result<(), Error> {
        if !self.has_completions() {
            self.publish();
            if self.published == self.taken {
                return Err(self.exhausted());
            }
        }
        Ok(())
    }

    /// Waits for the next thing to come.
    pub(crate) fn next(&self, sockets: &[Socket], deadline: Deadline) -> Result<Arrival<'_>, Error> {
        match self.deliver(sockets) {
            Some(arrival) => Ok(arrival),
            None => self.wait(sockets, deadline),
        }
    }

    /// Submits what is queued and waits; the completion queue is empty.
    fn wait(&self, sockets: &[Socket], deadline: Deadline) -> Result<Arrival<'_>, Error> {
        let mut late = false;
        loop {
            self.publish();
            if self.published == self.taken {
                return Err(self.exhausted());
            }
            self.hand_over()?;
            if self.to_arm.get() > 0 {
                self.arm(sockets)?;
            }
            let remaining = deadline.remaining();
            self.enter(1, remaining)?;
            if let Some(arrival) = self.deliver(sockets) {
                return Ok(arrival);
            }
            if remaining == Some(Duration::ZERO) {
                // A receive that ended just now has not looked at what is there; it gets one more chance.
                if late || self.to_arm.get() == 0 {
                    return Err(Error::TimedOut);
                }
                late = true;
            }
        }
    }

    fn exhausted(&self) -> Error {
        Error::Exhausted { slots: self.memory.slots.count() }
    }

    /// Works through the completions there are, up to the first that means something.
    fn deliver(&self, sockets: &[Socket]) -> Option<Arrival<'_>> {
        while let Some(completion) = self.completion() {
            match completion.request {
                RECEIVE => {
                    if let Some(delivery) = self.received(sockets, completion) {
                        return Some(Arrival::Received(completion.member, delivery));
                    }
                }
                SEND => {
                    let result = match completion.result {
                        0.. => Ok(()),
                        error => Err(Error::System { call: "send", errno: -error }),
                    };
                    return Some(Arrival::Sent(completion.member, result));
                }
                _ => {}
            }
        }
        None
    }

    /// The datagram, or the error, that a completion of the receive stands for; neither when the receive only ended.
    fn received(&self, sockets: &[Socket], completion: Completion) -> Option<Result<Datagram<'_>, Error>> {
        let Some(number) = cqueue::buffer_select(completion.flags) else {
            return match -completion.result {
                libc::ENOBUFS => self.no_buffer_space(sockets.get(completion.member)?),
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
        let member = self.members.get(completion.member)?;
        let (start, length, origin) = if member.connected {
            (0, length, Origin { sender: member.peer, ..Origin::default() })
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

    /// Queues a multishot receive for every socket that wants one and has none.
    fn arm(&self, sockets: &[Socket]) -> Result<(), Error> {
        debug_assert_eq!(sockets.len(), self.members.len());
        self.thread.set(thread());
        for (number, member) in self.members.iter().enumerate() {
            if !member.wanted.get() || member.armed.get() {
                continue;
            }
            let descriptor = Fd(member.descriptor);
            let entry = if member.connected {
                opcode::RecvMulti::new(descriptor, GROUP).flags(libc::MSG_TRUNC).build()
            } else {
                opcode::RecvMsgMulti::new(descriptor, &raw const *self.memory.header, GROUP)
                    .flags(libc::MSG_TRUNC as u32)
                    .build()
            };
            member.armed.set(true);
            self.in_flight.set(self.in_flight.get() + 1);
            self.to_arm.set(self.to_arm.get() - 1);
            // SAFETY: the request refers to the header and the slots, which are `memory`'s, and `armed` and `in_flight` are
            // set.
            unsafe { self.push(&entry.user_data(user_data(RECEIVE, number))) }?;
        }
        Ok(())
    }

    /// Cancels the receives when another thread armed them: their completions are that thread's work, and die with it. They
    /// are armed again when the cancelled ones have ended.
    fn hand_over(&self) -> Result<(), Error> {
        let here = thread();
        if self.thread.replace(here) != here {
            for (number, _) in self.members.iter().enumerate().filter(|(_, member)| member.armed.get()) {
                let entry = opcode::AsyncCancel::new(user_data(RECEIVE, number)).build();
                // SAFETY: the request refers to no memory.
                unsafe { self.push(&entry.user_data(user_data(CANCEL, number))) }?;
            }
        }
        Ok(())
    }

    /// Queues a request; where the queue is full, what is in it is submitted first.
    ///
    /// # Safety
    ///
    /// What the request refers to is `memory`'s, and then its member's `armed` or `sending` is set, and `in_flight` counts it.
    unsafe fn push(&self, entry: &squeue::Entry) -> Result<(), Error> {
        for _ in 0..2 {
            // SAFETY: no other submission queue value exists: they live only in this function, which calls nobody meanwhile.
            let mut queue = unsafe { self.uring.submission_shared() };
            // SAFETY: the caller's promise.
            if unsafe { queue.push(entry) }.is_ok() {
                return Ok(());
            }
            drop(queue);
            self.enter(0, None)?;
        }
        Err(Error::System { call: "io_uring_enter", errno: libc::EBUSY })
    }

    /// The next completion, if there is one.
    fn completion(&self) -> Option<Completion> {
        if let Some(early) = self.early.take() {
            return Some(early);
        }
        // SAFETY: no other completion queue value exists: they live only in this function and the next, which call nobody.
        let entry = unsafe { self.uring.completion_shared() }.next()?;
        let (request, member) = split(entry.user_data());
        let completion = Completion { request, member, result: entry.result(), flags: entry.flags() };
        if let Some(member) = self.members.get(member) {
            match request {
                RECEIVE if !cqueue::more(completion.flags) => {
                    member.armed.set(false);
                    self.in_flight.set(self.in_flight.get() - 1);
                    self.to_arm.set(self.to_arm.get() + 1);
                    self.count(|counters| counters.rearms += 1);
                }
                SEND => {
                    member.sending.set(false);
                    self.in_flight.set(self.in_flight.get() - 1);
                }
                _ => {}
            }
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

    /// Ends what is in flight. `false` when that cannot be confirmed.
    fn finish(&self) -> bool {
        if self.in_flight.get() > 0 {
            let entry = match *self.members {
                // The oldest kernels with multishot receives know this kind alone.
                [_] => opcode::AsyncCancel::new(user_data(RECEIVE, 0)).build(),
                _ => opcode::AsyncCancel2::new(CancelBuilder::any()).build(),
            };
            // SAFETY: the request refers to no memory.
            if unsafe { self.push(&entry.user_data(user_data(CANCEL, 0))) }.is_err() {
                return false;
            }
        }
        let deadline = Deadline::after(PATIENCE);
        while self.in_flight.get() > 0 {
            let remaining = deadline.remaining();
            if self.enter(1, remaining).is_err() || remaining == Some(Duration::ZERO) {
                break;
            }
            while self.completion().is_some() {}
        }
        self.in_flight.get() == 0
    }
}

impl Drop for Core {
    // This drop makes system calls: the kernel may write to the slots until it has confirmed that it will not.
    fn drop(&mut self) {
        if self.finish() {
            // SAFETY: the last completion of every request was seen, so the kernel no longer uses the memory (of the entries
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
            .field("sockets", &self.members.len())
            .field("in_flight", &self.in_flight.get())
            .field("counters", &self.counters.get())
            .finish_non_exhaustive()
    }
}

impl Memory {
    fn new(config: RingConfig, purpose: Purpose) -> Result<Memory, Error> {
        // SAFETY: all fields are integers and pointers, for which zero is a value.
        let mut header: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
        header.msg_namelen = NAME as libc::socklen_t;
        header.msg_controllen = sys::CONTROL as _;
        let entries = config.slots.next_power_of_two();
        let requests = match purpose {
            Purpose::Engine => None,
            Purpose::Fleet { sockets, request } => {
                let sockets = u16::try_from(sockets);
                let rule = "a fleet has 1 to 65535 sockets";
                let slots = Slots::new(sockets.map_err(|_| Error::Configuration { rule })?, request)?;
                // Each is its socket's, not whoever's that asks first.
                while slots.take_number().is_some() {}
                Some(slots)
            }
        };
        Ok(Memory {
            slots: Slots::new(config.slots, config.slot)?,
            entries: Mapping::new(usize::from(entries) * size_of::<BufRingEntry>())?,
            mask: entries - 1,
            tail: Cell::new(0),
            header: Box::new(header),
            requests,
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

fn user_data(request: u32, member: usize) -> u64 {
    u64::from(request) | (member as u64) << 32
}

fn split(user_data: u64) -> (u32, usize) {
    (user_data as u32, (user_data >> 32) as usize)
}

/// Sets a ring up, with what the kernel has of the ways to carry requests on when this program enters it anyway, instead of
/// interrupting it: found by trial, the best first.
///
/// For an engine that is IORING_SETUP_COOP_TASKRUN (Linux 5.19). IORING_SETUP_SINGLE_ISSUER (6.0) and
/// IORING_SETUP_DEFER_TASKRUN (6.1) would tie it to the thread that made it, and a dump is no faster with them. A
/// fleet has one thread.
fn set_up(slots: u16, purpose: Purpose) -> Result<IoUring, Error> {
    let plain = IoUring::builder();
    let (entries, sockets) = match purpose {
        // A receive and its cancellation are the most there can be at once.
        Purpose::Engine => (4, 1),
        Purpose::Fleet { sockets, .. } => (sockets.next_power_of_two().clamp(4, 1024), sockets),
    };
    let mut cooperative = plain.clone();
    cooperative.setup_coop_taskrun();
    let mut single = plain.clone();
    single.setup_single_issuer().setup_defer_taskrun();
    let ways = match purpose {
        Purpose::Engine => &[cooperative, plain][..],
        Purpose::Fleet { .. } => &[single, cooperative, plain],
    };
    // Each slot can be in one completion; a receive's end, a send's and a cancellation's need one each, several times over.
    let completions = (u32::from(slots) + sockets.saturating_mul(4) + 4).next_power_of_two().min(65_536);
    let mut refused = Error::NoRing { part: RingPart::Setup, errno: libc::EINVAL };
    for way in ways {
        match way.clone().setup_cqsize(completions).build(entries) {
            Ok(uring) => return Ok(uring),
            Err(error) if error.raw_os_error() == Some(libc::EINVAL) => refused = no_ring(RingPart::Setup, &error),
            Err(error) => return Err(no_ring(RingPart::Setup, &error)),
        }
    }
    Err(refused)
}

/// Whether this kernel sets rings up with `COOP_TASKRUN`, with `SINGLE_ISSUER` alone, and with `DEFER_TASKRUN` besides.
pub(crate) fn ways() -> [bool; 3] {
    let can = |set: fn(&mut Builder)| {
        let mut builder = IoUring::builder();
        set(&mut builder);
        builder.build(4).is_ok()
    };
    [
        can(|builder| _ = builder.setup_coop_taskrun()),
        can(|builder| _ = builder.setup_single_issuer()),
        can(|builder| _ = builder.setup_single_issuer().setup_defer_taskrun()),
    ]
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
