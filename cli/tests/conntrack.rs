//! Connections as `conntrack` shows, makes, changes and tells them: the same lines, whatever is asked for.

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write as _};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Netns, command, skip, words};

/// A namespace with connections in it, or nothing where there is no conntrack(8).
fn namespace(test: &str) -> Option<Netns> {
    if Command::new("conntrack").arg("--version").output().is_err() {
        return skip(test, "there is no conntrack");
    }
    let netns = Netns::new(test)?;
    netns.ip("link set lo up");
    let count = netns.ringlink("conntrack count");
    let error = String::from_utf8_lossy(&count.stderr);
    if error.contains("tells nothing of connections") {
        println!("absent: {test}: {error}");
        return None;
    }
    assert!(count.status.success(), "{error}");
    Some(netns)
}

/// Runs a program in the namespace.
fn inside(netns: &Netns, program: &str, line: &str) -> Output {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", netns.name(), program]).args(words(line)).stdin(Stdio::null());
    command.output().unwrap()
}

/// What conntrack prints for these words.
fn conntrack(netns: &Netns, line: &str) -> String {
    let output = inside(netns, "conntrack", line);
    let error = String::from_utf8_lossy(&output.stderr);
    // Its exit code says also whether anything was shown.
    assert!(output.status.success() || error.contains(" 0 flow entries"), "conntrack {line}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

/// Sets something of the namespace; says whether the kernel has it.
fn set(netns: &Netns, key: &str, value: &str) -> bool {
    within(netns, || fs::write(format!("/proc/sys/net/netfilter/{key}"), value).is_ok())
}

/// The lines of both, as sets: without how many seconds are left, which pass between the two, and how many hold it.
fn lines(text: &str) -> BTreeSet<String> {
    let line = |line: &str| {
        let mut words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let numbers: Vec<usize> =
            words.iter().enumerate().filter(|(_, word)| word.parse::<u64>().is_ok()).map(|(at, _)| at).collect();
        // Behind the protocol's number, or of an extended line behind the family's and that.
        let place = if line.starts_with("ipv") { 2 } else { 1 };
        if let Some(at) = numbers.get(place) {
            words[*at] = "T".to_owned();
        }
        words.retain(|word| !word.starts_with("use=") && !word.starts_with("delta-time="));
        words.join(" ")
    };
    text.lines().map(line).collect()
}

#[track_caller]
fn compare(netns: &Netns, options: &str) -> usize {
    let (theirs, ours) =
        (conntrack(netns, &format!("-L {options}")), netns.change(&format!("conntrack list {options}")));
    let (theirs, ours) = (lines(&theirs), lines(&ours));
    assert_eq!(ours, theirs, "{options}");
    ours.len()
}

/// Connections of every protocol that both can make.
const KINDS: &[&str] = &[
    "-p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 1000 --dport 80 --state ESTABLISHED -u ASSURED,SEEN_REPLY -m 5",
    "-p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 1001 --dport 80 --state SYN_SENT -u UNSET",
    "-p tcp -s 192.0.2.1 -d 192.0.2.9 --sport 1001 --dport 443 --state TIME_WAIT -u SEEN_REPLY -m 0x14",
    "-p tcp -s 2001:db8::1 -d 2001:db8::2 --sport 1000 --dport 80 --state CLOSE_WAIT -u SEEN_REPLY,FIXED_TIMEOUT",
    "-p udp -s 192.0.2.1 -d 192.0.2.2 --sport 1000 --dport 53 -w 3",
    "-p udp -s 192.0.2.3 -d 192.0.2.2 --sport 1000 --dport 53 --orig-zone 4",
    "-p udp -s 192.0.2.4 -d 192.0.2.2 --sport 1000 --dport 53 --reply-zone 5",
    "-p udp -s 2001:db8::1 -d 2001:db8::2 --sport 1000 --dport 53",
    "-p udp -s 2001:db8::5 -d 2001:db8::2 --sport 1000 --dport 53",
    "-p icmp -s 192.0.2.1 -d 192.0.2.2 --icmp-type 8 --icmp-code 0 --icmp-id 77",
    "-p icmpv6 -s 2001:db8::1 -d 2001:db8::2 --icmpv6-type 128 --icmpv6-code 0 --icmpv6-id 77",
    "-p sctp -s 192.0.2.1 -d 192.0.2.2 --sport 1000 --dport 80 --state COOKIE_WAIT --orig-vtag 1 --reply-vtag 2",
    "-p gre -s 192.0.2.1 -d 192.0.2.2 --srckey 0x10 --dstkey 0x20",
    "-p udplite -s 192.0.2.1 -d 192.0.2.2 --sport 1000 --dport 80",
    "-p igmp -s 192.0.2.1 -d 192.0.2.2",
    "-p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 1002 --dport 80 --state SYN_SENT -n 198.51.100.5:77",
    "-p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 1003 --dport 80 --state SYN_RECV -g 198.51.100.6",
];

/// Makes them, each with its program; says which of them this kernel does not track.
fn make(netns: &Netns, by: impl Fn(usize) -> bool) -> Vec<&'static str> {
    let mut lacking = Vec::new();
    for (number, line) in KINDS.iter().enumerate() {
        let output = match by(number) {
            true => netns.ringlink(&format!("conntrack create -t 1000 {line}")),
            false => inside(netns, "conntrack", &format!("-I -t 1000 {line}")),
        };
        if !output.status.success() {
            println!("absent: {line}: {}", String::from_utf8_lossy(&output.stderr).trim());
            lacking.push(*line);
        }
    }
    // All kernels that track anything track these.
    assert!(lacking.iter().all(|line| !line.starts_with("-p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 1000")));
    lacking
}

#[test]
fn connections_of_every_kind_are_shown_alike() {
    const TEST: &str = "connections_of_every_kind_are_shown_alike";
    let Some(netns) = namespace(TEST) else { return };
    for key in ["nf_conntrack_acct", "nf_conntrack_timestamp"] {
        set(&netns, key, "1");
    }
    let lacking = make(&netns, |number| number % 2 == 0);
    let all = compare(&netns, "");
    assert_eq!(all, KINDS.len() - lacking.len());
    for options in ["-o extended", "-o id", "-o extended,id", "-o ktimestamp", "-f ipv6", "-f ipv4"] {
        compare(&netns, options);
    }
    let count = netns.change("conntrack count");
    assert_eq!((count.trim(), &*conntrack(&netns, "-C").trim().to_owned()), (&*all.to_string(), &*all.to_string()));
    // Made by either, a connection is the same.
    let made = |netns: &Netns| lines(&conntrack(netns, "-L -o extended"));
    let ours = made(&netns);
    netns.change("conntrack flush");
    assert_eq!(netns.change("conntrack count").trim(), "0");
    for key in ["nf_conntrack_acct", "nf_conntrack_timestamp"] {
        set(&netns, key, "1");
    }
    make(&netns, |number| number % 2 == 1);
    assert_eq!(made(&netns), ours);
}

#[test]
fn choices_choose_alike() {
    const TEST: &str = "choices_choose_alike";
    let Some(netns) = namespace(TEST) else { return };
    make(&netns, |_| true);
    for (options, least) in [
        ("-p tcp", 6),
        ("-p udp", 5),
        ("-p udp -f ipv6", 2),
        ("-p tcp --dport 80", 5),
        ("-p tcp --sport 1000", 2),
        ("-p tcp --state ESTABLISHED", 1),
        ("-p tcp --state SYN_SENT", 2),
        ("-s 192.0.2.1", 8),
        ("-s 192.0.2.0/24", 10),
        ("-d 192.0.2.8/29", 1),
        ("-s 192.0.2.1 --mask-src 255.255.255.252", 9),
        ("-s 2001:db8::1", 3),
        ("-s 2001:db8::5", 1),
        ("-s 2001:db8::/64", 4),
        ("-p udp -s 2001:db8::5 --dport 53", 1),
        ("-s 192.0.2.77", 0),
        ("-r 192.0.2.2", 8),
        ("-q 198.51.100.5", 1),
        ("-p udp --reply-port-src 53", 5),
        ("-p icmp --icmp-id 77", 1),
        ("-p icmp --icmp-type 0", 0),
        ("-p icmpv6 --icmpv6-type 128", 1),
        ("-m 5", 1),
        ("-m 4/4", 2),
        ("-m 0x14", 1),
        ("-m 0", 14),
        ("-u ASSURED", 1),
        ("-u SEEN_REPLY", 3),
        ("-u FIXED_TIMEOUT", 1),
        ("-u ASSURED,SEEN_REPLY -p tcp", 1),
        ("-w 3", 1),
        ("-w 0", 14),
        ("--orig-zone 4", 1),
        ("--reply-zone 5", 1),
        ("-n", 1),
        ("-g", 1),
        ("-j", 2),
        ("-n 198.51.100.5", 1),
        ("-g 198.51.100.7", 0),
        ("-p 6 -d 192.0.2.9 -m 0x14/0xff --state TIME_WAIT", 1),
    ] {
        let found = compare(&netns, options);
        assert!(found >= least, "{options}: {found}");
    }
    assert_eq!(netns.change("conntrack list -u UNSET -p tcp").lines().count(), 3);
    // These two together, conntrack shows nothing.
    assert_eq!(netns.change("conntrack list -m 0x14/0xff -u SEEN_REPLY").lines().count(), 1);
    assert_eq!(netns.change("-6 conntrack list").lines().count(), compare(&netns, "-f ipv6"));
}

#[test]
fn connections_are_asked_for_changed_and_deleted() {
    const TEST: &str = "connections_are_asked_for_changed_and_deleted";
    let Some(netns) = namespace(TEST) else { return };
    make(&netns, |_| true);
    let one = "-p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 1000 --dport 80";
    let get = |options: &str| netns.change(&format!("conntrack get {options}"));
    assert_eq!(lines(&get(one)), lines(&conntrack(&netns, &format!("-G {one}"))));
    assert_eq!(
        lines(&get("-p tcp -r 192.0.2.2 -q 192.0.2.1 --reply-port-src 80 --reply-port-dst 1000")),
        lines(&get(one))
    );
    assert!(get("-p icmp -s 192.0.2.1 -d 192.0.2.2 --icmp-type 8 --icmp-id 77").contains("type=8 code=0 id=77"));

    let changed = netns.change(&format!("conntrack update {one} -m 0x30/0xf0 -t 5000 -u FIXED_TIMEOUT"));
    assert_eq!(changed.lines().count(), 1);
    let row = &netns.rows("conntrack list -p tcp --sport 1000 -m 0x35")[0];
    assert!(row["timeout"].as_u64().unwrap() > 4000, "{row}");
    assert!(row["status"].as_array().unwrap().contains(&Value::from("FIXED_TIMEOUT")), "{row}");
    assert_eq!(
        (&row["state"], &row["proto"], &row["orig"]["sport"]),
        (&"ESTABLISHED".into(), &"tcp".into(), &1000.into())
    );

    // A mark without a mask is set whole, and what is translated stays as it is.
    assert_eq!(netns.change("conntrack update -j -m 9").lines().count(), 2);
    assert_eq!(compare(&netns, "-m 9 -j"), 2);

    let before = compare(&netns, "");
    let udp = lines(&netns.change("conntrack list -p udp -f ipv4"));
    assert_eq!(lines(&netns.change("conntrack delete -p udp -f ipv4")), udp);
    assert_eq!(compare(&netns, ""), before - udp.len());
    assert_eq!(netns.change("conntrack delete -p udp -f ipv4"), "");
    let id = netns.rows(&format!("conntrack get {one}"))[0]["id"].as_u64().unwrap();
    assert_eq!(netns.change(&format!("conntrack -D -i {id}")).lines().count(), 1);

    let six = netns.change("conntrack list -f ipv6").lines().count();
    let before = compare(&netns, "");
    netns.change("conntrack flush -f ipv6");
    assert_eq!(compare(&netns, ""), before - six);
    netns.change("conntrack flush");
    assert_eq!(compare(&netns, ""), 0);
    assert_eq!(netns.change("--json conntrack list").trim(), "[]");
}

#[test]
fn only_what_is_shown_counts_from_zero_again() {
    const TEST: &str = "only_what_is_shown_counts_from_zero_again";
    let Some(netns) = namespace(TEST) else { return };
    if !set(&netns, "nf_conntrack_acct", "1") || !tracks(&netns) {
        return skip(TEST, "there is no nft").unwrap_or_default();
    }
    for port in [5301, 5302, 5303] {
        talk(&netns, port);
    }
    let counts = || -> Vec<(u64, u64)> {
        let rows = netns.rows("conntrack list -p udp");
        let count = |row: &Value| (row["orig"]["dport"].as_u64().unwrap(), row["orig"]["packets"].as_u64().unwrap());
        let mut counts: Vec<_> = rows.iter().map(count).collect();
        counts.sort_unstable();
        counts
    };
    assert_eq!(counts(), [(5301, 1), (5302, 1), (5303, 1)]);
    // The kernel cannot tell prefixes apart, and would have all three count anew.
    let shown = netns.change("conntrack list -z -s 127.0.0.0/8 -p udp --dport 5302");
    assert!(shown.lines().count() == 1 && shown.contains("packets=1 "), "{shown}");
    assert_eq!(counts(), [(5301, 1), (5302, 0), (5303, 1)]);
    let shown = netns.change("conntrack list -z");
    assert_eq!(shown.lines().count(), 3);
    assert_eq!(counts(), [(5301, 0), (5302, 0), (5303, 0)]);
}

/// Has packets of the namespace tracked, with labels on connections; says whether it could.
fn tracks(netns: &Netns) -> bool {
    let rules = "add table inet t; add chain inet t out { type filter hook output priority 0; }; add rule inet t out ct state new accept";
    Command::new("nft").arg("--version").output().is_ok()
        && inside(netns, "nft", &format!("\"{rules}\"")).status.success()
}

/// Sends one datagram to a port of the namespace, where a program takes it, and one back.
fn talk(netns: &Netns, port: u16) {
    within(netns, || {
        let taker = std::net::UdpSocket::bind(("127.0.0.1", port)).unwrap();
        let sender = std::net::UdpSocket::bind(("127.0.0.1", port + 1000)).unwrap();
        sender.send_to(b"there", ("127.0.0.1", port)).unwrap();
        let mut buffer = [0; 16];
        taker.recv_from(&mut buffer).unwrap();
        taker.send_to(b"back", ("127.0.0.1", port + 1000)).unwrap();
        sender.recv_from(&mut buffer).unwrap();
    });
}

/// Runs something in a thread that has moved to the namespace.
fn within<R: Send>(netns: &Netns, run: impl FnOnce() -> R + Send) -> R {
    use std::os::fd::AsRawFd;
    let namespace = fs::File::open(format!("/run/netns/{}", netns.name())).unwrap();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: the descriptor is open; only this thread moves.
            assert_eq!(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
            run()
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

#[test]
fn what_is_saved_is_loaded() {
    const TEST: &str = "what_is_saved_is_loaded";
    let Some(netns) = namespace(TEST) else { return };
    make(&netns, |_| true);
    let saved = netns.change("conntrack list -o save");
    let before = lines(&netns.change("conntrack list -o extended"));
    netns.change("conntrack flush");
    let load = |text: &str| {
        let mut child = command(&format!("--netns {} conntrack load -", netns.name()))
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    assert_eq!(load(&format!("# all of them\n\n{saved}")), (Some(0), String::new()));
    assert_eq!(lines(&netns.change("conntrack list -o extended")), before);
    // A line that is wrong is named, and so is one that the kernel refuses; what else there is, is made.
    let (code, error) = load("-A -t 5 -p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 1\n");
    assert_eq!(code, Some(1));
    assert!(error.contains("-, line 1: the line ends after `1`: expected --sport PORT --dport PORT"), "{error}");
    netns.change("conntrack flush");
    let (twice, other) = (
        "-I -t 99 -p udp -s 192.0.2.1 -d 192.0.2.2 --sport 1 --dport 2\n",
        "-A -t 99 -p igmp -s 192.0.2.1 -d 192.0.2.2\n",
    );
    let (code, error) = load(&format!("{twice}{twice}{other}"));
    assert_eq!((code, netns.change("conntrack count").trim()), (Some(2), "2"));
    assert!(error.contains("warning: -, line 2: IPCTNL_MSG_CT_NEW refused: File exists (EEXIST)"), "{error}");
}

#[test]
fn expectations_are_shown_alike() {
    const TEST: &str = "expectations_are_shown_alike";
    let Some(netns) = namespace(TEST) else { return };
    let master = "-p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 1003 --dport 21";
    let made = netns.ringlink(&format!("conntrack create {master} -t 100 --state ESTABLISHED --helper ftp"));
    if !made.status.success() {
        println!("absent: {TEST}: this kernel has no helper for FTP: {}", String::from_utf8_lossy(&made.stderr));
        return;
    }
    let masks = "--mask-src 255.255.255.255 --mask-dst 255.255.255.255";
    let expected = "--tuple-src 192.0.2.2 --tuple-dst 192.0.2.1 --tuple-port-dst 2000";
    netns.change(&format!("conntrack expect create {master} {expected} {masks} -t 50 --helper ftp"));
    let line = |text: &str| text.split_whitespace().skip(1).collect::<Vec<_>>().join(" ");
    let (theirs, ours) = (conntrack(&netns, "-L expect"), netns.change("conntrack expect list"));
    assert_eq!(line(&ours), line(&theirs));
    assert!(ours.contains("sport=0 dport=2000 mask-src=255.255.255.255"), "{ours}");
    assert_eq!(netns.change("conntrack expect count").trim(), "1");
    assert_eq!(line(&netns.change(&format!("conntrack expect get -p tcp {expected}"))), line(&ours));
    assert_eq!(netns.change("conntrack -L expect --helper sip"), "");
    assert_eq!(stats(&netns.change("conntrack expect stats")), stats(&conntrack(&netns, "-S expect")));
    let again = netns.ringlink(&format!("conntrack expect create {master} {expected} {masks} -t 50 --helper nosuch"));
    let error = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(again.status.code() == Some(2) && error.contains("IPCTNL_MSG_EXP_NEW refused"), "{error}");
    let row = &netns.rows("conntrack expect list")[0];
    assert_eq!((&row["helper"], &row["master"]["sport"]), (&"ftp".into(), &1003.into()));
    assert_eq!(line(&netns.change("conntrack expect delete -p tcp")), line(&ours));
    assert_eq!(netns.change("conntrack expect list"), "");
    netns.change("conntrack expect flush");
}

fn stats(text: &str) -> Vec<Vec<&str>> {
    text.lines().map(|line| line.split_whitespace().collect()).collect()
}

#[test]
fn counters_are_those_of_conntrack() {
    const TEST: &str = "counters_are_those_of_conntrack";
    let Some(netns) = namespace(TEST) else { return };
    make(&netns, |_| true);
    let (theirs, ours) = (conntrack(&netns, "-S"), netns.change("conntrack stats"));
    assert_eq!(stats(&ours), stats(&theirs));
    let rows = netns.rows("conntrack stats");
    let inserted: u64 = rows.iter().filter_map(|row| row["insert"].as_u64()).sum();
    assert_eq!(inserted.to_string(), netns.change("conntrack count").trim());
    let row = &netns.rows("conntrack count")[0];
    assert!(row["max"].as_u64().unwrap() > 0, "{row}");
    assert_eq!(netns.change("conntrack list dying") + &netns.change("conntrack -L unconfirmed"), "");
}

/// A program that tells events, ended when it is dropped, or by timeout(1) before the test would wait for ever.
struct Listener {
    child: Child,
    out: BufReader<ChildStdout>,
}

impl Listener {
    fn start<'w>(program: &str, words: impl IntoIterator<Item = &'w str>) -> Self {
        let mut timeout = Command::new("timeout");
        timeout.args(["120", program]).args(words);
        let mut child = timeout.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        Self { child, out }
    }

    fn ringlink(netns: &Netns, words: &str) -> Self {
        let before = ["--netns", netns.name(), "--stats"];
        let mut listener = Self::start(env!("CARGO_BIN_EXE_ringlink"), before.into_iter().chain(words.split(' ')));
        let mut error = String::new();
        BufReader::new(listener.child.stderr.take().unwrap()).read_line(&mut error).unwrap();
        assert!(error.contains("listening"), "{error}");
        listener
    }

    /// The lines up to one that has this in it.
    fn until(&mut self, last: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "it ended before {last}: {lines:?}");
            let end = line.contains(last);
            lines.push(line.trim_end().to_owned());
            if end {
                return lines;
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // timeout(1) hands this signal on. One that has ended is as good.
        // SAFETY: no pointers are passed; the child has not been waited for, so its number is its own.
        let _ = unsafe { libc::kill(self.child.id().cast_signed(), libc::SIGTERM) };
        let _ = self.child.wait();
    }
}

#[test]
fn events_are_told_alike() {
    const TEST: &str = "events_are_told_alike";
    let Some(netns) = namespace(TEST) else { return };
    set(&netns, "nf_conntrack_acct", "1");
    // conntrack does not say when it listens; it does once it tells of a connection.
    let mut theirs = Listener::start("ip", ["netns", "exec", netns.name(), "conntrack", "-E", "-o", "id"]);
    let (sender, told) = std::sync::mpsc::channel();
    let probe = |number: u32| format!("-p udp -s 203.0.113.1 -d 203.0.113.2 --sport {number} --dport 9");
    let reader = std::thread::spawn(move || {
        let first = theirs.until("[NEW]");
        sender.send(first).unwrap();
        theirs
    });
    let started = Instant::now();
    let mut number = 1;
    while told.recv_timeout(Duration::from_millis(50)).is_err() {
        assert!(started.elapsed() < Duration::from_secs(30), "conntrack -E tells nothing");
        netns.change(&format!("conntrack create -t 100 {}", probe(number)));
        number += 1;
    }
    let mut theirs = reader.join().unwrap();
    let mut ours = Listener::ringlink(&netns, "conntrack events -o id");
    let mut json = Listener::ringlink(&netns, "--json conntrack -E -p tcp -e NEW,DESTROY");

    netns.change(&format!("conntrack create -t 100 {}", probe(60_000)));
    make(&netns, |number| number % 2 == 0);
    netns.change("conntrack update -p tcp --state ESTABLISHED -m 7");
    netns.change("conntrack update -p tcp --dport 80 -s 192.0.2.1 -u SEEN_REPLY");
    if tracks(&netns) {
        talk(&netns, 5301);
        within(&netns, || {
            let listener = std::net::TcpListener::bind("127.0.0.1:8080").unwrap();
            let mut client = std::net::TcpStream::connect("127.0.0.1:8080").unwrap();
            let (mut server, _) = listener.accept().unwrap();
            client.write_all(b"hello").unwrap();
            drop(client);
            let mut text = Vec::new();
            server.read_to_end(&mut text).unwrap();
        });
    }
    netns.change("conntrack delete -p tcp");
    netns.change("conntrack delete -p udp");
    netns.change("conntrack delete -p 47");
    netns.change(&format!("conntrack create -t 100 {}", probe(60_001)));

    let from = |lines: Vec<String>| -> Vec<String> {
        let start = lines.iter().position(|line| line.contains("sport=60000 ")).unwrap();
        // A program's name can be told as long as it runs.
        let words = |line: &String| -> Vec<String> {
            line.split_whitespace().filter(|word| !word.starts_with("progname=")).map(str::to_owned).collect()
        };
        lines[start..].iter().map(|line| words(line).join(" ")).collect()
    };
    let (theirs, ours) = (from(theirs.until("sport=60001 ")), from(ours.until("sport=60001 ")));
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), theirs.len());
    let is = |word: &str| ours.iter().filter(|line| line.starts_with(word)).count();
    assert!(is("[NEW]") > 10 && is("[UPDATE]") > 2 && is("[DESTROY]") > 10, "{ours:#?}");
    let rows: Vec<Value> = json.until("\"destroy\"").iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(rows.iter().all(|row| row["proto"] == "tcp" && row["event"] != "update"), "{rows:?}");
    println!("{} events", ours.len());
}

#[test]
fn a_watch_tells_state_then_changes() {
    let Some(netns) = namespace("a_watch_tells_state_then_changes") else { return };
    make(&netns, |_| true);
    let create = |port: u16, mark: u32| {
        let tuple = format!("-p udp -s 203.0.113.1 -d 203.0.113.2 --sport {port} --dport 9");
        netns.change(&format!("conntrack create -t 100 {tuple} -m {mark}"));
    };
    let row = |line: &String| -> Value { serde_json::from_str(line).unwrap() };
    let mut udp = Listener::ringlink(&netns, "--json watch conntrack -p udp");
    let told: Vec<Value> = udp.until("\"synced\"").iter().map(row).filter(|row| row["event"] == "added").collect();
    assert!(!told.is_empty());
    assert_eq!(told.len(), netns.change("conntrack list -p udp").lines().count());
    assert!(told.iter().all(|row| row["object"] == "conntrack" && row["proto"] == "udp"), "{told:?}");
    // A mark may change, and with it whether a connection is one of those.
    let mut seven = Listener::ringlink(&netns, "watch conntrack -m 7");
    assert!(seven.until("synced conntrack").iter().all(|line| !line.starts_with("added")));
    create(60_000, 7);
    netns.change(
        "conntrack create -t 100 -p tcp -s 203.0.113.1 -d 203.0.113.2 --sport 60000 --dport 9 --state SYN_SENT",
    );
    netns.change("conntrack update -p udp -s 203.0.113.1 -m 8");
    netns.change("conntrack delete -s 203.0.113.1");
    create(60_001, 7);
    let told: Vec<Value> = udp.until("60001").iter().map(row).collect();
    let told: Vec<_> = told.iter().map(|row| (row["event"].as_str().unwrap(), row["mark"].as_u64())).collect();
    assert_eq!(told, [("added", Some(7)), ("changed", Some(8)), ("removed", Some(8)), ("added", Some(7))]);
    let told = seven.until("sport=60001 ");
    let told: Vec<_> = told.iter().map(|line| line.split_once(' ').unwrap().0).collect();
    assert_eq!(told, ["added", "removed", "added"]);
    // A family, and what not every event says.
    let once = netns.change("-6 watch conntrack --once");
    assert!(once.lines().any(|line| line.starts_with("added") && line.contains("src=2001:db8::1 ")), "{once}");
    assert!(!once.contains("192.0.2.1") && once.contains("synced conntrack inet6"), "{once}");
    let refused = netns.ringlink("watch conntrack --state ESTABLISHED --once");
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(error.contains("`--state` does not go with `watch conntrack`"), "{error}");
}

/// `nf_conntrack_max` of all namespaces, raised for as long as this lives.
struct Raised(Option<String>);

const MAX: &str = "/proc/sys/net/netfilter/nf_conntrack_max";

impl Raised {
    fn to(least: u64) -> Self {
        let now = fs::read_to_string(MAX).unwrap_or_default();
        let raise = now.trim().parse::<u64>().is_ok_and(|now| now < least);
        Self((raise && fs::write(MAX, least.to_string()).is_ok()).then_some(now))
    }
}

impl Drop for Raised {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // There is nobody to tell.
            let _ = fs::write(MAX, before);
        }
    }
}

/// A hundred thousand connections, made by ringlink, dumped by both.
#[test]
fn a_hundred_thousand_are_shown_alike() {
    const TEST: &str = "a_hundred_thousand_are_shown_alike";
    const COUNT: u32 = 100_000;
    let _raised = Raised::to(u64::from(COUNT) + 10_000);
    let Some(netns) = namespace(TEST) else { return };
    let mut text = String::new();
    for number in 0..COUNT {
        let (a, b, c) = (number >> 16 & 255, number >> 8 & 255, number & 255);
        if number % 4 == 3 {
            let address = format!("2001:db8::{b:x}:{c:x}");
            writeln!(text, "-A -t 3000 -p udp -s {address} -d 2001:db8:1::{a:x} --sport {} --dport 53", 1024 + b)
                .unwrap();
        } else {
            let state = ["ESTABLISHED", "SYN_SENT", "TIME_WAIT"][usize::try_from(number % 3).unwrap()];
            let status = if number % 3 == 0 { "SEEN_REPLY,ASSURED" } else { "UNSET" };
            let port = 1024 + c;
            writeln!(
                text,
                "-A -t 3000 -u {status} -p tcp -s 10.{a}.{b}.{c} -d 192.0.2.{c} --sport {port} --dport 443 --state {state}"
            )
            .unwrap();
        }
    }
    let path = std::env::temp_dir().join(format!("ringlink-conntrack-{}", std::process::id()));
    fs::write(&path, text).unwrap();
    let started = Instant::now();
    let loaded = netns.ringlink(&format!("conntrack load {}", path.display()));
    let load = started.elapsed();
    let _ = fs::remove_file(&path);
    assert!(loaded.status.success(), "{}", String::from_utf8_lossy(&loaded.stderr));
    assert_eq!(netns.change("conntrack count").trim(), COUNT.to_string());

    let timed = |run: &dyn Fn() -> String| {
        let started = Instant::now();
        (run(), started.elapsed())
    };
    let (theirs, their_time) = timed(&|| conntrack(&netns, "-L"));
    let (ours, our_time) = timed(&|| netns.change("conntrack list"));
    let (theirs, ours) = (lines(&theirs), lines(&ours));
    assert_eq!(theirs.len(), usize::try_from(COUNT).unwrap());
    assert!(ours == theirs, "{:?}", ours.symmetric_difference(&theirs).take(4).collect::<Vec<_>>());
    println!("loaded in {load:?}, dumped in {our_time:?}, by conntrack in {their_time:?}");
    assert_eq!(netns.change("conntrack list -p udp").lines().count(), usize::try_from(COUNT / 4).unwrap());
    let deleted = netns.change("conntrack delete -p udp");
    assert_eq!(deleted.lines().count(), usize::try_from(COUNT / 4).unwrap());
    assert_eq!(netns.change("conntrack count").trim(), (COUNT / 4 * 3).to_string());
    netns.change("conntrack flush");
}

#[test]
fn what_makes_no_sense_is_refused() {
    const TEST: &str = "what_makes_no_sense_is_refused";
    let Some(netns) = namespace(TEST) else { return };
    let one = "-p tcp -s 192.0.2.1 -d 192.0.2.2 --sport 1 --dport 2";
    for (words, code, says) in [
        ("nosuch", 1, "`nosuch` after `conntrack`: expected list, get, create"),
        ("list -p tpc", 1, "`tpc` after `-p`: expected a protocol (tcp, udp"),
        ("list -s 192.0.2.256", 1, "expected an IPv4 or IPv6 address"),
        ("list -s 192.0.2.1 -d 2001:db8::1", 1, "expected IPv4, as what comes before it"),
        ("list -t 5", 1, "`-t` does not go with `list`"),
        ("list dying -z", 1, "`-z` does not go with `dying`"),
        ("flush dying", 1, "`flush` of `dying`: expected list"),
        ("create -p tcp -s 192.0.2.1 -d 192.0.2.2 -t 5", 1, "expected --sport PORT --dport PORT"),
        (&format!("create {one}"), 1, "expected -t SECONDS"),
        (&format!("get {one}"), 1, "there is no such connection"),
        ("get -p tcp", 1, "expected -s ADDRESS -d ADDRESS"),
        (&format!("update {one}"), 1, "expected -t SECONDS, -m MARK"),
        ("delete", 1, "expected which connections (`flush` deletes all)"),
        ("flush -p tcp", 1, "`-p`: expected -f FAMILY or nothing (`delete` takes a choice)"),
        ("count all", 1, "`all`: expected nothing more"),
        ("load /nosuch", 1, "/nosuch: No such file"),
        (&format!("create {one} -t 5 --helper nosuch"), 2, "IPCTNL_MSG_CT_NEW refused"),
        ("expect update", 1, "`update` of expectations: expected list"),
        ("expect create -p tcp", 1, "expected -p PROTO --tuple-src ADDRESS"),
    ] {
        let output = netns.ringlink(&format!("conntrack {words}"));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(code) && error.contains(says), "{words}: {error}");
        assert!(output.stdout.is_empty(), "{words}");
    }
    netns.change(&format!("conntrack create {one} -t 100"));
    let again = netns.ringlink(&format!("conntrack create {one} -t 100"));
    let error = String::from_utf8(again.stderr).unwrap();
    assert!(
        again.status.code() == Some(2) && error.contains("(EEXIST)") && error.contains("conntrack update"),
        "{error}"
    );
    netns.change(&format!("conntrack add {one} -t 100"));
}

#[test]
fn without_rights_nothing_is_told() {
    const TEST: &str = "without_rights_nothing_is_told";
    let Some(netns) = namespace(TEST) else { return };
    for (words, says) in [
        ("list", "IPCTNL_MSG_CT_GET refused: Operation not permitted (EPERM)"),
        ("list -p tcp", "(EPERM)"),
        ("count", "(EPERM)"),
        ("flush", "IPCTNL_MSG_CT_DELETE refused: Operation not permitted (EPERM)"),
        ("expect list", "IPCTNL_MSG_EXP_GET refused"),
        ("events", "setsockopt"),
    ] {
        let mut unprivileged = Command::new("ip");
        unprivileged.args([
            "netns",
            "exec",
            netns.name(),
            "setpriv",
            "--reuid=65534",
            "--clear-groups",
            "--inh-caps=-all",
        ]);
        unprivileged.args([env!("CARGO_BIN_EXE_ringlink"), "conntrack"]).args(words.split(' ')).stdin(Stdio::null());
        let output = unprivileged.output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr);
        if error.contains("failed to execute") || error.contains("Permission denied") {
            println!("absent: {TEST}: {error}");
            return;
        }
        assert!(output.status.code() == Some(2) && error.contains(says), "{words}: {error}");
        assert!(error.contains("CAP_NET_ADMIN"), "{words}: {error}");
    }
}

#[test]
fn help_is_printed() {
    let output = support::ringlink("conntrack help");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.status.success() && text.contains("ringlink conntrack events") && text.contains("--tuple-src"),
        "{text}"
    );
}
