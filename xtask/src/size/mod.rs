//! The codec where there is little: that it builds without an operating system, that its sources need neither allocator nor
//! standard library, what a program of it takes, and how long a build from nothing takes.

mod agent;
mod stack;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::failure::{Context, Failure, Outcome};
use crate::process;

/// Targets without an operating system: a small microcontroller, and bare x86-64.
const TARGETS: [&str; 2] = ["thumbv7em-none-eabi", "x86_64-unknown-none"];

/// What a build from nothing may take on two cores, in seconds.
const BARS: [(&str, &[&str], f64); 2] = [("check", &["check"], 5.0), ("release build", &["build", "--release"], 10.0)];

/// What to look at.
#[derive(clap::Args)]
pub struct Options {
    /// Also time a build of the codec from nothing
    #[arg(long)]
    timed: bool,
    /// Only tell what each public function of the codec takes of the stack, with all that it calls
    #[arg(long, conflicts_with = "timed")]
    stack: bool,
}

/// Builds, reads and runs; fails where the codec does not build, its sources need what they must not, or the agent is over
/// its bars. Times are only told: they belong to the machine as much as to the codec.
pub fn run(options: &Options) -> Outcome {
    if options.stack {
        return stack::run();
    }
    let wrong = forbidden()?;
    wrong.iter().for_each(|line| println!("wrong: {line}"));
    if wrong.is_empty() {
        println!("sources: no unsafe code, no allocator, no standard library");
    }
    targets(&TARGETS)?;
    for target in TARGETS {
        build("bare", &["build", "--release", "--target", target])?;
        println!("{target}: the codec builds");
    }
    agent::run()?;
    for (name, arguments, bar) in BARS.into_iter().filter(|_| options.timed) {
        let folder = folder("timed");
        let _ = fs::remove_dir_all(&folder);
        // Nothing is fetched while the clock runs.
        process::must(process::cargo().args(["fetch", "--quiet"]), Duration::from_secs(600))?;
        let start = Instant::now();
        build("timed", arguments)?;
        let seconds = start.elapsed().as_secs_f64();
        let verdict = if seconds <= bar { "within" } else { "over" };
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        let load = load.split(' ').next().unwrap_or_default();
        println!("{name} from nothing: {seconds:.1} s, {verdict} the bar of {bar} s (the machine's load is {load})");
    }
    match wrong.len() {
        0 => Ok(()),
        count => Err(Failure::new(format!("{count} wrong in the codec's sources"))),
    }
}

fn folder(name: &str) -> PathBuf {
    crate::root().join("target/size").join(name)
}

fn build(place: &str, arguments: &[&str]) -> Outcome {
    let mut command = process::cargo();
    command.args(arguments).args(["--quiet", "--package", "ringlink-codec"]);
    process::must(command.env("CARGO_TARGET_DIR", folder(place)), Duration::from_secs(600)).map(drop)
}

/// Adds the targets that are not there.
pub fn targets(wanted: &[&str]) -> Outcome {
    let there = process::must(Command::new("rustup").args(["target", "list", "--installed"]), Duration::from_secs(60))?;
    let missing: Vec<&str> =
        wanted.iter().copied().filter(|target| !there.lines().any(|line| line == *target)).collect();
    match missing.is_empty() {
        true => Ok(()),
        false => process::must(Command::new("rustup").args(["target", "add"]).args(missing), Duration::from_secs(600))
            .map(drop),
    }
}

/// What the codec's sources have and must not, and the other way around.
fn forbidden() -> Outcome<Vec<String>> {
    let sources = crate::root().join("codec/src");
    let mut wrong = Vec::new();
    let root = read(&sources.join("lib.rs"))?;
    for attribute in ["#![no_std]", "#![forbid(unsafe_code)]"] {
        if !root.lines().any(|line| line.trim() == attribute) {
            wrong.push(format!("codec/src/lib.rs has no {attribute}"));
        }
    }
    for path in rust_files(&sources)? {
        let shown = path.strip_prefix(crate::root()).unwrap_or(&path).display().to_string();
        wrong.extend(needs(&read(&path)?).into_iter().map(|(line, text)| format!("{shown}:{line}: {text}")));
    }
    Ok(wrong)
}

fn rust_files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).context(|| format!("cannot read {}", folder.display()))? {
        let path = entry.context(|| format!("cannot read {}", folder.display()))?.path();
        match path.is_dir() {
            true => found.extend(rust_files(&path)?),
            // A file of tests alone is only built where there is a standard library.
            false if path.file_name().is_some_and(|name| name == "tests.rs") => {}
            false if path.extension().is_some_and(|ending| ending == "rs") => found.push(path),
            false => {}
        }
    }
    Ok(found)
}

/// Lines that name the allocator or the standard library outside of comments and of what only tests build. An item
/// behind `#[cfg(test)]` ends with the bracket that closes it, or with a semicolon.
fn needs(text: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut testing = false;
    let mut depth = 0_usize;
    for (at, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default().trim();
        if code == "#[cfg(test)]" {
            (testing, depth) = (true, 0);
            continue;
        }
        if testing {
            let opened = code.matches('{').count();
            let closed = code.matches('}').count();
            depth = (depth + opened).saturating_sub(closed);
            testing = depth > 0 || !(code.ends_with(';') || opened > 0 || closed > 0);
            continue;
        }
        if ["std::", "alloc::", "extern crate std", "extern crate alloc"].into_iter().any(|word| names(code, word)) {
            found.push((at + 1, line.trim()));
        }
    }
    found
}

/// Whether code has a word that does not merely end a longer one.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    })
}

fn read(path: &Path) -> Outcome<String> {
    fs::read_to_string(path).context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_standard_library_is_found_outside_of_tests() {
        let text = "use std::fmt;\n/// Like std::fmt.\nuse core::fmt;\nlet x = alloc::vec![];\nmy_std::x();\n";
        assert_eq!(needs(text), [(1, "use std::fmt;"), (4, "let x = alloc::vec![];")]);
    }

    #[test]
    fn what_only_tests_build_is_left_alone() {
        let text = "#[cfg(test)]\nextern crate std;\n#[cfg(test)]\nmod tests {\n    use std::fmt;\n    fn f() {}\n}\nuse std::io;\n";
        assert_eq!(needs(text), [(8, "use std::io;")]);
    }
}
