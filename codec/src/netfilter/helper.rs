//! Helpers of connection tracking that are programs (include/uapi/linux/netfilter/nfnetlink_cthelper.h;
//! net/netfilter/nfnetlink_cthelper.c).

use super::NetfilterHeader;
use super::conntrack::Protocol;
use crate::table::{Be, Be16, Be32, Nest, Str};
use crate::{operations, space, values};

/// What tells of a helper.
pub type HelperMessage = (NetfilterHeader, Helper);

operations! {
    /// Messages about helpers.
    pub Helpers, "NFNL_MSG_CTHELPER_", from 0x0900 {
        /// Make a helper or change it, or: this is one.
        NEW: new HelperMessage = 0,
        /// Tell of one helper, by its name or tuple, or of all.
        GET: get HelperMessage => NEW HelperMessage = 1,
        /// Delete a helper, or all.
        DEL: delete HelperMessage = 2,
    }
}

space! {
    /// A helper.
    pub Helper, "NFCTH_" {
        /// Its name, of at most 15 bytes.
        NAME: Str = 1,
        /// Which connections it is for.
        TUPLE: Nest<HelperTuple> = 2,
        /// The queue that the program reads packets from.
        QUEUE_NUM: Be32 = 3,
        /// What it may expect.
        POLICY: Nest<HelperPolicies> = 4,
        /// Bytes that it keeps for each connection.
        PRIV_DATA_LEN: Be32 = 5,
        /// Whether it works.
        STATUS: Be<HelperStatus> = 6,
    }
}

// include/uapi/linux/netfilter/nfnetlink_cthelper.h
values! {
    /// Whether a helper works.
    pub HelperStatus(u32), "NFCT_HELPER_STATUS_" {
        /// It does not.
        DISABLED = 0,
        /// It does.
        ENABLED = 1,
    }
}

space! {
    /// What a helper may expect: a policy for each class of expectations.
    pub HelperPolicies, "NFCTH_POLICY_" {
        /// How many there are (`NFCTH_POLICY_SET_NUM`), 1 to 4.
        NUM as "SET_NUM": Be32 = 1,
        /// The first.
        SET: Nest<HelperPolicy> = 2,
        /// The second.
        SET2: Nest<HelperPolicy> = 3,
        /// The third.
        SET3: Nest<HelperPolicy> = 4,
        /// The fourth.
        SET4: Nest<HelperPolicy> = 5,
    }
}

space! {
    /// What one class of expectations may be.
    pub HelperPolicy, "NFCTH_POLICY_" {
        /// Its name, of at most 15 bytes.
        NAME: Str = 1,
        /// How many there may be of one connection.
        EXPECT_MAX: Be32 = 2,
        /// Seconds until one is forgotten.
        EXPECT_TIMEOUT: Be32 = 3,
    }
}

space! {
    /// Which connections a helper is for.
    pub HelperTuple, "NFCTH_TUPLE_" {
        /// Family of the addresses: 2 is IPv4, 10 is IPv6.
        L3PROTONUM: Be16 = 1,
        /// Protocol.
        L4PROTONUM: Protocol = 2,
    }
}
