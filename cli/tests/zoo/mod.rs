//! A private network namespace with interfaces of every kind that the kernel can make, from the commands of
//! `links.txt`. It is made with `ip` and deleted again when the [`Zoo`] is dropped.

use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

/// The commands, one a line.
const LINKS: &str = include_str!("links.txt");

/// A network namespace, and a second one for ends that are elsewhere.
pub struct Zoo {
    name: String,
    other: String,
    /// Commands that the kernel refused, and why.
    pub refused: Vec<(String, String)>,
}

impl Zoo {
    /// An empty namespace; `None`, said on standard output, where there cannot be one.
    ///
    /// # Panics
    ///
    /// Where there cannot be one although the environment says `CI=true`.
    pub fn empty(test: &str) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("ringlink-zoo-{}-{number}", std::process::id());
        let zoo = Self { other: format!("{name}-b"), name, refused: Vec::new() };
        for name in [&zoo.name, &zoo.other] {
            let made = Command::new("ip").args(["netns", "add", name]).output();
            let reason = match made {
                Ok(output) if output.status.success() => continue,
                Ok(output) => String::from_utf8_lossy(&output.stderr).trim().to_owned(),
                Err(error) => format!("ip: {error}"),
            };
            assert!(std::env::var_os("CI").is_none_or(|value| value != "true"), "{test}: {reason}");
            println!("skipped: {test}: {reason}");
            return None;
        }
        Some(zoo)
    }

    /// A namespace with all interfaces. What the kernel refuses is listed in `refused`.
    pub fn full(test: &str) -> Option<Self> {
        let mut zoo = Self::empty(test)?;
        for line in LINKS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let words: Vec<String> = words(line).map(|word| word.replace('@', &zoo.other)).collect();
            let output = zoo.try_ip(&words);
            if !output.status.success() {
                let reason = String::from_utf8_lossy(&output.stderr);
                zoo.refused.push((line.to_owned(), reason.lines().next().unwrap_or_default().to_owned()));
            }
        }
        Some(zoo)
    }

    /// The second namespace's name.
    pub fn other(&self) -> &str {
        &self.other
    }

    /// Runs `ip` in the namespace.
    pub fn try_ip(&self, words: &[impl AsRef<str>]) -> Output {
        let words = words.iter().map(AsRef::as_ref);
        Command::new("ip").args(["-n", &self.name]).args(words).output().expect("ip runs")
    }

    /// What `ip` prints in the namespace; the words are one line.
    ///
    /// # Panics
    ///
    /// If it fails.
    pub fn ip(&self, line: &str) -> String {
        let words: Vec<String> = words(line).collect();
        let output = self.try_ip(&words);
        assert!(output.status.success(), "ip {line}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// The rows that `ip -j` prints, without those that a filter left empty.
    pub fn ip_rows(&self, line: &str) -> Vec<Value> {
        rows(&self.ip(&format!("-j {line}")))
    }

    /// Runs the program in the namespace.
    pub fn try_ringlink(&self, line: &str) -> Output {
        let words = words(line);
        Command::new(env!("CARGO_BIN_EXE_ringlink"))
            .args(["-n", &self.name])
            .args(words)
            .output()
            .expect("ringlink runs")
    }

    /// What the program prints in the namespace; the words are one line.
    ///
    /// # Panics
    ///
    /// If it fails, or says something on standard error.
    pub fn ringlink(&self, line: &str) -> String {
        let output = self.try_ringlink(line);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && errors.is_empty(), "ringlink {line}: {errors}");
        String::from_utf8(output.stdout).expect("text")
    }

    /// The rows that the program prints with `--json`.
    pub fn ringlink_rows(&self, line: &str) -> Vec<Value> {
        rows(&self.ringlink(&format!("--json {line}")))
    }
}

impl Drop for Zoo {
    fn drop(&mut self) {
        for name in [&self.name, &self.other] {
            // One that was never made cannot be deleted; a test that failed has said enough.
            let _ = Command::new("ip").args(["netns", "del", name]).output();
        }
    }
}

/// The rows of a JSON list. `ip` prints an empty object for each row that it filtered out.
fn rows(json: &str) -> Vec<Value> {
    let Value::Array(rows) = serde_json::from_str(json).expect("JSON") else { panic!("no list: {json}") };
    rows.into_iter().filter(|row| row.as_object().is_some_and(|row| !row.is_empty())).collect()
}

/// The keys of all objects in a JSON text, in the order in which they stand there.
pub fn keys(json: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = json;
    while let Some(start) = rest.find('"') {
        let string = &rest[start + 1..];
        let (mut end, mut escaped) = (0, false);
        for (at, character) in string.char_indices() {
            end = at;
            match character {
                '"' if !escaped => break,
                '\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        rest = &string[end + 1..];
        if rest.starts_with(':') {
            keys.push(string[..end].to_owned());
        }
    }
    keys
}

/// The words of a line, as a shell splits them: quotes hold words together, `\` takes the next character as it is.
fn words(line: &str) -> impl Iterator<Item = String> {
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
