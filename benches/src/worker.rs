//! One process for each who takes part, so that memory and processor time are its own.
//!
//! The parent writes a word a line, the worker answers with a line. `prepare` is answered `ready`; `go` does the task
//! once and is answered with what it took, as `name=value` words; the end of input ends the worker, whose last line has
//! the most memory it ever had. A program in another language takes part by speaking the same lines (`c/mnl.c`).

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::str::FromStr;
use std::time::Instant;

use crate::Outcome;
use crate::library::{self, Change, Library, Until};
use crate::measure;
use crate::object::{Object, Tally};

/// The receive buffer of who waits for events, in bytes as the kernel accounts them: room for 100,000 events.
pub const EVENT_BUFFER: i32 = 256 << 20;

/// What a worker does each time it is told to go. Its words are its command line.
#[derive(Clone, Debug)]
pub enum Task {
    /// Dump this.
    Dump(Object),
    /// Open, dump this, close.
    DumpOnce(Object),
    /// Dump all routes, and do so many passes of work for each.
    DumpHeavily(u32),
    /// Receive so many events that are queued already.
    Drain(u64),
    /// Receive events until the last.
    Follow,
    /// Look up so many addresses.
    LookUp(u32),
    /// Add and delete these routes, in turns: one is prepared, the other goes.
    Change(Change, u32),
    /// Dump everything in the namespaces whose files these are; without spaces in their names.
    Namespaces(Vec<PathBuf>),
}

impl fmt::Display for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Task::Dump(object) => write!(f, "dump {}", object.word()),
            Task::DumpOnce(object) => write!(f, "dump-once {}", object.word()),
            Task::DumpHeavily(passes) => write!(f, "dump-heavily {passes}"),
            Task::Drain(count) => write!(f, "drain {count}"),
            Task::Follow => write!(f, "follow"),
            Task::LookUp(count) => write!(f, "look-up {count}"),
            Task::Change(Change::Add, count) => write!(f, "add {count}"),
            Task::Change(Change::Delete, count) => write!(f, "delete {count}"),
            Task::Namespaces(files) => {
                write!(f, "namespaces")?;
                files.iter().try_for_each(|file| write!(f, " {}", file.display()))
            }
        }
    }
}

impl FromStr for Task {
    type Err = Box<dyn std::error::Error>;

    fn from_str(text: &str) -> Outcome<Task> {
        let words: Vec<&str> = text.split(' ').collect();
        Ok(match words[..] {
            ["dump", object] => Task::Dump(object.parse()?),
            ["dump-once", object] => Task::DumpOnce(object.parse()?),
            ["dump-heavily", passes] => Task::DumpHeavily(passes.parse()?),
            ["drain", count] => Task::Drain(count.parse()?),
            ["follow"] => Task::Follow,
            ["look-up", count] => Task::LookUp(count.parse()?),
            ["add", count] => Task::Change(Change::Add, count.parse()?),
            ["delete", count] => Task::Change(Change::Delete, count.parse()?),
            ["namespaces", ref files @ ..] => Task::Namespaces(files.iter().map(PathBuf::from).collect()),
            _ => return Err(format!("no task is named {text}").into()),
        })
    }
}

impl Task {
    /// What has to be done before each time, and is not measured.
    fn prepare(&self, library: &mut dyn Library) -> Outcome {
        match self {
            Task::Drain(_) | Task::Follow => {
                library.listen()?;
                library::enlarge_receive_buffers(EVENT_BUFFER)
            }
            _ => Ok(()),
        }
    }

    fn go(&self, library: &mut dyn Library) -> Outcome<Tally> {
        match self {
            Task::Dump(object) => library.dump(*object),
            Task::DumpOnce(object) => library.dump_once(*object),
            Task::DumpHeavily(passes) => library.dump_heavily(*passes),
            Task::Drain(count) => library.events(Until::Count(*count)),
            Task::Follow => library.events(Until::Last),
            Task::LookUp(count) => library.look_up(0..*count),
            Task::Change(change, count) => library.change(*change, 0..*count),
            Task::Namespaces(files) => library.namespaces(files),
        }
    }
}

/// What one time took.
#[derive(Clone, Copy, Debug, Default)]
pub struct Measured {
    /// Seconds on the clock.
    pub wall: f64,
    /// Seconds of processor time, user and kernel, of all the worker's threads.
    pub processor: f64,
    /// What was read.
    pub tally: Tally,
    /// How often memory was asked for; not known of other languages.
    pub allocations: u64,
}

/// The worker: serves lines from standard input until it ends.
///
/// # Errors
///
/// Where the library fails; the parent sees the end of the output.
pub fn serve(name: &str, task: &Task) -> Outcome {
    let idle = measure::memory("VmHWM");
    let mut library = library::open(name)?;
    for line in std::io::stdin().lock().lines() {
        match line?.as_str() {
            "prepare" => {
                task.prepare(&mut *library)?;
                println!("ready");
            }
            "go" => {
                let (allocations, processor, start) =
                    (measure::allocations(), measure::processor_time(), Instant::now());
                let tally = task.go(&mut *library)?;
                let (wall, processor) = (start.elapsed(), measure::processor_time().saturating_sub(processor));
                println!(
                    "wall={} processor={} items={} sum={} allocations={}",
                    wall.as_secs_f64(),
                    processor.as_secs_f64(),
                    tally.items,
                    tally.sum,
                    measure::allocations() - allocations,
                );
            }
            other => return Err(format!("no word {other}").into()),
        }
    }
    println!("memory={}", measure::memory("VmHWM").saturating_sub(idle));
    Ok(())
}

/// Does a task so often, without talking: for what counts instructions or system calls from outside.
///
/// # Errors
///
/// Where the library fails.
pub fn repeat(name: &str, task: &Task, times: u32) -> Outcome<Measured> {
    let mut library = library::open(name)?;
    let mut measured = Measured::default();
    for _ in 0..times {
        let before = measure::allocations();
        measured.tally = task.go(&mut *library)?;
        measured.allocations = measure::allocations() - before;
    }
    Ok(measured)
}

/// The parent's side of a worker.
pub struct Worker {
    child: Child,
    words: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Worker {
    /// Starts a worker: this program again, or another that speaks the same lines.
    ///
    /// # Errors
    ///
    /// Where it cannot be started.
    pub fn start(mut command: Command) -> Outcome<Worker> {
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let words = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().ok_or("the worker has no output")?);
        Ok(Worker { child, words, answers })
    }

    /// Has it prepare; returns once it is ready.
    ///
    /// # Errors
    ///
    /// Where the worker failed.
    pub fn prepare(&mut self) -> Outcome {
        self.say("prepare")?;
        match self.hear()?.as_str() {
            "ready" => Ok(()),
            other => Err(format!("the worker says {other}").into()),
        }
    }

    /// Has it go, without waiting for its answer.
    ///
    /// # Errors
    ///
    /// Where the worker is gone.
    pub fn go(&mut self) -> Outcome {
        self.say("go")
    }

    /// What it took.
    ///
    /// # Errors
    ///
    /// Where the worker failed.
    pub fn answer(&mut self) -> Outcome<Measured> {
        let line = self.hear()?;
        let value = |name: &str| {
            let word = line.split(' ').find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            word.ok_or_else(|| format!("the worker says {line}, without {name}"))
        };
        Ok(Measured {
            wall: value("wall")?.parse()?,
            processor: value("processor")?.parse()?,
            tally: Tally { items: value("items")?.parse()?, sum: value("sum")?.parse()? },
            allocations: value("allocations")?.parse()?,
        })
    }

    /// Ends it; returns the KiB that it had at most beyond what it started with.
    ///
    /// # Errors
    ///
    /// Where the worker failed.
    pub fn end(mut self) -> Outcome<u64> {
        drop(self.words.take());
        let line = self.hear()?;
        self.child.wait()?;
        Ok(line.strip_prefix("memory=").ok_or("the worker does not tell its memory")?.parse()?)
    }

    fn say(&mut self, word: &str) -> Outcome {
        let words = self.words.as_mut().ok_or("the worker has ended")?;
        Ok(writeln!(words, "{word}")?)
    }

    fn hear(&mut self) -> Outcome<String> {
        let mut line = String::new();
        match self.answers.read_line(&mut line)? {
            0 => Err("the worker ended".into()),
            _ => Ok(line.trim_end().to_owned()),
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // One that still waits for events would wait for ever.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
