//! The command line: options by clap, then an object, a verb and words in the order `ip` users type them.
//!
//! [`Words`] is a cursor over those words. What it refuses, it refuses with the word that stands there and what was
//! expected in its place.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use clap::{Parser, ValueEnum};
use ringlink::codec::route::Family;
use ringlink::engine::EngineChoice;

use crate::failure::Failure;

/// Shows and changes interfaces, addresses, routes, neighbours and rules, in the words of `ip`.
#[derive(Clone, Debug, Parser)]
#[command(name = "ringlink", version, about, disable_help_subcommand = true, after_help = OBJECTS)]
#[allow(clippy::struct_excessive_bools, reason = "options are independent of each other")]
pub(crate) struct Options {
    /// Print JSON, as `ip -j -d` does.
    #[arg(short, long)]
    pub(crate) json: bool,
    /// Print more (in text; JSON has everything).
    #[arg(short, long)]
    pub(crate) details: bool,
    /// Print counters of interfaces and neighbours; twice for counters of errors too.
    #[arg(short = 's', long, action = clap::ArgAction::Count)]
    pub(crate) statistics: u8,
    /// IPv4 only.
    #[arg(short = '4', long = "ipv4", conflicts_with = "six")]
    pub(crate) four: bool,
    /// IPv6 only.
    #[arg(short = '6', long = "ipv6")]
    pub(crate) six: bool,
    /// This family only.
    #[arg(short, long, value_parser = family_option, value_name = "inet|inet6|mpls|bridge", conflicts_with_all = ["four", "six"])]
    pub(crate) family: Option<Family>,
    /// Work in this network namespace: a name that `ip netns` knows, a path, or a process id.
    #[arg(short = 'n', long, value_name = "NAME|PATH|PID")]
    pub(crate) netns: Option<String>,
    /// Tell when an event came, on a line before it.
    #[arg(short, long)]
    pub(crate) timestamp: bool,
    /// Tell when an event came, on the same line; also `-ts`.
    #[arg(long)]
    pub(crate) tshort: bool,
    /// Print keys, which are hidden otherwise.
    #[arg(long)]
    pub(crate) show_keys: bool,
    /// Replace an XDP program that is there by the new one.
    #[arg(long)]
    pub(crate) force: bool,
    /// What moves the bytes.
    #[arg(long, value_enum, default_value = "auto", value_name = "ENGINE")]
    pub(crate) engine: EngineName,
    /// Ask for a receive buffer of so many bytes: a larger one takes larger bursts of events.
    #[arg(long, value_name = "BYTES")]
    pub(crate) receive_buffer: Option<usize>,
    /// Tell on standard error what was done: engine, messages, bytes, system calls, time.
    #[arg(long)]
    pub(crate) stats: bool,
    /// What to work on and what to do, as `ip` has it: `route show dev eth0`.
    #[arg(value_name = "OBJECT [VERB …]", trailing_var_arg = true)]
    pub(crate) words: Vec<String>,
}

/// What moves the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EngineName {
    /// System calls, and a ring for long dumps.
    Auto,
    /// io_uring.
    Ring,
    /// `send(2)` and `recv(2)`.
    Syscall,
}

impl From<EngineName> for EngineChoice {
    fn from(name: EngineName) -> Self {
        match name {
            EngineName::Auto => Self::Auto,
            EngineName::Ring => Self::Ring,
            EngineName::Syscall => Self::Syscall,
        }
    }
}

impl Options {
    /// Reads the command line. `-ts` is a word of `ip`, not `-t -s`.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let mapped = std::env::args_os().map(|word| match word.to_str() {
            Some("-ts" | "-tshort") => "--tshort".into(),
            _ => word,
        });
        Self::try_parse_from(mapped)
    }

    /// The family that `-4`, `-6` or `-f` asks for.
    pub(crate) fn family(&self) -> Family {
        match (self.four, self.six) {
            (true, _) => Family::INET,
            (_, true) => Family::INET6,
            _ => self.family.unwrap_or(Family::UNSPEC),
        }
    }
}

fn family_option(word: &str) -> Result<Family, &'static str> {
    family_named(word).ok_or("expected inet, inet6, mpls or bridge")
}

/// What `ringlink help` says of the objects.
pub(crate) const OBJECTS: &str = "\
Objects and verbs (each may be shortened, as with ip):
  link     show | add | set | del
  addr     show | add | replace | change | del | flush
  route    show | get | add | replace | append | change | del
  neigh    show | add | replace | change | del
  rule     show | add | del
  sockets  [KIND …] [-tuxan …] [state STATE] [FILTER] [--processes] [--destroy]
  conntrack list | get | create | update | delete | flush | count | stats | events | load | expect …
  xfrm     state | policy | monitor
  ipset    list | save | create | add | del | test | flush | destroy | rename | swap | restore
  monitor  link | addr | route | neigh | rule | … | all, or another protocol: xfrm | netfilter | uevent | …
  audit    status | rules [-a|-d|-w|-W …] | watch
  uevents  [--udev]
  processes  [EVENT …]
  log      GROUP [--pcap FILE] [--count N]
  queue    NUMBER --verdict accept|drop|repeat|mark=MARK [--count N]
  nft      list | add | create | insert | delete | destroy | flush | monitor
  watch    link | addr | route | neigh | rule | nexthop | conntrack
  genl     list | policy FAMILY | call FAMILY COMMAND [ATTRIBUTE VALUE …] | dump FAMILY COMMAND [ATTRIBUTE VALUE …]
  decode   [protocol P] [FILE | - | CAPTURE]
  doctor   [--all]
  help
`ringlink OBJECT help` shows an object's words.

Exit codes: 0 done; 1 the command line or the input makes no sense; 2 the kernel refused.";

/// A cursor over words: those of the command line, or slices of a text's lines.
#[derive(Clone, Debug)]
pub(crate) struct Words<'w, S = String> {
    words: &'w [S],
    at: usize,
}

impl<'w, S: AsRef<str>> Words<'w, S> {
    /// A cursor before the first word.
    pub(crate) fn new(words: &'w [S]) -> Self {
        Self { words, at: 0 }
    }

    /// The next word.
    #[allow(clippy::should_implement_trait, reason = "a cursor that also looks back and asks for more")]
    pub(crate) fn next(&mut self) -> Option<&'w str> {
        let word = self.peek()?;
        self.at += 1;
        Some(word)
    }

    /// The next word, which stays next.
    pub(crate) fn peek(&self) -> Option<&'w str> {
        self.words.get(self.at).map(AsRef::as_ref)
    }

    /// Goes over the next word if it is this one.
    pub(crate) fn take(&mut self, word: &str) -> bool {
        let taken = self.peek() == Some(word);
        self.at += usize::from(taken);
        taken
    }

    /// Goes back before the last word.
    pub(crate) fn back(&mut self) {
        self.at = self.at.saturating_sub(1);
    }

    /// The next word, which must be there: the value of the word before it.
    pub(crate) fn value(&mut self, expected: &str) -> Result<&'w str, Failure> {
        match self.next() {
            Some(word) => Ok(word),
            None => Err(self.refuse_end(expected)),
        }
    }

    /// The next word, which must be there and be something.
    pub(crate) fn parse<T>(&mut self, expected: &str, parse: impl FnOnce(&'w str) -> Option<T>) -> Result<T, Failure> {
        let word = self.value(expected)?;
        parse(word).ok_or_else(|| self.refuse(expected))
    }

    /// The next word as a number, decimal or with `0x` before it.
    pub(crate) fn number<T: Number>(&mut self) -> Result<T, Failure> {
        self.parse(T::EXPECTED, number)
    }

    /// The next word as an address, of this family unless that is unspecified.
    pub(crate) fn address(&mut self, family: Family) -> Result<IpAddr, Failure> {
        self.parse(expected_address(family), |word| address(word, family))
    }

    /// The next word as a prefix, of this family unless that is unspecified.
    pub(crate) fn net(&mut self, family: Family) -> Result<Net, Failure> {
        self.parse("an address or prefix (10.0.0.0/8, 2001:db8::/32, default)", |word| net(word, family))
    }

    /// The failure that says the last word is not what was expected.
    pub(crate) fn refuse(&self, expected: &str) -> Failure {
        let word = |back: usize| self.at.checked_sub(back).and_then(|at| self.words.get(at)).map(AsRef::as_ref);
        let (found, before): (Option<&str>, Option<&str>) = (word(1), word(2));
        let after = before.map(|word| format!(" after `{word}`")).unwrap_or_default();
        match found {
            Some(word) if word.starts_with("--") => {
                Failure::Usage(format!("`{word}`: options come before the object (ringlink {word} …)"))
            }
            Some(word) => Failure::Usage(format!("`{word}`{after}: expected {expected}")),
            None => Failure::Usage(format!("expected {expected}")),
        }
    }

    /// The failure that says that words are missing.
    pub(crate) fn refuse_end(&self, expected: &str) -> Failure {
        match self.words.last().map(AsRef::as_ref) {
            Some(last) => Failure::Usage(format!("the line ends after `{last}`: expected {expected}")),
            None => Failure::Usage(format!("expected {expected}")),
        }
    }
}

/// The word of `table` that is meant: itself, or the first that begins with what was typed.
pub(crate) fn keyword(word: &str, table: &[&'static str]) -> Option<&'static str> {
    let exact = table.iter().find(|known| **known == word);
    exact.or_else(|| table.iter().find(|known| !word.is_empty() && known.starts_with(word))).copied()
}

/// A number on the command line.
pub(crate) trait Number: FromStr + Copy {
    /// What to say when it is none.
    const EXPECTED: &'static str;

    /// Reads digits in base 16.
    fn from_hex(digits: &str) -> Option<Self>;
}

/// `numbers! { u8, "a number from 0 to 255"; }` makes a type a [`Number`].
macro_rules! numbers {
    ($($type:ty, $expected:literal;)*) => {$(
        impl Number for $type {
            const EXPECTED: &'static str = $expected;

            fn from_hex(digits: &str) -> Option<Self> {
                // `from_str_radix` would take a sign.
                let digits = digits.strip_prefix(|first: char| first.is_ascii_hexdigit()).map(|_| digits)?;
                Self::from_str_radix(digits, 16).ok()
            }
        }
    )*};
}

numbers! {
    u8, "a number from 0 to 255";
    u16, "a number from 0 to 65535";
    u32, "a number from 0 to 4294967295";
    u64, "a number";
    i32, "a number";
}

/// A number, decimal or with `0x` before it.
pub(crate) fn number<T: Number>(word: &str) -> Option<T> {
    match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        Some(digits) => T::from_hex(digits),
        None if word.starts_with('+') => None,
        None => word.parse().ok(),
    }
}

/// An address and how many of its bits count; without an address, everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Net {
    /// The address; `None` for `default`, `any` and `all`.
    pub(crate) address: Option<IpAddr>,
    /// How many bits count.
    pub(crate) length: u8,
    /// Whether the length was written.
    pub(crate) explicit: bool,
}

impl Net {
    /// The family, where there is an address.
    pub(crate) fn family(&self) -> Family {
        self.address.map_or(Family::UNSPEC, family_of)
    }

    /// Whether `bytes/length` lies in this net.
    pub(crate) fn contains(&self, bytes: &[u8], length: u8) -> bool {
        let Some(address) = self.address else { return true };
        length >= self.length && starts_alike(&octets(address), bytes, self.length)
    }

    /// Whether `bytes/length` is this net.
    pub(crate) fn is(&self, bytes: &[u8], length: u8) -> bool {
        length == self.length && self.contains(bytes, length)
    }

    /// Whether this net lies in `bytes/length`.
    pub(crate) fn is_within(&self, bytes: &[u8], length: u8) -> bool {
        let Some(address) = self.address else {
            return length == 0;
        };
        length <= self.length && starts_alike(&octets(address), bytes, length)
    }
}

/// The bytes of an address.
pub(crate) fn octets(address: IpAddr) -> Vec<u8> {
    match address {
        IpAddr::V4(address) => address.octets().to_vec(),
        IpAddr::V6(address) => address.octets().to_vec(),
    }
}

/// Whether the first `bits` bits are the same. No bytes stand for zeros, as in a default route.
fn starts_alike(one: &[u8], two: &[u8], bits: u8) -> bool {
    if !two.is_empty() && one.len() != two.len() {
        return false;
    }
    (0..usize::from(bits)).all(|bit| {
        let of = |bytes: &[u8]| bytes.get(bit / 8).copied().unwrap_or(0) >> (7 - bit % 8) & 1;
        of(one) == of(two)
    })
}

/// The family of an address.
pub(crate) fn family_of(address: IpAddr) -> Family {
    if address.is_ipv4() { Family::INET } else { Family::INET6 }
}

/// Bits of an address of this family.
pub(crate) fn bits_of(family: Family) -> u8 {
    match family {
        Family::INET => 32,
        Family::INET6 => 128,
        Family::MPLS => 20,
        _ => 0,
    }
}

/// The family that a word names, as in `via inet6 fe80::1`.
pub(crate) fn family_named(word: &str) -> Option<Family> {
    Some(match word {
        "inet" => Family::INET,
        "inet6" => Family::INET6,
        "mpls" => Family::MPLS,
        "bridge" => Family::BRIDGE,
        "link" => Family::PACKET,
        _ => return None,
    })
}

fn expected_address(family: Family) -> &'static str {
    match family {
        Family::INET => "an IPv4 address",
        Family::INET6 => "an IPv6 address",
        _ => "an IPv4 or IPv6 address",
    }
}

/// An address of this family, or of any where that is unspecified. Trailing zeros of IPv4 may be left out, as with
/// `ip`: `10.1` is 10.1.0.0.
pub(crate) fn address(word: &str, family: Family) -> Option<IpAddr> {
    let any = matches!(word, "any" | "all" | "default");
    match family {
        Family::INET if any => Some(IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        Family::INET6 if any => Some(IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        Family::INET => ipv4(word).map(IpAddr::V4),
        Family::INET6 => word.parse().ok().map(IpAddr::V6),
        _ => ipv4(word).map(IpAddr::V4).or_else(|| word.parse().ok().map(IpAddr::V6)),
    }
}

fn ipv4(word: &str) -> Option<Ipv4Addr> {
    let mut octets = [0; 4];
    let mut parts = word.split('.');
    for octet in &mut octets {
        match parts.next() {
            Some(part) if !part.is_empty() && part.bytes().all(|digit| digit.is_ascii_digit()) => {
                *octet = part.parse().ok()?;
            }
            Some(_) => return None,
            None => break,
        }
    }
    parts.next().is_none().then(|| Ipv4Addr::from(octets))
}

/// A prefix of this family, or of any where that is unspecified; without a length, a host.
pub(crate) fn net(word: &str, family: Family) -> Option<Net> {
    if matches!(word, "default" | "any" | "all") {
        return Some(Net { address: None, length: 0, explicit: false });
    }
    let (name, length) = match word.split_once('/') {
        Some((name, length)) => (name, Some(length)),
        None => (word, None),
    };
    let address = address(name, family)?;
    let bits = bits_of(family_of(address));
    let length = match (length, length.and_then(number::<u8>)) {
        (None, _) => None,
        (Some(_), Some(length)) if length <= bits => Some(length),
        // A mask in place of a length: 255.255.0.0.
        (Some(mask), _) => match (address, ipv4(mask)) {
            (IpAddr::V4(_), Some(mask)) if mask.to_bits().leading_ones() + mask.to_bits().trailing_zeros() >= 32 => {
                u8::try_from(mask.to_bits().leading_ones()).ok()
            }
            _ => return None,
        },
    };
    Some(Net { address: Some(address), length: length.unwrap_or(bits), explicit: length.is_some() })
}

/// A hardware address: bytes in hexadecimal with colons between, or an IPv4 or IPv6 address. Eight groups of two digits
/// could be either, and are bytes.
pub(crate) fn hardware(word: &str) -> Option<Vec<u8>> {
    let byte = |digits: &str| if digits.len() <= 2 { u8::from_hex(digits) } else { None };
    match word.split(':').map(byte).collect::<Option<Vec<u8>>>() {
        Some(bytes) if bytes.len() > 1 => Some(bytes),
        _ => word.parse().ok().map(octets),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nets_are_read_as_ip_reads_them() {
        let read = |word: &str| {
            net(word, Family::UNSPEC).map(|net| (net.address.map(|address| address.to_string()), net.length))
        };
        let some = |address: &str, length| Some((Some(address.to_owned()), length));
        assert_eq!(read("10.0.0.0/24"), some("10.0.0.0", 24));
        assert_eq!(read("10/8"), some("10.0.0.0", 8));
        assert_eq!(read("10.1.2.3"), some("10.1.2.3", 32));
        assert_eq!(read("10.0.0.0/255.255.0.0"), some("10.0.0.0", 16));
        assert_eq!(read("2001:db8::/32"), some("2001:db8::", 32));
        assert_eq!(read("default"), Some((None, 0)));
        for word in [
            "",
            "10.0.0.0/33",
            "10.0.0.0/",
            "10.0.0.0/x",
            "1.2.3.4.5",
            "::1/129",
            "300.1.1.1",
            "10..1",
            "10.0.0.0/255.0.255.0",
        ] {
            assert_eq!(read(word), None, "{word}");
        }
        assert_eq!(net("::/0", Family::INET), None);
    }

    #[test]
    fn nets_hold_each_other() {
        let outer = net("10.0.0.0/8", Family::INET).unwrap();
        assert!(
            outer.contains(&[10, 1, 0, 0], 16)
                && !outer.contains(&[11, 0, 0, 0], 16)
                && !outer.contains(&[10, 0, 0, 0], 7)
        );
        assert!(outer.is(&[10, 0, 0, 0], 8) && !outer.is(&[10, 0, 0, 0], 9));
        assert!(outer.is_within(&[], 0) && outer.is_within(&[8, 0, 0, 0], 5) && !outer.is_within(&[10, 0, 0, 0], 9));
    }

    #[test]
    fn numbers_are_decimal_or_hexadecimal() {
        assert_eq!((number::<u8>("255"), number::<u8>("256"), number::<u8>("0x1f")), (Some(255), None, Some(31)));
        assert_eq!(
            (number::<u32>("-1"), number::<u32>("+1"), number::<u32>("0x+1"), number::<u32>("")),
            (None, None, None, None)
        );
    }

    #[test]
    fn words_say_what_was_expected() {
        let words: Vec<String> = ["metric", "abc"].map(String::from).into();
        let mut words = Words::new(&words);
        assert_eq!(words.next(), Some("metric"));
        let error = words.number::<u32>().unwrap_err().to_string();
        assert_eq!(error, "`abc` after `metric`: expected a number from 0 to 4294967295");
        assert_eq!(words.value("a table").unwrap_err().to_string(), "the line ends after `abc`: expected a table");
        assert_eq!(keyword("pro", &["proto", "protocol"]), Some("proto"));
        assert_eq!(keyword("x", &["proto"]), None);
    }

    #[test]
    fn hardware_addresses() {
        assert_eq!(hardware("02:00:00:00:00:0a"), Some(vec![2, 0, 0, 0, 0, 10]));
        assert_eq!(hardware("1:2:3:4:5:6:7:8"), Some(vec![1, 2, 3, 4, 5, 6, 7, 8]));
        assert_eq!(hardware("10.0.0.1"), Some(vec![10, 0, 0, 1]));
        assert_eq!(hardware("fe80::1").map(|bytes| bytes.len()), Some(16));
        assert_eq!(hardware("zz:00"), None);
    }
}
