//! Results as files: one in JSON for each contest, so that one can be run again without the others.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::Outcome;

/// The result of a contest.
#[derive(Clone, Debug)]
pub struct Record {
    /// The name of its files.
    pub name: String,
    /// What was done, with its size.
    pub title: String,
    /// What there were [`count`](Record::count) of.
    pub unit: String,
    /// How many units a turn was about.
    pub count: u64,
    /// Which clock decides: `wall` or `processor`.
    pub clock: String,
    /// Rounds that counted.
    pub rounds: u64,
    /// What a reader has to know to read the figures right.
    pub remark: String,
    /// The machine's load before the rounds: what else it had to do.
    pub load: f64,
    /// Those who took part; the first is the floor.
    pub rows: Vec<Row>,
}

/// What one of them took; times are medians in seconds.
#[derive(Clone, Debug)]
pub struct Row {
    /// Who.
    pub name: String,
    /// On the wall's clock.
    pub wall: f64,
    /// Of processors.
    pub processor: f64,
    /// The first quartile by the clock that decides.
    pub low: f64,
    /// The third quartile by the clock that decides.
    pub high: f64,
    /// The median of its times divided by the floor's of the same round.
    pub ratio: f64,
    /// Messages read; 0 where nobody counted.
    pub items: u64,
    /// The sum of what was read; 0 where nothing was decoded.
    pub sum: u64,
    /// How often a turn asked for memory.
    pub allocations: u64,
    /// KiB that its process had at most beyond what it began with.
    pub memory: u64,
    /// Why it was out.
    pub failure: Option<String>,
}

impl Row {
    /// The median by the clock that decides.
    pub fn time(&self, clock: &str) -> f64 {
        if clock == "wall" { self.wall } else { self.processor }
    }
}

impl Record {
    /// Writes it into the folder.
    ///
    /// # Errors
    ///
    /// Where the folder cannot be written to.
    pub fn write(&self, folder: &Path) -> Outcome {
        fs::create_dir_all(folder)?;
        let rows = self.rows.iter().map(|row| {
            json!({
                "name": row.name, "wall": row.wall, "processor": row.processor, "low": row.low, "high": row.high,
                "ratio": row.ratio, "items": row.items, "sum": row.sum, "allocations": row.allocations,
                "memory": row.memory, "failure": row.failure,
            })
        });
        let value = json!({
            "name": self.name, "title": self.title, "unit": self.unit, "count": self.count, "clock": self.clock,
            "rounds": self.rounds, "remark": self.remark, "load": self.load, "rows": rows.collect::<Vec<_>>(),
            "environment": environment(),
        });
        Ok(fs::write(folder.join(format!("{}.json", self.name)), format!("{value:#}\n"))?)
    }

    /// Reads one, with the environment it was made in.
    ///
    /// # Errors
    ///
    /// Where there is no such file or it has something else in it.
    pub fn read(path: &Path) -> Outcome<(Record, BTreeMap<String, String>)> {
        let value: Value = serde_json::from_slice(&fs::read(path)?)?;
        let text = |value: &Value, name: &str| value[name].as_str().unwrap_or_default().to_owned();
        let number = |value: &Value, name: &str| value[name].as_u64().unwrap_or_default();
        let rows = value["rows"].as_array().into_iter().flatten().map(|row| {
            let time = |name: &str| row[name].as_f64().unwrap_or(f64::NAN);
            Row {
                name: text(row, "name"),
                wall: time("wall"),
                processor: time("processor"),
                low: time("low"),
                high: time("high"),
                ratio: time("ratio"),
                items: number(row, "items"),
                sum: number(row, "sum"),
                allocations: number(row, "allocations"),
                memory: number(row, "memory"),
                failure: row["failure"].as_str().map(str::to_owned),
            }
        });
        let record = Record {
            name: text(&value, "name"),
            title: text(&value, "title"),
            unit: text(&value, "unit"),
            count: number(&value, "count"),
            clock: text(&value, "clock"),
            rounds: number(&value, "rounds"),
            remark: text(&value, "remark"),
            load: value["load"].as_f64().unwrap_or(f64::NAN),
            rows: rows.collect(),
        };
        let environment = value["environment"].as_object().into_iter().flatten();
        let environment =
            environment.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned()));
        Ok((record, environment.collect()))
    }
}

/// How many processes wanted a processor in the last minute, on the average.
pub fn load() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(f64::NAN)
}

/// The machine, its kernel, the day, and the versions of what was measured.
pub fn environment() -> Value {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let processors = read("/proc/cpuinfo");
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = processors.lines().filter(|line| line.starts_with("processor")).count();
    let version = |program: &str, argument: &str| {
        let output = std::process::Command::new(program).arg(argument).output();
        output.map(|output| String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
    };
    json!({
        "machine": format!("{}, {cores} cores", model.unwrap_or("unknown processor")),
        "kernel": read("/proc/sys/kernel/osrelease").trim(),
        "day": version("date", "-I").unwrap_or_default(),
        "versions": versions(),
        "iproute2": version("ip", "-V").unwrap_or_default(),
        "compiler": version("rustc", "-V").unwrap_or_default(),
    })
}

/// The versions of the other libraries, from the lock file.
fn versions() -> String {
    const NAMES: [&str; 5] = ["rtnetlink", "neli", "netlink-socket2", "netlink-bindings", "nlink"];
    let lock = include_str!("../Cargo.lock");
    let version = |name: &str| {
        let entry = lock.split("[[package]]").find(|entry| entry.contains(&format!("\nname = \"{name}\"\n")))?;
        let version = entry.lines().find_map(|line| line.strip_prefix("version = "))?.trim_matches('"');
        Some(format!("{name} {version}"))
    };
    NAMES.into_iter().filter_map(version).collect::<Vec<_>>().join(", ")
}

/// Seconds as people read them, with three digits that count.
pub fn seconds(time: f64) -> String {
    let (value, unit) = match time {
        time if time >= 1.0 => (time, "s"),
        time if time >= 1e-3 => (time * 1e3, "ms"),
        time if time >= 1e-6 => (time * 1e6, "µs"),
        time => (time * 1e9, "ns"),
    };
    let digits = if value >= 100.0 { 0 } else { 2 - usize::from(value >= 10.0) };
    format!("{value:.digits$} {unit}")
}

/// The record as a table in Markdown.
impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = if self.clock == "wall" { "wall" } else { "processor" };
        writeln!(f, "### {}\n", self.title)?;
        writeln!(
            f,
            "Ratio: {clock} time, to the first row; median of {} rounds, at a load of {:.1}. {}\n",
            self.rounds, self.load, self.remark
        )?;
        writeln!(f, "| | wall | processor | ratio | processor per {} | allocations | memory |", self.unit)?;
        writeln!(f, "|---|--:|--:|--:|--:|--:|--:|")?;
        let reference = self.rows.iter().find(|row| row.sum != 0).map_or((0, 0), |row| (row.items, row.sum));
        for row in &self.rows {
            if let Some(failure) = &row.failure {
                writeln!(f, "| {} | out: {failure} | | | | | |", row.name)?;
                continue;
            }
            let note = match (row.items, row.sum) {
                (_, 0) => String::new(),
                same if same == reference => String::new(),
                (items, _) if items != reference.0 => format!(" ({items} of {})", reference.0),
                _ => " (read something else)".to_owned(),
            };
            // Of a program that is started anew, or is written in C, not all is known.
            let known = |value: u64, unit: &str| if row.memory == 0 { String::new() } else { format!("{value}{unit}") };
            writeln!(
                f,
                "| {}{} | {} | {} | {:.2} | {} | {} | {} |",
                row.name,
                note,
                seconds(row.wall),
                seconds(row.processor),
                row.ratio,
                seconds(row.processor / self.count as f64),
                known(row.allocations, ""),
                known(row.memory, " KiB"),
            )?;
        }
        writeln!(f)
    }
}
