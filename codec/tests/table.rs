//! Typed reading and writing of every shape; every buffer that is too short; every damaged byte.

mod family;

use std::net::{Ipv4Addr, Ipv6Addr};

use family::*;
use ringlink_codec::prelude::*;
use ringlink_codec::table::*;
use ringlink_codec::wire::ErrorKind;

fn body(bytes: &[u8]) -> Body<'_, ThingMessage> {
    Message::parse(bytes).unwrap().body(Op::NEW).unwrap()
}

#[test]
fn every_shape_reads_what_was_written() {
    let bytes = message();
    let Body { header, attributes, .. } = body(&bytes);
    assert_eq!(header.index, 99);
    let numbers = attributes.read((
        (Thing::U8, Thing::U16, Thing::U32, Thing::U64, Thing::S8, Thing::S16, Thing::S32, Thing::S64),
        (Thing::BE16, Thing::BE32, Thing::BE64, Thing::UINT, Thing::SINT),
    ));
    assert_eq!(
        numbers,
        Ok((
            (
                Some(1),
                Some(0x1234),
                Some(0x1234_5678),
                Some(0x1122_3344_5566_7788),
                Some(-1),
                Some(-2),
                Some(-3),
                Some(-4)
            ),
            (Some(0x1234), Some(0x1234_5678), Some(0x1122_3344_5566_7788), Some(5), Some(-5)),
        ))
    );
    assert!(attributes.get(Thing::STR).unwrap().unwrap() == "text");
    assert!(attributes.get(Thing::BARE).unwrap().unwrap() == "bare");
    assert_eq!(attributes.get(Thing::BYTES), Ok(Some(&[1, 2, 3][..])));
    assert_eq!(attributes.get(Thing::FLAG), Ok(Some(())));
    assert_eq!(attributes.get(Thing::HARDWARE).unwrap().unwrap().to_string(), "02:00:00:00:00:01");
    assert_eq!(attributes.get(Thing::INET).unwrap().unwrap().ip(), Some(Ipv4Addr::new(10, 0, 0, 1).into()));
    assert_eq!(attributes.get(Thing::IPV4), Ok(Some(Ipv4Addr::new(10, 0, 0, 2))));
    assert_eq!(attributes.get(Thing::IPV6), Ok(Some(Ipv6Addr::LOCALHOST)));
    assert_eq!(attributes.get(Thing::POINT), Ok(Some(point())));
    assert_eq!(attributes.get(Thing::COLOR), Ok(Some(Color::GREEN)));
    assert_eq!(attributes.get(Thing::ETHER), Ok(Some(Ether::Q8021)));
    assert_eq!(attributes.get(Thing::BITS).unwrap().unwrap().to_string(), "ONE|0x10");
    assert_eq!(attributes.get(Thing::BITFIELD), Ok(Some(Bitfield32 { value: 1, selector: 3 })));
    assert_eq!(attributes.get(Thing::ARRAY), Ok(Some([1, 2, 3])));
}

#[test]
fn nests_and_lists_read_what_was_written() {
    let bytes = message();
    let attributes = body(&bytes).attributes;
    assert_eq!(attributes.get(Thing::NEST).unwrap().unwrap().get(Inner::ID), Ok(Some(6)));
    let inner = attributes.get(Thing::SELF).unwrap().unwrap().get(Thing::SELF).unwrap().unwrap();
    assert_eq!(inner.get(Thing::U8), Ok(Some(2)));
    let indexed: Vec<_> = attributes.get(Thing::INDEXED).unwrap().unwrap().map(Result::unwrap).collect();
    assert_eq!(indexed.len(), 2);
    assert_eq!((indexed[0].0, indexed[0].1.get(Inner::ID)), (1, Ok(Some(7))));
    assert_eq!(attributes.get(Thing::PACKED).unwrap().unwrap().collect::<Vec<_>>(), [8, 9]);
    let points = attributes.get(Thing::POINTS).unwrap().unwrap();
    assert_eq!((points.len(), points.collect::<Vec<_>>()), (2, vec![point(), point()]));
    let (header, headed) = attributes.get(Thing::HEADED).unwrap().unwrap();
    assert_eq!(header.family, 7);
    assert_eq!(headed.chosen(Thing::BY_HEADER, Inner).unwrap().unwrap().get(Inner::ID), Ok(Some(10)));
    assert_eq!(attributes.get(Thing::PREFIXED), Ok(Some((point(), &[0xaa, 0xbb][..]))));
    let hops: Vec<_> = attributes.get(Thing::RECORDS).unwrap().unwrap().map(Result::unwrap).collect();
    assert_eq!(hops.iter().map(|(hop, _)| (hop.len, hop.index)).collect::<Vec<_>>(), [(20, 1), (8, 2)]);
    assert!(hops[0].1.get(Inner::LABEL).unwrap().unwrap() == "first");
    let many: Vec<_> = attributes.all(Thing::MANY).map(|text| text.unwrap().to_string()).collect();
    assert_eq!(many, ["one", "two"]);
    assert!(attributes.get(Thing::MANY).unwrap().unwrap() == "two", "the last occurrence counts");
    let tlvs: Vec<_> = attributes.get(Thing::TLVS).unwrap().unwrap().map(Result::unwrap).collect();
    assert_eq!(tlvs, [(1, &[0xcc][..]), (2, &[][..])]);
    let (first, numbers) = attributes.get(Thing::FOLLOWED).unwrap().unwrap();
    assert_eq!((first, numbers.collect::<Vec<_>>()), (point(), vec![15, 16]));
}

#[test]
fn a_sibling_chooses_in_either_order() {
    let bytes = message();
    let attributes = body(&bytes).attributes;
    assert_eq!(attributes.chosen(Thing::BY_NAME, Inner).unwrap().unwrap().get(Inner::ID), Ok(Some(13)));
    assert_eq!(attributes.chosen_value::<_, u32>(Thing::BY_NAME), Ok(None), "the name says something else");
    assert_eq!(attributes.chosen_value::<_, Point>(Thing::BY_NUMBER), Ok(Some(point())));
    assert_eq!(attributes.chosen_value::<_, Bytes>(Thing::BY_NUMBER), Ok(None));

    let mut buffer = [0; 128];
    let late = Op::NEW.write(&mut buffer, ThingHeader::default(), |thing| {
        thing.put_chosen::<_, u32>(Thing::BY_NAME, 5);
        thing.put(Thing::NAME, "count");
    });
    assert_eq!(body(late.unwrap()).attributes.chosen_value::<_, u32>(Thing::BY_NAME), Ok(Some(5)));
}

#[test]
fn what_is_not_asked_for_cannot_fail() {
    let mut buffer = [0; 128];
    let bytes = Op::NEW.write(&mut buffer, ThingHeader::default(), |thing| {
        thing.put_raw(Thing::U32.number(), &[1, 2, 3]);
        thing.put(Thing::U8, 4);
    });
    let attributes = body(bytes.unwrap()).attributes;
    assert_eq!(attributes.get(Thing::U8), Ok(Some(4)));
    let error = attributes.get(Thing::U32).unwrap_err();
    assert_eq!(error.kind, ErrorKind::PayloadLength { found: 3, expected: 4 });
    assert_eq!((error.name, error.attribute, error.offset), ("THING_U32", 3, 28));
    assert_eq!(error.to_string(), "THING_U32: 3 bytes found, 4 expected, at offset 28");

    let bytes = Op::NEW.write(&mut buffer, ThingHeader::default(), |thing| {
        thing.put_raw(Thing::U32.number(), &[1, 2, 3]);
        thing.put(Thing::U32, 5);
    });
    assert_eq!(body(bytes.unwrap()).attributes.get(Thing::U32), Ok(Some(5)), "overridden, so not decoded");
}

#[test]
fn flags_in_a_type_are_not_its_number() {
    let mut buffer = [0; 64];
    let bytes = Op::NEW.write(&mut buffer, ThingHeader::default(), |thing| {
        thing.put_raw(Thing::BE32.number() | 0x4000, &[0, 0, 0, 1]);
        thing.put_raw(Thing::NEST.number(), &[8, 0, 1, 0, 2, 0, 0, 0]);
    });
    let attributes = body(bytes.unwrap()).attributes;
    assert_eq!(attributes.get(Thing::BE32), Ok(Some(1)));
    if cfg!(target_endian = "little") {
        let nest = attributes.get(Thing::NEST).unwrap().unwrap();
        assert_eq!(nest.get(Inner::ID), Ok(Some(2)), "a nest without the flag, as old families write it");
    }
}

#[test]
fn structs_shrink_and_grow() {
    let mut buffer = [0; 64];
    let short = Op::NEW.write(&mut buffer, ThingHeader::default(), |thing| {
        thing.put_raw(Thing::POINT.number(), &point_bytes()[..6]);
    });
    let read = body(short.unwrap()).attributes.get(Thing::POINT).unwrap().unwrap();
    assert_eq!(read, Point { z: [3, 0], color: Color(0), ..point() });

    let mut long = point_bytes();
    long.extend([0xff; 5]);
    let grown = Op::NEW.write(&mut buffer, ThingHeader::default(), |thing| {
        thing.put_raw(Thing::POINT.number(), &long);
    });
    assert_eq!(body(grown.unwrap()).attributes.get(Thing::POINT), Ok(Some(point())));
}

fn point_bytes() -> Vec<u8> {
    let mut buffer = [0; 64];
    let bytes = Op::NEW.write(&mut buffer, ThingHeader::default(), |thing| thing.put(Thing::POINT, point())).unwrap();
    bytes[28..40].to_vec()
}

#[test]
fn every_too_short_buffer_says_what_is_needed() {
    let whole = message();
    for length in 0..whole.len() {
        let mut buffer = vec![0xee; length];
        let header = ThingHeader { index: 99, ..Default::default() };
        let error = Op::NEW.write(&mut buffer, header, |thing| fill(thing)).unwrap_err();
        assert_eq!(error.needed(), Some(u32::try_from(whole.len()).unwrap()), "a buffer of {length} bytes");
    }
    let mut exact = vec![0xee; whole.len()];
    let header = ThingHeader { index: 99, ..Default::default() };
    assert_eq!(Op::NEW.write(&mut exact, header, |thing| fill(thing)), Ok(&mut whole.clone()[..]), "padding is zero");
}

#[test]
fn a_nest_longer_than_its_length_can_say_is_an_error() {
    let mut buffer = vec![0; 200_000];
    let long = vec![0; 40_000];
    let result = Op::NEW.write(&mut buffer, ThingHeader::default(), |thing| {
        thing.nest(Thing::SELF, |thing| {
            thing.put(Thing::BYTES, &long[..]);
            thing.put(Thing::BYTES, &long[..]);
        });
    });
    let error = result.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TooLong { length: 80_012 });
    assert_eq!((error.attribute, error.offset), (Thing::SELF.number(), 24));
}

#[test]
fn a_batch_keeps_whole_messages_only() {
    let whole = message();
    for capacity in [0, 15, whole.len() - 1, whole.len(), whole.len() * 2 + 1, whole.len() * 3] {
        let mut buffer = vec![0; capacity];
        let mut batch = Batch::new(&mut buffer);
        let mut added = 0;
        while batch.add(Op::NEW, ThingHeader::default(), fill).is_ok() {
            added += 1;
        }
        assert_eq!(added, capacity / whole.len());
        batch.number(u32::MAX, 7, |index| index == 1);
        let numbers: Vec<_> = batch.messages().map(|message| message.unwrap().header).collect();
        assert_eq!(numbers.len(), added);
        for (index, header) in numbers.iter().enumerate() {
            assert_eq!(header.sequence, u32::MAX.wrapping_add(u32::try_from(index).unwrap()));
            assert_eq!((header.port, header.flags.contains(Flags::ACK)), (7, index == 1));
        }
    }
}

/// Walks all there is in a message, as a reader that asks for everything would.
fn read_all(bytes: &[u8]) -> usize {
    let mut steps = 0;
    for message in Messages::new(bytes) {
        let Ok(message) = message else { break };
        let attributes = Body::<ThingMessage>::of(message).attributes;
        for raw in attributes.raw() {
            steps += 1;
            let _ = raw.map(|raw| raw.payload.bytes.len());
        }
        let _ = attributes.read((Thing::U8, Thing::POINT, Thing::NEST, Thing::UINT, Thing::ETHER, Thing::ARRAY));
        steps += attributes.get(Thing::INDEXED).ok().flatten().map_or(0, Iterator::count);
        steps += attributes.get(Thing::PACKED).ok().flatten().map_or(0, Iterator::count);
        steps += attributes.get(Thing::FOLLOWED).ok().flatten().map_or(0, |(_, numbers)| numbers.count());
        steps += attributes.get(Thing::RECORDS).ok().flatten().map_or(0, Iterator::count);
        steps += attributes.get(Thing::TLVS).ok().flatten().map_or(0, Iterator::count);
        let _ = attributes.chosen(Thing::BY_NAME, Inner);
        let _ = attributes.chosen_value::<_, Point>(Thing::BY_NUMBER);
        steps += message.tree(&PROTOCOL).to_string().len() + message.json(&PROTOCOL).to_string().len();
        let _ = format!("{attributes:?}");
    }
    steps
}

#[test]
fn every_truncation_is_read_or_refused() {
    let whole = message();
    for length in 0..whole.len() {
        let cut = &whole[..length];
        let error = Message::parse(cut).unwrap_err();
        assert!(matches!(error.kind, ErrorKind::MessageTruncated { .. } | ErrorKind::MessageLength { .. }));
        // The same with a header that does not know: now the attributes are cut.
        let mut lying = cut.to_vec();
        if let Some(space) = lying.get_mut(..4) {
            space.copy_from_slice(&u32::try_from(length).unwrap().to_ne_bytes());
        }
        read_all(&lying);
    }
}

#[test]
fn every_damaged_byte_is_read_or_refused() {
    let whole = message();
    for at in 0..whole.len() {
        for value in [0, 1, 4, 0x7f, 0x80, 0xff, whole[at] ^ 1, whole[at].wrapping_add(4)] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            assert!(read_all(&damaged) < 2_000_000, "byte {at} = {value}");
        }
    }
}

#[test]
fn broken_runs_end_with_one_error() {
    let bytes = |attributes: &[u8]| {
        let mut message = vec![0; 24];
        message[4..6].copy_from_slice(&16_u16.to_ne_bytes());
        message.extend_from_slice(attributes);
        let length = u32::try_from(message.len()).unwrap();
        message[..4].copy_from_slice(&length.to_ne_bytes());
        message
    };
    let [l, h] = 5_u16.to_ne_bytes();
    for (name, attributes, expected) in [
        ("length 0", &[0, 0, 1, 0][..], Some(24)),
        ("length 3", &[3, 3, 1, 0], Some(24)),
        ("past the end", &[l, h, 1, 0], Some(24)),
        ("two stray bytes", &[1, 2], Some(24)),
        ("padding", &[0, 0, 0], None),
        ("no padding behind the last", &[l, h, 1, 0, 9], None),
        ("nothing", &[], None),
    ] {
        let bytes = bytes(attributes);
        let run = body(&bytes).attributes;
        let errors: Vec<_> = run.raw().filter_map(Result::err).collect();
        assert_eq!(errors.first().map(|error| error.offset), expected, "{name}");
        assert!(errors.len() <= 1, "{name}");
        assert_eq!(run.get(Thing::U16).is_err(), expected.is_some(), "{name}: a reader must not miss it");
    }
}
