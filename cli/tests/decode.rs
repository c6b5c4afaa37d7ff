//! Captures of netlink: all of them is decoded, and what is not whole is told with its place.

mod support;

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use support::{command, ringlink};

const CAPTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/captures/nlmon.pcap");

fn lines(text: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(text).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}

/// Attributes that no table knows, and what cannot be read: their paths.
fn unknown(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| unknown(item, path, found)),
        Value::Object(members) => {
            // Items of lists have no name, and are nests.
            let nameless =
                members.contains_key("type") && !members.contains_key("name") && members.contains_key("value");
            if members.get("error").is_some_and(Value::is_string) || nameless && !members["value"].is_array() {
                found.insert(format!("{path}: {value}"));
            }
            for (key, value) in members {
                let name = members.get("name").and_then(Value::as_str).unwrap_or(key);
                unknown(value, &format!("{path}.{name}"), found);
            }
        }
        _ => {}
    }
}

#[test]
fn a_capture_is_decoded_whole() {
    let output = ringlink(&format!("--json decode {CAPTURE}"));
    assert!(output.status.success() && output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
    let messages = lines(&output.stdout);
    assert_eq!((messages.len(), &messages[91]["packet"]), (92, &Value::from(73)));
    assert_eq!(messages[0]["time"], "2026-11-24T10:24:51.023073Z");
    assert!(messages.iter().all(|message| message["direction"] == "outgoing"));
    let protocols: BTreeSet<&str> = messages.iter().filter_map(|message| message["protocol"].as_str()).collect();
    assert_eq!(
        protocols.into_iter().collect::<Vec<_>>(),
        ["NETLINK_GENERIC", "NETLINK_ROUTE", "NETLINK_SOCK_DIAG", "NETLINK_XFRM"]
    );
    let mut found = BTreeSet::new();
    for message in &messages {
        let name = message["message"].as_str().unwrap();
        assert_ne!(name, "unknown", "{message}");
        unknown(message, name, &mut found);
    }
    assert!(found.is_empty(), "{found:#?}");
    // The number of this family is told in the capture.
    assert!(messages.iter().any(|message| message["message"] == "ETHTOOL_MSG_FEATURES_GET_REPLY"));

    let text = String::from_utf8(ringlink(&format!("decode --protocol generic --pcap {CAPTURE}")).stdout).unwrap();
    let heads: Vec<&str> = text.lines().filter(|line| line.starts_with("packet ")).collect();
    assert_eq!(heads.len(), 18);
    assert_eq!(heads[0], "packet 45 2026-11-24T10:24:51.498368Z outgoing NETLINK_GENERIC, 20 bytes");
}

#[test]
fn what_is_not_whole_is_told_and_the_rest_is_decoded() {
    let whole = fs::read(CAPTURE).unwrap();
    let file = std::env::temp_dir().join(format!("ringlink-decode-{}", std::process::id()));
    let run = |bytes: &[u8]| {
        fs::write(&file, bytes).unwrap();
        let output = command(&format!("--json decode {}", file.display())).output().unwrap();
        (lines(&output.stdout), String::from_utf8(output.stderr).unwrap(), output.status.code())
    };
    // The second packet's message says it is longer than it is.
    let mut lying = whole.clone();
    let second = 24 + 16 + 48 + 16 + 16;
    lying[second] = 0xff;
    let (messages, error, code) = run(&lying);
    assert_eq!((messages.len(), code), (91, Some(1)));
    assert!(
        error.contains(&format!("warning: packet 2 at offset {second}: message says 255 bytes, 52 are there")),
        "{error}"
    );
    assert!(error.contains("ringlink: 1 of 73 packets are not whole; packet 2"), "{error}");
    // The file ends within a packet.
    let (messages, error, code) = run(&whole[..whole.len() - 10]);
    assert_eq!((messages.len(), code), (91, Some(1)));
    assert!(error.contains("packet 73 at offset 26004: 52 bytes according to its header, 42 are there"), "{error}");
    // A packet of which not all was captured.
    let mut cut = whole.clone();
    cut[24 + 12] = 49;
    assert!(run(&cut).1.contains("packet 1 at offset 56: 1 bytes of it were not captured"));
    let (messages, error, _) = run(&whole[..24]);
    assert!(messages.is_empty() && error.contains("no packet in the capture"), "{error}");
    fs::remove_file(&file).unwrap();
    let output = ringlink(&format!("decode --pcap {}/Cargo.toml", env!("CARGO_MANIFEST_DIR")));
    assert!(String::from_utf8_lossy(&output.stderr).contains("neither pcap nor pcapng"));
}

#[test]
fn numbers_of_families_are_said_or_heard() {
    // ETHTOOL_MSG_RINGS_GET with no header, of a family with number 999.
    let of = |number: u16| {
        let [low, high] = number.to_le_bytes();
        format!("14000000 {low:02x}{high:02x} 0100 00000000 00000000 0f010000")
    };
    let file = std::env::temp_dir().join(format!("ringlink-family-{}", std::process::id()));
    fs::write(&file, of(999)).unwrap();
    let run = |words: &str| command(&format!("decode -p generic {words} {}", file.display())).output().unwrap();
    let output = run("--offline --family ethtool=999");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("ETHTOOL_MSG_RINGS_GET (999)"), "{output:?}");
    assert!(output.stderr.is_empty());
    let output = run("--offline");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("unknown (999)"), "{output:?}");
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("no family is known to have number 999: --family NAME=999 says which it is"), "{error}");
    assert!(output.status.success());
    assert_eq!(run("--family nope=3").status.code(), Some(1));
    assert_eq!(run("--family ethtool").status.code(), Some(1));
    // This machine's kernel says which number is which.
    let families: Vec<Value> = serde_json::from_slice(&ringlink("--json genl list").stdout).unwrap();
    let ethtool = families.iter().find(|family| family["name"] == "ethtool").and_then(|family| family["id"].as_u64());
    fs::write(&file, of(u16::try_from(ethtool.unwrap()).unwrap())).unwrap();
    let output = run("");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("ETHTOOL_MSG_RINGS_GET ("), "{output:?}");
    fs::remove_file(&file).unwrap();
}
