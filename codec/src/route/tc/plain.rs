//! Disciplines whose options are one struct (include/uapi/linux/pkt_sched.h).

use super::red::RedFlags;
use crate::{record, values};

record! {
    /// What `pfifo`, `bfifo` and `pfifo_head_drop` are set to (tc-bfifo(8)).
    pub Fifo, "tc_fifo_qopt", "" {
        /// Length of the queue: bytes for `bfifo`, packets for the others.
        limit: u32,
    }
}

record! {
    /// What `prio` and `pfifo_fast` are set to (tc-prio(8)).
    pub Prio, "tc_prio_qopt", "" {
        /// Bands, 2 to 16.
        bands: i32,
        /// The band of each priority of packets.
        priomap: [u8; 16],
    }
}

record! {
    /// What `multiq` is set to: a band for each queue of the device.
    pub Multiq, "tc_multiq_qopt", "" {
        /// Bands.
        bands: u16,
        /// Most bands there can be; told only.
        max_bands: u16,
    }
}

record! {
    /// What `skbprio` is set to.
    pub Skbprio, "tc_skbprio_qopt", "" {
        /// Length of the queue, in packets.
        limit: u32,
    }
}

record! {
    /// What `plug` is to do; only in requests.
    pub Plug, "tc_plug_qopt", "" {
        /// What to do.
        action: PlugAction,
        /// For `LIMIT`, the length of the queue, in bytes.
        limit: u32,
    }
}

values! {
    /// What `plug` is to do.
    pub PlugAction(u32), "TCQ_PLUG_" {
        /// Hold packets from now on.
        BUFFER = 0,
        /// Let packets go up to the next plug.
        RELEASE_ONE = 1,
        /// Let all packets go, until the next `BUFFER`.
        RELEASE_INDEFINITE = 2,
        /// Change the length of the queue.
        LIMIT = 3,
    }
}

record! {
    /// What `sfq` is set to (tc-sfq(8)).
    pub Sfq, "tc_sfq_qopt_v1", "" {
        /// What kernels of old have.
        v0: SfqOld,
        /// Most packets of one flow.
        depth: u32,
        /// 1: packets are dropped from the head of the queue.
        headdrop: u32,
        /// For RED, most bytes of one flow.
        limit: u32,
        /// For RED, average length from which packets may be dropped, in bytes.
        qth_min: u32,
        /// For RED, average length from which all are dropped, in bytes.
        qth_max: u32,
        /// For RED, logarithm to base 2 of the weight of older lengths (`Wlog`).
        wlog: u8,
        /// For RED, logarithm to base 2 of the greatest probability over `qth_max - qth_min` (`Plog`).
        plog: u8,
        /// For RED, logarithm to base 2 of the time between entries of a table (`Scell_log`).
        scell_log: u8,
        /// For RED, how it behaves.
        flags: RedFlags,
        /// For RED, greatest probability, in parts of 2 to the power of 32 (`max_P`).
        max_p: u32,
        /// For RED, counters; told only.
        stats: SfqRedStats,
    }
}

record! {
    /// What `sfq` of old is set to.
    pub SfqOld, "tc_sfq_qopt", "" {
        /// Bytes that a flow may send in a turn.
        quantum: u32,
        /// Time between changes of the hash, in seconds; 0 for never.
        perturb_period: i32,
        /// Most packets in all queues.
        limit: u32,
        /// Size of the hash table, a power of 2.
        divisor: u32,
        /// Most flows.
        flows: u32,
    }
}

record! {
    /// Counters of RED in `sfq`.
    pub SfqRedStats, "tc_sfqred_stats", "" {
        /// Dropped below the greatest length.
        prob_drop: u32,
        /// Dropped above it.
        forced_drop: u32,
        /// Marked below it.
        prob_mark: u32,
        /// Marked above it.
        forced_mark: u32,
        /// As `prob_mark`, at the head of the queue.
        prob_mark_head: u32,
        /// As `forced_mark`, at the head of the queue.
        forced_mark_head: u32,
    }
}

record! {
    /// Counters of a flow of `sfq`, which is told as a class.
    pub SfqFlowStats, "tc_sfq_xstats", "" {
        /// Bytes that it may still send in this turn.
        allot: i32,
    }
}
