//! Captures of messages, and damage to them.

#![allow(dead_code, reason = "each test uses its part")]

use std::fmt::{Display, Write};

use ringlink_codec::Message;
use ringlink_codec::table::{Body, Format, Operation};

/// The messages of a capture: one a line in hexadecimal; lines that begin with `#` say where they come from.
pub fn messages(text: &str) -> Vec<Vec<u8>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(bytes).collect()
}

fn bytes(line: &str) -> Vec<u8> {
    let digits: Vec<u8> = line.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(pair).collect()
}

/// One line for each message of a capture.
pub fn lines<Q: Format, A>(
    capture: &str,
    operation: Operation<Q, A>,
    line: impl Fn(Body<'_, Q>) -> String,
) -> Vec<String> {
    let read = |bytes: &Vec<u8>| line(Message::parse(bytes).unwrap().body(operation).unwrap());
    messages(capture).iter().map(read).collect()
}

/// Checks lines one by one, so that a failure shows which.
pub fn expect(found: &[String], expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

/// Adds a name and a value to a line, where there is one.
pub fn some<T: Display>(line: &mut String, name: &str, value: Option<T>) {
    if let Some(value) = value {
        write!(line, " {name} {value}").unwrap();
    }
}

/// Calls `check` with every truncation of a message, as it is and with the length in its header put right, and with
/// every message in which one byte has another value. Where code is interpreted only some of them.
pub fn every_damage(bytes: &[u8], mut check: impl FnMut(&[u8])) {
    let (lengths, values) = if cfg!(miri) { (bytes.len() / 8 + 1, 97) } else { (1, 1) };
    for length in (0..bytes.len()).step_by(lengths) {
        check(&bytes[..length]);
        if length >= 16 {
            let mut shorter = bytes[..length].to_vec();
            shorter[..4].copy_from_slice(&u32::try_from(length).unwrap().to_ne_bytes());
            check(&shorter);
        }
    }
    let mut damaged = bytes.to_vec();
    for at in (0..bytes.len()).step_by(lengths) {
        for value in (0..=u8::MAX).step_by(values).filter(|value| *value != bytes[at]) {
            damaged[at] = value;
            check(&damaged);
        }
        damaged[at] = bytes[at];
    }
}
