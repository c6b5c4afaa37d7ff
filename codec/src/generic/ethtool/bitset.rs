//! Sets of bits, in the two forms in which they are sent: each bit with its name, or words without names.

use crate::space;
use crate::table::{All, Attributes, Bytes, Flag, Many, Nest, Str, Table, Text};
use crate::wire::{Error, ErrorKind, Payload, short};

space! {
    /// A set of bits.
    pub Bitset, "ETHTOOL_A_BITSET_" {
        /// It is a list of the bits that are set; without this, it also says which bits are meant.
        NOMASK: Flag = 1,
        /// How many bits there are.
        SIZE: u32 = 2,
        /// The bits one by one.
        BITS: Nest<BitsetBits> = 3,
        /// The bits in words of 32, least first, in the machine's byte order.
        VALUE: Bytes = 4,
        /// Which bits are meant, in words.
        MASK: Bytes = 5,
    }
}

space! {
    /// Bits one by one.
    pub BitsetBits, "ETHTOOL_A_BITSET_BITS_" {
        /// A bit.
        BIT: Many<Nest<BitsetBit>> = 1,
    }
}

space! {
    /// A bit: by number, by name, or both.
    pub BitsetBit, "ETHTOOL_A_BITSET_BIT_" {
        /// Its number.
        INDEX: u32 = 1,
        /// Its name.
        NAME: Str = 2,
        /// It is set; where all bits in the list are set, this is not sent.
        VALUE: Flag = 3,
    }
}

/// A bit of a set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bit<'a> {
    /// Its number; the kernel always tells it.
    pub index: Option<u32>,
    /// Its name; not in sets of words.
    pub name: Option<Text<'a>>,
    /// Whether it is set.
    pub value: bool,
}

/// The bits of a set, in either form: those that are meant, or, in a list of set bits, those.
///
/// ```
/// use ringlink_codec::generic::ethtool::{Bitset, BitsetBit, BitsetBits, BitsetView};
/// use ringlink_codec::table::{AttributeWriter, Attributes};
/// use ringlink_codec::wire::{Payload, Writer};
///
/// let mut buffer = [0; 64];
/// let mut writer = Writer::new(&mut buffer);
/// let mut bitset = AttributeWriter::<Bitset>::new(&mut writer);
/// bitset.put(Bitset::SIZE, 40);
/// bitset.put(Bitset::VALUE, &[0_u32.to_ne_bytes(), 0x80_u32.to_ne_bytes()].concat()[..]);
/// bitset.put(Bitset::MASK, &[1_u32.to_ne_bytes(), 0x80_u32.to_ne_bytes()].concat()[..]);
/// let bytes = writer.finish()?;
///
/// let view = BitsetView::of(Attributes::new(Payload { bytes, offset: 0 }))?;
/// let bits: Result<Vec<_>, _> = view.map(|bit| bit.map(|bit| (bit.index, bit.value))).collect();
/// assert_eq!(bits?, [(Some(0), false), (Some(39), true)]);
/// # Ok::<(), ringlink_codec::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct BitsetView<'a> {
    size: u32,
    masked: bool,
    form: Form<'a>,
}

#[derive(Clone, Debug)]
enum Form<'a> {
    Named(All<'a, BitsetBits, Many<Nest<BitsetBit>>>),
    Words { next: u32, value: &'a [u8], meant: &'a [u8] },
}

impl<'a> BitsetView<'a> {
    /// Reads a set.
    ///
    /// # Errors
    ///
    /// If an attribute cannot be read, or the words are not as many as the bits need.
    pub fn of(bitset: Attributes<'a, Bitset>) -> Result<Self, Error> {
        let (list, size, bits, value, mask) =
            bitset.read((Bitset::NOMASK, Bitset::SIZE, Bitset::BITS, Bitset::VALUE, Bitset::MASK))?;
        let (size, masked) = (size.unwrap_or(0), list.is_none());
        let form = match (bits, value) {
            (None, Some(value)) => {
                let meant = if masked { mask.unwrap_or_default() } else { value };
                for (number, words) in [(Bitset::VALUE.number(), value), (Bitset::MASK.number(), meant)] {
                    check(bitset.payload(), number, words, size)?;
                }
                Form::Words { next: 0, value, meant }
            }
            (bits, _) => {
                let none = Payload { bytes: &[], offset: bitset.payload().offset };
                Form::Named(bits.unwrap_or(Attributes::new(none)).all(BitsetBits::BIT))
            }
        };
        Ok(Self { size, masked, form })
    }

    /// How many bits there are; 0 where that is not said.
    #[must_use]
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// Whether it says which bits are meant; else it is a list of those that are set.
    #[must_use]
    pub const fn is_masked(&self) -> bool {
        self.masked
    }
}

impl<'a> Iterator for BitsetView<'a> {
    type Item = Result<Bit<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.form {
            Form::Named(bits) => {
                let bit = bits.next()?.and_then(|bit| bit.read((BitsetBit::INDEX, BitsetBit::NAME, BitsetBit::VALUE)));
                let masked = self.masked;
                Some(bit.map(|(index, name, value)| Bit { index, name, value: value.is_some() || !masked }))
            }
            Form::Words { next, value, meant } => {
                let index = (*next..self.size).find(|index| is_set(meant, *index));
                *next = index.map_or(self.size, |index| index.saturating_add(1));
                index.map(|index| Ok(Bit { index: Some(index), name: None, value: is_set(value, index) }))
            }
        }
    }
}

/// Whether a bit is set in words of 32.
fn is_set(words: &[u8], index: u32) -> bool {
    let word = usize::try_from(index / 32).ok().and_then(|word| words.get(word.checked_mul(4)?..)?.first_chunk());
    word.is_some_and(|word| u32::from_ne_bytes(*word) >> (index % 32) & 1 == 1)
}

/// Checks that there are as many words as the bits need.
fn check(run: Payload<'_>, number: u16, words: &[u8], size: u32) -> Result<(), Error> {
    let expected = size.div_ceil(32).saturating_mul(4);
    let found = short(words.len());
    if found == expected {
        return Ok(());
    }
    let kind = ErrorKind::PayloadLength { found, expected };
    let name = Bitset::space().row(number).map_or("", |row| row.name);
    Err(Error { kind, offset: run.offset, attribute: number, name })
}
