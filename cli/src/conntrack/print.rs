//! How connections and expectations are printed: as `conntrack -L` does, or as JSON.

use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use ringlink::codec::netfilter::Family;
use ringlink::codec::netfilter::conntrack::{
    ConnectionView, Counts, DccpRole, Endpoints, ExpectationFlags, ExpectationView, Protocol, ProtocolView, Status,
};
use ringlink::codec::table::ValueTable;

use super::labels;
use super::words::{PROTOCOLS, STATUSES, Shown};
use crate::monitor::stamp::ctime;
use crate::output::{Formatted, Hex, Kind, Output, Show, decimal};

/// What happened, in an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// It began.
    New,
    /// It changed.
    Update,
    /// It ended.
    Destroy,
}

impl Event {
    fn name(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Update => "update",
            Self::Destroy => "destroy",
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::New => "    [NEW] ",
            Self::Update => " [UPDATE] ",
            Self::Destroy => "[DESTROY] ",
        }
    }
}

/// Prints a connection.
pub(super) fn connection(row: &mut Output, view: &ConnectionView<'_>, shown: Shown, event: Option<Event>) {
    if !row.is_json() {
        return if shown.save { row.word(Saved(view)) } else { row.word(Line(view, shown, event)) };
    }
    if let Some(event) = event {
        row.json("event", event.name());
    }
    row.json("family", family_name(view.header.nfgen_family));
    if let Some(protocol) = view.protocol_number() {
        row.json("proto", protocol_name(protocol));
        row.json("protonum", protocol.0);
    }
    json(row, "timeout", view.timeout);
    if let Some(protocol) = &view.protocol {
        protocol_json(row, protocol);
    }
    row.object("orig", |row| tuple_json(row, &view.original, view.counters_original));
    row.object("reply", |row| tuple_json(row, &view.reply, view.counters_reply));
    if let Some(master) = &view.master {
        row.object("master", |row| tuple_json(row, master, None));
    }
    if let Some(status) = view.status {
        names_json(row, "status", Status::TABLE, status.0.into());
    }
    json(row, "mark", view.mark);
    json(row, "zone", view.zone);
    json(row, "secctx", view.security);
    json(row, "helper", view.helper);
    if let Some(labels) = view.labels {
        row.list("labels", |row| labels::set(labels).for_each(|label| row.item(label)));
    }
    if let Some((start, stop)) = view.timestamp {
        row.json("start", start);
        if stop != 0 {
            row.json("stop", stop);
        }
    }
    json(row, "time", view.event_time);
    json(row, "use", view.users);
    json(row, "id", view.id);
}

fn json(row: &mut Output, key: &'static str, value: Option<impl Show>) {
    if let Some(value) = value {
        row.json(key, value);
    }
}

fn protocol_json(row: &mut Output, protocol: &ProtocolView) {
    match *protocol {
        ProtocolView::Tcp { state, scales, flags } => {
            json(row, "state", state.map(|state| Named(state.name(), state.0.into())));
            if let Some((original, reply)) = scales {
                row.list("wscale", |row| [original, reply].into_iter().for_each(|scale| row.item(scale)));
            }
            if let Some((original, reply)) = flags {
                row.list("tcp_flags", |row| {
                    [original, reply].into_iter().for_each(|flags| row.item(Hex(flags.flags.0.into())));
                });
            }
        }
        ProtocolView::Sctp { state, tags } => {
            json(row, "state", state.map(|state| Named(state.name(), state.0.into())));
            if let Some((original, reply)) = tags {
                row.list("vtag", |row| [original, reply].into_iter().for_each(|tag| row.item(tag)));
            }
        }
        ProtocolView::Dccp { state, role, handshake } => {
            json(row, "state", state.map(|state| Named(state.name(), state.0.into())));
            json(row, "role", role.map(|role| Named(role.name(), role.0.into())));
            json(row, "handshake_seq", handshake);
        }
    }
}

fn tuple_json(row: &mut Output, tuple: &Endpoints, counts: Option<Counts>) {
    json(row, "src", tuple.source);
    json(row, "dst", tuple.destination);
    let (source, destination) = match tuple.protocol {
        Some(Protocol::GRE) => ("srckey", "dstkey"),
        _ => ("sport", "dport"),
    };
    json(row, source, tuple.source_port);
    json(row, destination, tuple.destination_port);
    json(row, "type", tuple.icmp_type);
    json(row, "code", tuple.icmp_code);
    json(row, "id", tuple.icmp_id);
    json(row, "zone", tuple.zone);
    if let Some(counts) = counts {
        row.json("packets", counts.packets);
        row.json("bytes", counts.bytes);
    }
}

/// The names of the bits that are set, as a list; what has no name as a number.
fn names_json(row: &mut Output, key: &'static str, table: &'static ValueTable, bits: u64) {
    row.list(key, |row| {
        let mut left = bits;
        for named in table.rows.iter().filter(|named| bits & named.value == named.value) {
            row.item(named.name);
            left &= !named.value;
        }
        if left != 0 {
            row.item(Hex(left));
        }
    });
}

/// A name, or the number where it has none.
struct Named(Option<&'static str>, u64);

impl Show for Named {
    const KIND: Kind = Kind::Plain;

    fn show(&self, bytes: &mut Vec<u8>) {
        match self.0 {
            Some(name) => bytes.extend_from_slice(name.as_bytes()),
            None => decimal(bytes, self.1),
        }
    }
}

fn family_name(family: Family) -> Named {
    let name = match family {
        Family::IPV4 => Some("ipv4"),
        Family::IPV6 => Some("ipv6"),
        _ => None,
    };
    Named(name, family.0.into())
}

/// A protocol's name, where conntrack has one.
fn protocol_name(protocol: Protocol) -> &'static str {
    match protocol {
        Protocol::IGMP | Protocol::ESP | Protocol::AH => "unknown",
        protocol => PROTOCOLS.iter().find(|(_, known)| *known == protocol).map_or("unknown", |(name, _)| name),
    }
}

/// A connection as conntrack prints it (`__snprintf_conntrack_default` of libnetfilter_conntrack).
struct Line<'v, 'a>(&'v ConnectionView<'a>, Shown, Option<Event>);

impl Show for Line<'_, '_> {
    const KIND: Kind = Kind::Text;

    fn show(&self, bytes: &mut Vec<u8>) {
        let Self(view, shown, event) = self;
        if let Some(event) = event {
            bytes.extend_from_slice(event.word().as_bytes());
        }
        if shown.extended {
            family_name(view.header.nfgen_family).show(bytes);
            bytes.extend_from_slice(b"     ");
            number(bytes, "", view.header.nfgen_family.0.into());
        }
        if let Some(protocol) = view.protocol_number() {
            let start = bytes.len();
            bytes.extend_from_slice(protocol_name(protocol).as_bytes());
            pad(bytes, start, 8);
            bytes.push(b' ');
            number(bytes, "", protocol.0.into());
        }
        some(bytes, "", view.timeout);
        match view.protocol {
            Some(ProtocolView::Tcp { state: Some(state), .. }) => word(bytes, Named(state.name(), state.0.into())),
            Some(ProtocolView::Sctp { state: Some(state), .. }) => word(bytes, Named(state.name(), state.0.into())),
            Some(ProtocolView::Dccp { state: Some(state), .. }) => word(bytes, Named(state.name(), state.0.into())),
            _ => {}
        }
        tuple(bytes, "", &view.original);
        some(bytes, "zone-orig=", view.original.zone);
        counts(bytes, view.counters_original);
        if view.status.is_some_and(|status| !status.contains(Status::SEEN_REPLY)) {
            bytes.extend_from_slice(b"[UNREPLIED] ");
        }
        tuple(bytes, "", &view.reply);
        some(bytes, "zone-reply=", view.reply.zone);
        counts(bytes, view.counters_reply);
        let status = view.status.unwrap_or_default();
        bytes.extend_from_slice(match status {
            status if status.contains(Status::HW_OFFLOAD) => b"[HW_OFFLOAD] ",
            status if status.contains(Status::OFFLOAD) => b"[OFFLOAD] ",
            status if status.contains(Status::ASSURED) => b"[ASSURED] ",
            _ => b"",
        });
        some(bytes, "mark=", view.mark);
        if let Some(security) = view.security {
            text(bytes, "secctx=", security);
        }
        some(bytes, "zone=", view.zone);
        if let Some((start, stop)) = view.timestamp {
            let now = || SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
            let end = if stop == 0 { now() } else { stop / 1_000_000_000 };
            number(bytes, "delta-time=", end.saturating_sub(start / 1_000_000_000));
            if shown.times {
                text(bytes, "[start=", Formatted(format_args!("{}]", ctime(start / 1_000_000_000))));
                if stop != 0 {
                    text(bytes, "[stop=", Formatted(format_args!("{}]", ctime(stop / 1_000_000_000))));
                }
            }
        }
        if let Some(helper) = view.helper {
            text(bytes, "helper=", helper);
        }
        some(bytes, "use=", view.users);
        if shown.id {
            some(bytes, "id=", view.id);
        }
        if shown.labels
            && let Some(labels) = view.labels
        {
            bytes.extend_from_slice(b"labels=");
            for label in labels::set(labels) {
                match labels::name(label) {
                    Some(name) => bytes.extend_from_slice(name.as_bytes()),
                    None => decimal(bytes, label.into()),
                }
                bytes.push(b',');
            }
            bytes.pop();
            bytes.push(b' ');
        }
        bytes.pop_if(|last| *last == b' ');
    }
}

fn number(bytes: &mut Vec<u8>, label: &str, value: u64) {
    bytes.extend_from_slice(label.as_bytes());
    decimal(bytes, value);
    bytes.push(b' ');
}

#[inline]
fn some(bytes: &mut Vec<u8>, label: &str, value: Option<impl Into<u64>>) {
    if let Some(value) = value {
        number(bytes, label, value.into());
    }
}

fn text(bytes: &mut Vec<u8>, label: &str, value: impl Show) {
    bytes.extend_from_slice(label.as_bytes());
    word(bytes, value);
}

fn word(bytes: &mut Vec<u8>, value: impl Show) {
    value.show(bytes);
    bytes.push(b' ');
}

fn pad(bytes: &mut Vec<u8>, start: usize, width: usize) {
    if bytes.len() < start + width {
        bytes.resize(start + width, b' ');
    }
}

fn counts(bytes: &mut Vec<u8>, counts: Option<Counts>) {
    if let Some(counts) = counts {
        number(bytes, "packets=", counts.packets);
        number(bytes, "bytes=", counts.bytes);
    }
}

/// A tuple, each address with this before its label.
fn tuple(bytes: &mut Vec<u8>, before: &str, tuple: &Endpoints) {
    address(bytes, before, "src=", tuple.source);
    address(bytes, before, "dst=", tuple.destination);
    match tuple.protocol {
        Some(Protocol::GRE) => {
            let key = |bytes: &mut Vec<u8>, label, key: Option<u16>| {
                if let Some(key) = key {
                    text(bytes, label, Hex(key.into()));
                }
            };
            key(bytes, "srckey=", tuple.source_port);
            key(bytes, "dstkey=", tuple.destination_port);
        }
        _ => {
            some(bytes, "sport=", tuple.source_port);
            some(bytes, "dport=", tuple.destination_port);
        }
    }
    some(bytes, "type=", tuple.icmp_type);
    some(bytes, "code=", tuple.icmp_code);
    some(bytes, "id=", tuple.icmp_id);
}

#[inline]
fn address(bytes: &mut Vec<u8>, before: &str, label: &str, address: Option<IpAddr>) {
    if let Some(address) = address {
        bytes.extend_from_slice(before.as_bytes());
        text(bytes, label, address);
    }
}

/// A connection as options that make it (`-o save`).
struct Saved<'v, 'a>(&'v ConnectionView<'a>);

impl Show for Saved<'_, '_> {
    const KIND: Kind = Kind::Text;

    fn show(&self, bytes: &mut Vec<u8>) {
        let Self(view) = self;
        bytes.extend_from_slice(b"-A ");
        some(bytes, "-t ", view.timeout);
        let status = view.status.unwrap_or_default();
        let mut between = "-u ";
        for (name, _) in STATUSES.iter().filter(|(_, bit)| bit.0 != 0 && status.contains(*bit)) {
            bytes.extend_from_slice(between.as_bytes());
            bytes.extend_from_slice(name.as_bytes());
            between = ",";
        }
        bytes.extend_from_slice(if between == "," { b" " } else { b"-u UNSET " });
        some(bytes, "-m ", view.mark.filter(|mark| *mark != 0));
        some(bytes, "-w ", view.zone);
        some(bytes, "--orig-zone ", view.original.zone);
        some(bytes, "--reply-zone ", view.reply.zone);
        let nat = |bit, letter, plain| if status.contains(bit) { letter } else { plain };
        address(bytes, "", "-s ", view.original.source);
        address(bytes, "", "-d ", view.original.destination);
        address(bytes, "", nat(Status::DST_NAT, "-g ", "-r "), view.reply.source);
        address(bytes, "", nat(Status::SRC_NAT, "-n ", "-q "), view.reply.destination);
        if let Some(protocol) = view.protocol_number() {
            let name = PROTOCOLS.iter().find(|(_, known)| *known == protocol).map(|(name, _)| *name);
            text(bytes, "-p ", Named(name, protocol.0.into()));
            let ports = match protocol {
                Protocol::GRE => ["--srckey ", "--dstkey ", "--reply-key-src ", "--reply-key-dst "],
                _ => ["--sport ", "--dport ", "--reply-port-src ", "--reply-port-dst "],
            };
            some(bytes, ports[0], view.original.source_port);
            some(bytes, ports[1], view.original.destination_port);
            some(bytes, ports[2], view.reply.source_port);
            some(bytes, ports[3], view.reply.destination_port);
        }
        some(bytes, "--icmp-type ", view.original.icmp_type);
        some(bytes, "--icmp-code ", view.original.icmp_code);
        some(bytes, "--icmp-id ", view.original.icmp_id);
        match view.protocol {
            Some(ProtocolView::Tcp { state: Some(state), .. }) => {
                text(bytes, "--state ", Named(state.name(), state.0.into()));
            }
            Some(ProtocolView::Sctp { state: Some(state), tags }) => {
                text(bytes, "--state ", Named(state.name(), state.0.into()));
                some(bytes, "--orig-vtag ", tags.map(|(original, _)| original));
                some(bytes, "--reply-vtag ", tags.map(|(_, reply)| reply));
            }
            Some(ProtocolView::Dccp { state: Some(state), role, .. }) => {
                text(bytes, "--state ", Named(state.name(), state.0.into()));
                let server = role == Some(DccpRole::SERVER);
                text(bytes, "--role ", if server { "server" } else { "client" });
            }
            _ => {}
        }
        if let Some(helper) = view.helper {
            text(bytes, "--helper ", helper);
        }
        bytes.pop_if(|last| *last == b' ');
    }
}

/// Prints an expectation.
pub(super) fn expectation(row: &mut Output, view: &ExpectationView<'_>, shown: Shown, event: Option<Event>) {
    if !row.is_json() {
        return row.word(ExpectationLine(view, shown, event));
    }
    if let Some(event) = event {
        row.json("event", event.name());
    }
    row.json("family", family_name(view.header.nfgen_family));
    if let Some(protocol) = view.tuple.protocol {
        row.json("proto", protocol_name(protocol));
        row.json("protonum", protocol.0);
    }
    json(row, "timeout", view.timeout);
    row.object("tuple", |row| tuple_json(row, &view.tuple, None));
    row.object("mask", |row| tuple_json(row, &view.mask, None));
    row.object("master", |row| tuple_json(row, &view.master, None));
    names_json(row, "flags", ExpectationFlags::TABLE, view.flags.0.into());
    json(row, "zone", view.zone);
    json(row, "class", view.class);
    json(row, "helper", view.helper);
    json(row, "function", view.function);
    json(row, "id", view.id);
}

/// An expectation as conntrack prints it (`nfexp_snprintf` of libnetfilter_conntrack).
struct ExpectationLine<'v, 'a>(&'v ExpectationView<'a>, Shown, Option<Event>);

impl Show for ExpectationLine<'_, '_> {
    const KIND: Kind = Kind::Text;

    fn show(&self, bytes: &mut Vec<u8>) {
        let Self(view, shown, event) = self;
        if let Some(event) = event {
            bytes.extend_from_slice(event.word().as_bytes());
        }
        some(bytes, "", view.timeout);
        some(bytes, "proto=", view.tuple.protocol.map(|protocol| protocol.0));
        tuple(bytes, "", &view.tuple);
        tuple(bytes, "mask-", &view.mask);
        tuple(bytes, "master-", &view.master);
        some(bytes, "zone=", view.zone);
        for (flag, name) in [
            (ExpectationFlags::PERMANENT, "PERMANENT "),
            (ExpectationFlags::INACTIVE, "INACTIVE "),
            (ExpectationFlags::USERSPACE, "USERSPACE "),
        ] {
            if view.flags.contains(flag) {
                bytes.extend_from_slice(name.as_bytes());
            }
        }
        some(bytes, "class=", view.class);
        if let Some(helper) = view.helper {
            text(bytes, "helper=", helper);
        }
        if shown.id {
            some(bytes, "id=", view.id);
        }
        bytes.pop_if(|last| *last == b' ');
    }
}
