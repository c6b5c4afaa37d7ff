//! Packets handed over for a verdict: NFQUEUE.

use std::cell::{Cell, RefCell};
use std::os::fd::BorrowedFd;

use ringlink_codec as codec;
use ringlink_codec::netfilter::queue::{
    Command, Config, ConfigCommand, ConfigFlags, ConfigParams, CopyMode, Packet, PacketView, Queue, Verdict,
};
use ringlink_codec::reply::Errno;
use ringlink_codec::table::{AttributeWriter, Be32};
use ringlink_codec::wire::{Message, MessageType};

use super::verdicts::Verdicts;
use super::{BESIDE, Channel, Extent, Lent, PacketConfig, missing, row};
use crate::engine::{Counters, Deadline, Reason};
use crate::error::{Error, PacketService};
use crate::socket::Socket;

/// How a queue is bound, and what is told of its packets.
#[derive(Clone, Debug)]
pub struct QueueConfig {
    /// How much of each packet is told. Default: all.
    pub extent: Extent,
    /// How many packets may wait for a verdict; what comes beyond that is dropped, or with
    /// [`ConfigFlags::FAIL_OPEN`] goes on. Default: 4,096; the kernel's own is 1,024.
    pub length: u32,
    /// How the queue works, and what else is told. Default: nothing.
    pub flags: ConfigFlags,
    /// How many verdicts are gathered before they are sent; they are sent, too, when no packet is there to be received.
    /// At most a quarter of `length` is. Default: 128.
    pub batch: u32,
    /// What packets are received with.
    pub packets: PacketConfig,
}

impl Default for QueueConfig {
    fn default() -> QueueConfig {
        QueueConfig {
            extent: Extent::Whole,
            length: 4096,
            flags: ConfigFlags::default(),
            batch: 128,
            packets: PacketConfig::default(),
        }
    }
}

/// What has come of a queue's packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct QueueCounters {
    /// Packets that came.
    pub packets: u64,
    /// Packets that the kernel numbered and that did not come, because the socket's receive buffer was full: dropped, or
    /// with [`ConfigFlags::FAIL_OPEN`] gone on. What was dropped because the queue was full has no number:
    /// [`QueueState::dropped`] counts it.
    pub lost: u64,
    /// Verdicts that were sent.
    pub verdicts: u64,
    /// Messages that verdicts took: one for each run of the same.
    pub messages: u64,
    /// Messages of verdicts that came too late: the packet was gone, perhaps with its interface.
    pub late: u64,
    /// Messages of verdicts that the kernel refused for another reason.
    pub refused: u64,
    /// Why it refused the last of them: an error number, 0 for none.
    pub reason: u32,
    /// Messages that were none of the queue's packets, and no refusals.
    pub others: u64,
}

/// What the kernel says of a queue (`/proc/net/netfilter/nfnetlink_queue`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct QueueState {
    /// Packets that wait for a verdict.
    pub waiting: u64,
    /// Packets that were dropped because the queue was full.
    pub dropped: u64,
    /// Packets that were dropped because the socket's receive buffer was full.
    pub user_dropped: u64,
    /// The number of the last packet.
    pub last: u64,
}

/// A socket that decides what becomes of a queue's packets. See the [module](super).
///
/// **Packets wait in the kernel until a verdict is sent.** Verdicts are gathered: runs of the same become one message, many
/// messages one send. They are sent when enough have been gathered, and when [`receive`](PacketQueue::receive) finds no packet
/// to take; a program that stops receiving calls [`flush`](PacketQueue::flush). When the queue is dropped, the kernel
/// drops what still waits.
///
/// ```no_run
/// use ringlink::codec::netfilter::queue::Verdict;
/// use ringlink::engine::Deadline;
/// use ringlink::packets::PacketQueue;
///
/// let queue = PacketQueue::open(5)?;
/// loop {
///     let packet = queue.receive(Deadline::none())?;
///     let small = packet.view()?.payload.is_some_and(|payload| payload.len() < 1000);
///     queue.verdict(packet.id(), if small { Verdict::ACCEPT } else { Verdict::DROP })?;
/// }
/// # #[allow(unreachable_code)]
/// # Ok::<(), ringlink::Error>(())
/// ```
#[derive(Debug)]
pub struct PacketQueue {
    channel: Channel,
    verdicts: RefCell<Verdicts>,
    counters: Cell<QueueCounters>,
    /// The number that the next packet should have.
    next: Cell<u32>,
}

impl PacketQueue {
    /// Binds a queue with the default configuration.
    ///
    /// # Errors
    ///
    /// As [`with`](PacketQueue::with).
    pub fn open(number: u16) -> Result<PacketQueue, Error> {
        PacketQueue::with(number, &QueueConfig::default())
    }

    /// Binds a queue.
    ///
    /// Packets that come between the binding and the rest of the configuration, which the kernel takes from one message, are
    /// told without their payload.
    ///
    /// # Errors
    ///
    /// [`Error::Packets`] where another socket has bound the queue, the caller may not, or the kernel lacks queues or what the
    /// flags ask for; [`Error::Refused`] where it refuses a number; and what it says of sockets.
    pub fn with(number: u16, config: &QueueConfig) -> Result<PacketQueue, Error> {
        let slot = config.extent.most() + BESIDE;
        let mut channel = Channel::open(PacketService::Queue, number, &config.packets, slot)?;
        channel.configure(Queue::CONFIG, |queue| {
            queue.put(Config::CMD, ConfigCommand { command: Command::BIND, ..ConfigCommand::default() });
            let copy_mode = if config.extent == Extent::Metadata { CopyMode::META } else { CopyMode::PACKET };
            queue.put(Config::PARAMS, ConfigParams { copy_range: Be32::new(config.extent.range()), copy_mode });
            queue.put(Config::QUEUE_MAXLEN, config.length);
            queue.put(Config::MASK, ConfigFlags(config.flags.0));
            queue.put(Config::FLAGS, config.flags);
        })?;
        let batch = config.batch.min(config.length / 4).max(1);
        let verdicts = RefCell::new(Verdicts::new(number, batch, config.length));
        Ok(PacketQueue { channel, verdicts, counters: Cell::default(), next: Cell::new(1) })
    }

    /// Waits for the next packet. Before that takes a wait, verdicts that were gathered are sent.
    ///
    /// Several packets may be held at once. Each needs a verdict, also one that cannot be read: its number is known.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`], and what the engine says. What is lost is [counted](PacketQueue::counters).
    pub fn receive(&self, deadline: Deadline) -> Result<QueuedPacket<'_>, Error> {
        loop {
            let datagram = match self.next_datagram(deadline) {
                Err(Error::Overrun { .. }) => continue,
                other => other?,
            };
            match self.number_of(datagram.bytes()) {
                Some(id) => {
                    self.note(id);
                    return Ok(QueuedPacket { datagram, id });
                }
                None => self.count_other(datagram.bytes()),
            }
        }
    }

    fn next_datagram(&self, deadline: Deadline) -> Result<Lent<'_>, Error> {
        if self.verdicts.borrow().waiting() > 0 {
            match self.channel.receive(self.channel.passed()) {
                Err(error) if error.is_timed_out() => self.flush()?,
                other => return other,
            }
        }
        self.channel.receive(deadline)
    }

    /// The number of the packet that a datagram holds.
    fn number_of(&self, datagram: &[u8]) -> Option<u32> {
        let body = Message::parse(datagram).ok()?.body(Queue::PACKET).ok()?;
        if body.header.res_id != self.channel.number {
            return None;
        }
        // The kernel writes the number first, and what is behind it need not be looked at.
        let first = body.attributes.raw().next().and_then(Result::ok);
        match first.filter(|first| first.number() == Packet::PACKET_HDR.number()) {
            Some(first) => first.payload.bytes.first_chunk().map(|id| u32::from_be_bytes(*id)),
            None => body.attributes.get(Packet::PACKET_HDR).ok()?.map(|header| header.packet_id.get()),
        }
    }

    /// Counts a packet and those missing before it.
    fn note(&self, id: u32) {
        self.verdicts.borrow_mut().expect(id);
        self.count(|counters| {
            counters.packets += 1;
            counters.lost += u64::from(missing(self.next.get(), id));
        });
        self.next.set(id.wrapping_add(1));
    }

    /// Counts what is no packet. Of verdicts, which ask for no answer, only refusals come.
    #[cold]
    fn count_other(&self, datagram: &[u8]) {
        let refusal = Message::parse(datagram).ok().filter(|message| message.header.kind == MessageType::ERROR);
        let errno = refusal.and_then(|message| message.payload.first_chunk().copied());
        self.count(|counters| match errno.map(|errno| Errno(i32::from_ne_bytes(errno).unsigned_abs())) {
            None => counters.others += 1,
            Some(errno) if errno.is_not_found() => counters.late += 1,
            Some(errno) => {
                counters.refused += 1;
                counters.reason = errno.0;
            }
        });
    }

    fn count(&self, change: impl FnOnce(&mut QueueCounters)) {
        let mut counters = self.counters.get();
        change(&mut counters);
        self.counters.set(counters);
    }

    /// Decides what becomes of a packet. It is sent later, with others: see [`flush`](PacketQueue::flush).
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] where no packet with that number waits for a verdict, and what the engine says of a send.
    pub fn verdict(&self, id: u32, verdict: Verdict) -> Result<(), Error> {
        self.decide(id, |verdicts| verdicts.plain(id, verdict, None))
    }

    /// Decides what becomes of a packet, and gives it a mark.
    ///
    /// # Errors
    ///
    /// As [`verdict`](PacketQueue::verdict).
    pub fn verdict_marked(&self, id: u32, verdict: Verdict, mark: u32) -> Result<(), Error> {
        self.decide(id, |verdicts| verdicts.plain(id, verdict, Some(mark)))
    }

    /// Decides what becomes of a packet, with changes to it: the closure writes them (`PAYLOAD`, `MARK`, `PRIORITY`, `VLAN`,
    /// …). A changed payload replaces the packet from its network header on; its checksums are the caller's.
    ///
    /// ```no_run
    /// # fn f(queue: &ringlink::packets::PacketQueue, id: u32, payload: &[u8]) -> Result<(), ringlink::Error> {
    /// use ringlink::codec::netfilter::queue::{Packet, Verdict};
    ///
    /// queue.verdict_with(id, Verdict::ACCEPT, |packet| packet.put(Packet::PAYLOAD, payload))?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`verdict`](PacketQueue::verdict); [`Error::Codec`] where the changes do not fit, and then the packet still waits.
    pub fn verdict_with(
        &self,
        id: u32,
        verdict: Verdict,
        fill: impl Fn(&mut AttributeWriter<'_, '_, Packet>),
    ) -> Result<(), Error> {
        self.decide(id, |verdicts| verdicts.changed(id, verdict, &fill))
    }

    fn decide(&self, id: u32, write: impl Fn(&mut Verdicts) -> Result<(), codec::Error>) -> Result<(), Error> {
        if !self.verdicts.borrow().waits(id) {
            return Err(Error::Configuration { rule: "a verdict is for a packet that came and has none yet" });
        }
        let written = write(&mut self.verdicts.borrow_mut());
        match written {
            // Those that were gathered go first, and then there is room.
            Err(error) if error.needed().is_some() => {
                self.flush()?;
                write(&mut self.verdicts.borrow_mut())?;
            }
            other => other?,
        }
        let full = self.verdicts.borrow().is_full();
        if full { self.flush() } else { Ok(()) }
    }

    /// Sends the verdicts that were gathered, in one system call.
    ///
    /// # Errors
    ///
    /// What the engine says of a send; they stay gathered then.
    pub fn flush(&self) -> Result<(), Error> {
        let mut verdicts = self.verdicts.borrow_mut();
        let (count, messages) = (verdicts.waiting(), verdicts.close()?);
        if count == 0 {
            return Ok(());
        }
        self.channel.engine.send(verdicts.bytes())?;
        verdicts.clear();
        self.count(|counters| {
            counters.verdicts += u64::from(count);
            counters.messages += u64::from(messages);
        });
        Ok(())
    }

    /// The queue's number.
    pub fn number(&self) -> u16 {
        self.channel.number
    }

    /// How many packets came that have no verdict yet.
    pub fn undecided(&self) -> usize {
        self.verdicts.borrow().undecided()
    }

    /// What has come so far.
    pub fn counters(&self) -> QueueCounters {
        self.counters.get()
    }

    /// What the kernel says of the queue; `None` where its table cannot be read, which is root's alone.
    pub fn state(&self) -> Option<QueueState> {
        let table = self.channel.table()?;
        let row = row(&table, self.channel.number)?;
        match *row.as_slice() {
            [_, port, waiting, _, _, dropped, user_dropped, last, ..]
                if port == u64::from(self.channel.engine.socket().port()) =>
            {
                Some(QueueState { waiting, dropped, user_dropped, last })
            }
            _ => None,
        }
    }

    /// The descriptor that becomes readable when there are packets: then a [`receive`](PacketQueue::receive) whose deadline
    /// has passed takes one after the other, and fails with [`Error::TimedOut`] when it has taken all.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.channel.engine.descriptor()
    }

    /// The socket.
    pub fn socket(&self) -> &Socket {
        self.channel.engine.socket()
    }

    /// The engine, and why it is that.
    pub fn reason(&self) -> Reason {
        self.channel.engine.reason()
    }

    /// What the engine did.
    pub fn engine_counters(&self) -> Counters {
        self.channel.engine.counters()
    }
}

/// A packet that waits for its verdict, borrowed from the queue.
#[derive(Debug)]
#[must_use = "a packet waits in the kernel until it has a verdict"]
pub struct QueuedPacket<'q> {
    datagram: Lent<'q>,
    id: u32,
}

impl QueuedPacket<'_> {
    /// The packet's number.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// The packet and what is known of it.
    ///
    /// # Errors
    ///
    /// As [`PacketView::read`].
    pub fn view(&self) -> Result<PacketView<'_>, codec::Error> {
        PacketView::of(self.message()?)
    }

    /// The packet's message.
    ///
    /// # Errors
    ///
    /// None: it was taken apart when it came.
    pub fn message(&self) -> Result<Message<'_>, codec::Error> {
        Message::parse(self.datagram.bytes())
    }

    /// The bytes of the message.
    pub fn bytes(&self) -> &[u8] {
        self.datagram.bytes()
    }
}
