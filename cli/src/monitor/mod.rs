//! `monitor`: prints what changes, as it changes.

mod objects;
mod origins;
mod others;
mod screen;
pub(crate) mod stamp;

use ringlink::codec::route::Group;
use ringlink::engine::Deadline;
use ringlink::{Config, EngineChoice, Error, Monitor, Protocol};

use crate::arguments::Words;
use crate::failure::Failure;
use crate::output::Output;
use crate::session::{Session, warn};
use crate::watch;

pub(crate) use objects::{OBJECTS, Object, Other};
pub(crate) use screen::{Head, Screen};
pub(crate) use stamp::local;

/// What `ringlink monitor help` says.
pub(crate) const HELP: &str = "\
ringlink [-t | -ts] [--json] monitor [OBJECT … | all] [label] [--all-netns | all-nsid] [--resync]
ringlink [-t | -ts] [--json] monitor PROTOCOL [GROUP …] [--all-netns | all-nsid]

Prints what changes until it is interrupted: rows as `show` has them, with `Deleted` before what is gone; what `show` has no
rows for is printed as `decode` prints it. Without words that is everything; `all` is the same with labels. With --json, each
event is an object on a line of its own: object, event (new, del, message), time, netnsid and netns where asked for, and what
the row has.

  -t, -ts      tell when each event came, on a line before it or on its own
  label        say before each row what it is about
  --all-netns  hear all network namespaces that have an id in this one, and say where each event comes from
  --resync     keep the tables in mind: where events were lost, read them anew, say so (`resync`, `synced`; in JSON the
               event is so named) and print what differs. Tells changes alone, and also those that the kernel does not tell,
               such as routes lost to an interface that went down; each table by itself, not in one order.
               Without it, losses are told on standard error, with their number; a larger --receive-buffer avoids them

OBJECT    link address route mroute prefix neigh netconf rule nsid nexthop stats ifinfo mdb vlan tunnel nduseropt maddress
          acaddress tc dcb mctp
PROTOCOL  xfrm netfilter audit sock_diag selinux connector uevent, generic FAMILY: messages without names are printed as
          type, length and bytes. A wrong GROUP is answered with those there are
";

const EXPECTED: &str = "an object or protocol of `monitor help`, all, label, --all-netns or --resync";

/// What the words ask for.
#[derive(Default)]
struct Asked {
    objects: Vec<&'static Object>,
    label: bool,
    all_netns: bool,
    resync: bool,
}

/// Does what the words behind `monitor` say, until standard output or the connection ends.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut asked = Asked::default();
    while let Some(word) = words.next() {
        match word {
            "all" => {
                asked.label = true;
                asked.objects.extend(OBJECTS);
            }
            "label" => asked.label = true,
            "--all-netns" | "all-nsid" => asked.all_netns = true,
            "--resync" | "resync" => asked.resync = true,
            _ => match (Other::named(word), Object::named(word)) {
                (Some(_), _) if asked.resync || !asked.objects.is_empty() => {
                    return Err(words.refuse("objects alone, or one protocol alone"));
                }
                (Some(other), _) => return others::run(session, other, words, asked.all_netns),
                (None, Some(object)) => asked.objects.push(object),
                (None, None) => return Err(words.refuse(EXPECTED)),
            },
        }
    }
    if asked.resync && asked.all_netns {
        return Err(Failure::Usage("--resync reads the tables of one namespace: not with --all-netns".into()));
    }
    if asked.resync { watch::resync(session, &asked.objects, asked.label) } else { listen(session, &asked) }
}

fn listen(session: &mut Session, asked: &Asked) -> Result<(), Failure> {
    let mut config = session.config().clone();
    config.socket.listen_all_nsid = asked.all_netns;
    // Joined before the names are learnt, so that no name can change unseen in between.
    let monitor = open(session, &config, &asked.objects)?;
    session.learn_names()?;
    let mut screen = Screen::new(session, asked.label, asked.all_netns);
    if asked.all_netns {
        tell_unheard(&screen.origins().unheard());
    }
    told(session, &monitor);
    let everything = asked.objects.is_empty();
    let is_wanted = |object: &Object| everything || asked.objects.iter().any(|wanted| wanted.name == object.name);
    loop {
        match monitor.receive(Deadline::none()) {
            Ok(notice) => {
                let (object, origin) = (Object::told_in(notice.group()), notice.namespace());
                for message in notice.messages() {
                    let printed = message.and_then(|message| screen.event(message, object, origin, is_wanted));
                    if let Err(error) = printed {
                        warn(format_args!("an event could not be read whole: {error}"));
                    }
                }
            }
            Err(error) => loss(error)?,
        }
        screen.output.flush();
        if screen.output.is_broken() {
            return Ok(screen.output.close()?);
        }
    }
}

/// Joins the groups of these objects, or of all. Names of interfaces are followed whatever is listened to.
pub(crate) fn open(session: &Session, config: &Config, objects: &[&'static Object]) -> Result<Monitor, Failure> {
    let family = session.options.family();
    let chosen = objects.iter().flat_map(|object| object.groups(family));
    let mut groups: Vec<u32> = match objects {
        [] => OBJECTS.iter().flat_map(|object| object.groups(family)).collect(),
        _ => chosen.chain([Group::LINK.0]).collect(),
    };
    groups.sort_unstable();
    groups.dedup();
    loop {
        match by_any_engine(config, |config| Monitor::with(Protocol::ROUTE, config, &groups)) {
            // This kernel does not have the newest groups.
            Err(Error::System { errno: libc::EINVAL, .. }) if groups.last() > Some(&Group::NEXTHOP.0) => {
                groups.pop();
            }
            other => return Ok(other?),
        }
    }
}

/// Opens something, without a ring where there is no memory for one: each user may lock so much, and rings take some each.
pub(crate) fn by_any_engine<T>(config: &Config, open: impl Fn(&Config) -> Result<T, Error>) -> Result<T, Error> {
    match open(config) {
        Err(error) if config.engine == EngineChoice::Auto && error.errno() == Some(libc::ENOMEM) => {
            open(&Config { engine: EngineChoice::Syscall, ..config.clone() })
        }
        other => other,
    }
}

/// Tells on standard error that events were lost; an error that is none of that comes back.
pub(crate) fn loss(error: Error) -> Result<(), Failure> {
    if !error.is_loss() {
        return Err(error.into());
    }
    warn(format_args!("{error}; what is printed has a gap"));
    Ok(())
}

/// Tells on standard error that it listens, if statistics are wanted.
pub(crate) fn told(session: &Session, monitor: &Monitor) {
    if session.options.stats {
        warn(format_args!("listening; {}", monitor.reason()));
    }
}

/// Says that the next rows begin with the present time, if that is wanted.
pub(crate) fn stamped(session: &Session, output: &mut Output) {
    let stamp = stamp::Stamp::of(&session.options);
    output.head(|row| stamp.print(row));
}

/// Tells on standard error which namespaces are not heard.
fn tell_unheard(names: &[String]) {
    let [first, ..] = names else { return };
    let more = match names.len() {
        1 => String::new(),
        count => format!(" and {} more", count - 1),
    };
    warn(format_args!("{first}{more} have no id here and are not heard; `ip netns set NAME auto` gives one"));
}
