//! A message taken apart and put together again.
//!
//! The tables' rows lead the way: each attribute is read as what its row says it holds, and written again with a key of
//! that type, nests as nests. What differs on purpose:
//! * the flag that says that an attribute is a nest: old parts of rtnetlink leave it away, this library always sets it on nests,
//!   and on nothing else;
//! * the flag that says that a number is big-endian, which hangs on the key: the keys made here have none that sets it;
//! * padding, which is written as zeros.
//!
//! Not every message that reads can be had again: text may go on behind its end, a number may be longer than it need be. [`again`]
//! says why, and nothing more comes of such a message.

use std::net::{Ipv4Addr, Ipv6Addr};

use ringlink_codec::generic::Numbers;
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::{Numbering, Protocol};
use ringlink_codec::route::NextHopHeader;
use ringlink_codec::space;
use ringlink_codec::table::{
    AttributeWriter, BareStr, Be16, Be32, Be64, BeI32, By, Bytes, ChoiceTable, Encode, Flag, Hardware, Indexed, Key,
    Nest, Pad, Record, Records, Secret, Selected, Shape, Sint, Space, Str, Tlvs, Uint, Value,
};
use ringlink_codec::wire::{Payload, RawAttribute, RawAttributes, Writer};

space! {
    /// A space for keys whose numbers come from tables.
    pub Any, "" {}
}

/// What came of a message.
#[derive(Debug)]
pub struct Again {
    /// What was put together.
    pub bytes: Vec<u8>,
    /// The message as it was, but for what differs on purpose.
    pub expected: Vec<u8>,
}

/// Why a message cannot be had again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The attribute, or where there is none the space.
    pub name: &'static str,
    /// What is wrong with it.
    pub why: &'static str,
}

/// How deep nests may be.
const DEPTH: usize = 32;

/// Takes a message apart and puts it together again.
pub fn again(message: Message<'_>, protocol: &'static Protocol, numbers: Numbers<'_>) -> Result<Again, Left> {
    let left = |why| Err(Left { name: protocol.name, why });
    let Some(row) = protocol.row(message, numbers) else { return left("no row says what it is") };
    if matches!(protocol.numbering, Numbering::Structs(_)) {
        return left("it has no attributes");
    }
    let start = row.header.length(message.payload).next_multiple_of(4);
    let Some(header) = message.payload.get(..start) else { return left("its fixed header is cut") };
    let mut expected = message.header.to_bytes().to_vec();
    expected.extend_from_slice(message.payload);
    let mut buffer = vec![0; expected.len() + 64];
    let mut writer = Writer::new(&mut buffer);
    writer.bytes(&message.header.to_bytes());
    writer.bytes(header);
    let mut journey = Journey { expected, left: None };
    let around = Around { space: (row.space)(), run: message.raw_attributes(start), header: message.payload, depth: 0 };
    journey.run(around, &mut AttributeWriter::new(&mut writer));
    match journey.left {
        Some(left) => Err(left),
        None => Ok(Again {
            bytes: writer.finish().expect("no longer than what was read").to_vec(),
            expected: journey.expected,
        }),
    }
}

/// A message on its way back.
struct Journey {
    /// What is to come of it.
    expected: Vec<u8>,
    /// Why it cannot; what is written from then on is of no use.
    left: Option<Left>,
}

/// What stands around an attribute.
#[derive(Clone, Copy)]
struct Around<'a> {
    space: &'static Space,
    run: RawAttributes<'a>,
    /// The fixed header before the run, which may choose among attributes.
    header: &'a [u8],
    depth: usize,
}

impl<'a> Around<'a> {
    fn inside(self, space: &'static Space, payload: Payload<'a>, at: usize) -> Self {
        Self { space, run: inside(payload, at), depth: self.depth + 1, ..self }
    }
}

impl Journey {
    /// Writes again what stands in a run of attributes.
    fn run(&mut self, around: Around<'_>, to: &mut AttributeWriter<'_, '_, Any>) {
        let start = around.run.offset();
        let mut run = around.run;
        let mut end = start;
        while self.left.is_none() {
            match run.next() {
                None if (run.offset() - start).is_multiple_of(4) && run.offset() == end => return,
                None => self.leave(around.space.name, "its last attribute lacks padding, or there is more behind it"),
                Some(Err(_)) => self.leave(around.space.name, "an attribute is broken"),
                Some(Ok(raw)) => match around.space.row(raw.number()) {
                    None => self.leave(around.space.name, "an attribute has no row"),
                    Some(row) => {
                        self.attribute(row.name, row.shape, around, raw, to);
                        end = run.offset();
                    }
                },
            }
        }
    }

    fn leave(&mut self, name: &'static str, why: &'static str) {
        self.left.get_or_insert(Left { name, why });
    }

    fn attribute(
        &mut self,
        name: &'static str,
        shape: Shape,
        around: Around<'_>,
        raw: RawAttribute<'_>,
        to: &mut AttributeWriter<'_, '_, Any>,
    ) {
        let (number, payload) = (raw.number(), raw.payload);
        let bytes = payload.bytes;
        self.flags(raw, false);
        if around.depth > DEPTH {
            return self.leave(name, "nests are too deep");
        }
        match shape {
            Shape::Unsigned(1) => self.value::<u8>(name, raw, to),
            Shape::Unsigned(2) => self.value::<u16>(name, raw, to),
            Shape::Unsigned(4) => self.value::<u32>(name, raw, to),
            Shape::Unsigned(_) => self.value::<u64>(name, raw, to),
            Shape::Signed(1) => self.value::<i8>(name, raw, to),
            Shape::Signed(2) => self.value::<i16>(name, raw, to),
            Shape::Signed(4) => self.value::<i32>(name, raw, to),
            Shape::Signed(_) => self.value::<i64>(name, raw, to),
            Shape::BigEndian(2) => self.value::<Be16>(name, raw, to),
            Shape::BigEndian(4) => self.value::<Be32>(name, raw, to),
            Shape::BigEndian(_) => self.value::<Be64>(name, raw, to),
            Shape::SignedBigEndian(_) => self.value::<BeI32>(name, raw, to),
            Shape::Named(_, base) => self.attribute(name, *base, around, raw, to),
            Shape::Uint
                if bytes.len() == 8
                    && <Uint as Value>::decode(payload).is_ok_and(|value| u32::try_from(value).is_ok()) =>
            {
                self.leave(name, "the number is longer than it need be");
            }
            Shape::Uint => self.value::<Uint>(name, raw, to),
            Shape::Sint
                if bytes.len() == 8
                    && <Sint as Value>::decode(payload).is_ok_and(|value| i32::try_from(value).is_ok()) =>
            {
                self.leave(name, "the number is longer than it need be");
            }
            Shape::Sint => self.value::<Sint>(name, raw, to),
            Shape::Flag | Shape::Pad if !bytes.is_empty() => self.leave(name, "there is something in it"),
            Shape::Flag => to.put(Key::<Any, Flag>::new(number), ()),
            Shape::Pad => to.put(Key::<Any, Pad>::new(number), ()),
            Shape::Text => match bytes.iter().position(|byte| *byte == 0) {
                // Kernels end text with NUL in most places.
                Some(end) if end + 1 == bytes.len() => self.value::<Str>(name, raw, to),
                Some(_) => self.leave(name, "there is more behind the text"),
                None => self.value::<BareStr>(name, raw, to),
            },
            Shape::Hardware => self.value::<Hardware>(name, raw, to),
            Shape::Ipv4 => self.value::<Ipv4Addr>(name, raw, to),
            Shape::Ipv6 => self.value::<Ipv6Addr>(name, raw, to),
            Shape::Record(layout) => {
                // A kernel may have fewer fields than we have.
                let ends = |length: usize| layout.fields.iter().any(|field| field.offset == length);
                // What extensions of iptables are set to is filled up to a multiple of 8 bytes.
                let filled = layout.name.starts_with("xt_") && bytes.len() == layout.size.next_multiple_of(8);
                if !filled && bytes.len() != layout.size && !ends(bytes.len()) {
                    return self.leave(name, "it is not as long as the struct");
                }
                self.value::<Bytes>(name, raw, to);
            }
            Shape::SocketAddress
            | Shape::Array(..)
            | Shape::Packed(..)
            | Shape::Bytes
            | Shape::Address
            | Shape::Prefixed(_)
            | Shape::Followed(..) => self.value::<Bytes>(name, raw, to),
            Shape::Tlvs => {
                let items: Result<Vec<_>, _> = <Tlvs as Value>::decode(payload).into_iter().flatten().collect();
                match items {
                    Ok(items) => to.put(Key::<Any, Tlvs>::new(number), &items[..]),
                    Err(_) => self.leave(name, "a record in it is broken"),
                }
            }
            Shape::Secret | Shape::Keyed(_) => self.value::<Secret>(name, raw, to),
            Shape::Many(of) => self.attribute(name, *of, around, raw, to),
            Shape::Nest(inner) => {
                self.flags(raw, true);
                to.nest(Key::<Any, Nest<Any>>::new(number), |to| self.run(around.inside(inner(), payload, 0), to));
            }
            Shape::Headed(layout, inner) => {
                self.flags(raw, true);
                let Some(head) = bytes.get(..layout.size.next_multiple_of(4)) else {
                    return self.leave(name, "its struct is cut");
                };
                self.zeros(payload.offset, layout.size);
                to.nest(Key::<Any, Nest<Any>>::new(number), |to| {
                    to.tail(&head[..layout.size]);
                    self.run(Around { header: bytes, ..around.inside(inner(), payload, head.len()) }, to);
                });
            }
            Shape::Indexed(of) => {
                self.flags(raw, true);
                self.indexed(name, *of, around.inside(around.space, payload, 0), number, to);
            }
            Shape::Records(layout, inner) if layout.name == NextHopHeader::LAYOUT.name => {
                let records = <Records<NextHopHeader, Any> as Value>::decode(payload).into_iter().flatten();
                let mut place = payload.offset;
                to.records(Key::<Any, Records<NextHopHeader, Any>>::new(number), |list| {
                    for record in records {
                        let Ok((header, attributes)) = record else {
                            return self.leave(name, "a record in it is broken");
                        };
                        list.add(header, |to| {
                            self.run(
                                Around { space: inner(), run: attributes.raw(), depth: around.depth + 1, ..around },
                                to,
                            )
                        });
                        place += u32::from(header.len).next_multiple_of(4);
                    }
                });
                if usize::try_from(place - payload.offset) != Ok(bytes.len()) {
                    self.leave(name, "the last record lacks padding");
                }
            }
            Shape::Choice(table) => {
                let shape = chosen(table(), around).unwrap_or(Shape::Bytes);
                self.attribute(name, shape, around, raw, to);
            }
            other => panic!("{name}: {other:?}"),
        }
        self.zeros(payload.offset, bytes.len());
    }

    /// The items of a list; what is around them is the list.
    fn indexed(
        &mut self,
        name: &'static str,
        of: Shape,
        around: Around<'_>,
        number: u16,
        to: &mut AttributeWriter<'_, '_, Any>,
    ) {
        let mut run = around.run;
        let items: Vec<RawAttribute<'_>> = match run.by_ref().collect() {
            Ok(items) => items,
            Err(_) => return self.leave(name, "an item is broken"),
        };
        let end = items.last().map_or(around.run.offset(), |item| {
            item.payload.offset + u32::try_from(item.payload.bytes.len()).unwrap_or(0).next_multiple_of(4)
        });
        if run.offset() != end {
            return self.leave(name, "its last item lacks padding, or there is more behind it");
        }
        for item in &items {
            self.flags(*item, matches!(of, Shape::Nest(_)));
            self.zeros(item.payload.offset, item.payload.bytes.len());
        }
        match of {
            Shape::Ipv4 => to.indexed(Key::<Any, Indexed<Ipv4Addr>>::new(number), |list| {
                for item in items {
                    match Ipv4Addr::decode(item.payload) {
                        Ok(address) => list.put(item.number(), address),
                        Err(_) => self.leave(name, "an item is no address"),
                    }
                }
            }),
            Shape::Ipv6 => to.indexed(Key::<Any, Indexed<Ipv6Addr>>::new(number), |list| {
                for item in items {
                    match Ipv6Addr::decode(item.payload) {
                        Ok(address) => list.put(item.number(), address),
                        Err(_) => self.leave(name, "an item is no address"),
                    }
                }
            }),
            Shape::Nest(inner) => to.indexed(Key::<Any, Indexed<Nest<Any>>>::new(number), |list| {
                for item in items {
                    list.nest(item.number(), |to| self.run(around.inside(inner(), item.payload, 0), to));
                }
            }),
            other => to.nest(Key::<Any, Nest<Any>>::new(number), |to| {
                items.into_iter().for_each(|item| self.attribute(name, other, around, item, to));
            }),
        }
    }

    /// Reads a value and writes it.
    fn value<'a, V: Value>(&mut self, name: &'static str, raw: RawAttribute<'a>, to: &mut AttributeWriter<'_, '_, Any>)
    where
        V::Read<'a>: Encode<V>,
    {
        match V::decode(raw.payload) {
            Ok(value) => to.put(Key::<Any, V>::new(raw.number()), value),
            Err(_) => self.leave(name, "it is not of the length it must have"),
        }
    }

    /// Sets the flag of nests and takes away the other one, in what is expected.
    fn flags(&mut self, raw: RawAttribute<'_>, nest: bool) {
        let nested = if nest { RawAttribute::NESTED } else { 0 };
        let at = usize::try_from(raw.payload.offset).unwrap_or(usize::MAX).saturating_sub(2);
        if let Some(kind) = self.expected.get_mut(at..).and_then(|bytes| bytes.first_chunk_mut()) {
            *kind = (raw.number() | nested).to_ne_bytes();
        }
    }

    /// Makes padding zero, in what is expected.
    fn zeros(&mut self, offset: u32, length: usize) {
        let end = usize::try_from(offset).unwrap_or(usize::MAX).saturating_add(length);
        let padding = end.next_multiple_of(4) - end;
        self.expected.iter_mut().skip(end).take(padding).for_each(|byte| *byte = 0);
    }
}

/// What a payload is that a sibling or the header chooses.
fn chosen(table: &'static ChoiceTable, around: Around<'_>) -> Option<Shape> {
    let sibling = |number| {
        let raw = around.run.map_while(Result::ok).filter(|raw| raw.number() == number).last()?;
        let bytes = raw.payload.bytes;
        let numeral = |bytes: &mut dyn Iterator<Item = &u8>| bytes.fold(0, |value, byte| value << 8 | u64::from(*byte));
        let big_endian = |shape| matches!(shape, Shape::BigEndian(_)) || cfg!(target_endian = "big");
        Some(match around.space.row(number)?.shape {
            Shape::Text => Selected::Text(<Str as Value>::decode(raw.payload).ok()?.as_bytes()),
            Shape::Named(_, base) if big_endian(*base) => Selected::Number(numeral(&mut bytes.iter().take(8))),
            shape if big_endian(shape) => Selected::Number(numeral(&mut bytes.iter().take(8))),
            _ => Selected::Number(numeral(&mut bytes.iter().take(8).rev())),
        })
    };
    let selected = match table.by {
        By::Sibling(number) => sibling(number)?,
        By::Header(at) => Selected::Number(u64::from(*around.header.get(usize::from(at))?)),
    };
    table.select(selected).map(|row| row.shape)
}

fn inside(payload: Payload<'_>, at: usize) -> RawAttributes<'_> {
    let place = payload.offset.saturating_add(u32::try_from(at).unwrap_or(u32::MAX));
    RawAttributes::new(payload.bytes.get(at..).unwrap_or_default(), place)
}
