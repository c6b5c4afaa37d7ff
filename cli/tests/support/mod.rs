//! What the tests share: private network namespaces, the program, `ip`, and rows to compare.

#![allow(dead_code, reason = "each test file uses a part of it")]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// A network namespace of this test's own, deleted when it is dropped.
pub struct Netns {
    name: String,
}

impl Netns {
    /// Makes a namespace, or says why it cannot; in CI that is a failure.
    pub fn new(test: &str) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ringlink-test-{}-{number}", std::process::id());
        match Command::new("ip").args(["netns", "add", &name]).output() {
            Ok(output) if output.status.success() => Some(Self { name }),
            Ok(output) => skip(test, &String::from_utf8_lossy(&output.stderr)),
            Err(error) => skip(test, &format!("ip: {error}")),
        }
    }

    /// The same with two interfaces that are up, `v0` and `v1`, of which IPv6 makes no addresses by itself.
    pub fn with_interfaces(test: &str) -> Option<Self> {
        let netns = Self::new(test)?;
        netns.ip("link set lo up");
        netns.ip("link add v0 type veth peer name v1");
        for name in ["v0", "v1"] {
            netns.ip(&format!("link set {name} addrgenmode none"));
            netns.ip(&format!("link set {name} up"));
        }
        Some(netns)
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Runs `ip -n NAME` with these words, which must succeed, and gives what it prints.
    pub fn ip(&self, line: &str) -> String {
        self.try_ip(line).unwrap_or_else(|error| panic!("ip {line}: {error}"))
    }

    /// Runs `ip -n NAME` with these words; where it fails, what it says. Kernels differ in what they have.
    pub fn try_ip(&self, line: &str) -> Result<String, String> {
        let output = Command::new("ip").args(["-n", &self.name]).args(words(line)).output().unwrap();
        if output.status.success() {
            Ok(String::from_utf8(output.stdout).unwrap())
        } else {
            let error = String::from_utf8_lossy(&output.stderr);
            Err(error.lines().next().unwrap_or_default().to_owned())
        }
    }

    /// Runs `ringlink --netns NAME` with these words.
    pub fn ringlink(&self, words: &str) -> Output {
        ringlink(&format!("--netns {} {words}", self.name))
    }

    /// Runs it, which must succeed and say nothing on standard error, and gives what it prints.
    pub fn change(&self, words: &str) -> String {
        let output = self.ringlink(words);
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && err.is_empty(), "ringlink {words}: {err}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// The rows that `ip -j -d` prints for these words.
    pub fn rows_of_ip(&self, words: &str) -> Vec<Value> {
        rows(words, &self.ip(&format!("-j -d {words}")))
    }

    /// The rows that `ringlink --json` prints for these words.
    pub fn rows(&self, words: &str) -> Vec<Value> {
        rows(words, &self.change(&format!("--json {words}")))
    }

    /// Compares what both print for these words: the same rows, with the same members.
    pub fn compare(&self, words: &str) {
        // Lifetimes are told in seconds, which may pass between the two.
        let mut pairs = std::iter::repeat_with(|| {
            let mut theirs = self.rows_of_ip(words);
            theirs.iter_mut().for_each(correct);
            (theirs, self.rows(words))
        });
        let same = |(theirs, ours): &(Vec<Value>, Vec<Value>)| {
            theirs.len() == ours.len() && theirs.iter().all(|row| ours.contains(row))
        };
        let Some((theirs, ours)) = pairs.by_ref().take(3).find(same).or_else(|| pairs.next()) else {
            return;
        };
        for row in &theirs {
            assert!(ours.contains(row), "{words}: only ip has\n{row}\nof ours\n{}", Value::from(ours.clone()));
        }
        for row in &ours {
            assert!(
                theirs.contains(row),
                "{words}: only ringlink has\n{row}\nof ip's\n{}",
                Value::from(theirs.clone())
            );
        }
        assert_eq!(ours.len(), theirs.len(), "{words}");
    }

    /// Compares the texts, but for spaces at the ends of lines and doubled ones.
    pub fn compare_text(&self, words: &str) {
        let plain = |text: &str| -> Vec<String> {
            text.lines()
                .map(|line| line.split([' ']).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" "))
                .collect()
        };
        let theirs = self.ip(words).replace("ttl-propogate", "ttl-propagate");
        assert_eq!(plain(&self.change(words)), plain(&theirs), "{words}");
    }
}

impl Drop for Netns {
    fn drop(&mut self) {
        // A namespace that is gone already is as good.
        let _ = Command::new("ip").args(["netns", "del", &self.name]).output();
    }
}

/// Differences that are `ip`'s faults, each explained under its name in `differences.md`: how `ip`'s row is corrected.
const DIFFERENCES: &[(&str, Correction)] = &[
    ("empty-addresses", |row| {
        if let Some(addresses) = row.get_mut("addr_info").and_then(Value::as_array_mut) {
            addresses.retain(|address| address.as_object().is_some_and(|address| !address.is_empty()));
        }
    }),
    ("xdp-programs", |row| {
        if let Some(xdp) = row.get_mut("xdp") {
            only_id(xdp);
            xdp.get_mut("attached").and_then(Value::as_array_mut).into_iter().flatten().for_each(only_id);
        }
    }),
];

/// Leaves of a program only its number.
fn only_id(place: &mut Value) {
    if let Some(program) = place.get_mut("prog").and_then(Value::as_object_mut) {
        program.retain(|key, _| key == "id");
    }
}

/// How a row is corrected.
type Correction = fn(&mut Value);

/// Corrects a row of `ip`.
fn correct(row: &mut Value) {
    for (_, correct) in DIFFERENCES {
        correct(row);
    }
}

/// The rows of a JSON text. Of members that stand twice in an object, the first is meant where `ip` prints a route
/// (`doubled-keys` in `differences.md`): the second one is renamed before it is read.
fn rows(words: &str, text: &str) -> Vec<Value> {
    let text = text.trim();
    if text.is_empty() {
        return Vec::new();
    }
    let text = undouble(text);
    let rows: Vec<Value> = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{words}: {error}: {text}"));
    rows.into_iter().filter(|row| row.as_object().is_none_or(|row| !row.is_empty())).collect()
}

/// Gives the members of a tunnel in a route the names that they have in ringlink.
fn undouble(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    // A route's own members stand before and behind those of its tunnel, which begin with `"encap":` and end with the
    // first that a route has after it.
    for (index, part) in text.split("\"encap\":").enumerate() {
        if index == 0 {
            out.push_str(part);
            continue;
        }
        out.push_str("\"encap\":");
        // A next hop of several has no members of its own with these names.
        let alone = in_list(&out, "\"nexthops\":[") || in_list(&out, "\"nh_info\":{");
        let end = ["\"gateway\":", "\"via\":{", "\"dev\":", "\"nhid\":", "\"flags\":"]
            .iter()
            .filter_map(|next| part.find(next))
            .min();
        let (tunnel, rest) = part.split_at(end.unwrap_or(part.len()));
        let mut tunnel = tunnel.to_owned();
        if !alone && !tunnel.contains("\"encap_") {
            for key in ["dst", "table", "tos"] {
                tunnel = tunnel.replace(&format!("\"{key}\":"), &format!("\"encap_{key}\":"));
            }
        }
        out.push_str(&tunnel);
        out.push_str(rest);
    }
    out
}

/// Whether a text ends within what `open` begins.
fn in_list(text: &str, open: &str) -> bool {
    let Some(at) = text.rfind(open) else { return false };
    let depth = text[at..].chars().fold(0_i32, |depth, character| match character {
        '{' | '[' => depth + 1,
        '}' | ']' => depth - 1,
        _ => depth,
    });
    depth > 0
}

/// Runs the program in the test's own namespace: for what opens no socket, or only reads.
pub fn ringlink(words: &str) -> Output {
    command(words).output().unwrap()
}

/// The program with these words, over the engine that `RINGLINK_ENGINE` names unless the words name one.
pub fn command(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringlink"));
    if let Some(engine) = std::env::var_os("RINGLINK_ENGINE").filter(|_| !line.contains("--engine ")) {
        command.arg("--engine").arg(engine);
    }
    command.args(words(line)).stdin(Stdio::null());
    command
}

/// The words of a line, as a shell splits them: quotes hold words together, `\` takes the next character as it is.
pub fn words(line: &str) -> impl Iterator<Item = String> {
    let mut characters = line.chars().peekable();
    std::iter::from_fn(move || {
        while characters.next_if(|character| *character == ' ').is_some() {}
        characters.peek()?;
        let (mut word, mut quoted) = (String::new(), false);
        while let Some(character) = characters.next_if(|character| quoted || *character != ' ') {
            match character {
                '"' => quoted = !quoted,
                '\\' => word.extend(characters.next()),
                character => word.push(character),
            }
        }
        Some(word)
    })
}

/// Says why a test did not run; in CI that is a failure.
pub fn skip<T>(test: &str, reason: &str) -> Option<T> {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{test}: {reason}");
    println!("skipped: {test}: {}", reason.trim());
    None
}

/// How long something may take that is to happen at once.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A program that prints events, ended when it is dropped.
pub struct Listener {
    child: Child,
    /// What it prints.
    pub lines: Receiver<String>,
}

impl Listener {
    /// Starts `ringlink --stats` with these words and waits until it listens; where it does not, what it says.
    pub fn start(words: &str) -> Result<Self, String> {
        let mut child =
            command(&format!("--stats {words}")).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = receive(child.stdout.take().unwrap());
        let errors = receive(child.stderr.take().unwrap());
        let listener = Self { child, lines };
        let mut said = String::new();
        while let Ok(line) = errors.recv_timeout(PATIENCE) {
            if line.contains("listening") {
                return Ok(listener);
            }
            said += &line;
        }
        Err(said)
    }

    /// The first row of which `is_it` says so.
    pub fn row(&self, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let line = self.lines.recv_timeout(PATIENCE).expect("a line");
            let row = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
            if is_it(&row) {
                return row;
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // One that has ended by itself is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn receive(from: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || BufReader::new(from).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    lines
}
