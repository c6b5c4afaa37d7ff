//! The protocols that this library has tables for.

use crate::table::{OperationRow, Operations, Space};
use crate::wire::{Message, MessageType};

/// A netlink protocol: its number and its messages.
#[derive(Debug)]
pub struct Protocol {
    /// The number that `socket(2)` takes.
    pub number: u8,
    /// The kernel's name (`NETLINK_ROUTE`).
    pub name: &'static str,
    /// The messages.
    pub operations: &'static Operations,
}

/// All protocols, by number.
pub const PROTOCOLS: &[&Protocol] = &[&ROUTE];

/// Interfaces, addresses, routes, neighbours, rules (rtnetlink(7)).
pub const ROUTE: Protocol = Protocol { number: 0, name: "NETLINK_ROUTE", operations: crate::route::Rtm::OPERATIONS };

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

    /// What a message type means.
    #[must_use]
    pub fn operation(&self, kind: MessageType) -> Option<&'static OperationRow> {
        self.operations.row(kind.0)
    }

    /// The root space and the fixed header's size of a message of this protocol.
    #[must_use]
    pub fn root(&self, message: Message<'_>) -> Option<(&'static Space, usize)> {
        self.operation(message.header.kind).map(|row| ((row.space)(), row.header.length(message.payload)))
    }
}
