//! Packets over the live kernel: told by the log, handed over by queues, counted to the last.

mod kernel;

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;
use std::net::UdpSocket;
use std::os::fd::{AsFd, AsRawFd};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use kernel::{REQUEST, asked_for, ip, isolated, message, missing, open, send_to, soon};
use ringlink::codec::netfilter::log::ConfigFlags as LogFlags;
use ringlink::codec::netfilter::packet::Hook;
use ringlink::codec::netfilter::queue::{ConfigFlags, Packet, Verdict};
use ringlink::codec::netfilter::{Family, log, queue};
use ringlink::engine::{Deadline, EngineChoice};
use ringlink::error::{PacketProblem, PacketService};
use ringlink::packets::*;
use ringlink::socket::Socket;
use ringlink::{Error, Protocol, SocketOptions};

/// The system's allocator, counting the calls of each thread.
struct Counting;

thread_local!(static CALLS: Cell<u64> = const { Cell::new(0) });

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // A thread that ends has no counter any more.
        let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let _ = CALLS.try_with(|calls| calls.set(calls.get() + 1));
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// How often `work` asks for memory.
fn allocations(work: impl FnOnce()) -> u64 {
    let before = CALLS.get();
    work();
    CALLS.get() - before
}

const ENGINES: [EngineChoice; 2] = [EngineChoice::Syscall, EngineChoice::Ring];

fn with(engine: EngineChoice) -> PacketConfig {
    PacketConfig { engine, ..PacketConfig::default() }
}

/// Gives a test a namespace with `lo`, and says where a rule cannot be made why not.
fn with_rules(name: &'static str, rules: &[&str], test: impl Fn(EngineChoice) + Send + Sync) {
    let program = rules[0].split(' ').next().unwrap_or_default();
    if Command::new(program).arg("--version").output().is_err() {
        return missing(name, &format!("needs the program {program}"));
    }
    for engine in asked_for(ENGINES) {
        isolated(name, || {
            ip("link set lo up");
            for rule in rules {
                if let Err(error) = run(rule, "") {
                    return println!("absent: {name}: {rule}: {error}");
                }
            }
            test(engine);
        });
    }
}

fn run(line: &str, input: &str) -> Result<(), String> {
    let mut words = line.split(' ');
    let mut child = Command::new(words.next().expect("a program"))
        .args(words)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| error.to_string())?;
    child.stdin.take().expect("a pipe").write_all(input.as_bytes()).expect("written");
    let output = child.wait_with_output().expect("it ends");
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).lines().next().unwrap_or_default().to_owned()),
    }
}

/// A socket that sends to a port of `lo`, and the one that receives there.
fn pair() -> (UdpSocket, UdpSocket) {
    let receiver = UdpSocket::bind("127.0.0.1:0").expect("a port");
    receiver.set_read_timeout(Some(Duration::from_secs(20))).expect("set");
    let sender = UdpSocket::bind("127.0.0.1:0").expect("a port");
    sender.connect(receiver.local_addr().expect("an address")).expect("connected");
    (sender, receiver)
}

fn send(sender: &UdpSocket, times: usize, text: &[u8]) {
    (0..times).for_each(|_| assert!(sender.send(text).is_ok()));
}

const LOG_RULES: [&str; 3] = [
    "nft add table inet t",
    "nft add chain inet t out { type filter hook output priority 0 ; }",
    "nft add rule inet t out udp dport != 0 meta mark set 23 log prefix \"one:\" group 5",
];

const QUEUE_RULES: [&str; 1] = ["iptables -A OUTPUT -p udp -m mark ! --mark 0x99 -j NFQUEUE --queue-num 6"];

#[test]
fn packets_are_told() {
    with_rules("packets_are_told", &LOG_RULES, |engine| {
        let flags = LogFlags::SEQ_GLOBAL;
        let config = LogConfig { threshold: Some(1), flags, packets: with(engine), ..LogConfig::default() };
        let log = PacketLog::with(5, &config).expect("bound");
        let (sender, _receiver) = pair();
        for (index, text) in ["a", "bb", "ccc"].into_iter().enumerate() {
            sender.send(text.as_bytes()).expect("sent");
            let packets = log.receive(soon()).expect("told");
            let told: Vec<_> = packets.packets().map(|packet| packet.expect("whole")).collect();
            let [packet] = told[..] else { panic!("{told:?}") };
            assert_eq!((packet.family, packet.group, packet.hook), (Family::IPV4, 5, Hook::LOCAL_OUT));
            assert_eq!(packet.prefix.map(|prefix| prefix.to_string()).as_deref(), Some("one:"));
            assert_eq!((packet.mark, packet.owner, packet.outdev), (Some(23), Some((0, 0)), Some(1)));
            assert!(packet.payload.is_some_and(|payload| payload.ends_with(text.as_bytes())));
            assert_eq!(packet.sequence, u32::try_from(index).ok());
            assert!(packet.global_sequence.is_some());
        }
        assert_eq!((log.counters().packets, log.counters().lost), (3, 0));
    });
}

#[test]
fn many_packets_come_in_a_datagram() {
    with_rules("many_packets_come_in_a_datagram", &LOG_RULES, |engine| {
        // Half a minute: only a full datagram is sent.
        let timeout = Some(Duration::from_secs(30));
        let config = LogConfig {
            extent: Extent::First(20),
            threshold: Some(50),
            buffer: Some(32 * 1024),
            timeout,
            packets: with(engine),
            ..LogConfig::default()
        };
        let log = PacketLog::with(5, &config).expect("bound");
        let (sender, _receiver) = pair();
        send(&sender, 100, b"hello");
        for _ in 0..2 {
            let packets = log.receive(soon()).expect("told");
            assert_eq!(packets.packets().count(), 50);
            assert!(packets.packets().all(|packet| packet.expect("whole").payload.map(<[u8]>::len) == Some(20)));
        }
        assert_eq!((log.counters().packets, log.counters().lost), (100, 0));
    });
}

#[test]
fn what_the_log_loses_is_counted() {
    with_rules("what_the_log_loses_is_counted", &LOG_RULES, |engine| {
        let socket = SocketOptions { receive_buffer: Some(8192), ..SocketOptions::default() };
        let packets = PacketConfig { engine, socket };
        let log =
            PacketLog::with(5, &LogConfig { threshold: Some(1), packets, ..LogConfig::default() }).expect("bound");
        let (sender, _receiver) = pair();
        send(&sender, 1000, b"hello");
        let mut told = 0;
        // What waits is taken; then there is room for one more, whose number tells what was lost before it.
        while log.receive(Deadline::after(Duration::ZERO)).is_ok() {}
        sender.send(b"last").expect("sent");
        while told < 1001 {
            drop(log.receive(soon()).expect("told"));
            told = log.counters().packets + log.counters().lost;
        }
        assert_eq!(told, 1001);
        assert!(log.counters().lost > 0, "{:?}", log.counters());
        // Of one packet each.
        assert_eq!(u64::from(log.drops().expect("counted")), log.counters().lost);
    });
}

#[test]
fn verdicts_are_obeyed() {
    with_rules("verdicts_are_obeyed", &QUEUE_RULES, |engine| {
        let config = QueueConfig { flags: ConfigFlags::UID_GID, packets: with(engine), ..QueueConfig::default() };
        let queue = PacketQueue::with(6, &config).expect("bound");
        let (sender, receiver) = pair();
        let mut bytes = [0; 64];
        let mut text = |receiver: &UdpSocket| {
            let length = receiver.recv(&mut bytes).expect("received");
            String::from_utf8_lossy(&bytes[..length]).into_owned()
        };

        // In order: accepted, dropped, accepted.
        ["one", "two", "three"].iter().for_each(|text| send(&sender, 1, text.as_bytes()));
        for (id, verdict) in [(1, Verdict::ACCEPT), (2, Verdict::DROP), (3, Verdict::ACCEPT)] {
            let packet = queue.receive(soon()).expect("handed over");
            assert_eq!((packet.id(), packet.view().expect("whole").owner), (id, Some((0, 0))));
            queue.verdict(id, verdict).expect("decided");
            assert!(queue.verdict(id, verdict).is_err(), "decided twice");
        }
        queue.flush().expect("sent");
        assert_eq!([text(&receiver), text(&receiver)], ["one", "three"]);
        assert_eq!((queue.counters().verdicts, queue.counters().messages), (3, 3));

        // Out of order, all alike: the first waits for its own verdict.
        ["four", "five", "six"].iter().for_each(|text| send(&sender, 1, text.as_bytes()));
        for _ in 0..3 {
            drop(queue.receive(soon()).expect("handed over"));
        }
        [5, 6].iter().for_each(|id| queue.verdict(*id, Verdict::ACCEPT).expect("decided"));
        queue.flush().expect("sent");
        assert_eq!([text(&receiver), text(&receiver)], ["five", "six"]);
        assert_eq!(queue.undecided(), 1);
        assert_eq!(queue.state().expect("root reads it").waiting, 1);
        queue.verdict(4, Verdict::ACCEPT).expect("decided");
        queue.flush().expect("sent");
        assert_eq!(text(&receiver), "four");

        // A run is one message.
        send(&sender, 10, b"run");
        for id in 7..17 {
            drop(queue.receive(soon()).expect("handed over"));
            queue.verdict(id, Verdict::ACCEPT).expect("decided");
        }
        queue.flush().expect("sent");
        (0..10).for_each(|_| assert_eq!(text(&receiver), "run"));
        // How many runs the ten are depends on when there was nothing to receive.
        assert!((7..16).contains(&queue.counters().messages), "{:?}", queue.counters());
        assert_eq!((queue.counters().late, queue.counters().refused, queue.counters().lost), (0, 0, 0));
    });
}

#[test]
fn packets_are_changed() {
    with_rules("packets_are_changed", &QUEUE_RULES, |engine| {
        let config = QueueConfig { packets: with(engine), ..QueueConfig::default() };
        let queue = PacketQueue::with(6, &config).expect("bound");
        let (sender, receiver) = pair();
        sender.send(b"hello").expect("sent");
        let packet = queue.receive(soon()).expect("handed over");
        let mut payload = packet.view().expect("whole").payload.expect("there").to_vec();
        let length = payload.len();
        payload[length - 5..].copy_from_slice(b"world");
        // No checksum of UDP: the change need not be summed up.
        payload[26..28].fill(0);
        queue
            .verdict_with(packet.id(), Verdict::ACCEPT, |packet| packet.put(Packet::PAYLOAD, &payload[..]))
            .expect("decided");
        drop(packet);
        queue.flush().expect("sent");
        let mut bytes = [0; 16];
        assert_eq!(receiver.recv(&mut bytes).expect("received"), 5);
        assert_eq!(&bytes[..5], b"world");

        // Through the chain once more: its mark tells it apart then.
        sender.send(b"again").expect("sent");
        let packet = queue.receive(soon()).expect("handed over");
        queue.verdict_marked(packet.id(), Verdict::REPEAT, 0x99).expect("decided");
        drop(packet);
        queue.flush().expect("sent");
        assert_eq!(receiver.recv(&mut bytes).expect("received"), 5);
        assert!(queue.receive(Deadline::after(Duration::ZERO)).is_err_and(|error| error.is_timed_out()));

        // A payload that fits no request: the packet still waits.
        sender.send(b"large").expect("sent");
        let packet = queue.receive(soon()).expect("handed over");
        let large = vec![0; 70_000];
        let refused =
            queue.verdict_with(packet.id(), Verdict::ACCEPT, |packet| packet.put(Packet::PAYLOAD, &large[..]));
        assert!(matches!(refused, Err(Error::Codec(_))), "{refused:?}");
        queue.verdict(packet.id(), Verdict::ACCEPT).expect("decided");
        drop(packet);
        queue.flush().expect("sent");
        assert_eq!(receiver.recv(&mut bytes).expect("received"), 5);
    });
}

#[test]
fn what_a_queue_loses_is_counted() {
    with_rules("what_a_queue_loses_is_counted", &QUEUE_RULES, |engine| {
        let socket = SocketOptions { receive_buffer: Some(16_384), ..SocketOptions::default() };
        let packets = PacketConfig { engine, socket };
        let queue =
            PacketQueue::with(6, &QueueConfig { length: 100, packets, ..QueueConfig::default() }).expect("bound");
        let (sender, receiver) = pair();
        // What the kernel drops it may refuse to the sender, too.
        let sent = 1000;
        (0..sent).for_each(|_| _ = sender.send(b"hello"));
        let mut handed_over = 0;
        while let Ok(packet) = queue.receive(Deadline::after(Duration::ZERO)) {
            queue.verdict(packet.id(), Verdict::ACCEPT).expect("decided");
            handed_over += 1;
        }
        queue.flush().expect("sent");
        let _ = sender.send(b"last");
        queue.verdict(queue.receive(soon()).expect("handed over").id(), Verdict::ACCEPT).expect("decided");
        queue.flush().expect("sent");
        let (state, counters) = (queue.state().expect("root reads it"), queue.counters());
        assert_eq!(counters.packets, handed_over + 1);
        assert_eq!(counters.packets + state.dropped + state.user_dropped, sent + 1, "{counters:?} {state:?}");
        assert_eq!(counters.lost, state.user_dropped);
        assert!(state.dropped + state.user_dropped > 0);
        let mut bytes = [0; 16];
        (0..counters.packets).for_each(|_| assert!(receiver.recv(&mut bytes).is_ok()));
    });
}

#[test]
fn nobody_else_is_heard() {
    isolated("nobody_else_is_heard", || {
        for engine in asked_for(ENGINES) {
            let log = PacketLog::with(5, &LogConfig { packets: with(engine), ..LogConfig::default() });
            let queue = PacketQueue::with(5, &QueueConfig { packets: with(engine), ..QueueConfig::default() });
            let (log, queue) = (log.expect("bound"), queue.expect("bound"));
            let other = open(Protocol::NETFILTER);
            let forged = kernel::message(queue::Queue::PACKET.kind.0, 0, 0, &[2, 0, 0, 5]);
            for port in [log.socket().port(), queue.socket().port()] {
                let refused = send_to(&other, port, &forged).expect_err("the kernel refuses it");
                assert_eq!(refused.raw_os_error(), Some(libc::ECONNREFUSED));
            }
            assert!(queue.receive(Deadline::after(Duration::ZERO)).is_err_and(|error| error.is_timed_out()));
            assert!(log.receive(Deadline::after(Duration::ZERO)).is_err_and(|error| error.is_timed_out()));
        }
    });
}

#[test]
fn who_cannot_bind_is_told_why() {
    isolated("who_cannot_bind_is_told_why", || {
        let (_log, _queue) = (PacketLog::open(5).expect("bound"), PacketQueue::open(5).expect("bound"));
        let problem = |error: Error| match error {
            Error::Packets { service, number: 5, problem } => (service, problem),
            error => panic!("{error}"),
        };
        let port = |log: &PacketLog| PacketProblem::InUse { port: log.socket().port() };
        assert_eq!(problem(PacketLog::open(5).expect_err("bound already")), (PacketService::Log, port(&_log)));
        let error = PacketQueue::open(5).expect_err("bound already");
        assert!(error.to_string().starts_with("queue 5: another socket has bound it, with port id "), "{error}");
        assert_eq!(error.errno(), Some(libc::EBUSY));
        // Another number is free, and this one is when its socket is gone.
        drop((PacketLog::open(6).expect("bound"), PacketQueue::open(6).expect("bound")));
        drop((_log, _queue));
        drop((PacketLog::open(5).expect("bound"), PacketQueue::open(5).expect("bound")));

        let huge = LogConfig { buffer: Some(1 << 20), ..LogConfig::default() };
        let error = PacketLog::with(5, &huge).expect_err("more than the kernel takes");
        assert!(matches!(error, Error::Configuration { .. }), "{error}");

        let conntrack = QueueConfig { flags: ConfigFlags::CONNTRACK, ..QueueConfig::default() };
        if let Err(error) = PacketQueue::with(5, &conntrack) {
            assert_eq!(problem(error), (PacketService::Queue, PacketProblem::Option));
        }

        // Without rights.
        let (_log, _queue) = (PacketLog::open(7).expect("bound"), PacketQueue::open(7).expect("bound"));
        drop_rights();
        assert_eq!(
            problem(PacketLog::open(5).expect_err("no rights")),
            (PacketService::Log, PacketProblem::NotPermitted)
        );
        let error = PacketQueue::open(5).expect_err("no rights");
        assert!(error.is_permission() && error.to_string().contains("CAP_NET_ADMIN"), "{error}");
    });
}

/// How many packets the last test sends.
fn total() -> u64 {
    std::env::var("RINGLINK_PACKETS").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000)
}

/// Processor time of this thread.
fn processor_time() -> Duration {
    // SAFETY: all fields are integers, for which zero is a value.
    let mut time: libc::timespec = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a local.
    unsafe { libc::clock_gettime(libc::CLOCK_THREAD_CPUTIME_ID, &raw mut time) };
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

/// The packets that the counter of a chain has seen.
fn counted(chain: &str) -> u64 {
    let output = Command::new("nft").args(["list", "chain", "inet", "t", chain]).output().expect("nft is installed");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let words: Vec<&str> = text.split_whitespace().collect();
    let at = words.iter().position(|word| *word == "packets").expect("a counter");
    words[at + 1].parse().expect("a number")
}

/// Has another namespace send so many packets over a veth pair, while `receive` is at work here until it is told that all are
/// sent.
fn with_packets_from_elsewhere(name: &'static str, receive: impl FnOnce(&dyn Fn() -> bool)) {
    let (tell_place, place) = mpsc::channel();
    let (tell_linked, linked) = mpsc::channel();
    let (tell_received, received) = mpsc::channel();
    let sent = &AtomicBool::new(false);
    std::thread::scope(|scope| {
        let peer = scope.spawn(move || {
            isolated(name, move || {
                let thread = std::fs::read_link("/proc/thread-self").expect("this thread");
                tell_place.send(format!("/proc/{}/ns/net", thread.display())).expect("somebody waits");
                let neighbour: String = linked.recv().expect("an interface");
                ip("addr add 192.0.2.2/24 dev v1");
                ip("link set v1 up");
                ip(&format!("neigh replace 192.0.2.1 lladdr {neighbour} dev v1"));
                let socket = UdpSocket::bind("192.0.2.2:0").expect("bound");
                socket.connect("192.0.2.1:9").expect("connected");
                for _ in 0..total() {
                    assert!(socket.send(b"hello, world").is_ok());
                }
                sent.store(true, Ordering::Relaxed);
                // With the namespace the interfaces would go, and with them what waits in a queue.
                let _: Result<(), _> = received.recv();
            });
        });
        let place = place.recv().expect("a namespace");
        ip(&format!("link add v0 address 02:00:00:00:00:01 type veth peer name v1 netns {place}"));
        ip("addr add 192.0.2.1/24 dev v0");
        ip("link set v0 up");
        tell_linked.send("02:00:00:00:00:01".to_owned()).expect("somebody waits");
        receive(&|| sent.load(Ordering::Relaxed));
        tell_received.send(()).expect("somebody waits");
        peer.join().expect("all are sent");
    });
}

const ARRIVED: [&str; 4] = [
    "nft add table inet t",
    "nft add chain inet t early { type filter hook prerouting priority -400 ; }",
    "nft add rule inet t early udp dport 9 counter",
    "nft add chain inet t late { type filter hook input priority 400 ; }",
];

#[test]
fn of_many_packets_each_is_told_or_counted_as_lost() {
    const TEST: &str = "of_many_packets_each_is_told_or_counted_as_lost";
    let rules = [&ARRIVED[..], &["nft add rule inet t late udp dport 9 counter log group 5 drop"]].concat();
    for bare in [true, false] {
        with_rules(TEST, &rules, |engine| {
            if bare && engine == EngineChoice::Ring {
                return;
            }
            let config = LogConfig {
                threshold: Some(32),
                buffer: Some(16 * 1024),
                timeout: Some(Duration::from_millis(20)),
                packets: with(engine),
                ..LogConfig::default()
            };
            let log = PacketLog::with(5, &config).expect("bound");
            let (mut told, start, mut busy) = (0, Instant::now(), processor_time());
            with_packets_from_elsewhere(TEST, |sent| {
                busy = processor_time();
                loop {
                    let all = sent();
                    if bare {
                        let found = receive_bare(log.socket(), &mut |_, message| {
                            told += u64::from(message == log::Log::PACKET.kind.0);
                        });
                        if !found && all && counted("late") == told {
                            break;
                        }
                        continue;
                    }
                    match log.receive(Deadline::after(Duration::from_millis(100))) {
                        Ok(packets) => {
                            for packet in packets.packets() {
                                told += u64::from(packet.expect("whole").payload.is_some());
                            }
                        }
                        Err(error) if error.is_timed_out() && all => break,
                        Err(error) if error.is_timed_out() => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
            let (time, busy) = (start.elapsed(), processor_time() - busy);
            let lost = log.counters().lost;
            report("log", bare, engine, told, lost, time, busy);
            assert_eq!(counted("early"), total());
            assert_eq!(counted("late"), total());
            // Losses behind the last packet are datagrams that the socket's counter tells.
            let drops = log.drops().expect("counted");
            assert!(told + lost == total() || drops > 0, "{told} and {lost} of {}, {drops} datagrams", total());
            if !bare {
                assert_eq!(log.counters().packets, told);
            }
        });
    }
}

#[test]
fn of_many_packets_each_is_accepted_or_counted_as_lost() {
    const TEST: &str = "of_many_packets_each_is_accepted_or_counted_as_lost";
    let rules = [
        &ARRIVED[..],
        &[
            "nft add rule inet t late udp dport 9 counter drop",
            "iptables -A INPUT -p udp --dport 9 -j NFQUEUE --queue-num 6",
        ],
    ]
    .concat();
    for bare in [true, false] {
        with_rules(TEST, &rules, |engine| {
            if bare && engine == EngineChoice::Ring {
                return;
            }
            let queue = PacketQueue::with(6, &QueueConfig { packets: with(engine), ..QueueConfig::default() });
            let queue = queue.expect("bound");
            let (mut accepted, start, mut busy) = (0, Instant::now(), processor_time());
            with_packets_from_elsewhere(TEST, |sent| {
                busy = processor_time();
                loop {
                    let all = sent();
                    if bare {
                        let socket = queue.socket();
                        let found = receive_bare(socket, &mut |packet, kind| {
                            assert_eq!(kind, queue::Queue::PACKET.kind.0, "{packet:?}");
                            let id: [u8; 4] = packet[24..28].try_into().expect("four");
                            // NFQNL_MSG_VERDICT, the queue, NFQA_VERDICT_HDR: NF_ACCEPT.
                            let attribute = [12_u16, 2].map(u16::to_ne_bytes).concat();
                            let verdict = [&[0, 0, 0, 6], &attribute[..], &[0, 0, 0, 1], &id].concat();
                            send_to(socket, 0, &message(0x301, REQUEST, 0, &verdict)).expect("sent");
                            accepted += 1;
                        });
                        if !found && all {
                            break;
                        }
                        continue;
                    }
                    match queue.receive(Deadline::after(Duration::from_millis(100))) {
                        Ok(packet) => {
                            assert!(packet.view().expect("whole").payload.is_some());
                            queue.verdict(packet.id(), Verdict::ACCEPT).expect("decided");
                            accepted += 1;
                        }
                        Err(error) if error.is_timed_out() && all => break,
                        Err(error) if error.is_timed_out() => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
            let (time, busy) = (start.elapsed(), processor_time() - busy);
            let state = queue.state().expect("root reads it");
            report("queue", bare, engine, accepted, state.dropped + state.user_dropped, time, busy);
            println!("{:?} {state:?}", queue.counters());
            assert_eq!(counted("early"), total());
            assert_eq!(accepted + state.dropped + state.user_dropped, total());
            assert_eq!((counted("late"), state.waiting), (accepted, 0));
            if !bare {
                let counters = queue.counters();
                assert_eq!((counters.packets, counters.verdicts), (accepted, accepted));
                assert_eq!((counters.late, counters.refused, counters.others), (0, 0, 0));
                assert!(counters.lost <= state.user_dropped);
            }
        });
    }
}

/// What programs do without a library: one receive, then all messages of the datagram. Says whether there was one.
fn receive_bare(socket: &Socket, each: &mut dyn FnMut(&[u8], u16)) -> bool {
    let mut buffer = [0_u8; 70_000];
    let descriptor = socket.as_fd().as_raw_fd();
    let mut entry = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
    // SAFETY: the kernel writes at most as many bytes as the buffer has.
    let mut receive = || unsafe { libc::recv(descriptor, buffer.as_mut_ptr().cast(), 70_000, libc::MSG_DONTWAIT) };
    let mut length = receive();
    if length < 0 {
        // SAFETY: the pointer is to one local.
        if unsafe { libc::poll(&raw mut entry, 1, 100) } == 0 {
            return false;
        }
        length = receive();
    }
    let datagram = &buffer[..usize::try_from(length).unwrap_or(0)];
    let mut rest = datagram;
    while let Some(header) = rest.first_chunk::<16>() {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        each(&rest[..length.min(rest.len())], u16::from_ne_bytes([header[4], header[5]]));
        rest = rest.get(length.next_multiple_of(4).max(16)..).unwrap_or_default();
    }
    true
}

fn report(what: &str, bare: bool, engine: EngineChoice, came: u64, lost: u64, time: Duration, busy: Duration) {
    let rate = came as f64 / time.as_secs_f64() / 1000.0;
    let cost = busy.as_secs_f64() * 1e6 / came.max(1) as f64;
    let with = if bare { "bare recv".to_owned() } else { format!("{engine:?}") };
    println!("{what} {with}: {came} of {}, {lost} lost; {rate:.0} k/s, {cost:.2} µs of processor time each", total());
}

/// Takes all rights from the calling thread.
fn drop_rights() {
    // `_LINUX_CAPABILITY_VERSION_3`, and this thread.
    let header = [0x2008_0522_u32, 0];
    let none = [0_u32; 6];
    // SAFETY: both arrays are as long as the call reads.
    let result = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

#[test]
fn packets_cost_no_allocation() {
    with_rules("packets_cost_no_allocation", &LOG_RULES, |engine| {
        let config = LogConfig { threshold: Some(1), packets: with(engine), ..LogConfig::default() };
        let log = PacketLog::with(5, &config).expect("bound");
        let (sender, _receiver) = pair();
        let receive = || {
            send(&sender, 500, b"hello");
            let mut packets = 0;
            while packets < 500 {
                packets += log.receive(soon()).expect("told").packets().filter(Result::is_ok).count();
            }
        };
        receive();
        assert_eq!(allocations(receive), 0);
    });
    with_rules("packets_cost_no_allocation", &QUEUE_RULES, |engine| {
        let queue =
            PacketQueue::with(6, &QueueConfig { packets: with(engine), ..QueueConfig::default() }).expect("bound");
        let (sender, _receiver) = pair();
        // Packets that wait are held against their sender's buffer, which 500 would fill.
        let receive = || {
            send(&sender, 100, b"hello");
            for number in 0..100 {
                let packet = queue.receive(soon()).expect("handed over");
                assert!(packet.view().is_ok_and(|view| view.payload.is_some()));
                let verdict = if number % 7 == 0 { Verdict::DROP } else { Verdict::ACCEPT };
                queue.verdict(packet.id(), verdict).expect("decided");
            }
            queue.flush().expect("sent");
        };
        receive();
        assert_eq!(allocations(receive), 0);
    });
}
