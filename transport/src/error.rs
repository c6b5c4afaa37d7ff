//! What can go wrong between this process and the kernel's sockets.

use std::fmt;
use std::io;

use ringlink_codec as codec;
use ringlink_codec::netfilter::ipset::{NamedRefusal, failed_line};
use ringlink_codec::reply::{Errno, Path, Refusal};

use crate::connection::Rejected;
use crate::socket::Protocol;

/// An error of the transport. Small; names are looked up when it is printed.
///
/// ```
/// use ringlink::error::Error;
///
/// let error = Error::System { call: "socket", errno: 1 };
/// assert_eq!(error.errno(), Some(1));
/// assert!(error.to_string().starts_with("socket: "));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The kernel refused a request.
    Refused(Box<Refused>),
    /// The kernel refused a [transaction](crate::connection::Transaction).
    Transaction(Box<Rejected>),
    /// A datagram is longer than the socket's send buffer takes, and the buffer could not be made larger: that takes
    /// `CAP_NET_ADMIN`, or a higher `net.core.wmem_max`.
    SendBuffer {
        /// Bytes that the buffer would need.
        needed: usize,
        /// Bytes that it has.
        got: usize,
    },
    /// A request could not be written, or an answer could not be read.
    Codec(codec::Error),
    /// The kernel acknowledged a question instead of answering it.
    NoAnswer,
    /// A system call, or a request on the ring, failed.
    System {
        /// The call that failed, as its man page spells it.
        call: &'static str,
        /// The operating system's error number.
        errno: i32,
    },
    /// The deadline passed before a datagram came. The engine remains usable, and an answer that comes late is still
    /// delivered to the next receive.
    TimedOut,
    /// The socket's receive queue was full and the kernel dropped messages: multicast events, or even answers. What
    /// was queued before is still there.
    Overrun {
        /// How many messages were dropped since the last such error (or since the socket was opened); 0 when the kernel
        /// reported a loss that it did not count.
        drops: u32,
    },
    /// A datagram was longer than the engine's slot; it is gone, like the datagrams of an [`Overrun`](Error::Overrun).
    Truncated {
        /// The datagram's length in bytes.
        length: usize,
        /// How many bytes a slot of this engine can take.
        slot: usize,
    },
    /// Every slot of the engine is lent out: drop a [`Datagram`](crate::engine::Datagram) before asking for another.
    Exhausted {
        /// How many slots the engine has.
        slots: usize,
    },
    /// This kernel has no such netlink protocol: it was built without it, its module is not loaded, or it left the
    /// kernel long ago (the text then says what took its place).
    NoProtocol {
        /// The protocol asked for.
        protocol: Protocol,
    },
    /// A network namespace could not be found or entered.
    Namespace {
        /// What was looked for, or tried.
        problem: NamespaceProblem,
        /// The operating system's error number.
        errno: i32,
    },
    /// io_uring, or a part of it that this library cannot do without, is missing or forbidden here.
    NoRing {
        /// The missing part.
        part: RingPart,
        /// The operating system's error number.
        errno: i32,
    },
    /// A group of the packet log, or a packet queue, could not be bound.
    Packets {
        /// Of which it was.
        service: PacketService,
        /// Its number.
        number: u16,
        /// Why.
        problem: PacketProblem,
    },
    /// The store of a [`Watch`](crate::watch::Watch) has no room for another object.
    Full,
    /// A configuration value is out of its range.
    Configuration {
        /// The rule that was broken.
        rule: &'static str,
    },
    /// The thread that worked for a [shared handle](crate::shared) has ended: what became of the request is not known.
    WorkerGone,
    /// A recording cannot be read, or what is asked of its replay is not what was asked then
    /// ([`engine::record`](crate::engine::record)).
    Recording {
        /// Where in the recording, in bytes from its start.
        offset: usize,
        /// What is wrong there.
        problem: RecordingProblem,
    },
}

/// What went wrong with a network namespace, in [`Error::Namespace`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NamespaceProblem {
    /// No namespace of that name is mounted under `/run/netns` or `/var/run/netns`.
    Name,
    /// A namespace's name is not empty, not `.` or `..`, and has no slash.
    BadName,
    /// The path could not be opened.
    Path,
    /// No process with that id, or not one whose namespace may be seen.
    Process {
        /// The process id.
        pid: u32,
    },
    /// The file is not a network namespace.
    NotANamespace,
    /// `setns(2)` refused.
    Enter,
}

/// What tells of packets, in [`Error::Packets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PacketService {
    /// The log (NFLOG).
    Log,
    /// Queues (NFQUEUE).
    Queue,
}

/// Why a group or a queue could not be bound, in [`Error::Packets`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum PacketProblem {
    /// Another socket has bound it.
    InUse {
        /// That socket's port id: mostly the id of its process.
        port: u32,
    },
    /// It takes `CAP_NET_ADMIN`.
    NotPermitted,
    /// This kernel was built without it, or its module is not loaded.
    NoModule,
    /// This kernel does not have what the flags ask for, or the module that has it is not loaded.
    Option,
}

/// A part of io_uring that was missing, in [`Error::NoRing`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RingPart {
    /// `io_uring_setup(2)` itself (`ENOSYS`: no such call; `EPERM`: the sysctl `kernel.io_uring_disabled` or a sandbox).
    Setup,
    /// Waiting with a time limit (`IORING_FEAT_EXT_ARG`, Linux 5.11).
    TimedWait,
    /// Provided-buffer rings (`IORING_REGISTER_PBUF_RING`, Linux 5.19).
    BufferRing,
    /// Multishot receives (`IORING_RECV_MULTISHOT`, Linux 6.0).
    Multishot,
}

/// What is wrong with a recording or its replay, in [`Error::Recording`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RecordingProblem {
    /// It does not start like a recording.
    NotARecording,
    /// It is of a version that this library does not know.
    Version {
        /// The version found.
        found: u8,
    },
    /// Its messages have the byte order of another kind of machine.
    ByteOrder,
    /// It ends in the middle of its header or of an entry.
    Cut,
    /// A field has no meaning.
    Field {
        /// Which field.
        name: &'static str,
    },
    /// What is sent is not what was sent then.
    Differs {
        /// The first byte of the datagram sent that differs, or where the shorter of both ends.
        at: usize,
    },
    /// A datagram is sent where then one was received.
    SendsEarly,
    /// A datagram is received where then one was sent.
    ReceivesEarly,
    /// There is nothing more in the recording.
    Ended,
}

impl Error {
    /// The operating system's error number, where there is one.
    pub fn errno(&self) -> Option<i32> {
        match *self {
            Error::Refused(_) | Error::Transaction(_) => i32::try_from(self.refused()?.errno.0).ok(),
            Error::SendBuffer { .. } => Some(libc::EMSGSIZE),
            Error::System { errno, .. } | Error::Namespace { errno, .. } | Error::NoRing { errno, .. } => Some(errno),
            Error::NoProtocol { .. } => Some(libc::EPROTONOSUPPORT),
            Error::Packets { problem, .. } => Some(match problem {
                PacketProblem::InUse { .. } => libc::EBUSY,
                PacketProblem::NotPermitted => libc::EPERM,
                PacketProblem::NoModule => libc::EPROTONOSUPPORT,
                PacketProblem::Option => libc::EOPNOTSUPP,
            }),
            Error::Overrun { .. } => Some(libc::ENOBUFS),
            _ => None,
        }
    }

    /// Whether the deadline passed.
    pub fn is_timed_out(&self) -> bool {
        matches!(self, Error::TimedOut)
    }

    /// Whether messages were lost: a mirror of the kernel's state must be read anew.
    pub fn is_loss(&self) -> bool {
        matches!(self, Error::Overrun { .. } | Error::Truncated { .. })
    }

    /// The kernel's no, where it is one; of a transaction, the first.
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Error::Refused(refused) => Some(refused),
            Error::Transaction(rejected) => rejected.first(),
            _ => None,
        }
    }

    /// Whether what was named is not there (`ENOENT`, `ENODEV`, `ESRCH`, …).
    pub fn is_not_found(&self) -> bool {
        self.refused().is_some_and(|refused| refused.errno.is_not_found())
    }

    /// Whether what was to be made is there already (`EEXIST`).
    pub fn already_exists(&self) -> bool {
        self.refused().is_some_and(|refused| refused.errno.already_exists())
    }

    /// Whether a transaction was made for a generation of the rules that has passed: read them again, and retry
    /// (`ERESTART`; [`Transaction::at_generation`](crate::connection::Transaction::at_generation)).
    pub fn is_outdated(&self) -> bool {
        matches!(self, Error::Transaction(_)) && self.errno() == Some(libc::ERESTART)
    }

    /// Whether this kernel cannot, perhaps for want of a module (`EOPNOTSUPP` and its kin).
    pub fn is_unsupported(&self) -> bool {
        let packets = matches!(self, Error::Packets { problem: PacketProblem::NoModule | PacketProblem::Option, .. });
        matches!(self, Error::NoProtocol { .. })
            || packets
            || self.refused().is_some_and(|refused| refused.errno.is_unsupported())
    }

    /// Whether the caller lacks a privilege (`EPERM`, `EACCES`).
    pub fn is_permission(&self) -> bool {
        matches!(self.errno(), Some(libc::EPERM | libc::EACCES))
    }

    /// Whether there is no descriptor or no memory left.
    pub(crate) fn is_shortage(&self) -> bool {
        let shortages = [libc::EMFILE, libc::ENFILE, libc::ENOMEM, libc::ENOBUFS];
        matches!(self, Error::System { errno, .. } if shortages.contains(errno))
    }

    /// Whether an exchange that failed so did not get as far as receiving: no room for an answer, or a send that failed.
    pub(crate) fn is_of_sending(&self) -> bool {
        match self {
            Error::Exhausted { .. } | Error::Recording { .. } => true,
            Error::System { call, .. } => call.starts_with("send"),
            _ => false,
        }
    }

    pub(crate) fn last(call: &'static str) -> Error {
        Error::from_io(call, &io::Error::last_os_error())
    }

    pub(crate) fn from_io(call: &'static str, error: &io::Error) -> Error {
        Error::System { call, errno: error.raw_os_error().unwrap_or(0) }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Error::Refused(ref refused) => refused.fmt(f),
            Error::Transaction(ref rejected) => rejected.fmt(f),
            Error::SendBuffer { needed, got } => write!(
                f,
                "a datagram needs a send buffer of {needed} bytes and there are {got}: raise net.core.wmem_max, or run with \
                 CAP_NET_ADMIN"
            ),
            Error::Codec(error) => error.fmt(f),
            Error::NoAnswer => f.write_str("the kernel acknowledged the question and gave no answer"),
            Error::System { call, errno } => write!(f, "{call}: {}", Text(errno)),
            Error::TimedOut => f.write_str("no datagram before the deadline"),
            Error::Overrun { drops: 0 } => f.write_str("the socket's receive queue overran, messages were lost"),
            Error::Overrun { drops } => write!(f, "the socket's receive queue overran, {drops} messages were lost"),
            Error::Truncated { length, slot } => {
                write!(f, "a datagram of {length} bytes was cut: a slot of this engine takes {slot} bytes")
            }
            Error::Exhausted { slots } => {
                write!(f, "all {slots} slots of the engine are held by datagrams that are still in use")
            }
            Error::NoProtocol { protocol } => match protocol.successor() {
                Some(successor) => write!(f, "netlink protocol {protocol} left the kernel, use {successor}"),
                None => write!(
                    f,
                    "this kernel has no netlink protocol {protocol} (not built in, or its module is not loaded)"
                ),
            },
            Error::Namespace { problem, errno } => match problem {
                NamespaceProblem::Name => write!(
                    f,
                    "no network namespace of that name in /run/netns or /var/run/netns: {}; `ip netns list` shows \
                     the names there are, `ip netns add NAME` makes one",
                    Text(errno)
                ),
                NamespaceProblem::BadName => {
                    f.write_str("a network namespace's name is not empty, not . or .., and has no slash; a path is opened as a path")
                }
                NamespaceProblem::Path => write!(f, "cannot open the network namespace's file: {}", Text(errno)),
                NamespaceProblem::Process { pid } => {
                    write!(f, "cannot open the network namespace of process {pid}: {}", Text(errno))
                }
                NamespaceProblem::NotANamespace => f.write_str(
                    "the file is not a network namespace (one is bound to a name by `ip netns add`, and is found \
                     at /proc/PID/ns/net)",
                ),
                NamespaceProblem::Enter => write!(
                    f,
                    "setns: {} (entering a network namespace needs CAP_SYS_ADMIN in it and in the caller's own \
                     user namespace)",
                    Text(errno)
                ),
            },
            Error::NoRing { part, errno } => match (part, errno) {
                (RingPart::Setup, libc::ENOSYS) => {
                    f.write_str("this kernel has no io_uring, or a sandbox hides it (io_uring_setup: ENOSYS)")
                }
                (RingPart::Setup, libc::EPERM | libc::EACCES) => f.write_str(
                    "io_uring is forbidden here, by the sysctl kernel.io_uring_disabled or by a sandbox \
                     (io_uring_setup: EPERM)",
                ),
                (RingPart::Setup, errno) => write!(f, "io_uring_setup: {}", Text(errno)),
                (RingPart::TimedWait, _) => {
                    f.write_str("this kernel's io_uring cannot wait with a time limit (Linux 5.11 can)")
                }
                (RingPart::BufferRing, errno) => {
                    write!(f, "io_uring would not take a ring of buffers (Linux 5.19 does): {}", Text(errno))
                }
                (RingPart::Multishot, errno) => {
                    write!(f, "this kernel's io_uring has no multishot receive (Linux 6.0 has): {}", Text(errno))
                }
            },
            Error::Packets { service, number, problem } => {
                let (what, module) = match service {
                    PacketService::Log => ("group", "nfnetlink_log"),
                    PacketService::Queue => ("queue", "nfnetlink_queue"),
                };
                write!(f, "{what} {number}: ")?;
                match problem {
                    PacketProblem::InUse { port } => {
                        write!(f, "another socket has bound it, with port id {port}, mostly the id of its process")
                    }
                    PacketProblem::NotPermitted => write!(f, "binding a {what} of packets needs CAP_NET_ADMIN"),
                    PacketProblem::NoModule => {
                        write!(f, "this kernel was built without it, or its module is not loaded (`modprobe {module}`)")
                    }
                    PacketProblem::Option => f.write_str(
                        "this kernel does not have what the flags ask for, or its module is not loaded (connections \
                         need nf_conntrack_netlink)",
                    ),
                }
            }
            Error::Full => codec::follow::Full.fmt(f),
            Error::Configuration { rule } => f.write_str(rule),
            Error::WorkerGone => f.write_str("the thread that works for this handle has ended"),
            Error::Recording { offset, problem } => {
                write!(f, "recording, byte {offset}: ")?;
                match problem {
                    RecordingProblem::NotARecording => f.write_str("it does not start like a recording"),
                    RecordingProblem::Version { found } => write!(f, "version {found}, expected 1"),
                    RecordingProblem::ByteOrder => f.write_str("it was made on a machine of the other byte order"),
                    RecordingProblem::Cut => f.write_str("it ends in the middle of what starts here"),
                    RecordingProblem::Field { name } => write!(f, "{name} is not one there is"),
                    RecordingProblem::Differs { at } => {
                        write!(f, "what is sent differs from what was sent then, first at its byte {at}")
                    }
                    RecordingProblem::SendsEarly => f.write_str("a datagram is sent where then one was received"),
                    RecordingProblem::ReceivesEarly => f.write_str("a datagram is received where then one was sent"),
                    RecordingProblem::Ended => f.write_str("nothing more was sent or received then"),
                }
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<codec::Error> for Error {
    fn from(error: codec::Error) -> Error {
        Error::Codec(error)
    }
}

/// A kernel's no to a request, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refused {
    /// The kernel's name of the request (`RTM_NEWLINK`), empty where no table has it.
    pub request: &'static str,
    /// What the kernel says.
    pub errno: Errno,
    /// Why, in the kernel's words; empty where it gives no reason.
    pub text: String,
    /// The attribute at fault, or the one that is missing, from the message inwards; empty where the kernel names none.
    pub path: Path,
    /// Whether the attribute that [`path`](Refused::path) ends with is missing, rather than wrong.
    pub missing: bool,
    /// Which of the many entries of one request the kernel refused, where it says so (ipset): its line, as the request
    /// numbered it.
    pub line: Option<u32>,
}

impl Refused {
    pub(crate) fn new(refusal: &Refusal<'_>, request: &'static str, path: Path) -> Refused {
        let text = refusal.text.map(|text| text.to_string()).unwrap_or_default();
        let missing = refusal.offset.is_none() && refusal.missing.is_some();
        Refused { request, errno: refusal.errno, text, path, missing, line: failed_line(refusal) }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.request.is_empty() {
            write!(f, "{} refused: ", self.request)?;
        }
        // The system's words end in "(os error N)"; the kernel's name of the number says more.
        let words = Text(i32::try_from(self.errno.0).unwrap_or(0)).to_string();
        let words = words.split(" (os error").next().unwrap_or_default();
        match (self.errno.name(), NamedRefusal::of(self.errno, None)) {
            (Some(name), _) => write!(f, "{words} (E{name})")?,
            (None, Some(named)) => named.fmt(f)?,
            (None, None) => write!(f, "{words} (error {})", self.errno)?,
        }
        if !self.text.is_empty() {
            write!(f, ": {}", self.text.trim_end_matches('.'))?;
        }
        match (self.path.is_empty(), self.missing) {
            (true, _) => Ok(()),
            (false, false) => write!(f, ", at {}", self.path),
            (false, true) => write!(f, ", {} is missing", self.path),
        }
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> io::Error {
        match error {
            Error::TimedOut => io::Error::new(io::ErrorKind::TimedOut, error),
            Error::Configuration { .. } => io::Error::new(io::ErrorKind::InvalidInput, error),
            Error::Truncated { .. } => io::Error::new(io::ErrorKind::InvalidData, error),
            _ => match error.errno() {
                Some(errno) => io::Error::new(io::Error::from_raw_os_error(errno).kind(), error),
                None => io::Error::other(error),
            },
        }
    }
}

/// An error number in the operating system's words.
struct Text(i32);

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        io::Error::from_raw_os_error(self.0).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_say_what_and_what_to_do() {
        let gone = Error::NoProtocol { protocol: Protocol::NFLOG }.to_string();
        assert!(gone.contains("left the kernel") && gone.contains("NFNL_SUBSYS_ULOG"), "{gone}");
        let absent = Error::NoProtocol { protocol: Protocol::RDMA }.to_string();
        assert!(absent.contains("RDMA") && absent.contains("module"), "{absent}");
        let forbidden = Error::NoRing { part: RingPart::Setup, errno: libc::EPERM };
        assert!(forbidden.is_permission() && forbidden.to_string().contains("io_uring_disabled"));
        assert_eq!(io::Error::from(Error::TimedOut).kind(), io::ErrorKind::TimedOut);
        assert_eq!(io::Error::from(forbidden).kind(), io::ErrorKind::PermissionDenied);
        assert!(size_of::<Error>() <= 48);
    }
}
