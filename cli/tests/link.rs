//! `ringlink link` beside `ip link`: on every kind of interface the kernel has, and for every change.

mod support;
mod zoo;

use serde_json::Value;
use support::Netns;
use zoo::Zoo;

/// Values that change between two commands, and why. They are compared by their JSON type only.
const RESTLESS: &[(&str, &str)] = &[
    ("hello_timer", "counts down to a bridge's next hello"),
    ("tcn_timer", "counts down to a notice of a change of topology"),
    ("topology_change_timer", "counts down to a stable topology"),
    ("gc_timer", "counts down to a bridge's next look at old neighbours"),
    ("hold_timer", "counts down to a port's next packet"),
    ("message_age_timer", "counts down until what the root said is too old"),
    ("forward_delay_timer", "counts down to a port's next state"),
    ("state", "a bridge's or bond's port goes through its states by itself"),
    ("mii_status", "a bond looks at its ports by itself"),
    ("link_failure_count", "a bond looks at its ports by itself"),
    ("topology_change", "a bridge's ports go through their states by themselves"),
    ("topology_change_detected", "a bridge's ports go through their states by themselves"),
    ("topology_change_ack", "a bridge's ports go through their states by themselves"),
    ("config_pending", "a bridge's hello waits to be sent"),
    ("ageing_time", "while a topology changes, the kernel tells the shorter time that then holds"),
    ("operstate", "follows the state of ports"),
    ("flags", "carriers come and go with the states of ports"),
    ("ad_info", "LACP speaks by itself"),
    ("ad_actor_oper_port_state", "LACP speaks by itself"),
    ("ad_actor_oper_port_state_str", "LACP speaks by itself"),
    ("ad_partner_oper_port_state", "LACP speaks by itself"),
    ("ad_partner_oper_port_state_str", "LACP speaks by itself"),
    ("active_slave", "a bond chooses by itself"),
    ("bytes", "IPv6 and spanning tree send packets by themselves"),
    ("packets", "IPv6 and spanning tree send packets by themselves"),
    ("multicast", "IPv6 and spanning tree send packets by themselves"),
    ("dropped", "nobody takes some of those packets"),
    ("nohandler", "nobody takes some of those packets"),
    ("carrier_changes", "follows the states of ports"),
];

/// Keys that are there only at times: while a bond has an active port, once a packet found no taker or was somebody
/// else's.
const COMING: &[&str] = &["active_slave", "nohandler", "otherhost"];

/// Asserts that two values are the same: type, keys, order of keys; values but for those that are restless.
fn assert_same(place: &str, ours: &Value, theirs: &Value) {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            let (our_keys, their_keys): (Vec<_>, Vec<_>) = (ours.keys().collect(), theirs.keys().collect());
            let steady = |keys: &[&String]| -> Vec<String> {
                keys.iter().filter(|key| !COMING.contains(&key.as_str())).map(ToString::to_string).collect()
            };
            assert_eq!(steady(&our_keys), steady(&their_keys), "{place}: keys");
            for (key, value) in ours {
                let place = format!("{place}.{key}");
                match (theirs.get(key), RESTLESS.iter().any(|(name, _)| name == key)) {
                    (Some(other), true) => assert_eq!(kind(value), kind(other), "{place}: type"),
                    (Some(other), false) => assert_same(&place, value, other),
                    (None, _) => {}
                }
            }
        }
        (Value::Array(ours), Value::Array(theirs)) => {
            assert_eq!(ours.len(), theirs.len(), "{place}: {ours:?} {theirs:?}");
            for (index, (ours, theirs)) in ours.iter().zip(theirs).enumerate() {
                assert_same(&format!("{place}[{index}]"), ours, theirs);
            }
        }
        (ours, theirs) => assert_eq!(ours, theirs, "{place}"),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "object",
    }
}

fn name(row: &Value) -> &str {
    row["ifname"].as_str().unwrap_or_default()
}

/// Asserts that both programs print the same rows, in the same order.
fn assert_rows(netns: &Netns, options: &str, words: &str) -> usize {
    let theirs = netns.rows_of_ip(&format!("{options} {words}"));
    let ours = netns.rows(&format!("{options} {words}"));
    let names = |rows: &[Value]| rows.iter().map(|row| name(row).to_owned()).collect::<Vec<_>>();
    assert_eq!(names(&ours), names(&theirs), "{words}");
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_same(name(ours), ours, theirs);
    }
    // A parsed row no longer knows the order of its keys.
    let steady =
        |text: &str| zoo::keys(text).into_iter().filter(|key| !COMING.contains(&key.as_str())).collect::<Vec<_>>();
    let ordered = netns.change(&format!("--json {options} {words}"));
    assert_eq!(steady(&ordered), steady(&netns.ip(&format!("-j -d {options} {words}"))), "{words}: order of keys");
    ours.len()
}

#[test]
fn rows_are_those_of_ip() {
    let Some(zoo) = Zoo::full("rows_are_those_of_ip") else {
        return;
    };
    let count = assert_rows(&zoo.netns, "", "link show");
    assert!(count >= 30, "{count} interfaces: {:?}", zoo.refused);
    for (line, reason) in &zoo.refused {
        println!("not made: {line}: {reason}");
    }
    for options in ["-s", "-s -s"] {
        assert_rows(&zoo.netns, options, "link show");
    }
    for words in [
        "link show dev v6",
        "link show v6",
        "link show dev an-alternative-name",
        "link show dev another-name-of-v6",
        "link show type veth",
        "link show type bridge",
        "link show type bridge_slave",
        "link show type macvlan",
        "link show type vxlan",
        "link show master br0",
        "link show nomaster",
        "link show up",
        "link show group 7",
        "link show up type veth",
        "link show type no-such-kind",
    ] {
        assert_rows(&zoo.netns, "", words);
    }
    texts_are_those_of_ip(&zoo.netns);
}

/// The words of each line are the same; how many spaces stand between them is not told by `ip`'s users.
fn texts_are_those_of_ip(netns: &Netns) {
    for words in ["link show", "-d link show", "link show dev v6", "-d link show type veth", "link show dev lo"] {
        let (ours, theirs) = (netns.change(words), netns.ip(words));
        let (ours, theirs): (Vec<_>, Vec<_>) = (ours.lines().collect(), theirs.lines().collect());
        assert_eq!(ours.len(), theirs.len(), "{words}");
        for (ours, theirs) in ours.iter().zip(theirs) {
            assert_eq!(calm(ours), calm(&theirs.replace("vnifilterid", "vnifilter id")), "{words}");
        }
    }
}

/// The words of a line, but for those behind the name of a restless value.
fn calm(line: &str) -> Vec<&str> {
    let mut restless = false;
    let mut words = Vec::new();
    for word in line.split_whitespace() {
        // Flags stand between `<` and `>`, without a name before them.
        let flags = word.starts_with('<') && word.ends_with('>');
        if !restless && !flags {
            words.push(word);
        }
        restless = RESTLESS.iter().any(|(name, _)| *name == word);
    }
    words
}

/// Each interface is made by `ip` under one name and by ringlink under another, from the same words; then `ip` must
/// print the same of both.
#[test]
fn interfaces_are_made_as_ip_makes_them() {
    const KINDS: &[&str] = &[
        "type veth peer name PEER",
        "mtu 1400 txqueuelen 7 address 02:00:00:00:00:77 numtxqueues 3 numrxqueues 2 type veth peer name PEER mtu 1300",
        "type bridge",
        "type bridge forward_delay 400 hello_time 300 max_age 1000 ageing_time 10000 stp_state 1 priority 4096 \
         group_fwd_mask 0x8 mcast_router 2 mcast_querier 1 mcast_hash_max 1024 no_linklocal_learn 1 mcast_igmp_version 3",
        "type bridge vlan_filtering 1 vlan_protocol 802.1ad vlan_default_pvid 7 mcast_vlan_snooping 1 no_linklocal_learn 1",
        "link BASE type macvlan mode private",
        "link BASE type macvlan mode bridge bcqueuelen 500",
        "link BASE type macvlan mode source macaddr set 02:00:00:00:aa:01 02:00:00:00:aa:02",
        "link OTHER type macvlan mode passthru nopromisc",
        "link BASE type macvtap mode vepa",
        "link BASE type vlan id 5",
        "link BASE type vlan protocol 802.1ad id 6 reorder_hdr off gvrp on loose_binding on ingress-qos-map 1:2 3:4",
        "link BASE type ipvlan mode l3s private",
        "type vxlan id 10 remote 192.0.2.1 local 192.0.2.2 dstport 4789",
        "type vxlan id 11 group 239.1.1.1 dev BASE dstport 8472 ttl 5 tos inherit ageing 100 maxaddress 99 nolearning \
         proxy rsc l2miss l3miss srcport 1000 2000 udpcsum remcsumtx remcsumrx",
        "type vxlan id 12 remote 2001:db8::1 local 2001:db8::2 dstport 4790 udp6zerocsumtx udp6zerocsumrx \
         flowlabel 0x12345 tos 0x10 ttl inherit",
        "type vxlan external dstport 4791",
        "type vxlan id 13 dstport 4792 gbp df set noudpcsum ageing none",
        "type ifb",
        "type dummy",
        "type wireguard",
        "type vrf table 100",
        "type bond mode 802.3ad miimon 100 updelay 200 lacp_rate fast xmit_hash_policy layer3+4 ad_select bandwidth \
         ad_actor_sys_prio 7 ad_actor_system 02:00:00:00:00:09 min_links 1",
        "type bond mode active-backup arp_interval 100 arp_ip_target 192.0.2.7,192.0.2.8 arp_validate active \
         arp_all_targets all fail_over_mac active primary_reselect better",
        "type geneve id 20 remote 192.0.2.1 dstport 6082 ttl 9 tos 0x20 df set noudpcsum",
        "type geneve id 21 remote 2001:db8::1 ttl inherit udp6zerocsumtx udp6zerocsumrx flowlabel 0x123",
        "type gre local 192.0.2.1 remote 192.0.2.2 ttl 64 key 5",
        "type gretap local 192.0.2.1 remote 192.0.2.3 ikey 1.2.3.4 okey 77 icsum ocsum iseq oseq tos inherit dev BASE",
        "type gre local 192.0.2.4 remote 192.0.2.5 ttl inherit nopmtudisc ignore-df encap gue encap-sport auto \
         encap-dport 5555 encap-csum encap-remcsum",
        "type erspan local 192.0.2.1 remote 192.0.2.6 seq key 100 erspan_ver 1 erspan 123",
        "type ip6gre local 2001:db8::1 remote 2001:db8::2 hoplimit 9 encaplimit 5 tclass 0x10 flowlabel 0x99 key 3",
        "type ip6gretap local 2001:db8::1 remote 2001:db8::3 encaplimit none tclass inherit flowlabel inherit csum seq",
        "type ipip local 192.0.2.1 remote 192.0.2.8 ttl 3 tos 0x8 dev BASE",
        "type ipip local 192.0.2.1 remote 192.0.2.9 nopmtudisc encap fou encap-sport 7 encap-dport 8 mode any",
        "type sit local 192.0.2.1 remote 192.0.2.10 ttl 3 isatap",
        "type ip6tnl mode ip6ip6 local 2001:db8::1 remote 2001:db8::5 hoplimit 8 encaplimit 3 tclass 0x12 flowlabel 0x321",
        "type ip6tnl mode any local 2001:db8::1 remote 2001:db8::6 encaplimit none tclass inherit dscp inherit",
        "type vti local 192.0.2.1 remote 192.0.2.11 ikey 5 okey 6",
        "type xfrm dev BASE if_id 0x11",
    ];
    let Some(netns) = Netns::new("interfaces_are_made_as_ip_makes_them") else {
        return;
    };
    netns.ip("link add base0 address 02:00:00:00:03:00 type veth peer name base1");
    let mut made = 0;
    for kind in KINDS {
        let words = |name: &str, peer: &str| {
            let kind = kind.replace("PEER", peer).replace("BASE", "base0").replace("OTHER", "base1");
            format!("link add {name} {kind}")
        };
        // One after the other under one name: some kinds refuse two with the same settings.
        let line = words("one", "two");
        if let Err(reason) = netns.try_ip(&line) {
            println!("not made: {line}: {reason}");
            let refused = netns.ringlink(&line);
            assert_eq!(refused.status.code(), Some(2), "{line}: {}", String::from_utf8_lossy(&refused.stderr));
            continue;
        }
        let theirs = netns.rows_of_ip("link show dev one");
        netns.ip("link del one");
        netns.change(&line);
        let ours = netns.rows_of_ip("link show dev one");
        netns.change("link del one");
        let settle = |rows: Vec<Value>| {
            let mut row = rows.into_iter().next().expect("a row");
            // What the kernel chooses anew for each interface.
            for key in ["ifindex", "permaddr"] {
                row.as_object_mut().expect("an object").remove(key);
            }
            if !kind.contains("address 02") {
                row["address"] = Value::Null;
                if let Some(data) = row["linkinfo"]["info_data"].as_object_mut() {
                    data.retain(|key, _| key != "bridge_id" && key != "root_id");
                }
            }
            row
        };
        assert_same(&line, &settle(ours), &settle(theirs));
        made += 1;
    }
    assert!(made >= 15, "{made} kinds");
}

#[test]
fn interfaces_are_changed() {
    let (Some(netns), Some(other)) = (Netns::new("interfaces_are_changed"), Netns::new("interfaces_are_changed"))
    else {
        return;
    };
    let row = |device: &str| netns.rows_of_ip(&format!("link show dev {device}")).remove(0);
    netns.change("link add v0 type veth peer name v1");
    netns.change("link set v0 up mtu 1334 txqueuelen 9 address 02:00:00:00:00:05");
    netns.change("link set dev v0 alias \"some words\" group 7 promisc on allmulticast on arp off multicast off");
    netns.change("link set v0 addrgenmode none");
    let v0 = row("v0");
    let keys = ["mtu", "txqlen", "address", "ifalias", "group", "inet6_addr_gen_mode"];
    let values = keys.map(|key| v0[key].to_string());
    assert_eq!(values, ["1334", "9", "\"02:00:00:00:00:05\"", "\"some words\"", "\"7\"", "\"none\""]);
    assert_eq!(
        v0["flags"],
        serde_json::json!(["NO-CARRIER", "BROADCAST", "NOARP", "ALLMULTI", "PROMISC", "UP", "M-DOWN"])
    );

    netns.change("link set v0 down promisc off arp on");
    netns.change("link set v0 name v2");
    netns.change("link property add dev v2 altname another-name-of-v2 altname third");
    assert_eq!(row("v2")["altnames"], serde_json::json!(["another-name-of-v2", "third"]));
    netns.change("link property del another-name-of-v2 altname third");
    assert_eq!(row("v2")["altnames"], serde_json::json!(["another-name-of-v2"]));
    netns.change("link set group 7 mtu 1300");
    assert_eq!(row("v2")["mtu"], 1300);

    netns.change("link add br0 type bridge");
    netns.change("link set br0 type bridge no_linklocal_learn 1 ageing_time 5000");
    netns.change("link set v2 master br0");
    netns.change(
        "link set v2 type bridge_slave priority 10 cost 55 hairpin on learning off flood off mcast_router 2 isolated on",
    );
    let port = &row("v2")["linkinfo"]["info_slave_data"];
    let keys = ["priority", "cost", "hairpin", "learning", "flood", "multicast_router", "isolated"];
    assert_eq!(keys.map(|key| port[key].to_string()), ["10", "55", "true", "false", "false", "2", "true"]);
    assert_eq!(row("br0")["linkinfo"]["info_data"]["ageing_time"], 5000);
    netns.change("link set v2 nomaster");
    assert_eq!(row("v2")["master"], Value::Null);

    netns.change(&format!("link set v2 netns {}", other.name()));
    assert!(netns.try_ip("link show v2").is_err());
    assert_eq!(row("v1")["link_netnsid"], 0);
    assert_rows(&netns, "", "link show");
    netns.change(&format!("link add v4 type veth peer name v5 netns {}", other.name()));
    assert_eq!(row("v4")["link_netnsid"], 0);

    netns.change("link del br0");
    netns.change("link delete dev v1");
    let gone = |device: &str| netns.try_ip(&format!("link show {device}")).is_err();
    assert!(gone("br0") && gone("v1") && !gone("v4"));
}

#[test]
fn refusals_say_why() {
    let Some(netns) = Netns::new("refusals_say_why") else {
        return;
    };
    netns.change("link add v0 type veth peer name v1");
    let refused = |line: &str| {
        let output = netns.ringlink(line);
        (output.status.code(), String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned())
    };
    let said = |text: &str| format!("ringlink: {text}");
    assert_eq!(refused("link show dev nosuch"), (Some(1), said("there is no interface `nosuch`")));
    assert_eq!(refused("link set nosuch up"), (Some(1), said("there is no interface `nosuch`")));
    assert_eq!(refused("link set lo mtu many").1, said("`many` after `mtu`: expected a number from 0 to 4294967295"));
    assert_eq!(refused("link add v2").1, said("the line ends after `v2`: expected type KIND"));
    assert_eq!(refused("link set lo arp maybe").1, said("`maybe` after `arp`: expected on or off"));
    assert_eq!(refused("link add v2 type no-such-kind").0, Some(2));
    assert_eq!(refused("link del lo").0, Some(2));
    // Devices without functions refuse to set something of one.
    let (code, text) = refused("link set v0 vf 0 mac 02:00:00:00:00:05 vlan 7 qos 3 trust on vf 1 state auto");
    assert!(code == Some(2) && text.contains("EOPNOTSUPP"), "{text}");
    assert_eq!(
        refused("link set vf 0 trust on").1,
        said("`vf` after `set`: expected an interface before its functions")
    );
    // The kernel would take all that is not said for zero.
    assert_eq!(refused("link set lo type gre ttl 5").0, Some(1));
    let (code, text) = refused("link add v2 type veth peer name v2");
    assert_eq!(code, Some(2), "{text}");
}
