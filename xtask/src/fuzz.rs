//! The fuzzers: all in turn or some, for a given time, from seeds that are captures; what they did is added up in a table. And
//! how much of the codec what they found by then goes through.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::failure::{Context, Failure, Outcome};
use crate::nightly;
use crate::process::{self, Event, Running, Stream};

/// What to run, and for how long.
#[derive(clap::Args)]
pub struct Options {
    /// Minutes for all targets together; each gets its share
    #[arg(long, conflicts_with = "seconds")]
    minutes: Option<u64>,
    /// Seconds for each target
    #[arg(long, default_value_t = 30)]
    seconds: u64,
    /// Add what was done to the table in fuzz/RESULTS.md
    #[arg(long)]
    record: bool,
    /// Fuzz nothing: run what is in fuzz/corpus and fuzz/findings once, and tell how many lines of the codec that reaches
    #[arg(long, conflicts_with_all = ["minutes", "seconds", "record", "targets"])]
    coverage: bool,
    /// Targets; all of them by default
    targets: Vec<String>,
}

/// What a target has done; seconds are the processor's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Done {
    seconds: u64,
    executions: u64,
    edges: u64,
    findings: u64,
}

/// What the targets are built for; it names their folder.
fn built_for() -> String {
    format!("{}-unknown-linux-gnu", std::env::consts::ARCH)
}

/// How many run side by side.
const LANES: usize = 2;

/// Builds the targets and runs them; fails where one finds something.
pub fn run(options: &Options) -> Outcome {
    if options.coverage {
        return coverage();
    }
    tools()?;
    seeds(process::cargo().current_dir(fuzz()))?;
    process::must(
        &mut cargo_fuzz(&["build", "--release", "--sanitizer", "none", "--target", &built_for()]),
        Duration::from_secs(1200),
    )?;
    let known: Vec<String> =
        process::must(&mut cargo_fuzz(&["list"]), Duration::from_secs(60))?.lines().map(str::to_owned).collect();
    if let Some(unknown) = options.targets.iter().find(|target| !known.contains(target)) {
        return Err(Failure::new(format!("{unknown}: no such target; there are {}", known.join(", "))));
    }
    let targets = if options.targets.is_empty() { known } else { options.targets.clone() };
    let lanes = u64::try_from(LANES).unwrap_or(1);
    let count = u64::try_from(targets.len()).unwrap_or(1).max(1);
    let seconds = options.minutes.map_or(options.seconds, |minutes| (minutes * 60 * lanes / count).max(1));
    let mut done = Vec::new();
    for pair in targets.chunks(LANES) {
        let running: Vec<_> = pair.iter().map(|target| start(target, seconds)).collect::<Outcome<_>>()?;
        for (target, running) in pair.iter().zip(running) {
            let one = watch(target, running, seconds)?;
            println!(
                "{target}: {} s, {} executions, {} edges, {} findings",
                one.seconds, one.executions, one.edges, one.findings
            );
            // At once, so that a long run that is ended early was not for nothing.
            if options.record {
                record(target, one)?;
            }
            done.push(one);
        }
    }
    match done.iter().map(|one| one.findings).sum() {
        0_u64 => Ok(()),
        count => Err(Failure::new(format!(
            "{count} findings, in fuzz/artifacts; once mended they belong into fuzz/findings"
        ))),
    }
}

fn fuzz() -> PathBuf {
    crate::root().join("fuzz")
}

/// Writes the seeds, beside what is in the corpus already.
fn seeds(cargo: &mut Command) -> Outcome {
    let command = cargo.args(["run", "--quiet", "--locked", "--example", "seeds", "--"]).arg(fuzz().join("corpus"));
    print!("{}", process::must(command, Duration::from_secs(1200))?);
    Ok(())
}

/// The least share of the codec's lines that the corpus goes through, in percent.
const BAR: u64 = 95;

/// Runs every target once over its corpus and findings, and tells which files of the codec have fewer lines reached than there
/// have to be of all.
fn coverage() -> Outcome {
    nightly::install(&["llvm-tools"])?;
    let folder = fuzz().join("target/coverage");
    let cargo = || {
        let mut cargo = nightly::cargo(&[]);
        cargo.current_dir(fuzz()).env("CARGO_TARGET_DIR", &folder).env("RUSTFLAGS", "-C instrument-coverage");
        // Building and the seeds are not to be counted.
        cargo.env("LLVM_PROFILE_FILE", "/dev/null");
        cargo
    };
    seeds(&mut cargo())?;
    process::must(cargo().args(["build", "--quiet", "--locked", "--example", "replay"]), Duration::from_secs(1200))?;
    let (program, profile) = (folder.join("debug/examples/replay"), folder.join("replay.profraw"));
    let mut replay = Command::new(&program);
    replay.args(["corpus", "findings"].map(|inputs| fuzz().join(inputs))).env("LLVM_PROFILE_FILE", &profile);
    print!("{}", process::must(&mut replay, Duration::from_secs(3600))?);
    let compiler =
        process::must(Command::new("rustc").args(["+nightly", "--print", "target-libdir"]), Duration::from_secs(60))?;
    let tool = |name: &str| Command::new(PathBuf::from(compiler.trim()).join("../bin").join(name));
    let merged = folder.join("replay.profdata");
    process::must(
        tool("llvm-profdata").arg("merge").arg("-sparse").arg(&profile).arg("-o").arg(&merged),
        Duration::from_secs(300),
    )?;
    let report = process::must(
        tool("llvm-cov")
            .arg("report")
            .arg(&program)
            .arg(format!("-instr-profile={}", merged.display()))
            .arg(crate::root().join("codec/src")),
        Duration::from_secs(300),
    )?;
    judge(&lines(&report))
}

/// What a report of llvm-cov says of each file: its name, its lines, and how many of them were not reached.
fn lines(report: &str) -> Vec<(&str, u64, u64)> {
    let row = |line| -> Option<_> {
        let cells: Vec<&str> = str::split_whitespace(line).collect();
        // Behind the name: regions, functions and lines, each with how many were missed and a share.
        Some((*cells.first()?, cells.get(7)?.parse().ok()?, cells.get(8)?.parse().ok()?))
    };
    report.lines().filter_map(row).collect()
}

/// Tells the files below the bar, the worst first, and what all have together; fails where that is below the bar.
fn judge(lines: &[(&str, u64, u64)]) -> Outcome {
    let short = |all: u64, missed: u64| (all - missed) * 100 < all * BAR;
    let tenths = |all: u64, missed: u64| {
        let share = (all - missed) * 1000 / all.max(1);
        format!("{}.{} %", share / 10, share % 10)
    };
    let (mut files, total): (Vec<_>, Vec<_>) = lines.iter().partition(|(name, ..)| *name != "TOTAL");
    let Some((_, all, missed)) = total.first().copied() else {
        return Err(Failure::new("llvm-cov told no total"));
    };
    files.sort_by_key(|(_, _, missed)| std::cmp::Reverse(*missed));
    for (name, all, missed) in files.iter().filter(|(_, all, missed)| short(*all, *missed)) {
        println!("{name}: {missed} of {all} lines are not reached, {}", tenths(*all, *missed));
    }
    let text = format!("{} of {all} lines of codec/src are reached, {}", all - missed, tenths(all, missed));
    if short(all, missed) {
        return Err(Failure::new(format!("{text}, {BAR} % have to be")));
    }
    println!("{text}");
    Ok(())
}

/// cargo-fuzz and a nightly compiler; both are fetched where they are missing.
fn tools() -> Outcome {
    nightly::install(&[])?;
    if !process::exists("cargo-fuzz") {
        println!("installing cargo-fuzz");
        process::must(
            process::cargo().args(["install", "cargo-fuzz", "--locked", "--quiet"]),
            Duration::from_secs(1200),
        )?;
    }
    Ok(())
}

fn cargo_fuzz(arguments: &[&str]) -> Command {
    let mut command = nightly::cargo(&[&["fuzz"], arguments].concat());
    // The programs are started from there.
    command.env("CARGO_TARGET_DIR", fuzz().join("target"));
    command
}

fn start(target: &str, seconds: u64) -> Outcome<Running> {
    let fuzz = fuzz();
    let (corpus, findings) = (fuzz.join("corpus").join(target), fuzz.join("artifacts").join(target));
    for folder in [&corpus, &findings] {
        fs::create_dir_all(folder).context(|| format!("cannot make {}", folder.display()))?;
    }
    let program = fuzz.join("target").join(built_for()).join("release").join(target);
    let words = fuzz.join("corpus/words.dict");
    let options = ["-timeout=30", "-rss_limit_mb=2048", "-print_final_stats=1"].map(str::to_owned);
    let more = [
        format!("-max_total_time={seconds}"),
        format!("-dict={}", words.display()),
        format!("-artifact_prefix={}/", findings.display()),
    ];
    Running::start(Command::new(program).args(options).args(more).arg(corpus))
}

/// Waits for a target's end and reads what it says of itself.
fn watch(target: &str, running: Running, seconds: u64) -> Outcome<Done> {
    let mut said = String::new();
    let mut used = Duration::ZERO;
    loop {
        match running.next(Duration::from_secs(seconds + 300)) {
            Event::Wrote(Stream::Out | Stream::Err, bytes) => {
                said += &String::from_utf8_lossy(&bytes);
                // What it says last is its sums.
                used = running.processor_time().unwrap_or(used);
            }
            Event::Closed => break,
            Event::Quiet => {
                running.kill();
                return Err(Failure::new(format!("{target} does not end")));
            }
        }
    }
    let status = running.wait()?;
    let done = read(&said, used.as_secs(), !status.success());
    if !status.success() {
        let tail: Vec<&str> = said.lines().rev().take(40).collect();
        tail.iter().rev().for_each(|line| println!("{target}: {line}"));
    }
    Ok(done)
}

/// What libFuzzer's output says.
fn read(said: &str, seconds: u64, failed: bool) -> Done {
    let number = |line: &str, name: &str| -> Option<u64> {
        let behind = line.split(name).nth(1)?;
        behind.split_whitespace().next()?.parse().ok()
    };
    let last = |name: &str| said.lines().filter_map(|line| number(line, name)).next_back().unwrap_or(0);
    Done {
        seconds,
        executions: last("stat::number_of_executed_units:"),
        edges: last(" cov: "),
        findings: u64::from(failed),
    }
}

fn results() -> PathBuf {
    crate::root().join("fuzz/RESULTS.md")
}

/// Adds to the table what a target did.
fn record(target: &str, done: Done) -> Outcome {
    let path = results();
    let text = fs::read_to_string(&path).context(|| format!("cannot read {}", path.display()))?;
    fs::write(&path, added(&text, target, done)).context(|| format!("cannot write {}", path.display()))
}

/// The table's text with more done: times and executions and findings add up, edges are those of the last run.
fn added(text: &str, target: &str, new: Done) -> String {
    let (mut rows, mut before, mut behind) = (BTreeMap::new(), Vec::new(), Vec::new());
    for line in text.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let numbers: Vec<u64> = cells.iter().skip(1).filter_map(|cell| cell.replace(',', "").parse().ok()).collect();
        match (cells.first(), &numbers[..]) {
            (Some(name), [seconds, executions, edges, findings]) if *name != "all" => {
                let one = Done { seconds: *seconds, executions: *executions, edges: *edges, findings: *findings };
                rows.insert((*name).trim_matches('`').to_owned(), one);
            }
            (Some(&"all"), _) => {}
            _ if rows.is_empty() => before.push(line),
            _ => behind.push(line),
        }
    }
    let row: &mut Done = rows.entry(target.to_owned()).or_default();
    row.seconds += new.seconds;
    row.executions += new.executions;
    row.edges = new.edges;
    row.findings += new.findings;
    let line = |name: &str, one: &Done| {
        format!("| {name} | {} | {} | {} | {} |\n", one.seconds, one.executions, one.edges, one.findings)
    };
    let all = rows.values().fold(Done::default(), |all, one| Done {
        seconds: all.seconds + one.seconds,
        executions: all.executions + one.executions,
        edges: all.edges + one.edges,
        findings: all.findings + one.findings,
    });
    let mut out: String = before.iter().map(|text| format!("{text}\n")).collect();
    rows.iter().for_each(|(name, one)| out += &line(&format!("`{name}`"), one));
    out += &line("all", &all);
    behind.iter().for_each(|text| out += &format!("{text}\n"));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_adds_up() {
        let text = "# T\n\n| target | s | n | e | f |\n|---|---|---|---|---|\n| `print` | 10 | 1000 | 50 | 1 |\n| all | 10 | 1000 | 50 | 1 |\n\nend\n";
        let text = added(text, "print", Done { seconds: 5, executions: 200, edges: 60, findings: 0 });
        let text = added(&text, "views", Done { seconds: 7, executions: 300, edges: 20, findings: 0 });
        assert!(text.starts_with("# T\n\n| target"), "{text}");
        assert!(
            text.contains(
                "| `print` | 15 | 1200 | 60 | 1 |\n| `views` | 7 | 300 | 20 | 0 |\n| all | 22 | 1500 | 80 | 1 |\n"
            ),
            "{text}"
        );
        assert!(text.ends_with("\nend\n"), "{text}");
    }

    #[test]
    fn what_llvm_says_is_read() {
        let report = "Filename  Regions  Missed\n-----\n\
            a/b.rs 210 43 79.52% 27 5 81.48% 100 30 70.00% 0 0 -\n\
            TOTAL 13234 7726 41.62% 1172 767 34.56% 1000 40 96.00% 0 0 -\n";
        assert_eq!(lines(report), [("a/b.rs", 100, 30), ("TOTAL", 1000, 40)]);
        assert!(judge(&lines(report)).is_ok() && judge(&[("TOTAL", 1000, 51)]).is_err() && judge(&[]).is_err());
        assert!(judge(&[("TOTAL", 1000, 50)]).is_ok());
    }

    #[test]
    fn what_the_fuzzer_says_is_read() {
        let said = "#2\tINITED cov: 12 ft: 13 corp: 1/1b\n#99\tDONE   cov: 345 ft: 678\nstat::number_of_executed_units: 4711\n";
        assert_eq!(read(said, 3, false), Done { seconds: 3, executions: 4711, edges: 345, findings: 0 });
    }
}
