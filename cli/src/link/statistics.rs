//! Counters of an interface.

use ringlink::codec::route::LinkStats64;

use crate::output::{Formatted, Output};

/// A column of a table: its heading and its counter.
type Column = (&'static str, u64);

/// Prints counters; those of errors too where `errors` says so.
pub(super) fn print(row: &mut Output, counters: &LinkStats64, carrier_changes: Option<u32>, errors: bool) {
    if row.is_json() {
        row.object("stats64", |row| json(row, counters, carrier_changes, errors));
    } else {
        text(row, counters, carrier_changes, errors);
    }
}

fn json(row: &mut Output, counters: &LinkStats64, carrier_changes: Option<u32>, errors: bool) {
    row.object("rx", |row| {
        row.json("bytes", counters.rx_bytes);
        row.json("packets", counters.rx_packets);
        row.json("errors", counters.rx_errors);
        row.json("dropped", counters.rx_dropped);
        row.json("over_errors", counters.rx_over_errors);
        row.json("multicast", counters.multicast);
        if counters.rx_compressed != 0 {
            row.json("compressed", counters.rx_compressed);
        }
        if errors {
            row.json("length_errors", counters.rx_length_errors);
            row.json("crc_errors", counters.rx_crc_errors);
            row.json("frame_errors", counters.rx_frame_errors);
            row.json("fifo_errors", counters.rx_fifo_errors);
            row.json("missed_errors", counters.rx_missed_errors);
            if counters.rx_nohandler != 0 {
                row.json("nohandler", counters.rx_nohandler);
            }
            if counters.rx_otherhost_dropped != 0 {
                row.json("otherhost", counters.rx_otherhost_dropped);
            }
        }
    });
    row.object("tx", |row| {
        row.json("bytes", counters.tx_bytes);
        row.json("packets", counters.tx_packets);
        row.json("errors", counters.tx_errors);
        row.json("dropped", counters.tx_dropped);
        row.json("carrier_errors", counters.tx_carrier_errors);
        row.json("collisions", counters.collisions);
        if counters.tx_compressed != 0 {
            row.json("compressed", counters.tx_compressed);
        }
        if errors {
            row.json("aborted_errors", counters.tx_aborted_errors);
            row.json("fifo_errors", counters.tx_fifo_errors);
            row.json("window_errors", counters.tx_window_errors);
            row.json("heartbeat_errors", counters.tx_heartbeat_errors);
            if let Some(changes) = carrier_changes {
                row.json("carrier_changes", changes);
            }
        }
    });
}

fn text(row: &mut Output, counters: &LinkStats64, carrier_changes: Option<u32>, errors: bool) {
    let mut received = vec![
        ("bytes", counters.rx_bytes),
        ("packets", counters.rx_packets),
        ("errors", counters.rx_errors),
        ("dropped", counters.rx_dropped),
        ("missed", counters.rx_missed_errors),
        ("mcast", counters.multicast),
    ];
    let mut sent = vec![
        ("bytes", counters.tx_bytes),
        ("packets", counters.tx_packets),
        ("errors", counters.tx_errors),
        ("dropped", counters.tx_dropped),
        ("carrier", counters.tx_carrier_errors),
        ("collsns", counters.collisions),
    ];
    let mut bad_received = vec![
        ("RX errors:", 0),
        ("length", counters.rx_length_errors),
        ("crc", counters.rx_crc_errors),
        ("frame", counters.rx_frame_errors),
        ("fifo", counters.rx_fifo_errors),
        ("overrun", counters.rx_over_errors),
    ];
    let bad_sent = vec![
        ("TX errors:", 0),
        ("aborted", counters.tx_aborted_errors),
        ("fifo", counters.tx_fifo_errors),
        ("window", counters.tx_window_errors),
        ("heartbt", counters.tx_heartbeat_errors),
        ("transns", carrier_changes.unwrap_or(0).into()),
    ];
    // Columns that only few interfaces count.
    if counters.rx_compressed != 0 {
        received.push(("compressed", counters.rx_compressed));
    }
    if counters.tx_compressed != 0 {
        sent.push(("compressed", counters.tx_compressed));
    }
    if counters.rx_nohandler != 0 {
        bad_received.push(("nohandler", counters.rx_nohandler));
    }
    if counters.rx_otherhost_dropped != 0 {
        bad_received.push(("otherhost", counters.rx_otherhost_dropped));
    }
    let mut widths = [10, 7, 6, 7, 7, 7, 10, 9];
    for columns in [&received, &sent, &bad_received, &bad_sent] {
        for (width, (_, counter)) in widths.iter_mut().zip(columns) {
            *width = (*width).max(counter.to_string().len());
        }
    }
    table(row, "RX:", widths, &received);
    if errors {
        table(row, "RX errors:", widths, &bad_received);
    }
    table(row, "TX:", widths, &sent);
    if errors {
        table(row, "TX errors:", widths, &bad_sent);
    }
}

/// A line of headings behind a label, and below each its counter. A label that is a column's heading has no counter.
fn table(row: &mut Output, label: &'static str, widths: [usize; 8], columns: &[Column]) {
    row.line("    ");
    row.word(label);
    for (index, (width, (heading, _))) in widths.into_iter().zip(columns).enumerate() {
        match index {
            0 if *heading == label => {}
            0 => row.word(Formatted(format_args!("{heading:>width$}", width = width - label.len() - 1))),
            _ => row.word(Formatted(format_args!("{heading:>width$}"))),
        }
    }
    row.line("    ");
    for (width, (heading, counter)) in widths.into_iter().zip(columns) {
        match *heading == label {
            true => row.word(Formatted(format_args!("{:width$}", ""))),
            false => row.word(Formatted(format_args!("{counter:>width$}"))),
        }
    }
}
