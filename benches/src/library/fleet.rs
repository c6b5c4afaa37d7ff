//! ringlink's fleet: sockets in many namespaces, side by side in one thread or in two.

use std::path::PathBuf;

use ringlink::codec::route::{AddressHeader, Family, LinkHeader, NeighbourHeader, RouteHeader, Rtm, RuleHeader};
use ringlink::codec::wire::Message;
use ringlink::fleet::{Event, Fleet as Sockets, FleetConfig};
use ringlink::socket::Socket;
use ringlink::{EngineChoice, Error, Namespace, Protocol, SocketOptions};

use super::{Library, read_address, read_link, read_neighbour, read_route, read_rule};
use crate::Outcome;
use crate::object::{Object, Tally};

/// A fleet, made as the words say.
pub fn open(words: &str) -> Outcome<Box<dyn Library>> {
    let mut fleet = Fleet { config: FleetConfig::default(), keep: false, threads: 1, kept: None };
    for word in words.split(' ').filter(|word| !word.is_empty()) {
        match word {
            "ring" => fleet.config.engine = EngineChoice::Ring,
            "syscall" => fleet.config.engine = EngineChoice::Syscall,
            "kept" => fleet.keep = true,
            "twice" => fleet.threads = 2,
            _ => return Err(format!("a fleet has no way named {word}").into()),
        }
    }
    Ok(Box::new(fleet))
}

struct Fleet {
    config: FleetConfig,
    /// Whether sockets stay open from turn to turn.
    keep: bool,
    threads: usize,
    kept: Option<Sockets>,
}

impl Library for Fleet {
    fn namespaces(&mut self, files: &[PathBuf]) -> Outcome<Tally> {
        let mut tally = Tally::default();
        if self.threads > 1 {
            let (config, part) = (self.config, files.len().div_ceil(self.threads));
            let tallies: Vec<Result<Tally, Error>> = std::thread::scope(|scope| {
                let work = |files| scope.spawn(move || dump(&mut sail(config, files)?));
                let threads: Vec<_> = files.chunks(part).map(work).collect();
                threads.into_iter().map(|thread| thread.join().unwrap_or(Err(Error::TimedOut))).collect()
            });
            for found in tallies {
                let found = found?;
                tally.items += found.items;
                tally.sum += found.sum;
            }
            return Ok(tally);
        }
        let mut sockets = match self.kept.take() {
            Some(sockets) => sockets,
            None => sail(self.config, files)?,
        };
        tally = dump(&mut sockets)?;
        self.kept = self.keep.then_some(sockets);
        Ok(tally)
    }
}

/// A fleet with a socket in each of these namespaces.
fn sail(config: FleetConfig, files: &[PathBuf]) -> Result<Sockets, Error> {
    let mut sockets = Sockets::new(config)?;
    for file in files {
        let namespace = Some(Namespace::path(file)?);
        sockets.add(Socket::open(Protocol::ROUTE, &SocketOptions { namespace, ..SocketOptions::default() })?)?;
    }
    Ok(sockets)
}

/// Every object over every socket.
fn dump(sockets: &mut Sockets) -> Result<Tally, Error> {
    let family = Family::INET;
    for socket in 0..sockets.sockets().len() {
        sockets.dump(socket, Rtm::GETLINK, LinkHeader::default(), |_| {})?;
        sockets.dump(socket, Rtm::GETADDR, AddressHeader { family, ..AddressHeader::default() }, |_| {})?;
        sockets.dump(socket, Rtm::GETROUTE, RouteHeader { family, ..RouteHeader::default() }, |_| {})?;
        sockets.dump(socket, Rtm::GETNEIGH, NeighbourHeader { family, ..NeighbourHeader::default() }, |_| {})?;
        sockets.dump(socket, Rtm::GETRULE, RuleHeader { family, ..RuleHeader::default() }, |_| {})?;
    }
    let mut tally = Tally::default();
    sockets.run(|ticket, event| {
        match event {
            Event::Answer(message) => {
                // The dumps of a socket are numbered in the order in which they were asked for, from turn to turn.
                let object = usize::try_from(ticket.number).map_or(0, |number| number % Object::ALL.len());
                tally.add(read(Object::ALL[object], message)?);
            }
            Event::Done(end) => drop(end?),
        }
        Ok(())
    })?;
    Ok(tally)
}

fn read(object: Object, message: Message<'_>) -> Result<u64, Error> {
    Ok(match object {
        Object::Link => read_link(message.body(Rtm::NEWLINK)?),
        Object::Address => read_address(message.body(Rtm::NEWADDR)?),
        Object::Route => read_route(message.body(Rtm::NEWROUTE)?),
        Object::Neighbour => read_neighbour(message.body(Rtm::NEWNEIGH)?),
        Object::Rule => read_rule(message.body(Rtm::NEWRULE)?),
    })
}
