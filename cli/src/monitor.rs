//! `monitor`: prints what changes, as it changes.

use ringlink::codec::route::{Group, Link, Rtm};
use ringlink::codec::wire::Message;
use ringlink::engine::Deadline;
use ringlink::{Monitor, Protocol};

use crate::arguments::{Words, keyword};
use crate::failure::Failure;
use crate::link::Rows;
use crate::output::{Face, Output};
use crate::route::View;
use crate::session::{Session, warn};
use crate::{address, neighbour, route, rule};

/// What `ringlink monitor help` says.
pub(crate) const HELP: &str = "\
ringlink [--json] monitor [link | addr | route | neigh | rule | all] …

Prints what changes until it is interrupted: rows as `show` has them, with `Deleted` before what is gone. With --json,
each event is an object on a line of its own. Lost events are told on standard error.
";

const OBJECTS: &[&str] = &["all", "address", "link", "neighbor", "neighbour", "route", "rule"];

/// What is listened to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "objects are independent of each other")]
struct Wanted {
    link: bool,
    address: bool,
    route: bool,
    neighbour: bool,
    rule: bool,
}

impl Wanted {
    const ALL: Self = Self { link: true, address: true, route: true, neighbour: true, rule: true };

    fn groups(self, four: bool, six: bool) -> Vec<u32> {
        let mut groups = Vec::new();
        // Names of interfaces are followed whatever is listened to.
        groups.push(Group::LINK);
        if self.neighbour {
            groups.push(Group::NEIGH);
        }
        for (wanted, is_six, group) in [
            (self.address, false, Group::IPV4_IFADDR),
            (self.address, true, Group::IPV6_IFADDR),
            (self.route, false, Group::IPV4_ROUTE),
            (self.route, true, Group::IPV6_ROUTE),
            (self.route, true, Group::MPLS_ROUTE),
            (self.rule, false, Group::IPV4_RULE),
            (self.rule, true, Group::IPV6_RULE),
        ] {
            let hidden = if is_six { four } else { six };
            if wanted && !hidden {
                groups.push(group);
            }
        }
        groups.into_iter().map(|group| group.0).collect()
    }
}

/// Does what the words behind `monitor` say, until standard output or the connection ends.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut wanted = Wanted::default();
    while let Some(word) = words.next() {
        match keyword(word, OBJECTS) {
            Some("all") => wanted = Wanted::ALL,
            Some("address") => wanted.address = true,
            Some("link") => wanted.link = true,
            Some("route") => wanted.route = true,
            Some("rule") => wanted.rule = true,
            Some(_) => wanted.neighbour = true,
            None => return Err(words.refuse("link, addr, route, neigh, rule or all")),
        }
    }
    if wanted == Wanted::default() {
        wanted = Wanted::ALL;
    }
    let options = &session.options;
    let groups = wanted.groups(options.four, options.six);
    // Joined before the names are learnt, so that no name can change unseen in between.
    let monitor = Monitor::with(Protocol::ROUTE, session.config(), &groups)?;
    session.output = Output::new(if options.json { Face::JsonLines } else { Face::Text });
    let details = options.details || options.json;
    let several = !options.json && wanted != Wanted::default() && wanted.count() > 1;
    session.learn_names()?;
    let mut printer =
        Printer { wanted, details, several, links: Rows::new(session), view: View { details, ..View::default() } };
    if session.options.stats {
        warn(format_args!("listening; {}", monitor.reason()));
    }
    loop {
        match monitor.receive(Deadline::none()) {
            Ok(notice) => {
                for message in notice.messages() {
                    let printed = message.map_err(Failure::from).and_then(|message| printer.event(session, message));
                    if let Err(failure) = printed {
                        warn(format_args!("an event could not be read whole: {failure}"));
                    }
                }
            }
            Err(error) if error.is_loss() => warn(format_args!("{error}; what is printed has a gap")),
            Err(error) => return Err(error.into()),
        }
        session.output.flush();
        if session.output.is_broken() {
            return Ok(session.output.close()?);
        }
    }
}

impl Wanted {
    fn count(self) -> usize {
        let Self { link, address, route, neighbour, rule } = self;
        [link, address, route, neighbour, rule].into_iter().filter(|wanted| *wanted).count()
    }
}

struct Printer {
    wanted: Wanted,
    details: bool,
    /// Whether each row says what it is about.
    several: bool,
    links: Rows,
    view: View,
}

impl Printer {
    fn event(&mut self, session: &mut Session, message: Message<'_>) -> Result<(), Failure> {
        let Session { names, output, .. } = session;
        let kind = message.header.kind;
        let label = |output: &mut Output, label: &'static str| {
            if self.several {
                output.verbatim(format_args!("{label}"));
            }
        };
        if let Ok(link) = message.body(Rtm::NEWLINK).or(message.body(Rtm::DELLINK)) {
            if let (Ok(index), Some(name)) = (u32::try_from(link.header.index), link.attributes.get(Link::IFNAME)?) {
                names.insert(index, name);
            }
            if self.wanted.link {
                label(output, "[LINK]");
                self.links.print_event(output, names, &link)?;
            }
        } else if let Ok(body) = message.body(Rtm::NEWADDR).or(message.body(Rtm::DELADDR)) {
            label(output, "[ADDR]");
            address::print_event(output, names, body)?;
        } else if let Ok(body) = message.body(Rtm::NEWROUTE).or(message.body(Rtm::DELROUTE)) {
            label(output, "[ROUTE]");
            route::print(output, names, body, &self.view)?;
        } else if let Ok(body) = message.body(Rtm::NEWNEIGH).or(message.body(Rtm::DELNEIGH)) {
            label(output, "[NEIGH]");
            neighbour::print(output, names, body, neighbour::View::default())?;
        } else if let Ok(body) = message.body(Rtm::NEWRULE).or(message.body(Rtm::DELRULE)) {
            label(output, "[RULE]");
            rule::print(output, names, body, self.details)?;
        } else {
            warn(format_args!("an event of type {kind:?} has no row"));
        }
        Ok(())
    }
}
