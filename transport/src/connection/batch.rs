//! Many requests in few datagrams.

use std::os::fd::BorrowedFd;
use std::task::Poll;

use ringlink_codec::exchange::{Exchange, Step};
use ringlink_codec::table::{AttributeWriter, Format, Operation};
use ringlink_codec::wire::Messages;

use super::Connection;
use super::outbox::{Outbox, Sent};
use super::request::{exchange, origin, refused, verdict};
use super::steps::{Advance, poll};
use crate::engine::Deadline;
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
///
/// Whoever must not wait takes [`offer`](Batch::offer) and [`Advance`] instead of `add` and `flush`.
#[derive(Debug)]
#[must_use = "requests that still wait to be sent are sent by `finish`"]
pub struct Batch<'c> {
    connection: &'c mut Connection,
    outbox: Outbox,
    /// What is under way.
    sent: Option<Sent>,
    /// How many were sent before what is under way.
    base: usize,
    outcomes: Outcomes,
    /// Why it is not known what became of some of them.
    doubt: Option<Error>,
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
    /// Which item of a list in it is at fault, or which occurrence of an attribute, counted from 0, where the kernel says so.
    pub item: Option<usize>,
    /// What the kernel says.
    pub refused: Refused,
}

impl Outcomes {
    /// How many requests the kernel was asked.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Those that were refused, in order. All others were carried out, unless a [`flush`](Batch::flush) failed.
    pub fn failures(&self) -> &[Failure] {
        &self.failures
    }

    /// Takes a refusal in, where it belongs; of several for one request, the first.
    fn note(&mut self, failure: Failure) {
        if let Err(place) = self.failures.binary_search_by_key(&failure.index, |known| known.index) {
            self.failures.insert(place, failure);
        }
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
pub(super) const REFUSAL: usize = 1664;

impl<'c> Batch<'c> {
    pub(super) fn new(connection: &'c mut Connection) -> Batch<'c> {
        let outbox = Outbox::new(connection, REFUSAL);
        Batch { connection, outbox, sent: None, base: 0, outcomes: Outcomes::default(), doubt: None }
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
        while !self.offer(operation, header, &mut fill)? {
            self.flush()?;
        }
        Ok(())
    }

    /// Adds a request if there is room for it beside those that wait, and says no if there is not: then what waits is to be
    /// sent first.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where it does not fit an empty buffer.
    pub fn offer<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        mut fill: impl FnMut(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<bool, Error> {
        match self.sent {
            // Its bytes are still needed, for the paths of refusals.
            Some(_) => Ok(false),
            None => self.outbox.offer(self.connection, operation, header, &mut fill),
        }
    }

    /// Sends what waits, and waits until the kernel has been through it.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`], [`Error::Overrun`] and what the engine says: what became of the requests in that datagram
    /// is then not known. A refusal is no error here: it is an outcome.
    pub fn flush(&mut self) -> Result<(), Error> {
        let result = self.step(self.connection.deadline());
        // A datagram that failed is not come back to.
        self.sent = None;
        self.connection.forget_request();
        if let Err(error) = &result {
            self.doubt.get_or_insert_with(|| error.clone());
        }
        result
    }

    /// Sends what waits, if nothing is under way, and receives what came of it.
    fn step(&mut self, deadline: Deadline) -> Result<(), Error> {
        if self.sent.is_none() {
            let last_request = self.outbox.last();
            let Some(sent) = self.outbox.take() else { return Ok(()) };
            let mut buffer = self.connection.request.borrow_mut();
            exchange(self.connection.socket(), Exchange::apply, sent.last())
                .stamp(buffer.get_mut(last_request).unwrap_or_default());
            self.base = self.outcomes.count;
            self.outcomes.count += usize::try_from(sent.count).unwrap_or(usize::MAX);
            self.sent = Some(sent);
        }
        let result = self.receive(deadline);
        self.connection.note(&result);
        result
    }

    fn receive(&mut self, deadline: Deadline) -> Result<(), Error> {
        while let Some(sent) = &mut self.sent {
            let datagram = self.connection.send_or_receive(sent.length, &mut sent.sent, deadline)?;
            let sent = *sent;
            for message in Messages::new(&datagram) {
                let message = message?;
                let place = sent.place(message.header);
                // Each refusal ends an exchange of its own; the last request's answer ends the datagram.
                let sequence = place.map_or(sent.last(), |_| message.header.sequence);
                let mut asked = exchange(self.connection.socket(), Exchange::apply, sequence);
                let step = self.connection.accept(&mut asked, message, origin(&datagram));
                verdict(&step, message)?;
                let Some(place) = place else { continue };
                if let Step::Failed(refusal) = step {
                    let buffer = self.connection.request.borrow();
                    let request = sent.request(&buffer, place);
                    let root = self.outbox.root(place);
                    if let Some(Error::Refused(refused)) = root.map(|root| refused(&refusal, request, root)) {
                        let index = self.base + usize::try_from(place).unwrap_or(usize::MAX);
                        let item = refused.path.item();
                        self.outcomes.note(Failure { index, item, refused: *refused });
                    }
                }
                if place == sent.count - 1 && asked.is_finished() {
                    self.sent = None;
                    break;
                }
            }
        }
        Ok(())
    }

    /// Sends what waits, and says what became of all requests.
    ///
    /// # Errors
    ///
    /// As [`flush`](Batch::flush); of an earlier one that failed, its error once more, since it is not known what became of all
    /// requests then.
    pub fn finish(mut self) -> Result<Outcomes, Error> {
        let flushed = self.flush();
        match self.doubt {
            Some(error) => Err(error),
            None => flushed.map(|()| self.outcomes),
        }
    }

    /// What has become of the requests that were sent so far.
    pub fn outcomes(&self) -> &Outcomes {
        &self.outcomes
    }
}

/// Sends what waits, and takes what there is of the answers; ready when the kernel has been through all of it. Fails as
/// [`Batch::flush`].
impl Advance for Batch<'_> {
    type Output = ();

    fn advance(&mut self) -> Poll<Result<(), Error>> {
        let result = poll(self.step(self.connection.passed()));
        if result.is_ready() {
            self.sent = None;
            self.connection.forget_request();
        }
        if let Poll::Ready(Err(error)) = &result {
            self.doubt.get_or_insert_with(|| error.clone());
        }
        result
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.connection.descriptor()
    }
}

#[cfg(test)]
mod tests {
    use ringlink_codec::reply::{Errno, Path, Refusal};

    use super::*;

    #[test]
    fn a_request_is_refused_once_and_in_its_place() {
        let mut outcomes = Outcomes { count: 4, failures: Vec::new() };
        for (index, errno) in [(3, Errno::IO), (1, Errno::INVAL), (1, Errno::IO), (3, Errno::IO)] {
            let refused = Refused::new(&Refusal::new(errno), "", Path::default());
            outcomes.note(Failure { index, item: None, refused });
        }
        let told: Vec<_> = outcomes.iter().map(|outcome| outcome.err().map(|refused| refused.errno)).collect();
        assert_eq!(told, [None, Some(Errno::INVAL), None, Some(Errno::IO)]);
    }
}
