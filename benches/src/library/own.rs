//! ringlink, as its examples use it: typed keys, over each engine.

use std::net::Ipv4Addr;
use std::ops::Range;
use std::path::PathBuf;

use ringlink::codec::route::{
    AddressHeader, Family, Group, Link, LinkHeader, LinkMessage, Neighbour, NeighbourHeader, NeighbourMessage, Route,
    RouteHeader, RouteMessage, Rtm, RuleHeader,
};
use ringlink::codec::table::{Body, HardwareAddress, InetAddress};
use ringlink::engine::Deadline;
use ringlink::{Config, Connection, EngineChoice, Error, Monitor, Namespace, Protocol};

use super::{Change, Library, Until};
use crate::Outcome;
use crate::object::{self, Object, Tally, last};
use crate::scene::{FIRST_ROUTE, GATEWAY, route_header};

/// ringlink over an engine.
pub fn open(engine: &str) -> Outcome<Box<dyn Library>> {
    let engine = match engine {
        "" | "auto" => EngineChoice::Auto,
        "ring" => EngineChoice::Ring,
        "syscall" => EngineChoice::Syscall,
        _ => return Err(format!("no engine is named {engine}").into()),
    };
    let config = Config { engine, ..Config::default() };
    let connection = Connection::with(Protocol::ROUTE, config.clone())?;
    Ok(Box::new(Own { config, connection, monitor: None }))
}

struct Own {
    config: Config,
    connection: Connection,
    monitor: Option<Monitor>,
}

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
        for file in files {
            let mut config = self.config.clone();
            config.socket.namespace = Some(Namespace::path(file)?);
            let mut connection = Connection::with(Protocol::ROUTE, config)?;
            for object in Object::ALL {
                let found = dump(&mut connection, object)?;
                tally.items += found.items;
                tally.sum += found.sum;
            }
        }
        Ok(tally)
    }
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
                tally.add(u64::from(body.header.index) + u64::from(body.header.prefixlen));
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
                tally.add(u64::from(body.header.action.0));
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
