//! Many namespaces, everything in each.

use std::os::fd::{AsRawFd, OwnedFd};

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
    // As other processes see them.
    let file = |made: &OwnedFd| format!("/proc/{}/fd/{}", std::process::id(), made.as_raw_fd()).into();
    let files = made.iter().map(file).collect();
    let contest = Contest {
        name: "namespaces-256",
        title: format!("Links, addresses, routes, neighbours and rules of {} namespaces", grouped(count)),
        unit: "namespace",
        count,
        clock: Clock::Wall,
        task: Task::Namespaces(files),
        entrants: libraries([
            "bare recv",
            "bare kept",
            "ringlink syscall",
            "ringlink kept",
            "ringlink fleet",
            "ringlink fleet kept",
            "ringlink fleet syscall kept",
            "ringlink fleet twice",
        ]),
        rounds: 15,
        remark: "The bare loop moves its own thread from namespace to namespace and opens a socket in each; ringlink's \
            sockets are opened one after the other by a thread that lives for that alone. Those that are kept stay open from \
            turn to turn. Twice is two threads with a fleet of half of them each.",
    };
    contest.run(options, &mut ())
}
