//! The same work, done the way of each library: one file each.
//!
//! A file has what a user of that library would write who wants it quick: the library's cheapest way through a dump
//! that still decodes, its largest sensible receive buffer. What a library cannot do it leaves out, and then it does not
//! take part there.

mod bare;
mod fleet;
mod own;

pub use own::{
    address as read_address, heavy_route, link as read_link, neighbour as read_neighbour, route as read_route,
    rule as read_rule,
};

#[cfg(feature = "peers")]
mod awaited;
#[cfg(feature = "peers")]
mod neli;
#[cfg(feature = "peers")]
mod netlink_bindings;
#[cfg(feature = "peers")]
mod nlink;
#[cfg(feature = "peers")]
mod rtnetlink;

use std::ops::Range;
use std::path::PathBuf;

use crate::Outcome;
use crate::object::{Object, Tally};

/// A library at work, in a process of its own.
pub trait Library {
    /// Dumps a table over a socket that stays open.
    fn dump(&mut self, _object: Object) -> Outcome<Tally> {
        Err(missing("dumps"))
    }

    /// Opens a socket, dumps a table, closes the socket.
    fn dump_once(&mut self, _object: Object) -> Outcome<Tally> {
        Err(missing("dumps from a fresh socket"))
    }

    /// Dumps all routes, and for each does work that takes time: so many passes of [`heavy`](crate::object::heavy).
    fn dump_heavily(&mut self, _passes: u32) -> Outcome<Tally> {
        Err(missing("dumps with much to do"))
    }

    /// Joins the group of IPv4 route events. What it opens gets a large receive buffer afterwards
    /// ([`enlarge_receive_buffers`]).
    fn listen(&mut self) -> Outcome {
        Err(missing("events"))
    }

    /// Receives events until there were so many, or until the [last](crate::scene::LAST) one. Counts lost events as the
    /// difference; a socket that overran is no error.
    fn events(&mut self, _until: Until) -> Outcome<Tally> {
        Err(missing("events"))
    }

    /// Asks for the route to each of these addresses.
    fn look_up(&mut self, _addresses: Range<u32>) -> Outcome<Tally> {
        Err(missing("look-ups"))
    }

    /// Adds or deletes the routes with these numbers.
    fn change(&mut self, _change: Change, _numbers: Range<u32>) -> Outcome<Tally> {
        Err(missing("changes"))
    }

    /// Dumps every object in each of these namespaces.
    fn namespaces(&mut self, _files: &[PathBuf]) -> Outcome<Tally> {
        Err(missing("namespaces"))
    }
}

/// When a consumer of events is done.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// After so many.
    Count(u64),
    /// After the event that says so.
    Last,
}

impl Until {
    /// Whether this was it.
    #[inline]
    #[must_use]
    pub fn reached(self, items: u64, protocol: u8) -> bool {
        match self {
            Until::Count(count) => items >= count,
            Until::Last => protocol == crate::scene::LAST,
        }
    }
}

/// What is done to routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// They are added.
    Add,
    /// They are deleted.
    Delete,
}

/// The libraries by the names that results give them.
///
/// # Errors
///
/// Where there is none of that name, or this was built without the peers.
pub fn open(name: &str) -> Outcome<Box<dyn Library>> {
    let (library, way) = name.split_once(' ').unwrap_or((name, ""));
    Ok(match library {
        "bare" => bare::open(way)?,
        #[cfg(feature = "peers")]
        "ringlink" if way.starts_with("tokio") => awaited::open(way.trim_start_matches("tokio"))?,
        "ringlink" => match way.strip_prefix("fleet") {
            Some(way) => fleet::open(way)?,
            None => own::open(way)?,
        },
        #[cfg(feature = "peers")]
        "rtnetlink" => Box::new(rtnetlink::Rtnetlink::open()?),
        #[cfg(feature = "peers")]
        "neli" => Box::new(neli::Neli::open()?),
        #[cfg(feature = "peers")]
        "netlink-socket2" => Box::new(netlink_bindings::NetlinkBindings::open()?),
        #[cfg(feature = "peers")]
        "nlink" => Box::new(nlink::Nlink::open()?),
        _ => return Err(format!("no library is named {name}").into()),
    })
}

/// Whether [`open`] knows this name.
pub fn exists(name: &str) -> bool {
    let peers = cfg!(feature = "peers");
    match name.split(' ').next().unwrap_or_default() {
        "bare" | "ringlink" => true,
        "rtnetlink" | "neli" | "netlink-socket2" | "nlink" => peers,
        _ => false,
    }
}

fn missing(what: &str) -> Box<dyn std::error::Error> {
    format!("this library has no {what} here").into()
}

/// Gives every netlink socket of this process so large a receive buffer, in bytes: not all libraries have a call for it.
pub fn enlarge_receive_buffers(bytes: i32) -> Outcome {
    for entry in std::fs::read_dir("/proc/self/fd")? {
        let Some(descriptor) = entry?.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let mut domain = 0_i32;
        let mut length: libc::socklen_t = 4;
        // SAFETY: both pointers are to locals of the right size; what is no socket is refused.
        let known = unsafe {
            libc::getsockopt(descriptor, libc::SOL_SOCKET, libc::SO_DOMAIN, (&raw mut domain).cast(), &raw mut length)
        };
        if known == 0 && domain == libc::AF_NETLINK {
            // SAFETY: the option's value is an int that lives through the call.
            unsafe {
                libc::setsockopt(descriptor, libc::SOL_SOCKET, libc::SO_RCVBUFFORCE, (&raw const bytes).cast(), 4)
            };
        }
    }
    Ok(())
}
