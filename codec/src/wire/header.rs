//! The header every message begins with (`struct nlmsghdr`, include/uapi/linux/netlink.h).

use core::fmt;

/// Bytes of a [`MessageHeader`].
pub const MESSAGE_HEADER: usize = size_of::<MessageHeader>();

/// `struct nlmsghdr`: 16 bytes in the byte order of the machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct MessageHeader {
    /// Length of the message in bytes, this header included, padding behind it not.
    pub length: u32,
    /// What the message is; numbers from 16 on mean something else in every protocol.
    pub kind: MessageType,
    /// What is asked, or what kind of reply this is.
    pub flags: Flags,
    /// Chosen by who asks, repeated in the replies; 0 in multicast messages that nobody asked for.
    pub sequence: u32,
    /// The port id of who asked (`nlmsg_pid`); not who sent this: that is the datagram's sender.
    pub port: u32,
}

impl MessageHeader {
    /// The header as it stands in a message.
    #[inline]
    #[must_use]
    pub fn to_bytes(self) -> [u8; MESSAGE_HEADER] {
        let Self { length, kind: MessageType(kind), flags: Flags(flags), sequence, port } = self;
        let ([a, b, c, d], [e, f], [g, h]) = (length.to_ne_bytes(), kind.to_ne_bytes(), flags.to_ne_bytes());
        let ([i, j, k, l], [m, n, o, p]) = (sequence.to_ne_bytes(), port.to_ne_bytes());
        [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p]
    }

    /// The header that comes first, and what is behind it.
    #[inline]
    pub(crate) fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let ([a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p], behind) = bytes.split_first_chunk()?;
        let header = Self {
            length: u32::from_ne_bytes([*a, *b, *c, *d]),
            kind: MessageType(u16::from_ne_bytes([*e, *f])),
            flags: Flags(u16::from_ne_bytes([*g, *h])),
            sequence: u32::from_ne_bytes([*i, *j, *k, *l]),
            port: u32::from_ne_bytes([*m, *n, *o, *p]),
        };
        Some((header, behind))
    }
}

/// The type of a message (`nlmsg_type`).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageType(pub u16);

impl MessageType {
    /// Nothing; to be ignored (`NLMSG_NOOP`).
    pub const NOOP: Self = Self(1);
    /// A refusal, or with error 0 an acknowledgement (`NLMSG_ERROR`).
    pub const ERROR: Self = Self(2);
    /// The end of a dump (`NLMSG_DONE`).
    pub const DONE: Self = Self(3);
    /// Data lost (`NLMSG_OVERRUN`).
    pub const OVERRUN: Self = Self(4);
    /// The first number that a protocol gives a meaning (`NLMSG_MIN_TYPE`).
    pub const FIRST: Self = Self(16);

    /// The kernel's name of a control message.
    #[must_use]
    pub const fn control_name(self) -> Option<&'static str> {
        match self {
            Self::NOOP => Some("NLMSG_NOOP"),
            Self::ERROR => Some("NLMSG_ERROR"),
            Self::DONE => Some("NLMSG_DONE"),
            Self::OVERRUN => Some("NLMSG_OVERRUN"),
            _ => None,
        }
    }
}

impl fmt::Debug for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.control_name() {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.0),
        }
    }
}

/// The flags of a message (`nlmsg_flags`). Bits from 0x100 on mean different things by what is asked: see the
/// constants.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Flags(pub u16);

impl Flags {
    /// No flag.
    pub const NONE: Self = Self(0);
    /// A request (`NLM_F_REQUEST`).
    pub const REQUEST: Self = Self(0x1);
    /// One of several messages, ended by `NLMSG_DONE` (`NLM_F_MULTI`).
    pub const MULTI: Self = Self(0x2);
    /// Answer with `NLMSG_ERROR`, code 0 on success (`NLM_F_ACK`).
    pub const ACK: Self = Self(0x4);
    /// Send the resulting notification to the asker as well (`NLM_F_ECHO`).
    pub const ECHO: Self = Self(0x8);
    /// The dump changed while it ran (`NLM_F_DUMP_INTR`).
    pub const DUMP_INTERRUPTED: Self = Self(0x10);
    /// The kernel filtered the dump as asked (`NLM_F_DUMP_FILTERED`).
    pub const DUMP_FILTERED: Self = Self(0x20);

    /// On a get: the tree's root (`NLM_F_ROOT`).
    pub const ROOT: Self = Self(0x100);
    /// On a get: all that match (`NLM_F_MATCH`).
    pub const MATCH: Self = Self(0x200);
    /// On a get: atomic (`NLM_F_ATOMIC`).
    pub const ATOMIC: Self = Self(0x400);
    /// On a get: everything (`NLM_F_DUMP`, the two bits `ROOT` and `MATCH`).
    pub const DUMP: Self = Self(0x300);

    /// On a new: replace what is there (`NLM_F_REPLACE`).
    pub const REPLACE: Self = Self(0x100);
    /// On a new: fail if it is there (`NLM_F_EXCL`).
    pub const EXCLUSIVE: Self = Self(0x200);
    /// On a new: make it if it is not there (`NLM_F_CREATE`).
    pub const CREATE: Self = Self(0x400);
    /// On a new: add to the end of the list (`NLM_F_APPEND`).
    pub const APPEND: Self = Self(0x800);

    /// On a delete: only this, not what is below it (`NLM_F_NONREC`).
    pub const NON_RECURSIVE: Self = Self(0x100);
    /// On a delete: all that match (`NLM_F_BULK`).
    pub const BULK: Self = Self(0x200);

    /// On a reply with an error: the request is not repeated whole (`NLM_F_CAPPED`).
    pub const CAPPED: Self = Self(0x100);
    /// On a reply with an error: extended-ack attributes follow (`NLM_F_ACK_TLVS`).
    pub const ACK_TLVS: Self = Self(0x200);

    /// Whether all bits of `other` are set.
    #[inline]
    #[must_use]
    pub const fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// The bits of both.
    #[inline]
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl core::ops::BitOr for Flags {
    type Output = Self;
    #[inline]
    fn bitor(self, other: Self) -> Self {
        self.union(other)
    }
}

impl fmt::Debug for Flags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}", self.0)
    }
}
