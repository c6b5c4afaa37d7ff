//! What routes wrap packets in: as part of a row, and as words on the command line.
//!
//! What is absent: programs to load, HMACs, words for RPL and IOAM, of which the last is printed by its name only. Tunnel
//! options (`geneve_opts` and its kin) are printed, but left out of requests: there are kernels that crash on them.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ringlink::codec::Error;
use ringlink::codec::route::{
    BpfEncap, EncapFlags, EncapOptions, EncapProgram, EncapType, ErspanOption, Family, GeneveOption, Ila, IlaChecksum,
    IlaHook, IlaIdentifier, Ip6Encap, IpEncap, MplsEncap, MplsLabel, Route, RouteTable, RplEncap, RplHeader,
    Seg6Action, Seg6Encap, Seg6FlavorOperations, Seg6Flavors, Seg6Local, Seg6Mode, Seg6Tunnel, SegmentHeader,
    VxlanOption, XfrmEncap,
};
use ringlink::codec::table::{AttributeWriter, Attributes};
use ringlink::codec::wire::Payload;

use super::row::Labels;
use crate::arguments::Words;
use crate::bpf::Program;
use crate::failure::Failure;
use crate::names::Names;
use crate::output::{Formatted, Output};
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
        EncapType::ILA => print_ila(row, Attributes::new(payload)),
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
    let (id, src, dst, ttl, tos, flags, options) = encap.read((
        IpEncap::ID,
        IpEncap::SRC,
        IpEncap::DST,
        IpEncap::TTL,
        IpEncap::TOS,
        IpEncap::FLAGS,
        IpEncap::OPTS,
    ))?;
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
    options.map_or(Ok(()), |options| print_options(row, options))
}

fn print_ip6(row: &mut Output, encap: Attributes<'_, Ip6Encap>, keys: Keys) -> Result<(), Error> {
    let (id, src, dst, hop_limit, class, flags, options) = encap.read((
        Ip6Encap::ID,
        Ip6Encap::SRC,
        Ip6Encap::DST,
        Ip6Encap::HOPLIMIT,
        Ip6Encap::TC,
        Ip6Encap::FLAGS,
        Ip6Encap::OPTS,
    ))?;
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
    options.map_or(Ok(()), |options| print_options(row, options))
}

fn print_flags(row: &mut Output, flags: Option<EncapFlags>) {
    let flags = flags.unwrap_or_default();
    for (flag, name) in [(EncapFlags::KEY, "key"), (EncapFlags::CSUM, "csum"), (EncapFlags::SEQ, "seq")] {
        if flags.contains(flag) {
            row.yes(name, name);
        }
    }
}

/// Options of the tunnel's protocol, on a line of their own.
fn print_options(row: &mut Output, options: Attributes<'_, EncapOptions>) -> Result<(), Error> {
    if options.get(EncapOptions::GENEVE)?.is_some() {
        row.line("\t");
        row.word("geneve_opts");
        let mut mark = " ";
        row.list("geneve_opts", |row| {
            for options in options.all(EncapOptions::GENEVE) {
                let options = options?;
                let heads = options.all(GeneveOption::CLASS).zip(options.all(GeneveOption::TYPE));
                for ((class, kind), data) in heads.zip(options.all(GeneveOption::DATA)) {
                    let (class, kind) = (class?, kind?);
                    let data: String = data?.iter().map(|byte| format!("{byte:02x}")).collect();
                    row.entry(|row| {
                        row.json("class", class);
                        row.json("type", kind);
                        row.json("data", data.as_str());
                    });
                    row.glue(Formatted(format_args!("{mark}{class}:{kind}:{data}")));
                    mark = ",";
                }
            }
            Ok(())
        })?;
    }
    if let Some(vxlan) = options.get(EncapOptions::VXLAN)? {
        let policy = vxlan.get(VxlanOption::GBP)?.unwrap_or(0);
        row.line("\t");
        row.list("vxlan_opts", |row| row.entry(|row| row.field("gbp", "vxlan_opts", policy)));
    }
    if let Some(erspan) = options.get(EncapOptions::ERSPAN)? {
        let (version, index, direction, engine) =
            erspan.read((ErspanOption::VER, ErspanOption::INDEX, ErspanOption::DIR, ErspanOption::HWID))?;
        let (version, index) = (version.unwrap_or(0), index.unwrap_or(0));
        let (direction, engine) = (direction.unwrap_or(0), engine.unwrap_or(0));
        row.line("\t");
        row.list("erspan_opts", |row| {
            row.entry(|row| {
                row.json("ver", version);
                row.json("index", index);
                row.json("dir", direction);
                row.json("hwid", engine);
            });
        });
        row.word("erspan_opts");
        row.word(Formatted(format_args!("{version}:{index}:{direction}:{engine}")));
    }
    Ok(())
}

fn print_ila(row: &mut Output, encap: Attributes<'_, Ila>) -> Result<(), Error> {
    let (locator, checksum, identifier, hook) =
        encap.read((Ila::LOCATOR, Ila::CSUM_MODE, Ila::IDENT_TYPE, Ila::HOOK_TYPE))?;
    if let Some(locator) = locator {
        let [one, two, three, four] = groups(locator);
        row.field("locator", "", Formatted(format_args!("{one:x}:{two:x}:{three:x}:{four:x}")));
    }
    if let Some(mode) = checksum {
        row.field("csum_mode", "csum-mode", named(CHECKSUMS, mode));
    }
    if let Some(kind) = identifier {
        row.field("ident_type", "ident-type", named(IDENTIFIERS, kind));
    }
    if let Some(hook) = hook {
        row.field("hook_type", "hook-type", named(HOOKS, hook));
    }
    Ok(())
}

/// Half an address as its four groups.
fn groups(half: u64) -> [u16; 4] {
    let [a, b, c, d, e, f, g, h] = half.to_be_bytes();
    [[a, b], [c, d], [e, f], [g, h]].map(u16::from_be_bytes)
}

fn named<T: PartialEq>(names: &[(T, &'static str)], value: T) -> &'static str {
    names.iter().find(|(known, _)| *known == value).map_or("unknown", |(_, name)| name)
}

const CHECKSUMS: &[(IlaChecksum, &str)] = &[
    (IlaChecksum::ADJUST_TRANSPORT, "adj-transport"),
    (IlaChecksum::NEUTRAL_MAP, "neutral-map"),
    (IlaChecksum::NO_ACTION, "no-action"),
    (IlaChecksum::NEUTRAL_MAP_AUTO, "neutral-map-auto"),
];

const IDENTIFIERS: &[(IlaIdentifier, &str)] =
    &[(IlaIdentifier::LUID, "luid"), (IlaIdentifier::USE_FORMAT, "use-format")];

const HOOKS: &[(IlaHook, &str)] = &[(IlaHook::ROUTE_OUTPUT, "output"), (IlaHook::ROUTE_INPUT, "input")];

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
        match program.get(EncapProgram::NAME)? {
            Some(text) => row.field(name, name, text),
            None => row.word(name),
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
        row.field("if_id", "if_id", id);
    }
    if let Some(index) = link {
        row.field("link_dev", "link_dev", names.interface(index));
    }
    Ok(())
}

/// What packets are to be wrapped in, as the command line has it.
#[derive(Debug)]
pub(super) enum Encap {
    /// Labels, and their time to live.
    Mpls(Vec<MplsLabel>, Option<u8>),
    /// A tunnel over IPv4 or IPv6.
    Ip(Tunnel),
    /// A path of segments.
    Seg6(Seg6Mode, Vec<Ipv6Addr>),
    /// What this host does as a segment.
    Seg6Local(Box<Local>),
    /// A new first half of the address, and how it is put there.
    Ila(u64, Option<IlaChecksum>, Option<IlaIdentifier>, Option<IlaHook>),
    /// Programs for packets that come in, go out and are sent, and the room that they need before a packet.
    Bpf([Option<Program>; 3], Option<u32>),
    /// IPsec by the number of an interface, and the interface below.
    Xfrm(u32, Option<u32>),
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
            "ila" => parse_ila(words),
            "bpf" => parse_programs(words),
            "xfrm" => parse_xfrm(words, session),
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
            Self::Ila(locator, checksum, identifier, hook) => {
                route.put(Route::ENCAP_TYPE, EncapType::ILA);
                route.choose(Route::ENCAP, Ila, |encap| {
                    encap.put(Ila::LOCATOR, *locator);
                    encap.put_some(Ila::CSUM_MODE, *checksum);
                    encap.put_some(Ila::IDENT_TYPE, *identifier);
                    encap.put_some(Ila::HOOK_TYPE, *hook);
                });
            }
            Self::Bpf(programs, headroom) => {
                route.put(Route::ENCAP_TYPE, EncapType::BPF);
                route.choose(Route::ENCAP, BpfEncap, |encap| {
                    for (key, program) in [BpfEncap::IN, BpfEncap::OUT, BpfEncap::XMIT].into_iter().zip(programs) {
                        let Some(program) = program else { continue };
                        encap.nest(key, |encap| {
                            // A descriptor is never negative.
                            encap.put(EncapProgram::FD, program.descriptor().unsigned_abs());
                            encap.put(EncapProgram::NAME, program.name().as_str());
                        });
                    }
                    encap.put_some(BpfEncap::XMIT_HEADROOM, *headroom);
                });
            }
            Self::Xfrm(id, link) => {
                route.put(Route::ENCAP_TYPE, EncapType::XFRM);
                route.choose(Route::ENCAP, XfrmEncap, |encap| {
                    encap.put(XfrmEncap::IF_ID, *id);
                    encap.put_some(XfrmEncap::LINK, *link);
                });
            }
        }
    }
}

const KINDS: &str = "mpls, ip, ip6, seg6, seg6local, ila, bpf or xfrm";

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

fn parse_ila(words: &mut Words<'_>) -> Result<Encap, Failure> {
    fn one_of<T: Copy>(words: &mut Words<'_>, names: &[(T, &'static str)]) -> Result<T, Failure> {
        let expected: Vec<&str> = names.iter().map(|(_, name)| *name).collect();
        let value = |word| names.iter().find(|(_, name)| *name == word).map(|(value, _)| *value);
        words.parse(&expected.join(" or "), value)
    }
    let locator = words.parse("half an address (2001:db8:0:1)", |word| {
        let groups: Option<Vec<u16>> = word.split(':').map(|group| u16::from_str_radix(group, 16).ok()).collect();
        let groups: [u16; 4] = groups?.try_into().ok()?;
        Some(groups.iter().fold(0, |half, group| half << 16 | u64::from(*group)))
    })?;
    let (mut checksum, mut identifier, mut hook) = (None, None, None);
    while let Some(word) = words.next() {
        match word {
            "csum-mode" => checksum = Some(one_of(words, CHECKSUMS)?),
            "ident-type" => identifier = Some(one_of(words, IDENTIFIERS)?),
            "hook-type" => hook = Some(one_of(words, HOOKS)?),
            _ => {
                words.back();
                break;
            }
        }
    }
    Ok(Encap::Ila(locator, checksum, identifier, hook))
}

fn parse_programs(words: &mut Words<'_>) -> Result<Encap, Failure> {
    let [mut incoming, mut outgoing, mut xmit] = [None, None, None];
    let mut headroom = None;
    while let Some(word) = words.next() {
        let place = match word {
            "in" => &mut incoming,
            "out" => &mut outgoing,
            "xmit" => &mut xmit,
            "headroom" => {
                headroom = Some(words.number()?);
                continue;
            }
            _ => {
                words.back();
                break;
            }
        };
        *place = Some(Program::read(words, "pinned PATH or fd NUMBER")?);
    }
    Ok(Encap::Bpf([incoming, outgoing, xmit], headroom))
}

fn parse_xfrm(words: &mut Words<'_>, session: &mut Session) -> Result<Encap, Failure> {
    if !words.take("if_id") {
        words.value("if_id")?;
        return Err(words.refuse("if_id"));
    }
    let id = words.number()?;
    let link = match words.take("link_dev") {
        true => Some(session.interface(words.value("an interface")?)?),
        false => None,
    };
    Ok(Encap::Xfrm(id, link))
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
