//! What comes into registers: parts of the packet, what the kernel knows of it, values.

use ringlink::codec::netfilter::nftables::*;
use ringlink::codec::table::Attributes;

use super::{Read, Rule, ct_type, flags, meta_type, verdict};
use crate::nft::expression::{Extension, Kind, Node, Of, Operator, Payload as Part, ones};
use crate::nft::protocol;
use crate::nft::statement::Statement;
use crate::nft::types::{Order, Type};

impl Rule<'_> {
    pub(super) fn payload(&mut self, payload: Attributes<'_, Payload>, inner: Option<&'static str>) -> Read<bool> {
        let (to, base, offset, length, from) =
            payload.read((Payload::DREG, Payload::BASE, Payload::OFFSET, Payload::LEN, Payload::SREG))?;
        let (Some(base), Some(length)) = (base, length) else { return Ok(false) };
        let (offset, bits) = (offset.unwrap_or(0).saturating_mul(8), length.saturating_mul(8));
        let part = Part { base: base.0, offset, bits, inner, field: None };
        let node = Node::new(Kind::Payload(part.clone()), Type::BITMASK, Order::Big, bits);
        let Some(from) = from else { return Ok(self.store(to, node)) };
        let Some(value) = self.load(Some(from)) else { return Ok(false) };
        let statement = self.written(part, value);
        self.push(statement);
        Ok(true)
    }

    /// Bytes written into the packet: all of a field, or some bits of what was there.
    fn written(&mut self, part: Part, value: Node) -> Statement {
        let bits = part.bits;
        if let Kind::Binary(..) = value.kind {
            let (kept, put) = masked(&value, &part);
            if let Some(kept) = kept {
                let mask = !kept & ones(bits) | put;
                if let Some((field, shift)) = self.trim(&part, mask) {
                    let value = Node::number(put >> shift, field.ty, field.order, field.bits);
                    return Statement::Mangle(field, value);
                }
            }
        }
        let node = Node::new(Kind::Payload(part), Type::INTEGER, Order::Big, bits);
        let (field, _) = self.resolve(node);
        let (value, _) = self.resolve(value.typed(field.ty, field.order));
        Statement::Mangle(field, value)
    }

    pub(super) fn meta(&mut self, meta: Attributes<'_, Meta>) -> Read<bool> {
        let (to, key, from) = meta.read((Meta::DREG, Meta::KEY, Meta::SREG))?;
        let Some(key) = key else { return Ok(false) };
        let (ty, bits, order) = meta_type(key);
        let node = Node::new(Kind::Meta(key), ty, order, bits);
        match from {
            None => Ok(self.store(to, node)),
            Some(from) => Ok(self.mangle(node, Some(from))),
        }
    }

    pub(super) fn ct(&mut self, ct: Attributes<'_, Ct>) -> Read<bool> {
        let (to, key, direction, from) = ct.read((Ct::DREG, Ct::KEY, Ct::DIRECTION, Ct::SREG))?;
        let Some(key) = key else { return Ok(false) };
        let (ty, bits, order) = ct_type(self.family, key);
        let node = Node::new(Kind::Ct(key, direction), ty, order, bits);
        match from {
            None => Ok(self.store(to, node)),
            Some(from) => Ok(self.mangle(node, Some(from))),
        }
    }

    /// Something set to what stands in a register.
    fn mangle(&mut self, key: Node, from: Option<Register>) -> bool {
        let Some(value) = self.load(from) else { return false };
        let (mut value, _) = self.resolve(value.typed(key.ty, key.order));
        if key.ty.has_flags() {
            value = flags(value, true);
        }
        self.push(Statement::Mangle(key, value));
        true
    }

    pub(super) fn exthdr(&mut self, exthdr: Attributes<'_, Exthdr>) -> Read<bool> {
        let ((to, number, offset, length), (how, of, from)) = exthdr.read((
            (Exthdr::DREG, Exthdr::TYPE, Exthdr::OFFSET, Exthdr::LEN),
            (Exthdr::FLAGS, Exthdr::OP, Exthdr::SREG),
        ))?;
        let of = match of.unwrap_or(ExthdrOp::IPV6) {
            ExthdrOp::IPV6 => Of::Ip6,
            ExthdrOp::TCPOPT => Of::Tcp,
            ExthdrOp::IPV4 => Of::Ip,
            ExthdrOp::SCTP => Of::Sctp,
            ExthdrOp::DCCP => Of::Dccp,
            _ => return Ok(false),
        };
        let (offset, bits) = (offset.unwrap_or(0).saturating_mul(8), length.unwrap_or(0).saturating_mul(8));
        let number = number.unwrap_or(0);
        let present = how.unwrap_or_default().0 & ExthdrFlags::PRESENT.0 != 0;
        let mut extension = Extension { of, number, offset, bits, present, header: None, field: None };
        find_field(&mut extension);
        let (ty, order, bits) = match extension.field {
            _ if present => (Type::BOOLEAN, Order::Host, 8),
            Some(field) => (field.kind, Order::Big, bits),
            None => (Type::INTEGER, Order::Big, bits),
        };
        if to.is_none() && from.is_none() {
            // An option that is taken out: all of it.
            extension.present = true;
            self.imply(extension.of);
            let node = Node::new(Kind::Extension(extension), ty, order, bits);
            self.push(Statement::Reset(node));
            return Ok(true);
        }
        let node = Node::new(Kind::Extension(extension.clone()), ty, order, bits);
        let Some(from) = from else { return Ok(self.store(to, node)) };
        self.imply(extension.of);
        Ok(self.mangle(node, Some(from)))
    }

    pub(super) fn fib(&mut self, fib: Attributes<'_, Fib>) -> Read<bool> {
        let (to, result, flags) = fib.read((Fib::DREG, Fib::RESULT, Fib::FLAGS))?;
        let (result, flags) = (result.unwrap_or(FibResult::UNSPEC), flags.unwrap_or_default());
        let (ty, bits) = match result {
            // The register that it comes in is compared as a whole.
            _ if flags.0 & FibFlags::PRESENT.0 != 0 => (Type::BOOLEAN, 32),
            FibResult::OIF => (Type::INTERFACE, 32),
            FibResult::OIFNAME => (Type::INTERFACE_NAME, 128),
            FibResult::ADDRTYPE => (Type::FIB_TYPE, 32),
            _ => return Ok(false),
        };
        Ok(self.store(to, Node::new(Kind::Fib(result, flags), ty, Order::Host, bits)))
    }

    pub(super) fn rt(&mut self, rt: Attributes<'_, Rt>) -> Read<bool> {
        let (to, key) = rt.read((Rt::DREG, Rt::KEY))?;
        let Some(key) = key else { return Ok(false) };
        let (ty, bits, order) = match key {
            RtKey::CLASSID => (Type::REALM, 32, Order::Host),
            RtKey::NEXTHOP4 => (Type::IPV4, 32, Order::Big),
            RtKey::NEXTHOP6 => (Type::IPV6, 128, Order::Big),
            RtKey::TCPMSS => (Type::INTEGER, 16, Order::Host),
            RtKey::XFRM => (Type::BOOLEAN, 8, Order::Host),
            _ => return Ok(false),
        };
        Ok(self.store(to, Node::new(Kind::Rt(key), ty, order, bits)))
    }

    pub(super) fn socket(&mut self, socket: Attributes<'_, Socket>) -> Read<bool> {
        let (to, key, level) = socket.read((Socket::DREG, Socket::KEY, Socket::LEVEL))?;
        let Some(key) = key else { return Ok(false) };
        let (ty, bits) = match key {
            SocketKey::TRANSPARENT | SocketKey::WILDCARD => (Type::INTEGER, 8),
            SocketKey::MARK => (Type::MARK, 32),
            SocketKey::CGROUPV2 => (Type::CONTROL_GROUP, 64),
            _ => return Ok(false),
        };
        Ok(self.store(to, Node::new(Kind::Socket(key, level.unwrap_or(0)), ty, Order::Host, bits)))
    }

    pub(super) fn osf(&mut self, osf: Attributes<'_, Osf>) -> Read<bool> {
        let (to, ttl, flags) = osf.read((Osf::DREG, Osf::TTL, Osf::FLAGS))?;
        let version = flags.unwrap_or_default().0 & OsfFlags::VERSION.0 != 0;
        let kind = Kind::Osf { version, ttl: ttl.unwrap_or(0) };
        Ok(self.store(to, Node::new(kind, Type::STRING, Order::Host, 128)))
    }

    pub(super) fn numgen(&mut self, numgen: Attributes<'_, Numgen>) -> Read<bool> {
        let (to, modulus, kind, offset) = numgen.read((Numgen::DREG, Numgen::MODULUS, Numgen::TYPE, Numgen::OFFSET))?;
        let random = kind == Some(NumgenType::RANDOM);
        let kind = Kind::Numgen { random, modulus: modulus.unwrap_or(0), offset: offset.unwrap_or(0) };
        Ok(self.store(to, Node::new(kind, Type::INTEGER, Order::Host, 32)))
    }

    pub(super) fn hash(&mut self, hash: Attributes<'_, Hash>) -> Read<bool> {
        let ((from, to, length), (modulus, seed, offset, kind)) =
            hash.read(((Hash::SREG, Hash::DREG, Hash::LEN), (Hash::MODULUS, Hash::SEED, Hash::OFFSET, Hash::TYPE)))?;
        let source = match kind {
            Some(HashType::SYM) => None,
            _ => match self.load_all(from, length.unwrap_or(0)) {
                Some(source) => Some(Box::new(self.resolve(source).0)),
                None => return Ok(false),
            },
        };
        let kind = Kind::Hash {
            source,
            modulus: modulus.unwrap_or(0),
            seed: seed.filter(|seed| *seed != 0),
            offset: offset.unwrap_or(0),
        };
        Ok(self.store(to, Node::new(kind, Type::INTEGER, Order::Host, 32)))
    }

    pub(super) fn xfrm(&mut self, xfrm: Attributes<'_, Xfrm>) -> Read<bool> {
        let (to, key, direction, number) = xfrm.read((Xfrm::DREG, Xfrm::KEY, Xfrm::DIR, Xfrm::SPNUM))?;
        let Some(key) = key else { return Ok(false) };
        let (ty, bits, order) = match key {
            XfrmKey::DADDR_IP4 | XfrmKey::SADDR_IP4 => (Type::IPV4, 32, Order::Big),
            XfrmKey::DADDR_IP6 | XfrmKey::SADDR_IP6 => (Type::IPV6, 128, Order::Big),
            XfrmKey::REQID => (Type::INTEGER, 32, Order::Host),
            XfrmKey::SPI => (Type::INTEGER, 32, Order::Big),
            _ => return Ok(false),
        };
        let kind = Kind::Xfrm { key, out: direction == Some(1), number: number.unwrap_or(0) };
        Ok(self.store(to, Node::new(kind, ty, order, bits)))
    }

    pub(super) fn tunnel(&mut self, tunnel: Attributes<'_, Tunnel>) -> Read<bool> {
        let (to, key) = tunnel.read((Tunnel::DREG, Tunnel::KEY))?;
        let id = key == Some(TunnelSubject::ID);
        let (ty, bits) = if id { (Type::INTEGER, 32) } else { (Type::BOOLEAN, 8) };
        Ok(self.store(to, Node::new(Kind::Tunnel { id }, ty, Order::Host, bits)))
    }

    pub(super) fn inner(&mut self, inner: Attributes<'_, Inner>) -> Read<bool> {
        let (kind, expression) = inner.read((Inner::TYPE, Inner::EXPR))?;
        let tunnel = match kind {
            Some(InnerType::VXLAN) => "vxlan",
            Some(InnerType::GENEVE) => "geneve",
            _ => "tunnel",
        };
        let Some(expression) = expression else { return Ok(false) };
        match expression.chosen(Expression::DATA, Payload)? {
            Some(payload) => self.payload(payload, Some(tunnel)),
            None => Ok(false),
        }
    }

    pub(super) fn immediate(&mut self, immediate: Attributes<'_, Immediate>) -> Read<bool> {
        let (to, data) = immediate.read((Immediate::DREG, Immediate::DATA))?;
        let Some(data) = data else { return Ok(false) };
        let (value, told) = data.read((Data::VALUE, Data::VERDICT))?;
        if let Some(told) = told {
            self.push(Statement::Verdict(verdict(told)?));
            return Ok(true);
        }
        let bytes = value.unwrap_or_default();
        let bits = u32::try_from(bytes.len()).unwrap_or(0) * 8;
        Ok(self.store(to, Node::new(Kind::Bytes(bytes.into()), Type::INTEGER, Order::Big, bits)))
    }
}

/// Of bytes that were read to be changed and written again: which bits are kept, which are set.
fn masked(node: &Node, part: &Part) -> (Option<u128>, u128) {
    let same = |node: &Node| {
        matches!(&node.kind, Kind::Payload(read)
            if read.base == part.base && read.offset == part.offset && read.bits == part.bits)
    };
    match &node.kind {
        Kind::Binary(Operator::Or, sides) => {
            let [left, right] = &**sides;
            let (kept, put) = if same(left) { (Some(ones(part.bits)), 0) } else { masked(left, part) };
            let set = right.as_number().unwrap_or(0);
            (kept.map(|kept| kept & !set), put | set)
        }
        Kind::Binary(Operator::And, sides) if same(&sides[0]) => (sides[1].as_number(), 0),
        _ => (None, 0),
    }
}

pub(super) fn find_field(extension: &mut Extension) {
    let headers = match extension.of {
        Of::Ip6 => protocol::EXTENSIONS,
        Of::Tcp => protocol::TCP_OPTIONS,
        Of::Ip => protocol::IP_OPTIONS,
        Of::Sctp => protocol::CHUNKS,
        Of::Dccp => return,
    };
    if let Some((header, field)) = protocol::find(headers, extension.number, extension.offset, extension.bits) {
        extension.header = Some(header);
        extension.field = field;
    }
}
