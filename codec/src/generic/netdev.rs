//! What interfaces and their drivers do for packets: XDP, queues, NAPI, page pools (include/uapi/linux/netdev.h;
//! net/core/netdev-genl.c).

use super::{Family, GenericHeader};
use crate::table::{Many, NamedUint, Nest, Pad, Uint};
use crate::{commands, flags, space, values};

/// The family.
pub const NETDEV: Family = Family {
    name: "netdev",
    id: 0,
    version: 1,
    requests: Request::OPERATIONS,
    answers: Request::OPERATIONS,
    events: Request::OPERATIONS,
};

/// What commands about interfaces carry.
pub type DeviceMessage = (GenericHeader, Device);
/// What commands about page pools carry.
pub type PagePoolMessage = (GenericHeader, PagePool);
/// What commands about page pools' counters carry.
pub type PagePoolStatsMessage = (GenericHeader, PagePoolStats);
/// What commands about queues carry.
pub type QueueMessage = (GenericHeader, Queue);
/// What commands about NAPI contexts carry.
pub type NapiMessage = (GenericHeader, Napi);
/// What commands about queues' counters carry.
pub type QueueStatsMessage = (GenericHeader, QueueStats);
/// What commands about DMA buffers carry.
pub type DmaBufferMessage = (GenericHeader, DmaBuffer);

commands! {
    /// Commands and events. Those whose names end in `_NTF` are events: of group `page-pool` about pools, else of group `mgmt`.
    pub Request, "NETDEV_CMD_", of NETDEV {
        /// Tell about an interface, or about all.
        DEV_GET: get DeviceMessage => 1 DeviceMessage = 1,
        /// An interface is there.
        DEV_ADD_NTF: new DeviceMessage = 2,
        /// An interface is gone.
        DEV_DEL_NTF: delete DeviceMessage = 3,
        /// An interface changed.
        DEV_CHANGE_NTF: set DeviceMessage = 4,
        /// Tell about a page pool, by id, or about all.
        PAGE_POOL_GET: get PagePoolMessage => 5 PagePoolMessage = 5,
        /// A page pool is there.
        PAGE_POOL_ADD_NTF: new PagePoolMessage = 6,
        /// A page pool is gone.
        PAGE_POOL_DEL_NTF: delete PagePoolMessage = 7,
        /// A page pool changed.
        PAGE_POOL_CHANGE_NTF: set PagePoolMessage = 8,
        /// Tell a page pool's counters, or those of all.
        PAGE_POOL_STATS_GET: get PagePoolStatsMessage => 9 PagePoolStatsMessage = 9,
        /// Tell about a queue in use, or about all.
        QUEUE_GET: get QueueMessage => 10 QueueMessage = 10,
        /// Tell about a NAPI context, by id, or about all.
        NAPI_GET: get NapiMessage => 11 NapiMessage = 11,
        /// Tell counters; dumps only.
        QSTATS_GET: get QueueStatsMessage => 12 QueueStatsMessage = 12,
        /// Have queues receive into a DMA buffer; as long as the socket is open.
        BIND_RX: get DmaBufferMessage => 13 DmaBufferMessage = 13,
        /// Change a NAPI context.
        NAPI_SET: set NapiMessage = 14,
        /// Send from a DMA buffer; as long as the socket is open.
        BIND_TX: get DmaBufferMessage => 15 DmaBufferMessage = 15,
        /// Make a queue that stands for one of another interface.
        QUEUE_CREATE: get QueueMessage => 16 QueueMessage = 16,
    }
}

space! {
    /// An interface.
    pub Device, "NETDEV_A_DEV_" {
        /// Its index.
        IFINDEX: u32 = 1,
        /// Aligns what follows.
        PAD: Pad = 2,
        /// What of XDP its driver has.
        XDP_FEATURES: XdpAct = 3,
        /// Parts that a packet sent by AF_XDP without copying may have.
        XDP_ZC_MAX_SEGS: u32 = 4,
        /// What its driver can tell XDP programs of received packets.
        XDP_RX_METADATA_FEATURES: XdpRxMetadata = 5,
        /// What its driver can do for packets sent by AF_XDP.
        XSK_FEATURES: XskFlags = 6,
    }
}

flags! {
    /// What of XDP a driver has.
    pub XdpAct(u64), "NETDEV_XDP_ACT_" {
        /// Pass, drop, abort, send back.
        BASIC = 0x1,
        /// Redirect to another interface.
        REDIRECT = 0x2,
        /// Send what another interface redirects.
        NDO_XMIT = 0x4,
        /// AF_XDP without copying.
        XSK_ZEROCOPY = 0x8,
        /// Programs run by the hardware.
        HW_OFFLOAD = 0x10,
        /// Packets in several buffers.
        RX_SG = 0x20,
        /// Send packets in several buffers that another interface redirects.
        NDO_XMIT_SG = 0x40,
    }
}

flags! {
    /// What a driver can tell XDP programs of received packets.
    pub XdpRxMetadata(u64), "NETDEV_XDP_RX_METADATA_" {
        /// When it came.
        TIMESTAMP = 0x1,
        /// Its hash.
        HASH = 0x2,
        /// Its VLAN tag.
        VLAN_TAG = 0x4,
    }
}

flags! {
    /// What a driver can do for packets sent by AF_XDP.
    pub XskFlags(u64), "NETDEV_XSK_FLAGS_" {
        /// Say when it was sent.
        TX_TIMESTAMP = 0x1,
        /// Compute its checksum.
        TX_CHECKSUM = 0x2,
        /// Send it at a set time, in order.
        TX_LAUNCH_TIME_FIFO = 0x4,
    }
}

space! {
    /// A pool of pages that packets are received into.
    pub PagePool, "NETDEV_A_PAGE_POOL_" {
        /// Its number.
        ID: Uint = 1,
        /// Index of the interface; absent where that is gone.
        IFINDEX: u32 = 2,
        /// NAPI context that uses it.
        NAPI_ID: Uint = 3,
        /// Pages lent out.
        INFLIGHT: Uint = 4,
        /// Bytes lent out.
        INFLIGHT_MEM: Uint = 5,
        /// When it was taken off its driver, in seconds since the machine started; absent where it is in use.
        DETACH_TIME: Uint = 6,
        /// DMA buffer below it.
        DMABUF: u32 = 7,
        /// Memory of io_uring below it.
        IO_URING: Nest<IoUringProvider> = 8,
    }
}

space! {
    /// Memory of io_uring that packets are received into.
    pub IoUringProvider, "NETDEV_A_IO_URING_PROVIDER_INFO_" {
        /// Bytes of a buffer.
        RX_BUF_LEN: Uint = 1,
    }
}

space! {
    /// A page pool's counters.
    pub PagePoolStats, "NETDEV_A_PAGE_POOL_STATS_" {
        /// Which pool.
        INFO: Nest<PagePool> = 1,
        // 2 to 7 are free: the kernel has them for more about the pool.
        /// Pages had from the pool.
        ALLOC_FAST: Uint = 8,
        /// Pages had from the allocator.
        ALLOC_SLOW: Uint = 9,
        /// Of those, more than one page at once.
        ALLOC_SLOW_HIGH_ORDER: Uint = 10,
        /// How often the pool was empty.
        ALLOC_EMPTY: Uint = 11,
        /// How often it was filled from its ring.
        ALLOC_REFILL: Uint = 12,
        /// Pages not taken because they are of another memory node.
        ALLOC_WAIVE: Uint = 13,
        /// Pages given back to the pool.
        RECYCLE_CACHED: Uint = 14,
        /// How often there was no room for that.
        RECYCLE_CACHE_FULL: Uint = 15,
        /// Pages given back to the ring.
        RECYCLE_RING: Uint = 16,
        /// How often there was no room for that.
        RECYCLE_RING_FULL: Uint = 17,
        /// Pages let go because somebody else holds them.
        RECYCLE_RELEASED_REFCNT: Uint = 18,
    }
}

space! {
    /// A NAPI context: what polls queues.
    pub Napi, "NETDEV_A_NAPI_" {
        /// Index of the interface.
        IFINDEX: u32 = 1,
        /// Its number.
        ID: u32 = 2,
        /// Its interrupt.
        IRQ: u32 = 3,
        /// Process id of its thread, where it has one.
        PID: u32 = 4,
        /// How often it polls in vain before interrupts are let on again.
        DEFER_HARD_IRQS: u32 = 5,
        /// How long packets are gathered, in nanoseconds.
        GRO_FLUSH_TIMEOUT: Uint = 6,
        /// How long interrupts stay off while somebody polls, in nanoseconds.
        IRQ_SUSPEND_TIMEOUT: Uint = 7,
        /// Whether it has a thread.
        THREADED: NapiThreaded = 8,
    }
}

values! {
    /// Whether a NAPI context has a thread.
    pub NapiThreaded(u32), "NETDEV_NAPI_THREADED_" {
        DISABLED = 0,
        ENABLED = 1,
        /// Its thread polls all the time.
        BUSY_POLL = 2,
    }
}

space! {
    /// A queue.
    pub Queue, "NETDEV_A_QUEUE_" {
        /// Its number among those of its type.
        ID: u32 = 1,
        /// Index of the interface.
        IFINDEX: u32 = 2,
        /// Its direction.
        TYPE: QueueType = 3,
        /// NAPI context that polls it.
        NAPI_ID: u32 = 4,
        /// DMA buffer it receives into.
        DMABUF: u32 = 5,
        /// Memory of io_uring it receives into.
        IO_URING: Nest<IoUringProvider> = 6,
        /// It belongs to an AF_XDP socket.
        XSK: Nest<XskInfo> = 7,
        /// The queue of another interface for which it stands.
        LEASE: Nest<Lease> = 8,
    }
}

values! {
    /// Direction of a queue.
    pub QueueType(u32), "NETDEV_QUEUE_TYPE_" {
        RX = 0,
        TX = 1,
    }
}

space! {
    /// About an AF_XDP socket: nothing as yet.
    pub XskInfo, "NETDEV_A_XSK_INFO_" {}
}

space! {
    /// A queue of another interface.
    pub Lease, "NETDEV_A_LEASE_" {
        /// Index of the interface.
        IFINDEX: u32 = 1,
        /// Which queue.
        QUEUE: Nest<Queue> = 2,
        /// Id of the namespace of that interface.
        NETNS_ID: i32 = 3,
    }
}

space! {
    /// Counters, of an interface or of a queue.
    pub QueueStats, "NETDEV_A_QSTATS_" {
        /// Index of the interface.
        IFINDEX: u32 = 1,
        /// The queue's direction.
        QUEUE_TYPE: QueueType = 2,
        /// The queue's number.
        QUEUE_ID: u32 = 3,
        /// In a question: for what.
        SCOPE: NamedUint<QueueStatsScope> = 4,
        // 5 to 7 are free.
        /// Packets received.
        RX_PACKETS: Uint = 8,
        /// Bytes received.
        RX_BYTES: Uint = 9,
        /// Packets sent.
        TX_PACKETS: Uint = 10,
        /// Bytes sent.
        TX_BYTES: Uint = 11,
        /// How often there was no memory to receive into.
        RX_ALLOC_FAIL: Uint = 12,
        /// Packets that the hardware dropped.
        RX_HW_DROPS: Uint = 13,
        /// Of those, for want of buffers.
        RX_HW_DROP_OVERRUNS: Uint = 14,
        /// Received with a sum over the whole packet.
        RX_CSUM_COMPLETE: Uint = 15,
        /// Received with a sum that the hardware checked.
        RX_CSUM_UNNECESSARY: Uint = 16,
        /// Received unchecked.
        RX_CSUM_NONE: Uint = 17,
        /// Received with a wrong sum.
        RX_CSUM_BAD: Uint = 18,
        /// Packets that the hardware made of several.
        RX_HW_GRO_PACKETS: Uint = 19,
        /// Bytes of those.
        RX_HW_GRO_BYTES: Uint = 20,
        /// Packets of which they were made.
        RX_HW_GRO_WIRE_PACKETS: Uint = 21,
        /// Bytes of those.
        RX_HW_GRO_WIRE_BYTES: Uint = 22,
        /// Packets dropped because of a limit.
        RX_HW_DROP_RATELIMITS: Uint = 23,
        /// Packets not sent by the hardware.
        TX_HW_DROPS: Uint = 24,
        /// Of those, because they were malformed.
        TX_HW_DROP_ERRORS: Uint = 25,
        /// Sent without the hardware's help.
        TX_CSUM_NONE: Uint = 26,
        /// Sent with a sum that the hardware computed.
        TX_NEEDS_CSUM: Uint = 27,
        /// Packets that the hardware cut up.
        TX_HW_GSO_PACKETS: Uint = 28,
        /// Bytes of those.
        TX_HW_GSO_BYTES: Uint = 29,
        /// Packets that were made of them.
        TX_HW_GSO_WIRE_PACKETS: Uint = 30,
        /// Bytes of those.
        TX_HW_GSO_WIRE_BYTES: Uint = 31,
        /// Packets not sent because of a limit.
        TX_HW_DROP_RATELIMITS: Uint = 32,
        /// How often a queue was stopped.
        TX_STOP: Uint = 33,
        /// How often a queue was started again.
        TX_WAKE: Uint = 34,
    }
}

flags! {
    /// For what counters are told.
    pub QueueStatsScope(u32), "NETDEV_QSTATS_SCOPE_" {
        /// For each queue.
        QUEUE = 0x1,
    }
}

space! {
    /// A DMA buffer and who uses it.
    pub DmaBuffer, "NETDEV_A_DMABUF_" {
        /// Index of the interface.
        IFINDEX: u32 = 1,
        /// Queues that receive into it.
        QUEUES: Many<Nest<Queue>> = 2,
        /// Its descriptor.
        FD: u32 = 3,
        /// The number it was given.
        ID: u32 = 4,
        /// Bytes of the parts that are received into; from Linux 7.3 on.
        RX_PAGE_SIZE: u32 = 5,
    }
}
