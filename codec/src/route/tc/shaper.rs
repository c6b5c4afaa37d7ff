//! Disciplines that hold packets back (include/uapi/linux/pkt_sched.h): `tbf`, `htb`, `hfsc`, `cbs`, `etf`.
//!
//! Bursts are in ticks of 64 nanoseconds: how long so many bytes take at the rate. Rates of 2 to the power of 32 bytes
//! per second and more stand in an attribute of their own, with all ones in the struct.

use super::RateSpec;
use crate::table::{Flag, Packed, Pad};
use crate::{flags, record, space};

space! {
    /// What `tbf` is set to (tc-tbf(8)).
    pub Tbf, "TCA_TBF_" {
        /// Rates and bursts.
        PARMS: TbfOptions = 1,
        /// Time for each size of packets at the rate, 256 entries in ticks; only in requests.
        RTAB: Packed<u32> = 2,
        /// The same for the peak rate.
        PTAB: Packed<u32> = 3,
        /// Rate, in bytes per second, where 32 bits are too few.
        RATE64: u64 = 4,
        /// Peak rate, in bytes per second, where 32 bits are too few.
        PRATE64: u64 = 5,
        /// Bytes that may go at once; only in requests.
        BURST: u32 = 6,
        /// Bytes that may go at once at the peak rate; only in requests.
        PBURST: u32 = 7,
        /// Aligns 64-bit numbers.
        PAD: Pad = 8,
    }
}

record! {
    /// Rates and bursts of `tbf`.
    pub TbfOptions, "tc_tbf_qopt", "" {
        /// The rate.
        rate: RateSpec,
        /// The peak rate; zero where there is none.
        peakrate: RateSpec,
        /// Length of the queue, in bytes.
        limit: u32,
        /// What may go at once, in ticks.
        buffer: u32,
        /// What may go at once at the peak rate, in ticks.
        mtu: u32,
    }
}

space! {
    /// What `htb` is set to, as a discipline and as a class (tc-htb(8)).
    pub Htb, "TCA_HTB_" {
        /// Of a class: rates and bursts.
        PARMS: HtbOptions = 1,
        /// Of the discipline.
        INIT: HtbGlobal = 2,
        /// Of a class: time for each size of packets at the ceiling, 256 entries in ticks; only in requests.
        CTAB: Packed<u32> = 3,
        /// Of a class: the same for the rate.
        RTAB: Packed<u32> = 4,
        /// Of the discipline: most packets that wait though no class takes them.
        DIRECT_QLEN: u32 = 5,
        /// Of a class: rate, in bytes per second, where 32 bits are too few.
        RATE64: u64 = 6,
        /// Of a class: ceiling, in bytes per second, where 32 bits are too few.
        CEIL64: u64 = 7,
        /// Aligns 64-bit numbers.
        PAD: Pad = 8,
        /// Hardware does its work.
        OFFLOAD: Flag = 9,
    }
}

record! {
    /// Rates and bursts of a class of `htb`.
    pub HtbOptions, "tc_htb_opt", "" {
        /// What it may send always.
        rate: RateSpec,
        /// What it may send if others do not need it.
        ceil: RateSpec,
        /// What may go at once at the rate, in ticks.
        buffer: u32,
        /// What may go at once at the ceiling, in ticks.
        cbuffer: u32,
        /// Bytes that it may send in a turn; 0 in a request lets the kernel choose.
        quantum: u32,
        /// How far it is from the leaves; told only.
        level: u32,
        /// Priority, 0 (first) to 7.
        prio: u32,
    }
}

record! {
    /// What the discipline `htb` is set to.
    pub HtbGlobal, "tc_htb_glob", "" {
        /// Version of the algorithm: 3 in requests, with more in the upper half of answers.
        version: u32,
        /// What a rate is divided by to have the bytes of a turn.
        rate2quantum: u32,
        /// Minor number of the class of packets that no filter takes; 0 for none.
        defcls: u32,
        /// Not used.
        debug: u32,
        /// Packets that went by without a class; told only.
        direct_pkts: u32,
    }
}

record! {
    /// Counters of a class of `htb`.
    pub HtbStats, "tc_htb_xstats", "" {
        /// Packets that it sent itself.
        lends: u32,
        /// Packets that it sent with what the class above lent.
        borrows: u32,
        /// Not used.
        giants: u32,
        /// What may go now at the rate, in ticks.
        tokens: i32,
        /// What may go now at the ceiling, in ticks.
        ctokens: i32,
    }
}

record! {
    /// What the discipline `hfsc` is set to (tc-hfsc(7)).
    pub HfscOptions, "tc_hfsc_qopt", "" {
        /// Minor number of the class of packets that no filter takes; 0 for none.
        defcls: u16,
    }
}

space! {
    /// What a class of `hfsc` is set to.
    pub Hfsc, "TCA_HFSC_" {
        /// What it gets in any case.
        RSC: ServiceCurve = 1,
        /// What it gets of what is left.
        FSC: ServiceCurve = 2,
        /// What it gets at most.
        USC: ServiceCurve = 3,
    }
}

record! {
    /// How much a class gets over time: two straight lines.
    pub ServiceCurve, "tc_service_curve", "" {
        /// Slope of the first, in bytes per second.
        m1: u32,
        /// How long the first is, in microseconds.
        d: u32,
        /// Slope of the second, in bytes per second.
        m2: u32,
    }
}

record! {
    /// Counters of a class of `hfsc`.
    pub HfscStats, "tc_hfsc_stats", "" {
        /// Bytes sent.
        work: u64,
        /// Bytes of them that it got in any case.
        rtwork: u64,
        /// Which period it is in.
        period: u32,
        /// How far it is from the leaves.
        level: u32,
    }
}

space! {
    /// What `cbs` is set to (tc-cbs(8)).
    pub Cbs, "TCA_CBS_" {
        /// Credits and slopes.
        PARMS: CbsOptions = 1,
    }
}

record! {
    /// Credits and slopes of `cbs`.
    pub CbsOptions, "tc_cbs_qopt", "" {
        /// 1: hardware does its work.
        offload: u8,
        /// Nothing (`_pad` in C).
        pad: [u8; 3],
        /// Greatest credit, in bytes.
        hicredit: i32,
        /// Least credit, in bytes.
        locredit: i32,
        /// Rate at which credit grows, in kilobits per second.
        idleslope: i32,
        /// Rate at which credit falls while it sends, in kilobits per second.
        sendslope: i32,
    }
}

space! {
    /// What `etf` is set to (tc-etf(8)).
    pub Etf, "TCA_ETF_" {
        /// Clock and times.
        PARMS: EtfOptions = 1,
    }
}

record! {
    /// Clock and times of `etf`.
    pub EtfOptions, "tc_etf_qopt", "" {
        /// How long before its time a packet is handed on, in nanoseconds.
        delta: i32,
        /// Clock that the times of packets are of (clock_gettime(2)).
        clockid: i32,
        /// How it behaves.
        flags: EtfFlags,
    }
}

flags! {
    /// How `etf` behaves.
    pub EtfFlags(u32), "TC_ETF_" {
        /// The time is a deadline: packets go as soon as they can.
        DEADLINE_MODE_ON = 0x1,
        /// Hardware does its work.
        OFFLOAD_ON = 0x2,
        /// Packets of sockets without a time of their own are taken too.
        SKIP_SOCK_CHECK = 0x4,
    }
}
