//! Control groups by their inodes.

use std::collections::HashMap;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where the unified hierarchy is mounted.
pub(super) fn mount() -> Option<PathBuf> {
    let mounts = fs::read_to_string("/proc/self/mounts").ok()?;
    mounts.lines().find_map(|line| {
        let mut words = line.split(' ').skip(1);
        let (path, kind) = (words.next()?, words.next()?);
        (kind == "cgroup2").then(|| PathBuf::from(path))
    })
}

/// The paths of all control groups below the mount, by inode.
pub(super) fn paths() -> HashMap<u64, Box<[u8]>> {
    let mut paths = HashMap::new();
    if let Some(mount) = mount() {
        walk(&mount, &mount, &mut paths);
    }
    paths
}

fn walk(mount: &Path, folder: &Path, paths: &mut HashMap<u64, Box<[u8]>>) {
    let Ok(group) = fs::symlink_metadata(folder) else { return };
    let below = folder.strip_prefix(mount).unwrap_or(folder).as_os_str().as_bytes();
    paths.insert(group.ino(), [b"/", below].concat().into());
    // One that is gone meanwhile has nothing in it.
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            walk(mount, &entry.path(), paths);
        }
    }
}
