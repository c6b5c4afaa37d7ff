//! Fleets against the live kernel: many sockets, many namespaces, one thread; over the ring and over system calls.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use ringlink::codec::reply::{Errno, ExtendedAck};
use ringlink::codec::route::{
    Address, AddressHeader, Family, Link, LinkFlags, LinkHeader, NeighbourHeader, Route, RouteHeader, RouteProtocol,
    RouteTable, RouteType, Rtm, RuleHeader, Scope, ShortTable,
};
use ringlink::codec::table::Operation;
use ringlink::engine::ring::RingConfig;
use ringlink::engine::{EngineChoice, EngineKind};
use ringlink::error::Error;
use ringlink::fleet::{Event, Fleet, FleetConfig, Ticket};
use ringlink::socket::{Protocol, Socket, SocketOption, SocketOptions};
use ringlink::{Config, Connection, Namespace};

mod kernel;

use kernel::{asked_for, isolated, missing, open};

/// Runs a test over every way of moving bytes, each in a namespace of its own.
fn over_ways(name: &'static str, test: impl Fn(FleetConfig) + Sync) {
    let ring = |slots| RingConfig { slots, ..RingConfig::default() };
    let ways = [
        (EngineChoice::Syscall, ring(64)),
        (EngineChoice::Ring, ring(64)),
        (EngineChoice::Ring, ring(2)),
        (EngineChoice::Auto, ring(5)),
    ];
    for (engine, ring) in ways.into_iter().filter(|(engine, _)| asked_for([*engine]).next().is_some()) {
        let config = FleetConfig { engine, ring, sockets: 300, ..FleetConfig::default() };
        isolated(name, || match Fleet::new(config) {
            Err(error @ Error::NoRing { .. }) => missing(name, &error.to_string()),
            other => {
                let kind = other.expect("a fleet").kind();
                assert!(engine != EngineChoice::Syscall || kind == EngineKind::Syscall);
                test(config);
            }
        });
    }
}

/// As many network namespaces, each with `lo` up and as many more addresses on it as its number says.
fn namespaces(count: u32) -> Vec<Namespace> {
    std::thread::spawn(move || {
        (0..count)
            .map(|number| {
                // SAFETY: no pointers are passed; only this thread moves.
                assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
                let mut connection = Connection::open(Protocol::ROUTE).expect("a connection");
                let lo = LinkHeader { index: 1, flags: LinkFlags::UP, change: LinkFlags::UP, ..LinkHeader::default() };
                connection.apply(Rtm::NEWLINK, lo, |_| {}).expect("lo is up");
                for address in 0..number {
                    let header = AddressHeader { family: Family::INET, prefixlen: 32, index: 1, ..Default::default() };
                    let address = Ipv4Addr::from(0x0a00_0000 + address);
                    connection
                        .apply(Rtm::NEWADDR.create(), header, |to| to.put(Address::LOCAL, address))
                        .expect("added");
                }
                Namespace::current().expect("here")
            })
            .collect()
    })
    .join()
    .expect("namespaces")
}

fn fleet(config: FleetConfig, namespaces: &[Namespace]) -> Fleet {
    let mut fleet = Fleet::new(config).expect("a fleet");
    let sockets = Socket::open_in_each(Protocol::ROUTE, &SocketOptions::default(), namespaces).expect("a thread");
    for (expected, socket) in sockets.into_iter().enumerate() {
        assert_eq!(fleet.add(socket.expect("a socket")).expect("added"), expected);
    }
    fleet
}

fn ipv4() -> AddressHeader {
    AddressHeader { family: Family::INET, ..AddressHeader::default() }
}

#[test]
fn five_dumps_of_each_of_many_namespaces() {
    over_ways("five_dumps_of_each", |config| {
        let namespaces = namespaces(40);
        let mut fleet = fleet(config, &namespaces);
        let mut addresses = HashMap::new();
        for socket in 0..namespaces.len() {
            let links = fleet.dump(socket, Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("queued");
            assert_eq!(links, Ticket { socket, number: 0 });
            addresses.insert(fleet.dump(socket, Rtm::GETADDR, ipv4(), |_| {}).expect("queued"), 0);
            let header = RouteHeader { family: Family::INET, ..RouteHeader::default() };
            fleet.dump(socket, Rtm::GETROUTE, header, |_| {}).expect("queued");
            fleet.dump(socket, Rtm::GETNEIGH, NeighbourHeader::default(), |_| {}).expect("queued");
            fleet
                .dump(socket, Rtm::GETRULE, RuleHeader { family: Family::INET, ..Default::default() }, |_| {})
                .expect("queued");
        }
        let (mut answers, mut done) = ([0; 5], [0; 5]);
        let result = fleet.run(|ticket, event| {
            match event {
                Event::Answer(message) => {
                    answers[ticket.number as usize] += 1;
                    if let Some(count) = addresses.get_mut(&ticket) {
                        assert!(message.body(Rtm::NEWADDR).is_ok());
                        *count += 1;
                    }
                }
                Event::Done(end) => {
                    assert!(end?.is_complete());
                    done[ticket.number as usize] += 1;
                }
            }
            Ok(())
        });
        assert_eq!((result, done), (Ok(()), [40; 5]));
        // lo, and its address; a route to it for each address and three for the network; three rules.
        assert_eq!((answers[0], answers[4]), (40, 120));
        for (ticket, count) in addresses {
            assert_eq!(count, ticket.socket + 1, "{ticket:?}");
        }
        assert_eq!(fleet.counters().overruns, 0, "{:?}", fleet.counters());
    });
}

#[test]
fn a_hundred_sockets_are_opened_in_a_few_calls() {
    over_ways("a_hundred_sockets", |config| {
        let mut fleet = Fleet::new(config).expect("a fleet");
        let options = SocketOptions { no_enobufs: true, receive_buffer: Some(65_536), ..SocketOptions::default() };
        assert_eq!(fleet.open(Protocol::ROUTE, &options, 100).expect("opened"), 0..100);
        println!("{:?}: {} system calls", fleet.kind(), fleet.counters().system_calls);
        match fleet.counters().system_calls {
            0..10 => {}
            calls => {
                // The ring makes no sockets (Linux 5.19) or does not bind them (6.11).
                assert!(fleet.kind() == EngineKind::Ring && calls > 100, "{:?}", fleet.counters());
                println!("absent: a_hundred_sockets: this kernel's ring opens none");
            }
        }
        let mut ports = std::collections::BTreeSet::new();
        for socket in fleet.sockets() {
            assert!(ports.insert(socket.port()) && socket.port() != 0);
            assert!(socket.has(SocketOption::ExtAck) && socket.has(SocketOption::NoEnobufs) && socket.is_connected());
            assert!(!socket.has(SocketOption::BroadcastError));
            assert_eq!(socket.receive_buffer(), Ok(131_072));
        }
        // More of them, now that the first have something to do, and one that fails.
        assert_eq!(fleet.open(Protocol::ROUTE, &SocketOptions::default(), 2).expect("opened"), 100..102);
        assert!(fleet.open(Protocol(31), &SocketOptions::default(), 2).is_err());
        let lo = LinkHeader { index: 1, ..LinkHeader::default() };
        for socket in 0..102 {
            fleet.get(socket, Rtm::GETLINK, lo, |_| {}).expect("queued");
        }
        let mut answers = 0;
        let result = fleet.run(|_, event| {
            answers += u32::from(matches!(event, Event::Answer(_)));
            Ok(())
        });
        assert_eq!((result, answers), (Ok(()), 102));
        assert_eq!(fleet.open(Protocol::ROUTE, &SocketOptions::default(), 1).expect("opened"), 102..103);
    });
}

#[test]
fn one_sockets_failure_is_no_others() {
    over_ways("one_sockets_failure", |config| {
        let namespaces = namespaces(9);
        let mut fleet = fleet(FleetConfig { deadline: Some(Duration::from_millis(100)), ..config }, &namespaces);
        // A message that the kernel ignores: its answer never comes.
        const SILENT: Operation<((), ExtendedAck)> = Operation::new(1, 1);
        let mut silent = Vec::new();
        for socket in 0..9 {
            let header = RouteHeader { family: Family::INET, dst_len: 24, ..RouteHeader::default() };
            match socket % 3 {
                0 => fleet.dump(socket, Rtm::GETROUTE, header, |_| {}).map(drop).expect("queued"),
                1 => silent.push(fleet.get(socket, SILENT, (), |_| {}).expect("queued")),
                _ => {}
            }
            fleet.dump(socket, Rtm::GETADDR, ipv4(), |_| {}).expect("queued");
        }
        let mut ended = HashMap::new();
        let result = fleet.run(|ticket, event| {
            if let Event::Done(end) = event {
                assert!(ended.insert(ticket, end).is_none(), "{ticket:?} ended twice");
            }
            Ok(())
        });
        assert_eq!(result, Err(Error::TimedOut));
        // With two slots one socket is asked at a time, so others may not have had their turn: they have it now.
        while fleet.run(|ticket, event| {
            if let Event::Done(end) = event {
                assert!(ended.insert(ticket, end).is_none(), "{ticket:?} ended twice");
            }
            Ok(())
        }) == Err(Error::TimedOut)
        {}
        for socket in 0..9 {
            let of = |number| ended.get(&Ticket { socket, number });
            match socket % 3 {
                0 => {
                    let Some(Err(error)) = of(0) else { panic!("{:?}", of(0)) };
                    let refused = error.refused().expect("a refusal");
                    assert_eq!((refused.errno, refused.request), (Errno::INVAL, "RTM_GETROUTE"));
                    assert!(of(1).is_some_and(|end| end.as_ref().is_ok_and(|end| end.is_complete())));
                }
                1 => {
                    assert_eq!((of(0), of(1)), (Some(&Err(Error::TimedOut)), Some(&Err(Error::TimedOut))));
                    let more = fleet.dump(socket, Rtm::GETADDR, ipv4(), |_| {});
                    assert_eq!(more, Err(Error::TimedOut), "it may be busy for ever");
                }
                _ => assert!(of(0).is_some_and(|end| end.as_ref().is_ok_and(|end| end.is_complete()))),
            }
        }
        assert_eq!(silent.len(), 3);
    });
}

#[test]
fn large_dumps_and_changes_side_by_side() {
    over_ways("large_dumps_and_changes", |config| {
        let namespaces = namespaces(4);
        for namespace in &namespaces {
            let mut connection =
                Connection::with(Protocol::ROUTE, Config::in_namespace(namespace.clone())).expect("a connection");
            let mut batch = connection.batch();
            for number in 0..10_000 {
                let header = RouteHeader {
                    family: Family::INET,
                    dst_len: 32,
                    table: ShortTable::MAIN,
                    protocol: RouteProtocol::STATIC,
                    scope: Scope::LINK,
                    kind: RouteType::UNICAST,
                    ..RouteHeader::default()
                };
                batch
                    .add(Rtm::NEWROUTE.create(), header, |route| {
                        route.put(Route::DST, Ipv4Addr::from(0x1400_0000 + number));
                        route.put(Route::OIF, 1);
                    })
                    .expect("added");
            }
            assert!(batch.finish().expect("sent").failures().is_empty());
        }
        let mut fleet = fleet(config, &namespaces);
        let header = RouteHeader { family: Family::INET, ..RouteHeader::default() };
        for round in 0..3 {
            for socket in 0..4 {
                fleet
                    .dump(socket, Rtm::GETROUTE, header, |route| route.put(Route::TABLE, RouteTable::MAIN))
                    .expect("queued");
                let lo = LinkHeader { index: 1, ..LinkHeader::default() };
                fleet.apply(socket, Rtm::SETLINK, lo, |link| link.put(Link::MTU, 60_000 + round)).expect("queued");
                fleet.get(socket, Rtm::GETLINK, lo, |_| {}).expect("queued");
            }
            let (mut routes, mut mtus, mut order) = ([0; 4], [0; 4], Vec::new());
            let result = fleet.run(|ticket, event| {
                match event {
                    Event::Answer(message) => match message.body(Rtm::NEWLINK) {
                        Ok(link) => {
                            mtus[ticket.socket] = link.attributes.get(Link::MTU)?.unwrap_or(0);
                        }
                        Err(_) => {
                            if routes[ticket.socket] == 0 {
                                order.push(ticket.socket);
                            }
                            routes[ticket.socket] += 1;
                        }
                    },
                    Event::Done(end) => assert!(end?.is_complete(), "{ticket:?}"),
                }
                Ok(())
            });
            assert_eq!((result, routes, mtus), (Ok(()), [10_000; 4], [60_000 + round; 4]));
            assert_eq!(order.len(), 4);
        }
        // Left by the closure in the middle of a datagram, and taken up again.
        for socket in 0..4 {
            fleet.dump(socket, Rtm::GETROUTE, header, |_| {}).expect("queued");
        }
        let mut count = 0;
        let mut ends = Vec::new();
        let mut result = Err(Error::NoAnswer);
        while result == Err(Error::NoAnswer) {
            result = fleet.run(|_, event| {
                match event {
                    Event::Answer(_) => count += 1,
                    Event::Done(end) => ends.push(end.expect("no failure")),
                }
                if count == 777 {
                    count += 1;
                    Err(Error::NoAnswer)
                } else {
                    Ok(())
                }
            });
        }
        assert_eq!((result, ends.len()), (Ok(()), 4));
        assert_eq!(ends.iter().filter(|end| end.is_complete()).count(), 3, "what was left out is counted: {ends:?}");
    });
}

#[test]
fn what_cannot_be_is_refused() {
    over_ways("what_cannot_be", |config| {
        let mut fleet = Fleet::new(FleetConfig { sockets: 2, request: 32, ..config }).expect("a fleet");
        assert_eq!(fleet.run(|_, _| Ok(())), Ok(()), "nothing to do is done at once");
        for _ in 0..2 {
            fleet.add(open(Protocol::ROUTE)).expect("added");
        }
        assert!(matches!(fleet.add(open(Protocol::ROUTE)), Err(Error::Configuration { .. })));
        assert!(matches!(fleet.dump(2, Rtm::GETADDR, ipv4(), |_| {}), Err(Error::Configuration { .. })));
        let long = fleet.dump(0, Rtm::GETADDR, ipv4(), |address| address.put(Address::LABEL, "much too long a label"));
        assert!(matches!(long, Err(Error::Codec(error)) if error.needed().is_some()), "{long:?}");
        fleet.dump(0, Rtm::GETADDR, ipv4(), |_| {}).expect("queued");
        // Dropped with something queued, and with something in flight.
        let _ = fleet.run(|_, _| Err(Error::NoAnswer));
    });
    assert!(Fleet::new(FleetConfig { sockets: 0, ..FleetConfig::default() }).is_err());
    assert!(Fleet::new(FleetConfig { request: 1, ..FleetConfig::default() }).is_err());
}
