//! Packets that are traced.

use super::{CtDirection, CtState, Verdict, VerdictCode};
use crate::table::{Be, Be16, Be32, Be64, Bytes, Nest, Pad, Str};
use crate::{space, values};

space! {
    /// Where a packet that is traced came past (net/netfilter/nf_tables_trace.c).
    pub Trace, "NFTA_TRACE_" {
        /// Name of the table.
        TABLE: Str = 1,
        /// Name of the chain.
        CHAIN: Str = 2,
        /// Number of the rule.
        RULE_HANDLE: Be64 = 3,
        /// What is told.
        TYPE: Be<TraceType> = 4,
        /// What the rule or the chain said.
        VERDICT: Nest<Verdict> = 5,
        /// The packet: the same number in all messages about it.
        ID: Be32 = 6,
        /// Its link layer's header, up to 20 bytes.
        LL_HEADER: Bytes = 7,
        /// Its network layer's header, up to 40 bytes.
        NETWORK_HEADER: Bytes = 8,
        /// Its transport layer's header, up to 20 bytes.
        TRANSPORT_HEADER: Bytes = 9,
        /// Index of the interface it came from.
        IIF: Be32 = 10,
        /// What hardware that is (`ARPHRD_*`).
        IIFTYPE: Be16 = 11,
        /// Index of the interface it goes to.
        OIF: Be32 = 12,
        /// What hardware that is (`ARPHRD_*`).
        OIFTYPE: Be16 = 13,
        /// Its mark.
        MARK: Be32 = 14,
        /// Whose packet it is; in four bytes.
        NFPROTO: Be32 = 15,
        /// The chain's policy.
        POLICY: Be<VerdictCode> = 16,
        /// Nothing.
        PAD: Pad = 17,
        /// Its connection's number.
        CT_ID: Be32 = 18,
        /// Which way it goes in that.
        CT_DIRECTION: CtDirection = 19,
        /// That connection's status (`IPS_*`).
        CT_STATUS: Be32 = 20,
        /// That connection's state.
        CT_STATE: Be<CtState> = 21,
    }
}

values! {
    /// What a message about a traced packet tells.
    pub TraceType(u32), "NFT_TRACETYPE_" {
        /// Nothing.
        UNSPEC = 0,
        /// The chain's policy decided.
        POLICY = 1,
        /// The chain ended, or was left.
        RETURN = 2,
        /// A rule decided.
        RULE = 3,
    }
}
