//! Captures of messages, and damage to them.

#![allow(dead_code, reason = "each test uses its part")]

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

/// Calls `check` with every truncation of a message, as it is and with the length in its header put right, and with
/// every message in which one byte has another value.
pub fn every_damage(bytes: &[u8], mut check: impl FnMut(&[u8])) {
    for length in 0..bytes.len() {
        check(&bytes[..length]);
        if length >= 16 {
            let mut shorter = bytes[..length].to_vec();
            shorter[..4].copy_from_slice(&u32::try_from(length).unwrap().to_ne_bytes());
            check(&shorter);
        }
    }
    let mut damaged = bytes.to_vec();
    for at in 0..bytes.len() {
        for value in (0..=u8::MAX).filter(|value| *value != bytes[at]) {
            damaged[at] = value;
            check(&damaged);
        }
        damaged[at] = bytes[at];
    }
}
