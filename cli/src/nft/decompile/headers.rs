//! What a rule knows by then: which headers the packet has, and so what its parts are called.

use ringlink::codec::netfilter::nftables::*;

use super::load::find_field;
use super::{LINK, NETWORK, Rule, TRANSPORT, family};
use crate::nft::expression::{Extension, Kind, Node, Of, Operator, Payload as Part, number, ones};
use crate::nft::protocol::{self, Field, Header};
use crate::nft::statement::Statement;
use crate::nft::types::{Order, Type};

/// How many bits the header of Ethernet has.
const ETHER_BITS: u32 = 112;

impl Rule<'_> {
    /// What a comparison of `meta` says of headers.
    pub(super) fn learn_meta(&mut self, key: MetaKey, number: u128, place: usize) {
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        match key {
            MetaKey::IFTYPE => {
                if number == 1 {
                    self.headers[LINK] = Some(&protocol::ETHER);
                }
                self.implied[LINK] = Some(place);
            }
            MetaKey::NFPROTO | MetaKey::PROTOCOL => {
                self.release(LINK);
                self.headers[NETWORK] = match (key, number) {
                    (MetaKey::NFPROTO, 2) => Some(&protocol::IP),
                    (MetaKey::NFPROTO, 10) => Some(&protocol::IP6),
                    (MetaKey::NFPROTO, _) => None,
                    (_, number) => protocol::ETHER.next(number),
                };
                self.implied[NETWORK] = Some(place);
            }
            MetaKey::L4PROTO => {
                // ICMP says which IP it belongs to; other protocols do not.
                let network = self.headers[NETWORK].map(|header| header.name);
                let depends =
                    self.implied[NETWORK].and_then(|place| self.statements.get(place)).and_then(Option::as_ref);
                let same = match depends {
                    Some(Statement::Match(_, left, _)) => {
                        let by_family = matches!(left.kind, Kind::Meta(MetaKey::NFPROTO | MetaKey::PROTOCOL))
                            || matches!(&left.kind, Kind::Payload(part) if part.base == 0);
                        !by_family || matches!((number, network), (1, Some("ip")) | (58, Some("ip6")))
                    }
                    _ => false,
                };
                if same {
                    self.release(NETWORK);
                }
                self.headers[TRANSPORT] = protocol::IP.next(number);
                self.implied[TRANSPORT] = Some(place);
            }
            _ => {}
        }
    }

    /// What a comparison of a header's field says of the next one.
    pub(super) fn learn(&mut self, part: &Part, number: u128, place: usize) {
        let Some((header, field)) = part.field else { return };
        let number = u64::try_from(number).unwrap_or(u64::MAX);
        if (header.name == "icmp" || header.name == "icmpv6") && field.offset == 0 {
            self.icmp = u8::try_from(number).ok().map(|kind| (kind, place));
        }
        if header.key != Some(field.offset) {
            return;
        }
        let Ok(base) = usize::try_from(part.base) else { return };
        match header.next(number) {
            Some(next) if next.name == "vlan" => {
                self.before += if header.name == "vlan" { 32 } else { ETHER_BITS };
                self.headers[LINK] = Some(next);
                self.implied[LINK] = Some(place);
            }
            next => {
                if let (Some(slot), Some(implied)) = (self.headers.get_mut(base + 1), self.implied.get_mut(base + 1)) {
                    *slot = next;
                    *implied = Some(place);
                }
            }
        }
    }

    /// Of several types of ICMP the first one says which fields there are.
    pub(super) fn learn_icmp(&mut self, left: &Node, right: &Node) {
        let (Kind::Payload(Part { field: Some((header, field)), .. }), Kind::Set(elements)) = (&left.kind, &right.kind)
        else {
            return;
        };
        let first = elements.first().and_then(|element| element.key.as_number());
        if let (true, 0, Some(number)) = (header.name.starts_with("icmp"), field.offset, first) {
            self.icmp = u8::try_from(number).ok().map(|kind| (kind, usize::MAX));
        }
    }

    /// Takes out the statement that made a header known, as what follows says it too.
    pub(super) fn release(&mut self, base: usize) {
        if let Some(place) = self.implied.get_mut(base).and_then(Option::take)
            && let Some(statement) = self.statements.get_mut(place)
        {
            *statement = None;
        }
    }

    /// Something of these needs its header, and so says that it is there.
    pub(super) fn imply(&mut self, of: Of) {
        match of {
            Of::Ip6 | Of::Ip => self.release(NETWORK),
            Of::Tcp | Of::Sctp | Of::Dccp => self.release(TRANSPORT),
        }
    }

    /// A part of the packet says that its header is there; whether what asked for it first is superfluous then.
    fn imply_part(&mut self, part: &Part) {
        if part.inner.is_some() {
            return;
        }
        let Ok(base) = usize::try_from(part.base) else { return };
        let Some(place) = self.implied.get(base).copied().flatten() else { return self.imply_icmp(part) };
        if let Some(Some(Statement::Match(_, left, right))) = self.statements.get(place)
            && let Kind::Payload(asked) = &left.kind
        {
            let both = matches!(self.family, family::INET | family::BRIDGE | family::NETDEV);
            if both && base == TRANSPORT && asked.base == 1 {
                return;
            }
            if base == LINK {
                let of_vlan = asked.field.is_some_and(|(header, _)| header.name == "vlan");
                let tag = right.as_number() == Some(0x8100);
                let again = part.field.is_some_and(|(header, field)| header.name == "vlan" && field.name == "type");
                if of_vlan || !tag || again {
                    return;
                }
            }
        }
        self.release(base);
    }

    /// A field that only one type of ICMP has says that type.
    fn imply_icmp(&mut self, part: &Part) {
        let (Some((_, field)), Some((kind, place))) = (part.field, self.icmp) else { return };
        if field.only == [kind] {
            self.icmp = None;
            if let Some(statement) = self.statements.get_mut(place) {
                *statement = None;
            }
        }
    }

    /// Bytes of the packet compared: one field, or several side by side, or the beginning of one.
    pub(super) fn expand(&mut self, mut part: Part, sign: &'static str, bytes: &[u8]) {
        part.offset = self.inside(&part);
        let total = u32::try_from(bytes.len()).unwrap_or(0) * 8;
        let mut rest = total;
        let whole = number(bytes, Order::Big);
        let header = usize::try_from(part.base).ok().and_then(|base| self.headers.get(base)).copied().flatten();
        while rest > 0 && part.inner.is_none() {
            let (Some(header), Some(whole)) = (header, whole) else { break };
            let Some(field) = self.field_at(header, part.offset) else { break };
            let bits = field.bits.min(rest);
            let value = (whole >> (rest - bits)) & ones(bits);
            let found = Part { bits: field.bits, field: Some((header, field)), ..part.clone() };
            self.imply_part(&found);
            let left = Node::new(Kind::Payload(found), field.kind, Order::Big, field.bits);
            let right = Node::number(value << (field.bits - bits), field.kind, Order::Big, field.bits);
            let right = if bits < field.bits {
                Node { kind: Kind::Prefix(Box::new(right.clone()), bits), ..right }
            } else {
                right
            };
            self.matched(sign, left, right);
            part.offset += bits;
            rest -= bits;
        }
        if rest == 0 {
            return;
        }
        part.bits = rest;
        let mut node = Node::new(Kind::Payload(part.clone()), Type::BITMASK, Order::Big, rest);
        if let Some(found) = self.named(&part) {
            node = found;
            if let Kind::Payload(part) = &node.kind {
                let part = part.clone();
                self.imply_part(&part);
            }
        } else {
            self.imply_part(&part);
        }
        let start = bytes.len() - usize::try_from(rest / 8).unwrap_or(0).min(bytes.len());
        let right = Node::value(bytes.get(start..).unwrap_or_default(), node.ty, Order::Big);
        self.matched(sign, node, right);
    }

    /// The field that begins at a place, of those that the type of ICMP has.
    fn field_at(&self, header: &'static Header, offset: u32) -> Option<&'static Field> {
        let has = |field: &&Field| match self.icmp {
            Some((kind, _)) => field.only.is_empty() || field.only.contains(&kind),
            None => true,
        };
        header.fields.iter().filter(has).find(|field| field.offset == offset)
    }

    /// A place within the header that is known, where there are others of its layer before it.
    fn inside(&self, part: &Part) -> u32 {
        if part.base == 0 && part.inner.is_none() {
            part.offset.checked_sub(self.before).unwrap_or(part.offset)
        } else {
            part.offset
        }
    }

    /// The field that a part of the packet is.
    fn named(&self, part: &Part) -> Option<Node> {
        if part.inner.is_some() {
            return None;
        }
        let base = usize::try_from(part.base).ok()?;
        let header = match self.headers.get(base).copied().flatten() {
            Some(header) => header,
            None if base == TRANSPORT => &protocol::TRANSPORT,
            None => return None,
        };
        let fits = |field: &&Field| field.offset == part.offset && field.bits == part.bits;
        let has = |field: &&Field| match self.icmp {
            Some((kind, _)) => field.only.is_empty() || field.only.contains(&kind),
            None => true,
        };
        let field = header.fields.iter().filter(fits).find(has)?;
        let part = Part { field: Some((header, field)), ..part.clone() };
        Some(Node::new(Kind::Payload(part), field.kind, Order::Big, field.bits))
    }

    /// The field that some bits of a part of the packet are, and how far from the right they stand.
    pub(super) fn trim(&mut self, part: &Part, mask: u128) -> Option<(Node, u32)> {
        let shift = mask.trailing_zeros();
        let bits = mask.checked_shr(shift)?.trailing_ones();
        if mask != ones(bits) << shift {
            return None;
        }
        let offset = self.inside(part) + part.bits.checked_sub(shift + bits)?;
        let found = self.named(&Part { offset, bits, ..part.clone() })?;
        if let Kind::Payload(part) = &found.kind {
            let part = part.clone();
            self.imply_part(&part);
        }
        Some((found, shift))
    }

    /// Gives parts of the packet their names, and masks that only pick a field out no place; says how far from the
    /// right such a field stands.
    pub(super) fn resolve(&mut self, node: Node) -> (Node, u32) {
        let Node { kind, ty, order, bits } = node;
        match kind {
            Kind::Payload(mut part) if part.field.is_none() => {
                part.offset = self.inside(&part);
                match self.named(&part) {
                    Some(mut found) => {
                        if let Kind::Payload(part) = &found.kind {
                            let part = part.clone();
                            self.imply_part(&part);
                        }
                        // Bytes may have been turned round.
                        if order == Order::Host {
                            found.order = order;
                        }
                        (found, 0)
                    }
                    None => (Node { kind: Kind::Payload(part), ty, order, bits }, 0),
                }
            }
            Kind::Extension(extension) => {
                self.imply(extension.of);
                (Node { kind: Kind::Extension(extension), ty, order, bits }, 0)
            }
            Kind::Binary(Operator::And, sides) => {
                let [left, right] = *sides;
                if let Some(mask) = right.as_number() {
                    match &left.kind {
                        Kind::Payload(part) if part.field.is_none() => {
                            let exact = self.named(&Part { offset: self.inside(part), ..part.clone() }).is_some();
                            if let Some(found) = (!exact).then(|| self.trim(part, mask)).flatten() {
                                return found;
                            }
                        }
                        Kind::Extension(extension) if extension.field.is_none() && !extension.present => {
                            if let Some(found) = trim_extension(extension, mask) {
                                self.imply(extension.of);
                                return found;
                            }
                        }
                        _ => {}
                    }
                }
                let (left, _) = self.resolve(left);
                let right = retyped(right, &left);
                let (ty, order, bits) = (left.ty, left.order, left.bits);
                (Node::new(Kind::Binary(Operator::And, Box::new([left, right])), ty, order, bits), 0)
            }
            Kind::Binary(operator, sides) => {
                let [left, right] = *sides;
                let (left, shift) = self.resolve(left);
                if operator == Operator::Right && shift != 0 && right.as_number() == Some(shift.into()) {
                    return (left, 0);
                }
                let right = match operator {
                    Operator::Left | Operator::Right => right,
                    _ => retyped(right, &left),
                };
                let (ty, order, bits) = (left.ty, left.order, left.bits);
                (Node::new(Kind::Binary(operator, Box::new([left, right])), ty, order, bits), 0)
            }
            Kind::Concat(parts) => {
                let parts = parts.into_iter().map(|part| self.resolve(part).0).collect();
                (Node { kind: Kind::Concat(parts), ty, order, bits }, 0)
            }
            kind => (Node { kind, ty, order, bits }, 0),
        }
    }
}

/// A mask or the like, of the type of what it is for.
fn retyped(node: Node, like: &Node) -> Node {
    match node.kind {
        Kind::Value(_) => Node { ty: like.ty, order: like.order, ..node },
        _ => node,
    }
}

/// The field that some bits of an extension are, and how far from the right they stand.
fn trim_extension(extension: &Extension, mask: u128) -> Option<(Node, u32)> {
    let shift = mask.trailing_zeros();
    let bits = mask.checked_shr(shift)?.trailing_ones();
    let offset = extension.offset + extension.bits.checked_sub(shift + bits)?;
    let mut found = Extension { offset, bits, ..extension.clone() };
    find_field(&mut found);
    let field = found.field?;
    Some((Node::new(Kind::Extension(found), field.kind, Order::Big, bits), shift))
}
