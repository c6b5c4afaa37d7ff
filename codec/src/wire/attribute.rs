//! Attributes as bytes (`struct nlattr`, include/uapi/linux/netlink.h).

use super::{Error, ErrorKind, align, short};

/// Bytes of an attribute's header: length (header included) and type, 16 bits each.
pub const ATTRIBUTE_HEADER: usize = 4;

/// The bits of `nla_type` that are not its number.
const TYPE_MASK: u16 = !(RawAttribute::NESTED | RawAttribute::NET_BYTEORDER);

/// What an attribute holds, and where it stands.
#[derive(Clone, Copy, Debug)]
pub struct Payload<'a> {
    /// The bytes, without header and padding.
    pub bytes: &'a [u8],
    /// Where they start, in bytes from the start of the message.
    pub offset: u32,
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
#[derive(Clone, Copy, Debug)]
pub struct RawAttributes<'a> {
    rest: &'a [u8],
    /// Where the run ends, in bytes from the start of the message: the place of the next attribute is this less what
    /// is left, so that nothing but `rest` moves in the loop.
    end: u32,
}

impl<'a> RawAttributes<'a> {
    /// The attributes in `bytes`, which start `offset` bytes behind the message's first.
    #[inline]
    #[must_use]
    pub fn new(bytes: &'a [u8], offset: u32) -> Self {
        Self { rest: bytes, end: offset.saturating_add(short(bytes.len())) }
    }

    /// Where the next attribute starts, in bytes from the start of the message.
    #[inline]
    #[must_use]
    pub fn offset(&self) -> u32 {
        self.end.saturating_sub(short(self.rest.len()))
    }

    /// Ends the iteration with its error, or without where only padding is left.
    #[cold]
    fn fail(&mut self) -> Option<Error> {
        let rest = core::mem::take(&mut self.rest);
        let offset = self.end.saturating_sub(short(rest.len()));
        match rest {
            [] | [0] | [0, 0] | [0, 0, 0] => None,
            [low, high, kind, more, ..] => {
                let length = u16::from_ne_bytes([*low, *high]);
                Some(Error {
                    kind: ErrorKind::AttributeLength { length, available: short(rest.len()) },
                    offset,
                    attribute: u16::from_ne_bytes([*kind, *more]) & TYPE_MASK,
                    name: "",
                })
            }
            _ => Some(Error::new(ErrorKind::AttributeTruncated { found: short(rest.len()) }, offset)),
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
        let Some(([low, high, kind, more], _)) = self.rest.split_first_chunk() else {
            return self.fail().map(Err);
        };
        let length = usize::from(u16::from_ne_bytes([*low, *high]));
        let Some(bytes) = self.rest.get(ATTRIBUTE_HEADER..length) else {
            return self.fail().map(Err);
        };
        let offset = self.offset().saturating_add(short(ATTRIBUTE_HEADER));
        self.rest = self.rest.get(align(length)..).unwrap_or_default();
        let kind = u16::from_ne_bytes([*kind, *more]);
        Some(Ok(RawAttribute { kind, payload: Payload { bytes, offset } }))
    }
}

impl core::iter::FusedIterator for RawAttributes<'_> {}
