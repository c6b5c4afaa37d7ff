//! Types of values as `nft` has them: their numbers in sets, their names, their byte order, the names of their values.
//!
//! The kernel knows nothing of types: `nft` keeps their numbers with sets (include/datatype.h of nftables), and what an
//! expression loads has the type of what it asks for.

use std::sync::OnceLock;

/// In which order a value's bytes stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The machine's.
    Host,
    /// The network's.
    Big,
}

/// Names of values.
pub(super) type Symbols = &'static [(u64, &'static str)];

/// How a value is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// As a number, or by its name.
    Number,
    /// As a number in hexadecimal with so many digits in text, or by its name.
    Hex(u8),
    /// As bits with names.
    Flags,
    /// As text, up to the first NUL.
    Text,
    /// As an address of the link layer.
    Hardware,
    Ipv4,
    Ipv6,
    /// `true` or `false`; in text `exists` or `missing`.
    Boolean,
    /// The name of a transport protocol.
    Protocol,
    /// A number of milliseconds.
    Duration,
    /// The name of an interface by its index.
    Interface,
    /// The name of a mark, a realm or a group of interfaces, by the files of iproute2.
    Mark,
    Realm,
    Group,
    /// A handle of traffic control.
    Class,
    /// The number of a bit.
    Label,
    /// Nanoseconds since 1970.
    Date,
    /// The second of a day.
    Hour,
    /// A day of the week.
    Day,
    /// A control group, by its number.
    ControlGroup,
    Verdict,
}

/// What is known of a type.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) name: &'static str,
    pub(super) order: Order,
    /// Bits of a value; 0 where that differs.
    pub(super) bits: u32,
    pub(super) style: Style,
    pub(super) symbols: Symbols,
}

/// `types! { IPV4 = 7, "ipv4_addr", Big, 32, Ipv4, &[] }` makes `Type::IPV4`.
macro_rules! types {
    ($($id:ident = $number:literal, $name:literal, $order:ident, $bits:literal, $style:expr, $symbols:expr;)*) => {
        impl Type {
            $(
                #[allow(dead_code, reason = "a row is there for the number, too, that sets carry")]
                pub(super) const $id: Self = Self($number);
            )*

            /// What is known of it.
            pub(super) fn facts(self) -> &'static Facts {
                match self.0 {
                    $($number => {
                        const FACTS: &Facts =
                            &Facts { name: $name, order: Order::$order, bits: $bits, style: $style, symbols: $symbols };
                        FACTS
                    })*
                    _ => {
                        const UNKNOWN: &Facts =
                            &Facts { name: "integer", order: Order::Big, bits: 0, style: Style::Number, symbols: &[] };
                        UNKNOWN
                    }
                }
            }

            /// A type by its name.
            #[allow(unreachable_patterns, reason = "dates and durations have one name; who types it means the latter")]
            pub(super) fn named(word: &str) -> Option<Self> {
                match word {
                    $($name => Some(Self($number)),)*
                    _ => None,
                }
            }
        }
    };
}

/// A type, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Type(pub(super) u32);

types! {
    VERDICT = 1, "verdict", Host, 32, Style::Verdict, &[];
    NFPROTO = 2, "nf_proto", Host, 8, Style::Number, &[(2, "ipv4"), (10, "ipv6")];
    BITMASK = 3, "bitmask", Host, 0, Style::Hex(0), &[];
    INTEGER = 4, "integer", Big, 0, Style::Number, &[];
    STRING = 5, "string", Host, 0, Style::Text, &[];
    HARDWARE = 6, "ll_addr", Big, 0, Style::Hardware, &[];
    IPV4 = 7, "ipv4_addr", Big, 32, Style::Ipv4, &[];
    IPV6 = 8, "ipv6_addr", Big, 128, Style::Ipv6, &[];
    ETHER = 9, "ether_addr", Big, 48, Style::Hardware, &[];
    ETHERTYPE = 10, "ether_type", Big, 16, Style::Hex(4), &[
        (0x0800, "ip"), (0x0806, "arp"), (0x86dd, "ip6"), (0x8100, "8021q"), (0x88a8, "8021ad"),
    ];
    ARP_OPERATION = 11, "arp_op", Big, 16, Style::Number, &[
        (1, "request"), (2, "reply"), (3, "rrequest"), (4, "rreply"), (8, "inrequest"), (9, "inreply"), (10, "nak"),
    ];
    PROTOCOL = 12, "inet_proto", Big, 8, Style::Protocol, &[];
    SERVICE = 13, "inet_service", Big, 16, Style::Number, &[];
    ICMP_TYPE = 14, "icmp_type", Big, 8, Style::Number, &[
        (0, "echo-reply"), (3, "destination-unreachable"), (4, "source-quench"), (5, "redirect"), (8, "echo-request"),
        (9, "router-advertisement"), (10, "router-solicitation"), (11, "time-exceeded"), (12, "parameter-problem"),
        (13, "timestamp-request"), (14, "timestamp-reply"), (15, "info-request"), (16, "info-reply"),
        (17, "address-mask-request"), (18, "address-mask-reply"),
    ];
    TCP_FLAG = 15, "tcp_flag", Host, 8, Style::Flags, &[
        (0x1, "fin"), (0x2, "syn"), (0x4, "rst"), (0x8, "psh"), (0x10, "ack"), (0x20, "urg"), (0x40, "ecn"),
        (0x80, "cwr"),
    ];
    DCCP_TYPE = 16, "dccp_pkttype", Big, 4, Style::Number, &[
        (0, "request"), (1, "response"), (2, "data"), (3, "ack"), (4, "dataack"), (5, "closereq"), (6, "close"),
        (7, "reset"), (8, "sync"), (9, "syncack"),
    ];
    MH_TYPE = 17, "mh_type", Big, 8, Style::Number, &[
        (0, "binding-refresh-request"), (1, "home-test-init"), (2, "careof-test-init"), (3, "home-test"),
        (4, "careof-test"), (5, "binding-update"), (6, "binding-acknowledgement"), (7, "binding-error"),
        (8, "fast-binding-update"), (9, "fast-binding-acknowledgement"), (10, "fast-binding-advertisement"),
        (11, "experimental-mobility-header"), (12, "home-agent-switch-message"),
    ];
    TIME = 18, "time", Host, 64, Style::Duration, &[];
    MARK = 19, "mark", Host, 32, Style::Mark, &[];
    INTERFACE = 20, "iface_index", Host, 32, Style::Interface, &[];
    HARDWARE_TYPE = 21, "iface_type", Host, 16, Style::Number, &[
        (1, "ether"), (512, "ppp"), (768, "ipip"), (769, "ipip6"), (772, "loopback"), (776, "sit"), (778, "ipgre"),
    ];
    REALM = 22, "realm", Host, 32, Style::Realm, &[];
    CLASS = 23, "classid", Host, 32, Style::Class, &[];
    UID = 24, "uid", Host, 32, Style::Number, &[];
    GID = 25, "gid", Host, 32, Style::Number, &[];
    CT_STATE = 26, "ct_state", Host, 32, Style::Flags, &[
        (1, "invalid"), (2, "established"), (4, "related"), (8, "new"), (64, "untracked"),
    ];
    CT_DIRECTION = 27, "ct_dir", Host, 8, Style::Number, &[(0, "original"), (1, "reply")];
    CT_STATUS = 28, "ct_status", Host, 32, Style::Flags, &[
        (1, "expected"), (2, "seen-reply"), (4, "assured"), (8, "confirmed"), (16, "snat"), (32, "dnat"),
        (512, "dying"),
    ];
    ICMPV6_TYPE = 29, "icmpv6_type", Big, 8, Style::Number, &[
        (1, "destination-unreachable"), (2, "packet-too-big"), (3, "time-exceeded"), (4, "parameter-problem"),
        (128, "echo-request"), (129, "echo-reply"), (130, "mld-listener-query"), (131, "mld-listener-report"),
        (132, "mld-listener-done"), (133, "nd-router-solicit"), (134, "nd-router-advert"),
        (135, "nd-neighbor-solicit"), (136, "nd-neighbor-advert"), (137, "nd-redirect"), (138, "router-renumbering"),
        (141, "ind-neighbor-solicit"), (142, "ind-neighbor-advert"), (143, "mld2-listener-report"),
    ];
    CT_LABEL = 30, "ct_label", Host, 128, Style::Label, &[];
    PACKET_TYPE = 31, "pkt_type", Host, 8, Style::Number, &[
        (0, "host"), (1, "broadcast"), (2, "multicast"), (3, "other"),
    ];
    ICMP_CODE = 32, "icmp_code", Big, 8, Style::Number, &[
        (0, "net-unreachable"), (1, "host-unreachable"), (2, "prot-unreachable"), (3, "port-unreachable"),
        (9, "net-prohibited"), (10, "host-prohibited"), (13, "admin-prohibited"), (4, "frag-needed"),
    ];
    ICMPV6_CODE = 33, "icmpv6_code", Big, 8, Style::Number, &[
        (0, "no-route"), (1, "admin-prohibited"), (3, "addr-unreachable"), (4, "port-unreachable"), (5, "policy-fail"),
        (6, "reject-route"),
    ];
    ICMPX_CODE = 34, "icmpx_code", Big, 8, Style::Number, &[
        (0, "no-route"), (1, "port-unreachable"), (2, "host-unreachable"), (3, "admin-prohibited"),
    ];
    GROUP = 35, "devgroup", Host, 32, Style::Group, &[];
    DSCP = 36, "dscp", Big, 6, Style::Hex(2), &[
        (0x00, "cs0"), (0x08, "cs1"), (0x10, "cs2"), (0x18, "cs3"), (0x20, "cs4"), (0x28, "cs5"), (0x30, "cs6"),
        (0x38, "cs7"), (0x01, "lephb"), (0x0a, "af11"), (0x0c, "af12"), (0x0e, "af13"), (0x12, "af21"), (0x14, "af22"),
        (0x16, "af23"), (0x1a, "af31"), (0x1c, "af32"), (0x1e, "af33"), (0x22, "af41"), (0x24, "af42"), (0x26, "af43"),
        (0x2c, "va"), (0x2e, "ef"),
    ];
    ECN = 37, "ecn", Big, 2, Style::Number, &[(0, "not-ect"), (1, "ect1"), (2, "ect0"), (3, "ce")];
    FIB_TYPE = 38, "fib_addrtype", Host, 32, Style::Number, &[
        (0, "unspec"), (1, "unicast"), (2, "local"), (3, "broadcast"), (4, "anycast"), (5, "multicast"),
        (6, "blackhole"), (7, "unreachable"), (8, "prohibit"),
    ];
    BOOLEAN = 39, "boolean", Host, 8, Style::Boolean, &[];
    CT_EVENT = 40, "ct_event", Host, 32, Style::Flags, &[
        (0x1, "new"), (0x2, "related"), (0x4, "destroy"), (0x8, "reply"), (0x10, "assured"), (0x20, "protoinfo"),
        (0x40, "helper"), (0x80, "mark"), (0x100, "seqadj"), (0x200, "secmark"), (0x400, "label"),
    ];
    INTERFACE_NAME = 41, "ifname", Host, 128, Style::Text, &[];
    IGMP_TYPE = 42, "igmp_type", Big, 8, Style::Number, &[
        (17, "membership-query"), (18, "membership-report-v1"), (22, "membership-report-v2"),
        (34, "membership-report-v3"), (23, "leave-group"),
    ];
    DATE = 43, "time", Host, 64, Style::Date, &[];
    HOUR = 44, "hour", Host, 32, Style::Hour, &[];
    DAY = 45, "day", Host, 8, Style::Day, &[
        (0, "Sunday"), (1, "Monday"), (2, "Tuesday"), (3, "Wednesday"), (4, "Thursday"), (5, "Friday"),
        (6, "Saturday"),
    ];
    CONTROL_GROUP = 46, "cgroupsv2", Host, 64, Style::ControlGroup, &[];
}

impl Type {
    /// The types that a set's number of a type stands for: six bits each, those of several fields one behind the other.
    pub(super) fn all(number: u32) -> Vec<Self> {
        let fields: Vec<Self> =
            (0..6).rev().map(|place| Self((number >> (place * 6)) & 0x3f)).skip_while(|field| field.0 == 0).collect();
        if fields.is_empty() { vec![Self::INTEGER] } else { fields }
    }

    /// Whether nft tells of masks as prefixes.
    pub(super) fn has_prefixes(self) -> bool {
        self == Self::IPV4 || self == Self::IPV6
    }

    /// Whether values are bits with names.
    pub(super) fn has_flags(self) -> bool {
        self.facts().style == Style::Flags
    }

    /// Whether values are text.
    pub(super) fn is_text(self) -> bool {
        self.facts().style == Style::Text
    }

    /// The name of a value.
    pub(super) fn symbol(self, number: u128) -> Option<&'static str> {
        self.facts().symbols.iter().find(|(value, _)| u128::from(*value) == number).map(|(_, name)| *name)
    }

    /// The value of a name.
    pub(super) fn value(self, word: &str) -> Option<u64> {
        let more: Symbols = match self {
            Self::DSCP => &[(0, "df"), (0, "be")],
            Self::ETHERTYPE => &[(0x8100, "vlan")],
            Self::PACKET_TYPE => &[(0, "unicast")],
            Self::ICMPV6_TYPE => &[(132, "mld-listener-reduction")],
            _ => &[],
        };
        self.facts().symbols.iter().chain(more).find(|(_, name)| *name == word).map(|(value, _)| *value)
    }
}

/// Seconds that the machine's time of day is ahead of UTC.
pub(super) fn ahead() -> i64 {
    static AHEAD: OnceLock<i64> = OnceLock::new();
    *AHEAD.get_or_init(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs());
        crate::monitor::local(now).tm_gmtoff
    })
}
