//! Rules that say which routing table a packet is looked up in.

use super::{Family, RouteProtocol, RouteTable, ShortTable};
use crate::table::{Be32, Be64, Body, Inet, InetAddress, Pad, Str, Text};
use crate::wire::Error;
use crate::{flags, record, space, values};

record! {
    /// What rule messages begin with (`struct fib_rule_hdr`, include/uapi/linux/fib_rules.h).
    pub RuleHeader, "fib_rule_hdr", "" {
        /// `INET`, `INET6`, `IPMR` or `IP6MR`.
        family: Family,
        /// Bits of the destination that count.
        dst_len: u8,
        /// Bits of the source that count.
        src_len: u8,
        /// Type of service that the packet must have, 0 for any; newer programs use [`Rule::DSCP`].
        tos: u8,
        /// Table, where it is below 256; else in [`Rule::TABLE`].
        table: ShortTable,
        /// Nothing (`res1` in C).
        pad1: u8,
        /// Nothing (`res2` in C).
        pad2: u8,
        /// What happens to a packet that matches.
        action: RuleAction,
        /// Flags.
        flags: RuleFlags,
    }
}

/// Header and attributes of rule messages.
pub type RuleMessage = (RuleHeader, Rule);

space! {
    /// Attributes of a routing rule (include/uapi/linux/fib_rules.h; net/core/fib_rules.c).
    pub Rule, "FRA_" {
        /// Destination; how many bits count is in the header.
        DST: Inet = 1,
        /// Source; how many bits count is in the header.
        SRC: Inet = 2,
        /// Interface that the packet came in by; `lo` for packets of this host.
        IIFNAME: Str = 3,
        /// Priority of the rule to go on with, for the action `GOTO`; higher than the rule's own.
        GOTO: u32 = 4,
        /// Nothing.
        UNUSED2: Pad = 5,
        /// Place in the list: low numbers first.
        PRIORITY: u32 = 6,
        /// Nothing.
        UNUSED3: Pad = 7,
        /// Nothing.
        UNUSED4: Pad = 8,
        /// Nothing.
        UNUSED5: Pad = 9,
        /// Mark that the packet must have, in the bits of `FWMASK`.
        FWMARK: u32 = 10,
        /// Realms for accounting: the source's in the high half, the destination's in the low; IPv4 only.
        FLOW: u32 = 11,
        /// Key of the tunnel that the packet came in by, 0 for any.
        TUN_ID: Be64 = 12,
        /// Routes by interfaces of this group do not count; all ones for none.
        SUPPRESS_IFGROUP: u32 = 13,
        /// Routes with prefixes of this length or shorter do not count; all ones for none.
        SUPPRESS_PREFIXLEN: u32 = 14,
        /// Table to look in, over the header's.
        TABLE: RouteTable = 15,
        /// Which bits of the mark count.
        FWMASK: u32 = 16,
        /// Interface that the sending socket is bound to.
        OIFNAME: Str = 17,
        /// Nothing.
        PAD: Pad = 18,
        /// 1: look in the table of the interface's VRF.
        L3MDEV: u8 = 19,
        /// Users whose sockets match.
        UID_RANGE: UidRange = 20,
        /// Who made the rule.
        PROTOCOL: RouteProtocol = 21,
        /// Transport protocol that the packet must have (`IPPROTO_`).
        IP_PROTO: u8 = 22,
        /// Source ports that match.
        SPORT_RANGE: PortRange = 23,
        /// Destination ports that match.
        DPORT_RANGE: PortRange = 24,
        /// Differentiated services code point that the packet must have, 0 to 63; excludes the header's `tos`.
        DSCP: u8 = 25,
        /// IPv6 flow label that the packet must have, 20 bits.
        FLOWLABEL: Be32 = 26,
        /// Which bits of the flow label count.
        FLOWLABEL_MASK: Be32 = 27,
        /// Which bits of the source port count.
        SPORT_MASK: u16 = 28,
        /// Which bits of the destination port count.
        DPORT_MASK: u16 = 29,
        /// Which bits of the code point count, 0 to 63.
        DSCP_MASK: u8 = 30,
    }
}

record! {
    /// User ids from `start` to `end`, both included (`struct fib_rule_uid_range`, include/uapi/linux/fib_rules.h).
    pub UidRange, "fib_rule_uid_range", "" {
        /// First.
        start: u32,
        /// Last.
        end: u32,
    }
}

record! {
    /// Ports from `start` to `end`, both included, in the machine's byte order (`struct fib_rule_port_range`,
    /// include/uapi/linux/fib_rules.h).
    pub PortRange, "fib_rule_port_range", "" {
        /// First, 1 to 65534.
        start: u16,
        /// Last.
        end: u16,
    }
}

values! {
    /// What a rule does with a packet (include/uapi/linux/fib_rules.h).
    pub RuleAction(u8), "FR_ACT_" {
        UNSPEC = 0,
        /// Look in a table; where nothing is found, go on with the next rule.
        TO_TBL = 1,
        /// Go on with another rule.
        GOTO = 2,
        /// Go on with the next rule.
        NOP = 3,
        /// Not used.
        RES3 = 4,
        /// Not used.
        RES4 = 5,
        /// Drop silently.
        BLACKHOLE = 6,
        /// Drop with `ENETUNREACH`.
        UNREACHABLE = 7,
        /// Drop with `EACCES`.
        PROHIBIT = 8,
    }
}

flags! {
    /// Flags of a rule (include/uapi/linux/fib_rules.h).
    pub RuleFlags(u32), "FIB_RULE_" {
        /// Cannot be deleted.
        PERMANENT = 0x1,
        /// Packets match that would not.
        INVERT = 0x2,
        /// There is no rule to go to.
        UNRESOLVED = 0x4,
        /// Incoming interface does not exist now.
        IIF_DETACHED = 0x8,
        /// Outgoing interface does not exist now.
        OIF_DETACHED = 0x10,
        /// Source address is still to be chosen; looked at by IPv6 only.
        FIND_SADDR = 0x1_0000,
    }
}

/// What most programs want to know of a rule, borrowed from its message.
///
/// ```
/// use ringlink_codec::prelude::*;
/// use ringlink_codec::route::{Family, RouteTable, Rtm, Rule, RuleAction, RuleHeader, RuleView};
///
/// let mut buffer = Buffer::<64>::new();
/// let header = RuleHeader { family: Family::INET, action: RuleAction::TO_TBL, ..Default::default() };
/// let bytes = buffer.message(Rtm::NEWRULE, header, |rule| {
///     rule.put(Rule::PRIORITY, 100);
///     rule.put(Rule::IIFNAME, "eth0");
///     rule.put(Rule::TABLE, RouteTable(1000));
/// })?;
///
/// let view = RuleView::read(Message::parse(bytes)?.body(Rtm::NEWRULE)?)?;
/// assert_eq!((view.priority, view.table), (100, RouteTable(1000)));
/// assert!(view.input.is_some_and(|name| name == "eth0"));
/// # Ok::<(), ringlink_codec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RuleView<'a> {
    /// Family, lengths of the prefixes, type of service, action, flags.
    pub header: RuleHeader,
    /// Place in the list; the first rule of a family has none and is 0.
    pub priority: u32,
    /// Table to look in: the attribute's, where there is none the header's.
    pub table: RouteTable,
    /// Destination.
    pub destination: Option<InetAddress<'a>>,
    /// Source.
    pub source: Option<InetAddress<'a>>,
    /// Interface that the packet came in by.
    pub input: Option<Text<'a>>,
    /// Interface that the sending socket is bound to.
    pub output: Option<Text<'a>>,
    /// Mark of the packet.
    pub mark: Option<u32>,
    /// Which bits of the mark count.
    pub mark_mask: Option<u32>,
    /// Priority of the rule to go on with.
    pub goto: Option<u32>,
    /// Longest prefix that does not count.
    pub suppress_prefix_length: Option<u32>,
    /// Whether to look in the table of the interface's VRF.
    pub l3mdev: bool,
    /// Who made the rule.
    pub protocol: Option<RouteProtocol>,
    /// Users whose sockets match.
    pub users: Option<UidRange>,
    /// Transport protocol.
    pub ip_protocol: Option<u8>,
    /// Source ports.
    pub source_ports: Option<PortRange>,
    /// Destination ports.
    pub destination_ports: Option<PortRange>,
}

impl<'a> RuleView<'a> {
    /// Reads the attributes in one pass.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, or one of those above has the wrong length.
    #[inline]
    pub fn read(body: Body<'a, RuleMessage>) -> Result<Self, Error> {
        let (
            (destination, source, input, output, mark, mark_mask, priority, table),
            (goto, suppress, l3mdev, protocol, users, ip_protocol, source_ports, destination_ports),
        ) = body.attributes.read((
            (
                Rule::DST,
                Rule::SRC,
                Rule::IIFNAME,
                Rule::OIFNAME,
                Rule::FWMARK,
                Rule::FWMASK,
                Rule::PRIORITY,
                Rule::TABLE,
            ),
            (
                Rule::GOTO,
                Rule::SUPPRESS_PREFIXLEN,
                Rule::L3MDEV,
                Rule::PROTOCOL,
                Rule::UID_RANGE,
                Rule::IP_PROTO,
                Rule::SPORT_RANGE,
                Rule::DPORT_RANGE,
            ),
        ))?;
        let header = body.header;
        Ok(Self {
            header,
            priority: priority.unwrap_or(0),
            table: table.unwrap_or(RouteTable::from(header.table)),
            destination,
            source,
            input,
            output,
            mark,
            mark_mask,
            goto,
            suppress_prefix_length: suppress.filter(|length| *length != u32::MAX),
            l3mdev: l3mdev.is_some_and(|l3mdev| l3mdev != 0),
            protocol,
            users,
            ip_protocol,
            source_ports,
            destination_ports,
        })
    }
}
