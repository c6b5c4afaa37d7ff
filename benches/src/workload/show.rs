//! `ringlink --json route show` beside `ip -j route show`: the same routes, and the time of each.

use std::path::Path;
use std::process::Command;

use serde_json::{Map, Value};

use super::grouped;
use crate::Outcome;
use crate::contest::{Clock, Contest, Entrant, Options};
use crate::record::Record;
use crate::scene;

/// 200,000 routes as JSON.
pub fn plain(options: &Options) -> Outcome<Record> {
    show(options, "show-200k", &["-j"])
}

/// The same with every detail.
pub fn details(options: &Options) -> Outcome<Record> {
    show(options, "show-200k-details", &["-j", "-d"])
}

fn show(options: &Options, name: &'static str, flags: &[&str]) -> Outcome<Record> {
    let count = options.size(200_000);
    scene::enter()?;
    scene::add_routes(0..count)?;
    let words: Vec<String> = flags.iter().chain(&["route", "show"]).map(|word| (*word).to_owned()).collect();
    if let Some(program) = &options.program {
        compare(program, &words)?;
    }
    let contest = Contest {
        name,
        title: format!("{} of {} routes, printed", words.join(" "), grouped(count)),
        unit: "route",
        count,
        clock: Clock::Wall,
        // No worker takes part.
        task: crate::worker::Task::Follow,
        entrants: vec![Entrant::Ip(words.clone()), Entrant::Program(words)],
        rounds: 9,
        remark: "From start to end of the program; the floor is ip. Before the rounds, what both print is compared as values.",
    };
    contest.run(options, &mut ())
}

/// Whether both print the same routes; what ringlink prints may have more names.
fn compare(program: &Path, words: &[String]) -> Outcome {
    let rows = |program: &Path| -> Outcome<Vec<Map<String, Value>>> {
        let output = Command::new(program).args(words).output()?;
        let mut rows: Vec<Map<String, Value>> = serde_json::from_slice(&output.stdout)?;
        rows.sort_by_key(|row| (row.get("dst").map(Value::to_string), row.get("metric").and_then(Value::as_u64)));
        Ok(rows)
    };
    let (theirs, ours) = (rows(Path::new("ip"))?, rows(program)?);
    let within = |(theirs, ours): &(&Map<String, Value>, &Map<String, Value>)| {
        theirs.iter().all(|(key, value)| ours.get(key) == Some(value))
    };
    let same = theirs.iter().zip(&ours).filter(within).count();
    match same == theirs.len() && same == ours.len() {
        true => Ok(()),
        false => Err(format!("{} and {} routes, only {same} the same", theirs.len(), ours.len()).into()),
    }
}
