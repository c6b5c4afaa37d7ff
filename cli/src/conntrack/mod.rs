//! `conntrack`: connections that the kernel tracks, in the words of conntrack(8).

mod words;

mod choose;
mod labels;
mod print;

mod change;
mod events;
mod expect;
mod watched;

use ringlink::Connection;
use ringlink::codec::netfilter::conntrack::{ConnectionMessage, ConnectionView, Conntrack, CpuStats, Cta, GlobalStats};
use ringlink::codec::netfilter::{Family, NetfilterHeader};
use ringlink::codec::reply::Errno;
use ringlink::codec::table::{Be32, Body, Format, Key, Operation};
use ringlink::connection::Dump;
use ringlink::socket::Protocol;

use crate::arguments::{Words, keyword};
use crate::failure::Failure;
use crate::output::{Formatted, Output};
use crate::session::{Session, warn};
pub(crate) use watched::Watched;
use words::{Wanted, verb};

/// What `ringlink conntrack help` says.
pub(crate) const HELP: &str = "\
ringlink conntrack list [dying | unconfirmed] [CHOICE …] [-z] [-o SHOWN]
ringlink conntrack get TUPLE [-w ZONE] [-o SHOWN]
ringlink conntrack create | add TUPLE -t SECONDS [CHOICE …] [--label-add LABEL] [--helper NAME]
ringlink conntrack update [CHOICE …] [-t SECONDS] [-m MARK[/MASK]] [-u STATUS] [--label-add LABEL] [--label-del [LABEL]]
ringlink conntrack delete CHOICE … [-o SHOWN]
ringlink conntrack flush [-f FAMILY] | count | stats | load FILE|-
ringlink conntrack events [-e ALL | NEW,UPDATES,DESTROY] [CHOICE …] [-o SHOWN]
ringlink conntrack expect list | get | delete | events [-p PROTO] [MASTER] [EXPECTED] [--helper NAME] [-o SHOWN]
ringlink conntrack expect create -p PROTO MASTER EXPECTED MASKS -t SECONDS --helper NAME
ringlink conntrack expect flush | count | stats

TUPLE     -p PROTO -s ADDRESS -d ADDRESS [--sport PORT --dport PORT | --icmp-type N --icmp-code N --icmp-id N]
          [-r ADDRESS -q ADDRESS] [--reply-port-src PORT] [--reply-port-dst PORT] [--orig-zone ZONE] [--reply-zone ZONE];
          keys of GRE by --srckey --dstkey
CHOICE    parts of a TUPLE, of which -s -d -r -q take ADDRESS/BITS; -f ipv4|ipv6, -m MARK[/MASK], -u STATUS, -w ZONE,
          -n [ADDRESS[:PORT]] source and -g destination translated, -j either, -l LABEL, --state STATE, --helper NAME,
          -i ID, --orig-vtag N --reply-vtag N (sctp), --role client|server (dccp), --mask-src MASK, --mask-dst MASK
STATUS    ASSURED, SEEN_REPLY, FIXED_TIMEOUT, EXPECTED, OFFLOAD, HW_OFFLOAD with commas between; UNSET: neither of the first two
SHOWN     extended, id, timestamp (of events), ktimestamp, labels, save (what load takes), with commas between
MASTER    -s ADDRESS -d ADDRESS --sport PORT --dport PORT
EXPECTED  --tuple-src ADDRESS --tuple-dst ADDRESS --tuple-port-src PORT --tuple-port-dst PORT
MASKS     --mask-src MASK --mask-dst MASK --mask-port-src N --mask-port-dst N

Of connections that began while nobody listened the kernel tells no events, unless net.netfilter.nf_conntrack_events is 1.
The letters of conntrack(8) do as well: ringlink conntrack -L -p tcp. -z counts from 0 again what is shown, and nothing else.
";

/// What can be done, by words and by conntrack's letters.
const VERBS: &[(&str, &[&str])] = &[
    ("list", &["-L", "--dump", "show"]),
    ("get", &["-G", "--get"]),
    ("create", &["-I", "--create"]),
    ("update", &["-U", "--update"]),
    ("delete", &["-D", "--delete"]),
    ("flush", &["-F", "--flush"]),
    ("count", &["-C", "--count"]),
    ("stats", &["-S", "--stats"]),
    ("events", &["-E", "--event"]),
    ("add", &["-A", "--add"]),
    ("load", &["-R", "--load-file"]),
];

const TABLES: &[&str] = &["conntrack", "expect", "dying", "unconfirmed"];
const EXPECTED: &str = "list, get, create, update, delete, flush, count, stats, events, load or expect";

/// Does what the words behind `conntrack` say.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut table = table(words);
    let verb = match words.next() {
        None => "list",
        Some(word) => verb_named(word).ok_or_else(|| words.refuse(EXPECTED))?,
    };
    table = table.or_else(|| self::table(words));
    session.connection = Connection::with(Protocol::NETFILTER, session.config().clone())?;
    let table = table.unwrap_or("conntrack");
    let done = match (table, verb) {
        ("expect", _) => expect::run(session, words, verb),
        ("dying" | "unconfirmed", "list") => list(session, words, table),
        ("dying" | "unconfirmed", _) => Err(Failure::Usage(format!("`{verb}` of `{table}`: expected list"))),
        (_, "list") => list(session, words, table),
        (_, "count") => nothing_more(words).and_then(|()| count(session)),
        (_, "stats") => nothing_more(words).and_then(|()| stats(session, Conntrack::GET_STATS_CPU, COUNTERS)),
        (_, "get") => change::get(session, words),
        (_, "update") => change::update(session, words),
        (_, "delete") => change::delete(session, words),
        (_, "flush") => change::flush(session, words),
        (_, "load") => change::load(session, words),
        (_, "events") => return events::run(session, words, false),
        _ => change::create(session, words, verb == "create"),
    };
    done.map_err(|failure| explain(session, failure))?;
    session.finish()
}

fn table(words: &mut Words<'_>) -> Option<&'static str> {
    let found = TABLES.iter().find(|table| words.peek() == Some(**table)).copied()?;
    words.next();
    Some(found)
}

fn verb_named(word: &str) -> Option<&'static str> {
    let names: Vec<&str> = VERBS.iter().map(|(verb, _)| *verb).collect();
    let other = VERBS.iter().find(|(_, others)| others.contains(&word)).map(|(verb, _)| *verb);
    other.or_else(|| keyword(word, &names))
}

fn nothing_more(words: &mut Words<'_>) -> Result<(), Failure> {
    match words.next() {
        None => Ok(()),
        Some(word) => Err(Failure::Usage(format!("`{word}`: expected nothing more"))),
    }
}

/// A kernel without connection tracking says of every request of it what it says of a wrong one: one that cannot be
/// wrong tells.
fn explain(session: &mut Session, failure: Failure) -> Failure {
    let missing = |error: &ringlink::Error| {
        error.refused().is_some_and(|refused| refused.errno == Errno::INVAL) || error.is_unsupported()
    };
    match &failure {
        Failure::Library(error) if missing(error) => {}
        _ => return failure,
    }
    match session.connection.get(Conntrack::GET_STATS, NetfilterHeader::default(), |_| {}) {
        Err(error) if missing(&error) => Failure::Input(
            "this kernel tells nothing of connections: it was built without CONFIG_NF_CT_NETLINK, or that is a module and not loaded (`modprobe nf_conntrack_netlink`)".to_owned(),
        ),
        _ => failure,
    }
}

/// Shows connections.
fn list(session: &mut Session, words: &mut Words<'_>, table: &str) -> Result<(), Failure> {
    let wanted = Wanted::read(words, verb::LIST, session.options.family())?;
    let operation = match (table, wanted.zero) {
        ("conntrack", false) => Conntrack::GET,
        // What was chosen is asked for anew, so that nothing else counts from 0.
        ("conntrack", true) if wanted.is_choosy() => return change::zero(session, &wanted),
        ("conntrack", true) => Conntrack::GET_CTRZERO,
        (_, true) => return Err(Failure::Usage(format!("`-z` does not go with `{table}`"))),
        ("dying", _) => Conntrack::GET_DYING,
        _ => Conntrack::GET_UNCONFIRMED,
    };
    for family in wanted.families() {
        let Session { connection, output, .. } = &mut *session;
        let dump = connection.dump(operation, NetfilterHeader::of(*family), |question| wanted.ask(question))?;
        each(dump, output, |output, body| {
            let view = ConnectionView::read(body)?;
            if wanted.matches(&view) {
                output.row(|row| print::connection(row, &view, wanted.shown, None));
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Has every answer printed. What cannot be read whole is told of, once.
fn each<A: Format>(
    mut dump: Dump<'_, A>,
    output: &mut Output,
    mut print: impl FnMut(&mut Output, Body<'_, A>) -> Result<(), ringlink::codec::Error>,
) -> Result<(), Failure> {
    let mut broken = false;
    while let Some(body) = dump.next()? {
        if let Err(error) = print(output, body)
            && !std::mem::replace(&mut broken, true)
        {
            warn(format_args!("a message could not be read whole: {error}"));
        }
        if output.is_broken() {
            return Ok(());
        }
    }
    if dump.end().truncated {
        warn(format_args!("messages were lost, some of the table is missing"));
    }
    Ok(())
}

/// What a dump of connections told, of which `wanted` chooses.
fn chosen(session: &mut Session, wanted: &Wanted) -> Result<Vec<Chosen>, Failure> {
    let mut chosen = Vec::new();
    for family in wanted.families() {
        let header = NetfilterHeader::of(*family);
        let mut gathered = session.gather(Conntrack::GET, header, |question| wanted.ask(question))?;
        gathered.retain(|body| ConnectionView::read(*body).is_ok_and(|view| wanted.matches(&view)));
        chosen.push(gathered);
    }
    Ok(chosen)
}

/// Connections that were chosen.
type Chosen = crate::session::Gathered<ConnectionMessage>;

/// Names a connection that was told of: by its tuple and its zone, and by its number, so that no later one is meant.
fn name(request: &mut ringlink::codec::table::AttributeWriter<'_, '_, Cta>, view: &ConnectionView<'_>) {
    request.nest(Cta::TUPLE_ORIG, |tuple| view.original.write(tuple));
    request.put_some(Cta::ZONE, view.zone);
    request.put_some(Cta::ID, view.id);
}

fn count(session: &mut Session) -> Result<(), Failure> {
    let Session { connection, output, .. } = session;
    let reply = connection.get(Conntrack::GET_STATS, NetfilterHeader::default(), |_| {})?;
    let (entries, most) = reply.body().attributes.read((GlobalStats::ENTRIES, GlobalStats::MAX_ENTRIES))?;
    output.row(|row| {
        row.field("entries", "", entries.unwrap_or(0));
        if let Some(most) = most {
            row.json("max", most);
        }
    });
    Ok(())
}

/// Counters of a processor and their names.
type Counters<S> = &'static [(&'static str, Key<S, Be32>)];

const COUNTERS: Counters<CpuStats> = &[
    ("searched", CpuStats::SEARCHED),
    ("found", CpuStats::FOUND),
    ("new", CpuStats::NEW),
    ("invalid", CpuStats::INVALID),
    ("ignore", CpuStats::IGNORE),
    ("delete", CpuStats::DELETE),
    ("delete_list", CpuStats::DELETE_LIST),
    ("insert", CpuStats::INSERT),
    ("insert_failed", CpuStats::INSERT_FAILED),
    ("drop", CpuStats::DROP),
    ("early_drop", CpuStats::EARLY_DROP),
    ("error", CpuStats::ERROR),
    ("search_restart", CpuStats::SEARCH_RESTART),
    ("clash_resolve", CpuStats::CLASH_RESOLVE),
    ("chaintoolong", CpuStats::CHAIN_TOOLONG),
];

/// Shows each processor's counters, of which it has those that it tells.
fn stats<S: ringlink::codec::table::Table>(
    session: &mut Session,
    operation: Operation<(NetfilterHeader, S)>,
    counters: Counters<S>,
) -> Result<(), Failure> {
    let Session { connection, output, .. } = session;
    let dump = connection.dump(operation, NetfilterHeader::of(Family::UNSPEC), |_| {})?;
    each(dump, output, |output, body| {
        let cpu = body.header.res_id.get();
        output.row(|row| {
            row.json("cpu", cpu);
            row.word(Formatted(format_args!("cpu={cpu:<4}\t")));
            row.tight();
            for (name, key) in counters {
                if let Some(count) = body.attributes.get(*key)? {
                    row.json(name, count);
                    row.word(Formatted(format_args!("{name}={count}")));
                }
            }
            Ok(())
        })
    })
}
