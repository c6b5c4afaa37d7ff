//! Network namespaces, by name, path, process or descriptor.
//!
//! A [`Namespace`] is an open descriptor of one namespace, so it cannot disappear or be exchanged for another between
//! being found and being used. Opening a socket in it ([`SocketOptions::namespace`](crate::socket::SocketOptions)) does
//! not move the caller: a thread that lives only for that enters the namespace, opens the socket there and ends. The
//! socket belongs to its namespace for good. This module does not make or delete namespaces.
//!
//! ```
//! use ringlink::namespace::Namespace;
//!
//! let here = Namespace::current()?;
//! assert!(here.is_same(&Namespace::pid(std::process::id())?)?);
//! assert!(Namespace::name("no such namespace").is_err());
//! # Ok::<(), ringlink::error::Error>(())
//! ```

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use crate::error::{Error, NamespaceProblem};
use crate::sys;

/// Where `ip netns add` and its kin mount namespaces; the second is the older name of the first.
pub(crate) const DIRECTORIES: [&str; 2] = ["/run/netns", "/var/run/netns"];

/// One network namespace, held open (network_namespaces(7)). A clone shares the descriptor.
#[derive(Clone, Debug)]
pub struct Namespace {
    descriptor: Arc<OwnedFd>,
}

impl Namespace {
    /// The namespace that `ip netns` knows by this name.
    pub fn name(name: &str) -> Result<Namespace, Error> {
        if name.is_empty() || name == "." || name == ".." || name.contains('/') {
            return Err(failed(NamespaceProblem::BadName, &io::Error::from_raw_os_error(libc::EINVAL)));
        }
        let mut failure = io::Error::from_raw_os_error(libc::ENOENT);
        for directory in DIRECTORIES {
            match File::open(Path::new(directory).join(name)) {
                Ok(file) => return Namespace::descriptor(file.into()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => failure = error,
            }
        }
        Err(failed(NamespaceProblem::Name, &failure))
    }

    /// The namespace whose file this is, for instance `/proc/1/ns/net`.
    pub fn path(path: impl AsRef<Path>) -> Result<Namespace, Error> {
        match File::open(path.as_ref()) {
            Ok(file) => Namespace::descriptor(file.into()),
            Err(error) => Err(failed(NamespaceProblem::Path, &error)),
        }
    }

    /// The namespace of the process with this id. Needs the right to trace it (ptrace(2)) unless it is one's own.
    pub fn pid(pid: u32) -> Result<Namespace, Error> {
        match File::open(format!("/proc/{pid}/ns/net")) {
            Ok(file) => Namespace::descriptor(file.into()),
            Err(error) => Err(failed(NamespaceProblem::Process { pid }, &error)),
        }
    }

    /// The namespace this descriptor is of; fails when it is of anything else.
    pub fn descriptor(descriptor: OwnedFd) -> Result<Namespace, Error> {
        if sys::is_network_namespace(descriptor.as_fd()) {
            Ok(Namespace { descriptor: Arc::new(descriptor) })
        } else {
            Err(failed(NamespaceProblem::NotANamespace, &io::Error::from_raw_os_error(libc::EINVAL)))
        }
    }

    /// The namespace the calling thread is in.
    pub fn current() -> Result<Namespace, Error> {
        Namespace::path("/proc/thread-self/ns/net")
    }

    /// The names that `ip netns list` would show, sorted; empty when there are none or nobody ever made one.
    pub fn names() -> Result<Vec<OsString>, Error> {
        let mut names = Vec::new();
        for directory in DIRECTORIES {
            match fs::read_dir(directory) {
                Ok(entries) => {
                    for entry in entries {
                        names.push(entry.map_err(|error| Error::from_io("readdir", &error))?.file_name());
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(Error::from_io("opendir", &error)),
            }
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    /// Whether both are the same namespace (same file: device and inode).
    pub fn is_same(&self, other: &Namespace) -> Result<bool, Error> {
        Ok(self.identity()? == other.identity()?)
    }

    /// The device and inode numbers of the namespace's file: what `/proc/PID/ns/net` points to.
    pub fn identity(&self) -> Result<(u64, u64), Error> {
        let metadata = self
            .descriptor
            .try_clone()
            .and_then(|descriptor| File::from(descriptor).metadata())
            .map_err(|error| Error::from_io("fstat", &error))?;
        Ok((metadata.dev(), metadata.ino()))
    }

    /// Runs `task` in this namespace, in a thread that lives only for it, and returns what it returned.
    ///
    /// The caller's own thread stays where it is. `task` must not leave anything behind in its thread.
    pub(crate) fn run<T: Send>(&self, task: impl FnMut() -> Result<T, Error> + Send) -> Result<T, Error> {
        run_in_each(std::slice::from_ref(self), task)?.pop().unwrap_or(Err(Error::NoAnswer))
    }

    fn enter(&self) -> Result<(), Error> {
        sys::enter_network_namespace(self.as_fd()).map_err(|error| failed(NamespaceProblem::Enter, &error))
    }
}

/// Runs `task` in each of these namespaces, in one thread that lives only for it, and returns what it returned in each.
pub(crate) fn run_in_each<T: Send>(
    namespaces: &[Namespace],
    mut task: impl FnMut() -> Result<T, Error> + Send,
) -> Result<Vec<Result<T, Error>>, Error> {
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("ringlink-setns".into())
            .spawn_scoped(scope, || {
                namespaces.iter().map(|namespace| namespace.enter().and_then(|()| task())).collect()
            })
            .map_err(|error| Error::from_io("clone", &error))?
            .join()
            .map_err(|panic| std::panic::resume_unwind(panic))
    })
}

impl AsFd for Namespace {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

fn failed(problem: NamespaceProblem, error: &io::Error) -> Error {
    Error::Namespace { problem, errno: error.raw_os_error().unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_found_is_said() {
        let problems = [
            (Namespace::name("ringlink-absent").map(drop), "no network namespace of that name"),
            (Namespace::name("a/b").map(drop), "has no slash"),
            (Namespace::path("/absent").map(drop), "cannot open"),
            (Namespace::path("/dev/null").map(drop), "not a network namespace"),
            (Namespace::path("/proc/self/ns/uts").map(drop), "not a network namespace"),
            (Namespace::pid(u32::MAX).map(drop), "of process 4294967295"),
        ];
        for (result, text) in problems {
            let error = result.expect_err(text).to_string();
            assert!(error.contains(text), "{error} lacks {text}");
        }
    }

    #[test]
    fn names_never_fail_where_none_were_made() {
        Namespace::names().expect("a list");
    }
}
