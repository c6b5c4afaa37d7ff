//! What the fuzzers check. Each is a function of bytes, so that findings and seeds run as tests, too.

mod differential;
mod machines;
mod messages;
mod recording;
mod seeds;
mod text;

use std::sync::LazyLock;

use ringlink::codec::generic::{FAMILIES, Family, Numbers};

pub use differential::differential;
pub use machines::{exchange, pending};
pub use messages::{generated, print, refusal, views};
pub use recording::recording;
pub use seeds::{captures, seeds, words};
pub use text::{filter, text};

/// What is to be checked of any bytes; a failure is a panic.
pub type Target = fn(&[u8]);

/// All targets, by name.
pub const TARGETS: &[(&str, Target)] = &[
    ("print", print),
    ("views", views),
    ("exchange", exchange),
    ("pending", pending),
    ("generated", generated),
    ("refusal", refusal),
    ("text", text),
    ("filter", filter),
    ("recording", recording),
    ("differential", differential),
];

/// Numbers that generic families could have.
static NUMBERS: LazyLock<Vec<(u16, &'static Family)>> =
    LazyLock::new(|| (0x20..).zip(FAMILIES.iter().copied()).collect());

fn numbers() -> Numbers<'static> {
    Numbers(&NUMBERS)
}
