//! Rules.

use super::Expression;
use crate::table::{Be, Be32, Be64, Many, Nest, Pad, Str, Tlvs};
use crate::{flags, space};

space! {
    /// A rule: a list of expressions.
    pub Rule, "NFTA_RULE_" {
        /// Its table's name.
        TABLE: Str = 1,
        /// Its chain's name.
        CHAIN: Str = 2,
        /// Its number within the table.
        HANDLE: Be64 = 3,
        /// What it does.
        EXPRESSIONS: Nest<ExpressionList> = 4,
        /// What iptables would have found out by itself, for its matches and targets to know.
        COMPAT: Nest<RuleCompat> = 5,
        /// Number of the rule behind which it stands; of a new one: behind which (`NLM_F_APPEND`) or before which it is put.
        POSITION: Be64 = 6,
        /// What programs keep with it: libnftnl's records (a comment is type 0), up to 256 bytes.
        USERDATA: Tlvs = 7,
        /// Nothing.
        PAD: Pad = 8,
        /// Its number within the transaction that makes it.
        ID: Be32 = 9,
        /// The same as [`POSITION`](Self::POSITION), of a rule of the same transaction.
        POSITION_ID: Be32 = 10,
        /// Its chain, by its number within the transaction.
        CHAIN_ID: Be32 = 11,
    }
}

space! {
    /// A list of expressions.
    pub ExpressionList, "NFTA_LIST_" {
        /// One of them.
        ELEM: Many<Nest<Expression>> = 1,
    }
}

space! {
    /// What a rule of iptables is about.
    pub RuleCompat, "NFTA_RULE_COMPAT_" {
        /// Number of the protocol (`IPPROTO_*`); for bridges the EtherType.
        PROTO: Be32 = 1,
        /// Whether that is meant the other way round.
        FLAGS: Be<RuleCompatFlags> = 2,
    }
}

flags! {
    /// How a rule of iptables means its protocol.
    pub RuleCompatFlags(u32), "NFT_RULE_COMPAT_F_" {
        /// Nothing.
        UNUSED = 0x1,
        /// All but this protocol.
        INV = 0x2,
    }
}
