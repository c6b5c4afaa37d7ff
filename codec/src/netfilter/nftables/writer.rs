//! A rule's expressions, written as nft(8) writes them.

use core::net::IpAddr;
use core::ops::RangeInclusive;

use super::{
    Bitwise, BitwiseOp, Byteorder, ByteorderOp, Cmp, CmpOp, Counter, Ct, CtDirection, CtKey, CtState, Data, Dynset,
    DynsetOp, Expression, ExpressionData, ExpressionList, Immediate, Limit, LimitFlags, LimitType, Log, LogFlags,
    LogLevel, Lookup, LookupFlags, Masq, Meta, MetaKey, Nat, NatFlags, NatType, ObjectType, Objref, Payload,
    PayloadBase, PayloadChecksum, PayloadChecksumFlags, Quota, QuotaFlags, Range, RangeOp, Redir, Register, Reject,
    RejectInetCode, RejectType, Verdict, VerdictCode,
};
use crate::netfilter::Family;
use crate::table::{Alternative, AttributeWriter, Be, Key, Nest, Table};

/// Writes the expressions of a rule, in order, as nft(8) would for the same words.
///
/// It knows the family of the rule's table, and what the rule has asked for so far: where [`source`](Self::source) or
/// [`port`](Self::port) need a network or transport protocol that is not certain yet, that is asked for first. Every other
/// expression is written by [`expression`](Self::expression). Nothing here fails: the first error stays with the writer.
///
/// Unlike nft it does not join comparisons of neighbouring fields into one.
///
/// ```
/// use ringlink_codec::netfilter::nftables::{CmpOp, CtState, Nft, Port, Rule, RuleView, RuleWriter};
/// use ringlink_codec::netfilter::{Family, NetfilterHeader};
/// use ringlink_codec::prelude::*;
///
/// let mut buffer = Buffer::<1024>::new();
/// let bytes = buffer.message(Nft::NEWRULE.create().append(), NetfilterHeader::of(Family::INET), |rule| {
///     rule.put(Rule::TABLE, "filter");
///     rule.put(Rule::CHAIN, "input");
///     // ip saddr 10.0.0.0/8 tcp dport 22 ct state new counter accept
///     rule.nest(Rule::EXPRESSIONS, |list| {
///         let mut rule = RuleWriter::new(list, Family::INET);
///         rule.source(CmpOp::EQ, "10.0.0.0".parse().unwrap(), 8);
///         rule.port(CmpOp::EQ, Port::Destination, 6, 22..=22);
///         rule.ct_state(CmpOp::EQ, CtState::NEW);
///         rule.counter();
///         rule.accept();
///     });
/// })?;
/// let rule = RuleView::read(Message::parse(bytes)?.body(Nft::NEWRULE)?)?;
/// let names: Result<Vec<_>, Error> = rule.expressions().map(|one| Ok(one?.name().to_string())).collect();
/// assert_eq!(names?.join(" "), "meta cmp payload cmp meta cmp payload cmp ct bitwise cmp counter immediate");
/// # Ok::<(), ringlink_codec::Error>(())
/// ```
#[derive(Debug)]
pub struct RuleWriter<'l, 'w, 'b> {
    list: &'l mut AttributeWriter<'w, 'b, ExpressionList>,
    family: Family,
    /// The packet's network protocol, where the rule has asked for it.
    network: Option<Family>,
    /// The packet's transport protocol, where the rule has asked for it.
    transport: Option<u8>,
}

/// Which port of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Port {
    /// That of who sent it.
    Source,
    /// That of whom it is for.
    Destination,
}

/// A rate, for [`RuleWriter::limit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Packets or bytes.
    pub rate: u64,
    /// In so many seconds.
    pub seconds: u64,
    /// Packets or bytes more than that; nft's own is 5 for packets.
    pub burst: u32,
    /// What is counted.
    pub kind: LimitType,
    /// Whether the rule goes on with packets above the rate, instead of those below.
    pub over: bool,
}

/// What is written with a packet, for [`RuleWriter::log`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogEntry<'a> {
    /// What stands before it, up to 127 bytes.
    pub prefix: Option<&'a str>,
    /// How urgent it is.
    pub level: Option<LogLevel>,
    /// What is told.
    pub flags: LogFlags,
    /// The group of programs that it goes to instead.
    pub group: Option<u16>,
    /// How many bytes of the packet these get.
    pub snaplen: Option<u32>,
    /// How many packets are told together.
    pub threshold: Option<u16>,
}

/// Where to, for [`RuleWriter::nat`] and its kin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NatTarget {
    /// Addresses, both of one family.
    pub addresses: Option<RangeInclusive<IpAddr>>,
    /// Ports.
    pub ports: Option<RangeInclusive<u16>>,
    /// How they are chosen; that there are ports is added.
    pub flags: NatFlags,
}

/// The EtherTypes of the network protocols, big-endian.
const IPV4_TYPE: [u8; 2] = [0x08, 0x00];
const IPV6_TYPE: [u8; 2] = [0x86, 0xdd];

impl<'l, 'w, 'b> RuleWriter<'l, 'w, 'b> {
    /// Writes into this list, of a rule in a table of this family.
    pub fn new(list: &'l mut AttributeWriter<'w, 'b, ExpressionList>, family: Family) -> Self {
        let network = matches!(family, Family::IPV4 | Family::IPV6).then_some(family);
        Self { list, family, network, transport: None }
    }

    /// Writes an expression by its name; the closure writes what goes with it.
    pub fn expression<T: Table>(&mut self, name: &str, data: T, fill: impl FnOnce(&mut AttributeWriter<'_, 'b, T>))
    where
        Nest<T>: Alternative<ExpressionData>,
    {
        self.list.nest(ExpressionList::ELEM, |expression| {
            expression.put(Expression::NAME, name);
            expression.choose(Expression::DATA, data, fill);
        });
    }

    /// Writes an expression that is a name and nothing else (`notrack`).
    pub fn bare(&mut self, name: &str) {
        self.list.nest(ExpressionList::ELEM, |expression| expression.put(Expression::NAME, name));
    }

    // Values and registers.

    /// A value into a register.
    pub fn immediate(&mut self, register: Register, value: &[u8]) {
        self.expression("immediate", Immediate, |immediate| {
            immediate.put(Immediate::DREG, register);
            immediate.nest(Immediate::DATA, |data| data.put(Data::VALUE, value));
        });
    }

    /// Whether a register holds what it should.
    pub fn compare(&mut self, register: Register, op: CmpOp, value: &[u8]) {
        self.expression("cmp", Cmp, |cmp| {
            cmp.put(Cmp::SREG, register);
            cmp.put(Cmp::OP, op);
            cmp.nest(Cmp::DATA, |data| data.put(Data::VALUE, value));
        });
    }

    /// Whether a register lies between two values of the same length, both included, as big-endian numbers.
    ///
    /// [`CmpOp::NEQ`] asks whether it does not; everything else whether it does.
    pub fn compare_range(&mut self, register: Register, op: CmpOp, from: &[u8], to: &[u8]) {
        match (op, from == to) {
            (op, true) => self.compare(register, op, from),
            (CmpOp::NEQ, false) => self.expression("range", Range, |range| {
                range.put(Range::SREG, register);
                range.put(Range::OP, RangeOp::NEQ);
                range.nest(Range::FROM_DATA, |data| data.put(Data::VALUE, from));
                range.nest(Range::TO_DATA, |data| data.put(Data::VALUE, to));
            }),
            (_, false) => {
                self.compare(register, CmpOp::GTE, from);
                self.compare(register, CmpOp::LTE, to);
            }
        }
    }

    /// Changes a register: `(register & mask) ^ xor`; both are of the length that is changed.
    pub fn mask(&mut self, register: Register, mask: &[u8], xor: &[u8]) {
        let length = u32::try_from(mask.len()).unwrap_or(u32::MAX);
        self.expression("bitwise", Bitwise, |bitwise| {
            bitwise.put(Bitwise::SREG, register);
            bitwise.put(Bitwise::DREG, register);
            bitwise.put(Bitwise::LEN, length);
            bitwise.put(Bitwise::OP, BitwiseOp::MASK_XOR);
            bitwise.nest(Bitwise::MASK, |data| data.put(Data::VALUE, mask));
            bitwise.nest(Bitwise::XOR, |data| data.put(Data::VALUE, xor));
        });
    }

    /// Turns the bytes of a register round, which holds one number of `size` bytes.
    pub fn byteorder(&mut self, register: Register, op: ByteorderOp, size: u32) {
        self.expression("byteorder", Byteorder, |byteorder| {
            byteorder.put(Byteorder::SREG, register);
            byteorder.put(Byteorder::DREG, register);
            byteorder.put(Byteorder::OP, op);
            byteorder.put(Byteorder::LEN, size);
            byteorder.put(Byteorder::SIZE, size);
        });
    }

    /// Whether a set has what stands in a register; [`CmpOp::NEQ`] asks whether it has not.
    pub fn lookup(&mut self, register: Register, op: CmpOp, set: SetName<'_>) {
        self.expression("lookup", Lookup, |lookup| {
            lookup.put(Lookup::SET, set.name);
            lookup.put(Lookup::SREG, register);
            lookup.put_some(Lookup::SET_ID, set.id);
            if op == CmpOp::NEQ {
                lookup.put(Lookup::FLAGS, LookupFlags::INV);
            }
        });
    }

    /// What a map leads a register to, into another one; [`Register::REG_VERDICT`] for a map of verdicts.
    pub fn map(&mut self, register: Register, map: SetName<'_>, to: Register) {
        self.expression("lookup", Lookup, |lookup| {
            lookup.put(Lookup::SET, map.name);
            lookup.put(Lookup::SREG, register);
            lookup.put(Lookup::DREG, to);
            lookup.put_some(Lookup::SET_ID, map.id);
        });
    }

    /// What stands in a register into a set.
    ///
    /// `timeout` is in milliseconds. For elements that do something, write [`Dynset`] by [`expression`](Self::expression).
    pub fn update_set(&mut self, op: DynsetOp, set: SetName<'_>, register: Register, timeout: Option<u64>) {
        self.expression("dynset", Dynset, |dynset| {
            dynset.put(Dynset::SET_NAME, set.name);
            dynset.put_some(Dynset::SET_ID, set.id);
            dynset.put(Dynset::OP, op);
            dynset.put(Dynset::SREG_KEY, register);
            dynset.put_some(Dynset::TIMEOUT, timeout);
        });
    }

    // The packet.

    /// Bytes of the packet into a register.
    pub fn payload(&mut self, base: PayloadBase, offset: u32, length: u32, register: Register) {
        self.expression("payload", Payload, |payload| {
            payload.put(Payload::DREG, register);
            payload.put(Payload::BASE, base);
            payload.put(Payload::OFFSET, offset);
            payload.put(Payload::LEN, length);
        });
    }

    /// Bytes of a register into the packet; `checksum` is where in the same header the one stands that is set right.
    pub fn write_payload(
        &mut self,
        base: PayloadBase,
        offset: u32,
        length: u32,
        register: Register,
        checksum: Option<(u32, PayloadChecksumFlags)>,
    ) {
        self.expression("payload", Payload, |payload| {
            payload.put(Payload::SREG, register);
            payload.put(Payload::BASE, base);
            payload.put(Payload::OFFSET, offset);
            payload.put(Payload::LEN, length);
            if let Some((at, flags)) = checksum {
                payload.put(Payload::CSUM_TYPE, PayloadChecksum::INET);
                payload.put(Payload::CSUM_OFFSET, at);
                payload.put(Payload::CSUM_FLAGS, flags);
            }
        });
    }

    /// Asks for a network protocol, [`Family::IPV4`] or [`Family::IPV6`], where it is not certain.
    pub fn network(&mut self, network: Family) {
        if self.network == Some(network) {
            return;
        }
        self.network = Some(network);
        match self.family {
            Family::INET => self.meta_is(MetaKey::NFPROTO, CmpOp::EQ, &[network.0]),
            _ if network == Family::IPV6 => self.meta_is(MetaKey::PROTOCOL, CmpOp::EQ, &IPV6_TYPE),
            _ => self.meta_is(MetaKey::PROTOCOL, CmpOp::EQ, &IPV4_TYPE),
        }
    }

    /// Asks for a transport protocol by its number (`IPPROTO_*`), where it is not certain.
    pub fn transport(&mut self, protocol: u8) {
        if self.transport != Some(protocol) {
            self.transport = Some(protocol);
            self.meta_is(MetaKey::L4PROTO, CmpOp::EQ, &[protocol]);
        }
    }

    /// Whether the packet comes from a network: an address and how many of its bits count; 0 stands for all of the family.
    pub fn source(&mut self, op: CmpOp, address: IpAddr, prefix: u8) {
        self.address(op, address, prefix, [12, 8]);
    }

    /// Whether the packet goes to a network.
    pub fn destination(&mut self, op: CmpOp, address: IpAddr, prefix: u8) {
        self.address(op, address, prefix, [16, 24]);
    }

    fn address(&mut self, op: CmpOp, address: IpAddr, prefix: u8, offsets: [u32; 2]) {
        let [ipv4, ipv6] = offsets;
        match address {
            IpAddr::V4(address) => {
                self.network(Family::IPV4);
                self.prefixed(op, ipv4, &mut address.octets(), prefix);
            }
            IpAddr::V6(address) => {
                self.network(Family::IPV6);
                self.prefixed(op, ipv6, &mut address.octets(), prefix);
            }
        }
    }

    /// Whole bytes are loaded and compared; where a prefix ends within a byte, the whole address is loaded and masked.
    fn prefixed(&mut self, op: CmpOp, offset: u32, address: &mut [u8], prefix: u8) {
        let mut mask = [0_u8; 16];
        let mask = mask.get_mut(..address.len()).unwrap_or_default();
        let mut bits = prefix;
        for byte in mask.iter_mut() {
            *byte = u8::MAX.checked_shl(8_u32.saturating_sub(u32::from(bits.min(8)))).unwrap_or(0);
            bits = bits.saturating_sub(8);
        }
        address.iter_mut().zip(mask.iter()).for_each(|(byte, mask)| *byte &= mask);
        let whole = address.len();
        let bytes = usize::from(prefix.div_ceil(8)).min(whole);
        let within = prefix.checked_rem(8) != Some(0) && bytes.saturating_mul(8) > usize::from(prefix);
        let loaded = if within { whole } else { bytes };
        if loaded == 0 {
            return;
        }
        let length = u32::try_from(loaded).unwrap_or(u32::MAX);
        self.payload(PayloadBase::NETWORK_HEADER, offset, length, Register::REG_1);
        if within {
            let zeros = [0; 16];
            self.mask(Register::REG_1, mask, zeros.get(..whole).unwrap_or_default());
        }
        self.compare(Register::REG_1, op, address.get(..loaded).unwrap_or_default());
    }

    /// Whether a port of the packet is one of these, of a transport protocol that has ports: 6 for TCP, 17 for UDP.
    pub fn port(&mut self, op: CmpOp, which: Port, protocol: u8, ports: RangeInclusive<u16>) {
        self.load_port(which, protocol, Register::REG_1);
        self.compare_range(Register::REG_1, op, &ports.start().to_be_bytes(), &ports.end().to_be_bytes());
    }

    /// A port into a register.
    pub fn load_port(&mut self, which: Port, protocol: u8, register: Register) {
        self.transport(protocol);
        let offset = if which == Port::Source { 0 } else { 2 };
        self.payload(PayloadBase::TRANSPORT_HEADER, offset, 2, register);
    }

    /// The address that the packet comes from or goes to into a register, of one family.
    pub fn load_address(&mut self, which: Port, family: Family, register: Register) {
        self.network(family);
        let (offset, length) = match (family, which) {
            (Family::IPV6, Port::Source) => (8, 16),
            (Family::IPV6, Port::Destination) => (24, 16),
            (_, Port::Source) => (12, 4),
            (_, Port::Destination) => (16, 4),
        };
        self.payload(PayloadBase::NETWORK_HEADER, offset, length, register);
    }

    /// Whether a packet is of this kind of ICMP, or of ICMPv6.
    pub fn icmp(&mut self, op: CmpOp, network: Family, kind: u8) {
        self.network(network);
        self.transport(if network == Family::IPV6 { 58 } else { 1 });
        self.payload(PayloadBase::TRANSPORT_HEADER, 0, 1, Register::REG_1);
        self.compare(Register::REG_1, op, &[kind]);
    }

    // What the kernel knows of it.

    /// What the kernel knows of the packet into a register.
    pub fn meta(&mut self, key: MetaKey, register: Register) {
        self.expression("meta", Meta, |meta| {
            meta.put(Meta::KEY, key);
            meta.put(Meta::DREG, register);
        });
    }

    /// A register into what the kernel knows of the packet.
    pub fn set_meta(&mut self, key: MetaKey, register: Register) {
        self.expression("meta", Meta, |meta| {
            meta.put(Meta::KEY, key);
            meta.put(Meta::SREG, register);
        });
    }

    /// Whether what the kernel knows of the packet is this, in the length and byte order of the key.
    pub fn meta_is(&mut self, key: MetaKey, op: CmpOp, value: &[u8]) {
        self.meta(key, Register::REG_1);
        self.compare(Register::REG_1, op, value);
    }

    /// Whether the packet came from an interface by name; a name that ends in `*` stands for all that begin like it.
    pub fn input_name(&mut self, op: CmpOp, name: &str) {
        self.interface_name(MetaKey::IIFNAME, op, name);
    }

    /// Whether the packet goes to an interface by name; a name that ends in `*` stands for all that begin like it.
    pub fn output_name(&mut self, op: CmpOp, name: &str) {
        self.interface_name(MetaKey::OIFNAME, op, name);
    }

    fn interface_name(&mut self, key: MetaKey, op: CmpOp, name: &str) {
        self.meta(key, Register::REG_1);
        match name.strip_suffix('*') {
            Some(beginning) => self.compare(Register::REG_1, op, beginning.as_bytes()),
            None => {
                let mut bytes = [0; 16];
                bytes.iter_mut().zip(name.bytes()).for_each(|(to, from)| *to = from);
                self.compare(Register::REG_1, op, &bytes);
            }
        }
    }

    /// Whether the packet has this mark.
    pub fn mark(&mut self, op: CmpOp, mark: u32) {
        self.meta_is(MetaKey::MARK, op, &mark.to_ne_bytes());
    }

    /// Gives the packet a mark.
    pub fn set_mark(&mut self, mark: u32) {
        self.immediate(Register::REG_1, &mark.to_ne_bytes());
        self.set_meta(MetaKey::MARK, Register::REG_1);
    }

    /// What the connection says into a register.
    pub fn ct(&mut self, key: CtKey, direction: Option<CtDirection>, register: Register) {
        self.expression("ct", Ct, |ct| {
            ct.put(Ct::KEY, key);
            ct.put(Ct::DREG, register);
            ct.put_some(Ct::DIRECTION, direction);
        });
    }

    /// A register into what the connection says.
    pub fn set_ct(&mut self, key: CtKey, direction: Option<CtDirection>, register: Register) {
        self.expression("ct", Ct, |ct| {
            ct.put(Ct::KEY, key);
            ct.put_some(Ct::DIRECTION, direction);
            ct.put(Ct::SREG, register);
        });
    }

    /// Whether the packet's connection is in one of these states; [`CmpOp::NEQ`] asks whether it is in none.
    pub fn ct_state(&mut self, op: CmpOp, states: CtState) {
        self.ct(CtKey::STATE, None, Register::REG_1);
        self.mask(Register::REG_1, &states.0.to_ne_bytes(), &[0; 4]);
        let op = if op == CmpOp::NEQ { CmpOp::EQ } else { CmpOp::NEQ };
        self.compare(Register::REG_1, op, &[0; 4]);
    }

    // Counting and telling.

    /// Counts packets and bytes.
    pub fn counter(&mut self) {
        self.expression("counter", Counter, |counter| {
            counter.put(Counter::BYTES, 0);
            counter.put(Counter::PACKETS, 0);
        });
    }

    /// Goes on only up to a rate, or above it.
    pub fn limit(&mut self, rate: Rate) {
        let Rate { rate, seconds, burst, kind, over } = rate;
        self.expression("limit", Limit, |limit| {
            limit.put(Limit::RATE, rate);
            limit.put(Limit::UNIT, seconds);
            limit.put(Limit::BURST, burst);
            limit.put(Limit::TYPE, kind);
            limit.put(Limit::FLAGS, if over { LimitFlags::INV } else { LimitFlags(0) });
        });
    }

    /// Goes on until so many bytes came, or from then on.
    pub fn quota(&mut self, bytes: u64, over: bool) {
        self.expression("quota", Quota, |quota| {
            quota.put(Quota::BYTES, bytes);
            quota.put(Quota::FLAGS, if over { QuotaFlags::INV } else { QuotaFlags(0) });
        });
    }

    /// Tells of the packet.
    pub fn log(&mut self, entry: LogEntry<'_>) {
        let LogEntry { prefix, level, flags, group, snaplen, threshold } = entry;
        self.expression("log", Log, |log| {
            log.put_some(Log::GROUP, group);
            log.put_some(Log::PREFIX, prefix);
            log.put_some(Log::SNAPLEN, snaplen);
            log.put_some(Log::QTHRESHOLD, threshold);
            log.put_some(Log::LEVEL, level);
            if flags != LogFlags(0) {
                log.put(Log::FLAGS, flags);
            }
        });
    }

    /// Uses an object by its name.
    pub fn object(&mut self, kind: ObjectType, name: &str) {
        self.expression("objref", Objref, |object| {
            object.put(Objref::IMM_TYPE, kind);
            object.put(Objref::IMM_NAME, name);
        });
    }

    /// Uses the object that a map leads a register to.
    pub fn object_by(&mut self, register: Register, map: SetName<'_>) {
        self.expression("objref", Objref, |object| {
            object.put(Objref::SET_SREG, register);
            object.put(Objref::SET_NAME, map.name);
            object.put_some(Objref::SET_ID, map.id);
        });
    }

    // What becomes of it.

    /// Lets the packet pass.
    pub fn accept(&mut self) {
        self.verdict(VerdictCode::ACCEPT, None);
    }

    /// Throws the packet away.
    #[allow(clippy::should_implement_trait, reason = "nft's own word")]
    pub fn drop(&mut self) {
        self.verdict(VerdictCode::DROP, None);
    }

    /// Goes on in another chain, and comes back.
    pub fn jump(&mut self, chain: &str) {
        self.verdict(VerdictCode::JUMP, Some(chain));
    }

    /// Goes on in another chain, not to come back.
    pub fn goto(&mut self, chain: &str) {
        self.verdict(VerdictCode::GOTO, Some(chain));
    }

    /// A verdict, and the chain that a jump leads to.
    pub fn verdict(&mut self, code: VerdictCode, chain: Option<&str>) {
        self.expression("immediate", Immediate, |immediate| {
            immediate.put(Immediate::DREG, Register::REG_VERDICT);
            immediate.nest(Immediate::DATA, |data| {
                data.nest(Data::VERDICT, |verdict| {
                    verdict.put(Verdict::CODE, code);
                    verdict.put_some(Verdict::CHAIN, chain);
                });
            });
        });
    }

    /// Throws the packet away and tells its sender, by ICMP or ICMPv6 as it is.
    pub fn reject(&mut self, code: RejectInetCode) {
        self.reject_with(RejectType::ICMPX_UNREACH, code.0);
    }

    /// Throws the packet away and tells its sender; the code is ICMP's, ICMPv6's or nothing, by the type.
    pub fn reject_with(&mut self, kind: RejectType, code: u8) {
        if kind == RejectType::TCP_RST {
            self.transport(6);
        }
        self.expression("reject", Reject, |reject| {
            reject.put(Reject::TYPE, kind);
            reject.put(Reject::ICMP_CODE, code);
        });
    }

    /// Gives the packet another source or destination. `family` is the addresses', for a target without any.
    pub fn nat(&mut self, kind: NatType, family: Family, target: &NatTarget) {
        let (addresses, ports) = self.load_target(target);
        let family = match target.addresses.as_ref().map(RangeInclusive::start) {
            Some(IpAddr::V4(_)) => Family::IPV4,
            Some(IpAddr::V6(_)) => Family::IPV6,
            None => family,
        };
        self.expression("nat", Nat, |nat| {
            nat.put(Nat::TYPE, kind);
            nat.put(Nat::FAMILY, u32::from(family.0));
            nat.put_some(Nat::REG_ADDR_MIN, addresses.first);
            nat.put_some(Nat::REG_ADDR_MAX, addresses.last);
            nat.put_some(Nat::REG_PROTO_MIN, ports.first);
            nat.put_some(Nat::REG_PROTO_MAX, ports.last);
            put_flags(nat, Nat::FLAGS, target);
        });
    }

    /// Gives the packet another source or destination: the address in a register, which a [`map`](Self::map) has led to.
    ///
    /// `family` is the address's.
    pub fn nat_by(&mut self, kind: NatType, family: Family, address: Register, flags: NatFlags) {
        self.expression("nat", Nat, |nat| {
            nat.put(Nat::TYPE, kind);
            nat.put(Nat::FAMILY, u32::from(family.0));
            nat.put(Nat::REG_ADDR_MIN, address);
            put_flags(nat, Nat::FLAGS, &NatTarget { flags, ..NatTarget::default() });
        });
    }

    /// Gives the packet the address of the interface that it goes to; of the target, ports and flags count.
    pub fn masquerade(&mut self, target: &NatTarget) {
        let (_, ports) = self.load_target(&NatTarget { addresses: None, ..target.clone() });
        self.expression("masq", Masq, |masq| {
            put_flags(masq, Masq::FLAGS, target);
            masq.put_some(Masq::REG_PROTO_MIN, ports.first);
            masq.put_some(Masq::REG_PROTO_MAX, ports.last);
        });
    }

    /// Has the packet come to this machine; of the target, ports and flags count.
    pub fn redirect(&mut self, target: &NatTarget) {
        let (_, ports) = self.load_target(&NatTarget { addresses: None, ..target.clone() });
        self.expression("redir", Redir, |redir| {
            redir.put_some(Redir::REG_PROTO_MIN, ports.first);
            redir.put_some(Redir::REG_PROTO_MAX, ports.last);
            put_flags(redir, Redir::FLAGS, target);
        });
    }

    fn load_target(&mut self, target: &NatTarget) -> (Loaded, Loaded) {
        let mut registers = [Register::REG_1, Register::REG_2, Register::REG_3, Register::REG_4].into_iter();
        let mut load = |value: &[u8]| {
            let register = registers.next();
            if let Some(register) = register {
                self.immediate(register, value);
            }
            register
        };
        let mut address = |address: &IpAddr| match address {
            IpAddr::V4(address) => load(&address.octets()),
            IpAddr::V6(address) => load(&address.octets()),
        };
        let mut addresses = Loaded::default();
        if let Some(range) = &target.addresses {
            addresses.first = address(range.start());
            addresses.last = if range.start() == range.end() { None } else { address(range.end()) };
        }
        let mut ports = Loaded::default();
        if let Some(range) = &target.ports {
            ports.first = load(&range.start().to_be_bytes());
            ports.last = if range.start() == range.end() { None } else { load(&range.end().to_be_bytes()) };
        }
        (addresses, ports)
    }
}

/// A set or map, by its name; one of the same transaction by its number there, too, which an anonymous one needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetName<'a> {
    /// Its name; of an anonymous one the pattern that it was made with.
    pub name: &'a str,
    /// Its number within the transaction.
    pub id: Option<u32>,
}

impl<'a> From<&'a str> for SetName<'a> {
    fn from(name: &'a str) -> Self {
        Self { name, id: None }
    }
}

/// The registers that hold the two ends of a range.
#[derive(Clone, Copy, Default)]
struct Loaded {
    first: Option<Register>,
    last: Option<Register>,
}

fn put_flags<S>(writer: &mut AttributeWriter<'_, '_, S>, key: Key<S, Be<NatFlags>>, target: &NatTarget) {
    let specified = if target.ports.is_some() { NatFlags::PROTO_SPECIFIED } else { NatFlags(0) };
    let flags = target.flags | specified;
    if flags != NatFlags(0) {
        writer.put(key, flags);
    }
}
