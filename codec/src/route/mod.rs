//! Interfaces, addresses, routes, neighbours and rules (rtnetlink(7)).
mod message;
pub use message::*;
mod link;
pub use link::*;
