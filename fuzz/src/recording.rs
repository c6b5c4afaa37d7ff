//! Sessions written down.

#[path = "../../transport/tests/retold/mod.rs"]
mod retold;

use std::sync::LazyLock;

use arbitrary::{Result, Unstructured};
use ringlink::codec::prelude::*;
use ringlink::codec::reply::End;
use ringlink::codec::route::{ExtMask, Link, LinkHeader, Rtm};
use ringlink::codec::wire::Messages;
use ringlink::engine::record::{Event, Recorder, Recording, Replay, Tape};
use ringlink::engine::{Deadline, Engine};
use ringlink::error::RecordingProblem;
use ringlink::{Config, Connection, Error};

use crate::machines::message;
use retold::retell;

/// A session of [`links`], by which others are made.
static SESSION: &[u8] = include_bytes!("../../transport/tests/data/links_and_a_refusal.recording");

/// A recording that somebody gave: gone through call by call, it tells again what it told; and a connection goes through it as far as
/// it can. The input is also the choices that make up the answers of a session.
pub fn recording(input: &[u8]) {
    match Recording::parse(input) {
        Ok(recording) => {
            let _ = (recording.note(), recording.protocol(), recording.port(), format!("{recording:?}"));
            if let Ok(replay) = Replay::new(recording.clone()) {
                let _ = links(&mut Connection::over(Box::new(replay), Config::tiny()));
            }
            go_through(&recording);
        }
        Err(error) => drop(format!("{error}")),
    }
    // A source that is refused ends the session.
    let _ = session(&mut Unstructured::new(input));
}

/// Replays all calls, and records them: the recording is the same.
fn go_through(recording: &Recording) {
    let Ok(replay) = Replay::new(recording.clone()) else { return };
    let tape = Tape::default();
    let Ok(recorder) = Recorder::new(Box::new(replay), tape.clone(), recording.note()) else { return };
    recording.entries().for_each(|entry| drop(format!("{entry:?}")));
    retell(recording, &recorder);
    let end = recorder.receive(Deadline::none()).map(drop);
    assert!(matches!(end, Err(Error::Recording { problem: RecordingProblem::Ended, .. })), "{end:?}");
    let again = Recording::parse(&tape.bytes()).expect("a recording");
    let events = again.entries().map(|entry| entry.event).take(recording.entries().count());
    assert!(events.eq(recording.entries().map(|entry| entry.event)));
}

/// All interfaces, and one that there is not: how many there were, and how that ended.
fn links(connection: &mut Connection) -> std::result::Result<(usize, End), Error> {
    let mut count = 0;
    let links =
        connection.dump(Rtm::GETLINK, LinkHeader::default(), |link| link.put(Link::EXT_MASK, ExtMask::SKIP_STATS))?;
    let end = links.for_each(|_| {
        count += 1;
        Ok(())
    });
    let nobody = LinkHeader { index: 999, ..LinkHeader::default() };
    let _ = connection.get(Rtm::GETLINK, nobody, |_| {}).map(|reply| reply.body().header.index);
    end.map(|end| (count, end))
}

/// A connection's session with answers of any kind: it ends, takes nothing for an answer that is none, and is not complete where
/// something says otherwise.
fn session(source: &mut Unstructured<'_>) -> Result<()> {
    static LIKE: LazyLock<Recording> = LazyLock::new(|| Recording::parse(SESSION).expect("a recording"));
    // The header as it is, without a note; see the module of the library.
    let mut bytes = SESSION.get(..20).unwrap_or_default().to_vec();
    bytes.extend([0; 4]);
    let mut exchange = Exchange::dump(0, 0);
    let mut items = 0;
    for (number, entry) in LIKE.entries().enumerate() {
        match (number, entry.event) {
            // To prime the socket.
            (1, Event::Received { bytes: answer, .. }) => received(&mut bytes, 0, 0, answer),
            (_, Event::Sent(request)) => {
                if let (1.., Ok(asked)) = (number, Message::parse(request))
                    && exchange.sequence() == 0
                {
                    exchange = Exchange::dump(asked.header.sequence, asked.header.port);
                }
                put(&mut bytes, 1, &[request]);
            }
            (_, Event::Received { .. }) => {
                for _ in 0..source.int_in_range(1..=4_u8)? {
                    let mut datagram = Vec::new();
                    for _ in 0..source.int_in_range(1..=3_u8)? {
                        datagram.extend(message(source, &[exchange.sequence()], LIKE.port())?);
                        datagram.resize(datagram.len().next_multiple_of(4), 0);
                    }
                    let sender = if source.ratio(1_u8, 16)? { source.arbitrary()? } else { 0 };
                    let group = if source.ratio(1_u8, 16)? { source.arbitrary()? } else { 0 };
                    received(&mut bytes, sender, group, &datagram);
                    for message in Messages::new(&datagram).map_while(std::result::Result::ok) {
                        let step = exchange.accept(message, Origin { port: sender, group });
                        items += usize::from(matches!(step, Step::Item(_)));
                    }
                }
            }
            _ => {}
        }
    }
    let recording = Recording::parse(&bytes).expect("a recording");
    let Ok(replay) = Replay::new(recording) else { return Ok(()) };
    if let Ok((found, end)) = links(&mut Connection::over(Box::new(replay), Config::tiny())) {
        assert!(exchange.is_finished() && found <= items, "{found} of {items}");
        assert!(exchange.end().is_complete() || !end.is_complete(), "{end:?} {:?}", exchange.end());
    }
    Ok(())
}

/// Appends a datagram that is received.
fn received(bytes: &mut Vec<u8>, sender: u32, group: u32, datagram: &[u8]) {
    put(bytes, 2, &[&sender.to_le_bytes(), &group.to_le_bytes(), &[0; 5], datagram]);
}

/// Appends an entry.
fn put(bytes: &mut Vec<u8>, kind: u8, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    bytes.push(kind);
    bytes.extend([0; 8]);
    bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes());
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
}
