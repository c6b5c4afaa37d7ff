//! Next hops as objects that routes refer to.

use super::{EncapType, Family, NexthopEncap, RouteFlags, RouteProtocol, Scope};
use crate::table::{Choice, Flag, Inet, Many, Nest, Packed, Pad, Uint};
use crate::{flags, record, space, values};

record! {
    /// What next hop messages begin with (`struct nhmsg`, include/uapi/linux/nexthop.h).
    pub NexthopHeader, "nhmsg", "nh_" {
        /// `INET` or `INET6`, `UNSPEC` for groups.
        family: Family,
        /// How far it is; in answers.
        scope: Scope,
        /// Who made it.
        protocol: RouteProtocol,
        /// Nothing (`resvd` in C).
        pad: u8,
        /// Its flags: the `NEXTHOP_` ones of a route.
        flags: RouteFlags,
    }
}

/// Header and attributes of next hop messages.
pub type NexthopMessage = (NexthopHeader, Nexthop);

space! {
    /// Attributes of a next hop object (include/uapi/linux/nexthop.h; net/ipv4/nexthop.c).
    pub Nexthop, "NHA_" {
        /// Its number; 0 or none in a request lets the kernel choose.
        ID: u32 = 1,
        /// Next hops of a group; excludes what describes a single one.
        GROUP: Packed<NexthopGroupEntry> = 2,
        /// How a group chooses among them.
        GROUP_TYPE: NexthopGroupType = 3,
        /// Packets are dropped.
        BLACKHOLE: Flag = 4,
        /// Interface; in a dump request, only next hops by it.
        OIF: u32 = 5,
        /// Address of the next hop.
        GATEWAY: Inet = 6,
        /// What the packet is wrapped in.
        ENCAP_TYPE: EncapType = 7,
        /// How it is wrapped.
        ENCAP: Choice<NexthopEncap> = 8,
        /// In a dump request: only groups.
        GROUPS: Flag = 9,
        /// In a dump request: only next hops by interfaces of this master.
        MASTER: u32 = 10,
        /// For entries of forwarding tables, not for routes.
        FDB: Flag = 11,
        /// Settings of a resilient group.
        RES_GROUP: Nest<ResilientGroup> = 12,
        /// A bucket of a resilient group.
        RES_BUCKET: Nest<ResilientBucket> = 13,
        /// What an answer shall hold.
        OP_FLAGS: NexthopOperationFlags = 14,
        /// Packets by next hop of a group.
        GROUP_STATS: Nest<NexthopGroupStats> = 15,
        /// 1: hardware counts packets.
        HW_STATS_ENABLE: u32 = 16,
        /// Whether hardware counts them indeed.
        HW_STATS_USED: u32 = 17,
    }
}

record! {
    /// One next hop of a group (`struct nexthop_grp`, include/uapi/linux/nexthop.h).
    pub NexthopGroupEntry, "nexthop_grp", "" {
        /// Number of a next hop that exists.
        id: u32,
        /// Weight less one, low eight bits.
        weight: u8,
        /// Weight less one, high eight bits; since Linux 6.12, before that zero.
        weight_high: u8,
        /// Nothing (`resvd2` in C).
        pad: u16,
    }
}

impl NexthopGroupEntry {
    /// A next hop with a weight of 1 to 65536; 0 is taken for 1.
    ///
    /// ```
    /// use ringlink_codec::route::NexthopGroupEntry;
    ///
    /// let entry = NexthopGroupEntry::new(7, 300);
    /// assert_eq!((entry.weight, entry.weight_high, entry.full_weight()), (43, 1, 300));
    /// ```
    #[must_use]
    pub fn new(id: u32, weight: u32) -> Self {
        let [weight, weight_high] = u16::try_from(weight.saturating_sub(1)).unwrap_or(u16::MAX).to_le_bytes();
        Self { id, weight, weight_high, pad: 0 }
    }

    /// The weight, 1 to 65536.
    #[must_use]
    pub fn full_weight(self) -> u32 {
        u32::from(u16::from_le_bytes([self.weight, self.weight_high])).saturating_add(1)
    }
}

values! {
    /// How a group chooses among its next hops (include/uapi/linux/nexthop.h).
    pub NexthopGroupType(u16), "NEXTHOP_GRP_TYPE_" {
        /// By the packet's hash and the weights.
        MPATH = 0,
        /// By a table of buckets that keeps flows where they are.
        RES = 1,
    }
}

flags! {
    /// What an answer shall hold (include/uapi/linux/nexthop.h).
    pub NexthopOperationFlags(u32), "NHA_OP_FLAG_" {
        /// Packets by next hop.
        DUMP_STATS = 0x1,
        /// The same, those of hardware too.
        DUMP_HW_STATS = 0x2,
        /// In an answer: the entries' reserved fields are zero, so that `weight_high` can be believed.
        RESP_GRP_RESVD_0 = 0x8000_0000,
    }
}

space! {
    /// Settings of a resilient group (include/uapi/linux/nexthop.h). Times are in hundredths of a second.
    pub ResilientGroup, "NHA_RES_GROUP_" {
        /// Nothing.
        PAD: Pad = 0,
        /// How many buckets.
        BUCKETS: u16 = 1,
        /// How long a bucket must be unused before it moves.
        IDLE_TIMER: u32 = 2,
        /// How long the group may be unbalanced before buckets in use move, 0 for ever.
        UNBALANCED_TIMER: u32 = 3,
        /// How long the group has been unbalanced.
        UNBALANCED_TIME: u64 = 4,
    }
}

space! {
    /// A bucket of a resilient group (include/uapi/linux/nexthop.h).
    pub ResilientBucket, "NHA_RES_BUCKET_" {
        /// Nothing.
        PAD: Pad = 0,
        /// Which bucket, from 0 on.
        INDEX: u16 = 1,
        /// How long it has been unused, in hundredths of a second.
        IDLE_TIME: u64 = 2,
        /// Next hop that it leads to.
        NH_ID: u32 = 3,
    }
}

space! {
    /// Packets by next hop of a group (include/uapi/linux/nexthop.h).
    pub NexthopGroupStats, "NHA_GROUP_STATS_" {
        /// One next hop's packets; there are several.
        ENTRY: Many<Nest<NexthopGroupStatsEntry>> = 1,
    }
}

space! {
    /// Packets over one next hop of a group (include/uapi/linux/nexthop.h).
    pub NexthopGroupStatsEntry, "NHA_GROUP_STATS_ENTRY_" {
        /// Next hop.
        ID: u32 = 1,
        /// Packets, those of hardware included where they were asked for.
        PACKETS: Uint = 2,
        /// Packets of hardware.
        PACKETS_HW: Uint = 3,
    }
}
