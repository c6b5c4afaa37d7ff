//! Engines and what surrounds them: threads, namespaces, sandboxes, signals, and what they leave behind.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ringlink::codec::route::watched::Links;
use ringlink::codec::route::{Family, Link, LinkFlags, LinkHeader, RouteHeader, Rtm};
use ringlink::engine::auto::Auto;
use ringlink::engine::ring::{Ring, RingConfig};
use ringlink::engine::syscall::{Syscall, SyscallConfig};
use ringlink::engine::{self, Deadline, Engine, EngineChoice, EngineKind, Reason, Sizes};
use ringlink::error::Error;
use ringlink::fleet::FleetConfig;
use ringlink::namespace::Namespace;
use ringlink::socket::{Protocol, Socket, SocketOptions};
use ringlink::watch::{Map, Watch};
use ringlink::{Config, Connection, Fleet, Monitor, shared};

mod kernel;

use kernel::*;

#[test]
fn an_engine_moves_between_threads() {
    isolated("an_engine_moves_between_threads", || {
        ip("link set lo up");
        add_routes(&Syscall::new(request_socket(), SyscallConfig::default()).expect("system calls"), 0..5000);
        for (name, mut engine) in engines(request_socket) {
            assert_eq!(sequence(&engine.exchange(&noop(1), soon()).expect(name)), 1, "{name}");
            for _ in 0..3 {
                // Each thread ends, and with it what it had in flight; the last one drops nothing.
                engine = std::thread::spawn(move || {
                    assert_eq!(count_routes(&*engine), 5000);
                    engine
                })
                .join()
                .expect(name);
            }
            assert_eq!(sequence(&engine.exchange(&noop(2), soon()).expect(name)), 2, "{name}");
            // A thread that lives on after it gave the engine away, in the middle of a dump.
            let (give, take) = std::sync::mpsc::channel::<Box<dyn Engine>>();
            let (ended, end) = std::sync::mpsc::channel::<()>();
            std::thread::scope(|scope| {
                scope.spawn(move || {
                    engine.send(&dump_routes(3)).expect(name);
                    drop(engine.receive(soon()).expect(name));
                    give.send(engine).expect(name);
                    end.recv().expect(name);
                });
                let engine = take.recv().expect(name);
                while messages(&engine.receive(soon()).expect(name)).iter().all(|(kind, ..)| *kind != DONE) {}
                assert_eq!(count_routes(&*engine), 5000, "{name}");
                drop(engine);
                ended.send(()).expect(name);
            });
        }
    });
}

#[test]
fn a_socket_in_another_namespace() {
    isolated("a_socket_in_another_namespace", || {
        let name = Named::new();
        let here = Namespace::current().expect("here");
        if !namespaces_have_cookies("a_socket_in_another_namespace") {
            return;
        }
        let cookie = open(Protocol::ROUTE).namespace_cookie().expect("a cookie");
        let by_name = Namespace::name(&name.0).expect("found");
        assert!(Namespace::names().expect("names").iter().any(|other| **other == *name.0));
        let by_path = Namespace::path(format!("/run/netns/{}", name.0)).expect("found");
        let descriptor: OwnedFd = fs::File::open(format!("/run/netns/{}", name.0)).expect("opened").into();
        let by_descriptor = Namespace::descriptor(descriptor).expect("found");
        let child = Child::new(&name.0);
        let by_pid = Namespace::pid(child.0.id()).expect("found");
        let mut cookies = Vec::new();
        for namespace in [by_name, by_path, by_descriptor, by_pid] {
            assert!(!namespace.is_same(&here).expect("compared"));
            let options = SocketOptions { namespace: Some(namespace), ..SocketOptions::default() };
            let socket = Socket::open(Protocol::ROUTE, &options).expect("a socket there");
            cookies.push(socket.namespace_cookie().expect("a cookie"));
            assert!(Namespace::current().expect("here").is_same(&here).expect("compared"), "the caller was moved");
            socket.connect_to_kernel().expect("connected");
            let engine = engine::open(EngineChoice::Auto, socket).expect("an engine");
            drop(engine.exchange(&noop(1), soon()).expect("an answer"));
        }
        assert!(cookies.iter().all(|other| *other == cookies[0] && *other != cookie), "{cookies:?} {cookie}");
    });
}

/// A named namespace that is deleted when dropped.
struct Named(String);

impl Named {
    fn new() -> Named {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let name = format!("ringlink-test-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        ip(&format!("netns add {name}"));
        Named(name)
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).status();
    }
}

/// A process that is ended when dropped.
struct Child(std::process::Child);

impl Child {
    /// `cat` in a named namespace; it answers once it runs, and then the namespace has been entered.
    fn new(namespace: &str) -> Child {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace, "cat"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = Child(command.spawn().expect("started"));
        child.0.stdin.as_mut().expect("a pipe").write_all(b"x").expect("written");
        child.0.stdout.as_mut().expect("a pipe").read_exact(&mut [0]).expect("read");
        child
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Runs a test once more, in a process of its own that `change` may change; says whether this is that process.
fn is_alone(name: &str, change: impl FnOnce(&mut Command)) -> bool {
    if std::env::var_os("RINGLINK_ALONE").is_some() {
        return true;
    }
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(["--exact", name, "--test-threads=1", "--nocapture"]).env("RINGLINK_ALONE", "1");
    change(&mut command);
    let output = command.output().expect("run");
    print!("{}", String::from_utf8_lossy(&output.stdout));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    false
}

#[test]
fn a_process_that_may_lock_little_memory() {
    let little = |command: &mut Command| {
        let limit = libc::rlimit { rlim_cur: 64 * 1024, rlim_max: 64 * 1024 };
        let confine = move || {
            // SAFETY: the limit is valid during the call; a process without privileges cannot raise it again.
            match unsafe { libc::setrlimit(libc::RLIMIT_MEMLOCK, &raw const limit) } {
                0 => Ok(()),
                _ => Err(std::io::Error::last_os_error()),
            }
        };
        // SAFETY: the closure calls nothing but setrlimit(2), which may be called between fork and exec.
        unsafe { command.pre_exec(confine) };
        // SAFETY: no pointers are passed.
        if unsafe { libc::geteuid() } == 0 {
            command.uid(65_534);
        }
    };
    if !is_alone("a_process_that_may_lock_little_memory", little) {
        return;
    }
    // Without a namespace of its own, for that takes privileges: this asks for nothing but acknowledgements.
    let automatic = Auto::new(request_socket(), Sizes { threshold: 0, ..Sizes::default() }).expect("an engine");
    for number in 1..10 {
        automatic.send(&noop(number)).expect("sent");
        automatic.send(&noop(number + 100)).expect("sent");
        assert_eq!(sequence(&automatic.receive(soon()).expect("the first")), number);
        assert_eq!(sequence(&automatic.receive(soon()).expect("the second")), number + 100);
    }
    println!("with 64 KiB of locked memory: {}", automatic.reason());
    match automatic.reason() {
        Reason::NoRing(_) => assert_eq!(automatic.kind(), EngineKind::Syscall),
        reason => assert_eq!((reason, automatic.kind()), (Reason::Long { threshold: 0 }, EngineKind::Ring)),
    }
}

#[test]
fn nothing_is_left_behind() {
    // In a process of its own, because the other tests open descriptors and map memory too.
    if !is_alone("nothing_is_left_behind", |_| {}) {
        return;
    }
    let once = |choice| match Ring::new(request_socket(), choice) {
        Ok(ring) => {
            drop(ring.exchange(&noop(1), soon()).expect("an answer"));
            // Dropped with a receive in flight, and with answers that nobody took.
            ring.send(&noop(2)).expect("sent");
            Ok(())
        }
        Err(error) => Err(error),
    };
    let state = || {
        let descriptors = fs::read_dir("/proc/self/fd").expect("descriptors").count();
        let mappings = fs::read_to_string("/proc/self/maps").expect("mappings").lines().count();
        let pages: Vec<usize> = fs::read_to_string("/proc/self/statm")
            .expect("memory")
            .split(' ')
            .filter_map(|number| number.trim().parse().ok())
            .collect();
        (descriptors, mappings, pages[0], pages[1])
    };
    for _ in 0..20 {
        if let Err(error) = once(RingConfig::default()) {
            return missing("nothing_is_left_behind", &error.to_string());
        }
    }
    let before = state();
    for number in 0..1000 {
        once(if number % 2 == 0 { RingConfig::default() } else { RingConfig::tiny() }).expect("a ring");
    }
    let after = state();
    println!("descriptors, mappings, pages, resident pages: {before:?}, {after:?}");
    assert_eq!(before.0, after.0);
    assert!(after.1 <= before.1 + 2 && after.2 <= before.2 + 64 && after.3 <= before.3 + 64, "{before:?} {after:?}");
}

/// Has the kernel answer one system call of the calling thread, and of no other, with an error.
fn forbid(call: libc::c_long, errno: i32) {
    forbid_with(call, None, errno);
}

/// The same, or only with this first argument.
fn forbid_with(call: libc::c_long, first: Option<u32>, errno: i32) {
    let statement = |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let load = |at| statement(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, at);
    let unless =
        |other, k| libc::sock_filter { jf: other, ..statement(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, k) };
    // Where the lower half of args[0] stands in a seccomp_data, or its nr once more.
    let (argument, first) = match first {
        Some(first) => (if cfg!(target_endian = "big") { 20 } else { 16 }, first),
        None => (0, call as u32),
    };
    let mut program = [
        load(0), // seccomp_data.nr
        unless(3, call as u32),
        load(argument),
        unless(1, first),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ERRNO | errno as u32),
        statement(libc::BPF_RET | libc::BPF_K, libc::SECCOMP_RET_ALLOW),
    ];
    let program = libc::sock_fprog { len: program.len() as u16, filter: program.as_mut_ptr() };
    // SAFETY: no pointers are passed.
    assert_eq!(unsafe { libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) }, 0);
    // SAFETY: the kernel copies the program, which is valid during the call.
    let result = unsafe { libc::prctl(libc::PR_SET_SECCOMP, libc::SECCOMP_MODE_FILTER, &raw const program) };
    assert_eq!(result, 0);
}

/// What the C library opens a socket by: a system call, which may do that with one first argument alone.
#[cfg(not(target_arch = "s390x"))]
const SOCKET: (libc::c_long, Option<u32>) = (libc::SYS_socket, None);
/// SYS_SOCKET (include/uapi/linux/net.h).
#[cfg(target_arch = "s390x")]
const SOCKET: (libc::c_long, Option<u32>) = (libc::SYS_socketcall, Some(1));

#[test]
fn a_sandbox_without_io_uring() {
    if let Err(error) = Ring::new(request_socket(), RingConfig::tiny()) {
        return missing("a_sandbox_without_io_uring", &error.to_string());
    }
    for (call, errno, text) in [
        (libc::SYS_io_uring_setup, libc::EPERM, "io_uring is forbidden here"),
        (libc::SYS_io_uring_setup, libc::ENOSYS, "no io_uring"),
        (libc::SYS_io_uring_register, libc::EINVAL, "would not take a ring of buffers"),
    ] {
        isolated("a_sandbox_without_io_uring", || {
            ip("link set lo up");
            forbid(call, errno);
            let ring = engine::open(EngineChoice::Ring, request_socket()).expect_err("no ring");
            assert!(matches!(ring, Error::NoRing { .. }) && ring.to_string().contains(text), "{ring}");
            let engine = Auto::new(request_socket(), Sizes { threshold: 1, ..Sizes::default() }).expect("an engine");
            add_routes(&engine, 0..3000);
            assert_eq!(count_routes(&engine), 3000);
            assert_eq!((engine.kind(), engine.reason()), (EngineKind::Syscall, Reason::NoRing(ring)));
            assert!(engine.reason().to_string().starts_with("syscall: "), "{}", engine.reason());
        });
    }
}

#[test]
fn signals_do_not_end_a_wait() {
    extern "C" fn nothing(_: i32) {}
    // SAFETY: all fields are integers and pointers, for which zero is a value: no flags, so no restart.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = nothing as extern "C" fn(i32) as usize;
    // SAFETY: the action is valid, and its handler does nothing.
    let result = unsafe { libc::sigaction(libc::SIGUSR1, &raw const action, std::ptr::null_mut()) };
    assert_eq!(result, 0);
    for (name, engine) in engines(request_socket) {
        let (started, start) = std::sync::mpsc::channel();
        let waiter = std::thread::spawn(move || {
            // SAFETY: it has no conditions.
            started.send(unsafe { libc::pthread_self() }).expect(name);
            let (start, short) = (Instant::now(), Duration::from_millis(50));
            let result = engine.receive(Deadline::after(short)).map(drop);
            (result, start.elapsed() >= short)
        });
        let thread = start.recv().expect(name);
        while !waiter.is_finished() {
            // SAFETY: the thread was not joined yet, so its id is valid.
            unsafe { libc::pthread_kill(thread, libc::SIGUSR1) };
            std::thread::yield_now();
        }
        assert_eq!(waiter.join().expect(name), (Err(Error::TimedOut), true), "{name}");
    }
}

/// Bounds the numbers that the process's descriptors may have; returns what the bound was.
fn bound_descriptors(most: libc::rlim_t) -> libc::rlim_t {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the limit is valid during the call.
    assert_eq!(unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) }, 0);
    let before = limit.rlim_cur;
    limit.rlim_cur = most;
    // SAFETY: as above.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) }, 0);
    before
}

/// Whatever opens sockets, by its name, and what came of it.
fn open_everything() -> Vec<(&'static str, Result<(), Error>)> {
    let link = [GROUP_LINK];
    vec![
        ("a connection", Connection::open(Protocol::ROUTE).map(drop)),
        ("a monitor", Monitor::open(Protocol::ROUTE, &link).map(drop)),
        ("a watch", Watch::open(Links, Map::new()).map(drop)),
        ("a shared handle", shared::open(Protocol::ROUTE).map(drop)),
        (
            "a fleet",
            Fleet::new(FleetConfig::default())
                .and_then(|mut fleet| fleet.open(Protocol::ROUTE, &SocketOptions::default(), 3).map(drop)),
        ),
    ]
}

#[test]
fn no_descriptor_is_left() {
    // In a process of its own, whose limit is changed.
    if !is_alone("no_descriptor_is_left", |_| {}) {
        return;
    }
    isolated("no_descriptor_is_left", || {
        ip("link set lo up");
        add_routes(&Syscall::new(request_socket(), SyscallConfig::default()).expect("system calls"), 0..20_000);
        let mut connection = Connection::open(Protocol::ROUTE).expect("a connection");
        let inet = RouteHeader { family: Family::INET, ..RouteHeader::default() };
        let mut dump = connection.dump(Rtm::GETROUTE, inet, |_| {}).expect("begun");
        assert!(dump.next().expect("one").is_some());
        drop(dump);

        let usual = bound_descriptors(0);
        // What a dump that was given up has left is received, since its socket cannot be replaced.
        let mut count = 0;
        let dump = connection.dump(Rtm::GETROUTE, inet, |_| {});
        let end = dump.and_then(|dump| {
            dump.for_each(|_| {
                count += 1;
                Ok(())
            })
        });
        let opened = open_everything();
        bound_descriptors(usual);
        assert!(end.expect("an end").is_complete() && count >= 20_000, "{count}");
        assert_eq!(connection.statistics().reopened, 0);
        for (name, opened) in opened {
            assert_eq!(opened.map_err(|error| error.errno()), Err(Some(libc::EMFILE)), "{name}");
        }

        // With a few left, each step of opening fails once, and leaves none open.
        let descriptors = || fs::read_dir("/proc/self/fd").expect("descriptors").count();
        let before = descriptors();
        let mut failures = 0;
        for most in 4..60 {
            bound_descriptors(most);
            let opened = open_everything();
            bound_descriptors(usual);
            for (name, opened) in opened {
                failures += usize::from(opened.is_err());
                assert!(
                    opened.as_ref().map_or_else(|error| error.errno() == Some(libc::EMFILE), |()| true),
                    "{name}: {opened:?}"
                );
            }
        }
        assert!((5..200).contains(&failures), "{failures}");
        assert_eq!(descriptors(), before);
        assert!(open_everything().iter().all(|(_, opened)| opened.is_ok()));
    });
}

#[test]
fn memory_is_short() {
    isolated("memory_is_short", || {
        ip("link set lo up");
        forbid(libc::SYS_io_uring_setup, libc::ENOMEM);
        let ring = engine::open(EngineChoice::Ring, request_socket()).expect_err("no ring");
        assert_eq!(ring, Error::System { call: "io_uring_setup", errno: libc::ENOMEM });
        let engine = Auto::new(request_socket(), Sizes { threshold: 1, ..Sizes::default() }).expect("an engine");
        add_routes(&engine, 0..3000);
        assert_eq!(count_routes(&engine), 3000);
        assert_eq!((engine.kind(), engine.reason()), (EngineKind::Syscall, Reason::NoRing(ring)));
        // Events come without one, too.
        let monitor = Monitor::open(Protocol::ROUTE, &[GROUP_LINK]).expect("a monitor");
        ip("link set lo down");
        assert!(monitor.receive(soon()).is_ok());
        let (call, first) = SOCKET;
        forbid_with(call, first, libc::ENOBUFS);
        for (name, opened) in open_everything() {
            let error = opened.expect_err(name);
            assert!(matches!(error.errno(), Some(libc::ENOBUFS | libc::ENOMEM)), "{name}: {error}");
        }
        assert_eq!(count_routes(&engine), 0, "the routes went with the interface");
    });
}

#[test]
fn a_namespace_and_its_interfaces_go_away() {
    isolated("a_namespace_and_its_interfaces_go_away", || {
        let name = Named::new();
        let there = |arguments: &str| ip(&format!("-n {} {arguments}", name.0));
        for number in 0..60 {
            there(&format!("link add bridge{number} type bridge"));
        }
        for choice in [EngineChoice::Syscall, EngineChoice::Auto] {
            let config = Config { engine: choice, ..Config::in_namespace(Namespace::name(&name.0).expect("found")) };
            let mut connection = Connection::with(Protocol::ROUTE, config.clone()).expect("a connection");
            let monitor = Monitor::with(Protocol::ROUTE, &config, &[GROUP_LINK]).expect("a monitor");
            let mut dump = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("begun");
            let first = dump.next().expect("one").map(|link| link.header.index);
            assert_eq!(first, Some(1));
            let victims = if choice == EngineChoice::Auto { [50, 51] } else { [58, 59] };
            victims.iter().for_each(|number| there(&format!("link del bridge{number}")));
            let mut count = 1;
            while dump.next().expect("one").is_some() {
                count += 1;
            }
            assert!(count >= 57 && !dump.end().truncated, "{count} {:?}", dump.end());
            drop(dump);
            assert!(monitor.receive(soon()).is_ok());
        }
        let config = Config::in_namespace(Namespace::name(&name.0).expect("found"));
        let mut connection = Connection::with(Protocol::ROUTE, config.clone()).expect("a connection");
        let monitor = Monitor::with(Protocol::ROUTE, &config, &[GROUP_LINK]).expect("a monitor");
        let mut dump = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {}).expect("begun");
        assert!(dump.next().expect("one").is_some());
        // Its name goes; sockets in it keep it, and all goes on.
        drop(name);
        let mut count = 1;
        while dump.next().expect("one").is_some() {
            count += 1;
        }
        assert!(count >= 57 && dump.end().is_complete(), "{count}");
        drop(dump);
        assert_eq!(monitor.receive(Deadline::after(Duration::ZERO)).map(drop), Err(Error::TimedOut));
        let up = LinkHeader { index: 1, flags: LinkFlags::UP, change: LinkFlags::UP, ..LinkHeader::default() };
        assert_eq!(connection.apply(Rtm::SETLINK, up, |_| {}), Ok(None));
        let notice = monitor.receive(soon()).expect("an event");
        assert!(!notice.bytes().is_empty());
        let lo = connection.get(Rtm::GETLINK, LinkHeader { index: 1, ..LinkHeader::default() }, |_| {}).expect("lo");
        assert_eq!(
            lo.body().attributes.get(Link::IFNAME).expect("read").map(|name| name.to_string()),
            Some("lo".into())
        );
    });
}

#[test]
fn a_child_that_was_forked_takes_nothing_away() {
    isolated("a_child_that_was_forked_takes_nothing_away", || {
        ip("link set lo up");
        add_routes(&Syscall::new(request_socket(), SyscallConfig::default()).expect("system calls"), 0..5000);
        for (name, engine) in engines(request_socket) {
            engine.send(&dump_routes(3)).expect(name);
            drop(engine.receive(soon()).expect(name));
            // It has copies of all descriptors and of the ring's memory, and does nothing.
            // SAFETY: the child calls nothing but pause(2), until it is ended.
            let child = match unsafe { libc::fork() } {
                0 => loop {
                    // SAFETY: no pointers are passed.
                    unsafe { libc::pause() };
                },
                child => child,
            };
            assert!(child > 0, "{name}");
            while messages(&engine.receive(soon()).expect(name)).iter().all(|(kind, ..)| *kind != DONE) {}
            assert_eq!(count_routes(&*engine), 5000, "{name}");
            // SAFETY: the child is ours and was not waited for; the status may be null.
            unsafe {
                libc::kill(child, libc::SIGKILL);
                assert_eq!(libc::waitpid(child, std::ptr::null_mut(), 0), child);
            }
            assert_eq!(count_routes(&*engine), 5000, "{name}");
        }
    });
}
