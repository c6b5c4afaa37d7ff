//! Events of routes: a queue that is full, emptied; a storm, followed.

use super::{grouped, libraries};
use crate::Outcome;
use crate::contest::{Clock, Contest, Entrant, Options, Stage};
use crate::record::Record;
use crate::scene;
use crate::worker::Task;

/// The loop with recvmsg(2) is the floor: the least for whoever believes only the kernel.
fn entrants() -> Vec<Entrant> {
    let mut entrants = libraries([
        "bare recvmsg",
        "bare recv",
        "bare recvmmsg",
        "bare epoll + recvmsg",
        "ringlink ring",
        "ringlink syscall",
        "ringlink tokio",
        "ringlink tokio ring",
        "netlink-socket2",
        "neli",
        "nlink",
        "rtnetlink",
    ]);
    entrants.push(Entrant::Mnl);
    entrants
}

/// 100,000 events that are queued before the clock starts.
pub fn drain(options: &Options) -> Outcome<Record> {
    let count = options.size(100_000);
    scene::enter()?;
    let contest = Contest {
        name: "event-drain",
        title: format!("Drain of {} queued route events", grouped(count)),
        unit: "event",
        count,
        clock: Clock::Processor,
        task: Task::Drain(u64::from(count)),
        entrants: entrants(),
        rounds: 9,
        remark: "Processor time of the consumer. The bare loops look at one byte of an event; recvmsg, recvmmsg and epoll \
            also take the sender's address. ringlink reads five fields of each event, and tells sender and group.",
    };
    contest.run(options, &mut Changes { count, there: false, storm: false })
}

/// As many events while the consumer is at work.
pub fn storm(options: &Options) -> Outcome<Record> {
    let count = options.size(100_000);
    scene::enter()?;
    let contest = Contest {
        name: "event-storm",
        title: format!("Storm of {} route events, followed", grouped(count)),
        unit: "event",
        count,
        clock: Clock::Processor,
        task: Task::Follow,
        entrants: entrants(),
        rounds: 9,
        remark: "Processor time of a consumer that keeps pace with another process that makes the events on the other \
            core; sleeping and waking up are in it.",
    };
    contest.run(options, &mut Changes { count, there: false, storm: true })
}

/// Adds all routes, the next time deletes them all: each is one event.
struct Changes {
    count: u32,
    there: bool,
    storm: bool,
}

impl Changes {
    fn make(&mut self) -> Outcome {
        self.there = !self.there;
        match self.there {
            true => scene::add_routes(0..self.count),
            false => scene::delete_routes(0..self.count),
        }
    }
}

impl Stage for Changes {
    fn before(&mut self) -> Outcome {
        if self.storm { Ok(()) } else { self.make() }
    }

    fn during(&mut self) -> Outcome {
        if self.storm {
            self.make()?;
            scene::last_event()?;
        }
        Ok(())
    }
}
