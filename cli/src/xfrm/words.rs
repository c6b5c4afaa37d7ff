//! Words that states and policies have in common.

use std::net::IpAddr;

use ringlink::codec::table::{Be16, Be32, OwnedSecret};
use ringlink::codec::xfrm::{
    AddressFilter, ExtraFlags, Family, Id, LifetimeLimits, Mark, Mode, Protocol, Selector, StateFlags,
};

use crate::arguments::{Net, Words};
use crate::failure::Failure;
use crate::rule::ip_protocol;
use crate::session::Session;

/// Longest key, in bytes: what fits one of the kernel's attributes is more than any algorithm takes.
const KEY: usize = 512;

/// Keys of a command line.
pub(super) type Keys = Vec<Box<OwnedSecret<KEY>>>;

/// What stands in the command line where a key stood: how long it is, or what is wrong with it.
const CONCEALED: &str = "(key)";
const NOT_HEXADECIMAL: &str = "(key, not hexadecimal)";
const TOO_LONG: &str = "(key, too long)";

/// Takes the keys out of a command line: each stands two words behind `enc`, `auth`, `auth-trunc` or `aead`.
pub(super) fn conceal(words: &[String]) -> (Vec<String>, Keys) {
    let (mut seen, mut keys) = (Vec::with_capacity(words.len()), Keys::new());
    let mut at = 0;
    while let Some(word) = words.get(at) {
        seen.push(word.clone());
        at += 1;
        let is_value = at >= 2 && matches!(words[at - 2].as_str(), "ctx" | "dev");
        if !is_value && matches!(word.as_str(), "enc" | "auth" | "auth-trunc" | "aead") {
            seen.extend(words.get(at).cloned());
            seen.extend(words.get(at + 1).map(|word| take_key(word, &mut keys).to_owned()));
            at = (at + 2).min(words.len());
        }
    }
    (seen, keys)
}

/// Keeps a key, and says what is to stand in its place.
fn take_key(word: &str, keys: &mut Keys) -> &'static str {
    let mut bytes = [0; KEY];
    let length = match word.strip_prefix("0x").filter(|digits| !digits.is_empty()) {
        Some(digits) if digits.len().div_ceil(2) > KEY => return TOO_LONG,
        // A digit too few is a zero in front, as `ip` has it.
        Some(digits) => {
            let length = digits.len().div_ceil(2);
            let first = digits.len() % 2;
            for (at, digit) in digits.chars().enumerate() {
                let Some(digit) = digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()) else {
                    ringlink::codec::table::wipe(&mut bytes);
                    return NOT_HEXADECIMAL;
                };
                let byte = &mut bytes[(at + first) / 2];
                *byte = *byte << 4 | digit;
            }
            length
        }
        None if word.len() > KEY => return TOO_LONG,
        None => {
            bytes[..word.len()].copy_from_slice(word.as_bytes());
            word.len()
        }
    };
    keys.extend(OwnedSecret::new(&bytes[..length]).map(Box::new));
    ringlink::codec::table::wipe(&mut bytes);
    CONCEALED
}

/// The next word, which stands for the next of the keys.
pub(super) fn key<'k>(
    words: &mut Words<'_>,
    keys: &mut std::slice::Iter<'k, Box<OwnedSecret<KEY>>>,
) -> Result<&'k OwnedSecret<KEY>, Failure> {
    match words.value("a key")? {
        CONCEALED => keys.next().map(Box::as_ref).ok_or_else(|| words.refuse("a key")),
        _ => Err(words.refuse("0x and hexadecimal digits, or text, of at most 512 bytes")),
    }
}

/// What names a state: addresses, protocol, index.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Named {
    pub(super) source: Option<Net>,
    pub(super) destination: Option<Net>,
    pub(super) proto: Option<Protocol>,
    pub(super) spi: Option<u32>,
}

impl Named {
    /// Reads a word and what belongs to it; says no to a word of something else.
    pub(super) fn read(&mut self, word: &str, words: &mut Words<'_>, session: &Session) -> Result<bool, Failure> {
        match word {
            "src" => self.source = Some(words.net(session.options.family())?),
            "dst" => self.destination = Some(words.net(session.options.family())?),
            "proto" => self.proto = Some(proto(words)?),
            "spi" => self.spi = Some(words.number()?),
            _ => return Ok(false),
        }
        if let (Some(one), Some(two)) = (address(self.source), address(self.destination))
            && one.is_ipv4() != two.is_ipv4()
        {
            return Err(words.refuse("an address of the same family as the other"));
        }
        Ok(true)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.source.is_none() && self.destination.is_none() && self.proto.is_none() && self.spi.is_none()
    }

    /// The family of its addresses.
    pub(super) fn family(&self) -> Family {
        address(self.destination).or(address(self.source)).map_or(Family::UNSPEC, Family::from)
    }

    /// The struct.
    pub(super) fn id(&self) -> Id {
        Id {
            daddr: address(self.destination).map(Into::into).unwrap_or_default(),
            spi: Be32::new(self.spi.unwrap_or(0)),
            proto: self.proto.unwrap_or_default(),
            ..Id::default()
        }
    }

    /// The source, zeros for none.
    pub(super) fn saddr(&self) -> ringlink::codec::xfrm::Address {
        address(self.source).map(Into::into).unwrap_or_default()
    }

    /// What the kernel is asked to leave out of a dump.
    pub(super) fn filter(&self, family: Family) -> AddressFilter {
        let length = |net: Option<Net>| net.map_or(0, |net| net.length);
        AddressFilter {
            saddr: self.saddr(),
            daddr: self.id().daddr,
            family: if self.family() == Family::UNSPEC { family } else { self.family() },
            splen: length(self.source),
            dplen: length(self.destination),
        }
    }
}

/// A net's address.
pub(super) fn address(net: Option<Net>) -> Option<IpAddr> {
    net.and_then(|net| net.address)
}

/// Which packets are meant.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Chosen {
    pub(super) source: Option<Net>,
    pub(super) destination: Option<Net>,
    pub(super) device: Option<i32>,
    pub(super) proto: Option<u8>,
    pub(super) sport: Option<Port>,
    pub(super) dport: Option<Port>,
}

/// A port, and which of its bits count.
pub(super) type Port = (u16, u16);

impl Chosen {
    /// Reads a word and what belongs to it; says no to a word of something else.
    pub(super) fn read(&mut self, word: &str, words: &mut Words<'_>, session: &mut Session) -> Result<bool, Failure> {
        match word {
            "src" => self.source = Some(words.net(session.options.family())?),
            "dst" => self.destination = Some(words.net(session.options.family())?),
            "dev" => self.device = Some(device(words, session)?),
            "proto" if words.peek() == Some("any") => {
                words.next();
                self.proto = Some(0);
            }
            "proto" => self.proto = Some(ip_protocol(words)?),
            "sport" => self.sport = Some(port(words)?),
            "dport" => self.dport = Some(port(words)?),
            "type" => self.sport = Some((words.number::<u8>()?.into(), u16::MAX)),
            "code" => self.dport = Some((words.number::<u8>()?.into(), u16::MAX)),
            "key" => {
                let key = words.parse("a key, N or A.B.C.D", |word| {
                    crate::arguments::number(word).or_else(|| Some(word.parse::<std::net::Ipv4Addr>().ok()?.to_bits()))
                })?;
                let [a, b, c, d] = key.to_be_bytes();
                self.sport = Some((u16::from_be_bytes([a, b]), u16::MAX));
                self.dport = Some((u16::from_be_bytes([c, d]), u16::MAX));
            }
            _ => return Ok(false),
        }
        if let (Some(one), Some(two)) = (address(self.source), address(self.destination))
            && one.is_ipv4() != two.is_ipv4()
        {
            return Err(words.refuse("an address of the same family as the other"));
        }
        Ok(true)
    }

    pub(super) fn is_empty(&self) -> bool {
        let Self { source, destination, device, proto, sport, dport } = self;
        source.is_none()
            && destination.is_none()
            && device.is_none()
            && proto.is_none()
            && sport.is_none()
            && dport.is_none()
    }

    /// The family of its addresses.
    pub(super) fn family(&self) -> Family {
        address(self.destination).or(address(self.source)).map_or(Family::UNSPEC, Family::from)
    }

    /// The struct, of this family unless an address says another.
    pub(super) fn selector(&self, family: Family) -> Selector {
        let length = |net: Option<Net>| net.map_or(0, |net| net.length);
        let (sport, sport_mask) = self.sport.unwrap_or_default();
        let (dport, dport_mask) = self.dport.unwrap_or_default();
        Selector {
            daddr: address(self.destination).map(Into::into).unwrap_or_default(),
            saddr: address(self.source).map(Into::into).unwrap_or_default(),
            dport: Be16::new(dport),
            dport_mask: Be16::new(dport_mask),
            sport: Be16::new(sport),
            sport_mask: Be16::new(sport_mask),
            family: if self.family() == Family::UNSPEC { family } else { self.family() },
            prefixlen_d: length(self.destination),
            prefixlen_s: length(self.source),
            proto: self.proto.unwrap_or(0),
            ifindex: self.device.unwrap_or(0),
            ..Selector::default()
        }
    }

    /// Whether a selector is one that was asked for.
    pub(super) fn matches(&self, selector: &Selector) -> bool {
        let begins = |net: Option<Net>, found: ringlink::codec::xfrm::Address| {
            let Some(address) = address(net) else { return true };
            let found = found.ip(selector.family);
            found.is_some_and(|found| {
                let net = net.map_or(0, |net| net.length);
                Net { address: Some(address), length: net, explicit: true }
                    .contains(&crate::arguments::octets(found), u8::MAX)
            })
        };
        begins(self.source, selector.saddr)
            && begins(self.destination, selector.daddr)
            && self.device.is_none_or(|wanted| selector.ifindex == wanted)
            && self.proto.is_none_or(|wanted| selector.proto == wanted)
            && self.sport.is_none_or(|(wanted, _)| selector.sport == wanted)
            && self.dport.is_none_or(|(wanted, _)| selector.dport == wanted)
    }
}

/// The next word as an interface, `none` for none.
pub(super) fn device(words: &mut Words<'_>, session: &mut Session) -> Result<i32, Failure> {
    let name = words.value("an interface's name, or none")?;
    if name == "none" {
        return Ok(0);
    }
    i32::try_from(session.interface(name)?).map_err(|_| words.refuse("an interface"))
}

/// The next word as a port; 0 is any.
fn port(words: &mut Words<'_>) -> Result<Port, Failure> {
    let port: u16 = words.number()?;
    Ok((port, if port == 0 { 0 } else { u16::MAX }))
}

/// Names of protocols, as `ip xfrm` has them.
pub(super) const PROTOS: &[(Protocol, &str)] = &[
    (Protocol::ESP, "esp"),
    (Protocol::AH, "ah"),
    (Protocol::COMP, "comp"),
    (Protocol::ROUTING, "route2"),
    (Protocol::DSTOPTS, "hao"),
    (Protocol::RAW, "ipsec-any"),
];

/// Names of modes.
pub(super) const MODES: &[(Mode, &str)] = &[
    (Mode::TRANSPORT, "transport"),
    (Mode::TUNNEL, "tunnel"),
    (Mode::ROUTEOPTIMIZATION, "ro"),
    (Mode::IN_TRIGGER, "in_trigger"),
    (Mode::BEET, "beet"),
    (Mode::IPTFS, "iptfs"),
];

/// Names of a state's flags.
pub(super) const STATE_FLAGS: &[(u32, &str)] = &[
    (1, "noecn"),
    (2, "decap-dscp"),
    (4, "nopmtudisc"),
    (8, "wildrecv"),
    (16, "icmp"),
    (32, "af-unspec"),
    (64, "align4"),
    (128, "esn"),
];

/// Names of a state's other flags.
pub(super) const EXTRA_FLAGS: &[(u32, &str)] = &[(1, "dont-encap-dscp"), (2, "oseq-may-wrap")];

/// Names of a policy's flags.
pub(super) const POLICY_FLAGS: &[(u32, &str)] = &[(1, "localok"), (2, "icmp"), (4, "cpu-acquire")];

/// What a word names in such a list.
pub(super) fn named<T: Copy>(table: &[(T, &'static str)], word: &str) -> Option<T> {
    table.iter().find(|(_, name)| *name == word).map(|(value, _)| *value)
}

/// The next word as a protocol.
pub(super) fn proto(words: &mut Words<'_>) -> Result<Protocol, Failure> {
    words.parse("esp, ah, comp, route2 or hao", |word| named(PROTOS, word))
}

/// The next word as a mode, which may be shortened.
pub(super) fn mode(words: &mut Words<'_>) -> Result<Mode, Failure> {
    let find = |word: &str| {
        let begins = MODES.iter().find(|(_, name)| !word.is_empty() && name.starts_with(word));
        named(MODES, word).or(begins.map(|(mode, _)| *mode))
    };
    words.parse("transport, tunnel, beet, ro, in_trigger or iptfs", find)
}

/// The next words as flags: names, as long as they are some, or one number with `0x` before it.
pub(super) fn flags(words: &mut Words<'_>, table: &[(u32, &'static str)]) -> Result<u32, Failure> {
    if words.peek().is_some_and(|word| word.starts_with("0x")) {
        return words.number();
    }
    let mut flags = 0;
    while let Some(flag) = words.peek().and_then(|word| named(table, word)) {
        flags |= flag;
        words.next();
    }
    match flags {
        0 => {
            words.value("a flag")?;
            let names: Vec<&str> = table.iter().map(|(_, name)| *name).collect();
            Err(words.refuse(&names.join(", ")))
        }
        flags => Ok(flags),
    }
}

/// The next words as a state's flags.
pub(super) fn state_flags(words: &mut Words<'_>) -> Result<StateFlags, Failure> {
    let flags = flags(words, STATE_FLAGS)?;
    u8::try_from(flags).map(StateFlags).map_err(|_| words.refuse("a number from 0 to 0xff"))
}

/// The next words as a state's other flags.
pub(super) fn extra_flags(words: &mut Words<'_>) -> Result<ExtraFlags, Failure> {
    flags(words, EXTRA_FLAGS).map(ExtraFlags)
}

/// The next words as a mark: `N [mask N]`.
pub(super) fn mark(words: &mut Words<'_>) -> Result<Mark, Failure> {
    let v = words.number()?;
    let m = match words.peek() {
        Some("mask") => {
            words.next();
            words.number()?
        }
        _ => u32::MAX,
    };
    Ok(Mark { v, m })
}

/// The next words as a limit: which, and how much.
pub(super) fn limit(words: &mut Words<'_>, limits: &mut LifetimeLimits) -> Result<(), Failure> {
    let place = match words.value("a limit")? {
        "time-soft" => &mut limits.soft_add_expires_seconds,
        "time-hard" => &mut limits.hard_add_expires_seconds,
        "time-use-soft" => &mut limits.soft_use_expires_seconds,
        "time-use-hard" => &mut limits.hard_use_expires_seconds,
        "byte-soft" => &mut limits.soft_byte_limit,
        "byte-hard" => &mut limits.hard_byte_limit,
        "packet-soft" => &mut limits.soft_packet_limit,
        "packet-hard" => &mut limits.hard_packet_limit,
        _ => {
            return Err(words.refuse(
                "time-soft, time-hard, time-use-soft, time-use-hard, byte-soft, byte-hard, packet-soft or packet-hard",
            ));
        }
    };
    *place = words.number()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> (String, Vec<Vec<u8>>) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let (seen, keys) = conceal(&words);
        (seen.join(" "), keys.iter().map(|key| key.get().expose().to_vec()).collect())
    }

    #[test]
    fn keys_are_taken_out_of_the_line() {
        assert_eq!(
            of("state add enc cbc(aes) 0x0a0b auth-trunc hmac(sha1) text 96 spi 1"),
            (
                "state add enc cbc(aes) (key) auth-trunc hmac(sha1) (key) 96 spi 1".into(),
                vec![vec![10, 11], b"text".to_vec()]
            )
        );
        assert_eq!(of("enc x 0x123").1, [[1, 0x23]]);
        assert_eq!(of("enc x 0xsecret"), ("enc x (key, not hexadecimal)".into(), vec![]));
        assert_eq!(of(&format!("aead x {}", "k".repeat(513))), ("aead x (key, too long)".into(), vec![]));
        // Lines that end early.
        assert_eq!(of("state add enc"), ("state add enc".into(), vec![]));
        assert_eq!(of("state add enc cbc(aes)"), ("state add enc cbc(aes)".into(), vec![]));
        // A label that is called as an algorithm is.
        assert_eq!(of("ctx auth spi 7").0, "ctx auth spi 7");
    }
}
