//! Disciplines and classes as plain structs.

use super::{
    Handle, StatsBasic, StatsQueue, StatsRate, Tc, TcClass, TcClassMessage, TcHeader, TcMessage, TcStats, TcStatsByKind,
};
use crate::table::{Attributes, Body, Chosen, Text};
use crate::wire::Error;

/// A queueing discipline, as messages tell it: what all kinds have. What it is set to stands in [`Tc::OPTIONS`].
///
/// ```
/// use ringlink_codec::prelude::*;
/// use ringlink_codec::route::tc::{Handle, QdiscView, Tc, TcHeader, TcRtm};
///
/// let mut buffer = Buffer::<64>::new();
/// let handle = Handle::new(0x8001, 0);
/// let header = TcHeader { ifindex: 2, handle, parent: Handle::ROOT, info: 2, ..Default::default() };
/// let bytes = buffer.message(TcRtm::NEWQDISC, header, |qdisc| qdisc.put(Tc::KIND, "mq"))?;
/// let view = QdiscView::read(Message::parse(bytes)?.body(TcRtm::NEWQDISC)?)?;
/// assert!(view.kind.is_some_and(|kind| kind == "mq"));
/// assert_eq!((view.header.handle, view.references()), (handle, 2));
/// # Ok::<(), ringlink_codec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QdiscView<'a> {
    /// Interface, handle, parent.
    pub header: TcHeader,
    /// Its kind (`htb`).
    pub kind: Option<Text<'a>>,
    /// Block of filters for packets that come in.
    pub ingress_block: Option<u32>,
    /// Block of filters for packets that leave.
    pub egress_block: Option<u32>,
    /// Whether hardware does its work.
    pub offloaded: bool,
    /// Counters.
    pub counters: TcCounters,
}

impl<'a> QdiscView<'a> {
    /// Reads the attributes.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, or one of those above has the wrong length.
    pub fn read(body: Body<'a, TcMessage>) -> Result<Self, Error> {
        let (kind, stats, ingress_block, egress_block, offload) =
            body.attributes.read((Tc::KIND, Tc::STATS2, Tc::INGRESS_BLOCK, Tc::EGRESS_BLOCK, Tc::HW_OFFLOAD))?;
        Ok(Self {
            header: body.header,
            kind,
            ingress_block,
            egress_block,
            offloaded: offload.is_some_and(|offload| offload != 0),
            counters: TcCounters::told(stats)?,
        })
    }

    /// How many refer to it: more than one where queues of a device share it.
    #[must_use]
    pub const fn references(&self) -> u32 {
        self.header.info
    }
}

/// A class, as messages tell it: what all kinds have. What it is set to stands in [`TcClass::OPTIONS`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TcClassView<'a> {
    /// Interface, handle, parent.
    pub header: TcHeader,
    /// Kind of its discipline (`htb`).
    pub kind: Option<Text<'a>>,
    /// Counters.
    pub counters: TcCounters,
}

impl<'a> TcClassView<'a> {
    /// Reads the attributes.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, or one of those above has the wrong length.
    pub fn read(body: Body<'a, TcClassMessage>) -> Result<Self, Error> {
        let (kind, stats) = body.attributes.read((TcClass::KIND, TcClass::STATS2))?;
        Ok(Self { header: body.header, kind, counters: TcCounters::told(stats)? })
    }

    /// The discipline below it, where there is one.
    #[must_use]
    pub fn leaf(&self) -> Option<Handle> {
        Some(Handle(self.header.info)).filter(|leaf| *leaf != Handle::UNSPEC)
    }
}

/// Counters of a discipline or a class; zero where they are not told.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TcCounters {
    /// Bytes that went through.
    pub bytes: u64,
    /// Packets that went through.
    pub packets: u64,
    /// What waits, and what was dropped.
    pub queue: StatsQueue,
    /// Bytes per second and packets per second, where they are estimated.
    pub rate: Option<(u64, u64)>,
}

impl TcCounters {
    /// Reads the counters of [`Tc::STATS2`]; 64 bits count where there are some.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, or one of them has the wrong length.
    pub fn read(stats: Attributes<'_, TcStats>) -> Result<Self, Error> {
        let (basic, packets, queue, rate, rate64) =
            stats.read((TcStats::BASIC, TcStats::PKT64, TcStats::QUEUE, TcStats::RATE_EST, TcStats::RATE_EST64))?;
        let StatsBasic { bytes, packets: low, .. } = basic.unwrap_or_default();
        let narrow = |StatsRate { bps, pps }: StatsRate| (u64::from(bps), u64::from(pps));
        Ok(Self {
            bytes,
            packets: packets.unwrap_or(u64::from(low)),
            queue: queue.unwrap_or_default(),
            rate: rate64.map(|rate| (rate.bps, rate.pps)).or(rate.map(narrow)),
        })
    }

    /// Those of a message, whatever its kind: all kinds have these alike.
    fn told(stats: Option<Chosen<'_, TcStatsByKind>>) -> Result<Self, Error> {
        stats.map_or(Ok(Self::default()), |stats| Self::read(Attributes::new(stats.payload)))
    }
}
