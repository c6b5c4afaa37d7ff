//! What has writers of its own, beside attributes' keys: what is written reads as it was meant.

use std::collections::BTreeMap;
use std::net::IpAddr;

use arbitrary::{Result, Unstructured};
use ringlink::codec::Text;
use ringlink::codec::audit::{
    self, Action, Architecture, Audit, Comparison as Ids, ConditionValue, Filter, MAX_FIELDS, Permissions, Rule,
    RuleBuilder, RuleField, RuleOperator,
};
use ringlink::codec::connector::{self, Event, Identifier, Notice, Parts, ProcessEvents, Sequences};
use ringlink::codec::diag::bytecode::{Code, Comparison, Condition, Host, Instructions, Program};
use ringlink::codec::generic::Numbers;
use ringlink::codec::netfilter::conntrack::{Endpoints, Nat, NatTarget, Protocol, Tuple};
use ringlink::codec::netfilter::ipset::{DataFlags, Entry, EntryView, SkbMark, SkbPriority};
use ringlink::codec::netfilter::nftables::{
    self, ByteorderOp, CmpOp, CtDirection, CtKey, CtState, DynsetOp, ExpressionView, LimitType, LogEntry, LogFlags,
    LogLevel, MetaKey, NatFlags, NatType, Nft, ObjectType, PayloadBase, PayloadChecksumFlags, Port, Rate, Register,
    RejectInetCode, RejectType, RuleView, RuleWriter, SetName, VerdictCode,
};
use ringlink::codec::netfilter::{Family, NetfilterHeader};
use ringlink::codec::prelude::*;
use ringlink::codec::protocol::NETFILTER;
use ringlink::codec::table::{Attributes, HardwareAddress, Table};
use ringlink::codec::uevent::{self, Uevent};
use ringlink::codec::wire::{Payload, Writer};

use crate::anew::again;
use crate::keys::keys;

/// Rules of firewalls and of the audit, programs that choose sockets, entries of sets, ends of connections, events of devices and of
/// processes: written from any choices, and read.
pub fn written(input: &[u8]) {
    let mut source = Unstructured::new(input);
    // A source that is refused ends what is written.
    let _ = match source.int_in_range(0..=7_u8) {
        Ok(0) => firewall(&mut source),
        Ok(1) => rule(&mut source),
        Ok(2) => program(&mut source),
        Ok(3) => entry(&mut source),
        Ok(4) => endpoints(&mut source),
        Ok(5) => device(&mut source),
        Ok(6) => keys(&mut source),
        _ => process(&mut source),
    };
}

/// Text without NUL, of at most so many bytes.
pub(crate) fn word<'a>(source: &mut Unstructured<'a>, most: usize) -> Result<&'a str> {
    let text: &str = source.arbitrary()?;
    let end = text.find('\0').unwrap_or(text.len());
    Ok(text.get(..end.min(most)).unwrap_or_default())
}

/// A rule of a firewall: as many expressions as were written, none of them unknown, and again the same bytes.
fn firewall(source: &mut Unstructured<'_>) -> Result<()> {
    let family = *source.choose(&[Family::INET, Family::IPV4, Family::IPV6, Family::BRIDGE, Family::NETDEV])?;
    let mut buffer = vec![0; 1 << 16];
    let mut bare = 0;
    let bytes = Nft::NEWRULE.create().write(&mut buffer, NetfilterHeader::of(family), |rule| {
        rule.put(nftables::Rule::TABLE, "filter");
        rule.nest(nftables::Rule::EXPRESSIONS, |list| {
            let mut rule = RuleWriter::new(list, family);
            for _ in 0..32 {
                if source.is_empty() || expression(source, &mut rule, &mut bare).is_err() {
                    break;
                }
            }
        });
    });
    let message = Message::parse(bytes.expect("there is room")).expect("a message");
    let rule = RuleView::read(message.body(Nft::NEWRULE).expect("a rule")).expect("it reads");
    for expression in rule.expressions() {
        let expression = expression.expect("what was written reads");
        bare -= i32::from(matches!(expression, ExpressionView::Other(_)));
        let _ = format!("{expression:?}");
    }
    assert_eq!(bare, 0, "expressions without data: {}", message.tree(&NETFILTER));
    let again = again(message, &NETFILTER, Numbers(&[])).expect("as the rows say");
    assert_eq!(again.bytes, again.expected);
    Ok(())
}

fn expression(source: &mut Unstructured<'_>, rule: &mut RuleWriter<'_, '_, '_>, bare: &mut i32) -> Result<()> {
    let register = Register(source.int_in_range(0..=23)?);
    let op = *source.choose(&[CmpOp::EQ, CmpOp::NEQ, CmpOp::LT, CmpOp::LTE, CmpOp::GT, CmpOp::GTE])?;
    let which = *source.choose(&[Port::Source, Port::Destination])?;
    let network = *source.choose(&[Family::IPV4, Family::IPV6])?;
    let direction = *source.choose(&[None, Some(CtDirection::ORIGINAL), Some(CtDirection::REPLY)])?;
    let protocol = source.arbitrary()?;
    let number: u32 = source.arbitrary()?;
    let name = word(source, 64)?;
    let set = SetName { name, id: source.arbitrary()? };
    match source.int_in_range(0..=40_u8)? {
        0 => {
            rule.bare("notrack");
            *bare += 1;
        }
        1 => rule.immediate(register, source.arbitrary()?),
        2 => rule.compare(register, op, source.arbitrary()?),
        3 => {
            let (from, to): ([u8; 4], [u8; 4]) = source.arbitrary()?;
            rule.compare_range(register, op, &from, &to);
        }
        4 => rule.mask(register, &number.to_be_bytes(), &source.arbitrary::<[u8; 4]>()?),
        5 => rule.byteorder(register, ByteorderOp(number), source.arbitrary()?),
        6 => rule.lookup(register, op, set),
        7 => rule.map(register, set, Register(number)),
        8 => rule.update_set(DynsetOp(number), set, register, source.arbitrary()?),
        9 => rule.payload(PayloadBase(number), source.arbitrary()?, source.arbitrary()?, register),
        10 => {
            let checksum: Option<(u32, u32)> = source.arbitrary()?;
            let checksum = checksum.map(|(at, flags)| (at, PayloadChecksumFlags(flags)));
            rule.write_payload(PayloadBase(number), source.arbitrary()?, source.arbitrary()?, register, checksum);
        }
        11 => rule.network(network),
        12 => rule.transport(protocol),
        13 => rule.source(op, source.arbitrary()?, source.arbitrary()?),
        14 => rule.destination(op, source.arbitrary()?, source.arbitrary()?),
        15 => rule.port(op, which, protocol, source.arbitrary()?..=source.arbitrary()?),
        16 => rule.load_port(which, protocol, register),
        17 => rule.load_address(which, network, register),
        18 => rule.icmp(op, network, protocol),
        19 => rule.meta(MetaKey(number), register),
        20 => rule.set_meta(MetaKey(number), register),
        21 => rule.input_name(op, name),
        22 => rule.output_name(op, name),
        23 => rule.mark(op, number),
        24 => rule.set_mark(number),
        25 => rule.ct(CtKey(number), direction, register),
        26 => rule.set_ct(CtKey(number), direction, register),
        27 => rule.ct_state(op, CtState(number)),
        28 => rule.counter(),
        29 => rule.limit(Rate {
            rate: source.arbitrary()?,
            seconds: source.arbitrary()?,
            burst: number,
            kind: LimitType(source.arbitrary()?),
            over: source.arbitrary()?,
        }),
        30 => rule.quota(source.arbitrary()?, source.arbitrary()?),
        31 => rule.log(LogEntry {
            prefix: source.arbitrary::<bool>()?.then_some(name),
            level: source.arbitrary::<Option<u32>>()?.map(LogLevel),
            flags: LogFlags(number),
            group: source.arbitrary()?,
            snaplen: source.arbitrary()?,
            threshold: source.arbitrary()?,
        }),
        32 => rule.object(ObjectType(number), name),
        33 => rule.object_by(register, set),
        34 => rule.accept(),
        35 => rule.drop(),
        36 => match source.arbitrary()? {
            true => rule.jump(name),
            false => rule.goto(name),
        },
        37 => rule.verdict(VerdictCode(source.arbitrary()?), source.arbitrary::<bool>()?.then_some(name)),
        38 => rule.reject(RejectInetCode(protocol)),
        39 => rule.reject_with(RejectType(number), protocol),
        _ => {
            let addresses: Option<(IpAddr, IpAddr)> = source.arbitrary()?;
            let ports: Option<(u16, u16)> = source.arbitrary()?;
            let target = nftables::NatTarget {
                addresses: addresses.map(|(first, last)| first..=last),
                ports: ports.map(|(first, last)| first..=last),
                flags: NatFlags(number),
            };
            match source.int_in_range(0..=2_u8)? {
                0 => rule.nat(*source.choose(&[NatType::SNAT, NatType::DNAT])?, network, &target),
                1 => rule.masquerade(&target),
                _ => rule.redirect(&target),
            }
        }
    }
    Ok(())
}

/// A rule of the audit: its conditions in order, or an error where there are too many, or one is of the wrong kind.
fn rule(source: &mut Unstructured<'_>) -> Result<()> {
    const FIELDS: &[RuleField] = &[
        RuleField::UID,
        RuleField::ARCH,
        RuleField::PERM,
        RuleField::WATCH,
        RuleField::DIR,
        RuleField::FILTERKEY,
        RuleField::SUBJ_USER,
        RuleField::EXE,
    ];
    let mut text = vec![0; source.int_in_range(0..=96)?];
    let mut rule = RuleBuilder::new(&mut text, Filter(source.arbitrary()?), Action(source.arbitrary()?));
    let mut expected = Vec::new();
    for _ in 0..source.int_in_range(0..=80_u8)? {
        let field = *source.choose(FIELDS)?;
        let operator = *source.choose(&[RuleOperator::EQUAL, RuleOperator::NOT_EQUAL, RuleOperator::BIT_TEST])?;
        let value = source.arbitrary()?;
        match source.int_in_range(0..=7_u8)? {
            0 => rule.prepend(),
            1 => rule.syscall(source.arbitrary()?),
            2 => rule.all_syscalls(),
            3 => {
                let word = word(source, 16)?;
                rule.text(field, operator, word);
                expected.push((field, operator, Err(word)));
            }
            4 => {
                rule.architecture(operator, Architecture(value));
                expected.push((RuleField::ARCH, operator, Ok(value)));
            }
            5 => {
                rule.permissions(Permissions(value));
                expected.push((RuleField::PERM, RuleOperator::EQUAL, Ok(value)));
            }
            6 => {
                rule.compare(operator, Ids(value));
                expected.push((RuleField::FIELD_COMPARE, operator, Ok(value)));
            }
            _ => {
                rule.number(field, operator, value);
                expected.push((field, operator, Ok(value)));
            }
        }
    }
    let bare = rule.is_without_syscalls();
    let Ok(rule) = rule.finish() else { return Ok(()) };
    assert!(expected.len() <= MAX_FIELDS && rule.header.mask.numbers().next().is_none() == bare);
    let mut buffer = [0; 2048];
    let bytes = Audit::ADD_RULE.write(&mut buffer, rule.header, |to| rule.write(to)).expect("there is room");
    let message = Message::parse(bytes).expect("a message");
    let rule = Rule::read(message.body(Audit::ADD_RULE).expect("a rule")).expect("it reads");
    let found: Vec<_> = rule
        .conditions()
        .map(|condition| match condition.value {
            ConditionValue::Number(number) => (condition.field, condition.operator, Ok(number)),
            ConditionValue::Text(text) => (condition.field, condition.operator, Err(text.to_str().expect("it was"))),
        })
        .collect();
    assert_eq!(found, expected);
    for (field, ..) in expected {
        assert!(rule.condition(field).is_some());
    }
    let _ = format!("{rule:?} {:?} {}", rule.filter(), audit::keys(Text::from_bytes(rule.strings())).count());
    let _ = format!("{}", message.tree(&ringlink::codec::protocol::AUDIT));
    Ok(())
}

/// What sockets are chosen by.
enum Tree {
    /// This, and whether it holds of the socket that is looked at.
    Leaf(Condition, bool),
    Not(Box<Tree>),
    Both(Box<Tree>, Box<Tree>),
    Either(Box<Tree>, Box<Tree>),
}

impl Tree {
    fn any(source: &mut Unstructured<'_>, depth: u8) -> Result<Self> {
        let kind = if depth < 5 { source.int_in_range(0..=5_u8)? } else { 5 };
        Ok(match kind {
            0 => Self::Not(Box::new(Self::any(source, depth + 1)?)),
            1 | 2 => Self::Both(Box::new(Self::any(source, depth + 1)?), Box::new(Self::any(source, depth + 1)?)),
            3 | 4 => Self::Either(Box::new(Self::any(source, depth + 1)?), Box::new(Self::any(source, depth + 1)?)),
            _ => Self::Leaf(condition(source)?, source.arbitrary()?),
        })
    }

    fn write(&self, program: &mut Program<'_>) {
        match self {
            Self::Leaf(condition, _) => program.condition(*condition),
            Self::Not(inner) => program.not(|program| inner.write(program)),
            Self::Both(one, other) => program.both(|program| one.write(program), |program| other.write(program)),
            Self::Either(one, other) => program.either(|program| one.write(program), |program| other.write(program)),
        }
    }

    fn holds(&self) -> bool {
        match self {
            Self::Leaf(_, holds) => *holds,
            Self::Not(inner) => !inner.holds(),
            Self::Both(one, other) => one.holds() && other.holds(),
            Self::Either(one, other) => one.holds() || other.holds(),
        }
    }

    fn leaves(&self, into: &mut Vec<(Condition, bool)>) {
        match self {
            Self::Leaf(condition, holds) => into.push((*condition, *holds)),
            Self::Not(inner) => inner.leaves(into),
            Self::Both(one, other) | Self::Either(one, other) => {
                one.leaves(into);
                other.leaves(into);
            }
        }
    }
}

fn condition(source: &mut Unstructured<'_>) -> Result<Condition> {
    let comparison = *source.choose(&[Comparison::Equal, Comparison::AtLeast, Comparison::AtMost])?;
    // What is longer than the address is cut.
    let address: Option<(IpAddr, u8)> = source.arbitrary()?;
    let address = address.map(|(address, length)| (address, length.min(if address.is_ipv4() { 32 } else { 128 })));
    let host = Host { address, port: source.arbitrary()? };
    Ok(match source.int_in_range(0..=7_u8)? {
        0 => Condition::SourcePort(comparison, source.arbitrary()?),
        1 => Condition::DestinationPort(comparison, source.arbitrary()?),
        2 => Condition::Source(host),
        3 => Condition::Destination(host),
        4 => Condition::Device(source.arbitrary()?),
        5 => Condition::Mark { mark: source.arbitrary()?, mask: source.arbitrary()? },
        6 => Condition::ControlGroup(source.arbitrary()?),
        _ => Condition::AutoBound,
    })
}

/// A program that chooses sockets: run as the kernel would, it chooses as the expression says.
fn program(source: &mut Unstructured<'_>) -> Result<()> {
    let tree = Tree::any(source, 0)?;
    let mut buffer = vec![0; source.int_in_range(0..=4096)?];
    let mut program = Program::new(&mut buffer);
    tree.write(&mut program);
    let needed = program.length();
    let Ok(bytes) = program.finish() else { return Ok(()) };
    assert_eq!(bytes.len(), needed);
    let mut leaves = Vec::new();
    tree.leaves(&mut leaves);
    let mut leaves = leaves.into_iter();
    let mut instructions = BTreeMap::new();
    for instruction in Instructions::new(bytes) {
        let instruction = instruction.expect("what was written reads");
        let _ = format!("{instruction} {instruction:?}");
        let holds = match instruction.condition {
            None => {
                assert_eq!(instruction.code, Code::JMP);
                false
            }
            Some(found) => {
                let (condition, holds) = leaves.next().expect("each was written once");
                assert_eq!(found, condition);
                holds
            }
        };
        instructions.insert(instruction.at, if holds { instruction.yes } else { instruction.no });
    }
    assert!(leaves.next().is_none());
    let mut at = 0;
    while at < needed {
        let next = *instructions.get(&at).expect("jumps lead to instructions");
        assert!(next > at);
        at = next;
    }
    assert!(at == needed || at == needed + 4, "{at} of {needed}");
    assert_eq!(at == needed, tree.holds());
    Ok(())
}

/// Attributes of a space, written by one and read by the other.
pub(crate) fn attributes<S: Table, T>(
    buffer: &mut [u8],
    write: impl FnOnce(&mut ringlink::codec::table::AttributeWriter<'_, '_, S>),
    read: impl FnOnce(Attributes<'_, S>) -> T,
) -> T {
    let mut writer = Writer::new(buffer);
    write(&mut ringlink::codec::table::AttributeWriter::new(&mut writer));
    assert!(writer.is_sound());
    let bytes = writer.finish().expect("there is room");
    read(Attributes::new(Payload { bytes, offset: 0 }))
}

/// An entry of a set.
fn entry(source: &mut Unstructured<'_>) -> Result<()> {
    let ether: Option<[u8; 6]> = source.arbitrary()?;
    let entry = EntryView {
        ip: source.arbitrary()?,
        ip_to: source.arbitrary()?,
        cidr: source.arbitrary()?,
        ip2: source.arbitrary()?,
        ip2_to: source.arbitrary()?,
        cidr2: source.arbitrary()?,
        proto: source.arbitrary()?,
        port: source.arbitrary()?,
        port_to: source.arbitrary()?,
        mark: source.arbitrary()?,
        ether: ether.as_ref().map(|bytes| HardwareAddress(bytes)),
        interface: source.arbitrary::<bool>()?.then_some(Text::new("eth0")),
        name: source.arbitrary::<bool>()?.then_some(Text::new("one")),
        name_reference: source.arbitrary::<bool>()?.then_some(Text::new("other")),
        flags: DataFlags(source.arbitrary()?),
        timeout: source.arbitrary()?,
        packets: source.arbitrary()?,
        bytes: source.arbitrary()?,
        comment: Some(Text::new(word(source, 255)?)),
        skb_mark: source.arbitrary::<Option<u64>>()?.map(SkbMark::from_number),
        skb_priority: source.arbitrary::<Option<u32>>()?.map(SkbPriority::from_number),
        skb_queue: source.arbitrary()?,
        line: source.arbitrary()?,
    };
    let expected = format!("{entry:?}");
    let found = attributes(
        &mut [0; 2048],
        |to| entry.write(to),
        |attributes: Attributes<'_, Entry>| format!("{:?}", EntryView::read(attributes).expect("it reads")),
    );
    assert_eq!(found, expected);
    Ok(())
}

/// The ends of a connection, and what they are translated to.
fn endpoints(source: &mut Unstructured<'_>) -> Result<()> {
    let mut ends = Endpoints {
        source: source.arbitrary()?,
        destination: source.arbitrary()?,
        protocol: Some(Protocol(*source.choose(&[1, 6, 17, 47, 58, 132])?)),
        source_port: source.arbitrary()?,
        destination_port: source.arbitrary()?,
        icmp_type: source.arbitrary()?,
        icmp_code: source.arbitrary()?,
        icmp_id: source.arbitrary()?,
        zone: source.arbitrary()?,
    };
    assert_eq!(ends.reversed().reversed(), ends);
    if source.ratio(1_u8, 8)? {
        ends =
            Endpoints { source: ends.source, destination: ends.destination, zone: ends.zone, ..Endpoints::default() };
    }
    let found = attributes(&mut [0; 256], |to| ends.write(to), |tuple: Attributes<'_, Tuple>| Endpoints::read(tuple));
    assert_eq!(found, Ok(ends));
    let target = NatTarget { address: source.arbitrary()?, port: source.arbitrary()? };
    let count = attributes(&mut [0; 64], |to| target.write(to), |nat: Attributes<'_, Nat>| nat.raw().count());
    assert_eq!(count, usize::from(target.address.is_some()) + usize::from(target.port.is_some()));
    Ok(())
}

/// An event of udev's: its properties.
fn device(source: &mut Unstructured<'_>) -> Result<()> {
    const NAMES: &[&str] = &["ACTION", "DEVPATH", "SUBSYSTEM", "DEVTYPE", "SEQNUM", "X"];
    let mut properties = Vec::new();
    for _ in 0..source.int_in_range(0..=8_u8)? {
        properties.push((*source.choose(NAMES)?, word(source, 64)?));
    }
    let mut buffer = vec![0; source.int_in_range(0..=600)?];
    let capacity = buffer.len();
    match uevent::write_udev(&mut buffer, &properties) {
        Ok(bytes) => {
            let event = Uevent::from_udev(bytes).expect("what was written reads");
            let found: Vec<_> = event.properties.map(|property| property.expect("whole")).collect();
            assert!(found.iter().zip(&properties).all(|(found, (name, value))| found.0 == *name && found.1 == *value));
            assert_eq!(found.len(), properties.len());
            let number =
                properties.iter().find(|(name, _)| *name == "SEQNUM").and_then(|(_, value)| value.parse().ok());
            assert_eq!(event.sequence(), number);
        }
        Err(error) => assert!(error.needed().is_some_and(|needed| needed > u32::try_from(capacity).unwrap_or(0))),
    }
    Ok(())
}

/// A message of the connector's: its one part; events of processes are counted on each processor.
fn process(source: &mut Unstructured<'_>) -> Result<()> {
    let mut buffer = vec![0; source.int_in_range(0..=256)?];
    let (sequence, acknowledge, on) = source.arbitrary()?;
    let mut sequences = Sequences::<2>::default();
    let mut seen = BTreeMap::new();
    for (processor, number) in source.arbitrary_iter::<(u8, u32)>()?.take(4).flatten() {
        let processor = u32::from(processor % 3);
        let before = seen.insert(processor, number.wrapping_add(1)).unwrap_or(number);
        let lost = (processor < 2).then(|| number.wrapping_sub(before));
        assert_eq!(sequences.see(processor, number), lost);
    }
    let kind = source.int_in_range(0..=2_u8)?;
    let data: &[u8] = source.arbitrary()?;
    let written = match kind {
        0 => connector::listen(&mut buffer, sequence, on),
        1 => connector::choose(&mut buffer, sequence, ProcessEvents(acknowledge)),
        _ => connector::write(&mut buffer, Identifier::PROCESSES, sequence, acknowledge, data),
    };
    let Ok(bytes) = written else { return Ok(()) };
    let message = Message::parse(bytes).expect("a message");
    let parts: Vec<_> = Parts::of(message).map(|part| part.expect("whole")).collect();
    let [part] = parts[..] else { panic!("{parts:?}") };
    assert!(part.header.seq == sequence && (kind < 2 || part.data == data));
    if let Ok(Some(notice)) = Notice::of(&part) {
        let nobody = matches!(notice.event, Event::Acknowledged { .. } | Event::Other(_));
        assert_eq!(notice.event.process().is_none(), nobody, "{notice:?}");
    }
    let _ = format!("{}", message.tree(&ringlink::codec::protocol::CONNECTOR));
    Ok(())
}
