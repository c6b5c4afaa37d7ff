//! Numbers as payloads.

use core::fmt;
use core::marker::PhantomData;
use core::net::{Ipv4Addr, Ipv6Addr};

use super::value::{exactly, give, take, wrong_length};
use super::{Encode, Fixed, Malformed, Plain, Shape, Value};
use crate::wire::{Payload, RawAttribute, Writer};

/// `big_endian! { /// Doc. Be16, u16, 2; }` makes `Be16` a number that stands big-endian, without alignment.
macro_rules! big_endian {
    ($($(#[$doc:meta])* $name:ident, $int:ty, $size:literal;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        pub struct $name([u8; $size]);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self([0; $size]);

            /// This number.
            #[inline]
            #[must_use]
            pub const fn new(number: $int) -> Self {
                Self(number.to_be_bytes())
            }

            /// The number.
            #[inline]
            #[must_use]
            pub const fn get(self) -> $int {
                <$int>::from_be_bytes(self.0)
            }
        }

        impl From<$int> for $name {
            #[inline]
            fn from(number: $int) -> Self {
                Self::new(number)
            }
        }

        impl From<$name> for $int {
            #[inline]
            fn from(number: $name) -> Self {
                number.get()
            }
        }

        impl PartialEq<$int> for $name {
            #[inline]
            fn eq(&self, other: &$int) -> bool {
                self.get() == *other
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&self.get(), f)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.get(), f)
            }
        }

        impl Plain for $name {
            #[inline]
            fn take(rest: &mut &[u8]) -> Self {
                Self(take(rest))
            }

            #[inline]
            fn give(self, rest: &mut &mut [u8]) {
                give(self.0, rest);
            }
        }
    )*};
}

big_endian! {
    /// A big-endian 16-bit number, as a payload type and as a struct field.
    Be16, u16, 2;
    /// A big-endian 32-bit number, as a payload type and as a struct field.
    Be32, u32, 4;
    /// A big-endian 64-bit number, as a payload type and as a struct field.
    Be64, u64, 8;
}

/// A big-endian 32-bit number that may be negative, as a payload type.
pub struct BeI32;

/// `plain! { u32 }` makes a number a field of structs.
macro_rules! plain {
    ($($int:ty)*) => {$(
        impl Plain for $int {
            #[inline]
            fn take(rest: &mut &[u8]) -> Self {
                Self::from_ne_bytes(take(rest))
            }

            #[inline]
            fn give(self, rest: &mut &mut [u8]) {
                give(self.to_ne_bytes(), rest);
            }
        }
    )*};
}

plain! { u8 u16 u32 u64 i8 i16 i32 i64 }

/// `number! { u32, u32, Unsigned, from_ne_bytes, to_ne_bytes; }` makes `u32` a payload type that reads as `u32`.
macro_rules! number {
    ($($marker:ty, $int:ty, $shape:ident, $from:ident, $to:ident;)*) => {$(
        impl Value for $marker {
            type Read<'a> = $int;
            const SHAPE: Shape = Shape::$shape(size_of::<$int>() as u8);
            #[inline]
            fn decode(payload: Payload<'_>) -> Result<$int, Malformed> {
                exactly(payload).map(<$int>::$from)
            }
        }
        impl Encode<$marker> for $int {
            #[inline]
            fn encode(self, writer: &mut Writer<'_>) {
                writer.array(self.$to());
            }
        }
        impl Fixed for $marker {
            const SIZE: usize = size_of::<$int>();
        }
    )*};
}

#[allow(clippy::cast_possible_truncation, reason = "sizes of integers, in constants")]
mod numbers {
    use super::*;
    number! {
        u8, u8, Unsigned, from_ne_bytes, to_ne_bytes;
        u16, u16, Unsigned, from_ne_bytes, to_ne_bytes;
        u32, u32, Unsigned, from_ne_bytes, to_ne_bytes;
        u64, u64, Unsigned, from_ne_bytes, to_ne_bytes;
        i8, i8, Signed, from_ne_bytes, to_ne_bytes;
        i16, i16, Signed, from_ne_bytes, to_ne_bytes;
        i32, i32, Signed, from_ne_bytes, to_ne_bytes;
        i64, i64, Signed, from_ne_bytes, to_ne_bytes;
        Be16, u16, BigEndian, from_be_bytes, to_be_bytes;
        Be32, u32, BigEndian, from_be_bytes, to_be_bytes;
        Be64, u64, BigEndian, from_be_bytes, to_be_bytes;
        BeI32, i32, SignedBigEndian, from_be_bytes, to_be_bytes;
    }
}

/// The big-endian form of a set of values: `Be<EtherType>` reads as `EtherType`.
pub struct Be<V>(PhantomData<V>);

/// A 16-bit set of values, made by [`values!`](crate::values) or [`flags!`](crate::flags).
#[doc(hidden)]
pub trait Named: Value + Sized {
    const TABLE: &'static super::ValueTable;
    fn from_number(number: u64) -> Self;
    fn number(self) -> u64;
}

impl<V: Named> Value for Be<V> {
    type Read<'a> = V;
    const SHAPE: Shape = match V::SHAPE {
        Shape::Named(table, Shape::Unsigned(1)) => Shape::Named(table, &Shape::BigEndian(1)),
        Shape::Named(table, Shape::Unsigned(2)) => Shape::Named(table, &Shape::BigEndian(2)),
        Shape::Named(table, Shape::Unsigned(4)) => Shape::Named(table, &Shape::BigEndian(4)),
        _ => Shape::Named(V::TABLE, &Shape::BigEndian(8)),
    };

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<V, Malformed> {
        if payload.bytes.len() != size_of::<V>() {
            return Err(wrong_length(payload.bytes, size_of::<V>()));
        }
        Ok(V::from_number(payload.bytes.iter().fold(0, |number, byte| (number << 8) | u64::from(*byte))))
    }
}

impl<V: Named> Encode<Be<V>> for V {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        let bytes = self.number().to_be_bytes();
        let start = bytes.len().saturating_sub(size_of::<V>());
        writer.bytes(bytes.get(start..).unwrap_or_default());
    }
}

impl<V: Named> Fixed for Be<V> {
    const SIZE: usize = size_of::<V>();
}

/// A payload of type `V` that stands big-endian and says so in the attribute's type (`NLA_F_NET_BYTEORDER`): ipset
/// refuses numbers and addresses that do not. It is written with the flag, and read with or without.
pub struct NetOrder<V>(PhantomData<V>);

impl<V: Value> Value for NetOrder<V> {
    type Read<'a> = V::Read<'a>;
    const SHAPE: Shape = V::SHAPE;
    const FLAGS: u16 = V::FLAGS | RawAttribute::NET_BYTEORDER;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<V::Read<'_>, Malformed> {
        V::decode(payload)
    }
}

impl<V: Named> Encode<NetOrder<Be<V>>> for V {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        Encode::<Be<V>>::encode(self, writer);
    }
}

/// `net_order! { Be16: u16; }` says that a `u16` may be written as a `NetOrder<Be16>`. One impl for all that may be written as
/// a `V` would leave the compiler an endless choice.
macro_rules! net_order {
    ($($marker:ty: $from:ty;)*) => {$(
        impl Encode<NetOrder<$marker>> for $from {
            #[inline]
            fn encode(self, writer: &mut Writer<'_>) {
                Encode::<$marker>::encode(self, writer);
            }
        }
    )*};
}

net_order! {
    Be16: u16;
    Be32: u32;
    Be64: u64;
    Ipv4Addr: Ipv4Addr;
    Ipv6Addr: Ipv6Addr;
}

/// An unsigned number of 4 or 8 bytes, written in 4 where it fits (`NLA_UINT`).
pub struct Uint;

impl Value for Uint {
    type Read<'a> = u64;
    const SHAPE: Shape = Shape::Uint;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<u64, Malformed> {
        match payload.bytes.len() {
            8 => exactly(payload).map(u64::from_ne_bytes),
            _ => exactly(payload).map(|bytes| u64::from(u32::from_ne_bytes(bytes))),
        }
    }
}

impl Encode<Uint> for u64 {
    fn encode(self, writer: &mut Writer<'_>) {
        match u32::try_from(self) {
            Ok(small) => writer.array(small.to_ne_bytes()),
            Err(_) => writer.array(self.to_ne_bytes()),
        }
    }
}

/// A set of values as a number of 4 or 8 bytes (`NLA_UINT`): `NamedUint<Scope>` reads as `Scope`.
pub struct NamedUint<V>(PhantomData<V>);

impl<V: Named> Value for NamedUint<V> {
    type Read<'a> = V;
    const SHAPE: Shape = Shape::Named(V::TABLE, &Shape::Uint);

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<V, Malformed> {
        Uint::decode(payload).map(V::from_number)
    }
}

impl<V: Named> Encode<NamedUint<V>> for V {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        Encode::<Uint>::encode(self.number(), writer);
    }
}

/// A signed number of 4 or 8 bytes, written in 4 where it fits (`NLA_SINT`).
pub struct Sint;

impl Value for Sint {
    type Read<'a> = i64;
    const SHAPE: Shape = Shape::Sint;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<i64, Malformed> {
        match payload.bytes.len() {
            8 => exactly(payload).map(i64::from_ne_bytes),
            _ => exactly(payload).map(|bytes| i64::from(i32::from_ne_bytes(bytes))),
        }
    }
}

impl Encode<Sint> for i64 {
    fn encode(self, writer: &mut Writer<'_>) {
        match i32::try_from(self) {
            Ok(small) => writer.array(small.to_ne_bytes()),
            Err(_) => writer.array(self.to_ne_bytes()),
        }
    }
}

impl Value for Ipv4Addr {
    type Read<'a> = Self;
    const SHAPE: Shape = Shape::Ipv4;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<Self, Malformed> {
        exactly::<4>(payload).map(Self::from)
    }
}

impl Encode<Ipv4Addr> for Ipv4Addr {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        writer.array(self.octets());
    }
}

impl Fixed for Ipv4Addr {
    const SIZE: usize = 4;
}

impl Value for Ipv6Addr {
    type Read<'a> = Self;
    const SHAPE: Shape = Shape::Ipv6;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<Self, Malformed> {
        exactly::<16>(payload).map(Self::from)
    }
}

impl Encode<Ipv6Addr> for Ipv6Addr {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        writer.array(self.octets());
    }
}

impl Fixed for Ipv6Addr {
    const SIZE: usize = 16;
}

impl<T, const N: usize> Plain for [T; N]
where
    T: Plain,
{
    #[inline]
    fn take(rest: &mut &[u8]) -> Self {
        core::array::from_fn(|_| T::take(rest))
    }

    #[inline]
    fn give(self, rest: &mut &mut [u8]) {
        self.into_iter().for_each(|item| item.give(rest));
    }
}

impl<T, const N: usize> Value for [T; N]
where
    T: Fixed + Plain + 'static,
{
    type Read<'a> = Self;
    #[allow(clippy::cast_possible_truncation, reason = "lengths of arrays in structs, in constants")]
    const SHAPE: Shape = Shape::Array(&T::SHAPE, N as u16);

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<Self, Malformed> {
        match payload.bytes {
            mut bytes if bytes.len() == size_of::<Self>() => Ok(Self::take(&mut bytes)),
            bytes => Err(wrong_length(bytes, size_of::<Self>())),
        }
    }
}

impl<T, const N: usize> Encode<[T; N]> for [T; N]
where
    T: Fixed + Plain + 'static,
{
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        self.give(&mut writer.space(size_of::<Self>()));
    }
}

impl<T, const N: usize> Fixed for [T; N]
where
    T: Fixed + Plain + 'static,
{
    const SIZE: usize = size_of::<Self>();
}

crate::record! {
    /// Bits and which of them count (include/uapi/linux/netlink.h).
    pub Bitfield32, "nla_bitfield32", "" {
        /// The bits.
        value: u32,
        /// Which bits of `value` are meant.
        selector: u32,
    }
}

impl fmt::Display for Bitfield32 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:#x}/{:#x}", self.value, self.selector)
    }
}
