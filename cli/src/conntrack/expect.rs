//! `conntrack expect`: connections that are expected.

use ringlink::codec::netfilter::NetfilterHeader;
use ringlink::codec::netfilter::conntrack::{
    Endpoints, Expect, Expectation, ExpectationMessage, ExpectationStats, ExpectationView,
};

use super::words::{Wanted, verb};
use super::{Counters, each, events, nothing_more, print, stats};
use crate::arguments::Words;
use crate::failure::Failure;
use crate::session::{Gathered, Session};

const COUNTERS: Counters<ExpectationStats> = &[
    ("expect_new", ExpectationStats::NEW),
    ("expect_create", ExpectationStats::CREATE),
    ("expect_delete", ExpectationStats::DELETE),
];

/// Does what a verb says.
pub(super) fn run(session: &mut Session, words: &mut Words<'_>, verb: &str) -> Result<(), Failure> {
    match verb {
        "list" => list(session, words),
        "get" => get(session, words),
        "create" | "add" => create(session, words, verb == "create"),
        "delete" => delete(session, words),
        "flush" => {
            nothing_more(words)?;
            session.connection.apply(Expect::DELETE, NetfilterHeader::default(), |_| {})?;
            Ok(())
        }
        "count" => {
            nothing_more(words)?;
            let all = session.gather(Expect::GET, NetfilterHeader::default(), |_| {})?;
            let count = u64::try_from(all.iter().count()).unwrap_or(u64::MAX);
            session.output.row(|row| row.field("entries", "", count));
            Ok(())
        }
        "stats" => {
            nothing_more(words)?;
            stats(session, Expect::GET_STATS_CPU, COUNTERS)
        }
        "events" => events::run(session, words, true),
        _ => Err(Failure::Usage(format!(
            "`{verb}` of expectations: expected list, get, create, delete, flush, count, stats or events"
        ))),
    }
}

fn list(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = Wanted::read(words, verb::LIST, session.options.family())?;
    if wanted.zero {
        return Err(Failure::Usage("`-z`: expectations have no counters".to_owned()));
    }
    let Session { connection, output, .. } = session;
    each(connection.dump(Expect::GET, NetfilterHeader::of(wanted.family), |_| {})?, output, |output, body| {
        let view = ExpectationView::read(body)?;
        if wanted.expects(&view) {
            output.row(|row| print::expectation(row, &view, wanted.shown, None));
        }
        Ok(())
    })
}

/// Asks for one expectation, by its tuple.
fn get(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = Wanted::read(words, verb::GET, session.options.family())?;
    let tuple = expected(&wanted, words)?;
    let Session { connection, output, .. } = session;
    let reply = connection.get(Expect::GET, NetfilterHeader::of(wanted.family), |question| {
        question.nest(Expectation::TUPLE, |nest| tuple.write(nest));
        question.put_some(Expectation::ZONE, wanted.zone);
    });
    let reply = match reply {
        Err(error) if error.is_not_found() => return Err(Failure::Input("there is no such expectation".to_owned())),
        reply => reply?,
    };
    let view = ExpectationView::read(reply.body())?;
    output.row(|row| print::expectation(row, &view, wanted.shown, None));
    Ok(())
}

/// The tuple that is expected, whole.
fn expected(wanted: &Wanted, words: &Words<'_>) -> Result<Endpoints, Failure> {
    if wanted.protocol.is_none() || !wanted.expected.is_named() {
        return Err(words.refuse_end("-p PROTO --tuple-src ADDRESS --tuple-dst ADDRESS"));
    }
    // The kernel takes ports where the protocol has them, and 0 for any.
    Ok(Endpoints {
        source_port: wanted.expected.source_port.or(Some(0)),
        destination_port: wanted.expected.destination_port.or(Some(0)),
        ..wanted.expected.tuple(wanted.protocol)
    })
}

/// Makes an expectation; `new`: one that is there already is an error.
fn create(session: &mut Session, words: &mut Words<'_>, new: bool) -> Result<(), Failure> {
    let wanted = Wanted::read(words, verb::CREATE, session.options.family())?;
    let tuple = expected(&wanted, words)?;
    let ports = wanted.original.source_port.is_some() && wanted.original.destination_port.is_some();
    if !wanted.original.is_named() || !ports {
        return Err(
            words.refuse_end("-s ADDRESS -d ADDRESS --sport PORT --dport PORT of the connection that expects it")
        );
    }
    if !wanted.mask.is_named() {
        return Err(words.refuse_end("--mask-src MASK --mask-dst MASK"));
    }
    let Some(timeout) = wanted.timeout else { return Err(words.refuse_end("-t SECONDS")) };
    let mask = Endpoints {
        source_port: wanted.mask.source_port.or(Some(0)),
        destination_port: wanted.mask.destination_port.or(Some(u16::MAX)),
        ..wanted.mask.tuple(wanted.protocol)
    };
    let operation = Expect::NEW.create();
    let operation = if new { operation.exclusive() } else { operation };
    session.connection.apply(operation, NetfilterHeader::of(wanted.family), |expectation| {
        expectation.nest(Expectation::MASTER, |master| wanted.original_tuple().write(master));
        expectation.nest(Expectation::TUPLE, |nest| tuple.write(nest));
        expectation.nest(Expectation::MASK, |nest| mask.write(nest));
        expectation.put(Expectation::TIMEOUT, timeout);
        expectation.put_some(Expectation::ZONE, wanted.zone);
        expectation.put_some(Expectation::HELP_NAME, wanted.helper.as_deref());
    })?;
    Ok(())
}

/// Deletes the expectations that are chosen, and shows them.
fn delete(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = Wanted::read(words, verb::DELETE, session.options.family())?;
    if !wanted.is_choosy() {
        return Err(words.refuse_end("which expectations (`flush` deletes all)"));
    }
    let all: Gathered<ExpectationMessage> = session.gather(Expect::GET, NetfilterHeader::of(wanted.family), |_| {})?;
    let views = || {
        let read = all.iter().filter_map(|body| ExpectationView::read(body).ok());
        read.filter(|view| wanted.expects(view))
    };
    let mut batch = session.connection.batch();
    for view in views() {
        batch.add(Expect::DELETE, NetfilterHeader::of(view.header.nfgen_family), |request| {
            request.nest(Expectation::TUPLE, |tuple| view.tuple.write(tuple));
            request.put_some(Expectation::ZONE, view.zone);
            request.put_some(Expectation::ID, view.id);
        })?;
    }
    let outcomes = batch.finish()?;
    for (view, outcome) in views().zip(outcomes.iter()) {
        match outcome {
            Ok(()) => session.output.row(|row| print::expectation(row, &view, wanted.shown, None)),
            // It ended by itself.
            Err(refused) if refused.errno.is_not_found() => {}
            Err(refused) => return Err(Failure::Library(ringlink::Error::Refused(Box::new(refused.clone())))),
        }
    }
    Ok(())
}
