//! When packets came and went.

use super::{Bitset, Header};
use crate::table::{Nest, Packed, Uint};
use crate::{space, values};

space! {
    /// How a device can stamp packets with the time.
    pub TimestampInfo, "ETHTOOL_A_TSINFO_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// What a socket can have of it.
        TIMESTAMPING: Nest<Bitset> = 2,
        /// Which sent packets.
        TX_TYPES: Nest<Bitset> = 3,
        /// Which received packets.
        RX_FILTERS: Nest<Bitset> = 4,
        /// Number of the clock (/dev/ptp…).
        PHC_INDEX: u32 = 5,
        /// Counters (Linux 6.10).
        STATS: Nest<TimestampStats> = 6,
        /// Which clock (Linux 6.14).
        HWTSTAMP_PROVIDER: Nest<TimestampProvider> = 7,
        /// What has the clock.
        HWTSTAMP_SOURCE: TimestampSource = 8,
        /// Which PHY has it.
        HWTSTAMP_PHYINDEX: u32 = 9,
    }
}

space! {
    /// Counters of stamps.
    pub TimestampStats, "ETHTOOL_A_TS_STAT_" {
        /// Sent packets that got one.
        TX_PKTS: Uint = 1,
        /// Sent packets whose stamp did not come.
        TX_LOST: Uint = 2,
        /// Sent packets that could get none.
        TX_ERR: Uint = 3,
        /// Sent packets that should have got one on their way.
        TX_ONESTEP_PKTS_UNCONFIRMED: Uint = 4,
    }
}

space! {
    /// A clock.
    pub TimestampProvider, "ETHTOOL_A_TS_HWTSTAMP_PROVIDER_" {
        /// Its number.
        INDEX: u32 = 1,
        /// How exact it is: 0 precise, 1 approximate.
        QUALIFIER: u32 = 2,
    }
}

values! {
    /// What has a clock.
    pub TimestampSource(u32), "HWTSTAMP_SOURCE_" {
        /// The device.
        NETDEV = 1,
        /// A PHY.
        PHYLIB = 2,
    }
}

space! {
    /// Which packets a device stamps with the time (Linux 6.14).
    pub TimestampSettings, "ETHTOOL_A_TSCONFIG_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Which clock.
        HWTSTAMP_PROVIDER: Nest<TimestampProvider> = 2,
        /// Which sent packets.
        TX_TYPES: Nest<Bitset> = 3,
        /// Which received packets.
        RX_FILTERS: Nest<Bitset> = 4,
        /// How.
        HWTSTAMP_FLAGS: Nest<Bitset> = 5,
    }
}

space! {
    /// Clocks that a device's clock is divided into.
    pub VirtualClocks, "ETHTOOL_A_PHC_VCLOCKS_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// How many.
        NUM: u32 = 2,
        /// Their numbers.
        INDEX: Packed<i32> = 3,
    }
}
