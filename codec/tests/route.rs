//! Routes, neighbours and next hops by hand: bytes read, messages built; every capture and every sample damaged.

#![cfg(target_endian = "little")]

mod support;

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use ringlink_codec::Attributes;
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::ROUTE;
use ringlink_codec::route::*;
use ringlink_codec::table::{Format, PackedItems};
use ringlink_codec::wire::{MessageType, RawAttributes, Writer};

/// Bytes with what they mean beside them.
macro_rules! bytes {
    ($($($byte:literal)+, $meaning:literal;)*) => { &[$($($byte),+),*] };
}
/// Every capture, and messages written by hand of what that kernel has not.
fn samples() -> Vec<Vec<u8>> {
    let captures = [
        include_str!("captures/address.hex"),
        include_str!("captures/multicast_address.hex"),
        include_str!("captures/address_label.hex"),
        include_str!("captures/route.hex"),
        include_str!("captures/route6.hex"),
        include_str!("captures/route_lookup.hex"),
        include_str!("captures/neighbour.hex"),
        include_str!("captures/neighbour_table.hex"),
        include_str!("captures/rule.hex"),
        include_str!("captures/nexthop.hex"),
        include_str!("captures/netconf.hex"),
        include_str!("captures/namespace.hex"),
    ];
    let mut samples: Vec<_> = captures.into_iter().flat_map(support::messages).collect();
    samples.extend(WRITTEN.iter().map(|sample| sample.to_vec()));
    samples
}

#[test]
fn every_attribute_of_the_samples_has_a_row() {
    for sample in samples() {
        let tree = Message::parse(&sample).unwrap().tree(&ROUTE).to_string();
        for line in tree.lines().skip(1).map(str::trim_start) {
            assert!(!line.starts_with("error:") && !line.contains(": error:"), "{tree}");
            assert!(!line.starts_with(|first: char| first.is_ascii_digit()), "{tree}");
        }
    }
}

/// An MPLS route: label 100 becomes 200 over 201 by one path, is taken off by another.
const MPLS_ROUTE: &[u8] = bytes! {
    0x70 0 0 0  0x18 0  0x01 0x04  0 0 0 0  0 0 0 0, "RTM_NEWROUTE, REQUEST | CREATE";
    28 20 0 0  254 4 0 1  0 0 0 0, "MPLS, 20 bits, table main, static, universe, unicast";
    5 0  26 0  0 0 0 0, "RTA_TTL_PROPAGATE 0";
    8 0  1 0  0x00 0x06 0x41 0x00, "RTA_DST 100, bottom of stack";
    0x44 0  9 0, "RTA_MULTIPATH";
    0x20 0  0 0  3 0 0 0, "interface 3, weight 1";
    12 0  19 0  0x00 0x0c 0x80 0x00  0x00 0x0c 0x91 0x00, "RTA_NEWDST 200, 201";
    10 0  18 0  2 0  192 0 2 7  0 0, "RTA_VIA AF_INET 192.0.2.7";
    0x20 0  0 1  3 0 0 0, "interface 3, weight 2";
    22 0  18 0  10 0  0x20 0x01 0x0d 0xb8 0 0 0 0 0 0 0 0 0 0 0 7  0 0, "RTA_VIA AF_INET6 2001:db8::7";
};

/// A route into a Geneve tunnel with two options. Only ever read and written: see [`EncapOptions`].
const GENEVE_OPTIONS: &[u8] = bytes! {
    0x80 0 0 0  0x18 0  0x01 0x04  0 0 0 0  0 0 0 0, "RTM_NEWROUTE, REQUEST | CREATE";
    2 24 0 0  254 4 0 1  0 0 0 0, "INET, 24 bits, table main, static, universe, unicast";
    8 0  1 0  198 51 100 0, "RTA_DST 198.51.100.0";
    6 0  21 0  2 0  0 0, "RTA_ENCAP_TYPE IP";
    0x54 0  22 0x80, "RTA_ENCAP";
    12 0  1 0  0 0 0 0 0 0 0 77, "LWTUNNEL_IP_ID 77";
    8 0  2 0  192 0 2 9, "LWTUNNEL_IP_DST 192.0.2.9";
    0x3c 0  8 0x80, "LWTUNNEL_IP_OPTS";
    0x1c 0  1 0x80, "LWTUNNEL_IP_OPTS_GENEVE";
    6 0  1 0  0x01 0x02  0 0, "class 0x102";
    5 0  2 0  0x80  0 0 0, "type 0x80";
    8 0  3 0  0xde 0xad 0xbe 0xef, "data";
    0x1c 0  1 0x80, "LWTUNNEL_IP_OPTS_GENEVE";
    6 0  1 0  0x01 0x03  0 0, "class 0x103";
    5 0  2 0  1  0 0 0, "type 1";
    8 0  3 0  1 2 3 4, "data";
};

/// A route into a VXLAN tunnel with a group policy.
const VXLAN_OPTION: &[u8] = bytes! {
    0x40 0 0 0  0x18 0  0x01 0x04  0 0 0 0  0 0 0 0, "RTM_NEWROUTE, REQUEST | CREATE";
    2 24 0 0  254 4 0 1  0 0 0 0, "INET, 24 bits, table main, static, universe, unicast";
    8 0  1 0  198 51 100 0, "RTA_DST 198.51.100.0";
    6 0  21 0  2 0  0 0, "RTA_ENCAP_TYPE IP";
    0x14 0  22 0x80, "RTA_ENCAP";
    0x10 0  8 0x80, "LWTUNNEL_IP_OPTS";
    0x0c 0  2 0x80, "LWTUNNEL_IP_OPTS_VXLAN";
    8 0  1 0  0x34 0x12 0 0, "LWTUNNEL_IP_OPT_VXLAN_GBP 0x1234";
};

/// A route into an ERSPAN tunnel over IPv6.
const ERSPAN_OPTION: &[u8] = bytes! {
    0x64 0 0 0  0x18 0  0x01 0x04  0 0 0 0  0 0 0 0, "RTM_NEWROUTE, REQUEST | CREATE";
    10 32 0 0  254 4 0 1  0 0 0 0, "INET6, 32 bits, table main, static, universe, unicast";
    20 0  1 0  0x20 0x01 0x0d 0xb8 0 0 0 0 0 0 0 0 0 0 0 0, "RTA_DST 2001:db8::";
    6 0  21 0  4 0  0 0, "RTA_ENCAP_TYPE IP6";
    0x2c 0  22 0x80, "RTA_ENCAP";
    0x28 0  8 0x80, "LWTUNNEL_IP6_OPTS";
    0x24 0  3 0x80, "LWTUNNEL_IP_OPTS_ERSPAN";
    5 0  1 0  2  0 0 0, "LWTUNNEL_IP_OPT_ERSPAN_VER 2";
    8 0  2 0  0 0 0 15, "LWTUNNEL_IP_OPT_ERSPAN_INDEX 15";
    5 0  3 0  1  0 0 0, "LWTUNNEL_IP_OPT_ERSPAN_DIR out";
    5 0  4 0  0x3f  0 0 0, "LWTUNNEL_IP_OPT_ERSPAN_HWID 63";
};

/// A route with a path for each way to wrap that no capture has.
const WRAPPED_PATHS: &[u8] = bytes! {
    0x28 0x01 0 0  0x18 0  0x01 0x04  0 0 0 0  0 0 0 0, "RTM_NEWROUTE, REQUEST | CREATE";
    10 32 0 0  254 4 0 1  0 0 0 0, "INET6, 32 bits, table main, static, universe, unicast";
    20 0  1 0  0x20 0x01 0x0d 0xb8 0 0 0 0 0 0 0 0 0 0 0 0, "RTA_DST 2001:db8::";
    0xf8 0  9 0, "RTA_MULTIPATH";

    0x24 0  0 0  3 0 0 0, "interface 3";
    6 0  21 0  1 0  0 0, "RTA_ENCAP_TYPE MPLS";
    0x14 0  22 0x80, "RTA_ENCAP";
    8 0  1 0  0x00 0x06 0x41 0x00, "MPLS_IPTUNNEL_DST 100";
    5 0  2 0  9  0 0 0, "MPLS_IPTUNNEL_TTL 9";

    0x30 0  0 0  3 0 0 0, "interface 3";
    6 0  21 0  3 0  0 0, "RTA_ENCAP_TYPE ILA";
    0x20 0  22 0x80, "RTA_ENCAP";
    12 0  1 0  0 1 0 2 0 3 0 4, "ILA_ATTR_LOCATOR 1:2:3:4";
    5 0  7 0  2  0 0 0, "ILA_ATTR_CSUM_MODE NO_ACTION";
    5 0  9 0  1  0 0 0, "ILA_ATTR_HOOK_TYPE ROUTE_INPUT";

    0x30 0  0 0  3 0 0 0, "interface 3";
    6 0  21 0  8 0  0 0, "RTA_ENCAP_TYPE RPL";
    0x20 0  22 0x80, "RTA_ENCAP";
    28 0  1 0, "RPL_IPTUNNEL_SRH";
    0 2 3 1  0 0 0 0, "16 bytes follow, type 3, one segment left";
    0xfc 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1, "fc00::1";

    0x4c 0  0 0  3 0 0 0, "interface 3";
    6 0  21 0  9 0  0 0, "RTA_ENCAP_TYPE IOAM6";
    0x3c 0  22 0x80, "RTA_ENCAP";
    5 0  1 0  2  0 0 0, "IOAM6_IPTUNNEL_MODE ENCAP";
    20 0  2 0  0xfc 0 0 0 0 0 0 0 0 0 0 0 0 0 0 1, "IOAM6_IPTUNNEL_DST fc00::1";
    12 0  3 0  0 1  0  3  0x80 0 0 0, "IOAM6_IPTUNNEL_TRACE namespace 1, 3 words, bit 0";
    8 0  4 0  1 0 0 0, "IOAM6_IPTUNNEL_FREQ_K 1";
    8 0  5 0  5 0 0 0, "IOAM6_IPTUNNEL_FREQ_N 5";

    0x24 0  0 0  3 0 0 0, "interface 3";
    6 0  21 0  10 0  0 0, "RTA_ENCAP_TYPE XFRM";
    0x14 0  22 0x80, "RTA_ENCAP";
    8 0  1 0  5 0 0 0, "LWT_XFRM_IF_ID 5";
    8 0  2 0  3 0 0 0, "LWT_XFRM_LINK 3";
};

/// A group of next hops with a weight that takes both bytes.
const WEIGHTED_GROUP: &[u8] = bytes! {
    0x3c 0 0 0  0x68 0  0x01 0x04  0 0 0 0  0 0 0 0, "RTM_NEWNEXTHOP, REQUEST | CREATE";
    0 0 4 0  0 0 0 0, "UNSPEC, static";
    8 0  1 0  7 0 0 0, "NHA_ID 7";
    20 0  2 0, "NHA_GROUP";
    1 0 0 0  43 1  0 0, "next hop 1, weight 300";
    2 0 0 0  0 0  0 0, "next hop 2, weight 1";
    8 0  14 0  1 0 0 0, "NHA_OP_FLAGS DUMP_STATS";
};

/// A static entry of a bridge's forwarding table.
const FDB_ENTRY: &[u8] = bytes! {
    0x50 0 0 0  0x1c 0  0x01 0x04  0 0 0 0  0 0 0 0, "RTM_NEWNEIGH, REQUEST | CREATE";
    7 0 0 0  2 0 0 0  0x40 0  4  0, "BRIDGE, interface 2, NOARP, MASTER";
    10 0  2 0  2 0 0 0 0 0x77  0 0, "NDA_LLADDR 02:00:00:00:00:77";
    6 0  5 0  7 0  0 0, "NDA_VLAN 7";
    16 0  14 0x80, "NDA_FDB_EXT_ATTRS";
    5 0  1 0  1  0 0 0, "NFEA_ACTIVITY_NOTIFY BIT";
    4 0  2 0, "NFEA_DONT_REFRESH";
    8 0  15 0  2 0 0 0, "NDA_FLAGS_EXT LOCKED";
    6 0  16 0  0x40 0  0 0, "NDA_NDM_STATE_MASK NOARP";
};

/// A prefix that a router advertised.
const PREFIX: &[u8] = bytes! {
    0x3c 0 0 0  0x34 0  0 0  0 0 0 0  0 0 0 0, "RTM_NEWPREFIX";
    10 0 0 0  3 0 0 0  3 64 3 0, "INET6, interface 3, option 3, 64 bits, ONLINK | AUTOCONF";
    20 0  1 0  0x20 0x01 0x0d 0xb8 0 0 0 0 0 0 0 0 0 0 0 0, "PREFIX_ADDRESS 2001:db8::";
    12 0  2 0  0x84 0x03 0 0  0x08 0x07 0 0, "PREFIX_CACHEINFO 900 and 1800 seconds";
};

const WRITTEN: &[&[u8]] =
    &[MPLS_ROUTE, GENEVE_OPTIONS, VXLAN_OPTION, ERSPAN_OPTION, WRAPPED_PATHS, WEIGHTED_GROUP, FDB_ENTRY, PREFIX];

const CREATE: Flags = Flags(Flags::REQUEST.0 | Flags::CREATE.0);

/// Builds a message and checks that it is the sample, and that every buffer that is too short says so.
fn build<Q: Format, A>(
    sample: &[u8],
    operation: Operation<Q, A>,
    flags: Flags,
    header: Q::Header,
    fill: impl for<'w, 'b> Fn(&mut AttributeWriter<'w, 'b, Q::Space>),
) {
    let mut buffer = [0xaa; 512];
    for length in 0..=sample.len() {
        let mut writer = Writer::new(&mut buffer[..length]);
        operation.encode(&mut writer, MessageHeader { flags, ..Default::default() }, header, &fill);
        match writer.finish() {
            Ok(bytes) => assert_eq!(bytes, sample),
            Err(error) => {
                assert!(length < sample.len());
                assert_eq!(error.needed(), u32::try_from(sample.len()).ok());
            }
        }
    }
}

const NETWORK: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0);
const NODE: Ipv6Addr = Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 1);

fn static_route(family: Family, dst_len: u8) -> RouteHeader {
    RouteHeader {
        family,
        dst_len,
        table: ShortTable::MAIN,
        protocol: RouteProtocol::STATIC,
        scope: Scope::UNIVERSE,
        kind: RouteType::UNICAST,
        ..Default::default()
    }
}

#[test]
fn mpls_routes() {
    let v4 = (ViaHeader { family: 2 }, &[192, 0, 2, 7][..]);
    let gateway = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7).octets();
    let v6 = (ViaHeader { family: 10 }, &gateway[..]);
    let path = NextHopHeader { ifindex: 3, ..Default::default() };
    build(MPLS_ROUTE, Rtm::NEWROUTE, CREATE, static_route(Family::MPLS, 20), |route| {
        route.put(Route::TTL_PROPAGATE, 0);
        route.put(Route::DST, &[MplsLabel::new(100).bottom()][..]);
        route.records(Route::MULTIPATH, |paths| {
            paths.add(path, |path| {
                path.put(Route::NEWDST, &[MplsLabel::new(200), MplsLabel::new(201).bottom()][..]);
                path.put(Route::VIA, v4);
            });
            paths.add(NextHopHeader { hops: 1, ..path }, |path| path.put(Route::VIA, v6));
        });
    });

    let view = RouteView::read(Message::parse(MPLS_ROUTE).unwrap().body(Rtm::NEWROUTE).unwrap()).unwrap();
    let labels = |stack: PackedItems<'_, MplsLabel>| stack.map(MplsLabel::label).collect::<Vec<_>>();
    assert_eq!(labels(MplsLabel::stack(view.destination.unwrap().0).unwrap()), [100]);
    let paths: Vec<_> = view.multipath.unwrap().map(|path| path.unwrap()).collect();
    assert_eq!(labels(paths[0].1.get(Route::NEWDST).unwrap().unwrap()), [200, 201]);
    assert_eq!(paths[0].1.get(Route::VIA), Ok(Some(v4)));
    assert_eq!((paths[1].0.hops, paths[1].1.get(Route::VIA)), (1, Ok(Some(v6))));
    // Printing knows by the header that the destination is a label.
    let tree = Message::parse(MPLS_ROUTE).unwrap().tree(&ROUTE).to_string();
    assert!(tree.contains("RTA_DST: [{entry: 409856}]"), "{tree}");
}

#[test]
fn tunnel_options() {
    let to = Ipv4Addr::new(198, 51, 100, 0);
    build(GENEVE_OPTIONS, Rtm::NEWROUTE, CREATE, static_route(Family::INET, 24), |route| {
        route.put(Route::DST, to);
        route.put(Route::ENCAP_TYPE, EncapType::IP);
        route.choose(Route::ENCAP, IpEncap, |tunnel| {
            tunnel.put(IpEncap::ID, 77);
            tunnel.put(IpEncap::DST, Ipv4Addr::new(192, 0, 2, 9));
            tunnel.nest(IpEncap::OPTS, |options| {
                for (class, kind, data) in [(0x102_u16, 0x80_u8, [0xde, 0xad, 0xbe, 0xef]), (0x103, 1, [1, 2, 3, 4])] {
                    options.nest(EncapOptions::GENEVE, |option| {
                        option.add(GeneveOption::CLASS, class);
                        option.add(GeneveOption::TYPE, kind);
                        option.add(GeneveOption::DATA, &data[..]);
                    });
                }
            });
        });
    });
    build(VXLAN_OPTION, Rtm::NEWROUTE, CREATE, static_route(Family::INET, 24), |route| {
        route.put(Route::DST, to);
        route.put(Route::ENCAP_TYPE, EncapType::IP);
        route.choose(Route::ENCAP, IpEncap, |tunnel| {
            tunnel.nest(IpEncap::OPTS, |options| {
                options.nest(EncapOptions::VXLAN, |option| option.put(VxlanOption::GBP, 0x1234));
            });
        });
    });
    build(ERSPAN_OPTION, Rtm::NEWROUTE, CREATE, static_route(Family::INET6, 32), |route| {
        route.put(Route::DST, NETWORK);
        route.put(Route::ENCAP_TYPE, EncapType::IP6);
        route.choose(Route::ENCAP, Ip6Encap, |tunnel| {
            tunnel.nest(Ip6Encap::OPTS, |options| {
                options.nest(EncapOptions::ERSPAN, |option| {
                    option.put(ErspanOption::VER, 2);
                    option.put(ErspanOption::INDEX, 15);
                    option.put(ErspanOption::DIR, 1);
                    option.put(ErspanOption::HWID, 63);
                });
            });
        });
    });

    let route = |bytes| Message::parse(bytes).unwrap().body(Rtm::NEWROUTE).unwrap().attributes;
    let tunnel = route(GENEVE_OPTIONS).chosen(Route::ENCAP, IpEncap).unwrap().unwrap();
    let options = tunnel.get(IpEncap::OPTS).unwrap().unwrap().all(EncapOptions::GENEVE);
    let read = |option: Attributes<'static, GeneveOption>| {
        option.read((GeneveOption::CLASS, GeneveOption::TYPE, GeneveOption::DATA)).unwrap()
    };
    let options: Vec<_> = options.map(|option| read(option.unwrap())).collect();
    assert_eq!(options[0], (Some(0x102), Some(0x80), Some(&[0xde, 0xad, 0xbe, 0xef][..])));
    assert_eq!(options[1], (Some(0x103), Some(1), Some(&[1, 2, 3, 4][..])));

    let tunnel = route(VXLAN_OPTION).chosen(Route::ENCAP, IpEncap).unwrap().unwrap();
    let option = tunnel.get(IpEncap::OPTS).unwrap().unwrap().get(EncapOptions::VXLAN).unwrap().unwrap();
    assert_eq!(option.get(VxlanOption::GBP), Ok(Some(0x1234)));

    let tunnel = route(ERSPAN_OPTION).chosen(Route::ENCAP, Ip6Encap).unwrap().unwrap();
    let option = tunnel.get(Ip6Encap::OPTS).unwrap().unwrap().get(EncapOptions::ERSPAN).unwrap().unwrap();
    let option = option.read((ErspanOption::VER, ErspanOption::INDEX, ErspanOption::DIR, ErspanOption::HWID));
    assert_eq!(option, Ok((Some(2), Some(15), Some(1), Some(63))));
}

#[test]
fn wrapped_paths() {
    let header = RplHeader { hdrlen: 2, kind: 3, segments_left: 1, ..Default::default() };
    let trace = Ioam6Trace { namespace_id: 1.into(), node: 0, remaining: 3, kind: 0x8000_0000.into() };
    build(WRAPPED_PATHS, Rtm::NEWROUTE, CREATE, static_route(Family::INET6, 32), |route| {
        route.put(Route::DST, NETWORK);
        let path = NextHopHeader { ifindex: 3, ..Default::default() };
        route.records(Route::MULTIPATH, |paths| {
            paths.add(path, |path| {
                path.put(Route::ENCAP_TYPE, EncapType::MPLS);
                path.choose(Route::ENCAP, MplsEncap, |labels| {
                    labels.put(MplsEncap::DST, &[MplsLabel::new(100).bottom()][..]);
                    labels.put(MplsEncap::TTL, 9);
                });
            });
            paths.add(path, |path| {
                path.put(Route::ENCAP_TYPE, EncapType::ILA);
                path.choose(Route::ENCAP, Ila, |ila| {
                    ila.put(Ila::LOCATOR, 0x0001_0002_0003_0004);
                    ila.put(Ila::CSUM_MODE, IlaChecksum::NO_ACTION);
                    ila.put(Ila::HOOK_TYPE, IlaHook::ROUTE_INPUT);
                });
            });
            paths.add(path, |path| {
                path.put(Route::ENCAP_TYPE, EncapType::RPL);
                path.choose(Route::ENCAP, RplEncap, |rpl| rpl.put(RplEncap::SRH, (header, &[NODE][..])));
            });
            paths.add(path, |path| {
                path.put(Route::ENCAP_TYPE, EncapType::IOAM6);
                path.choose(Route::ENCAP, Ioam6Encap, |ioam| {
                    ioam.put(Ioam6Encap::MODE, Ioam6Mode::ENCAP);
                    ioam.put(Ioam6Encap::DST, NODE);
                    ioam.put(Ioam6Encap::TRACE, trace);
                    ioam.put(Ioam6Encap::FREQ_K, 1);
                    ioam.put(Ioam6Encap::FREQ_N, 5);
                });
            });
            paths.add(path, |path| {
                path.put(Route::ENCAP_TYPE, EncapType::XFRM);
                path.choose(Route::ENCAP, XfrmEncap, |xfrm| {
                    xfrm.put(XfrmEncap::IF_ID, 5);
                    xfrm.put(XfrmEncap::LINK, 3);
                });
            });
        });
    });

    let view = RouteView::read(Message::parse(WRAPPED_PATHS).unwrap().body(Rtm::NEWROUTE).unwrap()).unwrap();
    let paths: Vec<_> = view.multipath.unwrap().map(|path| path.unwrap().1).collect();
    let labels = paths[0].chosen(Route::ENCAP, MplsEncap).unwrap().unwrap();
    let (mut stack, ttl) = labels.read((MplsEncap::DST, MplsEncap::TTL)).map(|read| (read.0.unwrap(), read.1)).unwrap();
    assert_eq!((stack.next(), stack.next(), ttl), (Some(MplsLabel::new(100).bottom()), None, Some(9)));
    let ila = paths[1].chosen(Route::ENCAP, Ila).unwrap().unwrap();
    assert_eq!(ila.get(Ila::LOCATOR), Ok(Some(0x0001_0002_0003_0004)));
    let rpl = paths[2].chosen(Route::ENCAP, RplEncap).unwrap().unwrap();
    assert_eq!(rpl.get(RplEncap::SRH), Ok(Some((header, &NODE.octets()[..]))));
    let ioam = paths[3].chosen(Route::ENCAP, Ioam6Encap).unwrap().unwrap();
    assert_eq!(ioam.read((Ioam6Encap::MODE, Ioam6Encap::TRACE)), Ok((Some(Ioam6Mode::ENCAP), Some(trace))));
    let xfrm = paths[4].chosen(Route::ENCAP, XfrmEncap).unwrap().unwrap();
    assert_eq!(xfrm.read((XfrmEncap::IF_ID, XfrmEncap::LINK)), Ok((Some(5), Some(3))));
}

#[test]
fn nexthop_groups() {
    let header = NexthopHeader { protocol: RouteProtocol::STATIC, ..Default::default() };
    build(WEIGHTED_GROUP, Rtm::NEWNEXTHOP, CREATE, header, |nexthop| {
        nexthop.put(Nexthop::ID, 7);
        nexthop.put(Nexthop::GROUP, &[NexthopGroupEntry::new(1, 300), NexthopGroupEntry::new(2, 1)][..]);
        nexthop.put(Nexthop::OP_FLAGS, NexthopOperationFlags::DUMP_STATS);
    });
    let attributes = Message::parse(WEIGHTED_GROUP).unwrap().body(Rtm::NEWNEXTHOP).unwrap().attributes;
    let group = attributes.get(Nexthop::GROUP).unwrap().unwrap();
    assert_eq!(group.map(|entry| (entry.id, entry.full_weight())).collect::<Vec<_>>(), [(1, 300), (2, 1)]);
    for (weight, expected) in [(0, 1), (1, 1), (256, 256), (257, 257), (65_536, 65_536), (u32::MAX, 65_536)] {
        assert_eq!(NexthopGroupEntry::new(1, weight).full_weight(), expected);
    }
}

#[test]
fn nexthops_that_wrap() {
    let mut buffer = Buffer::<128>::new();
    let header = NexthopHeader { family: Family::INET, ..Default::default() };
    let bytes = buffer
        .message(Rtm::NEWNEXTHOP.create(), header, |nexthop| {
            nexthop.put(Nexthop::OIF, 3);
            nexthop.put(Nexthop::ENCAP_TYPE, EncapType::SEG6);
            nexthop.choose(Nexthop::ENCAP, Seg6Encap, |encap| {
                let tunnel = Seg6Tunnel { mode: Seg6Mode::ENCAP, srh: SegmentHeader::new(1) };
                encap.put(Seg6Encap::SRH, (tunnel, &[NODE][..]));
                encap.put(Seg6Encap::SRC, NETWORK);
                encap.put(Seg6Encap::TABLE, RouteTable::MAIN);
            });
        })
        .unwrap();
    let attributes = Message::parse(bytes).unwrap().body(Rtm::NEWNEXTHOP).unwrap().attributes;
    let encap = attributes.chosen(Nexthop::ENCAP, Seg6Encap).unwrap().unwrap();
    let (tunnel, source, table) = encap.read((Seg6Encap::SRH, Seg6Encap::SRC, Seg6Encap::TABLE)).unwrap();
    let (tunnel, behind) = tunnel.unwrap();
    assert!(tunnel.srh.segments(behind).eq([NODE]));
    assert_eq!((source, table), (Some(NETWORK), Some(RouteTable::MAIN)));
}

#[test]
fn forwarding_entries() {
    let header = NeighbourHeader {
        family: Family::BRIDGE,
        ifindex: 2,
        state: NeighbourState::NOARP,
        flags: NeighbourFlags::MASTER,
        ..Default::default()
    };
    build(FDB_ENTRY, Rtm::NEWNEIGH, CREATE, header, |entry| {
        entry.put(Neighbour::LLADDR, [2, 0, 0, 0, 0, 0x77]);
        entry.put(Neighbour::VLAN, 7);
        entry.nest(Neighbour::FDB_EXT_ATTRS, |more| {
            more.put(FdbExtended::ACTIVITY_NOTIFY, FdbNotify::BIT);
            more.put(FdbExtended::DONT_REFRESH, ());
        });
        entry.put(Neighbour::FLAGS_EXT, NeighbourExtendedFlags::LOCKED);
        entry.put(Neighbour::NDM_STATE_MASK, NeighbourState::NOARP);
    });
    let view = NeighbourView::read(Message::parse(FDB_ENTRY).unwrap().body(Rtm::NEWNEIGH).unwrap()).unwrap();
    assert_eq!((view.vlan, view.extended_flags), (Some(7), NeighbourExtendedFlags::LOCKED));
}

#[test]
fn advertised_prefixes() {
    let header = PrefixHeader {
        family: Family::INET6,
        ifindex: 3,
        kind: 3,
        len: 64,
        flags: PrefixFlags::ONLINK | PrefixFlags::AUTOCONF,
        ..Default::default()
    };
    let times = PrefixCacheInfo { preferred_time: 900, valid_time: 1800 };
    build(PREFIX, Rtm::NEWPREFIX, Flags::NONE, header, |prefix| {
        prefix.put(Prefix::ADDRESS, NETWORK);
        prefix.put(Prefix::CACHEINFO, times);
    });
    let body = Message::parse(PREFIX).unwrap().body(Rtm::NEWPREFIX).unwrap();
    assert_eq!(body.header, header);
    assert_eq!(body.attributes.read((Prefix::ADDRESS, Prefix::CACHEINFO)), Ok((Some(NETWORK), Some(times))));
}
/// Reads all that the views and the printer read. Ends, does not panic, and does not end early without an error.
fn survive(bytes: &[u8], print: bool) {
    for message in Messages::new(bytes) {
        let Ok(message) = message else { continue };
        let Some(row) = ROUTE.row(message, Default::default()) else {
            continue;
        };
        runs_to_its_end(message.raw_attributes(row.header.length(message.payload)), message.payload.len() + 16);
        let mut paths = None;
        match message.header.kind {
            kind if kind == Rtm::NEWADDR.kind => drop(AddressView::read(message.body(Rtm::NEWADDR).unwrap())),
            kind if kind == Rtm::NEWNEIGH.kind => drop(NeighbourView::read(message.body(Rtm::NEWNEIGH).unwrap())),
            kind if kind == Rtm::NEWRULE.kind => drop(RuleView::read(message.body(Rtm::NEWRULE).unwrap())),
            kind if kind == Rtm::NEWROUTE.kind => {
                let view = RouteView::read(message.body(Rtm::NEWROUTE).unwrap());
                paths = view.ok().and_then(|view| view.multipath);
            }
            _ => {}
        }
        for path in paths.into_iter().flatten() {
            let Ok((header, path)) = path else { break };
            assert!(usize::from(header.len) >= 8);
            let inside = path.payload();
            runs_to_its_end(path.raw(), usize::try_from(inside.offset).unwrap() + inside.bytes.len());
            if let Ok(Some(encap)) = path.chosen(Route::ENCAP, Seg6Encap)
                && let Ok(Some((tunnel, behind))) = encap.get(Seg6Encap::SRH)
            {
                assert!(tunnel.srh.segments(behind).count() <= behind.len() / 16);
            }
        }
        if print {
            write!(Nowhere, "{}{}", message.tree(&ROUTE), message.json(&ROUTE)).unwrap();
        }
    }
}

/// Attributes end with an error, or where the run ends but for padding.
fn runs_to_its_end(attributes: RawAttributes<'_>, end: usize) {
    let mut reached = usize::try_from(attributes.offset()).unwrap();
    for raw in attributes {
        let Ok(raw) = raw else { return };
        let next = usize::try_from(raw.payload.offset).unwrap() + raw.payload.bytes.len();
        assert!(next > reached);
        reached = next;
    }
    // Padding behind the last attribute, then up to three bytes.
    assert!(reached.next_multiple_of(4) + 3 >= end, "{reached} of {end}");
}

/// Takes text and drops it.
struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, _: &str) -> std::fmt::Result {
        Ok(())
    }
}

#[test]
fn damage_is_survived() {
    for sample in samples() {
        survive(&sample, true);
        let mut count = 0_u32;
        support::every_damage(&sample, |bytes| {
            // Printing is the slow part: one value in sixteen is enough of it.
            count = count.wrapping_add(1);
            survive(bytes, count.is_multiple_of(16));
        });
    }
}

#[test]
fn tables_are_sound() {
    let rows = Rtm::OPERATIONS.rows;
    assert!(rows.is_sorted_by_key(|row| row.number));
    assert_eq!(Rtm::GETROUTE.answer, Rtm::NEWROUTE.kind);
    assert_eq!(Rtm::GETMULTICAST.answer, MessageType(58));
    for row in rows {
        assert!((row.space)().rows().is_sorted_by_key(|row| row.number), "{}", row.name);
    }
    // Sizes that the kernel has (x86-64).
    assert_eq!(size_of::<AddressHeader>(), 8);
    assert_eq!(size_of::<RouteHeader>(), 12);
    assert_eq!(size_of::<NeighbourHeader>(), 12);
    assert_eq!(size_of::<NeighbourTableConfig>(), 32);
    assert_eq!(size_of::<NeighbourTableStats>(), 88);
    assert_eq!(size_of::<RuleHeader>(), 12);
    assert_eq!(size_of::<NexthopHeader>(), 8);
    assert_eq!(size_of::<PrefixHeader>(), 12);
    assert_eq!(size_of::<AddressLabelHeader>(), 12);
    assert_eq!(size_of::<RouteCacheInfo>(), 32);
}
