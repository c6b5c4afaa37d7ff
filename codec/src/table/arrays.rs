//! Payloads that hold several things: nests, lists, structs followed by more.

use core::fmt;
use core::marker::PhantomData;

use super::value::wrong_length;
use super::{Attributes, Encode, Fixed, Malformed, Record, Shape, Table, Value};
use crate::wire::{Counted, Error, ErrorKind, Payload, RawAttribute, RawAttributes, Writer, align, short};

/// Attributes of the space `S`.
pub struct Nest<S>(PhantomData<S>);

impl<S: Table> Value for Nest<S> {
    type Read<'a> = Attributes<'a, S>;
    const SHAPE: Shape = Shape::Nest(S::space);
    const FLAGS: u16 = RawAttribute::NESTED;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<Attributes<'_, S>, Malformed> {
        Ok(Attributes::new(payload))
    }
}

/// A payload type that is a nest, possibly repeated: what a nest can be written to.
pub trait Nesting: Value {
    /// The space of the nest.
    type Space: Table;
}

impl<S: Table> Nesting for Nest<S> {
    type Space = S;
}

impl<V: Nesting> Nesting for Many<V> {
    type Space = V::Space;
}

/// An attribute that may stand several times in its space: read them with [`Attributes::all`].
pub struct Many<V>(PhantomData<V>);

impl<V: Value> Value for Many<V> {
    type Read<'a> = V::Read<'a>;
    const SHAPE: Shape = Shape::Many(&V::SHAPE);
    const FLAGS: u16 = V::FLAGS;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<V::Read<'_>, Malformed> {
        V::decode(payload)
    }
}

/// Attributes whose numbers only count, or index, each holding a `V`.
pub struct Indexed<V>(PhantomData<V>);

impl<V: Value> Value for Indexed<V> {
    type Read<'a> = IndexedItems<'a, V>;
    const SHAPE: Shape = Shape::Indexed(&V::SHAPE);
    const FLAGS: u16 = RawAttribute::NESTED;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<IndexedItems<'_, V>, Malformed> {
        Ok(IndexedItems { attributes: RawAttributes::new(payload.bytes, payload.offset), value: PhantomData })
    }
}

/// The items of an [`Indexed`] payload: index and value.
pub struct IndexedItems<'a, V> {
    attributes: RawAttributes<'a>,
    value: PhantomData<fn() -> V>,
}

impl<V> fmt::Debug for IndexedItems<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IndexedItems").field(&self.attributes).finish()
    }
}

impl<V> Clone for IndexedItems<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for IndexedItems<'_, V> {}

impl<'a, V: Value> Iterator for IndexedItems<'a, V> {
    type Item = Result<(u16, V::Read<'a>), Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        Some(self.attributes.next()?.and_then(|raw| match V::decode(raw.payload) {
            Ok(value) => Ok((raw.number(), value)),
            Err(kind) => Err(locate_item(kind, raw)),
        }))
    }
}

#[cold]
fn locate_item(kind: Malformed, raw: RawAttribute<'_>) -> Error {
    Error { kind, offset: raw.payload.offset, attribute: raw.number(), name: "" }
}

/// Values of fixed size, one behind the other.
pub struct Packed<V>(PhantomData<V>);

impl<V: Fixed> Value for Packed<V> {
    type Read<'a> = PackedItems<'a, V>;
    #[allow(clippy::cast_possible_truncation, reason = "sizes of structs, in constants")]
    const SHAPE: Shape = Shape::Packed(&V::SHAPE, V::SIZE as u16);

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<PackedItems<'_, V>, Malformed> {
        if payload.bytes.len().checked_rem(V::SIZE) != Some(0) {
            return Err(wrong_length(payload.bytes, payload.bytes.len().next_multiple_of(V::SIZE.max(1))));
        }
        Ok(PackedItems { rest: payload.bytes, value: PhantomData })
    }
}

impl<V: Fixed + Encode<V> + Copy> Encode<Packed<V>> for &[V] {
    fn encode(self, writer: &mut Writer<'_>) {
        for item in self {
            item.encode(writer);
        }
    }
}

/// The items of a [`Packed`] payload.
pub struct PackedItems<'a, V> {
    rest: &'a [u8],
    value: PhantomData<fn() -> V>,
}

impl<V: Fixed> PackedItems<'_, V> {
    /// How many are left.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rest.len().checked_div(V::SIZE).unwrap_or(0)
    }

    /// Whether none is left.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}

impl<V> fmt::Debug for PackedItems<'_, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PackedItems").field(&Counted(self.rest)).finish()
    }
}

impl<V> Clone for PackedItems<'_, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<V> Copy for PackedItems<'_, V> {}

impl<'a, V: Fixed> Iterator for PackedItems<'a, V> {
    type Item = V::Read<'a>;

    #[inline]
    fn next(&mut self) -> Option<V::Read<'a>> {
        let (bytes, rest) = self.rest.split_at_checked(V::SIZE)?;
        self.rest = rest;
        V::decode(Payload { bytes, offset: 0 }).ok()
    }
}

/// A struct, then attributes of the space `S`, as in a message (`VETH_INFO_PEER`).
pub struct Headed<H, S>(PhantomData<(H, S)>);

impl<H: Record, S: Table> Value for Headed<H, S> {
    type Read<'a> = (H, Attributes<'a, S>);
    const SHAPE: Shape = Shape::Headed(H::LAYOUT, S::space);
    const FLAGS: u16 = RawAttribute::NESTED;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<(H, Attributes<'_, S>), Malformed> {
        Ok((H::from_bytes(payload.bytes), Attributes::new(behind(payload, size_of::<H>()))))
    }
}

/// What follows a struct of `size` bytes and its padding.
#[inline]
fn behind(payload: Payload<'_>, size: usize) -> Payload<'_> {
    let start = align(size);
    Payload {
        bytes: payload.bytes.get(start..).unwrap_or_default(),
        offset: payload.offset.saturating_add(short(start)),
    }
}

/// A struct, then bytes.
pub struct Prefixed<H>(PhantomData<H>);

impl<H: Record> Value for Prefixed<H> {
    type Read<'a> = (H, &'a [u8]);
    const SHAPE: Shape = Shape::Prefixed(H::LAYOUT);

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<(H, &[u8]), Malformed> {
        Ok((H::from_bytes(payload.bytes), payload.bytes.get(size_of::<H>()..).unwrap_or_default()))
    }
}

impl<H: Record> Encode<Prefixed<H>> for (H, &[u8]) {
    fn encode(self, writer: &mut Writer<'_>) {
        self.0.write(writer);
        writer.bytes(self.1);
    }
}

/// A struct, then values of fixed size, one behind the other (`TCA_U32_SEL`). A field of the struct may count them; that is
/// the writer's to set.
pub struct Followed<H, V>(PhantomData<(H, V)>);

impl<H: Record, V: Fixed> Value for Followed<H, V> {
    type Read<'a> = (H, PackedItems<'a, V>);
    #[allow(clippy::cast_possible_truncation, reason = "sizes of structs, in constants")]
    const SHAPE: Shape = Shape::Followed(H::LAYOUT, &V::SHAPE, V::SIZE as u16);

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<(H, PackedItems<'_, V>), Malformed> {
        let rest = payload.bytes.get(size_of::<H>()..).unwrap_or_default();
        if rest.len().checked_rem(V::SIZE) != Some(0) {
            let whole = rest.len().next_multiple_of(V::SIZE.max(1));
            return Err(wrong_length(payload.bytes, whole.saturating_add(size_of::<H>())));
        }
        Ok((H::from_bytes(payload.bytes), PackedItems { rest, value: PhantomData }))
    }
}

impl<H: Record, V: Fixed + Encode<V> + Copy> Encode<Followed<H, V>> for (H, &[V]) {
    fn encode(self, writer: &mut Writer<'_>) {
        self.0.write(writer);
        for item in self.1 {
            item.encode(writer);
        }
    }
}

/// Structs that begin with their own length (16 bits, native), each followed by attributes of the space `S` within
/// that length (`RTA_MULTIPATH`).
pub struct Records<H, S>(PhantomData<(H, S)>);

impl<H: Record, S: Table> Value for Records<H, S> {
    type Read<'a> = RecordsItems<'a, H, S>;
    const SHAPE: Shape = Shape::Records(H::LAYOUT, S::space);

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<RecordsItems<'_, H, S>, Malformed> {
        Ok(RecordsItems { rest: payload, types: PhantomData })
    }
}

/// The items of a [`Records`] payload: struct and attributes.
pub struct RecordsItems<'a, H, S> {
    rest: Payload<'a>,
    types: PhantomData<fn() -> (H, S)>,
}

impl<H, S> fmt::Debug for RecordsItems<'_, H, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RecordsItems").field(&self.rest).finish()
    }
}

impl<H, S> Clone for RecordsItems<'_, H, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<H, S> Copy for RecordsItems<'_, H, S> {}

/// The first record of a run: its bytes, and the run behind it.
#[inline]
pub(crate) fn split_record(rest: Payload<'_>, header: usize) -> Result<(Payload<'_>, Payload<'_>), Error> {
    let length = match rest.bytes {
        [low, high, ..] => u16::from_ne_bytes([*low, *high]),
        _ => 0,
    };
    let end = usize::from(length);
    match rest.bytes.get(..end) {
        Some(bytes) if end >= header => {
            let next = align(end);
            let offset = rest.offset.saturating_add(short(next));
            let behind = Payload { bytes: rest.bytes.get(next..).unwrap_or_default(), offset };
            Ok((Payload { bytes, offset: rest.offset }, behind))
        }
        _ => {
            let kind = ErrorKind::RecordLength { length: u32::from(length), available: short(rest.bytes.len()) };
            Err(Error::new(kind, rest.offset))
        }
    }
}

impl<'a, H: Record, S: Table> Iterator for RecordsItems<'a, H, S> {
    type Item = Result<(H, Attributes<'a, S>), Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.bytes.is_empty() {
            return None;
        }
        Some(match split_record(self.rest, size_of::<H>()) {
            Ok((record, rest)) => {
                self.rest = rest;
                Ok((H::from_bytes(record.bytes), Attributes::new(behind(record, size_of::<H>()))))
            }
            Err(error) => {
                self.rest.bytes = &[];
                Err(error)
            }
        })
    }
}

/// Records of a type byte, a length byte and that many bytes (libnftnl's user data).
pub struct Tlvs;

impl Value for Tlvs {
    type Read<'a> = TlvItems<'a>;
    const SHAPE: Shape = Shape::Tlvs;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<TlvItems<'_>, Malformed> {
        Ok(TlvItems { rest: payload })
    }
}

impl Encode<Tlvs> for &[(u8, &[u8])] {
    fn encode(self, writer: &mut Writer<'_>) {
        for (kind, bytes) in self {
            match u8::try_from(bytes.len()) {
                Ok(length) => {
                    writer.array([*kind, length]);
                    writer.bytes(bytes);
                }
                Err(_) => {
                    let kind = ErrorKind::TooLong { length: short(bytes.len()) };
                    let offset = short(writer.length());
                    writer.fail(Error::new(kind, offset));
                }
            }
        }
    }
}

/// The items of a [`Tlvs`] payload: type and bytes.
#[derive(Clone, Copy, Debug)]
pub struct TlvItems<'a> {
    rest: Payload<'a>,
}

impl<'a> Iterator for TlvItems<'a> {
    type Item = Result<(u8, &'a [u8]), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let (kind, length, behind) = match self.rest.bytes {
            [] => return None,
            [kind, length, behind @ ..] => (*kind, *length, behind),
            [_] => {
                let kind = ErrorKind::RecordLength { length: 0, available: 1 };
                self.rest.bytes = &[];
                return Some(Err(Error::new(kind, self.rest.offset)));
            }
        };
        Some(match behind.split_at_checked(usize::from(length)) {
            Some((bytes, rest)) => {
                let step = u32::from(length).saturating_add(2);
                self.rest = Payload { bytes: rest, offset: self.rest.offset.saturating_add(step) };
                Ok((kind, bytes))
            }
            None => {
                let kind = ErrorKind::RecordLength { length: u32::from(length), available: short(behind.len()) };
                self.rest.bytes = &[];
                Err(Error::new(kind, self.rest.offset))
            }
        })
    }
}
