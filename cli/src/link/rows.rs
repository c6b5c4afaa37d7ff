//! Interfaces as others print them: before their addresses, and as events.

use ringlink::Config;
use ringlink::codec::Error;
use ringlink::codec::route::{ExtMask, Link, LinkHeader, LinkMessage, Rtm};
use ringlink::codec::table::Body;

use super::known::Known;
use super::namespaces::Namespaces;
use super::row::{Detail, Printer};
use super::show::Filter;
use crate::arguments::{Options, Words};
use crate::failure::Failure;
use crate::names::Names;
use crate::output::Output;
use crate::session::{Gathered, Session, warn};

/// Interfaces on their way into rows of others.
pub(crate) struct Rows {
    links: Option<Gathered<LinkMessage>>,
    known: Known,
    namespaces: Namespaces,
    detail: Detail,
}

impl Rows {
    /// No interfaces yet: for events. Without a configuration, others that a row names are not asked for.
    pub(crate) fn new(options: &Options, config: impl Into<Option<Config>>) -> Self {
        let (known, detail) = (Known::new(config), Detail::of(options));
        Self { links: None, known, namespaces: Namespaces::default(), detail }
    }

    /// The interfaces that these words choose as they do behind `link show`, or the one with this index.
    pub(crate) fn gather(session: &mut Session, index: Option<u32>, words: &[String]) -> Result<Self, Failure> {
        let filter = Filter::parse(session, &mut Words::new(words))?;
        let mut rows = Self::new(&session.options, session.config().clone());
        rows.detail.addresses = true;
        // Virtual functions are a matter of `link show`.
        let mask = ExtMask(filter.mask(rows.detail).0 & !ExtMask::VF.0);
        let mut links = session.gather(Rtm::GETLINK, LinkHeader::default(), |link| {
            link.put(Link::EXT_MASK, mask);
            filter.put(link);
        })?;
        links.iter().for_each(|link| rows.known.note(&link));
        links.retain(|link| {
            index.is_none_or(|index| u32::try_from(link.header.index) == Ok(index)) && filter.matches(link)
        });
        rows.links = Some(links);
        Ok(rows)
    }

    /// Prints each interface for which there is more to say, and then that.
    pub(crate) fn print<M: FnOnce(&mut Output)>(
        &mut self,
        output: &mut Output,
        names: &Names,
        mut more: impl FnMut(u32) -> Option<M>,
    ) {
        let Self { links, known, namespaces, detail } = self;
        for link in links.iter().flat_map(Gathered::iter) {
            let Some(more) = u32::try_from(link.header.index).ok().and_then(&mut more) else {
                continue;
            };
            let mut printer = Printer { names, known, namespaces, detail: *detail };
            let printed = output.row(|row| {
                let printed = printer.fill(row, &link);
                more(row);
                printed
            });
            if let Err(error) = printed {
                warn(format_args!("interface {}: {error}", link.header.index));
            }
            if output.is_broken() {
                break;
            }
        }
    }

    /// Keeps what other rows may say of an interface.
    pub(crate) fn note(&mut self, link: &Body<'_, LinkMessage>) {
        self.known.note(link);
    }

    /// Prints an interface by itself: as `show` does, or as an event.
    pub(crate) fn print_one(
        &mut self,
        output: &mut Output,
        names: &Names,
        link: &Body<'_, LinkMessage>,
        event: bool,
    ) -> Result<(), Error> {
        self.known.note(link);
        let Self { known, namespaces, detail, .. } = self;
        Printer { names, known, namespaces, detail: Detail { event, ..*detail } }.print(output, link)
    }
}
