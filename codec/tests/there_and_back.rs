//! What kernels said, taken apart and put together again: the same bytes.
//!
//! The tables' rows lead the way: each attribute is read as what its row says it holds, and written again with a key of
//! that type, nests as nests. What differs on purpose is the flag that says that an attribute is a nest: old parts of
//! rtnetlink leave it away, this library always sets it. It is set in the sample, too, before the two are compared. The flag
//! that says that a number is big-endian is not written by the keys made here, and taken away in the sample.

#![cfg(target_endian = "little")]

mod support;

use std::net::{Ipv4Addr, Ipv6Addr};

use ringlink_codec::generic::{Family, Numbers};
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::{GENERIC, NETFILTER, ROUTE, XFRM};
use ringlink_codec::route::NextHopHeader;
use ringlink_codec::space;
use ringlink_codec::table::{
    AttributeWriter, BareStr, Be16, Be32, Be64, BeI32, By, Bytes, ChoiceTable, Encode, Flag, Hardware, Indexed, Key,
    Nest, Pad, Record, Records, Secret, Selector, Shape, Sint, Space, Str, Tlvs, Uint, Value,
};
use ringlink_codec::wire::{Payload, RawAttribute, RawAttributes, Writer};

space! {
    /// A space for keys whose numbers come from tables.
    pub Any, "" {}
}

/// A message on its way back.
struct Journey<'a> {
    /// Payload of the message, whose fixed header may choose among attributes.
    message: &'a [u8],
    /// Whether numbers that choose are big-endian, as all of netfilter's are.
    big_endian: bool,
    /// Places in the message of the nests' flags.
    nests: Vec<usize>,
    /// Places in the message of the flags that say that an attribute is big-endian, which hang on the key.
    orders: Vec<usize>,
}

impl Journey<'_> {
    /// Writes again what stands in a run of attributes.
    fn run(&mut self, space: &'static Space, run: RawAttributes<'_>, to: &mut AttributeWriter<'_, '_, Any>) {
        for raw in run {
            let raw = raw.unwrap();
            let row = space.row(raw.number()).unwrap_or_else(|| panic!("{}: no row {}", space.name, raw.number()));
            self.attribute(row.name, row.shape, run, raw, to);
        }
    }

    fn attribute(
        &mut self,
        name: &str,
        shape: Shape,
        siblings: RawAttributes<'_>,
        raw: RawAttribute<'_>,
        to: &mut AttributeWriter<'_, '_, Any>,
    ) {
        let (number, payload) = (raw.number(), raw.payload);
        let bytes = payload.bytes;
        if raw.kind & RawAttribute::NET_BYTEORDER != 0 {
            self.orders.push(usize::try_from(payload.offset).unwrap() - 1);
        }
        match shape {
            Shape::Unsigned(1) => again::<u8>(number, payload, to, |value| value),
            Shape::Unsigned(2) => again::<u16>(number, payload, to, |value| value),
            Shape::Unsigned(4) => again::<u32>(number, payload, to, |value| value),
            Shape::Unsigned(_) => again::<u64>(number, payload, to, |value| value),
            Shape::Signed(1) => again::<i8>(number, payload, to, |value| value),
            Shape::Signed(2) => again::<i16>(number, payload, to, |value| value),
            Shape::Signed(4) => again::<i32>(number, payload, to, |value| value),
            Shape::Signed(_) => again::<i64>(number, payload, to, |value| value),
            Shape::BigEndian(2) => to.put(Key::<Any, Be16>::new(number), read::<Be16>(payload)),
            Shape::BigEndian(4) => to.put(Key::<Any, Be32>::new(number), read::<Be32>(payload)),
            Shape::BigEndian(_) => to.put(Key::<Any, Be64>::new(number), read::<Be64>(payload)),
            Shape::SignedBigEndian(_) => to.put(Key::<Any, BeI32>::new(number), read::<BeI32>(payload)),
            Shape::Named(_, base) => self.attribute(name, *base, siblings, raw, to),
            Shape::Uint => to.put(Key::<Any, Uint>::new(number), read::<Uint>(payload)),
            Shape::Sint => to.put(Key::<Any, Sint>::new(number), read::<Sint>(payload)),
            Shape::Flag => to.put(Key::<Any, Flag>::new(number), ()),
            Shape::Pad => to.put(Key::<Any, Pad>::new(number), ()),
            // Kernels end text with NUL in most places.
            Shape::Text if bytes.ends_with(&[0]) => to.put(Key::<Any, Str>::new(number), read::<Str>(payload)),
            Shape::Text => to.put(Key::<Any, BareStr>::new(number), read::<BareStr>(payload)),
            Shape::Hardware => to.put(Key::<Any, Hardware>::new(number), read::<Hardware>(payload).0),
            Shape::Ipv4 => to.put(Key::<Any, Ipv4Addr>::new(number), read::<Ipv4Addr>(payload)),
            Shape::Ipv6 => to.put(Key::<Any, Ipv6Addr>::new(number), read::<Ipv6Addr>(payload)),
            Shape::Record(layout) => {
                // A kernel may have fewer fields than we have.
                let ends = |length: usize| layout.fields.iter().any(|field| field.offset == length);
                // What extensions of iptables are set to is filled up to a multiple of 8 bytes.
                let filled = layout.name.starts_with("xt_") && bytes.len() == layout.size.next_multiple_of(8);
                assert!(filled || bytes.len() == layout.size || ends(bytes.len()), "{name}: {} bytes", bytes.len());
                to.put(Key::<Any, Bytes>::new(number), bytes);
            }
            Shape::SocketAddress
            | Shape::Array(..)
            | Shape::Packed(..)
            | Shape::Bytes
            | Shape::Address
            | Shape::Prefixed(_) => {
                to.put(Key::<Any, Bytes>::new(number), bytes);
            }
            Shape::Tlvs => {
                let items: Vec<(u8, &[u8])> = read::<Tlvs>(payload).map(Result::unwrap).collect();
                to.put(Key::<Any, Tlvs>::new(number), &items[..]);
            }
            Shape::Secret | Shape::Keyed(_) => to.put(Key::<Any, Secret>::new(number), read::<Secret>(payload)),
            Shape::Many(of) => self.attribute(name, *of, siblings, raw, to),
            Shape::Nest(inner) => {
                self.nest(payload);
                to.nest(Key::<Any, Nest<Any>>::new(number), |to| self.run(inner(), inside(payload, 0), to));
            }
            Shape::Headed(layout, inner) => {
                self.nest(payload);
                let (head, _) = bytes.split_at(layout.size);
                to.nest(Key::<Any, Nest<Any>>::new(number), |to| {
                    to.tail(head);
                    self.run(inner(), inside(payload, layout.size.next_multiple_of(4)), to);
                });
            }
            Shape::Indexed(of) => {
                self.nest(payload);
                let items = inside(payload, 0).map(Result::unwrap);
                match of {
                    Shape::Ipv4 => to.indexed(Key::<Any, Indexed<Ipv4Addr>>::new(number), |list| {
                        items.for_each(|item| list.put(item.number(), read::<Ipv4Addr>(item.payload)));
                    }),
                    Shape::Ipv6 => to.indexed(Key::<Any, Indexed<Ipv6Addr>>::new(number), |list| {
                        items.for_each(|item| list.put(item.number(), read::<Ipv6Addr>(item.payload)));
                    }),
                    Shape::Nest(inner) => to.indexed(Key::<Any, Indexed<Nest<Any>>>::new(number), |list| {
                        for item in items {
                            self.nest(item.payload);
                            list.nest(item.number(), |to| self.run(inner(), inside(item.payload, 0), to));
                        }
                    }),
                    other => to.nest(Key::<Any, Nest<Any>>::new(number), |to| {
                        items.for_each(|item| self.attribute(name, *other, siblings, item, to));
                    }),
                }
            }
            Shape::Records(layout, inner) if layout.name == NextHopHeader::LAYOUT.name => {
                to.records(Key::<Any, Records<NextHopHeader, Any>>::new(number), |list| {
                    for record in read::<Records<NextHopHeader, Any>>(payload) {
                        let (header, attributes) = record.unwrap();
                        list.add(header, |to| self.run(inner(), attributes.raw(), to));
                    }
                });
            }
            Shape::Choice(table) => {
                let shape = self.chosen(table(), siblings).unwrap_or(Shape::Bytes);
                self.attribute(name, shape, siblings, raw, to);
            }
            other => panic!("{name}: {other:?}"),
        }
    }

    fn nest(&mut self, payload: Payload<'_>) {
        self.nests.push(usize::try_from(payload.offset).unwrap() - 1);
    }

    /// What a payload is that a sibling or the message's header chooses.
    fn chosen(&self, table: &ChoiceTable, mut siblings: RawAttributes<'_>) -> Option<Shape> {
        let (text, number) = match table.by {
            By::Sibling(number) => {
                let sibling = siblings.find_map(|raw| raw.ok().filter(|raw| raw.number() == number))?;
                let bytes = sibling.payload.bytes.iter();
                let add = |value, byte: &u8| value << 8 | u64::from(*byte);
                let value = if self.big_endian { bytes.fold(0, add) } else { bytes.rev().fold(0, add) };
                (read::<Str>(sibling.payload).as_bytes(), value)
            }
            By::Header(at) => (&[][..], u64::from(*self.message.get(usize::from(at))?)),
        };
        let is = |selector: &Selector| match selector {
            Selector::Text(selector) => selector.as_bytes() == text,
            Selector::Number(selector) => *selector == number,
            _ => true,
        };
        table.rows.iter().find(|row| row.selectors.iter().any(is)).map(|row| row.shape)
    }
}

fn read<V: Value>(payload: Payload<'_>) -> V::Read<'_> {
    V::decode(payload).unwrap_or_else(|_| panic!("{payload:?}"))
}

/// Reads a number and writes it.
fn again<V>(number: u16, payload: Payload<'_>, to: &mut AttributeWriter<'_, '_, Any>, same: fn(V::Read<'_>) -> V)
where
    V: Value + Encode<V>,
{
    to.put(Key::<Any, V>::new(number), same(read::<V>(payload)));
}

fn inside(payload: Payload<'_>, at: usize) -> RawAttributes<'_> {
    RawAttributes::new(payload.bytes.get(at..).unwrap_or_default(), payload.offset + u32::try_from(at).unwrap())
}

/// Takes a message apart and puts it together again.
fn there_and_back(name: &str, sample: &[u8]) {
    let message = Message::parse(sample).unwrap();
    // A capture of a generic family says in its name which: the number is that which the family had then.
    let family =
        name.strip_prefix("generic_").map(|name| Family::named(name.strip_suffix("_statistics").unwrap_or(name)));
    let numbers = family.map(|family| (message.header.kind.0, family.unwrap()));
    let numbers = Numbers(numbers.as_slice());
    let protocol = match name.split_once('_') {
        _ if family.is_some() => &GENERIC,
        Some(("xfrm", _)) => &XFRM,
        Some(("ipset" | "conntrack" | "nftables", _)) => &NETFILTER,
        _ => &ROUTE,
    };
    let big_endian = protocol.number == NETFILTER.number;
    let row = protocol.row(message, numbers).unwrap_or_else(|| panic!("{name}: {message:?}"));
    let start = row.header.length(message.payload).next_multiple_of(4);
    let mut journey = Journey { message: message.payload, big_endian, nests: Vec::new(), orders: Vec::new() };
    let mut buffer = vec![0; sample.len() + 64];
    let mut writer = Writer::new(&mut buffer);
    writer.bytes(&sample[..16 + start]);
    journey.run((row.space)(), message.raw_attributes(start), &mut AttributeWriter::new(&mut writer));
    let again = writer.finish().unwrap();
    let mut sample = sample.to_vec();
    journey.nests.iter().for_each(|place| sample[*place] |= 0x80);
    journey.orders.iter().for_each(|place| sample[*place] &= !0x40);
    let differ = sample.iter().zip(again.iter()).position(|(one, two)| one != two);
    assert!(
        differ.is_none() && sample.len() == again.len(),
        "{name}: differs at {differ:?}: {}",
        message.tree(protocol).with(numbers)
    );
}

#[test]
fn captures_go_there_and_back() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for sample in support::messages(&std::fs::read_to_string(&path).unwrap()) {
            there_and_back(&name, &sample);
            count += 1;
        }
    }
    assert!(count > 150, "{count}");
}
