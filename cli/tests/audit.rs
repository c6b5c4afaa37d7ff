//! Audit as auditctl(8) shows it: settings on this machine; rules, which are everybody's, in guests alone.

mod support;

use std::process::Command;

use serde_json::Value;
use support::{command, ringlink, skip};

/// What auditctl prints.
fn auditctl(line: &str) -> Option<String> {
    let output = Command::new("auditctl").args(line.split(' ')).output().ok()?;
    assert!(output.status.success(), "auditctl {line}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// What `ringlink audit` prints, which must succeed.
fn audit(line: &str) -> String {
    let output = command(&format!("audit {line}")).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && said.is_empty(), "audit {line}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn settings_are_those_of_auditctl() {
    let output = ringlink("audit status");
    let said = String::from_utf8_lossy(&output.stderr);
    if said.contains("does not have the protocol") {
        return println!("absent: audit");
    }
    if !output.status.success() {
        return skip("settings_are_those_of_auditctl", &said).unwrap_or_default();
    }
    let Some(theirs) = auditctl("-s") else {
        return skip("settings_are_those_of_auditctl", "there is no auditctl").unwrap_or_default();
    };
    assert_eq!(audit("status"), theirs);
    let row: Value = serde_json::from_str(&audit("status --json")).unwrap();
    assert!(row[0]["enabled"].is_u64() && row[0]["features"]["loginuid_immutable"]["on"].is_boolean(), "{row}");
}

/// Rules in words that both understand.
const RULES: &[&str] = &[
    "-a always,exit -F arch=b64 -S openat,unlinkat,execve -F auid>=1000 -F auid!=unset -F key=one -k two",
    "-a exit,never -F arch=b64 -S all -F uid=0 -F exit=-EACCES -F success=0",
    "-a always,exit -S 59 -F a0=0x40 -F a1&=3 -F pid!=7",
    "-a always,exit -F path=/etc/passwd -F perm=wa -F key=passwd",
    "-a always,exit -F dir=/etc -F perm=r",
    "-w /etc/shadow -p wa -k shadow",
    "-w /etc -p rwxa",
    "-a always,exit -F arch=b64 -S setuid -C uid!=euid -C auid=obj_uid -F exe=/bin/sh -k cmp",
    "-a never,exclude -F msgtype=CWD",
    "-a always,exclude -F msgtype>=1300 -F msgtype<=1301",
    "-a never,task -F uid=65534",
    "-a always,user -F uid=1000",
    "-a never,filesystem -F fstype=tracefs -k trace",
    "-a always,exit -F arch=b32 -S 5,11 -F filetype=dir -F devmajor=8 -F inode=77",
    "-A always,exit -F arch=b64 -S getpriority -F ppid=1 -F sessionid=unset -F exit=7",
];

#[test]
fn rules_are_those_of_auditctl() {
    if std::env::var_os("RINGLINK_GUEST").is_none() {
        return println!("absent: rules_are_those_of_auditctl: audit is changed in guests alone");
    }
    if cfg!(not(target_arch = "x86_64")) {
        return println!("absent: rules_are_those_of_auditctl: the rules have numbers of x86-64's system calls");
    }
    let Some(before) = auditctl("-l") else {
        return skip("rules_are_those_of_auditctl", "there is no auditctl").unwrap_or_default();
    };
    assert_eq!(before, "No rules\n");
    for rule in RULES {
        // Ours made, shown and deleted by auditctl; theirs shown and deleted by us.
        audit(&format!("rules {rule}"));
        let ours = auditctl("-l").unwrap();
        assert_eq!(audit("rules"), ours, "{rule}");
        let delete = match rule.split_at(2) {
            ("-w", rest) => format!("-W{rest}"),
            (_, rest) => format!("-d{rest}"),
        };
        auditctl(&delete);
        assert_eq!(audit("rules"), before, "{rule}");
        auditctl(rule);
        assert_eq!(auditctl("-l").unwrap(), ours, "{rule}");
        assert_eq!(audit("rules"), ours, "{rule}");
        audit(&format!("rules {delete}"));
        assert_eq!(auditctl("-l").unwrap(), before, "{rule}");
    }
    for rule in RULES {
        audit(&format!("rules {rule}"));
    }
    assert_eq!(audit("rules"), auditctl("-l").unwrap());
    let rows: Vec<Value> = serde_json::from_str(&audit("rules --json -k shadow")).unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((&rows[0]["syscalls"], &rows[0]["rule"]), (&"all".into(), &"-w /etc/shadow -p wa -k shadow".into()));
    audit("rules -D -k two");
    assert_eq!(audit("rules").lines().count(), RULES.len() - 1);
    audit("rules -D");
    assert_eq!(audit("rules"), before);
}

#[test]
fn words_that_make_no_sense() {
    for (line, says) in [
        ("", "status, rules or watch"),
        ("nosuch", "status, rules or watch"),
        ("status now", "nothing more"),
        ("rules -a always", "ACTION,LIST"),
        ("rules -a always,exit -F nosuch=1", "`nosuch`"),
        ("rules -a always,exit -F uid", "a field, an operator and a value"),
        ("rules -a always,exit -S nosuch", "`nosuch`"),
        ("rules -a always,exit -F uid=root", "a value for uid"),
        ("rules -a always,exit -C uid!=nosuch", "two ids"),
        ("rules -a always,exit -C uid>euid", "= or !="),
        ("rules -w etc", "begins with /"),
        ("rules -w /etc -p q", "permissions"),
        ("rules -a always,exit -d always,exit", "one rule"),
    ] {
        let output = ringlink(&format!("audit {line}"));
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(1) && said.contains(says), "{line}: {said}");
    }
}
