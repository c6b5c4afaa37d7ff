//! `ringlink --json … show` against `ip -j -d … show`, row by row, in private network namespaces.

mod support;

use serde_json::json;
use support::Netns;

/// A namespace with two interfaces that have addresses.
fn two_interfaces(test: &str) -> Option<Netns> {
    let netns = Netns::with_interfaces(test)?;
    netns.ip("addr add 10.0.0.1/24 dev v0");
    netns.ip("addr add 10.0.1.1/24 dev v1");
    netns.ip("addr add 2001:db8::1/64 dev v0 nodad");
    netns.ip("addr add 2001:db8:1::1/64 dev v1 nodad");
    Some(netns)
}

/// Runs those of the commands that this kernel can.
fn populate(netns: &Netns, commands: &[&str]) {
    let refused: Vec<&&str> = commands.iter().filter(|command| netns.try_ip(command).is_err()).collect();
    if !refused.is_empty() {
        println!("refused by this kernel or this ip: {refused:?}");
    }
    assert!(refused.len() < commands.len().div_ceil(2), "most were refused: {refused:?}");
}

#[test]
fn routes_of_ipv4() {
    let Some(netns) = two_interfaces("routes_of_ipv4") else {
        return;
    };
    populate(
        &netns,
        &[
            "route add 10.1.0.0/16 via 10.0.0.2 dev v0 metric 100 table 7 proto static",
            "route add 10.1.0.0/16 via 10.0.0.2 dev v0 metric 200 table 7 proto bird",
            "route add 10.2.0.0/16 nexthop via 10.0.0.2 dev v0 weight 3 nexthop via 10.0.1.2 dev v1 weight 256",
            "route add 10.2.1.0/24 nexthop via 10.0.0.2 dev v0 realm 5 nexthop via 99.9.9.9 dev v1 onlink",
            "route add 10.2.2.0/24 nexthop via inet6 fe80::1 dev v0 nexthop via 10.0.1.2",
            "route add blackhole 10.3.0.0/16",
            "route add unreachable 10.4.0.0/16 metric 5",
            "route add prohibit 10.5.0.0/16",
            "route add throw 10.6.0.0/16 table 100000",
            "route add 10.7.0.0/16 via 10.0.0.2 mtu lock 1400 advmss 1300 rtt 30ms rttvar 2s rto_min 5ms initcwnd 10 \
             hoplimit 5 features ecn quickack 1 congctl cubic window 5 cwnd lock 7 reordering 3 initrwnd 9 ssthresh 11",
            "route add 10.7.1.0/24 via 10.0.0.2 fastopen_no_cookie 1",
            "route add 10.11.0.0/16 via 10.0.0.2 src 10.0.0.1 tos 0x10 realm 3/4",
            "route add 10.11.1.0/24 via 10.0.0.2 realm 9",
            "route add 10.12.0.0/16 via inet6 fe80::1 dev v0",
            "route add 10.13.1.0/24 via 99.9.9.9 dev v0 onlink",
            "route add multicast 224.5.0.0/16 dev v0",
            "route add local 10.56.0.0/16 dev lo",
            "route add broadcast 10.57.0.0/16 dev v0",
            "route add anycast 10.58.0.0/16 dev v0",
            "route add default via 10.0.0.254",
            "route add default via 10.0.1.254 metric 9",
            "route add 10.60.0.0/16 dev v0 scope link proto 77",
        ],
    );
    for words in [
        "route",
        "route show table all",
        "route show table local",
        "route show table 7",
        "route show table 7 proto static",
        "route show table all proto kernel dev v0",
        "route show table all type local",
        "route show root 10.2.0.0/15",
        "route show match 10.2.1.7",
        "route show 10.2.0.0/16",
        "route show exact 10.2.0.0/16",
        "route show default",
        "route show via 10.0.0.2",
        "route show src 10.0.0.1",
        "route show scope link",
        "route show metric 5",
        "route show dev v1",
        "route show table cache",
        "-4 route show table all",
    ] {
        netns.compare(words);
    }
    for words in ["route", "route show table all", "-d route show table all"] {
        netns.compare_text(words);
    }
}

#[test]
fn routes_of_ipv6() {
    let Some(netns) = two_interfaces("routes_of_ipv6") else {
        return;
    };
    populate(
        &netns,
        &[
            "-6 route add 2001:db8:10::/64 via 2001:db8::2 dev v0 metric 100 pref high",
            "-6 route add 2001:db8:10:1::/64 via 2001:db8::2 pref low",
            "-6 route add 2001:db8:11::/64 nexthop via 2001:db8::2 dev v0 weight 2 nexthop via 2001:db8:1::7 dev v1",
            "-6 route add 2001:db8:1c::/64 via 2001:db8::2 expires 1000",
            "-6 route add 2001:db8:1d::/64 from 2001:db8:ff::/48 via 2001:db8::2",
            "-6 route add unreachable 2001:db8:1e::/64",
            "-6 route add blackhole 2001:db8:1f::/64 table 9",
            "-6 route add prohibit 2001:db8:20::/64 proto static",
            "-6 route add default via 2001:db8::2 mtu 1400",
            "-6 route add ::ffff:10.0.0.0/104 dev v0",
            "-6 route add 64:ff9b::/96 dev v0",
        ],
    );
    for words in [
        "-6 route",
        "-6 route show table all",
        "-6 route show default",
        "-6 route show root 2001:db8:10::/48",
        "-6 route show 2001:db8:10::/64",
        "-6 route show table 9",
        "-6 route show dev v0",
    ] {
        netns.compare(words);
    }
    netns.compare_text("-6 route");
    netns.compare_text("-d -6 route show table all");
    // A prefix says of which family it is; `ip` would have to be told.
    assert_eq!(netns.rows("route show 2001:db8:11::/64"), netns.rows("-6 route show 2001:db8:11::/64"));
}

#[test]
fn routes_with_tunnels() {
    let Some(netns) = two_interfaces("routes_with_tunnels") else {
        return;
    };
    populate(
        &netns,
        &[
            "route add 10.8.0.0/16 encap mpls 100/200 ttl 5 via 10.0.0.2",
            "route add 10.8.1.0/24 nexthop encap mpls 300 via 10.0.1.2 dev v1 nexthop via 10.0.0.2",
            "route add 10.9.0.0/16 encap ip id 7 src 1.2.3.4 dst 5.6.7.8 ttl 9 tos 0x10 via 10.0.0.2 dev v0",
            "route add 10.9.1.0/24 nexthop encap ip id 7 dst 5.6.7.8 via 10.0.0.2 dev v0 nexthop via 10.0.1.2 dev v1",
            "route add 10.10.0.0/16 encap ip6 id 7 dst 2001:db8::9 src ::3 tc 0x4 hoplimit 3 dev v0",
            "-6 route add 2001:db8:12::/64 encap seg6 mode encap segs 2001:db8::5,2001:db8::6 dev v0",
            "-6 route add 2001:db8:13::/64 encap seg6 mode inline segs 2001:db8::5 dev v0",
            "-6 route add 2001:db8:13:1::/64 encap seg6 mode l2encap segs 2001:db8::5 dev v0",
            "-6 route add 2001:db8:14::/128 encap seg6local action End dev v0",
            "-6 route add 2001:db8:15::/128 encap seg6local action End.X nh6 2001:db8::7 dev v0",
            "-6 route add 2001:db8:16::/128 encap seg6local action End.DX4 nh4 10.0.0.2 count dev v0",
            "-6 route add 2001:db8:17::/128 encap seg6local action End.DT6 table 100 dev v0",
            "-6 route add 2001:db8:18::/128 encap seg6local action End.B6.Encaps srh segs 2001:db8::5,2001:db8::6 dev v0",
            "-6 route add 2001:db8:19::/128 encap seg6local action End.DX2 oif v1 dev v0",
            "-6 route add 2001:db8:1a::/64 encap mpls 16 via 2001:db8::2 dev v0",
            "-6 route add 2001:db8:1b::/64 encap ip6 id 9 dst ::1 dev v0",
            "-6 route add 2001:db8:1b:1::/64 encap rpl segs 2001:db8::5 dev v0",
        ],
    );
    for words in ["route", "-6 route", "route show table all", "-6 route show table all"] {
        netns.compare(words);
    }
    netns.compare_text("route");
    netns.compare_text("-6 route");
    // Of a destination and a tunnel's end, both are there.
    if let [row] = netns.rows("route show 10.9.0.0/16").as_slice() {
        assert_eq!((&row["dst"], &row["encap_dst"]), (&json!("10.9.0.0/16"), &json!("5.6.7.8")));
    }
}

#[test]
fn routes_over_nexthop_objects() {
    let Some(netns) = two_interfaces("routes_over_nexthop_objects") else {
        return;
    };
    if netns.try_ip("nexthop add id 5 via 10.0.0.2 dev v0").is_err() {
        println!("skipped: routes_over_nexthop_objects: no next hop objects");
        return;
    }
    populate(
        &netns,
        &[
            "nexthop add id 6 via 10.0.1.2 dev v1 proto static",
            "nexthop add id 7 group 5/6",
            "nexthop add id 8 blackhole",
            "nexthop add id 9 group 5,3/6,2",
            "nexthop add id 10 encap mpls 77 via 10.0.0.2 dev v0",
            "route add 10.14.0.0/16 nhid 5",
            "route add 10.15.0.0/16 nhid 7",
            "route add 10.15.1.0/24 nhid 7 mtu 1300",
            "route add 10.16.0.0/16 nhid 9",
            "route add 10.17.0.0/16 nhid 8",
        ],
    );
    netns.compare("route");
    netns.compare("route show table all");
    netns.compare_text("route");
    netns.compare_text("-d route");
}

#[test]
fn looked_up_routes() {
    let Some(netns) = two_interfaces("looked_up_routes") else {
        return;
    };
    netns.ip("route add 10.7.0.0/16 via 10.0.0.2 mtu 1400");
    netns.ip("route add blackhole 10.8.0.0/16");
    for words in [
        "route get 10.0.0.9",
        "route get 10.0.0.1",
        "route get 10.7.1.1",
        "route get 10.7.1.1 from 10.0.0.1",
        "route get 10.7.1.1 mark 5",
        "route get 10.7.1.1 oif v0",
        "route get 10.0.0.77 fibmatch",
        "route get 10.7.0.1 ipproto tcp sport 5 dport 6",
        "route get 127.0.0.1",
        "-6 route get ::1",
        "route get 2001:db8::9",
        "route get 2001:db8::9 from 2001:db8::1",
    ] {
        netns.compare(words);
    }
    let refused = netns.ringlink("route get 10.8.0.1");
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn addresses() {
    let Some(netns) = two_interfaces("addresses") else {
        return;
    };
    populate(
        &netns,
        &[
            "addr add 10.0.9.1 peer 10.0.9.2/32 dev v0 label v0:x",
            "addr add 10.0.0.7/24 dev v0",
            "addr add 10.0.2.1/24 brd + dev v1 valid_lft 10000 preferred_lft 5000",
            "addr add 10.0.3.5/24 dev v0 scope link metric 77 noprefixroute",
            "addr add 2001:db8:2::1/64 dev v0 nodad home mngtmpaddr",
            "addr add 2001:db8:3::1/64 dev v0 nodad noprefixroute valid_lft 10000 preferred_lft 0",
            "addr add 2001:db8:4::1 peer 2001:db8:4::2 dev v0 nodad",
            "addr add 2001:db8:5::1/64 dev v0 nodad metric 500",
        ],
    );
    for words in [
        "addr",
        "addr show dev v0",
        "addr show v0",
        "-4 addr",
        "-4 addr show dev v1",
        "addr show scope host",
        "addr show scope link",
        "addr show up",
        "addr show to 10.0.0.0/16",
        "addr show dev v1 dynamic",
        "addr show secondary",
        "addr show type veth",
    ] {
        netns.compare(words);
    }
    netns.compare_text("addr");
}

#[test]
fn neighbours() {
    let Some(netns) = two_interfaces("neighbours") else {
        return;
    };
    populate(
        &netns,
        &[
            "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev v0 nud permanent",
            "neigh add 10.0.0.4 lladdr 02:00:00:00:00:04 dev v0 nud stale router",
            "neigh add 10.0.0.6 dev v0 nud failed",
            "neigh add 10.0.0.7 lladdr 02:00:00:00:00:07 dev v0 nud noarp protocol 42",
            "neigh add 10.0.0.8 lladdr 02:00:00:00:00:08 dev v0 extern_learn",
            "neigh add 10.0.1.9 lladdr 02:00:00:00:01:09 dev v1 nud permanent",
            "neigh add proxy 10.0.0.99 dev v0",
            "neigh add proxy 2001:db8::99 dev v0",
            "neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev v0 nud permanent router",
            "neigh add 2001:db8::3 lladdr 02:00:00:00:00:03 dev v0 nud stale",
        ],
    );
    for words in [
        "neigh",
        "-4 neigh",
        "-6 neigh",
        "neigh show proxy",
        "-6 neigh show proxy",
        "neigh show dev v0",
        "neigh show nud all",
        "neigh show nud permanent",
        "neigh show nud noarp",
        "neigh show to 10.0.0.0/30",
        "neigh show to 2001:db8::/32 nud stale",
    ] {
        netns.compare(words);
    }
    netns.compare_text("neigh show nud all");
    netns.compare_text("neigh show proxy");
}

#[test]
fn rules() {
    let Some(netns) = two_interfaces("rules") else { return };
    populate(
        &netns,
        &[
            "rule add from 10.0.0.0/8 lookup 7 pref 100",
            "rule add to 10.1.2.3 lookup main pref 101",
            "rule add from 10.0.0.1 to 10.9.0.0/16 tos 0x10 fwmark 0x5/0xff iif v0 oif v1 lookup 100 pref 102 \
             suppress_prefixlength 8 suppress_ifgroup 3 protocol static",
            "rule add not fwmark 7 lookup 7 pref 103",
            "rule add blackhole pref 104 from 10.66.0.0/16",
            "rule add unreachable pref 105 iif lo",
            "rule add prohibit pref 106 oif nosuch",
            "rule add goto 32766 pref 107 from 10.67.0.0/16",
            "rule add goto 5000 pref 108 from 10.67.0.0/16",
            "rule add nop pref 109",
            "rule add uidrange 1000-2000 lookup 7 pref 110",
            "rule add ipproto tcp sport 80 dport 1000-2000 lookup 7 pref 111",
            "rule add l3mdev pref 112",
            "rule add tun_id 55 lookup 7 pref 113",
            "rule add from 10.0.0.0/8 lookup 7 pref 114 realms 3/4",
            "rule add from 10.1.0.0/16 lookup 100000 pref 115 realms 4",
            "rule add ipproto ospf lookup 7 pref 116",
            "rule add ipproto 200 lookup 7 pref 117",
            "rule add iif nosuch lookup 7 pref 118",
            "-6 rule add from 2001:db8::/32 lookup 7 pref 100",
            "-6 rule add to 2001:db8::1 lookup 7 pref 101",
        ],
    );
    for words in [
        "rule",
        "-4 rule",
        "-6 rule",
        "rule show table 7",
        "rule show from 10.0.0.0/8",
        "rule show pref 100",
        "rule show iif lo",
    ] {
        netns.compare(words);
    }
    for words in ["rule", "-d rule", "-6 rule"] {
        netns.compare_text(words);
    }
}

#[test]
fn a_first_object_too_large_for_a_small_datagram_is_dumped() {
    // Larger than the first datagram that the kernel makes for who has not yet received much.
    let Some(netns) = two_interfaces("a_first_object_too_large_for_a_small_datagram_is_dumped") else {
        return;
    };
    let mut words = String::from("route add 0.0.0.0/1");
    for number in 0..400 {
        words.push_str(&format!(" nexthop via 10.0.0.{} dev v0 weight {}", 2 + number % 250, 1 + number / 250));
    }
    netns.change(&words);
    let rows = netns.rows("route show table main");
    let longest = rows.iter().filter_map(|row| row["nexthops"].as_array()).map(Vec::len).max();
    assert_eq!(longest, Some(400));
}
