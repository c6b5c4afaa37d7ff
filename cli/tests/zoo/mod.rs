//! A private network namespace with interfaces of every kind that the kernel can make, from the commands of
//! `links.txt`.

use crate::support::Netns;

/// The commands, one a line.
const LINKS: &str = include_str!("links.txt");

/// Two network namespaces.
pub struct Zoo {
    /// Where the interfaces are.
    pub netns: Netns,
    /// For ends that are elsewhere.
    pub other: Netns,
    /// Commands that the kernel refused, and why.
    pub refused: Vec<(String, String)>,
}

impl Zoo {
    /// Empty namespaces; `None`, said on standard output, where there cannot be any.
    pub fn empty(test: &str) -> Option<Self> {
        Some(Self { netns: Netns::new(test)?, other: Netns::new(test)?, refused: Vec::new() })
    }

    /// Namespaces with all interfaces. What the kernel refuses is listed in `refused`.
    pub fn full(test: &str) -> Option<Self> {
        let mut zoo = Self::empty(test)?;
        for line in LINKS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            if let Err(reason) = zoo.netns.try_ip(&line.replace('@', zoo.other.name())) {
                zoo.refused.push((line.to_owned(), reason));
            }
        }
        Some(zoo)
    }
}

/// The keys of all objects in a JSON text, in the order in which they stand there.
pub fn keys(json: &str) -> Vec<String> {
    let mut keys = Vec::new();
    let mut rest = json;
    while let Some(start) = rest.find('"') {
        let string = &rest[start + 1..];
        let (mut end, mut escaped) = (0, false);
        for (at, character) in string.char_indices() {
            end = at;
            match character {
                '"' if !escaped => break,
                '\\' => escaped = !escaped,
                _ => escaped = false,
            }
        }
        rest = &string[end + 1..];
        if rest.starts_with(':') {
            keys.push(string[..end].to_owned());
        }
    }
    keys
}
