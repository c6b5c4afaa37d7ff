//! What expressions work on: registers, values, verdicts.

use crate::table::{Be, Be32, Bytes, Nest, Str};
use crate::{space, values};

values! {
    /// A register: 64 bytes, named as 4 registers of 16 bytes or 16 of 4. A value longer than its register goes on in the next.
    pub Register(u32), "NFT_" {
        /// The verdict.
        REG_VERDICT = 0,
        /// The first 16 bytes.
        REG_1 = 1,
        /// The second 16 bytes.
        REG_2 = 2,
        /// The third 16 bytes.
        REG_3 = 3,
        /// The fourth 16 bytes.
        REG_4 = 4,
        REG32_00 = 8,
        REG32_01 = 9,
        REG32_02 = 10,
        REG32_03 = 11,
        REG32_04 = 12,
        REG32_05 = 13,
        REG32_06 = 14,
        REG32_07 = 15,
        REG32_08 = 16,
        REG32_09 = 17,
        REG32_10 = 18,
        REG32_11 = 19,
        REG32_12 = 20,
        REG32_13 = 21,
        REG32_14 = 22,
        REG32_15 = 23,
    }
}

space! {
    /// A value or a verdict.
    pub Data, "NFTA_DATA_" {
        /// A value, 1 to 64 bytes, as it stands in registers.
        VALUE: Bytes = 1,
        /// A verdict.
        VERDICT: Nest<Verdict> = 2,
    }
}

space! {
    /// What becomes of a packet.
    pub Verdict, "NFTA_VERDICT_" {
        /// Which.
        CODE: Be<VerdictCode> = 1,
        /// The chain that a jump leads to.
        CHAIN: Str = 2,
        /// That chain, by its number within the transaction.
        CHAIN_ID: Be32 = 3,
    }
}

// include/uapi/linux/netfilter.h has those from 0 on (`NF_DROP`), include/uapi/linux/netfilter/nf_tables.h the rest,
// as negative numbers.
values! {
    /// What becomes of a packet. Those from 0 to 5 are `NF_*` in C.
    pub VerdictCode(u32), "NFT_" {
        /// It is thrown away.
        DROP = 0,
        /// It goes on.
        ACCEPT = 1,
        /// Somebody has taken it.
        STOLEN = 2,
        /// A program decides; the queue's number stands in the high 16 bits.
        QUEUE = 3,
        /// It comes to this hook again.
        REPEAT = 4,
        /// It goes on, past all other hooks.
        STOP = 5,
        /// Back to behind the rule that led here, or to the policy.
        RETURN = 0xffff_fffb,
        /// On in another chain, not to come back.
        GOTO = 0xffff_fffc,
        /// On in another chain.
        JUMP = 0xffff_fffd,
        /// On with the next rule.
        BREAK = 0xffff_fffe,
        /// On with the next expression.
        CONTINUE = 0xffff_ffff,
    }
}
