//! What filters are set to, by their kind (net/sched/cls_*.c); `flower` is in a file of its own.

use super::{Action, EmatchTree, Handle, Police};
use crate::diag::BpfInstruction;
use crate::table::{Be16, Be32, Bytes, Followed, Indexed, Nest, Packed, Pad, Str};
use crate::{flags, record, space, values};

// include/uapi/linux/pkt_cls.h
flags! {
    /// Where a filter works.
    pub FilterFlags(u32), "TCA_CLS_FLAGS_" {
        /// Not in hardware.
        SKIP_HW = 0x1,
        /// Only in hardware.
        SKIP_SW = 0x2,
        /// It is in hardware; only in answers.
        IN_HW = 0x4,
        /// It is not in hardware; only in answers.
        NOT_IN_HW = 0x8,
        /// If hardware cannot have it, the request says why.
        VERBOSE = 0x10,
    }
}

space! {
    /// `basic`: packets that extended matches fit (tc-ematch(8)).
    pub Basic, "TCA_BASIC_" {
        /// Class that packets go to.
        CLASSID: Handle = 1,
        /// What must be so of a packet.
        EMATCHES: Nest<EmatchTree> = 2,
        /// What is done with packets, by priority from 1 on.
        ACT: Indexed<Nest<Action>> = 3,
        /// Limit of their rate.
        POLICE: Nest<Police> = 4,
        /// Counters.
        PCNT: BasicCounters = 5,
        /// Aligns what follows.
        PAD: Pad = 6,
    }
}

record! {
    /// What a `basic` filter counts.
    pub BasicCounters, "tc_basic_pcnt", "" {
        /// Packets it looked at.
        rcnt: u64,
        /// Packets that matched.
        rhit: u64,
    }
}

space! {
    /// `bpf`: packets that a program chooses (tc-bpf(8)).
    pub Bpf, "TCA_BPF_" {
        /// What is done with packets, by priority from 1 on.
        ACT: Indexed<Nest<Action>> = 1,
        /// Limit of their rate.
        POLICE: Nest<Police> = 2,
        /// Class that packets go to.
        CLASSID: Handle = 3,
        /// Instructions of a classic program.
        OPS_LEN: u16 = 4,
        /// A classic program.
        OPS: Packed<BpfInstruction> = 5,
        /// Descriptor of a loaded program; only in requests.
        FD: u32 = 6,
        /// Name of the program.
        NAME: Str = 7,
        /// What the program's result is.
        FLAGS: BpfFlags = 8,
        /// In hardware, in software, or both.
        FLAGS_GEN: FilterFlags = 9,
        /// Hash of the program, 8 bytes.
        TAG: Bytes = 10,
        /// Number of the program.
        ID: u32 = 11,
    }
}

flags! {
    /// What a `bpf` filter's result is.
    pub BpfFlags(u32), "TCA_BPF_FLAG_" {
        /// What is done with the packet (`TC_ACT_`), not its class.
        ACT_DIRECT = 0x1,
    }
}

space! {
    /// `cgroup`: packets of control groups that have a class (tc-cgroup(8)).
    pub Cgroup, "TCA_CGROUP_" {
        /// What is done with packets, by priority from 1 on.
        ACT: Indexed<Nest<Action>> = 1,
        /// Limit of their rate.
        POLICE: Nest<Police> = 2,
        /// What must be so of a packet.
        EMATCHES: Nest<EmatchTree> = 3,
    }
}

space! {
    /// `flow`: spreads packets over classes, by a hash or by a number of theirs (tc-flow(8)).
    pub Flow, "TCA_FLOW_" {
        /// What the class is made of.
        KEYS: FlowKeys = 1,
        /// Hashed or mapped.
        MODE: FlowMode = 2,
        /// Class that 0 becomes.
        BASECLASS: Handle = 3,
        /// Mapped: how far the number is moved right, 0 to 31 bits.
        RSHIFT: u32 = 4,
        /// Mapped: what is added behind that.
        ADDEND: u32 = 5,
        /// Mapped: bits of the number that count.
        MASK: u32 = 6,
        /// Mapped: bits that are turned over.
        XOR: u32 = 7,
        /// Classes that there are, 0 for all.
        DIVISOR: u32 = 8,
        /// What is done with packets, by priority from 1 on.
        ACT: Indexed<Nest<Action>> = 9,
        /// Limit of their rate.
        POLICE: Nest<Police> = 10,
        /// What must be so of a packet.
        EMATCHES: Nest<EmatchTree> = 11,
        /// Hashed: seconds until the hash becomes another one, 0 for never.
        PERTURB: u32 = 12,
    }
}

// The header counts the bits.
flags! {
    /// What of a packet makes its class.
    pub FlowKeys(u32), "FLOW_KEY_" {
        /// Source address.
        SRC = 0x1,
        /// Destination address.
        DST = 0x2,
        /// Transport protocol.
        PROTO = 0x4,
        /// Source port.
        PROTO_SRC = 0x8,
        /// Destination port.
        PROTO_DST = 0x10,
        /// Interface by which it came.
        IIF = 0x20,
        /// Its priority.
        PRIORITY = 0x40,
        /// Its mark.
        MARK = 0x80,
        /// Its connection.
        NFCT = 0x100,
        /// Source address of the connection, before translation.
        NFCT_SRC = 0x200,
        /// Destination address of the connection, before translation.
        NFCT_DST = 0x400,
        /// Source port of the connection, before translation.
        NFCT_PROTO_SRC = 0x800,
        /// Destination port of the connection, before translation.
        NFCT_PROTO_DST = 0x1000,
        /// Realm of its route.
        RTCLASSID = 0x2000,
        /// User of its socket.
        SKUID = 0x4000,
        /// Group of its socket.
        SKGID = 0x8000,
        /// Its VLAN tag.
        VLAN_TAG = 0x1_0000,
        /// The hash that it carries.
        RXHASH = 0x2_0000,
    }
}

values! {
    /// How `flow` makes a class.
    pub FlowMode(u32), "FLOW_MODE_" {
        /// Of the one key's number.
        MAP = 0,
        /// Of a hash of all keys.
        HASH = 1,
    }
}

space! {
    /// `fw`: packets by their mark, which is the filter's handle (tc-fw(8)).
    pub Fw, "TCA_FW_" {
        /// Class that packets go to.
        CLASSID: Handle = 1,
        /// Limit of their rate.
        POLICE: Nest<Police> = 2,
        /// Interface by which packets came.
        INDEV: Str = 3,
        /// What is done with packets, by priority from 1 on.
        ACT: Indexed<Nest<Action>> = 4,
        /// Bits of the mark that count.
        MASK: u32 = 5,
    }
}

space! {
    /// `matchall`: all packets (tc-matchall(8)).
    pub Matchall, "TCA_MATCHALL_" {
        /// Class that packets go to.
        CLASSID: Handle = 1,
        /// What is done with packets, by priority from 1 on.
        ACT: Indexed<Nest<Action>> = 2,
        /// In hardware, in software, or both.
        FLAGS: FilterFlags = 3,
        /// Counters.
        PCNT: MatchallCounters = 4,
        /// Aligns what follows.
        PAD: Pad = 5,
    }
}

record! {
    /// What a `matchall` filter counts.
    pub MatchallCounters, "tc_matchall_pcnt", "" {
        /// Packets that matched.
        rhit: u64,
    }
}

space! {
    /// `route`: packets by the realms of their route (tc-route(8)).
    pub Route4, "TCA_ROUTE4_" {
        /// Class that packets go to.
        CLASSID: Handle = 1,
        /// Realm that the route leads to, 0 to 255.
        TO: u32 = 2,
        /// Realm that the packet comes from, 0 to 255.
        FROM: u32 = 3,
        /// Interface by which packets came, in place of the realm that they come from.
        IIF: u32 = 4,
        /// Limit of their rate.
        POLICE: Nest<Police> = 5,
        /// What is done with packets, by priority from 1 on.
        ACT: Indexed<Nest<Action>> = 6,
    }
}

space! {
    /// `u32`: packets by bits at places of theirs, in tables of rules that lead to each other (tc-u32(8)).
    pub U32, "TCA_U32_" {
        /// Class that packets go to.
        CLASSID: Handle = 1,
        /// Table and bucket that the rule stands in.
        HASH: Handle = 2,
        /// Table that packets go on to.
        LINK: Handle = 3,
        /// Of a table: how many buckets, a power of two up to 256.
        DIVISOR: u32 = 4,
        /// What must stand where.
        SEL: Followed<U32Selector, U32Key> = 5,
        /// Limit of the packets' rate.
        POLICE: Nest<Police> = 6,
        /// What is done with packets, by priority from 1 on.
        ACT: Indexed<Nest<Action>> = 7,
        /// Interface by which packets came.
        INDEV: Str = 8,
        /// Counters, and for each key how many packets it fitted.
        PCNT: Followed<U32Counters, u64> = 9,
        /// Mark that packets must have.
        MARK: U32Mark = 10,
        /// In hardware, in software, or both.
        FLAGS: FilterFlags = 11,
        /// Aligns what follows.
        PAD: Pad = 12,
    }
}

record! {
    /// What a `u32` filter looks at; the keys follow.
    pub U32Selector, "tc_u32_sel", "" {
        /// What becomes of a packet that all keys fit.
        flags: U32Flags,
        /// How far the header's length is moved right.
        offshift: u8,
        /// How many keys.
        nkeys: u8,
        /// Nothing.
        pad: u8,
        /// Bits of the 16 at `offoff` that are the header's length.
        offmask: Be16,
        /// How far on the next header is, in bytes.
        off: u16,
        /// Where the header's length stands.
        offoff: i16,
        /// Where the bits stand that choose a bucket of the next table.
        hoff: i16,
        /// Which bits those are.
        hmask: Be32,
    }
}

flags! {
    /// What becomes of a packet that all keys fit.
    pub U32Flags(u8), "TC_U32_" {
        /// Its class is found.
        TERMINAL = 0x1,
        /// The next table's offsets begin at the next header.
        OFFSET = 0x2,
        /// The header's length is read from the packet.
        VAROFFSET = 0x4,
        /// Later rules' offsets begin there too.
        EAT = 0x8,
    }
}

record! {
    /// One key: 32 bits at a place.
    pub U32Key, "tc_u32_key", "" {
        /// Bits that count.
        mask: Be32,
        /// What they must be.
        val: Be32,
        /// Where they stand, in bytes from the network header on.
        off: i32,
        /// -1 if `off` counts from the next header on, else 0.
        offmask: i32,
    }
}

record! {
    /// Mark that packets must have.
    pub U32Mark, "tc_u32_mark", "" {
        /// What it must be.
        val: u32,
        /// Bits that count.
        mask: u32,
        /// Packets that had it; only in answers.
        success: u32,
    }
}

record! {
    /// What a `u32` filter counts; how often each key fitted follows.
    pub U32Counters, "tc_u32_pcnt", "" {
        /// Packets it looked at.
        rcnt: u64,
        /// Packets that all keys fitted.
        rhit: u64,
    }
}
