//! What is read: text in hexadecimal, messages, events, and what captures hold of them. All of it is untrusted.

use std::borrow::Cow;
use std::fmt;

use ringlink::codec::Message;
use ringlink::codec::generic::Numbers;
use ringlink::codec::protocol::{AUDIT, Protocol};
use ringlink::codec::uevent::Uevent;
use ringlink::codec::wire::{MessageType, Messages};

/// The bytes that a text says in hexadecimal, if it is such a text: a message never is, for its length has zeros.
pub(super) fn hexadecimal(text: &[u8]) -> Option<Result<Vec<u8>, String>> {
    let text = std::str::from_utf8(text).ok().filter(|text| !text.contains('\0'))?;
    let mut bytes = Vec::new();
    let mut high = None;
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default();
        for word in line.split(|between: char| between.is_whitespace() || matches!(between, ':' | ',' | '-')) {
            let digits = word.strip_prefix("0x").unwrap_or(word);
            for character in digits.chars() {
                let Some(digit) = character.to_digit(16).and_then(|digit| u8::try_from(digit).ok()) else {
                    let offset = bytes.len();
                    return Some(Err(format!(
                        "line {number}: `{}` is no hexadecimal digit, at offset {offset}",
                        character.escape_debug()
                    )));
                };
                match high.take() {
                    None => high = Some(digit),
                    Some(high) => bytes.push(high << 4 | digit),
                }
            }
        }
    }
    if high.is_some() {
        let offset = bytes.len();
        return Some(Err(format!("the last byte has one digit, at offset {offset}")));
    }
    Some(Ok(bytes))
}

/// An event of the kernel's or of udev's.
pub(super) fn uevent(bytes: &[u8]) -> Result<Uevent<'_>, String> {
    let event = if bytes.starts_with(b"libudev\0") { Uevent::from_udev(bytes) } else { Uevent::from_kernel(bytes) };
    event.map_err(|error| error.to_string())
}

/// Hands the messages to a closure, up to the first that is none, and gives the first thing that is wrong with them.
pub(super) fn messages<'m>(
    bytes: &'m [u8],
    protocol: &'static Protocol,
    numbers: Numbers<'_>,
    mut each: impl FnMut(Message<'m>),
) -> Option<String> {
    let mut failure = None;
    let mut messages = Messages::new(bytes);
    loop {
        let start = messages.offset();
        match messages.next() {
            None => return failure,
            Some(Ok(message)) => {
                each(message);
                let described = protocol.description(message).is_some();
                let broken = protocol
                    .row(message, numbers)
                    .filter(|_| !described && message.header.kind >= MessageType::FIRST)
                    .and_then(|row| message.raw_attributes(row.header.length(message.payload)).find_map(Result::err));
                if let Some(error) = broken {
                    failure.get_or_insert_with(|| format!("the message at offset {start}: {error} in it"));
                }
            }
            Some(Err(error)) => {
                failure.get_or_insert_with(|| error.to_string());
            }
        }
    }
}

/// The bytes with a length that is the datagram's: records that audit sends to its daemon say one without the header's.
pub(super) fn in_full<'b>(protocol: &Protocol, bytes: &'b [u8]) -> Cow<'b, [u8]> {
    let said = bytes.first_chunk().map(|length| u32::from_ne_bytes(*length));
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    match protocol.number == AUDIT.number && length > 16 && said == Some(length - 16) {
        true => [&length.to_ne_bytes(), bytes.get(4..).unwrap_or_default()].concat().into(),
        false => bytes.into(),
    }
}

/// The packet up to zeros behind its last message, which some programs send and the kernel passes over.
pub(super) fn without_zeros(bytes: &[u8]) -> &[u8] {
    let mut messages = Messages::new(bytes);
    loop {
        let at = messages.offset();
        match messages.next() {
            Some(Ok(_)) => {}
            Some(Err(_)) if bytes.get(at..).is_some_and(|rest| at > 0 && rest.iter().all(|byte| *byte == 0)) => {
                return bytes.get(..at).unwrap_or(bytes);
            }
            _ => return bytes,
        }
    }
}

/// Whether the first message's length is one in this machine's byte order rather than in the other.
pub(super) fn is_readable(bytes: &[u8]) -> bool {
    let Some(length) = bytes.first_chunk() else { return true };
    let fits = |length: u32| (16..=bytes.len()).contains(&usize::try_from(length).unwrap_or(usize::MAX));
    let length = u32::from_ne_bytes(*length);
    fits(length) || !fits(length.swap_bytes())
}

/// Nanoseconds since 1970, printed in UTC as RFC 3339 has it, to the microsecond.
pub(super) struct Time(pub(super) u64);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (seconds, micros) = (self.0 / 1_000_000_000, self.0 / 1000 % 1_000_000);
        let (days, second) = (seconds / 86_400, seconds % 86_400);
        // Years that begin in March have their leap day at the end, and 400 of them have 146,097 days.
        let days = days + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let month = (5 * day + 2) / 153;
        let day = day - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = year + era * 400 + u64::from(month <= 2);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{micros:06}Z")
    }
}

#[cfg(test)]
mod tests {
    use ringlink::codec::protocol::ROUTE;

    use super::*;

    #[test]
    fn times_are_told_in_utc() {
        let cases = [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399_999_999_999, "2000-02-28T23:59:59.999999Z"),
            (951_782_400_000_001_000, "2000-02-29T00:00:00.000001Z"),
            (1_709_251_200_000_000_000, "2024-03-01T00:00:00.000000Z"),
            (4_107_542_400_000_000_000, "2100-03-01T00:00:00.000000Z"),
            (u64::MAX, "2554-07-21T23:34:33.709551Z"),
        ];
        for (time, expected) in cases {
            assert_eq!(Time(time).to_string(), expected);
        }
    }

    #[test]
    fn lengths_are_those_of_this_machine_and_this_datagram() {
        let message = [16_u32.to_ne_bytes(), [0; 4], [0; 4], [0; 4]].concat();
        assert!(is_readable(&message) && is_readable(&[]) && is_readable(&[1, 2]));
        let mut other = message.clone();
        other[..4].reverse();
        assert!(!is_readable(&other));
        let record = [&4_u32.to_ne_bytes()[..], &[0; 12], b"text"].concat();
        let whole = in_full(&AUDIT, &record);
        assert_eq!((whole[..4].as_ref(), &whole[4..]), (&20_u32.to_ne_bytes()[..], &record[4..]));
        assert_eq!(*in_full(&ROUTE, &record), *record);
        assert_eq!(*in_full(&AUDIT, &message), *message);
        let padded = [&message[..], &[0; 20]].concat();
        assert_eq!((without_zeros(&padded).len(), without_zeros(&[0; 20]).len()), (16, 20));
    }
}
