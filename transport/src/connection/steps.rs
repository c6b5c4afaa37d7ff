//! Requests without waiting: each step takes what is there, and says whether that was enough.
//!
//! A request is [started](super::Connection::start_get), which sends nothing yet, and [advanced](Advance::advance) until it is
//! ready. Where it is pending, [`Advance::descriptor`] becomes readable when the next step is worth while: whoever waits for
//! that, by epoll(7), by poll(2) or by a runtime's reactor, has requests that block no thread for want of an answer. The
//! blocking methods of a connection take the same course, and [`Batch`](super::Batch) and [`Lookups`](super::Lookups)
//! are advanced as they are.
//!
//! Whatever is dropped in the middle leaves the connection usable: answers that come late are nobody's, and what is left of
//! a dump is thrown away, or the socket replaced, before the next dump. There is no deadline here; who wants one stops
//! advancing. That abandons a request and does not cancel it: the kernel works inside the very step that sends a request
//! or receives a dump's next part, may wait there for its configuration lock (RTNL), and a request that was sent takes
//! effect.
//!
//! ```
//! use ringlink::codec::route::{Link, LinkHeader, Rtm};
//! use ringlink::connection::steps::Advance;
//! use ringlink::{Connection, Protocol};
//! use std::task::Poll;
//!
//! let mut connection = Connection::open(Protocol::ROUTE)?;
//! let mut links = connection.start_dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?;
//! loop {
//!     match links.advance()? {
//!         Poll::Ready(true) => println!("{:?}", links.current().attributes.get(Link::IFNAME)?),
//!         Poll::Ready(false) => break,
//!         Poll::Pending => { /* wait until `links.descriptor()` is readable */ }
//!     }
//! }
//! assert!(links.end().is_complete());
//! # Ok::<(), ringlink::Error>(())
//! ```
//!
//! An answer that is lent has been copied, with the datagram around it, to where it stays while the thread changes:
//! what an engine lends cannot. [`Dump::advance_each`] spares that.

use std::fmt;
use std::marker::PhantomData;
use std::mem;
use std::ops::Range;
use std::os::fd::BorrowedFd;
use std::task::Poll;

use ringlink_codec::exchange::{Exchange, Origin};
use ringlink_codec::reply::End;
use ringlink_codec::table::{AttributeWriter, Body, Format, Operation};
use ringlink_codec::wire::{Message, MessageHeader};

use super::Connection;
use super::memory::Memory;
use super::request::{Request, origin};
use crate::error::Error;

/// Something that is under way and needs no thread while it waits.
pub trait Advance {
    /// What it is for.
    type Output;

    /// Goes as far as can be gone with what is there.
    ///
    /// It is pending where it has taken all there was, so that an edge-triggered wait misses nothing. What has failed, or has
    /// come to its end, is not advanced again.
    fn advance(&mut self) -> Poll<Result<Self::Output, Error>>;

    /// Becomes readable when there is something to take. Ask for it after each step: it may be another one by then.
    fn descriptor(&self) -> BorrowedFd<'_>;
}

/// A question that has one answer; see [`Connection::start_get`].
#[must_use = "nothing is sent before it is advanced"]
pub struct Get<'c, A> {
    connection: &'c mut Connection,
    request: Request,
    format: PhantomData<fn() -> A>,
}

/// A change; see [`Connection::start_apply`].
#[must_use = "nothing is sent before it is advanced"]
pub struct Apply<'c> {
    connection: &'c mut Connection,
    request: Request,
}

/// A dump; see [`Connection::start_dump`].
#[must_use = "nothing is sent before it is advanced"]
pub struct Dump<'c, A> {
    connection: &'c mut Connection,
    request: Request,
    /// Whether the socket is free and ready and the request has its number.
    ready: bool,
    /// What makes it ready, where that is under way.
    priming: Option<Exchange>,
    /// The datagram whose answers are lent.
    datagram: Memory,
    origin: Origin,
    /// Where in it the answer that is lent stands.
    place: Range<usize>,
    /// Where the next message starts.
    at: usize,
    format: PhantomData<fn() -> A>,
}

impl Connection {
    /// As [`get`](Connection::get), in steps: ready when the answer has come.
    ///
    /// ```
    /// use ringlink::codec::route::{Link, LinkHeader, Rtm};
    /// use ringlink::connection::steps::Advance;
    /// use ringlink::{Connection, Protocol};
    ///
    /// let mut connection = Connection::open(Protocol::ROUTE)?;
    /// let mut get = connection.start_get(Rtm::GETLINK, LinkHeader { index: 1, ..Default::default() }, |_| {})?;
    /// while get.advance()?.is_pending() { /* wait until `get.descriptor()` is readable */ }
    /// assert_eq!(get.answer().header.index, 1);
    /// # Ok::<(), ringlink::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where the request does not fit.
    pub fn start_get<Q: Format, A: Format>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Get<'_, A>, Error> {
        let request = self.write(Exchange::get, operation, header, fill)?;
        self.renew();
        Ok(Get { connection: self, request, format: PhantomData })
    }

    /// As [`apply`](Connection::apply), in steps: ready, with the kernel's warning, when the change is made.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where the request does not fit.
    pub fn start_apply<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Apply<'_>, Error> {
        let request = self.write(Exchange::apply, operation, header, fill)?;
        Ok(Apply { connection: self, request })
    }

    /// As [`dump`](Connection::dump), in steps: ready with each answer, and at the end.
    ///
    /// What an earlier dump that was given up has left is seen to in the first step. Where the socket is replaced for it, that
    /// blocks as opening one does.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where the request does not fit.
    pub fn start_dump<Q: Format, A: Format>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Dump<'_, A>, Error> {
        let request = self.write(Exchange::dump, operation, header, fill)?;
        self.renew();
        let datagram = mem::take(&mut self.kept);
        Ok(Dump {
            connection: self,
            request,
            ready: false,
            priming: None,
            datagram,
            origin: Origin::KERNEL,
            place: 0..0,
            at: 0,
            format: PhantomData,
        })
    }
}

impl Connection {
    /// Makes the place for answers ready for new ones.
    fn renew(&mut self) {
        self.kept.clear();
        if self.config.wipe {
            self.kept.mark_secret();
        }
    }
}

impl<'c, A: Format> Get<'c, A> {
    /// The answer, once it is ready; an empty one before.
    pub fn answer(&self) -> Body<'_, A> {
        Body::of(parse(&self.connection.kept, 0..self.connection.kept.len()))
    }

    /// As [`answer`](Get::answer), for as long as the connection is asked for nothing else.
    pub fn into_answer(self) -> Body<'c, A> {
        let kept = &self.connection.kept;
        Body::of(parse(kept, 0..kept.len()))
    }
}

/// Fails as [`Connection::get`].
impl<A: Format> Advance for Get<'_, A> {
    type Output = ();

    fn advance(&mut self) -> Poll<Result<(), Error>> {
        let mut kept = mem::take(&mut self.connection.kept);
        let connection = &*self.connection;
        let result = connection.answer::<A>(&mut self.request, connection.passed());
        let result = result.map(|reply| kept.keep(reply.bytes()));
        connection.note(&result);
        self.connection.kept = kept;
        over(self.connection, poll(result))
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.connection.descriptor()
    }
}

/// Fails as [`Connection::apply`].
impl Advance for Apply<'_> {
    type Output = Option<String>;

    fn advance(&mut self) -> Poll<Result<Option<String>, Error>> {
        let result = self.connection.acknowledgement(&mut self.request, self.connection.passed(), &mut |_| {});
        self.connection.note(&result);
        over(self.connection, poll(result))
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.connection.descriptor()
    }
}

impl<A: Format> Dump<'_, A> {
    /// The answer that was reached; an empty one before the first.
    pub fn current(&self) -> Body<'_, A> {
        Body::of(self.current_message())
    }

    /// As [`current`](Dump::current), but the message as it is.
    pub fn current_message(&self) -> Message<'_> {
        parse(&self.datagram, self.place.clone())
    }

    /// How the dump ended. Before its end, and after an error, it counts as cut ([`End::truncated`]).
    pub fn end(&self) -> End {
        self.request.end()
    }

    /// Hands the answers of the next datagram to a closure: ready with yes after each datagram, and with no at the dump's
    /// end. Nothing is copied.
    ///
    /// # Errors
    ///
    /// Those of [`advance`](Advance::advance), and the closure's own, after which the rest of that datagram is left out.
    pub fn advance_each(
        &mut self,
        mut each: impl FnMut(Body<'_, A>) -> Result<(), Error>,
    ) -> Poll<Result<bool, Error>> {
        poll(self.step_each(&mut each))
    }

    fn step_each(&mut self, each: &mut impl FnMut(Body<'_, A>) -> Result<(), Error>) -> Result<bool, Error> {
        self.make_ready()?;
        let connection = &*self.connection;
        if self.at < self.datagram.len() {
            let rest = self.datagram.get(self.at..).unwrap_or_default();
            self.at = self.datagram.len();
            connection.each(&mut self.request, rest, self.origin, each)?;
            return Ok(true);
        }
        let Some(datagram) = connection.part(&mut self.request, connection.passed())? else { return Ok(false) };
        connection.each(&mut self.request, datagram.bytes(), origin(&datagram), each)?;
        Ok(true)
    }

    /// Goes to the next answer that has been received already.
    pub(crate) fn step_within(&mut self) -> Result<bool, Error> {
        self.place = 0..0;
        match self.connection.walk(&mut self.request, &self.datagram, &mut self.at, self.origin) {
            Ok(Some(place)) => {
                self.place = place;
                Ok(true)
            }
            other => {
                self.at = self.datagram.len();
                other.map(|_| false)
            }
        }
    }

    fn step(&mut self) -> Result<bool, Error> {
        while !self.step_within()? {
            self.make_ready()?;
            let connection = &*self.connection;
            let Some(datagram) = connection.part(&mut self.request, connection.passed())? else { return Ok(false) };
            self.origin = origin(&datagram);
            self.at = 0;
            self.datagram.keep(datagram.bytes());
        }
        Ok(true)
    }

    fn make_ready(&mut self) -> Result<(), Error> {
        if !self.ready {
            self.connection.settle(Connection::passed)?;
            self.connection.prime(&mut self.priming, self.connection.passed())?;
            self.connection.stamp_dump(&mut self.request);
            self.ready = true;
        }
        Ok(())
    }
}

/// Ready with yes when an answer was reached, with no at the end. Fails as [`connection::Dump::next`](super::Dump::next), and
/// goes on after a datagram that cannot be taken apart.
impl<A: Format> Advance for Dump<'_, A> {
    type Output = bool;

    fn advance(&mut self) -> Poll<Result<bool, Error>> {
        poll(self.step())
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.connection.descriptor()
    }
}

impl<A> Drop for Dump<'_, A> {
    fn drop(&mut self) {
        let rest = self.datagram.get(self.at..).unwrap_or_default();
        self.connection.leave_out(&mut self.request, rest, self.origin);
        if self.request.is_under_way() {
            self.connection.abandoned.set(Some(self.request.exchange));
        }
        self.connection.kept = mem::take(&mut self.datagram);
        self.connection.forget_request();
    }
}

impl<A> fmt::Debug for Get<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Get").field("request", &self.request).finish_non_exhaustive()
    }
}

impl fmt::Debug for Apply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Apply").field("request", &self.request).finish_non_exhaustive()
    }
}

impl<A> fmt::Debug for Dump<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dump").field("request", &self.request).finish_non_exhaustive()
    }
}

/// What a step that may not wait has come to: where it would have to wait, it is pending.
pub(super) fn poll<T>(result: Result<T, Error>) -> Poll<Result<T, Error>> {
    match result {
        Err(Error::TimedOut) => Poll::Pending,
        other => Poll::Ready(other),
    }
}

/// Has the request buffer forget a request that is over.
fn over<T>(connection: &Connection, result: Poll<T>) -> Poll<T> {
    if result.is_ready() {
        connection.forget_request();
    }
    result
}

/// The message at a place where one was parsed; an empty one elsewhere.
fn parse(bytes: &[u8], place: Range<usize>) -> Message<'_> {
    let message = bytes.get(place).and_then(|bytes| Message::parse(bytes).ok());
    message.unwrap_or(Message { header: MessageHeader::default(), payload: &[] })
}
