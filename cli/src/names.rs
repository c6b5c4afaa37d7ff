//! Names of numbers: interfaces from one dump of the kernel's, the rest from constants and the files that `ip` reads.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::fs;
use std::path::Path;

use ringlink::Connection;
use ringlink::codec::Text;
use ringlink::codec::route::{ExtMask, Link, LinkHeader, Rtm};

use crate::failure::Failure;
use crate::output::{Kind, Output, Show, decimal};

/// Where administrators name numbers, and where distributions do.
const FOLDERS: [&str; 2] = ["/etc/iproute2", "/usr/share/iproute2"];

/// Names of numbers.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// Interfaces' names by index, as far as indices are small; the others are in `far`.
    near: Vec<Box<[u8]>>,
    far: HashMap<u32, Box<[u8]>>,
    protocols: OnceCell<Numbers>,
    tables: OnceCell<Numbers>,
    scopes: OnceCell<Numbers>,
    realms: OnceCell<Numbers>,
    classes: OnceCell<Numbers>,
    groups: OnceCell<Numbers>,
    marks: OnceCell<Numbers>,
}

/// The largest index, plus one, that is looked up by place.
const NEAR: u32 = 1 << 16;

impl Names {
    /// Learns the names of all interfaces. Without them, interfaces are named by their indices (`if7`).
    pub(crate) fn learn(&mut self, connection: &mut Connection) -> Result<(), Failure> {
        // Without statistics and virtual functions (`RTEXT_FILTER_SKIP_STATS`), which a name does not need.
        let mut dump = connection.dump(Rtm::GETLINK, LinkHeader::default(), |link| {
            link.put(Link::EXT_MASK, ExtMask::SKIP_STATS);
        })?;
        while let Some(link) = dump.next()? {
            if let (Ok(index), Some(name)) = (u32::try_from(link.header.index), link.attributes.get(Link::IFNAME)?) {
                self.insert(index, name);
            }
        }
        Ok(())
    }

    /// Learns the name of one interface.
    pub(crate) fn ask(&mut self, connection: &mut Connection, index: u32) -> Result<(), Failure> {
        let header = LinkHeader { index: i32::try_from(index).unwrap_or(0), ..LinkHeader::default() };
        let reply = connection.get(Rtm::GETLINK, header, |link| link.put(Link::EXT_MASK, ExtMask::SKIP_STATS))?;
        if let Some(name) = reply.body().attributes.get(Link::IFNAME)? {
            self.insert(index, name);
        }
        Ok(())
    }

    /// Keeps the name of an interface.
    pub(crate) fn insert(&mut self, index: u32, name: Text<'_>) {
        let name: Box<[u8]> = name.as_bytes().into();
        match usize::try_from(index) {
            Ok(place) if index < NEAR => {
                if self.near.len() <= place {
                    self.near.resize_with(place + 1, Box::default);
                }
                self.near[place] = name;
            }
            _ => drop(self.far.insert(index, name)),
        }
    }

    /// The index of an interface by its name.
    pub(crate) fn index(&self, name: &str) -> Option<u32> {
        let near = self.near.iter().position(|known| **known == *name.as_bytes());
        let far = || self.far.iter().find(|(_, known)| ***known == *name.as_bytes()).map(|(index, _)| *index);
        near.and_then(|place| u32::try_from(place).ok()).or_else(far)
    }

    /// An interface by its index.
    #[inline]
    pub(crate) fn interface(&self, index: u32) -> InterfaceName<'_> {
        let near = usize::try_from(index).ok().and_then(|place| self.near.get(place)).map(Box::as_ref);
        let name = near.or_else(|| self.far.get(&index).map(Box::as_ref)).unwrap_or_default();
        InterfaceName { name, index }
    }

    /// Who made a route or rule (`rt_protos`).
    pub(crate) fn protocols(&self) -> &Numbers {
        self.protocols.get_or_init(|| Numbers::load("rt_protos", PROTOCOLS))
    }

    /// Routing tables (`rt_tables`).
    pub(crate) fn tables(&self) -> &Numbers {
        self.tables.get_or_init(|| Numbers::load("rt_tables", TABLES))
    }

    /// How far addresses and destinations are (`rt_scopes`).
    pub(crate) fn scopes(&self) -> &Numbers {
        self.scopes.get_or_init(|| Numbers::load("rt_scopes", SCOPES))
    }

    /// Realms (`rt_realms`).
    pub(crate) fn realms(&self) -> &Numbers {
        self.realms.get_or_init(|| Numbers::load("rt_realms", &[(0, "unknown")]))
    }

    /// Values of the traffic class byte (`rt_dsfield`).
    pub(crate) fn classes(&self) -> &Numbers {
        self.classes.get_or_init(|| Numbers::load("rt_dsfield", &[(0, "0")]))
    }

    /// Groups of interfaces (`group`).
    pub(crate) fn groups(&self) -> &Numbers {
        self.groups.get_or_init(|| Numbers::load("group", &[(0, "default")]))
    }

    /// Marks of packets (`rt_marks`).
    pub(crate) fn marks(&self) -> &Numbers {
        self.marks.get_or_init(|| Numbers::load("rt_marks", &[]))
    }
}

const PROTOCOLS: &[(u32, &str)] = &[
    (0, "unspec"),
    (1, "redirect"),
    (2, "kernel"),
    (3, "boot"),
    (4, "static"),
    (8, "gated"),
    (9, "ra"),
    (10, "mrt"),
    (11, "zebra"),
    (12, "bird"),
    (13, "dnrouted"),
    (14, "xorp"),
    (15, "ntk"),
    (16, "dhcp"),
    (17, "mrouted"),
    (18, "keepalived"),
    (42, "babel"),
    (99, "openr"),
    (186, "bgp"),
    (187, "isis"),
    (188, "ospf"),
    (189, "rip"),
    (192, "eigrp"),
];

const TABLES: &[(u32, &str)] = &[(253, "default"), (254, "main"), (255, "local")];

const SCOPES: &[(u32, &str)] = &[(0, "global"), (200, "site"), (253, "link"), (254, "host"), (255, "nowhere")];

/// Numbers with names: those up to 255 by place, since a dump looks one up for each row.
#[derive(Debug)]
pub(crate) struct Numbers {
    low: Vec<Box<str>>,
    high: HashMap<u32, Box<str>>,
}

impl Numbers {
    /// The names that are built in, and those of the files over them.
    fn load(file: &str, known: &[(u32, &str)]) -> Self {
        let mut numbers = Self { low: vec![Box::default(); 256], high: HashMap::new() };
        for (number, name) in known {
            numbers.insert(*number, name);
        }
        // What the administrator names hides what the distribution names, file by file.
        if let Some(folder) = FOLDERS.map(Path::new).into_iter().find(|folder| folder.join(file).exists()) {
            numbers.read(&folder.join(file));
        }
        for folder in FOLDERS {
            let Ok(entries) = fs::read_dir(Path::new(folder).join(format!("{file}.d"))) else {
                continue;
            };
            for path in entries.flatten().map(|entry| entry.path()) {
                if path.extension().is_some_and(|extension| extension == "conf") {
                    numbers.read(&path);
                }
            }
        }
        numbers
    }

    /// Lines of a number and a name; a number may begin with `0x`, a line with `#` is a comment.
    fn read(&mut self, path: &Path) {
        let text = fs::read(path).unwrap_or_default();
        for line in String::from_utf8_lossy(&text).lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            if let (Some(number), Some(name)) = (words.next().and_then(crate::arguments::number), words.next()) {
                self.insert(number, name);
            }
        }
    }

    fn insert(&mut self, number: u32, name: &str) {
        match usize::try_from(number).ok().and_then(|place| self.low.get_mut(place)) {
            Some(place) => *place = name.into(),
            None => drop(self.high.insert(number, name.into())),
        }
    }

    /// A number by its name; without one, the number.
    #[inline]
    pub(crate) fn name(&self, number: impl Into<u32>) -> Name<'_> {
        let number = number.into();
        let low = usize::try_from(number).ok().and_then(|place| self.low.get(place));
        let name = low.or_else(|| self.high.get(&number)).map(Box::as_ref).unwrap_or_default();
        Name { name, number }
    }

    /// The number with this name, or the number that the word is.
    pub(crate) fn number(&self, word: &str) -> Option<u32> {
        if word.is_empty() {
            return None;
        }
        let low = self.low.iter().position(|name| **name == *word).and_then(|place| u32::try_from(place).ok());
        let high = || self.high.iter().find(|(_, name)| ***name == *word).map(|(number, _)| *number);
        low.or_else(high).or_else(|| crate::arguments::number(word))
    }
}

/// A number with or without a name: text in JSON, as `ip` has it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Name<'n> {
    /// Empty for none.
    pub(crate) name: &'n str,
    /// The number.
    pub(crate) number: u32,
}

impl Show for Name<'_> {
    const KIND: Kind = Kind::Text;

    #[inline]
    fn show(&self, bytes: &mut Vec<u8>) {
        match self.name {
            "" => decimal(bytes, u64::from(self.number)),
            name => bytes.extend_from_slice(name.as_bytes()),
        }
    }
}

/// An interface with or without a name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InterfaceName<'n> {
    /// Empty for none.
    pub(crate) name: &'n [u8],
    /// The index.
    pub(crate) index: u32,
}

impl Show for InterfaceName<'_> {
    const KIND: Kind = Kind::Text;

    fn colour(&self) -> crate::output::Colour {
        crate::output::Colour::Interface
    }

    #[inline]
    fn show(&self, bytes: &mut Vec<u8>) {
        match (self.name, self.index) {
            ([], 0) => bytes.push(b'*'),
            ([], index) => {
                bytes.extend_from_slice(b"if");
                decimal(bytes, u64::from(index));
            }
            (name, _) => bytes.extend_from_slice(name),
        }
    }
}

/// A realm, or two: `from` in the upper half, `to` in the lower. The keys are those of JSON.
pub(crate) fn realms(row: &mut Output, names: &Names, flow: u32, [from_key, to_key]: [&'static str; 2]) {
    let (from, to) = (flow >> 16, flow & 0xffff);
    if from != 0 {
        row.field(from_key, "", names.realms().name(from));
        row.glue("/");
        row.tight();
    }
    row.field(to_key, "", names.realms().name(to));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_names_both_ways() {
        let tables = Numbers::load("no-such-file", TABLES);
        assert_eq!((tables.name(254_u32).name, tables.name(7_u32).name), ("main", ""));
        assert_eq!(
            (tables.number("main"), tables.number("100000"), tables.number("nosuch")),
            (Some(254), Some(100_000), None)
        );
        assert_eq!(tables.number(""), None);
    }

    #[test]
    fn interfaces_are_found_by_small_and_large_indices() {
        let mut names = Names::default();
        names.insert(3, Text::new("v0"));
        names.insert(1_000_000, Text::new("far"));
        assert_eq!(names.interface(3).name, b"v0");
        assert_eq!(names.interface(1_000_000).name, b"far");
        assert_eq!(names.interface(2).name, b"");
    }
}
