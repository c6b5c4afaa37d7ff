//! Text, and what is no netlink message.

use ringlink::codec::audit::{Assembler, Record, RecordType, Rule, RuleHeader};
use ringlink::codec::diag::bytecode::Instructions;
use ringlink::codec::diag::filter::{NoNames, compile};
use ringlink::codec::prelude::*;
use ringlink::codec::table::Record as _;
use ringlink::codec::uevent::Uevent;
use ringlink::codec::{connector, protocol};

/// What is no netlink message, or text in one: events of devices, of processes, records of the audit.
pub fn text(input: &[u8]) {
    records(input);
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
        }
        given += 1;
        had += assembler.add(&record).map_or(0, |event| event.records().count());
    }
    while let Some(event) = assembler.flush(u64::MAX) {
        had += event.records().count();
    }
    assert!(had <= given && assembler.open() == 0, "{had} of {given}");
    let _ = Rule::of(RuleHeader::from_bytes(input), input.get(RuleHeader::LAYOUT.size..).unwrap_or_default())
        .map(|rule| rule.conditions().count());
}

/// A filter's text: what compiles can be taken apart, and every jump stays within the program or goes to one of its two ends.
pub fn filter(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let mut buffer = [0; 4096];
    match compile(text, &NoNames, &mut buffer) {
        Ok(program) => {
            let length = program.len();
            for instruction in Instructions::new(program) {
                let instruction = instruction.expect("what was compiled reads");
                assert!(instruction.yes > instruction.at && instruction.yes <= length, "{instruction:?}");
                assert!(instruction.no > instruction.at && instruction.no <= length + 4, "{instruction:?}");
            }
        }
        Err(error) => drop(format!("{error}")),
    }
    for instruction in Instructions::new(input) {
        let Ok(instruction) = instruction else { break };
        let _ = format!("{instruction:?}");
    }
}
