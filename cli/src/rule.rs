//! `rule`: shows and changes the rules that choose a routing table.

use std::collections::HashMap;
use std::sync::OnceLock;

use ringlink::codec::Error;
use ringlink::codec::route::{
    Family, PortRange, RouteProtocol, RouteTable, RouteType, Rtm, Rule, RuleAction, RuleFlags, RuleHeader, RuleMessage,
    ShortTable, UidRange,
};
use ringlink::codec::table::{AttributeWriter, Body, InetAddress, Operation};

use crate::arguments::{Net, Words, bits_of, keyword};
use crate::failure::Failure;
use crate::names::{Names, realms};
use crate::output::{Formatted, Hex, Interface, Kind, Output, Prefix, Show};
use crate::route::{Class, Type, realms_of, table_of, tos_of};
use crate::session::{Session, warn};

/// What `ringlink rule help` says.
pub(crate) const HELP: &str = "\
ringlink rule [show] [SELECTOR]
ringlink rule add|del [not] [SELECTOR] [ACTION]

SELECTOR  from PREFIX, to PREFIX, pref N, tos N, fwmark N[/MASK], iif DEV, oif DEV, l3mdev, uidrange A-B,
          ipproto P, sport N[-N], dport N[-N], tun_id N, protocol NAME, table NAME
ACTION    lookup TABLE [suppress_prefixlength N] [suppress_ifgroup N] [realms FROM/TO], goto N, nop,
          blackhole, unreachable, prohibit
";

const VERBS: &[&str] = &["list", "lst", "show", "add", "delete"];

/// Does what the words behind `rule` say.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(verb) = words.next() else {
        return show(session, words);
    };
    match keyword(verb, VERBS) {
        Some("list" | "lst" | "show") => show(session, words),
        Some("add") => change(session, words, Rtm::NEWRULE.create().exclusive()),
        Some("delete") => change(session, words, Rtm::DELRULE),
        _ => Err(words.refuse("show, add or del")),
    }
}

/// Shows rules: IPv4's where no family is asked for, as `ip` does.
fn show(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = Draft::parse(session, words)?;
    let family = wanted.family();
    let details = session.options.details || session.options.json;
    let header = RuleHeader { family, ..RuleHeader::default() };
    session.dump(
        Rtm::GETRULE,
        header,
        |_| {},
        |output, names, body| {
            if body.header.family == family && wanted.matches(body)? {
                print(output, names, body, details)?;
            }
            Ok(())
        },
    )?;
    session.finish()
}

/// Prints a rule.
pub(crate) fn print(
    output: &mut Output,
    names: &Names,
    body: Body<'_, RuleMessage>,
    details: bool,
) -> Result<(), Error> {
    let header = body.header;
    let (
        (priority, src, dst, mark, mask, iif, oif, l3mdev, users, ip_protocol, sport, dport),
        (tunnel, table, prefix, group, flow, goto, protocol, dscp),
    ) = body.attributes.read((
        (
            Rule::PRIORITY,
            Rule::SRC,
            Rule::DST,
            Rule::FWMARK,
            Rule::FWMASK,
            Rule::IIFNAME,
            Rule::OIFNAME,
            Rule::L3MDEV,
            Rule::UID_RANGE,
            Rule::IP_PROTO,
            Rule::SPORT_RANGE,
            Rule::DPORT_RANGE,
        ),
        (
            Rule::TUN_ID,
            Rule::TABLE,
            Rule::SUPPRESS_PREFIXLEN,
            Rule::SUPPRESS_IFGROUP,
            Rule::FLOW,
            Rule::GOTO,
            Rule::PROTOCOL,
            Rule::DSCP,
        ),
    ))?;
    let table = table.unwrap_or(RouteTable::from(header.table));
    output.row(|row| {
        if body.message.kind == Rtm::DELRULE.kind {
            row.yes("deleted", "Deleted");
        }
        row.field("priority", "", priority.unwrap_or(0));
        row.glue(":\t");
        row.tight();
        if header.flags.contains(RuleFlags::INVERT) {
            row.null("not", "not");
        }
        let bits = bits_of(header.family);
        match src {
            Some(address) => selector(row, ["src", "srclen", "from"], address, header.src_len, bits),
            None if header.src_len != 0 => {
                row.field("src", "from", "0");
                row.json("srclen", header.src_len);
                row.glue(Formatted(format_args!("/{}", header.src_len)));
            }
            None => row.field("src", "from", "all"),
        }
        match dst {
            Some(address) => selector(row, ["dst", "dstlen", "to"], address, header.dst_len, bits),
            None if header.dst_len != 0 => {
                row.field("dst", "to", "0");
                row.json("dstlen", header.dst_len);
                row.glue(Formatted(format_args!("/{}", header.dst_len)));
            }
            None => {}
        }
        if header.tos != 0 {
            row.field("tos", "tos", Class(names.classes().name(header.tos)));
        }
        if let Some(point) = dscp {
            row.field("dscp", "dscp", point);
        }
        print_mark(row, mark, mask);
        if let Some(name) = iif {
            row.field("iif", "iif", Interface(name.as_bytes()));
            if header.flags.contains(RuleFlags::IIF_DETACHED) {
                row.null("iif_detached", "[detached]");
            }
        }
        if let Some(name) = oif {
            row.field("oif", "oif", Interface(name.as_bytes()));
            if header.flags.contains(RuleFlags::OIF_DETACHED) {
                row.null("oif_detached", "[detached]");
            }
        }
        if l3mdev.is_some_and(|l3mdev| l3mdev != 0) {
            row.null("l3mdev", "lookup [l3mdev-table]");
        }
        if let Some(UidRange { start, end }) = users {
            row.json("uid_start", start);
            row.json("uid_end", end);
            row.word("uidrange");
            row.word(Formatted(format_args!("{start}-{end}")));
        }
        if let Some(number) = ip_protocol {
            row.field("ipproto", "ipproto", IpProtocol(number));
        }
        print_ports(row, ["sport", "sport_start", "sport_end"], sport);
        print_ports(row, ["dport", "dport_start", "dport_end"], dport);
        if let Some(key) = tunnel {
            row.field("tun_id", "tun_id", key);
        }
        if table != RouteTable::UNSPEC {
            row.field("table", "lookup", names.tables().name(table.0));
            if let Some(length) = prefix.filter(|length| *length != u32::MAX) {
                row.field("suppress_prefixlen", "suppress_prefixlength", length);
            }
            if let Some(group) = group.filter(|group| *group != u32::MAX) {
                row.field("suppress_ifgroup", "suppress_ifgroup", names.groups().name(group));
            }
        }
        if let Some(flow) = flow.filter(|flow| *flow != 0) {
            row.word("realms");
            realms(row, names, flow, ["flow_from", "flow_to"]);
        }
        print_action(row, header, goto);
        let usual = matches!(protocol, None | Some(RouteProtocol::UNSPEC | RouteProtocol::KERNEL));
        if let Some(RouteProtocol(number)) = protocol.filter(|_| details || !usual) {
            row.field("protocol", "proto", names.protocols().name(number));
        }
        Ok(())
    })
}

/// A prefix, whose length is a member of its own in JSON.
fn selector(
    row: &mut Output,
    [key, length_key, label]: [&'static str; 3],
    address: InetAddress<'_>,
    length: u8,
    bits: u8,
) {
    row.json(key, address);
    if length == bits {
        row.word(label);
        return row.word(address);
    }
    row.json(length_key, length);
    row.word(label);
    row.word(Prefix { address, length });
}

fn print_mark(row: &mut Output, mark: Option<u32>, mask: Option<u32>) {
    if mark.is_none() && mask.is_none() {
        return;
    }
    let mark = mark.unwrap_or(0);
    row.field("fwmark", "fwmark", Hex(u64::from(mark)));
    if let Some(mask) = mask.filter(|mask| *mask != u32::MAX) {
        row.json("fwmask", Hex(u64::from(mask)));
        row.glue("/");
        row.glue(Hex(u64::from(mask)));
    }
}

fn print_ports(row: &mut Output, [key, first, last]: [&'static str; 3], range: Option<PortRange>) {
    let Some(PortRange { start, end }) = range else { return };
    if start == end {
        return row.field(key, key, start);
    }
    row.json(first, start);
    row.json(last, end);
    row.word(key);
    row.word(Formatted(format_args!("{start}-{end}")));
}

fn print_action(row: &mut Output, header: RuleHeader, goto: Option<u32>) {
    match header.action {
        RuleAction::GOTO => {
            match goto {
                Some(target) => row.field("goto", "goto", target),
                None => row.field("goto", "goto", "none"),
            }
            if header.flags.contains(RuleFlags::UNRESOLVED) {
                row.null("unresolved", "[unresolved]");
            }
        }
        RuleAction::NOP => row.null("nop", "nop"),
        RuleAction::TO_TBL => {}
        // Numbers of actions are those of route types, of which `ip` may make any; this one has a word of its own.
        RuleAction(number) if RouteType(number) == RouteType::NAT => row.null("masquerade", "masquerade"),
        RuleAction(number) => row.field("action", "", Type(RouteType(number))),
    }
}

/// A rule as the command line has it, to be made or to be looked for.
#[derive(Clone, Default)]
pub(crate) struct Draft {
    family: Family,
    invert: bool,
    from: Option<Net>,
    to: Option<Net>,
    priority: Option<u32>,
    tos: u8,
    mark: Option<u32>,
    mask: Option<u32>,
    realms: Option<u32>,
    protocol: Option<RouteProtocol>,
    table: Option<RouteTable>,
    prefix: Option<u32>,
    group: Option<u32>,
    iif: Option<String>,
    oif: Option<String>,
    l3mdev: bool,
    users: Option<UidRange>,
    tunnel: Option<u64>,
    ip_protocol: Option<u8>,
    sport: Option<PortRange>,
    dport: Option<PortRange>,
    goto: Option<u32>,
    action: Option<RuleAction>,
}

fn change(session: &mut Session, words: &mut Words<'_>, operation: Operation<RuleMessage>) -> Result<(), Failure> {
    let deletes = operation.kind == Rtm::DELRULE.kind;
    let mut draft = Draft { family: session.options.family(), ..Draft::default() };
    if words.peek().is_none() {
        return Err(words.refuse_end("what the rule is about, for example `from PREFIX` or `pref N`"));
    }
    while let Some(word) = words.next() {
        draft.read(word, words, session)?;
    }
    let header = draft.header(deletes);
    if let Some(warning) = session.connection.apply(operation, header, |rule| draft.put(rule))? {
        warn(format_args!("{warning}"));
    }
    Ok(())
}

const EXPECTED: &str = "from, to, pref, tos, fwmark, iif, oif, lookup, goto or another word of `rule help`";

impl Draft {
    /// The rules that these words look for.
    pub(crate) fn parse(session: &Session, words: &mut Words<'_>) -> Result<Self, Failure> {
        let mut wanted = Self { family: session.options.family(), ..Self::default() };
        while let Some(word) = words.next() {
            wanted.read(word, words, session)?;
        }
        Ok(wanted)
    }

    /// The family: IPv4 where none is said, as `ip` has it.
    pub(crate) fn family(&self) -> Family {
        if self.family == Family::UNSPEC { Family::INET } else { self.family }
    }

    fn read(&mut self, word: &str, words: &mut Words<'_>, session: &Session) -> Result<(), Failure> {
        match word {
            "not" => self.invert = true,
            "from" => self.from = Some(self.net(words)?),
            "to" => self.to = Some(self.net(words)?),
            "pref" | "preference" | "priority" | "prio" | "order" => self.priority = Some(words.number()?),
            "tos" | "dsfield" => self.tos = tos_of(words, session)?,
            "fwmark" => {
                let (mark, mask) = words.parse("a mark, N or N/MASK", |word| match word.split_once('/') {
                    Some((mark, mask)) => {
                        Some((crate::arguments::number(mark)?, Some(crate::arguments::number(mask)?)))
                    }
                    None => Some((crate::arguments::number(word)?, None)),
                })?;
                (self.mark, self.mask) = (Some(mark), mask);
            }
            "realms" | "realm" => self.realms = Some(realms_of(words, session)?),
            "proto" | "protocol" => {
                let protocols = session.names.protocols();
                let named = |word| u8::try_from(protocols.number(word)?).ok().map(RouteProtocol);
                self.protocol = Some(words.parse("a protocol's name or number", named)?);
            }
            "table" | "lookup" => self.table = Some(table_of(words, session)?),
            "suppress_prefixlength" | "suppress_prefixlen" | "sup_pl" => self.prefix = Some(words.number()?),
            "suppress_ifgroup" | "sup_group" => {
                let groups = session.names.groups();
                self.group = Some(words.parse("a group of interfaces", |word| groups.number(word))?);
            }
            "iif" | "dev" => self.iif = Some(words.value("an interface's name")?.to_owned()),
            "oif" => self.oif = Some(words.value("an interface's name")?.to_owned()),
            "l3mdev" => self.l3mdev = true,
            "uidrange" => {
                let (start, end) = words.parse("user ids, FIRST-LAST", range)?;
                self.users = Some(UidRange { start, end });
            }
            "tun_id" => self.tunnel = Some(words.number()?),
            "ipproto" => self.ip_protocol = Some(ip_protocol(words)?),
            "sport" => self.sport = Some(ports(words)?),
            "dport" => self.dport = Some(ports(words)?),
            "goto" => (self.goto, self.action) = (Some(words.number()?), Some(RuleAction::GOTO)),
            "nop" => self.action = Some(RuleAction::NOP),
            "type" => {
                self.action = Some(words.parse("blackhole, unreachable, prohibit or unicast", action)?);
            }
            _ => match action(word) {
                Some(action) => self.action = Some(action),
                None => return Err(words.refuse(EXPECTED)),
            },
        }
        Ok(())
    }

    fn net(&mut self, words: &mut Words<'_>) -> Result<Net, Failure> {
        let net = words.net(self.family)?;
        if self.family == Family::UNSPEC {
            self.family = net.family();
        }
        Ok(net)
    }

    fn header(&self, deletes: bool) -> RuleHeader {
        let action = self.action.unwrap_or(if deletes { RuleAction::UNSPEC } else { RuleAction::TO_TBL });
        // A rule that says nothing of a table is made to look in the main one.
        let looks_up = !deletes && action == RuleAction::TO_TBL && !self.l3mdev;
        let table = self.table.unwrap_or(if looks_up { RouteTable::MAIN } else { RouteTable::UNSPEC });
        let length = |net: Option<Net>| net.map_or(0, |net| net.length);
        RuleHeader {
            family: self.family(),
            dst_len: length(self.to),
            src_len: length(self.from),
            tos: self.tos,
            table: ShortTable(u8::try_from(table.0).unwrap_or(ShortTable::UNSPEC.0)),
            action,
            flags: if self.invert { RuleFlags::INVERT } else { RuleFlags::default() },
            ..RuleHeader::default()
        }
    }

    fn put(&self, rule: &mut AttributeWriter<'_, '_, Rule>) {
        rule.put_some(Rule::DST, self.to.and_then(|net| net.address));
        rule.put_some(Rule::SRC, self.from.and_then(|net| net.address));
        rule.put_some(Rule::PRIORITY, self.priority);
        rule.put_some(Rule::FWMARK, self.mark);
        rule.put_some(Rule::FWMASK, self.mask);
        rule.put_some(Rule::FLOW, self.realms);
        rule.put_some(Rule::PROTOCOL, self.protocol);
        if let Some(table) = self.table.filter(|table| table.0 > 255) {
            rule.put(Rule::TABLE, table);
        }
        rule.put_some(Rule::SUPPRESS_PREFIXLEN, self.prefix);
        rule.put_some(Rule::SUPPRESS_IFGROUP, self.group);
        rule.put_some(Rule::IIFNAME, self.iif.as_deref());
        rule.put_some(Rule::OIFNAME, self.oif.as_deref());
        if self.l3mdev {
            rule.put(Rule::L3MDEV, 1);
        }
        rule.put_some(Rule::UID_RANGE, self.users);
        rule.put_some(Rule::TUN_ID, self.tunnel);
        rule.put_some(Rule::IP_PROTO, self.ip_protocol);
        rule.put_some(Rule::SPORT_RANGE, self.sport);
        rule.put_some(Rule::DPORT_RANGE, self.dport);
        rule.put_some(Rule::GOTO, self.goto);
    }

    /// Whether a rule is one that was asked for.
    pub(crate) fn matches(&self, body: Body<'_, RuleMessage>) -> Result<bool, Error> {
        let header = body.header;
        let (priority, src, dst, mark, mask, iif, oif, table, protocol, l3mdev, users, ip_protocol) =
            body.attributes.read((
                Rule::PRIORITY,
                Rule::SRC,
                Rule::DST,
                Rule::FWMARK,
                Rule::FWMASK,
                Rule::IIFNAME,
                Rule::OIFNAME,
                Rule::TABLE,
                Rule::PROTOCOL,
                Rule::L3MDEV,
                Rule::UID_RANGE,
                Rule::IP_PROTO,
            ))?;
        let table = table.unwrap_or(RouteTable::from(header.table));
        let lies = |net: Option<Net>, address: Option<InetAddress<'_>>, length| {
            net.is_none_or(|net| match (net.address, address) {
                (None, _) => true,
                (Some(_), None) => false,
                (Some(_), Some(address)) => net.contains(address.0, length),
            })
        };
        Ok(lies(self.from, src, header.src_len)
            && lies(self.to, dst, header.dst_len)
            && self.priority.is_none_or(|wanted| priority.unwrap_or(0) == wanted)
            && (self.tos == 0 || header.tos == self.tos)
            && self.mark.is_none_or(|wanted| mark == Some(wanted))
            && self.mask.is_none_or(|wanted| mask == Some(wanted))
            && self.iif.as_ref().is_none_or(|wanted| iif.is_some_and(|name| name == wanted.as_str()))
            && self.oif.as_ref().is_none_or(|wanted| oif.is_some_and(|name| name == wanted.as_str()))
            && self.table.is_none_or(|wanted| table == wanted)
            && self.protocol.is_none_or(|wanted| protocol == Some(wanted))
            && (!self.l3mdev || l3mdev.is_some_and(|l3mdev| l3mdev != 0))
            && self.users.is_none_or(|wanted| users == Some(wanted))
            && self.ip_protocol.is_none_or(|wanted| ip_protocol == Some(wanted))
            && self.action.is_none_or(|wanted| header.action == wanted))
    }
}

/// The action that a word names: its number is that of a route's type.
fn action(word: &str) -> Option<RuleAction> {
    match word {
        "unicast" => Some(RuleAction::TO_TBL),
        "blackhole" => Some(RuleAction::BLACKHOLE),
        "unreachable" => Some(RuleAction::UNREACHABLE),
        "prohibit" => Some(RuleAction::PROHIBIT),
        _ => None,
    }
}

/// `A-B`.
fn range<T: crate::arguments::Number>(word: &str) -> Option<(T, T)> {
    let (first, last) = word.split_once('-')?;
    Some((crate::arguments::number(first)?, crate::arguments::number(last)?))
}

/// The next word as one port or several.
fn ports(words: &mut Words<'_>) -> Result<PortRange, Failure> {
    words.parse("a port, or ports FIRST-LAST", |word| {
        let (start, end) = match crate::arguments::number(word) {
            Some(port) => (port, port),
            None => range(word)?,
        };
        Some(PortRange { start, end })
    })
}

/// The next word as a transport protocol.
pub(crate) fn ip_protocol(words: &mut Words<'_>) -> Result<u8, Failure> {
    words.parse("a transport protocol's name or number", ip_protocol_named)
}

/// A transport protocol by its name or number.
pub(crate) fn ip_protocol_named(word: &str) -> Option<u8> {
    let known = ip_protocols().iter().find(|(_, name)| **name == *word).map(|(number, _)| *number);
    known.or_else(|| crate::arguments::number(word))
}

/// A transport protocol by its name in `/etc/protocols`.
pub(crate) struct IpProtocol(pub(crate) u8);

impl IpProtocol {
    /// Its name, where it has one.
    pub(crate) fn name(&self) -> Option<&'static str> {
        ip_protocols().get(&self.0).map(String::as_str)
    }
}

impl Show for IpProtocol {
    const KIND: Kind = Kind::Text;

    fn show(&self, bytes: &mut Vec<u8>) {
        match self.name() {
            Some(name) => bytes.extend_from_slice(name.as_bytes()),
            None => Formatted(format_args!("ipproto-{}", self.0)).show(bytes),
        }
    }
}

/// Transport protocols: those that everyone knows, and those of `/etc/protocols`.
fn ip_protocols() -> &'static HashMap<u8, String> {
    static PROTOCOLS: OnceLock<HashMap<u8, String>> = OnceLock::new();
    PROTOCOLS.get_or_init(|| {
        const KNOWN: [(u8, &str); 7] =
            [(1, "icmp"), (6, "tcp"), (17, "udp"), (47, "gre"), (58, "ipv6-icmp"), (89, "ospf"), (132, "sctp")];
        let mut protocols: HashMap<u8, String> = KNOWN.map(|(number, name)| (number, name.to_owned())).into();
        let text = std::fs::read_to_string("/etc/protocols").unwrap_or_default();
        for line in text.lines() {
            let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
            if let (Some(name), Some(Ok(number))) = (words.next(), words.next().map(str::parse)) {
                protocols.insert(number, name.to_owned());
            }
        }
        protocols
    })
}
