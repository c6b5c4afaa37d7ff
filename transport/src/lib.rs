//! Typed netlink over io_uring: batched, allocation-free dumps, requests and events.
//!
//! The floors, lowest first: [`socket`] (with [`namespace`]) opens one netlink socket, an [`engine`] moves datagrams over it.

#[cfg(not(target_os = "linux"))]
compile_error!("netlink is Linux's");

pub mod error;

pub mod namespace;

pub mod namespaces;

pub mod socket;

pub mod engine;

pub mod connection;

pub mod fleet;

pub mod generic;

pub mod sockets;

pub mod audit;

pub mod monitor;

pub mod processes;

pub mod packets;

pub mod watch;

pub mod shared;

pub mod server;

pub mod probe;

#[cfg(feature = "tokio1")]
pub mod tokio;

#[cfg(miri)]
#[path = "../tests/played/mod.rs"]
mod played;
mod sys;
mod uring;

pub use ringlink_codec as codec;

pub use connection::{Config, Connection};
pub use engine::EngineChoice;
pub use error::{Error, Refused};
pub use fleet::Fleet;
pub use monitor::Monitor;
pub use namespace::Namespace;
pub use server::Server;
pub use socket::{Protocol, SocketOptions};

/// The README's snippets, compiled and, but for the one that changes interfaces, run.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;
