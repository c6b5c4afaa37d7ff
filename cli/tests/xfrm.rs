//! `ringlink xfrm` against `ip xfrm`, in private network namespaces. States need ESP, which few kernels have built in:
//! where it is absent, a guest has it.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::Value;
use support::{Netns, command, ringlink, skip};

/// Policies: what follows `xfrm policy` for either program.
const POLICIES: &[&str] = &[
    "add src 10.0.0.0/24 dst 10.1.0.0/16 dir out priority 100 tmpl src 192.0.2.1 dst 192.0.2.2 proto esp reqid 7 \
     mode tunnel",
    "add src 10.1.0.0/16 dst 10.0.0.0/24 dir in priority 100 tmpl src 192.0.2.2 dst 192.0.2.1 proto ah reqid 8 \
     mode transport level use tmpl src 192.0.2.2 dst 192.0.2.1 proto comp spi 0x77 mode transport",
    "add src 2001:db8::/32 dst 2001:db8:1::/48 proto tcp sport 1 dport 2 dir fwd action block flag localok icmp \
     limit byte-soft 1000 limit packet-hard 2000 limit time-soft 30000 limit time-use-hard 40000",
    "add src 10.9.0.0/24 dst 10.9.1.0/24 proto icmp type 8 code 0 dev v0 dir out mark 0x10 mask 0xff if_id 0x5 index 17",
    "add src 10.9.0.0/24 dst 10.9.2.0/24 proto gre key 1.2.3.4 dir out",
    "add src 10.9.0.0/24 dst 10.9.3.0/24 proto udp dport 53 dir in priority 5",
    "add dst 2001:db8:2::/64 proto ipv6-icmp type 135 dir out",
    "add src 10.9.4.0/24 proto 135 type 5 dir out",
    "add src 10.9.5.0/24 dst 10.9.6.0/24 dir out tmpl proto esp mode beet tmpl src 2001:db8::1 dst 2001:db8::2 \
     proto esp spi 9 mode tunnel",
];

/// A policy that is not there by default: kernels without sub-policies refuse it.
const SUB_POLICY: &str = "add src 10.9.0.0/24 dst 10.9.2.0/24 dir fwd ptype sub";

/// Ways to look at policies.
const LISTS: &[&str] = &[
    "xfrm policy",
    "xfrm policy list",
    "-s xfrm policy show",
    "xfrm policy list dir out",
    "xfrm policy list src 10.0.0.0/24",
    "xfrm policy list src 10.9.0.0/16 dst 10.9.0.0/16",
    "xfrm policy list proto tcp",
    "xfrm policy list proto udp dport 53",
    "xfrm policy list dev v0",
    "xfrm policy list action block",
    "xfrm policy list priority 100",
    "xfrm policy list flag icmp",
    "xfrm policy list ptype main",
    "xfrm policy list ptype sub",
    "xfrm policy list index 17",
    "xfrm policy list nosock",
    "xfrm policy get index 17 dir out mark 0x10 mask 0xff if_id 0x5",
    "xfrm policy get src 10.0.0.0/24 dst 10.1.0.0/16 dir out",
    "xfrm policy count",
    "-s xfrm policy count",
    "-s -s xfrm policy count",
    "xfrm state count",
    "-s xfrm state count",
];

/// Two namespaces with the same interfaces.
fn pair(test: &str) -> Option<[Netns; 2]> {
    Some([Netns::with_interfaces(test)?, Netns::with_interfaces(test)?])
}

/// What `ip` prints, without the times, which pass between the two.
fn timeless(netns: &Netns, words: &str) -> Vec<String> {
    netns.ip(words).lines().filter(|line| !line.trim_start().starts_with("add 2")).map(str::to_owned).collect()
}

#[test]
fn policies_are_shown_as_ip_shows_them() {
    let Some(netns) = Netns::with_interfaces("policies_are_shown_as_ip_shows_them") else { return };
    for line in POLICIES {
        netns.ip(&format!("xfrm policy {line}"));
    }
    if let Err(error) = netns.try_ip(&format!("xfrm policy {SUB_POLICY}")) {
        println!("absent: sub-policies: {error}");
    }
    for words in LISTS {
        netns.compare_text(words);
    }
    if netns.try_ip("xfrm policy getdefault").is_ok() {
        netns.compare_text("xfrm policy getdefault");
    }
}

#[test]
fn policies_are_made_as_ip_makes_them() {
    let Some([theirs, ours]) = pair("policies_are_made_as_ip_makes_them") else { return };
    let same = |when: &str| {
        assert_eq!(timeless(&ours, "-s xfrm policy"), timeless(&theirs, "-s xfrm policy"), "{when}");
    };
    for line in POLICIES {
        theirs.ip(&format!("xfrm policy {line}"));
        ours.change(&format!("xfrm policy {line}"));
    }
    same("made");
    for line in [
        "update src 10.0.0.0/24 dst 10.1.0.0/16 dir out priority 100 action block",
        "del src 10.9.0.0/24 dst 10.9.2.0/24 proto gre key 1.2.3.4 dir out",
        "delete index 17 dir out mark 0x10 mask 0xff if_id 0x5",
        "set hthresh4 24 32 hthresh6 64 96",
        "deleteall src 2001:db8::/32",
        "deleteall priority 5",
    ] {
        theirs.ip(&format!("xfrm policy {line}"));
        ours.change(&format!("xfrm policy {line}"));
        same(line);
    }
    let count = "-s -s xfrm policy count";
    assert!(ours.ip(count).contains("SPD IPv4 thresholds: local 24 remote 32"));
    assert_eq!(ours.ip(count), theirs.ip(count));
    if theirs.try_ip("xfrm policy setdefault in block fwd block").is_ok() {
        ours.change("xfrm policy setdefault in block fwd block");
        assert_eq!(ours.ip("xfrm policy getdefault"), theirs.ip("xfrm policy getdefault"));
    }
    // Marks and numbers of interfaces are part of what names a policy.
    ours.change(&format!("xfrm policy {}", POLICIES[3]));
    ours.change("xfrm policy deleteall");
    assert_eq!(ours.ip("xfrm policy"), "");
    ours.change(&format!("xfrm policy {}", POLICIES[0]));
    ours.change("xfrm policy flush");
    ours.change("xfrm policy flush ptype main");
    assert_eq!(ours.ip("xfrm policy"), "");
}

#[test]
fn json_has_what_the_text_has() {
    let Some(netns) = Netns::with_interfaces("json_has_what_the_text_has") else { return };
    assert_eq!(netns.rows("xfrm policy"), [] as [Value; 0]);
    for line in POLICIES {
        netns.change(&format!("xfrm policy {line}"));
    }
    let rows = netns.rows("xfrm policy");
    assert_eq!(rows.len(), POLICIES.len());
    let find = |priority: u64, dir: &str| {
        rows.iter().find(|row| row["priority"] == priority && row["dir"] == dir).unwrap_or_else(|| panic!("{rows:?}"))
    };
    let out = find(100, "out");
    assert_eq!((&out["src"], &out["dst"]), (&"10.0.0.0/24".into(), &"10.1.0.0/16".into()));
    assert_eq!(out["tmpl"][0]["reqid"], 7);
    assert_eq!(out["tmpl"][0]["mode"], "tunnel");
    assert_eq!(find(100, "in")["tmpl"][0]["level"], "use");
    assert_eq!(find(0, "fwd")["limits"]["byte_soft"], 1000);
    assert_eq!(find(0, "fwd")["flags"], serde_json::json!(["localok", "icmp"]));
    let marked = rows.iter().find(|row| row["dev"] == "v0").unwrap();
    assert_eq!(marked["mark"], serde_json::json!({ "v": "0x10", "m": "0xff" }));
    let count = netns.rows("xfrm policy count");
    assert_eq!((&count[0]["out"], &count[0]["hthresh4"]["local"]), (&6.into(), &32.into()));
}

#[test]
fn an_index_is_found() {
    let Some(netns) = Netns::new("an_index_is_found") else { return };
    let id = "src 192.0.2.1 dst 192.0.2.2 proto esp";
    let printed = netns.ringlink(&format!("xfrm state allocspi {id} min 0x2000 max 0x2000 reqid 9 mode tunnel"));
    if !printed.status.success() {
        println!("absent: an_index_is_found: {}", String::from_utf8_lossy(&printed.stderr).trim());
        return;
    }
    let printed = String::from_utf8(printed.stdout).unwrap();
    assert!(printed.contains("\tproto esp spi 0x00002000 reqid 9 mode tunnel\n"), "{printed}");
    netns.compare_text("xfrm state");
    netns.compare_text("-s xfrm state list reqid 9");
    netns.compare_text(&format!("xfrm state get {id} spi 0x2000"));
    netns.compare_text("xfrm state list mode transport");
    let rows = netns.rows("xfrm state");
    assert_eq!((&rows[0]["spi"], &rows[0]["limits"]["time_hard"]), (&"0x00002000".into(), &30.into()));
    assert_eq!(netns.rows("xfrm state count")[0]["count"], 1);
    // That index is taken, and there is no other.
    let again = netns.ringlink(&format!("xfrm state allocspi {id} min 0x2000 max 0x2000"));
    assert_eq!(again.status.code(), Some(2));
    netns.change(&format!("xfrm state del {id} spi 0x2000"));
    assert_eq!(netns.ringlink(&format!("xfrm state del {id} spi 0x2000")).status.code(), Some(2));
    for _ in 0..3 {
        netns.change(&format!("xfrm state allocspi {id}"));
    }
    netns.change("xfrm state deleteall proto ah");
    assert_eq!(netns.rows("xfrm state").len(), 3);
    netns.change("xfrm state deleteall");
    assert_eq!(netns.ip("xfrm state"), "");
    netns.change(&format!("xfrm state allocspi {id}"));
    netns.change("xfrm state flush proto esp");
    netns.change("xfrm state flush");
    assert_eq!(netns.ip("xfrm state"), "");
}

/// Keys that stand nowhere else.
const K16: &str = "0x5ec2e7a15ec2e7a25ec2e7a35ec2e7a4";
const K20: &str = "0x5ec2e7b15ec2e7b25ec2e7b35ec2e7b45ec2e7b5";
const K32: &str = "0x5ec2e7c15ec2e7c25ec2e7c35ec2e7c45ec2e7c55ec2e7c65ec2e7c75ec2e7c8";

/// States: what follows `xfrm state` for either program.
fn states() -> Vec<String> {
    let (four, six) = ("src 192.0.2.1 dst 192.0.2.2", "src 2001:db8::1 dst 2001:db8::2");
    vec![
        format!("add {four} proto esp spi 0x1001 reqid 7 mode tunnel enc cbc(aes) {K16} auth hmac(sha1) {K20}"),
        format!(
            "add {four} proto esp spi 0x1002 reqid 7 mode tunnel enc cbc(aes) {K32} auth-trunc hmac(sha256) {K32} 128 \
             replay-window 32 replay-seq 5 replay-oseq 6 flag nopmtudisc af-unspec extra-flag dont-encap-dscp \
             mark 0x10 mask 0xff output-mark 0x20 mask 0xf0 if_id 0x5 tfcpad 64"
        ),
        format!(
            "add {six} proto esp spi 0x1003 reqid 8 mode transport aead rfc4106(gcm(aes)) {K20} 128 replay-window 128 \
             flag esn replay-seq 9 replay-seq-hi 1 replay-oseq-hi 2 sel {six} proto tcp sport 1 dport 2 dev v0"
        ),
        format!(
            "add {four} proto ah spi 0x1004 mode transport auth hmac(sha256) {K32} limit byte-soft 1000 \
             limit packet-hard 2000 limit time-soft 30000 limit time-use-hard 40000"
        ),
        format!("add {four} proto comp spi 0x1005 mode tunnel comp deflate"),
        format!(
            "add {four} proto esp spi 0x1006 mode beet enc cbc(aes) {K16} auth hmac(sha1) {K20} \
             encap espinudp 4500 4501 192.0.2.9 sel src 10.0.0.0/24 dst 10.1.0.0/24"
        ),
        // A key that is text.
        format!("add {four} proto esp spi 0x1007 enc cbc(aes) sixteen-letters! auth hmac(sha1) twenty-letters-long!"),
        format!("add {six} proto hao mode ro coa 2001:db8::3"),
    ]
}

/// Whether this kernel has ESP and what that needs.
fn has_esp(test: &str, netns: &Netns) -> bool {
    let state = format!("src 192.0.2.1 dst 192.0.2.2 proto esp spi 1 enc cbc(aes) {K16} auth hmac(sha1) {K20}");
    match netns.try_ip(&format!("xfrm state add {state}")) {
        Ok(_) => {
            netns.ip("xfrm state flush");
            true
        }
        Err(error) => {
            println!("absent: {test}: ESP: {error}");
            false
        }
    }
}

#[test]
fn states_are_made_and_shown_as_by_ip() {
    const TEST: &str = "states_are_made_and_shown_as_by_ip";
    let Some([theirs, ours]) = pair(TEST) else { return };
    if !has_esp(TEST, &theirs) {
        return;
    }
    for line in states() {
        // What this kernel's modules do not have, neither can make.
        let made = theirs.try_ip(&format!("xfrm state {line}"));
        let output = ours.ringlink(&format!("xfrm state {line}"));
        let err = String::from_utf8_lossy(&output.stderr).replace(K20, "KEY");
        assert_eq!(output.status.success(), made.is_ok(), "{err}");
    }
    let all = "-s xfrm state";
    assert_eq!(timeless(&ours, all), timeless(&theirs, all));
    assert!(ours.ip(all).matches("proto esp").count() >= 4);
    // `ip` hides keys where that is asked for, and has no space before `extra_flag`.
    let plain = |text: &str| -> Vec<String> {
        let text = text.replace("extra_flag", " extra_flag");
        let words = |line: &str| line.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
        text.lines().map(words).collect()
    };
    let compare = |words: &str, of_ip: &str| {
        let (found, expected) = (plain(&ours.change(words)), plain(&ours.ip(of_ip)));
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{words}");
        }
        assert_eq!(found.len(), expected.len(), "{words}");
    };
    for words in ["", "-s "] {
        for filter in ["", "proto esp", "reqid 7", "mode beet", "flag esn"] {
            compare(&format!("{words}xfrm state list {filter}"), &format!("{words}xfrm state list nokeys {filter}"));
            let shown = format!("{words}xfrm state list {filter}");
            compare(&format!("--show-keys {shown}"), &shown);
        }
    }
    let get = "xfrm state get src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1002 mark 0x10 mask 0xff";
    compare(&format!("--show-keys {get}"), get);
    let rows = ours.rows("xfrm state list spi 0x1003");
    assert_eq!(rows[0]["aead"], serde_json::json!({ "name": "rfc4106(gcm(aes))", "key_len": 160, "icv_len": 128 }));
    assert_eq!(rows[0]["anti_replay_esn"]["seq_hi"], 1);
    let rows = ours.rows("--show-keys xfrm state list spi 0x1003");
    assert_eq!(rows[0]["aead"]["key"], K20);
    // Changed, and gone.
    let id = "src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001";
    for netns in [&theirs, &ours] {
        let line = format!(
            "xfrm state update {id} reqid 7 mode tunnel enc cbc(aes) {K16} auth hmac(sha1) {K20} limit byte-hard 9"
        );
        if std::ptr::eq(netns, &ours) { drop(netns.change(&line)) } else { drop(netns.ip(&line)) }
    }
    assert_eq!(timeless(&ours, all), timeless(&theirs, all));
    ours.change(&format!("xfrm state del {id}"));
    ours.change("xfrm state deleteall reqid 7");
    assert!(!ours.ip("xfrm state").contains("reqid 7 "));
    ours.change("xfrm state flush");
    assert_eq!(ours.ip("xfrm state"), "");
}

#[test]
fn keys_are_shown_to_nobody() {
    const TEST: &str = "keys_are_shown_to_nobody";
    let Some(netns) = Netns::with_interfaces(TEST) else { return };
    let mut texts = Vec::new();
    let mut run = |words: &str| {
        let output = netns.ringlink(words);
        texts.push((words.to_owned(), [output.stdout, output.stderr].concat()));
        output.status.success()
    };
    // What is refused, by the program or by the kernel, is not told with its key.
    let id = "src 192.0.2.1 dst 192.0.2.2 proto esp spi 7";
    for line in [
        format!("add {id} enc cbc(aes) {K16} auth hmac(sha1) {K20} mode nonsense"),
        format!("add {id} enc cbc(aes) {K16} nonsense"),
        format!("add {id} enc cbc(aes) {K16}xyz"),
        format!("add {id} enc no-such-cipher {K16}"),
        format!("add {id} enc cbc(aes) {}", K16.repeat(40)),
        format!("add {id} aead rfc4106(gcm(aes)) {K20} many"),
        format!("add {id} aead rfc4106(gcm(aes)) {K20}"),
        format!("add enc cbc(aes) {K16}"),
        format!("add {id} mode tunnel aead rfc4106(gcm(aes)) {K20} 127"),
    ] {
        assert!(!run(&format!("xfrm state {line}")), "{line}");
    }
    let made = has_esp(TEST, &netns);
    if made {
        for line in states() {
            run(&format!("xfrm state {line}"));
        }
        for words in ["xfrm state", "-s xfrm state", "--json xfrm state", "-s --stats xfrm state list proto esp"] {
            assert!(run(words), "{words}");
        }
        let monitored = monitor(&netns, "--json", || {
            netns.change("xfrm state deleteall spi 0x1002");
            netns.change(&format!("xfrm state {}", states()[1]));
        });
        texts.push(("monitor".into(), monitored.into_bytes()));
    }
    for (words, text) in &texts {
        let text = String::from_utf8_lossy(text).to_lowercase();
        for leak in ["5ec2e7", "sixteen-letters", "twenty-letters", "94, 194, 231"] {
            assert!(!text.contains(leak), "{words}: {}", text.replace(leak, "LEAK"));
        }
    }
    assert!(texts.len() > 8 && (!made || texts.len() > 20));
}

#[test]
fn decoded_keys_are_hidden_too() {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../codec/tests/captures/xfrm_state.hex");
    for face in ["", "--json "] {
        let text = |options: &str| {
            let output = ringlink(&format!("{face}{options}decode protocol xfrm {file}"));
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8(output.stdout).unwrap()
        };
        // Keys of the capture are 00 01 02 ….
        let (hidden, shown) = (text(""), text("--show-keys "));
        assert!(hidden.contains("(16 secret bytes)") && !hidden.contains("0405060708090a"), "{hidden}");
        assert!(shown.contains("000102030405060708090a0b0c0d0e0f"), "{shown}");
    }
}

/// What `ringlink xfrm monitor` tells while something happens, up to a policy by which the end is known.
fn monitor(netns: &Netns, options: &str, happen: impl FnOnce()) -> String {
    let line = format!("--netns {} --stats {options} xfrm monitor", netns.name());
    let mut child = command(&line).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let receive = |from: Box<dyn std::io::Read + Send>| {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        receiver
    };
    let errors = receive(Box::new(child.stderr.take().unwrap()));
    let lines = receive(Box::new(child.stdout.take().unwrap()));
    let patience = Duration::from_secs(30);
    while !errors.recv_timeout(patience).expect("it says that it listens").contains("listening") {}
    happen();
    netns.ip("xfrm policy add src 10.99.0.0/24 dst 10.99.1.0/24 dir out");
    let mut text = String::new();
    loop {
        let line = lines.recv_timeout(patience).expect("the end is told");
        if line.contains("10.99.1.0/24") {
            break;
        }
        text.push_str(&line);
        text.push('\n');
    }
    // One that has ended already is as good.
    let _ = child.kill();
    let _ = child.wait();
    text
}

#[test]
fn what_changes_is_told() {
    let Some(netns) = Netns::with_interfaces("what_changes_is_told") else { return };
    let happen = || {
        netns.ip("xfrm policy add src 10.0.0.0/24 dst 10.1.0.0/16 dir out tmpl proto esp reqid 7 mode transport");
        netns.ip("xfrm policy update src 10.0.0.0/24 dst 10.1.0.0/16 dir out priority 4");
        netns.ip("xfrm policy delete src 10.0.0.0/24 dst 10.1.0.0/16 dir out");
        netns.ip("xfrm policy flush");
        netns.ip("xfrm state flush proto ah");
    };
    let text = monitor(&netns, "", happen);
    let expected = [
        "src 10.0.0.0/24 dst 10.1.0.0/16",
        "\tdir out priority 0 ptype main",
        "\ttmpl src 0.0.0.0 dst 0.0.0.0",
        "\t\tproto esp reqid 7 mode transport",
        "Updated src 10.0.0.0/24 dst 10.1.0.0/16",
        "\tdir out priority 4 ptype main",
        "Deleted src 10.0.0.0/24 dst 10.1.0.0/16",
        "\tdir out priority 4 ptype main",
    ];
    let found: Vec<&str> = text.lines().map(str::trim_end).collect();
    assert_eq!(found[..expected.len().min(found.len())], expected, "{text}");
    netns.ip("xfrm policy flush");
    let rows = monitor(&netns, "--json", happen);
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let told: Vec<_> = rows.iter().map(|row| (row["event"].as_str().unwrap(), row["priority"].as_u64())).collect();
    assert_eq!(told[..3], [("policy", Some(0)), ("policy", Some(4)), ("policy", Some(4))], "{rows:?}");
    assert_eq!((&rows[1]["updated"], &rows[2]["deleted"]), (&true.into(), &true.into()));
}

/// `ping` of this machine, which may be busybox's.
fn ping(netns: &Netns, address: &str) -> Result<std::process::Output, std::io::Error> {
    let exists = |program: &str| Command::new(program).arg("--help").output().is_ok();
    let program: &[&str] = if exists("ping") { &["ping"] } else { &["busybox", "ping"] };
    let mut command = Command::new("ip");
    command.args(["netns", "exec", netns.name()]).args(program).args(["-c", "3", "-w", "20", address]);
    command.output()
}

#[test]
fn two_namespaces_exchange_protected_packets() {
    const TEST: &str = "two_namespaces_exchange_protected_packets";
    let (Some(left), Some(right)) = (Netns::new(TEST), Netns::new(TEST)) else { return };
    if !has_esp(TEST, &left) {
        return;
    }
    left.ip(&format!("link add v0 type veth peer name v1 netns {}", right.name()));
    for (netns, device, address) in [(&left, "v0", "192.0.2.1/24"), (&right, "v1", "192.0.2.2/24")] {
        netns.ip(&format!("addr add {address} dev {device}"));
        netns.ip(&format!("link set {device} up"));
    }
    let unprotected = ping(&left, "192.0.2.2").unwrap();
    if !unprotected.status.success() {
        let text = [unprotected.stdout, unprotected.stderr].concat();
        return skip(TEST, &String::from_utf8_lossy(&text)).unwrap_or(());
    }
    let there = "src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x1001 reqid 1 mode transport";
    let back = "src 192.0.2.2 dst 192.0.2.1 proto esp spi 0x1002 reqid 1 mode transport";
    for (netns, [here, peer]) in [(&left, ["192.0.2.1", "192.0.2.2"]), (&right, ["192.0.2.2", "192.0.2.1"])] {
        netns.change(&format!("xfrm state add {there} enc cbc(aes) {K16} auth hmac(sha1) {K20}"));
        netns.change(&format!("xfrm state add {back} aead rfc4106(gcm(aes)) {K20} 128"));
        let template = "proto esp reqid 1 mode transport";
        netns.change(&format!("xfrm policy add src {here} dst {peer} dir out tmpl {template}"));
        netns.change(&format!("xfrm policy add src {peer} dst {here} dir in tmpl {template}"));
    }
    let protected = ping(&left, "192.0.2.2").unwrap();
    assert!(protected.status.success(), "{}", String::from_utf8_lossy(&protected.stdout));
    for netns in [&left, &right] {
        let rows = netns.rows("xfrm state");
        assert_eq!(rows.len(), 2);
        for row in rows {
            assert!(row["current"]["packets"].as_u64() >= Some(3), "{row}");
            assert!(row["current"]["bytes"].as_u64() >= Some(150), "{row}");
            assert_ne!(row["current"]["use_time"], 0, "{row}");
            assert_eq!(row["stats"], serde_json::json!({ "replay_window": 0, "replay": 0, "failed": 0 }));
        }
        assert_eq!(netns.rows("xfrm policy").len(), 2);
    }
    // Without the states, nothing passes, and the kernel says what it wants.
    right.change("xfrm state deleteall");
    let wanted = monitor(&right, "--json", || {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", right.name(), "busybox", "ping", "-c", "1", "-w", "1", "192.0.2.1"]);
        let lost = command.output();
        assert!(lost.is_ok_and(|lost| !lost.status.success()));
    });
    if let Some(wanted) = wanted.lines().find(|line| line.contains("\"acquire\"")) {
        let wanted: Value = serde_json::from_str(wanted).unwrap();
        assert_eq!((&wanted["proto"], &wanted["dst"]), (&"esp".into(), &"192.0.2.1".into()));
        assert_eq!(wanted["policy"]["tmpl"][0]["reqid"], 1);
    } else {
        panic!("no acquire in {wanted}");
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_place() {
    let Some(netns) = Netns::new("what_makes_no_sense_is_refused_with_its_place") else { return };
    for (words, code, says) in [
        ("xfrm", 1, "expected state, policy or monitor"),
        ("xfrm nonsense", 1, "`nonsense` after `xfrm`: expected state, policy or monitor"),
        ("xfrm state nonsense", 1, "expected list, add"),
        ("xfrm state add", 1, "expected what names the state"),
        ("xfrm state add src 10.0.0.1 dst ::1 proto esp", 1, "expected an address of the same family"),
        ("xfrm state add proto tcp", 1, "expected esp, ah, comp, route2 or hao"),
        ("xfrm state add proto esp flag none", 1, "expected noecn, decap-dscp"),
        ("xfrm state add proto esp limit bytes 7", 1, "expected time-soft"),
        ("xfrm state add proto esp flag esn", 1, "expected a replay-window"),
        ("xfrm state add proto esp sel", 1, "expected a selector"),
        ("xfrm state allocspi proto esp min 9", 1, "expected both min and max"),
        ("xfrm policy add src 10.0.0.0/24", 1, "expected dir in, out or fwd"),
        ("xfrm policy add dir out tmpl mode tunnel", 1, "expected a template, which has at least `proto PROTO`"),
        ("xfrm policy del dir out", 1, "expected a selector or an index"),
        ("xfrm policy list dev nonsense", 1, "there is no interface `nonsense`"),
        ("xfrm policy get src 10.0.0.0/8 dir out", 2, "XFRM_MSG_GETPOLICY refused: No such file or directory (ENOENT)"),
        ("xfrm monitor nonsense", 1, "expected all, acquire"),
    ] {
        let output = netns.ringlink(words);
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words}: {err}");
        assert!(err.contains(says), "{words}: {err}");
    }
}
