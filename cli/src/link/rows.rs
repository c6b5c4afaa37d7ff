//! Interfaces as others print them: before their addresses, and as events.

use ringlink::codec::Error;
use ringlink::codec::route::{ExtMask, Link, LinkHeader, LinkMessage, Rtm};
use ringlink::codec::table::Body;

use super::known::Known;
use super::namespaces::Namespaces;
use super::row::{Detail, Printer};
use super::show::Filter;
use crate::arguments::Words;
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
    /// No interfaces yet: for events.
    pub(crate) fn new(session: &Session) -> Self {
        let detail = Detail {
            details: session.options.details || session.options.json,
            statistics: session.options.statistics,
            addresses: false,
        };
        let known = Known::new(session.config().clone());
        Self { links: None, known, namespaces: Namespaces::default(), detail }
    }

    /// The interfaces that these words choose as they do behind `link show`, or the one with this index.
    pub(crate) fn gather(session: &mut Session, index: Option<u32>, words: &[String]) -> Result<Self, Failure> {
        let filter = Filter::parse(session, &mut Words::new(words))?;
        let mut rows = Self::new(session);
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

    /// Prints an interface as an event.
    pub(crate) fn print_event(
        &mut self,
        output: &mut Output,
        names: &Names,
        link: &Body<'_, LinkMessage>,
    ) -> Result<(), Error> {
        self.known.note(link);
        let Self { known, namespaces, detail, .. } = self;
        Printer { names, known, namespaces, detail: *detail }.print(output, link)
    }
}
