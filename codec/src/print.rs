//! Names and values of any message, from the tables' rows: as a tree for people, as JSON for programs.
//!
//! Nothing is left out: what no table knows is printed as bytes, what cannot be read is printed with the error. Only keys, and
//! messages of generic families whose numbers are not known, are counted unless they are asked for.
//!
//! ```
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::protocol::ROUTE;
//! use ringlink_codec::route::{Link, LinkHeader, Rtm};
//!
//! let mut buffer = Buffer::<64>::new();
//! let bytes = buffer.message(Rtm::GETLINK, LinkHeader::default(), |link| link.put(Link::IFNAME, "lo"))?;
//! let message = Message::parse(bytes)?;
//! assert!(message.tree(&ROUTE).to_string().ends_with("  IFLA_IFNAME: \"lo\"\n"));
//! assert!(message.json(&ROUTE).to_string().ends_with(r#"[{"name":"IFLA_IFNAME","type":3,"value":"lo"}]}"#));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use core::fmt::{self, Write};

use crate::generic::Numbers;
use crate::protocol::{Description, Numbering, Protocol, Rest};
use crate::reply::{DEPTH, Errno, ExtendedAck, choose};
use crate::table::{
    Field, HardwareAddress, InetAddress, Layout, SecretBytes, Shape, Sint, SocketAddress, Space, Table, Text, TlvItems,
    Tlvs, Uint, Value, ValueTable, Verb, split_record,
};
use crate::wire::{
    Error, Flags, MESSAGE_HEADER, Message, MessageHeader, MessageType, Payload, RawAttribute, RawAttributes, align,
    short, split_errno,
};

/// A message that prints itself.
#[derive(Clone, Copy, Debug)]
pub struct Printed<'a> {
    message: Message<'a>,
    protocol: &'static Protocol,
    numbers: Numbers<'a>,
    style: Style,
    secrets: bool,
}

impl<'a> Printed<'a> {
    /// The same, with the numbers that generic families have at the moment.
    #[must_use]
    pub const fn with(self, numbers: Numbers<'a>) -> Self {
        Self { numbers, ..self }
    }

    /// The same with keys and other secrets in it, where they are otherwise counted only.
    #[must_use]
    pub const fn with_secrets(self) -> Self {
        Self { secrets: true, ..self }
    }
}

impl<'a> Message<'a> {
    /// The message as an indented tree, one attribute a line, ended by a newline.
    #[must_use]
    pub const fn tree(self, protocol: &'static Protocol) -> Printed<'a> {
        Printed { message: self, protocol, numbers: Numbers(&[]), style: Style::Tree, secrets: false }
    }

    /// The message as one JSON object on one line. Attributes are a list of objects, so that repeated ones and their
    /// order are kept; bytes are text in hexadecimal; a value that cannot be read has `error` and `bytes` in its place.
    #[must_use]
    pub const fn json(self, protocol: &'static Protocol) -> Printed<'a> {
        Printed { message: self, protocol, numbers: Numbers(&[]), style: Style::Json, secrets: false }
    }
}

impl fmt::Display for Printed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut printer = Printer { out: f, style: self.style, depth: 0, secrets: self.secrets };
        printer.message(self.message, self.protocol, self.numbers)
    }
}

/// Prints attributes on one line, for `Debug`.
pub(crate) fn attributes(f: &mut fmt::Formatter<'_>, space: &'static Space, payload: Payload<'_>) -> fmt::Result {
    let mut printer = Printer { out: f, style: Style::Json, depth: 0, secrets: false };
    printer.attributes(space, RawAttributes::new(payload.bytes, payload.offset), &[])
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Tree,
    Json,
}

struct Printer<'o> {
    out: &'o mut dyn Write,
    style: Style,
    /// How many nests are open; what is deeper than `DEPTH` is printed as bytes.
    depth: usize,
    /// Whether secrets are shown.
    secrets: bool,
}

impl Printer<'_> {
    fn message(&mut self, message: Message<'_>, protocol: &'static Protocol, numbers: Numbers<'_>) -> fmt::Result {
        let MessageHeader { kind, flags, sequence, port, .. } = message.header;
        let row = if kind < MessageType::FIRST { None } else { protocol.row(message, numbers) };
        let described = protocol.description(message);
        let (prefix, name) = match described {
            Some(Description { name, .. }) => name,
            None => ("", kind.control_name().or(row.map(|row| row.name)).unwrap_or("unknown")),
        };
        let verb = described.map(|described| described.verb).or(row.map(|row| row.verb));
        let flags = FlagNames { flags, kind, verb };
        match self.style {
            Style::Tree => {
                writeln!(self.out, "{prefix}{name} ({}) flags {flags} sequence {sequence} port {port}", kind.0)?;
            }
            Style::Json => write!(
                self.out,
                "{{\"message\":\"{prefix}{name}\",\"type\":{},\"flags\":\"{flags}\",\"sequence\":{sequence},\"port\":{port}",
                kind.0
            )?,
        }
        match (described, kind, row) {
            (Some(described), ..) => self.structs(described, message.payload)?,
            (None, MessageType::ERROR | MessageType::DONE, _) => self.verdict(message, protocol, numbers)?,
            (None, _, Some(row)) => {
                let header = message.payload.get(..row.header.size).unwrap_or(message.payload);
                match self.style {
                    Style::Tree => self.record_lines(row.header, header)?,
                    Style::Json => {
                        self.out.write_str(",\"header\":")?;
                        self.record(row.header, header)?;
                    }
                }
                let length = row.header.length(message.payload);
                if let Some(tail) = message.payload.get(row.header.size..length).filter(|tail| !tail.is_empty()) {
                    self.member_line("bytes")?;
                    self.bytes(tail)?;
                    self.end_line()?;
                }
                self.member("attributes")?;
                self.attributes((row.space)(), message.raw_attributes(length), message.payload)?;
            }
            (None, _, None) if !message.payload.is_empty() => {
                self.member_line("bytes")?;
                match protocol.numbering {
                    // Of a family whose number is not known here nobody knows what is a key.
                    Numbering::Commands => self.secret(message.payload)?,
                    _ => self.bytes(message.payload)?,
                }
                self.end_line()?;
            }
            _ => {}
        }
        match self.style {
            Style::Tree => Ok(()),
            Style::Json => self.out.write_char('}'),
        }
    }

    /// Structs, each by its name but the first, and what is behind them.
    fn structs(&mut self, described: Description, payload: &[u8]) -> fmt::Result {
        let mut end = 0;
        for (number, (start, layout)) in (0..).zip(described.structs.into_iter().flatten()) {
            let bytes = payload.get(start..).unwrap_or_default();
            end = start.saturating_add(layout.size).max(end);
            match (self.style, number) {
                (Style::Tree, 0) => self.record_lines(layout, bytes)?,
                (Style::Json, 0) => {
                    self.out.write_str(",\"header\":")?;
                    self.record(layout, bytes)?;
                }
                _ => {
                    self.member_line(if layout.name.is_empty() { "struct" } else { layout.name })?;
                    self.record(layout, bytes)?;
                    self.end_line()?;
                }
            }
        }
        let rest = payload.get(end..).unwrap_or_default();
        match described.rest {
            _ if rest.is_empty() => Ok(()),
            Rest::Bytes => {
                self.member_line("bytes")?;
                self.bytes(rest)?;
                self.end_line()
            }
            Rest::Text => {
                self.member_line("text")?;
                self.text(format_args!("{}", Text::until_nul(rest)))?;
                self.end_line()
            }
        }
    }

    /// An error's or a dump end's payload: errno, echoed request, extended ack.
    fn verdict(&mut self, message: Message<'_>, protocol: &'static Protocol, numbers: Numbers<'_>) -> fmt::Result {
        let Some((errno, mut rest)) = split_errno(message.payload) else {
            return Ok(());
        };
        self.member_line("error")?;
        let named = Errno(errno.unsigned_abs());
        match (self.style, named.name()) {
            (Style::Tree, Some(name)) => write!(self.out, "{errno} (E{name})")?,
            _ => write!(self.out, "{errno}")?,
        }
        self.end_line()?;
        if message.header.kind == MessageType::ERROR {
            let Some((echo, _)) = MessageHeader::split(rest) else {
                return Ok(());
            };
            let length = match message.header.flags.contains(Flags::CAPPED) {
                true => MESSAGE_HEADER,
                false => usize::try_from(echo.length).unwrap_or(usize::MAX),
            };
            let capped = Message { header: echo, payload: &[] };
            let echoed = rest.get(..length).and_then(|bytes| Message::parse(bytes).ok()).unwrap_or(capped);
            rest = rest.get(align(length)..).unwrap_or_default();
            if self.depth == 0 {
                self.depth = 1;
                match self.style {
                    Style::Tree => self.out.write_str("  request: ")?,
                    Style::Json => self.out.write_str(",\"request\":")?,
                }
                self.message(echoed, protocol, numbers)?;
                self.depth = 0;
            }
        }
        if message.header.flags.contains(Flags::ACK_TLVS) && !rest.is_empty() {
            let start = message.payload.len().saturating_sub(rest.len()).saturating_add(MESSAGE_HEADER);
            self.member("extended_ack")?;
            self.attributes(ExtendedAck::space(), RawAttributes::new(rest, short(start)), &[])?;
        }
        Ok(())
    }

    /// Attributes: in a tree a line each, in JSON a list.
    fn attributes(&mut self, space: &'static Space, attributes: RawAttributes<'_>, header: &[u8]) -> fmt::Result {
        self.depth = self.depth.saturating_add(1);
        let mut separator = "";
        self.json("[")?;
        for item in attributes {
            self.json(core::mem::replace(&mut separator, ","))?;
            match item {
                Ok(raw) => self.attribute(space, raw, attributes, header)?,
                Err(error) => self.broken(error)?,
            }
        }
        self.json("]")?;
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    fn attribute(
        &mut self,
        space: &'static Space,
        raw: RawAttribute<'_>,
        siblings: RawAttributes<'_>,
        header: &[u8],
    ) -> fmt::Result {
        let row = space.row(raw.number());
        match (self.style, row) {
            (Style::Tree, Some(row)) => {
                self.indent()?;
                write!(self.out, "{}:", row.name)?;
            }
            (Style::Tree, None) => {
                self.indent()?;
                write!(self.out, "{}:", raw.number())?;
            }
            (Style::Json, Some(row)) => {
                write!(self.out, "{{\"name\":\"{}\",\"type\":{},\"value\":", row.name, raw.number())?;
            }
            (Style::Json, None) => write!(self.out, "{{\"type\":{},\"value\":", raw.number())?,
        }
        let shape = row.map_or(Shape::Bytes, |row| row.shape);
        self.value(shape, raw.payload, Context { space, siblings, header })?;
        self.json("}")
    }

    /// A value behind its name. In a tree it ends its line.
    fn value(&mut self, shape: Shape, payload: Payload<'_>, context: Context<'_>) -> fmt::Result {
        let inside = |start: usize| {
            let bytes = payload.bytes.get(align(start)..).unwrap_or_default();
            RawAttributes::new(bytes, payload.offset.saturating_add(short(align(start))))
        };
        if self.depth >= DEPTH {
            return self.line(Shape::Bytes, payload);
        }
        let mut shape = shape;
        // No call of itself that is not counted as deeper.
        loop {
            shape = match shape {
                Shape::Many(of) => *of,
                Shape::Choice(table) => {
                    let row = choose(table(), context.space, context.siblings, context.header);
                    row.map_or(Shape::Bytes, |row| row.shape)
                }
                _ => break,
            };
        }
        match shape {
            Shape::Nest(space) => {
                self.tree("\n")?;
                self.attributes(space(), inside(0), context.header)
            }
            Shape::Headed(layout, space) => self.headed(layout, payload.bytes, space(), inside(layout.size)),
            Shape::Records(layout, space) => self.list(payload, |printer, rest| {
                let (record, behind) = split_record(*rest, layout.size)?;
                let start = align(layout.size);
                let bytes = record.bytes.get(start..).unwrap_or_default();
                let attributes = RawAttributes::new(bytes, record.offset.saturating_add(short(start)));
                *rest = behind;
                Ok(printer.headed(layout, record.bytes, space(), attributes))
            }),
            Shape::Indexed(of) => {
                self.tree("\n")?;
                self.json("[")?;
                self.depth = self.depth.saturating_add(1);
                let mut separator = "";
                for item in inside(0) {
                    self.json(core::mem::replace(&mut separator, ","))?;
                    match item {
                        Ok(item) => {
                            match self.style {
                                Style::Tree => {
                                    self.indent()?;
                                    write!(self.out, "{}:", item.number())?;
                                }
                                Style::Json => write!(self.out, "{{\"type\":{},\"value\":", item.number())?,
                            }
                            self.value(*of, item.payload, context)?;
                            self.json("}")?;
                        }
                        Err(error) => self.broken(error)?,
                    }
                }
                self.depth = self.depth.saturating_sub(1);
                self.json("]")
            }
            shape => self.line(shape, payload),
        }
    }

    /// A struct and the attributes behind it.
    fn headed(
        &mut self,
        layout: &'static Layout,
        bytes: &[u8],
        space: &'static Space,
        attributes: RawAttributes<'_>,
    ) -> fmt::Result {
        self.json("{\"header\":")?;
        self.tree(" ")?;
        self.record(layout, bytes)?;
        self.tree("\n")?;
        self.json(",\"attributes\":")?;
        self.attributes(space, attributes, bytes)?;
        self.json("}")
    }

    /// Items until the payload is used up, each printed by `item`, which takes it off the front.
    fn list(
        &mut self,
        payload: Payload<'_>,
        mut item: impl FnMut(&mut Self, &mut Payload<'_>) -> Result<fmt::Result, Error>,
    ) -> fmt::Result {
        let mut rest = payload;
        let mut separator = "";
        self.tree("\n")?;
        self.json("[")?;
        self.depth = self.depth.saturating_add(1);
        while !rest.bytes.is_empty() {
            self.json(core::mem::replace(&mut separator, ","))?;
            if self.style == Style::Tree {
                self.indent()?;
                self.out.write_char('-')?;
            }
            match item(self, &mut rest) {
                Ok(printed) => printed?,
                Err(error) => {
                    self.tree("\n")?;
                    self.broken(error)?;
                    break;
                }
            }
        }
        self.depth = self.depth.saturating_sub(1);
        self.json("]")
    }

    /// A value without attributes in it: the rest of a line.
    fn line(&mut self, shape: Shape, payload: Payload<'_>) -> fmt::Result {
        self.tree(" ")?;
        self.plain(shape, payload)?;
        self.tree("\n")
    }

    /// A value without attributes in it.
    fn plain(&mut self, shape: Shape, payload: Payload<'_>) -> fmt::Result {
        let bytes = payload.bytes;
        match shape {
            Shape::Unsigned(size) | Shape::BigEndian(size) if bytes.len() == usize::from(size) => {
                let number = number(bytes, matches!(shape, Shape::BigEndian(_)));
                write!(self.out, "{number}")
            }
            Shape::Signed(size) | Shape::SignedBigEndian(size) if bytes.len() == usize::from(size) => {
                let number = signed(bytes, matches!(shape, Shape::SignedBigEndian(_)));
                write!(self.out, "{number}")
            }
            Shape::Uint => match Uint::decode(payload) {
                Ok(number) => write!(self.out, "{number}"),
                Err(_) => self.wrong(payload, 8),
            },
            Shape::Sint => match Sint::decode(payload) {
                Ok(number) => write!(self.out, "{number}"),
                Err(_) => self.wrong(payload, 8),
            },
            Shape::Unsigned(size) | Shape::Signed(size) | Shape::BigEndian(size) | Shape::SignedBigEndian(size) => {
                self.wrong(payload, usize::from(size))
            }
            Shape::Flag => self.out.write_str("true"),
            Shape::Pad => match self.style {
                Style::Tree => Ok(()),
                Style::Json => self.out.write_str("null"),
            },
            Shape::Text => self.text(format_args!("{}", Text::until_nul(bytes))),
            Shape::Hardware => self.word(format_args!("{}", HardwareAddress(bytes))),
            Shape::Address => self.word(format_args!("{}", InetAddress(bytes))),
            Shape::Ipv4 if bytes.len() == 4 => self.word(format_args!("{}", InetAddress(bytes))),
            Shape::Ipv6 if bytes.len() == 16 => self.word(format_args!("{}", InetAddress(bytes))),
            Shape::Secret => self.secret(bytes),
            Shape::SocketAddress => self.word(format_args!("{}", SocketAddress(bytes))),
            Shape::Ipv4 => self.wrong(payload, 4),
            Shape::Ipv6 => self.wrong(payload, 16),
            Shape::Named(table, base) => self.named(table, *base, payload),
            Shape::Record(layout) => self.record(layout, bytes),
            Shape::Prefixed(layout) | Shape::Keyed(layout) => {
                self.json("{\"header\":")?;
                self.record(layout, bytes)?;
                self.json(",\"bytes\":")?;
                self.tree(" ")?;
                let behind = bytes.get(layout.size..).unwrap_or_default();
                match shape {
                    Shape::Keyed(_) => self.secret(behind)?,
                    _ => self.bytes(behind)?,
                }
                self.json("}")
            }
            Shape::Followed(layout, of, size) => {
                self.json("{\"header\":")?;
                self.record(layout, bytes)?;
                self.json(",\"items\":")?;
                self.tree(" ")?;
                let start = layout.size.min(bytes.len());
                let behind = bytes.get(start..).unwrap_or_default();
                let offset = payload.offset.saturating_add(short(start));
                self.run(*of, usize::from(size), Payload { bytes: behind, offset })?;
                self.json("}")
            }
            Shape::Array(Shape::Unsigned(1), _) | Shape::Packed(Shape::Unsigned(1), _) => self.bytes(bytes),
            Shape::Array(of, count) => {
                let size = bytes.len().checked_div(usize::from(count)).unwrap_or(0);
                self.run(*of, size, payload)
            }
            Shape::Packed(of, size) => self.run(*of, usize::from(size), payload),
            Shape::Tlvs => self.tlvs(payload),
            _ => self.bytes(bytes),
        }
    }

    /// Values of `size` bytes, one behind the other.
    fn run(&mut self, of: Shape, size: usize, payload: Payload<'_>) -> fmt::Result {
        if size == 0 {
            return self.bytes(payload.bytes);
        }
        self.out.write_char('[')?;
        let mut separator = "";
        for bytes in payload.bytes.chunks(size) {
            self.out
                .write_str(core::mem::replace(&mut separator, if self.style == Style::Json { "," } else { ", " }))?;
            self.plain(of, Payload { bytes, offset: payload.offset })?;
        }
        self.out.write_char(']')
    }

    fn tlvs(&mut self, payload: Payload<'_>) -> fmt::Result {
        let items: TlvItems<'_> = match Tlvs::decode(payload) {
            Ok(items) => items,
            Err(_) => return self.bytes(payload.bytes),
        };
        self.out.write_char('[')?;
        let mut separator = "";
        for item in items {
            self.out.write_str(core::mem::replace(&mut separator, ","))?;
            match item {
                Ok((kind, bytes)) => {
                    write!(self.out, "{{\"type\":{kind},\"value\":")?;
                    self.bytes(bytes)?;
                    self.out.write_char('}')?;
                }
                Err(error) => self.text(format_args!("{error}"))?,
            }
        }
        self.out.write_char(']')
    }

    fn named(&mut self, table: &'static ValueTable, base: Shape, payload: Payload<'_>) -> fmt::Result {
        let (size, big_endian) = match base {
            Shape::Unsigned(size) => (size, false),
            Shape::BigEndian(size) => (size, true),
            Shape::Uint => (if payload.bytes.len() == 8 { 8 } else { 4 }, false),
            base => return self.plain(base, payload),
        };
        if payload.bytes.len() != usize::from(size) {
            return self.wrong(payload, usize::from(size));
        }
        let number = number(payload.bytes, big_endian);
        if !table.bits && table.name_of(number).is_none() {
            return write!(self.out, "{number}");
        }
        self.json("\"")?;
        table.write(self.out, number)?;
        self.json("\"")
    }

    /// A struct on one line. What is missing of it is zero; what is longer than ours is printed as bytes.
    fn record(&mut self, layout: &'static Layout, bytes: &[u8]) -> fmt::Result {
        self.out.write_char('{')?;
        let mut separator = "";
        for field in layout.fields.iter().filter(|field| !field.is_padding()) {
            match self.style {
                Style::Tree => write!(self.out, "{separator}{}: ", field.name)?,
                Style::Json => write!(self.out, "{separator}\"{}\":", field.name)?,
            }
            separator = if self.style == Style::Json { "," } else { ", " };
            self.field(field, bytes)?;
        }
        self.out.write_char('}')
    }

    /// A message's fixed header: a line for each field.
    fn record_lines(&mut self, layout: &'static Layout, bytes: &[u8]) -> fmt::Result {
        for field in layout.fields.iter().filter(|field| !field.is_padding()) {
            write!(self.out, "{:width$}{}: ", "", field.name, width = self.depth.saturating_add(1).saturating_mul(2))?;
            self.field(field, bytes)?;
            self.out.write_char('\n')?;
        }
        Ok(())
    }

    fn field(&mut self, field: &Field, bytes: &[u8]) -> fmt::Result {
        let end = field.offset.saturating_add(field.size);
        match bytes.get(field.offset..end) {
            Some(bytes) => self.plain(field.shape, Payload { bytes, offset: 0 }),
            None => match self.style {
                Style::Tree => self.out.write_char('-'),
                Style::Json => self.out.write_str("null"),
            },
        }
    }

    /// A value whose payload has the wrong length.
    fn wrong(&mut self, payload: Payload<'_>, expected: usize) -> fmt::Result {
        let (found, at) = (payload.bytes.len(), payload.offset);
        match self.style {
            Style::Tree => write!(self.out, "error: {found} bytes found, {expected} expected, at offset {at}: ")?,
            Style::Json => {
                write!(self.out, "{{\"error\":\"{found} bytes found, {expected} expected, at offset {at}\",\"bytes\":")?
            }
        }
        self.bytes(payload.bytes)?;
        self.json("}")
    }

    /// An attribute that is none.
    fn broken(&mut self, error: Error) -> fmt::Result {
        match self.style {
            Style::Tree => {
                self.indent()?;
                writeln!(self.out, "error: {error}")
            }
            Style::Json => write!(self.out, "{{\"error\":\"{error}\"}}"),
        }
    }

    /// Bytes that are only counted, unless they were asked for.
    fn secret(&mut self, bytes: &[u8]) -> fmt::Result {
        match self.secrets {
            true => self.bytes(bytes),
            false => self.word(format_args!("{:?}", SecretBytes::new(bytes))),
        }
    }

    fn bytes(&mut self, bytes: &[u8]) -> fmt::Result {
        self.json("\"")?;
        for byte in bytes {
            write!(self.out, "{byte:02x}")?;
        }
        self.json("\"")
    }

    /// A word that needs no quotes in a tree.
    fn word(&mut self, word: fmt::Arguments<'_>) -> fmt::Result {
        self.json("\"")?;
        self.out.write_fmt(word)?;
        self.json("\"")
    }

    /// Text in quotes, escaped as JSON wants it.
    fn text(&mut self, text: fmt::Arguments<'_>) -> fmt::Result {
        self.out.write_char('"')?;
        Escape(self.out).write_fmt(text)?;
        self.out.write_char('"')
    }

    /// The start of a member whose value is attributes.
    fn member(&mut self, name: &str) -> fmt::Result {
        match self.style {
            Style::Tree => Ok(()),
            Style::Json => write!(self.out, ",\"{name}\":"),
        }
    }

    /// The start of a member whose value is a scalar.
    fn member_line(&mut self, name: &str) -> fmt::Result {
        match self.style {
            Style::Tree => {
                write!(self.out, "{:width$}{name}: ", "", width = self.depth.saturating_add(1).saturating_mul(2))
            }
            Style::Json => write!(self.out, ",\"{name}\":"),
        }
    }

    fn end_line(&mut self) -> fmt::Result {
        self.tree("\n")
    }

    fn indent(&mut self) -> fmt::Result {
        write!(self.out, "{:width$}", "", width = self.depth.saturating_mul(2))
    }

    fn tree(&mut self, text: &str) -> fmt::Result {
        if self.style == Style::Tree { self.out.write_str(text) } else { Ok(()) }
    }

    fn json(&mut self, text: &str) -> fmt::Result {
        if self.style == Style::Json { self.out.write_str(text) } else { Ok(()) }
    }
}

/// What stands around a payload and may choose what it is.
#[derive(Clone, Copy)]
struct Context<'a> {
    space: &'static Space,
    siblings: RawAttributes<'a>,
    header: &'a [u8],
}

/// Writes text as JSON wants it inside quotes.
struct Escape<'o>(&'o mut dyn Write);

impl Write for Escape<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '"' | '\\' => write!(self.0, "\\{character}")?,
                '\n' => self.0.write_str("\\n")?,
                control if control < ' ' => write!(self.0, "\\u{:04x}", u32::from(control))?,
                other => self.0.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// A number of up to eight bytes.
fn number(bytes: &[u8], big_endian: bool) -> u64 {
    let add = |number: u64, byte: &u8| (number << 8) | u64::from(*byte);
    match big_endian || cfg!(target_endian = "big") {
        true => bytes.iter().take(8).fold(0, add),
        false => bytes.iter().take(8).rev().fold(0, add),
    }
}

/// A signed number of up to eight bytes.
fn signed(bytes: &[u8], big_endian: bool) -> i64 {
    let bits = u32::try_from(bytes.len().min(8)).unwrap_or(8).saturating_mul(8);
    let unused = 64_u32.saturating_sub(bits);
    let number = number(bytes, big_endian).checked_shl(unused).unwrap_or(0).cast_signed();
    number.checked_shr(unused).unwrap_or(0)
}

/// The names of a message's flags, which hang on what the message is.
struct FlagNames {
    flags: Flags,
    kind: MessageType,
    verb: Option<Verb>,
}

impl fmt::Display for FlagNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const COMMON: &[(Flags, &str)] = &[
            (Flags::REQUEST, "REQUEST"),
            (Flags::MULTI, "MULTI"),
            (Flags::ACK, "ACK"),
            (Flags::ECHO, "ECHO"),
            (Flags::DUMP_INTERRUPTED, "DUMP_INTR"),
            (Flags::DUMP_FILTERED, "DUMP_FILTERED"),
        ];
        const GET: &[(Flags, &str)] =
            &[(Flags::DUMP, "DUMP"), (Flags::ROOT, "ROOT"), (Flags::MATCH, "MATCH"), (Flags::ATOMIC, "ATOMIC")];
        const NEW: &[(Flags, &str)] = &[
            (Flags::REPLACE, "REPLACE"),
            (Flags::EXCLUSIVE, "EXCL"),
            (Flags::CREATE, "CREATE"),
            (Flags::APPEND, "APPEND"),
        ];
        const DELETE: &[(Flags, &str)] = &[(Flags::NON_RECURSIVE, "NONREC"), (Flags::BULK, "BULK")];
        const VERDICT: &[(Flags, &str)] = &[(Flags::CAPPED, "CAPPED"), (Flags::ACK_TLVS, "ACK_TLVS")];
        let own = match (self.kind, self.verb) {
            (MessageType::ERROR | MessageType::DONE, _) => VERDICT,
            (_, Some(Verb::Get)) => GET,
            (_, Some(Verb::New | Verb::Set)) => NEW,
            (_, Some(Verb::Delete)) => DELETE,
            _ => &[],
        };
        let mut left = self.flags.0;
        let mut separator = "";
        for (flag, name) in COMMON.iter().chain(own) {
            if left & flag.0 == flag.0 {
                left &= !flag.0;
                write!(f, "{separator}{name}")?;
                separator = "|";
            }
        }
        match left {
            0 if separator.is_empty() => f.write_str("0"),
            0 => Ok(()),
            left => write!(f, "{separator}{left:#x}"),
        }
    }
}
