//! Actions that leave packets as they are: verdicts, copies, limits, programs (net/sched/act_*.c).

use super::action::action;
use super::{ActionTimes, RateSpec, Verdict};
use crate::diag::BpfInstruction;
use crate::table::{Bytes, Flag, Many, Nest, Packed, Pad, Str};
use crate::{record, space, values};

// include/uapi/linux/tc_act/tc_gact.h
space! {
    /// `gact`: says what becomes of packets.
    pub Gact, "TCA_GACT_" {
        /// When it was made and used.
        TM: ActionTimes = 1,
        /// What it is set to.
        PARMS: GactSettings = 2,
        /// What becomes of some of them instead.
        PROB: GactProbability = 3,
        /// Aligns what follows.
        PAD: Pad = 4,
    }
}

action! {
    /// What `gact` is set to.
    pub GactSettings, "tc_gact", {}
}

record! {
    /// What becomes of some packets instead.
    pub GactProbability, "tc_gact_p", "" {
        /// Which packets.
        ptype: GactChoice,
        /// One of how many.
        pval: u16,
        /// What becomes of them.
        paction: Verdict,
    }
}

values! {
    /// Which packets are treated otherwise.
    pub GactChoice(u16), "PGACT_" {
        /// None.
        NONE = 0,
        /// One of so many on average.
        NETRAND = 1,
        /// Every so manieth.
        DETERM = 2,
    }
}

// include/uapi/linux/tc_act/tc_mirred.h
space! {
    /// `mirred`: sends packets, or copies of them, by another interface (tc-mirred(8)).
    pub Mirred, "TCA_MIRRED_" {
        /// When it was made and used.
        TM: ActionTimes = 1,
        /// What it is set to.
        PARMS: MirredSettings = 2,
        /// Aligns what follows.
        PAD: Pad = 3,
        /// In place of an interface, all of those that share a block of filters.
        BLOCKID: u32 = 4,
    }
}

action! {
    /// What `mirred` is set to.
    pub MirredSettings, "tc_mirred", {
        /// What is sent where.
        eaction: MirredTarget,
        /// Interface.
        ifindex: u32,
    }
}

values! {
    /// What is sent, and whether as if it left or came in.
    pub MirredTarget(u32), "TCA_" {
        /// The packet leaves by the interface.
        EGRESS_REDIR = 1,
        /// A copy leaves by it.
        EGRESS_MIRROR = 2,
        /// The packet comes in by the interface.
        INGRESS_REDIR = 3,
        /// A copy comes in by it.
        INGRESS_MIRROR = 4,
    }
}

// include/uapi/linux/pkt_cls.h
space! {
    /// `police`: what becomes of packets above a rate (tc-police(8)). Filters can have one without an action.
    pub Police, "TCA_POLICE_" {
        /// What it is set to.
        TBF: PoliceSettings = 1,
        /// Time that packets of each size take at the rate: 256 numbers; only in requests.
        RATE: Packed<u32> = 2,
        /// Time that they take at the highest rate; only in requests.
        PEAKRATE: Packed<u32> = 3,
        /// Bytes per second, as they are estimated, from which on packets are above the rate.
        AVRATE: u32 = 4,
        /// What becomes of packets below the rate.
        RESULT: Verdict = 5,
        /// When it was made and used.
        TM: ActionTimes = 6,
        /// Aligns what follows.
        PAD: Pad = 7,
        /// Rate in bytes per second, where 32 bits are too few.
        RATE64: u64 = 8,
        /// Highest rate in bytes per second, where 32 bits are too few.
        PEAKRATE64: u64 = 9,
        /// Packets per second, in place of bytes.
        PKTRATE64: u64 = 10,
        /// Packets that may come at once.
        PKTBURST64: u64 = 11,
    }
}

record! {
    /// What `police` is set to.
    pub PoliceSettings, "tc_police", "" {
        /// Number of the action among those of its kind; 0 in a request for a free one.
        index: u32,
        /// What becomes of packets above the rate.
        action: Verdict,
        /// Nothing.
        limit: u32,
        /// Time that bytes may come in at once for, in ticks of the scheduler's clock (`/proc/net/psched`).
        burst: u32,
        /// Longest packet that is below the rate, in bytes.
        mtu: u32,
        /// The rate.
        rate: RateSpec,
        /// The highest rate.
        peakrate: RateSpec,
        /// How many refer to it.
        refcnt: i32,
        /// How many of these are filters.
        bindcnt: i32,
        /// Nothing.
        capab: u32,
    }
}

// include/uapi/linux/tc_act/tc_sample.h
space! {
    /// `sample`: hands one of so many packets to programs (tc-sample(8)).
    pub Sample, "TCA_SAMPLE_" {
        /// When it was made and used.
        TM: ActionTimes = 1,
        /// What it is set to.
        PARMS: SampleSettings = 2,
        /// One of how many.
        RATE: u32 = 3,
        /// Bytes of a packet that are handed over.
        TRUNC_SIZE: u32 = 4,
        /// Group of psample that they are handed to.
        PSAMPLE_GROUP: u32 = 5,
        /// Aligns what follows.
        PAD: Pad = 6,
    }
}

action! {
    /// What `sample` is set to.
    pub SampleSettings, "tc_sample", {}
}

// include/uapi/linux/tc_act/tc_bpf.h
space! {
    /// `bpf`: a program says what becomes of packets.
    pub ActBpf, "TCA_ACT_BPF_" {
        /// When it was made and used.
        TM: ActionTimes = 1,
        /// What it is set to.
        PARMS: ActBpfSettings = 2,
        /// Instructions of a classic program.
        OPS_LEN: u16 = 3,
        /// A classic program.
        OPS: Packed<BpfInstruction> = 4,
        /// Descriptor of a loaded program; only in requests.
        FD: u32 = 5,
        /// Name of the program.
        NAME: Str = 6,
        /// Aligns what follows.
        PAD: Pad = 7,
        /// Hash of the program, 8 bytes.
        TAG: Bytes = 8,
        /// Number of the program.
        ID: u32 = 9,
    }
}

action! {
    /// What `bpf` is set to.
    pub ActBpfSettings, "tc_act_bpf", {}
}

// include/uapi/linux/tc_act/tc_defact.h
space! {
    /// `simple`: writes a line into the kernel's log.
    pub Simple, "TCA_DEF_" {
        /// When it was made and used.
        TM: ActionTimes = 1,
        /// What it is set to.
        PARMS: SimpleSettings = 2,
        /// The line, up to 31 bytes.
        DATA: Str = 3,
        /// Aligns what follows.
        PAD: Pad = 4,
    }
}

action! {
    /// What `simple` is set to.
    pub SimpleSettings, "tc_defact", {}
}

// include/uapi/linux/tc_act/tc_gate.h
space! {
    /// `gate`: lets packets pass at set times (IEEE 802.1Qci).
    pub Gate, "TCA_GATE_" {
        /// When it was made and used.
        TM: ActionTimes = 1,
        /// What it is set to.
        PARMS: GateSettings = 2,
        /// Aligns what follows.
        PAD: Pad = 3,
        /// Which priority it is for; -1 for all.
        PRIORITY: i32 = 4,
        /// What is so for how long.
        ENTRY_LIST: Nest<GateList> = 5,
        /// When it begins, in nanoseconds of the clock.
        BASE_TIME: u64 = 6,
        /// When it begins anew, in nanoseconds.
        CYCLE_TIME: u64 = 7,
        /// How much longer a cycle may be before another list begins, in nanoseconds.
        CYCLE_TIME_EXT: u64 = 8,
        /// Nothing is defined.
        FLAGS: u32 = 9,
        /// The clock (`CLOCK_`).
        CLOCKID: i32 = 10,
    }
}

action! {
    /// What `gate` is set to.
    pub GateSettings, "tc_gate", {}
}

space! {
    /// What is so for how long, in this order.
    pub GateList, "TCA_GATE_ONE_" {
        /// One of it.
        ENTRY: Many<Nest<GateEntry>> = 1,
    }
}

space! {
    /// What is so for how long.
    pub GateEntry, "TCA_GATE_ENTRY_" {
        /// Its place in the list; only in answers.
        INDEX: u32 = 1,
        /// Packets pass.
        GATE: Flag = 2,
        /// For how long, in nanoseconds.
        INTERVAL: u32 = 3,
        /// Priority that packets get within the machine; -1 for none.
        IPV: i32 = 4,
        /// Bytes that pass at most; -1 for any number.
        MAX_OCTETS: i32 = 5,
    }
}
