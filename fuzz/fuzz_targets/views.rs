//! A datagram through the views: what reads reads twice alike, and what does not says where.

#![no_main]

use libfuzzer_sys::fuzz_target;
use ringlink_codec::route::{AddressView, LinkView, NeighbourView, RouteView, Rtm, RuleView};
use ringlink_codec::{Error, Messages};

fn check<T: std::fmt::Debug>(length: usize, read: impl Fn() -> Result<T, Error>) {
    match (read(), read()) {
        (Ok(one), Ok(two)) => assert_eq!(format!("{one:?}"), format!("{two:?}")),
        (Err(one), Err(two)) => {
            assert_eq!(one, two);
            assert!(usize::try_from(one.offset).is_ok_and(|offset| offset <= length + 16), "{one}");
        }
        (one, two) => panic!("{one:?} is not {two:?}"),
    }
}

fuzz_target!(|datagram: &[u8]| {
    for message in Messages::new(datagram) {
        let Ok(message) = message else { break };
        let length = message.payload.len();
        if let Ok(body) = message.body(Rtm::NEWLINK) {
            check(length, || LinkView::read(body));
        }
        if let Ok(body) = message.body(Rtm::NEWADDR) {
            check(length, || AddressView::read(body));
        }
        if let Ok(body) = message.body(Rtm::NEWROUTE) {
            check(length, || RouteView::read(body));
        }
        if let Ok(body) = message.body(Rtm::NEWNEIGH) {
            check(length, || NeighbourView::read(body));
        }
        if let Ok(body) = message.body(Rtm::NEWRULE) {
            check(length, || RuleView::read(body));
        }
    }
});
