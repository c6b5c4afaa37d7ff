//! Writing bytes into a buffer that the caller owns.

use core::fmt;

use super::{ATTRIBUTE_HEADER, Error, ErrorKind, align, copy, short};

/// Writes into a slice; errors stick and come back once, from [`Writer::finish`].
///
/// After the first overflow it only counts, so that the error says the size that would have been enough.
pub struct Writer<'b> {
    buffer: &'b mut [u8],
    length: usize,
    error: Option<Error>,
    secret: bool,
}

impl fmt::Debug for Writer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let capacity = self.buffer.len();
        f.debug_struct("Writer")
            .field("capacity", &capacity)
            .field("length", &self.length)
            .field("error", &self.error)
            .finish()
    }
}

impl<'b> Writer<'b> {
    /// A writer at the start of `buffer`.
    #[inline]
    pub const fn new(buffer: &'b mut [u8]) -> Self {
        Self { buffer, length: 0, error: None, secret: false }
    }

    /// Bytes written so far, or that would have been written into a large enough buffer.
    #[inline]
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// What was written from a place on; nothing where the buffer ended earlier.
    #[cfg(feature = "arbitrary")]
    pub(crate) fn written(&self, start: usize) -> &[u8] {
        self.buffer.get(start..self.length).unwrap_or_default()
    }

    /// Notes that something written, or to be written, is secret: keys do so by themselves, bytes that no table knows cannot.
    #[inline]
    pub const fn mark_secret(&mut self) {
        self.secret = true;
    }

    /// Whether something secret was written, so that the buffer is to be [wiped](crate::table::wipe) after use, whether or not
    /// the message could be finished.
    #[inline]
    #[must_use]
    pub const fn is_secret(&self) -> bool {
        self.secret
    }

    /// Whether all that was written so far is good.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.error.is_none() && self.length <= self.buffer.len()
    }

    /// Appends bytes whose number is fixed.
    #[inline]
    pub fn array<const N: usize>(&mut self, bytes: [u8; N]) {
        if let Some(space) = self.buffer.get_mut(self.length..).and_then(<[u8]>::first_chunk_mut) {
            *space = bytes;
        }
        self.length = self.length.saturating_add(N);
    }

    /// Appends bytes.
    #[inline]
    pub fn bytes(&mut self, bytes: &[u8]) {
        let end = self.length.saturating_add(bytes.len());
        if let Some(space) = self.buffer.get_mut(self.length..end) {
            copy(space, bytes);
        }
        self.length = end;
    }

    /// Goes past `size` bytes and lends them to be filled; nothing where the buffer has no such bytes.
    #[inline]
    pub(crate) fn space(&mut self, size: usize) -> &mut [u8] {
        let start = self.length;
        let end = start.saturating_add(size);
        self.length = end;
        self.buffer.get_mut(start..end).unwrap_or_default()
    }

    /// Appends zeros up to the next multiple of four.
    #[inline]
    pub fn pad(&mut self) {
        let end = align(self.length);
        // Most of what is written needs none.
        if end != self.length {
            if let Some(space) = self.buffer.get_mut(self.length..end) {
                space.fill(0);
            }
            self.length = end;
        }
    }

    /// Overwrites bytes written before; nothing where the buffer ended earlier.
    #[inline]
    pub fn patch<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        if let Some(space) = self.buffer.get_mut(at..).and_then(<[u8]>::first_chunk_mut) {
            *space = bytes;
        }
    }

    /// Opens an attribute of this type (flags included) and returns its place, for [`Writer::close`].
    #[inline]
    pub fn open(&mut self, kind: u16) -> usize {
        let start = self.length;
        let [low, high] = kind.to_ne_bytes();
        self.array([0, 0, low, high]);
        start
    }

    /// Closes the attribute opened at `start`: writes its length and pads it.
    #[inline]
    pub fn close(&mut self, start: usize) {
        let length = self.length.saturating_sub(start);
        match u16::try_from(length) {
            Ok(length) => self.patch(start, length.to_ne_bytes()),
            Err(_) => self.too_long(start, length),
        }
        self.pad();
    }

    /// Appends a whole attribute.
    #[inline]
    pub fn attribute(&mut self, kind: u16, payload: &[u8]) {
        let start = self.open(kind);
        self.bytes(payload);
        self.close(start);
    }

    /// Keeps the first error; later ones are its consequence.
    #[cold]
    pub(crate) fn fail(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    #[cold]
    fn too_long(&mut self, start: usize, length: usize) {
        let header = start.checked_add(2).and_then(|at| self.buffer.get(at..start.saturating_add(ATTRIBUTE_HEADER)));
        let attribute = match header {
            Some([low, high]) => u16::from_ne_bytes([*low, *high]) & 0x3fff,
            _ => 0,
        };
        let kind = ErrorKind::TooLong { length: short(length) };
        self.fail(Error { kind, offset: short(start), attribute, name: "" });
    }

    /// The bytes written.
    ///
    /// # Errors
    ///
    /// The first error, or [`ErrorKind::Full`] with the size that would have been enough.
    #[inline]
    pub fn finish(self) -> Result<&'b mut [u8], Error> {
        if let Some(error) = self.error {
            return Err(error);
        }
        let capacity = short(self.buffer.len());
        match self.buffer.get_mut(..self.length) {
            Some(written) => Ok(written),
            None => {
                let kind = ErrorKind::Full { needed: short(self.length), capacity };
                Err(Error::new(kind, capacity))
            }
        }
    }
}
