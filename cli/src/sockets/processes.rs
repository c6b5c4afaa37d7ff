//! Which processes have which sockets, as `/proc` has it.

use std::collections::HashMap;
use std::fs;
use std::rc::Rc;

/// Processes by their sockets' inodes.
#[derive(Debug, Default)]
pub(super) struct Processes(HashMap<u32, Vec<Descriptor>>);

/// A socket in a process's hands.
#[derive(Debug)]
pub(super) struct Descriptor {
    /// The process's name.
    pub(super) name: Rc<str>,
    /// Its number.
    pub(super) process: u32,
    /// The descriptor.
    pub(super) descriptor: u32,
}

impl Processes {
    /// Looks through the descriptors of all processes, once. Those that may not be looked at are left out.
    pub(super) fn read() -> Self {
        let mut processes = Self::default();
        for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
            if let Some(process) = entry.file_name().to_str().and_then(|name| name.parse().ok()) {
                processes.look_at(process);
            }
        }
        processes
    }

    fn look_at(&mut self, process: u32) {
        let mut name: Option<Rc<str>> = None;
        for entry in fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten() {
            let Some(inode) = fs::read_link(entry.path()).ok().and_then(|link| inode(link.to_str()?)) else { continue };
            let Some(descriptor) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else { continue };
            let name = name.get_or_insert_with(|| name_of(process).into());
            let found = Descriptor { name: Rc::clone(name), process, descriptor };
            self.0.entry(inode).or_default().push(found);
        }
    }

    /// Who has the socket with this inode.
    pub(super) fn of(&self, inode: u32) -> &[Descriptor] {
        self.0.get(&inode).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The inode in `socket:[4711]`.
fn inode(link: &str) -> Option<u32> {
    link.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

fn name_of(process: u32) -> String {
    let bytes = fs::read(format!("/proc/{process}/comm")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).trim_end_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sockets_are_told_from_other_files() {
        assert_eq!(inode("socket:[4711]"), Some(4711));
        assert_eq!(inode("pipe:[4711]"), None);
        assert_eq!(inode("/tmp/socket:[1"), None);
    }

    #[test]
    fn this_process_is_found() {
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let inode = fs::read_link(format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&one))).unwrap();
        let inode = super::inode(inode.to_str().unwrap()).unwrap();
        let processes = Processes::read();
        assert!(processes.of(inode).iter().any(|found| found.process == std::process::id()));
    }
}
