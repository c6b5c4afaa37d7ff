//! `netem`, which makes a bad network of a good one (tc-netem(8); include/uapi/linux/pkt_sched.h).
//!
//! Probabilities and correlations are in parts of 2 to the power of 32 less one.

use crate::table::{Nest, Packed, Pad};
use crate::{record, space};

record! {
    /// What the options of `netem` begin with.
    pub NetemOptions, "tc_netem_qopt", "" {
        /// Delay, in ticks of 64 nanoseconds.
        latency: u32,
        /// Length of the queue, in packets.
        limit: u32,
        /// Probability that a packet is lost.
        loss: u32,
        /// One of so many packets is not delayed; 0 for none.
        gap: u32,
        /// Probability that a packet is sent twice.
        duplicate: u32,
        /// How far the delay varies, in ticks.
        jitter: u32,
    }
}

space! {
    /// What `netem` is set to beyond [`NetemOptions`].
    pub Netem, "TCA_NETEM_" {
        /// How much one packet has from the one before.
        CORR: NetemCorrelation = 1,
        /// Distribution of delays, up to 16384 entries; only in requests.
        DELAY_DIST: Packed<i16> = 2,
        /// Packets that are not delayed.
        REORDER: NetemReorder = 3,
        /// Packets with a wrong bit.
        CORRUPT: NetemCorrupt = 4,
        /// A model of how packets are lost.
        LOSS: Nest<NetemLoss> = 5,
        /// A rate.
        RATE: NetemRate = 6,
        /// 1: packets of senders that know ECN are marked, not lost.
        ECN: u32 = 7,
        /// Rate, in bytes per second, where 32 bits are too few.
        RATE64: u64 = 8,
        /// Aligns 64-bit numbers.
        PAD: Pad = 9,
        /// Delay, in nanoseconds.
        LATENCY64: i64 = 10,
        /// How far the delay varies, in nanoseconds.
        JITTER64: i64 = 11,
        /// Times at which packets may go.
        SLOT: NetemSlot = 12,
        /// Distribution of the times between slots; only in requests.
        SLOT_DIST: Packed<i16> = 13,
        /// What its chance begins with.
        PRNG_SEED: u64 = 14,
    }
}

space! {
    /// A model of how packets are lost.
    pub NetemLoss, "NETEM_LOSS_" {
        /// Four states.
        GI: NetemStates = 1,
        /// Gilbert and Elliot: two states.
        GE: NetemGilbertElliot = 2,
    }
}

record! {
    /// How much one packet has from the one before.
    pub NetemCorrelation, "tc_netem_corr", "" {
        /// Of delay.
        delay_corr: u32,
        /// Of loss.
        loss_corr: u32,
        /// Of being sent twice.
        dup_corr: u32,
    }
}

record! {
    /// Packets that are not delayed.
    pub NetemReorder, "tc_netem_reorder", "" {
        /// Probability.
        probability: u32,
        /// Correlation.
        correlation: u32,
    }
}

record! {
    /// Packets with a wrong bit.
    pub NetemCorrupt, "tc_netem_corrupt", "" {
        /// Probability.
        probability: u32,
        /// Correlation.
        correlation: u32,
    }
}

record! {
    /// A rate.
    pub NetemRate, "tc_netem_rate", "" {
        /// Bytes per second; all ones where [`Netem::RATE64`] has them.
        rate: u32,
        /// Bytes added to each packet.
        packet_overhead: i32,
        /// Bytes of a cell that packets go in; 0 for none.
        cell_size: u32,
        /// Bytes added to each cell.
        cell_overhead: i32,
    }
}

record! {
    /// Times at which packets may go.
    pub NetemSlot, "tc_netem_slot", "" {
        /// Least time between slots, in nanoseconds.
        min_delay: i64,
        /// Greatest time between slots, in nanoseconds.
        max_delay: i64,
        /// Most packets of a slot; 0 for any number.
        max_packets: i32,
        /// Most bytes of a slot; 0 for any number.
        max_bytes: i32,
        /// Time between slots, by distribution, in nanoseconds.
        dist_delay: i64,
        /// How far it varies, in nanoseconds.
        dist_jitter: i64,
    }
}

record! {
    /// Probabilities of going from one of four states to another.
    pub NetemStates, "tc_netem_gimodel", "" {
        /// From the first to the third.
        p13: u32,
        /// From the third to the first.
        p31: u32,
        /// From the third to the second.
        p32: u32,
        /// From the first to the fourth.
        p14: u32,
        /// From the second to the third.
        p23: u32,
    }
}

record! {
    /// Probabilities of Gilbert's and Elliot's model.
    pub NetemGilbertElliot, "tc_netem_gemodel", "" {
        /// Of going from good to bad.
        p: u32,
        /// Of going from bad to good.
        r: u32,
        /// Of a loss while bad.
        h: u32,
        /// Of a loss while good.
        k1: u32,
    }
}

record! {
    /// Counters of `netem`; only newer kernels tell them.
    pub NetemStats, "tc_netem_xstats", "" {
        /// Packets delayed.
        delayed: u64,
        /// Packets lost.
        dropped: u64,
        /// Packets with a wrong bit.
        corrupted: u64,
        /// Packets sent twice.
        duplicated: u64,
        /// Packets not delayed.
        reordered: u64,
        /// Packets marked.
        ecn_marked: u64,
        /// How often there was no memory.
        allocation_errors: u64,
    }
}
