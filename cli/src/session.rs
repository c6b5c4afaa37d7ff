//! What every command works with: the connection, the names, the output.

use std::io::{self, IsTerminal, Write};
use std::marker::PhantomData;
use std::time::{Duration, Instant};

use ringlink::codec;
use ringlink::codec::reply::End;
use ringlink::codec::route::{Link, LinkHeader, Rtm};
use ringlink::codec::table::{AttributeWriter, Body, Format, Operation};
use ringlink::codec::wire::{Message, MessageHeader};
use ringlink::namespace::Namespace;
use ringlink::socket::{Protocol, SocketOptions};
use ringlink::{Config, Connection};

use crate::arguments::Options;
use crate::failure::Failure;
use crate::names::Names;
use crate::output::{Face, Output};

/// How often a dump is made before one that was interrupted is taken as it is.
const ATTEMPTS: u32 = 3;

/// What every command works with.
pub(crate) struct Session {
    /// The options before the object.
    pub(crate) options: Options,
    /// The connection that requests and dumps go over, one at a time.
    pub(crate) connection: Connection,
    /// Names of interfaces and numbers.
    pub(crate) names: Names,
    /// Where rows go.
    pub(crate) output: Output,
    config: Config,
    started: Instant,
}

impl Session {
    /// Opens the connection that the options ask for.
    pub(crate) fn open(options: Options) -> Result<Self, Failure> {
        let started = Instant::now();
        let config = config(&options)?;
        let connection = Connection::with(Protocol::ROUTE, config.clone())?;
        let output = Output::new(if options.json { Face::Json } else { Face::Text });
        Ok(Self { options, connection, names: Names::default(), output, config, started })
    }

    /// The configuration that the options ask for.
    pub(crate) fn config(&self) -> &Config {
        &self.config
    }

    /// The index of an interface by its name or an alternative name.
    pub(crate) fn interface(&mut self, name: &str) -> Result<u32, Failure> {
        let found = self.connection.get(Rtm::GETLINK, LinkHeader::default(), |link| {
            // A name of an interface has room for 15 bytes; what is longer can only be an alternative name.
            if name.len() <= 15 {
                link.put(Link::IFNAME, name);
            } else {
                link.put(Link::ALT_IFNAME, name);
            }
        });
        match found.map(|reply| u32::try_from(reply.body().header.index)) {
            Ok(Ok(index)) => Ok(index),
            Ok(Err(_)) => Err(Failure::Input(format!("interface `{name}` has no index"))),
            Err(error) if error.is_not_found() => Err(Failure::Input(format!("there is no interface `{name}`"))),
            Err(error) => Err(error.into()),
        }
    }

    /// Learns the names of all interfaces.
    pub(crate) fn learn_names(&mut self) -> Result<(), Failure> {
        self.names.learn(&mut self.connection)
    }

    /// Dumps and prints each answer. A dump that the kernel says was interrupted is made again as long as its rows can
    /// be taken back; the last one is printed, with a warning, as `ip` does: what is inconsistent may be better than
    /// nothing, and exit code 0 has always gone with it.
    pub(crate) fn dump<Q: Format, A: Format>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl Fn(&mut AttributeWriter<'_, '_, Q::Space>),
        mut each: impl FnMut(&mut Output, &Names, Body<'_, A>) -> Result<(), codec::Error>,
    ) -> Result<(), Failure> {
        let Self { connection, names, output, .. } = self;
        output.hold(true);
        for attempt in 1..=ATTEMPTS {
            let mark = output.mark();
            let mut progress = Progress::new();
            let mut broken = 0_usize;
            let mut dump = connection.dump(operation, header, &fill)?;
            while let Some(body) = dump.next()? {
                progress.count();
                if let Err(error) = each(output, names, body) {
                    broken += 1;
                    if broken == 1 {
                        warn(format_args!("a message could not be read whole: {error}"));
                    }
                }
                if output.is_broken() {
                    break;
                }
            }
            progress.clear();
            if output.is_broken() {
                break;
            }
            let end = dump.end();
            if end.interrupted && attempt < ATTEMPTS && output.go_back(mark) {
                continue;
            }
            warn_of(end);
            break;
        }
        output.hold(false);
        Ok(())
    }

    /// Dumps and keeps the answers, for rows that are made of several. Interruptions are treated as in
    /// [`Session::dump`].
    pub(crate) fn gather<Q: Format, A: Format>(
        &mut self,
        operation: Operation<Q, A>,
        header: Q::Header,
        fill: impl Fn(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Gathered<A>, Failure> {
        let mut attempt = 1;
        loop {
            let mut gathered = Gathered { bytes: Vec::new(), messages: Vec::new(), answer: PhantomData };
            let mut dump = self.connection.dump(operation, header, &fill)?;
            while let Some(message) = dump.next_message()? {
                gathered.keep(message);
            }
            let end = dump.end();
            if end.interrupted && attempt < ATTEMPTS {
                attempt += 1;
                continue;
            }
            warn_of(end);
            return Ok(gathered);
        }
    }

    /// Ends the output, and tells what was done if that was asked for.
    pub(crate) fn finish(&mut self) -> Result<(), Failure> {
        let finished = self.output.finish();
        if self.options.stats {
            self.tell_statistics();
        }
        Ok(finished?)
    }

    /// Tells on standard error what was done.
    fn tell_statistics(&self) {
        let statistics = self.connection.statistics();
        let counters = statistics.counters;
        // Standard error that is gone is nothing to tell anyone about.
        let _ = writeln!(
            io::stderr(),
            "engine {} ({}); {} messages, {} bytes, {} receives, {} system calls, {} retries, {} rows, {:.3} ms",
            statistics.engine,
            statistics.reason,
            statistics.messages,
            counters.bytes,
            counters.datagrams,
            counters.system_calls,
            statistics.retries,
            self.output.rows(),
            self.started.elapsed().as_secs_f64() * 1000.0,
        );
    }
}

/// Answers of a dump, kept.
#[derive(Debug)]
pub(crate) struct Gathered<A> {
    bytes: Vec<u8>,
    /// Header, and where the payload ends.
    messages: Vec<(MessageHeader, usize)>,
    answer: PhantomData<fn() -> A>,
}

impl<A: Format> Gathered<A> {
    fn keep(&mut self, message: Message<'_>) {
        self.bytes.extend_from_slice(message.payload);
        self.messages.push((message.header, self.bytes.len()));
    }

    /// Keeps only those of which `keep` says so.
    pub(crate) fn retain(&mut self, mut keep: impl FnMut(&Body<'_, A>) -> bool) {
        let mut kept = Self { bytes: Vec::new(), messages: Vec::new(), answer: PhantomData };
        let mut start = 0;
        for (header, end) in &self.messages {
            let message = Message { header: *header, payload: &self.bytes[start..*end] };
            if keep(&Body::of(message)) {
                kept.keep(message);
            }
            start = *end;
        }
        *self = kept;
    }

    /// An answer by its place.
    pub(crate) fn get(&self, index: usize) -> Option<Body<'_, A>> {
        let (header, end) = self.messages.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.messages.get(before)).map_or(0, |(_, end)| *end);
        Some(Body::of(Message { header: *header, payload: self.bytes.get(start..*end)? }))
    }

    /// The answers, in order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Body<'_, A>> {
        let starts = std::iter::once(0).chain(self.messages.iter().map(|(_, end)| *end));
        self.messages
            .iter()
            .zip(starts)
            .map(|((header, end), start)| Body::of(Message { header: *header, payload: &self.bytes[start..*end] }))
    }
}

/// Tells of a dump that is not whole.
fn warn_of(end: End) {
    if end.interrupted {
        warn(format_args!("the table changed while it was dumped, some of it may be missing or twice"));
    }
    if end.truncated {
        warn(format_args!("messages were lost, some of the table is missing"));
    }
}

/// Tells on standard error about something that is no failure.
pub(crate) fn warn(text: std::fmt::Arguments<'_>) {
    // Standard error that is gone is nothing to tell anyone about.
    let _ = writeln!(io::stderr(), "ringlink: warning: {text}");
}

/// The configuration that options ask for.
pub(crate) fn config(options: &Options) -> Result<Config, Failure> {
    let namespace = options.netns.as_deref().map(namespace).transpose()?;
    let socket = SocketOptions { namespace, receive_buffer: options.receive_buffer, ..SocketOptions::default() };
    Ok(Config { engine: options.engine.into(), socket, ..Config::default() })
}

/// A namespace by a path, a process id or a name. A name that is a number is taken for a name where there is one.
fn namespace(word: &str) -> Result<Namespace, Failure> {
    if word.contains('/') {
        return Ok(Namespace::path(word)?);
    }
    match (Namespace::name(word), word.parse()) {
        (Err(_), Ok(pid)) => Ok(Namespace::pid(pid)?),
        (named, _) => Ok(named?),
    }
}

/// A counter on standard error while a long dump goes somewhere else.
struct Progress {
    shown: Option<Instant>,
    count: u64,
    printed: bool,
}

impl Progress {
    /// How long a dump may take before the counter is shown, and between its changes.
    const PATIENCE: Duration = Duration::from_millis(500);
    /// How many messages between two looks at the clock.
    const STRIDE: u64 = 4096;

    fn new() -> Self {
        let shown = io::stderr().is_terminal() && !io::stdout().is_terminal();
        Self { shown: shown.then(Instant::now), count: 0, printed: false }
    }

    #[inline]
    fn count(&mut self) {
        self.count += 1;
        if self.count.is_multiple_of(Self::STRIDE) {
            self.show();
        }
    }

    #[cold]
    fn show(&mut self) {
        if self.shown.is_some_and(|shown| shown.elapsed() >= Self::PATIENCE) {
            // A counter that cannot be shown is not worth a failure.
            let _ = write!(io::stderr(), "\r{} messages", self.count);
            self.shown = Some(Instant::now());
            self.printed = true;
        }
    }

    fn clear(&self) {
        if self.printed {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
