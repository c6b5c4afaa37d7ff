//! Rounds: in each, everybody takes one turn after the other; the next round begins with another. What else the machine
//! does in a round hits all of them, so each is compared with the floor of its own round.

use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::Outcome;
use crate::library;
use crate::record::{Record, Row, load};
use crate::worker::{Measured, Task, Worker};

/// How benches are run.
#[derive(Clone, Debug)]
pub struct Options {
    /// Sizes and rounds are divided by this.
    pub scale: u32,
    /// Where the results go.
    pub out: PathBuf,
    /// The program `ringlink`, where it takes part.
    pub program: Option<PathBuf>,
    /// The program that takes part for libmnl, where it was compiled.
    pub mnl: Option<PathBuf>,
}

impl Options {
    /// A size of a table.
    pub fn size(&self, full: u32) -> u32 {
        (full / self.scale).max(10)
    }

    fn rounds(&self, full: usize) -> usize {
        (full / self.scale.max(1) as usize).max(3)
    }
}

/// Who takes part.
#[derive(Clone, Debug)]
pub enum Entrant {
    /// A library in a worker of this program, by the name that [`library::open`] knows.
    Library(&'static str),
    /// The program that takes part for libmnl.
    Mnl,
    /// `ip` with these arguments, started anew for each turn.
    Ip(Vec<String>),
    /// The program `ringlink` with these arguments, started anew for each turn.
    Program(Vec<String>),
}

impl Entrant {
    fn name(&self) -> String {
        match self {
            Entrant::Library(name) => (*name).to_owned(),
            Entrant::Mnl => "libmnl".to_owned(),
            Entrant::Ip(words) => format!("ip {}", shown(words)),
            Entrant::Program(words) => format!("ringlink {}", shown(words)),
        }
    }
}

/// Arguments as results show them: files by their names alone.
fn shown(words: &[String]) -> String {
    let names = words.iter().map(|word| word.rsplit('/').next().unwrap_or(word));
    names.collect::<Vec<_>>().join(" ")
}

/// Which clock a contest is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clock {
    /// The one on the wall: where threads work side by side, or a program is started.
    Wall,
    /// Processor time: where one thread works and never waits, this is what the wall's clock would show on a machine that has
    /// nothing else to do.
    Processor,
}

/// What the parent does around a turn; none of it is measured.
pub trait Stage {
    /// After the worker is ready, before it goes.
    fn before(&mut self) -> Outcome {
        Ok(())
    }

    /// While it goes.
    fn during(&mut self) -> Outcome {
        Ok(())
    }

    /// After it has answered.
    fn after(&mut self) -> Outcome {
        Ok(())
    }
}

/// Nothing is done around a turn.
impl Stage for () {}

/// One comparison.
#[derive(Clone, Debug)]
pub struct Contest {
    /// The name of its files.
    pub name: &'static str,
    /// What is done, with its size.
    pub title: String,
    /// What there are [`count`](Contest::count) of.
    pub unit: &'static str,
    /// How many units a turn is about.
    pub count: u32,
    /// What decides.
    pub clock: Clock,
    /// What each worker does.
    pub task: Task,
    /// Who takes part; the first is the floor that the others are compared with.
    pub entrants: Vec<Entrant>,
    /// Rounds that count; one more comes before.
    pub rounds: usize,
    /// What a reader has to know to read the figures right.
    pub remark: &'static str,
}

/// One entrant while the contest lasts.
struct Lane {
    name: String,
    entrant: Entrant,
    worker: Option<Worker>,
    turns: Vec<Measured>,
    memory: u64,
    failure: Option<String>,
}

impl Contest {
    /// Runs all rounds, writes the result's file, returns it.
    ///
    /// # Errors
    ///
    /// Where the floor fails or the stage does; others that fail are out and their row says why.
    pub fn run(self, options: &Options, stage: &mut dyn Stage) -> Outcome<Record> {
        let mut lanes: Vec<Lane> =
            self.entrants.iter().filter_map(|entrant| lane(entrant, &self.task, options)).collect();
        let rounds = options.rounds(self.rounds);
        let load = load();
        for round in 0..=rounds {
            for turn in 0..lanes.len() {
                let at = (round + turn) % lanes.len();
                let lane = &mut lanes[at];
                if lane.failure.is_some() {
                    continue;
                }
                match lane.turn(options, stage) {
                    // The first round warms up: rings are made, pages are touched.
                    Ok(_) if round == 0 => {}
                    Ok(measured) => lane.turns.push(measured),
                    Err(error) if at == 0 => return Err(error),
                    Err(error) => {
                        lane.failure = Some(error.to_string());
                        lane.worker = None;
                        stage.after()?;
                    }
                }
            }
        }
        for lane in &mut lanes {
            if let Some(worker) = lane.worker.take() {
                lane.memory = worker.end()?;
            }
        }
        let record = self.record(&lanes, rounds, load);
        record.write(&options.out)?;
        Ok(record)
    }

    fn record(self, lanes: &[Lane], rounds: usize, load: f64) -> Record {
        let deciding = |measured: &Measured| match self.clock {
            Clock::Wall => measured.wall,
            Clock::Processor => measured.processor,
        };
        let floor: Vec<f64> = lanes.first().map(|lane| lane.turns.iter().map(deciding).collect()).unwrap_or_default();
        let rows = lanes.iter().map(|lane| {
            let times: Vec<f64> = lane.turns.iter().map(deciding).collect();
            let ratios: Vec<f64> = times.iter().zip(&floor).map(|(time, floor)| time / floor).collect();
            let last = lane.turns.last().copied().unwrap_or_default();
            Row {
                name: lane.name.clone(),
                wall: median(lane.turns.iter().map(|measured| measured.wall)),
                processor: median(lane.turns.iter().map(|measured| measured.processor)),
                low: quantile(&times, 0.25),
                high: quantile(&times, 0.75),
                ratio: median(ratios),
                items: last.tally.items,
                sum: last.tally.sum,
                allocations: last.allocations,
                memory: lane.memory,
                failure: lane.failure.clone(),
            }
        });
        Record {
            name: self.name.to_owned(),
            title: self.title,
            unit: self.unit.to_owned(),
            count: u64::from(self.count),
            clock: if self.clock == Clock::Wall { "wall" } else { "processor" }.to_owned(),
            rounds: rounds as u64,
            remark: self.remark.to_owned(),
            load,
            rows: rows.collect(),
        }
    }
}

fn lane(entrant: &Entrant, task: &Task, options: &Options) -> Option<Lane> {
    let name = entrant.name();
    let worker = match entrant {
        Entrant::Library(name) if library::exists(name) => {
            let mut command = Command::new(std::env::current_exe().ok()?);
            command.args(["worker", name, &task.to_string()]);
            Some(Worker::start(command))
        }
        Entrant::Library(_) => return None,
        Entrant::Mnl => {
            let mut command = Command::new(options.mnl.as_ref()?);
            command.args(task.to_string().split(' '));
            Some(Worker::start(command))
        }
        Entrant::Ip(_) => None,
        Entrant::Program(_) if options.program.is_some() => None,
        Entrant::Program(_) => return None,
    };
    let (worker, failure) = match worker.transpose() {
        Ok(worker) => (worker, None),
        Err(error) => (None, Some(error.to_string())),
    };
    Some(Lane { name, entrant: entrant.clone(), worker, turns: Vec::new(), memory: 0, failure })
}

impl Lane {
    fn turn(&mut self, options: &Options, stage: &mut dyn Stage) -> Outcome<Measured> {
        let program = match &self.entrant {
            Entrant::Ip(words) => Some((Path::new("ip"), words)),
            Entrant::Program(words) => options.program.as_deref().map(|program| (program, words)),
            _ => None,
        };
        let measured = match (&mut self.worker, program) {
            (Some(worker), _) => {
                worker.prepare()?;
                stage.before()?;
                worker.go()?;
                stage.during()?;
                worker.answer()?
            }
            (None, Some((program, words))) => {
                stage.before()?;
                run(program, words)?
            }
            (None, None) => return Err("nobody is there to take the turn".into()),
        };
        stage.after()?;
        Ok(measured)
    }
}

/// Runs a program whose output nobody reads. Its memory is not told: what the kernel keeps of it begins with what its
/// parent had.
fn run(program: &Path, words: &[String]) -> Outcome<Measured> {
    let start = Instant::now();
    let child = Command::new(program).args(words).stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
    let mut status = 0;
    // SAFETY: all zeros is a usage of nothing.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to locals. The child is not waited for by anybody else.
    let waited = unsafe { libc::wait4(i32::try_from(child.id())?, &raw mut status, 0, &raw mut usage) };
    let wall = start.elapsed().as_secs_f64();
    let status = ExitStatus::from_raw(status);
    if waited < 0 || !status.success() {
        return Err(format!("{} {}: {status}", program.display(), shown(words)).into());
    }
    let seconds = |time: libc::timeval| {
        Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_usec).unwrap_or(0) * 1000)
    };
    let processor = (seconds(usage.ru_utime) + seconds(usage.ru_stime)).as_secs_f64();
    Ok(Measured { wall, processor, ..Measured::default() })
}

/// The median; not a number where there are none.
pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile(&values.into_iter().collect::<Vec<_>>(), 0.5)
}

fn quantile(values: &[f64], part: f64) -> f64 {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().saturating_sub(1) as f64;
    values.get((last * part).round() as usize).copied().unwrap_or(f64::NAN)
}
