//! Counts the routes by protocol, however many there are: nothing is allocated while they come.

use ringlink::codec::route::{Family, RouteHeader, Rtm};
use ringlink::{Connection, Error, Protocol};

fn main() -> Result<(), Error> {
    let mut connection = Connection::open(Protocol::ROUTE)?;
    let header = RouteHeader { family: Family::INET, ..RouteHeader::default() };
    let mut routes = connection.dump(Rtm::GETROUTE, header, |_| {})?;
    let mut by_protocol = [0_u64; 256];
    while let Some(route) = routes.next()? {
        by_protocol[usize::from(route.header.protocol.0)] += 1;
    }
    println!("complete: {}", routes.end().is_complete());
    drop(routes);
    for (protocol, count) in by_protocol.iter().enumerate().filter(|(_, count)| **count > 0) {
        println!("protocol {protocol}: {count} routes");
    }
    println!("{}", connection.statistics().reason);
    Ok(())
}
