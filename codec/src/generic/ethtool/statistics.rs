//! Counters that standards define.

use super::{Bitset, Header, MacStatsSource};
use crate::table::{Choice, Many, Nest, Pad};
use crate::{choices, space, values};

space! {
    /// Counters that standards define.
    pub Statistics, "ETHTOOL_A_STATS_" {
        /// Aligns what follows.
        PAD: Pad = 1,
        /// Which device.
        HEADER: Nest<Header> = 2,
        /// In a question: which groups.
        GROUPS: Nest<Bitset> = 3,
        /// A group.
        GRP: Many<Nest<StatisticsGroup>> = 4,
        /// Counters of which MAC.
        SRC: MacStatsSource = 5,
    }
}

space! {
    /// A group of counters.
    pub StatisticsGroup, "ETHTOOL_A_STATS_GRP_" {
        /// Aligns what follows.
        PAD: Pad = 1,
        /// Which group.
        ID: StatisticsGroupId = 2,
        /// Set with the counters' names.
        SS_ID: u32 = 3,
        /// A counter, in a nest of its own.
        STAT: Many<Choice<StatisticsCounters>> = 4,
        /// Received packets of about the same length.
        HIST_RX: Many<Nest<StatisticsGroup>> = 5,
        /// Sent packets of about the same length.
        HIST_TX: Many<Nest<StatisticsGroup>> = 6,
        /// Of those: the least bytes.
        HIST_BKT_LOW: u32 = 7,
        /// Of those: the most bytes.
        HIST_BKT_HI: u32 = 8,
        /// Of those: how many.
        HIST_VAL: u64 = 9,
    }
}

values! {
    /// A group of counters.
    pub StatisticsGroupId(u32), "ETHTOOL_STATS_" {
        ETH_PHY = 0,
        ETH_MAC = 1,
        ETH_CTRL = 2,
        RMON = 3,
        PHY = 4,
    }
}

choices! {
    /// A counter, by its group.
    pub StatisticsCounters, by Sibling 2 {
        0 => Nest<EthernetPhyCounter>,
        1 => Nest<EthernetMacCounter>,
        2 => Nest<EthernetControlCounter>,
        3 => Nest<RmonCounter>,
        4 => Nest<PhyCounter>,
    }
}

// Here and below, numbers of attributes begin at 0 and are those of the counters' names.
space! {
    /// Counters of the PHY (IEEE 802.3, 30.3.2).
    pub EthernetPhyCounter, "ETHTOOL_A_STATS_ETH_PHY_" {
        /// Wrong symbols.
        _5_SYM_ERR as "5_SYM_ERR": u64 = 0,
    }
}

space! {
    /// Counters of the MAC (IEEE 802.3, 30.3.1).
    pub EthernetMacCounter, "ETHTOOL_A_STATS_ETH_MAC_" {
        /// Frames sent.
        _2_TX_PKT as "2_TX_PKT": u64 = 0,
        /// Sent at the second attempt.
        _3_SINGLE_COL as "3_SINGLE_COL": u64 = 1,
        /// Sent at a later attempt.
        _4_MULTI_COL as "4_MULTI_COL": u64 = 2,
        /// Frames received.
        _5_RX_PKT as "5_RX_PKT": u64 = 3,
        /// Received with a wrong sum.
        _6_FCS_ERR as "6_FCS_ERR": u64 = 4,
        /// Received with bits too many.
        _7_ALIGN_ERR as "7_ALIGN_ERR": u64 = 5,
        /// Bytes sent.
        _8_TX_BYTES as "8_TX_BYTES": u64 = 6,
        /// Sent late because the line was busy.
        _9_TX_DEFER as "9_TX_DEFER": u64 = 7,
        /// Collisions that came late.
        _10_LATE_COL as "10_LATE_COL": u64 = 8,
        /// Given up after collisions.
        _11_XS_COL as "11_XS_COL": u64 = 9,
        /// Not sent for want of something in the device.
        _12_TX_INT_ERR as "12_TX_INT_ERR": u64 = 10,
        /// Sent without a carrier.
        _13_CS_ERR as "13_CS_ERR": u64 = 11,
        /// Bytes received.
        _14_RX_BYTES as "14_RX_BYTES": u64 = 12,
        /// Not received for want of something in the device.
        _15_RX_INT_ERR as "15_RX_INT_ERR": u64 = 13,
        /// Multicast frames sent.
        _18_TX_MCAST as "18_TX_MCAST": u64 = 14,
        /// Broadcast frames sent.
        _19_TX_BCAST as "19_TX_BCAST": u64 = 15,
        /// Not sent because the line was busy too long.
        _20_XS_DEFER as "20_XS_DEFER": u64 = 16,
        /// Multicast frames received.
        _21_RX_MCAST as "21_RX_MCAST": u64 = 17,
        /// Broadcast frames received.
        _22_RX_BCAST as "22_RX_BCAST": u64 = 18,
        /// Received with a length that is not theirs.
        _23_IR_LEN_ERR as "23_IR_LEN_ERR": u64 = 19,
        /// Received with a length that none can have.
        _24_OOR_LEN as "24_OOR_LEN": u64 = 20,
        /// Received and too long.
        _25_TOO_LONG_ERR as "25_TOO_LONG_ERR": u64 = 21,
    }
}

space! {
    /// Counters of control frames (IEEE 802.3, 30.3.3).
    pub EthernetControlCounter, "ETHTOOL_A_STATS_ETH_CTRL_" {
        /// Sent.
        _3_TX as "3_TX": u64 = 0,
        /// Received.
        _4_RX as "4_RX": u64 = 1,
        /// Received and not understood.
        _5_RX_UNSUP as "5_RX_UNSUP": u64 = 2,
    }
}

space! {
    /// Counters of received packets (RFC 2819).
    pub RmonCounter, "ETHTOOL_A_STATS_RMON_" {
        /// Too short.
        UNDERSIZE: u64 = 0,
        /// Too long.
        OVERSIZE: u64 = 1,
        /// Too short and with a wrong sum.
        FRAG: u64 = 2,
        /// Too long and with a wrong sum.
        JABBER: u64 = 3,
    }
}

space! {
    /// Counters that PHYs have (Linux 6.14).
    pub PhyCounter, "ETHTOOL_A_STATS_PHY_" {
        /// Packets received.
        RX_PKTS: u64 = 0,
        /// Bytes received.
        RX_BYTES: u64 = 1,
        /// Packets received with an error.
        RX_ERRORS: u64 = 2,
        /// Packets sent.
        TX_PKTS: u64 = 3,
        /// Bytes sent.
        TX_BYTES: u64 = 4,
        /// Packets sent with an error.
        TX_ERRORS: u64 = 5,
    }
}
