//! What is followed.

use crate::table::{Format, Operation};
use crate::wire::Message;

/// A family of objects that can be dumped and whose changes are told: interfaces, routes, or something of one's own.
///
/// The families of rtnetlink are in [`route::watched`](crate::route::watched). One of your own:
///
/// ```
/// use ringlink_codec::follow::{Key, Meaning, Subject};
/// use ringlink_codec::prelude::*;
/// use ringlink_codec::route::{Group, GeneralHeader, Namespace, NamespaceMessage, Rtm};
///
/// /// The ids of network namespaces.
/// struct Ids;
///
/// impl Subject for Ids {
///     type Question = NamespaceMessage;
///     type Answer = NamespaceMessage;
///
///     fn dump(&self) -> Operation<NamespaceMessage> {
///         Rtm::GETNSID
///     }
///
///     fn header(&self) -> GeneralHeader {
///         GeneralHeader::default()
///     }
///
///     fn groups(&self) -> &[u32] {
///         &[Group::NSID.0]
///     }
///
///     fn meaning(&self, message: Message<'_>) -> Meaning {
///         let gone = message.header.kind == Rtm::DELNSID.kind;
///         let Ok(Some(id)) = Body::<NamespaceMessage>::of(message).attributes.get(Namespace::NSID) else {
///             return Meaning::Other;
///         };
///         let key = Key::new().with(&id.to_ne_bytes());
///         if gone { Meaning::Gone(key) } else { Meaning::Beside(key) }
///     }
/// }
/// # let _ = Ids.groups();
/// ```
pub trait Subject {
    /// What a question for all objects carries.
    type Question: Format;
    /// What an object's message carries; the same in dumps and events.
    type Answer: Format;

    /// The operation that dumps all objects.
    fn dump(&self) -> Operation<Self::Question, Self::Answer>;

    /// The fixed header of that question.
    fn header(&self) -> <Self::Question as Format>::Header;

    /// The multicast groups in which changes are told, and what makes for doubt.
    fn groups(&self) -> &[u32];

    /// What a message means, be it of a dump or an event.
    fn meaning(&self, message: Message<'_>) -> Meaning;

    /// A digest of what an object's message says, but for what changes all the time and is not told, such as counters: objects
    /// with the same digest count as the same. Without a reason for another it is that of the whole payload.
    fn digest(&self, message: Message<'_>) -> u64 {
        Digest::new().with(message.payload).0
    }
}

/// A hash of bytes (FNV-1a, 64 bits).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub u64);

impl Default for Digest {
    fn default() -> Self {
        Self::new()
    }
}

impl Digest {
    /// That of no bytes.
    #[must_use]
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// That of these bytes behind those before.
    #[must_use]
    pub fn with(self, bytes: &[u8]) -> Self {
        let add = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self(bytes.iter().fold(self.0, add))
    }
}

/// What a message means for a table of objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Nothing.
    Other,
    /// This object is there, and others at its place stay.
    Beside(Key),
    /// This object is there instead of the one at its place. Where several are at that place, the message does not say which.
    Instead(Key),
    /// This object is there, and others at its place may have become a part of it.
    Among(Key),
    /// This object is there, others at its place stay, and it or others may be otherwise than was told.
    Uncertain(Key),
    /// This object is gone.
    Gone(Key),
    /// Something happened that may have changed objects without a message for each.
    Doubt,
}

/// Bytes of a [`Key`]'s place.
const PLACE: usize = 48;

/// What tells an object from others: its place, which a replacement keeps, and the variant that stands there.
///
/// ```
/// use ringlink_codec::follow::Key;
///
/// let route = Key::new().with(&[10, 0, 0, 0]).with(&[8]);
/// let (one, other) = (route.variant(b"via 10.0.0.1"), route.variant(b"via 10.0.0.2"));
/// assert!(one != other && one.shares_place(&other));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    place: [u8; PLACE],
    length: u8,
    variant: Digest,
}

impl Default for Key {
    fn default() -> Self {
        Self::new()
    }
}

impl Key {
    /// A place without a name.
    #[must_use]
    pub const fn new() -> Self {
        Self { place: [0; PLACE], length: 0, variant: Digest::new() }
    }

    /// The same with more bytes in the place's name. What does not fit 48 bytes tells variants apart instead.
    #[must_use]
    pub fn with(mut self, bytes: &[u8]) -> Self {
        let start = usize::from(self.length);
        let room = self.place.get_mut(start..).unwrap_or_default();
        let (fits, rest) = bytes.split_at_checked(room.len()).unwrap_or((bytes, &[]));
        for (to, from) in room.iter_mut().zip(fits) {
            *to = *from;
        }
        self.length = self.length.saturating_add(u8::try_from(fits.len()).unwrap_or(u8::MAX));
        match rest {
            [] => self,
            rest => self.variant(rest),
        }
    }

    /// The same with more bytes in the variant's name, of which a digest is kept.
    #[must_use]
    pub fn variant(self, bytes: &[u8]) -> Self {
        Self { variant: self.variant.with(bytes), ..self }
    }

    /// Whether both are at the same place.
    #[must_use]
    pub fn shares_place(&self, other: &Self) -> bool {
        self.place == other.place && self.length == other.length
    }

    /// The least key of this place: those of one place are neighbours in a sorted table.
    #[must_use]
    pub const fn first_of_place(self) -> Self {
        Self { variant: Digest(0), ..self }
    }
}

impl core::fmt::Debug for Key {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Key(")?;
        for byte in self.place.iter().take(usize::from(self.length)) {
            write!(f, "{byte:02x}")?;
        }
        write!(f, "/{:x})", self.variant.0)
    }
}
