//! `ipset create`.

use std::net::IpAddr;

use ringlink::codec::netfilter::ipset::{
    Create, DataFlags, Ip, IpSet, IpSetRefusal, Kind, Part, Set, SetType, Storage, TYPES,
};
use ringlink::codec::netfilter::{Family, NetfilterHeader};
use ringlink::codec::table::AttributeWriter;

use super::{Flags, Known, Sets, element, head, kind, name, ports, refusal, strict};
use crate::arguments::Words;
use crate::failure::Failure;

/// A set to be made.
#[derive(Debug, Default)]
struct Draft {
    addresses: Option<(IpAddr, Option<IpAddr>, Option<u8>)>,
    ports: Option<(u16, u16)>,
    timeout: Option<u32>,
    flags: DataFlags,
    mark_mask: Option<u32>,
    bitmask: Option<IpAddr>,
    netmask: Option<u8>,
    initval: Option<u32>,
    hash_size: Option<u32>,
    max_elements: Option<u32>,
    bucket_size: Option<u8>,
    size: Option<u32>,
}

/// Makes a set.
pub(super) fn run(sets: &mut Sets<'_>, words: &mut Words<'_, &str>, flags: Flags<'_>) -> Result<(), Failure> {
    let set = name(words)?;
    let word = words.value("a type of sets, as `hash:ip`")?;
    let kind = kind(word)?;
    let mut family = kind.family();
    // What a netmask may be hangs on the family, which may stand behind it.
    let mut ahead = words.clone();
    while let Some(word) = ahead.next() {
        match word {
            "-6" => family = Family::IPV6,
            "family" => family = family_named(&mut ahead)?,
            _ => {}
        }
    }
    if sets.session.options.six && kind.is_of_family() {
        family = Family::IPV6;
    }
    if family == Family::IPV6 && !kind.is_of_family() {
        return Err(Failure::Usage(format!("`{}`: sets of this type are of no IPv6 addresses", kind.name)));
    }
    let mut draft = Draft::default();
    while let Some(word) = words.next() {
        draft.read(word, words, kind, family)?;
    }
    if kind.storage == Storage::Bitmap && draft.addresses.is_none() && draft.ports.is_none() {
        return Err(words.refuse_end("range FROM-TO, which a bitmap needs"));
    }
    let revision = revision(sets, kind, family)?;
    draft.check(kind, revision)?;
    let version = sets.version;
    let done = sets.session.connection.apply(strict(IpSet::CREATE, flags), NetfilterHeader::default(), |request| {
        head(request, version, Some(set));
        request.put(Set::TYPENAME, kind.name);
        request.put(Set::REVISION, revision);
        request.put(Set::FAMILY, family);
        request.nest(Set::DATA, |data| draft.put(data));
    });
    done.map_err(|error| refusal::of_new_set(error, set, kind.storage))?;
    sets.known.insert(set.to_owned(), Known { kind, family });
    Ok(())
}

fn family_named(words: &mut Words<'_, &str>) -> Result<Family, Failure> {
    words.parse("inet or inet6", |word| match word {
        "inet" | "ipv4" | "-4" => Some(Family::IPV4),
        "inet6" | "ipv6" | "-6" => Some(Family::IPV6),
        _ => None,
    })
}

/// The newest revision of a type that both the kernel and this program know.
fn revision(sets: &mut Sets<'_>, kind: &SetType, family: Family) -> Result<u8, Failure> {
    let version = sets.version;
    let asked = sets.session.connection.get(IpSet::TYPE, NetfilterHeader::default(), |request| {
        request.put(Kind::PROTOCOL, version);
        request.put(Kind::TYPENAME, kind.name);
        request.put(Kind::FAMILY, family);
    });
    let absent = match &asked {
        Err(error) => error.refused().is_some_and(|refused| refused.errno.0 == IpSetRefusal::FIND_TYPE.0),
        Ok(_) => false,
    };
    if absent {
        drop(asked);
        return Err(absent_type(sets, kind));
    }
    let reply = asked?;
    let (newest, oldest) = reply.body().attributes.read((Kind::REVISION, Kind::REVISION_MIN))?;
    let newest = newest.unwrap_or(0);
    let oldest = oldest.unwrap_or(newest);
    if oldest > kind.revision {
        return Err(Failure::Kernel(format!(
            "this kernel has revisions {oldest} to {newest} of {}, this program knows those up to {}",
            kind.name, kind.revision
        )));
    }
    Ok(newest.min(kind.revision))
}

/// The failure for a type that the kernel lacks; it names those that there are.
fn absent_type(sets: &mut Sets<'_>, kind: &SetType) -> Failure {
    let version = sets.version;
    let there: Vec<&str> = TYPES
        .iter()
        .filter(|other| {
            sets.session
                .connection
                .get(IpSet::TYPE, NetfilterHeader::default(), |request| {
                    request.put(Kind::PROTOCOL, version);
                    request.put(Kind::TYPENAME, other.name);
                    request.put(Kind::FAMILY, other.family());
                })
                .is_ok()
        })
        .map(|other| other.name)
        .collect();
    let module = kind.name.replace(':', "_").replace(',', "");
    Failure::Kernel(format!(
        "this kernel has no sets of type {}: its module ip_set_{module} is not loaded, or was not built; there are {}",
        kind.name,
        if there.is_empty() { "none".to_owned() } else { there.join(", ") }
    ))
}

impl Draft {
    /// Reads an option.
    fn read(&mut self, word: &str, words: &mut Words<'_, &str>, kind: &SetType, family: Family) -> Result<(), Failure> {
        let hash = kind.storage == Storage::Hash;
        match word {
            "timeout" => self.timeout = Some(element::timeout(words)?),
            "counters" => self.flags = self.flags | DataFlags::WITH_COUNTERS,
            "comment" => self.flags = self.flags | DataFlags::WITH_COMMENT,
            "skbinfo" => self.flags = self.flags | DataFlags::WITH_SKBINFO,
            "range" | "from" if kind.storage == Storage::Bitmap => {
                let range = words.value("a range (10.0.0.0/24, 10.0.0.0-10.0.0.9, 0-1023)")?;
                if kind.has(Part::Port) {
                    let range = ports::read(range).map_err(Failure::Usage)?;
                    self.ports = Some((range.first, range.last.unwrap_or(range.first)));
                } else {
                    self.addresses = Some(element::addresses(range, family).map_err(Failure::Usage)?);
                }
            }
            "family" if kind.is_of_family() => drop(family_named(words)?),
            "-6" | "-4" if kind.is_of_family() => {}
            "hashsize" if hash => self.hash_size = Some(words.number()?),
            "maxelem" if hash => self.max_elements = Some(words.number()?),
            "bucketsize" if hash => self.bucket_size = Some(words.number()?),
            "initval" if hash => self.initval = Some(words.number()?),
            "forceadd" if hash => self.flags = self.flags | DataFlags::WITH_FORCEADD,
            "netmask" if kind.netmask_since.is_some() => self.netmask = Some(words.number()?),
            "bitmask" if kind.bitmask_since.is_some() => {
                let mask = words.value("a mask (255.255.0.255)")?;
                self.bitmask = Some(element::address(mask, family).map_err(Failure::Usage)?);
            }
            "markmask" if kind.has(Part::Mark) => self.mark_mask = Some(words.number()?),
            "size" if kind.storage == Storage::List => self.size = Some(words.number()?),
            "range" | "family" | "-4" | "-6" | "hashsize" | "maxelem" | "bucketsize" | "initval" | "forceadd"
            | "netmask" | "bitmask" | "markmask" | "size" => {
                return Err(Failure::Usage(format!("`{word}`: sets of type {} have no such option", kind.name)));
            }
            _ => return Err(words.refuse("an option of the set, as timeout, counters, comment or skbinfo")),
        }
        Ok(())
    }

    /// Refuses what a kernel of this revision would pass over.
    fn check(&self, kind: &SetType, revision: u8) -> Result<(), Failure> {
        for (word, wanted, since) in [
            ("bucketsize", self.bucket_size.is_some(), kind.bucket_since),
            ("initval", self.initval.is_some(), kind.bucket_since),
            ("netmask", self.netmask.is_some(), kind.netmask_since),
            ("bitmask", self.bitmask.is_some(), kind.bitmask_since),
        ] {
            if let Some(since) = since.filter(|since| wanted && revision < *since) {
                let name = kind.name;
                return Err(Failure::Kernel(format!(
                    "`{word}`: this kernel has revision {revision} of {name}, which knows it since revision {since}"
                )));
            }
        }
        Ok(())
    }

    fn put(&self, data: &mut AttributeWriter<'_, '_, Create>) {
        if let Some((first, last, bits)) = self.addresses {
            data.nest(Create::IP, |ip| Ip::write(ip, first));
            if let Some(last) = last {
                data.nest(Create::IP_TO, |ip| Ip::write(ip, last));
            }
            data.put_some(Create::CIDR, bits);
        }
        if let Some((first, last)) = self.ports {
            data.put(Create::PORT, first);
            data.put(Create::PORT_TO, last);
        }
        data.put_some(Create::TIMEOUT, self.timeout);
        if self.flags != DataFlags::default() {
            data.put(Create::CADT_FLAGS, self.flags);
        }
        data.put_some(Create::MARKMASK_WANTED, self.mark_mask);
        if let Some(mask) = self.bitmask {
            data.nest(Create::BITMASK, |ip| Ip::write(ip, mask));
        }
        data.put_some(Create::INITVAL, self.initval);
        data.put_some(Create::HASHSIZE, self.hash_size);
        data.put_some(Create::MAXELEM, self.max_elements);
        data.put_some(Create::NETMASK, self.netmask);
        data.put_some(Create::BUCKETSIZE, self.bucket_size);
        data.put_some(Create::SIZE, self.size);
    }
}
