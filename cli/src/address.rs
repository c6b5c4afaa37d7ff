//! `addr`: shows and changes addresses.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use ringlink::codec::Error;
use ringlink::codec::route::{
    Address, AddressCacheInfo, AddressFlags, AddressHeader, AddressMessage, AddressProtocol, AddressView, Family, Rtm,
    Scope,
};
use ringlink::codec::table::{Body, Operation};

use crate::arguments::{Net, Words, bits_of, family_of, keyword};
use crate::failure::Failure;
use crate::link::Rows;
use crate::names::Names;
use crate::output::{Formatted, Hex, Output, Prefix};
use crate::route::family_name;
use crate::session::{Session, warn};

/// What `ringlink addr help` says.
pub(crate) const HELP: &str = "\
ringlink addr [show] [dev] [DEV] [scope NAME] [to PREFIX] [label PATTERN] [up] [FLAG | -FLAG]
              [master DEV | vrf NAME | nomaster] [type KIND]
ringlink addr add|replace|change|del ADDRESS[/LENGTH] dev DEV [peer ADDRESS[/LENGTH]] [broadcast ADDRESS|+|-]
              [label NAME] [scope NAME] [metric N] [valid_lft SECONDS|forever] [preferred_lft SECONDS|forever]
              [home] [nodad] [mngtmpaddr] [noprefixroute] [autojoin] [optimistic] [proto N]
ringlink addr flush dev DEV [as in show]

FLAG  secondary temporary permanent dynamic deprecated tentative dadfailed optimistic home mngtmpaddr nodad
      noprefixroute autojoin stable-privacy
";

const VERBS: &[&str] = &["add", "change", "replace", "delete", "show", "list", "lst", "flush"];

/// Does what the words behind `addr` say.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(verb) = words.next() else {
        return show(session, words);
    };
    match keyword(verb, VERBS) {
        Some("add") => change(session, words, Rtm::NEWADDR.create().exclusive()),
        Some("change") => change(session, words, Rtm::NEWADDR.replace()),
        Some("replace") => change(session, words, Rtm::NEWADDR.create().replace()),
        Some("delete") => change(session, words, Rtm::DELADDR),
        Some("show" | "list" | "lst") => show(session, words),
        Some("flush") => flush(session, words),
        _ => Err(words.refuse("show, add, replace, change, del or flush")),
    }
}

/// Flags with the words that `ip` has for them, in its order. Without the bit of `PERMANENT` an address is dynamic.
const FLAGS: &[(AddressFlags, &str)] = &[
    (AddressFlags::SECONDARY, "secondary"),
    (AddressFlags::NODAD, "nodad"),
    (AddressFlags::OPTIMISTIC, "optimistic"),
    (AddressFlags::DADFAILED, "dadfailed"),
    (AddressFlags::HOMEADDRESS, "home"),
    (AddressFlags::DEPRECATED, "deprecated"),
    (AddressFlags::TENTATIVE, "tentative"),
    (AddressFlags::PERMANENT, "permanent"),
    (AddressFlags::MANAGETEMPADDR, "mngtmpaddr"),
    (AddressFlags::NOPREFIXROUTE, "noprefixroute"),
    (AddressFlags::MCAUTOJOIN, "autojoin"),
    (AddressFlags::STABLE_PRIVACY, "stable-privacy"),
];

/// The flag that a word names.
fn flag(word: &str) -> Option<AddressFlags> {
    match word {
        "temporary" => Some(AddressFlags::SECONDARY),
        _ => FLAGS.iter().find(|(_, name)| *name == word).map(|(flag, _)| *flag),
    }
}

/// Which addresses are shown.
#[derive(Default)]
pub(crate) struct Filter {
    /// The family they are of.
    pub(crate) family: Family,
    device: Option<u32>,
    scope: Option<Scope>,
    to: Option<Net>,
    label: Option<String>,
    with: AddressFlags,
    without: AddressFlags,
    link: Vec<String>,
}

impl Filter {
    pub(crate) fn parse(session: &mut Session, words: &mut Words<'_>) -> Result<Self, Failure> {
        let mut filter = Self { family: session.options.family(), ..Self::default() };
        while let Some(word) = words.next() {
            match word {
                "dev" => filter.device = Some(session.interface(words.value("an interface")?)?),
                "scope" => {
                    let scopes = session.names.scopes();
                    let named = |word: &str| u8::try_from(scopes.number(word)?).ok().map(Scope);
                    filter.scope = match words.peek() {
                        Some("all") => words.next().and(None),
                        _ => Some(words.parse("a scope's name or number", named)?),
                    };
                }
                "to" => {
                    let net = words.net(filter.family)?;
                    if filter.family == Family::UNSPEC {
                        filter.family = net.family();
                    }
                    filter.to = Some(net);
                }
                "label" => filter.label = Some(words.value("a label")?.to_owned()),
                "primary" => filter.without = filter.without | AddressFlags::SECONDARY,
                "dynamic" => filter.without = filter.without | AddressFlags::PERMANENT,
                // What is said of the interface is the links' to understand.
                "up" | "nomaster" => filter.link.push(word.to_owned()),
                "master" | "vrf" | "type" | "group" => {
                    filter.link.push(word.to_owned());
                    filter.link.push(words.value("an interface or a kind")?.to_owned());
                }
                _ => match (flag(word), word.strip_prefix('-').and_then(flag)) {
                    (Some(flag), _) => filter.with = filter.with | flag,
                    (_, Some(flag)) => filter.without = filter.without | flag,
                    _ if filter.device.is_none() => filter.device = Some(session.interface(word)?),
                    _ => return Err(words.refuse("dev, scope, to, label, up, a flag or one interface")),
                },
            }
        }
        Ok(filter)
    }

    /// Whether something is said of the interfaces themselves.
    pub(crate) fn is_about_links(&self) -> bool {
        !self.link.is_empty()
    }

    /// Whether interfaces without such an address are left out.
    fn is_about_addresses(&self) -> bool {
        self.family != Family::UNSPEC
            || self.scope.is_some()
            || self.to.is_some()
            || self.label.is_some()
            || self.with.0 != 0
            || self.without.0 != 0
    }

    pub(crate) fn matches(&self, address: &AddressView<'_>) -> bool {
        self.device.is_none_or(|device| address.header.index == device)
            && self.scope.is_none_or(|scope| address.header.scope == scope)
            && self
                .label
                .as_ref()
                .is_none_or(|pattern| address.label.is_some_and(|label| is_like(pattern.as_bytes(), label.as_bytes())))
            && address.flags.contains(self.with)
            && !address.flags.intersects(self.without)
            && self
                .to
                .is_none_or(|net| address.own().is_some_and(|own| net.contains(own.0, bits_of(address.header.family))))
    }
}

/// Whether `text` is what a shell's pattern of `*` and `?` says.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], _) => text.is_empty(),
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|skip| text.get(skip..).is_some_and(|text| is_like(rest, text))),
        ([b'?', rest @ ..], [_, behind @ ..]) => is_like(rest, behind),
        ([first, rest @ ..], [found, behind @ ..]) => first == found && is_like(rest, behind),
        _ => false,
    }
}

/// The families to ask for, one by one: a dump of all at once takes the kernel's configuration lock.
pub(crate) fn families(family: Family) -> &'static [Family] {
    match family {
        Family::UNSPEC => &[Family::INET, Family::INET6],
        Family::INET => &[Family::INET],
        _ => &[Family::INET6],
    }
}

/// Shows interfaces with their addresses.
fn show(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let filter = Filter::parse(session, words)?;
    let mut links = Rows::gather(session, filter.device, &filter.link)?;
    session.learn_names()?;
    let mut gathered = Vec::new();
    for family in families(filter.family) {
        let header = AddressHeader { family: *family, index: filter.device.unwrap_or(0), ..AddressHeader::default() };
        gathered.push((*family, session.gather(Rtm::GETADDR, header, |_| {})?));
    }
    let mut by_interface: HashMap<u32, Vec<AddressView<'_>>> = HashMap::new();
    for (family, gathered) in &gathered {
        for body in gathered.iter().filter(|body| body.header.family == *family) {
            match AddressView::read(body) {
                Ok(address) if filter.matches(&address) => {
                    by_interface.entry(address.header.index).or_default().push(address);
                }
                Ok(_) => {}
                Err(error) => warn(format_args!("an address could not be read: {error}")),
            }
        }
    }
    let Session { names, output, .. } = session;
    links.print(output, names, |index| {
        let addresses = by_interface.remove(&index);
        if addresses.is_none() && filter.is_about_addresses() {
            return None;
        }
        let names = &*names;
        Some(move |row: &mut Output| {
            row.list("addr_info", |list| {
                for address in addresses.iter().flatten() {
                    list.line("    ");
                    list.entry(|row| print(row, names, address));
                }
            });
        })
    });
    session.finish()
}

/// Prints an address into a row.
fn print(row: &mut Output, names: &Names, address: &AddressView<'_>) {
    row.field("family", "", family_name(address.header.family));
    if let Some(own) = address.own() {
        row.json("local", own);
        match address.address.filter(|peer| *peer != own) {
            Some(peer) => {
                row.word(own);
                row.json("address", peer);
                row.word("peer");
                row.word(Prefix { address: peer, length: address.header.prefixlen });
            }
            None => row.word(Prefix { address: own, length: address.header.prefixlen }),
        }
        row.json("prefixlen", address.header.prefixlen);
    }
    if let Some(metric) = address.route_priority {
        row.field("metric", "metric", metric);
    }
    if let Some(broadcast) = address.broadcast {
        row.field("broadcast", "brd", broadcast);
    }
    row.field("scope", "scope", names.scopes().name(address.header.scope.0));
    print_flags(row, address.header.family, address.flags);
    if let Some(label) = address.label {
        row.field("label", "", label);
    }
    if let Some(AddressCacheInfo { valid, prefered, .. }) = address.cache {
        row.line("       ");
        row.json("valid_life_time", valid);
        row.json("preferred_life_time", prefered);
        for (label, seconds) in [("valid_lft", valid), ("preferred_lft", prefered)] {
            row.word(label);
            match seconds {
                AddressCacheInfo::FOREVER => row.word("forever"),
                seconds => row.word(Formatted(format_args!("{seconds}sec"))),
            }
        }
    }
}

fn print_flags(row: &mut Output, family: Family, flags: AddressFlags) {
    let mut left = flags.0;
    for (flag, name) in FLAGS {
        left &= !flag.0;
        match (*flag, flags.contains(*flag)) {
            (AddressFlags::PERMANENT, false) => row.yes("dynamic", "dynamic"),
            (AddressFlags::PERMANENT, true) | (_, false) => {}
            (AddressFlags::SECONDARY, true) if family == Family::INET6 => row.yes("temporary", "temporary"),
            (_, true) => row.yes(name, name),
        }
    }
    if left != 0 {
        row.field("ifa_flags", "flags", Hex(u64::from(left)));
    }
}

/// Prints an address as an event.
pub(crate) fn print_event(output: &mut Output, names: &Names, body: Body<'_, AddressMessage>) -> Result<(), Error> {
    let address = AddressView::read(body)?;
    output.row(|row| {
        if body.message.kind == Rtm::DELADDR.kind {
            row.yes("deleted", "Deleted");
        }
        row.field("index", "", address.header.index);
        row.glue(":");
        row.field("dev", "", names.interface(address.header.index));
        row.glue("   ");
        print(row, names, &address);
    });
    Ok(())
}

/// An address as the command line has it.
#[derive(Default)]
struct Draft<'w> {
    family: Family,
    own: Option<Net>,
    peer: Option<Net>,
    broadcast: Option<Broadcast>,
    label: Option<&'w str>,
    scope: Option<Scope>,
    device: Option<&'w str>,
    metric: Option<u32>,
    valid: Option<u32>,
    preferred: Option<u32>,
    flags: AddressFlags,
    protocol: Option<AddressProtocol>,
}

/// A broadcast address: one, or the last of the network, or the first of it.
#[derive(Clone, Copy, Debug)]
enum Broadcast {
    Is(IpAddr),
    Ones,
    Zeros,
}

const EXPECTED: &str = "an address, dev, peer, broadcast, label, scope, metric or another word of `addr help`";

impl<'w> Draft<'w> {
    fn read(&mut self, word: &'w str, words: &mut Words<'w>, session: &Session) -> Result<(), Failure> {
        match word {
            "dev" => self.device = Some(words.value("an interface")?),
            "peer" | "remote" => self.peer = Some(self.net(words)?),
            "broadcast" | "brd" => {
                self.broadcast = Some(match words.value("an address, + or -")? {
                    "+" => Broadcast::Ones,
                    "-" => Broadcast::Zeros,
                    _ => {
                        words.back();
                        Broadcast::Is(words.address(self.family)?)
                    }
                });
            }
            "label" => self.label = Some(words.value("a label")?),
            "scope" => {
                let scopes = session.names.scopes();
                let named = |word: &str| u8::try_from(scopes.number(word)?).ok().map(Scope);
                self.scope = Some(words.parse("a scope's name or number", named)?);
            }
            "metric" | "priority" | "preference" => self.metric = Some(words.number()?),
            "valid_lft" => self.valid = Some(words.parse("seconds or `forever`", seconds)?),
            "preferred_lft" => self.preferred = Some(words.parse("seconds or `forever`", seconds)?),
            "proto" => self.protocol = Some(AddressProtocol(words.number()?)),
            "home" | "nodad" | "mngtmpaddr" | "noprefixroute" | "autojoin" | "optimistic" => {
                self.flags = self.flags | flag(word).unwrap_or_default();
            }
            _ if self.own.is_none() => {
                if word != "local" {
                    words.back();
                }
                self.own = Some(self.net(words)?);
            }
            _ => return Err(words.refuse(EXPECTED)),
        }
        Ok(())
    }

    fn net(&mut self, words: &mut Words<'w>) -> Result<Net, Failure> {
        let net = words.net(self.family)?;
        if net.address.is_none() {
            return Err(words.refuse("an address"));
        }
        self.family = net.family();
        Ok(net)
    }
}

/// Seconds, or for ever.
fn seconds(word: &str) -> Option<u32> {
    if word == "forever" { Some(AddressCacheInfo::FOREVER) } else { crate::arguments::number(word) }
}

fn change(session: &mut Session, words: &mut Words<'_>, operation: Operation<AddressMessage>) -> Result<(), Failure> {
    let mut draft = Draft { family: session.options.family(), ..Draft::default() };
    while let Some(word) = words.next() {
        draft.read(word, words, session)?;
    }
    let Some(device) = draft.device else {
        return Err(words.refuse_end("`dev` and an interface"));
    };
    let Some(Net { address: Some(own), length, .. }) = draft.own else {
        return Err(words.refuse_end("an address"));
    };
    let index = session.interface(device)?;
    // On a point-to-point link, the length is the peer's.
    let prefixlen = draft.peer.map_or(length, |peer| peer.length);
    let peer = draft.peer.and_then(|peer| peer.address);
    let local_host = matches!(own, IpAddr::V4(own) if own.is_loopback());
    let deletes = operation.kind == Rtm::DELADDR.kind;
    let header = AddressHeader {
        family: family_of(own),
        prefixlen,
        flags: u8::try_from(draft.flags.0 & 0xff).unwrap_or(0),
        scope: draft.scope.unwrap_or(if local_host && !deletes { Scope::HOST } else { Scope::UNIVERSE }),
        index,
    };
    let broadcast = match draft.broadcast {
        None => None,
        Some(Broadcast::Is(address)) => Some(address),
        Some(other) => match own {
            IpAddr::V4(own) if length <= 30 => Some(IpAddr::V4(other.within(own, length))),
            _ => {
                return Err(Failure::Usage("`broadcast`: only IPv4 networks up to /30 have one".into()));
            }
        },
    };
    let lifetimes = (draft.valid.is_some() || draft.preferred.is_some()).then(|| AddressCacheInfo {
        prefered: draft.preferred.unwrap_or(AddressCacheInfo::FOREVER),
        valid: draft.valid.unwrap_or(AddressCacheInfo::FOREVER),
        ..AddressCacheInfo::default()
    });
    let warning = session.connection.apply(operation, header, |address| {
        address.put(Address::LOCAL, own);
        // A delete without a peer or a length means the address, whatever its network.
        if !deletes || peer.is_some() || draft.own.is_some_and(|own| own.explicit) {
            address.put(Address::ADDRESS, peer.unwrap_or(own));
        }
        address.put_some(Address::BROADCAST, broadcast);
        address.put_some(Address::LABEL, draft.label);
        address.put_some(Address::RT_PRIORITY, draft.metric);
        address.put_some(Address::CACHEINFO, lifetimes);
        address.put_some(Address::PROTO, draft.protocol);
        if draft.flags.0 > 0xff {
            address.put(Address::FLAGS, draft.flags);
        }
    })?;
    if let Some(warning) = warning {
        warn(format_args!("{warning}"));
    }
    Ok(())
}

impl Broadcast {
    /// The last or the first address of a network.
    fn within(self, address: Ipv4Addr, length: u8) -> Ipv4Addr {
        let host = u32::MAX.checked_shr(u32::from(length)).unwrap_or(0);
        Ipv4Addr::from_bits(match self {
            Self::Zeros => address.to_bits() & !host,
            _ => address.to_bits() | host,
        })
    }
}

/// Takes away the addresses that a filter chooses.
fn flush(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    if words.peek().is_none() {
        return Err(words.refuse_end("which addresses: `dev DEV`, `to PREFIX`, `scope NAME` …"));
    }
    let filter = Filter::parse(session, words)?;
    for family in families(filter.family) {
        let header = AddressHeader { family: *family, index: filter.device.unwrap_or(0), ..AddressHeader::default() };
        let gathered = session.gather(Rtm::GETADDR, header, |_| {})?;
        for body in gathered.iter().filter(|body| body.header.family == *family) {
            let address = AddressView::read(body)?;
            if !filter.matches(&address) {
                continue;
            }
            let deleted = session.connection.apply(Rtm::DELADDR, body.header, |out| {
                out.put_some(Address::LOCAL, address.local);
                out.put_some(Address::ADDRESS, address.address);
            });
            match deleted {
                // Secondary addresses go with their primary one.
                Err(error) if error.is_not_found() => {}
                other => drop(other?),
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_matched_as_a_shell_does() {
        assert!(is_like(b"v0*", b"v0:x") && is_like(b"v?", b"v0") && is_like(b"*", b"") && is_like(b"a*c", b"abbc"));
        assert!(!is_like(b"v?", b"v") && !is_like(b"v0", b"v0:x") && !is_like(b"", b"x"));
    }

    #[test]
    fn broadcasts_of_networks() {
        let own = Ipv4Addr::new(10, 0, 1, 7);
        assert_eq!(Broadcast::Ones.within(own, 24), Ipv4Addr::new(10, 0, 1, 255));
        assert_eq!(Broadcast::Zeros.within(own, 24), Ipv4Addr::new(10, 0, 1, 0));
        assert_eq!(Broadcast::Ones.within(own, 0), Ipv4Addr::BROADCAST);
    }
}
