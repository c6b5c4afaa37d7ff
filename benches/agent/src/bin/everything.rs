//! Calls what the codec has for reading and writing, for every family: a binary that links has nothing in it that panics. It is
//! not meant to do anything; it is built, its symbols are looked at, and it is run once on nothing.
//!
//! Left out is what prints, and the compiler of socket filters, which reads addresses: `core::fmt` and `core::str` have panics of
//! their own.

#![no_std]
#![no_main]

#[allow(dead_code, reason = "the agent uses the rest")]
#[path = "../memory.rs"]
mod memory;
#[allow(dead_code, reason = "the agent uses the rest")]
#[path = "../system.rs"]
mod system;

use core::hint::black_box;
use core::net::{IpAddr, Ipv4Addr};
use core::num::NonZeroU32;
use core::ops::RangeInclusive;

use ringlink_codec::answer::{Answers, Echo, Request};
use ringlink_codec::audit::{Assembler, Record, RecordType, Rule, RuleHeader};
use ringlink_codec::connector::{Notice, Parts, Sequences};
use ringlink_codec::diag::bytecode::Instructions;
use ringlink_codec::diag::{
    InetAnswer, NetlinkAnswer, NetlinkSocketView, PacketAnswer, PacketSocketView, SocketView, UnixAnswer,
    UnixSocketView,
};
use ringlink_codec::exchange::Pending;
use ringlink_codec::follow::{FixedTable, Follower};
use ringlink_codec::netfilter;
use ringlink_codec::netfilter::conntrack::{ConnectionView, Conntrack, Expect, ExpectationView};
use ringlink_codec::netfilter::ipset::{IpSet, SetView};
use ringlink_codec::netfilter::log::{self, Log};
use ringlink_codec::netfilter::nftables::{self, CmpOp, CtState, NatTarget, NatType, Nft, Port, RuleWriter};
use ringlink_codec::netfilter::queue::{self, Queue};
use ringlink_codec::prelude::*;
use ringlink_codec::reply::Errno;
use ringlink_codec::route::{
    AddressView, Link, LinkHeader, LinkInfo, LinkView, NeighbourView, NextHopHeader, Route, RouteHeader, RouteView,
    Rtm, RuleView, Vlan,
};
use ringlink_codec::uevent::Uevent;
use ringlink_codec::xfrm::{PolicyView, StateView, Xfrm};

/// The buffer that `system` has.
const DATAGRAM: usize = 32 * 1024;

/// Counts what could be done. What it is given is not known when this is built.
fn run(_: Option<NonZeroU32>, buffer: &mut [u8; DATAGRAM]) -> i32 {
    let Some((input, output)) = black_box(buffer).split_at_mut_checked(DATAGRAM / 2) else { return 1 };
    let input: &[u8] = input;
    let done =
        read(input) + request(input) + follow(input) + text(input) + write(input, output) + answer(input, output);
    black_box(done);
    0
}

/// Every view.
fn read(input: &[u8]) -> usize {
    let mut done = 0;
    for message in Messages::new(input).map_while(Result::ok) {
        macro_rules! views {
            ($($operation:expr => $view:ty,)*) => {$(
                if let Ok(body) = message.body($operation) {
                    done += usize::from(black_box(<$view>::read(body)).is_ok());
                }
            )*};
        }
        views! {
            Rtm::NEWLINK => LinkView,
            Rtm::NEWADDR => AddressView,
            Rtm::NEWROUTE => RouteView,
            Rtm::NEWNEIGH => NeighbourView,
            Rtm::NEWRULE => RuleView,
            Xfrm::NEWSA => StateView,
            Xfrm::NEWPOLICY => PolicyView,
            InetAnswer::SOCK_DIAG_BY_FAMILY => SocketView,
            UnixAnswer::SOCK_DIAG_BY_FAMILY => UnixSocketView,
            NetlinkAnswer::SOCK_DIAG_BY_FAMILY => NetlinkSocketView,
            PacketAnswer::SOCK_DIAG_BY_FAMILY => PacketSocketView,
            Conntrack::NEW => ConnectionView,
            Expect::NEW => ExpectationView,
            IpSet::LIST => SetView,
            Log::PACKET => log::PacketView,
            Queue::PACKET => queue::PacketView,
            Nft::NEWTABLE => nftables::TableView,
            Nft::NEWCHAIN => nftables::ChainView,
            Nft::NEWRULE => nftables::RuleView,
            Nft::NEWSET => nftables::SetView,
            Nft::NEWSETELEM => nftables::ElementsView,
            Nft::NEWOBJ => nftables::ObjectView,
            Nft::NEWFLOWTABLE => nftables::FlowtableView,
            Nft::NEWGEN => nftables::GenerationView,
            Nft::TRACE => nftables::TraceView,
        }
        if let Ok(Ok(rule)) = message.body(Nft::NEWRULE).map(nftables::RuleView::read) {
            done += rule.expressions().filter(|expression| black_box(expression).is_ok()).count();
        }
        if let Ok(Ok(set)) = message.body(IpSet::LIST).map(SetView::read) {
            done += set.entries().filter(|entry| black_box(entry).is_ok()).count();
        }
        for raw in message.raw_attributes(4).map_while(Result::ok) {
            done += usize::from(black_box(raw).number());
        }
    }
    done
}

/// Requests and what comes back for them.
fn request(input: &[u8]) -> usize {
    let mut done = 0;
    let mut pending = Pending::<4>::new();
    let exchanges = [Exchange::get(1, 2), Exchange::apply(2, 2), Exchange::dump(3, 2)];
    for exchange in exchanges {
        done += usize::from(pending.add(exchange).is_ok());
    }
    for message in Messages::new(input).map_while(Result::ok) {
        for mut exchange in exchanges {
            done += usize::from(exchange.is_item(message.header, Origin::KERNEL));
            if let Step::Failed(refusal) = exchange.accept(message, Origin::KERNEL) {
                let space = <Link as ringlink_codec::table::Table>::space();
                done += black_box(refusal.path(message, space, 16)).steps().len();
            }
            done += usize::from(black_box(exchange.end()).is_complete());
        }
        done += usize::from(pending.accept(message, Origin::KERNEL).0.is_some());
    }
    pending.abandon(1);
    done + pending.len()
}

/// Tables that are followed.
fn follow(input: &[u8]) -> usize {
    use ringlink_codec::follow::{Key, Meaning, Store, Subject};
    use ringlink_codec::netfilter::conntrack::watched::{Connections, Expectations};
    use ringlink_codec::route;
    use ringlink_codec::route::watched::{Addresses, Links, Neighbours, Nexthops, Routes, Rules};

    let mut follower = Follower::new();
    let mut table = FixedTable::<16, 256>::default();
    let mut done = 0;
    for message in Messages::new(input).map_while(Result::ok) {
        macro_rules! subjects {
            ($($subject:expr,)*) => {$(
                done += usize::from(matches!(black_box($subject.meaning(message)), Meaning::Beside(_)));
                done += usize::from(black_box($subject.digest(message)) == 0);
            )*};
        }
        subjects! {
            Links,
            Addresses(route::Family::UNSPEC),
            Routes(route::Family::UNSPEC),
            Neighbours(route::Family::UNSPEC),
            Rules(route::Family::UNSPEC),
            Nexthops,
            Connections(netfilter::Family::UNSPEC),
            Expectations(netfilter::Family::UNSPEC),
        }
        let key = Key::new().with(message.payload);
        done += usize::from(table.put(key, 1, message.payload).is_ok()) + table.others(&key);
        done += usize::from(table.remove(&key));
        follower.dump_started();
        follower.dump_ended(Exchange::dump(1, 2).end());
        follower.overrun();
    }
    done
}

/// What is no attributes.
fn text(input: &[u8]) -> usize {
    let mut done = 0;
    for event in [Uevent::from_kernel(input), Uevent::from_udev(input)] {
        done +=
            black_box(event).map_or(0, |event| usize::from(event.sequence().is_some()) + event.action.as_bytes().len());
    }
    let mut sequences = Sequences::<4>::default();
    if let Ok(message) = Message::parse(input) {
        for part in Parts::of(message).map_while(Result::ok) {
            if let Ok(Some(notice)) = black_box(Notice::of(&part)) {
                done += usize::from(sequences.see(notice.cpu.unwrap_or(0), notice.sequence).is_some());
            }
        }
    }
    let mut assembler = Assembler::<2, 256>::new();
    for line in input.split(|byte| *byte == b'\n') {
        if let Ok(record) = Record::of_text(RecordType(1300), line) {
            done += record.fields().filter(|field| black_box(field).is_ok()).count();
            done += assembler.add(&record).map_or(0, |event| event.records().count());
        }
    }
    if let Ok(rule) = Rule::of(RuleHeader::default(), input) {
        done += rule.conditions().count();
    }
    done += Instructions::new(input).filter(|instruction| black_box(instruction).is_ok()).count();
    done
}

/// Requests of some families, and a filter.
fn write(input: &[u8], output: &mut [u8]) -> usize {
    let mut done = 0;
    let address = IpAddr::from(black_box(Ipv4Addr::LOCALHOST));
    let text = core::str::from_utf8(input.get(..8).unwrap_or_default()).unwrap_or_default();
    done += Rtm::NEWLINK
        .create()
        .write(output, LinkHeader::default(), |link| {
            link.put(Link::IFNAME, text);
            link.put(Link::ADDRESS, [2, 0, 0, 0, 0, 1]);
            link.nest(Link::LINKINFO, |info| {
                info.put(LinkInfo::KIND, text);
                info.choose(LinkInfo::DATA, Vlan, |vlan| vlan.put(Vlan::ID, black_box(5)));
            });
        })
        .map_or(0, |bytes| bytes.len());
    done += Rtm::NEWROUTE
        .write(output, RouteHeader::default(), |route| {
            route.put(Route::GATEWAY, address);
            route.records(Route::MULTIPATH, |hops| {
                hops.add(NextHopHeader::default(), |hop| hop.put(Route::GATEWAY, address));
            });
        })
        .map_or(0, |bytes| bytes.len());
    done += Nft::NEWRULE
        .write(output, Default::default(), |rule| {
            rule.put(nftables::Rule::TABLE, text);
            rule.nest(nftables::Rule::EXPRESSIONS, |list| {
                let mut rule = RuleWriter::new(list, netfilter::Family::INET);
                rule.source(CmpOp::EQ, address, black_box(24));
                rule.port(CmpOp::EQ, Port::Destination, 6, RangeInclusive::new(black_box(1), 80));
                rule.ct_state(CmpOp::NEQ, CtState::NEW);
                rule.input_name(CmpOp::EQ, text);
                rule.counter();
                rule.nat(NatType::DNAT, netfilter::Family::IPV4, &NatTarget::default());
                rule.jump(text);
            });
        })
        .map_or(0, |bytes| bytes.len());
    let mut batch = ringlink_codec::table::Batch::new(output);
    done += usize::from(batch.add(Rtm::GETLINK, LinkHeader::default(), |_| {}).is_ok());
    done
}

/// What a server says.
fn answer(input: &[u8], output: &mut [u8]) -> usize {
    let Ok(message) = Message::parse(input) else { return 0 };
    let request = Request::new(message, 7);
    let mut answers = Answers::new(output);
    let mut done = 0;
    done +=
        usize::from(answers.item(&request, Rtm::GETLINK, LinkHeader::default(), |link| link.put(Link::MTU, 1)).is_ok());
    done += usize::from(answers.acknowledge(&request, Some("warned")).is_ok());
    done += usize::from(answers.refuse(&request, &Refusal::new(Errno(95)), Echo::Whole).is_ok());
    done
}
