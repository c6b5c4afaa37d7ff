//! What the benches have in common: an allocator that counts, a namespace full of routes.

use std::alloc::{GlobalAlloc, Layout, System};
use std::net::Ipv4Addr;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};

use ringlink::codec::route::{Family, Route, RouteHeader, RouteProtocol, RouteType, Rtm, Scope, ShortTable};
use ringlink::{Connection, Error, Protocol};

/// The system's allocator, counting.
pub struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// How many allocations this process has made.
pub fn allocations() -> u64 {
    ALLOCATIONS.load(Ordering::Relaxed)
}

/// Moves the calling thread into a network namespace of its own, with a veth pair and `count` routes over it.
///
/// # Errors
///
/// Where the namespace or the routes cannot be made; that needs root and the program `ip`.
pub fn namespace_with_routes(count: u32) -> Result<(), Box<dyn std::error::Error>> {
    // SAFETY: no memory is involved.
    if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
        return Err(format!("unshare: {}", std::io::Error::last_os_error()).into());
    }
    for line in
        ["link add v0 type veth peer name v1", "addr add 10.0.0.1/30 dev v0", "link set v0 up", "link set v1 up"]
    {
        if !Command::new("ip").args(line.split(' ')).status()?.success() {
            return Err(format!("ip {line} failed").into());
        }
    }
    add_routes(count)?;
    Ok(())
}

fn add_routes(count: u32) -> Result<(), Error> {
    let mut connection = Connection::open(Protocol::ROUTE)?;
    let mut batch = connection.batch();
    let header = RouteHeader {
        family: Family::INET,
        dst_len: 32,
        table: ShortTable::MAIN,
        protocol: RouteProtocol::STATIC,
        scope: Scope::UNIVERSE,
        kind: RouteType::UNICAST,
        ..RouteHeader::default()
    };
    for number in 0..count {
        batch.add(Rtm::NEWROUTE.create(), header, |route| {
            route.put(Route::DST, Ipv4Addr::from(0x1400_0000 + number));
            route.put(Route::GATEWAY, Ipv4Addr::new(10, 0, 0, 2));
        })?;
    }
    let outcomes = batch.finish()?;
    match outcomes.failures().first() {
        Some(failure) => Err(Error::Refused(Box::new(failure.refused.clone()))),
        None => Ok(()),
    }
}

/// What a program takes from a route: every attribute that a route by way of a gateway has, by typed keys. Returns a
/// sum, so that nothing is optimised away.
#[inline]
pub fn read_route(body: ringlink::codec::table::Body<'_, ringlink::codec::route::RouteMessage>) -> u64 {
    let keys = (Route::DST, Route::GATEWAY, Route::OIF, Route::PRIORITY, Route::TABLE);
    let Ok((destination, gateway, output, priority, table)) = body.attributes.read(keys) else { return 0 };
    let byte = |address: Option<ringlink::codec::table::InetAddress<'_>>| {
        address.and_then(|address| address.0.last()).copied().map_or(0, u64::from)
    };
    byte(destination)
        + byte(gateway)
        + u64::from(output.unwrap_or(0))
        + u64::from(priority.unwrap_or(0))
        + table.map_or(0, |table| u64::from(table.0))
        + u64::from(body.header.dst_len)
}
