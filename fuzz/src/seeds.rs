//! What fuzzers start from.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::{fs, io};

use arbitrary::Unstructured;
use ringlink::codec::audit::RecordType;
use ringlink::codec::generate::Bounds;
use ringlink::codec::prelude::*;
use ringlink::codec::protocol::{
    AUDIT, CONNECTOR, GENERIC, KOBJECT_UEVENT, NETFILTER, PROTOCOLS, Protocol, ROUTE_AND_TRAFFIC, SOCK_DIAG, XFRM,
};
use ringlink::codec::table::{Selector, Shape, Space, Verb};
use ringlink::codec::wire::{MessageType, Writer};

use crate::NUMBERS;

/// Where captures, recordings and the like are kept, below the workspace.
const FOLDERS: &[&str] = &["codec/tests", "cli/tests", "transport/tests"];

/// What targets start from.
#[derive(Debug, Default)]
pub struct Seeds {
    /// Captured messages: a protocol's number among all, and the message.
    pub messages: Vec<(u8, Vec<u8>)>,
    /// Whole files that hold captures, as `ringlink decode` is given them.
    pub files: Vec<Vec<u8>>,
    /// Recorded sessions.
    pub recordings: Vec<Vec<u8>>,
    /// Text of the audit's records.
    pub records: Vec<Vec<u8>>,
}

impl Seeds {
    /// What there is in the workspace: files in folders of tests.
    ///
    /// # Errors
    ///
    /// What the system says of folders and files.
    pub fn find() -> io::Result<Self> {
        let mut seeds = Self::default();
        for folder in FOLDERS {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(folder);
            for entry in fs::read_dir(folder)? {
                let Ok(files) = fs::read_dir(entry?.path()) else { continue };
                let mut paths: Vec<PathBuf> = files.map(|file| Ok(file?.path())).collect::<io::Result<_>>()?;
                paths.sort();
                paths.iter().try_for_each(|path| seeds.add(path))?;
            }
        }
        seeds.files.extend(seeds.files.iter().find_map(|file| blocks(file)));
        Ok(seeds)
    }

    fn add(&mut self, path: &Path) -> io::Result<()> {
        let name = |part: Option<&OsStr>| part.unwrap_or_default().to_string_lossy().into_owned();
        let folder = name(path.parent().and_then(Path::file_name));
        let stem = name(path.file_stem());
        match path.extension().and_then(OsStr::to_str) {
            Some("hex") => {
                let text = fs::read(path)?;
                let protocol = protocol_of(&folder, &stem);
                let place = PROTOCOLS.iter().position(|one| one.number == protocol.number).unwrap_or(0);
                let captures = captures(&String::from_utf8_lossy(&text));
                let number = stem.strip_prefix("generic_").and_then(number_of);
                self.messages.extend(captures.into_iter().map(|mut message| {
                    // The number that the family had then is not the one it has here.
                    if let (Some(number), Some(kind)) = (number, message.get_mut(4..6)) {
                        kind.copy_from_slice(&number.to_ne_bytes());
                    }
                    (u8::try_from(place).unwrap_or(0), message)
                }));
                self.files.push(text);
            }
            Some("pcap") => self.files.push(fs::read(path)?),
            Some("recording") => self.recordings.push(fs::read(path)?),
            Some("txt") if stem == "audit" => {
                let text = fs::read_to_string(path)?;
                let lines = text.lines().filter_map(|line| line.strip_prefix("  ")?.split_once(' '));
                let known = |(name, text): (&str, &str)| {
                    let kind = u8::try_from(RecordType::TABLE.value_of(name)?.checked_sub(1300)?).ok()?;
                    Some([&[kind], format!("audit(1700000000.123:{kind}): {text}").as_bytes()].concat())
                };
                self.records.extend(lines.filter_map(known));
            }
            _ => {}
        }
        Ok(())
    }

    /// The inputs of a target, in an order that is always the same.
    pub fn of(&self, target: &str) -> Vec<Vec<u8>> {
        let messages = || self.messages.iter().map(|(_, message)| message.clone());
        let led = || self.messages.iter().map(|(first, message)| [&[*first], &message[..]].concat());
        match target {
            "print" | "again" => led().chain(generated()).collect(),
            "views" | "differential" => {
                messages().chain(generated().into_iter().map(|one| one[1..].to_vec())).collect()
            }
            "followed" => self.followed(),
            "exchange" => messages().chain(noise(256)).collect(),
            "generated" | "refusal" | "answers" | "pending" | "written" => noise(768).collect(),
            "text" => messages()
                .chain(self.records.clone())
                .chain(RECORDS.iter().map(|record| record.as_bytes().to_vec()))
                .chain(WORDS.iter().map(|word| word.as_bytes().to_vec()))
                .collect(),
            "filter" => FILTERS.iter().map(|filter| filter.as_bytes().to_vec()).collect(),
            "decode" => messages().step_by(10).chain(self.files.clone()).collect(),
            "recording" => self.recordings.iter().cloned().chain(noise(64)).collect(),
            _ => Vec::new(),
        }
    }

    /// Messages about what is followed, many in one datagram: behind a byte that says what, and of which family.
    fn followed(&self) -> Vec<Vec<u8>> {
        let mut inputs = Vec::new();
        for first in 0..8 {
            let protocol = if first < 6 { &ROUTE_AND_TRAFFIC } else { &NETFILTER };
            let place = PROTOCOLS.iter().position(|one| one.number == protocol.number);
            let of_protocol = |first: u8| place == Some(first.into());
            let messages: Vec<_> = self.messages.iter().filter(|(first, _)| of_protocol(*first)).collect();
            for (family, some) in (0..4).flat_map(|family| messages.chunks(12).map(move |some| (family, some))) {
                let mut input = vec![first | family << 6];
                // Twice, so that there is something to be told of again: what was told before and is not then is swept away.
                for (number, (_, message)) in some.iter().chain(some).enumerate() {
                    let sequence: u32 = match number {
                        0 | 12 => 6,
                        20 => 7,
                        _ => 0,
                    };
                    let mut message = message.clone();
                    if let Some(bytes) = message.get_mut(8..12) {
                        bytes.copy_from_slice(&sequence.to_ne_bytes());
                    }
                    message.resize(message.len().next_multiple_of(4), 0);
                    input.append(&mut message);
                }
                inputs.push(input);
            }
        }
        inputs
    }
}

/// Of which protocol a capture is, by its folder and name.
fn protocol_of(folder: &str, stem: &str) -> &'static Protocol {
    match (folder, stem.split('_').next().unwrap_or_default()) {
        (_, "generic") => &GENERIC,
        (_, "xfrm") => &XFRM,
        (_, "audit") => &AUDIT,
        (_, "connector") => &CONNECTOR,
        (_, "uevent") => &KOBJECT_UEVENT,
        ("diag_captures", _) => &SOCK_DIAG,
        ("packet_captures" | "conntrack_captures" | "ipset_captures", _) | (_, "ipset" | "conntrack" | "nftables") => {
            &NETFILTER
        }
        _ => &ROUTE_AND_TRAFFIC,
    }
}

/// The number that a family has here: its name may have more words behind it.
fn number_of(stem: &str) -> Option<u16> {
    NUMBERS
        .iter()
        .find(|(_, family)| stem == family.name || stem.starts_with(&format!("{}_", family.name)))
        .and_then(|(number, family)| (family.id == 0).then_some(*number))
}

/// Messages of all kinds that there are tables for, with the protocol before each.
fn generated() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (first, protocol) in (0..).zip(PROTOCOLS) {
        for (name, table) in protocol.tables() {
            let family = NUMBERS.iter().find(|(_, family)| family.name == name);
            for (row, seed) in table.rows.iter().flat_map(|row| [(row, 1), (row, 2)]) {
                let [command, _] = row.number.to_le_bytes();
                let (kind, lead) = match family {
                    Some((number, family)) => (if family.id == 0 { *number } else { family.id }, vec![command]),
                    None => (table.first | row.number, Vec::new()),
                };
                let noise: Vec<u8> = bytes_of(seed + u64::from(row.number)).take(4096).collect();
                let mut buffer = vec![0; 1 << 16];
                let mut writer = Writer::new(&mut buffer);
                let request = matches!(row.verb, Verb::Get | Verb::Delete) || name.contains("DIAG");
                let flags = if request { Flags::REQUEST } else { Flags::NONE };
                let header = MessageHeader { kind: MessageType(kind), flags, port: 1, ..MessageHeader::default() };
                let made = Bounds::default().message(&mut Unstructured::new(&noise), header, row, &lead, &mut writer);
                if let (Ok(()), Ok(bytes)) = (made, writer.finish()) {
                    all.push([&[first], &bytes[..]].concat());
                }
            }
        }
    }
    all
}

/// Choices: bytes that look random and are always the same.
fn noise(count: u64) -> impl Iterator<Item = Vec<u8>> {
    (1..=count).map(|seed| bytes_of(seed).take(usize::try_from(64 << (seed % 7)).unwrap_or(64)).collect())
}

/// A generator of numbers (xorshift).
fn bytes_of(seed: u64) -> impl Iterator<Item = u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    })
    .flatten()
}

/// The same packets as a capture in blocks (pcapng), of a file that is one without (pcap).
fn blocks(file: &[u8]) -> Option<Vec<u8>> {
    let number = |bytes: &[u8], at: usize| Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?));
    let (header, mut rest) = file.split_at_checked(24)?;
    if number(header, 0)? != 0xa1b2_c3d4 {
        return None;
    }
    let block = |kind: u32, body: &[u8]| {
        let length = u32::try_from(12 + body.len()).unwrap_or(0).to_le_bytes();
        [&kind.to_le_bytes(), &length[..], body, &length].concat()
    };
    let mut blocks = block(0x0a0d_0d0a, &[[0x4d, 0x3c, 0x2b, 0x1a], [1, 0, 0, 0], [0xff; 4], [0xff; 4]].concat());
    blocks.extend(block(1, &[header.get(20..24)?, &[0; 4]].concat()));
    while let (Some(length), Some(head)) = (number(rest, 8), rest.get(..16)) {
        let end = usize::try_from(length).ok()?.checked_add(16)?;
        let mut body = [&[0; 12], &head[8..16], rest.get(16..end)?].concat();
        body.resize(body.len().next_multiple_of(4), 0);
        blocks.extend(block(6, &body));
        rest = rest.get(end..)?;
    }
    Some(blocks)
}

/// Records of the audit as programs write them, and some that are odd; the first letter says the type.
const RECORDS: &[&str] = &[
    "\0audit(1.234:5): pid=1 uid=0 msg='op=login acct=\"root\" exe=2F62696E it's here res=failed'",
    "\x05audit(1.234:5): argc=3 a0=\"ls\" a1=C3A4FF20 a2_len=7 a3=(null) mode=0100644 saddr=0200 key=?",
    "\nproctitle=6C73 arch=0xc000003e syscall=59 success=yes a0=7ffc exit=-13 items=2 name=(none) =x y",
];

/// Names, for what looks them up.
const WORDS: &[&str] = &["NETLINK_ROUTE", "xfrm", "ethtool", "hash:ip,port", "IFLA_MTU", "MTU", "RTPROT_STATIC", "up"];

/// Filters for sockets.
const FILTERS: &[&str] = &[
    "sport = :22 or dport >= 1024",
    "src 10.0.0.0/8:443 and not dst [2001:db8::]/32",
    "( autobound | dev 7 ) & fwmark = 0x1/0xff",
    "cgroup c or ! sport lt 5",
    "src *:80 && dst != 192.0.2.7:a",
    "dport eq p and dev = e and fwmark 3",
    "sport != 1 sport > 2 dport < 3 dport ne :4 sport le 5 dport ge 6 sport gt 7",
    "((((not not (src :80))))) || dst [::1]:*",
    "src [2001:db8::/32]:1 or src ::ffff:192.0.2.1",
    "sport = :22 dport",
    "( sport = 1",
    "sport ~ 1",
    "sport 5 ) or",
    "src 10.0.0.0/33 or dst 1.2.3",
    "something else",
    "!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!autobound",
];

/// Words that inputs are made of: texts that choose, and keywords of filters.
pub fn words() -> Vec<Vec<u8>> {
    let mut words: Vec<Vec<u8>> = [
        "state",
        "dport",
        "sport",
        "src",
        "dst",
        "dev",
        "fwmark",
        "autobound",
        "cgroup",
        "and",
        "or",
        "not",
        ">=",
        "<=",
        "!=",
        "==",
        "established",
        "listening",
        "connected",
        "[::1]:80",
        "10.0.0.0/8",
        "unix:",
        "link:",
    ]
    .into_iter()
    .map(|word| word.as_bytes().to_vec())
    .collect();
    for protocol in PROTOCOLS {
        for (_, table) in protocol.tables() {
            for row in table.rows {
                selectors((row.space)(), 0, &mut words);
            }
        }
    }
    words.sort();
    words.dedup();
    words
}

fn selectors(space: &'static Space, depth: u8, words: &mut Vec<Vec<u8>>) {
    if depth > 4 {
        return;
    }
    for row in space.rows() {
        match row.shape {
            Shape::Nest(inner) | Shape::Headed(_, inner) => selectors(inner(), depth + 1, words),
            Shape::Choice(table) => {
                for alternative in table().rows {
                    for selector in alternative.selectors {
                        if let Selector::Text(text) = selector {
                            words.push([text.as_bytes(), &[0]].concat());
                        }
                    }
                }
            }
            _ => {}
        }
    }
}

/// The messages of a capture: one a line in hexadecimal; other lines say where they come from.
fn captures(text: &str) -> Vec<Vec<u8>> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(bytes).collect()
}

fn bytes(line: &str) -> Option<Vec<u8>> {
    let digits: Vec<char> = line.chars().filter(|letter| !letter.is_whitespace()).collect();
    let pair = |pair: &[char]| u8::try_from(pair.first()?.to_digit(16)? << 4 | pair.get(1)?.to_digit(16)?).ok();
    digits.chunks(2).map(pair).collect::<Option<Vec<u8>>>().filter(|bytes| !bytes.is_empty())
}
