//! Many requests in few datagrams.

use ringlink_codec::exchange::{Exchange, Step};
use ringlink_codec::table::{AttributeWriter, Format, Operation};
use ringlink_codec::wire::{Flags, MessageHeader, Messages, Writer};

use super::{Connection, origin, refused};
use crate::error::{Error, Refused};

/// Requests for changes, sent many at a time: one system call carries as many as the request buffer
/// ([`Config::request`](super::Config::request)) takes and the socket's receive buffer can answer.
///
/// Only the last request of a datagram is acknowledged; a refusal always comes. The kernel carries the requests out in
/// order, and goes on after one that it refuses.
///
/// ```no_run
/// use ringlink::codec::route::{Link, LinkHeader, LinkInfo, Rtm};
/// use ringlink::{Connection, Protocol};
///
/// let mut connection = Connection::open(Protocol::ROUTE)?;
/// let mut batch = connection.batch();
/// for name in ["br0", "br1", "br2"] {
///     batch.add(Rtm::NEWLINK.create().exclusive(), LinkHeader::default(), |link| {
///         link.put(Link::IFNAME, name);
///         link.nest(Link::LINKINFO, |info| info.put(LinkInfo::KIND, "bridge"));
///     })?;
/// }
/// for failure in batch.finish()?.failures() {
///     eprintln!("request {}: {}", failure.index, failure.refused);
/// }
/// # Ok::<(), ringlink::Error>(())
/// ```
#[derive(Debug)]
#[must_use = "requests that still wait to be sent are sent by `finish`"]
pub struct Batch<'c> {
    connection: &'c mut Connection,
    /// Bytes of the requests that wait.
    length: usize,
    /// How many wait.
    waiting: u32,
    /// How many may wait: so many refusals fit the receive buffer at once.
    window: u32,
    /// The sequence number of the first that waits.
    first: u32,
    /// Where the last that waits starts in the request buffer.
    last: usize,
    outcomes: Outcomes,
}

/// What became of a batch's requests.
#[derive(Clone, Debug, Default)]
pub struct Outcomes {
    count: usize,
    failures: Vec<Failure>,
}

/// A request of a batch that the kernel refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Which request, counted from 0 in the order in which they were added.
    pub index: usize,
    /// What the kernel says.
    pub refused: Refused,
}

impl Outcomes {
    /// How many requests the kernel was asked.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Those that were refused, in order. All others were carried out.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// One outcome each, in order.
    pub fn iter(&self) -> impl Iterator<Item = Result<(), &Refused>> {
        let mut failures = self.failures.iter().peekable();
        (0..self.count).map(move |index| match failures.next_if(|failure| failure.index == index) {
            Some(failure) => Err(&failure.refused),
            None => Ok(()),
        })
    }
}

/// What a refusal costs in a receive buffer, in bytes of the kernel's accounting: twice what a bare acknowledgement
/// does (832), for one with a text takes a larger buffer.
const REFUSAL: usize = 1664;

impl<'c> Batch<'c> {
    pub(super) fn new(connection: &'c mut Connection) -> Batch<'c> {
        let buffer = connection.socket().receive_buffer().unwrap_or(0);
        let window = u32::try_from(buffer / REFUSAL).unwrap_or(u32::MAX).max(1);
        let outcomes = Outcomes::default();
        Batch { connection, length: 0, waiting: 0, window, first: 0, last: 0, outcomes }
    }

    /// Adds a request. Where it does not fit beside those that wait, they are sent first.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where it does not fit an empty buffer (the error says the size needed; the batch goes on
    /// without it), and as [`flush`](Batch::flush).
    pub fn add<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        mut fill: impl FnMut(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<(), Error> {
        if self.waiting == self.window {
            self.flush()?;
        }
        match self.append(operation, header, &mut fill) {
            Err(Error::Codec(error)) if error.needed().is_some() && self.waiting > 0 => {
                self.flush()?;
                self.append(operation, header, &mut fill)
            }
            other => other,
        }
    }

    fn append<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        mut fill: impl FnMut(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<(), Error> {
        let sequence = match self.waiting {
            0 => self.connection.sequence.get().wrapping_add(1),
            waiting => self.first.wrapping_add(waiting),
        };
        let port = self.connection.socket().port();
        let start = self.length.next_multiple_of(4);
        let mut buffer = self.connection.request.borrow_mut();
        let mut writer = Writer::new(buffer.get_mut(start..).unwrap_or_default());
        let message = MessageHeader { flags: Flags::REQUEST, sequence, port, ..MessageHeader::default() };
        operation.encode(&mut writer, message, header, |attributes| fill(attributes));
        let written = writer.finish()?.len();
        if self.waiting == 0 {
            self.first = sequence;
        }
        self.last = start;
        self.length = start + written;
        self.waiting += 1;
        self.connection.sequence.set(sequence);
        Ok(())
    }

    /// Sends what waits, and waits until the kernel has been through it.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`], [`Error::Overrun`] and what the engine says: what became of the requests in that datagram
    /// is then not known. A refusal is no error here: it is an outcome.
    pub fn flush(&mut self) -> Result<(), Error> {
        if self.waiting == 0 {
            return Ok(());
        }
        let (length, waiting) = (self.length, self.waiting);
        let last = self.first.wrapping_add(waiting - 1);
        {
            let mut buffer = self.connection.request.borrow_mut();
            let last_request = buffer.get_mut(self.last..length).unwrap_or_default();
            Exchange::apply(last, self.connection.socket().port()).stamp(last_request);
        }
        (self.length, self.waiting) = (0, 0);
        let base = self.outcomes.count;
        self.outcomes.count += usize::try_from(waiting).unwrap_or(usize::MAX);

        let deadline = self.connection.deadline();
        let mut datagram = self.connection.send_written(length, deadline)?;
        loop {
            for message in Messages::new(&datagram) {
                let message = message?;
                // Each refusal ends an exchange of its own; the last request's answer ends the datagram.
                let mut exchange = Exchange::apply(message.header.sequence, self.connection.socket().port());
                let place = message.header.sequence.wrapping_sub(self.first);
                if place >= waiting {
                    exchange = Exchange::apply(last, self.connection.socket().port());
                }
                if let Step::Failed(refusal) = self.connection.accept(&mut exchange, message, origin(&datagram)) {
                    let index = usize::try_from(place).unwrap_or(usize::MAX);
                    let request = self.connection.request.borrow();
                    let message = Messages::new(request.get(..length).unwrap_or_default()).nth(index);
                    let message = message.and_then(Result::ok);
                    let error = refused(self.connection.socket().protocol(), &refusal, message, None);
                    if let Error::Refused(refused) = error {
                        self.outcomes.failures.push(Failure { index: base + index, refused: *refused });
                    }
                }
                if place == waiting - 1 && exchange.is_finished() {
                    return Ok(());
                }
            }
            drop(datagram);
            datagram = self.connection.receive(deadline)?;
        }
    }

    /// Sends what waits, and says what became of all requests.
    ///
    /// # Errors
    ///
    /// As [`flush`](Batch::flush).
    pub fn finish(mut self) -> Result<Outcomes, Error> {
        self.flush()?;
        Ok(self.outcomes)
    }
}
