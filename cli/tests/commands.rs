//! What the program changes, as `ip` sees it; what it says when it cannot; what it decodes.

mod support;

#[cfg(target_endian = "little")]
use std::io::Write;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use support::{Netns, command, ringlink, skip};

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

#[test]
fn what_ringlink_makes_is_what_ip_would_make() {
    // Each line is given to both programs, in a namespace each; what `ip` then sees must be the same.
    const LINES: &[&str] = &[
        "addr add 10.0.0.1/24 dev v0",
        "addr add 10.0.1.1/24 broadcast + dev v1 label v1:a",
        "addr add 10.0.9.1 peer 10.0.9.2/32 dev v0",
        "addr add 127.1.0.1/16 dev lo",
        "addr add 2001:db8::1/64 dev v0 nodad",
        "addr add 2001:db8:1::1/64 dev v1 nodad noprefixroute metric 50",
        "addr add 10.0.3.1/24 dev v1 valid_lft 100000 preferred_lft forever",
        "route add 10.1.0.0/16 via 10.0.0.2",
        "route add 10.1.0.0/16 via 10.0.0.3 metric 100 table 7 proto static",
        "route add 10.2.0.0/16 nexthop via 10.0.0.2 dev v0 weight 3 nexthop via 10.0.1.2 dev v1 weight 1",
        "route add blackhole 10.3.0.0/16",
        "route add unreachable 10.4.0.0/16 metric 5",
        "route add prohibit 10.5.0.0/16 table 100000",
        "route add 10.7.0.0/16 via 10.0.0.2 mtu lock 1400 advmss 1300 rtt 30ms rto_min 5ms features ecn congctl cubic",
        "route add 10.8.0.0/16 dev v0",
        "route add 10.9.0.0/16 via 10.0.0.2 src 10.0.0.1 tos 0x10 realm 3/4",
        "route add 10.10.0.0/16 via inet6 2001:db8::9 dev v0",
        "route add 10.11.0.0/16 via 99.9.9.9 dev v0 onlink",
        "route add local 10.12.0.0/16 dev lo",
        "route add broadcast 10.13.0.0/16 dev v0",
        "route add multicast 224.5.0.0/16 dev v0",
        "route add default via 10.0.0.254",
        "route append 10.1.0.0/16 via 10.0.0.4 tos 0x8",
        "route replace 10.1.0.0/16 via 10.0.0.5",
        "route change 10.1.0.0/16 via 10.0.0.6",
        "route add 10/8 dev v0",
        "route add 10.20.0.0/16 encap ip id 7 src 1.2.3.4 dst 5.6.7.8 ttl 9 tos 0x10 via 10.0.0.2 dev v0",
        "route add 10.21.0.0/16 encap ip6 id 7 dst 2001:db8::9 hoplimit 3 dev v0",
        "route add 10.22.0.0/16 encap mpls 100/200 via 10.0.0.2",
        "-6 route add 2001:db8:10::/64 via 2001:db8::2 dev v0 metric 100 pref high",
        "-6 route add 2001:db8:11::/64 nexthop via 2001:db8::2 dev v0 weight 2 nexthop via 2001:db8::3 dev v0",
        "-6 route add 2001:db8:12::/64 encap seg6 mode encap segs 2001:db8::5,2001:db8::6 dev v0",
        "-6 route add 2001:db8:13::/64 encap seg6 mode inline segs 2001:db8::5 dev v0",
        "-6 route add 2001:db8:14::/128 encap seg6local action End.DX4 nh4 10.0.0.2 dev v0",
        "-6 route add 2001:db8:15::/128 encap seg6local action End.B6.Encaps srh segs 2001:db8::5,2001:db8::6 dev v0",
        "-6 route add 2001:db8:16::/64 via 2001:db8::2 expires 100000",
        "-6 route add unreachable default metric 9999",
        "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev v0",
        "neigh add 10.0.0.3 lladdr 02:00:00:00:00:03 dev v0 nud stale router",
        "neigh add proxy 10.0.0.99 dev v0",
        "neigh replace 10.0.0.2 lladdr 02:00:00:00:00:12 dev v0 nud permanent",
        "neigh add 2001:db8::2 lladdr 02:00:00:00:00:02 dev v0 nud permanent",
        "neigh del 10.0.0.3 dev v0",
        "rule add from 10.0.0.0/8 lookup 7 pref 100",
        "rule add not from 10.0.0.1 to 10.9.0.0/16 tos 0x10 fwmark 0x5/0xff iif v0 oif v1 lookup 100 pref 102",
        "rule add blackhole pref 104 from 10.66.0.0/16",
        "rule add goto 32766 pref 107",
        "rule add uidrange 1000-2000 ipproto tcp sport 80 dport 1000-2000 table 100000 pref 110",
        "rule add pref 111 l3mdev",
        "rule add pref 112 suppress_prefixlength 8 suppress_ifgroup 3 protocol static",
        "-6 rule add from 2001:db8::/32 lookup 7 pref 100",
        "rule del pref 104",
        "rule del from 10.0.0.0/8 lookup 7",
        "route del 10.8.0.0/16",
        "route del 10.1.0.0/16 table 7",
        "route del blackhole 10.3.0.0/16",
        "addr del 10.0.9.1 peer 10.0.9.2/32 dev v0",
    ];
    const TEST: &str = "what_ringlink_makes_is_what_ip_would_make";
    let (Some(ours), Some(theirs)) = (Netns::with_interfaces(TEST), Netns::with_interfaces(TEST)) else {
        return;
    };
    let mut refused = 0;
    for line in LINES {
        let made = theirs.try_ip(line).is_ok();
        let output = ours.ringlink(line);
        assert_eq!(output.status.success(), made, "{line}: {}", text(&output.stderr));
        refused += usize::from(!made);
    }
    // MPLS is a module that not every machine has.
    assert!(refused <= 2, "{refused} of {} lines were refused", LINES.len());
    for words in [
        "-4 route show table all",
        "-6 route show table all",
        "neigh show nud all",
        "neigh show proxy",
        "-4 rule",
        "-6 rule",
        "-4 -o addr",
        "-6 -o addr",
    ] {
        let plain = |netns: &Netns| -> Vec<String> {
            let text = netns.ip(words);
            // Addresses of the interfaces differ, and so do seconds that are left.
            let mut lines: Vec<String> = text
                .lines()
                .map(|line| {
                    let words = line.split_whitespace().filter(|word| !word.ends_with("sec"));
                    words.collect::<Vec<_>>().join(" ")
                })
                .collect();
            lines.sort();
            lines
        };
        assert_eq!(plain(&ours), plain(&theirs), "{words}");
    }
}

#[test]
fn words_may_be_shortened() {
    let Some(netns) = Netns::with_interfaces("words_may_be_shortened") else {
        return;
    };
    netns.change("a a 10.0.0.1/24 dev v0");
    netns.change("r a 10.1.0.0/16 via 10.0.0.2");
    netns.change("n a 10.0.0.2 lladdr 02:00:00:00:00:02 dev v0");
    netns.change("ru a pref 7 from 10.0.0.0/8");
    for (short, long) in
        [("a", "addr"), ("r", "route"), ("n", "neigh"), ("ru s", "rule show"), ("l", "link"), ("r s", "route list")]
    {
        assert_eq!(netns.rows(short), netns.rows(long), "{short}");
    }
    netns.change("r d 10.1.0.0/16");
    netns.change("a f dev v0");
    assert!(netns.rows("route show").is_empty());
}

#[test]
fn both_engines_print_the_same() {
    let Some(netns) = Netns::with_interfaces("both_engines_print_the_same") else {
        return;
    };
    netns.ip("addr add 10.0.0.1/24 dev v0");
    for words in ["link", "addr", "route show table all", "rule", "neigh"] {
        let ring = netns.ringlink(&format!("--engine ring --json {words}"));
        let syscall = netns.ringlink(&format!("--engine syscall --json {words}"));
        if text(&ring.stderr).contains("io_uring") {
            skip::<()>("both_engines_print_the_same", text(&ring.stderr));
            return;
        }
        assert!(ring.status.success(), "{}", text(&ring.stderr));
        assert_eq!(text(&ring.stdout), text(&syscall.stdout), "{words}");
    }
}

#[test]
fn statistics_are_told_on_standard_error() {
    let Some(netns) = Netns::with_interfaces("statistics_are_told_on_standard_error") else {
        return;
    };
    let output = netns.ringlink("--engine syscall --stats --json route show table all");
    let err = text(&output.stderr);
    assert!(err.starts_with("engine syscall (syscall: asked for by the caller); "), "{err}");
    assert!(err.contains(" system calls, 0 retries, ") && err.trim_end().ends_with(" ms"), "{err}");
}

#[test]
fn failures_say_what_and_what_to_do() {
    let Some(netns) = Netns::with_interfaces("failures_say_what_and_what_to_do") else {
        return;
    };
    netns.change("addr add 10.0.0.1/24 dev v0");
    netns.change("route add 10.1.0.0/16 via 10.0.0.2");
    for (words, code, says) in [
        ("route add 10.1.0.0/16 via 10.0.0.2", 2, &["EEXIST", "`replace`"][..]),
        ("route del 10.99.0.0/16", 2, &["ESRCH", "show"]),
        ("route add 10.2.0.0/16 via 99.9.9.9", 2, &["Nexthop has invalid gateway", "onlink"]),
        ("route show table 55", 2, &["FIB table does not exist"]),
        ("addr add 10.0.0.1/24 dev v0", 2, &["EEXIST"]),
        ("route add 10.1.0.0/16 dev nosuch", 1, &["there is no interface `nosuch`"]),
        ("route add 10.1.0.0/99 dev v0", 1, &["`10.1.0.0/99` after `add`: expected", "prefix"]),
        ("route add 10.2.0.0/16 via", 1, &["the line ends after `via`: expected", "address"]),
        ("route add 10.2.0.0/16 metric abc", 1, &["`abc` after `metric`: expected a number"]),
        ("route add 10.2.0.0/16 dev v0 nonsense", 1, &["`nonsense` after `v0`: expected"]),
        ("route frobnicate", 1, &["`frobnicate` after `route`: expected show"]),
        ("frobnicate", 1, &["`frobnicate`: expected link, addr, route"]),
        ("neigh add 10.0.0.2 lladdr 02:00", 1, &["`dev` and an interface"]),
        ("rule add", 1, &["the line ends after `add`"]),
        ("addr add 10.0.0.2/24", 1, &["`dev` and an interface"]),
        ("route show --json", 1, &["options come before the object"]),
        (
            "route add 10.2.0.0/16 encap ip id 7 dst 1.2.3.4 geneve_opts 0:0:00 dev v0",
            1,
            &["options of tunnels are not sent"],
        ),
    ] {
        let output = netns.ringlink(words);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{words}: {err}");
        assert!(says.iter().all(|part| err.contains(part)), "{words}: {err}");
        assert!(err.starts_with("ringlink: ") && output.stdout.is_empty(), "{words}: {err}");
    }
    assert_eq!(ringlink("--netns no-such-namespace-of-ringlink route").status.code(), Some(1));
    assert_eq!(ringlink("--no-such-option route").status.code(), Some(1));
    assert_eq!(ringlink("--version").status.code(), Some(0));
}

#[test]
fn help_is_printed() {
    let help = ringlink("help");
    assert!(help.status.success() && text(&help.stdout).contains("neigh    show | add"), "{}", text(&help.stdout));
    for object in ["addr", "route", "neigh", "rule", "link", "monitor", "decode"] {
        let help = ringlink(&format!("{object} help"));
        assert!(help.status.success() && help.stderr.is_empty(), "{object}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let Some(netns) = Netns::with_interfaces("a_reader_that_goes_away_is_no_failure") else {
        return;
    };
    let mut child = command(&format!("--netns {} --json route show table all", netns.name()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{}", text(&output.stderr));
}

#[test]
fn events_are_printed_as_they_come() {
    let Some(netns) = Netns::with_interfaces("events_are_printed_as_they_come") else {
        return;
    };
    let mut child = command(&format!("--netns {} --stats --json monitor addr rule", netns.name()))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It says when it listens, so that there is no event too early.
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    err.read_line(&mut line).unwrap();
    assert!(line.contains("listening"), "{line}");
    netns.ip("addr add 10.0.0.1/24 dev v0");
    netns.ip("rule add pref 9 from 1.2.3.4");
    netns.ip("addr del 10.0.0.1/24 dev v0");
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut next = || -> serde_json::Value { serde_json::from_str(&out.next().unwrap().unwrap()).unwrap() };
    let (added, rule, gone) = (next(), next(), next());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!((added["local"].as_str(), added["dev"].as_str()), (Some("10.0.0.1"), Some("v0")));
    assert_eq!((rule["priority"].as_u64(), rule["src"].as_str()), (Some(9), Some("1.2.3.4")));
    assert_eq!((gone["deleted"].as_bool(), gone["local"].as_str()), (Some(true), Some("10.0.0.1")));
}

/// `RTM_GETLINK` for the interface `lo`, on a little-endian machine.
#[cfg(target_endian = "little")]
const GETLINK: &str = "28000000 12000500 07000000 00000000  00000000 00000000 00000000 00000000  07000300 6c6f0000";

/// What `decode` does with an input.
#[cfg(target_endian = "little")]
fn decode(options: &str, input: &[u8]) -> std::process::Output {
    let mut child = command(&format!("{options} decode -"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[cfg(target_endian = "little")]
fn raw(hexadecimal: &str) -> Vec<u8> {
    let digits: Vec<u8> = hexadecimal.bytes().filter(u8::is_ascii_hexdigit).collect();
    digits.chunks(2).map(|pair| u8::from_str_radix(text(pair), 16).unwrap()).collect()
}

#[test]
#[cfg(target_endian = "little")]
fn messages_are_decoded() {
    let twice = format!("# two of them\n{GETLINK}\n{}", GETLINK.replace(' ', ":").replace("::", ":"));
    for input in [GETLINK.as_bytes(), &raw(GETLINK), twice.as_bytes()] {
        let output = decode("", input);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let tree = text(&output.stdout);
        assert!(tree.starts_with("RTM_GETLINK (18)") && tree.contains("IFLA_IFNAME: \"lo\""), "{tree}");
    }
    let output = decode("--json", twice.as_bytes());
    let lines: Vec<serde_json::Value> =
        text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1]["message"], "RTM_GETLINK");
    assert_eq!(lines[1]["attributes"][0]["value"], "lo");
}

#[test]
#[cfg(target_endian = "little")]
fn garbage_is_told_with_its_place() {
    let cut = raw(GETLINK)[..30].to_vec();
    let mut behind = raw(GETLINK);
    behind.extend([1, 2, 3, 0, 0xff]);
    let mut broken = raw(GETLINK);
    // The attribute says that it is longer than the message.
    broken[32] = 99;
    for (input, says) in [
        (&b"no message at all"[..], "line 1: `n` is no hexadecimal digit, at offset 0"),
        (b"1800 0", "the last byte has one digit, at offset 2"),
        (b"", "the input is empty"),
        (b"00000000", "at offset 0"),
        (&[0xff; 40], "at offset 0"),
        (&cut, "message says 40 bytes, 30 are there, at offset 0"),
        (&behind, "5 bytes found where a message header has 16, at offset 40"),
        (&broken, "attribute says 99 bytes, 8 are there, at offset 32"),
    ] {
        let output = decode("", input);
        let err = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{input:?}: {err}");
        assert!(err.contains(says) && err.lines().count() == 1, "{input:?}: {err}");
    }
    assert_eq!(ringlink("decode /no/such/file").status.code(), Some(1));
    assert_eq!(ringlink("decode --protocol nosuch -").status.code(), Some(1));
}
