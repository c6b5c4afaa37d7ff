//! What `ringlink decode` is given: captures, text in hexadecimal, messages.

#[path = "../../cli/src/decode/capture.rs"]
mod capture;
#[path = "../../cli/src/decode/input.rs"]
mod input;

use ringlink::codec::protocol::{Numbering, Protocol, ROUTE_AND_TRAFFIC};

use crate::numbers;
use capture::{Capture, is_capture};
use input::{Time, hexadecimal, in_full, is_readable, messages, uevent, without_zeros};

/// An input through the program's readers, and what they find through the printer: each packet and message stands where it is said
/// to, and no byte is taken for two.
pub fn decode(input: &[u8]) {
    match (is_capture(input), hexadecimal(input)) {
        (true, _) => packets(input),
        (false, None) => print(&ROUTE_AND_TRAFFIC, input),
        (false, Some(Ok(bytes))) => {
            assert!(bytes.len() * 2 <= input.len());
            print(&ROUTE_AND_TRAFFIC, &bytes);
        }
        (false, Some(Err(text))) => assert!(text.contains("offset"), "{text}"),
    }
}

fn packets(file: &[u8]) {
    let Ok(capture) = Capture::new(file) else { return };
    let (mut last, mut told, mut end) = (0, 0, 0);
    for packet in capture {
        match packet {
            Ok(packet) => {
                // A fault that is no packet's names the packet that comes next.
                assert!(packet.number > last && [told, told + 1].contains(&packet.number) && packet.offset >= end);
                (last, told, end) = (packet.number, packet.number, packet.offset + packet.bytes.len());
                assert_eq!(file.get(packet.offset..end), Some(packet.bytes));
                let _ = format!("{} {:?}", packet.direction, packet.time.map(|time| Time(time).to_string()));
                if !is_readable(packet.bytes) || packet.missing > 0 {
                    continue;
                }
                let number = u8::try_from(packet.protocol).ok();
                let protocol = number.and_then(Protocol::numbered).unwrap_or(&ROUTE_AND_TRAFFIC);
                print(protocol, without_zeros(packet.bytes));
            }
            Err(fault) => {
                assert!(fault.offset <= file.len() && [told, told + 1].contains(&fault.number), "{fault}");
                told = fault.number;
            }
        }
    }
}

fn print(protocol: &'static Protocol, bytes: &[u8]) {
    if let Numbering::Datagrams = protocol.numbering {
        let _ = uevent(bytes).map(|event| format!("{event:?}"));
        return;
    }
    let mut length = 0;
    let broken = messages(&in_full(protocol, bytes), protocol, numbers(), |message| {
        length += 16 + message.payload.len();
        let _ = message.tree(protocol).with(numbers()).to_string();
        let _ = message.json(protocol).with(numbers()).to_string();
    });
    assert!(length <= bytes.len(), "{length} of {}", bytes.len());
    if let Some(text) = broken {
        assert!(text.contains("offset"), "{text}");
    }
}
