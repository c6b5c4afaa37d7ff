//! Entries in words: `10.0.0.1,tcp:80 timeout 60`.

use std::net::IpAddr;

use ringlink::codec::Text;
use ringlink::codec::netfilter::Family;
use ringlink::codec::netfilter::ipset::{
    COMMENT_MAX, DataFlags, EntryView, NAME_MAX, Part, SetType, SkbMark, SkbPriority, Storage, TIMEOUT_MAX,
};
use ringlink::codec::table::HardwareAddress;

use super::{Known, ports};
use crate::arguments::{Words, hardware, number};
use crate::failure::Failure;
use crate::output::{Formatted, Output, Show, decimal};

/// An entry as words have it, to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draft<'w> {
    /// The word that says what it is.
    pub(super) word: &'w str,
    /// Which of many it is, counted from 1.
    pub(super) line: u32,
    entry: EntryView<'w>,
    mac: Option<[u8; 6]>,
}

impl Draft<'_> {
    /// What is sent.
    pub(super) fn entry(&self, line: Option<u32>) -> EntryView<'_> {
        EntryView { ether: self.mac.as_ref().map(|mac| HardwareAddress(mac)), line, ..self.entry }
    }

    /// Bytes that it takes in a message, or a few more.
    pub(super) fn room(&self) -> usize {
        let EntryView { ip, ip_to, ip2, ip2_to, interface, name, name_reference, comment, .. } = &self.entry;
        let addresses = [ip, ip_to, ip2, ip2_to].into_iter().flatten().count();
        let texts = [interface, name, name_reference, comment].into_iter().flatten();
        // An address takes at most 24 bytes, text a header, a NUL and padding; the fields of fixed size take 116.
        24 * addresses + texts.map(|text| text.as_bytes().len() + 8).sum::<usize>() + 120
    }
}

/// Reads an entry and what stands behind it.
pub(super) fn read<'w>(words: &mut Words<'w, &str>, known: Known, line: u32) -> Result<Draft<'w>, Failure> {
    let word = words.value("an entry")?;
    let mut draft = Draft { word, line, entry: EntryView::default(), mac: None };
    parts(&mut draft, known).map_err(Failure::Usage)?;
    while let Some(word) = words.next() {
        option(&mut draft.entry, word, words, known)?;
    }
    Ok(draft)
}

/// Reads the parts of an entry.
fn parts(draft: &mut Draft<'_>, known: Known) -> Result<(), String> {
    let Known { kind, family } = known;
    let word = draft.word;
    let count = word.split(',').count();
    // Of a bitmap's addresses, those of hardware may be learnt from packets.
    let may_lack = kind.storage == Storage::Bitmap && kind.parts.len() == 2 && count == 1;
    if count != kind.parts.len() && !may_lack {
        return Err(format!("`{word}`: an entry of {} has {}, {count} found", kind.name, expected(kind)));
    }
    let mut first = true;
    for (word, part) in word.split(',').zip(kind.parts) {
        match part {
            Part::Ip | Part::Net => {
                let (ip, to, bits) = addresses(unbracketed(word), family)?;
                let entry = &mut draft.entry;
                if std::mem::take(&mut first) {
                    (entry.ip, entry.ip_to, entry.cidr) = (Some(ip), to, bits);
                } else if *part == Part::Ip && (to.is_some() || bits.is_some()) {
                    return Err(format!("`{word}`: expected one address; only the first part may be a range"));
                } else {
                    (entry.ip2, entry.ip2_to, entry.cidr2) = (Some(ip), to, bits);
                }
            }
            Part::Port => {
                let ports = ports::read(word)?;
                draft.entry.port = Some(ports.first);
                draft.entry.port_to = ports.last;
                // A bitmap keeps ports alone.
                draft.entry.proto = (kind.storage == Storage::Hash).then_some(ports.proto);
            }
            Part::Mac => {
                let mac = hardware(word).and_then(|bytes| <[u8; 6]>::try_from(bytes).ok());
                draft.mac =
                    Some(mac.ok_or_else(|| format!("`{word}`: expected a hardware address (02:00:00:00:00:01)"))?);
            }
            Part::Mark => {
                draft.entry.mark =
                    Some(number(word).ok_or_else(|| format!("`{word}`: expected a mark (0 to 0xffffffff)"))?);
            }
            Part::Interface => {
                let (physical, name) = match word.strip_prefix("physdev:") {
                    Some(name) => (DataFlags::PHYSDEV, name),
                    None => (DataFlags::default(), word),
                };
                if name.is_empty() || name.len() > 15 {
                    return Err(format!("`{word}`: expected an interface's name, of at most 15 bytes"));
                }
                draft.entry.interface = Some(Text::new(name));
                draft.entry.flags = draft.entry.flags | physical;
            }
            Part::Set => draft.entry.name = Some(Text::new(set_name(word)?)),
        }
    }
    Ok(())
}

/// What the entries of a type are made of, in words.
fn expected(kind: &SetType) -> String {
    let names: Vec<&str> = kind
        .parts
        .iter()
        .map(|part| match part {
            Part::Ip => "an address",
            Part::Net => "an address or prefix",
            Part::Port => "a port",
            Part::Mac => "a hardware address",
            Part::Mark => "a mark",
            Part::Interface => "an interface",
            Part::Set => "a set",
        })
        .collect();
    match names.len() {
        1 => format!("1 part ({})", names[0]),
        count => format!("{count} parts ({}), with commas between them", names.join(", ")),
    }
}

fn set_name(word: &str) -> Result<&str, String> {
    if word.is_empty() || word.len() > NAME_MAX {
        return Err(format!("`{word}`: expected a set's name, of at most {NAME_MAX} bytes"));
    }
    Ok(word)
}

/// ipset(8) wants brackets around names with dashes; around addresses they say nothing.
fn unbracketed(word: &str) -> &str {
    word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word)
}

/// Reads `ADDRESS`, `ADDRESS-ADDRESS` or `ADDRESS/BITS`.
pub(super) fn addresses(word: &str, family: Family) -> Result<(IpAddr, Option<IpAddr>, Option<u8>), String> {
    if let Some((ip, bits)) = word.split_once('/') {
        let ip = address(ip, family)?;
        let most = if ip.is_ipv4() { 32 } else { 128 };
        let bits = number::<u8>(bits).filter(|bits| *bits <= most);
        let bits =
            bits.ok_or_else(|| format!("`{word}`: expected a prefix length from 0 to {most} behind the slash"))?;
        return Ok((ip, None, Some(bits)));
    }
    match word.split_once('-') {
        Some((first, last)) => Ok((address(first, family)?, Some(address(last, family)?), None)),
        None => Ok((address(word, family)?, None, None)),
    }
}

/// Reads an address of the set's family.
pub(super) fn address(word: &str, family: Family) -> Result<IpAddr, String> {
    let (expected, other) = match family {
        Family::IPV6 => ("an IPv6 address", "IPv4"),
        _ => ("an IPv4 address", "IPv6"),
    };
    match word.parse::<IpAddr>() {
        Ok(ip) if ip.is_ipv6() == (family == Family::IPV6) => Ok(ip),
        Ok(_) => Err(format!("`{word}`: expected {expected}, of which the set is; this is one of {other}")),
        Err(_) => Err(format!("`{word}`: expected {expected}")),
    }
}

/// Reads what stands behind an entry.
fn option<'w>(entry: &mut EntryView<'w>, word: &str, words: &mut Words<'w, &str>, known: Known) -> Result<(), Failure> {
    let kind = known.kind;
    let nets = || kind.has(Part::Net);
    let flag = |entry: &mut EntryView<'w>, flag| entry.flags = entry.flags | flag;
    match word {
        "timeout" => entry.timeout = Some(timeout(words)?),
        "packets" => entry.packets = Some(words.number()?),
        "bytes" => entry.bytes = Some(words.number()?),
        "comment" => {
            let comment = words.parse("a comment of at most 255 bytes, without quotation marks", |word| {
                (word.len() <= COMMENT_MAX && !word.contains('"')).then_some(word)
            })?;
            entry.comment = Some(Text::new(comment));
        }
        "skbmark" => entry.skb_mark = Some(words.parse("a mark, or a mark and a mask (0x1/0xff)", skb_mark)?),
        "skbprio" => entry.skb_priority = Some(words.parse("a class (1:10, in hexadecimal)", skb_priority)?),
        "skbqueue" => entry.skb_queue = Some(words.number()?),
        "nomatch" if nets() => flag(entry, DataFlags::NOMATCH),
        "wildcard" if kind.has(Part::Interface) => flag(entry, DataFlags::IFACE_WILDCARD),
        "before" | "after" if kind.has(Part::Set) => {
            let beside = words.value("a set's name")?;
            entry.name_reference = Some(Text::new(set_name(beside).map_err(Failure::Usage)?));
            if word == "before" {
                flag(entry, DataFlags::BEFORE);
            }
        }
        "nomatch" | "wildcard" | "before" | "after" => {
            return Err(Failure::Usage(format!("`{word}`: entries of {} have no such option", kind.name)));
        }
        _ => {
            return Err(words.refuse(
                "timeout, packets, bytes, comment, skbmark, skbprio, skbqueue, nomatch, wildcard, before or after",
            ));
        }
    }
    Ok(())
}

/// The next word as a timeout.
pub(super) fn timeout(words: &mut Words<'_, &str>) -> Result<u32, Failure> {
    words.parse("seconds, from 0 to 2147483", |word| number(word).filter(|seconds| *seconds <= TIMEOUT_MAX))
}

fn skb_mark(word: &str) -> Option<SkbMark> {
    match word.split_once('/') {
        Some((mark, mask)) => Some(SkbMark { mark: number(mark)?, mask: number(mask)? }),
        None => Some(SkbMark { mark: number(word)?, mask: u32::MAX }),
    }
}

fn skb_priority(word: &str) -> Option<SkbPriority> {
    let half = |digits: &str| u16::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'));
    let (major, minor) = word.split_once(':')?;
    Some(SkbPriority { major: half(major)?, minor: half(minor)? })
}

/// Appends what an entry is, as ipset(8) prints it.
pub(super) fn show(bytes: &mut Vec<u8>, entry: &EntryView<'_>, kind: Option<&SetType>) {
    // A type of a newer kernel: what there is, in the order that types have.
    const ANY: &[Part] = &[Part::Net, Part::Port, Part::Net, Part::Mac, Part::Interface, Part::Mark, Part::Set];
    let start = bytes.len();
    let mut first = true;
    for part in kind.map_or(ANY, |kind| kind.parts) {
        let end = bytes.len();
        if end > start {
            bytes.push(b',');
        }
        let comma = bytes.len();
        match part {
            Part::Ip | Part::Net => match std::mem::take(&mut first) {
                true => net(bytes, entry.ip, entry.cidr),
                false => net(bytes, entry.ip2, entry.cidr2),
            },
            Part::Port => match (entry.proto, entry.port) {
                (Some(proto), Some(port)) => ports::show(bytes, proto, port),
                (None, Some(port)) => port.show(bytes),
                _ => {}
            },
            Part::Mac => {
                if let Some(HardwareAddress(mac)) = entry.ether {
                    for (at, byte) in mac.iter().enumerate() {
                        let colon = if at > 0 { ":" } else { "" };
                        Formatted(format_args!("{colon}{byte:02X}")).show(bytes);
                    }
                }
            }
            Part::Mark => {
                if let Some(mark) = entry.mark {
                    Formatted(format_args!("0x{mark:08x}")).show(bytes);
                }
            }
            Part::Interface => {
                if entry.interface.is_some() && entry.flags.contains(DataFlags::PHYSDEV) {
                    bytes.extend_from_slice(b"physdev:");
                }
                bytes.extend_from_slice(entry.interface.unwrap_or_default().as_bytes());
            }
            Part::Set => bytes.extend_from_slice(entry.name.unwrap_or_default().as_bytes()),
        }
        if bytes.len() == comma {
            bytes.truncate(end);
        }
    }
}

/// Appends an address, and how many bits count unless all do.
fn net(bytes: &mut Vec<u8>, ip: Option<IpAddr>, bits: Option<u8>) {
    let Some(ip) = ip else { return };
    ip.show(bytes);
    let all = if ip.is_ipv4() { 32 } else { 128 };
    if let Some(bits) = bits.filter(|bits| *bits != all) {
        bytes.push(b'/');
        decimal(bytes, u64::from(bits));
    }
}

/// Prints what stands behind an entry.
pub(super) fn options(row: &mut Output, entry: &EntryView<'_>) {
    if let Some(seconds) = entry.timeout {
        row.field("timeout", "timeout", seconds);
    }
    if entry.flags.contains(DataFlags::NOMATCH) {
        row.yes("nomatch", "nomatch");
    }
    if entry.flags.contains(DataFlags::IFACE_WILDCARD) {
        row.yes("wildcard", "wildcard");
    }
    if let Some(packets) = entry.packets {
        row.field("packets", "packets", packets);
    }
    if let Some(bytes) = entry.bytes {
        row.field("bytes", "bytes", bytes);
    }
    if let Some(comment) = entry.comment {
        row.json("comment", comment);
        row.word("comment \"");
        row.glue(comment);
        row.glue("\"");
    }
    match entry.skb_mark {
        Some(SkbMark { mark, mask: u32::MAX }) => row.field("skbmark", "skbmark", Formatted(format_args!("{mark:#x}"))),
        Some(SkbMark { mark, mask }) => {
            row.field("skbmark", "skbmark", Formatted(format_args!("{mark:#x}/{mask:#x}")));
        }
        None => {}
    }
    if let Some(SkbPriority { major, minor }) = entry.skb_priority {
        row.field("skbprio", "skbprio", Formatted(format_args!("{major:x}:{minor:x}")));
    }
    if let Some(queue) = entry.skb_queue {
        row.field("skbqueue", "skbqueue", queue);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(kind: &str, family: Family, line: &str) -> Result<String, String> {
        let words: Vec<&str> = line.split(' ').collect();
        let known = Known { kind: SetType::named(kind).unwrap(), family };
        let draft = read(&mut Words::new(&words), known, 1).map_err(|failure| failure.to_string())?;
        let mut bytes = Vec::new();
        show(&mut bytes, &draft.entry(None), Some(known.kind));
        Ok(String::from_utf8(bytes).unwrap())
    }

    #[test]
    fn entries_are_read_and_shown() {
        for (kind, family, word, shown) in [
            ("hash:ip", Family::IPV4, "10.0.0.1", "10.0.0.1"),
            ("hash:ip", Family::IPV6, "2001:db8::1", "2001:db8::1"),
            ("hash:net", Family::IPV4, "10.0.0.0/8", "10.0.0.0/8"),
            ("hash:net", Family::IPV4, "10.0.0.1/32", "10.0.0.1"),
            ("hash:ip,port,net", Family::IPV4, "10.0.0.1,udp:53,10.0.0.0/24", "10.0.0.1,udp:53,10.0.0.0/24"),
            ("bitmap:port", Family::UNSPEC, "tcp:80", "80"),
            ("bitmap:ip,mac", Family::IPV4, "10.0.0.1", "10.0.0.1"),
            ("bitmap:ip,mac", Family::IPV4, "10.0.0.1,2:0:0:0:0:a", "10.0.0.1,02:00:00:00:00:0A"),
            ("hash:net,iface", Family::IPV4, "10.0.0.0/8,physdev:eth0", "10.0.0.0/8,physdev:eth0"),
            ("hash:ip,mark", Family::IPV4, "10.0.0.1,0x63", "10.0.0.1,0x00000063"),
            ("hash:mac", Family::UNSPEC, "02:00:00:00:00:01", "02:00:00:00:00:01"),
            ("list:set", Family::UNSPEC, "other", "other"),
        ] {
            assert_eq!(entry(kind, family, word).as_deref(), Ok(shown));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (kind, line, told) in [
            ("hash:ip", "10.0.0.300", "`10.0.0.300`: expected an IPv4 address"),
            ("hash:ip", "::1", "`::1`: expected an IPv4 address, of which the set is; this is one of IPv6"),
            ("hash:net", "10.0.0.0/33", "`10.0.0.0/33`: expected a prefix length from 0 to 32 behind the slash"),
            (
                "hash:ip,port",
                "10.0.0.1",
                "`10.0.0.1`: an entry of hash:ip,port has 2 parts (an address, a port), with commas between them, 1 found",
            ),
            ("hash:ip", "1.1.1.1,2", "`1.1.1.1,2`: an entry of hash:ip has 1 part (an address), 2 found"),
            ("hash:mac", "02:00", "`02:00`: expected a hardware address (02:00:00:00:00:01)"),
            (
                "hash:ip,port,ip",
                "1.1.1.1,1,2.2.2.2-3.3.3.3",
                "`2.2.2.2-3.3.3.3`: expected one address; only the first part may be a range",
            ),
            (
                "hash:net,iface",
                "1.1.1.1,an-interface-too-long",
                "`an-interface-too-long`: expected an interface's name, of at most 15 bytes",
            ),
            ("hash:ip", "1.1.1.1 nomatch", "`nomatch`: entries of hash:ip have no such option"),
            ("hash:ip", "1.1.1.1 timeout 2147484", "`2147484` after `timeout`: expected seconds, from 0 to 2147483"),
            ("hash:ip", "1.1.1.1 skbprio 1", "`1` after `skbprio`: expected a class (1:10, in hexadecimal)"),
            (
                "hash:ip",
                "1.1.1.1 comment",
                "the line ends after `comment`: expected a comment of at most 255 bytes, without quotation marks",
            ),
        ] {
            assert_eq!(entry(kind, Family::IPV4, line).unwrap_err(), told);
        }
    }
}
