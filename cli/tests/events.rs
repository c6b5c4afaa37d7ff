//! Events of devices and of processes, as `uevents` and `processes` print them.

mod support;

use std::process::Command;

use support::{Listener, Netns, PATIENCE, command, skip};

#[test]
fn devices_come_and_change_and_go() {
    let Some(netns) = Netns::new("devices_come_and_change_and_go") else { return };
    let json = Listener::start(&format!("--netns {} --json uevents", netns.name())).unwrap();
    let text = Listener::start(&format!("--netns {} uevents", netns.name())).unwrap();
    netns.ip("link add d0 type veth peer name d1");
    netns.ip("link set d0 name d2");
    netns.ip("link del d1");
    for (action, path) in [("add", "d0"), ("move", "d2"), ("remove", "d2")] {
        let devpath = format!("/devices/virtual/net/{path}");
        let row = json.row(|row| row["action"] == action && row["devpath"] == devpath);
        let properties = &row["properties"];
        assert_eq!((&properties["ACTION"], &properties["DEVPATH"]), (&row["action"], &row["devpath"]));
        assert_eq!((&properties["SUBSYSTEM"], &properties["INTERFACE"]), (&"net".into(), &path.into()), "{row}");
    }
    let line = "add /devices/virtual/net/d0";
    while text.lines.recv_timeout(PATIENCE).expect("a line") != line {}
    let properties: Vec<String> = text.lines.iter().take(4).collect();
    assert_eq!(properties[..2], ["    SUBSYSTEM=net", "    INTERFACE=d0"]);
}

#[test]
fn processes_start_and_end() {
    let listener = match Listener::start("processes --json") {
        Ok(listener) => listener,
        Err(error) if error.contains("does not have the protocol") => return println!("absent: the connector"),
        Err(error) => return skip("processes_start_and_end", &error).unwrap_or_default(),
    };
    let mut child = Command::new("sh").args(["-c", "exit 3"]).spawn().unwrap();
    let id = child.id();
    assert_eq!(child.wait().unwrap().code(), Some(3));
    // Told in the order in which it happened, as long as one processor does it; a child may run on another.
    let rows = [("fork", "child_pid"), ("exec", "pid"), ("exit", "pid")].map(|(event, key)| {
        let other = Listener::row(&listener, |row| row["event"] == event && row[key] == id);
        assert!(other["timestamp_ns"].is_u64() && other["cpu"].is_u64(), "{other}");
        other
    });
    assert_eq!(rows[2]["code"], 3);
    let refused = command("processes nosuch").output().unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("fork, exec"));
}

#[test]
fn captures_are_decoded() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../codec/tests/event_captures");
    if cfg!(target_endian = "little") {
        let output = command(&format!("--json decode -p connector {folder}/connector.hex")).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains(r#""fork_proc_event":{"parent_pid":"#), "{text}");
    } else {
        println!("absent: captures_are_decoded: the connector's is in the byte order of another machine");
    }
    // A datagram of the kernel's, and one of udev's that is cut.
    let capture = std::fs::read_to_string(format!("{folder}/uevent.hex")).unwrap();
    let first = capture.lines().find(|line| !line.starts_with('#')).unwrap();
    let folder = std::env::temp_dir().join(format!("ringlink-uevent-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    for (text, succeeds, says) in [
        (first, true, "add /devices/virtual/net/d1\n    SUBSYSTEM=net\n"),
        ("6c6962756465760011", false, "9 bytes found, 40 expected, at offset 0"),
    ] {
        let file = folder.join("datagram.hex");
        std::fs::write(&file, text).unwrap();
        let output = command(&format!("decode -p kobject_uevent {}", file.display())).output().unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(output.status.success() == succeeds && said.contains(says), "{said}");
    }
    std::fs::remove_dir_all(&folder).unwrap();
}
