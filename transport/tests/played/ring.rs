//! A ring, as far as [`uring`](crate::uring) uses one: multishot receives into provided buffers, sends, cancellations, and
//! the steps of opening a socket. Requests and completions are the real crate's, read and made by their layout
//! (include/uapi/linux/io_uring.h).

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io;
use std::mem::{size_of, transmute, transmute_copy};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::ptr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use io_uring::types::SubmitArgs;
use io_uring::{cqueue, squeue};

use super::{FOR_EVER, Played, Sockets, descriptor, libc, wait, with};

const RECVMSG: u8 = 10;
const ASYNC_CANCEL: u8 = 14;
const SEND: u8 = 26;
const RECV: u8 = 27;
const SOCKET: u8 = 45;
const URING_CMD: u8 = 46;
const BIND: u8 = 56;

/// `IORING_CQE_F_BUFFER` and `IORING_CQE_F_MORE`.
const BUFFER: u32 = 1;
const MORE: u32 = 2;

thread_local! {
    /// Whether the rings of this thread let nothing be cancelled.
    pub(super) static DEAF: Cell<bool> = const { Cell::new(false) };
}

/// Stands for [`io_uring::Builder`].
#[derive(Clone, Default)]
pub(crate) struct Builder {
    completions: u32,
}

impl Builder {
    pub(crate) fn setup_coop_taskrun(&mut self) -> &mut Builder {
        self
    }

    pub(crate) fn setup_single_issuer(&mut self) -> &mut Builder {
        self
    }

    pub(crate) fn setup_defer_taskrun(&mut self) -> &mut Builder {
        self
    }

    pub(crate) fn setup_cqsize(&mut self, completions: u32) -> &mut Builder {
        self.completions = completions;
        self
    }

    pub(crate) fn build(&self, entries: u32) -> io::Result<IoUring> {
        let state = State { entries: entries as usize, room: self.completions as usize, ..State::default() };
        Ok(IoUring { descriptor: descriptor(), state: RefCell::new(state), borrowed: Cell::new(false) })
    }
}

/// Stands for [`io_uring::IoUring`], its submitter and its parameters.
pub(crate) struct IoUring {
    descriptor: OwnedFd,
    state: RefCell<State>,
    /// Whether a queue's value exists: there must not be two.
    borrowed: Cell<bool>,
}

#[derive(Default)]
struct State {
    entries: usize,
    submitted: VecDeque<[u8; 64]>,
    room: usize,
    completions: VecDeque<(u64, i32, u32)>,
    armed: Vec<Armed>,
    buffers: Option<Buffers>,
}

/// A receive under way.
#[derive(Clone, Copy)]
struct Armed {
    user_data: u64,
    socket: RawFd,
    /// The template of a multishot `recvmsg`.
    header: Option<u64>,
}

/// The ring of provided buffers.
#[derive(Clone, Copy)]
struct Buffers {
    start: u64,
    mask: u16,
    head: u16,
}

impl Buffers {
    /// Start, length and number of the next buffer.
    fn take(&mut self) -> Option<(*mut u8, usize, u16)> {
        let field = |at: u64| ptr::with_exposed_provenance_mut::<u8>(usize::try_from(at).expect("an address"));
        // SAFETY: who registered the ring keeps it; its tail lies in the last two bytes of its first entry.
        let tail = unsafe { AtomicU16::from_ptr(field(self.start + 14).cast()) }.load(Ordering::Acquire);
        if self.head == tail {
            return None;
        }
        let entry = field(self.start + u64::from(self.head & self.mask) * 16);
        self.head = self.head.wrapping_add(1);
        // SAFETY: entries before the tail were written, and are not written to again before the head has passed them.
        let (start, length, number) = unsafe {
            (entry.cast::<u64>().read(), entry.add(8).cast::<u32>().read(), entry.add(12).cast::<u16>().read())
        };
        Some((field(start), length as usize, number))
    }
}

impl AsRawFd for IoUring {
    fn as_raw_fd(&self) -> RawFd {
        self.descriptor.as_raw_fd()
    }
}

impl IoUring {
    pub(crate) fn builder() -> Builder {
        Builder::default()
    }

    pub(crate) fn params(&self) -> &IoUring {
        self
    }

    pub(crate) fn is_feature_ext_arg(&self) -> bool {
        true
    }

    pub(crate) fn submitter(&self) -> &IoUring {
        self
    }

    pub(crate) unsafe fn register_buf_ring_with_flags(
        &self,
        start: u64,
        entries: u16,
        _group: u16,
        _flags: u16,
    ) -> io::Result<()> {
        assert!(entries.is_power_of_two() && start % 4096 == 0);
        self.state.borrow_mut().buffers = Some(Buffers { start, mask: entries - 1, head: 0 });
        Ok(())
    }

    pub(crate) fn submit_and_wait(&self, completions: usize) -> io::Result<usize> {
        match self.carry_on(completions, FOR_EVER) {
            true => Ok(0),
            false => panic!("this waits for ever"),
        }
    }

    pub(crate) fn submit_with_args(&self, completions: usize, arguments: &SubmitArgs<'_, '_>) -> io::Result<usize> {
        // SAFETY: `struct io_uring_getevents_arg`, whose third word is the address of a `struct __kernel_timespec`.
        let patience = unsafe {
            let [_, _, time] = transmute_copy::<SubmitArgs<'_, '_>, [u64; 3]>(arguments);
            let time = ptr::with_exposed_provenance::<[i64; 2]>(usize::try_from(time).expect("an address")).read();
            Duration::new(time[0].try_into().expect("a time"), time[1].try_into().expect("a time"))
        };
        match self.carry_on(completions, patience) {
            true => Ok(0),
            false => Err(io::Error::from_raw_os_error(libc::ETIME)),
        }
    }

    fn carry_on(&self, completions: usize, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        loop {
            let enough = self.state.borrow_mut().carry_on(completions);
            let left = end.saturating_duration_since(Instant::now());
            if enough || left.is_zero() {
                return enough;
            }
            let armed = self.state.borrow().armed.clone();
            let ready = |armed: &Armed, sockets: &Sockets| sockets.get(&armed.socket).is_some_and(Played::is_ready);
            wait(left, |sockets| armed.iter().any(|armed| ready(armed, sockets)).then_some(()));
        }
    }

    pub(crate) unsafe fn submission_shared(&self) -> Queue<'_> {
        Queue::of(self)
    }

    pub(crate) unsafe fn completion_shared(&self) -> Queue<'_> {
        Queue::of(self)
    }
}

impl Drop for IoUring {
    /// What is under way when a ring is closed ends some time later: the memory is written to once more.
    fn drop(&mut self) {
        let state = self.state.get_mut();
        assert!(state.armed.is_empty() || DEAF.get(), "a ring was closed while it received");
        for armed in std::mem::take(&mut state.armed) {
            with(armed.socket, |played| played.queue(vec![0xee; 64], 0, 0));
            state.armed.push(armed);
            state.carry_on(1);
            state.armed.clear();
        }
    }
}

/// Stands for a queue of either kind; there is one at a time.
pub(crate) struct Queue<'r>(&'r IoUring);

impl Queue<'_> {
    fn of(ring: &IoUring) -> Queue<'_> {
        assert!(!ring.borrowed.replace(true), "two values of a ring's queues");
        Queue(ring)
    }

    pub(crate) unsafe fn push(&mut self, entry: &squeue::Entry) -> Result<(), ()> {
        let mut state = self.0.state.borrow_mut();
        if state.submitted.len() == state.entries {
            return Err(());
        }
        // SAFETY: an entry is 64 bytes, all of which were written.
        state.submitted.push_back(unsafe { transmute_copy::<squeue::Entry, [u8; 64]>(entry) });
        Ok(())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.state.borrow().completions.is_empty()
    }
}

impl Iterator for Queue<'_> {
    type Item = cqueue::Entry;

    fn next(&mut self) -> Option<cqueue::Entry> {
        let (user_data, result, flags) = self.0.state.borrow_mut().completions.pop_front()?;
        let [one, two] = [result.to_ne_bytes(), flags.to_ne_bytes()];
        let mut half = [0; 8];
        half.copy_from_slice([one, two].as_flattened());
        // SAFETY: `struct io_uring_cqe`, whose fields are integers.
        Some(unsafe { transmute::<[u64; 2], cqueue::Entry>([user_data, u64::from_ne_bytes(half)]) })
    }
}

impl Drop for Queue<'_> {
    fn drop(&mut self) {
        self.0.borrowed.set(false);
    }
}

impl State {
    /// Starts what was submitted, and receives what there is; says whether there are so many completions.
    fn carry_on(&mut self, completions: usize) -> bool {
        while let Some(entry) = self.submitted.pop_front() {
            self.start(&entry);
        }
        let mut still = Vec::new();
        for armed in std::mem::take(&mut self.armed) {
            if self.receive(armed) {
                still.push(armed);
            }
        }
        self.armed = still;
        self.completions.len() >= completions
    }

    fn complete(&mut self, user_data: u64, result: i32, flags: u32) {
        self.completions.push_back((user_data, result, flags));
        assert!(self.completions.len() <= self.room, "more completions than there is room for");
    }

    fn start(&mut self, entry: &[u8; 64]) {
        let word = |at: usize| u32::from_ne_bytes(*entry[at..].first_chunk().expect("in an entry"));
        let long = |at: usize| u64::from_ne_bytes(*entry[at..].first_chunk().expect("in an entry"));
        let place = |at: usize| ptr::with_exposed_provenance_mut::<u8>(usize::try_from(long(at)).expect("an address"));
        let (socket, user_data) = (word(4).cast_signed(), long(32));
        // SAFETY: whoever submits keeps what the request refers to, which it promises where it pushes it.
        let result = unsafe {
            match entry[0] {
                RECV | RECVMSG => {
                    let header = (entry[0] == RECVMSG).then(|| long(16));
                    return self.armed.push(Armed { user_data, socket, header });
                }
                ASYNC_CANCEL if DEAF.get() => return,
                ASYNC_CANCEL => {
                    // `IORING_ASYNC_CANCEL_ANY`
                    let any = word(28) & 4 != 0;
                    let wanted = |armed: &Armed| any || armed.user_data == long(16);
                    let (over, armed): (Vec<Armed>, Vec<Armed>) = self.armed.drain(..).partition(wanted);
                    self.armed = armed;
                    over.iter().for_each(|armed| self.complete(armed.user_data, -libc::ECANCELED, 0));
                    return self.complete(user_data, if over.is_empty() { -libc::ENOENT } else { 0 }, 0);
                }
                SEND => libc::send(socket, place(16).cast(), word(24) as usize, 0) as i32,
                SOCKET => libc::socket(socket, long(8) as i32, word(24).cast_signed()),
                BIND => libc::bind(socket, place(16).cast(), long(8) as u32),
                // `SOCKET_URING_OP_SETSOCKOPT`
                URING_CMD if word(8) == 3 => {
                    libc::setsockopt(socket, word(16).cast_signed(), word(20).cast_signed(), place(48).cast(), word(44))
                }
                code => panic!("request {code} is not played"),
            }
        };
        let result = if result < 0 { -io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO) } else { result };
        self.complete(user_data, result, 0);
    }

    /// Receives what there is; says whether the receive is still under way.
    fn receive(&mut self, armed: Armed) -> bool {
        loop {
            if !with(armed.socket, |played| played.is_ready()).expect("a socket") {
                return true;
            }
            let Some((start, room, number)) = self.buffers.as_mut().and_then(Buffers::take) else {
                self.complete(armed.user_data, -libc::ENOBUFS, 0);
                return false;
            };
            let queued = match with(armed.socket, Played::take).expect("a socket") {
                Ok(queued) => queued,
                Err(errno) => {
                    // The buffer was not used.
                    self.buffers.as_mut().expect("there are buffers").head -= 1;
                    self.complete(armed.user_data, -errno, 0);
                    return false;
                }
            };
            let (before, length) = match armed.header {
                None => (Vec::new(), queued.bytes.len()),
                Some(header) => {
                    let before = message(header, &queued);
                    let length = before.len() + queued.bytes.len().min(room - before.len());
                    (before, length)
                }
            };
            let bytes = [before, queued.bytes].concat();
            // SAFETY: the buffer is the kernel's until its completion is seen.
            unsafe { ptr::copy_nonoverlapping(bytes.as_ptr(), start, bytes.len().min(room)) };
            let length = i32::try_from(length).expect("a datagram's length");
            self.complete(armed.user_data, length, MORE | BUFFER | u32::from(number) << 16);
        }
    }
}

/// What stands before a payload: `struct io_uring_recvmsg_out`, the name and the control messages, each as long as the template
/// says.
fn message(header: u64, queued: &super::Queued) -> Vec<u8> {
    // SAFETY: the template is kept for as long as the receive is under way.
    let template =
        unsafe { ptr::with_exposed_provenance::<libc::msghdr>(usize::try_from(header).expect("an address")).as_ref() }
            .expect("a template");
    let (name, control) = libc::origin(queued);
    let lengths = [name.len(), control.len(), queued.bytes.len(), 0];
    let mut bytes: Vec<u8> = lengths.into_iter().flat_map(|length| (length as u32).to_ne_bytes()).collect();
    bytes.extend(name);
    bytes.resize(4 * size_of::<u32>() + template.msg_namelen as usize, 0);
    bytes.extend(control);
    bytes.resize(4 * size_of::<u32>() + template.msg_namelen as usize + template.msg_controllen as usize, 0);
    bytes
}
