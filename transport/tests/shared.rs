//! One connection for many threads: handles and their worker against the live kernel, and two processes that hammer it.

use std::collections::BTreeSet;
use std::fmt;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use ringlink::codec::reply::Errno;
use ringlink::codec::route::{
    Family, Group, Link, LinkHeader, Route, RouteHeader, RouteProtocol, RouteTable, RouteType, Rtm, Scope,
};
use ringlink::engine::syscall::{Syscall, SyscallConfig};
use ringlink::engine::{Deadline, Sizes};
use ringlink::shared::{self, Counts, Handle, Limits};
use ringlink::{Config, Connection, EngineChoice, Error, Monitor, Protocol, SocketOptions};

mod kernel;

use kernel::{add_routes, asked_for, ip, isolated, missing, request_socket};

fn lo() -> LinkHeader {
    LinkHeader { index: 1, ..LinkHeader::default() }
}

fn ipv4() -> RouteHeader {
    RouteHeader { family: Family::INET, ..RouteHeader::default() }
}

/// A host route by way of `lo`.
fn host_route() -> RouteHeader {
    let (protocol, scope, kind) = (RouteProtocol::STATIC, Scope::LINK, RouteType::UNICAST);
    RouteHeader { dst_len: 32, protocol, scope, kind, ..ipv4() }
}

fn add_many_routes(count: u32) {
    add_routes(&Syscall::new(request_socket(), SyscallConfig::default()).expect("an engine"), 0..count);
}

/// Runs a test over every engine, each in a namespace of its own.
fn over_engines(name: &'static str, test: impl Fn(Config) + Sync) {
    for engine in asked_for([EngineChoice::Syscall, EngineChoice::Ring, EngineChoice::Auto]) {
        isolated(name, || {
            ip("link set lo up");
            let config = Config { engine, ..Config::default() };
            match Connection::with(Protocol::ROUTE, config.clone()) {
                Err(error @ Error::NoRing { .. }) => missing(name, &error.to_string()),
                _ => test(config),
            }
        });
    }
}

/// Runs a test with a handle whose worker runs meanwhile; returns what the worker did.
fn served(config: Config, limits: Limits, test: impl FnOnce(Handle)) -> Counts {
    let (handle, worker) = shared::with(Protocol::ROUTE, config, limits).expect("opened");
    thread::scope(|scope| {
        let worker = scope.spawn(|| worker.run());
        test(handle);
        worker.join().expect("no panic")
    })
}

/// What an address leads to: the destination that the answer names.
fn look_up(handle: &Handle, address: Ipv4Addr) -> Result<Ipv4Addr, Error> {
    let header = RouteHeader { dst_len: 32, ..ipv4() };
    let answer = handle.get(Rtm::GETROUTE, header, |route| route.put(Route::DST, address))?;
    let destination = answer.body().attributes.get(Route::DST)?.ok_or(Error::NoAnswer)?;
    Ok(<[u8; 4]>::try_from(destination.0).map_err(|_| Error::NoAnswer)?.into())
}

#[test]
fn every_thread_has_its_own_answers() {
    over_engines("every_thread_has_its_own_answers", |config| {
        add_many_routes(3000);
        let counts = served(config, Limits::default(), |handle| {
            thread::scope(|scope| {
                for number in 0..16u8 {
                    let handle = handle.clone();
                    scope.spawn(move || {
                        for round in 0..50 {
                            let address = Ipv4Addr::new(127, number, round, 1);
                            assert_eq!(look_up(&handle, address), Ok(address));
                        }
                        let absent = LinkHeader { index: 999, ..lo() };
                        let error = handle.get(Rtm::GETLINK, absent, |_| {}).map(drop).expect_err("no such interface");
                        assert!(error.is_not_found(), "{error}");
                        let dump = handle.dump(Rtm::GETROUTE, ipv4(), |_| {}).expect("started");
                        let mut routes = 0;
                        let end = dump.for_each(|_| {
                            routes += 1;
                            Ok(())
                        });
                        assert!(end.expect("no failure").is_complete() && routes >= 3000, "{routes} routes");
                    });
                }
            });
            let up = handle.apply(Rtm::NEWLINK, lo(), |link| link.put(Link::MTU, 1400));
            assert_eq!(up, Ok(None));
            let error = handle.apply(Rtm::NEWLINK, lo(), |link| {
                link.put(Link::MTU, 1400);
                link.put_raw(Link::TXQLEN.number(), &[1, 2]);
            });
            let error = error.expect_err("two bytes where four belong");
            let refused = error.refused().expect("a refusal");
            assert_eq!((&*refused.path.to_string(), refused.request), ("IFLA_TXQLEN", "RTM_NEWLINK"));
            let strict = RouteHeader { dst_len: 24, ..ipv4() };
            let mut dump = handle.dump(Rtm::GETROUTE, strict, |_| {}).expect("started");
            for _ in 0..2 {
                let error = dump.next().map(drop).expect_err("refused");
                assert!(error.refused().is_some_and(|refused| refused.errno == Errno::INVAL), "{error}");
            }
            assert!(dump.end().truncated);
            let name = "a".repeat(40_000);
            let error = handle.apply(Rtm::NEWLINK, lo(), |link| link.put(Link::IFNAME, &name[..]));
            assert!(matches!(error, Err(Error::Codec(error)) if error.needed().is_some()));
        });
        assert_eq!((counts.requests, counts.dumps), (16 * 51 + 2, 17), "{counts:?}");
        assert_eq!((counts.strays, counts.losses), (0, 0), "{counts:?}");
        assert!(counts.sends <= counts.requests && counts.most_at_once >= 1);
    });
}

#[test]
fn who_reads_slowly_holds_nobody_up() {
    over_engines("who_reads_slowly", |config| {
        add_many_routes(20_000);
        let limits = Limits { waiting: 2, dumps: 2, datagrams: 1 };
        let counts = served(config, limits, |handle| {
            let mut dumps = [(); 2].map(|()| handle.dump(Rtm::GETROUTE, ipv4(), |_| {}).expect("started"));
            for dump in &mut dumps {
                assert!(dump.next().expect("a route").is_some());
            }
            // Neither is read on, and all others go on.
            for last in 1..200 {
                let address = Ipv4Addr::new(127, 0, 0, last);
                assert_eq!(look_up(&handle, address), Ok(address));
            }
            // A third waits until one is read to its end; a fourth, until one is given up.
            thread::scope(|scope| {
                let [first, second] = dumps;
                let count = || {
                    let mut routes = 0;
                    let dump = handle.dump(Rtm::GETROUTE, ipv4(), |_| {}).expect("started");
                    dump.for_each(|_| {
                        routes += 1;
                        Ok(())
                    })
                    .map(|end| (end.is_complete(), routes >= 20_000))
                };
                let third = scope.spawn(count);
                let mut rest = 0;
                let end = first.for_each(|_| {
                    rest += 1;
                    Ok(())
                });
                assert!(end.expect("no failure").is_complete() && rest >= 19_999, "{rest}");
                assert_eq!(third.join().expect("no panic"), Ok((true, true)));
                let held = handle.dump(Rtm::GETROUTE, ipv4(), |_| {}).expect("started");
                let fourth = scope.spawn(count);
                drop(second);
                assert_eq!(fourth.join().expect("no panic"), Ok((true, true)));
                assert!(held.end().truncated);
            });
            // Given up at once, over and over.
            for _ in 0..20 {
                drop(handle.dump(Rtm::GETROUTE, ipv4(), |_| {}).expect("started"));
            }
            let link = handle.get(Rtm::GETLINK, lo(), |_| {}).expect("an answer");
            assert_eq!(link.body().header.index, 1);
        });
        assert_eq!((counts.requests, counts.dumps, counts.strays), (200, 25, 0), "{counts:?}");
    });
}

#[test]
fn a_worker_that_is_gone_is_an_error() {
    isolated("a_worker_that_is_gone", || {
        let open = || shared::open(Protocol::ROUTE).expect("opened");
        let gone = |handle: &Handle| {
            assert_eq!(handle.get(Rtm::GETLINK, lo(), |_| {}).map(drop), Err(Error::WorkerGone));
            assert_eq!(handle.apply(Rtm::NEWLINK, lo(), |_| {}), Err(Error::WorkerGone));
            assert_eq!(handle.dump(Rtm::GETLINK, lo(), |_| {}).map(drop), Err(Error::WorkerGone));
        };
        let (handle, worker) = open();
        drop(worker);
        gone(&handle);

        // Who waits already hears it, too: dropped with their requests in the queue.
        let (handle, worker) =
            shared::with(Protocol::ROUTE, Config::default(), Limits { waiting: 1, ..Limits::default() })
                .expect("opened");
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| gone(&handle));
            }
            drop(worker);
        });

        // It ends with the last handle, and with the last dump.
        let (handle, worker) = open();
        drop(handle);
        assert_eq!(worker.run(), Counts::default());
        let (handle, worker) = open();
        thread::scope(|scope| {
            let worker = scope.spawn(|| worker.run());
            let dump = handle.dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("started");
            drop(handle);
            let mut links = 0;
            let end = dump.for_each(|_| {
                links += 1;
                Ok(())
            });
            assert!(end.expect("no failure").is_complete() && links > 0);
            assert_eq!(worker.join().expect("no panic").dumps, 1);
        });

        for dumps in [0, usize::MAX] {
            let limits = Limits { dumps, ..Limits::default() };
            assert!(matches!(
                shared::with(Protocol::ROUTE, Config::default(), limits),
                Err(Error::Configuration { .. })
            ));
        }
    });
}

#[test]
fn an_answer_that_does_not_fit_is_lost_for_who_asked_alone() {
    over_engines("an_answer_that_does_not_fit", |config| {
        // Forty other names of 120 bytes: more than the slots below take.
        for number in 0..40 {
            ip(&format!("link property add dev lo altname {number:0>120}"));
        }
        let mut sizes = Sizes::default();
        (sizes.syscall.slot, sizes.ring.slot) = (4096, 4096);
        let counts = served(Config { sizes, ..config }, Limits::default(), |handle| {
            for last in 1..20 {
                let error = handle.get(Rtm::GETLINK, lo(), |_| {}).map(drop).expect_err("too long");
                assert!(matches!(error, Error::Truncated { length: 4800.., slot: 4096 }), "{error}");
                let address = Ipv4Addr::new(127, 0, 0, last);
                assert_eq!(look_up(&handle, address), Ok(address));
            }
        });
        assert_eq!((counts.losses, counts.strays), (19, 0), "{counts:?}");
    });
}

#[test]
fn a_connection_moves_from_thread_to_thread() {
    over_engines("a_connection_moves", |config| {
        add_many_routes(5000);
        let connection = Connection::with(Protocol::ROUTE, config).expect("a connection");
        // Eight threads that live on hand it round three times; each leaves a dump unread for the next.
        thread::scope(|scope| {
            let (first, mut inbox) = mpsc::channel::<Connection>();
            let mut last = None;
            for number in 0..24u8 {
                let (give, take) = mpsc::channel();
                let mine = std::mem::replace(&mut inbox, take);
                scope.spawn(move || {
                    let mut connection = mine.recv().expect("a connection");
                    let link = connection.get(Rtm::GETLINK, lo(), |_| {}).expect("an answer");
                    assert_eq!(link.body().header.index, 1);
                    drop(link);
                    let mtu = 1400 + u32::from(number);
                    connection.apply(Rtm::NEWLINK, lo(), |link| link.put(Link::MTU, mtu)).expect("changed");
                    let mut routes = 0;
                    let dump = connection.dump(Rtm::GETROUTE, ipv4(), |_| {}).expect("a dump");
                    let end = dump.for_each(|_| {
                        routes += 1;
                        Ok(())
                    });
                    assert!(end.expect("no failure").is_complete() && routes >= 5000);
                    let mut dump = connection.dump(Rtm::GETROUTE, ipv4(), |_| {}).expect("a dump");
                    assert!(dump.next().expect("a route").is_some());
                    drop(dump);
                    give.send(connection).expect("the next one waits");
                });
                last = Some(number);
            }
            first.send(connection).expect("the first one waits");
            let mut connection = inbox.recv().expect("it came through");
            let link = connection.get(Rtm::GETLINK, lo(), |_| {}).expect("an answer");
            let mtu = link.body().attributes.get(Link::MTU).expect("readable");
            assert_eq!(mtu, last.map(|last| 1400 + u32::from(last)));
        });
    });
}

/// Says that this process is the second of the hammer.
const SECOND: &str = "RINGLINK_HAMMER_SECOND";
/// Threads of each process.
const THREADS: u32 = 64;
/// Routes of each thread, in a table of its own.
const ROUTES: u8 = 32;

/// What the threads of a process did. Whatever was lost, doubled or somebody else's is counted, not thrown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Tally {
    gets: u64,
    applies: u64,
    dumps: u64,
    events: u64,
    /// Requests and events with the answer that they had to have.
    right: u64,
    /// Without an answer, or with an error that was none of the kernel's.
    lost: u64,
    /// With the answer to something else.
    foreign: u64,
    /// Answers and events that came more than once.
    doubled: u64,
    /// Subscriptions whose socket overran, and said so.
    overruns: u64,
}

impl Tally {
    const NAMES: [&str; 9] = ["gets", "applies", "dumps", "events", "right", "lost", "foreign", "doubled", "overruns"];

    fn fields(&mut self) -> [&mut u64; 9] {
        let Tally { gets, applies, dumps, events, right, lost, foreign, doubled, overruns } = self;
        [gets, applies, dumps, events, right, lost, foreign, doubled, overruns]
    }

    fn add(&mut self, mut other: Tally) {
        for (sum, number) in self.fields().into_iter().zip(other.fields()) {
            *sum += *number;
        }
    }

    /// Reads what was printed.
    fn parse(line: &str) -> Option<Tally> {
        let mut tally = Tally::default();
        for (word, (field, name)) in line.split(' ').zip(tally.fields().into_iter().zip(Tally::NAMES)) {
            *field = word.strip_prefix(name)?.strip_prefix('=')?.parse().ok()?;
        }
        Some(tally)
    }

    fn judge(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Right => &mut self.right,
            Outcome::Lost => &mut self.lost,
            Outcome::Foreign => &mut self.foreign,
        } += 1;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut copy = *self;
        let words: Vec<_> = copy.fields().iter().zip(Tally::NAMES).map(|(n, name)| format!("{name}={n}")).collect();
        f.write_str(&words.join(" "))
    }
}

enum Outcome {
    Right,
    Lost,
    Foreign,
}

/// One thread of the hammer: what it has asked the kernel for is a model of what the kernel has to answer.
struct Hammer<'h> {
    handle: &'h Handle,
    /// Different for every thread of both processes; 0 to 127.
    number: u32,
    present: BTreeSet<u8>,
    tally: Tally,
}

impl Hammer<'_> {
    fn table(&self) -> RouteTable {
        RouteTable(1000 + self.number)
    }

    fn address(&self, route: u8) -> Ipv4Addr {
        Ipv4Addr::from(0x0a00_0000 | self.number << 8 | u32::from(route))
    }

    /// Adds or takes away a route that may or may not be there: the kernel's answer has to fit.
    fn change(&mut self, route: u8, add: bool) {
        let (address, table, was) = (self.address(route), self.table(), self.present.contains(&route));
        let operation = if add { Rtm::NEWROUTE.create().exclusive() } else { Rtm::DELROUTE };
        let outcome = self.handle.apply(operation, host_route(), |route| {
            route.put(Route::DST, address);
            route.put(Route::OIF, 1);
            route.put(Route::TABLE, table);
        });
        let expected = match (add, was) {
            (true, true) => Some(Errno::EXIST),
            (false, false) => Some(Errno::SRCH),
            _ => None,
        };
        match add {
            true => self.present.insert(route),
            false => self.present.remove(&route),
        };
        self.tally.applies += 1;
        self.tally.judge(match outcome {
            Ok(_) if expected.is_none() => Outcome::Right,
            Err(Error::Refused(refused)) if Some(refused.errno) == expected => Outcome::Right,
            Ok(_) | Err(Error::Refused(_)) => Outcome::Foreign,
            Err(_) => Outcome::Lost,
        });
    }

    /// Asks for an address that no other thread asks for, in a network that is there or in one that is not.
    fn look_up(&mut self, round: u32) {
        let is_there = !round.is_multiple_of(8);
        let network = if is_there { 127 } else { 20 };
        let address = Ipv4Addr::from(network << 24 | self.number << 16 | round & 0xffff);
        self.tally.gets += 1;
        let outcome = look_up(self.handle, address);
        self.tally.judge(match outcome {
            Ok(found) if is_there && found == address => Outcome::Right,
            Err(Error::Refused(refused)) if !is_there && refused.errno == Errno::NETUNREACH => Outcome::Right,
            Ok(_) | Err(Error::Refused(_) | Error::NoAnswer) => Outcome::Foreign,
            Err(_) => Outcome::Lost,
        });
    }

    /// Dumps the thread's own table: what is in there is what it has put there.
    fn dump(&mut self) {
        let table = self.table();
        self.tally.dumps += 1;
        let mut found = Vec::new();
        let dump = self.handle.dump(Rtm::GETROUTE, ipv4(), |route| route.put(Route::TABLE, table));
        let end = dump.and_then(|dump| {
            dump.for_each(|route| {
                let destination = route.attributes.get(Route::DST)?.ok_or(Error::NoAnswer)?;
                found.push(<[u8; 4]>::try_from(destination.0).map_err(|_| Error::NoAnswer)?);
                Ok(())
            })
        });
        let expected: Vec<_> = self.present.iter().map(|route| self.address(*route).octets()).collect();
        let outcome = match end {
            // A table that nothing was ever put into is not there.
            Err(Error::Refused(refused)) if refused.errno == Errno::NOENT && expected.is_empty() => Outcome::Right,
            Ok(end) if end.is_complete() => {
                let mut once = found.clone();
                once.sort_unstable();
                once.dedup();
                self.tally.doubled += (found.len() - once.len()) as u64;
                match once == expected {
                    true => Outcome::Right,
                    false if once.iter().any(|route| !expected.contains(route)) => Outcome::Foreign,
                    false => Outcome::Lost,
                }
            }
            Err(Error::Refused(_)) => Outcome::Foreign,
            Ok(_) | Err(_) => Outcome::Lost,
        };
        self.tally.judge(outcome);
    }

    /// Subscribes, adds a route and takes it away: of all events, each of its own two has to come once, and in this order.
    fn subscribe(&mut self, config: &Config) {
        let monitor = Monitor::with(Protocol::ROUTE, config, &[Group::IPV4_ROUTE.0]).expect("a monitor");
        let marker = ROUTES + 1;
        self.change(marker, true);
        self.change(marker, false);
        let (address, table) = (self.address(marker).octets(), self.table());
        let mut seen = Vec::new();
        self.tally.events += 2;
        let deadline = Deadline::after(Duration::from_secs(30));
        // What comes after the second would be a third.
        while seen.len() < 2 || seen.last() != Some(&Rtm::DELROUTE.kind) {
            let notice = match monitor.receive(deadline) {
                Ok(notice) => notice,
                Err(Error::Overrun { .. }) => {
                    self.tally.overruns += 1;
                    self.tally.right += 2;
                    return;
                }
                Err(_) => break,
            };
            for message in notice.messages() {
                let message = message.expect("a message");
                let Ok(route) = message.body(Rtm::NEWROUTE).or_else(|_| message.body(Rtm::DELROUTE)) else { continue };
                let (destination, found) = route.attributes.read((Route::DST, Route::TABLE)).expect("readable");
                if destination.is_some_and(|destination| destination.0 == address) && found == Some(table) {
                    seen.push(message.header.kind);
                }
            }
        }
        for kind in [Rtm::NEWROUTE.kind, Rtm::DELROUTE.kind] {
            match seen.iter().filter(|seen| **seen == kind).count() {
                0 => self.tally.lost += 1,
                times => {
                    self.tally.right += 1;
                    self.tally.doubled += times as u64 - 1;
                }
            }
        }
    }

    fn run(mut self, until: Instant) -> Tally {
        let socket = SocketOptions { receive_buffer: Some(32 << 20), ..SocketOptions::default() };
        let monitors = Config { engine: EngineChoice::Syscall, socket, ..Config::default() };
        let mut round = self.number;
        while Instant::now() < until {
            // Numbers that wander through the routes, half of the time to what is there already.
            let route = (round.wrapping_mul(0x9e37_79b1) >> 16) as u8 % ROUTES;
            self.change(route, round & 0x100 == 0);
            self.look_up(round);
            if round.is_multiple_of(4) {
                self.dump();
            }
            if round.is_multiple_of(64) {
                self.subscribe(&monitors);
            }
            round += 1;
        }
        self.tally
    }
}

/// One process of the hammer: one handle, one worker, and threads that ask for as long as said.
fn hammer(process: u32, duration: Duration) -> Tally {
    let until = Instant::now() + duration;
    let mut sum = Tally::default();
    let counts = served(Config::default(), Limits::default(), |handle| {
        thread::scope(|scope| {
            let handle = &handle;
            let threads: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let number = process * THREADS + thread;
                    let hammer = Hammer { handle, number, present: BTreeSet::new(), tally: Tally::default() };
                    scope.spawn(move || hammer.run(until))
                })
                .collect();
            for thread in threads {
                sum.add(thread.join().expect("no panic"));
            }
        });
    });
    // An answer that nobody waited for is one that came twice, or somebody else's.
    sum.doubled += counts.strays;
    println!("process {process}: {sum}");
    println!("process {process}: {counts:?}");
    assert_eq!((counts.requests, counts.dumps, counts.losses), (sum.gets + sum.applies, sum.dumps, 0));
    assert!(counts.most_at_once > 1, "many requests were on the way at once");
    sum
}

#[test]
fn hammered_by_two_processes_of_64_threads() {
    const NAME: &str = "hammered_by_two_processes_of_64_threads";
    let seconds = std::env::var("RINGLINK_HAMMER_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(2);
    let duration = Duration::from_secs(seconds);
    if std::env::var_os(SECOND).is_some() {
        hammer(1, duration);
        return;
    }
    isolated(NAME, || {
        ip("link set lo up");
        let second = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", NAME, "--nocapture"])
            .env(SECOND, "1")
            .stdout(Stdio::piped())
            .spawn()
            .expect("a second process");
        let mut sum = hammer(0, duration);
        let output = second.wait_with_output().expect("it ended");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{text}");
        let line = text.lines().find_map(|line| line.split_once("process 1: gets")).expect("its counts").1;
        sum.add(Tally::parse(&format!("gets{line}")).expect("counts"));
        println!("both: {sum}");
        assert_eq!((sum.lost, sum.foreign, sum.doubled), (0, 0, 0), "{sum}");
        assert_eq!(sum.right, sum.gets + sum.applies + sum.dumps + sum.events, "{sum}");
        // An emulated processor does less in the time.
        let least = if std::env::var_os("RINGLINK_GUEST").is_some() { 10 } else { 1 };
        assert!(sum.gets > 1000 / least && sum.dumps > 100 / least && sum.events > 50 / least, "{sum}");
    });
}
