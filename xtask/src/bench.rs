//! What reading, dumping and showing routes cost: instructions, allocations, system calls, and time as a ratio to a bare
//! receive loop and to `ip`.
//!
//! Instructions and calls do not drift; times do, on a machine that does other things besides. Nothing is gated here.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::failure::{Context, Outcome};
use crate::process;

/// How to measure.
#[derive(clap::Args)]
pub struct Options {
    /// Routes in the tables that are dumped
    #[arg(long, default_value_t = 200_000)]
    routes: u32,
}

const BUILD: Duration = Duration::from_secs(900);
const RUN: Duration = Duration::from_secs(600);

/// How many readings an instruction count is the mean of.
const READINGS: u64 = 10_000;

/// Builds the benches and the program, runs each bench, prints its figures.
pub fn run(options: &Options) -> Outcome {
    let benches = crate::root().join("benches");
    process::must(process::cargo().args(["build", "--release", "--quiet"]), BUILD)?;
    process::must(process::cargo().current_dir(&benches).args(["build", "--release", "--quiet"]), BUILD)?;
    let bench = |name: &str| Command::new(benches.join("target/release").join(name));

    println!("== reading a route");
    if process::exists("valgrind") {
        let binary = benches.join("target/release/read_route");
        let idle = instructions(&binary, "none", 0)?;
        for (how, what) in [
            ("none", "the message's header and the loop"),
            ("keys", "the same and every attribute by typed keys"),
            ("view", "the same and the whole view"),
        ] {
            let cost = instructions(&binary, how, READINGS)?.saturating_sub(idle) / READINGS;
            println!("{what}: {cost} instructions");
        }
    } else {
        println!("skipped: instructions: valgrind is not installed");
    }
    print!("{}", process::must(bench("read_route").args(["keys", "100000"]), RUN)?);

    let routes = options.routes.to_string();
    println!("== dumping {routes} routes");
    print!("{}", process::must(bench("dump_routes").arg(&routes), RUN)?);
    println!("== showing {routes} routes");
    let program = crate::root().join("target/release/ringlink");
    print!("{}", process::must(bench("route_show").arg(program).arg(&routes), RUN)?);
    Ok(())
}

/// User instructions of `read_route HOW COUNT`, as callgrind counts them.
fn instructions(binary: &PathBuf, how: &str, count: u64) -> Outcome<u64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(binary).arg(how).arg(count.to_string());
    let finished = process::run(&mut command, RUN)?.context(|| "valgrind takes too long")?;
    let text = String::from_utf8_lossy(&finished.err);
    let total = text.lines().find_map(|line| line.split("Collected :").nth(1));
    total.and_then(|total| total.trim().parse().ok()).context(|| format!("valgrind says no count: {text}"))
}
