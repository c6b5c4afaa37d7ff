//! The live benches. `live run NAME`, run by `cargo xtask bench`; `live list` names them. `live worker` and
//! `live repeat` are what `live` starts itself.
//!
//! Options of `run`: `--scale N` divides sizes and rounds, `--out FOLDER`, `--ringlink PROGRAM`, `--mnl PROGRAM`.

use std::path::PathBuf;

use ringlink_benches::contest::Options;
use ringlink_benches::measure::{Counting, memory};
use ringlink_benches::{Outcome, costs, worker, workload};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["list"] => workload::ALL.iter().for_each(|(name, _)| println!("{name}")),
        ["run", name, ref rest @ ..] => {
            let found = workload::ALL.iter().find(|(known, _)| *known == name);
            let (_, run) = found.ok_or_else(|| format!("no workload is named {name}"))?;
            print!("{}", run(&options(rest)?)?);
        }
        ["costs", ref rest @ ..] => costs::print(&options(rest)?)?,
        ["worker", name, task] => worker::serve(name, &task.parse()?)?,
        ["repeat", name, task, times] => {
            let idle = memory("VmHWM");
            let measured = worker::repeat(name, &task.parse()?, times.parse()?)?;
            let worker::Measured { tally, allocations, .. } = measured;
            let beyond = memory("VmHWM").saturating_sub(idle);
            println!("items={} sum={} allocations={allocations} memory={beyond}", tally.items, tally.sum);
        }
        _ => return Err("usage: live run NAME | list | costs".into()),
    }
    Ok(())
}

fn options(words: &[&str]) -> Outcome<Options> {
    let mut options = Options { scale: 1, out: PathBuf::from("results"), program: None, mnl: None };
    for pair in words.chunks(2) {
        match pair {
            ["--scale", scale] => options.scale = scale.parse()?,
            ["--out", folder] => options.out = PathBuf::from(folder),
            ["--ringlink", program] => options.program = Some(PathBuf::from(program)),
            ["--mnl", program] => options.mnl = Some(PathBuf::from(program)),
            _ => return Err(format!("no option is named {}", pair.join(" ")).into()),
        }
    }
    Ok(options)
}
