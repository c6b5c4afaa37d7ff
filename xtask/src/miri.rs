//! Tests in an interpreter that notices undefined behaviour, as they are and as if this were a big-endian machine.

use std::time::{Duration, Instant};

use crate::failure::{Failure, Outcome};
use crate::{nightly, process};

/// Tests that can be interpreted in minutes: package, test, what of it is left out, and whether it also runs big-endian.
const TESTS: [(&str, &str, &[&str], bool); 8] = [
    // Damage to everything is done in millions of steps.
    ("ringlink-codec", "table", &["every_"], true),
    ("ringlink-codec", "exchange", &[], true),
    ("ringlink-codec", "answer", &[], true),
    ("ringlink-codec", "secrets", &[], true),
    ("ringlink-codec", "uevent", &[], true),
    // What is printed was captured on a little-endian machine.
    ("ringlink-codec", "print", &[], false),
    ("ringlink-codec", "connector", &["every_", "damage"], false),
    // The transport over a kernel that is only played; waiting for a descriptor is a system call.
    ("ringlink", "mock", &["by_steps", "long_dumps", "monitors", "watch"], false),
];

/// The big-endian machine.
const BIG_ENDIAN: &str = "s390x-unknown-linux-gnu";

/// How long one test may take.
const LIMIT: Duration = Duration::from_secs(900);

/// Runs all; fails where one does.
pub fn run() -> Outcome {
    nightly::install(&["miri", "rust-src"])?;
    let mut failed = 0;
    for (package, test, skip, both) in TESTS {
        let targets: &[Option<&str>] = if both { &[None, Some(BIG_ENDIAN)] } else { &[None] };
        for target in targets {
            let start = Instant::now();
            let mut command = nightly::cargo(&["miri", "test", "--quiet", "--package", package, "--test", test]);
            command.args(target.map(|target| format!("--target={target}")));
            command.arg("--").args(skip.iter().flat_map(|name| ["--skip", name]));
            // Tests read captures.
            command.env("CARGO_TARGET_DIR", crate::root().join("target/interpreted"));
            command.env("MIRIFLAGS", "-Zmiri-disable-isolation");
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
            println!("{package} {test}, {machine}: {verdict}, {} s", start.elapsed().as_secs());
        }
    }
    match failed {
        0 => Ok(()),
        count => Err(Failure::new(format!("{count} failed"))),
    }
}
