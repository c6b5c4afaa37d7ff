//! Packets as `log` and `queue` print them, keep them and decide about them.

mod support;

use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use support::{Listener, Netns, PATIENCE, command, skip};

/// A namespace with these rules of `nft` and of `iptables`, if there are these programs and the kernel has what they want.
fn with_rules(test: &str, nft: &str, iptables: &[&str]) -> Option<Netns> {
    for program in ["nft", "iptables", "tcpdump", "bash"] {
        if Command::new(program).arg("--version").output().is_err() {
            return skip(test, &format!("needs the program {program}"));
        }
    }
    let netns = Netns::new(test)?;
    netns.ip("link set lo up");
    let rules = iptables.iter().map(|line| (format!("iptables {line}"), ""));
    for (line, input) in rules.chain([("nft -f -".to_owned(), nft)]) {
        if let Err(error) = run(&netns, &line.split(' ').collect::<Vec<_>>(), input) {
            println!("absent: {test}: {line}: {error}");
            return None;
        }
    }
    Some(netns)
}

/// Runs a program in the namespace; where it fails, the first line it says.
fn run(netns: &Netns, words: &[&str], input: &str) -> Result<(), String> {
    let mut child = Command::new("ip")
        .args(["netns", "exec", netns.name()])
        .args(words)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(said.lines().next().unwrap_or_default().to_owned()) }
}

/// Sends texts by UDP to a port of `lo`, each a packet.
fn send(netns: &Netns, port: u16, texts: &[&str]) {
    for text in texts {
        run(netns, &["bash", "-c", &format!("printf {text} > /dev/udp/127.0.0.1/{port}")], "").unwrap();
    }
}

const LOG: &str = "
table inet t {
    chain out {
        type filter hook output priority 0
        udp dport 4000 meta mark set 0x17 log prefix \"one: \" group 5
    }
}
";

#[test]
fn logged_packets_are_printed() {
    let Some(netns) = with_rules("logged_packets_are_printed", LOG, &[]) else { return };
    let json = Listener::start(&format!("--netns {} log 5 --json --count 2", netns.name())).unwrap();
    send(&netns, 4000, &["a", "bb", "ccc"]);
    for (number, length) in [29, 30].into_iter().enumerate() {
        let row = json.row(|_| true);
        let expected = serde_json::json!({
            "group": 5, "seq": number, "family": "ip", "hook": "output", "out": "lo", "mark": 0x17, "uid": 0, "gid": 0,
            "ethertype": "IP", "protocol": "UDP", "src": "127.0.0.1", "sport": row["sport"], "dst": "127.0.0.1",
            "dport": 4000, "length": length, "prefix": "one: "
        });
        assert_eq!(row, expected);
    }
    // After as many as were asked for it ends.
    assert!(json.lines.recv_timeout(PATIENCE).is_err());
    drop(json);

    let text = Listener::start(&format!("--netns {} log 5 --range 0", netns.name())).unwrap();
    send(&netns, 4000, &["a"]);
    let line = text.lines.recv_timeout(PATIENCE).unwrap();
    assert_eq!(line, "ip output out lo mark 0x17 uid 0 gid 0 prefix one: ");
}

#[test]
fn logged_packets_are_kept_as_tcpdump_reads_them() {
    let Some(netns) = with_rules("logged_packets_are_kept_as_tcpdump_reads_them", LOG, &[]) else { return };
    let file = std::env::temp_dir().join(format!("ringlink-test-{}.pcap", std::process::id()));
    let file = Removed(file);
    let words = format!("--netns {} log 5 --pcap {} --count 3", netns.name(), file.0.display());
    let listener = Listener::start(&words).unwrap();
    send(&netns, 4000, &["a", "bb", "ccc"]);
    assert!(listener.lines.recv_timeout(PATIENCE).is_err(), "nothing is printed");
    let read = Command::new("tcpdump").args(["-n", "-r"]).arg(&file.0).output().unwrap();
    let (lines, said) = (String::from_utf8_lossy(&read.stdout), String::from_utf8_lossy(&read.stderr));
    assert!(read.status.success() && said.contains("link-type NFLOG"), "{said}");
    assert_eq!(lines.lines().count(), 3, "{lines}");
    for (line, length) in lines.lines().zip(1..) {
        assert!(line.contains("IP 127.0.0.1.") && line.contains("> 127.0.0.1.4000: UDP, length"), "{line}");
        assert!(line.ends_with(&format!("length {length}")), "{line}");
    }

    let refused = command(&format!("--netns {} log 5 --pcap /nonexistent/file", netns.name())).output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("/nonexistent/file: "));
}

/// A file that is gone when it is dropped.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // One that was never made is as good.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Counts what is accepted, dropped and marked.
const COUNTED: &str = "
table inet t {
    chain in {
        type filter hook input priority 300
        udp dport 4000 meta mark 0x17 counter name marked drop
        udp dport 4000 counter name accepted drop
    }
    counter accepted { }
    counter marked { }
}
";

/// How many packets these counters have seen, and forgets them.
fn counted(netns: &Netns) -> [u64; 2] {
    ["accepted", "marked"].map(|name| {
        let words = ["netns", "exec", netns.name(), "nft", "-j", "reset", "counter", "inet", "t", name];
        let output = Command::new("ip").args(words).output().unwrap();
        let told: Value = serde_json::from_slice(&output.stdout).unwrap();
        let counters = told["nftables"].as_array().unwrap();
        counters.iter().find_map(|row| row["counter"]["packets"].as_u64()).unwrap()
    })
}

#[test]
fn queued_packets_get_their_verdict() {
    const RULE: &str = "-A OUTPUT -p udp --dport 4000 -m mark ! --mark 0x18 -j NFQUEUE --queue-num 6";
    let Some(netns) = with_rules("queued_packets_get_their_verdict", COUNTED, &[RULE]) else { return };
    for (verdict, expected) in [
        ("accept", [3, 0]),
        ("drop", [0, 0]),
        ("mark=0x17", [0, 3]),
        // Its mark is what the rule does not hand over again.
        ("repeat,mark=0x18", [3, 0]),
    ] {
        let words = format!("--netns {} queue 6 --verdict {verdict} --count 3 --json", netns.name());
        let listener = Listener::start(&words).unwrap();
        send(&netns, 4000, &["a", "bb", "ccc"]);
        for (number, length) in (1..=3).zip(29..) {
            let row = listener.row(|_| true);
            assert_eq!(
                (&row["queue"], &row["id"], &row["length"]),
                (&6.into(), &number.into(), &length.into()),
                "{row}"
            );
            assert_eq!((&row["dport"], &row["hook"], &row["out"]), (&4000.into(), &"output".into(), &"lo".into()));
        }
        assert!(listener.lines.recv_timeout(PATIENCE).is_err());
        drop(listener);
        assert_eq!(counted(&netns), expected, "{verdict}");
    }
}

#[test]
fn who_cannot_have_packets_is_told_why() {
    let Some(netns) = Netns::new("who_cannot_have_packets_is_told_why") else { return };
    let _log = Listener::start(&format!("--netns {} log 5", netns.name())).unwrap();
    let _queue = Listener::start(&format!("--netns {} queue 5 --verdict accept", netns.name())).unwrap();
    for (words, what) in [("log 5", "group 5"), ("queue 5 --verdict drop", "queue 5")] {
        let refused = netns.ringlink(words);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{said}");
        assert!(said.contains(&format!("{what}: another socket has bound it, with port id ")), "{said}");
    }
    for (words, expected) in [
        ("log", "a number from 0 to 65535"),
        ("log 65536", "a number from 0 to 65535"),
        ("log 6 --count 0", "at least 1"),
        ("log 6 nosuch", "--pcap"),
        ("queue 6", "--verdict"),
        ("queue 6 --verdict maybe", "accept, drop, repeat"),
        ("queue 6 --verdict accept,drop", "accept, drop, repeat"),
    ] {
        let refused = netns.ringlink(words);
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(1) && said.contains(expected), "{words}: {said}");
    }
}
