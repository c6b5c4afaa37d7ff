//! `watch`: what is there, and then what changes; and `monitor --resync`, which tells the changes alone.

use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use ringlink::codec::follow::{Meaning, Subject};
use ringlink::codec::netfilter::conntrack::watched::Connections;
use ringlink::codec::route::watched::{Addresses, Links, Neighbours, Nexthops, Routes, Rules};
use ringlink::codec::route::{
    AddressMessage, AddressView, Family, Group, LinkMessage, NeighbourMessage, Nexthop, NexthopMessage, RouteMessage,
    Rtm, RuleMessage,
};
use ringlink::codec::table::{Body, Format, Operation};
use ringlink::codec::wire::MessageType;
use ringlink::codec::{self, Message};
use ringlink::engine::Deadline;
use ringlink::socket::Protocol;
use ringlink::watch::{Cause, Change, Map, Watch, WatchConfig};
use ringlink::{Config, Error};

use crate::arguments::{Words, keyword};
use crate::conntrack::Watched;
use crate::failure::Failure;
use crate::monitor::{self, Head, Object, Screen, by_any_engine};
use crate::output::Formatted;
use crate::route::{View, family_name};
use crate::session::{Session, warn};
use crate::{address, link, neighbour, route, rule};

/// What `ringlink watch help` says.
pub(crate) const HELP: &str = "\
ringlink [-t | -ts] [--json] watch link | addr | route | neigh | rule | nexthop | conntrack [SELECTOR] [--once]
         [--timeout SECONDS]

Prints what is there and then what changes, until it is interrupted: rows as `show` has them, after `added`, `changed` or
`removed`. What is there at first is `added`, and then it says `synced`. Where events were lost, or something happened of
which the kernel does not tell all (an interface that goes down takes routes with it), the table is read anew: it says
`resync` and why, what differs, and `synced`. With --json, each line is an object: object, event (added, changed, removed,
resync, synced), time where asked for, and what the row has; family, cause, lost and complete with the last two.

  --once             print what is there, and end
  --timeout SECONDS  end after so long; with --once that is a failure

SELECTOR is what `ringlink OBJECT help` says of show, but for what addr asks of interfaces; of next hops: [id N] [dev DEV].
As with show, `watch route` is IPv4's main table unless `table all`, -6 or another is asked for.

`watch conntrack` takes the options of `conntrack list` that choose by what every event says: not -l, --state, --role, --helper
and tags. A connection that changed is shown as far as it did; counters and time change without a word. Of connections that
began while nobody listened the kernel tells not even the end, unless net.netfilter.nf_conntrack_events is 1.
";

const OBJECTS: &[&str] = &["address", "route", "rule", "neighbor", "neighbour", "nexthop", "link", "conntrack"];

/// Does what the words behind `watch` say.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    const EXPECTED: &str = "link, addr, route, neigh, rule, nexthop or conntrack";
    let word = words.value(EXPECTED)?;
    let Some(object) = keyword(word, OBJECTS) else { return Err(words.refuse(EXPECTED)) };
    let (mut once, mut timeout, mut rest) = (false, None, Vec::new());
    while let Some(word) = words.next() {
        match word {
            "--once" | "once" => once = true,
            "--timeout" | "timeout" => timeout = Some(words.number::<u32>()?),
            _ => rest.push(word.to_owned()),
        }
    }
    let end = timeout.and_then(|seconds| Instant::now().checked_add(Duration::from_secs(u64::from(seconds))));
    // A selector of interfaces borrows its words, and is used as long as the program runs.
    let rest: &'static [String] = Vec::leak(rest);
    let words = &mut Words::new(rest);
    let screen = Screen::new(session, false, false);
    let mut watches = Watches::new(session.config(), Told::Everything, screen);
    match object {
        "link" => watches.links(&link::Filter::parse(session, words)?, session)?,
        "address" => watches.addresses(address::Filter::parse(session, words)?)?,
        "route" => watches.routes(&route::Filter::parse(session, words)?, session)?,
        "rule" => {
            let rules = rule::Draft::parse(session, words)?;
            let family = rules.family();
            watches.rules(family, move |body| rules.matches(body).unwrap_or(true))?;
        }
        "nexthop" => watches.nexthops(session, words)?,
        "conntrack" => watches.connections(Watched::parse(words, session.options.family())?)?,
        _ => watches.neighbours(neighbour::Filter::parse(session, words)?)?,
    }
    watches.run(session, once, end)
}

/// Prints the changes of these objects, or of all: of those whose tables can be read by way of a watch, the others as they
/// are told.
pub(crate) fn resync(session: &mut Session, objects: &[&'static Object], labelled: bool) -> Result<(), Failure> {
    let objects: Vec<&'static Object> = match objects {
        [] => monitor::OBJECTS.iter().collect(),
        some => some.to_vec(),
    };
    let screen = Screen::new(session, labelled, false);
    let mut watches = Watches::new(session.config(), Told::Changes, screen);
    let family = session.options.family();
    let families =
        |all: &'static [Family]| all.iter().copied().filter(move |other| family == Family::UNSPEC || *other == family);
    let mut others = Vec::new();
    for object in objects {
        match object.name {
            "link" => watches.links(&link::Filter::default(), session)?,
            "address" => {
                for family in families(&[Family::INET, Family::INET6]) {
                    watches.addresses_of(family, |_| true)?;
                }
            }
            "route" => {
                for family in families(&[Family::INET, Family::INET6]) {
                    watches.routes_of(family, View::default(), |_| true)?;
                }
            }
            "neigh" => {
                for family in families(&[Family::INET, Family::INET6, Family::BRIDGE]) {
                    watches.neighbours_of(family, false, |_| true)?;
                }
            }
            "rule" => {
                for family in families(&[Family::INET, Family::INET6]) {
                    watches.rules(family, |_| true)?;
                }
            }
            "nexthop" => watches.nexthops(session, &mut Words::new(&[]))?,
            _ => others.push(object),
        }
    }
    if !others.is_empty() {
        watches.listen(session, others)?;
    }
    watches.run(session, false, None)
}

/// How much is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Told {
    /// What is there, and what changes.
    Everything,
    /// What changes.
    Changes,
}

/// What is printed to, by one at a time.
type Shared = Arc<Mutex<Screen>>;

fn lock(screen: &Shared) -> MutexGuard<'_, Screen> {
    screen.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Tables that are followed, each by itself.
struct Watches {
    config: WatchConfig,
    told: Told,
    follows: Vec<Box<dyn Follow>>,
    screen: Shared,
}

/// One of them.
trait Follow: Send {
    /// Waits for something to happen, and prints it.
    fn step(&mut self, deadline: Deadline) -> Result<(), Failure>;

    /// Whether what was printed is what is there.
    fn is_live(&self) -> bool;
}

impl Watches {
    fn new(config: &Config, told: Told, screen: Screen) -> Self {
        let config = WatchConfig { connection: config.clone(), ..WatchConfig::default() };
        Self { config, told, follows: Vec::new(), screen: Arc::new(Mutex::new(screen)) }
    }

    fn links(&mut self, filter: &link::Filter<'static>, session: &mut Session) -> Result<(), Failure> {
        let filter = filter.clone();
        let device = filter.device().map(|name| session.interface(name)).transpose()?;
        let brief = self.told == Told::Changes;
        let matches = move |body: &Body<'_, _>| is_device(device, body_index(body)) && filter.matches(body);
        self.follow("link", "LINK", Family::UNSPEC, Links, matches, move |screen, body| screen.link(&body, None, brief))
    }

    fn addresses(&mut self, filter: address::Filter) -> Result<(), Failure> {
        if filter.is_about_links() {
            return Err(Failure::Usage(
                "`watch addr` does not look at interfaces: not up, master, type and the like".into(),
            ));
        }
        let filter = Arc::new(filter);
        for family in address::families(filter.family) {
            let filter = Arc::clone(&filter);
            self.addresses_of(*family, move |body| {
                AddressView::read(*body).is_ok_and(|address| filter.matches(&address))
            })?;
        }
        Ok(())
    }

    fn addresses_of(
        &mut self,
        family: Family,
        matches: impl Fn(&Body<'_, AddressMessage>) -> bool + Clone + Send + 'static,
    ) -> Result<(), Failure> {
        self.follow("address", "ADDR", family, Addresses(family), matches, |screen, body| {
            address::print_event(&mut screen.output, &screen.names, body)
        })
    }

    fn routes(&mut self, filter: &route::Filter, session: &Session) -> Result<(), Failure> {
        let details = session.options.details || session.options.json;
        let families = filter.families();
        if let [Family::MPLS] = families[..] {
            return Err(Failure::Usage("`watch route` is of IPv4 and IPv6".into()));
        }
        for family in families.into_iter().filter(|family| *family != Family::MPLS) {
            let view = View { details, hidden: filter.hidden(), nexthops: None };
            let filter = filter.clone();
            self.routes_of(family, view, move |body| filter.shows(*body).unwrap_or(true))?;
        }
        Ok(())
    }

    fn routes_of(
        &mut self,
        family: Family,
        view: View,
        matches: impl Fn(&Body<'_, RouteMessage>) -> bool + Clone + Send + 'static,
    ) -> Result<(), Failure> {
        self.follow("route", "ROUTE", family, Routes(family), matches, move |screen, body| {
            route::print(&mut screen.output, &screen.names, body, &view)
        })
    }

    fn rules(
        &mut self,
        family: Family,
        matches: impl Fn(Body<'_, RuleMessage>) -> bool + Clone + Send + 'static,
    ) -> Result<(), Failure> {
        self.follow(
            "rule",
            "RULE",
            family,
            Rules(family),
            move |body| matches(*body),
            |screen, body| rule::print(&mut screen.output, &screen.names, body, screen.details),
        )
    }

    fn neighbours(&mut self, filter: neighbour::Filter) -> Result<(), Failure> {
        if filter.is_about_proxies() {
            return Err(Failure::Usage("`watch neigh` is not of proxies".into()));
        }
        let filter = Arc::new(filter);
        let families = match filter.family {
            Family::UNSPEC => &[Family::INET, Family::INET6][..],
            Family::BRIDGE => &[Family::BRIDGE],
            Family::INET => &[Family::INET],
            _ => &[Family::INET6],
        };
        for family in families {
            let filter = Arc::clone(&filter);
            let one_device = filter.is_of_one_device();
            self.neighbours_of(*family, one_device, move |body| filter.matches(*body).unwrap_or(true))?;
        }
        Ok(())
    }

    fn neighbours_of(
        &mut self,
        family: Family,
        without_device: bool,
        matches: impl Fn(&Body<'_, NeighbourMessage>) -> bool + Clone + Send + 'static,
    ) -> Result<(), Failure> {
        self.follow("neigh", "NEIGH", family, Neighbours(family), matches, move |screen, body| {
            screen.neighbour(body, without_device)
        })
    }

    fn nexthops(&mut self, session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
        let (mut id, mut device) = (None, None);
        while let Some(word) = words.next() {
            match word {
                "id" => id = Some(words.number::<u32>()?),
                "dev" => device = Some(session.interface(words.value("an interface")?)?),
                _ => return Err(words.refuse("id or dev")),
            }
        }
        let matches = move |body: &Body<'_, NexthopMessage>| {
            let (found, by) = body.attributes.read((Nexthop::ID, Nexthop::OIF)).unwrap_or_default();
            (id.is_none() || id == found) && (device.is_none() || device == by)
        };
        self.follow("nexthop", "NEXTHOP", Family::UNSPEC, Nexthops, matches, |screen, body| screen.nexthop(body))
    }

    fn connections(&mut self, watched: Watched) -> Result<(), Failure> {
        self.config.protocol = Protocol::NETFILTER;
        let family = watched.family();
        let watched = Arc::new(watched);
        let chosen = Arc::clone(&watched);
        self.follow(
            "conntrack",
            "CONNTRACK",
            Family(family.0),
            Connections(family),
            move |body| chosen.matches(body),
            move |screen, body| watched.print(&mut screen.output, body),
        )
    }

    /// Opens a watch: from now on no change is missed.
    fn follow<F, M, P>(
        &mut self,
        object: &'static str,
        label: &'static str,
        family: Family,
        subject: F,
        matches: M,
        print: P,
    ) -> Result<(), Failure>
    where
        F: Subject + Clone + Send + 'static,
        M: Fn(&Body<'_, F::Answer>) -> bool + Clone + Send + 'static,
        P: FnMut(&mut Screen, Body<'_, F::Answer>) -> Result<(), codec::Error> + Send + 'static,
    {
        let mut groups = subject.groups().to_vec();
        // Rows name interfaces, and interfaces are told of by rtnetlink alone.
        let names_links = self.config.protocol == Protocol::ROUTE;
        let follows_links = names_links && groups.contains(&Group::LINK.0);
        if names_links && !follows_links {
            groups.push(Group::LINK.0);
        }
        // What routes and rules are chosen by is what tells them from each other.
        let whole = matches!(object, "route" | "rule");
        let watch = by_any_engine(&self.config.connection, |connection| {
            let chosen = Chosen {
                subject: subject.clone(),
                matches: matches.clone(),
                groups: groups.clone(),
                follows_links,
                whole,
                screen: Arc::clone(&self.screen),
            };
            Watch::with(chosen, Map::new(), WatchConfig { connection: connection.clone(), ..self.config.clone() })
        })?;
        let teller = Teller { object, label, family, told: self.told, fresh: true, marked: false };
        self.follows.push(Box::new(One { watch, teller, print, screen: Arc::clone(&self.screen) }));
        Ok(())
    }

    /// Listens to what has no table to be read.
    fn listen(&mut self, session: &Session, objects: Vec<&'static Object>) -> Result<(), Failure> {
        let monitor = monitor::open(session, session.config(), &objects)?;
        self.follows.push(Box::new(Listener { monitor, objects, screen: Arc::clone(&self.screen) }));
        Ok(())
    }

    /// Follows all of them until one fails, nobody reads what is printed, or time is up.
    fn run(self, session: &mut Session, once: bool, end: Option<Instant>) -> Result<(), Failure> {
        let Self { mut follows, screen, .. } = self;
        session.learn_names()?;
        lock(&screen).names = std::mem::take(&mut session.names);
        let deadline = end.map_or(Deadline::none(), Deadline::at);
        // One after the other at first, so that what is there comes in the order of `show`.
        for follow in &mut follows {
            while !follow.is_live() {
                match follow.step(deadline) {
                    Err(Failure::Library(Error::TimedOut)) if !is_over(end) => {}
                    Err(Failure::Library(Error::TimedOut)) if once => {
                        return Err(Failure::Input("time was up before all was known".into()));
                    }
                    Err(Failure::Library(Error::TimedOut)) => return close(&screen),
                    other => other?,
                }
            }
        }
        if once {
            return close(&screen);
        }
        if session.options.stats {
            warn(format_args!("listening; {} tables", follows.len()));
        }
        let (sender, receiver) = mpsc::channel();
        for mut follow in follows {
            let sender = sender.clone();
            // A thread each, since each waits for its own socket; they end with the program.
            thread::spawn(move || {
                let ended = loop {
                    match follow.step(Deadline::none()) {
                        Ok(()) => {}
                        // A dump that took too long; it is made again.
                        Err(Failure::Library(Error::TimedOut)) => warn(format_args!("{}", Error::TimedOut)),
                        Err(failure) => break failure,
                    }
                };
                // Whoever listens no longer knows already.
                let _ = sender.send(ended);
            });
        }
        let ended = match end {
            None => receiver.recv().ok(),
            Some(end) => receiver.recv_timeout(end.saturating_duration_since(Instant::now())).ok(),
        };
        ended.map_or_else(|| close(&screen), Err)
    }
}

fn is_over(end: Option<Instant>) -> bool {
    end.is_some_and(|end| Instant::now() >= end)
}

fn close(screen: &Shared) -> Result<(), Failure> {
    Ok(lock(screen).output.close()?)
}

/// Writes what was printed; a failure where nobody reads it.
fn flush(screen: &Shared) -> Result<(), Failure> {
    let output = &mut lock(screen).output;
    output.flush();
    if output.is_broken() { Ok(output.close()?) } else { Ok(()) }
}

/// A subject of which those objects count that match; it learns the names of interfaces by the way.
struct Chosen<F, M> {
    subject: F,
    matches: M,
    groups: Vec<u32>,
    /// Whether events of interfaces mean something to the subject itself.
    follows_links: bool,
    /// Whether an object that does not match never did.
    whole: bool,
    screen: Shared,
}

impl<F: Subject, M: Fn(&Body<'_, F::Answer>) -> bool> Subject for Chosen<F, M> {
    type Question = F::Question;
    type Answer = F::Answer;

    fn dump(&self) -> Operation<F::Question, F::Answer> {
        self.subject.dump()
    }

    fn header(&self) -> <F::Question as Format>::Header {
        self.subject.header()
    }

    fn groups(&self) -> &[u32] {
        &self.groups
    }

    fn meaning(&self, message: Message<'_>) -> Meaning {
        if let Ok(link) = message.body(Rtm::NEWLINK) {
            // One without a name that can be read keeps the one it has.
            let _ = lock(&self.screen).learn(&link, None);
        }
        let is_link = [Rtm::NEWLINK.kind, Rtm::DELLINK.kind].contains(&message.header.kind);
        if is_link && !self.follows_links {
            return Meaning::Other;
        }
        let meaning = self.subject.meaning(message);
        match meaning {
            Meaning::Other | Meaning::Doubt | Meaning::Gone(_) => meaning,
            _ if (self.matches)(&Body::of(message)) => meaning,
            Meaning::Beside(_) | Meaning::Uncertain(_) if self.whole => Meaning::Other,
            // It may have matched before.
            Meaning::Beside(key) | Meaning::Uncertain(key) => Meaning::Gone(key),
            // What it replaces may have matched.
            Meaning::Instead(_) | Meaning::Among(_) => Meaning::Doubt,
        }
    }

    fn digest(&self, message: Message<'_>) -> u64 {
        self.subject.digest(message)
    }
}

/// A watch and how its rows are printed.
struct One<F: Subject, M, P> {
    watch: Watch<Chosen<F, M>, Map>,
    teller: Teller,
    print: P,
    screen: Shared,
}

impl<F, M, P> Follow for One<F, M, P>
where
    F: Subject + Send,
    M: Fn(&Body<'_, F::Answer>) -> bool + Send,
    P: FnMut(&mut Screen, Body<'_, F::Answer>) -> Result<(), codec::Error> + Send,
{
    fn step(&mut self, deadline: Deadline) -> Result<(), Failure> {
        let Self { watch, teller, print, screen } = self;
        let answer = watch.subject().dump().answer;
        let stepped = watch.step(deadline, |change| {
            teller.tell(&mut lock(screen), answer, change, print);
            Ok(())
        });
        teller.fresh &= !watch.is_live();
        flush(screen)?;
        Ok(stepped?)
    }

    fn is_live(&self) -> bool {
        self.watch.is_live()
    }
}

/// What stands before the rows of a watch.
struct Teller {
    object: &'static str,
    label: &'static str,
    family: Family,
    told: Told,
    /// Whether nothing is known yet.
    fresh: bool,
    /// Whether it was said that the table is read anew.
    marked: bool,
}

impl Teller {
    fn tell<F: Subject>(
        &mut self,
        screen: &mut Screen,
        kind: MessageType,
        change: Change<'_, F>,
        print: &mut impl FnMut(&mut Screen, Body<'_, F::Answer>) -> Result<(), codec::Error>,
    ) {
        let changes = self.told == Told::Changes;
        let (event, word, mut body) = match change {
            // Among changes alone, the first reading goes without saying, and so does one that is made only to be sure.
            Change::Resync(cause) => {
                self.marked = !changes || matches!(cause, Cause::Overrun { .. }) || (self.marked && !self.fresh);
                if self.marked {
                    self.resync(screen, cause);
                }
                return;
            }
            Change::Synced(end) => {
                if self.marked {
                    self.synced(screen, end.is_complete());
                }
                self.marked &= !end.is_complete();
                return;
            }
            Change::Added(_) | Change::Changed(_) | Change::Removed(_) if changes && self.fresh => return,
            Change::Added(body) => ("added", "added ", body),
            Change::Changed(body) => ("changed", "changed ", body),
            Change::Removed(body) => ("removed", "removed ", body),
        };
        // Whether it is gone is said by the event; with events of a monitor, by the row as well. Of rtnetlink's types, the
        // one that deletes follows the one that makes.
        let gone = event == "removed" && changes;
        body.message.kind = MessageType(kind.0 + u16::from(gone));
        let (event, word) = match (changes, gone) {
            (false, _) => (event, word),
            (true, true) => ("del", ""),
            (true, false) => ("new", ""),
        };
        screen.head(self.head(event, word), None);
        if let Err(error) = print(screen, body) {
            warn(format_args!("an event could not be read whole: {error}"));
        }
    }

    fn head(&self, event: &'static str, word: &'static str) -> Head<'static> {
        Head { object: self.object, label: self.label, event, word }
    }

    fn resync(&self, screen: &mut Screen, cause: Cause) {
        let (name, lost) = match cause {
            Cause::First => ("first", None),
            Cause::Overrun { drops } => ("overrun", Some(drops)),
            Cause::Disturbed => ("disturbed", None),
            Cause::Doubt => ("doubt", None),
            _ => ("asked", None),
        };
        screen.head(self.head("resync", "resync "), None);
        let family = self.family;
        screen.output.row(|row| {
            row.word(self.object);
            if family != Family::UNSPEC {
                row.field("family", "", family_name(family));
            }
            row.json("cause", name);
            if let Some(lost) = lost {
                row.json("lost", lost);
            }
            row.glue(Formatted(format_args!(": {cause}")));
        });
    }

    fn synced(&self, screen: &mut Screen, complete: bool) {
        screen.head(self.head("synced", "synced "), None);
        let family = self.family;
        screen.output.row(|row| {
            row.word(self.object);
            if family != Family::UNSPEC {
                row.field("family", "", family_name(family));
            }
            row.json("complete", complete);
            if !complete {
                row.glue(": it changed while it was read");
            }
        });
    }
}

/// What has no table to be read, as it is told.
struct Listener {
    monitor: ringlink::Monitor,
    objects: Vec<&'static Object>,
    screen: Shared,
}

impl Follow for Listener {
    fn step(&mut self, deadline: Deadline) -> Result<(), Failure> {
        let notice = match self.monitor.receive(deadline) {
            Ok(notice) => notice,
            Err(error) => return monitor::loss(error),
        };
        let object = Object::told_in(notice.group());
        let is_wanted = |object: &Object| self.objects.iter().any(|wanted| wanted.name == object.name);
        for message in notice.messages() {
            let printed = message.and_then(|message| lock(&self.screen).event(message, object, None, is_wanted));
            if let Err(error) = printed {
                warn(format_args!("an event could not be read whole: {error}"));
            }
        }
        flush(&self.screen)
    }

    fn is_live(&self) -> bool {
        true
    }
}

fn body_index(body: &Body<'_, LinkMessage>) -> Option<u32> {
    u32::try_from(body.header.index).ok()
}

fn is_device(wanted: Option<u32>, found: Option<u32>) -> bool {
    wanted.is_none() || wanted == found
}
