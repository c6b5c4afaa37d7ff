//! What TCP tells of a connection.

use core::fmt;

use crate::route::Family;
use crate::table::{Fixed, Malformed, Plain, Shape, Value};
use crate::wire::Payload;
use crate::{flags, record, values};

record! {
    /// A TCP connection (`struct tcp_info`, include/uapi/linux/tcp.h). Newer kernels tell more at the end: 232 bytes in Linux
    /// 5.4, 280 in 6.18. Times are in microseconds unless it is said otherwise.
    pub TcpInfo, "tcp_info", "tcpi_" {
        /// State.
        state: u8,
        /// What congestion control is about.
        ca_state: TcpCongestionState,
        /// Retransmissions of the packet that is waited for.
        retransmits: u8,
        /// Probes that were not answered.
        probes: u8,
        /// How often the time to wait was doubled.
        backoff: u8,
        /// What both sides agreed on.
        options: TcpOptions,
        /// Bits by which windows are shifted: the low four bits that of the peer's, the high four that of ours. On big-endian
        /// machines the other way round.
        wscale: u8,
        /// Lowest bit: the delivery rate was limited by the process; then two bits: how Fast Open failed.
        delivery_rate_app_limited: u8,
        /// Time until it is sent again.
        rto: u32,
        /// Time until a delayed confirmation is sent.
        ato: u32,
        /// Bytes that a segment carries at most.
        snd_mss: u32,
        /// Bytes that the peer's segments seem to carry.
        rcv_mss: u32,
        /// Segments not confirmed; of one that listens, connections that wait.
        unacked: u32,
        /// Segments confirmed out of order; of one that listens, how many connections may wait.
        sacked: u32,
        /// Segments taken for lost.
        lost: u32,
        /// Segments sent again and not confirmed.
        retrans: u32,
        /// Zero.
        fackets: u32,
        /// Milliseconds since data was sent.
        last_data_sent: u32,
        /// Zero.
        last_ack_sent: u32,
        /// Milliseconds since data was received.
        last_data_recv: u32,
        /// Milliseconds since a confirmation was received.
        last_ack_recv: u32,
        /// Bytes that a packet has at most on the path.
        pmtu: u32,
        /// Bytes of window that are announced at most.
        rcv_ssthresh: u32,
        /// Round trip, smoothed.
        rtt: u32,
        /// Its variation.
        rttvar: u32,
        /// Segments at which slow start ends.
        snd_ssthresh: u32,
        /// Segments that may be on their way.
        snd_cwnd: u32,
        /// Bytes of a segment that were announced to the peer.
        advmss: u32,
        /// Segments that may overtake each other.
        reordering: u32,
        /// Round trip as the receiving side sees it.
        rcv_rtt: u32,
        /// Bytes that the process reads within a round trip.
        rcv_space: u32,
        /// Segments sent again, ever.
        total_retrans: u32,
        /// Bytes a second at which packets are sent.
        pacing_rate: u64,
        /// At most that many; all bits where there is no limit.
        max_pacing_rate: u64,
        /// Bytes confirmed.
        bytes_acked: u64,
        /// Bytes received.
        bytes_received: u64,
        /// Segments sent.
        segs_out: u32,
        /// Segments received.
        segs_in: u32,
        /// Bytes that wait to be sent.
        notsent_bytes: u32,
        /// Shortest round trip.
        min_rtt: u32,
        /// Segments with data received.
        data_segs_in: u32,
        /// Segments with data sent.
        data_segs_out: u32,
        /// Bytes a second that arrived lately.
        delivery_rate: u64,
        /// Time in which there was something to send.
        busy_time: u64,
        /// Of it: waiting for the peer's window.
        rwnd_limited: u64,
        /// Of it: waiting for room in the send buffer.
        sndbuf_limited: u64,
        /// Segments delivered.
        delivered: u32,
        /// Of them: with a congestion mark.
        delivered_ce: u32,
        /// Bytes sent.
        bytes_sent: u64,
        /// Bytes sent again.
        bytes_retrans: u64,
        /// Segments that the peer said it had twice.
        dsack_dups: u32,
        /// How often segments overtook each other.
        reord_seen: u32,
        /// Segments received out of order.
        rcv_ooopack: u32,
        /// Bytes of window that the peer announces.
        snd_wnd: u32,
        /// Bytes of window that are announced to the peer.
        rcv_wnd: u32,
        /// How often another path was tried.
        rehash: u32,
        /// Times that the time to wait ran out.
        total_rto: u16,
        /// How often the connection came back after that.
        total_rto_recoveries: u16,
        /// Milliseconds from a time that ran out to the recovery, all together.
        total_rto_time: u32,
        /// Segments received with a congestion mark.
        received_ce: u32,
        /// Bytes delivered marked ECT(1).
        delivered_e1_bytes: u32,
        /// Bytes delivered marked ECT(0).
        delivered_e0_bytes: u32,
        /// Bytes delivered with a congestion mark.
        delivered_ce_bytes: u32,
        /// Bytes received marked ECT(1).
        received_e1_bytes: u32,
        /// Bytes received marked ECT(0).
        received_e0_bytes: u32,
        /// Bytes received with a congestion mark.
        received_ce_bytes: u32,
        /// How accurate ECN failed.
        accecn_fail_mode: u16,
        /// Whether accurate ECN's option was seen.
        accecn_opt_seen: u16,
    }
}

impl TcpInfo {
    /// Bits by which the peer's window is shifted, then ours.
    #[must_use]
    pub const fn window_scales(&self) -> (u8, u8) {
        match cfg!(target_endian = "big") {
            true => (self.wscale >> 4, self.wscale & 0xf),
            false => (self.wscale & 0xf, self.wscale >> 4),
        }
    }

    /// Whether the delivery rate was limited by the process.
    #[must_use]
    pub const fn is_limited_by_process(&self) -> bool {
        match cfg!(target_endian = "big") {
            true => self.delivery_rate_app_limited & 0x80 != 0,
            false => self.delivery_rate_app_limited & 1 != 0,
        }
    }
}

// include/uapi/linux/tcp.h
flags! {
    /// What both sides of a TCP connection agreed on.
    pub TcpOptions(u8), "TCPI_OPT_" {
        /// Timestamps.
        TIMESTAMPS = 0x1,
        /// Confirmations out of order.
        SACK = 0x2,
        /// Windows beyond 65,535 bytes.
        WSCALE = 0x4,
        /// Marks of congestion.
        ECN = 0x8,
        /// A packet that could have been marked has come.
        ECN_SEEN = 0x10,
        /// Data went with the request for the connection.
        SYN_DATA = 0x20,
        /// Timestamps are in microseconds.
        USEC_TS = 0x40,
        /// Fast Open.
        TFO_CHILD = 0x80,
    }
}

// include/uapi/linux/tcp.h; the C names go on in lower case
values! {
    /// What congestion control is about.
    pub TcpCongestionState(u8), "TCP_CA_" {
        /// Nothing out of order.
        OPEN as "Open" = 0,
        /// Something is missing.
        DISORDER as "Disorder" = 1,
        /// The window was made smaller.
        CWR = 2,
        /// What is missing is sent again.
        RECOVERY as "Recovery" = 3,
        /// The time to wait ran out.
        LOSS as "Loss" = 4,
    }
}

record! {
    /// Vegas, and Veno, Illinois, Westwood in its form (`struct tcpvegas_info`, include/uapi/linux/inet_diag.h). Times are in
    /// microseconds.
    pub VegasInfo, "tcpvegas_info", "tcpv_" {
        /// Whether it is at work.
        enabled: u32,
        /// Round trips measured.
        rttcnt: u32,
        /// Round trip.
        rtt: u32,
        /// Shortest round trip.
        minrtt: u32,
    }
}

record! {
    /// DCTCP (`struct tcp_dctcp_info`, include/uapi/linux/inet_diag.h).
    pub DctcpInfo, "tcp_dctcp_info", "dctcp_" {
        /// Whether it is at work.
        enabled: u16,
        /// Whether the last packet had a mark.
        ce_state: u16,
        /// Share of marks, of 1,024.
        alpha: u32,
        /// Bytes with a mark.
        ab_ecn: u32,
        /// Bytes.
        ab_tot: u32,
    }
}

record! {
    /// BBR (`struct tcp_bbr_info`, include/uapi/linux/inet_diag.h).
    pub BbrInfo, "tcp_bbr_info", "bbr_" {
        /// Bytes a second, the low half.
        bw_lo: u32,
        /// Bytes a second, the high half.
        bw_hi: u32,
        /// Shortest round trip, in microseconds.
        min_rtt: u32,
        /// By how much faster or slower packets are sent, times 256.
        pacing_gain: u32,
        /// By how much larger the window is, times 256.
        cwnd_gain: u32,
    }
}

impl BbrInfo {
    /// Bytes a second.
    #[must_use]
    pub const fn bandwidth(&self) -> u64 {
        super::cookie_number([self.bw_lo, self.bw_hi])
    }
}

record! {
    /// A key of RFC 2385 signatures (`struct tcp_diag_md5sig`, include/uapi/linux/tcp.h).
    pub TcpMd5Key, "tcp_diag_md5sig", "tcpm_" {
        /// Family of the address.
        family: Family,
        /// Bits of the address that count.
        prefixlen: u8,
        /// Bytes of the key.
        keylen: u16,
        /// Peers that it is for; IPv4 has the first four bytes.
        addr: [u8; 16],
        /// The key.
        key: TcpMd5Secret,
    }
}

/// The bytes of a key in a [`TcpMd5Key`], of which the first `keylen` count. `Debug` and the printer keep them to themselves.
#[derive(Clone, Copy, PartialEq)]
pub struct TcpMd5Secret([u8; 80]);

impl TcpMd5Secret {
    /// The bytes, for those who know what they do with them.
    #[must_use]
    pub const fn expose(&self) -> &[u8; 80] {
        &self.0
    }
}

impl Default for TcpMd5Secret {
    fn default() -> Self {
        Self([0; 80])
    }
}

impl fmt::Debug for TcpMd5Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(80 secret bytes)")
    }
}

impl Value for TcpMd5Secret {
    type Read<'a> = Self;
    const SHAPE: Shape = Shape::Secret;

    fn decode(payload: Payload<'_>) -> Result<Self, Malformed> {
        <[u8; 80]>::decode(payload).map(Self)
    }
}

impl Fixed for TcpMd5Secret {
    const SIZE: usize = 80;
}

impl Plain for TcpMd5Secret {
    fn take(rest: &mut &[u8]) -> Self {
        Self(Plain::take(rest))
    }

    fn give(self, rest: &mut &mut [u8]) {
        self.0.give(rest);
    }
}
