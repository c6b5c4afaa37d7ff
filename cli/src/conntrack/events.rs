//! `conntrack events`: what begins, changes and ends, as it happens.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use ringlink::Monitor;
use ringlink::codec::multicast::NetfilterGroup;
use ringlink::codec::netfilter::conntrack::{ConnectionView, Conntrack, Expect, ExpectationMessage, ExpectationView};
use ringlink::codec::table::Body;
use ringlink::codec::wire::{Flags, Message};
use ringlink::engine::Deadline;
use ringlink::socket::Protocol;

use super::print::{self, Event};
use super::words::{Events, Wanted, verb};
use crate::arguments::Words;
use crate::failure::Failure;
use crate::output::{Face, Formatted, FormattedNumber, Output};
use crate::session::{Session, warn};

/// Groups of connections and of expectations: beginnings, changes, ends.
const GROUPS: [[NetfilterGroup; 3]; 2] = [
    [NetfilterGroup::CONNTRACK_NEW, NetfilterGroup::CONNTRACK_UPDATE, NetfilterGroup::CONNTRACK_DESTROY],
    [NetfilterGroup::CONNTRACK_EXP_NEW, NetfilterGroup::CONNTRACK_EXP_UPDATE, NetfilterGroup::CONNTRACK_EXP_DESTROY],
];

/// Listens until standard output or the connection ends.
pub(super) fn run(session: &mut Session, words: &mut Words<'_>, expectations: bool) -> Result<(), Failure> {
    let wanted = Wanted::read(words, verb::EVENTS, session.options.family())?;
    let Events { new, updates, destroy } = wanted.events.unwrap_or(Events { new: true, updates: true, destroy: true });
    let groups = GROUPS[usize::from(expectations)].iter().zip([new, updates, destroy]);
    let numbers: Vec<u32> = groups.filter(|(_, wanted)| *wanted).map(|(group, _)| group.0).collect();
    let monitor = Monitor::with(Protocol::NETFILTER, session.config(), &numbers)?;
    session.output = Output::new(if session.options.json { Face::JsonLines } else { Face::Text });
    if session.options.stats {
        warn(format_args!("listening; {}", monitor.reason()));
    }
    loop {
        match monitor.receive(Deadline::none()) {
            Ok(notice) => {
                for message in notice.messages() {
                    let printed = message.and_then(|message| print(&mut session.output, &wanted, message));
                    if let Err(error) = printed {
                        warn(format_args!("an event could not be read whole: {error}"));
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

/// Prints an event, if it is about what is wanted.
fn print(output: &mut Output, wanted: &Wanted, message: Message<'_>) -> Result<(), ringlink::codec::Error> {
    let kind = message.header.kind;
    let event = match kind {
        kind if kind == Conntrack::DELETE.kind || kind == Expect::DELETE.kind => Event::Destroy,
        _ if message.header.flags.contains(Flags::CREATE) => Event::New,
        _ => Event::Update,
    };
    if kind == Conntrack::NEW.kind || kind == Conntrack::DELETE.kind {
        let view = ConnectionView::read(Body::of(message))?;
        if wanted.matches(&view) {
            output.row(|row| {
                stamp(row, wanted);
                print::connection(row, &view, wanted.shown, Some(event));
                originator(row, message.header.port);
            });
        }
    } else if kind == Expect::NEW.kind || kind == Expect::DELETE.kind {
        let view = ExpectationView::read(Body::<ExpectationMessage>::of(message))?;
        if wanted.expects(&view) {
            output.row(|row| {
                stamp(row, wanted);
                print::expectation(row, &view, wanted.shown, Some(event));
            });
        }
    }
    Ok(())
}

/// Tells who caused an event, where a program did and not a packet or the time.
fn originator(row: &mut Output, port: u32) {
    if port == 0 {
        return;
    }
    row.json("portid", port);
    row.word(Formatted(format_args!("[USERSPACE] portid={port}")));
    // The first socket of a process has the process's number.
    if let Ok(name) = fs::read_to_string(format!("/proc/{port}/comm")) {
        row.json("progname", name.trim_end());
        row.word(Formatted(format_args!("progname={}", name.trim_end())));
    }
}

/// Tells when an event was received, as conntrack does.
fn stamp(row: &mut Output, wanted: &Wanted) {
    if !wanted.shown.timestamp {
        return;
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (seconds, micros) = (now.as_secs(), now.subsec_micros());
    row.json("received", FormattedNumber(format_args!("{seconds}.{micros:06}")));
    row.word(Formatted(format_args!("[{seconds}.{micros:06}]\t")));
    row.tight();
}
