//! Typed netlink over io_uring: batched, allocation-free dumps, requests and events.
//!
//! The floors, lowest first: [`socket`] (with [`namespace`]) opens one netlink socket, an [`engine`] moves datagrams over it.

#[cfg(not(target_os = "linux"))]
compile_error!("netlink is Linux's");

pub mod error;

pub mod namespace;

pub mod socket;

pub mod engine;

mod sys;
