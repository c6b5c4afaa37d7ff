//! nlink, over tokio's current thread: dumps are streamed, every message becomes a value of its own.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;
use std::pin::pin;

use futures_util::{Stream, StreamExt};
use nlink::netlink::messages::{LinkMessage, NeighborMessage, RouteMessage};
use nlink::netlink::types::route::RouteProtocol;
use nlink::netlink::{Connection, RtnetlinkGroup};
use nlink::{Ipv4Route, Route};
use tokio::runtime::Runtime;

use super::{Change, Library, Until};
use crate::Outcome;
use crate::object::{self, Object, Tally, last_of};
use crate::scene::{FIRST_ROUTE, GATEWAY, INTERFACE};

/// Requests in one batch. Left to itself, a batch is 200 KiB, and then the acknowledgements overrun the socket's receive
/// buffer: the batch fails with `ENOBUFS`.
const BATCH: usize = 250;

/// nlink at work.
pub struct Nlink {
    runtime: Runtime,
    connection: Connection<Route>,
}

impl Nlink {
    /// Opens a connection.
    pub fn open() -> Outcome<Nlink> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let connection = {
            let _inside = runtime.enter();
            Connection::<Route>::new()?
        };
        Ok(Nlink { runtime, connection })
    }
}

impl Library for Nlink {
    fn dump(&mut self, object: Object) -> Outcome<Tally> {
        self.runtime.block_on(dump(&self.connection, object))
    }

    fn dump_once(&mut self, object: Object) -> Outcome<Tally> {
        self.runtime.block_on(async { dump(&Connection::<Route>::new()?, object).await })
    }

    fn listen(&mut self) -> Outcome {
        let _inside = self.runtime.enter();
        self.connection = Connection::<Route>::new()?;
        self.connection.subscribe(&[RtnetlinkGroup::Ipv4Route])?;
        Ok(())
    }

    fn events(&mut self, until: Until) -> Outcome<Tally> {
        self.runtime.block_on(async {
            let mut tally = Tally::default();
            let mut events = pin!(self.connection.events().await);
            while let Some(event) = events.next().await {
                // What was lost is an error of the stream, which goes on.
                let Ok(event) = event else { continue };
                let Some(message) = event.into_route() else { continue };
                tally.add(route(&message));
                if until.reached(tally.items, message.protocol().number()) {
                    return Ok(tally);
                }
            }
            Err("the stream ended".into())
        })
    }

    fn look_up(&mut self, addresses: Range<u32>) -> Outcome<Tally> {
        self.runtime.block_on(async {
            let mut tally = Tally::default();
            for address in addresses {
                let address = IpAddr::V4(Ipv4Addr::from(FIRST_ROUTE + address));
                tally.add(route(&self.connection.lookup_route(address).await?));
            }
            Ok(tally)
        })
    }

    fn change(&mut self, change: Change, numbers: Range<u32>) -> Outcome<Tally> {
        self.runtime.block_on(async {
            let mut tally = Tally::default();
            for start in numbers.clone().step_by(BATCH) {
                let end = numbers.end.min(start + BATCH as u32);
                let mut batch = self.connection.batch();
                for number in start..end {
                    let route =
                        Ipv4Route::new(Ipv4Addr::from(FIRST_ROUTE + number), 32).protocol(RouteProtocol::Static);
                    batch = match change {
                        Change::Add => batch.add_route(route.gateway(GATEWAY).dev_index(INTERFACE)),
                        Change::Delete => batch.del_route(route),
                    };
                    tally.add(0);
                }
                batch.execute_all().await?;
            }
            Ok(tally)
        })
    }
}

async fn dump(connection: &Connection<Route>, object: Object) -> Outcome<Tally> {
    let mut tally = Tally::default();
    match object {
        Object::Link => count(connection.stream_links().await?, link, &mut tally).await?,
        Object::Route => count(connection.stream_routes().await?, route, &mut tally).await?,
        Object::Neighbour => count(connection.stream_neighbors().await?, neighbour, &mut tally).await?,
        Object::Address | Object::Rule => return Err(super::missing("dumps of this")),
    }
    Ok(tally)
}

async fn count<T>(
    answers: impl Stream<Item = nlink::Result<T>>,
    read: impl Fn(&T) -> u64,
    tally: &mut Tally,
) -> Outcome {
    let mut answers = pin!(answers);
    while let Some(answer) = answers.next().await {
        tally.add(read(&answer?));
    }
    Ok(())
}

fn route(message: &RouteMessage) -> u64 {
    object::route(
        message.dst_len(),
        last_of(message.destination().copied()),
        last_of(message.gateway().copied()),
        message.oif().unwrap_or(0),
        message.priority().unwrap_or(0),
        message.table_id(),
    )
}

fn link(message: &LinkMessage) -> u64 {
    let name = message.name().unwrap_or_default().as_bytes();
    object::link(message.ifindex(), message.mtu().unwrap_or(0), name, message.address().unwrap_or_default())
}

fn neighbour(message: &NeighborMessage) -> u64 {
    object::neighbour(
        message.ifindex(),
        message.state() as u16,
        last_of(message.destination().copied()),
        message.lladdr().unwrap_or_default(),
    )
}
