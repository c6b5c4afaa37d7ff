//! Labels of connections: bits, which `/etc/xtables/connlabel.conf` may give names.

use std::collections::BTreeMap;
use std::sync::OnceLock;

/// What a label may be.
pub(super) const EXPECTED: &str = "a label: its number, 0 to 127, or its name in /etc/xtables/connlabel.conf";

/// How many labels there are at most (`NF_CT_LABELS_MAX_SIZE`, in bits).
pub(super) const MOST: u16 = 128;

/// A label's number.
pub(super) fn number(word: &str) -> Option<u16> {
    let number = crate::arguments::number(word)
        .or_else(|| names().iter().find(|(_, name)| name.as_str() == word).map(|(number, _)| *number));
    number.filter(|number| *number < MOST)
}

/// A label's name, where it has one.
pub(super) fn name(number: u16) -> Option<&'static str> {
    names().get(&number).map(String::as_str)
}

/// The bits that are set.
pub(super) fn set(labels: &[u8]) -> impl Iterator<Item = u16> {
    (0..MOST).filter(|number| {
        let (byte, bit) = place(*number);
        labels.get(byte).is_some_and(|byte| byte & bit != 0)
    })
}

/// The bytes of labels that are set: as many as the kernel takes, a multiple of four.
pub(super) fn bytes(numbers: impl Iterator<Item = u16>) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (byte, bit) in numbers.map(place) {
        if let Some(byte) = bytes.get_mut(byte) {
            *byte |= bit;
        }
    }
    bytes
}

/// Where a label stands: in words of four bytes, each in the machine's order.
fn place(number: u16) -> (usize, u8) {
    let (byte, bit) = (usize::from(number / 8), 1 << (number % 8));
    (if cfg!(target_endian = "big") { byte ^ 3 } else { byte }, bit)
}

fn names() -> &'static BTreeMap<u16, String> {
    static NAMES: OnceLock<BTreeMap<u16, String>> = OnceLock::new();
    NAMES.get_or_init(|| {
        // Without the file no label has a name.
        let text = std::fs::read_to_string("/etc/xtables/connlabel.conf").unwrap_or_default();
        let line = |line: &str| {
            let mut words = line.split('#').next()?.split_whitespace();
            Some((words.next()?.parse().ok()?, words.next()?.to_owned()))
        };
        text.lines().filter_map(line).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_bits() {
        let bytes = bytes([0, 9, 127].into_iter());
        assert_eq!(set(&bytes).collect::<Vec<_>>(), [0, 9, 127]);
        assert_eq!((number("127"), number("128")), (Some(127), None));
    }
}
