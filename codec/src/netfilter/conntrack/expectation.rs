//! Connections that are expected: an entry that turns the first packet it fits into a connection related to another.

use super::{Direction, Tuple};
use crate::netfilter::NetfilterHeader;
use crate::table::{Be, Be16, Be32, Nest, Operation, Str};
use crate::{flags, operations, space};

/// What tells of an expectation.
pub type ExpectationMessage = (NetfilterHeader, Expectation);
/// What tells of one processor's counters of expectations.
pub type ExpectationStatsMessage = (NetfilterHeader, ExpectationStats);

operations! {
    /// Messages about connections that are expected.
    pub Expect, "IPCTNL_MSG_EXP_", from 0x0200 {
        /// Make an expectation or change it, or: this is one.
        NEW: new ExpectationMessage = 0,
        /// Tell of one expectation, by its tuple or its master, or of all; with [`Expectation::MASTER`], of all of one
        /// connection.
        GET: get ExpectationMessage => NEW ExpectationMessage = 1,
        /// Delete an expectation by its tuple, all of a helper, or all; or: this one is gone.
        DELETE: delete ExpectationMessage = 2,
        /// Tell of each processor's counters; the processor is the header's `res_id`. The kernel answers under the number of
        /// [`Conntrack::GET_CTRZERO`](super::Conntrack::GET_CTRZERO), by which a printer takes the counters for a connection.
        GET_STATS_CPU: get ExpectationStatsMessage => STATS_CPU ExpectationStatsMessage = 3,
    }
}

impl Expect {
    // `ctnetlink_exp_stat_fill_info` makes it with the wrong part's number.
    const STATS_CPU: Operation<ExpectationStatsMessage> = Operation::new(0x0103, 0x0103);
}

space! {
    /// Attributes of an expectation.
    pub Expectation, "CTA_EXPECT_" {
        /// The connection that expects it.
        MASTER: Nest<Tuple> = 1,
        /// The packet that is expected.
        TUPLE: Nest<Tuple> = 2,
        /// Which bits of it count.
        MASK: Nest<Tuple> = 3,
        /// Seconds until it is forgotten.
        TIMEOUT: Be32 = 4,
        /// A number that tells it from an earlier one with the same tuple.
        ID: Be32 = 5,
        /// Name of its helper.
        HELP_NAME: Str = 6,
        /// Zone.
        ZONE: Be16 = 7,
        /// What is so of it.
        FLAGS: Be<ExpectationFlags> = 8,
        /// Which of its helper's policies it is under.
        CLASS: Be32 = 9,
        /// How the connection's addresses are to be translated.
        NAT: Nest<ExpectationNat> = 10,
        /// What the kernel calls when the connection comes (`nat-follow-master`).
        FN: Str = 11,
    }
}

space! {
    /// How an expected connection's addresses are to be translated.
    pub ExpectationNat, "CTA_EXPECT_NAT_" {
        /// The direction it expects packets in.
        DIR: Be<Direction> = 1,
        /// Address and port before translation.
        TUPLE: Nest<Tuple> = 2,
    }
}

// include/uapi/linux/netfilter/nf_conntrack_common.h
flags! {
    /// What is so of an expectation.
    pub ExpectationFlags(u32), "NF_CT_EXPECT_" {
        /// It stays when its connection has come.
        PERMANENT = 0x1,
        /// It does not count yet.
        INACTIVE = 0x2,
        /// It is a program's.
        USERSPACE = 0x4,
    }
}

space! {
    /// One processor's counters of expectations.
    pub ExpectationStats, "CTA_STATS_EXP_" {
        /// Connections that had been expected.
        NEW: Be32 = 1,
        /// Expectations made.
        CREATE: Be32 = 2,
        /// Expectations removed.
        DELETE: Be32 = 3,
    }
}
