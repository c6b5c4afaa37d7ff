//! One dump received by one thread and worked through by another.

use std::fmt;
use std::marker::PhantomData;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use ringlink_codec::exchange::Exchange;
use ringlink_codec::reply::End;
use ringlink_codec::table::{AttributeWriter, Body, Format, Operation};
use ringlink_codec::wire::{MessageType, Messages};

use super::request::Request;
use super::{Connection, Dump};
use crate::error::Error;

/// Bytes that a buffer has from the start: the most the kernel puts into a dump's datagram.
const BUFFER: usize = 32 * 1024;

/// What travels from the receiving thread to the other.
enum Part {
    Datagram(Vec<u8>),
    End(End),
    Failed(Error),
}

/// The receiving half of a dump in two threads; see [`Connection::dump_overlapped`].
#[must_use = "nothing is received before `run`"]
pub struct Reader<'c, A> {
    connection: &'c mut Connection,
    request: Request,
    free: Receiver<Vec<u8>>,
    full: SyncSender<Part>,
    format: PhantomData<fn() -> A>,
}

/// The answers' half of a dump in two threads; see [`Connection::dump_overlapped`].
#[must_use = "a dump does nothing but what is asked of it"]
pub struct Answers<A> {
    exchange: Exchange,
    answer: MessageType,
    free: SyncSender<Vec<u8>>,
    full: Receiver<Part>,
    format: PhantomData<fn() -> A>,
}

impl<A> fmt::Debug for Reader<'_, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").field("connection", &self.connection).field("request", &self.request).finish()
    }
}

impl<A> fmt::Debug for Answers<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers").field("exchange", &self.exchange).finish_non_exhaustive()
    }
}

impl Connection {
    /// Asks for everything, in two halves for two threads: the kernel fills datagrams in the one while the other works through
    /// those that were filled before.
    ///
    /// It pays for long dumps whose answers take about as much time to work through as the kernel takes to make them (some
    /// 75 ns each for routes), and costs a few percent where that is little: then [`dump`](Connection::dump) is the
    /// better way. `buffers` datagrams of 32 KiB are on the way at the most; 64 smooth out most of what a
    /// machine does besides. They are allocated here, and nothing after.
    ///
    /// ```
    /// use ringlink::codec::route::{Link, LinkHeader, Rtm};
    /// use ringlink::{Connection, Protocol};
    ///
    /// let mut connection = Connection::open(Protocol::ROUTE)?;
    /// let (reader, links) = connection.dump_overlapped(Rtm::GETLINK, LinkHeader::default(), |_| {}, 8)?;
    /// let mut count = 0;
    /// let end = std::thread::scope(|scope| {
    ///     scope.spawn(|| reader.run());
    ///     links.for_each(|_link| {
    ///         count += 1;
    ///         Ok(())
    ///     })
    /// })?;
    /// assert!(count > 0 && end.is_complete());
    /// # Ok::<(), ringlink::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where the request does not fit, [`Error::Configuration`] where there is not a single buffer, and
    /// what the engine says of getting the socket free. All else comes from [`Answers::for_each`].
    pub fn dump_overlapped<Q: Format, A: Format>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
        buffers: usize,
    ) -> Result<(Reader<'_, A>, Answers<A>), Error> {
        if buffers == 0 {
            return Err(Error::Configuration { rule: "a dump in two threads takes at least one buffer" });
        }
        let request = self.prepare_dump(operation, header, fill)?;
        let (give_back, free) = sync_channel(buffers);
        // Room for all buffers and the end: the receiving thread never waits to say something.
        let (fill, full) = sync_channel(buffers.saturating_add(1));
        for _ in 0..buffers {
            // There is room for each.
            let _ = give_back.send(Vec::with_capacity(BUFFER));
        }
        let format = PhantomData;
        let answers = Answers { exchange: request.exchange, answer: request.answer(), free: give_back, full, format };
        Ok((Reader { connection: self, request, free, full: fill, format }, answers))
    }
}

impl<A: Format> Reader<'_, A> {
    /// Sends the request and receives until the dump's end, its failure, or the other half is dropped.
    pub fn run(self) {
        let Reader { connection, request, free, full, .. } = self;
        let last = match Dump::<A>::start(connection, request) {
            Ok(mut dump) => dump.pass_on(|bytes| {
                let Ok(mut buffer) = free.recv() else { return false };
                buffer.clear();
                buffer.extend_from_slice(bytes);
                full.send(Part::Datagram(buffer)).is_ok()
            }),
            Err(error) => Err(error),
        };
        // Where nobody is left to hear it, nobody wants to know.
        let _ = full.send(last.map_or_else(Part::Failed, Part::End));
    }
}

impl<A: Format> Answers<A> {
    /// Hands every answer to a closure, in order, and says how the dump ended.
    ///
    /// Where the other half was dropped before its end, the dump counts as cut ([`End::truncated`]).
    ///
    /// # Errors
    ///
    /// Those of [`Dump::next`], after the answers that came before; and the closure's own, which gives the rest of the
    /// dump up.
    pub fn for_each(mut self, mut each: impl FnMut(Body<'_, A>) -> Result<(), Error>) -> Result<End, Error> {
        loop {
            match self.full.recv() {
                Ok(Part::Datagram(bytes)) => {
                    // The other half has been through the messages, and reports what was wrong with them.
                    for message in Messages::new(&bytes).map_while(Result::ok) {
                        if message.header.kind == self.answer
                            && self.exchange.is_item(message.header, self.exchange.source())
                        {
                            each(Body::of(message))?;
                        }
                    }
                    let _ = self.free.send(bytes);
                }
                Ok(Part::End(end)) => return Ok(end),
                Ok(Part::Failed(error)) => return Err(error),
                Err(_) => {
                    self.exchange.truncated();
                    return Ok(self.exchange.end());
                }
            }
        }
    }
}
