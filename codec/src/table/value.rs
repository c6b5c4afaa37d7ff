//! What a payload type is: how it reads, how it is written, what tables say of it.

use core::marker::PhantomData;

use super::shape::name_of;
use super::{Layout, Name, Shape, Space};
use crate::wire::{Error, ErrorKind, Payload, Writer, copy, short};

/// Why a payload cannot be read: becomes an [`Error`] where attribute and place are known.
pub type Malformed = ErrorKind;

/// A payload type. Rows name it; some values are their own payload type (`u32`), some are named by a marker
/// ([`Str`](super::Str), [`Nest<S>`](super::Nest)).
pub trait Value {
    /// What reading gives.
    type Read<'a>;
    /// What tables say.
    const SHAPE: Shape;
    /// Flags set in the type of a written attribute.
    const FLAGS: u16 = 0;

    /// Reads a payload.
    ///
    /// # Errors
    ///
    /// If it is too short, or not of the length it must have.
    fn decode(payload: Payload<'_>) -> Result<Self::Read<'_>, Malformed>;
}

/// What can be written as a payload of type `V`: `5` and `&str`, but also an address as `[u8; 6]` or as a slice.
pub trait Encode<V> {
    /// Appends the payload.
    fn encode(self, writer: &mut Writer<'_>);
}

/// A payload type of fixed size: can be a field of a struct and an element of a packed array.
pub trait Fixed: Value {
    /// Size in bytes.
    const SIZE: usize;
}

/// A set of attributes, made by [`space!`](crate::space).
pub trait Table {
    /// The rows.
    fn space() -> &'static Space;

    /// The names alone: what errors say. A program that only reads and writes has no use for the rest of the rows, which
    /// lead to those of all nests, and the linker leaves them out.
    fn names() -> &'static [Name];
}

/// The typed name of an attribute: belongs to space `S`, holds a `V`.
pub struct Key<S, V> {
    number: u16,
    types: PhantomData<fn() -> (S, V)>,
}

impl<S, V> Key<S, V> {
    /// A key for this number; rows of [`space!`](crate::space) make them.
    #[inline]
    #[must_use]
    pub const fn new(number: u16) -> Self {
        Self { number, types: PhantomData }
    }

    /// The attribute's number, without flags.
    #[inline]
    #[must_use]
    pub const fn number(self) -> u16 {
        self.number
    }
}

impl<S, V> Clone for Key<S, V> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, V> Copy for Key<S, V> {}

impl<S: Table, V> core::fmt::Debug for Key<S, V> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(name_of(S::names(), self.number).unwrap_or("unknown"))
    }
}

/// A kernel struct, made by [`record!`](crate::record).
///
/// Read by copy, so that nothing need be aligned. A struct may be shorter than ours (an older kernel: missing bytes
/// are zero) or longer (a newer one: the rest is ignored).
pub trait Record: Plain + Default {
    /// Size, fields, names.
    const LAYOUT: &'static Layout;

    /// Reads what is there.
    #[must_use]
    fn from_bytes(bytes: &[u8]) -> Self;

    /// Writes it.
    #[inline]
    fn write(self, writer: &mut Writer<'_>) {
        self.give(&mut writer.space(size_of::<Self>()));
    }
}

/// What a struct can have as a field: a number, a set of values, an array, another struct. In a struct they stand one
/// behind the other, without holes.
pub trait Plain: Copy {
    /// Reads the value that comes first and goes past it; bytes that are missing are zero.
    fn take(rest: &mut &[u8]) -> Self;

    /// Writes the value and goes past it; nothing where there is no room for it.
    fn give(self, rest: &mut &mut [u8]);
}

impl Plain for () {
    #[inline]
    fn take(_: &mut &[u8]) -> Self {}

    #[inline]
    fn give(self, _: &mut &mut [u8]) {}
}

/// Takes the first `N` bytes; zeros stand for those that are missing.
#[doc(hidden)]
#[inline(always)]
pub fn take<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    match rest.split_first_chunk() {
        Some((first, behind)) => {
            *rest = behind;
            *first
        }
        None => take_short(rest),
    }
}

/// Takes what there is.
#[cold]
fn take_short<const N: usize>(rest: &mut &[u8]) -> [u8; N] {
    let mut bytes = [0; N];
    copy(&mut bytes, core::mem::take(rest));
    bytes
}

/// Fills the first `N` bytes.
#[inline(always)]
pub(crate) fn give<const N: usize>(bytes: [u8; N], rest: &mut &mut [u8]) {
    if let Some((first, behind)) = core::mem::take(rest).split_first_chunk_mut() {
        *first = bytes;
        *rest = behind;
    }
}

impl Record for () {
    const LAYOUT: &'static Layout = &Layout { name: "", prefix: "", size: 0, fields: &[], tail: None };

    #[inline]
    fn from_bytes(_: &[u8]) -> Self {}
}

/// The bytes, which must be exactly `N`.
#[inline]
pub(crate) fn exactly<const N: usize>(payload: Payload<'_>) -> Result<[u8; N], Malformed> {
    match <[u8; N]>::try_from(payload.bytes) {
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(wrong_length(payload.bytes, N)),
    }
}

/// The error for a payload of the wrong length.
#[cold]
pub(crate) fn wrong_length(bytes: &[u8], expected: usize) -> Malformed {
    ErrorKind::PayloadLength { found: short(bytes.len()), expected: short(expected) }
}

/// The error for an attribute of a space, with its name.
#[cold]
#[inline(never)]
pub(crate) fn locate(kind: Malformed, offset: u32, number: u16, names: fn() -> &'static [Name]) -> Error {
    Error { kind, offset, attribute: number, name: name_of(names(), number).unwrap_or_default() }
}
