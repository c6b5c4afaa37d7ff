//! A kernel that is only played, for the interpreter that notices undefined behaviour (`cargo xtask miri`): it knows neither
//! netlink nor io_uring. What stands here for the system calls of [`sys`](crate::sys) and for the ring of
//! [`uring`](crate::uring) reads and writes through the pointers that it is given, when and where the kernel would.
//!
//! A dump is answered by [`PARTS`] datagrams and its end, anything else by its acknowledgement; [`tell`] queues whatever else
//! a socket is to receive.

#![cfg_attr(not(test), allow(dead_code, reason = "the tests queue datagrams"))]

pub(crate) mod libc;
pub(crate) mod ring;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::RawFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ringlink_codec::wire::{Flags, MESSAGE_HEADER, Message, MessageHeader, MessageType};

/// Datagrams of a dump, besides its end.
pub(crate) const PARTS: u32 = 5;

/// Datagrams that a socket has room for.
const ROOM: usize = 16;

/// How long something that waits for ever waits for another thread of its test.
const FOR_EVER: Duration = Duration::from_secs(20);

static SOCKETS: Mutex<Sockets> = Mutex::new(BTreeMap::new());

/// Something was queued for a socket.
static ARRIVED: Condvar = Condvar::new();

type Sockets = BTreeMap<RawFd, Played>;

/// A socket.
#[derive(Default)]
struct Played {
    port: u32,
    /// What options were set to, by level and number.
    options: BTreeMap<(i32, i32), Vec<u8>>,
    groups: Vec<u32>,
    queue: VecDeque<Queued>,
    drops: u32,
    /// Something was dropped, which has not been told.
    overrun: bool,
    /// What goes wrong with it.
    trouble: Option<Dice>,
}

/// Numbers that look random.
#[derive(Clone, Copy)]
struct Dice(u32);

impl Dice {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) % bound
    }
}

/// What a socket has not received yet.
struct Queued {
    bytes: Vec<u8>,
    sender: u32,
    group: u32,
}

impl Played {
    fn queue(&mut self, bytes: Vec<u8>, sender: u32, group: u32) {
        if self.queue.len() < ROOM {
            self.queue.push_back(Queued { bytes, sender, group });
        } else {
            self.drops += 1;
            self.overrun = true;
        }
        ARRIVED.notify_all();
    }

    /// Whether there is something to receive, be it an error.
    fn is_ready(&self) -> bool {
        self.overrun || !self.queue.is_empty()
    }

    /// The next datagram, or an error number.
    fn take(&mut self) -> Result<Queued, i32> {
        if std::mem::take(&mut self.overrun) {
            return Err(::libc::ENOBUFS);
        }
        self.queue.pop_front().ok_or(::libc::EAGAIN)
    }

    /// Takes what was sent to the kernel; fails with an error number.
    fn send(&mut self, request: &[u8]) -> Result<(), i32> {
        let Ok(request) = Message::parse(request) else { return Ok(()) };
        if self.trouble.as_mut().is_some_and(|dice| dice.below(12) == 0) {
            return Err(::libc::ENOMEM);
        }
        let (sequence, port) = (request.header.sequence, self.port);
        let mut say = |kind, flags, payload: &[u8]| {
            let length = u32::try_from(MESSAGE_HEADER + payload.len()).expect("short");
            let header = MessageHeader { length, kind, flags, sequence, port };
            let mut bytes = [&header.to_bytes()[..], payload].concat();
            match self.trouble.as_mut().map_or(u32::MAX, |dice| dice.below(16)) {
                0 => {
                    self.drops += 1;
                    self.overrun = true;
                    ARRIVED.notify_all();
                    return;
                }
                // Longer than a slot.
                1 => bytes.resize(1 << 14, 0),
                _ => {}
            }
            self.queue(bytes, 0, 0);
        };
        if request.header.flags.contains(Flags::DUMP) {
            for part in 1..=PARTS {
                // `struct ifinfomsg`, whose index is the second word.
                let words = [0, part, 0, 0].map(u32::to_ne_bytes);
                say(MessageType(16), Flags::MULTI, words.as_flattened());
            }
            say(MessageType::DONE, Flags::MULTI, &[0; 4]);
        } else {
            let payload = [&[0; 4], &request.header.to_bytes()[..]].concat();
            say(MessageType::ERROR, Flags::CAPPED, &payload);
        }
        Ok(())
    }
}

fn sockets() -> MutexGuard<'static, Sockets> {
    // A test that panicked fails anyway; the others have sockets of their own.
    SOCKETS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does something with a socket; `None` where the descriptor is none of one.
fn with<T>(socket: RawFd, act: impl FnOnce(&mut Played) -> T) -> Option<T> {
    sockets().get_mut(&socket).map(act)
}

/// Waits at most so long until something is so, whenever something arrives.
fn wait<T>(patience: Duration, mut until: impl FnMut(&mut Sockets) -> Option<T>) -> Option<T> {
    let end = Instant::now() + patience;
    let mut sockets = sockets();
    loop {
        let found = until(&mut sockets);
        let left = end.saturating_duration_since(Instant::now());
        if found.is_some() || left.is_zero() {
            return found;
        }
        sockets = ARRIVED.wait_timeout(sockets, left).unwrap_or_else(PoisonError::into_inner).0;
    }
}

/// Queues a datagram for a socket.
fn tell(socket: RawFd, bytes: &[u8], sender: u32, group: u32) {
    with(socket, |played| played.queue(bytes.to_vec(), sender, group)).expect("a socket");
}

/// A descriptor, for what has none of its own here.
fn descriptor() -> std::os::fd::OwnedFd {
    std::fs::File::open("/dev/null").expect("/dev/null").into()
}
