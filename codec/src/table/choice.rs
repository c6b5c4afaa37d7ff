//! Payloads that something else chooses.

use core::marker::PhantomData;

use super::shape::{By, ChoiceTable, Selected, Shape, Space};
use super::{Encode, Malformed, Text, Value};
use crate::wire::{Error, Payload, RawAttribute, RawAttributes, Writer};

/// A payload that something else chooses, by the table `C`.
pub struct Choice<C>(PhantomData<C>);

/// A table of choices, made by [`choices!`](crate::choices).
pub trait Choices {
    /// The rows.
    fn table() -> &'static ChoiceTable;
}

/// A payload type among which the table `C` chooses.
pub trait Alternative<C>: Value {}

/// A payload that something else chooses, not decoded.
#[derive(Clone, Copy, Debug)]
pub struct Chosen<'a, C> {
    /// The bytes.
    pub payload: Payload<'a>,
    table: PhantomData<fn() -> C>,
}

impl<'a, C: Choices> Chosen<'a, C> {
    /// The payload taken as a `V`, whatever the chooser says.
    ///
    /// # Errors
    ///
    /// If it is not of the length a `V` must have.
    pub fn read<V: Alternative<C>>(self) -> Result<V::Read<'a>, Malformed> {
        V::decode(self.payload)
    }
}

impl<C: Choices> Value for Choice<C> {
    type Read<'a> = Chosen<'a, C>;
    const SHAPE: Shape = Shape::Choice(C::table);

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<Chosen<'_, C>, Malformed> {
        Ok(Chosen { payload, table: PhantomData })
    }
}

impl<C: Choices> Encode<Choice<C>> for &[u8] {
    fn encode(self, writer: &mut Writer<'_>) {
        writer.bytes(self);
    }
}

/// Whether the chooser beside it selects `V`.
pub(super) fn selects<C: Choices, V: Alternative<C>>(
    space: &'static Space,
    attributes: RawAttributes<'_>,
) -> Result<bool, Error> {
    let By::Sibling(sibling) = C::table().by else {
        return Ok(true);
    };
    let Some(selected) = sibling_value(space, attributes, sibling)? else {
        return Ok(false);
    };
    Ok(C::table().select(selected).is_some_and(|row| row.shape.is(V::SHAPE)))
}

/// What a chooser beside the payload says; the last occurrence counts.
pub(crate) fn sibling_value<'a>(
    space: &'static Space,
    attributes: RawAttributes<'a>,
    sibling: u16,
) -> Result<Option<Selected<'a>>, Error> {
    let mut found: Option<RawAttribute<'a>> = None;
    for raw in attributes {
        let raw = raw?;
        if raw.number() == sibling {
            found = Some(raw);
        }
    }
    let shape = space.row(sibling).map(|row| row.shape);
    Ok(found.zip(shape).map(|(raw, shape)| selected(shape, raw.payload.bytes)))
}

/// The value of a chooser, by its own shape.
fn selected(shape: Shape, bytes: &[u8]) -> Selected<'_> {
    let big_endian = match shape {
        Shape::Text => return Selected::Text(Text::until_nul(bytes).as_bytes()),
        Shape::Named(_, base) => matches!(base, Shape::BigEndian(_)),
        shape => matches!(shape, Shape::BigEndian(_)),
    };
    let most_first = big_endian || cfg!(target_endian = "big");
    let add = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
    Selected::Number(match most_first {
        true => bytes.iter().take(8).fold(0, add),
        false => bytes.iter().take(8).rev().fold(0, add),
    })
}
