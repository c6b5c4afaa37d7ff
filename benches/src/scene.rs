//! What benches need around them: a network namespace of their own, interfaces, tables of a size, events.
//!
//! All of it is made through ringlink's batches; what makes a scene is never measured.

use std::fs::{self, File};
use std::net::Ipv4Addr;
use std::os::fd::OwnedFd;

use ringlink::codec::route::{
    Address, AddressHeader, Family, Link, LinkFlags, LinkHeader, LinkInfo, Neighbour, NeighbourHeader, NeighbourState,
    Route, RouteHeader, RouteProtocol, RouteType, Rtm, Scope, ShortTable, Veth,
};
use ringlink::connection::{Batch, Outcomes};
use ringlink::{Connection, Error, Protocol};

use crate::Outcome;

/// The first of the routes' destinations, 20.0.0.0.
pub const FIRST_ROUTE: u32 = 0x1400_0000;

/// The gateway of all routes.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 2);

/// The interface that routes and neighbours are on, made first after the loopback interface.
pub const INTERFACE: u32 = 2;

/// The protocol number of a route that tells a consumer of events to stop; nobody else uses it.
pub const LAST: u8 = 199;

/// Moves the calling thread into a network namespace of its own, with a pair of interfaces and no IPv6.
///
/// # Errors
///
/// Where that is not allowed.
pub fn enter() -> Outcome {
    // SAFETY: no memory is involved.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
        return Err(format!("unshare: {}", std::io::Error::last_os_error()).into());
    }
    // So that it makes no difference whether a library asks for IPv4 alone or cannot.
    for interfaces in ["all", "default", "lo"] {
        let _ = fs::write(format!("/proc/sys/net/ipv6/conf/{interfaces}/disable_ipv6"), "1");
    }
    let mut connection = Connection::open(Protocol::ROUTE)?;
    pair(&mut connection, "v0", "v1", INTERFACE)?;
    let up = LinkHeader { index: 1, flags: LinkFlags::UP, change: LinkFlags::UP, ..LinkHeader::default() };
    connection.apply(Rtm::NEWLINK, up, |_| {})?;
    for index in [INTERFACE, INTERFACE + 1] {
        connection.apply(Rtm::NEWLINK, LinkHeader { index: index.cast_signed(), ..up }, |_| {})?;
    }
    let header = AddressHeader { family: Family::INET, prefixlen: 30, index: INTERFACE, ..AddressHeader::default() };
    connection.apply(Rtm::NEWADDR.create(), header, |address| {
        address.put(Address::LOCAL, Ipv4Addr::new(10, 0, 0, 1));
        address.put(Address::ADDRESS, Ipv4Addr::new(10, 0, 0, 1));
    })?;
    Ok(())
}

/// A pair of interfaces; `index` and the next number are theirs.
fn pair(connection: &mut Connection, name: &str, peer: &str, index: u32) -> Outcome {
    let header = LinkHeader { index: index.cast_signed(), ..LinkHeader::default() };
    connection.apply(Rtm::NEWLINK.create().exclusive(), header, |link| {
        link.put(Link::IFNAME, name);
        link.nest(Link::LINKINFO, |info| {
            info.put(LinkInfo::KIND, "veth");
            info.choose(LinkInfo::DATA, Veth, |veth| {
                let header = LinkHeader { index: (index + 1).cast_signed(), ..LinkHeader::default() };
                veth.headed(Veth::PEER, header, |link| link.put(Link::IFNAME, peer));
            });
        });
    })?;
    Ok(())
}

/// Adds bridges until there are so many interfaces.
///
/// # Errors
///
/// Where the kernel refuses.
pub fn links(count: u32) -> Outcome {
    let mut connection = Connection::open(Protocol::ROUTE)?;
    let mut batch = connection.batch();
    for number in INTERFACE + 2..=count {
        batch.add(Rtm::NEWLINK.create().exclusive(), LinkHeader::default(), |link| {
            link.put(Link::IFNAME, format!("br{number}").as_str());
            link.nest(Link::LINKINFO, |info| info.put(LinkInfo::KIND, "bridge"));
        })?;
    }
    all_made(batch)
}

/// Adds routes with these numbers: 20.0.0.0/32 and on, by way of [`GATEWAY`].
///
/// # Errors
///
/// Where the kernel refuses.
pub fn add_routes(numbers: std::ops::Range<u32>) -> Outcome {
    let mut connection = Connection::open(Protocol::ROUTE)?;
    let mut batch = connection.batch();
    for number in numbers {
        batch.add(Rtm::NEWROUTE.create(), route_header(), |route| {
            route.put(Route::DST, Ipv4Addr::from(FIRST_ROUTE + number));
            route.put(Route::GATEWAY, GATEWAY);
        })?;
    }
    all_made(batch)
}

/// Deletes routes with these numbers.
///
/// # Errors
///
/// Where the kernel refuses.
pub fn delete_routes(numbers: std::ops::Range<u32>) -> Outcome {
    let mut connection = Connection::open(Protocol::ROUTE)?;
    let mut batch = connection.batch();
    for number in numbers {
        // Of whatever protocol.
        let header = RouteHeader { protocol: RouteProtocol::UNSPEC, ..route_header() };
        batch.add(Rtm::DELROUTE, header, |route| {
            route.put(Route::DST, Ipv4Addr::from(FIRST_ROUTE + number));
        })?;
    }
    all_made(batch)
}

/// Adds and deletes the route whose event says that no more come.
///
/// # Errors
///
/// Where the kernel refuses.
pub fn last_event() -> Outcome {
    let mut connection = Connection::open(Protocol::ROUTE)?;
    let header = RouteHeader { protocol: RouteProtocol(LAST), ..route_header() };
    for operation in [Rtm::NEWROUTE.create(), Rtm::DELROUTE] {
        connection.apply(operation, header, |route| {
            route.put(Route::DST, Ipv4Addr::from(FIRST_ROUTE - 1));
            if operation.kind == Rtm::NEWROUTE.kind {
                route.put(Route::GATEWAY, GATEWAY);
            }
        })?;
    }
    Ok(())
}

/// The fixed header of all routes here.
pub fn route_header() -> RouteHeader {
    RouteHeader {
        family: Family::INET,
        dst_len: 32,
        table: ShortTable::MAIN,
        protocol: RouteProtocol::STATIC,
        scope: Scope::UNIVERSE,
        kind: RouteType::UNICAST,
        ..RouteHeader::default()
    }
}

/// Adds so many neighbours, 30.0.0.0 and on. They never time out.
///
/// # Errors
///
/// Where the kernel refuses.
pub fn neighbours(count: u32) -> Outcome {
    let mut connection = Connection::open(Protocol::ROUTE)?;
    let mut batch = connection.batch();
    let header = NeighbourHeader {
        family: Family::INET,
        ifindex: INTERFACE.cast_signed(),
        state: NeighbourState::PERMANENT,
        ..NeighbourHeader::default()
    };
    for number in 0..count {
        let [_, second, third, fourth] = number.to_be_bytes();
        batch.add(Rtm::NEWNEIGH.create(), header, |neighbour| {
            neighbour.put(Neighbour::DST, Ipv4Addr::from(0x1E00_0000 + number));
            neighbour.put(Neighbour::LLADDR, [2, 0, 0, second, third, fourth]);
        })?;
    }
    all_made(batch)
}

/// So many further namespaces, each as [`enter`] makes one, with so many routes. They live as long as these descriptors.
///
/// # Errors
///
/// Where that is not allowed.
pub fn namespaces(count: u32, routes: u32) -> Outcome<Vec<OwnedFd>> {
    let make = move || -> Result<OwnedFd, String> {
        let made =
            enter().and_then(|()| add_routes(0..routes)).and_then(|()| Ok(File::open("/proc/thread-self/ns/net")?));
        made.map(OwnedFd::from).map_err(|error| error.to_string())
    };
    let thread = || std::thread::spawn(make).join().map_err(|_| "the thread panicked".to_owned())?;
    Ok((0..count).map(|_| thread()).collect::<Result<_, _>>()?)
}

fn all_made(batch: Batch<'_>) -> Outcome {
    let outcomes: Outcomes = batch.finish()?;
    match outcomes.failures().first() {
        Some(failure) => Err(Error::Refused(Box::new(failure.refused.clone())).into()),
        None => Ok(()),
    }
}
