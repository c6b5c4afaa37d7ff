//! Questions with one answer each.

use super::{grouped, libraries};
use crate::Outcome;
use crate::contest::{Clock, Contest, Entrant, Options};
use crate::record::Record;
use crate::scene;
use crate::worker::Task;

/// The route to each of 50,000 addresses.
pub fn look_ups(options: &Options) -> Outcome<Record> {
    let count = options.size(50_000);
    scene::enter()?;
    scene::add_routes(0..count)?;
    let mut entrants = libraries([
        "bare one by one",
        "bare batched",
        "ringlink syscall",
        "ringlink ring",
        "ringlink batched",
        "ringlink ring batched",
        "netlink-socket2",
        "neli",
        "nlink",
        "rtnetlink",
    ]);
    entrants.push(Entrant::Mnl);
    let contest = Contest {
        name: "look-ups-50k",
        title: format!("{} route look-ups", grouped(count)),
        unit: "look-up",
        count,
        clock: Clock::Processor,
        task: Task::LookUp(count),
        entrants,
        rounds: 9,
        remark: "The floor sends a question and receives its answer before it sends the next; the batched loop sends 64 \
            questions at once. Neither decodes.",
    };
    contest.run(options, &mut ())
}
