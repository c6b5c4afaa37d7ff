//! Expressions that work on registers alone.

use super::{Data, Register};
use crate::table::{Be, Be32, Nest, Str};
use crate::{flags, space, values};

space! {
    /// `immediate`: a value or a verdict into a register.
    pub Immediate, "NFTA_IMMEDIATE_" {
        /// Where to.
        DREG: Be<Register> = 1,
        /// What.
        DATA: Nest<Data> = 2,
    }
}

space! {
    /// `bitwise`: bits of a register changed.
    pub Bitwise, "NFTA_BITWISE_" {
        /// Where from.
        SREG: Be<Register> = 1,
        /// Where to.
        DREG: Be<Register> = 2,
        /// How many bytes.
        LEN: Be32 = 3,
        /// Which bits stay.
        MASK: Nest<Data> = 4,
        /// Which bits are then turned over.
        XOR: Nest<Data> = 5,
        /// How.
        OP: Be<BitwiseOp> = 6,
        /// By how many bits to shift, or with which value.
        DATA: Nest<Data> = 7,
        /// The second register, for operations on two.
        SREG2: Be<Register> = 8,
    }
}

values! {
    /// How bits are changed.
    pub BitwiseOp(u32), "NFT_BITWISE_" {
        /// `(register & mask) ^ xor`.
        MASK_XOR = 0,
        /// To the left.
        LSHIFT = 1,
        /// To the right.
        RSHIFT = 2,
        /// And.
        AND = 3,
        /// Or.
        OR = 4,
        /// Exclusive or.
        XOR = 5,
    }
}

space! {
    /// `byteorder`: bytes turned round.
    pub Byteorder, "NFTA_BYTEORDER_" {
        /// Where from.
        SREG: Be<Register> = 1,
        /// Where to.
        DREG: Be<Register> = 2,
        /// Which way.
        OP: Be<ByteorderOp> = 3,
        /// How many bytes.
        LEN: Be32 = 4,
        /// Bytes of each number: 2, 4 or 8.
        SIZE: Be32 = 5,
    }
}

values! {
    /// Which way bytes are turned round.
    pub ByteorderOp(u32), "NFT_BYTEORDER_" {
        /// From big-endian to the machine's order.
        NTOH = 0,
        /// To big-endian.
        HTON = 1,
    }
}

space! {
    /// `cmp`: whether a register holds what it should.
    pub Cmp, "NFTA_CMP_" {
        /// Which.
        SREG: Be<Register> = 1,
        /// How.
        OP: Be<CmpOp> = 2,
        /// Compared with what; as many bytes as this has are looked at.
        DATA: Nest<Data> = 3,
    }
}

values! {
    /// How values are compared: byte by byte, as big-endian numbers.
    pub CmpOp(u32), "NFT_CMP_" {
        /// Equal.
        EQ = 0,
        /// Not equal.
        NEQ = 1,
        /// Less.
        LT = 2,
        /// Less or equal.
        LTE = 3,
        /// Greater.
        GT = 4,
        /// Greater or equal.
        GTE = 5,
    }
}

space! {
    /// `range`: whether a register lies between two values.
    pub Range, "NFTA_RANGE_" {
        /// Which.
        SREG: Be<Register> = 1,
        /// Whether it should.
        OP: Be<RangeOp> = 2,
        /// From, inclusive.
        FROM_DATA: Nest<Data> = 3,
        /// To, inclusive.
        TO_DATA: Nest<Data> = 4,
    }
}

values! {
    /// Whether a value lies between two.
    pub RangeOp(u32), "NFT_RANGE_" {
        /// It should.
        EQ = 0,
        /// It should not.
        NEQ = 1,
    }
}

space! {
    /// `lookup`: whether a set has what stands in a register, or what a map leads it to.
    pub Lookup, "NFTA_LOOKUP_" {
        /// The set's name.
        SET: Str = 1,
        /// Where the key stands.
        SREG: Be<Register> = 2,
        /// Where to, of a map; the verdict too.
        DREG: Be<Register> = 3,
        /// The set, by its number within the transaction.
        SET_ID: Be32 = 4,
        /// How.
        FLAGS: Be<LookupFlags> = 5,
    }
}

flags! {
    /// How a set is asked.
    pub LookupFlags(u32), "NFT_LOOKUP_F_" {
        /// It should not have it.
        INV = 0x1,
    }
}

space! {
    /// `hash`: a number made of a register, or of the packet's flow.
    pub Hash, "NFTA_HASH_" {
        /// Where from, of `jhash`.
        SREG: Be<Register> = 1,
        /// Where to.
        DREG: Be<Register> = 2,
        /// How many bytes.
        LEN: Be32 = 3,
        /// The number is less than this.
        MODULUS: Be32 = 4,
        /// What it is mixed with; without it, a random number.
        SEED: Be32 = 5,
        /// What is added to it.
        OFFSET: Be32 = 6,
        /// How.
        TYPE: Be<HashType> = 7,
        /// Nothing any more.
        SET_NAME: Str = 8,
        /// Nothing any more.
        SET_ID: Be32 = 9,
    }
}

values! {
    /// How a number is made of bytes.
    pub HashType(u32), "NFT_HASH_" {
        /// Of a register (`jhash`).
        JENKINS = 0,
        /// Of the packet's flow, the same both ways (`symhash`).
        SYM = 1,
    }
}

space! {
    /// `numgen`: a number.
    pub Numgen, "NFTA_NG_" {
        /// Where to.
        DREG: Be<Register> = 1,
        /// It is less than this.
        MODULUS: Be32 = 2,
        /// How.
        TYPE: Be<NumgenType> = 3,
        /// What is added to it.
        OFFSET: Be32 = 4,
        /// Nothing any more.
        SET_NAME: Str = 5,
        /// Nothing any more.
        SET_ID: Be32 = 6,
    }
}

values! {
    /// How numbers are made.
    pub NumgenType(u32), "NFT_NG_" {
        /// One after the other.
        INCREMENTAL = 0,
        /// At random.
        RANDOM = 1,
    }
}
