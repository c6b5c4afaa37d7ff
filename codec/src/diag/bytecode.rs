//! The programs by which the kernel chooses sockets in a dump (`INET_DIAG_REQ_BYTECODE`; include/uapi/linux/inet_diag.h,
//! net/ipv4/inet_diag.c).
//!
//! A program is a run of instructions of at least four bytes: a code, how far to go on if the condition holds (to the next
//! instruction) and how far if it does not. A socket passes where the end of the program is met exactly; four bytes beyond it,
//! it does not. Jumps only go forward, so every program ends.
//!
//! ```
//! use ringlink_codec::diag::bytecode::{Comparison, Condition, Instructions, Program};
//!
//! let mut buffer = [0; 64];
//! let mut program = Program::new(&mut buffer);
//! program.either(
//!     |program| program.condition(Condition::SourcePort(Comparison::Equal, 22)),
//!     |program| program.condition(Condition::AutoBound),
//! );
//! let bytes = program.finish()?;
//! let lines: Vec<String> = Instructions::new(bytes).map(|one| one.map(|one| one.to_string())).collect::<Result<_, _>>()?;
//! assert_eq!(lines, ["0: sport = 22, else to 12", "8: to 16", "12: autobound, else to 20"]);
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::route::Family;
use crate::table::Record;
use crate::wire::{Error, ErrorKind, copy, short};
use crate::{record, values};

// include/uapi/linux/inet_diag.h
values! {
    /// What an instruction does.
    pub Code(u8), "INET_DIAG_BC_" {
        /// Nothing.
        NOP = 0,
        /// Goes where it says for what does not hold.
        JMP = 1,
        /// Own port is at least this.
        S_GE = 2,
        /// Own port is at most this.
        S_LE = 3,
        /// The peer's port is at least this.
        D_GE = 4,
        /// The peer's port is at most this.
        D_LE = 5,
        /// The kernel chose the own port.
        AUTO = 6,
        /// Own address and port.
        S_COND = 7,
        /// The peer's address and port.
        D_COND = 8,
        /// Interface that it is bound to.
        DEV_COND = 9,
        /// Mark of its packets; takes `CAP_NET_ADMIN`.
        MARK_COND = 10,
        /// Own port is this.
        S_EQ = 11,
        /// The peer's port is this.
        D_EQ = 12,
        /// Inode of its control group.
        CGROUP_COND = 13,
    }
}

record! {
    /// What every instruction begins with (`struct inet_diag_bc_op`, include/uapi/linux/inet_diag.h).
    pub Operation, "inet_diag_bc_op", "" {
        /// What it does.
        code: Code,
        /// Bytes to go on if it holds: the instruction's length.
        yes: u8,
        /// Bytes to go on if it does not; in the second of two for a port, the port.
        no: u16,
    }
}

record! {
    /// What an address must be like (`struct inet_diag_hostcond`, include/uapi/linux/inet_diag.h). The address follows.
    pub HostCondition, "inet_diag_hostcond", "" {
        /// `INET`, `INET6`, or `UNSPEC` for both.
        family: Family,
        /// Bits that count.
        prefix_len: u8,
        /// Nothing.
        pad: u16,
        /// The port, or -1 for any.
        port: i32,
    }
}

record! {
    /// What a mark must be like (`struct inet_diag_markcond`, include/uapi/linux/inet_diag.h).
    pub MarkCondition, "inet_diag_markcond", "" {
        /// The mark.
        mark: u32,
        /// Bits that count.
        mask: u32,
    }
}

/// How ports compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// The same.
    Equal,
    /// The same or more.
    AtLeast,
    /// The same or less.
    AtMost,
}

/// What may be asked of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// Its own port.
    SourcePort(Comparison, u16),
    /// The peer's port.
    DestinationPort(Comparison, u16),
    /// Its own address and port.
    Source(Host),
    /// The peer's address and port.
    Destination(Host),
    /// The kernel chose its port.
    AutoBound,
    /// It is bound to this interface.
    Device(u32),
    /// The mark of its packets, in the bits of the mask.
    Mark {
        /// The mark.
        mark: u32,
        /// Bits that count.
        mask: u32,
    },
    /// It belongs to the control group with this inode.
    ControlGroup(u64),
}

/// An address and a port, each of which may be any.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Host {
    /// The address and how many of its bits count. IPv4's is also that of an IPv6 socket whose peer has IPv4.
    pub address: Option<(IpAddr, u8)>,
    /// The port.
    pub port: Option<u16>,
}

/// Writes a program into a buffer of the caller's.
///
/// Conditions are written by [`condition`](Self::condition) and put together by closures. What is written one behind the other
/// without them has no meaning.
#[derive(Debug)]
pub struct Program<'b> {
    buffer: &'b mut [u8],
    length: usize,
    /// Where a jump is longer than 65,535 bytes: how long.
    too_long: Option<usize>,
}

impl<'b> Program<'b> {
    /// An empty program: every socket passes.
    #[must_use]
    pub const fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, length: 0, too_long: None }
    }

    /// Sockets of which this holds.
    pub fn condition(&mut self, condition: Condition) {
        let start = self.length;
        self.put(Operation::default());
        match condition {
            Condition::SourcePort(_, port) | Condition::DestinationPort(_, port) => {
                self.put(Operation { code: Code::NOP, yes: 0, no: port });
            }
            Condition::Source(host) | Condition::Destination(host) => self.host(host),
            Condition::AutoBound => {}
            Condition::Device(index) => self.bytes(&index.to_ne_bytes()),
            Condition::Mark { mark, mask } => self.put(MarkCondition { mark, mask }),
            Condition::ControlGroup(inode) => self.bytes(&inode.to_ne_bytes()),
        }
        let length = self.length.saturating_sub(start);
        self.operation(start, condition.code(), length, length.saturating_add(size_of::<Operation>()));
    }

    /// Sockets that `inner` lets not pass.
    pub fn not(&mut self, inner: impl FnOnce(&mut Self)) {
        inner(self);
        self.turn();
    }

    /// Sockets that both let pass.
    pub fn both(&mut self, one: impl FnOnce(&mut Self), other: impl FnOnce(&mut Self)) {
        let start = self.length;
        one(self);
        let middle = self.length;
        other(self);
        self.join(start, middle);
    }

    /// Sockets that one of them lets pass, or both do.
    pub fn either(&mut self, one: impl FnOnce(&mut Self), other: impl FnOnce(&mut Self)) {
        one(self);
        let jump = self.jump();
        other(self);
        self.land(jump);
    }

    /// The program.
    ///
    /// # Errors
    ///
    /// If the buffer is too small, or the program too long for jumps of 16 bits.
    pub fn finish(self) -> Result<&'b mut [u8], Error> {
        let (length, capacity) = (self.length, self.buffer.len());
        if let Some(length) = self.too_long {
            return Err(Error::new(ErrorKind::TooLong { length: short(length) }, 0));
        }
        let kind = ErrorKind::Full { needed: short(length), capacity: short(capacity) };
        self.buffer.get_mut(..length).ok_or(Error::new(kind, short(capacity)))
    }

    /// How long it is so far, or would be in a large enough buffer.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// What is refused is taken, and the other way round: who comes to the end is sent beyond it, and who was sent beyond it
    /// comes to the new end.
    pub(super) fn turn(&mut self) {
        let start = self.length;
        self.put(Operation::default());
        self.operation(start, Code::JMP, size_of::<Operation>(), size_of::<[Operation; 2]>());
    }

    /// What the instructions from `start` on refuse, which goes beyond `middle`, now goes beyond the end.
    pub(super) fn join(&mut self, start: usize, middle: usize) {
        let more = self.length.saturating_sub(middle);
        let refused = middle.saturating_add(size_of::<Operation>());
        let mut at = start;
        while at < middle {
            let Some(bytes) = self.buffer.get(at..middle).filter(|bytes| bytes.len() >= size_of::<Operation>()) else {
                return;
            };
            let Operation { code, yes, no } = Operation::from_bytes(bytes);
            if at.saturating_add(usize::from(no)) == refused {
                self.operation(at, code, usize::from(yes), usize::from(no).saturating_add(more));
            }
            at = at.saturating_add(usize::from(yes).max(size_of::<Operation>()));
        }
    }

    /// A jump to where [`land`](Self::land) says, over which what was refused so far comes.
    pub(super) fn jump(&mut self) -> usize {
        let start = self.length;
        self.put(Operation::default());
        start
    }

    /// Has a jump end here.
    pub(super) fn land(&mut self, jump: usize) {
        self.operation(jump, Code::JMP, size_of::<Operation>(), self.length.saturating_sub(jump));
    }

    /// Writes the four bytes that an instruction begins with.
    fn operation(&mut self, at: usize, code: Code, yes: usize, no: usize) {
        let (Ok(yes), Ok(no)) = (u8::try_from(yes), u16::try_from(no)) else {
            self.too_long.get_or_insert(no);
            return;
        };
        let [low, high] = no.to_ne_bytes();
        if let Some(bytes) = self.buffer.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *bytes = [code.0, yes, low, high];
        }
    }

    fn host(&mut self, Host { address, port }: Host) {
        let (family, prefix_len) = match address {
            Some((IpAddr::V4(_), length)) => (Family::INET, length.min(32)),
            Some((IpAddr::V6(_), length)) => (Family::INET6, length.min(128)),
            None => (Family::UNSPEC, 0),
        };
        self.put(HostCondition { family, prefix_len, pad: 0, port: port.map_or(-1, i32::from) });
        match address {
            Some((IpAddr::V4(address), _)) => self.bytes(&address.octets()),
            Some((IpAddr::V6(address), _)) => self.bytes(&address.octets()),
            None => {}
        }
    }

    fn put<R: Record>(&mut self, record: R) {
        let end = self.length.saturating_add(size_of::<R>());
        if let Some(space) = self.buffer.get_mut(self.length..end) {
            let mut space = space;
            record.give(&mut space);
        }
        self.length = end;
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        if let Some(space) = self.buffer.get_mut(self.length..end) {
            copy(space, bytes);
        }
        self.length = end;
    }
}

impl Condition {
    /// The instruction that asks it.
    #[must_use]
    pub const fn code(self) -> Code {
        match self {
            Self::SourcePort(Comparison::Equal, _) => Code::S_EQ,
            Self::SourcePort(Comparison::AtLeast, _) => Code::S_GE,
            Self::SourcePort(Comparison::AtMost, _) => Code::S_LE,
            Self::DestinationPort(Comparison::Equal, _) => Code::D_EQ,
            Self::DestinationPort(Comparison::AtLeast, _) => Code::D_GE,
            Self::DestinationPort(Comparison::AtMost, _) => Code::D_LE,
            Self::Source(_) => Code::S_COND,
            Self::Destination(_) => Code::D_COND,
            Self::AutoBound => Code::AUTO,
            Self::Device(_) => Code::DEV_COND,
            Self::Mark { .. } => Code::MARK_COND,
            Self::ControlGroup(_) => Code::CGROUP_COND,
        }
    }

    /// The condition of an instruction with this code and these operands; `None` where the code is unknown or the operands are
    /// too short.
    fn read(code: Code, operands: &[u8]) -> Option<Self> {
        let port = || operands.get(2..)?.first_chunk().copied().map(u16::from_ne_bytes);
        Some(match code {
            Code::S_EQ => Self::SourcePort(Comparison::Equal, port()?),
            Code::S_GE => Self::SourcePort(Comparison::AtLeast, port()?),
            Code::S_LE => Self::SourcePort(Comparison::AtMost, port()?),
            Code::D_EQ => Self::DestinationPort(Comparison::Equal, port()?),
            Code::D_GE => Self::DestinationPort(Comparison::AtLeast, port()?),
            Code::D_LE => Self::DestinationPort(Comparison::AtMost, port()?),
            Code::S_COND => Self::Source(Host::read(operands)?),
            Code::D_COND => Self::Destination(Host::read(operands)?),
            Code::AUTO => Self::AutoBound,
            Code::DEV_COND => Self::Device(u32::from_ne_bytes(*operands.first_chunk()?)),
            Code::MARK_COND => {
                let MarkCondition { mark, mask } =
                    MarkCondition::from_bytes(operands.get(..size_of::<MarkCondition>())?);
                Self::Mark { mark, mask }
            }
            Code::CGROUP_COND => Self::ControlGroup(u64::from_ne_bytes(*operands.first_chunk()?)),
            _ => return None,
        })
    }
}

impl Host {
    fn read(operands: &[u8]) -> Option<Self> {
        let (condition, address) = operands.split_at_checked(size_of::<HostCondition>())?;
        let HostCondition { family, prefix_len, port, .. } = HostCondition::from_bytes(condition);
        let address = match family {
            Family::INET => Some((Ipv4Addr::from(*address.first_chunk::<4>()?).into(), prefix_len)),
            Family::INET6 => Some((Ipv6Addr::from(*address.first_chunk::<16>()?).into(), prefix_len)),
            _ => None,
        };
        Some(Self { address, port: u16::try_from(port).ok() })
    }
}

/// The instructions of a program, one behind the other. After an error there is nothing more.
#[derive(Clone, Debug)]
pub struct Instructions<'a> {
    bytes: &'a [u8],
    at: usize,
}

/// One instruction of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Where it stands.
    pub at: usize,
    /// What it does.
    pub code: Code,
    /// What it asks, where it asks something that this library knows.
    pub condition: Option<Condition>,
    /// Where it goes on if that holds.
    pub yes: usize,
    /// Where it goes on if that does not.
    pub no: usize,
}

impl<'a> Instructions<'a> {
    /// The instructions in these bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }
}

impl Iterator for Instructions<'_> {
    type Item = Result<Instruction, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (at, bytes) = (self.at, self.bytes);
        if bytes.is_empty() {
            return None;
        }
        let operation = Operation::from_bytes(bytes);
        let length = usize::from(operation.yes);
        let split = bytes.split_at_checked(length).filter(|_| length >= size_of::<Operation>());
        let Some((instruction, rest)) = split else {
            self.bytes = &[];
            let kind = ErrorKind::RecordLength { length: u32::from(operation.yes), available: short(bytes.len()) };
            return Some(Err(Error::new(kind, short(at))));
        };
        let operands = instruction.get(size_of::<Operation>()..).unwrap_or_default();
        self.bytes = rest;
        self.at = at.saturating_add(length);
        Some(Ok(Instruction {
            at,
            code: operation.code,
            condition: Condition::read(operation.code, operands),
            yes: self.at,
            no: at.saturating_add(usize::from(operation.no)),
        }))
    }
}

impl fmt::Display for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.at)?;
        match (self.condition, self.code) {
            (Some(condition), _) => write!(f, "{condition}, else to {}", self.no),
            (None, Code::JMP) => write!(f, "to {}", self.no),
            (None, Code::NOP) => f.write_str("nothing"),
            (None, code) => write!(f, "{code}, else to {}", self.no),
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SourcePort(comparison, port) => write!(f, "sport {comparison} {port}"),
            Self::DestinationPort(comparison, port) => write!(f, "dport {comparison} {port}"),
            Self::Source(host) => write!(f, "src {host}"),
            Self::Destination(host) => write!(f, "dst {host}"),
            Self::AutoBound => f.write_str("autobound"),
            Self::Device(index) => write!(f, "dev {index}"),
            Self::Mark { mark, mask } => write!(f, "fwmark {mark:#x}/{mask:#x}"),
            Self::ControlGroup(inode) => write!(f, "cgroup {inode}"),
        }
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "=",
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
        })
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.address {
            Some((IpAddr::V6(address), length)) => write!(f, "[{address}]/{length}")?,
            Some((address, length)) => write!(f, "{address}/{length}")?,
            None => f.write_str("*")?,
        }
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}
