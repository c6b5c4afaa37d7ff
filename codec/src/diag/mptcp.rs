//! What MPTCP tells of a connection.

use crate::{flags, record};

record! {
    /// An MPTCP connection (`struct mptcp_info`, include/uapi/linux/mptcp.h). Newer kernels tell more at the end.
    pub MptcpInfo, "mptcp_info", "mptcpi_" {
        /// Subflows beyond the first.
        subflows: u8,
        /// Addresses told to the peer.
        add_addr_signal: u8,
        /// Addresses taken from the peer.
        add_addr_accepted: u8,
        /// Subflows beyond the first, at most.
        subflows_max: u8,
        /// Addresses told to the peer, at most.
        add_addr_signal_max: u8,
        /// Addresses taken from the peer, at most.
        add_addr_accepted_max: u8,
        /// Nothing.
        pad: u16,
        /// What is so.
        flags: MptcpFlags,
        /// Names the connection on this machine.
        token: u32,
        /// Number of the next byte to send.
        write_seq: u64,
        /// Number of the first byte that is not confirmed.
        snd_una: u64,
        /// Number of the next byte to receive.
        rcv_nxt: u64,
        /// Own addresses in use.
        local_addr_used: u8,
        /// Own addresses in use, at most.
        local_addr_max: u8,
        /// Whether data has checksums.
        csum_enabled: u8,
        /// Nothing.
        pad2: u8,
        /// Times that was sent again.
        retransmits: u32,
        /// Bytes sent again.
        bytes_retrans: u64,
        /// Bytes sent.
        bytes_sent: u64,
        /// Bytes received.
        bytes_received: u64,
        /// Bytes confirmed.
        bytes_acked: u64,
        /// Subflows, the first among them.
        subflows_total: u8,
        /// Nothing.
        pad3: [u8; 3],
        /// Milliseconds since data was sent.
        last_data_sent: u32,
        /// Milliseconds since data was received.
        last_data_recv: u32,
        /// Milliseconds since a confirmation was received.
        last_ack_recv: u32,
    }
}

// include/uapi/linux/mptcp.h
flags! {
    /// What is so of an MPTCP connection.
    pub MptcpFlags(u32), "MPTCP_INFO_FLAG_" {
        /// It became plain TCP.
        FALLBACK = 0x1,
        /// The peer's key is known.
        REMOTE_KEY_RECEIVED = 0x2,
    }
}
