//! What the fuzzers check. Each is a function of bytes, so that findings and seeds run as tests, too.

mod differential;

use std::fmt::{Debug, Write};
use std::sync::LazyLock;

use arbitrary::Unstructured;
use ringlink::codec::Error;
use ringlink::codec::audit::{Assembler, Record, RecordType, Rule, RuleHeader};
use ringlink::codec::diag::bytecode::Instructions;
use ringlink::codec::diag::filter::{NoNames, compile};
use ringlink::codec::diag::{InetAnswer, NetlinkAnswer, NetlinkSocketView, PacketAnswer, PacketSocketView, SocketView};
use ringlink::codec::exchange::Pending;
use ringlink::codec::follow::{Advice, Follower};
use ringlink::codec::generate::{Bounds, damage};
use ringlink::codec::generic::{FAMILIES, Family, Numbers};
use ringlink::codec::netfilter::conntrack::{ConnectionView, Conntrack, Expect, ExpectationView};
use ringlink::codec::netfilter::ipset::{IpSet, SetView};
use ringlink::codec::netfilter::log::{self, Log};
use ringlink::codec::netfilter::nftables::{self, Nft};
use ringlink::codec::netfilter::queue::{self, Queue};
use ringlink::codec::prelude::*;
use ringlink::codec::protocol::PROTOCOLS;
use ringlink::codec::route::{AddressView, LinkView, NeighbourView, RouteView, Rtm, RuleView};
use ringlink::codec::table::{Record as _, Selector, Shape, Space};
use ringlink::codec::uevent::Uevent;
use ringlink::codec::wire::{MessageType, Messages, Writer};
use ringlink::codec::xfrm::{PolicyView, StateView, Xfrm};
use ringlink::codec::{connector, protocol};
use ringlink::engine::record::Recording;

pub use differential::differential;

/// All targets, by name.
pub const TARGETS: &[(&str, fn(&[u8]))] = &[
    ("print", print),
    ("views", views),
    ("exchange", exchange),
    ("pending", pending),
    ("generated", generated),
    ("refusal", refusal),
    ("text", text),
    ("filter", filter),
    ("recording", recording),
    ("differential", differential),
];

/// Numbers that generic families could have.
static NUMBERS: LazyLock<Vec<(u16, &'static Family)>> =
    LazyLock::new(|| (0x20..).zip(FAMILIES.iter().copied()).collect());

fn numbers() -> Numbers<'static> {
    Numbers(&NUMBERS)
}

/// Counts what is printed, and keeps none of it.
struct Count(usize);

impl Write for Count {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// A datagram through the printer, which touches every row: both faces end, and neither panics. The first byte says of which
/// protocol it is.
pub fn print(input: &[u8]) {
    let Some((first, datagram)) = input.split_first() else { return };
    let Some(protocol) = PROTOCOLS.get(usize::from(*first) % PROTOCOLS.len()) else { return };
    for message in Messages::new(datagram) {
        let Ok(message) = message else { break };
        let mut count = Count(0);
        let _ = write!(count, "{}{}", message.tree(protocol).with(numbers()), message.json(protocol).with(numbers()));
        // Each byte is printed a bounded number of times.
        assert!(count.0 <= 8192 + 512 * message.payload.len(), "{} of {}", count.0, message.payload.len());
    }
}

fn check<T: Debug>(length: usize, read: impl Fn() -> Result<T, Error>) {
    match (read(), read()) {
        (Ok(one), Ok(two)) => assert_eq!(format!("{one:?}"), format!("{two:?}")),
        (Err(one), Err(two)) => {
            assert_eq!(one, two);
            assert!(usize::try_from(one.offset).is_ok_and(|offset| offset <= length + 16), "{one}");
        }
        (one, two) => panic!("{one:?} is not {two:?}"),
    }
}

/// A datagram through the views: what reads reads twice alike, and what does not says where.
pub fn views(input: &[u8]) {
    for message in Messages::new(input) {
        let Ok(message) = message else { break };
        let length = message.payload.len();
        macro_rules! views {
            ($($operation:expr => $view:ty,)*) => {$(
                if let Ok(body) = message.body($operation) {
                    // A fixed header that was cut counts as whole: what is missing is zero.
                    check(length.max(size_of_val(&body.header).next_multiple_of(4)), || <$view>::read(body));
                }
            )*};
        }
        views! {
            Rtm::NEWLINK => LinkView,
            Rtm::NEWADDR => AddressView,
            Rtm::NEWROUTE => RouteView,
            Rtm::NEWNEIGH => NeighbourView,
            Rtm::NEWRULE => RuleView,
            Xfrm::NEWSA => StateView,
            Xfrm::NEWPOLICY => PolicyView,
            InetAnswer::SOCK_DIAG_BY_FAMILY => SocketView,
            NetlinkAnswer::SOCK_DIAG_BY_FAMILY => NetlinkSocketView,
            PacketAnswer::SOCK_DIAG_BY_FAMILY => PacketSocketView,
            Conntrack::NEW => ConnectionView,
            Expect::NEW => ExpectationView,
            IpSet::LIST => SetView,
            Log::PACKET => log::PacketView,
            Queue::PACKET => queue::PacketView,
            Nft::NEWTABLE => nftables::TableView,
            Nft::NEWCHAIN => nftables::ChainView,
            Nft::NEWRULE => nftables::RuleView,
            Nft::NEWSET => nftables::SetView,
            Nft::NEWSETELEM => nftables::ElementsView,
            Nft::NEWOBJ => nftables::ObjectView,
            Nft::NEWFLOWTABLE => nftables::FlowtableView,
            Nft::NEWGEN => nftables::GenerationView,
            Nft::TRACE => nftables::TraceView,
        }
        if let Ok(body) = message.body(Nft::NEWRULE)
            && let Ok(rule) = nftables::RuleView::read(body)
        {
            let expressions: Vec<_> = rule.expressions().collect();
            assert!(expressions.len() <= length);
            let _ = format!("{expressions:?} {:?}", rule.comment());
        }
        if let Ok(body) = message.body(IpSet::LIST)
            && let Ok(set) = SetView::read(body)
        {
            for entry in set.entries() {
                let _ = format!("{entry:?}");
            }
        }
    }
}

/// A transcript through a dump's exchange: an end comes once, and is not complete after a flag that says otherwise.
pub fn exchange(input: &[u8]) {
    let mut exchange = Exchange::dump(1, 2);
    let (mut flagged, mut finished) = (false, false);
    for message in Messages::new(input) {
        let Ok(message) = message else { break };
        let mine = message.header.sequence == 1 && matches!(message.header.port, 0 | 2) && !finished;
        let answers = message.header.kind >= MessageType::FIRST || message.header.kind == MessageType::DONE;
        flagged |= mine && answers && message.header.flags.contains(Flags::DUMP_INTERRUPTED);
        match exchange.accept(message, Origin::KERNEL) {
            Step::NotMine => assert!(!mine),
            Step::Skip | Step::Item(_) => assert!(mine),
            Step::Finished { end, .. } => {
                assert!(mine && !(flagged && end.is_complete()));
                finished = true;
            }
            Step::Failed(refusal) => {
                assert!(mine && refusal.errno.0 != 0 && !exchange.end().is_complete());
                finished = true;
            }
        }
        assert_eq!(exchange.is_finished(), finished);
    }
}

/// Requests, answers, losses and a follower in any order: what is not asked is not answered, each request ends once, and the
/// follower is never live after a loss without another dump.
pub fn pending(input: &[u8]) {
    let mut source = Unstructured::new(input);
    let mut pending = Pending::<4>::new();
    let mut open: Vec<u32> = Vec::new();
    let mut follower = Follower::new();
    let mut lost = true;
    let mut next = 0_u32;
    while !source.is_empty() {
        match source.int_in_range(0..=6_u8).unwrap_or(0) {
            0 => {
                next += 1;
                let made = match next % 3 {
                    0 => Exchange::get(next, 9),
                    1 => Exchange::apply(next, 9),
                    _ => Exchange::dump(next, 9),
                };
                match pending.add(made) {
                    Ok(()) => open.push(next),
                    Err(back) => assert!(open.len() == 4 && back.sequence() == next),
                }
            }
            1 => {
                let sequence = source.arbitrary::<u8>().unwrap_or(0).into();
                let known = open.contains(&sequence);
                assert_eq!(pending.abandon(sequence).is_some(), known);
                open.retain(|one| *one != sequence);
            }
            2 => {
                follower.overrun();
                lost = true;
            }
            3 if follower.advice() == Advice::Dump => {
                follower.dump_started();
                lost = false;
            }
            4 if follower.advice() == Advice::Continue => {
                let mut end = Exchange::dump(1, 2);
                if source.arbitrary().unwrap_or(false) {
                    end.truncated();
                    lost = true;
                }
                follower.dump_ended(end.end());
                assert!(follower.advice() != Advice::Listen || !lost);
            }
            _ => {
                let length = source.int_in_range(0..=64_usize).unwrap_or(0).min(source.len());
                let Ok(bytes) = source.bytes(length) else { return };
                let mut bytes = bytes.to_vec();
                if let Some(header) = bytes.get_mut(..4) {
                    header.copy_from_slice(&u32::try_from(length).unwrap_or(0).to_ne_bytes());
                }
                let Ok(message) = Message::parse(&bytes) else { continue };
                let origin = Origin { port: u32::from(length == 40), group: u32::from(length == 44) };
                let (sequence, step) = pending.accept(message, origin);
                if let Some(sequence) = sequence {
                    assert!(
                        open.contains(&sequence) && origin == Origin::KERNEL && message.header.sequence == sequence
                    );
                    if pending.len() < open.len() {
                        assert!(matches!(step, Step::Finished { .. } | Step::Failed(_) | Step::Item(_)));
                        open.retain(|one| *one != sequence);
                    }
                } else {
                    assert!(matches!(step, Step::NotMine));
                }
            }
        }
        assert_eq!(pending.len(), open.len());
    }
}

/// Messages made up from the tables print without a broken attribute, read through the views, and when one place of them is
/// damaged, nothing before it is lost.
pub fn generated(input: &[u8]) {
    let mut source = Unstructured::new(input);
    let Ok(protocol) = source.choose(PROTOCOLS).copied() else { return };
    let mut buffer = vec![0; 1 << 16];
    let mut writer = Writer::new(&mut buffer);
    if Bounds::default().any(&mut source, protocol, numbers(), &mut writer).is_err() {
        return;
    }
    let Ok(bytes) = writer.finish() else { return };
    if bytes.is_empty() {
        return;
    }
    let message = Message::parse(bytes).expect("what is generated is a message");
    let row = protocol.row(message, numbers());
    let tree = message.tree(protocol).with(numbers()).to_string();
    assert!(!tree.lines().any(|line| line.trim_start().starts_with("error:")), "{tree}");
    views(bytes);
    let Some(row) = row else { return };
    let start = row.header.length(message.payload);
    let before: Vec<(u16, u32)> = message
        .raw_attributes(start)
        .map(|raw| raw.map(|raw| (raw.kind, raw.payload.offset)).expect("well-formed"))
        .collect();
    let mut broken = bytes.to_vec();
    if let Ok(Some(place)) = damage(&mut source, &mut broken, row) {
        let message = Message::parse(&broken).expect("its header is as it was");
        let after: Vec<(u16, u32)> =
            message.raw_attributes(start).map_while(Result::ok).map(|raw| (raw.kind, raw.payload.offset)).collect();
        let whole = |list: &[(u16, u32)]| -> Vec<(u16, u32)> {
            list.iter().copied().filter(|(_, offset)| *offset <= place.offset.saturating_sub(4)).collect()
        };
        let (before, after) = (whole(&before), whole(&after));
        // The last of them may be what holds the damage.
        let sure = before.len().saturating_sub(1);
        assert_eq!(before.get(..sure), after.get(..sure), "{place:?}");
        let _ = message.tree(protocol).with(numbers()).to_string();
        let _ = message.json(protocol).with(numbers()).to_string();
        views(&broken);
    }
}

/// A refusal with any offset, of any request: its path ends, and names what holds that place.
pub fn refusal(input: &[u8]) {
    let mut source = Unstructured::new(input);
    let Ok(protocol) = source.choose(PROTOCOLS).copied() else { return };
    let mut buffer = vec![0; 1 << 16];
    let mut writer = Writer::new(&mut buffer);
    if Bounds::default().any(&mut source, protocol, numbers(), &mut writer).is_err() {
        return;
    }
    let Ok(request) = writer.finish() else { return };
    let Ok(request) = Message::parse(request) else { return };
    let Some((space, header)) = protocol.root(request, numbers()) else { return };
    let rest = source.take_rest();
    let length = 16 + rest.len();
    let mut error = MessageHeader { length: u32::try_from(length).unwrap_or(0), ..MessageHeader::default() };
    error.kind = MessageType::ERROR;
    error.sequence = 1;
    error.flags = Flags::ACK_TLVS | if rest.len() % 2 == 0 { Flags::CAPPED } else { Flags::NONE };
    let message = Message { header: error, payload: rest };
    if let Step::Failed(refusal) = Exchange::apply(1, 0).accept(message, Origin::KERNEL) {
        let path = refusal.path(request, space, header);
        assert!(path.steps().len() <= 16);
        let _ = format!("{refusal} {refusal:?} {path}");
    }
    let _ = format!("{}", message.tree(protocol).with(numbers()));
}

/// What is no netlink message, or text in one: events of devices, of processes, records of the audit.
pub fn text(input: &[u8]) {
    records(input);
    for event in [Uevent::from_kernel(input), Uevent::from_udev(input)] {
        if let Ok(event) = event {
            let _ = (event.sequence(), event.subsystem(), event.get("SUBSYSTEM"), format!("{event:?}"));
        }
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

/// A recording that somebody gave.
pub fn recording(input: &[u8]) {
    match Recording::parse(input) {
        Ok(recording) => {
            let entries = recording.entries().count();
            assert!(entries <= input.len());
            let _ = (recording.note(), recording.protocol(), recording.port(), format!("{recording:?}"));
        }
        Err(error) => drop(format!("{error}")),
    }
}

/// The inputs that captured messages make: for the printer one for each protocol, for all others the bytes themselves.
pub fn seeds(target: &str, capture: &[u8]) -> Vec<Vec<u8>> {
    match target {
        "print" => (0..PROTOCOLS.len()).map(|first| [&[u8::try_from(first).unwrap_or(0)], capture].concat()).collect(),
        "filter" => Vec::new(),
        _ => vec![capture.to_vec()],
    }
}

/// Words that inputs are made of: texts that choose, and keywords of filters.
pub fn words() -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = [
        "state",
        "dport",
        "sport",
        "src",
        "dst",
        "dev",
        "fwmark",
        "autobound",
        "cgroup",
        "and",
        "or",
        "not",
        ">=",
        "<=",
        "!=",
        "==",
        "established",
        "listening",
        "connected",
        "[::1]:80",
        "10.0.0.0/8",
        "unix:",
        "link:",
    ]
    .into_iter()
    .map(|word| word.as_bytes().to_vec())
    .collect();
    for protocol in PROTOCOLS {
        for (_, table) in protocol.tables() {
            for row in table.rows {
                selectors((row.space)(), 0, &mut words);
            }
        }
    }
    words.sort();
    words.dedup();
    words
}

fn selectors(space: &'static Space, depth: u8, words: &mut Vec<Vec<u8>>) {
    if depth > 4 {
        return;
    }
    for row in space.rows() {
        match row.shape {
            Shape::Nest(inner) | Shape::Headed(_, inner) => selectors(inner(), depth + 1, words),
            Shape::Choice(table) => {
                for alternative in table().rows {
                    for selector in alternative.selectors {
                        if let Selector::Text(text) = selector {
                            words.push([text.as_bytes(), &[0]].concat());
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

/// The messages of a capture: one a line in hexadecimal; other lines say where they come from.
pub fn captures(text: &str) -> Vec<Vec<u8>> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(bytes).collect()
}

fn bytes(line: &str) -> Option<Vec<u8>> {
    let digits: Vec<char> = line.chars().filter(|letter| !letter.is_whitespace()).collect();
    let pair = |pair: &[char]| u8::try_from(pair.first()?.to_digit(16)? << 4 | pair.get(1)?.to_digit(16)?).ok();
    digits.chunks(2).map(pair).collect::<Option<Vec<u8>>>().filter(|bytes| !bytes.is_empty())
}
