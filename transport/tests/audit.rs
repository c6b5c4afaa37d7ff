//! Audit over the live kernel. What changes anything runs in a guest alone: there is one audit for the whole machine.

mod kernel;

use std::collections::BTreeMap;
use std::io::Write;
use std::os::fd::AsRawFd;
use std::time::Duration;

use kernel::{absent, missing, soon, watch};
use ringlink::audit::Audit;
use ringlink::codec::audit::{
    Action, Architecture, Assembler, Event, Filter, Record, RecordType, Rule, RuleBuilder, RuleField, RuleOperator,
    Status, StatusMask, Typed,
};
use ringlink::codec::multicast::AuditGroup;
use ringlink::engine::Deadline;
use ringlink::{Config, Error, Monitor, Protocol, SocketOptions};

/// A system call that nothing makes without a reason, and that does nothing here: getpriority(2).
const CALL: i64 = libc::SYS_getpriority;
const KEY: &str = "ringlink-test";

/// That of this program, which gives the system call its number. Others are not tried.
const NATIVE: Option<Architecture> = match () {
    () if cfg!(target_arch = "x86_64") => Some(Architecture::X86_64),
    () if cfg!(target_arch = "s390x") => Some(Architecture::S390X),
    () => None,
};

/// Makes so many system calls that the rule is about. It wants a thread that was made after audit was switched on: those made
/// before are never heard of.
fn call(times: usize) {
    for _ in 0..times {
        // SAFETY: no pointers are passed.
        unsafe { libc::syscall(CALL, libc::PRIO_PROCESS, 0) };
    }
}

/// The rule about those of a process.
fn rule(text: &mut [u8], process: u32) -> Rule<'_> {
    let mut rule = RuleBuilder::new(text, Filter::EXIT, Action::ALWAYS);
    rule.architecture(RuleOperator::EQUAL, NATIVE.expect("a known architecture"));
    rule.syscall(u16::try_from(CALL).expect("a small number"));
    rule.number(RuleField::PID, RuleOperator::EQUAL, process);
    rule.text(RuleField::FILTERKEY, RuleOperator::EQUAL, KEY);
    rule.finish().expect("a rule")
}

/// Audit, switched on, with room for what is to come; only in a guest.
fn switched_on(name: &str) -> Option<Audit> {
    watch(name);
    if std::env::var_os("RINGLINK_GUEST").is_none() || NATIVE.is_none() {
        absent(name, "audit is changed in guests alone");
        return None;
    }
    let mut audit = match Audit::open() {
        Err(Error::NoProtocol { .. }) => {
            absent(name, "this kernel has no audit");
            return None;
        }
        other => other.expect("a connection"),
    };
    let mask = StatusMask::ENABLED | StatusMask::BACKLOG_LIMIT | StatusMask::RATE_LIMIT;
    audit.set(Status { mask, enabled: 1, backlog_limit: 65536, ..Status::default() }).expect("switched on");
    Some(audit)
}

/// Checks that an event of ours is whole and that all its fields are read; says whether it is one.
fn is_ours(event: &Event<'_>, process: u32) -> bool {
    for record in event.records() {
        for field in record.fields() {
            let field = field.unwrap_or_else(|error| panic!("{error}: {:?}", record.text));
            assert!(!field.key.as_bytes().is_empty(), "{:?}", record.text);
            if let Typed::Text(text) = field.typed(record.kind) {
                assert!(!text.to_string().is_empty());
            }
        }
    }
    let Some(call) = event.record(RecordType::SYSCALL) else { return false };
    let ours = call.field("key").is_some_and(|key| matches!(key.typed(call.kind), Typed::Text(text) if text == *KEY));
    if ours {
        assert!(event.complete && event.left_out == 0, "{event:?}");
        assert_eq!(call.field("syscall").and_then(|field| field.decimal()), Some(CALL));
        assert_eq!(call.field("success").map(|field| field.value.text().to_string()).as_deref(), Some("yes"));
        assert_eq!(call.field("pid").and_then(|field| field.decimal()), Some(process.into()));
        assert!(event.record(RecordType::PROCTITLE).is_some());
    }
    ours
}

#[test]
fn settings_are_told() {
    watch("audit's settings");
    let mut audit = match Audit::open() {
        Err(Error::NoProtocol { .. }) => return println!("absent: audit"),
        other => other.expect("a connection"),
    };
    let status = match audit.status() {
        Err(error) if error.is_permission() => return missing("audit's settings", &error.to_string()),
        // Not the machine's first namespaces.
        Err(error) if error.errno() == Some(libc::ECONNREFUSED) => return missing("audit", &error.to_string()),
        other => other.expect("settings"),
    };
    assert!(status.enabled <= 2 && status.failure.0 <= 2, "{status:?}");
    assert_eq!(audit.features().expect("features").vers, 1);
    audit.tty().expect("the terminal's");
    let mut rules = 0;
    let end = audit.rules(|_| {
        rules += 1;
        Ok(())
    });
    assert!(end.expect("rules").is_complete());
    // The daemon is not chosen among other settings, and not every record is a program's.
    let refused = audit.set(Status { mask: StatusMask::PID, pid: 1, ..Status::default() });
    assert!(matches!(refused, Err(Error::Configuration { .. })));
    assert!(matches!(audit.tell(RecordType::SYSCALL, "x"), Err(Error::Configuration { .. })));
    assert_eq!(audit.status().expect("settings").pid, status.pid);
}

#[test]
fn ten_thousand_calls_are_told_whole() {
    const CALLS: usize = 10_000;
    let Some(mut audit) = switched_on("ten thousand calls") else { return };
    let config = Config {
        socket: SocketOptions { receive_buffer: Some(64 << 20), ..SocketOptions::default() },
        ..Config::default()
    };
    let monitor = Monitor::with(Protocol::AUDIT, &config, &[AuditGroup::READLOG.0]).expect("a monitor");
    let mut text = [0; 64];
    let process = std::process::id();
    let rule = rule(&mut text, process);
    audit.add_rule(&rule).expect("added");
    assert!(audit.add_rule(&rule).is_err_and(|error| error.already_exists()));
    let mut told = Vec::new();
    audit
        .rules(|rule| {
            told.push((rule.header, rule.strings().to_vec()));
            Ok(())
        })
        .expect("rules");
    assert_eq!(told, [(rule.header, KEY.as_bytes().to_vec())]);

    let caller = std::thread::spawn(|| call(CALLS));
    let mut events = Assembler::<16, 4096>::new();
    let (mut ours, mut records) = (0, 0_u64);
    let mut kinds = BTreeMap::<RecordType, u64>::new();
    while ours < CALLS {
        let notice = monitor.receive(Deadline::after(Duration::from_secs(60))).expect("a record");
        let record = Record::parse(notice.bytes()).expect("a record that can be read");
        // To a group, the header's length is that of all.
        assert_eq!(notice.messages().next().map(|message| message.is_ok()), Some(true));
        records += 1;
        *kinds.entry(record.kind).or_default() += 1;
        if let Some(event) = events.add(&record) {
            ours += usize::from(is_ours(&event, process));
        }
    }
    caller.join().expect("made");
    println!("{ours} events, {records} records: {kinds:?}; {} numbers without an event", events.missing());
    assert_eq!(events.missing(), 0);
    assert_eq!(audit.status().expect("settings").lost, 0);
    audit.delete_rule(&rule).expect("deleted");
    assert!(audit.delete_rule(&rule).is_err_and(|error| error.is_not_found()));

    // What a program writes.
    audit.tell(RecordType::USER_CMD, "op=test cmd=6C73 it's res=success").expect("written");
    loop {
        let notice = monitor.receive(soon()).expect("a record");
        let record = Record::parse(notice.bytes()).expect("a record that can be read");
        if record.kind == RecordType::USER_CMD {
            let message = record.field("msg").expect("a message").value.text();
            assert_eq!(message, "op=test cmd=6C73 it's res=success");
            break;
        }
    }
}

#[test]
fn the_daemon_is_told_by_length_of_datagram() {
    let Some(audit) = switched_on("the daemon") else { return };
    let mut other = Audit::open().expect("a connection");
    let mut daemon = audit.become_the_daemon().expect("the daemon");
    assert_eq!(other.status().expect("settings").pid, std::process::id());
    let mut text = [0; 64];
    // What the daemon itself does is not told. The other process waits for the rule before it makes its calls.
    let (reader, writer) = std::io::pipe().expect("a pipe");
    // SAFETY: the child makes system calls only, and ends without running anything of this process's.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let mut byte = 0_u8;
        // SAFETY: the kernel writes at most one byte, which is there; `_exit` ends the process.
        unsafe {
            libc::read(reader.as_raw_fd(), (&raw mut byte).cast(), 1);
            call(100);
            libc::_exit(0);
        }
    }
    let process = u32::try_from(child).expect("a process");
    let rule = rule(&mut text, process);
    other.add_rule(&rule).expect("added");
    (&writer).write_all(&[1]).expect("written");
    let mut events = Assembler::<16, 4096>::new();
    let mut ours = 0;
    while ours < 100 {
        let told = daemon.receive(soon()).expect("a message");
        if told.kind() == RecordType::REPLACE {
            continue;
        }
        let length = u32::from_ne_bytes(told.bytes()[..4].try_into().expect("four"));
        assert_eq!(usize::try_from(length).expect("a length") + 16, told.bytes().len());
        let record = told.record().unwrap_or_else(|error| panic!("{error}: {:?} {:?}", told.kind(), told.bytes()));
        if let Some(event) = events.add(&record) {
            ours += usize::from(is_ours(&event, process));
        }
    }
    // SAFETY: a null pointer asks for no status.
    assert_eq!(unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) }, child);
    other.delete_rule(&rule).expect("deleted");
    let mut audit = daemon.resign().expect("resigned");
    assert_eq!(audit.status().expect("settings").pid, 0);
}
