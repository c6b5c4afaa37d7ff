//! What the kernel says in files: its release, this process's rights, limits. A file that cannot be read says nothing.

use std::fs;
use std::time::Duration;

use ringlink::Config;
use ringlink::error::{Error, RingPart};

use super::{Finding, State};

/// How long a question may take.
pub(super) const PATIENCE: Duration = Duration::from_millis(100);

/// A file's text without spaces around it.
fn read(path: &str) -> Option<String> {
    Some(fs::read_to_string(path).ok()?.trim().to_owned())
}

/// What stands behind a name and a colon in `/proc/self/status`.
fn status(text: &str, name: &str) -> Option<String> {
    Some(text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?.trim().to_owned())
}

pub(super) fn kernel(_: &Config) -> Vec<Finding> {
    let release = read("/proc/sys/kernel/osrelease").unwrap_or_else(|| "unknown".into());
    let modules = match has_modules() {
        true => "loads modules",
        false => "has no loadable modules: what is missing needs another kernel",
    };
    vec![Finding::found("kernel", format!("Linux {release}"), modules)]
}

/// Whether this kernel can load modules.
fn has_modules() -> bool {
    fs::exists("/proc/modules").unwrap_or(true)
}

/// What to do where a module's work is missing.
pub(super) fn module(name: &str) -> String {
    match has_modules() {
        true => format!("load its module (`modprobe {name}`), or build the kernel with it"),
        false => "build the kernel with it".into(),
    }
}

/// Rights, by their numbers (include/uapi/linux/capability.h): what they are for.
const RIGHTS: &[(u32, &str, &str)] = &[
    (12, "CAP_NET_ADMIN", "changes of the network, netfilter, larger buffers are refused"),
    (11, "CAP_NET_BROADCAST", "events of other namespaces are not heard (--all-netns)"),
    (21, "CAP_SYS_ADMIN", "other namespaces cannot be entered (--netns)"),
    (29, "CAP_AUDIT_WRITE", "records cannot be added to the audit log"),
    (30, "CAP_AUDIT_CONTROL", "rules and status of audit cannot be read or changed"),
    (37, "CAP_AUDIT_READ", "audit's records are not heard"),
];

/// What this process may.
pub(super) fn rights(_: &Config) -> Vec<Finding> {
    const AREA: &str = "rights";
    let text = read("/proc/self/status").unwrap_or_default();
    let Some(effective) = status(&text, "CapEff").and_then(|digits| u64::from_str_radix(&digits, 16).ok()) else {
        let cost = "what is refused for want of rights is seen only when it is asked";
        return vec![Finding::not(State::Unknown, AREA, "all of them", "/proc is not there", cost, "mount /proc")];
    };
    // The first user namespace has all users.
    let map = read("/proc/self/uid_map").unwrap_or_default();
    let initial = map.split_whitespace().eq(["0", "0", "4294967295"]);
    let inner = if initial { "" } else { "in this user namespace only" };
    let mut findings: Vec<Finding> = RIGHTS
        .iter()
        .map(|(bit, name, cost)| {
            let advice = match name.strip_prefix("CAP_AUDIT") {
                Some(_) => "run it as root of the first user namespace",
                None => "run it as root, or in namespaces of your own (`unshare -Urn`)",
            };
            // Audit asks for rights in the first user namespace, whatever this one's are worth.
            let there = effective >> bit & 1 == 1 && (initial || !name.starts_with("CAP_AUDIT"));
            Finding::either(there, AREA, name, inner, (cost, advice))
        })
        .collect();
    let most = read("/proc/sys/user/max_user_namespaces").and_then(|text| text.parse::<u64>().ok());
    let forbidden = read("/proc/sys/kernel/unprivileged_userns_clone").is_some_and(|text| text == "0");
    let confined = read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").is_some_and(|text| text == "1");
    let remedy = match (most, forbidden, confined) {
        (None, ..) => "this kernel was built without them",
        (Some(0), ..) => "raise user.max_user_namespaces",
        (_, true, _) => "set kernel.unprivileged_userns_clone to 1",
        _ => "set kernel.apparmor_restrict_unprivileged_userns to 0, or write a profile",
    };
    let there = most.is_some_and(|most| most > 0) && !forbidden && !confined;
    let cost = "`unshare -Urn` gives no namespaces to those without rights";
    findings.push(Finding::either(there, AREA, "user namespaces", inner, (cost, remedy)));
    findings
}

/// Why there is no ring, and what to do.
pub(super) fn why_no_ring(error: &Error) -> String {
    let (part, errno) = match error {
        Error::NoRing { part, errno } => (*part, *errno),
        _ => {
            return "the user's locked memory or this process's descriptors have run out: raise `ulimit -l` or `-n`"
                .into();
        }
    };
    if part != RingPart::Setup {
        return "a newer kernel has it: 6.1 and later have all that is used".into();
    }
    let disabled = read("/proc/sys/kernel/io_uring_disabled");
    let filtered = status(&read("/proc/self/status").unwrap_or_default(), "Seccomp").is_some_and(|mode| mode == "2");
    match (disabled.as_deref(), filtered) {
        (Some("2"), _) => "set the sysctl kernel.io_uring_disabled to 0 or 1".into(),
        (Some("1"), _) if errno == libc::EPERM => {
            "set the sysctl kernel.io_uring_disabled to 0, or join the group of kernel.io_uring_group".into()
        }
        (_, true) => {
            "a filter of system calls (seccomp) is in force: have it allow io_uring_setup, _enter and _register \
                      (containers: a profile of your own)"
                .into()
        }
        _ if errno == libc::ENOSYS => "build the kernel with CONFIG_IO_URING".into(),
        _ => "a security module may forbid it".into(),
    }
}

/// What holds rings back.
pub(super) fn ring_limits() -> Vec<Finding> {
    const AREA: &str = "io_uring";
    let mut findings = Vec::new();
    if let Some(disabled) = read("/proc/sys/kernel/io_uring_disabled") {
        let detail = match disabled.as_str() {
            "0" => "0: for everyone",
            "1" => "1: for those with CAP_SYS_ADMIN or in kernel.io_uring_group",
            _ => "2: for nobody",
        };
        findings.push(Finding::found(AREA, "io_uring_disabled", detail));
    }
    let limits = read("/proc/self/limits").unwrap_or_default();
    let locked = limits.lines().find_map(|line| line.strip_prefix("Max locked memory"));
    if let Some(soft) = locked.and_then(|rest| rest.split_whitespace().next()) {
        let detail = format!("{soft} bytes; rings count against it before Linux 5.12");
        findings.push(Finding::found(AREA, "RLIMIT_MEMLOCK", detail));
    }
    findings
}

/// Limits of sockets, as they are set.
pub(super) fn sysctls() -> Vec<Finding> {
    let names = ["rmem_default", "rmem_max", "wmem_default", "wmem_max"];
    let set = |name: &str| {
        let bytes = read(&format!("/proc/sys/net/core/{name}"))?;
        Some(Finding::found("limits", format!("net.core.{name}"), format!("{bytes} bytes")))
    };
    names.into_iter().filter_map(set).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_is_read_by_name() {
        let text = "Name:\tx\nCapEff:\t000001ffffffffff\nSeccomp_filters:\t1\nSeccomp:\t2\n";
        assert_eq!(status(text, "CapEff").as_deref(), Some("000001ffffffffff"));
        assert_eq!(status(text, "Seccomp").as_deref(), Some("2"));
        assert_eq!(status(text, "Nope"), None);
    }

    #[test]
    fn every_failure_has_advice() {
        for part in [RingPart::Setup, RingPart::TimedWait, RingPart::BufferRing, RingPart::Multishot] {
            for errno in [libc::EPERM, libc::ENOSYS, libc::EINVAL] {
                assert!(!why_no_ring(&Error::NoRing { part, errno }).is_empty());
            }
        }
        assert!(why_no_ring(&Error::System { call: "io_uring_setup", errno: libc::ENOMEM }).contains("ulimit"));
    }
}
