//! What `doctor` finds, against what is known of this machine, and without rights.

mod support;

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Netns, command, ringlink, skip};

/// States by area and name.
fn findings(text: &[u8]) -> BTreeMap<(String, String), Value> {
    let text = std::str::from_utf8(text).unwrap();
    let rows =
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap_or_else(|error| panic!("{error}: {line}")));
    rows.map(|row| ((row["area"].as_str().unwrap().to_owned(), row["name"].as_str().unwrap().to_owned()), row))
        .collect()
}

fn state<'f>(findings: &'f BTreeMap<(String, String), Value>, area: &str, name: &str) -> &'f str {
    let finding = findings.get(&(area.to_owned(), name.to_owned()));
    finding.unwrap_or_else(|| panic!("no {area} {name} in {findings:#?}"))["state"].as_str().unwrap()
}

#[test]
fn what_is_there_is_found() {
    let output = ringlink("--json doctor");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    let found = findings(&output.stdout);
    for name in ["ROUTE (0)", "SOCK_DIAG (4)", "KOBJECT_UEVENT (15)", "GENERIC (16)"] {
        assert_eq!(state(&found, "protocols", name), "found");
    }
    for (name, successor) in [("FIREWALL (3)", "nfqueue"), ("NFLOG (5)", "nflog"), ("IP6_FW (13)", "nfqueue")] {
        assert_eq!(state(&found, "protocols", name), "missing");
        let cost = &found[&("protocols".to_owned(), name.to_owned())]["cost"];
        assert!(cost.as_str().unwrap().contains(successor), "{cost}");
    }
    assert_eq!(state(&found, "generic families", "nlctrl"), "found");
    for name in ["inet", "tcp"] {
        assert_eq!(state(&found, "sock_diag", name), "found");
    }
    assert_eq!(state(&found, "limits", "NETLINK_EXT_ACK"), "found");
    for row in found.values() {
        // What is not there has its cost, and all but what left the kernel or cannot be known has advice.
        let there = row["state"] == "found";
        assert_eq!(row.get("cost").is_some_and(|cost| !cost.as_str().unwrap().is_empty()), !there, "{row}");
    }
    // The families are those that the kernel tells of.
    let families: Vec<Value> = serde_json::from_slice(&ringlink("--json genl list").stdout).unwrap();
    for family in families {
        assert_eq!(state(&found, "generic families", family["name"].as_str().unwrap()), "found");
    }
}

#[test]
fn kinds_of_sockets_are_those_that_ss_tells() {
    let found = findings(&ringlink("--json doctor").stdout);
    for (option, name) in
        [("-x", "unix"), ("-0", "packet"), ("-t", "tcp"), ("-u", "udp"), ("-w", "raw"), ("-M", "mptcp")]
    {
        let Ok(output) = Command::new("ss").args(["-Hna", option]).stdin(Stdio::null()).output() else {
            return skip::<()>("kinds_of_sockets_are_those_that_ss_tells", "no ss").unwrap_or_default();
        };
        // Where the kernel does not tell, ss reads files; it fails for none of these.
        assert!(output.status.success());
        let told = String::from_utf8_lossy(&output.stdout).lines().count() > 0;
        println!("{name}: {} ({told})", state(&found, "sock_diag", name));
    }
}

#[test]
fn a_namespace_of_its_own_is_asked() {
    let Some(netns) = Netns::with_interfaces("a_namespace_of_its_own_is_asked") else { return };
    let output = netns.ringlink("--json doctor");
    assert!(output.status.success(), "{output:?}");
    let found = findings(&output.stdout);
    // With rights, each part of netfilter says whether it is there, but for those that are not asked.
    for ((area, name), row) in &found {
        if area == "netfilter" && !["OSF", "NFT_COMPAT"].contains(&name.as_str()) {
            assert_ne!(row["state"], "unknown", "{row}");
        }
    }
    let nft = Command::new("ip").args(["netns", "exec", netns.name(), "nft", "list", "tables"]).output();
    if let Ok(nft) = nft.map(|output| output.status.success())
        && nft
    {
        assert_eq!(state(&found, "netfilter", "NFTABLES"), "found");
    }
    assert_eq!(state(&found, "rights", "CAP_NET_ADMIN"), "found");
}

#[test]
fn it_is_quick_and_needs_no_rights() {
    let mut quickest = Duration::MAX;
    for _ in 0..3 {
        let start = Instant::now();
        assert!(ringlink("doctor").status.success());
        quickest = quickest.min(start.elapsed());
    }
    println!("{quickest:?}");
    // A guest's processor is emulated.
    let most = if std::env::var_os("RINGLINK_GUEST").is_some() { 60 } else { 1 };
    assert!(quickest < Duration::from_millis(200) * most, "{quickest:?}");

    let program = command("").get_program().to_owned();
    let mut unprivileged = Command::new("setpriv");
    unprivileged.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all"]);
    let Ok(output) = unprivileged.arg(program).args(["--json", "doctor"]).output() else {
        return skip::<()>("it_is_quick_and_needs_no_rights", "no setpriv").unwrap_or_default();
    };
    if output.status.code() == Some(127) || output.status.code() == Some(126) {
        // The program is in a folder that others may not enter.
        println!("absent: rights to run {}", String::from_utf8_lossy(&output.stderr));
        return;
    }
    assert!(output.status.success(), "{output:?}");
    let found = findings(&output.stdout);
    assert_eq!(state(&found, "rights", "CAP_NET_ADMIN"), "missing");
    assert_eq!(state(&found, "protocols", "ROUTE (0)"), "found");
    assert_eq!(state(&found, "netfilter", "NFTABLES"), "unknown");
    assert_eq!(state(&found, "limits", "NETLINK_GET_STRICT_CHK"), "found");
}

#[test]
fn text_says_what_to_do() {
    let output = ringlink("doctor");
    let text = String::from_utf8(output.stdout).unwrap();
    for area in
        ["kernel\n", "protocols\n", "generic families\n", "netfilter\n", "sock_diag\n", "io_uring\n", "rights\n"]
    {
        assert!(text.contains(area), "{area} in {text}");
    }
    assert!(text.contains("  missing  FIREWALL (3): packets for programs, by iptables\n"), "{text}");
    assert!(text.contains("engine `auto` ("), "{text}");
    assert!(String::from_utf8(ringlink("doctor --all").stdout).unwrap().contains("  found    ROUTE (0): interfaces"));
    assert_eq!(ringlink("doctor nope").status.code(), Some(1));
}
