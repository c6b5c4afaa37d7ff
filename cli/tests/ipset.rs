//! `ringlink ipset` against `ipset`, in private network namespaces.

mod support;

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::process::{Command, Output, Stdio};

use serde_json::json;
use support::{Netns, command, skip};

/// Options that entries of all types may have.
const WITH: &str = "timeout 2000 packets 5 bytes 6 comment \"two words\" skbmark 0x10/0xff skbprio 1:1f skbqueue 3";

/// Options that sets of all types may have.
const ALL: &str = "timeout 1000 counters comment skbinfo";

/// A set of each type: its name, what makes it, its entries.
const SETS: &[(&str, &str, &[&str])] = &[
    ("bip", "bitmap:ip range 10.0.0.0/24 netmask 28", &["10.0.0.16/28", "10.0.0.32-10.0.0.60"]),
    ("bipmac", "bitmap:ip,mac range 10.0.0.0-10.0.0.99", &["10.0.0.1,02:00:00:00:00:0a", "10.0.0.2"]),
    ("bport", "bitmap:port range 0-1000", &["80", "tcp:90-91"]),
    (
        "hip",
        "hash:ip netmask 30 hashsize 64 maxelem 1000 bucketsize 4 initval 0x1234abcd",
        &["10.0.0.5", "10.1.0.0/28"],
    ),
    ("hip6", "hash:ip family inet6", &["2001:db8::1", "::ffff:10.0.0.1", "::102:304"]),
    ("hipb", "hash:ip bitmask 255.255.0.255", &["10.1.2.3"]),
    (
        "hipport",
        "hash:ip,port",
        &[
            "10.0.0.1,80",
            "10.0.0.1,udp:53-54",
            "10.0.0.1,icmp:8/0",
            "10.0.0.1,icmp:TOS-host-redirect",
            "10.0.0.1,icmp:200/1",
            "10.0.0.1,sctp:99",
            "10.0.0.1,gre:0",
            "10.0.0.1,200:0",
        ],
    ),
    ("hipportm", "hash:ip,port netmask 24", &["10.0.0.1,80"]),
    ("hipport6", "hash:ip,port family inet6", &["2001:db8::1,icmpv6:135/0", "2001:db8::1,58:200/9"]),
    ("hipportip", "hash:ip,port,ip", &["10.0.0.1-10.0.0.2,udplite:1-2,10.0.0.9"]),
    ("hipportnet", "hash:ip,port,net", &["10.0.0.1,tcp:1,10.9.0.0/16 nomatch", "10.0.0.1,1,10.0.0.0-10.0.0.10"]),
    ("hipmark", "hash:ip,mark markmask 0xff", &["10.0.0.1,0x63", "10.0.0.1,7"]),
    ("hipmac", "hash:ip,mac", &["10.0.0.1,02:00:00:00:00:0a"]),
    ("hmac", "hash:mac", &["02:00:00:00:00:0a"]),
    ("hnet", "hash:net", &["10.9.0.0/16 nomatch", "10.10.0.0-10.10.0.10", "10.1.2.3"]),
    ("hnet6", "hash:net family inet6", &["2001:db8::/32"]),
    ("hnetiface", "hash:net,iface", &["10.9.0.0/16,eth0 nomatch", "10.9.0.0/16,physdev:eth1 wildcard"]),
    ("hnetnet", "hash:net,net", &["10.9.1.0/24,10.8.0.0/16 nomatch", "10.0.0.0-10.0.0.2,10.1.0.0-10.1.0.1"]),
    ("hnetnetm", "hash:net,net netmask 24", &["10.9.1.0/24,10.8.0.0/16 nomatch"]),
    ("hnetport", "hash:net,port", &["10.9.0.0/16,tcp:80"]),
    ("hnetportnet", "hash:net,port,net", &["10.9.0.0/16,tcp:80,10.8.0.0/16"]),
    ("lset", "list:set size 9", &["bip", "bport before bip", "hip after bip"]),
];

/// A namespace, where there are ipset(8) and a kernel that knows it.
fn namespace(test: &str) -> Option<Netns> {
    if let Err(error) = Command::new("ipset").arg("--version").output() {
        return skip(test, &format!("ipset: {error}"));
    }
    let netns = Netns::new(test)?;
    let listed = ipset(&netns, "list");
    if !listed.status.success() {
        println!("absent: {test}: {}", String::from_utf8_lossy(&listed.stderr).trim());
        return None;
    }
    Some(netns)
}

/// Runs `ipset` in a namespace.
fn ipset(netns: &Netns, line: &str) -> Output {
    let words = support::words(line);
    Command::new("ip").args(["netns", "exec", netns.name(), "ipset"]).args(words).output().unwrap()
}

/// Runs it, which must succeed, and gives what it prints, but for what it does not print (`forceadd`, see
/// `differences.md`).
fn theirs(netns: &Netns, line: &str) -> String {
    let output = ipset(netns, line);
    assert!(output.status.success(), "ipset {line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Runs a program with this text for standard input.
fn fed(command: &mut Command, text: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

/// Runs `ringlink ipset` with this text for standard input; exit code and what it says.
fn told(netns: &Netns, line: &str, text: &str) -> (Option<i32>, String) {
    let output = fed(&mut command(&format!("--netns {} ipset {line}", netns.name())), text);
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

/// What was printed, with the seconds that pass between two lists taken out.
fn timeless(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        // Of a set's own timeout, nothing passes.
        let line = match line.split_once(" timeout 19") {
            Some((before, behind)) => {
                format!("{before} timeout 2000{}", behind.trim_start_matches(|digit: char| digit.is_ascii_digit()))
            }
            None => line.to_owned(),
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

/// The lines of a text in order, for what a hash holds is in none.
fn in_order(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = timeless(text).lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// The same without where hashes start, which is chance, and without the memory that they take, which hangs on it.
fn chanceless(text: &str) -> Vec<String> {
    let kept = timeless(text)
        .lines()
        .filter(|line| !line.starts_with("Size in memory"))
        .map(|line| match line.split_once(" initval 0x") {
            Some((before, behind)) => format!("{before}{}\n", behind.get(8..).unwrap_or_default()),
            None => format!("{line}\n"),
        })
        .collect::<String>();
    in_order(&kept)
}

/// Compares lines one by one.
fn same(ours: &[String], theirs: &[String], when: &str) {
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(ours, theirs, "{when}");
    }
    assert_eq!(ours.len(), theirs.len(), "{when}");
}

/// The commands that make a set of each type that the kernel has, with and without options.
fn commands(netns: &Netns) -> Vec<String> {
    let mut lines = Vec::new();
    let mut absent = std::collections::BTreeSet::new();
    for (name, how, entries) in SETS {
        let kind = how.split(' ').next().unwrap();
        // Others have the sets in lists.
        for (suffix, options, with) in [("", "", ""), ("-all", ALL, WITH)] {
            let create = format!("create {name}{suffix} {how} {options}");
            let made = ipset(netns, &create);
            if !made.status.success() {
                let error = String::from_utf8_lossy(&made.stderr);
                // Or an option that came with a later revision.
                let old = error.contains("starting from the revision");
                assert!(old || error.contains("not supported"), "{create}: {error}");
                let (code, text) = told(netns, &create, "");
                assert!(
                    code == Some(2) && text.contains(if old { "since revision" } else { "no sets of type" }),
                    "{text}"
                );
                absent.insert(if old { *how } else { kind });
                continue;
            }
            theirs(netns, &format!("destroy {name}{suffix}"));
            lines.push(create.trim_end().to_owned());
            lines
                .extend(entries.iter().map(|entry| format!("add {name}{suffix} {entry} {with}").trim_end().to_owned()));
        }
    }
    absent.iter().for_each(|kind| println!("absent: sets {kind}"));
    lines
}

/// Compares what both print of all sets.
fn compare(netns: &Netns, when: &str) {
    for words in ["list", "list -terse", "list -name", "save", "list -output save"] {
        let (theirs, ours) = (theirs(netns, words), netns.change(&format!("ipset {words}")));
        assert!(!theirs.is_empty());
        let lines = |text: &str| timeless(text).lines().map(str::to_owned).collect::<Vec<_>>();
        same(&lines(&ours), &lines(&theirs), &format!("{when}: {words}"));
    }
}

#[test]
fn sets_of_each_type_are_shown_as_ipset_shows_them() {
    let Some(netns) = namespace("sets_of_each_type_are_shown_as_ipset_shows_them") else { return };
    assert_eq!(netns.change("ipset list"), "");
    assert_eq!(netns.rows("ipset list"), [] as [serde_json::Value; 0]);
    let lines = commands(&netns);
    for line in &lines {
        theirs(&netns, line);
    }
    compare(&netns, "made by ipset");
    for name in SETS
        .iter()
        .map(|(name, ..)| name)
        .filter(|name| lines.iter().any(|line| line.starts_with(&format!("create {name} "))))
    {
        let words = format!("list {name}-all");
        assert_eq!(timeless(&netns.change(&format!("ipset {words}"))), timeless(&theirs(&netns, &words)));
        let words = format!("save {name}");
        assert_eq!(netns.change(&format!("ipset {words}")), theirs(&netns, &words));
    }
}

#[test]
fn sets_of_each_type_are_made_as_ipset_makes_them() {
    let Some(one) = namespace("sets_of_each_type_are_made_as_ipset_makes_them") else { return };
    let Some(two) = Netns::new("sets_of_each_type_are_made_as_ipset_makes_them") else { return };
    let lines = commands(&one);
    for line in &lines {
        theirs(&one, line);
        two.change(&format!("ipset {line}"));
    }
    for words in ["save", "list"] {
        same(&chanceless(&theirs(&two, words)), &chanceless(&theirs(&one, words)), words);
    }
    compare(&two, "made by ringlink");

    // What `save` prints makes the same again, read by either.
    let saved = two.change("ipset save");
    for list in ["lset", "lset-all"].iter().filter(|list| saved.contains(&format!("create {list} "))) {
        two.change(&format!("ipset destroy {list}"));
    }
    two.change("ipset destroy");
    assert_eq!(theirs(&two, "list -name"), "");
    assert_eq!(told(&two, "restore", &saved), (Some(0), String::new()));
    same(&in_order(&theirs(&two, "save")), &in_order(&saved), "restored by ringlink");
    let Some(three) = Netns::new("sets_of_each_type_are_made_as_ipset_makes_them") else { return };
    let restored = fed(Command::new("ip").args(["netns", "exec", three.name(), "ipset", "restore"]), &saved);
    assert!(restored.status.success(), "{}", String::from_utf8_lossy(&restored.stderr));
    same(&in_order(&three.change("ipset save")), &in_order(&saved), "restored by ipset");

    // And entries go as they came. One without a hardware address has a timeout that does not run yet, and the kernel
    // takes it for past.
    two.change("ipset flush bipmac-all");
    let entries = lines.iter().rev().filter_map(|line| line.strip_prefix("add "));
    for line in entries.filter(|line| !line.starts_with("bipmac-all ")) {
        let (set, entry) = line.split_once(' ').unwrap();
        let entry = entry.split(" before ").next().unwrap().split(" after ").next().unwrap();
        let entry = entry.split(" timeout ").next().unwrap().replace(" wildcard", "");
        two.change(&format!("ipset del {set} {entry}"));
    }
    assert!(!theirs(&two, "save").contains("add "), "{}", theirs(&two, "save"));
}

#[test]
fn entries_are_tested() {
    let Some(netns) = namespace("entries_are_tested") else { return };
    for line in [
        "create n hash:net",
        "add n 10.0.0.0/8",
        "add n 10.9.0.0/16 nomatch",
        "create p hash:ip,port",
        "add p 10.0.0.1,udp:53",
    ] {
        theirs(&netns, line);
    }
    for line in [
        "test n 10.1.2.3",
        "test n 10.9.0.1",
        "test n 10.9.0.1 nomatch",
        "test n 11.0.0.0/8",
        "test n 10.0.0.0/8",
        "test p 10.0.0.1,53",
        "test p 10.0.0.1,udp:53",
    ] {
        let (theirs, ours) = (ipset(&netns, line), netns.ringlink(&format!("ipset {line}")));
        assert_eq!(ours.status.code(), theirs.status.code(), "{line}");
        let text = |output: &Output| {
            let both = [output.stdout.as_slice(), output.stderr.as_slice()].concat();
            String::from_utf8(both).unwrap().replace("Warning: ", "").replace("ringlink: ", "")
        };
        assert_eq!(text(&ours), text(&theirs), "{line}");
    }
    let row = json!({ "set": "p", "elem": "10.0.0.1,udp:53", "found": true });
    assert_eq!(netns.rows("ipset test p 10.0.0.1,udp:53"), [row]);
    assert_eq!(netns.change("ipset test p 10.0.0.1,udp:53 -quiet"), "");
}

#[test]
fn json_has_what_the_text_has() {
    let Some(netns) = namespace("json_has_what_the_text_has") else { return };
    netns.change("ipset create h hash:ip family inet6 timeout 0 counters comment skbinfo forceadd initval 0x5");
    netns.change("ipset add h 2001:db8::1 packets 1 bytes 2 comment \"a b\" skbmark 0x3 skbprio a:b skbqueue 4");
    let mut rows = netns.rows("ipset list h");
    rows[0]["header"]["memsize"].take();
    assert_eq!(
        rows,
        [json!({
            "name": "h",
            "type": "hash:ip",
            "revision": rows[0]["revision"],
            "header": {
                "family": "inet6", "hashsize": 1024, "maxelem": 65536, "timeout": 0, "counters": true, "comment": true,
                "forceadd": true, "skbinfo": true, "bucketsize": 12, "initval": "0x00000005", "memsize": null,
                "references": 0, "numentries": 1
            },
            "members": [{
                "elem": "2001:db8::1", "timeout": 0, "packets": 1, "bytes": 2, "comment": "a b", "skbmark": "0x3",
                "skbprio": "a:b", "skbqueue": 4
            }]
        })]
    );
    assert_eq!(netns.rows("ipset list -name"), [json!({ "name": "h" })]);
    assert_eq!(netns.rows("ipset list -terse")[0].get("members"), None);
    // The kernel tells of it, and ipset(8) does not: see `differences.md`.
    assert!(netns.change("ipset save").contains(" forceadd "));
}

#[test]
fn whole_sets_are_changed() {
    let Some(netns) = namespace("whole_sets_are_changed") else { return };
    for line in [
        "create a hash:ip",
        "create b hash:ip",
        "add a 1.1.1.1",
        "swap a b",
        "rename b c",
        "-exist create a hash:ip",
        "add c 2.2.2.2",
    ] {
        netns.change(&format!("ipset {line}"));
    }
    let members = |set: &str| -> Vec<String> {
        theirs(&netns, &format!("list {set}"))
            .lines()
            .skip_while(|line| *line != "Members:")
            .skip(1)
            .map(str::to_owned)
            .collect()
    };
    let mut held = members("c");
    held.sort();
    assert_eq!((members("a"), held), (vec![], vec!["1.1.1.1".to_owned(), "2.2.2.2".to_owned()]));
    assert!(netns.change("ipset list -sorted c").ends_with("Members:\n1.1.1.1\n2.2.2.2\n"));
    netns.change("ipset flush c");
    assert_eq!(members("c"), [] as [String; 0]);
    netns.change("ipset x a");
    assert_eq!(netns.change("ipset list -n"), "c\n");
    netns.change("ipset destroy");
    assert_eq!(theirs(&netns, "list"), "");
}

#[test]
fn what_is_refused_is_named() {
    let Some(netns) = namespace("what_is_refused_is_named") else { return };
    for line in [
        "create h hash:ip",
        "create n hash:net",
        "create b bitmap:ip range 10.0.0.0/24",
        "create l list:set size 2",
        "create m hash:ip maxelem 1",
        "add h 10.0.0.1",
        "add l h",
        "add m 10.0.0.1",
    ] {
        theirs(&netns, line);
    }
    for (line, code, says) in [
        ("add h 10.0.0.1", 2, "(IPSET_ERR_EXIST): `10.0.0.1`: it is in the set already"),
        ("del h 10.0.0.9", 2, "(IPSET_ERR_EXIST): `10.0.0.9`: it is not in the set"),
        ("add h 0.0.0.0", 2, "(IPSET_ERR_HASH_ELEM): `0.0.0.0`: zero cannot be an entry"),
        ("add m 10.0.0.2", 2, "(IPSET_ERR_HASH_FULL): `10.0.0.2`: the set is full (`maxelem`)"),
        ("add b 10.0.1.0", 2, "(IPSET_ERR_BITMAP_RANGE): `10.0.1.0`: it is out of the set's range"),
        ("add l l", 2, "(IPSET_ERR_LOOP): `l`: a list of sets cannot be in a list of sets"),
        ("add l nix", 2, "(IPSET_ERR_NAME): `nix`: there is no set of this name"),
        ("add h 10.0.0.2 timeout 5", 2, "(IPSET_ERR_TIMEOUT): `10.0.0.2`: the set was created without `timeout`"),
        ("add h 10.0.0.2 comment x", 2, "(IPSET_ERR_COMMENT)"),
        ("add h 10.0.0.2 packets 5", 2, "(IPSET_ERR_COUNTER)"),
        ("add h 10.0.0.2 skbqueue 5", 2, "(IPSET_ERR_SKBINFO)"),
        ("add nix 10.0.0.1", 2, "(ENOENT): there is no set `nix`"),
        ("list nix", 2, "(ENOENT): there is no set `nix`"),
        ("destroy h", 2, "(IPSET_ERR_BUSY): `h`: a rule or another set refers to it"),
        ("create h hash:ip", 2, "(EEXIST): there is a set `h` already"),
        ("rename m n", 2, "(IPSET_ERR_EXIST_SETNAME2): there is a set `n` already"),
        ("swap m nix", 2, "(IPSET_ERR_EXIST_SETNAME2): there is no set `nix`"),
        ("swap n b", 2, "(IPSET_ERR_TYPE_MISMATCH): `n` and `b` are of different types"),
        ("create x bitmap:ip range 10.0.0.0/8", 2, "(IPSET_ERR_BITMAP_RANGE_SIZE)"),
        ("create x hash:ip netmask 33", 2, "(IPSET_ERR_INVALID_NETMASK)"),
        ("create x hash:ipp", 1, "`hash:ipp`: there is no such type of sets, perhaps `hash:ip` is meant"),
        ("create x bitmap:ip", 1, "expected range FROM-TO"),
        ("create x hash:ip size 5", 1, "`size`: sets of type hash:ip have no such option"),
        ("create x list:set -6", 1, "no IPv6 addresses"),
        ("create x bitmap:ip range 10.0.0.0/24 family inet6", 1, "no IPv6 addresses"),
        ("add h 10.0.0.300", 1, "`10.0.0.300`: expected an IPv4 address"),
        ("add n 10.0.0.0/33", 1, "expected a prefix length from 0 to 32"),
        ("add h 10.0.0.1,80", 1, "an entry of hash:ip has 1 part (an address), 2 found"),
        ("add h", 1, "the line ends after `h`: expected an entry"),
        ("add h 10.0.0.2 nomatch", 1, "`nomatch`: entries of hash:ip have no such option"),
        ("add h 10.0.0.2 timeout 2147484", 1, "expected seconds, from 0 to 2147483"),
        ("list -output xml", 1, "`xml` after `-output`: expected plain or save"),
        ("nix", 1, "`nix`: expected list, save, create"),
        ("list h n", 1, "expected nothing more"),
        ("add a-name-that-is-longer-than-31-bytes 10.0.0.1", 1, "a set's name, of at most 31 bytes"),
    ] {
        let (found, text) = told(&netns, line, "");
        assert!(found == Some(code) && text.contains(says), "{line}: {found:?} {text}");
    }
    // What is there, or not there, is as good with -exist.
    for line in ["-exist add h 10.0.0.1", "add h 10.0.0.1 -exist", "del h 10.0.0.9 -!", "destroy nix -exist"] {
        netns.change(&format!("ipset {line}"));
    }
}

#[test]
fn types_that_the_kernel_lacks_are_named() {
    let Some(netns) = namespace("types_that_the_kernel_lacks_are_named") else { return };
    let kinds = ["hash:mac", "hash:ip,mark", "hash:net,net", "hash:net,port,net", "hash:ip,mac"];
    let lacks = |kind: &&str| {
        !ipset(&netns, &format!("create x {kind}")).status.success() || !ipset(&netns, "destroy x").status.success()
    };
    let Some(kind) = kinds.into_iter().find(lacks) else {
        println!("absent: a type of sets that this kernel lacks");
        return;
    };
    let (code, text) = told(&netns, &format!("create x {kind}"), "");
    let module = kind.replace(':', "_").replace(',', "");
    assert_eq!(code, Some(2));
    let says =
        format!("no sets of type {kind}: its module ip_set_{module} is not loaded, or was not built; there are ");
    assert!(text.contains(&says), "{text}");
}

#[test]
fn without_rights_nothing_is_told() {
    let Some(netns) = namespace("without_rights_nothing_is_told") else { return };
    let mut unprivileged = Command::new("ip");
    unprivileged.args(["netns", "exec", netns.name(), "setpriv", "--reuid=65534", "--clear-groups", "--inh-caps=-all"]);
    unprivileged.args([env!("CARGO_BIN_EXE_ringlink"), "ipset", "list"]).stdin(Stdio::null());
    let output = unprivileged.output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    if text.contains("failed to execute") || text.contains("Permission denied") {
        println!("absent: without_rights_nothing_is_told: {text}");
        return;
    }
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(text.contains("(EPERM)") && text.contains("CAP_NET_ADMIN"), "{text}");
}

#[test]
fn of_many_entries_the_one_at_fault_is_named() {
    let Some(netns) = namespace("of_many_entries_the_one_at_fault_is_named") else { return };
    netns.change("ipset create h hash:ip");
    netns.change("ipset create n hash:net");
    let addresses = |count: u32| (1..=count).map(|at| Ipv4Addr::from(0x0a00_0000 + at).to_string());
    // The kernel refuses the 137th.
    let twice: Vec<String> = addresses(136).chain(["10.0.0.7".to_owned()]).chain(addresses(300).skip(136)).collect();
    let (code, text) = told(&netns, "add h -", &twice.join("\n"));
    assert_eq!(code, Some(2));
    assert!(text.contains("(IPSET_ERR_EXIST): element 137 (`10.0.0.7`): it is in the set already"), "{text}");
    // Those before it are in, those behind it are not.
    assert_eq!(theirs(&netns, "list h").lines().filter(|line| line.starts_with("10.")).count(), 136);
    // The program refuses the 3rd; what stands before is carried out.
    let (code, text) = told(&netns, "add n -", "10.0.0.0/8\n# a remark\n\n10.1.0.0/16 nomatch\n10.0.0.0/33\n");
    assert_eq!(
        (code, text.as_str()),
        (Some(1), "ringlink: element 3: `10.0.0.0/33`: expected a prefix length from 0 to 32 behind the slash\n")
    );
    assert_eq!(theirs(&netns, "list n").lines().filter(|line| line.starts_with("10.")).count(), 2);
    // Far behind, in another message than the first.
    let many: Vec<String> = addresses(5000).chain(["10.0.0.1".to_owned()]).collect();
    let (code, text) = told(&netns, "-exist add h -", &many.join("\n"));
    assert_eq!((code, text.as_str()), (Some(0), ""));
    netns.change("ipset flush h");
    let (_, text) = told(&netns, "add h -", &many.join("\n"));
    assert!(text.contains("element 5001 (`10.0.0.1`)"), "{text}");
    let (code, _) = told(&netns, "del h -", &addresses(5000).collect::<Vec<_>>().join("\n"));
    assert_eq!(
        (code, theirs(&netns, "list h").lines().last().map(str::to_owned)),
        (Some(0), Some("Members:".to_owned()))
    );

    // In a file, lines have numbers.
    for (file, code, says) in [
        (
            "create r hash:ip\nadd r 1.1.1.1\nadd r 2.2.2.2\nadd r 1.1.1.1\n",
            2,
            "line 4 (`1.1.1.1`): it is in the set already",
        ),
        ("create s hash:ip\nadd s 1.1.1.1\nadd s 2.2.2.x\n", 1, "line 3: `2.2.2.x`: expected an IPv4 address"),
        ("add s 3.3.3.3\n\nadd t 1.1.1.1\n", 2, "line 3: IPSET_CMD_HEADER refused (ENOENT): there is no set `t`"),
        ("flush s\nfrobnicate s\n", 1, "line 2: `frobnicate`: expected list, save, create"),
        ("flush s\nlist s\n", 1, "line 2: `list`: expected a command that changes something"),
        ("add s 4.4.4.4 comment \"open\nadd s 5.5.5.5", 1, "line 1: a quotation mark is open"),
        ("create h hash:ip\n", 2, "line 1: IPSET_CMD_CREATE refused (EEXIST)"),
    ] {
        let (found, text) = told(&netns, "restore", file);
        assert!(found == Some(code) && text.contains(says), "{file}: {found:?} {text}");
    }
    assert_eq!(told(&netns, "restore -file /nix", "").0, Some(1));
    // All commands that change something, and `-exist` of a line and of the whole.
    let file = "create u hash:ip comment\nadd u 1.1.1.1 comment \"one two\"\nadd -exist u 1.1.1.1\ndel u 1.1.1.1\n\
                add u 9.9.9.9\ncreate v hash:ip comment\nswap u v\nrename v w\ndestroy u\nCOMMIT\n";
    assert_eq!(told(&netns, "restore", file), (Some(0), String::new()));
    assert!(theirs(&netns, "save w").contains("add w 9.9.9.9"));
    assert_eq!(told(&netns, "restore -exist", "create w hash:ip comment\nadd w 9.9.9.9\n"), (Some(0), String::new()));
}

#[test]
fn a_large_set_is_restored_with_less_work_than_by_ipset() {
    const COUNT: u32 = 65_536;
    const ROUNDS: u32 = 5;
    let Some(netns) = namespace("a_large_set_is_restored_with_less_work_than_by_ipset") else { return };
    let mut file = String::from("create big hash:ip family inet hashsize 1024 maxelem 65536\n");
    for at in 0..COUNT {
        writeln!(file, "add big {}", Ipv4Addr::from(0x0a00_0001 + 7 * at)).unwrap();
    }
    // Wall time and processor time, in milliseconds. bash tells both of what it runs.
    let timed = |program: &str| -> Option<[f64; 2]> {
        let line = format!("TIMEFORMAT='%R %U %S'; time {program} restore");
        let output = fed(Command::new("ip").args(["netns", "exec", netns.name(), "bash", "-c", &line]), &file);
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        let listed = theirs(&netns, "list -terse");
        assert!(listed.contains(&format!("Number of entries: {COUNT}\n")), "{listed}");
        // What does not fit one message is listed whole.
        assert_eq!(netns.change("ipset save").lines().count(), 65_537);
        theirs(&netns, "destroy");
        let [wall, user, system] =
            text.split_whitespace().map(|word| word.parse().ok()).collect::<Option<Vec<f64>>>()?.try_into().ok()?;
        Some([wall * 1000.0, (user + system) * 1000.0])
    };
    let mut sums = [[0.0; 2]; 2];
    for _ in 0..ROUNDS {
        for (sum, program) in sums.iter_mut().zip([concat!(env!("CARGO_BIN_EXE_ringlink"), " ipset"), "ipset"]) {
            let times = timed(program).expect("bash tells three times");
            sum.iter_mut().zip(times).for_each(|(sum, time)| *sum += time / f64::from(ROUNDS));
        }
    }
    let [ours, theirs] = sums;
    println!(
        "{COUNT} entries, mean of {ROUNDS}: ringlink {:.0} ms ({:.0} of the processor), ipset {:.0} ms ({:.0})",
        ours[0], ours[1], theirs[0], theirs[1]
    );
    // Most of the wall time the kernel waits while it makes the hash larger; on a busy machine that says nothing of programs.
    assert!(ours[1] < theirs[1], "ringlink {ours:?}, ipset {theirs:?}");
}
