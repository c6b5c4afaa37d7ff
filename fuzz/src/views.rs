//! Views of messages, and structs.

use std::fmt::Debug;

use ringlink::codec::Error;
use ringlink::codec::connector::{EventHeader, Input};
use ringlink::codec::diag::{
    BbrInfo, InetAnswer, InetHeader, NetlinkAnswer, NetlinkSocketView, PacketAnswer, PacketSocketView, SocketStates,
    SocketView, TcpInfo, TcpMd5Key, UnixAnswer, UnixSocketView, cookie_number,
};
use ringlink::codec::generic::ethtool::{Bitset, BitsetView};
use ringlink::codec::netfilter::Family;
use ringlink::codec::netfilter::conntrack::{ConnectionView, Conntrack, Expect, ExpectationView};
use ringlink::codec::netfilter::ipset::{IpSet, SetView};
use ringlink::codec::netfilter::log::{self, Log};
use ringlink::codec::netfilter::nftables::{self, Counter, ElementsView, ExpressionView, Nft, Quota};
use ringlink::codec::netfilter::packet::{Hook, hook_name};
use ringlink::codec::netfilter::queue::{self, Queue};
use ringlink::codec::reply::Refusal;
use ringlink::codec::route::tc::{Basic, EmatchTree, EmatchView, QdiscView, Tc, TcClassView, TcMessage, TcRtm};
use ringlink::codec::route::{
    AddressView, BridgeGroup, Family as RouteFamily, Icmp6Statistic, Inet6Link, InetLink, IpStatistic, Ipv4Devconf,
    Ipv6Devconf, LinkView, MplsLabel, NeighbourView, NexthopGroupEntry, RouteView, Rtm, RuleView, SegmentHeader,
    UserOptions,
};
use ringlink::codec::table::{Attributes, Body, Record};
use ringlink::codec::wire::{Messages, Payload, Writer};
use ringlink::codec::xfrm::{Algorithm, PolicyView, StateInfo, StateView, Xfrm};

fn check<T: Debug>(length: usize, read: impl Fn() -> Result<T, Error>) {
    match (read(), read()) {
        (Ok(one), Ok(two)) => assert_eq!(format!("{one:?}"), format!("{two:?}")),
        (Err(one), Err(two)) => {
            assert_eq!((one, one.to_string()), (two, two.to_string()));
            let _ = Refusal::from(one).to_string();
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
            ($($operation:expr => $view:ty $(, |$read:ident| $more:expr)?;)*) => {$(
                if let Ok(body) = message.body($operation) {
                    // A fixed header that was cut counts as whole: what is missing is zero.
                    let length = length.max(size_of_val(&body.header).next_multiple_of(4));
                    check(length, || <$view>::read(body));
                    $(if let Ok($read) = <$view>::read(body) {
                        let _ = format!("{:?}", $more);
                    })?
                    let _ = format!("{body:?}");
                }
            )*};
        }
        views! {
            Rtm::NEWLINK => LinkView, |link| (of_link(&link), link.bridge(), list(link.alternative_names()));
            Rtm::NEWADDR => AddressView, |address| address.own();
            Rtm::NEWROUTE => RouteView;
            Rtm::NEWNEIGH => NeighbourView;
            Rtm::NEWRULE => RuleView;
            TcRtm::NEWQDISC => QdiscView, |discipline| discipline.references();
            TcRtm::NEWTCLASS => TcClassView, |class| class.leaf();
            Xfrm::NEWSA => StateView, |state| (state.source(), state.destination(), state.lifetime());
            Xfrm::NEWPOLICY => PolicyView, |policy| policy.templates.map(list);
            InetAnswer::SOCK_DIAG_BY_FAMILY => SocketView;
            NetlinkAnswer::SOCK_DIAG_BY_FAMILY => NetlinkSocketView;
            PacketAnswer::SOCK_DIAG_BY_FAMILY => PacketSocketView;
            UnixAnswer::SOCK_DIAG_BY_FAMILY => UnixSocketView;
            Conntrack::NEW => ConnectionView, |one| (one.protocol_number(), one.translated_source(), one.translated_destination());
            Expect::NEW => ExpectationView;
            IpSet::LIST => SetView, |set| list(set.entries());
            Log::PACKET => log::PacketView, |packet| packet.vlan.map(|tag| (tag.id(), tag.priority()));
            Queue::PACKET => queue::PacketView;
            Nft::NEWTABLE => nftables::TableView, |table| table.comment();
            Nft::NEWCHAIN => nftables::ChainView, |chain| (chain.comment(), chain.devices().map(list));
            Nft::NEWRULE => nftables::RuleView, |rule| (rule.comment(), (list(rule.expressions()), list(rule.expressions().flatten().map(|one| one.name()))));
            Nft::NEWSET => nftables::SetView, |set| (set.is_map(), set.comment(), list(set.expressions()));
            Nft::NEWSETELEM => nftables::ElementsView, |elements| of_elements(&elements);
            Nft::NEWOBJ => nftables::ObjectView, |object| (object.comment(), object.data(Counter), object.data(Quota));
            Nft::NEWFLOWTABLE => nftables::FlowtableView, |table| list(table.devices());
            Nft::NEWGEN => nftables::GenerationView;
            Nft::TRACE => nftables::TraceView;
        }
        check(length.max(1024), || StateView::of(message));
        check(length.max(1024), || PolicyView::of(message));
        check(length.max(1024), || log::PacketView::of(message));
        check(length.max(1024), || queue::PacketView::of(message));
        if let Ok(filter) = message.body(TcRtm::NEWTFILTER) {
            let _ = of_filter(&filter);
        }
        if let Ok(options) = UserOptions::read(message) {
            let _ = format!("{:?}", list(options));
        }
        structs(message.payload);
    }
}

/// What comes of a list.
fn list<T>(items: impl Iterator<Item = T>) -> Vec<T> {
    items.collect()
}

/// The matches of a filter, and what stands in a filter's header.
fn of_filter(body: &Body<'_, TcMessage>) -> Result<Vec<String>, Error> {
    let header = body.header;
    let mut told = vec![format!("{:?} {} {}", header.protocol(), header.priority(), header.handle.minor())];
    if let Some(basic) = body.attributes.chosen(Tc::OPTIONS, Basic)?
        && let Some(tree) = basic.get(Basic::EMATCHES)?
    {
        for item in tree.get(EmatchTree::LIST)?.into_iter().flatten() {
            let (_, (header, behind)) = item?;
            told.push(format!("{:?}", EmatchView::read(header, behind)?));
        }
    }
    Ok(told)
}

/// What IP knows of an interface: settings and counters by their numbers.
fn of_link(link: &LinkView<'_>) -> Result<impl Debug + use<>, Error> {
    let four = link.inet()?.map_or(Ok(None), |inet| inet.get(InetLink::CONF))?;
    let six = link.inet6()?.map_or(Ok((None, None, None)), |inet6| {
        inet6.read((Inet6Link::CONF, Inet6Link::STATS, Inet6Link::ICMP6STATS))
    })?;
    let number = link.header.flags.0.to_le_bytes()[0].into();
    Ok((
        four.and_then(|all| Ipv4Devconf(number).of(all)),
        six.0.and_then(|all| Ipv6Devconf(number).of(all)),
        six.1.and_then(|all| IpStatistic(number).of(all)),
        six.2.and_then(|all| Icmp6Statistic(number).of(all)),
    ))
}

/// The elements of a set, with their comments and what they do.
fn of_elements<'a>(elements: &ElementsView<'a>) -> Vec<Result<impl Debug + use<'a>, Error>> {
    let more = |element: nftables::ElementView<'a>| {
        let expressions: Vec<Result<ExpressionView<'a>, Error>> = element.expressions().collect();
        (element, element.comment(), expressions)
    };
    elements.iter().map(|element| element.map(more)).collect()
}

/// Bytes read as structs and lists which messages have somewhere, and asked for all that they say; structs are written again.
fn structs(bytes: &[u8]) {
    fn one<R: Record + Debug>(bytes: &[u8]) -> R {
        let read = R::from_bytes(bytes);
        let mut buffer = [0; 2048];
        let mut writer = Writer::new(&mut buffer);
        read.write(&mut writer);
        let written = writer.finish().expect("there is room");
        assert_eq!(written.len(), R::LAYOUT.size);
        assert_eq!(format!("{read:?}"), format!("{:?}", R::from_bytes(written)));
        read
    }
    let tcp: TcpInfo = one(bytes);
    let key: TcpMd5Key = one(bytes);
    let state: StateInfo = one(bytes);
    let header: SegmentHeader = one(bytes);
    let group: BridgeGroup = one(bytes);
    let entry: NexthopGroupEntry = one(bytes);
    let socket: InetHeader = one(bytes);
    let of_family =
        [RouteFamily::INET, RouteFamily::INET6].map(|family| (socket.id.local(family), socket.id.peer(family)));
    let _ = (of_family, SocketStates::ALL.has(socket.state));
    let _ = (one::<EventHeader>(bytes), one::<Input>(bytes), one::<Algorithm>(bytes));
    let _ =
        (tcp.window_scales(), tcp.is_limited_by_process(), one::<BbrInfo>(bytes).bandwidth(), key.key.expose().len());
    let _ = (state.saddr.is_zero(), group.bytes().len(), cookie_number([entry.id, entry.full_weight()]));
    assert!(header.segments(bytes).count() <= bytes.len() / 16);
    for label in MplsLabel::stack(bytes).into_iter().flatten() {
        let again =
            if label.is_bottom() { MplsLabel::new(label.label()).bottom() } else { MplsLabel::new(label.label()) };
        assert!(again.label() == label.label() && again.is_bottom() == label.is_bottom());
        let _ = (label.traffic_class(), label.ttl());
    }
    let bits = Attributes::<Bitset>::new(Payload { bytes, offset: 0 });
    if let Ok(bits) = BitsetView::of(bits) {
        let most = if bits.size() > 0 { usize::MAX } else { bytes.len() };
        // Words are as many as the bits need.
        let _ = (bits.is_masked(), list(bits.take(most.min(bytes.len() * 8))));
    }
    if let [family, hook, ..] = bytes {
        let _ = hook_name(Family(*family), Hook(*hook));
    }
}
