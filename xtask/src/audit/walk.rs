//! Everything the codec's tables say, gathered by following them from their roots.

use std::collections::{BTreeMap, BTreeSet};

use ringlink_codec::diag::bytecode;
use ringlink_codec::netfilter::conntrack::NatSequence;
use ringlink_codec::netfilter::ipset::{BitmapRefusal, HashRefusal, IpSetRefusal, ListRefusal};
use ringlink_codec::protocol::PROTOCOLS;
use ringlink_codec::reply::ExtendedAck;
use ringlink_codec::route::tc::{
    ActionDumpFlags, ActionFlags, EmCanid, EmCmp, EmIpset, EmIpt, EmMeta, EmMetaId, EmMetaType, EmNbyte, EmText,
    EmatchLayer, HardwareStats,
};
use ringlink_codec::route::{MdbGet, MdbSet};
use ringlink_codec::table::{By, ChoiceTable, Layout, Operations, Record, Selector, Shape, Space, Table, ValueTable};

/// All tables of the codec, each once, in the order they are reached.
#[derive(Default)]
pub struct Tables {
    /// Messages, by protocol.
    pub operations: Vec<(&'static str, &'static Operations)>,
    /// Spaces of attributes.
    pub spaces: Vec<&'static Space>,
    /// Named numbers.
    pub values: Vec<Values>,
    /// Structs, without the empty one.
    pub layouts: Vec<&'static Layout>,
    /// Choices, with the space in which they stand.
    pub choices: Vec<(&'static ChoiceTable, &'static Space)>,
    seen: BTreeSet<(&'static str, &'static str, usize)>,
}

/// Named numbers, and the number that carries them where they were met first.
#[derive(Clone, Copy)]
pub struct Values {
    /// The names.
    pub table: &'static ValueTable,
    /// Bytes of the number.
    pub width: u8,
    /// Whether the number is big-endian.
    pub big_endian: bool,
}

impl Values {
    /// The C names and the numbers.
    pub fn rows(&self) -> impl Iterator<Item = (String, u64)> {
        let table = self.table;
        table.rows.iter().map(|row| (c_name(&format!("{}{}", table.prefix, row.name)), row.value))
    }
}

/// The C name of a row. No Rust name begins with a digit, so a row whose C name goes on with one behind the table's
/// prefix has an underscore before it.
pub fn c_name(name: &str) -> String {
    match name.find("__") {
        Some(at) if name[at + 2..].starts_with(|letter: char| letter.is_ascii_digit()) => {
            format!("{}{}", &name[..at], &name[at + 1..])
        }
        _ => name.to_owned(),
    }
}

impl Tables {
    /// All tables that [`PROTOCOLS`] and the extended ack lead to.
    pub fn gather() -> Self {
        let mut tables = Self::default();
        tables.space(ExtendedAck::space());
        // Requests whose type is that of a notification with other attributes.
        tables.space(MdbSet::space());
        tables.space(MdbGet::space());
        // Other names of what connection tracking has.
        tables.space(NatSequence::space());
        // What stands within programs, which are bytes to the tables.
        for layout in [bytecode::Operation::LAYOUT, bytecode::HostCondition::LAYOUT, bytecode::MarkCondition::LAYOUT] {
            tables.layout(layout);
        }
        // What stands in extended matches, which are bytes to the tables.
        for layout in [EmCmp::LAYOUT, EmNbyte::LAYOUT, EmText::LAYOUT, EmCanid::LAYOUT, EmIpset::LAYOUT] {
            tables.layout(layout);
        }
        tables.space(EmMeta::space());
        tables.space(EmIpt::space());
        for table in [EmatchLayer::TABLE, EmMetaType::TABLE, EmMetaId::TABLE] {
            tables.values(table, Shape::Unsigned(2));
        }
        // Names of bits of which a bitfield says which count.
        for table in [ActionDumpFlags::TABLE, ActionFlags::TABLE, HardwareStats::TABLE] {
            tables.values(table, Shape::Unsigned(4));
        }
        // What ipset refuses with, in place of the system's numbers.
        for table in [IpSetRefusal::TABLE, BitmapRefusal::TABLE, HashRefusal::TABLE, ListRefusal::TABLE] {
            tables.values(table, Shape::Unsigned(4));
        }
        for protocol in PROTOCOLS {
            for (name, operations) in protocol.tables() {
                tables.operations.push((name, operations));
                for row in operations.rows {
                    tables.layout(row.header);
                    tables.space((row.space)());
                }
            }
            for shape in protocol.shapes() {
                tables.plain(*shape);
            }
        }
        tables
    }

    /// Follows a space. One that leads to itself is followed once: a space is a static, so its address names it.
    fn space(&mut self, space: &'static Space) {
        if self.seen.insert(("space", space.name, std::ptr::from_ref(space).addr())) {
            self.spaces.push(space);
            for row in space.rows() {
                self.shape(row.shape, space);
            }
        }
    }

    /// A payload without attributes in it.
    fn plain(&mut self, shape: Shape) {
        match shape {
            Shape::Named(table, base) => self.values(table, *base),
            Shape::Record(layout) | Shape::Prefixed(layout) | Shape::Keyed(layout) => self.layout(layout),
            _ => {}
        }
    }

    fn shape(&mut self, shape: Shape, within: &'static Space) {
        match shape {
            Shape::Array(of, _) | Shape::Packed(of, _) | Shape::Indexed(of) | Shape::Many(of) => {
                self.shape(*of, within);
            }
            Shape::Nest(space) => self.space(space()),
            Shape::Headed(layout, space) | Shape::Records(layout, space) => {
                self.layout(layout);
                self.space(space());
            }
            Shape::Followed(layout, of, _) => {
                self.layout(layout);
                self.shape(*of, within);
            }
            Shape::Choice(table) => self.choice(table(), within),
            shape => self.plain(shape),
        }
    }

    fn choice(&mut self, table: &'static ChoiceTable, within: &'static Space) {
        if self.seen.insert(("choice", table.name, std::ptr::from_ref(within).addr())) {
            self.choices.push((table, within));
            for row in table.rows {
                self.shape(row.shape, within);
            }
        }
    }

    /// Constants have no address of their own: what names a table of values is what it says.
    fn values(&mut self, table: &'static ValueTable, base: Shape) {
        if self.seen.insert(("values", table.name, table.prefix.len() + table.rows.len())) {
            let big_endian = matches!(base, Shape::BigEndian(_));
            self.values.push(Values { table, width: width(base), big_endian });
        }
    }

    fn layout(&mut self, layout: &'static Layout) {
        if layout.size > 0 && self.seen.insert(("layout", layout.name, layout.size + (layout.fields.len() << 16))) {
            self.layouts.push(layout);
            for field in layout.fields {
                match field.shape {
                    Shape::Named(table, base) => self.values(table, *base),
                    Shape::Record(inner) => self.layout(inner),
                    Shape::Array(Shape::Record(inner), _) => self.layout(inner),
                    Shape::Array(Shape::Named(table, base), _) => self.values(table, **base),
                    _ => {}
                }
            }
        }
    }

    /// What contradicts itself: rows out of order, numbers or names that stand twice, choosers that are not there.
    pub fn contradictions(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (protocol, operations) in &self.operations {
            let rows = operations.rows.iter().map(|row| (u64::from(row.number), row.name));
            wrong.extend(disorder(&format!("{protocol} ({})", operations.name), rows));
        }
        for space in &self.spaces {
            let rows = space.rows().map(|row| (u64::from(row.number), row.name));
            wrong.extend(disorder(space.name, rows));
        }
        for Values { table, .. } in &self.values {
            let mut names = BTreeSet::new();
            for row in table.rows.iter().filter(|row| !names.insert(row.name)) {
                wrong.push(format!("{}: {}{} stands twice", table.name, table.prefix, row.name));
            }
        }
        let mut numbers: BTreeMap<String, u64> = BTreeMap::new();
        let attributes = self.spaces.iter().flat_map(|space| space.rows());
        let attributes = attributes.map(|row| (c_name(row.name), u64::from(row.number)));
        for (name, number) in attributes.chain(self.values.iter().flat_map(Values::rows)) {
            let other = *numbers.entry(name.clone()).or_insert(number);
            if other != number {
                wrong.push(format!("{name} is {other} in one table and {number} in another"));
            }
        }
        for (table, within) in &self.choices {
            if let By::Sibling(number) = table.by
                && within.row(number).is_none()
            {
                wrong
                    .push(format!("{}: chosen by attribute {number}, which {} does not have", table.name, within.name));
            }
            let mut selectors: Vec<Selector> = Vec::new();
            for selector in table.rows.iter().flat_map(|row| row.selectors) {
                match selectors.contains(selector) {
                    true => wrong.push(format!("{}: {selector:?} stands twice", table.name)),
                    false => selectors.push(*selector),
                }
            }
        }
        wrong
    }
}

/// Bytes of a number; 8 for what is none.
fn width(shape: Shape) -> u8 {
    match shape {
        Shape::Unsigned(bytes) | Shape::Signed(bytes) | Shape::BigEndian(bytes) => bytes,
        // Sent in 4 or 8 bytes; in C, the values are of type int.
        Shape::Uint => 4,
        _ => 8,
    }
}

/// What is wrong with the order of rows that are found by binary search.
fn disorder(table: &str, rows: impl Iterator<Item = (u64, &'static str)>) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut names = BTreeSet::new();
    let mut last: Option<(u64, &str)> = None;
    for (number, name) in rows {
        match last {
            Some((before, other)) if number == before => {
                wrong.push(format!("{table}: {other} and {name} both have number {number}"));
            }
            Some((before, other)) if number < before => {
                wrong.push(format!("{table}: {name} = {number} stands behind {other} = {before}"));
            }
            _ => {}
        }
        if !names.insert(name) {
            wrong.push(format!("{table}: {name} stands twice"));
        }
        last = Some((number, name));
    }
    wrong
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_protocol_is_gathered() {
        let tables = Tables::gather();
        let attributed = PROTOCOLS.iter().filter(|protocol| protocol.tables().next().is_some());
        assert!(tables.operations.len() >= attributed.count());
        assert!(tables.spaces.iter().any(|space| space.prefix == "IFLA_"));
        assert!(tables.layouts.iter().any(|layout| layout.name == "ifinfomsg"));
    }

    #[test]
    fn digits_stand_behind_one_underscore_in_c() {
        assert_eq!(c_name("IFLA_IPTUN__6RD_PREFIX"), "IFLA_IPTUN_6RD_PREFIX");
        assert_eq!(c_name("IFLA_MTU"), "IFLA_MTU");
        assert_eq!(c_name("A__B"), "A__B");
    }

    #[test]
    fn disorder_is_found() {
        let told = |rows: &[(u64, &'static str)]| disorder("T", rows.iter().copied());
        assert!(told(&[(1, "A"), (2, "B"), (4, "C")]).is_empty());
        assert_eq!(told(&[(1, "A"), (1, "B")]), ["T: A and B both have number 1"]);
        assert_eq!(told(&[(2, "A"), (1, "B")]), ["T: B = 1 stands behind A = 2"]);
        assert_eq!(told(&[(1, "A"), (2, "A")]), ["T: A stands twice"]);
    }
}
