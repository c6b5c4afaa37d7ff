//! Compares the codec's tables with what says the same facts elsewhere: the installed kernel headers, and files of
//! facts about a newer kernel. What contradicts a witness, or itself, fails the audit; what no witness knows is told.

mod facts;
mod headers;
pub mod walk;

use std::collections::BTreeSet;
use std::path::PathBuf;

use crate::failure::{Failure, Outcome};
use facts::Facts;
use walk::Tables;

/// How to audit.
#[derive(clap::Args)]
pub struct Options {
    /// Folder with attributes.tsv, messages.tsv and structs.tsv; beside the repository by default
    #[arg(long)]
    facts: Option<PathBuf>,
    /// Also name what is missing, what no witness knows, and payloads whose form the kernel says otherwise
    #[arg(long, short)]
    verbose: bool,
}

/// What the witnesses said.
#[derive(Default)]
struct Findings {
    /// Contradictions.
    wrong: Vec<String>,
    /// Differences that a newer kernel explains.
    notes: Vec<String>,
    /// Payloads of another form than the kernel's policy says: to be looked at, for a policy may only bound a length.
    doubts: Vec<String>,
    /// Names that the installed headers do not have.
    absent: Vec<String>,
    /// Names that the installed headers have, with our number.
    confirmed: BTreeSet<String>,
    /// Names that no witness has: a misspelt one is among them.
    unwitnessed: Vec<String>,
}

/// Audits, prints what was found, and fails where something is wrong.
pub fn run(options: &Options) -> Outcome {
    let tables = Tables::gather();
    let count = |rows: usize, of: usize, what| println!("{what}: {rows} in {of}");
    count(tables.operations.iter().map(|(_, table)| table.rows.len()).sum(), tables.operations.len(), "messages");
    count(tables.spaces.iter().map(|space| space.rows().count()).sum(), tables.spaces.len(), "attributes");
    count(tables.values.iter().map(|values| values.table.rows.len()).sum(), tables.values.len(), "values");
    count(tables.layouts.iter().map(|layout| layout.fields.len()).sum(), tables.layouts.len(), "fields");

    let mut findings = Findings { wrong: tables.contradictions(), ..Findings::default() };
    headers::compare(&tables, &mut findings)?;
    let folder = options.facts.clone().unwrap_or_else(|| crate::root().join("../shared/facts"));
    match folder.is_dir() {
        true => Facts::read(&folder)?.compare(&tables, &mut findings, options.verbose),
        false if options.facts.is_some() => return Err(Failure::new(format!("no folder {}", folder.display()))),
        false => println!("skipped: facts: not there"),
    }
    findings.tell(options.verbose)
}

impl Findings {
    fn tell(&self, verbose: bool) -> Outcome {
        if verbose {
            list("not in the installed headers", &self.absent);
            list("doubt", &self.doubts);
            list("unwitnessed", &self.unwitnessed);
        } else if !self.doubts.is_empty() || !self.unwitnessed.is_empty() {
            println!(
                "{} forms of payloads in doubt, {} names that no witness knows (--verbose names them)",
                self.doubts.len(),
                self.unwitnessed.len()
            );
        }
        list("note", &self.notes);
        list("wrong", &self.wrong);
        match self.wrong.len() {
            0 => Ok(()),
            count => Err(Failure::new(format!("{count} wrong"))),
        }
    }
}

fn list(what: &str, lines: &[String]) {
    lines.iter().for_each(|line| println!("{what}: {line}"));
}
