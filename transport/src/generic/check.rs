//! Requests held against the running kernel's own rules, before they are sent.

use std::fmt;

use ringlink_codec::reply::AttributeType;
use ringlink_codec::table::{Shape, Space};
use ringlink_codec::wire::{RawAttribute, RawAttributes};

use super::{Policies, Rule};

/// An attribute that the running kernel would not take.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Violation {
    /// The attribute, from the message inwards: its number, and its full kernel name or nothing where no table has it.
    pub path: Vec<(u16, &'static str)>,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with an attribute, in [`Violation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Problem {
    /// The command's rules do not have it: it is refused, or, by old families, passed over. Perhaps a newer kernel has it.
    Unknown,
    /// It, or what is around it, is no attribute.
    Broken,
    /// It has this many bytes; so many at least and so many at most are wanted.
    Length {
        /// Bytes there are.
        found: usize,
        /// The least.
        least: u32,
        /// The most.
        most: Option<u32>,
    },
    /// It is less or more than it may be.
    Range {
        /// Its value.
        found: i128,
        /// The least.
        least: Option<i128>,
        /// The most.
        most: Option<i128>,
    },
    /// It has bits that it may not have.
    Bits {
        /// Its value.
        found: u64,
        /// The bits it may have.
        mask: u64,
    },
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (number, name) in &self.path {
            match name.is_empty() {
                true => write!(f, "{separator}{number}")?,
                false => write!(f, "{separator}{name}")?,
            }
            separator = ".";
        }
        write!(f, ": {}", self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => f.write_str("not among what this kernel's command takes"),
            Self::Broken => f.write_str("is no attribute"),
            Self::Length { found, least, most } => {
                write!(f, "{found} bytes found, ")?;
                match most {
                    Some(most) if most == least => write!(f, "{least} expected"),
                    Some(most) => write!(f, "{least} to {most} expected"),
                    None => write!(f, "{least} or more expected"),
                }
            }
            Self::Range { found, least, most } => {
                write!(f, "{found} found, ")?;
                match (least, most) {
                    (Some(least), Some(most)) => write!(f, "{least} to {most} expected"),
                    (Some(least), None) => write!(f, "{least} or more expected"),
                    (None, Some(most)) => write!(f, "{most} or less expected"),
                    (None, None) => f.write_str("nothing expected"),
                }
            }
            Self::Bits { found, mask } => write!(f, "{found:#x} found, no bits but {mask:#x} expected"),
        }
    }
}

impl Policies {
    /// Whether the running kernel's rules allow these attributes for a command, asked for one answer or for a change, or
    /// (`dump`) for all. What the rules do not say cannot be checked: which attributes must be there, what fits together.
    ///
    /// `space` names the attributes of the first that is at fault.
    ///
    /// A command of which the kernel tells no rules takes anything.
    ///
    /// # Errors
    ///
    /// The first attribute that the rules do not allow.
    pub fn check(
        &self,
        command: u16,
        dump: bool,
        space: &'static Space,
        attributes: RawAttributes<'_>,
    ) -> Result<(), Violation> {
        let Some((one, all)) = self.commands.get(&command) else { return Ok(()) };
        let Some(policy) = (if dump { *all } else { *one }) else { return Ok(()) };
        let mut path = Vec::new();
        match self.run(policy, Some(space), attributes, &mut path) {
            Ok(()) => Ok(()),
            Err(problem) => Err(Violation { path, problem }),
        }
    }

    /// Attributes that one policy is for. Where one is at fault, `path` ends with it.
    fn run(
        &self,
        policy: u32,
        space: Option<&'static Space>,
        attributes: RawAttributes<'_>,
        path: &mut Vec<(u16, &'static str)>,
    ) -> Result<(), Problem> {
        let Some(rules) = self.policies.get(&policy) else { return Ok(()) };
        for raw in attributes {
            let raw = raw.map_err(|_| Problem::Broken)?;
            let row = space.and_then(|space| space.row(raw.number()));
            path.push((raw.number(), row.map_or("", |row| row.name)));
            let Some(rule) = rules.get(&raw.number()) else {
                match row.is_some_and(|row| is_untold(row.shape)) {
                    true => {
                        path.pop();
                        continue;
                    }
                    false => return Err(Problem::Unknown),
                }
            };
            rule.check(raw)?;
            let inner = row.and_then(|row| inner(row.shape));
            let inside = RawAttributes::new(raw.payload.bytes, raw.payload.offset);
            match (rule.kind, rule.nest) {
                (AttributeType::NESTED, Some(nest)) => self.run(nest, inner, inside, path)?,
                (AttributeType::NESTED_ARRAY, Some(nest)) => {
                    for item in inside {
                        let item = item.map_err(|_| Problem::Broken)?;
                        let inside = RawAttributes::new(item.payload.bytes, item.payload.offset);
                        self.run(nest, inner, inside, path)?;
                    }
                }
                _ => {}
            }
            path.pop();
        }
        Ok(())
    }
}

/// Whether kernels tell no rules of such attributes although they have some: big-endian numbers (`NLA_BE16`, `NLA_BE32`).
fn is_untold(shape: Shape) -> bool {
    match shape {
        Shape::BigEndian(_) | Shape::SignedBigEndian(_) | Shape::Ipv4 => true,
        Shape::Named(_, base) => is_untold(*base),
        _ => false,
    }
}

/// The space of what is in an attribute.
fn inner(shape: Shape) -> Option<&'static Space> {
    match shape {
        Shape::Nest(space) => Some(space()),
        Shape::Many(of) | Shape::Indexed(of) => inner(*of),
        _ => None,
    }
}

impl Rule {
    /// Whether an attribute is as the rule wants it, without what is in it.
    fn check(&self, raw: RawAttribute<'_>) -> Result<(), Problem> {
        let found = raw.payload.bytes.len();
        let exactly = |length: u32| (Some(length), Some(length));
        let (least, most) = match self.kind {
            AttributeType::FLAG => exactly(0),
            AttributeType::U8 | AttributeType::S8 => exactly(1),
            AttributeType::U16 | AttributeType::S16 => exactly(2),
            AttributeType::U32 | AttributeType::S32 => exactly(4),
            AttributeType::U64 | AttributeType::S64 | AttributeType::BITFIELD32 => exactly(8),
            AttributeType::UINT | AttributeType::SINT => exactly(if found == 8 { 8 } else { 4 }),
            // The NUL counts for nothing.
            AttributeType::NUL_STRING => (None, self.length.1.map(|most| most.saturating_add(1))),
            _ => self.length,
        };
        let length = u32::try_from(found).unwrap_or(u32::MAX);
        if least.is_some_and(|least| length < least) || most.is_some_and(|most| length > most) {
            return Err(Problem::Length { found, least: least.unwrap_or(0), most });
        }
        let value = match found {
            1 | 2 | 4 | 8 if self.is_number() => number(raw.payload.bytes),
            _ => return Ok(()),
        };
        let (found, least, most) = match self.kind {
            AttributeType::S8 | AttributeType::S16 | AttributeType::S32 | AttributeType::S64 | AttributeType::SINT => {
                (i128::from(signed(value, found)), self.signed.0.map(i128::from), self.signed.1.map(i128::from))
            }
            _ => (i128::from(value), self.unsigned.0.map(i128::from), self.unsigned.1.map(i128::from)),
        };
        if least.is_some_and(|least| found < least) || most.is_some_and(|most| found > most) {
            return Err(Problem::Range { found, least, most });
        }
        match self.mask {
            Some(mask) if value & !mask != 0 => Err(Problem::Bits { found: value, mask }),
            _ => Ok(()),
        }
    }

    fn is_number(&self) -> bool {
        (AttributeType::U8..=AttributeType::S64).contains(&self.kind)
            || matches!(self.kind, AttributeType::UINT | AttributeType::SINT)
    }
}

/// A number of up to eight bytes, in the machine's order.
fn number(bytes: &[u8]) -> u64 {
    let add = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
    match cfg!(target_endian = "big") {
        true => bytes.iter().fold(0, add),
        false => bytes.iter().rev().fold(0, add),
    }
}

/// A number of this many bytes, from 1 to 8, with its sign.
fn signed(number: u64, bytes: usize) -> i64 {
    let unused = 64_u32.saturating_sub(u32::try_from(bytes).unwrap_or(8).saturating_mul(8));
    number.checked_shl(unused).unwrap_or(0).cast_signed() >> unused
}

#[cfg(test)]
mod tests {
    use ringlink_codec::generic::ethtool::{Header, Rings};
    use ringlink_codec::table::{AttributeWriter, Table};
    use ringlink_codec::wire::Writer;

    use super::*;

    /// Rules as the kernel tells them for `RINGS_SET`, as far as the cases need.
    fn rules() -> Policies {
        let rule = |kind| Rule { kind, ..Rule::default() };
        let mut policies = Policies::default();
        policies.commands.insert(16, (Some(0), None));
        let of = |rules: Vec<(u16, Rule)>| rules.into_iter().collect();
        let nest = Rule { nest: Some(1), ..rule(AttributeType::NESTED) };
        let push = Rule { unsigned: (Some(0), Some(1)), ..rule(AttributeType::U8) };
        policies.policies.insert(0, of(vec![(1, nest), (6, rule(AttributeType::U32)), (13, push)]));
        let name = Rule { length: (None, Some(15)), ..rule(AttributeType::NUL_STRING) };
        let flags = Rule { mask: Some(7), ..rule(AttributeType::U32) };
        policies.policies.insert(1, of(vec![(1, rule(AttributeType::U32)), (2, name), (3, flags)]));
        policies
    }

    fn check(fill: impl FnOnce(&mut AttributeWriter<'_, '_, Rings>)) -> String {
        let mut buffer = [0; 128];
        let mut writer = Writer::new(&mut buffer);
        fill(&mut AttributeWriter::new(&mut writer));
        let bytes = writer.finish().unwrap();
        match rules().check(16, false, Rings::space(), RawAttributes::new(bytes, 0)) {
            Ok(()) => "fine".into(),
            Err(violation) => violation.to_string(),
        }
    }

    #[test]
    fn the_attribute_at_fault_is_named() {
        assert_eq!(check(|rings| rings.put(Rings::RX, 5)), "fine");
        assert_eq!(check(|rings| rings.nest(Rings::HEADER, |to| to.put(Header::DEV_NAME, "v0"))), "fine");
        let long = "a name of 16 ch.";
        let cases = [
            (
                check(|rings| rings.put(Rings::RX_MAX, 5)),
                "ETHTOOL_A_RINGS_RX_MAX: not among what this kernel's command takes",
            ),
            (check(|rings| rings.put_raw(6, &[1])), "ETHTOOL_A_RINGS_RX: 1 bytes found, 4 expected"),
            (check(|rings| rings.put(Rings::TX_PUSH, 2)), "ETHTOOL_A_RINGS_TX_PUSH: 2 found, 0 to 1 expected"),
            (check(|rings| rings.put_raw(99, &[])), "99: not among what this kernel's command takes"),
            (
                check(|rings| rings.nest(Rings::HEADER, |to| to.put(Header::DEV_NAME, long))),
                "ETHTOOL_A_RINGS_HEADER.ETHTOOL_A_HEADER_DEV_NAME: 17 bytes found, 0 to 16 expected",
            ),
            (
                check(|rings| rings.nest(Rings::HEADER, |to| to.put_raw(3, &9_u32.to_ne_bytes()))),
                "ETHTOOL_A_RINGS_HEADER.ETHTOOL_A_HEADER_FLAGS: 0x9 found, no bits but 0x7 expected",
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
        assert_eq!(rules().check(99, false, Rings::space(), RawAttributes::new(&[1], 0)), Ok(()));
    }

    #[test]
    fn numbers_have_signs() {
        assert_eq!((signed(0xff, 1), signed(0x7f, 1), signed(u64::MAX, 8)), (-1, 127, -1));
        let rule = Rule { kind: AttributeType::S32, signed: (Some(-1), Some(1)), ..Rule::default() };
        let raw = |value: i32| rule.check_value(value);
        assert!(raw(-1).is_ok() && raw(-2).is_err() && raw(2).is_err());
    }

    impl Rule {
        fn check_value(&self, value: i32) -> Result<(), Problem> {
            let bytes = value.to_ne_bytes();
            self.check(RawAttribute { kind: 1, payload: ringlink_codec::wire::Payload { bytes: &bytes, offset: 4 } })
        }
    }
}
