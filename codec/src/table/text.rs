//! Text, bytes and addresses as payloads. All read by reference.

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::value::{give, take};
use super::{Encode, Fixed, Malformed, Plain, Shape, Value};
use crate::wire::{Payload, Writer};

/// Text as the kernel has it: bytes, usually ASCII, not always UTF-8.
///
/// Compares with `&str`; prints readably, with `\xNN` for bytes that are not UTF-8.
///
/// ```
/// use ringlink_codec::Text;
///
/// let name = Text::from_bytes(b"eth\xff");
/// assert_eq!(name.to_string(), r"eth\xff");
/// assert!(Text::new("eth0") == "eth0");
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Text<'a>(&'a [u8]);

impl<'a> Text<'a> {
    /// Text that is UTF-8.
    #[inline]
    #[must_use]
    pub const fn new(text: &'a str) -> Self {
        Self(text.as_bytes())
    }

    /// Text of any bytes.
    #[inline]
    #[must_use]
    pub const fn from_bytes(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes up to the first NUL, or all.
    #[inline]
    #[must_use]
    pub fn until_nul(bytes: &'a [u8]) -> Self {
        let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        Self(bytes.get(..length).unwrap_or(bytes))
    }

    /// The bytes, without NUL.
    #[inline]
    #[must_use]
    pub const fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The text, where it is UTF-8.
    #[must_use]
    pub const fn to_str(self) -> Option<&'a str> {
        match core::str::from_utf8(self.0) {
            Ok(text) => Some(text),
            Err(_) => None,
        }
    }
}

impl PartialEq<str> for Text<'_> {
    fn eq(&self, other: &str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl PartialEq<&str> for Text<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.0 == other.as_bytes()
    }
}

impl<'a> From<&'a str> for Text<'a> {
    fn from(text: &'a str) -> Self {
        Self::new(text)
    }
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.to_str() {
            return f.pad(text);
        }
        for chunk in self.0.utf8_chunks() {
            f.write_str(chunk.valid())?;
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// Text that is written with a NUL and read with or without one (`NLA_NUL_STRING`).
pub struct Str;

impl Value for Str {
    type Read<'a> = Text<'a>;
    const SHAPE: Shape = Shape::Text;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<Text<'_>, Malformed> {
        Ok(Text::until_nul(payload.bytes))
    }
}

/// Text that is written without a NUL (`NLA_STRING` where the kernel wants none).
pub struct BareStr;

impl Value for BareStr {
    type Read<'a> = Text<'a>;
    const SHAPE: Shape = Shape::Text;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<Text<'_>, Malformed> {
        Ok(Text::until_nul(payload.bytes))
    }
}

/// Text in a field of a struct: as many bytes as the field has, ended by NUL if it is shorter.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chars<const N: usize>(pub [u8; N]);

impl<const N: usize> Chars<N> {
    /// This text, cut to what the field has room for.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut bytes = [0; N];
        bytes.iter_mut().zip(text.bytes()).for_each(|(to, from)| *to = from);
        Self(bytes)
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> Text<'_> {
        Text::until_nul(&self.0)
    }
}

impl<const N: usize> Default for Chars<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> fmt::Debug for Chars<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.text(), f)
    }
}

impl<const N: usize> Plain for Chars<N> {
    #[inline]
    fn take(rest: &mut &[u8]) -> Self {
        Self(take(rest))
    }

    #[inline]
    fn give(self, rest: &mut &mut [u8]) {
        give(self.0, rest);
    }
}

impl<const N: usize> Value for Chars<N> {
    type Read<'a> = Self;
    const SHAPE: Shape = Shape::Text;

    #[inline]
    fn decode(mut payload: Payload<'_>) -> Result<Self, Malformed> {
        Ok(Self::take(&mut payload.bytes))
    }
}

impl<const N: usize> Encode<Chars<N>> for Chars<N> {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        writer.array(self.0);
    }
}

impl<const N: usize> Fixed for Chars<N> {
    const SIZE: usize = N;
}

/// Bytes as they are.
pub struct Bytes;

impl Value for Bytes {
    type Read<'a> = &'a [u8];
    const SHAPE: Shape = Shape::Bytes;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<&[u8], Malformed> {
        Ok(payload.bytes)
    }
}

/// Presence is the value; the payload is empty (`NLA_FLAG`).
pub struct Flag;

impl Value for Flag {
    type Read<'a> = ();
    const SHAPE: Shape = Shape::Flag;

    #[inline]
    fn decode(_: Payload<'_>) -> Result<(), Malformed> {
        Ok(())
    }
}

impl Encode<Flag> for () {
    #[inline]
    fn encode(self, _: &mut Writer<'_>) {}
}

/// Padding that aligns what follows; carries nothing.
pub struct Pad;

impl Value for Pad {
    type Read<'a> = ();
    const SHAPE: Shape = Shape::Pad;

    #[inline]
    fn decode(_: Payload<'_>) -> Result<(), Malformed> {
        Ok(())
    }
}

impl Encode<Pad> for () {
    #[inline]
    fn encode(self, _: &mut Writer<'_>) {}
}

/// A hardware address: 6 bytes for Ethernet, 4 for an IPv4 tunnel's end, up to 32.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HardwareAddress<'a>(pub &'a [u8]);

impl fmt::Display for HardwareAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for byte in self.0 {
            write!(f, "{separator}{byte:02x}")?;
            separator = ":";
        }
        Ok(())
    }
}

impl fmt::Debug for HardwareAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The payload type of a [`HardwareAddress`].
pub struct Hardware;

impl Value for Hardware {
    type Read<'a> = HardwareAddress<'a>;
    const SHAPE: Shape = Shape::Hardware;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<HardwareAddress<'_>, Malformed> {
        Ok(HardwareAddress(payload.bytes))
    }
}

/// A protocol address: IPv4 with 4 bytes, IPv6 with 16, something else with another length.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InetAddress<'a>(pub &'a [u8]);

impl InetAddress<'_> {
    /// The address, where it has the length of one.
    #[inline]
    #[must_use]
    pub fn ip(self) -> Option<IpAddr> {
        if let Ok(octets) = <[u8; 4]>::try_from(self.0) {
            return Some(IpAddr::V4(Ipv4Addr::from(octets)));
        }
        <[u8; 16]>::try_from(self.0).ok().map(|octets| IpAddr::V6(Ipv6Addr::from(octets)))
    }
}

impl PartialEq<IpAddr> for InetAddress<'_> {
    fn eq(&self, other: &IpAddr) -> bool {
        self.ip() == Some(*other)
    }
}

impl fmt::Display for InetAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.ip() {
            Some(ip) => ip.fmt(f),
            None => fmt::Display::fmt(&HardwareAddress(self.0), f),
        }
    }
}

impl fmt::Debug for InetAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The payload type of an [`InetAddress`].
pub struct Inet;

impl Value for Inet {
    type Read<'a> = InetAddress<'a>;
    const SHAPE: Shape = Shape::Address;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<InetAddress<'_>, Malformed> {
        Ok(InetAddress(payload.bytes))
    }
}

/// `bytes! { Str: &str => as_bytes, 0; }` says that a `&str` may be written as a `Str`: its bytes, then a NUL.
macro_rules! bytes {
    ($($marker:ty: $from:ty, $value:ident => $bytes:expr $(, $end:literal)?;)*) => {$(
        impl Encode<$marker> for $from {
            #[inline]
            fn encode(self, writer: &mut Writer<'_>) {
                let $value = self;
                writer.bytes($bytes);
                $(writer.array([$end]);)?
            }
        }
    )*};
}

bytes! {
    Str: &str, text => text.as_bytes(), 0;
    Str: Text<'_>, text => text.0, 0;
    BareStr: &str, text => text.as_bytes();
    BareStr: Text<'_>, text => text.0;
    Bytes: &[u8], bytes => bytes;
    Hardware: &[u8], bytes => bytes;
    Hardware: [u8; 6], bytes => &bytes;
    Hardware: HardwareAddress<'_>, address => address.0;
    Inet: &[u8], bytes => bytes;
    Inet: InetAddress<'_>, address => address.0;
}

impl<const N: usize> Encode<Bytes> for &[u8; N] {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        writer.bytes(self);
    }
}

impl Encode<Inet> for Ipv4Addr {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        writer.array(self.octets());
    }
}

impl Encode<Inet> for Ipv6Addr {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        writer.array(self.octets());
    }
}

impl Encode<Inet> for IpAddr {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        match self {
            Self::V4(address) => writer.array(address.octets()),
            Self::V6(address) => writer.array(address.octets()),
        }
    }
}
