//! Sockets of AF_XDP.

use super::{SocketMemory, SocketType};
use crate::route::Family;
use crate::table::Operation;
use crate::{flags, operations, record, space};

// include/uapi/linux/sock_diag.h
operations! {
    /// What AF_XDP is asked.
    pub XdpDiag, "" {
        /// All sockets.
        SOCK_DIAG_BY_FAMILY: get (XdpRequestHeader, XdpSocket) => ANSWER (XdpHeader, XdpSocket) = 20,
    }
}

impl XdpDiag {
    const ANSWER: Operation<XdpMessage> = XdpAnswer::SOCK_DIAG_BY_FAMILY;
}

// include/uapi/linux/sock_diag.h
operations! {
    /// What is told of AF_XDP.
    pub XdpAnswer, "" {
        /// A socket.
        SOCK_DIAG_BY_FAMILY: new (XdpHeader, XdpSocket) = 20,
    }
}

/// Header and attributes of an answer.
pub type XdpMessage = (XdpHeader, XdpSocket);

record! {
    /// What a request begins with (`struct xdp_diag_req`, include/uapi/linux/xdp_diag.h).
    pub XdpRequestHeader, "xdp_diag_req", "xdiag_" {
        /// `XDP`.
        sdiag_family: Family,
        /// 0.
        sdiag_protocol: u8,
        /// Nothing.
        pad: u16,
        /// Not looked at.
        ino: u32,
        /// What is to be told beyond the header.
        show: XdpShow,
        /// Not looked at.
        cookie: [u32; 2],
    }
}

// include/uapi/linux/xdp_diag.h
flags! {
    /// What is to be told of a socket beyond the header.
    pub XdpShow(u32), "XDP_SHOW_" {
        /// Interface, queue, user.
        INFO = 0x1,
        /// Its rings.
        RING_CFG = 0x2,
        /// The memory that it shares with the kernel.
        UMEM = 0x4,
        /// Its memory in the kernel.
        MEMINFO = 0x8,
        /// Its counters.
        STATS = 0x10,
    }
}

record! {
    /// What an answer begins with (`struct xdp_diag_msg`, include/uapi/linux/xdp_diag.h).
    pub XdpHeader, "xdp_diag_msg", "xdiag_" {
        /// `XDP`.
        family: Family,
        /// Raw (`xdiag_type` in C).
        kind: SocketType,
        /// Nothing.
        pad: u16,
        /// Its inode.
        ino: u32,
        /// Its cookie.
        cookie: [u32; 2],
    }
}

space! {
    /// What is told of a socket (include/uapi/linux/xdp_diag.h; net/xdp/xsk_diag.c).
    pub XdpSocket, "XDP_DIAG_" {
        /// Interface and queue.
        INFO: XdpInfo = 1,
        /// The user whose it is.
        UID: u32 = 2,
        /// Its ring for receiving.
        RX_RING: XdpRing = 3,
        /// Its ring for sending.
        TX_RING: XdpRing = 4,
        /// The memory that it shares with the kernel.
        UMEM: XdpUmem = 5,
        /// The ring of buffers for the kernel to fill.
        UMEM_FILL_RING: XdpRing = 6,
        /// The ring of buffers that were sent.
        UMEM_COMPLETION_RING: XdpRing = 7,
        /// Its memory in the kernel.
        MEMINFO: SocketMemory = 8,
        /// Its counters.
        STATS: XdpStatistics = 9,
    }
}

record! {
    /// Interface and queue (`struct xdp_diag_info`, include/uapi/linux/xdp_diag.h).
    pub XdpInfo, "xdp_diag_info", "" {
        /// Interface.
        ifindex: u32,
        /// Queue.
        queue_id: u32,
    }
}

record! {
    /// A ring (`struct xdp_diag_ring`, include/uapi/linux/xdp_diag.h).
    pub XdpRing, "xdp_diag_ring", "" {
        /// Descriptors in it.
        entries: u32,
    }
}

record! {
    /// Memory shared with the kernel (`struct xdp_diag_umem`, include/uapi/linux/xdp_diag.h).
    pub XdpUmem, "xdp_diag_umem", "" {
        /// Bytes.
        size: u64,
        /// Its number.
        id: u32,
        /// Pages.
        num_pages: u32,
        /// Bytes for a packet.
        chunk_size: u32,
        /// Bytes before each packet.
        headroom: u32,
        /// Interface.
        ifindex: u32,
        /// Queue.
        queue_id: u32,
        /// What is so.
        flags: XdpUmemFlags,
        /// Sockets that use it.
        refs: u32,
    }
}

// include/uapi/linux/xdp_diag.h
flags! {
    /// What is so of shared memory.
    pub XdpUmemFlags(u32), "XDP_DU_F_" {
        /// The device writes into it itself.
        ZEROCOPY = 0x1,
    }
}

record! {
    /// Counters (`struct xdp_diag_stats`, include/uapi/linux/xdp_diag.h).
    pub XdpStatistics, "xdp_diag_stats", "" {
        /// Packets dropped.
        n_rx_dropped: u64,
        /// Descriptors that made no sense, in the ring of buffers to fill.
        n_rx_invalid: u64,
        /// Packets for which the ring had no room.
        n_rx_full: u64,
        /// Times that there was no buffer to fill.
        n_fill_ring_empty: u64,
        /// Descriptors that made no sense, in the ring for sending.
        n_tx_invalid: u64,
        /// Times that there was nothing to send.
        n_tx_ring_empty: u64,
    }
}
