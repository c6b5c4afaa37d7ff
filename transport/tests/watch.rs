//! Watches against the live kernel: whatever happens, what is kept equals a fresh dump.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use ringlink::codec::follow::{FixedTable, Key, Meaning, Store, Subject};
use ringlink::codec::route::watched::{Addresses, Links, Neighbours, Nexthops, Routes, Rules};
use ringlink::codec::route::{
    Address, AddressHeader, Family, Link, LinkFlags, LinkHeader, LinkInfo, LinkMessage, Neighbour, NeighbourHeader,
    NeighbourState, Route, RouteHeader, RouteProtocol, RouteType, Rtm, Rule, RuleAction, RuleHeader, Scope, ShortTable,
};
use ringlink::codec::table::{AttributeWriter, Body};
use ringlink::engine::Deadline;
use ringlink::error::Error;
use ringlink::watch::{Cause, Change, Figures, Map, Watch, WatchConfig};
use ringlink::{Config, Connection, EngineChoice, Protocol, SocketOptions};

mod kernel;

use kernel::{asked_for, ip, isolated, missing, soon};

const ENGINES: [EngineChoice; 2] = [EngineChoice::Syscall, EngineChoice::Ring];

/// Runs a test over every engine, each in a namespace of its own.
fn over_engines(name: &'static str, test: impl Fn(WatchConfig) + Sync) {
    for engine in asked_for(ENGINES) {
        isolated(name, || {
            ip("link set lo up");
            let connection = Config { engine, ..Config::default() };
            match Connection::with(Protocol::ROUTE, connection.clone()) {
                Err(error @ Error::NoRing { .. }) => missing(name, &error.to_string()),
                _ => test(WatchConfig { connection, pause: Duration::from_millis(5), ..WatchConfig::default() }),
            }
        });
    }
}

/// What a fresh dump says: the objects' keys and digests.
fn fresh<F: Subject>(subject: &F) -> BTreeMap<Key, u64> {
    let mut connection = Connection::open(Protocol::ROUTE).expect("a connection");
    let mut dump = connection.dump(subject.dump(), subject.header(), |_| {}).expect("a dump");
    let mut found = BTreeMap::new();
    while let Some(message) = match dump.next_message() {
        Err(error) if error.is_not_found() => return found,
        other => other.expect("a message"),
    } {
        if let Meaning::Beside(key) | Meaning::Uncertain(key) | Meaning::Instead(key) | Meaning::Among(key) =
            subject.meaning(message)
        {
            found.insert(key, subject.digest(message));
        }
    }
    found
}

/// A watch of any subject.
trait Mirror: Send {
    fn catch_up(&mut self);
    /// What differs from a fresh dump.
    fn differences(&self) -> Vec<String>;
    fn figures(&self) -> Figures;
    fn name(&self) -> String;
}

impl<F: Subject + std::fmt::Debug + Send> Mirror for Watch<F, Map> {
    fn catch_up(&mut self) {
        Watch::catch_up(self, soon(), |_| Ok(())).expect("caught up");
    }

    fn differences(&self) -> Vec<String> {
        let fresh = fresh(self.subject());
        let kept: BTreeMap<Key, u64> = self.store().iter().map(|(key, digest, _)| (*key, digest)).collect();
        let missing = fresh.iter().filter(|(key, digest)| kept.get(key) != Some(digest));
        let left_over = kept.keys().filter(|key| !fresh.contains_key(key));
        missing
            .map(|(key, digest)| match kept.get(key) {
                None => format!("{key:?} is missing"),
                Some(other) => format!("{key:?} is {other:x}, not {digest:x}"),
            })
            .chain(left_over.map(|key| format!("{key:?} is left over")))
            .collect()
    }

    fn figures(&self) -> Figures {
        Watch::figures(self)
    }

    fn name(&self) -> String {
        format!("{:?}", self.subject())
    }
}

fn mirrors(config: &WatchConfig) -> Vec<Box<dyn Mirror>> {
    fn open<F: Subject + std::fmt::Debug + Send + 'static>(subject: F, config: &WatchConfig) -> Box<dyn Mirror> {
        Box::new(Watch::with(subject, Map::new(), config.clone()).expect("a watch"))
    }
    let mut all = vec![open(Links, config), open(Nexthops, config)];
    for family in [Family::INET, Family::INET6] {
        all.push(open(Addresses(family), config));
        all.push(open(Routes(family), config));
        all.push(open(Neighbours(family), config));
        all.push(open(Rules(family), config));
    }
    all
}

/// Lets all catch up; then each is to equal a fresh dump. What the kernel does of itself meanwhile (an address that turns out to
/// be unique, say) may come between the two, so they are compared again after that.
fn assert_all_equal(mirrors: &mut [Box<dyn Mirror>], after: &str) {
    for mirror in mirrors {
        let start = Instant::now();
        loop {
            mirror.catch_up();
            let differences = mirror.differences();
            if differences.is_empty() {
                break;
            }
            assert!(start.elapsed() < Duration::from_secs(3), "{} after {after}: {differences:#?}", mirror.name());
        }
    }
}

#[test]
fn what_the_kernel_does_not_announce_is_noticed() {
    over_engines("what_the_kernel_does_not_announce", |config| {
        let mut all = mirrors(&config);
        assert_all_equal(&mut all, "the start");
        let story = [
            "link add v0 type veth peer name v1",
            "link set v1 up",
            "link set v0 up",
            "addr add 10.0.0.1/24 dev v0",
            "addr add 10.0.0.7/24 dev v0",
            "addr add 2001:db8::1/64 dev v0 nodad",
            "route add 10.1.0.0/16 via 10.0.0.2",
            "route add 10.2.0.0/16 via 10.0.0.3 src 10.0.0.7",
            "route add 10.3.0.0/16 nexthop via 10.0.0.2 nexthop via 10.0.0.3",
            "-6 route add 2001:db8:1::/48 via 2001:db8::2",
            "-6 route append 2001:db8:1::/48 via 2001:db8::3",
            "-6 route add 2001:db8:2::/48 nexthop via 2001:db8::2 nexthop via 2001:db8::3",
            "neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev v0",
            "neigh add 2001:db8::9 lladdr 02:00:00:00:00:09 dev v0",
            "nexthop add id 1 via 10.0.0.4 dev v0",
            "nexthop add id 2 via 10.0.0.5 dev v0",
            "nexthop add id 3 group 1/2",
            "nexthop add id 4 via 2001:db8::4 dev v0",
            "route add 10.4.0.0/16 nhid 1",
            "route add 10.5.0.0/16 nhid 3",
            "-6 route add 2001:db8:4::/48 nhid 4",
            "rule add from 10.0.0.0/8 lookup 100 priority 1000",
            "-6 rule add from 2001:db8::/32 lookup 100 priority 1000",
            // Replaced: the event does not say what by.
            "route replace 10.1.0.0/16 via 10.0.0.3",
            "route append 10.1.0.0/16 via 10.0.0.4",
            "route replace 10.1.0.0/16 via 10.0.0.5",
            "route change 10.2.0.0/16 via 10.0.0.6",
            "-6 route replace 2001:db8:1::/48 via 2001:db8::5",
            "-6 route del 2001:db8:2::/48 via 2001:db8::2",
            "nexthop replace id 1 via 10.0.0.6 dev v0",
            // Next hops deleted, and routes with them.
            "nexthop del id 2",
            "nexthop del id 4",
            "nexthop del id 1",
            "addr del 10.0.0.7/24 dev v0",
            "neigh change 10.0.0.9 lladdr 02:00:00:00:00:0a dev v0",
            // Carrier lost, down, gone.
            "nexthop add id 5 via 10.0.0.4 dev v0",
            "route add 10.6.0.0/16 nhid 5",
            "link set v1 down",
            "link set v1 up",
            "link set v0 down",
            "link set v0 up",
            "route add 10.7.0.0/16 via 10.0.0.2",
            "link set v0 name w0",
            "link add br0 type bridge",
            "link set w0 master br0",
            "link set w0 nomaster",
            "link del w0",
            "rule del from 10.0.0.0/8 lookup 100 priority 1000",
        ];
        for command in story {
            let does = |command: &str| {
                let status = std::process::Command::new("ip").args(command.split(' ')).status();
                status.expect("ip is installed").success()
            };
            match command {
                // Before Linux 6.2 nothing that is up takes another name.
                "link set v0 name w0" if !does(command) => {
                    for command in ["link set v0 down", command, "link set w0 up"] {
                        ip(command);
                    }
                }
                "link set v0 name w0" => {}
                _ => ip(command),
            }
            assert_all_equal(&mut all, command);
        }
    });
}

#[test]
fn a_dump_anew_tells_the_differences_alone() {
    over_engines("a_dump_anew_tells_the_differences", |config| {
        ip("link add v0 type veth peer name v1");
        let socket = SocketOptions { receive_buffer: Some(1), ..SocketOptions::default() };
        let connection = Config { socket, ..config.connection.clone() };
        let mut watch = Watch::with(Links, Map::new(), WatchConfig { connection, ..config }).expect("a watch");
        let mut told = Vec::new();
        let mut tell = |change: Change<'_, Links>| {
            let name = |link: Body<'_, LinkMessage>| {
                link.attributes.get(Link::IFNAME).expect("readable").map_or(String::new(), |name| name.to_string())
            };
            told.push(match change {
                Change::Resync(cause) => format!("resync: {}", matches!(cause, Cause::Overrun { drops: 1.. })),
                Change::Added(link) => format!("added {}", name(link)),
                Change::Changed(link) => format!("changed {}", name(link)),
                Change::Removed(link) => format!("removed {}", name(link)),
                Change::Synced(end) => format!("synced: {}", end.is_complete()),
            });
            Ok(())
        };
        watch.catch_up(soon(), &mut tell).expect("caught up");
        // A ring takes events while they come: fill its slots first, then its socket.
        let mut connection = Connection::open(Protocol::ROUTE).expect("a connection");
        let mut mtu = 1300;
        while watch.monitor().socket().drops().expect("a count") == 0 {
            mtu = 1300 + (mtu + 1) % 100;
            let named = |link: &mut AttributeWriter<'_, '_, Link>| {
                link.put(Link::IFNAME, "v0");
                link.put(Link::MTU, mtu);
            };
            connection.apply(Rtm::NEWLINK, LinkHeader::default(), named).expect("changed");
        }
        ip("link del v0");
        ip("link add b0 type bridge");
        watch.catch_up(soon(), &mut tell).expect("caught up");
        let first: Vec<&str> = told.iter().map(String::as_str).take_while(|told| *told != "synced: true").collect();
        assert_eq!(first, ["resync: false", "added lo", "added v1", "added v0"].map(|told| told), "{told:?}");
        let anew = told.iter().position(|told| told == "resync: true").expect("an overrun was told");
        let anew = &told[anew..];
        assert!(anew.contains(&"removed v0".into()) && anew.contains(&"removed v1".into()), "{anew:?}");
        assert!(anew.contains(&"added b0".into()) && !anew.contains(&"added lo".into()), "{anew:?}");
        assert_eq!(watch.figures().overruns, 1, "{:?}", watch.figures());
        assert_eq!(watch.store().len(), 2);
    });
}

#[test]
fn other_stores() {
    over_engines("other_stores", |config| {
        ip("link add v0 type veth peer name v1");
        // Nothing kept: everything is told between the marks.
        let mut watch = Watch::with(Links, (), config.clone()).expect("a watch");
        for round in 0..2 {
            let (mut links, mut marks) = (0, 0);
            watch
                .catch_up(soon(), |change| {
                    match change {
                        Change::Added(_) => links += 1,
                        Change::Resync(cause) => {
                            assert_eq!(cause, if round == 0 { Cause::First } else { Cause::Asked });
                            marks += 1;
                        }
                        Change::Synced(end) if end.is_complete() => marks += 1,
                        other => panic!("{other:?}"),
                    }
                    Ok(())
                })
                .expect("caught up");
            assert_eq!((links, marks), (3, 2));
            watch.resync();
        }
        // Room for so many, and no more.
        let mut fixed = Watch::with(Links, FixedTable::<3, 2048>::new(), config.clone()).expect("a watch");
        fixed.catch_up(soon(), |_| Ok(())).expect("caught up");
        assert_eq!(fixed.store().len(), 3);
        ip("link add b0 type bridge");
        let full = fixed.catch_up(soon(), |_| Ok(()));
        assert_eq!(full, Err(Error::Full));
        ip("link del v0");
        let start = Instant::now();
        while fixed.catch_up(soon(), |_| Ok(())).is_err() {
            assert!(start.elapsed() < Duration::from_secs(10));
        }
        let mut names: Vec<i32> = Vec::new();
        for entry in fixed.store().iter() {
            names.push(entry.payload.as_chunks::<4>().0.get(1).map_or(0, |index| i32::from_ne_bytes(*index)));
        }
        assert_eq!((names.len(), fixed.is_live()), (2, true), "{names:?}");
    });
}

#[test]
fn the_callers_error_loses_nothing() {
    over_engines("the_callers_error_loses_nothing", |config| {
        let mut watch = Watch::with(Routes(Family::INET), Map::new(), config).expect("a watch");
        ip("addr add 10.0.0.1/24 dev lo");
        let mut count = 0;
        for round in 0.. {
            let result = watch.catch_up(soon(), |_| {
                count += 1;
                if count % 7 == 0 { Err(Error::NoAnswer) } else { Ok(()) }
            });
            if result.is_ok() {
                break;
            }
            assert!(round < 1000, "{result:?}");
        }
        assert_eq!(Mirror::differences(&watch), Vec::<String>::new());
    });
}

/// Numbers without an end, the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as u32) % limit
    }
}

/// Does something at random to links, addresses, routes, neighbours or rules; the kernel may refuse it.
fn mutate(connection: &mut Connection, chance: &mut Chance) {
    let index = |connection: &mut Connection, name: &str| {
        let reply = connection.get(Rtm::GETLINK, LinkHeader::default(), |link| link.put(Link::IFNAME, name));
        reply.map_or(0, |reply| reply.body().header.index)
    };
    let name = ["a0", "b0", "c0"][chance.below(3) as usize];
    let refused = match chance.below(100) {
        0 => connection.apply(Rtm::NEWLINK.create().exclusive(), LinkHeader::default(), |link| {
            link.put(Link::IFNAME, name);
            link.nest(Link::LINKINFO, |info| info.put(LinkInfo::KIND, "bridge"));
        }),
        1 => connection.apply(Rtm::DELLINK, LinkHeader::default(), |link| link.put(Link::IFNAME, name)),
        2..=5 => {
            let flags = if chance.below(4) > 0 { LinkFlags::UP } else { LinkFlags::default() };
            let header = LinkHeader { flags, change: LinkFlags::UP, ..LinkHeader::default() };
            connection.apply(Rtm::NEWLINK, header, |link| link.put(Link::IFNAME, name))
        }
        6..=15 => {
            let mtu = 1300 + chance.below(100);
            connection.apply(Rtm::NEWLINK, LinkHeader::default(), |link| {
                link.put(Link::IFNAME, name);
                link.put(Link::MTU, mtu);
            })
        }
        what @ 16..=30 => {
            let index = index(connection, name) as u32;
            let last = chance.below(6) as u8;
            let ipv6 = chance.below(3) == 0;
            let family = if ipv6 { Family::INET6 } else { Family::INET };
            let prefixlen = if ipv6 { 64 } else { 24 };
            let header = AddressHeader { family, prefixlen, index, ..AddressHeader::default() };
            let operation = if what < 26 { Rtm::NEWADDR.create().replace() } else { Rtm::DELADDR };
            connection.apply(operation, header, |address| match ipv6 {
                true => {
                    address.put(Address::LOCAL, Ipv6Addr::new(0x2001, 0xdb8, 0, index as u16, 0, 0, 0, last.into()))
                }
                false => address.put(Address::LOCAL, Ipv4Addr::new(10, 0, index as u8, last)),
            })
        }
        what @ 31..=79 => {
            let index = index(connection, name) as u32;
            let (net, gateway, priority) = (chance.below(40), chance.below(5) as u8, chance.below(3));
            let ipv6 = chance.below(3) == 0;
            let header = RouteHeader {
                family: if ipv6 { Family::INET6 } else { Family::INET },
                dst_len: if ipv6 { 64 } else { 24 },
                table: ShortTable::MAIN,
                protocol: RouteProtocol::STATIC,
                scope: if gateway == 0 { Scope::LINK } else { Scope::UNIVERSE },
                kind: RouteType::UNICAST,
                ..RouteHeader::default()
            };
            let operation = match what {
                31..=48 => Rtm::NEWROUTE.create().exclusive(),
                49..=54 => Rtm::NEWROUTE.create().append(),
                55..=64 => Rtm::NEWROUTE.create().replace(),
                _ => Rtm::DELROUTE,
            };
            connection.apply(operation, header, |route| {
                route.put(Route::PRIORITY, 100 + priority);
                match ipv6 {
                    true => {
                        route.put(Route::DST, Ipv6Addr::new(0x2001, 0xdb8, 1, net as u16, 0, 0, 0, 0));
                        if gateway > 0 {
                            let gateway =
                                Ipv6Addr::new(0x2001, 0xdb8, 0, index as u16, 0, 0, 0, 0x100 + u16::from(gateway));
                            route.put(Route::GATEWAY, gateway);
                        }
                    }
                    false => {
                        route.put(Route::DST, Ipv4Addr::new(20, 0, net as u8, 0));
                        if gateway > 0 {
                            route.put(Route::GATEWAY, Ipv4Addr::new(10, 0, index as u8, 100 + gateway));
                        }
                    }
                }
                route.put(Route::OIF, index);
            })
        }
        what @ 80..=94 => {
            let ifindex = index(connection, name);
            let (last, hardware) = (chance.below(50) as u8, chance.below(4) as u8);
            let ipv6 = chance.below(3) == 0;
            let family = if ipv6 { Family::INET6 } else { Family::INET };
            let state = NeighbourState::PERMANENT;
            let header = NeighbourHeader { family, ifindex, state, ..NeighbourHeader::default() };
            let operation = if what < 90 { Rtm::NEWNEIGH.create().replace() } else { Rtm::DELNEIGH };
            connection.apply(operation, header, |neighbour| {
                match ipv6 {
                    true => neighbour.put(Neighbour::DST, Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 1, last.into())),
                    false => neighbour.put(Neighbour::DST, Ipv4Addr::new(10, 1, 0, last)),
                }
                neighbour.put(Neighbour::LLADDR, [2, 0, 0, 0, 0, hardware]);
            })
        }
        what => {
            let (priority, ipv6) = (1000 + chance.below(20), chance.below(3) == 0);
            let family = if ipv6 { Family::INET6 } else { Family::INET };
            let header =
                RuleHeader { family, table: ShortTable(100), action: RuleAction::TO_TBL, ..RuleHeader::default() };
            let operation = if what < 98 { Rtm::NEWRULE.create().exclusive() } else { Rtm::DELRULE };
            connection.apply(operation, header, |rule| {
                rule.put(Rule::PRIORITY, priority);
                rule.put(Rule::FWMARK, priority);
            })
        }
    };
    if let Err(error) = refused {
        assert!(error.refused().is_some(), "{error}");
    }
}

/// A mutator does as much as it can while watches with far too small buffers follow; whenever it rests, all are the same.
#[test]
fn a_soak() {
    let seconds = std::env::var("RINGLINK_SOAK_SECONDS").ok().and_then(|seconds| seconds.parse().ok()).unwrap_or(4);
    for engine in asked_for(ENGINES) {
        isolated("a_soak", || {
            ip("link set lo up");
            let socket = SocketOptions { receive_buffer: Some(1), ..SocketOptions::default() };
            let connection = Config { engine, socket, ..Config::default() };
            if let Err(error @ Error::NoRing { .. }) = Connection::with(Protocol::ROUTE, connection.clone()) {
                return missing("a_soak", &error.to_string());
            }
            let config = WatchConfig { connection, pause: Duration::from_millis(20), ..WatchConfig::default() };
            let mut all = mirrors(&config);
            let mut mutator = Connection::open(Protocol::ROUTE).expect("a connection");
            let mut chance = Chance(seconds);
            let (start, length) = (Instant::now(), Duration::from_millis(seconds * 500));
            let (mut changes, mut quiet) = (0_u64, 0_u64);
            while start.elapsed() < length {
                for burst in 0..20 {
                    for _ in 0..chance.below(60) {
                        mutate(&mut mutator, &mut chance);
                        changes += 1;
                    }
                    // Some keep up, some are slow.
                    for (number, mirror) in all.iter_mut().enumerate() {
                        if burst % (number + 1) == 0 {
                            mirror.catch_up();
                        }
                    }
                }
                assert_all_equal(&mut all, "a burst");
                quiet += 1;
            }
            println!("{engine:?}: {changes} changes, {quiet} quiet points, 0 differences");
            let mut sum = Figures::default();
            for mirror in &all {
                let figures = mirror.figures();
                println!("  {:<22} {figures:?}", mirror.name());
                sum.overruns += figures.overruns;
                sum.dumps += figures.dumps;
            }
            assert!(sum.overruns > 0 && sum.dumps > all.len() as u64, "{sum:?}");
        });
    }
}

#[test]
fn a_step_waits_no_longer_than_it_may() {
    over_engines("a_step_waits_no_longer", |config| {
        let mut watch = Watch::with(Rules(Family::INET), Map::new(), config).expect("a watch");
        watch.catch_up(soon(), |_| Ok(())).expect("caught up");
        let start = Instant::now();
        let short = Deadline::after(Duration::from_millis(20));
        assert_eq!(watch.step(short, |_| Ok(())), Err(Error::TimedOut));
        assert!(start.elapsed() >= Duration::from_millis(20));
        let mut map = Map::new();
        assert!(map.is_empty() && !map.remove(&Key::new()));
    });
}
