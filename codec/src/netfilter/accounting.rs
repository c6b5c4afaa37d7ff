//! Named counters that rules count in (include/uapi/linux/netfilter/nfnetlink_acct.h; net/netfilter/nfnetlink_acct.c).

use super::NetfilterHeader;
use crate::table::{Be, Be32, Be64, Nest, Pad, Str};
use crate::{flags, operations, space};

/// What tells of a counter.
pub type CounterMessage = (NetfilterHeader, Counter);

operations! {
    /// Messages about named counters.
    pub Accounting, "NFNL_MSG_ACCT_", from 0x0700 {
        /// Make a counter, or: this is one.
        NEW: new CounterMessage = 0,
        /// Tell of one counter, by its name, or of all that [`Counter::FILTER`] chooses.
        GET: get CounterMessage => NEW CounterMessage = 1,
        /// As `GET`, and count from 0 again.
        GET_CTRZERO: get CounterMessage => NEW CounterMessage = 2,
        /// Delete a counter, or all that nothing uses.
        DEL: delete CounterMessage = 3,
        /// A quota is used up.
        OVERQUOTA: act CounterMessage = 4,
    }
}

space! {
    /// A named counter.
    pub Counter, "NFACCT_" {
        /// Its name, of at most 31 bytes.
        NAME: Str = 1,
        /// Packets.
        PKTS: Be64 = 2,
        /// Bytes.
        BYTES: Be64 = 3,
        /// How many rules use it.
        USE: Be32 = 4,
        /// What its quota counts.
        FLAGS: Be<QuotaFlags> = 5,
        /// Its quota.
        QUOTA: Be64 = 6,
        /// Which counters to tell of.
        FILTER: Nest<CounterFilter> = 7,
        /// Aligns what follows.
        PAD: Pad = 8,
    }
}

// include/uapi/linux/netfilter/nfnetlink_acct.h
flags! {
    /// What a quota counts.
    pub QuotaFlags(u32), "NFACCT_F_" {
        /// Packets.
        QUOTA_PKTS = 0x1,
        /// Bytes.
        QUOTA_BYTES = 0x2,
        /// It is used up.
        OVERQUOTA = 0x4,
    }
}

space! {
    /// Which counters to tell of.
    pub CounterFilter, "NFACCT_FILTER_" {
        /// Which flags count.
        MASK: Be<QuotaFlags> = 1,
        /// What they are to be.
        VALUE: Be<QuotaFlags> = 2,
    }
}
