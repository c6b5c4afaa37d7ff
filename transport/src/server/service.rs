//! What answers requests, and what it answers with: the same for a server on a socket and for a kernel that is only played.

use std::collections::BTreeMap;
use std::fmt;

use ringlink_codec::answer::{Answers, Echo, Request};
use ringlink_codec::reply::{End, Errno, Refusal};
use ringlink_codec::table::{AttributeWriter, Format, Operation};
use ringlink_codec::wire::{self, Message, Messages};

use crate::engine::{Credentials, Destination};

/// Answers requests: a [`Server`](crate::server::Server)'s of other processes, or a [`Mock`](crate::engine::mock::Mock)'s of
/// connections in this one. A closure is one.
pub trait Service {
    /// Answers a request by what it does to `answer`; an acknowledgement is added where the request asks for one.
    ///
    /// A request for all there is ([`Request::is_dump`]) comes again for each part of the answer, until it is answered in full:
    /// see [`Answer::part`].
    ///
    /// # Errors
    ///
    /// Whatever is returned is sent to who asked. What cannot be read makes a refusal of itself, so that `?` will do; of a
    /// request that is none of its own, a service says `Err(unknown())`.
    fn answer(&mut self, request: &Request<'_>, answer: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>>;
}

impl<F> Service for F
where
    F: FnMut(&Request<'_>, &mut Answer<'_, '_>) -> Result<(), Refusal<'static>>,
{
    fn answer(&mut self, request: &Request<'_>, answer: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>> {
        self(request, answer)
    }
}

/// The refusal of a request that means nothing here: `EOPNOTSUPP`.
pub const fn unknown() -> Refusal<'static> {
    Refusal::new(Errno::OPNOTSUPP).saying("unknown message type")
}

/// What a request is answered with.
pub struct Answer<'s, 'b> {
    request: Request<'s>,
    answers: &'s mut Answers<'b>,
    /// Where events are written.
    scratch: &'s mut [u8],
    post: &'s mut Post<'s>,
    credentials: Option<Credentials>,
    /// Whether the service is asked again if there is no room.
    is_dump: bool,
    /// Whether there was a part for which there was no room.
    is_full: bool,
    /// Whether the answer is one of several, and needs an end.
    is_multi: bool,
    cursor: u64,
    end: End,
    warning: Option<&'static str>,
}

/// Where datagrams go.
pub(crate) type Post<'p> = dyn FnMut(Destination, &[u8]) + 'p;

impl fmt::Debug for Answer<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("request", &self.request).field("cursor", &self.cursor).finish_non_exhaustive()
    }
}

impl Answer<'_, '_> {
    /// Answers a question that has one answer: `operation` is the question's.
    ///
    /// # Errors
    ///
    /// Where the answer does not fit a datagram: to be passed on.
    pub fn item<Q, A: Format>(
        &mut self,
        operation: Operation<Q, A>,
        header: A::Header,
        mut fill: impl FnMut(&mut AttributeWriter<'_, '_, A::Space>),
    ) -> Result<(), Refusal<'static>> {
        let request = self.request;
        self.write(|answers| answers.item(&request, operation, header, |attributes| fill(attributes)))
    }

    /// Answers with one of several; `operation` is the question's. Says no where the datagram is full: then the service returns
    /// `Ok`, and is asked again once the receiver has room. [`cursor`](Answer::cursor) is then what `next` was of the last one
    /// that was written, so `next` says where to go on behind this one: a place in a list, or better a key, which means the
    /// same when others have come and gone meanwhile.
    ///
    /// ```
    /// # use ringlink::codec::route::{LinkHeader, Rtm};
    /// # use ringlink::codec::reply::Refusal;
    /// # use ringlink::server::Answer;
    /// # use std::collections::BTreeMap;
    /// # fn all(links: &BTreeMap<u64, LinkHeader>, answer: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>> {
    /// for (index, link) in links.range(answer.cursor()..) {
    ///     if !answer.part(index + 1, Rtm::GETLINK, *link, |_| {})? {
    ///         break;
    ///     }
    /// }
    /// Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Where it does not fit an empty datagram: to be passed on.
    pub fn part<Q, A: Format>(
        &mut self,
        next: u64,
        operation: Operation<Q, A>,
        header: A::Header,
        mut fill: impl FnMut(&mut AttributeWriter<'_, '_, A::Space>),
    ) -> Result<bool, Refusal<'static>> {
        let request = self.request;
        self.is_multi = true;
        let mut write =
            |answers: &mut Answers<'_>| answers.part(&request, operation, header, |attributes| fill(attributes));
        match self.is_dump {
            false => self.write(write)?,
            true => match write(self.answers) {
                Err(error) if error.needed().is_some() && !self.answers.is_empty() => {
                    self.is_full = true;
                    return Ok(false);
                }
                other => other?,
            },
        }
        self.cursor = next;
        Ok(true)
    }

    /// Where to go on: 0 at first, then what [`part`](Answer::part) was told.
    pub fn cursor(&self) -> u64 {
        self.cursor
    }

    /// The process and the user that ask, as the kernel vouches for them. Needs
    /// [`SocketOptions::credentials`](crate::SocketOptions::credentials) of the server; a mock says nothing.
    pub fn credentials(&self) -> Option<Credentials> {
        self.credentials
    }

    /// Says that what is being told changed meanwhile (`NLM_F_DUMP_INTR`).
    pub fn interrupted(&mut self) {
        self.end.interrupted = true;
    }

    /// Says that only what was asked for is told (`NLM_F_DUMP_FILTERED`).
    pub fn filtered(&mut self) {
        self.end.filtered = true;
    }

    /// Adds words to the acknowledgement.
    pub fn warn(&mut self, text: &'static str) {
        self.warning = Some(text);
    }

    /// Tells a multicast group of something, before the request is acknowledged.
    ///
    /// # Errors
    ///
    /// Where it does not fit a datagram: to be passed on.
    pub fn tell<Q: Format, A>(
        &mut self,
        group: u32,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<(), Refusal<'static>> {
        let mut event = Answers::new(self.scratch);
        event.event(operation, header, fill)?;
        (self.post)(Destination::Group(group), event.bytes());
        Ok(())
    }

    /// Writes behind what is written; where there is no room, what is written goes first.
    fn write(
        &mut self,
        mut write: impl FnMut(&mut Answers<'_>) -> Result<(), wire::Error>,
    ) -> Result<(), Refusal<'static>> {
        match write(self.answers) {
            Err(error) if error.needed().is_some() && !self.answers.is_empty() => {
                (self.post)(Destination::Port(self.request.port), self.answers.bytes());
                self.answers.clear();
                Ok(write(self.answers)?)
            }
            other => Ok(other?),
        }
    }
}

/// What was answered so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// Messages that were received and could be read.
    pub requests: u64,
    /// Of these, those that were refused.
    pub refusals: u64,
    /// Requests for everything that were begun.
    pub dumps: u64,
    /// Datagrams whose rest could not be taken apart into messages.
    pub malformed: u64,
    /// Datagrams that nobody had room for: longer than a slot, or for one who does not take what waits for him.
    pub dropped: u64,
    /// How often a receiver had no room at first.
    pub pauses: u64,
}

/// Who sent a datagram.
#[derive(Clone, Copy)]
pub(crate) struct Asker {
    pub(crate) port: u32,
    pub(crate) credentials: Option<Credentials>,
}

/// Takes requests apart, has them answered, and keeps how far each dump has come.
pub(crate) struct Desk {
    buffer: Vec<u8>,
    scratch: Vec<u8>,
    /// By the port of who asked: as with the kernel, one at a time.
    dumps: BTreeMap<u32, Dump>,
    /// How many dumps there may be.
    most: usize,
    echo: Echo,
    pub(crate) figures: Figures,
}

struct Dump {
    request: Vec<u8>,
    credentials: Option<Credentials>,
    cursor: u64,
    end: End,
}

impl Desk {
    /// Datagrams are so long at the most, and so many dumps under way.
    pub(crate) fn new(datagram: usize, most: usize, echo: Echo) -> Desk {
        Desk {
            buffer: vec![0; datagram],
            scratch: vec![0; datagram],
            dumps: BTreeMap::new(),
            most,
            echo,
            figures: Figures::default(),
        }
    }

    /// The ports whose dumps are under way.
    pub(crate) fn ports(&self) -> impl Iterator<Item = u32> {
        self.dumps.keys().copied()
    }

    pub(crate) fn has_dump(&self, port: u32) -> bool {
        self.dumps.contains_key(&port)
    }

    /// Forgets the dump of one who is no more.
    pub(crate) fn forget(&mut self, port: u32) {
        self.dumps.remove(&port);
    }

    /// Has the messages of a datagram answered, in order; of a dump, the first part.
    pub(crate) fn take(&mut self, service: &mut dyn Service, asker: Asker, datagram: &[u8], post: &mut Post<'_>) {
        let Asker { port, credentials } = asker;
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut answers = Answers::new(&mut buffer);
        let mut dump = false;
        for message in Messages::new(datagram) {
            let Ok(message) = message else {
                self.figures.malformed += 1;
                break;
            };
            self.figures.requests += 1;
            let request = Request::new(message, port);
            let refusal = if !request.is_for_protocol() {
                if request.wants_acknowledgement() {
                    say(&mut answers, &request, post, |answers| answers.acknowledge(&request, None));
                }
                continue;
            } else if !request.is_dump() {
                match self.one(service, request, credentials, &mut answers, post) {
                    Ok(()) => continue,
                    Err(refusal) => refusal,
                }
            } else if self.has_dump(port) || self.dumps.len() >= self.most {
                Refusal::new(Errno::BUSY).saying("another dump is under way")
            } else {
                self.figures.dumps += 1;
                let header = message.header.to_bytes();
                let request = [&header[..], message.payload].concat();
                self.dumps.insert(port, Dump { request, credentials, cursor: 0, end: End::default() });
                dump = true;
                continue;
            };
            self.figures.refusals += 1;
            say(&mut answers, &request, post, |answers| answers.refuse(&request, &refusal, self.echo));
        }
        if !answers.is_empty() {
            post(Destination::Port(port), answers.bytes());
        }
        self.buffer = buffer;
        if dump {
            self.go_on(service, port, post);
        }
    }

    /// Has a request that is no dump answered.
    fn one(
        &mut self,
        service: &mut dyn Service,
        request: Request<'_>,
        credentials: Option<Credentials>,
        answers: &mut Answers<'_>,
        post: &mut Post<'_>,
    ) -> Result<(), Refusal<'static>> {
        let mut answer = Answer {
            request,
            answers,
            scratch: &mut self.scratch,
            post,
            credentials,
            is_dump: false,
            is_full: false,
            is_multi: false,
            cursor: 0,
            end: End::default(),
            warning: None,
        };
        service.answer(&request, &mut answer)?;
        let Answer { is_multi, end, warning, .. } = answer;
        if is_multi {
            say(answers, &request, post, |answers| answers.done(&request, end));
        } else if request.wants_acknowledgement() {
            say(answers, &request, post, |answers| answers.acknowledge(&request, warning));
        }
        Ok(())
    }

    /// Has the next part of a dump told, or its end.
    pub(crate) fn go_on(&mut self, service: &mut dyn Service, port: u32, post: &mut Post<'_>) {
        let Some(mut dump) = self.dumps.remove(&port) else { return };
        let Ok(message) = Message::parse(&dump.request) else { return };
        let request = Request::new(message, port);
        let mut answers = Answers::new(&mut self.buffer);
        let mut answer = Answer {
            request,
            answers: &mut answers,
            scratch: &mut self.scratch,
            post,
            credentials: dump.credentials,
            is_dump: true,
            is_full: false,
            is_multi: true,
            cursor: dump.cursor,
            end: dump.end,
            warning: None,
        };
        let result = service.answer(&request, &mut answer);
        let Answer { is_full, cursor, end, .. } = answer;
        let goes_on = result.is_ok() && is_full;
        match result {
            Err(refusal) => {
                self.figures.refusals += 1;
                say(&mut answers, &request, post, |answers| answers.break_off(&request, &refusal));
            }
            Ok(()) if !goes_on => say(&mut answers, &request, post, |answers| answers.done(&request, end)),
            Ok(()) => {}
        }
        post(Destination::Port(port), answers.bytes());
        if goes_on {
            (dump.cursor, dump.end) = (cursor, end);
            self.dumps.insert(port, dump);
        }
    }

    /// Tells a group of something.
    pub(crate) fn tell<Q: Format, A>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<&[u8], wire::Error> {
        let mut event = Answers::new(&mut self.scratch);
        event.event(operation, header, fill)?;
        let length = event.bytes().len();
        Ok(self.scratch.get(..length).unwrap_or_default())
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("dumps", &self.dumps.len()).field("figures", &self.figures).finish_non_exhaustive()
    }
}

/// Writes what ends a request; where there is no room for it, what is written goes first.
fn say(
    answers: &mut Answers<'_>,
    request: &Request<'_>,
    post: &mut Post<'_>,
    mut write: impl FnMut(&mut Answers<'_>) -> Result<(), wire::Error>,
) {
    if write(answers).is_ok() {
        return;
    }
    if !answers.is_empty() {
        post(Destination::Port(request.port), answers.bytes());
        answers.clear();
    }
    // A refusal that repeats a request which fills a datagram does not fit one itself: its header will do.
    if write(answers).is_err() {
        let long = Refusal::new(Errno::MSGSIZE);
        let _ = answers.refuse(request, &long, Echo::Capped);
    }
}
