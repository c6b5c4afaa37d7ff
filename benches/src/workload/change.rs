//! Routes added and deleted.

use std::fmt::Write;
use std::fs;

use super::{grouped, libraries};
use crate::Outcome;
use crate::contest::{Clock, Contest, Entrant, Options, Stage};
use crate::library::Change;
use crate::record::Record;
use crate::scene;
use crate::worker::Task;

/// 200,000 routes added.
pub fn add(options: &Options) -> Outcome<Record> {
    changes(options, "add-200k", Change::Add)
}

/// 200,000 routes deleted.
pub fn delete(options: &Options) -> Outcome<Record> {
    changes(options, "delete-200k", Change::Delete)
}

fn changes(options: &Options, name: &'static str, change: Change) -> Outcome<Record> {
    let count = options.size(200_000);
    scene::enter()?;
    let (verb, word, what) = match change {
        Change::Add => ("added", "add", format!(" via {}", scene::GATEWAY)),
        Change::Delete => ("deleted", "del", String::new()),
    };
    // What `ip -batch` reads; the process's number keeps two runs apart.
    let mut lines = String::new();
    for number in 0..count {
        let destination = std::net::Ipv4Addr::from(scene::FIRST_ROUTE + number);
        writeln!(lines, "route {word} {destination}/32{what} proto static")?;
    }
    let folder = std::env::temp_dir().join(format!("ringlink-benches-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let file = folder.join("routes");
    fs::write(&file, lines)?;
    let mut entrants =
        libraries(["bare batched", "ringlink syscall", "ringlink ring", "nlink", "netlink-socket2", "rtnetlink"]);
    entrants.push(Entrant::Mnl);
    entrants.push(Entrant::Ip(vec!["-batch".to_owned(), file.display().to_string()]));
    let contest = Contest {
        name,
        title: format!("{} routes {verb}", grouped(count)),
        unit: "route",
        count,
        clock: Clock::Processor,
        task: Task::Change(change, count),
        entrants,
        rounds: 5,
        remark: "The floor sends 250 requests at once and has the last acknowledged, so does libmnl's batch. nlink batches \
            too, with an acknowledgement each; netlink-socket2 and rtnetlink have no batch for this and go one by one.",
    };
    let done = contest.run(options, &mut Undo { change, count });
    fs::remove_dir_all(&folder)?;
    done
}

/// Puts the table back.
struct Undo {
    change: Change,
    count: u32,
}

impl Stage for Undo {
    fn before(&mut self) -> Outcome {
        match self.change {
            Change::Add => Ok(()),
            Change::Delete => scene::add_routes(0..self.count),
        }
    }

    fn after(&mut self) -> Outcome {
        match self.change {
            // Who failed may have left none: then there is nothing to delete.
            Change::Add => scene::delete_routes(0..self.count).or(Ok(())),
            Change::Delete => scene::delete_routes(0..self.count).or(Ok(())),
        }
    }
}
