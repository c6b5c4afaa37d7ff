//! Ethernet devices: modes, features, queues, timing, statistics (include/uapi/linux/ethtool_netlink.h;
//! net/ethtool/netlink.c). Changes and what drivers report come to group `monitor`.
//!
//! Questions and answers are numbered apart: [`Request`] and [`Answer`]. Every message has a [`Header`] that names the device.
//! Sets of bits come in two forms, with names or as words; [`BitsetView`] reads both.
//!
//! ```
//! use ringlink_codec::generic::ethtool::{Header, HeaderFlags, LinkModes, Request};
//! use ringlink_codec::prelude::*;
//!
//! let mut buffer = Buffer::<64>::new();
//! let get = Request::LINKMODES_GET;
//! let bytes = buffer.message(get.operation(21), get.header(), |ask| ask.nest(LinkModes::HEADER, |header| {
//!     header.put(Header::DEV_NAME, "eth0");
//!     header.put(Header::FLAGS, HeaderFlags::COMPACT_BITSETS);
//! }))?;
//! assert_eq!(bytes.len(), 44);
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

mod command;

mod bitset;
mod link;
mod module;
mod phy;
mod queue;
mod statistics;
mod time;

pub use bitset::*;
pub use command::*;
pub use link::*;
pub use module::*;
pub use phy::*;
pub use queue::*;
pub use statistics::*;
pub use time::*;

use super::Family;
use crate::table::{Flag, Many, Nest, Str};
use crate::{flags, space, values};

/// The family.
pub const ETHTOOL: Family = Family {
    name: "ethtool",
    id: 0,
    version: 1,
    requests: Request::OPERATIONS,
    answers: Answer::OPERATIONS,
    events: Answer::OPERATIONS,
};

space! {
    /// Which device, and how it is to be told. In a dump, no device is named.
    pub Header, "ETHTOOL_A_HEADER_" {
        /// Index of the interface.
        DEV_INDEX: u32 = 1,
        /// Name of the interface, or one of its alternative names.
        DEV_NAME: Str = 2,
        /// How it is to be told.
        FLAGS: HeaderFlags = 3,
        /// Which PHY of the interface, where it has several (Linux 6.12).
        PHY_INDEX: u32 = 4,
    }
}

flags! {
    /// How an answer is wanted.
    pub HeaderFlags(u32), "ETHTOOL_FLAG_" {
        /// Sets of bits without names.
        COMPACT_BITSETS = 0x1,
        /// A change is not answered.
        OMIT_REPLY = 0x2,
        /// With counters.
        STATS = 0x4,
    }
}

space! {
    /// Names of the bits and counters of a device.
    pub StringSets, "ETHTOOL_A_STRSET_" {
        /// Which device; empty for names that are the same for all.
        HEADER: Nest<Header> = 1,
        /// The sets.
        STRINGSETS: Nest<StringSetList> = 2,
        /// In a question: only how many.
        COUNTS_ONLY: Flag = 3,
    }
}

space! {
    /// Sets of names.
    pub StringSetList, "ETHTOOL_A_STRINGSETS_" {
        /// A set.
        STRINGSET: Many<Nest<StringSet>> = 1,
    }
}

space! {
    /// A set of names.
    pub StringSet, "ETHTOOL_A_STRINGSET_" {
        /// Names of what.
        ID: StringSetId = 1,
        /// How many.
        COUNT: u32 = 2,
        /// The names.
        STRINGS: Nest<StringList> = 3,
    }
}

values! {
    /// Names of what.
    pub StringSetId(u32), "ETH_SS_" {
        /// Self-tests.
        TEST = 0,
        /// The driver's counters.
        STATS = 1,
        /// The driver's flags.
        PRIV_FLAGS = 2,
        /// Once filters.
        NTUPLE_FILTERS = 3,
        FEATURES = 4,
        RSS_HASH_FUNCS = 5,
        TUNABLES = 6,
        /// The PHY's counters.
        PHY_STATS = 7,
        PHY_TUNABLES = 8,
        LINK_MODES = 9,
        /// What the driver logs.
        MSG_CLASSES = 10,
        WOL_MODES = 11,
        SOF_TIMESTAMPING = 12,
        TS_TX_TYPES = 13,
        TS_RX_FILTERS = 14,
        UDP_TUNNEL_TYPES = 15,
        /// Groups of counters that standards define.
        STATS_STD = 16,
        STATS_ETH_PHY = 17,
        STATS_ETH_MAC = 18,
        STATS_ETH_CTRL = 19,
        STATS_RMON = 20,
        STATS_PHY = 21,
        TS_FLAGS = 22,
    }
}

space! {
    /// Names.
    pub StringList, "ETHTOOL_A_STRINGS_" {
        /// A name.
        STRING: Many<Nest<NamedIndex>> = 1,
    }
}

space! {
    /// A name and its place.
    pub NamedIndex, "ETHTOOL_A_STRING_" {
        /// Its place.
        INDEX: u32 = 1,
        /// The name.
        VALUE: Str = 2,
    }
}
