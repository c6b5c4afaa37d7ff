//! What a socket needs before a dump: that no other dump is under way on it, and that the kernel has seen how much it is
//! ready to receive.

use ringlink_codec::exchange::{Exchange, Step};
use ringlink_codec::table::{AttributeWriter, Format, Operation};
use ringlink_codec::wire::{Flags, MessageHeader, MessageType, Messages};

use super::request::{Request, origin};
use super::{Connection, open_engine};
use crate::engine::Deadline;
use crate::error::Error;

/// How many datagrams of a dump that was given up are worth receiving before the socket is replaced instead.
const DRAIN: usize = 8;

impl Connection {
    /// Makes the socket free and ready for a dump, and writes the request for it.
    pub(super) fn prepare_dump<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Request, Error> {
        self.settle(Connection::deadline)?;
        self.prime(&mut None, self.deadline())?;
        self.write(Exchange::dump, operation, header, fill)
    }

    /// Makes the socket free for a dump: receives what is left of one that was given up, or where that is much, opens
    /// another socket and closes this one, which ends the old dump in the kernel.
    ///
    /// The deadline is for each datagram; where some of the old dump was lost, there is none. Where nothing has come until then, the old dump's end may have been lost, and
    /// nothing will: the old dump is forgotten. Where it was under way after all, the kernel says so to the new one (`EBUSY`).
    pub(super) fn settle(&mut self, deadline: fn(&Connection) -> Deadline) -> Result<(), Error> {
        if self.abandoned.get().is_none() {
            self.forgotten.set(None);
        }
        let mut received = 0;
        let waits = !deadline(self).has_passed();
        let mut lost = self.abandoned.get().is_some_and(|abandoned| abandoned.end().truncated);
        while self.abandoned.get().is_some() {
            if received == DRAIN && self.reopen()? {
                break;
            }
            received += 1;
            let received = self.receive(if lost { self.passed() } else { deadline(self) });
            match received.map(|datagram| self.look_for_end_of_abandoned(&datagram)) {
                Ok(()) => {}
                // Cut or lost data of a dump that nobody wants is no loss.
                Err(error) if error.is_loss() => lost = true,
                Err(error) if error.is_timed_out() => match self.reopen()? {
                    true => break,
                    // Whoever does not wait comes back for it, unless it may never come.
                    false if !waits && !lost => return Err(error),
                    false => self.forgotten.set(self.abandoned.take()),
                },
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Replaces socket and engine by fresh ones in the same namespace; says no where that cannot be made sure of.
    fn reopen(&mut self) -> Result<bool, Error> {
        if !self.replaceable {
            return Ok(false);
        }
        let engine = match open_engine(self.engine.socket().protocol(), &self.config) {
            // What the old dump has left can be received yet.
            Err(error) if error.is_shortage() => return Ok(false),
            engine => engine?,
        };
        let here = engine.socket().namespace_cookie();
        match (here, self.engine.socket().namespace_cookie()) {
            (Ok(new), Ok(old)) if new == old => {}
            // The caller's thread has moved to another namespace since, or this kernel cannot tell.
            _ => return Ok(false),
        }
        self.past = self.past.plus(self.engine.counters());
        self.engine = engine;
        self.abandoned.set(None);
        self.strays.set(false);
        self.primed.set(false);
        self.reopened.set(self.reopened.get().wrapping_add(1));
        Ok(true)
    }

    /// Lets the kernel see a large receive, once. What is under way is kept in `priming`, for when it is called again.
    ///
    /// The kernel sizes a dump's first datagram before it knows how large receives are. Where the first object of a
    /// table does not fit a small one, the dump would end at once, without an error and without data. An acknowledged
    /// `NLMSG_NOOP`, received with a large buffer, prevents that.
    pub(super) fn prime(&self, priming: &mut Option<Exchange>, deadline: Deadline) -> Result<(), Error> {
        // Processes know nothing of it.
        if self.primed.get() || self.socket().peer() != 0 {
            return Ok(());
        }
        let result = self.prime_now(priming, deadline);
        self.note(&result);
        result
    }

    fn prime_now(&self, priming: &mut Option<Exchange>, deadline: Deadline) -> Result<(), Error> {
        while !self.primed.get() {
            let (exchange, datagram) = match priming {
                Some(exchange) => (exchange, self.receive(deadline)?),
                None => {
                    let port = self.engine.socket().port();
                    let exchange = priming.insert(Exchange::apply(self.next_sequence(), port));
                    let flags = Flags::REQUEST | Flags::ACK;
                    let sequence = exchange.sequence();
                    let noop = MessageHeader { length: 16, kind: MessageType::NOOP, flags, sequence, port };
                    (exchange, self.send(&noop.to_bytes(), deadline)?)
                }
            };
            for message in Messages::new(&datagram) {
                // A refusal is as good: it was received, too.
                if let Step::Finished { .. } | Step::Failed(_) = self.accept(exchange, message?, origin(&datagram)) {
                    self.primed.set(true);
                }
            }
        }
        Ok(())
    }
}
