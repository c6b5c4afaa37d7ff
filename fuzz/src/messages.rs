//! Messages: printed, read through the views, made up and broken.

use std::fmt::{Debug, Write};

use arbitrary::Unstructured;
use ringlink::codec::Error;
use ringlink::codec::diag::{InetAnswer, NetlinkAnswer, NetlinkSocketView, PacketAnswer, PacketSocketView, SocketView};
use ringlink::codec::generate::{Bounds, damage};
use ringlink::codec::netfilter::conntrack::{ConnectionView, Conntrack, Expect, ExpectationView};
use ringlink::codec::netfilter::ipset::{IpSet, SetView};
use ringlink::codec::netfilter::log::{self, Log};
use ringlink::codec::netfilter::nftables::{self, Nft};
use ringlink::codec::netfilter::queue::{self, Queue};
use ringlink::codec::prelude::*;
use ringlink::codec::protocol::PROTOCOLS;
use ringlink::codec::route::{AddressView, LinkView, NeighbourView, RouteView, Rtm, RuleView};
use ringlink::codec::wire::{MessageType, Messages, Writer};
use ringlink::codec::xfrm::{PolicyView, StateView, Xfrm};

use crate::numbers;

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
    let Some((first, datagram)) = input.split_first() else { return };
    let Some(protocol) = PROTOCOLS.get(usize::from(*first) % PROTOCOLS.len()) else { return };
    for message in Messages::new(datagram) {
        let Ok(message) = message else { break };
        let mut count = Count(0);
        let _ = write!(count, "{}{}", message.tree(protocol).with(numbers()), message.json(protocol).with(numbers()));
        // Each byte is printed a bounded number of times.
        assert!(count.0 <= 8192 + 512 * message.payload.len(), "{} of {}", count.0, message.payload.len());
    }
}

fn check<T: Debug>(length: usize, read: impl Fn() -> Result<T, Error>) {
    match (read(), read()) {
        (Ok(one), Ok(two)) => assert_eq!(format!("{one:?}"), format!("{two:?}")),
        (Err(one), Err(two)) => {
            assert_eq!(one, two);
            assert!(usize::try_from(one.offset).is_ok_and(|offset| offset <= length + 16), "{one}");
        }
        (one, two) => panic!("{one:?} is not {two:?}"),
    }
}

/// A datagram through the views: what reads reads twice alike, and what does not says where.
pub fn views(input: &[u8]) {
    for message in Messages::new(input) {
        let Ok(message) = message else { break };
        let length = message.payload.len();
        macro_rules! views {
            ($($operation:expr => $view:ty,)*) => {$(
                if let Ok(body) = message.body($operation) {
                    // A fixed header that was cut counts as whole: what is missing is zero.
                    check(length.max(size_of_val(&body.header).next_multiple_of(4)), || <$view>::read(body));
                }
            )*};
        }
        views! {
            Rtm::NEWLINK => LinkView,
            Rtm::NEWADDR => AddressView,
            Rtm::NEWROUTE => RouteView,
            Rtm::NEWNEIGH => NeighbourView,
            Rtm::NEWRULE => RuleView,
            Xfrm::NEWSA => StateView,
            Xfrm::NEWPOLICY => PolicyView,
            InetAnswer::SOCK_DIAG_BY_FAMILY => SocketView,
            NetlinkAnswer::SOCK_DIAG_BY_FAMILY => NetlinkSocketView,
            PacketAnswer::SOCK_DIAG_BY_FAMILY => PacketSocketView,
            Conntrack::NEW => ConnectionView,
            Expect::NEW => ExpectationView,
            IpSet::LIST => SetView,
            Log::PACKET => log::PacketView,
            Queue::PACKET => queue::PacketView,
            Nft::NEWTABLE => nftables::TableView,
            Nft::NEWCHAIN => nftables::ChainView,
            Nft::NEWRULE => nftables::RuleView,
            Nft::NEWSET => nftables::SetView,
            Nft::NEWSETELEM => nftables::ElementsView,
            Nft::NEWOBJ => nftables::ObjectView,
            Nft::NEWFLOWTABLE => nftables::FlowtableView,
            Nft::NEWGEN => nftables::GenerationView,
            Nft::TRACE => nftables::TraceView,
        }
        if let Ok(body) = message.body(Nft::NEWRULE)
            && let Ok(rule) = nftables::RuleView::read(body)
        {
            let expressions: Vec<_> = rule.expressions().collect();
            assert!(expressions.len() <= length);
            let _ = format!("{expressions:?} {:?}", rule.comment());
        }
        if let Ok(body) = message.body(IpSet::LIST)
            && let Ok(set) = SetView::read(body)
        {
            for entry in set.entries() {
                let _ = format!("{entry:?}");
            }
        }
    }
}

/// Messages made up from the tables print without a broken attribute, read through the views, and when one place of them is
/// damaged, nothing before it is lost.
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

/// A refusal with any offset, of any request: its path ends, and names what holds that place.
pub fn refusal(input: &[u8]) {
    let mut source = Unstructured::new(input);
    let Ok(protocol) = source.choose(PROTOCOLS).copied() else { return };
    let mut buffer = vec![0; 1 << 16];
    let mut writer = Writer::new(&mut buffer);
    if Bounds::default().any(&mut source, protocol, numbers(), &mut writer).is_err() {
        return;
    }
    let Ok(request) = writer.finish() else { return };
    let Ok(request) = Message::parse(request) else { return };
    let Some((space, header)) = protocol.root(request, numbers()) else { return };
    let rest = source.take_rest();
    let length = 16 + rest.len();
    let mut error = MessageHeader { length: u32::try_from(length).unwrap_or(0), ..MessageHeader::default() };
    error.kind = MessageType::ERROR;
    error.sequence = 1;
    error.flags = Flags::ACK_TLVS | if rest.len() % 2 == 0 { Flags::CAPPED } else { Flags::NONE };
    let message = Message { header: error, payload: rest };
    if let Step::Failed(refusal) = Exchange::apply(1, 0).accept(message, Origin::KERNEL) {
        let path = refusal.path(request, space, header);
        assert!(path.steps().len() <= 16);
        let _ = format!("{refusal} {refusal:?} {path}");
    }
    let _ = format!("{}", message.tree(protocol).with(numbers()));
}
