//! Sessions written down.

use ringlink::engine::record::Recording;

/// A recording that somebody gave.
pub fn recording(input: &[u8]) {
    match Recording::parse(input) {
        Ok(recording) => {
            let entries = recording.entries().count();
            assert!(entries <= input.len());
            let _ = (recording.note(), recording.protocol(), recording.port(), format!("{recording:?}"));
        }
        Err(error) => drop(format!("{error}")),
    }
}
