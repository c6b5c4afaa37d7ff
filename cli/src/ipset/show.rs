//! `ipset list` and `save`.

use std::net::IpAddr;

use ringlink::codec::netfilter::ipset::{
    CommandFlags, DataFlags, EntryView, IpSet, Part, Range, Set, SetHeader, SetMessage, SetType, SetView, Storage,
};
use ringlink::codec::netfilter::{Family, NetfilterHeader};
use ringlink::codec::table::Body;

use super::{Flags, Sets, element, end, head, name, refusal};
use crate::arguments::Words;
use crate::failure::Failure;
use crate::output::{Formatted, Output};

/// Prints a set, or all.
pub(super) fn run(sets: &mut Sets<'_>, words: &mut Words<'_, &str>, flags: Flags<'_>) -> Result<(), Failure> {
    let set = words.peek().is_some().then(|| name(words)).transpose()?;
    end(words)?;
    let version = sets.version;
    let wanted = match (flags.name, flags.terse) {
        (true, _) => Some(CommandFlags::LIST_SETNAME),
        (_, true) => Some(CommandFlags::LIST_HEADER),
        _ => None,
    };
    let session = &mut *sets.session;
    let gathered = session.gather(IpSet::LIST, NetfilterHeader::default(), |request| {
        head(request, version, set);
        request.put_some(Set::FLAGS, wanted);
    });
    let gathered = gathered.map_err(|failure| match (failure, set) {
        (Failure::Library(error), Some(set)) => refusal::of_set(error, set),
        (failure, _) => failure,
    })?;
    let messages: Vec<Body<'_, SetMessage>> = gathered.iter().collect();
    let output = &mut session.output;
    let mut rest = messages.as_slice();
    while let Some(first) = rest.first() {
        // A set that does not fit one message goes on in the next ones, which do not name its type.
        let starts = |body: &Body<'_, SetMessage>| body.attributes.get(Set::TYPENAME).is_ok_and(|kind| kind.is_some());
        let length = match flags.name {
            true => 1,
            false => rest.iter().skip(1).position(starts).map_or(rest.len(), |at| at + 1),
        };
        let (parts, behind) = rest.split_at(length);
        rest = behind;
        let view = SetView::read(*first)?;
        if flags.name {
            output.row(|row| row.field("name", "", view.name));
            continue;
        }
        let entries = entries(parts, flags.sorted)?;
        match flags.save && !output.is_json() {
            true => save(output, &view, &entries),
            false => list(output, &view, &entries, flags.terse),
        }
        if output.is_broken() {
            break;
        }
    }
    session.finish()
}

/// The entries that a set's messages tell of.
fn entries<'m>(parts: &[Body<'m, SetMessage>], sorted: bool) -> Result<Vec<EntryView<'m>>, Failure> {
    let mut entries = Vec::new();
    for part in parts {
        for entry in SetView::read(*part)?.entries() {
            entries.push(entry?);
        }
    }
    if sorted {
        entries.sort_by(|one: &EntryView<'_>, two| order(one).cmp(&order(two)));
    }
    Ok(entries)
}

/// What entries are sorted by: first the addresses, by number.
fn order<'e>(entry: &EntryView<'e>) -> impl Ord + use<'e> {
    let EntryView { ip, cidr, proto, port, ip2, cidr2, mark, ether, interface, name, .. } = *entry;
    (ip, cidr, (proto, port), (ip2, cidr2), mark, ether.map(|ether| ether.0), interface, name)
}

/// Prints a set for people, as `ipset list` does.
fn list(output: &mut Output, set: &SetView<'_>, entries: &[EntryView<'_>], terse: bool) {
    if !output.is_json() && output.rows() > 0 {
        output.row(|_| {});
    }
    let kind = set.kind.and_then(|kind| SetType::named(kind.to_str()?));
    let how = set.header.unwrap_or_default();
    output.row(|row| {
        row.field("name", "Name:", set.name);
        row.line("");
        row.field("type", "Type:", set.kind.unwrap_or_default());
        row.line("");
        row.field("revision", "Revision:", set.revision);
        row.line("");
        row.word("Header:");
        row.object("header", |row| {
            header(row, set, &how, kind);
            row.line("");
            row.field("memsize", "Size in memory:", how.memory);
            row.line("");
            row.field("references", "References:", how.references);
            row.line("");
            row.field("numentries", "Number of entries:", how.elements);
        });
        if terse {
            return;
        }
        row.line("");
        row.word("Members:");
        let mut elem = Vec::new();
        row.list("members", |list| {
            for entry in entries {
                list.line("");
                list.entry(|row| member(row, entry, kind, &mut elem));
            }
        });
    });
}

/// Prints what makes a set again, as `ipset save` does.
fn save(output: &mut Output, set: &SetView<'_>, entries: &[EntryView<'_>]) {
    let kind = set.kind.and_then(|kind| SetType::named(kind.to_str()?));
    output.row(|row| {
        row.word("create");
        row.word(set.name);
        row.word(set.kind.unwrap_or_default());
        header(row, set, &set.header.unwrap_or_default(), kind);
    });
    let mut elem = Vec::new();
    for entry in entries {
        output.row(|row| {
            row.word("add");
            row.word(set.name);
            member(row, entry, kind, &mut elem);
        });
    }
}

/// An entry; `elem` is a buffer for what it is.
fn member(row: &mut Output, entry: &EntryView<'_>, kind: Option<&SetType>, elem: &mut Vec<u8>) {
    elem.clear();
    element::show(elem, entry, kind);
    row.field("elem", "", elem.as_slice());
    element::options(row, entry);
}

/// What a set is made with, in the order in which ipset(8) prints it.
fn header(row: &mut Output, set: &SetView<'_>, how: &SetHeader, kind: Option<&SetType>) {
    match how.range {
        Some(Range::Addresses(first, last)) => {
            row.field("range", "range", Formatted(format_args!("{first}-{last}")));
        }
        Some(Range::Ports(first, last)) => row.field("range", "range", Formatted(format_args!("{first}-{last}"))),
        None => {}
    }
    // A type that this program does not know has a family where the kernel tells one of a hash.
    if kind.map_or(how.hash_size.is_some() && set.family != Family::UNSPEC, SetType::is_of_family) {
        row.field("family", "family", if set.family == Family::IPV6 { "inet6" } else { "inet" });
    }
    if let Some(mask) = how.mark_mask {
        row.field("markmask", "markmask", Formatted(format_args!("0x{mask:08x}")));
    }
    number(row, "hashsize", how.hash_size);
    number(row, "maxelem", how.max_elements);
    number(row, "size", how.size);
    // They came later to sets of several parts, and stand last there.
    let masks_last = kind.is_some_and(|kind| kind.storage == Storage::Hash && kind.parts != [Part::Ip]);
    if !masks_last {
        masks(row, how.netmask, how.bitmask);
    }
    number(row, "timeout", how.timeout);
    for (flag, word) in [
        (DataFlags::WITH_COUNTERS, "counters"),
        (DataFlags::WITH_COMMENT, "comment"),
        (DataFlags::WITH_FORCEADD, "forceadd"),
        (DataFlags::WITH_SKBINFO, "skbinfo"),
    ] {
        if how.flags.contains(flag) {
            row.yes(word, word);
        }
    }
    number(row, "bucketsize", how.bucket_size.map(u32::from));
    if let Some(initval) = how.initval {
        row.field("initval", "initval", Formatted(format_args!("0x{initval:08x}")));
    }
    if masks_last {
        masks(row, how.netmask, how.bitmask);
    }
}

fn number(row: &mut Output, word: &'static str, number: Option<u32>) {
    if let Some(number) = number {
        row.field(word, word, number);
    }
}

fn masks(row: &mut Output, netmask: Option<u8>, bitmask: Option<IpAddr>) {
    number(row, "netmask", netmask.map(u32::from));
    if let Some(mask) = bitmask {
        row.field("bitmask", "bitmask", mask);
    }
}
