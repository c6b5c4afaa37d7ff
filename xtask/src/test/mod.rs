//! Runs all tests under a watchdog that is no part of what it watches.
//!
//! A request can block in the kernel for ever, and then nothing in the process that sent it can end it. So each test
//! program is a child here, one test at a time where it talks to the kernel. One that says nothing for too long is
//! described (its test, its threads, its last request) and killed; what it left behind is removed.
//!
//! `RINGLINK_WATCH` names a file that is each test program's own. A live test writes into it, from the start and on one
//! line, what it is about to ask the kernel; the watchdog shows that line when the program hangs.

mod hang;
pub mod libtest;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::failure::{Context, Failure, Outcome};
use crate::netlink;
use crate::process::{Event, Running};
use crate::vm::{Guest, SLOWNESS};
use libtest::{Counts, Output};

/// How to test.
#[derive(clap::Args)]
pub struct Options {
    /// Only tests that talk to the kernel
    #[arg(long, conflicts_with = "unit")]
    live: bool,
    /// Only tests that do not talk to the kernel
    #[arg(long)]
    unit: bool,
    /// Run the tests that talk to the kernel in a guest with this kernel
    #[arg(long, value_name = "KERNEL", num_args = 0..=1, default_missing_value = "6.1")]
    guest: Option<String>,
    /// Only these packages' tests
    #[arg(long, short)]
    package: Vec<String>,
    /// Seconds that one test may take without a word
    #[arg(long, default_value_t = 60)]
    limit: u64,
    /// Only tests whose name contains this; options of the test harness behind `--`
    arguments: Vec<String>,
}

/// How long all tests of one program may take.
const PROGRAM: Duration = Duration::from_secs(300);

/// How long all tests may take, built as they are.
const ALL: Duration = Duration::from_secs(13 * 60);

/// Tests that run together.
#[derive(Debug, PartialEq, Eq)]
pub struct Program {
    /// What a person calls it (`transport tests/engines`).
    pub name: String,
    /// Whether it talks to the kernel.
    pub live: bool,
    /// How it is started.
    pub start: Start,
}

/// How tests are started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Start {
    /// A program that cargo built, and the package's folder, in which its tests expect to run.
    Built { path: PathBuf, folder: PathBuf },
    /// The examples of a package's documentation, which only cargo can run.
    Examples { package: String },
}

/// Where live tests run.
enum Place {
    Machine,
    Guest(Guest),
    /// Nowhere, for this reason.
    Nowhere(String),
}

/// What is left of the time, and what was counted.
struct Run<'o> {
    options: &'o Options,
    end: Instant,
    counts: Counts,
}

/// Runs the tests, prints how many ended how, and fails where one failed, hung or could not be run at all.
pub fn run(options: &Options) -> Outcome<ExitCode> {
    let place = if options.unit { Place::Machine } else { place(options)? };
    let programs = build(&options.package, None, &[])?;
    let mut run = Run { options, end: Instant::now() + ALL, counts: Counts::default() };
    for program in programs.iter().filter(|program| if program.live { !options.unit } else { !options.live }) {
        match (&place, &program.start) {
            (Place::Guest(_), Start::Examples { .. }) if program.live => {
                run.counts.skip(&program.name, "no guest has cargo");
            }
            (Place::Guest(guest), Start::Built { path, folder }) if program.live => {
                run.in_guest(program, guest, path, folder)?;
            }
            (Place::Nowhere(reason), _) if program.live => {
                run.counts.fail(&program.name, &format!("not run: {reason}"))
            }
            _ => run.on_machine(program)?,
        }
    }
    Ok(run.tell())
}

/// Asks the kernel whether it answers, before anything waits for it.
fn place(options: &Options) -> Outcome<Place> {
    let guest = |kernel: &str| match Guest::prepare(kernel) {
        Ok(guest) => Place::Guest(guest),
        Err(failure) => Place::Nowhere(format!("no guest: {failure}")),
    };
    if let Some(kernel) = &options.guest {
        return Ok(guest(kernel));
    }
    match netlink::kernel_answers().map_err(|failure| failure.because("cannot ask the kernel for its interfaces"))? {
        true => Ok(Place::Machine),
        false => {
            println!("this machine's kernel does not tell its interfaces within {} s", netlink::PATIENCE.as_secs());
            Ok(guest("6.1"))
        }
    }
}

/// Builds the test programs of these packages, or of all, for this processor or another, and returns them, those that talk
/// to the kernel last.
pub fn build(packages: &[String], target: Option<&str>, environment: &[(String, String)]) -> Outcome<Vec<Program>> {
    let mut command = cargo();
    if packages.is_empty() {
        command.arg("--workspace");
    }
    for package in packages {
        command.args(["--package", package]);
    }
    if let Some(target) = target {
        command.args(["--target", target]);
    }
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command.args(["--all-features", "--no-run", "--message-format=json-render-diagnostics"]);
    let done = command.stderr(Stdio::inherit()).output().context(|| "cannot start cargo")?;
    if !done.status.success() {
        return Err(Failure::new("the tests do not build"));
    }
    let mut programs = Vec::new();
    for line in String::from_utf8_lossy(&done.stdout).lines() {
        programs.extend(programs_of(line)?);
    }
    programs.sort_by_key(|program| program.live);
    Ok(programs)
}

fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::root()).arg("test");
    command
}

/// The tests that a line of cargo's messages tells of: a program, and for a library its examples as well. The product's
/// integration tests and examples talk to the kernel; its unit tests, and all of the codec and the chores, do not.
fn programs_of(line: &str) -> Outcome<Vec<Program>> {
    let message: Value = serde_json::from_str(line).context(|| "cargo's messages")?;
    let text = |path: &str| message.pointer(path).and_then(Value::as_str);
    let (Some(path), Some(manifest), Some(package), Some(true)) = (
        text("/executable"),
        text("/manifest_path"),
        text("/package_id"),
        message.pointer("/profile/test").and_then(Value::as_bool),
    ) else {
        return Ok(Vec::new());
    };
    let folder = Path::new(manifest).parent().unwrap_or(Path::new("/")).to_owned();
    let place = folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let product = matches!(place.as_str(), "transport" | "cli");
    let (kind, target) = (text("/target/kind/0").unwrap_or_default(), text("/target/name").unwrap_or_default());
    let start = Start::Built { path: path.into(), folder };
    Ok(match kind {
        "test" => vec![Program { name: format!("{place} tests/{target}"), live: product, start }],
        "lib" => {
            let examples = Start::Examples { package: package.to_owned() };
            vec![
                Program { name: format!("{place} unit tests"), live: false, start },
                Program { name: format!("{place} examples"), live: product, start: examples },
            ]
        }
        _ => vec![Program { name: format!("{place} unit tests"), live: false, start }],
    })
}

impl Run<'_> {
    fn on_machine(&mut self, program: &Program) -> Outcome {
        let watch = std::env::temp_dir().join(format!("ringlink-watch-{}", std::process::id()));
        fs::write(&watch, "").context(|| format!("cannot write {}", watch.display()))?;
        let mut command = match &program.start {
            Start::Built { path, folder } => {
                let mut command = Command::new(path);
                command.args(self.harness(program.live)).current_dir(folder);
                command
            }
            Start::Examples { package } => {
                let mut command = cargo();
                command
                    .args(["--all-features", "--doc", "--quiet", "--package", package, "--"])
                    .args(self.harness(false));
                command.arg("--format=pretty");
                command
            }
        };
        let status = self.watch(&program.name, command.env("RINGLINK_WATCH", &watch), 1, &watch)?;
        let _ = fs::remove_file(&watch);
        if let Some(status) = status {
            self.judge(&program.name, status.success(), &status.to_string());
        }
        Ok(())
    }

    fn in_guest(&mut self, program: &Program, guest: &Guest, path: &Path, folder: &Path) -> Outcome {
        let arguments = self.harness(program.live);
        let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
        let name = format!("{} on {}", program.name, guest.release);
        let mut boot = guest.boot(path, &arguments, folder)?;
        if let Some(status) = self.watch(&name, &mut boot.command, SLOWNESS, Path::new(""))? {
            match boot.verdict(status, b"") {
                Ok(code) => self.judge(&name, code == 0, &format!("exit status {code}")),
                Err(failure) => self.counts.fail(&name, &failure.to_string()),
            }
        }
        Ok(())
    }

    fn harness(&self, one_at_a_time: bool) -> Vec<String> {
        let mut arguments = vec!["--show-output".to_owned(), "--color=never".to_owned()];
        if one_at_a_time {
            arguments.push("--test-threads=1".to_owned());
        }
        arguments.extend(self.options.arguments.iter().cloned());
        arguments
    }

    /// Runs one test program and counts its tests. `None` where patience ended before it did.
    fn watch(&mut self, name: &str, command: &mut Command, slowness: u32, watch: &Path) -> Outcome<Option<ExitStatus>> {
        println!("\n== {name}");
        let quiet = Duration::from_secs(self.options.limit) * slowness;
        let end = self.end.min(Instant::now() + PROGRAM * slowness);
        let running = Running::start(command)?;
        let mut output = Output::default();
        let hung = loop {
            match running.next(quiet.min(end.saturating_duration_since(Instant::now()))) {
                Event::Wrote(_, bytes) => print!("{}", output.take(&bytes)),
                Event::Quiet => break true,
                Event::Closed => break false,
            }
        };
        println!("{}", output.rest());
        self.counts.add(name, &output);
        if !hung {
            return running.wait().map(Some);
        }
        let test = output.current.as_deref().unwrap_or("one that is among the threads below");
        println!("hung: {name}: {test}");
        let request = fs::read_to_string(watch).unwrap_or_default();
        match request.trim_matches(['\0', '\n', ' ']) {
            "" => {}
            request => println!("  last request: {request}"),
        }
        print!("{}", hang::threads(running.id()));
        running.kill();
        hang::remove_namespaces().iter().for_each(|line| println!("  namespace {line}"));
        self.counts.fail(name, &format!("hung in {test}"));
        Ok(None)
    }

    /// A program that failed without a failed test died.
    fn judge(&mut self, name: &str, good: bool, status: &str) {
        let told = self.counts.failed.iter().any(|failed| failed.starts_with(name));
        if !good && !told {
            self.counts.fail(name, status);
        }
    }

    fn tell(&self) -> ExitCode {
        let Counts { passed, failed, not_run, skipped, absent } = &self.counts;
        println!();
        skipped.iter().chain(absent).for_each(|line| println!("{line}"));
        failed.iter().for_each(|name| println!("failed: {name}"));
        println!("{passed} passed, {} failed, {not_run} skipped", failed.len());
        if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(folder: &str, kind: &str, target: &str) -> String {
        format!(
            r#"{{"reason":"compiler-artifact","package_id":"path+file:///r/{folder}#0.1.0","manifest_path":"/r/{folder}/Cargo.toml","target":{{"kind":["{kind}"],"name":"{target}"}},"profile":{{"test":true}},"executable":"/r/target/x"}}"#
        )
    }

    #[test]
    fn a_hanging_test_is_named_and_killed() {
        let options =
            Options { live: false, unit: true, guest: None, package: Vec::new(), limit: 1, arguments: Vec::new() };
        let start = Instant::now();
        let mut run = Run { options: &options, end: start + ALL, counts: Counts::default() };
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'test a ... ok'; printf 'test b::c ... '; sleep 60"]);
        let status = run.watch("sh", &mut command, 1, Path::new("/absent")).expect("sh starts");
        assert_eq!(status, None);
        assert!(start.elapsed() < Duration::from_secs(30));
        assert_eq!((run.counts.passed, run.counts.failed), (1, vec!["sh: hung in b::c".to_owned()]));
    }

    #[test]
    fn what_talks_to_the_kernel_is_told_from_what_does_not() {
        let told = |folder, kind, target| -> Vec<String> {
            let programs = programs_of(&message(folder, kind, target)).expect("JSON");
            programs.iter().map(|program| format!("{}: {}", program.name, program.live)).collect()
        };
        assert_eq!(told("transport", "test", "engines"), ["transport tests/engines: true"]);
        assert_eq!(told("transport", "lib", "x"), ["transport unit tests: false", "transport examples: true"]);
        assert_eq!(told("codec", "test", "captures"), ["codec tests/captures: false"]);
        assert_eq!(told("cli", "bin", "ringlink"), ["cli unit tests: false"]);
        assert_eq!(programs_of(r#"{"reason":"build-finished","success":true}"#).expect("JSON"), []);
    }
}
