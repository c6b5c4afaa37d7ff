//! What a rule asks: registers changed, compared and looked up.

use ringlink::codec::netfilter::nftables::*;
use ringlink::codec::table::Attributes;

use super::{Read, Rule, flags};
use crate::nft::expression::{Kind, Node, Operator, number, ones, prefix_length};
use crate::nft::set::Set;
use crate::nft::statement::Statement;
use crate::nft::types::{Order, Type};

impl Rule<'_> {
    pub(super) fn bitwise(&mut self, bitwise: Attributes<'_, Bitwise>) -> Read<bool> {
        let ((from, to, length, operation), (mask, xor, data, second)) = bitwise.read((
            (Bitwise::SREG, Bitwise::DREG, Bitwise::LEN, Bitwise::OP),
            (Bitwise::MASK, Bitwise::XOR, Bitwise::DATA, Bitwise::SREG2),
        ))?;
        let Some(node) = self.load_all(from, length.unwrap_or(0)) else { return Ok(false) };
        let (ty, order, bits) = (node.ty, node.order, node.bits);
        let constant = |number: u128| Node::number(number, ty, order, bits);
        let binary = |operator: Operator, left: Node, right: Node| {
            Node::new(Kind::Binary(operator, Box::new([left, right])), ty, order, bits)
        };
        let operation = operation.unwrap_or(BitwiseOp::MASK_XOR);
        let made = match operation {
            BitwiseOp::MASK_XOR => {
                let bytes = (value_of(mask)?.unwrap_or_default(), value_of(xor)?.unwrap_or_default());
                let (Some(mask), Some(xor)) = (number(bytes.0, order), number(bytes.1, order)) else {
                    return Ok(false);
                };
                // What is kept, what is turned over, what is set.
                let set = (mask & xor) ^ xor;
                let (turned, kept) = (xor & mask, mask | set);
                let mut made = node;
                if kept & ones(bits) != ones(bits) {
                    made = binary(Operator::And, made, constant(kept));
                }
                if turned != 0 {
                    made = binary(Operator::Xor, made, constant(turned));
                }
                if set != 0 {
                    made = binary(Operator::Or, made, constant(set));
                }
                made
            }
            BitwiseOp::LSHIFT | BitwiseOp::RSHIFT => {
                let amount = number(value_of(data)?.unwrap_or_default(), Order::Host).unwrap_or(0);
                let operator = if operation == BitwiseOp::LSHIFT { Operator::Left } else { Operator::Right };
                binary(operator, node, Node::number(amount, Type::INTEGER, Order::Host, 32))
            }
            BitwiseOp::AND | BitwiseOp::OR | BitwiseOp::XOR => {
                let operator = match operation {
                    BitwiseOp::AND => Operator::And,
                    BitwiseOp::OR => Operator::Or,
                    _ => Operator::Xor,
                };
                let right = match (second, value_of(data)?) {
                    (Some(second), _) => self.load(Some(second)),
                    (None, Some(bytes)) => number(bytes, order).map(constant),
                    (None, None) => None,
                };
                let Some(right) = right else { return Ok(false) };
                binary(operator, node, right)
            }
            _ => return Ok(false),
        };
        Ok(self.store(to, made))
    }

    pub(super) fn byteorder(&mut self, byteorder: Attributes<'_, Byteorder>) -> Read<bool> {
        let (from, to, operation, length) =
            byteorder.read((Byteorder::SREG, Byteorder::DREG, Byteorder::OP, Byteorder::LEN))?;
        let Some(mut node) = self.load_all(from, length.unwrap_or(0)) else { return Ok(false) };
        node.order = if operation == Some(ByteorderOp::HTON) { Order::Big } else { Order::Host };
        Ok(self.store(to, node))
    }

    pub(super) fn compare(&mut self, cmp: Attributes<'_, Cmp>) -> Read<bool> {
        let (from, operation, data) = cmp.read((Cmp::SREG, Cmp::OP, Cmp::DATA))?;
        let Some(bytes) = value_of(data)? else { return Ok(false) };
        let length = u32::try_from(bytes.len()).unwrap_or(0);
        let Some(left) = self.load_all(from, length) else { return Ok(false) };
        let sign = match operation {
            Some(CmpOp::EQ) => "==",
            Some(CmpOp::NEQ) => "!=",
            Some(CmpOp::LT) => "<",
            Some(CmpOp::LTE) => "<=",
            Some(CmpOp::GT) => ">",
            Some(CmpOp::GTE) => ">=",
            _ => return Ok(false),
        };
        let exact = matches!(sign, "==" | "!=");
        if let (Kind::Payload(part), true) = (&left.kind, exact) {
            let part = part.clone();
            self.expand(part, sign, bytes);
            return Ok(true);
        }
        let (left, shift, right) = self.sides(left, |ty, order| Node::value(bytes, ty, order));
        let right = shifted(right, shift);
        if let (Kind::Binary(Operator::And, sides), Some(wanted), true) = (&left.kind, right.as_number(), exact) {
            let [subject, mask] = &**sides;
            if left.ty.has_flags() {
                let mask = flags(mask.clone(), true);
                if wanted == 0 {
                    // Any of several flags, or none of them.
                    let sign = if sign == "!=" { "in" } else { "!" };
                    self.push(Statement::Match(sign, subject.clone(), mask));
                } else {
                    let kind = Kind::Binary(Operator::And, Box::new([subject.clone(), mask]));
                    let left = Node { kind, ..left.clone() };
                    self.push(Statement::Match(sign, left, flags(right, true)));
                }
                return Ok(true);
            }
            if left.ty == Type::CT_LABEL && wanted == 0 {
                let sign = if sign == "!=" { "in" } else { "!" };
                let (subject, mask) = (subject.clone(), mask.clone());
                self.push(Statement::Match(sign, subject, mask));
                return Ok(true);
            }
            let prefix = mask.as_number().and_then(|mask| prefix_length(mask, left.bits));
            if let (Some(length), true) = (prefix, left.ty.has_prefixes()) {
                let right = Node { kind: Kind::Prefix(Box::new(right.clone()), length), ..right };
                let subject = subject.clone();
                self.push(Statement::Match(sign, subject, right));
                return Ok(true);
            }
        }
        let right = if left.ty.has_flags() { flags(right, false) } else { right };
        self.matched(sign, left, right);
        Ok(true)
    }

    pub(super) fn range(&mut self, range: Attributes<'_, Range>) -> Read<bool> {
        let (from, operation, low, high) = range.read((Range::SREG, Range::OP, Range::FROM_DATA, Range::TO_DATA))?;
        let (Some(low), Some(high)) = (value_of(low)?, value_of(high)?) else { return Ok(false) };
        let length = u32::try_from(low.len()).unwrap_or(0);
        let Some(left) = self.load_all(from, length) else { return Ok(false) };
        let (left, shift, right) = self.sides(left, |ty, order| {
            let ends = [Node::value(low, ty, order), Node::value(high, ty, order)];
            let bits = ends[0].bits;
            Node::new(Kind::Range(Box::new(ends)), ty, order, bits)
        });
        self.matched(if operation == Some(RangeOp::NEQ) { "!=" } else { "==" }, left, shifted(right, shift));
        Ok(true)
    }

    /// The left side, and the right one of its type.
    fn sides(&mut self, left: Node, right: impl FnOnce(Type, Order) -> Node) -> (Node, u32, Node) {
        let (left, shift) = self.resolve(left);
        let right = right(left.ty, left.order);
        (left, shift, right)
    }

    /// A comparison, which may be the second half of a range, and may say what header comes next.
    pub(super) fn matched(&mut self, sign: &'static str, left: Node, right: Node) {
        if sign == "<="
            && let Some(Some(Statement::Match(last @ ">=", subject, low))) = self.statements.last_mut()
            && *subject == left
        {
            let (ty, order, bits) = (low.ty, low.order, low.bits);
            let ends = [low.clone(), right];
            *low = Node::new(Kind::Range(Box::new(ends)), ty, order, bits);
            *last = "==";
            return;
        }
        let number = right.as_number().filter(|_| sign == "==");
        let place = self.statements.len();
        if let (Kind::Meta(key), Some(number)) = (&left.kind, number) {
            self.learn_meta(*key, number, place);
        }
        if let (Kind::Payload(part), Some(number)) = (&left.kind, number) {
            let part = part.clone();
            self.learn(&part, number, place);
        }
        self.push(Statement::Match(sign, left, right));
    }

    pub(super) fn lookup(&mut self, lookup: Attributes<'_, Lookup>) -> Read<bool> {
        let (name, from, to, how) = lookup.read((Lookup::SET, Lookup::SREG, Lookup::DREG, Lookup::FLAGS))?;
        let name = name.unwrap_or_default().to_string();
        let sets = self.sets;
        let set = sets.find(self.family, self.table, &name);
        let Some(left) = self.load_all(from, set.map_or(0, |set| set.key_length)) else { return Ok(false) };
        let (mut left, shift) = self.resolve(left);
        if let (Kind::Binary(Operator::And, sides), true) = (&mut left.kind, left.ty.has_flags()) {
            sides[1] = flags(sides[1].clone(), false);
        }
        let right = reference(set, &name, &left, shift);
        self.learn_icmp(&left, &right);
        match to {
            None => {
                let inverted = how.unwrap_or_default().0 & LookupFlags::INV.0 != 0;
                self.push(Statement::Match(if inverted { "!=" } else { "==" }, left, right));
                Ok(true)
            }
            Some(Register::REG_VERDICT) => {
                self.push(Statement::VerdictMap(left, right));
                Ok(true)
            }
            Some(to) => {
                let (ty, bits) = match set {
                    Some(set) => match set.data.as_slice() {
                        [one] => (*one, set.data_length * 8),
                        _ => (Type::INTEGER, set.data_length * 8),
                    },
                    None => (Type::INTEGER, 32),
                };
                let node = Node::new(Kind::Map(Box::new([left, right])), ty, ty.facts().order, bits);
                Ok(self.store(Some(to), node))
            }
        }
    }
}

fn value_of(data: Option<Attributes<'_, Data>>) -> Read<Option<&[u8]>> {
    match data {
        Some(data) => data.get(Data::VALUE),
        None => Ok(None),
    }
}

/// A set, or what is in it where it belongs to the rule.
pub(super) fn reference(set: Option<&Set>, name: &str, left: &Node, shift: u32) -> Node {
    let (ty, order, bits) = (left.ty, left.order, left.bits);
    let Some(set) = set.filter(|set| set.is_anonymous() && !set.is_meter()) else {
        return Node::new(Kind::Reference(name.into()), ty, order, bits);
    };
    let mut elements = set.elements.clone();
    if let Kind::Concat(fields) = &left.kind {
        for element in &mut elements {
            narrow(&mut element.key, fields);
        }
    }
    if shift != 0 {
        for element in &mut elements {
            let key = std::mem::replace(&mut element.key, Node::new(Kind::Any, ty, order, bits));
            element.key = shifted(key, shift);
        }
    }
    Node::new(Kind::Set(elements), ty, order, bits)
}

/// Numbers of several fields take four bytes each, of which what they are compared with says how many count.
fn narrow(key: &mut Node, fields: &[Node]) {
    let Kind::Concat(parts) = &mut key.kind else { return };
    for (part, field) in parts.iter_mut().zip(fields) {
        let bits = field.bits.next_multiple_of(8);
        if part.ty == Type::INTEGER && part.order == Order::Big && field.bits != 0 && part.bits > bits {
            *part = Node { bits, ..shifted(part.clone(), part.bits - bits) };
        }
    }
}

/// A value that stood so many bits from the right.
fn shifted(node: Node, shift: u32) -> Node {
    if shift == 0 {
        return node;
    }
    let Node { kind, ty, order, bits } = node;
    let kind = match kind {
        Kind::Value(number) => Kind::Value(number.checked_shr(shift).unwrap_or(0)),
        Kind::Range(ends) => Kind::Range(Box::new(ends.map(|end| shifted(end, shift)))),
        Kind::Prefix(address, length) => Kind::Prefix(Box::new(shifted(*address, shift)), length.saturating_sub(shift)),
        kind => kind,
    };
    Node { kind, ty, order, bits }
}
