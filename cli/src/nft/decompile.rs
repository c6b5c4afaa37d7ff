//! A rule's expressions, which work on registers, made into statements again, as `nft` does it
//! (src/netlink_delinearize.c and src/payload.c of nftables).
//!
//! What `nft` adds by itself when a rule is made (that `tcp dport` asks for TCP first) is taken out again where
//! what follows says it too. Where `nft` leaves it in, so does this, so that a rule reads the same in both.

use ringlink::codec::Error;
use ringlink::codec::netfilter::nftables::*;
use ringlink::codec::table::{Attributes, Text};

use super::expression::{
    Element, Extension, Kind, Node, Of, Operator, Payload as Part, Verdict as Told, number, ones, prefix_length,
};
use super::protocol::{self, Field, Header};
use super::set::{Set, Sets};
use super::statement::{Limit as LimitTold, Log as LogTold, Nat as NatTold, Statement, Update};
use super::types::{Order, Type};

/// Families (`NFPROTO_*`).
pub(super) mod family {
    pub(in super::super) const INET: u8 = 1;
    pub(in super::super) const IPV4: u8 = 2;
    pub(in super::super) const ARP: u8 = 3;
    pub(in super::super) const NETDEV: u8 = 5;
    pub(in super::super) const BRIDGE: u8 = 7;
    pub(in super::super) const IPV6: u8 = 10;
}

/// From where parts of the packet count.
const LINK: usize = 0;
const NETWORK: usize = 1;
const TRANSPORT: usize = 2;

/// How many bits the header of Ethernet has.
const ETHER_BITS: u32 = 112;

/// A rule on its way to statements.
pub(super) struct Rule<'s> {
    family: u8,
    table: &'s str,
    sets: &'s Sets,
    /// What stands in registers of four bytes, at the first of what it takes.
    registers: [Option<Node>; 16],
    /// Statements; those that turned out to be implied are gone.
    statements: Vec<Option<Statement>>,
    /// Which header is known to be where.
    headers: [Option<&'static Header>; 3],
    /// How many bits of the link layer's headers are before the one that is known.
    before: u32,
    /// Which statement made it known.
    implied: [Option<usize>; 3],
    /// The type of ICMP that was asked for, and by which statement.
    icmp: Option<(u8, usize)>,
}

/// A value of an expression that comes with its place.
type Read<T> = Result<T, Error>;

impl<'s> Rule<'s> {
    pub(super) fn new(family: u8, table: &'s str, sets: &'s Sets) -> Self {
        let mut headers = [None; 3];
        match family {
            family::IPV4 => headers[NETWORK] = Some(&protocol::IP),
            family::IPV6 => headers[NETWORK] = Some(&protocol::IP6),
            family::ARP => headers[NETWORK] = Some(&protocol::ARP),
            family::BRIDGE => headers[LINK] = Some(&protocol::ETHER),
            _ => {}
        }
        Self {
            family,
            table,
            sets,
            registers: [const { None }; 16],
            statements: Vec::new(),
            headers,
            before: 0,
            implied: [None; 3],
            icmp: None,
        }
    }

    /// The statements.
    pub(super) fn finish(self) -> Vec<Statement> {
        self.statements.into_iter().flatten().collect()
    }

    /// Takes the next expression. One that is not known, or cannot be read, becomes a statement that shows its bytes.
    pub(super) fn expression(&mut self, expression: Attributes<'_, Expression>) {
        let name = expression.get(Expression::NAME).ok().flatten().unwrap_or_default();
        let error = match self.take(name, expression) {
            Ok(true) => return,
            Ok(false) => None,
            Err(error) => Some(error.to_string().into()),
        };
        let data = expression.raw().flatten().find(|attribute| attribute.kind == Expression::DATA.number());
        let bytes = data.map_or(&[][..], |attribute| attribute.payload.bytes);
        self.push(Statement::Unknown { name: name.to_string().into(), bytes: bytes.into(), error });
    }

    fn push(&mut self, statement: Statement) {
        self.statements.push(Some(statement));
    }

    fn take(&mut self, name: Text<'_>, expression: Attributes<'_, Expression>) -> Read<bool> {
        // What has attributes; without them nothing is set.
        macro_rules! data {
            ($space:ident) => {
                match expression.chosen(Expression::DATA, $space)? {
                    Some(data) => data,
                    None => return Ok(false),
                }
            };
        }
        match name.to_str().unwrap_or_default() {
            "payload" => self.payload(data!(Payload), None),
            "meta" => self.meta(data!(Meta)),
            "cmp" => self.compare(data!(Cmp)),
            "range" => self.range(data!(Range)),
            "immediate" => self.immediate(data!(Immediate)),
            "bitwise" => self.bitwise(data!(Bitwise)),
            "byteorder" => self.byteorder(data!(Byteorder)),
            "lookup" => self.lookup(data!(Lookup)),
            "ct" => self.ct(data!(Ct)),
            "exthdr" => self.exthdr(data!(Exthdr)),
            "fib" => self.fib(data!(Fib)),
            "rt" => self.rt(data!(Rt)),
            "socket" => self.socket(data!(Socket)),
            "osf" => self.osf(data!(Osf)),
            "numgen" => self.numgen(data!(Numgen)),
            "hash" => self.hash(data!(Hash)),
            "xfrm" => self.xfrm(data!(Xfrm)),
            "tunnel" => self.tunnel(data!(Tunnel)),
            "inner" => self.inner(data!(Inner)),
            "counter" => {
                let (packets, bytes) = data!(Counter).read((Counter::PACKETS, Counter::BYTES))?;
                self.push(Statement::Counter(Some([packets.unwrap_or(0), bytes.unwrap_or(0)])));
                Ok(true)
            }
            "limit" => {
                let limit = limit(data!(Limit))?;
                self.push(Statement::Limit(limit));
                Ok(true)
            }
            "quota" => {
                let (bytes, flags, used) = data!(Quota).read((Quota::BYTES, Quota::FLAGS, Quota::CONSUMED))?;
                let flags = flags.unwrap_or_default();
                self.push(Statement::Quota { bytes: bytes.unwrap_or(0), flags, used });
                Ok(true)
            }
            "connlimit" => {
                let (count, flags) = data!(Connlimit).read((Connlimit::COUNT, Connlimit::FLAGS))?;
                let over = flags.unwrap_or_default().0 & ConnlimitFlags::INV.0 != 0;
                self.push(Statement::Connections { count: count.unwrap_or(0), over });
                Ok(true)
            }
            "last" => {
                let (set, ago) = data!(Last).read((Last::SET, Last::MSECS))?;
                self.push(Statement::Last(ago.filter(|_| set.unwrap_or(0) != 0)));
                Ok(true)
            }
            "log" => self.log(data!(Log)),
            "reject" => self.reject(data!(Reject)),
            "nat" => self.nat(data!(Nat)),
            "masq" => {
                let (flags, min, max) = data!(Masq).read((Masq::FLAGS, Masq::REG_PROTO_MIN, Masq::REG_PROTO_MAX))?;
                self.here("masquerade", flags, min, max)
            }
            "redir" => {
                let (flags, min, max) =
                    data!(Redir).read((Redir::FLAGS, Redir::REG_PROTO_MIN, Redir::REG_PROTO_MAX))?;
                self.here("redirect", flags, min, max)
            }
            "tproxy" => self.tproxy(data!(Tproxy)),
            "synproxy" => {
                let (mss, scale, flags) = data!(Synproxy).read((Synproxy::MSS, Synproxy::WSCALE, Synproxy::FLAGS))?;
                let flags = flags.unwrap_or_default();
                self.push(synproxy(mss, scale, flags));
                Ok(true)
            }
            "queue" => self.queue(data!(Queue)),
            "dup" => self.dup(data!(Dup)),
            "fwd" => self.fwd(data!(Fwd)),
            "notrack" => {
                self.push(Statement::Notrack);
                Ok(true)
            }
            "flow_offload" => {
                let name = data!(FlowOffload).get(FlowOffload::TABLE_NAME)?.unwrap_or_default();
                self.push(Statement::Flow(name.to_string().into()));
                Ok(true)
            }
            "objref" => self.objref(data!(Objref)),
            "dynset" => self.dynset(data!(Dynset)),
            "match" => {
                let name = data!(Match).get(Match::NAME)?.unwrap_or_default();
                self.push(Statement::Compat { target: false, name: name.to_string().into() });
                Ok(true)
            }
            "target" => {
                let name = data!(Target).get(Target::NAME)?.unwrap_or_default();
                self.push(Statement::Compat { target: true, name: name.to_string().into() });
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    // Registers.

    fn store(&mut self, register: Option<Register>, node: Node) -> bool {
        match register.and_then(place).and_then(|place| self.registers.get_mut(place)) {
            Some(first) => {
                let bits = node.bits;
                *first = Some(node);
                // What stood where the rest of it stands now is gone.
                let rest = usize::try_from(bits.div_ceil(32)).unwrap_or(0);
                let start = register.and_then(place).unwrap_or(0);
                for slot in self.registers.iter_mut().skip(start + 1).take(rest.saturating_sub(1)) {
                    *slot = None;
                }
                true
            }
            None => false,
        }
    }

    fn load(&self, register: Option<Register>) -> Option<Node> {
        register.and_then(place).and_then(|place| self.registers.get(place)).cloned().flatten()
    }

    /// What stands in registers from one on, up to so many bytes.
    fn load_all(&self, register: Option<Register>, length: u32) -> Option<Node> {
        let first = self.load(register)?;
        if first.bits.div_ceil(8) >= length || length == 0 {
            return Some(first);
        }
        let mut at = place(register?)?;
        let mut parts = Vec::new();
        let mut taken = 0;
        while taken < length {
            let part = self.registers.get(at).cloned().flatten()?;
            let size = part.bits.div_ceil(32).max(1);
            taken += size * 4;
            at += usize::try_from(size).ok()?;
            parts.push(part);
        }
        if parts.len() == 1 {
            return parts.pop();
        }
        Some(Node::new(Kind::Concat(parts), Type::INTEGER, Order::Big, length * 8))
    }

    // What expressions ask for.

    fn payload(&mut self, payload: Attributes<'_, Payload>, inner: Option<&'static str>) -> Read<bool> {
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

    fn meta(&mut self, meta: Attributes<'_, Meta>) -> Read<bool> {
        let (to, key, from) = meta.read((Meta::DREG, Meta::KEY, Meta::SREG))?;
        let Some(key) = key else { return Ok(false) };
        let (ty, bits, order) = meta_type(key);
        let node = Node::new(Kind::Meta(key), ty, order, bits);
        match from {
            None => Ok(self.store(to, node)),
            Some(from) => Ok(self.mangle(node, Some(from))),
        }
    }

    fn ct(&mut self, ct: Attributes<'_, Ct>) -> Read<bool> {
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

    fn exthdr(&mut self, exthdr: Attributes<'_, Exthdr>) -> Read<bool> {
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

    fn fib(&mut self, fib: Attributes<'_, Fib>) -> Read<bool> {
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

    fn rt(&mut self, rt: Attributes<'_, Rt>) -> Read<bool> {
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

    fn socket(&mut self, socket: Attributes<'_, Socket>) -> Read<bool> {
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

    fn osf(&mut self, osf: Attributes<'_, Osf>) -> Read<bool> {
        let (to, ttl, flags) = osf.read((Osf::DREG, Osf::TTL, Osf::FLAGS))?;
        let version = flags.unwrap_or_default().0 & OsfFlags::VERSION.0 != 0;
        let kind = Kind::Osf { version, ttl: ttl.unwrap_or(0) };
        Ok(self.store(to, Node::new(kind, Type::STRING, Order::Host, 128)))
    }

    fn numgen(&mut self, numgen: Attributes<'_, Numgen>) -> Read<bool> {
        let (to, modulus, kind, offset) = numgen.read((Numgen::DREG, Numgen::MODULUS, Numgen::TYPE, Numgen::OFFSET))?;
        let random = kind == Some(NumgenType::RANDOM);
        let kind = Kind::Numgen { random, modulus: modulus.unwrap_or(0), offset: offset.unwrap_or(0) };
        Ok(self.store(to, Node::new(kind, Type::INTEGER, Order::Host, 32)))
    }

    fn hash(&mut self, hash: Attributes<'_, Hash>) -> Read<bool> {
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

    fn xfrm(&mut self, xfrm: Attributes<'_, Xfrm>) -> Read<bool> {
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

    fn tunnel(&mut self, tunnel: Attributes<'_, Tunnel>) -> Read<bool> {
        let (to, key) = tunnel.read((Tunnel::DREG, Tunnel::KEY))?;
        let id = key == Some(TunnelSubject::ID);
        let (ty, bits) = if id { (Type::INTEGER, 32) } else { (Type::BOOLEAN, 8) };
        Ok(self.store(to, Node::new(Kind::Tunnel { id }, ty, Order::Host, bits)))
    }

    fn inner(&mut self, inner: Attributes<'_, Inner>) -> Read<bool> {
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

    // Registers changed.

    fn immediate(&mut self, immediate: Attributes<'_, Immediate>) -> Read<bool> {
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

    fn bitwise(&mut self, bitwise: Attributes<'_, Bitwise>) -> Read<bool> {
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

    fn byteorder(&mut self, byteorder: Attributes<'_, Byteorder>) -> Read<bool> {
        let (from, to, operation, length) =
            byteorder.read((Byteorder::SREG, Byteorder::DREG, Byteorder::OP, Byteorder::LEN))?;
        let Some(mut node) = self.load_all(from, length.unwrap_or(0)) else { return Ok(false) };
        node.order = if operation == Some(ByteorderOp::HTON) { Order::Big } else { Order::Host };
        Ok(self.store(to, node))
    }

    // What a rule asks.

    fn compare(&mut self, cmp: Attributes<'_, Cmp>) -> Read<bool> {
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

    fn range(&mut self, range: Attributes<'_, Range>) -> Read<bool> {
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
    fn matched(&mut self, sign: &'static str, left: Node, right: Node) {
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

    /// What a comparison of `meta` says of headers.
    fn learn_meta(&mut self, key: MetaKey, number: u128, place: usize) {
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
    fn learn(&mut self, part: &Part, number: u128, place: usize) {
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
    fn learn_icmp(&mut self, left: &Node, right: &Node) {
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
    fn release(&mut self, base: usize) {
        if let Some(place) = self.implied.get_mut(base).and_then(Option::take)
            && let Some(statement) = self.statements.get_mut(place)
        {
            *statement = None;
        }
    }

    /// Something of these needs its header, and so says that it is there.
    fn imply(&mut self, of: Of) {
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
    fn expand(&mut self, mut part: Part, sign: &'static str, bytes: &[u8]) {
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
    fn trim(&mut self, part: &Part, mask: u128) -> Option<(Node, u32)> {
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
    fn resolve(&mut self, node: Node) -> (Node, u32) {
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

    fn lookup(&mut self, lookup: Attributes<'_, Lookup>) -> Read<bool> {
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

    // What a rule does.

    fn log(&mut self, log: Attributes<'_, Log>) -> Read<bool> {
        let ((group, prefix, snaplen), (threshold, level, flags)) =
            log.read(((Log::GROUP, Log::PREFIX, Log::SNAPLEN), (Log::QTHRESHOLD, Log::LEVEL, Log::FLAGS)))?;
        self.push(Statement::Log(LogTold {
            prefix: prefix.map(|prefix| prefix.to_string().into()),
            group,
            snaplen: snaplen.filter(|length| *length != 0),
            threshold: threshold.filter(|threshold| *threshold != 0),
            level,
            flags: flags.unwrap_or_default(),
        }));
        Ok(true)
    }

    fn reject(&mut self, reject: Attributes<'_, Reject>) -> Read<bool> {
        let (kind, code) = reject.read((Reject::TYPE, Reject::ICMP_CODE))?;
        let kind = kind.unwrap_or(RejectType::ICMP_UNREACH);
        let mut family = None;
        let ty = match self.family {
            family::IPV4 | family::IPV6 => {
                if kind == RejectType::TCP_RST {
                    self.release(TRANSPORT);
                }
                family = Some(self.family);
                if self.family == family::IPV4 { Type::ICMP_CODE } else { Type::ICMPV6_CODE }
            }
            _ if kind == RejectType::ICMPX_UNREACH => Type::ICMPX_CODE,
            _ => {
                let version = self.headers[NETWORK].map(|header| header.name);
                self.release(NETWORK);
                match version {
                    Some("ip6") => {
                        family = Some(family::IPV6);
                        Type::ICMPV6_CODE
                    }
                    _ => Type::ICMP_CODE,
                }
            }
        };
        let code = Node::number(code.unwrap_or(0).into(), ty, Order::Big, 8);
        self.push(Statement::Reject { kind, family, code });
        Ok(true)
    }

    fn nat(&mut self, nat: Attributes<'_, Nat>) -> Read<bool> {
        let ((kind, version, flags), (low, high, first, last)) = nat.read((
            (Nat::TYPE, Nat::FAMILY, Nat::FLAGS),
            (Nat::REG_ADDR_MIN, Nat::REG_ADDR_MAX, Nat::REG_PROTO_MIN, Nat::REG_PROTO_MAX),
        ))?;
        let word = if kind == Some(NatType::DNAT) { "dnat" } else { "snat" };
        let flags = flags.unwrap_or_default();
        let prefix = flags.0 & NatFlags::NETMAP.0 != 0;
        let (ty, name) = match version {
            Some(10) => (Type::IPV6, "ip6"),
            _ => (Type::IPV4, "ip"),
        };
        let mut family = (self.family == family::INET).then_some(name);
        let shape = prefix.then_some("prefix");
        let typed = |node: Option<Node>, ty: Type| node.map(|node| node.typed(ty, ty.facts().order));
        let address = typed(self.load(low), ty);
        let is_map = matches!(address, Some(Node { kind: Kind::Map(_), .. }));
        let address = match address {
            Some(address) if is_map => {
                if high.is_some() && high != low {
                    // The map leads to intervals.
                    family = Some(name);
                }
                Some(Node { ty, ..address })
            }
            Some(address) if high.is_some() && high != low => match typed(self.load(high), ty) {
                Some(end) if prefix => Some(super::set::interval(address, end)),
                Some(end) => {
                    let (order, bits) = (address.order, address.bits);
                    Some(Node::new(Kind::Range(Box::new([address, end])), ty, order, bits))
                }
                None => Some(address),
            },
            other => other,
        };
        let mut port = self.ports(first, last);
        if is_map && first.is_some() && port.is_none() {
            // The map leads to an address and a port.
            family = Some(name);
        }
        if is_map && matches!(&port, Some(Node { kind: Kind::Bytes(_), .. })) {
            port = None;
        }
        self.push(Statement::Nat(NatTold { word, family, address, port, flags, shape }));
        Ok(true)
    }

    fn ports(&mut self, first: Option<Register>, last: Option<Register>) -> Option<Node> {
        let order = Type::SERVICE.facts().order;
        let low = self.load(first)?.typed(Type::SERVICE, order);
        if last.is_none() || last == first {
            return Some(low);
        }
        let high = self.load(last)?.typed(Type::SERVICE, order);
        Some(Node::new(Kind::Range(Box::new([low, high])), Type::SERVICE, order, 16))
    }

    fn here(
        &mut self,
        word: &'static str,
        flags: Option<NatFlags>,
        first: Option<Register>,
        last: Option<Register>,
    ) -> Read<bool> {
        let port = self.ports(first, last);
        let flags = flags.unwrap_or_default();
        self.push(Statement::Nat(NatTold { word, family: None, address: None, port, flags, shape: None }));
        Ok(true)
    }

    fn tproxy(&mut self, tproxy: Attributes<'_, Tproxy>) -> Read<bool> {
        let (version, address, port) = tproxy.read((Tproxy::FAMILY, Tproxy::REG_ADDR, Tproxy::REG_PORT))?;
        let (ty, name) = match version {
            Some(10) => (Type::IPV6, Some("ip6")),
            Some(2) => (Type::IPV4, Some("ip")),
            _ => (Type::IPV4, None),
        };
        let address = self.load(address).map(|address| address.typed(ty, Order::Big));
        let port = self.ports(port, None);
        self.push(Statement::Tproxy { family: name.filter(|_| self.family == family::INET), address, port });
        Ok(true)
    }

    fn queue(&mut self, queue: Attributes<'_, Queue>) -> Read<bool> {
        let (first, total, flags, from) = queue.read((Queue::NUM, Queue::TOTAL, Queue::FLAGS, Queue::SREG_QNUM))?;
        let number = match from {
            Some(from) => match self.load(Some(from)) {
                Some(node) => self.resolve(node).0,
                None => return Ok(false),
            },
            None => {
                let (first, total) = (first.unwrap_or(0), total.unwrap_or(1));
                let number = |number: u16| Node::number(number.into(), Type::INTEGER, Order::Host, 16);
                match first.checked_add(total.saturating_sub(1)) {
                    Some(last) if last != first => {
                        Node::new(Kind::Range(Box::new([number(first), number(last)])), Type::INTEGER, Order::Host, 16)
                    }
                    _ => number(first),
                }
            }
        };
        self.push(Statement::Queue { number, flags: flags.unwrap_or_default() });
        Ok(true)
    }

    fn dup(&mut self, dup: Attributes<'_, Dup>) -> Read<bool> {
        let (address, device) = dup.read((Dup::SREG_ADDR, Dup::SREG_DEV))?;
        let ty = if self.family == family::IPV6 { Type::IPV6 } else { Type::IPV4 };
        let address = self.load(address).map(|address| address.typed(ty, Order::Big));
        let device = self.load(device).map(|device| device.typed(Type::INTERFACE, Order::Host));
        self.push(Statement::Duplicate { address, device });
        Ok(true)
    }

    fn fwd(&mut self, fwd: Attributes<'_, Fwd>) -> Read<bool> {
        let (device, address, version) = fwd.read((Fwd::SREG_DEV, Fwd::SREG_ADDR, Fwd::NFPROTO))?;
        let (ty, name) = match version {
            Some(10) => (Type::IPV6, "ip6"),
            _ => (Type::IPV4, "ip"),
        };
        let device = self.load(device).map(|device| device.typed(Type::INTERFACE, Order::Host));
        let address = self.load(address).map(|address| address.typed(ty, Order::Big));
        let family = address.is_some().then_some(name);
        self.push(Statement::Forward { device, family, address });
        Ok(true)
    }

    fn objref(&mut self, objref: Attributes<'_, Objref>) -> Read<bool> {
        let (kind, name, key, map) =
            objref.read((Objref::IMM_TYPE, Objref::IMM_NAME, Objref::SET_SREG, Objref::SET_NAME))?;
        if let (Some(kind), Some(name)) = (kind, name) {
            let name = Node::new(Kind::Object(name.to_string().into()), Type::STRING, Order::Host, 0);
            self.push(Statement::Object(object_name(kind), name));
            return Ok(true);
        }
        let name = map.unwrap_or_default().to_string();
        let sets = self.sets;
        let set = sets.find(self.family, self.table, &name);
        let Some(left) = self.load_all(key, set.map_or(0, |set| set.key_length)) else { return Ok(false) };
        let (left, shift) = self.resolve(left);
        let right = reference(set, &name, &left, shift);
        let kind = set.and_then(|set| set.object).map_or("object", object_name);
        let map = Node::new(Kind::Map(Box::new([left, right])), Type::STRING, Order::Host, 0);
        self.push(Statement::Object(kind, map));
        Ok(true)
    }

    fn dynset(&mut self, dynset: Attributes<'_, Dynset>) -> Read<bool> {
        let ((name, operation, key, data), (timeout, expression, expressions)) = dynset.read((
            (Dynset::SET_NAME, Dynset::OP, Dynset::SREG_KEY, Dynset::SREG_DATA),
            (Dynset::TIMEOUT, Dynset::EXPR, Dynset::EXPRESSIONS),
        ))?;
        let name: Box<str> = name.unwrap_or_default().to_string().into();
        let sets = self.sets;
        let set = sets.find(self.family, self.table, &name);
        let Some(key) = self.load_all(key, set.map_or(0, |set| set.key_length)) else { return Ok(false) };
        let key = key.typed(set.map_or(Type::INTEGER, Set::key_type), Order::Big);
        let (key, _) = self.resolve(key);
        let data = match (data, set) {
            (Some(data), set) => {
                let Some(data) = self.load_all(Some(data), set.map_or(0, |set| set.data_length)) else {
                    return Ok(false);
                };
                let data = match set.map(|set| set.data.as_slice()) {
                    Some([one]) => data.typed(*one, one.facts().order),
                    _ => data,
                };
                Some(self.resolve(data).0)
            }
            (None, _) => None,
        };
        let element = Element {
            key,
            data,
            timeout: timeout.filter(|timeout| *timeout != 0),
            expires: None,
            comment: None,
            statements: super::set::statements(self.family, self.table, expression, expressions, true),
        };
        let update = Box::new(Update { operation: operation.unwrap_or(DynsetOp::ADD), set: name.clone(), element });
        let statement = match set {
            Some(set) if set.is_meter() && !update.element.statements.is_empty() => {
                Statement::Meter { name, size: set.size.unwrap_or(0), update }
            }
            _ => Statement::Set(update),
        };
        self.push(statement);
        Ok(true)
    }
}

/// Of a register's number, which four bytes it begins with.
fn place(register: Register) -> Option<usize> {
    let number = usize::try_from(register.0).ok()?;
    match number {
        1..=4 => Some((number - 1) * 4),
        8..=23 => Some(number - 8),
        _ => None,
    }
}

fn value_of(data: Option<Attributes<'_, Data>>) -> Read<Option<&[u8]>> {
    match data {
        Some(data) => data.get(Data::VALUE),
        None => Ok(None),
    }
}

/// A verdict as the kernel tells it.
pub(super) fn verdict(verdict: Attributes<'_, Verdict>) -> Read<Told> {
    let (code, chain) = verdict.read((Verdict::CODE, Verdict::CHAIN))?;
    let chain = || chain.unwrap_or_default().to_string().into();
    Ok(match code.unwrap_or(VerdictCode::CONTINUE) {
        VerdictCode::DROP => Told::Word("drop"),
        VerdictCode::ACCEPT => Told::Word("accept"),
        VerdictCode::RETURN => Told::Word("return"),
        VerdictCode::CONTINUE => Told::Word("continue"),
        VerdictCode::BREAK => Told::Word("break"),
        VerdictCode::JUMP => Told::To("jump", chain()),
        VerdictCode::GOTO => Told::To("goto", chain()),
        VerdictCode(number) => Told::Number(number),
    })
}

/// A limit as the kernel tells it.
pub(super) fn limit(limit: Attributes<'_, Limit>) -> Read<LimitTold> {
    let (rate, unit, burst, kind, flags) =
        limit.read((Limit::RATE, Limit::UNIT, Limit::BURST, Limit::TYPE, Limit::FLAGS))?;
    Ok(LimitTold {
        rate: rate.unwrap_or(0),
        unit: unit.unwrap_or(0),
        burst: burst.unwrap_or(0),
        kind: kind.unwrap_or(LimitType::PKTS),
        flags: flags.unwrap_or_default(),
    })
}

/// What answers handshakes; which of its numbers count is in the flags.
pub(super) fn synproxy(mss: Option<u16>, scale: Option<u8>, flags: SynproxyFlags) -> Statement {
    let has = |flag: SynproxyFlags| flags.0 & flag.0 != 0;
    Statement::Synproxy {
        mss: mss.filter(|_| has(SynproxyFlags::MSS)),
        scale: scale.filter(|_| has(SynproxyFlags::WSCALE)),
        flags,
    }
}

/// The word for objects of a type.
pub(super) fn object_name(kind: ObjectType) -> &'static str {
    match kind {
        ObjectType::COUNTER => "counter",
        ObjectType::QUOTA => "quota",
        ObjectType::CT_HELPER => "ct helper",
        ObjectType::LIMIT => "limit",
        ObjectType::CONNLIMIT => "ct count",
        ObjectType::TUNNEL => "tunnel",
        ObjectType::CT_TIMEOUT => "ct timeout",
        ObjectType::SECMARK => "secmark",
        ObjectType::CT_EXPECT => "ct expectation",
        ObjectType::SYNPROXY => "synproxy",
        _ => "object",
    }
}

/// A set, or what is in it where it belongs to the rule.
fn reference(set: Option<&Set>, name: &str, left: &Node, shift: u32) -> Node {
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

/// A mask or the like, of the type of what it is for.
fn retyped(node: Node, like: &Node) -> Node {
    match node.kind {
        Kind::Value(_) => Node { ty: like.ty, order: like.order, ..node },
        _ => node,
    }
}

/// Bits with names: as a list, or each added to those before.
pub(super) fn flags(node: Node, list: bool) -> Node {
    let Some(number) = node.as_number() else { return node };
    if number.count_ones() <= 1 {
        return node;
    }
    let one = |bit: u32| Node { kind: Kind::Value(1 << bit), ..node.clone() };
    let bits = (0..128).filter(|bit| number >> bit & 1 != 0).map(one);
    if list {
        let kind = Kind::List(bits.collect());
        return Node { kind, ..node };
    }
    let like = node.clone();
    bits.reduce(|sum, bit| Node { kind: Kind::Binary(Operator::Or, Box::new([sum, bit])), ..like.clone() })
        .unwrap_or(node)
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

fn find_field(extension: &mut Extension) {
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

/// The type of what the kernel knows of a packet, its bits and their order.
pub(super) fn meta_type(key: MetaKey) -> (Type, u32, Order) {
    let ty = match key {
        MetaKey::PROTOCOL | MetaKey::BRI_IIFVPROTO => Type::ETHERTYPE,
        MetaKey::PRIORITY => Type::CLASS,
        MetaKey::MARK => Type::MARK,
        MetaKey::IIF | MetaKey::OIF | MetaKey::SDIF => Type::INTERFACE,
        MetaKey::IIFNAME
        | MetaKey::OIFNAME
        | MetaKey::BRI_IIFNAME
        | MetaKey::BRI_OIFNAME
        | MetaKey::IIFKIND
        | MetaKey::OIFKIND
        | MetaKey::SDIFNAME => Type::INTERFACE_NAME,
        MetaKey::IFTYPE | MetaKey::OIFTYPE => Type::HARDWARE_TYPE,
        MetaKey::SKUID => Type::UID,
        MetaKey::SKGID => Type::GID,
        MetaKey::RTCLASSID => Type::REALM,
        MetaKey::NFPROTO => Type::NFPROTO,
        MetaKey::L4PROTO => Type::PROTOCOL,
        MetaKey::PKTTYPE => Type::PACKET_TYPE,
        MetaKey::IIFGROUP | MetaKey::OIFGROUP => Type::GROUP,
        MetaKey::SECPATH => Type::BOOLEAN,
        MetaKey::TIME_NS => Type::DATE,
        MetaKey::TIME_DAY => Type::DAY,
        MetaKey::TIME_HOUR => Type::HOUR,
        MetaKey::BRI_IIFHWADDR => Type::ETHER,
        MetaKey::BRI_IIFPVID => return (Type::INTEGER, 16, Order::Host),
        MetaKey::PRANDOM => return (Type::INTEGER, 32, Order::Big),
        MetaKey::NFTRACE | MetaKey::BRI_BROUTE => return (Type::INTEGER, 8, Order::Host),
        _ => return (Type::INTEGER, 32, Order::Host),
    };
    (ty, ty.facts().bits, ty.facts().order)
}

/// The type of what a connection says, its bits and their order.
pub(super) fn ct_type(family: u8, key: CtKey) -> (Type, u32, Order) {
    use Order::{Big, Host};
    match key {
        CtKey::STATE => (Type::CT_STATE, 32, Host),
        CtKey::DIRECTION => (Type::CT_DIRECTION, 8, Host),
        CtKey::STATUS => (Type::CT_STATUS, 32, Host),
        CtKey::MARK => (Type::MARK, 32, Host),
        CtKey::EXPIRATION => (Type::TIME, 32, Host),
        CtKey::HELPER => (Type::STRING, 128, Host),
        CtKey::L3PROTOCOL => (Type::NFPROTO, 8, Host),
        CtKey::SRC | CtKey::DST if family == family::IPV6 => (Type::IPV6, 128, Big),
        CtKey::SRC | CtKey::DST if family == family::IPV4 => (Type::IPV4, 32, Big),
        CtKey::SRC_IP | CtKey::DST_IP => (Type::IPV4, 32, Big),
        CtKey::SRC_IP6 | CtKey::DST_IP6 => (Type::IPV6, 128, Big),
        CtKey::PROTOCOL => (Type::PROTOCOL, 8, Big),
        CtKey::PROTO_SRC | CtKey::PROTO_DST => (Type::SERVICE, 16, Big),
        CtKey::LABELS => (Type::CT_LABEL, 128, Host),
        CtKey::PKTS | CtKey::BYTES | CtKey::AVGPKT => (Type::INTEGER, 64, Host),
        CtKey::ZONE => (Type::INTEGER, 16, Host),
        CtKey::EVENTMASK => (Type::CT_EVENT, 32, Host),
        CtKey::ID => (Type::INTEGER, 32, Big),
        _ => (Type::INTEGER, 32, Host),
    }
}

#[cfg(test)]
mod tests {
    use ringlink::codec::netfilter::{Family, NetfilterHeader};
    use ringlink::codec::prelude::*;

    use super::super::json::Json;
    use super::super::print::Printer;
    use super::super::ruleset::Ruleset;
    use super::*;
    use crate::names::Names;

    /// The statements of a rule, in JSON.
    fn statements(fill: impl FnOnce(&mut RuleWriter<'_, '_, '_>)) -> serde_json::Value {
        let mut buffer = Buffer::<2048>::new();
        let message = buffer.message(Nft::NEWRULE.create(), NetfilterHeader::of(Family::INET), |rule| {
            rule.put(ringlink::codec::netfilter::nftables::Rule::TABLE, "t");
            rule.nest(ringlink::codec::netfilter::nftables::Rule::EXPRESSIONS, |list| {
                fill(&mut RuleWriter::new(list, Family::INET))
            });
        });
        let body = Message::parse(message.unwrap()).unwrap().body(Nft::NEWRULE).unwrap();
        let rule = Ruleset::default().rule(body.header, body.attributes).unwrap();
        let mut out = Json::default();
        let names = Names::default();
        out.list(|out| rule.statements.iter().for_each(|one| one.json(out, Printer { names: &names })));
        serde_json::from_slice(&out.bytes).unwrap()
    }

    #[test]
    fn what_is_not_known_is_shown_and_the_rest_too() {
        let read = statements(|rule| {
            rule.counter();
            rule.bare("novelty");
            // A comparison of a register that nothing was loaded into.
            rule.compare(Register::REG_3, CmpOp::EQ, &[1, 2]);
            // One that has too few bytes for a number.
            rule.expression("limit", Limit, |limit| limit.put_raw(Limit::RATE.number(), &[0, 1, 2]));
            rule.accept();
        });
        let rows = read.as_array().unwrap();
        assert_eq!(rows[0], serde_json::json!({ "counter": { "packets": 0, "bytes": 0 } }));
        assert_eq!(rows[1], serde_json::json!({ "unknown": { "name": "novelty", "bytes": "0x" } }));
        assert_eq!(rows[2]["unknown"]["name"], "cmp");
        assert_eq!(rows[3]["unknown"]["name"], "limit");
        assert!(rows[3]["unknown"]["error"].as_str().unwrap().contains("NFTA_LIMIT_RATE"), "{read}");
        assert_eq!(rows[4], serde_json::json!({ "accept": null }));
    }
}
