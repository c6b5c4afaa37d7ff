//! Connection tracking: connections, expectations, events and counters as a kernel told them, requests as conntrack(8) sends
//! them; what is followed; damage.

#![cfg(target_endian = "little")]

mod support;

use std::fmt::Write;
use std::net::Ipv4Addr;

use ringlink_codec::follow::{Meaning, Subject};
use ringlink_codec::netfilter::conntrack::watched::{Connections, Expectations};
use ringlink_codec::netfilter::conntrack::*;
use ringlink_codec::netfilter::{Family, NetfilterHeader};
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::NETFILTER;
use ringlink_codec::wire::Flags;

const LIST: &str = include_str!("captures/conntrack_list.hex");
const EVENTS: &str = include_str!("captures/conntrack_event.hex");
const REQUESTS: &str = include_str!("captures/conntrack_request.hex");

fn samples() -> Vec<Vec<u8>> {
    [LIST, EVENTS, REQUESTS].into_iter().flat_map(support::messages).collect()
}

fn expect(found: &[String], expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

fn some(line: &mut String, name: &str, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        write!(line, " {name}{value}").unwrap();
    }
}

fn tuple(tuple: &Endpoints) -> String {
    let mut line = String::from("(");
    some(&mut line, "", tuple.protocol);
    some(&mut line, "", tuple.source);
    some(&mut line, ":", tuple.source_port);
    some(&mut line, "> ", tuple.destination);
    some(&mut line, ":", tuple.destination_port);
    some(&mut line, "type ", tuple.icmp_type);
    some(&mut line, "code ", tuple.icmp_code);
    some(&mut line, "id ", tuple.icmp_id);
    some(&mut line, "zone ", tuple.zone);
    line + " )"
}

/// A connection on a line, without what changes from one time to the next.
fn connection(view: &ConnectionView<'_>) -> String {
    let mut line = format!("{} {} {}", view.header.nfgen_family, tuple(&view.original), tuple(&view.reply));
    some(&mut line, "", view.status);
    match view.protocol {
        Some(ProtocolView::Tcp { state, scales, flags }) => {
            some(&mut line, "", state);
            some(&mut line, "scales ", scales.map(|(one, two)| format!("{one}/{two}")));
            some(&mut line, "flags ", flags.map(|(one, two)| format!("{}/{}", one.flags, two.flags)));
        }
        Some(ProtocolView::Sctp { state, tags }) => {
            some(&mut line, "", state);
            some(&mut line, "tags ", tags.map(|(one, two)| format!("{one}/{two}")));
        }
        Some(ProtocolView::Dccp { state, .. }) => some(&mut line, "", state),
        None => {}
    }
    let counts = view.counters_original.zip(view.counters_reply);
    some(
        &mut line,
        "counts ",
        counts.map(|(one, two)| format!("{}:{}/{}:{}", one.packets, one.bytes, two.packets, two.bytes)),
    );
    some(&mut line, "mark ", view.mark.filter(|mark| *mark != 0));
    some(&mut line, "zone ", view.zone);
    some(&mut line, "helper ", view.helper);
    some(&mut line, "labels ", view.labels.map(|labels| format!("{labels:02x?}")));
    line
}

fn expectation(view: &ExpectationView<'_>) -> String {
    format!(
        "{} {} & {} by {} {:?} class {:?}",
        view.header.nfgen_family,
        tuple(&view.tuple),
        tuple(&view.mask),
        tuple(&view.master),
        view.helper,
        view.class
    )
}

/// What a message tells, on a line.
fn told(bytes: &[u8]) -> String {
    let message = Message::parse(bytes).unwrap();
    if let Ok(body) = message.body(Conntrack::NEW) {
        let word = match message.header.flags {
            flags if flags.contains(Flags::MULTI) => "is",
            flags if flags.contains(Flags::CREATE) => "new",
            _ => "update",
        };
        let view = ConnectionView::read(body).unwrap();
        assert!(view.id.is_some() && view.timeout.is_some());
        return format!("{word} {}", connection(&view));
    }
    if let Ok(body) = message.body(Conntrack::DELETE) {
        let view = ConnectionView::read(body).unwrap();
        let (start, stop) = view.timestamp.unwrap();
        assert!(stop >= start && start > 1_700_000_000_000_000_000);
        return format!("gone {}", connection(&view));
    }
    if let Ok(body) = message.body(Expect::NEW) {
        return format!("expected {}", expectation(&ExpectationView::read(body).unwrap()));
    }
    if let Ok(body) = message.body(Expect::DELETE) {
        return format!("no more {}", expectation(&ExpectationView::read(body).unwrap()));
    }
    if let Ok(body) = message.body(Conntrack::GET_STATS_CPU) {
        let (found, inserted) = body.attributes.read((CpuStats::FOUND, CpuStats::INSERT)).unwrap();
        assert!(found.is_some() && inserted.is_some());
        return format!("processor {}", body.header.res_id);
    }
    let body = message.body(Conntrack::GET_STATS).unwrap();
    let (entries, most) = body.attributes.read((GlobalStats::ENTRIES, GlobalStats::MAX_ENTRIES)).unwrap();
    format!("{} of {}", entries.unwrap(), most.unwrap())
}

#[test]
fn captured_connections() {
    let mut lines: Vec<String> = support::messages(LIST).iter().map(|bytes| told(bytes)).collect();
    // The order is that of the kernel's hash.
    lines.sort();
    expect(&lines, include_str!("conntrack_captures/list.txt"));
}

#[test]
fn captured_events() {
    expect(
        &support::messages(EVENTS).iter().map(|bytes| told(bytes)).collect::<Vec<_>>(),
        include_str!("conntrack_captures/event.txt"),
    );
}

#[test]
fn captured_requests() {
    // conntrack 1.4.7 sends verification tags in the machine's order: 1 and 2 become these of SCTP.
    let requests = support::messages(REQUESTS);
    let of = |kind: ringlink_codec::wire::MessageType| {
        requests.iter().filter(move |bytes| Message::parse(bytes).unwrap().header.kind == kind)
    };
    let made: Vec<String> = of(Conntrack::NEW.kind)
        .map(|bytes| {
            let body = Message::parse(bytes).unwrap().body(Conntrack::NEW).unwrap();
            let view = ConnectionView::read(body).unwrap();
            let nat = body.attributes.get(Cta::NAT_SRC).unwrap().map(|nat| {
                let (address, ports) = nat.read((Nat::V4_MINIP, Nat::PROTO)).unwrap();
                format!(" to {} {:?}", address.unwrap(), ports.unwrap().get(NatPorts::PORT_MIN).unwrap())
            });
            format!("{}{}", connection(&view), nat.unwrap_or_default())
        })
        .collect();
    expect(&made, include_str!("conntrack_captures/request.txt"));
    let marked = of(Conntrack::GET_CTRZERO.kind).count() + of(Conntrack::GET.kind).count();
    assert!(marked > 3);
    let filters = of(Conntrack::GET.kind).filter_map(|bytes| {
        let body = Message::parse(bytes).unwrap().body(Conntrack::GET).unwrap();
        let (mark, mask) = body.attributes.read((Cta::MARK, Cta::MARK_MASK)).unwrap();
        mark.zip(mask)
    });
    assert_eq!(filters.collect::<Vec<_>>(), [(4, 4)]);
}

/// What is written by the keys is what conntrack(8) writes, byte for byte.
#[test]
fn requests_are_written_as_conntrack_writes_them() {
    let tuple = Endpoints {
        source: Some(Ipv4Addr::new(192, 0, 2, 1).into()),
        destination: Some(Ipv4Addr::new(192, 0, 2, 2).into()),
        protocol: Some(Protocol::TCP),
        source_port: Some(1000),
        destination_port: Some(80),
        ..Endpoints::default()
    };
    let theirs = &support::messages(REQUESTS)[0];
    let liberal = TcpFlags::SACK_PERM | TcpFlags::BE_LIBERAL;
    let flags = TcpFlagsMask { flags: liberal, mask: liberal };
    let mut buffer = Buffer::<512>::new();
    let ours = buffer
        .message(Conntrack::NEW.create().exclusive(), NetfilterHeader::of(Family::IPV4), |connection| {
            connection.nest(Cta::TUPLE_ORIG, |there| tuple.write(there));
            connection.nest(Cta::TUPLE_REPLY, |back| tuple.reversed().write(back));
            connection.put(Cta::STATUS, Status::SEEN_REPLY | Status::ASSURED | Status::CONFIRMED);
            connection.put(Cta::TIMEOUT, 100);
            connection.put(Cta::MARK, 5);
            connection.nest(Cta::PROTOINFO, |info| {
                info.nest(ProtoInfo::TCP, |tcp| {
                    tcp.put(TcpInfo::STATE, TcpState::ESTABLISHED);
                    tcp.put(TcpInfo::FLAGS_ORIGINAL, flags);
                    tcp.put(TcpInfo::FLAGS_REPLY, flags);
                });
            });
        })
        .unwrap();
    // Not the header, in which conntrack asks for an acknowledgement.
    assert_eq!(ours[16..], theirs[16..]);
}

#[test]
fn tuples_are_turned_round() {
    let icmp = |protocol, kind| Endpoints {
        protocol: Some(protocol),
        icmp_type: Some(kind),
        icmp_code: Some(0),
        icmp_id: Some(7),
        ..Endpoints::default()
    };
    for (protocol, question, answer) in [
        (Protocol::ICMP, 8, 0),
        (Protocol::ICMP, 0, 8),
        (Protocol::ICMP, 13, 14),
        (Protocol::ICMP, 17, 18),
        (Protocol::ICMP, 3, 3),
        (Protocol::ICMPV6, 128, 129),
        (Protocol::ICMPV6, 140, 139),
        (Protocol::ICMPV6, 8, 8),
    ] {
        assert_eq!(icmp(protocol, question).reversed(), icmp(protocol, answer));
    }
}

/// What the kernel told of each connection in a dump turns round to what it told of the answers, but for translated ones.
#[test]
fn tuples_are_turned_round_as_the_kernel_does() {
    let mut count = 0;
    for bytes in support::messages(LIST) {
        let Ok(body) = Message::parse(&bytes).unwrap().body(Conntrack::NEW) else { continue };
        let view = ConnectionView::read(body).unwrap();
        let translated = view.translated_source().is_some() || view.translated_destination().is_some();
        let without_zone = |tuple: Endpoints| Endpoints { zone: None, ..tuple };
        assert_eq!(without_zone(view.original.reversed()) == without_zone(view.reply), !translated);
        count += 1;
    }
    assert!(count >= 14);
}

#[test]
fn translated_ends_are_told() {
    let targets: Vec<_> = support::messages(LIST)
        .iter()
        .filter_map(|bytes| {
            let view = ConnectionView::read(Message::parse(bytes).unwrap().body(Conntrack::NEW).ok()?).unwrap();
            view.translated_source().or(view.translated_destination())
        })
        .map(|target| (target.address.unwrap().to_string(), target.port.unwrap()))
        .collect();
    assert!(targets.contains(&("198.51.100.5".to_owned(), 77)) && targets.contains(&("198.51.100.6".to_owned(), 80)));
}

/// Beginnings and ends of one connection have the same key; a dump's message has that of its events.
#[test]
fn events_and_dumps_are_of_the_same_connections() {
    let connections = Connections(Family::UNSPEC);
    let mut there = std::collections::BTreeSet::new();
    let (mut doubts, mut gone) = (0, 0);
    for bytes in support::messages(EVENTS) {
        match connections.meaning(Message::parse(&bytes).unwrap()) {
            Meaning::Beside(key) => drop(there.insert(key)),
            Meaning::Gone(key) => {
                assert!(there.remove(&key), "{key:?}");
                gone += 1;
            }
            Meaning::Other => {}
            _ => doubts += 1,
        }
    }
    assert_eq!((doubts, gone), (0, 4));
    let dumped: Vec<_> = support::messages(LIST)
        .iter()
        .filter_map(|bytes| match connections.meaning(Message::parse(bytes).unwrap()) {
            Meaning::Beside(key) => Some(key),
            _ => None,
        })
        .collect();
    // Four of them were deleted behind the dump.
    assert_eq!(dumped.len(), there.len() + gone);
    assert!(there.iter().all(|key| dumped.contains(key)));
    let of = |family| {
        let messages = support::messages(LIST);
        let is = |bytes: &&Vec<u8>| {
            matches!(Connections(family).meaning(Message::parse(bytes).unwrap()), Meaning::Beside(_))
        };
        messages.iter().filter(is).count()
    };
    assert_eq!(of(Family::IPV4) + of(Family::IPV6), dumped.len());
    let expected: Vec<_> = support::messages(EVENTS)
        .iter()
        .map(|bytes| Expectations(Family::UNSPEC).meaning(Message::parse(bytes).unwrap()))
        .filter(|meaning| *meaning != Meaning::Other)
        .collect();
    assert!(matches!(expected[..], [.., Meaning::Gone(_)]), "{expected:?}");
}

/// Counters and the time that is left are told by no event.
#[test]
fn counters_do_not_count_as_changes() {
    let mut buffer = Buffer::<256>::new();
    let mut digest = |timeout: u32, packets: u64, mark: u32| {
        let message = buffer.message(Conntrack::NEW, NetfilterHeader::of(Family::IPV4), |connection| {
            connection.put(Cta::TIMEOUT, timeout);
            connection.nest(Cta::COUNTERS_ORIG, |counters| counters.put(Counters::PACKETS, packets));
            connection.put(Cta::MARK, mark);
        });
        Connections(Family::UNSPEC).digest(Message::parse(message.unwrap()).unwrap())
    };
    assert_eq!(digest(10, 1, 5), digest(9, 2, 5));
    assert_ne!(digest(10, 1, 5), digest(10, 1, 6));
}

/// The kernel answers questions for counters of expectations under another number.
#[test]
fn counters_of_expectations() {
    assert_eq!((Expect::GET_STATS_CPU.kind.0, Expect::GET_STATS_CPU.answer.0), (0x0203, 0x0103));
    let answer =
        support::messages("2c00000003010200000000000000000000000001080001000000000008000200000000010800030000000000");
    let body = Message::parse(&answer[0]).unwrap().answer(Expect::GET_STATS_CPU).unwrap();
    let counts = body.attributes.read((ExpectationStats::NEW, ExpectationStats::CREATE, ExpectationStats::DELETE));
    assert_eq!((body.header.res_id.get(), counts), (1, Ok((Some(0), Some(1), Some(0)))));
}

#[test]
fn no_damage_panics() {
    let read = |bytes: &[u8]| {
        let Ok(message) = Message::parse(bytes) else { return };
        let _ = message.tree(&NETFILTER).to_string();
        for body in [message.body(Conntrack::NEW), message.body(Conntrack::DELETE)].into_iter().flatten() {
            if let Ok(view) = ConnectionView::read(body) {
                let _ = connection(&view);
            }
        }
        for body in [message.body(Expect::NEW), message.body(Expect::DELETE)].into_iter().flatten() {
            if let Ok(view) = ExpectationView::read(body) {
                let _ = expectation(&view);
            }
        }
        let _ = Connections(Family::UNSPEC).meaning(message);
        let _ = Connections(Family::UNSPEC).digest(message);
        let _ = Expectations(Family::UNSPEC).meaning(message);
    };
    let mut seen = std::collections::BTreeSet::new();
    for sample in samples() {
        // Of several messages that differ in numbers alone, one is enough.
        let message = Message::parse(&sample).unwrap();
        let shape: Vec<u16> = message.raw_attributes(4).map_while(Result::ok).map(|raw| raw.number()).collect();
        if seen.insert((message.header.kind.0, shape)) {
            support::every_damage(&sample, read);
        }
    }
}

/// A broken nest is an error with its place, and loses nothing beside it.
#[test]
fn a_lying_nest_is_told() {
    let mut sample = support::messages(LIST).swap_remove(0);
    // The first nest's first attribute, CTA_TUPLE_IP, claims more than its nest has.
    sample[24] = 0xff;
    let body = Message::parse(&sample).unwrap().body(Conntrack::NEW).unwrap();
    let error = ConnectionView::read(body).unwrap_err();
    assert_eq!(error.offset, 24, "{error}");
    let (status, reply) = body.attributes.read((Cta::STATUS, Cta::TUPLE_REPLY)).unwrap();
    assert!(status.is_some() && Endpoints::read(reply.unwrap()).is_ok());
}
