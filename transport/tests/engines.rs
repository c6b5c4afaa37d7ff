//! The same behaviour over every engine, against the kernel, in a network namespace of each test's own.

use std::os::fd::{AsFd, AsRawFd};
use std::time::{Duration, Instant};

use ringlink::engine::auto::Auto;
use ringlink::engine::ring::{Ring, RingConfig};
use ringlink::engine::syscall::{Syscall, SyscallConfig};
use ringlink::engine::{Deadline, Engine, EngineKind, Reason, Sizes};
use ringlink::error::Error;
use ringlink::namespace::Namespace;
use ringlink::socket::{Protocol, Socket, SocketOption, SocketOptions};

mod kernel;

use kernel::*;

#[test]
fn an_acknowledged_noop() {
    for (name, engine) in engines(request_socket) {
        for sequence in 1..10 {
            let answer = engine.exchange(&noop(sequence), soon()).expect(name);
            assert_eq!((answer.sender(), answer.group(), answer.namespace()), (0, 0, None), "{name}");
            let [(ERROR, _, payload)] = messages(&answer)[..] else { panic!("{name}: {answer:?}") };
            assert_eq!((errno(payload), &answer[8..12]), (0, &sequence.to_ne_bytes()[..]), "{name}");
        }
        // Apart from each other, with and without a deadline.
        engine.send(&noop(10)).expect(name);
        engine.send(&noop(11)).expect(name);
        assert_eq!(sequence(&engine.receive(Deadline::none()).expect(name)), 10, "{name}");
        assert_eq!(sequence(&engine.receive(soon()).expect(name)), 11, "{name}");
        assert_eq!((engine.counters().datagrams, engine.counters().bytes), (11, 11 * 36), "{name}");
    }
}

#[test]
fn an_exchange_is_one_system_call_on_a_ring() {
    let Ok(ring) = Ring::new(request_socket(), RingConfig::default()) else {
        return missing("one call", "io_uring");
    };
    drop(ring.exchange(&noop(1), soon()));
    let before = ring.counters().system_calls;
    for sequence in 0..100 {
        drop(ring.exchange(&noop(sequence), soon()).expect("an answer"));
    }
    let calls = ring.counters().system_calls - before;
    assert!((100..110).contains(&calls), "{calls}");
    // However long the request is.
    let long: Vec<u8> = (0..5000).flat_map(|_| message(NOOP, REQUEST, 0, &[])).chain(noop(7)).collect();
    assert_eq!(sequence(&ring.exchange(&long, soon()).expect("an answer")), 7);
}

#[test]
fn a_dump_of_links() {
    isolated("a_dump_of_links", || {
        for (name, engine) in engines(request_socket) {
            let mut seen = Vec::new();
            engine.send(&message(GETLINK, REQUEST | DUMP, 5, &[0; 16])).expect(name);
            while seen.last() != Some(&DONE) {
                let datagram = engine.receive(soon()).expect(name);
                seen.extend(messages(&datagram).iter().map(|(kind, ..)| *kind));
            }
            assert_eq!(seen.iter().filter(|kind| **kind == NEWLINK).count(), 1, "{name}: lo alone in {seen:?}");
        }
    });
}

#[test]
fn a_long_dump_counts_the_same() {
    isolated("a_long_dump_counts_the_same", || {
        ip("link set lo up");
        add_routes(&Syscall::new(request_socket(), SyscallConfig::default()).expect("system calls"), 0..20_000);
        for (name, engine) in engines(request_socket) {
            for _ in 0..2 {
                assert_eq!(count_routes(&*engine), 20_000, "{name}");
            }
            let counters = engine.counters();
            assert_eq!(counters.overruns, 0, "{name}");
            match (name, engine.reason()) {
                ("eager", Reason::NoRing(error)) => missing("switching", &error.to_string()),
                ("eager", reason) => {
                    assert_eq!((reason, engine.kind()), (Reason::Long { threshold: 0 }, EngineKind::Ring));
                }
                ("auto" | "syscall", _) => assert!(counters.system_calls >= counters.datagrams, "{name} {counters:?}"),
                ("ring", _) => assert!(counters.system_calls * 5 < counters.datagrams, "{counters:?}"),
                // Four slots run dry again and again, and nothing is lost.
                ("tiny", _) => assert!(counters.starvations > 0 && counters.rearms > 0, "{counters:?}"),
                _ => {}
            }
        }
    });
}

/// All bytes of a dump of routes, without the port id that each message repeats.
fn dumped(engine: &dyn Engine, mut pause: impl FnMut()) -> Vec<u8> {
    drop(engine.exchange(&noop(1), soon()).expect("primed"));
    let mut bytes = Vec::new();
    engine.send(&dump_routes(2)).expect("sent");
    loop {
        let datagram = engine.receive(soon()).expect("the next");
        let (start, mut at) = (bytes.len(), 0);
        bytes.extend_from_slice(&datagram);
        let mut done = false;
        for (kind, _, payload) in messages(&datagram) {
            bytes[start + at + 12..start + at + 16].fill(0);
            at += 16 + payload.len().next_multiple_of(4);
            done = kind == DONE;
        }
        if done {
            return bytes;
        }
        pause();
    }
}

#[test]
fn the_same_dump_through_every_engine_is_the_same_bytes() {
    isolated("the_same_dump_through_every_engine", || {
        ip("link set lo up");
        add_routes(&Syscall::new(request_socket(), SyscallConfig::default()).expect("system calls"), 0..30_000);
        let all = engines(request_socket);
        let expected = dumped(&*all[0].1, || {});
        assert!(expected.len() > 30_000 * 52, "{}", expected.len());
        for (name, engine) in &all[1..] {
            assert!(dumped(&**engine, || {}) == expected, "{name}");
        }
        // Rings that run dry all the time, in front of somebody slow.
        for slots in [2, 4, 16] {
            match Ring::new(request_socket(), RingConfig { slots, ..RingConfig::default() }) {
                Ok(ring) => {
                    let slow = || (0..100).for_each(|_| std::thread::yield_now());
                    assert!(dumped(&ring, slow) == expected, "{slots} slots");
                    let counters = ring.counters();
                    assert!(counters.starvations > 0 && counters.overruns == 0, "{counters:?}");
                }
                Err(error) => missing("the same bytes", &error.to_string()),
            }
        }
    });
}

#[test]
fn a_datagram_that_is_held_does_not_change() {
    for (name, engine) in engines(request_socket) {
        let held = engine.exchange(&noop(7), soon()).expect(name);
        let copy = held.to_vec();
        for sequence in 0..10_000 {
            drop(engine.exchange(&noop(sequence), soon()).expect(name));
        }
        assert_eq!(held[..], copy[..], "{name}");
    }
}

#[test]
fn a_forger_is_seen_or_refused() {
    isolated("a_forger_is_seen_or_refused", || {
        for (name, engine) in engines(|| open(Protocol::USERSOCK)) {
            let forger = open(Protocol::USERSOCK);
            let forgery = noop(99);
            send_to(&forger, engine.socket().port(), &forgery).expect(name);
            let datagram = engine.receive(soon()).expect(name);
            assert_eq!((datagram.sender(), &datagram[..]), (forger.port(), &forgery[..]), "{name}");
            assert!(!datagram.is_from_kernel() && datagram.group() == 0, "{name}");
        }
        for (name, engine) in engines(request_socket) {
            let forger = open(Protocol::ROUTE);
            let refused = send_to(&forger, engine.socket().port(), &noop(99)).expect_err(name);
            assert_eq!(refused.kind(), std::io::ErrorKind::ConnectionRefused, "{name}");
            assert_eq!(engine.receive(Deadline::after(Duration::ZERO)).map(drop), Err(Error::TimedOut), "{name}");
        }
    });
}

#[test]
fn events_carry_their_group() {
    isolated("events_carry_their_group", || {
        let monitor = || {
            let socket = open(Protocol::ROUTE);
            socket.join(GROUP_LINK).expect("joined");
            socket.join(33).expect("a group above 32");
            socket
        };
        let all = engines(monitor);
        ip("link add v0 type veth peer name v1");
        for (name, engine) in &all {
            assert_eq!(engine.socket().memberships(), Ok(vec![GROUP_LINK, 33]), "{name}");
            let event = engine.receive(soon()).expect(name);
            assert_eq!((event.sender(), event.group(), event.namespace()), (0, GROUP_LINK, None), "{name}");
            assert_eq!(messages(&event)[0].0, NEWLINK, "{name}");
        }
    });
}

#[test]
fn events_of_other_namespaces_carry_their_id() {
    isolated("events_of_other_namespaces_carry_their_id", || {
        let other = std::thread::spawn(|| {
            // SAFETY: no pointers are passed; only this thread moves.
            assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
            Namespace::current().expect("a namespace")
        })
        .join()
        .expect("a namespace");
        let monitor = || {
            let options = SocketOptions { listen_all_nsid: true, ..SocketOptions::default() };
            let socket = Socket::open(Protocol::ROUTE, &options).expect("a socket");
            socket.join(GROUP_LINK).expect("joined");
            socket
        };
        // RTM_NEWNSID (88): NETNSA_NSID (1) = 7, NETNSA_FD (3).
        let mut payload = vec![0; 4];
        for (kind, value) in [(1u16, 7), (3, other.as_fd().as_raw_fd())] {
            payload.extend(8u16.to_ne_bytes());
            payload.extend(kind.to_ne_bytes());
            payload.extend(i32::to_ne_bytes(value));
        }
        let here = Syscall::new(request_socket(), SyscallConfig::default()).expect("system calls");
        let answer = here.exchange(&message(88, REQUEST | ACK, 1, &payload), soon()).expect("an answer");
        assert_eq!(errno(messages(&answer)[0].2), 0);

        let there = SocketOptions { namespace: Some(other), ..SocketOptions::default() };
        let there = Socket::open(Protocol::ROUTE, &there).expect("a socket there");
        there.connect_to_kernel().expect("connected");
        let there = Syscall::new(there, SyscallConfig::default()).expect("system calls");
        let all = engines(monitor);
        // Bring lo up: IFF_UP in ifi_flags and ifi_change.
        let up: Vec<u8> = [0, 1, 1, 1].into_iter().flat_map(u32::to_ne_bytes).collect();
        let answer = there.exchange(&message(NEWLINK, REQUEST | ACK, 1, &up), soon()).expect("an answer");
        assert_eq!(errno(messages(&answer)[0].2), 0);
        for (name, engine) in &all {
            let event = engine.receive(soon()).expect(name);
            assert_eq!((event.namespace(), event.group()), (Some(7), GROUP_LINK), "{name}");
        }
    });
}

#[test]
fn an_overrun_is_told_and_counted() {
    isolated("an_overrun_is_told_and_counted", || {
        ip("link set lo up");
        let writer = Syscall::new(request_socket(), SyscallConfig::default()).expect("system calls");
        let monitor = || {
            let options = SocketOptions { receive_buffer: Some(1), ..SocketOptions::default() };
            let socket = Socket::open(Protocol::ROUTE, &options).expect("a socket");
            socket.join(GROUP_ROUTE).expect("joined");
            socket
        };
        // The kernel tells of new routes alone, not of one that is put in the place of its like.
        let mut next = 0;
        for (name, engine) in engines(monitor) {
            // A ring may take events while they come: fill its slots first, then its socket.
            let mut held = Vec::new();
            let dropped = loop {
                add_routes(&writer, next..next + 2000);
                next += 2000;
                let dropped = engine.socket().drops().expect(name);
                if dropped > 0 {
                    break dropped;
                }
            };
            let overrun = loop {
                match engine.receive(soon()) {
                    Ok(event) => held.push(event.len()),
                    Err(error) => break error,
                }
            };
            let Error::Overrun { drops } = overrun else { panic!("{name}: {overrun}") };
            assert!(overrun.is_loss() && drops >= dropped, "{name}: {drops} of {dropped}");
            assert_eq!(engine.counters().overruns, 1, "{name}");
            // What was queued is still there; then new events come again.
            let mut after = 0;
            while engine.receive(Deadline::after(Duration::ZERO)).is_ok() {
                after += 1;
            }
            assert!(held.len() + after > 0, "{name}");
            next += 1;
            add_routes(&writer, next..next + 1);
            let event = engine.receive(soon()).expect(name);
            assert_eq!((messages(&event)[0].0, event.group()), (NEWROUTE, GROUP_ROUTE), "{name}");
            assert_eq!(engine.counters().overruns, 1, "{name}");
        }
    });
}

#[test]
fn losses_are_counted_in_silence_when_asked() {
    isolated("losses_are_counted_in_silence_when_asked", || {
        ip("link set lo up");
        let writer = Syscall::new(request_socket(), SyscallConfig::default()).expect("system calls");
        let monitor = || {
            let options = SocketOptions { receive_buffer: Some(1), no_enobufs: true, ..SocketOptions::default() };
            let socket = Socket::open(Protocol::ROUTE, &options).expect("a socket");
            socket.join(GROUP_ROUTE).expect("joined");
            socket
        };
        for (name, engine) in engines(monitor) {
            assert!(engine.socket().has(SocketOption::NoEnobufs), "{name}");
            for round in 0..3 {
                add_routes(&writer, round * 1000..(round + 1) * 1000);
            }
            let mut events = 0u32;
            let end = loop {
                match engine.receive(Deadline::after(Duration::ZERO)) {
                    Ok(_) => events += 1,
                    Err(error) => break error,
                }
            };
            assert_eq!(end, Error::TimedOut, "{name}");
            assert_eq!(events + engine.socket().drops().expect(name), 3000, "{name}");
        }
    });
}

#[test]
fn starvation_is_not_loss() {
    let engines: Vec<(&str, Box<dyn Engine>)> = {
        let mut all: Vec<(&str, Box<dyn Engine>)> = vec![(
            "syscall",
            Box::new(
                Syscall::new(request_socket(), SyscallConfig { slots: 2, ..SyscallConfig::default() }).expect("calls"),
            ),
        )];
        match Ring::new(request_socket(), RingConfig { slots: 2, ..RingConfig::default() }) {
            Ok(ring) => all.push(("ring", Box::new(ring))),
            Err(error) => missing("starvation_is_not_loss", &error.to_string()),
        }
        all
    };
    for (name, engine) in engines {
        for sequence in 1..=20 {
            engine.send(&noop(sequence)).expect(name);
        }
        let mut expected = 1;
        while expected < 20 {
            let first = engine.receive(soon()).expect(name);
            let second = engine.receive(soon()).expect(name);
            assert_eq!((sequence(&first), sequence(&second)), (expected, expected + 1), "{name}");
            let third = engine.receive(soon()).map(drop);
            assert_eq!(third, Err(Error::Exhausted { slots: 2 }), "{name}");
            // Nothing is sent when there is no room for the answer.
            assert_eq!(engine.exchange(&noop(99), soon()).map(drop), third, "{name}");
            drop(second);
            drop(first);
            expected += 2;
        }
        assert_eq!(engine.receive(Deadline::after(Duration::ZERO)).map(drop), Err(Error::TimedOut), "{name}");
        assert_eq!((engine.counters().overruns, engine.counters().datagrams), (0, 20), "{name}");
        assert_eq!(engine.counters().starvations > 0, name == "ring");
    }
}

#[test]
fn a_datagram_too_long_is_an_error() {
    for (name, engine) in [
        ("syscall", Syscall::new(open(Protocol::USERSOCK), SyscallConfig { slots: 2, slot: 4096 }).map(boxed)),
        ("ring", Ring::new(open(Protocol::USERSOCK), RingConfig { slot: 4096, ..RingConfig::tiny() }).map(boxed)),
    ] {
        let engine = match engine {
            Ok(engine) => engine,
            Err(error) => return missing(name, &error.to_string()),
        };
        let sender = open(Protocol::USERSOCK);
        for length in [3900, 5000, 3900] {
            send_to(&sender, engine.socket().port(), &vec![7; length]).expect(name);
        }
        assert_eq!(engine.receive(soon()).expect(name).len(), 3900, "{name}");
        let cut = engine.receive(soon()).map(drop).expect_err(name);
        assert!(matches!(cut, Error::Truncated { length: 5000, slot: 3988..=4096 }) && cut.is_loss(), "{name}: {cut}");
        assert!(engine.receive(soon()).expect(name).iter().all(|byte| *byte == 7), "{name}");
    }
    // Connected: the kernel's answer echoes a refused request whole when it is not told to cap it.
    let uncapped = || {
        let socket =
            Socket::open(Protocol::ROUTE, &SocketOptions { cap_ack: false, ..SocketOptions::default() }).expect("one");
        socket.connect_to_kernel().expect("connected");
        socket
    };
    for (name, engine) in [
        ("syscall", Syscall::new(uncapped(), SyscallConfig { slots: 2, slot: 4096 }).map(boxed)),
        ("ring", Ring::new(uncapped(), RingConfig { slot: 4096, ..RingConfig::tiny() }).map(boxed)),
    ] {
        let engine = match engine {
            Ok(engine) => engine,
            Err(error) => return missing(name, &error.to_string()),
        };
        // Of a type that no rtnetlink family handles.
        let refused = message(0x3ff0, REQUEST | ACK, 1, &[0; 6000]);
        let cut = engine.exchange(&refused, soon()).map(drop).expect_err(name);
        assert!(matches!(cut, Error::Truncated { length: 6000.., slot: 4096 }), "{name}: {cut}");
        assert_eq!(sequence(&engine.exchange(&noop(2), soon()).expect(name)), 2, "{name}");
    }
}

fn boxed(engine: impl Engine + 'static) -> Box<dyn Engine> {
    Box::new(engine)
}

#[test]
fn a_deadline_abandons_and_the_engine_goes_on() {
    for (name, engine) in engines(request_socket) {
        let start = Instant::now();
        let short = Duration::from_millis(20);
        assert_eq!(engine.receive(Deadline::after(short)).map(drop), Err(Error::TimedOut), "{name}");
        let waited = start.elapsed();
        assert!(waited >= short && waited < Duration::from_secs(5), "{name}: {waited:?}");
        // A request without an answer.
        let silent = message(NOOP, REQUEST, 1, &[]);
        assert!(engine.exchange(&silent, Deadline::after(short)).is_err_and(|error| error.is_timed_out()), "{name}");
        for sequence in 2..5 {
            assert_eq!(kernel::sequence(&engine.exchange(&noop(sequence), soon()).expect(name)), sequence, "{name}");
        }
        // What is there is taken even when the deadline has passed.
        engine.send(&noop(9)).expect(name);
        assert_eq!(sequence(&engine.receive(Deadline::after(Duration::ZERO)).expect(name)), 9, "{name}");
    }
}

#[test]
fn auto_changes_in_the_middle_of_a_dump_and_says_why() {
    isolated("auto_changes_in_the_middle_of_a_dump", || {
        ip("link set lo up");
        let auto = |threshold| Auto::new(request_socket(), Sizes { threshold, ..Sizes::default() }).expect("an engine");
        add_routes(&auto(100), 0..20_000);
        for threshold in [0, 1, 8, 20] {
            let engine = auto(threshold);
            assert_eq!(engine.reason(), Reason::Short { threshold });
            drop(engine.exchange(&noop(1), soon()).expect("primed"));
            // Datagrams of the first engine outlive the change.
            let first = engine.exchange(&dump_routes(2), soon()).expect("the first");
            let copy = first.to_vec();
            let (mut datagrams, mut done) = (1, false);
            while !done {
                let datagram = engine.receive(soon()).expect("the next");
                datagrams += 1;
                done = messages(&datagram).iter().any(|(kind, ..)| *kind == DONE);
            }
            assert_eq!(first[..], copy[..]);
            drop(first);
            assert!(datagrams > 21, "{datagrams}");
            match engine.reason() {
                Reason::NoRing(error) => return missing("auto", &error.to_string()),
                reason => assert_eq!(reason, Reason::Long { threshold }),
            }
            assert!(engine.reason().to_string().starts_with("ring: a dump took more than"));
            assert_eq!(count_routes(&engine), 20_000);
        }
    });
}

#[test]
fn configurations_out_of_range_are_refused() {
    let wrong = [
        Syscall::new(request_socket(), SyscallConfig { slots: 0, slot: 4096 }).map(drop),
        Syscall::new(request_socket(), SyscallConfig { slots: 1, slot: 100 }).map(drop),
        Ring::new(request_socket(), RingConfig { slots: 40_000, ..RingConfig::default() }).map(drop),
        Ring::new(request_socket(), RingConfig { slot: usize::MAX, ..RingConfig::default() }).map(drop),
    ];
    for result in wrong {
        assert!(matches!(result, Err(Error::Configuration { .. })), "{result:?}");
    }
}

#[test]
fn a_send_that_is_too_long_is_refused() {
    for (name, engine) in engines(request_socket) {
        let size = engine.socket().set_send_buffer(4096).expect(name);
        for length in [size, size * 2] {
            let long = message(NOOP, REQUEST | ACK, 1, &vec![0; length]);
            let error = engine.send(&long).expect_err(name);
            assert_eq!(error, Error::System { call: "send", errno: libc::EMSGSIZE }, "{name}");
            assert_eq!(engine.exchange(&long, soon()).map(drop), Err(error), "{name}");
        }
        assert_eq!(sequence(&engine.exchange(&noop(3), soon()).expect(name)), 3, "{name}");
    }
}
