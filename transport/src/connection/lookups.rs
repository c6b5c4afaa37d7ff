//! Many questions in few datagrams.

use std::fmt;
use std::os::fd::BorrowedFd;
use std::task::Poll;

use ringlink_codec::exchange::{Exchange, Step};
use ringlink_codec::table::{AttributeWriter, Body, Format, Operation};
use ringlink_codec::wire::Messages;

use super::Connection;
use super::outbox::{Outbox, Sent};
use super::request::{Root, exchange, expect, origin, refused, verdict};
use super::steps::{Advance, poll};
use crate::engine::Deadline;
use crate::error::Error;

/// Questions that have one answer each, sent many at a time: about half the time that as many [`get`](Connection::get)s
/// take. Memory is bounded: only so many are on the way as the socket's receive buffer has room for answers.
///
/// Each answer goes to the closure, in the order of the questions, with the question's number; a refusal is that one
/// question's, and the others go on.
///
/// ```
/// use ringlink::codec::route::{Family, Route, RouteHeader, Rtm};
/// use ringlink::{Connection, Protocol};
/// use std::net::Ipv4Addr;
///
/// let mut connection = Connection::open(Protocol::ROUTE)?;
/// let mut found = 0;
/// let mut lookups = connection.lookups(Rtm::GETROUTE, |_number, route| {
///     found += u32::from(route.is_ok_and(|route| route.attributes.get(Route::OIF).is_ok_and(|oif| oif.is_some())));
///     Ok(())
/// });
/// for last in 1..=100 {
///     let header = RouteHeader { family: Family::INET, dst_len: 32, ..RouteHeader::default() };
///     lookups.add(header, |route| route.put(Route::DST, Ipv4Addr::new(127, 0, 0, last)))?;
/// }
/// assert_eq!(lookups.finish()?, 100);
/// # let _ = found;
/// # Ok::<(), ringlink::Error>(())
/// ```
///
/// Whoever must not wait takes [`offer`](Lookups::offer) and [`Advance`] instead of `add` and `flush`.
#[must_use = "questions that still wait to be sent are sent by `finish`"]
pub struct Lookups<'c, Q, A, F> {
    connection: &'c mut Connection,
    operation: Operation<Q, A>,
    each: F,
    outbox: Outbox,
    /// What is under way, and how many of it are answered: the kernel answers in order, so that is the place of the next.
    sent: Option<(Sent, u32)>,
    /// How many were sent before what is under way.
    base: usize,
    /// How many were sent.
    asked: usize,
}

impl<Q, A, F> fmt::Debug for Lookups<'_, Q, A, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookups")
            .field("operation", &self.operation)
            .field("outbox", &self.outbox)
            .finish_non_exhaustive()
    }
}

/// What an answer costs in a receive buffer, in bytes of the kernel's accounting, at the most: an interface without virtual
/// functions takes 2,304, a route 832. With the default receive buffer 64 questions are on the way.
const ANSWER: usize = 3328;

impl<'c, Q: Format, A: Format, F> Lookups<'c, Q, A, F>
where
    F: FnMut(usize, Result<Body<'_, A>, Error>) -> Result<(), Error>,
{
    pub(super) fn new(connection: &'c mut Connection, operation: Operation<Q, A>, each: F) -> Lookups<'c, Q, A, F> {
        let outbox = Outbox::new(connection, ANSWER);
        Lookups { connection, operation, each, outbox, sent: None, base: 0, asked: 0 }
    }

    /// Adds a question. Where it does not fit beside those that wait, they are sent first.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where it does not fit an empty buffer (the error says the size needed; the others go on without
    /// it), and as [`flush`](Lookups::flush).
    pub fn add(
        &mut self,
        header: Q::Header,
        mut fill: impl FnMut(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<(), Error> {
        while !self.offer(header, &mut fill)? {
            self.flush()?;
        }
        Ok(())
    }

    /// Adds a question if there is room for it beside those that wait, and says no if there is not: then those that wait are
    /// to be sent first.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where it does not fit an empty buffer.
    pub fn offer(
        &mut self,
        header: Q::Header,
        mut fill: impl FnMut(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<bool, Error> {
        match self.sent {
            // Its bytes are still needed, for the paths of refusals.
            Some(_) => Ok(false),
            None => self.outbox.offer(self.connection, self.operation, header, &mut fill),
        }
    }

    /// Sends the questions that wait, and waits for their answers.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`], [`Error::Overrun`] and what the engine says, and the closure's own: answers of that datagram that
    /// were not handed out by then will not be. A refusal is no error here: it is an answer.
    pub fn flush(&mut self) -> Result<(), Error> {
        let result = self.step(self.connection.deadline());
        // A datagram that failed is not come back to.
        self.sent = None;
        self.connection.forget_request();
        result
    }

    /// Sends the questions that wait, if nothing is under way, and hands out the answers that come.
    fn step(&mut self, deadline: Deadline) -> Result<(), Error> {
        if self.sent.is_none() {
            let Some(sent) = self.outbox.take() else { return Ok(()) };
            self.base = self.asked;
            self.asked += usize::try_from(sent.count).unwrap_or(usize::MAX);
            self.sent = Some((sent, 0));
        }
        let result = self.receive(deadline);
        self.connection.note(&result);
        result
    }

    fn receive(&mut self, deadline: Deadline) -> Result<(), Error> {
        let base = self.base;
        while let Some((under_way, answered)) = &mut self.sent {
            let datagram = self.connection.send_or_receive(under_way.length, &mut under_way.sent, deadline)?;
            let sent = *under_way;
            for message in Messages::new(&datagram) {
                let message = message?;
                let mut asked = exchange(self.connection.socket(), Exchange::get, message.header.sequence);
                let place = sent.place(message.header).filter(|place| place >= answered);
                let Some(place) = place else {
                    // Of a request that was given up.
                    asked = exchange(self.connection.socket(), Exchange::get, sent.last());
                    self.connection.accept(&mut asked, message, origin(&datagram));
                    continue;
                };
                let step = self.connection.accept(&mut asked, message, origin(&datagram));
                let answer = match step {
                    Step::Item(message) => expect(message, self.operation.answer).map(|()| Body::of(message)),
                    Step::Failed(refusal) => {
                        let buffer = self.connection.request.borrow();
                        let request = sent.request(&buffer, place);
                        Err(refused(&refusal, request, Root::of(self.operation)))
                    }
                    Step::Finished { .. } => verdict(&step, message).and(Err(Error::NoAnswer)),
                    Step::NotMine | Step::Skip => continue,
                };
                for silent in *answered..place {
                    (self.each)(base + usize::try_from(silent).unwrap_or(usize::MAX), Err(Error::NoAnswer))?;
                }
                *answered = place + 1;
                (self.each)(base + usize::try_from(place).unwrap_or(usize::MAX), answer)?;
            }
            if *answered == sent.count {
                self.sent = None;
            }
        }
        Ok(())
    }

    /// Sends what waits, hands out the rest of the answers, and says how many questions were asked.
    ///
    /// # Errors
    ///
    /// As [`flush`](Lookups::flush).
    pub fn finish(mut self) -> Result<usize, Error> {
        self.flush()?;
        Ok(self.asked)
    }

    /// How many questions were sent so far.
    pub fn asked(&self) -> usize {
        self.asked
    }
}

/// Sends what waits, and hands out what there is of the answers; ready when all that were asked are answered. Fails as
/// [`Lookups::flush`].
impl<Q: Format, A: Format, F> Advance for Lookups<'_, Q, A, F>
where
    F: FnMut(usize, Result<Body<'_, A>, Error>) -> Result<(), Error>,
{
    type Output = ();

    fn advance(&mut self) -> Poll<Result<(), Error>> {
        let result = poll(self.step(self.connection.passed()));
        if result.is_ready() {
            self.sent = None;
            self.connection.forget_request();
        }
        result
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.connection.descriptor()
    }
}
