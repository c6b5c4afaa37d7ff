//! Requests that wait in the connection's request buffer to be sent as one datagram.

use ringlink_codec::table::{AttributeWriter, Format, Operation};
use ringlink_codec::wire::{Flags, Message, MessageHeader, Messages, Writer};

use super::Connection;
use super::request::Root;
use crate::error::Error;

/// What waits to be sent: messages one behind the other, with sequence numbers one after the other.
#[derive(Debug)]
pub(super) struct Outbox {
    /// Bytes of the requests that wait.
    length: usize,
    /// How many wait.
    waiting: u32,
    /// How many may wait.
    window: u32,
    /// The sequence number of the first that waits.
    first: u32,
    /// Where the last that waits starts.
    last: usize,
    /// What refusals are told with, of those that wait or were taken out last.
    roots: Vec<Root>,
}

/// What was taken out to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    /// Bytes.
    pub(super) length: usize,
    /// How many requests; at least one.
    pub(super) count: u32,
    first: u32,
    /// Whether it has been.
    pub(super) sent: bool,
}

impl Outbox {
    /// An empty one. `cost` is what one answer takes of the socket's receive buffer, in bytes of the kernel's accounting: as
    /// many may wait as the buffer has room for, so that no answer is lost.
    pub(super) fn new(connection: &Connection, cost: usize) -> Outbox {
        let buffer = connection.socket().receive_buffer().unwrap_or(0);
        let window = u32::try_from(buffer / cost).unwrap_or(u32::MAX).max(1);
        Outbox { length: 0, waiting: 0, window, first: 0, last: 0, roots: Vec::new() }
    }

    /// Writes a request behind those that wait; says no where it does not fit beside them, and all is as it was.
    pub(super) fn offer<Q: Format, A>(
        &mut self,
        connection: &Connection,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: &mut impl FnMut(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<bool, Error> {
        if self.waiting == self.window {
            return Ok(false);
        }
        match self.append(connection, operation, header, fill) {
            Err(Error::Codec(error)) if error.needed().is_some() && self.waiting > 0 => Ok(false),
            other => other.map(|()| true),
        }
    }

    fn append<Q: Format, A>(
        &mut self,
        connection: &Connection,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: &mut impl FnMut(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<(), Error> {
        let sequence = match self.waiting {
            // All of a datagram's numbers are above that of messages nobody asked for.
            0 => connection
                .sequence
                .get()
                .checked_add(1)
                .filter(|next| next.checked_add(self.window).is_some())
                .unwrap_or(1),
            waiting => self.first.wrapping_add(waiting),
        };
        let port = connection.socket().port();
        let start = self.length.next_multiple_of(4);
        if self.waiting == 0 {
            connection.forget_request();
        }
        let mut buffer = connection.request.borrow_mut();
        let (bytes, holds_secret) = buffer.parts();
        let mut writer = Writer::new(bytes.get_mut(start..).unwrap_or_default());
        let message = MessageHeader { flags: Flags::REQUEST, sequence, port, ..MessageHeader::default() };
        operation.encode(&mut writer, message, header, |attributes| fill(attributes));
        if writer.is_secret() {
            *holds_secret = true;
            connection.secret.set(true);
        }
        let written = writer.finish()?.len();
        if self.waiting == 0 {
            self.first = sequence;
            self.roots.clear();
        }
        self.roots.push(Root::of(operation));
        self.last = start;
        self.length = start + written;
        self.waiting += 1;
        connection.sequence.set(sequence);
        Ok(())
    }

    /// Takes out what waits; `None` where nothing does.
    pub(super) fn take(&mut self) -> Option<Sent> {
        let sent = Sent { length: self.length, count: self.waiting, first: self.first, sent: false };
        (self.length, self.waiting) = (0, 0);
        (sent.count > 0).then_some(sent)
    }

    /// What a refusal of one of the requests is told with, until another is written.
    pub(super) fn root(&self, place: u32) -> Option<Root> {
        self.roots.get(usize::try_from(place).ok()?).copied()
    }

    /// Where the last that waits stands in the request buffer.
    pub(super) fn last(&self) -> std::ops::Range<usize> {
        self.last..self.length
    }
}

impl Sent {
    /// Which of the requests a message is for, counted from 0, by its sequence number.
    pub(super) fn place(&self, message: MessageHeader) -> Option<u32> {
        let place = message.sequence.wrapping_sub(self.first);
        (place < self.count).then_some(place)
    }

    /// The sequence number of the last.
    pub(super) fn last(&self) -> u32 {
        self.first.wrapping_add(self.count - 1)
    }

    /// One of the requests, in the bytes that were sent.
    pub(super) fn request<'b>(&self, buffer: &'b [u8], place: u32) -> Option<Message<'b>> {
        let index = usize::try_from(place).ok()?;
        Messages::new(buffer.get(..self.length)?).nth(index)?.ok()
    }
}
