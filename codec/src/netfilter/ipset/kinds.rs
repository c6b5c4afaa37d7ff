//! The types of sets.

use super::super::Family;

/// A type of sets: how they keep what they hold, and what that is.
#[derive(Debug, PartialEq, Eq)]
pub struct SetType {
    /// The kernel's name (`hash:ip,port`).
    pub name: &'static str,
    /// How entries are kept.
    pub storage: Storage,
    /// What an entry is made of, in order. The first address is in `IPSET_ATTR_IP`, the second one in `IPSET_ATTR_IP2`.
    pub parts: &'static [Part],
    /// The newest revision that this library knows.
    pub revision: u8,
}

/// How a set keeps its entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Storage {
    /// A bit for each that may be.
    Bitmap,
    /// By hash.
    Hash,
    /// In order.
    List,
}

/// What an entry is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// An address.
    Ip,
    /// An address and how many of its bits count.
    Net,
    /// A protocol and a port, or ICMP's type and code; of a bitmap, a port alone.
    Port,
    /// A hardware address of Ethernet.
    Mac,
    /// A mark.
    Mark,
    /// An interface's name.
    Interface,
    /// The name of a set.
    Set,
}

/// `types! { "hash:ip", Hash, [Ip], 6; }` is a row of [`TYPES`].
macro_rules! types {
    ($($name:literal, $storage:ident, [$($part:ident),+], $revision:literal;)*) => {
        /// All types, as net/netfilter/ipset has them (`struct ip_set_type`).
        pub const TYPES: &[SetType] = &[$(SetType {
            name: $name,
            storage: Storage::$storage,
            parts: &[$(Part::$part),+],
            revision: $revision,
        }),*];
    };
}

types! {
    "bitmap:ip", Bitmap, [Ip], 3;
    "bitmap:ip,mac", Bitmap, [Ip, Mac], 3;
    "bitmap:port", Bitmap, [Port], 3;
    "hash:ip", Hash, [Ip], 6;
    "hash:ip,mac", Hash, [Ip, Mac], 1;
    "hash:ip,mark", Hash, [Ip, Mark], 3;
    "hash:ip,port", Hash, [Ip, Port], 7;
    "hash:ip,port,ip", Hash, [Ip, Port, Ip], 6;
    "hash:ip,port,net", Hash, [Ip, Port, Net], 8;
    "hash:mac", Hash, [Mac], 1;
    "hash:net", Hash, [Net], 7;
    "hash:net,iface", Hash, [Net, Interface], 8;
    "hash:net,net", Hash, [Net, Net], 4;
    "hash:net,port", Hash, [Net, Port], 8;
    "hash:net,port,net", Hash, [Net, Port, Net], 3;
    "list:set", List, [Set], 3;
}

impl SetType {
    /// The type with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        TYPES.iter().find(|known| known.name == name)
    }

    /// Whether an entry has a part of this kind.
    #[must_use]
    pub fn has(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// Whether sets of this type are made for either family of addresses.
    #[must_use]
    pub fn is_of_family(&self) -> bool {
        self.storage == Storage::Hash && (self.has(Part::Ip) || self.has(Part::Net))
    }

    /// The family that a set is made for, where IPv6 is not asked for.
    #[must_use]
    pub fn family(&self) -> Family {
        if self.has(Part::Ip) || self.has(Part::Net) { Family::IPV4 } else { Family::UNSPEC }
    }
}
