//! Messages as kernels sent them, and what the codec does with them: the work of the benches that need no kernel.
//!
//! The captures are the codec's own (`codec/tests/captures`): all interfaces, addresses, routes of both families,
//! neighbours and rules.

use std::fmt::{self, Write};
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::str::FromStr;

use ringlink::codec::protocol::ROUTE;
use ringlink::codec::route::{
    Address, AddressHeader, AddressView, Family, Link, LinkHeader, LinkInfo, LinkView, Neighbour, NeighbourHeader,
    NeighbourState, NeighbourView, Route, RouteView, Rtm, Rule, RuleAction, RuleHeader, RuleView, Veth,
};
use ringlink::codec::wire::Message;

use crate::library::{read_link, read_neighbour, read_route};
use crate::object::{Object, last};
use crate::scene::{GATEWAY, route_header};

const LINKS: [&str; 6] = [
    include_str!("../../codec/tests/captures/link_loopback.hex"),
    include_str!("../../codec/tests/captures/link_veth.hex"),
    include_str!("../../codec/tests/captures/link_bridge.hex"),
    include_str!("../../codec/tests/captures/link_bond.hex"),
    include_str!("../../codec/tests/captures/link_vlan.hex"),
    include_str!("../../codec/tests/captures/link_vxlan.hex"),
];
const ADDRESSES: [&str; 1] = [include_str!("../../codec/tests/captures/address.hex")];
const ROUTES: [&str; 2] =
    [include_str!("../../codec/tests/captures/route.hex"), include_str!("../../codec/tests/captures/route6.hex")];
const NEIGHBOURS: [&str; 1] = [include_str!("../../codec/tests/captures/neighbour.hex")];
const RULES: [&str; 1] = [include_str!("../../codec/tests/captures/rule.hex")];

/// `20.0.0.0/32 via 10.0.0.2 dev v0 proto static`, as Linux 6.18 dumps it: RTA_TABLE, RTA_DST, RTA_GATEWAY, RTA_OIF.
/// What a table of static routes is full of.
pub const PLAIN_ROUTE: [u8; 60] = [
    60, 0, 0, 0, 24, 0, 34, 0, 2, 0, 0, 0, 1, 0, 0, 0, // nlmsghdr
    2, 32, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0, // rtmsg
    8, 0, 15, 0, 254, 0, 0, 0, // RTA_TABLE
    8, 0, 1, 0, 20, 0, 0, 0, // RTA_DST
    8, 0, 5, 0, 10, 0, 0, 2, // RTA_GATEWAY
    8, 0, 4, 0, 3, 0, 0, 0, // RTA_OIF
];

/// All captured messages of an object.
pub fn messages(object: Object) -> Vec<Vec<u8>> {
    let files: &[&str] = match object {
        Object::Link => &LINKS,
        Object::Address => &ADDRESSES,
        Object::Route => &ROUTES,
        Object::Neighbour => &NEIGHBOURS,
        Object::Rule => &RULES,
    };
    let lines = files.iter().flat_map(|file| file.lines()).map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(bytes).collect()
}

fn bytes(line: &str) -> Vec<u8> {
    let digit = |digit: &u8| char::from(*digit).to_digit(16).and_then(|digit| u8::try_from(digit).ok()).unwrap_or(0);
    line.as_bytes().chunks(2).map(|pair| pair.iter().fold(0, |byte, next| byte << 4 | digit(next))).collect()
}

/// What is done with a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Its header and body are found, nothing is read: what the others have in common.
    Nothing,
    /// The attributes that a dump's user wants, by typed keys.
    Keys,
    /// Everything the view has.
    View,
    /// A request of the kind is written.
    Build,
    /// It is printed as a tree.
    Tree,
    /// It is printed as JSON.
    Json,
}

impl Work {
    /// All of them.
    pub const ALL: [Work; 6] = [Work::Nothing, Work::Keys, Work::View, Work::Build, Work::Tree, Work::Json];

    /// The word for it on a command line.
    pub const fn word(self) -> &'static str {
        match self {
            Work::Nothing => "nothing",
            Work::Keys => "keys",
            Work::View => "view",
            Work::Build => "build",
            Work::Tree => "tree",
            Work::Json => "json",
        }
    }
}

impl FromStr for Work {
    type Err = String;

    fn from_str(word: &str) -> Result<Work, String> {
        let found = Work::ALL.into_iter().find(|work| work.word() == word);
        found.ok_or_else(|| format!("no work is named {word}"))
    }
}

/// Does it once; the number returned depends on all that was read or written.
///
/// Not inlined, so that a profile shows it by itself.
#[inline(never)]
pub fn work(object: Object, work: Work, bytes: &[u8]) -> Result<u64, ringlink::codec::Error> {
    match work {
        Work::Build => build(object),
        Work::Tree => Ok(printed(Message::parse(bytes)?.tree(&ROUTE))),
        Work::Json => Ok(printed(Message::parse(bytes)?.json(&ROUTE))),
        Work::Nothing | Work::Keys | Work::View => read(object, work, bytes),
    }
}

fn read(object: Object, work: Work, bytes: &[u8]) -> Result<u64, ringlink::codec::Error> {
    let message = Message::parse(bytes)?;
    Ok(match object {
        Object::Link => {
            let body = message.body(Rtm::NEWLINK)?;
            match work {
                Work::Keys => read_link(body),
                Work::View => u64::from(black_box(&LinkView::read(body)?).mtu.unwrap_or(0)),
                _ => u64::from(black_box(&body).header.index.cast_unsigned()),
            }
        }
        Object::Address => {
            let body = message.body(Rtm::NEWADDR)?;
            match work {
                Work::Keys => {
                    let (address, local) = body.attributes.read((Address::ADDRESS, Address::LOCAL))?;
                    let byte = local.or(address).map_or(0, |address| last(address.0));
                    u64::from(byte) + u64::from(body.header.prefixlen)
                }
                Work::View => u64::from(black_box(&AddressView::read(body)?).header.prefixlen),
                _ => u64::from(black_box(&body).header.index),
            }
        }
        Object::Route => {
            let body = message.body(Rtm::NEWROUTE)?;
            match work {
                Work::Keys => read_route(body),
                Work::View => u64::from(black_box(&RouteView::read(body)?).output.unwrap_or(0)),
                _ => u64::from(black_box(&body).header.dst_len),
            }
        }
        Object::Neighbour => {
            let body = message.body(Rtm::NEWNEIGH)?;
            match work {
                Work::Keys => read_neighbour(body),
                Work::View => u64::from(black_box(&NeighbourView::read(body)?).probes.unwrap_or(0)),
                _ => u64::from(black_box(&body).header.state.0),
            }
        }
        Object::Rule => {
            let body = message.body(Rtm::NEWRULE)?;
            match work {
                Work::Keys => {
                    let (priority, table) = body.attributes.read((Rule::PRIORITY, Rule::TABLE))?;
                    u64::from(priority.unwrap_or(0)) + table.map_or(0, |table| u64::from(table.0))
                }
                Work::View => u64::from(black_box(&RuleView::read(body)?).priority),
                _ => u64::from(black_box(&body).header.action.0),
            }
        }
    })
}

/// Writes the request that makes one of these.
fn build(object: Object) -> Result<u64, ringlink::codec::Error> {
    let mut buffer = [0; 256];
    let bytes = match object {
        Object::Link => Rtm::NEWLINK.create().exclusive().write(&mut buffer, LinkHeader::default(), |link| {
            link.put(Link::IFNAME, black_box("v0"));
            link.put(Link::MTU, black_box(1400));
            link.nest(Link::LINKINFO, |info| {
                info.put(LinkInfo::KIND, "veth");
                info.choose(LinkInfo::DATA, Veth, |veth| {
                    veth.headed(Veth::PEER, LinkHeader::default(), |peer| peer.put(Link::IFNAME, black_box("v1")));
                });
            });
        })?,
        Object::Address => {
            let header = AddressHeader { family: Family::INET, prefixlen: 24, index: 2, ..AddressHeader::default() };
            Rtm::NEWADDR.create().write(&mut buffer, header, |address| {
                address.put(Address::LOCAL, black_box(Ipv4Addr::new(192, 0, 2, 1)));
                address.put(Address::ADDRESS, black_box(Ipv4Addr::new(192, 0, 2, 1)));
                address.put(Address::LABEL, black_box("v0:a"));
            })?
        }
        Object::Route => Rtm::NEWROUTE.create().write(&mut buffer, route_header(), |route| {
            route.put(Route::DST, black_box(Ipv4Addr::new(20, 0, 0, 1)));
            route.put(Route::GATEWAY, black_box(GATEWAY));
            route.put(Route::OIF, black_box(3));
        })?,
        Object::Neighbour => {
            let state = NeighbourState::PERMANENT;
            let header = NeighbourHeader { family: Family::INET, ifindex: 2, state, ..NeighbourHeader::default() };
            Rtm::NEWNEIGH.create().write(&mut buffer, header, |neighbour| {
                neighbour.put(Neighbour::DST, black_box(Ipv4Addr::new(192, 0, 2, 7)));
                neighbour.put(Neighbour::LLADDR, black_box([2, 0, 0, 0, 0, 7]));
            })?
        }
        Object::Rule => {
            let action = RuleAction::TO_TBL;
            let header = RuleHeader { family: Family::INET, src_len: 24, action, ..RuleHeader::default() };
            Rtm::NEWRULE.create().write(&mut buffer, header, |rule| {
                rule.put(Rule::SRC, black_box(Ipv4Addr::new(192, 0, 2, 0)));
                rule.put(Rule::PRIORITY, black_box(100));
                rule.put(Rule::FWMARK, black_box(7));
            })?
        }
    };
    Ok(black_box(&bytes).len() as u64)
}

/// The length of what is printed.
fn printed(value: impl fmt::Display) -> u64 {
    let mut length = Length(0);
    // It cannot fail: the printer writes whatever there is, and this takes it.
    let _ = write!(length, "{value}");
    length.0
}

struct Length(u64);

impl Write for Length {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 += black_box(text).len() as u64;
        Ok(())
    }
}
