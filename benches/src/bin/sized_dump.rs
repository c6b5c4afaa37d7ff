//! A program that dumps links and routes by typed keys: what ringlink adds to a program.

use ringlink::codec::route::{Family, Link, LinkHeader, Route, RouteHeader, Rtm};
use ringlink::{Connection, Error, Protocol};

fn main() -> Result<(), Error> {
    println!("{} arguments", std::env::args().len());
    let mut connection = Connection::open(Protocol::ROUTE)?;
    let mut links = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?;
    while let Some(link) = links.next()? {
        let (name, mtu) = link.attributes.read((Link::IFNAME, Link::MTU))?;
        println!("{} {mtu:?}", name.unwrap_or_default());
    }
    drop(links);
    let header = RouteHeader { family: Family::INET, ..RouteHeader::default() };
    let mut routes = connection.dump(Rtm::GETROUTE, header, |_| {})?;
    while let Some(route) = routes.next()? {
        let (destination, output) = route.attributes.read((Route::DST, Route::OIF))?;
        println!("{destination:?} {output:?}");
    }
    Ok(())
}
