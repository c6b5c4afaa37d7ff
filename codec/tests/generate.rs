//! Messages made up from the tables: valid, of every row there is, and broken in one place only.

#![cfg(feature = "arbitrary")]

use std::collections::BTreeSet;

use arbitrary::Unstructured;
use ringlink_codec::generate::{Bounds, damage};
use ringlink_codec::generic::{FAMILIES, Numbers};
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::PROTOCOLS;
use ringlink_codec::table::{OperationRow, Shape, Space};
use ringlink_codec::wire::{MessageType, RawAttributes, Writer};

/// Bytes that look random and are the same each time (xorshift).
fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    (0..length.div_ceil(8)).flat_map(|_| next()).take(length).collect()
}

/// Every kind of message with attributes that there are tables for: its type, its row, and what its header begins with.
fn kinds() -> Vec<(MessageType, &'static OperationRow, Vec<u8>)> {
    let mut kinds = Vec::new();
    for protocol in PROTOCOLS {
        for (name, table) in protocol.tables() {
            let family = FAMILIES.iter().find(|family| family.name == name);
            for row in table.rows {
                let kind = if family.is_some() { 100 } else { table.first | row.number };
                let lead = if family.is_some() { vec![row.number as u8] } else { Vec::new() };
                kinds.push((MessageType(kind), row, lead));
            }
        }
    }
    kinds
}

fn request(kind: MessageType) -> MessageHeader {
    MessageHeader { kind, flags: Flags::REQUEST, ..MessageHeader::default() }
}

fn generate(seed: u64, kind: MessageType, row: &OperationRow, lead: &[u8]) -> Vec<u8> {
    let noise = noise(seed, 4096);
    let mut buffer = vec![0; 1 << 16];
    let mut writer = Writer::new(&mut buffer);
    Bounds::default().message(&mut Unstructured::new(&noise), request(kind), row, lead, &mut writer).unwrap();
    writer.finish().unwrap().to_vec()
}

/// Checks a run of attributes against its space, and notes what was met.
fn check(space: &'static Space, run: RawAttributes<'_>, met: &mut BTreeSet<&'static str>) {
    for raw in run {
        let raw = raw.unwrap_or_else(|error| panic!("{}: {error}", space.name));
        let row = space.row(raw.number()).unwrap_or_else(|| panic!("{}: no row {}", space.name, raw.number()));
        met.insert(row.name);
        let inside = |at: usize| {
            RawAttributes::new(raw.payload.bytes.get(at..).unwrap(), raw.payload.offset + u32::try_from(at).unwrap())
        };
        match row.shape {
            Shape::Unsigned(size) | Shape::Signed(size) | Shape::BigEndian(size) => {
                assert_eq!(raw.payload.bytes.len(), usize::from(size), "{}", row.name);
            }
            Shape::Record(layout) => assert_eq!(raw.payload.bytes.len(), layout.size, "{}", row.name),
            Shape::Nest(space) => check(space(), inside(0), met),
            Shape::Headed(layout, space) => check(space(), inside(layout.size.next_multiple_of(4)), met),
            _ => {}
        }
    }
}

/// The names of all attributes that `check` can come to.
fn reachable(space: &'static Space, depth: u8, names: &mut BTreeSet<&'static str>) {
    for row in space.rows() {
        match row.shape {
            Shape::Pad => {}
            Shape::Nest(inner) | Shape::Headed(_, inner) if depth < Bounds::default().depth => {
                names.insert(row.name);
                reachable(inner(), depth + 1, names);
            }
            Shape::Nest(_) | Shape::Headed(..) => {}
            _ => drop(names.insert(row.name)),
        }
    }
}

#[test]
fn generated_messages_are_as_the_rows_say() {
    let mut met = BTreeSet::new();
    for (kind, row, lead) in kinds() {
        for seed in 0..48 {
            let bytes = generate(seed, kind, row, &lead);
            let message = Message::parse(&bytes).unwrap();
            assert_eq!((message.header.kind, message.header.length as usize), (kind, bytes.len()), "{}", row.name);
            check((row.space)(), message.raw_attributes(row.header.length(message.payload)), &mut met);
        }
    }
    let mut all = BTreeSet::new();
    kinds().iter().for_each(|(_, row, _)| reachable((row.space)(), 0, &mut all));
    let missed: Vec<_> = all.difference(&met).collect();
    assert!(missed.len() * 50 < all.len(), "{} of {} never met: {missed:?}", missed.len(), all.len());
}

#[test]
fn the_same_source_makes_the_same_message() {
    let kinds = kinds();
    let (kind, row, lead) = &kinds[0];
    assert_eq!(generate(7, *kind, row, lead), generate(7, *kind, row, lead));
    assert_ne!(generate(7, *kind, row, lead), generate(8, *kind, row, lead));
    // A source that has ended still makes a message.
    let mut buffer = [0; 1024];
    let mut writer = Writer::new(&mut buffer);
    Bounds::default().message(&mut Unstructured::new(&[]), request(*kind), row, lead, &mut writer).unwrap();
    assert!(Message::parse(writer.finish().unwrap()).is_ok());
}

#[test]
fn what_is_generated_prints_by_names() {
    for protocol in PROTOCOLS {
        let numbers: Vec<_> = (100..).zip(FAMILIES.iter().copied()).collect();
        for seed in 0..200 {
            let noise = noise(seed, 4096);
            let mut buffer = vec![0; 1 << 16];
            let mut writer = Writer::new(&mut buffer);
            let numbers = Numbers(&numbers);
            Bounds::default().any(&mut Unstructured::new(&noise), protocol, numbers, &mut writer).unwrap();
            let Ok(message) = Message::parse(writer.finish().unwrap()) else { continue };
            let tree = message.tree(protocol).with(numbers).to_string();
            let broken = tree.lines().find(|line| line.trim_start().starts_with("error:"));
            assert_eq!(broken, None, "{}: {tree}", protocol.name);
        }
    }
}

#[test]
fn damage_is_in_one_place() {
    let mut damaged = 0;
    for (kind, row, lead) in kinds() {
        for seed in 0..8 {
            let good = generate(seed, kind, row, &lead);
            let mut bad = good.clone();
            let noise = noise(seed + 1000, 64);
            let Some(damage) = damage(&mut Unstructured::new(&noise), &mut bad, row).unwrap() else { continue };
            let differ: Vec<usize> = (0..good.len()).filter(|at| good[*at] != bad[*at]).collect();
            let first = damage.offset as usize;
            assert!(
                !differ.is_empty() && differ.iter().all(|at| (first..first + 2).contains(at)),
                "{damage:?} {differ:?}"
            );
            damaged += 1;
        }
    }
    assert!(damaged > 1000, "{damaged}");
}
