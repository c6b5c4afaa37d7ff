//! Dumps that are disturbed: what the kernel flags is told, for each family that can flag it at all, and what was read is
//! handed out all the same.

use std::net::{Ipv4Addr, Ipv6Addr};

use ringlink::codec::follow::Subject;
use ringlink::codec::reply::End;
use ringlink::codec::route::watched::{Addresses, Links, Neighbours, Nexthops, Routes, Rules};
use ringlink::codec::route::{
    Address, AddressHeader, Family, Link, LinkHeader, LinkInfo, Neighbour, NeighbourHeader, NeighbourState, Nexthop,
    NexthopHeader, Route, RouteHeader, RouteProtocol, RouteType, Rtm, Rule, RuleAction, RuleHeader, Scope, ShortTable,
};
use ringlink::codec::wire::{Flags, MessageType, Messages};
use ringlink::engine::record::{Event, Recorder, Recording, Tape};
use ringlink::engine::ring::RingConfig;
use ringlink::engine::{self, EngineChoice, Sizes};
use ringlink::{Config, Connection, Protocol};

mod kernel;

use kernel::{asked_for, ip, isolated, missing, request_socket};

/// Dumps a table so many times, each time with a change after the first message, and says how often the end told of a
/// disturbance. Each end is held against the flags in the recording of its dump.
fn disturb<F: Subject>(
    choice: EngineChoice,
    subject: &F,
    least: u64,
    times: u32,
    mut change: impl FnMut(&mut Connection, u32),
) -> Option<u32> {
    let mut other = Connection::open(Protocol::ROUTE).expect("a connection");
    let mut flagged = 0;
    for time in 0..times {
        // A ring that has room for the whole dump has it before the change comes.
        let sizes = Sizes { ring: RingConfig { slots: 2, ..RingConfig::default() }, ..Sizes::default() };
        let engine = match engine::open_with(choice, sizes, request_socket()) {
            Ok(engine) => engine,
            Err(error) => {
                missing("disturbed dumps", &error.to_string());
                return None;
            }
        };
        let tape = Tape::default();
        let recorder = Recorder::new(engine, tape.clone(), "a disturbed dump").expect("a recorder");
        let mut connection = Connection::over(Box::new(recorder), Config::default());
        let mut dump = connection.dump(subject.dump(), subject.header(), |_| {}).expect("a dump");
        assert!(dump.next_message().expect("a message").is_some());
        change(&mut other, time);
        let mut count = 1;
        while dump.next_message().expect("a message").is_some() {
            count += 1;
        }
        let end: End = dump.end();
        assert!(count >= least, "{count} of {least}: what was read is handed out, disturbed or not");
        assert!(!end.truncated && end.skipped == 0, "{end:?}");
        drop(dump);
        drop(connection);
        let bytes = tape.bytes();
        let recording = Recording::parse(&bytes).expect("a recording");
        let (mut datagrams, mut told) = (0, false);
        for entry in recording.entries() {
            let Event::Received { bytes, .. } = entry.event else { continue };
            datagrams += 1;
            for message in Messages::new(bytes).map(|message| message.expect("whole")) {
                let of_dump = message.header.flags.contains(Flags::MULTI) || message.header.kind == MessageType::DONE;
                told |= of_dump && message.header.flags.contains(Flags::DUMP_INTERRUPTED);
            }
        }
        assert!(datagrams > 3, "{datagrams} datagrams: the change came in the middle");
        assert_eq!(end.interrupted, told, "the end says what the kernel said");
        flagged += u32::from(end.interrupted);
    }
    Some(flagged)
}

const TIMES: u32 = 72;

fn over_engines(name: &'static str, can_flag: bool, dumps: impl Fn(EngineChoice) -> Option<u32> + Sync) {
    for choice in asked_for([EngineChoice::Syscall, EngineChoice::Ring]) {
        isolated(name, || {
            ip("link set lo up");
            let Some(flagged) = dumps(choice) else { return };
            println!("{name}, {choice:?}: {flagged} of {TIMES} disturbed dumps were flagged");
            if can_flag {
                assert_eq!(flagged, TIMES, "{name} can be flagged");
            } else {
                assert_eq!(
                    flagged, 0,
                    "{name} cannot be flagged: if it can now, the table in `route::watched` is wrong"
                );
            }
        });
    }
}

fn refused_or_done(result: Result<Option<String>, ringlink::Error>) {
    result.expect("a change");
}

#[test]
fn links_are_flagged() {
    over_engines("links", true, |choice| {
        let mut connection = Connection::open(Protocol::ROUTE).expect("a connection");
        let add = |connection: &mut Connection, name: &str| {
            refused_or_done(connection.apply(Rtm::NEWLINK.create().exclusive(), LinkHeader::default(), |link| {
                link.put(Link::IFNAME, name);
                link.nest(Link::LINKINFO, |info| info.put(LinkInfo::KIND, "bridge"));
            }));
        };
        (0..80).for_each(|number| add(&mut connection, &format!("b{number}")));
        disturb(choice, &Links, 80, TIMES, |connection, time| {
            match time % 2 {
                0 => add(connection, "x0"),
                _ => refused_or_done(
                    connection.apply(Rtm::DELLINK, LinkHeader::default(), |link| link.put(Link::IFNAME, "x0")),
                ),
            };
        })
    });
}

#[test]
fn addresses_are_flagged() {
    over_engines("addresses", true, |choice| {
        let mut connection = Connection::open(Protocol::ROUTE).expect("a connection");
        let header = AddressHeader { family: Family::INET, prefixlen: 32, index: 1, ..AddressHeader::default() };
        let address = |number: u32| Ipv4Addr::from(0x0a00_0000 + number);
        for number in 0..2000 {
            refused_or_done(
                connection.apply(Rtm::NEWADDR.create(), header, |to| to.put(Address::LOCAL, address(number))),
            );
        }
        disturb(choice, &Addresses(Family::INET), 2000, TIMES, |connection, time| {
            let operation = if time % 2 == 0 { Rtm::NEWADDR.create() } else { Rtm::DELADDR };
            refused_or_done(connection.apply(operation, header, |to| to.put(Address::LOCAL, address(5000))));
        })
    });
}

fn route(
    family: Family,
    number: u32,
) -> (RouteHeader, impl Fn(&mut ringlink::codec::table::AttributeWriter<'_, '_, Route>)) {
    let header = RouteHeader {
        family,
        dst_len: if family == Family::INET { 32 } else { 128 },
        table: ShortTable::MAIN,
        protocol: RouteProtocol::STATIC,
        scope: Scope::LINK,
        kind: RouteType::UNICAST,
        ..RouteHeader::default()
    };
    (header, move |route| {
        match family {
            Family::INET => route.put(Route::DST, Ipv4Addr::from(0x0a00_0000 + number)),
            _ => route.put(Route::DST, Ipv6Addr::from(0x2001_0db8_u128 << 96 | u128::from(number))),
        }
        route.put(Route::OIF, 1);
    })
}

#[test]
fn routes_are_not_flagged() {
    for family in [Family::INET, Family::INET6] {
        over_engines("routes", false, |choice| {
            let mut connection = Connection::open(Protocol::ROUTE).expect("a connection");
            let mut batch = connection.batch();
            for number in 0..3000 {
                let (header, fill) = route(family, number);
                batch.add(Rtm::NEWROUTE.create(), header, fill).expect("added");
            }
            assert!(batch.finish().expect("sent").failures().is_empty());
            disturb(choice, &Routes(family), 2990, TIMES, |connection, time| {
                let (header, fill) = route(family, 5000);
                let operation = if time % 2 == 0 { Rtm::NEWROUTE.create() } else { Rtm::DELROUTE };
                refused_or_done(connection.apply(operation, header, fill));
            })
        });
    }
}

#[test]
fn neighbours_are_not_flagged() {
    over_engines("neighbours", false, |choice| {
        ip("link add v0 type veth peer name v1");
        ip("link set v0 up");
        let ifindex = {
            let mut connection = Connection::open(Protocol::ROUTE).expect("a connection");
            let reply = connection.get(Rtm::GETLINK, LinkHeader::default(), |link| link.put(Link::IFNAME, "v0"));
            reply.expect("an answer").body().header.index
        };
        let state = NeighbourState::PERMANENT;
        let header = NeighbourHeader { family: Family::INET, ifindex, state, ..NeighbourHeader::default() };
        let change = |connection: &mut Connection, number: u32, add: bool| {
            let operation = if add { Rtm::NEWNEIGH.create() } else { Rtm::DELNEIGH };
            refused_or_done(connection.apply(operation, header, |neighbour| {
                neighbour.put(Neighbour::DST, Ipv4Addr::from(0x0a00_0000 + number));
                neighbour.put(Neighbour::LLADDR, [2, 0, 0, 0, 0, 1]);
            }));
        };
        let mut connection = Connection::open(Protocol::ROUTE).expect("a connection");
        (0..1500).for_each(|number| change(&mut connection, number, true));
        disturb(choice, &Neighbours(Family::INET), 1500, TIMES, |connection, time| {
            change(connection, 5000, time % 2 == 0);
        })
    });
}

#[test]
fn rules_are_not_flagged() {
    over_engines("rules", false, |choice| {
        let header = RuleHeader {
            family: Family::INET,
            table: ShortTable(100),
            action: RuleAction::TO_TBL,
            ..RuleHeader::default()
        };
        let change = |connection: &mut Connection, priority: u32, add: bool| {
            let operation = if add { Rtm::NEWRULE.create().exclusive() } else { Rtm::DELRULE };
            refused_or_done(connection.apply(operation, header, |rule| rule.put(Rule::PRIORITY, priority)));
        };
        let mut connection = Connection::open(Protocol::ROUTE).expect("a connection");
        (0..2000).for_each(|number| change(&mut connection, 1000 + number, true));
        disturb(choice, &Rules(Family::INET), 2000, TIMES, |connection, time| change(connection, 9000, time % 2 == 0))
    });
}

#[test]
fn next_hops_are_flagged() {
    over_engines("next hops", true, |choice| {
        let header = NexthopHeader { family: Family::INET, ..NexthopHeader::default() };
        let change = |connection: &mut Connection, id: u32, add: bool| {
            let result = match add {
                true => connection.apply(Rtm::NEWNEXTHOP.create().exclusive(), header, |hop| {
                    hop.put(Nexthop::ID, id);
                    hop.put(Nexthop::BLACKHOLE, ());
                }),
                false => connection.apply(Rtm::DELNEXTHOP, NexthopHeader::default(), |hop| hop.put(Nexthop::ID, id)),
            };
            refused_or_done(result);
        };
        let mut connection = Connection::open(Protocol::ROUTE).expect("a connection");
        (1..=4000).for_each(|id| change(&mut connection, id, true));
        disturb(choice, &Nexthops, 4000, TIMES, |connection, time| change(connection, 9000, time % 2 == 0))
    });
}
