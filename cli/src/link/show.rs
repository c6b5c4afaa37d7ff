//! `link show`: which interfaces, and as rows.

use ringlink::codec::route::{ExtMask, Link, LinkFlags, LinkHeader, LinkInfo, LinkMessage, Rtm};
use ringlink::codec::table::{AttributeWriter, Body};

use super::known::Known;
use super::namespaces::Namespaces;
use super::row::{Detail, Printer};
use crate::arguments::Words;
use crate::failure::Failure;
use crate::session::Session;

/// Which interfaces.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter<'w> {
    /// The one with this name.
    device: Option<&'w str>,
    /// Those of this kind, or ports of this kind.
    kind: Option<Kind<'w>>,
    /// Ports of the interface with this index.
    master: Option<u32>,
    /// Ports of none.
    no_master: bool,
    /// Those that are up.
    up: bool,
    /// Those of this group.
    group: Option<u32>,
    /// Virtual functions are not told.
    no_functions: bool,
}

/// What kind of interface.
#[derive(Clone, Copy, Debug)]
enum Kind<'w> {
    /// It is one.
    Itself(&'w str),
    /// It is a port of one.
    Port(&'w str),
}

/// Shows interfaces.
pub(super) fn show(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let filter = Filter::parse(session, words)?;
    match filter.device {
        Some(device) => one(session, &filter, device)?,
        None => all(session, &filter)?,
    }
    session.finish()
}

/// Shows the interface with this name or alternative name.
fn one(session: &mut Session, filter: &Filter<'_>, device: &str) -> Result<(), Failure> {
    let detail = Detail::of(&session.options);
    let mut known = Known::new(session.config().clone());
    let mut namespaces = Namespaces::default();
    let Session { connection, names, output, .. } = session;
    let reply = connection.get(Rtm::GETLINK, LinkHeader::default(), |link| {
        super::put_name(link, device);
        link.put(Link::EXT_MASK, filter.mask(detail));
    });
    let reply = match reply {
        Ok(reply) => reply,
        Err(error) if error.is_not_found() => return Err(Failure::Input(format!("there is no interface `{device}`"))),
        Err(error) => return Err(error.into()),
    };
    let link = reply.body();
    if filter.matches(&link) {
        let mut printer = Printer { names, known: &mut known, namespaces: &mut namespaces, detail };
        printer.print_or_warn(output, &link);
    }
    Ok(())
}

/// Shows all interfaces that the filter lets pass.
fn all(session: &mut Session, filter: &Filter<'_>) -> Result<(), Failure> {
    let detail = Detail::of(&session.options);
    let mut known = Known::new(session.config().clone());
    let mut namespaces = Namespaces::default();
    let links = session.gather(Rtm::GETLINK, LinkHeader::default(), |link| {
        link.put(Link::EXT_MASK, filter.mask(detail));
        filter.put(link);
    })?;
    // All names are known before the first row is printed.
    links.iter().for_each(|link| known.note(&link));
    let Session { names, output, .. } = session;
    let mut printer = Printer { names, known: &mut known, namespaces: &mut namespaces, detail };
    for link in links.iter().filter(|link| filter.matches(link)) {
        printer.print_or_warn(output, &link);
        if output.is_broken() {
            break;
        }
    }
    Ok(())
}

impl<'w> Filter<'w> {
    pub(crate) fn parse(session: &mut Session, words: &mut Words<'w>) -> Result<Self, Failure> {
        let mut filter = Self::default();
        while let Some(word) = words.next() {
            match word {
                "up" => filter.up = true,
                "master" | "vrf" => {
                    let name = words.value("an interface")?;
                    filter.master = Some(session.interface(name)?);
                }
                "nomaster" => filter.no_master = true,
                "novf" => filter.no_functions = true,
                "type" => {
                    let kind = words.value("a kind of interface (vlan, bridge, bridge_slave …)")?;
                    filter.kind = Some(match kind.strip_suffix("_slave") {
                        Some(kind) => Kind::Port(kind),
                        None => Kind::Itself(kind),
                    });
                }
                "group" => {
                    let groups = session.names.groups();
                    filter.group = Some(words.parse("a group", |word| groups.number(word))?);
                }
                "dev" => filter.device = Some(words.value("an interface")?),
                name if filter.device.is_none() => filter.device = Some(name),
                _ => return Err(words.refuse("up, master, vrf, nomaster, type, group, novf or one interface")),
            }
        }
        Ok(filter)
    }

    /// The name of the one interface that is meant.
    pub(crate) fn device(&self) -> Option<&'w str> {
        self.device
    }

    /// What to tell beyond the usual, or to leave out.
    pub(super) fn mask(&self, detail: Detail) -> ExtMask {
        let functions = if self.no_functions { ExtMask::default() } else { ExtMask::VF };
        match detail.statistics {
            0 => functions | ExtMask::SKIP_STATS,
            _ => functions,
        }
    }

    /// What the kernel can heed.
    pub(super) fn put(&self, link: &mut AttributeWriter<'_, '_, Link>) {
        link.put_some(Link::MASTER, self.master);
        // Only kinds that the kernel has loaded can be asked for; it tells all interfaces where it does not know one.
        if let Some(Kind::Itself(kind)) = self.kind {
            link.nest(Link::LINKINFO, |info| info.put(LinkInfo::KIND, kind));
        }
    }

    /// Whether an interface is one of those. What cannot be read does not match.
    pub(crate) fn matches(&self, link: &Body<'_, LinkMessage>) -> bool {
        let Ok((master, group, info)) = link.attributes.read((Link::MASTER, Link::GROUP, Link::LINKINFO)) else {
            return false;
        };
        let kind = |key| info.and_then(|info| info.get(key).ok().flatten()).unwrap_or_default();
        (!self.up || link.header.flags.contains(LinkFlags::UP))
            && self.master.is_none_or(|wanted| master == Some(wanted))
            && (!self.no_master || master.is_none_or(|master| master == 0))
            && self.group.is_none_or(|wanted| group == Some(wanted))
            && match self.kind {
                None => true,
                Some(Kind::Itself(wanted)) => kind(LinkInfo::KIND) == wanted,
                Some(Kind::Port(wanted)) => kind(LinkInfo::SLAVE_KIND) == wanted,
            }
    }
}
