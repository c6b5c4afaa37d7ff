//! Routes.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{EncapType, Family, MplsLabel, RouteEncap, Scope};
use crate::table::{
    Be16, Be32, Body, Bytes, Choice, Choices, Encode, Inet, InetAddress, Malformed, Nest, Packed, Pad, Prefixed,
    Records, RecordsItems, Shape, Str, Uint, Value,
};
use crate::wire::{Error, Payload, Writer};
use crate::{choices, flags, record, space, values};

record! {
    /// What route messages begin with (`struct rtmsg`, include/uapi/linux/rtnetlink.h).
    pub RouteHeader, "rtmsg", "rtm_" {
        /// `INET`, `INET6`, `MPLS`, or `IPMR` and `IP6MR` for multicast routes.
        family: Family,
        /// Bits of the destination that count; 20 for an MPLS label.
        dst_len: u8,
        /// Bits of the source that count; IPv6 only.
        src_len: u8,
        /// Type of service that a packet must have, 0 for any; IPv4 only.
        tos: u8,
        /// Table, where it is below 256; else in [`Route::TABLE`].
        table: ShortTable,
        /// Who made the route.
        protocol: RouteProtocol,
        /// How far the destination is; IPv4 only.
        scope: Scope,
        /// What happens to a packet (`rtm_type` in C).
        kind: RouteType,
        /// Flags of the route, and those of its only next hop.
        flags: RouteFlags,
    }
}

/// Header and attributes of route messages.
pub type RouteMessage = (RouteHeader, Route);

space! {
    /// Attributes of a route and, within [`Route::MULTIPATH`], of one of its next hops
    /// (include/uapi/linux/rtnetlink.h; net/ipv4/fib_frontend.c, net/ipv6/route.c, net/mpls/af_mpls.c).
    pub Route, "RTA_" {
        /// Destination; how many bits count is in the header. A default route has none.
        DST: Destination = 1,
        /// Source; how many bits count is in the header.
        SRC: Inet = 2,
        /// Interface that the packet came in by; in a look-up and in multicast routes.
        IIF: u32 = 3,
        /// Interface that the packet leaves by.
        OIF: u32 = 4,
        /// Next hop, of the route's own family.
        GATEWAY: Inet = 5,
        /// Priority (metric): low numbers first.
        PRIORITY: u32 = 6,
        /// Source address for packets of this host.
        PREFSRC: Inet = 7,
        /// What is known of the path.
        METRICS: Nest<Metrics> = 8,
        /// Several next hops.
        MULTIPATH: Records<NextHopHeader, Route> = 9,
        /// Not used by any kernel since 2.6.
        PROTOINFO: Bytes = 10,
        /// Realms for accounting: the source's in the high half, the destination's in the low; IPv4 only.
        FLOW: u32 = 11,
        /// Age and use.
        CACHEINFO: RouteCacheInfo = 12,
        /// Not used by any kernel since 2.6.
        SESSION: Bytes = 13,
        /// Not used by any kernel since 2.6.
        MP_ALGO: Bytes = 14,
        /// Table, over the header's.
        TABLE: RouteTable = 15,
        /// Mark of the packet; in a look-up.
        MARK: u32 = 16,
        /// Packets of a multicast route.
        MFC_STATS: MulticastStats = 17,
        /// Next hop of another family than the route's.
        VIA: Prefixed<ViaHeader> = 18,
        /// Labels that replace the MPLS label.
        NEWDST: Packed<MplsLabel> = 19,
        /// Preference of an IPv6 router (RFC 4191).
        PREF: RouterPreference = 20,
        /// What the packet is wrapped in.
        ENCAP_TYPE: EncapType = 21,
        /// How it is wrapped.
        ENCAP: Choice<RouteEncap> = 22,
        /// Lifetime: 4 bytes of seconds for an IPv6 route that is made, 8 bytes of hundredths of a second since the
        /// last packet in a multicast route that is told.
        EXPIRES: Uint = 23,
        /// Nothing.
        PAD: Pad = 24,
        /// User whose packet it is; in a look-up.
        UID: u32 = 25,
        /// 1: an MPLS route copies the time to live to and from the packet within; 0: it does not.
        TTL_PROPAGATE: u8 = 26,
        /// Transport protocol of the packet; in a look-up.
        IP_PROTO: u8 = 27,
        /// Source port of the packet; in a look-up.
        SPORT: Be16 = 28,
        /// Destination port of the packet; in a look-up.
        DPORT: Be16 = 29,
        /// Next hop object.
        NH_ID: u32 = 30,
        /// IPv6 flow label of the packet, 20 bits; in a look-up.
        FLOWLABEL: Be32 = 31,
        /// Why the kernel deleted the route; in notifications since Linux 7.3.
        DEL_REASON: DeletionReason = 32,
    }
}

/// The payload type of a destination: reads as an [`InetAddress`], whose bytes are a label stack where the family is
/// MPLS ([`MplsLabel::stack`]).
#[derive(Clone, Copy, Debug)]
pub struct Destination;

choices! {
    /// What a destination is, by the header's family: tables and printing tell them apart, reading does not.
    pub DestinationKind, by Header 0 {
        28 => Packed<MplsLabel>,
        else => Inet,
    }
}

impl Value for Destination {
    type Read<'a> = InetAddress<'a>;
    const SHAPE: Shape = Shape::Choice(DestinationKind::table);

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<InetAddress<'_>, Malformed> {
        Ok(InetAddress(payload.bytes))
    }
}

/// `destination! { Ipv4Addr: Inet, … }` says that what can be written as an `Inet` can be a destination.
macro_rules! destination {
    ($($from:ty: $as:ty,)*) => {$(
        impl Encode<Destination> for $from {
            #[inline]
            fn encode(self, writer: &mut Writer<'_>) {
                Encode::<$as>::encode(self, writer);
            }
        }
    )*};
}

destination! {
    Ipv4Addr: Inet,
    Ipv6Addr: Inet,
    IpAddr: Inet,
    InetAddress<'_>: Inet,
    &[u8]: Inet,
    &[MplsLabel]: Packed<MplsLabel>,
}

record! {
    /// What a next hop within [`Route::MULTIPATH`] begins with (`struct rtnexthop`,
    /// include/uapi/linux/rtnetlink.h).
    pub NextHopHeader, "rtnexthop", "rtnh_" {
        /// Bytes of this header and its attributes; filled in when it is written.
        len: u16,
        /// Flags.
        flags: NextHopFlags,
        /// Weight less one; in multicast routes the least time to live.
        hops: u8,
        /// Interface.
        ifindex: i32,
    }
}

record! {
    /// What [`Route::VIA`] begins with; the address follows (`struct rtvia`, include/uapi/linux/rtnetlink.h).
    pub ViaHeader, "rtvia", "rtvia_" {
        /// Family of the address, as in [`Family`].
        family: u16,
    }
}

space! {
    /// What is known of a path (include/uapi/linux/rtnetlink.h; net/ipv4/metrics.c).
    pub Metrics, "RTAX_" {
        /// Metrics that the network cannot change: bit n stands for the metric with number n.
        LOCK: u32 = 1,
        /// Largest packet in bytes.
        MTU: u32 = 2,
        /// Largest TCP window to advertise, in bytes.
        WINDOW: u32 = 3,
        /// First round trip time, in eighths of a millisecond.
        RTT: u32 = 4,
        /// First variance of the round trip time, in quarters of a millisecond.
        RTTVAR: u32 = 5,
        /// First slow start threshold, in segments.
        SSTHRESH: u32 = 6,
        /// Largest congestion window, in segments; counts only where it is locked.
        CWND: u32 = 7,
        /// Largest segment to advertise, in bytes.
        ADVMSS: u32 = 8,
        /// Segments that may come out of order.
        REORDERING: u32 = 9,
        /// Hop limit or time to live of packets sent.
        HOPLIMIT: u32 = 10,
        /// First congestion window, in segments.
        INITCWND: u32 = 11,
        /// Features of TCP.
        FEATURES: RouteFeatures = 12,
        /// Least time before a retransmission, in milliseconds.
        RTO_MIN: u32 = 13,
        /// First receive window, in segments.
        INITRWND: u32 = 14,
        /// 1: acknowledge at once.
        QUICKACK: u32 = 15,
        /// Congestion control, by name; up to 15 bytes.
        CC_ALGO: Str = 16,
        /// 1: TCP fast open without a cookie.
        FASTOPEN_NO_COOKIE: u32 = 17,
    }
}

flags! {
    /// Features of TCP towards a destination (include/uapi/linux/rtnetlink.h).
    pub RouteFeatures(u32), "RTAX_FEATURE_" {
        /// Explicit congestion notification.
        ECN = 0x1,
        /// Not used.
        SACK = 0x2,
        /// Not used.
        TIMESTAMP = 0x4,
        /// Not used since Linux 6.7.
        ALLFRAG = 0x8,
        /// Time stamps in microseconds.
        TCP_USEC_TS = 0x10,
    }
}

record! {
    /// Age and use of a route (`struct rta_cacheinfo`, include/uapi/linux/rtnetlink.h).
    pub RouteCacheInfo, "rta_cacheinfo", "rta_" {
        /// Uses of the route.
        clntref: u32,
        /// Hundredths of a second since the last use.
        lastuse: u32,
        /// Hundredths of a second until it expires, 0 for never; negative once it has.
        expires: i32,
        /// Error that packets get, 0 for none.
        error: u32,
        /// Zero.
        used: u32,
        /// Zero.
        id: u32,
        /// Zero.
        ts: u32,
        /// Zero.
        tsage: u32,
    }
}

record! {
    /// Packets of a multicast route (`struct rta_mfc_stats`, include/uapi/linux/rtnetlink.h).
    pub MulticastStats, "rta_mfc_stats", "mfcs_" {
        /// Packets.
        packets: u64,
        /// Bytes.
        bytes: u64,
        /// Packets that came in by another interface.
        wrong_if: u64,
    }
}

values! {
    /// A routing table (include/uapi/linux/rtnetlink.h). Other numbers are free for programs.
    pub RouteTable(u32), "RT_TABLE_" {
        /// Not said.
        UNSPEC = 0,
        /// In the header of an answer: see [`Route::TABLE`].
        COMPAT = 252,
        /// Looked in last.
        DEFAULT = 253,
        /// What programs put their routes in.
        MAIN = 254,
        /// Addresses of this host; kept by the kernel.
        LOCAL = 255,
    }
}

values! {
    /// A routing table in a header that has one byte for it (include/uapi/linux/rtnetlink.h).
    pub ShortTable(u8), "RT_TABLE_" {
        /// Not said, or in the attribute.
        UNSPEC = 0,
        /// Table above 255: in the attribute.
        COMPAT = 252,
        /// Looked in last.
        DEFAULT = 253,
        /// What programs put their routes in.
        MAIN = 254,
        /// Addresses of this host; kept by the kernel.
        LOCAL = 255,
    }
}

impl From<ShortTable> for RouteTable {
    #[inline]
    fn from(table: ShortTable) -> Self {
        Self(u32::from(table.0))
    }
}

values! {
    /// Who made a route, a rule or a neighbour (include/uapi/linux/rtnetlink.h); the kernel looks at those up to
    /// `STATIC` only.
    pub RouteProtocol(u8), "RTPROT_" {
        UNSPEC = 0,
        /// An ICMP redirect.
        REDIRECT = 1,
        /// Kernel.
        KERNEL = 2,
        /// A program that says no more; what `ip` uses.
        BOOT = 3,
        /// Administrator.
        STATIC = 4,
        GATED = 8,
        /// Router advertisements.
        RA = 9,
        MRT = 10,
        /// Zebra, Quagga, FRR.
        ZEBRA = 11,
        BIRD = 12,
        DNROUTED = 13,
        XORP = 14,
        NTK = 15,
        /// DHCP clients.
        DHCP = 16,
        MROUTED = 17,
        KEEPALIVED = 18,
        BABEL = 42,
        OVN = 84,
        OPENR = 99,
        BGP = 186,
        ISIS = 187,
        OSPF = 188,
        RIP = 189,
        EIGRP = 192,
    }
}

values! {
    /// What a route does with a packet (include/uapi/linux/rtnetlink.h).
    pub RouteType(u8), "RTN_" {
        UNSPEC = 0,
        /// Send it on.
        UNICAST = 1,
        /// Take it: the destination is this host.
        LOCAL = 2,
        /// Take it as a broadcast, send it as one.
        BROADCAST = 3,
        /// Take it as for an anycast address, send it as unicast.
        ANYCAST = 4,
        /// Multicast.
        MULTICAST = 5,
        /// Drop it silently.
        BLACKHOLE = 6,
        /// Drop it with `EHOSTUNREACH`.
        UNREACHABLE = 7,
        /// Drop it with `EACCES`.
        PROHIBIT = 8,
        /// Go on with the next rule.
        THROW = 9,
        /// Not used.
        NAT = 10,
        /// Not used.
        XRESOLVE = 11,
    }
}

flags! {
    /// Flags of a route (include/uapi/linux/rtnetlink.h). The low eight bits are those of its only next hop, which C
    /// calls `RTNH_F_`: [`NextHopFlags`].
    pub RouteFlags(u32), "RTM_F_" {
        /// Next hop does not work (`RTNH_F_DEAD`).
        NEXTHOP_DEAD = 0x1,
        /// Next hop is to be looked up again (`RTNH_F_PERVASIVE`).
        NEXTHOP_PERVASIVE = 0x2,
        /// Next hop is on the link, whatever its address (`RTNH_F_ONLINK`).
        NEXTHOP_ONLINK = 0x4,
        /// Next hop is in hardware (`RTNH_F_OFFLOAD`).
        NEXTHOP_OFFLOAD = 0x8,
        /// Link to the next hop is down (`RTNH_F_LINKDOWN`).
        NEXTHOP_LINKDOWN = 0x10,
        /// Multicast route waits for a daemon (`RTNH_F_UNRESOLVED`).
        NEXTHOP_UNRESOLVED = 0x20,
        /// Hardware gives packets to the host (`RTNH_F_TRAP`).
        NEXTHOP_TRAP = 0x40,
        /// Tell the asker when the route changes; not used.
        NOTIFY = 0x100,
        /// Made for one destination, out of another route.
        CLONED = 0x200,
        /// Not used.
        EQUALIZE = 0x400,
        /// In a dump request: only routes from advertised prefixes.
        PREFIX = 0x800,
        /// In a look-up: answer with the table of the route.
        LOOKUP_TABLE = 0x1000,
        /// In a look-up: answer with the route itself, not with its result.
        FIB_MATCH = 0x2000,
        /// In hardware.
        OFFLOAD = 0x4000,
        /// Hardware gives packets to the host.
        TRAP = 0x8000,
        /// Could not be put in hardware.
        OFFLOAD_FAILED = 0x2000_0000,
    }
}

flags! {
    /// Flags of a next hop (include/uapi/linux/rtnetlink.h).
    pub NextHopFlags(u8), "RTNH_F_" {
        /// Does not work.
        DEAD = 0x1,
        /// To be looked up again.
        PERVASIVE = 0x2,
        /// On the link, whatever its address.
        ONLINK = 0x4,
        /// In hardware.
        OFFLOAD = 0x8,
        /// Link is down.
        LINKDOWN = 0x10,
        /// Multicast route waits for a daemon.
        UNRESOLVED = 0x20,
        /// Hardware gives packets to the host.
        TRAP = 0x40,
    }
}

values! {
    /// Preference of a router (include/uapi/linux/icmpv6.h, RFC 4191).
    pub RouterPreference(u8), "ICMPV6_ROUTER_PREF_" {
        MEDIUM = 0,
        HIGH = 1,
        INVALID = 2,
        LOW = 3,
    }
}

values! {
    /// Why the kernel deleted a route (include/uapi/linux/rtnetlink.h, since Linux 7.3).
    pub DeletionReason(u32), "RT_DEL_REASON_" {
        /// Not recorded.
        UNSPEC = 0,
        /// Its lifetime ran out.
        EXPIRED = 1,
        /// A router took it back.
        RA_WITHDRAWN = 2,
    }
}

/// What most programs want to know of a route, borrowed from its message. What is rarer stays in the message:
/// `body.attributes.get(Route::METRICS)`.
///
/// ```
/// use core::net::Ipv4Addr;
/// use ringlink_codec::prelude::*;
/// use ringlink_codec::route::{Family, Route, RouteHeader, RouteTable, RouteType, RouteView, Rtm};
///
/// let mut buffer = Buffer::<128>::new();
/// let header = RouteHeader { family: Family::INET, dst_len: 24, kind: RouteType::UNICAST, ..Default::default() };
/// let bytes = buffer.message(Rtm::NEWROUTE, header, |route| {
///     route.put(Route::TABLE, RouteTable(1000));
///     route.put(Route::DST, Ipv4Addr::new(198, 51, 100, 0));
///     route.put(Route::GATEWAY, Ipv4Addr::new(192, 0, 2, 1));
///     route.put(Route::OIF, 2);
/// })?;
///
/// let view = RouteView::read(Message::parse(bytes)?.body(Rtm::NEWROUTE)?)?;
/// assert!(view.destination.is_some_and(|destination| destination.to_string() == "198.51.100.0"));
/// assert_eq!((view.header.dst_len, view.table, view.output), (24, RouteTable(1000), Some(2)));
/// # Ok::<(), ringlink_codec::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct RouteView<'a> {
    /// Family, lengths of the prefixes, who made the route and what it does.
    pub header: RouteHeader,
    /// Table: the attribute's, where there is none the header's.
    pub table: RouteTable,
    /// Destination; a default route has none. For the family MPLS, a label stack.
    pub destination: Option<InetAddress<'a>>,
    /// Source.
    pub source: Option<InetAddress<'a>>,
    /// Next hop, of the route's own family.
    pub gateway: Option<InetAddress<'a>>,
    /// Next hop of another family: the family, the address.
    pub via: Option<(ViaHeader, &'a [u8])>,
    /// Interface that the packet leaves by.
    pub output: Option<u32>,
    /// Priority: low numbers first.
    pub priority: Option<u32>,
    /// Source address for packets of this host.
    pub preferred_source: Option<InetAddress<'a>>,
    /// Several next hops.
    pub multipath: Option<RecordsItems<'a, NextHopHeader, Route>>,
    /// Next hop object.
    pub nexthop: Option<u32>,
}

impl<'a> RouteView<'a> {
    /// Reads the attributes in one pass.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, or one of those above has the wrong length.
    #[inline]
    pub fn read(body: Body<'a, RouteMessage>) -> Result<Self, Error> {
        let (destination, gateway, output, priority, table, preferred_source, source, multipath, via, nexthop) =
            body.attributes.read((
                Route::DST,
                Route::GATEWAY,
                Route::OIF,
                Route::PRIORITY,
                Route::TABLE,
                Route::PREFSRC,
                Route::SRC,
                Route::MULTIPATH,
                Route::VIA,
                Route::NH_ID,
            ))?;
        let header = body.header;
        let table = table.unwrap_or(RouteTable::from(header.table));
        Ok(Self {
            header,
            table,
            destination,
            source,
            gateway,
            via,
            output,
            priority,
            preferred_source,
            multipath,
            nexthop,
        })
    }
}
