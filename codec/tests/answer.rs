//! What a server writes, read back by those that read what kernels say.

mod family;

use family::*;
use ringlink_codec::answer::{Answers, Echo, Request};
use ringlink_codec::prelude::*;
use ringlink_codec::reply::Errno;
use ringlink_codec::table::Table;
use ringlink_codec::wire::{Error, ErrorKind, MessageType, Payload};

const SEQUENCE: u32 = 7;
const PORT: u32 = 4321;
const SERVER: Origin = Origin { port: 17, group: 0 };

/// A question with a nest, stamped by its exchange.
fn question(exchange: &Exchange) -> Vec<u8> {
    let mut buffer = [0; 128];
    let header = ThingHeader { index: 5, ..ThingHeader::default() };
    let bytes = Op::GET.write(&mut buffer, header, |thing| {
        thing.put(Thing::STR, "name");
        thing.nest(Thing::NEST, |inner| inner.put(Inner::ID, 6));
    });
    let bytes = bytes.expect("room");
    exchange.stamp(bytes);
    bytes.to_vec()
}

fn get() -> Exchange {
    Exchange::get(SEQUENCE, PORT).answered_by(SERVER.port)
}

fn dump() -> Exchange {
    Exchange::dump(SEQUENCE, PORT).answered_by(SERVER.port)
}

/// Has a request answered and says what the asker makes of it.
fn steps(
    mut exchange: Exchange,
    write: impl FnOnce(&Request<'_>, &mut Answers<'_>) -> Result<(), Error>,
) -> Vec<String> {
    let bytes = question(&exchange);
    let request = Request::new(Message::parse(&bytes).expect("a message"), PORT);
    let mut buffer = [0; 1024];
    let mut answers = Answers::new(&mut buffer);
    write(&request, &mut answers).expect("room");
    let messages = answers.messages().map(|message| message.expect("a whole message"));
    let word = |step: Step<'_>| match step {
        Step::Item(message) => format!("item {}", message.answer(Op::GET).expect("an answer").header.index),
        Step::Finished { end, warning } => {
            let (interrupted, filtered) = (end.interrupted, end.filtered);
            format!("finished {interrupted} {filtered} {:?}", warning.map(|text| text.to_string()))
        }
        Step::Failed(refusal) => format!("{refusal}, at {}", refusal.path(request.message, Thing::space(), 8)),
        other => format!("{other:?}"),
    };
    messages.map(|message| word(exchange.accept(message, SERVER))).collect()
}

fn thing(index: u32) -> ThingHeader {
    ThingHeader { index, ..ThingHeader::default() }
}

#[test]
fn an_item_ends_a_get() {
    let read =
        steps(get(), |request, answers| answers.item(request, Op::GET, thing(5), |thing| thing.put(Thing::U8, 1)));
    assert_eq!(read, ["item 5"]);
}

#[test]
fn parts_and_their_ends() {
    let end = |interrupted, filtered| {
        let mut end = End::default();
        (end.interrupted, end.filtered) = (interrupted, filtered);
        end
    };
    for (interrupted, filtered) in [(false, false), (true, false), (false, true), (true, true)] {
        let read = steps(dump(), |request, answers| {
            answers.part(request, Op::GET, thing(1), |_| {})?;
            answers.part(request, Op::GET, thing(2), |_| {})?;
            answers.done(request, end(interrupted, filtered))
        });
        assert_eq!(read, ["item 1", "item 2", &format!("finished {interrupted} {filtered} None")]);
    }
    let read = steps(dump(), |request, answers| {
        answers.part(request, Op::GET, thing(1), |_| {})?;
        answers.break_off(request, &Refusal::new(Errno::IO).saying("the disk is gone"))
    });
    assert_eq!(read, ["item 1", "IO: the disk is gone, at "]);
    let read = steps(dump(), |request, answers| answers.break_off(request, &Refusal::new(Errno::BUSY)));
    assert_eq!(read, ["BUSY, at "]);
}

#[test]
fn acknowledgements() {
    let apply = Exchange::apply(SEQUENCE, PORT).answered_by(SERVER.port);
    let read = steps(apply, |request, answers| answers.acknowledge(request, None));
    assert_eq!(read, ["finished false false None"]);
    let read = steps(apply, |request, answers| answers.acknowledge(request, Some("it is hot")));
    assert_eq!(read, ["finished false false Some(\"it is hot\")"]);
}

#[test]
fn refusals_say_all_that_kernels_say() {
    let bytes = question(&get());
    let message = Message::parse(&bytes).expect("a message");
    let request = Request::new(message, PORT);
    let attributes = request.body(Op::GET).expect("a question").attributes;
    let nest = attributes.get(Thing::NEST).expect("whole").expect("there");
    let place = attributes.place(Thing::NEST);
    assert_eq!((attributes.place(Thing::STR), place, attributes.place(Thing::U8)), (Some(24), Some(36), None));
    assert_eq!(nest.place(Inner::ID), Some(40));

    let plain = Refusal::new(Errno::INVAL);
    // What a kernel said is said again, its policy too: an attribute of type 4, which holds one of type 1.
    let mut said = (-22_i32).to_ne_bytes().to_vec();
    said.extend([0; 16]);
    said.extend([12_u16, 4 | 0x8000, 8, 1].map(u16::to_ne_bytes).concat());
    said.extend(1_u32.to_ne_bytes());
    let header = MessageHeader { flags: Flags::CAPPED | Flags::ACK_TLVS, ..MessageHeader::default() };
    let policy = Refusal::of_error(Message { header, payload: &said }).expect("a refusal");
    assert!(policy.policy().is_some());
    let cases: &[(Refusal<'_>, &str)] = &[
        (plain, ""),
        (plain.saying("no"), ""),
        (plain.at(24), "THING_STR"),
        (plain.at(attributes.place(Thing::STR)), "THING_STR"),
        (plain.at(nest.place(Inner::ID)), "THING_NEST.INNER_ID"),
        (plain.lacking(Thing::U8), "THING_U8"),
        (plain.lacking_in(place, Inner::LABEL), "THING_NEST.INNER_LABEL"),
        (plain.saying("all of it").at(24).with_cookie(b"crumbs").lacking(Thing::U8), "THING_STR"),
        (policy, ""),
        (Refusal::new(Errno(5000)), ""),
    ];
    for (refusal, path) in cases {
        for echo in [Echo::Capped, Echo::Whole] {
            let mut buffer = [0; 256];
            let mut answers = Answers::new(&mut buffer);
            answers.refuse(&request, refusal, echo).expect("room");
            let read = answers.messages().next().expect("one").expect("whole");
            assert_eq!(read.header.flags.contains(Flags::CAPPED), echo == Echo::Capped);
            assert_eq!((read.header.sequence, read.header.port), (SEQUENCE, PORT));
            let mut read = Refusal::of_error(read).expect("a refusal");
            assert_eq!(read.echo.map(|echo| echo.payload), (echo == Echo::Whole).then_some(message.payload));
            read.echo = None;
            assert_eq!(read, *refusal, "{echo:?}");
            assert_eq!(read.path(message, Thing::space(), 8).to_string(), *path);

            // Every buffer that is too short says so, and holds what it held.
            let needed = answers.bytes().len();
            for length in 0..needed {
                let mut answers = Answers::new(&mut buffer[..length]);
                let error = answers.refuse(&request, refusal, echo).expect_err("too short");
                assert_eq!(error.needed(), Some(needed as u32));
                assert!(answers.is_empty() && answers.bytes().is_empty());
            }
        }
    }
}

/// The bytes that Linux has for this: header, error, the request's header, text, offset (net/netlink/af_netlink.c,
/// `netlink_ack`).
#[test]
fn a_refusal_is_laid_out_as_kernels_do() {
    let bytes = question(&get());
    let request = Request::new(Message::parse(&bytes).expect("a message"), 99);
    let mut buffer = [0xff; 128];
    let mut answers = Answers::new(&mut buffer);
    answers.refuse(&request, &Refusal::new(Errno::NODEV).saying("gone").at(24), Echo::Capped).expect("room");
    let mut expected = Vec::new();
    expected.extend(56_u32.to_ne_bytes()); // nlmsg_len
    expected.extend(2_u16.to_ne_bytes()); // NLMSG_ERROR
    expected.extend(0x300_u16.to_ne_bytes()); // NLM_F_CAPPED | NLM_F_ACK_TLVS
    expected.extend(SEQUENCE.to_ne_bytes());
    expected.extend(99_u32.to_ne_bytes()); // the asker's port, not what its header says
    expected.extend((-19_i32).to_ne_bytes());
    expected.extend(&bytes[..16]);
    expected.extend([[9_u16, 1].map(u16::to_ne_bytes).concat(), b"gone\0\0\0\0".to_vec()].concat()); // NLMSGERR_ATTR_MSG
    expected.extend([[8_u16, 2].map(u16::to_ne_bytes).concat(), 24_u32.to_ne_bytes().to_vec()].concat()); // NLMSGERR_ATTR_OFFS
    assert_eq!(answers.bytes(), expected);
}

#[test]
fn what_does_not_fit_leaves_the_datagram_as_it_was() {
    let bytes = question(&dump());
    let request = Request::new(Message::parse(&bytes).expect("a message"), PORT);
    assert!(request.is_dump() && request.wants_acknowledgement() && request.is_for_protocol());
    let mut buffer = [0; 100];
    let mut answers = Answers::new(&mut buffer);
    let mut written = 0;
    while answers.part(&request, Op::GET, thing(written), |thing| thing.put(Thing::STR, "a")).is_ok() {
        written += 1;
    }
    assert_eq!((written, answers.count()), (3, 3));
    let found: Vec<u32> =
        answers.messages().map(|message| message.expect("whole").answer(Op::GET).unwrap().header.index).collect();
    assert_eq!(found, [0, 1, 2]);
    answers.clear();
    assert!(answers.is_empty());
    answers.done(&request, End::default()).expect("room");
    assert_eq!(answers.bytes().len(), 20);
}

#[test]
fn events_belong_to_nobody() {
    let mut buffer = [0; 64];
    let mut answers = Answers::new(&mut buffer);
    answers.event(Op::NEW, thing(3), |thing| thing.put(Thing::U8, 1)).expect("room");
    let message = answers.messages().next().expect("one").expect("whole");
    let header = message.header;
    assert_eq!((header.kind, header.flags, header.sequence, header.port), (Op::NEW.kind, Flags::NONE, 0, 0));
    assert_eq!(message.body(Op::NEW).expect("an event").header.index, 3);
}

#[test]
fn what_cannot_be_read_is_refused_with_its_place() {
    // A number of two bytes where four are expected, behind a text.
    let bytes = [8, 0, 14, 0, b'a', b'b', b'c', 0, 6, 0, 3, 0, 1, 2, 0, 0].map(u8::to_le);
    let attributes = Attributes::<'_, Thing>::new(Payload { bytes: &bytes, offset: 24 });
    if cfg!(target_endian = "little") {
        let error = attributes.get(Thing::U32).expect_err("too short");
        let refusal = Refusal::from(error);
        assert_eq!(refusal, Refusal::new(Errno::INVAL).saying("invalid attribute length").at(32));
    }
    let refusal = |kind| Refusal::from(Error { kind, offset: 40, attribute: 0, name: "" }).errno;
    assert_eq!(refusal(ErrorKind::MessageType { found: 1, expected: 2 }), Errno::OPNOTSUPP);
    assert_eq!(refusal(ErrorKind::AttributeLength { length: 1, available: 2 }), Errno::INVAL);
    assert_eq!(refusal(ErrorKind::Full { needed: 1, capacity: 0 }), Errno::MSGSIZE);
}

#[test]
fn others_are_not_believed() {
    let header = MessageHeader { kind: Op::NEW.kind, sequence: SEQUENCE, port: PORT, ..MessageHeader::default() };
    let message = Message { header, payload: &[0; 8] };
    for (peer, origin, mine) in [
        (0, Origin::KERNEL, true),
        (0, SERVER, false),
        (17, SERVER, true),
        (17, Origin::KERNEL, false),
        (17, Origin { port: 18, group: 0 }, false),
        (17, Origin { port: 17, group: 1 }, false),
    ] {
        let mut exchange = Exchange::get(SEQUENCE, PORT).answered_by(peer);
        let step = exchange.accept(message, origin);
        assert_eq!(matches!(step, Step::Item(_)), mine, "{peer} {origin:?}");
    }
}

#[test]
fn a_request_says_what_it_is() {
    let of = |kind, flags| {
        let header = MessageHeader { kind, flags, ..MessageHeader::default() };
        Request::new(Message { header, payload: &[] }, PORT)
    };
    assert!(!of(MessageType::NOOP, Flags::REQUEST).is_for_protocol());
    assert!(!of(Op::GET.kind, Flags::NONE).is_for_protocol());
    assert!(!of(Op::NEW.kind, Flags::REQUEST | Flags::CREATE | Flags::REPLACE | Flags::EXCLUSIVE).is_dump());
    assert!(!of(Op::GET.kind, Flags::REQUEST | Flags::ROOT).is_dump());
    assert!(of(Op::GET.kind, Flags::REQUEST | Flags::ACK).wants_acknowledgement());
    assert!(of(Op::GET.kind, Flags::REQUEST).body(Op::DEL).is_err());
}
