//! What goes wrong in a chore, as a sentence for the person who ran it.

use std::fmt;

/// The end of a chore that failed. Its text says what was being done, then what was found.
#[derive(Debug)]
pub struct Failure(String);

/// What a step of a chore returns.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure that is its own reason.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// A chore's failure for a reason that another chore gave.
    pub fn because(self, what: impl fmt::Display) -> Self {
        Self(format!("{what}: {}", self.0))
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Says what was being done when something failed.
pub trait Context<T> {
    /// Puts `what` before the error; `what` is only made where there is one.
    fn context<D: fmt::Display>(self, what: impl FnOnce() -> D) -> Outcome<T>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn context<D: fmt::Display>(self, what: impl FnOnce() -> D) -> Outcome<T> {
        self.map_err(|error| Failure(format!("{}: {error}", what())))
    }
}

impl<T> Context<T> for Option<T> {
    fn context<D: fmt::Display>(self, what: impl FnOnce() -> D) -> Outcome<T> {
        self.ok_or_else(|| Failure(what().to_string()))
    }
}
