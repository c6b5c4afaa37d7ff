//! `decode`: netlink messages in, names and values out.

mod capture;
mod input;
mod numbers;

use std::fmt;
use std::fs::File;
use std::io::{self, Read};

use ringlink::codec::Message;
use ringlink::codec::protocol::{GENERIC, Numbering, PROTOCOLS, Protocol, ROUTE_AND_TRAFFIC};
use ringlink::codec::wire::Messages;

use crate::arguments::{Options, Words};
use crate::failure::Failure;
use crate::output::{Face, Formatted, Output};
use crate::session::warn;
use crate::uevents;
use capture::{Capture, Packet};
use input::{Time, hexadecimal, in_full, is_readable, messages, uevent, without_zeros};
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
        Some(Err(text)) => return Err(Failure::Input(text)),
        None => bytes,
    };
    let protocol = asked.protocol.unwrap_or(&ROUTE_AND_TRAFFIC);
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
        _ => messages(&in_full(protocol, bytes), protocol, known.numbers(), |message| {
            known.note(protocol, message);
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
        _ => messages(&in_full(protocol, without_zeros(packet.bytes)), protocol, known.numbers(), |message| {
            known.note(protocol, message);
            output.made(&Shown { message, protocol, known, options }.to_string());
        }),
    };
    let text = match packet.missing {
        0 => broken?,
        missing => format!("{missing} bytes of it were not captured"),
    };
    Some(format!("packet {} at offset {}: {text}", packet.number, packet.offset))
}
