//! ringlink, as its examples use it: typed keys, over each engine.

use std::net::Ipv4Addr;
use std::ops::Range;
use std::path::PathBuf;

use ringlink::codec::route::{
    AddressHeader, AddressMessage, Family, Group, Link, LinkHeader, LinkMessage, Neighbour, NeighbourHeader,
    NeighbourMessage, Route, RouteHeader, RouteMessage, Rtm, RuleHeader, RuleMessage,
};
use ringlink::codec::table::{Body, HardwareAddress, InetAddress};
use ringlink::engine::Deadline;
use ringlink::{Config, Connection, EngineChoice, Error, Monitor, Namespace, Protocol};

use super::{Change, Library, Until};
use crate::Outcome;
use crate::object::{self, Object, Tally, last};
use crate::scene::{FIRST_ROUTE, GATEWAY, route_header};

/// ringlink over an engine, one request at a time or as the words say.
pub fn open(words: &str) -> Outcome<Box<dyn Library>> {
    let mut config = Config::default();
    let mut mode = Mode::Plain;
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        match word {
            "auto" => config.engine = EngineChoice::Auto,
            "ring" => config.engine = EngineChoice::Ring,
            "syscall" => config.engine = EngineChoice::Syscall,
            "tiny" => config = Config::tiny(),
            "batched" => mode = Mode::Batched,
            "overlapped" => mode = Mode::Overlapped,
            "kept" => mode = Mode::Kept,
            _ => return Err(format!("ringlink has no way named {word}").into()),
        }
    }
    let connection = Connection::with(Protocol::ROUTE, config.clone())?;
    Ok(Box::new(Own { config, mode, connection, monitor: None, kept: Vec::new() }))
}

/// How the work is done where there is a choice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Plain,
    /// Many questions in one send.
    Batched,
    /// A dump in two threads.
    Overlapped,
    /// Connections into other namespaces stay open from turn to turn.
    Kept,
}

struct Own {
    config: Config,
    mode: Mode,
    connection: Connection,
    monitor: Option<Monitor>,
    kept: Vec<Connection>,
}

/// Datagrams on the way between the threads of a dump in two.
const BUFFERS: usize = 64;

impl Library for Own {
    fn dump(&mut self, object: Object) -> Outcome<Tally> {
        Ok(dump(&mut self.connection, object)?)
    }

    fn dump_once(&mut self, object: Object) -> Outcome<Tally> {
        let mut connection = Connection::with(Protocol::ROUTE, self.config.clone())?;
        Ok(dump(&mut connection, object)?)
    }

    fn listen(&mut self) -> Outcome {
        self.monitor = Some(Monitor::with(Protocol::ROUTE, &self.config, &[Group::IPV4_ROUTE.0])?);
        Ok(())
    }

    fn events(&mut self, until: Until) -> Outcome<Tally> {
        let monitor = self.monitor.as_ref().ok_or("the monitor is not open")?;
        let mut tally = Tally::default();
        loop {
            let notice = match monitor.receive(Deadline::none()) {
                Err(Error::Overrun { .. }) => continue,
                other => other?,
            };
            for message in notice.messages() {
                let message = message?;
                let body = message.body(Rtm::NEWROUTE).or_else(|_| message.body(Rtm::DELROUTE))?;
                let protocol = body.header.protocol.0;
                tally.add(route(body));
                if until.reached(tally.items, protocol) {
                    return Ok(tally);
                }
            }
        }
    }

    fn look_up(&mut self, addresses: Range<u32>) -> Outcome<Tally> {
        let mut tally = Tally::default();
        let header = RouteHeader { family: Family::INET, dst_len: 32, ..RouteHeader::default() };
        if self.mode == Mode::Batched {
            let mut lookups = self.connection.lookups(Rtm::GETROUTE, |_, answer| {
                tally.add(route(answer?));
                Ok(())
            });
            for address in addresses {
                lookups.add(header, |route| route.put(Route::DST, Ipv4Addr::from(FIRST_ROUTE + address)))?;
            }
            lookups.finish()?;
            return Ok(tally);
        }
        for address in addresses {
            let reply = self.connection.get(Rtm::GETROUTE, header, |route| {
                route.put(Route::DST, Ipv4Addr::from(FIRST_ROUTE + address));
            })?;
            tally.add(route(reply.body()));
        }
        Ok(tally)
    }

    fn change(&mut self, change: Change, numbers: Range<u32>) -> Outcome<Tally> {
        let mut batch = self.connection.batch();
        for number in numbers {
            let destination = Ipv4Addr::from(FIRST_ROUTE + number);
            match change {
                Change::Add => batch.add(Rtm::NEWROUTE.create(), route_header(), |route| {
                    route.put(Route::DST, destination);
                    route.put(Route::GATEWAY, GATEWAY);
                })?,
                Change::Delete => {
                    batch.add(Rtm::DELROUTE, route_header(), |route| route.put(Route::DST, destination))?;
                }
            }
        }
        let outcomes = batch.finish()?;
        match outcomes.failures().first() {
            Some(failure) => Err(Error::Refused(Box::new(failure.refused.clone())).into()),
            None => Ok(Tally { items: outcomes.count() as u64, sum: 0 }),
        }
    }

    fn namespaces(&mut self, files: &[PathBuf]) -> Outcome<Tally> {
        let mut tally = Tally::default();
        if self.mode == Mode::Kept && self.kept.is_empty() {
            self.kept = files.iter().map(|file| self.connect(file)).collect::<Result<_, _>>()?;
        }
        for (at, file) in files.iter().enumerate() {
            match self.kept.get_mut(at) {
                Some(connection) => dump_all(connection, &mut tally)?,
                None => dump_all(&mut self.connect(file)?, &mut tally)?,
            }
        }
        Ok(tally)
    }

    fn dump_heavily(&mut self, passes: u32) -> Outcome<Tally> {
        let mut tally = Tally::default();
        let header = RouteHeader { family: Family::INET, ..RouteHeader::default() };
        let each = |body: Body<'_, RouteMessage>| {
            heavy_route(&mut tally, body, passes);
            Ok(())
        };
        if self.mode == Mode::Overlapped {
            let (reader, routes) = self.connection.dump_overlapped(Rtm::GETROUTE, header, |_| {}, BUFFERS)?;
            std::thread::scope(|scope| {
                scope.spawn(|| reader.run());
                routes.for_each(each)
            })?;
        } else {
            self.connection.dump(Rtm::GETROUTE, header, |_| {})?.for_each(each)?;
        }
        Ok(tally)
    }
}

impl Own {
    fn connect(&self, file: &PathBuf) -> Result<Connection, Error> {
        let mut config = self.config.clone();
        config.socket.namespace = Some(Namespace::path(file)?);
        Connection::with(Protocol::ROUTE, config)
    }
}

fn dump_all(connection: &mut Connection, tally: &mut Tally) -> Result<(), Error> {
    for object in Object::ALL {
        let found = dump(connection, object)?;
        tally.items += found.items;
        tally.sum += found.sum;
    }
    Ok(())
}

fn dump(connection: &mut Connection, object: Object) -> Result<Tally, Error> {
    let mut tally = Tally::default();
    match object {
        Object::Link => {
            connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?.for_each(|body| {
                tally.add(link(body));
                Ok(())
            })?;
        }
        Object::Address => {
            let header = AddressHeader { family: Family::INET, ..AddressHeader::default() };
            connection.dump(Rtm::GETADDR, header, |_| {})?.for_each(|body| {
                tally.add(address(body));
                Ok(())
            })?;
        }
        Object::Route => {
            let header = RouteHeader { family: Family::INET, ..RouteHeader::default() };
            connection.dump(Rtm::GETROUTE, header, |_| {})?.for_each(|body| {
                tally.add(route(body));
                Ok(())
            })?;
        }
        Object::Neighbour => {
            let header = NeighbourHeader { family: Family::INET, ..NeighbourHeader::default() };
            connection.dump(Rtm::GETNEIGH, header, |_| {})?.for_each(|body| {
                tally.add(neighbour(body));
                Ok(())
            })?;
        }
        Object::Rule => {
            let header = RuleHeader { family: Family::INET, ..RuleHeader::default() };
            connection.dump(Rtm::GETRULE, header, |_| {})?.for_each(|body| {
                tally.add(rule(body));
                Ok(())
            })?;
        }
    }
    Ok(tally)
}

/// Reads a route by typed keys.
#[inline]
pub fn route(body: Body<'_, RouteMessage>) -> u64 {
    let keys = (Route::DST, Route::GATEWAY, Route::OIF, Route::PRIORITY, Route::TABLE);
    let Ok((destination, gateway, output, priority, table)) = body.attributes.read(keys) else { return 0 };
    let byte = |address: Option<InetAddress<'_>>| address.map_or(0, |address| last(address.0));
    object::route(
        body.header.dst_len,
        byte(destination),
        byte(gateway),
        output.unwrap_or(0),
        priority.unwrap_or(0),
        table.map_or(0, |table| table.0),
    )
}

/// Reads a route by typed keys, and then does what a program with much to do does.
#[inline]
pub fn heavy_route(tally: &mut Tally, body: Body<'_, RouteMessage>, passes: u32) {
    tally.add(route(body));
    tally.sum = object::heavy(tally.sum, body.attributes.payload().bytes, passes);
}

/// Reads an interface by typed keys.
#[inline]
pub fn link(body: Body<'_, LinkMessage>) -> u64 {
    let Ok((name, mtu, address)) = body.attributes.read((Link::IFNAME, Link::MTU, Link::ADDRESS)) else { return 0 };
    let name = name.unwrap_or_default();
    let index = body.header.index.cast_unsigned();
    object::link(
        index,
        mtu.unwrap_or(0),
        name.as_bytes(),
        address.map_or(&[], |address: HardwareAddress<'_>| address.0),
    )
}

/// Reads a neighbour by typed keys.
#[inline]
pub fn neighbour(body: Body<'_, NeighbourMessage>) -> u64 {
    let Ok((address, hardware)) = body.attributes.read((Neighbour::DST, Neighbour::LLADDR)) else { return 0 };
    object::neighbour(
        body.header.ifindex.cast_unsigned(),
        body.header.state.0,
        address.map_or(0, |address| last(address.0)),
        hardware.map_or(&[], |address| address.0),
    )
}

/// Reads an address by its fixed header alone.
#[inline]
pub fn address(body: Body<'_, AddressMessage>) -> u64 {
    u64::from(body.header.index) + u64::from(body.header.prefixlen)
}

/// Reads a rule by its fixed header alone.
#[inline]
pub fn rule(body: Body<'_, RuleMessage>) -> u64 {
    u64::from(body.header.action.0)
}
