//! Protocols, ports, and what ICMP has in their place.

use std::collections::HashMap;
use std::sync::OnceLock;

use crate::arguments::number;
use crate::output::{Show, decimal};
use crate::rule::{IpProtocol, ip_protocol_named};
use crate::sockets::services;

/// ICMP's number.
const ICMP: u8 = 1;
/// TCP's number.
pub(super) const TCP: u8 = 6;
/// ICMPv6's number.
const ICMPV6: u8 = 58;
/// Protocols that have ports: TCP, UDP, SCTP, UDP-Lite.
const WITH_PORTS: [u8; 4] = [TCP, 17, 132, 136];

/// Names of ICMP's types and codes, as ipset(8) has them. Of several for the same, the first is printed.
const ICMP_NAMES: &[(&str, u8, u8)] = &[
    ("echo-reply", 0, 0),
    ("pong", 0, 0),
    ("network-unreachable", 3, 0),
    ("host-unreachable", 3, 1),
    ("protocol-unreachable", 3, 2),
    ("port-unreachable", 3, 3),
    ("fragmentation-needed", 3, 4),
    ("source-route-failed", 3, 5),
    ("network-unknown", 3, 6),
    ("host-unknown", 3, 7),
    ("network-prohibited", 3, 9),
    ("host-prohibited", 3, 10),
    ("TOS-network-unreachable", 3, 11),
    ("TOS-host-unreachable", 3, 12),
    ("communication-prohibited", 3, 13),
    ("host-precedence-violation", 3, 14),
    ("precedence-cutoff", 3, 15),
    ("source-quench", 4, 0),
    ("network-redirect", 5, 0),
    ("host-redirect", 5, 1),
    ("TOS-network-redirect", 5, 2),
    ("TOS-host-redirect", 5, 3),
    ("echo-request", 8, 0),
    ("ping", 8, 0),
    ("router-advertisement", 9, 0),
    ("router-solicitation", 10, 0),
    ("ttl-zero-during-transit", 11, 0),
    ("ttl-zero-during-reassembly", 11, 1),
    ("ip-header-bad", 12, 0),
    ("required-option-missing", 12, 1),
    ("timestamp-request", 13, 0),
    ("timestamp-reply", 14, 0),
    ("address-mask-request", 17, 0),
    ("address-mask-reply", 18, 0),
];

/// The same of ICMPv6.
const ICMPV6_NAMES: &[(&str, u8, u8)] = &[
    ("no-route", 1, 0),
    ("communication-prohibited", 1, 1),
    ("address-unreachable", 1, 3),
    ("port-unreachable", 1, 4),
    ("packet-too-big", 2, 0),
    ("ttl-zero-during-transit", 3, 0),
    ("ttl-zero-during-reassembly", 3, 1),
    ("bad-header", 4, 0),
    ("unknown-header-type", 4, 1),
    ("unknown-option", 4, 2),
    ("echo-request", 128, 0),
    ("ping", 128, 0),
    ("echo-reply", 129, 0),
    ("pong", 129, 0),
    ("router-solicitation", 133, 0),
    ("router-advertisement", 134, 0),
    ("neighbour-solicitation", 135, 0),
    ("neigbour-solicitation", 135, 0),
    ("neighbour-advertisement", 136, 0),
    ("neigbour-advertisement", 136, 0),
    ("redirect", 137, 0),
];

/// A protocol and a range of ports, as an entry has them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ports {
    pub(super) proto: u8,
    pub(super) first: u16,
    pub(super) last: Option<u16>,
}

/// Reads `[PROTOCOL:]PORT[-PORT]`, `icmp:TYPE/CODE` and the like.
pub(super) fn read(word: &str) -> Result<Ports, String> {
    let (proto, rest) = match word.split_once(':') {
        Some((name, rest)) => (protocol(name)?, rest),
        None => (TCP, word),
    };
    let one = |port| Ports { proto, first: port, last: None };
    match proto {
        ICMP => return icmp(rest, ICMP_NAMES).map(one),
        ICMPV6 => return icmp(rest, ICMPV6_NAMES).map(one),
        _ if WITH_PORTS.contains(&proto) => {}
        _ if rest == "0" => return Ok(one(0)),
        _ => {
            return Err(format!("`{word}`: expected 0 in place of a port, of which this protocol has none"));
        }
    }
    // A name may have a dash in it, and then stands in brackets where there is a range.
    if let Ok(port) = port(rest) {
        return Ok(one(port));
    }
    let split = match rest.strip_prefix('[') {
        Some(inside) => inside.split_once("]-"),
        None => rest.split_once('-'),
    };
    match split {
        Some((first, last)) => Ok(Ports { proto, first: port(first)?, last: Some(port(last)?) }),
        None => port(rest).map(one),
    }
}

/// Reads a port's number or its name in /etc/services.
fn port(word: &str) -> Result<u16, String> {
    static SERVICES: OnceLock<HashMap<String, u16>> = OnceLock::new();
    let word = word.strip_prefix('[').and_then(|word| word.strip_suffix(']')).unwrap_or(word);
    if let Some(port) = number(word) {
        return Ok(port);
    }
    let named = SERVICES.get_or_init(services).get(word).copied();
    named.ok_or_else(|| format!("`{word}`: expected a port (0 to 65535, or a name in /etc/services)"))
}

fn protocol(name: &str) -> Result<u8, String> {
    match name {
        "tcp" => Ok(TCP),
        "udp" => Ok(17),
        "udplite" => Ok(136),
        "icmpv6" => Ok(ICMPV6),
        _ => ip_protocol_named(name).filter(|number| *number != 0).ok_or_else(|| {
            format!(
                "`{name}`: expected a protocol (tcp, udp, sctp, udplite, icmp, icmpv6 or another one's name or number)"
            )
        }),
    }
}

fn icmp(word: &str, names: &[(&str, u8, u8)]) -> Result<u16, String> {
    let numbers = word.split_once('/').map(|(kind, code)| (number::<u8>(kind), number::<u8>(code)));
    let named = names.iter().find(|(name, ..)| *name == word).map(|(_, kind, code)| (*kind, *code));
    match (numbers, named) {
        (Some((Some(kind), Some(code))), _) | (None, Some((kind, code))) => Ok(u16::from_be_bytes([kind, code])),
        _ => Err(format!("`{word}`: expected ICMP's type and code (8/0), or a name of these (echo-request)")),
    }
}

/// Appends a protocol and a port.
pub(super) fn show(bytes: &mut Vec<u8>, proto: u8, port: u16) {
    match IpProtocol(proto).name() {
        Some(name) => bytes.extend_from_slice(name.as_bytes()),
        None if proto == 136 => bytes.extend_from_slice(b"udplite"),
        None => decimal(bytes, u64::from(proto)),
    }
    bytes.push(b':');
    let names = match proto {
        ICMP => ICMP_NAMES,
        ICMPV6 => ICMPV6_NAMES,
        _ => return port.show(bytes),
    };
    let [kind, code] = port.to_be_bytes();
    match names.iter().find(|(_, of, with)| (*of, *with) == (kind, code)) {
        Some((name, ..)) => bytes.extend_from_slice(name.as_bytes()),
        None => {
            kind.show(bytes);
            bytes.push(b'/');
            code.show(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_read_and_shown() {
        for (word, proto, first, last, shown) in [
            ("80", 6, 80, None, "tcp:80"),
            ("tcp:80-90", 6, 80, Some(90), "tcp:80"),
            ("udp:53", 17, 53, None, "udp:53"),
            ("udplite:1", 136, 1, None, "udplite:1"),
            ("icmp:8/0", 1, 0x800, None, "icmp:echo-request"),
            ("icmp:pong", 1, 0, None, "icmp:echo-reply"),
            ("icmp:200/1", 1, 0xc801, None, "icmp:200/1"),
            ("icmpv6:135/0", 58, 0x8700, None, "ipv6-icmp:neighbour-solicitation"),
            ("gre:0", 47, 0, None, "gre:0"),
        ] {
            assert_eq!(read(word), Ok(Ports { proto, first, last }), "{word}");
            let mut bytes = Vec::new();
            show(&mut bytes, proto, first);
            assert_eq!(String::from_utf8(bytes).unwrap(), shown);
        }
        for (word, wrong) in [
            ("", "``: expected a port"),
            ("65536", "`65536`: expected a port"),
            ("tcp:80-x", "`x`: expected a port"),
            ("gre:1", "`gre:1`: expected 0"),
            ("nix:1", "`nix`: expected a protocol"),
            ("icmp:8", "`8`: expected ICMP's type and code"),
            ("icmp:8/256", "`8/256`: expected ICMP's"),
        ] {
            let told = read(word).unwrap_err();
            assert!(told.starts_with(wrong), "{word}: {told}");
        }
    }
}
