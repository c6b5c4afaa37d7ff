//! Interfaces, addresses, routes, neighbours and rules (rtnetlink(7)).

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
mod bridge_mrp;

pub use address::*;
pub use bridge::*;
pub use bridge_cfm::*;
pub use bridge_mrp::*;
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
pub use namespace::*;
pub use neighbour::*;
pub use netconf::*;
pub use nexthop::*;
pub use rule::*;
