//! A kernel that is only played: what stands on engines, without a socket.

use std::collections::BTreeMap;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::task::Poll;
use std::time::{Duration, Instant};

use ringlink::codec::netfilter::nftables::{Nft, Table};
use ringlink::codec::netfilter::{Family, NetfilterHeader};
use ringlink::codec::prelude::*;
use ringlink::codec::reply::Errno;
use ringlink::codec::route::watched::Links;
use ringlink::codec::route::{Group, Link, LinkHeader, Rtm};
use ringlink::connection::steps::Advance;
use ringlink::engine::faults::{Fault, Plan};
use ringlink::engine::mock::Mock;
use ringlink::engine::record::{Recorder, Recording, Replay, Tape};
use ringlink::engine::{Deadline, EngineKind};
use ringlink::server::{self, Answer, Request, Service};
use ringlink::watch::{Cause, Change, Map};
use ringlink::{Config, Connection, Error, Protocol};

/// Interfaces' MTUs, by index.
#[derive(Default)]
struct Interfaces {
    links: BTreeMap<i32, u32>,
    interruptions: u32,
    /// Dumps that break off behind so many parts.
    breaks: Option<u64>,
    /// With what, where that is not `EIO`.
    broken: Option<Errno>,
    /// Whether requests are not answered at all.
    deaf: bool,
}

impl Service for Interfaces {
    fn answer(&mut self, request: &Request<'_>, answer: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>> {
        let kind = request.message.header.kind;
        if kind == Rtm::GETLINK.kind && request.is_dump() {
            if self.interruptions > 0 {
                self.interruptions -= 1;
                answer.interrupted();
            }
            for (index, mtu) in self.links.range(answer.cursor() as i32..) {
                if self.breaks.is_some_and(|parts| answer.cursor() >= parts) {
                    return Err(Refusal::new(self.broken.unwrap_or(Errno::IO)).saying("the table broke"));
                }
                if !answer.part(*index as u64 + 1, Rtm::GETLINK, header(*index), |link| link.put(Link::MTU, *mtu))? {
                    break;
                }
            }
            Ok(())
        } else if kind == Rtm::GETLINK.kind {
            let index = request.body(Rtm::GETLINK)?.header.index;
            let mtu = *self.links.get(&index).ok_or(Refusal::new(Errno::NODEV))?;
            match self.deaf {
                true => Ok(()),
                false => answer.item(Rtm::GETLINK, header(index), |link| link.put(Link::MTU, mtu)),
            }
        } else if kind == Rtm::SETLINK.kind {
            let change = request.body(Rtm::SETLINK)?;
            let (index, mtu) = (change.header.index, change.attributes.get(Link::MTU)?);
            let mtu = mtu.ok_or(Refusal::new(Errno::INVAL).lacking(Link::MTU))?;
            if mtu > 9000 {
                let place = change.attributes.place(Link::MTU);
                return Err(Refusal::new(Errno::INVAL).saying("mtu greater than device maximum").at(place));
            }
            self.links.insert(index, mtu);
            answer.tell(Group::LINK.0, Rtm::NEWLINK, header(index), |link| link.put(Link::MTU, mtu))
        } else {
            Err(server::unknown())
        }
    }
}

fn header(index: i32) -> LinkHeader {
    LinkHeader { index, ..LinkHeader::default() }
}

fn kernel(links: i32) -> Mock<Interfaces> {
    let links = (1..=links).map(|index| (index, 1500)).collect();
    Mock::new(Protocol::ROUTE, Interfaces { links, ..Interfaces::default() })
}

fn indexes(connection: &mut Connection) -> Result<(Vec<i32>, End), Error> {
    let mut indexes = Vec::new();
    let end = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?.for_each(|link| {
        indexes.push(link.header.index);
        Ok(())
    })?;
    Ok((indexes, end))
}

fn set(connection: &mut Connection, index: i32, mtu: u32) -> Result<Option<String>, Error> {
    connection.apply(Rtm::SETLINK, header(index), |link| link.put(Link::MTU, mtu))
}

fn mtu(connection: &mut Connection, index: i32) -> Result<Option<u32>, Error> {
    Ok(connection.get(Rtm::GETLINK, header(index), |_| {})?.body().attributes.get(Link::MTU)?)
}

#[test]
fn requests_and_refusals() {
    let kernel = kernel(3);
    let mut connection = kernel.connection().expect("a connection");
    assert_eq!(connection.statistics().engine, EngineKind::Mock);
    assert_eq!(indexes(&mut connection).map(|(indexes, end)| (indexes, end.is_complete())), Ok((vec![1, 2, 3], true)));
    assert_eq!(set(&mut connection, 2, 1400), Ok(None));
    assert_eq!(mtu(&mut connection, 2), Ok(Some(1400)));
    assert_eq!(kernel.with(|interfaces| interfaces.links.get(&2).copied()), Some(1400));
    let error = set(&mut connection, 2, 65_000).expect_err("too much").to_string();
    assert_eq!(error, "RTM_SETLINK refused: Invalid argument (EINVAL): mtu greater than device maximum, at IFLA_MTU");
    let error = connection.apply(Rtm::SETLINK, header(2), |_| {}).expect_err("nothing to set");
    assert!(error.to_string().ends_with("IFLA_MTU is missing"), "{error}");
    assert!(mtu(&mut connection, 9).is_err_and(|error| error.is_not_found()));
    assert!(connection.apply(Rtm::NEWLINK, header(2), |_| {}).is_err_and(|error| error.is_unsupported()));

    let mut batch = connection.batch();
    for index in 1..=100 {
        batch.add(Rtm::SETLINK, header(index), |link| link.put(Link::MTU, 8950 + index as u32)).expect("added");
    }
    let outcomes = batch.finish().expect("outcomes");
    assert_eq!((outcomes.count(), outcomes.failures().len(), outcomes.failures()[0].index), (100, 50, 50));
    let mut found = 0;
    let mut lookups = connection.lookups(Rtm::GETLINK, |_, link| {
        found += u32::from(link.is_ok());
        Ok(())
    });
    for index in 1..=100 {
        lookups.add(header(index), |_| {}).expect("added");
    }
    assert_eq!((lookups.finish(), found), (Ok(100), 50));
}

#[test]
fn long_dumps_come_in_parts() {
    let kernel = kernel(5000);
    let mut connection = kernel.connection().expect("a connection");
    let (all, end) = indexes(&mut connection).expect("all");
    assert!(all.len() == 5000 && end.is_complete() && all.is_sorted());
    assert!(connection.statistics().counters.datagrams > 4);

    // What changes meanwhile is seen by the next part, as with a kernel.
    let mut dump = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("begun");
    assert_eq!(dump.next().expect("one").map(|link| link.header.index), Some(1));
    kernel.with(|interfaces| interfaces.links.retain(|index, _| *index < 4000));
    let mut count = 1;
    while dump.next().expect("one").is_some() {
        count += 1;
    }
    assert_eq!(count, 3999);
    drop(dump);

    // One that is given up leaves the connection usable.
    for _ in 0..3 {
        let mut dump = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("begun");
        assert!(dump.next().expect("one").is_some());
        drop(dump);
        assert_eq!(mtu(&mut connection, 7), Ok(Some(1500)));
    }
    assert_eq!(indexes(&mut connection).map(|(all, _)| all.len()), Ok(3999));
}

#[test]
fn dumps_are_interrupted_and_broken_off_on_demand() {
    let kernel = kernel(3);
    let mut connection = kernel.connection().expect("a connection");
    kernel.with(|interfaces| interfaces.interruptions = 1);
    assert!(indexes(&mut connection).expect("all").1.interrupted);
    assert!(!indexes(&mut connection).expect("all").1.interrupted);
    kernel.with(|interfaces| interfaces.breaks = Some(2));
    let error = indexes(&mut connection).expect_err("broken off").to_string();
    assert_eq!(error, "RTM_GETLINK refused: Input/output error (EIO): the table broke");
    kernel.with(|interfaces| interfaces.breaks = None);
    assert_eq!(indexes(&mut connection).map(|(indexes, _)| indexes.len()), Ok(3));
}

#[test]
fn what_does_not_come_ends_at_the_deadline() {
    let kernel = kernel(1);
    kernel.with(|interfaces| interfaces.deaf = true);
    let config = Config { deadline: Some(Duration::from_millis(50)), ..Config::default() };
    let mut connection = Connection::over(kernel.engine().expect("an engine"), config);
    let start = Instant::now();
    assert_eq!(mtu(&mut connection, 1), Err(Error::TimedOut));
    assert!(start.elapsed() >= Duration::from_millis(50));
    let monitor = kernel.monitor(&[Group::LINK.0]).expect("a monitor");
    assert_eq!(monitor.receive(Deadline::after(Duration::ZERO)).map(drop), Err(Error::TimedOut));
}

#[test]
fn monitors_hear_what_is_told_their_groups() {
    let kernel = kernel(1);
    let monitor = kernel.monitor(&[Group::LINK.0]).expect("a monitor");
    let other = kernel.monitor(&[Group::IPV4_ROUTE.0]).expect("a monitor");
    let mut connection = kernel.connection().expect("a connection");
    set(&mut connection, 1, 1400).expect("set");
    kernel.tell(Group::LINK.0, Rtm::DELLINK, header(9), |_| {}).expect("told");
    let heard = |kind| {
        let notice = monitor.receive(Deadline::after(Duration::ZERO)).expect("an event");
        assert_eq!(notice.group(), Group::LINK.0);
        let message = notice.messages().next().expect("one").expect("whole");
        assert_eq!(message.header.kind, kind);
    };
    heard(Rtm::NEWLINK.kind);
    heard(Rtm::DELLINK.kind);
    assert!(monitor.receive(Deadline::after(Duration::ZERO)).is_err_and(|error| error.is_timed_out()));
    assert!(other.receive(Deadline::after(Duration::ZERO)).is_err_and(|error| error.is_timed_out()));

    // Another thread's wait ends when something is told.
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| {
            let other = kernel.monitor(&[5]).expect("a monitor");
            let notice = other.receive(Deadline::after(Duration::from_secs(20))).map(|notice| notice.bytes().len());
            notice.expect("an event")
        });
        while !waits.is_finished() {
            kernel.tell(5, Rtm::NEWLINK, header(1), |_| {}).expect("told");
            std::thread::yield_now();
        }
        assert_eq!(waits.join().expect("no panic"), 32);
    });
}

#[test]
fn a_watch_follows_and_reads_anew_after_losses() {
    let kernel = kernel(3);
    kernel.with(|interfaces| interfaces.interruptions = 2);
    let mut watch = kernel.watch(Links, Map::new()).expect("a watch");
    let mut told = Vec::new();
    let mut catch_up = |watch: &mut ringlink::watch::Watch<Links, Map>| {
        let until = Deadline::after(Duration::from_secs(20));
        watch
            .catch_up(until, |change| {
                told.push(match change {
                    Change::Resync(cause) => format!("resync {cause:?}"),
                    Change::Added(link) => format!("+{}", link.header.index),
                    Change::Changed(link) => format!("~{}", link.header.index),
                    Change::Removed(link) => format!("-{}", link.header.index),
                    Change::Synced(end) => format!("synced {}", end.is_complete()),
                });
                Ok(())
            })
            .expect("caught up");
        std::mem::take(&mut told)
    };
    let disturbed = format!("resync {:?}", Cause::Disturbed);
    let first = catch_up(&mut watch);
    let expected = [
        &*format!("resync {:?}", Cause::First),
        "+1",
        "+2",
        "+3",
        "synced false",
        &*disturbed,
        "synced false",
        &*disturbed,
        "synced true",
    ];
    assert_eq!(first, expected);
    let mut connection = kernel.connection().expect("a connection");
    set(&mut connection, 2, 1400).expect("set");
    assert_eq!(catch_up(&mut watch), ["~2"]);

    // Something changes without a word, and the kernel says that events were lost.
    kernel.with(|interfaces| {
        interfaces.links.remove(&1);
        interfaces.links.insert(3, 1300);
    });
    kernel.overrun(7);
    let lost = catch_up(&mut watch);
    assert_eq!(lost, [&*format!("resync {:?}", Cause::Overrun { drops: 7 }), "~3", "-1", "synced true"]);
    assert_eq!(watch.store().len(), 2);
}

/// Whether poll(2) says at once that it may be read.
fn is_readable(descriptor: BorrowedFd<'_>) -> bool {
    let mut entry = libc::pollfd { fd: descriptor.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one entry, which is a local.
    unsafe { libc::poll(&raw mut entry, 1, 0) == 1 }
}

#[test]
fn by_steps_and_with_a_descriptor_that_says_when() {
    let kernel = kernel(5000);
    let monitor = kernel.monitor(&[Group::LINK.0]).expect("a monitor");
    assert!(!is_readable(monitor.descriptor()));
    let mut connection = kernel.connection().expect("a connection");
    assert!(!is_readable(connection.descriptor()));
    let mut get = connection.start_get(Rtm::GETLINK, header(7), |_| {}).expect("begun");
    assert_eq!(get.advance().map(|ready| ready.is_ok()), std::task::Poll::Ready(true));
    assert_eq!(get.answer().header.index, 7);
    drop(get);
    assert!(!is_readable(connection.descriptor()));
    set(&mut connection, 1, 1400).expect("set");
    assert!(is_readable(monitor.descriptor()));
    drop(monitor.receive(Deadline::after(Duration::ZERO)).expect("an event"));
    assert!(!is_readable(monitor.descriptor()));

    // While a dump is under way there is always more.
    let mut dump = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("begun");
    assert!(dump.next().expect("one").is_some());
    drop(dump);
    assert!(is_readable(connection.descriptor()));
    assert_eq!(indexes(&mut connection).map(|(all, _)| all.len()), Ok(5000));
    assert!(!is_readable(connection.descriptor()));
}

#[test]
fn a_session_is_recorded_and_replayed() {
    let (kernel, tape) = (kernel(2000), Tape::default());
    let recorder = Recorder::new(kernel.engine().expect("an engine"), tape.clone(), "a mock").expect("a recorder");
    let mut connection = Connection::over(Box::new(recorder), Config::default());
    let live = indexes(&mut connection).expect("all");
    let replay = Replay::new(Recording::parse(&tape.bytes()).expect("a recording")).expect("a replay");
    let mut connection = Connection::over(Box::new(replay), Config::default());
    assert_eq!(indexes(&mut connection), Ok(live));
}

/// Every truncation of a request, and every byte of it another: answered or not, and the next is.
#[test]
fn requests_that_are_short_or_lie() {
    let kernel = kernel(3);
    let engine = kernel.engine().expect("an engine");
    let mut buffer = Buffer::<256>::new();
    let now = Deadline::after(Duration::ZERO);
    for flags in [Flags::ACK, Flags::ACK | Flags::DUMP] {
        let operations = [Rtm::SETLINK.with(flags).kind, Rtm::GETLINK.with(flags).kind];
        for kind in operations {
            let bytes = buffer.message(Rtm::SETLINK.with(flags), header(2), |link| {
                link.put(Link::MTU, 1400);
                link.put(Link::IFNAME, "name");
            });
            let mut bytes = bytes.expect("room").to_vec();
            bytes[4..6].copy_from_slice(&kind.0.to_ne_bytes());
            for length in 0..=bytes.len() {
                engine.send(&bytes[..length]).expect("taken");
                // The same, not lying about its length.
                let mut cut = bytes[..length].to_vec();
                if let Some(place) = cut.first_chunk_mut() {
                    *place = (length as u32).to_ne_bytes();
                }
                engine.send(&cut).expect("taken");
            }
            for place in 0..bytes.len() {
                for byte in [0, 1, 3, 4, 0x7f, 0x80, 0xff] {
                    let mut other = bytes.clone();
                    other[place] = byte;
                    engine.send(&other).expect("taken");
                }
            }
            let mut answers = 0;
            while let Ok(datagram) = engine.receive(now) {
                answers += Messages::new(&datagram).filter(|message| message.is_ok()).count();
            }
            assert!(answers > 0);
        }
    }
    let mut connection = kernel.connection().expect("a connection");
    assert!(mtu(&mut connection, 2).is_ok());
}

#[test]
fn a_closure_will_do() {
    let kernel = Mock::new(Protocol::ROUTE, |request: &Request<'_>, answer: &mut Answer<'_, '_>| {
        let change = request.body(Rtm::SETLINK).map_err(|_| server::unknown())?;
        answer.warn("as you like");
        answer.tell(Group::LINK.0, Rtm::NEWLINK, change.header, |_| {})
    });
    let mut connection = kernel.connection().expect("a connection");
    assert_eq!(set(&mut connection, 1, 1), Ok(Some("as you like".to_owned())));
    assert!(mtu(&mut connection, 1).is_err_and(|error| error.is_unsupported()));
}

/// Makes a table in a transaction.
fn make_a_table(connection: &mut Connection) -> Result<(), Error> {
    let mut transaction = connection.transaction();
    transaction.add(Nft::NEWTABLE.create(), NetfilterHeader::of(Family::INET), |table| table.put(Table::NAME, "t"))?;
    transaction.commit()
}

#[test]
fn a_firewall_is_played_too() {
    let mut asked = 0;
    let kernel = Mock::new(Protocol::NETFILTER, move |_: &Request<'_>, answer: &mut Answer<'_, '_>| {
        asked += 1;
        // What brackets a transaction are messages as well.
        if asked == 5 {
            return Err(Refusal::new(Errno::EXIST));
        }
        answer.warn("as you like");
        Ok(())
    });
    let mut connection = kernel.connection().expect("a connection");
    assert_eq!(make_a_table(&mut connection), Ok(()));
    assert!(make_a_table(&mut connection).is_err_and(|error| error.already_exists()));
    // More commands than the receive buffer has room for refusals.
    let mut transaction = connection.transaction();
    for _ in 0..1000 {
        let inet = NetfilterHeader::of(Family::INET);
        transaction.add(Nft::NEWTABLE.create(), inet, |table| table.put(Table::NAME, "t")).expect("added");
    }
    assert_eq!(transaction.commit(), Ok(()));
}

/// A connection that meets what a plan says.
fn faulty(kernel: &Mock<Interfaces>, plan: &Plan) -> Connection {
    // Nothing here comes near it.
    let config = Config { deadline: Some(Duration::from_secs(60)), ..Config::default() };
    Connection::over(plan.over(kernel.engine().expect("an engine")).expect("an engine"), config)
}

/// Everything comes, and nobody waits for it.
fn dumps_at_once(connection: &mut Connection, links: usize) {
    let start = Instant::now();
    assert_eq!(indexes(connection).map(|(indexes, end)| (indexes.len(), end.is_complete())), Ok((links, true)));
    assert!(start.elapsed() < Duration::from_secs(30), "it waited for what had come already");
}

#[test]
fn a_dump_that_is_dropped_in_its_last_datagram_has_ended() {
    // The end is in the datagram of the answers.
    let kernel = kernel(3);
    let mut connection = faulty(&kernel, &Plan::quiet());
    let mut dump = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("begun");
    assert!(dump.next().expect("one").is_some());
    drop(dump);
    dumps_at_once(&mut connection, 3);
    let dump = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("begun");
    assert_eq!(dump.for_each(|_| Err(Error::Full)), Err(Error::Full));
    dumps_at_once(&mut connection, 3);
    let mut dump = connection.start_dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("written");
    assert_eq!(dump.advance(), Poll::Ready(Ok(true)));
    drop(dump);
    dumps_at_once(&mut connection, 3);
    // What is left out has an end, too.
    let mut dump = connection.start_dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("written");
    assert_eq!(dump.advance_each(|_| Err(Error::Full)), Poll::Ready(Err(Error::Full)));
    assert_eq!(dump.advance_each(|_| Ok(())), Poll::Ready(Ok(false)));
}

#[test]
fn a_transaction_sees_the_end_of_a_dump_that_was_given_up() {
    let kernel = Mock::new(Protocol::NETFILTER, |request: &Request<'_>, answer: &mut Answer<'_, '_>| {
        if request.is_dump() {
            for index in answer.cursor() + 1..=3 {
                if !answer.part(index, Rtm::GETLINK, header(index as i32), |_| {})? {
                    break;
                }
            }
        }
        Ok(())
    });
    let plan = Plan::quiet();
    let config = Config { deadline: Some(Duration::from_secs(60)), ..Config::default() };
    let mut connection = Connection::over(plan.over(kernel.engine().expect("an engine")).expect("an engine"), config);
    dumps_at_once(&mut connection, 3);
    // All of it comes late, and so before the transaction's answer.
    plan.inject(Fault::Late);
    assert_eq!(connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).map(drop), Err(Error::TimedOut));
    make_a_table(&mut connection).expect("made");
    dumps_at_once(&mut connection, 3);
}

#[test]
fn a_request_was_sent_although_the_receive_failed() {
    let (kernel, plan) = (kernel(5000), Plan::quiet());
    let mut connection = faulty(&kernel, &plan);
    let mut made = 0;
    for mtu in 1..=30 {
        plan.inject(Fault::Receive);
        match set(&mut connection, 1, mtu) {
            // The end of a dump may make a receive fail with EINVAL, that of the next request even.
            Ok(_) => made += 1,
            Err(error) => assert!(matches!(error.errno(), Some(libc::ENOMEM | libc::EINTR)), "{error}"),
        }
        assert_eq!(kernel.with(|interfaces| interfaces.links[&1]), mtu);
        plan.inject(Fault::Receive);
        let dump = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).map(drop);
        assert!(dump.is_ok() || dump.is_err_and(|error| error.refused().is_none()));
        dumps_at_once(&mut connection, 5000);
    }
    assert!((1..30).contains(&made), "{made} of 30");
    assert_eq!(plan.count(Fault::Receive), 60);
}

#[test]
fn an_end_that_was_lost_is_not_waited_for_twice() {
    let (kernel, plan) = (kernel(5000), Plan::quiet());
    let mut connection = faulty(&kernel, &plan);
    dumps_at_once(&mut connection, 5000);
    for fault in [Fault::Silence, Fault::Overrun, Fault::Truncated, Fault::Late] {
        for _ in 0..8 {
            let mut dump = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("begun");
            assert!(dump.next().expect("one").is_some());
            drop(dump);
            plan.inject(fault);
            // What comes late is under way after all.
            let busy = indexes(&mut connection).is_err_and(|error| error.errno() == Some(libc::EBUSY));
            assert!(!busy || fault == Fault::Late);
            dumps_at_once(&mut connection, 5000);
            assert_eq!(mtu(&mut connection, 7), Ok(Some(1500)));
        }
    }
}

#[test]
fn a_verdict_without_a_number_is_no_success() {
    let (kernel, plan) = (kernel(3), Plan::quiet());
    let mut connection = faulty(&kernel, &plan);
    let hollow = |error: &Error| error.to_string().contains("0 bytes");
    plan.inject(Fault::Hollow);
    assert!(set(&mut connection, 1, 1400).is_err_and(|error| hollow(&error)));
    let mut apply = connection.start_apply(Rtm::SETLINK, header(1), |link| link.put(Link::MTU, 1400)).expect("written");
    plan.inject(Fault::Hollow);
    assert!(matches!(apply.advance(), Poll::Ready(Err(error)) if hollow(&error)));
    plan.inject(Fault::Hollow);
    assert!(mtu(&mut connection, 9).is_err_and(|error| hollow(&error)));
    let mut batch = connection.batch();
    batch.add(Rtm::SETLINK, header(1), |link| link.put(Link::MTU, 1300)).expect("added");
    plan.inject(Fault::Hollow);
    assert!(batch.flush().is_err_and(|error| hollow(&error)));
    batch.add(Rtm::SETLINK, header(1), |link| link.put(Link::MTU, 1300)).expect("added");
    // Of the first one it is still not known.
    assert!(batch.finish().is_err_and(|error| hollow(&error)));
    let mut answers = Vec::new();
    let mut lookups = connection.lookups(Rtm::GETLINK, |_, link| {
        answers.push(link.map(drop));
        Ok(())
    });
    lookups.add(header(9), |_| {}).expect("added");
    plan.inject(Fault::Hollow);
    assert_eq!(lookups.finish(), Ok(1));
    assert!(matches!(&answers[..], [Err(error)] if hollow(error)));
    let all = |_: &Request<'_>, _: &mut Answer<'_, '_>| Ok::<(), Refusal<'static>>(());
    let firewall = Mock::new(Protocol::NETFILTER, all).engine().expect("an engine");
    let mut connection = Connection::over(plan.over(firewall).expect("an engine"), Config::default());
    plan.inject(Fault::Hollow);
    assert!(make_a_table(&mut connection).is_err_and(|error| hollow(&error)));
    assert_eq!(plan.count(Fault::Hollow), 6);
}

#[test]
fn what_others_say_is_not_read() {
    let (kernel, plan) = (kernel(3), Plan::quiet());
    let mut connection = faulty(&kernel, &plan);
    for fault in [Fault::Stranger, Fault::Event] {
        // Made up of the answers, their lengths and all, so that it cannot be taken apart.
        plan.inject(fault);
        dumps_at_once(&mut connection, 3);
        plan.inject(fault);
        assert_eq!(mtu(&mut connection, 2), Ok(Some(1500)));
        plan.inject(fault);
        assert_eq!(set(&mut connection, 2, 1500), Ok(None));
    }
    assert_eq!(plan.total(), 6);
}

#[test]
fn a_dump_that_breaks_off_empties_no_mirror() {
    let kernel = kernel(3);
    let mut watch = kernel.watch(Links, Map::new()).expect("a watch");
    let until = Deadline::after(Duration::from_secs(20));
    watch.catch_up(until, |_| Ok(())).expect("caught up");
    kernel.with(|interfaces| (interfaces.breaks, interfaces.broken) = (Some(2), Some(Errno::NODEV)));
    watch.resync();
    assert!(watch.catch_up(until, |_| Ok(())).is_err_and(|error| error.is_not_found()));
    assert!(!watch.is_live() && watch.store().len() == 3);
    // Where there is nothing to read, there is nothing.
    kernel.with(|interfaces| interfaces.breaks = Some(0));
    watch.catch_up(until, |_| Ok(())).expect("caught up");
    assert!(watch.is_live() && watch.store().is_empty());
}
