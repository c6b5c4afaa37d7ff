//! Events of processes over the live kernel: each of ten thousand processes is told, or counted as lost.

mod kernel;

use std::collections::HashSet;
use std::time::Duration;

use kernel::{missing, watch};
use ringlink::codec::connector::{Event, ProcessEvents};
use ringlink::engine::Deadline;
use ringlink::processes::Processes;
use ringlink::{Config, EngineChoice, Error, SocketOptions};

/// How many processes are started: a tenth where the processor is emulated.
fn total() -> u64 {
    if std::env::var_os("RINGLINK_GUEST").is_some() { 1_000 } else { 10_000 }
}

/// Starts a process that runs `work`, which may make system calls alone, and ends.
fn helper(work: impl FnOnce()) -> i32 {
    // SAFETY: the child makes system calls only, and ends without running anything of this process's.
    match unsafe { libc::fork() } {
        0 => {
            work();
            // SAFETY: ends the process.
            unsafe { libc::_exit(0) }
        }
        id => id,
    }
}

/// Starts a process that ends at once, and waits for that.
fn start_one() {
    let child = helper(|| {});
    // SAFETY: a null pointer asks for no status.
    unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
}

/// Starts one process on each processor.
fn start_on_each() {
    // SAFETY: asks for a number; all bits of a set may be zero, and the set lives as long as the call.
    unsafe {
        for processor in 0..libc::sysconf(libc::_SC_NPROCESSORS_CONF) {
            let mut set: libc::cpu_set_t = std::mem::zeroed();
            libc::CPU_SET(usize::try_from(processor).unwrap_or(0), &mut set);
            libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &raw const set);
            start_one();
        }
    }
}

/// What was told of a helper's processes.
#[derive(Default)]
struct Told {
    made: HashSet<i32>,
    ended: HashSet<i32>,
    overruns: u32,
}

/// Listens until a helper's end is told, or nothing is told any more. The end of its last process may be told later: it is
/// told after the parent was woken, and by another processor. An end does not say whose process it was if that has
/// reaped it by then.
fn until_end(processes: &mut Processes, told: &mut Told, helper: i32) {
    // Where the helper's end is lost, there is nothing to be waited for.
    let patience = Duration::from_secs(5);
    loop {
        match processes.next(Deadline::after(patience)) {
            Ok(notice) => match notice.event {
                Event::Fork(fork) if fork.parent_tgid == helper => {
                    told.made.insert(fork.child_tgid);
                }
                Event::Exit(exit) if exit.process_tgid == helper => return,
                Event::Exit(exit) if told.made.contains(&exit.process_tgid) => {
                    told.ended.insert(exit.process_tgid);
                }
                _ => {}
            },
            Err(Error::Overrun { .. }) => told.overruns += 1,
            Err(error) if error.is_timed_out() => return,
            Err(error) => panic!("{error}"),
        }
    }
}

fn open(name: &str, engine: EngineChoice, receive_buffer: usize) -> Option<Processes> {
    watch(name);
    let socket = SocketOptions { receive_buffer: Some(receive_buffer), ..SocketOptions::default() };
    match Processes::with(&Config { engine, socket, ..Config::default() }, ProcessEvents::ALL) {
        Ok(processes) => Some(processes),
        Err(Error::NoProtocol { .. }) => {
            println!("absent: {name}: this kernel has no connector");
            None
        }
        Err(Error::NoRing { .. }) => None,
        Err(error) => {
            missing(name, &error.to_string());
            None
        }
    }
}

/// Reaps a helper.
fn reap(helper: i32) {
    // SAFETY: a null pointer asks for no status.
    assert_eq!(unsafe { libc::waitpid(helper, std::ptr::null_mut(), 0) }, helper);
}

#[test]
fn ten_thousand_processes_are_told_or_counted() {
    for (engine, room) in [
        (EngineChoice::Ring, 32 << 20),
        (EngineChoice::Syscall, 32 << 20),
        // Room for some ten events, so that many are lost.
        (EngineChoice::Ring, 4096),
        (EngineChoice::Syscall, 4096),
    ] {
        let Some(mut processes) = open("processes", engine, room) else { continue };
        let first = helper(|| (0..total()).for_each(|_| start_one()));
        let mut told = Told::default();
        until_end(&mut processes, &mut told, first);
        reap(first);
        // What comes after a loss shows it, on each processor.
        let mut later = Told { made: told.made.clone(), ..Told::default() };
        let last = helper(start_on_each);
        until_end(&mut processes, &mut later, last);
        reap(last);
        let ended = told.ended.union(&later.ended).filter(|id| told.made.contains(id)).count() as u64;
        let (made, overruns, lost) = (told.made.len() as u64, told.overruns + later.overruns, processes.lost());
        println!("{engine:?}, {room} bytes: {made} made, {ended} ended, {overruns} overruns, {lost} events lost");
        assert!(total() - made <= lost, "{engine:?}: {made} made, {lost} lost");
        assert!(made - ended <= lost, "{engine:?}: {ended} of {made} ended, {lost} lost");
        assert!(overruns > 0 || lost == 0, "{engine:?}: {lost} lost without a word");
        if room > 1 << 20 {
            assert_eq!((made, ended, lost), (total(), total(), 0), "{engine:?}");
        }
        processes.end().expect("sent");
    }
}

#[test]
fn only_what_is_asked_for_is_told() {
    watch("events of some kinds");
    let mut processes = match Processes::with(&Config::default(), ProcessEvents::EXIT) {
        Ok(processes) => processes,
        Err(Error::NoProtocol { .. }) => return println!("absent: the connector"),
        Err(error) => return missing("events of some kinds", &error.to_string()),
    };
    let helper = helper(start_one);
    loop {
        let notice = processes.next(kernel::soon()).expect("an event");
        let Event::Exit(exit) = notice.event else { panic!("{notice:?}") };
        if exit.process_tgid == helper {
            break;
        }
    }
    reap(helper);
}
