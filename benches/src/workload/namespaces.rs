//! Many namespaces, everything in each.

use std::os::fd::AsRawFd;

use super::{grouped, libraries};
use crate::Outcome;
use crate::contest::{Clock, Contest, Options};
use crate::record::Record;
use crate::scene;
use crate::worker::Task;

/// Routes in each namespace.
const ROUTES: u32 = 50;

/// The five objects of 256 namespaces.
pub fn namespaces(options: &Options) -> Outcome<Record> {
    let count = options.size(256);
    let made = scene::namespaces(count, ROUTES)?;
    let descriptors: Vec<i32> = made.iter().map(AsRawFd::as_raw_fd).collect();
    let contest = Contest {
        name: "namespaces-256",
        title: format!("Links, addresses, routes, neighbours and rules of {} namespaces", grouped(count)),
        unit: "namespace",
        count,
        clock: Clock::Wall,
        task: Task::Namespaces { process: std::process::id(), descriptors },
        entrants: libraries(["bare recv", "ringlink syscall", "ringlink auto"]),
        rounds: 15,
        remark: "The bare loop moves its own thread from namespace to namespace and opens a socket in each; ringlink's \
            connections are opened one after the other by a thread that lives for that alone.",
    };
    contest.run(options, &mut ())
}
