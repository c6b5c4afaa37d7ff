//! The options of conntrack(8), and what they ask for.

use std::collections::BTreeSet;
use std::net::IpAddr;

use ringlink::codec::netfilter::Family;
use ringlink::codec::netfilter::conntrack::{
    DccpRole, DccpState, Endpoints, NatTarget, Protocol, SctpState, Status, TcpState,
};
use ringlink::codec::route;
use ringlink::codec::table::ValueTable;

use super::labels;
use crate::arguments::{Words, net, number};
use crate::failure::Failure;

/// What is done, as bits: which options go with it is one.
pub(super) mod verb {
    /// Show all.
    pub(in super::super) const LIST: u8 = 1;
    /// Show one.
    pub(in super::super) const GET: u8 = 2;
    /// Make one.
    pub(in super::super) const CREATE: u8 = 4;
    /// Change all that are chosen.
    pub(in super::super) const UPDATE: u8 = 8;
    /// Delete all that are chosen.
    pub(in super::super) const DELETE: u8 = 16;
    /// Tell what happens.
    pub(in super::super) const EVENTS: u8 = 32;
    /// Tell what there is and then what happens.
    pub(in super::super) const WATCH: u8 = 64;

    /// Those that choose.
    pub(super) const CHOOSE: u8 = LIST | UPDATE | DELETE | EVENTS;
    /// Those that choose, by what every event says: what an event leaves out is as before, and a watch cannot choose by it.
    pub(super) const TOLD: u8 = CHOOSE | WATCH;
    /// Those that name or choose.
    pub(super) const NAME: u8 = TOLD | GET | CREATE;
    /// Those that print.
    pub(super) const SHOW: u8 = LIST | GET | UPDATE | DELETE | EVENTS | WATCH;

    /// A verb's name.
    pub(super) fn name(verb: u8) -> &'static str {
        match verb {
            WATCH => "watch conntrack",
            LIST => "list",
            GET => "get",
            CREATE => "create",
            UPDATE => "update",
            DELETE => "delete",
            _ => "events",
        }
    }
}

/// An address and which of its bits count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    /// The address.
    pub(super) address: IpAddr,
    mask: u128,
}

impl Network {
    /// Whether an address lies in it.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && (bits(self.address) ^ bits(address)) & self.mask == 0
    }

    /// The address, where all its bits count.
    pub(super) fn host(&self) -> Option<IpAddr> {
        (self.mask == whole(self.address)).then_some(self.address)
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

/// A mask of all bits.
fn whole(address: IpAddr) -> u128 {
    if address.is_ipv4() { u32::MAX.into() } else { u128::MAX }
}

/// What is asked of one direction.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Half {
    /// Source address.
    pub(super) source: Option<Network>,
    /// Destination address.
    pub(super) destination: Option<Network>,
    /// Source port, or key of GRE.
    pub(super) source_port: Option<u16>,
    /// Destination port, or key of GRE.
    pub(super) destination_port: Option<u16>,
    /// Zone of this direction alone.
    pub(super) zone: Option<u16>,
}

impl Half {
    /// Whether a tuple is as asked for.
    pub(super) fn matches(&self, tuple: &Endpoints) -> bool {
        let within = |wanted: Option<Network>, address: Option<IpAddr>| {
            wanted.is_none_or(|wanted| address.is_some_and(|address| wanted.contains(address)))
        };
        within(self.source, tuple.source)
            && within(self.destination, tuple.destination)
            && self.source_port.is_none_or(|port| tuple.source_port == Some(port))
            && self.destination_port.is_none_or(|port| tuple.destination_port == Some(port))
            && self.zone.is_none_or(|zone| tuple.zone.unwrap_or(0) == zone)
    }

    /// As a tuple of this protocol.
    pub(super) fn tuple(&self, protocol: Option<Protocol>) -> Endpoints {
        Endpoints {
            source: self.source.map(|source| source.address),
            destination: self.destination.map(|destination| destination.address),
            protocol,
            source_port: self.source_port,
            destination_port: self.destination_port,
            zone: self.zone,
            ..Endpoints::default()
        }
    }

    /// Whether both addresses are there.
    pub(super) fn is_named(&self) -> bool {
        self.source.is_some() && self.destination.is_some()
    }
}

/// A state of one of the protocols that have them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Of TCP.
    Tcp(TcpState),
    /// Of SCTP.
    Sctp(SctpState),
    /// Of DCCP.
    Dccp(DccpState),
}

/// What the options ask for.
#[allow(clippy::struct_excessive_bools, reason = "options are independent of each other")]
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// Family; `UNSPEC` for all.
    pub(super) family: Family,
    /// Packets.
    pub(super) original: Half,
    /// Answers.
    pub(super) reply: Half,
    /// The tuple that is expected.
    pub(super) expected: Half,
    /// Which bits of that count.
    pub(super) mask: Half,
    /// Protocol.
    pub(super) protocol: Option<Protocol>,
    /// ICMP: type.
    pub(super) icmp_type: Option<u8>,
    /// ICMP: code.
    pub(super) icmp_code: Option<u8>,
    /// ICMP: identifier.
    pub(super) icmp_id: Option<u16>,
    /// State.
    pub(super) state: Option<State>,
    /// Role of DCCP.
    pub(super) role: Option<DccpRole>,
    /// Verification tags of SCTP.
    pub(super) tags: [Option<u32>; 2],
    /// Seconds.
    pub(super) timeout: Option<u32>,
    /// Mark, and which bits of it count.
    pub(super) mark: Option<(u32, Option<u32>)>,
    /// Status.
    pub(super) status: Option<Status>,
    /// Zone of both directions.
    pub(super) zone: Option<u16>,
    /// Translated source; what it is to be translated to.
    pub(super) source_nat: Option<NatTarget>,
    /// Translated destination; what it is to be translated to.
    pub(super) destination_nat: Option<NatTarget>,
    /// Translated somehow.
    pub(super) any_nat: bool,
    /// Labels that are set.
    pub(super) labels: BTreeSet<u16>,
    /// Labels to be set.
    pub(super) label_add: BTreeSet<u16>,
    /// Labels to be taken away; none for all.
    pub(super) label_remove: Option<BTreeSet<u16>>,
    /// Helper.
    pub(super) helper: Option<String>,
    /// Number.
    pub(super) id: Option<u32>,
    /// Count from 0 again.
    pub(super) zero: bool,
    /// Events that are told.
    pub(super) events: Option<Events>,
    /// How it is shown.
    pub(super) shown: Shown,
}

/// Events that are told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Events {
    /// Beginnings.
    pub(super) new: bool,
    /// Changes.
    pub(super) updates: bool,
    /// Ends.
    pub(super) destroy: bool,
}

/// How it is shown.
#[allow(clippy::struct_excessive_bools, reason = "they are independent of each other")]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shown {
    /// With the family.
    pub(super) extended: bool,
    /// With the number.
    pub(super) id: bool,
    /// With when an event was received.
    pub(super) timestamp: bool,
    /// With beginning and end.
    pub(super) times: bool,
    /// With labels.
    pub(super) labels: bool,
    /// As options that make it.
    pub(super) save: bool,
}

/// An option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Is {
    Source,
    Destination,
    ReplySource,
    ReplyDestination,
    TupleSource,
    TupleDestination,
    MaskSource,
    MaskDestination,
    SourcePort,
    DestinationPort,
    ReplySourcePort,
    ReplyDestinationPort,
    TupleSourcePort,
    TupleDestinationPort,
    MaskSourcePort,
    MaskDestinationPort,
    Protocol,
    Family,
    Timeout,
    Mark,
    Label,
    LabelAdd,
    LabelRemove,
    Status,
    SourceNat,
    DestinationNat,
    AnyNat,
    Zone,
    OriginalZone,
    ReplyZone,
    State,
    IcmpType,
    IcmpCode,
    IcmpId,
    OriginalTag,
    ReplyTag,
    Role,
    Helper,
    Id,
    Output,
    EventMask,
    Zero,
}

/// Names of each option, and the verbs that take it.
const OPTIONS: &[(&[&str], Is, u8)] = &[
    (&["-s", "--src", "--orig-src"], Is::Source, verb::NAME),
    (&["-d", "--dst", "--orig-dst"], Is::Destination, verb::NAME),
    (&["-r", "--reply-src"], Is::ReplySource, verb::NAME),
    (&["-q", "--reply-dst"], Is::ReplyDestination, verb::NAME),
    (&["--tuple-src"], Is::TupleSource, verb::NAME),
    (&["--tuple-dst"], Is::TupleDestination, verb::NAME),
    (&["--mask-src"], Is::MaskSource, verb::NAME),
    (&["--mask-dst"], Is::MaskDestination, verb::NAME),
    (&["--sport", "--orig-port-src", "--srckey", "--orig-key-src"], Is::SourcePort, verb::NAME),
    (&["--dport", "--orig-port-dst", "--dstkey", "--orig-key-dst"], Is::DestinationPort, verb::NAME),
    (&["--reply-port-src", "--reply-key-src"], Is::ReplySourcePort, verb::NAME),
    (&["--reply-port-dst", "--reply-key-dst"], Is::ReplyDestinationPort, verb::NAME),
    (&["--tuple-port-src"], Is::TupleSourcePort, verb::NAME),
    (&["--tuple-port-dst"], Is::TupleDestinationPort, verb::NAME),
    (&["--mask-port-src"], Is::MaskSourcePort, verb::CREATE),
    (&["--mask-port-dst"], Is::MaskDestinationPort, verb::CREATE),
    (&["-p", "--proto", "--protonum"], Is::Protocol, verb::NAME),
    (&["-f", "--family"], Is::Family, verb::NAME),
    (&["-t", "--timeout"], Is::Timeout, verb::CREATE | verb::UPDATE),
    (&["-m", "--mark"], Is::Mark, verb::TOLD | verb::CREATE),
    (&["-l", "--label"], Is::Label, verb::CHOOSE),
    (&["--label-add"], Is::LabelAdd, verb::CREATE | verb::UPDATE),
    (&["--label-del"], Is::LabelRemove, verb::UPDATE),
    (&["-u", "--status"], Is::Status, verb::TOLD | verb::CREATE),
    (&["-n", "--src-nat"], Is::SourceNat, verb::TOLD | verb::CREATE),
    (&["-g", "--dst-nat"], Is::DestinationNat, verb::TOLD | verb::CREATE),
    (&["-j", "--any-nat"], Is::AnyNat, verb::TOLD),
    (&["-w", "--zone"], Is::Zone, verb::NAME),
    (&["--orig-zone"], Is::OriginalZone, verb::NAME),
    (&["--reply-zone"], Is::ReplyZone, verb::NAME),
    (&["--state"], Is::State, verb::CHOOSE | verb::CREATE),
    (&["--icmp-type", "--icmpv6-type"], Is::IcmpType, verb::NAME),
    (&["--icmp-code", "--icmpv6-code"], Is::IcmpCode, verb::NAME),
    (&["--icmp-id", "--icmpv6-id"], Is::IcmpId, verb::NAME),
    (&["--orig-vtag"], Is::OriginalTag, verb::CHOOSE | verb::CREATE),
    (&["--reply-vtag"], Is::ReplyTag, verb::CHOOSE | verb::CREATE),
    (&["--role"], Is::Role, verb::CHOOSE | verb::CREATE),
    (&["--helper"], Is::Helper, verb::CHOOSE | verb::CREATE),
    (&["-i", "--id"], Is::Id, verb::TOLD),
    (&["-o", "--output"], Is::Output, verb::SHOW),
    (&["-e", "--event-mask"], Is::EventMask, verb::EVENTS),
    (&["-z", "--zero"], Is::Zero, verb::LIST),
];

/// Protocols by their names; the first of several is printed.
pub(super) const PROTOCOLS: &[(&str, Protocol)] = &[
    ("tcp", Protocol::TCP),
    ("udp", Protocol::UDP),
    ("icmp", Protocol::ICMP),
    ("icmpv6", Protocol::ICMPV6),
    ("ipv6-icmp", Protocol::ICMPV6),
    ("sctp", Protocol::SCTP),
    ("gre", Protocol::GRE),
    ("udplite", Protocol::UDPLITE),
    ("dccp", Protocol::DCCP),
    ("igmp", Protocol::IGMP),
    ("esp", Protocol::ESP),
    ("ah", Protocol::AH),
];

/// Bits of the status by conntrack's names.
pub(super) const STATUSES: &[(&str, Status)] = &[
    ("ASSURED", Status::ASSURED),
    ("SEEN_REPLY", Status::SEEN_REPLY),
    ("FIXED_TIMEOUT", Status::FIXED_TIMEOUT),
    ("EXPECTED", Status::EXPECTED),
    ("OFFLOAD", Status::OFFLOAD),
    ("HW_OFFLOAD", Status::HW_OFFLOAD),
    ("UNSET", Status(0)),
];

const PROTOCOL: &str =
    "a protocol (tcp, udp, icmp, icmpv6, sctp, gre, udplite, dccp, igmp, esp, ah) or its number, 0 to 255";
const ADDRESS: &str = "an IPv4 or IPv6 address, or a prefix";
const STATUS: &str = "ASSURED, SEEN_REPLY, FIXED_TIMEOUT, EXPECTED, OFFLOAD, HW_OFFLOAD or UNSET, with commas between";
const SHOWN: &str = "extended, id, timestamp, ktimestamp, labels or save, with commas between";

impl Wanted {
    /// Reads the options of a verb.
    pub(super) fn read(words: &mut Words<'_>, verb: u8, family: route::Family) -> Result<Self, Failure> {
        let mut wanted = Self {
            family: match family {
                route::Family::INET => Family::IPV4,
                route::Family::INET6 => Family::IPV6,
                _ => Family::UNSPEC,
            },
            ..Self::default()
        };
        // What hangs on the protocol, which may be said behind it.
        let mut state: Option<&str> = None;
        let mut masks = [None; 2];
        while let Some(word) = words.next() {
            let found = OPTIONS.iter().find(|(names, ..)| names.contains(&word));
            let Some((_, is, verbs)) = found else {
                let object = if verb == verb::WATCH { "" } else { "conntrack " };
                return Err(Failure::Usage(format!(
                    "`{word}`: expected an option of `ringlink {object}{}` (`ringlink conntrack help` shows them)",
                    verb::name(verb)
                )));
            };
            if verbs & verb == 0 {
                return Err(Failure::Usage(format!("`{word}` does not go with `{}`", verb::name(verb))));
            }
            match is {
                Is::State => state = Some(words.value("a state")?),
                Is::MaskSource => masks[0] = Some(words.parse("a mask", |word| word.parse::<IpAddr>().ok())?),
                Is::MaskDestination => masks[1] = Some(words.parse("a mask", |word| word.parse::<IpAddr>().ok())?),
                is => wanted.option(*is, words)?,
            }
        }
        if let Some(word) = state {
            wanted.state = Some(wanted.state_named(word)?);
        }
        wanted.mask_by(masks)?;
        wanted.settle()?;
        Ok(wanted)
    }

    fn option(&mut self, is: Is, words: &mut Words<'_>) -> Result<(), Failure> {
        match is {
            Is::Source => self.original.source = Some(self.network(words)?),
            Is::Destination => self.original.destination = Some(self.network(words)?),
            Is::ReplySource => self.reply.source = Some(self.network(words)?),
            Is::ReplyDestination => self.reply.destination = Some(self.network(words)?),
            Is::TupleSource => self.expected.source = Some(self.network(words)?),
            Is::TupleDestination => self.expected.destination = Some(self.network(words)?),
            Is::SourcePort => self.original.source_port = Some(words.number()?),
            Is::DestinationPort => self.original.destination_port = Some(words.number()?),
            Is::ReplySourcePort => self.reply.source_port = Some(words.number()?),
            Is::ReplyDestinationPort => self.reply.destination_port = Some(words.number()?),
            Is::TupleSourcePort => self.expected.source_port = Some(words.number()?),
            Is::TupleDestinationPort => self.expected.destination_port = Some(words.number()?),
            Is::MaskSourcePort => self.mask.source_port = Some(words.number()?),
            Is::MaskDestinationPort => self.mask.destination_port = Some(words.number()?),
            Is::Protocol => self.protocol = Some(words.parse(PROTOCOL, protocol)?),
            Is::Family => {
                let family = words.parse("ipv4 or ipv6", |word| match word {
                    "ipv4" | "inet" => Some(Family::IPV4),
                    "ipv6" | "inet6" => Some(Family::IPV6),
                    _ => None,
                })?;
                self.belong(family, words)?;
            }
            Is::Timeout => self.timeout = Some(words.number()?),
            Is::Mark => {
                self.mark = Some(words.parse("a mark, or MARK/MASK", |word| match word.split_once('/') {
                    Some((mark, mask)) => Some((number(mark)?, Some(number(mask)?))),
                    None => Some((number(word)?, None)),
                })?);
            }
            Is::Label => drop(self.labels.insert(words.parse(labels::EXPECTED, labels::number)?)),
            Is::LabelAdd => drop(self.label_add.insert(words.parse(labels::EXPECTED, labels::number)?)),
            Is::LabelRemove => {
                let remove = self.label_remove.get_or_insert_default();
                if words.peek().is_some_and(|word| !word.starts_with('-')) {
                    remove.insert(words.parse(labels::EXPECTED, labels::number)?);
                }
            }
            Is::Status => {
                let given = words.parse(STATUS, |word| {
                    word.split(',').try_fold(Status(0), |all, word| {
                        let same = |(name, _): &&(&str, Status)| name.eq_ignore_ascii_case(word);
                        Some(all | STATUSES.iter().find(same)?.1)
                    })
                })?;
                self.status = Some(self.status.unwrap_or_default() | given);
            }
            Is::SourceNat => self.source_nat = Some(self.target(words)?),
            Is::DestinationNat => self.destination_nat = Some(self.target(words)?),
            Is::AnyNat => self.any_nat = true,
            Is::Zone => self.zone = Some(words.number()?),
            Is::OriginalZone => self.original.zone = Some(words.number()?),
            Is::ReplyZone => self.reply.zone = Some(words.number()?),
            Is::IcmpType => self.icmp_type = Some(words.number()?),
            Is::IcmpCode => self.icmp_code = Some(words.number()?),
            Is::IcmpId => self.icmp_id = Some(words.number()?),
            Is::OriginalTag => self.tags[0] = Some(words.number()?),
            Is::ReplyTag => self.tags[1] = Some(words.number()?),
            Is::Role => {
                self.role = Some(words.parse("client or server", |word| match word {
                    "client" => Some(DccpRole::CLIENT),
                    "server" => Some(DccpRole::SERVER),
                    _ => None,
                })?);
            }
            Is::Helper => {
                // The kernel's names of helpers have room for 15 bytes.
                let helper = words.parse("a helper's name, of at most 15 bytes", |word| {
                    (!word.is_empty() && word.len() < 16).then_some(word)
                })?;
                self.helper = Some(helper.to_owned());
            }
            Is::Id => self.id = Some(words.number()?),
            Is::Output => {
                for word in words.value(SHOWN)?.split(',') {
                    match word {
                        "extended" => self.shown.extended = true,
                        "id" => self.shown.id = true,
                        "timestamp" => self.shown.timestamp = true,
                        "ktimestamp" => self.shown.times = true,
                        "labels" => self.shown.labels = true,
                        "save" => self.shown.save = true,
                        _ => return Err(words.refuse(SHOWN)),
                    }
                }
            }
            Is::EventMask => {
                const EXPECTED: &str = "ALL, NEW, UPDATES or DESTROY, with commas between";
                let mut events = self.events.unwrap_or_default();
                for word in words.value(EXPECTED)?.split(',') {
                    match &*word.to_ascii_uppercase() {
                        "ALL" => events = Events { new: true, updates: true, destroy: true },
                        "NEW" => events.new = true,
                        "UPDATES" | "UPDATE" => events.updates = true,
                        "DESTROY" => events.destroy = true,
                        _ => return Err(words.refuse(EXPECTED)),
                    }
                }
                self.events = Some(events);
            }
            Is::Zero => self.zero = true,
            // Read where they are met, because they hang on what may follow.
            Is::State | Is::MaskSource | Is::MaskDestination => {}
        }
        Ok(())
    }

    /// The next word as an address or prefix, of the family of those before.
    fn network(&mut self, words: &mut Words<'_>) -> Result<Network, Failure> {
        let found =
            words.parse(ADDRESS, |word| net(word, route::Family::UNSPEC).filter(|net| net.address.is_some()))?;
        let Some(address) = found.address else { return Err(words.refuse(ADDRESS)) };
        self.belong(family_of(address), words)?;
        let unused = if address.is_ipv4() { 32 } else { 128 } - u32::from(found.length);
        Ok(Network { address, mask: whole(address) & u128::MAX.checked_shl(unused).unwrap_or(0) })
    }

    /// What an address is translated to: nothing said, or `ADDRESS`, `ADDRESS:PORT`, `[ADDRESS]:PORT`.
    fn target(&mut self, words: &mut Words<'_>) -> Result<NatTarget, Failure> {
        if words.peek().is_none_or(|word| word.starts_with('-')) {
            return Ok(NatTarget::default());
        }
        let target = words.parse("an address, ADDRESS:PORT or [ADDRESS]:PORT", |word| {
            if let Ok(address) = word.parse() {
                return Some(NatTarget { address: Some(address), port: None });
            }
            let (address, port) = word.rsplit_once(':')?;
            let address = match address.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
                Some(inner) => IpAddr::V6(inner.parse().ok()?),
                None => IpAddr::V4(address.parse().ok()?),
            };
            Some(NatTarget { address: Some(address), port: Some(number(port)?) })
        })?;
        if let Some(address) = target.address {
            self.belong(family_of(address), words)?;
        }
        Ok(target)
    }

    /// All addresses are of one family.
    fn belong(&mut self, family: Family, words: &Words<'_>) -> Result<(), Failure> {
        match self.family {
            Family::UNSPEC => self.family = family,
            known if known == family => {}
            Family::IPV6 => return Err(words.refuse("IPv6, as what comes before it")),
            _ => return Err(words.refuse("IPv4, as what comes before it")),
        }
        Ok(())
    }

    fn state_named(&self, word: &str) -> Result<State, Failure> {
        let upper = word.to_ascii_uppercase();
        // An old name of the same number.
        let name = if upper == "LISTEN" { "SYN_SENT2" } else { &upper };
        let among = |table: &'static ValueTable| {
            let number = table.value_of(name).and_then(|number| u8::try_from(number).ok());
            number.ok_or_else(|| {
                let names: Vec<&str> = table.rows.iter().map(|row| row.name).collect();
                Failure::Usage(format!("`{word}` after `--state`: expected {}", names.join(", ")))
            })
        };
        match self.protocol {
            Some(Protocol::TCP) => Ok(State::Tcp(TcpState(among(TcpState::TABLE)?))),
            Some(Protocol::SCTP) => Ok(State::Sctp(SctpState(among(SctpState::TABLE)?))),
            Some(Protocol::DCCP) => Ok(State::Dccp(DccpState(among(DccpState::TABLE)?))),
            _ => Err(Failure::Usage("`--state`: expected -p tcp, -p sctp or -p dccp with it".to_owned())),
        }
    }

    /// Puts masks to their addresses: those of connections, or of what is expected.
    fn mask_by(&mut self, masks: [Option<IpAddr>; 2]) -> Result<(), Failure> {
        let expects = self.expected.source.is_some() || self.expected.destination.is_some();
        if expects {
            let host = |address: IpAddr| Network { address, mask: whole(address) };
            self.mask.source = masks[0].map(host);
            self.mask.destination = masks[1].map(host);
            return Ok(());
        }
        let halves =
            [(&mut self.original.source, "--mask-src", "-s"), (&mut self.original.destination, "--mask-dst", "-d")];
        for ((network, option, address), mask) in halves.into_iter().zip(masks) {
            let Some(mask) = mask else { continue };
            match network {
                Some(network) if network.address.is_ipv4() == mask.is_ipv4() => network.mask = bits(mask),
                _ => {
                    return Err(Failure::Usage(format!(
                        "`{option}`: expected {address} ADDRESS of its family with it"
                    )));
                }
            }
        }
        Ok(())
    }

    /// What one option says of another.
    fn settle(&mut self) -> Result<(), Failure> {
        let icmp = self.icmp_type.is_some() || self.icmp_code.is_some() || self.icmp_id.is_some();
        match self.protocol {
            Some(Protocol::ICMP) if self.family == Family::UNSPEC => self.family = Family::IPV4,
            Some(Protocol::ICMPV6) if self.family == Family::UNSPEC => self.family = Family::IPV6,
            Some(Protocol::ICMP | Protocol::ICMPV6) => {}
            _ if icmp => {
                return Err(Failure::Usage("`--icmp-…`: expected -p icmp or -p icmpv6 with it".to_owned()));
            }
            _ => {}
        }
        if self.tags.iter().any(Option::is_some) && self.protocol != Some(Protocol::SCTP) {
            return Err(Failure::Usage("`--orig-vtag`, `--reply-vtag`: expected -p sctp with it".to_owned()));
        }
        if self.role.is_some() && self.protocol != Some(Protocol::DCCP) {
            return Err(Failure::Usage("`--role`: expected -p dccp with it".to_owned()));
        }
        Ok(())
    }

    /// The tuple of the packets, with what ICMP has.
    pub(super) fn original_tuple(&self) -> Endpoints {
        Endpoints {
            icmp_type: self.icmp_type,
            icmp_code: self.icmp_code,
            icmp_id: self.icmp_id,
            ..self.original.tuple(self.protocol)
        }
    }
}

/// The family of an address.
fn family_of(address: IpAddr) -> Family {
    if address.is_ipv4() { Family::IPV4 } else { Family::IPV6 }
}

/// A protocol by its name or number.
fn protocol(word: &str) -> Option<Protocol> {
    let named = PROTOCOLS.iter().find(|(name, _)| *name == word).map(|(_, protocol)| *protocol);
    named.or_else(|| number(word).map(Protocol))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, verb: u8) -> Result<Wanted, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        Wanted::read(&mut Words::new(&words), verb, route::Family::UNSPEC).map_err(|failure| failure.to_string())
    }

    #[test]
    fn options_are_read_as_conntrack_reads_them() {
        let wanted =
            read("-p tcp -s 10.0.0.0/8 --dport 80 --state established -m 0x5/0xff -u ASSURED", verb::LIST).unwrap();
        assert_eq!((wanted.family, wanted.protocol), (Family::IPV4, Some(Protocol::TCP)));
        assert_eq!(wanted.state, Some(State::Tcp(TcpState::ESTABLISHED)));
        assert_eq!((wanted.mark, wanted.status), (Some((5, Some(0xff))), Some(Status::ASSURED)));
        let network = wanted.original.source.unwrap();
        assert!(network.contains([10, 9, 8, 7].into()) && !network.contains([11, 0, 0, 0].into()));
        assert_eq!(network.host(), None);
        let wanted = read("-s 10.1.2.3 --mask-src 255.0.255.0", verb::DELETE).unwrap();
        let network = wanted.original.source.unwrap();
        assert!(network.contains([10, 9, 2, 7].into()) && !network.contains([10, 9, 3, 7].into()));
        let wanted = read("-n -g [2001:db8::1]:80", verb::CREATE).unwrap();
        assert_eq!(wanted.source_nat, Some(NatTarget::default()));
        assert_eq!(wanted.destination_nat.unwrap().port, Some(80));
        assert_eq!(read("-s ::/0", verb::LIST).unwrap().original.source.unwrap().mask, 0);
        assert_eq!(read("-p icmpv6", verb::LIST).unwrap().family, Family::IPV6);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (line, verb, error) in [
            ("-p tpc", verb::LIST, "`tpc` after `-p`: expected a protocol (tcp, udp"),
            ("-p 256", verb::LIST, "0 to 255"),
            ("-s 10.0.0.256", verb::LIST, "`10.0.0.256` after `-s`: expected an IPv4 or IPv6 address"),
            ("-s 10.0.0.1 -d 2001:db8::1", verb::LIST, "`2001:db8::1` after `-d`: expected IPv4, as what comes before"),
            ("-f ipv6 -s 10.0.0.1", verb::LIST, "expected IPv6"),
            ("--sport 65536 -p tcp", verb::LIST, "expected a number from 0 to 65535"),
            ("--state ESTABLISHED", verb::LIST, "expected -p tcp"),
            ("-p sctp --state SYN_SENT", verb::LIST, "expected NONE, CLOSED"),
            ("-t 10", verb::LIST, "`-t` does not go with `list`"),
            ("-z", verb::DELETE, "`-z` does not go with `delete`"),
            ("-u ASURED", verb::LIST, "expected ASSURED"),
            ("--icmp-id 5", verb::LIST, "expected -p icmp"),
            ("--mask-src 255.0.0.0", verb::LIST, "expected -s ADDRESS"),
            ("-m", verb::LIST, "the line ends after `-m`"),
            ("-m 1/", verb::LIST, "expected a mark"),
            ("-l 128", verb::LIST, "expected a label"),
            ("-e FRESH", verb::EVENTS, "expected ALL, NEW"),
            ("tcp", verb::LIST, "`tcp`: expected an option"),
        ] {
            let found = read(line, verb).unwrap_err();
            assert!(found.contains(error), "{line}: {found}");
        }
    }
}
