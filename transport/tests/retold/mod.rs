//! A recording gone through call by call, for a test and for a fuzzer.

use ringlink::engine::record::{Event, Recording};
use ringlink::engine::{Deadline, Engine};

/// Makes the calls of a recording on an engine that replays it: each comes out as it did.
pub fn retell(recording: &Recording, engine: &impl Engine) {
    for entry in recording.entries() {
        match entry.event {
            Event::Sent(bytes) => assert_eq!(engine.send(bytes), Ok(())),
            Event::NotSent(bytes, error) => assert_eq!(engine.send(bytes), Err(error)),
            Event::NotReceived(error) => assert_eq!(engine.receive(Deadline::none()).map(drop), Err(error)),
            Event::Received { bytes, sender, group, namespace } => {
                let datagram = engine.receive(Deadline::none()).expect("a datagram");
                assert_eq!((datagram.bytes(), datagram.sender(), datagram.group()), (bytes, sender, group));
                assert_eq!(datagram.namespace(), namespace);
            }
        }
    }
}
