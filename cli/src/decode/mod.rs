//! `decode`: netlink messages in, names and values out.

mod capture;
mod numbers;

use std::borrow::Cow;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use ringlink::codec::Message;
use ringlink::codec::protocol::{AUDIT, GENERIC, Numbering, PROTOCOLS, Protocol, ROUTE};
use ringlink::codec::uevent::Uevent;
use ringlink::codec::wire::{MessageType, Messages};

use crate::arguments::{Options, Words};
use crate::failure::Failure;
use crate::output::{Face, Formatted, Output};
use crate::session::warn;
use crate::uevents;
use capture::{Capture, Packet};
use numbers::Known;

/// What `ringlink decode help` says.
pub(crate) const HELP: &str = "\
ringlink [--json] [--show-keys] decode [--protocol P] [--family NAME=NUMBER …] [--offline] [FILE | -]
ringlink [--json] [--show-keys] decode [--pcap] CAPTURE …

Reads netlink messages, one behind the other, as raw bytes or as hexadecimal text (spaces, newlines, colons, commas
and `0x` between bytes do not matter, `#` begins a comment), and prints what is in them: a tree, or with --json one
object a line. The protocol is `route` unless said otherwise. Of `kobject_uevent`, the input is one datagram.

A capture of an nlmon interface (`ip link add nlmon0 type nlmon`, `tcpdump -i nlmon0 -w CAPTURE`), pcap or pcapng, says the
protocol of each packet itself. Each is printed with its number, time (UTC) and direction; --protocol then prints those of
one protocol. A packet that is not whole is told on standard error, and the others are printed.

Families of generic netlink have other numbers on each machine. They are taken from what the controller says in the input,
from --family, and for what is no capture from this machine's kernel, unless --offline.

  --family NAME=NUMBER  the number that a family had where the messages were written
  --offline             ask this machine's kernel nothing
  --pcap                the input is a capture (which is seen without it, too)
";

/// What the words ask for.
#[derive(Default)]
struct Asked<'w> {
    protocol: Option<&'static Protocol>,
    known: Known,
    offline: bool,
    capture: bool,
    file: Option<&'w str>,
}

/// Does what the words behind `decode` say.
pub(crate) fn run(options: &Options, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut asked = Asked::default();
    while let Some(word) = words.next() {
        match word.strip_prefix("--protocol=") {
            Some(name) => asked.protocol = Some(named(name).ok_or_else(|| words.refuse(&expected()))?),
            None if matches!(word, "--protocol" | "-p" | "protocol") => {
                asked.protocol = Some(words.parse(&expected(), named)?);
            }
            None if word == "--family" => {
                let (name, number) = words.parse(numbers::EXPECTED, numbers::named)?;
                asked.known.say(name, number).map_err(Failure::Usage)?;
            }
            None if word == "--offline" => asked.offline = true,
            None if word == "--pcap" => asked.capture = true,
            None if asked.file.is_none() => asked.file = Some(word),
            None => return Err(words.refuse("one file")),
        }
    }
    let bytes = read(asked.file.unwrap_or("-"))?;
    let mut output = Output::new(if options.json { Face::JsonLines } else { Face::Text });
    if asked.capture || capture::is_capture(&bytes) {
        let capture = || Capture::new(&bytes).map_err(Failure::Input);
        return packets(options, &mut output, asked.protocol, asked.known, capture()?, capture()?);
    }
    let messages = match hexadecimal(&bytes) {
        Some(Ok(messages)) => messages,
        Some(Err(failure)) => return Err(failure),
        None => bytes,
    };
    let protocol = asked.protocol.unwrap_or(&ROUTE);
    if protocol.number == GENERIC.number {
        if !asked.offline {
            asked.known.ask();
        }
        Messages::new(&messages).map_while(Result::ok).for_each(|message| asked.known.hear(message));
    }
    print(options, &mut output, protocol, &asked.known, &messages)
}

fn named(name: &str) -> Option<&'static Protocol> {
    Protocol::named(name).or_else(|| Protocol::numbered(crate::arguments::number(name)?))
}

fn expected() -> String {
    let names = PROTOCOLS.iter().map(|protocol| protocol.name.trim_start_matches("NETLINK_").to_lowercase());
    format!("a protocol ({})", names.collect::<Vec<_>>().join(", "))
}

fn read(file: &str) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = match file {
        "-" => io::stdin().lock().read_to_end(&mut bytes),
        path => File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    match read {
        Ok(_) => Ok(bytes),
        Err(error) => Err(Failure::Input(format!("`{file}`: {error}"))),
    }
}

/// The bytes that a text says in hexadecimal, if it is such a text: a message never is, for its length has zeros.
fn hexadecimal(text: &[u8]) -> Option<Result<Vec<u8>, Failure>> {
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
                    return Some(Err(Failure::Input(format!(
                        "line {number}: `{}` is no hexadecimal digit, at offset {offset}",
                        character.escape_debug()
                    ))));
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
        return Some(Err(Failure::Input(format!("the last byte has one digit, at offset {offset}"))));
    }
    Some(Ok(bytes))
}

/// Prints the messages up to the first that is none. Broken attributes are printed where they stand; the first of
/// them makes the whole a failure in the end.
fn print(
    options: &Options,
    output: &mut Output,
    protocol: &'static Protocol,
    known: &Known,
    bytes: &[u8],
) -> Result<(), Failure> {
    if bytes.is_empty() {
        return Err(Failure::Input("there is no message: the input is empty".into()));
    }
    let broken = match protocol.numbering {
        Numbering::Datagrams => {
            let event = uevent(bytes).map_err(Failure::Input)?;
            output.row(|row| uevents::print(row, &event));
            event.properties.into_iter().find_map(Result::err).map(|error| error.to_string())
        }
        _ => messages(&in_full(protocol, bytes), protocol, known, |message| {
            let shown = Shown { message, protocol, known, options };
            match options.json {
                true => output.verbatim(format_args!("{shown}\n")),
                false => output.verbatim(format_args!("{shown}")),
            }
        }),
    };
    output.close()?;
    known.tell_unknown();
    broken.map_or(Ok(()), |text| Err(Failure::Input(text)))
}

fn uevent(bytes: &[u8]) -> Result<Uevent<'_>, String> {
    let event = if bytes.starts_with(b"libudev\0") { Uevent::from_udev(bytes) } else { Uevent::from_kernel(bytes) };
    event.map_err(|error| error.to_string())
}

/// Hands the messages to a closure, up to the first that is none, and gives the first thing that is wrong with them.
fn messages<'m>(
    bytes: &'m [u8],
    protocol: &'static Protocol,
    known: &Known,
    mut each: impl FnMut(Message<'m>),
) -> Option<String> {
    let mut failure = None;
    let mut messages = Messages::new(bytes);
    loop {
        let start = messages.offset();
        match messages.next() {
            None => return failure,
            Some(Ok(message)) => {
                if protocol.number == GENERIC.number {
                    known.note(message.header.kind);
                }
                each(message);
                let described = protocol.description(message).is_some();
                let broken = protocol
                    .row(message, known.numbers())
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

/// A message as the options want it.
struct Shown<'s> {
    message: Message<'s>,
    protocol: &'static Protocol,
    known: &'s Known,
    options: &'s Options,
}

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let message = self.message;
        let printed = if self.options.json { message.json(self.protocol) } else { message.tree(self.protocol) };
        let printed = if self.options.show_keys { printed.with_secrets() } else { printed };
        printed.with(self.known.numbers()).fmt(f)
    }
}

/// Stands for protocols without tables: types, flags and bytes are printed.
static NO_TABLES: Protocol = Protocol { number: u8::MAX, name: "", numbering: Numbering::Types(&[]) };

/// Prints the packets of a capture; `before` is the same capture, for what has to be known first.
fn packets(
    options: &Options,
    output: &mut Output,
    wanted: Option<&'static Protocol>,
    mut known: Known,
    before: Capture<'_>,
    capture: Capture<'_>,
) -> Result<(), Failure> {
    let of_controller = |packet: &Packet<'_>| packet.protocol == u16::from(GENERIC.number);
    for packet in before.filter_map(Result::ok).filter(of_controller) {
        Messages::new(packet.bytes).map_while(Result::ok).for_each(|message| known.hear(message));
    }
    let (mut count, mut faults) = (0_usize, Vec::new());
    for packet in capture {
        count += 1;
        let fault = match packet {
            Ok(packet) if wanted.is_some_and(|wanted| packet.protocol != u16::from(wanted.number)) => None,
            Ok(packet) => self::packet(options, output, &known, &packet),
            Err(fault) => Some(fault.to_string()),
        };
        if let Some(fault) = fault {
            // What is printed comes first: both may go to the same place.
            output.flush();
            warn(format_args!("{fault}"));
            faults.push(fault);
        }
        if output.is_broken() {
            break;
        }
    }
    output.close()?;
    known.tell_unknown();
    match faults.first() {
        Some(first) => Err(Failure::Input(format!("{} of {count} packets are not whole; {first}", faults.len()))),
        None if count == 0 => Err(Failure::Input("there is no packet in the capture".into())),
        None => Ok(()),
    }
}

/// Prints a packet, and gives what is wrong with it.
fn packet(options: &Options, output: &mut Output, known: &Known, packet: &Packet<'_>) -> Option<String> {
    let number = u8::try_from(packet.protocol).ok();
    let protocol = number.and_then(Protocol::numbered).unwrap_or(&NO_TABLES);
    let name = match (protocol.name, number.and_then(|number| ringlink::Protocol(number).name())) {
        ("", Some(name)) => format!("NETLINK_{name}"),
        ("", None) => packet.protocol.to_string(),
        (name, _) => name.to_owned(),
    };
    let time = packet.time.map(|time| Time(time).to_string());
    if options.json {
        output.head(|row| {
            row.json("packet", packet.number);
            if let Some(time) = &time {
                row.json("time", time.as_str());
            }
            row.json("direction", Formatted(format_args!("{}", packet.direction)));
            row.json("protocol", name.as_str());
        });
    } else {
        let (time, between) = time.map_or((String::new(), ""), |time| (time, " "));
        let (number, direction, length) = (packet.number, packet.direction, packet.bytes.len());
        output.verbatim(format_args!("packet {number} {time}{between}{direction} {name}, {length} bytes\n"));
    }
    let broken = match protocol.numbering {
        Numbering::Datagrams => match uevent(packet.bytes) {
            Ok(event) => {
                output.row(|row| uevents::print(row, &event));
                None
            }
            Err(text) => Some(text),
        },
        _ if !is_readable(packet.bytes) => Some("written on a machine of the other byte order".into()),
        _ => messages(&in_full(protocol, without_zeros(packet.bytes)), protocol, known, |message| {
            output.made(&Shown { message, protocol, known, options }.to_string());
        }),
    };
    let text = match packet.missing {
        0 => broken?,
        missing => format!("{missing} bytes of it were not captured"),
    };
    Some(format!("packet {} at offset {}: {text}", packet.number, packet.offset))
}

/// The bytes with a length that is the datagram's: records that audit sends to its daemon say one without the header's.
fn in_full<'b>(protocol: &Protocol, bytes: &'b [u8]) -> Cow<'b, [u8]> {
    let said = bytes.first_chunk().map(|length| u32::from_ne_bytes(*length));
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    match protocol.number == AUDIT.number && length > 16 && said == Some(length - 16) {
        true => [&length.to_ne_bytes(), bytes.get(4..).unwrap_or_default()].concat().into(),
        false => bytes.into(),
    }
}

/// The packet up to zeros behind its last message, which some programs send and the kernel passes over.
fn without_zeros(bytes: &[u8]) -> &[u8] {
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
fn is_readable(bytes: &[u8]) -> bool {
    let Some(length) = bytes.first_chunk() else { return true };
    let fits = |length: u32| (16..=bytes.len()).contains(&usize::try_from(length).unwrap_or(usize::MAX));
    let length = u32::from_ne_bytes(*length);
    fits(length) || !fits(length.swap_bytes())
}

/// Nanoseconds since 1970, printed in UTC as RFC 3339 has it, to the microsecond.
struct Time(u64);

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
