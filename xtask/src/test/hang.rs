//! What can be told of a process that does not go on, and what it may have left behind.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::process;

/// How long the deletion of one namespace may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where every thread of a process group stands: its name, its state, where in the kernel it waits.
pub fn threads(group: u32) -> String {
    let mut text = String::new();
    for process in numbered("/proc").into_iter().filter(|process| group_of(*process) == Some(group)) {
        let command = read(format!("/proc/{process}/cmdline")).replace('\0', " ");
        let _ = writeln!(text, "  process {process}: {}", command.trim());
        for thread in numbered(&format!("/proc/{process}/task")) {
            let file = |name: &str| read(format!("/proc/{process}/task/{thread}/{name}"));
            let call = file("syscall");
            let number = call.split(' ').next().unwrap_or_default();
            let _ = writeln!(
                text,
                "    thread {thread} {}: {}, in {}, waits in {}",
                file("comm").trim(),
                state(&file("status")),
                number.parse().ok().and_then(name_of_call).unwrap_or(number.trim()),
                file("wchan").trim(),
            );
            file("stack").lines().for_each(|line| {
                let _ = writeln!(text, "      {line}");
            });
        }
    }
    text
}

/// Deletes network namespaces that a killed test may have left, and tells which. Another run's stay: tests name theirs
/// `ringlink-PID-…` by their own process.
pub fn remove_namespaces() -> Vec<String> {
    let Ok(entries) = fs::read_dir("/run/netns") else {
        return Vec::new();
    };
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    names.filter(|name| name.starts_with("ringlink-") && !owner_lives(name)).map(|name| remove(&name)).collect()
}

fn owner_lives(name: &str) -> bool {
    let numbers = name.split('-').filter(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    numbers.into_iter().any(|number| Path::new("/proc").join(number).exists())
}

fn remove(name: &str) -> String {
    let path = Path::new("/run/netns").join(name);
    // A child does it, for deleting a namespace may hang as well.
    let _ = process::run(Command::new("umount").arg("-l").arg(&path), PATIENCE);
    match fs::remove_file(&path) {
        Ok(()) => format!("{name}: deleted"),
        Err(error) => format!("{name}: left behind: {error}"),
    }
}

fn group_of(process: u32) -> Option<u32> {
    parse_group(&read(format!("/proc/{process}/stat")))
}

/// The process group in `/proc/PID/stat`: the third field behind the program's name, which may itself hold anything.
fn parse_group(stat: &str) -> Option<u32> {
    stat.rsplit_once(") ")?.1.split(' ').nth(2)?.parse().ok()
}

fn state(status: &str) -> &str {
    status.lines().find_map(|line| line.strip_prefix("State:")).unwrap_or_default().trim()
}

/// Names of the system calls in which tests of this project wait (x86-64).
fn name_of_call(number: u32) -> Option<&'static str> {
    Some(match number {
        0 => "read",
        1 => "write",
        7 => "poll",
        23 => "select",
        35 => "nanosleep",
        44 => "sendto",
        45 => "recvfrom",
        46 => "sendmsg",
        47 => "recvmsg",
        49 => "bind",
        61 => "wait4",
        165 => "mount",
        202 => "futex",
        230 => "clock_nanosleep",
        232 => "epoll_wait",
        247 => "waitid",
        271 => "ppoll",
        272 => "unshare",
        281 => "epoll_pwait",
        299 => "recvmmsg",
        307 => "sendmmsg",
        308 => "setns",
        425 => "io_uring_setup",
        426 => "io_uring_enter",
        427 => "io_uring_register",
        _ => return None,
    })
}

fn numbered(folder: &str) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut numbers: Vec<u32> = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    numbers.sort_unstable();
    numbers
}

/// A file that may be gone, or not ours to read, says nothing.
fn read(path: String) -> String {
    fs::read_to_string(path).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_group_is_found_behind_any_name() {
        assert_eq!(parse_group("12 (a) b) S 1 34 34 0"), Some(34));
        assert_eq!(parse_group(""), None);
    }

    #[test]
    fn this_process_is_told_of() {
        let group = group_of(std::process::id()).expect("/proc");
        let text = threads(group);
        assert!(text.contains(&format!("process {}", std::process::id())), "{text}");
        assert!(text.contains("test::hang"), "{text}");
    }

    #[test]
    fn a_namespace_of_a_running_process_is_not_ours() {
        assert!(owner_lives(&format!("ringlink-{}-a", std::process::id())));
        assert!(!owner_lives("ringlink-4294967295-a"));
        assert!(!owner_lives("ringlink-a"));
    }

    #[test]
    fn states_are_read() {
        assert_eq!(state("Name:\tx\nState:\tD (disk sleep)\n"), "D (disk sleep)");
    }
}
