//! Rust's nightly compiler, for the chores that want what is not stable; and other compilers than the one that runs this.

use std::process::Command;
use std::time::Duration;

use crate::failure::Outcome;
use crate::process;

/// How long fetching may take.
const FETCH: Duration = Duration::from_secs(600);

/// Fetches the compiler and components of it, where they are missing.
pub fn install(components: &[&str]) -> Outcome {
    install_toolchain("nightly")?;
    if components.is_empty() {
        return Ok(());
    }
    let mut command = Command::new("rustup");
    command.args(["component", "add", "--toolchain", "nightly"]).args(components);
    process::must(&mut command, FETCH).map(drop)
}

/// Fetches a compiler, where it is missing.
pub fn install_toolchain(name: &str) -> Outcome {
    let there = process::must(Command::new("rustup").args(["toolchain", "list"]), Duration::from_secs(60))?;
    if there.lines().any(|line| line.split('-').next() == Some(name)) {
        return Ok(());
    }
    let mut command = Command::new("rustup");
    command.args(["toolchain", "install", name, "--profile", "minimal", "--no-self-update"]);
    process::must(&mut command, FETCH).map(drop)
}

/// Its cargo, in the repository's folder.
pub fn cargo(arguments: &[&str]) -> Command {
    cargo_of("nightly", arguments)
}

/// A compiler's cargo, in the repository's folder. The compiler that runs this one names itself in the environment, and would be
/// taken for it.
pub fn cargo_of(toolchain: &str, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(crate::root()).arg(format!("+{toolchain}")).args(arguments);
    for name in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(name);
    }
    command
}
