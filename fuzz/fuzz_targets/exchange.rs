//! A transcript through a dump's exchange: an end comes once, and is not complete after a flag that says otherwise.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringlink_codec::exchange::{Exchange, Origin, Step};
use ringlink_codec::wire::{Flags, MessageType, Messages};

fuzz_target!(|input: &[u8]| {
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
});
