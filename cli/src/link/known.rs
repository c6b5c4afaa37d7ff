//! What rows say of other interfaces: their names, and whether they are up.

use std::collections::HashMap;

use ringlink::codec::route::{ExtMask, Link, LinkFlags, LinkHeader, LinkMessage, Rtm};
use ringlink::codec::table::Body;
use ringlink::{Config, Connection, Protocol};

use crate::output::Interface;

/// Interfaces by their index: those that were told, others are asked for when a row names them.
pub(super) struct Known {
    /// How they are asked for; `None` where they are not.
    config: Option<Config>,
    /// What they are asked for over, opened at the first question.
    connection: Option<Connection>,
    interfaces: HashMap<u32, Entry>,
}

/// What is kept of an interface.
struct Entry {
    name: Vec<u8>,
    flags: LinkFlags,
}

impl Known {
    /// Knows nothing yet.
    pub(super) fn new(config: impl Into<Option<Config>>) -> Self {
        Self { config: config.into(), connection: None, interfaces: HashMap::new() }
    }

    /// A connection for questions beside the one that rows come from; `None` where none can be had.
    pub(super) fn connection(&mut self) -> Option<&mut Connection> {
        if self.connection.is_none() {
            self.connection = Connection::with(Protocol::ROUTE, self.config.clone()?).ok();
        }
        self.connection.as_mut()
    }

    /// Keeps what a message says.
    pub(super) fn note(&mut self, link: &Body<'_, LinkMessage>) {
        let name = link.attributes.get(Link::IFNAME).ok().flatten().unwrap_or_default();
        if let Ok(index) = u32::try_from(link.header.index) {
            self.interfaces.insert(index, Entry { name: name.as_bytes().to_vec(), flags: link.header.flags });
        }
    }

    /// The name; `if7` for one that is not to be found.
    pub(super) fn name(&mut self, index: u32) -> Interface<'_> {
        Interface(&self.entry(index).name)
    }

    /// Whether the interface is there and not up.
    pub(super) fn is_down(&mut self, index: u32) -> bool {
        !self.entry(index).flags.contains(LinkFlags::UP)
    }

    fn entry(&mut self, index: u32) -> &Entry {
        if !self.interfaces.contains_key(&index) {
            // What cannot be found is taken for up: nothing is known to be wrong with it.
            let unknown = || Entry { name: format!("if{index}").into_bytes(), flags: LinkFlags::UP };
            let entry = self.ask(index).unwrap_or_else(unknown);
            self.interfaces.insert(index, entry);
        }
        &self.interfaces[&index]
    }

    /// Asks the kernel. A row is worth printing without the name of an interface that is gone.
    fn ask(&mut self, index: u32) -> Option<Entry> {
        let header = LinkHeader { index: i32::try_from(index).ok()?, ..LinkHeader::default() };
        let reply = self.connection()?.get(Rtm::GETLINK, header, |link| link.put(Link::EXT_MASK, ExtMask::SKIP_STATS));
        let reply = reply.ok()?;
        let link = reply.body();
        let name = link.attributes.get(Link::IFNAME).ok().flatten()?.as_bytes().to_vec();
        Some(Entry { name, flags: link.header.flags })
    }
}
