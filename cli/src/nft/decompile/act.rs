//! What a rule does.

use ringlink::codec::netfilter::nftables::*;
use ringlink::codec::table::Attributes;

use super::compare::reference;
use super::{NETWORK, Read, Rule, TRANSPORT, family, object_name};
use crate::nft::expression::{Element, Kind, Node};
use crate::nft::set::{self, Set};
use crate::nft::statement::{Log as LogTold, Nat as NatTold, Statement, Update};
use crate::nft::types::{Order, Type};

impl Rule<'_> {
    pub(super) fn log(&mut self, log: Attributes<'_, Log>) -> Read<bool> {
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

    pub(super) fn reject(&mut self, reject: Attributes<'_, Reject>) -> Read<bool> {
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

    pub(super) fn nat(&mut self, nat: Attributes<'_, Nat>) -> Read<bool> {
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
                Some(end) if prefix => Some(set::interval(address, end)),
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

    pub(super) fn here(
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

    pub(super) fn tproxy(&mut self, tproxy: Attributes<'_, Tproxy>) -> Read<bool> {
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

    pub(super) fn queue(&mut self, queue: Attributes<'_, Queue>) -> Read<bool> {
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

    pub(super) fn dup(&mut self, dup: Attributes<'_, Dup>) -> Read<bool> {
        let (address, device) = dup.read((Dup::SREG_ADDR, Dup::SREG_DEV))?;
        let ty = if self.family == family::IPV6 { Type::IPV6 } else { Type::IPV4 };
        let address = self.load(address).map(|address| address.typed(ty, Order::Big));
        let device = self.load(device).map(|device| device.typed(Type::INTERFACE, Order::Host));
        self.push(Statement::Duplicate { address, device });
        Ok(true)
    }

    pub(super) fn fwd(&mut self, fwd: Attributes<'_, Fwd>) -> Read<bool> {
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

    pub(super) fn objref(&mut self, objref: Attributes<'_, Objref>) -> Read<bool> {
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

    pub(super) fn dynset(&mut self, dynset: Attributes<'_, Dynset>) -> Read<bool> {
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
            statements: set::statements(self.family, self.table, expression, expressions, true),
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
