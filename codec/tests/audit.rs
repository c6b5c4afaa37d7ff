//! Audit: records and events as a kernel told them, rules there and back; damage.

#![cfg(target_endian = "little")]

mod support;

use std::fmt::Write;

use ringlink_codec::audit::*;
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::AUDIT;
use ringlink_codec::wire::ErrorKind;

const RECORDS: &str = include_str!("event_captures/audit.hex");

fn record(kind: RecordType, text: &str) -> Record<'_> {
    Record::of_text(kind, text.as_bytes()).unwrap()
}

/// A field on a line.
fn told(field: &Field<'_>, kind: RecordType) -> String {
    let value = match field.typed(kind) {
        Typed::Fields(fields) => {
            let inner: Vec<String> = fields.map(|field| told(&field.unwrap(), kind)).collect();
            format!("({})", inner.join(" "))
        }
        Typed::Absent => "-".to_owned(),
        Typed::Number(number) => number.to_string(),
        Typed::Hex(number) => format!("{number:#x}"),
        Typed::Octal(number) => format!("{number:#o}"),
        Typed::Text(text) => format!("{:?}", text.to_string()),
        Typed::Bytes(bytes) => format!("[{} bytes]", bytes.bytes().count()),
        Typed::Word(word) => word.to_string(),
        other => panic!("{other:?}"),
    };
    match field.key.as_bytes() {
        b"" => value,
        _ => format!("{}={value}", field.key),
    }
}

fn line(record: &Record<'_>) -> String {
    let fields = record.fields().map(|field| told(&field.unwrap(), record.kind));
    format!("{} {}", record.kind, fields.collect::<Vec<_>>().join(" "))
}

#[test]
fn captured_events() {
    let mut assembler = Assembler::<8, 4096>::new();
    let mut found = String::new();
    for bytes in support::messages(RECORDS) {
        let read = Record::parse(&bytes).unwrap();
        // Multicast: the header's length is right, and so the record is the message's payload.
        let message = Message::parse(&bytes).unwrap();
        assert_eq!(Record::of_text(read.kind, message.payload).unwrap().text, read.text);
        if let Some(event) = assembler.add(&read) {
            writeln!(found, "{} {}", event.id.serial, event.complete).unwrap();
            assert_eq!(event.left_out, 0);
            event.records().for_each(|record| writeln!(found, "  {}", line(&record)).unwrap());
        }
    }
    assert_eq!(assembler.open(), 0);
    let expected = include_str!("event_captures/audit.txt");
    for (found, expected) in found.lines().zip(expected.lines()) {
        assert_eq!(found, expected);
    }
    assert_eq!(found, expected);
    // Of 29 numbers, 11 are in the capture.
    assert_eq!(assembler.missing(), 18);
}

#[test]
fn the_daemons_records_say_less_than_they_are() {
    let mut bytes = support::messages(RECORDS)[0].clone();
    let whole = line(&Record::parse(&bytes).unwrap());
    let length = u32::from_ne_bytes(bytes[..4].try_into().unwrap()) - 16;
    bytes[..4].copy_from_slice(&length.to_ne_bytes());
    assert_eq!(line(&Record::parse(&bytes).unwrap()), whole);
    bytes[..4].fill(0);
    assert_eq!(line(&Record::parse(&bytes).unwrap()), whole);
}

#[test]
fn fields_of_all_kinds() {
    for (kind, text, expected) in [
        (RecordType::SYSCALL, "a0=7ffd a1=0 exit=-2 key=(null) tty=(none)", "a0=0x7ffd a1=0x0 exit=-2 key=- tty=-"),
        (
            RecordType::EXECVE,
            r#"argc=2 a0="ls" a1=2D6C20C3A9 a2_len=9 a2[0]=61"#,
            r#"argc=2 a0="ls" a1="-l é" a2_len=9 a2[0]="a""#,
        ),
        (RecordType::PROCTITLE, "proctitle=6C73002D6C", r#"proctitle="ls -l""#),
        (RecordType::PATH, "name=FF62 mode=040755 dev=fe:00", r#"name="\\xffb" mode=0o40755 dev=fe:00"#),
        (RecordType::PATH, "name=abc inode=18446744073709551615", "name=abc inode=18446744073709551615"),
        (RecordType::SOCKADDR, "saddr=02000009", "saddr=[4 bytes]"),
        (
            RecordType::AVC,
            r#"avc:  denied  { read } for  pid=7 comm="cat" permissive=0"#,
            r#"avc: denied { read } for pid=7 comm="cat" permissive=0"#,
        ),
        (
            RecordType::USER_LOGIN,
            r#"pid=1 msg='op=login acct="root" it's here res=failed'"#,
            r#"pid=1 msg=(op=login acct="root" it's here res=failed)"#,
        ),
        (RecordType::USER_LOGIN, "msg='op=a' exe=?", "msg=(op=a) exe=-"),
        (RecordType::SECCOMP, "code=0x7ffc0000 ip=0x7f", "code=0x7ffc0000 ip=0x7f"),
        (RecordType::CONFIG_CHANGE, "op=add_rule key=\"\" = x=", "op=add_rule key=\"\" = x="),
    ] {
        let text = format!("audit(1.002:3): {text}");
        let found = line(&record(kind, &text));
        let found = found.split_once(' ').unwrap().1;
        assert_eq!(found, expected);
    }
}

#[test]
fn what_is_no_record() {
    for text in [
        "",
        "audit",
        "audit(",
        "audit(1.2:3)",
        "audit(1.2:3",
        "audit(1.1000:3): ",
        "audit(.2:3): ",
        "audit(1.2:4294967296): ",
        "audit(18446744073709551616.2:3): ",
        "audit(-1.2:3): ",
        " audit(1.2:3): ",
    ] {
        let error = Record::of_text(RecordType::SYSCALL, text.as_bytes()).unwrap_err();
        assert_eq!((error.kind, error.offset), (ErrorKind::Unexpected, 0), "{text}");
    }
    // Quotes that do not end: what is before them is read.
    for (text, offset) in [("audit(1.2:3): a=1 b=\"x y", 20), ("audit(1.2:3): a=1 b='x y", 20)] {
        let fields: Vec<_> = record(RecordType::USER_CMD, text).fields().collect();
        assert_eq!(fields.len(), 2);
        assert_eq!(fields[1].map_err(|error| (error.kind, error.offset)).unwrap_err(), (ErrorKind::Unexpected, offset));
    }
    // NULs and a newline at the end are none of it.
    assert_eq!(record(RecordType::USER_CMD, "audit(1.2:3): a=1\n\0\0").text, b"a=1");
}

fn serials<const N: usize, const B: usize>(
    assembler: &mut Assembler<N, B>,
    records: &[(RecordType, u32)],
) -> Vec<(u32, bool, usize, u32)> {
    let mut ended = Vec::new();
    for (kind, serial) in records {
        let text = format!("audit({serial}.000:{serial}): k=v");
        if let Some(event) = assembler.add(&record(*kind, &text)) {
            ended.push((event.id.serial, event.complete, event.records().count(), event.left_out));
        }
    }
    ended
}

#[test]
fn events_of_interleaved_records() {
    use RecordType as R;
    let mut assembler = Assembler::<4, 256>::new();
    let records = [
        (R::SYSCALL, 1),
        (R::SYSCALL, 2),
        (R::PATH, 1),
        (R::USER_LOGIN, 3),
        (R::PATH, 2),
        (R::EOE, 1),
        (R::PROCTITLE, 2),
        (R::EOE, 2),
        // An end that nobody waits for.
        (R::EOE, 2),
    ];
    let expected = [(3, true, 1, 0), (1, true, 2, 0), (2, true, 3, 0)];
    assert_eq!(serials(&mut assembler, &records), expected);
    assert_eq!((assembler.open(), assembler.missing()), (0, 0));
}

#[test]
fn events_that_do_not_end() {
    use RecordType as R;
    // Three places: two open events, and one that is lent.
    let mut assembler = Assembler::<3, 64>::new();
    let records = [(R::ANOM_ABEND, 1), (R::ANOM_ABEND, 2), (R::ANOM_ABEND, 5), (R::ANOM_ABEND, 6)];
    assert_eq!(serials(&mut assembler, &records), [(1, false, 1, 0), (2, false, 1, 0)]);
    assert_eq!((assembler.open(), assembler.missing()), (2, 2));
    // What is older than a time, the oldest first.
    assert!(assembler.flush(5).is_none());
    assert_eq!(assembler.flush(6).map(|event| event.id.serial), Some(5));
    assert!(assembler.flush(6).is_none());
    assert_eq!(assembler.flush(u64::MAX).map(|event| event.id.serial), Some(6));
    assert!(assembler.flush(u64::MAX).is_none());
    // Seven bytes a record: nine have room.
    let many: Vec<_> = std::iter::repeat_n((R::PATH, 7), 12).chain([(R::EOE, 7)]).collect();
    assert_eq!(serials(&mut assembler, &many), [(7, true, 9, 3)]);
}

#[test]
fn rules_there_and_back() {
    let mut text = [0; 64];
    let mut rule = RuleBuilder::new(&mut text, Filter::EXIT, Action::ALWAYS);
    rule.prepend();
    rule.architecture(RuleOperator::EQUAL, Architecture::X86_64);
    [2, 257].into_iter().for_each(|number| rule.syscall(number));
    rule.text(RuleField::DIR, RuleOperator::EQUAL, "/etc");
    rule.permissions(Permissions::WRITE | Permissions::ATTR);
    rule.compare(RuleOperator::NOT_EQUAL, Comparison::UID_TO_EUID);
    rule.number(RuleField::LOGINUID, RuleOperator::NOT_EQUAL, u32::MAX);
    rule.text(RuleField::FILTERKEY, RuleOperator::EQUAL, "one\u{1}two");
    let rule = rule.finish().unwrap();
    let mut buffer = Buffer::<2048>::new();
    let bytes = buffer.message(Audit::ADD_RULE, rule.header, |to| rule.write(to)).unwrap();
    // The struct, 11 bytes of text, padding.
    assert_eq!(bytes.len(), 16 + 1040 + 12);
    let body = Message::parse(bytes).unwrap().body(Audit::ADD_RULE).unwrap();
    let again = Rule::read(body).unwrap();
    assert_eq!((again.header, again.strings()), (rule.header, rule.strings()));
    assert_eq!((again.filter(), again.header.action), (Filter::EXIT, Action::ALWAYS));
    assert_eq!(again.header.mask.numbers().collect::<Vec<_>>(), [2, 257]);
    let conditions: Vec<String> = again
        .conditions()
        .map(|condition| match condition.value {
            ConditionValue::Number(number) => format!("{} {} {number:#x}", condition.field, condition.operator),
            ConditionValue::Text(text) => format!("{} {} {text:?}", condition.field, condition.operator),
        })
        .collect();
    assert_eq!(
        conditions,
        [
            "ARCH EQUAL 0xc000003e",
            "DIR EQUAL \"/etc\"",
            "PERM EQUAL 0xa",
            "FIELD_COMPARE NOT_EQUAL 0xb",
            "LOGINUID NOT_EQUAL 0xffffffff",
            "FILTERKEY EQUAL \"one\\x01two\"",
        ]
    );
    let Some(Condition { value: ConditionValue::Text(text), .. }) = again.condition(RuleField::FILTERKEY) else {
        panic!()
    };
    assert_eq!(keys(text).map(|key| key.to_string()).collect::<Vec<_>>(), ["one", "two"]);
    let tree = Message::parse(bytes).unwrap().tree(&AUDIT).to_string();
    assert!(tree.starts_with("AUDIT_ADD_RULE (1011)") && tree.contains("\n  action: ALWAYS\n"), "{tree}");
    // A buffer that is too small for the request.
    for length in 0..1068 {
        let mut buffer = vec![0; length];
        let error = Audit::ADD_RULE.write(&mut buffer, rule.header, |to| rule.write(to)).unwrap_err();
        assert_eq!(error.needed(), Some(1068));
    }
}

#[test]
fn rules_that_cannot_be() {
    let build = |fill: &dyn Fn(&mut RuleBuilder<'_>)| {
        let mut text = [0; 8];
        let mut rule = RuleBuilder::new(&mut text, Filter::EXIT, Action::ALWAYS);
        fill(&mut rule);
        rule.finish().map(drop).unwrap_err().kind
    };
    let equal = RuleOperator::EQUAL;
    assert_eq!(build(&|rule| rule.syscall(2048)), ErrorKind::RecordLength { length: 2048, available: 2048 });
    assert_eq!(build(&|rule| rule.number(RuleField::EXE, equal, 1)), ErrorKind::Unexpected);
    assert_eq!(build(&|rule| rule.text(RuleField::UID, equal, "1")), ErrorKind::Unexpected);
    assert_eq!(build(&|rule| rule.text(RuleField::EXE, equal, "")), ErrorKind::Unexpected);
    assert_eq!(build(&|rule| rule.text(RuleField::EXE, equal, "a\0")), ErrorKind::Unexpected);
    assert_eq!(
        build(&|rule| rule.text(RuleField::EXE, equal, "/123456789")),
        ErrorKind::Full { needed: 10, capacity: 8 }
    );
    assert_eq!(
        build(&|rule| (0..65).for_each(|_| rule.number(RuleField::UID, equal, 1))),
        ErrorKind::RecordLength { length: 65, available: 64 }
    );
    // Told by a kernel, or somebody: lengths that lie.
    let mut header = RuleHeader { field_count: 65, ..RuleHeader::default() };
    assert_eq!(Rule::of(header, &[]).map(drop).unwrap_err().offset, 16 + 8);
    header.field_count = u32::MAX;
    assert!(Rule::of(header, &[]).is_err());
    (header.field_count, header.buflen) = (1, 5);
    assert_eq!(Rule::of(header, &[0; 4]).map(drop).unwrap_err().offset, 16 + 1036);
    header.fields.0[0] = RuleField::EXE;
    header.values.0[0] = 6;
    assert!(Rule::of(header, &[0; 5]).is_err());
    header.values.0[0] = 5;
    assert_eq!(Rule::of(header, &[b'x'; 5]).unwrap().conditions().count(), 1);
}

#[test]
fn printed_with_names() {
    let mut buffer = Buffer::<64>::new();
    let status = Status { mask: StatusMask::ENABLED, enabled: 1, ..Status::default() };
    let bytes = buffer.message(Audit::SET, status, |_| {}).unwrap();
    let tree = Message::parse(bytes).unwrap().tree(&AUDIT).to_string();
    assert!(tree.starts_with("AUDIT_SET (1001) flags REQUEST") && tree.contains("\n  mask: ENABLED\n"), "{tree}");
    let sample = &support::messages(RECORDS)[3];
    let json = Message::parse(sample).unwrap().json(&AUDIT).to_string();
    assert!(json.starts_with(r#"{"message":"AUDIT_EOE","type":1320,"#), "{json}");
    assert!(json.contains(r#""text":"audit("#), "{json}");
    let get = buffer.message(Audit::GET, (), |_| {}).unwrap();
    let tree = Message::parse(get).unwrap().tree(&AUDIT).to_string();
    assert_eq!(tree, "AUDIT_GET (1000) flags REQUEST sequence 0 port 0\n");
}

#[test]
fn damage() {
    for bytes in support::messages(RECORDS) {
        support::every_damage(&bytes, |damaged| {
            if let Ok(record) = Record::parse(damaged) {
                assert!(record.fields().count() <= damaged.len());
                for field in record.fields().map_while(Result::ok) {
                    let typed = field.typed(record.kind);
                    if let Typed::Text(text) | Typed::Bytes(text) = typed {
                        let _ = text.to_string();
                    }
                    if let Typed::Fields(fields) = typed {
                        assert!(fields.count() <= damaged.len());
                    }
                }
                let _ = Assembler::<2, 256>::new().add(&record).map(|event| event.records().count());
            }
        });
    }
    let mut text = [0; 16];
    let mut rule = RuleBuilder::new(&mut text, Filter::EXIT, Action::ALWAYS);
    rule.text(RuleField::EXE, RuleOperator::EQUAL, "/bin/x");
    rule.text(RuleField::FILTERKEY, RuleOperator::EQUAL, "k");
    let rule = rule.finish().unwrap();
    let mut buffer = Buffer::<2048>::new();
    let bytes = buffer.message(Audit::ADD_RULE, rule.header, |to| rule.write(to)).unwrap().to_vec();
    let mut printed = 0;
    support::every_damage(&bytes, |damaged| {
        for message in Messages::new(damaged).map_while(Result::ok) {
            if let Ok(body) = message.body(Audit::ADD_RULE)
                && let Ok(rule) = Rule::read(body)
            {
                assert!(rule.conditions().count() <= MAX_FIELDS);
            }
            printed += 1;
            // Printing takes long; a part of all will do.
            if printed % 97 == 0 {
                let _ = (message.tree(&AUDIT).to_string(), message.json(&AUDIT).to_string());
            }
        }
    });
}
