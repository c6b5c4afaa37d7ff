//! Expressions that count or limit; all but `last` are objects, too.

use crate::table::{Be, Be32, Be64, Pad};
use crate::{flags, space, values};

space! {
    /// `counter`: packets and bytes.
    pub Counter, "NFTA_COUNTER_" {
        /// Bytes.
        BYTES: Be64 = 1,
        /// Packets.
        PACKETS: Be64 = 2,
        /// Nothing.
        PAD: Pad = 3,
    }
}

space! {
    /// `limit`: whether the rate is below.
    pub Limit, "NFTA_LIMIT_" {
        /// Packets or bytes in a time.
        RATE: Be64 = 1,
        /// That time, in seconds.
        UNIT: Be64 = 2,
        /// Packets or bytes more than that.
        BURST: Be32 = 3,
        /// What is counted.
        TYPE: Be<LimitType> = 4,
        /// How.
        FLAGS: Be<LimitFlags> = 5,
        /// Nothing.
        PAD: Pad = 6,
    }
}

values! {
    /// What a limit counts.
    pub LimitType(u32), "NFT_LIMIT_" {
        /// Packets.
        PKTS = 0,
        /// Bytes.
        PKT_BYTES = 1,
    }
}

flags! {
    /// How a limit is meant.
    pub LimitFlags(u32), "NFT_LIMIT_F_" {
        /// Whether the rate is above.
        INV = 0x1,
    }
}

space! {
    /// `connlimit`: whether there are not more connections.
    pub Connlimit, "NFTA_CONNLIMIT_" {
        /// How many.
        COUNT: Be32 = 1,
        /// How.
        FLAGS: Be<ConnlimitFlags> = 2,
    }
}

flags! {
    /// How a limit of connections is meant.
    pub ConnlimitFlags(u32), "NFT_CONNLIMIT_F_" {
        /// Whether there are more.
        INV = 0x1,
    }
}

space! {
    /// `quota`: whether not more bytes came.
    pub Quota, "NFTA_QUOTA_" {
        /// How many.
        BYTES: Be64 = 1,
        /// How, and whether it is used up.
        FLAGS: Be<QuotaFlags> = 2,
        /// Nothing.
        PAD: Pad = 3,
        /// How many came.
        CONSUMED: Be64 = 4,
    }
}

flags! {
    /// How a quota is meant, and how it stands.
    pub QuotaFlags(u32), "NFT_QUOTA_F_" {
        /// Whether more came.
        INV = 0x1,
        /// It is used up.
        DEPLETED = 0x2,
    }
}

space! {
    /// `last`: when the last packet came.
    pub Last, "NFTA_LAST_" {
        /// Whether one came.
        SET: Be32 = 1,
        /// How long ago, in milliseconds.
        MSECS: Be64 = 2,
        /// Nothing.
        PAD: Pad = 3,
    }
}
