//! The constrained agent (`benches/agent`): what it takes, that nothing in it can panic, and that it runs with a small stack.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::folder;
use crate::failure::{Context, Failure, Outcome};
use crate::process::{self, Event, Running, Stream};

/// The processors it is built for, and the program that runs it here where it is not this one's and there is one that can.
const TARGETS: [(&str, Option<&str>); 5] = [
    ("x86_64-unknown-linux-gnu", None),
    ("aarch64-unknown-linux-gnu", Some("qemu-aarch64-static")),
    ("armv7-unknown-linux-gnueabihf", Some("qemu-arm-static")),
    ("riscv64gc-unknown-linux-gnu", Some("qemu-riscv64-static")),
    // Big-endian. qemu-user does not turn around a message that is a header alone, which the first one is.
    ("s390x-unknown-linux-gnu", None),
];

/// What code and data may take, in bytes. What is zero at the start is the one buffer for datagrams.
const CODE_AND_DATA: u64 = 24 * 1024;

/// What the stack may take, in bytes.
const STACK: u64 = 16 * 1024;

/// What may be resident while it waits, in KiB.
const RESIDENT: u64 = 200;

/// How long it may take to say something.
const PATIENCE: Duration = Duration::from_secs(20);

/// Builds it for all processors and runs it on this one; fails where a figure is over its bar.
pub fn run() -> Outcome {
    let mut wrong = Vec::new();
    super::targets(&TARGETS.map(|(target, _)| target))?;
    for (target, runner) in TARGETS {
        let program = build(target)?;
        measure(target, &program, &mut wrong)?;
        everything(target, &program, &mut wrong)?;
        follow(target, runner, &program, &mut wrong)?;
    }
    wrong.iter().for_each(|line| println!("wrong: {line}"));
    match wrong.len() {
        0 => Ok(()),
        count => Err(Failure::new(format!("the agent: {count} wrong"))),
    }
}

/// A build that links has nothing that panics: the handler calls a function that does not exist.
fn build(target: &str) -> Outcome<PathBuf> {
    let place = folder("agent");
    let mut command = process::cargo();
    command.current_dir(crate::root().join("benches/agent")).env("CARGO_TARGET_DIR", &place);
    command.args(["build", "--release", "--locked", "--quiet", "--target", target]);
    process::must(&mut command, Duration::from_secs(600))?;
    Ok(place.join(target).join("release/ringlink-agent"))
}

/// Its sections, and what its symbols say.
fn measure(target: &str, program: &Path, wrong: &mut Vec<String>) -> Outcome {
    let tool = |name: &str, options: &[&str]| {
        process::must(Command::new(name).args(options).arg(program), Duration::from_secs(60))
    };
    if !process::exists("nm") || !process::exists("size") {
        println!("skipped: the agent's sections and symbols: needs size and nm (binutils)");
        return Ok(());
    }
    let sections: BTreeMap<String, u64> = tool("size", &["-A"])?
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
        })
        .collect();
    let of = |names: &[&str]| names.iter().filter_map(|name| sections.get(*name)).sum::<u64>();
    let (code, constant, data) = (of(&[".text"]), of(&[".rodata"]), of(&[".data", ".got", ".data.rel.ro"]));
    let unwinding = of(&[".eh_frame", ".eh_frame_hdr", ".ARM.exidx", ".ARM.extab"]);
    let taken = code + constant + data + unwinding;
    println!(
        "{target}: {taken} bytes of code and data (code {code}, constants {constant}, data {data}, unwinding {unwinding}), \
         {} of buffer",
        of(&[".bss"])
    );
    if taken > CODE_AND_DATA {
        wrong.push(format!("{target}: {taken} bytes of code and data, at most {CODE_AND_DATA}"));
    }
    let symbols = tool("nm", &["--print-size", "--demangle"])?;
    let panics: Vec<&str> = symbols.lines().filter(|line| line.contains("panic")).collect();
    wrong.extend(panics.iter().map(|line| format!("{target}: {line}")));
    println!("{target}: {} panic symbols; code by crate: {}", panics.len(), by_crate(&symbols));
    Ok(())
}

/// The binary beside it, which calls all that the codec has for reading and writing: that it was linked is what it is for.
fn everything(target: &str, agent: &Path, wrong: &mut Vec<String>) -> Outcome {
    let program = agent.with_file_name("everything");
    if process::exists("nm") {
        let symbols = process::must(Command::new("nm").arg("--demangle").arg(&program), Duration::from_secs(60))?;
        let panics = symbols.lines().filter(|line| line.contains("panic")).count();
        let functions = symbols.lines().filter(|line| line.contains(" t ")).count();
        println!("{target}: {panics} panic symbols in {functions} functions of all views, requests and answers");
        if panics > 0 {
            wrong.push(format!("{target}: {panics} panic symbols in {}", program.display()));
        }
    }
    if target.starts_with(std::env::consts::ARCH) {
        process::must(&mut Command::new(&program), PATIENCE)?;
    }
    Ok(())
}

/// Bytes of code by the crate that a function is from.
fn by_crate(symbols: &str) -> String {
    let mut sizes = BTreeMap::<&str, u64>::new();
    for line in symbols.lines() {
        let words: Vec<&str> = line.splitn(4, ' ').collect();
        if let [_, size, "t" | "T", name] = words[..] {
            let size = u64::from_str_radix(size, 16).unwrap_or(0);
            let name = name.trim_start_matches(['<', '&']);
            let first = name.split("::").next().unwrap_or(name);
            let known = ["ringlink_codec", "ringlink_agent", "core"].into_iter().find(|known| *known == first);
            *sizes.entry(known.unwrap_or("memory and start")).or_default() += size;
        }
    }
    sizes.iter().map(|(name, size)| format!("{name} {size}")).collect::<Vec<_>>().join(", ")
}

/// Runs it in a namespace of its own with no more stack than it may have, and looks at what it tells.
fn follow(target: &str, runner: Option<&str>, program: &Path, wrong: &mut Vec<String>) -> Outcome {
    let native = target.starts_with(std::env::consts::ARCH);
    if !native && runner.is_none() {
        println!("absent: {target}: not run here");
        return Ok(());
    }
    let needed = ["ip", "unshare", "nsenter", "prlimit"].into_iter().chain(runner.filter(|_| !native));
    let missing: Vec<&str> = needed.filter(|name| !process::exists(name)).collect();
    if !missing.is_empty() {
        println!("absent: {target}: not run, for want of {}", missing.join(", "));
        return Ok(());
    }
    let mut command = Command::new("unshare");
    command.arg("--net");
    match runner.filter(|_| !native) {
        None => command.args(["prlimit", &format!("--stack={STACK}:{STACK}"), "--"]),
        Some(runner) => command.arg(runner),
    };
    let mut agent = Agent { running: Running::start(command.arg(program))?, said: String::new() };
    let told = agent.story();
    let status = std::fs::read_to_string(format!("/proc/{}/status", agent.running.id())).unwrap_or_default();
    let said = agent.said.clone();
    agent.running.kill();
    if let Err(failure) = told {
        wrong.push(format!("{target}: {failure}; it said: {said:?}"));
        return Ok(());
    }
    if !native {
        println!("{target}: dumps and follows");
        return Ok(());
    }
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse::<u64>().ok())
            .context(|| format!("the kernel says no {name} of the agent"))
    };
    let (resident, stack) = (kib("VmHWM")?, kib("VmStk")?);
    println!(
        "{target}: dumps and follows with {STACK} bytes of stack ({stack} KiB mapped), {resident} KiB resident at most"
    );
    if resident > RESIDENT {
        wrong.push(format!("{target}: {resident} KiB resident, at most {RESIDENT}"));
    }
    Ok(())
}

struct Agent {
    running: Running,
    said: String,
}

impl Agent {
    /// Changes things, and waits until each is told.
    fn story(&mut self) -> Outcome {
        self.hear("link 1 lo down mtu 65536")?;
        self.ip("link set lo up")?;
        self.hear("new link 1 lo up")?;
        self.hear("new local route 127.0.0.1/32 dev 1")?;
        self.ip("link add index 9 name v0 type veth peer name v1")?;
        self.ip("link set v0 up")?;
        self.hear("new link 9 v0 up mtu 1500")?;
        self.ip("addr add 198.51.100.1/24 dev v0")?;
        self.ip("route add 192.0.2.0/24 via 198.51.100.2")?;
        self.hear("new route 192.0.2.0/24 via 198.51.100.2 dev 9 table 254")?;
        self.ip("route del 192.0.2.0/24")?;
        self.hear("deleted route 192.0.2.0/24")?;
        self.ip("route add 2001:db8::/32 dev lo")?;
        self.hear("new route 2001:0db8:0000:0000:0000:0000:0000:0000/32 dev 1")
    }

    fn ip(&self, arguments: &str) -> Outcome {
        let pid = self.running.id().to_string();
        let mut command = Command::new("nsenter");
        command.args(["--target", &pid, "--net", "ip"]).args(arguments.split(' '));
        process::must(&mut command, PATIENCE).map(drop)
    }

    /// Waits until it has said a line that begins like this.
    fn hear(&mut self, wanted: &str) -> Outcome {
        let deadline = Instant::now() + PATIENCE;
        while !self.said.lines().any(|line| line.starts_with(wanted)) {
            match self.running.next(deadline.saturating_duration_since(Instant::now())) {
                Event::Wrote(Stream::Out | Stream::Err, bytes) => self.said += &String::from_utf8_lossy(&bytes),
                Event::Quiet => return Err(Failure::new(format!("it does not say {wanted:?}"))),
                Event::Closed => return Err(Failure::new(format!("it ended before it said {wanted:?}"))),
            }
        }
        Ok(())
    }
}
