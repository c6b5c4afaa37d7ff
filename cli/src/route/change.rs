//! `route add` and its kin: words become one message.

use std::net::IpAddr;

use ringlink::codec::route::{
    Family, Metrics, MplsLabel, NextHopFlags, NextHopHeader, Route, RouteFeatures, RouteFlags, RouteHeader,
    RouteMessage, RouteProtocol, RouteTable, RouteType, RouterPreference, Rtm, Scope, ShortTable, ViaHeader,
};
use ringlink::codec::table::{AttributeWriter, Operation};

use super::encap::{Encap, labels};
use super::filter::scope;
use super::row::Type;
use super::{flow, label, table, tos, vrf_table};
use crate::arguments::{Net, Words, bits_of, family_named, family_of, octets};
use crate::failure::Failure;
use crate::session::Session;

/// A route as the command line has it.
#[derive(Default)]
struct Draft {
    family: Family,
    kind: Option<RouteType>,
    to: Option<Net>,
    /// An MPLS route's own label.
    label: Option<MplsLabel>,
    from: Option<Net>,
    path: Path,
    paths: Vec<Path>,
    prefsrc: Option<IpAddr>,
    table: Option<RouteTable>,
    metric: Option<u32>,
    protocol: Option<RouteProtocol>,
    scope: Option<Scope>,
    tos: u8,
    preference: Option<RouterPreference>,
    nexthop: Option<u32>,
    expires: Option<u32>,
    ttl_propagate: Option<bool>,
    metrics: Vec<(u16, u32)>,
    locked: u32,
    congestion: Option<String>,
}

/// A next hop: the route's only one, or one of several.
#[derive(Default)]
struct Path {
    via: Option<IpAddr>,
    device: Option<u32>,
    weight: u8,
    realms: Option<u32>,
    flags: NextHopFlags,
    encap: Option<Encap>,
    /// Labels in place of an MPLS route's own.
    swap: Option<Vec<MplsLabel>>,
}

/// Reads a route and asks for the change.
pub(super) fn change(
    session: &mut Session,
    words: &mut Words<'_>,
    operation: Operation<RouteMessage>,
) -> Result<(), Failure> {
    let deletes = operation.kind == Rtm::DELROUTE.kind;
    let mut draft = Draft { family: session.options.family(), ..Draft::default() };
    while let Some(word) = words.next() {
        draft.read(word, words, session)?;
    }
    if draft.to.is_none() && draft.label.is_none() && !deletes {
        return Err(words.refuse_end("a prefix"));
    }
    let header = draft.header(deletes);
    let warning = session.connection.apply(operation, header, |route| draft.put(route))?;
    if let Some(warning) = warning {
        crate::session::warn(format_args!("{warning}"));
    }
    Ok(())
}

const EXPECTED: &str = "a prefix, via, dev, src, table, metric, proto, scope, nexthop or another word of `route help`";

impl Draft {
    fn read(&mut self, word: &str, words: &mut Words<'_>, session: &mut Session) -> Result<(), Failure> {
        if self.read_metric(word, words)? || self.path.read(word, words, session, &mut self.family)? {
            return Ok(());
        }
        match word {
            "to" => self.read_destination(words)?,
            "from" => self.from = Some(self.net(words)?),
            "src" => {
                let address = words.address(self.family)?;
                self.settle(family_of(address));
                self.prefsrc = Some(address);
            }
            "table" => self.table = Some(table(words, session)?),
            "vrf" => self.table = Some(vrf_table(words, session)?),
            "metric" | "priority" | "preference" => self.metric = Some(words.number()?),
            "proto" | "protocol" => {
                let protocols = session.names.protocols();
                let named = |word| u8::try_from(protocols.number(word)?).ok().map(RouteProtocol);
                self.protocol = Some(words.parse("a protocol's name or number", named)?);
            }
            "scope" => self.scope = Some(scope(words, session)?),
            "type" => self.kind = Some(words.parse("a type of route", Type::named)?),
            "tos" | "dsfield" => self.tos = tos(words, session)?,
            "nhid" => self.nexthop = Some(words.number()?),
            "expires" => self.expires = Some(words.number()?),
            "pref" => {
                self.preference = Some(words.parse("low, medium or high", |word| match word {
                    "low" => Some(RouterPreference::LOW),
                    "medium" => Some(RouterPreference::MEDIUM),
                    "high" => Some(RouterPreference::HIGH),
                    _ => None,
                })?);
            }
            "ttl-propagate" => {
                self.ttl_propagate = Some(words.parse("enabled or disabled", |word| match word {
                    "enabled" => Some(true),
                    "disabled" => Some(false),
                    _ => None,
                })?);
            }
            "nexthop" => self.read_paths(words, session)?,
            _ if self.kind.is_none() && Type::is_word(word) => self.kind = Type::named(word),
            _ if self.to.is_none() && self.label.is_none() => {
                words.back();
                self.read_destination(words)?;
            }
            _ => return Err(words.refuse(EXPECTED)),
        }
        Ok(())
    }

    fn read_destination(&mut self, words: &mut Words<'_>) -> Result<(), Failure> {
        if words.peek().and_then(family_named) == Some(Family::MPLS) || self.family == Family::MPLS {
            words.take("mpls");
            self.family = Family::MPLS;
            self.label = Some(label(words)?);
            return Ok(());
        }
        if let Some(family) = words.peek().and_then(family_named) {
            words.next();
            self.settle(family);
        }
        self.to = Some(self.net(words)?);
        Ok(())
    }

    fn read_paths(&mut self, words: &mut Words<'_>, session: &mut Session) -> Result<(), Failure> {
        let mut path = Path::default();
        while let Some(word) = words.next() {
            if word == "nexthop" {
                self.paths.push(std::mem::take(&mut path));
            } else if word == "weight" {
                let weight = words.parse("a weight from 1 to 256", |word| {
                    crate::arguments::number::<u16>(word).filter(|weight| (1..=256).contains(weight))
                })?;
                path.weight = u8::try_from(weight - 1).unwrap_or(u8::MAX);
            } else if !path.read(word, words, session, &mut self.family)? {
                return Err(words.refuse("via, dev, weight, realms, encap, as, onlink or nexthop"));
            }
        }
        self.paths.push(path);
        Ok(())
    }

    /// Reads a metric of the path, if the word names one.
    fn read_metric(&mut self, word: &str, words: &mut Words<'_>) -> Result<bool, Failure> {
        const PLAIN: &[(&str, u16)] = &[
            ("mtu", Metrics::MTU.number()),
            ("window", Metrics::WINDOW.number()),
            ("ssthresh", Metrics::SSTHRESH.number()),
            ("cwnd", Metrics::CWND.number()),
            ("advmss", Metrics::ADVMSS.number()),
            ("reordering", Metrics::REORDERING.number()),
            ("hoplimit", Metrics::HOPLIMIT.number()),
            ("initcwnd", Metrics::INITCWND.number()),
            ("initrwnd", Metrics::INITRWND.number()),
            ("quickack", Metrics::QUICKACK.number()),
            ("fastopen_no_cookie", Metrics::FASTOPEN_NO_COOKIE.number()),
        ];
        // Times: the metric, and how many of its units make a millisecond.
        const TIMES: &[(&str, u16, u32)] = &[
            ("rtt", Metrics::RTT.number(), 8),
            ("rttvar", Metrics::RTTVAR.number(), 4),
            ("rto_min", Metrics::RTO_MIN.number(), 1),
        ];
        if let Some((_, number)) = PLAIN.iter().find(|(name, _)| *name == word) {
            self.lock(*number, words.take("lock"));
            let value = words.number()?;
            self.metrics.push((*number, value));
        } else if let Some((name, number, units)) = TIMES.iter().find(|(name, ..)| *name == word) {
            // A least time before a retransmission is always locked: the kernel takes it only so.
            let locked = words.take("lock") || *name == "rto_min";
            self.lock(*number, locked);
            let value = words.parse("a time (30ms, 2s)", |word| milliseconds(word)?.checked_mul(*units))?;
            self.metrics.push((*number, value));
        } else if word == "congctl" {
            self.lock(Metrics::CC_ALGO.number(), words.take("lock"));
            self.congestion = Some(words.value("the name of a congestion control")?.to_owned());
        } else if word == "features" {
            let mut features = RouteFeatures::default();
            while let Some(feature) = words.peek() {
                features = features
                    | match feature {
                        "ecn" => RouteFeatures::ECN,
                        "tcp_usec_ts" => RouteFeatures::TCP_USEC_TS,
                        _ => break,
                    };
                words.next();
            }
            if features == RouteFeatures::default() {
                words.value("ecn or tcp_usec_ts")?;
                return Err(words.refuse("ecn or tcp_usec_ts"));
            }
            self.metrics.push((Metrics::FEATURES.number(), features.0));
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn lock(&mut self, number: u16, lock: bool) {
        if lock {
            self.locked |= 1 << number;
        }
    }

    /// The family that an address says, where none was said before.
    fn settle(&mut self, family: Family) {
        if self.family == Family::UNSPEC {
            self.family = family;
        }
    }

    fn net(&mut self, words: &mut Words<'_>) -> Result<Net, Failure> {
        let net = words.net(self.family)?;
        self.settle(net.family());
        Ok(net)
    }

    fn header(&self, deletes: bool) -> RouteHeader {
        let family = if self.family == Family::UNSPEC { Family::INET } else { self.family };
        // MPLS has no other type, not even to delete any.
        let any = deletes && family != Family::MPLS;
        let kind = self.kind.unwrap_or(if any { RouteType::UNSPEC } else { RouteType::UNICAST });
        let local = matches!(kind, RouteType::LOCAL | RouteType::BROADCAST | RouteType::ANYCAST | RouteType::NAT);
        let table = self.table.unwrap_or(if local { RouteTable::LOCAL } else { RouteTable::MAIN });
        let scope = self.scope.unwrap_or(match (deletes, family, kind) {
            (_, Family::INET6 | Family::MPLS, _) => Scope::UNIVERSE,
            (_, _, RouteType::LOCAL | RouteType::NAT) => Scope::HOST,
            (_, _, RouteType::BROADCAST | RouteType::MULTICAST | RouteType::ANYCAST) => Scope::LINK,
            (true, ..) => Scope::NOWHERE,
            (_, _, RouteType::UNICAST) if !self.has_gateway() => Scope::LINK,
            _ => Scope::UNIVERSE,
        });
        let protocol = self.protocol.unwrap_or(if deletes { RouteProtocol::UNSPEC } else { RouteProtocol::BOOT });
        let length = |net: Option<Net>| net.map_or(0, |net| net.length);
        RouteHeader {
            family,
            dst_len: if self.label.is_some() { bits_of(Family::MPLS) } else { length(self.to) },
            src_len: length(self.from),
            tos: self.tos,
            table: ShortTable(u8::try_from(table.0).unwrap_or(ShortTable::UNSPEC.0)),
            protocol,
            scope,
            kind,
            flags: RouteFlags(u32::from(self.path.flags.0)),
        }
    }

    /// Whether the destination is farther than the link.
    fn has_gateway(&self) -> bool {
        self.path.via.is_some() || self.nexthop.is_some() || self.paths.iter().any(|path| path.via.is_some()) || {
            // Several next hops without gateways are on the link too.
            !self.paths.is_empty() && self.paths.iter().any(|path| path.encap.is_some())
        }
    }

    fn put(&self, route: &mut AttributeWriter<'_, '_, Route>) {
        if let Some(label) = self.label {
            route.put(Route::DST, [label.bottom()].as_slice());
        }
        route.put_some(Route::DST, self.to.and_then(|net| net.address));
        route.put_some(Route::SRC, self.from.and_then(|net| net.address));
        route.put_some(Route::PREFSRC, self.prefsrc);
        route.put_some(Route::PRIORITY, self.metric);
        if let Some(table) = self.table.filter(|table| table.0 > 255) {
            route.put(Route::TABLE, table);
        }
        route.put_some(Route::PREF, self.preference);
        route.put_some(Route::NH_ID, self.nexthop);
        route.put_some(Route::EXPIRES, self.expires.map(u64::from));
        route.put_some(Route::TTL_PROPAGATE, self.ttl_propagate.map(u8::from));
        self.path.put(route, self.family);
        route.put_some(Route::OIF, self.path.device);
        self.put_metrics(route);
        if !self.paths.is_empty() {
            route.records(Route::MULTIPATH, |list| {
                for path in &self.paths {
                    let header = NextHopHeader {
                        flags: path.flags,
                        hops: path.weight,
                        ifindex: path.device.and_then(|index| i32::try_from(index).ok()).unwrap_or(0),
                        ..NextHopHeader::default()
                    };
                    list.add(header, |route| path.put(route, self.family));
                }
            });
        }
    }

    fn put_metrics(&self, route: &mut AttributeWriter<'_, '_, Route>) {
        if self.metrics.is_empty() && self.congestion.is_none() {
            return;
        }
        route.nest(Route::METRICS, |metrics| {
            if self.locked != 0 {
                metrics.put(Metrics::LOCK, self.locked);
            }
            for (number, value) in &self.metrics {
                metrics.put_raw(*number, &value.to_ne_bytes());
            }
            metrics.put_some(Metrics::CC_ALGO, self.congestion.as_deref());
        });
    }
}

impl Path {
    /// Reads what a route's only next hop and one of several have in common, if the word is of that.
    fn read(
        &mut self,
        word: &str,
        words: &mut Words<'_>,
        session: &mut Session,
        family: &mut Family,
    ) -> Result<bool, Failure> {
        match word {
            "via" => {
                let named = words.peek().and_then(family_named);
                if named.is_some() {
                    words.next();
                }
                // Without a family, a gateway is of the route's own; of an MPLS route it is of any.
                let own = if *family == Family::MPLS { Family::UNSPEC } else { *family };
                let address = match (named, own) {
                    (None, Family::INET) => {
                        let expected = "an IPv4 address, or `inet6` and an IPv6 address";
                        words.parse(expected, |word| crate::arguments::address(word, own))?
                    }
                    _ => words.address(named.unwrap_or(own))?,
                };
                if *family == Family::UNSPEC {
                    *family = family_of(address);
                }
                self.via = Some(address);
            }
            "dev" | "oif" => self.device = Some(session.interface(words.value("an interface")?)?),
            "realms" | "realm" => self.realms = Some(flow(words, session)?),
            "onlink" => self.flags = self.flags | NextHopFlags::ONLINK,
            "pervasive" => self.flags = self.flags | NextHopFlags::PERVASIVE,
            "encap" => self.encap = Some(Encap::parse(words, session)?),
            "as" => {
                words.take("to");
                self.swap = Some(words.parse("labels (100, 100/200)", labels)?);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn put(&self, route: &mut AttributeWriter<'_, '_, Route>, family: Family) {
        match self.via {
            Some(via) if family_of(via) == family || family == Family::UNSPEC => route.put(Route::GATEWAY, via),
            Some(via) => {
                let header = ViaHeader { family: u16::from(family_of(via).0) };
                route.put(Route::VIA, (header, octets(via).as_slice()));
            }
            None => {}
        }
        route.put_some(Route::NEWDST, self.swap.as_deref());
        route.put_some(Route::FLOW, self.realms);
        if let Some(encap) = &self.encap {
            encap.put(route);
        }
    }
}

/// A time in milliseconds: `30ms`, `2s`, or the number alone.
fn milliseconds(word: &str) -> Option<u32> {
    if let Some(number) = word.strip_suffix("ms").or_else(|| word.strip_suffix("msec")) {
        return crate::arguments::number(number);
    }
    match word.strip_suffix('s') {
        Some(number) => crate::arguments::number::<u32>(number)?.checked_mul(1000),
        None => crate::arguments::number(word),
    }
}
