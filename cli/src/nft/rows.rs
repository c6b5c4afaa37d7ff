//! Tables, chains, sets, objects, flowtables and rules, as JSON and in words.

use ringlink::codec::netfilter::nftables::{
    ChainFlags, FlowtableFlags, ObjectType, QuotaFlags, SetFlags, SetPolicy, TableFlags, VerdictCode,
};

use super::decompile::{family, object_name};
use super::json::Json;
use super::print::{Duration, Printer, format, hex, protocol};
use super::ruleset::{Chain, Flowtable, Hooked, Object, ObjectData, Rule, Table};
use super::set::Set;
use super::statement::{scaled, synproxy, synproxy_text};
use super::types::Type;

/// Families by their words.
pub(super) const FAMILIES: [(u8, &str); 6] = [
    (family::IPV4, "ip"),
    (family::IPV6, "ip6"),
    (family::INET, "inet"),
    (family::ARP, "arp"),
    (family::BRIDGE, "bridge"),
    (family::NETDEV, "netdev"),
];

/// A family's word.
pub(super) fn family_name(number: u8) -> &'static str {
    FAMILIES.iter().find(|(family, _)| *family == number).map_or("unknown", |(_, name)| *name)
}

/// Hooks by family and number.
const INET_HOOKS: [&str; 6] = ["prerouting", "input", "forward", "output", "postrouting", "ingress"];
const ARP_HOOKS: [&str; 3] = ["input", "output", "forward"];
const NETDEV_HOOKS: [&str; 2] = ["ingress", "egress"];

/// The hooks of a family, in the order of their numbers.
pub(super) fn hooks(number: u8) -> &'static [&'static str] {
    match number {
        family::ARP => &ARP_HOOKS,
        family::NETDEV => &NETDEV_HOOKS,
        family::INET => &INET_HOOKS,
        _ => &INET_HOOKS[..5],
    }
}

/// Priorities that have names.
const PRIORITIES: &[(&str, i32)] =
    &[("raw", -300), ("mangle", -150), ("dstnat", -100), ("filter", 0), ("security", 50), ("srcnat", 100)];
const BRIDGE_PRIORITIES: &[(&str, i32)] = &[("dstnat", -300), ("filter", -200), ("out", 100), ("srcnat", 300)];

/// The names of priorities in a family.
pub(super) fn priorities(number: u8) -> &'static [(&'static str, i32)] {
    match number {
        family::BRIDGE => BRIDGE_PRIORITIES,
        family::ARP | family::NETDEV => &PRIORITIES[3..4],
        _ => PRIORITIES,
    }
}

/// A priority by the name next to it, where one is near.
fn priority(out: &mut String, number: u8, hook: &str, value: i32) {
    let fits = |name: &str| match name {
        "dstnat" => hook == "prerouting",
        "srcnat" => hook == "postrouting",
        "out" => hook == "output",
        _ => true,
    };
    let near = priorities(number)
        .iter()
        .filter(|(name, base)| fits(name) && (i64::from(value) - i64::from(*base)).abs() <= 10)
        .min_by_key(|(_, base)| (i64::from(value) - i64::from(*base)).abs());
    match near {
        Some((name, base)) if value == *base => out.push_str(name),
        Some((name, base)) if value > *base => format(out, format_args!("{name} + {}", value - base)),
        Some((name, base)) => format(out, format_args!("{name} - {}", base - value)),
        None => format(out, format_args!("{value}")),
    }
}

/// Names in JSON: a lone one as it is.
fn names(out: &mut Json, key: &str, names: &[Box<str>]) {
    out.names(key, names.iter().map(|name| &**name));
}

fn remark(out: &mut Json, comment: Option<&str>) {
    if let Some(comment) = comment {
        out.text("comment", comment);
    }
}

impl Table {
    fn flag_names(&self) -> impl Iterator<Item = &'static str> {
        const FLAGS: [(TableFlags, &str); 3] =
            [(TableFlags::DORMANT, "dormant"), (TableFlags::OWNER, "owner"), (TableFlags::PERSIST, "persist")];
        let flags = self.flags.0;
        FLAGS.into_iter().filter(move |(flag, _)| flags & flag.0 != 0).map(|(_, name)| name)
    }

    pub(super) fn json(&self, out: &mut Json) {
        out.tagged("table", |out| {
            out.text("family", family_name(self.family));
            out.text("name", &self.name);
            out.number("handle", self.handle);
            out.names("flags", self.flag_names());
            remark(out, self.comment.as_deref());
        });
    }

    /// What stands at the beginning of a table's block.
    pub(super) fn head(&self, out: &mut String) {
        format(out, format_args!("table {} {} {{\n", family_name(self.family), self.name));
        let flags: Vec<&str> = self.flag_names().collect();
        if let Some(comment) = &self.comment {
            format(out, format_args!("\tcomment \"{comment}\"\n"));
        }
        if !flags.is_empty() {
            format(out, format_args!("\tflags {}\n", flags.join(",")));
        }
    }
}

impl Hooked {
    fn name(&self, number: u8) -> &'static str {
        let place = usize::try_from(self.number).ok();
        place.and_then(|place| hooks(number).get(place)).copied().unwrap_or("unknown")
    }

    fn policy(&self) -> Option<&'static str> {
        match self.policy {
            Some(VerdictCode::ACCEPT) => Some("accept"),
            Some(VerdictCode::DROP) => Some("drop"),
            _ => None,
        }
    }
}

impl Chain {
    /// Whether it goes with the rule that leads there.
    pub(super) fn is_anonymous(&self) -> bool {
        self.flags.0 & ChainFlags::BINDING.0 != 0
    }

    pub(super) fn json(&self, out: &mut Json) {
        out.tagged("chain", |out| {
            out.text("family", family_name(self.family));
            out.text("table", &self.table);
            out.text("name", &self.name);
            out.number("handle", self.handle);
            remark(out, self.comment.as_deref());
            if let Some(hook) = &self.hook {
                out.text("type", &hook.kind);
                out.text("hook", hook.name(self.family));
                out.key("prio");
                out.signed(hook.priority.into());
                names(out, "dev", &hook.devices);
                if let Some(policy) = hook.policy() {
                    out.text("policy", policy);
                }
                if self.flags.0 & ChainFlags::HW_OFFLOAD.0 != 0 {
                    out.text("flags", "offload");
                }
            }
        });
    }

    /// What stands at the beginning of a chain's block.
    pub(super) fn head(&self, out: &mut String) {
        format(out, format_args!("\tchain {} {{\n", self.name));
        if let Some(comment) = &self.comment {
            format(out, format_args!("\t\tcomment \"{comment}\"\n"));
        }
        if self.hook.is_some() {
            out.push_str("\t\t");
            let mut text = String::new();
            self.hooked(&mut text);
            out.push_str(text.trim_start());
            out.push('\n');
        }
    }

    /// Where it is hooked in, and what becomes of packets at its end.
    pub(super) fn hooked(&self, out: &mut String) {
        let Some(hook) = &self.hook else { return };
        let name = hook.name(self.family);
        format(out, format_args!(" type {} hook {name}", hook.kind));
        match hook.devices.as_slice() {
            [] => {}
            [device] => format(out, format_args!(" device \"{device}\"")),
            devices => format(out, format_args!(" devices = {{ {} }}", devices.join(", "))),
        }
        out.push_str(" priority ");
        priority(out, self.family, name, hook.priority);
        out.push(';');
        if let Some(policy) = hook.policy() {
            format(out, format_args!(" policy {policy};"));
        }
        if self.flags.0 & ChainFlags::HW_OFFLOAD.0 != 0 {
            out.push_str(" flags offload;");
        }
    }
}

impl Set {
    /// `set`, `map` or `meter`.
    pub(super) fn word(&self) -> &'static str {
        match (self.is_map(), self.is_meter()) {
            (true, _) => "map",
            (false, true) => "meter",
            (false, false) => "set",
        }
    }

    fn types(types: &[Type]) -> String {
        types.iter().map(|ty| ty.facts().name).collect::<Vec<_>>().join(" . ")
    }

    fn leads_to(&self) -> String {
        match self.object {
            Some(kind) if self.has(SetFlags::OBJECT) => object_name(kind).to_owned(),
            _ => Self::types(&self.data),
        }
    }

    fn flag_names(&self) -> impl Iterator<Item = &'static str> {
        const FLAGS: [(SetFlags, &str); 4] = [
            (SetFlags::CONSTANT, "constant"),
            (SetFlags::EVAL, "dynamic"),
            (SetFlags::INTERVAL, "interval"),
            (SetFlags::TIMEOUT, "timeout"),
        ];
        let flags = self.flags.0;
        FLAGS.into_iter().filter(move |(flag, _)| flags & flag.0 != 0).map(|(_, name)| name)
    }

    /// The size that was asked for.
    fn told_size(&self) -> Option<u32> {
        self.size.filter(|_| !self.has(SetFlags::CONSTANT))
    }

    fn told_policy(&self) -> Option<&'static str> {
        self.policy.filter(|policy| *policy == SetPolicy::MEMORY && !self.has(SetFlags::CONSTANT)).map(|_| "memory")
    }

    pub(super) fn json(&self, out: &mut Json, printer: Printer<'_>) {
        out.tagged(self.word(), |out| {
            out.text("family", family_name(self.family));
            out.text("name", &self.name);
            out.text("table", &self.table);
            match self.key.as_slice() {
                [one] => out.text("type", one.facts().name),
                fields => {
                    out.key("type");
                    out.list(|out| fields.iter().for_each(|field| out.string(field.facts().name)));
                }
            }
            out.number("handle", self.handle);
            remark(out, self.comment.as_deref());
            if self.is_map() {
                out.text("map", &self.leads_to());
            }
            if let Some(policy) = self.told_policy() {
                out.text("policy", policy);
            }
            if let Some(size) = self.told_size() {
                out.number("size", size);
            }
            let flags: Vec<&str> = self.flag_names().collect();
            if !flags.is_empty() {
                out.key("flags");
                out.list(|out| flags.iter().for_each(|flag| out.string(flag)));
            }
            if let Some(timeout) = self.timeout {
                out.number("timeout", timeout / 1000);
            }
            if let Some(interval) = self.collect {
                out.number("gc-interval", interval / 1000);
            }
            if self.merge {
                out.yes("auto-merge");
            }
            if !self.elements.is_empty() {
                out.key("elem");
                out.list(|out| self.elements.iter().for_each(|element| printer.element_json(out, element)));
            }
            if !self.statements.is_empty() {
                out.key("stmt");
                out.list(|out| self.statements.iter().for_each(|statement| statement.json(out, printer)));
            }
        });
    }

    /// What is said of it, a line each; without its elements.
    fn lines(&self, printer: Printer<'_>) -> Vec<String> {
        let mut first = format!("type {}", Self::types(&self.key));
        if self.is_map() {
            let interval = if self.data_interval { "interval " } else { "" };
            format(&mut first, format_args!(" : {interval}{}", self.leads_to()));
        }
        let mut lines = vec![first];
        lines.extend(self.told_size().map(|size| format!("size {size}")));
        lines.extend(self.told_policy().map(|policy| format!("policy {policy}")));
        let flags: Vec<&str> = self.flag_names().collect();
        if !flags.is_empty() {
            lines.push(format!("flags {}", flags.join(",")));
        }
        if !self.statements.is_empty() {
            let mut line = String::new();
            for (index, statement) in self.statements.iter().enumerate() {
                line.push_str(if index == 0 { "" } else { " " });
                statement.text(&mut line, printer);
            }
            lines.push(line);
        }
        lines.extend(self.timeout.map(|timeout| format!("timeout {}", Duration(timeout))));
        lines.extend(self.collect.map(|interval| format!("gc-interval {}", Duration(interval.into()))));
        lines.extend(self.merge.then(|| "auto-merge".to_owned()));
        lines.extend(self.comment.as_ref().map(|comment| format!("comment \"{comment}\"")));
        lines
    }

    /// What is said of it, on one line.
    pub(super) fn declaration(&self, out: &mut String, printer: Printer<'_>) {
        self.lines(printer).iter().for_each(|line| format(out, format_args!("{line}; ")));
    }

    pub(super) fn text(&self, out: &mut String, printer: Printer<'_>) {
        format(out, format_args!("\t{} {} {{\n", self.word(), self.name));
        self.lines(printer).iter().for_each(|line| format(out, format_args!("\t\t{line}\n")));
        if !self.elements.is_empty() {
            out.push_str("\t\telements = ");
            printer.elements(out, &self.elements, ",\n\t\t\t     ");
            out.push('\n');
        }
        out.push_str("\t}\n");
    }
}

/// States whose times a protocol has, in the order of their numbers from 1 on, with the times that they have by themselves.
fn states(protocol: u8) -> &'static [(&'static str, u32)] {
    const TCP: &[(&str, u32)] = &[
        ("syn_sent", 120),
        ("syn_recv", 60),
        ("established", 432_000),
        ("fin_wait", 120),
        ("close_wait", 60),
        ("last_ack", 30),
        ("time_wait", 120),
        ("close", 10),
        ("syn_sent2", 120),
        ("retrans", 300),
        ("unack", 300),
    ];
    const UDP: &[(&str, u32)] = &[("unreplied", 30), ("replied", 120)];
    match protocol {
        6 => TCP,
        17 | 136 => UDP,
        _ => &[],
    }
}

fn layer(family: u16) -> &'static str {
    u8::try_from(family).map_or("unknown", family_name)
}

/// Protocols of objects: by their numbers where they have no names.
fn transport(number: u8) -> String {
    protocol(number.into()).map_or_else(|| number.to_string(), str::to_owned)
}

impl Object {
    pub(super) fn json(&self, out: &mut Json) {
        out.tagged(object_name(self.kind), |out| {
            out.text("family", family_name(self.family));
            out.text("name", &self.name);
            out.text("table", &self.table);
            out.number("handle", self.handle);
            remark(out, self.comment.as_deref());
            match &self.data {
                ObjectData::Counter { packets, bytes } => {
                    out.number("packets", *packets);
                    out.number("bytes", *bytes);
                }
                ObjectData::Quota { bytes, used, flags } => {
                    out.number("bytes", *bytes);
                    out.number("used", *used);
                    out.key("inv");
                    out.raw(if flags.0 & QuotaFlags::INV.0 != 0 { b"true" } else { b"false" });
                }
                ObjectData::Limit(limit) => limit.object(out),
                ObjectData::CtHelper { helper, protocol, family } => {
                    out.text("type", helper);
                    out.text("protocol", &transport(*protocol));
                    out.text("l3proto", layer(*family));
                }
                ObjectData::CtTimeout { protocol, family, seconds } => {
                    out.text("protocol", &transport(*protocol));
                    out.text("l3proto", layer(*family));
                    out.member("policy", |out| {
                        for (name, time) in own_times(*protocol, seconds) {
                            out.number(name, time);
                        }
                    });
                }
                ObjectData::CtExpect { protocol, family, port, timeout, size } => {
                    out.text("protocol", &transport(*protocol));
                    out.number("dport", *port);
                    out.number("timeout", *timeout);
                    out.number("size", *size);
                    out.text("l3proto", layer(*family));
                }
                ObjectData::Secmark(context) => out.text("context", context),
                ObjectData::Synproxy { mss, scale, flags } => synproxy(out, *mss, *scale, *flags),
                ObjectData::Other(bytes) => out.text("data", &hex(bytes)),
            }
        });
    }

    pub(super) fn text(&self, out: &mut String) {
        format(out, format_args!("\t{} {} {{\n", object_name(self.kind), self.name));
        if let Some(comment) = &self.comment {
            format(out, format_args!("\t\tcomment \"{comment}\"\n"));
        }
        out.push_str("\t\t");
        match &self.data {
            ObjectData::Counter { packets, bytes } => format(out, format_args!("packets {packets} bytes {bytes}")),
            ObjectData::Quota { bytes, used, flags } => {
                let (value, unit) = scaled(*bytes);
                let over = if flags.0 & QuotaFlags::INV.0 != 0 { "over " } else { "" };
                format(out, format_args!("{over}{value} {unit}"));
                if *used != 0 {
                    let (value, unit) = scaled(*used);
                    format(out, format_args!(" used {value} {unit}"));
                }
            }
            ObjectData::Limit(limit) => limit.text(out),
            ObjectData::CtHelper { helper, protocol, family } => {
                let (protocol, family) = (transport(*protocol), layer(*family));
                format(out, format_args!("type \"{helper}\" protocol {protocol}\n\t\tl3proto {family}"));
            }
            ObjectData::CtTimeout { protocol, family, seconds } => {
                format(out, format_args!("protocol {}\n\t\tl3proto {}", transport(*protocol), layer(*family)));
                out.push_str("\n\t\tpolicy = {");
                for (index, (name, time)) in own_times(*protocol, seconds).enumerate() {
                    format(out, format_args!("{} {name} : {time}", if index == 0 { "" } else { "," }));
                }
                out.push_str(" }");
            }
            ObjectData::CtExpect { protocol, family, port, timeout, size } => {
                format(
                    out,
                    format_args!(
                        "protocol {}\n\t\tdport {port}\n\t\ttimeout {}\n\t\tsize {size}\n\t\tl3proto {}",
                        transport(*protocol),
                        Duration((*timeout).into()),
                        layer(*family)
                    ),
                );
            }
            ObjectData::Secmark(context) => format(out, format_args!("\"{context}\"")),
            ObjectData::Synproxy { mss, scale, flags } => {
                let mut text = String::new();
                synproxy_text(&mut text, *mss, *scale, *flags, "\n\t\t");
                out.push_str(text.trim_start());
            }
            ObjectData::Other(bytes) => out.push_str(&hex(bytes)),
        }
        out.push_str("\n\t}\n");
    }

    /// Whether it is of this type.
    pub(super) fn is(&self, kind: ObjectType) -> bool {
        self.kind == kind
    }
}

/// The times that are not what a protocol has by itself.
fn own_times(protocol: u8, seconds: &[(u16, u32)]) -> impl Iterator<Item = (&'static str, u32)> {
    seconds.iter().filter_map(move |(number, time)| {
        let place = usize::from(number.checked_sub(1)?);
        let (name, usual) = states(protocol).get(place)?;
        (time != usual).then_some((*name, *time))
    })
}

impl Flowtable {
    pub(super) fn json(&self, out: &mut Json) {
        out.tagged("flowtable", |out| {
            out.text("family", family_name(self.family));
            out.text("name", &self.name);
            out.text("table", &self.table);
            out.number("handle", self.handle);
            out.text("hook", "ingress");
            out.key("prio");
            out.signed(self.priority.into());
            names(out, "dev", &self.devices);
        });
    }

    pub(super) fn text(&self, out: &mut String) {
        format(out, format_args!("\tflowtable {} {{\n\t\thook ingress priority ", self.name));
        priority(out, family::NETDEV, "ingress", self.priority);
        format(out, format_args!("\n\t\tdevices = {{ {} }}\n", self.devices.join(", ")));
        if self.flags.0 & FlowtableFlags::HW_OFFLOAD.0 != 0 {
            out.push_str("\t\tflags offload\n");
        }
        if self.flags.0 & FlowtableFlags::COUNTER.0 != 0 {
            out.push_str("\t\tcounter\n");
        }
        out.push_str("\t}\n");
    }
}

impl Rule {
    pub(super) fn json(&self, out: &mut Json, printer: Printer<'_>) {
        out.tagged("rule", |out| {
            out.text("family", family_name(self.family));
            out.text("table", &self.table);
            out.text("chain", &self.chain);
            out.number("handle", self.handle);
            remark(out, self.comment.as_deref());
            out.key("expr");
            out.list(|out| self.statements.iter().for_each(|statement| statement.json(out, printer)));
        });
    }

    /// The statements in words, on one line.
    pub(super) fn text(&self, out: &mut String, printer: Printer<'_>) {
        for (index, statement) in self.statements.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { " " });
            statement.text(out, printer);
        }
        if let Some(comment) = &self.comment {
            format(out, format_args!("{}comment \"{comment}\"", if self.statements.is_empty() { "" } else { " " }));
        }
    }
}
