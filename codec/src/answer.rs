//! What a server says: answers, parts of a dump and its end, acknowledgements and refusals, events.
//!
//! The counterpart of [`Exchange`](crate::exchange::Exchange) and [`reply`](crate::reply): what is written here is read
//! there. A [`Request`] is a message and who sent it; an [`Answers`] fills one datagram for one receiver. An answer that
//! does not fit leaves the datagram as it was, so that it can be sent and the answer be written again: that is how a dump is cut
//! into parts. Nothing is sent here, and nothing is kept between two datagrams.
//!
//! ```
//! use ringlink_codec::answer::{Answers, Echo, Request};
//! use ringlink_codec::exchange::{Exchange, Origin, Step};
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::reply::Errno;
//! use ringlink_codec::route::{Link, LinkHeader, Rtm};
//! use ringlink_codec::table::Table;
//!
//! // The asker, whose port id is 4321, writes a request and sends it.
//! let mut buffer = Buffer::<64>::new();
//! let bytes = buffer.message(Rtm::GETLINK, LinkHeader::default(), |link| link.put(Link::IFNAME, "eth9"))?;
//! let mut exchange = Exchange::get(7, 4321).answered_by(17);
//! exchange.stamp(bytes);
//!
//! // The server, whose port id is 17, refuses it, and points at the attribute.
//! let request = Request::new(Message::parse(bytes)?, 4321);
//! let attributes = request.body(Rtm::GETLINK)?.attributes;
//! let refusal = Refusal::new(Errno::NODEV).saying("no such interface").at(attributes.place(Link::IFNAME));
//! let mut datagram = [0; 256];
//! let mut answers = Answers::new(&mut datagram);
//! answers.refuse(&request, &refusal, Echo::Capped)?;
//!
//! // The asker reads that.
//! let message = answers.messages().next().transpose()?.expect("one message");
//! let Step::Failed(refusal) = exchange.accept(message, Origin { port: 17, group: 0 }) else { panic!() };
//! assert_eq!(refusal.to_string(), "NODEV: no such interface");
//! assert_eq!(refusal.path(request.message, Link::space(), 16).to_string(), "IFLA_IFNAME");
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use crate::reply::{End, ExtendedAck, Refusal};
use crate::table::{AttributeWriter, Batch, Body, Format, Operation, close, open};
use crate::wire::{
    Error, Flags, MESSAGE_HEADER, Message, MessageHeader, MessageType, Messages, RawAttribute, Writer, short,
};

/// A request, as the one who answers it sees it.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The message.
    pub message: Message<'a>,
    /// The port id of the socket that sent it: answers go there. What the message's header says is not to be believed.
    pub port: u32,
}

impl<'a> Request<'a> {
    /// A message that the socket with this port id sent.
    #[must_use]
    pub const fn new(message: Message<'a>, port: u32) -> Self {
        Self { message, port }
    }

    /// Takes it apart, if it is of this operation.
    ///
    /// # Errors
    ///
    /// If it is of another type.
    pub fn body<Q: Format, A>(&self, operation: Operation<Q, A>) -> Result<Body<'a, Q>, Error> {
        self.message.body(operation)
    }

    /// Whether all there is is asked for (`NLM_F_DUMP`). These two flags mean other things in messages that make something,
    /// which are told by `NLM_F_CREATE`.
    #[must_use]
    pub const fn is_dump(&self) -> bool {
        let flags = self.message.header.flags;
        flags.contains(Flags::DUMP) && !flags.contains(Flags::CREATE)
    }

    /// Whether an acknowledgement is asked for (`NLM_F_ACK`).
    #[must_use]
    pub const fn wants_acknowledgement(&self) -> bool {
        self.message.header.flags.contains(Flags::ACK)
    }

    /// Whether it is for whoever serves: a request (`NLM_F_REQUEST`) with a type that the protocol gives a meaning. Others a
    /// kernel ignores, but acknowledges where that is asked for.
    #[must_use]
    pub fn is_for_protocol(&self) -> bool {
        let MessageHeader { kind, flags, .. } = self.message.header;
        flags.contains(Flags::REQUEST) && kind >= MessageType::FIRST
    }

    fn header(&self, kind: MessageType, flags: Flags) -> MessageHeader {
        MessageHeader { length: 0, kind, flags, sequence: self.message.header.sequence, port: self.port }
    }
}

/// How much of a request a refusal repeats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Echo {
    /// Its header (`NLM_F_CAPPED`), as kernels do where the asker's socket has `NETLINK_CAP_ACK`.
    #[default]
    Capped,
    /// All of it, as kernels do otherwise.
    Whole,
}

/// The messages for one receiver, in one datagram, in a buffer that the caller owns.
#[derive(Debug)]
pub struct Answers<'b> {
    batch: Batch<'b>,
}

impl<'b> Answers<'b> {
    /// An empty datagram.
    #[must_use]
    pub const fn new(buffer: &'b mut [u8]) -> Self {
        Self { batch: Batch::new(buffer) }
    }

    /// Appends the answer to a request that has one: of the type and format that the answers to `operation` have. It is
    /// the counterpart of [`Message::answer`].
    ///
    /// # Errors
    ///
    /// If it does not fit, or cannot be written at all. The datagram is as it was then; so it is with all that follow.
    pub fn item<Q, A: Format>(
        &mut self,
        request: &Request<'_>,
        operation: Operation<Q, A>,
        header: A::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, A::Space>),
    ) -> Result<(), Error> {
        self.answer(request.header(operation.answer, Flags::NONE), operation, header, fill)
    }

    /// Appends one of several answers (`NLM_F_MULTI`), of a dump mostly; [`done`](Answers::done) ends them.
    ///
    /// # Errors
    ///
    /// As [`item`](Answers::item).
    pub fn part<Q, A: Format>(
        &mut self,
        request: &Request<'_>,
        operation: Operation<Q, A>,
        header: A::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, A::Space>),
    ) -> Result<(), Error> {
        self.answer(request.header(operation.answer, Flags::MULTI), operation, header, fill)
    }

    /// Appends the end of several answers (`NLMSG_DONE`). Of `end`, what is not complete for being interrupted and what was
    /// filtered is said.
    ///
    /// # Errors
    ///
    /// As [`item`](Answers::item).
    pub fn done(&mut self, request: &Request<'_>, end: End) -> Result<(), Error> {
        let interrupted = if end.interrupted { Flags::DUMP_INTERRUPTED } else { Flags::NONE };
        let filtered = if end.filtered { Flags::DUMP_FILTERED } else { Flags::NONE };
        let header = request.header(MessageType::DONE, Flags::MULTI | interrupted | filtered);
        self.batch.append(|writer| verdict(writer, header, &0_i32.to_ne_bytes(), &[], |_| {}))
    }

    /// Appends the end of answers that go no further: `NLMSG_DONE` with an error number, which is how kernels refuse a dump,
    /// too.
    ///
    /// # Errors
    ///
    /// As [`item`](Answers::item).
    pub fn break_off(&mut self, request: &Request<'_>, refusal: &Refusal<'_>) -> Result<(), Error> {
        let header = request.header(MessageType::DONE, Flags::MULTI | extended(refusal));
        let code = refusal.code().to_ne_bytes();
        self.batch.append(|writer| verdict(writer, header, &code, &[], |ack| put(ack, refusal)))
    }

    /// Appends an acknowledgement (`NLMSG_ERROR` with error 0), with a warning if there is something to say.
    ///
    /// # Errors
    ///
    /// As [`item`](Answers::item).
    pub fn acknowledge(&mut self, request: &Request<'_>, warning: Option<&str>) -> Result<(), Error> {
        let text = if warning.is_some() { Flags::ACK_TLVS } else { Flags::NONE };
        let header = request.header(MessageType::ERROR, Flags::CAPPED | text);
        let repeated = repeated(request);
        self.batch.append(|writer| {
            verdict(writer, header, &0_i32.to_ne_bytes(), &[&repeated], |ack| {
                ack.put_some(ExtendedAck::MSG, warning);
            });
        })
    }

    /// Appends a refusal (`NLMSG_ERROR`). It is the counterpart of [`Refusal::of_error`].
    ///
    /// # Errors
    ///
    /// As [`item`](Answers::item).
    pub fn refuse(&mut self, request: &Request<'_>, refusal: &Refusal<'_>, echo: Echo) -> Result<(), Error> {
        let (capped, payload) = match echo {
            Echo::Capped => (Flags::CAPPED, &[][..]),
            Echo::Whole => (Flags::NONE, request.message.payload),
        };
        let header = request.header(MessageType::ERROR, capped | extended(refusal));
        let (code, repeated) = (refusal.code().to_ne_bytes(), repeated(request));
        self.batch.append(|writer| verdict(writer, header, &code, &[&repeated, payload], |ack| put(ack, refusal)))
    }

    /// Appends a message that nobody asked for, for a multicast group: sequence and port are 0.
    ///
    /// # Errors
    ///
    /// As [`item`](Answers::item).
    pub fn event<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<(), Error> {
        let told = Operation::<(), Q>::new(operation.kind.0, operation.kind.0);
        self.answer(MessageHeader { kind: operation.kind, ..MessageHeader::default() }, told, header, fill)
    }

    /// How many messages it holds.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.batch.count()
    }

    /// Whether it holds none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// The datagram.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.batch.bytes()
    }

    /// The messages, as they would be read.
    #[must_use]
    pub fn messages(&self) -> Messages<'_> {
        self.batch.messages()
    }

    /// Forgets all messages.
    pub fn clear(&mut self) {
        self.batch.clear();
    }

    fn answer<Q, A: Format>(
        &mut self,
        message: MessageHeader,
        operation: Operation<Q, A>,
        header: A::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, A::Space>),
    ) -> Result<(), Error> {
        let answer = Operation::<A>::new(operation.answer.0, operation.answer.0);
        self.batch.append(|writer| answer.encode(writer, message, header, |attributes| fill(attributes)))
    }
}

/// The header that acknowledgements and refusals repeat.
fn repeated(request: &Request<'_>) -> [u8; MESSAGE_HEADER] {
    // The attributes behind it are found by its length, whoever made the message.
    let length = short(request.message.payload.len().saturating_add(MESSAGE_HEADER));
    MessageHeader { length, ..request.message.header }.to_bytes()
}

/// Whether there is anything to say beyond the error number.
fn extended(refusal: &Refusal<'_>) -> Flags {
    if refusal.is_bare() { Flags::NONE } else { Flags::ACK_TLVS }
}

/// Writes the message that ends a request: a code, what is repeated, and the extended ack.
fn verdict<'b>(
    writer: &mut Writer<'b>,
    header: MessageHeader,
    code: &[u8; 4],
    repeated: &[&[u8]],
    fill: impl FnOnce(&mut AttributeWriter<'_, 'b, ExtendedAck>),
) {
    let start = open(writer, header.kind, Flags::NONE, header);
    writer.bytes(code);
    for bytes in repeated {
        writer.bytes(bytes);
    }
    if header.flags.contains(Flags::ACK_TLVS) {
        writer.pad();
        fill(&mut AttributeWriter::new(writer));
    }
    close(writer, start);
}

/// Writes what a refusal says beyond its number, in the order in which kernels do.
fn put(ack: &mut AttributeWriter<'_, '_, ExtendedAck>, refusal: &Refusal<'_>) {
    ack.put_some(ExtendedAck::MSG, refusal.text);
    ack.put_some(ExtendedAck::COOKIE, refusal.cookie);
    ack.put_some(ExtendedAck::OFFS, refusal.offset);
    if let Some(policy) = refusal.policy() {
        ack.put_raw(ExtendedAck::POLICY.number() | RawAttribute::NESTED, policy.payload().bytes);
    }
    ack.put_some(ExtendedAck::MISS_TYPE, refusal.missing);
    ack.put_some(ExtendedAck::MISS_NEST, refusal.missing_in);
}
