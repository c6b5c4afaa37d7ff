//! What a kernel says at the end of a request: [`End`] and [`Refusal`].
//!
//! A refusal is no decode error: errno and extended ack travel in a type of their own, and a malformed extended ack
//! never hides the errno.

use core::fmt;

use crate::netfilter::ipset::NamedRefusal;
use crate::table::{AlternativeRow, Attributes, By, Bytes, ChoiceTable, Key, Nest, Shape, Space, Str, Text};
use crate::wire::{
    ATTRIBUTE_HEADER, Error, ErrorKind, Flags, MESSAGE_HEADER, Message, MessageHeader, Payload, RawAttribute,
    RawAttributes, align, short, split_errno,
};

crate::space! {
    /// Attributes of an extended ack (`enum nlmsgerr_attrs`, include/uapi/linux/netlink.h).
    pub ExtendedAck, "NLMSGERR_ATTR_" {
        /// What went wrong, or a warning, in words.
        MSG: Str = 1,
        /// Where in the request the attribute at fault starts, in bytes from the request's header.
        OFFS: u32 = 2,
        /// An opaque value of the family.
        COOKIE: Bytes = 3,
        /// What the attribute at fault must be like.
        POLICY: Nest<PolicyType> = 4,
        /// The number of an attribute that is missing.
        MISS_TYPE: u32 = 5,
        /// Where in the request the nest starts that lacks it, in bytes from the request's header; absent where it is
        /// the message itself.
        MISS_NEST: u32 = 6,
    }
}

crate::space! {
    /// What an attribute must be like (`enum netlink_policy_type_attr`, include/uapi/linux/netlink.h).
    pub PolicyType, "NL_POLICY_TYPE_ATTR_" {
        /// What it holds.
        TYPE: AttributeType = 1,
        /// Least value, signed.
        MIN_VALUE_S: i64 = 2,
        /// Greatest value, signed.
        MAX_VALUE_S: i64 = 3,
        /// Least value, unsigned.
        MIN_VALUE_U: u64 = 4,
        /// Greatest value, unsigned.
        MAX_VALUE_U: u64 = 5,
        /// Least length, in bytes.
        MIN_LENGTH: u32 = 6,
        /// Greatest length, in bytes.
        MAX_LENGTH: u32 = 7,
        /// Of a nest: the index of the policy of what is in it.
        POLICY_IDX: u32 = 8,
        /// Of a nest: the greatest attribute number in it.
        POLICY_MAXTYPE: u32 = 9,
        /// Of a bitfield32: the valid bits.
        BITFIELD32_MASK: u32 = 10,
        /// Padding.
        PAD: crate::table::Pad = 11,
        /// The valid bits.
        MASK: u64 = 12,
    }
}

crate::values! {
    /// What an attribute holds, as the kernel tells it (`enum netlink_attribute_type`).
    pub AttributeType(u32), "NL_ATTR_TYPE_" {
        INVALID = 0,
        FLAG = 1,
        U8 = 2,
        U16 = 3,
        U32 = 4,
        U64 = 5,
        S8 = 6,
        S16 = 7,
        S32 = 8,
        S64 = 9,
        BINARY = 10,
        STRING = 11,
        NUL_STRING = 12,
        NESTED = 13,
        NESTED_ARRAY = 14,
        BITFIELD32 = 15,
        SINT = 16,
        UINT = 17,
    }
}

/// How a dump or request ended: all that a caller must know before trusting what it got.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct End {
    /// What was dumped changed meanwhile (`NLM_F_DUMP_INTR`): some of it may be missing or twice. Few families ever
    /// say so.
    pub interrupted: bool,
    /// The kernel says that it filtered as asked (`NLM_F_DUMP_FILTERED`); without it, it may or may not have.
    pub filtered: bool,
    /// Data was lost on the way: the kernel said so (`NLMSG_OVERRUN`), or a datagram did not fit its buffer.
    pub truncated: bool,
    /// Messages of the dump that were left out, because they were not of the type asked for or could not be read.
    pub skipped: u32,
}

impl End {
    /// Whether nothing says that something is missing. Whether the family can say so is another matter: routes,
    /// neighbours and rules cannot.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        !self.interrupted && !self.truncated && self.skipped == 0
    }

    /// Both together: once for each flag that either has.
    #[must_use]
    pub const fn merge(self, other: Self) -> Self {
        Self {
            interrupted: self.interrupted || other.interrupted,
            filtered: self.filtered || other.filtered,
            truncated: self.truncated || other.truncated,
            skipped: self.skipped.saturating_add(other.skipped),
        }
    }
}

/// A kernel's no: the errno, and what the extended ack says.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Refusal<'a> {
    /// What the kernel says; never zero.
    pub errno: Errno,
    /// Why, in the kernel's words.
    pub text: Option<Text<'a>>,
    /// Where in the request the attribute at fault starts, in bytes from the request's header.
    pub offset: Option<u32>,
    /// The number of an attribute that the request lacks.
    pub missing: Option<u32>,
    /// Where in the request the nest starts that lacks it; `None` for the message itself.
    pub missing_in: Option<u32>,
    /// An opaque value of the family.
    pub cookie: Option<&'a [u8]>,
    /// What is repeated of the request, where that is more than its header: ipset writes into it which of many entries it
    /// refuses.
    pub echo: Option<Message<'a>>,
    /// The attributes of the policy that the attribute at fault violates.
    policy: Option<&'a [u8]>,
}

/// What an error or done message says: errno (zero for none) and extended ack.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Verdict<'a> {
    pub(crate) errno: i32,
    pub(crate) refusal: Refusal<'a>,
}

impl<'a> Refusal<'a> {
    /// A refusal with this error number, to be written by [`Answers::refuse`](crate::answer::Answers::refuse).
    #[must_use]
    pub const fn new(errno: Errno) -> Self {
        Self {
            errno,
            text: None,
            offset: None,
            missing: None,
            missing_in: None,
            cookie: None,
            echo: None,
            policy: None,
        }
    }

    /// The same with a reason.
    #[must_use]
    pub const fn saying(self, text: &'a str) -> Self {
        Self { text: Some(Text::new(text)), ..self }
    }

    /// The same, pointing at an attribute: [`Attributes::place`] says where it starts.
    #[must_use]
    pub fn at(self, place: impl Into<Option<u32>>) -> Self {
        Self { offset: place.into(), ..self }
    }

    /// The same for an attribute that is missing from the message itself.
    #[must_use]
    pub fn lacking<S, V>(self, key: Key<S, V>) -> Self {
        Self { missing: Some(u32::from(key.number())), missing_in: None, ..self }
    }

    /// The same for an attribute that is missing from a nest: [`Attributes::place`] says where that starts.
    #[must_use]
    pub fn lacking_in<S, V>(self, nest: impl Into<Option<u32>>, key: Key<S, V>) -> Self {
        Self { missing_in: nest.into(), ..self.lacking(key) }
    }

    /// The same with something opaque of the family's.
    #[must_use]
    pub const fn with_cookie(self, cookie: &'a [u8]) -> Self {
        Self { cookie: Some(cookie), ..self }
    }

    /// Whether there is nothing in it but the number.
    pub(crate) fn is_bare(&self) -> bool {
        Self { echo: None, ..*self } == Self::new(self.errno)
    }

    /// The number as messages carry it.
    pub(crate) fn code(&self) -> i32 {
        i32::try_from(self.errno.0).unwrap_or(i32::MAX).wrapping_neg()
    }

    /// Reads an `NLMSG_ERROR` message: `None` if it is an acknowledgement, or too short to say anything.
    #[must_use]
    pub fn of_error(message: Message<'a>) -> Option<Self> {
        let verdict = Verdict::of_error(message)?;
        (verdict.errno != 0).then_some(verdict.refusal)
    }

    /// What the attribute at fault must be like.
    #[must_use]
    pub fn policy(&self) -> Option<Attributes<'a, PolicyType>> {
        self.policy.map(|bytes| Attributes::new(Payload { bytes, offset: 0 }))
    }

    /// The attribute at fault, or the one that is missing, as a path of names through `request`, which is the message
    /// that was refused.
    ///
    /// `root` and `header` are the request's space and the size of its fixed header: those of the operation's row.
    #[must_use]
    pub fn path(&self, request: Message<'_>, root: &'static Space, header: usize) -> Path {
        let mut path = Path::default();
        let attributes = request.raw_attributes(header);
        let space = match self.offset.or(self.missing_in) {
            Some(offset) => path.walk(Walk { space: root, attributes, header: request.payload }, offset),
            None => Some(root),
        };
        if let (None, Some(missing), Some(space)) = (self.offset, self.missing, space) {
            let number = u16::try_from(missing).unwrap_or(u16::MAX);
            path.push(number, space.row(number).map_or("", |row| row.name));
        }
        path
    }
}

impl<'a> Verdict<'a> {
    pub(crate) fn of_error(message: Message<'a>) -> Option<Self> {
        let (errno, behind) = split_errno(message.payload)?;
        let (echo, _) = MessageHeader::split(behind)?;
        let flags = message.header.flags;
        let echoed = match flags.contains(Flags::CAPPED) {
            true => MESSAGE_HEADER,
            false => usize::try_from(echo.length).unwrap_or(usize::MAX),
        };
        let attributes = match flags.contains(Flags::ACK_TLVS) {
            true => behind.get(align(echoed)..).unwrap_or_default(),
            false => &[],
        };
        let mut verdict = Self::new(errno, attributes);
        if echoed > MESSAGE_HEADER {
            verdict.refusal.echo = behind.get(MESSAGE_HEADER..echoed).map(|payload| Message { header: echo, payload });
        }
        Some(verdict)
    }

    /// An `NLMSG_DONE` message; an empty one says nothing, which is good news.
    pub(crate) fn of_done(message: Message<'a>) -> Self {
        match split_errno(message.payload) {
            Some((errno, attributes)) if message.header.flags.contains(Flags::ACK_TLVS) => Self::new(errno, attributes),
            Some((errno, _)) => Self::new(errno, &[]),
            None => Self::new(0, &[]),
        }
    }

    /// Takes from the attributes what can be read; the rest is not worth an error, for it would hide the errno.
    fn new(errno: i32, bytes: &'a [u8]) -> Self {
        let attributes = Attributes::<ExtendedAck>::new(Payload { bytes, offset: 0 });
        let mut refusal = Refusal { errno: Errno(errno.unsigned_abs()), ..Refusal::default() };
        for raw in attributes.raw().map_while(Result::ok) {
            let number = || <[u8; 4]>::try_from(raw.payload.bytes).ok().map(u32::from_ne_bytes);
            match raw.number() {
                1 => refusal.text = Some(Text::until_nul(raw.payload.bytes)),
                2 => refusal.offset = number(),
                3 => refusal.cookie = Some(raw.payload.bytes),
                4 => refusal.policy = Some(raw.payload.bytes),
                5 => refusal.missing = number(),
                6 => refusal.missing_in = number(),
                _ => {}
            }
        }
        Self { errno, refusal }
    }
}

/// How a server refuses what it cannot read: with the words that kernels have for it, and the attribute's place.
impl From<Error> for Refusal<'_> {
    fn from(error: Error) -> Self {
        let (errno, text) = match error.kind {
            ErrorKind::PayloadLength { .. } | ErrorKind::RecordLength { .. } => {
                (Errno::INVAL, "invalid attribute length")
            }
            ErrorKind::AttributeTruncated { .. } | ErrorKind::AttributeLength { .. } => {
                (Errno::INVAL, "malformed attributes")
            }
            ErrorKind::MessageType { .. } => (Errno::OPNOTSUPP, "unknown message type"),
            ErrorKind::Full { .. } | ErrorKind::TooLong { .. } => (Errno::MSGSIZE, "the answer is too long"),
            _ => (Errno::INVAL, "malformed message"),
        };
        // A payload is pointed at by its attribute.
        let place = match error.kind {
            ErrorKind::PayloadLength { .. } if error.attribute != 0 => {
                Some(error.offset.saturating_sub(short(ATTRIBUTE_HEADER)))
            }
            ErrorKind::RecordLength { .. }
            | ErrorKind::AttributeTruncated { .. }
            | ErrorKind::AttributeLength { .. } => Some(error.offset),
            _ => None,
        };
        Self::new(errno).saying(text).at(place)
    }
}

impl fmt::Display for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NamedRefusal::of(self.errno, None) {
            Some(named) => named.fmt(f)?,
            None => self.errno.fmt(f)?,
        }
        match self.text {
            Some(text) => write!(f, ": {text}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Refusal<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Refusal({self}")?;
        if let Some(offset) = self.offset {
            write!(f, ", offset {offset}")?;
        }
        if let Some(missing) = self.missing {
            write!(f, ", missing {missing}")?;
        }
        f.write_str(")")
    }
}

/// How deep a path or a printed message goes.
pub(crate) const DEPTH: usize = 16;

/// The names of nested attributes, from the message inwards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    steps: heapless::Vec<(u16, &'static str), DEPTH>,
    item: Option<usize>,
}

/// Attributes to look into: their space, and the fixed header that may choose among payloads.
#[derive(Clone, Copy)]
struct Walk<'a> {
    space: &'static Space,
    attributes: RawAttributes<'a>,
    header: &'a [u8],
}

impl Path {
    /// The steps: each attribute's number, and its full kernel name or nothing where no table has it.
    #[must_use]
    pub fn steps(&self) -> &[(u16, &'static str)] {
        &self.steps
    }

    /// Where the path goes through a list, or through an attribute that stands several times: which of them, counted from 0;
    /// the innermost counts.
    #[must_use]
    pub const fn item(&self) -> Option<usize> {
        self.item
    }

    /// Whether it names nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    fn push(&mut self, number: u16, name: &'static str) {
        // A deeper path than there is room for ends where the room ends.
        let _ = self.steps.push((number, name));
    }

    /// Goes to the attribute whose header starts at `offset`; returns the space of what is in it. It calls itself nowhere: the
    /// depth of what comes in takes no stack.
    fn walk(&mut self, mut walk: Walk<'_>, offset: u32) -> Option<&'static Space> {
        for _ in 0..DEPTH {
            let raw = walk.attributes.map_while(Result::ok).find(|raw| {
                let start = raw.payload.offset.saturating_sub(4);
                let end = raw.payload.offset.saturating_add(short(raw.payload.bytes.len()));
                offset >= start && offset < end.max(raw.payload.offset)
            })?;
            let row = walk.space.row(raw.number());
            self.push(raw.number(), row.map_or("", |row| row.name));
            let shape = row.map(|row| row.shape)?;
            if matches!(shape, Shape::Many(_)) {
                let same = walk.attributes.map_while(Result::ok).filter(|other| other.number() == raw.number());
                self.item = Some(same.take_while(|other| other.payload.offset < raw.payload.offset).count());
            }
            let (inside, start) = self.enter(shape, raw.payload, walk, offset)?;
            if offset < start {
                return Some(inside.space);
            }
            walk = inside;
        }
        None
    }

    /// The attributes inside a payload that have `offset`, and where the payload starts that they are in.
    fn enter<'a>(
        &mut self,
        mut shape: Shape,
        mut payload: Payload<'a>,
        walk: Walk<'a>,
        offset: u32,
    ) -> Option<(Walk<'a>, u32)> {
        loop {
            let at = |bytes: usize| {
                let inside = payload.bytes.get(align(bytes)..).unwrap_or_default();
                RawAttributes::new(inside, payload.offset.saturating_add(short(align(bytes))))
            };
            let (space, attributes, header) = match shape {
                Shape::Nest(space) => (space(), at(0), walk.header),
                Shape::Headed(layout, space) => (space(), at(layout.size), payload.bytes),
                Shape::Many(of) => {
                    shape = *of;
                    continue;
                }
                Shape::Choice(table) => {
                    shape = choose(table(), walk.space, walk.attributes, walk.header)?.shape;
                    continue;
                }
                Shape::Indexed(of) => {
                    if offset < payload.offset {
                        return None;
                    }
                    let end = |item: RawAttribute<'_>| {
                        item.payload.offset.saturating_add(short(align(item.payload.bytes.len())))
                    };
                    let mut items = at(0).map_while(Result::ok).enumerate();
                    let (place, item) = items.find(|(_, item)| offset < end(*item))?;
                    self.item = Some(place);
                    (shape, payload) = (*of, item.payload);
                    continue;
                }
                Shape::Records(layout, space) => {
                    let mut rest = payload;
                    loop {
                        let (record, behind) = crate::table::split_record(rest, layout.size).ok()?;
                        if offset < behind.offset {
                            let inside = record.bytes.get(align(layout.size)..).unwrap_or_default();
                            let start = record.offset.saturating_add(short(align(layout.size)));
                            break (space(), RawAttributes::new(inside, start), walk.header);
                        }
                        rest = behind;
                    }
                }
                _ => return None,
            };
            return Some((Walk { space, attributes, header }, payload.offset));
        }
    }
}

/// The payload that a choice means among these attributes, under this fixed header.
pub(crate) fn choose(
    table: &'static ChoiceTable,
    space: &'static Space,
    attributes: RawAttributes<'_>,
    header: &[u8],
) -> Option<&'static AlternativeRow> {
    match table.by {
        By::Sibling(sibling) => {
            let selected = crate::table::sibling_value(space, attributes, sibling).ok().flatten()?;
            table.select(selected)
        }
        By::Header(at) => {
            let byte = header.get(usize::from(at))?;
            table.select(crate::table::Selected::Number(u64::from(*byte)))
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (number, name) in &self.steps {
            match *name {
                "" => write!(f, "{separator}{number}")?,
                name => write!(f, "{separator}{name}")?,
            }
            separator = ".";
        }
        Ok(())
    }
}

crate::values! {
    /// An error number, positive (include/uapi/asm-generic/errno-base.h, errno.h; ipset has its own from 4096 on).
    ///
    /// Predicates say what it means for who asked. The numbers are those of x86, ARM, RISC-V, PowerPC and s390.
    pub Errno(u32), "E" {
        PERM = 1,
        NOENT = 2,
        SRCH = 3,
        INTR = 4,
        IO = 5,
        NXIO = 6,
        NOEXEC = 8,
        BADF = 9,
        CHILD = 10,
        AGAIN = 11,
        NOMEM = 12,
        ACCES = 13,
        FAULT = 14,
        NOTBLK = 15,
        BUSY = 16,
        EXIST = 17,
        XDEV = 18,
        NODEV = 19,
        NOTDIR = 20,
        ISDIR = 21,
        INVAL = 22,
        NFILE = 23,
        MFILE = 24,
        NOTTY = 25,
        TXTBSY = 26,
        FBIG = 27,
        NOSPC = 28,
        SPIPE = 29,
        ROFS = 30,
        MLINK = 31,
        PIPE = 32,
        DOM = 33,
        RANGE = 34,
        DEADLOCK = 35,
        NAMETOOLONG = 36,
        NOLCK = 37,
        NOSYS = 38,
        NOTEMPTY = 39,
        LOOP = 40,
        NOMSG = 42,
        IDRM = 43,
        CHRNG = 44,
        L2NSYNC = 45,
        L3HLT = 46,
        L3RST = 47,
        LNRNG = 48,
        UNATCH = 49,
        NOCSI = 50,
        L2HLT = 51,
        BADE = 52,
        BADR = 53,
        XFULL = 54,
        NOANO = 55,
        BADRQC = 56,
        BADSLT = 57,
        BFONT = 59,
        NOSTR = 60,
        NODATA = 61,
        TIME = 62,
        NOSR = 63,
        NONET = 64,
        NOPKG = 65,
        REMOTE = 66,
        NOLINK = 67,
        ADV = 68,
        SRMNT = 69,
        COMM = 70,
        PROTO = 71,
        MULTIHOP = 72,
        DOTDOT = 73,
        BADMSG = 74,
        OVERFLOW = 75,
        NOTUNIQ = 76,
        BADFD = 77,
        REMCHG = 78,
        LIBACC = 79,
        LIBBAD = 80,
        LIBSCN = 81,
        LIBMAX = 82,
        LIBEXEC = 83,
        ILSEQ = 84,
        RESTART = 85,
        STRPIPE = 86,
        USERS = 87,
        NOTSOCK = 88,
        DESTADDRREQ = 89,
        MSGSIZE = 90,
        PROTOTYPE = 91,
        NOPROTOOPT = 92,
        PROTONOSUPPORT = 93,
        SOCKTNOSUPPORT = 94,
        OPNOTSUPP = 95,
        PFNOSUPPORT = 96,
        AFNOSUPPORT = 97,
        ADDRINUSE = 98,
        ADDRNOTAVAIL = 99,
        NETDOWN = 100,
        NETUNREACH = 101,
        NETRESET = 102,
        CONNABORTED = 103,
        CONNRESET = 104,
        NOBUFS = 105,
        ISCONN = 106,
        NOTCONN = 107,
        SHUTDOWN = 108,
        TOOMANYREFS = 109,
        TIMEDOUT = 110,
        CONNREFUSED = 111,
        HOSTDOWN = 112,
        HOSTUNREACH = 113,
        ALREADY = 114,
        INPROGRESS = 115,
        STALE = 116,
        UCLEAN = 117,
        NOTNAM = 118,
        NAVAIL = 119,
        ISNAM = 120,
        REMOTEIO = 121,
        DQUOT = 122,
        NOMEDIUM = 123,
        MEDIUMTYPE = 124,
        CANCELED = 125,
        NOKEY = 126,
        KEYEXPIRED = 127,
        KEYREVOKED = 128,
        KEYREJECTED = 129,
        OWNERDEAD = 130,
        NOTRECOVERABLE = 131,
        RFKILL = 132,
        HWPOISON = 133,
        NOTSUPP = 524,
    }
}

impl Errno {
    /// What was named is not there.
    #[must_use]
    pub const fn is_not_found(self) -> bool {
        matches!(self, Self::NOENT | Self::NODEV | Self::SRCH | Self::NXIO | Self::ADDRNOTAVAIL)
    }

    /// What was to be made is there.
    #[must_use]
    pub const fn already_exists(self) -> bool {
        matches!(self, Self::EXIST)
    }

    /// The asker may not.
    #[must_use]
    pub const fn is_permission(self) -> bool {
        matches!(self, Self::PERM | Self::ACCES)
    }

    /// This kernel cannot, perhaps for want of a module.
    #[must_use]
    pub const fn is_unsupported(self) -> bool {
        matches!(self, Self::OPNOTSUPP | Self::PROTONOSUPPORT | Self::AFNOSUPPORT | Self::PFNOSUPPORT | Self::NOTSUPP)
    }

    /// Something else is under way; later it may work.
    #[must_use]
    pub const fn is_busy(self) -> bool {
        matches!(self, Self::BUSY | Self::AGAIN)
    }

    /// The kernel does not understand the request, or not this part of it.
    #[must_use]
    pub const fn is_invalid(self) -> bool {
        matches!(self, Self::INVAL | Self::RANGE)
    }
}
