//! Connection tracking over the live kernel: connections made in batches, chosen, looked up and deleted; refusals that
//! name the attribute; a mirror that keeps up.

mod kernel;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use kernel::{asked_for, ip, isolated, missing, soon};
use ringlink::codec::follow::{Key, Meaning, Subject};
use ringlink::codec::netfilter::accounting::{Accounting, Counter, QuotaFlags};
use ringlink::codec::netfilter::conntrack::watched::Connections;
use ringlink::codec::netfilter::conntrack::*;
use ringlink::codec::netfilter::timeout::{TcpTimeouts, Timeout, TimeoutMessage, Timeouts};
use ringlink::codec::netfilter::{Family, NetfilterHeader};
use ringlink::codec::table::{AttributeWriter, Body};
use ringlink::engine::EngineChoice;
use ringlink::socket::Protocol as NetlinkProtocol;
use ringlink::watch::{Cause, Change, Map, Watch, WatchConfig};
use ringlink::{Config, Connection, Error, SocketOptions};

/// Runs a test over both engines, each in a namespace of its own whose kernel tracks connections.
fn over_engines(name: &'static str, test: impl Fn(Config) + Sync) {
    for engine in asked_for([EngineChoice::Syscall, EngineChoice::Ring]) {
        isolated(name, || {
            ip("link set lo up");
            let config = Config { engine, ..Config::default() };
            let mut connection = match Connection::with(NetlinkProtocol::NETFILTER, config.clone()) {
                Err(error @ Error::NoRing { .. }) => return missing(name, &error.to_string()),
                connection => connection.expect("a connection"),
            };
            match connection.get(Conntrack::GET_STATS, NetfilterHeader::default(), |_| {}) {
                Err(Error::Refused(refused)) if refused.errno.is_invalid() || refused.errno.is_unsupported() => {
                    println!("absent: {name}: this kernel tells nothing of connections: {refused}");
                }
                reply => {
                    reply.map(drop).expect("counted");
                    test(config);
                }
            }
        });
    }
}

fn open(config: &Config) -> Connection {
    Connection::with(NetlinkProtocol::NETFILTER, config.clone()).expect("a connection")
}

/// A TCP connection or, every fourth, one of UDP over IPv6.
fn tuple(number: u16) -> Endpoints {
    let [high, low] = number.to_be_bytes();
    let (source, destination, protocol): (IpAddr, IpAddr, _) = match number % 4 {
        3 => {
            let source = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, number);
            (source.into(), Ipv6Addr::new(0x2001, 0xdb8, 1, 0, 0, 0, 0, 1).into(), Protocol::UDP)
        }
        _ => (Ipv4Addr::new(10, 0, high, low).into(), Ipv4Addr::new(192, 0, 2, 1).into(), Protocol::TCP),
    };
    Endpoints {
        source: Some(source),
        destination: Some(destination),
        protocol: Some(protocol),
        source_port: Some(1000),
        destination_port: Some(80 + number % 3),
        ..Endpoints::default()
    }
}

fn header(number: u16) -> NetfilterHeader {
    NetfilterHeader::of(if number % 4 == 3 { Family::IPV6 } else { Family::IPV4 })
}

fn fill(connection: &mut AttributeWriter<'_, '_, Cta>, number: u16, mark: u32) {
    connection.nest(Cta::TUPLE_ORIG, |there| tuple(number).write(there));
    connection.nest(Cta::TUPLE_REPLY, |back| tuple(number).reversed().write(back));
    connection.put(Cta::TIMEOUT, 1000);
    connection.put(Cta::MARK, mark);
    if number % 4 != 3 {
        connection.nest(Cta::PROTOINFO, |info| {
            info.nest(ProtoInfo::TCP, |tcp| tcp.put(TcpInfo::STATE, TcpState::ESTABLISHED));
        });
    }
}

fn make(connection: &mut Connection, numbers: std::ops::Range<u16>) {
    let mut batch = connection.batch();
    for number in numbers {
        batch
            .add(Conntrack::NEW.create().exclusive(), header(number), |attributes| {
                fill(attributes, number, u32::from(number % 5));
            })
            .expect("added");
    }
    let outcomes = batch.finish().expect("finished");
    assert!(outcomes.failures().is_empty(), "{:?}", outcomes.failures());
}

fn delete(connection: &mut Connection, numbers: impl Iterator<Item = u16>) {
    let mut batch = connection.batch();
    for number in numbers {
        let named = |attributes: &mut AttributeWriter<'_, '_, Cta>| {
            attributes.nest(Cta::TUPLE_ORIG, |there| tuple(number).write(there));
        };
        batch.add(Conntrack::DELETE, header(number), named).expect("added");
    }
    assert!(batch.finish().expect("finished").failures().is_empty());
}

/// What a dump tells that is asked for this.
fn dumped(
    connection: &mut Connection,
    family: Family,
    ask: impl FnOnce(&mut AttributeWriter<'_, '_, Cta>),
) -> Vec<(Endpoints, Option<u32>)> {
    let mut dump = connection.dump(Conntrack::GET, NetfilterHeader::of(family), ask).expect("a dump");
    let mut found = Vec::new();
    while let Some(body) = dump.next().expect("an answer") {
        let view = ConnectionView::read(body).expect("read");
        found.push((view.original, view.mark));
    }
    assert!(dump.end().is_complete());
    found
}

#[test]
fn connections_are_made_chosen_and_deleted() {
    over_engines("connections_are_made_chosen_and_deleted", |config| {
        const COUNT: u16 = 2000;
        let mut connection = open(&config);
        make(&mut connection, 0..COUNT);
        let mut all: Vec<Endpoints> =
            dumped(&mut connection, Family::UNSPEC, |_| {}).into_iter().map(|(tuple, _)| tuple).collect();
        let mut made: Vec<Endpoints> = (0..COUNT).map(tuple).collect();
        all.sort_unstable();
        made.sort_unstable();
        assert_eq!(all, made);

        // Kernels that do not choose tell more; what is wanted is among it.
        let marked = dumped(&mut connection, Family::UNSPEC, |ask| {
            ask.put(Cta::MARK, 2);
            ask.put(Cta::MARK_MASK, 0x7);
        });
        let of_mark = |(_, mark): &&(Endpoints, Option<u32>)| *mark == Some(2);
        assert_eq!(marked.iter().filter(of_mark).count(), usize::from(COUNT / 5));
        let wanted = tuple(5);
        let chosen = dumped(&mut connection, Family::IPV4, |ask| {
            ask.nest(Cta::TUPLE_ORIG, |there| wanted.write(there));
            ask.nest(Cta::FILTER, |filter| {
                filter.put(Filter::ORIG_FLAGS, FilterFlags::IP_SRC | FilterFlags::PROTO_NUM);
                filter.put(Filter::REPLY_FLAGS, FilterFlags::default());
            });
        });
        assert!(chosen.iter().any(|(tuple, _)| *tuple == wanted));
        println!("of {COUNT}, {} by mark and {} by source", marked.len(), chosen.len());

        let mut found = 0;
        let mut lookups = connection.lookups(Conntrack::GET, |number, answer| {
            let number = u16::try_from(number).expect("few");
            match answer {
                Ok(body) => {
                    assert_eq!(ConnectionView::read(body).expect("read").original, tuple(number));
                    found += 1;
                }
                Err(error) => assert!(error.is_not_found() && number >= COUNT, "{number}: {error}"),
            }
            Ok(())
        });
        for number in 0..COUNT + 10 {
            lookups
                .add(header(number), |question| question.nest(Cta::TUPLE_ORIG, |there| tuple(number).write(there)))
                .expect("asked");
        }
        assert_eq!(lookups.finish().expect("answered"), usize::from(COUNT) + 10);
        assert_eq!(found, COUNT);

        delete(&mut connection, (0..COUNT).filter(|number| number % 2 == 0));
        assert_eq!(dumped(&mut connection, Family::UNSPEC, |_| {}).len(), usize::from(COUNT / 2));
        connection.apply(Conntrack::DELETE, NetfilterHeader::default(), |_| {}).expect("flushed");
        assert!(dumped(&mut connection, Family::UNSPEC, |_| {}).is_empty());
    });
}

#[test]
fn refusals_name_the_attribute() {
    over_engines("refusals_name_the_attribute", |config| {
        let mut connection = open(&config);
        let create = Conntrack::NEW.create().exclusive();
        connection.apply(create, header(0), |attributes| fill(attributes, 0, 0)).expect("made");
        let error = connection.apply(create, header(0), |attributes| fill(attributes, 0, 0)).expect_err("there");
        assert!(error.already_exists() && error.to_string().starts_with("IPCTNL_MSG_CT_NEW refused"), "{error}");

        // A number of half its length. Kernels name what their policy refuses, of the outermost attributes.
        let error = connection
            .apply(create, header(1), |attributes| {
                fill(attributes, 1, 0);
                attributes.put_raw(Cta::MARK_MASK.number(), &[0, 1]);
            })
            .expect_err("too short");
        assert!(error.to_string().contains("CTA_MARK_MASK"), "{error}");
        let error = connection
            .apply(create, header(1), |attributes| {
                fill(attributes, 1, 0);
                attributes.put(Cta::LABELS, &[0; 64]);
            })
            .expect_err("too long");
        assert!(error.to_string().contains("CTA_LABELS"), "{error}");

        let error = connection.get(Conntrack::GET, header(9), |question| {
            question.nest(Cta::TUPLE_ORIG, |there| tuple(9).write(there));
        });
        assert!(error.map(drop).expect_err("not there").is_not_found());
        // Nothing else was lost.
        assert_eq!(dumped(&mut connection, Family::UNSPEC, |_| {}).len(), 1);
    });
}

/// What a fresh dump says: keys and digests.
fn fresh(config: &Config, subject: Connections) -> BTreeMap<Key, u64> {
    let mut connection = open(config);
    let mut dump = connection.dump(subject.dump(), subject.header(), |_| {}).expect("a dump");
    let mut found = BTreeMap::new();
    while let Some(message) = dump.next_message().expect("a message") {
        if let Meaning::Beside(key) = subject.meaning(message) {
            found.insert(key, subject.digest(message));
        }
    }
    found
}

/// How much of what is kept differs from a fresh dump.
fn differences(watch: &Watch<Connections, Map>, config: &Config) -> usize {
    let fresh = fresh(config, *watch.subject());
    let kept: BTreeMap<Key, u64> = watch.store().iter().map(|(key, digest, _)| (*key, digest)).collect();
    let missing = fresh.iter().filter(|(key, digest)| kept.get(key) != Some(digest)).count();
    missing + kept.keys().filter(|key| !fresh.contains_key(key)).count()
}

#[test]
fn a_mirror_keeps_up() {
    over_engines("a_mirror_keeps_up", |config| {
        // Otherwise those that are made before anybody listens change and end without a word.
        std::fs::write("/proc/sys/net/netfilter/nf_conntrack_events", "1").expect("set");
        let mut connection = open(&config);
        make(&mut connection, 0..500);
        let watch_config = WatchConfig {
            protocol: NetlinkProtocol::NETFILTER,
            connection: config.clone(),
            pause: Duration::from_millis(5),
            ..WatchConfig::default()
        };
        let all = Connections(Family::UNSPEC);
        let mut watch = Watch::with(all, Map::new(), watch_config.clone()).expect("a watch");
        watch.catch_up(soon(), |_| Ok(())).expect("caught up");
        assert_eq!(differences(&watch, &config), 0);
        assert_eq!(watch.store().len(), 500);

        for round in 0..4_u16 {
            let first = 500 + round * 40;
            make(&mut connection, first..first + 40);
            delete(&mut connection, (first..first + 40).filter(|number| number % 3 == 0));
            connection
                .apply(Conntrack::NEW, header(1), |update| {
                    update.nest(Cta::TUPLE_ORIG, |there| tuple(1).write(there));
                    update.put(Cta::MARK, u32::from(round) + 100);
                })
                .expect("changed");
            let mut changed = None;
            watch
                .catch_up(soon(), |change| {
                    if let Change::Changed(body) = change {
                        changed = ConnectionView::read(body).expect("read").mark;
                    }
                    Ok(())
                })
                .expect("caught up");
            assert_eq!(changed, Some(u32::from(round) + 100));
            assert_eq!(differences(&watch, &config), 0, "round {round}");
        }
        assert_eq!(watch.figures().dumps, 1);

        let six = Connections(Family::IPV6);
        let mut watch = Watch::with(six, Map::new(), watch_config).expect("a watch");
        watch.catch_up(soon(), |_| Ok(())).expect("caught up");
        assert_eq!(differences(&watch, &config), 0);
        assert!(!watch.store().is_empty());
    });
}

#[test]
fn a_mirror_recovers_from_lost_events() {
    over_engines("a_mirror_recovers_from_lost_events", |config| {
        let mut connection = open(&config);
        make(&mut connection, 0..10);
        let small = SocketOptions { receive_buffer: Some(4096), ..SocketOptions::default() };
        let watch_config = WatchConfig {
            protocol: NetlinkProtocol::NETFILTER,
            connection: Config { socket: small, ..config.clone() },
            pause: Duration::from_millis(5),
            ..WatchConfig::default()
        };
        let all = Connections(Family::UNSPEC);
        let mut watch = Watch::with(all, Map::new(), watch_config).expect("a watch");
        watch.catch_up(soon(), |_| Ok(())).expect("caught up");
        make(&mut connection, 10..3000);
        delete(&mut connection, 100..2000);
        let mut lost = false;
        watch
            .catch_up(soon(), |change| {
                lost |= matches!(change, Change::Resync(Cause::Overrun { .. }));
                Ok(())
            })
            .expect("caught up");
        // A ring may hold them all.
        println!("lost {lost}, {} dumps", watch.figures().dumps);
        assert_eq!(differences(&watch, &config), 0);
        assert_eq!(watch.store().len(), 1100);
    });
}

/// Sets of timeouts, what protocols have without one, and named counters: as they are made, they are told.
#[test]
fn timeouts_and_counters_are_kept() {
    over_engines("timeouts_and_counters_are_kept", |config| {
        let mut connection = open(&config);
        let made = connection.apply(Timeouts::NEW.create().exclusive(), NetfilterHeader::default(), |set| {
            set.put(Timeout::NAME, "patient");
            set.put(Timeout::L3PROTO, u16::from(Family::IPV4.0));
            set.put(Timeout::L4PROTO, Protocol::TCP);
            set.choose(Timeout::DATA, TcpTimeouts, |tcp| tcp.put(TcpTimeouts::ESTABLISHED, 777));
        });
        if made.as_ref().is_err_and(|error| error.errno() == Some(libc::EINVAL)) {
            return println!("absent: timeouts_and_counters_are_kept: this kernel has no sets of timeouts");
        }
        made.expect("made");
        let established = |data: &Body<'_, TimeoutMessage>| {
            let tcp = data.attributes.chosen(Timeout::DATA, TcpTimeouts).expect("read").expect("of TCP");
            tcp.get(TcpTimeouts::ESTABLISHED).expect("read")
        };
        let mut dump = connection.dump(Timeouts::GET, NetfilterHeader::default(), |_| {}).expect("a dump");
        let set = dump.next().expect("an answer").expect("one");
        assert!(set.attributes.get(Timeout::NAME).expect("read").is_some_and(|name| name == "patient"));
        assert_eq!(established(&set), Some(777));
        assert!(dump.next().expect("the end").is_none());
        drop(dump);
        let reply = connection.get(Timeouts::DEFAULT_GET, NetfilterHeader::default(), |question| {
            question.put(Timeout::L3PROTO, u16::from(Family::IPV4.0));
            question.put(Timeout::L4PROTO, Protocol::TCP);
        });
        assert_eq!(established(&reply.expect("told").body()), Some(432_000));

        let made = connection.apply(Accounting::NEW.create().exclusive(), NetfilterHeader::default(), |counter| {
            counter.put(Counter::NAME, "guests");
            counter.put(Counter::QUOTA, 5000);
            counter.put(Counter::FLAGS, QuotaFlags::QUOTA_BYTES);
        });
        if made.as_ref().is_err_and(|error| error.errno() == Some(libc::EINVAL)) {
            return println!("absent: timeouts_and_counters_are_kept: this kernel has no named counters");
        }
        made.expect("made");
        let reply = connection.get(Accounting::GET, NetfilterHeader::default(), |counter| {
            counter.put(Counter::NAME, "guests");
        });
        let reply = reply.expect("told");
        let (packets, quota, flags, users) =
            reply.body().attributes.read((Counter::PKTS, Counter::QUOTA, Counter::FLAGS, Counter::USE)).expect("read");
        assert_eq!((packets, quota, flags, users), (Some(0), Some(5000), Some(QuotaFlags::QUOTA_BYTES), Some(1)));
    });
}
