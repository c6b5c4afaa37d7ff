//! Events of other protocols than rtnetlink.

use std::collections::BTreeSet;

use ringlink::codec::Message;
use ringlink::codec::generic::{Family, Numbers};
use ringlink::codec::protocol::Protocol as Tables;
use ringlink::codec::uevent::Uevent;
use ringlink::engine::Deadline;
use ringlink::generic::Generic;
use ringlink::monitor::Notice;
use ringlink::{Monitor, Protocol};

use super::objects::Other;
use super::screen::{Head, Screen, event_of};
use super::{by_any_engine, loss, told};
use crate::arguments::Words;
use crate::failure::Failure;
use crate::output::{Formatted, Kind, Show};
use crate::session::{Session, warn};
use crate::uevents;

/// Whose events are printed.
struct Source {
    /// How it is called in JSON.
    object: String,
    protocol: Protocol,
    /// Its multicast groups.
    groups: Vec<(String, u32)>,
    /// Of generic netlink, the family and its number.
    family: Option<(u16, &'static Family)>,
    /// Whether keys are printed.
    show_keys: bool,
}

/// Prints the events of a protocol: of the groups that the words name, or of all.
pub(super) fn run(
    session: &mut Session,
    other: &'static Other,
    words: &mut Words<'_>,
    mut all_netns: bool,
) -> Result<(), Failure> {
    let source = match other.protocol {
        Protocol::GENERIC => family(session, words.value("a family of generic netlink")?)?,
        protocol => Source {
            object: other.name.to_owned(),
            protocol,
            groups: other.groups().collect(),
            family: None,
            show_keys: session.options.show_keys,
        },
    };
    let mut groups = BTreeSet::new();
    while let Some(word) = words.next() {
        match (word, source.groups.iter().find(|(name, _)| name == word)) {
            ("all", _) => groups.extend(source.groups.iter().map(|(_, number)| *number)),
            ("--all-netns" | "all-nsid", _) => all_netns = true,
            (_, Some((_, number))) => groups.extend([*number]),
            (_, None) => {
                let names: Vec<&str> = source.groups.iter().map(|(name, _)| name.as_str()).collect();
                return Err(words.refuse(&format!("all, or groups of {}: {}", source.object, names.join(" "))));
            }
        }
    }
    if groups.is_empty() {
        groups.extend(source.groups.iter().map(|(_, number)| *number));
    }
    let groups: Vec<u32> = groups.into_iter().collect();
    let mut config = session.config().clone();
    config.socket.listen_all_nsid = all_netns;
    let monitor = by_any_engine(&config, |config| Monitor::with(source.protocol, config, &groups))?;
    let mut screen = Screen::new(session, true, all_netns);
    told(session, &monitor);
    loop {
        match monitor.receive(Deadline::none()) {
            Ok(notice) => print(&mut screen, &source, &notice),
            Err(error) => loss(error)?,
        }
        screen.output.flush();
        if screen.output.is_broken() {
            return Ok(screen.output.close()?);
        }
    }
}

/// Asks the controller for a family's number and groups.
fn family(session: &Session, name: &str) -> Result<Source, Failure> {
    let info = match Generic::with(session.config().clone())?.family(name) {
        Err(error) if error.is_not_found() => {
            return Err(Failure::Input(format!("this kernel has no family `{name}` of generic netlink")));
        }
        other => other?,
    };
    if info.groups.is_empty() {
        return Err(Failure::Input(format!("family `{name}` has no multicast groups")));
    }
    let family = Family::named(name).map(|family| (info.id, family));
    Ok(Source {
        object: info.name,
        protocol: Protocol::GENERIC,
        groups: info.groups.into_iter().collect(),
        family,
        show_keys: session.options.show_keys,
    })
}

fn print(screen: &mut Screen, source: &Source, notice: &Notice<'_>) {
    let origin = notice.namespace();
    if source.protocol == Protocol::KOBJECT_UEVENT {
        return uevent(screen, notice.bytes(), origin);
    }
    let group = source.groups.iter().find(|(_, number)| *number == notice.group());
    let group = group.map_or("message", |(name, _)| name.as_str());
    for message in notice.messages() {
        match message {
            Ok(message) => event(screen, source, group, message, origin),
            Err(error) => warn(format_args!("an event could not be read whole: {error}")),
        }
    }
}

/// Prints a message: with names and values where there are tables for it, else its type, length and bytes.
fn event(screen: &mut Screen, source: &Source, group: &str, message: Message<'_>, origin: Option<i32>) {
    let numbers = Numbers(source.family.as_slice());
    let tables = Tables::numbered(source.protocol.0);
    let row = tables.and_then(|tables| tables.row(message, numbers));
    let known = tables.filter(|tables| row.is_some() || tables.description(message).is_some());
    let event = event_of(row);
    screen.head(Head { object: &source.object, label: &group.to_uppercase(), event, word: "" }, origin);
    let output = &mut screen.output;
    match known {
        Some(tables) => {
            let printed = if output.is_json() { message.json(tables) } else { message.tree(tables) };
            let printed = if source.show_keys { printed.with_secrets() } else { printed };
            output.made(&printed.with(numbers).to_string());
        }
        None => output.row(|row| {
            row.json("group", group);
            row.field("type", "type", message.header.kind.0);
            row.field("length", "length", message.header.length);
            match text_of(source, message.payload) {
                Some(text) => row.field("text", "", text),
                None => row.field("bytes", "", Bytes(message.payload)),
            }
        }),
    }
}

/// The text that a message is; audit's are.
fn text_of<'m>(source: &Source, payload: &'m [u8]) -> Option<&'m str> {
    let text = std::str::from_utf8(payload).ok()?.trim_end_matches(['\0', '\n']);
    (source.protocol == Protocol::AUDIT && !text.contains(char::is_control)).then_some(text)
}

/// Prints what the kernel says of a device, which is no netlink message.
fn uevent(screen: &mut Screen, bytes: &[u8], origin: Option<i32>) {
    let uevent = match Uevent::from_kernel(bytes) {
        Ok(uevent) => uevent,
        Err(error) => return warn(format_args!("an event could not be read whole: {error}")),
    };
    let event = match uevent.action.as_bytes() {
        b"add" => "new",
        b"remove" => "del",
        _ => "message",
    };
    screen.head(Head { object: "uevent", label: "UEVENT", event, word: "" }, origin);
    screen.output.row(|row| uevents::print(row, &uevent));
}

/// Bytes in hexadecimal.
struct Bytes<'b>(&'b [u8]);

impl Show for Bytes<'_> {
    const KIND: Kind = Kind::Plain;

    fn show(&self, bytes: &mut Vec<u8>) {
        for byte in self.0 {
            Formatted(format_args!("{byte:02x}")).show(bytes);
        }
    }
}
