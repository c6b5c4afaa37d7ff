//! Requests and their ends, by transcript: messages in, steps out.

mod family;

use family::*;
use ringlink_codec::exchange::Pending;
use ringlink_codec::follow::{Advice, Follower};
use ringlink_codec::prelude::*;
use ringlink_codec::reply::{Errno, ExtendedAck};
use ringlink_codec::table::{AttributeWriter, Format, Table};
use ringlink_codec::wire::{MessageType, Writer};

const SEQUENCE: u32 = 7;
const PORT: u32 = 4321;

/// A message with this type, these flags and this payload, otherwise an answer to the request of these tests.
struct Wire {
    header: MessageHeader,
    payload: Vec<u8>,
}

impl Wire {
    fn new(kind: MessageType, flags: Flags, payload: &[u8]) -> Self {
        let header = MessageHeader { kind, flags, sequence: SEQUENCE, port: PORT, ..MessageHeader::default() };
        Self { header, payload: payload.to_vec() }
    }

    fn item(flags: Flags) -> Self {
        Self::new(Op::NEW.kind, flags, &[0; 8])
    }

    fn done(errno: i32) -> Self {
        Self::new(MessageType::DONE, Flags::MULTI, &errno.to_ne_bytes())
    }

    fn error(errno: i32) -> Self {
        let mut payload = errno.to_ne_bytes().to_vec();
        payload.extend([0; 16]);
        Self::new(MessageType::ERROR, Flags::CAPPED, &payload)
    }

    fn with(mut self, change: impl FnOnce(&mut MessageHeader)) -> Self {
        change(&mut self.header);
        self
    }

    fn extended(mut self, fill: impl FnOnce(&mut AttributeWriter<'_, '_, ExtendedAck>)) -> Self {
        let mut buffer = [0; 512];
        let mut writer = Writer::new(&mut buffer);
        fill(&mut AttributeWriter::new(&mut writer));
        self.payload.extend_from_slice(writer.finish().unwrap());
        self.header.flags = self.header.flags | Flags::ACK_TLVS;
        self
    }

    fn message(&self) -> Message<'_> {
        Message { header: self.header, payload: &self.payload }
    }
}

/// A name, a request, what comes in, what it means.
type Case = (&'static str, Exchange, Vec<(Wire, Origin)>, Vec<&'static str>);

/// What a step says, for comparison.
fn word(step: Step<'_>) -> String {
    match step {
        Step::NotMine => "not mine".into(),
        Step::Skip => "skip".into(),
        Step::Item(_) => "item".into(),
        Step::Finished { end, warning } => {
            let complete = if end.is_complete() { "complete" } else { "incomplete" };
            let warning = warning.map(|text| format!(", warning {text}")).unwrap_or_default();
            format!("finished {complete}{warning}")
        }
        Step::Failed(refusal) => format!("failed {refusal}"),
    }
}

fn run(mut exchange: Exchange, transcript: &[(Wire, Origin)]) -> Vec<String> {
    transcript.iter().map(|(wire, origin)| word(exchange.accept(wire.message(), *origin))).collect()
}

#[test]
fn transcripts() {
    let kernel = Origin::KERNEL;
    let dump = Exchange::dump(SEQUENCE, PORT);
    let get = Exchange::get(SEQUENCE, PORT);
    let apply = Exchange::apply(SEQUENCE, PORT);
    let cases: Vec<Case> = vec![
        (
            "a dump ends with DONE, and is deaf afterwards",
            dump,
            vec![(Wire::item(Flags::MULTI), kernel), (Wire::done(0), kernel), (Wire::item(Flags::MULTI), kernel)],
            vec!["item", "finished complete", "not mine"],
        ),
        (
            "an empty DONE is an end",
            dump,
            vec![(Wire::new(MessageType::DONE, Flags::MULTI, &[]), kernel)],
            vec!["finished complete"],
        ),
        (
            "a strict dump that is refused ends with DONE and an errno",
            dump,
            vec![(Wire::done(-22).extended(|ack| ack.put(ExtendedAck::MSG, "Invalid header")), kernel)],
            vec!["failed INVAL: Invalid header"],
        ),
        (
            "what is answered once instead of dumped ends with an acknowledgement",
            dump,
            vec![(Wire::item(Flags::NONE), kernel), (Wire::error(0), kernel)],
            vec!["item", "finished complete"],
        ),
        (
            "an acknowledgement does not end a dump that has begun",
            dump,
            vec![
                (Wire::item(Flags::MULTI), kernel),
                (Wire::error(0), kernel),
                (Wire::item(Flags::MULTI), kernel),
                (Wire::done(0), kernel),
            ],
            vec!["item", "skip", "item", "finished complete"],
        ),
        (
            "an error ends a dump that has begun",
            dump,
            vec![(Wire::item(Flags::MULTI), kernel), (Wire::error(-4), kernel)],
            vec!["item", "failed INTR"],
        ),
        (
            "an interruption on any message is remembered",
            dump,
            vec![(Wire::item(Flags::MULTI | Flags::DUMP_INTERRUPTED), kernel), (Wire::done(0), kernel)],
            vec!["item", "finished incomplete"],
        ),
        (
            "an interruption on DONE counts",
            dump,
            vec![(Wire::done(0).with(|header| header.flags = header.flags | Flags::DUMP_INTERRUPTED), kernel)],
            vec!["finished incomplete"],
        ),
        (
            "NOOP is no completion, OVERRUN is no success",
            dump,
            vec![
                (Wire::new(MessageType::NOOP, Flags::NONE, &[]), kernel),
                (Wire::new(MessageType::OVERRUN, Flags::NONE, &[]), kernel),
                (Wire::done(0), kernel),
            ],
            vec!["skip", "skip", "finished incomplete"],
        ),
        (
            "a get ends with its answer",
            get,
            vec![(Wire::item(Flags::NONE), kernel), (Wire::error(0), kernel)],
            vec!["item", "not mine"],
        ),
        (
            "a get of several parts ends with DONE",
            get,
            vec![(Wire::item(Flags::MULTI), kernel), (Wire::item(Flags::MULTI), kernel), (Wire::done(0), kernel)],
            vec!["item", "item", "finished complete"],
        ),
        ("a get may be refused", get, vec![(Wire::error(-19), kernel)], vec!["failed NODEV"]),
        ("an acknowledgement", apply, vec![(Wire::error(0), kernel)], vec!["finished complete"]),
        (
            "a warning with a yes",
            apply,
            vec![(Wire::error(0).extended(|ack| ack.put(ExtendedAck::MSG, "Careful")), kernel)],
            vec!["finished complete, warning Careful"],
        ),
        (
            "an echo comes before the acknowledgement",
            apply,
            vec![(Wire::item(Flags::NONE), kernel), (Wire::error(0), kernel)],
            vec!["item", "finished complete"],
        ),
        (
            "others' messages: by sequence, by port, by group, by sender",
            dump,
            vec![
                (Wire::item(Flags::MULTI).with(|header| header.sequence += 1), kernel),
                (Wire::item(Flags::MULTI).with(|header| header.port += 1), kernel),
                (Wire::item(Flags::MULTI), Origin { port: 0, group: 7 }),
                (Wire::item(Flags::MULTI), Origin { port: 99, group: 0 }),
                (Wire::done(0), Origin { port: 99, group: 0 }),
                (Wire::done(0), kernel),
            ],
            vec!["not mine", "not mine", "not mine", "not mine", "not mine", "finished complete"],
        ),
        (
            "an error too short to say anything is no success",
            apply,
            vec![(Wire::new(MessageType::ERROR, Flags::NONE, &[0, 0]), kernel)],
            vec!["finished incomplete"],
        ),
        (
            "a malformed extended ack does not hide the errno",
            apply,
            vec![(
                {
                    let mut wire = Wire::error(-1).extended(|ack| ack.put(ExtendedAck::MSG, "No"));
                    wire.payload.extend([9, 9, 9, 9, 9]);
                    wire
                },
                kernel,
            )],
            vec!["failed PERM: No"],
        ),
    ];
    for (name, exchange, transcript, expected) in cases {
        assert_eq!(run(exchange, &transcript), expected, "{name}");
    }
}

#[test]
fn stamping_keeps_the_operation_flags() {
    let mut buffer = Buffer::<64>::new();
    let request = buffer.message(Op::NEW.create().exclusive(), ThingHeader::default(), |_| {}).unwrap();
    Exchange::apply(SEQUENCE, PORT).stamp(request);
    let header = Message::parse(request).unwrap().header;
    assert_eq!((header.sequence, header.port), (SEQUENCE, PORT));
    assert_eq!(header.flags, Flags::REQUEST | Flags::ACK | Flags::CREATE | Flags::EXCLUSIVE);
}

#[test]
fn a_refusal_names_the_attribute_by_its_path() {
    let request = message();
    let parsed = Message::parse(&request).unwrap();
    let space = <<ThingMessage as Format>::Space as Table>::space();
    let body = parsed.body(Op::NEW).unwrap();
    let place = |bytes: &[u8]| u32::try_from(bytes.as_ptr() as usize - request.as_ptr() as usize).unwrap();
    let path = |fill: &dyn Fn(&mut AttributeWriter<'_, '_, ExtendedAck>)| {
        let wire = Wire::error(-22).extended(|ack| fill(ack));
        let refusal = Refusal::of_error(wire.message()).unwrap();
        assert_eq!(refusal.errno, Errno::INVAL);
        refusal.path(parsed, space, 8).to_string()
    };
    let at = |offset: u32| path(&|ack| ack.put(ExtendedAck::OFFS, offset));

    let nest = body.attributes.get(Thing::NEST).unwrap().unwrap();
    assert_eq!(at(place(nest.payload().bytes)), "THING_NEST.INNER_ID");
    assert_eq!(at(place(nest.payload().bytes) - 4), "THING_NEST");
    let chosen = body.attributes.chosen(Thing::BY_NAME, Inner).unwrap().unwrap();
    assert_eq!(at(place(chosen.payload().bytes)), "THING_BY_NAME.INNER_ID");
    let (_, headed) = body.attributes.get(Thing::HEADED).unwrap().unwrap();
    assert_eq!(at(place(headed.payload().bytes) + 4), "THING_HEADED.THING_BY_HEADER.INNER_ID");
    let hops = body.attributes.get(Thing::RECORDS).unwrap().unwrap();
    let (_, first) = hops.map(Result::unwrap).next().unwrap();
    assert_eq!(at(place(first.payload().bytes)), "THING_RECORDS.INNER_LABEL");
    let items = body.attributes.get(Thing::INDEXED).unwrap().unwrap();
    let (_, second) = items.map(Result::unwrap).nth(1).unwrap();
    assert_eq!(at(place(second.payload().bytes)), "THING_INDEXED.INNER_LABEL");
    assert_eq!(at(24), "THING_U8");
    assert_eq!(at(4_000_000), "");

    assert_eq!(path(&|ack| ack.put(ExtendedAck::MISS_TYPE, 3)), "THING_U32");
    let start = place(nest.payload().bytes) - 4;
    let missing = path(&|ack| {
        ack.put(ExtendedAck::MISS_TYPE, 2);
        ack.put(ExtendedAck::MISS_NEST, start);
    });
    assert_eq!(missing, "THING_NEST.INNER_LABEL");
}

#[test]
fn pending_requests_are_told_apart() {
    let mut pending = Pending::<3>::new();
    for sequence in 1..=3 {
        pending.add(Exchange::get(sequence, PORT)).unwrap();
    }
    assert!(pending.add(Exchange::get(2, PORT)).is_err(), "the number is taken");
    let answer = |sequence| Wire::item(Flags::NONE).with(|header| header.sequence = sequence);
    assert!(matches!(pending.accept(answer(2).message(), Origin::KERNEL), (Some(2), Step::Item(_))));
    assert!(matches!(pending.accept(answer(2).message(), Origin::KERNEL), (None, Step::NotMine)), "it has ended");
    assert!(matches!(pending.accept(answer(1).message(), Origin { port: 5, group: 0 }), (None, Step::NotMine)));
    assert!(pending.abandon(3).is_some());
    assert!(matches!(pending.accept(answer(3).message(), Origin::KERNEL), (None, Step::NotMine)));
    assert_eq!(pending.len(), 1);
    assert!(matches!(pending.accept(answer(1).message(), Origin::KERNEL), (Some(1), Step::Item(_))));
    assert!(pending.is_empty());
}

#[test]
fn a_follower_is_live_only_after_a_dump_without_loss() {
    let mut follower = Follower::new();
    follower.dump_started();
    follower.overrun();
    assert_eq!(follower.advice(), Advice::Continue);
    follower.dump_ended(End::default());
    assert_eq!(follower.advice(), Advice::Dump, "events were lost while it ran");
    follower.dump_started();
    let mut interrupted = End::default();
    interrupted.interrupted = true;
    follower.dump_ended(interrupted);
    assert_eq!(follower.advice(), Advice::Dump);
    follower.dump_started();
    follower.dump_failed();
    assert_eq!(follower.advice(), Advice::Dump);
    follower.dump_started();
    follower.dump_ended(End::default());
    assert_eq!(follower.advice(), Advice::Listen);
    follower.distrust();
    assert_eq!(follower.advice(), Advice::Dump);
    assert_eq!((follower.overruns(), follower.dumps()), (1, 4));
}
