//! CAN controllers (include/uapi/linux/can/netlink.h).

use crate::table::{Nest, Packed};
use crate::{flags, record, space, values};

space! {
    /// A CAN controller.
    pub Can, "IFLA_CAN_" {
        /// Timing of bits.
        BITTIMING: CanBitTiming = 1,
        /// What timing the controller can do.
        BITTIMING_CONST: CanBitTimingConst = 2,
        /// Its clock.
        CLOCK: CanClock = 3,
        /// How the bus fares.
        STATE: CanState = 4,
        /// What it does, or is to.
        CTRLMODE: CanControlModeChange = 5,
        /// How long after bus-off it restarts, in milliseconds; 0 for never.
        RESTART_MS: u32 = 6,
        /// In a request: restart now.
        RESTART: u32 = 7,
        /// Errors counted.
        BERR_COUNTER: CanErrorCounter = 8,
        /// As `BITTIMING`, for the data of CAN FD.
        DATA_BITTIMING: CanBitTiming = 9,
        /// As `BITTIMING_CONST`, for the data of CAN FD.
        DATA_BITTIMING_CONST: CanBitTimingConst = 10,
        /// Resistance of the termination, in ohms; 0 for none.
        TERMINATION: u16 = 11,
        /// Resistances it can do, in ohms.
        TERMINATION_CONST: Packed<u16> = 12,
        /// Rates it can do, in bits a second, where there are few.
        BITRATE_CONST: Packed<u32> = 13,
        /// As `BITRATE_CONST`, for the data of CAN FD.
        DATA_BITRATE_CONST: Packed<u32> = 14,
        /// Largest rate of the transceiver, in bits a second.
        BITRATE_MAX: u32 = 15,
        /// How the delay of the transceiver is made up for.
        TDC: Nest<CanTdc> = 16,
        /// What it can do.
        CTRLMODE_EXT: Nest<CanControlModeExt> = 17,
        /// As `BITTIMING`, for the data of CAN XL.
        XL_DATA_BITTIMING: CanBitTiming = 18,
        /// As `BITTIMING_CONST`, for the data of CAN XL.
        XL_DATA_BITTIMING_CONST: CanBitTimingConst = 19,
        /// As `BITRATE_CONST`, for the data of CAN XL.
        XL_DATA_BITRATE_CONST: Packed<u32> = 20,
        /// As `TDC`, for CAN XL.
        XL_TDC: Nest<CanTdc> = 21,
        /// Pulse widths of CAN XL.
        XL_PWM: Nest<CanPwm> = 22,
    }
}

record! {
    /// Timing of bits.
    pub CanBitTiming, "can_bittiming", "" {
        /// Bits a second.
        bitrate: u32,
        /// Where in a bit it is looked at, in tenths of a per cent.
        sample_point: u32,
        /// Length of a quantum, in nanoseconds.
        tq: u32,
        /// Propagation segment, in quanta.
        prop_seg: u32,
        /// First phase segment, in quanta.
        phase_seg1: u32,
        /// Second phase segment, in quanta.
        phase_seg2: u32,
        /// Largest jump to synchronise, in quanta.
        sjw: u32,
        /// Divisor of the clock.
        brp: u32,
    }
}

record! {
    /// What timing a controller can do.
    pub CanBitTimingConst, "can_bittiming_const", "" {
        /// Name of the controller, ended by NUL.
        name: [u8; 16],
        /// Shortest propagation and first phase segment, in quanta.
        tseg1_min: u32,
        /// Longest propagation and first phase segment, in quanta.
        tseg1_max: u32,
        /// Shortest second phase segment, in quanta.
        tseg2_min: u32,
        /// Longest second phase segment, in quanta.
        tseg2_max: u32,
        /// Largest jump to synchronise, in quanta.
        sjw_max: u32,
        /// Smallest divisor of the clock.
        brp_min: u32,
        /// Largest divisor of the clock.
        brp_max: u32,
        /// Step of the divisor.
        brp_inc: u32,
    }
}

record! {
    /// Clock of a controller.
    pub CanClock, "can_clock", "" {
        /// In hertz.
        freq: u32,
    }
}

values! {
    /// How a CAN bus fares.
    pub CanState(u32), "CAN_STATE_" {
        /// Fewer than 96 errors.
        ERROR_ACTIVE = 0,
        /// Fewer than 128 errors.
        ERROR_WARNING = 1,
        /// Fewer than 256 errors.
        ERROR_PASSIVE = 2,
        BUS_OFF = 3,
        STOPPED = 4,
        SLEEPING = 5,
    }
}

record! {
    /// Errors counted.
    pub CanErrorCounter, "can_berr_counter", "" {
        /// When sending.
        txerr: u16,
        /// When receiving.
        rxerr: u16,
    }
}

record! {
    /// What a controller does, or is to.
    pub CanControlModeChange, "can_ctrlmode", "" {
        /// In a request, which of `flags` are meant.
        mask: CanControlMode,
        /// The flags.
        flags: CanControlMode,
    }
}

flags! {
    /// What a controller does.
    pub CanControlMode(u32), "CAN_CTRLMODE_" {
        LOOPBACK = 0x1,
        LISTENONLY = 0x2,
        /// Looks at each bit three times.
        _3_SAMPLES as "3_SAMPLES" = 0x4,
        ONE_SHOT = 0x8,
        BERR_REPORTING = 0x10,
        FD = 0x20,
        PRESUME_ACK = 0x40,
        FD_NON_ISO = 0x80,
        CC_LEN8_DLC = 0x100,
        TDC_AUTO = 0x200,
        TDC_MANUAL = 0x400,
        RESTRICTED = 0x800,
        XL = 0x1000,
        XL_TDC_AUTO = 0x2000,
        XL_TDC_MANUAL = 0x4000,
        XL_TMS = 0x8000,
    }
}

space! {
    /// How the delay of a transceiver is made up for. Lengths are in quanta of the clock.
    pub CanTdc, "IFLA_CAN_TDC_" {
        /// Smallest value.
        TDCV_MIN: u32 = 1,
        /// Largest value.
        TDCV_MAX: u32 = 2,
        /// Smallest offset.
        TDCO_MIN: u32 = 3,
        /// Largest offset.
        TDCO_MAX: u32 = 4,
        /// Smallest filter window.
        TDCF_MIN: u32 = 5,
        /// Largest filter window.
        TDCF_MAX: u32 = 6,
        /// Value.
        TDCV: u32 = 7,
        /// Offset.
        TDCO: u32 = 8,
        /// Filter window.
        TDCF: u32 = 9,
    }
}

space! {
    /// What a controller can do.
    pub CanControlModeExt, "IFLA_CAN_CTRLMODE_" {
        /// What it can be told to do.
        SUPPORTED: CanControlMode = 1,
    }
}

space! {
    /// Pulse widths of CAN XL. Lengths are in quanta of the clock.
    pub CanPwm, "IFLA_CAN_PWM_" {
        /// Smallest short phase.
        PWMS_MIN: u32 = 1,
        /// Largest short phase.
        PWMS_MAX: u32 = 2,
        /// Smallest long phase.
        PWML_MIN: u32 = 3,
        /// Largest long phase.
        PWML_MAX: u32 = 4,
        /// Smallest offset.
        PWMO_MIN: u32 = 5,
        /// Largest offset.
        PWMO_MAX: u32 = 6,
        /// Short phase.
        PWMS: u32 = 7,
        /// Long phase.
        PWML: u32 = 8,
        /// Offset.
        PWMO: u32 = 9,
    }
}

record! {
    /// Counters of a controller.
    pub CanDeviceStats, "can_device_stats", "" {
        /// Bus errors.
        bus_error: u32,
        /// How often the state became `ERROR_WARNING`.
        error_warning: u32,
        /// How often the state became `ERROR_PASSIVE`.
        error_passive: u32,
        /// How often the state became `BUS_OFF`.
        bus_off: u32,
        /// How often somebody else won the bus.
        arbitration_lost: u32,
        /// Restarts.
        restarts: u32,
    }
}
