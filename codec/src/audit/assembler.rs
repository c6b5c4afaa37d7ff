//! Events put together from their records.

use super::{EventId, Record, RecordType};

/// Puts records together to events: `EVENTS` of them at most are open at a time, with `BYTES` of text each.
///
/// The kernel tells the records of an event one by one, and those of other processors' events in between. An event ends with
/// its record [`EOE`](RecordType::EOE), or at once where its type is one that stands alone. Some end without a word; such an
/// event is handed out, as not complete, when its place is needed, or when [`flush`](Assembler::flush) is asked for it.
/// Nothing is lost without a count: records that had no room are counted in their event, and numbers that no event came with
/// by [`missing`](Assembler::missing).
///
/// ```
/// use ringlink_codec::audit::{Assembler, Record, RecordType};
///
/// let mut assembler = Assembler::<4, 1024>::new();
/// let record = |kind, text: &'static str| Record::of_text(kind, text.as_bytes());
/// assert!(assembler.add(&record(RecordType::SYSCALL, "audit(1.000:7): syscall=2 success=yes")?).is_none());
/// assert!(assembler.add(&record(RecordType::SYSCALL, "audit(1.001:8): syscall=3 success=no")?).is_none());
/// assert!(assembler.add(&record(RecordType::CWD, "audit(1.000:7): cwd=\"/\"")?).is_none());
/// let event = assembler.add(&record(RecordType::EOE, "audit(1.000:7): ")?).unwrap();
/// assert!(event.complete && event.id.serial == 7);
/// assert_eq!(event.records().map(|record| record.kind).collect::<Vec<_>>(), [RecordType::SYSCALL, RecordType::CWD]);
/// # Ok::<(), ringlink_codec::Error>(())
/// ```
#[derive(Debug)]
pub struct Assembler<const EVENTS: usize, const BYTES: usize> {
    slots: [Slot<BYTES>; EVENTS],
    /// The slot that was handed out last, which is free from the next call on.
    lent: Option<usize>,
    /// Slots begun, for their order.
    begun: u64,
    /// The lowest and the highest number seen.
    span: Option<(u32, u32)>,
}

/// An event that is open. Its text is kept as it came: type, length, bytes.
#[derive(Debug)]
struct Slot<const BYTES: usize> {
    open: bool,
    order: u64,
    id: EventId,
    bytes: heapless::Vec<u8, BYTES>,
    left_out: u32,
}

impl<const BYTES: usize> Slot<BYTES> {
    const FREE: Self = Self {
        open: false,
        order: 0,
        id: EventId { seconds: 0, milliseconds: 0, serial: 0 },
        bytes: heapless::Vec::new(),
        left_out: 0,
    };

    fn add(&mut self, record: &Record<'_>) {
        let length = u16::try_from(record.text.len()).ok().filter(|length| {
            let room = BYTES.saturating_sub(self.bytes.len());
            room >= usize::from(*length).saturating_add(4)
        });
        let Some(length) = length else {
            self.left_out = self.left_out.saturating_add(1);
            return;
        };
        // There is room for all of it.
        let parts = [&record.kind.0.to_ne_bytes()[..], &length.to_ne_bytes(), record.text];
        parts.iter().for_each(|part| drop(self.bytes.extend_from_slice(part)));
    }

    fn event(&self, complete: bool) -> Event<'_> {
        Event { id: self.id, complete, left_out: self.left_out, bytes: &self.bytes }
    }
}

/// An event, lent until the next call.
#[derive(Clone, Copy, Debug)]
#[must_use = "an event that is not looked at is lost"]
pub struct Event<'e> {
    /// When it happened, and its number.
    pub id: EventId,
    /// Whether it ended as events end; otherwise records may be missing.
    pub complete: bool,
    /// How many records had no room.
    pub left_out: u32,
    bytes: &'e [u8],
}

impl<'e> Event<'e> {
    /// Its records, in the order in which they came.
    #[must_use]
    pub const fn records(&self) -> Records<'e> {
        Records { rest: self.bytes, id: self.id }
    }

    /// The first record of a type.
    #[must_use]
    pub fn record(&self, kind: RecordType) -> Option<Record<'e>> {
        self.records().find(|record| record.kind == kind)
    }
}

/// The records of an event.
#[derive(Clone, Debug)]
pub struct Records<'e> {
    rest: &'e [u8],
    id: EventId,
}

impl<'e> Iterator for Records<'e> {
    type Item = Record<'e>;

    fn next(&mut self) -> Option<Record<'e>> {
        let ([a, b, c, d], rest) = self.rest.split_first_chunk()?;
        let (kind, length) = (u16::from_ne_bytes([*a, *b]), u16::from_ne_bytes([*c, *d]));
        let (text, rest) = rest.split_at_checked(usize::from(length))?;
        self.rest = rest;
        Some(Record::kept(RecordType(kind), self.id, text))
    }
}

impl core::iter::FusedIterator for Records<'_> {}

impl<const EVENTS: usize, const BYTES: usize> Default for Assembler<EVENTS, BYTES> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const EVENTS: usize, const BYTES: usize> Assembler<EVENTS, BYTES> {
    /// One without events.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(EVENTS >= 2, "one event is lent while another one is begun") };
        Self { slots: [const { Slot::FREE }; EVENTS], lent: None, begun: 0, span: None }
    }

    /// Takes a record; gives the event that has ended with it, or the oldest one where its place was needed.
    pub fn add(&mut self, record: &Record<'_>) -> Option<Event<'_>> {
        self.free_lent();
        let known = self.slots.iter().position(|slot| slot.open && slot.id == record.id);
        let alone = known.is_none() && stands_alone(record.kind);
        let at = match known {
            Some(at) => at,
            // The end of an event whose records were not seen, or handed out already.
            None if record.kind == RecordType::EOE => return None,
            None => self.begin(record.id)?,
        };
        let slot = self.slots.get_mut(at)?;
        if record.kind != RecordType::EOE {
            slot.add(record);
        }
        let full = self.slots.iter().all(|slot| slot.open);
        match () {
            () if alone || record.kind == RecordType::EOE => self.lend(at, true),
            // One place stays free for the next event.
            () if full => self.oldest().and_then(|at| self.lend(at, false)),
            () => None,
        }
    }

    /// Gives the oldest event of those that began before this time, in seconds since 1970, as not complete; call it until it
    /// gives none.
    pub fn flush(&mut self, before: u64) -> Option<Event<'_>> {
        self.free_lent();
        let at = self.oldest()?;
        self.slots.get(at).filter(|slot| slot.id.seconds < before)?;
        self.lend(at, false)
    }

    /// How many events are open.
    #[must_use]
    pub fn open(&self) -> usize {
        let lent = usize::from(self.lent.is_some());
        self.slots.iter().filter(|slot| slot.open).count().saturating_sub(lent)
    }

    /// How many numbers between the lowest and the highest seen no event came with. They were lost, or the kernel's rules left
    /// them out.
    #[must_use]
    pub fn missing(&self) -> u64 {
        let Some((low, high)) = self.span else { return 0 };
        u64::from(high).saturating_sub(u64::from(low)).saturating_add(1).saturating_sub(self.begun)
    }

    fn begin(&mut self, id: EventId) -> Option<usize> {
        let at = self.slots.iter().position(|slot| !slot.open)?;
        self.begun = self.begun.saturating_add(1);
        let (low, high) = self.span.unwrap_or((id.serial, id.serial));
        self.span = Some((low.min(id.serial), high.max(id.serial)));
        let slot = self.slots.get_mut(at)?;
        slot.bytes.clear();
        (slot.open, slot.order, slot.id, slot.left_out) = (true, self.begun, id, 0);
        Some(at)
    }

    fn oldest(&self) -> Option<usize> {
        let open = self.slots.iter().enumerate().filter(|(_, slot)| slot.open);
        open.min_by_key(|(_, slot)| slot.order).map(|(at, _)| at)
    }

    fn lend(&mut self, at: usize, complete: bool) -> Option<Event<'_>> {
        self.lent = Some(at);
        self.slots.get(at).map(|slot| slot.event(complete))
    }

    fn free_lent(&mut self) {
        if let Some(slot) = self.lent.take().and_then(|at| self.slots.get_mut(at)) {
            slot.open = false;
        }
    }
}

/// Whether a record of this type is an event by itself. What programs write is; what the kernel writes may have others beside
/// it, by the system call in which it happens.
const fn stands_alone(kind: RecordType) -> bool {
    matches!(kind.0, 1005 | 1100..1300 | 2000..)
}
