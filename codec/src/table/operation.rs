//! Messages: what a type number means, which header and attributes it carries, what answers it.

use core::marker::PhantomData;

use super::{AttributeWriter, Attributes, Layout, Record, Space, Table};
use crate::wire::{
    Error, ErrorKind, Flags, MESSAGE_HEADER, Message, MessageHeader, MessageType, Payload, Writer, align, place, short,
};

/// What a message carries behind its header: a fixed header of the family, then attributes. A pair
/// `(RouteHeader, Route)` is one.
pub trait Format {
    /// The fixed header; `()` for none.
    type Header: Record;
    /// The attributes' space.
    type Space: Table;
}

impl<H: Record, S: Table> Format for (H, S) {
    type Header = H;
    type Space = S;
}

/// A message type with the format `Q` of the message and, where it is a question, the format `A` of the answers.
/// Rows of [`operations!`](crate::operations) make them.
pub struct Operation<Q, A = Q> {
    /// The message's type.
    pub kind: MessageType,
    /// The type of the answers; for what is no question, the same as `kind`.
    pub answer: MessageType,
    /// Flags beyond `NLM_F_REQUEST`.
    pub flags: Flags,
    /// The kernel's full name (`RTM_NEWLINK`); empty where none was said.
    pub name: &'static str,
    formats: PhantomData<fn() -> (Q, A)>,
}

impl<Q, A> Clone for Operation<Q, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q, A> Copy for Operation<Q, A> {}

impl<Q, A> core::fmt::Debug for Operation<Q, A> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.name {
            "" => write!(f, "Operation({:?}, flags {:?})", self.kind, self.flags),
            name => write!(f, "Operation({name}, flags {:?})", self.flags),
        }
    }
}

impl<Q, A> Operation<Q, A> {
    /// A message of type `kind` that is answered by messages of type `answer`.
    #[must_use]
    pub const fn new(kind: u16, answer: u16) -> Self {
        Self {
            kind: MessageType(kind),
            answer: MessageType(answer),
            flags: Flags::NONE,
            name: "",
            formats: PhantomData,
        }
    }

    /// The same with the kernel's name, for errors to say.
    #[must_use]
    pub const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// The same with more flags.
    #[must_use]
    pub const fn with(self, flags: Flags) -> Self {
        Self { flags: self.flags.union(flags), ..self }
    }

    /// Make it if it is not there (`NLM_F_CREATE`).
    #[must_use]
    pub const fn create(self) -> Self {
        self.with(Flags::CREATE)
    }

    /// Fail if it is there (`NLM_F_EXCL`).
    #[must_use]
    pub const fn exclusive(self) -> Self {
        self.with(Flags::EXCLUSIVE)
    }

    /// Replace what is there (`NLM_F_REPLACE`).
    #[must_use]
    pub const fn replace(self) -> Self {
        self.with(Flags::REPLACE)
    }

    /// Add to the end of the list (`NLM_F_APPEND`).
    #[must_use]
    pub const fn append(self) -> Self {
        self.with(Flags::APPEND)
    }
}

impl<Q: Format, A> Operation<Q, A> {
    /// Writes a request into `buffer` and returns its bytes, without the padding that another message would need.
    /// Sequence and port are zero: [`Exchange`](crate::exchange::Exchange) sets them.
    ///
    /// # Errors
    ///
    /// If the buffer is too small (the error says the size that would have been enough) or an attribute is longer
    /// than 65,531 bytes.
    ///
    /// ```
    /// use ringlink_codec::route::{Link, LinkHeader, Rtm};
    ///
    /// let mut buffer = [0; 64];
    /// let bytes = Rtm::GETLINK.write(&mut buffer, LinkHeader::default(), |link| link.put(Link::IFNAME, "lo"))?;
    /// assert_eq!(bytes.len(), 40);
    /// # Ok::<(), ringlink_codec::Error>(())
    /// ```
    pub fn write<'b>(
        self,
        buffer: &'b mut [u8],
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, 'b, Q::Space>),
    ) -> Result<&'b mut [u8], Error> {
        let mut writer = Writer::new(buffer);
        self.encode(&mut writer, MessageHeader { flags: Flags::REQUEST, ..MessageHeader::default() }, header, fill);
        writer.finish()
    }

    /// Appends a message. Of `message`, the length and the type are filled in, this operation's flags are added; so
    /// replies can be written too. Errors stay with the writer.
    pub fn encode<'b>(
        self,
        writer: &mut Writer<'b>,
        message: MessageHeader,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, 'b, Q::Space>),
    ) {
        let start = open(writer, self.kind, self.flags, message);
        header.write(writer);
        // A header of one byte (`rtgenmsg`) is padded before the attributes.
        writer.pad();
        fill(&mut AttributeWriter::new(writer));
        close(writer, start);
    }
}

/// Begins a message; returns its place, for [`close`].
pub(crate) fn open(writer: &mut Writer<'_>, kind: MessageType, flags: Flags, message: MessageHeader) -> usize {
    writer.pad();
    let start = writer.length();
    writer.array(MessageHeader { kind, flags: message.flags | flags, ..message }.to_bytes());
    start
}

/// Fills in the length of the message begun at `start`.
pub(crate) fn close(writer: &mut Writer<'_>, start: usize) {
    let length = writer.length().saturating_sub(start);
    writer.patch(start, short(length).to_ne_bytes());
}

/// A message taken apart: the fixed header by copy, the attributes not decoded.
pub struct Body<'a, F: Format> {
    /// The message's header.
    pub message: MessageHeader,
    /// The fixed header.
    pub header: F::Header,
    /// The attributes.
    pub attributes: Attributes<'a, F::Space>,
}

impl<F: Format> Clone for Body<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F: Format> Copy for Body<'_, F> {}

impl<F: Format<Header: core::fmt::Debug>> core::fmt::Debug for Body<'_, F> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Body").field("header", &self.header).field("attributes", &self.attributes).finish()
    }
}

impl<'a, F: Format> Body<'a, F> {
    /// Takes a message apart, whatever its type.
    #[inline]
    #[must_use]
    pub fn of(message: Message<'a>) -> Self {
        let start = align(F::Header::LAYOUT.length(message.payload));
        let bytes = message.payload.get(start..).unwrap_or_default();
        let payload = Payload { bytes, offset: place(start.wrapping_add(MESSAGE_HEADER)) };
        Self {
            message: message.header,
            header: F::Header::from_bytes(message.payload),
            attributes: Attributes::new(payload),
        }
    }
}

impl<'a> Message<'a> {
    /// Takes a message of this operation apart.
    ///
    /// # Errors
    ///
    /// If the message is of another type.
    #[inline]
    pub fn body<Q: Format, A>(self, operation: Operation<Q, A>) -> Result<Body<'a, Q>, Error> {
        if self.header.kind != operation.kind {
            let kind = ErrorKind::MessageType { found: self.header.kind.0, expected: operation.kind.0 };
            return Err(Error::new(kind, 4));
        }
        Ok(Body::of(self))
    }

    /// Takes an answer to this operation apart.
    ///
    /// # Errors
    ///
    /// If the message is of another type than the answers are.
    #[inline]
    pub fn answer<Q, A: Format>(self, operation: Operation<Q, A>) -> Result<Body<'a, A>, Error> {
        if self.header.kind != operation.answer {
            let kind = ErrorKind::MessageType { found: self.header.kind.0, expected: operation.answer.0 };
            return Err(Error::new(kind, 4));
        }
        Ok(Body::of(self))
    }
}

/// The messages of a protocol or family, as data.
#[derive(Debug)]
pub struct Operations {
    /// Name of the Rust type (`Rtm`).
    pub name: &'static str,
    /// What the kernel's names begin with (`RTM_`).
    pub prefix: &'static str,
    /// What the rows' numbers are counted from: a message's type is the sum of both.
    pub first: u16,
    /// The messages, by ascending number.
    pub rows: &'static [OperationRow],
}

/// One message of a protocol or family.
#[derive(Debug)]
pub struct OperationRow {
    /// Its number, counted from its table's [`first`](Operations::first).
    pub number: u16,
    /// The kernel's full name (`RTM_NEWLINK`).
    pub name: &'static str,
    /// What it asks or tells.
    pub verb: Verb,
    /// The fixed header.
    pub header: &'static Layout,
    /// The attributes' space.
    pub space: fn() -> &'static Space,
}

impl Operations {
    /// The row of this type of message.
    #[must_use]
    pub fn row(&self, kind: u16) -> Option<&'static OperationRow> {
        let number = kind.checked_sub(self.first)?;
        let at = self.rows.binary_search_by_key(&number, |row| row.number).ok()?;
        self.rows.get(at)
    }
}

/// What a message asks or tells: the meaning of its flags from 0x100 on hangs on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verb {
    /// Tell me.
    Get,
    /// Make, change, or: this is there.
    New,
    /// Change.
    Set,
    /// Take away, or: this is gone.
    Delete,
    /// Do something else.
    Act,
}
