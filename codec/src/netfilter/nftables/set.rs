//! Sets and maps, and what is in them.

use super::{Data, Expression, ExpressionList, ObjectType};
use crate::table::{Be, Be32, Be64, Indexed, Many, Nest, Pad, Str, Tlvs};
use crate::{flags, space, values};

space! {
    /// A set, or a map: a set whose elements lead to something.
    pub Set, "NFTA_SET_" {
        /// Its table's name.
        TABLE: Str = 1,
        /// Its name, 1 to 255 bytes, unique within its table; of a new anonymous one a pattern (`__set%d`).
        NAME: Str = 2,
        /// What is special about it.
        FLAGS: Be<SetFlags> = 3,
        /// What the keys are, as programs number it; nothing to the kernel.
        KEY_TYPE: Be32 = 4,
        /// Bytes of a key.
        KEY_LEN: Be32 = 5,
        /// What elements lead to: verdicts, or values, which programs number.
        DATA_TYPE: Be<DataType> = 6,
        /// Bytes of such a value.
        DATA_LEN: Be32 = 7,
        /// What the kernel shall spare.
        POLICY: Be<SetPolicy> = 8,
        /// What is known of it beforehand.
        DESC: Nest<SetDescription> = 9,
        /// Its number within the transaction that makes it.
        ID: Be32 = 10,
        /// How long elements stay, in milliseconds.
        TIMEOUT: Be64 = 11,
        /// How often those whose time is over are cleared away, in milliseconds.
        GC_INTERVAL: Be32 = 12,
        /// What programs keep with it: libnftnl's records (byte orders, a comment), up to 256 bytes.
        USERDATA: Tlvs = 13,
        /// Nothing.
        PAD: Pad = 14,
        /// Type of the objects that elements lead to.
        OBJ_TYPE: Be<ObjectType> = 15,
        /// Its number within the table.
        HANDLE: Be64 = 16,
        /// What each element does.
        EXPR: Nest<Expression> = 17,
        /// What each element does, where that is several things.
        EXPRESSIONS: Nest<ExpressionList> = 18,
        /// How the kernel keeps it (`hash`, `rbtree`).
        TYPE: Str = 19,
        /// How many elements it has.
        COUNT: Be32 = 20,
    }
}

flags! {
    /// What is special about a set.
    pub SetFlags(u32), "NFT_SET_" {
        /// It goes with the rule that uses it, and its name is the kernel's.
        ANONYMOUS = 0x1,
        /// Its elements do not change while it is used.
        CONSTANT = 0x2,
        /// Its elements are intervals.
        INTERVAL = 0x4,
        /// Its elements lead to values or verdicts.
        MAP = 0x8,
        /// Its elements may have a time after which they go.
        TIMEOUT = 0x10,
        /// Packets may change it.
        EVAL = 0x20,
        /// Its elements lead to objects.
        OBJECT = 0x40,
        /// Its keys consist of several fields.
        CONCAT = 0x80,
        /// Its elements do something.
        EXPR = 0x100,
    }
}

values! {
    /// What elements of a map lead to: a number of the program's for values.
    pub DataType(u32), "NFT_DATA_" {
        /// A value.
        VALUE = 0,
        /// A verdict.
        VERDICT = 0xffff_ff00,
    }
}

values! {
    /// What the kernel shall spare.
    pub SetPolicy(u32), "NFT_SET_POL_" {
        /// Time.
        PERFORMANCE = 0,
        /// Memory.
        MEMORY = 1,
    }
}

space! {
    /// What is known of a set beforehand.
    pub SetDescription, "NFTA_SET_DESC_" {
        /// How many elements it will have at most.
        SIZE: Be32 = 1,
        /// The fields of a key.
        CONCAT: Nest<SetFields> = 2,
    }
}

space! {
    /// The fields of a key.
    pub SetFields, "NFTA_LIST_" {
        /// One of them.
        ELEM: Many<Nest<SetField>> = 1,
    }
}

space! {
    /// A field of a key.
    pub SetField, "NFTA_SET_FIELD_" {
        /// Its bytes.
        LEN: Be32 = 1,
    }
}

space! {
    /// An element.
    pub Element, "NFTA_SET_ELEM_" {
        /// Its key, or where its interval begins.
        KEY: Nest<Data> = 1,
        /// What it leads to.
        DATA: Nest<Data> = 2,
        /// What is special about it.
        FLAGS: Be<ElementFlags> = 3,
        /// How long it stays, in milliseconds.
        TIMEOUT: Be64 = 4,
        /// How long it still stays, in milliseconds.
        EXPIRATION: Be64 = 5,
        /// What programs keep with it: libnftnl's records (a comment is type 0), up to 256 bytes.
        USERDATA: Tlvs = 6,
        /// What it does.
        EXPR: Nest<Expression> = 7,
        /// Nothing.
        PAD: Pad = 8,
        /// Name of the object that it leads to.
        OBJREF: Str = 9,
        /// Where its interval ends, in sets whose keys consist of several fields.
        KEY_END: Nest<Data> = 10,
        /// What it does, where that is several things.
        EXPRESSIONS: Nest<ExpressionList> = 11,
    }
}

flags! {
    /// What is special about an element.
    pub ElementFlags(u32), "NFT_SET_ELEM_" {
        /// It is none: here the interval before it ends.
        INTERVAL_END = 0x1,
        /// It stands for all that are not in the set.
        CATCHALL = 0x2,
    }
}

space! {
    /// Elements of a set.
    pub Elements, "NFTA_SET_ELEM_LIST_" {
        /// Its table's name.
        TABLE: Str = 1,
        /// Its name.
        SET: Str = 2,
        /// The elements: the kernel numbers each 1 (`NFTA_LIST_ELEM`), libnftnl counts.
        ELEMENTS: Indexed<Nest<Element>> = 3,
        /// The set, by its number within the transaction.
        SET_ID: Be32 = 4,
    }
}
