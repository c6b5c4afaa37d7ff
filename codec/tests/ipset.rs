//! ipset: sets and entries as a kernel told them, requests as ipset(8) sends them, refusals with names; damage.

#![cfg(target_endian = "little")]

mod support;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ringlink_codec::Text;
use ringlink_codec::netfilter::ipset::*;
use ringlink_codec::netfilter::{Family, NetfilterHeader};
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::NETFILTER;
use ringlink_codec::reply::{Errno, Refusal};
use ringlink_codec::table::{HardwareAddress, Table};
use ringlink_codec::wire::RawAttribute;

const LIST: &str = include_str!("captures/ipset_list.hex");
const ANSWERS: &str = include_str!("captures/ipset_answer.hex");
const REQUESTS: &str = include_str!("captures/ipset_request.hex");
const REFUSALS: &str = include_str!("ipset_captures/refusal.hex");

fn samples() -> Vec<Vec<u8>> {
    [LIST, ANSWERS, REQUESTS, REFUSALS].into_iter().flat_map(support::messages).collect()
}

/// What there is of an entry, in the order of its fields.
fn entry_line(entry: &EntryView<'_>) -> String {
    let mut words = Vec::new();
    let mut some = |name: &str, value: Option<String>| words.extend(value.map(|value| format!("{name}{value}")));
    some("", entry.ip.map(|ip| ip.to_string()));
    some("-", entry.ip_to.map(|ip| ip.to_string()));
    some("/", entry.cidr.map(|bits| bits.to_string()));
    some("proto ", entry.proto.map(|proto| proto.to_string()));
    some("port ", entry.port.map(|port| port.to_string()));
    some("-", entry.port_to.map(|port| port.to_string()));
    some("mark ", entry.mark.map(|mark| mark.to_string()));
    some("2: ", entry.ip2.map(|ip| ip.to_string()));
    some("-", entry.ip2_to.map(|ip| ip.to_string()));
    some("/", entry.cidr2.map(|bits| bits.to_string()));
    some("", entry.ether.map(|ether| ether.to_string()));
    some("dev ", entry.interface.map(|name| name.to_string()));
    some("set ", entry.name.map(|name| name.to_string()));
    some("beside ", entry.name_reference.map(|name| name.to_string()));
    some("", (entry.flags.0 != 0).then(|| entry.flags.to_string()));
    some("timeout ", entry.timeout.map(|seconds| seconds.to_string()));
    some("packets ", entry.packets.map(|count| count.to_string()));
    some("bytes ", entry.bytes.map(|count| count.to_string()));
    some("", entry.comment.map(|text| format!("{text:?}")));
    some("skbmark ", entry.skb_mark.map(|mark| format!("{:#x}/{:#x}", mark.mark, mark.mask)));
    some("skbprio ", entry.skb_priority.map(|class| format!("{:x}:{:x}", class.major, class.minor)));
    some("skbqueue ", entry.skb_queue.map(|queue| queue.to_string()));
    words.join(" ")
}

/// A set on a line, without what changes from one time to the next.
fn set_line(set: &SetView<'_>) -> String {
    let header = set.header.unwrap();
    let mut line = format!("{} {} {} {}", set.name, set.kind.unwrap(), set.revision, set.family);
    let mut some = |name: &str, value: Option<String>| {
        line.extend(value.map(|value| format!(" {name} {value}")));
    };
    some(
        "range",
        header.range.map(|range| match range {
            Range::Addresses(first, last) => format!("{first}-{last}"),
            Range::Ports(first, last) => format!("{first}-{last}"),
        }),
    );
    some("hashsize", header.hash_size.map(|size| size.to_string()));
    some("maxelem", header.max_elements.map(|most| most.to_string()));
    some("bucketsize", header.bucket_size.map(|size| size.to_string()));
    some("size", header.size.map(|size| size.to_string()));
    some("netmask", header.netmask.map(|bits| bits.to_string()));
    some("bitmask", header.bitmask.map(|mask| mask.to_string()));
    some("timeout", header.timeout.map(|seconds| seconds.to_string()));
    some("with", (header.flags.0 != 0).then(|| header.flags.to_string()));
    some("elements", Some(header.elements.to_string()));
    some("references", Some(header.references.to_string()));
    line
}

fn expect(found: &[String], expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

#[test]
fn captured_sets() {
    let mut lines = Vec::new();
    let mut indices = Vec::new();
    for sample in support::messages(LIST) {
        let set = SetView::read(Message::parse(&sample).unwrap().body(IpSet::LIST).unwrap()).unwrap();
        assert!(set.header.unwrap().memory > 0);
        indices.extend(set.index);
        lines.push(set_line(&set));
        let mut entries: Vec<String> = set.entries().map(|entry| entry_line(&entry.unwrap())).collect();
        entries.sort();
        lines.extend(entries);
    }
    assert_eq!(indices.len(), 13);
    expect(
        &lines,
        r#"
        bip bitmap:ip 3 IPV4 range 10.0.0.0-10.0.0.255 netmask 28 timeout 1000 with WITH_COUNTERS|WITH_COMMENT|WITH_SKBINFO elements 1 references 0
        10.0.0.16 timeout 0 packets 5 bytes 6 "hi" skbmark 0x10/0xff skbprio 1:10 skbqueue 3
        bipmac bitmap:ip,mac 3 IPV4 range 10.0.0.0-10.0.0.99 elements 2 references 0
        10.0.0.1 02:00:00:00:00:0a
        10.0.0.2
        bport bitmap:port 3 UNSPEC range 0-1000 elements 2 references 0
        port 80
        port 81
        hip hash:ip 6 IPV4 hashsize 64 maxelem 1000 bucketsize 4 netmask 30 timeout 1000 with WITH_COUNTERS|WITH_COMMENT|WITH_FORCEADD|WITH_SKBINFO elements 1 references 1
        10.0.0.4 timeout 0 packets 5 bytes 6 "hi" skbmark 0x10/0xff skbprio 1:10 skbqueue 3
        hip6 hash:ip 6 IPV6 hashsize 1024 maxelem 65536 bucketsize 12 elements 1 references 0
        2001:db8::1
        hipb hash:ip 6 IPV4 hashsize 1024 maxelem 65536 bucketsize 12 bitmask 255.255.0.255 elements 1 references 0
        10.1.0.3
        hipport hash:ip,port 7 IPV4 hashsize 64 maxelem 1000 bucketsize 4 elements 2 references 0
        10.0.0.1 proto 1 port 2048
        10.0.0.1 proto 17 port 53
        hipportip hash:ip,port,ip 6 IPV4 hashsize 64 maxelem 1000 bucketsize 4 elements 4 references 0
        10.0.0.1 proto 136 port 1 2: 10.0.0.9
        10.0.0.1 proto 136 port 2 2: 10.0.0.9
        10.0.0.2 proto 136 port 1 2: 10.0.0.9
        10.0.0.2 proto 136 port 2 2: 10.0.0.9
        hipportnet hash:ip,port,net 8 IPV4 hashsize 64 maxelem 1000 bucketsize 4 elements 1 references 0
        10.0.0.1 proto 6 port 1 2: 10.9.0.0 /16 NOMATCH
        hnet hash:net 7 IPV4 hashsize 64 maxelem 1000 bucketsize 4 timeout 1000 with WITH_COUNTERS|WITH_COMMENT|WITH_SKBINFO elements 4 references 1
        10.10.0.0 /29 timeout 999 packets 0 bytes 0
        10.10.0.10 /32 timeout 999 packets 0 bytes 0
        10.10.0.8 /31 timeout 999 packets 0 bytes 0
        10.9.0.0 /16 NOMATCH timeout 0 packets 5 bytes 6 "hi" skbmark 0x10/0xff skbprio 1:10 skbqueue 3
        hnetiface hash:net,iface 8 IPV4 hashsize 64 maxelem 1000 bucketsize 4 elements 2 references 0
        10.9.0.0 /16 dev eth0 NOMATCH
        10.9.0.0 /16 dev eth1 PHYSDEV|IFACE_WILDCARD
        hnetport hash:net,port 8 IPV6 hashsize 1024 maxelem 65536 bucketsize 12 elements 1 references 0
        2001:db8:: /32 proto 58 port 32768
        lset list:set 3 UNSPEC size 4 elements 2 references 0
        set hip
        set hnet
    "#,
    );
}

#[test]
fn captured_answers() {
    let answers = support::messages(ANSWERS);
    let messages: Vec<Message<'_>> = answers.iter().map(|bytes| Message::parse(bytes).unwrap()).collect();
    let header = SetView::read(messages[0].body(IpSet::HEADER).unwrap()).unwrap();
    assert_eq!((header.name, header.kind.unwrap()), (Text::new("hip"), Text::new("hash:ip")));
    assert_eq!((header.revision, header.family), (6, Family::IPV4));
    let kind = messages[1].body(IpSet::TYPE).unwrap().attributes;
    assert_eq!(kind.read((Kind::REVISION_MIN, Kind::REVISION)).unwrap(), (Some(0), Some(7)));
    let protocol = messages[2].body(IpSet::PROTOCOL).unwrap().attributes;
    assert_eq!(protocol.read((Set::PROTOCOL_MIN, Set::PROTOCOL)).unwrap(), (Some(VERSION_MIN), Some(VERSION)));
    let index = messages[3].body(IpSet::GET_BYNAME).unwrap().attributes;
    assert_eq!(index.get(Set::INDEX).unwrap(), Some(3));
    let name = messages[4].body(IpSet::GET_BYINDEX).unwrap().attributes;
    assert!(name.get(Set::SETNAME).unwrap().is_some_and(|name| name == "hip"));
}

/// The attributes of a run, without padding, sorted, and nests likewise: ipset(8) has an order of its own.
fn sorted(run: ringlink_codec::wire::RawAttributes<'_>) -> Vec<(u16, Vec<u8>)> {
    let mut attributes: Vec<_> = run
        .map(|raw| {
            let raw = raw.unwrap();
            let bytes = match raw.kind & RawAttribute::NESTED {
                0 => raw.payload.bytes.to_vec(),
                _ => {
                    format!("{:?}", sorted(ringlink_codec::wire::RawAttributes::new(raw.payload.bytes, 0))).into_bytes()
                }
            };
            (raw.kind, bytes)
        })
        .collect();
    attributes.sort();
    attributes
}

#[test]
fn entries_are_written_as_ipset_writes_them() {
    let mut count = 0;
    for sample in support::messages(REQUESTS) {
        let message = Message::parse(&sample).unwrap();
        let kind = message.header.kind;
        if ![IpSet::ADD.kind, IpSet::DEL.kind, IpSet::TEST.kind].contains(&kind) {
            continue;
        }
        let change = Body::<ChangeMessage>::of(message).attributes;
        let (version, name, data) = change.read((Change::PROTOCOL, Change::SETNAME, Change::DATA)).unwrap();
        let entry = EntryView::read(data.unwrap()).unwrap();
        let mut buffer = Buffer::<512>::new();
        let again = buffer.message(IpSet::ADD, NetfilterHeader::of(Family::IPV4), |change| {
            change.put_some(Change::PROTOCOL, version);
            change.put_some(Change::SETNAME, name);
            change.nest(Change::DATA, |data| entry.write(data));
        });
        let again = Message::parse(again.unwrap()).unwrap();
        assert_eq!(sorted(again.raw_attributes(4)), sorted(message.raw_attributes(4)), "{}", message.tree(&NETFILTER));
        count += 1;
    }
    assert!(count > 15, "{count}");
}

/// An entry with something in each field.
fn full() -> EntryView<'static> {
    EntryView {
        ip: Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 1))),
        ip_to: Some(IpAddr::V4(Ipv4Addr::new(10, 0, 0, 9))),
        cidr: Some(24),
        ip2: Some(IpAddr::V6(Ipv6Addr::LOCALHOST)),
        ip2_to: Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        cidr2: Some(128),
        proto: Some(6),
        port: Some(80),
        port_to: Some(90),
        mark: Some(0x1234_5678),
        ether: Some(HardwareAddress(&[2, 0, 0, 0, 0, 1])),
        interface: Some(Text::new("eth0")),
        name: Some(Text::new("one")),
        name_reference: Some(Text::new("two")),
        flags: DataFlags::BEFORE | DataFlags::NOMATCH,
        timeout: Some(TIMEOUT_MAX),
        packets: Some(1 << 40),
        bytes: Some(1 << 41),
        comment: Some(Text::new("why not")),
        skb_mark: Some(SkbMark { mark: 0x10, mask: 0xff }),
        skb_priority: Some(SkbPriority { major: 1, minor: 0x10 }),
        skb_queue: Some(3),
        line: Some(137),
    }
}

fn write(buffer: &mut [u8]) -> Result<usize, Error> {
    let written = IpSet::ADD.exclusive().write(buffer, NetfilterHeader::default(), |change| {
        change.put(Change::PROTOCOL, VERSION);
        change.put(Change::SETNAME, "s");
        change.nest(Change::ADT, |entries| {
            entries.nest(Entries::DATA, |data| full().write(data));
            entries.nest(Entries::DATA, |data| EntryView { line: Some(138), ..full() }.write(data));
        });
        change.put(Change::LINENO, 0);
    });
    written.map(|bytes| bytes.len())
}

#[test]
fn every_field_of_an_entry_goes_there_and_back() {
    let mut buffer = [0; 1024];
    let length = write(&mut buffer).unwrap();
    let bytes = buffer[..length].to_vec();
    let message = Message::parse(&bytes).unwrap();
    let entries = message.body(IpSet::ADD).unwrap().attributes.get(Change::ADT).unwrap().unwrap();
    let read: Vec<EntryView<'_>> =
        entries.all(Entries::DATA).map(|entry| EntryView::read(entry.unwrap()).unwrap()).collect();
    assert_eq!(format!("{:?}", read[0]), format!("{:?}", full()));
    assert_eq!((read.len(), read[1].line), (2, Some(138)));
    let tree = message.tree(&NETFILTER).to_string();
    assert!(tree.contains("IPSET_ATTR_CADT_FLAGS: BEFORE|NOMATCH") && !tree.contains("error"), "{tree}");
    for short in 0..length {
        let error = write(&mut buffer[..short]).unwrap_err();
        assert_eq!(error.needed(), Some(u32::try_from(length).unwrap()));
    }
}

#[test]
fn numbers_say_their_byte_order() {
    let mut buffer = Buffer::<128>::new();
    let bytes = buffer.message(IpSet::CREATE, NetfilterHeader::default(), |set| {
        set.nest(Set::DATA, |create| {
            create.put(Create::HASHSIZE, 0x0102_0304);
            create.put(Create::CADT_FLAGS, DataFlags::WITH_COUNTERS);
            create.put(Create::PORT, 80);
            create.put(Create::MARKMASK_WANTED, 0xff);
            create.put(Create::NETMASK, 24);
            create.nest(Create::IP, |ip| Ip::write(ip, Ipv6Addr::LOCALHOST.into()));
        });
    });
    let data = Message::parse(bytes.unwrap()).unwrap().body(IpSet::CREATE).unwrap().attributes.get(Set::DATA).unwrap();
    let raw: Vec<(u16, &[u8])> =
        data.unwrap().raw().map(|raw| raw.map(|raw| (raw.kind, raw.payload.bytes)).unwrap()).collect();
    assert_eq!(raw[0], (0x4012, &[1, 2, 3, 4][..]));
    assert_eq!(raw[1], (0x4008, &[0, 0, 0, 8][..]));
    assert_eq!(raw[2], (0x4004, &[0, 80][..]));
    assert_eq!(raw[3], (0x400b, &[0, 0, 0, 0xff][..]));
    assert_eq!(raw[4], (0x0014, &[24][..]));
    assert_eq!((raw[5].0, &raw[5].1[..4]), (0x8001, &[20, 0, 2, 0x40][..]));
}

#[test]
fn refusals_have_names() {
    let refusals = support::messages(REFUSALS);
    let refusal = |at: usize| Refusal::of_error(Message::parse(&refusals[at]).unwrap()).unwrap();
    assert_eq!((refusal(0).to_string(), failed_line(&refusal(0))), ("IPSET_ERR_EXIST".into(), Some(42)));
    assert_eq!((refusal(1).to_string(), failed_line(&refusal(1))), ("NOENT".into(), None));
    let named = "IPSET_ERR_HASH_FULL or IPSET_ERR_BITMAP_RANGE or IPSET_ERR_NAME";
    assert_eq!((refusal(2).to_string(), failed_line(&refusal(2))), (named.into(), None));
    let name = |number, storage| NamedRefusal::of(Errno(number), storage).map(|named| named.to_string());
    assert_eq!(name(17, None), None);
    assert_eq!(name(4352, Some(Storage::Bitmap)).as_deref(), Some("IPSET_ERR_BITMAP_RANGE"));
    assert_eq!(name(4353, Some(Storage::Hash)).as_deref(), Some("IPSET_ERR_HASH_ELEM"));
    assert_eq!(name(4357, Some(Storage::List)).as_deref(), Some("IPSET_ERR_REF_EXIST"));
    assert_eq!(name(4357, Some(Storage::Bitmap)).as_deref(), Some("IPSET_ERR_4357"));
    assert_eq!(name(4100, Some(Storage::Hash)).as_deref(), Some("IPSET_ERR_BUSY"));
    assert_eq!(name(4300, None).as_deref(), Some("IPSET_ERR_4300"));
}

#[test]
fn types_say_what_entries_are_made_of() {
    for kind in TYPES {
        assert!(SetType::named(kind.name).is_some_and(|named| named == kind));
        let (storage, parts) = kind.name.split_once(':').unwrap();
        assert_eq!(storage, format!("{:?}", kind.storage).to_lowercase());
        assert_eq!(parts.split(',').count(), kind.parts.len());
    }
    assert_eq!(SetType::named("hash:ipp"), None);
    let family = |name| SetType::named(name).map(|kind| (kind.is_of_family(), kind.family()));
    assert_eq!(family("hash:net,iface"), Some((true, Family::IPV4)));
    assert_eq!(family("hash:mac"), Some((false, Family::UNSPEC)));
    assert_eq!(family("bitmap:ip,mac"), Some((false, Family::IPV4)));
    assert_eq!(family("bitmap:port"), Some((false, Family::UNSPEC)));
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    // The two largest sets, a request and an answer of each type, all refusals.
    let mut types = std::collections::BTreeSet::new();
    let mut chosen: Vec<_> = samples().into_iter().filter(|sample| types.insert(sample[4])).collect();
    let mut sets = support::messages(LIST);
    sets.sort_by_key(Vec::len);
    chosen.extend(sets.into_iter().rev().take(2));
    chosen.extend(support::messages(REFUSALS));
    assert!(chosen.len() > 15);
    for sample in chosen {
        let mut read = 0_usize;
        support::every_damage(&sample, |bytes| {
            let Ok(message) = Message::parse(bytes) else { return };
            read += message.tree(&NETFILTER).to_string().len();
            if let Ok(set) = SetView::read(Body::of(message)) {
                read += set.entries().filter(Result::is_ok).count();
            }
            if let Some(refusal) = Refusal::of_error(message) {
                read += refusal.to_string().len();
                read += usize::from(failed_line(&refusal).is_some());
                read += refusal.path(message, Change::space(), 4).steps().len();
            }
            let change = Body::<ChangeMessage>::of(message).attributes;
            if let Ok(Some(entry)) = change.get(Change::DATA) {
                read += usize::from(EntryView::read(entry).is_ok());
            }
        });
        assert!(read > 0);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let mut buffer = Buffer::<128>::new();
    let bytes = buffer.message(IpSet::LIST, NetfilterHeader::default(), |set| {
        set.put(Set::SETNAME, "a");
        set.nest(Set::ADT, |entries| {
            entries.nest(Entries::DATA, |data| data.put_raw(Entry::PORT.number(), &[1, 2, 3]));
            entries.nest(Entries::DATA, |data| data.put(Entry::PORT, 7));
        });
    });
    let message = Message::parse(bytes.unwrap()).unwrap();
    let set = SetView::read(message.body(IpSet::LIST).unwrap()).unwrap();
    assert!(set.kind.is_none() && set.header.is_none());
    let entries: Vec<_> = set.entries().collect();
    let error = entries[0].as_ref().unwrap_err();
    assert_eq!((error.name, error.offset), ("IPSET_ATTR_PORT", 16 + 4 + 8 + 4 + 4 + 4));
    // One that cannot be read hides no other.
    assert_eq!(entries[1].as_ref().map(|entry| entry.port).ok(), Some(Some(7)));
}
