//! Tests in an interpreter that notices undefined behaviour, as they are and as if this were a big-endian machine.

use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};
use crate::{nightly, process};

/// What to run.
#[derive(clap::Args)]
pub struct Options {
    /// Only the tests of this package
    #[arg(long)]
    package: Option<String>,
    /// Leave out what takes minutes
    #[arg(long)]
    quick: bool,
}

/// Tests that can be interpreted in minutes.
struct Suite {
    package: &'static str,
    /// What of the package: the library's own tests, or one of its test programs.
    of: &'static [&'static str],
    /// Names of tests, by a part of each; all where there is none.
    only: &'static [&'static str],
    skip: &'static [&'static str],
    /// Whether it also runs big-endian.
    both: bool,
    /// Whether it takes minutes.
    long: bool,
    /// Options of the interpreter.
    options: &'static str,
}

const CODEC: Suite =
    Suite { package: "ringlink-codec", of: &[], only: &[], skip: &[], both: true, long: false, options: "" };
const TRANSPORT: Suite = Suite { package: "ringlink", of: &["--lib"], only: &["played", "sys::tests"], ..CODEC };

const SUITES: [Suite; 14] = [
    // Damage to everything is done in millions of steps.
    Suite { of: &["--test", "table"], skip: &["every_"], ..CODEC },
    Suite { of: &["--test", "exchange"], ..CODEC },
    Suite { of: &["--test", "answer"], ..CODEC },
    Suite { of: &["--test", "secrets"], ..CODEC },
    Suite { of: &["--test", "uevent"], ..CODEC },
    // What is printed was captured on a little-endian machine.
    Suite { of: &["--test", "print"], both: false, ..CODEC },
    Suite { of: &["--test", "connector"], skip: &["every_", "damage"], both: false, ..CODEC },
    Suite { of: &["--test", "audit"], skip: &["damage"], both: false, long: true, ..CODEC },
    Suite { of: &["--test", "conntrack"], skip: &["damage"], both: false, long: true, ..CODEC },
    Suite { of: &["--test", "diag"], skip: &["damage"], both: false, long: true, ..CODEC },
    // The transport's unsafe code over a kernel that is only played. io-uring makes the request that sets an option through a
    // field of no size, which the stricter of the two models of aliasing does not take; one test leaks memory, as it has to.
    Suite { skip: &["fleets_ask", "outlives"], ..TRANSPORT },
    Suite { skip: &["outlives"], options: "-Zmiri-tree-borrows", ..TRANSPORT },
    Suite { only: &["outlives"], options: "-Zmiri-ignore-leaks", ..TRANSPORT },
    // What is above an engine. Waiting for a descriptor is a system call; some measure how long they wait.
    Suite {
        of: &["--test", "mock"],
        only: &[],
        skip: &["by_steps", "long_dumps", "monitors", "watch", "receive_failed", "not_waited_for_twice"],
        both: false,
        long: true,
        ..TRANSPORT
    },
];

/// The big-endian machine.
const BIG_ENDIAN: &str = "s390x-unknown-linux-gnu";

/// How long one test may take.
const LIMIT: Duration = Duration::from_secs(900);

/// Runs all; fails where one does.
pub fn run(options: &Options) -> Outcome {
    nightly::install(&["miri", "rust-src"])?;
    let of_package = |suite: &Suite| options.package.as_ref().is_none_or(|package| suite.package == package);
    let wanted = |suite: &Suite| of_package(suite) && !(options.quick && suite.long);
    if !SUITES.iter().any(wanted) {
        return Err(Failure::new("nothing of that package is interpreted"));
    }
    let mut failed = 0;
    for Suite { package, of, only, skip, both, options, .. } in SUITES.into_iter().filter(wanted) {
        let targets: &[Option<&str>] = if both { &[None, Some(BIG_ENDIAN)] } else { &[None] };
        for target in targets {
            let start = Instant::now();
            let mut command = nightly::cargo(&["miri", "test", "--quiet", "--package", package]);
            command.args(of).args(target.map(|target| format!("--target={target}")));
            command.arg("--").args(only).args(skip.iter().flat_map(|name| ["--skip", name]));
            command.env("CARGO_TARGET_DIR", crate::root().join("target/interpreted"));
            // Tests read captures; addresses go through io_uring's structures as numbers.
            let always = "-Zmiri-disable-isolation -Zmiri-permissive-provenance";
            command.env("MIRIFLAGS", format!("{always} {options}"));
            // The bindings for io_uring are the same for all processors, but were not tried on all by who made them.
            command.env("RUSTFLAGS", "--cfg=io_uring_skip_arch_check");
            let machine = target.unwrap_or("this machine");
            let verdict = match process::run(&mut command, LIMIT)? {
                Some(done) if done.status.success() => "clean",
                Some(done) => {
                    failed += 1;
                    print!("{}{}", String::from_utf8_lossy(&done.out), String::from_utf8_lossy(&done.err));
                    "FAILED"
                }
                None => {
                    failed += 1;
                    "took too long"
                }
            };
            let what = [of, only, &[options]].concat().join(" ");
            println!("{package} {}, {machine}: {verdict}, {} s", what.trim(), start.elapsed().as_secs());
        }
    }
    match failed {
        0 => Ok(()),
        count => Err(Failure::new(format!("{count} failed"))),
    }
}
