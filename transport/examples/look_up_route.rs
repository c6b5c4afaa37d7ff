//! Asks which way a packet to an address would take: `look_up_route 127.0.0.1`.

use std::net::IpAddr;

use ringlink::codec::route::{Family, Route, RouteHeader, RouteView, Rtm};
use ringlink::{Connection, Protocol};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let destination: IpAddr = std::env::args().nth(1).unwrap_or("127.0.0.1".into()).parse()?;
    let (family, length) = match destination {
        IpAddr::V4(_) => (Family::INET, 32),
        IpAddr::V6(_) => (Family::INET6, 128),
    };
    let mut connection = Connection::open(Protocol::ROUTE)?;
    let header = RouteHeader { family, dst_len: length, ..RouteHeader::default() };
    let reply = connection.get(Rtm::GETROUTE, header, |route| route.put(Route::DST, destination))?;
    let route = RouteView::read(reply.body())?;
    println!("{destination} goes by interface {:?}, gateway {:?}", route.output, route.gateway);
    Ok(())
}
