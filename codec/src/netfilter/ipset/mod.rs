//! Sets of addresses, ports, interfaces and the like (include/uapi/linux/netfilter/ipset/ip_set.h; net/netfilter/ipset).
//!
//! Each message begins with a [`NetfilterHeader`] and the protocol's version ([`Set::PROTOCOL`]). Numbers and addresses
//! are big-endian, and in requests their attributes say so ([`NetOrder`]); the kernel refuses those that do not.
//! `IPSET_ATTR_DATA` is another space in each message: what a set is made with ([`Create`]), or one entry ([`Entry`]).
//! Which of an entry's attributes there are hangs on the [type](SetType) of the set, which has a name.
//!
//! ```
//! use core::net::Ipv4Addr;
//! use ringlink_codec::netfilter::NetfilterHeader;
//! use ringlink_codec::netfilter::ipset::{Change, EntryView, IpSet, VERSION};
//! use ringlink_codec::prelude::*;
//!
//! let mut buffer = Buffer::<64>::new();
//! let request = buffer.message(IpSet::ADD.exclusive(), NetfilterHeader::default(), |change| {
//!     change.put(Change::PROTOCOL, VERSION);
//!     change.put(Change::SETNAME, "friends");
//!     let entry = EntryView { ip: Some(Ipv4Addr::new(10, 0, 0, 1).into()), ..EntryView::default() };
//!     change.nest(Change::DATA, |data| entry.write(data));
//! })?;
//! let change = Message::parse(request)?.body(IpSet::ADD)?.attributes;
//! let entry = change.get(Change::DATA)?.map(EntryView::read).transpose()?;
//! assert_eq!(entry.and_then(|entry| entry.ip), Some(Ipv4Addr::new(10, 0, 0, 1).into()));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```
//!
//! What is absent: the interface to iptables (`struct ip_set_req_version` and its like), which is no netlink.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Family, NetfilterHeader};
use crate::table::{AttributeWriter, Attributes, Be, Be16, Be32, Be64, Hardware, Many, Nest, NetOrder, Pad, Str};
use crate::wire::Error;
use crate::{flags, operations, space};

mod kinds;
mod refusal;
mod view;

pub use kinds::{Part, SetType, Storage, TYPES};
pub use refusal::{BitmapRefusal, HashRefusal, IpSetRefusal, ListRefusal, NamedRefusal, failed_line};
pub use view::{EntryView, Range, SetHeader, SetView, SkbMark, SkbPriority};

/// The version of the protocol that these tables are of (`IPSET_PROTOCOL`).
pub const VERSION: u8 = 7;

/// The oldest version that works as these tables have it (`IPSET_PROTOCOL_MIN`).
pub const VERSION_MIN: u8 = 6;

/// The longest name of a set, in bytes without the NUL (`IPSET_MAXNAMELEN`).
pub const NAME_MAX: usize = 31;

/// The longest comment, in bytes without the NUL (`IPSET_MAX_COMMENT_SIZE`).
pub const COMMENT_MAX: usize = 255;

/// The longest timeout, in seconds: the kernel counts it in milliseconds, in 31 bits (`IPSET_MAX_TIMEOUT`,
/// include/linux/netfilter/ipset/ip_set.h).
pub const TIMEOUT_MAX: u32 = i32::MAX as u32 / 1000;

/// What messages about whole sets carry.
pub type SetMessage = (NetfilterHeader, Set);

/// What messages about entries carry.
pub type ChangeMessage = (NetfilterHeader, Change);

operations! {
    /// Messages about sets. What is made, added or deleted must not be there already, or must be there, where
    /// `NLM_F_EXCL` is set; without it (`ipset -exist`), it is as good.
    pub IpSet, "IPSET_CMD_", from 0x0600 {
        /// Which versions of the protocol are there?
        PROTOCOL: get SetMessage = 1,
        /// Make a set.
        CREATE: new SetMessage = 2,
        /// Take away a set, or all.
        DESTROY: act SetMessage = 3,
        /// Empty a set, or all.
        FLUSH: act SetMessage = 4,
        /// Give a set another name.
        RENAME: act (NetfilterHeader, Pair) = 5,
        /// Exchange what two sets hold.
        SWAP: act (NetfilterHeader, Pair) = 6,
        /// Tell about a set and what it holds, or about all, as a dump. One set may take several messages.
        LIST: get SetMessage = 7,
        /// The same, where `ipset save` asks.
        SAVE: get SetMessage = 8,
        /// Add entries.
        ADD: new ChangeMessage = 9,
        /// Delete entries.
        DEL: act ChangeMessage = 10,
        /// Is an entry in the set? The refusal `IPSET_ERR_EXIST` says no.
        TEST: act ChangeMessage = 11,
        /// Of what type is a set?
        HEADER: get SetMessage = 12,
        /// Which revisions of a type are there?
        TYPE: get (NetfilterHeader, Kind) = 13,
        /// Which number has the set of this name?
        GET_BYNAME: get SetMessage = 14,
        /// Which name has the set of this number?
        GET_BYINDEX: get SetMessage = 15,
    }
}

space! {
    /// A set.
    pub Set, "IPSET_ATTR_" {
        /// The version of the protocol, [`VERSION`].
        PROTOCOL: u8 = 1,
        /// Its name, of at most [`NAME_MAX`] bytes.
        SETNAME: Str = 2,
        /// The name of its type; absent where a message goes on with the entries of a set.
        TYPENAME: Str = 3,
        /// The type's revision.
        REVISION: u8 = 4,
        /// Whose addresses it holds.
        FAMILY: Family = 5,
        /// What is wanted of a list.
        FLAGS: NetOrder<Be<CommandFlags>> = 6,
        /// What it is made with.
        DATA: Nest<Create> = 7,
        /// What it holds.
        ADT: Nest<Entries> = 8,
        /// Where the request stands in a file: see [`Change::LINENO`].
        LINENO: NetOrder<Be32> = 9,
        /// The oldest version that the kernel speaks.
        PROTOCOL_MIN: u8 = 10,
        /// The kernel's number of it; told where the request's version is 7.
        INDEX: NetOrder<Be16> = 11,
    }
}

space! {
    /// Entries to be added, deleted or tested.
    pub Change, "IPSET_ATTR_" {
        /// The version of the protocol, [`VERSION`].
        PROTOCOL: u8 = 1,
        /// The set's name.
        SETNAME: Str = 2,
        /// One entry.
        DATA: Nest<Entry> = 7,
        /// Many entries, in order; the kernel stops at the first that it refuses.
        ADT: Nest<Entries> = 8,
        /// To be there, with any number, beside many entries: in what it repeats of the request, the kernel writes here
        /// the number ([`Entry::CADT_LINENO`]) of the entry that it refused.
        LINENO: NetOrder<Be32> = 9,
    }
}

space! {
    /// Two sets.
    pub Pair, "IPSET_ATTR_" {
        /// The version of the protocol, [`VERSION`].
        PROTOCOL: u8 = 1,
        /// The one's name.
        SETNAME: Str = 2,
        /// The other one's name, or the new one.
        SETNAME2: Str = 3,
    }
}

space! {
    /// A type of sets.
    pub Kind, "IPSET_ATTR_" {
        /// The version of the protocol, [`VERSION`].
        PROTOCOL: u8 = 1,
        /// Its name.
        TYPENAME: Str = 3,
        /// The newest revision that the kernel has.
        REVISION: u8 = 4,
        /// Whose addresses a set is to hold.
        FAMILY: Family = 5,
        /// The oldest revision that the kernel has.
        REVISION_MIN: u8 = 10,
    }
}

space! {
    /// Many entries.
    pub Entries, "IPSET_ATTR_" {
        /// One of them.
        DATA: Many<Nest<Entry>> = 7,
    }
}

space! {
    /// What a set is made with, and how it is. Hashes have a size and limits, bitmaps a range, lists a size.
    pub Create, "IPSET_ATTR_" {
        /// First address of a bitmap.
        IP: Nest<Ip> = 1,
        /// Last address of a bitmap.
        IP_TO: Nest<Ip> = 2,
        /// In place of a last address: how many bits of the first count.
        CIDR: u8 = 3,
        /// First port of a bitmap.
        PORT: NetOrder<Be16> = 4,
        /// Last port of a bitmap.
        PORT_TO: NetOrder<Be16> = 5,
        /// How long entries stay that say nothing else, in seconds, at most [`TIMEOUT_MAX`]; 0 for ever. Without it,
        /// entries have no timeouts.
        TIMEOUT: NetOrder<Be32> = 6,
        /// Protocol of the ports; not used by the kernel.
        PROTO: u8 = 7,
        /// What entries have beside them.
        CADT_FLAGS: NetOrder<Be<DataFlags>> = 8,
        /// Which bits of marks count, as the kernel tells it: in the machine's byte order. Requests have
        /// [`Create::MARKMASK_WANTED`].
        MARKMASK: u32 = 11,
        /// Which bits of addresses count.
        BITMASK: Nest<Ip> = 12,
        /// Where the hash starts; the kernel makes one up where none is given.
        INITVAL: NetOrder<Be32> = 17,
        /// Slots of the hash, which the kernel rounds up to a power of two.
        HASHSIZE: NetOrder<Be32> = 18,
        /// Most entries of a hash.
        MAXELEM: NetOrder<Be32> = 19,
        /// How many bits of addresses count.
        NETMASK: u8 = 20,
        /// Most entries of one slot of the hash.
        BUCKETSIZE: u8 = 21,
        /// Not used any more.
        RESIZE: u8 = 22,
        /// Most entries of a list.
        SIZE: NetOrder<Be32> = 23,
        /// How many entries there are; with timeouts, some of them may be past theirs.
        ELEMENTS: NetOrder<Be32> = 24,
        /// How many rules and sets refer to it.
        REFERENCES: NetOrder<Be32> = 25,
        /// Memory that it takes, in bytes.
        MEMSIZE: NetOrder<Be32> = 26,
    }
}

impl Create {
    /// Which bits of marks count, as a request says it: big-endian, under the number of [`Create::MARKMASK`].
    pub const MARKMASK_WANTED: crate::table::Key<Self, NetOrder<Be32>> = crate::table::Key::new(11);
}

space! {
    /// An entry. Which attributes there are is said by the type of the set: see [`SetType`].
    pub Entry, "IPSET_ATTR_" {
        /// The first address.
        IP: Nest<Ip> = 1,
        /// The last of a range of addresses; in requests only.
        IP_TO: Nest<Ip> = 2,
        /// How many bits of the address count.
        CIDR: u8 = 3,
        /// The port; of ICMP, type and code.
        PORT: NetOrder<Be16> = 4,
        /// The last of a range of ports; in requests only.
        PORT_TO: NetOrder<Be16> = 5,
        /// How long it stays, in seconds, at most [`TIMEOUT_MAX`]; 0 for ever.
        TIMEOUT: NetOrder<Be32> = 6,
        /// The port's protocol (`IPPROTO_`).
        PROTO: u8 = 7,
        /// What is special about it.
        CADT_FLAGS: NetOrder<Be<DataFlags>> = 8,
        /// Which of many it is, for [`Change::LINENO`] to say where the kernel refuses it.
        CADT_LINENO: NetOrder<Be32> = 9,
        /// The mark.
        MARK: NetOrder<Be32> = 10,
        /// The hardware address.
        ETHER: Hardware = 17,
        /// The name of a set.
        NAME: Str = 18,
        /// The name of the set in a list beside which it is to stand; in requests only.
        NAMEREF: Str = 19,
        /// The second address.
        IP2: Nest<Ip> = 20,
        /// How many bits of the second address count.
        CIDR2: u8 = 21,
        /// The last of a range of second addresses; in requests only.
        IP2_TO: Nest<Ip> = 22,
        /// The interface's name.
        IFACE: Str = 23,
        /// Bytes that matched.
        BYTES: NetOrder<Be64> = 24,
        /// Packets that matched.
        PACKETS: NetOrder<Be64> = 25,
        /// What somebody wrote about it, of at most [`COMMENT_MAX`] bytes.
        COMMENT: Str = 26,
        /// A mark for packets that match, and which of its bits count: see [`SkbMark`].
        SKBMARK: NetOrder<Be64> = 27,
        /// A priority for packets that match: see [`SkbPriority`].
        SKBPRIO: NetOrder<Be32> = 28,
        /// A queue of the device for packets that match.
        SKBQUEUE: NetOrder<Be16> = 29,
        /// Aligns what follows.
        PAD: Pad = 30,
    }
}

space! {
    /// An address. In requests it says that it is big-endian, in what the kernel tells it does not.
    pub Ip, "IPSET_ATTR_IPADDR_" {
        /// An IPv4 address.
        IPV4: NetOrder<Ipv4Addr> = 1,
        /// An IPv6 address.
        IPV6: NetOrder<Ipv6Addr> = 2,
    }
}

impl Ip {
    /// The address that a nest holds.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(nest: Attributes<'_, Self>) -> Result<Option<IpAddr>, Error> {
        let (four, six) = nest.read((Self::IPV4, Self::IPV6))?;
        Ok(four.map(IpAddr::V4).or(six.map(IpAddr::V6)))
    }

    /// Writes an address into a nest.
    pub fn write(nest: &mut AttributeWriter<'_, '_, Self>, address: IpAddr) {
        match address {
            IpAddr::V4(address) => nest.put(Self::IPV4, address),
            IpAddr::V6(address) => nest.put(Self::IPV6, address),
        }
    }
}

// enum ipset_cmd_flags
flags! {
    /// What is wanted of a command. Those from `SKIP_COUNTER_UPDATE` on are the rules' that match by sets.
    pub CommandFlags(u32), "IPSET_FLAG_" {
        /// It is no error that it is there, or not there; netlink's own flag says it (`NLM_F_EXCL` is not set).
        EXIST = 0x1,
        /// List names alone.
        LIST_SETNAME = 0x2,
        /// List sets without what they hold.
        LIST_HEADER = 0x4,
        SKIP_COUNTER_UPDATE = 0x8,
        SKIP_SUBCOUNTER_UPDATE = 0x10,
        MATCH_COUNTERS = 0x20,
        RETURN_NOMATCH = 0x80,
        MAP_SKBMARK = 0x100,
        MAP_SKBPRIO = 0x200,
        MAP_SKBQUEUE = 0x400,
    }
}

// enum ipset_cadt_flags
flags! {
    /// What is special about an entry, or what a set's entries have beside them.
    pub DataFlags(u32), "IPSET_FLAG_" {
        /// It is to stand before [`Entry::NAMEREF`], not behind it.
        BEFORE = 0x1,
        /// The interface is a bridge's port.
        PHYSDEV = 0x2,
        /// What matches it is not in the set.
        NOMATCH = 0x4,
        /// Entries count packets and bytes.
        WITH_COUNTERS = 0x8,
        /// Entries may have comments.
        WITH_COMMENT = 0x10,
        /// What is added to a full hash takes the place of something else.
        WITH_FORCEADD = 0x20,
        /// Entries may have marks, priorities and queues for packets.
        WITH_SKBINFO = 0x40,
        /// The interface's name is what names begin with.
        IFACE_WILDCARD = 0x80,
    }
}
