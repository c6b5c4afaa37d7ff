//! What is read of a message. Every library reads the same fields of it and adds them up, so that two libraries with the
//! same sum have done the same work.

use std::net::IpAddr;
use std::str::FromStr;

/// What a dump is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Object {
    /// Interfaces.
    Link,
    /// Addresses of interfaces.
    Address,
    /// IPv4 routes of all tables.
    Route,
    /// IPv4 neighbours.
    Neighbour,
    /// IPv4 rules.
    Rule,
}

impl Object {
    /// All of them, in the order in which a program would ask.
    pub const ALL: [Object; 5] = [Object::Link, Object::Address, Object::Route, Object::Neighbour, Object::Rule];

    /// The word for it on a command line.
    pub const fn word(self) -> &'static str {
        match self {
            Object::Link => "link",
            Object::Address => "address",
            Object::Route => "route",
            Object::Neighbour => "neighbour",
            Object::Rule => "rule",
        }
    }
}

impl FromStr for Object {
    type Err = String;

    fn from_str(word: &str) -> Result<Object, String> {
        let found = Object::ALL.into_iter().find(|object| object.word() == word);
        found.ok_or_else(|| format!("no object is named {word}"))
    }
}

/// How much was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Messages.
    pub items: u64,
    /// The sum of what was read of them; 0 where nothing is decoded.
    pub sum: u64,
}

impl Tally {
    /// Counts one message of this sum.
    #[inline]
    pub fn add(&mut self, sum: u64) {
        self.items += 1;
        self.sum = self.sum.wrapping_add(sum);
    }
}

/// A route: the prefix's length, the last bytes of destination and gateway, the interface, metric and table.
#[inline]
#[must_use]
pub fn route(prefix: u8, destination: u8, gateway: u8, output: u32, priority: u32, table: u32) -> u64 {
    u64::from(prefix)
        + u64::from(destination)
        + u64::from(gateway)
        + u64::from(output)
        + u64::from(priority)
        + u64::from(table)
}

/// An interface: index, MTU, the length and the last byte of the name, the last byte of the hardware address.
#[inline]
#[must_use]
pub fn link(index: u32, mtu: u32, name: &[u8], address: &[u8]) -> u64 {
    u64::from(index) + u64::from(mtu) + name.len() as u64 + last(name) as u64 + last(address) as u64
}

/// A neighbour: the interface, the state, the last bytes of address and hardware address.
#[inline]
#[must_use]
pub fn neighbour(index: u32, state: u16, address: u8, hardware: &[u8]) -> u64 {
    u64::from(index) + u64::from(state) + u64::from(address) + u64::from(last(hardware))
}

/// A sum over bytes, so often: work that takes time and no memory. It goes on from the sum before, so that a processor
/// cannot do two messages' work at once.
#[inline]
#[must_use]
pub fn heavy(start: u64, bytes: &[u8], passes: u32) -> u64 {
    let mut sum = start;
    for _ in 0..passes {
        for byte in bytes {
            sum = (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    sum
}

/// The last byte, or 0.
#[inline]
#[must_use]
pub fn last(bytes: &[u8]) -> u8 {
    bytes.last().copied().unwrap_or(0)
}

/// The last byte of an address, or 0.
#[inline]
#[must_use]
pub fn last_of(address: Option<IpAddr>) -> u8 {
    match address {
        Some(IpAddr::V4(address)) => address.octets()[3],
        Some(IpAddr::V6(address)) => address.octets()[15],
        None => 0,
    }
}
