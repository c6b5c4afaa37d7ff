//! What the product is made of: licences and sources of its dependencies, their number, advisories, the oldest compiler, and
//! before a release whether its interface still is what the last one's was.

use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::failure::{Context, Failure, Outcome};
use crate::{nightly, process};

/// What to look at.
#[derive(clap::Args)]
pub struct Options {
    /// Also compare the libraries' public interface with the last release
    #[arg(long)]
    release: bool,
    /// The commit to compare it with instead
    #[arg(long, requires = "release")]
    baseline: Option<String>,
}

/// The workspaces, and what of `deny.toml` each is held to.
const WORKSPACES: [(&str, &[&str]); 4] = [
    ("Cargo.toml", &["licenses", "bans", "sources"]),
    ("benches/agent/Cargo.toml", &["licenses", "bans", "sources"]),
    ("fuzz/Cargo.toml", &["licenses", "bans", "sources"]),
    // The libraries that are compared with bring packages in several versions.
    ("benches/Cargo.toml", &["licenses", "sources"]),
];

/// What the codec may name as dependencies, with all its features.
const CODEC: usize = 2;

/// What the transport may stand on in all, ringlink's own packages aside.
const TRANSPORT: usize = 8;

/// What users build, and so what the oldest compiler has to build.
const PUBLIC: [&str; 3] = ["ringlink-codec", "ringlink", "ringlink-cli"];

const MINUTE: Duration = Duration::from_secs(60);

/// How long a tool or everything may take to build.
const BUILD: Duration = Duration::from_secs(1800);

/// Looks at all of it; fails at the first that does not hold. What cannot be looked at here is said to be absent.
pub fn run(options: &Options) -> Outcome {
    install("cargo-deny")?;
    for (manifest, checks) in WORKSPACES {
        deny(&["--manifest-path", manifest], checks)?;
        println!("{manifest}: {} as deny.toml wants them", checks.join(", "));
    }
    advisories()?;
    count()?;
    oldest_compiler()?;
    if options.release {
        interface(options.baseline.as_deref())?;
    }
    Ok(())
}

/// Builds a tool of cargo's where it is missing: without optimisation, that takes a quarter of the time.
fn install(tool: &str) -> Outcome {
    if process::exists(tool) {
        return Ok(());
    }
    println!("installing {tool}");
    let mut command = process::cargo();
    command.args(["install", tool, "--locked", "--quiet", "--debug"]).env("CARGO_PROFILE_DEV_DEBUG", "0");
    process::must(&mut command, BUILD).map(drop)
}

fn deny(options: &[&str], checks: &[&str]) -> Outcome {
    let mut command = process::cargo();
    command.args(["deny", "--locked", "--config", "deny.toml"]).args(options).arg("check").args(checks);
    process::must(&mut command, 5 * MINUTE).map(drop)
}

/// The advisories are in a repository that not every machine reaches.
fn advisories() -> Outcome {
    if let Err(failure) = process::must(process::cargo().args(["deny", "fetch", "db"]), 5 * MINUTE) {
        let reason = failure.to_string();
        println!("absent: advisories: {}", reason.lines().last().unwrap_or_default());
        return Ok(());
    }
    for (manifest, _) in WORKSPACES {
        deny(&["--manifest-path", manifest], &["advisories"])?;
    }
    println!("no advisory is about what is used");
    Ok(())
}

/// The dependencies' number, and whether the README has all of them.
fn count() -> Outcome {
    let named = tree(&["--package", "ringlink-codec", "--depth", "1", "--all-features", "--prefix", "none"])?;
    let named = packages(&named);
    println!("ringlink-codec names {} of {CODEC} dependencies: {}", named.len(), named.join(", "));
    let all = tree(&["--package", "ringlink", "--prefix", "none"])?;
    let all = packages(&all);
    println!("ringlink stands on {} of {TRANSPORT} packages: {}", all.len(), all.join(", "));
    if named.len() > CODEC || all.len() > TRANSPORT {
        return Err(Failure::new("more dependencies than there may be"));
    }
    let told = without_versions(&tree(&["--package", "ringlink"])?);
    let readme = fs::read_to_string(crate::root().join("README.md")).context(|| "cannot read README.md")?;
    match readme.contains(&told) {
        true => Ok(()),
        false => Err(Failure::new(format!("README.md does not show what ringlink stands on, which is\n{told}"))),
    }
}

fn tree(options: &[&str]) -> Outcome<String> {
    let mut command = process::cargo();
    command.args(["tree", "--locked", "--edges", "normal", "--charset", "utf8", "--no-dedupe"]).args(options);
    process::must(&mut command, 5 * MINUTE)
}

/// The packages of a list that are not ringlink's own.
fn packages(list: &str) -> Vec<&str> {
    let mut names: Vec<&str> = list.lines().filter_map(|line| line.split(' ').next()).collect();
    names.retain(|name| !name.is_empty() && !name.starts_with("ringlink"));
    names.sort_unstable();
    names.dedup();
    names
}

/// A tree's lines without versions and folders.
fn without_versions(tree: &str) -> String {
    tree.lines().map(|line| format!("{}\n", line.split(" v").next().unwrap_or(line))).collect()
}

/// Builds what users build with the compiler that the manifests name, and no newer one.
fn oldest_compiler() -> Outcome {
    let manifest = fs::read_to_string(crate::root().join("Cargo.toml")).context(|| "cannot read Cargo.toml")?;
    let line = manifest.lines().find_map(|line| line.strip_prefix("rust-version = \""));
    let version = line.and_then(|line| line.strip_suffix('"')).context(|| "Cargo.toml has no rust-version")?;
    let toolchain = format!("{version}.0");
    nightly::install_toolchain(&toolchain)?;
    let mut command = nightly::cargo_of(&toolchain, &["check", "--locked", "--quiet", "--all-features"]);
    command.args(PUBLIC.iter().flat_map(|package| ["--package", package]));
    command.env("CARGO_TARGET_DIR", crate::root().join("target/oldest"));
    process::must(&mut command, BUILD)?;
    println!("{} build with Rust {toolchain}", PUBLIC.join(", "));
    Ok(())
}

/// Compares the libraries' interface with that of a commit, or of the newest version's tag.
fn interface(baseline: Option<&str>) -> Outcome {
    let mut git = Command::new("git");
    git.current_dir(crate::root()).args(["tag", "--list", "v[0-9]*", "--sort=-version:refname"]);
    let tags = process::must(&mut git, MINUTE)?;
    let Some(baseline) = baseline.or_else(|| tags.lines().next()) else {
        println!("absent: the interface is compared with nothing: no version has a tag, there is no release yet");
        return Ok(());
    };
    install("cargo-semver-checks")?;
    let mut command = process::cargo();
    command.args(["semver-checks", "--baseline-rev", baseline, "--package", "ringlink-codec", "--package", "ringlink"]);
    process::must(&mut command, BUILD)?;
    println!("the interface fits what it was at {baseline}, by the rules of versions");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_counted_once_and_own_ones_not() {
        let list = "ringlink v0.1.0 (/ringlink/transport)\nio-uring v0.7.15\nlibc v0.2.191\nlibc v0.2.191\nringlink-codec v0.1.0 (/r)\n";
        assert_eq!(packages(list), ["io-uring", "libc"]);
    }

    #[test]
    fn a_tree_is_shown_without_versions() {
        let tree = "ringlink v0.1.0 (/a b/transport)\n├── io-uring v0.7.15\n│   └── libc v0.2.191\n└── libc v0.2.191\n";
        assert_eq!(without_versions(tree), "ringlink\n├── io-uring\n│   └── libc\n└── libc\n");
    }
}
