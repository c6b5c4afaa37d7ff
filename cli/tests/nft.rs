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
