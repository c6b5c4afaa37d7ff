//! Gives an interface an IPv4 address: `add_address lo 127.0.0.7`. Needs CAP_NET_ADMIN.

use std::net::Ipv4Addr;

use ringlink::codec::route::{Address, AddressHeader, Family, Link, LinkHeader, Rtm};
use ringlink::{Connection, Protocol};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(name), Some(address)) = (arguments.next(), arguments.next()) else {
        return Err("usage: add_address INTERFACE IPV4".into());
    };
    let address: Ipv4Addr = address.parse()?;

    let mut connection = Connection::open(Protocol::ROUTE)?;
    // The kernel looks interfaces up by name, too.
    let index = connection
        .get(Rtm::GETLINK, LinkHeader::default(), |link| link.put(Link::IFNAME, &name[..]))?
        .body()
        .header
        .index;
    let header =
        AddressHeader { family: Family::INET, prefixlen: 32, index: index.try_into()?, ..AddressHeader::default() };
    connection.apply(Rtm::NEWADDR.create().exclusive(), header, |request| {
        request.put(Address::LOCAL, address);
        request.put(Address::ADDRESS, address);
    })?;
    println!("{address}/32 is on {name} now");
    Ok(())
}
