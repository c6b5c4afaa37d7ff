//! Writing attributes by their keys: mirrors the reading, word for word.

use core::fmt;
use core::marker::PhantomData;

use super::arrays::Nesting;
use super::{
    Alternative, Choice, Choices, Encode, Format, Headed, Indexed, Key, Many, Nest, Operation, Record, Records, Table,
    Value,
};
use crate::wire::{
    Counted, Error, ErrorKind, Flags, Message, MessageHeader, Messages, RawAttribute, Writer, align, copy, short,
};

/// Writes the attributes of one nest or one message, of the space `S`.
///
/// Nothing here fails: the first error stays with the writer and comes back once, when the message is finished.
#[derive(Debug)]
pub struct AttributeWriter<'w, 'b, S> {
    writer: &'w mut Writer<'b>,
    space: PhantomData<fn() -> S>,
}

impl<'w, 'b, S> AttributeWriter<'w, 'b, S> {
    /// Writes attributes of `S` with this writer.
    #[inline]
    pub fn new(writer: &'w mut Writer<'b>) -> Self {
        Self { writer, space: PhantomData }
    }

    /// Writes an attribute.
    #[inline]
    pub fn put<V: Value>(&mut self, key: Key<S, V>, value: impl Encode<V>) {
        let start = self.writer.open(key.number() | V::FLAGS);
        value.encode(self.writer);
        self.writer.close(start);
    }

    /// Writes one occurrence of an attribute that may stand several times.
    #[inline]
    pub fn add<V: Value>(&mut self, key: Key<S, Many<V>>, value: impl Encode<V>) {
        self.put(Key::<S, V>::new(key.number()), value);
    }

    /// Writes an attribute if there is a value.
    #[inline]
    pub fn put_some<V: Value>(&mut self, key: Key<S, V>, value: Option<impl Encode<V>>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    /// Writes an attribute as bytes, flags of its type included: for payloads that no table knows.
    pub fn put_raw(&mut self, kind: u16, payload: &[u8]) {
        self.writer.attribute(kind, payload);
    }

    /// Writes what stands between a message's fixed header and its attributes, for the few headers that count it
    /// ([`Layout::tail`](super::Layout)). To be called before attributes are written.
    pub fn tail(&mut self, bytes: &[u8]) {
        self.writer.bytes(bytes);
        self.writer.pad();
    }

    /// Writes a nest; the closure writes what is in it.
    #[inline]
    pub fn nest<V: Nesting>(&mut self, key: Key<S, V>, fill: impl FnOnce(&mut AttributeWriter<'_, 'b, V::Space>)) {
        self.nest_as(key.number() | V::FLAGS, fill);
    }

    /// Writes a nest that something else chooses. What chooses it is written by its own key.
    #[inline]
    pub fn choose<C, T>(&mut self, key: Key<S, Choice<C>>, nest: T, fill: impl FnOnce(&mut AttributeWriter<'_, 'b, T>))
    where
        C: Choices,
        T: Table,
        Nest<T>: Alternative<C>,
    {
        let _ = nest;
        self.nest_as(key.number() | RawAttribute::NESTED, fill);
    }

    /// Writes a payload that something else chooses.
    #[inline]
    pub fn put_chosen<C, V>(&mut self, key: Key<S, Choice<C>>, value: impl Encode<V>)
    where
        C: Choices,
        V: Alternative<C>,
    {
        let start = self.writer.open(key.number() | V::FLAGS);
        value.encode(self.writer);
        self.writer.close(start);
    }

    /// Writes a struct and the attributes behind it.
    #[inline]
    pub fn headed<H: Record, T: Table>(
        &mut self,
        key: Key<S, Headed<H, T>>,
        header: H,
        fill: impl FnOnce(&mut AttributeWriter<'_, 'b, T>),
    ) {
        self.headed_as(key.number() | RawAttribute::NESTED, header, fill);
    }

    /// Writes a struct and the attributes behind it, where something else chooses them.
    #[inline]
    pub fn choose_headed<C, H, T>(
        &mut self,
        key: Key<S, Choice<C>>,
        header: H,
        nest: T,
        fill: impl FnOnce(&mut AttributeWriter<'_, 'b, T>),
    ) where
        C: Choices,
        H: Record,
        T: Table,
        Headed<H, T>: Alternative<C>,
    {
        let _ = nest;
        self.headed_as(key.number() | RawAttribute::NESTED, header, fill);
    }

    /// Writes a list of structs with attributes; the closure adds them.
    #[inline]
    pub fn records<H: Record, T: Table>(
        &mut self,
        key: Key<S, Records<H, T>>,
        fill: impl FnOnce(&mut RecordsWriter<'_, 'b, H, T>),
    ) {
        let start = self.writer.open(key.number());
        fill(&mut RecordsWriter { writer: self.writer, types: PhantomData });
        self.writer.close(start);
    }

    /// Writes a list whose items have numbers for names; the closure adds them.
    #[inline]
    pub fn indexed<V: Value>(&mut self, key: Key<S, Indexed<V>>, fill: impl FnOnce(&mut IndexedWriter<'_, 'b, V>)) {
        let start = self.writer.open(key.number() | RawAttribute::NESTED);
        fill(&mut IndexedWriter { writer: self.writer, value: PhantomData });
        self.writer.close(start);
    }

    #[inline]
    fn headed_as<H: Record, T: Table>(
        &mut self,
        kind: u16,
        header: H,
        fill: impl FnOnce(&mut AttributeWriter<'_, 'b, T>),
    ) {
        let start = self.writer.open(kind);
        header.write(self.writer);
        self.writer.pad();
        fill(&mut AttributeWriter::new(self.writer));
        self.writer.close(start);
    }

    #[inline]
    fn nest_as<T>(&mut self, kind: u16, fill: impl FnOnce(&mut AttributeWriter<'_, 'b, T>)) {
        let start = self.writer.open(kind);
        fill(&mut AttributeWriter::new(self.writer));
        self.writer.close(start);
    }
}

/// Writes the items of an [`Indexed`] payload.
#[derive(Debug)]
pub struct IndexedWriter<'w, 'b, V> {
    writer: &'w mut Writer<'b>,
    value: PhantomData<fn() -> V>,
}

impl<'b, V: Value> IndexedWriter<'_, 'b, V> {
    /// Adds an item.
    pub fn put(&mut self, index: u16, value: impl Encode<V>) {
        let start = self.writer.open(index | V::FLAGS);
        value.encode(self.writer);
        self.writer.close(start);
    }

    /// Adds an item that is a nest; the closure writes what is in it.
    pub fn nest(&mut self, index: u16, fill: impl FnOnce(&mut AttributeWriter<'_, 'b, V::Space>))
    where
        V: Nesting,
    {
        let start = self.writer.open(index | V::FLAGS);
        fill(&mut AttributeWriter::new(self.writer));
        self.writer.close(start);
    }
}

/// Writes the items of a [`Records`] payload.
#[derive(Debug)]
pub struct RecordsWriter<'w, 'b, H, S> {
    writer: &'w mut Writer<'b>,
    types: PhantomData<fn() -> (H, S)>,
}

impl<'b, H: Record, S: Table> RecordsWriter<'_, 'b, H, S> {
    /// Adds a struct and its attributes. The struct's length (its first 16 bits) is filled in.
    pub fn add(&mut self, header: H, fill: impl FnOnce(&mut AttributeWriter<'_, 'b, S>)) {
        self.writer.pad();
        let start = self.writer.length();
        header.write(self.writer);
        self.writer.pad();
        fill(&mut AttributeWriter::new(self.writer));
        let length = self.writer.length().saturating_sub(start);
        match u16::try_from(length) {
            Ok(length) => self.writer.patch(start, length.to_ne_bytes()),
            Err(_) => {
                let kind = ErrorKind::TooLong { length: short(length) };
                self.writer.fail(Error::new(kind, short(start)));
            }
        }
    }
}

/// A buffer of `N` bytes for one message, for callers that have no slice of their own.
///
/// ```
/// use ringlink_codec::prelude::*;
/// use ringlink_codec::route::{LinkHeader, Link, Rtm};
///
/// let mut buffer = Buffer::<32>::new();
/// let error = buffer.message(Rtm::GETLINK, LinkHeader::default(), |link| link.put(Link::IFNAME, "eth0")).unwrap_err();
/// assert_eq!(error.needed(), Some(44));
/// ```
#[derive(Clone, Default)]
pub struct Buffer<const N: usize> {
    bytes: heapless::Vec<u8, N>,
}

impl<const N: usize> fmt::Debug for Buffer<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffer").field("bytes", &Counted(&self.bytes)).finish()
    }
}

impl<const N: usize> Buffer<N> {
    /// An empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: heapless::Vec::new() }
    }

    /// Writes a request in place of what was there, and returns its bytes.
    ///
    /// # Errors
    ///
    /// As [`Operation::write`]; the buffer is empty then.
    pub fn message<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<&mut [u8], Error> {
        // The whole capacity is lent to the writer; resizing to the capacity cannot fail.
        let _ = self.bytes.resize_default(N);
        let written = operation.write(&mut self.bytes, header, |attributes| fill(attributes)).map(|bytes| bytes.len());
        self.bytes.truncate(written.unwrap_or(0));
        written.map(|_| self.bytes.as_mut_slice())
    }

    /// Overwrites the buffer, whose message held a secret; see [`wipe`](super::wipe).
    pub fn wipe(&mut self) {
        // Resizing to the capacity cannot fail.
        let _ = self.bytes.resize_default(N);
        super::wipe(&mut self.bytes);
        self.bytes.clear();
    }

    /// The message, empty before the first one was written.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }
}

/// Many messages in one datagram, in a buffer that the caller owns.
///
/// ```
/// use ringlink_codec::prelude::*;
/// use ringlink_codec::route::{Link, LinkHeader, Rtm};
///
/// let mut buffer = [0; 100];
/// let mut batch = Batch::new(&mut buffer);
/// for name in ["a", "b"] {
///     batch.add(Rtm::GETLINK, LinkHeader::default(), |link| link.put(Link::IFNAME, name))?;
/// }
/// assert_eq!(batch.count(), 2);
/// // The third does not fit: the error says how much space the batch would need, and the batch is as it was.
/// let error = batch.add(Rtm::GETLINK, LinkHeader::default(), |link| link.put(Link::IFNAME, "c")).unwrap_err();
/// assert_eq!(error.needed(), Some(120));
/// assert_eq!(batch.bytes().len(), 80);
/// # Ok::<(), ringlink_codec::Error>(())
/// ```
pub struct Batch<'b> {
    buffer: &'b mut [u8],
    length: usize,
    count: usize,
}

impl fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch").field("bytes", &Counted(self.bytes())).field("count", &self.count).finish()
    }
}

impl<'b> Batch<'b> {
    /// An empty batch.
    #[must_use]
    pub const fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, length: 0, count: 0 }
    }

    /// Appends a request.
    ///
    /// # Errors
    ///
    /// If it does not fit, or cannot be written at all. The batch is as it was then.
    pub fn add<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<(), Error> {
        let request = MessageHeader { flags: Flags::REQUEST, ..MessageHeader::default() };
        self.append(|writer| operation.encode(writer, request, header, |message| fill(message)))
    }

    /// Appends what the closure writes, which is one message; as it was where that does not fit.
    pub(crate) fn append(&mut self, write: impl FnOnce(&mut Writer<'_>)) -> Result<(), Error> {
        let start = align(self.length);
        let capacity = short(self.buffer.len());
        // The padding of the message before.
        if let Some(gap) = self.buffer.get_mut(self.length..start) {
            gap.fill(0);
        }
        let mut writer = Writer::new(self.buffer.get_mut(start..).unwrap_or_default());
        write(&mut writer);
        match writer.finish().map(|bytes| bytes.len()) {
            Ok(length) => {
                self.length = start.saturating_add(length);
                self.count = self.count.saturating_add(1);
                Ok(())
            }
            Err(error) => Err(match error.kind {
                ErrorKind::Full { needed, .. } => {
                    let needed = needed.saturating_add(short(start));
                    Error::new(ErrorKind::Full { needed, capacity }, capacity)
                }
                _ => error,
            }),
        }
    }

    /// How many messages it holds.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.count
    }

    /// Whether it holds none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The datagram.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }

    /// The messages, as they would be read.
    #[must_use]
    pub fn messages(&self) -> Messages<'_> {
        Messages::new(self.bytes())
    }

    /// The message at this place.
    #[must_use]
    pub fn message(&self, index: usize) -> Option<Message<'_>> {
        self.messages().nth(index)?.ok()
    }

    /// Numbers the messages from `first` on and sets `port`; sets `NLM_F_ACK` where `ack` says so, by index.
    pub fn number(&mut self, first: u32, port: u32, mut ack: impl FnMut(usize) -> bool) {
        let mut at = 0_usize;
        for index in 0..self.count {
            let Some(bytes) = self.buffer.get_mut(at..self.length) else {
                return;
            };
            let Ok(Message { mut header, .. }) = Message::parse(bytes) else {
                return;
            };
            header.sequence = first.wrapping_add(short(index));
            header.port = port;
            if ack(index) {
                header.flags = header.flags | Flags::ACK;
            }
            stamp(bytes, header);
            at = at.saturating_add(align(usize::try_from(header.length).unwrap_or(usize::MAX)));
        }
    }

    /// Forgets all messages.
    pub fn clear(&mut self) {
        self.length = 0;
        self.count = 0;
    }
}

/// Replaces the header of a written message.
pub(crate) fn stamp(message: &mut [u8], header: MessageHeader) {
    if let Some(space) = message.get_mut(..size_of::<MessageHeader>()) {
        copy(space, &header.to_bytes());
    }
}
