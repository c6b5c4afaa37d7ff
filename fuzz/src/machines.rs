//! Machines of the protocol: what comes of a request, and of a table that is followed.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};
use ringlink::codec::answer::{Answers, Echo, Request};
use ringlink::codec::exchange::Pending;
use ringlink::codec::follow::{Advice, FixedTable, Follower, Full, Key, Meaning, Put, Store, Subject};
use ringlink::codec::generate::Bounds;
use ringlink::codec::netfilter::Family as NetfilterFamily;
use ringlink::codec::netfilter::conntrack::watched::{Connections, Expectations};
use ringlink::codec::prelude::*;
use ringlink::codec::protocol::PROTOCOLS;
use ringlink::codec::reply::{End, Errno};
use ringlink::codec::route::watched::{Addresses, Links, Neighbours, Nexthops, Routes, Rules};
use ringlink::codec::route::{Family, Link, LinkHeader, Rtm};
use ringlink::codec::table::Table;
use ringlink::codec::wire::{MessageType, Messages, Writer};

use crate::numbers;

/// The port id of the socket that asks.
const PORT: u32 = 2;
/// The port id of the process that answers.
const PEER: u32 = 7;
/// How many messages a made-up transcript has at most: more say nothing new, and take long.
const MESSAGES: usize = 64;

/// Transcripts of requests: an end comes once, and is not complete after something that says otherwise; what is not for the request
/// is not taken for it. The input is a datagram for a dump, and also the choices that make up a transcript which mostly fits.
pub fn exchange(input: &[u8]) {
    let mut transcript = Transcript::new(Exchange::dump(1, PORT));
    for message in Messages::new(input) {
        let Ok(message) = message else { break };
        transcript.accept(message, Origin::KERNEL);
    }
    transcript.end();
    // A source that is refused ends the transcript.
    let _ = made_up(&mut Unstructured::new(input));
}

fn made_up(source: &mut Unstructured<'_>) -> Result<()> {
    let exchange = *source.choose(&[Exchange::get(1, PORT), Exchange::apply(1, PORT), Exchange::dump(1, PORT)])?;
    let exchange = if source.arbitrary()? { exchange.answered_by(PEER) } else { exchange };
    let mut transcript = Transcript::new(exchange);
    for _ in 0..MESSAGES {
        if source.is_empty() {
            break;
        }
        match source.int_in_range(0..=15_u8)? {
            0 => {
                transcript.exchange.truncated();
                transcript.incomplete = true;
            }
            1 => {
                transcript.exchange.skipped();
                transcript.incomplete = true;
            }
            _ => {
                let bytes = message(source, &[1], PORT)?;
                let message = Message::parse(&bytes).expect("a message");
                transcript.accept(message, origin(source, exchange.source())?);
            }
        }
    }
    transcript.end();
    Ok(())
}

/// What a request has come to, and what is known of its end.
struct Transcript {
    exchange: Exchange,
    /// Whether something said that what comes is not all there is.
    incomplete: bool,
    finished: bool,
}

impl Transcript {
    const fn new(exchange: Exchange) -> Self {
        Self { exchange, incomplete: false, finished: false }
    }

    fn accept(&mut self, message: Message<'_>, origin: Origin) {
        let MessageHeader { kind, flags, sequence, port, .. } = message.header;
        let mine = sequence == 1 && matches!(port, 0 | PORT) && origin == self.exchange.source() && !self.finished;
        let item = kind >= MessageType::FIRST;
        let mut quick = self.exchange;
        assert_eq!(quick.is_item(message.header, origin), mine && item);
        self.incomplete |= mine && (item || kind == MessageType::DONE) && flags.contains(Flags::DUMP_INTERRUPTED);
        self.incomplete |= mine && kind == MessageType::OVERRUN;
        match self.exchange.accept(message, origin) {
            Step::NotMine => assert!(!mine),
            Step::Skip => assert!(mine && !item),
            Step::Item(found) => {
                assert!(mine && item && found == message);
                self.finished = quick.is_finished();
            }
            Step::Finished { end, warning } => {
                assert!(mine && !item && !(self.incomplete && end.is_complete()));
                let _ = format!("{warning:?}");
                self.finished = true;
            }
            Step::Failed(refusal) => {
                assert!(mine && !item && refusal.errno.0 != 0 && !self.exchange.end().is_complete());
                let _ = format!("{refusal} {refusal:?} {:?}", refusal.policy());
                self.finished = true;
            }
        }
        assert_eq!(self.exchange.is_finished(), self.finished);
        assert!(!(self.incomplete && self.exchange.end().is_complete()));
    }

    /// Whatever came before, the message that ends a request ends it.
    fn end(mut self) {
        let header = MessageHeader { kind: MessageType::DONE, sequence: 1, port: PORT, ..MessageHeader::default() };
        let origin = self.exchange.source();
        self.accept(Message { header, payload: &[0; 4] }, origin);
        assert!(self.finished);
        let _ = format!("{:?}", self.exchange.end().merge(End::default()));
    }
}

/// A message that could come: mostly one of these sequences, and for the socket that asks.
pub(crate) fn message(source: &mut Unstructured<'_>, sequences: &[u32], to: u32) -> Result<Vec<u8>> {
    let kind = match source.int_in_range(0..=7_u8)? {
        0 | 1 => MessageType::ERROR,
        2 => MessageType::DONE,
        3 => *source.choose(&[MessageType::NOOP, MessageType::OVERRUN, MessageType(9)])?,
        _ => MessageType(16),
    };
    let flags = Flags(source.arbitrary()?);
    let odd = source.ratio(1_u8, 16)?;
    let sequence = if odd || sequences.is_empty() { source.arbitrary()? } else { *source.choose(sequences)? };
    let port = if source.ratio(1_u8, 16)? { source.arbitrary()? } else { *source.choose(&[to, 0])? };
    let mut payload = Vec::new();
    if matches!(kind, MessageType::ERROR | MessageType::DONE) {
        let errno: i32 = match source.int_in_range(0..=2_u8)? {
            0 => 0,
            1 => -1 - i32::from(source.arbitrary::<u8>()?),
            _ => source.arbitrary()?,
        };
        payload.extend(errno.to_ne_bytes());
        if kind == MessageType::ERROR {
            let length = if source.ratio(1_u8, 8)? { source.arbitrary()? } else { *source.choose(&[16, 20, 24])? };
            payload.extend(MessageHeader { length, sequence, ..MessageHeader::default() }.to_bytes());
        }
    }
    let most = source.len().min(40);
    let length = source.int_in_range(0..=most)?;
    payload.extend(source.bytes(length)?);
    // Some are cut.
    if source.ratio(1_u8, 16)? {
        payload.truncate(source.int_in_range(0..=payload.len())?);
    }
    let length = u32::try_from(16 + payload.len()).unwrap_or(u32::MAX);
    let mut bytes = MessageHeader { length, kind, flags, sequence, port }.to_bytes().to_vec();
    bytes.append(&mut payload);
    Ok(bytes)
}

/// Who sent it: mostly who was asked.
fn origin(source: &mut Unstructured<'_>, asked: Origin) -> Result<Origin> {
    Ok(match source.int_in_range(0..=15_u8)? {
        0 => Origin { port: source.arbitrary()?, ..asked },
        1 => Origin { group: source.arbitrary()?, ..asked },
        _ => asked,
    })
}

/// Requests, answers, losses and a follower in any order: what is not asked is not answered, each request ends once, and the
/// follower is never live after a loss without another dump.
pub fn pending(input: &[u8]) {
    // A source that is refused ends the transcript.
    let _ = any_order(&mut Unstructured::new(input));
}

fn any_order(source: &mut Unstructured<'_>) -> Result<()> {
    let mut pending = Pending::<4>::new();
    let mut open: Vec<u32> = Vec::new();
    let mut follower = Follower::new();
    let (mut lost, mut losses, mut dumps) = (true, 0, 0);
    let mut next = 0_u32;
    for _ in 0..MESSAGES {
        if source.is_empty() {
            break;
        }
        match source.int_in_range(0..=9_u8)? {
            0 => {
                // Some have a number that is under way.
                let again = source.ratio(1_u8, 8)? && !open.is_empty();
                let sequence = if again { *source.choose(&open)? } else { next + 1 };
                let made = match sequence % 3 {
                    0 => Exchange::get(sequence, PORT),
                    1 => Exchange::apply(sequence, PORT),
                    _ => Exchange::dump(sequence, PORT),
                };
                match pending.add(made) {
                    Ok(()) => open.push(sequence),
                    Err(back) => assert!((again || open.len() == 4) && back.sequence() == sequence),
                }
                next = next.max(sequence);
            }
            1 => {
                let sequence = source.arbitrary::<u8>()?.into();
                let known = open.contains(&sequence);
                assert_eq!(pending.abandon(sequence).map(|one| one.sequence()), known.then_some(sequence));
                open.retain(|one| *one != sequence);
            }
            2 => {
                follower.overrun();
                lost = true;
                losses += 1;
            }
            3 => {
                match source.arbitrary()? {
                    true => follower.distrust(),
                    false => follower.dump_failed(),
                }
                lost = true;
            }
            4 if follower.advice() == Advice::Dump => {
                follower.dump_started();
                lost = false;
                dumps += 1;
            }
            5 if follower.advice() == Advice::Continue => {
                let mut end = Exchange::dump(1, PORT);
                if source.arbitrary()? {
                    end.truncated();
                    lost = true;
                }
                follower.dump_ended(end.end());
                assert!(follower.advice() != Advice::Listen || !lost);
            }
            _ => {
                let bytes = message(source, &open, PORT)?;
                let message = Message::parse(&bytes).expect("a message");
                let origin = origin(source, Origin::KERNEL)?;
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
        assert!(pending.len() == open.len() && pending.is_empty() == open.is_empty());
        assert!(follower.advice() != Advice::Listen || !lost);
        assert_eq!((follower.overruns(), follower.dumps()), (losses, dumps));
    }
    Ok(())
}

/// What was said to a request.
enum Told<'a> {
    Item,
    Done { interrupted: bool },
    Acknowledged { warning: Option<&'a str> },
    Refused(Refusal<'a>),
    Event,
}

/// What a server says in any order to any request: what does not fit leaves the datagram as it was, and whoever asked reads what was
/// said.
pub fn answers(input: &[u8]) {
    // A source that is refused ends the talk.
    let _ = talk(&mut Unstructured::new(input));
}

fn talk(source: &mut Unstructured<'_>) -> Result<()> {
    let protocol = *source.choose(PROTOCOLS)?;
    let mut buffer = vec![0; 1 << 16];
    let mut writer = Writer::new(&mut buffer);
    Bounds::default().any(source, protocol, numbers(), &mut writer)?;
    let Ok(request) = writer.finish() else { return Ok(()) };
    let get = Exchange::get(1, PORT);
    let mut exchange = *source.choose(&[get, Exchange::apply(1, PORT), Exchange::dump(1, PORT)])?;
    exchange = exchange.answered_by(PEER);
    exchange.stamp(request);
    let Ok(message) = Message::parse(request) else { return Ok(()) };
    let request = Request::new(message, PORT);
    let _ = (request.is_dump(), request.wants_acknowledgement(), request.is_for_protocol());
    let capacity = source.int_in_range(0..=1024)?;
    let mut datagram = vec![0; capacity];
    let mut answers = Answers::new(&mut datagram);
    let mut told = Vec::new();
    for _ in 0..source.int_in_range(0..=12_u8)? {
        let before = answers.bytes().to_vec();
        let text: &str = source.arbitrary()?;
        let text = text.split('\0').next().unwrap_or_default();
        let header = LinkHeader { index: source.arbitrary()?, ..LinkHeader::default() };
        let mut refusal = Refusal::new(Errno(source.int_in_range(1..=i32::MAX.cast_unsigned())?));
        if source.arbitrary()? {
            refusal = refusal.saying(text).at(source.arbitrary::<Option<u32>>()?);
        }
        refusal = match source.int_in_range(0..=3_u8)? {
            0 => refusal.lacking(Link::IFNAME),
            1 => refusal.lacking_in(source.arbitrary::<u32>()?, Link::MTU),
            2 => refusal.with_cookie(source.arbitrary()?),
            _ => refusal,
        };
        let (said, done) = match source.int_in_range(0..=7_u8)? {
            0 => (Told::Item, answers.item(&request, Rtm::GETLINK, header, |link| link.put(Link::IFNAME, text))),
            1 => (Told::Item, answers.part(&request, Rtm::GETLINK, header, |link| link.put(Link::IFNAME, text))),
            2 => {
                let mut end = End::default();
                (end.interrupted, end.filtered) = source.arbitrary()?;
                (Told::Done { interrupted: end.interrupted }, answers.done(&request, end))
            }
            3 => (Told::Refused(refusal), answers.break_off(&request, &refusal)),
            4 => {
                let warning = source.arbitrary::<bool>()?.then_some(text);
                (Told::Acknowledged { warning }, answers.acknowledge(&request, warning))
            }
            5 => (Told::Event, answers.event(Rtm::NEWLINK, header, |link| link.put(Link::IFNAME, text))),
            6 if source.ratio(1_u8, 8)? => {
                answers.clear();
                told.clear();
                continue;
            }
            _ => {
                let echo = *source.choose(&[Echo::Capped, Echo::Whole])?;
                (Told::Refused(refusal), answers.refuse(&request, &refusal, echo))
            }
        };
        match done {
            Ok(()) => told.push(said),
            Err(error) => {
                let needed = error.needed().and_then(|needed| usize::try_from(needed).ok());
                assert!(needed.is_none_or(|needed| needed > capacity), "{error}");
                assert_eq!(answers.bytes(), before);
            }
        }
        assert!(answers.count() == told.len() && answers.is_empty() == told.is_empty());
    }
    read_back(&request, exchange, &answers, &told);
    Ok(())
}

/// Reads what was said, as who asked.
fn read_back(request: &Request<'_>, mut exchange: Exchange, answers: &Answers<'_>, told: &[Told<'_>]) {
    let peer = exchange.source();
    let is_dump = exchange == Exchange::dump(1, PORT).answered_by(PEER);
    let (mut count, mut begun) = (0, false);
    for (message, told) in answers.messages().zip(told) {
        let message = message.expect("what was written reads");
        count += 1;
        let finished = exchange.is_finished();
        match (exchange.accept(message, peer), told) {
            (Step::NotMine, Told::Event) => {}
            (Step::NotMine, _) => assert!(finished),
            (Step::Item(item), Told::Item) => begun |= is_dump && item.header.flags.contains(Flags::MULTI),
            // It ends what was not dumped, and nothing that has begun.
            (Step::Skip, Told::Acknowledged { .. }) => assert!(begun),
            (Step::Finished { end, warning: None }, Told::Done { interrupted }) => {
                assert_eq!(end.is_complete(), !interrupted);
            }
            (Step::Finished { warning: found, .. }, Told::Acknowledged { warning }) => {
                assert!(!begun);
                assert_eq!(found.map(Text::as_bytes), warning.map(str::as_bytes));
            }
            (Step::Failed(found), Told::Refused(refusal)) => {
                let parts = |refusal: &Refusal<'_>| {
                    (refusal.errno, refusal.text.map(|text| text.as_bytes().to_vec()), refusal.offset, refusal.missing)
                };
                assert_eq!(parts(&found), parts(refusal));
                assert_eq!((found.missing_in, found.cookie), (refusal.missing_in, refusal.cookie));
                let _ = found.path(request.message, Link::space(), 16).steps().len();
            }
            (step, _) => panic!("{step:?} of {message:?}"),
        }
    }
    assert_eq!(count, told.len());
}

/// Messages about what is followed, put into a table as they mean, beside a model of it. The first byte says what is followed, and
/// of which family.
pub fn followed(input: &[u8]) {
    let Some((first, datagram)) = input.split_first() else { return };
    let family = [Family::UNSPEC, Family::INET, Family::INET6, Family::BRIDGE][usize::from(first >> 6)];
    let netfilter = NetfilterFamily(family.0);
    match first % 8 {
        0 => follow(&Links, datagram),
        1 => follow(&Addresses(family), datagram),
        2 => follow(&Routes(family), datagram),
        3 => follow(&Neighbours(family), datagram),
        4 => follow(&Rules(family), datagram),
        5 => follow(&Nexthops, datagram),
        6 => follow(&Connections(netfilter), datagram),
        _ => follow(&Expectations(netfilter), datagram),
    }
}

/// How many objects a table has room for, and bytes of each.
const ROOM: usize = 6;
const BYTES: usize = 512;

/// What a table should hold: digest, payload and generation of each object.
#[derive(Default)]
struct Model {
    objects: BTreeMap<Key, (u64, Vec<u8>, u32)>,
    generation: u32,
}

impl Model {
    fn put(&mut self, key: Key, digest: u64, payload: &[u8]) -> Result<Put, Full> {
        let known = self.objects.get(&key).map(|(digest, ..)| *digest);
        if payload.len() > BYTES || (known.is_none() && self.objects.len() == ROOM) {
            return Err(Full);
        }
        self.objects.insert(key, (digest, payload.to_vec(), self.generation));
        Ok(match known {
            None => Put::Added,
            Some(known) if known == digest => Put::Same,
            Some(_) => Put::Changed,
        })
    }

    fn take_out(&mut self, leaves: impl Fn(&Key, u32) -> bool) -> Vec<Vec<u8>> {
        let out = self.objects.extract_if(.., |key, (_, _, generation)| leaves(key, *generation));
        out.map(|(_, (_, payload, _))| payload).collect()
    }
}

fn put(table: &mut FixedTable<ROOM, BYTES>, model: &mut Model, key: Key, digest: u64, payload: &[u8]) {
    let found = table.put(key, digest, payload);
    let _ = found.map_err(|full| full.to_string());
    assert_eq!(found, model.put(key, digest, payload));
}

fn follow<S: Subject>(subject: &S, datagram: &[u8]) {
    let mut table = FixedTable::<ROOM, BYTES>::new();
    let mut model = Model::default();
    let _ = (subject.dump(), subject.header(), subject.groups());
    for message in Messages::new(datagram) {
        let Ok(message) = message else { break };
        let (meaning, digest) = (subject.meaning(message), subject.digest(message));
        assert_eq!((meaning, digest), (subject.meaning(message), subject.digest(message)));
        let payload = message.payload;
        let mut gone = Vec::new();
        // Which message begins a generation, and which ends it, the sequence says.
        match message.header.sequence % 8 {
            6 => {
                table.begin();
                model.generation += 1;
            }
            7 => {
                table.sweep(&mut |payload| gone.push(payload.to_vec()));
                let now = model.generation;
                assert_eq!(gone, model.take_out(|_, generation| generation != now));
            }
            _ => {}
        }
        gone.clear();
        match meaning {
            Meaning::Beside(key) | Meaning::Among(key) | Meaning::Uncertain(key) => {
                put(&mut table, &mut model, key, digest, payload);
            }
            Meaning::Instead(key) => {
                let others = |other: &Key| other.shares_place(&key) && *other != key;
                assert_eq!(table.others(&key), model.objects.keys().filter(|key| others(key)).count());
                table.remove_others(&key, &mut |payload| gone.push(payload.to_vec()));
                assert_eq!(gone, model.take_out(|key, _| others(key)));
                put(&mut table, &mut model, key, digest, payload);
            }
            Meaning::Gone(key) => assert_eq!(table.remove(&key), model.objects.remove(&key).is_some()),
            _ => {}
        }
        let objects = table.iter().map(|entry| (entry.key, entry.payload.to_vec()));
        assert!(objects.eq(model.objects.iter().map(|(key, (_, payload, _))| (*key, payload.clone()))));
        assert!(table.len() == model.objects.len() && table.is_empty() == model.objects.is_empty());
        for key in model.objects.keys() {
            assert!(key.first_of_place() <= *key && key.shares_place(&key.first_of_place()));
            let _ = format!("{key:?}");
        }
    }
}
