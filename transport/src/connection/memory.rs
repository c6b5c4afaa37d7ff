//! Bytes that may be secret, and then do not stay.

use std::ops::{Deref, DerefMut};

use ringlink_codec::table::wipe;

/// A buffer that is overwritten, where it held secrets, when they are no longer needed and at the latest when it is dropped.
#[derive(Default)]
pub(super) struct Memory {
    bytes: Vec<u8>,
    secret: bool,
}

impl Memory {
    /// So many zeros.
    pub(super) fn new(length: usize) -> Memory {
        Memory { bytes: vec![0; length], secret: false }
    }

    /// Says that what is in it, or will be, is secret.
    #[inline]
    pub(super) fn mark_secret(&mut self) {
        self.secret = true;
    }

    /// The bytes, and whether they are secret, for who writes.
    #[inline]
    pub(super) fn parts(&mut self) -> (&mut [u8], &mut bool) {
        (&mut self.bytes, &mut self.secret)
    }

    /// Forgets what was in it. What is secret is overwritten, behind the end too; it stays as long as it is.
    #[inline]
    pub(super) fn forget(&mut self) {
        if self.secret {
            self.overwrite();
            self.secret = false;
        }
    }

    /// Puts a copy of these bytes in the place of what was there.
    #[inline]
    pub(super) fn keep(&mut self, bytes: &[u8]) {
        if self.secret {
            // Where there is no room, the memory that is given up must not have the old ones.
            self.overwrite();
        }
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
    }

    /// Has no bytes any more.
    #[inline]
    pub(super) fn clear(&mut self) {
        self.keep(&[]);
    }

    #[cold]
    fn overwrite(&mut self) {
        let length = self.bytes.len();
        self.bytes.resize(self.bytes.capacity(), 0);
        wipe(&mut self.bytes);
        self.bytes.truncate(length);
    }
}

impl Deref for Memory {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl DerefMut for Memory {
    #[inline]
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        if self.secret {
            self.overwrite();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_stay() {
        let mut memory = Memory::new(4);
        memory.copy_from_slice(b"key!");
        memory.forget();
        assert_eq!(&*memory, b"key!", "nobody said that it was secret");
        memory.mark_secret();
        memory.forget();
        assert_eq!(&*memory, [0; 4]);
        memory.mark_secret();
        memory.keep(b"key!");
        memory.keep(b"a");
        // What was behind the end is gone, too.
        memory.bytes.resize(4, 1);
        assert_eq!(&*memory, [b'a', 1, 1, 1]);
        memory.clear();
        assert!(memory.is_empty());
    }
}
