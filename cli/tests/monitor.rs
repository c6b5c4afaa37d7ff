//! What changes, as `monitor` and `watch` print it, against `ip monitor` and `show`.

mod support;

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use support::{Netns, command, ringlink, skip};

/// How long something may take that is to happen at once.
const PATIENCE: Duration = Duration::from_secs(30);

/// A program that prints what changes, ended when it is dropped.
struct Listener {
    child: Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

impl Listener {
    /// Starts `ringlink --netns NAME --stats` with these words, and waits until it says that it listens.
    fn ringlink(netns: &Netns, words: &str) -> Self {
        let listener = Self::start(command(&format!("--netns {} --stats {words}", netns.name())));
        listener.error(|line| line.contains("listening"));
        listener
    }

    /// Starts `ip -n NAME` with these words. It does not say when it listens: it does once it tells of a change.
    fn ip(netns: &Netns, words: &str, mut poke: impl FnMut()) -> Self {
        let mut ip = Command::new("ip");
        ip.args(["-n", netns.name()]).args(words.split(' ')).stdin(Stdio::null());
        let listener = Self::start(ip);
        let deadline = Instant::now() + PATIENCE;
        loop {
            poke();
            if listener.lines.recv_timeout(Duration::from_millis(50)).is_ok() {
                return listener;
            }
            assert!(Instant::now() < deadline, "ip {words} tells nothing");
        }
    }

    fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let lines = receive(child.stdout.take().unwrap());
        let errors = receive(child.stderr.take().unwrap());
        Self { child, lines, errors }
    }

    /// Sends it a signal.
    fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.child.id());
        assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success(), "{line}");
    }

    /// The next line.
    fn next(&self) -> String {
        self.lines.recv_timeout(PATIENCE).unwrap_or_else(|error| {
            let errors: Vec<String> = self.errors.try_iter().collect();
            panic!("no line: {error}; {errors:?}")
        })
    }

    /// The lines up to the first of which `is_last` says so.
    fn until(&self, mut is_last: impl FnMut(&str) -> bool) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.next();
            let last = is_last(&line);
            lines.push(line);
            if last {
                return lines;
            }
        }
    }

    /// The same as JSON objects.
    fn rows_until(&self, mut is_last: impl FnMut(&Value) -> bool) -> Vec<Value> {
        let lines = self.until(|line| is_last(&object(line)));
        lines.iter().map(|line| object(line)).collect()
    }

    /// The first line on standard error of which `is_it` says so.
    fn error(&self, is_it: impl Fn(&str) -> bool) -> String {
        loop {
            let line = self.errors.recv_timeout(PATIENCE).expect("a line on standard error");
            if is_it(&line) {
                return line;
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // One that has ended already is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The lines that a program prints, read by a thread so that waiting for them can end.
fn receive(from: impl std::io::Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let Ok(line) = line else { return };
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

fn object(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))
}

fn is_mark(row: &Value, event: &str) -> bool {
    row["event"] == event
}

/// What differs between runs of the same program: when an event came, and spaces at the ends of lines.
fn plain(line: &str) -> String {
    let stamp = |text: &str| text.starts_with("[2") && text.ends_with(']') && text.len() == 28;
    match line.split_once(' ') {
        Some((first, rest)) if stamp(first) => format!("[TIME] {}", rest.trim_end()),
        _ => line.trim_end().to_owned(),
    }
}

/// Changes of all that both programs have rows for, but for an alias, which `ip monitor` does not tell. Afterwards a rule is made by which the end is known.
/// Between some of them both are waited for.
const CHANGES: &[&str] = &[
    "addr add 10.0.0.1/24 dev v0",
    "addr add 2001:db8::1/64 dev v0 nodad",
    "route add 10.1.0.0/16 via 10.0.0.2",
    "route add blackhole 10.3.0.0/16 metric 7 table 9",
    "-6 route add 2001:db8:1::/64 via 2001:db8::2",
    "route replace 10.1.0.0/16 via 10.0.0.3 mtu 1400",
    "neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev v0",
    "neigh del 10.0.0.2 dev v0",
    "rule add pref 9 from 1.2.3.4 lookup 7",
    "rule del pref 9",
    "-6 rule add pref 8 to 2001:db8::/32 blackhole",
    "nexthop add id 5 via 10.0.0.7 dev v0",
    "nexthop add id 6 group 5",
    "route add 10.5.0.0/16 nhid 5",
    "nexthop del id 5",
    "link set v1 mtu 1400",
    "link add v2 type veth peer name v3",
    // Names are asked for while the interfaces are there.
    BETWEEN,
    "link del v2",
    "route del 10.1.0.0/16",
    "addr del 10.0.0.1/24 dev v0",
];

/// The rule by which it is known that all before is told.
const BETWEEN: &str = "rule add pref 4710 from 9.9.9.8";

/// The rule by which the end of the changes is known.
const LAST: &str = "rule add pref 4711 from 9.9.9.9";

/// The objects that both have.
const OBJECTS: &str = "link address route neigh rule netconf nexthop";

#[test]
fn text_is_that_of_ip() {
    for options in ["", "-ts "] {
        let Some(netns) = Netns::with_interfaces("text_is_that_of_ip") else { return };
        let mut poked = 0;
        let theirs = Listener::ip(&netns, &format!("{options}monitor label {OBJECTS}"), || {
            poked += 1;
            netns.ip(&format!("rule add pref 1 from 127.0.0.{poked}"));
        });
        let ours = Listener::ringlink(&netns, &format!("{options}monitor label {OBJECTS}"));
        let lines = |listener: &Listener, last: &str| -> Vec<String> {
            let lines = listener.until(|line| line.contains(last));
            lines.iter().map(|line| plain(line)).filter(|line| !line.contains("127.0.0.")).collect()
        };
        let (mut of_theirs, mut of_ours) = (Vec::new(), Vec::new());
        for change in CHANGES.iter().chain([&LAST]) {
            if let Err(error) = netns.try_ip(change) {
                println!("{change}: {error}");
            }
            let last = if *change == BETWEEN { "4710:" } else { "4711:" };
            if [BETWEEN, LAST].contains(change) {
                of_theirs.extend(lines(&theirs, last));
                of_ours.extend(lines(&ours, last));
            }
        }
        let (theirs, ours) = (of_theirs, of_ours);
        assert_eq!(ours, theirs, "{options}");
        assert!(ours.iter().any(|line| line.contains("[NEXTHOP]")) && ours.len() > 40, "{ours:#?}");
        assert!(options.is_empty() || ours.iter().any(|line| line.starts_with("[TIME] [ROUTE]")), "{ours:#?}");
    }
}

#[test]
fn long_timestamps_are_those_of_ip() {
    let Some(netns) = Netns::with_interfaces("long_timestamps_are_those_of_ip") else { return };
    let mut poked = 0;
    let theirs = Listener::ip(&netns, "-t monitor rule", || {
        poked += 1;
        netns.ip(&format!("rule add pref 1 from 127.0.0.{poked}"));
    });
    let ours = Listener::ringlink(&netns, "-t monitor rule");
    netns.ip(LAST);
    let stamp = |listener: &Listener| {
        let lines = listener.until(|line| line.contains("4711:"));
        lines[lines.len() - 2].clone()
    };
    let (theirs, ours) = (stamp(&theirs), stamp(&ours));
    // But for the microseconds; the second may have passed between both.
    let words = |line: &str| -> Vec<String> { line.split_whitespace().map(str::to_owned).collect() };
    let (theirs, ours) = (words(&theirs), words(&ours));
    assert_eq!((ours.len(), &ours[..4]), (theirs.len(), &theirs[..4]));
    assert_eq!((&ours[5], ours.last()), (&theirs[5], theirs.last()));
}

#[test]
fn json_says_object_event_and_time() {
    let Some(netns) = Netns::with_interfaces("json_says_object_event_and_time") else { return };
    let listener = Listener::ringlink(&netns, "--json -t monitor");
    netns.ip("addr add 10.0.0.1/24 dev v0");
    netns.ip(&format!("netns set {} 7", netns.name()));
    netns.ip("nexthop add id 5 via 10.0.0.7 dev v0");
    netns.ip("link add b0 type bridge");
    netns.ip("link set v1 master b0");
    netns.ip("token set ::5 dev v0");
    netns.ip("addr del 10.0.0.1/24 dev v0");
    netns.ip(LAST);
    let rows = listener.rows_until(|row| row["priority"] == 4711);
    for row in &rows {
        assert!(row["object"].is_string(), "{row}");
        assert!(["new", "del", "message"].contains(&row["event"].as_str().unwrap()), "{row}");
        let time = row["time"].as_str().unwrap();
        assert!(time.len() == 32 && time.as_bytes()[10] == b'T', "{time}");
        assert!(row.get("netnsid").is_none(), "{row}");
    }
    let has = |object: &str, event: &str, key: &str, value: Value| {
        let found = rows.iter().any(|row| row["object"] == object && row["event"] == event && row[key] == value);
        assert!(found, "{object} {event} {key} {value} in {rows:#?}");
    };
    has("address", "new", "local", "10.0.0.1".into());
    has("address", "del", "deleted", true.into());
    has("route", "new", "dst", "10.0.0.0/24".into());
    has("nsid", "new", "nsid", 7.into());
    has("nexthop", "new", "id", 5.into());
    has("link", "new", "ifname", "b0".into());
    has("netconf", "new", "interface", "b0".into());
    // What has no row of its own has the names and values of `decode`.
    // What has no row of its own has the names and values of `decode`.
    has("ifinfo", "new", "message", "RTM_NEWLINK".into());
    has("rule", "new", "src", "9.9.9.9".into());
}

#[test]
fn namespaces_are_named() {
    const TEST: &str = "namespaces_are_named";
    let (Some(here), Some(named)) = (Netns::new(TEST), Netns::new(TEST)) else {
        return;
    };
    named.ip("link add v0 type veth peer name v1");
    here.ip(&format!("netns set {} 5", named.name()));
    here.ip("link set lo up");
    let text = Listener::ringlink(&here, "monitor link all-nsid");
    let json = Listener::ringlink(&here, "--json monitor rule route --all-netns");
    named.ip("link set v0 up");
    let expected = format!("[netns {}]", named.name());
    let line = text.next();
    assert!(line.starts_with(&expected) && line.contains(": v0@v1: <"), "{line}");
    here.ip("link set lo down");
    text.until(|line| line.starts_with("[nsid current]1: lo: <LOOPBACK>"));
    named.ip("addr add 10.0.0.1/24 dev v0");
    let row = json.rows_until(|row| row["dst"] == "10.0.0.0/24").pop().unwrap();
    assert_eq!((row["netns"].as_str(), row["netnsid"].as_i64()), (Some(named.name()), Some(5)));
    assert_eq!(row["dev"], "v0", "{row}");
    here.ip(LAST);
    let row = json.rows_until(|row| row["priority"] == 4711).pop().unwrap();
    assert_eq!((row.get("netns"), &row["netnsid"]), (None, &Value::Null));
    // The program holds nothing of a namespace: its id goes when the namespace does.
    let ids = Listener::ringlink(&here, "monitor nsid");
    drop(named);
    ids.until(|line| line.trim_end() == "Deleted nsid 5");
}

#[test]
fn other_protocols_are_heard() {
    let Some(netns) = Netns::with_interfaces("other_protocols_are_heard") else { return };
    let text = Listener::ringlink(&netns, "monitor xfrm policy sa");
    let json = Listener::ringlink(&netns, "--json monitor xfrm");
    let devices = Listener::ringlink(&netns, "--json monitor uevent kernel");
    if let Err(error) = netns.try_ip("xfrm policy add src 1.2.3.4 dst 5.6.7.8 dir out") {
        skip::<()>("other_protocols_are_heard", &error);
    } else {
        let line = text.next();
        assert!(line.starts_with("[POLICY]"), "{line}");
        let row = object(&json.next());
        assert_eq!(row["object"], "xfrm");
        assert_eq!(row["type"], 19, "XFRM_MSG_NEWPOLICY: {row}");
    }
    netns.ip("link add d0 type veth peer name d1");
    let row =
        devices.rows_until(|row| row["action"] == "add" && row["devpath"] == "/devices/virtual/net/d0").pop().unwrap();
    assert_eq!((row["object"].as_str(), row["event"].as_str()), (Some("uevent"), Some("new")));
    assert_eq!(row["properties"]["INTERFACE"], "d0", "{row}");
    for (words, says) in [
        ("monitor xfrm nosuch", "groups of xfrm: acquire expire sa policy"),
        ("monitor generic nosuch", "no family `nosuch`"),
        ("monitor nosuch", "an object or protocol"),
        ("monitor --resync --all-netns", "one namespace"),
    ] {
        let output = netns.ringlink(words);
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && err.contains(says), "{words}: {err}");
    }
}

/// A table that is told by events.
#[derive(Default)]
struct Table(BTreeSet<String>);

impl Table {
    /// Takes an event in. Rows are told by destination and gateway.
    fn take(&mut self, row: &Value) {
        let key = format!("{} {}", row["dst"], row["gateway"]);
        match row["event"].as_str().unwrap() {
            "added" | "new" => _ = self.0.insert(key),
            "removed" | "del" => assert!(self.0.remove(&key), "{row} was not there"),
            _ => {}
        }
    }

    /// What `show` has.
    fn shown(netns: &Netns) -> BTreeSet<String> {
        netns.rows("route").iter().map(|row| format!("{} {}", row["dst"], row["gateway"])).collect()
    }
}

#[test]
fn a_watch_tells_state_then_changes() {
    let Some(netns) = Netns::with_interfaces("a_watch_tells_state_then_changes") else { return };
    netns.ip("addr add 10.0.0.1/24 dev v0");
    netns.ip("route add 10.1.0.0/16 via 10.0.0.2");
    let json = Listener::ringlink(&netns, "--json watch route");
    let text = Listener::ringlink(&netns, "watch route 10.1.0.0/16");
    let rows = json.rows_until(|row| is_mark(row, "synced"));
    let mut table = Table::default();
    rows.iter().for_each(|row| table.take(row));
    assert_eq!((&rows[0]["event"], &rows[0]["cause"]), (&"resync".into(), &"first".into()));
    assert_eq!(rows.last().unwrap()["complete"], true);
    assert_eq!(table.0, Table::shown(&netns));
    assert!(rows.iter().all(|row| row["object"] == "route"), "{rows:?}");
    netns.ip("route add 10.2.0.0/16 via 10.0.0.2");
    let row = object(&json.next());
    assert_eq!((&row["event"], &row["dst"], &row["dev"]), (&"added".into(), &"10.2.0.0/16".into(), &"v0".into()));
    table.take(&row);
    netns.ip("route del 10.2.0.0/16");
    let row = object(&json.next());
    assert_eq!((&row["event"], row.get("deleted")), (&"removed".into(), None));
    table.take(&row);
    // The kernel tells nothing of routes that an interface takes with it.
    netns.ip("link set v0 down");
    let rows = json.rows_until(|row| is_mark(row, "removed") && row["dst"] == "10.1.0.0/16");
    assert!(rows.iter().any(|row| is_mark(row, "resync") && row["cause"] == "doubt"), "{rows:?}");
    rows.iter().for_each(|row| table.take(row));
    json.rows_until(|row| is_mark(row, "synced")).iter().for_each(|row| table.take(row));
    assert_eq!(table.0, Table::shown(&netns));
    // The other one was told of one prefix.
    let lines = text.until(|line| line.starts_with("removed 10.1.0.0/16"));
    let marks = ["resync route inet: ", "synced route inet"];
    let lines: Vec<&String> = lines.iter().filter(|line| !marks.iter().any(|mark| line.starts_with(mark))).collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_eq!(lines[0].trim_end(), "added 10.1.0.0/16 via 10.0.0.2 dev v0");
}

#[test]
fn a_watch_is_of_any_table() {
    let Some(netns) = Netns::with_interfaces("a_watch_is_of_any_table") else { return };
    netns.ip("addr add 10.0.0.1/24 dev v0");
    netns.ip("neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev v0");
    netns.ip("nexthop add id 5 via 10.0.0.7 dev v0");
    for (words, show, key) in [
        ("watch link", "link", "ifname"),
        ("watch link type veth up", "link show type veth up", "ifname"),
        ("watch neigh", "neigh", "dst"),
        ("watch neigh dev v1", "neigh show dev v1", "dst"),
        ("watch rule", "rule", "priority"),
        ("-6 watch rule", "-6 rule", "priority"),
        ("-6 watch route table local", "-6 route show table local", "dst"),
    ] {
        let rows = netns.change(&format!("--json {words} --once"));
        let told: Vec<Value> = rows.lines().map(object).filter(|row| is_mark(row, "added")).collect();
        let told: BTreeSet<String> = told.iter().map(|row| row[key].to_string()).collect();
        let shown: BTreeSet<String> = netns.rows(show).iter().map(|row| row[key].to_string()).collect();
        assert_eq!(told, shown, "{words}");
    }
    let rows = netns.change("--json watch addr --once");
    let addresses: Vec<Value> = rows.lines().map(object).filter(|row| is_mark(row, "added")).collect();
    assert!(addresses.iter().any(|row| row["local"] == "10.0.0.1" && row["dev"] == "v0"), "{rows}");
    let text = netns.change("watch nexthop dev v0 --once");
    assert!(text.contains("added id 5 via 10.0.0.7 dev v0 scope link"), "{text}");
    assert!(netns.change("watch nexthop id 6 --once").lines().all(|line| !line.starts_with("added")));

    // One that no longer matches is removed.
    let listener = Listener::ringlink(&netns, "--json watch link v1 up");
    listener.rows_until(|row| is_mark(row, "synced"));
    netns.ip("link set v1 down");
    let rows = listener.rows_until(|row| is_mark(row, "removed"));
    assert_eq!(rows.last().unwrap()["ifname"], "v1");
    netns.ip("link set v1 up");
    listener.rows_until(|row| is_mark(row, "added") && row["ifname"] == "v1");
    netns.ip("link del v0");
    listener.rows_until(|row| is_mark(row, "removed") && row["ifname"] == "v1");
}

#[test]
fn help_is_printed() {
    for (object, says) in [("monitor", "--resync"), ("watch", "--once")] {
        let help = ringlink(&format!("{object} help"));
        assert!(help.status.success() && String::from_utf8(help.stdout).unwrap().contains(says), "{object}");
    }
}

#[test]
fn a_watch_ends_when_time_is_up() {
    let Some(netns) = Netns::with_interfaces("a_watch_ends_when_time_is_up") else { return };
    let started = Instant::now();
    let output = netns.change("watch rule --timeout 1");
    assert!(started.elapsed() >= Duration::from_secs(1) && output.contains("synced rule inet"), "{output}");
    for (words, says) in [
        ("watch", "expected link, addr"),
        ("watch nosuch", "expected link, addr"),
        ("watch addr up", "does not look at interfaces"),
        ("watch neigh proxy", "not of proxies"),
        ("watch route dev nosuch", "no interface `nosuch`"),
        ("watch rule --timeout soon", "a number"),
    ] {
        let output = netns.ringlink(words);
        let err = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.code() == Some(1) && err.contains(says), "{words}: {err}");
    }
}

/// More changes at once than a receive buffer holds: routes made, and some of them taken away.
fn storm(netns: &Netns) {
    const ROUTES: u32 = 3000;
    let made =
        (0..ROUTES).map(|number| format!("route add 10.{}.{}.0/24 via 10.0.0.2\n", 1 + number / 250, number % 250));
    let gone = (0..ROUTES - 500)
        .map(|number| format!("route del 10.{}.{}.0/24 via 10.0.0.2\n", 1 + number / 250, number % 250));
    let lines: String = made.chain(gone).collect();
    let mut ip = Command::new("ip").args(["-n", netns.name(), "-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut ip.stdin.take().unwrap(), lines.as_bytes()).unwrap();
    assert!(ip.wait().unwrap().success());
}

#[test]
fn after_a_storm_the_table_is_that_of_show() {
    for (options, words, engine) in [
        ("--receive-buffer 4096", "watch route", "syscall"),
        ("--receive-buffer 4096", "watch route", "auto"),
        ("--receive-buffer 4096", "-4 monitor route --resync", "syscall"),
    ] {
        let Some(netns) = Netns::with_interfaces("after_a_storm_the_table_is_that_of_show") else { return };
        netns.ip("addr add 10.0.0.1/24 dev v0");
        let mut table = Table::default();
        if words.contains("monitor") {
            // It tells changes alone; what is there is known already.
            table.0 = Table::shown(&netns);
        }
        let listener = Listener::ringlink(&netns, &format!("--json --engine {engine} {options} {words}"));
        // One that does not run cannot keep up.
        listener.signal("STOP");
        storm(&netns);
        listener.signal("CONT");
        netns.ip("route add 10.200.0.0/16 via 10.0.0.2");
        let wanted = Table::shown(&netns);
        let (mut overruns, mut rows) = (0, 0);
        // The last change may be told before a table that is still to be read anew.
        let deadline = Instant::now() + PATIENCE;
        while table.0 != wanted {
            assert!(Instant::now() < deadline, "{words}: {} rows, {} wanted", table.0.len(), wanted.len());
            let row = object(&listener.next());
            if is_mark(&row, "resync") && row["cause"] == "overrun" {
                assert!(row["lost"].as_u64().unwrap() > 0, "{row}");
                overruns += 1;
            }
            table.take(&row);
            rows += 1;
        }
        println!("{engine}, {words}: {overruns} overruns, {rows} lines");
        assert!(overruns > 0, "{words}: no event was lost");
    }
}

#[test]
fn losses_are_told_with_their_number() {
    let Some(netns) = Netns::with_interfaces("losses_are_told_with_their_number") else { return };
    netns.ip("addr add 10.0.0.1/24 dev v0");
    let listener = Listener::ringlink(&netns, "--engine syscall --receive-buffer 4096 monitor route");
    listener.signal("STOP");
    storm(&netns);
    listener.signal("CONT");
    let line = listener.error(|line| line.contains("messages were lost"));
    let numbers: Vec<u32> = line.split(' ').filter_map(|word| word.parse().ok()).collect();
    assert!(numbers.len() == 1 && numbers[0] > 0 && line.ends_with("what is printed has a gap"), "{line}");
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let Some(netns) = Netns::with_interfaces("a_reader_that_goes_away_ends_it") else { return };
    for words in ["monitor rule", "watch rule", "monitor rule addr --resync"] {
        let mut child = command(&format!("--netns {} --stats {words}", netns.name()))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut err = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        err.read_line(&mut line).unwrap();
        assert!(line.contains("listening"), "{line}");
        drop(child.stdout.take());
        netns.ip("rule add pref 77 from 1.2.3.4");
        let status = child.wait().unwrap();
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut err, &mut rest).unwrap();
        assert!(status.success() && rest.is_empty(), "{words}: {status} {rest}");
        netns.ip("rule del pref 77");
    }
}
