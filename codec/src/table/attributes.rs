//! Reading attributes by their keys.

use core::marker::PhantomData;

use super::value::locate;
use super::{Alternative, Choice, Chosen, Key, Nest, Table, Value};
use crate::wire::{ATTRIBUTE_HEADER, Error, Payload, RawAttribute, RawAttributes, TYPE_MASK, place};

/// The attributes of one nest or one message, of the space `S`. Nothing is decoded before it is asked for.
pub struct Attributes<'a, S> {
    payload: Payload<'a>,
    space: PhantomData<fn() -> S>,
}

impl<S> Clone for Attributes<'_, S> {
    #[inline]
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Attributes<'_, S> {}

impl<S: Table> core::fmt::Debug for Attributes<'_, S> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        crate::print::attributes(f, S::space(), self.payload)
    }
}

impl<'a, S> Attributes<'a, S> {
    /// The attributes in these bytes.
    #[inline]
    #[must_use]
    pub const fn new(payload: Payload<'a>) -> Self {
        Self { payload, space: PhantomData }
    }

    /// The bytes.
    #[inline]
    #[must_use]
    pub const fn payload(self) -> Payload<'a> {
        self.payload
    }

    /// The attributes one by one, not decoded, unknown ones included.
    #[inline]
    #[must_use]
    pub fn raw(self) -> RawAttributes<'a> {
        RawAttributes::new(self.payload.bytes, self.payload.offset)
    }
}

impl<'a, S: Table> Attributes<'a, S> {
    /// Reads several attributes in one pass: a tuple of keys gives a tuple of options. Tuples nest, so that any number
    /// of keys can be read at once.
    ///
    /// The last occurrence of an attribute counts. What is not asked for, or overridden by a later occurrence, is not
    /// decoded and cannot fail.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, or one that was asked for has the wrong length.
    #[inline]
    pub fn read<K: Keys<S>>(self, keys: K) -> Result<K::Read<'a>, Error> {
        let mut slots = K::Slots::default();
        let mut run = self.raw();
        while let Some((kind, bytes)) = run.advance() {
            keys.offer(&mut slots, kind & TYPE_MASK, bytes);
        }
        run.finish()?;
        keys.finish(slots, self.payload)
    }

    /// Reads one attribute.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    #[inline]
    pub fn get<V: Value>(self, key: Key<S, V>) -> Result<Option<V::Read<'a>>, Error> {
        self.read(key)
    }

    /// Where an attribute starts, in bytes from the start of the message: what a refusal points with. The last occurrence
    /// counts.
    #[must_use]
    pub fn place<V>(self, key: Key<S, V>) -> Option<u32> {
        let occurrences = self.raw().map_while(Result::ok).filter(|raw| raw.number() == key.number());
        occurrences.last().map(|raw| raw.payload.offset.saturating_sub(place(ATTRIBUTE_HEADER)))
    }

    /// Every occurrence of an attribute, in order.
    #[inline]
    pub fn all<V: Value>(self, key: Key<S, V>) -> All<'a, S, V> {
        All { attributes: self.raw(), key }
    }

    /// A payload that something else chooses, if it is a nest of `T`: the sibling that chooses is read too.
    ///
    /// `None` where the payload is not there or the sibling says something else. A choice made by the message's fixed
    /// header is the caller's to check: then this takes `T` at its word.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken.
    pub fn chosen<C, T>(self, key: Key<S, Choice<C>>, nest: T) -> Result<Option<Attributes<'a, T>>, Error>
    where
        C: super::Choices,
        T: Table,
        Nest<T>: Alternative<C>,
    {
        let _ = nest;
        let chosen = self.chosen_payload::<C, Nest<T>>(key)?;
        Ok(chosen.map(Attributes::new))
    }

    /// A payload that something else chooses, if it is a `V`.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, or the payload is not a `V`.
    pub fn chosen_value<C, V>(self, key: Key<S, Choice<C>>) -> Result<Option<V::Read<'a>>, Error>
    where
        C: super::Choices,
        V: Alternative<C>,
    {
        let Some(payload) = self.chosen_payload::<C, V>(key)? else {
            return Ok(None);
        };
        V::decode(payload).map(Some).map_err(|kind| locate(kind, payload.offset, key.number(), S::names))
    }

    fn chosen_payload<C, V>(self, key: Key<S, Choice<C>>) -> Result<Option<Payload<'a>>, Error>
    where
        C: super::Choices,
        V: Alternative<C>,
    {
        let Some(Chosen { payload, .. }) = self.get(key)? else {
            return Ok(None);
        };
        let selects = super::choice::selects::<C, V>(S::space(), self.raw())?;
        Ok(selects.then_some(payload))
    }
}

/// The occurrences of one attribute.
pub struct All<'a, S, V> {
    attributes: RawAttributes<'a>,
    key: Key<S, V>,
}

impl<S, V> Clone for All<'_, S, V> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S, V> Copy for All<'_, S, V> {}

impl<S: Table, V> core::fmt::Debug for All<'_, S, V> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("All").field("key", &self.key).field("attributes", &self.attributes).finish()
    }
}

impl<'a, S: Table, V: Value> Iterator for All<'a, S, V> {
    type Item = Result<V::Read<'a>, Error>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.attributes.next()? {
                Ok(raw) if raw.number() == self.key.number() => return Some(decode::<S, V>(raw)),
                Ok(_) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }
}

#[inline]
fn decode<'a, S: Table, V: Value>(raw: RawAttribute<'a>) -> Result<V::Read<'a>, Error> {
    V::decode(raw.payload).map_err(|kind| locate(kind, raw.payload.offset, raw.number(), S::names))
}

/// Keys that are read together: a key, or a tuple of up to twelve keys or tuples.
pub trait Keys<S>: Copy {
    /// What reading gives: an option for a key, a tuple for a tuple.
    type Read<'a>;
    /// The payloads found so far.
    #[doc(hidden)]
    type Slots<'a>: Default;

    /// Keeps a payload if one of the keys wants it.
    #[doc(hidden)]
    fn offer<'a>(self, slots: &mut Self::Slots<'a>, number: u16, bytes: &'a [u8]) -> bool;

    /// Decodes what was kept; `run` is where the payloads stand.
    #[doc(hidden)]
    fn finish<'a>(self, slots: Self::Slots<'a>, run: Payload<'a>) -> Result<Self::Read<'a>, Error>;
}

impl<S: Table, V: Value> Keys<S> for Key<S, V> {
    type Read<'a> = Option<V::Read<'a>>;
    type Slots<'a> = Option<&'a [u8]>;

    #[inline(always)]
    fn offer<'a>(self, slot: &mut Option<&'a [u8]>, number: u16, bytes: &'a [u8]) -> bool {
        if number != self.number() {
            return false;
        }
        *slot = Some(bytes);
        true
    }

    #[inline(always)]
    fn finish<'a>(self, slot: Option<&'a [u8]>, run: Payload<'a>) -> Result<Option<V::Read<'a>>, Error> {
        let Some(bytes) = slot else { return Ok(None) };
        // The payload is a part of the run, so its place is the distance of the two; the loop need not carry it.
        let inside = bytes.as_ptr().addr().wrapping_sub(run.bytes.as_ptr().addr());
        let offset = run.offset.wrapping_add(place(inside));
        match V::decode(Payload { bytes, offset }) {
            Ok(value) => Ok(Some(value)),
            Err(kind) => Err(locate(kind, offset, self.number(), S::names)),
        }
    }
}

/// `keys! { (A 0, B 1) }` makes a tuple of two keys readable.
macro_rules! keys {
    ($(($($key:ident $at:tt),+))*) => {$(
        impl<S, $($key: Keys<S>),+> Keys<S> for ($($key,)+) {
            type Read<'a> = ($($key::Read<'a>,)+);
            type Slots<'a> = ($($key::Slots<'a>,)+);

            #[inline(always)]
            fn offer<'a>(self, slots: &mut Self::Slots<'a>, number: u16, bytes: &'a [u8]) -> bool {
                $(self.$at.offer(&mut slots.$at, number, bytes))||+
            }

            #[inline(always)]
            fn finish<'a>(self, slots: Self::Slots<'a>, run: Payload<'a>) -> Result<Self::Read<'a>, Error> {
                Ok(($(self.$at.finish(slots.$at, run)?,)+))
            }
        }
    )*};
}

keys! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, F 5)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10)
    (A 0, B 1, C 2, D 3, E 4, F 5, G 6, H 7, I 8, J 9, K 10, L 11)
}
