//! `ringlink nft` against `nft`, in private network namespaces.

mod support;

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use support::{Netns, skip};

/// Tables, chains, sets and objects of all families.
const TABLES: &str = include_str!("nft/tables.nft");

/// Rules, one a line, with every expression that nft 1.0.6 can make.
const RULES: &str = include_str!("nft/rules.nft");

/// A namespace in which `nft` works, with two interfaces.
fn namespace(test: &str) -> Option<Netns> {
    let netns = Netns::with_interfaces(test)?;
    match Command::new("nft").arg("--version").output() {
        Ok(output) if output.status.success() => {}
        _ => return skip(test, "there is no nft"),
    }
    match nft(&netns, &["list", "ruleset"]) {
        Ok(_) => Some(netns),
        Err(error) => {
            println!("absent: nf_tables: {error}");
            None
        }
    }
}

/// Runs `nft` there; where it fails, what it says.
fn nft(netns: &Netns, words: &[&str]) -> Result<String, String> {
    let output = Command::new("ip").args(["netns", "exec", netns.name(), "nft"]).args(words).output().unwrap();
    match output.status.success() {
        true => Ok(String::from_utf8(output.stdout).unwrap()),
        false => Err(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("it died").to_owned()),
    }
}

/// Has `nft` carry out lines, all or none.
fn load(netns: &Netns, lines: &[&str]) -> Result<(), String> {
    let mut child = Command::new("ip")
        .args(["netns", "exec", netns.name(), "nft", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all((lines.join("\n") + "\n").as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or("it died").to_owned()),
    }
}

/// Has `nft` carry out as many of the lines as the kernel has what they need for.
fn load_what_there_is(netns: &Netns, lines: &[&str]) -> usize {
    match load(netns, lines) {
        Ok(()) => lines.len(),
        Err(error) => match lines {
            [] => 0,
            [line] => {
                println!("absent: {line}: {error}");
                0
            }
            lines => {
                let (first, second) = lines.split_at(lines.len() / 2);
                load_what_there_is(netns, first) + load_what_there_is(netns, second)
            }
        },
    }
}

/// The rows of a listing, but for the version.
fn rows(text: &str) -> Vec<Value> {
    let mut listing: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let rows = listing["nftables"].as_array_mut().unwrap();
    rows.retain(|row| row.get("metainfo").is_none());
    std::mem::take(rows)
}

/// Rows in the order of newer nft, which has chains before what may refer to them (`nft: order`).
fn ordered(mut rows: Vec<Value>) -> Vec<Value> {
    let mut table = 0;
    let mut places = Vec::new();
    for row in &rows {
        let kind = row.as_object().unwrap().keys().next().unwrap().as_str();
        table += usize::from(kind == "table");
        places.push((
            table,
            match kind {
                "table" => 0,
                "chain" => 1,
                "set" | "map" => 3,
                "flowtable" => 4,
                "rule" => 5,
                _ => 2,
            },
        ));
    }
    let mut numbered: Vec<_> = places.into_iter().zip(rows.drain(..)).collect();
    numbered.sort_by_key(|(place, _)| *place);
    numbered.into_iter().map(|(_, row)| row).collect()
}

/// What each does to rows of `nft` (the first) and to ours that `differences.md` explains under its name.
fn settle(theirs: &mut Value, ours: &mut Value) {
    // Seconds pass between the two listings.
    for row in [&mut *theirs, &mut *ours] {
        walk(row, &mut |value| {
            if let Some(expires) = value.get_mut("expires") {
                *expires = json!("some time");
            }
            // order-of-ranges
            for key in ["elem", "set"] {
                if let Some(Value::Array(list)) = value.get_mut(key) {
                    let is_open = |item: &Value| {
                        let text = item.to_string();
                        text.contains("\"concat\"") && (text.contains("\"range\"") || text.contains("\"prefix\""))
                    };
                    if list.iter().any(is_open) {
                        list.sort_by_key(Value::to_string);
                    }
                }
            }
        });
    }
    // not-in-nft-1.0.6
    for (kind, keys) in [
        ("table", &["flags", "comment"][..]),
        ("chain", &["dev", "comment"]),
        ("set", &["auto-merge"]),
        ("map", &["auto-merge"]),
    ] {
        for key in keys {
            if let Some(Value::Object(ours)) = ours.get(kind) {
                let ours = ours.get(*key).cloned();
                if let Some(Value::Object(theirs)) = theirs.get_mut(kind) {
                    theirs.remove(*key);
                    theirs.extend(ours.map(|ours| ((*key).to_owned(), ours)));
                }
            }
        }
    }
    for kind in ["set", "map"] {
        if let Some(flags) = ours.get_mut(kind).and_then(|set| set.get_mut("flags")).and_then(Value::as_array_mut) {
            flags.retain(|flag| flag != "dynamic");
            if flags.is_empty() {
                ours[kind].as_object_mut().unwrap().remove("flags");
            }
        }
    }
    // statements-without-json, bits-of-fields
    let (Some(Value::Array(theirs)), Some(Value::Array(ours))) = (
        theirs.get_mut("rule").and_then(|rule| rule.get_mut("expr")),
        ours.get("rule").and_then(|rule| rule.get("expr")),
    ) else {
        return;
    };
    for (theirs, ours) in theirs.iter_mut().zip(ours) {
        let text = theirs.to_string();
        let wrong = theirs.is_string()
            || text.contains("\"field\":\"unknown\"")
            || text.contains("\"concat\"") && text.contains("\">>\"");
        if wrong {
            *theirs = ours.clone();
        }
    }
}

fn walk(value: &mut Value, each: &mut dyn FnMut(&mut Value)) {
    each(value);
    match value {
        Value::Array(list) => list.iter_mut().for_each(|item| walk(item, each)),
        Value::Object(object) => object.values_mut().for_each(|item| walk(item, each)),
        _ => {}
    }
}

/// Compares what both list.
fn compare(netns: &Netns, words: &str) {
    let split: Vec<&str> = ["-j", "list"].into_iter().chain(words.split(' ')).collect();
    let theirs = ordered(rows(&nft(netns, &split).unwrap()));
    let ours = ordered(rows(&netns.change(&format!("--json nft list {words}"))));
    for (mut theirs, mut ours) in theirs.iter().cloned().zip(ours.iter().cloned()) {
        settle(&mut theirs, &mut ours);
        assert_eq!(ours, theirs, "{words}: ours is the first");
    }
    assert_eq!(ours.len(), theirs.len(), "{words}");
}

#[test]
fn rules_are_listed_as_nft_lists_them() {
    let Some(netns) = namespace("rules_are_listed_as_nft_lists_them") else { return };
    if let Err(error) = load(&netns, &[TABLES]) {
        println!("absent: what {error}");
        return;
    }
    let rules: Vec<&str> = RULES.lines().collect();
    let loaded = load_what_there_is(&netns, &rules);
    println!("{loaded} rules of {}", rules.len());
    assert!(loaded > 0);
    for words in [
        "ruleset",
        "ruleset inet",
        "tables",
        "tables ip6",
        "chains",
        "table ip t",
        "table inet t",
        "chain ip t natpost",
        "set ip t ints",
        "map ip t vm",
        "flowtables",
        "counters",
        "quotas",
        "limits",
        "counter ip t cnt",
    ] {
        compare(&netns, words);
    }
}

#[test]
fn what_is_not_there_is_named() {
    let Some(netns) = namespace("what_is_not_there_is_named") else { return };
    for (words, expected) in [
        ("nft list table ip t", "there is no table ip t"),
        ("nft list chain inet t c", "there is no chain `c` in table inet t"),
        ("nft list set t s", "there is no set `s` in table ip t"),
        ("nft list nothing", "`nothing`"),
    ] {
        let output = netns.ringlink(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words}: {said}");
        assert!(said.contains(expected), "{words}: {said}");
    }
}

/// What is made, in words that both understand.
const MADE: &[&str] = &[
    "add table ip t",
    "add table inet t",
    "add table bridge t",
    "add chain ip t c { type filter hook input priority filter - 5; policy accept; }",
    "add chain ip t nat { type nat hook prerouting priority dstnat; }",
    "add chain ip t post { type nat hook postrouting priority 100; }",
    "add chain ip t other",
    "add chain inet t c { type filter hook forward priority 0; policy drop; }",
    "add chain inet t other",
    "add chain bridge t c { type filter hook prerouting priority filter; }",
    "add counter ip t cnt",
    "add quota ip t q { over 25 mbytes; }",
    "add limit ip t l { rate 5/minute burst 7 packets; }",
    "add set ip t addresses { type ipv4_addr; flags interval; elements = { 10.0.0.0/8, 11.0.0.1-11.0.0.9, 12.0.0.1 } }",
    "add set ip t ports { type inet_service; flags timeout; timeout 1h; gc-interval 30s; size 100; comment \"some\"; }",
    "add set ip t pairs { type ipv4_addr . inet_service; elements = { 10.0.0.1 . 22, 10.0.0.2 . 23 } }",
    "add set ip t nets { type ipv4_addr . inet_service; flags interval; elements = { 10.0.0.0/8 . 1-5 } }",
    "add set ip t dyn { type ipv4_addr; flags dynamic,timeout; size 100; }",
    "add map ip t verdicts { type mark : verdict; elements = { 0x1 : accept, 0x2 : jump other } }",
    "add map ip t marks { type ipv4_addr : mark; elements = { 10.0.0.1 : 5 } }",
    "add set ip t ranges { type mark; flags interval; elements = { 5-7 } }",
    "add set ip t exact { type mark; elements = { 5 } }",
    "add set ip t ranges2 { type mark . mark; flags interval; elements = { 5-7 . 9 } }",
    "add set ip t seen { type ipv4_addr . inet_service; flags dynamic,timeout; size 100; }",
    "add set inet t names { type ifname; elements = { \"eth0\", \"lo\" } }",
    "add element ip t ports { 22 timeout 2h, 80 comment \"web\" }",
    "add element ip t verdicts { 3 : drop }",
    "add rule ip t c ip saddr 10.0.0.1 accept",
    "add rule ip t c ip saddr 10.0.0.0/8 ip daddr != 10.1.0.0/17 drop",
    "add rule ip t c ip saddr 10.0.0.1-10.0.0.9 counter",
    "add rule ip t c ip saddr @addresses tcp dport 22 accept comment \"to here\"",
    "add rule ip t c ip saddr != { 10.0.0.1, 10.0.0.2 } drop",
    "add rule ip t c tcp dport { 22, 80, 1000-2000 } accept",
    "add rule ip t c tcp dport vmap { 22 : accept, 23 : drop, 24 : jump other }",
    "add rule ip t c meta mark vmap @verdicts",
    "add rule ip t c ip saddr . tcp dport { 10.0.0.1 . 22, 10.0.0.2 . 23 } accept",
    "add rule ip t c ip saddr . tcp dport != { 10.0.0.0/8 . 22-25, 11.0.0.1 . 80 } drop",
    "add rule ip t c ip saddr . tcp dport @pairs accept",
    "add rule ip t c ip saddr . tcp dport != @nets accept",
    "add rule ip t c iifname . ip saddr . udp sport vmap { \"lo\" . 10.0.0.1 . 53 : accept, \"v0\" . 10.0.0.2 . 53 : jump other }",
    "add rule ip t c meta mark . ip daddr { 5 . 10.0.0.1, 0x10 . 10.0.0.2 } counter",
    "add rule ip t c meta mark . ip daddr { 5-7 . 10.0.0.1, 0x10 . 10.0.0.0/24 } counter",
    "add rule ip t c ct mark . meta mark { 1 . 2 } drop",
    "add rule ip t c meta mark @ranges drop",
    "add rule ip t c meta mark @exact drop",
    "add rule ip t c meta mark . meta mark @ranges2 drop",
    "add rule ip t c meta mark set ip saddr map { 10.0.0.1 : 1, 10.0.0.2 : 2 }",
    "add rule ip t c meta mark set ip saddr map { 10.0.0.0/24 : 1, 10.1.0.0-10.1.0.9 : 2 }",
    "add rule ip t c meta mark set ip saddr map @marks",
    "add rule ip t c ct mark set meta mark map { 1 : 2 }",
    "add rule ip t c meta mark set ip saddr . tcp dport map { 10.0.0.1 . 80 : 7 }",
    "add rule ip t c update @seen { ip saddr . tcp dport timeout 1m }",
    "add rule ip t nat dnat to tcp dport map { 80 : 10.0.0.1, 81 : 10.0.0.2 }",
    "add rule ip t nat dnat to ip saddr . tcp dport map { 10.0.0.9 . 80 : 10.0.0.1 }",
    "add rule ip t post snat to ip daddr map { 10.9.0.1 : 10.0.0.1 } persistent",
    "add rule ip t c udp sport 53 udp dport 1024-65535 accept",
    "add rule ip t c tcp dport != 22 tcp sport > 1023 drop",
    "add rule ip t c tcp flags syn limit rate over 5/second burst 9 packets drop",
    "add rule ip t c icmp type echo-request limit rate 10 kbytes/second accept",
    "add rule ip t c iifname \"eth0\" oifname \"wan*\" iif lo counter accept",
    "add rule ip t c ct state established,related accept",
    "add rule ip t c ct state { new, established } accept",
    "add rule ip t c ct mark 0x10 ct direction original ct status dnat",
    "add rule ip t c meta mark & 0xff == 0x12 meta mark set 0x7",
    "add rule ip t c meta mark 5-9 ct mark set meta mark",
    "add rule ip t c meta l4proto tcp meta pkttype host meta skuid 0",
    "add rule ip t c ip ttl < 5 ip dscp cs1 ip length 100-200",
    "add rule ip t c counter name cnt quota name q limit name l",
    "add rule ip t c log prefix \"drop: \" level info flags all",
    "add rule ip t c log group 5",
    "add rule ip t c reject",
    "add rule ip t c tcp dport 5 reject with tcp reset",
    "add rule ip t c reject with icmp admin-prohibited",
    "add rule ip t c quota over 10 mbytes drop",
    "add rule ip t c update @dyn { ip saddr timeout 1m }",
    "add rule ip t c notrack",
    "add rule ip t c jump other",
    "add rule ip t c return",
    "add rule ip t nat tcp dport 80 dnat to 10.0.0.1:8080 random",
    "add rule ip t nat tcp dport 81 redirect to :8081",
    "add rule ip t post snat to 10.0.0.1-10.0.0.5 persistent",
    "add rule ip t post masquerade",
    "add rule inet t c ip saddr 10.0.0.1 tcp dport 22 accept",
    "add rule inet t c ip6 saddr 2001:db8::/32 udp dport 53 accept",
    "add rule inet t c ip6 saddr { ::1, fe80::/10 } drop",
    "add rule inet t c iifname @names accept",
    "add rule inet t c icmpv6 type { nd-neighbor-solicit, echo-request } accept",
    "add rule inet t c meta nfproto ipv4 drop",
    "add rule inet t c ip6 saddr . tcp dport { ::1 . 22, 2001:db8::2 . 23 } accept",
    "add rule inet t c ip saddr . ip daddr . tcp sport . tcp dport { 10.0.0.1 . 10.0.0.2 . 1 . 2 } accept",
    "add rule inet t c ip saddr . ether saddr { 10.0.0.1 . 00:11:22:33:44:55 } accept",
    "add rule inet t c ether saddr 00:11:22:33:44:55 counter",
    "add rule inet t c reject with icmpx admin-prohibited",
    "insert rule inet t c tcp dport 1 drop",
    "add rule bridge t c ether type arp accept",
    "add rule bridge t c ether daddr ff:ff:ff:ff:ff:ff drop",
];

#[test]
fn what_is_made_is_what_nft_makes() {
    let Some(theirs) = namespace("what_is_made_is_what_nft_makes") else { return };
    let Some(ours) = namespace("what_is_made_is_what_nft_makes") else { return };
    for line in MADE {
        if let Err(error) = load(&theirs, &[line]) {
            println!("absent: {line}: {error}");
            continue;
        }
        let mut words = vec!["nft"];
        words.extend(line.split(' '));
        let output = support::command(&format!("--netns {}", ours.name())).args(words).output().unwrap();
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    }
    let list = |netns: &Netns| {
        let mut rows = rows(&nft(netns, &["-j", "list", "ruleset"]).unwrap());
        for row in &mut rows {
            walk(row, &mut |value| {
                if let Value::Object(object) = value {
                    object.remove("handle");
                    object.remove("expires");
                }
            });
        }
        rows
    };
    let (listed, expected) = (list(&ours), list(&theirs));
    for (ours, theirs) in listed.iter().zip(&expected) {
        assert_eq!(ours, theirs, "ours is the first");
    }
    assert_eq!(listed.len(), expected.len());
    // What is looked up among intervals stands big-endian, which no listing shows.
    let turned = |netns: &Netns| {
        let expressions = nft(netns, &["--debug=netlink", "list", "chain", "ip", "t", "c"]).unwrap();
        expressions.lines().filter(|line| line.contains("byteorder")).count()
    };
    assert_eq!(turned(&ours), turned(&theirs));
    assert!(turned(&ours) >= 4, "{}", turned(&ours));
    // What is taken away again.
    for line in [
        "delete element ip t ports { 22 }",
        "flush chain ip t c",
        "flush set ip t ports",
        "flush table inet t",
        "delete set inet t names",
        "delete chain inet t other",
        "delete table bridge t",
    ] {
        load(&theirs, &[line]).unwrap();
        ours.change(&format!("nft {line}"));
        assert_eq!(list(&ours), list(&theirs), "{line}");
    }
    ours.change("nft flush ruleset");
    assert!(list(&ours).is_empty());
}

#[test]
fn what_is_wrong_is_named() {
    let Some(netns) = namespace("what_is_wrong_is_named") else { return };
    netns.change("nft add table ip t");
    netns.change("nft add chain ip t c");
    for (words, code, expected) in [
        ("nft add rule ip t c tcp dprot 22", 1, "`dprot` after `tcp`"),
        ("nft add rule ip t c tcp dport 99999", 1, "`99999` after `dport`"),
        ("nft add rule ip t c ip saddr 10.0.0.300 accept", 1, "`10.0.0.300` after `saddr`"),
        ("nft add rule ip t c ct state neww", 1, "`neww` after `state`"),
        ("nft add rule ip t c accpt", 1, "`accpt`"),
        ("nft add rule ip t c", 1, "the line ends after `c`"),
        ("nft add rule ip t c limit rate 5/fortnight", 1, "`5/fortnight`"),
        ("nft add rule ip t c iifname { \"eth*\" } drop", 1, "a name in full"),
        (
            "nft add rule ip t c ip saddr . tcp dport { 10.0.0.1 }",
            1,
            "`}` after `10.0.0.1`: expected . and the next field",
        ),
        ("nft add rule ip t c ip saddr . tcp dport 10.0.0.1", 1, "`10.0.0.1` after `dport`: expected { and elements"),
        ("nft add rule ip t c ip dscp . ip saddr { 1 . 10.0.0.1 }", 1, "less than a byte"),
        ("nft add rule ip t c meta mark set ip saddr 5", 1, "`5` after `saddr`: expected map"),
        ("nft add rule ip t none accept", 2, "NFTA_RULE_CHAIN"),
        ("nft add chain ip none c", 2, "NFTA_CHAIN_TABLE"),
        ("nft add rule ip t c ip saddr @none", 2, "NFT_MSG_NEWRULE"),
        ("nft add element ip t none { 1 }", 1, "there is no set `none`"),
        ("nft create table ip t", 2, "EEXIST"),
        ("nft delete table ip none", 2, "ENOENT"),
    ] {
        let output = netns.ringlink(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words}: {said}");
        assert!(said.contains(expected), "{words}: {said}");
    }
}

#[test]
fn changes_are_told_as_they_are_made() {
    use std::io::{BufRead, BufReader};
    use std::sync::mpsc;
    use std::time::Duration;

    let Some(netns) = namespace("changes_are_told_as_they_are_made") else { return };
    let lines = |options: &str| {
        let mut child = support::command(&format!("--stats --netns {} {options} nft monitor", netns.name()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It says on standard error that it listens.
        let mut said = String::new();
        BufReader::new(child.stderr.take().unwrap()).read_line(&mut said).unwrap();
        let (send, receive) = mpsc::channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        (child, receive)
    };
    let (mut text, told) = lines("");
    let (mut json, objects) = lines("--json");
    load(
        &netns,
        &[
            "add table ip t",
            "add chain ip t c { type filter hook input priority 0; policy drop; }",
            "add set ip t s { type ipv4_addr; }",
            "add element ip t s { 10.0.0.1 }",
            "add rule ip t c tcp dport { 22, 80 } accept",
        ],
    )
    .unwrap();
    load(&netns, &["flush chain ip t c"]).unwrap();
    let expected = [
        "add table ip t",
        "add chain ip t c { type filter hook input priority filter; policy drop; }",
        "add set ip t s { type ipv4_addr; }",
        "add element ip t s { 10.0.0.1 }",
        "add rule ip t c tcp dport { 22, 80 } accept",
        "# new generation",
        "delete rule ip t c handle",
        "# new generation",
    ];
    for expected in expected {
        let line = told.recv_timeout(Duration::from_secs(20)).unwrap();
        assert!(line.starts_with(expected), "{line}: {expected}");
    }
    for kind in ["table", "chain", "set", "element", "rule", "", "rule", ""] {
        let line = objects.recv_timeout(Duration::from_secs(20)).unwrap();
        let row: Value = serde_json::from_str(&line).unwrap();
        let about = row.get("add").or_else(|| row.get("delete"));
        match kind {
            "" => assert!(row["generation"]["id"].is_u64(), "{line}"),
            kind => assert!(about.is_some_and(|about| about.get(kind).is_some()), "{line}: {kind}"),
        }
    }
    for child in [&mut text, &mut json] {
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
