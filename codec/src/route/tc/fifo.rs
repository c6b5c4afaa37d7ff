//! Disciplines whose options are one struct (include/uapi/linux/pkt_sched.h).

use crate::record;

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
