//! What Rust's test harness prints, read while it prints it.
//!
//! With one test at a time the harness names each test before it runs it (`test NAME ... `), so an unfinished line
//! tells which test hangs. With `--show-output` it also prints what passing tests printed: tests that could not run say
//! so there, in lines `skipped: NAME: REASON`, and what the kernel itself lacks in lines `absent: …`.

use std::collections::BTreeSet;

/// Follows one test program's output.
#[derive(Default)]
pub struct Output {
    partial: String,
    section: Section,
    /// The test that runs, as far as is known.
    pub current: Option<String>,
    /// What was counted so far. Tests that could not run are among the passed, for the harness thinks so.
    pub counts: Counts,
    skipping: BTreeSet<String>,
}

/// Tests by how they ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// How many ran and passed.
    pub passed: usize,
    /// Names of those that failed.
    pub failed: Vec<String>,
    /// How many did not run.
    pub not_run: usize,
    /// What those that could not run said.
    pub skipped: Vec<String>,
    /// What tests said of things that the kernel lacks.
    pub absent: Vec<String>,
}

/// Which part of the output is being read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Section {
    #[default]
    Tests,
    /// What passing tests printed; the name is that of the test.
    Passed(String),
    Failed,
}

impl Output {
    /// Takes the next piece of output and returns the lines of it that a person wants to see.
    pub fn take(&mut self, bytes: &[u8]) -> String {
        let mut shown = String::new();
        self.partial.extend(String::from_utf8_lossy(bytes).chars().filter(|letter| *letter != '\r'));
        while let Some((line, rest)) = self.partial.split_once('\n') {
            let (line, rest) = (line.to_owned(), rest.to_owned());
            if self.line(&line) {
                shown.push_str(&line);
                shown.push('\n');
            }
            self.partial = rest;
        }
        if let Some((name, _)) = announced(&self.partial) {
            self.current = Some(name.to_owned());
        }
        shown
    }

    /// The line that is not finished.
    pub fn rest(&self) -> &str {
        &self.partial
    }

    /// What was counted so far, of which those that could not run are not among the passed.
    pub fn told(&self) -> Counts {
        // A test that cannot run returns early, which the harness takes for a pass.
        let unreal = self.skipping.len().min(self.counts.passed);
        let mut counts = self.counts.clone();
        counts.passed -= unreal;
        counts.not_run += unreal;
        counts
    }

    /// Reads a line and says whether to show it.
    fn line(&mut self, line: &str) -> bool {
        match line {
            "successes:" => self.section = Section::Passed(String::new()),
            "failures:" => self.section = Section::Failed,
            _ if line.starts_with("test result:") => {
                (self.section, self.current) = (Section::Tests, None);
                return true;
            }
            _ => {}
        }
        match &self.section {
            Section::Tests => {
                self.test_line(line);
                true
            }
            Section::Passed(name) => {
                if let Some(name) = line.strip_prefix("---- ").and_then(|rest| rest.split(" stdout").next()) {
                    self.section = Section::Passed(name.to_owned());
                    return false;
                }
                let name = name.clone();
                self.remark(line, &name)
            }
            Section::Failed => true,
        }
    }

    fn test_line(&mut self, line: &str) {
        let said = match announced(line) {
            Some((name, said)) => {
                self.current = Some(name.to_owned());
                said
            }
            // A test that printed something ends on a line of its own.
            None => line,
        };
        let Some(name) = self.current.clone() else {
            self.remark(line, line);
            return;
        };
        match said {
            "ok" => self.counts.passed += 1,
            "FAILED" => self.counts.failed.push(name),
            _ if said == "ignored" || said.starts_with("ignored, ") => self.counts.not_run += 1,
            _ => {
                self.remark(said, &name);
                return;
            }
        }
        self.current = None;
    }

    /// Notes what a test said about itself, and says whether it was such a line.
    fn remark(&mut self, line: &str, test: &str) -> bool {
        let said = if line.starts_with("skipped: ") {
            self.skipping.insert(test.to_owned());
            &mut self.counts.skipped
        } else if line.starts_with("absent: ") {
            &mut self.counts.absent
        } else {
            return false;
        };
        said.push(line.to_owned());
        true
    }
}

impl Counts {
    /// Adds what was counted of a program.
    pub fn add(&mut self, program: &str, output: &Output) {
        let Self { passed, failed, not_run, skipped, absent } = output.told();
        self.passed += passed;
        self.not_run += not_run;
        self.failed.extend(failed.iter().map(|name| format!("{program}: {name}")));
        self.skipped.extend(skipped.iter().map(|line| format!("{line} ({program})")));
        self.absent.extend(absent.iter().map(|line| format!("{line} ({program})")));
    }

    /// Adds a failure that no test reported.
    pub fn fail(&mut self, program: &str, reason: &str) {
        self.failed.push(format!("{program}: {reason}"));
    }

    /// Adds a program that was not run.
    pub fn skip(&mut self, program: &str, reason: &str) {
        self.not_run += 1;
        self.skipped.push(format!("skipped: {program}: {reason}"));
    }
}

/// The name of the test that a line is about, and what follows it (`test NAME ... ok`). A test that should panic has
/// that said behind its name.
fn announced(line: &str) -> Option<(&str, &str)> {
    let (name, said) = line.strip_prefix("test ")?.split_once(" ... ")?;
    Some((name.trim_end_matches(" - should panic"), said.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What two tests, one of them skipped, make the harness print.
    const PASSED: &str = "\nrunning 3 tests\ntest a::one ... ok\ntest two ... ok\ntest three ... ignored, slow\n\n\
        successes:\n\n---- two stdout ----\nsetting up\nskipped: two: no veth\nabsent: IFLA_X\n\n\n\
        successes:\n    a::one\n    two\n\ntest result: ok. 2 passed; 0 failed\n\n";

    fn read(text: &str, step: usize) -> (Output, String) {
        let mut output = Output::default();
        let shown = text.as_bytes().chunks(step).map(|piece| output.take(piece)).collect();
        (output, shown)
    }

    #[test]
    fn tests_are_counted_however_the_output_is_cut() {
        for step in [1, 7, 4096] {
            let (output, shown) = read(PASSED, step);
            let mut counts = Counts::default();
            counts.add("unit", &output);
            assert_eq!((counts.passed, counts.not_run, counts.failed.len()), (1, 2, 0), "{step}");
            assert_eq!(counts.skipped, ["skipped: two: no veth (unit)"]);
            assert_eq!(counts.absent, ["absent: IFLA_X (unit)"]);
            assert!(shown.contains("skipped: two") && !shown.contains("setting up"), "{shown}");
        }
    }

    #[test]
    fn an_unfinished_line_names_the_test() {
        let (output, _) = read("running 2 tests\ntest one ... ok\ntest b::two - should panic ... ", 5);
        assert_eq!(output.current.as_deref(), Some("b::two"));
        assert_eq!(output.rest(), "test b::two - should panic ... ");
    }

    #[test]
    fn failures_are_shown_and_named() {
        let text = "test one ... FAILED\n\nfailures:\n\n---- one stdout ----\nskipped: panicked\n\nfailures:\n    one\n\n\
            test result: FAILED. 0 passed\n";
        let (output, shown) = read(text, 11);
        assert_eq!(output.counts.failed, ["one"]);
        assert!(output.counts.skipped.is_empty());
        assert_eq!(shown, text);
    }

    #[test]
    fn a_test_that_prints_ends_on_a_later_line() {
        let (output, _) = read("test one ... hello\nskipped: one: no\nok\ntest two ... ok\n", 3);
        let mut counts = Counts::default();
        counts.add("live", &output);
        assert_eq!((counts.passed, counts.not_run), (1, 1));
    }
}
