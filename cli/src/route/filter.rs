//! `route show`: which routes are shown.
//!
//! The kernel is told what it can filter by: table, protocol, type, outgoing interface. It may return more than was
//! asked for (other families where one is unknown, everything before Linux 4.20), so all of it is looked at here too.

use std::net::IpAddr;

use ringlink::codec::Error;
use ringlink::codec::route::{
    Family, MplsLabel, Route, RouteFlags, RouteHeader, RouteMessage, RouteProtocol, RouteTable, RouteType, Rtm, Scope,
    ShortTable,
};
use ringlink::codec::table::Body;

use super::nexthops::Nexthops;
use super::row::{Hidden, Type, View, print};
use super::{flow, label, table, tos, vrf_table};
use crate::arguments::{Net, Words, bits_of, family_named, keyword, octets};
use crate::failure::Failure;
use crate::session::Session;

/// Which routes are shown.
#[derive(Clone, Debug, Default)]
pub(crate) struct Filter {
    family: Family,
    /// `None` for all tables.
    table: Option<RouteTable>,
    cached: bool,
    kind: Option<RouteType>,
    protocol: Option<RouteProtocol>,
    scope: Option<Scope>,
    tos: Option<u8>,
    metric: Option<u32>,
    realms: Option<u32>,
    output: Option<u32>,
    input: Option<u32>,
    via: Option<IpAddr>,
    source: Option<IpAddr>,
    to: Nets,
    from: Nets,
}

/// Prefixes that a destination or source is compared with.
#[derive(Clone, Copy, Debug, Default)]
struct Nets {
    /// It lies in this one.
    root: Option<Net>,
    /// It holds this one.
    around: Option<Net>,
    /// It is this one.
    exact: Option<Net>,
    /// It is this label, which has no part to be within.
    label: Option<MplsLabel>,
}

const WORDS: &[&str] = &[
    "table", "vrf", "cached", "cloned", "tos", "dsfield", "protocol", "proto", "scope", "type", "dev", "oif", "iif",
    "via", "src", "realms", "realm", "from", "to", "root", "match", "exact", "metric",
];

/// Shows routes.
pub(super) fn show(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let filter = Filter::parse(session, words)?;
    let details = session.options.details || session.options.json;
    session.learn_names()?;
    let nexthops = if details { Some(Nexthops::learn(&mut session.connection)?) } else { None };
    let view = View { details, hidden: filter.hidden(), nexthops };
    for family in filter.families() {
        filter.dump(session, family, &view)?;
        if session.output.is_broken() {
            break;
        }
    }
    session.finish()
}

impl Filter {
    /// Which routes these words choose.
    pub(crate) fn parse(session: &mut Session, words: &mut Words<'_>) -> Result<Self, Failure> {
        let mut filter = Self { table: Some(RouteTable::MAIN), ..Self::default() };
        let mut family = session.options.family();
        while let Some(word) = words.next() {
            filter.read(word, words, session, &mut family)?;
        }
        Ok(Self { family, ..filter })
    }

    /// The families to ask for, one by one: a dump of all at once takes the kernel's configuration lock.
    pub(crate) fn families(&self) -> Vec<Family> {
        match (self.family, self.table) {
            // One table is IPv4's, as `ip` has it.
            (Family::UNSPEC, Some(_)) => vec![Family::INET],
            (Family::UNSPEC, None) if std::path::Path::new("/proc/sys/net/mpls").exists() => {
                vec![Family::INET, Family::INET6, Family::MPLS]
            }
            (Family::UNSPEC, None) => vec![Family::INET, Family::INET6],
            (family, _) => vec![family],
        }
    }

    /// Whether a route is one of those.
    pub(crate) fn shows(&self, body: Body<'_, RouteMessage>) -> Result<bool, Error> {
        let cached = body.header.flags.contains(RouteFlags::CLONED);
        Ok(cached == self.cached && (self.is_everything() || self.matches(body)?))
    }

    fn read(
        &mut self,
        word: &str,
        words: &mut Words<'_>,
        session: &mut Session,
        family: &mut Family,
    ) -> Result<(), Failure> {
        // Words that could be names or addresses count as keywords only when they are written out.
        let exact = WORDS.contains(&word) || matches!(word, "p" | "pr" | "pro" | "prot" | "t" | "ta" | "tab" | "m");
        match keyword(word, WORDS).filter(|_| exact) {
            Some("table") => match words.value("a table")? {
                "all" => self.table = None,
                "cache" => (self.table, self.cached) = (None, true),
                _ => {
                    words.back();
                    self.table = Some(table(words, session)?).filter(|table| *table != RouteTable::UNSPEC);
                }
            },
            Some("vrf") => self.table = Some(vrf_table(words, session)?),
            Some("cached" | "cloned") => (self.table, self.cached) = (None, true),
            Some("tos" | "dsfield") => self.tos = Some(tos(words, session)?),
            Some("protocol" | "proto") => {
                let protocols = session.names.protocols();
                let named = |word| u8::try_from(protocols.number(word)?).ok().map(RouteProtocol);
                self.protocol = match words.value("a protocol's name or number")? {
                    "all" => None,
                    _ => {
                        words.back();
                        Some(words.parse("a protocol's name or number", named)?)
                    }
                };
            }
            Some("scope") => {
                self.scope = match words.value("a scope")? {
                    "all" => None,
                    _ => {
                        words.back();
                        Some(scope(words, session)?)
                    }
                };
            }
            Some("type") => self.kind = Some(words.parse("a type of route", Type::named)?),
            Some("dev" | "oif") => self.output = Some(session.interface(words.value("an interface")?)?),
            Some("iif") => self.input = Some(session.interface(words.value("an interface")?)?),
            Some("via") => {
                let via = words.peek().and_then(family_named);
                if via.is_some() {
                    words.next();
                }
                self.via = Some(words.address(via.unwrap_or(*family))?);
            }
            Some("src") => self.source = Some(words.address(*family)?),
            Some("realms" | "realm") => self.realms = Some(flow(words, session)?),
            Some("metric") => self.metric = Some(words.number()?),
            Some("from") => self.from.read(words, family)?,
            Some("to") => self.to.read(words, family)?,
            Some(_) => {
                words.back();
                self.to.read(words, family)?;
            }
            None if Type::is_word(word) => self.kind = Type::named(word),
            None => {
                words.back();
                self.to.read(words, family)?;
            }
        }
        Ok(())
    }

    /// What all rows have, and so is not printed.
    pub(crate) fn hidden(&self) -> Hidden {
        Hidden {
            device: self.output.is_some(),
            gateway: self.via.is_some(),
            input: self.input.is_some(),
            metric: self.metric.is_some(),
            prefsrc: self.source.is_some(),
            protocol: self.protocol.is_some(),
            realms: self.realms.is_some(),
            scope: self.scope.is_some(),
            table: self.table.is_some(),
            tos: self.tos.is_some(),
        }
    }

    fn dump(&self, session: &mut Session, family: Family, view: &View) -> Result<(), Failure> {
        let short = self.table.map_or(0, |table| u8::try_from(table.0).unwrap_or(ShortTable::UNSPEC.0));
        let header = RouteHeader {
            family,
            table: ShortTable(short),
            protocol: self.protocol.unwrap_or_default(),
            kind: self.kind.unwrap_or_default(),
            flags: if self.cached { RouteFlags::CLONED } else { RouteFlags::default() },
            ..RouteHeader::default()
        };
        session.dump(
            Rtm::GETROUTE,
            header,
            |route| {
                route.put_some(Route::TABLE, self.table);
                route.put_some(Route::OIF, self.output);
            },
            |output, names, body| {
                if body.header.family == family && self.shows(body)? {
                    print(output, names, body, view)?;
                }
                Ok(())
            },
        )
    }

    /// Whether there is nothing to look at in a route.
    fn is_everything(&self) -> bool {
        let Self {
            family: _,
            table,
            cached: _,
            kind,
            protocol,
            scope,
            tos,
            metric,
            realms,
            output,
            input,
            via,
            source,
            to,
            from,
        } = self;
        table.is_none()
            && kind.is_none()
            && protocol.is_none()
            && scope.is_none()
            && tos.is_none()
            && metric.is_none()
            && realms.is_none()
            && output.is_none()
            && input.is_none()
            && via.is_none()
            && source.is_none()
            && to.is_everything()
            && from.is_everything()
    }

    fn matches(&self, body: Body<'_, RouteMessage>) -> Result<bool, Error> {
        let header = body.header;
        let (dst, oif, gateway, table, src, iif, prefsrc, priority, flow, via) = body.attributes.read((
            Route::DST,
            Route::OIF,
            Route::GATEWAY,
            Route::TABLE,
            Route::SRC,
            Route::IIF,
            Route::PREFSRC,
            Route::PRIORITY,
            Route::FLOW,
            Route::VIA,
        ))?;
        let table = table.unwrap_or(RouteTable::from(header.table));
        let gateway = gateway.map(|address| address.0).or(via.map(|(_, address)| address));
        Ok(wants(self.table, Some(table))
            && wants(self.kind, Some(header.kind))
            && wants(self.protocol, Some(header.protocol))
            && wants(self.scope, Some(header.scope))
            && wants(self.tos, Some(header.tos))
            && wants(self.output, oif)
            && wants(self.input, iif)
            && wants(self.metric, Some(priority.unwrap_or(0)))
            && wants(self.realms, flow)
            && self.via.is_none_or(|via| gateway.is_some_and(|gateway| octets(via) == gateway))
            && self.source.is_none_or(|source| prefsrc.is_some_and(|address| address == source))
            && self.to.matches(header.family, dst.map(|address| address.0), header.dst_len)
            && self.from.matches(header.family, src.map(|address| address.0), header.src_len))
    }
}

/// Whether something is what is wanted, if anything is.
fn wants<T: PartialEq>(wanted: Option<T>, found: Option<T>) -> bool {
    wanted.is_none() || wanted == found
}

/// The next word as a scope.
pub(super) fn scope(words: &mut Words<'_>, session: &Session) -> Result<Scope, Failure> {
    let scopes = session.names.scopes();
    words.parse("a scope's name or number", |word| u8::try_from(scopes.number(word)?).ok().map(Scope))
}

impl Nets {
    fn read(&mut self, words: &mut Words<'_>, family: &mut Family) -> Result<(), Failure> {
        let which = words.value("a prefix")?;
        let place = match which {
            "root" => &mut self.root,
            "match" => &mut self.around,
            "exact" => &mut self.exact,
            _ => {
                words.back();
                &mut self.exact
            }
        };
        if *family == Family::MPLS {
            self.label = Some(label(words)?);
            return Ok(());
        }
        let net = words.net(*family)?;
        if *family == Family::UNSPEC {
            *family = net.family();
        }
        *place = Some(net);
        Ok(())
    }

    fn is_everything(&self) -> bool {
        self.root.is_none() && self.around.is_none() && self.exact.is_none() && self.label.is_none()
    }

    fn matches(&self, family: Family, address: Option<&[u8]>, length: u8) -> bool {
        if self.is_everything() {
            return true;
        }
        if let Some(label) = self.label {
            let first = address.and_then(|bytes| MplsLabel::stack(bytes).ok()?.next());
            return first.is_some_and(|first| first.label() == label.label());
        }
        let zeros = [0; 16];
        let bytes = address.unwrap_or(zeros.get(..usize::from(bits_of(family) / 8)).unwrap_or_default());
        self.root.is_none_or(|net| net.contains(bytes, length))
            && self.around.is_none_or(|net| net.is_within(bytes, length))
            && self.exact.is_none_or(|net| net.is(bytes, length))
    }
}
