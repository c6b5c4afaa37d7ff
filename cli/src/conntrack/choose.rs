//! Which connections are meant: what of it the kernel chooses, and the whole of it, checked against what comes back.

use ringlink::codec::netfilter::Family;
use ringlink::codec::netfilter::conntrack::{
    ConnectionView, Cta, Endpoints, ExpectationView, Filter, FilterFlags, NatTarget, Protocol, ProtocolView, Status,
};
use ringlink::codec::table::AttributeWriter;

use super::labels;
use super::words::{Half, State, Wanted};

/// Status bits that a connection of which nothing is known has not.
const SETTLED: Status = Status(Status::SEEN_REPLY.0 | Status::ASSURED.0);

impl Wanted {
    /// The families to ask for, one after the other: parts of tuples are chosen for one family at a time.
    pub(super) fn families(&self) -> &'static [Family] {
        let parts = self.parts();
        match self.family {
            Family::IPV4 => &[Family::IPV4],
            Family::IPV6 => &[Family::IPV6],
            _ if parts.iter().any(|flags| flags.0 != 0) => &[Family::IPV4, Family::IPV6],
            _ => &[Family::UNSPEC],
        }
    }

    /// Writes what the kernel chooses. Kernels that do not know some of it pass over it, so that more comes back than was
    /// asked for, never less.
    pub(super) fn ask(&self, question: &mut AttributeWriter<'_, '_, Cta>) {
        let [original, reply] = self.parts();
        if original.0 | reply.0 != 0 {
            if original.0 != 0 {
                question.nest(Cta::TUPLE_ORIG, |tuple| self.original_tuple().write(tuple));
            }
            if reply.0 != 0 {
                question.nest(Cta::TUPLE_REPLY, |tuple| self.reply.tuple(self.protocol).write(tuple));
            }
            question.nest(Cta::FILTER, |filter| {
                filter.put(Filter::ORIG_FLAGS, original);
                filter.put(Filter::REPLY_FLAGS, reply);
            });
        }
        if let Some((mark, mask)) = self.mark {
            question.put(Cta::MARK, mark);
            question.put_some(Cta::MARK_MASK, mask);
        }
        if let Some(status) = self.status {
            question.put(Cta::STATUS, status);
            question.put(Cta::STATUS_MASK, if status.0 == 0 { SETTLED } else { status });
        }
        // The kernel takes zone 0 for no zone.
        question.put_some(Cta::ZONE, self.zone.filter(|zone| *zone != 0));
    }

    /// The parts of both tuples that the kernel can choose by.
    fn parts(&self) -> [FilterFlags; 2] {
        let mut both = [self.original, self.reply].map(|half| self.parts_of(half));
        let icmp = [
            (self.icmp_type.is_some(), FilterFlags::PROTO_ICMP_TYPE, FilterFlags::PROTO_ICMPV6_TYPE),
            (self.icmp_code.is_some(), FilterFlags::PROTO_ICMP_CODE, FilterFlags::PROTO_ICMPV6_CODE),
            (self.icmp_id.is_some(), FilterFlags::PROTO_ICMP_ID, FilterFlags::PROTO_ICMPV6_ID),
        ];
        for (_, four, six) in icmp.into_iter().filter(|(given, ..)| *given) {
            both[0] = both[0] | if self.protocol == Some(Protocol::ICMPV6) { six } else { four };
        }
        both[0] = both[0] | if self.protocol.is_some() { FilterFlags::PROTO_NUM } else { FilterFlags::default() };
        both
    }

    fn parts_of(&self, half: Half) -> FilterFlags {
        let mut flags = FilterFlags::default();
        let mut add = |given: bool, flag: FilterFlags| {
            if given {
                flags = flags | flag;
            }
        };
        // Kernels that choose by addresses of IPv6 leave out those that were asked for: they compare the wrong way round.
        let host = |network: Option<super::words::Network>| {
            network.and_then(|network| network.host()).is_some_and(|address| address.is_ipv4())
        };
        add(host(half.source), FilterFlags::IP_SRC);
        add(host(half.destination), FilterFlags::IP_DST);
        if matches!(self.protocol, Some(Protocol::TCP | Protocol::UDP)) {
            add(half.source_port.is_some(), FilterFlags::PROTO_SRC_PORT);
            add(half.destination_port.is_some(), FilterFlags::PROTO_DST_PORT);
        }
        // Ports are those of a protocol, which each tuple says.
        if flags.intersects(FilterFlags::PROTO_SRC_PORT | FilterFlags::PROTO_DST_PORT) {
            flags = flags | FilterFlags::PROTO_NUM;
        }
        flags
    }

    /// Whether anything is asked for.
    pub(super) fn is_choosy(&self) -> bool {
        let half = |half: &Half| {
            half.source.is_some()
                || half.destination.is_some()
                || half.source_port.is_some()
                || half.destination_port.is_some()
                || half.zone.is_some()
        };
        self.family != Family::UNSPEC
            || half(&self.original)
            || half(&self.reply)
            || half(&self.expected)
            || self.protocol.is_some()
            || self.state.is_some()
            || self.mark.is_some()
            || self.status.is_some()
            || self.zone.is_some()
            || self.source_nat.is_some()
            || self.destination_nat.is_some()
            || self.any_nat
            || !self.labels.is_empty()
            || self.helper.is_some()
            || self.id.is_some()
    }

    /// Whether a connection is one that is asked for.
    pub(super) fn matches(&self, view: &ConnectionView<'_>) -> bool {
        (self.family == Family::UNSPEC || self.family == view.header.nfgen_family)
            && self.protocol.is_none_or(|protocol| view.protocol_number() == Some(protocol))
            && self.original.matches(&view.original)
            && self.reply.matches(&view.reply)
            && self.matches_icmp(&view.original)
            && self.matches_protocol(view.protocol.as_ref())
            && self.mark.is_none_or(|(mark, mask)| view.mark.unwrap_or(0) & mask.unwrap_or(u32::MAX) == mark)
            && self.matches_status(view)
            && self.zone.is_none_or(|zone| view.zone.unwrap_or(0) == zone)
            && self.labels.iter().all(|label| labels::set(view.labels.unwrap_or_default()).any(|set| set == *label))
            && self.helper.as_deref().is_none_or(|helper| view.helper.is_some_and(|found| found == helper))
            && self.id.is_none_or(|id| view.id == Some(id))
    }

    fn matches_icmp(&self, tuple: &Endpoints) -> bool {
        self.icmp_type.is_none_or(|kind| tuple.icmp_type == Some(kind))
            && self.icmp_code.is_none_or(|code| tuple.icmp_code == Some(code))
            && self.icmp_id.is_none_or(|id| tuple.icmp_id == Some(id))
    }

    fn matches_protocol(&self, protocol: Option<&ProtocolView>) -> bool {
        let state = self.state.is_none_or(|wanted| match (wanted, protocol) {
            (State::Tcp(wanted), Some(ProtocolView::Tcp { state, .. })) => *state == Some(wanted),
            (State::Sctp(wanted), Some(ProtocolView::Sctp { state, .. })) => *state == Some(wanted),
            (State::Dccp(wanted), Some(ProtocolView::Dccp { state, .. })) => *state == Some(wanted),
            _ => false,
        });
        let role = self
            .role
            .is_none_or(|wanted| matches!(protocol, Some(ProtocolView::Dccp { role, .. }) if *role == Some(wanted)));
        let tags = match protocol {
            Some(ProtocolView::Sctp { tags: Some((original, reply)), .. }) => {
                self.tags[0].is_none_or(|tag| tag == *original) && self.tags[1].is_none_or(|tag| tag == *reply)
            }
            _ => self.tags == [None, None],
        };
        state && role && tags
    }

    fn matches_status(&self, view: &ConnectionView<'_>) -> bool {
        let status = view.status.unwrap_or_default();
        let asked = self.status.is_none_or(|wanted| match wanted {
            Status(0) => !status.intersects(SETTLED),
            wanted => status.contains(wanted),
        });
        let to = |wanted: Option<NatTarget>, found: Option<NatTarget>| {
            wanted.is_none_or(|wanted| {
                found.is_some_and(|found| {
                    wanted.address.is_none_or(|address| found.address == Some(address))
                        && wanted.port.is_none_or(|port| found.port == Some(port))
                })
            })
        };
        asked
            && to(self.source_nat, view.translated_source())
            && to(self.destination_nat, view.translated_destination())
            && (!self.any_nat || status.intersects(Status::SRC_NAT | Status::DST_NAT))
    }

    /// Whether an expectation is one that is asked for.
    pub(super) fn expects(&self, view: &ExpectationView<'_>) -> bool {
        (self.family == Family::UNSPEC || self.family == view.header.nfgen_family)
            && self.protocol.is_none_or(|protocol| view.tuple.protocol == Some(protocol))
            && self.original.matches(&view.master)
            && self.expected.matches(&view.tuple)
            && self.zone.is_none_or(|zone| view.zone.unwrap_or(0) == zone)
            && self.helper.as_deref().is_none_or(|helper| view.helper.is_some_and(|found| found == helper))
            && self.id.is_none_or(|id| view.id == Some(id))
    }
}
