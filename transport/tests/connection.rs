//! Connections against the live kernel: get, apply, dump, batch, monitor; the same over every engine.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use ringlink::codec::netfilter::{NetfilterHeader, nftables::Nft};
use ringlink::codec::reply::Errno;
use ringlink::codec::route::{
    Address, AddressHeader, Family, Group, Link, LinkHeader, LinkInfo, NextHopHeader, Route, RouteHeader,
    RouteProtocol, RouteTable, RouteType, Rtm, Scope, ShortTable,
};
use ringlink::codec::table::{AttributeWriter, Format, Operation};
use ringlink::codec::xfrm::{CountHeader, Xfrm};
use ringlink::engine::Deadline;
use ringlink::socket::Socket;
use ringlink::{Config, Connection, EngineChoice, Error, Monitor, Namespace, Protocol, SocketOptions};

mod kernel;

use kernel::{absent, add_routes, asked_for, ip, isolated, missing, namespaces_have_cookies, request_socket, soon};

const ENGINES: [EngineChoice; 3] = [EngineChoice::Syscall, EngineChoice::Ring, EngineChoice::Auto];

/// Runs a test over every engine, each in a namespace of its own.
fn over_engines(name: &'static str, test: impl Fn(Config) + Sync) {
    for engine in asked_for(ENGINES) {
        isolated(name, || {
            ip("link set lo up");
            match Connection::with(Protocol::ROUTE, Config { engine, ..Config::default() }) {
                Err(error @ Error::NoRing { .. }) => missing(name, &error.to_string()),
                _ => test(Config { engine, ..Config::default() }),
            }
        });
    }
}

fn open(config: &Config) -> Connection {
    Connection::with(Protocol::ROUTE, config.clone()).expect("a connection")
}

fn ipv4() -> RouteHeader {
    RouteHeader { family: Family::INET, ..RouteHeader::default() }
}

/// A host route by way of `lo`, in 10.0.0.0/8.
fn route(number: u32) -> (RouteHeader, impl FnMut(&mut AttributeWriter<'_, '_, Route>)) {
    let header = RouteHeader {
        dst_len: 32,
        table: ShortTable::MAIN,
        protocol: RouteProtocol::STATIC,
        scope: Scope::LINK,
        kind: RouteType::UNICAST,
        ..ipv4()
    };
    (header, move |route| {
        route.put(Route::DST, Ipv4Addr::from(0x0a00_0000 + number));
        route.put(Route::OIF, 1);
    })
}

/// The destinations in the main table.
fn destinations(connection: &mut Connection) -> BTreeSet<Ipv4Addr> {
    let mut dump = connection.dump(Rtm::GETROUTE, ipv4(), |route| route.put(Route::TABLE, RouteTable::MAIN));
    let dump = dump.as_mut().expect("a dump");
    let mut found = BTreeSet::new();
    while let Some(route) = match dump.next() {
        // A namespace that never had a route has no table to dump.
        Err(error) if error.is_not_found() => return found,
        other => other.expect("a route"),
    } {
        let address = route.attributes.get(Route::DST).expect("readable").expect("a destination");
        found.insert(Ipv4Addr::from(<[u8; 4]>::try_from(address.0).expect("IPv4")));
    }
    assert!(dump.end().is_complete());
    found
}

#[test]
fn a_dump_yields_every_route_and_says_that_it_is_complete() {
    over_engines("a_dump_yields_every_route", |config| {
        add_routes(&*ringlink::engine::open(EngineChoice::Syscall, request_socket()).expect("an engine"), 0..20_000);
        let mut connection = open(&config);
        let expected: BTreeSet<_> = (0..20_000).map(|number| Ipv4Addr::from(0x0a00_0000 + number)).collect();
        assert_eq!(destinations(&mut connection), expected);
        let statistics = connection.statistics();
        assert!(statistics.messages > 20_000);
        assert!(statistics.counters.datagrams > 10, "{statistics:?}");
    });
}

#[test]
fn a_first_object_that_is_large_does_not_end_the_dump() {
    over_engines("a_first_object_that_is_large", |config| {
        let mut connection = open(&config);
        let header = RouteHeader { dst_len: 8, scope: Scope::LINK, ..route(0).0 };
        connection
            .apply(Rtm::NEWROUTE.create(), header, |route| {
                route.put(Route::DST, Ipv4Addr::new(1, 0, 0, 0));
                route.records(Route::MULTIPATH, |hops| {
                    for _ in 0..700 {
                        hops.add(NextHopHeader { ifindex: 1, ..NextHopHeader::default() }, |_| {});
                    }
                });
            })
            .expect("700 next hops");
        add_routes(&*ringlink::engine::open(EngineChoice::Syscall, request_socket()).expect("an engine"), 0..100);
        // A connection that has not received anything yet: the kernel would size the first datagram by nothing.
        let mut fresh = open(&config);
        let mut dump =
            fresh.dump(Rtm::GETROUTE, ipv4(), |route| route.put(Route::TABLE, RouteTable::MAIN)).expect("a dump");
        let (mut routes, mut hops) = (0, 0);
        while let Some(route) = dump.next().expect("a route") {
            routes += 1;
            hops += route.attributes.get(Route::MULTIPATH).expect("readable").map_or(0, Iterator::count);
        }
        assert!(dump.end().is_complete());
        assert_eq!((routes, hops), (101, 700));
    });
}

#[test]
fn a_strict_dump_that_is_refused_is_an_error_with_the_kernels_text() {
    over_engines("a_strict_dump_that_is_refused", |config| {
        let mut connection = open(&config);
        let header = RouteHeader { dst_len: 24, ..ipv4() };
        let mut dump = connection.dump(Rtm::GETROUTE, header, |_| {}).expect("sent");
        let error = dump.next().expect_err("refused");
        let refused = error.refused().expect("a refusal");
        assert_eq!((refused.errno, refused.request), (Errno::INVAL, "RTM_GETROUTE"));
        assert!(refused.text.contains("Invalid values in header for FIB dump request"), "{refused:?}");
        assert!(!dump.end().is_complete());
        drop(dump);
        assert_eq!(destinations(&mut connection), BTreeSet::new(), "the connection goes on");
    });
}

#[test]
fn a_refusal_says_what_where_and_why() {
    over_engines("a_refusal_says_what_where_and_why", |config| {
        let mut connection = open(&config);
        let error = connection
            .apply(Rtm::NEWLINK.create().exclusive(), LinkHeader::default(), |link| {
                link.put(Link::IFNAME, "x0");
                link.nest(Link::LINKINFO, |info| info.put(LinkInfo::KIND, "nonesuch"));
            })
            .expect_err("no such kind");
        assert!(error.is_unsupported(), "{error}");
        assert!(error.to_string().contains("RTM_NEWLINK refused: "), "{error}");
        assert!(error.to_string().contains("Unknown device type"), "{error}");

        let error = connection
            .apply(Rtm::NEWLINK.create(), LinkHeader { index: 1, ..Default::default() }, |link| {
                link.put(Link::MTU, 70_000);
                link.put_raw(Link::TXQLEN.number(), &[1, 2]);
            })
            .expect_err("two bytes where four belong");
        assert_eq!(error.refused().expect("a refusal").path.to_string(), "IFLA_TXQLEN", "{error}");

        let error = connection
            .get(Rtm::GETLINK, LinkHeader { index: 999, ..Default::default() }, |_| {})
            .map(drop)
            .expect_err("no such interface");
        assert!(error.is_not_found(), "{error}");

        let header = AddressHeader { family: Family::INET, prefixlen: 99, index: 1, ..Default::default() };
        let error = connection
            .apply(Rtm::NEWADDR.create(), header, |address| address.put(Address::LOCAL, Ipv4Addr::LOCALHOST))
            .expect_err("a prefix of 99 bits");
        assert_eq!(error.refused().expect("a refusal").errno, Errno::INVAL, "{error}");
        drop(connection.get(Rtm::GETLINK, LinkHeader { index: 1, ..Default::default() }, |_| {}).expect("it goes on"));
    });
}

#[test]
fn a_dump_given_up_leaves_the_connection_usable() {
    over_engines("a_dump_given_up", |config| {
        let engine = ringlink::engine::open(EngineChoice::Syscall, request_socket()).expect("an engine");
        let lo = LinkHeader { index: 1, ..Default::default() };
        for (total, taken) in [(10, 3), (20_000, 0), (20_000, 1), (20_000, 7_000)] {
            add_routes(&*engine, 0..total);
            let mut connection = open(&config);
            for round in 0..20 {
                let mut dump = connection.dump(Rtm::GETROUTE, ipv4(), |_| {}).expect("a dump");
                for _ in 0..taken {
                    assert!(dump.next().expect("a route").is_some());
                }
                assert!(!dump.end().is_complete(), "a dump given up must not look complete");
                drop(dump);
                // A question first, on odd rounds: its answer comes between the old dump's.
                if round % 2 == 1 {
                    let link = connection.get(Rtm::GETLINK, lo, |_| {}).expect("an answer");
                    assert_eq!(link.body().header.index, 1);
                }
                assert!(destinations(&mut connection).len() >= total as usize);
            }
            // A connection is opened anew only where its namespace can be told from others.
            let can = namespaces_have_cookies("a_dump_given_up");
            assert_eq!(connection.statistics().reopened > 0, can && total > 10_000, "{:?}", connection.statistics());
        }
    });
}

/// Asks for all of something that there is once; kernels answer without a dump.
fn all_of_one<A: Format, Q: Format>(connection: &mut Connection, question: Operation<Q, A>, header: Q::Header) {
    let mut dump = connection.dump(question, header, |_| {}).expect("asked");
    assert!(dump.next().expect("told").is_some(), "{question:?}");
    assert!(dump.next().expect("the end").is_none(), "{question:?}");
    assert!(dump.end().is_complete(), "{question:?}");
}

#[test]
fn what_is_not_dumped_has_an_end() {
    over_engines("what_is_not_dumped_has_an_end", |config| {
        let of = |protocol| Connection::with(protocol, config.clone());
        if let Ok(mut ipsec) = of(Protocol::XFRM) {
            all_of_one(&mut ipsec, Xfrm::GETSADINFO, CountHeader::default());
            all_of_one(&mut ipsec, Xfrm::GETSPDINFO, CountHeader::default());
        } else {
            absent("what_is_not_dumped_has_an_end", "IPsec");
        }
        let mut netfilter = of(Protocol::NETFILTER).expect("a connection");
        all_of_one(&mut netfilter, Nft::GETGEN, NetfilterHeader::default());
    });
}

#[test]
fn a_dump_in_two_threads_is_the_same_dump() {
    over_engines("a_dump_in_two_threads", |config| {
        add_routes(&*ringlink::engine::open(EngineChoice::Syscall, request_socket()).expect("an engine"), 0..20_000);
        let mut connection = open(&config);
        let expected = destinations(&mut connection);
        for buffers in [1, 2, 64] {
            let main = |route: &mut AttributeWriter<'_, '_, Route>| route.put(Route::TABLE, RouteTable::MAIN);
            let halves = connection.dump_overlapped(Rtm::GETROUTE, ipv4(), main, buffers);
            let (reader, routes) = halves.expect("a dump");
            let mut found = BTreeSet::new();
            let end = std::thread::scope(|scope| {
                scope.spawn(|| reader.run());
                routes.for_each(|route| {
                    let address = route.attributes.get(Route::DST)?.expect("a destination");
                    found.insert(Ipv4Addr::from(<[u8; 4]>::try_from(address.0).expect("IPv4")));
                    Ok(())
                })
            });
            assert!(end.expect("no failure").is_complete());
            assert_eq!(found, expected, "{buffers} buffers");
            // Given up by the one half, or by the other.
            let (reader, routes) = connection.dump_overlapped(Rtm::GETROUTE, ipv4(), |_| {}, buffers).expect("a dump");
            let mut count = 0;
            let end = std::thread::scope(|scope| {
                scope.spawn(|| reader.run());
                routes.for_each(|_| {
                    count += 1;
                    if count < 1000 { Ok(()) } else { Err(Error::NoAnswer) }
                })
            });
            assert_eq!((end, count), (Err(Error::NoAnswer), 1000));
            let (reader, routes) = connection.dump_overlapped(Rtm::GETROUTE, ipv4(), |_| {}, buffers).expect("a dump");
            drop(reader);
            assert!(routes.for_each(|_| Ok(())).expect("no failure").truncated);
            assert_eq!(destinations(&mut connection), expected);
        }
        assert!(connection.dump_overlapped(Rtm::GETROUTE, ipv4(), |_| {}, 0).is_err());
        let refused = RouteHeader { dst_len: 24, ..ipv4() };
        let (reader, routes) = connection.dump_overlapped(Rtm::GETROUTE, refused, |_| {}, 2).expect("a dump");
        let end = std::thread::scope(|scope| {
            scope.spawn(|| reader.run());
            routes.for_each(|_| Ok(()))
        });
        assert!(end.is_err_and(|error| error.refused().is_some_and(|refused| refused.errno == Errno::INVAL)));
    });
}

#[test]
fn a_batch_has_one_outcome_each() {
    over_engines("a_batch_has_one_outcome_each", |config| {
        for request in [256, 300, 1024, 32 * 1024] {
            let mut connection = open(&Config { request, ..config.clone() });
            for kind in [Rtm::NEWROUTE.create().exclusive(), Rtm::DELROUTE] {
                let mut batch = connection.batch();
                for number in 0..1000 {
                    // Every tenth is there, or gone, already: refused.
                    let (header, fill) = route(number / 10 * 10 + number % 10 % 9);
                    batch.add(kind, header, fill).expect("added");
                }
                let outcomes = batch.finish().expect("sent");
                assert_eq!(outcomes.count(), 1000);
                let failed: Vec<usize> = outcomes.failures().iter().map(|failure| failure.index).collect();
                assert_eq!(failed, (0..100).map(|ten| ten * 10 + 9).collect::<Vec<_>>(), "a buffer of {request} bytes");
                let errno = if kind.kind == Rtm::DELROUTE.kind { Errno::SRCH } else { Errno::EXIST };
                assert!(outcomes.failures().iter().all(|failure| failure.refused.errno == errno));
                assert_eq!(outcomes.iter().filter(Result::is_err).count(), 100);
            }
            assert_eq!(destinations(&mut connection), BTreeSet::new());
        }
    });
}

#[test]
fn a_batch_of_nothing_but_refusals_loses_none() {
    over_engines("a_batch_of_nothing_but_refusals", |config| {
        let mut connection = open(&config);
        let mut batch = connection.batch();
        for number in 0..5000 {
            let (header, fill) = route(number);
            batch.add(Rtm::DELROUTE, header, fill).expect("added");
        }
        let outcomes = batch.finish().expect("no overrun");
        assert_eq!((outcomes.count(), outcomes.failures().len()), (5000, 5000));
    });
}

#[test]
fn every_lookup_has_its_own_answer() {
    over_engines("every_lookup_has_its_own_answer", |config| {
        ip("addr add 10.255.0.1/24 dev lo");
        add_routes(&*ringlink::engine::open(EngineChoice::Syscall, request_socket()).expect("an engine"), 0..1000);
        let header = RouteHeader { dst_len: 32, ..ipv4() };
        // Every tenth is of another network, which no route leads to.
        let asked = |number: u32| if number % 10 == 9 { 0x1400_0000 } else { 0x0a00_0000 + number };
        for request in [256, 300, 32 * 1024] {
            let mut connection = open(&Config { request, ..config.clone() });
            let mut answers = Vec::new();
            let mut lookups = connection.lookups(Rtm::GETROUTE, |number, route| {
                answers.push((
                    number,
                    route.map(|route| route.attributes.get(Route::DST).expect("readable").map(|dst| dst.0.to_vec())),
                ));
                Ok(())
            });
            for number in 0..1000 {
                lookups.add(header, |route| route.put(Route::DST, Ipv4Addr::from(asked(number)))).expect("asked");
            }
            assert_eq!(lookups.finish().expect("all answered"), 1000);
            assert_eq!(answers.len(), 1000);
            for (expected, (number, answer)) in answers.into_iter().enumerate() {
                assert_eq!(number, expected);
                match answer {
                    Ok(destination) => {
                        let address = asked(number as u32);
                        assert_eq!(destination, Some(address.to_be_bytes().to_vec()));
                    }
                    Err(error) => {
                        assert!(number % 10 == 9, "{number}: {error}");
                        let refused = error.refused().expect("a refusal");
                        assert_eq!((refused.errno, refused.request), (Errno::NETUNREACH, "RTM_GETROUTE"));
                    }
                }
            }
            // Given up in the middle: what is under way is nobody's answer.
            let mut lookups =
                connection.lookups(Rtm::GETROUTE, |number, _| if number < 5 { Ok(()) } else { Err(Error::NoAnswer) });
            let given_up = (0..1000).find_map(|number| {
                lookups.add(header, |route| route.put(Route::DST, Ipv4Addr::from(asked(number)))).err()
            });
            assert_eq!(given_up, Some(Error::NoAnswer));
            drop(lookups);
            let lo = LinkHeader { index: 1, ..Default::default() };
            assert_eq!(connection.get(Rtm::GETLINK, lo, |_| {}).expect("an answer").body().header.index, 1);
            assert_eq!(connection.statistics().counters.overruns, 0);
        }
    });
}

#[test]
fn a_request_that_does_not_fit_says_what_it_needs() {
    over_engines("a_request_that_does_not_fit", |config| {
        let mut connection = open(&Config { request: 64, ..config });
        let name = "a".repeat(100);
        let result = connection.apply(Rtm::NEWLINK, LinkHeader::default(), |link| link.put(Link::IFNAME, &name[..]));
        let error = result.expect_err("too long");
        assert!(matches!(error, Error::Codec(error) if error.needed() == Some(140)), "{error}");
        let mut batch = connection.batch();
        assert!(batch.add(Rtm::NEWLINK, LinkHeader::default(), |link| link.put(Link::IFNAME, &name[..])).is_err());
        assert_eq!(batch.finish().expect("nothing to send").count(), 0);
    });
}

#[test]
fn a_message_from_another_process_is_refused() {
    over_engines("a_message_from_another_process", |config| {
        let forger = Socket::open(Protocol::ROUTE, &SocketOptions::default()).expect("a socket");
        let monitor = Monitor::with(Protocol::ROUTE, &config, &[Group::LINK.0]).expect("a monitor");
        let forged = kernel::message(kernel::NEWLINK, 0, 0, &[0; 16]);
        kernel::send_to(&forger, monitor.socket().port(), &forged).expect("an unconnected socket takes it");
        ip("link set lo down");
        let notice = monitor.receive(soon()).expect("the kernel's event");
        assert_eq!(notice.group(), Group::LINK.0);
        assert!(notice.messages().all(|message| message.is_ok_and(|message| message.body(Rtm::NEWLINK).is_ok())));
        drop(notice);
        assert_eq!(monitor.foreign(), 1, "the forged one came first and was refused");

        let mut connection = open(&config);
        let error = kernel::send_to(&forger, connection.socket().port(), &forged);
        assert!(error.is_err(), "a connected socket takes nothing from other processes");
        let lo = LinkHeader { index: 1, ..Default::default() };
        assert_eq!(connection.get(Rtm::GETLINK, lo, |_| {}).expect("an answer").body().header.index, 1);
    });
}

#[test]
fn a_monitor_tells_every_loss_with_its_count() {
    over_engines("a_monitor_tells_every_loss", |config| {
        let writer = ringlink::engine::open(EngineChoice::Syscall, request_socket()).expect("an engine");
        let socket = SocketOptions { receive_buffer: Some(1), ..SocketOptions::default() };
        let monitor =
            Monitor::with(Protocol::ROUTE, &Config { socket, ..config }, &[Group::IPV4_ROUTE.0]).expect("a monitor");
        // Three storms; what is received and what is counted as lost are all the events there were.
        let (mut events, mut lost, mut told) = (0, 0, 0);
        for storm in 0..3 {
            add_routes(&*writer, storm * 3000..(storm + 1) * 3000);
            loop {
                match monitor.receive(Deadline::after(Duration::ZERO)) {
                    Ok(notice) => events += notice.messages().count() as u32,
                    Err(Error::Overrun { drops }) => {
                        lost += drops;
                        told += 1;
                    }
                    Err(error) => {
                        assert_eq!(error, Error::TimedOut);
                        break;
                    }
                }
            }
        }
        assert!(told >= 3, "{told} overruns told");
        assert_eq!(events + lost, 9000, "{events} events, {lost} lost");
        assert_eq!(monitor.counters().overruns, told);
        // A quiet time after a storm has nothing more to tell.
        add_routes(&*writer, 9000..9001);
        assert_eq!(monitor.receive(soon()).expect("an event").messages().count(), 1);
    });
}

#[test]
fn a_monitor_waits_no_longer_than_it_may() {
    over_engines("a_monitor_waits_no_longer", |config| {
        let monitor = Monitor::with(Protocol::ROUTE, &config, &[Group::NEIGH.0]).expect("a monitor");
        let deadline = Deadline::after(Duration::from_millis(20));
        assert!(monitor.receive(deadline).is_err_and(|error| error.is_timed_out()));
    });
}

#[test]
fn a_connection_works_in_another_namespace_and_another_thread() {
    isolated("a_connection_works_in_another_namespace", || {
        ip("link set lo up");
        add_routes(&*ringlink::engine::open(EngineChoice::Syscall, request_socket()).expect("an engine"), 0..10);
        let inside = Namespace::current().expect("a namespace");
        std::thread::spawn(move || {
            // This thread is in the test's namespace too; go elsewhere, and look back.
            isolated("elsewhere", move || {
                for engine in asked_for(ENGINES) {
                    let config = Config { engine, ..Config::in_namespace(inside.clone()) };
                    let mut connection = match Connection::with(Protocol::ROUTE, config) {
                        Err(error @ Error::NoRing { .. }) => return missing("elsewhere", &error.to_string()),
                        other => other.expect("a connection"),
                    };
                    assert_eq!(destinations(&mut connection).len(), 10);
                    let mut here = Connection::open(Protocol::ROUTE).expect("a connection");
                    assert_eq!(destinations(&mut here).len(), 0, "the thread stayed where it was");
                    let moved = std::thread::spawn(move || destinations(&mut connection).len());
                    assert_eq!(moved.join().expect("no panic"), 10);
                }
            });
        })
        .join()
        .expect("no panic");
    });
}
