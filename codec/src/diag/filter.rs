//! Which sockets: expressions as `ss` takes them, made into [programs](super::bytecode) for the kernel.
//!
//! ```text
//! sport = :22                 own port; = != < > <= >=, or eq ne lt gt le ge
//! dport >= 1024               the peer's port, with or without the colon
//! src 10.0.0.0/8:443          own address, with a port if need be; [2001:db8::]/32, *:22
//! dst != 192.0.2.7            the peer's address
//! dev eth0                    bound to this interface
//! fwmark = 0x1/0xff           mark of its packets
//! cgroup /sys/fs/cgroup/a     of this control group
//! autobound                   the kernel chose the port
//! ( A or B ) and not C        also | || & && !; two side by side are `and`
//! ```
//!
//! As with `ss`, `and` and `or` bind alike, from the left to the right.
//!
//! ```
//! use ringlink_codec::diag::filter::{NoNames, compile};
//!
//! let mut buffer = [0; 128];
//! let program = compile("sport = :22 or dport = :22", &NoNames, &mut buffer)?;
//! assert_eq!(program, [11, 8, 12, 0, 0, 0, 22, 0, 1, 4, 12, 0, 12, 8, 12, 0, 0, 0, 22, 0]);
//! # Ok::<(), ringlink_codec::diag::filter::FilterError>(())
//! ```

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::bytecode::{Comparison, Condition, Host, Program};
use crate::wire::Error;

/// What names in expressions mean. Numbers are understood without.
pub trait Names {
    /// The index of an interface.
    fn interface(&self, name: &str) -> Option<u32>;
    /// The number of a port.
    fn port(&self, name: &str) -> Option<u16>;
    /// The inode of a control group.
    fn control_group(&self, path: &str) -> Option<u64>;
}

/// Knows no names.
#[derive(Clone, Copy, Debug)]
pub struct NoNames;

impl Names for NoNames {
    fn interface(&self, _: &str) -> Option<u32> {
        None
    }

    fn port(&self, _: &str) -> Option<u16> {
        None
    }

    fn control_group(&self, _: &str) -> Option<u64> {
        None
    }
}

/// Why an expression is no program. It is about text, not about bytes, so it is not an [`Error`] of the crate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FilterError {
    /// Something else should stand there.
    Expected {
        /// Where, in bytes of the text.
        at: usize,
        /// What.
        what: &'static str,
    },
    /// Parentheses and negations are deeper than [`DEPTH`].
    TooDeep {
        /// Where, in bytes of the text.
        at: usize,
    },
    /// The program does not fit.
    Program(Error),
}

/// How deep parentheses and negations may be.
pub const DEPTH: usize = 32;

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Expected { at, what } => write!(f, "at character {}: expected {what}", at.saturating_add(1)),
            Self::TooDeep { at } => {
                write!(f, "at character {}: more than {DEPTH} parentheses within each other", at.saturating_add(1))
            }
            Self::Program(error) => error.fmt(f),
        }
    }
}

impl core::error::Error for FilterError {}

/// Makes an expression into a program. No expression makes an empty one, which is not to be sent.
///
/// # Errors
///
/// Where the text is no expression, a name is unknown, or the buffer is too small: 24 bytes for each condition are enough, and
/// four for each word between them.
pub fn compile<'b>(text: &str, names: &dyn Names, buffer: &'b mut [u8]) -> Result<&'b mut [u8], FilterError> {
    let mut parser = Parser { text, at: 0, names, program: Program::new(buffer), depth: 0 };
    if !parser.peek().is_empty() {
        parser.expression()?;
        if !parser.peek().is_empty() {
            return Err(parser.expected("and, or, or the end"));
        }
    }
    parser.program.finish().map_err(FilterError::Program)
}

struct Parser<'t, 'b> {
    text: &'t str,
    at: usize,
    names: &'t dyn Names,
    program: Program<'b>,
    depth: usize,
}

impl<'t> Parser<'t, '_> {
    /// Terms and what stands between them, from the left to the right.
    fn expression(&mut self) -> Result<(), FilterError> {
        let start = self.program.length();
        self.term()?;
        loop {
            match self.peek() {
                "" | ")" => return Ok(()),
                "|" | "||" | "or" => {
                    self.next();
                    let jump = self.program.jump();
                    self.term()?;
                    self.program.land(jump);
                }
                word => {
                    if matches!(word, "&" | "&&" | "and") {
                        self.next();
                    }
                    let middle = self.program.length();
                    self.term()?;
                    self.program.join(start, middle);
                }
            }
        }
    }

    fn term(&mut self) -> Result<(), FilterError> {
        match self.peek() {
            "!" | "not" => self.deeper(|parser| {
                parser.term()?;
                parser.program.turn();
                Ok(())
            }),
            "(" => self.deeper(|parser| {
                parser.expression()?;
                match parser.peek() {
                    ")" => parser.next(),
                    _ => return Err(parser.expected("a closing parenthesis")),
                };
                Ok(())
            }),
            _ => self.condition(),
        }
    }

    fn deeper(&mut self, inner: impl FnOnce(&mut Self) -> Result<(), FilterError>) -> Result<(), FilterError> {
        if self.depth == DEPTH {
            return Err(FilterError::TooDeep { at: self.at });
        }
        self.depth = self.depth.saturating_add(1);
        self.next();
        inner(self)?;
        self.depth = self.depth.saturating_sub(1);
        Ok(())
    }

    fn condition(&mut self) -> Result<(), FilterError> {
        match self.peek() {
            "sport" => self.port(Condition::SourcePort),
            "dport" => self.port(Condition::DestinationPort),
            "src" => self.value("an address", |parser, word| parser.host(word).map(Condition::Source)),
            "dst" => self.value("an address", |parser, word| parser.host(word).map(Condition::Destination)),
            "dev" => self.value("an interface", |parser, word| {
                word.parse().ok().or_else(|| parser.names.interface(word)).map(Condition::Device)
            }),
            "fwmark" => self.value("a mark, or a mark and a mask (0x1/0xff)", |_, word| {
                let (mark, mask) = word.split_once('/').map_or((word, None), |(mark, mask)| (mark, Some(mask)));
                Some(Condition::Mark { mark: number(mark)?, mask: mask.map_or(Some(u32::MAX), number)? })
            }),
            "cgroup" => self
                .value("a control group", |parser, word| parser.names.control_group(word).map(Condition::ControlGroup)),
            "autobound" => {
                self.next();
                self.program.condition(Condition::AutoBound);
                Ok(())
            }
            _ => Err(self.expected("sport, dport, src, dst, dev, fwmark, cgroup, autobound, not or a parenthesis")),
        }
    }

    /// `sport >= :22`.
    fn port(&mut self, condition: impl Fn(Comparison, u16) -> Condition) -> Result<(), FilterError> {
        self.next();
        // Whether it is the opposite that is asked for.
        let (comparison, turned) = match self.peek() {
            "=" | "==" | "eq" => (Comparison::Equal, false),
            "!=" | "ne" | "neq" => (Comparison::Equal, true),
            ">=" | "ge" | "geq" => (Comparison::AtLeast, false),
            "<=" | "le" | "leq" => (Comparison::AtMost, false),
            ">" | "gt" => (Comparison::AtMost, true),
            "<" | "lt" => (Comparison::AtLeast, true),
            // `sport :22`
            word if word.starts_with(|first: char| first == ':' || first.is_ascii_digit()) => {
                (Comparison::Equal, false)
            }
            _ => return Err(self.expected("=, !=, <, >, <= or >=")),
        };
        if !self.peek().starts_with(|first: char| first == ':' || first.is_ascii_digit()) {
            self.next();
        }
        let word = self.peek();
        let port = self.port_number(word.strip_prefix(':').unwrap_or(word));
        let port = port.ok_or_else(|| self.expected("a port"))?;
        self.next();
        self.program.condition(condition(comparison, port));
        if turned {
            self.program.turn();
        }
        Ok(())
    }

    /// `src = 10.0.0.1`, where the sign may be left out.
    fn value(
        &mut self,
        what: &'static str,
        read: impl FnOnce(&Self, &'t str) -> Option<Condition>,
    ) -> Result<(), FilterError> {
        self.next();
        let turned = matches!(self.peek(), "!=" | "ne" | "neq");
        if turned || matches!(self.peek(), "=" | "==" | "eq") {
            self.next();
        }
        let condition = read(self, self.peek()).ok_or_else(|| self.expected(what))?;
        self.next();
        self.program.condition(condition);
        if turned {
            self.program.turn();
        }
        Ok(())
    }

    fn port_number(&self, word: &str) -> Option<u16> {
        match word.starts_with('+') {
            true => None,
            false => word.parse().ok().or_else(|| self.names.port(word)),
        }
    }

    /// An address, a prefix, a port, or an address or prefix and a port.
    fn host(&self, word: &str) -> Option<Host> {
        let word = word.strip_prefix("inet:").or_else(|| word.strip_prefix("inet6:")).unwrap_or(word);
        if let Some(inside) = word.strip_prefix('[') {
            let (address, behind) = inside.split_once(']')?;
            // The prefix's length may stand on either side of the bracket.
            let (address, length) = address.split_at_checked(address.find('/').unwrap_or(address.len()))?;
            let address: Ipv6Addr = address.parse().ok()?;
            let (within, _) = self.behind(length, 128)?;
            let (length, port) = self.behind(behind, within)?;
            return Some(Host { address: Some((address.into(), length)), port });
        }
        // More than one colon is IPv6, which has a port only in brackets.
        let (name, behind) = match word.bytes().filter(|byte| *byte == b':').count() {
            0 | 1 => word.split_at_checked(word.find(['/', ':']).unwrap_or(word.len()))?,
            _ => word.split_at_checked(word.find('/').unwrap_or(word.len()))?,
        };
        if matches!(name, "" | "*") {
            let (_, port) = self.behind(behind, 0)?;
            return (name == "*" || port.is_some()).then_some(Host { address: None, port });
        }
        let address = name.parse::<Ipv4Addr>().map(IpAddr::V4).or_else(|_| name.parse().map(IpAddr::V6)).ok()?;
        let (length, port) = self.behind(behind, if address.is_ipv4() { 32 } else { 128 })?;
        Some(Host { address: Some((address, length)), port })
    }

    /// What follows an address: `/8`, `:443`, `/8:443`, `:*` or nothing.
    fn behind(&self, rest: &str, bits: u8) -> Option<(u8, Option<u16>)> {
        let (length, port) = rest.split_at_checked(rest.find(':').unwrap_or(rest.len()))?;
        let length = match length.strip_prefix('/') {
            Some(length) => length.parse().ok().filter(|length| *length <= bits)?,
            None if length.is_empty() => bits,
            None => return None,
        };
        match port {
            "" | ":*" => Some((length, None)),
            port => Some((length, Some(self.port_number(port.strip_prefix(':')?)?))),
        }
    }

    /// The token that comes next, empty at the end: a parenthesis, signs, or a word without these.
    fn peek(&self) -> &'t str {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let rest = rest.trim_start();
        let is_sign = |letter: char| "!=<>&|".contains(letter);
        let end = match rest.chars().next() {
            Some('(' | ')') => 1,
            // `!(` and `!!` are signs of their own, `!=` is one.
            Some('!') => 1_usize.saturating_add(usize::from(rest.get(1..2) == Some("="))),
            Some(sign) if is_sign(sign) => rest.find(|letter| !is_sign(letter) || letter == '!').unwrap_or(rest.len()),
            _ => rest
                .find(|letter: char| letter.is_whitespace() || "()".contains(letter) || is_sign(letter))
                .unwrap_or(rest.len()),
        };
        rest.get(..end).unwrap_or_default()
    }

    /// Goes past the token that comes next.
    fn next(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let blank = rest.len().saturating_sub(rest.trim_start().len());
        self.at = self.at.saturating_add(blank).saturating_add(self.peek().len());
    }

    fn expected(&self, what: &'static str) -> FilterError {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let blank = rest.len().saturating_sub(rest.trim_start().len());
        FilterError::Expected { at: self.at.saturating_add(blank), what }
    }
}

/// A number, decimal or with `0x` before it.
fn number(word: &str) -> Option<u32> {
    match word.strip_prefix("0x") {
        Some(digits) if !digits.starts_with('+') => u32::from_str_radix(digits, 16).ok(),
        Some(_) => None,
        None if word.starts_with('+') => None,
        None => word.parse().ok(),
    }
}
