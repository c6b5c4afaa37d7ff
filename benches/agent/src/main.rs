//! An agent for a machine that can spare little: it tells all interfaces and routes, then what changes, a line each.
//!
//! No std, no allocator, no libc, no panics: the codec, seven system calls and one buffer. `ringlink-agent N` ends after `N`
//! changes.
//!
//! What a program needs to be this small is all here: [`system`] has the calls, [`line`](mod@line) writes text, and this file
//! asks and listens. Panics are left out of the binary by the linker: the handler calls what does not exist.

#![no_std]
#![no_main]

mod line;
mod memory;
mod system;

use core::num::NonZeroU32;

use line::Line;
use ringlink_codec::follow::{Advice, Follower};
use ringlink_codec::prelude::*;
use ringlink_codec::reply::End;
use ringlink_codec::route::{
    Group, Link, LinkFlags, LinkHeader, LinkMessage, Route, RouteHeader, RouteMessage, RouteType, Rtm,
};
use ringlink_codec::wire::MessageType;
use system::{Fault, Received, Socket};

/// The largest datagram that the kernel makes of a dump is 32 KiB.
const DATAGRAM: usize = 32 * 1024;

/// What it listens to.
const GROUPS: [Group; 3] = [Group::LINK, Group::IPV4_ROUTE, Group::IPV6_ROUTE];

/// The families whose routes are told. Each is asked for by itself: for all at once the kernel takes its configuration lock.
const FAMILIES: [ringlink_codec::route::Family; 2] =
    [ringlink_codec::route::Family::INET, ringlink_codec::route::Family::INET6];

/// What ends the agent.
enum Failure {
    /// A system call.
    System(Fault),
    /// A message that is none.
    Codec(Error),
    /// The kernel says no, with this errno.
    Refused(u32),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::System(fault)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Codec(error)
    }
}

/// Runs until as many changes were told as were asked for, or for ever; returns the exit status.
fn run(changes: Option<NonZeroU32>, buffer: &mut [u8; DATAGRAM]) -> i32 {
    let failure = match Agent::open(buffer) {
        Ok(mut agent) => match agent.follow(changes) {
            Ok(()) => return 0,
            Err(failure) => failure,
        },
        Err(failure) => failure,
    };
    let mut line = Line::new();
    line.text("error: ");
    match failure {
        Failure::System(fault) => line.text(fault.call).text(": errno ").number(fault.errno.unsigned_abs()),
        Failure::Codec(error) => line.text("bad message, at byte ").number(error.offset.into()),
        Failure::Refused(errno) => line.text("the kernel refuses: errno ").number(errno),
    };
    line.say(system::ERRORS);
    1
}

/// A socket for questions, another for events: answers and events do not push each other out.
struct Agent<'b> {
    questions: Socket,
    events: Socket,
    sequence: u32,
    buffer: &'b mut [u8; DATAGRAM],
}

impl<'b> Agent<'b> {
    fn open(buffer: &'b mut [u8; DATAGRAM]) -> Result<Self, Failure> {
        let mask = GROUPS.iter().fold(0, |mask, group| mask | 1 << (group.0 - 1));
        let questions = Socket::open(0)?;
        let mut agent = Self { questions, events: Socket::open(mask)?, sequence: 0, buffer };
        agent.prime()?;
        Ok(agent)
    }

    fn next_sequence(&mut self) -> u32 {
        self.sequence = self.sequence.wrapping_add(1).max(1);
        self.sequence
    }

    /// Lets the kernel see a large receive before the first dump, whose first datagram it sizes by that.
    fn prime(&mut self) -> Result<(), Failure> {
        let exchange = Exchange::apply(self.next_sequence(), self.questions.port);
        let mut request = MessageHeader { length: 16, kind: MessageType::NOOP, ..MessageHeader::default() }.to_bytes();
        exchange.stamp(&mut request);
        self.questions.send(&request)?;
        // A refusal is as good: it was received, too.
        self.answers(exchange, |_| Ok(())).map(drop).or_else(|failure| match failure {
            Failure::Refused(_) => Ok(()),
            failure => Err(failure),
        })
    }

    /// Tells all there is, then what changes.
    fn follow(&mut self, changes: Option<NonZeroU32>) -> Result<(), Failure> {
        let mut follower = Follower::new();
        let mut left = changes.map(NonZeroU32::get);
        while left != Some(0) {
            if follower.advice() == Advice::Dump {
                follower.dump_started();
                follower.dump_ended(self.dump()?);
                continue;
            }
            let Received { length, sender, .. } = match self.events.receive(self.buffer) {
                Ok(received) if !received.cut => received,
                // Events were lost: all is told anew.
                Ok(_) => {
                    follower.overrun();
                    continue;
                }
                Err(fault) if fault.is_overrun() => {
                    follower.overrun();
                    continue;
                }
                Err(fault) => return Err(fault.into()),
            };
            if sender != 0 {
                continue;
            }
            for message in Messages::new(self.buffer.get(..length).unwrap_or_default()) {
                if tell_change(message?)? {
                    left = left.map(|left| left.saturating_sub(1));
                }
            }
        }
        Ok(())
    }

    /// Tells all interfaces and routes.
    fn dump(&mut self) -> Result<End, Failure> {
        let mut bytes = [0; 64];
        let request = Rtm::GETLINK.write(&mut bytes, LinkHeader::default(), |_| {})?;
        let mut end = self.ask(request, |message| tell_link("", message.answer(Rtm::GETLINK)?))?;
        for family in FAMILIES {
            let header = RouteHeader { family, ..RouteHeader::default() };
            let request = Rtm::GETROUTE.write(&mut bytes, header, |_| {})?;
            let routes = self.ask(request, |message| tell_route("", message.answer(Rtm::GETROUTE)?))?;
            if !routes.is_complete() {
                end = routes;
            }
        }
        Ok(end)
    }

    fn ask(&mut self, request: &mut [u8], each: impl FnMut(Message<'_>) -> Result<(), Error>) -> Result<End, Failure> {
        let exchange = Exchange::dump(self.next_sequence(), self.questions.port);
        exchange.stamp(request);
        self.questions.send(request)?;
        self.answers(exchange, each)
    }

    fn answers(
        &mut self,
        mut exchange: Exchange,
        mut each: impl FnMut(Message<'_>) -> Result<(), Error>,
    ) -> Result<End, Failure> {
        loop {
            let received = self.questions.receive(self.buffer)?;
            if received.cut {
                exchange.truncated();
            }
            let origin = Origin { port: received.sender, group: 0 };
            for message in Messages::new(self.buffer.get(..received.length).unwrap_or_default()) {
                match exchange.accept(message?, origin) {
                    Step::Item(message) => each(message)?,
                    Step::Finished { end, .. } => return Ok(end),
                    Step::Failed(refusal) => return Err(Failure::Refused(refusal.errno.0)),
                    Step::NotMine | Step::Skip => {}
                }
            }
        }
    }
}

/// Tells an event; says whether it was one of those that are told.
fn tell_change(message: Message<'_>) -> Result<bool, Error> {
    match message.header.kind {
        kind if kind == Rtm::NEWLINK.kind => tell_link("new ", Body::of(message))?,
        kind if kind == Rtm::DELLINK.kind => tell_link("deleted ", Body::of(message))?,
        kind if kind == Rtm::NEWROUTE.kind => tell_route("new ", Body::of(message))?,
        kind if kind == Rtm::DELROUTE.kind => tell_route("deleted ", Body::of(message))?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// `new link 3 eth0 up mtu 1500 02:00:00:00:00:01`.
fn tell_link(what: &str, body: Body<'_, LinkMessage>) -> Result<(), Error> {
    let (name, mtu, address) = body.attributes.read((Link::IFNAME, Link::MTU, Link::ADDRESS))?;
    let mut line = Line::new();
    line.text(what).text("link ").number(body.header.index.unsigned_abs()).text(" ");
    line.bytes(name.unwrap_or_default().as_bytes());
    line.text(if body.header.flags.contains(LinkFlags::UP) { " up" } else { " down" });
    if let Some(mtu) = mtu {
        line.text(" mtu ").number(mtu);
    }
    if let Some(address) = address {
        line.text(" ").hexadecimal(address.0);
    }
    line.say(system::OUTPUT);
    Ok(())
}

/// `route 192.0.2.0/24 via 198.51.100.1 dev 3 table 254`.
fn tell_route(what: &str, body: Body<'_, RouteMessage>) -> Result<(), Error> {
    let (destination, gateway, output, table) =
        body.attributes.read((Route::DST, Route::GATEWAY, Route::OIF, Route::TABLE))?;
    let mut line = Line::new();
    line.text(what).text(match body.header.kind {
        RouteType::UNICAST => "route ",
        RouteType::LOCAL => "local route ",
        _ => "other route ",
    });
    match destination {
        Some(destination) => line.address(destination.0),
        None => line.text("default"),
    };
    line.text("/").number(body.header.dst_len.into());
    if let Some(gateway) = gateway {
        line.text(" via ").address(gateway.0);
    }
    if let Some(output) = output {
        line.text(" dev ").number(output);
    }
    if let Some(table) = table {
        line.text(" table ").number(table.0);
    }
    line.say(system::OUTPUT);
    Ok(())
}
