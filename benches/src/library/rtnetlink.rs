//! rtnetlink, over tokio's current thread: every message becomes a value of its own.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use futures_util::{Stream, StreamExt, pin_mut};
use netlink_packet_core::{NetlinkMessage, NetlinkPayload};
use netlink_packet_route::link::{LinkAttribute, LinkMessage};
use netlink_packet_route::neighbour::{NeighbourAddress, NeighbourAttribute, NeighbourMessage};
use netlink_packet_route::route::{RouteAddress, RouteAttribute, RouteMessage};
use netlink_packet_route::{AddressFamily, RouteNetlinkMessage};
use rtnetlink::sys::SocketAddr;
use rtnetlink::{Error, Handle, MulticastGroup, RouteMessageBuilder};
use tokio::runtime::Runtime;

use super::{Change, Library, Until};
use crate::Outcome;
use crate::object::{self, Object, Tally, last, last_of};
use crate::scene::{FIRST_ROUTE, GATEWAY};

/// What the connection hands events out by.
type Events = futures_channel::mpsc::UnboundedReceiver<(NetlinkMessage<RouteNetlinkMessage>, SocketAddr)>;

/// rtnetlink at work.
pub struct Rtnetlink {
    runtime: Runtime,
    handle: Handle,
    events: Option<Events>,
}

impl Rtnetlink {
    /// Opens a connection.
    pub fn open() -> Outcome<Rtnetlink> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let handle = {
            let _inside = runtime.enter();
            connect()?
        };
        Ok(Rtnetlink { runtime, handle, events: None })
    }
}

/// Has to be called inside the runtime.
fn connect() -> Outcome<Handle> {
    let (connection, handle, _) = rtnetlink::new_connection()?;
    tokio::spawn(connection);
    Ok(handle)
}

impl Library for Rtnetlink {
    fn dump(&mut self, object: Object) -> Outcome<Tally> {
        self.runtime.block_on(dump(&self.handle, object))
    }

    fn dump_once(&mut self, object: Object) -> Outcome<Tally> {
        self.runtime.block_on(async { dump(&connect()?, object).await })
    }

    fn listen(&mut self) -> Outcome {
        let _inside = self.runtime.enter();
        let (connection, _, events) = rtnetlink::new_multicast_connection(&[MulticastGroup::Ipv4Route])?;
        tokio::spawn(connection);
        self.events = Some(events);
        Ok(())
    }

    fn events(&mut self, until: Until) -> Outcome<Tally> {
        let events = self.events.as_mut().ok_or("nobody listens")?;
        self.runtime.block_on(async {
            let mut tally = Tally::default();
            while let Some((message, _)) = events.next().await {
                let NetlinkPayload::InnerMessage(
                    RouteNetlinkMessage::NewRoute(message) | RouteNetlinkMessage::DelRoute(message),
                ) = message.payload
                else {
                    continue;
                };
                tally.add(route(&message));
                if until.reached(tally.items, message.header.protocol.into()) {
                    return Ok(tally);
                }
            }
            Err("the connection ended".into())
        })
    }

    fn look_up(&mut self, addresses: Range<u32>) -> Outcome<Tally> {
        self.runtime.block_on(async {
            let mut tally = Tally::default();
            for address in addresses {
                let question = RouteMessageBuilder::<Ipv4Addr>::new()
                    .destination_prefix(Ipv4Addr::from(FIRST_ROUTE + address), 32)
                    .build();
                count(self.handle.route().get(question).execute(), route, &mut tally).await?;
            }
            Ok(tally)
        })
    }

    fn change(&mut self, change: Change, numbers: Range<u32>) -> Outcome<Tally> {
        self.runtime.block_on(async {
            let mut tally = Tally::default();
            for number in numbers {
                let destination = Ipv4Addr::from(FIRST_ROUTE + number);
                let message = RouteMessageBuilder::<Ipv4Addr>::new().destination_prefix(destination, 32);
                match change {
                    Change::Add => self.handle.route().add(message.gateway(GATEWAY).build()).execute().await?,
                    Change::Delete => self.handle.route().del(message.build()).execute().await?,
                }
                tally.add(0);
            }
            Ok(tally)
        })
    }
}

async fn dump(handle: &Handle, object: Object) -> Outcome<Tally> {
    let mut tally = Tally::default();
    match object {
        Object::Link => count(handle.link().get().execute(), link, &mut tally).await?,
        Object::Route => {
            let question = RouteMessageBuilder::<Ipv4Addr>::new().build();
            count(handle.route().get(question).execute(), route, &mut tally).await?;
        }
        Object::Neighbour => {
            let question = handle.neighbours().get().set_address_family(AddressFamily::Inet);
            count(question.execute(), neighbour, &mut tally).await?;
        }
        Object::Address | Object::Rule => return Err(super::missing("dumps of this")),
    }
    Ok(tally)
}

async fn count<T>(
    answers: impl Stream<Item = Result<T, Error>>,
    read: impl Fn(&T) -> u64,
    tally: &mut Tally,
) -> Outcome {
    pin_mut!(answers);
    while let Some(answer) = answers.next().await {
        tally.add(read(&answer?));
    }
    Ok(())
}

fn route(message: &RouteMessage) -> u64 {
    let byte = |address: &RouteAddress| match address {
        RouteAddress::Inet(address) => last_of(Some(IpAddr::V4(*address))),
        RouteAddress::Inet6(address) => last_of(Some(IpAddr::V6(*address))),
        _ => 0,
    };
    let (mut destination, mut gateway, mut output, mut priority, mut table) = (0, 0, 0, 0, 0);
    for attribute in &message.attributes {
        match attribute {
            RouteAttribute::Destination(address) => destination = byte(address),
            RouteAttribute::Gateway(address) => gateway = byte(address),
            RouteAttribute::Oif(index) => output = *index,
            RouteAttribute::Priority(value) => priority = *value,
            RouteAttribute::Table(value) => table = *value,
            _ => {}
        }
    }
    object::route(message.header.destination_prefix_length, destination, gateway, output, priority, table)
}

fn link(message: &LinkMessage) -> u64 {
    let (mut name, mut mtu, mut address) = ("", 0, [].as_slice());
    for attribute in &message.attributes {
        match attribute {
            LinkAttribute::IfName(value) => name = value,
            LinkAttribute::Mtu(value) => mtu = *value,
            LinkAttribute::Address(value) => address = value,
            _ => {}
        }
    }
    object::link(message.header.index, mtu, name.as_bytes(), address)
}

fn neighbour(message: &NeighbourMessage) -> u64 {
    let (mut address, mut hardware) = (0, [].as_slice());
    for attribute in &message.attributes {
        match attribute {
            NeighbourAttribute::Destination(NeighbourAddress::Inet(value)) => address = value.octets()[3],
            NeighbourAttribute::Destination(NeighbourAddress::Inet6(value)) => address = last(&value.octets()),
            NeighbourAttribute::LinkLayerAddress(value) => hardware = value,
            _ => {}
        }
    }
    object::neighbour(message.header.ifindex, message.header.state.into(), address, hardware)
}
