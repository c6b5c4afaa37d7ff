//! What does not drift between two runs of the same build: user instructions, allocations, system calls, code size.
//!
//! Each figure is a line, `NAME VALUE`; what cannot be had here is a line that begins with `skipped:`. `cargo xtask
//! bench --gate` holds the figures against `limits.txt`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use serde_json::json;

use crate::capture::Work;
use crate::contest::Options;
use crate::object::Object;
use crate::worker::Task;
use crate::{Outcome, library, measure, record, scene};

/// Routes in the table of the figures about dumps.
const ROUTES: u32 = 20_000;

/// How many look-ups a figure is the mean of.
const LOOK_UPS: u32 = 1_000;

/// How often a captured message is worked on for one figure.
const TIMES: u64 = 50;

/// A figure that is the difference of two counts, divided.
struct Figure {
    name: String,
    program: PathBuf,
    less: Vec<String>,
    more: Vec<String>,
    /// What the difference is divided by.
    by: u64,
}

/// Prints every figure; writes them into the results as well.
///
/// # Errors
///
/// Where something that is there fails.
pub fn print(options: &Options) -> Outcome {
    let here = std::env::current_exe()?;
    let folder = here.parent().map(PathBuf::from).unwrap_or_default();
    let mut figures = Vec::new();
    let valgrind = measure::exists("valgrind");
    if valgrind {
        figures.extend(counted(codec(&folder.join("codec")))?);
    } else {
        println!("skipped: instructions: valgrind is not installed");
    }
    match scene::enter().and_then(|()| scene::add_routes(0..ROUTES)) {
        Err(error) => println!("skipped: dumps: no namespace with routes can be made: {error}"),
        Ok(()) => {
            let subjects = subjects(&here, options);
            if valgrind {
                figures.extend(counted(live(&subjects))?);
            }
            for subject in &subjects {
                figures.extend(calls(subject)?);
            }
        }
    }
    figures.extend(size(&folder)?);
    for (name, value) in &figures {
        println!("{name} {value}");
    }
    fs::create_dir_all(&options.out)?;
    let rows: serde_json::Map<_, _> = figures.into_iter().map(|(name, value)| (name, value.into())).collect();
    let value = json!({ "figures": rows, "environment": record::environment() });
    Ok(fs::write(options.out.join("costs.json"), format!("{value:#}\n"))?)
}

/// Instructions of the codec for each captured message. Those of reading come without what finding the message's body
/// takes, which is a figure of its own (`nothing`).
fn codec(program: &Path) -> Vec<Figure> {
    let words =
        |object: &str, work: Work, times: u64| vec![object.to_owned(), work.word().to_owned(), times.to_string()];
    let objects = ["plain"].into_iter().chain(Object::ALL.map(Object::word));
    let each = objects.flat_map(|object| Work::ALL.map(|work| (object, work)));
    each.map(|(object, work)| {
        let messages = object.parse().map_or(1, |object| crate::capture::messages(object).len() as u64);
        let less = match work {
            Work::Keys | Work::View => words(object, Work::Nothing, TIMES),
            Work::Nothing | Work::Build | Work::Tree | Work::Json => words(object, work, 0),
        };
        Figure {
            name: format!("codec/{object}/{}/instructions", work.word()),
            program: program.to_owned(),
            less,
            more: words(object, work, TIMES),
            by: TIMES * messages,
        }
    })
    .collect()
}

/// Who dumps and looks up: a library in this program, or the program for libmnl.
struct Subject {
    name: &'static str,
    program: PathBuf,
}

impl Subject {
    /// The arguments with which it does a task so often.
    fn words(&self, task: &Task, times: u32) -> Vec<String> {
        let task = task.to_string();
        match self.name {
            "libmnl" => task.split(' ').map(str::to_owned).chain([times.to_string()]).collect(),
            name => vec!["repeat".to_owned(), name.to_owned(), task, times.to_string()],
        }
    }
}

fn subjects(here: &Path, options: &Options) -> Vec<Subject> {
    let names = [
        "bare recv",
        "ringlink syscall",
        "ringlink ring",
        "ringlink batched",
        "ringlink tiny",
        "netlink-socket2",
        "neli",
        "nlink",
        "rtnetlink",
    ];
    let libraries = names.into_iter().filter(|name| library::exists(name));
    let libraries = libraries.map(|name| Subject { name, program: here.to_owned() });
    let mnl = options.mnl.iter().map(|program| Subject { name: "libmnl", program: program.clone() });
    libraries.chain(mnl).collect()
}

/// User instructions for each route of a dump, for each look-up.
fn live(subjects: &[Subject]) -> Vec<Figure> {
    let tasks = [
        ("routes", Task::Dump(Object::Route), u64::from(ROUTES)),
        ("look-ups", Task::LookUp(LOOK_UPS), u64::from(LOOK_UPS)),
    ];
    let each = tasks.iter().flat_map(|task| subjects.iter().map(move |subject| (task, subject)));
    each.map(|((what, task, count), subject)| Figure {
        name: format!("{what}/{}/instructions", subject.name),
        program: subject.program.clone(),
        less: subject.words(task, 1),
        more: subject.words(task, 2),
        by: *count,
    })
    .collect()
}

/// Counts with as many callgrinds at a time as there are processors.
fn counted(figures: Vec<Figure>) -> Outcome<Vec<(String, u64)>> {
    let left = Mutex::new(figures.into_iter().enumerate());
    let done = Mutex::new(Vec::new());
    let work = || {
        loop {
            let next = left.lock().map_or(None, |mut left| left.next());
            let Some((at, figure)) = next else { return };
            let count = |words: &[String]| measure::instructions(&figure.program, words);
            let value = count(&figure.less).and_then(|less| Ok(count(&figure.more)?.saturating_sub(less)));
            let value =
                value.map(|value| value.div_ceil(figure.by)).map_err(|error| format!("{}: {error}", figure.name));
            if let Ok(mut done) = done.lock() {
                done.push((at, figure.name.clone(), value));
            }
        }
    };
    std::thread::scope(|scope| {
        (1..std::thread::available_parallelism().map_or(1, usize::from)).for_each(|_| drop(scope.spawn(work)));
        work();
    });
    let mut done = done.into_inner().map_err(|_| "a thread panicked")?;
    done.sort_unstable_by_key(|(at, _, _)| *at);
    Ok(done.into_iter().map(|(_, name, value)| Ok((name, value?))).collect::<Result<_, String>>()?)
}

/// System calls, allocations and memory of one dump; system calls of so many look-ups.
fn calls(subject: &Subject) -> Outcome<Vec<(String, u64)>> {
    let name = subject.name;
    let command = |task: &Task, times: u32| {
        let mut command = Command::new(&subject.program);
        command.args(subject.words(task, times));
        command
    };
    let traced = |task: &Task| -> Outcome<u64> {
        let count = |times| measure::system_calls(command(task, times).stdout(std::process::Stdio::null()));
        Ok(count(2)?.saturating_sub(count(1)?))
    };
    let (dump, look_ups) = (Task::Dump(Object::Route), Task::LookUp(LOOK_UPS));
    let output = command(&dump, 3).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let value = |what: &str| {
        let word = text.split_whitespace().find_map(|word| word.strip_prefix(what)?.strip_prefix('='));
        word.and_then(|word| word.parse().ok()).ok_or_else(|| format!("{name} says {text}, without {what}"))
    };
    Ok(vec![
        (format!("routes/{name}/system-calls"), traced(&dump)?),
        (format!("routes/{name}/allocations"), value("allocations")?),
        (format!("routes/{name}/memory-kib"), value("memory")?),
        (format!("look-ups/{name}/system-calls"), traced(&look_ups)?),
    ])
}

/// What ringlink adds to a program: code and data of one that dumps links and routes, less those of one that does
/// nothing.
fn size(folder: &Path) -> Outcome<Vec<(String, u64)>> {
    let bytes = |name: &str| -> Outcome<u64> {
        let output = Command::new("size").arg(folder.join(name)).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let mut numbers = text.lines().nth(1).unwrap_or_default().split_whitespace().map(str::parse::<u64>);
        match (numbers.next(), numbers.next()) {
            (Some(Ok(code)), Some(Ok(data))) => Ok(code + data),
            _ => Err(format!("size says nothing of {name}").into()),
        }
    };
    if !measure::exists("size") {
        println!("skipped: sizes: size is not installed");
        return Ok(Vec::new());
    }
    let nothing = bytes("sized_nothing")?;
    let added = |name: &str| Ok::<u64, Box<dyn std::error::Error>>(bytes(name)?.saturating_sub(nothing));
    Ok(vec![
        ("size/dump/bytes".to_owned(), added("sized_dump")?),
        ("size/print/bytes".to_owned(), added("sized_print")?),
    ])
}
