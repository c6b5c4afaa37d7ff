//! Messages: printed, taken apart and put together again, made up and broken.

use std::fmt::Write;

use arbitrary::Unstructured;
use ringlink::codec::generate::{Bounds, damage};
use ringlink::codec::netfilter::ipset::failed_line;
use ringlink::codec::prelude::*;
use ringlink::codec::protocol::{PROTOCOLS, Protocol};
use ringlink::codec::reply::{Errno, Path};
use ringlink::codec::wire::{MessageType, Messages, RawAttribute, RawAttributes, Writer};

use crate::anew::again as anew;
use crate::numbers;
use crate::views::views;

/// Counts what is printed, and keeps none of it.
struct Count(usize);

impl Write for Count {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

/// A datagram through the printer, which touches every row: both faces end, and neither panics. The first byte says of which
/// protocol it is.
pub fn print(input: &[u8]) {
    let Some((protocol, datagram)) = of_protocol(input) else { return };
    let mut messages = Messages::new(datagram);
    let _ = format!("{messages:?}");
    for message in messages.by_ref() {
        let Ok(message) = message else { break };
        let _ = format!("{message:?}");
        let mut count = Count(0);
        let _ = write!(count, "{}{}", message.tree(protocol).with(numbers()), message.json(protocol).with(numbers()));
        // Each byte is printed a bounded number of times.
        assert!(count.0 <= 8192 + 512 * message.payload.len(), "{} of {}", count.0, message.payload.len());
        let counted = count.0;
        let _ = write!(count, "{}", message.tree(protocol).with(numbers()).with_secrets());
        assert!(count.0 > counted);
    }
}

/// The protocol that the first byte says, and what follows.
fn of_protocol(input: &[u8]) -> Option<(&'static Protocol, &[u8])> {
    let (first, datagram) = input.split_first()?;
    PROTOCOLS.get(usize::from(*first) % PROTOCOLS.len()).map(|protocol| (*protocol, datagram))
}

/// A datagram's messages taken apart and put together again, those that can be had again: the same bytes. The first byte says of
/// which protocol they are.
pub fn again(input: &[u8]) {
    let Some((protocol, datagram)) = of_protocol(input) else { return };
    for message in Messages::new(datagram) {
        let Ok(message) = message else { break };
        if let Ok(again) = anew(message, protocol, numbers()) {
            assert_eq!(again.bytes, again.expected, "{}", message.tree(protocol).with(numbers()));
        }
    }
}

/// Messages made up from the tables print without a broken attribute, read through the views, and have the same bytes when they are
/// taken apart and put together again. When one place of them is damaged, nothing before it is lost.
pub fn generated(input: &[u8]) {
    let mut source = Unstructured::new(input);
    let Ok(protocol) = source.choose(PROTOCOLS).copied() else { return };
    let mut buffer = vec![0; 1 << 16];
    let mut writer = Writer::new(&mut buffer);
    if Bounds::default().any(&mut source, protocol, numbers(), &mut writer).is_err() {
        return;
    }
    let Ok(bytes) = writer.finish() else { return };
    if bytes.is_empty() {
        return;
    }
    let message = Message::parse(bytes).expect("what is generated is a message");
    let row = protocol.row(message, numbers());
    let tree = message.tree(protocol).with(numbers()).to_string();
    assert!(!tree.lines().any(|line| line.trim_start().starts_with("error:")), "{tree}");
    views(bytes);
    let Some(row) = row else { return };
    match anew(message, protocol, numbers()) {
        Ok(again) => {
            let differ = again.bytes.iter().zip(&*bytes).position(|(one, two)| one != two);
            assert!(again.bytes == bytes && again.expected == bytes, "differs at {differ:?}: {tree}");
        }
        Err(left) => assert!((row.space)().rows().next().is_none(), "{left:?}: {tree}"),
    }
    let start = row.header.length(message.payload);
    let before: Vec<(u16, u32)> = message
        .raw_attributes(start)
        .map(|raw| raw.map(|raw| (raw.kind, raw.payload.offset)).expect("well-formed"))
        .collect();
    let mut broken = bytes.to_vec();
    if let Ok(Some(place)) = damage(&mut source, &mut broken, row) {
        let message = Message::parse(&broken).expect("its header is as it was");
        let after: Vec<(u16, u32)> =
            message.raw_attributes(start).map_while(Result::ok).map(|raw| (raw.kind, raw.payload.offset)).collect();
        let whole = |list: &[(u16, u32)]| -> Vec<(u16, u32)> {
            list.iter().copied().filter(|(_, offset)| *offset <= place.offset.saturating_sub(4)).collect()
        };
        let (before, after) = (whole(&before), whole(&after));
        // The last of them may be what holds the damage.
        let sure = before.len().saturating_sub(1);
        assert_eq!(before.get(..sure), after.get(..sure), "{place:?}");
        let _ = message.tree(protocol).with(numbers()).to_string();
        let _ = message.json(protocol).with(numbers()).to_string();
        views(&broken);
    }
}

/// Refusals of any request: those of any bytes, and those that point at a place. The path ends, and where an attribute of the message
/// stands at the place, begins with it.
pub fn refusal(input: &[u8]) {
    let mut source = Unstructured::new(input);
    let Ok(protocol) = source.choose(PROTOCOLS).copied() else { return };
    let mut buffer = vec![0; 1 << 16];
    let mut writer = Writer::new(&mut buffer);
    // The places come first, so that there are choices left for them.
    let (Ok(places), Ok(kind)) = (source.arbitrary::<[u16; 8]>(), source.arbitrary::<u8>()) else { return };
    if Bounds::default().any(&mut source, protocol, numbers(), &mut writer).is_err() {
        return;
    }
    let Ok(request) = writer.finish() else { return };
    let Ok(request) = Message::parse(request) else { return };
    let Some((space, header)) = protocol.root(request, numbers()) else { return };
    let length = request.payload.len() + 16;
    for place in places {
        let place = u32::try_from(usize::from(place) % (length + 8)).unwrap_or(0);
        let number = u32::from(kind);
        let mut refusal = Refusal::new(Errno(number + 1));
        match kind % 4 {
            0 => refusal.missing = Some(number),
            1 => (refusal.missing, refusal.missing_in) = (Some(number), Some(place)),
            _ => refusal.offset = Some(place),
        }
        let path = refusal.path(request, space, header);
        let holds = |raw: RawAttribute<'_>| (raw.payload.offset - 4..raw.payload.offset).contains(&place);
        let top = request.raw_attributes(header).map_while(Result::ok).find(|raw| holds(*raw));
        if let (Some(top), true) = (top, kind % 4 > 0) {
            assert_eq!(path.steps().first().map(|(number, _)| *number), Some(top.number()));
        }
        told(&refusal, &path);
    }
    let rest = source.take_rest();
    let length = 16 + rest.len();
    let mut error = MessageHeader { length: u32::try_from(length).unwrap_or(0), ..MessageHeader::default() };
    error.kind = MessageType::ERROR;
    error.sequence = 1;
    error.flags = Flags::ACK_TLVS | if rest.len().is_multiple_of(2) { Flags::CAPPED } else { Flags::NONE };
    let message = Message { header: error, payload: rest };
    if let Step::Failed(refusal) = Exchange::apply(1, 0).accept(message, Origin::KERNEL) {
        assert_eq!(Refusal::of_error(message), Some(refusal));
        told(&refusal, &refusal.path(request, space, header));
    }
    let _ = format!("{} {}", message.tree(protocol).with(numbers()), message.json(protocol).with(numbers()));
    // How a server would refuse what it cannot read.
    if let Some(Err(error)) = request.raw_attributes(header).chain(RawAttributes::new(rest, 16)).find(Result::is_err) {
        let refusal = Refusal::from(error);
        told(&refusal, &refusal.path(request, space, header));
    }
}

/// Whatever a refusal and its path are asked is answered.
fn told(refusal: &Refusal<'_>, path: &Path) {
    assert!(path.steps().len() <= 16 && path.is_empty() == path.steps().is_empty());
    let _ = format!("{refusal} {refusal:?} {path} {:?} {:?} {:?}", path.item(), refusal.policy(), failed_line(refusal));
    let errno = refusal.errno;
    let said = [errno.is_not_found(), errno.already_exists(), errno.is_permission(), errno.is_unsupported()];
    let said = said.into_iter().chain([errno.is_busy(), errno.is_invalid()]);
    assert!(said.filter(|said| *said).count() <= 2, "{errno}");
}
