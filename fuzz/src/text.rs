//! Text, and what is no netlink message.

use ringlink::codec::audit::{Assembler, Event, Record, RecordType, Rule, RuleHeader};
use ringlink::codec::diag::bytecode::Instructions;
use ringlink::codec::diag::filter::{Names, NoNames, compile};
use ringlink::codec::generic::Family;
use ringlink::codec::netfilter::ipset::SetType;
use ringlink::codec::prelude::*;
use ringlink::codec::protocol::{PROTOCOLS, Protocol};
use ringlink::codec::table::{Record as _, Shape, Space};
use ringlink::codec::uevent::Uevent;
use ringlink::codec::wire::MessageType;
use ringlink::codec::{connector, protocol};

/// What is no netlink message, or text in one: events of devices, of processes, records of the audit.
pub fn text(input: &[u8]) {
    records(input);
    if let Ok(text) = std::str::from_utf8(input) {
        names(text);
    }
    if let Ok(record) = Record::parse(input) {
        let _ = format!("{record:?} {}", record.id);
    }
    for event in [Uevent::from_kernel(input), Uevent::from_udev(input)].into_iter().flatten() {
        let _ = (event.sequence(), event.subsystem(), event.get("SUBSYSTEM"), format!("{event:?}"));
    }
    if let Ok(message) = Message::parse(input) {
        for part in connector::Parts::of(message) {
            let Ok(part) = part else { break };
            let _ = format!("{:?}", connector::Notice::of(&part));
        }
        let _ = format!("{}", message.tree(&protocol::CONNECTOR));
    }
}

/// Names of protocols, families, attributes and values: what has one is found by it.
fn names(text: &str) {
    if let Some(protocol) = Protocol::named(text) {
        assert!(Protocol::numbered(protocol.number).is_some_and(|found| found.name == protocol.name));
    }
    let _ = (
        Family::named(text).map(|family| family.id),
        SetType::named(text).map(|kind| (kind.is_of_family(), kind.family())),
    );
    // Looking through all spaces takes long.
    let Some(first) = text.bytes().next() else { return };
    let tables: Vec<_> = PROTOCOLS.iter().flat_map(|protocol| protocol.tables()).collect();
    let Some((_, table)) = tables.get(usize::from(first) % tables.len()) else { return };
    for row in table.rows.iter().take(4) {
        in_space((row.space)(), text);
    }
    let shapes = PROTOCOLS.iter().flat_map(|protocol| protocol.shapes()).nth(usize::from(first));
    let _ = format!("{shapes:?} {:?}", MessageType(first.into()));
}

fn in_space(space: &'static Space, text: &str) {
    // Whether two rows hold the same, says each of the other.
    for (one, other) in space.rows().zip(space.rows().skip(1)) {
        assert!(one.shape.is(one.shape) && one.shape.is(other.shape) == other.shape.is(one.shape));
    }
    if let Some(row) = space.row_named(text) {
        assert!(space.row(row.number).is_some_and(|found| found.name == row.name));
    }
    for row in space.rows() {
        let _ = format!("{:?}", row.shape);
        if let Shape::Named(table, _) = row.shape
            && let Some(value) = table.value_of(text)
        {
            assert!(table.name_of(value).is_some());
        }
    }
}

/// Records of the audit, one a line: fields end, and an assembler hands out no more records than it was given.
fn records(input: &[u8]) {
    let mut assembler = Assembler::<3, 512>::new();
    let (mut given, mut had) = (0_usize, 0_usize);
    for line in input.split(|byte| *byte == b'\n') {
        let Some((kind, text)) = line.split_first() else { continue };
        let Ok(record) = Record::of_text(RecordType(1300 + u16::from(*kind % 40)), text) else { continue };
        assert!(record.fields().count() <= text.len());
        for field in record.fields().map_while(Result::ok) {
            let _ = format!("{field:?} {:?} {:?} {:?}", field.typed(record.kind), field.decimal(), field.hexadecimal());
            let _ = (field.value.text(), record.kind.is_of_programs());
        }
        let _ = format!("{record:?} {} {:?}", record.id, record.field("key"));
        given += 1;
        had += assembler.add(&record).map_or(0, |event| counted(&event));
    }
    while let Some(event) = assembler.flush(u64::MAX) {
        had += counted(&event);
    }
    assert!(had <= given && assembler.open() == 0, "{had} of {given}");
    let _ = Rule::of(RuleHeader::from_bytes(input), input.get(RuleHeader::LAYOUT.size..).unwrap_or_default())
        .map(|rule| rule.conditions().count());
}

fn counted(event: &Event<'_>) -> usize {
    let _ = format!("{event:?}");
    for record in event.records() {
        assert!(event.record(record.kind).is_some());
    }
    event.records().count()
}

/// Knows the names of one letter.
struct Letters;

impl Names for Letters {
    fn interface(&self, name: &str) -> Option<u32> {
        number(name).map(u32::from)
    }

    fn port(&self, name: &str) -> Option<u16> {
        number(name).map(u16::from)
    }

    fn control_group(&self, path: &str) -> Option<u64> {
        number(path).map(u64::from)
    }
}

fn number(name: &str) -> Option<u8> {
    match name.as_bytes() {
        [letter] if letter.is_ascii_alphabetic() => Some(*letter),
        _ => None,
    }
}

/// A filter's text: what compiles can be taken apart, and every jump stays within the program or goes to one of its two ends.
pub fn filter(input: &[u8]) {
    for instruction in Instructions::new(input) {
        let Ok(instruction) = instruction else { break };
        let _ = format!("{instruction:?} {instruction}");
    }
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut buffer = [0; 4096];
    let bare = compile(text, &NoNames, &mut buffer).map(|program| program.to_vec());
    match compile(text, &Letters, &mut buffer) {
        Ok(program) => {
            let length = program.len();
            for instruction in Instructions::new(program) {
                let instruction = instruction.expect("what was compiled reads");
                assert!(instruction.yes > instruction.at && instruction.yes <= length, "{instruction:?}");
                assert!(instruction.no > instruction.at && instruction.no <= length + 4, "{instruction:?}");
                let _ = format!("{instruction}");
            }
            assert!(
                bare.is_err() || bare.is_ok_and(|bare| bare == program),
                "names that are not needed change nothing"
            );
        }
        Err(error) => {
            let text = error.to_string();
            assert!(bare.is_err() && !text.is_empty(), "{text}");
        }
    }
}
