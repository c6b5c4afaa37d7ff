//! Verdicts on their way: which packets have none yet, and which are gathered to be sent together.

use std::collections::VecDeque;

use ringlink_codec as codec;
use ringlink_codec::netfilter::NetfilterHeader;
use ringlink_codec::netfilter::queue::{Packet, PacketMessage, Queue, Verdict, VerdictHeader};
use ringlink_codec::table::{AttributeWriter, Operation};

/// Bytes of a send: room for a packet of any length, and well below what a socket's send buffer takes.
const REQUEST: usize = 96 * 1024;

/// Verdicts that were gathered, and the packets that have none.
///
/// One message can decide all packets up to a number. So packets that are decided in their order, and alike, make a run;
/// any that was left out before would be decided with them, and is never left out: a run grows by the oldest undecided packet
/// alone.
#[derive(Debug)]
pub(super) struct Verdicts {
    header: NetfilterHeader,
    batch: u32,
    /// Packets that came, the oldest first, and whether they are decided; the oldest is not.
    undecided: VecDeque<(u32, bool)>,
    buffer: Vec<u8>,
    length: usize,
    messages: u32,
    /// Verdicts gathered, the run's among them.
    waiting: u32,
    run: Option<Run>,
}

/// Packets that are decided alike, not written yet.
#[derive(Clone, Copy, Debug)]
struct Run {
    verdict: Verdict,
    mark: Option<u32>,
    last: u32,
    single: bool,
}

impl Verdicts {
    /// None yet, for a queue of this length; so many are gathered.
    pub(super) fn new(queue: u16, batch: u32, length: u32) -> Verdicts {
        let most = usize::try_from(length).unwrap_or(usize::MAX).min(1 << 20);
        Verdicts {
            header: NetfilterHeader::default().numbered(queue),
            batch,
            undecided: VecDeque::with_capacity(most),
            buffer: vec![0; REQUEST],
            length: 0,
            messages: 0,
            waiting: 0,
            run: None,
        }
    }

    /// A packet has come; numbers ascend.
    pub(super) fn expect(&mut self, id: u32) {
        self.undecided.push_back((id, false));
    }

    /// How many packets have no verdict.
    pub(super) fn undecided(&self) -> usize {
        self.undecided.iter().filter(|(_, decided)| !decided).count()
    }

    /// Whether this packet has come and has no verdict.
    pub(super) fn waits(&self, id: u32) -> bool {
        self.place(id).is_some()
    }

    fn place(&self, id: u32) -> Option<usize> {
        let oldest = self.undecided.front()?.0;
        let place = match id.wrapping_sub(oldest) {
            0 => 0,
            // Numbers wrap; their distances from the oldest do not.
            distance => self.undecided.partition_point(|(other, _)| other.wrapping_sub(oldest) < distance),
        };
        (self.undecided.get(place) == Some(&(id, false))).then_some(place)
    }

    /// How many verdicts were gathered.
    pub(super) fn waiting(&self) -> u32 {
        self.waiting
    }

    /// Whether it is time to send.
    pub(super) fn is_full(&self) -> bool {
        self.waiting >= self.batch
    }

    /// Decides a packet that waits, without changing more of it than its mark.
    pub(super) fn plain(&mut self, id: u32, verdict: Verdict, mark: Option<u32>) -> Result<(), codec::Error> {
        let oldest = self.undecided.front().is_some_and(|(oldest, _)| *oldest == id);
        match &mut self.run {
            Some(run) if oldest && (run.verdict, run.mark) == (verdict, mark) => {
                run.last = id;
                run.single = false;
            }
            _ if oldest => {
                self.close()?;
                self.run = Some(Run { verdict, mark, last: id, single: true });
            }
            _ => {
                self.close()?;
                self.write(Queue::VERDICT, id, verdict, |packet| packet.put_some(Packet::MARK, mark))?;
            }
        }
        self.decided(id);
        Ok(())
    }

    /// Decides a packet that waits, with changes. What was decided before is written before: packets leave in the order of
    /// their verdicts.
    pub(super) fn changed(
        &mut self,
        id: u32,
        verdict: Verdict,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Packet>),
    ) -> Result<(), codec::Error> {
        self.close()?;
        self.write(Queue::VERDICT, id, verdict, |packet| fill(packet))?;
        self.decided(id);
        Ok(())
    }

    fn decided(&mut self, id: u32) {
        if let Some(place) = self.place(id).and_then(|place| self.undecided.get_mut(place)) {
            place.1 = true;
        }
        while self.undecided.front().is_some_and(|(_, decided)| *decided) {
            self.undecided.pop_front();
        }
        self.waiting += 1;
    }

    /// Writes the run, if there is one; says how many messages there are.
    pub(super) fn close(&mut self) -> Result<u32, codec::Error> {
        if let Some(Run { verdict, mark, last, single }) = self.run {
            let operation = if single { Queue::VERDICT } else { Queue::VERDICT_BATCH };
            self.write(operation, last, verdict, |packet| packet.put_some(Packet::MARK, mark))?;
            self.run = None;
        }
        Ok(self.messages)
    }

    fn write(
        &mut self,
        operation: Operation<PacketMessage>,
        id: u32,
        verdict: Verdict,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Packet>),
    ) -> Result<(), codec::Error> {
        let start = self.length.next_multiple_of(4);
        let room = self.buffer.get_mut(start..).unwrap_or_default();
        let written = operation.write(room, self.header, |packet| {
            packet.put(Packet::VERDICT_HDR, VerdictHeader::new(verdict, id));
            fill(packet);
        })?;
        self.length = start + written.len();
        self.messages += 1;
        Ok(())
    }

    /// The messages.
    pub(super) fn bytes(&self) -> &[u8] {
        self.buffer.get(..self.length).unwrap_or_default()
    }

    /// They were sent.
    pub(super) fn clear(&mut self) {
        (self.length, self.messages, self.waiting) = (0, 0, 0);
    }
}
