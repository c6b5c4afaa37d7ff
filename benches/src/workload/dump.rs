//! Tables of several sizes, dumped and decoded.

use std::hint::black_box;
use std::time::Instant;

use super::{grouped, libraries};
use crate::Outcome;
use crate::capture::PLAIN_ROUTE;
use crate::contest::{Clock, Contest, Entrant, Options};
use crate::object::{Object, heavy};
use crate::record::Record;
use crate::scene;
use crate::worker::Task;

/// Everybody who can dump, the bare loop first.
fn entrants() -> Vec<Entrant> {
    let mut entrants = libraries([
        "bare recv",
        "ringlink syscall",
        "ringlink ring",
        "ringlink auto",
        "ringlink tiny",
        "netlink-socket2",
        "neli",
        "nlink",
        "rtnetlink",
    ]);
    entrants.push(Entrant::Mnl);
    entrants
}

const REMARK: &str = "The bare loop decodes nothing; all others read destination, gateway, interface, metric and table \
    (or name, MTU and address) of every message, and their sums agree.";

/// 200,000 routes.
pub fn routes_200k(options: &Options) -> Outcome<Record> {
    routes(options, "routes-200k", options.size(200_000), 15)
}

/// 1,000,000 routes.
pub fn routes_1m(options: &Options) -> Outcome<Record> {
    routes(options, "routes-1m", options.size(1_000_000), 9)
}

fn routes(options: &Options, name: &'static str, count: u32, rounds: usize) -> Outcome<Record> {
    scene::enter()?;
    scene::add_routes(0..count)?;
    let contest = Contest {
        name,
        title: format!("Dump of {} routes", grouped(count)),
        unit: "route",
        count,
        clock: Clock::Processor,
        task: Task::Dump(Object::Route),
        entrants: entrants(),
        rounds,
        remark: REMARK,
    };
    contest.run(options, &mut ())
}

/// 1,000,000 routes, with about as much to do for each as the kernel has.
pub fn routes_moderate(options: &Options) -> Outcome<Record> {
    heavily(options, "routes-1m-moderate", 100)
}

/// 1,000,000 routes, with about twice as much to do for each as the kernel has.
pub fn routes_heavy(options: &Options) -> Outcome<Record> {
    heavily(options, "routes-1m-heavy", 200)
}

fn heavily(options: &Options, name: &'static str, nanoseconds: u32) -> Outcome<Record> {
    let count = options.size(1_000_000);
    scene::enter()?;
    scene::add_routes(0..count)?;
    let contest = Contest {
        name,
        title: format!("Dump of {} routes, with {nanoseconds} ns of work for each", grouped(count)),
        unit: "route",
        count,
        // Two threads are at work: only this clock tells what that wins.
        clock: Clock::Wall,
        task: Task::DumpHeavily(passes(nanoseconds)),
        entrants: libraries(["bare recv", "ringlink syscall", "ringlink ring", "ringlink overlapped"]),
        rounds: 9,
        remark: "The bare loop has the codec take its datagrams apart and does the same work; overlapped is a dump in two \
            threads, which wins nothing where the other core has something else to do.",
    };
    contest.run(options, &mut ())
}

/// How many passes over a route's attributes take so long on this machine.
fn passes(nanoseconds: u32) -> u32 {
    const TRIALS: u32 = 1_000_000;
    let attributes = &PLAIN_ROUTE[28..];
    let start = Instant::now();
    let sum = (0..TRIALS).fold(1, |sum, _| heavy(sum, black_box(attributes), 1));
    black_box(sum);
    let one = start.elapsed().as_secs_f64() * 1e9 / f64::from(TRIALS);
    (f64::from(nanoseconds) / one).round().max(1.0) as u32
}

/// 2,000 interfaces.
pub fn links(options: &Options) -> Outcome<Record> {
    let count = options.size(2_000);
    scene::enter()?;
    scene::links(count)?;
    let contest = Contest {
        name: "links-2000",
        title: format!("Dump of {} interfaces", grouped(count)),
        unit: "interface",
        count,
        clock: Clock::Processor,
        task: Task::Dump(Object::Link),
        entrants: entrants(),
        rounds: 31,
        remark: REMARK,
    };
    contest.run(options, &mut ())
}

/// 100,000 neighbours.
pub fn neighbours(options: &Options) -> Outcome<Record> {
    let count = options.size(100_000);
    scene::enter()?;
    scene::neighbours(count)?;
    let contest = Contest {
        name: "neighbours-100k",
        title: format!("Dump of {} neighbours", grouped(count)),
        unit: "neighbour",
        count,
        clock: Clock::Processor,
        task: Task::Dump(Object::Neighbour),
        entrants: entrants(),
        rounds: 15,
        remark: REMARK,
    };
    contest.run(options, &mut ())
}

/// A small table from a fresh socket: what opening and closing cost.
pub fn open_dump_close(options: &Options) -> Outcome<Record> {
    scene::enter()?;
    let contest = Contest {
        name: "open-dump-close",
        title: "Open, dump three interfaces, close".to_owned(),
        unit: "dump",
        count: 1,
        clock: Clock::Processor,
        task: Task::DumpOnce(Object::Link),
        entrants: entrants(),
        rounds: 301,
        remark: "One turn is one open, dump, close; nothing is kept from turn to turn.",
    };
    contest.run(options, &mut ())
}
