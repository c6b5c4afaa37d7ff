//! Kernels old and new: the live tests in a guest with each, over each engine, and a table of how they went.
//!
//! The test programs are built once and run in every guest, one after another in one boot; a guest that dies is started
//! anew with what is left, and what it died of has failed. Two guests run side by side. What a kernel lacks is told by the tests
//! (`absent: …`); one without a ring that ringlink can use has none of the ring's tests run. A kernel that cannot be had
//! is said so and is not in the table. The big-endian guest runs the codec's tests as well, which elsewhere have no kernel
//! to differ by.
//!
//! Tests read `RINGLINK_ENGINE` (`syscall`, `ring`), and `RINGLINK_GUEST`, by which they do less on an emulated processor.

mod table;

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::cross;
use crate::failure::{Failure, Outcome};
use crate::process::{Event, Running};
use crate::test::libtest::{Counts, Output};
use crate::test::{self, Program, Start};
use crate::vm::{self, Architecture, Guest};

/// Which tests to run where. A suite that is named runs whether or not it otherwise would.
#[derive(clap::Args)]
pub struct Options {
    /// Only these kernels
    #[arg(long, short, value_delimiter = ',')]
    kernel: Vec<String>,
    /// Only these suites, by parts of their names (`transport tests/engines`)
    #[arg(long, short, value_delimiter = ',')]
    suite: Vec<String>,
    /// Seconds that one kernel may take
    #[arg(long, default_value_t = 1800)]
    limit: u64,
    /// Guests that run side by side
    #[arg(long, default_value_t = 2)]
    beside: usize,
    /// Write the table into README.md
    #[arg(long, conflicts_with_all = ["kernel", "suite"])]
    record: bool,
    /// Where no kernel can be had, say so and succeed
    #[arg(long)]
    optional: bool,
    /// Say what the kernels lack
    #[arg(long, short)]
    verbose: bool,
}

/// Seconds that one test program may take in a guest. The longest takes a third of it, where nothing else runs.
const SUITE: u64 = 300;

/// The program's tests that run: as much of them as asks for what kernels differ in. A program is started for every question,
/// which takes a guest long.
const PROGRAM: [&str; 5] = ["bpf", "commands", "doctor", "events", "genl"];

/// How much of their work the tests do that go on for as long, or do as much, as they are told.
const LESS: &str = "RINGLINK_GENERATED=${RINGLINK_GENERATED:-300} RINGLINK_FAULTS=2000 RINGLINK_PACKETS=2000 RINGLINK_SOAK_SECONDS=2 RINGLINK_HAMMER_SECONDS=2";

/// What moves the bytes in a run of a suite.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Engine {
    /// `send(2)` and `recv(2)`.
    Syscall,
    /// io_uring.
    Ring,
    /// What the tests themselves choose, or nothing at all.
    Own,
}

impl Engine {
    /// Its name in tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Syscall => "system calls",
            Self::Ring => "ring",
            Self::Own => "their own",
        }
    }

    fn variable(self) -> &'static str {
        match self {
            Self::Syscall => "RINGLINK_ENGINE=syscall",
            Self::Ring => "RINGLINK_ENGINE=ring",
            Self::Own => "",
        }
    }
}

/// A test program over an engine.
#[derive(Clone, Debug)]
struct Suite {
    name: String,
    engine: Engine,
    program: PathBuf,
    folder: PathBuf,
}

/// How a suite went on a kernel.
#[derive(Clone, Debug)]
pub(crate) struct Ran {
    pub(crate) suite: String,
    pub(crate) engine: Engine,
    pub(crate) counts: Counts,
}

/// How a kernel did.
pub(crate) struct Row {
    pub(crate) kernel: String,
    pub(crate) release: String,
    pub(crate) ran: Vec<Ran>,
    /// Why there is nothing over a ring.
    pub(crate) no_ring: Option<String>,
    pub(crate) seconds: u64,
}

/// Programs of one processor.
struct Built {
    /// The program of the product, to ask whether there is a ring.
    ringlink: Option<PathBuf>,
    suites: Vec<Suite>,
}

/// Runs it all, prints the tables, and fails where a test failed.
pub fn run(options: &Options) -> Outcome<ExitCode> {
    let known: Vec<&str> = vm::kernels().collect();
    let wanted: Vec<&str> = match options.kernel.as_slice() {
        [] => known.clone(),
        names => names.iter().map(String::as_str).collect(),
    };
    let (mut guests, mut missing) = (VecDeque::new(), Vec::new());
    for name in wanted {
        match Guest::prepare(name) {
            Ok(guest) => guests.push_back((name, guest)),
            Err(failure) => {
                println!("absent: kernel {name}: not to be had: {failure}");
                missing.push(format!("{name}: {failure}"));
            }
        }
    }
    let mut built = Vec::new();
    for architecture in [Architecture::Amd64, Architecture::S390x] {
        if guests.iter().any(|(_, guest)| guest.architecture == architecture) {
            match build(architecture, &options.suite) {
                Ok(programs) => built.push((architecture, programs)),
                Err(failure) if architecture != Architecture::Amd64 => {
                    println!("absent: tests for {}: {failure}", architecture.target());
                    missing.push(format!("{}: {failure}", architecture.target()));
                    guests.retain(|(_, guest)| guest.architecture != architecture);
                }
                Err(failure) => return Err(failure),
            }
        }
    }
    // The one that takes longest first.
    guests.make_contiguous().sort_by_key(|(_, guest)| guest.architecture == Architecture::Amd64);
    let start = Instant::now();
    let (queue, rows) = (Mutex::new(guests), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..options.beside.max(1) {
            scope.spawn(|| {
                loop {
                    let next = queue.lock().ok().and_then(|mut queue| queue.pop_front());
                    let Some((name, guest)) = next else { return };
                    let Some((_, built)) = built.iter().find(|(architecture, _)| *architecture == guest.architecture)
                    else {
                        return;
                    };
                    let row = kernel(name, &guest, built, options);
                    if let Ok(mut rows) = rows.lock() {
                        rows.push(row);
                    }
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap_or_default();
    println!("all kernels: {} s", start.elapsed().as_secs());
    rows.sort_by_key(|row| known.iter().position(|name| *name == row.kernel));
    tell(&rows, &missing, options)
}

fn tell(rows: &[Row], missing: &[String], options: &Options) -> Outcome<ExitCode> {
    println!();
    let mut failed = 0;
    for row in rows {
        for ran in &row.ran {
            let Counts { failed: names, skipped, absent, .. } = &ran.counts;
            let place = format!("{}, {}, {}", row.kernel, ran.suite, ran.engine.name());
            skipped.iter().for_each(|line| println!("{line} ({place})"));
            absent.iter().filter(|_| options.verbose).for_each(|line| println!("{line} ({place})"));
            names.iter().for_each(|name| println!("failed: {place}: {name}"));
            failed += names.len();
        }
    }
    println!("\n{}", table::of_suites(rows));
    let summary = table::of_kernels(rows, missing);
    println!("{summary}");
    if options.record {
        table::record(&summary)?;
    }
    let good = failed == 0 && (!rows.is_empty() || options.optional);
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Builds the test programs for a processor and says what is to be run of them.
fn build(architecture: Architecture, only: &[String]) -> Outcome<Built> {
    let packages = ["ringlink", "ringlink-cli", "ringlink-codec"].map(str::to_owned);
    let mut environment = Vec::new();
    let target = match architecture {
        Architecture::Amd64 => None,
        Architecture::S390x => {
            let target = cross::target(architecture.target())?;
            environment = target.environment();
            Some(target.name)
        }
    };
    // For this machine as `cargo xtask test` builds them, so that nothing is built twice.
    let packages = if target.is_some() { &packages[..] } else { &[] };
    let mut suites = Vec::new();
    let mut ringlink = None;
    for program in test::build(packages, target, &environment)? {
        let Start::Built { path, folder } = program.start.clone() else { continue };
        if program.name.starts_with("cli") && program.live {
            // The program that these tests run stands beside their folder.
            ringlink = path.ancestors().nth(2).map(|place| place.join("ringlink"));
        }
        let codec = program.name.starts_with("codec") && architecture != Architecture::Amd64;
        if !(program.live || codec) {
            continue;
        }
        let left_out = program.name.strip_prefix("cli tests/").is_some_and(|name| !PROGRAM.contains(&name));
        if only.is_empty() && left_out {
            continue;
        }
        if !only.is_empty() && !only.iter().any(|part| program.name.contains(part.as_str())) {
            continue;
        }
        for engine in engines(&program, &folder) {
            suites.push(Suite {
                name: program.name.clone(),
                engine: *engine,
                program: path.clone(),
                folder: folder.clone(),
            });
        }
    }
    // The library's tests first.
    suites.sort_by_key(|suite| (!suite.name.starts_with("transport"), suite.name.clone(), suite.engine));
    Ok(Built { ringlink, suites })
}

/// The engines that a test program can be told to use: of the library's tests those can that choose by the tests' common
/// functions. The program's tests choose for themselves: it moves bytes as the library does, and all of them twice would take
/// as long as everything else.
fn engines(program: &Program, folder: &Path) -> &'static [Engine] {
    let Some(target) = program.name.strip_prefix("transport tests/") else { return &[Engine::Own] };
    let source = fs::read_to_string(folder.join(format!("tests/{target}.rs"))).unwrap_or_default();
    let chooses = source.contains("asked_for(") || source.contains(" engines(");
    if chooses { &[Engine::Syscall, Engine::Ring] } else { &[Engine::Own] }
}

/// Runs all suites on one kernel, in as many boots as it takes.
fn kernel(name: &str, guest: &Guest, built: &Built, options: &Options) -> Row {
    let start = Instant::now();
    let end = start + Duration::from_secs(options.limit);
    let mut row =
        Row { kernel: name.to_owned(), release: guest.release.clone(), ran: Vec::new(), no_ring: None, seconds: 0 };
    let mut left: VecDeque<Suite> = built.suites.iter().cloned().collect();
    let mut asks = built.ringlink.as_deref();
    while !left.is_empty() {
        let before = row.ran.len();
        let died = boot(guest, asks.take(), &mut left, end, &mut row);
        let reason = match died {
            Ok(()) => continue,
            Err(failure) => failure.to_string(),
        };
        // Whoever was running is at fault. One that did not even start its first would not start the next.
        let late = Instant::now() >= end || row.ran.len() == before;
        let count = if late { left.len() } else { 1 };
        for suite in left.drain(..count) {
            let mut counts = Counts::default();
            counts.fail("guest", &reason);
            println!("{name}: {}, {}: {reason}", suite.name, suite.engine.name());
            row.ran.push(Ran { suite: suite.name, engine: suite.engine, counts });
        }
    }
    row.seconds = start.elapsed().as_secs();
    println!("{name}: {} s", row.seconds);
    row
}

/// What a guest says before and behind the output of a suite. A suite that asks what may stop the kernel says so with `asks`
/// and the bytes.
const MARK: &str = "@@ ringlink ";

/// Runs what is left in one boot, and takes away what came to its end.
fn boot(guest: &Guest, asks: Option<&Path>, left: &mut VecDeque<Suite>, end: Instant, row: &mut Row) -> Outcome {
    let mut script = format!("export RUST_BACKTRACE=0 {LESS}\n");
    if let Some(ringlink) = asks {
        guest.show(ringlink)?;
        script += &format!(
            "said=$({} --engine ring link show 2>&1 >/dev/null) || ring=no\nprintf '\\n{MARK}ring %s %s\\n' \"${{ring:-yes}}\" \"$said\"\n",
            ringlink.display()
        );
    }
    if row.no_ring.is_some() {
        script += "ring=no\n";
    }
    // In CI nothing may be skipped, but where there is no ring its own tests are.
    script += "[ \"$ring\" != no ] || unset CI\n";
    for (number, suite) in left.iter().enumerate() {
        guest.show(suite.program.parent().unwrap_or(Path::new("/")))?;
        guest.show(&suite.folder)?;
        // Captures, which tests of others read as well.
        guest.show(&crate::root().join("codec"))?;
        let ring = if suite.engine == Engine::Ring { "[ \"$ring\" = no ] || " } else { "" };
        script += &format!(
            "printf '\\n{MARK}begin {number}\\n'; code=absent; {ring}{{ cd {}; {} timeout -k 5 {SUITE} {} --show-output \
             --color=never --test-threads=1 </dev/null 2>&1; code=$?; }}; printf '\\n{MARK}end {number} %s\\n' $code\n",
            suite.folder.display(),
            suite.engine.variable(),
            suite.program.display()
        );
    }
    script += &format!("printf '\\n{MARK}all\\n'\n");
    let mut boot = guest.boot(Path::new("/bin/bash"), &[OsStr::new("-c"), OsStr::new(&script)], Path::new("/"))?;
    let suites: Vec<Suite> = left.iter().cloned().collect();
    let mut reader =
        Reader { kernel: row.kernel.clone(), suites: &suites, line: Vec::new(), running: None, all: false };
    let running = Running::start(&mut boot.command)?;
    loop {
        match running.next(end.saturating_duration_since(Instant::now())) {
            Event::Wrote(_, bytes) => reader.take(&bytes, left, row),
            Event::Quiet => {
                running.kill();
                return Err(Failure::new(format!("not done in time{}", reader.place())));
            }
            Event::Closed => break,
        }
    }
    let status = running.wait()?;
    match reader.all {
        true => Ok(()),
        false => {
            let place = reader.place();
            Err(Failure::new(format!("the guest died ({status}){place}")))
        }
    }
}

/// Follows a guest's console.
struct Reader<'s> {
    kernel: String,
    suites: &'s [Suite],
    line: Vec<u8>,
    running: Option<Current>,
    all: bool,
}

/// A suite that runs.
struct Current {
    number: usize,
    output: Output,
    /// All that it said, for who has to find out why it failed.
    text: String,
    /// What it said last that it asks the kernel, where it says that.
    asks: String,
    since: Instant,
}

impl Reader<'_> {
    /// The test that runs, if one does.
    fn place(&self) -> String {
        self.running.as_ref().map(|running| running.place()).unwrap_or_default()
    }

    fn take(&mut self, bytes: &[u8], left: &mut VecDeque<Suite>, row: &mut Row) {
        for byte in bytes.iter().filter(|byte| **byte != b'\r') {
            self.line.push(*byte);
            if *byte == b'\n' {
                let line = std::mem::take(&mut self.line);
                self.whole(&String::from_utf8_lossy(&line), left, row);
            }
        }
    }

    fn whole(&mut self, line: &str, left: &mut VecDeque<Suite>, row: &mut Row) {
        let Some(mark) = line.trim_end().strip_prefix(MARK) else {
            match &mut self.running {
                Some(running) => {
                    running.output.take(line.as_bytes());
                    running.text += line;
                }
                None if line.starts_with("guest: ") || line.contains("panic") => print!("{}: {line}", self.kernel),
                None => {}
            }
            return;
        };
        let mut words = mark.splitn(3, ' ');
        let (what, number, rest) = (words.next(), words.next(), words.next().unwrap_or_default());
        match (what, number) {
            (Some("ring"), Some("no")) => row.no_ring = Some(rest.to_owned()),
            (Some("begin"), Some(number)) => {
                let number = number.parse().unwrap_or(usize::MAX);
                let (output, text, asks) = <(Output, String, String)>::default();
                self.running = Some(Current { number, output, text, asks, since: Instant::now() });
            }
            (Some("end"), Some(_)) => {
                let Some(running) = self.running.take() else { return };
                let Some(suite) = self.suites.get(running.number) else { return };
                left.pop_front();
                if rest != "absent" {
                    self.end(suite, &running, rest, row);
                }
            }
            (Some("asks"), Some(bytes)) => {
                if let Some(running) = &mut self.running {
                    running.asks = bytes.to_owned();
                }
            }
            (Some("all"), _) => self.all = true,
            _ => {}
        }
    }

    fn end(&self, suite: &Suite, running: &Current, code: &str, row: &mut Row) {
        let mut counts = running.output.told();
        let dead = match code {
            "0" => None,
            "124" | "137" => Some(format!("not done after {SUITE} s{}", running.place())),
            code => Some(format!("exit status {code}{}", running.place())),
        };
        if let Some(reason) = dead.filter(|_| counts.failed.is_empty()) {
            counts.failed.push(reason);
        }
        if row.no_ring.is_some() {
            // Tests of the ring's own that run whatever is asked for.
            let (absent, skipped) = counts.skipped.drain(..).partition(|line: &String| line.contains("io_uring"));
            counts.skipped = skipped;
            counts.absent.extend::<Vec<String>>(absent);
        }
        if !counts.failed.is_empty() {
            print!("{}", running.text);
        }
        println!(
            "{}: {}, {}: {} passed, {} failed, {} absent, {} s",
            self.kernel,
            suite.name,
            suite.engine.name(),
            counts.passed,
            counts.failed.len(),
            counts.absent.len(),
            running.since.elapsed().as_secs()
        );
        row.ran.push(Ran { suite: suite.name.clone(), engine: suite.engine, counts });
    }
}

impl Current {
    /// The test that runs, and what it asks.
    fn place(&self) -> String {
        let test = self.output.current.as_deref().map(|test| format!(", in {test}")).unwrap_or_default();
        match self.asks.as_str() {
            "" => test,
            bytes => format!("{test}, which asked {bytes}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_guest_that_dies_it_is_told_what_it_was_asked() {
        let suite = Suite {
            name: "transport tests/a".into(),
            engine: Engine::Syscall,
            program: PathBuf::new(),
            folder: PathBuf::new(),
        };
        let mut row = Row { kernel: "6.1".into(), release: "6.1.0".into(), ran: Vec::new(), no_ring: None, seconds: 0 };
        let (suites, mut left) = ([suite.clone(), suite.clone()], VecDeque::from([suite.clone(), suite]));
        let mut reader = Reader { kernel: "6.1".into(), suites: &suites, line: Vec::new(), running: None, all: false };
        let said =
            b"@@ ringlink begin 0\r\ntest one ... \n@@ ringlink asks 10\nok\ntest two ... ok\n@@ ringlink end 0 0\n";
        reader.take(said, &mut left, &mut row);
        assert_eq!((left.len(), row.ran[0].counts.passed, reader.place().as_str()), (1, 2, ""));
        reader.take(b"@@ ringlink begin 1\ntest one ... \n@@ ringlink asks 1122\nOops", &mut left, &mut row);
        assert_eq!(reader.place(), ", in one, which asked 1122");
    }
}
