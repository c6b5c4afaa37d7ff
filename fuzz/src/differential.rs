//! Ours beside netlink-packet-route and netlink-bindings, on messages that all three know: where two of them read a message,
//! they read the same.
//!
//! What is left out, and why:
//! * a message that the other library refuses whole: over one bad attribute (netlink-packet-route), over one byte too many;
//! * addresses that are neither IPv4 nor IPv6: ours goes by the length alone, netlink-packet-route by the family in the header,
//!   which for a bridge's entries says nothing of them;
//! * names, which netlink-packet-route does not read unless they are UTF-8;
//! * netlink-bindings reads numbers from longer payloads than they have, ours says that the length is wrong.

use std::net::IpAddr;

use netlink_bindings::{rt_link, rt_neigh, rt_route};
use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::RouteNetlinkMessage;
use netlink_packet_route::link::LinkAttribute;
use netlink_packet_route::neighbour::{NeighbourAddress, NeighbourAttribute};
use netlink_packet_route::route::{RouteAddress, RouteAttribute};
use ringlink::codec::prelude::*;
use ringlink::codec::route::{Link, LinkMessage, Neighbour, NeighbourMessage, Route, RouteMessage, Rtm};
use ringlink::codec::table::{HardwareAddress, InetAddress};

/// What is compared of an interface: index, MTU, hardware address.
type LinkFacts = (i32, Option<u32>, Option<Vec<u8>>);
/// What is compared of a route: destination, gateway, output, priority, table; addresses without one are left out.
type RouteFacts = (u8, Option<IpAddr>, Option<IpAddr>, Option<u32>, Option<u32>, Option<u32>);
/// What is compared of a neighbour: interface, state, address, hardware address.
type NeighbourFacts = (i32, u16, Option<IpAddr>, Option<Vec<u8>>);

/// Messages through all three libraries.
pub fn differential(input: &[u8]) {
    for message in Messages::new(input) {
        let Ok(message) = message else { break };
        // The others want the message's bytes anew.
        let mut bytes = message.header.to_bytes().to_vec();
        bytes.extend_from_slice(message.payload);
        let packet = NetlinkMessage::<RouteNetlinkMessage>::deserialize(&bytes).ok();
        let packet = packet.and_then(|packet| match packet.payload {
            NetlinkPayload::InnerMessage(inner) => Some(inner),
            _ => None,
        });
        if let Ok(body) = message.body(Rtm::NEWLINK) {
            let other = match packet {
                Some(RouteNetlinkMessage::NewLink(link)) => Some(packet_link(&link)),
                _ => None,
            };
            agree("link", message, our_link(body), other, bound_link(message.payload));
        } else if let Ok(body) = message.body(Rtm::NEWROUTE) {
            let other = match packet {
                Some(RouteNetlinkMessage::NewRoute(route)) => packet_route(&route),
                _ => None,
            };
            agree("route", message, our_route(body), other, bound_route(message.payload));
        } else if let Ok(body) = message.body(Rtm::NEWNEIGH) {
            let other = match packet {
                Some(RouteNetlinkMessage::NewNeighbour(neighbour)) => packet_neighbour(&neighbour),
                _ => None,
            };
            agree("neighbour", message, our_neighbour(body), other, bound_neighbour(message.payload));
        }
    }
}

fn agree<F: PartialEq + std::fmt::Debug>(
    what: &str,
    message: Message<'_>,
    ours: Option<F>,
    packet: Option<F>,
    bound: Option<F>,
) {
    let Some(ours) = ours else { return };
    for (name, theirs) in [("netlink-packet-route", packet), ("netlink-bindings", bound)] {
        if let Some(theirs) = theirs {
            assert_eq!(ours, theirs, "{what}, {name}: {}", message.tree(&ringlink::codec::protocol::ROUTE));
        }
    }
}

fn ip(address: Option<InetAddress<'_>>) -> Option<IpAddr> {
    address.and_then(InetAddress::ip)
}

fn hardware(address: Option<HardwareAddress<'_>>) -> Option<Vec<u8>> {
    address.map(|address| address.0.to_vec())
}

fn our_link(body: Body<'_, LinkMessage>) -> Option<LinkFacts> {
    let (mtu, address) = body.attributes.read((Link::MTU, Link::ADDRESS)).ok()?;
    Some((body.header.index, mtu, hardware(address)))
}

fn our_route(body: Body<'_, RouteMessage>) -> Option<RouteFacts> {
    let keys = (Route::DST, Route::GATEWAY, Route::OIF, Route::PRIORITY, Route::TABLE);
    let (destination, gateway, output, priority, table) = body.attributes.read(keys).ok()?;
    Some((body.header.dst_len, ip(destination), ip(gateway), output, priority, table.map(|table| table.0)))
}

fn our_neighbour(body: Body<'_, NeighbourMessage>) -> Option<NeighbourFacts> {
    let (destination, address) = body.attributes.read((Neighbour::DST, Neighbour::LLADDR)).ok()?;
    Some((body.header.ifindex, body.header.state.0, ip(destination), hardware(address)))
}

fn packet_link(link: &netlink_packet_route::link::LinkMessage) -> LinkFacts {
    let (mut mtu, mut address) = (None, None);
    for attribute in &link.attributes {
        match attribute {
            LinkAttribute::Mtu(value) => mtu = Some(*value),
            LinkAttribute::Address(value) => address = Some(value.clone()),
            _ => {}
        }
    }
    (link.header.index.cast_signed(), mtu, address)
}

/// `None` where an address is neither IPv4 nor IPv6.
fn packet_route(route: &netlink_packet_route::route::RouteMessage) -> Option<RouteFacts> {
    let address = |address: &RouteAddress| match address {
        RouteAddress::Inet(address) => Some(Some(IpAddr::from(*address))),
        RouteAddress::Inet6(address) => Some(Some(IpAddr::from(*address))),
        _ => None,
    };
    let mut facts = (route.header.destination_prefix_length, None, None, None, None, None);
    for attribute in &route.attributes {
        match attribute {
            RouteAttribute::Destination(value) => facts.1 = address(value)?,
            RouteAttribute::Gateway(value) => facts.2 = address(value)?,
            RouteAttribute::Oif(value) => facts.3 = Some(*value),
            RouteAttribute::Priority(value) => facts.4 = Some(*value),
            RouteAttribute::Table(value) => facts.5 = Some(*value),
            _ => {}
        }
    }
    Some(facts)
}

/// `None` where an address is neither IPv4 nor IPv6.
fn packet_neighbour(neighbour: &netlink_packet_route::neighbour::NeighbourMessage) -> Option<NeighbourFacts> {
    let header = &neighbour.header;
    let mut facts = (header.ifindex.cast_signed(), header.state.into(), None, None);
    for attribute in &neighbour.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(value)) => facts.2 = Some(IpAddr::from(*value)),
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(value)) => facts.2 = Some(IpAddr::from(*value)),
            NeighbourAttribute::Destination(_) => return None,
            NeighbourAttribute::LinkLayerAddress(value) => facts.3 = Some(value.clone()),
            _ => {}
        }
    }
    Some(facts)
}

fn bound_link(payload: &[u8]) -> Option<LinkFacts> {
    if payload.len() < 16 {
        return None;
    }
    let (header, attributes) = rt_link::OpGetlinkDump::decode_request(payload);
    let mut facts = (header.ifi_index, None, None);
    for attribute in attributes {
        match attribute.ok()? {
            rt_link::LinkAttrs::Mtu(value) => facts.1 = Some(value),
            rt_link::LinkAttrs::Address(value) => facts.2 = Some(value.to_vec()),
            _ => {}
        }
    }
    Some(facts)
}

fn bound_route(payload: &[u8]) -> Option<RouteFacts> {
    if payload.len() < 12 {
        return None;
    }
    let (header, attributes) = rt_route::OpGetrouteDump::decode_request(payload);
    let mut facts = (header.rtm_dst_len, None, None, None, None, None);
    for attribute in attributes {
        match attribute.ok()? {
            rt_route::RouteAttrs::Dst(value) => facts.1 = Some(value),
            rt_route::RouteAttrs::Gateway(value) => facts.2 = Some(value),
            rt_route::RouteAttrs::Oif(value) => facts.3 = Some(value),
            rt_route::RouteAttrs::Priority(value) => facts.4 = Some(value),
            rt_route::RouteAttrs::Table(value) => facts.5 = Some(value),
            _ => {}
        }
    }
    Some(facts)
}

fn bound_neighbour(payload: &[u8]) -> Option<NeighbourFacts> {
    if payload.len() < 12 {
        return None;
    }
    let (header, attributes) = rt_neigh::OpGetneighDump::decode_request(payload);
    let mut facts = (header.ndm_ifindex, header.ndm_state, None, None);
    for attribute in attributes {
        match attribute.ok()? {
            rt_neigh::NeighbourAttrs::Dst(value) => facts.2 = Some(value),
            rt_neigh::NeighbourAttrs::Lladdr(value) => facts.3 = Some(value.to_vec()),
            _ => {}
        }
    }
    Some(facts)
}
