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
    /// The revision since which sets are made with [`Create::BUCKETSIZE`](super::Create::BUCKETSIZE) and
    /// [`Create::INITVAL`](super::Create::INITVAL). Kernels pass over what their revision does not know.
    pub bucket_since: Option<u8>,
    /// The revision since which sets are made with [`Create::NETMASK`](super::Create::NETMASK).
    pub netmask_since: Option<u8>,
    /// The revision since which sets are made with [`Create::BITMASK`](super::Create::BITMASK).
    pub bitmask_since: Option<u8>,
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

/// `types! { "hash:ip", Hash, [Ip], 6, Some(5), Some(0), Some(6); }` is a row of [`TYPES`], its members in their order.
macro_rules! types {
    ($($name:literal, $storage:ident, [$($part:ident),+], $revision:literal, $bucket:expr, $netmask:expr, $bitmask:expr;)*) => {
        /// All types, as net/netfilter/ipset has them (`struct ip_set_type`).
        pub const TYPES: &[SetType] = &[$(SetType {
            name: $name,
            storage: Storage::$storage,
            parts: &[$(Part::$part),+],
            revision: $revision,
            bucket_since: $bucket,
            netmask_since: $netmask,
            bitmask_since: $bitmask,
        }),*];
    };
}

types! {
    "bitmap:ip", Bitmap, [Ip], 3, None, Some(0), None;
    "bitmap:ip,mac", Bitmap, [Ip, Mac], 3, None, None, None;
    "bitmap:port", Bitmap, [Port], 3, None, None, None;
    "hash:ip", Hash, [Ip], 6, Some(5), Some(0), Some(6);
    "hash:ip,mac", Hash, [Ip, Mac], 1, Some(1), None, None;
    "hash:ip,mark", Hash, [Ip, Mark], 3, Some(3), None, None;
    "hash:ip,port", Hash, [Ip, Port], 7, Some(6), Some(7), Some(7);
    "hash:ip,port,ip", Hash, [Ip, Port, Ip], 6, Some(6), None, None;
    "hash:ip,port,net", Hash, [Ip, Port, Net], 8, Some(8), None, None;
    "hash:mac", Hash, [Mac], 1, Some(1), None, None;
    "hash:net", Hash, [Net], 7, Some(7), None, None;
    "hash:net,iface", Hash, [Net, Interface], 8, Some(8), None, None;
    "hash:net,net", Hash, [Net, Net], 4, Some(3), Some(4), Some(4);
    "hash:net,port", Hash, [Net, Port], 8, Some(8), None, None;
    "hash:net,port,net", Hash, [Net, Port, Net], 3, Some(3), None, None;
    "list:set", List, [Set], 3, None, None, None;
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
