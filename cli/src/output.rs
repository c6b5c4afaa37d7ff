//! Rows of values with two faces: JSON as `ip -j` prints it, and text as `ip` prints it.
//!
//! Each object describes its rows once; [`Output`] prints the face that was asked for. What is written goes into one
//! buffer, which is flushed at a row's end when it holds 64 KiB; printing a row allocates nothing. The first error of
//! standard output sticks: [`Output::is_broken`] tells a long dump to stop, [`Output::finish`] returns it.
//!
//! ```text
//! output.row(|row| {
//!     row.field("dst", "", Prefix { address, length: 24 });       // "dst":"10.0.0.0/24"    10.0.0.0/24
//!     row.field("gateway", "via", gateway);                       // "gateway":"10.0.0.1"   via 10.0.0.1
//!     row.field("dev", "dev", Interface(name));                   // "dev":"v0"             dev v0
//!     row.field("mtu", "mtu", 1500_u32);                          // "mtu":1500             mtu 1500
//!     row.list("flags", |flags| flags.item("onlink"));            // "flags":["onlink"]     onlink
//!     row.object("info", |info| info.json("id", 5_u32));          // "info":{"id":5}
//!     row.word("text only");                                      //                        text only
//!     row.line("    ");                                           //                        a new line in the row
//! });
//! ```
//!
//! In text, words are set apart by one space; [`Output::glue`] sets one without, [`Output::tight`] makes the next one
//! come without. In JSON, each row stands on a line of its own, so that line tools can work on it.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anstyle::{AnsiColor, Style};
use ringlink::codec::Text;
use ringlink::codec::table::{HardwareAddress, InetAddress};

/// How much is gathered before it is written, in bytes.
const FLUSH: usize = 64 * 1024;
/// The same while rows may still be taken back.
const HOLD: usize = 16 * 1024 * 1024;

/// Rows on their way to standard output.
pub(crate) struct Output {
    json: bool,
    /// Whether JSON rows are one list; else each is a line of its own.
    listed: bool,
    coloured: bool,
    terminal: bool,
    /// What is not yet written.
    bytes: Vec<u8>,
    /// What each row begins with.
    head: Vec<u8>,
    /// How much is gathered before it is written, in bytes.
    gather: usize,
    /// How often something was written.
    writes: usize,
    /// Rows begun, for the commas between them.
    rows: usize,
    /// Whether the next word starts a line or follows glue, so that no space goes before it.
    tight: bool,
    error: Option<io::Error>,
}

/// The face that is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Face {
    /// As `ip -j`: one list of objects.
    Json,
    /// One object a line, for streams without an end.
    JsonLines,
    /// As `ip`: lines for people.
    Text,
}

/// A place in what was printed, to go back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    length: usize,
    rows: usize,
    writes: usize,
}

/// A value that can be printed.
pub(crate) trait Show {
    /// How it stands in JSON.
    const KIND: Kind;

    /// Its colour on a terminal.
    fn colour(&self) -> Colour {
        Colour::None
    }

    /// Appends it, without quotes.
    fn show(&self, bytes: &mut Vec<u8>);
}

/// How a value stands in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Without quotes.
    Number,
    /// In quotes; nothing in it ever needs escaping.
    Plain,
    /// In quotes, escaped where needed.
    Text,
}

/// Colours as `ip -c` gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colour {
    /// None.
    None,
    /// An interface's name.
    Interface,
    /// A hardware address.
    Hardware,
    /// An IPv4 address.
    Inet,
    /// An IPv6 address.
    Inet6,
    /// Something works.
    Up,
    /// Something does not.
    Down,
}

impl Output {
    /// Prints to standard output: coloured text if that is a terminal and `NO_COLOR` is unset or empty.
    pub(crate) fn new(face: Face) -> Self {
        let json = face != Face::Text;
        let terminal = io::stdout().is_terminal();
        let coloured = !json && terminal && may_colour();
        Self {
            json,
            listed: face == Face::Json,
            coloured,
            terminal,
            bytes: Vec::with_capacity(FLUSH + FLUSH / 4),
            head: Vec::new(),
            gather: FLUSH,
            writes: 0,
            rows: 0,
            tight: true,
            error: None,
        }
    }

    /// Whether JSON is printed.
    pub(crate) fn is_json(&self) -> bool {
        self.json
    }

    /// Whether standard output failed, so that printing more is in vain.
    pub(crate) fn is_broken(&self) -> bool {
        self.error.is_some()
    }

    /// How many rows were printed.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// A row: in JSON an object of the outermost list, in text a line (or several, see [`Output::line`]).
    #[inline]
    pub(crate) fn row<R>(&mut self, fill: impl FnOnce(&mut Self) -> R) -> R {
        match (self.json, self.listed, self.rows) {
            (true, true, 0) => self.bytes.extend_from_slice(b"[{"),
            (true, true, _) => self.bytes.extend_from_slice(b",\n{"),
            (true, false, _) => self.bytes.push(b'{'),
            (false, ..) => self.tight = true,
        }
        if !self.head.is_empty() {
            self.bytes.extend_from_slice(&self.head);
        }
        self.rows += 1;
        let result = fill(self);
        match (self.json, self.listed) {
            (true, true) => self.bytes.push(b'}'),
            (true, false) => self.bytes.extend_from_slice(b"}\n"),
            (false, _) => self.bytes.push(b'\n'),
        }
        self.row_ends();
        result
    }

    /// What each row from now on begins with: members in JSON, words in text, without a space behind the last.
    pub(crate) fn head(&mut self, fill: impl FnOnce(&mut Self)) {
        self.head.clear();
        std::mem::swap(&mut self.head, &mut self.bytes);
        self.tight = true;
        fill(self);
        std::mem::swap(&mut self.head, &mut self.bytes);
    }

    /// A row that somebody else's printer has made: a JSON object, or lines.
    pub(crate) fn made(&mut self, text: &str) {
        let json = self.json;
        self.row(|row| {
            if json {
                row.comma();
                let members = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
                row.bytes.extend_from_slice(members.unwrap_or_default().as_bytes());
            } else {
                row.bytes.extend_from_slice(text.trim_end_matches('\n').as_bytes());
            }
        });
    }

    /// A row that is printed as it stands, by whoever has a printer of its own: one JSON object or some lines, without
    /// the list around it. Not to be mixed with [`Output::row`].
    pub(crate) fn verbatim(&mut self, text: fmt::Arguments<'_>) {
        // Writing to a vector cannot fail.
        let _ = self.bytes.write_fmt(text);
        self.rows += 1;
        self.row_ends();
    }

    /// A value: in JSON a member, in text a word behind the label. An empty label is left out.
    #[inline]
    pub(crate) fn field(&mut self, key: &'static str, label: &'static str, value: impl Show) {
        if self.json {
            self.key(key);
            self.value(value);
        } else {
            self.label(label);
            self.word(value);
        }
    }

    /// A member, in JSON only.
    #[inline]
    pub(crate) fn json(&mut self, key: &'static str, value: impl Show) {
        if self.json {
            self.key(key);
            self.value(value);
        }
    }

    /// A value whose name somebody else chose: in JSON a member, in text `NAME=VALUE`.
    pub(crate) fn member(&mut self, name: impl Show, value: impl Show) {
        if self.json {
            self.comma();
            self.value(name);
            self.bytes.push(b':');
            self.value(value);
        } else {
            self.word(name);
            self.glue("=");
            self.glue(value);
        }
    }

    /// An object whose name somebody else chose; in text only what is in it.
    pub(crate) fn nested<R>(&mut self, name: impl Show, fill: impl FnOnce(&mut Self) -> R) -> R {
        if self.json {
            self.comma();
            self.value(name);
            self.bytes.extend_from_slice(b":{");
        }
        let result = fill(self);
        if self.json {
            self.bytes.push(b'}');
        }
        result
    }

    /// Something that is so by being there, and `null` in JSON.
    pub(crate) fn null(&mut self, key: &'static str, label: &'static str) {
        self.field_raw(key, label, b"null");
    }

    /// Something that is so by being there, and `true` in JSON.
    pub(crate) fn yes(&mut self, key: &'static str, label: &'static str) {
        self.field_raw(key, label, b"true");
    }

    /// An object that is a member; in text only what is in it.
    pub(crate) fn object<R>(&mut self, key: &'static str, fill: impl FnOnce(&mut Self) -> R) -> R {
        self.nest(Some(key), *b"{}", fill)
    }

    /// A list that is a member; in text only what is in it.
    pub(crate) fn list<R>(&mut self, key: &'static str, fill: impl FnOnce(&mut Self) -> R) -> R {
        self.nest(Some(key), *b"[]", fill)
    }

    /// An object in a list; in text only what is in it.
    pub(crate) fn entry<R>(&mut self, fill: impl FnOnce(&mut Self) -> R) -> R {
        self.nest(None, *b"{}", fill)
    }

    /// A value in a list; in text a word.
    pub(crate) fn item(&mut self, value: impl Show) {
        if self.json {
            self.comma();
            self.value(value);
        } else {
            self.word(value);
        }
    }

    /// A list of values; in text one word, with these marks before, between and behind.
    pub(crate) fn joined<V: Show>(
        &mut self,
        key: &'static str,
        [open, between, close]: [&'static str; 3],
        values: impl IntoIterator<Item = V>,
    ) {
        if self.json {
            return self.list(key, |list| values.into_iter().for_each(|value| list.item(value)));
        }
        self.word(open);
        for (index, value) in values.into_iter().enumerate() {
            self.glue(if index == 0 { "" } else { between });
            self.glue(value);
        }
        self.glue(close);
    }

    /// A word, in text only.
    #[inline]
    pub(crate) fn word(&mut self, value: impl Show) {
        if !self.json {
            self.space();
            self.plain(value);
        }
    }

    /// A word without a space before it, in text only.
    #[inline]
    pub(crate) fn glue(&mut self, value: impl Show) {
        if !self.json {
            self.tight = false;
            self.plain(value);
        }
    }

    /// The next word follows without a space.
    pub(crate) fn tight(&mut self) {
        self.tight = true;
    }

    /// A new line within a row, indented, in text only.
    pub(crate) fn line(&mut self, indent: &'static str) {
        if !self.json {
            self.bytes.push(b'\n');
            self.bytes.extend_from_slice(indent.as_bytes());
            self.tight = true;
        }
    }

    /// Ends the list of rows where JSON is printed, empty or not, and writes all.
    ///
    /// # Errors
    ///
    /// The first error of standard output.
    pub(crate) fn finish(&mut self) -> io::Result<()> {
        if self.json && self.listed {
            self.bytes.extend_from_slice(if self.rows == 0 { b"[]\n" } else { b"]\n" });
        }
        self.close()
    }

    /// Writes all, without the end of a list.
    ///
    /// # Errors
    ///
    /// The first error of standard output.
    pub(crate) fn close(&mut self) -> io::Result<()> {
        self.flush();
        match self.error.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// Writes what was gathered, so that a reader sees it now.
    pub(crate) fn flush(&mut self) {
        if self.error.is_none() && !self.bytes.is_empty() {
            let mut out = io::stdout().lock();
            self.error = out.write_all(&self.bytes).and_then(|()| out.flush()).err();
            self.writes += 1;
        }
        self.bytes.clear();
    }

    /// Gathers up to 16 MiB before it is written, so that rows can be taken back; `false` returns to 64 KiB.
    pub(crate) fn hold(&mut self, hold: bool) {
        self.gather = if hold { HOLD } else { FLUSH };
        self.row_ends();
    }

    /// This place, to go back to.
    pub(crate) fn mark(&self) -> Mark {
        Mark { length: self.bytes.len(), rows: self.rows, writes: self.writes }
    }

    /// Goes back to a place, if nothing was written since; says whether it did.
    pub(crate) fn go_back(&mut self, mark: Mark) -> bool {
        let kept = mark.writes == self.writes;
        if kept {
            self.bytes.truncate(mark.length);
            self.rows = mark.rows;
        }
        kept
    }
}

/// Whether colours are welcome where a terminal is (<https://no-color.org>).
fn may_colour() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

impl Output {
    #[inline]
    fn row_ends(&mut self) {
        if self.bytes.len() >= self.gather {
            self.flush();
        }
    }

    fn label(&mut self, label: &'static str) {
        if !label.is_empty() {
            self.space();
            self.bytes.extend_from_slice(label.as_bytes());
        }
    }

    #[inline]
    fn space(&mut self) {
        if !std::mem::take(&mut self.tight) {
            self.bytes.push(b' ');
        }
    }

    fn field_raw(&mut self, key: &'static str, label: &'static str, value: &'static [u8]) {
        if self.json {
            self.key(key);
            self.bytes.extend_from_slice(value);
        } else {
            self.label(label);
        }
    }

    fn nest<R>(&mut self, key: Option<&'static str>, [open, close]: [u8; 2], fill: impl FnOnce(&mut Self) -> R) -> R {
        if !self.json {
            return fill(self);
        }
        match key {
            Some(key) => self.key(key),
            None => self.comma(),
        }
        self.bytes.push(open);
        let result = fill(self);
        self.bytes.push(close);
        result
    }

    /// A comma, unless this is the first in its object or list.
    #[inline]
    fn comma(&mut self) {
        if !matches!(self.bytes.last(), Some(b'{' | b'[') | None) {
            self.bytes.push(b',');
        }
    }

    #[inline]
    fn key(&mut self, key: &'static str) {
        self.comma();
        self.bytes.push(b'"');
        self.bytes.extend_from_slice(key.as_bytes());
        self.bytes.extend_from_slice(b"\":");
    }

    #[inline]
    fn value<V: Show>(&mut self, value: V) {
        if V::KIND == Kind::Number {
            return value.show(&mut self.bytes);
        }
        self.bytes.push(b'"');
        let start = self.bytes.len();
        value.show(&mut self.bytes);
        if V::KIND == Kind::Text && self.bytes[start..].iter().any(|byte| needs_care(*byte)) {
            escape(&mut self.bytes, start);
        }
        self.bytes.push(b'"');
    }

    #[inline]
    fn plain<V: Show>(&mut self, value: V) {
        let start = self.bytes.len();
        match value.colour().style().filter(|_| self.coloured) {
            None => value.show(&mut self.bytes),
            Some(style) => {
                // Writing to a vector cannot fail.
                let _ = write!(self.bytes, "{style}");
                value.show(&mut self.bytes);
                let _ = write!(self.bytes, "{style:#}");
                return;
            }
        }
        if V::KIND == Kind::Text && self.terminal && self.bytes[start..].iter().any(u8::is_ascii_control) {
            disarm(&mut self.bytes, start);
        }
    }
}

impl Colour {
    fn style(self) -> Option<Style> {
        let colour = match self {
            Self::None => return None,
            Self::Interface => AnsiColor::Cyan,
            Self::Hardware => AnsiColor::Yellow,
            Self::Inet => AnsiColor::Magenta,
            Self::Inet6 => AnsiColor::Blue,
            Self::Up => AnsiColor::Green,
            Self::Down => AnsiColor::Red,
        };
        Some(Style::new().fg_color(Some(colour.into())))
    }
}

/// An interface's name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interface<'a>(pub &'a [u8]);

/// A prefix: an address and how many of its bits count.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Prefix<'a> {
    /// The address: 4 bytes for IPv4, 16 for IPv6.
    pub(crate) address: InetAddress<'a>,
    /// How many bits count.
    pub(crate) length: u8,
}

/// A number in hexadecimal with `0x` before it; text in JSON.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Hex(pub u64);

/// A word in a colour.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coloured(pub Colour, pub &'static str);

/// What `format_args!` makes; slower than the others, for what is rare.
pub(crate) struct Formatted<'a>(pub fmt::Arguments<'a>);

/// The same in JSON without quotes.
pub(crate) struct FormattedNumber<'a>(pub fmt::Arguments<'a>);

/// `show! { Plain Colour::None, u8, value, bytes => …; }` says how a type's values are printed.
macro_rules! show {
    ($($kind:ident $colour:expr, $type:ty, $value:ident, $bytes:ident => $show:expr;)*) => {$(
        impl Show for $type {
            const KIND: Kind = Kind::$kind;

            #[inline]
            fn colour(&self) -> Colour {
                #[allow(unused_variables, reason = "few colours hang on the value")]
                let $value = self;
                $colour
            }

            #[inline]
            fn show(&self, $bytes: &mut Vec<u8>) {
                let $value = self;
                $show
            }
        }
    )*};
}

show! {
    Text Colour::None, &str, text, bytes => bytes.extend_from_slice(text.as_bytes());
    Text Colour::None, &[u8], text, bytes => bytes.extend_from_slice(text);
    Text Colour::None, Text<'_>, text, bytes => bytes.extend_from_slice(text.as_bytes());
    Text Colour::None, Formatted<'_>, text, bytes => formatted(bytes, text.0);
    Text Colour::Interface, Interface<'_>, name, bytes => bytes.extend_from_slice(name.0);
    Number Colour::None, FormattedNumber<'_>, text, bytes => formatted(bytes, text.0);
    Number Colour::None, bool, value, bytes => bytes.extend_from_slice(if *value { b"true" } else { b"false" });
    Number Colour::None, u8, value, bytes => decimal(bytes, u64::from(*value));
    Number Colour::None, u16, value, bytes => decimal(bytes, u64::from(*value));
    Number Colour::None, u32, value, bytes => decimal(bytes, u64::from(*value));
    Number Colour::None, u64, value, bytes => decimal(bytes, *value);
    Number Colour::None, i32, value, bytes => signed(bytes, i64::from(*value));
    Number Colour::None, i64, value, bytes => signed(bytes, *value);
    Plain Colour::None, Hex, value, bytes => formatted(bytes, format_args!("{:#x}", value.0));
    Plain Colour::Hardware, HardwareAddress<'_>, address, bytes => hardware(bytes, address.0);
    Plain Colour::Inet, Ipv4Addr, address, bytes => ipv4(bytes, address.octets());
    Plain Colour::Inet6, Ipv6Addr, address, bytes => ipv6(bytes, address.octets());
    Plain inet_colour(address.0), InetAddress<'_>, address, bytes => inet(bytes, address.0);
    Plain inet_colour(prefix.address.0), Prefix<'_>, prefix, bytes => {
        inet(bytes, prefix.address.0);
        bytes.push(b'/');
        decimal(bytes, u64::from(prefix.length));
    };
    Plain if address.is_ipv4() { Colour::Inet } else { Colour::Inet6 }, IpAddr, address, bytes => match address {
        IpAddr::V4(address) => ipv4(bytes, address.octets()),
        IpAddr::V6(address) => ipv6(bytes, address.octets()),
    };
    Plain word.0, Coloured, word, bytes => bytes.extend_from_slice(word.1.as_bytes());
}

fn inet_colour(address: &[u8]) -> Colour {
    if address.len() == 4 { Colour::Inet } else { Colour::Inet6 }
}

/// Appends what `format_args!` made.
fn formatted(bytes: &mut Vec<u8>, text: fmt::Arguments<'_>) {
    // Writing to a vector cannot fail.
    let _ = bytes.write_fmt(text);
}

/// Appends a number in decimal.
#[inline]
pub(crate) fn decimal(bytes: &mut Vec<u8>, number: u64) {
    // One digit is the most frequent case by far: prefix lengths, weights, flags.
    if let Ok(digit @ 0..=9) = u8::try_from(number) {
        return bytes.push(b'0' + digit);
    }
    bytes.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn signed(bytes: &mut Vec<u8>, number: i64) {
    bytes.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends an address of either family; of another length, as bytes.
#[inline]
fn inet(bytes: &mut Vec<u8>, address: &[u8]) {
    if let Ok(octets) = <[u8; 4]>::try_from(address) {
        ipv4(bytes, octets);
    } else if let Ok(octets) = <[u8; 16]>::try_from(address) {
        ipv6(bytes, octets);
    } else {
        hardware(bytes, address);
    }
}

/// Appends an IPv4 address.
#[inline]
fn ipv4(bytes: &mut Vec<u8>, octets: [u8; 4]) {
    // Written into an array first, so that the vector grows once.
    let mut text = [b'.'; 15];
    let mut length = 0;
    for (index, octet) in octets.into_iter().enumerate() {
        // The dot is there already.
        length += usize::from(index > 0);
        if octet >= 100 {
            text[length] = b'0' + octet / 100;
            length += 1;
        }
        if octet >= 10 {
            text[length] = b'0' + octet / 10 % 10;
            length += 1;
        }
        text[length] = b'0' + octet % 10;
        length += 1;
        if index < 3 {
            text[length] = b'.';
        }
    }
    bytes.extend_from_slice(&text[..length]);
}

/// Appends an IPv6 address as `inet_ntop(3)` writes it: RFC 5952, and dotted where IPv4 is embedded.
fn ipv6(bytes: &mut Vec<u8>, octets: [u8; 16]) {
    let words: [u16; 8] = std::array::from_fn(|index| u16::from_be_bytes([octets[2 * index], octets[2 * index + 1]]));
    // The first of the longest runs of two or more zeros: where it starts and how long it is.
    let (mut start, mut longest, mut run) = (8, 1, 0);
    for (index, word) in words.into_iter().enumerate() {
        run = if word == 0 { run + 1 } else { 0 };
        if run > longest {
            (start, longest) = (index + 1 - run, run);
        }
    }
    let embeds = start == 0 && (longest == 6 || (longest == 5 && words[5] == 0xffff));
    let mut index = 0;
    while index < 8 {
        if index == start {
            bytes.extend_from_slice(b"::");
            index += longest;
            continue;
        }
        if index > 0 && index != start + longest {
            bytes.push(b':');
        }
        if embeds && index == 6 {
            return ipv4(bytes, [octets[12], octets[13], octets[14], octets[15]]);
        }
        let word = words[index];
        for shift in [12, 8, 4, 0] {
            if word >> shift != 0 || shift == 0 {
                bytes.push(hex_digit((word >> shift) & 0xf));
            }
        }
        index += 1;
    }
}

/// Appends bytes in hexadecimal with colons between.
fn hardware(bytes: &mut Vec<u8>, address: &[u8]) {
    for (index, byte) in address.iter().enumerate() {
        if index > 0 {
            bytes.push(b':');
        }
        bytes.push(hex_digit(u16::from(byte >> 4)));
        bytes.push(hex_digit(u16::from(byte & 0xf)));
    }
}

#[inline]
fn hex_digit(digit: u16) -> u8 {
    b"0123456789abcdef"[usize::from(digit)]
}

/// Whether a byte may not stand as it is in a JSON string. Bytes of UTF-8 beyond ASCII may, if they are UTF-8.
#[inline]
fn needs_care(byte: u8) -> bool {
    !(b' '..0x7f).contains(&byte) || byte == b'"' || byte == b'\\'
}

/// Makes what stands from `start` on fit for a JSON string; bytes that are not UTF-8 become `\xNN`.
#[cold]
fn escape(bytes: &mut Vec<u8>, start: usize) {
    let text = Text::from_bytes(&bytes[start..]).to_string();
    bytes.truncate(start - 1);
    // Writing a string to a vector cannot fail; the quotes are written too, so that of the caller is taken off.
    let _ = serde_json::to_writer(&mut *bytes, &text);
    bytes.pop();
}

/// Makes what stands from `start` on harmless to a terminal: control characters become `\xNN`.
#[cold]
fn disarm(bytes: &mut Vec<u8>, start: usize) {
    let text = bytes.split_off(start);
    for byte in text {
        if byte.is_ascii_control() {
            formatted(bytes, format_args!("\\x{byte:02x}"));
        } else {
            bytes.push(byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text_of(value: impl Show) -> String {
        let mut bytes = Vec::new();
        value.show(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn addresses_are_written_as_inet_ntop_writes_them() {
        for text in [
            "0.0.0.0",
            "9.10.99.100",
            "255.255.255.255",
            "::",
            "::1",
            "1::",
            "fe80::1",
            "2001:db8::8:800:200c:417a",
            "1:0:2:0:0:3:0:4",
            "1::2:0:0:3:0",
            "1:2:3:4:5:6:7:8",
            "0:1:2:3:4:5:6:7",
            "1:2:3:4:5:6:7:0",
            "::ffff:1.2.3.4",
            "64:ff9b::102:304",
            "abcd:ef01:2345:6789:abcd:ef01:2345:6789",
        ] {
            let address: IpAddr = text.parse().unwrap();
            assert_eq!(text_of(address), address.to_string());
        }
        // glibc writes these dotted, Rust does not.
        assert_eq!(text_of("::102:304".parse::<Ipv6Addr>().unwrap()), "::1.2.3.4");
    }

    #[test]
    fn numbers_are_written_in_decimal() {
        for number in [0, 9, 10, 255, 4_294_967_295, u64::MAX] {
            assert_eq!(text_of(number), number.to_string());
        }
        assert_eq!(text_of(-7_i32), "-7");
        assert_eq!(text_of(Hex(255)), "0xff");
        assert_eq!(text_of(HardwareAddress(&[0, 0xab, 0x1f])), "00:ab:1f");
    }

    #[test]
    fn json_is_json_whatever_the_bytes() {
        for (bytes, expected) in
            [(&b"v0"[..], "v0"), (b"a\"b\\c\n\x1b", "a\"b\\c\n\u{1b}"), (b"\xff", "\\xff"), ("é".as_bytes(), "é")]
        {
            let mut output = Output::new(Face::Json);
            output.row(|row| {
                row.field("name", "", bytes);
                row.list("flags", |list| {
                    list.item("one");
                    list.entry(|entry| entry.field("two", "", 2_u8));
                });
            });
            output.bytes.push(b']');
            let value: serde_json::Value = serde_json::from_slice(&output.bytes).unwrap();
            assert_eq!(value[0]["name"], expected);
            assert_eq!(value[0]["flags"], serde_json::json!(["one", { "two": 2 }]));
            output.bytes.clear();
        }
    }

    #[test]
    fn text_is_words_with_one_space_between() {
        let mut output = Output::new(Face::Text);
        output.row(|row| {
            row.field("index", "", 7_u32);
            row.glue(":");
            row.field("dev", "dev", Interface(b"v0"));
            row.json("hidden", 1_u8);
            row.joined("flags", ["<", ",", ">"], ["UP", "LOWER_UP"]);
            row.line("    ");
            row.null("onlink", "onlink");
        });
        assert_eq!(output.bytes, b"7: dev v0 <UP,LOWER_UP>\n    onlink\n");
    }
}
