//! Reads a captured route message as often as the argument says: run under callgrind with two counts, the difference
//! is what one reading costs. `read_route view N` fills the whole view instead, `read_route none N` reads nothing.

use std::hint::black_box;

use ringlink::codec::route::{RouteView, Rtm};
use ringlink::codec::wire::Message;
use ringlink_benches::{Counting, allocations, read_route};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// `20.0.0.0/32 via 10.0.0.2 dev v0 proto static`, as Linux 6.18 dumps it: RTA_TABLE, RTA_DST, RTA_GATEWAY, RTA_OIF.
const ROUTE: [u8; 60] = [
    60, 0, 0, 0, 24, 0, 34, 0, 2, 0, 0, 0, 1, 0, 0, 0, // nlmsghdr
    2, 32, 0, 0, 254, 4, 0, 1, 0, 0, 0, 0, // rtmsg
    8, 0, 15, 0, 254, 0, 0, 0, // RTA_TABLE
    8, 0, 1, 0, 20, 0, 0, 0, // RTA_DST
    8, 0, 5, 0, 10, 0, 0, 2, // RTA_GATEWAY
    8, 0, 4, 0, 3, 0, 0, 0, // RTA_OIF
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let how = arguments.next().unwrap_or_default();
    let count: u64 = arguments.next().and_then(|count| count.parse().ok()).unwrap_or(0);
    let before = allocations();
    let mut sum = 0;
    for _ in 0..count {
        let Ok(body) = Message::parse(black_box(&ROUTE)).and_then(|message| message.body(Rtm::NEWROUTE)) else {
            return;
        };
        sum += match how.as_str() {
            "view" => read_view(body),
            "keys" => read_keys(body),
            // Nothing: what parsing the message and this loop cost by themselves.
            _ => u64::from(black_box(&body).header.dst_len),
        };
    }
    println!("{count} routes, sum {sum}, {} allocations", allocations() - before);
}

/// Not inlined, so that the profile shows it by itself.
#[inline(never)]
fn read_keys(body: ringlink::codec::table::Body<'_, ringlink::codec::route::RouteMessage>) -> u64 {
    read_route(body)
}

#[inline(never)]
fn read_view(body: ringlink::codec::table::Body<'_, ringlink::codec::route::RouteMessage>) -> u64 {
    match RouteView::read(body) {
        Ok(route) => u64::from(black_box(&route).output.unwrap_or(0)),
        Err(_) => 0,
    }
}
