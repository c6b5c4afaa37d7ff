//! What ringlink costs beside a bare receive loop, other libraries and `ip`: builds and runs `benches/`, writes
//! `benches/RESULTS.md` and the plots beside it. With `--gate`, only what does not drift between two runs, held against
//! `benches/limits.txt`.
//!
//! Everything runs in network namespaces of its own, so it needs root. Times belong to the machine and are never gated.

mod gate;

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::failure::Outcome;
use crate::process;

/// How to measure.
#[derive(clap::Args)]
pub struct Options {
    /// Hold instructions, allocations, system calls and code size against their limits, and nothing else
    #[arg(long)]
    gate: bool,
    /// Run only the workloads whose name begins with this; may be given several times
    #[arg(long, value_name = "NAME", conflicts_with = "gate")]
    only: Vec<String>,
    /// Divide sizes and rounds by this; the results then go to target/bench
    #[arg(long, default_value_t = 1)]
    scale: u32,
    /// Leave the other libraries out: they take minutes to build
    #[arg(long)]
    without_peers: bool,
}

const BUILD: Duration = Duration::from_secs(1800);
const RUN: Duration = Duration::from_secs(900);

/// Builds what is asked for, runs it, prints what it finds.
pub fn run(options: &Options) -> Outcome {
    if options.gate {
        return gate::run();
    }
    let features = if options.without_peers { "report" } else { "peers,report" };
    process::must(process::cargo().args(["build", "--release", "--locked", "--quiet"]), BUILD)?;
    process::must(
        process::cargo().current_dir(folder()).args([
            "build",
            "--release",
            "--locked",
            "--quiet",
            "--bins",
            "--features",
            features,
        ]),
        BUILD,
    )?;
    let results = match options.scale {
        1 => folder().join("results"),
        _ => crate::root().join("target/bench"),
    };
    let mut common = vec!["--scale".to_owned(), options.scale.to_string()];
    let mut add = |name: &str, path: PathBuf| common.extend([name.to_owned(), path.display().to_string()]);
    add("--out", results.clone());
    add("--ringlink", crate::root().join("target/release/ringlink"));
    if let Some(program) = mnl()? {
        add("--mnl", program);
    }
    let names = process::must(binary("live").arg("list"), RUN)?;
    let wanted =
        |name: &&str| options.only.is_empty() || options.only.iter().any(|wanted| name.starts_with(wanted.as_str()));
    if wanted(&"codec") {
        // Short runs: what is measured takes nanoseconds.
        let times = ["--quiet", "--warm-up-time", "0.5", "--measurement-time", "1"];
        let mut criterion = process::cargo();
        criterion.current_dir(folder()).args(["bench", "--locked", "--quiet", "--bench", "codec"]);
        // The same features: cargo builds the programs again with what is said here.
        criterion.args(["--features", features, "--"]).args(times);
        print!("{}", process::must(&mut criterion, BUILD)?);
    }
    for name in names.lines().chain(["costs"]).filter(wanted) {
        let words: &[&str] = if name == "costs" { &["costs"] } else { &["run", name] };
        match process::must(binary("live").args(words).args(&common), RUN) {
            Ok(text) => print!("{text}"),
            Err(failure) => println!("failed: {failure}\n"),
        }
    }
    let criterion = folder().join("target/criterion");
    let table = folder().join(report_name(options));
    process::must(binary("report").arg(&results).arg(table).arg(criterion), RUN).map(drop)
}

/// Where the table goes: what is in the repository was measured at full size.
fn report_name(options: &Options) -> &'static str {
    if options.scale == 1 { "RESULTS.md" } else { "../target/bench/RESULTS.md" }
}

/// The program that takes part for libmnl, compiled now; `None` where its headers are not installed.
fn mnl() -> Outcome<Option<PathBuf>> {
    let program = folder().join("target/mnl");
    let source = folder().join("c/mnl.c");
    let mut compiler = Command::new("cc");
    compiler.args(["-O2", "-Wall", "-Wextra", "-o"]).arg(&program).arg(&source).arg("-lmnl");
    let header = ["/usr/include", "/usr/local/include"]
        .into_iter()
        .any(|place| PathBuf::from(place).join("libmnl/libmnl.h").is_file());
    match header {
        true => process::must(&mut compiler, BUILD).map(|_| Some(program)),
        false => {
            println!("skipped: libmnl: its headers (libmnl-dev) are not installed");
            Ok(None)
        }
    }
}

fn binary(name: &str) -> Command {
    Command::new(folder().join("target/release").join(name))
}

fn folder() -> PathBuf {
    crate::root().join("benches")
}
