//! What routes wrap packets in: as part of a row, and as words on the command line.
//!
//! What is absent: tunnel options (`geneve_opts` and its kin), programs to load, HMACs, and the rarely used ILA and IOAM,
//! of which only the name is printed. Options are left out on purpose: there are kernels that crash on them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ringlink::codec::Error;
use ringlink::codec::route::{
    BpfEncap, EncapFlags, EncapProgram, EncapType, Family, Ip6Encap, IpEncap, MplsEncap, MplsLabel, Route, RouteTable,
    RplEncap, RplHeader, Seg6Action, Seg6Encap, Seg6FlavorOperations, Seg6Flavors, Seg6Local, Seg6Mode, Seg6Tunnel,
    SegmentHeader, XfrmEncap,
};
use ringlink::codec::table::{AttributeWriter, Attributes};
use ringlink::codec::wire::Payload;

use super::row::Labels;
use crate::arguments::Words;
use crate::failure::Failure;
use crate::names::Names;
use crate::output::{Hex, Output};
use crate::session::Session;

/// Keys in JSON that a route has already: `ip` prints them a second time, which parsers of JSON do not see.
#[derive(Clone, Copy, Debug)]
pub(super) struct Keys {
    dst: &'static str,
    table: &'static str,
    tos: &'static str,
}

/// Among the keys of a route.
pub(super) const IN_ROUTE: Keys = Keys { dst: "encap_dst", table: "encap_table", tos: "encap_tos" };
/// In an object of its own.
pub(super) const ALONE: Keys = Keys { dst: "dst", table: "table", tos: "tos" };

/// Prints what packets are wrapped in; `payload` is what the kind says it is.
pub(super) fn print(
    row: &mut Output,
    names: &Names,
    kind: EncapType,
    payload: Option<Payload<'_>>,
    keys: Keys,
) -> Result<(), Error> {
    let name = NAMES.iter().find(|(known, _)| *known == kind).map_or("unknown", |(_, name)| name);
    row.field("encap", "encap", name);
    let Some(payload) = payload else { return Ok(()) };
    match kind {
        EncapType::MPLS => print_mpls(row, Attributes::new(payload), keys),
        EncapType::IP => print_ip(row, Attributes::new(payload), keys),
        EncapType::IP6 => print_ip6(row, Attributes::new(payload), keys),
        EncapType::SEG6 => print_seg6(row, Attributes::new(payload)),
        EncapType::BPF => print_programs(row, Attributes::new(payload)),
        EncapType::SEG6_LOCAL => print_seg6_local(row, names, Attributes::new(payload), keys),
        EncapType::RPL => print_rpl(row, Attributes::new(payload)),
        EncapType::XFRM => print_xfrm(row, names, Attributes::new(payload)),
        _ => Ok(()),
    }
}

/// The names of `ip`.
const NAMES: &[(EncapType, &str)] = &[
    (EncapType::MPLS, "mpls"),
    (EncapType::IP, "ip"),
    (EncapType::IP6, "ip6"),
    (EncapType::ILA, "ila"),
    (EncapType::BPF, "bpf"),
    (EncapType::SEG6, "seg6"),
    (EncapType::SEG6_LOCAL, "seg6local"),
    (EncapType::RPL, "rpl"),
    (EncapType::IOAM6, "ioam6"),
    (EncapType::XFRM, "xfrm"),
];

fn print_mpls(row: &mut Output, encap: Attributes<'_, MplsEncap>, keys: Keys) -> Result<(), Error> {
    let (labels, ttl) = encap.read((MplsEncap::DST, MplsEncap::TTL))?;
    if let Some(labels) = labels {
        row.field(keys.dst, "", Labels(labels));
    }
    if let Some(ttl) = ttl {
        row.field("ttl", "ttl", ttl);
    }
    Ok(())
}

fn print_ip(row: &mut Output, encap: Attributes<'_, IpEncap>, keys: Keys) -> Result<(), Error> {
    let (id, src, dst, ttl, tos, flags) =
        encap.read((IpEncap::ID, IpEncap::SRC, IpEncap::DST, IpEncap::TTL, IpEncap::TOS, IpEncap::FLAGS))?;
    if let Some(id) = id {
        row.field("id", "id", id);
    }
    if let Some(src) = src {
        row.field("src", "src", src);
    }
    if let Some(dst) = dst {
        row.field(keys.dst, "dst", dst);
    }
    if let Some(ttl) = ttl {
        row.field("ttl", "ttl", ttl);
    }
    if let Some(tos) = tos {
        row.field(keys.tos, "tos", tos);
    }
    print_flags(row, flags);
    Ok(())
}

fn print_ip6(row: &mut Output, encap: Attributes<'_, Ip6Encap>, keys: Keys) -> Result<(), Error> {
    let (id, src, dst, hop_limit, class, flags) =
        encap.read((Ip6Encap::ID, Ip6Encap::SRC, Ip6Encap::DST, Ip6Encap::HOPLIMIT, Ip6Encap::TC, Ip6Encap::FLAGS))?;
    if let Some(id) = id {
        row.field("id", "id", id);
    }
    if let Some(src) = src {
        row.field("src", "src", src);
    }
    if let Some(dst) = dst {
        row.field(keys.dst, "dst", dst);
    }
    if let Some(hop_limit) = hop_limit {
        row.field("hoplimit", "hoplimit", hop_limit);
    }
    if let Some(class) = class {
        row.field("tc", "tc", class);
    }
    print_flags(row, flags);
    Ok(())
}

fn print_flags(row: &mut Output, flags: Option<EncapFlags>) {
    let flags = flags.unwrap_or_default();
    for (flag, name) in [(EncapFlags::KEY, "key"), (EncapFlags::CSUM, "csum"), (EncapFlags::SEQ, "seq")] {
        if flags.contains(flag) {
            row.yes(name, name);
        }
    }
}

/// Segments in the order of the path.
fn print_segments(row: &mut Output, segments: impl DoubleEndedIterator<Item = Ipv6Addr> + ExactSizeIterator) {
    row.word("segs");
    row.word(u64::try_from(segments.len()).unwrap_or(u64::MAX));
    row.word("[");
    row.list("segs", |list| segments.for_each(|segment| list.item(segment)));
    row.word("]");
}

/// Segments of a routing header, which has the last one of the path first.
fn print_header(row: &mut Output, header: SegmentHeader, behind: &[u8]) {
    let segments: Vec<Ipv6Addr> = header.segments(behind).collect();
    print_segments(row, segments.into_iter().rev());
}

fn print_seg6(row: &mut Output, encap: Attributes<'_, Seg6Encap>) -> Result<(), Error> {
    if let Some((tunnel, behind)) = encap.get(Seg6Encap::SRH)? {
        match MODES.iter().find(|(mode, _)| *mode == tunnel.mode) {
            Some((_, name)) => row.field("mode", "mode", *name),
            None => row.field("mode", "mode", "<unknown>"),
        }
        print_header(row, tunnel.srh, behind);
    }
    Ok(())
}

const MODES: &[(Seg6Mode, &str)] = &[
    (Seg6Mode::INLINE, "inline"),
    (Seg6Mode::ENCAP, "encap"),
    (Seg6Mode::L2ENCAP, "l2encap"),
    (Seg6Mode::ENCAP_RED, "encap.red"),
    (Seg6Mode::L2ENCAP_RED, "l2encap.red"),
];

const ACTIONS: &[(Seg6Action, &str)] = &[
    (Seg6Action::END, "End"),
    (Seg6Action::END_X, "End.X"),
    (Seg6Action::END_T, "End.T"),
    (Seg6Action::END_DX2, "End.DX2"),
    (Seg6Action::END_DX6, "End.DX6"),
    (Seg6Action::END_DX4, "End.DX4"),
    (Seg6Action::END_DT6, "End.DT6"),
    (Seg6Action::END_DT4, "End.DT4"),
    (Seg6Action::END_B6, "End.B6"),
    (Seg6Action::END_B6_ENCAP, "End.B6.Encaps"),
    (Seg6Action::END_BM, "End.BM"),
    (Seg6Action::END_S, "End.S"),
    (Seg6Action::END_AS, "End.AS"),
    (Seg6Action::END_AM, "End.AM"),
    (Seg6Action::END_BPF, "End.BPF"),
    (Seg6Action::END_DT46, "End.DT46"),
];

const FLAVORS: &[(Seg6FlavorOperations, &str)] = &[
    (Seg6FlavorOperations::PSP, "psp"),
    (Seg6FlavorOperations::USP, "usp"),
    (Seg6FlavorOperations::USD, "usd"),
    (Seg6FlavorOperations::NEXT_CSID, "next-csid"),
];

fn print_seg6_local(
    row: &mut Output,
    names: &Names,
    encap: Attributes<'_, Seg6Local>,
    keys: Keys,
) -> Result<(), Error> {
    let (action, header, table, vrf_table, nh4, nh6, iif, oif, program, flavors) = encap.read((
        Seg6Local::ACTION,
        Seg6Local::SRH,
        Seg6Local::TABLE,
        Seg6Local::VRFTABLE,
        Seg6Local::NH4,
        Seg6Local::NH6,
        Seg6Local::IIF,
        Seg6Local::OIF,
        Seg6Local::BPF,
        Seg6Local::FLAVORS,
    ))?;
    if let Some(action) = action {
        let name = ACTIONS.iter().find(|(known, _)| *known == action).map_or("<unknown>", |(_, name)| name);
        row.field("action", "action", name);
    }
    if let Some((header, behind)) = header {
        row.object("srh", |row| print_header(row, header, behind));
    }
    if let Some(RouteTable(table)) = table {
        row.field(keys.table, "table", names.tables().name(table));
    }
    if let Some(RouteTable(table)) = vrf_table {
        row.field("vrftable", "vrftable", names.tables().name(table));
    }
    if let Some(nh4) = nh4 {
        row.field("nh4", "nh4", nh4);
    }
    if let Some(nh6) = nh6 {
        row.field("nh6", "nh6", nh6);
    }
    if let Some(index) = iif {
        row.field("iif", "iif", names.interface(index));
    }
    if let Some(index) = oif {
        row.field("oif", "oif", names.interface(index));
    }
    if let Some(program) = program {
        use ringlink::codec::route::Seg6Program;
        row.word("endpoint");
        if let Some(name) = program.get(Seg6Program::PROG_NAME)? {
            row.field("endpoint", "", name);
        }
    }
    if let Some(operations) = flavors.map(|flavors| flavors.get(Seg6Flavors::OPERATION)).transpose()?.flatten() {
        let known = FLAVORS.iter().filter(|(flavor, _)| operations.contains(*flavor)).map(|(_, name)| *name);
        row.word("flavors");
        row.joined("flavors", ["", ",", ""], known);
    }
    Ok(())
}

fn print_programs(row: &mut Output, encap: Attributes<'_, BpfEncap>) -> Result<(), Error> {
    let (incoming, outgoing, xmit, headroom) =
        encap.read((BpfEncap::IN, BpfEncap::OUT, BpfEncap::XMIT, BpfEncap::XMIT_HEADROOM))?;
    for (name, program) in [("in", incoming), ("out", outgoing), ("xmit", xmit)] {
        let Some(program) = program else { continue };
        row.word(name);
        if let Some(text) = program.get(EncapProgram::NAME)? {
            row.object(name, |row| row.field("name", "", text));
        }
    }
    if let Some(headroom) = headroom {
        row.field("headroom", "headroom", headroom);
    }
    Ok(())
}

fn print_rpl(row: &mut Output, encap: Attributes<'_, RplEncap>) -> Result<(), Error> {
    if let Some((RplHeader { segments_left, .. }, behind)) = encap.get(RplEncap::SRH)? {
        let segments: Vec<Ipv6Addr> = behind
            .chunks_exact(16)
            .take(usize::from(segments_left))
            .filter_map(|octets| <[u8; 16]>::try_from(octets).ok().map(Ipv6Addr::from))
            .collect();
        print_segments(row, segments.into_iter());
    }
    Ok(())
}

fn print_xfrm(row: &mut Output, names: &Names, encap: Attributes<'_, XfrmEncap>) -> Result<(), Error> {
    let (id, link) = encap.read((XfrmEncap::IF_ID, XfrmEncap::LINK))?;
    if let Some(id) = id {
        row.field("if_id", "if_id", Hex(u64::from(id)));
    }
    if let Some(index) = link {
        row.field("link_dev", "link_dev", names.interface(index));
    }
    Ok(())
}

/// What packets are to be wrapped in, as the command line has it.
#[derive(Clone, Debug)]
pub(super) enum Encap {
    /// Labels, and their time to live.
    Mpls(Vec<MplsLabel>, Option<u8>),
    /// A tunnel over IPv4 or IPv6.
    Ip(Tunnel),
    /// A path of segments.
    Seg6(Seg6Mode, Vec<Ipv6Addr>),
    /// What this host does as a segment.
    Seg6Local(Box<Local>),
}

/// A tunnel: the family is IPv4's or IPv6's.
#[derive(Clone, Debug, Default)]
pub(super) struct Tunnel {
    family: Family,
    id: Option<u64>,
    dst: Option<IpAddr>,
    src: Option<IpAddr>,
    /// Time to live or hop limit.
    ttl: Option<u8>,
    /// Type of service or traffic class.
    class: Option<u8>,
    flags: EncapFlags,
}

/// What this host does as a segment.
#[derive(Clone, Debug, Default)]
pub(super) struct Local {
    action: Seg6Action,
    table: Option<RouteTable>,
    vrf_table: Option<RouteTable>,
    nh4: Option<Ipv4Addr>,
    nh6: Option<Ipv6Addr>,
    oif: Option<u32>,
    segments: Option<Vec<Ipv6Addr>>,
    count: bool,
}

impl Encap {
    /// Reads the words behind `encap`, up to the first that is none of its own.
    pub(super) fn parse(words: &mut Words<'_>, session: &mut Session) -> Result<Self, Failure> {
        match words.value(KINDS)? {
            "mpls" => {
                let labels = words.parse("labels (100, 100/200)", labels)?;
                let ttl = if words.take("ttl") { Some(words.number()?) } else { None };
                Ok(Self::Mpls(labels, ttl))
            }
            "ip" => Tunnel::parse(Family::INET, words, session).map(Self::Ip),
            "ip6" => Tunnel::parse(Family::INET6, words, session).map(Self::Ip),
            "seg6" => parse_seg6(words),
            "seg6local" => Local::parse(words, session).map(|local| Self::Seg6Local(Box::new(local))),
            _ => Err(words.refuse(KINDS)),
        }
    }

    /// Writes the two attributes of a route or of one of its next hops.
    pub(super) fn put(&self, route: &mut AttributeWriter<'_, '_, Route>) {
        match self {
            Self::Mpls(labels, ttl) => {
                route.put(Route::ENCAP_TYPE, EncapType::MPLS);
                route.choose(Route::ENCAP, MplsEncap, |encap| {
                    encap.put(MplsEncap::DST, labels.as_slice());
                    encap.put_some(MplsEncap::TTL, *ttl);
                });
            }
            Self::Ip(tunnel) => tunnel.put(route),
            Self::Seg6(mode, segments) => {
                let tunnel = Seg6Tunnel { mode: *mode, srh: SegmentHeader::new(count(segments)) };
                route.put(Route::ENCAP_TYPE, EncapType::SEG6);
                route.choose(Route::ENCAP, Seg6Encap, |encap| encap.put(Seg6Encap::SRH, (tunnel, segments.as_slice())));
            }
            Self::Seg6Local(local) => {
                route.put(Route::ENCAP_TYPE, EncapType::SEG6_LOCAL);
                route.choose(Route::ENCAP, Seg6Local, |encap| local.put(encap));
            }
        }
    }
}

const KINDS: &str = "mpls, ip, ip6, seg6 or seg6local";

/// How many segments; the command line's length keeps them far below 128 in practice, and the kernel refuses more.
fn count(segments: &[Ipv6Addr]) -> u8 {
    u8::try_from(segments.len()).unwrap_or(u8::MAX)
}

/// Labels with slashes between, the last marked as such.
pub(super) fn labels(word: &str) -> Option<Vec<MplsLabel>> {
    let mut labels = Vec::new();
    for part in word.split('/') {
        let label = crate::arguments::number::<u32>(part).filter(|label| *label < 1 << 20)?;
        labels.push(MplsLabel::new(label));
    }
    let last = labels.pop()?;
    labels.push(last.bottom());
    Some(labels)
}

impl Tunnel {
    fn parse(family: Family, words: &mut Words<'_>, session: &Session) -> Result<Self, Failure> {
        let mut tunnel = Self { family, ..Self::default() };
        while let Some(word) = words.next() {
            match word {
                "id" => tunnel.id = Some(words.number()?),
                "dst" => tunnel.dst = Some(words.address(family)?),
                "src" => tunnel.src = Some(words.address(family)?),
                "ttl" | "hoplimit" => tunnel.ttl = Some(words.number()?),
                "tos" | "tc" => {
                    let classes = session.names.classes();
                    tunnel.class =
                        Some(words.parse("a traffic class", |word| u8::try_from(classes.number(word)?).ok())?);
                }
                "key" => tunnel.flags = tunnel.flags | EncapFlags::KEY,
                "csum" => tunnel.flags = tunnel.flags | EncapFlags::CSUM,
                "seq" => tunnel.flags = tunnel.flags | EncapFlags::SEQ,
                "geneve_opts" | "vxlan_opts" | "erspan_opts" => {
                    return Err(Failure::Usage(format!(
                        "`{word}`: options of tunnels are not sent: there are kernels (6.18) that crash on them"
                    )));
                }
                _ => {
                    words.back();
                    break;
                }
            }
        }
        Ok(tunnel)
    }

    fn put(&self, route: &mut AttributeWriter<'_, '_, Route>) {
        let flags = (self.flags != EncapFlags::default()).then_some(self.flags);
        match (self.family, self.dst, self.src) {
            (Family::INET, dst, src) => {
                let v4 = |address| {
                    if let IpAddr::V4(address) = address { Some(address) } else { None }
                };
                route.put(Route::ENCAP_TYPE, EncapType::IP);
                route.choose(Route::ENCAP, IpEncap, |encap| {
                    encap.put_some(IpEncap::ID, self.id);
                    encap.put_some(IpEncap::DST, dst.and_then(v4));
                    encap.put_some(IpEncap::SRC, src.and_then(v4));
                    encap.put_some(IpEncap::TTL, self.ttl);
                    encap.put_some(IpEncap::TOS, self.class);
                    encap.put_some(IpEncap::FLAGS, flags);
                });
            }
            (_, dst, src) => {
                let v6 = |address| {
                    if let IpAddr::V6(address) = address { Some(address) } else { None }
                };
                route.put(Route::ENCAP_TYPE, EncapType::IP6);
                route.choose(Route::ENCAP, Ip6Encap, |encap| {
                    encap.put_some(Ip6Encap::ID, self.id);
                    encap.put_some(Ip6Encap::DST, dst.and_then(v6));
                    encap.put_some(Ip6Encap::SRC, src.and_then(v6));
                    encap.put_some(Ip6Encap::HOPLIMIT, self.ttl);
                    encap.put_some(Ip6Encap::TC, self.class);
                    encap.put_some(Ip6Encap::FLAGS, flags);
                });
            }
        }
    }
}

/// Addresses with commas between, as a routing header has them: the last of the path first.
fn segments(word: &str) -> Option<Vec<Ipv6Addr>> {
    word.split(',').rev().map(|segment| segment.parse().ok()).collect()
}

const SEGMENTS: &str = "segments (2001:db8::1,2001:db8::2)";

fn parse_seg6(words: &mut Words<'_>) -> Result<Encap, Failure> {
    let mut mode = None;
    let mut path = None;
    while let Some(word) = words.next() {
        match word {
            "mode" => {
                let named = |word| MODES.iter().find(|(_, name)| *name == word).map(|(mode, _)| *mode);
                mode = Some(words.parse("inline, encap, encap.red, l2encap or l2encap.red", named)?);
            }
            "segs" => path = Some(words.parse(SEGMENTS, segments)?),
            _ => {
                words.back();
                break;
            }
        }
    }
    let (Some(mode), Some(mut path)) = (mode, path) else {
        return Err(Failure::Usage("`encap seg6`: expected `mode` and `segs`".into()));
    };
    if mode == Seg6Mode::INLINE {
        // The kernel puts the packet's own destination there, which becomes the last segment.
        path.insert(0, Ipv6Addr::UNSPECIFIED);
    }
    Ok(Encap::Seg6(mode, path))
}

impl Local {
    fn parse(words: &mut Words<'_>, session: &mut Session) -> Result<Self, Failure> {
        let mut local = Self::default();
        while let Some(word) = words.next() {
            match word {
                "action" => {
                    let named = |word| ACTIONS.iter().find(|(_, name)| *name == word).map(|(action, _)| *action);
                    local.action = words.parse("an action (End, End.X, End.DT6, …)", named)?;
                }
                "table" => local.table = Some(super::table(words, session)?),
                "vrftable" => local.vrf_table = Some(super::table(words, session)?),
                "nh4" => local.nh4 = Some(words.parse("an IPv4 address", |word| word.parse().ok())?),
                "nh6" => local.nh6 = Some(words.parse("an IPv6 address", |word| word.parse().ok())?),
                "oif" => local.oif = Some(session.interface(words.value("an interface")?)?),
                "srh" => {
                    if !words.take("segs") {
                        words.value("segs")?;
                        return Err(words.refuse("segs"));
                    }
                    local.segments = Some(words.parse(SEGMENTS, segments)?);
                }
                "count" => local.count = true,
                _ => {
                    words.back();
                    break;
                }
            }
        }
        if local.action == Seg6Action::default() {
            return Err(Failure::Usage("`encap seg6local`: expected `action`".into()));
        }
        if let (Seg6Action::END_B6, Some(path)) = (local.action, &mut local.segments) {
            path.insert(0, Ipv6Addr::UNSPECIFIED);
        }
        Ok(local)
    }

    fn put(&self, encap: &mut AttributeWriter<'_, '_, Seg6Local>) {
        encap.put(Seg6Local::ACTION, self.action);
        if let Some(path) = &self.segments {
            encap.put(Seg6Local::SRH, (SegmentHeader::new(count(path)), path.as_slice()));
        }
        encap.put_some(Seg6Local::TABLE, self.table);
        encap.put_some(Seg6Local::VRFTABLE, self.vrf_table);
        encap.put_some(Seg6Local::NH4, self.nh4);
        encap.put_some(Seg6Local::NH6, self.nh6);
        encap.put_some(Seg6Local::OIF, self.oif);
        if self.count {
            encap.nest(Seg6Local::COUNTERS, |_| {});
        }
    }
}
