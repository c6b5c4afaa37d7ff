//! `neigh`: shows and changes neighbours.

use std::net::IpAddr;

use ringlink::codec::Error;
use ringlink::codec::route::{
    Family, Neighbour, NeighbourCacheInfo, NeighbourExtendedFlags, NeighbourFlags, NeighbourHeader, NeighbourMessage,
    NeighbourState, RouteProtocol, Rtm,
};
use ringlink::codec::table::{Body, Operation};

use crate::arguments::{Net, Words, bits_of, family_of, hardware, keyword};
use crate::failure::Failure;
use crate::names::Names;
use crate::output::{Colour, Coloured, Formatted, Hex, Output};
use crate::route::interface;
use crate::session::{Session, warn};

/// What `ringlink neigh help` says.
pub(crate) const HELP: &str = "\
ringlink neigh [show] [proxy] [to PREFIX] [dev DEV] [nud STATE] [master DEV | vrf NAME | nomaster] [unused]
ringlink neigh add|replace|change|del [proxy] ADDRESS dev DEV [lladdr LLADDR] [nud STATE]
               [router] [extern_learn] [managed] [use] [protocol NAME]

STATE  permanent noarp reachable stale none incomplete delay probe failed; to show, also all
";

const VERBS: &[&str] = &["show", "list", "lst", "add", "change", "replace", "delete"];

/// Does what the words behind `neigh` say.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(verb) = words.next() else {
        return show(session, words);
    };
    match keyword(verb, VERBS) {
        Some("show" | "list" | "lst") => show(session, words),
        Some("add") => change(session, words, Rtm::NEWNEIGH.create().exclusive()),
        Some("change") => change(session, words, Rtm::NEWNEIGH.replace()),
        Some("replace") => change(session, words, Rtm::NEWNEIGH.create().replace()),
        Some("delete") => change(session, words, Rtm::DELNEIGH),
        _ => Err(words.refuse("show, add, replace, change or del")),
    }
}

/// States with their names on the command line and in rows.
const STATES: [(NeighbourState, &str, &str); 8] = [
    (NeighbourState::INCOMPLETE, "incomplete", "INCOMPLETE"),
    (NeighbourState::REACHABLE, "reachable", "REACHABLE"),
    (NeighbourState::STALE, "stale", "STALE"),
    (NeighbourState::DELAY, "delay", "DELAY"),
    (NeighbourState::PROBE, "probe", "PROBE"),
    (NeighbourState::FAILED, "failed", "FAILED"),
    (NeighbourState::NOARP, "noarp", "NOARP"),
    (NeighbourState::PERMANENT, "permanent", "PERMANENT"),
];

/// Stands for no state among those that are shown: no state has this bit.
const NONE_TOO: NeighbourState = NeighbourState(0x100);

fn state(word: &str) -> Option<NeighbourState> {
    if word == "none" {
        return Some(NeighbourState::NONE);
    }
    let named = STATES.iter().find(|(_, name, _)| *name == word).map(|(state, ..)| *state);
    named.or_else(|| crate::arguments::number(word).map(NeighbourState))
}

/// Which neighbours are shown.
#[derive(Default)]
pub(crate) struct Filter {
    /// The family they are of.
    pub(crate) family: Family,
    device: Option<u32>,
    master: Option<u32>,
    to: Option<Net>,
    /// `None` for the usual: all but those that need no resolution.
    states: Option<NeighbourState>,
    unused: bool,
    proxy: bool,
}

/// Shows neighbours, IPv4's first.
fn show(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let filter = Filter::parse(session, words)?;
    session.learn_names()?;
    let families = match filter.family {
        Family::UNSPEC => &[Family::INET, Family::INET6][..],
        Family::INET => &[Family::INET],
        _ => &[Family::INET6],
    };
    for family in families {
        filter.dump(session, *family)?;
    }
    session.finish()
}

impl Filter {
    /// Which neighbours these words choose.
    pub(crate) fn parse(session: &mut Session, words: &mut Words<'_>) -> Result<Self, Failure> {
        let mut filter = Self { family: session.options.family(), ..Self::default() };
        while let Some(word) = words.next() {
            match word {
                "dev" => filter.device = Some(session.interface(words.value("an interface")?)?),
                "master" | "vrf" => filter.master = Some(session.interface(words.value("an interface")?)?),
                "nomaster" => filter.master = Some(0),
                "unused" => filter.unused = true,
                "proxy" => filter.proxy = true,
                "nud" => {
                    let wanted = words.parse("a state", |word| match word {
                        "all" => Some(NeighbourState(0xff) | NONE_TOO),
                        "none" => Some(NONE_TOO),
                        _ => state(word),
                    })?;
                    filter.states = Some(filter.states.unwrap_or_default() | wanted);
                }
                _ => {
                    if word != "to" {
                        words.back();
                    }
                    let net = words.net(filter.family)?;
                    if filter.family == Family::UNSPEC {
                        filter.family = net.family();
                    }
                    filter.to = Some(net);
                }
            }
        }
        Ok(filter)
    }

    /// Whether it is about those that are answered for.
    pub(crate) fn is_about_proxies(&self) -> bool {
        self.proxy
    }

    /// Whether all are on the same interface.
    pub(crate) fn is_of_one_device(&self) -> bool {
        self.device.is_some()
    }

    fn dump(&self, session: &mut Session, family: Family) -> Result<(), Failure> {
        let flags = if self.proxy { NeighbourFlags::PROXY } else { NeighbourFlags::default() };
        let header = NeighbourHeader { family, flags, ..NeighbourHeader::default() };
        let view = View { without_device: self.device.is_some(), statistics: session.options.statistics > 0 };
        session.dump(
            Rtm::GETNEIGH,
            header,
            |neighbour| {
                neighbour.put_some(Neighbour::IFINDEX, self.device);
                neighbour.put_some(Neighbour::MASTER, self.master.filter(|master| *master != 0));
            },
            |output, names, body| {
                if body.header.family == family && self.matches(body)? {
                    print(output, names, body, view)?;
                }
                Ok(())
            },
        )
    }

    /// Whether a neighbour is one of those.
    pub(crate) fn matches(&self, body: Body<'_, NeighbourMessage>) -> Result<bool, Error> {
        let header = body.header;
        let (dst, cache, master) = body.attributes.read((Neighbour::DST, Neighbour::CACHEINFO, Neighbour::MASTER))?;
        let states = self.states.unwrap_or(NeighbourState(0xff & !NeighbourState::NOARP.0));
        let is_proxy = header.flags.contains(NeighbourFlags::PROXY);
        // Proxies and what a control plane made have no state to choose them by.
        let stated = is_proxy
            || states.intersects(header.state)
            || (header.state == NeighbourState::NONE && states.contains(NONE_TOO))
            || header.flags.contains(NeighbourFlags::EXT_LEARNED);
        let bits = bits_of(header.family);
        Ok(stated
            && is_proxy == self.proxy
            && self.device.is_none_or(|device| i32::try_from(device) == Ok(header.ifindex))
            && self.master.is_none_or(|wanted| match wanted {
                0 => master.is_none(),
                wanted => master.is_none_or(|master| master == wanted),
            })
            && self.to.is_none_or(|net| dst.is_some_and(|dst| net.contains(dst.0, bits)))
            && !(self.unused && cache.is_some_and(|cache| cache.refcnt != 0)))
    }
}

/// What of a neighbour is printed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct View {
    /// All are on the same interface, whose name is left out.
    pub(crate) without_device: bool,
    /// When it was used and changed.
    pub(crate) statistics: bool,
}

/// Prints a neighbour.
pub(crate) fn print(
    output: &mut Output,
    names: &Names,
    body: Body<'_, NeighbourMessage>,
    view: View,
) -> Result<(), Error> {
    let (dst, hardware, extended, protocol, cache, probes) = body.attributes.read((
        Neighbour::DST,
        Neighbour::LLADDR,
        Neighbour::FLAGS_EXT,
        Neighbour::PROTOCOL,
        Neighbour::CACHEINFO,
        Neighbour::PROBES,
    ))?;
    let header = body.header;
    let extended = extended.unwrap_or_default();
    output.row(|row| {
        if body.message.kind == Rtm::DELNEIGH.kind {
            row.yes("deleted", "Deleted");
        }
        if let Some(dst) = dst {
            row.field("dst", "", dst);
        }
        if !view.without_device && header.ifindex != 0 {
            row.field("dev", "dev", interface(names, header.ifindex));
        }
        if let Some(hardware) = hardware {
            row.field("lladdr", "lladdr", hardware);
        }
        for (flag, name) in [(NeighbourFlags::ROUTER, "router"), (NeighbourFlags::PROXY, "proxy")] {
            if header.flags.contains(flag) {
                row.null(name, name);
            }
        }
        if extended.contains(NeighbourExtendedFlags::MANAGED) {
            row.null("managed", "managed");
        }
        for (flag, name) in [(NeighbourFlags::EXT_LEARNED, "extern_learn"), (NeighbourFlags::OFFLOADED, "offload")] {
            if header.flags.contains(flag) {
                row.null(name, name);
            }
        }
        if view.statistics {
            print_statistics(row, cache, probes);
        }
        if header.state != NeighbourState::NONE {
            print_state(row, header.state);
        }
        if let Some(RouteProtocol(number)) = protocol {
            row.field("protocol", "proto", names.protocols().name(number));
        }
        Ok(())
    })
}

/// Ticks of the user's clock in a second (`USER_HZ`).
const USER_HZ: u32 = 100;

fn print_statistics(row: &mut Output, cache: Option<NeighbourCacheInfo>, probes: Option<u32>) {
    if let Some(NeighbourCacheInfo { confirmed, used, updated, refcnt }) = cache {
        if refcnt != 0 {
            row.field("refcnt", "ref", refcnt);
        }
        let (used, confirmed, updated) = (used / USER_HZ, confirmed / USER_HZ, updated / USER_HZ);
        row.json("used", used);
        row.json("confirmed", confirmed);
        row.json("updated", updated);
        row.word("used");
        row.word(Formatted(format_args!("{used}/{confirmed}/{updated}")));
    }
    if let Some(probes) = probes {
        row.field("probes", "probes", probes);
    }
}

fn print_state(row: &mut Output, state: NeighbourState) {
    row.list("state", |list| {
        let mut left = state.0;
        for (bit, _, name) in STATES {
            if state.contains(bit) {
                left &= !bit.0;
                list.item(Coloured(colour_of(bit), name));
            }
        }
        if left != 0 {
            list.item(Hex(u64::from(left)));
        }
    });
}

fn colour_of(state: NeighbourState) -> Colour {
    match state {
        NeighbourState::REACHABLE => Colour::Up,
        NeighbourState::FAILED => Colour::Down,
        _ => Colour::None,
    }
}

const EXPECTED: &str = "an address, dev, lladdr, nud, proxy, router, extern_learn, managed, use or protocol";

fn change(session: &mut Session, words: &mut Words<'_>, operation: Operation<NeighbourMessage>) -> Result<(), Failure> {
    let mut to: Option<IpAddr> = None;
    let mut device = None;
    let mut link_layer: Option<Vec<u8>> = None;
    let mut named_state = None;
    let mut flags = NeighbourFlags::default();
    let mut extended = NeighbourExtendedFlags::default();
    let mut protocol = None;
    let family = session.options.family();
    while let Some(word) = words.next() {
        match word {
            "dev" => device = Some(words.value("an interface")?),
            "lladdr" => {
                link_layer = match words.value("a hardware address")? {
                    "null" => None,
                    _ => {
                        words.back();
                        Some(words.parse("a hardware address (02:00:00:00:00:01)", hardware)?)
                    }
                };
            }
            "nud" => named_state = Some(words.parse("a state", state)?),
            "proxy" => {
                flags = flags | NeighbourFlags::PROXY;
                to = Some(words.address(family)?);
            }
            "router" => flags = flags | NeighbourFlags::ROUTER,
            "use" => flags = flags | NeighbourFlags::USE,
            "extern_learn" => flags = flags | NeighbourFlags::EXT_LEARNED,
            "managed" => extended = extended | NeighbourExtendedFlags::MANAGED,
            "protocol" | "proto" => {
                let protocols = session.names.protocols();
                let named = |word| u8::try_from(protocols.number(word)?).ok().map(RouteProtocol);
                protocol = Some(words.parse("a protocol's name or number", named)?);
            }
            _ if to.is_none() => {
                if word != "to" {
                    words.back();
                }
                to = Some(words.address(family)?);
            }
            _ => return Err(words.refuse(EXPECTED)),
        }
    }
    let Some(to) = to else {
        return Err(words.refuse_end("an address"));
    };
    let Some(device) = device else {
        return Err(words.refuse_end("`dev` and an interface"));
    };
    let ifindex = i32::try_from(session.interface(device)?).unwrap_or(0);
    // What the kernel is to resolve has no state yet; the rest stays as it is made.
    let resolves = flags.contains(NeighbourFlags::USE) || extended.contains(NeighbourExtendedFlags::MANAGED);
    let state = named_state.unwrap_or(if resolves { NeighbourState::NONE } else { NeighbourState::PERMANENT });
    let header = NeighbourHeader { family: family_of(to), ifindex, state, flags, ..NeighbourHeader::default() };
    let warning = session.connection.apply(operation, header, |neighbour| {
        neighbour.put(Neighbour::DST, to);
        neighbour.put_some(Neighbour::LLADDR, link_layer.as_deref());
        neighbour.put_some(Neighbour::PROTOCOL, protocol);
        if extended != NeighbourExtendedFlags::default() {
            neighbour.put(Neighbour::FLAGS_EXT, extended);
        }
    })?;
    if let Some(warning) = warning {
        warn(format_args!("{warning}"));
    }
    Ok(())
}
