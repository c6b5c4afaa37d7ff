//! A datagram through the printer, which touches every row: both faces end, and none panics.

#![no_main]

use std::fmt::Write;

use libfuzzer_sys::fuzz_target;
use ringlink_codec::Messages;
use ringlink_codec::protocol::ROUTE;

/// Counts what is printed, and keeps none of it.
struct Count(usize);

impl Write for Count {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

fuzz_target!(|datagram: &[u8]| {
    for message in Messages::new(datagram) {
        let Ok(message) = message else { break };
        let mut count = Count(0);
        let _ = write!(count, "{}{}", message.tree(&ROUTE), message.json(&ROUTE));
        // Each byte is printed a bounded number of times.
        assert!(count.0 <= 4096 + 256 * message.payload.len());
    }
});
