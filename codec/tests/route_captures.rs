//! Addresses, routes, neighbours, rules and next hops as a kernel told them, read by views and keys.

#![cfg(target_endian = "little")]

mod support;

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

use ringlink_codec::Attributes;
use ringlink_codec::prelude::*;
use ringlink_codec::route::*;
use ringlink_codec::table::{Format, HardwareAddress, InetAddress};
use ringlink_codec::wire::Writer;
use support::{expect, lines, some};

const ADDRESS: &str = include_str!("captures/address.hex");
const MULTICAST_ADDRESS: &str = include_str!("captures/multicast_address.hex");
const ADDRESS_LABEL: &str = include_str!("captures/address_label.hex");
const ROUTES: &str = include_str!("captures/route.hex");
const ROUTES_6: &str = include_str!("captures/route6.hex");
const LOOKUP: &str = include_str!("captures/route_lookup.hex");
const NEIGHBOUR: &str = include_str!("captures/neighbour.hex");
const NEIGHBOUR_TABLE: &str = include_str!("captures/neighbour_table.hex");
const RULES: &str = include_str!("captures/rule.hex");
const NEXTHOP: &str = include_str!("captures/nexthop.hex");
const NETCONF: &str = include_str!("captures/netconf.hex");
const NAMESPACE: &str = include_str!("captures/namespace.hex");
const MULTICAST_TABLE: &str = include_str!("captures/bridge_mdb.hex");
const VLANS: &str = include_str!("captures/bridge_vlan.hex");
const VLAN_OPTIONS: &str = include_str!("captures/bridge_vlan_options.hex");
const STATISTICS: &str = include_str!("captures/statistics.hex");
const VXLAN_VNIS: &str = include_str!("captures/vxlan_vni.hex");
const USER_OPTIONS: &str = include_str!("captures/user_option.hex");

#[test]
fn captured_addresses() {
    let found = lines(ADDRESS, Rtm::NEWADDR, |body| {
        let view = AddressView::read(body).unwrap();
        let mut line = format!("{}/{} dev {}", view.own().unwrap(), view.header.prefixlen, view.header.index);
        some(&mut line, "peer", view.local.and(view.address).filter(|peer| Some(*peer) != view.local));
        some(&mut line, "brd", view.broadcast);
        write!(line, " scope {} flags {}", view.header.scope, view.flags).unwrap();
        some(&mut line, "label", view.label);
        some(&mut line, "metric", view.route_priority);
        some(&mut line, "proto", view.protocol);
        if view.cache.unwrap().valid != AddressCacheInfo::FOREVER {
            write!(line, " dynamic").unwrap();
        }
        line
    });
    expect(
        &found,
        "
        127.0.0.1/8 dev 1 scope HOST flags PERMANENT label lo
        192.0.2.1/24 dev 3 brd 192.0.2.255 scope UNIVERSE flags PERMANENT label veth0:a
        10.9.0.1/32 dev 3 peer 10.9.0.2 scope UNIVERSE flags PERMANENT label veth0 metric 77
        192.0.2.2/24 dev 3 scope UNIVERSE flags SECONDARY label veth0 dynamic
        ::1/128 dev 1 scope HOST flags PERMANENT proto KERNEL_LO
        fe80::ff:fe00:11/64 dev 2 scope LINK flags PERMANENT proto KERNEL_LL
        2001:db8:9::1/128 dev 3 peer 2001:db8:9::2 scope UNIVERSE flags NODAD|PERMANENT
        2001:db8:1::1/64 dev 3 scope UNIVERSE flags NODAD|DEPRECATED|NOPREFIXROUTE dynamic
        2001:db8::1/64 dev 3 scope UNIVERSE flags NODAD|PERMANENT
        fe80::ff:fe00:10/64 dev 3 scope LINK flags PERMANENT proto KERNEL_LL
        fe80::ff:fe00:12/64 dev 4 scope LINK flags PERMANENT proto KERNEL_LL
        fe80::ff:fe00:13/64 dev 5 scope LINK flags PERMANENT proto KERNEL_LL
    ",
    );
}

/// A route as `ip route` would say it.
fn route_line(body: Body<'_, RouteMessage>) -> String {
    let view = RouteView::read(body).unwrap();
    let destination = view.destination.map_or("default".into(), |address| address.to_string());
    let mut line = format!("{} {destination}/{}", view.header.kind, view.header.dst_len);
    some(&mut line, "from", view.source);
    some(&mut line, "via", view.gateway);
    if let Some((header, address)) = view.via {
        write!(line, " via {} {}", Family(header.family.try_into().unwrap()), InetAddress(address)).unwrap();
    }
    some(&mut line, "dev", view.output);
    write!(line, " table {} proto {} scope {}", view.table, view.header.protocol, view.header.scope).unwrap();
    some(&mut line, "src", view.preferred_source);
    some(&mut line, "metric", view.priority);
    some(&mut line, "pref", body.attributes.get(Route::PREF).unwrap());
    some(&mut line, "nhid", view.nexthop);
    if view.header.tos != 0 {
        write!(line, " tos {}", view.header.tos).unwrap();
    }
    if view.header.flags.0 != 0 {
        write!(line, " flags {}", view.header.flags).unwrap();
    }
    if let Some(kind) = body.attributes.get(Route::ENCAP_TYPE).unwrap() {
        write!(line, " encap {kind}").unwrap();
    }
    if let Some(metrics) = body.attributes.get(Route::METRICS).unwrap() {
        let (lock, mtu, advmss, initcwnd, algorithm) =
            metrics.read((Metrics::LOCK, Metrics::MTU, Metrics::ADVMSS, Metrics::INITCWND, Metrics::CC_ALGO)).unwrap();
        some(&mut line, "lock", lock);
        some(&mut line, "mtu", mtu);
        some(&mut line, "advmss", advmss);
        some(&mut line, "initcwnd", initcwnd);
        some(&mut line, "congctl", algorithm);
    }
    for path in view.multipath.into_iter().flatten() {
        let (header, path) = path.unwrap();
        let (gateway, flow, kind) = path.read((Route::GATEWAY, Route::FLOW, Route::ENCAP_TYPE)).unwrap();
        write!(line, " nexthop dev {} weight {}", header.ifindex, u16::from(header.hops) + 1).unwrap();
        some(&mut line, "via", gateway);
        some(&mut line, "realm", flow);
        some(&mut line, "encap", kind);
        if header.flags.0 != 0 {
            write!(line, " {}", header.flags).unwrap();
        }
    }
    line
}

#[test]
fn captured_routes() {
    expect(&lines(ROUTES, Rtm::NEWROUTE, route_line), "
        UNICAST 198.51.101.0/24 dev 3 table 1000 proto BOOT scope LINK
        THROW 203.0.116.0/24 table 1000 proto BOOT scope UNIVERSE
        UNICAST default/0 via 192.0.2.7 dev 3 table MAIN proto BOOT scope UNIVERSE metric 100
        UNICAST 198.51.100.0/24 via 192.0.2.7 dev 3 table MAIN proto STATIC scope UNIVERSE src 192.0.2.1 metric 10 lock 4 mtu 1400 advmss 1300 initcwnd 10 congctl cubic
        UNICAST 198.51.102.0/24 table MAIN proto BOOT scope UNIVERSE nexthop dev 3 weight 3 via 192.0.2.7 nexthop dev 3 weight 1 via 192.0.2.8 realm 5 ONLINK
        UNICAST 198.51.103.0/24 via INET6 2001:db8::7 dev 3 table MAIN proto BOOT scope UNIVERSE
        UNICAST 198.51.104.0/24 table MAIN proto BOOT scope UNIVERSE nhid 10 nexthop dev 3 weight 3 via 192.0.2.7 nexthop dev 3 weight 200 via 192.0.2.8
        UNICAST 198.51.105.0/24 via 192.0.2.7 dev 3 table MAIN proto BOOT scope UNIVERSE nhid 1
        UNICAST 198.51.107.0/24 dev 3 table MAIN proto BOOT scope LINK encap IP
        UNICAST 198.51.108.0/24 dev 3 table MAIN proto BOOT scope LINK encap IP6
        UNICAST 198.51.109.0/24 dev 3 table MAIN proto BOOT scope LINK encap SEG6
        UNICAST 198.51.112.0/24 dev 3 table MAIN proto STATIC scope LINK encap BPF
        UNICAST 198.51.113.0/24 dev 3 table MAIN proto BOOT scope LINK tos 16
        BLACKHOLE 203.0.113.0/24 table MAIN proto BOOT scope UNIVERSE
        UNREACHABLE 203.0.114.0/24 table MAIN proto BOOT scope UNIVERSE metric 7
        PROHIBIT 203.0.115.0/24 table MAIN proto BOOT scope UNIVERSE
        UNICAST 10.9.0.2/32 dev 3 table MAIN proto KERNEL scope LINK src 10.9.0.1 metric 77
        UNICAST 192.0.2.0/24 dev 3 table MAIN proto KERNEL scope LINK src 192.0.2.1
        LOCAL 10.9.0.1/32 dev 3 table LOCAL proto KERNEL scope HOST src 10.9.0.1
        LOCAL 127.0.0.0/8 dev 1 table LOCAL proto KERNEL scope HOST src 127.0.0.1
    ");
}

#[test]
fn captured_routes_6() {
    expect(&lines(ROUTES_6, Rtm::NEWROUTE, route_line), "
        UNICAST 2001:db8:100::/48 via 2001:db8::7 dev 3 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM mtu 1300
        UNICAST 2001:db8:101::/48 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM nexthop dev 3 weight 2 via 2001:db8::7 nexthop dev 3 weight 1 via 2001:db8::8
        UNICAST 2001:db8:102::/48 from 2001:db8:: dev 3 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM
        UNICAST 2001:db8:103::/48 via 2001:db8::7 dev 3 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM nhid 4 flags NEXTHOP_ONLINK
        UNREACHABLE 2001:db8:104::/48 dev 1 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM
        UNICAST 2001:db8:105::/48 dev 3 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM encap SEG6
        UNICAST 2001:db8:109::/48 dev 3 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM encap SEG6
        UNICAST 2001:db8:110::/48 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM nexthop dev 3 weight 1 via 2001:db8::7 encap SEG6 nexthop dev 3 weight 1 via 2001:db8::8 encap IP6
        UNICAST fc00::100/128 dev 3 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM encap SEG6_LOCAL
        UNICAST fc00::101/128 dev 3 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM encap SEG6_LOCAL
        UNICAST fc00::102/128 dev 3 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM encap SEG6_LOCAL
        UNICAST fc00::103/128 dev 3 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM encap SEG6_LOCAL
        UNICAST fc00::104/128 dev 3 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM encap SEG6_LOCAL
        UNICAST fc00::105/128 dev 3 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM encap SEG6_LOCAL
        UNICAST fc00::106/128 dev 3 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM encap SEG6_LOCAL
        UNICAST fc00::107/128 dev 3 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM encap SEG6_LOCAL
        UNICAST default/0 via 2001:db8::7 dev 3 table MAIN proto BOOT scope UNIVERSE metric 300 pref HIGH
        UNICAST 2001:db8::/64 dev 3 table MAIN proto KERNEL scope UNIVERSE metric 256 pref MEDIUM
        UNICAST 2001:db8:9::1/128 dev 3 table MAIN proto KERNEL scope UNIVERSE metric 256 pref MEDIUM
        UNICAST 2001:db8:9::2/128 dev 3 table MAIN proto KERNEL scope UNIVERSE metric 256 pref MEDIUM
        UNICAST fe80::/64 dev 2 table MAIN proto KERNEL scope UNIVERSE metric 256 pref MEDIUM
    ");
}

#[test]
fn captured_lookups() {
    expect(&lines(LOOKUP, Rtm::NEWROUTE, route_line), "
        UNICAST 198.51.100.9/32 via 192.0.2.7 dev 3 table MAIN proto UNSPEC scope UNIVERSE src 192.0.2.1 flags CLONED lock 4 mtu 1400 advmss 1300 initcwnd 10 congctl cubic
        UNICAST 2001:db8:101::/48 table MAIN proto BOOT scope UNIVERSE metric 1024 pref MEDIUM nexthop dev 3 weight 1 via 2001:db8::8 nexthop dev 3 weight 2 via 2001:db8::7
    ");
}

#[test]
fn captured_neighbours() {
    let found = lines(NEIGHBOUR, Rtm::NEWNEIGH, |body| {
        let view = NeighbourView::read(body).unwrap();
        let mut line =
            format!("{} dev {} {} {}", view.header.family, view.header.ifindex, view.header.state, view.header.flags);
        some(&mut line, "dst", view.address);
        some(&mut line, "lladdr", view.hardware);
        some(&mut line, "vni", view.vni);
        some(&mut line, "master", view.master);
        some(&mut line, "proto", view.protocol);
        some(&mut line, "port", body.attributes.get(Neighbour::PORT).unwrap());
        line
    });
    expect(
        &found,
        "
        INET dev 3 PERMANENT 0 dst 192.0.2.7 lladdr 02:00:00:00:00:07
        INET dev 3 REACHABLE 0 dst 192.0.2.8 lladdr 02:00:00:00:00:08 proto STATIC
        INET dev 4 NOARP 0 dst 224.0.0.22 lladdr 01:00:5e:00:00:16
        INET6 dev 5 NOARP 0 dst ff02::2 lladdr 33:33:00:00:00:02
        INET6 dev 2 NOARP 0 dst ff02::16 lladdr 33:33:00:00:00:16
        INET6 dev 3 STALE 0 dst fe80::ff:fe00:11 lladdr 02:00:00:00:00:11
        INET6 dev 3 NOARP 0 dst ff02::1:ff00:10 lladdr 33:33:ff:00:00:10
        INET6 dev 2 NOARP 0 dst ff02::1:ff00:11 lladdr 33:33:ff:00:00:11
        INET6 dev 4 NOARP 0 dst ff02::2 lladdr 33:33:00:00:00:02
        INET6 dev 5 NOARP 0 dst ff02::16 lladdr 33:33:00:00:00:16
        INET6 dev 3 PERMANENT ROUTER dst 2001:db8::7 lladdr 02:00:00:00:00:07
        INET6 dev 4 NOARP 0 dst ff02::1:ff00:12 lladdr 33:33:ff:00:00:12
        INET6 dev 2 NOARP 0 dst ff02::2 lladdr 33:33:00:00:00:02
        INET6 dev 3 NOARP 0 dst ff02::16 lladdr 33:33:00:00:00:16
        INET6 dev 3 STALE 0 dst fe80::ff:fe00:12 lladdr 02:00:00:00:00:12
        INET6 dev 5 NOARP 0 dst ff02::1:ff00:13 lladdr 33:33:ff:00:00:13
        INET6 dev 4 NOARP 0 dst ff02::16 lladdr 33:33:00:00:00:16
        INET dev 3 0 PROXY dst 192.0.2.99
        BRIDGE dev 2 REACHABLE 0 lladdr 02:00:00:00:00:10 master 4
        BRIDGE dev 2 NOARP 0 lladdr 02:00:00:00:00:77 master 4
        BRIDGE dev 2 REACHABLE EXT_LEARNED lladdr 02:00:00:00:00:78 master 4
        BRIDGE dev 2 PERMANENT 0 lladdr 02:00:00:00:00:11 master 4
        BRIDGE dev 2 PERMANENT SELF lladdr 01:00:5e:00:00:01
        BRIDGE dev 3 PERMANENT SELF lladdr 01:00:5e:00:00:01
        BRIDGE dev 4 PERMANENT SELF lladdr 01:00:5e:00:00:01
        BRIDGE dev 4 PERMANENT 0 lladdr 02:00:00:00:00:12 master 4
        BRIDGE dev 5 NOARP|PERMANENT SELF dst 192.0.2.50 lladdr 02:00:00:00:00:79 vni 43 port 4790
    ",
    );
}

#[test]
fn captured_rules() {
    let found = lines(RULES, Rtm::NEWRULE, |body| {
        let view = RuleView::read(body).unwrap();
        let mut line = format!("{}: {} table {}", view.priority, view.header.action, view.table);
        let flags = view.header.flags;
        some(&mut line, "flags", (flags.0 != 0).then_some(flags));
        some(&mut line, "from", view.source.map(|from| format!("{from}/{}", view.header.src_len)));
        some(&mut line, "to", view.destination.map(|to| format!("{to}/{}", view.header.dst_len)));
        some(&mut line, "iif", view.input);
        some(&mut line, "oif", view.output);
        some(&mut line, "mark", view.mark.map(|mark| format!("{mark:#x}/{:#x}", view.mark_mask.unwrap())));
        some(&mut line, "tos", (view.header.tos != 0).then_some(view.header.tos));
        some(&mut line, "uids", view.users.map(|users| format!("{}-{}", users.start, users.end)));
        some(&mut line, "ipproto", view.ip_protocol);
        some(&mut line, "sport", view.source_ports.map(|ports| format!("{}-{}", ports.start, ports.end)));
        some(&mut line, "dport", view.destination_ports.map(|ports| format!("{}-{}", ports.start, ports.end)));
        some(&mut line, "goto", view.goto);
        some(&mut line, "suppress", view.suppress_prefix_length);
        some(&mut line, "proto", view.protocol);
        let (group, flow, tunnel) = body.attributes.read((Rule::SUPPRESS_IFGROUP, Rule::FLOW, Rule::TUN_ID)).unwrap();
        some(&mut line, "suppress group", group);
        some(&mut line, "realms", flow);
        some(&mut line, "tunnel", tunnel);
        if view.l3mdev {
            line.push_str(" l3mdev");
        }
        line
    });
    expect(
        &found,
        "
        0: TO_TBL table LOCAL proto KERNEL
        100: TO_TBL table 1000 from 192.0.2.0/24 to 198.51.100.0/24 iif veth0 oif veth1 mark 0x10/0xff proto STATIC
        101: TO_TBL table MAIN uids 1000-2000 ipproto 6 sport 1000-2000 dport 443-443 suppress 8 proto UNSPEC
        102: GOTO table UNSPEC goto 200 proto UNSPEC
        200: BLACKHOLE table UNSPEC flags INVERT to 203.0.113.0/24 proto UNSPEC
        201: TO_TBL table UNSPEC proto UNSPEC l3mdev
        202: TO_TBL table 1000 tos 16 proto UNSPEC suppress group 5 realms 65538
        203: PROHIBIT table UNSPEC proto UNSPEC tunnel 99
        32766: TO_TBL table MAIN proto KERNEL
        32767: TO_TBL table DEFAULT proto KERNEL
        0: TO_TBL table LOCAL proto KERNEL
        100: TO_TBL table 5000 from 2001:db8::/32 proto UNSPEC
        101: UNREACHABLE table UNSPEC proto UNSPEC
        32766: TO_TBL table MAIN proto KERNEL
    ",
    );
}

/// The attributes of a captured route to this destination.
fn route_to<'a>(messages: &'a [Vec<u8>], destination: &str) -> Attributes<'a, Route> {
    let destination: IpAddr = destination.parse().unwrap();
    let bodies = messages.iter().map(|bytes| Message::parse(bytes).unwrap().body(Rtm::NEWROUTE).unwrap());
    let found = |body: &Body<'_, _>| RouteView::read(*body).unwrap().destination.is_some_and(|to| to == destination);
    bodies.into_iter().find(found).unwrap().attributes
}

#[test]
fn captured_ip_tunnels() {
    let messages = support::messages(ROUTES);
    let ip = route_to(&messages, "198.51.107.0").chosen(Route::ENCAP, IpEncap).unwrap().unwrap();
    let (id, destination, source, ttl, tos, flags) =
        ip.read((IpEncap::ID, IpEncap::DST, IpEncap::SRC, IpEncap::TTL, IpEncap::TOS, IpEncap::FLAGS)).unwrap();
    assert_eq!((id, ttl, tos), (Some(77), Some(64), Some(4)));
    assert_eq!(destination, Some(Ipv4Addr::new(192, 0, 2, 9)));
    assert_eq!(source, Some(Ipv4Addr::new(192, 0, 2, 1)));
    assert_eq!(flags, Some(EncapFlags::KEY | EncapFlags::CSUM));

    let ip6 = route_to(&messages, "198.51.108.0").chosen(Route::ENCAP, Ip6Encap).unwrap().unwrap();
    let (id, destination, limit, class) =
        ip6.read((Ip6Encap::ID, Ip6Encap::DST, Ip6Encap::HOPLIMIT, Ip6Encap::TC)).unwrap();
    assert_eq!((id, limit, class), (Some(78), Some(64), Some(8)));
    assert_eq!(destination, Some("2001:db8::9".parse().unwrap()));

    // What the sibling does not say is not there.
    assert!(route_to(&messages, "198.51.107.0").chosen(Route::ENCAP, Ip6Encap).unwrap().is_none());
    assert!(route_to(&messages, "198.51.113.0").chosen(Route::ENCAP, IpEncap).unwrap().is_none());
}

#[test]
fn captured_programs() {
    let messages = support::messages(ROUTES);
    let programs = route_to(&messages, "198.51.112.0").chosen(Route::ENCAP, BpfEncap).unwrap().unwrap();
    let (input, output) = programs.read((BpfEncap::IN, BpfEncap::OUT)).unwrap();
    assert!(input.is_none());
    let name = output.unwrap().get(EncapProgram::NAME).unwrap().unwrap();
    assert_eq!(name.to_str(), Some("none.o:[out]"));
}

#[test]
fn captured_segments() {
    let messages = support::messages(ROUTES);
    let segments = |route: Attributes<'_, Route>| {
        let encap = route.chosen(Route::ENCAP, Seg6Encap).unwrap().unwrap();
        let (tunnel, behind) = encap.get(Seg6Encap::SRH).unwrap().unwrap();
        let segments: Vec<String> = tunnel.srh.segments(behind).map(|segment| segment.to_string()).collect();
        (tunnel.mode, tunnel.srh, segments)
    };
    let (mode, header, list) = segments(route_to(&messages, "198.51.109.0"));
    assert_eq!((mode, header), (Seg6Mode::ENCAP, SegmentHeader::new(2)));
    assert_eq!(list, ["fc00::2", "fc00::1"]);

    let messages = support::messages(ROUTES_6);
    let (mode, header, list) = segments(route_to(&messages, "2001:db8:105::"));
    assert_eq!((mode, header), (Seg6Mode::INLINE, SegmentHeader::new(4)));
    assert_eq!(list, ["::", "fc00::3", "fc00::2", "fc00::1"]);

    // Within a list of next hops, the type beside the nest chooses.
    let paths = route_to(&messages, "2001:db8:110::").get(Route::MULTIPATH).unwrap().unwrap();
    let paths: Vec<_> = paths.map(|path| path.unwrap().1).collect();
    assert_eq!(segments(paths[0]).2, ["fc00::1"]);
    let second = paths[1].chosen(Route::ENCAP, Ip6Encap).unwrap().unwrap();
    assert_eq!(second.get(Ip6Encap::ID), Ok(Some(5)));
}

#[test]
fn captured_local_segments() {
    let messages = support::messages(ROUTES_6);
    let local = |destination| route_to(&messages, destination).chosen(Route::ENCAP, Seg6Local).unwrap().unwrap();
    let action = |destination| local(destination).get(Seg6Local::ACTION).unwrap().unwrap();

    assert_eq!(action("fc00::100"), Seg6Action::END);
    assert_eq!(action("fc00::101"), Seg6Action::END_X);
    assert_eq!(local("fc00::101").get(Seg6Local::NH6), Ok(Some("2001:db8::7".parse().unwrap())));
    assert_eq!(action("fc00::102"), Seg6Action::END_T);
    assert_eq!(local("fc00::102").get(Seg6Local::TABLE), Ok(Some(RouteTable(1000))));
    assert_eq!(action("fc00::103"), Seg6Action::END_DX4);
    assert_eq!(local("fc00::103").get(Seg6Local::NH4), Ok(Some(Ipv4Addr::new(192, 0, 2, 7))));

    assert_eq!(action("fc00::104"), Seg6Action::END_DT6);
    let counters = local("fc00::104").get(Seg6Local::COUNTERS).unwrap().unwrap();
    let counters = counters.read((Seg6Counters::PACKETS, Seg6Counters::BYTES, Seg6Counters::ERRORS));
    assert_eq!(counters, Ok((Some(0), Some(0), Some(0))));

    assert_eq!(action("fc00::105"), Seg6Action::END_B6_ENCAP);
    let (header, behind) = local("fc00::105").get(Seg6Local::SRH).unwrap().unwrap();
    assert_eq!(header.segments(behind).last(), Some("fc00::1".parse().unwrap()));

    let flavors = local("fc00::106").get(Seg6Local::FLAVORS).unwrap().unwrap();
    let flavors = flavors.read((Seg6Flavors::OPERATION, Seg6Flavors::LCBLOCK_BITS, Seg6Flavors::LCNODE_FN_BITS));
    assert_eq!(flavors, Ok((Some(Seg6FlavorOperations::NEXT_CSID), Some(32), Some(16))));

    assert_eq!(action("fc00::107"), Seg6Action::END_DX2);
    assert_eq!(local("fc00::107").get(Seg6Local::OIF), Ok(Some(3)));
}

#[test]
fn captured_expiry_is_counted_in_hundredths() {
    let messages = support::messages(ROUTES_6);
    let cache = route_to(&messages, "2001:db8:100::").get(Route::CACHEINFO).unwrap().unwrap();
    assert!((350_000..=360_000).contains(&cache.expires));
}

#[test]
fn captured_neighbour_tables() {
    let messages = support::messages(NEIGHBOUR_TABLE);
    let bodies: Vec<_> =
        messages.iter().map(|bytes| Message::parse(bytes).unwrap().body(Rtm::NEWNEIGHTBL).unwrap()).collect();
    let (name, limit, interval, config, stats, parameters) = bodies[0]
        .attributes
        .read((
            NeighbourTable::NAME,
            NeighbourTable::THRESH3,
            NeighbourTable::GC_INTERVAL,
            NeighbourTable::CONFIG,
            NeighbourTable::STATS,
            NeighbourTable::PARMS,
        ))
        .unwrap();
    assert!(name.unwrap() == "arp_cache");
    assert_eq!((limit, interval), (Some(1024), Some(30_000)));
    assert_eq!((config.unwrap().key_len, config.unwrap().hash_chain_gc), (4, 0));
    assert_eq!(stats.unwrap().table_fulls, 0);
    let probe = NeighbourTableParameters::INTERVAL_PROBE_TIME_MS;
    let defaults = parameters.unwrap().read((NeighbourTableParameters::IFINDEX, probe));
    assert_eq!(defaults, Ok((None, Some(5000))));

    // What follows are the interfaces' own parameters.
    let own = bodies[1].attributes.read((NeighbourTable::CONFIG, NeighbourTable::PARMS)).unwrap();
    assert!(own.0.is_none());
    assert_eq!(own.1.unwrap().get(NeighbourTableParameters::IFINDEX), Ok(Some(5)));
}

#[test]
fn captured_nexthops() {
    let messages = support::messages(NEXTHOP);
    let mut found = Vec::new();
    for message in messages.iter().map(|bytes| Message::parse(bytes).unwrap()) {
        if message.header.kind == Rtm::NEWNEXTHOPBUCKET.kind {
            let body = message.body(Rtm::NEWNEXTHOPBUCKET).unwrap();
            let (id, bucket) = body.attributes.read((Nexthop::ID, Nexthop::RES_BUCKET)).unwrap();
            let (index, nexthop) = bucket.unwrap().read((ResilientBucket::INDEX, ResilientBucket::NH_ID)).unwrap();
            found.push(format!("{} bucket {} nhid {}", id.unwrap(), index.unwrap(), nexthop.unwrap()));
            continue;
        }
        let body = message.body(Rtm::NEWNEXTHOP).unwrap();
        let (id, group, kind, blackhole, output, gateway, fdb, resilient, stats) = body
            .attributes
            .read((
                Nexthop::ID,
                Nexthop::GROUP,
                Nexthop::GROUP_TYPE,
                Nexthop::BLACKHOLE,
                Nexthop::OIF,
                Nexthop::GATEWAY,
                Nexthop::FDB,
                Nexthop::RES_GROUP,
                Nexthop::GROUP_STATS,
            ))
            .unwrap();
        let header = body.header;
        let mut line = format!("{} {} {} {}", id.unwrap(), header.family, header.scope, header.protocol);
        some(&mut line, "via", gateway);
        some(&mut line, "dev", output);
        some(&mut line, "group", kind);
        for entry in group.into_iter().flatten() {
            write!(line, " {},{}", entry.id, entry.full_weight()).unwrap();
        }
        some(&mut line, "buckets", resilient.and_then(|group| group.get(ResilientGroup::BUCKETS).unwrap()));
        some(&mut line, "idle", resilient.and_then(|group| group.get(ResilientGroup::IDLE_TIMER).unwrap()));
        for entry in stats.into_iter().flat_map(|stats| stats.all(NexthopGroupStats::ENTRY)) {
            let (id, packets) =
                entry.unwrap().read((NexthopGroupStatsEntry::ID, NexthopGroupStatsEntry::PACKETS)).unwrap();
            write!(line, " nhid {} packets {}", id.unwrap(), packets.unwrap()).unwrap();
        }
        let flags = [(blackhole.is_some(), " blackhole"), (fdb.is_some(), " fdb")];
        line.extend(flags.iter().filter(|flag| flag.0).map(|flag| flag.1));
        found.push(line);
    }
    expect(
        &found,
        "
        1 INET LINK UNSPEC via 192.0.2.7 dev 3
        2 INET LINK STATIC via 192.0.2.8 dev 3
        3 INET UNIVERSE UNSPEC blackhole
        4 INET6 LINK UNSPEC via 2001:db8::7 dev 3
        10 UNSPEC UNIVERSE UNSPEC group MPATH 1,3 2,200
        11 UNSPEC UNIVERSE UNSPEC group RES 1,1 2,1 buckets 4 idle 6000
        12 INET LINK UNSPEC via 192.0.2.51 fdb
        10 UNSPEC UNIVERSE UNSPEC group MPATH 1,3 2,200 nhid 1 packets 0 nhid 2 packets 0
        11 bucket 0 nhid 2
        11 bucket 1 nhid 2
        11 bucket 2 nhid 1
        11 bucket 3 nhid 1
    ",
    );
}

#[test]
fn captured_joined_groups_and_anycast_addresses() {
    let mut found = Vec::new();
    for message in support::messages(MULTICAST_ADDRESS).iter().map(|bytes| Message::parse(bytes).unwrap()) {
        // Answers have the question's own type.
        let body = match message.header.kind == Rtm::GETMULTICAST.answer {
            true => message.answer(Rtm::GETMULTICAST).unwrap(),
            false => message.answer(Rtm::GETANYCAST).unwrap(),
        };
        let (group, anycast) = body.attributes.read((Address::MULTICAST, Address::ANYCAST)).unwrap();
        let mut line = format!("dev {} {}", body.header.index, body.header.scope);
        some(&mut line, "group", group);
        some(&mut line, "anycast", anycast);
        found.push(line);
    }
    expect(
        &found,
        "
        dev 1 UNIVERSE group 224.0.0.1
        dev 2 UNIVERSE group 224.0.0.1
        dev 3 UNIVERSE group 224.0.0.1
        dev 4 UNIVERSE group 224.0.0.1
        dev 4 UNIVERSE group 224.0.0.106
        dev 5 UNIVERSE group 224.0.0.1
        dev 1 UNIVERSE group ff02::1
        dev 1 UNIVERSE group ff01::1
        dev 2 UNIVERSE group ff02::1:ff00:11
        dev 2 UNIVERSE group ff02::1
        dev 2 UNIVERSE group ff01::1
        dev 3 UNIVERSE group ff02::1:ff00:0
        dev 3 UNIVERSE anycast fe80::
        dev 3 UNIVERSE anycast 2001:db8:1::
        dev 3 UNIVERSE anycast 2001:db8::
    ",
    );
}

#[test]
fn captured_small_objects() {
    let found = lines(NETCONF, Rtm::NEWNETCONF, |body| {
        let (interface, forwarding, filter, input) =
            body.attributes.read((Netconf::IFINDEX, Netconf::FORWARDING, Netconf::RP_FILTER, Netconf::INPUT)).unwrap();
        let mut line = format!("{} dev {} forwarding {}", body.header.family, interface.unwrap(), forwarding.unwrap());
        some(&mut line, "filter", filter);
        some(&mut line, "input", input);
        line
    });
    expect(
        &found,
        "
        INET dev 1 forwarding 0 filter 0
        INET dev 2 forwarding 0 filter 0
        INET dev 3 forwarding 0 filter 0
        INET6 dev 1 forwarding 0
        INET6 dev 2 forwarding 0
        INET6 dev 3 forwarding 1
        ",
    );

    let found = lines(NAMESPACE, Rtm::NEWNSID, |body| {
        format!("{} {}", body.header.family, body.attributes.get(Namespace::NSID).unwrap().unwrap())
    });
    expect(&found, "UNSPEC 7\n UNSPEC 7");

    let found = lines(ADDRESS_LABEL, Rtm::NEWADDRLABEL, |body| {
        let (address, label) = body.attributes.read((AddressLabel::ADDRESS, AddressLabel::LABEL)).unwrap();
        format!("{}/{} {} dev {}", address.unwrap(), body.header.prefixlen, label.unwrap(), body.header.index)
    });
    expect(
        &found,
        "
        ::1/128 0 dev 0
        ::/96 3 dev 0
        ::ffff:0.0.0.0/96 4 dev 0
        2001:db8::/32 99 dev 3
        2001::/32 6 dev 0
        2001:10::/28 7 dev 0
        3ffe::/16 12 dev 0
        2002::/16 2 dev 0
        fec0::/10 11 dev 0
        fc00::/7 5 dev 0
        ::/0 1 dev 0
    ",
    );
}

#[test]
fn captured_multicast_tables() {
    // Answers to dumps have the question's own type.
    let mut found = Vec::new();
    for sample in support::messages(MULTICAST_TABLE) {
        let body = Message::parse(&sample).unwrap().answer(Rtm::GETMDB).unwrap();
        let (entries, routers) = body.attributes.read((Mdb::MDB, Mdb::ROUTER)).unwrap();
        for group in entries.unwrap().all(MdbEntries::ENTRY).map(Result::unwrap) {
            for (entry, details) in group.all(MdbGroup::INFO).map(Result::unwrap) {
                let (source, protocol) = details.read((MdbDetails::SOURCE, MdbDetails::RTPROT)).unwrap();
                let group = match entry.addr.bytes() {
                    hardware @ [_, _, _, _, _, _] => HardwareAddress(hardware).to_string(),
                    address => InetAddress(address).to_string(),
                };
                let mut line = format!("port {} vid {} {group} {}", entry.ifindex, entry.vid, entry.state);
                some(&mut line, "src", source);
                some(&mut line, "proto", protocol);
                found.push(line);
            }
        }
        for (port, details) in routers.unwrap().all(MdbRouters::PORT).map(Result::unwrap) {
            found.push(format!("router {} {}", port.ifindex, details.get(MdbRouter::TYPE).unwrap().unwrap()));
        }
    }
    expect(
        &found,
        "
        port 3 vid 11 01:00:5e:11:12:13 PERMANENT proto STATIC
        port 3 vid 10 239.1.1.2 PERMANENT src 192.0.2.1 proto STATIC
        port 3 vid 10 ff05::7 PERMANENT proto STATIC
        port 3 vid 10 239.1.1.1 PERMANENT proto STATIC
        router 3 PERM
    ",
    );
    assert_eq!(BridgeGroup::ipv6(std::net::Ipv6Addr::LOCALHOST).bytes().len(), 16);
}

#[test]
fn captured_vlans() {
    let found = lines(VLANS, Rtm::NEWVLAN, |body| {
        let mut line = format!("dev {}", body.header.ifindex);
        for vlan in body.attributes.all(BridgeVlans::ENTRY).map(Result::unwrap) {
            let (info, groups, counters) =
                vlan.read((BridgeVlanEntry::INFO, BridgeVlanEntry::MCAST_N_GROUPS, BridgeVlanEntry::STATS)).unwrap();
            let packets = counters.unwrap().get(BridgeVlanStats::RX_PACKETS).unwrap().unwrap();
            write!(line, " {}:{}", info.unwrap().vid, packets).unwrap();
            some(&mut line, "groups", groups.filter(|groups| *groups > 0));
        }
        line
    });
    expect(&found, "dev 3 1:2 10:0 groups 3 11:0 groups 1 12:0 20:0\n dev 4 1:2");

    let found = lines(VLAN_OPTIONS, Rtm::NEWVLAN, |body| {
        let mut line = format!("dev {}", body.header.ifindex);
        for options in body.attributes.all(BridgeVlans::GLOBAL_OPTIONS).map(Result::unwrap) {
            let (id, range, interval) = options
                .read((BridgeVlanOptions::ID, BridgeVlanOptions::RANGE, BridgeVlanOptions::MCAST_QUERY_INTVL))
                .unwrap();
            write!(line, " {}", id.unwrap()).unwrap();
            some(&mut line, "to", range);
            some(&mut line, "every", interval);
        }
        line
    });
    expect(&found, "dev 4 1 every 12500 10 to 12 every 12500 20 every 12500");
}

#[test]
fn captured_counters() {
    let found = lines(STATISTICS, Rtm::NEWSTATS, |body| {
        let wanted = [
            Statistics::mask(Statistics::LINK_64),
            Statistics::mask(Statistics::LINK_XSTATS),
            Statistics::mask(Statistics::LINK_XSTATS_SLAVE),
            Statistics::mask(Statistics::LINK_OFFLOAD_XSTATS),
            Statistics::mask(Statistics::AF_SPEC),
        ];
        assert_eq!(body.header.filter_mask, wanted.iter().sum::<u32>());
        let (link, own, port, families) = body
            .attributes
            .read((Statistics::LINK_64, Statistics::LINK_XSTATS, Statistics::LINK_XSTATS_SLAVE, Statistics::AF_SPEC))
            .unwrap();
        let mut line = format!("dev {} rx {}", body.header.ifindex, link.unwrap().rx_packets);
        for (name, kind) in [("bridge", own), ("port", port)] {
            let Some(bridge) = kind.and_then(|kind| kind.get(KindStatistics::BRIDGE).unwrap()) else { continue };
            let vlans = bridge.all(BridgeStatistics::VLAN).map(|vlan| vlan.unwrap().vid.to_string());
            write!(line, " {name} vlans {}", vlans.collect::<Vec<_>>().join(",")).unwrap();
            let igmp = bridge.get(BridgeStatistics::MCAST).unwrap().unwrap();
            write!(line, " igmp {:?}", igmp.igmp_v3reports).unwrap();
        }
        let mpls = families.and_then(|families| families.get(FamilyStatistics::MPLS).unwrap());
        let mpls = mpls.and_then(|mpls| mpls.get(MplsStatistics::LINK).unwrap());
        some(&mut line, "mpls", mpls.map(|mpls| mpls.rx_noroute));
        line
    });
    expect(
        &found,
        "
        dev 1 rx 0 mpls 0
        dev 2 rx 3 mpls 0
        dev 3 rx 1 port vlans 1,10,11,12,20 igmp [0, 2] mpls 0
        dev 4 rx 0 bridge vlans 1,10,11,12,20 igmp [2, 0] mpls 0
    ",
    );
}

#[test]
fn captured_network_identifiers() {
    let found = lines(VXLAN_VNIS, Rtm::NEWTUNNEL, |body| {
        let mut line = format!("dev {}", body.header.ifindex);
        for vni in body.attributes.all(VxlanVnis::ENTRY).map(Result::unwrap) {
            let (start, group, counters) = vni.read((VxlanVni::START, VxlanVni::GROUP, VxlanVni::STATS)).unwrap();
            write!(line, " {}", start.unwrap()).unwrap();
            some(&mut line, "remote", group);
            some(&mut line, "rx", counters.unwrap().get(VxlanVniStats::RX_PKTS).unwrap());
        }
        line
    });
    expect(&found, "dev 5 100 rx 0 101 rx 0 200 remote 192.0.2.9 rx 0");
}

#[test]
fn captured_options_of_router_advertisements() {
    let mut found = Vec::new();
    for sample in support::messages(USER_OPTIONS) {
        let message = Message::parse(&sample).unwrap();
        let body = message.body(Rtm::NEWNDUSEROPT).unwrap();
        let from = body.attributes.get(UserOption::SRCADDR).unwrap().unwrap();
        let header = body.header;
        for option in UserOptions::read(message).unwrap() {
            let (kind, bytes) = option.unwrap();
            found.push(format!("dev {} type {} from {from}: {kind} {bytes:02x?}", header.ifindex, header.icmp_type));
        }
        let mut buffer = [0; 128];
        let mut writer = Writer::new(&mut buffer);
        Rtm::NEWNDUSEROPT.encode(&mut writer, message.header, header, |again| {
            again.tail(&message.payload[16..16 + usize::from(header.opts_len)]);
            again.put(UserOption::SRCADDR, from);
        });
        assert_eq!(writer.finish().unwrap(), sample);
    }
    expect(
        &found,
        "
        dev 2 type 134 from fe80::b4e5:19ff:fe6f:c4c2: 25 [00, 00, 00, 00, 07, 08, 20, 01, 0d, b8, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 00, 53]
        dev 2 type 134 from fe80::b4e5:19ff:fe6f:c4c2: 31 [00, 00, 00, 00, 07, 08, 07, 65, 78, 61, 6d, 70, 6c, 65, 03, 6f, 72, 67, 00, 00, 00, 00]
    ",
    );
}

/// Options that lie about their length, and headers that lie about the options.
#[test]
fn broken_options_are_told_once() {
    let sample = &support::messages(USER_OPTIONS)[0];
    let options = |bytes: &[u8]| {
        let found = UserOptions::read(Message::parse(bytes).unwrap());
        found.map(|options| options.map(|option| option.map(|(kind, _)| kind)).collect::<Vec<_>>())
    };
    assert_eq!(options(sample), Ok(vec![Ok(25)]));
    for units in [0, 4, 255] {
        let mut broken = sample.clone();
        broken[33] = units;
        let told = options(&broken).unwrap();
        assert!(matches!(told[..], [Err(error)] if error.offset == 32), "{told:?}");
    }
    let mut broken = sample.clone();
    broken[18] = 99;
    assert_eq!(options(&broken).unwrap_err().offset, 16);
    support::every_damage(sample, |bytes| {
        let Ok(message) = Message::parse(bytes) else { return };
        if let Ok(options) = UserOptions::read(message) {
            assert!(options.count() <= bytes.len());
        }
        let _ = (message.tree(&ringlink_codec::protocol::ROUTE).to_string(), Body::<UserOptionMessage>::of(message));
    });
}

/// Builds again what an answer of the kernel held, attribute by attribute in the kernel's order: typed values go there
/// and back. For all objects, nests too, see `there_and_back.rs`, which is led by the tables.
#[test]
fn captured_values_go_there_and_back() {
    for sample in support::messages(ADDRESS) {
        let Body { message, header, attributes } = Message::parse(&sample).unwrap().body(Rtm::NEWADDR).unwrap();
        rebuild(&sample, Rtm::NEWADDR, message, header, |address| {
            for raw in attributes.raw().map(Result::unwrap) {
                match raw.number() {
                    1 => address.put_some(Address::ADDRESS, attributes.get(Address::ADDRESS).unwrap()),
                    2 => address.put_some(Address::LOCAL, attributes.get(Address::LOCAL).unwrap()),
                    3 => address.put_some(Address::LABEL, attributes.get(Address::LABEL).unwrap()),
                    4 => address.put_some(Address::BROADCAST, attributes.get(Address::BROADCAST).unwrap()),
                    6 => address.put_some(Address::CACHEINFO, attributes.get(Address::CACHEINFO).unwrap()),
                    8 => address.put_some(Address::FLAGS, attributes.get(Address::FLAGS).unwrap()),
                    9 => address.put_some(Address::RT_PRIORITY, attributes.get(Address::RT_PRIORITY).unwrap()),
                    11 => address.put_some(Address::PROTO, attributes.get(Address::PROTO).unwrap()),
                    other => panic!("{other}"),
                }
            }
        });
    }
    for sample in support::messages(RULES) {
        let Body { message, header, attributes } = Message::parse(&sample).unwrap().body(Rtm::NEWRULE).unwrap();
        rebuild(&sample, Rtm::NEWRULE, message, header, |rule| {
            for raw in attributes.raw().map(Result::unwrap) {
                match raw.number() {
                    1 => rule.put_some(Rule::DST, attributes.get(Rule::DST).unwrap()),
                    2 => rule.put_some(Rule::SRC, attributes.get(Rule::SRC).unwrap()),
                    3 => rule.put_some(Rule::IIFNAME, attributes.get(Rule::IIFNAME).unwrap()),
                    4 => rule.put_some(Rule::GOTO, attributes.get(Rule::GOTO).unwrap()),
                    6 => rule.put_some(Rule::PRIORITY, attributes.get(Rule::PRIORITY).unwrap()),
                    10 => rule.put_some(Rule::FWMARK, attributes.get(Rule::FWMARK).unwrap()),
                    11 => rule.put_some(Rule::FLOW, attributes.get(Rule::FLOW).unwrap()),
                    12 => rule.put_some(Rule::TUN_ID, attributes.get(Rule::TUN_ID).unwrap()),
                    13 => rule.put_some(Rule::SUPPRESS_IFGROUP, attributes.get(Rule::SUPPRESS_IFGROUP).unwrap()),
                    14 => rule.put_some(Rule::SUPPRESS_PREFIXLEN, attributes.get(Rule::SUPPRESS_PREFIXLEN).unwrap()),
                    15 => rule.put_some(Rule::TABLE, attributes.get(Rule::TABLE).unwrap()),
                    16 => rule.put_some(Rule::FWMASK, attributes.get(Rule::FWMASK).unwrap()),
                    17 => rule.put_some(Rule::OIFNAME, attributes.get(Rule::OIFNAME).unwrap()),
                    18 => rule.put(Rule::PAD, ()),
                    19 => rule.put_some(Rule::L3MDEV, attributes.get(Rule::L3MDEV).unwrap()),
                    20 => rule.put_some(Rule::UID_RANGE, attributes.get(Rule::UID_RANGE).unwrap()),
                    21 => rule.put_some(Rule::PROTOCOL, attributes.get(Rule::PROTOCOL).unwrap()),
                    22 => rule.put_some(Rule::IP_PROTO, attributes.get(Rule::IP_PROTO).unwrap()),
                    23 => rule.put_some(Rule::SPORT_RANGE, attributes.get(Rule::SPORT_RANGE).unwrap()),
                    24 => rule.put_some(Rule::DPORT_RANGE, attributes.get(Rule::DPORT_RANGE).unwrap()),
                    28 => rule.put_some(Rule::SPORT_MASK, attributes.get(Rule::SPORT_MASK).unwrap()),
                    29 => rule.put_some(Rule::DPORT_MASK, attributes.get(Rule::DPORT_MASK).unwrap()),
                    other => panic!("{other}"),
                }
            }
        });
    }
}

fn rebuild<Q: Format, A>(
    sample: &[u8],
    operation: Operation<Q, A>,
    message: MessageHeader,
    header: Q::Header,
    fill: impl for<'w, 'b> Fn(&mut AttributeWriter<'w, 'b, Q::Space>),
) {
    let mut buffer = [0; 512];
    let mut writer = Writer::new(&mut buffer);
    operation.encode(&mut writer, message, header, fill);
    assert_eq!(writer.finish().unwrap(), sample);
}
