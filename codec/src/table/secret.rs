//! Payloads that must not be shown: keys.

use core::fmt;
use core::marker::PhantomData;

use super::{Encode, Malformed, Record, Shape, Value};
use crate::wire::{Payload, Writer, copy};

/// Bytes that are read and written like others, but printed only where that is asked for.
pub struct Secret;

/// What a [`Secret`] reads as. Its `Debug` says how many bytes there are, and not which.
///
/// ```
/// use ringlink_codec::table::SecretBytes;
///
/// let key = SecretBytes::new(&[7; 32]);
/// assert_eq!(format!("{key:?}"), "(32 secret bytes)");
/// assert_eq!(key.expose(), [7; 32]);
/// ```
#[derive(Clone, Copy)]
pub struct SecretBytes<'a>(&'a [u8]);

impl<'a> SecretBytes<'a> {
    /// These bytes.
    #[inline]
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes. Whoever takes them keeps them out of output and logs.
    #[inline]
    #[must_use]
    pub const fn expose(self) -> &'a [u8] {
        self.0
    }
}

impl fmt::Debug for SecretBytes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({} secret bytes)", self.0.len())
    }
}

impl Value for Secret {
    type Read<'a> = SecretBytes<'a>;
    const SHAPE: Shape = Shape::Secret;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<SecretBytes<'_>, Malformed> {
        Ok(SecretBytes(payload.bytes))
    }
}

impl Encode<Secret> for SecretBytes<'_> {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        writer.mark_secret();
        writer.bytes(self.0);
    }
}

impl Encode<Secret> for &[u8] {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        writer.mark_secret();
        writer.bytes(self);
    }
}

impl<const N: usize> Encode<Secret> for &[u8; N] {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        writer.mark_secret();
        writer.bytes(self);
    }
}

/// A struct, then secret bytes: the name of an algorithm and its key.
pub struct Keyed<H>(PhantomData<H>);

impl<H: Record> Value for Keyed<H> {
    type Read<'a> = (H, SecretBytes<'a>);
    const SHAPE: Shape = Shape::Keyed(H::LAYOUT);

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<(H, SecretBytes<'_>), Malformed> {
        let secret = payload.bytes.get(size_of::<H>()..).unwrap_or_default();
        Ok((H::from_bytes(payload.bytes), SecretBytes(secret)))
    }
}

impl<H: Record> Encode<Keyed<H>> for (H, SecretBytes<'_>) {
    fn encode(self, writer: &mut Writer<'_>) {
        writer.mark_secret();
        self.0.write(writer);
        writer.bytes(self.1.0);
    }
}

/// Up to `N` secret bytes of one's own, wiped when they are dropped.
///
/// ```
/// use ringlink_codec::table::OwnedSecret;
///
/// let key = OwnedSecret::<32>::new(b"not for your eyes").unwrap();
/// assert_eq!(format!("{key:?}"), "(17 secret bytes)");
/// assert_eq!(key.get().expose(), b"not for your eyes");
/// assert!(OwnedSecret::<4>::new(b"too long").is_none());
/// ```
///
/// What [`wipe`] promises and what not holds here, too; a move may leave a copy behind, so it is best boxed or kept
/// where it was made.
pub struct OwnedSecret<const N: usize> {
    bytes: [u8; N],
    /// INVARIANT: at most `N`.
    length: usize,
}

impl<const N: usize> OwnedSecret<N> {
    /// A copy of these bytes, where there is room for them.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        let mut secret = Self { bytes: [0; N], length: bytes.len() };
        copy(secret.bytes.get_mut(..bytes.len())?, bytes);
        Some(secret)
    }

    /// The bytes.
    #[must_use]
    pub fn get(&self) -> SecretBytes<'_> {
        SecretBytes(self.bytes.get(..self.length).unwrap_or_default())
    }
}

impl<const N: usize> fmt::Debug for OwnedSecret<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.get(), f)
    }
}

impl<const N: usize> Drop for OwnedSecret<N> {
    fn drop(&mut self) {
        wipe(&mut self.bytes);
    }
}

/// Overwrites bytes that were secret: a buffer that a request with a key was written into, or an answer with one was
/// received in.
///
/// The zeros are shown to [`black_box`](core::hint::black_box), so that compilers keep the writes although nobody reads
/// what they wrote. That is what compilers do today and no promise of the language: a volatile write would be one, and takes
/// unsafe code. Copies elsewhere are not found: in registers, on the stack, in swapped memory, in the kernel's own buffers.
///
/// ```
/// let mut buffer = *b"a key";
/// ringlink_codec::table::wipe(&mut buffer);
/// assert_eq!(buffer, [0; 5]);
/// ```
pub fn wipe(bytes: &mut [u8]) {
    bytes.fill(0);
    core::hint::black_box(bytes);
}
