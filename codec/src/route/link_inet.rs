//! What IPv4, IPv6 and MCTP know of an interface: settings and counters.
//!
//! Settings come as a row of numbers, counted by the kernel's names for them:
//!
//! ```
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::route::{AfSpec, InetLink, Ipv4Devconf, Link, LinkHeader, Rtm};
//!
//! // A request sets them one by one …
//! let mut buffer = Buffer::<64>::new();
//! let bytes = buffer.message(Rtm::NEWLINK, LinkHeader { index: 2, ..LinkHeader::default() }, |link| {
//!     link.choose(Link::AF_SPEC, AfSpec, |families| {
//!         families.nest(AfSpec::INET, |inet| inet.put(InetLink::CONF, &[(Ipv4Devconf::FORWARDING, 1)][..]));
//!     });
//! })?;
//! assert_eq!(bytes.len(), 52);
//!
//! // … a message tells them all.
//! let mut told = [0_u8; 16];
//! let mut writer = ringlink_codec::wire::Writer::new(&mut told);
//! writer.attribute(InetLink::CONF.number(), &[1_i32.to_ne_bytes(), 0_i32.to_ne_bytes()].concat());
//! let inet = Attributes::<InetLink>::new(ringlink_codec::wire::Payload { bytes: writer.finish()?, offset: 0 });
//! let settings = inet.get(InetLink::CONF)?;
//! assert_eq!(settings.and_then(|settings| Ipv4Devconf::FORWARDING.of(settings)), Some(1));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use core::net::Ipv6Addr;

use crate::table::{Bytes, Encode, Malformed, Packed, PackedItems, Shape, Value};
use crate::wire::{Payload, RawAttribute, Writer};
use crate::{flags, record, space, values};

// include/uapi/linux/if_link.h
space! {
    /// What IPv4 knows of an interface.
    pub InetLink, "IFLA_INET_" {
        /// Its settings (net.ipv4.conf); see [`Ipv4Devconf`].
        CONF: InetSettings = 1,
    }
}

/// The payload type of IPv4 settings, which is not the same in both directions: the kernel tells all values, one
/// behind the other, and takes a nest of those that are to change.
#[derive(Clone, Copy, Debug)]
pub struct InetSettings;

impl Value for InetSettings {
    type Read<'a> = PackedItems<'a, i32>;
    const SHAPE: Shape = <Packed<i32> as Value>::SHAPE;
    const FLAGS: u16 = RawAttribute::NESTED;

    fn decode(payload: Payload<'_>) -> Result<PackedItems<'_, i32>, Malformed> {
        Packed::<i32>::decode(payload)
    }
}

impl Encode<InetSettings> for &[(Ipv4Devconf, i32)] {
    fn encode(self, writer: &mut Writer<'_>) {
        for (setting, value) in self {
            writer.attribute(setting.0, &value.to_ne_bytes());
        }
    }
}

// include/uapi/linux/if_link.h
space! {
    /// What IPv6 knows of an interface.
    pub Inet6Link, "IFLA_INET6_" {
        /// What it does about routers, and whether it is ready.
        FLAGS: Inet6LinkFlags = 1,
        /// Its settings (net.ipv6.conf); see [`Ipv6Devconf`]. Told, not to be set.
        CONF: Packed<i32> = 2,
        /// Counters; see [`IpStatistic`].
        STATS: Packed<u64> = 3,
        /// Never used.
        MCAST: Bytes = 4,
        /// Times and sizes.
        CACHEINFO: Inet6CacheInfo = 5,
        /// Counters of ICMP; see [`Icmp6Statistic`].
        ICMP6STATS: Packed<u64> = 6,
        /// The lower half of the addresses it makes for itself; `::` for none.
        TOKEN: Ipv6Addr = 7,
        /// How it makes the lower half of its addresses.
        ADDR_GEN_MODE: AddressGeneration = 8,
        /// MTU that a router advertised, in bytes. Told, not to be set.
        RA_MTU: u32 = 9,
    }
}

// include/net/if_inet6.h
flags! {
    /// What IPv6 does about routers on an interface, and whether it is ready.
    pub Inet6LinkFlags(u32), "IF_" {
        /// Solicited routers.
        RS_SENT = 0x10,
        /// Heard a router.
        RA_RCVD = 0x20,
        /// The router has addresses by DHCP.
        RA_MANAGED = 0x40,
        /// The router has other settings by DHCP.
        RA_OTHERCONF = 0x80,
        READY = 0x8000_0000,
    }
}

// include/uapi/linux/if_link.h
values! {
    /// How the lower half of IPv6 addresses is made.
    pub AddressGeneration(u8), "IN6_ADDR_GEN_MODE_" {
        /// From the hardware address.
        EUI64 = 0,
        /// Not at all: no link-local address.
        NONE = 1,
        /// From a secret, the same each time (RFC 7217).
        STABLE_PRIVACY = 2,
        /// As `STABLE_PRIVACY`, with a secret made at random.
        RANDOM = 3,
    }
}

// include/uapi/linux/if_link.h
record! {
    /// Times and sizes of IPv6 on an interface.
    pub Inet6CacheInfo, "ifla_cacheinfo", "" {
        /// Largest packet put together from fragments, in bytes.
        max_reasm_len: u32,
        /// When its IPv6 settings last changed, in hundredths of a second since boot.
        tstamp: u32,
        /// How long a neighbour counts as reachable, in milliseconds.
        reachable_time: u32,
        /// How long to wait before soliciting again, in milliseconds.
        retrans_time: u32,
    }
}

// include/uapi/linux/if_link.h
space! {
    /// What MCTP (DMTF DSP0236) knows of an interface.
    pub MctpLink, "IFLA_MCTP_" {
        /// Number of the network it belongs to.
        NET: u32 = 1,
        /// What it runs over.
        PHYS_BINDING: MctpBinding = 2,
    }
}

// include/net/mctp.h
values! {
    /// What MCTP runs over (DMTF DSP0239).
    pub MctpBinding(u8), "MCTP_PHYS_BINDING_" {
        UNSPEC = 0,
        SMBUS = 1,
        PCIE_VDM = 2,
        USB = 3,
        KCS = 4,
        SERIAL = 5,
        I3C = 6,
        MMBI = 7,
        PCC = 8,
        UCIE = 9,
        VENDOR = 255,
    }
}

// include/uapi/linux/ip.h
values! {
    /// A setting of IPv4 on an interface (net.ipv4.conf), by its number.
    pub Ipv4Devconf(u16), "IPV4_DEVCONF_" {
        FORWARDING = 1,
        MC_FORWARDING = 2,
        PROXY_ARP = 3,
        ACCEPT_REDIRECTS = 4,
        SECURE_REDIRECTS = 5,
        SEND_REDIRECTS = 6,
        SHARED_MEDIA = 7,
        RP_FILTER = 8,
        ACCEPT_SOURCE_ROUTE = 9,
        BOOTP_RELAY = 10,
        LOG_MARTIANS = 11,
        TAG = 12,
        ARPFILTER = 13,
        MEDIUM_ID = 14,
        NOXFRM = 15,
        NOPOLICY = 16,
        FORCE_IGMP_VERSION = 17,
        ARP_ANNOUNCE = 18,
        ARP_IGNORE = 19,
        PROMOTE_SECONDARIES = 20,
        ARP_ACCEPT = 21,
        ARP_NOTIFY = 22,
        ACCEPT_LOCAL = 23,
        SRC_VMARK = 24,
        PROXY_ARP_PVLAN = 25,
        ROUTE_LOCALNET = 26,
        IGMPV2_UNSOLICITED_REPORT_INTERVAL = 27,
        IGMPV3_UNSOLICITED_REPORT_INTERVAL = 28,
        IGNORE_ROUTES_WITH_LINKDOWN = 29,
        DROP_UNICAST_IN_L2_MULTICAST = 30,
        DROP_GRATUITOUS_ARP = 31,
        BC_FORWARDING = 32,
        ARP_EVICT_NOCARRIER = 33,
    }
}

impl Ipv4Devconf {
    /// Its value among the settings of an interface; `None` where the kernel is older than the setting.
    #[must_use]
    pub fn of(self, settings: PackedItems<'_, i32>) -> Option<i32> {
        // Numbers begin at 1.
        let mut settings = settings;
        settings.nth(usize::from(self.0.checked_sub(1)?))
    }
}

// include/uapi/linux/ipv6.h
values! {
    /// A setting of IPv6 on an interface (net.ipv6.conf), by its number.
    pub Ipv6Devconf(u16), "DEVCONF_" {
        FORWARDING = 0,
        HOPLIMIT = 1,
        MTU6 = 2,
        ACCEPT_RA = 3,
        ACCEPT_REDIRECTS = 4,
        AUTOCONF = 5,
        DAD_TRANSMITS = 6,
        RTR_SOLICITS = 7,
        /// In milliseconds.
        RTR_SOLICIT_INTERVAL = 8,
        /// In milliseconds.
        RTR_SOLICIT_DELAY = 9,
        USE_TEMPADDR = 10,
        TEMP_VALID_LFT = 11,
        TEMP_PREFERED_LFT = 12,
        REGEN_MAX_RETRY = 13,
        MAX_DESYNC_FACTOR = 14,
        MAX_ADDRESSES = 15,
        FORCE_MLD_VERSION = 16,
        ACCEPT_RA_DEFRTR = 17,
        ACCEPT_RA_PINFO = 18,
        ACCEPT_RA_RTR_PREF = 19,
        /// In milliseconds.
        RTR_PROBE_INTERVAL = 20,
        ACCEPT_RA_RT_INFO_MAX_PLEN = 21,
        PROXY_NDP = 22,
        OPTIMISTIC_DAD = 23,
        ACCEPT_SOURCE_ROUTE = 24,
        MC_FORWARDING = 25,
        DISABLE_IPV6 = 26,
        ACCEPT_DAD = 27,
        FORCE_TLLAO = 28,
        NDISC_NOTIFY = 29,
        /// In milliseconds.
        MLDV1_UNSOLICITED_REPORT_INTERVAL = 30,
        /// In milliseconds.
        MLDV2_UNSOLICITED_REPORT_INTERVAL = 31,
        SUPPRESS_FRAG_NDISC = 32,
        ACCEPT_RA_FROM_LOCAL = 33,
        USE_OPTIMISTIC = 34,
        ACCEPT_RA_MTU = 35,
        /// Always 0: the secret is not told.
        STABLE_SECRET = 36,
        USE_OIF_ADDRS_ONLY = 37,
        ACCEPT_RA_MIN_HOP_LIMIT = 38,
        IGNORE_ROUTES_WITH_LINKDOWN = 39,
        DROP_UNICAST_IN_L2_MULTICAST = 40,
        DROP_UNSOLICITED_NA = 41,
        KEEP_ADDR_ON_DOWN = 42,
        /// In milliseconds.
        RTR_SOLICIT_MAX_INTERVAL = 43,
        SEG6_ENABLED = 44,
        SEG6_REQUIRE_HMAC = 45,
        ENHANCED_DAD = 46,
        ADDR_GEN_MODE = 47,
        DISABLE_POLICY = 48,
        ACCEPT_RA_RT_INFO_MIN_PLEN = 49,
        NDISC_TCLASS = 50,
        RPL_SEG_ENABLED = 51,
        RA_DEFRTR_METRIC = 52,
        IOAM6_ENABLED = 53,
        IOAM6_ID = 54,
        IOAM6_ID_WIDE = 55,
        NDISC_EVICT_NOCARRIER = 56,
        ACCEPT_UNTRACKED_NA = 57,
        ACCEPT_RA_MIN_LFT = 58,
        FORCE_FORWARDING = 59,
    }
}

impl Ipv6Devconf {
    /// Its value among the settings of an interface; `None` where the kernel is older than the setting.
    #[must_use]
    pub fn of(self, settings: PackedItems<'_, i32>) -> Option<i32> {
        let mut settings = settings;
        settings.nth(usize::from(self.0))
    }
}

// include/uapi/linux/snmp.h
values! {
    /// A counter of IPv6 on an interface, by its number from Linux 6.8 on, which moved most of them.
    pub IpStatistic(u16), "IPSTATS_MIB_" {
        /// How many counters there are, this one included.
        NUM = 0,
        INPKTS = 1,
        INOCTETS = 2,
        INDELIVERS = 3,
        NOECTPKTS = 4,
        ECT1PKTS = 5,
        ECT0PKTS = 6,
        CEPKTS = 7,
        /// Handed down by this machine.
        OUTREQUESTS = 8,
        /// Sent, forwarded ones included.
        OUTPKTS = 9,
        OUTOCTETS = 10,
        OUTFORWDATAGRAMS = 11,
        INHDRERRORS = 12,
        INTOOBIGERRORS = 13,
        INNOROUTES = 14,
        INADDRERRORS = 15,
        INUNKNOWNPROTOS = 16,
        INTRUNCATEDPKTS = 17,
        INDISCARDS = 18,
        OUTDISCARDS = 19,
        OUTNOROUTES = 20,
        REASMTIMEOUT = 21,
        REASMREQDS = 22,
        REASMOKS = 23,
        REASMFAILS = 24,
        FRAGOKS = 25,
        FRAGFAILS = 26,
        FRAGCREATES = 27,
        INMCASTPKTS = 28,
        OUTMCASTPKTS = 29,
        INBCASTPKTS = 30,
        OUTBCASTPKTS = 31,
        INMCASTOCTETS = 32,
        OUTMCASTOCTETS = 33,
        INBCASTOCTETS = 34,
        OUTBCASTOCTETS = 35,
        CSUMERRORS = 36,
        REASM_OVERLAPS = 37,
    }
}

impl IpStatistic {
    /// Its value among the counters of an interface; `None` where there are fewer than Linux 6.8 has, for older
    /// kernels count in another order.
    #[must_use]
    pub fn of(self, counters: PackedItems<'_, u64>) -> Option<u64> {
        let mut counters = counters;
        if counters.len() <= usize::from(Self::REASM_OVERLAPS.0) {
            return None;
        }
        counters.nth(usize::from(self.0))
    }
}

// include/uapi/linux/snmp.h
values! {
    /// A counter of ICMPv6 on an interface, by its number.
    pub Icmp6Statistic(u16), "ICMP6_MIB_" {
        /// How many counters there are, this one included.
        NUM = 0,
        INMSGS = 1,
        INERRORS = 2,
        OUTMSGS = 3,
        OUTERRORS = 4,
        CSUMERRORS = 5,
        RATELIMITHOST = 6,
    }
}

impl Icmp6Statistic {
    /// Its value among the counters of an interface; `None` where the kernel is older than the counter.
    #[must_use]
    pub fn of(self, counters: PackedItems<'_, u64>) -> Option<u64> {
        let mut counters = counters;
        counters.nth(usize::from(self.0))
    }
}
