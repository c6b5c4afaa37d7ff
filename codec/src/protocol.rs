//! The protocols that this library has tables for.

use crate::generic::{FAMILIES, Family, Numbers};
use crate::table::{Layout, OperationRow, Operations, Shape, Space, Verb};
use crate::wire::{Flags, Message};

/// A netlink protocol: its number and its messages.
#[derive(Debug)]
pub struct Protocol {
    /// The number that `socket(2)` takes.
    pub number: u8,
    /// The kernel's name (`NETLINK_ROUTE`).
    pub name: &'static str,
    /// What says which message it is.
    pub numbering: Numbering,
}

/// What says which message of a protocol it is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Numbering {
    /// The message's type, in one of these tables.
    Types(&'static [&'static Operations]),
    /// The first byte behind the message's header, an address family: all messages are of one type.
    Families(&'static [AddressFamily]),
    /// The family whose number the message's type is at the moment, and the command in its header.
    Commands,
    /// Structs one behind the other, then bytes or text, without attributes.
    Structs(&'static Structs),
    /// No netlink messages at all: a datagram is one message, which a module of its own reads.
    Datagrams,
}

/// Messages that are structs one behind the other, then bytes or text.
#[derive(Debug)]
pub struct Structs {
    /// Messages whose type says what they are; a program may ask for these.
    pub operations: &'static [&'static Operations],
    /// The structs and named numbers there are, for those who go through all tables.
    pub shapes: &'static [Shape],
    /// What a message is, where it is known.
    pub describe: fn(Message<'_>) -> Option<Description>,
}

/// What a message without attributes is.
#[derive(Clone, Copy, Debug)]
pub struct Description {
    /// The kernel's name, in two parts: what all begin with, and the rest.
    pub name: (&'static str, &'static str),
    /// What it asks or tells.
    pub verb: Verb,
    /// The structs that it holds, each with the place where it starts in the payload. One may stand over the end of the one
    /// before, where C has a union.
    pub structs: [Option<(usize, &'static Layout)>; 3],
    /// What is behind them.
    pub rest: Rest,
}

/// What is behind a message's structs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rest {
    /// Bytes, or nothing.
    Bytes,
    /// Text.
    Text,
}

/// What is asked of an address family's sockets, and what they say.
#[derive(Debug)]
pub struct AddressFamily {
    /// The address family's number (`AF_INET`).
    pub number: u8,
    /// What it is asked.
    pub requests: &'static Operations,
    /// What it says.
    pub answers: &'static Operations,
}

/// All protocols, by number.
pub const PROTOCOLS: &[&Protocol] =
    &[&ROUTE_AND_TRAFFIC, &SOCK_DIAG, &XFRM, &AUDIT, &CONNECTOR, &NETFILTER, &KOBJECT_UEVENT, &GENERIC];

/// Interfaces, addresses, routes, neighbours, rules (rtnetlink(7)), without traffic control: what prints the former does not
/// carry the tables of the latter, which are a third of all. [`PROTOCOLS`] has [`ROUTE_AND_TRAFFIC`].
pub const ROUTE: Protocol =
    Protocol { number: 0, name: "NETLINK_ROUTE", numbering: Numbering::Types(&[crate::route::Rtm::OPERATIONS]) };

/// All of rtnetlink that has tables here: [`ROUTE`], and traffic control.
pub const ROUTE_AND_TRAFFIC: Protocol = Protocol {
    numbering: Numbering::Types(&[crate::route::Rtm::OPERATIONS, crate::route::tc::TcRtm::OPERATIONS]),
    ..ROUTE
};

/// Sockets of this machine (sock_diag(7)).
pub const SOCK_DIAG: Protocol =
    Protocol { number: 4, name: "NETLINK_SOCK_DIAG", numbering: Numbering::Families(crate::diag::FAMILIES) };

/// IPsec.
pub const XFRM: Protocol =
    Protocol { number: 6, name: "NETLINK_XFRM", numbering: Numbering::Types(&[crate::xfrm::Xfrm::OPERATIONS]) };

/// Settings, rules and records of the audit subsystem.
pub const AUDIT: Protocol =
    Protocol { number: 9, name: "NETLINK_AUDIT", numbering: Numbering::Structs(&crate::audit::STRUCTS) };

/// Events of processes, and other parts of the kernel that talk to programs.
pub const CONNECTOR: Protocol =
    Protocol { number: 11, name: "NETLINK_CONNECTOR", numbering: Numbering::Structs(&crate::connector::STRUCTS) };

/// Firewall, connection tracking, packets to and from programs, sets.
pub const NETFILTER: Protocol =
    Protocol { number: 12, name: "NETLINK_NETFILTER", numbering: Numbering::Types(crate::netfilter::OPERATIONS) };

/// Devices that come, go and change: what [`uevent`](crate::uevent) reads.
pub const KOBJECT_UEVENT: Protocol =
    Protocol { number: 15, name: "NETLINK_KOBJECT_UEVENT", numbering: Numbering::Datagrams };

/// Families that register by name.
pub const GENERIC: Protocol = Protocol { number: 16, name: "NETLINK_GENERIC", numbering: Numbering::Commands };

impl Protocol {
    /// The protocol with this number.
    #[must_use]
    pub fn numbered(number: u8) -> Option<&'static Self> {
        PROTOCOLS.iter().copied().find(|protocol| protocol.number == number)
    }

    /// The protocol with this name: the kernel's (`NETLINK_ROUTE`), or what follows `NETLINK_`, in any case.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        PROTOCOLS.iter().copied().find(|protocol| {
            let short = protocol.name.strip_prefix("NETLINK_").unwrap_or(protocol.name);
            protocol.name.eq_ignore_ascii_case(name) || short.eq_ignore_ascii_case(name)
        })
    }

    /// What a message is. Generic netlink has numbers that are found at run time; without them only the controller's messages
    /// are known.
    #[must_use]
    pub fn row(&self, message: Message<'_>, numbers: Numbers<'_>) -> Option<&'static OperationRow> {
        match self.numbering {
            Numbering::Types(tables) => tables.iter().find_map(|table| table.row(message.header.kind.0)),
            Numbering::Families(families) => {
                let number = *message.payload.first()?;
                let family = families.iter().find(|family| family.number == number)?;
                let table = match message.header.flags.contains(Flags::REQUEST) {
                    true => family.requests,
                    false => family.answers,
                };
                table.row(message.header.kind.0)
            }
            Numbering::Commands => numbers.family(message.header.kind)?.row(message),
            Numbering::Structs(structs) => structs.operations.iter().find_map(|table| table.row(message.header.kind.0)),
            Numbering::Datagrams => None,
        }
    }

    /// What a message without attributes is.
    #[must_use]
    pub fn description(&self, message: Message<'_>) -> Option<Description> {
        match self.numbering {
            Numbering::Structs(structs) => (structs.describe)(message),
            _ => None,
        }
    }

    /// Structs and named numbers that no attribute leads to.
    #[must_use]
    pub fn shapes(&self) -> &'static [Shape] {
        match self.numbering {
            Numbering::Structs(structs) => structs.shapes,
            _ => &[],
        }
    }

    /// All tables of messages, each with the name of what it belongs to.
    pub fn tables(&self) -> impl Iterator<Item = (&'static str, &'static Operations)> {
        let types: &[&Operations] = match self.numbering {
            Numbering::Types(tables) => tables,
            Numbering::Structs(structs) => structs.operations,
            _ => &[],
        };
        let diagnosed: &[AddressFamily] =
            if let Numbering::Families(families) = self.numbering { families } else { &[] };
        let generic: &[&Family] = if let Numbering::Commands = self.numbering { FAMILIES } else { &[] };
        let name = self.name;
        let types = types.iter().map(move |table| (name, *table));
        let diagnosed = diagnosed.iter().flat_map(move |family| [(name, family.requests), (name, family.answers)]);
        let generic = generic.iter().flat_map(|family| family.tables().map(|table| (family.name, table)));
        types.chain(diagnosed).chain(generic)
    }

    /// The root space and the fixed header's size of a message of this protocol.
    #[must_use]
    pub fn root(&self, message: Message<'_>, numbers: Numbers<'_>) -> Option<(&'static Space, usize)> {
        self.row(message, numbers).map(|row| ((row.space)(), row.header.length(message.payload)))
    }
}
