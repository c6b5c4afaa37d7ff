//! Messages written by keys, with values of all kinds: what is written is read by the same keys.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use arbitrary::{Result, Unstructured};
use ringlink::codec::audit::{Sixty4, Syscalls};
use ringlink::codec::generic::ethtool::HashFields;
use ringlink::codec::generic::wireguard::{AllowedIp, Device, Peer, Request};
use ringlink::codec::generic::{CommandHeader, SocketFamily};
use ringlink::codec::multicast::{AuditGroup, Multicast, NetfilterGroup};
use ringlink::codec::netfilter::NetfilterHeader;
use ringlink::codec::netfilter::queue::{self, Queue, Verdict, VerdictHeader};
use ringlink::codec::prelude::*;
use ringlink::codec::route::{
    AfSpec, BridgeGroup, CanDeviceStats, EncapType, InetLink, Ipv4Devconf, Link, LinkHeader, LinkInfo, LinkProperties,
    LinkView, MplsLabel, NextHopHeader, NexthopGroupEntry, Route, RouteHeader, Rtm, Seg6Encap, Seg6Tunnel,
    SegmentHeader, Statistics, Veth, ViaHeader,
};
use ringlink::codec::space;
use ringlink::codec::table::{
    BareStr, Be32, Bitfield32, Chars, Flag, HardwareAddress, Inet, InetAddress, Many, NamedUint, OwnedSecret, Packed,
    Pad, Secret, SecretBytes, Sint, SockAddr, SocketAddress, Str, Uint, wipe,
};
use ringlink::codec::wire::{RawAttribute, Writer};
use ringlink::codec::xfrm::{Address, Algorithm, StateInfo, StateView, Xfrm, Xfrma, narrow, wide};

use crate::written::{attributes, word};

/// A message of some kind.
pub fn keys(source: &mut Unstructured<'_>) -> Result<()> {
    match source.int_in_range(0..=6_u8)? {
        0 => link(source),
        1 => route(source),
        2 => state(source),
        3 => device(source),
        4 => batch(source),
        5 => lengths(source),
        _ => values(source),
    }
}

/// An interface: a pair, with the other end's message in it.
fn link(source: &mut Unstructured<'_>) -> Result<()> {
    let (name, other) = (word(source, 15)?, word(source, 15)?);
    let (address, mtu): ([u8; 6], u32) = source.arbitrary()?;
    let settings: Vec<(Ipv4Devconf, i32)> = source
        .arbitrary_iter::<(u8, i32)>()?
        .take(4)
        .flatten()
        .map(|(key, value)| (Ipv4Devconf(key.into()), value))
        .collect();
    let statistics = CanDeviceStats { bus_error: mtu, ..CanDeviceStats::default() };
    let header = LinkHeader { index: source.arbitrary()?, ..LinkHeader::default() };
    let is_pair: bool = source.arbitrary()?;
    let create = Rtm::NEWLINK.create();
    let operation = *source.choose(&[create, create.exclusive(), create.replace(), create.append()])?;
    let mut buffer = Buffer::<1024>::new();
    let _ = format!("{operation:?} {:?}", Link::MTU);
    let bytes = buffer.message(operation, header, |link| {
        link.put(Link::IFNAME, name);
        link.put(Link::ADDRESS, address);
        link.put(Link::MTU, mtu);
        link.nest(Link::LINKINFO, |info| match is_pair {
            true => {
                info.put(LinkInfo::KIND, "veth");
                info.choose(LinkInfo::DATA, Veth, |pair| {
                    pair.headed(Veth::PEER, header, |peer| peer.put(Link::IFNAME, other));
                });
            }
            false => {
                info.put(LinkInfo::KIND, "can");
                info.put_chosen::<_, CanDeviceStats>(LinkInfo::XSTATS, statistics);
            }
        });
        link.nest(Link::PROP_LIST, |names| names.add(LinkProperties::ALT_IFNAME, other));
        link.choose(Link::AF_SPEC, AfSpec, |families| {
            families.nest(AfSpec::INET, |inet| inet.put(InetLink::CONF, &settings[..]));
        });
    });
    let message = Message::parse(bytes.expect("there is room")).expect("a message");
    let body = message.body(Rtm::NEWLINK).expect("an interface");
    let link = LinkView::read(body).expect("it reads");
    assert!(body.header == header && link.mtu == Some(mtu) && link.name == *name);
    let place = body.attributes.place(Link::MTU).and_then(|place| usize::try_from(place).ok()).expect("there is one");
    assert_eq!(
        message.payload.get(place - 16..place - 12),
        Some(&[8, 0, 4, 0][..]).filter(|_| cfg!(target_endian = "little"))
    );
    let info = body.attributes.get(Link::LINKINFO).expect("whole").expect("there");
    let peer = link.data(Veth).expect("whole").map(|pair| pair.get(Veth::PEER).expect("whole").expect("there"));
    let counters = info.chosen_value::<_, CanDeviceStats>(LinkInfo::XSTATS).expect("whole");
    match is_pair {
        true => {
            let (peer, attributes) = peer.expect("of this kind");
            assert!(
                peer == header
                    && attributes.get(Link::IFNAME).is_ok_and(|name| name.is_some_and(|name| name == *other))
            );
            assert!(counters.is_none());
        }
        false => assert!(peer.is_none() && counters == Some(statistics)),
    }
    assert!(link.slave_data(ringlink::codec::route::BondPort).is_ok_and(|none| none.is_none()));
    let names: Vec<_> = link.alternative_names().map(|name| name.expect("whole")).collect();
    assert!(names.len() == 1 && names[0] == *other, "{names:?}");
    let _ = format!("{:?}", body.attributes.all(Link::ALT_IFNAME));
    buffer.wipe();
    assert!(buffer.as_slice().is_empty());
    Ok(())
}

/// A route, of any family, with several next hops and segments.
fn route(source: &mut Unstructured<'_>) -> Result<()> {
    let address: IpAddr = source.arbitrary()?;
    let labels: Vec<MplsLabel> = source.arbitrary_iter()?.take(3).flatten().map(MplsLabel::new).collect();
    let hops: Vec<(i32, Ipv4Addr)> = source.arbitrary_iter()?.take(3).flatten().collect();
    let segments: Vec<Ipv6Addr> = source.arbitrary_iter()?.take(3).flatten().collect();
    let kind: u8 = source.int_in_range(0..=4)?;
    let count = u8::try_from(segments.len()).unwrap_or(0);
    let tunnel = Seg6Tunnel { srh: SegmentHeader::new(count.max(1)), ..Seg6Tunnel::default() };
    let mut buffer = vec![0; 1024];
    let bytes = Rtm::NEWROUTE.create().write(&mut buffer, RouteHeader::default(), |route| {
        match (kind, address) {
            (0, IpAddr::V4(address)) => route.put(Route::DST, address),
            (0, IpAddr::V6(address)) => route.put(Route::DST, address),
            (1, _) => route.put(Route::DST, &labels[..]),
            (2, IpAddr::V4(address)) => route.put(Route::DST, &address.octets()[..]),
            (3, IpAddr::V6(address)) => route.put(Route::DST, InetAddress(&address.octets())),
            _ => route.put(Route::DST, address),
        }
        route.put(Route::GATEWAY, address);
        route.put(Route::NEWDST, &labels[..]);
        route.put(Route::VIA, (ViaHeader { family: 2 }, &[1, 2, 3, 4][..]));
        route.records(Route::MULTIPATH, |list| {
            for (ifindex, gateway) in &hops {
                list.add(NextHopHeader { ifindex: *ifindex, ..NextHopHeader::default() }, |hop| {
                    hop.put(Route::GATEWAY, *gateway);
                });
            }
        });
        route.put(Route::ENCAP_TYPE, EncapType::SEG6);
        route.choose(Route::ENCAP, Seg6Encap, |encap| encap.put(Seg6Encap::SRH, (tunnel, &segments[..])));
    });
    let message = Message::parse(bytes.expect("there is room")).expect("a message");
    let route = message.body(Rtm::NEWROUTE).expect("a route").attributes;
    let (found, gateway, labelled, many) =
        route.read((Route::DST, Route::GATEWAY, Route::NEWDST, Route::MULTIPATH)).expect("it reads");
    assert!(kind == 1 || found.is_some_and(|found| found == address));
    assert!(gateway.is_some_and(|found| found == address && found.to_string() == address.to_string()));
    let labelled = labelled.expect("there");
    assert!(labelled.is_empty() == labels.is_empty() && labelled.eq(labels));
    let many = many.expect("there").map(|hop| {
        let (header, hop) = hop.expect("whole");
        (header.ifindex, hop.get(Route::GATEWAY).expect("whole").and_then(InetAddress::ip))
    });
    assert!(many.eq(hops.into_iter().map(|(index, gateway)| (index, Some(IpAddr::V4(gateway))))));
    let encap = route.chosen(Route::ENCAP, Seg6Encap).expect("whole").expect("of this kind");
    let (header, behind) = encap.get(Seg6Encap::SRH).expect("whole").expect("there");
    assert!(header == tunnel && header.srh.segments(behind).eq(segments));
    Ok(())
}

/// A state of IPsec, its key, and the layout of another machine.
fn state(source: &mut Unstructured<'_>) -> Result<()> {
    let key: [u8; 32] = source.arbitrary()?;
    let length = source.int_in_range(0..=key.len())?;
    let key = OwnedSecret::<32>::new(key.get(..length).unwrap_or_default()).expect("no longer");
    let address: IpAddr = source.arbitrary()?;
    let family = ringlink::codec::xfrm::Family::from(address);
    let info = StateInfo { saddr: address.into(), family, reqid: source.arbitrary()?, ..StateInfo::default() };
    let mut buffer = vec![0; 1024];
    let bytes = Xfrm::NEWSA.write(&mut buffer, info, |state| {
        state.put(Xfrma::ALG_CRYPT, Algorithm::with("cbc(aes)", key.get()));
        state.put(Xfrma::COADDR, address);
        state.put(Xfrma::SRCADDR, Address::from(address));
        state.put(Xfrma::SA, narrow::StateInfo::from(info));
    });
    let message = Message::parse(bytes.expect("there is room")).expect("a message");
    let state = StateView::read(message.body(Xfrm::NEWSA).expect("a state")).expect("it reads");
    assert!(state.source() == Some(address) && state.care_of.and_then(|address| address.ip(family)) == Some(address));
    let (algorithm, found) = state.crypt.expect("there");
    assert!(found.expose() == key.get().expose() && algorithm.name.text() == *"cbc(aes)");
    let _ = format!("{state:?} {key:?}");
    let there = wide::StateInfo::from(narrow::StateInfo::from(info));
    assert_eq!(format!("{there:?}"), format!("{info:?}"));
    let mut bytes = key.get().expose().to_vec();
    wipe(&mut bytes);
    assert!(bytes.iter().all(|byte| *byte == 0));
    Ok(())
}

/// A device of WireGuard, which has lists in lists, of a family with any number.
fn device(source: &mut Unstructured<'_>) -> Result<()> {
    let command = Request::SET_DEVICE;
    let number = source.int_in_range(0x10..=u16::MAX)?;
    let (secret, public, end): ([u8; 32], [u8; 32], SocketAddr) = source.arbitrary()?;
    let peers: Vec<Vec<(IpAddr, u8)>> = source.arbitrary_iter()?.take(3).flatten().collect();
    let mut buffer = vec![0; 1 << 16];
    let operation = command.with(Flags::ACK).operation(number);
    let bytes = operation.write(&mut buffer, command.header(), |device| {
        device.put(Device::PRIVATE_KEY, &secret);
        device.indexed(Device::PEERS, |list| {
            for (index, ips) in (0..).zip(&peers) {
                list.nest(index, |peer| {
                    peer.put(Peer::PUBLIC_KEY, public);
                    peer.put(Peer::ENDPOINT, end);
                    peer.put(Peer::PRESHARED_KEY, SecretBytes::new(&secret));
                    peer.indexed(Peer::ALLOWEDIPS, |list| {
                        for (index, (address, length)) in (0..).zip(ips) {
                            list.nest(index, |ip| {
                                ip.put(AllowedIp::FAMILY, SocketFamily::INET);
                                ip.put(AllowedIp::IPADDR, *address);
                                ip.put(AllowedIp::CIDR_MASK, *length);
                            });
                        }
                    });
                });
            }
        });
    });
    // So many addresses are longer than an attribute can be.
    let Ok(bytes) = bytes else { return Ok(()) };
    let message = Message::parse(bytes).expect("a message");
    assert_eq!(message.header.kind, operation.kind);
    let body = message.body(operation).expect("of this command");
    assert_eq!(body.header.command(), command.command);
    let (key, list) = body.attributes.read((Device::PRIVATE_KEY, Device::PEERS)).expect("it reads");
    assert_eq!(key.expect("there").expose(), secret);
    let mut count = 0;
    for (peer, ips) in list.expect("there").zip(&peers) {
        let (found, list) = peer.expect("whole").1.read((Peer::ENDPOINT, Peer::ALLOWEDIPS)).expect("it reads");
        let found = found.expect("there");
        // A scope and a flow are told, too.
        assert!(found.socket().is_some_and(|found| found.ip() == end.ip() && found.port() == end.port()));
        let _ = (found == end, format!("{found} {found:?}"));
        let again = attributes(
            &mut [0; 64],
            |to| to.put(Peer::ENDPOINT, found),
            |peer| peer.get(Peer::ENDPOINT).expect("whole").map(SocketAddress::socket),
        );
        assert_eq!(again, Some(found.socket()));
        let found = list.expect("there").map(|ip| {
            let (address, length) =
                ip.expect("whole").1.read((AllowedIp::IPADDR, AllowedIp::CIDR_MASK)).expect("it reads");
            (address.and_then(InetAddress::ip).expect("there"), length.expect("there"))
        });
        assert!(found.eq(ips.iter().copied()));
        count += 1;
    }
    assert_eq!(count, peers.len());
    let _ = format!("{command:?} {body:?}");
    Ok(())
}

/// Many messages in one datagram, numbered: what does not fit leaves it as it was.
fn batch(source: &mut Unstructured<'_>) -> Result<()> {
    let mut buffer = vec![0; source.int_in_range(0..=512)?];
    let capacity = u32::try_from(buffer.len()).unwrap_or(0);
    let mut batch = Batch::new(&mut buffer);
    let mut expected = Vec::new();
    for _ in 0..source.int_in_range(0..=8_u8)? {
        let (id, mark): (u32, u16) = source.arbitrary()?;
        let header = NetfilterHeader::default().numbered(mark);
        let verdict = *source.choose(&[Verdict::ACCEPT, Verdict::queue(mark), Verdict::queue_or_accept(mark)])?;
        let payload: &[u8] = source.arbitrary()?;
        let before = batch.bytes().to_vec();
        let added = batch.add(Queue::VERDICT, header, |packet| {
            packet.put(queue::Packet::VERDICT_HDR, VerdictHeader::new(verdict, id));
            packet.put_raw(queue::Packet::PAYLOAD.number(), payload);
        });
        match added {
            Ok(()) => expected.push((header, verdict, id)),
            Err(error) => {
                assert!(error.needed().is_some_and(|needed| needed > capacity) && batch.bytes() == before);
            }
        }
    }
    batch.number(u32::MAX, 9, |index| index % 2 == 1);
    assert!(batch.count() == expected.len() && batch.is_empty() == expected.is_empty());
    for (index, (header, verdict, id)) in expected.into_iter().enumerate() {
        let message = batch.message(index).expect("it was written");
        let body = message.body(Queue::VERDICT).expect("a verdict");
        let found = body.attributes.get(queue::Packet::VERDICT_HDR).expect("whole");
        assert!(body.header == header && found == Some(VerdictHeader::new(verdict, id)));
        assert_eq!(message.header.sequence, u32::MAX.wrapping_add(u32::try_from(index).unwrap_or(0)));
        assert_eq!(message.header.flags.contains(Flags::ACK), index % 2 == 1);
    }
    let _ = format!("{batch:?}");
    batch.clear();
    assert!(batch.is_empty());
    Ok(())
}

/// What is too long for an attribute's length is an error that names the attribute, wherever in a nest it stands.
fn lengths(source: &mut Unstructured<'_>) -> Result<()> {
    let mut buffer = vec![0; 1 << 18];
    let length = source.int_in_range(65_500..=65_550)?;
    let bytes = vec![7; length];
    let mut writer = Writer::new(&mut buffer);
    {
        let mut to = ringlink::codec::table::AttributeWriter::<Own>::new(&mut writer);
        match source.int_in_range(0..=3_u8)? {
            0 => to.put(Own::BYTES, &bytes[..]),
            1 => to.put(Own::TLVS, &[(1, bytes.as_slice())][..]),
            2 => to.nest(Own::NEST, |to| to.put(Own::BYTES, &bytes[..])),
            _ => to.records(Own::RECORDS, |list| {
                list.add(NextHopHeader::default(), |to| to.put(Own::BYTES, &bytes[..]));
            }),
        }
    }
    let sound = writer.is_sound();
    let _ = format!("{writer:?} {:?}", writer.is_secret());
    match writer.finish() {
        Ok(_) => assert!(sound && length < 65_532),
        Err(error) => assert!(!sound && error.to_string().contains("bytes written"), "{error}"),
    }
    Ok(())
}

space! {
    /// One of each payload type that rows of few protocols have.
    pub Own, "OWN_" {
        BYTES: ringlink::codec::table::Bytes = 1,
        TLVS: ringlink::codec::table::Tlvs = 2,
        NEST: ringlink::codec::table::Nest<Own> = 3,
        RECORDS: ringlink::codec::table::Records<NextHopHeader, Own> = 4,
        SIGNED: Sint = 5,
        UNSIGNED: Uint = 6,
        NAMED: NamedUint<HashFields> = 7,
        BARE: BareStr = 8,
        FIELD: Chars<8> = 9,
        LIST: Packed<u32> = 10,
        ADDRESS: Inet = 11,
        SOCKET: SockAddr = 12,
        SECRET: Secret = 13,
        FLAG: Flag = 14,
        PAD: Pad = 15,
        BITS: Bitfield32 = 16,
        SYSCALLS: Syscalls = 17,
        NUMBERS: Sixty4<u32> = 18,
        SEVERAL: Many<Str> = 19,
        GROUP: BridgeGroup = 20,
        ENTRY: NexthopGroupEntry = 21,
        HARDWARE: ringlink::codec::table::Hardware = 22,
        KEY: ringlink::codec::diag::TcpMd5Key = 23,
    }
}

/// One of each kind of value.
fn values(source: &mut Unstructured<'_>) -> Result<()> {
    let (signed, unsigned, named): (i64, u64, u32) = source.arbitrary()?;
    let (address, hardware): (IpAddr, [u8; 6]) = source.arbitrary()?;
    let text = word(source, 8)?;
    let numbers: Vec<u32> = source.arbitrary_iter()?.take(4).flatten().collect();
    let mut syscalls = Syscalls::NONE;
    let added: Vec<u16> = source.arbitrary_iter()?.take(4).flatten().filter(|number| syscalls.add(*number)).collect();
    assert!(added.iter().all(|number| syscalls.contains(*number)) && !syscalls.is_all());
    let bits = Bitfield32 { value: named, selector: named };
    let group = match address {
        IpAddr::V4(address) => BridgeGroup::ipv4(address),
        IpAddr::V6(address) => BridgeGroup::ipv6(address),
    };
    let entry = NexthopGroupEntry::new(named, named % 65_537);
    assert_eq!(entry.full_weight(), (named % 65_537).max(1));
    let count = attributes(
        &mut [0; 2048],
        |to| {
            to.put(Own::SIGNED, signed);
            to.put(Own::UNSIGNED, unsigned);
            to.put(Own::NAMED, HashFields(named));
            to.put(Own::BARE, text);
            to.put(Own::FIELD, Chars::new(text));
            to.put(Own::LIST, &numbers[..]);
            match address {
                IpAddr::V4(address) => to.put(Own::ADDRESS, address),
                IpAddr::V6(address) => to.put(Own::ADDRESS, address),
            }
            to.put(Own::SOCKET, SocketAddr::new(address, 7));
            to.put(Own::SECRET, &hardware[..]);
            to.put(Own::FLAG, ());
            to.put(Own::PAD, ());
            to.put(Own::BITS, bits);
            to.put(Own::SYSCALLS, syscalls);
            to.put(Own::NUMBERS, Sixty4([named; 64]));
            to.add(Own::SEVERAL, text);
            to.add(Own::SEVERAL, Text::from(text));
            to.put(Own::GROUP, group);
            to.put(Own::ENTRY, entry);
            to.put(Own::HARDWARE, HardwareAddress(&hardware));
            to.put(Own::BYTES, &hardware);
        },
        |own: Attributes<'_, Own>| {
            let (found, more) = own
                .read((
                    (Own::SIGNED, Own::UNSIGNED, Own::NAMED, Own::BARE, Own::FIELD, Own::LIST, Own::ADDRESS),
                    (Own::SOCKET, Own::FLAG, Own::PAD, Own::BITS, Own::SYSCALLS, Own::NUMBERS, Own::GROUP, Own::ENTRY),
                ))
                .expect("it reads");
            assert_eq!((found.0, found.1, found.2), (Some(signed), Some(unsigned), Some(HashFields(named))));
            assert!(found.3.is_some_and(|bare| bare == *text));
            assert!(found.4.is_some_and(|field| field.text() == *text && format!("{field:?}").len() >= text.len()));
            assert!(found.5.is_some_and(|list| list.len() == numbers.len() && list.eq(numbers.iter().copied())));
            assert!(found.6.is_some_and(|found| found == address));
            assert!(more.0.is_some_and(|found| found == SocketAddr::new(address, 7)));
            assert_eq!((more.1, more.2, more.3, more.4), (Some(()), Some(()), Some(bits), Some(syscalls)));
            assert!(more.5.is_some_and(|all| all.0 == [named; 64]) && more.6 == Some(group) && more.7 == Some(entry));
            let several = own.all(Own::SEVERAL).map(|text| text.expect("whole"));
            assert!(several.eq([text; 2].map(Text::new)));
            let key = own.get(Own::KEY).expect("none");
            let _ = format!("{bits:?} {bits} {syscalls:?} {key:?} {:?}", own.get(Own::SECRET));
            own.raw().filter(|raw| raw.is_ok_and(|raw| raw.kind & RawAttribute::NESTED == 0)).count()
        },
    );
    assert_eq!(count, 20);
    let mask = Statistics::mask(Statistics::LINK_64);
    assert_eq!(mask.count_ones(), 1);
    assert!(NetfilterGroup::numbered(named).number() == named && AuditGroup::numbered(named).number() == named);
    let _ = format!("{:?} {}", Own::SIGNED, Be32::from(named));
    Ok(())
}
