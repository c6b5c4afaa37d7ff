//! Tables, and the generation of all of them.

use crate::table::{Be, Be32, Be64, Pad, Str, Tlvs};
use crate::{flags, space};

space! {
    /// A table: what holds chains, sets, objects and flowtables of one family.
    pub Table, "NFTA_TABLE_" {
        /// Its name, 1 to 255 bytes, unique within its family.
        NAME: Str = 1,
        /// What is special about it.
        FLAGS: Be<TableFlags> = 2,
        /// How many chains, sets, objects and flowtables it holds.
        USE: Be32 = 3,
        /// Its number.
        HANDLE: Be64 = 4,
        /// Nothing.
        PAD: Pad = 5,
        /// What programs keep with it: libnftnl's records (a comment is type 0), up to 256 bytes.
        USERDATA: Tlvs = 6,
        /// Port id of the socket whose it is.
        OWNER: Be32 = 7,
    }
}

flags! {
    /// What is special about a table.
    pub TableFlags(u32), "NFT_TABLE_F_" {
        /// Its chains see no packets.
        DORMANT = 0x1,
        /// It belongs to the socket that made it, and goes with it.
        OWNER = 0x2,
        /// It stays when its owner goes.
        PERSIST = 0x4,
    }
}

space! {
    /// Which state of all tables.
    pub Generation, "NFTA_GEN_" {
        /// Its number: each transaction makes it one more.
        ID: Be32 = 1,
        /// Process that made it.
        PROC_PID: Be32 = 2,
        /// Name of that process.
        PROC_NAME: Str = 3,
    }
}
