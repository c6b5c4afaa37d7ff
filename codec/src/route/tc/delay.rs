//! Disciplines for short queues and fair flows (include/uapi/linux/pkt_sched.h): `codel`, `fq_codel`, `fq`, `pie`,
//! `fq_pie`, `dualpi2`, `hhf`.

use super::Prio;
use crate::table::Pad;
use crate::{record, space, values};

space! {
    /// What `codel` is set to (tc-codel(8)).
    pub Codel, "TCA_CODEL_" {
        /// Delay to aim at, in microseconds.
        TARGET: u32 = 1,
        /// Length of the queue, in packets.
        LIMIT: u32 = 2,
        /// Time in which the delay must have been reached, in microseconds.
        INTERVAL: u32 = 3,
        /// 1: packets of senders that know ECN are marked, not dropped.
        ECN: u32 = 4,
        /// Delay from which packets are marked, in microseconds; absent for none.
        CE_THRESHOLD: u32 = 5,
    }
}

record! {
    /// Counters of `codel`.
    pub CodelStats, "tc_codel_xstats", "" {
        /// Largest packet, in bytes.
        maxpacket: u32,
        /// Drops since it began to drop.
        count: u32,
        /// `count` when it began to drop.
        lastcount: u32,
        /// Delay of the last packet, in microseconds.
        ldelay: u32,
        /// Time to the next drop, in microseconds.
        drop_next: i32,
        /// How often the queue was full.
        drop_overlimit: u32,
        /// Packets marked.
        ecn_mark: u32,
        /// 1: packets are dropped.
        dropping: u32,
        /// Packets marked for [`Codel::CE_THRESHOLD`].
        ce_mark: u32,
    }
}

space! {
    /// What `fq_codel` is set to (tc-fq_codel(8)).
    pub FqCodel, "TCA_FQ_CODEL_" {
        /// Delay to aim at, in microseconds.
        TARGET: u32 = 1,
        /// Length of all queues, in packets.
        LIMIT: u32 = 2,
        /// Time in which the delay must have been reached, in microseconds.
        INTERVAL: u32 = 3,
        /// 1: packets of senders that know ECN are marked, not dropped.
        ECN: u32 = 4,
        /// Flows that are told apart; cannot be changed.
        FLOWS: u32 = 5,
        /// Bytes that a flow may send in a turn.
        QUANTUM: u32 = 6,
        /// Delay from which packets are marked, in microseconds; absent for none.
        CE_THRESHOLD: u32 = 7,
        /// Most packets dropped at once where the queue is full.
        DROP_BATCH_SIZE: u32 = 8,
        /// Most memory, in bytes.
        MEMORY_LIMIT: u32 = 9,
        /// Traffic class that `CE_THRESHOLD` is for.
        CE_THRESHOLD_SELECTOR: u8 = 10,
        /// Bits of the traffic class that count.
        CE_THRESHOLD_MASK: u8 = 11,
    }
}

values! {
    /// Whose counters those of `fq_codel` are.
    pub FqCodelStatsKind(u32), "TCA_FQ_CODEL_XSTATS_" {
        /// The discipline's.
        QDISC = 0,
        /// A flow's, which is told as a class.
        CLASS = 1,
    }
}

record! {
    /// Counters of `fq_codel`.
    pub FqCodelStats, "tc_fq_codel_xstats", "" {
        /// `QDISC`.
        kind: FqCodelStatsKind,
        /// The counters.
        qdisc_stats: FqCodelQdiscStats,
    }
}

record! {
    /// Counters of the discipline `fq_codel`.
    pub FqCodelQdiscStats, "tc_fq_codel_qd_stats", "" {
        /// Largest packet, in bytes.
        maxpacket: u32,
        /// How often the queue was full.
        drop_overlimit: u32,
        /// Packets marked.
        ecn_mark: u32,
        /// How often a packet made a new flow.
        new_flow_count: u32,
        /// Flows that are new.
        new_flows_len: u32,
        /// Flows that are not.
        old_flows_len: u32,
        /// Packets marked for [`FqCodel::CE_THRESHOLD`].
        ce_mark: u32,
        /// Memory in use, in bytes.
        memory_usage: u32,
        /// Packets dropped for want of memory.
        drop_overmemory: u32,
    }
}

record! {
    /// Counters of a flow of `fq_codel`.
    pub FqCodelClassStats, "tc_fq_codel_xstats", "" {
        /// `CLASS`.
        kind: FqCodelStatsKind,
        /// The counters.
        class_stats: FqCodelFlowStats,
        /// Room for those of the discipline.
        pad: [u8; 12],
    }
}

record! {
    /// Counters of a flow of `fq_codel`.
    pub FqCodelFlowStats, "tc_fq_codel_cl_stats", "" {
        /// Bytes that it may still send in this turn.
        deficit: i32,
        /// Delay of the last packet, in microseconds.
        ldelay: u32,
        /// Drops since it began to drop.
        count: u32,
        /// `count` when it began to drop.
        lastcount: u32,
        /// 1: packets are dropped.
        dropping: u32,
        /// Time to the next drop, in microseconds.
        drop_next: i32,
    }
}

space! {
    /// What `fq` is set to (tc-fq(8)).
    pub Fq, "TCA_FQ_" {
        /// Length of all queues, in packets.
        PLIMIT: u32 = 1,
        /// Most packets of one flow.
        FLOW_PLIMIT: u32 = 2,
        /// Bytes that a flow may send in a turn.
        QUANTUM: u32 = 3,
        /// The same for the first turn of a new flow.
        INITIAL_QUANTUM: u32 = 4,
        /// 1: flows are held to a rate.
        RATE_ENABLE: u32 = 5,
        /// Not used.
        FLOW_DEFAULT_RATE: u32 = 6,
        /// Greatest rate of a flow, in bytes per second; all ones for none.
        FLOW_MAX_RATE: u32 = 7,
        /// Logarithm to base 2 of the size of the hash table.
        BUCKETS_LOG: u32 = 8,
        /// Time after which a flow that sends nothing gets its turn anew, in microseconds.
        FLOW_REFILL_DELAY: u32 = 9,
        /// Bits of the hash that tell packets without a socket apart.
        ORPHAN_MASK: u32 = 10,
        /// Rate below which each packet waits for its time, in bytes per second.
        LOW_RATE_THRESHOLD: u32 = 11,
        /// Delay from which packets are marked, in microseconds; all ones for none.
        CE_THRESHOLD: u32 = 12,
        /// By how much its timer may be late, in nanoseconds.
        TIMER_SLACK: u32 = 13,
        /// How far ahead a packet's time may be, in microseconds.
        HORIZON: u32 = 14,
        /// 1: packets beyond it are dropped, not sent at it.
        HORIZON_DROP: u8 = 15,
        /// The band of each priority of packets.
        PRIOMAP: Prio = 16,
        /// Bytes that each band may send in a turn.
        WEIGHTS: [i32; 3] = 17,
        /// How far ahead hardware holds packets, in microseconds.
        OFFLOAD_HORIZON: u32 = 18,
    }
}

record! {
    /// Counters of `fq`.
    pub FqStats, "tc_fq_qd_stats", "" {
        /// Flows that were cleared away.
        gc_flows: u64,
        /// Packets of the highest priority.
        highprio_packets: u64,
        /// Not used.
        tcp_retrans: u64,
        /// Packets held back for their flow's rate.
        throttled: u64,
        /// Packets dropped because their flow had too many.
        flows_plimit: u64,
        /// Packets too long for their flow's rate.
        pkts_too_long: u64,
        /// How often there was no memory.
        allocation_errors: u64,
        /// Time to the next flow that waits, in nanoseconds.
        time_next_delayed_flow: i64,
        /// Flows.
        flows: u32,
        /// Flows that send nothing.
        inactive_flows: u32,
        /// Flows that wait.
        throttled_flows: u32,
        /// By how much flows that waited were late, in nanoseconds.
        unthrottle_latency_ns: u32,
        /// Packets marked for [`Fq::CE_THRESHOLD`].
        ce_mark: u64,
        /// Packets dropped because their time was too far ahead.
        horizon_drops: u64,
        /// Packets sent earlier because their time was too far ahead.
        horizon_caps: u64,
        /// Packets that did not have to wait.
        fastpath_packets: u64,
        /// Packets dropped, by band.
        band_drops: [u64; 3],
        /// Packets that wait, by band.
        band_pkt_count: [u32; 3],
        /// Nothing.
        pad: u32,
    }
}

space! {
    /// What `pie` is set to (tc-pie(8)).
    pub Pie, "TCA_PIE_" {
        /// Delay to aim at, in microseconds.
        TARGET: u32 = 1,
        /// Length of the queue, in packets.
        LIMIT: u32 = 2,
        /// Time between changes of the probability, in microseconds.
        TUPDATE: u32 = 3,
        /// How much the delay weighs, 0 to 32.
        ALPHA: u32 = 4,
        /// How much its change weighs, 0 to 32.
        BETA: u32 = 5,
        /// 1: packets of senders that know ECN are marked, not dropped.
        ECN: u32 = 6,
        /// 1: small packets are dropped less often.
        BYTEMODE: u32 = 7,
        /// 1: the delay is estimated from the rate, not taken from packets.
        DQ_RATE_ESTIMATOR: u32 = 8,
    }
}

record! {
    /// Counters of `pie`.
    pub PieStats, "tc_pie_xstats", "" {
        /// Probability of a drop, in parts of 2 to the power of 64.
        prob: u64,
        /// Delay, in microseconds.
        delay: u32,
        /// Rate as it is estimated, in bytes per second.
        avg_dq_rate: u32,
        /// 1: the rate is estimated.
        dq_rate_estimating: u32,
        /// Packets that came in.
        packets_in: u32,
        /// Packets dropped early.
        dropped: u32,
        /// Packets dropped because the queue was full.
        overlimit: u32,
        /// Greatest length of the queue.
        maxq: u32,
        /// Packets marked.
        ecn_mark: u32,
    }
}

space! {
    /// What `fq_pie` is set to (tc-fq_pie(8)).
    pub FqPie, "TCA_FQ_PIE_" {
        /// Length of all queues, in packets.
        LIMIT: u32 = 1,
        /// Flows that are told apart; cannot be changed.
        FLOWS: u32 = 2,
        /// Delay to aim at, in microseconds.
        TARGET: u32 = 3,
        /// Time between changes of the probability, in microseconds.
        TUPDATE: u32 = 4,
        /// How much the delay weighs, 0 to 32.
        ALPHA: u32 = 5,
        /// How much its change weighs, 0 to 32.
        BETA: u32 = 6,
        /// Bytes that a flow may send in a turn.
        QUANTUM: u32 = 7,
        /// Most memory, in bytes.
        MEMORY_LIMIT: u32 = 8,
        /// Probability above which packets are dropped though they could be marked, in percent.
        ECN_PROB: u32 = 9,
        /// 1: packets of senders that know ECN are marked, not dropped.
        ECN: u32 = 10,
        /// 1: small packets are dropped less often.
        BYTEMODE: u32 = 11,
        /// 1: the delay is estimated from the rate, not taken from packets.
        DQ_RATE_ESTIMATOR: u32 = 12,
    }
}

record! {
    /// Counters of `fq_pie`.
    pub FqPieStats, "tc_fq_pie_xstats", "" {
        /// Packets that came in.
        packets_in: u32,
        /// Packets dropped early.
        dropped: u32,
        /// Packets dropped because the queue was full.
        overlimit: u32,
        /// Packets dropped for want of memory.
        overmemory: u32,
        /// Packets marked.
        ecn_mark: u32,
        /// How often a packet made a new flow.
        new_flow_count: u32,
        /// Flows that are new.
        new_flows_len: u32,
        /// Flows that are not.
        old_flows_len: u32,
        /// Memory in use, in bytes.
        memory_usage: u32,
    }
}

space! {
    /// What `dualpi2` is set to: a queue for low delay and one for the others.
    pub Dualpi2, "TCA_DUALPI2_" {
        /// Length of both queues, in packets.
        LIMIT: u32 = 1,
        /// Most memory, in bytes.
        MEMORY_LIMIT: u32 = 2,
        /// Delay of the other queue to aim at, in microseconds.
        TARGET: u32 = 3,
        /// Time between changes of the probability, in microseconds.
        TUPDATE: u32 = 4,
        /// How much the delay weighs, in 256ths of a hertz.
        ALPHA: u32 = 5,
        /// How much its change weighs, in 256ths of a hertz.
        BETA: u32 = 6,
        /// Length of the queue for low delay from which packets are marked, in packets; absent if `STEP_THRESH_US` is
        /// there.
        STEP_THRESH_PKTS: u32 = 7,
        /// Delay of that queue from which packets are marked, in microseconds.
        STEP_THRESH_US: u32 = 8,
        /// Length of that queue below which neither counts, in packets.
        MIN_QLEN_STEP: u32 = 9,
        /// How much the probability of one queue counts for the other.
        COUPLING: u8 = 10,
        /// What happens when there is too much.
        DROP_OVERLOAD: Dualpi2Overload = 11,
        /// Where packets are dropped.
        DROP_EARLY: Dualpi2DropEarly = 12,
        /// Share of the other queue, in percent.
        C_PROTECTION: u8 = 13,
        /// Packets that go into the queue for low delay.
        ECN_MASK: Dualpi2EcnMask = 14,
        /// Whether packets that stand for several are split.
        SPLIT_GSO: Dualpi2SplitGso = 15,
        /// Aligns 64-bit numbers.
        PAD: Pad = 16,
    }
}

values! {
    /// What `dualpi2` does when there is too much.
    pub Dualpi2Overload(u8), "TC_DUALPI2_DROP_OVERLOAD_" {
        /// Both queues may become full.
        OVERFLOW = 0,
        /// Packets of both are dropped.
        DROP = 1,
    }
}

values! {
    /// Where `dualpi2` drops packets.
    pub Dualpi2DropEarly(u8), "TC_DUALPI2_DROP_EARLY_" {
        /// Where they leave the queue.
        DROP_DEQUEUE = 0,
        /// Where they come in.
        DROP_ENQUEUE = 1,
    }
}

values! {
    /// Packets that go into the queue for low delay.
    pub Dualpi2EcnMask(u8), "TC_DUALPI2_ECN_MASK_" {
        /// Those of ECT(1).
        L4S_ECT = 1,
        /// Those of ECT(0).
        CLA_ECT = 2,
        /// Both.
        ANY_ECT = 3,
    }
}

values! {
    /// Whether packets that stand for several are split.
    pub Dualpi2SplitGso(u8), "TC_DUALPI2_SPLIT_GSO_" {
        /// They are not.
        NO_SPLIT_GSO = 0,
        /// They are.
        SPLIT_GSO = 1,
    }
}

record! {
    /// Counters of `dualpi2`.
    pub Dualpi2Stats, "tc_dualpi2_xstats", "" {
        /// Probability, in parts of 2 to the power of 32.
        prob: u32,
        /// Delay of the other queue, in microseconds.
        delay_c: u32,
        /// Delay of the queue for low delay, in microseconds.
        delay_l: u32,
        /// Packets that came into the other queue.
        packets_in_c: u32,
        /// Packets that came into the queue for low delay.
        packets_in_l: u32,
        /// Greatest length of both.
        maxq: u32,
        /// Packets marked.
        ecn_mark: u32,
        /// Packets of them marked for the step.
        step_marks: u32,
        /// How far the queue for low delay is ahead of its share.
        credit: i32,
        /// Memory in use, in bytes.
        memory_used: u32,
        /// Most memory that was used, in bytes.
        max_memory_used: u32,
        /// Most memory, in bytes.
        memory_limit: u32,
    }
}

space! {
    /// What `hhf` is set to.
    pub Hhf, "TCA_HHF_" {
        /// Length of both queues, in packets.
        BACKLOG_LIMIT: u32 = 1,
        /// Bytes that go in a turn.
        QUANTUM: u32 = 2,
        /// Most flows that are known to send much.
        HH_FLOWS_LIMIT: u32 = 3,
        /// Time after which counting begins anew, in microseconds.
        RESET_TIMEOUT: u32 = 4,
        /// Bytes from which a flow sends much.
        ADMIT_BYTES: u32 = 5,
        /// Time after which a flow that sends nothing is forgotten, in microseconds.
        EVICT_TIMEOUT: u32 = 6,
        /// How many turns the other flows have for one of those.
        NON_HH_WEIGHT: u32 = 7,
    }
}

record! {
    /// Counters of `hhf`.
    pub HhfStats, "tc_hhf_xstats", "" {
        /// How often the queue was full.
        drop_overlimit: u32,
        /// How often there were too many flows that send much.
        hh_overlimit: u32,
        /// Flows that sent much so far.
        hh_tot_count: u32,
        /// Flows that send much.
        hh_cur_count: u32,
    }
}
