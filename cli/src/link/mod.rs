//! Interfaces: `ringlink link show`, `list`, `add`, `set`, `del`, `property`.

mod rows;
mod show;

mod row;
mod statistics;
mod vf;

mod kinds;
mod bond;
mod bridge;
mod tunnels;
mod vxlan;

mod fields;

mod known;
mod namespaces;

use ringlink::codec::route::Link;
use ringlink::codec::table::AttributeWriter;

use crate::arguments::{Words, keyword};
use crate::failure::Failure;
use crate::session::Session;

pub(crate) use rows::Rows;

/// What `ringlink link help` says.
pub(crate) const HELP: &str = "\
";

/// Verbs in the order in which `ip` takes abbreviations.
const VERBS: &[&str] = &["add", "set", "change", "replace", "delete", "show", "list", "property", "help"];

/// Does what the words say.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else { return show::show(session, words) };
    match keyword(word, VERBS) {
        Some("show" | "list") => show::show(session, words),
        _ => Err(words.refuse("show, add, set, del or property")),
    }
}

/// Writes the name of an interface that is there: longer than 15 bytes, it can only be an alternative name.
fn put_name(link: &mut AttributeWriter<'_, '_, Link>, name: &str) {
    if name.len() <= 15 {
        link.put(Link::IFNAME, name);
    } else {
        link.put(Link::ALT_IFNAME, name);
    }
}
