//! Sets and maps, and their elements.

use std::collections::HashMap;

use ringlink::codec::Error;
use ringlink::codec::netfilter::NetfilterHeader;
use ringlink::codec::netfilter::nftables::{
    Data, DataType, Element as ElementSpace, ElementFlags, Expression, ExpressionList, ObjectType, Set as SetSpace,
    SetDescription, SetField, SetFields, SetFlags, SetPolicy,
};
use ringlink::codec::table::{Attributes, TlvItems};

use super::decompile::{self, Rule};
use super::element::Shape;
use super::expression::{Element, Kind, Node, number, ones};
use super::statement::Statement;
use super::types::{Order, Type};

/// A set or a map.
#[derive(Clone, Debug)]
pub(super) struct Set {
    pub(super) family: u8,
    pub(super) table: Box<str>,
    pub(super) name: Box<str>,
    pub(super) handle: u64,
    pub(super) flags: SetFlags,
    /// The types of the key's fields.
    pub(super) key: Vec<Type>,
    pub(super) key_order: Option<Order>,
    /// In bytes.
    pub(super) key_length: u32,
    /// Bytes of each of the key's fields, where there are several.
    lengths: Vec<u32>,
    /// What elements lead to.
    pub(super) data: Vec<Type>,
    pub(super) data_order: Option<Order>,
    pub(super) data_length: u32,
    /// Whether they lead to intervals.
    pub(super) data_interval: bool,
    pub(super) object: Option<ObjectType>,
    pub(super) policy: Option<SetPolicy>,
    pub(super) size: Option<u32>,
    /// In milliseconds.
    pub(super) timeout: Option<u64>,
    /// In milliseconds.
    pub(super) collect: Option<u32>,
    pub(super) merge: bool,
    pub(super) comment: Option<Box<str>>,
    /// What each element does.
    pub(super) statements: Vec<Statement>,
    pub(super) elements: Vec<Element>,
}

/// Sets by table and name.
#[derive(Debug, Default)]
pub(super) struct Sets {
    pub(super) all: Vec<Set>,
    places: HashMap<(u8, Box<str>, Box<str>), usize>,
}

impl Sets {
    pub(super) fn insert(&mut self, set: Set) {
        self.places.insert((set.family, set.table.clone(), set.name.clone()), self.all.len());
        self.all.push(set);
    }

    pub(super) fn find_mut(&mut self, family: u8, table: &str, name: &str) -> Option<&mut Set> {
        self.places.get(&(family, table.into(), name.into())).and_then(|place| self.all.get_mut(*place))
    }

    pub(super) fn find(&self, family: u8, table: &str, name: &str) -> Option<&Set> {
        self.places.get(&(family, table.into(), name.into())).and_then(|place| self.all.get(*place))
    }
}

/// Numbers of what libnftnl keeps with sets.
mod user {
    pub(super) const KEY_ORDER: u8 = 0;
    pub(super) const DATA_ORDER: u8 = 1;
    pub(super) const MERGE: u8 = 2;
    pub(super) const DATA_INTERVAL: u8 = 6;
    pub(super) const COMMENT: u8 = 7;
}

/// The comment that libnftnl keeps with tables, chains, rules, elements and objects.
pub(super) fn comment(items: Option<TlvItems<'_>>, number: u8) -> Option<Box<str>> {
    let (_, bytes) = items?.flatten().find(|(kind, _)| *kind == number)?;
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    Some(String::from_utf8_lossy(bytes.get(..end)?).into())
}

fn order(bytes: &[u8]) -> Option<Order> {
    match number(bytes, Order::Host) {
        Some(1) => Some(Order::Host),
        Some(2) => Some(Order::Big),
        _ => None,
    }
}

impl Set {
    /// A set as the kernel tells it, without elements.
    pub(super) fn read(header: NetfilterHeader, set: Attributes<'_, SetSpace>) -> Result<Self, Error> {
        let ((table, name, handle, flags, key_type, key_length, data_type, data_length), more) = set.read((
            (
                SetSpace::TABLE,
                SetSpace::NAME,
                SetSpace::HANDLE,
                SetSpace::FLAGS,
                SetSpace::KEY_TYPE,
                SetSpace::KEY_LEN,
                SetSpace::DATA_TYPE,
                SetSpace::DATA_LEN,
            ),
            (
                SetSpace::OBJ_TYPE,
                SetSpace::POLICY,
                SetSpace::DESC,
                SetSpace::TIMEOUT,
                SetSpace::GC_INTERVAL,
                SetSpace::USERDATA,
                SetSpace::EXPR,
                SetSpace::EXPRESSIONS,
            ),
        ))?;
        let (object, policy, description, timeout, collect, user, expression, expressions) = more;
        let family = header.nfgen_family.0;
        let table: Box<str> = table.unwrap_or_default().to_string().into();
        let (size, fields) = match description {
            Some(description) => description.read((SetDescription::SIZE, SetDescription::CONCAT))?,
            None => (None, None),
        };
        let fields = fields.into_iter().flat_map(|list| list.all(SetFields::ELEM)).flatten();
        let lengths = fields.filter_map(|field| field.get(SetField::LEN).ok().flatten()).collect();
        let record = |number| user.and_then(|items| items.flatten().find(|(kind, _)| *kind == number));
        let yes = |number| record(number).is_some_and(|(_, bytes)| bytes.iter().any(|byte| *byte != 0));
        Ok(Self {
            family,
            name: name.unwrap_or_default().to_string().into(),
            handle: handle.unwrap_or(0),
            flags: flags.unwrap_or_default(),
            key: Type::all(key_type.unwrap_or(0)),
            key_order: record(user::KEY_ORDER).and_then(|(_, bytes)| order(bytes)),
            key_length: key_length.unwrap_or(0),
            lengths,
            data: match data_type {
                Some(DataType::VERDICT) => vec![Type::VERDICT],
                Some(DataType(number)) => Type::all(number),
                None => Vec::new(),
            },
            data_order: record(user::DATA_ORDER).and_then(|(_, bytes)| order(bytes)),
            data_length: data_length.unwrap_or(0),
            data_interval: yes(user::DATA_INTERVAL),
            object,
            policy,
            size: size.filter(|size| *size != 0),
            timeout: timeout.filter(|timeout| *timeout != 0),
            collect: collect.filter(|interval| *interval != 0),
            merge: yes(user::MERGE),
            comment: comment(user, user::COMMENT),
            statements: statements(family, &table, expression, expressions, true),
            table,
            elements: Vec::new(),
        })
    }

    pub(super) fn has(&self, flag: SetFlags) -> bool {
        self.flags.0 & flag.0 != 0
    }

    /// Whether it goes with the rule that uses it.
    pub(super) fn is_anonymous(&self) -> bool {
        self.has(SetFlags::ANONYMOUS)
    }

    /// Whether its elements are counted or limited by packets that a rule sees.
    pub(super) fn is_meter(&self) -> bool {
        self.is_anonymous() && self.has(SetFlags::EVAL)
    }

    /// Whether its elements lead somewhere.
    pub(super) fn is_map(&self) -> bool {
        self.has(SetFlags::MAP) || self.has(SetFlags::OBJECT)
    }

    /// The key's type, where it has one field.
    pub(super) fn key_type(&self) -> Type {
        match self.key.as_slice() {
            [one] => *one,
            _ => Type::INTEGER,
        }
    }

    fn key_order(&self) -> Order {
        // What intervals are of is compared byte by byte, so that it stands big-endian whatever it is outside of the set.
        match self.has(SetFlags::INTERVAL) {
            true => Order::Big,
            false => self.key_order.unwrap_or(self.key_type().facts().order),
        }
    }

    /// What words about its elements mean; whether they say what keys lead to.
    pub(super) fn shape(&self, leads: bool) -> Shape {
        let several = self.key.len() > 1;
        let bits = |ty: &Type| match ty.facts().bits {
            0 if several => 32,
            0 => self.key_length * 8,
            bits => bits,
        };
        Shape {
            key: self.key.iter().map(|ty| (*ty, bits(ty))).collect(),
            order: self.key_order(),
            interval: self.has(SetFlags::INTERVAL),
            data: self.data.first().filter(|_| leads && self.has(SetFlags::MAP)).map(|ty| (*ty, self.data_length * 8)),
            object: leads && self.has(SetFlags::OBJECT),
        }
    }

    /// A key as it stands in registers.
    pub(super) fn key_of(&self, bytes: &[u8], end: Option<&[u8]>) -> Node {
        match self.key.as_slice() {
            // Names in sets of intervals are numbers until it is seen where the interval ends.
            [one] if one.is_text() && self.has(SetFlags::INTERVAL) => Node::new(
                Kind::Value(number(bytes, Order::Big).unwrap_or(0)),
                *one,
                Order::Big,
                u32::try_from(bytes.len()).unwrap_or(0) * 8,
            ),
            [one] if one.has_flags() => decompile::flags(between(bytes, end, *one, self.key_order()), false),
            [one] => between(bytes, end, *one, self.key_order()),
            fields => fields_of(bytes, end, fields, &self.lengths, self.has(SetFlags::INTERVAL)),
        }
    }

    /// What elements lead to, as it stands in registers.
    pub(super) fn data_of(&self, data: Attributes<'_, Data>) -> Result<Node, Error> {
        let (value, verdict) = data.read((Data::VALUE, Data::VERDICT))?;
        if let Some(verdict) = verdict {
            return Ok(Node::of(Kind::Verdict(decompile::verdict(verdict)?), Type::VERDICT));
        }
        let bytes = value.unwrap_or_default();
        let (bytes, end) = match self.data_interval.then(|| bytes.split_at_checked(bytes.len() / 2)).flatten() {
            Some((start, end)) => (start, Some(end)),
            None => (bytes, None),
        };
        Ok(match self.data.as_slice() {
            [one] => between(bytes, end, *one, self.data_order.unwrap_or(one.facts().order)),
            fields => fields_of(bytes, end, fields, &[], false),
        })
    }
}

/// A value, or what lies between two.
pub(super) fn between(bytes: &[u8], end: Option<&[u8]>, ty: Type, order: Order) -> Node {
    let from = Node::value(bytes, ty, order);
    let Some(end) = end.filter(|end| *end != bytes) else { return from };
    if ty.is_text() {
        // All that begin alike.
        let same = bytes.iter().zip(end).take_while(|(one, other)| one == other).count();
        return Node { kind: Kind::Text(bytes.get(..same).unwrap_or_default().into(), true), ..from };
    }
    interval(from, Node::value(end, ty, order))
}

/// A range, or the prefix that it is.
pub(super) fn interval(from: Node, to: Node) -> Node {
    let (ty, order, bits) = (from.ty, from.order, from.bits);
    if let (Some(low), Some(high)) = (from.as_number(), to.as_number()) {
        if low == high {
            return from;
        }
        let width = low ^ high;
        if ty.has_prefixes() && low & width == 0 && width & width.wrapping_add(1) == 0 && low < high {
            return Node::new(Kind::Prefix(Box::new(from), bits - width.count_ones()), ty, order, bits);
        }
    }
    Node::new(Kind::Range(Box::new([from, to])), ty, order, bits)
}

/// Fields that stand one behind the other, each filled up to four bytes.
fn fields_of(bytes: &[u8], end: Option<&[u8]>, fields: &[Type], lengths: &[u32], interval: bool) -> Node {
    let mut at = 0;
    let mut parts = Vec::with_capacity(fields.len());
    for (index, field) in fields.iter().enumerate() {
        let known = usize::try_from(field.facts().bits.div_ceil(8)).unwrap_or(0);
        // What has no length of its own takes what the others leave.
        let others = fields.iter().enumerate().filter(|(other, _)| *other != index);
        let rest: usize =
            others.map(|(_, other)| usize::try_from(other.facts().bits.div_ceil(32) * 4).unwrap_or(0)).sum();
        // Where several have none, each takes four bytes.
        let rest = if fields.iter().filter(|field| field.facts().bits == 0).count() > 1 {
            bytes.len().saturating_sub(4)
        } else {
            rest
        };
        let told = lengths.get(index).and_then(|length| usize::try_from(*length).ok());
        let length = match told {
            Some(length) => length,
            None if known == 0 => bytes.len().saturating_sub(rest),
            None => known,
        };
        let slice = |bytes: &[u8]| -> Option<Vec<u8>> { bytes.get(at..at + length).map(<[u8]>::to_vec) };
        let order = match field.facts().order {
            Order::Host if interval => Order::Big,
            order => order,
        };
        let Some(from) = slice(bytes) else { break };
        let to = end.and_then(slice);
        parts.push(between(&from, to.as_deref(), *field, order));
        at += length.next_multiple_of(4);
    }
    let bits = u32::try_from(bytes.len()).unwrap_or(0) * 8;
    Node::new(Kind::Concat(parts), Type::INTEGER, Order::Big, bits)
}

/// What elements do.
pub(super) fn statements(
    family: u8,
    table: &str,
    one: Option<Attributes<'_, Expression>>,
    several: Option<Attributes<'_, ExpressionList>>,
    still: bool,
) -> Vec<Statement> {
    let sets = Sets::default();
    let mut rule = Rule::new(family, table, &sets);
    let all = several.into_iter().flat_map(|list| list.all(ExpressionList::ELEM)).flatten();
    for expression in one.into_iter().chain(all) {
        rule.expression(expression);
    }
    let mut statements = rule.finish();
    if still {
        for statement in &mut statements {
            match statement {
                Statement::Counter(counted) => *counted = None,
                Statement::Quota { used, .. } => *used = None,
                Statement::Last(ago) => *ago = None,
                _ => {}
            }
        }
    }
    statements
}

/// An element as the kernel tells it, which may be the end of an interval.
#[derive(Debug)]
struct Told {
    element: Element,
    is_end: bool,
}

/// Elements on their way into a set.
#[derive(Debug, Default)]
pub(super) struct Elements {
    told: Vec<Told>,
}

impl Elements {
    /// Takes an element as the kernel tells it.
    pub(super) fn read(&mut self, set: &Set, element: Attributes<'_, ElementSpace>) -> Result<(), Error> {
        let ((key, end, data, flags, timeout, expires), (user, expression, expressions, object)) = element.read((
            (
                ElementSpace::KEY,
                ElementSpace::KEY_END,
                ElementSpace::DATA,
                ElementSpace::FLAGS,
                ElementSpace::TIMEOUT,
                ElementSpace::EXPIRATION,
            ),
            (ElementSpace::USERDATA, ElementSpace::EXPR, ElementSpace::EXPRESSIONS, ElementSpace::OBJREF),
        ))?;
        let flags = flags.unwrap_or_default();
        let value = |data: Option<Attributes<'_, Data>>| match data {
            Some(data) => data.get(Data::VALUE).map(|value| value.map(<[u8]>::to_vec)),
            None => Ok(None),
        };
        let key = match key {
            Some(key) if flags.0 & ElementFlags::CATCHALL.0 == 0 => {
                let end = value(end)?;
                set.key_of(key.get(Data::VALUE)?.unwrap_or_default(), end.as_deref())
            }
            _ => Node::new(Kind::Any, set.key_type(), Order::Big, 0),
        };
        let data = match (data, object) {
            (Some(data), _) => Some(set.data_of(data)?),
            (None, Some(object)) => {
                Some(Node::new(Kind::Object(object.to_string().into()), Type::STRING, Order::Host, 0))
            }
            (None, None) => None,
        };
        let doing = expression.is_some() || expressions.is_some();
        self.told.push(Told {
            element: Element {
                key,
                data,
                timeout: timeout.filter(|timeout| *timeout != 0),
                expires: expires.filter(|expires| *expires != 0),
                comment: comment(user, 0),
                statements: match doing {
                    true => statements(set.family, &set.table, expression, expressions, false),
                    false => Vec::new(),
                },
            },
            is_end: flags.0 & ElementFlags::INTERVAL_END.0 != 0,
        });
        Ok(())
    }

    /// Puts them in order, and ends of intervals to their beginnings.
    pub(super) fn finish(self, set: &Set) -> Vec<Element> {
        let mut told = self.told;
        // Several flags count as the first of them; of those that count the same, nft has the last first.
        if set.key_type().has_flags() {
            told.reverse();
        }
        told.sort_by_cached_key(|told| (rank(&told.element.key), !told.is_end));
        if !set.has(SetFlags::INTERVAL) || set.has(SetFlags::CONCAT) || set.key.len() > 1 {
            return told.into_iter().filter(|told| !told.is_end).map(|told| told.element).collect();
        }
        let mut elements: Vec<Element> = Vec::with_capacity(told.len());
        // An element whose interval has not ended yet.
        let mut open: Option<Element> = None;
        let mut any = None;
        for Told { element, is_end } in told {
            if element.key.kind == Kind::Any {
                any = Some(element);
                continue;
            }
            let end = element.key.as_number().map(|number| number.wrapping_sub(1));
            if let Some(element) = open.take() {
                elements.push(close(element, end));
            }
            if !is_end {
                open = Some(element);
            }
        }
        if let Some(element) = open {
            let end = ones(element.key.bits);
            elements.push(close(element, Some(end)));
        }
        elements.extend(any);
        elements
    }
}

/// An element whose interval ends with this number.
fn close(mut element: Element, end: Option<u128>) -> Element {
    let Some(end) = end else { return element };
    let to = Node { kind: Kind::Value(end), ..element.key.clone() };
    element.key = if element.key.ty.is_text() { name(&element.key, end) } else { interval(element.key, to) };
    element
}

/// A name, or all that begin alike.
fn name(key: &Node, end: u128) -> Node {
    let start = key.as_number().unwrap_or(0);
    let bytes = start.to_be_bytes();
    let known = usize::try_from((start ^ end).leading_zeros() / 8).unwrap_or(0);
    let length = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let kind = match start == end {
        true => Kind::Text(bytes.get(..length).unwrap_or_default().into(), false),
        false => Kind::Text(bytes.get(..known).unwrap_or_default().into(), true),
    };
    Node { kind, ..key.clone() }
}

/// What elements are ordered by: keys as numbers, whatever is not in the set last.
fn rank(key: &Node) -> (bool, Vec<u8>) {
    fn bytes(node: &Node, out: &mut Vec<u8>) {
        match &node.kind {
            Kind::Value(number) => {
                let length = usize::try_from(node.bits.div_ceil(8)).unwrap_or(16).min(16);
                let all = number.to_be_bytes();
                let bytes = all.iter().skip(16 - length);
                match node.order {
                    Order::Big => out.extend(bytes),
                    Order::Host => out.extend(bytes.rev()),
                }
            }
            Kind::Bytes(bytes) => out.extend_from_slice(bytes),
            Kind::Text(text, _) => {
                out.extend_from_slice(text);
                out.resize(out.len() + 16_usize.saturating_sub(text.len()), 0);
            }
            Kind::Prefix(address, _) => bytes(address, out),
            Kind::Range(ends) => bytes(&ends[0], out),
            Kind::Binary(_, sides) => bytes(&sides[0], out),
            Kind::Concat(parts) => parts.iter().for_each(|part| bytes(part, out)),
            _ => {}
        }
    }
    let mut out = Vec::with_capacity(16);
    bytes(key, &mut out);
    // As nft takes them: what is one number in the network's order in that order, all else as the machine's numbers.
    if !(matches!(key.kind, Kind::Value(_) | Kind::Prefix(..) | Kind::Range(_)) && key.order == Order::Big) {
        out.reverse();
    }
    (key.kind == Kind::Any, out)
}
