//! On tokio: looks the interfaces up, then follows routes until none has changed for a second, or so many were told.

use std::time::Duration;

use ringlink::codec::protocol::ROUTE;
use ringlink::codec::route::{Group, Link, LinkHeader, Rtm};
use ringlink::tokio::{Connection, Monitor};
use ringlink::{Error, Protocol};
use tokio::time::timeout;

#[tokio::main]
async fn main() -> Result<(), Error> {
    let mut monitor = Monitor::open(Protocol::ROUTE, &[Group::IPV4_ROUTE.0, Group::IPV6_ROUTE.0])?;

    let mut connection = Connection::open(Protocol::ROUTE)?;
    let mut links = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?;
    while let Some(link) = links.next().await? {
        let (name, mtu) = link.attributes.read((Link::IFNAME, Link::MTU))?;
        println!("{}: {} mtu {}", link.header.index, name.unwrap_or_default(), mtu.unwrap_or(0));
    }

    // A timeout that passes has taken no event: the next call has it.
    for _ in 0..10 {
        let Ok(notice) = timeout(Duration::from_secs(1), monitor.receive()).await else { break };
        for message in notice?.messages() {
            print!("{}", message?.tree(&ROUTE));
        }
    }
    Ok(())
}
