//! The printer over a family that has every shape.

mod family;

use family::*;
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::ROUTE;
use ringlink_codec::wire::MessageType;

#[test]
fn a_tree_names_everything() {
    let bytes = message();
    let tree = Message::parse(&bytes).unwrap().tree(&PROTOCOL).to_string();
    let expected = r#"OP_NEW (16) flags REQUEST sequence 0 port 0
  family: 0
  index: 99
  THING_U8: 1
  THING_U16: 4660
  THING_U32: 305419896
  THING_U64: 1234605616436508552
  THING_S8: -1
  THING_S16: -2
  THING_S32: -3
  THING_S64: -4
  THING_BE16: 4660
  THING_BE32: 305419896
  THING_BE64: 1234605616436508552
  THING_UINT: 5
  THING_SINT: -5
  THING_STR: "text"
  THING_BARE: "bare"
  THING_BYTES: 010203
  THING_FLAG: true
  THING_HARDWARE: 02:00:00:00:00:01
  THING_INET: 10.0.0.1
  THING_IPV4: 10.0.0.2
  THING_IPV6: ::1
  THING_POINT: {x: 1, y: 2, z: [3, 4], color: RED}
  THING_COLOR: GREEN
  THING_ETHER: Q8021
  THING_BITS: ONE|0x10
  THING_BITFIELD: {value: 1, selector: 3}
  THING_NEST:
    INNER_ID: 6
  THING_SELF:
    THING_SELF:
      THING_U8: 2
  THING_INDEXED:
    1:
      INNER_ID: 7
    2:
      INNER_LABEL: "two"
  THING_PACKED: [8, 9]
  THING_POINTS: [{x: 1, y: 2, z: [3, 4], color: RED}, {x: 1, y: 2, z: [3, 4], color: RED}]
  THING_HEADED: {family: 7, index: 0}
    THING_BY_HEADER:
      INNER_ID: 10
  THING_PREFIXED: {x: 1, y: 2, z: [3, 4], color: RED} aabb
  THING_RECORDS:
    - {len: 20, index: 1}
      INNER_LABEL: "first"
    - {len: 8, index: 2}
  THING_MANY: "one"
  THING_MANY: "two"
  THING_NESTS:
    INNER_ID: 11
  THING_NESTS:
    INNER_ID: 12
  THING_TLVS: [{"type":1,"value":cc},{"type":2,"value":}]
  THING_PAD: 
  THING_ARRAY: [1, 2, 3]
  THING_NAME: "inner"
  THING_BY_NAME:
    INNER_ID: 13
  THING_NUMBER: 2
  THING_BY_NUMBER: {x: 1, y: 2, z: [3, 4], color: RED}
  THING_BY_HEADER: 14
  THING_FOLLOWED: {x: 1, y: 2, z: [3, 4], color: RED} [15, 16]
"#;
    assert_eq!(tree, expected);
}

#[test]
fn json_is_json() {
    let bytes = message();
    let text = Message::parse(&bytes).unwrap().json(&PROTOCOL).to_string();
    assert_balanced(&text);
    for part in [
        r#"{"message":"OP_NEW","type":16,"flags":"REQUEST","sequence":0,"port":0,"header":{"family":0,"index":99}"#,
        r#"{"name":"THING_STR","type":14,"value":"text"}"#,
        r#"{"name":"THING_BYTES","type":16,"value":"010203"}"#,
        r#"{"name":"THING_POINT","type":22,"value":{"x":1,"y":2,"z":[3,4],"color":"RED"}}"#,
        r#"{"name":"THING_NEST","type":27,"value":[{"name":"INNER_ID","type":1,"value":6}]}"#,
        r#"{"name":"THING_RECORDS","type":34,"value":[{"header":{"len":20,"index":1},"attributes":[{"name":"INNER_LABEL","#,
        r#"{"name":"THING_TLVS","type":37,"value":[{"type":1,"value":"cc"},{"type":2,"value":""}]}"#,
        r#"{"name":"THING_PAD","type":38,"value":null}"#,
        r#""type":45,"value":{"header":{"x":1,"y":2,"z":[3,4],"color":"RED"},"items":[15,16]}}"#,
    ] {
        assert!(text.contains(part), "{part}\nis not in\n{text}");
    }
}

/// Brackets match, outside of strings; a full parser is in the program's tests.
fn assert_balanced(text: &str) {
    let mut open = Vec::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '"' => {
                while let Some(inside) = characters.next() {
                    match inside {
                        '\\' => drop(characters.next()),
                        '"' => break,
                        _ => {}
                    }
                }
            }
            '{' => open.push('}'),
            '[' => open.push(']'),
            '}' | ']' => assert_eq!(open.pop(), Some(character), "{text}"),
            _ => {}
        }
    }
    assert!(open.is_empty(), "{text}");
}

#[test]
fn what_cannot_be_read_is_printed_with_its_error() {
    let mut buffer = [0; 128];
    let bytes = Op::GET.write(&mut buffer, ThingHeader::default(), |thing| {
        thing.put_raw(Thing::U32.number(), &[1, 2]);
        thing.put_raw(999, &[3]);
        thing.put_raw(Thing::STR.number(), b"a\"\\\xff\n");
    });
    let bytes = bytes.unwrap();
    let message = Message::parse(bytes).unwrap();
    let json = message.json(&PROTOCOL).to_string();
    assert_balanced(&json);
    assert!(json.contains(r#"{"error":"2 bytes found, 4 expected, at offset 28","bytes":"0102"}"#), "{json}");
    assert!(json.contains(r#"{"type":999,"value":"03"}"#), "{json}");
    assert!(json.contains(r#""value":"a\"\\\\xff\n""#), "{json}");
}

#[test]
fn nests_deeper_than_anyone_builds_end_as_bytes() {
    // 4,000 nests, each in the one before: a printer that recursed for each would use up its stack.
    let mut bytes = vec![0_u8; 24 + 4_000 * 4];
    let total = bytes.len();
    bytes[..4].copy_from_slice(&u32::try_from(total).unwrap().to_ne_bytes());
    bytes[4..6].copy_from_slice(&16_u16.to_ne_bytes());
    for at in (24..total).step_by(4) {
        bytes[at..at + 2].copy_from_slice(&u16::try_from(total - at).unwrap().to_ne_bytes());
        bytes[at + 2..at + 4].copy_from_slice(&Thing::SELF.number().to_ne_bytes());
    }
    let tree = Message::parse(&bytes).unwrap().tree(&PROTOCOL).to_string();
    assert!(tree.lines().count() < 30, "{} lines", tree.lines().count());
}

#[test]
fn flags_print_by_what_the_message_is() {
    let line = |kind: u16, flags: u16| {
        let header = MessageHeader { kind: MessageType(kind), flags: Flags(flags), ..MessageHeader::default() };
        let text = Message { header, payload: &[0; 20] }.tree(&ROUTE).to_string();
        text.lines().next().unwrap().to_string()
    };
    assert!(line(18, 0x301).contains("flags REQUEST|DUMP "), "{}", line(18, 0x301));
    assert!(line(16, 0x605).contains("flags REQUEST|ACK|EXCL|CREATE "), "{}", line(16, 0x605));
    assert!(line(17, 0x205).contains("flags REQUEST|ACK|BULK "), "{}", line(17, 0x205));
    assert!(line(2, 0x300).contains("flags CAPPED|ACK_TLVS "), "{}", line(2, 0x300));
    assert!(line(16, 0x8000).contains("flags 0x8000 "), "{}", line(16, 0x8000));
}

#[test]
fn an_error_prints_the_request_and_the_extended_ack() {
    let request = message();
    let mut payload = (-22_i32).to_ne_bytes().to_vec();
    payload.extend_from_slice(&request);
    let text = b"Nope\0";
    payload.extend_from_slice(&9_u16.to_ne_bytes());
    payload.extend_from_slice(&1_u16.to_ne_bytes());
    payload.extend_from_slice(text);
    let header = MessageHeader { kind: MessageType::ERROR, flags: Flags::ACK_TLVS, ..MessageHeader::default() };
    let error = Message { header, payload: &payload };
    let tree = error.tree(&PROTOCOL).to_string();
    assert!(tree.starts_with("NLMSG_ERROR (2) flags ACK_TLVS sequence 0 port 0\n  error: -22 (EINVAL)\n"), "{tree}");
    assert!(tree.contains("  request: OP_NEW (16)"), "{tree}");
    assert!(tree.ends_with("  NLMSGERR_ATTR_MSG: \"Nope\"\n"), "{tree}");
    assert_balanced(&error.json(&PROTOCOL).to_string());
}
