//! What fuzzers start from.

use ringlink::codec::protocol::PROTOCOLS;
use ringlink::codec::table::{Selector, Shape, Space};

/// The inputs that captured messages make: for the printer one for each protocol, for all others the bytes themselves.
pub fn seeds(target: &str, capture: &[u8]) -> Vec<Vec<u8>> {
    match target {
        "print" => (0..PROTOCOLS.len()).map(|first| [&[u8::try_from(first).unwrap_or(0)], capture].concat()).collect(),
        "filter" => Vec::new(),
        _ => vec![capture.to_vec()],
    }
}

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
pub fn captures(text: &str) -> Vec<Vec<u8>> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(bytes).collect()
}

fn bytes(line: &str) -> Option<Vec<u8>> {
    let digits: Vec<char> = line.chars().filter(|letter| !letter.is_whitespace()).collect();
    let pair = |pair: &[char]| u8::try_from(pair.first()?.to_digit(16)? << 4 | pair.get(1)?.to_digit(16)?).ok();
    digits.chunks(2).map(pair).collect::<Option<Vec<u8>>>().filter(|bytes| !bytes.is_empty())
}
