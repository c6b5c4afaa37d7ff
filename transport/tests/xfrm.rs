//! IPsec over the live kernel: policies, an index, what is told, and where there is ESP, packets that the library keyed.

mod kernel;

use std::fs;
use std::net::{IpAddr, Ipv4Addr, UdpSocket};
use std::sync::mpsc;
use std::time::Duration;

use kernel::{asked_for, ip, isolated, soon};
use ringlink::codec::multicast::XfrmGroup;
use ringlink::codec::table::{Be32, OwnedSecret, SecretBytes};
use ringlink::codec::xfrm::*;
use ringlink::engine::EngineChoice;
use ringlink::socket::Protocol as NetlinkProtocol;
use ringlink::{Config, Connection, Error, Monitor};

const LEFT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 1);
const RIGHT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 2);

fn connections() -> Vec<Connection> {
    asked_for([EngineChoice::Syscall, EngineChoice::Ring])
        .filter_map(|engine| match Connection::with(NetlinkProtocol::XFRM, Config { engine, ..Config::default() }) {
            Ok(connection) => Some(connection),
            Err(Error::NoRing { .. }) => None,
            Err(error) => panic!("{error}"),
        })
        .collect()
}

fn selector(from: Ipv4Addr, to: Ipv4Addr) -> Selector {
    Selector {
        saddr: IpAddr::from(from).into(),
        daddr: IpAddr::from(to).into(),
        prefixlen_s: 32,
        prefixlen_d: 32,
        family: Family::INET,
        ..Selector::default()
    }
}

fn policy(from: Ipv4Addr, to: Ipv4Addr, dir: Direction) -> PolicyInfo {
    PolicyInfo { sel: selector(from, to), lft: LifetimeLimits::FOREVER, dir, ..PolicyInfo::default() }
}

fn template(reqid: u32) -> Template {
    Template {
        id: Id { proto: Protocol::ESP, ..Id::default() },
        family: Family::INET,
        reqid,
        aalgos: u32::MAX,
        ealgos: u32::MAX,
        calgos: u32::MAX,
        ..Template::default()
    }
}

fn state(from: Ipv4Addr, to: Ipv4Addr, spi: u32) -> StateInfo {
    StateInfo {
        id: Id { daddr: IpAddr::from(to).into(), spi: Be32::new(spi), proto: Protocol::ESP, ..Id::default() },
        saddr: IpAddr::from(from).into(),
        lft: LifetimeLimits::FOREVER,
        reqid: 7,
        family: Family::INET,
        replay_window: 32,
        ..StateInfo::default()
    }
}

#[test]
fn policies_are_made_told_and_deleted() {
    isolated("policies_are_made_told_and_deleted", || {
        for mut connection in connections() {
            let monitor = Monitor::subscribe(&[XfrmGroup::POLICY]).expect("joined");
            let out = policy(LEFT, RIGHT, Direction::OUT);
            connection
                .apply(Xfrm::NEWPOLICY, out, |attributes| attributes.put(Xfrma::TMPL, &[template(7)][..]))
                .expect("made");
            let again = connection.apply(Xfrm::NEWPOLICY, out, |_| {}).expect_err("it is there");
            assert!(again.already_exists(), "{again}");
            connection.apply(Xfrm::UPDPOLICY, PolicyInfo { priority: 9, ..out }, |_| {}).expect("changed");

            let id = PolicyId { sel: out.sel, dir: out.dir, ..PolicyId::default() };
            let reply = connection.get(Xfrm::GETPOLICY, id, |_| {}).expect("there");
            let index = PolicyView::read(reply.body()).expect("whole").info.index;
            drop(reply);
            let mut dump = connection.dump(Xfrm::GETPOLICY, PolicyId::default(), |_| {}).expect("asked");
            let mut indexes = Vec::new();
            while let Some(body) = dump.next().expect("told") {
                indexes.push(PolicyView::read(body).expect("whole").info.index);
            }
            assert!(dump.end().is_complete() && indexes.contains(&index), "{indexes:?}");
            drop(dump);
            connection.apply(Xfrm::DELPOLICY, id, |_| {}).expect("gone");
            assert!(connection.get(Xfrm::GETPOLICY, id, |_| {}).is_err_and(|error| error.is_not_found()));

            // Told: made, changed, gone; what is gone is told whole.
            let mut told = Vec::new();
            while told.len() < 3 {
                let notice = monitor.receive(soon()).expect("told");
                for message in notice.messages() {
                    let view = PolicyView::of(message.expect("whole")).expect("a policy");
                    let templates = view.templates.map_or(0, |templates| templates.len());
                    told.push((message.expect("whole").header.kind, view.info.priority, view.info.index, templates));
                }
            }
            let expected = [(Xfrm::NEWPOLICY.kind, 0, 1), (Xfrm::UPDPOLICY.kind, 9, 0), (Xfrm::DELPOLICY.kind, 9, 0)];
            let found: Vec<_> =
                told.iter().map(|(kind, priority, _, templates)| (*kind, *priority, *templates)).collect();
            assert_eq!(found, expected);
            assert_eq!(told[2].2, index);
            connection.apply(Xfrm::FLUSHPOLICY, (), |_| {}).expect("flushed");
        }
    });
}

#[test]
fn a_refusal_names_what_is_wrong() {
    isolated("a_refusal_names_what_is_wrong", || {
        let mut connection = connections().remove(0);
        let id = StateId {
            daddr: IpAddr::from(RIGHT).into(),
            family: Family::INET,
            proto: Protocol::ESP,
            ..StateId::default()
        };
        let error = connection.get(Xfrm::GETSA, id, |_| {}).expect_err("not there");
        assert!(error.is_not_found() && error.to_string().contains("XFRM_MSG_GETSA"), "{error}");
        let count = connection.get(Xfrm::GETSADINFO, CountHeader::default(), |_| {}).expect("counted");
        assert_eq!(count.body().attributes.get(Sad::CNT).expect("whole"), Some(0));
    });
}

#[test]
fn an_index_is_allocated() {
    isolated("an_index_is_allocated", || {
        for mut connection in connections() {
            let info = StateInfo { mode: Mode::TUNNEL, ..state(LEFT, RIGHT, 0) };
            let range = SpiRange { info, min: 0x500, max: 0x500 };
            let spi = match connection.get(Xfrm::ALLOCSPI, range, |_| {}) {
                Ok(reply) => StateView::read(reply.body()).expect("whole").info.id.spi,
                Err(error) => return println!("absent: an_index_is_allocated: {error}"),
            };
            assert_eq!(spi.get(), 0x500);
            let mut states = connection
                .dump(Xfrm::DUMP_STATES, (), |attributes| attributes.put(Xfrma::PROTO, Protocol::ESP))
                .expect("asked");
            let found = StateView::read(states.next().expect("told").expect("one")).expect("whole");
            assert_eq!((found.source(), found.destination()), (Some(LEFT.into()), Some(RIGHT.into())));
            assert!(states.next().expect("told").is_none());
            drop(states);
            connection.apply(Xfrm::FLUSHSA, StateFlush { proto: Protocol::ESP }, |_| {}).expect("flushed");
        }
    });
}

/// One end: an interface, two states and two policies, all of the library's making but for the interface.
fn protect(device: &str, here: Ipv4Addr, peer: Ipv4Addr) -> Result<Connection, Error> {
    ip(&format!("addr add {here}/24 dev {device}"));
    ip(&format!("link set {device} up"));
    let mut connection = Connection::open(NetlinkProtocol::XFRM)?;
    let key = OwnedSecret::<20>::new(&[0x5e; 20]).expect("it fits");
    for (from, to, spi) in [(LEFT, RIGHT, 0x1001), (RIGHT, LEFT, 0x1002)] {
        connection.apply(Xfrm::NEWSA, state(from, to, spi), |attributes| {
            attributes.put(Xfrma::ALG_AEAD, AeadAlgorithm::with("rfc4106(gcm(aes))", key.get(), 128));
        })?;
    }
    for (from, to, dir) in [(here, peer, Direction::OUT), (peer, here, Direction::IN)] {
        connection.apply(Xfrm::NEWPOLICY, policy(from, to, dir), |attributes| {
            attributes.put(Xfrma::TMPL, &[template(7)][..]);
        })?;
    }
    Ok(connection)
}

/// Packets and bytes of each state, by its index, and whether all have the key.
fn counters(connection: &mut Connection) -> Vec<(u32, u64, u64)> {
    let mut dump = connection.dump(Xfrm::DUMP_STATES, (), |_| {}).expect("asked");
    let mut found = Vec::new();
    while let Some(body) = dump.next().expect("told") {
        let view = StateView::read(body).expect("whole");
        let shown = format!("{view:?} {body:?}");
        assert!(shown.contains("(20 secret bytes)") && !shown.contains("5e5e") && !shown.contains("94, 94"), "{shown}");
        assert!(view.aead.is_some_and(|(_, key)| key.expose() == [0x5e; 20]));
        assert_eq!(view.info.stats, StateErrors::default());
        found.push((view.info.id.spi.get(), view.lifetime().packets, view.lifetime().bytes));
    }
    found.sort_unstable();
    found
}

#[test]
fn packets_are_protected_between_two_namespaces() {
    const TEST: &str = "packets_are_protected_between_two_namespaces";
    const PACKETS: usize = 50;
    isolated(TEST, || {
        let mut probe = Connection::open(NetlinkProtocol::XFRM).expect("opened");
        let key = SecretBytes::new(&[1; 20]);
        let made = probe.apply(Xfrm::NEWSA, state(LEFT, RIGHT, 1), |attributes| {
            attributes.put(Xfrma::ALG_AEAD, AeadAlgorithm::with("rfc4106(gcm(aes))", key, 128));
        });
        if let Err(error) = made {
            return println!("absent: {TEST}: ESP: {error}");
        }
        probe.apply(Xfrm::FLUSHSA, StateFlush::default(), |_| {}).expect("flushed");

        let (tell_place, place) = mpsc::channel();
        let (tell_ready, ready) = mpsc::channel();
        let (tell_linked, linked) = mpsc::channel();
        std::thread::scope(|scope| {
            let peer = scope.spawn(move || {
                isolated(TEST, move || {
                    let thread = fs::read_link("/proc/thread-self").expect("this thread");
                    tell_place.send(format!("/proc/{}/ns/net", thread.display())).expect("somebody waits");
                    linked.recv().expect("an interface");
                    let mut connection = protect("v1", RIGHT, LEFT).expect("protected");
                    let socket = UdpSocket::bind((RIGHT, 4000)).expect("bound");
                    socket.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
                    tell_ready.send(()).expect("somebody waits");
                    let mut buffer = [0; 2000];
                    for _ in 0..PACKETS {
                        let (length, from) = socket.recv_from(&mut buffer).expect("a packet");
                        socket.send_to(&buffer[..length], from).expect("sent");
                    }
                    for (_, packets, _) in counters(&mut connection) {
                        assert_eq!(packets, PACKETS as u64);
                    }
                });
            });
            let place = place.recv().expect("a namespace");
            ip(&format!("link add v0 type veth peer name v1 netns {place}"));
            tell_linked.send(()).expect("somebody waits");
            let mut connection = protect("v0", LEFT, RIGHT).expect("protected");
            ready.recv().expect("ready");
            let socket = UdpSocket::bind((LEFT, 4001)).expect("bound");
            socket.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
            let mut buffer = [0; 2000];
            let mut bytes = 0;
            for number in 0..PACKETS {
                let text = vec![u8::try_from(number).expect("small"); 10 * number + 1];
                socket.send_to(&text, (RIGHT, 4000)).expect("sent");
                let (length, _) = socket.recv_from(&mut buffer).expect("an answer");
                assert_eq!(buffer[..length], text);
                bytes += length as u64;
            }
            let found = counters(&mut connection);
            assert_eq!(
                found.iter().map(|(spi, packets, _)| (*spi, *packets)).collect::<Vec<_>>(),
                [(0x1001, PACKETS as u64), (0x1002, PACKETS as u64)]
            );
            assert!(found.iter().all(|(_, _, counted)| *counted > bytes), "{found:?}");
            peer.join().expect("the peer's checks");
        });
    });
}
