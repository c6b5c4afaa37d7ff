//! What is measured: one file each.

mod change;
mod dump;
mod event;
mod look_up;
mod namespaces;
mod show;

use crate::Outcome;
use crate::contest::{Entrant, Options};
use crate::record::Record;

/// Makes a workload's scene, and runs its contest.
pub type Run = fn(&Options) -> Outcome<Record>;

/// A workload's name and what runs it. Each runs in a process of its own, since it moves into a namespace.
pub const ALL: [(&str, Run); 15] = [
    ("routes-200k", dump::routes_200k),
    ("routes-1m", dump::routes_1m),
    ("routes-1m-moderate", dump::routes_moderate),
    ("routes-1m-heavy", dump::routes_heavy),
    ("links-2000", dump::links),
    ("neighbours-100k", dump::neighbours),
    ("open-dump-close", dump::open_dump_close),
    ("event-drain", event::drain),
    ("event-storm", event::storm),
    ("look-ups-50k", look_up::look_ups),
    ("add-200k", change::add),
    ("delete-200k", change::delete),
    ("namespaces-256", namespaces::namespaces),
    ("show-200k", show::plain),
    ("show-200k-details", show::details),
];

/// Libraries by name.
fn libraries<const N: usize>(names: [&'static str; N]) -> Vec<Entrant> {
    names.into_iter().map(Entrant::Library).collect()
}

/// A size as people write it.
fn grouped(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
