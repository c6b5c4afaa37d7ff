//! One request's course, for those who wait for its answers and for those who come back for them.
//!
//! Every function takes the deadline until which it may wait for a datagram. Where that passes it fails with
//! [`Error::TimedOut`], and may be called again to go on: whoever does not wait passes one that has passed already.

use std::marker::PhantomData;
use std::ops::Range;

use ringlink_codec as codec;
use ringlink_codec::exchange::{Exchange, Origin, Step};
use ringlink_codec::reply::{End, Errno, Path, Refusal};
use ringlink_codec::table::{AttributeWriter, Body, Format, Operation, Record, Table};
use ringlink_codec::wire::{Flags, Message, MessageHeader, MessageType, Messages, Writer};

use super::{Connection, Reply};
use crate::engine::{Datagram, Deadline};
use crate::error::{Error, Refused};
use crate::socket::Socket;

/// How often a receive that the kernel refused with `EINVAL` is repeated: a reader on another processor than the
/// requester may see that at the end of a dump.
const SPURIOUS: u32 = 3;

/// How many datagrams are received at a time of requests that were given up, before the next is sent.
const STRAYS: usize = 8;

/// A request in the connection's buffer, where it stays for the path of a refusal, and how far it has come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Request {
    length: usize,
    pub(super) exchange: Exchange,
    answer: MessageType,
    root: Root,
    /// Whether it was sent, so that answers may come.
    sent: bool,
}

impl Request {
    /// The type of its answers.
    pub(super) fn answer(&self) -> MessageType {
        self.answer
    }

    /// Whether answers may come that were not received.
    pub(super) fn is_under_way(&self) -> bool {
        self.sent && !self.exchange.is_finished()
    }

    /// How it ended. Before its end it counts as cut.
    pub(super) fn end(&self) -> End {
        let mut exchange = self.exchange;
        if !exchange.is_finished() {
            exchange.truncated();
        }
        exchange.end()
    }
}

impl Connection {
    /// Writes a request into the request buffer, with a number of its own.
    pub(super) fn write<Q: Format, A>(
        &self,
        kind: fn(u32, u32) -> Exchange,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Request, Error> {
        let exchange = exchange(self.engine.socket(), kind, self.next_sequence());
        self.forget_request();
        let mut buffer = self.request.borrow_mut();
        let (bytes, holds_secret) = buffer.parts();
        let mut writer = Writer::new(bytes);
        let message = MessageHeader { flags: Flags::REQUEST, ..MessageHeader::default() };
        operation.encode(&mut writer, message, header, |attributes| fill(attributes));
        if writer.is_secret() {
            *holds_secret = true;
            self.secret.set(true);
        }
        let request = writer.finish()?;
        exchange.stamp(request);
        let length = request.len();
        Ok(Request { length, exchange, answer: operation.answer, root: Root::of(operation), sent: false })
    }

    /// Overwrites the request buffer where a request that is over had a secret in it.
    #[inline]
    pub(super) fn forget_request(&self) {
        if self.secret.get() {
            self.overwrite_request();
        }
    }

    #[cold]
    #[inline(never)]
    fn overwrite_request(&self) {
        self.secret.set(false);
        self.request.borrow_mut().forget();
    }

    /// Gives a dump's request that was not sent yet another number, for the socket as it is now.
    pub(super) fn stamp_dump(&self, request: &mut Request) {
        request.exchange = exchange(self.engine.socket(), Exchange::dump, self.next_sequence());
        request.exchange.stamp(self.request.borrow_mut().get_mut(..request.length).unwrap_or_default());
    }

    /// Receives until the one answer has come.
    pub(super) fn answer<A>(&self, request: &mut Request, deadline: Deadline) -> Result<Reply<'_, A>, Error> {
        loop {
            let datagram = self.receive_for(request, deadline)?;
            let mut messages = Messages::new(&datagram);
            loop {
                let at = messages.offset();
                let Some(message) = messages.next().transpose()? else {
                    break;
                };
                let step = self.accept(&mut request.exchange, message, origin(&datagram));
                verdict(&step, message)?;
                match step {
                    Step::Item(message) => {
                        self.forget_request();
                        expect(message, request.answer)?;
                        return Ok(Reply { datagram, at, answer: PhantomData });
                    }
                    Step::Failed(refusal) => {
                        let error = self.refused(&refusal, request);
                        self.forget_request();
                        return Err(error);
                    }
                    // An acknowledgement is no answer: the kernel had nothing to say.
                    Step::Finished { .. } => return Err(Error::NoAnswer),
                    Step::NotMine | Step::Skip => {}
                }
            }
        }
    }

    /// Receives until the kernel says that it has made the change; returns its warning.
    pub(super) fn acknowledgement(
        &self,
        request: &mut Request,
        deadline: Deadline,
        each: &mut dyn FnMut(Message<'_>),
    ) -> Result<Option<String>, Error> {
        loop {
            let datagram = self.receive_for(request, deadline)?;
            for message in Messages::new(&datagram) {
                let message = message?;
                let step = self.accept(&mut request.exchange, message, origin(&datagram));
                verdict(&step, message)?;
                match step {
                    Step::Finished { warning, .. } => return Ok(warning.map(|text| text.to_string())),
                    Step::Failed(refusal) => return Err(self.refused(&refusal, request)),
                    Step::Item(message) => each(message),
                    Step::NotMine | Step::Skip => {}
                }
            }
        }
    }

    /// The next datagram of a dump; `None` at its end. One that was cut or lost is no error, its end says so.
    pub(super) fn part(&self, request: &mut Request, deadline: Deadline) -> Result<Option<Datagram<'_>>, Error> {
        while !request.exchange.is_finished() {
            match self.receive_for(request, deadline) {
                Err(error) if error.is_loss() => request.exchange.truncated(),
                other => return other.map(Some),
            }
        }
        Ok(None)
    }

    /// The next answer in a datagram of a dump, from `at` on: where it is; `at` is then behind it. `None` where there is
    /// none left. After an error the rest of the datagram is left out.
    ///
    /// A place instead of the message: the message borrows the datagram, which the caller may have to replace.
    #[inline]
    pub(super) fn walk(
        &self,
        request: &mut Request,
        bytes: &[u8],
        at: &mut usize,
        origin: Origin,
    ) -> Result<Option<Range<usize>>, Error> {
        let mut messages = Messages::new(bytes.get(*at..).unwrap_or_default());
        loop {
            let start = at.wrapping_add(messages.offset());
            let taken = match messages.next() {
                None => return Ok(None),
                Some(Ok(message)) => self.take(request, message, origin)?,
                Some(Err(error)) => {
                    request.exchange.skipped();
                    return Err(Error::Codec(error));
                }
            };
            if taken {
                *at = at.wrapping_add(messages.offset());
                return Ok(Some(start..*at));
            }
        }
    }

    /// Hands every answer in a datagram of a dump to a closure.
    #[inline(always)]
    pub(super) fn each<A: Format>(
        &self,
        request: &mut Request,
        bytes: &[u8],
        origin: Origin,
        each: &mut impl FnMut(Body<'_, A>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let mut messages = Messages::new(bytes);
        while let Some(message) = messages.next() {
            // After an error the iterator ends: what is behind such a message in the datagram is left out.
            let message = message.inspect_err(|_| request.exchange.skipped())?;
            if self.take(request, message, origin)?
                && let Err(error) = each(Body::of(message))
            {
                self.leave_out(request, bytes.get(messages.offset()..).unwrap_or_default(), origin);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Goes through what is left out of a datagram of a dump, for the dump's end may be in it, which does not come again.
    #[cold]
    pub(super) fn leave_out(&self, request: &mut Request, bytes: &[u8], origin: Origin) {
        for message in Messages::new(bytes).map_while(Result::ok) {
            // Of a refusal nobody is there to hear.
            let _ = self.take(request, message, origin);
        }
    }

    /// Takes one message of a dump: says whether it is an answer of the type asked for, sees to the rest.
    #[inline(always)]
    pub(super) fn take(&self, request: &mut Request, message: Message<'_>, origin: Origin) -> Result<bool, Error> {
        if message.header.kind == request.answer && request.exchange.is_item(message.header, origin) {
            self.messages.set(self.messages.get().wrapping_add(1));
            return Ok(true);
        }
        self.take_other(request, message.header, message.payload, origin).map(|()| false)
    }

    /// Header and payload by themselves: they travel in registers, where a message would have to be in memory, each time.
    #[cold]
    #[inline(never)]
    fn take_other(
        &self,
        request: &mut Request,
        header: MessageHeader,
        payload: &[u8],
        origin: Origin,
    ) -> Result<(), Error> {
        match self.accept(&mut request.exchange, Message { header, payload }, origin) {
            Step::Item(_) => request.exchange.skipped(),
            Step::Failed(refusal) => return Err(self.refused(&refusal, request)),
            Step::Finished { .. } | Step::NotMine | Step::Skip => {}
        }
        Ok(())
    }

    /// Receives a datagram; sends the request first, where that has not been done.
    #[inline]
    pub(super) fn receive_for(&self, request: &mut Request, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        self.send_or_receive(request.length, &mut request.sent, deadline)
    }

    /// As [`receive_for`](Connection::receive_for), for so many bytes of the request buffer.
    #[inline]
    pub(super) fn send_or_receive(
        &self,
        length: usize,
        sent: &mut bool,
        deadline: Deadline,
    ) -> Result<Datagram<'_>, Error> {
        if *sent {
            return self.receive(deadline);
        }
        let buffer = self.request.borrow();
        let result = self.send(buffer.get(..length).unwrap_or_default(), deadline);
        *sent = !result.as_ref().is_err_and(Error::is_of_sending);
        result
    }

    /// Sends a datagram, and receives one.
    #[inline]
    pub(super) fn send(&self, bytes: &[u8], deadline: Deadline) -> Result<Datagram<'_>, Error> {
        if self.strays.get() {
            self.throw_strays_away();
        }
        let result = self.engine.exchange(bytes, deadline);
        if result.as_ref().is_ok_and(|datagram| self.believes(datagram)) {
            return result;
        }
        self.look_further(result, deadline)
    }

    /// Receives once more, where what a send brought was nobody's.
    #[cold]
    fn look_further<'c>(
        &'c self,
        result: Result<Datagram<'c>, Error>,
        deadline: Deadline,
    ) -> Result<Datagram<'c>, Error> {
        match result {
            // Of the last receive of the dump before: what was sent has been sent.
            Err(error @ Error::System { errno: libc::EINVAL, .. }) if !error.is_of_sending() => {
                self.retries.set(self.retries.get().wrapping_add(1));
                self.receive(deadline)
            }
            Ok(_) => self.receive(deadline),
            other => other,
        }
    }

    /// Whether a datagram is from who is asked, and to this socket alone. What is in another one is nobody's answer, however it
    /// reads, and even where it cannot be read.
    #[inline]
    fn believes(&self, datagram: &Datagram<'_>) -> bool {
        datagram.sender() == self.peer && datagram.group() == 0
    }

    /// Receives a datagram.
    #[inline]
    pub(crate) fn receive(&self, deadline: Deadline) -> Result<Datagram<'_>, Error> {
        let mut left = SPURIOUS;
        loop {
            let result = self.engine.receive(deadline);
            match &result {
                Err(Error::System { errno: libc::EINVAL, .. }) if left > 0 => {
                    left -= 1;
                    self.retries.set(self.retries.get().wrapping_add(1));
                }
                Ok(datagram) if !self.believes(datagram) => {}
                _ => return result,
            }
        }
    }

    /// What a message means for a request; also notices the end of a dump that was given up.
    #[inline]
    pub(super) fn accept<'m>(&self, exchange: &mut Exchange, message: Message<'m>, origin: Origin) -> Step<'m> {
        self.messages.set(self.messages.get().wrapping_add(1));
        let step = exchange.accept(message, origin);
        if let Step::NotMine = step {
            self.note_abandoned(message, origin);
        }
        step
    }

    /// Notes whether answers may come that nobody waits for, should nobody come back for the rest of a request. They come in
    /// order, so a request's own is behind all those of earlier ones.
    #[inline]
    pub(super) fn note<T>(&self, result: &Result<T, Error>) {
        self.strays.set(!matches!(result, Ok(_) | Err(Error::Refused(_) | Error::Transaction(_))));
    }

    /// Receives what is there of requests that were given up, so that it does not fill the socket's queue, whose overflow
    /// would cost the next request its answer.
    #[cold]
    fn throw_strays_away(&self) {
        for _ in 0..STRAYS {
            match self.receive(self.passed()) {
                Ok(datagram) => self.look_for_end_of_abandoned(&datagram),
                // Of answers that nobody wants, a loss is none.
                Err(error) if error.is_loss() => {}
                Err(_) => return self.strays.set(false),
            }
        }
    }

    /// Throws a datagram away, but for the end of a dump that was given up.
    pub(super) fn look_for_end_of_abandoned(&self, datagram: &Datagram<'_>) {
        for message in Messages::new(datagram).map_while(Result::ok) {
            self.messages.set(self.messages.get().wrapping_add(1));
            self.note_abandoned(message, origin(datagram));
        }
    }

    #[cold]
    fn note_abandoned(&self, message: Message<'_>, origin: Origin) {
        if let Some(mut abandoned) = self.abandoned.get() {
            let busy =
                matches!(abandoned.accept(message, origin), Step::Failed(refusal) if refusal.errno == Errno::BUSY);
            // The kernel is at the one before it.
            let before = if busy { self.forgotten.take() } else { None };
            self.abandoned.set((!abandoned.is_finished()).then_some(abandoned).or(before));
        }
    }

    /// The error for a refusal of the request in the request buffer.
    #[cold]
    fn refused(&self, refusal: &Refusal<'_>, request: &Request) -> Error {
        if refusal.errno == Errno::BUSY {
            // The dump that nothing came of any more is under way after all: the next one waits for its end.
            self.abandoned.set(self.abandoned.get().or(self.forgotten.take()));
        }
        let buffer = self.request.borrow();
        let message = buffer.get(..request.length).and_then(|bytes| Message::parse(bytes).ok());
        refused(refusal, message, request.root)
    }
}

/// A request's name, its root space and the size of its fixed header: what a refusal is told with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root {
    name: &'static str,
    space: fn() -> &'static codec::table::Space,
    header: usize,
}

impl Root {
    pub(crate) fn of<Q: Format, A>(operation: Operation<Q, A>) -> Root {
        let header = <Q::Header as Record>::LAYOUT.size;
        Root { name: operation.name, space: <Q::Space as Table>::space, header }
    }
}

/// The error for a refusal of `request`.
#[cold]
pub(crate) fn refused(refusal: &Refusal<'_>, request: Option<Message<'_>>, root: Root) -> Error {
    let path = request.map_or_else(Path::default, |request| refusal.path(request, (root.space)(), root.header));
    Error::Refused(Box::new(Refused::new(refusal, root.name, path)))
}

/// Says no to a verdict that does not say how it went.
#[inline]
pub(crate) fn verdict(step: &Step<'_>, message: Message<'_>) -> Result<(), Error> {
    match message.header.kind {
        MessageType::ERROR => verdict_of_error(step, message),
        _ => Ok(()),
    }
}

fn verdict_of_error(step: &Step<'_>, message: Message<'_>) -> Result<(), Error> {
    // An error number, and the header of the request that it is about.
    const VERDICT: u32 = 20;
    match u32::try_from(message.payload.len()) {
        Ok(found @ ..VERDICT) if !matches!(step, Step::NotMine) => {
            let kind = codec::wire::ErrorKind::PayloadLength { found, expected: VERDICT };
            Err(Error::Codec(codec::Error::new(kind, 16)))
        }
        _ => Ok(()),
    }
}

/// Says no to an answer of another type.
pub(crate) fn expect(message: Message<'_>, answer: MessageType) -> Result<(), Error> {
    if message.header.kind == answer {
        return Ok(());
    }
    let kind = codec::wire::ErrorKind::MessageType { found: message.header.kind.0, expected: answer.0 };
    Err(Error::Codec(codec::Error::new(kind, 4)))
}

/// A request of this kind, asked over this socket of whom it is connected to.
pub(crate) fn exchange(socket: &Socket, kind: fn(u32, u32) -> Exchange, sequence: u32) -> Exchange {
    kind(sequence, socket.port()).answered_by(socket.peer())
}

/// Who sent a datagram, and to whom.
pub(super) fn origin(datagram: &Datagram<'_>) -> Origin {
    Origin { port: datagram.sender(), group: datagram.group() }
}
