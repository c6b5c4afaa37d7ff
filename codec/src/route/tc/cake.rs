//! `cake` (tc-cake(8); include/uapi/linux/pkt_sched.h).

use crate::table::{Indexed, Nest, Pad};
use crate::{space, values};

space! {
    /// What `cake` is set to.
    pub Cake, "TCA_CAKE_" {
        /// Aligns 64-bit numbers.
        PAD: Pad = 1,
        /// Rate, in bytes per second; 0 for none.
        BASE_RATE64: u64 = 2,
        /// Tins that packets are sorted into.
        DIFFSERV_MODE: CakeDiffserv = 3,
        /// What sizes of packets are counted for.
        ATM: CakeAtm = 4,
        /// What makes a flow.
        FLOW_MODE: CakeFlow = 5,
        /// Bytes added to each packet.
        OVERHEAD: i32 = 6,
        /// Time for a way and back, in microseconds.
        RTT: u32 = 7,
        /// Delay to aim at, in microseconds.
        TARGET: u32 = 8,
        /// 1: the rate is estimated from what comes in.
        AUTORATE: u32 = 9,
        /// Most memory, in bytes; 0 lets the kernel choose.
        MEMORY: u32 = 10,
        /// 1: flows are those before address translation.
        NAT: u32 = 11,
        /// There: sizes of packets are taken as they are.
        RAW: u32 = 12,
        /// 1: the class of service is wiped.
        WASH: u32 = 13,
        /// Bytes that a packet counts at least.
        MPU: u32 = 14,
        /// 1: it stands where packets come in.
        INGRESS: u32 = 15,
        /// Which acknowledgements of TCP are dropped.
        ACK_FILTER: CakeAck = 16,
        /// 1: packets that stand for several are split.
        SPLIT_GSO: u32 = 17,
        /// Bits of a packet's mark that choose its tin; 0 for none.
        FWMARK: u32 = 18,
    }
}

values! {
    /// Tins of `cake`.
    pub CakeDiffserv(u32), "CAKE_DIFFSERV_" {
        /// Three.
        DIFFSERV3 = 0,
        /// Four.
        DIFFSERV4 = 1,
        /// Eight.
        DIFFSERV8 = 2,
        /// One.
        BESTEFFORT = 3,
        /// By the precedence of old.
        PRECEDENCE = 4,
    }
}

values! {
    /// What sizes of packets are counted for.
    pub CakeAtm(u32), "CAKE_ATM_" {
        /// Sizes as they are.
        NONE = 0,
        /// Whole cells of ATM.
        ATM = 1,
        /// 65 bytes for 64.
        PTM = 2,
    }
}

values! {
    /// What makes a flow.
    pub CakeFlow(u32), "CAKE_FLOW_" {
        /// Nothing: all packets are one.
        NONE = 0,
        /// The source address.
        SRC_IP = 1,
        /// The destination address.
        DST_IP = 2,
        /// Both addresses.
        HOSTS = 3,
        /// Addresses and ports.
        FLOWS = 4,
        /// As `FLOWS`, in fair shares by source address.
        DUAL_SRC = 5,
        /// As `FLOWS`, in fair shares by destination address.
        DUAL_DST = 6,
        /// As `FLOWS`, in fair shares by both.
        TRIPLE = 7,
    }
}

values! {
    /// Which acknowledgements of TCP are dropped.
    pub CakeAck(u32), "CAKE_ACK_" {
        /// None.
        NONE = 0,
        /// Those that a later one makes needless.
        FILTER = 1,
        /// More of them.
        AGGRESSIVE = 2,
    }
}

space! {
    /// Counters of `cake`, of the discipline or of a flow, which is told as a class.
    pub CakeStats, "TCA_CAKE_STATS_" {
        /// Aligns 64-bit numbers.
        PAD: Pad = 1,
        /// Rate as it is estimated, in bytes per second.
        CAPACITY_ESTIMATE64: u64 = 2,
        /// Most memory, in bytes.
        MEMORY_LIMIT: u32 = 3,
        /// Most memory that was used, in bytes.
        MEMORY_USED: u32 = 4,
        /// Average offset of the network header, in bytes.
        AVG_NETOFF: u32 = 5,
        /// Smallest packet.
        MIN_NETLEN: u32 = 6,
        /// Largest packet.
        MAX_NETLEN: u32 = 7,
        /// Smallest packet as it is counted.
        MIN_ADJLEN: u32 = 8,
        /// Largest packet as it is counted.
        MAX_ADJLEN: u32 = 9,
        /// Its tins, from 1 on.
        TIN_STATS: Indexed<Nest<CakeTinStats>> = 10,
        /// Of a flow: bytes that it may still send in this turn.
        DEFICIT: i32 = 11,
        /// Of a flow: how far its drops have gone.
        COBALT_COUNT: u32 = 12,
        /// Of a flow, 1: packets are dropped.
        DROPPING: u32 = 13,
        /// Of a flow: time to the next drop, in microseconds.
        DROP_NEXT_US: i32 = 14,
        /// Of a flow: probability of a drop, in parts of 2 to the power of 32.
        P_DROP: u32 = 15,
        /// Of a flow: time to the next change of the probability, in microseconds.
        BLUE_TIMER_US: i32 = 16,
        /// Of the discipline: queues of the device that carry its packets.
        ACTIVE_QUEUES: u32 = 17,
    }
}

space! {
    /// Counters of a tin of `cake`.
    pub CakeTinStats, "TCA_CAKE_TIN_STATS_" {
        /// Aligns 64-bit numbers.
        PAD: Pad = 1,
        /// Packets sent.
        SENT_PACKETS: u32 = 2,
        /// Bytes sent.
        SENT_BYTES64: u64 = 3,
        /// Packets dropped.
        DROPPED_PACKETS: u32 = 4,
        /// Bytes dropped.
        DROPPED_BYTES64: u64 = 5,
        /// Acknowledgements dropped.
        ACKS_DROPPED_PACKETS: u32 = 6,
        /// Bytes of them.
        ACKS_DROPPED_BYTES64: u64 = 7,
        /// Packets marked.
        ECN_MARKED_PACKETS: u32 = 8,
        /// Bytes of them.
        ECN_MARKED_BYTES64: u64 = 9,
        /// Packets that wait.
        BACKLOG_PACKETS: u32 = 10,
        /// Bytes that wait.
        BACKLOG_BYTES: u32 = 11,
        /// Rate from which its priority falls, in bytes per second.
        THRESHOLD_RATE64: u64 = 12,
        /// Delay to aim at, in microseconds.
        TARGET_US: u32 = 13,
        /// Time in which the delay must have been reached, in microseconds.
        INTERVAL_US: u32 = 14,
        /// Flows that found their place in the hash taken, and another one.
        WAY_INDIRECT_HITS: u32 = 15,
        /// Flows that were new.
        WAY_MISSES: u32 = 16,
        /// Flows that found no place of their own.
        WAY_COLLISIONS: u32 = 17,
        /// Greatest delay of late, in microseconds.
        PEAK_DELAY_US: u32 = 18,
        /// Average delay, in microseconds.
        AVG_DELAY_US: u32 = 19,
        /// Least delay of late, in microseconds.
        BASE_DELAY_US: u32 = 20,
        /// Flows that send little.
        SPARSE_FLOWS: u32 = 21,
        /// Flows that send much.
        BULK_FLOWS: u32 = 22,
        /// Flows that do not give way.
        UNRESPONSIVE_FLOWS: u32 = 23,
        /// Largest packet, in bytes.
        MAX_SKBLEN: u32 = 24,
        /// Bytes that a flow may send in a turn.
        FLOW_QUANTUM: u32 = 25,
    }
}
