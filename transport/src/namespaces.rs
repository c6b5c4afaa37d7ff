//! Which named network namespaces there are, and which id each has here.
//!
//! A socket with [`listen_all_nsid`](crate::SocketOptions::listen_all_nsid) hears the events of every namespace that has an id
//! in its own, and is told the id. [`Namespaces`] maps ids to the names that `ip netns` knows and back, gives ids to
//! namespaces that have none, and notices names that come and go.
//!
//! ```
//! use ringlink::namespaces::{Namespaces, Turn};
//!
//! let mut namespaces = Namespaces::open()?;
//! namespaces.look(|name, turn| {
//!     match turn {
//!         Turn::Appeared => println!("{} is there", name.display()),
//!         Turn::Vanished => println!("{} is gone", name.display()),
//!     }
//! })?;
//! for (name, id) in namespaces.iter() {
//!     println!("{}: {id:?}", name.display());
//! }
//! # Ok::<(), ringlink::Error>(())
//! ```

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use ringlink_codec::route::{GeneralHeader, Namespace as Attribute, Rtm};

use crate::connection::{Config, Connection};
use crate::error::Error;
use crate::namespace::{DIRECTORIES, Namespace};
use crate::socket::Protocol;
use crate::sys;

/// The named network namespaces of this machine, as seen from the caller's. See the [module](self).
pub struct Namespaces {
    connection: Connection,
    /// Readable when a name came or went.
    notifier: OwnedFd,
    /// Whether the folder of names is watched, or only the one in which it will be.
    watched: bool,
    /// Whether nothing was looked at yet.
    fresh: bool,
    known: BTreeMap<OsString, Known>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Known {
    /// Device and inode: another namespace may come by the same name.
    identity: (u64, u64),
    id: Option<i32>,
}

/// What happened to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is there, or stands for another namespace now (then it has vanished first).
    Appeared,
    /// It is gone.
    Vanished,
}

impl fmt::Debug for Namespaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Namespaces").field("known", &self.known).finish_non_exhaustive()
    }
}

impl Namespaces {
    /// Knows none before the first [`look`](Namespaces::look).
    ///
    /// # Errors
    ///
    /// Those of [`Connection::open`], and what `inotify_init1(2)` says.
    pub fn open() -> Result<Namespaces, Error> {
        Namespaces::with(Config::default())
    }

    /// As [`open`](Namespaces::open); the ids are those of the namespace that the configuration names.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::with`], and what `inotify_init1(2)` says.
    pub fn with(config: Config) -> Result<Namespaces, Error> {
        let connection = Connection::with(Protocol::ROUTE, config)?;
        let notifier = sys::notifier()?;
        Ok(Namespaces { connection, notifier, watched: false, fresh: true, known: BTreeMap::new() })
    }

    /// Looks whether names came or went since the last look, and tells which. Where none did this costs one system call;
    /// [`AsFd`] gives the descriptor that is readable when one did.
    ///
    /// # Errors
    ///
    /// What the system says of reading folders and opening namespaces; one that vanished meanwhile is no error.
    pub fn look(&mut self, mut tell: impl FnMut(&OsStr, Turn)) -> Result<(), Error> {
        // Watch first, so that what comes while the names are read is noticed with the next look.
        if !self.watched {
            self.watched = sys::watch_folder(self.notifier.as_fd(), DIRECTORIES[0])?;
            if !self.watched {
                sys::watch_folder(self.notifier.as_fd(), "/run")?;
            }
        }
        if !sys::take_notices(self.notifier.as_fd())? && !self.fresh {
            return Ok(());
        }
        self.fresh = false;
        let mut found = BTreeMap::new();
        for name in Namespace::names()? {
            // A file that is no namespace, or no longer one, is none.
            let Some(namespace) = name.to_str().and_then(|name| Namespace::name(name).ok()) else { continue };
            let identity = namespace.identity()?;
            let id = match self.known.get(&name) {
                Some(known) if known.identity == identity && known.id.is_some() => known.id,
                _ => id_of(&mut self.connection, &namespace)?,
            };
            found.insert(name, Known { identity, id });
        }
        let before = std::mem::replace(&mut self.known, found);
        for (name, known) in &before {
            if self.known.get(name).is_none_or(|now| now.identity != known.identity) {
                tell(name, Turn::Vanished);
            }
        }
        for (name, known) in &self.known {
            if before.get(name).is_none_or(|then| then.identity != known.identity) {
                tell(name, Turn::Appeared);
            }
        }
        Ok(())
    }

    /// The names and ids, by ascending name.
    pub fn iter(&self) -> impl Iterator<Item = (&OsStr, Option<i32>)> {
        self.known.iter().map(|(name, known)| (name.as_os_str(), known.id))
    }

    /// The name of the namespace with this id.
    pub fn name_of(&self, id: i32) -> Option<&OsStr> {
        self.iter().find_map(|(name, other)| (other == Some(id)).then_some(name))
    }

    /// The id of the namespace with this name.
    pub fn id_of(&self, name: &OsStr) -> Option<i32> {
        self.known.get(name)?.id
    }

    /// Gives every known namespace that has none an id of the kernel's choice, so that its events are heard.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] without `CAP_NET_ADMIN`.
    pub fn identify(&mut self) -> Result<(), Error> {
        for (name, known) in self.known.iter_mut().filter(|(_, known)| known.id.is_none()) {
            let Some(namespace) = name.to_str().and_then(|name| Namespace::name(name).ok()) else { continue };
            if namespace.identity()? == known.identity {
                known.id = Some(give_id(&mut self.connection, &namespace, None)?);
            }
        }
        Ok(())
    }
}

impl AsFd for Namespaces {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.notifier.as_fd()
    }
}

/// The id that a namespace has in the connection's, if it has one.
///
/// ```
/// use ringlink::{Connection, Namespace, Protocol, namespaces};
///
/// let mut connection = Connection::open(Protocol::ROUTE)?;
/// println!("this namespace's id in itself: {:?}", namespaces::id_of(&mut connection, &Namespace::current()?)?);
/// # Ok::<(), ringlink::Error>(())
/// ```
///
/// # Errors
///
/// As [`Connection::get`].
pub fn id_of(connection: &mut Connection, namespace: &Namespace) -> Result<Option<i32>, Error> {
    let descriptor = namespace.as_fd().as_raw_fd().unsigned_abs();
    let reply = connection.get(Rtm::GETNSID, GeneralHeader::default(), |ask| ask.put(Attribute::FD, descriptor))?;
    Ok(reply.body().attributes.get(Attribute::NSID)?.filter(|id| *id >= 0))
}

/// Gives a namespace an id in the connection's: this one, or one of the kernel's choice. Returns the id.
///
/// # Errors
///
/// [`Error::Refused`]: without `CAP_NET_ADMIN`, or where it has an id already ([`Error::already_exists`]).
pub fn give_id(connection: &mut Connection, namespace: &Namespace, id: Option<i32>) -> Result<i32, Error> {
    let descriptor = namespace.as_fd().as_raw_fd().unsigned_abs();
    connection.apply(Rtm::NEWNSID, GeneralHeader::default(), |ask| {
        ask.put(Attribute::FD, descriptor);
        ask.put(Attribute::NSID, id.unwrap_or(-1));
    })?;
    id_of(connection, namespace)?.ok_or(Error::NoAnswer)
}
