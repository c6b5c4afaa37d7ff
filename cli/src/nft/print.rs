//! Expressions in JSON as `nft -j` writes them (libnftables-json(5)), and in `nft`'s own words.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use ringlink::codec::Text;
use ringlink::codec::netfilter::nftables::{
    CtDirection, CtKey, FibFlags, FibResult, MetaKey, RtKey, SocketKey, XfrmKey,
};

use super::expression::{Element, Extension, Kind, Node, Of, Operator, Payload, Verdict};
use super::json::Json;
use super::types::{Style, Type, ahead};
use crate::names::Names;
use crate::output::Show;
use crate::rule::IpProtocol;

/// Writes expressions.
#[derive(Clone, Copy)]
pub(super) struct Printer<'n> {
    pub(super) names: &'n Names,
}

impl Printer<'_> {
    /// An expression in JSON.
    pub(super) fn json(self, out: &mut Json, node: &Node) {
        match &node.kind {
            Kind::Value(number) => self.value_json(out, *number, node),
            Kind::Bytes(bytes) => out.string(&hex(bytes)),
            Kind::Text(text, open) => {
                let mut text = String::from_utf8_lossy(text).into_owned();
                if *open {
                    text.push('*');
                }
                out.string(&text);
            }
            Kind::Prefix(address, length) => out.tagged("prefix", |out| {
                out.key("addr");
                self.json(out, address);
                out.number("len", *length);
            }),
            Kind::Range(ends) => {
                out.only("range", |out| out.list(|out| ends.iter().for_each(|end| self.json(out, end))))
            }
            Kind::Concat(parts) => {
                out.only("concat", |out| out.list(|out| parts.iter().for_each(|part| self.json(out, part))));
            }
            Kind::List(parts) => match parts.as_slice() {
                [part] => self.json(out, part),
                parts => out.list(|out| parts.iter().for_each(|part| self.json(out, part))),
            },
            Kind::Set(elements) => {
                out.only("set", |out| {
                    out.list(|out| elements.iter().for_each(|element| self.element_json(out, element)))
                });
            }
            Kind::Reference(name) => out.string(&format!("@{name}")),
            Kind::Map(sides) => out.tagged("map", |out| {
                let [key, data] = &**sides;
                out.key("key");
                self.json(out, key);
                out.key("data");
                self.json(out, data);
            }),
            Kind::Binary(operator, sides) => out.only(operator.text(), |out| {
                out.list(|out| {
                    let [left, right] = &**sides;
                    self.json(out, left);
                    self.json(out, right);
                });
            }),
            Kind::Verdict(verdict) => verdict_json(out, verdict),
            Kind::Object(name) => out.string(name),
            Kind::Any => out.string("*"),
            Kind::Payload(payload) => payload_json(out, payload),
            Kind::Extension(extension) => extension_json(out, extension),
            Kind::Meta(key) => out.tagged("meta", |out| out.text("key", &meta_name(*key))),
            Kind::Ct(key, direction) => out.tagged("ct", |out| {
                out.text("key", &ct_name(*key));
                if let Some(direction) = direction {
                    out.text("dir", direction_name(*direction));
                }
            }),
            Kind::Fib(result, flags) => out.tagged("fib", |out| {
                out.text("result", fib_result(*result));
                out.key("flags");
                out.list(|out| fib_flags(*flags).for_each(|flag| out.string(flag)));
            }),
            Kind::Rt(key) => out.tagged("rt", |out| {
                out.text("key", rt_name(*key));
                match *key {
                    RtKey::NEXTHOP4 => out.text("family", "ip"),
                    RtKey::NEXTHOP6 => out.text("family", "ip6"),
                    _ => {}
                }
            }),
            Kind::Socket(key, level) => out.tagged("socket", |out| {
                out.text("key", socket_name(*key));
                if *key == SocketKey::CGROUPV2 {
                    out.number("level", *level);
                }
            }),
            Kind::Osf { version, ttl } => out.tagged("osf", |out| {
                out.text("key", if *version { "version" } else { "name" });
                if let Some(ttl) = osf_ttl(*ttl) {
                    out.text("ttl", ttl);
                }
            }),
            Kind::Numgen { random, modulus, offset } => out.tagged("numgen", |out| {
                out.text("mode", if *random { "random" } else { "inc" });
                out.number("mod", *modulus);
                out.number("offset", *offset);
            }),
            Kind::Hash { source, modulus, seed, offset } => {
                out.tagged(if source.is_some() { "jhash" } else { "symhash" }, |out| {
                    out.number("mod", *modulus);
                    if let Some(seed) = seed {
                        out.number("seed", *seed);
                    }
                    if *offset != 0 {
                        out.number("offset", *offset);
                    }
                    if let Some(source) = source {
                        out.key("expr");
                        self.json(out, source);
                    }
                });
            }
            Kind::Xfrm { key, out: outwards, number } => out.tagged("ipsec", |out| {
                let (name, family) = xfrm_name(*key);
                out.text("key", name);
                if let Some(family) = family {
                    out.text("family", family);
                }
                out.text("dir", if *outwards { "out" } else { "in" });
                out.number("spnum", *number);
            }),
            Kind::Tunnel { id } => out.tagged("tunnel", |out| out.text("key", if *id { "id" } else { "path" })),
        }
    }

    /// An expression in words.
    pub(super) fn text(self, out: &mut String, node: &Node) {
        match &node.kind {
            Kind::Value(number) => self.value_text(out, *number, node),
            Kind::Bytes(bytes) => out.push_str(&hex(bytes)),
            Kind::Text(text, open) => {
                out.push('"');
                out.push_str(&String::from_utf8_lossy(text).replace(char::is_control, "?"));
                out.push_str(if *open { "*\"" } else { "\"" });
            }
            Kind::Prefix(address, length) => {
                self.text(out, address);
                format(out, format_args!("/{length}"));
            }
            Kind::Range(ends) => self.joined(out, &**ends, "-"),
            Kind::Concat(parts) => self.joined(out, parts, " . "),
            Kind::List(parts) => self.joined(out, parts, ","),
            Kind::Set(elements) => self.elements(out, elements, ", "),
            Kind::Reference(name) => format(out, format_args!("@{name}")),
            Kind::Map(sides) => {
                let [key, data] = &**sides;
                self.text(out, key);
                out.push_str(" map ");
                self.text(out, data);
            }
            Kind::Binary(operator, sides) => {
                let [left, right] = &**sides;
                self.text(out, left);
                format(out, format_args!(" {} ", operator.text()));
                let bare = right.as_number().filter(|_| matches!(operator, Operator::Left | Operator::Right));
                match (bare, &right.kind) {
                    (Some(number), _) => format(out, format_args!("{number}")),
                    (None, Kind::List(parts)) => {
                        out.push('(');
                        self.joined(out, parts, " | ");
                        out.push(')');
                    }
                    (None, Kind::Binary(..)) => {
                        out.push('(');
                        self.text(out, right);
                        out.push(')');
                    }
                    _ => self.text(out, right),
                }
            }
            Kind::Verdict(verdict) => verdict_text(out, verdict),
            Kind::Object(name) => format(out, format_args!("\"{name}\"")),
            Kind::Any => out.push('*'),
            Kind::Payload(payload) => payload_text(out, payload),
            Kind::Extension(extension) => extension_text(out, extension),
            Kind::Meta(key) => {
                const BARE: [MetaKey; 6] = [
                    MetaKey::IIF,
                    MetaKey::OIF,
                    MetaKey::IIFNAME,
                    MetaKey::OIFNAME,
                    MetaKey::IIFGROUP,
                    MetaKey::OIFGROUP,
                ];
                if !BARE.contains(key) {
                    out.push_str("meta ");
                }
                out.push_str(&meta_name(*key));
            }
            Kind::Ct(key, direction) => {
                out.push_str("ct ");
                if let Some(direction) = direction {
                    format(out, format_args!("{} ", direction_name(*direction)));
                }
                match node.ty {
                    Type::IPV4 if matches!(*key, CtKey::SRC | CtKey::DST) => out.push_str("ip "),
                    Type::IPV6 if matches!(*key, CtKey::SRC | CtKey::DST) => out.push_str("ip6 "),
                    _ => {}
                }
                out.push_str(&ct_name(*key));
            }
            Kind::Fib(result, flags) => {
                out.push_str("fib ");
                for (index, flag) in fib_flags(*flags).enumerate() {
                    out.push_str(if index == 0 { "" } else { " . " });
                    out.push_str(flag);
                }
                format(out, format_args!(" {}", fib_result(*result)));
            }
            Kind::Rt(key) => {
                out.push_str("rt ");
                match *key {
                    RtKey::NEXTHOP4 => out.push_str("ip "),
                    RtKey::NEXTHOP6 => out.push_str("ip6 "),
                    _ => {}
                }
                out.push_str(rt_name(*key));
            }
            Kind::Socket(key, level) => {
                format(out, format_args!("socket {}", socket_name(*key)));
                if *key == SocketKey::CGROUPV2 {
                    format(out, format_args!(" level {level}"));
                }
            }
            Kind::Osf { version, ttl } => {
                out.push_str("osf ");
                if let Some(ttl) = osf_ttl(*ttl) {
                    format(out, format_args!("ttl {ttl} "));
                }
                out.push_str(if *version { "version" } else { "name" });
            }
            Kind::Numgen { random, modulus, offset } => {
                format(out, format_args!("numgen {} mod {modulus}", if *random { "random" } else { "inc" }));
                if *offset != 0 {
                    format(out, format_args!(" offset {offset}"));
                }
            }
            Kind::Hash { source, modulus, seed, offset } => {
                match source {
                    Some(source) => {
                        out.push_str("jhash ");
                        self.text(out, source);
                    }
                    None => out.push_str("symhash"),
                }
                format(out, format_args!(" mod {modulus}"));
                if let Some(seed) = seed {
                    format(out, format_args!(" seed 0x{seed:x}"));
                }
                if *offset != 0 {
                    format(out, format_args!(" offset {offset}"));
                }
            }
            Kind::Xfrm { key, out: outwards, number } => {
                let (name, family) = xfrm_name(*key);
                format(out, format_args!("ipsec {} ", if *outwards { "out" } else { "in" }));
                if *number != 0 {
                    format(out, format_args!("spnum {number} "));
                }
                if let Some(family) = family {
                    format(out, format_args!("{family} "));
                }
                out.push_str(name);
            }
            Kind::Tunnel { id } => format(out, format_args!("tunnel {}", if *id { "id" } else { "path" })),
        }
    }

    /// An element in JSON.
    pub(super) fn element_json(self, out: &mut Json, element: &Element) {
        let key = |out: &mut Json| {
            let Element { key, timeout, expires, comment, statements, .. } = element;
            if timeout.is_none() && expires.is_none() && comment.is_none() && statements.is_empty() {
                return self.json(out, key);
            }
            out.tagged("elem", |out| {
                out.key("val");
                self.json(out, key);
                if let Some(timeout) = timeout {
                    out.number("timeout", timeout / 1000);
                }
                if let Some(expires) = expires {
                    out.number("expires", expires / 1000);
                }
                if let Some(comment) = comment {
                    out.text("comment", comment);
                }
                // Members of one object, as nft has them: of two of a kind only the first can be told.
                for (index, statement) in statements.iter().enumerate() {
                    if !statements.iter().take(index).any(|other| other.word() == statement.word()) {
                        statement.member(out, self);
                    }
                }
            });
        };
        match &element.data {
            Some(data) => out.list(|out| {
                key(out);
                self.json(out, data);
            }),
            None => key(out),
        }
    }

    /// Elements in words, between braces.
    pub(super) fn elements(self, out: &mut String, elements: &[Element], between: &str) {
        out.push_str("{ ");
        for (index, element) in elements.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { between });
            self.element(out, element);
        }
        out.push_str(if elements.is_empty() { "}" } else { " }" });
    }

    fn element(self, out: &mut String, element: &Element) {
        self.text(out, &element.key);
        for statement in &element.statements {
            out.push(' ');
            statement.text(out, self);
        }
        if let Some(timeout) = element.timeout {
            format(out, format_args!(" timeout {}", Duration(timeout)));
        }
        if let Some(expires) = element.expires {
            format(out, format_args!(" expires {}", Duration(expires)));
        }
        if let Some(comment) = &element.comment {
            format(out, format_args!(" comment \"{}\"", Text::new(comment)));
        }
        if let Some(data) = &element.data {
            out.push_str(" : ");
            self.text(out, data);
        }
    }

    fn joined(self, out: &mut String, parts: &[Node], between: &str) {
        for (index, part) in parts.iter().enumerate() {
            out.push_str(if index == 0 { "" } else { between });
            self.text(out, part);
        }
    }

    fn value_json(self, out: &mut Json, number: u128, node: &Node) {
        let style = node.ty.facts().style;
        let mut text = String::new();
        match style {
            Style::Number | Style::Hex(_) | Style::Flags => match node.ty.symbol(number) {
                Some(name) => return out.string(name),
                None => return integer(out, number),
            },
            Style::Duration => return integer(out, number / 1000),
            Style::Boolean if number <= 1 => return out.raw(if number == 1 { b"true" } else { b"false" }),
            Style::Boolean | Style::Verdict => return integer(out, number),
            Style::Label => match label(number) {
                Some(bit) => return out.integer(bit.into()),
                None => return integer(out, number),
            },
            Style::Mark | Style::Group => {
                let name = self.file_name(style, number);
                if name.is_empty() {
                    return integer(out, number);
                }
                return out.string(name);
            }
            Style::Protocol => match protocol(number) {
                Some(name) => return out.string(name),
                None => return integer(out, number),
            },
            Style::ControlGroup => match control_group(number) {
                Some(path) => return out.string(&path.to_string_lossy()),
                None => return integer(out, number),
            },
            Style::Ipv4 | Style::Ipv6 => {
                let mut bytes = Vec::with_capacity(48);
                if style == Style::Ipv4 {
                    ipv4(number).show(&mut bytes);
                } else {
                    Ipv6Addr::from(number).show(&mut bytes);
                }
                return out.bytes(&bytes);
            }
            _ => self.value_text(&mut text, number, node),
        }
        out.string(text.trim_matches('"'));
    }

    fn value_text(self, out: &mut String, number: u128, node: &Node) {
        let style = node.ty.facts().style;
        match style {
            Style::Number | Style::Flags | Style::Hex(_) => match (node.ty.symbol(number), style) {
                (Some(name), _) => out.push_str(name),
                (None, Style::Hex(digits)) => {
                    format(out, format_args!("0x{number:0width$x}", width = usize::from(digits)));
                }
                (None, Style::Flags) => format(out, format_args!("0x{number:x}")),
                (None, _) => format(out, format_args!("{number}")),
            },
            Style::Mark => match self.file_name(style, number) {
                "" => format(out, format_args!("0x{number:08x}")),
                name => out.push_str(name),
            },
            Style::Group | Style::Realm => match self.file_name(style, number) {
                "" => format(out, format_args!("{number}")),
                name => format(out, format_args!("\"{name}\"")),
            },
            Style::Ipv4 => format(out, format_args!("{}", ipv4(number))),
            Style::Ipv6 => {
                let mut bytes = Vec::new();
                Ipv6Addr::from(number).show(&mut bytes);
                out.push_str(&String::from_utf8_lossy(&bytes));
            }
            Style::Hardware => {
                let bytes = number.to_be_bytes();
                let length = usize::try_from(node.bits.div_ceil(8)).unwrap_or(0).min(16);
                for (index, byte) in bytes.iter().skip(16 - length).enumerate() {
                    format(out, format_args!("{}{byte:02x}", if index == 0 { "" } else { ":" }));
                }
            }
            Style::Boolean => match number {
                0 => out.push_str("missing"),
                1 => out.push_str("exists"),
                other => format(out, format_args!("{other}")),
            },
            Style::Protocol => match protocol(number) {
                Some(name) => out.push_str(name),
                None => format(out, format_args!("{number}")),
            },
            Style::Duration => format(out, format_args!("{}", Duration(u64::try_from(number).unwrap_or(u64::MAX)))),
            Style::Interface => {
                let index = u32::try_from(number).unwrap_or(0);
                match self.names.interface(index).name {
                    [] => format(out, format_args!("{number}")),
                    name => format(out, format_args!("\"{}\"", Text::from_bytes(name))),
                }
            }
            Style::Class => match number {
                0 => out.push_str("none"),
                0xffff_ffff => out.push_str("root"),
                number if number & 0xffff == 0 => format(out, format_args!("{:x}:", number >> 16)),
                number if number >> 16 == 0 => format(out, format_args!(":{:x}", number & 0xffff)),
                number => format(out, format_args!("{:x}:{:x}", number >> 16, number & 0xffff)),
            },
            Style::Label => match label(number) {
                Some(bit) => format(out, format_args!("{bit}")),
                None => format(out, format_args!("0x{number:x}")),
            },
            Style::Date => {
                let tm = crate::monitor::local(u64::try_from(number / 1_000_000_000).unwrap_or(0));
                format(
                    out,
                    format_args!(
                        "\"{:04}-{:02}-{:02} {:02}:{:02}:{:02}\"",
                        i64::from(tm.tm_year) + 1900,
                        tm.tm_mon + 1,
                        tm.tm_mday,
                        tm.tm_hour,
                        tm.tm_min,
                        tm.tm_sec
                    ),
                );
            }
            Style::Hour => {
                // The kernel counts in UTC.
                let seconds = i64::try_from(number).unwrap_or(0).saturating_add(ahead()).rem_euclid(86_400);
                let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
                format(out, format_args!("\"{hours:02}:{minutes:02}"));
                if seconds != 0 {
                    format(out, format_args!(":{seconds:02}"));
                }
                out.push('"');
            }
            Style::Day => match node.ty.symbol(number) {
                Some(name) => format(out, format_args!("\"{name}\"")),
                None => format(out, format_args!("{number}")),
            },
            Style::ControlGroup => match control_group(number) {
                Some(path) => format(out, format_args!("\"{}\"", path.display())),
                None => format(out, format_args!("{number}")),
            },
            Style::Text | Style::Verdict => format(out, format_args!("{number}")),
        }
    }

    /// A name of the files of iproute2; empty for none.
    fn file_name(&self, style: Style, number: u128) -> &str {
        let Ok(number) = u32::try_from(number) else { return "" };
        match style {
            Style::Group => self.names.groups().name(number).name,
            // Where no file has a name for 0, that is "unknown", which says no more than 0.
            Style::Realm => Some(self.names.realms().name(number).name).filter(|name| *name != "unknown").unwrap_or(""),
            Style::Mark => self.names.marks().name(number).name,
            _ => "",
        }
    }
}

/// A number in JSON: text in hexadecimal where it is too large.
fn integer(out: &mut Json, number: u128) {
    match u64::try_from(number) {
        Ok(number) => out.integer(number),
        Err(_) => out.string(&format!("0x{number:x}")),
    }
}

fn ipv4(number: u128) -> Ipv4Addr {
    Ipv4Addr::from(u32::try_from(number & 0xffff_ffff).unwrap_or(0))
}

/// The name of a transport protocol.
pub(super) fn protocol(number: u128) -> Option<&'static str> {
    u8::try_from(number).ok().and_then(|number| IpProtocol(number).name())
}

/// Which bit a label is.
fn label(number: u128) -> Option<u32> {
    (number.count_ones() == 1).then(|| number.trailing_zeros())
}

/// The path of a control group, which is known by its inode.
fn control_group(number: u128) -> Option<PathBuf> {
    fn look(folder: &Path, inode: u64, deep: u8) -> Option<PathBuf> {
        let entries = std::fs::read_dir(folder).ok()?;
        let folders: Vec<PathBuf> = entries
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .map(|entry| entry.path())
            .collect();
        let found = folders.iter().find(|path| std::fs::metadata(path).is_ok_and(|file| file.ino() == inode));
        found.cloned().or_else(|| folders.iter().filter(|_| deep > 0).find_map(|path| look(path, inode, deep - 1)))
    }
    const ROOT: &str = "/sys/fs/cgroup";
    let path = look(Path::new(ROOT), u64::try_from(number).ok()?, 16)?;
    path.strip_prefix(ROOT).ok().map(Path::to_path_buf)
}

/// Appends formatted text.
pub(super) fn format(out: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(text);
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("0x"), |mut text, byte| {
        format(&mut text, format_args!("{byte:02x}"));
        text
    })
}

/// A time in milliseconds as nft writes it: `1d2h3m4s5ms`.
pub(super) struct Duration(pub(super) u64);

impl std::fmt::Display for Duration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let milliseconds = self.0;
        let seconds = milliseconds / 1000;
        let parts = [
            (seconds / 86_400, "d"),
            (seconds / 3600 % 24, "h"),
            (seconds / 60 % 60, "m"),
            (seconds % 60, "s"),
            (milliseconds % 1000, "ms"),
        ];
        for (number, unit) in parts {
            if number != 0 {
                write!(f, "{number}{unit}")?;
            }
        }
        if milliseconds == 0 { f.write_str("0s") } else { Ok(()) }
    }
}

fn verdict_json(out: &mut Json, verdict: &Verdict) {
    match verdict {
        Verdict::Word(word) => out.bare(word),
        Verdict::To(word, target) => out.tagged(word, |out| out.text("target", target)),
        Verdict::Number(number) => out.only("verdict", |out| out.integer((*number).into())),
    }
}

fn verdict_text(out: &mut String, verdict: &Verdict) {
    match verdict {
        Verdict::Word(word) => out.push_str(word),
        Verdict::To(word, target) => format(out, format_args!("{word} {target}")),
        Verdict::Number(number) => format(out, format_args!("verdict {number}")),
    }
}

const BASES: [&str; 5] = ["ll", "nh", "th", "ih", "tunnel"];

fn base_name(base: u32) -> &'static str {
    usize::try_from(base).ok().and_then(|base| BASES.get(base)).copied().unwrap_or("unknown")
}

fn payload_json(out: &mut Json, payload: &Payload) {
    out.tagged("payload", |out| {
        if let Some(tunnel) = payload.inner {
            out.text("tunnel", tunnel);
        }
        match payload.field {
            Some((header, field)) => {
                out.text("protocol", header.name);
                out.text("field", field.name);
            }
            None => {
                out.text("base", base_name(payload.base));
                out.number("offset", payload.offset);
                out.number("len", payload.bits);
            }
        }
    });
}

fn payload_text(out: &mut String, payload: &Payload) {
    if let Some(tunnel) = payload.inner {
        format(out, format_args!("{tunnel} "));
    }
    match payload.field {
        Some((header, field)) => format(out, format_args!("{} {}", header.name, field.name)),
        None => format(out, format_args!("@{},{},{}", base_name(payload.base), payload.offset, payload.bits)),
    }
}

fn extension_json(out: &mut Json, extension: &Extension) {
    let tag = match extension.of {
        Of::Ip6 => "exthdr",
        Of::Tcp => "tcp option",
        Of::Ip => "ip option",
        Of::Sctp => "sctp chunk",
        Of::Dccp => return out.tagged("dccp option", |out| out.number("type", extension.number)),
    };
    out.tagged(tag, |out| match (extension.header, extension.field) {
        (Some(header), field) if extension.present || field.is_some() => {
            out.text("name", header.name);
            if let Some(field) = field.filter(|_| !extension.present) {
                out.text("field", field.name);
            }
        }
        _ => {
            out.number("base", extension.number);
            out.number("offset", extension.offset);
            out.number("len", extension.bits);
        }
    });
}

fn extension_text(out: &mut String, extension: &Extension) {
    out.push_str(match (extension.of, extension.present) {
        (Of::Ip6, true) => "exthdr ",
        (Of::Ip6, false) => "",
        (Of::Tcp, _) => "tcp option ",
        (Of::Ip, _) => "ip option ",
        (Of::Sctp, _) => "sctp chunk ",
        (Of::Dccp, _) => return format(out, format_args!("dccp option {}", extension.number)),
    });
    match (extension.header, extension.field) {
        (Some(header), _) if extension.present => out.push_str(header.name),
        (None, _) if extension.present => format(out, format_args!("{}", extension.number)),
        (Some(header), Some(field)) => format(out, format_args!("{} {}", header.name, field.name)),
        _ => format(out, format_args!("@{},{},{}", extension.number, extension.offset, extension.bits)),
    }
}

/// Keys of `meta` that have other names in nft than in the kernel.
pub(super) const META: &[(MetaKey, &str)] = &[
    (MetaKey::LEN, "length"),
    (MetaKey::PROTOCOL, "protocol"),
    (MetaKey::PRIORITY, "priority"),
    (MetaKey::MARK, "mark"),
    (MetaKey::IIF, "iif"),
    (MetaKey::OIF, "oif"),
    (MetaKey::IIFNAME, "iifname"),
    (MetaKey::OIFNAME, "oifname"),
    (MetaKey::IFTYPE, "iiftype"),
    (MetaKey::OIFTYPE, "oiftype"),
    (MetaKey::SKUID, "skuid"),
    (MetaKey::SKGID, "skgid"),
    (MetaKey::NFTRACE, "nftrace"),
    (MetaKey::RTCLASSID, "rtclassid"),
    (MetaKey::SECMARK, "secmark"),
    (MetaKey::NFPROTO, "nfproto"),
    (MetaKey::L4PROTO, "l4proto"),
    (MetaKey::BRI_IIFNAME, "ibrname"),
    (MetaKey::BRI_OIFNAME, "obrname"),
    (MetaKey::PKTTYPE, "pkttype"),
    (MetaKey::CPU, "cpu"),
    (MetaKey::IIFGROUP, "iifgroup"),
    (MetaKey::OIFGROUP, "oifgroup"),
    (MetaKey::CGROUP, "cgroup"),
    (MetaKey::PRANDOM, "random"),
    (MetaKey::SECPATH, "ipsec"),
    (MetaKey::IIFKIND, "iifkind"),
    (MetaKey::OIFKIND, "oifkind"),
    (MetaKey::BRI_IIFPVID, "ibrpvid"),
    (MetaKey::BRI_IIFVPROTO, "ibrvproto"),
    (MetaKey::TIME_NS, "time"),
    (MetaKey::TIME_DAY, "day"),
    (MetaKey::TIME_HOUR, "hour"),
    (MetaKey::SDIF, "sdif"),
    (MetaKey::SDIFNAME, "sdifname"),
    (MetaKey::BRI_BROUTE, "broute"),
    (MetaKey::BRI_IIFHWADDR, "ibrhwaddr"),
];

fn meta_name(key: MetaKey) -> std::borrow::Cow<'static, str> {
    match META.iter().find(|(known, _)| *known == key) {
        Some((_, name)) => (*name).into(),
        None => key.0.to_string().into(),
    }
}

/// Keys of `ct`.
pub(super) const CT: &[(CtKey, &str)] = &[
    (CtKey::STATE, "state"),
    (CtKey::DIRECTION, "direction"),
    (CtKey::STATUS, "status"),
    (CtKey::MARK, "mark"),
    (CtKey::SECMARK, "secmark"),
    (CtKey::EXPIRATION, "expiration"),
    (CtKey::HELPER, "helper"),
    (CtKey::L3PROTOCOL, "l3proto"),
    (CtKey::SRC, "saddr"),
    (CtKey::DST, "daddr"),
    (CtKey::PROTOCOL, "protocol"),
    (CtKey::PROTO_SRC, "proto-src"),
    (CtKey::PROTO_DST, "proto-dst"),
    (CtKey::LABELS, "label"),
    (CtKey::PKTS, "packets"),
    (CtKey::BYTES, "bytes"),
    (CtKey::AVGPKT, "avgpkt"),
    (CtKey::ZONE, "zone"),
    (CtKey::EVENTMASK, "event"),
    (CtKey::SRC_IP, "ip saddr"),
    (CtKey::DST_IP, "ip daddr"),
    (CtKey::SRC_IP6, "ip6 saddr"),
    (CtKey::DST_IP6, "ip6 daddr"),
    (CtKey::ID, "id"),
];

fn ct_name(key: CtKey) -> std::borrow::Cow<'static, str> {
    match CT.iter().find(|(known, _)| *known == key) {
        Some((_, name)) => (*name).into(),
        None => key.0.to_string().into(),
    }
}

fn direction_name(direction: CtDirection) -> &'static str {
    if direction == CtDirection::ORIGINAL { "original" } else { "reply" }
}

fn fib_result(result: FibResult) -> &'static str {
    match result {
        FibResult::OIF => "oif",
        FibResult::OIFNAME => "oifname",
        FibResult::ADDRTYPE => "type",
        _ => "unknown",
    }
}

fn fib_flags(flags: FibFlags) -> impl Iterator<Item = &'static str> {
    const FLAGS: [(FibFlags, &str); 5] = [
        (FibFlags::SADDR, "saddr"),
        (FibFlags::DADDR, "daddr"),
        (FibFlags::MARK, "mark"),
        (FibFlags::IIF, "iif"),
        (FibFlags::OIF, "oif"),
    ];
    FLAGS.into_iter().filter(move |(flag, _)| flags.0 & flag.0 != 0).map(|(_, name)| name)
}

fn rt_name(key: RtKey) -> &'static str {
    match key {
        RtKey::CLASSID => "classid",
        RtKey::NEXTHOP4 | RtKey::NEXTHOP6 => "nexthop",
        RtKey::TCPMSS => "mtu",
        RtKey::XFRM => "ipsec",
        _ => "unknown",
    }
}

fn socket_name(key: SocketKey) -> &'static str {
    match key {
        SocketKey::TRANSPARENT => "transparent",
        SocketKey::MARK => "mark",
        SocketKey::WILDCARD => "wildcard",
        SocketKey::CGROUPV2 => "cgroupv2",
        _ => "unknown",
    }
}

fn osf_ttl(ttl: u8) -> Option<&'static str> {
    match ttl {
        1 => Some("loose"),
        2 => Some("skip"),
        _ => None,
    }
}

fn xfrm_name(key: XfrmKey) -> (&'static str, Option<&'static str>) {
    match key {
        XfrmKey::DADDR_IP4 => ("daddr", Some("ip")),
        XfrmKey::DADDR_IP6 => ("daddr", Some("ip6")),
        XfrmKey::SADDR_IP4 => ("saddr", Some("ip")),
        XfrmKey::SADDR_IP6 => ("saddr", Some("ip6")),
        XfrmKey::REQID => ("reqid", None),
        XfrmKey::SPI => ("spi", None),
        _ => ("unknown", None),
    }
}
