//! One interface as a row: what all kinds have in common.

use ringlink::codec::Error;
use ringlink::codec::route::{
    AddressGeneration, AfSpec, Inet6Link, Link, LinkFlags, LinkHeader, LinkMessage, LinkProperties, LinkType, LinkXdp,
    OperState, ProtoDownReason, Rtm, XdpAttached,
};
use ringlink::codec::table::{Body, HardwareAddress, InetAddress, Key};

use super::fields::{Fields, Small};
use super::known::Known;
use super::namespaces::Namespaces;
use super::{kinds, statistics, vf};
use crate::arguments::Options;
use crate::names::Names;
use crate::output::{Colour, Coloured, Formatted, Interface, Kind, Output, Show};
use crate::session::warn;

/// How much of an interface is printed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Detail {
    /// What its kind is set to, and limits.
    pub(super) details: bool,
    /// 1 for counters, 2 for counters of errors too.
    pub(super) statistics: u8,
    /// Its addresses follow: then modes are left out, as `ip` does.
    pub(super) addresses: bool,
    /// It is an event: then text is without what `ip monitor` leaves out, its mode and the length of its queue.
    pub(super) event: bool,
}

impl Detail {
    /// What the options ask for.
    pub(super) fn of(options: &Options) -> Self {
        // JSON has everything.
        Self {
            details: options.details || options.json,
            statistics: options.statistics,
            addresses: false,
            event: false,
        }
    }
}

/// What rows are printed with.
pub(super) struct Printer<'p> {
    pub(super) names: &'p Names,
    pub(super) known: &'p mut Known,
    pub(super) namespaces: &'p mut Namespaces,
    pub(super) detail: Detail,
}

impl Printer<'_> {
    /// Prints an interface.
    ///
    /// # Errors
    ///
    /// The first attribute that cannot be read; the row is complete but for that.
    pub(super) fn print(&mut self, output: &mut Output, link: &Body<'_, LinkMessage>) -> Result<(), Error> {
        output.row(|row| self.fill(row, link))
    }

    /// Prints an interface, and tells on standard error of what could not be read.
    pub(super) fn print_or_warn(&mut self, output: &mut Output, link: &Body<'_, LinkMessage>) {
        if let Err(error) = self.print(output, link) {
            warn(format_args!("interface {}: {error}", link.header.index));
        }
    }

    /// Prints an interface into a row that may go on behind it.
    ///
    /// # Errors
    ///
    /// As [`print`](Self::print).
    pub(super) fn fill(&mut self, row: &mut Output, link: &Body<'_, LinkMessage>) -> Result<(), Error> {
        let Self { names, known, namespaces, detail } = self;
        if link.message.kind == Rtm::DELLINK.kind {
            row.json("deleted", true);
            row.word("Deleted");
        }
        row.field("ifindex", "", link.header.index);
        row.glue(":");
        Fields::print(row, known, link.attributes, |fields| {
            fields.first_line(link.header, names, *detail);
            fields.addresses(link.header, namespaces);
            if detail.details {
                fields.details(*detail);
            }
            fields.alias();
            if detail.statistics > 0 {
                fields.statistics(*detail);
            }
            fields.rest(link.header, *detail);
        })
    }
}

impl<'a> Fields<'_, 'a, Link> {
    /// Names, flags, and what there is in short.
    fn first_line(&mut self, header: LinkHeader, names: &Names, detail: Detail) {
        let below_is_down = self.name_and_link();
        self.flags(header.flags, below_is_down);
        self.same(Link::MTU, "mtu");
        if let Some(xdp) = self.get(Link::XDP) {
            self.within(xdp, |xdp| xdp.xdp());
        }
        self.same(Link::QDISC, "qdisc");
        self.interface(Link::MASTER, "master", "master");
        if let Some(state) = self.get(Link::OPERSTATE) {
            match state.name() {
                Some(name) => self.row.field("operstate", "state", Coloured(colour_of(state), name)),
                None => {
                    self.row.json("operstate_index", state.0);
                    self.row.word("state");
                    self.row.word(Formatted(format_args!("{:#x}", state.0)));
                }
            }
        }
        // What `ip monitor` leaves out.
        let brief = detail.event && !self.row.is_json();
        if let Some(mode) = self.get(Link::LINKMODE).filter(|_| !detail.addresses && (!brief || detail.details)) {
            match mode.0 {
                0 | 1 => self.row.field("linkmode", "mode", mode.name().unwrap_or_default()),
                number => self.row.field("linkmode_index", "mode", number),
            }
        }
        if let Some(group) = self.get(Link::GROUP) {
            self.row.field("group", "group", names.groups().name(group));
        }
        if let Some(length) = self.get(Link::TXQLEN).filter(|length| *length != 0 && !brief) {
            self.row.field("txqlen", "qlen", length);
        }
    }

    /// Its name and that of the interface it sits on; says whether that one is down.
    fn name_and_link(&mut self) -> bool {
        let name = Interface(self.get(Link::IFNAME).unwrap_or_default().as_bytes());
        let Some(below) = self.get(Link::LINK) else {
            self.row.field("ifname", "", name);
            self.row.glue(":");
            return false;
        };
        // An index in another namespace has no name here.
        let elsewhere = self.get(Link::LINK_NETNSID).is_some();
        match below {
            0 => self.row.json("link", Null),
            index if elsewhere => self.row.json("link_index", index),
            index => self.row.json("link", self.known.name(index)),
        }
        self.row.field("ifname", "", name);
        self.row.glue("@");
        match below {
            0 => self.row.glue("NONE"),
            index if elsewhere => self.row.glue(Formatted(format_args!("if{index}"))),
            index => self.row.glue(self.known.name(index)),
        }
        self.row.glue(":");
        below != 0 && !elsewhere && self.known.is_down(below)
    }

    /// The flags; an interface that is up without running has no carrier.
    fn flags(&mut self, flags: LinkFlags, below_is_down: bool) {
        const ORDER: [(LinkFlags, &str); 18] = [
            (LinkFlags::LOOPBACK, "LOOPBACK"),
            (LinkFlags::BROADCAST, "BROADCAST"),
            (LinkFlags::POINTOPOINT, "POINTOPOINT"),
            (LinkFlags::MULTICAST, "MULTICAST"),
            (LinkFlags::NOARP, "NOARP"),
            (LinkFlags::ALLMULTI, "ALLMULTI"),
            (LinkFlags::PROMISC, "PROMISC"),
            (LinkFlags::MASTER, "MASTER"),
            (LinkFlags::SLAVE, "SLAVE"),
            (LinkFlags::DEBUG, "DEBUG"),
            (LinkFlags::DYNAMIC, "DYNAMIC"),
            (LinkFlags::AUTOMEDIA, "AUTOMEDIA"),
            (LinkFlags::PORTSEL, "PORTSEL"),
            (LinkFlags::NOTRAILERS, "NOTRAILERS"),
            (LinkFlags::UP, "UP"),
            (LinkFlags::LOWER_UP, "LOWER_UP"),
            (LinkFlags::DORMANT, "DORMANT"),
            (LinkFlags::ECHO, "ECHO"),
        ];
        let no_carrier = flags.contains(LinkFlags::UP) && !flags.contains(LinkFlags::RUNNING);
        let known = ORDER.iter().fold(LinkFlags::RUNNING, |known, (flag, _)| known | *flag);
        let unknown = flags.0 & !known.0;
        let words = no_carrier.then_some("NO-CARRIER").into_iter();
        let words = words.chain(ORDER.iter().filter(|(flag, _)| flags.contains(*flag)).map(|(_, name)| *name));
        let words = words.map(Flag::Known).chain((unknown != 0).then_some(Flag::Unknown(unknown)));
        let words = words.chain(below_is_down.then_some(Flag::Known("M-DOWN")));
        self.row.joined("flags", ["<", ",", ">"], words);
    }

    /// What hardware it is, its addresses, and where it is from.
    fn addresses(&mut self, header: LinkHeader, namespaces: &mut Namespaces) {
        self.row.line("    ");
        self.row.json("link_type", TypeName(header.kind));
        self.row.word("link/");
        self.row.glue(TypeName(header.kind));
        let address = self.get(Link::ADDRESS);
        if let Some(address) = address {
            self.row.field("address", "", Address { address, kind: header.kind });
        }
        if let Some(address) = self.get(Link::BROADCAST) {
            let to_one = header.flags.contains(LinkFlags::POINTOPOINT);
            if to_one {
                self.row.json("link_pointtopoint", true);
            }
            self.row.field("broadcast", if to_one { "peer" } else { "brd" }, Address { address, kind: header.kind });
        }
        if let Some(burnt) = self.get(Link::PERM_ADDRESS).filter(|burnt| Some(*burnt) != address) {
            self.row.field("permaddr", "permaddr", Address { address: burnt, kind: header.kind });
        }
        if let Some(id) = self.get(Link::LINK_NETNSID) {
            self.row.json("link_netnsid", id);
            if !self.row.is_json() {
                match namespaces.name(self.known, id) {
                    Some(name) => self.row.field("", "link-netns", name),
                    None if id < 0 => self.row.field("", "link-netnsid", "unknown"),
                    None => self.row.field("", "link-netnsid", id),
                }
            }
        }
        self.show(Link::NEW_NETNSID, "new_netnsid", "new-netnsid");
        self.show(Link::NEW_IFINDEX, "new_ifindex", "new-ifindex");
        if self.get(Link::PROTO_DOWN).is_some_and(|down| down != 0) {
            self.row.json("proto_down", true);
            self.row.word("protodown");
            self.row.word("on");
        }
        if let Some(reasons) = self.get(Link::PROTO_DOWN_REASON) {
            let reasons = self.stick(reasons.get(ProtoDownReason::VALUE)).flatten().unwrap_or_default();
            let bits = (0..32_u32).filter(|bit| reasons & (1 << bit) != 0);
            if reasons != 0 {
                self.row.word("protodown_reason");
                self.row.joined("proto_down_reason", ["<", ",", ">"], bits.map(Flag::Number));
            }
        }
    }

    /// Limits, what its kind is set to, and what it is part of.
    fn details(&mut self, detail: Detail) {
        self.same(Link::PROMISCUITY, "promiscuity");
        self.same(Link::ALLMULTI, "allmulti");
        self.show(Link::MIN_MTU, "min_mtu", "minmtu");
        self.show(Link::MAX_MTU, "max_mtu", "maxmtu");
        if let Some(info) = self.get(Link::LINKINFO) {
            let printed = self.row.object("linkinfo", |row| kinds::print(row, self.known, info));
            self.stick(printed);
        }
        let families = self.chosen(Link::AF_SPEC, AfSpec);
        let inet6 = families.and_then(|families| self.stick(families.get(AfSpec::INET6)).flatten());
        let mode = inet6.and_then(|inet6| self.stick(inet6.get(Inet6Link::ADDR_GEN_MODE)).flatten());
        if let Some(mode) = mode.filter(|_| !detail.addresses) {
            self.generation(mode);
        }
        self.show(Link::NUM_TX_QUEUES, "num_tx_queues", "numtxqueues");
        self.show(Link::NUM_RX_QUEUES, "num_rx_queues", "numrxqueues");
        self.same(Link::GSO_MAX_SIZE, "gso_max_size");
        self.same(Link::GSO_MAX_SEGS, "gso_max_segs");
        self.same(Link::TSO_MAX_SIZE, "tso_max_size");
        self.same(Link::TSO_MAX_SEGS, "tso_max_segs");
        self.same(Link::GRO_MAX_SIZE, "gro_max_size");
        self.show(Link::PHYS_PORT_NAME, "phys_port_name", "portname");
        self.identity(Link::PHYS_PORT_ID, "phys_port_id", "portid");
        self.identity(Link::PHYS_SWITCH_ID, "phys_switch_id", "switchid");
        self.same(Link::PARENT_DEV_BUS_NAME, "parentbus");
        self.same(Link::PARENT_DEV_NAME, "parentdev");
    }

    /// How it makes IPv6 addresses.
    fn generation(&mut self, mode: AddressGeneration) {
        let (key, label) = ("inet6_addr_gen_mode", "addrgenmode");
        match mode {
            // The name that users of `ip` know.
            AddressGeneration::STABLE_PRIVACY => self.row.field(key, label, "stable_secret"),
            mode => match mode.name() {
                Some(name) => self.row.field(key, label, Small(name)),
                None => self.row.field(key, label, Formatted(format_args!("{:#04x}", mode.0))),
            },
        }
    }

    /// Bytes that identify something, in hexadecimal.
    fn identity(&mut self, key: Key<Link, ringlink::codec::table::Bytes>, json: &'static str, label: &'static str) {
        if let Some(bytes) = self.get(key) {
            self.row.field(json, label, Digits(bytes));
        }
    }

    /// Its description, on a line of its own.
    fn alias(&mut self) {
        if let Some(alias) = self.get(Link::IFALIAS) {
            self.row.line("    ");
            self.row.field("ifalias", "alias", alias);
        }
    }

    /// Counters.
    fn statistics(&mut self, detail: Detail) {
        let Some(counters) = self.get(Link::STATS64) else {
            return;
        };
        let changes = self.get(Link::CARRIER_CHANGES);
        statistics::print(self.row, &counters, changes, detail.statistics > 1);
    }

    /// What follows on lines of its own.
    fn rest(&mut self, header: LinkHeader, detail: Detail) {
        if let Some(xdp) = self.get(Link::XDP) {
            self.within(xdp, |xdp| xdp.xdp_programs());
        }
        if let (Some(_), Some(functions)) = (self.get(Link::NUM_VF), self.get(Link::VFINFO_LIST)) {
            let printed = vf::print(self.row, self.known, functions, header, detail.statistics > 0);
            self.stick(printed);
        }
        if let Some(properties) = self.get(Link::PROP_LIST) {
            self.row.list("altnames", |row| {
                for name in properties.all(LinkProperties::ALT_IFNAME).flatten() {
                    row.line("    ");
                    row.word("altname");
                    row.item(name);
                }
            });
        }
    }
}

impl Fields<'_, '_, LinkXdp> {
    /// Where XDP programs are; in JSON also which.
    fn xdp(&mut self) {
        let Some(attached) = self.get(LinkXdp::ATTACHED).filter(|attached| *attached != XdpAttached::NONE) else {
            return;
        };
        self.row.word(match attached {
            XdpAttached::DRV => "xdp",
            XdpAttached::SKB => "xdpgeneric",
            XdpAttached::HW => "xdpoffload",
            XdpAttached::MULTI => "xdpmulti",
            _ => "xdp[unknown]",
        });
        let only = self.get(LinkXdp::PROG_ID);
        let places = self.places();
        if self.row.is_json() {
            self.row.object("xdp", |row| {
                row.json("mode", attached.0);
                if let Some(id) = only {
                    row.object("prog", |row| row.json("id", id));
                }
                row.list("attached", |row| {
                    for (place, id) in places {
                        row.entry(|row| {
                            row.json("mode", place.0);
                            row.object("prog", |row| row.json("id", id));
                        });
                    }
                });
            });
        }
    }

    /// Which XDP programs are where, in text on lines of their own.
    fn xdp_programs(&mut self) {
        if self.row.is_json() {
            return;
        }
        for (place, id) in self.places() {
            self.row.line("    ");
            self.row.word(match place {
                XdpAttached::DRV => "prog/xdp",
                XdpAttached::SKB => "prog/xdpgeneric",
                _ => "prog/xdpoffload",
            });
            self.row.field("", "id", id);
        }
    }

    /// Each place that has a program, and the program's id.
    fn places(&mut self) -> Vec<(XdpAttached, u32)> {
        let mut places = Vec::new();
        for (place, key) in [
            (XdpAttached::SKB, LinkXdp::SKB_PROG_ID),
            (XdpAttached::DRV, LinkXdp::DRV_PROG_ID),
            (XdpAttached::HW, LinkXdp::HW_PROG_ID),
        ] {
            places.extend(self.get(key).map(|id| (place, id)));
        }
        if places.is_empty() {
            // Kernels before 4.19 tell the one program alone.
            let attached = self.get(LinkXdp::ATTACHED).filter(|attached| *attached != XdpAttached::NONE);
            places.extend(attached.zip(self.get(LinkXdp::PROG_ID)));
        }
        places
    }
}

fn colour_of(state: OperState) -> Colour {
    match state {
        OperState::UP => Colour::Up,
        OperState::DOWN => Colour::Down,
        _ => Colour::None,
    }
}

/// A word of the list of flags: one with a name, bits without, or the number of a bit.
enum Flag {
    Known(&'static str),
    Unknown(u32),
    Number(u32),
}

impl Show for Flag {
    const KIND: Kind = Kind::Plain;

    fn show(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Known(name) => bytes.extend_from_slice(name.as_bytes()),
            Self::Unknown(bits) => Formatted(format_args!("{bits:x}")).show(bytes),
            Self::Number(number) => number.show(bytes),
        }
    }
}

/// Nothing, in JSON.
struct Null;

impl Show for Null {
    const KIND: Kind = Kind::Number;

    fn show(&self, bytes: &mut Vec<u8>) {
        bytes.extend_from_slice(b"null");
    }
}

/// Bytes in hexadecimal, without anything between.
struct Digits<'a>(&'a [u8]);

impl Show for Digits<'_> {
    const KIND: Kind = Kind::Plain;

    fn show(&self, bytes: &mut Vec<u8>) {
        for byte in self.0 {
            Formatted(format_args!("{byte:02x}")).show(bytes);
        }
    }
}

/// A hardware address; of an IP tunnel, the IP address that it is.
pub(super) struct Address<'a> {
    pub(super) address: HardwareAddress<'a>,
    pub(super) kind: LinkType,
}

impl Address<'_> {
    fn is_ip(&self) -> bool {
        match self.kind {
            LinkType::TUNNEL | LinkType::SIT | LinkType::IPGRE => self.address.0.len() == 4,
            LinkType::TUNNEL6 | LinkType::IP6GRE => self.address.0.len() == 16,
            _ => false,
        }
    }
}

impl Show for Address<'_> {
    const KIND: Kind = Kind::Plain;

    fn colour(&self) -> Colour {
        Colour::Hardware
    }

    fn show(&self, bytes: &mut Vec<u8>) {
        match self.is_ip() {
            true => InetAddress(self.address.0).show(bytes),
            false => self.address.show(bytes),
        }
    }
}

/// What hardware an interface is, in the words of `ip`; `[7]` where it has none.
pub(super) struct TypeName(pub(super) LinkType);

impl Show for TypeName {
    const KIND: Kind = Kind::Plain;

    fn show(&self, bytes: &mut Vec<u8>) {
        let name = match self.0 {
            LinkType::APPLETLK => "atalk",
            LinkType::CISCO => "hdlc",
            LinkType::TUNNEL => "ipip",
            LinkType::LOCALTLK => "ltalk",
            LinkType::IPDDP => "ip/ddp",
            LinkType::IPGRE => "gre",
            LinkType::IP6GRE => "gre6",
            LinkType::IEEE802_TR => "tr",
            LinkType::IEEE80211 => "ieee802.11",
            LinkType::IEEE80211_PRISM => "ieee802.11/prism",
            LinkType::IEEE80211_RADIOTAP => "ieee802.11/radiotap",
            LinkType::IEEE802154 => "ieee802.15.4",
            LinkType::IEEE802154_MONITOR => "ieee802.15.4/monitor",
            LinkType::_6LOWPAN => "6lowpan",
            LinkType(787..=799) => {
                return Formatted(format_args!("fcfb{}", self.0.0 - LinkType::FCFABRIC.0)).show(bytes);
            }
            // Those that `ip` has no word for.
            LinkType::EUI64 | LinkType::MCTP | LinkType::RAWIP | LinkType::VSOCKMON => "",
            kind => {
                return match kind.name() {
                    Some(name) => Small(name).show(bytes),
                    None => Formatted(format_args!("[{}]", kind.0)).show(bytes),
                };
            }
        };
        match name {
            "" => Formatted(format_args!("[{}]", self.0.0)).show(bytes),
            name => bytes.extend_from_slice(name.as_bytes()),
        }
    }
}
