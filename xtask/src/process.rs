//! Other programs, run with a time limit: each leads a process group of its own, so that what it started ends with it.

use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Context, Failure, Outcome};

/// How long a process that closed its output, or was killed, may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// A process whose output arrives piece by piece.
pub struct Running {
    child: Child,
    name: String,
    pieces: Receiver<(Stream, Vec<u8>)>,
}

/// Where a piece of output came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// What a process did while it was watched.
pub enum Event {
    /// It wrote this.
    Wrote(Stream, Vec<u8>),
    /// It wrote nothing for as long as was waited.
    Quiet,
    /// It closed its output.
    Closed,
}

/// What a process wrote and how it ended.
pub struct Finished {
    /// How it ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub out: Vec<u8>,
    /// What it wrote to standard error.
    pub err: Vec<u8>,
}

impl Running {
    /// Starts a program without standard input.
    pub fn start(command: &mut Command) -> Outcome<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .context(|| format!("cannot start {name}"))?;
        let (sender, pieces) = channel();
        if let Some(out) = child.stdout.take() {
            forward(out, Stream::Out, sender.clone());
        }
        if let Some(err) = child.stderr.take() {
            forward(err, Stream::Err, sender);
        }
        Ok(Self { child, name, pieces })
    }

    /// The process's id, which is its group's too.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits at most `patience` for the next thing it does.
    pub fn next(&self, patience: Duration) -> Event {
        match self.pieces.recv_timeout(patience) {
            Ok((stream, bytes)) => Event::Wrote(stream, bytes),
            Err(RecvTimeoutError::Timeout) => Event::Quiet,
            Err(RecvTimeoutError::Disconnected) => Event::Closed,
        }
    }

    /// Processor time that it has used by itself, without that of what it started.
    pub fn processor_time(&self) -> Option<Duration> {
        processor_time(&std::fs::read_to_string(format!("/proc/{}/stat", self.id())).ok()?)
    }

    /// How it ended, once it closed its output.
    pub fn wait(mut self) -> Outcome<ExitStatus> {
        match self.ended_within(GRACE)? {
            Some(status) => Ok(status),
            None => {
                let name = self.name.clone();
                self.kill();
                Err(Failure::new(format!("{name} closed its output and did not end")))
            }
        }
    }

    /// Kills it and all that it started, and waits a little: what hangs in the kernel does not end, and is left.
    pub fn kill(mut self) {
        // `kill` is a shell's own command, so this needs no program that a small machine may lack.
        let group = format!("kill -KILL -- -{}", self.child.id());
        let _ = Command::new("sh").args(["-c", &group]).stderr(Stdio::null()).status();
        let _ = self.child.kill();
        let _ = self.ended_within(GRACE);
    }

    fn ended_within(&mut self, limit: Duration) -> Outcome<Option<ExitStatus>> {
        let start = Instant::now();
        loop {
            let status = self.child.try_wait().context(|| format!("cannot wait for {}", self.name))?;
            if status.is_some() || start.elapsed() > limit {
                return Ok(status);
            }
            thread::sleep(Duration::from_millis(10));
        }
    }
}

/// Runs a program to its end and returns what it wrote; `None` where it took longer than `limit` and was killed.
pub fn run(command: &mut Command, limit: Duration) -> Outcome<Option<Finished>> {
    let running = Running::start(command)?;
    let end = Instant::now() + limit;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    loop {
        match running.next(end.saturating_duration_since(Instant::now())) {
            Event::Wrote(Stream::Out, bytes) => out.extend(bytes),
            Event::Wrote(Stream::Err, bytes) => err.extend(bytes),
            Event::Quiet => {
                running.kill();
                return Ok(None);
            }
            Event::Closed => {
                return Ok(Some(Finished { status: running.wait()?, out, err }));
            }
        }
    }
}

/// Runs a program that has to succeed, and returns what it wrote to standard output.
pub fn must(command: &mut Command, limit: Duration) -> Outcome<String> {
    let name = shown(command);
    match run(command, limit)? {
        None => Err(Failure::new(format!("{name}: not done after {} s", limit.as_secs()))),
        Some(done) if !done.status.success() => {
            // What is wrong stands in one of the two.
            let text = String::from_utf8_lossy(&[done.err, done.out].concat()).into_owned();
            Err(Failure::new(format!("{name}: {}: {}", done.status, text.trim())))
        }
        Some(done) => Ok(String::from_utf8_lossy(&done.out).into_owned()),
    }
}

/// Writes `input` to a program that has to succeed, and returns what it wrote.
pub fn filter(command: &mut Command, input: Vec<u8>) -> Outcome<Vec<u8>> {
    let name = shown(command);
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context(|| format!("cannot start {name}"))?;
    let stdin = child.stdin.take();
    // A program that has seen enough closes its input; its exit status is what counts.
    let writer = thread::spawn(move || stdin.map(|mut pipe| pipe.write_all(&input)));
    let done = child.wait_with_output().context(|| name.clone())?;
    let _ = writer.join();
    match done.status.success() {
        true => Ok(done.stdout),
        false => Err(Failure::new(format!("{name}: {}", done.status))),
    }
}

/// The cargo that runs this, in the repository's folder.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(crate::root());
    command
}

/// Whether a program of this name is on the path.
pub fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}

/// Both times of a line of `/proc/PID/stat` (`proc_pid_stat(5)`), whose ticks are hundredths of a second for whoever reads them.
fn processor_time(line: &str) -> Option<Duration> {
    // The name before may have blanks and brackets in it.
    let (_, behind) = line.rsplit_once(')')?;
    let mut times = behind.split_whitespace().skip(11).map(str::parse::<u64>);
    let (user, system) = (times.next()?.ok()?, times.next()?.ok()?);
    Some(Duration::from_millis((user + system) * 10))
}

fn shown(command: &Command) -> String {
    let words: Vec<_> = [command.get_program()].into_iter().chain(command.get_args()).collect();
    words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

fn forward(mut pipe: impl Read + Send + 'static, stream: Stream, sender: Sender<(Stream, Vec<u8>)>) {
    thread::spawn(move || {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = pipe.read(&mut buffer) {
            if sender.send((stream, buffer[..length].to_vec())).is_err() {
                return;
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(line: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        command
    }

    #[test]
    fn both_streams_and_the_status_come_back() {
        let done = run(&mut shell("echo a; echo b >&2; exit 3"), GRACE).expect("sh starts").expect("sh ends");
        assert_eq!((done.out.as_slice(), done.err.as_slice()), (&b"a\n"[..], &b"b\n"[..]));
        assert_eq!(done.status.code(), Some(3));
    }

    #[test]
    fn what_takes_too_long_is_killed_with_its_children() {
        let start = Instant::now();
        let done = run(&mut shell("sleep 60 & sleep 60"), Duration::from_millis(100)).expect("sh starts");
        assert!(done.is_none());
        assert!(start.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_failure_names_the_command_and_what_it_said() {
        let failure = must(&mut shell("echo no >&2; exit 1"), GRACE).expect_err("exit 1");
        assert!(failure.to_string().starts_with("sh -c echo no"), "{failure}");
        assert!(failure.to_string().ends_with(": no"), "{failure}");
    }

    #[test]
    fn processor_time_is_that_of_user_and_system() {
        let line = "42 (a (b) c) S 1 42 42 0 -1 4194560 9 8 7 6 150 25 3 4 20 0 1 0 100";
        assert_eq!(processor_time(line), Some(Duration::from_millis(1750)));
        assert_eq!(processor_time("42 (cut"), None);
        let running = Running::start(&mut shell("while :; do :; done")).expect("sh starts");
        let start = Instant::now();
        while running.processor_time() < Some(Duration::from_millis(20)) {
            assert!(start.elapsed() < Duration::from_secs(30));
        }
        running.kill();
    }

    #[test]
    fn a_filter_returns_what_it_made_of_its_input() {
        assert_eq!(filter(&mut Command::new("cat"), vec![7; 100_000]).expect("cat").len(), 100_000);
    }
}
