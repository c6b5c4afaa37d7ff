//! Hand-built requests and private network namespaces, for tests against the live kernel.
#![allow(dead_code, reason = "each test file uses a part")]

use std::os::fd::{AsFd, AsRawFd};
use std::process::Command;
use std::time::Duration;

use ringlink::engine::auto::Auto;
use ringlink::engine::ring::{Ring, RingConfig};
use ringlink::engine::{self, Deadline, Engine, EngineChoice, Sizes};
use ringlink::socket::{Protocol, Socket, SocketOptions};

pub(crate) const NOOP: u16 = 1;
pub(crate) const ERROR: u16 = 2;
pub(crate) const DONE: u16 = 3;
pub(crate) const NEWLINK: u16 = 16;
pub(crate) const GETLINK: u16 = 18;
pub(crate) const NEWROUTE: u16 = 24;
pub(crate) const GETROUTE: u16 = 26;

pub(crate) const REQUEST: u16 = 0x001;
pub(crate) const ACK: u16 = 0x004;
pub(crate) const DUMP: u16 = 0x300;
pub(crate) const CREATE: u16 = 0x400;
pub(crate) const REPLACE: u16 = 0x100;

pub(crate) const AF_INET: u8 = 2;

pub(crate) const GROUP_LINK: u32 = 1;
pub(crate) const GROUP_ROUTE: u32 = 7;

/// What a hand-built request needs of a message.
pub(crate) fn message(kind: u16, flags: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend((16 + payload.len() as u32).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(sequence.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

pub(crate) fn noop(sequence: u32) -> Vec<u8> {
    message(NOOP, REQUEST | ACK, sequence, &[])
}

pub(crate) fn dump_routes(sequence: u32) -> Vec<u8> {
    let mut rtmsg = [0; 12];
    rtmsg[0] = AF_INET;
    message(GETROUTE, REQUEST | DUMP, sequence, &rtmsg)
}

/// A host route by way of `lo`, in 10.0.0.0/8, in the main table.
pub(crate) fn new_route(number: u32, flags: u16) -> Vec<u8> {
    let mut payload = vec![AF_INET, 32, 0, 0, 254, 4, 253, 1, 0, 0, 0, 0];
    payload.extend(8u16.to_ne_bytes()); // RTA_DST
    payload.extend(1u16.to_ne_bytes());
    payload.extend((0x0a00_0000 + number).to_be_bytes());
    payload.extend(8u16.to_ne_bytes()); // RTA_OIF
    payload.extend(4u16.to_ne_bytes());
    payload.extend(1u32.to_ne_bytes());
    message(NEWROUTE, REQUEST | CREATE | flags, number, &payload)
}

/// A message's type, flags and payload.
pub(crate) type Parts<'a> = (u16, u16, &'a [u8]);

pub(crate) fn messages(mut bytes: &[u8]) -> Vec<Parts<'_>> {
    let mut found = Vec::new();
    while bytes.len() >= 16 {
        let length = u32::from_ne_bytes(bytes[..4].try_into().expect("four")) as usize;
        let half = |at: usize| u16::from_ne_bytes(bytes[at..at + 2].try_into().expect("two"));
        assert!((16..=bytes.len()).contains(&length), "length {length} of {}", bytes.len());
        found.push((half(4), half(6), &bytes[16..length]));
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
    found
}

/// The sequence number of a datagram's first message.
pub(crate) fn sequence(datagram: &[u8]) -> u32 {
    u32::from_ne_bytes(datagram[8..12].try_into().expect("four"))
}

/// The errno of a message of type ERROR.
pub(crate) fn errno(payload: &[u8]) -> i32 {
    i32::from_ne_bytes(payload[..4].try_into().expect("four"))
}

pub(crate) fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

pub(crate) fn open(protocol: Protocol) -> Socket {
    Socket::open(protocol, &SocketOptions::default()).expect("a socket")
}

pub(crate) fn request_socket() -> Socket {
    let socket = open(Protocol::ROUTE);
    socket.connect_to_kernel().expect("connected");
    socket
}

/// Of these engines those that are asked for: all, or with `RINGLINK_ENGINE=syscall` or `ring` those that never, or may,
/// use a ring.
pub(crate) fn asked_for(choices: impl IntoIterator<Item = EngineChoice>) -> impl Iterator<Item = EngineChoice> {
    let asked = std::env::var("RINGLINK_ENGINE").ok();
    choices.into_iter().filter(move |choice| match asked.as_deref() {
        None => true,
        Some("syscall") => *choice == EngineChoice::Syscall,
        Some("ring") => *choice != EngineChoice::Syscall,
        Some(other) => panic!("RINGLINK_ENGINE={other}: neither syscall nor ring"),
    })
}

/// Every engine that is asked for, and an automatic one that has its ring at the second datagram already.
pub(crate) fn engines(socket: impl Fn() -> Socket) -> Vec<(&'static str, Box<dyn Engine>)> {
    let mut all: Vec<(&'static str, Box<dyn Engine>)> = Vec::new();
    let asked = |choice| asked_for([choice]).next().is_some();
    if asked(EngineChoice::Syscall) {
        all.push(("syscall", engine::open(EngineChoice::Syscall, socket()).expect("system calls")));
    }
    if !asked(EngineChoice::Ring) {
        return all;
    }
    all.push(("auto", engine::open(EngineChoice::Auto, socket()).expect("auto")));
    let eager = Sizes { threshold: 0, ..Sizes::default() };
    all.push(("eager", Box::new(Auto::new(socket(), eager).expect("auto"))));
    match engine::open(EngineChoice::Ring, socket()) {
        Ok(ring) => {
            all.push(("ring", ring));
            all.push(("tiny", Box::new(Ring::new(socket(), RingConfig::tiny()).expect("a tiny ring"))));
            all.push(("monitor", Box::new(Ring::new(socket(), RingConfig::monitor()).expect("a large ring"))));
        }
        Err(error) => missing("ring engines", &error.to_string()),
    }
    all
}

/// Whether this kernel tells network namespaces apart by a number (Linux 5.14); says so where it does not.
pub(crate) fn namespaces_have_cookies(name: &str) -> bool {
    let has = open(Protocol::ROUTE).namespace_cookie().is_ok();
    if !has {
        println!("absent: {name}: no numbers of namespaces (SO_NETNS_COOKIE)");
    }
    has
}

/// Says that a test was skipped; where tests must run, fails instead.
pub(crate) fn missing(name: &str, need: &str) {
    assert!(std::env::var("CI").as_deref() != Ok("true"), "{name}: {need}");
    println!("skipped: {name}: {need}");
}

/// Says what this kernel lacks, without which there is nothing to test.
pub(crate) fn absent(name: &str, what: &str) {
    println!("absent: {name}: {what}");
}

/// Tells the watchdog outside, if there is one, what the kernel is about to be asked.
pub(crate) fn watch(what: &str) {
    if let Some(file) = std::env::var_os("RINGLINK_WATCH") {
        std::fs::write(file, what).expect("the watchdog's file can be written");
    }
}

/// Runs a test in a thread of its own in a network namespace of its own, which ends with it.
pub(crate) fn isolated(name: &'static str, test: impl FnOnce() + Send) {
    if Command::new("ip").arg("-V").output().is_err() {
        return missing(name, "needs the program ip (iproute2)");
    }
    watch(name);
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: no pointers are passed; only this thread moves.
            if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
                return missing(name, "needs CAP_SYS_ADMIN");
            }
            test();
        });
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Runs `ip` in the calling thread's namespace.
pub(crate) fn ip(arguments: &str) {
    watch(&format!("ip {arguments}"));
    let status = Command::new("ip").args(arguments.split(' ')).status().expect("ip is installed");
    assert!(status.success(), "ip {arguments}");
}

/// Adds routes with numbers of a range, in batches whose last message is acknowledged.
pub(crate) fn add_routes(engine: &dyn Engine, range: std::ops::Range<u32>) {
    let end = range.end;
    let numbers: Vec<u32> = range.collect();
    for batch in numbers.chunks(256) {
        let last = *batch.last().expect("not empty");
        let bytes: Vec<u8> = batch
            .iter()
            .flat_map(|number| new_route(*number, REPLACE | if *number == last { ACK } else { 0 }))
            .collect();
        let answer = engine.exchange(&bytes, soon()).expect("an answer");
        assert_eq!(errno(messages(&answer)[0].2), 0, "routes to {end}");
    }
}

/// Primes the socket, dumps the routes of 10.0.0.0/8 and counts them.
pub(crate) fn count_routes(engine: &dyn Engine) -> usize {
    drop(engine.exchange(&noop(1), soon()).expect("primed"));
    let mut routes = 0;
    let mut datagram = engine.exchange(&dump_routes(2), soon()).expect("the first");
    loop {
        for (kind, _, payload) in messages(&datagram) {
            match kind {
                DONE => return routes,
                NEWROUTE => routes += usize::from(payload[4] == 254),
                _ => panic!("type {kind}"),
            }
        }
        drop(datagram);
        datagram = engine.receive(soon()).expect("the next");
    }
}

/// Sends to another process's socket, which the library does not do.
pub(crate) fn send_to(socket: &Socket, port: u32, bytes: &[u8]) -> std::io::Result<()> {
    // SAFETY: all fields are integers, for which zero is a value.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as u16;
    address.nl_pid = port;
    let (pointer, length) = ((&raw const address).cast(), size_of_val(&address) as u32);
    // SAFETY: both pointers are valid for their lengths.
    match unsafe { libc::sendto(socket.as_fd().as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0, pointer, length) } {
        -1 => Err(std::io::Error::last_os_error()),
        _ => Ok(()),
    }
}
