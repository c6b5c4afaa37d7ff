//! Actions: what is done with packets that a filter found, one behind the other (tc-actions(8); net/sched/act_api.c).
//! They stand in filters, or on their own, to be shared by filters.

use super::super::Family;
use super::{
    ActBpf, Connmark, Csum, Ct, Ctinfo, Gact, Gate, Ife, Mirred, MplsEdit, Nat, Pedit, Police, Sample, Simple, SkbEdit,
    SkbMod, TcStats, TunnelKey, VlanEdit,
};
use crate::table::{Bitfield32, Bytes, Choice, Indexed, Nest, Pad, Str};
use crate::{choices, flags, record, space, values};

// include/uapi/linux/rtnetlink.h
record! {
    /// What messages of actions begin with.
    pub ActionHeader, "tcamsg", "tca_" {
        /// `UNSPEC`.
        family: Family,
        /// Nothing (`tca__pad1` and `tca__pad2` in C).
        pad: [u8; 3],
    }
}

/// Header and attributes of messages about actions.
pub type ActionMessage = (ActionHeader, Actions);

space! {
    /// Attributes of messages about actions that stand on their own.
    pub Actions, "TCA_ROOT_" {
        /// Actions, by a number that counts from 1 on, up to 32; from 0 on in answers to a dump.
        TAB: Indexed<Nest<Action>> = 1,
        /// In a dump request, how much is told: [`ActionDumpFlags`].
        FLAGS: Bitfield32 = 2,
        /// How many actions an answer to a dump has, or how many were deleted.
        COUNT: u32 = 3,
        /// In a dump request, milliseconds within which an action was used.
        TIME_DELTA: u32 = 4,
        /// Warning that came with a change; in notifications.
        EXT_WARN_MSG: Str = 5,
    }
}

flags! {
    /// How much a dump of actions tells, for [`Actions::FLAGS`].
    pub ActionDumpFlags(u32), "TCA_ACT_FLAG_" {
        /// More than 32 actions in an answer.
        LARGE_DUMP_ON = 0x1,
        /// Only what names an action, with its counters.
        TERSE_DUMP = 0x2,
    }
}

// include/uapi/linux/pkt_cls.h
space! {
    /// An action.
    pub Action, "TCA_ACT_" {
        /// What it does (`mirred`).
        KIND: Str = 1,
        /// What it is set to, by its kind.
        OPTIONS: Choice<ActionOptions> = 2,
        /// Its number among those of its kind; to ask for one, or to delete it.
        INDEX: u32 = 3,
        /// Counters.
        STATS: Nest<TcStats> = 4,
        /// Aligns what follows.
        PAD: Pad = 5,
        /// What a program wrote there to know it again, up to 16 bytes.
        COOKIE: Bytes = 6,
        /// How it counts, and where it works: [`ActionFlags`].
        FLAGS: Bitfield32 = 7,
        /// How hardware is wanted to count: [`HardwareStats`].
        HW_STATS: Bitfield32 = 8,
        /// How hardware counts; only in answers.
        USED_HW_STATS: Bitfield32 = 9,
        /// Devices that have it in hardware; only in answers.
        IN_HW_COUNT: u32 = 10,
    }
}

flags! {
    /// How an action counts and where it works, for [`Action::FLAGS`].
    pub ActionFlags(u32), "TCA_ACT_FLAGS_" {
        /// One counter for all processors.
        NO_PERCPU_STATS = 0x1,
        /// Not in hardware.
        SKIP_HW = 0x2,
        /// Only in hardware.
        SKIP_SW = 0x4,
    }
}

flags! {
    /// How hardware counts, for [`Action::HW_STATS`].
    pub HardwareStats(u32), "TCA_ACT_HW_STATS_" {
        /// As of the moment of the question.
        IMMEDIATE = 0x1,
        /// As of some seconds before.
        DELAYED = 0x2,
    }
}

choices! {
    /// What an action is set to, by its kind.
    pub ActionOptions, by Sibling 1 {
        "bpf" => Nest<ActBpf>,
        "connmark" => Nest<Connmark>,
        "csum" => Nest<Csum>,
        "ct" => Nest<Ct>,
        "ctinfo" => Nest<Ctinfo>,
        "gact" => Nest<Gact>,
        "gate" => Nest<Gate>,
        "ife" => Nest<Ife>,
        "mirred" => Nest<Mirred>,
        "mpls" => Nest<MplsEdit>,
        "nat" => Nest<Nat>,
        "pedit" => Nest<Pedit>,
        "police" => Nest<Police>,
        "sample" => Nest<Sample>,
        "simple" => Nest<Simple>,
        "skbedit" => Nest<SkbEdit>,
        "skbmod" => Nest<SkbMod>,
        "tunnel_key" => Nest<TunnelKey>,
        "vlan" => Nest<VlanEdit>,
    }
}

values! {
    /// What becomes of a packet behind an action. `JUMP` and `GOTO_CHAIN` carry a number in the lower 28 bits.
    pub Verdict(u32), "TC_ACT_" {
        /// As the filter would have it without actions.
        UNSPEC = 0xffff_ffff,
        /// It goes on, with the class that the filter found.
        OK = 0,
        /// All filters are asked again.
        RECLASSIFY = 1,
        /// It is dropped.
        SHOT = 2,
        /// The next action.
        PIPE = 3,
        /// The action keeps it.
        STOLEN = 4,
        /// The action keeps it for later.
        QUEUED = 5,
        /// The action once more.
        REPEAT = 6,
        /// It goes to another interface (programs only).
        REDIRECT = 7,
        /// It goes to the processor, where hardware would have kept it.
        TRAP = 8,
        /// Past as many actions as the lower bits say.
        JUMP = 0x1000_0000,
        /// The filters of the chain that the lower bits name.
        GOTO_CHAIN = 0x2000_0000,
    }
}

impl Verdict {
    /// The lower bits, which are a number (`TC_ACT_EXT_VAL_MASK`).
    const NUMBER: u32 = 0x0fff_ffff;

    /// Past this many actions, of which only the lower 28 bits count.
    #[must_use]
    pub const fn jump(count: u32) -> Self {
        Self(Self::JUMP.0 | count & Self::NUMBER)
    }

    /// The filters of this chain, of which only the lower 28 bits count.
    #[must_use]
    pub const fn goto_chain(chain: u32) -> Self {
        Self(Self::GOTO_CHAIN.0 | chain & Self::NUMBER)
    }

    /// `JUMP` or `GOTO_CHAIN`, and its number.
    #[must_use]
    pub const fn extended(self) -> Option<(Self, u32)> {
        match Self(self.0 & !Self::NUMBER) {
            kind @ (Self::JUMP | Self::GOTO_CHAIN) => Some((kind, self.0 & Self::NUMBER)),
            _ => None,
        }
    }
}

/// A struct that begins with what all actions have (`tc_gen` in C):
/// `action! { /// Doc. pub GactSettings, "tc_gact", {} }`.
macro_rules! action {
    ($(#[$meta:meta])* pub $name:ident, $c:literal, { $($more:tt)* }) => {
        crate::record! {
            $(#[$meta])*
            pub $name, $c, "" {
                /// Number of the action among those of its kind; 0 in a request for a free one.
                index: u32,
                /// Nothing.
                capab: u32,
                /// What becomes of the packet then.
                action: crate::route::tc::Verdict,
                /// How many refer to it.
                refcnt: i32,
                /// How many of these are filters.
                bindcnt: i32,
                $($more)*
            }
        }
    };
}

pub(super) use action;

record! {
    /// Times of an action, in hundredths of a second before now.
    pub ActionTimes, "tcf_t", "" {
        /// Since it was made.
        install: u64,
        /// Since it saw a packet.
        lastuse: u64,
        /// Until it ends; 0 for never.
        expires: u64,
        /// Since it saw its first packet.
        firstuse: u64,
    }
}
