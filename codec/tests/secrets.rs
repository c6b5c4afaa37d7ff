//! Secrets are read and written like other bytes, and shown only to who asks for them.

use ringlink_codec::prelude::*;
use ringlink_codec::protocol::{Numbering, Protocol};
use ringlink_codec::table::{Chars, Keyed, OwnedSecret, Secret, SecretBytes};
use ringlink_codec::wire::Writer;
use ringlink_codec::{operations, record, space};

record! {
    /// What a lock's key is for.
    pub LockHeader, "lock", "" {
        /// The lock's name.
        name: Chars<8>,
        /// Length of the key, in bits.
        key_len: u32,
    }
}

space! {
    /// Attributes of a lock.
    pub Lock, "LOCK_" {
        /// Its number.
        CODE: Secret = 1,
        /// Its key.
        KEY: Keyed<LockHeader> = 2,
    }
}

operations! {
    /// Messages of a lock.
    pub LockMessage, "LOCK_MSG_" {
        /// This opens it.
        SET: set ((), Lock) = 16,
    }
}

const LOCKS: Protocol = Protocol { number: 31, name: "LOCKS", numbering: Numbering::Types(&[LockMessage::OPERATIONS]) };

#[test]
fn secrets_are_counted_unless_they_are_asked_for() {
    let (code, key) = (b"\xab\xcd\xef", b"\xfe\xed\xfa\xce");
    let header = LockHeader { name: Chars::new("door"), key_len: 32 };
    let mut buffer = Buffer::<128>::new();
    let bytes = buffer.message(LockMessage::SET, (), |lock| {
        lock.put(Lock::CODE, code);
        lock.put(Lock::KEY, (header, SecretBytes::new(key)));
    });
    bytes.unwrap();
    let message = Message::parse(buffer.as_slice()).unwrap();
    let body = message.body(LockMessage::SET).unwrap();
    let (read, keyed) = body.attributes.read((Lock::CODE, Lock::KEY)).unwrap();
    let (keyed, secret) = keyed.unwrap();
    assert_eq!((read.unwrap().expose(), keyed, secret.expose()), (&code[..], header, &key[..]));

    let hidden = [
        message.tree(&LOCKS).to_string(),
        message.json(&LOCKS).to_string(),
        format!("{message:?} {body:?} {buffer:?} {:?} {read:?} {secret:?}", message.raw_attributes(0)),
        format!("{:?} {:?}", Messages::new(buffer.as_slice()), body.attributes.raw().collect::<Vec<_>>()),
    ];
    for text in &hidden {
        for leak in ["abcd", "feed", "face", "171", "205", "254"] {
            assert!(!text.contains(leak), "{leak} in {text}");
        }
    }
    assert!(hidden[0].contains("LOCK_CODE: (3 secret bytes)\n"), "{}", hidden[0]);
    assert!(hidden[0].contains("LOCK_KEY: {name: \"door\", key_len: 32} (4 secret bytes)\n"), "{}", hidden[0]);
    assert!(hidden[1].contains(r#""bytes":"(4 secret bytes)""#), "{}", hidden[1]);
    assert!(message.tree(&LOCKS).with_secrets().to_string().contains("LOCK_CODE: abcdef\n"));
    assert!(message.json(&LOCKS).with_secrets().to_string().contains(r#""bytes":"feedface""#));

    buffer.wipe();
    assert!(buffer.as_slice().is_empty());
}

#[test]
fn a_writer_does_not_show_what_it_wrote() {
    let mut bytes = [0; 32];
    let mut writer = Writer::new(&mut bytes);
    writer.attribute(1, b"\xab\xcd\xef");
    assert_eq!(format!("{writer:?}"), "Writer { capacity: 32, length: 8, error: None }");
    let secret = OwnedSecret::<8>::new(b"\xab\xcd\xef").unwrap();
    assert_eq!(format!("{secret:?}"), "(3 secret bytes)");
}

#[test]
fn of_families_that_are_not_known_everything_may_be_a_key() {
    use ringlink_codec::generic::{Numbers, wireguard};
    use ringlink_codec::protocol::GENERIC;
    let mut buffer = Buffer::<128>::new();
    let command = wireguard::Request::SET_DEVICE;
    let key = [0xab; 32];
    buffer.message(command.operation(77), command.header(), |to| to.put(wireguard::Device::PRIVATE_KEY, &key)).unwrap();
    let message = Message::parse(buffer.as_slice()).unwrap();
    for text in [message.tree(&GENERIC).to_string(), message.json(&GENERIC).to_string()] {
        assert!(text.contains("(40 secret bytes)") && !text.contains("abab"), "{text}");
    }
    assert!(message.tree(&GENERIC).with_secrets().to_string().contains("abab"));
    let numbers = [(77, &wireguard::WIREGUARD)];
    let text = message.tree(&GENERIC).with(Numbers(&numbers)).to_string();
    assert!(text.contains("WGDEVICE_A_PRIVATE_KEY: (32 secret bytes)"), "{text}");
}
