//! `link add`, `set`, `del` and `property`: words become one request.
//!
//! Attributes are written as the words are read, into a buffer beside the connection's, because names must be looked
//! up on the way and nothing may be sent before the last word made sense.

mod settings;

mod functions;
mod xdp;

mod kinds;
mod readers;
mod tunnels;

use ringlink::Namespace;
use ringlink::codec::route::{
    BridgeOptionsChange, Link, LinkFlags, LinkHeader, LinkInfo, LinkMessage, LinkProperties, Rtm,
};
use ringlink::codec::table::{AttributeWriter, Attributes, Operation, Table};
use ringlink::codec::wire::{Payload, Writer};

use functions::Function;

use crate::arguments::{Words, keyword};
use crate::bpf::Program;
use crate::failure::Failure;
use crate::session::{Session, warn};

/// Room for the attributes of one request, in bytes.
const ROOM: usize = 16 * 1024;

/// What words are read with.
struct Reader<'r, 'w> {
    session: &'r mut Session,
    words: &'r mut Words<'w>,
    /// Namespaces that the request names by descriptor: open until it was sent.
    namespaces: Vec<Namespace>,
    /// The same of programs.
    programs: Vec<Program>,
    /// Whether an interface is made, not changed.
    makes: bool,
    /// Options of a bridge that were read so far.
    bridge_options: BridgeOptionsChange,
}

/// A request, but for its attributes.
#[derive(Default)]
struct Draft<'w> {
    /// Which interface, and its flags.
    header: LinkHeader,
    /// Name of the interface: for `add` the one it gets, else the one it has.
    name: Option<&'w str>,
    /// The kind, and what goes with it.
    kind: Option<(&'w str, Vec<u8>)>,
    /// A group of interfaces instead of one.
    group: Option<u32>,
    /// Virtual functions, and what is set of them.
    functions: Vec<Function>,
}

/// Makes an interface.
pub(super) fn add(
    session: &mut Session,
    words: &mut Words<'_>,
    operation: Operation<LinkMessage>,
) -> Result<(), Failure> {
    let mut reader = Reader::new(session, words, true);
    let (draft, attributes) = read(&mut reader)?;
    if draft.kind.is_none() {
        return Err(reader.words.refuse_end("type KIND"));
    }
    reader.send(operation, &draft, &attributes)
}

/// Changes an interface, or all of a group.
pub(super) fn set(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut reader = Reader::new(session, words, false);
    let (mut draft, attributes) = read(&mut reader)?;
    match (draft.name, draft.group) {
        (Some(name), _) => draft.header.index = reader.index(name)?,
        (None, Some(_)) => {}
        (None, None) => return Err(reader.words.refuse_end("an interface")),
    }
    reader.send(Rtm::NEWLINK, &draft, &attributes)
}

/// Deletes an interface, or all of a group.
pub(super) fn delete(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut reader = Reader::new(session, words, false);
    let (mut draft, attributes) = read(&mut reader)?;
    match (draft.name, draft.group) {
        (Some(name), _) => draft.header.index = reader.index(name)?,
        (None, Some(_)) => {}
        (None, None) => return Err(reader.words.refuse_end("an interface")),
    }
    reader.send(Rtm::DELLINK, &draft, &attributes)
}

/// Adds alternative names, or takes them away.
pub(super) fn property(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let verb = words.value("add or del")?;
    let operation = match keyword(verb, &["add", "delete"]) {
        Some("add") => Rtm::NEWLINKPROP.create().exclusive().append(),
        Some(_) => Rtm::DELLINKPROP,
        None => return Err(words.refuse("add or del")),
    };
    let (mut device, mut names) = (None, Vec::new());
    while let Some(word) = words.next() {
        match word {
            "dev" => device = Some(words.value("an interface")?),
            "altname" => names.push(words.value("an alternative name")?),
            name if device.is_none() => device = Some(name),
            _ => return Err(words.refuse("altname NAME")),
        }
    }
    let Some(device) = device else {
        return Err(words.refuse_end("an interface"));
    };
    if names.is_empty() {
        return Err(words.refuse_end("altname NAME"));
    }
    let mut reader = Reader::new(session, words, false);
    let header = LinkHeader { index: reader.index(device)?, ..LinkHeader::default() };
    let warning = reader.session.connection.apply(operation, header, |link| {
        link.nest(Link::PROP_LIST, |list| {
            names.iter().for_each(|name| list.add(LinkProperties::ALT_IFNAME, *name));
        });
    })?;
    tell(warning);
    Ok(())
}

/// Reads all words; the attributes that they stand for are the second half.
fn read<'w>(reader: &mut Reader<'_, 'w>) -> Result<(Draft<'w>, Vec<u8>), Failure> {
    let mut draft = Draft::default();
    let attributes = stage::<Link>(|link| reader.settings(&mut draft, link))?;
    Ok((draft, attributes))
}

/// Writes attributes into a buffer of their own.
fn stage<T: Table>(
    fill: impl FnOnce(&mut AttributeWriter<'_, '_, T>) -> Result<(), Failure>,
) -> Result<Vec<u8>, Failure> {
    let mut buffer = vec![0; ROOM];
    let mut writer = Writer::new(&mut buffer);
    fill(&mut AttributeWriter::new(&mut writer))?;
    Ok(writer.finish()?.to_vec())
}

impl<'r, 'w> Reader<'r, 'w> {
    fn new(session: &'r mut Session, words: &'r mut Words<'w>, makes: bool) -> Self {
        Self {
            session,
            words,
            namespaces: Vec::new(),
            programs: Vec::new(),
            makes,
            bridge_options: BridgeOptionsChange::default(),
        }
    }

    /// The index of an interface by its name.
    fn index(&mut self, name: &str) -> Result<i32, Failure> {
        let index = self.session.interface(name)?;
        i32::try_from(index).map_err(|_| Failure::Input(format!("interface `{name}` has no index")))
    }

    /// Sends the request.
    fn send(&mut self, operation: Operation<LinkMessage>, draft: &Draft<'_>, attributes: &[u8]) -> Result<(), Failure> {
        let makes = self.makes;
        let warning = self.session.connection.apply(operation, draft.header, |link| {
            if let Some(name) = draft.name.filter(|_| makes) {
                link.put(Link::IFNAME, name);
            }
            link.put_some(Link::GROUP, draft.group);
            let payload = Payload { bytes: attributes, offset: 0 };
            for raw in Attributes::<Link>::new(payload).raw().flatten() {
                link.put_raw(raw.kind, raw.payload.bytes);
            }
            if let Some((kind, data)) = &draft.kind {
                link.nest(Link::LINKINFO, |info| put_kind(info, kind, data));
            }
        })?;
        tell(warning);
        Ok(())
    }
}

/// Writes a kind and what goes with it; `bridge_slave` is a port of a bridge.
fn put_kind(info: &mut AttributeWriter<'_, '_, LinkInfo>, kind: &str, data: &[u8]) {
    match kind.strip_suffix("_slave") {
        Some(kind) => {
            info.put(LinkInfo::SLAVE_KIND, kind);
            info.put(LinkInfo::SLAVE_DATA, data);
        }
        None => {
            info.put(LinkInfo::KIND, kind);
            if !data.is_empty() {
                info.put(LinkInfo::DATA, data);
            }
        }
    }
}

/// Tells what the kernel says beside its yes.
fn tell(warning: Option<String>) {
    if let Some(text) = warning {
        warn(format_args!("{text}"));
    }
}

/// Sets or clears a flag in a header.
fn set_flag(header: &mut LinkHeader, flag: LinkFlags, on: bool) {
    header.change = header.change | flag;
    header.flags = if on { header.flags | flag } else { LinkFlags(header.flags.0 & !flag.0) };
}
