//! What a device is connected by: ports, modes, state, and what is switched on.

use super::{Bitset, Header};
use crate::table::{Choice, Many, Nest, Packed, Pad, Secret, Uint};
use crate::{choices, space, values};

space! {
    /// How a device is connected.
    pub LinkInfo, "ETHTOOL_A_LINKINFO_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Kind of connector.
        PORT: Port = 2,
        /// Address of the PHY on its bus.
        PHYADDR: u8 = 3,
        /// How wires are crossed.
        TP_MDIX: Mdix = 4,
        /// How they are to be crossed.
        TP_MDIX_CTRL: Mdix = 5,
        /// Where the PHY is.
        TRANSCEIVER: Transceiver = 6,
    }
}

values! {
    /// Kind of connector.
    pub Port(u8), "PORT_" {
        /// Twisted pair.
        TP = 0x00,
        AUI = 0x01,
        MII = 0x02,
        FIBRE = 0x03,
        BNC = 0x04,
        /// A cable with its modules.
        DA = 0x05,
        NONE = 0xef,
        OTHER = 0xff,
    }
}

values! {
    /// How wires are crossed.
    pub Mdix(u8), "ETH_TP_" {
        /// Not known; as a wish, not to be had.
        MDI_INVALID = 0,
        /// Straight.
        MDI = 1,
        /// Crossed.
        MDI_X = 2,
        /// As it fits.
        MDI_AUTO = 3,
    }
}

values! {
    /// Where the PHY is.
    pub Transceiver(u8), "XCVR_" {
        INTERNAL = 0,
        EXTERNAL = 1,
        DUMMY1 = 2,
        DUMMY2 = 3,
        DUMMY3 = 4,
    }
}

space! {
    /// Speeds and how they are agreed on.
    pub LinkModes, "ETHTOOL_A_LINKMODES_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Whether they are agreed on.
        AUTONEG: Autonegotiation = 2,
        /// What this end can do; the value says what it tells of it.
        OURS: Nest<Bitset> = 3,
        /// What the other end tells.
        PEER: Nest<Bitset> = 4,
        /// Megabits in a second; all bits set for not known.
        SPEED: u32 = 5,
        /// Whether both ends may send at once.
        DUPLEX: Duplex = 6,
        /// Which end is to give the clock.
        MASTER_SLAVE_CFG: MasterSlaveWish = 7,
        /// Which end gives the clock.
        MASTER_SLAVE_STATE: MasterSlaveState = 8,
        /// Lanes in use.
        LANES: u32 = 9,
        /// How the PHY makes up for another speed.
        RATE_MATCHING: RateMatching = 10,
    }
}

values! {
    /// Whether speeds are agreed on.
    pub Autonegotiation(u8), "AUTONEG_" {
        DISABLE = 0,
        ENABLE = 1,
    }
}

values! {
    /// Whether both ends may send at once.
    pub Duplex(u8), "DUPLEX_" {
        HALF = 0,
        FULL = 1,
        UNKNOWN = 0xff,
    }
}

values! {
    /// Which end is to give the clock.
    pub MasterSlaveWish(u8), "MASTER_SLAVE_CFG_" {
        UNSUPPORTED = 0,
        UNKNOWN = 1,
        MASTER_PREFERRED = 2,
        SLAVE_PREFERRED = 3,
        MASTER_FORCE = 4,
        SLAVE_FORCE = 5,
    }
}

values! {
    /// Which end gives the clock.
    pub MasterSlaveState(u8), "MASTER_SLAVE_STATE_" {
        UNSUPPORTED = 0,
        UNKNOWN = 1,
        MASTER = 2,
        SLAVE = 3,
        ERR = 4,
    }
}

values! {
    /// How a PHY makes up for another speed.
    pub RateMatching(u8), "RATE_MATCH_" {
        NONE = 0,
        /// By pause frames.
        PAUSE = 1,
        /// By saying that the line is busy.
        CRS = 2,
        /// By longer gaps.
        OPEN_LOOP = 3,
    }
}

space! {
    /// Whether there is a link, and why not.
    pub LinkState, "ETHTOOL_A_LINKSTATE_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// 1: there is.
        LINK: u8 = 2,
        /// How good the signal is.
        SQI: u32 = 3,
        /// The best that can be.
        SQI_MAX: u32 = 4,
        /// Why there is none.
        EXT_STATE: LinkExtState = 5,
        /// Why exactly.
        EXT_SUBSTATE: Choice<LinkExtSubstate> = 6,
        /// How often it was lost.
        EXT_DOWN_CNT: u32 = 7,
    }
}

values! {
    /// Why there is no link.
    pub LinkExtState(u8), "ETHTOOL_LINK_EXT_STATE_" {
        /// They did not agree.
        AUTONEG = 0,
        LINK_TRAINING_FAILURE = 1,
        LINK_LOGICAL_MISMATCH = 2,
        BAD_SIGNAL_INTEGRITY = 3,
        NO_CABLE = 4,
        CABLE_ISSUE = 5,
        EEPROM_ISSUE = 6,
        CALIBRATION_FAILURE = 7,
        POWER_BUDGET_EXCEEDED = 8,
        OVERHEAT = 9,
        MODULE = 10,
    }
}

choices! {
    /// Why exactly there is no link.
    pub LinkExtSubstate, by Sibling 5 {
        0 => AutonegotiationFailure,
        1 => TrainingFailure,
        2 => LogicalMismatch,
        3 => SignalFailure,
        5 => CableFailure,
        10 => ModuleFailure,
        else => u8,
    }
}

values! {
    /// Why the ends did not agree.
    pub AutonegotiationFailure(u8), "ETHTOOL_LINK_EXT_SUBSTATE_AN_" {
        NO_PARTNER_DETECTED = 1,
        ACK_NOT_RECEIVED = 2,
        NEXT_PAGE_EXCHANGE_FAILED = 3,
        NO_PARTNER_DETECTED_FORCE_MODE = 4,
        FEC_MISMATCH_DURING_OVERRIDE = 5,
        NO_HCD = 6,
    }
}

values! {
    /// Why training failed.
    pub TrainingFailure(u8), "ETHTOOL_LINK_EXT_SUBSTATE_LT_" {
        KR_FRAME_LOCK_NOT_ACQUIRED = 1,
        KR_LINK_INHIBIT_TIMEOUT = 2,
        KR_LINK_PARTNER_DID_NOT_SET_RECEIVER_READY = 3,
        REMOTE_FAULT = 4,
    }
}

values! {
    /// What does not fit.
    pub LogicalMismatch(u8), "ETHTOOL_LINK_EXT_SUBSTATE_LLM_" {
        PCS_DID_NOT_ACQUIRE_BLOCK_LOCK = 1,
        PCS_DID_NOT_ACQUIRE_AM_LOCK = 2,
        PCS_DID_NOT_GET_ALIGN_STATUS = 3,
        FC_FEC_IS_NOT_LOCKED = 4,
        RS_FEC_IS_NOT_LOCKED = 5,
    }
}

values! {
    /// What is wrong with the signal.
    pub SignalFailure(u8), "ETHTOOL_LINK_EXT_SUBSTATE_BSI_" {
        LARGE_NUMBER_OF_PHYSICAL_ERRORS = 1,
        UNSUPPORTED_RATE = 2,
        SERDES_REFERENCE_CLOCK_LOST = 3,
        SERDES_ALOS = 4,
    }
}

values! {
    /// What is wrong with the cable.
    pub CableFailure(u8), "ETHTOOL_LINK_EXT_SUBSTATE_CI_" {
        UNSUPPORTED_CABLE = 1,
        CABLE_TEST_FAILURE = 2,
    }
}

values! {
    /// What is wrong with the module.
    pub ModuleFailure(u8), "ETHTOOL_LINK_EXT_SUBSTATE_MODULE_" {
        CMIS_NOT_READY = 1,
    }
}

space! {
    /// What a driver logs.
    pub Debug, "ETHTOOL_A_DEBUG_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// The classes of messages.
        MSGMASK: Nest<Bitset> = 2,
    }
}

space! {
    /// What wakes a machine up.
    pub WakeOnLan, "ETHTOOL_A_WOL_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// The kinds of packets: those that can, and those that do.
        MODES: Nest<Bitset> = 2,
        /// Password of `magicsecure`, 6 bytes.
        SOPASS: Secret = 3,
    }
}

space! {
    /// What a device does for the network stack.
    pub Features, "ETHTOOL_A_FEATURES_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// What can be changed.
        HW: Nest<Bitset> = 2,
        /// What is wished for.
        WANTED: Nest<Bitset> = 3,
        /// What is on.
        ACTIVE: Nest<Bitset> = 4,
        /// What never changes.
        NOCHANGE: Nest<Bitset> = 5,
    }
}

space! {
    /// Flags that only a driver knows.
    pub PrivateFlags, "ETHTOOL_A_PRIVFLAGS_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// The flags.
        FLAGS: Nest<Bitset> = 2,
    }
}

space! {
    /// Energy efficient Ethernet.
    pub Eee, "ETHTOOL_A_EEE_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Modes in which this end can; the value says what it tells of it.
        MODES_OURS: Nest<Bitset> = 2,
        /// What the other end tells.
        MODES_PEER: Nest<Bitset> = 3,
        /// 1: in use.
        ACTIVE: u8 = 4,
        /// 1: wanted.
        ENABLED: u8 = 5,
        /// 1: sending rests when idle.
        TX_LPI_ENABLED: u8 = 6,
        /// How long idle before that, in microseconds.
        TX_LPI_TIMER: u32 = 7,
    }
}

space! {
    /// Forward error correction.
    pub Fec, "ETHTOOL_A_FEC_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Codes that are wanted, as link modes.
        MODES: Nest<Bitset> = 2,
        /// 1: the device chooses.
        AUTO: u8 = 3,
        /// The code in use, as number of a link mode.
        ACTIVE: u32 = 4,
        /// Counters.
        STATS: Nest<FecStats> = 5,
    }
}

space! {
    /// Counters of error correction: first the sum, then each lane.
    pub FecStats, "ETHTOOL_A_FEC_STAT_" {
        /// Aligns what follows.
        PAD: Pad = 1,
        /// Blocks corrected.
        CORRECTED: Packed<u64> = 2,
        /// Blocks that could not be.
        UNCORR: Packed<u64> = 3,
        /// Bits corrected.
        CORR_BITS: Packed<u64> = 4,
        /// How many errors blocks had (Linux 6.18).
        HIST: Many<Nest<FecHistogram>> = 5,
    }
}

space! {
    /// Blocks with about the same number of errors.
    pub FecHistogram, "ETHTOOL_A_FEC_HIST_" {
        /// Aligns what follows.
        PAD: Pad = 1,
        /// Fewest errors.
        BIN_LOW: u32 = 2,
        /// Most errors.
        BIN_HIGH: u32 = 3,
        /// How many blocks.
        BIN_VAL: Uint = 4,
        /// How many of each lane.
        BIN_VAL_PER_LANE: Packed<u64> = 5,
    }
}
