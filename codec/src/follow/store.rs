//! Where the objects that are followed are kept.

use super::Key;

/// Keeps the objects that are followed, by their keys, or a part of them, or nothing: `()` is the store that keeps nothing.
///
/// Objects have generations: [`begin`](Store::begin) starts one when all are about to be put anew, and
/// [`sweep`](Store::sweep) takes out those of older generations, which are no longer there.
pub trait Store {
    /// Starts a new generation.
    fn begin(&mut self);

    /// Keeps an object: the payload of its message. The digest says whether what is there already is the same.
    ///
    /// # Errors
    ///
    /// If there is no room for it; what is kept stays.
    fn put(&mut self, key: Key, digest: u64, payload: &[u8]) -> Result<Put, Full>;

    /// Takes an object out; says whether it was there. A store that keeps nothing says yes.
    fn remove(&mut self, key: &Key) -> bool;

    /// How many others there are at an object's place.
    fn others(&self, key: &Key) -> usize;

    /// Takes out the others at an object's place, and shows each.
    fn remove_others(&mut self, key: &Key, gone: &mut dyn FnMut(&[u8]));

    /// Takes out what was not put since the generation started, and shows each.
    fn sweep(&mut self, gone: &mut dyn FnMut(&[u8]));
}

/// What [`Store::put`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// It was not there.
    Added,
    /// It was there, with another digest.
    Changed,
    /// It was there with this digest.
    Same,
}

/// There was no room for an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl core::fmt::Display for Full {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("the table of what is followed is full")
    }
}

impl core::error::Error for Full {}

impl Store for () {
    fn begin(&mut self) {}

    fn put(&mut self, _: Key, _: u64, _: &[u8]) -> Result<Put, Full> {
        Ok(Put::Added)
    }

    fn remove(&mut self, _: &Key) -> bool {
        true
    }

    fn others(&self, _: &Key) -> usize {
        0
    }

    fn remove_others(&mut self, _: &Key, _: &mut dyn FnMut(&[u8])) {}

    fn sweep(&mut self, _: &mut dyn FnMut(&[u8])) {}
}

/// A table of at most `N` objects whose messages have at most `B` bytes of payload, without an allocator.
///
/// ```
/// use ringlink_codec::follow::{FixedTable, Full, Key, Put, Store};
///
/// let mut table = FixedTable::<2, 16>::new();
/// let [one, two, three] = [1, 2, 3].map(|number| Key::new().with(&[number]));
/// assert_eq!(table.put(one, 1, b"first"), Ok(Put::Added));
/// assert_eq!(table.put(two, 2, b"second"), Ok(Put::Added));
/// assert_eq!(table.put(three, 3, b"third"), Err(Full));
/// table.begin();
/// assert_eq!(table.put(two, 2, b"second"), Ok(Put::Same));
/// let mut gone = 0;
/// table.sweep(&mut |payload| gone += usize::from(payload == b"first"));
/// assert_eq!((gone, table.len()), (1, 1));
/// ```
#[derive(Clone, Debug, Default)]
pub struct FixedTable<const N: usize, const B: usize> {
    /// By ascending key.
    entries: heapless::Vec<Entry<B>, N>,
    generation: u32,
}

/// An object in a [`FixedTable`].
#[derive(Clone, Debug)]
pub struct Entry<const B: usize> {
    /// What tells it from others.
    pub key: Key,
    /// The payload of its message.
    pub payload: heapless::Vec<u8, B>,
    digest: u64,
    generation: u32,
}

impl<const N: usize, const B: usize> FixedTable<N, B> {
    /// An empty table.
    #[must_use]
    pub const fn new() -> Self {
        Self { entries: heapless::Vec::new(), generation: 0 }
    }

    /// The objects, by ascending key.
    pub fn iter(&self) -> impl Iterator<Item = &Entry<B>> {
        self.entries.iter()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn find(&self, key: &Key) -> Result<usize, usize> {
        self.entries.binary_search_by(|entry| entry.key.cmp(key))
    }

    fn take_out(&mut self, mut leaves: impl FnMut(&Entry<B>) -> bool, gone: &mut dyn FnMut(&[u8])) {
        self.entries.retain(|entry| {
            let leaves = leaves(entry);
            if leaves {
                gone(&entry.payload);
            }
            !leaves
        });
    }
}

impl<const N: usize, const B: usize> Store for FixedTable<N, B> {
    fn begin(&mut self) {
        self.generation = self.generation.wrapping_add(1);
    }

    fn put(&mut self, key: Key, digest: u64, payload: &[u8]) -> Result<Put, Full> {
        let payload = heapless::Vec::from_slice(payload).map_err(|_| Full)?;
        let found = self.find(&key);
        if let Some(entry) = found.ok().and_then(|at| self.entries.get_mut(at)) {
            entry.generation = self.generation;
            let put = if entry.digest == digest { Put::Same } else { Put::Changed };
            entry.digest = digest;
            entry.payload = payload;
            return Ok(put);
        }
        if self.entries.is_full() {
            return Err(Full);
        }
        // Each that is behind moves on by one; that a `Vec`'s own insertion does not panic, nobody would prove.
        let mut moved = Entry { key, payload, digest, generation: self.generation };
        let (Ok(at) | Err(at)) = found;
        for entry in self.entries.get_mut(at..).unwrap_or_default() {
            core::mem::swap(entry, &mut moved);
        }
        self.entries.push(moved).map(|()| Put::Added).map_err(|_| Full)
    }

    fn remove(&mut self, key: &Key) -> bool {
        let (Ok(at), Some(mut moved)) = (self.find(key), self.entries.last().cloned()) else { return false };
        for entry in self.entries.get_mut(at..).unwrap_or_default().iter_mut().rev() {
            core::mem::swap(entry, &mut moved);
        }
        self.entries.pop().is_some()
    }

    fn others(&self, key: &Key) -> usize {
        self.entries.iter().filter(|entry| entry.key.shares_place(key) && entry.key != *key).count()
    }

    fn remove_others(&mut self, key: &Key, gone: &mut dyn FnMut(&[u8])) {
        self.take_out(|entry| entry.key.shares_place(key) && entry.key != *key, gone);
    }

    fn sweep(&mut self, gone: &mut dyn FnMut(&[u8])) {
        let generation = self.generation;
        self.take_out(|entry| entry.generation != generation, gone);
    }
}
