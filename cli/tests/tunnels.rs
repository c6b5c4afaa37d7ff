//! Routes over MPLS, and what else routes wrap packets in that not every kernel has: beside `ip`.

mod support;

use support::Netns;

/// A namespace with interfaces that have addresses.
fn with_addresses(test: &str) -> Option<Netns> {
    let netns = Netns::with_interfaces(test)?;
    netns.ip("addr add 10.0.0.1/24 dev v0");
    netns.ip("addr add 10.0.1.1/24 dev v1");
    netns.ip("addr add 2001:db8::1/64 dev v0 nodad");
    Some(netns)
}

/// Gives each line to both programs, in a namespace each: both must take it or refuse it. Says how many were taken.
fn give(ours: &Netns, theirs: &Netns, lines: &[&str]) -> usize {
    let mut taken = 0;
    for line in lines {
        let made = theirs.try_ip(line);
        let output = ours.ringlink(line);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.success(), made.is_ok(), "{line}: {error}{made:?}");
        taken += usize::from(made.is_ok());
    }
    taken
}

#[test]
fn routes_of_mpls() {
    const TEST: &str = "routes_of_mpls";
    const LINES: &[&str] = &[
        "-f mpls route add 100 as to 200/300 via inet 10.0.0.2 dev v0",
        "-f mpls route add 101 via inet6 2001:db8::2 dev v0 proto static",
        "-f mpls route add 102 dev lo",
        "-f mpls route add 103 nexthop as 200 via inet 10.0.0.2 dev v0 nexthop as 300/400 via inet 10.0.0.3 dev v0",
        "-f mpls route add 104 via inet 10.0.0.2 dev v0 ttl-propagate enabled",
        "-f mpls route add 105 as 16 via inet 10.0.0.2 dev v0 ttl-propagate disabled",
        "-f mpls route add 106 via inet 10.0.0.2",
        "-f mpls route add 0xa0 via inet 10.0.1.2",
        "-f mpls route add 107 via inet 10.0.0.2 dev v0",
        "-f mpls route add 107 via inet 10.0.0.3 dev v0",
        "-f mpls route replace 106 as 20 via inet 10.0.0.9 dev v0",
        "-f mpls route change 104 via inet 10.0.1.9 dev v1",
        "-f mpls route del 107",
        // Not there, which is no error to the kernel.
        "-f mpls route del 108",
        // Reserved, and larger than the table.
        "-f mpls route add 3 via inet 10.0.0.2 dev v0",
        "-f mpls route add 1000 via inet 10.0.0.2 dev v0",
        "route add 10.22.0.0/16 encap mpls 100/200 via 10.0.0.2",
        "route add 10.23.0.0/16 encap mpls 1048575 ttl 9 via 10.0.0.2 dev v0",
        "route add 10.24.0.0/16 nexthop encap mpls 300 via 10.0.1.2 dev v1 nexthop encap mpls 16/17/18 via 10.0.0.2",
        "-6 route add 2001:db8:1::/64 encap mpls 16 via 2001:db8::2 dev v0",
    ];
    let (Some(ours), Some(theirs)) = (with_addresses(TEST), with_addresses(TEST)) else { return };
    for netns in [&ours, &theirs] {
        let labels = "echo 1000 > /proc/sys/net/mpls/platform_labels";
        let made = std::process::Command::new("ip").args(["netns", "exec", netns.name(), "sh", "-c", labels]).output();
        let made = made.unwrap();
        if !made.status.success() {
            println!("absent: {TEST}: no MPLS: {}", String::from_utf8_lossy(&made.stderr).trim());
            return;
        }
    }
    assert_eq!(give(&ours, &theirs, LINES), LINES.len() - 3);
    for words in ["-f mpls route", "route", "-6 route show 2001:db8:1::/64"] {
        assert_eq!(ours.ip(words), theirs.ip(words), "{words}");
        ours.compare_text(words);
    }
    for words in [
        "-f mpls route",
        "-f mpls route show 103",
        "-f mpls route show to exact 100",
        "-f mpls route show 999",
        "-f mpls route show proto static",
        "-f mpls route show dev lo",
        "-f mpls route show via inet 10.0.0.2",
        "-f mpls route get 100",
        "-f mpls route get 103",
        "-f mpls route get to 105",
        "-f mpls route get 101 fibmatch",
        "route",
        "route show 10.24.0.0/16",
        "-6 route show 2001:db8:1::/64",
        "route show table all",
    ] {
        ours.compare(words);
    }
    assert_eq!(ours.rows("-f mpls route").len(), 8);
    for (words, code, says) in [
        ("-f mpls route get 999", 2, "unreachable"),
        ("-f mpls route get 10.0.0.1", 1, "`10.0.0.1` after `get`: expected a label"),
        ("-f mpls route add 100/200 dev v0", 1, "`100/200` after `add`: expected a label"),
        ("-f mpls route add 1048576 dev v0", 1, "`1048576` after `add`: expected a label"),
        ("-f none route", 1, "expected inet, inet6, mpls or bridge"),
    ] {
        let output = ours.ringlink(words);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(code) && error.contains(says), "{words}: {error}");
    }
}

#[test]
fn addresses_are_rewritten() {
    const TEST: &str = "addresses_are_rewritten";
    const LINES: &[&str] = &[
        "-6 route add 2001:db8:2::1/128 encap ila 1:2:3:4 csum-mode no-action ident-type luid hook-type output \
         via 2001:db8::2 dev v0",
        "-6 route add 2001:db8:2::2/128 encap ila 2001:db8:0:abcd csum-mode adj-transport ident-type luid \
         hook-type input via 2001:db8::2 dev v0",
        "-6 route add 2001:db8:2:0:1000::/72 encap ila 0:0:0:1 csum-mode neutral-map-auto ident-type use-format \
         via 2001:db8::2 dev v0",
        "-6 route add 2001:db8:2::3/128 encap ila 1:2:3:4 via 2001:db8::2 dev v0",
    ];
    let (Some(ours), Some(theirs)) = (with_addresses(TEST), with_addresses(TEST)) else { return };
    if let Err(error) = Netns::try_ip(&theirs, &format!("{} metric 7", LINES[0])) {
        println!("absent: {TEST}: no ILA: {error}");
        return;
    }
    theirs.ip("-6 route del 2001:db8:2::1/128 metric 7");
    assert!(give(&ours, &theirs, LINES) >= 2);
    assert_eq!(ours.ip("-6 route"), theirs.ip("-6 route"));
    ours.compare("-6 route");
    ours.compare_text("-6 route");
}

#[test]
fn ipsec_by_the_number_of_an_interface() {
    const TEST: &str = "ipsec_by_the_number_of_an_interface";
    let (Some(ours), Some(theirs)) = (with_addresses(TEST), with_addresses(TEST)) else { return };
    for netns in [&ours, &theirs] {
        let made = netns.try_ip("link add x0 type xfrm external").and_then(|_| netns.try_ip("link set x0 up"));
        let made = made.and_then(|_| netns.try_ip("route add 10.40.0.0/16 dev x0 encap xfrm if_id 1"));
        if let Err(error) = made {
            println!("absent: {TEST}: no tunnels of that kind: {error}");
            return;
        }
    }
    const LINES: &[&str] = &[
        "route add 10.41.0.0/16 dev x0 encap xfrm if_id 0x11",
        "route add 10.42.0.0/16 dev x0 encap xfrm if_id 18 link_dev v0",
        "-6 route add 2001:db8:4::/64 dev x0 encap xfrm if_id 19 link_dev v1",
        "route add 10.43.0.0/16 dev x0 encap xfrm if_id 0",
    ];
    assert_eq!(give(&ours, &theirs, LINES), LINES.len() - 1);
    for words in ["route", "-6 route"] {
        assert_eq!(ours.ip(words), theirs.ip(words), "{words}");
        ours.compare(words);
        ours.compare_text(words);
    }
}

/// The routes are made by `ip`, and only in a guest: there are kernels that do not survive it.
#[test]
fn options_of_tunnels_are_printed() {
    const TEST: &str = "options_of_tunnels_are_printed";
    if std::env::var_os("RINGLINK_GUEST").is_none() {
        println!("absent: {TEST}: asked only of kernels in guests, for some crash");
        return;
    }
    let Some(netns) = with_addresses(TEST) else { return };
    for line in [
        "route add 10.60.0.0/16 encap ip id 7 dst 5.6.7.8 geneve_opts 0x1:2:0a0b0c0d via 10.0.0.2 dev v0",
        "route add 10.61.0.0/16 encap ip id 7 dst 5.6.7.8 vxlan_opts 456 dev v0",
        "route add 10.62.0.0/16 encap ip id 7 dst 5.6.7.8 erspan_opts 1:2:0:0 dev v0",
        "route add 10.63.0.0/16 encap ip id 7 dst 5.6.7.8 geneve_opts 0:0:12121212,1:2:0a0b0c0d0a0b0c0d via 10.0.0.2 dev v0",
        "-6 route add 2001:db8:61::/64 encap ip6 id 7 dst ::5 erspan_opts 2:0:1:3 dev v0",
        "-6 route add 2001:db8:62::/64 encap ip6 id 7 dst ::5 geneve_opts 65535:255:01020304 dev v0",
    ] {
        netns.ip(line);
    }
    for words in ["route", "-6 route"] {
        netns.compare(words);
        netns.compare_text(words);
    }
}
