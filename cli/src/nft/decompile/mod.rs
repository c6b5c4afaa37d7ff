//! A rule's expressions, which work on registers, made into statements again, as `nft` does it
//! (src/netlink_delinearize.c and src/payload.c of nftables).
//!
//! What `nft` adds by itself when a rule is made (that `tcp dport` asks for TCP first) is taken out again where
//! what follows says it too. Where `nft` leaves it in, so does this, so that a rule reads the same in both.

mod act;
mod compare;
mod headers;
mod load;

use ringlink::codec::Error;
use ringlink::codec::netfilter::nftables::*;
use ringlink::codec::table::{Attributes, Text};

use super::expression::{Kind, Node, Operator, Verdict as Told};
use super::protocol::{self, Header};
use super::set::Sets;
use super::statement::{Limit as LimitTold, Statement};
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
