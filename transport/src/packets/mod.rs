//! Packets that rules tell of ([`PacketLog`], NFLOG) or hand over for a verdict ([`PacketQueue`], NFQUEUE).
//!
//! Each is a socket that has bound a group or a queue, by its number, in one network namespace. It takes `CAP_NET_ADMIN`
//! there. Its socket is connected to the kernel, which refuses what other processes send to it, and what might have been
//! sent before that is thrown away before the number is bound. Packets come over a ring where there is one; none of them
//! costs an allocation.
//!
//! **What is lost is counted, and is no error**: the kernel numbers packets, and numbers that are missing tell how many were
//! lost. What was lost behind the last packet that came is told by the socket's drop counter alone, until another comes.
//!
//! What a packet says is in [`codec::netfilter`](crate::codec::netfilter). The rules are made elsewhere: by `nft`
//! (`log group 5`, `queue num 5`) or `iptables` (`-j NFLOG --nflog-group 5`, `-j NFQUEUE --queue-num 5`).

use std::cell::Cell;
use std::fmt;
use std::time::{Duration, Instant};

use ringlink_codec::exchange::{Exchange, Origin, Step};
use ringlink_codec::netfilter::NetfilterHeader;
use ringlink_codec::table::{AttributeWriter, Format, Operation};
use ringlink_codec::wire::{Message, Messages};

use crate::connection::{Root, refused};
use crate::engine::ring::{Ring, RingConfig};
use crate::engine::syscall::{Syscall, SyscallConfig};
use crate::engine::{self, Datagram, Deadline, Engine, EngineChoice};
use crate::error::{Error, PacketProblem, PacketService};
use crate::namespace::Namespace;
use crate::socket::{Protocol, Socket, SocketOption, SocketOptions};

mod log;
mod queue;
mod verdicts;

pub use log::{LogConfig, LogCounters, LoggedPackets, PacketLog, Packets};
pub use queue::{PacketQueue, QueueConfig, QueueCounters, QueueState, QueuedPacket};

/// How much of each packet is copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Extent {
    /// What is known of it, and nothing of the packet itself.
    Metadata,
    /// Its first bytes, from the network header on; at least one.
    First(u16),
    /// All of it, up to 65,531 bytes.
    #[default]
    Whole,
}

impl Extent {
    /// The number that the kernel takes: 0 for all.
    fn range(self) -> u32 {
        match self {
            Extent::Metadata | Extent::Whole => 0,
            Extent::First(bytes) => bytes.max(1).into(),
        }
    }

    /// The most bytes of a packet that are copied.
    fn most(self) -> usize {
        match self {
            Extent::Metadata => 0,
            Extent::First(bytes) => bytes.into(),
            Extent::Whole => usize::from(u16::MAX),
        }
    }
}

/// What packets are received with.
#[derive(Clone, Debug)]
pub struct PacketConfig {
    /// What moves the bytes. Default: [`EngineChoice::Auto`], a ring where there is one to be had.
    pub engine: EngineChoice,
    /// The socket's options, its namespace among them. Default: a receive buffer of 8 MiB in the kernel's accounting.
    pub socket: SocketOptions,
}

impl Default for PacketConfig {
    fn default() -> PacketConfig {
        // The kernel doubles it.
        let socket = SocketOptions { receive_buffer: Some(4 << 20), ..SocketOptions::default() };
        PacketConfig { engine: EngineChoice::Auto, socket }
    }
}

/// Bytes of a slot beyond the packet: all other attributes of its message, a security label and a connection among them.
const BESIDE: usize = 4096;

/// How many datagrams may be on the way from the kernel at once.
const SLOTS: u16 = 256;

/// How long the kernel may take to answer a configuration.
const PATIENCE: Duration = Duration::from_secs(30);

/// A socket that has bound a number, and what came before it was configured.
struct Channel {
    engine: Box<dyn Engine>,
    service: PacketService,
    number: u16,
    sequence: u32,
    /// Datagrams of packets that came before the configuration was acknowledged, and how many of them were taken.
    early: Vec<Vec<u8>>,
    taken: Cell<usize>,
    /// Where the socket is, if not in the caller's namespace.
    namespace: Option<Namespace>,
    /// A moment that has passed.
    opened: Instant,
}

/// A datagram: the engine's, or one that was kept.
#[derive(Debug)]
enum Lent<'c> {
    Datagram(Datagram<'c>),
    Kept(&'c [u8]),
}

impl Lent<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Lent::Datagram(datagram) => datagram.bytes(),
            Lent::Kept(bytes) => bytes,
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("engine", &self.engine).field("number", &self.number).finish()
    }
}

impl Channel {
    /// Opens a socket that takes datagrams of so many bytes.
    fn open(service: PacketService, number: u16, config: &PacketConfig, slot: usize) -> Result<Channel, Error> {
        let socket = || {
            let socket = Socket::open(Protocol::NETFILTER, &config.socket)?;
            socket.connect_to_kernel()?;
            // Losses are told by what is missing; reporting them would end the receive each time.
            socket.set(SocketOption::NoEnobufs, true)?;
            Ok::<Socket, Error>(socket)
        };
        // An odd size, so that packets start in different sets of the processor's caches.
        let slot = slot.next_multiple_of(64) + 7 * 64;
        let engine = engine::prefer_ring(
            config.engine,
            || Ring::new(socket()?, RingConfig { slots: SLOTS, slot }),
            || Syscall::new(socket()?, SyscallConfig { slots: 16, slot }),
        )?;
        let sequence = engine.socket().port() ^ crate::sys::unguessable();
        let (early, taken, opened) = (Vec::new(), Cell::new(0), Instant::now());
        let namespace = config.socket.namespace.clone();
        let channel = Channel { engine, service, number, sequence, early, taken, namespace, opened };
        // The kernel tells nothing before it is asked: what is there was sent by others before the socket was connected.
        while let Ok(_foreign) = channel.engine.receive(channel.passed()) {}
        Ok(channel)
    }

    /// Sends a configuration and waits until the kernel has taken it.
    fn configure<Q: Format<Header = NetfilterHeader>, A>(
        &mut self,
        operation: Operation<Q, A>,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<(), Error> {
        let mut buffer = [0; 256];
        let header = NetfilterHeader::default().numbered(self.number);
        let request = operation.write(&mut buffer, header, |attributes| fill(attributes))?;
        self.sequence = self.sequence.wrapping_add(1).max(1);
        let mut exchange = Exchange::apply(self.sequence, self.engine.socket().port());
        exchange.stamp(request);
        self.engine.send(request)?;
        let deadline = Deadline::after(PATIENCE);
        loop {
            let datagram = match self.engine.receive(deadline) {
                Err(error) if error.is_loss() => continue,
                other => other?,
            };
            let mut packets = false;
            for message in Messages::new(&datagram) {
                let message = message?;
                packets |= message.header.sequence != exchange.sequence();
                match exchange.accept(message, Origin::KERNEL) {
                    Step::Finished { .. } => return Ok(()),
                    Step::Failed(refusal) => {
                        let error = refused(&refusal, Message::parse(request).ok(), Root::of(operation));
                        return Err(self.explain(error));
                    }
                    _ => {}
                }
            }
            if packets {
                self.early.push(datagram.to_vec());
            }
        }
    }

    /// Says what a refused configuration means, where that is not what its error number says.
    #[cold]
    fn explain(&self, error: Error) -> Error {
        let problem = match error.errno() {
            // Kernels say EPERM both to who may not and of numbers that others have bound.
            Some(libc::EPERM | libc::EBUSY) => match self.holder() {
                Some(port) => PacketProblem::InUse { port },
                None => PacketProblem::NotPermitted,
            },
            // Kernels say EINVAL of parts that they do not have.
            Some(libc::EINVAL) if !self.is_there() => PacketProblem::NoModule,
            Some(libc::EOPNOTSUPP) => PacketProblem::Option,
            _ => return error,
        };
        Error::Packets { service: self.service, number: self.number, problem }
    }

    /// The port id of the other socket that has bound the number.
    fn holder(&self) -> Option<u32> {
        let table = self.table()?;
        let port = row(&table, self.number)?.get(1).copied()?;
        let port = u32::try_from(port).ok()?;
        (port != self.engine.socket().port()).then_some(port)
    }

    fn is_there(&self) -> bool {
        self.table().is_some()
    }

    /// The kernel's table of numbers that are bound; root may read it.
    fn table(&self) -> Option<String> {
        let path = match self.service {
            PacketService::Log => "/proc/thread-self/net/netfilter/nfnetlink_log",
            PacketService::Queue => "/proc/thread-self/net/netfilter/nfnetlink_queue",
        };
        match &self.namespace {
            Some(namespace) => namespace.run(|| Ok(std::fs::read_to_string(path))).ok()?.ok(),
            None => std::fs::read_to_string(path).ok(),
        }
    }

    /// The next datagram.
    fn receive(&self, deadline: Deadline) -> Result<Lent<'_>, Error> {
        let taken = self.taken.get();
        if let Some(kept) = self.early.get(taken) {
            self.taken.set(taken + 1);
            return Ok(Lent::Kept(kept));
        }
        self.engine.receive(deadline).map(Lent::Datagram)
    }

    /// A deadline that has passed: to take what is there.
    fn passed(&self) -> Deadline {
        Deadline::at(self.opened)
    }
}

/// How many numbers are missing before this one; none where it is not ahead of what was expected.
fn missing(expected: u32, found: u32) -> u32 {
    let ahead = found.wrapping_sub(expected);
    if ahead.cast_signed() < 0 { 0 } else { ahead }
}

/// The numbers of the line that begins with this one.
fn row(table: &str, number: u16) -> Option<Vec<u64>> {
    table.lines().find_map(|line| {
        let numbers: Vec<u64> = line.split_whitespace().map_while(|word| word.parse().ok()).collect();
        (numbers.first() == Some(&u64::from(number))).then_some(numbers)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_missing() {
        assert_eq!((missing(5, 5), missing(5, 9), missing(5, 4), missing(u32::MAX, 2)), (0, 4, 0, 3));
    }

    #[test]
    fn a_number_is_found_by_its_first_column() {
        let table =
            "    0   1234     0 2 65531     0     0        0  1\n   12   5678     3 2 65531     7     8       99  1\n";
        assert_eq!(row(table, 12), Some(vec![12, 5678, 3, 2, 65_531, 7, 8, 99, 1]));
        assert_eq!(row(table, 1), None);
        assert_eq!(row("", 0), None);
    }
}
