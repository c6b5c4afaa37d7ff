//! Disciplines that share among their classes (include/uapi/linux/pkt_sched.h): `drr`, `qfq`, `ets`.

use crate::table::{Many, Nest};
use crate::{record, space};

space! {
    /// What a class of `drr` is set to (tc-drr(8)).
    pub Drr, "TCA_DRR_" {
        /// Bytes that it may send in a turn.
        QUANTUM: u32 = 1,
    }
}

record! {
    /// Counters of a class of `drr`.
    pub DrrStats, "tc_drr_stats", "" {
        /// Bytes that it may still send in this turn.
        deficit: u32,
    }
}

space! {
    /// What a class of `qfq` is set to (tc-qfq(8)).
    pub Qfq, "TCA_QFQ_" {
        /// Its weight, 1 to 1023.
        WEIGHT: u32 = 1,
        /// Size of its largest packet, in bytes.
        LMAX: u32 = 2,
    }
}

record! {
    /// Counters of a class of `qfq`: what it is set to.
    pub QfqStats, "tc_qfq_stats", "" {
        /// Its weight.
        weight: u32,
        /// Size of its largest packet, in bytes.
        lmax: u32,
    }
}

space! {
    /// What `ets` is set to, as a discipline and as a class (tc-ets(8)).
    pub Ets, "TCA_ETS_" {
        /// Bands, 1 to 16.
        NBANDS: u8 = 1,
        /// How many of them, the first ones, go before all others.
        NSTRICT: u8 = 2,
        /// What the other bands may send in a turn.
        QUANTA: Nest<EtsQuanta> = 3,
        /// Of a class: bytes that it may send in a turn.
        QUANTA_BAND: u32 = 4,
        /// The band of each priority of packets.
        PRIOMAP: Nest<EtsPriomap> = 5,
        // 6 stands in `PRIOMAP` only.
    }
}

space! {
    /// What bands of `ets` may send in a turn.
    pub EtsQuanta, "TCA_ETS_" {
        /// Bytes of the next band.
        QUANTA_BAND: Many<u32> = 4,
    }
}

space! {
    /// The band of each priority of packets.
    pub EtsPriomap, "TCA_ETS_" {
        /// Band of the next priority.
        PRIOMAP_BAND: Many<u8> = 6,
    }
}
