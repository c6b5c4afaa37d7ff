//! Clocks, allocations, memory, system calls, instructions.

use std::alloc::{GlobalAlloc, Layout, System};
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::Outcome;

/// The system's allocator, counting calls for memory. Counts of threads that allocate at the same time may be lost: a
/// locked addition would cost those who allocate much more than it tells.
pub struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

fn count() {
    ALLOCATIONS.store(ALLOCATIONS.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// How often this process has asked for memory.
pub fn allocations() -> u64 {
    ALLOCATIONS.load(Ordering::Relaxed)
}

/// The processor time of this process, all threads, user and kernel (`CLOCK_PROCESS_CPUTIME_ID`).
pub fn processor_time() -> Duration {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the pointer is to a timespec of ours.
    unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut time) };
    Duration::new(u64::try_from(time.tv_sec).unwrap_or(0), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A line of `/proc/self/status` in KiB: `VmRSS` is what is resident now, `VmHWM` the most that ever was.
pub fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let value = status.lines().find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
    value.and_then(|value| value.trim().split(' ').next()?.parse().ok()).unwrap_or(0)
}

/// Runs a program to its end and counts its system calls, those of all its threads, by stopping it at each (ptrace(2)).
/// Nothing else may be running that this process started: its end would be missed.
///
/// # Errors
///
/// Where it cannot be started or traced, or does not end with success.
pub fn system_calls(command: &mut Command) -> Outcome<u64> {
    let traced = || {
        // SAFETY: no memory is involved.
        match unsafe { libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0) } {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        }
    };
    // SAFETY: between fork and exec only ptrace(2) is called.
    let child = unsafe { command.pre_exec(traced) }.spawn()?;
    let first = i32::try_from(child.id())?;
    let options = libc::PTRACE_O_TRACESYSGOOD | libc::PTRACE_O_TRACECLONE | libc::PTRACE_O_EXITKILL;
    let mut stops = 0;
    let mut status = 0;
    // SAFETY: the pointer is to an int of ours. The first stop is that of the exec.
    if unsafe { libc::waitpid(first, &raw mut status, 0) } != first || !libc::WIFSTOPPED(status) {
        return Err("the traced program does not start".into());
    }
    // SAFETY: ptrace(2) of a stopped child; the data is a number.
    unsafe { libc::ptrace(libc::PTRACE_SETOPTIONS, first, 0, options) };
    // SAFETY: as above; the data is the number of no signal.
    unsafe { libc::ptrace(libc::PTRACE_SYSCALL, first, 0, 0) };
    loop {
        // SAFETY: the pointer is to an int of ours.
        let thread = unsafe { libc::waitpid(-1, &raw mut status, libc::__WALL) };
        if thread < 0 {
            return Err("the traced program is gone".into());
        }
        if libc::WIFEXITED(status) || libc::WIFSIGNALED(status) {
            if thread != first {
                continue;
            }
            return match libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0 {
                // Each call stops twice, at its begin and its end.
                true => Ok(stops / 2),
                false => Err("the traced program failed".into()),
            };
        }
        let signal = match libc::WSTOPSIG(status) {
            stop if stop == libc::SIGTRAP | 0x80 => {
                stops += 1;
                0
            }
            // An event of ptrace's own, or a new thread's first stop.
            libc::SIGTRAP | libc::SIGSTOP => 0,
            other => other,
        };
        // SAFETY: as above; the data is a signal's number.
        unsafe { libc::ptrace(libc::PTRACE_SYSCALL, thread, 0, signal) };
    }
}

/// User instructions of a command, as callgrind counts them.
///
/// # Errors
///
/// Where valgrind is missing or the command fails.
pub fn instructions(program: &std::path::Path, arguments: &[String]) -> Outcome<u64> {
    let mut command = Command::new("valgrind");
    command.args(["--tool=callgrind", "--callgrind-out-file=/dev/null"]).arg(program).args(arguments);
    let done = command.output()?;
    let text = String::from_utf8_lossy(&done.stderr);
    let total = text.lines().find_map(|line| line.split("Collected :").nth(1));
    match total.and_then(|total| total.trim().parse().ok()) {
        Some(total) if done.status.success() => Ok(total),
        _ => Err(format!("valgrind gives no count: {}", text.trim()).into()),
    }
}

/// Whether a program of this name is on the path.
pub fn exists(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|directory| directory.join(program).is_file())
}
