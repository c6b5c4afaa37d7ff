//! `decode`: netlink messages in, names and values out.

use std::fs::File;
use std::io::{self, Read};

use ringlink::codec::generic::Numbers;
use ringlink::codec::protocol::{Numbering, PROTOCOLS, Protocol, ROUTE};
use ringlink::codec::uevent::Uevent;
use ringlink::codec::wire::Messages;

use crate::arguments::{Options, Words};
use crate::failure::Failure;
use crate::output::{Face, Output};
use crate::uevents;

/// What `ringlink decode help` says.
pub(crate) const HELP: &str = "\
ringlink [--json] decode [--protocol P] [FILE | -]

Reads netlink messages, one behind the other, as raw bytes or as hexadecimal text (spaces, newlines, colons, commas
and `0x` between bytes do not matter, `#` begins a comment), and prints what is in them: a tree, or with --json one
object a line. The protocol is `route` unless said otherwise. Of `kobject_uevent`, the input is one datagram.
";

/// Does what the words behind `decode` say.
pub(crate) fn run(options: &Options, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut protocol: &'static Protocol = &ROUTE;
    let mut file = None;
    while let Some(word) = words.next() {
        match word.strip_prefix("--protocol=") {
            Some(name) => protocol = named(name).ok_or_else(|| words.refuse(&expected()))?,
            None if matches!(word, "--protocol" | "-p" | "protocol") => protocol = words.parse(&expected(), named)?,
            None if file.is_none() => file = Some(word),
            None => return Err(words.refuse("one file")),
        }
    }
    let bytes = read(file.unwrap_or("-"))?;
    let messages = match hexadecimal(&bytes) {
        Some(Ok(messages)) => messages,
        Some(Err(failure)) => return Err(failure),
        None => bytes,
    };
    print(options, protocol, &messages)
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
fn print(options: &Options, protocol: &'static Protocol, bytes: &[u8]) -> Result<(), Failure> {
    if bytes.is_empty() {
        return Err(Failure::Input("there is no message: the input is empty".into()));
    }
    let mut output = Output::new(if options.json { Face::JsonLines } else { Face::Text });
    if let Numbering::Datagrams = protocol.numbering {
        let event = if bytes.starts_with(b"libudev\0") { Uevent::from_udev(bytes) } else { Uevent::from_kernel(bytes) };
        let event = event.map_err(|error| Failure::Input(error.to_string()))?;
        output.row(|row| uevents::print(row, &event));
        output.close()?;
        let broken = event.properties.into_iter().find_map(Result::err);
        return broken.map_or(Ok(()), |error| Err(Failure::Input(error.to_string())));
    }
    let mut failure = None;
    let mut messages = Messages::new(bytes);
    loop {
        let start = messages.offset();
        match messages.next() {
            None => break,
            Some(Ok(message)) => {
                let (tree, json) = (message.tree(protocol), message.json(protocol));
                let (tree, json) =
                    if options.show_keys { (tree.with_secrets(), json.with_secrets()) } else { (tree, json) };
                if options.json {
                    output.verbatim(format_args!("{json}\n"));
                } else {
                    output.verbatim(format_args!("{tree}"));
                }
                let described = protocol.description(message).is_some();
                let broken = protocol
                    .row(message, Numbers::default())
                    .filter(|_| !described)
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
    output.close()?;
    match failure {
        Some(text) => Err(Failure::Input(text)),
        None => Ok(()),
    }
}
