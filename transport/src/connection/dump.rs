//! One dump's messages, as they come.

use std::fmt;
use std::marker::PhantomData;
use std::ops::Range;

use ringlink_codec::exchange::{Exchange, Step};
use ringlink_codec::reply::End;
use ringlink_codec::table::{Body, Format};
use ringlink_codec::wire::{Message, MessageType, Messages};

use super::{Connection, Root};
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
    exchange: Exchange,
    answer: MessageType,
    root: Root,
    /// Length of the request in the connection's buffer, which stays there for the path of a refusal.
    request: usize,
    datagram: Option<Datagram<'c>>,
    /// Where the next message starts in the datagram.
    at: usize,
    format: PhantomData<fn() -> A>,
}

impl<A> fmt::Debug for Dump<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dump")
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}

impl<'c, A: Format> Dump<'c, A> {
    pub(super) fn start(
        connection: &'c Connection,
        request: usize,
        exchange: Exchange,
        answer: MessageType,
        root: Root,
    ) -> Result<Dump<'c, A>, Error> {
        let mut dump = Dump {
            connection,
            exchange,
            answer,
            root,
            request,
            datagram: None,
            at: 0,
            format: PhantomData,
        };
        match connection.send_written(request, connection.deadline()) {
            Ok(datagram) => dump.datagram = Some(datagram),
            // Was it sent? Then its answers come, and must not be taken for the next dump's.
            Err(error) if error.is_loss() => dump.exchange.truncated(),
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
        let mut exchange = self.exchange;
        if !exchange.is_finished() {
            exchange.truncated();
        }
        exchange.end()
    }

    /// Goes to the next answer; returns where in the datagram it is. `at` is then behind it.
    ///
    /// A place instead of the message: the message borrows the datagram, which this may have to replace.
    #[inline]
    fn advance(&mut self) -> Result<Option<Range<usize>>, Error> {
        loop {
            if let Some(datagram) = &self.datagram {
                let rest = datagram.bytes().get(self.at..).unwrap_or_default();
                let mut messages = Messages::new(rest);
                loop {
                    let start = self.at.wrapping_add(messages.offset());
                    let Some(message) = messages.next() else { break };
                    let message = match message {
                        Ok(message) => message,
                        Err(error) => {
                            self.datagram = None;
                            self.exchange.skipped();
                            return Err(Error::Codec(error));
                        }
                    };
                    match self.connection.accept(&mut self.exchange, message, datagram) {
                        Step::Item(_) if message.header.kind == self.answer => {
                            self.at = self.at.wrapping_add(messages.offset());
                            return Ok(Some(start..self.at));
                        }
                        Step::Item(_) => self.exchange.skipped(),
                        Step::Failed(refusal) => {
                            let error = self.connection.refused(&refusal, self.request, self.root);
                            self.datagram = None;
                            return Err(error);
                        }
                        Step::Finished { .. } | Step::NotMine | Step::Skip => {}
                    }
                }
            }
            self.datagram = None;
            if self.exchange.is_finished() {
                return Ok(None);
            }
            match self.connection.receive(self.connection.deadline()) {
                Ok(datagram) => self.datagram = Some(datagram),
                Err(error) if error.is_loss() => self.exchange.truncated(),
                Err(error) => return Err(error),
            }
            self.at = 0;
        }
    }
}

impl<A> Drop for Dump<'_, A> {
    fn drop(&mut self) {
        if !self.exchange.is_finished() {
            self.connection.abandoned.set(Some(self.exchange));
        }
    }
}
