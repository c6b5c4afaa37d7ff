//! Keys do not stay in this process's memory when a request is over, and no text has them.
//!
//! One test in one process: it looks through all memory that may be written to, and any other thread's keys would be there.

use std::fs::{self, File};
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr};
use std::os::unix::fs::FileExt;
use std::time::Duration;

use ringlink::codec::generic::wireguard as table;
use ringlink::codec::table::{Be32, SecretBytes, wipe};
use ringlink::codec::xfrm::*;
use ringlink::connection::steps::Advance;
use ringlink::engine::record::{Recorder, Tape};
use ringlink::engine::{self, Engine, EngineChoice, EngineKind, Sizes};
use ringlink::generic::Generic;
use ringlink::socket::{Protocol as NetlinkProtocol, Socket, SocketOptions};
use ringlink::{Config, Connection, Error};

mod kernel;

use kernel::{ip, isolated};

const LENGTH: usize = 32;

/// One byte of the key. The whole is nowhere but where a test puts it.
fn byte(at: usize) -> u8 {
    u8::try_from((at * 73 + 0x1d) % 251).expect("less than 251")
}

/// Has the closure use the key, which is gone again afterwards.
#[inline(never)]
fn with_key<T>(then: impl FnOnce(&[u8; LENGTH]) -> T) -> T {
    let mut key = Box::new([0; LENGTH]);
    for (at, place) in key.iter_mut().enumerate() {
        *place = byte(at);
    }
    let result = then(&key);
    wipe(&mut *key);
    result
}

/// How often the middle of the key is in this process's memory.
fn found() -> usize {
    const CHUNK: usize = 1 << 16;
    let maps = fs::read_to_string("/proc/self/maps").expect("this process's memory");
    let memory = File::open("/proc/self/mem").expect("this process's memory");
    let mut buffer = vec![0; CHUNK];
    let mut count = 0;
    for line in maps.lines().filter(|line| line.split(' ').nth(1).is_some_and(|rights| rights.starts_with("rw"))) {
        let (start, end) = line.split(' ').next().and_then(|range| range.split_once('-')).expect("a range");
        let place = |digits| u64::from_str_radix(digits, 16).expect("a place");
        let (mut at, end) = (place(start), place(end));
        while at < end {
            let length = usize::try_from(end - at).map_or(CHUNK, |left| left.min(CHUNK));
            // The ring's own pages, and those of devices, cannot be read this way.
            let Ok(read @ LENGTH..) = memory.read_at(&mut buffer[..length], at) else { break };
            let part = |window: &[u8]| window.iter().enumerate().all(|(index, found)| *found == byte(index + 4));
            count += buffer[..read].windows(LENGTH - 8).filter(|window| part(window)).count();
            // What lies over the end of a chunk is looked at in the next.
            at += u64::try_from(if read == CHUNK { read - LENGTH } else { read }).expect("small");
        }
    }
    wipe(&mut buffer);
    count
}

fn state() -> StateInfo {
    let (from, to) = (IpAddr::from(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::from(Ipv4Addr::new(192, 0, 2, 2)));
    StateInfo {
        id: Id { daddr: to.into(), spi: Be32::new(0x1234), proto: Protocol::ESP, ..Id::default() },
        saddr: from.into(),
        lft: LifetimeLimits::FOREVER,
        family: Family::INET,
        ..StateInfo::default()
    }
}

fn id() -> StateId {
    let StateInfo { id: Id { daddr, spi, proto, .. }, family, .. } = state();
    StateId { daddr, spi, family, proto, ..StateId::default() }
}

/// Whether the text has the key in it, as numbers or in hexadecimal.
fn shows(text: &str) -> bool {
    let decimal: Vec<String> = (4..8).map(|at| byte(at).to_string()).collect();
    let hexadecimal: String = (4..8).map(|at| format!("{:02x}", byte(at))).collect();
    text.contains(&decimal.join(", ")) || text.to_lowercase().contains(&hexadecimal)
}

fn engines() -> Vec<Box<dyn Engine>> {
    let open = |choice| {
        let socket = Socket::open(NetlinkProtocol::XFRM, &SocketOptions::default()).expect("a socket");
        socket.connect_to_kernel().expect("connected");
        engine::open_with(choice, Sizes::default(), socket)
    };
    [EngineChoice::Syscall, EngineChoice::Auto, EngineChoice::Ring]
        .into_iter()
        .filter_map(|choice| match open(choice) {
            Err(Error::NoRing { .. }) => None,
            engine => Some(engine.expect("an engine")),
        })
        .collect()
}

/// Sets keys and reads them back, in every way that a connection has.
fn xfrm(connection: &mut Connection) {
    let mut texts = Vec::new();
    let new = |key: &[u8; LENGTH], attributes: &mut ringlink::codec::table::AttributeWriter<'_, '_, Xfrma>| {
        attributes.put(Xfrma::ALG_CRYPT, Algorithm::with("cbc(aes)", SecretBytes::new(key)));
    };
    let made = with_key(|key| connection.apply(Xfrm::NEWSA, state(), |attributes| new(key, attributes)));
    texts.push(format!("{made:?} {connection:?}"));
    let there = made.is_ok();
    assert_eq!(found(), 0, "after a change, {connection:?}");

    let mut batch = connection.batch();
    with_key(|key| batch.add(Xfrm::UPDSA, state(), |attributes| new(key, attributes))).expect("it fits");
    texts.push(format!("{batch:?}"));
    assert!(found() > 0, "what is written and not sent is there: otherwise this test sees nothing");
    let outcomes = batch.finish().expect("an outcome");
    texts.push(format!("{outcomes:?}"));
    assert_eq!(found(), 0, "after a batch, {connection:?}");

    let mut change = with_key(|key| connection.start_apply(Xfrm::UPDSA, state(), |attributes| new(key, attributes)))
        .expect("it fits");
    while change.advance().is_pending() {}
    drop(change);
    assert_eq!(found(), 0, "after a change in steps, {connection:?}");

    // One that is never sent goes with the next.
    drop(with_key(|key| connection.start_apply(Xfrm::UPDSA, state(), |attributes| new(key, attributes))));
    assert!(found() > 0);
    match connection.get(Xfrm::GETSA, id(), |_| {}) {
        Ok(reply) => {
            let view = StateView::read(reply.body()).expect("whole");
            let key = view.crypt.expect("a key").1.expose();
            assert!(key.len() == LENGTH && key.iter().enumerate().all(|(at, is)| *is == byte(at)));
            texts.push(format!("{reply:?} {view:?} {:?} {:?}", reply.body(), reply.message()));
            assert!(found() > 0, "what is lent is there");
        }
        // Machines without ESP said no, and there is no state.
        Err(error) => {
            assert!(!there, "{error}");
            texts.push(format!("{error:?} {error}"));
        }
    }
    if there {
        let mut dump = connection.dump(Xfrm::DUMP_STATES, (), |_| {}).expect("asked");
        while let Some(state) = dump.next().expect("told") {
            texts.push(format!("{state:?}"));
        }
        drop(dump);
        let mut get = connection.start_get(Xfrm::GETSA, id(), |_| {}).expect("it fits");
        while get.advance().is_pending() {}
        texts.push(format!("{:?} {get:?}", get.answer()));
        drop(get);
        connection.apply(Xfrm::DELSA, id(), |_| {}).expect("gone");
        // What was lent last in steps stays until the next step or the end.
        drop(connection.start_get(Xfrm::GETSA, id(), |_| {}).expect("it fits"));
    }
    assert_eq!(found(), 0, "after all, {connection:?}");
    for text in texts {
        assert!(!shows(&text), "{text}");
    }
}

fn wireguard() {
    ip("link add wg0 type wireguard");
    let mut generic = Generic::open().expect("a connection");
    generic.connection().wipe();
    let made = with_key(|key| {
        generic.apply(table::Request::SET_DEVICE, |device| {
            device.put(table::Device::IFNAME, "wg0");
            device.put(table::Device::PRIVATE_KEY, key);
        })
    });
    made.expect("made");
    assert_eq!(found(), 0, "after a change");
    let mut texts = Vec::new();
    let mut dump =
        generic.dump(table::Request::GET_DEVICE, |ask| ask.put(table::Device::IFNAME, "wg0")).expect("asked");
    while let Some(device) = dump.next().expect("told") {
        let key = device.attributes.get(table::Device::PRIVATE_KEY).expect("whole").expect("a key");
        assert!((4..28).all(|at| key.expose()[at] == byte(at)));
        texts.push(format!("{device:?} {key:?}"));
    }
    drop(dump);
    assert_eq!(found(), 0, "after a dump");
    assert!(texts.iter().all(|text| text.contains("(32 secret bytes)") && !shows(text)), "{texts:?}");
}

#[test]
fn no_key_stays_in_memory() {
    isolated("no_key_stays_in_memory", || {
        let planted = with_key(|key| key.to_vec());
        assert!(found() > 0, "a key that is there is found");
        let mut planted = planted;
        wipe(&mut planted);
        assert_eq!(found(), 0);
        for engine in engines() {
            let kind = engine.kind();
            let mut connection =
                Connection::over(engine, Config { deadline: Some(Duration::from_secs(20)), ..Config::default() });
            connection.wipe();
            xfrm(&mut connection);
            drop(connection);
            assert_eq!(found(), 0, "{kind}");
        }
        let mut connection = Connection::open(NetlinkProtocol::XFRM).expect("a connection");
        xfrm(&mut connection);
        if std::env::var_os("RINGLINK_GUEST").is_some() {
            wireguard();
        } else {
            println!("absent: no_key_stays_in_memory: WireGuard and ESP; a guest has them");
        }
        recording();
    });
}

/// A recording has what was moved, and says so; its texts do not show it.
fn recording() {
    let socket = Socket::open(NetlinkProtocol::XFRM, &SocketOptions::default()).expect("a socket");
    socket.connect_to_kernel().expect("connected");
    let engine = engine::open(EngineChoice::Syscall, socket).expect("an engine");
    assert_eq!(engine.kind(), EngineKind::Syscall);
    let mut tape = Tape::default();
    let recorder = Recorder::new(engine, tape.clone(), "").expect("a recorder");
    let mut connection = Connection::over(Box::new(recorder), Config::default());
    let _ = with_key(|key| {
        connection.apply(Xfrm::NEWSA, state(), |attributes| {
            attributes.put(Xfrma::ALG_CRYPT, Algorithm::with("cbc(aes)", SecretBytes::new(key)));
        })
    });
    tape.flush().expect("written");
    let recording = ringlink::engine::record::Recording::parse(&tape.bytes()).expect("a recording");
    let text = format!("{recording:?} {tape:?} {connection:?} {:?}", recording.entries().collect::<Vec<_>>());
    assert!(text.contains("Sent(") && !shows(&text), "{text}");
}
