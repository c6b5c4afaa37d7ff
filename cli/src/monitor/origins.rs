//! Where events come from: other network namespaces, by their ids in this one.

use std::collections::HashMap;

use ringlink::codec::route::{ExtMask, Link, LinkHeader, Rtm};
use ringlink::{Config, Connection, Error, Namespace, Protocol, namespaces};

use crate::arguments::Options;
use crate::link::Rows;
use crate::names::Names;

/// The namespaces that were heard, and how to ask for their names.
pub(crate) struct Origins {
    options: Options,
    config: Config,
    /// What ids are asked for over, opened at the first question.
    connection: Option<Connection>,
    places: HashMap<i32, Place>,
}

/// A namespace that events come from.
pub(crate) struct Place {
    /// The name that `ip netns` knows it by.
    pub(crate) name: Option<String>,
    /// The names of its interfaces.
    pub(crate) names: Names,
    /// How its interfaces are printed.
    pub(crate) links: Rows,
}

impl Origins {
    /// None yet.
    pub(crate) fn new(options: Options, config: Config) -> Self {
        Self { options, config, connection: None, places: HashMap::new() }
    }

    /// The name of the namespace with this id.
    pub(crate) fn name(&mut self, id: i32) -> Option<String> {
        Some(self.find(id)?.0)
    }

    /// The namespaces that have names and no id here, whose events are therefore not heard.
    pub(crate) fn unheard(&mut self) -> Vec<String> {
        let Ok(here) = self.config.socket.namespace.clone().map_or_else(Namespace::current, Ok) else {
            return Vec::new();
        };
        let Some(connection) = self.connection() else { return Vec::new() };
        let is_unheard = |namespace: &Namespace, connection: &mut Connection| {
            namespace.is_same(&here) == Ok(false) && namespaces::id_of(connection, namespace) == Ok(None)
        };
        named().filter(|(_, namespace)| is_unheard(namespace, connection)).map(|(name, _)| name).collect()
    }

    /// The namespace with this id, with the names of its interfaces as far as they can be had.
    pub(crate) fn place(&mut self, id: i32) -> &mut Place {
        let place = self.places.remove(&id).unwrap_or_else(|| self.learn(id));
        self.places.entry(id).or_insert(place)
    }

    /// Forgets a namespace: its id has come or gone.
    pub(crate) fn forget(&mut self, id: i32) {
        self.places.remove(&id);
    }

    fn learn(&mut self, id: i32) -> Place {
        // Nothing is asked there later: a socket, or a descriptor, would keep the namespace when others have let it go.
        let mut place = Place { name: None, names: Names::default(), links: Rows::new(&self.options, None) };
        if let Some((name, namespace)) = self.find(id) {
            place.name = Some(name);
            let mut config = self.config.clone();
            config.socket.namespace = Some(namespace);
            // Without them, interfaces are named by their indices.
            let _ = place.read(config);
        }
        place
    }

    fn find(&mut self, id: i32) -> Option<(String, Namespace)> {
        let connection = self.connection()?;
        named()
            .find(|(_, namespace)| matches!(namespaces::id_of(connection, namespace), Ok(Some(found)) if found == id))
    }

    /// What may be asked over, in the namespace that is listened in.
    pub(crate) fn connection(&mut self) -> Option<&mut Connection> {
        if self.connection.is_none() {
            self.connection = Connection::with(Protocol::ROUTE, self.config.clone()).ok();
        }
        self.connection.as_mut()
    }
}

impl Place {
    /// Learns what interfaces there are.
    fn read(&mut self, config: Config) -> Result<(), Error> {
        let mut connection = Connection::with(Protocol::ROUTE, config)?;
        let mut links = connection.dump(Rtm::GETLINK, LinkHeader::default(), |link| {
            link.put(Link::EXT_MASK, ExtMask::SKIP_STATS);
        })?;
        while let Some(link) = links.next()? {
            self.links.note(&link);
            if let (Ok(index), Some(name)) = (u32::try_from(link.header.index), link.attributes.get(Link::IFNAME)?) {
                self.names.insert(index, name);
            }
        }
        Ok(())
    }
}

/// The namespaces that have names.
fn named() -> impl Iterator<Item = (String, Namespace)> {
    let names = Namespace::names().unwrap_or_default();
    names.into_iter().filter_map(|name| {
        let name = name.into_string().ok()?;
        let namespace = Namespace::name(&name).ok()?;
        Some((name, namespace))
    })
}
