//! What the fuzzers check. Each is a function of bytes, so that findings and seeds run as tests, too.

#[path = "../../codec/tests/support/again.rs"]
mod anew;
mod decode;
mod differential;
mod keys;
mod machines;
mod messages;
mod recording;
mod seeds;
mod text;
mod views;
mod written;

use std::sync::LazyLock;

use ringlink::codec::generic::{FAMILIES, Family, Numbers};

pub use decode::decode;
pub use differential::differential;
pub use machines::{answers, exchange, followed, pending};
pub use messages::{again, generated, print, refusal};
pub use recording::recording;
pub use seeds::{Seeds, words};
pub use text::{filter, text};
pub use views::views;
pub use written::written;

/// What is to be checked of any bytes; a failure is a panic.
pub type Target = fn(&[u8]);

/// All targets, by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("print", print),
    ("views", views),
    ("again", again),
    ("exchange", exchange),
    ("pending", pending),
    ("answers", answers),
    ("followed", followed),
    ("generated", generated),
    ("refusal", refusal),
    ("text", text),
    ("filter", filter),
    ("written", written),
    ("decode", decode),
    ("recording", recording),
    ("differential", differential),
];

/// Numbers that generic families could have.
static NUMBERS: LazyLock<Vec<(u16, &'static Family)>> =
    LazyLock::new(|| (0x20..).zip(FAMILIES.iter().copied()).collect());

fn numbers() -> Numbers<'static> {
    Numbers(&NUMBERS)
}
