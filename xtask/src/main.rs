//! The project's own chores: `cargo xtask CHORE`.
//!
//! | chore | does |
//! |---|---|
//! | `test` | runs all tests under a watchdog that outlives a hanging kernel |
//! | `audit` | compares the codec's tables with the installed kernel headers and with files of facts |
//! | `size` | builds the codec where there is no operating system, and the constrained agent; holds what it takes to its bars |
//! | `bench` | measures ringlink beside a bare loop and other libraries; `--gate` holds what does not drift to limits |
//! | `fuzz` | runs the fuzzers from captures as seeds, for a given time |
//! | `miri` | interprets tests and looks for undefined behaviour, in both byte orders |
//! | `vm` | runs a command inside a guest with another kernel |
//! | `matrix` | runs the live tests in guests with kernels old and new, over each engine |
//! | `cross` | runs the codec's tests on other processors, emulated |
//! | `supply` | looks at dependencies, at the oldest compiler, and before a release at the public interface |
//! | `capture` | dumps a table of the kernel into a file for the codec's tests |
//!
//! A chore that fails says why on one line and exits with 1. Nothing here is part of the product.

mod audit;
mod bench;
mod capture;
mod cross;
mod failure;
mod fuzz;
mod matrix;
mod miri;
mod netlink;
mod nightly;
mod process;
mod size;
mod supply;
mod test;
mod vm;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use failure::Outcome;

/// The project's own chores
#[derive(Parser)]
#[command(name = "cargo xtask", disable_help_subcommand = true)]
enum Chore {
    /// Run all tests under a watchdog
    Test(test::Options),
    /// Compare the codec's tables with kernel headers and facts
    Audit(audit::Options),
    /// Build the codec for bare metal, and the constrained agent; look at what they take
    Size(size::Options),
    /// Measure ringlink beside a bare loop and other libraries
    Bench(bench::Options),
    /// Run the fuzzers
    Fuzz(fuzz::Options),
    /// Interpret tests and look for undefined behaviour
    Miri(miri::Options),
    /// Run a command in a guest with another kernel
    Vm(vm::Options),
    /// Run the live tests on kernels old and new, over each engine
    Matrix(matrix::Options),
    /// Run the codec's tests on other processors
    Cross(cross::Options),
    /// Look at dependencies, at the oldest compiler, and before a release at the public interface
    Supply(supply::Options),
    /// Dump a table of the kernel for the codec's tests
    Capture(capture::Options),
    /// Ask the kernel for its interfaces, for who watches whether it answers
    #[command(hide = true)]
    Links,
}

fn main() -> ExitCode {
    let done = match Chore::parse() {
        Chore::Test(options) => test::run(&options),
        Chore::Audit(options) => audit::run(&options).map(|()| ExitCode::SUCCESS),
        Chore::Size(options) => size::run(&options).map(|()| ExitCode::SUCCESS),
        Chore::Bench(options) => bench::run(&options).map(|()| ExitCode::SUCCESS),
        Chore::Fuzz(options) => fuzz::run(&options).map(|()| ExitCode::SUCCESS),
        Chore::Miri(options) => miri::run(&options).map(|()| ExitCode::SUCCESS),
        Chore::Vm(options) => vm::run(&options),
        Chore::Matrix(options) => matrix::run(&options),
        Chore::Cross(options) => cross::run(&options),
        Chore::Supply(options) => supply::run(&options).map(|()| ExitCode::SUCCESS),
        Chore::Capture(options) => capture::run(&options).map(|()| ExitCode::SUCCESS),
        Chore::Links => links().map(|()| ExitCode::SUCCESS),
    };
    done.unwrap_or_else(|failure| {
        eprintln!("error: {failure}");
        ExitCode::FAILURE
    })
}

fn links() -> Outcome {
    netlink::dump(netlink::dump_operation("link")?, 0, 0).map(drop)
}

/// The repository's folder.
fn root() -> PathBuf {
    let package = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    package.parent().map(PathBuf::from).unwrap_or(package)
}
