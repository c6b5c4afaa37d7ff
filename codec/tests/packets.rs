//! Packets as a kernel told them, by the log and by queues: read by views, printed, written again, damaged.

#![cfg(target_endian = "little")]

mod support;

use std::fmt::Write;

use ringlink_codec::netfilter::conntrack::Cta;
use ringlink_codec::netfilter::packet::{ConnectionInfo, ReceivedAt, hook_name};
use ringlink_codec::netfilter::{Family, NetfilterHeader, log, queue};
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::NETFILTER;
use ringlink_codec::route::EtherType;
use ringlink_codec::table::Be64;
use ringlink_codec::wire::{MessageType, Writer};

const LOG: &str = include_str!("packet_captures/log.hex");
const QUEUE: &str = include_str!("packet_captures/queue.hex");

/// Checks lines one by one, so that a failure shows which.
fn expect(found: &[String], expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    assert_eq!(found, expected);
}

/// The messages of all datagrams, but for what ends them.
fn packets<R>(capture: &str, kind: MessageType, each: impl Fn(Message<'_>) -> R) -> Vec<R> {
    let mut found = Vec::new();
    for datagram in support::messages(capture) {
        let messages: Vec<Message<'_>> = Messages::new(&datagram).collect::<Result<_, _>>().unwrap();
        for (index, message) in messages.iter().enumerate() {
            if message.header.kind == kind {
                found.push(each(*message));
            } else {
                // A datagram of several packets ends with one that says nothing but the group.
                assert_eq!((message.header.kind, index + 1), (MessageType::DONE, messages.len()));
                assert_eq!(message.payload, [0, 0, 0, 5]);
            }
        }
    }
    found
}

#[test]
fn captured_log() {
    let lines = packets(LOG, log::Log::PACKET.kind, |message| {
        let view = log::PacketView::of(message).unwrap();
        let hook = hook_name(view.family, view.hook).unwrap();
        let mut line = format!("{} {} {hook} {}", view.family, view.group, view.protocol);
        if let Some(prefix) = view.prefix {
            write!(line, " \"{prefix}\"").unwrap();
        }
        let interfaces = [("in", view.indev), ("out", view.outdev), ("from", view.physindev), ("to", view.physoutdev)];
        for (word, number) in interfaces {
            number.iter().for_each(|number| write!(line, " {word} {number}").unwrap());
        }
        if let Some(sender) = view.sender {
            let header = view.hardware_header.map_or(0, <[u8]>::len);
            write!(line, " sender {sender} {} {header}", view.hardware.unwrap()).unwrap();
        }
        view.mark.iter().for_each(|mark| write!(line, " mark {mark}").unwrap());
        view.owner.iter().for_each(|owner| write!(line, " owner {owner:?}").unwrap());
        if let Some(vlan) = view.vlan {
            write!(line, " vlan {} {} priority {}", vlan.protocol, vlan.id(), vlan.priority()).unwrap();
        }
        // One counts from 0, the other from 1.
        assert_eq!(view.sequence.map(|sequence| sequence + 1), view.global_sequence);
        let layer2 = view.layer2.map_or(0, <[u8]>::len);
        write!(line, " seq {} layer 2 {layer2} bytes {}", view.sequence.unwrap(), view.payload.unwrap().len()).unwrap();
        line
    });
    expect(
        &lines,
        r#"
        IPV4 5 output IP "one: " out 4 mark 23 owner (0, 0) seq 0 layer 2 0 bytes 33
        IPV4 5 output IP "one: " out 4 owner (0, 0) seq 1 layer 2 0 bytes 30
        IPV4 5 output IP out 4 owner (0, 0) seq 2 layer 2 0 bytes 35
        IPV6 5 output IPV6 out 4 owner (0, 0) seq 3 layer 2 0 bytes 53
        IPV4 5 input IP "in" in 4 from 2 sender 02:00:00:00:00:02 ETHER 14 seq 4 layer 2 0 bytes 31
        NETDEV 5 ingress IP "early" in 2 sender 02:00:00:00:00:02 ETHER 14 owner (0, 0) seq 5 layer 2 14 bytes 31
        BRIDGE 5 prerouting IP "tagged" in 4 from 2 sender 02:00:00:00:00:02 ETHER 14 owner (0, 0) vlan 8021Q 7 priority 3 seq 6 layer 2 14 bytes 31
        "#,
    );
}

#[test]
fn captured_queue() {
    let lines = packets(QUEUE, queue::Queue::PACKET.kind, |message| {
        let view = queue::PacketView::of(message).unwrap();
        let hook = hook_name(view.family, view.hook).unwrap();
        let mut line = format!("{} {} id {} {hook} {}", view.family, view.queue, view.id, view.protocol);
        for (word, number) in [("in", view.indev), ("out", view.outdev), ("mark", view.mark)] {
            number.iter().for_each(|number| write!(line, " {word} {number}").unwrap());
        }
        view.sender.iter().for_each(|sender| write!(line, " from {sender}").unwrap());
        view.owner.iter().for_each(|owner| write!(line, " owner {owner:?}").unwrap());
        write!(line, " {} bytes {}", view.info, view.payload.unwrap().len()).unwrap();
        line
    });
    expect(
        &lines,
        "
        IPV4 6 id 1 output IP out 4 mark 23 owner (0, 0) CSUMNOTREADY bytes 33
        IPV4 6 id 2 output IP out 4 owner (0, 0) CSUMNOTREADY bytes 30
        IPV6 6 id 3 output IPV6 out 1 owner (0, 0) CSUMNOTREADY bytes 53
        IPV4 6 id 4 input IP in 4 from 02:00:00:00:00:02 CSUM_NOTVERIFIED bytes 31
        ",
    );
}

#[test]
fn times_are_told() {
    let told = packets(LOG, log::Log::PACKET.kind, |message| log::PacketView::of(message).unwrap().received);
    assert_eq!(told[0], None);
    assert_eq!(told[4], Some(ReceivedAt { seconds: 0x6b05_6151, microseconds: 0x0005_9497 }));
}

#[test]
fn a_packet_is_printed_by_name() {
    let datagram = &support::messages(QUEUE)[0];
    let tree = Message::parse(datagram).unwrap().tree(&NETFILTER).to_string();
    for line in [
        "  NFQA_PACKET_HDR: {packet_id: 1, hw_protocol: 2048, hook: LOCAL_OUT}\n",
        "  NFQA_MARK: 23\n",
        "  NFQA_SKB_INFO: CSUMNOTREADY\n",
    ] {
        assert!(tree.contains(line), "{line}{tree}");
    }
}

#[test]
fn a_queue_packet_has_a_number() {
    let mut buffer = Buffer::<64>::new();
    let bytes = buffer
        .message(queue::Queue::PACKET, NetfilterHeader::of(Family::IPV4), |packet| {
            packet.put(queue::Packet::PAYLOAD, &[1][..]);
        })
        .unwrap();
    let error = queue::PacketView::of(Message::parse(bytes).unwrap()).unwrap_err();
    assert_eq!((error.name, error.offset), ("NFQA_PACKET_HDR", 20));
}

#[test]
fn verdicts_as_the_kernel_has_them() {
    assert_eq!(queue::Verdict::queue(5).0, 0x0005_0003);
    assert_eq!(queue::Verdict::queue_or_accept(5).0, 0x0005_8003);
    let mut buffer = Buffer::<64>::new();
    let header = NetfilterHeader::of(Family::UNSPEC).numbered(6);
    let bytes = buffer
        .message(queue::Queue::VERDICT, header, |verdict| {
            verdict.put(queue::Packet::VERDICT_HDR, queue::VerdictHeader::new(queue::Verdict::REPEAT, 0x0102));
            verdict.put(queue::Packet::MARK, 0x17);
        })
        .unwrap();
    let expected = [
        40, 0, 0, 0, 1, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, // NFQNL_MSG_VERDICT, NLM_F_REQUEST
        0, 0, 0, 6, // nfgenmsg: the queue, big-endian
        12, 0, 2, 0, 0, 0, 0, 4, 0, 0, 1, 2, // NFQA_VERDICT_HDR: NF_REPEAT, the number
        8, 0, 3, 0, 0, 0, 0, 0x17, // NFQA_MARK
    ];
    assert_eq!(bytes, expected);
}

/// Writes again, by its keys, every attribute that stands in a message, in its order.
macro_rules! again {
    ($sample:expr, $space:path, $vlan:path, [$($key:ident),*]) => {{
        let sample: &[u8] = $sample;
        let attributes = Attributes::<$space>::new(ringlink_codec::wire::Payload { bytes: &sample[20..], offset: 20 });
        let mut buffer = vec![0; sample.len() + 64];
        let mut writer = Writer::new(&mut buffer);
        writer.bytes(&sample[..20]);
        let mut to = AttributeWriter::<$space>::new(&mut writer);
        for raw in attributes.raw() {
            let number = raw.unwrap().number();
            $(if number == <$space>::$key.number() {
                to.put(<$space>::$key, attributes.get(<$space>::$key).unwrap().unwrap());
                continue;
            })*
            assert_eq!(number, <$space>::VLAN.number());
            let vlan = attributes.get(<$space>::VLAN).unwrap().unwrap();
            to.nest(<$space>::VLAN, |to| {
                to.put_some(<$vlan>::TCI, vlan.get(<$vlan>::TCI).unwrap());
                to.put_some(<$vlan>::PROTO, vlan.get(<$vlan>::PROTO).unwrap());
            });
        }
        let mut back = writer.finish().unwrap().to_vec();
        // The last attribute may lack its padding, which is counted by nobody.
        back.truncate(sample.len());
        back
    }};
}

#[test]
fn captures_go_there_and_back() {
    let payload = |message: Message<'_>| [&message.header.to_bytes(), message.payload].concat();
    for sample in packets(LOG, log::Log::PACKET.kind, payload) {
        let back = again!(
            &sample,
            log::Packet,
            log::Vlan,
            [
                PACKET_HDR,
                MARK,
                TIMESTAMP,
                IFINDEX_INDEV,
                IFINDEX_OUTDEV,
                IFINDEX_PHYSINDEV,
                HWADDR,
                PAYLOAD,
                PREFIX,
                UID,
                SEQ,
                SEQ_GLOBAL,
                GID,
                HWTYPE,
                HWHEADER,
                HWLEN,
                L2HDR
            ]
        );
        assert_eq!(back, sample);
    }
    for sample in packets(QUEUE, queue::Queue::PACKET.kind, payload) {
        let back = again!(
            &sample,
            queue::Packet,
            queue::Vlan,
            [
                PACKET_HDR,
                MARK,
                TIMESTAMP,
                IFINDEX_INDEV,
                IFINDEX_OUTDEV,
                IFINDEX_PHYSINDEV,
                HWADDR,
                PAYLOAD,
                SKB_INFO,
                UID,
                GID
            ]
        );
        assert_eq!(back, sample);
    }
}

#[test]
fn damage_is_no_panic() {
    for datagram in support::messages(LOG).iter().chain(&support::messages(QUEUE)) {
        support::every_damage(datagram, |bytes| {
            for message in Messages::new(bytes).map_while(Result::ok) {
                let _ = log::PacketView::read(Body::of(message));
                let _ = queue::PacketView::read(Body::of(message));
            }
        });
        for length in 0..datagram.len() {
            for message in Messages::new(&datagram[..length]).map_while(Result::ok) {
                let _ = message.tree(&NETFILTER).to_string();
            }
        }
    }
}

/// What is cut off the end of a packet is an error, or one of the last attributes missing; never another value.
#[test]
fn a_cut_packet_loses_only_what_is_cut() {
    for datagram in support::messages(QUEUE) {
        let whole = queue::PacketView::of(Message::parse(&datagram).unwrap()).unwrap();
        for length in 16..datagram.len() {
            let mut cut = datagram[..length].to_vec();
            cut[..4].copy_from_slice(&u32::try_from(length).unwrap().to_ne_bytes());
            if let Ok(view) = queue::PacketView::of(Message::parse(&cut).unwrap()) {
                assert_eq!((view.id, view.hook, view.protocol), (whole.id, whole.hook, whole.protocol));
                assert!(view.payload.is_none_or(|payload| whole.payload == Some(payload)));
                assert!(view.mark.is_none_or(|mark| whole.mark == Some(mark)));
            }
        }
    }
}

#[test]
fn what_is_told_only_with_connection_tracking_is_read() {
    let mut buffer = Buffer::<256>::new();
    let bytes = buffer
        .message(log::Log::PACKET, NetfilterHeader::of(Family::IPV4).numbered(5), |packet| {
            packet.put(log::Packet::CT_INFO, ConnectionInfo::RELATED_REPLY);
            packet.nest(log::Packet::CT, |connection| connection.put(Cta::MARK, 9));
            packet.put(log::Packet::TIMESTAMP, log::Timestamp { sec: Be64::new(7), usec: Be64::new(8) });
            packet.nest(log::Packet::VLAN, |vlan| {
                vlan.put(log::Vlan::PROTO, EtherType(0x8100));
                vlan.put(log::Vlan::TCI, 0x6007);
            });
        })
        .unwrap();
    let view = log::PacketView::of(Message::parse(bytes).unwrap()).unwrap();
    assert_eq!(view.connection.map(|connection| connection.get(Cta::MARK)), Some(Ok(Some(9))));
    assert_eq!(view.connection_info, Some(ConnectionInfo::RELATED_REPLY));
    assert_eq!(view.received, Some(ReceivedAt { seconds: 7, microseconds: 8 }));
    assert_eq!(view.vlan.map(|vlan| (vlan.id(), vlan.priority())), Some((7, 3)));
}
