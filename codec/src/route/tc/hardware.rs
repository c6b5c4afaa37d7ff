//! Disciplines for queues of the device (include/uapi/linux/pkt_sched.h): `mqprio`, `taprio`.

use crate::table::{Many, Nest, Pad};
use crate::{flags, record, space, values};

record! {
    /// Traffic classes and their queues: what the options of `mqprio` begin with, and a part of those of `taprio`.
    pub TrafficClasses, "tc_mqprio_qopt", "" {
        /// How many classes there are, up to 16.
        num_tc: u8,
        /// The class of each priority of packets.
        prio_tc_map: [u8; 16],
        /// What hardware does of it.
        hw: MqprioHardware,
        /// For each class, how many queues it has.
        count: [u16; 16],
        /// For each class, its first queue.
        offset: [u16; 16],
    }
}

values! {
    /// What hardware does of `mqprio`.
    pub MqprioHardware(u8), "TC_MQPRIO_HW_OFFLOAD_" {
        /// Nothing.
        NONE = 0,
        /// Classes; it chooses their queues.
        TCS = 1,
    }
}

space! {
    /// What `mqprio` is set to beyond [`TrafficClasses`] (tc-mqprio(8)).
    pub Mqprio, "TCA_MQPRIO_" {
        /// How hardware sorts packets.
        MODE: MqprioMode = 1,
        /// How hardware holds packets back.
        SHAPER: MqprioShaper = 2,
        /// Least rate of each class.
        MIN_RATE64: Nest<MqprioMinRates> = 3,
        /// Greatest rate of each class.
        MAX_RATE64: Nest<MqprioMaxRates> = 4,
        /// More of one class.
        TC_ENTRY: Many<Nest<MqprioClass>> = 5,
    }
}

values! {
    /// How hardware sorts packets.
    pub MqprioMode(u16), "TC_MQPRIO_MODE_" {
        /// By data centre bridging.
        DCB = 0,
        /// By channels.
        CHANNEL = 1,
    }
}

values! {
    /// How hardware holds packets back.
    pub MqprioShaper(u16), "TC_MQPRIO_SHAPER_" {
        /// By data centre bridging.
        DCB = 0,
        /// By rates.
        BW_RATE = 1,
    }
}

// The lists borrow the numbers of the space around them.
space! {
    /// Least rates of traffic classes.
    pub MqprioMinRates, "TCA_MQPRIO_" {
        /// Rate of the next class, in bytes per second.
        MIN_RATE64: Many<u64> = 3,
    }
}

space! {
    /// Greatest rates of traffic classes.
    pub MqprioMaxRates, "TCA_MQPRIO_" {
        /// Rate of the next class, in bytes per second.
        MAX_RATE64: Many<u64> = 4,
    }
}

space! {
    /// A traffic class of `mqprio`.
    pub MqprioClass, "TCA_MQPRIO_TC_ENTRY_" {
        /// Its number, 0 to 15.
        INDEX: u32 = 1,
        /// Whether its frames may be interrupted.
        FP: FramePreemption = 2,
    }
}

values! {
    /// Whether frames of a traffic class may be interrupted.
    pub FramePreemption(u32), "TC_FP_" {
        /// They are not; they can interrupt others.
        EXPRESS = 1,
        /// They are where express frames come.
        PREEMPTIBLE = 2,
    }
}

space! {
    /// What `taprio` is set to (tc-taprio(8)).
    pub Taprio, "TCA_TAPRIO_" {
        /// Traffic classes and their queues.
        PRIOMAP as "ATTR_PRIOMAP": TrafficClasses = 1,
        /// The schedule.
        SCHED_ENTRY_LIST as "ATTR_SCHED_ENTRY_LIST": Nest<TaprioSchedule> = 2,
        /// When the schedule begins, in nanoseconds of its clock.
        SCHED_BASE_TIME as "ATTR_SCHED_BASE_TIME": i64 = 3,
        /// One entry of the schedule; no kernel up to 7.2 takes it.
        SCHED_SINGLE_ENTRY as "ATTR_SCHED_SINGLE_ENTRY": Nest<TaprioEntry> = 4,
        /// Its clock (clock_gettime(2)).
        SCHED_CLOCKID as "ATTR_SCHED_CLOCKID": i32 = 5,
        /// Aligns 64-bit numbers.
        PAD: Pad = 6,
        /// The schedule that comes next: base time, cycle and entries; told only.
        ADMIN_SCHED as "ATTR_ADMIN_SCHED": Nest<Taprio> = 7,
        /// Length of a cycle, in nanoseconds; the sum of the intervals where it is not said.
        SCHED_CYCLE_TIME as "ATTR_SCHED_CYCLE_TIME": i64 = 8,
        /// By how much the last cycle before a new schedule may be longer, in nanoseconds.
        SCHED_CYCLE_TIME_EXTENSION as "ATTR_SCHED_CYCLE_TIME_EXTENSION": i64 = 9,
        /// Who does its work.
        FLAGS as "ATTR_FLAGS": TaprioFlags = 10,
        /// With `TXTIME_ASSIST`: how long the way to hardware takes at most, in nanoseconds.
        TXTIME_DELAY as "ATTR_TXTIME_DELAY": u32 = 11,
        /// More of one traffic class.
        TC_ENTRY as "ATTR_TC_ENTRY": Many<Nest<TaprioClass>> = 12,
    }
}

flags! {
    /// Who does the work of `taprio`.
    pub TaprioFlags(u32), "TCA_TAPRIO_ATTR_FLAG_" {
        /// Hardware sends packets at times that it is told.
        TXTIME_ASSIST = 0x1,
        /// Hardware follows the schedule itself.
        FULL_OFFLOAD = 0x2,
    }
}

space! {
    /// Entries of a schedule, in order.
    pub TaprioSchedule, "TCA_TAPRIO_SCHED_" {
        /// One of them.
        ENTRY: Many<Nest<TaprioEntry>> = 1,
    }
}

space! {
    /// An entry of a schedule.
    pub TaprioEntry, "TCA_TAPRIO_SCHED_ENTRY_" {
        /// Its place; told only.
        INDEX: u32 = 1,
        /// What it does.
        CMD: TaprioCommand = 2,
        /// The traffic classes that may send, a bit for each.
        GATE_MASK: u32 = 3,
        /// How long it lasts, in nanoseconds.
        INTERVAL: u32 = 4,
    }
}

values! {
    /// What an entry of a schedule does.
    pub TaprioCommand(u8), "TC_TAPRIO_CMD_" {
        /// Classes may send, or not.
        SET_GATES = 0,
        /// The same, and frames that can be interrupted wait.
        SET_AND_HOLD = 1,
        /// The same, and they go on.
        SET_AND_RELEASE = 2,
    }
}

space! {
    /// A traffic class of `taprio`.
    pub TaprioClass, "TCA_TAPRIO_TC_ENTRY_" {
        /// Its number, 0 to 15.
        INDEX: u32 = 1,
        /// Largest payload that it sends, in bytes; 0 for any.
        MAX_SDU: u32 = 2,
        /// Whether its frames may be interrupted.
        FP: FramePreemption = 3,
    }
}

space! {
    /// Counters of `taprio` in hardware, of the discipline or of a class.
    pub TaprioStats, "TCA_TAPRIO_OFFLOAD_STATS_" {
        /// Aligns 64-bit numbers.
        PAD: Pad = 1,
        /// Packets dropped because they did not fit before the gate closed.
        WINDOW_DROPS: u64 = 2,
        /// Packets still on their way when the gate closed.
        TX_OVERRUNS: u64 = 3,
    }
}
