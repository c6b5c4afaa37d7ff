//! Statements: what a rule asks and does, one after the other.

use ringlink::codec::netfilter::nftables::{
    DynsetOp, LimitFlags, LimitType, LogFlags, LogLevel, NatFlags, QueueFlags, QuotaFlags, RejectType, SynproxyFlags,
};

use super::expression::{Element, Kind, Node, Operator, Verdict};
use super::json::Json;
use super::print::{Duration, Printer, format, hex};

/// A statement.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Statement {
    /// Whether the sides are to each other as the operator says.
    Match(&'static str, Node, Node),
    Verdict(Verdict),
    /// What a map leads a key to.
    VerdictMap(Node, Node),
    /// Packets and bytes; none where only that it counts is of interest.
    Counter(Option<[u64; 2]>),
    Quota {
        bytes: u64,
        flags: QuotaFlags,
        used: Option<u64>,
    },
    Limit(Limit),
    /// Milliseconds since the last packet.
    Last(Option<u64>),
    Connections {
        count: u32,
        over: bool,
    },
    /// An object: its kind, its name or the map that leads to it.
    Object(&'static str, Node),
    Log(Log),
    Reject {
        kind: RejectType,
        family: Option<u8>,
        code: Node,
    },
    Nat(Nat),
    Tproxy {
        family: Option<&'static str>,
        address: Option<Node>,
        port: Option<Node>,
    },
    Synproxy {
        mss: Option<u16>,
        scale: Option<u8>,
        flags: SynproxyFlags,
    },
    Queue {
        number: Node,
        flags: QueueFlags,
    },
    Duplicate {
        address: Option<Node>,
        device: Option<Node>,
    },
    Forward {
        device: Option<Node>,
        family: Option<&'static str>,
        address: Option<Node>,
    },
    Notrack,
    Flow(Box<str>),
    Set(Box<Update>),
    Meter {
        name: Box<str>,
        size: u32,
        update: Box<Update>,
    },
    Mangle(Node, Node),
    /// A TCP option taken out.
    Reset(Node),
    /// What iptables has: a target or a match, by its name.
    Compat {
        target: bool,
        name: Box<str>,
    },
    /// A chain that belongs to the rule: the word that leads there, and its rules.
    Chain(&'static str, Vec<Vec<Statement>>),
    /// What this program does not know, by its name, with its bytes; or what could not be read, and why.
    Unknown {
        name: Box<str>,
        bytes: Box<[u8]>,
        error: Option<Box<str>>,
    },
}

/// How much may pass.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Limit {
    pub(super) rate: u64,
    /// Seconds.
    pub(super) unit: u64,
    pub(super) burst: u32,
    pub(super) kind: LimitType,
    pub(super) flags: LimitFlags,
}

/// What is told of a packet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Log {
    pub(super) prefix: Option<Box<str>>,
    pub(super) group: Option<u16>,
    pub(super) snaplen: Option<u32>,
    pub(super) threshold: Option<u16>,
    pub(super) level: Option<LogLevel>,
    pub(super) flags: LogFlags,
}

/// Another address.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Nat {
    pub(super) word: &'static str,
    /// The family, where it is to be said.
    pub(super) family: Option<&'static str>,
    pub(super) address: Option<Node>,
    pub(super) port: Option<Node>,
    pub(super) flags: NatFlags,
    /// What the map leads to: an address and a port, an interval, a prefix.
    pub(super) shape: Option<&'static str>,
}

/// An element put into a set, or taken out.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Update {
    pub(super) operation: DynsetOp,
    pub(super) set: Box<str>,
    pub(super) element: Element,
}

impl Statement {
    /// A statement in JSON.
    pub(super) fn json(&self, out: &mut Json, printer: Printer<'_>) {
        match self {
            Self::Verdict(verdict) => {
                printer.json(out, &Node::of(Kind::Verdict(verdict.clone()), super::types::Type::VERDICT))
            }
            _ => out.object(|out| self.member(out, printer)),
        }
    }

    /// The member's name, which says what kind of statement it is.
    pub(super) fn word(&self) -> &'static str {
        match self {
            Self::Match(..) => "match",
            Self::Verdict(_) => "verdict",
            Self::VerdictMap(..) => "vmap",
            Self::Counter(_) => "counter",
            Self::Quota { .. } => "quota",
            Self::Limit(_) => "limit",
            Self::Last(_) => "last",
            Self::Connections { .. } => "ct count",
            Self::Object(word, _) => word,
            Self::Log(_) => "log",
            Self::Reject { .. } => "reject",
            Self::Nat(nat) => nat.word,
            Self::Tproxy { .. } => "tproxy",
            Self::Synproxy { .. } => "synproxy",
            Self::Queue { .. } => "queue",
            Self::Duplicate { .. } => "dup",
            Self::Forward { .. } => "fwd",
            Self::Notrack => "notrack",
            Self::Flow(_) => "flow",
            Self::Set(update) if update.element.data.is_some() => "map",
            Self::Set(_) => "set",
            Self::Meter { .. } => "meter",
            Self::Mangle(..) => "mangle",
            Self::Reset(_) => "reset",
            Self::Compat { .. } => "xt",
            Self::Chain(word, _) => word,
            Self::Unknown { .. } => "unknown",
        }
    }

    /// A statement in JSON, as a member of an object.
    pub(super) fn member(&self, out: &mut Json, printer: Printer<'_>) {
        let word = self.word();
        let node = |out: &mut Json, key: &str, node: &Node| {
            out.key(key);
            printer.json(out, node);
        };
        let some = |out: &mut Json, key: &str, value: &Option<Node>| {
            if let Some(value) = value {
                node(out, key, value);
            }
        };
        match self {
            Self::Match(operator, left, right) => out.member(word, |out| {
                out.text("op", operator);
                node(out, "left", left);
                node(out, "right", right);
            }),
            Self::Verdict(Verdict::Word(word)) => null(out, word),
            Self::Verdict(verdict) => {
                node(out, word, &Node::of(Kind::Verdict(verdict.clone()), super::types::Type::VERDICT));
            }
            Self::VerdictMap(key, data) => out.member(word, |out| {
                node(out, "key", key);
                node(out, "data", data);
            }),
            Self::Counter(Some([packets, bytes])) => out.member(word, |out| {
                out.number("packets", *packets);
                out.number("bytes", *bytes);
            }),
            Self::Counter(None) | Self::Last(None) | Self::Notrack => null(out, word),
            Self::Last(Some(ago)) => out.member(word, |out| out.number("used", *ago)),
            Self::Quota { bytes, flags, used } => out.member(word, |out| {
                let (value, unit) = scaled(*bytes);
                out.number("val", value);
                out.text("val_unit", unit);
                if flags.0 & QuotaFlags::INV.0 != 0 {
                    out.yes("inv");
                }
                if let Some(used) = used.filter(|used| *used != 0) {
                    let (value, unit) = scaled(used);
                    out.number("used", value);
                    out.text("used_unit", unit);
                }
            }),
            Self::Limit(limit) => out.member(word, |out| {
                let ((rate, rate_unit), (burst, burst_unit)) = limit.numbers();
                out.number("rate", rate);
                out.number("burst", burst);
                out.text("per", limit.per());
                if limit.over() {
                    out.yes("inv");
                }
                if let Some(unit) = rate_unit {
                    out.text("rate_unit", unit);
                }
                if let Some(unit) = burst_unit {
                    out.text("burst_unit", unit);
                }
            }),
            Self::Connections { count, over } => out.member(word, |out| {
                out.number("val", *count);
                if *over {
                    out.yes("inv");
                }
            }),
            Self::Object(_, name) => node(out, word, name),
            Self::Log(log) => log.member(out, word),
            Self::Reject { kind, family, code } => out.member(word, |out| {
                out.text("type", reject_type(*kind, *family));
                if *kind != RejectType::TCP_RST {
                    node(out, "expr", code);
                }
            }),
            Self::Nat(nat) => {
                let Nat { family, address, port, flags, shape, .. } = nat;
                let flags: Vec<&str> = nat_flags(*flags).collect();
                if family.is_none() && address.is_none() && port.is_none() && flags.is_empty() && shape.is_none() {
                    return null(out, word);
                }
                out.member(word, |out| {
                    if let Some(family) = family {
                        out.text("family", family);
                    }
                    some(out, "addr", address);
                    some(out, "port", port);
                    out.names("flags", flags);
                    if let Some(shape) = shape {
                        out.text("type_flags", shape);
                    }
                });
            }
            Self::Tproxy { family, address, port } => out.member(word, |out| {
                if let Some(family) = family {
                    out.text("family", family);
                }
                some(out, "addr", address);
                some(out, "port", port);
            }),
            Self::Synproxy { mss, scale, flags } => out.member(word, |out| synproxy(out, *mss, *scale, *flags)),
            Self::Queue { number, flags } => out.member(word, |out| {
                node(out, "num", number);
                out.names("flags", queue_flags(*flags));
            }),
            Self::Duplicate { address, device } => out.member(word, |out| {
                // Where there is no address, nft has the device in its place.
                some(out, "addr", if address.is_some() { address } else { device });
                if address.is_some() {
                    some(out, "dev", device);
                }
            }),
            Self::Forward { device, family, address } => out.member(word, |out| {
                some(out, "dev", device);
                if let Some(family) = family {
                    out.text("family", family);
                }
                some(out, "addr", address);
            }),
            Self::Flow(name) => out.member(word, |out| {
                out.text("op", "add");
                out.text("flowtable", &format!("@{name}"));
            }),
            Self::Set(update) => out.member(word, |out| {
                let Update { operation, set, element } = &**update;
                out.text("op", operation_name(*operation));
                out.key("elem");
                key_json(out, element, printer);
                if let Some(data) = &element.data {
                    node(out, "data", data);
                }
                out.text(word, &format!("@{set}"));
                if !element.statements.is_empty() {
                    out.key("stmt");
                    out.list(|out| element.statements.iter().for_each(|statement| statement.json(out, printer)));
                }
            }),
            Self::Meter { name, size, update } => out.member(word, |out| {
                out.key("key");
                key_json(out, &update.element, printer);
                if let Some(statement) = update.element.statements.first() {
                    out.key("stmt");
                    statement.json(out, printer);
                }
                out.number("size", *size);
                out.text("name", name);
            }),
            Self::Mangle(key, value) => out.member(word, |out| {
                node(out, "key", key);
                node(out, "value", value);
            }),
            Self::Reset(option) => node(out, word, option),
            Self::Compat { target, name } => out.member(word, |out| {
                out.text("type", if *target { "target" } else { "match" });
                out.text("name", name);
            }),
            Self::Chain(_, rules) => out.member(word, |out| {
                out.key("chain");
                out.list(|out| {
                    for rule in rules {
                        out.list(|out| rule.iter().for_each(|statement| statement.json(out, printer)));
                    }
                });
            }),
            Self::Unknown { name, bytes, error } => out.member(word, |out| {
                out.text("name", name);
                out.text("bytes", &hex(bytes));
                if let Some(error) = error {
                    out.text("error", error);
                }
            }),
        }
    }

    /// A statement in words.
    pub(super) fn text(&self, out: &mut String, printer: Printer<'_>) {
        let node = |out: &mut String, node: &Node| printer.text(out, node);
        match self {
            Self::Match(operator, left, right) => matched(out, printer, operator, left, right),
            Self::Verdict(verdict) => {
                node(out, &Node::of(Kind::Verdict(verdict.clone()), super::types::Type::VERDICT));
            }
            Self::VerdictMap(key, data) => {
                node(out, key);
                out.push_str(" vmap ");
                node(out, data);
            }
            Self::Counter(None) => out.push_str("counter"),
            Self::Counter(Some([packets, bytes])) => {
                format(out, format_args!("counter packets {packets} bytes {bytes}"));
            }
            Self::Last(None) => out.push_str("last"),
            Self::Last(Some(ago)) => format(out, format_args!("last used {}", Duration(*ago))),
            Self::Quota { bytes, flags, used } => {
                let (value, unit) = scaled(*bytes);
                let over = if flags.0 & QuotaFlags::INV.0 != 0 { "over " } else { "" };
                format(out, format_args!("quota {over}{value} {unit}"));
                if let Some(used) = used.filter(|used| *used != 0) {
                    let (value, unit) = scaled(used);
                    format(out, format_args!(" used {value} {unit}"));
                }
            }
            Self::Limit(limit) => {
                out.push_str("limit ");
                limit.text(out);
            }
            Self::Connections { count, over } => {
                format(out, format_args!("ct count {}{count}", if *over { "over " } else { "" }));
            }
            Self::Object(word, name) => {
                format(out, format_args!("{word} {} ", if word.starts_with("ct ") { "set" } else { "name" }));
                node(out, name);
            }
            Self::Log(log) => log.text(out),
            Self::Reject { kind, family, code } => reject(out, printer, *kind, *family, code),
            Self::Nat(nat) => nat.text(out, printer),
            Self::Tproxy { family, address, port } => {
                out.push_str("tproxy ");
                destination(out, printer, *family, address.as_ref(), port.as_ref());
            }
            Self::Synproxy { mss, scale, flags } => {
                out.push_str("synproxy");
                synproxy_text(out, *mss, *scale, *flags, " ");
            }
            Self::Queue { number, flags } => {
                out.push_str("queue");
                let names: Vec<&str> = queue_flags(*flags).collect();
                if !names.is_empty() {
                    format(out, format_args!(" flags {}", names.join(",")));
                }
                out.push_str(" to ");
                node(out, number);
            }
            Self::Duplicate { address, device } => {
                out.push_str("dup to ");
                if let Some(address) = address {
                    node(out, address);
                }
                if let Some(device) = device {
                    out.push_str(if address.is_some() { " device " } else { "" });
                    node(out, device);
                }
            }
            Self::Forward { device, family, address } => {
                out.push_str("fwd ");
                if let (Some(family), Some(address)) = (family, address) {
                    format(out, format_args!("{family} to "));
                    node(out, address);
                    out.push_str(" device ");
                } else {
                    out.push_str("to ");
                }
                if let Some(device) = device {
                    node(out, device);
                }
            }
            Self::Notrack => out.push_str("notrack"),
            Self::Flow(name) => format(out, format_args!("flow add @{name}")),
            Self::Set(update) => {
                let Update { operation, set, element } = &**update;
                format(out, format_args!("{} @{set} ", operation_name(*operation)));
                printer.elements(out, std::slice::from_ref(element), "");
            }
            Self::Meter { name, size, update } => {
                format(out, format_args!("meter {name} size {size} "));
                printer.elements(out, std::slice::from_ref(&update.element), "");
            }
            Self::Mangle(key, value) => {
                node(out, key);
                out.push_str(" set ");
                node(out, value);
            }
            Self::Reset(option) => {
                out.push_str("reset ");
                node(out, option);
            }
            Self::Compat { target, name } => {
                format(out, format_args!("xt {} \"{name}\"", if *target { "target" } else { "match" }));
            }
            Self::Chain(word, rules) => {
                format(out, format_args!("{word} {{ "));
                for rule in rules {
                    rule.iter().for_each(|statement| {
                        statement.text(out, printer);
                        out.push(' ');
                    });
                    out.push_str("; ");
                }
                out.push('}');
            }
            Self::Unknown { name, bytes, error } => {
                format(out, format_args!("unknown {name} {}", hex(bytes)));
                if let Some(error) = error {
                    format(out, format_args!(" ({error})"));
                }
            }
        }
    }
}

fn null(out: &mut Json, word: &str) {
    out.key(word);
    out.raw(b"null");
}

/// A key that is put into a set, with its time but without its statements, which stand elsewhere.
fn key_json(out: &mut Json, element: &Element, printer: Printer<'_>) {
    let key =
        Element { data: None, statements: Vec::new(), key: element.key.clone(), comment: None, ..element.clone() };
    printer.element_json(out, &key);
}

fn matched(out: &mut String, printer: Printer<'_>, operator: &str, left: &Node, right: &Node) {
    let sign = match operator {
        "==" if matches!(left.kind, Kind::Binary(..)) => "== ",
        "==" | "in" => "",
        "!" => "! ",
        other => other,
    };
    if let (Kind::Binary(Operator::And, sides), true) = (&left.kind, left.ty.has_flags() && sign.len() <= 3) {
        // Some of several flags: `tcp flags syn / syn,ack`.
        printer.text(out, &sides[0]);
        out.push_str(if operator == "!=" { " != " } else { " " });
        printer.text(out, right);
        out.push_str(" / ");
        return printer.text(out, &sides[1]);
    }
    printer.text(out, left);
    out.push(' ');
    out.push_str(sign.trim_end());
    if !sign.is_empty() {
        out.push(' ');
    }
    printer.text(out, right);
}

fn operation_name(operation: DynsetOp) -> &'static str {
    match operation {
        DynsetOp::ADD => "add",
        DynsetOp::UPDATE => "update",
        DynsetOp::DELETE => "delete",
        _ => "unknown",
    }
}

/// A number of bytes in the largest unit that says it without a rest.
pub(super) fn scaled(bytes: u64) -> (u64, &'static str) {
    const UNITS: [&str; 3] = ["bytes", "kbytes", "mbytes"];
    let (mut value, mut unit) = (bytes, 0);
    while unit < 2 && value != 0 && value.is_multiple_of(1024) {
        value /= 1024;
        unit += 1;
    }
    (value, UNITS[unit])
}

/// A number with its unit, where it has one.
type Scaled = (u64, Option<&'static str>);

impl Limit {
    fn numbers(&self) -> (Scaled, Scaled) {
        let burst = u64::from(self.burst);
        if self.kind == LimitType::PKT_BYTES {
            let scale = |number| {
                let (value, unit) = scaled(number);
                (value, Some(unit))
            };
            (scale(self.rate), scale(burst))
        } else {
            ((self.rate, None), (burst, None))
        }
    }

    fn over(&self) -> bool {
        self.flags.0 & LimitFlags::INV.0 != 0
    }

    fn per(&self) -> &'static str {
        match self.unit {
            1 => "second",
            60 => "minute",
            3600 => "hour",
            86_400 => "day",
            604_800 => "week",
            _ => "error",
        }
    }

    /// As an object's members.
    pub(super) fn object(&self, out: &mut Json) {
        let ((rate, rate_unit), (burst, burst_unit)) = self.numbers();
        out.number("rate", rate);
        out.text("per", self.per());
        if let Some(unit) = rate_unit {
            out.text("rate_unit", unit);
        }
        if self.over() {
            out.yes("inv");
        }
        if burst != 0 {
            out.number("burst", burst);
            if let Some(unit) = burst_unit {
                out.text("burst_unit", unit);
            }
        }
    }

    /// In words.
    pub(super) fn text(&self, out: &mut String) {
        let ((rate, rate_unit), (burst, burst_unit)) = self.numbers();
        format(out, format_args!("rate {}{rate}", if self.over() { "over " } else { "" }));
        if let Some(unit) = rate_unit {
            format(out, format_args!(" {unit}"));
        }
        format(out, format_args!("/{}", self.per()));
        // 5 packets are what is meant when nothing is said, and no bytes.
        let usual = if burst_unit.is_some() { 0 } else { 5 };
        if burst != usual {
            format(out, format_args!(" burst {burst} {}", burst_unit.unwrap_or("packets")));
        }
    }
}

const LOG_FLAGS: [(LogFlags, &str); 5] = [
    (LogFlags::TCPSEQ, "tcp sequence"),
    (LogFlags::TCPOPT, "tcp options"),
    (LogFlags::IPOPT, "ip options"),
    (LogFlags::UID, "skuid"),
    (LogFlags::MACDECODE, "ether"),
];

/// All of them, which has a word of its own.
const ALL_LOG_FLAGS: u32 = 0x2f;

fn level_name(level: LogLevel) -> &'static str {
    const LEVELS: [&str; 9] = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit"];
    usize::try_from(level.0).ok().and_then(|level| LEVELS.get(level)).copied().unwrap_or("unknown")
}

impl Log {
    fn flag_names(&self) -> Vec<&'static str> {
        match self.flags.0 & ALL_LOG_FLAGS {
            ALL_LOG_FLAGS => vec!["all"],
            flags => LOG_FLAGS.iter().filter(|(flag, _)| flags & flag.0 != 0).map(|(_, name)| *name).collect(),
        }
    }

    /// The level, where it is not the usual one.
    fn unusual_level(&self) -> Option<LogLevel> {
        self.level.filter(|level| *level != LogLevel::WARNING)
    }

    fn member(&self, out: &mut Json, word: &str) {
        let Self { prefix, group, snaplen, threshold, .. } = self;
        let (level, flags) = (self.unusual_level(), self.flag_names());
        if prefix.is_none()
            && group.is_none()
            && snaplen.is_none()
            && threshold.is_none()
            && level.is_none()
            && flags.is_empty()
        {
            return null(out, word);
        }
        out.member(word, |out| {
            if let Some(prefix) = prefix {
                out.text("prefix", prefix);
            }
            if let Some(group) = group {
                out.number("group", *group);
            }
            if let Some(snaplen) = snaplen {
                out.number("snaplen", *snaplen);
            }
            if let Some(threshold) = threshold {
                out.number("queue-threshold", *threshold);
            }
            if let Some(level) = level {
                out.text("level", level_name(level));
            }
            out.names("flags", flags);
        });
    }

    fn text(&self, out: &mut String) {
        let Self { prefix, group, snaplen, threshold, .. } = self;
        out.push_str("log");
        if let Some(prefix) = prefix {
            format(out, format_args!(" prefix \"{prefix}\""));
        }
        if let Some(group) = group {
            format(out, format_args!(" group {group}"));
        }
        if let Some(snaplen) = snaplen {
            format(out, format_args!(" snaplen {snaplen}"));
        }
        if let Some(threshold) = threshold {
            format(out, format_args!(" queue-threshold {threshold}"));
        }
        if let Some(level) = self.unusual_level() {
            format(out, format_args!(" level {}", level_name(level)));
        }
        if self.flags.0 & ALL_LOG_FLAGS == ALL_LOG_FLAGS {
            return out.push_str(" flags all");
        }
        let has = |flag: LogFlags| self.flags.0 & flag.0 != 0;
        match (has(LogFlags::TCPSEQ), has(LogFlags::TCPOPT)) {
            (true, true) => out.push_str(" flags tcp sequence,options"),
            (true, false) => out.push_str(" flags tcp sequence"),
            (false, true) => out.push_str(" flags tcp options"),
            (false, false) => {}
        }
        for (flag, name) in LOG_FLAGS.iter().skip(2) {
            if has(*flag) {
                format(out, format_args!(" flags {name}"));
            }
        }
    }
}

fn reject_type(kind: RejectType, family: Option<u8>) -> &'static str {
    match (kind, family) {
        (RejectType::TCP_RST, _) => "tcp reset",
        (RejectType::ICMPX_UNREACH, _) => "icmpx",
        (_, Some(10)) => "icmpv6",
        _ => "icmp",
    }
}

fn reject(out: &mut String, printer: Printer<'_>, kind: RejectType, family: Option<u8>, code: &Node) {
    out.push_str("reject");
    let word = reject_type(kind, family);
    // A port that cannot be reached is what is meant when nothing is said.
    let usual = match word {
        "icmp" => Some(3),
        "icmpv6" => Some(4),
        "icmpx" => Some(1),
        _ => None,
    };
    if kind == RejectType::TCP_RST {
        out.push_str(" with tcp reset");
    } else if code.as_number() != usual {
        format(out, format_args!(" with {word} "));
        printer.text(out, code);
    }
}

fn nat_flags(flags: NatFlags) -> impl Iterator<Item = &'static str> {
    const FLAGS: [(NatFlags, &str); 4] = [
        (NatFlags::PROTO_RANDOM, "random"),
        (NatFlags::PROTO_RANDOM_FULLY, "fully-random"),
        (NatFlags::PERSISTENT, "persistent"),
        (NatFlags::NETMAP, "netmap"),
    ];
    FLAGS.into_iter().filter(move |(flag, _)| flags.0 & flag.0 != 0).map(|(_, name)| name)
}

impl Nat {
    fn text(&self, out: &mut String, printer: Printer<'_>) {
        out.push_str(self.word);
        if self.family.is_some() || self.address.is_some() || self.port.is_some() {
            out.push(' ');
            let shape = match (self.shape, self.address.as_ref().map(|address| &address.kind)) {
                (Some("prefix"), _) => "prefix ",
                (Some("interval"), Some(Kind::Map(_))) => "interval ",
                (Some("concat"), _) => "addr . port ",
                _ => "",
            };
            if let Some(family) = self.family {
                format(out, format_args!("{family} "));
            }
            out.push_str(shape);
            destination(out, printer, None, self.address.as_ref(), self.port.as_ref());
        }
        let flags: Vec<&str> = nat_flags(self.flags).filter(|flag| *flag != "netmap").collect();
        if !flags.is_empty() {
            format(out, format_args!(" {}", flags.join(",")));
        }
    }
}

fn destination(
    out: &mut String,
    printer: Printer<'_>,
    family: Option<&str>,
    address: Option<&Node>,
    port: Option<&Node>,
) {
    if let Some(family) = family {
        format(out, format_args!("{family} "));
    }
    out.push_str("to ");
    if let Some(address) = address {
        let brackets = port.is_some() && address.ty == super::types::Type::IPV6;
        if brackets {
            out.push('[');
        }
        printer.text(out, address);
        if brackets {
            out.push(']');
        }
    }
    if let Some(port) = port {
        out.push(':');
        printer.text(out, port);
    }
}

fn queue_flags(flags: QueueFlags) -> impl Iterator<Item = &'static str> {
    const FLAGS: [(QueueFlags, &str); 2] = [(QueueFlags::BYPASS, "bypass"), (QueueFlags::CPU_FANOUT, "fanout")];
    FLAGS.into_iter().filter(move |(flag, _)| flags.0 & flag.0 != 0).map(|(_, name)| name)
}

fn synproxy_flags(flags: SynproxyFlags) -> impl Iterator<Item = &'static str> {
    const FLAGS: [(SynproxyFlags, &str); 2] =
        [(SynproxyFlags::TIMESTAMP, "timestamp"), (SynproxyFlags::SACK_PERM, "sack-perm")];
    FLAGS.into_iter().filter(move |(flag, _)| flags.0 & flag.0 != 0).map(|(_, name)| name)
}

/// The members of what answers handshakes.
pub(super) fn synproxy(out: &mut Json, mss: Option<u16>, scale: Option<u8>, flags: SynproxyFlags) {
    if let Some(mss) = mss {
        out.number("mss", mss);
    }
    if let Some(scale) = scale {
        out.number("wscale", scale);
    }
    out.names("flags", synproxy_flags(flags));
}

/// The same in words, with `before` before each.
pub(super) fn synproxy_text(out: &mut String, mss: Option<u16>, scale: Option<u8>, flags: SynproxyFlags, before: &str) {
    if let Some(mss) = mss {
        format(out, format_args!("{before}mss {mss}"));
    }
    if let Some(scale) = scale {
        format(out, format_args!("{before}wscale {scale}"));
    }
    let names: Vec<&str> = synproxy_flags(flags).collect();
    if !names.is_empty() {
        format(out, format_args!("{before}{}", names.join(" ")));
    }
}
