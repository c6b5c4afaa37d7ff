//! Sockets of SMC, which carry TCP's streams over shared memory.

use super::{InetSocketId, SocketShutdown};
use crate::route::Family;
use crate::table::Operation;
use crate::{operations, record, space, values};

// include/uapi/linux/sock_diag.h
operations! {
    /// What AF_SMC is asked.
    pub SmcDiag, "" {
        /// All sockets.
        SOCK_DIAG_BY_FAMILY: get (SmcRequestHeader, SmcSocket) => ANSWER (SmcHeader, SmcSocket) = 20,
    }
}

impl SmcDiag {
    const ANSWER: Operation<(SmcHeader, SmcSocket)> = SmcAnswer::SOCK_DIAG_BY_FAMILY;
}

// include/uapi/linux/sock_diag.h
operations! {
    /// What is told of AF_SMC.
    pub SmcAnswer, "" {
        /// A socket.
        SOCK_DIAG_BY_FAMILY: new (SmcHeader, SmcSocket) = 20,
    }
}

record! {
    /// What a request begins with (`struct smc_diag_req`, include/uapi/linux/smc_diag.h).
    pub SmcRequestHeader, "smc_diag_req", "diag_" {
        /// `SMC`.
        family: Family,
        /// Nothing.
        pad: [u8; 2],
        /// A bit for each of the attributes to tell, the first the lowest.
        ext: u8,
        /// Not looked at.
        id: InetSocketId,
    }
}

record! {
    /// What an answer begins with (`struct smc_diag_msg`, include/uapi/linux/smc_diag.h).
    pub SmcHeader, "smc_diag_msg", "diag_" {
        /// `SMC`.
        family: Family,
        /// State, in numbers of SMC's own.
        state: u8,
        /// What carries the bytes.
        mode: SmcMode,
        /// Which directions are closed.
        shutdown: SocketShutdown,
        /// Addresses and ports of the TCP connection below.
        id: InetSocketId,
        /// The user whose it is.
        uid: u32,
        /// Its inode.
        inode: u64,
    }
}

// include/uapi/linux/smc_diag.h
values! {
    /// What carries the bytes.
    pub SmcMode(u8), "SMC_DIAG_MODE_" {
        /// RDMA.
        SMCR = 0,
        /// TCP, after all.
        FALLBACK_TCP = 1,
        /// Memory within the machine.
        SMCD = 2,
    }
}

space! {
    /// What is told of a socket (include/uapi/linux/smc_diag.h; net/smc/smc_diag.c).
    pub SmcSocket, "SMC_DIAG_" {
        /// Buffers and places in them.
        CONNINFO: SmcConnection = 1,
        /// The links that are used.
        LGRINFO: SmcLinkGroup = 2,
        /// Which directions are closed.
        SHUTDOWN: SocketShutdown = 3,
        /// Memory within the machine.
        DMBINFO: SmcDmb = 4,
        /// Why TCP is used after all.
        FALLBACK: SmcFallback = 5,
    }
}

record! {
    /// A place in a buffer (`struct smc_diag_cursor`, include/uapi/linux/smc_diag.h).
    pub SmcCursor, "smc_diag_cursor", "" {
        /// Nothing.
        reserved: u16,
        /// How often the end was passed.
        wrap: u16,
        /// Bytes from the start.
        count: u32,
    }
}

record! {
    /// Buffers and places in them (`struct smc_diag_conninfo`, include/uapi/linux/smc_diag.h).
    pub SmcConnection, "smc_diag_conninfo", "" {
        /// Names the connection.
        token: u32,
        /// Bytes of the buffer for sending.
        sndbuf_size: u32,
        /// Bytes of the buffer for receiving.
        rmbe_size: u32,
        /// Bytes of the peer's buffer for receiving.
        peer_rmbe_size: u32,
        /// How far the peer has written.
        rx_prod: SmcCursor,
        /// How far it was read.
        rx_cons: SmcCursor,
        /// How far the peer's buffer was written.
        tx_prod: SmcCursor,
        /// How far the peer has read it.
        tx_cons: SmcCursor,
        /// What the peer's writing side says.
        rx_prod_flags: u8,
        /// What the peer says of the connection.
        rx_conn_state_flags: u8,
        /// What the own writing side says.
        tx_prod_flags: u8,
        /// What is said of the connection here.
        tx_conn_state_flags: u8,
        /// How far the buffer was filled.
        tx_prep: SmcCursor,
        /// How far it was sent.
        tx_sent: SmcCursor,
        /// How far that was confirmed.
        tx_fin: SmcCursor,
    }
}

record! {
    /// A link (`struct smc_diag_linkinfo`, include/uapi/linux/smc_diag.h).
    pub SmcLink, "smc_diag_linkinfo", "" {
        /// Its number.
        link_id: u8,
        /// Name of the device.
        ibname: [[u8; 32]; 2],
        /// Port of the device.
        ibport: u8,
        /// Own identifier, as text.
        gid: [[u8; 20]; 2],
        /// The peer's.
        peer_gid: [[u8; 20]; 2],
    }
}

record! {
    /// The links that are used (`struct smc_diag_lgrinfo`, include/uapi/linux/smc_diag.h).
    pub SmcLinkGroup, "smc_diag_lgrinfo", "" {
        /// The first of them.
        lnk: [SmcLink; 1],
        /// Server or client.
        role: u8,
    }
}

record! {
    /// Why TCP is used after all (`struct smc_diag_fallback`, include/uapi/linux/smc_diag.h).
    pub SmcFallback, "smc_diag_fallback", "" {
        /// The reason here.
        reason: u32,
        /// The peer's reason.
        peer_diagnosis: u32,
    }
}

record! {
    /// Memory within the machine (`struct smcd_diag_dmbinfo`, include/uapi/linux/smc_diag.h).
    pub SmcDmb, "smcd_diag_dmbinfo", "" {
        /// The link's number.
        linkid: u32,
        /// Nothing.
        pad: u32,
        /// The peer's identifier.
        peer_gid: u64,
        /// Own identifier.
        my_gid: u64,
        /// The memory's token.
        token: u64,
        /// The token of the peer's.
        peer_token: u64,
        /// More of the peer's identifier.
        peer_gid_ext: u64,
        /// More of the own identifier.
        my_gid_ext: u64,
    }
}
