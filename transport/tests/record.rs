//! Sessions recorded against the live kernel and replayed without it; recordings of other machines; damaged recordings.

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use ringlink::codec::reply::End;
use ringlink::codec::route::{
    ExtMask, Family, Group, Link, LinkHeader, LinkInfo, Route, RouteHeader, RouteProtocol, RouteType, Rtm, Scope,
    ShortTable,
};
use ringlink::engine::record::{Event, Recorder, Recording, Replay, Tape};
use ringlink::engine::syscall::{Syscall, SyscallConfig};
use ringlink::engine::{Deadline, Engine, EngineKind};
use ringlink::error::RecordingProblem;
use ringlink::socket::{Socket, SocketOption};
use ringlink::{Config, Connection, Error, Monitor, Protocol, SocketOptions};

mod kernel;
mod retold;

use kernel::{add_routes, engines, ip, isolated, noop, request_socket, soon};
use retold::retell;

/// A connection over an engine that records, and what it records on.
fn recorded(engine: Box<dyn Engine>) -> (Connection, Tape) {
    let tape = Tape::default();
    let recorder = Recorder::new(engine, tape.clone(), "a test").expect("memory takes everything");
    (Connection::over(Box::new(recorder), Config::default()), tape)
}

fn replayed(recording: &[u8]) -> Connection {
    let recording = Recording::parse(recording).expect("a recording");
    Connection::over(Box::new(Replay::new(recording).expect("a replay")), Config::default())
}

fn ipv4() -> RouteHeader {
    RouteHeader { family: Family::INET, ..RouteHeader::default() }
}

/// A host route by way of `lo`, in 10.0.0.0/8.
fn host_route() -> RouteHeader {
    RouteHeader {
        dst_len: 32,
        table: ShortTable::MAIN,
        protocol: RouteProtocol::STATIC,
        scope: Scope::LINK,
        kind: RouteType::UNICAST,
        ..ipv4()
    }
}

/// All that a session told: answers' payloads, ends, errors and their texts.
#[derive(Debug, Default, PartialEq)]
struct Told {
    payloads: Vec<Vec<u8>>,
    ends: Vec<End>,
    errors: Vec<Error>,
    warnings: Vec<Option<String>>,
    failures: Vec<(usize, String)>,
}

/// Everything that a connection does, with a good and a bad outcome each.
fn session(connection: &mut Connection) -> Told {
    let mut told = Told::default();
    let lo = LinkHeader { index: 1, ..LinkHeader::default() };
    for header in [lo, LinkHeader { index: 999, ..lo }] {
        match connection.get(Rtm::GETLINK, header, |link| link.put(Link::EXT_MASK, ExtMask::SKIP_STATS)) {
            Ok(reply) => told.payloads.push(reply.message().payload.to_vec()),
            Err(error) => told.errors.push(error),
        }
    }
    for kind in ["bridge", "nonesuch"] {
        let operation = Rtm::NEWLINK.create().exclusive();
        match connection.apply(operation, LinkHeader::default(), |link| {
            link.put(Link::IFNAME, "br0");
            link.nest(Link::LINKINFO, |info| info.put(LinkInfo::KIND, kind));
        }) {
            Ok(warning) => told.warnings.push(warning),
            Err(error) => told.errors.push(error),
        }
    }
    for length in [0, 24] {
        let mut routes =
            connection.dump(Rtm::GETROUTE, RouteHeader { dst_len: length, ..ipv4() }, |_| {}).expect("sent");
        loop {
            match routes.next_message() {
                Ok(Some(message)) => told.payloads.push(message.payload.to_vec()),
                Ok(None) => break,
                Err(error) => told.errors.push(error),
            }
        }
        told.ends.push(routes.end());
    }
    // One dump given up in its middle, and one behind it.
    let mut routes = connection.dump(Rtm::GETROUTE, ipv4(), |_| {}).expect("sent");
    assert!(routes.next().expect("a route").is_some());
    drop(routes);
    let links =
        connection.dump(Rtm::GETLINK, LinkHeader::default(), |link| link.put(Link::EXT_MASK, ExtMask::SKIP_STATS));
    told.ends.push(links.expect("sent").for_each(|_| Ok(())).expect("links"));

    let mut batch = connection.batch();
    for number in 0..600 {
        // Every third is there already.
        let address = Ipv4Addr::from(0x0b00_0000 + number / 3 * 3 + number % 3 % 2);
        let fill = |route: &mut ringlink::codec::table::AttributeWriter<'_, '_, Route>| {
            route.put(Route::DST, address);
            route.put(Route::OIF, 1);
        };
        batch.add(Rtm::NEWROUTE.create().exclusive(), host_route(), fill).expect("added");
    }
    let outcomes = batch.finish().expect("sent");
    assert_eq!((outcomes.count(), outcomes.failures().len()), (600, 200));
    told.failures.extend(outcomes.failures().iter().map(|failure| (failure.index, failure.refused.to_string())));

    let mut lookups = connection.lookups(Rtm::GETROUTE, |_, route| {
        match route {
            Ok(route) => told.payloads.push(route.attributes.get(Route::DST)?.map_or(Vec::new(), |dst| dst.0.to_vec())),
            Err(error) => told.errors.push(error),
        }
        Ok(())
    });
    for number in [0, 1, 0x0900_0000, 4] {
        let address = Ipv4Addr::from(0x0b00_0000 + number);
        lookups.add(RouteHeader { dst_len: 32, ..ipv4() }, |route| route.put(Route::DST, address)).expect("asked");
    }
    assert_eq!(lookups.finish().expect("answered"), 4);

    connection.set_deadline(Some(Duration::from_millis(1)));
    told
}

#[test]
fn a_session_replayed_is_the_session_recorded() {
    for engine in 0..6 {
        isolated("a_session_replayed", || {
            ip("link set lo up");
            ip("addr add 10.255.0.1/24 dev lo");
            add_routes(&Syscall::new(request_socket(), SyscallConfig::default()).expect("an engine"), 0..5000);
            let Some((name, engine)) = engines(request_socket).into_iter().nth(engine) else { return };
            let kind = engine.kind();
            let (mut live, tape) = recorded(engine);
            let told = session(&mut live);
            assert_eq!((told.ends.len(), told.errors.len(), told.failures.len()), (3, 4, 200), "{name}: {told:?}");
            assert!(told.payloads.len() > 5000, "{name}");
            assert!(told.ends[0].is_complete() && !told.ends[1].is_complete(), "{name}");
            if name != "auto" && name != "eager" {
                assert_eq!(live.statistics().engine, kind);
            }

            let bytes = tape.bytes();
            for _ in 0..2 {
                let mut replay = replayed(&bytes);
                assert_eq!(session(&mut replay), told, "{name}");
                let statistics = replay.statistics();
                assert_eq!(statistics.engine, EngineKind::Replay);
                assert_eq!(statistics.messages, live.statistics().messages, "{name}");
                assert_eq!(statistics.counters.datagrams, live.statistics().counters.datagrams, "{name}");
                // One step beyond the end.
                let end = Error::Recording { offset: bytes.len(), problem: RecordingProblem::Ended };
                let again = replay.get(Rtm::GETLINK, LinkHeader { index: 1, ..Default::default() }, |_| {});
                assert_eq!(again.map(drop), Err(end), "{name}");
            }
            let recording = Recording::parse(&bytes).expect("a recording");
            assert_eq!((recording.note(), recording.protocol()), ("a test", Protocol::ROUTE));
            assert_eq!(recording.port(), live.socket().port());
            assert!(recording.entries().any(|entry| entry.took > Duration::ZERO));
        });
    }
}

#[test]
fn a_monitors_session_keeps_groups_losses_and_waits_in_vain() {
    isolated("a_monitors_session", || {
        ip("link set lo up");
        let writer = Syscall::new(request_socket(), SyscallConfig::default()).expect("an engine");
        let options = SocketOptions { receive_buffer: Some(8192), ..SocketOptions::default() };
        let socket = Socket::open(Protocol::ROUTE, &options).expect("a socket");
        socket.join(Group::IPV4_ROUTE.0).expect("joined");
        let engine = Syscall::new(socket, SyscallConfig::default()).expect("an engine");
        let tape = Tape::default();
        let recorder = Recorder::new(Box::new(engine), tape.clone(), "events").expect("a recorder");

        let listen = |monitor: &Monitor| {
            let mut told: Vec<Result<(u32, Vec<u8>), Error>> = Vec::new();
            loop {
                let notice = monitor.receive(Deadline::after(Duration::ZERO));
                told.push(notice.map(|notice| (notice.group(), notice.bytes().to_vec())));
                if told.last().is_some_and(|last| last == &Err(Error::TimedOut)) {
                    return told;
                }
            }
        };
        let live = Monitor::over(Box::new(recorder));
        let mut told = listen(&live);
        add_routes(&writer, 0..3000);
        told.extend(listen(&live));
        let lost = |told: &Result<_, Error>| matches!(told, Err(Error::Overrun { drops: 1.. }));
        assert!(told.iter().any(lost) && told.iter().filter(|told| told.is_ok()).count() > 1, "{told:?}");

        let replay = Replay::new(Recording::parse(&tape.bytes()).expect("a recording")).expect("a replay");
        let monitor = Monitor::over(Box::new(replay));
        let mut again = listen(&monitor);
        again.extend(listen(&monitor));
        assert_eq!(again, told);
        assert_eq!(monitor.counters().overruns, live.counters().overruns);
        assert_eq!(told.iter().flatten().filter(|(group, _)| *group == Group::IPV4_ROUTE.0).count(), {
            told.iter().filter(|told| told.is_ok()).count()
        });
    });
}

/// The recordings of the folder, which say in their notes what they are.
const LINKS: &str = "links_and_a_refusal.recording";

fn data(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Names and MTUs, the dump's end, and the error of the question.
type Links = (Vec<(String, u32)>, End, Error);

/// The session of [`LINKS`]: the interfaces of a fresh namespace by name and MTU, and one question with no answer.
fn links(connection: &mut Connection) -> Result<Links, Error> {
    let mut found = Vec::new();
    let links =
        connection.dump(Rtm::GETLINK, LinkHeader::default(), |link| link.put(Link::EXT_MASK, ExtMask::SKIP_STATS))?;
    let end = links.for_each(|link| {
        let (name, mtu) = link.attributes.read((Link::IFNAME, Link::MTU))?;
        found.push((name.map(|name| name.to_string()).unwrap_or_default(), mtu.unwrap_or(0)));
        Ok(())
    })?;
    let nobody = LinkHeader { index: 999, ..LinkHeader::default() };
    match connection.get(Rtm::GETLINK, nobody, |_| {}) {
        Ok(_) => Err(Error::NoAnswer),
        Err(error) => Ok((found, end, error)),
    }
}

#[test]
fn a_recording_of_another_machine_is_replayed_anywhere() {
    if cfg!(target_endian = "big") {
        let problem = Recording::open(data(LINKS)).expect_err("the messages have another byte order");
        return assert_eq!(problem, Error::Recording { offset: 0, problem: RecordingProblem::ByteOrder });
    }
    let recording = Recording::open(data(LINKS)).expect("a recording");
    assert!(recording.note().starts_with("Linux 6.18.44, x86-64\n"), "{}", recording.note());
    let engine = Replay::new(recording).expect("a replay");
    let (found, end, error) = links(&mut Connection::over(Box::new(engine), Config::default())).expect("replayed");
    let expected = [("lo", 65536), ("veth0", 1500), ("veth1", 1500), ("br0", 1400)];
    assert_eq!(found, expected.map(|(name, mtu)| (name.to_owned(), mtu)));
    assert!(end.is_complete());
    assert!(error.is_not_found() && error.refused().is_some_and(|refused| refused.request == "RTM_GETLINK"), "{error}");
}

/// Makes the recording of the folder anew: `cargo test --test record -- --ignored`.
#[test]
#[ignore = "writes into the source tree"]
fn make_the_recording() {
    isolated("make_the_recording", || {
        ip("link add veth1 type veth peer name veth0");
        ip("link add br0 mtu 1400 type bridge");
        let engine = Syscall::new(request_socket(), SyscallConfig::default()).expect("an engine");
        let note = "Linux 6.18.44, x86-64\n\
                    ip link add veth1 type veth peer name veth0\n\
                    ip link add br0 mtu 1400 type bridge\n\
                    a dump of RTM_GETLINK, then RTM_GETLINK of an interface that there is not\n";
        let recorder = Recorder::create(Box::new(engine), data(LINKS), note).expect("a file");
        links(&mut Connection::over(Box::new(recorder), Config::default())).expect("recorded");
    });
}

/// A recording of all that there is, small enough to be damaged at every byte.
fn sample() -> Vec<u8> {
    let tape = Tape::default();
    let engine = Syscall::new(request_socket(), SyscallConfig::default()).expect("an engine");
    let recorder = Recorder::new(Box::new(engine), tape.clone(), "sample").expect("a recorder");
    drop(recorder.exchange(&noop(7), soon()).expect("an answer"));
    recorder.send(&noop(8)).expect("sent");
    let held = [(); 4].map(|()| recorder.receive(Deadline::after(Duration::ZERO)));
    assert!(held[0].is_ok() && held[1].as_ref().is_err_and(Error::is_timed_out));
    drop(held);
    // Too long for the socket, and more at once than there are slots for.
    recorder.socket().set_send_buffer(4096).expect("set");
    recorder.send(&vec![0; 70_000]).expect_err("too long");
    for sequence in 1..=4 {
        recorder.send(&noop(sequence)).expect("sent");
    }
    let held: Vec<_> = (0..4).map(|_| recorder.receive(soon()).expect("an answer")).collect();
    assert_eq!(recorder.exchange(&noop(9), soon()).map(drop), Err(Error::Exhausted { slots: 4 }));
    drop(held);
    let mut bytes = tape.bytes();
    // Less of the long one will do: its length stands in the entry, its bytes are zero.
    let at = bytes.windows(70_000).position(|window| window.iter().all(|byte| *byte == 0)).expect("there");
    let length = bytes.windows(4).position(|window| window == (70_000u32 + 22).to_le_bytes()).expect("there");
    bytes.drain(at..at + 69_000);
    bytes[length..length + 4].copy_from_slice(&(1000u32 + 22).to_le_bytes());
    bytes
}

/// Goes through a replay whatever it says, as far as it goes; returns how many calls that took.
fn go_through(recording: Recording) -> usize {
    let entries: Vec<bool> =
        recording.entries().map(|entry| matches!(entry.event, Event::Sent(_) | Event::NotSent(..))).collect();
    let sent: Vec<Vec<u8>> = recording
        .entries()
        .map(|entry| match entry.event {
            Event::Sent(bytes) | Event::NotSent(bytes, _) => bytes.to_vec(),
            _ => Vec::new(),
        })
        .collect();
    let Ok(replay) = Replay::new(recording) else { return 0 };
    for (is_send, bytes) in entries.iter().zip(&sent) {
        match is_send {
            true => {
                let _ = replay.send(bytes);
            }
            false => {
                let _ = replay.receive(Deadline::none()).map(|datagram| datagram.len());
            }
        }
    }
    let problem = replay.receive(Deadline::none()).map(drop).expect_err("at the end");
    assert!(matches!(problem, Error::Recording { problem: RecordingProblem::Ended, .. }), "{problem}");
    entries.len()
}

#[test]
fn every_entry_is_told_and_replayed() {
    let bytes = sample();
    let recording = Recording::parse(&bytes).expect("a recording");
    let events: Vec<String> = recording
        .entries()
        .map(|entry| match entry.event {
            Event::Sent(bytes) => format!("sent {}", bytes.len()),
            Event::Received { bytes, sender: 0, group: 0, namespace: None } => format!("received {}", bytes.len()),
            Event::Received { .. } => "received from elsewhere".to_owned(),
            Event::NotSent(bytes, error) => format!("not sent {}: {error}", bytes.len()),
            Event::NotReceived(error) => error.to_string(),
        })
        .collect();
    let none = Error::TimedOut.to_string();
    let mut expected = vec!["sent 16", "received 36", "sent 16", "received 36", &none, &none, &none];
    let long = format!("not sent 1000: {}", Error::System { call: "send", errno: libc::EMSGSIZE });
    expected.push(&long);
    expected.extend(["sent 16"; 4]);
    expected.extend(["received 36"; 4]);
    let exhausted = format!("not sent 16: {}", Error::Exhausted { slots: 4 });
    expected.push(&exhausted);
    assert_eq!(events, expected);
    assert_eq!(go_through(recording), expected.len());
}

/// An entry by hand: kind, nanoseconds, and what follows.
fn entry(kind: u8, took: u64, parts: &[&[u8]]) -> Vec<u8> {
    let body = parts.concat();
    [&[kind][..], &took.to_le_bytes(), &(body.len() as u32).to_le_bytes(), &body].concat()
}

/// An error by hand.
fn error(kind: u8, first: u64, second: u64, name: &str) -> Vec<u8> {
    [&[kind][..], &first.to_le_bytes(), &second.to_le_bytes(), &[name.len() as u8], name.as_bytes()].concat()
}

#[test]
fn a_replay_that_is_recorded_is_the_same_recording() {
    let order = if cfg!(target_endian = "little") { 1 } else { 2 };
    // Version 1, NETLINK_GENERIC, not connected; port id 7, a receive buffer of 4096 bytes, and a note.
    let header: &[u8] = &[1, order, 16, 0, 7, 0, 0, 0, 0, 16, 0, 0, 2, 0, 0, 0, b'h', b'i'];
    let from = |sender: u32, group: u32, known: u8, namespace: i32| {
        [&sender.to_le_bytes()[..], &group.to_le_bytes(), &[known], &namespace.to_le_bytes()].concat()
    };
    let text = b"add@/devices/virtual/net/veth0\0SUBSYSTEM=net";
    let bytes = [
        b"RINGLREC",
        header,
        &entry(2, 5, &[&from(0, 34, 1, 5), text]),
        &entry(2, 1 << 40, &[&from(4242, 0, 0, 0), &noop(9)]),
        &entry(2, 0, &[&from(0, 1, 1, -2)]),
        &entry(1, 0, &[]),
        &entry(3, 0, &[&error(5, 105, 0, "send"), text]),
        &entry(4, 0, &[&error(1, 0, 0, "")]),
        &entry(4, 0, &[&error(2, 3, 0, "")]),
        &entry(4, 0, &[&error(3, 40_000, 32_768, "")]),
        &entry(4, 0, &[&error(4, 4, 0, "")]),
        &entry(4, 0, &[&error(5, 22, 0, "io_uring_enter")]),
        &entry(4, 0, &[&error(5, 5, 0, "a call of a later version")]),
        &entry(4, 0, &[&error(0, 12, 0, "something else")]),
    ]
    .concat();
    let recording = Recording::parse(&bytes).expect("a recording");
    assert_eq!((recording.note(), recording.protocol(), recording.port()), ("hi", Protocol::GENERIC, 7));
    let events: Vec<_> = recording.entries().map(|entry| entry.event).collect();
    assert_eq!(events[0], Event::Received { bytes: text, sender: 0, group: 34, namespace: Some(5) });
    assert_eq!(events[2], Event::Received { bytes: &[], sender: 0, group: 1, namespace: Some(-2) });
    assert_eq!(events[4], Event::NotSent(text, Error::System { call: "send", errno: 105 }));
    let errors = [
        Error::TimedOut,
        Error::Overrun { drops: 3 },
        Error::Truncated { length: 40_000, slot: 32_768 },
        Error::Exhausted { slots: 4 },
        Error::System { call: "io_uring_enter", errno: 22 },
        Error::System { call: "a recorded call", errno: 5 },
        Error::System { call: "a recorded call", errno: 12 },
    ];
    assert_eq!(events[5..], errors.map(Event::NotReceived));
    assert_eq!(recording.entries().nth(1).map(|entry| entry.took), Some(Duration::from_nanos(1 << 40)));

    for bytes in [bytes, sample()] {
        let recording = Recording::parse(&bytes).expect("a recording");
        let tape = Tape::default();
        let replay = Replay::new(recording.clone()).expect("a replay");
        assert!(!replay.socket().is_connected() || recording.protocol() == Protocol::ROUTE);
        let recorder = Recorder::new(Box::new(replay), tape.clone(), recording.note()).expect("a recorder");
        retell(&recording, &recorder);
        let again = Recording::parse(&tape.bytes()).expect("a recording");
        assert!(again.entries().map(|entry| entry.event).eq(recording.entries().map(|entry| entry.event)));
        assert_eq!((again.note(), again.port()), (recording.note(), recording.port()));
    }
}

#[test]
fn what_is_sent_has_to_be_what_was_sent() {
    let bytes = sample();
    let replay = Replay::new(Recording::parse(&bytes).expect("a recording")).expect("a replay");
    let first = 24 + "sample".len();
    let problem = |problem| Err(Error::Recording { offset: first, problem });
    assert_eq!(replay.receive(soon()).map(drop), problem(RecordingProblem::ReceivesEarly));
    let mut other = noop(1);
    other[6] ^= 1;
    assert_eq!(replay.send(&other), problem(RecordingProblem::Differs { at: 6 }));
    assert_eq!(replay.send(&noop(1)[..15]), problem(RecordingProblem::Differs { at: 15 }));
    // The lowest byte of the number.
    let at = if cfg!(target_endian = "big") { 11 } else { 8 };
    assert_eq!(replay.send(&noop(0)), problem(RecordingProblem::Differs { at }), "nobody asks with number 0");
    let text = replay.send(&other).expect_err("differs").to_string();
    assert_eq!(text, "recording, byte 30: what is sent differs from what was sent then, first at its byte 6");
    // After each of these it is where it was; and any other number will do, in the answer and in the request it repeats.
    let answer = replay.exchange(&noop(0x0102_0304), soon()).expect("an answer");
    assert_eq!(answer[8..12], 0x0102_0304u32.to_ne_bytes());
    assert_eq!(answer[28..32], 0x0102_0304u32.to_ne_bytes());
    assert_eq!(answer[12..16], replay.socket().port().to_ne_bytes());
    assert!(matches!(replay.receive(soon()).map(drop), Err(Error::Recording { .. })));
    assert!(replay.socket().is_connected() && !replay.socket().has(SocketOption::ExtAck));
    assert_eq!(replay.socket().join(1), Err(Error::System { call: "setsockopt", errno: libc::ENOTSOCK }));
}

#[test]
fn every_truncation_is_an_error_or_a_shorter_session() {
    let mut recordings = vec![sample()];
    recordings.extend(std::fs::read(data(LINKS)));
    for bytes in recordings {
        let Ok(whole) = Recording::parse(&bytes) else { continue };
        let mut ends: Vec<usize> = whole.entries().map(|entry| entry.offset).collect();
        ends.push(bytes.len());
        for length in 0..bytes.len() {
            match Recording::parse(&bytes[..length]) {
                Ok(shorter) => assert_eq!(ends.get(go_through(shorter)), Some(&length)),
                Err(Error::Recording { offset, problem }) => {
                    let short = matches!(problem, RecordingProblem::NotARecording | RecordingProblem::Cut);
                    assert!(short && offset <= length, "{length}: {offset}, {problem:?}");
                    assert!(!ends.contains(&length), "{length}");
                }
                Err(other) => panic!("{length}: {other}"),
            }
        }
    }
}

#[test]
fn every_damage_is_an_error_or_a_session() {
    let mut recordings = vec![sample()];
    recordings.extend(std::fs::read(data(LINKS)));
    let (mut refused, mut replayed) = (0, 0);
    for whole in recordings {
        for at in 0..whole.len() {
            for damage in [0x01, 0x80, 0xff] {
                let mut bytes = whole.clone();
                bytes[at] ^= damage;
                match Recording::parse(&bytes) {
                    Ok(recording) => {
                        go_through(recording);
                        replayed += 1;
                        // A connection goes through what the damage left as it is, or says what is wrong.
                        if at % 7 == 0 {
                            let engine = Replay::new(Recording::parse(&bytes).expect("it was")).expect("a replay");
                            let _ = links(&mut Connection::over(Box::new(engine), Config::default()));
                        }
                    }
                    Err(Error::Recording { offset, .. }) => {
                        assert!(offset <= bytes.len());
                        refused += 1;
                    }
                    Err(other) => panic!("byte {at}: {other}"),
                }
            }
        }
    }
    assert!(refused > 100 && replayed > 1000, "{refused} refused, {replayed} replayed");
}

#[test]
fn a_sink_that_fails_ends_the_session() {
    #[derive(Debug)]
    struct Short(usize);
    impl std::io::Write for Short {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0 = self.0.checked_sub(1).ok_or_else(|| std::io::Error::from_raw_os_error(libc::ENOSPC))?;
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let engine = || Box::new(Syscall::new(request_socket(), SyscallConfig::default()).expect("an engine"));
    let full = Error::System { call: "write", errno: libc::ENOSPC };
    assert_eq!(Recorder::new(engine(), Short(0), "").map(drop).expect_err("full"), full);
    let long = "n".repeat(65_537);
    assert!(matches!(Recorder::new(engine(), Short(9), &long).map(drop), Err(Error::Configuration { .. })));
    let recorder = Recorder::new(engine(), Short(2), "").expect("one write");
    drop(recorder.exchange(&noop(1), soon()).expect("two writes"));
    assert_eq!(recorder.send(&noop(2)), Err(full.clone()));
    assert_eq!(recorder.receive(soon()).map(drop), Err(full.clone()), "though an answer is there");
    assert_eq!(recorder.exchange(&noop(3), soon()).map(drop), Err(full));
}
