//! Packets told: NFLOG.

use std::cell::Cell;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use ringlink_codec as codec;
use ringlink_codec::netfilter::log::{
    Command, Config, ConfigCommand, ConfigFlags, ConfigMode, CopyMode, Log, Packet, PacketMessage, PacketView,
};
use ringlink_codec::table::{Be32, Body};
use ringlink_codec::wire::{Message, Messages};

use super::{BESIDE, Channel, Extent, Lent, PacketConfig, missing};
use crate::engine::{Counters, Deadline, Reason};
use crate::error::{Error, PacketService};
use crate::socket::Socket;

/// How a group is bound, and what is told of its packets.
#[derive(Clone, Debug, Default)]
pub struct LogConfig {
    /// How much of each packet is told. Default: all.
    pub extent: Extent,
    /// How many packets the kernel gathers in a datagram; 1 tells each at once. A rule may say less (`queue-threshold`).
    /// Default: the kernel's, 100.
    pub threshold: Option<u32>,
    /// How long packets wait for the datagram to be full, in steps of 10 ms. Default: the kernel's, 1 s.
    pub timeout: Option<Duration>,
    /// Bytes of a datagram, up to 131,072: it is sent when no other packet fits. Each takes that much of the socket's
    /// receive buffer, full or not. Default: the kernel's, about 3,700.
    pub buffer: Option<u32>,
    /// What else is told. The packets' numbers in the group always are.
    pub flags: ConfigFlags,
    /// What packets are received with.
    pub packets: PacketConfig,
}

/// What has come of a group's packets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct LogCounters {
    /// Packets that came.
    pub packets: u64,
    /// Packets that the kernel numbered and that did not come.
    pub lost: u64,
}

/// A socket that is told of a group's packets. See the [module](super).
///
/// ```no_run
/// use ringlink::engine::Deadline;
/// use ringlink::packets::PacketLog;
///
/// let log = PacketLog::open(5)?;
/// loop {
///     for packet in log.receive(Deadline::none())?.packets() {
///         let packet = packet?;
///         println!("{:?} {} bytes", packet.prefix, packet.payload.map_or(0, <[u8]>::len));
///     }
/// }
/// # #[allow(unreachable_code)]
/// # Ok::<(), ringlink::Error>(())
/// ```
#[derive(Debug)]
pub struct PacketLog {
    channel: Channel,
    counters: Cell<LogCounters>,
    /// The number that the next packet should have.
    next: Cell<u32>,
}

impl PacketLog {
    /// Binds a group with the default configuration.
    ///
    /// # Errors
    ///
    /// As [`with`](PacketLog::with).
    pub fn open(group: u16) -> Result<PacketLog, Error> {
        PacketLog::with(group, &LogConfig::default())
    }

    /// Binds a group.
    ///
    /// # Errors
    ///
    /// [`Error::Packets`] where another socket has bound the group, the caller may not, or the kernel lacks the log or what the
    /// flags ask for; [`Error::Configuration`] where a datagram's size is out of range; and what the system says of sockets.
    pub fn with(group: u16, config: &LogConfig) -> Result<PacketLog, Error> {
        // Kernels pass over what they do not take.
        if config.buffer.is_some_and(|bytes| !(100..=131_072).contains(&bytes)) {
            return Err(Error::Configuration { rule: "a datagram of a group has 100 to 131072 bytes" });
        }
        let buffer = config.buffer.map_or(0, |bytes| bytes.try_into().unwrap_or(0));
        let slot = (config.extent.most() + BESIDE).max(buffer);
        let mut channel = Channel::open(PacketService::Log, group, &config.packets, slot)?;
        let hundredths = |time: Duration| u32::try_from(time.as_millis().div_ceil(10)).unwrap_or(u32::MAX);
        // In one message: packets come from when the group is bound.
        channel.configure(Log::CONFIG, |group| {
            group.put(Config::CMD, ConfigCommand { command: Command::BIND });
            let copy_mode = if config.extent == Extent::Metadata { CopyMode::META } else { CopyMode::PACKET };
            let copy_range = Be32::new(config.extent.range());
            group.put(Config::MODE, ConfigMode { copy_range, copy_mode, ..ConfigMode::default() });
            group.put_some(Config::NLBUFSIZ, config.buffer);
            group.put_some(Config::TIMEOUT, config.timeout.map(hundredths));
            group.put_some(Config::QTHRESH, config.threshold);
            group.put(Config::FLAGS, config.flags | ConfigFlags::SEQ);
        })?;
        Ok(PacketLog { channel, counters: Cell::default(), next: Cell::new(0) })
    }

    /// Waits for the next packets. Several datagrams may be held at once.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`], and what the engine says. What is lost is [counted](PacketLog::counters).
    pub fn receive(&self, deadline: Deadline) -> Result<LoggedPackets<'_>, Error> {
        loop {
            let datagram = match self.channel.receive(deadline) {
                Err(Error::Overrun { .. }) => continue,
                other => other?,
            };
            let packets = LoggedPackets { datagram, group: self.channel.number };
            if self.note(&packets) > 0 {
                return Ok(packets);
            }
        }
    }

    /// Counts the packets of a datagram and those missing before it. Within a datagram none is missing.
    fn note(&self, packets: &LoggedPackets<'_>) -> u32 {
        let (mut count, mut numbered, mut first) = (0_u32, 0, None);
        for message in packets.messages() {
            count += 1;
            // What came before the group was configured has no numbers.
            if first.is_none() {
                first = Body::<PacketMessage>::of(message).attributes.get(Packet::SEQ).ok().flatten();
            }
            numbered += u32::from(first.is_some());
        }
        let mut counters = self.counters.get();
        counters.packets += u64::from(count);
        if let Some(first) = first {
            counters.lost += u64::from(missing(self.next.get(), first));
            self.next.set(first.wrapping_add(numbered));
        }
        self.counters.set(counters);
        count
    }

    /// The group.
    pub fn group(&self) -> u16 {
        self.channel.number
    }

    /// What has come so far. See the [module](super) on what is lost last.
    pub fn counters(&self) -> LogCounters {
        self.counters.get()
    }

    /// How many datagrams the kernel has dropped because the socket's receive buffer was full; each has as many packets as
    /// there were in it.
    ///
    /// # Errors
    ///
    /// As [`Socket::drops`].
    pub fn drops(&self) -> Result<u32, Error> {
        self.channel.engine.socket().drops()
    }

    /// The descriptor that becomes readable when there are packets: then a [`receive`](PacketLog::receive) whose deadline
    /// has passed takes one datagram after the other, and fails with [`Error::TimedOut`] when it has taken all.
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

/// A datagram of packets, borrowed from the log.
#[derive(Debug)]
#[must_use = "packets that are not looked at are lost"]
pub struct LoggedPackets<'l> {
    datagram: Lent<'l>,
    group: u16,
}

impl LoggedPackets<'_> {
    /// The packets, in order.
    pub fn packets(&self) -> Packets<'_> {
        Packets { messages: Messages::new(self.datagram.bytes()), group: self.group }
    }

    /// The datagram: a message for each packet, and where there are several, one that ends it.
    pub fn bytes(&self) -> &[u8] {
        self.datagram.bytes()
    }

    /// The messages of packets, as they stand.
    pub fn messages(&self) -> impl Iterator<Item = Message<'_>> {
        let group = self.group;
        Messages::new(self.datagram.bytes()).map_while(Result::ok).filter(move |message| is_of(*message, group))
    }
}

/// The packets of a datagram. Yields the error of a broken message once, then ends; one that is broken inside is an error
/// among others.
#[derive(Clone, Debug)]
pub struct Packets<'d> {
    messages: Messages<'d>,
    group: u16,
}

impl<'d> Iterator for Packets<'d> {
    type Item = Result<PacketView<'d>, codec::Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.messages.next()? {
                Ok(message) if is_of(message, self.group) => return Some(PacketView::of(message)),
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

/// Whether a message is a packet of this group; a datagram of several packets ends with one that is not.
fn is_of(message: Message<'_>, group: u16) -> bool {
    message.header.kind == Log::PACKET.kind && Body::<PacketMessage>::of(message).header.res_id == group
}
