//! Families of generic netlink: secrets, sets of bits, addresses, and which of several tables a message is read by.

mod support;

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use ringlink_codec::generic::ethtool::{self, Bit, Bitset, BitsetBit, BitsetBits, BitsetView, Features, Header};
use ringlink_codec::generic::wireguard::{self, AllowedIp, Device, DeviceFlags, Peer};
use ringlink_codec::generic::{
    FAMILIES, Family, GenericHeader, Numbers, SocketFamily, Timespec, ethtool::ETHTOOL, mptcp_pm, taskstats,
};
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::GENERIC;
use ringlink_codec::table::{AttributeWriter, Encode, Record, SockAddr, SocketAddress};
use ringlink_codec::wire::{MessageHeader, Payload, Writer};

const PRIVATE: [u8; 32] = [0xa5; 32];
const SHARED: [u8; 32] = [0x5a; 32];

/// A device with a peer, as it is set.
fn wireguard(buffer: &mut [u8]) -> &[u8] {
    let set = wireguard::Request::SET_DEVICE;
    set.operation(30)
        .write(buffer, set.header(), |device| {
            device.put(Device::IFNAME, "wg0");
            device.put(Device::FLAGS, DeviceFlags::REPLACE_PEERS);
            device.put(Device::PRIVATE_KEY, &PRIVATE);
            device.indexed(Device::PEERS, |peers| {
                peers.nest(0, |peer| {
                    peer.put(Peer::PUBLIC_KEY, [1; 32]);
                    peer.put(Peer::PRESHARED_KEY, &SHARED);
                    peer.put(Peer::ENDPOINT, SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 51820)));
                    peer.put(Peer::LAST_HANDSHAKE_TIME, Timespec { sec: 5, nsec: 6 });
                    peer.indexed(Peer::ALLOWEDIPS, |addresses| {
                        addresses.nest(0, |address| {
                            address.put(AllowedIp::FAMILY, SocketFamily::INET6);
                            address.put(AllowedIp::IPADDR, Ipv6Addr::LOCALHOST);
                            address.put(AllowedIp::CIDR_MASK, 128);
                        });
                    });
                });
            });
        })
        .unwrap()
}

#[test]
fn keys_are_not_shown_unless_asked_for() {
    let mut buffer = [0; 512];
    let message = Message::parse(wireguard(&mut buffer)).unwrap();
    let numbers = [(30, Family::named("wireguard").unwrap())];
    let numbers = Numbers(&numbers);
    let body = message.body(wireguard::Request::SET_DEVICE.operation(30)).unwrap();
    let peers = body.attributes.get(Device::PEERS).unwrap().unwrap();
    let peer = peers.clone().next().unwrap().unwrap().1;
    let shown = [
        message.tree(&GENERIC).with(numbers).to_string(),
        message.json(&GENERIC).with(numbers).to_string(),
        format!("{body:?} {:?} {peers:?} {peer:?}", body.attributes.get(Device::PRIVATE_KEY)),
        format!("{:?}", peer.get(Peer::PRESHARED_KEY)),
    ];
    for text in shown {
        assert!(!text.contains("a5a5") && !text.contains("5a5a") && !text.contains("165, 165"), "{text}");
        assert!(!text.contains("90, 90"), "{text}");
        assert!(text.contains("(32 secret bytes)"), "{text}");
    }
    let told = message.tree(&GENERIC).with(numbers).with_secrets().to_string();
    for part in [&"a5".repeat(32), "WGPEER_A_ENDPOINT: 192.0.2.1:51820", "WGALLOWEDIP_A_IPADDR: ::1"] {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    assert!(message.json(&GENERIC).with(numbers).with_secrets().to_string().contains(&"5a".repeat(32)));
    assert_eq!(body.attributes.get(Device::PRIVATE_KEY).unwrap().unwrap().expose(), PRIVATE);
    assert!(peer.get(Peer::ENDPOINT).unwrap().unwrap() == SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 51820)));
}

#[test]
fn damaged_messages_print_and_show_no_keys_of_their_places() {
    let mut buffer = [0; 512];
    let message = wireguard(&mut buffer).to_vec();
    let numbers = [(30, Family::named("wireguard").unwrap())];
    support::every_damage(&message, |bytes| {
        let Ok(message) = Message::parse(bytes) else { return };
        let _ = message.json(&GENERIC).with(Numbers(&numbers)).to_string();
        let body = message.body(wireguard::Request::SET_DEVICE.operation(30));
        let Ok(body) = body else { return };
        for peer in body.attributes.get(Device::PEERS).ok().flatten().into_iter().flatten().flatten() {
            let _ = peer.1.read((Peer::ENDPOINT, Peer::LAST_HANDSHAKE_TIME, Peer::ALLOWEDIPS));
        }
    });
}

/// The attributes of a set, written by a closure.
fn bitset(fill: impl FnOnce(&mut AttributeWriter<'_, '_, Bitset>)) -> Vec<u8> {
    let mut buffer = [0; 256];
    let mut writer = Writer::new(&mut buffer);
    fill(&mut AttributeWriter::new(&mut writer));
    writer.finish().unwrap().to_vec()
}

/// A bit's number, name and value.
type Told = (Option<u32>, Option<String>, bool);

fn bits(bytes: &[u8]) -> Result<Vec<Told>, ringlink_codec::Error> {
    let view = BitsetView::of(Attributes::new(Payload { bytes, offset: 0 }))?;
    view.map(|bit| bit.map(|Bit { index, name, value }| (index, name.map(|name| name.to_string()), value))).collect()
}

#[test]
fn sets_of_bits_in_both_forms() {
    let word = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect::<Vec<u8>>();
    let named = |list: bool| {
        bitset(|set| {
            if list {
                set.put(Bitset::NOMASK, ());
            }
            set.put(Bitset::SIZE, 40);
            set.nest(Bitset::BITS, |bits| {
                for (index, name, value) in [(0, "first", true), (39, "last", false)] {
                    bits.nest(BitsetBits::BIT, |bit| {
                        bit.put(BitsetBit::INDEX, index);
                        bit.put(BitsetBit::NAME, name);
                        bit.put_some(BitsetBit::VALUE, (value && !list).then_some(()));
                    });
                }
            });
        })
    };
    let words = |list: bool, value: &[u32], mask: Option<&[u32]>| {
        bitset(|set| {
            set.put_some(Bitset::NOMASK, list.then_some(()));
            set.put(Bitset::SIZE, 40);
            set.put(Bitset::VALUE, &word(value)[..]);
            if let Some(mask) = mask {
                set.put(Bitset::MASK, &word(mask)[..]);
            }
        })
    };
    let name = |name: &str| Some(name.to_owned());
    let cases = [
        (named(false), vec![(Some(0), name("first"), true), (Some(39), name("last"), false)]),
        (named(true), vec![(Some(0), name("first"), true), (Some(39), name("last"), true)]),
        (words(false, &[1, 0], Some(&[1, 0x80])), vec![(Some(0), None, true), (Some(39), None, false)]),
        (words(true, &[1, 0x80], None), vec![(Some(0), None, true), (Some(39), None, true)]),
        // Bits behind the size are none.
        (words(true, &[1, 0x8000], None), vec![(Some(0), None, true)]),
        (bitset(|_| {}), vec![]),
    ];
    for (bytes, expected) in cases {
        assert_eq!(bits(&bytes).as_deref(), Ok(&expected[..]));
        support::every_damage(&bytes, |damaged| drop(bits(damaged)));
    }
    for bytes in [words(true, &[1], None), words(false, &[1, 1], None), words(false, &[1, 1], Some(&[1]))] {
        let error = bits(&bytes).expect_err("words are missing");
        assert!(error.name.starts_with("ETHTOOL_A_BITSET_"), "{error}");
    }
    // A size that no set has takes no time.
    let lying = bitset(|set| set.put(Bitset::SIZE, u32::MAX));
    assert_eq!(bits(&lying), Ok(vec![]));
}

#[test]
fn direction_and_port_choose_the_table() {
    let message = |flags, port, command| {
        let header =
            MessageHeader { length: 20, kind: ringlink_codec::wire::MessageType(40), flags, sequence: 1, port };
        let mut bytes = header.to_bytes().to_vec();
        bytes.extend([command, 1, 0, 0]);
        bytes
    };
    let name = |family: &'static Family, flags, port, command| {
        family.row(Message::parse(&message(flags, port, command)).unwrap()).map(|row| row.name)
    };
    let mptcp = &mptcp_pm::MPTCP_PM;
    let none = Flags::NONE;
    assert_eq!(name(mptcp, Flags::REQUEST, 0, 3), Some("MPTCP_PM_CMD_GET_ADDR"));
    assert_eq!(name(mptcp, none, 77, 3), Some("MPTCP_PM_CMD_GET_ADDR"));
    assert_eq!(name(mptcp, none, 0, 3), Some("MPTCP_EVENT_CLOSED"));
    assert_eq!(name(mptcp, none, 77, 1), None);
    assert_eq!(name(&ETHTOOL, Flags::REQUEST, 0, 3), Some("ETHTOOL_MSG_LINKINFO_SET"));
    assert_eq!(name(&ETHTOOL, none, 77, 3), Some("ETHTOOL_MSG_LINKINFO_NTF"));
    assert_eq!(name(&ETHTOOL, none, 0, 3), Some("ETHTOOL_MSG_LINKINFO_NTF"));
    let tables: Vec<usize> = FAMILIES.iter().map(|family| family.tables().count()).collect();
    assert_eq!(tables, [1, 2, 3, 1, 1, 1, 1]);
}

#[test]
fn a_counter_is_named_by_its_group() {
    let mut buffer = [0; 256];
    let answer = ethtool::Answer::STATS_GET_REPLY;
    let header = MessageHeader { port: 5, ..MessageHeader::default() };
    let mut writer = Writer::new(&mut buffer);
    answer.operation(21).encode(&mut writer, header, answer.header(), |told| {
        told.nest(ethtool::Statistics::GRP, |group| {
            group.put(ethtool::StatisticsGroup::ID, ethtool::StatisticsGroupId::RMON);
            group.nest(
                ringlink_codec::table::Key::<_, ringlink_codec::table::Nest<ethtool::RmonCounter>>::new(4),
                |stat| {
                    stat.put(ethtool::RmonCounter::JABBER, 9);
                },
            );
        });
    });
    let message = Message::parse(writer.finish().unwrap()).unwrap();
    let numbers = [(21, &ETHTOOL)];
    let text = message.tree(&GENERIC).with(Numbers(&numbers)).to_string();
    assert!(text.contains("ETHTOOL_A_STATS_RMON_JABBER: 9"), "{text}");
    let body = message.body(answer.operation(21)).unwrap();
    let group = body.attributes.all(ethtool::Statistics::GRP).next().unwrap().unwrap();
    let counter = group.all(ethtool::StatisticsGroup::STAT).next().unwrap().unwrap();
    let counter = counter.read::<ringlink_codec::table::Nest<ethtool::RmonCounter>>().unwrap();
    assert_eq!(counter.get(ethtool::RmonCounter::JABBER), Ok(Some(9)));
}

#[test]
fn statistics_of_tasks_grow() {
    let size = taskstats::Taskstats::LAYOUT.size;
    assert_eq!(size, 688);
    let mut bytes = vec![0; size];
    bytes[80..86].copy_from_slice(b"shell\0");
    bytes[416] = 7;
    let whole = taskstats::Taskstats::from_bytes(&bytes);
    assert!(whole.ac_comm.text() == "shell");
    assert_eq!(whole.irq_count.to_le() & 0xff, 7);
    for shorter in [0, 328, 416, 432, 560] {
        let part = taskstats::Taskstats::from_bytes(&bytes[..shorter]);
        assert_eq!(part.irq_count != 0, shorter > 416, "{shorter}");
        assert_eq!(part.irq_delay_max_ts, Timespec::default());
    }
}

#[test]
fn a_device_is_named_in_the_header() {
    let mut buffer = Buffer::<64>::new();
    let get = ethtool::Request::FEATURES_GET;
    let bytes = buffer
        .message(get.operation(21), get.header(), |ask| {
            ask.nest(Features::HEADER, |header| header.put(Header::DEV_NAME, "v0"));
        })
        .unwrap();
    let body = Message::parse(bytes).unwrap().body(get.operation(21)).unwrap();
    assert_eq!(body.header, GenericHeader { cmd: 11, version: 1, pad: 0 });
    assert!(body.attributes.get(Features::HEADER).unwrap().unwrap().get(Header::DEV_NAME).unwrap().unwrap() == "v0");
}

#[test]
fn socket_addresses_there_and_back() {
    for text in ["192.0.2.1:51820", "[2001:db8::1]:51820", "[fe80::1%3]:1"] {
        let address: SocketAddr = text.parse().unwrap();
        let mut buffer = [0; 28];
        let mut writer = Writer::new(&mut buffer);
        Encode::<SockAddr>::encode(address, &mut writer);
        let bytes = writer.finish().unwrap();
        // The last 8 bytes of an IPv4 one are nothing.
        let (length, needed) = if address.is_ipv4() { (16, 8) } else { (28, 28) };
        assert_eq!(bytes.len(), length);
        assert!(SocketAddress(bytes) == address, "{text}");
        assert!((0..needed).all(|end| SocketAddress(&bytes[..end]).socket().is_none()), "{text}");
    }
    assert_eq!(SocketAddress(&[0xff, 0xff, 1]).to_string(), "ff:ff:01");
}

#[cfg(target_endian = "little")]
mod captured {
    use std::collections::BTreeMap;
    use std::fmt::Write;

    use super::*;

    /// Captures of kernels: the family, the messages.
    fn captures() -> Vec<(&'static Family, Vec<Vec<u8>>)> {
        macro_rules! captures {
            ($($family:literal: $file:literal,)*) => {
                vec![$((
                    Family::named($family).unwrap(),
                    support::messages(include_str!(concat!("captures/generic_", $file, ".hex"))),
                )),*]
            };
        }
        captures! {
            "nlctrl": "nlctrl",
            "ethtool": "ethtool",
            "ethtool": "ethtool_statistics",
            "mptcp_pm": "mptcp_pm",
            "netdev": "netdev",
            "TASKSTATS": "TASKSTATS",
            "tcp_metrics": "tcp_metrics",
            "wireguard": "wireguard",
        }
    }

    fn tree(family: &'static Family, bytes: &[u8]) -> String {
        let message = Message::parse(bytes).unwrap();
        message.tree(&GENERIC).with(Numbers(&[(message.header.kind.0, family)])).to_string()
    }

    #[test]
    fn captures_are_told_by_names() {
        for (family, messages) in captures() {
            assert!(!messages.is_empty());
            for bytes in &messages {
                let text = tree(family, bytes);
                assert!(!text.starts_with("unknown") && !text.contains("error: "), "{text}");
            }
        }
        let text: String =
            captures().iter().flat_map(|(family, messages)| messages.iter().map(|bytes| tree(family, bytes))).collect();
        let expected = [
            "CTRL_ATTR_FAMILY_NAME: \"ethtool\"",
            "NL_POLICY_TYPE_ATTR_TYPE: ",
            "ETHTOOL_MSG_FEATURES_GET_REPLY",
            "ETHTOOL_A_LINKMODES_SPEED: 10000",
            "ETHTOOL_A_STRINGSET_ID: ",
            "ETHTOOL_MSG_FEATURES_NTF",
            "ETHTOOL_A_STATS_GRP_ID: RMON",
            "MPTCP_PM_ADDR_ATTR_FLAGS: SUBFLOW|BACKUP",
            "MPTCP_PM_CMD_GET_LIMITS",
            "MPTCP_EVENT_LISTENER_CREATED",
            "MPTCP_EVENT_ESTABLISHED",
            "MPTCP_ATTR_DADDR4: 192.0.2.1",
            "NETDEV_A_DEV_XDP_FEATURES: BASIC|REDIRECT",
            "TCP_METRICS_A_METRICS_CWND: ",
            "ac_comm: \"",
            "WGPEER_A_ENDPOINT: [2001:db8::2]:7",
            "WGDEVICE_A_PRIVATE_KEY: (32 secret bytes)",
        ];
        for expected in expected {
            assert!(text.contains(expected), "{expected} is not in {text}");
        }
    }

    #[test]
    fn both_forms_of_a_captured_set_are_the_same() {
        let (_, messages) = &captures()[1];
        let active: Vec<BTreeMap<u32, Option<String>>> = messages
            .iter()
            .filter_map(|bytes| {
                let body =
                    Message::parse(bytes).unwrap().body(ethtool::Answer::FEATURES_GET_REPLY.operation(21)).ok()?;
                if body.header.cmd != ethtool::Answer::FEATURES_GET_REPLY.command {
                    return None;
                }
                let bits = BitsetView::of(body.attributes.get(Features::ACTIVE).unwrap().unwrap()).unwrap();
                assert_eq!((bits.size(), bits.is_masked()), (64, false));
                let pair = |bit: Bit<'_>| (bit.index.unwrap(), bit.name.map(|name| name.to_string()));
                Some(bits.map(|bit| pair(bit.unwrap())).collect())
            })
            .collect();
        let [named, words] = active.as_slice() else { panic!("{}", active.len()) };
        assert!(named.keys().eq(words.keys()) && named.len() > 20, "{named:?} {words:?}");
        assert!(named.values().all(Option::is_some) && words.values().all(Option::is_none));
    }

    #[test]
    fn damaged_captures_are_survived() {
        for (family, messages) in captures() {
            for bytes in messages.iter().filter(|bytes| bytes.len() < 256) {
                let kind = Message::parse(bytes).unwrap().header.kind.0;
                let numbers = [(kind, family)];
                support::every_damage(bytes, |damaged| {
                    let Ok(message) = Message::parse(damaged) else { return };
                    write!(Nowhere, "{}", message.json(&GENERIC).with(Numbers(&numbers))).unwrap();
                });
            }
        }
    }

    /// Takes text and keeps none.
    struct Nowhere;

    impl Write for Nowhere {
        fn write_str(&mut self, _: &str) -> std::fmt::Result {
            Ok(())
        }
    }
}
