//! Records: text, read in place.

use core::fmt::{self, Write};

use super::RecordType;
use crate::table::Text;
use crate::wire::{Error, ErrorKind, MESSAGE_HEADER, MessageHeader, short};

/// What all records of an event have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// When it happened, in seconds since 1970.
    pub seconds: u64,
    /// And milliseconds.
    pub milliseconds: u16,
    /// Its number since the machine's start.
    pub serial: u32,
}

impl fmt::Display for EventId {
    /// As records have it: `1700000000.123:42`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:03}:{}", self.seconds, self.milliseconds, self.serial)
    }
}

/// A record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// What it tells.
    pub kind: RecordType,
    /// Of which event it is.
    pub id: EventId,
    /// What is behind `audit(…): `.
    pub text: &'a [u8],
    /// Where that starts in what was read, in bytes.
    offset: usize,
}

impl<'a> Record<'a> {
    /// The record in a datagram, whatever its header says of its length.
    ///
    /// # Errors
    ///
    /// If there are fewer than 16 bytes, or what follows does not begin with `audit(SECONDS.MILLISECONDS:SERIAL): `.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Error> {
        let Some((header, text)) = MessageHeader::split(datagram) else {
            return Err(Error::new(ErrorKind::MessageTruncated { found: short(datagram.len()) }, 0));
        };
        Self::read(RecordType(header.kind.0), text, MESSAGE_HEADER)
    }

    /// The record in a text, which is that of a message's payload.
    ///
    /// # Errors
    ///
    /// If it does not begin with `audit(SECONDS.MILLISECONDS:SERIAL): `.
    pub fn of_text(kind: RecordType, text: &'a [u8]) -> Result<Self, Error> {
        Self::read(kind, text, 0)
    }

    fn read(kind: RecordType, text: &'a [u8], offset: usize) -> Result<Self, Error> {
        let end =
            text.iter().rposition(|byte| !matches!(byte, 0 | b'\n' | b' ')).map_or(0, |last| last.wrapping_add(1));
        let text = text.get(..end).unwrap_or(text);
        let (id, rest) = identifier(text).ok_or_else(|| Error::new(ErrorKind::Unexpected, short(offset)))?;
        let offset = offset.saturating_add(text.len().saturating_sub(rest.len()));
        Ok(Self { kind, id, text: rest, offset })
    }

    /// Its fields, in order.
    #[must_use]
    pub const fn fields(&self) -> Fields<'a> {
        Fields { rest: self.text, offset: self.offset }
    }

    /// The first field of this name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<Field<'a>> {
        self.fields().map_while(Result::ok).find(|field| field.key == name)
    }
}

/// Reads `audit(SECONDS.MILLISECONDS:SERIAL):` and a space.
fn identifier(text: &[u8]) -> Option<(EventId, &[u8])> {
    let rest = text.strip_prefix(b"audit(")?;
    let (seconds, rest) = until(rest, b'.')?;
    let (milliseconds, rest) = until(rest, b':')?;
    let (serial, rest) = until(rest, b')')?;
    let rest = rest.strip_prefix(b":")?;
    let id = EventId {
        seconds: number(seconds, 10)?,
        milliseconds: number(milliseconds, 10)?.try_into().ok().filter(|milliseconds| *milliseconds < 1000)?,
        serial: number(serial, 10)?.try_into().ok()?,
    };
    Some((id, rest.strip_prefix(b" ").unwrap_or(rest)))
}

/// What is before a byte, and what is behind it.
fn until(bytes: &[u8], end: u8) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == end)?;
    Some((bytes.get(..at)?, bytes.get(at.checked_add(1)?..)?))
}

/// A number without a sign, in this base.
fn number(bytes: &[u8], base: u64) -> Option<u64> {
    let digit = |byte: &u8| char::from(*byte).to_digit(u32::try_from(base).ok()?).map(u64::from);
    if bytes.is_empty() {
        return None;
    }
    bytes.iter().try_fold(0_u64, |number, byte| number.checked_mul(base)?.checked_add(digit(byte)?))
}

/// A field of a record: `key=value`. A word by itself has an empty key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field<'a> {
    /// Its name.
    pub key: Text<'a>,
    /// Its value, as it is written.
    pub value: FieldValue<'a>,
    /// Where the value starts, in bytes from the start of what the record was read from.
    pub offset: u32,
}

/// A value as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FieldValue<'a> {
    /// Without quotes.
    Bare(Text<'a>),
    /// In double quotes: text that somebody else chose.
    Quoted(Text<'a>),
    /// In single quotes: fields that a program wrote.
    Nested(Text<'a>),
}

impl<'a> FieldValue<'a> {
    /// What is written, without quotes.
    #[must_use]
    pub const fn text(self) -> Text<'a> {
        match self {
            Self::Bare(text) | Self::Quoted(text) | Self::Nested(text) => text,
        }
    }
}

/// The fields of a record, in order. Yields the error of one whose quotes do not end once, then ends.
#[derive(Clone, Copy, Debug)]
pub struct Fields<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Fields<'a> {
    /// The fields in a text.
    #[must_use]
    pub const fn of(text: &'a [u8]) -> Self {
        Self { rest: text, offset: 0 }
    }

    /// Goes on by so many bytes and gives them.
    fn advance(&mut self, count: usize) -> &'a [u8] {
        let (taken, rest) = self.rest.split_at_checked(count).unwrap_or((self.rest, &[]));
        self.rest = rest;
        self.offset = self.offset.saturating_add(taken.len());
        taken
    }

    /// Goes past a quote, what is before the next that ends the value, and that one.
    fn quoted(&mut self, end: Option<usize>) -> Option<Text<'a>> {
        let end = end?;
        self.advance(1);
        let text = self.advance(end);
        self.advance(1);
        Some(Text::from_bytes(text))
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = Result<Field<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let spaces = self.rest.iter().take_while(|byte| matches!(byte, b' ' | b'\n' | 0x1d)).count();
        self.advance(spaces);
        if self.rest.is_empty() {
            return None;
        }
        let word = self.rest.iter().position(|byte| matches!(byte, b' ' | b'\n')).unwrap_or(self.rest.len());
        let key = self.rest.iter().take(word).position(|byte| *byte == b'=');
        let Some(length) = key.filter(|length| *length > 0) else {
            let offset = short(self.offset);
            let value = FieldValue::Bare(Text::from_bytes(self.advance(word)));
            return Some(Ok(Field { key: Text::default(), value, offset }));
        };
        let key = Text::from_bytes(self.advance(length));
        self.advance(1);
        let offset = short(self.offset);
        let inside = self.rest.get(1..).unwrap_or_default();
        let value = match self.rest.first() {
            Some(b'"') => self.quoted(inside.iter().position(|byte| *byte == b'"')).map(FieldValue::Quoted),
            // What a program wrote may have such quotes in it, and stands last.
            Some(b'\'') => {
                let last = inside.len().checked_sub(1).filter(|last| inside.get(*last) == Some(&b'\''));
                let end = last.or_else(|| inside.iter().position(|byte| *byte == b'\''));
                self.quoted(end).map(FieldValue::Nested)
            }
            _ => {
                let end = word.saturating_sub(length).saturating_sub(1);
                Some(FieldValue::Bare(Text::from_bytes(self.advance(end))))
            }
        };
        let Some(value) = value else {
            self.rest = &[];
            return Some(Err(Error::new(ErrorKind::Unexpected, offset)));
        };
        Some(Ok(Field { key, value, offset }))
    }
}

impl core::iter::FusedIterator for Fields<'_> {}

/// What a value is, by its field's name and the record's type.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Typed<'a> {
    /// There is none: `(null)`, `(none)`, `?`.
    Absent,
    /// A number, written in decimal.
    Number(i64),
    /// A number or bits, written in hexadecimal.
    Hex(u64),
    /// File permissions, written in octal.
    Octal(u32),
    /// Text that somebody else chose.
    Text(Untrusted<'a>),
    /// Bytes, written in hexadecimal.
    Bytes(Untrusted<'a>),
    /// Fields that a program wrote.
    Fields(Fields<'a>),
    /// A word of the kernel's.
    Word(Text<'a>),
}

/// Names of fields whose value is text that somebody else chose: in quotes, or in hexadecimal where it has quotes, spaces or
/// other bytes than visible ASCII in it.
const UNTRUSTED: &[&str] = &[
    "name",
    "comm",
    "exe",
    "cwd",
    "proctitle",
    "acct",
    "key",
    "ocomm",
    "path",
    "dir",
    "watch",
    "file",
    "data",
    "cmd",
    "vm",
    "grp",
    "new_group",
    "old_group",
    "device",
    "invalid_context",
    "sw",
    "root_dir",
    "fs_type",
    "id",
    "unit",
    "op_name",
];

/// Names of fields whose value is written in hexadecimal, without a sign of that.
const HEXADECIMAL: &[&str] = &[
    "arch", "code", "fp", "fi", "fe", "fver", "cap_fp", "cap_fi", "cap_fver", "cap_fe", "pp", "pi", "pe", "pa",
    "old_pp", "old_pi", "old_pe", "old_pa", "cap_pi", "cap_pp", "cap_pe", "cap_pa", "new_pp", "new_pi", "new_pe",
];

impl<'a> Field<'a> {
    /// What the value is, in a record of this type.
    #[must_use]
    pub fn typed(&self, kind: RecordType) -> Typed<'a> {
        let word = match self.value {
            FieldValue::Quoted(text) => return Typed::Text(Untrusted::plain(text)),
            FieldValue::Nested(text) => {
                let offset = usize::try_from(self.offset).unwrap_or(usize::MAX).saturating_add(1);
                return Typed::Fields(Fields { rest: text.as_bytes(), offset });
            }
            FieldValue::Bare(word) => word,
        };
        let bytes = word.as_bytes();
        if matches!(bytes, b"(null)" | b"(none)" | b"?") {
            return Typed::Absent;
        }
        let Some(key) = self.key.to_str() else { return Typed::Word(word) };
        // `a0` is an argument of a system call in one record, one of a program in another.
        let argument = matches!(key.as_bytes(), [b'a', b'0'..=b'9', ..]);
        let is_name = UNTRUSTED.contains(&key) || (argument && kind == RecordType::EXECVE && !key.ends_with("_len"));
        if is_name && key != "id" {
            return Untrusted::hexadecimal(bytes).map_or(Typed::Word(word), Typed::Text);
        }
        if key == "saddr" {
            return Untrusted::hexadecimal(bytes).map_or(Typed::Word(word), Typed::Bytes);
        }
        let hexadecimal = HEXADECIMAL.contains(&key) || (argument && kind != RecordType::EXECVE);
        let prefixed = bytes.strip_prefix(b"0x");
        let parsed = match (key, prefixed) {
            (_, Some(digits)) => number(digits, 16).map(Typed::Hex),
            ("mode", _) => number(bytes, 8).and_then(|mode| u32::try_from(mode).ok()).map(Typed::Octal),
            _ if hexadecimal => number(bytes, 16).map(Typed::Hex),
            _ => self.decimal().map(Typed::Number),
        };
        parsed.unwrap_or(Typed::Word(word))
    }

    /// The value as a number in decimal.
    #[must_use]
    pub fn decimal(&self) -> Option<i64> {
        let bytes = self.value.text().as_bytes();
        match bytes.strip_prefix(b"-") {
            Some(digits) => number(digits, 10).and_then(|number| 0_i64.checked_sub_unsigned(number)),
            None => number(bytes, 10).and_then(|number| i64::try_from(number).ok()),
        }
    }

    /// The value as a number in hexadecimal, with or without `0x` before it.
    #[must_use]
    pub fn hexadecimal(&self) -> Option<u64> {
        let bytes = self.value.text().as_bytes();
        number(bytes.strip_prefix(b"0x").unwrap_or(bytes), 16)
    }
}

/// Text that somebody else chose, as its bytes. Prints as [`Text`] does, with spaces for NULs: a command line has such
/// between its words.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Untrusted<'a> {
    written: &'a [u8],
    hexadecimal: bool,
}

impl<'a> Untrusted<'a> {
    /// Text that is written as it is.
    #[must_use]
    pub const fn plain(text: Text<'a>) -> Self {
        Self { written: text.as_bytes(), hexadecimal: false }
    }

    /// Text that is written as hexadecimal digits, if it is.
    #[must_use]
    pub fn hexadecimal(digits: &'a [u8]) -> Option<Self> {
        let is = !digits.is_empty() && digits.len().is_multiple_of(2) && digits.iter().all(u8::is_ascii_hexdigit);
        is.then_some(Self { written: digits, hexadecimal: true })
    }

    /// Its bytes.
    pub fn bytes(self) -> impl Iterator<Item = u8> + Clone + 'a {
        let step = if self.hexadecimal { 2 } else { 1 };
        self.written.chunks(step).map(move |chunk| match chunk {
            [byte] => *byte,
            // Two digits are less than 256.
            digits => number(digits, 16).and_then(|byte| u8::try_from(byte).ok()).unwrap_or(0),
        })
    }
}

impl PartialEq<str> for Untrusted<'_> {
    fn eq(&self, other: &str) -> bool {
        self.bytes().eq(other.bytes())
    }
}

impl fmt::Display for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.bytes().peekable();
        while let Some(first) = bytes.next() {
            if first.is_ascii() {
                f.write_char(if first == 0 { ' ' } else { char::from(first) })?;
                continue;
            }
            // A character of UTF-8: as many bytes as its first one says.
            let mut character = heapless::Vec::<u8, 4>::new();
            let length = usize::try_from(first.leading_ones()).unwrap_or(0).min(4);
            let _ = character.push(first);
            while character.len() < length {
                match bytes.next_if(|byte| byte & 0xc0 == 0x80) {
                    Some(byte) => drop(character.push(byte)),
                    None => break,
                }
            }
            write!(f, "{}", Text::from_bytes(&character))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Untrusted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl<'a> Record<'a> {
    /// A record that was kept, without what is before its fields.
    pub(super) const fn kept(kind: RecordType, id: EventId, text: &'a [u8]) -> Self {
        Self { kind, id, text, offset: 0 }
    }
}
