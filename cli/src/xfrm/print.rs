//! Rows of states and policies.

use std::fmt;
use std::net::IpAddr;

use ringlink::codec::Error;
use ringlink::codec::Text;
use ringlink::codec::table::{InetAddress, SecretBytes};
use ringlink::codec::xfrm::{
    Action, Address, Direction, EncapType, Family, Id, Lifetime, LifetimeLimits, Mark, Mode, Offload, OffloadFlags,
    PolicyKind, PolicyView, Protocol, SecurityContext, Selector, Share, StateView, Template,
};

use super::words::{EXTRA_FLAGS, MODES, POLICY_FLAGS, PROTOS, STATE_FLAGS};
use crate::arguments::Options;
use crate::names::Names;
use crate::output::{Formatted, Hex, Kind, Output, Prefix, Show};
use crate::rule::IpProtocol;

/// How much is printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct View {
    /// Everything there is.
    pub(super) all: bool,
    /// Keys.
    keys: bool,
    /// Family of addresses of which nothing says it.
    family: Family,
    /// What lines begin with.
    indent: Indent,
}

/// What the lines of a row begin with: those behind the first, and those further in.
type Indent = [&'static str; 2];

impl View {
    /// As much as the options ask for.
    pub(super) fn of(options: &Options) -> Self {
        View {
            all: options.statistics > 0,
            keys: options.show_keys,
            family: super::family(options),
            indent: ["\t", "\t\t"],
        }
    }

    /// The same further in, for a policy within another row.
    pub(super) fn inside(self) -> Self {
        View { indent: ["    \t", "    \t\t"], ..self }
    }
}

/// What packets are wrapped in.
pub(super) const ENCAPS: &[(EncapType, &str)] = &[
    (EncapType::ESPINUDP_NON_IKE, "espinudp-nonike"),
    (EncapType::ESPINUDP, "espinudp"),
    (EncapType::ESPINTCP, "espintcp"),
];

/// Prints a state; `word` says what became of it.
pub(super) fn state(
    row: &mut Output,
    names: &Names,
    view: View,
    state: &StateView<'_>,
    word: Option<(&'static str, &'static str)>,
) -> Result<(), Error> {
    let info = &state.info;
    let [line, _] = view.indent;
    let all = view.all || row.is_json();
    if let Some((key, word)) = word {
        row.yes(key, word);
    }
    let ipsec = [Protocol::ESP, Protocol::AH, Protocol::COMP].contains(&info.id.proto);
    named(row, view, line, &info.id, info.saddr, info.family, info.reqid, info.mode, ipsec);
    row.line(line);
    row.field("replay_window", "replay-window", info.replay_window);
    if all {
        row.json("seq", info.seq);
        row.word(Formatted(format_args!("seq 0x{:08}", info.seq)));
    }
    if all || info.flags.0 != 0 {
        flags(row, "flags", "flag", info.flags.0.into(), STATE_FLAGS);
    }
    if all {
        if row.is_json() || state.extra_flags.0 != 0 {
            flags(row, "extra_flags", "extra_flag", state.extra_flags.0, EXTRA_FLAGS);
        }
        row.word(Formatted(format_args!("(0x{:08b})", info.flags.0)));
    }
    marks(row, line, state.mark, state.set_mark);
    algorithms(row, view, state);
    if let Some(encap) = &state.encap {
        row.line(line);
        row.object("encap", |row| {
            row.word("encap");
            row.field("type", "type", Named(encap.kind, encap.kind.0.into(), ENCAPS));
            row.field("sport", "sport", encap.sport.get());
            row.field("dport", "dport", encap.dport.get());
            row.field("addr", "addr", Shown(encap.oa, info.family));
        });
    }
    if let Some(address) = state.care_of {
        row.line(line);
        row.field("coa", "coa", Shown(address, info.family));
    }
    if let Some(seconds) = state.last_used {
        row.line(line);
        row.json("lastused", seconds);
        row.word("lastused");
        row.word(Time(seconds));
    }
    replay(row, line, state);
    if let Some(offload) = state.offload {
        row.line(line);
        device(row, names, offload);
    }
    if let Some(number) = state.if_id {
        row.line(line);
        row.field("if_id", "if_id", Hex(number.into()));
    }
    if let Some(bytes) = state.padding {
        row.line(line);
        row.field("tfcpad", "tfcpad", bytes);
    }
    if let Some(direction) = state.direction {
        row.line(line);
        row.field("dir", "dir", if direction.0 == 1 { "in" } else { "out" });
    }
    if info.sel != Selector::default() {
        row.line(line);
        row.object("sel", |row| {
            row.word("sel");
            selector(row, names, view, &info.sel, info.family);
        });
    }
    if all {
        lifetimes(row, line, &info.lft, &info.curlft);
        row.line(line);
        row.word("stats:");
        row.line(line);
        row.object("stats", |row| {
            row.word(" ");
            row.field("replay_window", "replay-window", info.stats.replay_window);
            row.field("replay", "replay", info.stats.replay);
            row.field("failed", "failed", info.stats.integrity_failed);
        });
    }
    if let Some(context) = state.security {
        row.line("\t");
        label(row, context);
    }
    if let Some(hard) = state.hard {
        row.line("\t");
        row.field("hard", "hard", u8::from(hard));
    }
    Ok(())
}

/// Prints a policy; `word` says what became of it.
pub(super) fn policy(
    row: &mut Output,
    names: &Names,
    view: View,
    policy: &PolicyView<'_>,
    word: Option<(&'static str, &'static str)>,
) -> Result<(), Error> {
    let info = &policy.info;
    let [line, _] = view.indent;
    let all = view.all || row.is_json();
    if let Some((key, word)) = word {
        row.yes(key, word);
    }
    selector(row, names, view, &info.sel, Family::UNSPEC);
    if let Some(context) = policy.security {
        row.line("\t");
        label(row, context);
    }
    row.line(line);
    // Policies of sockets are numbered behind the others.
    let (word, of_socket, direction) = match info.dir.0.checked_sub(3) {
        Some(direction) => ("socket", true, Direction(direction)),
        None => ("dir", false, info.dir),
    };
    if of_socket {
        row.json("socket", true);
    }
    row.field("dir", word, Named(direction, direction.0.into(), DIRECTIONS));
    if all || info.action != Action::ALLOW {
        row.field("action", "action", Named(info.action, info.action.0.into(), ACTIONS));
    }
    if all {
        row.field("index", "index", info.index);
    }
    row.field("priority", "priority", info.priority);
    if let Some(kind) = policy.kind {
        row.field("ptype", "ptype", Named(kind, kind.0.into(), KINDS));
    }
    if all {
        row.field("share", "share", Named(info.share, info.share.0.into(), SHARES));
    }
    if all || info.flags.0 != 0 {
        flags(row, "flags", "flag", info.flags.0.into(), POLICY_FLAGS);
    }
    if all {
        row.word(Formatted(format_args!("(0x{:08b})", info.flags.0)));
        lifetimes(row, line, &info.lft, &info.curlft);
    }
    marks(row, line, policy.mark, None);
    if let Some(templates) = policy.templates {
        row.list("tmpl", |row| {
            for template in templates {
                row.entry(|row| print_template(row, view, &template));
            }
        });
    }
    if let Some(offload) = policy.offload {
        row.line(line);
        device(row, names, offload);
    }
    if let Some(number) = policy.if_id {
        row.line(line);
        row.field("if_id", "if_id", Hex(number.into()));
    }
    if let Some(hard) = policy.hard {
        row.line("\t");
        row.field("hard", "hard", u8::from(hard));
    }
    Ok(())
}

fn print_template(row: &mut Output, view: View, template: &Template) {
    let [line, inner] = view.indent;
    let all = view.all || row.is_json();
    row.line(line);
    row.word("tmpl");
    let Template { id, family, saddr, reqid, mode, share, optional, aalgos, ealgos, calgos, .. } = template;
    named(row, view, inner, id, *saddr, *family, *reqid, *mode, false);
    if all || *optional != 0 {
        row.line(inner);
        match optional {
            0 => row.field("level", "level", "required"),
            1 => row.field("level", "level", "use"),
            other => row.field("level", "level", *other),
        }
        if all {
            row.field("share", "share", Named(*share, share.0.into(), SHARES));
        }
    }
    if all {
        row.line(inner);
        for (key, label, mask) in
            [("enc_mask", "enc-mask", ealgos), ("auth_mask", "auth-mask", aalgos), ("comp_mask", "comp-mask", calgos)]
        {
            row.field(key, label, Formatted(format_args!("{mask:08x}")));
        }
    }
}

/// What names a state, and what a template wants of one.
#[allow(clippy::too_many_arguments, reason = "fields that a state and a template have in common")]
fn named(
    row: &mut Output,
    view: View,
    line: &'static str,
    id: &Id,
    saddr: Address,
    family: Family,
    reqid: u32,
    mode: Mode,
    ipsec: bool,
) {
    row.field("src", "src", Shown(saddr, family));
    row.field("dst", "dst", Shown(id.daddr, family));
    row.line(line);
    row.field("proto", "proto", Named(id.proto, id.proto.0.into(), PROTOS));
    let spi = id.spi.get();
    if view.all || ipsec || spi != 0 {
        row.field("spi", "spi", Formatted(format_args!("0x{spi:08x}")));
        if view.all {
            row.glue(Formatted(format_args!("({spi})")));
        }
    }
    row.field("reqid", "reqid", reqid);
    if view.all {
        row.glue(Formatted(format_args!("(0x{reqid:08x})")));
    }
    row.field("mode", "mode", Named(mode, mode.0.into(), MODES));
}

/// Which packets are meant.
pub(super) fn selector(row: &mut Output, names: &Names, view: View, selector: &Selector, family: Family) {
    let family = [selector.family, family, view.family].into_iter().find(|family| *family != Family::UNSPEC);
    let family = family.unwrap_or(Family::UNSPEC);
    for (key, address, length) in
        [("src", selector.saddr, selector.prefixlen_s), ("dst", selector.daddr, selector.prefixlen_d)]
    {
        match family {
            Family::INET => row.field(key, key, Prefix { address: InetAddress(&address.0[..4]), length }),
            Family::INET6 => row.field(key, key, Prefix { address: InetAddress(&address.0), length }),
            _ => row.field(key, key, Formatted(format_args!("{}/{length}", Shown(address, family)))),
        }
    }
    if selector.proto != 0 {
        row.field("proto", "proto", Numbered(selector.proto));
    }
    let (sport, dport) = (selector.sport.get(), selector.dport.get());
    let (from, to) = (selector.sport_mask != 0, selector.dport_mask != 0);
    match selector.proto {
        // ICMP, ICMPv6.
        1 | 58 => {
            ports(row, "type", from, sport);
            ports(row, "code", to, dport);
        }
        // GRE.
        47 if from || to => row.field("key", "key", u32::from(sport) << 16 | u32::from(dport)),
        // The mobility header.
        135 => {
            ports(row, "type", from, sport);
            if to && view.all {
                row.word(Formatted(format_args!("(dport) 0x{:04x}", dport.to_be())));
            }
        }
        _ => {
            ports(row, "sport", from, sport);
            ports(row, "dport", to, dport);
        }
    }
    match u32::try_from(selector.ifindex) {
        Ok(0) | Err(_) => {}
        Ok(index) => row.field("dev", "dev", names.interface(index)),
    }
    if view.all || row.is_json() {
        row.field("uid", "uid", selector.user);
    }
}

fn ports(row: &mut Output, key: &'static str, counts: bool, port: u16) {
    if counts {
        row.field(key, key, port);
    }
}

/// Marks that packets must have, and that they get.
fn marks(row: &mut Output, line: &'static str, mark: Option<Mark>, set: Option<Mark>) {
    if mark.is_some() || set.is_some() {
        row.line(line);
    }
    let mut print = |key, label: &'static str, mark: Mark, masked: bool| {
        row.object(key, |row| {
            row.field("v", label, Hex(mark.v.into()));
            if masked {
                row.json("m", Hex(mark.m.into()));
                row.glue(Formatted(format_args!("/{:#x}", mark.m)));
            }
        });
    };
    if let Some(mark) = mark {
        print("mark", "mark", mark, true);
    }
    if let Some(mark) = set {
        print("output_mark", "output-mark", mark, mark.m != u32::MAX);
    }
}

fn algorithms(row: &mut Output, view: View, state: &StateView<'_>) {
    // The digest stands in two attributes; the longer one says all.
    if let Some((algorithm, key)) = state.auth.filter(|_| state.auth_truncated.is_none()) {
        print_algorithm(row, view, ["auth", "auth"], algorithm.name.text(), algorithm.key_len, key, None);
    }
    if let Some((algorithm, key)) = state.auth_truncated {
        let more = Some(("trunc_len", algorithm.trunc_len));
        print_algorithm(row, view, ["auth_trunc", "auth-trunc"], algorithm.name.text(), algorithm.key_len, key, more);
    }
    if let Some((algorithm, key)) = state.aead {
        let more = Some(("icv_len", algorithm.icv_len));
        print_algorithm(row, view, ["aead", "aead"], algorithm.name.text(), algorithm.key_len, key, more);
    }
    if let Some((algorithm, key)) = state.crypt {
        print_algorithm(row, view, ["enc", "enc"], algorithm.name.text(), algorithm.key_len, key, None);
    }
    if let Some(algorithm) = state.compression {
        let key = SecretBytes::new(&[]);
        print_algorithm(row, view, ["comp", "comp"], algorithm.name.text(), algorithm.key_len, key, None);
    }
}

fn print_algorithm(
    row: &mut Output,
    view: View,
    [key, label]: [&'static str; 2],
    name: Text<'_>,
    bits: u32,
    secret: SecretBytes<'_>,
    more: Option<(&'static str, u32)>,
) {
    row.line(view.indent[0]);
    row.object(key, |row| {
        row.field("name", label, name);
        if view.keys {
            // A compression has none.
            if bits != 0 {
                row.field("key", "", Key(secret));
                if view.all {
                    row.word(Formatted(format_args!("({bits} bits)")));
                }
            }
        } else {
            row.word("<<Keys hidden>>");
        }
        row.json("key_len", bits);
        if let Some((key, number)) = more {
            row.field(key, "", number);
        }
    });
}

fn replay(row: &mut Output, line: &'static str, state: &StateView<'_>) {
    if let Some(replay) = state.replay {
        row.line(line);
        row.object("anti_replay", |row| {
            row.json("seq", replay.seq);
            row.json("oseq", replay.oseq);
            row.json("bitmap", Formatted(format_args!("0x{:08x}", replay.bitmap)));
        });
        row.word(Formatted(format_args!(
            "anti-replay context: seq {:#x}, oseq {:#x}, bitmap 0x{:08x}",
            replay.seq, replay.oseq, replay.bitmap
        )));
    }
    let Some((replay, bitmap)) = state.replay_esn else { return };
    let words = bitmap.chunks_exact(4).map(|word| u32::from_ne_bytes([word[0], word[1], word[2], word[3]]));
    row.line(line);
    row.word("anti-replay esn context:");
    row.line(line);
    row.word(Formatted(format_args!(
        " seq-hi {:#x}, seq {:#x}, oseq-hi {:#x}, oseq {:#x}",
        replay.seq_hi, replay.seq, replay.oseq_hi, replay.oseq
    )));
    row.line(line);
    row.word(Formatted(format_args!(" replay_window {}, bitmap-length {}", replay.replay_window, replay.bmp_len)));
    row.object("anti_replay_esn", |row| {
        row.json("seq_hi", replay.seq_hi);
        row.json("seq", replay.seq);
        row.json("oseq_hi", replay.oseq_hi);
        row.json("oseq", replay.oseq);
        row.json("replay_window", replay.replay_window);
        row.list("bitmap", |row| {
            // The highest word first, eight to a line.
            for (at, word) in words.rev().enumerate() {
                if at.is_multiple_of(8) {
                    row.line(line);
                    row.word("");
                }
                row.item(Formatted(format_args!("{word:08x}")));
            }
        });
    });
}

fn device(row: &mut Output, names: &Names, offload: Offload) {
    let index = u32::try_from(offload.ifindex).unwrap_or(0);
    let inbound = offload.flags.contains(OffloadFlags::INBOUND);
    let mode = if offload.flags.contains(OffloadFlags::PACKET) { "packet" } else { "crypto" };
    row.object("offload", |row| {
        row.json("mode", mode);
        row.word(mode);
        row.word("offload parameters:");
        row.field("dev", "dev", names.interface(index));
        row.field("dir", "dir", if inbound { "in" } else { "out" });
    });
}

fn label(row: &mut Output, (_, text): (SecurityContext, &[u8])) {
    row.field("security_context", "security context", Text::until_nul(text));
}

fn lifetimes(row: &mut Output, line: &'static str, limits: &LifetimeLimits, so_far: &Lifetime) {
    row.line(line);
    row.word("lifetime config:");
    row.object("limits", |row| {
        for (name, keys, soft, hard) in [
            ("bytes", ["byte_soft", "byte_hard"], limits.soft_byte_limit, limits.hard_byte_limit),
            ("packets", ["packet_soft", "packet_hard"], limits.soft_packet_limit, limits.hard_packet_limit),
        ] {
            row.line(line);
            row.word(Formatted(format_args!("  limit: soft {}({name}), hard {}({name})", Limit(soft), Limit(hard))));
            for (key, limit) in keys.into_iter().zip([soft, hard]) {
                if limit != LifetimeLimits::INFINITE {
                    row.json(key, limit);
                }
            }
        }
        for (name, keys, soft, hard) in [
            ("add", ["time_soft", "time_hard"], limits.soft_add_expires_seconds, limits.hard_add_expires_seconds),
            (
                "use",
                ["time_use_soft", "time_use_hard"],
                limits.soft_use_expires_seconds,
                limits.hard_use_expires_seconds,
            ),
        ] {
            row.line(line);
            row.word(Formatted(format_args!("  expire {name}: soft {soft}(sec), hard {hard}(sec)")));
            for (key, limit) in keys.into_iter().zip([soft, hard]) {
                if limit != 0 {
                    row.json(key, limit);
                }
            }
        }
    });
    row.line(line);
    row.word("lifetime current:");
    row.object("current", |row| {
        row.line(line);
        row.word(Formatted(format_args!("  {}(bytes), {}(packets)", so_far.bytes, so_far.packets)));
        row.line(line);
        row.word(Formatted(format_args!("  add {} use {}", Time(so_far.add_time), Time(so_far.use_time))));
        row.json("bytes", so_far.bytes);
        row.json("packets", so_far.packets);
        row.json("add_time", so_far.add_time);
        row.json("use_time", so_far.use_time);
    });
}

/// Names of bits; what has none is a number in hexadecimal.
fn flags(row: &mut Output, key: &'static str, label: &'static str, flags: u32, table: &[(u32, &'static str)]) {
    let known = table.iter().filter(|(bit, _)| flags & bit != 0);
    let rest = table.iter().fold(flags, |rest, (bit, _)| rest & !bit);
    row.word(label);
    row.list(key, |row| {
        known.for_each(|(_, name)| row.item(*name));
        if rest != 0 {
            row.item(Formatted(format_args!("{rest:x}")));
        }
    });
}

/// Names of directions.
pub(super) const DIRECTIONS: &[(Direction, &str)] =
    &[(Direction::IN, "in"), (Direction::OUT, "out"), (Direction::FWD, "fwd")];

/// Names of actions.
pub(super) const ACTIONS: &[(Action, &str)] = &[(Action::ALLOW, "allow"), (Action::BLOCK, "block")];

/// Names of policies' tables.
pub(super) const KINDS: &[(PolicyKind, &str)] = &[(PolicyKind::MAIN, "main"), (PolicyKind::SUB, "sub")];

const SHARES: &[(Share, &str)] =
    &[(Share::ANY, "any"), (Share::SESSION, "session"), (Share::USER, "user"), (Share::UNIQUE, "unique")];

/// What a value is called, or else its number.
pub(super) struct Named<'t, T>(pub(super) T, pub(super) u32, pub(super) &'t [(T, &'static str)]);

impl<T: Copy + PartialEq> Show for Named<'_, T> {
    const KIND: Kind = Kind::Text;

    fn show(&self, bytes: &mut Vec<u8>) {
        match self.2.iter().find(|(value, _)| *value == self.0) {
            Some((_, name)) => bytes.extend_from_slice(name.as_bytes()),
            None => crate::output::decimal(bytes, self.1.into()),
        }
    }
}

/// A transport protocol by its name, as `ip xfrm` has it, or else its number.
pub(super) struct Numbered(pub(super) u8);

impl Show for Numbered {
    const KIND: Kind = Kind::Text;

    fn show(&self, bytes: &mut Vec<u8>) {
        match IpProtocol(self.0).name() {
            Some(name) => bytes.extend_from_slice(name.as_bytes()),
            None => crate::output::decimal(bytes, self.0.into()),
        }
    }
}

/// An address of a family; of another than IP's, what `ip` says.
pub(super) struct Shown(pub(super) Address, pub(super) Family);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.ip(self.1) {
            Some(address) => address.fmt(f),
            None => f.write_str("???"),
        }
    }
}

impl Show for Shown {
    const KIND: Kind = Kind::Plain;

    fn colour(&self) -> crate::output::Colour {
        self.0.ip(self.1).map_or(crate::output::Colour::None, |address| IpAddr::colour(&address))
    }

    fn show(&self, bytes: &mut Vec<u8>) {
        match self.0.ip(self.1) {
            Some(address) => address.show(bytes),
            None => bytes.extend_from_slice(b"???"),
        }
    }
}

/// A key that was asked for.
struct Key<'k>(SecretBytes<'k>);

impl Show for Key<'_> {
    const KIND: Kind = Kind::Plain;

    fn show(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(b"0x");
        for byte in self.0.expose() {
            Formatted(format_args!("{byte:02x}")).show(bytes);
        }
    }
}

/// A limit of bytes or packets.
struct Limit(u64);

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            LifetimeLimits::INFINITE => f.write_str("(INF)"),
            limit => limit.fmt(f),
        }
    }
}

/// Seconds since 1970, as a day and a time of UTC.
struct Time(u64);

impl Show for Time {
    const KIND: Kind = Kind::Plain;

    fn show(&self, bytes: &mut Vec<u8>) {
        Formatted(format_args!("{self}")).show(bytes);
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("-");
        }
        let (mut days, seconds) = (self.0 / 86_400, self.0 % 86_400);
        // The year that day is in, then the month; a kernel's clock is not far from 1970.
        let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let mut year = 1970 + days / 146_097 * 400;
        days %= 146_097;
        while days >= 365 + u64::from(leap(year)) {
            days -= 365 + u64::from(leap(year));
            year += 1;
        }
        let mut month = 1;
        for length in [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30] {
            if days < length {
                break;
            }
            days -= length;
            month += 1;
        }
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year}-{month:02}-{:02} {hour:02}:{minute:02}:{second:02}", days + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_as_date_tells_them() {
        // `date -u -d @N '+%F %T'`.
        for (seconds, expected) in [
            (1, "1970-01-01 00:00:01"),
            (951_782_399, "2000-02-28 23:59:59"),
            (951_782_400, "2000-02-29 00:00:00"),
            (951_868_800, "2000-03-01 00:00:00"),
            (1_735_689_599, "2024-12-31 23:59:59"),
            (4_107_542_400, "2100-03-01 00:00:00"),
            (0, "-"),
        ] {
            assert_eq!(Time(seconds).to_string(), expected);
        }
        assert!(Time(u64::MAX).to_string().ends_with(":15"));
    }
}
