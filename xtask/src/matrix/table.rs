//! How the matrix is told: each suite on each kernel, and each kernel and engine in one line.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;

use super::{Engine, Ran, Row};
use crate::failure::{Context, Outcome};

const BEGIN: &str = "<!-- matrix: written by `cargo xtask matrix --record` -->\n";
const END: &str = "<!-- end of matrix -->";

/// A line for each suite and engine, a column for each kernel.
pub(crate) fn of_suites(rows: &[Row]) -> String {
    let all: BTreeSet<(&str, Engine)> =
        rows.iter().flat_map(|row| &row.ran).map(|ran| (ran.suite.as_str(), ran.engine)).collect();
    let mut text = String::from("| suite | engine |");
    rows.iter().for_each(|row| _ = write!(text, " {} |", row.kernel));
    text += "\n|---|---|";
    rows.iter().for_each(|_| text += "---|");
    text += "\n";
    for (suite, engine) in all {
        let _ = write!(text, "| {suite} | {} |", engine.name());
        for row in rows {
            let found = row.ran.iter().find(|ran| ran.suite == suite && ran.engine == engine);
            let _ = write!(text, " {} |", found.map(|ran| cell(&[ran])).unwrap_or_else(|| "absent".to_owned()));
        }
        text += "\n";
    }
    text
}

/// A line for each kernel and engine, a column for each part of the product.
pub(crate) fn of_kernels(rows: &[Row], missing: &[String]) -> String {
    const PARTS: [(&str, &str); 3] = [("transport", "transport"), ("program", "cli"), ("codec", "codec")];
    let mut text = String::from("| kernel | engine |");
    PARTS.iter().for_each(|(name, _)| _ = write!(text, " {name} |"));
    text += "\n|---|---|---|---|---|\n";
    for row in rows {
        for engine in [Engine::Syscall, Engine::Ring, Engine::Own] {
            if !row.ran.iter().any(|ran| ran.engine == engine) && engine != Engine::Ring {
                continue;
            }
            let _ = write!(text, "| {} ({}) | {} |", row.kernel, row.release, engine.name());
            for (_, part) in PARTS {
                let ran: Vec<&Ran> =
                    row.ran.iter().filter(|ran| ran.engine == engine && ran.suite.starts_with(part)).collect();
                let suites = if ran.is_empty() { String::new() } else { format!("{}: ", ran.len()) };
                let _ = write!(text, " {suites}{} |", cell(&ran));
            }
            text += "\n";
        }
    }
    text += "\nSuites: tests passed / failed / things that the kernel lacks, as the tests say. The program and the codec, and of the\n\
             library what has to, choose what moves the bytes themselves, or need nothing that does.\n";
    for row in rows {
        if let Some(reason) = &row.no_ring {
            let _ = writeln!(text, "No ring on {}: {}.", row.kernel, reason.trim_start_matches("ringlink: "));
        }
    }
    missing.iter().for_each(|line| _ = writeln!(text, "Not to be had: {line}."));
    text
}

fn cell(ran: &[&Ran]) -> String {
    if ran.is_empty() {
        return "–".to_owned();
    }
    let sum = |count: fn(&Ran) -> usize| ran.iter().map(|ran| count(ran)).sum::<usize>();
    let skipped = sum(|ran| ran.counts.skipped.len());
    let note = if skipped > 0 { format!(" ({skipped} skipped)") } else { String::new() };
    format!(
        "{} / {} / {}{note}",
        sum(|ran| ran.counts.passed),
        sum(|ran| ran.counts.failed.len()),
        sum(|ran| ran.counts.absent.len())
    )
}

/// Writes the table into the README, in place of the one that is there.
pub(crate) fn record(table: &str) -> Outcome {
    let path = crate::root().join("README.md");
    let text = fs::read_to_string(&path).context(|| format!("cannot read {}", path.display()))?;
    let written = replaced(&text, table).context(|| "README.md has no place for the table")?;
    fs::write(&path, written).context(|| format!("cannot write {}", path.display()))
}

fn replaced(text: &str, table: &str) -> Option<String> {
    let (before, rest) = text.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{table}\n{END}{after}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test::libtest::Counts;

    fn ran(suite: &str, engine: Engine, passed: usize, failed: &[&str]) -> Ran {
        let failed = failed.iter().map(|name| (*name).to_owned()).collect();
        Ran { suite: suite.to_owned(), engine, counts: Counts { passed, failed, ..Counts::default() } }
    }

    #[test]
    fn suites_are_summed_and_what_did_not_run_is_told() {
        let row = Row {
            kernel: "5.10".into(),
            release: "5.10.1".into(),
            ran: vec![
                ran("transport tests/a", Engine::Syscall, 3, &["x"]),
                ran("transport tests/b", Engine::Syscall, 4, &[]),
            ],
            no_ring: Some("no multishot".into()),
            seconds: 1,
        };
        let text = of_kernels(&[row], &["7.9: no package".into()]);
        assert!(text.contains("| 5.10 (5.10.1) | system calls | 2: 7 / 1 / 0 | – | – |"), "{text}");
        assert!(text.contains("| 5.10 (5.10.1) | ring | – | – | – |"), "{text}");
        assert!(
            text.contains("No ring on 5.10: no multishot.") && text.contains("Not to be had: 7.9: no package."),
            "{text}"
        );
    }

    #[test]
    fn the_table_replaces_itself() {
        let text = format!("a\n{BEGIN}old\n{END}\nb\n");
        let once = replaced(&text, "new").expect("a place");
        assert_eq!(once, format!("a\n{BEGIN}\nnew\n{END}\nb\n"));
        assert_eq!(replaced(&once, "new"), Some(once.clone()));
        assert_eq!(replaced("nothing", "new"), None);
    }
}
