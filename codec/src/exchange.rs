//! One request's life: a message goes in, what it means for the request comes out. No IO, no waiting, no retries.
//!
//! ```
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::route::{LinkHeader, Rtm};
//!
//! let mut buffer = Buffer::<64>::new();
//! let request = buffer.message(Rtm::GETLINK, LinkHeader::default(), |_| {})?;
//! let mut exchange = Exchange::dump(7, 4321);
//! exchange.stamp(request);
//! // … the transport sends `request` and receives this, an NLMSG_DONE that carries error 0:
//! let done = MessageHeader { length: 20, kind: ringlink_codec::wire::MessageType::DONE, sequence: 7, port: 4321,
//!     ..MessageHeader::default() };
//! let step = exchange.accept(Message { header: done, payload: &[0; 4] }, Origin::KERNEL);
//! assert!(matches!(step, Step::Finished { end, .. } if end.is_complete()));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use crate::reply::{End, Refusal, Verdict};
use crate::table::Text;
use crate::wire::{Flags, Message, MessageHeader, MessageType};

/// A request that was or will be sent, and what has come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange {
    sequence: u32,
    port: u32,
    /// Whose answers are believed: a port id, 0 for the kernel's.
    peer: u32,
    kind: Kind,
    /// The flags of all messages of the answer; what they say of the end is looked at then.
    seen: Flags,
    truncated: bool,
    skipped: u32,
    finished: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// Ends with its one answer, or with `NLMSG_DONE` where the answer says that there are several.
    Get,
    /// Ends with an acknowledgement; answers before it are handed out.
    Apply,
    /// Ends with `NLMSG_DONE`; where the kernel answers as if it had not been asked to dump, with an acknowledgement.
    Dump,
}

/// Who sent a datagram, and to whom.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The sender's port id; 0 is the kernel.
    pub port: u32,
    /// The multicast group it was sent to; 0 for none.
    pub group: u32,
}

impl Origin {
    /// The kernel, to this socket alone.
    pub const KERNEL: Self = Self { port: 0, group: 0 };
}

/// What a message means for a request.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// It belongs to something else: another request, an event, another process.
    NotMine,
    /// It belongs to the request and says nothing.
    Skip,
    /// It is an answer.
    Item(Message<'a>),
    /// The request has been carried out, and nothing more comes.
    Finished {
        /// How it ended.
        end: End,
        /// A warning, in the kernel's words.
        warning: Option<Text<'a>>,
    },
    /// The request was refused, and nothing more comes.
    Failed(Refusal<'a>),
}

impl Exchange {
    /// A request with one answer.
    #[must_use]
    pub const fn get(sequence: u32, port: u32) -> Self {
        Self::new(sequence, port, Kind::Get)
    }

    /// A request that the kernel acknowledges (`NLM_F_ACK`).
    #[must_use]
    pub const fn apply(sequence: u32, port: u32) -> Self {
        Self::new(sequence, port, Kind::Apply)
    }

    /// A request for everything (`NLM_F_DUMP`).
    ///
    /// It asks for an acknowledgement, too (`NLM_F_ACK`). Kernels send none once a dump has begun (`netlink_dump_start`), but some
    /// questions are not dumped and not refused either: they are answered once, and nothing else would tell the end. Where such an answer
    /// says that others follow (`NLM_F_MULTI`), nothing does: `IPCTNL_MSG_CT_GET_STATS` and `IPCTNL_MSG_TIMEOUT_DEFAULT_GET` are not
    /// to be asked for so.
    #[must_use]
    pub const fn dump(sequence: u32, port: u32) -> Self {
        Self::new(sequence, port, Kind::Dump)
    }

    const fn new(sequence: u32, port: u32, kind: Kind) -> Self {
        Self { sequence, port, peer: 0, kind, seen: Flags::NONE, truncated: false, skipped: 0, finished: false }
    }

    /// The same, asked of a process, whose socket has this port id, instead of the kernel (which has 0).
    #[must_use]
    pub const fn answered_by(self, peer: u32) -> Self {
        Self { peer, ..self }
    }

    /// Where answers come from, and for whom they are.
    #[must_use]
    pub const fn source(&self) -> Origin {
        Origin { port: self.peer, group: 0 }
    }

    /// The request's sequence number.
    #[must_use]
    pub const fn sequence(&self) -> u32 {
        self.sequence
    }

    /// Whether the request has ended: nothing more comes.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.finished
    }

    /// What is known so far of how it will have ended.
    #[must_use]
    pub const fn end(&self) -> End {
        End {
            interrupted: self.seen.contains(Flags::DUMP_INTERRUPTED),
            filtered: self.seen.contains(Flags::DUMP_FILTERED),
            truncated: self.truncated,
            skipped: self.skipped,
        }
    }

    /// Sets sequence, port and the flags of this kind of request in a written message.
    pub fn stamp(&self, request: &mut [u8]) {
        let Ok(Message { header, .. }) = Message::parse(request) else {
            return;
        };
        let flags = match self.kind {
            Kind::Get => Flags::REQUEST,
            Kind::Apply => Flags::REQUEST | Flags::ACK,
            Kind::Dump => Flags::REQUEST | Flags::ACK | Flags::DUMP,
        };
        let header = MessageHeader { flags: header.flags | flags, sequence: self.sequence, port: self.port, ..header };
        crate::table::stamp(request, header);
    }

    /// Says what a message means for this request.
    ///
    /// Only who was asked is believed, which is the kernel but for [`answered_by`](Self::answered_by), and only what it sent to
    /// this socket alone; a multicast message that repeats the
    /// sequence of the request that caused it is an event, not an answer.
    #[inline]
    pub fn accept<'a>(&mut self, message: Message<'a>, origin: Origin) -> Step<'a> {
        if self.is_item(message.header, origin) {
            return Step::Item(message);
        }
        match self.is_mine(message.header, origin) {
            true => self.control(message),
            false => Step::NotMine,
        }
    }

    /// The quick half of [`accept`](Self::accept): whether a message is an answer, which is then accepted. Whatever it says
    /// no to is still to be accepted.
    #[inline]
    pub fn is_item(&mut self, header: MessageHeader, origin: Origin) -> bool {
        if !self.is_mine(header, origin) || header.kind < MessageType::FIRST {
            return false;
        }
        self.seen = self.seen | header.flags;
        if let Kind::Get = self.kind {
            self.finished = !header.flags.contains(Flags::MULTI);
        }
        true
    }

    #[inline]
    fn is_mine(&self, header: MessageHeader, origin: Origin) -> bool {
        let port = header.port == self.port || header.port == 0;
        header.sequence == self.sequence && port && origin.port == self.peer && origin.group == 0 && !self.finished
    }

    /// Marks the end as cut: for a datagram that did not fit its buffer.
    pub fn truncated(&mut self) {
        self.truncated = true;
    }

    /// Counts a message of the answer that could not be used.
    pub fn skipped(&mut self) {
        self.skipped = self.skipped.saturating_add(1);
    }

    #[cold]
    fn control<'a>(&mut self, message: Message<'a>) -> Step<'a> {
        match message.header.kind {
            MessageType::ERROR => {
                // Too short to say anything: the request's fate is not known, which is no success.
                let verdict = Verdict::of_error(message);
                if self.is_under_way() && verdict.is_some_and(|verdict| verdict.errno == 0) {
                    return Step::Skip;
                }
                self.finished = true;
                match verdict {
                    Some(verdict) => self.verdict(verdict),
                    None => {
                        self.truncated = true;
                        Step::Finished { end: self.end(), warning: None }
                    }
                }
            }
            MessageType::DONE => {
                self.seen = self.seen | message.header.flags;
                self.finished = true;
                self.verdict(Verdict::of_done(message))
            }
            MessageType::OVERRUN => {
                self.truncated = true;
                Step::Skip
            }
            _ => Step::Skip,
        }
    }

    /// Whether a dump has begun: then `NLMSG_DONE` ends it, and an acknowledgement does not. TIPC's sockets are told with one in
    /// the middle (`tipc_sock_diag_handler_dump`).
    const fn is_under_way(&self) -> bool {
        matches!(self.kind, Kind::Dump) && self.seen.contains(Flags::MULTI)
    }

    fn verdict<'a>(&mut self, verdict: Verdict<'a>) -> Step<'a> {
        if verdict.errno == 0 {
            return Step::Finished { end: self.end(), warning: verdict.refusal.text };
        }
        // Whatever came before the refusal is not all there is.
        self.truncated = true;
        Step::Failed(verdict.refusal)
    }
}

/// Up to `N` requests under way on one socket, told apart by their sequence numbers.
///
/// ```
/// use ringlink_codec::exchange::{Exchange, Pending};
///
/// let mut pending = Pending::<2>::new();
/// assert!(pending.add(Exchange::get(1, 99)).is_ok());
/// assert!(pending.add(Exchange::get(2, 99)).is_ok());
/// // A third has no room; it comes back.
/// assert!(pending.add(Exchange::get(3, 99)).is_err());
/// ```
#[derive(Clone, Debug, Default)]
pub struct Pending<const N: usize> {
    exchanges: heapless::Vec<Exchange, N>,
}

impl<const N: usize> Pending<N> {
    /// None under way.
    #[must_use]
    pub const fn new() -> Self {
        Self { exchanges: heapless::Vec::new() }
    }

    /// How many are under way.
    #[must_use]
    pub fn len(&self) -> usize {
        self.exchanges.len()
    }

    /// Whether none is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exchanges.is_empty()
    }

    /// Adds a request; do so before it is sent, for its answer may come at once.
    ///
    /// # Errors
    ///
    /// If `N` are under way, or one with the same sequence number is; the request comes back.
    pub fn add(&mut self, exchange: Exchange) -> Result<(), Exchange> {
        if self.find(exchange.sequence).is_some() {
            return Err(exchange);
        }
        self.exchanges.push(exchange)
    }

    /// Gives up a request; its answers are not ours from then on.
    pub fn abandon(&mut self, sequence: u32) -> Option<Exchange> {
        let at = self.find(sequence)?;
        self.remove(at)
    }

    /// Says what a message means, and for which request (by its sequence number). A request that ends is forgotten.
    pub fn accept<'a>(&mut self, message: Message<'a>, origin: Origin) -> (Option<u32>, Step<'a>) {
        let sequence = message.header.sequence;
        let Some((at, exchange)) = self.find(sequence).and_then(|at| Some((at, self.exchanges.get_mut(at)?))) else {
            return (None, Step::NotMine);
        };
        let step = exchange.accept(message, origin);
        if matches!(step, Step::NotMine) {
            return (None, step);
        }
        if exchange.finished {
            self.remove(at);
        }
        (Some(sequence), step)
    }

    /// Takes one out; the last one comes to its place.
    fn remove(&mut self, at: usize) -> Option<Exchange> {
        let last = self.exchanges.pop()?;
        match self.exchanges.get_mut(at) {
            Some(place) => Some(core::mem::replace(place, last)),
            None => Some(last),
        }
    }

    fn find(&self, sequence: u32) -> Option<usize> {
        self.exchanges.iter().position(|exchange| exchange.sequence == sequence)
    }
}
