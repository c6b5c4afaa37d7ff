//! Counters of an interface, and where it sits on its bus (include/uapi/linux/if_link.h).

use crate::record;

record! {
    /// Counters of 32 bits, which wrap.
    pub LinkStats, "rtnl_link_stats", "" {
        /// Packets received.
        rx_packets: u32,
        /// Packets sent.
        tx_packets: u32,
        /// Bytes received.
        rx_bytes: u32,
        /// Bytes sent.
        tx_bytes: u32,
        /// Bad packets received, of all kinds.
        rx_errors: u32,
        /// Packets that could not be sent, of all kinds.
        tx_errors: u32,
        /// Received packets not handed on, for want of memory or of a taker.
        rx_dropped: u32,
        /// Packets dropped on the way to the device.
        tx_dropped: u32,
        /// Multicast packets received.
        multicast: u32,
        /// Collisions while sending.
        collisions: u32,
        /// Bad: of the wrong length.
        rx_length_errors: u32,
        /// Bad: more than the ring buffer holds.
        rx_over_errors: u32,
        /// Bad: checksum.
        rx_crc_errors: u32,
        /// Bad: not a whole number of bytes.
        rx_frame_errors: u32,
        /// Bad: the device's queue ran over.
        rx_fifo_errors: u32,
        /// Missed by the device, for want of buffers.
        rx_missed_errors: u32,
        /// Not sent: aborted.
        tx_aborted_errors: u32,
        /// Not sent: the carrier went.
        tx_carrier_errors: u32,
        /// Not sent: the device's queue ran dry.
        tx_fifo_errors: u32,
        /// Not sent: no heartbeat.
        tx_heartbeat_errors: u32,
        /// Not sent: a collision too late.
        tx_window_errors: u32,
        /// Compressed packets received.
        rx_compressed: u32,
        /// Compressed packets sent.
        tx_compressed: u32,
        /// Received on an inactive port, with nobody to take them.
        rx_nohandler: u32,
    }
}

record! {
    /// Counters. Zero also stands for what an older kernel does not count.
    pub LinkStats64, "rtnl_link_stats64", "" {
        /// Packets received.
        rx_packets: u64,
        /// Packets sent.
        tx_packets: u64,
        /// Bytes received.
        rx_bytes: u64,
        /// Bytes sent.
        tx_bytes: u64,
        /// Bad packets received, of all kinds.
        rx_errors: u64,
        /// Packets that could not be sent, of all kinds.
        tx_errors: u64,
        /// Received packets not handed on, for want of memory or of a taker.
        rx_dropped: u64,
        /// Packets dropped on the way to the device.
        tx_dropped: u64,
        /// Multicast packets received.
        multicast: u64,
        /// Collisions while sending.
        collisions: u64,
        /// Bad: of the wrong length.
        rx_length_errors: u64,
        /// Bad: more than the ring buffer holds.
        rx_over_errors: u64,
        /// Bad: checksum.
        rx_crc_errors: u64,
        /// Bad: not a whole number of bytes.
        rx_frame_errors: u64,
        /// Bad: the device's queue ran over.
        rx_fifo_errors: u64,
        /// Missed by the device, for want of buffers.
        rx_missed_errors: u64,
        /// Not sent: aborted.
        tx_aborted_errors: u64,
        /// Not sent: the carrier went.
        tx_carrier_errors: u64,
        /// Not sent: the device's queue ran dry.
        tx_fifo_errors: u64,
        /// Not sent: no heartbeat.
        tx_heartbeat_errors: u64,
        /// Not sent: a collision too late.
        tx_window_errors: u64,
        /// Compressed packets received.
        rx_compressed: u64,
        /// Compressed packets sent.
        tx_compressed: u64,
        /// Received on an inactive port, with nobody to take them.
        rx_nohandler: u64,
        /// Received for another hardware address, and dropped for that.
        rx_otherhost_dropped: u64,
    }
}

record! {
    /// Where a device of old sits on its bus.
    pub LinkMap, "rtnl_link_ifmap", "" {
        /// Start of its shared memory.
        mem_start: u64,
        /// End of its shared memory.
        mem_end: u64,
        /// Address of its registers.
        base_addr: u64,
        /// Interrupt.
        irq: u16,
        /// DMA channel.
        dma: u8,
        /// Which of its media connectors is used.
        port: u8,
        /// Nothing; absent on 32-bit x86.
        pad: [u8; 4],
    }
}
