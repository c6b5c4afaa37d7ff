//! What is behind the port: cables, PHYs, power over the line.

use super::Header;
use crate::table::{Many, NamedUint, Nest, Str, Uint};
use crate::{flags, space, values};

space! {
    /// A cable is to be tested.
    pub CableTest, "ETHTOOL_A_CABLE_TEST_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
    }
}

space! {
    /// How a test of a cable goes.
    pub CableTestEvent, "ETHTOOL_A_CABLE_TEST_NTF_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Whether it is over.
        STATUS: CableTestStatus = 2,
        /// What was found.
        NEST: Nest<CableResults> = 3,
    }
}

values! {
    /// Whether a test is over.
    pub CableTestStatus(u8), "ETHTOOL_A_CABLE_TEST_NTF_STATUS_" {
        UNSPEC = 0,
        STARTED = 1,
        COMPLETED = 2,
    }
}

space! {
    /// What a test found.
    pub CableResults, "ETHTOOL_A_CABLE_NEST_" {
        /// A pair's state.
        RESULT: Many<Nest<CableResult>> = 1,
        /// Where a pair is broken.
        FAULT_LENGTH: Many<Nest<CableFault>> = 2,
    }
}

space! {
    /// A pair's state.
    pub CableResult, "ETHTOOL_A_CABLE_RESULT_" {
        /// Which pair.
        PAIR: CablePair = 1,
        /// Its state.
        CODE: CableCode = 2,
        /// How that was found.
        SRC: CableSource = 3,
    }
}

values! {
    /// A pair of wires.
    pub CablePair(u8), "ETHTOOL_A_CABLE_PAIR_" {
        A = 0,
        B = 1,
        C = 2,
        D = 3,
    }
}

values! {
    /// State of a pair.
    pub CableCode(u8), "ETHTOOL_A_CABLE_RESULT_CODE_" {
        UNSPEC = 0,
        OK = 1,
        OPEN = 2,
        /// Its wires touch.
        SAME_SHORT = 3,
        /// It touches another pair.
        CROSS_SHORT = 4,
        IMPEDANCE_MISMATCH = 5,
        NOISE = 6,
        RESOLUTION_NOT_POSSIBLE = 7,
    }
}

values! {
    /// How something was found of a cable.
    pub CableSource(u32), "ETHTOOL_A_CABLE_INF_SRC_" {
        UNSPEC = 0,
        /// By echoes.
        TDR = 1,
        /// While the link is up.
        ALCD = 2,
    }
}

space! {
    /// Where a pair is broken.
    pub CableFault, "ETHTOOL_A_CABLE_FAULT_LENGTH_" {
        /// Which pair.
        PAIR: CablePair = 1,
        /// How far away, in centimetres.
        CM: u32 = 2,
        /// How that was found.
        SRC: CableSource = 3,
    }
}

space! {
    /// Echoes in a cable are to be measured.
    pub CableEcho, "ETHTOOL_A_CABLE_TEST_TDR_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Where.
        CFG: Nest<CableEchoSettings> = 2,
    }
}

space! {
    /// Where echoes are measured.
    pub CableEchoSettings, "ETHTOOL_A_CABLE_TEST_TDR_CFG_" {
        /// From here, in centimetres.
        FIRST: u32 = 1,
        /// To here, in centimetres.
        LAST: u32 = 2,
        /// So far apart, in centimetres.
        STEP: u32 = 3,
        /// In this pair only.
        PAIR: CablePair = 4,
    }
}

space! {
    /// How the measuring of echoes goes.
    pub CableEchoEvent, "ETHTOOL_A_CABLE_TEST_TDR_NTF_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Whether it is over.
        STATUS: CableTestStatus = 2,
        /// What was measured. The kernel's YNL description has another nest here.
        NEST: Nest<CableEchoes> = 3,
    }
}

space! {
    /// Echoes in a cable.
    pub CableEchoes, "ETHTOOL_A_CABLE_TDR_NEST_" {
        /// Where it was measured.
        STEP: Many<Nest<CableStep>> = 1,
        /// What came back.
        AMPLITUDE: Many<Nest<CableAmplitude>> = 2,
        /// What was sent.
        PULSE: Many<Nest<CablePulse>> = 3,
    }
}

space! {
    /// Where echoes were measured.
    pub CableStep, "ETHTOOL_A_CABLE_STEP_" {
        /// From here, in centimetres.
        FIRST_DISTANCE: u32 = 1,
        /// To here, in centimetres.
        LAST_DISTANCE: u32 = 2,
        /// So far apart, in centimetres.
        STEP_DISTANCE: u32 = 3,
    }
}

space! {
    /// What came back.
    pub CableAmplitude, "ETHTOOL_A_CABLE_AMPLITUDE_" {
        /// In which pair.
        PAIR: CablePair = 1,
        /// Millivolts.
        MV as "mV": i16 = 2,
    }
}

space! {
    /// What was sent.
    pub CablePulse, "ETHTOOL_A_CABLE_PULSE_" {
        /// Millivolts.
        MV as "mV": i16 = 1,
    }
}

space! {
    /// A PHY (Linux 6.12).
    pub Phy, "ETHTOOL_A_PHY_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Its number.
        INDEX: u32 = 2,
        /// Name of its driver.
        DRVNAME: Str = 3,
        /// Its name.
        NAME: Str = 4,
        /// What is before it.
        UPSTREAM_TYPE: PhyUpstream = 5,
        /// The number of the PHY before it.
        UPSTREAM_INDEX: u32 = 6,
        /// The cage of the module in which it is.
        UPSTREAM_SFP_NAME: Str = 7,
        /// The cage behind it.
        DOWNSTREAM_SFP_NAME: Str = 8,
    }
}

values! {
    /// What is before a PHY.
    pub PhyUpstream(u32), "PHY_UPSTREAM_" {
        MAC = 0,
        PHY = 1,
    }
}

space! {
    /// Turns on a line of several ends (IEEE 802.3cg).
    pub Plca, "ETHTOOL_A_PLCA_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Version of its registers.
        VERSION: u16 = 2,
        /// 1: turns are taken.
        ENABLED: u8 = 3,
        /// 1: a beacon is seen.
        STATUS: u8 = 4,
        /// How many ends there are.
        NODE_CNT: u32 = 5,
        /// Which of them this is.
        NODE_ID: u32 = 6,
        /// How long a turn waits, in times of a bit.
        TO_TMR: u32 = 7,
        /// Packets more in a turn.
        BURST_CNT: u32 = 8,
        /// How long those are waited for, in times of a bit.
        BURST_TMR: u32 = 9,
    }
}

space! {
    /// Power that a port gives.
    pub Pse, "ETHTOOL_A_" {
        /// Which device.
        PSE_HEADER: Nest<Header> = 1,
        /// Over one pair: whether it may.
        PODL_PSE_ADMIN_STATE: PodlAdminState = 2,
        /// Over one pair: whether it is to.
        PODL_PSE_ADMIN_CONTROL: PodlAdminState = 3,
        /// Over one pair: what it does.
        PODL_PSE_PW_D_STATUS: PodlStatus = 4,
        /// Whether it may.
        C33_PSE_ADMIN_STATE: C33AdminState = 5,
        /// Whether it is to.
        C33_PSE_ADMIN_CONTROL: C33AdminState = 6,
        /// What it does.
        C33_PSE_PW_D_STATUS: C33Status = 7,
        /// Class of what it gives to.
        C33_PSE_PW_CLASS: u32 = 8,
        /// What it gives, in milliwatts.
        C33_PSE_ACTUAL_PW: u32 = 9,
        /// Why it gives none.
        C33_PSE_EXT_STATE: C33ExtState = 10,
        /// Why exactly.
        C33_PSE_EXT_SUBSTATE: u32 = 11,
        /// Most it may give, in milliwatts.
        C33_PSE_AVAIL_PW_LIMIT: u32 = 12,
        /// What that may be.
        C33_PSE_PW_LIMIT_RANGES: Many<Nest<PseLimit>> = 13,
        /// Its source of power (Linux 6.17).
        PSE_PW_D_ID: u32 = 14,
        /// Greatest priority.
        PSE_PRIO_MAX: u32 = 15,
        /// Its priority.
        PSE_PRIO: u32 = 16,
    }
}

values! {
    /// Whether a port may give power over one pair.
    pub PodlAdminState(u32), "ETHTOOL_PODL_PSE_ADMIN_STATE_" {
        UNKNOWN = 1,
        DISABLED = 2,
        ENABLED = 3,
    }
}

values! {
    /// What a port does that may give power over one pair.
    pub PodlStatus(u32), "ETHTOOL_PODL_PSE_PW_D_STATUS_" {
        UNKNOWN = 1,
        DISABLED = 2,
        SEARCHING = 3,
        DELIVERING = 4,
        SLEEP = 5,
        IDLE = 6,
        ERROR = 7,
    }
}

values! {
    /// Whether a port may give power.
    pub C33AdminState(u32), "ETHTOOL_C33_PSE_ADMIN_STATE_" {
        UNKNOWN = 1,
        DISABLED = 2,
        ENABLED = 3,
    }
}

values! {
    /// What a port does that may give power.
    pub C33Status(u32), "ETHTOOL_C33_PSE_PW_D_STATUS_" {
        UNKNOWN = 1,
        DISABLED = 2,
        SEARCHING = 3,
        DELIVERING = 4,
        TEST = 5,
        FAULT = 6,
        OTHERFAULT = 7,
    }
}

values! {
    /// Why a port gives no power.
    pub C33ExtState(u32), "ETHTOOL_C33_PSE_EXT_STATE_" {
        ERROR_CONDITION = 1,
        MR_MPS_VALID = 2,
        MR_PSE_ENABLE = 3,
        OPTION_DETECT_TED = 4,
        OPTION_VPORT_LIM = 5,
        OVLD_DETECTED = 6,
        PD_DLL_POWER_TYPE = 7,
        POWER_NOT_AVAILABLE = 8,
        SHORT_DETECTED = 9,
    }
}

space! {
    /// What the most power may be.
    pub PseLimit, "ETHTOOL_A_C33_PSE_PW_LIMIT_" {
        /// Least, in milliwatts.
        MIN: u32 = 1,
        /// Most, in milliwatts.
        MAX: u32 = 2,
    }
}

space! {
    /// Something about power that a port gives.
    pub PseEvent, "ETHTOOL_A_PSE_NTF_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// What.
        EVENTS: NamedUint<PseEvents> = 2,
    }
}

flags! {
    /// What happened with power that a port gives.
    pub PseEvents(u32), "ETHTOOL_" {
        PSE_EVENT_OVER_CURRENT = 0x1,
        PSE_EVENT_OVER_TEMP = 0x2,
        C33_PSE_EVENT_DETECTION = 0x4,
        C33_PSE_EVENT_CLASSIFICATION = 0x8,
        C33_PSE_EVENT_DISCONNECTION = 0x10,
        PSE_EVENT_OVER_BUDGET = 0x20,
        PSE_EVENT_SW_PW_CONTROL_ERROR = 0x40,
    }
}

space! {
    /// How far signals are from what they should be (from Linux 7.0 on).
    pub Mse, "ETHTOOL_A_MSE_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// How that is measured.
        CAPABILITIES: Nest<MseCapabilities> = 2,
        /// In pair A.
        CHANNEL_A: Nest<MseSnapshot> = 3,
        /// In pair B.
        CHANNEL_B: Nest<MseSnapshot> = 4,
        /// In pair C.
        CHANNEL_C: Nest<MseSnapshot> = 5,
        /// In pair D.
        CHANNEL_D: Nest<MseSnapshot> = 6,
        /// In the worst pair.
        WORST_CHANNEL: Nest<MseSnapshot> = 7,
        /// In all.
        LINK: Nest<MseSnapshot> = 8,
    }
}

space! {
    /// How errors of signals are measured.
    pub MseCapabilities, "ETHTOOL_A_MSE_CAPABILITIES_" {
        /// Greatest average that can be told.
        MAX_AVERAGE_MSE: Uint = 1,
        /// Greatest peak that can be told.
        MAX_PEAK_MSE: Uint = 2,
        /// Picoseconds between measurements.
        REFRESH_RATE_PS: Uint = 3,
        /// Symbols in one.
        NUM_SYMBOLS: Uint = 4,
    }
}

space! {
    /// Errors of signals.
    pub MseSnapshot, "ETHTOOL_A_MSE_SNAPSHOT_" {
        /// On average.
        AVERAGE_MSE: Uint = 1,
        /// At most, of late.
        PEAK_MSE: Uint = 2,
        /// At most, since this was last read.
        WORST_PEAK_MSE: Uint = 3,
    }
}
