//! Names of the network namespaces that have ids in this one.

use std::collections::HashMap;
use std::fs::{self, File};
use std::os::fd::AsRawFd;

use ringlink::codec::route::{GeneralHeader, Namespace, Rtm};

use super::known::Known;

/// Where `ip netns add` and its kin mount namespaces.
const FOLDER: &str = "/run/netns";

/// Names of the network namespaces that have ids in this one: asked for all at once when the first is needed.
#[derive(Default)]
pub(super) struct Namespaces {
    names: Option<HashMap<i32, String>>,
}

impl Namespaces {
    /// The name that `ip netns` knows it by.
    pub(super) fn name(&mut self, known: &mut Known, id: i32) -> Option<&str> {
        self.names.get_or_insert_with(|| read(known)).get(&id).map(String::as_str)
    }
}

/// Asks for the id of each namespace that has a name. What cannot be had is left out: then the id is printed.
fn read(known: &mut Known) -> HashMap<i32, String> {
    let mut names = HashMap::new();
    let Some(connection) = known.connection() else {
        return names;
    };
    let Ok(entries) = fs::read_dir(FOLDER) else {
        return names;
    };
    for entry in entries.flatten() {
        let Ok(file) = File::open(entry.path()) else { continue };
        let Ok(descriptor) = u32::try_from(file.as_raw_fd()) else {
            continue;
        };
        let header = GeneralHeader::default();
        let reply = connection.get(Rtm::GETNSID, header, |ns| ns.put(Namespace::FD, descriptor));
        let Ok(reply) = reply else { continue };
        if let Ok(Some(id @ 0..)) = reply.body().attributes.get(Namespace::NSID) {
            names.insert(id, entry.file_name().to_string_lossy().into_owned());
        }
    }
    names
}
