//! What a rule asks for, written as expressions.

use ringlink::codec::netfilter::Family;
use ringlink::codec::netfilter::nftables::{
    ByteorderOp, CmpOp, ExpressionList, LogEntry, MetaKey, NatType, Register, RuleWriter,
};
use ringlink::codec::table::AttributeWriter;

use super::{Compiled, Load, Step, Subject};
use crate::nft::decompile::family;
use crate::nft::protocol::{self, Header};

impl Compiled {
    /// Writes the rule's expressions.
    pub(in crate::nft) fn write(&self, list: &mut AttributeWriter<'_, '_, ExpressionList>, number: u8) {
        let mut rule = RuleWriter::new(list, Family(number));
        let first = Register::REG_1;
        for step in &self.steps {
            match step {
                Step::Load(key) => load(&mut rule, key, number),
                Step::Mask(mask) => rule.mask(first, mask, &vec![0; mask.len()]),
                Step::Turn(place, size) => rule.byteorder(register(*place), ByteorderOp::HTON, *size),
                Step::Compare(op, value) => rule.compare(first, *op, value),
                Step::Range(op, from, to) => rule.compare_range(first, *op, from, to),
                Step::Lookup(op, set) => rule.lookup(first, *op, set.name()),
                Step::Map(map, to) => rule.map(first, map.name(), *to),
                Step::Counter => rule.counter(),
                Step::Limit(rate) => rule.limit(*rate),
                Step::Quota(bytes, over) => rule.quota(*bytes, *over),
                Step::Log { prefix, level, group, flags } => {
                    let prefix = prefix.as_deref();
                    rule.log(LogEntry { prefix, level: *level, group: *group, flags: *flags, ..LogEntry::default() });
                }
                Step::Reject(kind, code) => rule.reject_with(*kind, *code),
                Step::Verdict(code, chain) => rule.verdict(*code, chain.as_deref()),
                Step::Nat("masquerade", target) => rule.masquerade(target),
                Step::Nat("redirect", target) => rule.redirect(target),
                Step::Nat(word, target) => {
                    rule.nat(nat_type(word), Family(number), target);
                }
                Step::NatMapped(word, network, flags) => rule.nat_by(nat_type(word), *network, first, *flags),
                Step::SetMeta(key, value) => {
                    if let Some(value) = value {
                        rule.immediate(first, value);
                    }
                    rule.set_meta(*key, first);
                }
                Step::SetCt(key, value) => {
                    if let Some(value) = value {
                        rule.immediate(first, value);
                    }
                    rule.set_ct(*key, None, first);
                }
                Step::Object(kind, name) => rule.object(*kind, name),
                Step::Update(op, set, timeout) => rule.update_set(*op, set.as_str().into(), first, *timeout),
                Step::Notrack => rule.bare("notrack"),
            }
        }
    }
}

/// The register that begins with the n-th four bytes: those of sixteen bytes have numbers of their own, which nft writes where it can.
fn register(place: usize) -> Register {
    let number = u32::try_from(place).unwrap_or(0);
    match number.is_multiple_of(4) {
        true => Register(Register::REG_1.0 + number / 4),
        false => Register(Register::REG32_00.0 + number),
    }
}

fn nat_type(word: &str) -> NatType {
    if word == "snat" { NatType::SNAT } else { NatType::DNAT }
}

/// Loads what a rule asks for. What all of it needs is asked for before: that takes the first register, too.
fn load(rule: &mut RuleWriter<'_, '_, '_>, key: &[Subject], number: u8) {
    for subject in key {
        if let Load::Payload { header, .. } = subject.load {
            need(rule, header, number);
        }
    }
    let mut place = 0;
    for subject in key {
        let register = register(place);
        match subject.load {
            Load::Meta(key) => rule.meta(key, register),
            Load::Ct(key, direction) => rule.ct(key, direction, register),
            Load::Payload { base, offset, .. } => {
                rule.payload(base, offset, u32::try_from(subject.length).unwrap_or(0), register);
            }
        }
        place += subject.registers();
    }
}

/// Asks for a header.
fn need(rule: &mut RuleWriter<'_, '_, '_>, header: &'static Header, number: u8) {
    match header.name {
        "ip" | "icmp" => rule.network(Family::IPV4),
        "ip6" | "icmpv6" => rule.network(Family::IPV6),
        "ether" if number != family::BRIDGE => {
            rule.meta_is(MetaKey::IFTYPE, CmpOp::EQ, &1_u16.to_ne_bytes());
        }
        _ => {}
    }
    let transport = protocol::TRANSPORTS.iter().find(|(_, known)| *known == header);
    if let Some(protocol) = transport.and_then(|(number, _)| u8::try_from(*number).ok()) {
        rule.transport(protocol);
    }
}
