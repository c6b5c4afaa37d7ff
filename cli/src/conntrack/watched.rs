//! What `watch conntrack` follows: which connections, and how they are shown.

use ringlink::codec::netfilter::Family;
use ringlink::codec::netfilter::conntrack::{ConnectionMessage, ConnectionView};
use ringlink::codec::table::Body;
use ringlink::codec::{self, route};

use super::print;
use super::words::{Wanted, verb};
use crate::arguments::Words;
use crate::failure::Failure;
use crate::output::Output;

/// Connections chosen by what every event of them says.
#[derive(Debug)]
pub(crate) struct Watched(Wanted);

impl Watched {
    /// Reads what chooses them.
    pub(crate) fn parse(words: &mut Words<'_>, family: route::Family) -> Result<Self, Failure> {
        Wanted::read(words, verb::WATCH, family).map(Self)
    }

    /// The family of all of them; `UNSPEC` where they may be of several.
    pub(crate) fn family(&self) -> Family {
        self.0.family
    }

    /// Whether a connection is one of them.
    pub(crate) fn matches(&self, body: &Body<'_, ConnectionMessage>) -> bool {
        ConnectionView::read(*body).is_ok_and(|view| self.0.matches(&view))
    }

    /// Prints one as `conntrack list` does; of a change, what the event carries.
    pub(crate) fn print(&self, output: &mut Output, body: Body<'_, ConnectionMessage>) -> Result<(), codec::Error> {
        let view = ConnectionView::read(body)?;
        output.row(|row| print::connection(row, &view, self.0.shown, None));
        Ok(())
    }
}
