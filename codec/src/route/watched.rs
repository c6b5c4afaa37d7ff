//! What of rtnetlink can be followed: interfaces, addresses, routes, neighbours, rules and next hops.
//!
//! Each says which groups tell of its changes, what a message means, and where the kernel is silent: there an event that
//! implies more than it says makes for doubt, and the table is to be read anew.
//!
//! | what | silent changes | a dump that was disturbed |
//! |---|---|---|
//! | [`Links`] | counters | is flagged |
//! | [`Addresses`] | none | is flagged |
//! | [`Routes`] | lost to an interface that went down, to a prefix source or a next hop that was deleted | is not flagged |
//! | [`Neighbours`] | the step to `DELAY`; entries that wait for an answer or need none are left out | is not flagged |
//! | [`Rules`] | whether the interface of a rule is there | is not flagged |
//! | [`Nexthops`] | lost to an interface that went down | is flagged |
//!
//! ```
//! use ringlink_codec::follow::{Meaning, Subject};
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::route::watched::Links;
//! use ringlink_codec::route::{LinkHeader, Rtm};
//!
//! let mut buffer = Buffer::<64>::new();
//! let event = buffer.message(Rtm::DELLINK, LinkHeader { index: 7, ..LinkHeader::default() }, |_| {})?;
//! assert!(matches!(Links.meaning(Message::parse(event)?), Meaning::Gone(_)));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use super::{
    Address, AddressHeader, AddressMessage, Bridge, BridgePort, Family, Group, Link, LinkFlags, LinkHeader, LinkInfo,
    LinkMessage, Neighbour, NeighbourFlags, NeighbourHeader, NeighbourMessage, NeighbourState, Nexthop, NexthopHeader,
    NexthopMessage, Route, RouteHeader, RouteMessage, Rtm, Rule, RuleHeader, RuleMessage,
};
use crate::follow::{Digest, Key, Meaning, Subject};
use crate::table::{Body, Operation};
use crate::wire::{Flags, Message, RawAttributes};

/// Interfaces of the namespace.
#[derive(Clone, Copy, Debug, Default)]
pub struct Links;

/// Addresses of one family.
#[derive(Clone, Copy, Debug)]
pub struct Addresses(pub Family);

/// Routes of one family, `INET` or `INET6`, of all tables.
#[derive(Clone, Copy, Debug)]
pub struct Routes(pub Family);

/// Neighbours of one family; of `BRIDGE`, the entries of bridges' forwarding tables.
#[derive(Clone, Copy, Debug)]
pub struct Neighbours(pub Family);

/// Routing rules of one family.
#[derive(Clone, Copy, Debug)]
pub struct Rules(pub Family);

/// Next hop objects.
#[derive(Clone, Copy, Debug, Default)]
pub struct Nexthops;

impl Subject for Links {
    type Question = LinkMessage;
    type Answer = LinkMessage;

    fn dump(&self) -> Operation<LinkMessage> {
        Rtm::GETLINK
    }

    fn header(&self) -> LinkHeader {
        LinkHeader::default()
    }

    fn groups(&self) -> &[u32] {
        &[Group::LINK.0]
    }

    fn meaning(&self, message: Message<'_>) -> Meaning {
        let link = Body::<LinkMessage>::of(message);
        match link.header.family {
            Family::UNSPEC => {}
            // A bridge tells of its ports by messages of the same type that do not say all.
            Family::BRIDGE => return Meaning::Doubt,
            _ => return Meaning::Other,
        }
        let key = Key::new().with(&link.header.index.to_ne_bytes());
        // An interface that is new is told before it is finished: one of a pair does not know the other yet.
        let there = match link.header.change {
            LinkFlags(u32::MAX) => Meaning::Uncertain(key),
            _ => Meaning::Beside(key),
        };
        there_or_gone(message, Rtm::NEWLINK.kind.0, there, Rtm::DELLINK.kind.0, key)
    }

    fn digest(&self, message: Message<'_>) -> u64 {
        let (header, attributes) = message.payload.split_at_checked(size_of::<LinkHeader>()).unwrap_or_default();
        // `ifi_change`, the last of the header, says what an event is about.
        let header = header.get(..12).unwrap_or_default();
        let told = [
            Link::STATS.number(),
            Link::STATS64.number(),
            Link::AF_SPEC.number(),
            Link::PROTINFO.number(),
            Link::EVENT.number(),
            Link::LINKINFO.number(),
        ];
        let mut digest = digest(Digest::new().with(header), RawAttributes::new(attributes, 0), &told);
        // Bridges and their ports have timers among their settings.
        let timers = [
            Bridge::HELLO_TIMER.number(),
            Bridge::TCN_TIMER.number(),
            Bridge::TOPOLOGY_CHANGE_TIMER.number(),
            Bridge::GC_TIMER.number(),
        ];
        let port_timers = [
            BridgePort::MESSAGE_AGE_TIMER.number(),
            BridgePort::FORWARD_DELAY_TIMER.number(),
            BridgePort::HOLD_TIMER.number(),
        ];
        let info = Body::<LinkMessage>::of(message).attributes.get(Link::LINKINFO).ok().flatten();
        let Some(info) = info else { return digest.0 };
        let (kind, port) = info.read((LinkInfo::KIND, LinkInfo::SLAVE_KIND)).unwrap_or_default();
        for raw in info.raw().map_while(Result::ok) {
            let inside = || RawAttributes::new(raw.payload.bytes, 0);
            digest = match raw.number() {
                number if number == LinkInfo::XSTATS.number() => digest,
                number if number == LinkInfo::DATA.number() && kind.is_some_and(|kind| kind == "bridge") => {
                    self::digest(digest, inside(), &timers)
                }
                number if number == LinkInfo::SLAVE_DATA.number() && port.is_some_and(|kind| kind == "bridge") => {
                    self::digest(digest, inside(), &port_timers)
                }
                number => digest.with(&number.to_ne_bytes()).with(raw.payload.bytes),
            };
        }
        digest.0
    }
}

impl Subject for Addresses {
    type Question = AddressMessage;
    type Answer = AddressMessage;

    fn dump(&self) -> Operation<AddressMessage> {
        Rtm::GETADDR
    }

    fn header(&self) -> AddressHeader {
        AddressHeader { family: self.0, ..AddressHeader::default() }
    }

    fn groups(&self) -> &[u32] {
        by_family(self.0, &[Group::IPV4_IFADDR.0], &[Group::IPV6_IFADDR.0])
    }

    fn meaning(&self, message: Message<'_>) -> Meaning {
        let address = Body::<AddressMessage>::of(message);
        if address.header.family != self.0 {
            return Meaning::Other;
        }
        let Ok((own, other)) = address.attributes.read((Address::LOCAL, Address::ADDRESS)) else {
            return Meaning::Doubt;
        };
        let place = Key::new()
            .with(&[address.header.family.0, address.header.prefixlen])
            .with(&address.header.index.to_ne_bytes());
        let key = place.with(own.map_or(&[], |own| own.0)).with(other.map_or(&[], |other| other.0));
        there_or_gone(message, Rtm::NEWADDR.kind.0, Meaning::Beside(key), Rtm::DELADDR.kind.0, key)
    }

    fn digest(&self, message: Message<'_>) -> u64 {
        whole(message, size_of::<AddressHeader>(), &[Address::CACHEINFO.number()])
    }
}

impl Subject for Routes {
    type Question = RouteMessage;
    type Answer = RouteMessage;

    fn dump(&self) -> Operation<RouteMessage> {
        Rtm::GETROUTE
    }

    fn header(&self) -> RouteHeader {
        RouteHeader { family: self.0, ..RouteHeader::default() }
    }

    fn groups(&self) -> &[u32] {
        const IPV4: [u32; 4] = [Group::IPV4_ROUTE.0, Group::LINK.0, Group::IPV4_IFADDR.0, Group::NEXTHOP.0];
        const IPV6: [u32; 4] = [Group::IPV6_ROUTE.0, Group::LINK.0, Group::IPV6_IFADDR.0, Group::NEXTHOP.0];
        by_family(self.0, &IPV4, &IPV6)
    }

    fn meaning(&self, message: Message<'_>) -> Meaning {
        let kind = message.header.kind;
        let replaces = message.header.flags.contains(Flags::REPLACE);
        // Routes go with an interface, a source address and a next hop, and one event stands for all of them.
        if kind == Rtm::DELNEXTHOP.kind || kind == Rtm::DELADDR.kind || kind == Rtm::NEWNEXTHOP.kind && replaces {
            return Meaning::Doubt;
        }
        if kind == Rtm::NEWLINK.kind || kind == Rtm::DELLINK.kind {
            let of_itself = Body::<LinkMessage>::of(message).header.family == Family::UNSPEC;
            return if of_itself { Meaning::Doubt } else { Meaning::Other };
        }
        let gone = kind == Rtm::DELROUTE.kind;
        let route = Body::<RouteMessage>::of(message);
        if !(gone || kind == Rtm::NEWROUTE.kind) || route.header.family != self.0 {
            return Meaning::Other;
        }
        let keys = (Route::TABLE, Route::DST, Route::SRC, Route::PRIORITY, Route::MULTIPATH);
        let Ok((table, destination, source, priority, hops)) = route.attributes.read(keys) else {
            return Meaning::Doubt;
        };
        let header = route.header;
        let table = table.map_or(u32::from(header.table.0), |table| table.0);
        let mut key = Key::new()
            .with(&[header.family.0, header.dst_len, header.src_len, header.tos])
            .with(&table.to_ne_bytes())
            .with(&priority.unwrap_or(0).to_ne_bytes())
            .with(destination.map_or(&[], |destination| destination.0))
            .with(source.map_or(&[], |source| source.0))
            .variant(&[header.protocol.0, header.scope.0, header.kind.0]);
        let way = [
            Route::OIF.number(),
            Route::GATEWAY.number(),
            Route::VIA.number(),
            Route::PREFSRC.number(),
            Route::METRICS.number(),
            Route::FLOW.number(),
            Route::ENCAP.number(),
            Route::NH_ID.number(),
        ];
        for raw in route.attributes.raw().map_while(Result::ok).filter(|raw| way.contains(&raw.number())) {
            key = key.variant(&raw.number().to_ne_bytes()).variant(raw.payload.bytes);
        }
        let mut count = 0_u32;
        for (hop, attributes) in hops.into_iter().flatten().map_while(Result::ok) {
            // Not the flags, which say how the next hop is, not which it is.
            key = key.variant(&hop.ifindex.to_ne_bytes()).variant(&[hop.hops]).variant(attributes.payload().bytes);
            count = count.saturating_add(1);
        }
        if gone {
            return Meaning::Gone(key);
        }
        match header.family {
            _ if replaces => Meaning::Instead(key),
            // IPv6 makes one route of those with the same metric, and tells of the whole.
            Family::INET6 if count > 1 => Meaning::Among(key),
            _ => Meaning::Beside(key),
        }
    }

    fn digest(&self, message: Message<'_>) -> u64 {
        whole(message, size_of::<RouteHeader>(), &[Route::CACHEINFO.number(), Route::EXPIRES.number()])
    }
}

impl Subject for Neighbours {
    type Question = NeighbourMessage;
    type Answer = NeighbourMessage;

    fn dump(&self) -> Operation<NeighbourMessage> {
        Rtm::GETNEIGH
    }

    fn header(&self) -> NeighbourHeader {
        NeighbourHeader { family: self.0, ..NeighbourHeader::default() }
    }

    fn groups(&self) -> &[u32] {
        &[Group::NEIGH.0]
    }

    fn meaning(&self, message: Message<'_>) -> Meaning {
        let neighbour = Body::<NeighbourMessage>::of(message);
        let header = neighbour.header;
        // Proxy entries are dumped by a question of their own.
        if header.family != self.0 || header.flags.contains(NeighbourFlags::PROXY) {
            return Meaning::Other;
        }
        let keys = (Neighbour::DST, Neighbour::LLADDR, Neighbour::VLAN, Neighbour::MASTER);
        let Ok((address, hardware, vlan, master)) = neighbour.attributes.read(keys) else {
            return Meaning::Doubt;
        };
        let mut key = Key::new().with(&[header.family.0]).with(&header.ifindex.to_ne_bytes());
        if header.family == Family::BRIDGE {
            let own = u8::from(header.flags.contains(NeighbourFlags::SELF));
            key = key
                .with(hardware.map_or(&[], |hardware| hardware.0))
                .with(&vlan.unwrap_or(0).to_ne_bytes())
                .with(&master.unwrap_or(0).to_ne_bytes())
                .with(&[own]);
        }
        let key = key.with(address.map_or(&[], |address| address.0));
        // What waits for an answer, or needs none, comes and goes without a word.
        let silent = NeighbourState(NeighbourState::INCOMPLETE.0 | NeighbourState::NOARP.0);
        if header.state == NeighbourState::NONE || header.state.intersects(silent) {
            return Meaning::Gone(key);
        }
        there_or_gone(message, Rtm::NEWNEIGH.kind.0, Meaning::Beside(key), Rtm::DELNEIGH.kind.0, key)
    }

    fn digest(&self, message: Message<'_>) -> u64 {
        let changing = [Neighbour::CACHEINFO.number(), Neighbour::PROBES.number()];
        whole(message, size_of::<NeighbourHeader>(), &changing)
    }
}

impl Subject for Rules {
    type Question = RuleMessage;
    type Answer = RuleMessage;

    fn dump(&self) -> Operation<RuleMessage> {
        Rtm::GETRULE
    }

    fn header(&self) -> RuleHeader {
        RuleHeader { family: self.0, ..RuleHeader::default() }
    }

    fn groups(&self) -> &[u32] {
        by_family(self.0, &[Group::IPV4_RULE.0], &[Group::IPV6_RULE.0])
    }

    fn meaning(&self, message: Message<'_>) -> Meaning {
        let rule = Body::<RuleMessage>::of(message);
        if rule.header.family != self.0 {
            return Meaning::Other;
        }
        let Ok(priority) = rule.attributes.get(Rule::PRIORITY) else { return Meaning::Doubt };
        let header = rule.header;
        let mut key = Key::new()
            .with(&[header.family.0])
            .with(&priority.unwrap_or(0).to_be_bytes())
            // Not the flags, which say whether the interface is there.
            .variant(&[header.dst_len, header.src_len, header.tos, header.table.0, header.action.0]);
        for raw in rule.attributes.raw().map_while(Result::ok) {
            key = key.variant(&raw.number().to_ne_bytes()).variant(raw.payload.bytes);
        }
        there_or_gone(message, Rtm::NEWRULE.kind.0, Meaning::Beside(key), Rtm::DELRULE.kind.0, key)
    }
}

impl Subject for Nexthops {
    type Question = NexthopMessage;
    type Answer = NexthopMessage;

    fn dump(&self) -> Operation<NexthopMessage> {
        Rtm::GETNEXTHOP
    }

    fn header(&self) -> NexthopHeader {
        NexthopHeader::default()
    }

    fn groups(&self) -> &[u32] {
        &[Group::NEXTHOP.0, Group::LINK.0]
    }

    fn meaning(&self, message: Message<'_>) -> Meaning {
        let kind = message.header.kind;
        if kind == Rtm::NEWLINK.kind || kind == Rtm::DELLINK.kind {
            let of_itself = Body::<LinkMessage>::of(message).header.family == Family::UNSPEC;
            return if of_itself { Meaning::Doubt } else { Meaning::Other };
        }
        let Ok(Some(id)) = Body::<NexthopMessage>::of(message).attributes.get(Nexthop::ID) else {
            return Meaning::Other;
        };
        let key = Key::new().with(&id.to_ne_bytes());
        // A group loses a next hop that is deleted, and that is one event for both.
        there_or_gone(message, Rtm::NEWNEXTHOP.kind.0, Meaning::Beside(key), Rtm::DELNEXTHOP.kind.0, key)
    }

    fn digest(&self, message: Message<'_>) -> u64 {
        let changing = [Nexthop::GROUP_STATS.number(), Nexthop::RES_GROUP.number()];
        whole(message, size_of::<NexthopHeader>(), &changing)
    }
}

/// The meaning by the message's type.
fn there_or_gone(message: Message<'_>, new: u16, there: Meaning, delete: u16, key: Key) -> Meaning {
    match message.header.kind.0 {
        kind if kind == new => there,
        kind if kind == delete => Meaning::Gone(key),
        _ => Meaning::Other,
    }
}

/// The groups of a family, `INET` or `INET6`.
fn by_family<'g>(family: Family, ipv4: &'g [u32], ipv6: &'g [u32]) -> &'g [u32] {
    match family {
        Family::INET6 => ipv6,
        _ => ipv4,
    }
}

/// The digest of a payload without some attributes.
fn whole(message: Message<'_>, header: usize, without: &[u16]) -> u64 {
    let (header, attributes) = message.payload.split_at_checked(header).unwrap_or((message.payload, &[]));
    digest(Digest::new().with(header), RawAttributes::new(attributes, 0), without).0
}

/// The digest of a run of attributes without some of them.
fn digest(start: Digest, attributes: RawAttributes<'_>, without: &[u16]) -> Digest {
    attributes
        .map_while(Result::ok)
        .filter(|raw| !without.contains(&raw.number()))
        .fold(start, |digest, raw| digest.with(&raw.number().to_ne_bytes()).with(raw.payload.bytes))
}
