//! Filters for sockets: what expressions are made into, and what the kernel would make of that.

#![cfg(target_endian = "little")]

mod support;

use std::net::IpAddr;

use ringlink_codec::diag::bytecode::{Code, Comparison, Condition, Host, Instructions, Program};
use ringlink_codec::diag::filter::{FilterError, Names, NoNames, compile};

struct Known;

impl Names for Known {
    fn interface(&self, name: &str) -> Option<u32> {
        (name == "eth0").then_some(7)
    }

    fn port(&self, name: &str) -> Option<u16> {
        (name == "ssh").then_some(22)
    }

    fn control_group(&self, path: &str) -> Option<u64> {
        (path == "/a/b").then_some(0x1_0000_0002)
    }
}

fn program(text: &str) -> Vec<u8> {
    let mut buffer = [0; 1024];
    compile(text, &Known, &mut buffer).unwrap_or_else(|error| panic!("{text}: {error}")).to_vec()
}

#[test]
fn conditions_as_bytes() {
    let none = [0xff; 4];
    let host = |code: u8, family: u8, length: u8, port: [u8; 4], address: &[u8]| {
        let size = 12 + address.len() as u8;
        [&[code, size, size + 4, 0, family, length, 0, 0][..], &port, address].concat()
    };
    let cases: &[(&str, Vec<u8>)] = &[
        ("", vec![]),
        ("sport = :22", vec![11, 8, 12, 0, 0, 0, 22, 0]),
        ("sport == 22", vec![11, 8, 12, 0, 0, 0, 22, 0]),
        ("sport eq ssh", vec![11, 8, 12, 0, 0, 0, 22, 0]),
        ("sport :ssh", vec![11, 8, 12, 0, 0, 0, 22, 0]),
        ("dport=:443", vec![12, 8, 12, 0, 0, 0, 0xbb, 1]),
        ("sport>=:1024", vec![2, 8, 12, 0, 0, 0, 0, 4]),
        ("sport le 1024", vec![3, 8, 12, 0, 0, 0, 0, 4]),
        ("dport >= 1", vec![4, 8, 12, 0, 0, 0, 1, 0]),
        ("dport <= 1", vec![5, 8, 12, 0, 0, 0, 1, 0]),
        ("dport != 1", vec![12, 8, 12, 0, 0, 0, 1, 0, 1, 4, 8, 0]),
        ("dport < 1", vec![4, 8, 12, 0, 0, 0, 1, 0, 1, 4, 8, 0]),
        ("dport > 1", vec![5, 8, 12, 0, 0, 0, 1, 0, 1, 4, 8, 0]),
        ("autobound", vec![6, 4, 8, 0]),
        ("not autobound", vec![6, 4, 8, 0, 1, 4, 8, 0]),
        ("!!autobound", vec![6, 4, 8, 0, 1, 4, 8, 0, 1, 4, 8, 0]),
        ("dev eth0", vec![9, 8, 12, 0, 7, 0, 0, 0]),
        ("dev = 5", vec![9, 8, 12, 0, 5, 0, 0, 0]),
        ("fwmark = 0x1/0xff", vec![10, 12, 16, 0, 1, 0, 0, 0, 0xff, 0, 0, 0]),
        ("fwmark 3", vec![10, 12, 16, 0, 3, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]),
        ("cgroup = /a/b", vec![13, 12, 16, 0, 2, 0, 0, 0, 1, 0, 0, 0]),
        ("src 192.0.2.1", host(7, 2, 32, none, &[192, 0, 2, 1])),
        ("dst 10.0.0.0/8", host(8, 2, 8, none, &[10, 0, 0, 0])),
        ("dst = 10.0.0.0/8:80", host(8, 2, 8, [80, 0, 0, 0], &[10, 0, 0, 0])),
        ("src 192.0.2.1:ssh", host(7, 2, 32, [22, 0, 0, 0], &[192, 0, 2, 1])),
        ("src *:80", host(7, 0, 0, [80, 0, 0, 0], &[])),
        ("src :80", host(7, 0, 0, [80, 0, 0, 0], &[])),
        ("src *", host(7, 0, 0, none, &[])),
        ("src ::1", host(7, 10, 128, none, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
        ("src [::1]:*", host(7, 10, 128, none, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1])),
        ("src [2001:db8::]/32:1", host(7, 10, 32, [1, 0, 0, 0], &[32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        ("src [2001:db8::/32]:1", host(7, 10, 32, [1, 0, 0, 0], &[32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        ("src 2001:db8::/32", host(7, 10, 32, none, &[32, 1, 13, 184, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])),
        ("autobound and autobound", vec![6, 4, 12, 0, 6, 4, 8, 0]),
        ("autobound & autobound autobound", vec![6, 4, 16, 0, 6, 4, 12, 0, 6, 4, 8, 0]),
        ("autobound or autobound", vec![6, 4, 8, 0, 1, 4, 8, 0, 6, 4, 8, 0]),
        ("(autobound||autobound)&&autobound", vec![6, 4, 8, 0, 1, 4, 8, 0, 6, 4, 12, 0, 6, 4, 8, 0]),
        ("not(autobound|autobound)", vec![6, 4, 8, 0, 1, 4, 8, 0, 6, 4, 8, 0, 1, 4, 8, 0]),
    ];
    for (text, expected) in cases {
        assert_eq!(program(text), *expected, "{text}");
        assert!(expected.is_empty() || audit(expected), "{text}");
    }
}

#[test]
fn what_is_no_expression_is_refused_where_it_ends() {
    let cases = [
        ("sport", 5, "=, !=, <, >, <= or >="),
        ("sport =", 7, "a port"),
        ("sport = :http", 8, "a port"),
        ("sport = :65536", 8, "a port"),
        ("sport = :+1", 8, "a port"),
        ("( sport = :1", 12, "a closing parenthesis"),
        ("sport = :1 )", 11, "and, or, or the end"),
        ("src 10.0.0.0/33", 4, "an address"),
        ("src [::1", 4, "an address"),
        ("src [::1]80", 4, "an address"),
        ("dst", 3, "an address"),
        ("dev wlan0", 4, "an interface"),
        ("fwmark x", 7, "a mark, or a mark and a mask (0x1/0xff)"),
        ("cgroup /nowhere", 7, "a control group"),
        ("autobound or", 12, "sport, dport, src, dst, dev, fwmark, cgroup, autobound, not or a parenthesis"),
        ("ärger", 0, "sport, dport, src, dst, dev, fwmark, cgroup, autobound, not or a parenthesis"),
    ];
    for (text, at, what) in cases {
        let mut buffer = [0; 256];
        assert_eq!(compile(text, &NoNames, &mut buffer), Err(FilterError::Expected { at, what }), "{text}");
    }
    let deep = "(".repeat(33) + "autobound";
    assert_eq!(compile(&deep, &NoNames, &mut [0; 256]), Err(FilterError::TooDeep { at: 32 }));
    let error = compile("sport = :1 and dport = :2", &NoNames, &mut [0; 15]).unwrap_err();
    assert!(matches!(error, FilterError::Program(error) if error.needed() == Some(16)), "{error}");
}

#[test]
fn any_text_is_no_panic() {
    let text = "not (src [2001:db8::]/32:1 or sport >= :1)&&!dev eth0|fwmark 0x1/0xff ä";
    let mut buffer = [0; 256];
    for start in 0..text.len() {
        for end in start..=text.len() {
            if let Some(part) = text.get(start..end) {
                let _ = compile(part, &Known, &mut buffer);
            }
        }
    }
    for length in 0..64 {
        let _ = compile("not (src 10.0.0.1:1 or sport >= :1) and dev eth0", &Known, &mut vec![0; length]);
    }
}

#[test]
fn instructions_read_back() {
    let bytes = program("not (src 10.0.0.0/8:80 or dst [::1] or dev 7) and fwmark 1/3 and cgroup /a/b and sport < 9");
    let lines: Vec<String> = Instructions::new(&bytes).map(|one| one.unwrap().to_string()).collect();
    let expected = "
        0: src 10.0.0.0/8:80, else to 20
        16: to 48
        20: dst [::1]/128, else to 52
        48: to 60
        52: dev 7, else to 64
        60: to 100
        64: fwmark 0x1/0x3, else to 100
        76: cgroup 4294967298, else to 100
        88: sport >= 9, else to 100
        96: to 104";
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    // Where lines go to is what the interpreter below looks at.
    let bare = |line: &str| line.split(", else").next().unwrap_or_default().to_owned();
    assert_eq!(lines.len(), expected.len(), "{lines:#?}");
    for (line, expected) in lines.iter().zip(&expected).filter(|(line, _)| !line.contains(": to ")) {
        assert_eq!(bare(line), bare(expected));
    }
    support::every_damage(&bytes, |bytes| {
        let lines: Vec<_> = Instructions::new(bytes).map(|one| one.map(|one| one.to_string())).collect();
        assert!(lines.len() <= bytes.len() / 4 + 1);
    });
    assert!(Instructions::new(&[0, 0, 0, 0]).next().unwrap().is_err());
    let unknown = Instructions::new(&[99, 4, 8, 0]).next().unwrap().unwrap();
    assert_eq!((unknown.code, unknown.condition, unknown.to_string()), (Code(99), None, "0: 99, else to 8".to_owned()));
}

#[test]
fn programs_of_closures_are_those_of_text() {
    let mut buffer = [0; 128];
    let mut program = Program::new(&mut buffer);
    program.both(
        |program| {
            program.not(|program| {
                program.either(
                    |program| program.condition(Condition::SourcePort(Comparison::Equal, 1)),
                    |program| program.condition(Condition::Destination(Host { address: None, port: Some(2) })),
                );
            });
        },
        |program| program.condition(Condition::AutoBound),
    );
    assert_eq!(program.finish().unwrap(), self::program("not (sport = 1 or dst *:2) and autobound"));
}

#[test]
fn a_jump_has_16_bits() {
    let mut buffer = vec![0; 200_000];
    let mut text = String::from("autobound or autobound");
    for _ in 0..9000 {
        text += " and sport = 1";
    }
    assert!(matches!(compile(&text, &NoNames, &mut buffer), Err(FilterError::Program(_))));
}

/// A socket, as the kernel's programs see it.
#[derive(Clone, Copy, Debug)]
struct Entry {
    source: (IpAddr, u16),
    destination: (IpAddr, u16),
    device: u32,
    mark: u32,
    chosen: bool,
}

/// What the kernel checks before it runs a program (`inet_diag_bc_audit`).
fn audit(bytes: &[u8]) -> bool {
    let starts = |target: usize| {
        let mut at = 0;
        while at < target {
            at += usize::from(bytes[at + 1]).max(4);
        }
        at == target
    };
    let mut at = 0;
    while at < bytes.len() {
        let left = bytes.len() - at;
        let [code, yes, low, high] = bytes[at..at + 4] else { return false };
        let (yes, no) = (usize::from(yes), usize::from(u16::from_ne_bytes([low, high])));
        let least = match code {
            2..=5 | 7..=9 | 11 | 12 => 8,
            10 | 13 => 12,
            _ => 4,
        };
        let may = |length: usize| length >= 4 && length <= left + 4 && length.is_multiple_of(4);
        if yes < least || !may(yes) || !may(no) || (no < left && !starts(at + no)) {
            return false;
        }
        at += yes;
    }
    at == bytes.len()
}

/// What the kernel does with a program (`inet_diag_bc_run`).
fn run(bytes: &[u8], entry: Entry) -> bool {
    let mut at = 0;
    while at < bytes.len() {
        let one = Instructions::new(&bytes[at..]).next().unwrap().unwrap();
        let holds = match (one.condition, one.code) {
            (Some(condition), _) => holds(condition, entry),
            (None, Code::JMP) => false,
            (None, code) => panic!("{code}"),
        };
        at += if holds { one.yes } else { one.no };
    }
    at == bytes.len()
}

fn holds(condition: Condition, entry: Entry) -> bool {
    let compare = |port: u16, comparison: Comparison, with: u16| match comparison {
        Comparison::Equal => port == with,
        Comparison::AtLeast => port >= with,
        Comparison::AtMost => port <= with,
    };
    match condition {
        Condition::SourcePort(comparison, port) => compare(entry.source.1, comparison, port),
        Condition::DestinationPort(comparison, port) => compare(entry.destination.1, comparison, port),
        Condition::Source(host) => is_host(host, entry.source),
        Condition::Destination(host) => is_host(host, entry.destination),
        Condition::AutoBound => entry.chosen,
        Condition::Device(index) => entry.device == index,
        Condition::Mark { mark, mask } => entry.mark & mask == mark,
        other => panic!("{other}"),
    }
}

fn is_host(host: Host, (address, port): (IpAddr, u16)) -> bool {
    let within = |wanted: IpAddr, length: u8| match (wanted, address) {
        (IpAddr::V4(wanted), IpAddr::V4(address)) => {
            length == 0 || (wanted.to_bits() ^ address.to_bits()) >> (32 - u32::from(length)) == 0
        }
        (IpAddr::V6(wanted), IpAddr::V6(address)) => {
            length == 0 || (wanted.to_bits() ^ address.to_bits()) >> (128 - u32::from(length)) == 0
        }
        _ => false,
    };
    host.port.is_none_or(|wanted| wanted == port) && host.address.is_none_or(|(wanted, length)| within(wanted, length))
}

/// What an expression means, said in Rust.
type Meaning = fn(&Entry) -> bool;

#[test]
fn programs_choose_what_expressions_mean() {
    let cases: &[(&str, Meaning)] = &[
        ("sport = 1 and dport = 2", |e| e.source.1 == 1 && e.destination.1 == 2),
        ("sport = 1 or dport = 2", |e| e.source.1 == 1 || e.destination.1 == 2),
        ("sport = 1 or sport = 2 and dport = 2", |e| matches!(e.source.1, 1 | 2) && e.destination.1 == 2),
        ("sport = 1 or (sport = 2 and dport = 2)", |e| e.source.1 == 1 || (e.source.1 == 2 && e.destination.1 == 2)),
        ("dport = 2 and sport = 1 or sport = 2", |e| (e.destination.1 == 2 && e.source.1 == 1) || e.source.1 == 2),
        ("not sport = 1", |e| e.source.1 != 1),
        ("not sport = 1 and dport = 2", |e| e.source.1 != 1 && e.destination.1 == 2),
        ("not (sport = 1 and dport = 2)", |e| !(e.source.1 == 1 && e.destination.1 == 2)),
        ("not (sport = 1 or dport = 2)", |e| !(e.source.1 == 1 || e.destination.1 == 2)),
        ("not not sport = 1", |e| e.source.1 == 1),
        ("sport != 1 dport != 2", |e| e.source.1 != 1 && e.destination.1 != 2),
        ("sport > 1 and sport < 3", |e| e.source.1 == 2),
        ("sport >= 1 and sport <= 2 or dport > 2", |e| matches!(e.source.1, 1 | 2) || e.destination.1 > 2),
        ("src 10.0.0.0/8 and not src 10.0.0.1", |e| e.source.0 == IpAddr::from([10, 0, 0, 2])),
        ("src 10.0.0.1:1 or dst [2001:db8::]/32:2", |e| {
            e.source == ([10, 0, 0, 1].into(), 1)
                || (e.destination.1 == 2 && e.destination.0 == IpAddr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1]))
        }),
        ("dst 0.0.0.0/0 or dst ::/1", |e| {
            e.destination.0.is_ipv4() || matches!(e.destination.0, IpAddr::V6(address) if address.octets()[0] < 128)
        }),
        ("autobound and (dev 1 or dev 2) and not fwmark 1/1", |e| {
            e.chosen && matches!(e.device, 1 | 2) && e.mark & 1 == 0
        }),
        ("(((autobound)))", |e| e.chosen),
        ("not (not (sport = 1 or dport = 1) or not (sport = 2 or dport = 2))", |e| {
            (e.source.1 == 1 || e.destination.1 == 1) && (e.source.1 == 2 || e.destination.1 == 2)
        }),
    ];
    let addresses: [IpAddr; 4] =
        [[10, 0, 0, 1].into(), [10, 0, 0, 2].into(), [192, 0, 2, 1].into(), [0x2001, 0xdb8, 0, 0, 0, 0, 0, 1].into()];
    let mut entries = Vec::new();
    for (number, source) in addresses.into_iter().enumerate() {
        for destination in addresses {
            for (sport, dport) in (0..16).map(|both| (both / 4, both % 4)) {
                let number = number as u32 + u32::from(sport) + u32::from(dport);
                entries.push(Entry {
                    source: (source, sport),
                    destination: (destination, dport),
                    device: number % 3,
                    mark: number % 4,
                    chosen: number.is_multiple_of(2),
                });
            }
        }
    }
    for (text, meaning) in cases {
        let bytes = program(text);
        assert!(audit(&bytes), "{text}");
        for entry in &entries {
            assert_eq!(run(&bytes, *entry), meaning(entry), "{text}: {entry:?}");
        }
    }
}
