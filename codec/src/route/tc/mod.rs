//! Traffic control: queueing disciplines, their classes, and filters (tc(8); include/uapi/linux/rtnetlink.h).
//!
//! A queueing discipline stands at an interface, or below a class of another one; [`Tc::KIND`] names it and
//! [`Tc::OPTIONS`] holds what it is set to, by that name. Filters and chains are of the same form. What a class is set to
//! can differ from its discipline (`hfsc`), so messages about classes have a space of their own, [`TcClass`].
//!
//! ```
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::route::tc::{Fifo, Handle, Tc, TcHeader, TcRtm};
//!
//! // `tc qdisc add dev IFACE root handle 1: pfifo limit 100`, where the interface has index 2.
//! let mut buffer = Buffer::<64>::new();
//! let header = TcHeader { ifindex: 2, handle: Handle::new(1, 0), parent: Handle::ROOT, ..Default::default() };
//! let bytes = buffer.message(TcRtm::NEWQDISC.create().exclusive(), header, |qdisc| {
//!     qdisc.put(Tc::KIND, "pfifo");
//!     qdisc.put_chosen::<_, Fifo>(Tc::OPTIONS, Fifo { limit: 100 });
//! })?;
//! let body = Message::parse(bytes)?.body(TcRtm::NEWQDISC)?;
//! assert_eq!((body.header.handle.major(), body.header.parent), (1, Handle::ROOT));
//! assert_eq!(body.attributes.chosen_value::<_, Fifo>(Tc::OPTIONS)?, Some(Fifo { limit: 100 }));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```
//!
//! What is absent: kinds that are gone from the kernel (`cbq`, `dsmark`, `atm`). Names that a machine gives to classes
//! in `/etc/iproute2/tc_cls` are a program's to read.

mod cake;
mod classes;
mod delay;
mod hardware;
mod netem;
mod plain;
mod red;
mod shaper;
mod view;

mod ematch;
mod filter;
mod flower;

mod action;
mod action_edit;
mod action_verdict;

pub use action::*;
pub use action_edit::*;
pub use action_verdict::*;
pub use cake::*;
pub use classes::*;
pub use delay::*;
pub use ematch::*;
pub use filter::*;
pub use flower::*;
pub use hardware::*;
pub use netem::*;
pub use plain::*;
pub use red::*;
pub use shaper::*;
pub use view::*;

use super::{EtherType, Family};
use crate::table::{Bitfield32, Bytes, Choice, Flag, Headed, Nest, Packed, Pad, Str};
use crate::{choices, flags, operations, record, space, values};

record! {
    /// What messages of traffic control begin with.
    pub TcHeader, "tcmsg", "tcm_" {
        /// `UNSPEC`.
        family: Family,
        /// Nothing (`tcm__pad1` and `tcm__pad2` in C).
        pad: [u8; 3],
        /// Index of the interface; [`BLOCK`](Self::BLOCK) where filters stand in a block that interfaces share.
        ifindex: i32,
        /// The object itself; for a filter, a number of its kind's own.
        handle: Handle,
        /// What it stands below; with `BLOCK`, the number of the block.
        parent: Handle,
        /// Of a discipline, how many refer to it; of a class, the handle of the discipline below it; of a filter,
        /// priority and protocol ([`filter_info`](Self::filter_info)).
        info: u32,
    }
}

impl TcHeader {
    /// Stands for an interface where a block of filters is meant.
    ///
    /// `TCM_IFINDEX_MAGIC_BLOCK`
    pub const BLOCK: i32 = -1;

    /// What `info` is for a filter: its priority, and the protocol that it looks at (`ETH_P_IP`).
    #[must_use]
    pub const fn filter_info(priority: u16, protocol: EtherType) -> u32 {
        let [first, second] = protocol.0.to_be_bytes();
        (priority as u32) << 16 | u16::from_ne_bytes([first, second]) as u32
    }

    /// Of a filter, its priority: the lowest is asked first.
    #[must_use]
    pub fn priority(self) -> u16 {
        u16::try_from(self.info >> 16).unwrap_or(0)
    }

    /// Of a filter, the protocol that it looks at.
    #[must_use]
    pub fn protocol(self) -> EtherType {
        EtherType(u16::from_be(u16::try_from(self.info & 0xffff).unwrap_or(0)))
    }
}

// include/uapi/linux/pkt_sched.h
values! {
    /// The name of a discipline or a class: a major and a minor number. A discipline's minor number is 0; a class has
    /// the major number of its discipline.
    pub Handle(u32), "TC_H_" {
        /// None; in a request, the kernel chooses.
        UNSPEC = 0,
        /// As a parent: the interface, where packets leave.
        ROOT = 0xffff_ffff,
        /// As a parent: the interface, where packets come in; also of `clsact`.
        INGRESS = 0xffff_fff1,
    }
}

impl Handle {
    /// The minor number below `clsact` for filters of packets that come in.
    ///
    /// `TC_H_MIN_INGRESS`
    pub const MIN_INGRESS: u16 = 0xfff2;
    /// The minor number below `clsact` for filters of packets that leave.
    ///
    /// `TC_H_MIN_EGRESS`
    pub const MIN_EGRESS: u16 = 0xfff3;
    /// The first minor number of traffic classes of `mqprio`.
    ///
    /// `TC_H_MIN_PRIORITY`
    pub const MIN_PRIORITY: u16 = 0xffe0;

    /// The handle with these numbers: `tc`'s `1:10` is `new(1, 0x10)`.
    #[must_use]
    pub const fn new(major: u16, minor: u16) -> Self {
        Self((major as u32) << 16 | minor as u32)
    }

    /// The major number: which discipline.
    #[must_use]
    pub fn major(self) -> u16 {
        u16::try_from(self.0 >> 16).unwrap_or(0)
    }

    /// The minor number: which of its classes.
    #[must_use]
    pub fn minor(self) -> u16 {
        u16::try_from(self.0 & 0xffff).unwrap_or(0)
    }
}

/// Header and attributes of messages about disciplines, filters and chains.
pub type TcMessage = (TcHeader, Tc);

/// Header and attributes of messages about classes.
pub type TcClassMessage = (TcHeader, TcClass);

// include/uapi/linux/rtnetlink.h
operations! {
    /// Messages of traffic control. They have a table of their own, so that a program which prints interfaces and routes does not
    /// carry theirs.
    pub TcRtm, "RTM_" {
        /// Make or change a queueing discipline; as a notification: it is there.
        NEWQDISC: new TcMessage = 36,
        /// Delete a queueing discipline.
        DELQDISC: delete TcMessage = 37,
        /// Ask for queueing disciplines.
        GETQDISC: get TcMessage => NEWQDISC TcMessage = 38,
        /// Make or change a class of a queueing discipline; as a notification: it is there.
        NEWTCLASS: new TcClassMessage = 40,
        /// Delete a class.
        DELTCLASS: delete TcClassMessage = 41,
        /// Ask for classes.
        GETTCLASS: get TcClassMessage => NEWTCLASS TcClassMessage = 42,
        /// Make or change a filter; as a notification: it is there.
        NEWTFILTER: new TcMessage = 44,
        /// Delete a filter, or those that the header and attributes name.
        DELTFILTER: delete TcMessage = 45,
        /// Ask for filters.
        GETTFILTER: get TcMessage => NEWTFILTER TcMessage = 46,
        /// Make actions that stand on their own, or change them.
        NEWACTION: new ActionMessage = 48,
        /// Delete actions, by kind and number; with `NLM_F_ROOT`, all of a kind.
        DELACTION: delete ActionMessage = 49,
        /// Ask for actions, by kind and number, or with `NLM_F_DUMP` for all of a kind; the answers have this type too.
        GETACTION: get ActionMessage = 50,
        /// Make a chain of filters, with a template where its kind says so; as a notification: it is there.
        NEWCHAIN: new TcMessage = 100,
        /// Delete a chain and its filters.
        DELCHAIN: delete TcMessage = 101,
        /// Ask for chains.
        GETCHAIN: get TcMessage => NEWCHAIN TcMessage = 102,
    }
}

space! {
    /// Attributes of a queueing discipline, a filter or a chain.
    pub Tc, "TCA_" {
        /// What it is (`htb`, `flower`).
        KIND: Str = 1,
        /// What it is set to, by its kind.
        OPTIONS: Choice<TcOptions> = 2,
        /// Counters in the form of old; [`STATS2`](Self::STATS2) has more.
        STATS: TcOldStats = 3,
        /// Counters of its own, by its kind.
        XSTATS: Choice<TcXstats> = 4,
        /// In a request, how its rate is estimated.
        RATE: Estimator = 5,
        /// Not sent by any kernel up to 7.2 (`fcnt`).
        FCNT: u32 = 6,
        /// Counters.
        STATS2: Choice<TcStatsByKind> = 7,
        /// How sizes of packets are translated before they are counted.
        STAB: Nest<SizeTable> = 8,
        /// Aligns 64-bit numbers.
        PAD: Pad = 9,
        /// In a dump request, also disciplines that are not shown otherwise.
        DUMP_INVISIBLE: Flag = 10,
        /// Chain that a filter stands in; absent for 0.
        CHAIN: u32 = 11,
        /// Whether hardware does its work: 1 or 0.
        HW_OFFLOAD: u8 = 12,
        /// Block of filters for packets that come in, which interfaces can share.
        INGRESS_BLOCK: u32 = 13,
        /// Block of filters for packets that leave.
        EGRESS_BLOCK: u32 = 14,
        /// In a dump request for filters, how much is told: [`TcDumpFlags`].
        DUMP_FLAGS: Bitfield32 = 15,
        /// Warning that came with a change; in notifications.
        EXT_WARN_MSG: Str = 16,
    }
}

space! {
    /// Attributes of a class.
    pub TcClass, "TCA_" {
        /// What its discipline is (`htb`).
        KIND: Str = 1,
        /// What it is set to, by the kind.
        OPTIONS: Choice<TcClassOptions> = 2,
        /// Counters in the form of old; [`STATS2`](Self::STATS2) has more.
        STATS: TcOldStats = 3,
        /// Counters of its own, by the kind.
        XSTATS: Choice<TcClassXstats> = 4,
        /// In a request, how its rate is estimated.
        RATE: Estimator = 5,
        // 6 is not sent.
        /// Counters.
        STATS2: Choice<TcStatsByKind> = 7,
        // 8 is a discipline's.
        /// Aligns 64-bit numbers.
        PAD: Pad = 9,
        // 10 to 15 are of disciplines and filters.
        /// Warning that came with a change; in notifications.
        EXT_WARN_MSG: Str = 16,
    }
}

// Kinds that have nothing to set (ingress, clsact, mq, noqueue, blackhole, teql …) have no row.
choices! {
    /// What a discipline, a filter or a chain is set to, by its kind.
    pub TcOptions, by Sibling 1 {
        // Disciplines.
        "bfifo" | "pfifo" | "pfifo_head_drop" => Fifo,
        "cake" | "cake_mq" => Nest<Cake>,
        "cbs" => Nest<Cbs>,
        "choke" => Nest<Choke>,
        "codel" => Nest<Codel>,
        "dualpi2" => Nest<Dualpi2>,
        "etf" => Nest<Etf>,
        "ets" => Nest<Ets>,
        "fq" => Nest<Fq>,
        "fq_codel" => Nest<FqCodel>,
        "fq_pie" => Nest<FqPie>,
        "gred" => Nest<Gred>,
        "hfsc" => HfscOptions,
        "hhf" => Nest<Hhf>,
        "htb" => Nest<Htb>,
        "mqprio" => Headed<TrafficClasses, Mqprio>,
        "multiq" => Multiq,
        "netem" => Headed<NetemOptions, Netem>,
        "pie" => Nest<Pie>,
        "plug" => Plug,
        "prio" | "pfifo_fast" => Prio,
        "red" => Nest<Red>,
        "sfb" => Nest<Sfb>,
        "sfq" => Sfq,
        "skbprio" => Skbprio,
        "taprio" => Nest<Taprio>,
        "tbf" => Nest<Tbf>,
        // Filters.
        "basic" => Nest<Basic>,
        "bpf" => Nest<Bpf>,
        "cgroup" => Nest<Cgroup>,
        "flow" => Nest<Flow>,
        "flower" => Nest<Flower>,
        "fw" => Nest<Fw>,
        "matchall" => Nest<Matchall>,
        "route" => Nest<Route4>,
        "u32" => Nest<U32>,
    }
}

choices! {
    /// What a class is set to, by the kind of its discipline.
    pub TcClassOptions, by Sibling 1 {
        "drr" => Nest<Drr>,
        "ets" => Nest<Ets>,
        "hfsc" => Nest<Hfsc>,
        "htb" => Nest<Htb>,
        "qfq" => Nest<Qfq>,
        else => Bytes,
    }
}

choices! {
    /// Counters that only one kind of discipline has.
    pub TcXstats, by Sibling 1 {
        "choke" => ChokeStats,
        "codel" => CodelStats,
        "dualpi2" => Dualpi2Stats,
        "fq" => FqStats,
        "fq_codel" => FqCodelStats,
        "fq_pie" => FqPieStats,
        "hhf" => HhfStats,
        "netem" => NetemStats,
        "pie" => PieStats,
        "red" => RedStats,
        "sfb" => SfbStats,
        else => Bytes,
    }
}

choices! {
    /// Counters that only one kind of class has.
    pub TcClassXstats, by Sibling 1 {
        "drr" => DrrStats,
        "fq_codel" => FqCodelClassStats,
        "hfsc" => HfscStats,
        "htb" => HtbStats,
        "qfq" => QfqStats,
        "sfq" => SfqFlowStats,
        else => Bytes,
    }
}

choices! {
    /// Counters; which of them a kind has of its own differs.
    pub TcStatsByKind, by Sibling 1 {
        "cake" | "cake_mq" => Nest<TcCakeStats>,
        "taprio" => Nest<TcTaprioStats>,
        else => Nest<TcStats>,
    }
}

flags! {
    /// How much a dump of filters tells, for [`Tc::DUMP_FLAGS`].
    pub TcDumpFlags(u32), "TCA_DUMP_FLAGS_" {
        /// Only what names a filter, with its counters.
        TERSE = 0x1,
    }
}

// include/uapi/linux/gen_stats.h
space! {
    /// Counters of a discipline, a class or an action.
    pub TcStats, "TCA_STATS_" {
        /// Bytes and packets that went through.
        BASIC: StatsBasic = 1,
        /// Rate as it is estimated; only where an estimator was asked for.
        RATE_EST: StatsRate = 2,
        /// What waits, and what was dropped.
        QUEUE: StatsQueue = 3,
        /// Counters of its kind's own: what `TCA_XSTATS` holds.
        APP: Bytes = 4,
        /// As `RATE_EST`, where 32 bits are too few.
        RATE_EST64: StatsRate64 = 5,
        /// Aligns 64-bit numbers.
        PAD: Pad = 6,
        /// The part of `BASIC` that hardware counted.
        BASIC_HW: StatsBasic = 7,
        /// Packets that went through, where 32 bits are too few.
        PKT64: u64 = 8,
    }
}

space! {
    /// Counters of `cake`: [`TcStats`] with its own.
    pub TcCakeStats, "TCA_STATS_" {
        /// Bytes and packets that went through.
        BASIC: StatsBasic = 1,
        /// Rate as it is estimated; only where an estimator was asked for.
        RATE_EST: StatsRate = 2,
        /// What waits, and what was dropped.
        QUEUE: StatsQueue = 3,
        /// Counters of its own.
        APP: Nest<CakeStats> = 4,
        /// As `RATE_EST`, where 32 bits are too few.
        RATE_EST64: StatsRate64 = 5,
        /// Aligns 64-bit numbers.
        PAD: Pad = 6,
        /// The part of `BASIC` that hardware counted.
        BASIC_HW: StatsBasic = 7,
        /// Packets that went through, where 32 bits are too few.
        PKT64: u64 = 8,
    }
}

space! {
    /// Counters of `taprio`: [`TcStats`] with its own.
    pub TcTaprioStats, "TCA_STATS_" {
        /// Bytes and packets that went through.
        BASIC: StatsBasic = 1,
        /// Rate as it is estimated; only where an estimator was asked for.
        RATE_EST: StatsRate = 2,
        /// What waits, and what was dropped.
        QUEUE: StatsQueue = 3,
        /// Counters of its own; only where hardware does its work.
        APP: Nest<TaprioStats> = 4,
        /// As `RATE_EST`, where 32 bits are too few.
        RATE_EST64: StatsRate64 = 5,
        /// Aligns 64-bit numbers.
        PAD: Pad = 6,
        /// The part of `BASIC` that hardware counted.
        BASIC_HW: StatsBasic = 7,
        /// Packets that went through, where 32 bits are too few.
        PKT64: u64 = 8,
    }
}

record! {
    /// Bytes and packets that went through.
    pub StatsBasic, "gnet_stats_basic", "" {
        /// Bytes.
        bytes: u64,
        /// Packets, the low 32 bits.
        packets: u32,
        /// Nothing; absent on 32-bit x86.
        pad: [u8; 4],
    }
}

record! {
    /// A rate as it is estimated.
    pub StatsRate, "gnet_stats_rate_est", "" {
        /// Bytes per second.
        bps: u32,
        /// Packets per second.
        pps: u32,
    }
}

record! {
    /// A rate as it is estimated.
    pub StatsRate64, "gnet_stats_rate_est64", "" {
        /// Bytes per second.
        bps: u64,
        /// Packets per second.
        pps: u64,
    }
}

record! {
    /// What waits, and what was dropped.
    pub StatsQueue, "gnet_stats_queue", "" {
        /// Packets that wait.
        qlen: u32,
        /// Bytes that wait.
        backlog: u32,
        /// Packets dropped.
        drops: u32,
        /// Packets that the device gave back.
        requeues: u32,
        /// How often a packet was over a limit.
        overlimits: u32,
    }
}

record! {
    /// How a rate is estimated.
    pub Estimator, "gnet_estimator", "" {
        /// Time between two looks: 2 to the power of this, in seconds; -2 to 3.
        interval: i8,
        /// Logarithm to base 2 of the weight of older looks.
        ewma_log: u8,
    }
}

// include/uapi/linux/pkt_sched.h
record! {
    /// Counters in the form of old.
    pub TcOldStats, "tc_stats", "" {
        /// Bytes that went through.
        bytes: u64,
        /// Packets that went through.
        packets: u32,
        /// Packets dropped.
        drops: u32,
        /// How often a packet was over a limit.
        overlimits: u32,
        /// Bytes per second, where they are estimated.
        bps: u32,
        /// Packets per second, where they are estimated.
        pps: u32,
        /// Packets that wait.
        qlen: u32,
        /// Bytes that wait.
        backlog: u32,
        /// Nothing; absent on 32-bit x86.
        pad: [u8; 4],
    }
}

record! {
    /// A rate, and how sizes of packets count against it.
    pub RateSpec, "tc_ratespec", "" {
        /// Logarithm to base 2 of the bytes between two entries of a rate table.
        cell_log: u8,
        /// What is below: [`LinkLayer`], in the low four bits.
        linklayer: u8,
        /// Bytes added to each packet.
        overhead: u16,
        /// Bytes added before the rate table is asked.
        cell_align: i16,
        /// Bytes that a packet counts at least.
        mpu: u16,
        /// Bytes per second; all ones where they stand in an attribute of 64 bits.
        rate: u32,
    }
}

values! {
    /// What sizes of packets are counted for.
    pub LinkLayer(u32), "TC_LINKLAYER_" {
        /// Not said.
        UNAWARE = 0,
        /// Sizes as they are.
        ETHERNET = 1,
        /// Whole cells of ATM.
        ATM = 2,
    }
}

space! {
    /// How sizes of packets are translated (tc-stab(8)).
    pub SizeTable, "TCA_STAB_" {
        /// What it is set to.
        BASE: SizeSpec = 1,
        /// The table; only in requests.
        DATA: Packed<u16> = 2,
    }
}

record! {
    /// How sizes of packets are translated.
    pub SizeSpec, "tc_sizespec", "" {
        /// Logarithm to base 2 of the bytes between two entries.
        cell_log: u8,
        /// Logarithm to base 2 of what an entry is multiplied by.
        size_log: u8,
        /// Bytes added before the table is asked.
        cell_align: i16,
        /// Bytes added to each packet.
        overhead: i32,
        /// What is below.
        linklayer: LinkLayer,
        /// Bytes that a packet counts at least.
        mpu: u32,
        /// Largest size in the table.
        mtu: u32,
        /// Entries of the table.
        tsize: u32,
    }
}
