//! `ringlink genl` against the kernel, and against `ethtool` and `ip`.

mod support;

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::Value;
use support::{Netns, ringlink, skip};

/// Lines of JSON objects.
fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// The value of an attribute by its path; of several the first.
fn at<'v>(message: &'v Value, path: &[&str]) -> Option<&'v Value> {
    let mut place = &message["attributes"];
    for name in path {
        place = &place.as_array()?.iter().find(|attribute| attribute["name"] == **name)?["value"];
    }
    Some(place)
}

/// What it says when it fails, and its exit code.
fn refused(netns: &Netns, words: &str) -> (String, Option<i32>) {
    let output = netns.ringlink(words);
    assert!(!output.status.success(), "ringlink {words}");
    (String::from_utf8(output.stderr).unwrap(), output.status.code())
}

#[test]
fn families_and_rules_are_told() {
    let Some(netns) = Netns::with_interfaces("families_and_rules_are_told") else { return };
    let families = netns.rows("genl list");
    let control = families.iter().find(|family| family["name"] == "nlctrl").unwrap();
    assert_eq!((&control["id"], &control["tables"]), (&Value::from(16), &Value::from(true)));
    let names: Vec<&Value> = control["commands"].as_array().unwrap().iter().map(|command| &command["name"]).collect();
    assert!(names.contains(&&Value::from("CTRL_CMD_GETFAMILY")), "{names:?}");
    assert_eq!(netns.change("genl").lines().count(), families.len());
    let rules = netns.rows("genl policy nlctrl getfamily");
    assert!(rules.iter().any(|rule| rule["attribute"] == "CTRL_ATTR_FAMILY_NAME" && rule["max_length"] == 15));
    let (error, code) = refused(&netns, "genl policy nope");
    assert!(error.contains("this kernel has no family `nope`; it has nlctrl") && code == Some(1), "{error}");
}

#[test]
fn features_are_those_that_ethtool_tells() {
    let test = "features_are_those_that_ethtool_tells";
    let Some(netns) = Netns::with_interfaces(test) else { return };
    let output = Command::new("ip").args(["netns", "exec", netns.name(), "ethtool", "--json", "-k", "v0"]).output();
    let Some(theirs) = output.ok().filter(|output| output.status.success()) else {
        skip::<()>(test, "no ethtool");
        return;
    };
    let theirs: Vec<Value> = serde_json::from_slice(&theirs.stdout).unwrap();
    let ours = lines(&netns.change("--json genl call ethtool features_get header.dev_name v0"));
    let bits = |set: &str| -> BTreeMap<String, bool> {
        let list = at(&ours[0], &[set, "ETHTOOL_A_BITSET_BITS"]).unwrap().as_array().unwrap();
        let name = |bit: &Value| {
            let of = |name: &str| {
                bit["value"].as_array().unwrap().iter().find(|attribute| attribute["name"] == name).cloned()
            };
            let text = of("ETHTOOL_A_BITSET_BIT_NAME").unwrap()["value"].as_str().unwrap().to_owned();
            (text, of("ETHTOOL_A_BITSET_BIT_VALUE").is_some())
        };
        list.iter().map(name).collect()
    };
    // The kernel lists the set bits of all but what can be changed, of which it lists all.
    let changeable = bits("ETHTOOL_A_FEATURES_HW");
    let [wanted, active, fixed] =
        ["ETHTOOL_A_FEATURES_WANTED", "ETHTOOL_A_FEATURES_ACTIVE", "ETHTOOL_A_FEATURES_NOCHANGE"].map(bits);
    let mut compared = 0;
    for (name, feature) in theirs[0].as_object().unwrap() {
        // Groups of features have names of ethtool's own.
        if !changeable.contains_key(name) {
            continue;
        }
        let is_fixed = fixed.contains_key(name) || changeable.get(name) != Some(&true);
        assert_eq!(feature["active"], active.contains_key(name), "{name}");
        assert_eq!(feature["fixed"], is_fixed, "{name}");
        assert_eq!(feature["requested"], wanted.contains_key(name), "{name}");
        compared += 1;
    }
    assert!(compared > 30, "{compared}");
}

#[test]
fn a_change_is_made_and_seen() {
    let Some(netns) = Netns::with_interfaces("a_change_is_made_and_seen") else { return };
    let change = "genl call ethtool features_set header.dev_name v0 wanted.bits.bit.name tx-tcp-segmentation \
                  wanted.bits.bit.value";
    let active = || netns.change("genl call ethtool features_get header.dev_name v0");
    // What is on is listed three times: as changeable, as wanted, as active.
    let count = |text: &str| text.matches("\"tx-tcp-segmentation\"").count();
    assert_eq!(count(&active()), 3);
    let told = netns.change(&format!("{change} off --check"));
    assert!(told.starts_with("ETHTOOL_MSG_FEATURES_SET_REPLY ("), "{told}");
    assert_eq!(count(&active()), 1);
    netns.change(&format!("{change} on"));
    assert_eq!(count(&active()), 3);
}

#[test]
fn mptcp_endpoints_are_those_that_ip_tells() {
    let test = "mptcp_endpoints_are_those_that_ip_tells";
    let Some(netns) = Netns::with_interfaces(test) else { return };
    if !netns.rows("genl").iter().any(|family| family["name"] == "mptcp_pm") {
        return println!("absent: {test}: no family mptcp_pm");
    }
    netns.change(
        "genl call mptcp_pm add_addr addr.family inet addr.id 3 addr.addr4 192.0.2.1 addr.flags signal --check",
    );
    netns.change("genl call mptcp_pm add_addr addr.family inet6 addr.addr6 2001:db8::1 addr.flags subflow|backup");
    let theirs = netns.ip("mptcp endpoint show");
    // `ip` reads one byte of the family's two, so where the first is the higher one it takes no address for its own.
    let (first, second) =
        if cfg!(target_endian = "big") { ("id 3 signal", "") } else { ("192.0.2.1 id 3 signal", "2001:db8::1") };
    assert!(theirs.contains(first), "{theirs}");
    assert!(theirs.lines().any(|line| line.starts_with(second) && line.contains("backup")), "{theirs}");
    let told = lines(&netns.change("--json genl dump mptcp_pm get_addr"));
    assert_eq!(told.len(), 2);
    let address = at(&told[0], &["MPTCP_PM_ATTR_ADDR", "MPTCP_PM_ADDR_ATTR_ADDR4"]);
    assert_eq!(address, Some(&Value::from("192.0.2.1")));
    let (error, code) = refused(&netns, "genl call mptcp_pm set_limits subflows 100");
    assert!(error.contains("MPTCP_PM_CMD_SET_LIMITS refused") && code == Some(2), "{error}");
    // Kernels before 6.8 do not tell the attribute at fault.
    if !error.contains("MPTCP_PM_ATTR_SUBFLOWS") {
        println!("absent: {test}: the attribute at fault is not told");
        assert!(error.contains("Invalid argument (EINVAL): limit greater than maximum"), "{error}");
    }
    netns.change("genl call mptcp_pm flush_addrs");
    assert!(netns.change("genl dump mptcp_pm get_addr").is_empty());
}

#[test]
fn what_is_wrong_is_said_before_it_is_sent() {
    let Some(netns) = Netns::with_interfaces("what_is_wrong_is_said_before_it_is_sent") else { return };
    let cases = [
        ("genl nope", "`nope` after `genl`: expected list, policy, call, dump or help", 1),
        ("genl call nope get", "`nope` after `call`: expected a family with tables: nlctrl, ethtool,", 1),
        ("genl call ethtool nope", "`nope` after `ethtool`: expected a command of ethtool: strset_get,", 1),
        ("genl call ethtool rings_get header.nope v0", "`nope`: expected one of dev_index, dev_name, flags", 1),
        ("genl call ethtool rings_get header.dev_name", "expected the value of `header.dev_name`", 1),
        ("genl dump ethtool rings_set", "ETHTOOL_MSG_RINGS_SET is no question: `genl call` makes the change", 1),
        ("genl call netdev qstats_get", "NETDEV_CMD_QSTATS_GET is only dumped: `genl dump` asks for it", 1),
        (
            "genl call ethtool channels_set header.dev_name v0 rx_max 3 --check",
            "ETHTOOL_MSG_CHANNELS_SET: ETHTOOL_A_CHANNELS_RX_MAX: not among what this kernel's command takes",
            1,
        ),
        (
            "genl call ethtool channels_set header.dev_name v0 rx_max 3",
            "ETHTOOL_MSG_CHANNELS_SET refused: Invalid argument (EINVAL)",
            2,
        ),
        ("genl call ethtool rings_get header.dev_name none", "at ETHTOOL_A_RINGS_HEADER.ETHTOOL_A_HEADER_DEV_NAME", 2),
    ];
    for (words, expected, code) in cases {
        let (error, found) = refused(&netns, words);
        // Old kernels lack families, and answers of devices.
        if !error.contains(expected) && (error.contains("has no family") || error.contains("EOPNOTSUPP")) {
            println!("absent: {error}");
            continue;
        }
        assert!(error.contains(expected), "{words}: {error}");
        assert_eq!(found, Some(code), "{words}: {error}");
    }
}

#[test]
fn help_names_the_words() {
    let output = ringlink("genl help");
    let text = String::from_utf8(output.stdout).unwrap();
    for word in ["policy", "--check", "--secrets", "header.dev_name"] {
        assert!(text.contains(word), "{text}");
    }
}
