//! The gate: figures that the same build always has, each with a limit and the reason for it.

use std::collections::BTreeMap;
use std::fs;

use super::{BUILD, RUN, binary, folder};
use crate::failure::{Context, Failure, Outcome};
use crate::process;

/// A line of the limits' file.
#[derive(Debug, PartialEq, Eq)]
struct Limit<'t> {
    name: &'t str,
    most: u64,
    reason: &'t str,
}

/// Builds what has the figures, compares each with its limit. Fails where one is exceeded or, under `CI=true`, where
/// something that the figures need is missing.
pub fn run() -> Outcome {
    let file = folder().join("limits.txt");
    let text = fs::read_to_string(&file).context(|| format!("cannot read {}", file.display()))?;
    let limits = limits(&text)?;
    process::must(
        process::cargo().current_dir(folder()).args(["build", "--release", "--locked", "--quiet", "--bins"]),
        BUILD,
    )?;
    let told = process::must(binary("live").args(["costs", "--out"]).arg(crate::root().join("target/bench")), RUN)?;
    let skipped: Vec<&str> = told.lines().filter(|line| line.starts_with("skipped: ")).collect();
    skipped.iter().for_each(|line| println!("{line}"));
    let verdicts = compare(&limits, &figures(&told), !skipped.is_empty());
    verdicts.iter().for_each(|verdict| println!("{}", verdict.text));
    let ci = std::env::var("CI").is_ok_and(|value| value == "true");
    match verdicts.iter().filter(|verdict| !verdict.holds).count() {
        0 if ci && !skipped.is_empty() => Err(Failure::new("figures are missing, and under CI=true none may be")),
        0 => Ok(()),
        count => Err(Failure::new(format!("{count} figures do not hold; the limits are in benches/limits.txt"))),
    }
}

/// What became of a limit.
struct Verdict {
    holds: bool,
    text: String,
}

/// Holds figures against limits. A limit without a figure does not hold, unless something was skipped.
fn compare(limits: &[Limit<'_>], figures: &BTreeMap<&str, u64>, skipped: bool) -> Vec<Verdict> {
    let judge = |limit: &Limit<'_>| {
        let Limit { name, most, reason } = limit;
        match figures.get(name) {
            Some(value) if value <= most => Verdict { holds: true, text: format!("{name}: {value}, at most {most}") },
            Some(value) => {
                Verdict { holds: false, text: format!("exceeded: {name}: {value}, at most {most}: {reason}") }
            }
            None if skipped => Verdict { holds: true, text: format!("{name}: not measured here") },
            None => Verdict { holds: false, text: format!("missing: {name}: there is no such figure") },
        }
    };
    limits.iter().map(judge).collect()
}

/// Lines of a name and a value; names may have spaces.
fn figures(text: &str) -> BTreeMap<&str, u64> {
    let figure = |line| {
        let (name, value) = str::rsplit_once(line, ' ')?;
        Some((name, value.parse().ok()?))
    };
    text.lines().filter_map(figure).collect()
}

/// Lines `NAME | LIMIT | REASON`; those that begin with `#` are for people.
fn limits(text: &str) -> Outcome<Vec<Limit<'_>>> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let limit = |line| limit(line).context(|| format!("a limit is NAME | LIMIT | REASON, and this is not one: {line}"));
    lines.map(limit).collect()
}

fn limit(line: &str) -> Option<Limit<'_>> {
    let parts: Vec<&str> = line.split('|').map(str::trim).collect();
    match parts[..] {
        [name, most, reason] if !reason.is_empty() => Some(Limit { name, most: most.parse().ok()?, reason }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_have_names_numbers_and_reasons() {
        let found = limits("# for people\n\na b | 12 | because\n").expect("one limit");
        assert_eq!(found, [Limit { name: "a b", most: 12, reason: "because" }]);
        for wrong in ["a b", "a | x | because", "a | 1", "a | 1 |", "a | 1 | b | c"] {
            assert!(limits(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_figure_holds_up_to_its_limit() {
        let limits = limits("a | 2 | why\nb c | 2 | why\nd | 2 | why").expect("three limits");
        let told = "a 2\nb c 3\nskipped: nothing\n";
        let verdicts =
            |skipped| compare(&limits, &figures(told), skipped).iter().map(|verdict| verdict.holds).collect::<Vec<_>>();
        assert_eq!(verdicts(false), [true, false, false]);
        assert_eq!(verdicts(true), [true, false, true]);
    }
}
