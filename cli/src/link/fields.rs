//! The attributes of one nest on their way into a row.
//!
//! A [`Fields`] reads an attribute and prints it in one line of code; what is not there is not printed. The first error
//! sticks and comes back once, from [`Fields::print`], so that objects and lists in the row are closed all the same.

use ringlink::codec::Error;
use ringlink::codec::table::{Alternative, Attributes, Choice, Choices, Key, Nest, Table, Value};

use super::known::Known;
use crate::output::{Formatted, FormattedNumber, Kind, Output, Show};

/// The attributes of one nest on their way into a row.
pub(super) struct Fields<'o, 'a, S> {
    /// The row.
    pub(super) row: &'o mut Output,
    /// Interfaces by their index.
    pub(super) known: &'o mut Known,
    attributes: Attributes<'a, S>,
    error: Option<Error>,
}

impl<'o, 'a, S: Table> Fields<'o, 'a, S> {
    /// Prints attributes as `fill` says.
    ///
    /// # Errors
    ///
    /// The first attribute that was asked for and cannot be read; the others are printed.
    pub(super) fn print(
        row: &'o mut Output,
        known: &'o mut Known,
        attributes: Attributes<'a, S>,
        fill: impl FnOnce(&mut Self),
    ) -> Result<(), Error> {
        let mut fields = Self { row, known, attributes, error: None };
        fill(&mut fields);
        fields.error.map_or(Ok(()), Err)
    }

    /// An attribute, where it is there.
    pub(super) fn get<V: Value>(&mut self, key: Key<S, V>) -> Option<V::Read<'a>> {
        let read = self.attributes.get(key);
        self.stick(read)?
    }

    /// A payload that something else chooses, where it is a nest of `T`.
    pub(super) fn chosen<C: Choices, T: Table>(&mut self, key: Key<S, Choice<C>>, nest: T) -> Option<Attributes<'a, T>>
    where
        Nest<T>: Alternative<C>,
    {
        let read = self.attributes.chosen(key, nest);
        self.stick(read)?
    }

    /// What was read; an error sticks.
    pub(super) fn stick<T>(&mut self, read: Result<T, Error>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(error) => {
                self.error.get_or_insert(error);
                None
            }
        }
    }

    /// The attributes of a nest inside this one, as `fill` says.
    pub(super) fn within<T: Table>(&mut self, nest: Attributes<'a, T>, fill: impl FnOnce(&mut Fields<'_, 'a, T>)) {
        let printed = Fields::print(self.row, self.known, nest, fill);
        self.stick(printed);
    }

    /// An attribute that has the same name in JSON and in text.
    pub(super) fn same<V: Value>(&mut self, key: Key<S, V>, name: &'static str)
    where
        V::Read<'a>: Show,
    {
        self.show(key, name, name);
    }

    /// An attribute.
    pub(super) fn show<V: Value>(&mut self, key: Key<S, V>, json: &'static str, label: &'static str)
    where
        V::Read<'a>: Show,
    {
        if let Some(value) = self.get(key) {
            self.row.field(json, label, value);
        }
    }

    /// An attribute, as `of` makes something to print of it.
    pub(super) fn map<V: Value, T: Show>(
        &mut self,
        key: Key<S, V>,
        json: &'static str,
        label: &'static str,
        of: impl FnOnce(V::Read<'a>) -> T,
    ) {
        if let Some(value) = self.get(key) {
            self.row.field(json, label, of(value));
        }
    }

    /// A number, by its place in a list of names; without a name, as a number.
    pub(super) fn named(&mut self, json: &'static str, label: &'static str, names: &[&'static str], value: u64) {
        match usize::try_from(value).ok().and_then(|index| names.get(index)) {
            Some(name) => self.row.field(json, label, *name),
            None => self.row.field(json, label, value),
        }
    }

    /// A boolean in JSON, the label and `on` or `off` in text.
    pub(super) fn on_off(&mut self, key: Key<S, u8>, json: &'static str, label: &'static str) {
        if let Some(value) = self.get(key) {
            on_off(self.row, json, label, value != 0);
        }
    }

    /// A switch that is printed where it is on: `true` in JSON, its label in text.
    pub(super) fn switch(&mut self, key: Key<S, u8>, json: &'static str, label: &'static str) {
        if self.get(key).is_some_and(|value| value != 0) {
            self.row.yes(json, label);
        }
    }

    /// An attribute without content that is printed where it is there: `true` in JSON, its label in text.
    pub(super) fn present<V: Value>(&mut self, key: Key<S, V>, json: &'static str, label: &'static str) {
        if self.get(key).is_some() {
            self.row.yes(json, label);
        }
    }

    /// A switch: a boolean in JSON, in text the first word where it is on and the second where it is off.
    pub(super) fn either(&mut self, key: Key<S, u8>, json: &'static str, [on, off]: [&'static str; 2]) {
        if let Some(value) = self.get(key) {
            self.row.json(json, value != 0);
            self.row.word(if value != 0 { on } else { off });
        }
    }

    /// A number in hexadecimal.
    pub(super) fn hex(&mut self, json: &'static str, label: &'static str, value: impl Into<u64>) {
        self.row.field(json, label, Mask(value.into()));
    }

    /// A number in hexadecimal, where it is not zero.
    pub(super) fn hex_unless_zero<V: Value>(&mut self, key: Key<S, V>, json: &'static str, label: &'static str)
    where
        V::Read<'a>: Into<u64>,
    {
        let value = self.get(key).map_or(0, Into::into);
        if value != 0 {
            self.hex(json, label, value);
        }
    }

    /// The name of an interface, by its index; nothing for index 0.
    pub(super) fn interface(&mut self, key: Key<S, u32>, json: &'static str, label: &'static str) {
        if let Some(index) = self.get(key).filter(|index| *index != 0) {
            let name = self.known.name(index);
            self.row.field(json, label, name);
        }
    }

    /// A time in hundredths of a second, as seconds with two decimals.
    pub(super) fn seconds(&mut self, key: Key<S, u64>, name: &'static str) {
        if let Some(value) = self.get(key) {
            let (whole, part) = (value / 100, value % 100);
            self.row.json(name, FormattedNumber(format_args!("{whole}.{part:02}")));
            self.row.word(name);
            self.row.word(Formatted(format_args!("{whole:>4}.{part:02}")));
        }
    }
}

/// A number in hexadecimal, with `0x` before it unless it is 0, as `printf` does with `%#x`.
pub(super) struct Mask(pub(super) u64);

impl Show for Mask {
    const KIND: Kind = Kind::Plain;

    fn show(&self, bytes: &mut Vec<u8>) {
        match self.0 {
            0 => bytes.push(b'0'),
            value => Formatted(format_args!("{value:#x}")).show(bytes),
        }
    }
}

/// A name of the kernel in small letters.
pub(super) struct Small(pub(super) &'static str);

impl Show for Small {
    const KIND: Kind = Kind::Plain;

    fn show(&self, bytes: &mut Vec<u8>) {
        bytes.extend(self.0.bytes().map(|byte| byte.to_ascii_lowercase()));
    }
}

/// A switch: a boolean in JSON, the label and `on` or `off` in text.
pub(super) fn on_off(row: &mut Output, json: &'static str, label: &'static str, on: bool) {
    row.json(json, on);
    row.word(label);
    row.word(if on { "on" } else { "off" });
}
