//! Disciplines that drop packets early, by the average length of the queue (include/uapi/linux/pkt_sched.h): `red`,
//! `gred`, `choke`, `sfb`.

use crate::table::{Bitfield32, Bytes, Many, Nest, Packed, Pad};
use crate::{flags, record, space};

space! {
    /// What `red` is set to (tc-red(8)).
    pub Red, "TCA_RED_" {
        /// Lengths and weights.
        PARMS: RedOptions = 1,
        /// Table for the time that the queue is empty, 256 bytes; only in requests.
        STAB: Bytes = 2,
        /// Greatest probability, in parts of 2 to the power of 32.
        MAX_P: u32 = 3,
        /// How it behaves: [`RedFlags`].
        FLAGS: Bitfield32 = 4,
        /// Block of filters for packets that are dropped early.
        EARLY_DROP_BLOCK: u32 = 5,
        /// Block of filters for packets that are marked.
        MARK_BLOCK: u32 = 6,
    }
}

record! {
    /// Lengths and weights of `red`.
    pub RedOptions, "tc_red_qopt", "" {
        /// Length of the queue, in bytes.
        limit: u32,
        /// Average length from which packets may be dropped, in bytes.
        qth_min: u32,
        /// Average length from which all are dropped, in bytes.
        qth_max: u32,
        /// Logarithm to base 2 of the weight of older lengths (`Wlog`).
        wlog: u8,
        /// Logarithm to base 2 of the greatest probability over `qth_max - qth_min` (`Plog`).
        plog: u8,
        /// Logarithm to base 2 of the time between entries of the table (`Scell_log`).
        scell_log: u8,
        /// How it behaves; [`Red::FLAGS`] has all flags.
        flags: RedFlags,
    }
}

flags! {
    /// How a discipline of this family behaves.
    pub RedFlags(u8), "TC_RED_" {
        /// Packets of senders that know ECN are marked, not dropped.
        ECN = 0x1,
        /// Above `qth_max`, packets are dropped though they could be marked.
        HARDDROP = 0x2,
        /// The probability follows the average length.
        ADAPTATIVE = 0x4,
        /// Packets that cannot be marked are kept.
        NODROP = 0x8,
    }
}

record! {
    /// Counters of `red`.
    pub RedStats, "tc_red_xstats", "" {
        /// Dropped early.
        early: u32,
        /// Dropped because the queue was full.
        pdrop: u32,
        /// Dropped for other reasons.
        other: u32,
        /// Marked.
        marked: u32,
    }
}

space! {
    /// What `gred` is set to: up to 16 queues, each as one of `red`.
    pub Gred, "TCA_GRED_" {
        /// One queue in a request, all 16 in an answer.
        PARMS: Packed<GredQueue> = 1,
        /// Table for the time that the queue is empty, 256 bytes; only in requests.
        STAB: Bytes = 2,
        /// The queues as a whole.
        DPS: GredOptions = 3,
        /// Greatest probability of one queue in a request, of all 16 in an answer, in parts of 2 to the power of 32.
        MAX_P: Packed<u32> = 4,
        /// Length of all queues, in bytes.
        LIMIT: u32 = 5,
        /// What else is known of each queue.
        VQ_LIST: Nest<GredQueueList> = 6,
    }
}

space! {
    /// Queues of `gred`.
    pub GredQueueList, "TCA_GRED_VQ_" {
        /// One of them.
        ENTRY: Many<Nest<GredQueueEntry>> = 1,
    }
}

space! {
    /// A queue of `gred`.
    pub GredQueueEntry, "TCA_GRED_VQ_" {
        /// Aligns 64-bit numbers.
        PAD: Pad = 1,
        /// Its number.
        DP: u32 = 2,
        /// Bytes that came in.
        STAT_BYTES: u64 = 3,
        /// Packets that came in.
        STAT_PACKETS: u32 = 4,
        /// Bytes that wait.
        STAT_BACKLOG: u32 = 5,
        /// Dropped below `qth_max`.
        STAT_PROB_DROP: u32 = 6,
        /// Marked below `qth_max`.
        STAT_PROB_MARK: u32 = 7,
        /// Dropped above `qth_max`.
        STAT_FORCED_DROP: u32 = 8,
        /// Marked above `qth_max`.
        STAT_FORCED_MARK: u32 = 9,
        /// Dropped because the queue was full.
        STAT_PDROP: u32 = 10,
        /// Dropped for other reasons.
        STAT_OTHER: u32 = 11,
        /// How it behaves: [`RedFlags`], in 32 bits.
        FLAGS: u32 = 12,
    }
}

record! {
    /// A queue of `gred`: what it is set to, and counters.
    pub GredQueue, "tc_gred_qopt", "" {
        /// Its length, in bytes.
        limit: u32,
        /// Average length from which packets may be dropped, in bytes.
        qth_min: u32,
        /// Average length from which all are dropped, in bytes.
        qth_max: u32,
        /// Its number; 16 and more in an answer: it is not set (`DP`).
        dp: u32,
        /// Bytes that wait.
        backlog: u32,
        /// Average length.
        qave: u32,
        /// Dropped above `qth_max`.
        forced: u32,
        /// Dropped below `qth_max`.
        early: u32,
        /// Dropped for other reasons.
        other: u32,
        /// Dropped because the queue was full.
        pdrop: u32,
        /// As in [`RedOptions`] (`Wlog`).
        wlog: u8,
        /// As in [`RedOptions`] (`Plog`).
        plog: u8,
        /// As in [`RedOptions`] (`Scell_log`).
        scell_log: u8,
        /// Its priority, from 1 on.
        prio: u8,
        /// Packets that came in.
        packets: u32,
        /// Bytes that came in.
        bytesin: u32,
    }
}

record! {
    /// The queues of `gred` as a whole.
    pub GredOptions, "tc_gred_sopt", "" {
        /// How many there are (`DPs`).
        dps: u32,
        /// The queue of packets that name none (`def_DP`).
        def_dp: u32,
        /// 1: queues have priorities.
        grio: u8,
        /// How queues behave that do not say so themselves.
        flags: RedFlags,
        /// Nothing.
        pad1: u16,
    }
}

space! {
    /// What `choke` is set to (tc-choke(8)).
    pub Choke, "TCA_CHOKE_" {
        /// Lengths, in packets, and weights.
        PARMS: ChokeOptions = 1,
        /// Table for the time that the queue is empty, 256 bytes; only in requests.
        STAB: Bytes = 2,
        /// Greatest probability, in parts of 2 to the power of 32.
        MAX_P: u32 = 3,
    }
}

record! {
    /// Lengths and weights of `choke`.
    pub ChokeOptions, "tc_choke_qopt", "" {
        /// Length of the queue, in packets.
        limit: u32,
        /// Average length from which packets may be dropped, in packets.
        qth_min: u32,
        /// Average length from which all are dropped, in packets.
        qth_max: u32,
        /// As in [`RedOptions`] (`Wlog`).
        wlog: u8,
        /// As in [`RedOptions`] (`Plog`).
        plog: u8,
        /// As in [`RedOptions`] (`Scell_log`).
        scell_log: u8,
        /// How it behaves.
        flags: RedFlags,
    }
}

record! {
    /// Counters of `choke`.
    pub ChokeStats, "tc_choke_xstats", "" {
        /// Dropped early.
        early: u32,
        /// Dropped because the queue was full.
        pdrop: u32,
        /// Dropped for other reasons.
        other: u32,
        /// Marked.
        marked: u32,
        /// Dropped because a packet of the same flow was drawn.
        matched: u32,
    }
}

space! {
    /// What `sfb` is set to (tc-sfb(8)).
    pub Sfb, "TCA_SFB_" {
        /// Times, lengths and steps.
        PARMS: SfbOptions = 1,
    }
}

record! {
    /// Times, lengths and steps of `sfb`.
    pub SfbOptions, "tc_sfb_qopt", "" {
        /// Time between changes of the hash, in milliseconds.
        rehash_interval: u32,
        /// Time for which a new hash is filled before it is used, in milliseconds.
        warmup_time: u32,
        /// Length of a bin from which its probability grows, in packets.
        max: u32,
        /// Greatest length of a bin, in packets.
        bin_size: u32,
        /// Step by which a probability grows, in parts of 65536.
        increment: u32,
        /// Step by which it falls, in parts of 65536.
        decrement: u32,
        /// Length of the queue, in packets.
        limit: u32,
        /// Rate of flows that do not give way, in packets per second.
        penalty_rate: u32,
        /// Packets that they may send at once.
        penalty_burst: u32,
    }
}

record! {
    /// Counters of `sfb`.
    pub SfbStats, "tc_sfb_xstats", "" {
        /// Dropped early.
        earlydrop: u32,
        /// Dropped from flows that do not give way.
        penaltydrop: u32,
        /// Dropped because a bin was full.
        bucketdrop: u32,
        /// Dropped because the queue was full.
        queuedrop: u32,
        /// Dropped by the discipline below.
        childdrop: u32,
        /// Marked.
        marked: u32,
        /// Length of the longest bin.
        maxqlen: u32,
        /// Greatest probability, in parts of 65535.
        maxprob: u32,
        /// Average probability, in parts of 65535.
        avgprob: u32,
    }
}
