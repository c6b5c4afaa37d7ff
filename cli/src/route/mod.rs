//! `route`: shows, looks up and changes routes.

mod change;
mod encap;
mod filter;
mod nexthops;
mod row;

use ringlink::codec::route::{Family, MplsLabel, Route, RouteFlags, RouteHeader, RouteTable, Rtm};

use crate::arguments::{Words, bits_of, family_of, keyword};
use crate::failure::Failure;
use crate::session::Session;

pub(crate) use filter::Filter;
pub(crate) use nexthops::print_event as print_nexthop;
pub(crate) use row::{Class, Type, View, family_name, interface, print};

/// What `ringlink route help` says.
pub(crate) const HELP: &str = "\
ringlink route [show] [SELECTOR]
ringlink route get ADDRESS|LABEL [from ADDRESS] [iif DEV] [oif DEV] [vrf NAME] [mark N] [tos N] [uid N]
                           [ipproto P] [sport N] [dport N] [fibmatch]
ringlink route add|replace|append|change|del [TYPE] PREFIX [WHERE]

SELECTOR  [exact|root|match] PREFIX, table NAME|all|cache, vrf NAME, dev DEV, iif DEV, via [FAMILY] ADDRESS,
          src ADDRESS, from PREFIX, proto NAME, scope NAME, type TYPE, metric N, tos N, realm N
WHERE     via [FAMILY] ADDRESS, dev DEV, src ADDRESS, table NAME, metric N, proto NAME, scope NAME, tos N,
          realms FROM/TO, pref low|medium|high, nhid N, onlink, expires SECONDS, ttl-propagate enabled|disabled,
          mtu|advmss|window|rtt|rttvar|rto_min|ssthresh|cwnd|reordering|hoplimit|initcwnd|initrwnd|quickack
          [lock] N, congctl NAME, features ecn, fastopen_no_cookie 0|1, encap ENCAP,
          nexthop [via …] [dev DEV] [weight N] [realms …] [encap ENCAP] [onlink] …
ENCAP     mpls LABEL/LABEL [ttl N] | ip|ip6 id N dst ADDRESS [src …] [ttl N] [tos N] [key] [csum] [seq]
          seg6 mode MODE segs A,B | seg6local action NAME [nh4|nh6|table|vrftable|oif|srh segs …]
          ila LOCATOR [csum-mode M] [ident-type T] [hook-type H] | xfrm if_id N [link_dev DEV]
          bpf [in|out|xmit pinned PATH|fd N] … [headroom N]
PREFIX    10.0.0.0/8, 2001:db8::/32, default; for MPLS (`-f mpls`): LABEL [as to LABEL/LABEL]
TYPE      unicast local broadcast anycast multicast blackhole unreachable prohibit throw
";

/// Verbs in the order in which `ip` takes abbreviations.
const VERBS: &[&str] = &["list", "show", "lst", "get", "add", "change", "replace", "prepend", "append", "delete"];

/// Does what the words behind `route` say.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(verb) = words.next() else {
        return filter::show(session, words);
    };
    match keyword(verb, VERBS) {
        Some("list" | "show" | "lst") => filter::show(session, words),
        Some("get") => get(session, words),
        Some("add") => change::change(session, words, Rtm::NEWROUTE.create().exclusive()),
        Some("change") => change::change(session, words, Rtm::NEWROUTE.replace()),
        Some("replace") => change::change(session, words, Rtm::NEWROUTE.create().replace()),
        Some("prepend") => change::change(session, words, Rtm::NEWROUTE.create()),
        Some("append") => change::change(session, words, Rtm::NEWROUTE.create().append()),
        Some("delete") => change::change(session, words, Rtm::DELROUTE),
        _ => Err(words.refuse("show, get, add, replace, append, change or del")),
    }
}

/// The next word as a table.
fn table(words: &mut Words<'_>, session: &Session) -> Result<RouteTable, Failure> {
    let tables = session.names.tables();
    words.parse("a table's name or number", |word| tables.number(word).map(RouteTable))
}

/// The table of a VRF, by its name.
fn vrf_table(words: &mut Words<'_>, session: &mut Session) -> Result<RouteTable, Failure> {
    use ringlink::codec::route::{Link, LinkHeader, LinkInfo, Vrf};
    let name = words.value("a VRF")?;
    let index = session.interface(name)?;
    let header = LinkHeader { index: i32::try_from(index).unwrap_or(0), ..LinkHeader::default() };
    let reply = session.connection.get(Rtm::GETLINK, header, |_| {})?;
    let info = reply.body().attributes.get(Link::LINKINFO)?;
    let data = info.map(|info| info.chosen(LinkInfo::DATA, Vrf)).transpose()?.flatten();
    match data.map(|data| data.get(Vrf::TABLE)).transpose()?.flatten() {
        Some(table) => Ok(RouteTable(table)),
        None => Err(Failure::Input(format!("interface `{name}` is no VRF"))),
    }
}

/// Asks which route a packet would take.
fn get(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut question = Question { family: session.options.family(), ..Question::default() };
    while let Some(word) = words.next() {
        question.read(word, words, session)?;
    }
    let family = match (question.to, question.label) {
        (_, Some(_)) => Family::MPLS,
        (Some(to), None) => family_of(to),
        (None, None) => return Err(words.refuse_end("an address")),
    };
    // IPv6 always tells the table, and refuses to be asked for it.
    let mut flags = if family == Family::INET { RouteFlags::LOOKUP_TABLE } else { RouteFlags::default() };
    if question.fibmatch {
        flags = flags | RouteFlags::FIB_MATCH;
    }
    let header = RouteHeader {
        family,
        dst_len: bits_of(family),
        src_len: if question.from.is_some() { bits_of(family) } else { 0 },
        tos: question.tos,
        flags,
        ..RouteHeader::default()
    };
    session.learn_names()?;
    let view = View { details: session.options.details || session.options.json, ..View::default() };
    let Session { connection, names, output, .. } = session;
    let reply = connection.get(Rtm::GETROUTE, header, |route| {
        route.put_some(Route::DST, question.to);
        route.put_some(Route::DST, question.label.as_ref().map(std::slice::from_ref));
        route.put_some(Route::SRC, question.from);
        route.put_some(Route::IIF, question.iif);
        route.put_some(Route::OIF, question.oif);
        route.put_some(Route::MARK, question.mark);
        route.put_some(Route::UID, question.uid);
        route.put_some(Route::IP_PROTO, question.ip_protocol);
        route.put_some(Route::SPORT, question.sport);
        route.put_some(Route::DPORT, question.dport);
    })?;
    print(output, names, reply.body(), &view)?;
    drop(reply);
    session.finish()
}

/// A packet whose route is asked for.
#[derive(Default)]
struct Question {
    family: Family,
    to: Option<std::net::IpAddr>,
    /// In place of an address, for the family MPLS.
    label: Option<MplsLabel>,
    from: Option<std::net::IpAddr>,
    iif: Option<u32>,
    oif: Option<u32>,
    tos: u8,
    mark: Option<u32>,
    uid: Option<u32>,
    ip_protocol: Option<u8>,
    sport: Option<u16>,
    dport: Option<u16>,
    fibmatch: bool,
}

impl Question {
    fn read(&mut self, word: &str, words: &mut Words<'_>, session: &mut Session) -> Result<(), Failure> {
        const WORDS: &[&str] = &[
            "to",
            "from",
            "iif",
            "oif",
            "dev",
            "vrf",
            "tos",
            "dsfield",
            "mark",
            "uid",
            "ipproto",
            "sport",
            "dport",
            "fibmatch",
            "notify",
            "connected",
        ];
        // A whole word or none: `d` is no address, and ambiguous as a keyword.
        match WORDS.iter().find(|known| **known == word).copied() {
            Some("to") if self.family == Family::MPLS => self.label = Some(label(words)?),
            Some("to") => self.to = Some(words.address(self.family)?),
            Some("from") => self.from = Some(words.address(self.family)?),
            Some("iif") => self.iif = Some(session.interface(words.value("an interface")?)?),
            Some("oif" | "dev" | "vrf") => self.oif = Some(session.interface(words.value("an interface")?)?),
            Some("tos" | "dsfield") => self.tos = tos(words, session)?,
            Some("mark") => self.mark = Some(words.number()?),
            Some("uid") => self.uid = Some(words.number()?),
            Some("ipproto") => self.ip_protocol = Some(crate::rule::ip_protocol(words)?),
            Some("sport") => self.sport = Some(words.number()?),
            Some("dport") => self.dport = Some(words.number()?),
            Some("fibmatch") => self.fibmatch = true,
            Some(_) => return Err(Failure::Usage(format!("`{word}` is not supported here"))),
            None if self.family == Family::MPLS => {
                words.back();
                self.label = Some(label(words)?);
            }
            None => {
                words.back();
                let net = words.net(self.family)?;
                self.to = Some(net.address.ok_or_else(|| words.refuse("an address"))?);
                self.family = net.family();
            }
        }
        Ok(())
    }
}

/// The next word as the label that packets of an MPLS route have.
fn label(words: &mut Words<'_>) -> Result<MplsLabel, Failure> {
    let one = |word| encap::labels(word).filter(|labels| labels.len() == 1);
    Ok(words.parse("a label (0 to 1048575)", one)?.first().copied().unwrap_or_default())
}

/// The next word as a type of service.
fn tos(words: &mut Words<'_>, session: &Session) -> Result<u8, Failure> {
    let classes = session.names.classes();
    words.parse("a type of service, by name or number", |word| u8::try_from(classes.number(word)?).ok())
}

/// The next word as realms: `TO`, `FROM/TO` or `FROM/`.
fn flow(words: &mut Words<'_>, session: &Session) -> Result<u32, Failure> {
    let realms = session.names.realms();
    let realm = |word: &str| realms.number(word).filter(|number| *number <= 0xffff);
    words.parse("realms (TO, FROM/TO)", |word| match word.split_once('/') {
        None => realm(word),
        Some((from, "")) => Some(realm(from)? << 16),
        Some((from, to)) => Some(realm(from)? << 16 | realm(to)?),
    })
}

/// The realms of a rule are written the same way.
pub(crate) fn realms_of(words: &mut Words<'_>, session: &Session) -> Result<u32, Failure> {
    flow(words, session)
}

/// So are a rule's table and its type of service.
pub(crate) fn table_of(words: &mut Words<'_>, session: &Session) -> Result<RouteTable, Failure> {
    table(words, session)
}

/// See [`table_of`].
pub(crate) fn tos_of(words: &mut Words<'_>, session: &Session) -> Result<u8, Failure> {
    tos(words, session)
}
