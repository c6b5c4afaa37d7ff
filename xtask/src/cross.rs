//! The codec's tests on other processors: big-endian, 32 bits, and the 64 bits of small machines.
//!
//! They are linked statically and run under qemu's emulation of processes, which has this machine's kernel below it. What asks the
//! kernel runs in a guest instead (`cargo xtask matrix --kernel 6.1-s390x`). Programs that are missing are installed.

use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::failure::{Context, Failure, Outcome};
use crate::process::{self, exists, must};
use crate::test::libtest::{Counts, Output};
use crate::test::{self, Start};

/// What to run.
#[derive(clap::Args)]
pub struct Options {
    /// Only these processors: s390x, aarch64, armv7
    #[arg(long, short, value_delimiter = ',')]
    processor: Vec<String>,
    /// Only tests whose name contains this
    arguments: Vec<String>,
}

/// A processor that is not this machine's.
pub struct Target {
    /// Rust's name for it.
    pub name: &'static str,
    linker: &'static str,
    packages: [&'static str; 2],
    runner: &'static str,
    kind: &'static str,
}

const TARGETS: [Target; 3] = [
    Target {
        name: "s390x-unknown-linux-gnu",
        linker: "s390x-linux-gnu-gcc",
        packages: ["gcc-s390x-linux-gnu", "libc6-dev-s390x-cross"],
        runner: "qemu-s390x-static",
        kind: "64 bits, big-endian",
    },
    Target {
        name: "armv7-unknown-linux-gnueabihf",
        linker: "arm-linux-gnueabihf-gcc",
        packages: ["gcc-arm-linux-gnueabihf", "libc6-dev-armhf-cross"],
        runner: "qemu-arm-static",
        kind: "32 bits",
    },
    Target {
        name: "aarch64-unknown-linux-gnu",
        linker: "aarch64-linux-gnu-gcc",
        packages: ["gcc-aarch64-linux-gnu", "libc6-dev-arm64-cross"],
        runner: "qemu-aarch64-static",
        kind: "64 bits",
    },
];

/// How long a step with packages may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// How long one test program may take, emulated.
const PROGRAM: Duration = Duration::from_secs(300);

impl Target {
    /// What cargo has to be told to build for it.
    pub fn environment(&self) -> Vec<(String, String)> {
        let name = self.name.to_uppercase().replace('-', "_");
        // The bindings for io_uring are the same for all processors, but were not tried on all by who made them.
        let flags = "--cfg=io_uring_skip_arch_check -Ctarget-feature=+crt-static";
        vec![
            (format!("CARGO_TARGET_{name}_LINKER"), self.linker.to_owned()),
            (format!("CARGO_TARGET_{name}_RUSTFLAGS"), flags.to_owned()),
            ("CARGO_PROFILE_DEV_DEBUG".to_owned(), "0".to_owned()),
        ]
    }
}

/// A processor for which this machine can build now.
pub fn target(name: &str) -> Outcome<&'static Target> {
    let target = TARGETS.iter().find(|target| target.name == name).context(|| format!("{name} is not known"))?;
    if !exists(target.linker) {
        packages(&target.packages)?;
    }
    crate::size::targets(&[target.name])?;
    Ok(target)
}

/// Builds and runs the codec's tests on each.
pub fn run(options: &Options) -> Outcome<ExitCode> {
    let (mut failed, mut ran) = (0, 0);
    let wanted = |target: &&Target| {
        options.processor.is_empty() || options.processor.iter().any(|name| target.name.starts_with(name.as_str()))
    };
    for target in TARGETS.iter().filter(wanted) {
        if let Err(failure) = self::target(target.name).and_then(|target| match exists(target.runner) {
            true => Ok(()),
            false => packages(&["qemu-user-static"]),
        }) {
            println!("absent: {}: {failure}", target.name);
            continue;
        }
        let counts = tests(target, &options.arguments)?;
        counts.skipped.iter().chain(&counts.absent).for_each(|line| println!("{line}"));
        counts.failed.iter().for_each(|name| println!("failed: {}: {name}", target.name));
        println!(
            "{} ({}): {} passed, {} failed, {} not run",
            target.name,
            target.kind,
            counts.passed,
            counts.failed.len(),
            counts.not_run
        );
        (failed, ran) = (failed + counts.failed.len(), ran + 1);
    }
    Ok(if failed == 0 && ran > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tests(target: &Target, arguments: &[String]) -> Outcome<Counts> {
    let mut counts = Counts::default();
    for program in test::build(&["ringlink-codec".to_owned()], Some(target.name), &target.environment())? {
        let Start::Built { path, folder } = &program.start else { continue };
        let start = Instant::now();
        let mut command = Command::new(target.runner);
        command.arg(path).args(["--show-output", "--color=never", "--test-threads=2"]).args(arguments);
        // Loops over all damage that takes minutes when every instruction is translated do a part of it.
        command.current_dir(folder).env("RINGLINK_GUEST", "1");
        let Some(done) = process::run(&mut command, PROGRAM)? else {
            counts.fail(&program.name, &format!("not done after {} s", PROGRAM.as_secs()));
            continue;
        };
        let mut output = Output::default();
        output.take(&done.out);
        let before = counts.failed.len();
        counts.add(&program.name, &output);
        if !done.status.success() && counts.failed.len() == before {
            counts.fail(&program.name, &done.status.to_string());
        }
        if counts.failed.len() > before {
            println!("{}{}", String::from_utf8_lossy(&done.out), String::from_utf8_lossy(&done.err));
        }
        println!("{}: {}: {} s", target.name, program.name, start.elapsed().as_secs());
    }
    Ok(counts)
}

fn packages(names: &[&str]) -> Outcome {
    if !exists("apt-get") {
        return Err(Failure::new(format!("missing: {}", names.join(", "))));
    }
    println!("installing {}", names.join(" "));
    must(Command::new("apt-get").arg("update"), PATIENCE)?;
    let mut command = Command::new("apt-get");
    command.args(["install", "-y", "--no-install-recommends"]).args(names);
    must(command.env("DEBIAN_FRONTEND", "noninteractive"), PATIENCE).map(drop)
}
