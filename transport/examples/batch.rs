//! Adds a thousand routes to a table of their own in a few datagrams, and takes them away again. Needs CAP_NET_ADMIN.

use std::net::Ipv4Addr;

use ringlink::codec::route::{Family, Route, RouteHeader, RouteProtocol, RouteTable, RouteType, Rtm, Scope};
use ringlink::{Connection, Error, Protocol};

fn main() -> Result<(), Error> {
    let mut connection = Connection::open(Protocol::ROUTE)?;
    let header = RouteHeader {
        family: Family::INET,
        dst_len: 32,
        protocol: RouteProtocol::STATIC,
        scope: Scope::HOST,
        kind: RouteType::BLACKHOLE,
        ..RouteHeader::default()
    };
    for operation in [Rtm::NEWROUTE.create().exclusive(), Rtm::DELROUTE] {
        let mut batch = connection.batch();
        for number in 0..1000 {
            batch.add(operation, header, |route| {
                route.put(Route::DST, Ipv4Addr::from(0xc612_0000 + number)); // 198.18.0.0/15 is for benchmarks
                route.put(Route::TABLE, RouteTable(77_777));
            })?;
        }
        let outcomes = batch.finish()?;
        for failure in outcomes.failures().iter().take(3) {
            eprintln!("request {}: {}", failure.index, failure.refused);
        }
        println!("{} requests, {} refused", outcomes.count(), outcomes.failures().len());
    }
    println!("{} system calls in all", connection.statistics().counters.system_calls);
    Ok(())
}
