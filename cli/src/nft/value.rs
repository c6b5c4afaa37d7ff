//! Values in words, made the bytes that registers and sets hold.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::expression::ones;
use super::print::protocol;
use super::types::{Order, Style, Type};
use crate::names::Names;

/// What a value says of a type: one, or all between two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) first: u128,
    pub(super) last: u128,
}

impl Interval {
    /// Whether it is one value.
    pub(super) fn is_one(&self) -> bool {
        self.first == self.last
    }
}

/// The bytes of a number.
pub(super) fn bytes(number: u128, order: Order, length: usize) -> Vec<u8> {
    let all = number.to_be_bytes();
    let mut bytes: Vec<u8> = all.iter().skip(16_usize.saturating_sub(length)).copied().collect();
    if order == Order::Host && cfg!(target_endian = "little") {
        bytes.reverse();
    }
    bytes
}

/// A time: `1d2h3m4s5ms`, or seconds; in milliseconds.
pub(super) fn duration(word: &str) -> Option<u64> {
    if let Ok(seconds) = word.parse::<u64>() {
        return seconds.checked_mul(1000);
    }
    let mut total = 0_u64;
    let mut rest = word;
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let (number, behind) = rest.split_at(digits);
        let end = behind.find(|character: char| character.is_ascii_digit()).unwrap_or(behind.len());
        let (unit, next) = behind.split_at(end);
        let scale = match unit {
            "w" => 604_800_000,
            "d" => 86_400_000,
            "h" => 3_600_000,
            "m" => 60_000,
            "s" => 1000,
            "ms" => 1,
            _ => return None,
        };
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(scale)?)?;
        rest = next;
    }
    (total != 0).then_some(total)
}

/// A number, decimal or in hexadecimal.
pub(super) fn number(word: &str) -> Option<u128> {
    match word.strip_prefix("0x") {
        Some(digits) => u128::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    }
}

/// The port of a service (`/etc/services`).
fn service(word: &str) -> Option<u128> {
    let text = std::fs::read_to_string("/etc/services").unwrap_or_default();
    text.lines().find_map(|line| {
        let mut words = line.split('#').next()?.split_whitespace();
        let name = words.next()?;
        let port = words.next()?.split('/').next()?.parse().ok()?;
        (name == word || words.any(|alias| alias == word)).then_some(port)
    })
}

/// One value of a type.
pub(super) fn one(word: &str, ty: Type, names: &Names) -> Option<u128> {
    if let Some(value) = ty.value(word) {
        return Some(value.into());
    }
    match ty.facts().style {
        Style::Ipv4 => word.parse::<Ipv4Addr>().ok().map(|address| u32::from(address).into()),
        Style::Ipv6 => word.parse::<Ipv6Addr>().ok().map(u128::from),
        Style::Hardware => {
            let bytes = crate::arguments::hardware(word)?;
            super::expression::number(&bytes, Order::Big)
        }
        Style::Protocol => number(word).or_else(|| (0..=255).find(|number| protocol(*number) == Some(word))),
        Style::Interface => names.index(word.trim_matches('"')).map(u128::from).or_else(|| number(word)),
        Style::Boolean => match word {
            "exists" => Some(1),
            "missing" => Some(0),
            _ => number(word),
        },
        Style::Duration => duration(word).map(u128::from),
        Style::Class => {
            let (major, minor) = word.split_once(':')?;
            let part = |text: &str| if text.is_empty() { Some(0) } else { u32::from_str_radix(text, 16).ok() };
            Some((u128::from(part(major)?) << 16) | u128::from(part(minor)?))
        }
        Style::Group => names.groups().number(word).map(u128::from),
        Style::Realm => names.realms().number(word).map(u128::from),
        Style::Mark => names.marks().number(word).map(u128::from).or_else(|| number(word)),
        Style::Flags => word
            .split(',')
            .map(|flag| ty.value(flag).map(u128::from).or_else(|| number(flag)))
            .try_fold(0, |all, flag| Some(all | flag?)),
        Style::Number if ty == Type::SERVICE => number(word).filter(|port| *port <= 0xffff).or_else(|| service(word)),
        Style::Number | Style::Hex(_) => number(word),
        Style::Label => number(word).and_then(|bit| 1_u128.checked_shl(u32::try_from(bit).ok()?)),
        _ => None,
    }
}

/// A value, a prefix or a range of a type whose values have so many bits.
pub(super) fn interval(word: &str, ty: Type, bits: u32, names: &Names) -> Option<Interval> {
    let fits = |number: &u128| *number <= ones(bits);
    if let Some(number) = one(word, ty, names).filter(fits) {
        return Some(Interval { first: number, last: number });
    }
    if let Some((address, length)) = word.split_once('/') {
        let length: u32 = length.parse().ok().filter(|length| *length <= bits)?;
        let host = ones(bits - length);
        let address = one(address, ty, names).filter(fits)?;
        return Some(Interval { first: address & !host, last: address | host });
    }
    let (first, last) = word.split_once('-')?;
    let (first, last) = (one(first, ty, names).filter(fits)?, one(last, ty, names).filter(fits)?);
    (first <= last).then_some(Interval { first, last })
}

/// Text in a register.
pub(super) fn text(word: &str) -> Vec<u8> {
    let mut bytes = vec![0; 16];
    bytes.iter_mut().zip(word.trim_matches('"').bytes().take(15)).for_each(|(to, from)| *to = from);
    bytes
}

/// What a value is called when it is missing.
pub(super) fn expected(ty: Type) -> String {
    let facts = ty.facts();
    let some: Vec<&str> = facts.symbols.iter().take(3).map(|(_, name)| *name).collect();
    match some.as_slice() {
        [] => format!("a value of type {}", facts.name),
        some => format!("a value of type {} ({} …)", facts.name, some.join(", ")),
    }
}
