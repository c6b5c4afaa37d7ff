//! Following a table's changes without a gap: what to do when events are lost.
//!
//! A [`Follower`] is live, or it has lost events, or it is dumping to catch up. Events and overruns go in; "dump
//! again" comes out. A [`Subject`] is what is followed: it says what a message means for a table of its objects, which a
//! [`Store`] keeps. None of them does any IO: the transport's watch drives them.
//!
//! ```
//! use ringlink_codec::follow::{Advice, Follower};
//! use ringlink_codec::reply::End;
//!
//! let mut follower = Follower::new();
//! assert_eq!(follower.advice(), Advice::Dump); // nothing is known yet
//! follower.dump_started();
//! follower.dump_ended(End::default());
//! assert_eq!(follower.advice(), Advice::Listen);
//! follower.overrun();
//! assert_eq!(follower.advice(), Advice::Dump);
//! ```

mod store;
mod subject;

pub use store::{Entry, FixedTable, Full, Put, Store};
pub use subject::{Digest, Key, Meaning, Subject};

use crate::reply::End;

/// Whether what is known of a table can be trusted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Follower {
    state: State,
    overruns: u32,
    dumps: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Lost,
    /// `lost`: events were lost since the dump began, so that its end is not the end.
    Dumping {
        lost: bool,
    },
    Live,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advice {
    /// Dump the table; what is known has holes.
    Dump,
    /// Go on with the dump; events that arrive meanwhile are newer than what it has said so far, and count.
    Continue,
    /// Wait for events; what is known is true.
    Listen,
}

impl Follower {
    /// One that knows nothing: the first advice is to dump. Join the groups before.
    #[must_use]
    pub const fn new() -> Self {
        Self { state: State::Lost, overruns: 0, dumps: 0 }
    }

    /// What to do next.
    #[must_use]
    pub const fn advice(&self) -> Advice {
        match self.state {
            State::Lost => Advice::Dump,
            State::Dumping { .. } => Advice::Continue,
            State::Live => Advice::Listen,
        }
    }

    /// A dump was asked for.
    pub fn dump_started(&mut self) {
        self.state = State::Dumping { lost: false };
        self.dumps = self.dumps.saturating_add(1);
    }

    /// The dump ended. Where it was interrupted or cut, or events were lost meanwhile, another one is due.
    pub fn dump_ended(&mut self, end: End) {
        if let State::Dumping { lost } = self.state {
            self.state = match lost || !end.is_complete() {
                true => State::Lost,
                false => State::Live,
            };
        }
    }

    /// The dump failed: nothing it said is to be trusted.
    pub fn dump_failed(&mut self) {
        self.state = State::Lost;
    }

    /// Events were lost.
    pub fn overrun(&mut self) {
        self.overruns = self.overruns.saturating_add(1);
        self.state = match self.state {
            State::Dumping { .. } => State::Dumping { lost: true },
            State::Live | State::Lost => State::Lost,
        };
    }

    /// Something happened that the kernel does not announce whole: what is known must be read again.
    pub fn distrust(&mut self) {
        self.state = match self.state {
            State::Dumping { .. } => State::Dumping { lost: true },
            State::Live | State::Lost => State::Lost,
        };
    }

    /// How often events were lost.
    #[must_use]
    pub const fn overruns(&self) -> u32 {
        self.overruns
    }

    /// How many dumps were begun.
    #[must_use]
    pub const fn dumps(&self) -> u32 {
        self.dumps
    }
}
