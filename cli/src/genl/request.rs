//! Requests in words: paths of attributes and their values, by the tables' rows.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::OnceLock;

use ringlink::codec::table::{
    AttributeWriter, Be16, Be32, Be64, Bytes, Flag, Inet, Key, Name, Nest, Row, Secret, Shape, Sint, SockAddr, Space,
    Str, Table, Uint, ValueTable,
};

use crate::arguments::number;

/// The space of the one request that this program makes, which is known when the command was read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Chosen;

static SPACE: OnceLock<&'static Space> = OnceLock::new();

impl Chosen {
    /// Says which it is.
    pub(super) fn is(space: &'static Space) {
        // A second request would have its own process.
        let _ = SPACE.set(space);
    }
}

impl Table for Chosen {
    fn space() -> &'static Space {
        static NONE: Space = Space::new("", "", Chosen::names, &[]);
        SPACE.get().copied().unwrap_or(&NONE)
    }

    fn names() -> &'static [Name] {
        // Nothing is read by it.
        &[]
    }
}

/// An attribute of a request.
#[derive(Debug, PartialEq)]
pub(super) struct Node {
    number: u16,
    /// Whether its neighbours of the same number are others of the same kind.
    many: bool,
    content: Content,
}

/// What is in an attribute.
#[derive(Debug, PartialEq)]
enum Content {
    Nest(Vec<Node>),
    Unsigned(u64, u8),
    Signed(i64, u8),
    BigEndian(u64, u8),
    Uint(u64),
    Sint(i64),
    Flag,
    Text(String),
    Bytes(Vec<u8>),
    Secret(Vec<u8>),
    Address(IpAddr),
    Socket(SocketAddr),
}

/// Adds an attribute by its path, or says why not.
pub(super) fn add(nodes: &mut Vec<Node>, space: &'static Space, path: &str, value: &str) -> Result<(), String> {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let row = row(space, name).ok_or_else(|| format!("`{name}`: expected {}", names(space)))?;
    let (shape, many) = match row.shape {
        Shape::Many(of) => (*of, true),
        shape => (shape, false),
    };
    place(nodes, row.number, many, shape, row, rest, value)
}

/// Adds an attribute of this number and shape.
fn place(
    nodes: &mut Vec<Node>,
    number: u16,
    many: bool,
    shape: Shape,
    row: Row,
    rest: Option<&str>,
    value: &str,
) -> Result<(), String> {
    match (shape, rest) {
        (Shape::Nest(space), Some(rest)) => {
            let last = nodes.iter_mut().rev().find(|node| node.number == number);
            // Of a nest that may stand several times, one that has the attribute already is whole.
            let fits = |inside: &[Node]| !many || !has(inside, space(), rest);
            if let Some(Node { content: Content::Nest(inside), .. }) = last
                && fits(inside)
            {
                return add(inside, space(), rest, value);
            }
            let mut inside = Vec::new();
            add(&mut inside, space(), rest, value)?;
            nodes.push(Node { number, many, content: Content::Nest(inside) });
            Ok(())
        }
        (Shape::Indexed(of), Some(rest)) => {
            let (index, rest) = rest.split_once('.').map_or((rest, None), |(index, rest)| (index, Some(rest)));
            let index =
                index.parse().map_err(|_| format!("`{index}` behind {}: expected an item's number", row.name))?;
            let at = match nodes.iter().position(|node| node.number == number) {
                Some(at) => at,
                None => {
                    nodes.push(Node { number, many, content: Content::Nest(Vec::new()) });
                    nodes.len() - 1
                }
            };
            match nodes.get_mut(at).map(|node| &mut node.content) {
                Some(Content::Nest(inside)) => place(inside, index, false, *of, row, rest, value),
                _ => Err(format!("{} has a value already", row.name)),
            }
        }
        // An empty nest says that it is there.
        (Shape::Nest(_) | Shape::Indexed(_), None) if value.is_empty() => {
            nodes.push(Node { number, many, content: Content::Nest(Vec::new()) });
            Ok(())
        }
        (Shape::Nest(space), None) => {
            Err(format!("{} is a nest: expected {}.NAME, {}", row.name, row.name, names(space())))
        }
        (Shape::Indexed(_), None) => Err(format!("{} is a list: expected {}.NUMBER", row.name, row.name)),
        (_, Some(rest)) => Err(format!("{} is no nest: there is no `{rest}` in it", row.name)),
        (_, None) if !many && nodes.iter().any(|node| node.number == number) => {
            Err(format!("{} stands twice", row.name))
        }
        (Shape::Flag, None) => {
            match value {
                "on" | "true" | "yes" | "1" => nodes.push(Node { number, many, content: Content::Flag }),
                "off" | "false" | "no" | "0" => {}
                _ => return Err(format!("{}: `{value}` found, on or off expected", row.name)),
            }
            Ok(())
        }
        (shape, None) => {
            let content = content(shape, value)
                .map_err(|expected| format!("{}: `{value}` found, {expected} expected", row.name))?;
            nodes.push(Node { number, many, content });
            Ok(())
        }
    }
}

/// Whether an attribute of this path is there, and could not stand once more.
fn has(nodes: &[Node], space: &'static Space, path: &str) -> bool {
    let (name, rest) = path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)));
    let Some(row) = row(space, name) else { return false };
    let found = nodes.iter().rev().find(|node| node.number == row.number);
    match (found.map(|node| &node.content), row.shape, rest) {
        (None, ..) | (_, Shape::Many(_), _) => false,
        (Some(Content::Nest(inside)), Shape::Nest(space), Some(rest)) => has(inside, space(), rest),
        (Some(Content::Nest(_)), ..) => false,
        (Some(_), ..) => true,
    }
}

/// A row by its name, with or without the prefix, in any case.
fn row(space: &'static Space, name: &str) -> Option<Row> {
    let is = |row: &Row| {
        let bare = row.name.strip_prefix(space.prefix).unwrap_or(row.name);
        row.name.eq_ignore_ascii_case(name) || bare.eq_ignore_ascii_case(name)
    };
    space.rows().find(is)
}

fn names(space: &'static Space) -> String {
    let known = space.rows().filter(|row| !matches!(row.shape, Shape::Pad));
    let names: Vec<String> =
        known.map(|row| row.name.strip_prefix(space.prefix).unwrap_or(row.name).to_lowercase()).collect();
    format!("one of {} ({}…)", names.join(", "), space.prefix)
}

/// A value, or what was expected in its place.
fn content(shape: Shape, value: &str) -> Result<Content, String> {
    let unsigned = |bytes: u8| {
        let most = u64::MAX >> (64 - u32::from(bytes).clamp(1, 8) * 8);
        let found = number::<u64>(value).filter(|number| *number <= most);
        found.ok_or_else(|| format!("a number up to {most}"))
    };
    let signed = |bytes: u8| {
        let most = i64::MAX >> (64 - u32::from(bytes).clamp(1, 8) * 8);
        let found = value.parse().ok().filter(|number: &i64| (-most - 1..=most).contains(number));
        found.ok_or_else(|| format!("a number from {} to {most}", -most - 1))
    };
    Ok(match shape {
        Shape::Unsigned(bytes) => Content::Unsigned(unsigned(bytes)?, bytes),
        Shape::BigEndian(bytes) => Content::BigEndian(unsigned(bytes)?, bytes),
        Shape::Signed(bytes) => Content::Signed(signed(bytes)?, bytes),
        Shape::Uint => Content::Uint(unsigned(8)?),
        Shape::Sint => Content::Sint(signed(8)?),
        Shape::Named(table, base) => match table_value(table, value) {
            Some(number) => content(*base, &number.to_string())?,
            None => content(*base, value).map_err(|number| {
                let names: Vec<&str> = table.rows.iter().map(|row| row.name).collect();
                let joined = if table.bits { ", several joined by `|`" } else { "" };
                format!("{}{joined}, or {number}", names.join(", "))
            })?,
        },
        Shape::Text => Content::Text(value.to_owned()),
        Shape::Address => Content::Address(value.parse().map_err(|_| "an address")?),
        Shape::Ipv4 => Content::Address(value.parse::<Ipv4Addr>().map_err(|_| "an IPv4 address")?.into()),
        Shape::Ipv6 => Content::Address(value.parse::<Ipv6Addr>().map_err(|_| "an IPv6 address")?.into()),
        Shape::SocketAddress => {
            Content::Socket(value.parse().map_err(|_| "an address and a port (192.0.2.1:80, [2001:db8::1]:80)")?)
        }
        Shape::Packed(of, _) | Shape::Array(of, _) if !matches!(of, Shape::Unsigned(1)) => {
            let items: Result<Vec<Content>, String> = value.split(',').map(|item| content(*of, item)).collect();
            Content::Bytes(items?.iter().flat_map(Content::plain).collect())
        }
        Shape::Array(_, count) => {
            let bytes = bytes(value)?;
            if bytes.len() != usize::from(count) {
                return Err(format!("{count} bytes in hexadecimal"));
            }
            Content::Bytes(bytes)
        }
        Shape::Secret => Content::Secret(bytes(value)?),
        _ => Content::Bytes(bytes(value)?),
    })
}

/// A number by its names.
fn table_value(table: &ValueTable, value: &str) -> Option<u64> {
    match table.bits {
        false => table.value_of(value),
        true => value.split(['|', ',']).try_fold(0, |bits, name| Some(bits | table.value_of(name.trim())?)),
    }
}

/// Bytes in hexadecimal, with or without colons; 32 of them in base64, too; or those that a file has in such a form.
fn bytes(value: &str) -> Result<Vec<u8>, String> {
    let kept;
    let text = match value.strip_prefix('@') {
        Some(path) => {
            kept = fs::read_to_string(path)
                .map_err(|error| format!("({error}) a file of bytes in hexadecimal or base64"))?;
            kept.trim()
        }
        None => value,
    };
    let digits: String = text.chars().filter(|character| *character != ':').collect();
    let pairs = digits.as_bytes().chunks(2);
    let hexadecimal: Option<Vec<u8>> = pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok().filter(|pair| pair.len() == 2)?, 16).ok())
        .collect();
    hexadecimal.or_else(|| base64(text)).ok_or_else(|| "bytes in hexadecimal, or 32 in base64,".to_owned())
}

/// 32 bytes in base64, as WireGuard's tools write keys.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digit = |letter: u8| {
        Some(u32::from(match letter {
            b'A'..=b'Z' => letter - b'A',
            b'a'..=b'z' => letter - b'a' + 26,
            b'0'..=b'9' => letter - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        }))
    };
    let letters = text.strip_suffix('=').filter(|letters| letters.len() == 43)?;
    let mut bytes = Vec::with_capacity(33);
    for group in letters.as_bytes().chunks(4) {
        let mut bits = 0;
        for at in 0..4 {
            bits = bits << 6 | group.get(at).map_or(Some(0), |letter| digit(*letter))?;
        }
        let [_, one, two, three] = bits.to_be_bytes();
        bytes.extend([one, two, three]);
    }
    // The last byte is none: it must be zero.
    (bytes.pop() == Some(0)).then_some(bytes)
}

impl Content {
    /// A number's bytes, for one among others.
    fn plain(&self) -> Vec<u8> {
        let (number, bytes, big) = match self {
            Self::Unsigned(number, bytes) => (*number, *bytes, false),
            Self::BigEndian(number, bytes) => (*number, *bytes, true),
            Self::Signed(number, bytes) => (number.cast_unsigned(), *bytes, false),
            Self::Bytes(bytes) => return bytes.clone(),
            _ => return Vec::new(),
        };
        let length = usize::from(bytes);
        match big || cfg!(target_endian = "big") {
            true => number.to_be_bytes().into_iter().skip(8_usize.saturating_sub(length)).collect(),
            false => number.to_le_bytes().into_iter().take(length).collect(),
        }
    }
}

/// Writes attributes.
pub(super) fn write<S>(nodes: &[Node], to: &mut AttributeWriter<'_, '_, S>) {
    for Node { number, content, .. } in nodes {
        let number = *number;
        match content {
            Content::Nest(inside) => to.nest(Key::<S, Nest<Chosen>>::new(number), |to| write(inside, to)),
            Content::BigEndian(value, 2) => to.put(Key::<S, Be16>::new(number), u16::try_from(*value).unwrap_or(0)),
            Content::BigEndian(value, 4) => to.put(Key::<S, Be32>::new(number), u32::try_from(*value).unwrap_or(0)),
            Content::BigEndian(value, _) => to.put(Key::<S, Be64>::new(number), *value),
            Content::Unsigned(..) | Content::Signed(..) => to.put(Key::<S, Bytes>::new(number), &content.plain()[..]),
            Content::Uint(value) => to.put(Key::<S, Uint>::new(number), *value),
            Content::Sint(value) => to.put(Key::<S, Sint>::new(number), *value),
            Content::Flag => to.put(Key::<S, Flag>::new(number), ()),
            Content::Text(text) => to.put(Key::<S, Str>::new(number), text.as_str()),
            Content::Bytes(bytes) => to.put(Key::<S, Bytes>::new(number), &bytes[..]),
            Content::Secret(bytes) => to.put(Key::<S, Secret>::new(number), &bytes[..]),
            Content::Address(address) => to.put(Key::<S, Inet>::new(number), *address),
            Content::Socket(address) => to.put(Key::<S, SockAddr>::new(number), *address),
        }
    }
}

#[cfg(test)]
mod tests {
    use ringlink::codec::generic::ethtool::{Features, Rings};
    use ringlink::codec::generic::{mptcp_pm, wireguard};
    use ringlink::codec::table::Attributes;
    use ringlink::codec::wire::{Payload, Writer};

    use super::*;

    /// What a line of paths and values becomes, as the codec prints it.
    fn line<S: Table>(words: &str) -> Result<String, String> {
        let mut nodes = Vec::new();
        let words: Vec<&str> = words.split(' ').collect();
        for pair in words.chunks(2) {
            add(&mut nodes, S::space(), pair[0], pair[1])?;
        }
        let mut buffer = [0; 1024];
        let mut writer = Writer::new(&mut buffer);
        write(&nodes, &mut AttributeWriter::<S>::new(&mut writer));
        let bytes = writer.finish().unwrap();
        let shown = format!("{:?}", Attributes::<S>::new(Payload { bytes, offset: 0 }));
        // Only names and values matter here.
        let mut short = shown.replace("{\"name\":", "").replace(",\"value\":", "=").replace('}', "");
        while let Some(at) = short.find(",\"type\":") {
            let end = short[at + 8..].find(|letter: char| !letter.is_ascii_digit()).unwrap_or(0);
            short.replace_range(at..at + 8 + end, "");
        }
        Ok(short.replace('"', ""))
    }

    #[test]
    fn paths_share_nests_and_lists_go_on() {
        let text = line::<Rings>("header.dev_name v0 rx 5 ETHTOOL_A_RINGS_HEADER.FLAGS compact_bitsets|STATS").unwrap();
        assert_eq!(
            text,
            "[ETHTOOL_A_RINGS_HEADER=[ETHTOOL_A_HEADER_DEV_NAME=v0,ETHTOOL_A_HEADER_FLAGS=COMPACT_BITSETS|STATS],\
             ETHTOOL_A_RINGS_RX=5]"
        );
        let text = line::<Features>(
            "wanted.bits.bit.name a wanted.bits.bit.value on wanted.bits.bit.name b wanted.bits.bit.value off",
        )
        .unwrap();
        assert_eq!(
            text,
            "[ETHTOOL_A_FEATURES_WANTED=[ETHTOOL_A_BITSET_BITS=[\
             ETHTOOL_A_BITSET_BITS_BIT=[ETHTOOL_A_BITSET_BIT_NAME=a,ETHTOOL_A_BITSET_BIT_VALUE=true],\
             ETHTOOL_A_BITSET_BITS_BIT=[ETHTOOL_A_BITSET_BIT_NAME=b]]]]"
        );
        let key = "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
        let words = format!(
            "ifname wg0 peers.0.public_key {key} peers.0.endpoint [2001:db8::1]:5 peers.0.allowedips.0.family INET \
             peers.0.allowedips.0.ipaddr 10.0.0.0 peers.0.allowedips.1.cidr_mask 9"
        );
        let text = line::<wireguard::Device>(&words).unwrap();
        for part in [&"01".repeat(32), "WGPEER_A_ENDPOINT=[2001:db8::1]:5", "WGALLOWEDIP_A_IPADDR=10.0.0.0", "=INET"] {
            assert!(text.contains(part), "{part} is not in {text}");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            (line::<Rings>("rxx 5"), "`rxx`: expected one of header, rx_max,"),
            (line::<Rings>("rx x"), "ETHTOOL_A_RINGS_RX: `x` found, a number up to 4294967295 expected"),
            (line::<Rings>("tx_push 256"), "ETHTOOL_A_RINGS_TX_PUSH: `256` found, a number up to 255 expected"),
            (line::<Rings>("rx 5 rx 6"), "ETHTOOL_A_RINGS_RX stands twice"),
            (line::<Rings>("rx.y 5"), "ETHTOOL_A_RINGS_RX is no nest: there is no `y` in it"),
            (line::<Rings>("header v0"), "ETHTOOL_A_RINGS_HEADER is a nest: expected ETHTOOL_A_RINGS_HEADER.NAME"),
            (line::<wireguard::Device>("peers.x.flags 1"), "`x` behind WGDEVICE_A_PEERS: expected an item's number"),
            (line::<wireguard::Device>("public_key 00"), "WGDEVICE_A_PUBLIC_KEY: `00` found, 32 bytes in hexadecimal"),
            (line::<mptcp_pm::Endpoint>("addr.if_idx 3000000000"), "MPTCP_PM_ADDR_ATTR_IF_IDX: `3000000000` found,"),
            (line::<mptcp_pm::Endpoint>("addr.flags SIGNALS"), "MPTCP_PM_ADDR_ATTR_FLAGS: `SIGNALS` found, SIGNAL,"),
            (line::<mptcp_pm::Endpoint>("addr.addr4 ::1"), "MPTCP_PM_ADDR_ATTR_ADDR4: `::1` found, an IPv4 address"),
        ];
        for (found, expected) in cases {
            let found = found.expect_err(expected);
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn numbers_at_their_limits() {
        assert_eq!(content(Shape::Signed(4), "-2147483648"), Ok(Content::Signed(-2_147_483_648, 4)));
        assert!(content(Shape::Signed(4), "2147483648").is_err());
        assert_eq!(content(Shape::Unsigned(8), "0xffffffffffffffff"), Ok(Content::Unsigned(u64::MAX, 8)));
        assert_eq!(Content::BigEndian(1, 2).plain(), [0, 1]);
        assert_eq!(content(Shape::Packed(&Shape::BigEndian(2), 2), "1,2"), Ok(Content::Bytes(vec![0, 1, 0, 2])));
        assert!(base64("not base64").is_none());
    }
}
