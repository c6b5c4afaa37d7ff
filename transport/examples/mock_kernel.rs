//! A kernel that is only played, for the tests of a program that manages interfaces: it needs no rights, no namespace and no
//! network.

use std::collections::BTreeMap;

use ringlink::codec::prelude::*;
use ringlink::codec::reply::Errno;
use ringlink::codec::route::watched::Links;
use ringlink::codec::route::{Group, Link, LinkHeader, LinkMessage, Rtm};
use ringlink::engine::Deadline;
use ringlink::engine::mock::Mock;
use ringlink::server::{self, Answer, Request, Service};
use ringlink::watch::{Change, Map};
use ringlink::{Connection, Error, Protocol};

/// What the program does: gives every interface the same MTU. It is what is tested.
fn set_all(connection: &mut Connection, mtu: u32) -> Result<usize, Error> {
    let mut indexes = Vec::new();
    let end = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?.for_each(|link| {
        indexes.push(link.header.index);
        Ok(())
    })?;
    if end.interrupted {
        return set_all(connection, mtu);
    }
    for index in &indexes {
        let header = LinkHeader { index: *index, ..LinkHeader::default() };
        connection.apply(Rtm::SETLINK, header, |link| link.put(Link::MTU, mtu))?;
    }
    Ok(indexes.len())
}

/// Interfaces, as far as the program wants to know them.
#[derive(Debug, Default)]
struct Interfaces {
    /// Names and MTUs, by index.
    links: BTreeMap<i32, (String, u32)>,
    /// How many dumps are to be interrupted.
    interruptions: u32,
}

impl Service for Interfaces {
    fn answer(&mut self, request: &Request<'_>, answer: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>> {
        match request.message.header.kind {
            kind if kind == Rtm::GETLINK.kind && request.is_dump() => self.dump(answer),
            kind if kind == Rtm::GETLINK.kind => self.get(&request.body(Rtm::GETLINK)?, answer),
            kind if kind == Rtm::SETLINK.kind => self.set(&request.body(Rtm::SETLINK)?, answer),
            _ => Err(server::unknown()),
        }
    }
}

impl Interfaces {
    fn dump(&mut self, answer: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>> {
        if self.interruptions > 0 {
            self.interruptions -= 1;
            answer.interrupted();
        }
        let first = i32::try_from(answer.cursor()).unwrap_or(i32::MAX);
        for (index, (name, mtu)) in self.links.range(first..) {
            let next = u64::from(index.unsigned_abs()) + 1;
            if !answer.part(next, Rtm::GETLINK, header(*index), write(name, *mtu))? {
                break;
            }
        }
        Ok(())
    }

    fn get(&self, question: &Body<'_, LinkMessage>, answer: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>> {
        let Some((name, mtu)) = self.links.get(&question.header.index) else { return Err(Refusal::new(Errno::NODEV)) };
        answer.item(Rtm::GETLINK, header(question.header.index), write(name, *mtu))
    }

    fn set(&mut self, change: &Body<'_, LinkMessage>, answer: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>> {
        let index = change.header.index;
        let Some((name, mtu)) = self.links.get_mut(&index) else { return Err(Refusal::new(Errno::NODEV)) };
        if let Some(wanted) = change.attributes.get(Link::MTU)? {
            if wanted > 9000 {
                let place = change.attributes.place(Link::MTU);
                return Err(Refusal::new(Errno::INVAL).saying("mtu greater than device maximum").at(place));
            }
            *mtu = wanted;
            answer.tell(Group::LINK.0, Rtm::NEWLINK, header(index), write(name, wanted))?;
        }
        Ok(())
    }
}

fn header(index: i32) -> LinkHeader {
    LinkHeader { index, ..LinkHeader::default() }
}

fn write(name: &str, mtu: u32) -> impl Fn(&mut AttributeWriter<'_, '_, Link>) {
    move |link| {
        link.put(Link::IFNAME, name);
        link.put(Link::MTU, mtu);
    }
}

fn main() -> Result<(), Error> {
    let links = (1..=3).map(|index| (index, (format!("eth{index}"), 1500))).collect();
    let kernel = Mock::new(Protocol::ROUTE, Interfaces { links, interruptions: 2 });
    let mut watch = kernel.watch(Links, Map::new())?;
    let mut changes = 0;
    watch.catch_up(Deadline::none(), |_| Ok(()))?;

    // The watch's dump was interrupted twice, and so will the program's be.
    kernel.with(|interfaces| interfaces.interruptions = 2);
    let mut connection = kernel.connection()?;
    println!("changed {} interfaces", set_all(&mut connection, 1400)?);
    kernel.with(|interfaces| assert!(interfaces.links.values().all(|(_, mtu)| *mtu == 1400)));
    watch.catch_up(Deadline::none(), |change| {
        changes += u32::from(matches!(change, Change::Changed(_)));
        Ok(())
    })?;
    println!("the watch was told of {changes} changes");
    println!("{}", set_all(&mut connection, 65_000).unwrap_err());
    Ok(())
}
