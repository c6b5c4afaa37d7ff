//! What TCP and MPTCP tell of a connection, as `ss -i` shows it; JSON has the kernel's own names and units.

use ringlink::codec::Error;
use ringlink::codec::diag::{
    BbrInfo, DctcpInfo, InetHeader, InetMessage, InetSocket, MptcpFlags, MptcpInfo, SocketState, SocketTimer,
    SocketView, TcpInfo, TcpOptions, UlpInfo, VegasInfo,
};
use ringlink::codec::generic::mptcp_pm::{Subflow, SubflowFlags};
use ringlink::codec::table::{Attributes, Body, Layout, Record, Shape};

use super::{INFO, payload, runs};
use crate::output::{Formatted, Output};

/// The timer that runs, when it runs out, and how often it was set anew.
pub(super) fn timer(row: &mut Output, header: &InetHeader) {
    if !runs(header) {
        return;
    }
    let name = match header.timer {
        SocketTimer::ON => "on",
        SocketTimer::KEEPALIVE => "keepalive",
        SocketTimer::TIMEWAIT => "timewait",
        SocketTimer::PERSIST => "persist",
        _ => "unknown",
    };
    if row.is_json() {
        return row.object("timer", |row| {
            row.json("name", name);
            row.json("expires_ms", header.expires);
            row.json("retransmits", header.retrans);
        });
    }
    row.word(Formatted(format_args!("timer:({name},{},{})", left(header.expires), header.retrans)));
}

/// Milliseconds as `ss` writes them: the larger the number, the less precise.
fn left(milliseconds: u32) -> String {
    let (minutes, seconds, rest) = (milliseconds / 60_000, milliseconds / 1000 % 60, milliseconds % 1000);
    let mut text = String::new();
    if minutes > 0 {
        text += &format!("{minutes}min");
    }
    if seconds > 0 && minutes <= 9 {
        let precise = minutes == 0 && seconds <= 9 && rest > 0;
        text += &format!("{seconds}{}", if precise { "." } else { "sec" });
    }
    if rest > 0 && minutes == 0 && seconds <= 9 {
        text += &format!("{rest:03}ms");
    }
    text
}

/// The protocol's state.
pub(super) fn print(
    row: &mut Output,
    netid: &str,
    with_options: bool,
    view: &SocketView<'_>,
    body: Body<'_, InetMessage>,
) -> Result<(), Error> {
    if netid == "mptcp" {
        if let Some(info) = body.attributes.get(InetSocket::MPTCP_INFO)? {
            object(row, "mptcp_info", MptcpInfo::LAYOUT, payload(body, INFO));
            mptcp(row, &info);
        }
        return Ok(());
    }
    let (info, vegas, dctcp, bbr, ulp) = body.attributes.read((
        InetSocket::INFO,
        InetSocket::VEGASINFO,
        InetSocket::DCTCPINFO,
        InetSocket::BBRINFO,
        InetSocket::ULP_INFO,
    ))?;
    if row.is_json() {
        if let Some(congestion) = view.congestion {
            row.json("congestion", congestion);
        }
        if info.is_some() && matches!(netid, "tcp" | "dccp") {
            object(row, "tcp_info", TcpInfo::LAYOUT, payload(body, INFO));
        }
        object(row, "vegas", VegasInfo::LAYOUT, payload(body, InetSocket::VEGASINFO.number()));
        object(row, "dctcp", DctcpInfo::LAYOUT, payload(body, InetSocket::DCTCPINFO.number()));
        object(row, "bbr", BbrInfo::LAYOUT, payload(body, InetSocket::BBRINFO.number()));
        if let Some(ulp) = ulp.and_then(|ulp| ulp.get(UlpInfo::NAME).transpose()).transpose()? {
            row.json("ulp", ulp);
        }
        return Ok(());
    }
    if let Some(info) = info.filter(|_| matches!(netid, "tcp" | "dccp")) {
        if with_options {
            options(row, &info);
        }
        tcp(row, view, &info, vegas, dctcp, bbr);
    }
    ulp.map_or(Ok(()), |ulp| between(row, ulp))
}

/// A struct's numbers, as many as there are.
fn object(row: &mut Output, key: &'static str, layout: &'static Layout, bytes: Option<&[u8]>) {
    let Some(bytes) = bytes.filter(|_| row.is_json()) else { return };
    row.object(key, |row| {
        for field in layout.fields.iter().filter(|field| !field.is_padding()) {
            let base = if let Shape::Named(_, base) = field.shape { *base } else { field.shape };
            let Some(bytes) = bytes.get(field.offset..field.offset + field.size) else { break };
            if let Shape::Unsigned(_) = base {
                let order = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
                let number = match cfg!(target_endian = "big") {
                    true => bytes.iter().fold(0, order),
                    false => bytes.iter().rev().fold(0, order),
                };
                row.json(field.name, number);
            }
        }
    });
}

/// A word made of a label and a number, unless that is zero.
fn some(row: &mut Output, label: &str, number: impl Into<u64>) {
    let number = number.into();
    if number != 0 {
        row.word(Formatted(format_args!("{label}{number}")));
    }
}

/// A word made of a label and microseconds, in milliseconds, unless that is zero.
fn milliseconds(row: &mut Output, label: &str, microseconds: u32) {
    if microseconds != 0 {
        row.word(Formatted(format_args!("{label}{}", short(f64::from(microseconds) / 1000.0))));
    }
}

/// What both sides agreed on.
fn options(row: &mut Output, info: &TcpInfo) {
    for (option, name) in [
        (TcpOptions::TIMESTAMPS, "ts"),
        (TcpOptions::SACK, "sack"),
        (TcpOptions::ECN, "ecn"),
        (TcpOptions::ECN_SEEN, "ecnseen"),
        (TcpOptions::SYN_DATA, "fastopen"),
    ] {
        if info.options.contains(option) {
            row.word(name);
        }
    }
}

#[allow(clippy::too_many_lines, reason = "one word behind the other, as ss has them")]
fn tcp(
    row: &mut Output,
    view: &SocketView<'_>,
    info: &TcpInfo,
    vegas: Option<VegasInfo>,
    dctcp: Option<DctcpInfo>,
    bbr: Option<BbrInfo>,
) {
    if let Some(congestion) = view.congestion {
        row.word(congestion);
    }
    if info.options.contains(TcpOptions::WSCALE) {
        let (theirs, ours) = info.window_scales();
        row.word(Formatted(format_args!("wscale:{theirs},{ours}")));
    }
    // Three seconds is what it is before anything was measured.
    if info.rto != 3_000_000 {
        milliseconds(row, "rto:", info.rto);
    }
    some(row, "backoff:", info.backoff);
    if info.rtt != 0 {
        let (rtt, variation) = (f64::from(info.rtt) / 1000.0, f64::from(info.rttvar) / 1000.0);
        row.word(Formatted(format_args!("rtt:{}/{}", short(rtt), short(variation))));
    }
    milliseconds(row, "ato:", info.ato);
    // Of a socket that listens, these are what a connection would begin with.
    let is_connection = view.header.state != SocketState::LISTEN;
    if is_connection {
        some(row, "mss:", info.snd_mss);
        some(row, "pmtu:", info.pmtu);
        some(row, "rcvmss:", info.rcv_mss);
        some(row, "advmss:", info.advmss);
    }
    some(row, "cwnd:", info.snd_cwnd);
    if info.snd_ssthresh < 0xffff {
        some(row, "ssthresh:", info.snd_ssthresh);
    }
    some(row, "bytes_sent:", info.bytes_sent);
    some(row, "bytes_retrans:", info.bytes_retrans);
    some(row, "bytes_acked:", info.bytes_acked);
    some(row, "bytes_received:", info.bytes_received);
    some(row, "segs_out:", info.segs_out);
    some(row, "segs_in:", info.segs_in);
    some(row, "data_segs_out:", info.data_segs_out);
    some(row, "data_segs_in:", info.data_segs_in);
    congestion(row, vegas, dctcp, bbr);
    if info.rtt > 0 && info.snd_mss != 0 && info.snd_cwnd != 0 {
        let rate = f64::from(info.snd_cwnd) * f64::from(info.snd_mss) * 8_000_000.0 / f64::from(info.rtt);
        row.word(Formatted(format_args!("send {rate:.0}bps")));
    }
    some(row, "lastsnd:", info.last_data_sent);
    some(row, "lastrcv:", info.last_data_recv);
    some(row, "lastack:", info.last_ack_recv);
    if info.pacing_rate != 0 && info.pacing_rate != u64::MAX {
        row.word(Formatted(format_args!("pacing_rate {}bps", bits(info.pacing_rate))));
        if info.max_pacing_rate != 0 && info.max_pacing_rate != u64::MAX {
            row.glue(Formatted(format_args!("/{}bps", bits(info.max_pacing_rate))));
        }
    }
    if info.delivery_rate != 0 {
        row.word(Formatted(format_args!("delivery_rate {}bps", bits(info.delivery_rate))));
    }
    some(row, "delivered:", info.delivered);
    some(row, "delivered_ce:", info.delivered_ce);
    if info.is_limited_by_process() {
        row.word("app_limited");
    }
    busy(row, info);
    some(row, "unacked:", info.unacked);
    if info.retrans != 0 || info.total_retrans != 0 {
        row.word(Formatted(format_args!("retrans:{}/{}", info.retrans, info.total_retrans)));
    }
    some(row, "lost:", info.lost);
    if is_connection {
        some(row, "sacked:", info.sacked);
    }
    some(row, "dsack_dups:", info.dsack_dups);
    some(row, "fackets:", info.fackets);
    if info.reordering != 3 {
        some(row, "reordering:", info.reordering);
    }
    some(row, "reord_seen:", info.reord_seen);
    milliseconds(row, "rcv_rtt:", info.rcv_rtt);
    if is_connection {
        some(row, "rcv_space:", info.rcv_space);
        some(row, "rcv_ssthresh:", info.rcv_ssthresh);
    }
    some(row, "notsent:", info.notsent_bytes);
    if info.min_rtt != u32::MAX {
        milliseconds(row, "minrtt:", info.min_rtt);
    }
    some(row, "rcv_ooopack:", info.rcv_ooopack);
    some(row, "snd_wnd:", info.snd_wnd);
}

/// Time in which there was something to send, and the shares of it in which something was in the way.
fn busy(row: &mut Output, info: &TcpInfo) {
    if info.busy_time == 0 {
        return;
    }
    row.word(Formatted(format_args!("busy:{}ms", info.busy_time / 1000)));
    for (label, time) in [("rwnd_limited", info.rwnd_limited), ("sndbuf_limited", info.sndbuf_limited)] {
        if time != 0 {
            // Shares of a hundred, to a tenth.
            let tenths = (u128::from(time) * 1000 + u128::from(info.busy_time) / 2) / u128::from(info.busy_time);
            let (whole, tenth) = (tenths / 10, tenths % 10);
            row.word(Formatted(format_args!("{label}:{}ms({whole}.{tenth}%)", time / 1000)));
        }
    }
}

fn congestion(row: &mut Output, vegas: Option<VegasInfo>, dctcp: Option<DctcpInfo>, bbr: Option<BbrInfo>) {
    if let Some(dctcp) = dctcp {
        match dctcp.enabled {
            0 => row.word("dctcp:fallback_mode"),
            _ => row.word(Formatted(format_args!(
                "dctcp:(ce_state:{},alpha:{},ab_ecn:{},ab_tot:{})",
                dctcp.ce_state, dctcp.alpha, dctcp.ab_ecn, dctcp.ab_tot
            ))),
        }
    }
    if let Some(bbr) = bbr {
        let (bandwidth, rtt) = (bits(bbr.bandwidth()), short(f64::from(bbr.min_rtt) / 1000.0));
        row.word(Formatted(format_args!("bbr:(bw:{bandwidth}bps,mrtt:{rtt}")));
        for (label, gain) in [("pacing_gain", bbr.pacing_gain), ("cwnd_gain", bbr.cwnd_gain)] {
            if gain != 0 {
                row.glue(Formatted(format_args!(",{label}:{}", short(f64::from(gain) / 256.0))));
            }
        }
        row.glue(")");
    }
    if let Some(vegas) = vegas.filter(|vegas| vegas.enabled != 0 && vegas.rtt != 0 && vegas.rtt != 0x7fff_ffff) {
        row.word(Formatted(format_args!("vegas:(rtt:{},minrtt:{})", vegas.rtt, vegas.minrtt)));
    }
}

/// What stands between the protocol and the process.
fn between(row: &mut Output, ulp: Attributes<'_, UlpInfo>) -> Result<(), Error> {
    let (name, subflow) = ulp.read((UlpInfo::NAME, UlpInfo::MPTCP))?;
    if let Some(name) = name {
        row.word("tcp-ulp-");
        row.glue(name);
    }
    let Some(subflow) = subflow else { return Ok(()) };
    let (flags, tokens, ids, sequences, length) = subflow.read((
        Subflow::FLAGS,
        (Subflow::TOKEN_REM, Subflow::TOKEN_LOC),
        (Subflow::ID_REM, Subflow::ID_LOC),
        (Subflow::MAP_SEQ, Subflow::MAP_SFSEQ, Subflow::SSN_OFFSET),
        Subflow::MAP_DATALEN,
    ))?;
    if let Some(flags) = flags {
        row.word("flags:");
        for (flag, letter) in [
            (SubflowFlags::MCAP_REM, "M"),
            (SubflowFlags::MCAP_LOC, "m"),
            (SubflowFlags::JOIN_REM, "J"),
            (SubflowFlags::JOIN_LOC, "j"),
            (SubflowFlags::BKUP_REM, "B"),
            (SubflowFlags::BKUP_LOC, "b"),
            (SubflowFlags::FULLY_ESTABLISHED, "e"),
            (SubflowFlags::CONNECTED, "c"),
            (SubflowFlags::MAPVALID, "v"),
        ] {
            if flags.contains(flag) {
                row.glue(letter);
            }
        }
    }
    if let ((Some(theirs), Some(ours)), (Some(their), Some(our))) = (tokens, ids) {
        row.word(Formatted(format_args!("token:{theirs:04x}(id:{their})/{ours:04x}(id:{our})")));
    }
    if let (Some(sequence), Some(within), Some(offset)) = sequences {
        row.word(Formatted(format_args!("seq:{sequence:x} sfseq:{within:x} ssnoff:{offset:x}")));
    }
    if let Some(length) = length {
        row.word(Formatted(format_args!("maplen:{length:x}")));
    }
    Ok(())
}

fn mptcp(row: &mut Output, info: &MptcpInfo) {
    if row.is_json() {
        return;
    }
    some(row, "subflows:", info.subflows);
    some(row, "add_addr_signal:", info.add_addr_signal);
    some(row, "add_addr_accepted:", info.add_addr_accepted);
    some(row, "subflows_max:", info.subflows_max);
    some(row, "add_addr_signal_max:", info.add_addr_signal_max);
    some(row, "add_addr_accepted_max:", info.add_addr_accepted_max);
    if info.flags.contains(MptcpFlags::FALLBACK) {
        row.word("fallback");
    }
    if info.flags.contains(MptcpFlags::REMOTE_KEY_RECEIVED) {
        row.word("remote_key");
    }
    for (label, number) in [
        ("token:", u64::from(info.token)),
        ("write_seq:", info.write_seq),
        ("snd_una:", info.snd_una),
        ("rcv_nxt:", info.rcv_nxt),
    ] {
        if number != 0 {
            row.word(label);
            row.glue(Formatted(format_args!("{number:x}")));
        }
    }
    some(row, "local_addr_used:", info.local_addr_used);
    some(row, "local_addr_max:", info.local_addr_max);
    if info.csum_enabled != 0 {
        row.word("csum_enabled:");
        row.glue(info.csum_enabled);
    }
}

/// Bytes a second in bits.
fn bits(bytes: u64) -> u128 {
    u128::from(bytes) * 8
}

/// A number as C's `%g` writes it: six digits, no zeros at the end.
fn short(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{number:.5e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let bare = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if (-4..6).contains(&exponent) {
        let places = usize::try_from(5 - exponent).unwrap_or(0);
        return bare(&format!("{number:.places$}"));
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{}e{sign}{:02}", bare(digits), exponent.abs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_c_writes_them() {
        for (number, text) in [
            (0.0, "0"),
            (204.0, "204"),
            (0.905, "0.905"),
            (2.886_718_75, "2.88672"),
            (1234.5678, "1234.57"),
            (120_000.123, "120000"),
            (1_234_567.0, "1.23457e+06"),
            (0.000_05, "5e-05"),
        ] {
            assert_eq!(short(number), text);
        }
    }

    #[test]
    fn times_are_written_as_ss_writes_them() {
        for (milliseconds, text) in [
            (0, ""),
            (204, "204ms"),
            (1020, "1.020ms"),
            (2000, "2sec"),
            (12_345, "12sec"),
            (65_000, "1min5sec"),
            (65_001, "1min5sec"),
            (7_140_000, "119min"),
            (7_199_999, "119min"),
        ] {
            assert_eq!(left(milliseconds), text);
        }
    }
}
