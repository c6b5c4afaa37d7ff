//! The connector: parts of the kernel that talk to programs over one protocol, above all the events of processes
//! (`NETLINK_CONNECTOR`, include/uapi/linux/connector.h, include/uapi/linux/cn_proc.h; drivers/connector/).
//!
//! Every message is of type 3, which elsewhere ends a dump: what it is says the [`Identifier`] that its payload begins with.
//! Several may stand in one netlink message: [`Parts`] takes them apart. A program asks to be told of processes by [`listen`],
//! and [`Notice`] is what it is told. Each processor numbers its events, so that [`Sequences`] can count those that were lost.
//!
//! ```
//! use ringlink_codec::connector::{self, Event, Identifier, Notice, Parts};
//! use ringlink_codec::prelude::*;
//!
//! // Tell me of processes.
//! let mut buffer = [0; 64];
//! let request = connector::listen(&mut buffer, 7, true)?;
//! let part = Parts::of(Message::parse(request)?).next().transpose()?.unwrap();
//! assert_eq!((part.header.id, part.header.seq, part.data.len()), (Identifier::PROCESSES, 7, 4));
//!
//! // The kernel's answer: nobody's event, with the request's token plus one, and 0 for an error number.
//! let mut buffer = [0; 128];
//! let answer = connector::write(&mut buffer, Identifier::PROCESSES, 3374, 8, &[0; 40])?;
//! let part = Parts::of(Message::parse(answer)?).next().transpose()?.unwrap();
//! let notice = Notice::of(&part)?.unwrap();
//! assert_eq!((notice.acknowledges, notice.event), (Some(7), Event::Acknowledged { error: 0 }));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```
//!
//! # What is absent
//!
//! What the other parties say: their data are bytes.

use crate::diag::NoAttributes;
use crate::protocol::{Description, Rest, Structs};
use crate::table::{Chars, Layout, Operation, Plain, Record, Value, Verb};
use crate::wire::{Error, ErrorKind, Flags, MESSAGE_HEADER, Message, MessageHeader, MessageType, Writer, place, short};
use crate::{flags, record, values};

values! {
    /// Who talks, which is also the number of the multicast group.
    pub Party(u32), "CN_" {
        /// Processes that start, end and change (drivers/connector/cn_proc.c).
        PROC as "IDX_PROC" = 1,
        /// The file system CIFS.
        CIFS as "IDX_CIFS" = 2,
        /// The 1-wire bus.
        W1 as "W1_IDX" = 3,
        /// The helper of uvesafb.
        V86D as "IDX_V86D" = 4,
        /// A tracer of file systems.
        BB as "IDX_BB" = 5,
        /// Distributed storage; gone from the kernel.
        DST as "DST_IDX" = 6,
        /// The device mapper's logs.
        DM as "IDX_DM" = 7,
        /// The network block device DRBD.
        DRBD as "IDX_DRBD" = 8,
        /// Hyper-V: keys and values.
        KVP as "KVP_IDX" = 9,
        /// Hyper-V: snapshots of volumes.
        VSS as "VSS_IDX" = 10,
    }
}

record! {
    /// Who talks.
    pub Identifier, "cb_id", "" {
        /// The party.
        idx: Party,
        /// Which of the party's; 1 for all that the kernel has.
        val: u32,
    }
}

impl Identifier {
    /// Processes that start, end and change (`CN_IDX_PROC`, `CN_VAL_PROC`).
    pub const PROCESSES: Self = Self { idx: Party::PROC, val: 1 };
}

record! {
    /// What each part of a message begins with.
    pub Header, "cn_msg", "" {
        /// Who talks.
        id: Identifier,
        /// Of a process event, answers among them: which one it is on its processor, from 0 on.
        seq: u32,
        /// Of an answer: one more than the request had. Of an event: 0.
        ack: u32,
        /// Bytes of data that follow.
        len: u16,
        /// Means nothing.
        flags: u16,
    }
}

flags! {
    /// What happened to a process; as a mask, of what is to be told.
    pub ProcessEvents(u32), "PROC_EVENT_" {
        /// It was made by another one, or a thread was.
        FORK = 0x1,
        /// It runs another program.
        EXEC = 0x2,
        /// It has other user ids.
        UID = 0x4,
        /// It has other group ids.
        GID = 0x40,
        /// It has made a session.
        SID = 0x80,
        /// It is traced, or no more.
        PTRACE = 0x100,
        /// It has another name.
        COMM = 0x200,
        /// In masks: it has ended, but not well; since Linux 6.6.
        NONZERO_EXIT = 0x2000_0000,
        /// It leaves a core dump.
        COREDUMP = 0x4000_0000,
        /// It has ended.
        EXIT = 0x8000_0000,
    }
}

impl ProcessEvents {
    /// In an event: an answer. In a mask: all.
    pub const NONE: Self = Self(0);
    /// Everything (`PROC_EVENT_ALL`).
    pub const ALL: Self = Self(0xc000_03c7);
}

record! {
    /// What an event begins with. The event's own struct stands over `pad`.
    pub EventHeader, "proc_event", "" {
        /// What happened: one of the events.
        what: ProcessEvents,
        /// The processor on which it happened; `u32::MAX` in answers of old kernels.
        cpu: u32,
        /// When it happened, in nanoseconds since the machine's start.
        timestamp_ns: u64,
        /// The event's own struct.
        pad: [u8; 24],
    }
}

record! {
    /// An answer to a request (`ack` in `struct proc_event`).
    pub Acknowledgement, "", "" {
        /// 0, or an error number.
        err: u32,
    }
}

record! {
    /// A process or thread was made. A process is the thread group in the kernel's words, its id that of its first thread.
    pub Fork, "fork_proc_event", "" {
        /// Thread that made it.
        parent_pid: i32,
        /// Process that made it.
        parent_tgid: i32,
        /// The new thread.
        child_pid: i32,
        /// Its process: itself, if a process was made.
        child_tgid: i32,
    }
}

record! {
    /// A process runs another program.
    pub Exec, "exec_proc_event", "" {
        /// Thread.
        process_pid: i32,
        /// Process.
        process_tgid: i32,
    }
}

record! {
    /// A process has other user or group ids.
    pub Ids, "id_proc_event", "" {
        /// Thread.
        process_pid: i32,
        /// Process.
        process_tgid: i32,
        /// Real id (`r.ruid`, `r.rgid`).
        r: u32,
        /// Effective id (`e.euid`, `e.egid`).
        e: u32,
    }
}

record! {
    /// A process has made a session.
    pub Session, "sid_proc_event", "" {
        /// Thread.
        process_pid: i32,
        /// Process.
        process_tgid: i32,
    }
}

record! {
    /// A process is traced, or no more.
    pub Trace, "ptrace_proc_event", "" {
        /// Thread.
        process_pid: i32,
        /// Process.
        process_tgid: i32,
        /// Thread that traces it; 0 if it is traced no more.
        tracer_pid: i32,
        /// Its process.
        tracer_tgid: i32,
    }
}

record! {
    /// A thread has another name.
    pub Name, "comm_proc_event", "" {
        /// Thread.
        process_pid: i32,
        /// Process.
        process_tgid: i32,
        /// Its name now.
        comm: Chars<16>,
    }
}

record! {
    /// A process leaves a core dump.
    pub Coredump, "coredump_proc_event", "" {
        /// Thread.
        process_pid: i32,
        /// Process.
        process_tgid: i32,
        /// Thread that made it; 0 on kernels before 4.18.
        parent_pid: i32,
        /// Process that made it; 0 on kernels before 4.18.
        parent_tgid: i32,
    }
}

record! {
    /// A thread has ended, and with its last one the process.
    pub Exit, "exit_proc_event", "" {
        /// Thread.
        process_pid: i32,
        /// Process.
        process_tgid: i32,
        /// How it ended, as wait(2) tells it.
        exit_code: u32,
        /// Signal that its parent gets; `u32::MAX` for none, of threads.
        exit_signal: u32,
        /// Thread that made it; 0 on kernels before 4.18.
        parent_pid: i32,
        /// Process that made it; 0 on kernels before 4.18.
        parent_tgid: i32,
    }
}

values! {
    /// What a program wants.
    pub Operate(u32), "PROC_CN_MCAST_" {
        /// To be told.
        LISTEN = 1,
        /// To be told no more.
        IGNORE = 2,
    }
}

record! {
    /// A request about events of processes.
    pub Input, "proc_input", "" {
        /// What is wanted.
        mcast_op: Operate,
        /// Of which events; since Linux 6.6. Earlier kernels do not answer requests that have it.
        event_type: ProcessEvents,
    }
}

/// Writes a message of one part into `buffer`.
///
/// # Errors
///
/// If the buffer is too small, or the data are longer than 65,535 bytes.
pub fn write<'b>(
    buffer: &'b mut [u8],
    id: Identifier,
    sequence: u32,
    acknowledge: u32,
    data: &[u8],
) -> Result<&'b mut [u8], Error> {
    let Ok(len) = u16::try_from(data.len()) else {
        return Err(Error::new(ErrorKind::TooLong { length: short(data.len()) }, place(MESSAGE_HEADER)));
    };
    let mut writer = Writer::new(buffer);
    let header = Header { id, seq: sequence, ack: acknowledge, len, flags: 0 };
    let message = MessageHeader { flags: Flags::REQUEST, ..MessageHeader::default() };
    let operation = Operation::<(Header, NoAttributes)>::new(MessageType::DONE.0, MessageType::DONE.0);
    // Not padded: the kernel holds the length against that of the data.
    operation.encode(&mut writer, message, header, |_| {});
    writer.bytes(data);
    writer.patch(0, short(writer.length()).to_ne_bytes());
    writer.finish()
}

/// Writes a request to be told of all events of processes, or to be told no more. The answer is an event of its own,
/// [`Event::Acknowledged`], which all are told who listen: its [`acknowledges`](Notice::acknowledges) is this token.
///
/// # Errors
///
/// If the buffer has fewer than 40 bytes.
pub fn listen(buffer: &mut [u8], token: u32, on: bool) -> Result<&mut [u8], Error> {
    let what = if on { Operate::LISTEN } else { Operate::IGNORE };
    write(buffer, Identifier::PROCESSES, token, token, &what.0.to_ne_bytes())
}

/// Writes a request to be told of some events of processes, for a socket that listens already. Kernels before 6.6 ignore it,
/// and later ones answer it only where the mask is [`ProcessEvents::ALL`].
///
/// # Errors
///
/// If the buffer has fewer than 44 bytes.
pub fn choose(buffer: &mut [u8], token: u32, events: ProcessEvents) -> Result<&mut [u8], Error> {
    let mut data = [0; size_of::<Input>()];
    Input { mcast_op: Operate::LISTEN, event_type: events }.give(&mut data.as_mut_slice());
    write(buffer, Identifier::PROCESSES, token, token, &data)
}

/// A part of a message: who talks, and data.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Part<'a> {
    /// Who talks, and of what.
    pub header: Header,
    /// What is said.
    pub data: &'a [u8],
    /// Where the part starts, in bytes from the start of the netlink message.
    pub offset: u32,
}

/// The parts of a message, in order. Yields the error of a broken one once, then ends.
#[derive(Clone, Debug)]
pub struct Parts<'a> {
    rest: &'a [u8],
    offset: u32,
}

impl<'a> Parts<'a> {
    /// The parts of a message, whatever its type.
    #[must_use]
    pub const fn of(message: Message<'a>) -> Self {
        Self { rest: message.payload, offset: place(MESSAGE_HEADER) }
    }
}

impl<'a> Iterator for Parts<'a> {
    type Item = Result<Part<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = core::mem::take(&mut self.rest);
        // Up to three zero bytes behind the last part are padding.
        if bytes.len() < 4 && bytes.iter().all(|byte| *byte == 0) {
            return None;
        }
        let offset = self.offset;
        let Some((start, behind)) = bytes.split_at_checked(DATA) else {
            let kind = ErrorKind::PayloadLength { found: short(bytes.len()), expected: short(DATA) };
            return Some(Err(Error::new(kind, offset)));
        };
        let header = Header::from_bytes(start);
        let Some((data, rest)) = behind.split_at_checked(usize::from(header.len)) else {
            let kind = ErrorKind::RecordLength { length: u32::from(header.len), available: short(behind.len()) };
            return Some(Err(Error::new(kind, offset)));
        };
        self.rest = rest;
        self.offset = offset.saturating_add(short(bytes.len().saturating_sub(rest.len())));
        Some(Ok(Part { header, data, offset }))
    }
}

impl core::iter::FusedIterator for Parts<'_> {}

/// What happened to a process.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Nothing: the kernel answers a request.
    Acknowledged {
        /// 0, or an error number.
        error: u32,
    },
    /// It, or a thread of it, was made.
    Fork(Fork),
    /// It runs another program.
    Exec(Exec),
    /// It has other user ids.
    Uid(Ids),
    /// It has other group ids.
    Gid(Ids),
    /// It has made a session.
    Sid(Session),
    /// It is traced, or no more.
    Ptrace(Trace),
    /// It has another name.
    Comm(Name),
    /// It leaves a core dump.
    Coredump(Coredump),
    /// It, or a thread of it, has ended.
    Exit(Exit),
    /// Something of which this library does not know.
    Other(ProcessEvents),
}

impl Event {
    /// The process (thread group) that it happened to; of one that was made, the one that made it.
    #[must_use]
    pub const fn process(&self) -> Option<i32> {
        Some(match self {
            Self::Fork(fork) => fork.parent_tgid,
            Self::Exec(exec) => exec.process_tgid,
            Self::Uid(ids) | Self::Gid(ids) => ids.process_tgid,
            Self::Sid(session) => session.process_tgid,
            Self::Ptrace(trace) => trace.process_tgid,
            Self::Comm(name) => name.process_tgid,
            Self::Coredump(coredump) => coredump.process_tgid,
            Self::Exit(exit) => exit.process_tgid,
            Self::Acknowledged { .. } | Self::Other(_) => return None,
        })
    }
}

/// What is told of processes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Notice {
    /// Which event it is on its processor.
    pub sequence: u32,
    /// The processor; none in answers of old kernels.
    pub cpu: Option<u32>,
    /// When it happened, in nanoseconds since the machine's start.
    pub timestamp_ns: u64,
    /// Which event it is.
    pub what: ProcessEvents,
    /// Of an answer: the token of the request.
    pub acknowledges: Option<u32>,
    /// The event.
    pub event: Event,
}

impl Notice {
    /// The event in a part; `None` where another party talks.
    ///
    /// # Errors
    ///
    /// If it is too short for such an event.
    pub fn of(part: &Part<'_>) -> Result<Option<Self>, Error> {
        if part.header.id != Identifier::PROCESSES {
            return Ok(None);
        }
        let header = EventHeader::from_bytes(part.data);
        let layout = layout_of(header.what);
        let expected = UNION.saturating_add(layout.map_or(0, |layout| layout.size));
        if part.data.len() < expected {
            let kind = ErrorKind::PayloadLength { found: short(part.data.len()), expected: short(expected) };
            return Err(Error::new(kind, part.offset.saturating_add(short(DATA))));
        }
        let event = event_of(header.what, part.data.get(UNION..).unwrap_or_default());
        let EventHeader { what, cpu, timestamp_ns, .. } = header;
        let cpu = (cpu != u32::MAX).then_some(cpu);
        let acknowledges = (what == ProcessEvents::NONE).then_some(part.header.ack.wrapping_sub(1));
        Ok(Some(Self { sequence: part.header.seq, cpu, timestamp_ns, what, acknowledges, event }))
    }
}

/// Where a part's data start.
const DATA: usize = size_of::<Header>();
/// Where an event's own struct starts in the data.
const UNION: usize = core::mem::offset_of!(EventHeader, pad);

fn event_of(what: ProcessEvents, bytes: &[u8]) -> Event {
    match what {
        ProcessEvents::NONE => Event::Acknowledged { error: Acknowledgement::from_bytes(bytes).err },
        ProcessEvents::FORK => Event::Fork(Record::from_bytes(bytes)),
        ProcessEvents::EXEC => Event::Exec(Record::from_bytes(bytes)),
        ProcessEvents::UID => Event::Uid(Record::from_bytes(bytes)),
        ProcessEvents::GID => Event::Gid(Record::from_bytes(bytes)),
        ProcessEvents::SID => Event::Sid(Record::from_bytes(bytes)),
        ProcessEvents::PTRACE => Event::Ptrace(Record::from_bytes(bytes)),
        ProcessEvents::COMM => Event::Comm(Record::from_bytes(bytes)),
        ProcessEvents::COREDUMP => Event::Coredump(Record::from_bytes(bytes)),
        ProcessEvents::EXIT => Event::Exit(Record::from_bytes(bytes)),
        other => Event::Other(other),
    }
}

fn layout_of(what: ProcessEvents) -> Option<&'static Layout> {
    Some(match what {
        ProcessEvents::NONE => Acknowledgement::LAYOUT,
        ProcessEvents::FORK => Fork::LAYOUT,
        ProcessEvents::EXEC => Exec::LAYOUT,
        ProcessEvents::UID | ProcessEvents::GID => Ids::LAYOUT,
        ProcessEvents::SID => Session::LAYOUT,
        ProcessEvents::PTRACE => Trace::LAYOUT,
        ProcessEvents::COMM => Name::LAYOUT,
        ProcessEvents::COREDUMP => Coredump::LAYOUT,
        ProcessEvents::EXIT => Exit::LAYOUT,
        _ => return None,
    })
}

/// Counts events that were lost, by the numbers that each processor gives to its own, on up to `N` processors.
///
/// A processor numbers its events whether they are told or not: on a socket that was told of [some](choose) alone, gaps mean
/// nothing.
///
/// ```
/// use ringlink_codec::connector::Sequences;
///
/// let mut sequences = Sequences::<2>::new();
/// assert_eq!(sequences.see(0, 41), Some(0));
/// assert_eq!(sequences.see(1, 7), Some(0));
/// assert_eq!(sequences.see(0, 44), Some(2));
/// // A processor beyond those that are kept.
/// assert_eq!(sequences.see(2, 1), None);
/// ```
#[derive(Clone, Debug)]
pub struct Sequences<const N: usize> {
    next: [Option<u32>; N],
}

impl<const N: usize> Default for Sequences<N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const N: usize> Sequences<N> {
    /// No event was seen yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { next: [None; N] }
    }

    /// Takes note of an event; says how many of its processor were lost before it. `None` where the processor's number is
    /// beyond `N`.
    pub fn see(&mut self, cpu: u32, sequence: u32) -> Option<u32> {
        let next = self.next.get_mut(usize::try_from(cpu).ok()?)?;
        let expected = next.replace(sequence.wrapping_add(1)).unwrap_or(sequence);
        Some(sequence.wrapping_sub(expected))
    }
}

/// What the printer and the audit go by.
pub(crate) static STRUCTS: Structs = Structs {
    operations: &[],
    shapes: &[
        Header::SHAPE,
        EventHeader::SHAPE,
        Acknowledgement::SHAPE,
        Fork::SHAPE,
        Exec::SHAPE,
        Ids::SHAPE,
        Session::SHAPE,
        Trace::SHAPE,
        Name::SHAPE,
        Coredump::SHAPE,
        Exit::SHAPE,
        Input::SHAPE,
    ],
    describe,
};

/// What a message of any type is, by its first part.
fn describe(message: Message<'_>) -> Option<Description> {
    if matches!(message.header.kind, MessageType::NOOP | MessageType::ERROR) {
        return None;
    }
    let part = Parts::of(message).next()?.ok()?;
    let party = part.header.id.idx;
    let name = party.name().map(|name| (Party::TABLE.prefix, name))?;
    let what = EventHeader::from_bytes(part.data).what;
    let structs = match (part.header.id, part.data.len()) {
        (Identifier::PROCESSES, length) if length <= Input::LAYOUT.size => [Some((DATA, Input::LAYOUT)), None],
        (Identifier::PROCESSES, _) => {
            let own = layout_of(what).map(|layout| (DATA + UNION, layout));
            [Some((DATA, EventHeader::LAYOUT)), own]
        }
        _ => [None, None],
    };
    let [one, two] = structs;
    Some(Description { name, verb: Verb::Act, structs: [Some((0, Header::LAYOUT)), one, two], rest: Rest::Bytes })
}
