//! What the codec's functions take of the stack: the compiler tells each function's own frame, the linked program which calls
//! which; so the most that a call can take is known without running anything.
//!
//! The program is `everything` of `benches/agent`, optimised as a release is, with all of the codec in it and the instances of
//! generic functions that it makes. Frames are as the compiler states them (`-Z emit-stack-sizes`); of the core library, which
//! comes compiled, they are read off the code. A call costs its return address, too. Where functions call each other in a circle
//! the codec counts the rounds ([`Circle`]). A call through a table may be of any function there.

mod program;
mod public;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use ringlink_codec::table::{Layout, Shape};

use super::folder;
use crate::audit::walk::Tables;
use crate::failure::{Failure, Outcome};
use crate::{nightly, process};
use program::{Kind, Program};

/// What reading and writing may take, in bytes: a third of what the agent has in all.
const READING: u64 = 5 * 1024;

/// What the compiler of socket filters may take, which reads parentheses within parentheses.
const FILTERS: u64 = 16 * 1024;

/// What printing may take, which goes as deep as attributes do.
const PRINTING: u64 = 28 * 1024;

/// What a call puts on the stack.
const RETURN: u64 = 8;

/// The processor: the one whose code is read.
const TARGET: &str = "x86_64-unknown-linux-gnu";

/// Functions that call each other in a circle, by one of them, and how often they can go around.
struct Circle {
    member: &'static str,
    rounds: u64,
    why: &'static str,
}

/// Builds the program and adds up; fails where something is over its bar, or goes in a circle that nothing bounds.
pub fn run() -> Outcome {
    if !process::exists("objdump") || !process::exists("nm") || std::env::consts::ARCH != "x86_64" {
        println!("skipped: the stack of functions: needs objdump and nm (binutils), on x86-64");
        return Ok(());
    }
    nightly::install(&[])?;
    let program = Program::read(&build()?)?;
    let nest = nest();
    let circles = [
        Circle {
            member: "::print::Printer>::value",
            rounds: 17,
            why: "attributes 16 deep, and what is deeper as bytes",
        },
        Circle {
            member: "::print::Printer>::plain",
            rounds: nest,
            why: "structs and arrays in each other, by the tables",
        },
        Circle { member: "::print::Printer>::message", rounds: 2, why: "a refusal and the request that it repeats" },
        Circle { member: "::diag::filter::Parser>::term", rounds: 33, why: "`diag::filter::DEPTH`" },
        Circle { member: "::table::shape::Shape>::is", rounds: nest, why: "payloads within payloads, by the tables" },
        Circle { member: "core::", rounds: 1, why: "of a panic, which does not return" },
    ];
    // What stands in tables calls through none, so two passes do.
    let (reading, printing) = through(&program, &Bounds::of(&program, &circles, 0)?)?;
    let bounds = Bounds::of(&program, &circles, reading)?;
    table(&program, &bounds)?;
    for line in &bounds.circles {
        println!("circle: {line}");
    }
    let calls = program.functions.values().filter(|one| one.indirect > 0 && one.kind != Kind::Prints).count();
    println!("{calls} functions that read, write or compile filters call through tables: at most {reading} bytes more");
    println!(
        "what prints calls core::fmt, which calls through tables: at most {printing} bytes more for each value in another"
    );
    println!("not counted: the caller's own closures, its writer, its names of ports");
    verdict(&program, &bounds)
}

/// The program, with the codec's dead code in it, and without what would be jumps through tables.
fn build() -> Outcome<PathBuf> {
    let flags = [
        "-Zemit-stack-sizes",
        "-Zplt=yes",
        "-Clink-dead-code",
        "-Cjump-tables=no",
        "-Csymbol-mangling-version=v0",
        "-Clink-arg=--no-gc-sections",
        // What panics calls what there is not.
        "-Clink-arg=--unresolved-symbols=ignore-all",
    ];
    let place = folder("stack");
    let mut command =
        nightly::cargo(&["build", "--release", "--locked", "--quiet", "--bin", "everything", "--target", TARGET]);
    command.current_dir(crate::root().join("benches/agent")).env("CARGO_TARGET_DIR", &place);
    command.arg("--config").arg(format!("build.rustflags={flags:?}"));
    for setting in ["lto=\"off\"", "opt-level=3", "strip=\"none\""] {
        command.arg("--config").arg(format!("profile.release.{setting}"));
    }
    process::must(&mut command, Duration::from_secs(1200))?;
    Ok(place.join(TARGET).join("release/everything"))
}

/// The worst function that may be called through a table: by what reads, and by what prints. The codec's tables hold functions of
/// its own.
fn through(program: &Program, flat: &Bounds) -> Outcome<(u64, u64)> {
    let (mut reading, mut printing) = (0, 0);
    for start in program.in_tables() {
        let (one, bytes) = (&program.functions[&start], RETURN + flat.bytes[&start]);
        let codec = one.names.iter().any(|name| name.contains("ringlink_codec"));
        match one.kind {
            Kind::Prints if !flat.loops.contains(&start) => printing = printing.max(bytes),
            Kind::Reads if codec && flat.indirect.contains(&start) => {
                return Err(Failure::new(format!("{} stands in a table and calls through one", one.name())));
            }
            Kind::Reads if codec => reading = reading.max(bytes),
            _ => {}
        }
    }
    Ok((reading, printing))
}

/// How deep structs, arrays and lists stand in each other, in all tables.
fn nest() -> u64 {
    fn layout(of: &Layout) -> u64 {
        1 + of.fields.iter().map(|field| shape(field.shape)).max().unwrap_or(0)
    }
    fn shape(of: Shape) -> u64 {
        match of {
            Shape::Array(of, _) | Shape::Packed(of, _) | Shape::Indexed(of) | Shape::Many(of) | Shape::Named(_, of) => {
                1 + shape(*of)
            }
            Shape::Followed(header, of, _) => layout(header).max(1 + shape(*of)),
            Shape::Record(of) | Shape::Prefixed(of) | Shape::Keyed(of) => layout(of),
            _ => 1,
        }
    }
    let tables = Tables::gather();
    let rows = tables.spaces.iter().flat_map(|space| space.rows().map(|row| shape(row.shape)));
    let choices = tables.choices.iter().flat_map(|(table, _)| table.rows.iter().map(|row| shape(row.shape)));
    rows.chain(choices).chain(tables.layouts.iter().map(|one| layout(one))).max().unwrap_or(0)
}

/// The most that a call of each function takes, by its start.
#[derive(Default)]
struct Bounds {
    bytes: BTreeMap<u64, u64>,
    /// Those that call through a table, themselves or by what they call.
    indirect: BTreeSet<u64>,
    /// Those that get into a circle of the codec.
    loops: BTreeSet<u64>,
    /// The circles, in words.
    circles: Vec<String>,
}

/// Tarjan's way through the calls: functions that call each other come out together, and after what else they call.
struct Visit<'a> {
    program: &'a Program,
    circles: &'a [Circle],
    /// What a call through a table takes, but for one of what prints.
    in_table: u64,
    bounds: Bounds,
    /// The order in which functions were met, and the first that each leads back to.
    met: BTreeMap<u64, usize>,
    back: BTreeMap<u64, usize>,
    open: Vec<u64>,
}

impl Bounds {
    fn of(program: &Program, circles: &[Circle], in_table: u64) -> Outcome<Self> {
        let (met, back, open) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
        let mut visit = Visit { program, circles, in_table, bounds: Self::default(), met, back, open };
        program.functions.keys().try_for_each(|start| visit.function(*start))?;
        Ok(visit.bounds)
    }
}

impl Visit<'_> {
    fn function(&mut self, start: u64) -> Outcome {
        if self.met.contains_key(&start) {
            return Ok(());
        }
        let number = self.met.len();
        self.met.insert(start, number);
        self.back.insert(start, number);
        self.open.push(start);
        let program = self.program;
        for callee in program.functions[&start].callees() {
            self.function(*callee)?;
            if !self.bounds.bytes.contains_key(callee) {
                let back = self.back[callee].min(self.back[&start]);
                self.back.insert(start, back);
            }
        }
        if self.back[&start] < number {
            return Ok(());
        }
        let place = self.open.iter().position(|open| *open == start).unwrap_or(0);
        let members = self.open.split_off(place);
        self.close(&members)
    }

    /// Adds up for functions that call each other, or for one; what they call beside is done.
    fn close(&mut self, members: &[u64]) -> Outcome {
        let bounds = &mut self.bounds;
        let (mut frame, mut round, mut circle) = (0, 0, members.len() > 1);
        // What is called with the frame on the stack, and what is jumped to when it is gone.
        let (mut below, mut instead) = (0, 0);
        for member in members {
            let one = &self.program.functions[member];
            let worst = |set: &BTreeSet<u64>| set.iter().filter_map(|callee| bounds.bytes.get(callee)).max().copied();
            frame = frame.max(one.frame);
            round += one.frame + RETURN;
            circle |= one.calls.contains(member);
            below = below.max(worst(&one.calls).map_or(0, |bytes| RETURN + bytes));
            instead = instead.max(worst(&one.jumps).unwrap_or(0));
            if one.indirect > 0 && one.kind != Kind::Prints {
                below = below.max(self.in_table);
            }
            if one.indirect > 0 || one.callees().any(|callee| bounds.indirect.contains(callee)) {
                bounds.indirect.insert(*member);
            }
            if one.callees().any(|callee| bounds.loops.contains(callee)) {
                bounds.loops.insert(*member);
            }
        }
        let mut bytes = (frame + below).max(instead);
        if circle {
            let names: Vec<&str> = members.iter().map(|member| self.program.functions[member].name()).collect();
            let known = |circle: &&Circle| names.iter().any(|name| name.contains(circle.member));
            let Some(Circle { rounds, why, .. }) = self.circles.iter().find(known) else {
                return Err(Failure::new(format!("a circle of calls without a bound: {}", names.join(", "))));
            };
            bytes = rounds * round + below.max(instead);
            if !names.iter().all(|name| name.starts_with("core::")) {
                bounds.loops.extend(members);
                bounds.circles.push(format!("{rounds} times {round} bytes ({why}): {}", names.join(", ")));
            }
        }
        bounds.bytes.extend(members.iter().map(|member| (*member, bytes)));
        Ok(())
    }
}

/// Prints the public functions by module, and how many of them stand in the program by themselves.
fn table(program: &Program, bounds: &Bounds) -> Outcome {
    let public = public::functions(&folder("stack"))?;
    let mut found = BTreeMap::<(&str, &str), (u64, u64)>::new();
    for (start, one) in &program.functions {
        for key in one.names.iter().map(|name| public::key(name)) {
            if let Some((key, _)) = public.get_key_value(&key) {
                let row = found.entry(public::module_and_name(key)).or_default();
                *row = (row.0.max(one.frame), row.1.max(bounds.bytes[start]));
            }
        }
    }
    let mut last = "";
    println!("bytes of stack: the function's own, and with all that it calls");
    for ((module, name), (own, whole)) in found.iter().filter(|(_, (_, whole))| *whole > 0) {
        if last != *module {
            println!("{module}");
            last = module;
        }
        println!("{own:7} {whole:7}  {name}");
    }
    let nothing = found.values().filter(|(_, whole)| *whole == 0).count();
    println!("{} public functions, {} in the program by themselves; {nothing} take nothing", public.len(), found.len());
    let missing = public.iter().filter(|(key, _)| !found.contains_key(&public::module_and_name(key)));
    let (generic, others): (Vec<_>, Vec<_>) = missing.partition(|(_, generic)| **generic);
    println!("{} generic ones are only in what calls them, or were not made: not in the table", generic.len());
    println!("{} others are not in the program", others.len());
    others.iter().take(20).for_each(|(key, _)| println!("    {key}"));
    Ok(())
}

/// The worst of each kind among the codec's functions, public or not, beside its bar.
fn verdict(program: &Program, bounds: &Bounds) -> Outcome {
    let mut over = Vec::new();
    let bars = [
        (Kind::Reads, "reading and writing", READING),
        (Kind::Filters, "compiling filters", FILTERS),
        (Kind::Prints, "printing", PRINTING),
    ];
    for (kind, name, bar) in bars {
        let codec = program.functions.iter().filter(|(_, one)| one.kind == kind && one.is_codec());
        let Some((worst, start)) = codec.map(|(start, _)| (bounds.bytes[start], start)).max() else { continue };
        println!("{name}: at most {worst} bytes of stack, of {bar}: {}", program.functions[start].name());
        if worst > bar {
            over.push(name);
        }
    }
    match over.is_empty() {
        true => Ok(()),
        false => Err(Failure::new(format!("{} may take more of the stack than its bar", over.join(" and ")))),
    }
}

#[cfg(test)]
mod tests {
    use super::program::Function;
    use super::*;

    fn function(name: &str, frame: u64, calls: &[u64], jumps: &[u64]) -> Function {
        let (calls, jumps) = (calls.iter().copied().collect(), jumps.iter().copied().collect());
        Function { names: vec![name.to_owned()], frame, calls, jumps, ..Function::default() }
    }

    fn program(functions: [Function; 3]) -> Program {
        Program { functions: (1..).zip(functions).collect(), ..Program::default() }
    }

    #[test]
    fn a_call_adds_and_a_jump_replaces() {
        let program =
            program([function("a", 16, &[2], &[3]), function("b", 32, &[], &[]), function("c", 40, &[], &[])]);
        let bounds = Bounds::of(&program, &[], 0).expect("no circle");
        assert_eq!(bounds.bytes, BTreeMap::from([(1, 56), (2, 32), (3, 40)]));
    }

    #[test]
    fn a_circle_counts_its_rounds_and_an_unknown_one_fails() {
        let program = program([
            function("x::a", 16, &[2], &[]),
            function("x::b", 8, &[1, 3], &[]),
            function("x::c", 100, &[], &[]),
        ]);
        let circle = Circle { member: "x::b", rounds: 3, why: "" };
        let bounds = Bounds::of(&program, &[circle], 0).expect("a known circle");
        assert_eq!(bounds.bytes[&1], 3 * (24 + 16) + 108);
        assert!(Bounds::of(&program, &[], 0).is_err());
    }

    #[test]
    fn tables_do_not_nest_for_ever() {
        assert!((2..10).contains(&nest()), "{}", nest());
    }
}
