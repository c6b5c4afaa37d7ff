//! Machines of the protocol: what comes of a request, and of a table that is followed.

use arbitrary::Unstructured;
use ringlink::codec::exchange::Pending;
use ringlink::codec::follow::{Advice, Follower};
use ringlink::codec::prelude::*;
use ringlink::codec::wire::{MessageType, Messages};

/// A transcript through a dump's exchange: an end comes once, and is not complete after a flag that says otherwise.
pub fn exchange(input: &[u8]) {
    let mut exchange = Exchange::dump(1, 2);
    let (mut flagged, mut finished) = (false, false);
    for message in Messages::new(input) {
        let Ok(message) = message else { break };
        let mine = message.header.sequence == 1 && matches!(message.header.port, 0 | 2) && !finished;
        let answers = message.header.kind >= MessageType::FIRST || message.header.kind == MessageType::DONE;
        flagged |= mine && answers && message.header.flags.contains(Flags::DUMP_INTERRUPTED);
        match exchange.accept(message, Origin::KERNEL) {
            Step::NotMine => assert!(!mine),
            Step::Skip | Step::Item(_) => assert!(mine),
            Step::Finished { end, .. } => {
                assert!(mine && !(flagged && end.is_complete()));
                finished = true;
            }
            Step::Failed(refusal) => {
                assert!(mine && refusal.errno.0 != 0 && !exchange.end().is_complete());
                finished = true;
            }
        }
        assert_eq!(exchange.is_finished(), finished);
    }
}

/// Requests, answers, losses and a follower in any order: what is not asked is not answered, each request ends once, and the
/// follower is never live after a loss without another dump.
pub fn pending(input: &[u8]) {
    let mut source = Unstructured::new(input);
    let mut pending = Pending::<4>::new();
    let mut open: Vec<u32> = Vec::new();
    let mut follower = Follower::new();
    let mut lost = true;
    let mut next = 0_u32;
    while !source.is_empty() {
        match source.int_in_range(0..=6_u8).unwrap_or(0) {
            0 => {
                next += 1;
                let made = match next % 3 {
                    0 => Exchange::get(next, 9),
                    1 => Exchange::apply(next, 9),
                    _ => Exchange::dump(next, 9),
                };
                match pending.add(made) {
                    Ok(()) => open.push(next),
                    Err(back) => assert!(open.len() == 4 && back.sequence() == next),
                }
            }
            1 => {
                let sequence = source.arbitrary::<u8>().unwrap_or(0).into();
                let known = open.contains(&sequence);
                assert_eq!(pending.abandon(sequence).is_some(), known);
                open.retain(|one| *one != sequence);
            }
            2 => {
                follower.overrun();
                lost = true;
            }
            3 if follower.advice() == Advice::Dump => {
                follower.dump_started();
                lost = false;
            }
            4 if follower.advice() == Advice::Continue => {
                let mut end = Exchange::dump(1, 2);
                if source.arbitrary().unwrap_or(false) {
                    end.truncated();
                    lost = true;
                }
                follower.dump_ended(end.end());
                assert!(follower.advice() != Advice::Listen || !lost);
            }
            _ => {
                let length = source.int_in_range(0..=64_usize).unwrap_or(0).min(source.len());
                let Ok(bytes) = source.bytes(length) else { return };
                let mut bytes = bytes.to_vec();
                if let Some(header) = bytes.get_mut(..4) {
                    header.copy_from_slice(&u32::try_from(length).unwrap_or(0).to_ne_bytes());
                }
                let Ok(message) = Message::parse(&bytes) else { continue };
                let origin = Origin { port: u32::from(length == 40), group: u32::from(length == 44) };
                let (sequence, step) = pending.accept(message, origin);
                if let Some(sequence) = sequence {
                    assert!(
                        open.contains(&sequence) && origin == Origin::KERNEL && message.header.sequence == sequence
                    );
                    if pending.len() < open.len() {
                        assert!(matches!(step, Step::Finished { .. } | Step::Failed(_) | Step::Item(_)));
                        open.retain(|one| *one != sequence);
                    }
                } else {
                    assert!(matches!(step, Step::NotMine));
                }
            }
        }
        assert_eq!(pending.len(), open.len());
    }
}
