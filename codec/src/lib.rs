//! Reads and writes every netlink message, without `std`, without an allocator, without `unsafe` and without panics.
//!
//! A protocol is a set of tables: one row per attribute, one row per message. A row gives a typed key that reads and
//! writes, and an entry of a static table that the printer, the audit and the fuzzers follow. What a program does not
//! ask for is not decoded and cannot fail.
//!
//! ```
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::route::{Link, LinkHeader, LinkInfo, Rtm, Vlan};
//!
//! // Write: a request to make a VLAN interface.
//! let mut buffer = Buffer::<256>::new();
//! let request = buffer.message(Rtm::NEWLINK.create().exclusive(), LinkHeader::default(), |link| {
//!     link.put(Link::IFNAME, "v0.5");
//!     link.put(Link::LINK, 2);
//!     link.nest(Link::LINKINFO, |info| {
//!         info.put(LinkInfo::KIND, "vlan");
//!         info.choose(LinkInfo::DATA, Vlan, |vlan| vlan.put(Vlan::ID, 5));
//!     });
//! })?;
//!
//! // Read: the same keys, one pass over the attributes.
//! let message = Message::parse(request)?;
//! let body = message.body(Rtm::NEWLINK)?;
//! let (name, below, info) = body.attributes.read((Link::IFNAME, Link::LINK, Link::LINKINFO))?;
//! assert_eq!(name, Some(Text::new("v0.5")));
//! assert_eq!(below, Some(2));
//! let vlan = info.and_then(|info| info.chosen(LinkInfo::DATA, Vlan).transpose()).transpose()?;
//! assert_eq!(vlan.map(|vlan| vlan.get(Vlan::ID)).transpose()?.flatten(), Some(5));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```
//!
//! # What is where
//!
//! | floor | module | knows |
//! |---|---|---|
//! | 1 | [`wire`] | bytes: headers, messages, raw attributes, the writer, errors |
//! | 2 | [`table`] | keys and rows, values, typed reading and writing, the macros |
//! | 3 | [`exchange`], [`reply`], [`answer`], [`follow`] | requests, replies, refusals, lost events; no family |
//! | 4 | [`mod@print`] | names and values of anything, from the rows |
//! | 5 | [`route`], [`generic`], [`diag`], [`xfrm`], [`netfilter`], [`connector`], [`uevent`], [`audit`] | one family each: tables, headers, a few views |
//! | 5 | [`multicast`] | the groups of every protocol |
//!
//! # What is absent
//!
//! Sockets, clocks, retries and allocation: the crate `ringlink` carries messages. Policy: what to do about an
//! interrupted dump is the caller's to say; that it was interrupted is said here ([`reply::End`]).

#![no_std]
#![forbid(unsafe_code)]
// Every length that comes in is untrusted: nothing here indexes, panics, wraps or cuts by accident.
#![deny(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::todo,
    clippy::unreachable,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    clippy::cast_lossless,
    clippy::arithmetic_side_effects
)]

#[cfg(test)]
extern crate std;

pub mod wire;

pub mod table;

pub mod answer;
pub mod exchange;
pub mod follow;
pub mod reply;

pub mod print;

pub mod protocol;

pub mod audit;
pub mod connector;
pub mod diag;
pub mod generic;
pub mod netfilter;
pub mod route;
pub mod uevent;
pub mod xfrm;

pub mod multicast;

#[cfg(feature = "arbitrary")]
pub mod generate;

pub use table::{Attributes, Key, Text};
pub use wire::{Error, Message, Messages};

/// What most programs need in scope.
pub mod prelude {
    pub use crate::exchange::{Exchange, Origin, Step};
    pub use crate::reply::{End, Refusal};
    pub use crate::table::{AttributeWriter, Attributes, Batch, Body, Buffer, Key, Operation, Text, Value};
    pub use crate::wire::{Error, Flags, Message, MessageHeader, Messages};
}
