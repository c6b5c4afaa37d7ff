//! The messages of a datagram.

use core::fmt;

use super::{Counted, Error, ErrorKind, MESSAGE_HEADER, MessageHeader, RawAttributes, align, short};

/// One message: its header by copy, its payload by reference.
///
/// The payload is what `nlmsg_len` says, which [`Messages`] has checked against the datagram.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Message<'a> {
    /// The header.
    pub header: MessageHeader,
    /// What follows the header: for most messages a fixed header of the family, then attributes.
    pub payload: &'a [u8],
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message").field("header", &self.header).field("payload", &Counted(self.payload)).finish()
    }
}

impl<'a> Message<'a> {
    /// The first message of `bytes`.
    ///
    /// # Errors
    ///
    /// If fewer than 16 bytes are there, or fewer than the header says, or the header says fewer than 16.
    #[inline]
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        split(bytes, 0).map(|(message, _)| message)
    }

    /// The raw attributes behind a fixed header of `header` bytes. Fewer bytes than that mean no attributes.
    #[inline]
    #[must_use]
    pub fn raw_attributes(&self, header: usize) -> RawAttributes<'a> {
        let start = align(header);
        let offset = start.saturating_add(MESSAGE_HEADER);
        RawAttributes::new(self.payload.get(start..).unwrap_or_default(), short(offset))
    }
}

/// The messages of one datagram, in order. Yields a broken header's error once, then ends.
#[derive(Clone)]
pub struct Messages<'a> {
    rest: &'a [u8],
    length: usize,
}

impl fmt::Debug for Messages<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messages").field("rest", &Counted(self.rest)).field("length", &self.length).finish()
    }
}

impl<'a> Messages<'a> {
    /// The messages of `datagram`.
    #[inline]
    #[must_use]
    pub const fn new(datagram: &'a [u8]) -> Self {
        Self { rest: datagram, length: datagram.len() }
    }

    /// Where the next message starts, in bytes from the start of the datagram.
    #[inline]
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.length.wrapping_sub(self.rest.len())
    }
}

impl<'a> Iterator for Messages<'a> {
    type Item = Result<Message<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let offset = self.offset();
        Some(match split(self.rest, offset) {
            Ok((message, rest)) => {
                self.rest = rest;
                Ok(message)
            }
            Err(error) => {
                self.rest = &[];
                Err(error)
            }
        })
    }
}

impl core::iter::FusedIterator for Messages<'_> {}

/// The first message and what follows it and its padding. The last message may lack its padding.
#[inline]
fn split(bytes: &[u8], offset: usize) -> Result<(Message<'_>, &[u8]), Error> {
    let Some((header, behind)) = MessageHeader::split(bytes) else {
        let found = short(bytes.len());
        return Err(Error::new(ErrorKind::MessageTruncated { found }, short(offset)));
    };
    // A 16-bit usize cannot hold every length; such a length is past the end there.
    let length = usize::try_from(header.length).unwrap_or(usize::MAX);
    // As with attributes: a length below the header's own wraps, and one comparison does for both.
    let Some(payload) = behind.get(..length.wrapping_sub(MESSAGE_HEADER)) else {
        let kind = ErrorKind::MessageLength { length: header.length, available: short(bytes.len()) };
        return Err(Error::new(kind, short(offset)));
    };
    let step = align(payload.len()).min(behind.len());
    Ok((Message { header, payload }, behind.get(step..).unwrap_or_default()))
}
