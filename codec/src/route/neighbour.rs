//! Neighbours, entries of forwarding tables, neighbour tables.

use super::{Family, RouteProtocol, RouteType};
use crate::table::{Be16, Body, Flag, Hardware, HardwareAddress, Inet, InetAddress, Nest, Pad, Str};
use crate::wire::Error;
use crate::{flags, record, space};

record! {
    /// What neighbour messages begin with (`struct ndmsg`, include/uapi/linux/neighbour.h).
    pub NeighbourHeader, "ndmsg", "ndm_" {
        /// `INET`, `INET6`, or `BRIDGE` for forwarding tables.
        family: Family,
        /// Nothing.
        pad1: u8,
        /// Nothing.
        pad2: u16,
        /// Interface.
        ifindex: i32,
        /// How far resolution has come.
        state: NeighbourState,
        /// What kind of entry this is.
        flags: NeighbourFlags,
        /// Type of the address, as a route to it would have (`ndm_type` in C).
        kind: RouteType,
    }
}

/// Header and attributes of neighbour messages.
pub type NeighbourMessage = (NeighbourHeader, Neighbour);

space! {
    /// Attributes of a neighbour or of an entry of a forwarding table (include/uapi/linux/neighbour.h;
    /// net/core/neighbour.c, net/bridge/br_fdb.c, drivers/net/vxlan/vxlan_core.c).
    pub Neighbour, "NDA_" {
        /// Address; for VXLAN the remote end.
        DST: Inet = 1,
        /// Hardware address.
        LLADDR: Hardware = 2,
        /// When the entry was used, confirmed and changed.
        CACHEINFO: NeighbourCacheInfo = 3,
        /// Probes sent without an answer.
        PROBES: u32 = 4,
        /// VLAN of a forwarding entry, 1 to 4094.
        VLAN: u16 = 5,
        /// UDP port of the remote VXLAN end.
        PORT: Be16 = 6,
        /// VXLAN network identifier, 24 bits.
        VNI: u32 = 7,
        /// Interface: the one by which a VXLAN end is reached; in a dump request the one to dump.
        IFINDEX: u32 = 8,
        /// Bridge or other master of the interface.
        MASTER: u32 = 9,
        /// Namespace in which `IFINDEX` counts, by its id in this one.
        LINK_NETNSID: i32 = 10,
        /// VNI that packets came in with, for VXLAN devices of many VNIs.
        SRC_VNI: u32 = 11,
        /// Who made the entry.
        PROTOCOL: RouteProtocol = 12,
        /// Next hop object in place of an address.
        NH_ID: u32 = 13,
        /// More about a bridge's forwarding entry.
        FDB_EXT_ATTRS: Nest<FdbExtended> = 14,
        /// Flags that the header has no room for.
        FLAGS_EXT: NeighbourExtendedFlags = 15,
        /// Which state bits of the header count; in a bulk delete.
        NDM_STATE_MASK: NeighbourState = 16,
        /// Which flag bits of the header count; in a bulk delete.
        NDM_FLAGS_MASK: NeighbourFlags = 17,
    }
}

space! {
    /// More about a bridge's forwarding entry (include/uapi/linux/neighbour.h).
    pub FdbExtended, "NFEA_" {
        /// Notifications about activity.
        ACTIVITY_NOTIFY: FdbNotify = 1,
        /// A change leaves the time of last use as it is.
        DONT_REFRESH: Flag = 2,
    }
}

flags! {
    /// Notifications about a forwarding entry's activity (include/uapi/linux/neighbour.h).
    pub FdbNotify(u8), "FDB_NOTIFY_" {
        /// Tell when it becomes active and when it expires.
        BIT = 0x1,
        /// It is inactive now: tells once.
        INACTIVE_BIT = 0x2,
    }
}

record! {
    /// When an entry was used and changed (`struct nda_cacheinfo`, include/uapi/linux/neighbour.h). Times count back
    /// from now, in ticks of the user's clock (hundredths of a second).
    pub NeighbourCacheInfo, "nda_cacheinfo", "ndm_" {
        /// Since the neighbour was last heard of.
        confirmed: u32,
        /// Since it was last sent to.
        used: u32,
        /// Since the entry last changed.
        updated: u32,
        /// Uses of the entry.
        refcnt: u32,
    }
}

flags! {
    /// How far the resolution of a neighbour has come (include/uapi/linux/neighbour.h).
    pub NeighbourState(u16), "NUD_" {
        /// Nothing known.
        NONE = 0,
        /// Asked, no answer yet.
        INCOMPLETE = 0x1,
        /// Heard of lately.
        REACHABLE = 0x2,
        /// Not heard of lately; asked again when it is needed.
        STALE = 0x4,
        /// Needed while stale; waits for a sign of life.
        DELAY = 0x8,
        /// Being asked again.
        PROBE = 0x10,
        /// No answer.
        FAILED = 0x20,
        /// Needs no resolution.
        NOARP = 0x40,
        /// Set by hand, stays.
        PERMANENT = 0x80,
    }
}

flags! {
    /// What kind of entry a neighbour is (include/uapi/linux/neighbour.h).
    pub NeighbourFlags(u8), "NTF_" {
        /// Resolve now; in requests.
        USE = 0x1,
        /// In the device's own forwarding table.
        SELF = 0x2,
        /// In the forwarding table of the device's master.
        MASTER = 0x4,
        /// Answered for others (proxy ARP, proxy NDP).
        PROXY = 0x8,
        /// Made by a control plane; does not age.
        EXT_LEARNED = 0x10,
        /// In hardware.
        OFFLOADED = 0x20,
        /// Does not move to another port.
        STICKY = 0x40,
        /// IPv6 neighbour is a router.
        ROUTER = 0x80,
    }
}

flags! {
    /// What kind of entry a neighbour is, continued (include/uapi/linux/neighbour.h).
    pub NeighbourExtendedFlags(u32), "NTF_EXT_" {
        /// Kept reachable by the kernel for a control plane.
        MANAGED = 0x1,
        /// Seen on a locked bridge port; not let through.
        LOCKED = 0x2,
        /// Validated by a control plane; the kernel does not drop it for want of confirmation.
        EXT_VALIDATED = 0x4,
    }
}

/// What most programs want to know of a neighbour, borrowed from its message.
///
/// ```
/// use core::net::Ipv4Addr;
/// use ringlink_codec::prelude::*;
/// use ringlink_codec::route::{Family, Neighbour, NeighbourHeader, NeighbourState, NeighbourView, Rtm};
///
/// let mut buffer = Buffer::<64>::new();
/// let header = NeighbourHeader {
///     family: Family::INET,
///     ifindex: 2,
///     state: NeighbourState::REACHABLE,
///     ..Default::default()
/// };
/// let bytes = buffer.message(Rtm::NEWNEIGH, header, |neighbour| {
///     neighbour.put(Neighbour::DST, Ipv4Addr::new(192, 0, 2, 7));
///     neighbour.put(Neighbour::LLADDR, [2, 0, 0, 0, 0, 7]);
/// })?;
///
/// let view = NeighbourView::read(Message::parse(bytes)?.body(Rtm::NEWNEIGH)?)?;
/// assert!(view.address.is_some_and(|address| address.to_string() == "192.0.2.7"));
/// assert!(view.hardware.is_some_and(|address| address.to_string() == "02:00:00:00:00:07"));
/// assert_eq!(view.header.state, NeighbourState::REACHABLE);
/// # Ok::<(), ringlink_codec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NeighbourView<'a> {
    /// Family, interface, how far resolution has come, what kind of entry this is.
    pub header: NeighbourHeader,
    /// What kind of entry this is, continued.
    pub extended_flags: NeighbourExtendedFlags,
    /// Address.
    pub address: Option<InetAddress<'a>>,
    /// Hardware address.
    pub hardware: Option<HardwareAddress<'a>>,
    /// When the entry was used and changed.
    pub cache: Option<NeighbourCacheInfo>,
    /// Probes sent without an answer.
    pub probes: Option<u32>,
    /// VLAN of a forwarding entry.
    pub vlan: Option<u16>,
    /// VXLAN network identifier.
    pub vni: Option<u32>,
    /// Master of the interface.
    pub master: Option<u32>,
    /// Next hop object.
    pub nexthop: Option<u32>,
    /// Who made the entry.
    pub protocol: Option<RouteProtocol>,
}

impl<'a> NeighbourView<'a> {
    /// Reads the attributes in one pass.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, or one of those above has the wrong length.
    #[inline]
    pub fn read(body: Body<'a, NeighbourMessage>) -> Result<Self, Error> {
        let (address, hardware, cache, probes, vlan, vni, master, nexthop, protocol, extended) =
            body.attributes.read((
                Neighbour::DST,
                Neighbour::LLADDR,
                Neighbour::CACHEINFO,
                Neighbour::PROBES,
                Neighbour::VLAN,
                Neighbour::VNI,
                Neighbour::MASTER,
                Neighbour::NH_ID,
                Neighbour::PROTOCOL,
                Neighbour::FLAGS_EXT,
            ))?;
        Ok(Self {
            header: body.header,
            extended_flags: extended.unwrap_or_default(),
            address,
            hardware,
            cache,
            probes,
            vlan,
            vni,
            master,
            nexthop,
            protocol,
        })
    }
}

record! {
    /// What neighbour table messages begin with (`struct ndtmsg`, include/uapi/linux/neighbour.h).
    pub NeighbourTableHeader, "ndtmsg", "ndtm_" {
        /// Address family of the table.
        family: Family,
        /// Nothing.
        pad1: u8,
        /// Nothing.
        pad2: u16,
    }
}

/// Header and attributes of neighbour table messages.
pub type NeighbourTableMessage = (NeighbourTableHeader, NeighbourTable);

space! {
    /// A neighbour table (include/uapi/linux/neighbour.h; net/core/neighbour.c). A dump gives each table's limits and
    /// default parameters with `CONFIG`, then a message for each interface with parameters alone.
    pub NeighbourTable, "NDTA_" {
        /// Name: `arp_cache` or `ndisc_cache`.
        NAME: Str = 1,
        /// Entries below which none is collected.
        THRESH1: u32 = 2,
        /// Entries from which on old ones are collected, at most every five seconds.
        THRESH2: u32 = 3,
        /// Entries the table never exceeds.
        THRESH3: u32 = 4,
        /// Sizes and state; read only.
        CONFIG: NeighbourTableConfig = 5,
        /// Parameters: the defaults, or an interface's own.
        PARMS: Nest<NeighbourTableParameters> = 6,
        /// Counters; read only.
        STATS: NeighbourTableStats = 7,
        /// Milliseconds between collections.
        GC_INTERVAL: u64 = 8,
        /// Nothing.
        PAD: Pad = 9,
    }
}

space! {
    /// Parameters of neighbours in a table (include/uapi/linux/neighbour.h). Times are in milliseconds.
    pub NeighbourTableParameters, "NDTPA_" {
        /// Interface whose parameters these are; missing for the defaults.
        IFINDEX: u32 = 1,
        /// Uses; read only.
        REFCNT: u32 = 2,
        /// How long a confirmed neighbour counts as reachable, drawn around the base; read only.
        REACHABLE_TIME: u64 = 3,
        /// Mean of the reachable time.
        BASE_REACHABLE_TIME: u64 = 4,
        /// Time between two requests.
        RETRANS_TIME: u64 = 5,
        /// How long an unused entry stays.
        GC_STALETIME: u64 = 6,
        /// How long a stale neighbour in use has for a sign of life before it is probed.
        DELAY_PROBE_TIME: u64 = 7,
        /// Packets that wait for resolution; an estimate from `QUEUE_LENBYTES`.
        QUEUE_LEN: u32 = 8,
        /// Requests left to a program on the neighbour group.
        APP_PROBES: u32 = 9,
        /// Unicast requests before multicast ones.
        UCAST_PROBES: u32 = 10,
        /// Multicast requests before failure.
        MCAST_PROBES: u32 = 11,
        /// Longest delay of an answer for an anycast address.
        ANYCAST_DELAY: u64 = 12,
        /// Longest delay of a proxied answer.
        PROXY_DELAY: u64 = 13,
        /// Proxied requests that may wait.
        PROXY_QLEN: u32 = 14,
        /// How long a learned address is not replaced.
        LOCKTIME: u64 = 15,
        /// Bytes of packets that may wait for resolution.
        QUEUE_LENBYTES: u32 = 16,
        /// Multicast requests after unicast ones failed.
        MCAST_REPROBES: u32 = 17,
        /// Nothing.
        PAD: Pad = 18,
        /// Time between probes of neighbours that the kernel keeps reachable, at least 1.
        INTERVAL_PROBE_TIME_MS: u64 = 19,
    }
}

record! {
    /// Sizes and state of a neighbour table (`struct ndt_config`, include/uapi/linux/neighbour.h).
    pub NeighbourTableConfig, "ndt_config", "ndtc_" {
        /// Bytes of an address.
        key_len: u16,
        /// Bytes of an entry in the kernel.
        entry_size: u16,
        /// Entries.
        entries: u32,
        /// Milliseconds since the last flush.
        last_flush: u32,
        /// Milliseconds since reachable times were last drawn.
        last_rand: u32,
        /// Seed of the hash.
        hash_rnd: u32,
        /// Mask of the hash.
        hash_mask: u32,
        /// Zero.
        hash_chain_gc: u32,
        /// Proxied requests that wait.
        proxy_qlen: u32,
    }
}

record! {
    /// Counters of a neighbour table (`struct ndt_stats`, include/uapi/linux/neighbour.h).
    pub NeighbourTableStats, "ndt_stats", "ndts_" {
        /// Entries made.
        allocs: u64,
        /// Entries dropped.
        destroys: u64,
        /// Times the hash grew.
        hash_grows: u64,
        /// Resolutions that failed.
        res_failed: u64,
        /// Look-ups.
        lookups: u64,
        /// Look-ups that found an entry.
        hits: u64,
        /// Multicast requests received.
        rcv_probes_mcast: u64,
        /// Unicast requests received.
        rcv_probes_ucast: u64,
        /// Collections by the clock.
        periodic_gc_runs: u64,
        /// Collections because the table was full.
        forced_gc_runs: u64,
        /// Entries refused because the table was full.
        table_fulls: u64,
    }
}
