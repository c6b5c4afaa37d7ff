//! `ringlink --json route show` against `ip -j route show` over a table of 200,000 routes (or as the argument says), in a
//! private namespace: the same routes, and the time of each. Usage: `route_show PATH-OF-RINGLINK [COUNT]`.

use std::process::Command;
use std::time::{Duration, Instant};

use ringlink_benches::namespace_with_routes;
use serde_json::{Map, Value};

const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let program = arguments.next().ok_or("usage: route_show PATH-OF-RINGLINK [COUNT]")?;
    let count: u32 = arguments.next().map_or(Ok(200_000), |count| count.parse())?;
    namespace_with_routes(count)?;
    let commands = [
        ("ip", vec!["ip", "-j", "route", "show"]),
        ("ringlink", vec![program.as_str(), "--json", "route", "show"]),
        ("ip -d", vec!["ip", "-j", "-d", "route", "show"]),
        ("ringlink -d", vec![program.as_str(), "--json", "--details", "route", "show"]),
    ];
    let mut times = vec![Vec::new(); commands.len()];
    let mut printed = vec![Vec::new(); commands.len()];
    for _ in 0..ROUNDS {
        for (index, (name, words)) in commands.iter().enumerate() {
            let start = Instant::now();
            let output = Command::new(words[0]).args(&words[1..]).output()?;
            times[index].push(start.elapsed());
            if !output.status.success() {
                return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr)).into());
            }
            printed[index] = output.stdout;
        }
    }
    // What ringlink prints always has the details; so each of their rows has to be within ours of the same place.
    let rows = |bytes: &[u8]| -> Result<Vec<Map<String, Value>>, serde_json::Error> {
        let mut rows: Vec<Map<String, Value>> = serde_json::from_slice(bytes)?;
        rows.sort_by_key(|row| (row.get("dst").map(Value::to_string), row.get("metric").and_then(Value::as_u64)));
        Ok(rows)
    };
    for pair in [(0, 1), (2, 3)] {
        let (theirs, ours) = (rows(&printed[pair.0])?, rows(&printed[pair.1])?);
        let within = |theirs: &Map<String, Value>, ours: &Map<String, Value>| {
            theirs.iter().all(|(key, value)| ours.get(key) == Some(value))
        };
        let details = pair.0 == 2;
        let same = theirs
            .iter()
            .zip(&ours)
            .filter(|(theirs, ours)| within(theirs, ours) && (!details || theirs.len() == ours.len()));
        println!(
            "{} and {}: {} and {} routes, {} the same{}",
            commands[pair.0].0,
            commands[pair.1].0,
            theirs.len(),
            ours.len(),
            same.count(),
            if details { "" } else { " but for details" },
        );
        let median = |times: &mut Vec<Duration>| {
            times.sort_unstable();
            times[times.len() / 2].as_secs_f64()
        };
        let (theirs, ours) = (median(&mut times[pair.0]), median(&mut times[pair.1]));
        println!("{:.0} ms and {:.0} ms: {:.2} x", theirs * 1e3, ours * 1e3, ours / theirs);
    }
    Ok(())
}
