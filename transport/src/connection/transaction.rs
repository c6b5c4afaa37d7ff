//! Changes of a firewall that are made together or not at all.

use std::fmt;
use std::os::fd::BorrowedFd;
use std::task::Poll;

use ringlink_codec as codec;
use ringlink_codec::exchange::{Exchange, Step};
use ringlink_codec::netfilter::{Control, Family, NetfilterHeader, Subsystem, Transaction as Begin};
use ringlink_codec::table::{AttributeWriter, Format, Indexed, Key, Nest, Operation, Table};
use ringlink_codec::wire::{Flags, Message, MessageHeader, Messages, RawAttribute, Writer};

use super::Connection;
use super::batch::{Failure, REFUSAL};
use super::request::{Root, exchange, origin, refused, verdict};
use super::steps::{Advance, poll};
use crate::engine::{Datagram, Deadline};
use crate::error::{Error, Refused};
use crate::socket::Protocol;

/// Changes of tables, chains, rules and sets that the kernel carries out whole or not at all
/// ([`Protocol::NETFILTER`](crate::Protocol::NETFILTER), [`Subsystem::NFTABLES`]).
///
/// They are collected in memory and sent as one datagram by [`commit`](Transaction::commit), which raises the socket's send
/// buffer where the datagram is longer. The kernel goes through all commands even where one is wrong, so that a
/// [`Rejected`] transaction says of each what is.
///
/// ```no_run
/// use ringlink::codec::netfilter::nftables::{Chain, Nft, Table};
/// use ringlink::codec::netfilter::{Family, NetfilterHeader};
/// use ringlink::{Connection, Error, Protocol};
///
/// let mut connection = Connection::open(Protocol::NETFILTER)?;
/// let mut transaction = connection.transaction();
/// let inet = NetfilterHeader::of(Family::INET);
/// transaction.add(Nft::NEWTABLE.create(), inet, |table| table.put(Table::NAME, "filter"))?;
/// transaction.add(Nft::NEWCHAIN.create(), inet, |chain| {
///     chain.put(Chain::TABLE, "filter");
///     chain.put(Chain::NAME, "input");
/// })?;
/// match transaction.commit() {
///     Err(Error::Transaction(rejected)) => {
///         for failure in &rejected.failures {
///             eprintln!("command {}: {}", failure.index, failure.refused);
///         }
///     }
///     other => other?,
/// }
/// # Ok::<(), Error>(())
/// ```
#[must_use = "nothing is sent before `commit`"]
pub struct Transaction<'c> {
    connection: &'c mut Connection,
    /// What brackets the commands and they themselves; what is behind `length` was not written yet.
    bytes: Vec<u8>,
    length: usize,
    /// Where in `bytes` the datagram starts.
    start: usize,
    messages: Vec<Command>,
    /// How many commands there are: one may take several messages.
    count: usize,
    echo: bool,
    under_way: Option<UnderWay>,
}

/// A message of a command.
#[derive(Clone, Copy, Debug)]
struct Command {
    at: usize,
    index: usize,
    /// How many items the messages before have of the same command.
    items: usize,
    root: Root,
}

/// A transaction that was sealed, and what came of it so far.
#[derive(Debug)]
struct UnderWay {
    /// The sequence number of the beginning.
    first: u32,
    sent: bool,
    /// Whether all that still comes is there already.
    ending: bool,
    loss: Option<Error>,
    rejected: Rejected,
}

/// A transaction that the kernel refused: nothing was changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rejected {
    /// The kernel's no to all of it; the commands were not looked at, or all are good and cannot be carried out together.
    pub whole: Option<Refused>,
    /// The commands that are wrong, in order, counted from 0 in the order in which they were added.
    pub failures: Vec<Failure>,
    /// Whether there were more refusals than the socket's receive buffer took.
    pub incomplete: bool,
}

impl Rejected {
    /// The first refusal.
    pub fn first(&self) -> Option<&Refused> {
        self.whole.as_ref().or_else(|| self.failures.first().map(|failure| &failure.refused))
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the transaction was refused and nothing changed: ")?;
        if let Some(whole) = &self.whole {
            whole.fmt(f)?;
            match i32::try_from(whole.errno.0) {
                Ok(libc::ERESTART) => {
                    f.write_str(" (the rules are not those it was made for: read them again and retry)")?
                }
                Ok(libc::EPERM) => f.write_str(" (it takes CAP_NET_ADMIN in the network namespace)")?,
                Ok(libc::EOPNOTSUPP) => f.write_str(" (this kernel has no nf_tables, or its module is not loaded)")?,
                _ => {}
            }
        } else if let Some(Failure { index, item, refused }) = self.failures.first() {
            write!(f, "command {index}: {refused}")?;
            if let Some(item) = item {
                write!(f, " (item {item})")?;
            }
        }
        let more = self.failures.len().saturating_sub(usize::from(self.whole.is_none()));
        match (more, self.incomplete) {
            (0, false) => Ok(()),
            (more, false) => write!(f, "; {more} more commands are wrong"),
            (more, true) => write!(f, "; at least {more} more commands are wrong"),
        }
    }
}

/// Bytes of the message that begins a transaction, with the generation and without.
const BEGIN: [usize; 2] = [28, 20];

/// How many refusals there is room made for.
const REFUSALS: usize = 4096;

/// What the kernel takes for itself of a send buffer.
const OVERHEAD: usize = 32;

impl fmt::Debug for Transaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("commands", &self.count)
            .field("bytes", &(self.length - self.start))
            .finish()
    }
}

impl<'c> Transaction<'c> {
    pub(super) fn new(connection: &'c mut Connection) -> Transaction<'c> {
        let mut transaction = Transaction {
            connection,
            bytes: vec![0; 4096],
            length: BEGIN[0],
            start: BEGIN[0] - BEGIN[1],
            messages: Vec::new(),
            count: 0,
            echo: false,
            under_way: None,
        };
        transaction.begin(|_| {});
        transaction
    }

    /// Makes the transaction for this generation of the rules ([`Nft::GETGEN`](codec::netfilter::nftables::Nft::GETGEN)): if
    /// they were changed since, it is refused whole ([`Error::is_outdated`]), and what it rests on is to be read again.
    pub fn at_generation(mut self, generation: u32) -> Transaction<'c> {
        self.start = 0;
        self.begin(|begin| begin.put(Begin::GENID, generation));
        self
    }

    fn begin(&mut self, fill: impl FnOnce(&mut AttributeWriter<'_, '_, Begin>)) {
        let header = NetfilterHeader::of(Family::UNSPEC).numbered(Subsystem::NFTABLES.0.into());
        let space = self.bytes.get_mut(self.start..BEGIN[0]).unwrap_or_default();
        // It has just the size.
        let written = Control::BATCH_BEGIN.write(space, header, |begin| fill(begin));
        debug_assert!(written.is_ok());
    }

    /// Adds a command.
    ///
    /// The closure may be called more than once, and writes the same each time.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where an attribute is longer than 65,531 bytes: elements of a set are added by
    /// [`add_list`](Transaction::add_list). The transaction goes on without the command.
    pub fn add<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        mut fill: impl FnMut(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<(), Error>
    where
        Q::Header: Copy,
    {
        let at = self.length.next_multiple_of(4);
        let message = MessageHeader { flags: Flags::REQUEST, ..MessageHeader::default() };
        let end = self.write(at, |writer| operation.encode(writer, message, header, |attributes| fill(attributes)))?;
        self.accept(at, end, 0, Root::of(operation));
        self.echo |= operation.flags.contains(Flags::ECHO);
        self.count += 1;
        Ok(())
    }

    /// Adds a command whose list may be longer than an attribute: elements of a set. It takes as many messages as are needed,
    /// each with what `head` writes; `each` writes one item.
    ///
    /// ```no_run
    /// use ringlink::codec::netfilter::nftables::{Data, Element, Elements, Nft};
    /// use ringlink::codec::netfilter::{Family, NetfilterHeader};
    /// use ringlink::{Connection, Protocol};
    /// use std::net::Ipv4Addr;
    ///
    /// let mut connection = Connection::open(Protocol::NETFILTER)?;
    /// let mut transaction = connection.transaction();
    /// transaction.add_list(
    ///     Nft::NEWSETELEM.create(),
    ///     NetfilterHeader::of(Family::INET),
    ///     |elements| {
    ///         elements.put(Elements::TABLE, "filter");
    ///         elements.put(Elements::SET, "banned");
    ///     },
    ///     Elements::ELEMENTS,
    ///     (0..100_000_u32).map(|number| Ipv4Addr::from(0x0a00_0000 + number)),
    ///     |element, address| element.nest(Element::KEY, |key| key.put(Data::VALUE, &address.octets())),
    /// )?;
    /// transaction.commit()?;
    /// # Ok::<(), ringlink::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where a single item is longer than 65,531 bytes; the transaction goes on without the command.
    pub fn add_list<Q: Format, A, S: Table, T>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        mut head: impl FnMut(&mut AttributeWriter<'_, '_, Q::Space>),
        key: Key<Q::Space, Indexed<Nest<S>>>,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut AttributeWriter<'_, '_, S>, &T),
    ) -> Result<(), Error>
    where
        Q::Header: Copy,
    {
        let (length, messages) = (self.length, self.messages.len());
        let result = self.write_list(operation, header, &mut head, key, items, &mut each);
        if result.is_err() {
            self.length = length;
            self.messages.truncate(messages);
            return result;
        }
        self.echo |= operation.flags.contains(Flags::ECHO);
        self.count += 1;
        result
    }

    fn write_list<Q: Format, A, S: Table, T>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        head: &mut impl FnMut(&mut AttributeWriter<'_, '_, Q::Space>),
        key: Key<Q::Space, Indexed<Nest<S>>>,
        items: impl IntoIterator<Item = T>,
        each: &mut impl FnMut(&mut AttributeWriter<'_, '_, S>, &T),
    ) -> Result<(), Error>
    where
        Q::Header: Copy,
    {
        let mut items = items.into_iter().peekable();
        let mut count = 0;
        loop {
            let before = count;
            let at = self.length.next_multiple_of(4);
            let message = MessageHeader { flags: Flags::REQUEST, ..MessageHeader::default() };
            let list = self.write(at, |writer| {
                operation.encode(writer, message, header, |attributes| head(attributes));
                writer.pad();
            })?;
            let mut end = self.write(list, |writer| _ = writer.open(key.number() | RawAttribute::NESTED))?;
            while let Some(item) = items.peek() {
                let next = self.write(end, |writer| {
                    let start = writer.open(LIST_ELEMENT | RawAttribute::NESTED);
                    each(&mut AttributeWriter::new(writer), item);
                    writer.close(start);
                })?;
                if u16::try_from(next - list).is_err() {
                    break;
                }
                end = next;
                count += 1;
                items.next();
            }
            // An item of the greatest length leaves no room for the list around it.
            if items.peek().is_some() && end - list <= size_of::<u32>() {
                let kind = codec::wire::ErrorKind::TooLong { length: u32::from(u16::MAX) + 1 };
                return Err(Error::Codec(codec::Error::new(kind, 0)));
            }
            let list_length = u16::try_from(end - list).unwrap_or(u16::MAX);
            patch(&mut self.bytes, list, &list_length.to_ne_bytes());
            patch(&mut self.bytes, at, &u32::try_from(end - at).unwrap_or(u32::MAX).to_ne_bytes());
            self.accept(at, end, before, Root::of(operation));
            if items.peek().is_none() {
                return Ok(());
            }
        }
    }

    /// Writes at a place, in a buffer that grows as is needed; returns where what was written ends.
    fn write(&mut self, at: usize, mut fill: impl FnMut(&mut Writer<'_>)) -> Result<usize, Error> {
        loop {
            let mut writer = Writer::new(self.bytes.get_mut(at..).unwrap_or_default());
            fill(&mut writer);
            match writer.finish() {
                Ok(written) => return Ok(at + written.len()),
                Err(error) => {
                    let Some(needed) = error.needed() else { return Err(Error::Codec(error)) };
                    let needed = usize::try_from(needed).unwrap_or(usize::MAX).saturating_add(at);
                    self.bytes.resize(needed.max(self.bytes.len().saturating_mul(2)), 0);
                }
            }
        }
    }

    fn accept(&mut self, at: usize, end: usize, items: usize, root: Root) {
        if let Some(gap) = self.bytes.get_mut(self.length..at) {
            gap.fill(0);
        }
        self.messages.push(Command { at, index: self.count, items, root });
        self.length = end;
    }

    /// How many commands were added.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Has the kernel carry out all commands, or none. Without commands nothing is sent.
    ///
    /// # Errors
    ///
    /// [`Error::Transaction`] where it refuses; [`Error::Configuration`] over another protocol's socket; [`Error::SendBuffer`] where the datagram cannot be sent; [`Error::TimedOut`],
    /// [`Error::Overrun`] and what the engine says: whether it was carried out is then not known.
    pub fn commit(self) -> Result<(), Error> {
        self.commit_each(|_, _| {})
    }

    /// As [`commit`](Transaction::commit); hands out what the kernel tells of commands that asked for it ([`Flags::ECHO`]),
    /// with the command's number: what was made, with its handle.
    ///
    /// # Errors
    ///
    /// As [`commit`](Transaction::commit).
    pub fn commit_each(mut self, mut each: impl FnMut(usize, Message<'_>)) -> Result<(), Error> {
        let result = self.step(self.connection.deadline(), &mut each);
        self.connection.note(&result);
        result
    }

    fn step(&mut self, deadline: Deadline, each: &mut dyn FnMut(usize, Message<'_>)) -> Result<(), Error> {
        if self.messages.is_empty() {
            return Ok(());
        }
        if self.under_way.is_none() {
            self.seal()?;
        }
        loop {
            match self.receive(deadline, each) {
                Ok(true) => {}
                Ok(false) => break,
                // What was lost is refusals, or what was asked to be told.
                Err(error) if error.is_loss() => {
                    if let Some(state) = &mut self.under_way {
                        state.loss.get_or_insert(error);
                        state.ending = true;
                    }
                }
                Err(Error::TimedOut) if self.under_way.as_ref().is_some_and(|state| state.ending) => break,
                Err(error) => return Err(error),
            }
        }
        let Some(UnderWay { mut rejected, loss, .. }) = self.under_way.take() else { return Ok(()) };
        self.messages.clear();
        if rejected.whole.is_some() || !rejected.failures.is_empty() {
            rejected.incomplete = loss.is_some();
            return Err(Error::Transaction(Box::new(rejected)));
        }
        loss.map_or(Ok(()), Err)
    }

    /// Writes the end, numbers all messages, and makes room for them and for what comes back.
    fn seal(&mut self) -> Result<(), Error> {
        // The number of its beginning is that of another message elsewhere (`RTM_NEWLINK`).
        if self.connection.socket().protocol() != Protocol::NETFILTER {
            return Err(Error::Configuration { rule: "a transaction is for a connection of the protocol NETFILTER" });
        }
        let at = self.length.next_multiple_of(4);
        let header = NetfilterHeader::of(Family::UNSPEC).numbered(Subsystem::NFTABLES.0.into());
        let message = MessageHeader { flags: Flags::REQUEST, ..MessageHeader::default() };
        let end = self.write(at, |writer| Control::BATCH_END.encode(writer, message, header, |_| {}))?;
        if let Some(gap) = self.bytes.get_mut(self.length..at) {
            gap.fill(0);
        }
        self.length = end;

        let count = u32::try_from(self.messages.len()).unwrap_or(u32::MAX);
        // All numbers are above that of messages nobody asked for.
        let first = self.connection.sequence.get().checked_add(1).unwrap_or(1);
        let first = first.checked_add(count).and_then(|last| last.checked_add(1)).map_or(1, |_| first);
        self.connection.sequence.set(first.wrapping_add(count).wrapping_add(1));
        let port = self.connection.socket().port();
        let last = self.messages.len().saturating_sub(1);
        let commands = self.messages.iter().enumerate().map(|(place, command)| (command.at, place == last));
        let all = std::iter::once((self.start, false)).chain(commands).chain([(at, false)]);
        for (sequence, (at, acknowledge)) in (first..=u32::MAX).zip(all) {
            let bytes = self.bytes.get_mut(at..).unwrap_or_default();
            let Ok(Message { header, .. }) = Message::parse(bytes) else { continue };
            let flags = if acknowledge { header.flags | Flags::ACK } else { header.flags };
            patch(bytes, 0, &MessageHeader { sequence, port, flags, ..header }.to_bytes());
        }

        let socket = self.connection.socket();
        let needed = self.length - self.start + OVERHEAD;
        let mut got = socket.send_buffer()?;
        if got < needed {
            got = socket.set_send_buffer(needed)?;
        }
        if got < needed {
            return Err(Error::SendBuffer { needed, got });
        }
        let answers = if self.echo {
            self.length + self.messages.len() * REFUSAL
        } else {
            self.messages.len().min(REFUSALS) * REFUSAL
        };
        if socket.receive_buffer()? < answers {
            // Where it stays smaller, refusals may be lost, and that is then said.
            socket.set_receive_buffer(answers)?;
        }
        self.under_way =
            Some(UnderWay { first, sent: false, ending: false, loss: None, rejected: Rejected::default() });
        Ok(())
    }

    /// Receives one datagram; says no when nothing more comes.
    fn receive(&mut self, deadline: Deadline, each: &mut dyn FnMut(usize, Message<'_>)) -> Result<bool, Error> {
        let Some(state) = &mut self.under_way else { return Ok(false) };
        let connection = &*self.connection;
        let deadline = if state.ending { connection.passed() } else { deadline };
        let datagram = send_or_receive(connection, self.bytes.get(self.start..self.length), &mut state.sent, deadline)?;
        let last = u32::try_from(self.messages.len()).unwrap_or(u32::MAX);
        for message in Messages::new(&datagram) {
            let message = message?;
            let place = message.header.sequence.wrapping_sub(state.first);
            // Behind the commands there is the end. What is beyond that is of a request that was given up.
            let sequence = if place <= last.saturating_add(1) { message.header.sequence } else { state.first };
            let mut asked = exchange(connection.socket(), Exchange::apply, sequence);
            let step = connection.accept(&mut asked, message, origin(&datagram));
            verdict(&step, message)?;
            let command = usize::try_from(place).ok().and_then(|place| self.messages.get(place.checked_sub(1)?));
            match (step, command) {
                (Step::Item(message), Some(command)) => each(command.index, message),
                (Step::Failed(refusal), Some(command)) => {
                    let request = self.bytes.get(command.at..self.length).and_then(|bytes| Message::parse(bytes).ok());
                    if let Error::Refused(refused) = refused(&refusal, request, command.root) {
                        let item = refused.path.item().map(|item| item + command.items);
                        state.rejected.failures.push(Failure { index: command.index, item, refused: *refused });
                    }
                }
                (Step::Failed(refusal), None) if place == 0 => {
                    if let Error::Refused(refused) = refused(&refusal, None, Root::of(Control::BATCH_BEGIN)) {
                        state.rejected.whole = Some(*refused);
                    }
                    state.ending = true;
                }
                _ => {}
            }
            if place == last && asked.is_finished() {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Sends, where that has not been done, and receives.
fn send_or_receive<'c>(
    connection: &'c Connection,
    bytes: Option<&[u8]>,
    sent: &mut bool,
    deadline: Deadline,
) -> Result<Datagram<'c>, Error> {
    if *sent {
        return connection.receive(deadline);
    }
    let result = connection.send(bytes.unwrap_or_default(), deadline);
    *sent = !result.as_ref().is_err_and(Error::is_of_sending);
    result
}

/// `NFTA_LIST_ELEM`, which is what items of lists are numbered.
const LIST_ELEMENT: u16 = 1;

fn patch(bytes: &mut [u8], at: usize, with: &[u8]) {
    if let Some(space) = bytes.get_mut(at..at + with.len()) {
        space.copy_from_slice(with);
    }
}

/// Sends all of it, and takes what there is of the answers; ready when the kernel has been through all of it. Fails as
/// [`Transaction::commit`].
impl Advance for Transaction<'_> {
    type Output = ();

    fn advance(&mut self) -> Poll<Result<(), Error>> {
        let result = self.step(self.connection.passed(), &mut |_, _| {});
        self.connection.note(&result);
        poll(result)
    }

    fn descriptor(&self) -> BorrowedFd<'_> {
        self.connection.descriptor()
    }
}
