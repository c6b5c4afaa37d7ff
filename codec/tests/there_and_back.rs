//! What kernels said, taken apart and put together again: the same bytes.

#![cfg(target_endian = "little")]

#[path = "support/again.rs"]
mod again;
mod support;

use again::{Again, again};
use ringlink_codec::generic::{Family, Numbers};
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::{GENERIC, NETFILTER, ROUTE_AND_TRAFFIC, XFRM};

/// Takes a message apart and puts it together again.
fn there_and_back(name: &str, sample: &[u8]) {
    let message = Message::parse(sample).unwrap();
    // A capture of a generic family says in its name which: the number is that which the family had then.
    let family =
        name.strip_prefix("generic_").map(|name| Family::named(name.strip_suffix("_statistics").unwrap_or(name)));
    let numbers = family.map(|family| (message.header.kind.0, family.unwrap()));
    let numbers = Numbers(numbers.as_slice());
    let protocol = match name.split_once('_') {
        _ if family.is_some() => &GENERIC,
        Some(("xfrm", _)) => &XFRM,
        Some(("ipset" | "conntrack" | "nftables", _)) => &NETFILTER,
        _ => &ROUTE_AND_TRAFFIC,
    };
    let Again { bytes, expected } =
        again(message, protocol, numbers).unwrap_or_else(|left| panic!("{name}: {left:?}: {message:?}"));
    let differ = expected.iter().zip(&bytes).position(|(one, two)| one != two);
    assert!(
        differ.is_none() && expected.len() == bytes.len(),
        "{name}: differs at {differ:?}: {}",
        message.tree(protocol).with(numbers)
    );
}

#[test]
fn captures_go_there_and_back() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/captures");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        for sample in support::messages(&std::fs::read_to_string(&path).unwrap()) {
            there_and_back(&name, &sample);
            count += 1;
        }
    }
    assert!(count > 150, "{count}");
}
