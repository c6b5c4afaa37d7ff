//! Bytes: message headers, the messages of a datagram, raw attributes, the writer, errors.
//!
//! Nothing here knows a family. Every length is untrusted: an iterator advances by a checked amount that is never
//! zero, yields the error once, and ends.
//!
//! ```
//! use ringlink_codec::wire::{Messages, RawAttributes};
//!
//! // A NOOP of 16 bytes, then two bytes of something that is no message.
//! let mut datagram = [0; 18];
//! datagram[0..4].copy_from_slice(&16u32.to_ne_bytes());
//! datagram[4..6].copy_from_slice(&1u16.to_ne_bytes());
//! datagram[16] = 7;
//! let mut messages = Messages::new(&datagram);
//! assert!(messages.next().is_some_and(|first| first.is_ok()));
//! assert!(messages.next().is_some_and(|second| second.is_err_and(|error| error.offset == 16)));
//! assert!(messages.next().is_none());
//! ```

mod attribute;
mod error;
mod header;
mod message;
mod writer;

pub(crate) use attribute::TYPE_MASK;
pub use attribute::{ATTRIBUTE_HEADER, Payload, RawAttribute, RawAttributes};
pub use error::{Error, ErrorKind};
pub use header::{Flags, MESSAGE_HEADER, MessageHeader, MessageType};
pub use message::{Message, Messages};
pub use writer::Writer;

/// The next multiple of four: messages and attributes start there (`NLMSG_ALIGN`, `NLA_ALIGN`).
///
/// Wraps beyond what a slice can be long.
#[inline]
#[must_use]
pub const fn align(length: usize) -> usize {
    length.wrapping_add(3) & !3
}

/// Copies as many bytes as both have. Unlike `copy_from_slice` this has no panic that a compiler must prove away.
#[inline(always)]
pub(crate) fn copy(to: &mut [u8], from: &[u8]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to = *from);
}

/// How `Debug` shows bytes: how many there are, not which, for they may be a key.
pub(crate) struct Counted<'a>(pub &'a [u8]);

impl core::fmt::Debug for Counted<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "({} bytes)", self.0.len())
    }
}

/// The error number that comes first, and what is behind it.
#[inline]
pub(crate) fn split_errno(bytes: &[u8]) -> Option<(i32, &[u8])> {
    bytes.split_first_chunk().map(|(number, behind)| (i32::from_ne_bytes(*number), behind))
}

/// A length as the 32-bit number headers and errors carry; longer ones are named by the largest number.
#[inline]
#[must_use]
pub(crate) fn short(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// A place inside a message. Messages have 32-bit lengths; in a slice that is none, places wrap, and only what errors
/// say of them is wrong. Being without a branch, this costs a hot loop nothing.
#[inline]
#[must_use]
#[allow(clippy::cast_possible_truncation, reason = "wraps, as said")]
pub(crate) const fn place(inside: usize) -> u32 {
    inside as u32
}
