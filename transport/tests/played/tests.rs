//! Engines, connections and fleets over the played kernel.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

use ringlink_codec::route::{LinkHeader, Rtm};

use super::{Dice, PARTS, ROOM, tell, with};
use crate::connection::{Config, Connection};
use crate::engine::ring::{Ring, RingConfig};
use crate::engine::syscall::{Syscall, SyscallConfig};
use crate::engine::{Datagram, Deadline, Destination, Engine, EngineChoice};
use crate::error::Error;
use crate::fleet::{Event, Fleet, FleetConfig};
use crate::socket::{Instruction, Protocol, Socket, SocketOption, SocketOptions};
use crate::sys;

/// The smallest slot there may be.
const SLOT: usize = 4096;

/// What a ring on a socket that is not connected puts before a payload.
const PREFIX: usize = 76 + 32;

fn now() -> Deadline {
    Deadline::after(Duration::ZERO)
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

fn socket(connected: bool) -> Socket {
    let socket = Socket::open(Protocol::ROUTE, &SocketOptions::default()).expect("a socket");
    if connected {
        socket.connect_to_kernel().expect("connected");
    }
    socket
}

/// Engines of so many slots.
fn engines(slots: u16, connected: bool) -> [Box<dyn Engine>; 2] {
    let ring = Ring::new(socket(connected), RingConfig { slots, slot: SLOT }).expect("a ring");
    let syscall = Syscall::new(socket(connected), SyscallConfig { slots, slot: SLOT }).expect("an engine");
    [Box::new(ring), Box::new(syscall)]
}

fn number(engine: &dyn Engine) -> i32 {
    engine.socket().as_fd().as_raw_fd()
}

/// Datagrams come, are held and given back in any order: each is as it was sent for as long as it is held.
#[test]
fn datagrams_stay_as_they_were() {
    for (seed, connected) in [(1, true), (2, false)] {
        for engine in engines(3, connected) {
            let mut dice = Dice(seed);
            let mut sent: VecDeque<Vec<u8>> = VecDeque::new();
            let mut held: Vec<(Datagram<'_>, Vec<u8>)> = Vec::new();
            for step in 0..150_u32 {
                match dice.below(8) {
                    0..3 if sent.len() < ROOM => {
                        let length = if dice.below(6) == 0 { SLOT + 9 } else { 16 + dice.below(50) as usize };
                        let bytes = vec![step as u8; length];
                        tell(number(&*engine), &bytes, 7, 2);
                        sent.push_back(bytes);
                    }
                    0..6 => match engine.receive(now()) {
                        Ok(datagram) => {
                            let bytes = sent.pop_front().expect("it was sent");
                            assert_eq!(datagram.group(), if connected { 0 } else { 2 });
                            assert_eq!(datagram.sender(), if connected { 0 } else { 7 });
                            held.push((datagram, bytes));
                        }
                        Err(Error::Truncated { length, .. }) => {
                            assert_eq!(sent.pop_front().map(|bytes| bytes.len()), Some(length));
                        }
                        Err(Error::Exhausted { slots }) => assert_eq!((slots, held.len()), (3, 3)),
                        Err(Error::TimedOut) => assert!(sent.is_empty()),
                        Err(error) => panic!("{error}"),
                    },
                    6 if !held.is_empty() => drop(held.swap_remove(dice.below(held.len() as u32) as usize)),
                    _ if step == 100 => engine.wipe(),
                    _ => {}
                }
                held.iter().for_each(|(datagram, bytes)| assert_eq!(datagram.bytes(), bytes));
            }
        }
    }
}

/// A socket's queue overruns, and a ring runs out of slots: only the first is a loss.
#[test]
fn losses_are_told() {
    for connected in [true, false] {
        for engine in engines(2, connected) {
            let number = number(&*engine);
            (0..ROOM as u32 + 3).for_each(|count| tell(number, &count.to_ne_bytes().repeat(4), 0, 0));
            let (mut received, mut lost) = (0, 0);
            loop {
                match engine.receive(now()) {
                    Ok(datagram) => {
                        assert_eq!(datagram.bytes(), u32::to_ne_bytes(received).repeat(4));
                        received += 1;
                    }
                    Err(Error::Overrun { drops }) => lost += drops,
                    Err(error) => break assert!(matches!(error, Error::TimedOut), "{error}"),
                }
            }
            assert_eq!((received, lost), (ROOM as u32, 3));
        }
    }
}

/// The longest that fits, and one more.
#[test]
fn a_slot_is_filled_to_its_end() {
    for connected in [true, false] {
        let [ring, syscall] = engines(2, connected);
        for (engine, room) in [(ring, if connected { SLOT } else { SLOT - PREFIX }), (syscall, SLOT)] {
            tell(number(&*engine), &vec![5; room], 0, 0);
            tell(number(&*engine), &vec![6; room + 1], 0, 0);
            assert_eq!(engine.receive(soon()).expect("it fits").bytes(), vec![5; room]);
            let error = engine.receive(soon()).expect_err("it does not fit");
            assert!(
                matches!(error, Error::Truncated { length, slot } if (length, slot) == (room + 1, room)),
                "{error}"
            );
        }
    }
}

/// A connection asks, gives a dump up, moves to another thread and goes on.
#[test]
fn connections_ask() {
    let ask = |connection: &mut Connection| {
        let mut links = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("sent");
        let mut count = 0;
        while let Some(link) = links.next().expect("an answer") {
            count += 1;
            assert_eq!(link.header.index, count);
        }
        assert_eq!(count.unsigned_abs(), PARTS);
        assert!(links.end().is_complete());
        drop(links);
        let mut given_up = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("sent");
        assert!(given_up.next().expect("an answer").is_some());
        drop(given_up);
        connection.apply(Rtm::NEWLINK, LinkHeader::default(), |_| {}).expect("acknowledged");
    };
    for engine in engines(4, true) {
        let config = Config { deadline: Some(Duration::from_secs(20)), ..Config::default() };
        let mut connection = Connection::over(engine, config);
        ask(&mut connection);
        let mut connection = std::thread::spawn(move || {
            ask(&mut connection);
            connection
        })
        .join()
        .expect("a thread");
        ask(&mut connection);
    }
}

/// Many sockets, which the ring opens, and one that was opened elsewhere.
#[test]
fn fleets_ask() {
    for engine in [EngineChoice::Ring, EngineChoice::Syscall] {
        let ring = RingConfig { slots: 4, slot: SLOT };
        let config = FleetConfig { engine, ring, sockets: 4, ..FleetConfig::default() };
        let mut fleet = Fleet::new(config).expect("a fleet");
        let opened = fleet.open(Protocol::ROUTE, &SocketOptions::default(), 3).expect("sockets");
        let other = fleet.add(socket(false)).expect("room for it");
        let all: Vec<usize> = opened.chain([other]).collect();
        for socket in &all {
            fleet.dump(*socket, Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("queued");
            fleet.apply(*socket, Rtm::NEWLINK, LinkHeader::default(), |_| {}).expect("queued");
        }
        let (mut answers, mut ends) = (0, 0);
        let each = |_, event: Event<'_>| {
            match event {
                Event::Answer(message) => answers += u32::from(message.body(Rtm::NEWLINK).is_ok()),
                Event::Done(end) => ends += usize::from(end?.is_complete()),
            }
            Ok(())
        };
        fleet.run(each).expect("answers");
        assert_eq!((answers, ends), (4 * PARTS, 2 * all.len()));
    }
}

/// Sends fail, datagrams are lost or too long, and ends do not come: every request ends once, none is called complete that lacks
/// something, and sockets without trouble do not notice.
#[test]
fn fleets_are_in_trouble() {
    for (engine, seed) in [(EngineChoice::Ring, 3), (EngineChoice::Syscall, 3), (EngineChoice::Ring, 4)] {
        let ring = RingConfig { slots: 4, slot: SLOT };
        let deadline = Some(Duration::from_millis(20));
        let mut fleet = Fleet::new(FleetConfig { engine, ring, deadline, ..FleetConfig::default() }).expect("a fleet");
        let sockets: Vec<usize> = (0..6).map(|_| fleet.add(socket(true)).expect("room for it")).collect();
        let mut open = BTreeMap::new();
        for (number, _) in sockets.iter().enumerate() {
            let descriptor = fleet.sockets()[number].as_fd().as_raw_fd();
            let trouble = (number > 1).then_some(Dice(seed + number as u32 * 77));
            with(descriptor, |played| played.trouble = trouble).expect("a socket");
            for _ in 0..3 {
                let header = LinkHeader::default();
                open.insert(fleet.dump(number, Rtm::GETLINK, header, |_| {}).expect("queued"), (true, 0));
                open.insert(fleet.apply(number, Rtm::NEWLINK, header, |_| {}).expect("queued"), (false, 0));
            }
        }
        let (mut complete, mut failed) = (0, 0);
        loop {
            let result = fleet.run(|ticket, event| {
                match event {
                    Event::Answer(_) => open.get_mut(&ticket).expect("it is open").1 += 1,
                    Event::Done(end) => {
                        let (dump, answers) = open.remove(&ticket).expect("it ends once");
                        if end.is_ok_and(|end| end.is_complete()) {
                            assert_eq!(answers, if dump { PARTS } else { 0 });
                            complete += 1;
                        } else {
                            assert!(ticket.socket > 1, "{ticket:?}");
                            failed += 1;
                        }
                    }
                }
                Ok(())
            });
            match result {
                Ok(()) => break,
                Err(error) => assert!(error.is_timed_out(), "{error}"),
            }
        }
        assert!(open.is_empty() && complete >= 12 && failed > 0, "{complete} {failed} {open:?}");
    }
}

/// Where the kernel does not confirm that it has let go, the memory stays.
#[test]
fn memory_outlives_a_ring_that_is_not_cancelled() {
    super::ring::DEAF.set(true);
    for connected in [true, false] {
        let [ring, _] = engines(2, connected);
        tell(number(&*ring), &[1; 16], 0, 0);
        assert_eq!(ring.receive(soon()).expect("it came").bytes(), [1; 16]);
        drop(ring);
    }
    super::ring::DEAF.set(false);
}

/// What a socket is asked for besides datagrams.
#[test]
fn sockets_are_set() {
    let options =
        SocketOptions { receive_buffer: Some(1 << 20), send_buffer: Some(1 << 20), ..SocketOptions::default() };
    let socket = Socket::open(Protocol::ROUTE, &SocketOptions { credentials: true, ..options }).expect("a socket");
    assert!(socket.has(SocketOption::ExtAck) && !socket.has(SocketOption::StrictCheck));
    assert_eq!(socket.receive_buffer().expect("its size"), 212_992);
    [1, 33, 70].into_iter().for_each(|group| socket.join(group).expect("joined"));
    socket.leave(33).expect("left");
    assert_eq!(socket.memberships().expect("groups"), [1, 70]);
    let accept = Instruction { code: 6, jump_true: 0, jump_false: 0, k: u32::MAX };
    socket.attach_filter(&[accept, accept]).expect("attached");
    socket.detach_filter().expect("detached");
    assert_eq!(socket.drops().expect("a counter"), 0);
    sys::set_send_timeout(socket.as_fd(), Some(Duration::from_millis(3))).expect("set");
    assert_eq!(sys::namespace_cookie(socket.as_fd()).expect("a cookie"), 0);
    let engine = Syscall::new(socket, SyscallConfig { slots: 2, slot: SLOT }).expect("an engine");
    engine.send_to(&[3; 20], Destination::Port(engine.socket().port())).expect("sent");
    let datagram = engine.receive(soon()).expect("it came");
    assert_eq!((datagram.bytes(), datagram.sender()), (&[3; 20][..], 1));
    assert!(engine.send_to(&[3; 20], Destination::Port(1)).is_err());
}
