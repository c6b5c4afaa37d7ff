//! One dump's messages, as they come.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use ringlink_codec::reply::End;
use ringlink_codec::table::{Body, Format};
use ringlink_codec::wire::{Message, Messages};

use super::Connection;
use super::request::{Request, origin};
use crate::engine::Datagram;
use crate::error::Error;

/// A dump under way: [`next`](Dump::next) lends one message after the other, [`end`](Dump::end) says how it ended.
///
/// It may be dropped at any time, and the connection serves the next request at once: what is left of a short dump is
/// received and thrown away before the next dump starts, and for what is left of a long one the socket is replaced.
/// Dropping makes no system call.
///
/// ```compile_fail,E0499
/// # use ringlink::codec::route::{LinkHeader, Rtm};
/// # fn f(connection: &mut ringlink::Connection) -> Result<(), ringlink::Error> {
/// let mut links = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?;
/// let first = links.next()?;
/// let second = links.next()?; // the first message's bytes may be gone
/// drop((first, second));
/// # Ok(()) }
/// ```
#[must_use = "a dump does nothing but what is asked of it"]
pub struct Dump<'c, A> {
    connection: &'c Connection,
    request: Request,
    datagram: Option<Datagram<'c>>,
    /// Where the next message starts in the datagram.
    at: usize,
    format: PhantomData<fn() -> A>,
}

impl<A> fmt::Debug for Dump<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dump").field("request", &self.request).finish_non_exhaustive()
    }
}

impl<'c, A: Format> Dump<'c, A> {
    pub(super) fn start(connection: &'c Connection, request: Request) -> Result<Dump<'c, A>, Error> {
        let mut dump = Dump { connection, request, datagram: None, at: 0, format: PhantomData };
        match connection.receive_for(&mut dump.request, connection.deadline()) {
            Ok(datagram) => dump.datagram = Some(datagram),
            Err(error) if error.is_loss() => dump.request.exchange.truncated(),
            Err(error) => return Err(error),
        }
        Ok(dump)
    }

    /// The next message, or `None` at the end. The message is lent until the next call.
    ///
    /// Messages of another type than the answers' are left out and counted ([`End::skipped`]).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where the kernel refused or broke off the dump, [`Error::Codec`] where a datagram cannot be
    /// taken apart into messages (the rest of that datagram is lost, the dump goes on), [`Error::TimedOut`], and what
    /// the engine says. A datagram that was cut or lost is no error here: the end says so ([`End::truncated`]).
    #[allow(clippy::should_implement_trait, reason = "lends, which an iterator cannot")]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Body<'_, A>>, Error> {
        Ok(self.next_message()?.map(Body::of))
    }

    /// As [`next`](Dump::next), but the message as it is.
    #[inline]
    pub fn next_message(&mut self) -> Result<Option<Message<'_>>, Error> {
        let Some(place) = self.advance()? else { return Ok(None) };
        let bytes = self.datagram.as_ref().map(Datagram::bytes).unwrap_or_default();
        // `advance` has parsed the message at this place already.
        Ok(bytes.get(place).and_then(|bytes| Message::parse(bytes).ok()))
    }

    /// How the dump ended. Before its end, and after an error, it counts as cut ([`End::truncated`]).
    pub fn end(&self) -> End {
        self.request.end()
    }

    /// Goes to the next answer; returns where in the datagram it is.
    #[inline]
    fn advance(&mut self) -> Result<Option<Range<usize>>, Error> {
        loop {
            if let Some(datagram) = &self.datagram {
                let walked = self.connection.walk(&mut self.request, datagram.bytes(), &mut self.at, origin(datagram));
                match walked {
                    Ok(None) => {}
                    Ok(place) => return Ok(place),
                    Err(error) => {
                        self.datagram = None;
                        return Err(error);
                    }
                }
            }
            if !self.refill()? {
                return Ok(None);
            }
        }
    }

    /// Hands every datagram that is left to a closure, until it says no: what a message means for the dump has been seen to
    /// then, but for the answers, which are in there.
    pub(super) fn pass_on(&mut self, mut pass: impl FnMut(&[u8]) -> bool) -> Result<End, Error> {
        loop {
            if let Some(datagram) = &self.datagram {
                let origin = origin(datagram);
                let mut seen = Ok(());
                for message in Messages::new(datagram.bytes()) {
                    let taken = message
                        .map_err(Error::Codec)
                        .and_then(|message| self.connection.take(&mut self.request, message, origin));
                    seen = seen.and(taken.map(drop));
                }
                if !pass(datagram.bytes()) {
                    return Ok(self.end());
                }
                seen?;
            }
            if !self.refill()? {
                return Ok(self.end());
            }
        }
    }

    /// Receives the next datagram; says no at the dump's end.
    fn refill(&mut self) -> Result<bool, Error> {
        self.datagram = None;
        self.at = 0;
        self.datagram = self.connection.part(&mut self.request, self.connection.deadline())?;
        Ok(self.datagram.is_some())
    }

    /// Hands every message that is left to a closure, and says how the dump ended: the quickest way through a large
    /// table, since nothing is kept between two messages.
    ///
    /// ```
    /// use ringlink::codec::route::{Link, LinkHeader, Rtm};
    /// use ringlink::{Connection, Protocol};
    ///
    /// let mut connection = Connection::open(Protocol::ROUTE)?;
    /// let mut count = 0;
    /// let end = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?.for_each(|_link| {
    ///     count += 1;
    ///     Ok(())
    /// })?;
    /// assert!(count > 0 && end.is_complete());
    /// # Ok::<(), ringlink::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Those of [`next`](Dump::next), and the closure's own, which gives the rest of the dump up.
    pub fn for_each(mut self, mut each: impl FnMut(Body<'_, A>) -> Result<(), Error>) -> Result<End, Error> {
        loop {
            if let Some(datagram) = &self.datagram {
                let bytes = datagram.bytes().get(self.at..).unwrap_or_default();
                self.connection.each(&mut self.request, bytes, origin(datagram), &mut each)?;
            }
            if !self.refill()? {
                return Ok(self.end());
            }
        }
    }
}

impl<A> Drop for Dump<'_, A> {
    fn drop(&mut self) {
        if let Some(datagram) = &self.datagram {
            let rest = datagram.bytes().get(self.at..).unwrap_or_default();
            self.connection.leave_out(&mut self.request, rest, origin(datagram));
        }
        self.connection.forget_request();
        if self.request.is_under_way() {
            self.connection.abandoned.set(Some(self.request.exchange));
        }
    }
}
