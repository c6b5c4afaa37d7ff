//! One route as a row: keys, order and words are those of `ip route`.

use ringlink::codec::Error;
use ringlink::codec::route::{
    Family, Metrics, MplsLabel, NextHopFlags, NextHopHeader, Route, RouteCacheInfo, RouteFeatures, RouteFlags,
    RouteMessage, RouteTable, RouteType, RouterPreference, Rtm, ViaHeader,
};
use ringlink::codec::table::{Attributes, Body, InetAddress};
use ringlink::codec::wire::Payload;

use super::encap;
use super::nexthops::Nexthops;
use crate::arguments::bits_of;
use crate::names::{InterfaceName, Name, Names, realms};
use crate::output::{Formatted, Hex, Kind, Output, Prefix, Show};

/// What of a route is printed.
#[derive(Default)]
pub(crate) struct View {
    /// Everything; else what goes without saying is left out.
    pub(crate) details: bool,
    /// What was asked for, and so is left out.
    pub(crate) hidden: Hidden,
    /// Next hop objects, where they are to be told.
    pub(crate) nexthops: Option<Nexthops>,
}

/// What `ip` leaves out of rows because all rows have it.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "fields of a row are independent of each other")]
pub(crate) struct Hidden {
    pub(crate) device: bool,
    pub(crate) gateway: bool,
    pub(crate) input: bool,
    pub(crate) metric: bool,
    pub(crate) prefsrc: bool,
    pub(crate) protocol: bool,
    pub(crate) realms: bool,
    pub(crate) scope: bool,
    pub(crate) table: bool,
    pub(crate) tos: bool,
}

/// Prints a route.
pub(crate) fn print(
    output: &mut Output,
    names: &Names,
    body: Body<'_, RouteMessage>,
    view: &View,
) -> Result<(), Error> {
    let header = body.header;
    let attributes = body.attributes;
    // All attributes in one pass, the frequent ones first.
    let (
        (dst, table, oif, gateway, priority, prefsrc, pref, cache, metrics, multipath, nexthop, via),
        (src, newdst, encap_type, mark, flow, uid, iif, ttl_propagate),
    ) = attributes.read((
        (
            Route::DST,
            Route::TABLE,
            Route::OIF,
            Route::GATEWAY,
            Route::PRIORITY,
            Route::PREFSRC,
            Route::PREF,
            Route::CACHEINFO,
            Route::METRICS,
            Route::MULTIPATH,
            Route::NH_ID,
            Route::VIA,
        ),
        (
            Route::SRC,
            Route::NEWDST,
            Route::ENCAP_TYPE,
            Route::MARK,
            Route::FLOW,
            Route::UID,
            Route::IIF,
            Route::TTL_PROPAGATE,
        ),
    ))?;
    let View { details, hidden, nexthops } = view;
    let details = *details;
    let table = table.unwrap_or(RouteTable::from(header.table));
    let cloned = header.flags.contains(RouteFlags::CLONED);
    output.row(|row| {
        if body.message.kind == Rtm::DELROUTE.kind {
            row.yes("deleted", "Deleted");
        }
        if header.kind != RouteType::UNICAST || details {
            row.field("type", "", Type(header.kind));
        }
        destination(row, "dst", "", header.family, dst, header.dst_len);
        if src.is_some() || header.src_len != 0 {
            destination(row, "from", "from", header.family, src, header.src_len);
        }
        if let Some(labels) = newdst {
            row.field("to", "as to", Labels(labels));
        }
        if let Some(kind) = encap_type {
            encap::print(row, names, kind, payload(attributes)?, encap::IN_ROUTE)?;
        }
        if header.tos != 0 && !hidden.tos {
            row.field("tos", "tos", Class(names.classes().name(header.tos)));
        }
        if let Some(id) = nexthop {
            row.field("nhid", "nhid", id);
        }
        if let (Some(gateway), false) = (gateway, hidden.gateway) {
            row.field("gateway", "via", gateway);
        }
        if let Some(via) = via {
            print_via(row, via);
        }
        if let (Some(index), false) = (oif, hidden.device) {
            row.field("dev", "dev", names.interface(index));
        }
        if table != RouteTable::UNSPEC && (table != RouteTable::MAIN || details) && !hidden.table {
            row.field("table", "table", names.tables().name(table.0));
        }
        if !cloned {
            if (header.protocol.0 != BOOT || details) && !hidden.protocol {
                row.field("protocol", "proto", names.protocols().name(header.protocol.0));
            }
            if (header.scope.0 != UNIVERSE || details) && !hidden.scope {
                row.field("scope", "scope", names.scopes().name(header.scope.0));
            }
        }
        if let (Some(source), false) = (prefsrc, hidden.prefsrc) {
            row.field("prefsrc", "src", source);
        }
        if let (Some(priority), false) = (priority, hidden.metric) {
            row.field("metric", "metric", priority);
        }
        flags(row, header.flags);
        if let Some(mark) = mark.filter(|mark| *mark != 0) {
            // As `ip`: small marks in decimal.
            match mark {
                16.. => row.field("mark", "mark", Hex(u64::from(mark))),
                small => row.field("mark", "mark", small),
            }
        }
        if let (Some(flow), false) = (flow, hidden.realms) {
            print_flow(row, names, flow);
        }
        if let Some(uid) = uid {
            row.field("uid", "uid", uid);
        }
        print_cache(row, header.family, header.flags, cache);
        if let Some(metrics) = metrics {
            print_metrics(row, metrics)?;
        }
        if let (Some(index), false) = (iif, hidden.input) {
            row.field("iif", "iif", names.interface(index));
        }
        if let Some(preference) = pref {
            print_preference(row, preference);
        }
        if let Some(propagate) = ttl_propagate {
            // The key is misspelt as `ip` has it.
            row.json("ttl-propogate", propagate != 0);
            row.word(if propagate == 0 { "ttl-propagate disabled" } else { "ttl-propagate enabled" });
        }
        if let (Some(id), Some(nexthops)) = (nexthop, nexthops) {
            nexthops.print(row, names, id)?;
        }
        match multipath {
            Some(paths) => row.list("nexthops", |row| {
                for path in paths {
                    let (path, attributes) = path?;
                    row.line("\t");
                    row.word("nexthop");
                    row.entry(|row| print_path(row, names, header.family, path, attributes))?;
                }
                Ok(())
            }),
            None => Ok(()),
        }
    })
}

/// `RTPROT_BOOT` and `RT_SCOPE_UNIVERSE`: what goes without saying.
const BOOT: u8 = 3;
const UNIVERSE: u8 = 0;

fn destination(
    row: &mut Output,
    key: &'static str,
    label: &'static str,
    family: Family,
    address: Option<InetAddress<'_>>,
    length: u8,
) {
    match address {
        Some(InetAddress(labels)) if family == Family::MPLS => row.field(key, label, LabelStack(labels)),
        Some(address) if length == bits_of(family) => row.field(key, label, address),
        Some(address) => row.field(key, label, Prefix { address, length }),
        None if length != 0 => row.field(key, label, Formatted(format_args!("0/{length}"))),
        None => row.field(key, label, "default"),
    }
}

/// A next hop of another family.
pub(super) fn print_via(row: &mut Output, (header, address): (ViaHeader, &[u8])) {
    row.word("via");
    row.object("via", |row| {
        let family = Family(u8::try_from(header.family).unwrap_or(0));
        row.field("family", "", family_name(family));
        row.field("host", "", InetAddress(address));
    });
}

/// The names that `ip` has for families.
pub(crate) fn family_name(family: Family) -> &'static str {
    match family {
        Family::INET => "inet",
        Family::INET6 => "inet6",
        Family::MPLS => "mpls",
        Family::PACKET => "link",
        Family::BRIDGE => "bridge",
        _ => "???",
    }
}

/// The realms of a route or of one of its next hops.
fn print_flow(row: &mut Output, names: &Names, flow: u32) {
    row.word(if flow >> 16 == 0 { "realm" } else { "realms" });
    row.object("flow", |row| realms(row, names, flow, ["from", "to"]));
}

/// One of several next hops.
fn print_path(
    row: &mut Output,
    names: &Names,
    family: Family,
    header: NextHopHeader,
    attributes: Attributes<'_, Route>,
) -> Result<(), Error> {
    let (encap_type, labels, gateway, via, flow) =
        attributes.read((Route::ENCAP_TYPE, Route::NEWDST, Route::GATEWAY, Route::VIA, Route::FLOW))?;
    if let Some(labels) = labels {
        row.field("to", "as to", Labels(labels));
    }
    if let Some(kind) = encap_type {
        encap::print(row, names, kind, payload(attributes)?, encap::ALONE)?;
    }
    if let Some(gateway) = gateway {
        row.field("gateway", "via", gateway);
    }
    if let Some(via) = via {
        print_via(row, via);
    }
    if let Some(flow) = flow {
        print_flow(row, names, flow);
    }
    row.field("dev", "dev", interface(names, header.ifindex));
    if family != Family::MPLS {
        row.field("weight", "weight", u16::from(header.hops) + 1);
    }
    let NextHopFlags(bits) = header.flags;
    flags(row, RouteFlags(u32::from(bits)));
    Ok(())
}

/// An interface whose index is signed, as in most headers.
pub(crate) fn interface(names: &Names, index: i32) -> InterfaceName<'_> {
    names.interface(u32::try_from(index).unwrap_or(0))
}

/// The flags that have words, in the order of `ip`.
const FLAGS: &[(RouteFlags, &str)] = &[
    (RouteFlags::NEXTHOP_DEAD, "dead"),
    (RouteFlags::NEXTHOP_ONLINK, "onlink"),
    (RouteFlags::NEXTHOP_PERVASIVE, "pervasive"),
    (RouteFlags::NEXTHOP_OFFLOAD, "offload"),
    (RouteFlags::NEXTHOP_TRAP, "trap"),
    (RouteFlags::NOTIFY, "notify"),
    (RouteFlags::NEXTHOP_LINKDOWN, "linkdown"),
    (RouteFlags::NEXTHOP_UNRESOLVED, "unresolved"),
    (RouteFlags::OFFLOAD, "rt_offload"),
    (RouteFlags::TRAP, "rt_trap"),
    (RouteFlags::OFFLOAD_FAILED, "rt_offload_failed"),
];

/// The flags of a route or of a next hop.
pub(super) fn flags(row: &mut Output, flags: RouteFlags) {
    row.list("flags", |list| {
        if flags.0 == 0 {
            return;
        }
        for (flag, name) in FLAGS {
            if flags.contains(*flag) {
                list.item(*name);
            }
        }
    });
}

/// Ticks of the user's clock in a second (`USER_HZ`), the same on all machines that Linux runs on today.
const USER_HZ: i32 = 100;

/// Flags of a cached IPv4 route, whose numbers the kernel keeps to itself (include/uapi/linux/in_route.h), in the
/// order of `ip`.
const CACHE_FLAGS: &[(u32, &str)] = &[
    (0x8000_0000, "local"),
    (0x0400_0000, "reject"),
    (0x2000_0000, "mc"),
    (0x1000_0000, "brd"),
    (0x0800_0000, "dst-nat"),
    (0x0080_0000, "src-nat"),
    (0x0040_0000, "masq"),
    (0x0002_0000, "dst-direct"),
    (0x0004_0000, "redirected"),
    (0x0100_0000, "redirect"),
    (0x0020_0000, "fastroute"),
    (0x0001_0000, "notify"),
];

/// Age and use: of IPv4 routes only what a look-up answers with, of IPv6 routes where they expire.
fn print_cache(row: &mut Output, family: Family, flags: RouteFlags, cache: Option<RouteCacheInfo>) {
    let cloned = flags.contains(RouteFlags::CLONED);
    match family {
        Family::INET if cloned => {
            row.line("    ");
            row.word("cache");
            row.list("cache", |list| {
                let mut left = flags.0 & 0xffff_0000;
                let mut mark = "<";
                for (flag, name) in CACHE_FLAGS {
                    if left & flag != 0 {
                        left &= !flag;
                        list.word(mark);
                        list.tight();
                        list.item(*name);
                        mark = ",";
                        list.tight();
                    }
                }
                if mark == "," {
                    list.word(">");
                }
            });
        }
        Family::INET6 if cloned => {
            row.line("    ");
            row.word("cache");
        }
        Family::INET6 => {}
        _ => return,
    }
    let Some(cache) = cache else { return };
    if cache.expires != 0 {
        row.field("expires", "expires", cache.expires / USER_HZ);
        row.glue("sec");
    }
    if cache.error != 0 {
        row.field("error", "error", cache.error);
    }
}

/// Names of metrics by number, from `RTAX_MTU` on: in JSON, in text.
const METRICS: [(&str, &str); 16] = [
    ("mtu", "mtu"),
    ("window", "window"),
    ("rtt", "rtt"),
    ("rttvar", "rttvar"),
    ("ssthresh", "ssthresh"),
    ("cwnd", "cwnd"),
    ("advmss", "advmss"),
    ("reordering", "reordering"),
    ("hoplimit", "hoplimit"),
    ("initcwnd", "initcwnd"),
    ("features", "features"),
    ("rto_min", "rto_min"),
    ("initrwnd", "initrwnd"),
    ("quickack", "quickack"),
    ("congestion", "congctl"),
    ("fastopen_no_cookie", "fastopen_no_cookie"),
];

fn print_metrics(row: &mut Output, metrics: Attributes<'_, Metrics>) -> Result<(), Error> {
    let locked = metrics.get(Metrics::LOCK)?.unwrap_or(0);
    row.list("metrics", |row| {
        row.entry(|row| {
            for raw in metrics.raw() {
                let raw = raw?;
                let number = raw.number();
                let Some((key, label)) = usize::from(number).checked_sub(2).and_then(|at| METRICS.get(at)) else {
                    continue;
                };
                if number == Metrics::CC_ALGO.number() {
                    let name = metrics.get(Metrics::CC_ALGO)?.unwrap_or_default();
                    row.field(key, label, name);
                    continue;
                }
                let Ok(value) = raw.payload.bytes.try_into().map(u32::from_ne_bytes) else {
                    continue;
                };
                if number == Metrics::HOPLIMIT.number() && value == u32::MAX {
                    continue;
                }
                row.word(*label);
                if locked & 1_u32.checked_shl(u32::from(number)).unwrap_or(0) != 0 {
                    row.word("lock");
                }
                print_metric(row, key, number, value);
            }
            Ok(())
        })
    })
}

fn print_metric(row: &mut Output, key: &'static str, number: u16, value: u32) {
    let milliseconds = match number {
        _ if number == Metrics::FEATURES.number() => {
            let features = RouteFeatures(value);
            if features.contains(RouteFeatures::ECN) {
                row.null("ecn", "ecn");
            }
            if features.contains(RouteFeatures::TCP_USEC_TS) {
                row.null("tcp_usec_ts", "tcp_usec_ts");
            }
            let rest = value & !(RouteFeatures::ECN | RouteFeatures::TCP_USEC_TS).0;
            if rest != 0 {
                row.field("of", "", Hex(u64::from(rest)));
            }
            return;
        }
        _ if number == Metrics::RTT.number() => value / 8,
        _ if number == Metrics::RTTVAR.number() => value / 4,
        _ if number == Metrics::RTO_MIN.number() => value,
        _ => return row.field(key, "", value),
    };
    row.json(key, milliseconds);
    match milliseconds {
        1000.. => row.word(Formatted(format_args!("{}s", f64::from(milliseconds) / 1000.0))),
        _ => row.word(Formatted(format_args!("{milliseconds}ms"))),
    }
}

fn print_preference(row: &mut Output, preference: RouterPreference) {
    match preference {
        RouterPreference::LOW => row.field("pref", "pref", "low"),
        RouterPreference::MEDIUM => row.field("pref", "pref", "medium"),
        RouterPreference::HIGH => row.field("pref", "pref", "high"),
        RouterPreference(other) => row.field("pref", "pref", other),
    }
}

/// The type of a route in the words of `ip`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Type(pub RouteType);

/// Types by number.
const TYPES: [&str; 12] = [
    "none",
    "unicast",
    "local",
    "broadcast",
    "anycast",
    "multicast",
    "blackhole",
    "unreachable",
    "prohibit",
    "throw",
    "nat",
    "xresolve",
];

impl Type {
    /// The type that a word names.
    pub(crate) fn named(word: &str) -> Option<RouteType> {
        match TYPES.iter().position(|name| *name == word) {
            Some(number) => u8::try_from(number).ok().map(RouteType),
            None => crate::arguments::number(word).map(RouteType),
        }
    }

    /// Whether a word names a type, so that it is no address.
    pub(crate) fn is_word(word: &str) -> bool {
        TYPES.contains(&word)
    }
}

impl Show for Type {
    const KIND: Kind = Kind::Plain;

    #[inline]
    fn show(&self, bytes: &mut Vec<u8>) {
        match TYPES.get(usize::from(self.0.0)) {
            Some(name) => bytes.extend_from_slice(name.as_bytes()),
            None => crate::output::decimal(bytes, u64::from(self.0.0)),
        }
    }
}

/// The traffic class byte by its name, else in hexadecimal.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Class<'n>(pub Name<'n>);

impl Show for Class<'_> {
    const KIND: Kind = Kind::Text;

    fn show(&self, bytes: &mut Vec<u8>) {
        match self.0 {
            Name { name: "", number } => Formatted(format_args!("{number:#04x}")).show(bytes),
            Name { name, .. } => bytes.extend_from_slice(name.as_bytes()),
        }
    }
}

/// Labels with slashes between.
pub(super) struct Labels<I>(pub I);

impl<I: Iterator<Item = MplsLabel> + Clone> Show for Labels<I> {
    const KIND: Kind = Kind::Plain;

    fn show(&self, bytes: &mut Vec<u8>) {
        for (index, label) in self.0.clone().enumerate() {
            if index > 0 {
                bytes.push(b'/');
            }
            crate::output::decimal(bytes, u64::from(label.label()));
        }
    }
}

/// Labels as the bytes of a destination.
struct LabelStack<'a>(&'a [u8]);

impl Show for LabelStack<'_> {
    const KIND: Kind = Kind::Plain;

    fn show(&self, bytes: &mut Vec<u8>) {
        match MplsLabel::stack(self.0) {
            Ok(stack) => Labels(stack).show(bytes),
            Err(_) => InetAddress(self.0).show(bytes),
        }
    }
}

/// What a route or one of its next hops wraps packets in, not yet read.
fn payload<'a>(attributes: Attributes<'a, Route>) -> Result<Option<Payload<'a>>, Error> {
    Ok(attributes.get(Route::ENCAP)?.map(|chosen| chosen.payload))
}
