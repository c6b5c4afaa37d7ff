//! Connections in steps against the live kernel, without a runtime: the same over every engine.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::task::Poll;
use std::time::Duration;

use ringlink::codec::reply::Errno;
use ringlink::codec::route::{
    Family, Group, Link, LinkFlags, LinkHeader, Route, RouteHeader, RouteProtocol, RouteTable, RouteType, Rtm, Scope,
    ShortTable,
};
use ringlink::codec::table::AttributeWriter;
use ringlink::connection::steps::Advance;
use ringlink::engine::{self, Deadline, EngineKind};
use ringlink::{Config, Connection, EngineChoice, Error, Monitor, Namespace, Protocol, SocketOptions};

mod hesitant;
mod kernel;

use hesitant::{Hesitation, hesitant};
use kernel::{add_routes, asked_for, ip, isolated, missing, request_socket};

const ENGINES: [EngineChoice; 3] = [EngineChoice::Syscall, EngineChoice::Ring, EngineChoice::Auto];

/// Runs a test over every engine, and one that hesitates, each in a namespace of its own with so many routes.
fn over_engines(name: &'static str, routes: u32, test: impl Fn(Connection) + Sync) {
    let within = |open: &(dyn Fn() -> Result<Connection, Error> + Sync)| {
        isolated(name, || {
            ip("link set lo up");
            add_routes(&*engine::open(EngineChoice::Syscall, request_socket()).expect("an engine"), 0..routes);
            match open() {
                Err(error @ Error::NoRing { .. }) => missing(name, &error.to_string()),
                connection => test(connection.expect("a connection")),
            }
        });
    };
    for engine in asked_for(ENGINES) {
        within(&|| Connection::with(Protocol::ROUTE, Config { engine, ..Config::default() }));
    }
    within(&|| Ok(hesitant(&Config::default(), Hesitation { sent: 2, received: 1 })));
}

fn wait(steps: &impl Advance) {
    wait_for(steps.descriptor());
}

fn wait_for(descriptor: BorrowedFd<'_>) {
    let mut entry = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: it is one entry.
    assert_eq!(unsafe { libc::poll(&raw mut entry, 1, 20_000) }, 1, "readable in time");
}

/// Advances until it is ready.
fn drive<S: Advance>(steps: &mut S) -> Result<S::Output, Error> {
    loop {
        if let Poll::Ready(result) = steps.advance() {
            return result;
        }
        wait(steps);
    }
}

fn lo() -> LinkHeader {
    LinkHeader { index: 1, ..LinkHeader::default() }
}

fn ipv4() -> RouteHeader {
    RouteHeader { family: Family::INET, ..RouteHeader::default() }
}

fn main_table(route: &mut AttributeWriter<'_, '_, Route>) {
    route.put(Route::TABLE, RouteTable::MAIN);
}

fn number(destination: &[u8]) -> u32 {
    u32::from_be_bytes(destination.try_into().expect("IPv4")) - 0x0a00_0000
}

fn numbers(connection: &mut Connection) -> BTreeSet<u32> {
    let mut dump = connection.start_dump(Rtm::GETROUTE, ipv4(), main_table).expect("it fits");
    let mut found = BTreeSet::new();
    while drive(&mut dump).expect("a route") {
        let destination = dump.current().attributes.get(Route::DST).expect("readable").expect("a destination");
        found.insert(number(destination.0));
    }
    assert!(dump.end().is_complete());
    found
}

#[test]
fn every_request_can_be_made_in_steps() {
    over_engines("every_request_can_be_made_in_steps", 1000, |mut connection| {
        for _ in 0..3 {
            let mut get = connection.start_get(Rtm::GETLINK, lo(), |_| {}).expect("it fits");
            drive(&mut get).expect("an answer");
            let link = get.into_answer();
            assert!(link.attributes.get(Link::IFNAME).expect("readable").is_some_and(|name| name == "lo"));

            let up = LinkHeader { flags: LinkFlags::UP, change: LinkFlags::UP, ..lo() };
            let mut apply = connection.start_apply(Rtm::NEWLINK, up, |_| {}).expect("it fits");
            assert_eq!(drive(&mut apply), Ok(None));
            let absent = LinkHeader { index: 99, ..lo() };
            let mut get = connection.start_get(Rtm::GETLINK, absent, |_| {}).expect("it fits");
            assert!(drive(&mut get).is_err_and(|error| error.is_not_found()));

            assert_eq!(numbers(&mut connection), (0..1000).collect());
            let mut dump = connection.start_dump(Rtm::GETROUTE, ipv4(), main_table).expect("it fits");
            let mut count = 0;
            let mut each = || loop {
                let step = dump.advance_each(|_| {
                    count += 1;
                    Ok(())
                });
                match step.map(|more| more.expect("no failure")) {
                    Poll::Ready(true) => {}
                    Poll::Ready(false) => return dump.end(),
                    Poll::Pending => wait(&dump),
                }
            };
            assert!(each().is_complete());
            drop(dump);
            assert_eq!(count, 1000);
            let strict = RouteHeader { dst_len: 24, ..ipv4() };
            let mut dump = connection.start_dump(Rtm::GETROUTE, strict, |_| {}).expect("it fits");
            let error = drive(&mut dump).expect_err("refused");
            assert_eq!(error.refused().expect("a refusal").errno, Errno::INVAL);
        }
    });
}

#[test]
fn a_batch_and_lookups_can_be_sent_in_steps() {
    over_engines("a_batch_and_lookups_can_be_sent_in_steps", 1000, |mut connection| {
        let header = RouteHeader {
            dst_len: 32,
            table: ShortTable::MAIN,
            protocol: RouteProtocol::STATIC,
            scope: Scope::LINK,
            kind: RouteType::UNICAST,
            ..ipv4()
        };
        let mut batch = connection.batch();
        for number in 500..1500u32 {
            let fill = |route: &mut AttributeWriter<'_, '_, Route>| {
                route.put(Route::DST, Ipv4Addr::from(0x0a00_0000 + number));
                route.put(Route::OIF, 1);
            };
            while !batch.offer(Rtm::NEWROUTE.create().exclusive(), header, fill).expect("it fits") {
                drive(&mut batch).expect("sent");
            }
        }
        drive(&mut batch).expect("sent");
        assert_eq!((batch.outcomes().count(), batch.outcomes().failures().len()), (1000, 500));
        drop(batch);

        let mut answered = 0;
        let mut lookups = connection.lookups(Rtm::GETROUTE, |number, answer| {
            assert_eq!((number, answer.is_ok()), (answered, true));
            answered += 1;
            Ok(())
        });
        for number in 0..1000u32 {
            let fill = |route: &mut AttributeWriter<'_, '_, Route>| {
                route.put(Route::DST, Ipv4Addr::from(0x0a00_0000 + number));
            };
            while !lookups.offer(RouteHeader { dst_len: 32, ..ipv4() }, fill).expect("it fits") {
                drive(&mut lookups).expect("answered");
            }
        }
        drive(&mut lookups).expect("answered");
        assert_eq!(lookups.asked(), 1000);
        drop(lookups);
        assert_eq!(answered, 1000);
    });
}

#[test]
fn requests_given_up_in_a_row_cost_the_next_nothing() {
    isolated("requests_given_up_in_a_row", || {
        ip("link set lo up");
        // So many answers as are given up here would overrun the socket's queue, and then no more would come.
        let mut connection = hesitant(&Config::default(), Hesitation { sent: 1, received: 0 });
        for _ in 0..2000 {
            let mut get = connection.start_get(Rtm::GETLINK, lo(), |_| {}).expect("it fits");
            assert!(get.advance().is_pending());
            drop(get);
            let absent = LinkHeader { index: 99, ..lo() };
            let mut apply = connection.start_apply(Rtm::NEWLINK, absent, |_| {}).expect("it fits");
            assert!(apply.advance().is_pending());
        }
        let mut get = connection.start_get(Rtm::GETLINK, lo(), |_| {}).expect("it fits");
        drive(&mut get).expect("an answer");
        assert_eq!(get.answer().header.index, 1);
        assert_eq!(connection.statistics().counters.overruns, 0);
    });
}

#[test]
fn a_dump_may_be_dropped_after_any_step() {
    over_engines("a_dump_may_be_dropped_after_any_step", 5000, |mut connection| {
        for steps in 0..40 {
            let mut dump = connection.start_dump(Rtm::GETROUTE, ipv4(), |_| {}).expect("it fits");
            for step in 0..steps {
                if step % 3 == 2 {
                    let _ = dump.advance_each(|_| Ok(()));
                } else if dump.advance().is_pending() {
                    wait(&dump);
                }
            }
            drop(dump);
            if steps % 2 == 0 {
                let mut get = connection.start_get(Rtm::GETLINK, lo(), |_| {}).expect("it fits");
                drive(&mut get).expect("an answer");
                assert_eq!(get.answer().header.index, 1);
            }
            assert_eq!(numbers(&mut connection).len(), 5000);
            // And in the blocking way.
            drop(connection.start_dump(Rtm::GETROUTE, ipv4(), |_| {}).expect("it fits").advance());
            let mut count = 0;
            let dump = connection.dump(Rtm::GETROUTE, ipv4(), main_table).expect("a dump").for_each(|_| {
                count += 1;
                Ok(())
            });
            assert!(dump.expect("no failure").is_complete() && count == 5000);
        }
    });
}

#[test]
fn a_descriptor_becomes_readable_wherever_its_receive_was_armed() {
    for engine in asked_for(ENGINES) {
        isolated("a_descriptor_becomes_readable", || {
            ip("link set lo up");
            let namespace = Some(Namespace::current().expect("a namespace"));
            let socket = SocketOptions { namespace, ..SocketOptions::default() };
            let config = Config { engine, socket, ..Config::default() };
            let mut monitor = match Monitor::with(Protocol::ROUTE, &config, &[Group::LINK.0]) {
                Err(error @ Error::NoRing { .. }) => return missing("a descriptor", &error.to_string()),
                other => other.expect("a monitor"),
            };
            let nothing = Deadline::after(Duration::ZERO);
            // The thread that looked last has ended, or is busy and never in the kernel, when the event comes.
            for (round, busy) in [false, true, true, false, true].into_iter().enumerate() {
                let (lend, lent) = mpsc::channel::<Monitor>();
                let (give, given) = mpsc::channel();
                let go_on = AtomicBool::new(busy);
                lend.send(monitor).expect("there");
                monitor = std::thread::scope(|scope| {
                    let go_on = &go_on;
                    let thread = scope.spawn(move || {
                        let monitor = lent.recv().expect("lent");
                        assert!(monitor.receive(nothing).is_err_and(|error| error.is_timed_out()));
                        give.send(monitor).expect("there");
                        while go_on.load(Ordering::Relaxed) {
                            std::hint::spin_loop();
                        }
                    });
                    let monitor = given.recv().expect("given");
                    if !busy {
                        thread.join().expect("no panic");
                    }
                    ip(if round % 2 == 0 { "link set lo down" } else { "link set lo up" });
                    // A descriptor may become readable for nothing: a receive that ended with its thread is armed again.
                    let events = loop {
                        match monitor.receive(nothing) {
                            Ok(notice) => break notice.messages().count(),
                            Err(error) => assert_eq!(error, Error::TimedOut),
                        }
                        wait_for(monitor.descriptor());
                    };
                    assert!(events > 0);
                    while monitor.receive(nothing).is_ok() {}
                    go_on.store(false, Ordering::Relaxed);
                    monitor
                });
            }
        });
    }
}

#[test]
fn the_descriptor_follows_an_engine_that_becomes_a_ring() {
    isolated("the_descriptor_follows_an_engine", || {
        ip("link set lo up");
        add_routes(&*engine::open(EngineChoice::Syscall, request_socket()).expect("an engine"), 0..60_000);
        let mut connection = Connection::open(Protocol::ROUTE).expect("a connection");
        let before = connection.descriptor().as_raw_fd();
        assert_eq!(numbers(&mut connection).len(), 60_000);
        let is_ring = connection.statistics().engine == EngineKind::Ring;
        assert_eq!(connection.descriptor().as_raw_fd() != before, is_ring);
        assert_eq!(numbers(&mut connection).len(), 60_000);
    });
}
