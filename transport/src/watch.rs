//! A table of the kernel's, mirrored: first the whole state, then every change, never a gap.
//!
//! A [`Watch`] joins the groups that tell of changes before it dumps the table, keeps what is told meanwhile until the dump is
//! over, and then goes on with what is told. Where events are lost (a slow caller costs that, and no memory), where the dump
//! itself was disturbed, or where something happened that the kernel does not tell of in full, it dumps the table anew, and
//! says so. How often is limited, so that a storm of changes does not become a storm of dumps.
//!
//! What is watched is a [`Subject`]: [`route::watched`](crate::codec::route::watched) has those of rtnetlink and says what is
//! known of the consistency of each; the trait takes any other. Where it is kept is a [`Store`]: a [`Map`] here, a
//! [`FixedTable`](crate::codec::follow::FixedTable) of the codec's, or `()` for nowhere. With a store, a dump anew tells
//! the differences alone, what vanished among them; without, all is told again between [`Change::Resync`] and
//! [`Change::Synced`], and what was not told by then is gone.
//!
//! ```
//! use ringlink::codec::route::watched::Links;
//! use ringlink::codec::route::Link;
//! use ringlink::engine::Deadline;
//! use ringlink::watch::{Change, Map, Watch};
//!
//! let mut watch = Watch::open(Links, Map::new())?;
//! let mut synced = false;
//! while !synced {
//!     watch.step(Deadline::none(), |change| {
//!         match change {
//!             Change::Added(link) => println!("{:?} is there", link.attributes.get(Link::IFNAME)?),
//!             Change::Changed(link) => println!("{:?} changed", link.attributes.get(Link::IFNAME)?),
//!             Change::Removed(link) => println!("{:?} is gone", link.attributes.get(Link::IFNAME)?),
//!             Change::Resync(cause) => println!("reading all interfaces: {cause}"),
//!             Change::Synced(_) => synced = true,
//!         }
//!         Ok(())
//!     })?;
//! }
//! assert!(watch.store().len() > 0);
//! # Ok::<(), ringlink::Error>(())
//! ```

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use ringlink_codec::follow::{Advice, Follower, Full, Key, Meaning, Put, Store, Subject};
use ringlink_codec::reply::End;
use ringlink_codec::table::Body;
use ringlink_codec::wire::{Message, MessageHeader, MessageType};

use crate::connection::{Config, Connection};
use crate::engine::Deadline;
use crate::error::Error;
use crate::monitor::Monitor;
use crate::socket::Protocol;

/// How a watch is opened.
#[derive(Clone, Debug)]
pub struct WatchConfig {
    /// The protocol. Default: `ROUTE`.
    pub protocol: Protocol,
    /// How its two sockets are opened, that of the dumps and that of the events; a larger receive buffer takes larger bursts
    /// of events.
    pub connection: Config,
    /// The least time between the starts of two dumps. Default: 100 ms. Where a dump takes long, it is four times what the last
    /// one took.
    pub pause: Duration,
    /// How many dumps in a row that were disturbed or cut to do again at once; then the last is taken as it is, with its
    /// [`End`] saying so. Default: 5.
    pub tries: u32,
}

impl Default for WatchConfig {
    fn default() -> WatchConfig {
        WatchConfig {
            protocol: Protocol::ROUTE,
            connection: Config::default(),
            pause: Duration::from_millis(100),
            tries: 5,
        }
    }
}

/// Something that a watch has to tell.
pub enum Change<'m, F: Subject> {
    /// The table is read anew. What follows, up to [`Synced`](Change::Synced), is what differs from what the store has, or
    /// everything where nothing is stored.
    Resync(Cause),
    /// An object is there that was not.
    Added(Body<'m, F::Answer>),
    /// An object is not as it was.
    Changed(Body<'m, F::Answer>),
    /// An object is gone; as it was told or stored last.
    Removed(Body<'m, F::Answer>),
    /// The table was read: what was told and not taken back is what is there, if [`End::is_complete`].
    Synced(End),
}

impl<F: Subject> fmt::Debug for Change<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Change::Resync(cause) => f.debug_tuple("Resync").field(cause).finish(),
            Change::Added(body) => f.debug_tuple("Added").field(&body.attributes).finish(),
            Change::Changed(body) => f.debug_tuple("Changed").field(&body.attributes).finish(),
            Change::Removed(body) => f.debug_tuple("Removed").field(&body.attributes).finish(),
            Change::Synced(end) => f.debug_tuple("Synced").field(end).finish(),
        }
    }
}

/// Why a table is read anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// Nothing is known yet.
    First,
    /// Events were lost, so many if the kernel counted them.
    Overrun {
        /// How many.
        drops: u32,
    },
    /// The last dump was disturbed or cut.
    Disturbed,
    /// Something happened that may have changed objects without an event for each.
    Doubt,
    /// The caller wants it.
    Asked,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::First => f.write_str("nothing is known yet"),
            Cause::Overrun { drops: 0 } => f.write_str("events were lost"),
            Cause::Overrun { drops } => write!(f, "{drops} events were lost"),
            Cause::Disturbed => f.write_str("it changed while it was read"),
            Cause::Doubt => f.write_str("something happened that may have changed more than was told"),
            Cause::Asked => f.write_str("asked for"),
        }
    }
}

/// What a watch has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// Events that were told.
    pub events: u64,
    /// How often events were lost.
    pub overruns: u64,
    /// How many events were lost, as far as the kernel counted them.
    pub drops: u64,
    /// How often the table was read.
    pub dumps: u64,
    /// How many of these were disturbed or cut.
    pub disturbed: u64,
    /// How often something happened that made for doubt.
    pub doubts: u64,
}

/// A table of the kernel's, mirrored. See the [module](self).
pub struct Watch<F, S> {
    subject: F,
    store: S,
    config: WatchConfig,
    monitor: Monitor,
    connection: Connection,
    state: State,
}

/// How far the mirror is to be trusted.
#[derive(Debug)]
struct State {
    follower: Follower,
    cause: Cause,
    /// Disturbed dumps in a row.
    tries: u32,
    /// When the next dump may start.
    earliest: Option<Instant>,
    figures: Figures,
}

impl State {
    fn is_live(&self) -> bool {
        self.follower.advice() == Advice::Listen
    }

    fn doubt(&mut self, cause: Cause) {
        // Of several causes the first counts, unless a later one is stronger.
        if self.is_live() || cause != Cause::Doubt {
            self.cause = cause;
        }
        self.follower.distrust();
    }

    /// Takes note of lost events; an error that is none of that comes back.
    fn lost(&mut self, error: Error) -> Result<(), Error> {
        if !error.is_loss() {
            return Err(error);
        }
        let drops = if let Error::Overrun { drops } = error { drops } else { 0 };
        self.figures.overruns += 1;
        self.figures.drops += u64::from(drops);
        self.cause = Cause::Overrun { drops };
        self.follower.overrun();
        Ok(())
    }
}

impl<F: fmt::Debug, S> fmt::Debug for Watch<F, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch")
            .field("subject", &self.subject)
            .field("follower", &self.state.follower)
            .field("figures", &self.state.figures)
            .finish_non_exhaustive()
    }
}

/// The caller's closure.
type Tell<'f, F> = dyn FnMut(Change<'_, F>) -> Result<(), Error> + 'f;

impl<F: Subject, S: Store> Watch<F, S> {
    /// Watches a table of rtnetlink's with the default configuration.
    ///
    /// # Errors
    ///
    /// As [`with`](Watch::with).
    pub fn open(subject: F, store: S) -> Result<Watch<F, S>, Error> {
        Watch::with(subject, store, WatchConfig::default())
    }

    /// Watches a table. Nothing is read before the first [`step`](Watch::step), but from now on no change is missed.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::with`] and [`Monitor::with`].
    pub fn with(subject: F, store: S, config: WatchConfig) -> Result<Watch<F, S>, Error> {
        let monitor = Monitor::with(config.protocol, &config.connection, subject.groups())?;
        let connection = Connection::with(config.protocol, config.connection.clone())?;
        Ok(Watch::over(subject, store, monitor, connection, config))
    }

    /// A watch over a monitor and a connection of the caller's. The monitor has joined the subject's
    /// [groups](Subject::groups); of the configuration, `pause` and `tries` count.
    pub fn over(subject: F, store: S, monitor: Monitor, connection: Connection, config: WatchConfig) -> Watch<F, S> {
        Watch {
            subject,
            store,
            config,
            monitor,
            connection,
            state: State {
                follower: Follower::new(),
                cause: Cause::First,
                tries: 0,
                earliest: None,
                figures: Figures::default(),
            },
        }
    }

    /// Waits for the next thing to happen, and tells it: a datagram of events, or a whole dump and what came meanwhile.
    ///
    /// # Errors
    ///
    /// [`Error::TimedOut`] where nothing happened, what the dump and the engines say, [`Error::Full`] where the store has no
    /// room, and the closure's own. After each of them the watch goes on: where something may have been missed, with a dump.
    pub fn step(
        &mut self,
        deadline: Deadline,
        mut tell: impl FnMut(Change<'_, F>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let tell: &mut Tell<'_, F> = &mut tell;
        if self.state.is_live() {
            return self.listen(deadline, tell);
        }
        loop {
            match self.state.earliest {
                Some(earliest) if Instant::now() < earliest => {
                    // Until then events count all the same.
                    let last = deadline.moment().is_some_and(|moment| moment <= earliest);
                    let until = if last { deadline } else { Deadline::at(earliest) };
                    match self.listen(until, tell) {
                        Err(error) if error.is_timed_out() && !last => {}
                        other => return other,
                    }
                }
                _ => return self.read(tell),
            }
        }
    }

    /// Steps until the table is known and nothing more is there to tell.
    ///
    /// # Errors
    ///
    /// As [`step`](Watch::step).
    pub fn catch_up(
        &mut self,
        deadline: Deadline,
        mut tell: impl FnMut(Change<'_, F>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        loop {
            let live = self.state.is_live();
            match self.step(if live { Deadline::after(Duration::ZERO) } else { deadline }, &mut tell) {
                Err(error) if live && error.is_timed_out() => return Ok(()),
                other => other?,
            }
        }
    }

    /// Reads the table anew with the next [`step`](Watch::step).
    pub fn resync(&mut self) {
        self.state.doubt(Cause::Asked);
    }

    /// What is kept.
    pub fn store(&self) -> &S {
        &self.store
    }

    /// What is watched.
    pub fn subject(&self) -> &F {
        &self.subject
    }

    /// Whether what was told is what is there, as far as the kernel tells.
    pub fn is_live(&self) -> bool {
        self.state.is_live()
    }

    /// What the watch has done.
    pub fn figures(&self) -> Figures {
        self.state.figures
    }

    /// The socket that hears the events.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Receives one datagram of events, and tells them.
    fn listen(&mut self, deadline: Deadline, tell: &mut Tell<'_, F>) -> Result<(), Error> {
        let state = &mut self.state;
        let notice = match self.monitor.receive(deadline) {
            Ok(notice) => notice,
            Err(error) => return state.lost(error),
        };
        let mut doubt = None;
        let mut told = Ok(());
        for message in notice.messages() {
            state.figures.events += 1;
            let Ok(message) = message else {
                // What is behind such a message in the datagram is lost.
                doubt = Some(Cause::Overrun { drops: 0 });
                break;
            };
            let taken = take(&self.subject, &mut self.store, message, tell);
            match taken {
                Ok(Taken::Told) => {}
                Ok(Taken::Doubtful) => {
                    state.figures.doubts += 1;
                    doubt = Some(Cause::Doubt);
                }
                Err(error) => {
                    told = Err(error);
                    doubt = Some(Cause::Asked);
                    break;
                }
            }
        }
        if let Some(cause) = doubt {
            state.doubt(cause);
        }
        told
    }

    /// Reads the table, and tells what came meanwhile.
    fn read(&mut self, tell: &mut Tell<'_, F>) -> Result<(), Error> {
        let start = Instant::now();
        self.state.earliest = start.checked_add(self.config.pause);
        let settled = self.forget_events(start)?;
        tell(Change::Resync(self.state.cause))?;
        self.state.figures.dumps += 1;
        self.store.begin();
        self.state.follower.dump_started();
        if !settled {
            self.state.follower.distrust();
        }
        let (end, full) = match self.dump(tell) {
            Ok(read) => read,
            Err(error) => {
                self.state.follower.dump_failed();
                return Err(error);
            }
        };
        let took = start.elapsed();
        self.state.earliest = start.checked_add(self.config.pause.max(took.saturating_mul(4)));
        // What was told while the table was read: the kernel kept it.
        loop {
            match self.listen(Deadline::after(Duration::ZERO), tell) {
                Ok(()) if start.elapsed() < took.saturating_mul(2) + self.config.pause => {}
                Ok(()) => break,
                Err(error) if error.is_timed_out() => break,
                Err(error) => {
                    self.state.follower.dump_failed();
                    return Err(error);
                }
            }
        }
        if end.is_complete() {
            self.state.tries = 0;
            self.state.follower.dump_ended(end);
            let kind = self.subject.dump().answer;
            sweep(&mut self.store, kind, tell)?;
        } else {
            self.state.figures.disturbed += 1;
            self.state.tries += 1;
            if self.state.tries > self.config.tries {
                // Good enough, as the caller has said; the end tells him.
                self.state.tries = 0;
                self.state.follower.dump_ended(End::default());
            } else {
                self.state.cause = Cause::Disturbed;
                self.state.earliest = None;
                self.state.follower.dump_ended(end);
            }
        }
        if full {
            // There may be room now that what is gone is gone.
            self.state.follower.dump_failed();
            return Err(Error::Full);
        }
        tell(Change::Synced(end))
    }

    /// Throws away what was told before the table is read: it is older than what will be read, and where a later event was
    /// lost, it would not be taken back. Says whether all of it is gone; in a storm more may come than this has time for.
    fn forget_events(&mut self, start: Instant) -> Result<bool, Error> {
        while start.elapsed() < self.config.pause.max(Duration::from_millis(20)) {
            match self.monitor.receive(Deadline::after(Duration::ZERO)) {
                Ok(notice) => self.state.figures.events += notice.messages().count() as u64,
                Err(error) if error.is_timed_out() => return Ok(true),
                Err(error) => self.state.lost(error)?,
            }
        }
        Ok(false)
    }

    /// Reads the table; says how that ended, and whether the store was full.
    fn dump(&mut self, tell: &mut Tell<'_, F>) -> Result<(End, bool), Error> {
        let (subject, store) = (&self.subject, &mut self.store);
        let (mut full, mut begun) = (false, false);
        let mut dump = self.connection.dump(subject.dump(), subject.header(), |_| {})?;
        loop {
            match dump.next_message() {
                Ok(Some(message)) => {
                    begun = true;
                    match take(subject, store, message, tell) {
                        Err(Error::Full) => full = true,
                        other => other.map(drop)?,
                    }
                }
                Ok(None) => return Ok((dump.end(), full)),
                // There is no table yet; a dump that breaks off is another matter.
                Err(error) if error.is_not_found() && !begun => return Ok((End::default(), full)),
                Err(error) => return Err(error),
            }
        }
    }
}

/// What became of a message.
enum Taken {
    Told,
    Doubtful,
}

/// Takes a message in, and tells what it changes.
fn take<F: Subject, S: Store>(
    subject: &F,
    store: &mut S,
    message: Message<'_>,
    tell: &mut Tell<'_, F>,
) -> Result<Taken, Error> {
    let meaning = subject.meaning(message);
    let (key, others) = match meaning {
        Meaning::Other => return Ok(Taken::Told),
        Meaning::Doubt => return Ok(Taken::Doubtful),
        Meaning::Gone(key) => {
            // Where something else stands there, that may have lost a part.
            return match store.remove(&key) {
                true => tell(Change::Removed(Body::of(message))).map(|()| Taken::Told),
                false if store.others(&key) > 0 => Ok(Taken::Doubtful),
                false => Ok(Taken::Told),
            };
        }
        Meaning::Beside(key) | Meaning::Uncertain(key) => (key, 0),
        Meaning::Instead(key) | Meaning::Among(key) => (key, store.others(&key)),
    };
    let mut taken = Taken::Told;
    match (meaning, others) {
        (Meaning::Instead(_), 1) => remove_others(store, &key, message.header.kind, tell)?,
        (Meaning::Instead(_) | Meaning::Among(_), 1..) | (Meaning::Uncertain(_), _) => taken = Taken::Doubtful,
        _ => {}
    }
    match store.put(key, subject.digest(message), message.payload) {
        Ok(Put::Added) => tell(Change::Added(Body::of(message)))?,
        Ok(Put::Changed) => tell(Change::Changed(Body::of(message)))?,
        Ok(Put::Same) => {}
        Err(Full) => return Err(Error::Full),
    }
    Ok(taken)
}

/// An object that was stored, as a message.
fn stored(kind: MessageType, payload: &[u8]) -> Message<'_> {
    Message { header: MessageHeader { kind, ..MessageHeader::default() }, payload }
}

fn remove_others<F: Subject, S: Store>(
    store: &mut S,
    key: &Key,
    kind: MessageType,
    tell: &mut Tell<'_, F>,
) -> Result<(), Error> {
    let mut told = Ok(());
    store.remove_others(key, &mut |payload| {
        let next = tell(Change::Removed(Body::of(stored(kind, payload))));
        told = std::mem::replace(&mut told, Ok(())).and(next);
    });
    told
}

fn sweep<F: Subject, S: Store>(store: &mut S, kind: MessageType, tell: &mut Tell<'_, F>) -> Result<(), Error> {
    let mut told = Ok(());
    store.sweep(&mut |payload| {
        let next = tell(Change::Removed(Body::of(stored(kind, payload))));
        told = std::mem::replace(&mut told, Ok(())).and(next);
    });
    told
}

/// A store without a limit, by ascending key.
#[derive(Clone, Debug, Default)]
pub struct Map {
    entries: BTreeMap<Key, Kept>,
    generation: u32,
}

#[derive(Clone, Debug)]
struct Kept {
    digest: u64,
    generation: u32,
    payload: Box<[u8]>,
}

impl Map {
    /// An empty one.
    pub fn new() -> Map {
        Map::default()
    }

    /// How many objects there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The objects' keys, digests, and payloads of their messages.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, u64, &[u8])> {
        self.entries.iter().map(|(key, kept)| (key, kept.digest, &*kept.payload))
    }

    /// The objects as bodies of their messages; `F` is what is watched.
    pub fn bodies<F: Subject>(&self) -> impl Iterator<Item = Body<'_, F::Answer>> {
        self.entries.values().map(|kept| Body::of(stored(MessageType::default(), &kept.payload)))
    }
}

impl Store for Map {
    fn begin(&mut self) {
        self.generation = self.generation.wrapping_add(1);
    }

    fn put(&mut self, key: Key, digest: u64, payload: &[u8]) -> Result<Put, Full> {
        let generation = self.generation;
        let kept = || Kept { digest, generation, payload: payload.into() };
        match self.entries.entry(key) {
            std::collections::btree_map::Entry::Vacant(vacant) => {
                vacant.insert(kept());
                Ok(Put::Added)
            }
            std::collections::btree_map::Entry::Occupied(mut occupied) => {
                let old = occupied.get_mut();
                old.generation = generation;
                if old.digest == digest {
                    return Ok(Put::Same);
                }
                *old = kept();
                Ok(Put::Changed)
            }
        }
    }

    fn remove(&mut self, key: &Key) -> bool {
        self.entries.remove(key).is_some()
    }

    fn others(&self, key: &Key) -> usize {
        let of_place = self.entries.range(key.first_of_place()..).take_while(|(other, _)| other.shares_place(key));
        of_place.filter(|(other, _)| *other != key).count()
    }

    fn remove_others(&mut self, key: &Key, gone: &mut dyn FnMut(&[u8])) {
        let of_place = self.entries.range(key.first_of_place()..).take_while(|(other, _)| other.shares_place(key));
        let others: Vec<Key> = of_place.map(|(other, _)| *other).filter(|other| other != key).collect();
        for other in others {
            if let Some(kept) = self.entries.remove(&other) {
                gone(&kept.payload);
            }
        }
    }

    fn sweep(&mut self, gone: &mut dyn FnMut(&[u8])) {
        let generation = self.generation;
        self.entries.retain(|_, kept| {
            let stays = kept.generation == generation;
            if !stays {
                gone(&kept.payload);
            }
            stays
        });
    }
}
