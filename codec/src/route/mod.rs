//! Interfaces, addresses, routes, neighbours, rules, next hops and, in [`tc`], traffic control (rtnetlink(7)).
//!
//! Each object has a header (`RouteHeader`), a space of attributes (`Route`), a format that joins them
//! (`RouteMessage`) and messages in [`Rtm`]. For the five that programs read most there are views: plain structs,
//! borrowed from the message, filled in one pass; each has the fixed header, whole, as its first field.
//!
//! ```
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::route::{Family, RouteHeader, RouteView, Rtm};
//!
//! // A question: which IPv4 routes are there? (A dump; `Exchange` adds sequence and port.)
//! let mut buffer = Buffer::<32>::new();
//! let header = RouteHeader { family: Family::INET, ..Default::default() };
//! let question = buffer.message(Rtm::GETROUTE.with(Flags::DUMP), header, |_| {})?;
//! assert_eq!(question.len(), 28);
//!
//! // One of the answers: 198.51.100.0/24 by interface 2.
//! let answer = [
//!     44, 0, 0, 0, 24, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, // nlmsghdr: RTM_NEWROUTE
//!     2, 24, 0, 0, 254, 4, 253, 1, 0, 0, 0, 0, // rtmsg
//!     8, 0, 1, 0, 198, 51, 100, 0, // RTA_DST
//!     8, 0, 4, 0, 2, 0, 0, 0, // RTA_OIF
//! ];
//! # if cfg!(target_endian = "big") { return Ok(()); }
//! let route = RouteView::read(Message::parse(&answer)?.answer(Rtm::GETROUTE)?)?;
//! assert_eq!((route.header.dst_len, route.output), (24, Some(2)));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```
//!
//! What is absent: data centre bridging has no tables here; names for tables, protocols
//! and groups that a machine gives in `/etc/iproute2` are a program's to read.

mod family;
mod message;

mod address;
mod encap;
mod fib;
mod namespace;
mod neighbour;
mod netconf;
mod nexthop;
mod rule;
mod user_option;

mod ether_type;

mod link;
mod link_bond;
mod link_can;
mod link_inet;
mod link_kinds;
mod link_stats;
mod link_tunnel;
mod link_vf;
mod link_view;

mod bridge;
mod bridge_cfm;
mod bridge_mdb;
mod bridge_mrp;
mod bridge_vlan;
mod vxlan_vni;

mod multicast_report;
mod statistics;

pub mod tc;
pub mod watched;

pub use address::*;
pub use bridge::*;
pub use bridge_cfm::*;
pub use bridge_mdb::*;
pub use bridge_mrp::*;
pub use bridge_vlan::*;
pub use encap::*;
pub use ether_type::*;
pub use family::*;
pub use fib::*;
pub use link::*;
pub use link_bond::*;
pub use link_can::*;
pub use link_inet::*;
pub use link_kinds::*;
pub use link_stats::*;
pub use link_tunnel::*;
pub use link_vf::*;
pub use link_view::*;
pub use message::*;
pub use multicast_report::*;
pub use namespace::*;
pub use neighbour::*;
pub use netconf::*;
pub use nexthop::*;
pub use rule::*;
pub use statistics::*;
pub use user_option::*;
pub use vxlan_vni::*;
