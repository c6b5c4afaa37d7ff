//! Attributes as bytes (`struct nlattr`, include/uapi/linux/netlink.h).

use core::fmt;

use super::{Counted, Error, ErrorKind, align, place, short};

/// Bytes of an attribute's header: length (header included) and type, 16 bits each.
pub const ATTRIBUTE_HEADER: usize = 4;

/// `struct nlattr`.
#[derive(Clone, Copy)]
struct Header {
    length: u16,
    kind: u16,
}

impl Header {
    /// The header that comes first, and what is behind it. Read as one number: from four bytes, compilers make more
    /// loads and shifts than that.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation, reason = "halves of a number")]
    fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let (header, behind) = bytes.split_first_chunk()?;
        let both = u32::from_ne_bytes(*header);
        let (low, high) = (both as u16, (both >> 16) as u16);
        let header = match cfg!(target_endian = "little") {
            true => Self { length: low, kind: high },
            false => Self { length: high, kind: low },
        };
        Some((header, behind))
    }
}

/// The bits of `nla_type` that are its number.
pub(crate) const TYPE_MASK: u16 = !(RawAttribute::NESTED | RawAttribute::NET_BYTEORDER);

/// What an attribute holds, and where it stands.
#[derive(Clone, Copy)]
pub struct Payload<'a> {
    /// The bytes, without header and padding.
    pub bytes: &'a [u8],
    /// Where they start, in bytes from the start of the message.
    pub offset: u32,
}

impl fmt::Debug for Payload<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Payload").field("bytes", &Counted(self.bytes)).field("offset", &self.offset).finish()
    }
}

/// One attribute, not decoded.
#[derive(Clone, Copy, Debug)]
pub struct RawAttribute<'a> {
    /// The type as it stands in the message, flags included.
    pub kind: u16,
    /// What it holds.
    pub payload: Payload<'a>,
}

impl RawAttribute<'_> {
    /// The flag that says the payload is attributes (`NLA_F_NESTED`). Old families do not set it on theirs.
    pub const NESTED: u16 = 0x8000;
    /// The flag that says the payload is big-endian (`NLA_F_NET_BYTEORDER`). Few big-endian attributes carry it.
    pub const NET_BYTEORDER: u16 = 0x4000;

    /// The attribute's number, without flags.
    #[inline]
    #[must_use]
    pub const fn number(&self) -> u16 {
        self.kind & TYPE_MASK
    }
}

/// A run of attributes, in order. Yields a broken header's error once, then ends.
///
/// Up to three zero bytes behind the last attribute are padding.
#[derive(Clone, Copy)]
pub struct RawAttributes<'a> {
    rest: &'a [u8],
    /// Where the run ends, in bytes from the start of the message: the place of the next attribute is this less what
    /// is left, so that nothing but `rest` moves in the loop.
    end: u32,
}

impl fmt::Debug for RawAttributes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawAttributes").field("rest", &Counted(self.rest)).field("end", &self.end).finish()
    }
}

impl<'a> RawAttributes<'a> {
    /// The attributes in `bytes`, which start `offset` bytes behind the message's first.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8], offset: u32) -> Self {
        Self { rest: bytes, end: offset.wrapping_add(place(bytes.len())) }
    }

    /// Where the next attribute starts, in bytes from the start of the message.
    #[inline]
    #[must_use]
    pub fn offset(&self) -> u32 {
        self.end.wrapping_sub(place(self.rest.len()))
    }

    /// The next attribute, if a whole one is there: what a loop calls that wants neither places nor errors before its
    /// end.
    #[inline(always)]
    pub(crate) fn advance(&mut self) -> Option<(u16, &'a [u8])> {
        let (Header { length, kind }, behind) = Header::split(self.rest)?;
        // A length below the header's own wraps to one that nothing is as long as: one comparison does for both.
        let bytes = behind.get(..usize::from(length).wrapping_sub(ATTRIBUTE_HEADER))?;
        // The last attribute may lack its padding; cutting at what is there cannot fail, and costs no branch.
        let step = align(bytes.len()).min(behind.len());
        self.rest = behind.get(step..).unwrap_or_default();
        Some((kind, bytes))
    }

    /// Says what is wrong with what is left once [`advance`](Self::advance) gave nothing more; nothing is wrong with
    /// nothing, or padding.
    #[inline]
    pub(crate) fn finish(mut self) -> Result<(), Error> {
        if self.rest.is_empty() {
            return Ok(());
        }
        self.fail().map_or(Ok(()), Err)
    }

    /// Ends the iteration with its error, or without where only padding is left.
    #[cold]
    fn fail(&mut self) -> Option<Error> {
        let rest = core::mem::take(&mut self.rest);
        let offset = self.end.wrapping_sub(place(rest.len()));
        match rest {
            [] | [0] | [0, 0] | [0, 0, 0] => None,
            rest => match Header::split(rest) {
                Some((Header { length, kind }, _)) => Some(Error {
                    kind: ErrorKind::AttributeLength { length, available: short(rest.len()) },
                    offset,
                    attribute: kind & TYPE_MASK,
                    name: "",
                }),
                None => Some(Error::new(ErrorKind::AttributeTruncated { found: short(rest.len()) }, offset)),
            },
        }
    }
}

impl<'a> Iterator for RawAttributes<'a> {
    type Item = Result<RawAttribute<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() {
            return None;
        }
        let offset = self.offset().wrapping_add(place(ATTRIBUTE_HEADER));
        match self.advance() {
            Some((kind, bytes)) => Some(Ok(RawAttribute { kind, payload: Payload { bytes, offset } })),
            None => self.fail().map(Err),
        }
    }
}

impl core::iter::FusedIterator for RawAttributes<'_> {}
