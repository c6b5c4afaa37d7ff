//! The connector: events of processes as a kernel told them, requests, several parts in a message; damage.

#![cfg(target_endian = "little")]

mod support;

use ringlink_codec::connector::*;
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::CONNECTOR;
use ringlink_codec::table::Chars;
use ringlink_codec::wire::ErrorKind;

const EVENTS: &str = include_str!("event_captures/connector.hex");

fn notices(bytes: &[u8]) -> Vec<Notice> {
    let message = Message::parse(bytes).unwrap();
    Parts::of(message).map(|part| Notice::of(&part.unwrap()).unwrap().unwrap()).collect()
}

#[test]
fn captured_events() {
    let events: Vec<Notice> = support::messages(EVENTS).iter().flat_map(|bytes| notices(bytes)).collect();
    let kinds: Vec<String> = events.iter().map(|notice| notice.what.to_string()).collect();
    assert_eq!(events.len(), EXPECTED.len(), "{kinds:?}");
    for (notice, expected) in events.iter().zip(EXPECTED) {
        assert_eq!(format!("{} {:?}", notice.cpu.unwrap(), notice.event), *expected);
        assert!(notice.timestamp_ns > 12_000_000_000_000);
    }
    assert_eq!(events[0].acknowledges, Some(7777));
    let mut sequences = Sequences::<2>::new();
    let lost: Option<u32> = events.iter().map(|notice| sequences.see(notice.cpu.unwrap(), notice.sequence)).sum();
    // The capture leaves out some on purpose.
    assert!(lost.is_some_and(|lost| lost > 0));
    let other = events.iter().filter(|notice| matches!(notice.event, Event::Other(_))).count();
    assert_eq!(other, 0);
}

const EXPECTED: &[&str] = &[
    "1 Acknowledged { error: 0 }",
    "1 Fork(Fork { parent_pid: 13554, parent_tgid: 13554, child_pid: 13595, child_tgid: 13595 })",
    "0 Exec(Exec { process_pid: 13595, process_tgid: 13595 })",
    "1 Comm(Name { process_pid: 13595, process_tgid: 13595, comm: \"captured\" })",
    "1 Fork(Fork { parent_pid: 13595, parent_tgid: 13595, child_pid: 13596, child_tgid: 13596 })",
    "0 Sid(Session { process_pid: 13596, process_tgid: 13596 })",
    "0 Gid(Ids { process_pid: 13597, process_tgid: 13597, r: 1000, e: 1000 })",
    "0 Uid(Ids { process_pid: 13597, process_tgid: 13597, r: 1000, e: 1000 })",
    "0 Exit(Exit { process_pid: 13597, process_tgid: 13597, exit_code: 768, exit_signal: 17, parent_pid: 13596, parent_tgid: 13596 })",
    "0 Exit(Exit { process_pid: 13598, process_tgid: 13598, exit_code: 0, exit_signal: 17, parent_pid: 13596, parent_tgid: 13596 })",
    "0 Coredump(Coredump { process_pid: 13599, process_tgid: 13599, parent_pid: 13596, parent_tgid: 13596 })",
    "1 Gid(Ids { process_pid: 13600, process_tgid: 13600, r: 1000, e: 1000 })",
    "1 Uid(Ids { process_pid: 13600, process_tgid: 13600, r: 1000, e: 1000 })",
    "1 Coredump(Coredump { process_pid: 13602, process_tgid: 13602, parent_pid: 13595, parent_tgid: 13595 })",
];

/// A message with an event of this kind, whose own struct has these bytes.
fn event(what: ProcessEvents, own: &[u8]) -> Vec<u8> {
    let mut data = [what.0.to_ne_bytes().as_slice(), &3_u32.to_ne_bytes(), &99_u64.to_ne_bytes(), own].concat();
    data.resize(40, 0);
    write(&mut [0; 128], Identifier::PROCESSES, 5, 0, &data).unwrap().to_vec()
}

fn numbers(numbers: &[u32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_ne_bytes()).collect()
}

#[test]
fn each_kind_of_event() {
    let cases = [
        (ProcessEvents::NONE, numbers(&[1]), Event::Acknowledged { error: 1 }, None),
        (
            ProcessEvents::FORK,
            numbers(&[1, 2, 3, 4]),
            Event::Fork(Fork { parent_pid: 1, parent_tgid: 2, child_pid: 3, child_tgid: 4 }),
            Some(2),
        ),
        (ProcessEvents::EXEC, numbers(&[1, 2]), Event::Exec(Exec { process_pid: 1, process_tgid: 2 }), Some(2)),
        (
            ProcessEvents::UID,
            numbers(&[1, 2, 1000, 0]),
            Event::Uid(Ids { process_pid: 1, process_tgid: 2, r: 1000, e: 0 }),
            Some(2),
        ),
        (
            ProcessEvents::GID,
            numbers(&[1, 2, 100, 5]),
            Event::Gid(Ids { process_pid: 1, process_tgid: 2, r: 100, e: 5 }),
            Some(2),
        ),
        (ProcessEvents::SID, numbers(&[1, 2]), Event::Sid(Session { process_pid: 1, process_tgid: 2 }), Some(2)),
        (
            ProcessEvents::PTRACE,
            numbers(&[1, 2, 8, 9]),
            Event::Ptrace(Trace { process_pid: 1, process_tgid: 2, tracer_pid: 8, tracer_tgid: 9 }),
            Some(2),
        ),
        (
            ProcessEvents::COMM,
            [numbers(&[1, 2]), b"worker\0\0\0\0\0\0\0\0\0\0".to_vec()].concat(),
            Event::Comm(Name { process_pid: 1, process_tgid: 2, comm: Chars::new("worker") }),
            Some(2),
        ),
        (
            ProcessEvents::COREDUMP,
            numbers(&[1, 2, 6, 7]),
            Event::Coredump(Coredump { process_pid: 1, process_tgid: 2, parent_pid: 6, parent_tgid: 7 }),
            Some(2),
        ),
        (
            ProcessEvents::EXIT,
            numbers(&[1, 2, 9, 17, 6, 7]),
            Event::Exit(Exit {
                process_pid: 1,
                process_tgid: 2,
                exit_code: 9,
                exit_signal: 17,
                parent_pid: 6,
                parent_tgid: 7,
            }),
            Some(2),
        ),
        (ProcessEvents(0x400), numbers(&[1]), Event::Other(ProcessEvents(0x400)), None),
    ];
    for (what, own, expected, process) in cases {
        let bytes = event(what, &own);
        let [notice] = notices(&bytes)[..] else { panic!() };
        assert_eq!((notice.event, notice.event.process()), (expected, process));
        assert_eq!((notice.cpu, notice.sequence, notice.timestamp_ns, notice.what), (Some(3), 5, 99, what));
        // A byte less than its own struct needs.
        let message = Message::parse(&bytes).unwrap();
        let part = Parts::of(message).next().unwrap().unwrap();
        let short = Part { data: &part.data[..16 + own.len() - 1], ..part };
        if !matches!(expected, Event::Other(_)) {
            assert!(matches!(Notice::of(&short).unwrap_err().kind, ErrorKind::PayloadLength { .. }), "{what}");
        }
    }
}

#[test]
fn printed_by_the_parties_name() {
    let bytes = event(ProcessEvents::EXIT, &numbers(&[1, 2, 9, 17, 6, 7]));
    let message = Message::parse(&bytes).unwrap();
    assert_eq!(
        message.tree(&CONNECTOR).to_string(),
        "CN_IDX_PROC (3) flags REQUEST sequence 0 port 0\n  id: {idx: IDX_PROC, val: 1}\n  seq: 5\n  ack: 0\n  len: 40\n  flags: 0\n  \
         proc_event: {what: EXIT, cpu: 3, timestamp_ns: 99}\n  exit_proc_event: {process_pid: 1, process_tgid: 2, \
         exit_code: 9, exit_signal: 17, parent_pid: 6, parent_tgid: 7}\n"
    );
    assert_eq!(
        message.json(&CONNECTOR).to_string(),
        "{\"message\":\"CN_IDX_PROC\",\"type\":3,\"flags\":\"REQUEST\",\"sequence\":0,\"port\":0,\"header\":{\"id\":{\"idx\":\"IDX_PROC\",\
         \"val\":1},\"seq\":5,\"ack\":0,\"len\":40,\"flags\":0},\"proc_event\":{\"what\":\"EXIT\",\"cpu\":3,\"timestamp_ns\":99},\
         \"exit_proc_event\":{\"process_pid\":1,\"process_tgid\":2,\"exit_code\":9,\"exit_signal\":17,\"parent_pid\":6,\
         \"parent_tgid\":7}}"
    );
    let mut buffer = [0; 64];
    let other = write(&mut buffer, Identifier { idx: Party::W1, val: 1 }, 0, 0, b"abc").unwrap();
    let tree = Message::parse(other).unwrap().tree(&CONNECTOR).to_string();
    assert!(tree.starts_with("CN_W1_IDX (3)") && tree.ends_with("  bytes: 616263\n"), "{tree}");
}

#[test]
fn requests() {
    let mut buffer = [0; 64];
    assert_eq!(listen(&mut buffer, 1, true).unwrap().len(), 40);
    assert_eq!(choose(&mut buffer, 1, ProcessEvents::FORK | ProcessEvents::EXIT).unwrap().len(), 44);
    let tree = Message::parse(&buffer[..44]).unwrap().tree(&CONNECTOR).to_string();
    assert!(tree.ends_with("  proc_input: {mcast_op: LISTEN, event_type: FORK|EXIT}\n"), "{tree}");
    for length in 0..44 {
        let error = choose(&mut buffer[..length], 1, ProcessEvents::ALL).unwrap_err();
        assert_eq!(error.needed(), Some(44));
    }
    assert!(write(&mut buffer, Identifier::PROCESSES, 0, 0, &vec![0; 70_000]).is_err());
}

#[test]
fn several_parts() {
    let mut bytes = event(ProcessEvents::EXEC, &numbers(&[1, 2]));
    let second = event(ProcessEvents::SID, &numbers(&[3, 4]))[16..].to_vec();
    bytes.extend(second);
    let length = u32::try_from(bytes.len()).unwrap();
    bytes[..4].copy_from_slice(&length.to_ne_bytes());
    assert_eq!(notices(&bytes).len(), 2);
    // The second says more data than there are.
    bytes[16 + 60 + 16] = 41;
    let mut parts = Parts::of(Message::parse(&bytes).unwrap());
    assert!(parts.next().is_some_and(|part| part.is_ok()));
    let error = parts.next().unwrap().unwrap_err();
    assert_eq!((error.kind, error.offset), (ErrorKind::RecordLength { length: 41, available: 40 }, 76));
    assert!(parts.next().is_none());
}

#[test]
fn sequences_wrap() {
    let mut sequences = Sequences::<1>::new();
    let seen: Vec<_> = [u32::MAX - 1, u32::MAX, 0, 3].map(|number| sequences.see(0, number)).into();
    assert_eq!(seen, [Some(0), Some(0), Some(0), Some(2)]);
}

#[test]
fn damage() {
    let mut samples = support::messages(EVENTS);
    samples.push(choose(&mut [0; 64], 1, ProcessEvents::ALL).unwrap().to_vec());
    for bytes in samples {
        support::every_damage(&bytes, |damaged| {
            for message in Messages::new(damaged).map_while(Result::ok) {
                let parts = Parts::of(message);
                assert!(parts.clone().count() <= message.payload.len() / 20 + 1);
                parts.map_while(Result::ok).for_each(|part| {
                    let _ = Notice::of(&part);
                });
                let _ = (message.tree(&CONNECTOR).to_string(), message.json(&CONNECTOR).to_string());
            }
        });
    }
}
