//! A protocol of one's own: servers and those who ask them, over every engine; and what others do wrong.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use ringlink::codec::answer::{Answers, Echo};
use ringlink::codec::exchange::{Exchange, Origin, Step};
use ringlink::codec::reply::{Errno, Refusal};
use ringlink::codec::route::{Link, LinkHeader, Rtm};
use ringlink::codec::wire::{Flags, Message, MessageHeader, MessageType, Messages};
use ringlink::engine::record::{Recorder, Recording, Replay, Tape};
use ringlink::engine::{self, Deadline, Engine, EngineChoice};
use ringlink::server::{Answer, Figures, Request, ServerConfig, Service};
use ringlink::socket::{Protocol, Socket, SocketOptions};
use ringlink::{Config, Connection, Error, Monitor, Server};

mod kernel;
#[path = "../examples/user_protocol/shelf.rs"]
mod shelf;

use kernel::{asked_for, isolated, messages, missing, namespaces_have_cookies, send_to, soon};
use shelf::{CHANGES, Label, Shelf, Thing, Things};

const ENGINES: [EngineChoice; 2] = [EngineChoice::Syscall, EngineChoice::Ring];

fn config(engine: EngineChoice) -> ServerConfig {
    ServerConfig { engine, ..ServerConfig::default() }
}

/// Runs a test against a server in a thread, over every engine on both sides; returns what the server counted and served.
fn served<S: Service + Send>(
    name: &str,
    config: impl Fn(EngineChoice) -> ServerConfig,
    service: impl Fn() -> S,
    test: impl Fn(Config) + Sync,
) -> Vec<(Figures, S)> {
    let mut all = Vec::new();
    for engine in asked_for(ENGINES) {
        let mut server = match Server::with(Protocol::USERSOCK, config(engine)) {
            Err(error @ Error::NoRing { .. }) => {
                missing(name, &error.to_string());
                continue;
            }
            other => other.expect("a server"),
        };
        let (port, over, mut service) = (server.port(), AtomicBool::new(false), service());
        std::thread::scope(|scope| {
            let asker = scope.spawn(|| {
                // Also where the test fails.
                let _over = Over(&over, port);
                test(Config { engine, ..Config::of_process(port) });
            });
            while !over.load(Ordering::Acquire) {
                let result = server.step(&mut service, soon());
                assert!(result.is_ok() || asker.is_finished(), "{result:?}");
            }
            if let Err(panic) = asker.join() {
                std::panic::resume_unwind(panic);
            }
            // What it sent is there now: all of it counts.
            while server.step(&mut service, Deadline::after(Duration::ZERO)).is_ok() {}
        });
        all.push((server.figures(), service));
    }
    all
}

/// Ends a server's loop: says so, and sends something for it to wake up by.
struct Over<'o>(&'o AtomicBool, u32);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
        let noop = MessageHeader { length: 16, kind: MessageType::NOOP, ..MessageHeader::default() };
        let _ = send_to(&kernel::open(Protocol::USERSOCK), self.1, &noop.to_bytes());
    }
}

fn connect(config: &Config) -> Connection {
    Connection::with(Protocol::USERSOCK, config.clone()).expect("a connection")
}

fn many(count: u32) -> Things {
    Things {
        things: (0..count).map(|key| (key, (u64::from(key) + 1, format!("thing {key}")))).collect(),
        closed: false,
    }
}

/// All keys that a dump tells.
fn keys(connection: &mut Connection) -> Result<Vec<u32>, Error> {
    let mut keys = Vec::new();
    let end = connection.dump(Shelf::GET, (), |_| {})?.for_each(|thing| {
        keys.extend(thing.attributes.get(Thing::KEY)?);
        Ok(())
    })?;
    assert!(end.is_complete());
    Ok(keys)
}

#[test]
fn questions_changes_and_refusals() {
    served("questions", config, Things::default, |config| {
        let mut connection = connect(&config);
        for key in 1..=3_u32 {
            let warning = connection.apply(Shelf::NEW.create(), (), |thing| {
                thing.put(Thing::KEY, key);
                thing.put(Thing::VALUE, u64::from(key / 2));
            });
            assert_eq!(warning, Ok((key == 1).then(|| "it is worth nothing".to_owned())));
        }
        let reply = connection.get(Shelf::GET, (), |thing| thing.put(Thing::KEY, 3)).expect("an answer");
        assert_eq!(reply.body().attributes.get(Thing::VALUE), Ok(Some(1)));
        drop(reply);
        assert_eq!(keys(&mut connection), Ok(vec![1, 2, 3]));

        let error = connection.get(Shelf::GET, (), |_| {}).map(drop).expect_err("no key");
        let refused = error.refused().expect("a refusal");
        assert_eq!((refused.request, refused.errno, &*refused.text), ("SHELF_GET", Errno::INVAL, "which one?"));
        assert_eq!((refused.path.to_string().as_str(), refused.missing), ("SHELF_A_KEY", true));

        let error = connection.apply(Shelf::NEW, (), |thing| {
            thing.put(Thing::KEY, 4);
            thing.nest(Thing::LABEL, |label| label.put(Label::NOTE, "dear"));
        });
        let error = error.expect_err("no price").to_string();
        assert!(error.ends_with("a label has a price, SHELF_A_LABEL.SHELF_LABEL_PRICE is missing"), "{error}");

        let error = connection.apply(Shelf::NEW.create().exclusive(), (), |thing| thing.put(Thing::KEY, 3));
        assert!(error.as_ref().is_err_and(Error::already_exists), "{error:?}");
        let error = connection.apply(Shelf::DEL, (), |thing| thing.put(Thing::KEY, 9)).expect_err("none");
        assert!(error.is_not_found() && error.to_string().ends_with(", at SHELF_A_KEY"), "{error}");

        // An attribute of the wrong length, and a type that nobody knows.
        let error = connection.apply(Shelf::DEL, (), |thing| thing.put_raw(1, &[0; 3])).expect_err("three bytes");
        assert!(error.to_string().ends_with("(EINVAL): invalid attribute length, at SHELF_A_KEY"), "{error}");
        let unknown = ringlink::codec::table::Operation::<((), Thing)>::new(99, 99);
        let error = connection.apply(unknown, (), |_| {}).expect_err("nobody knows it");
        assert!(error.is_unsupported() && error.to_string().contains("unknown message type"), "{error}");
    });
}

#[test]
fn many_in_one_datagram() {
    let counted = served(
        "many",
        config,
        || many(100),
        |config| {
            let mut connection = connect(&config);
            let (mut answers, mut refusals) = (0, Vec::new());
            let mut lookups = connection.lookups(Shelf::GET, |number, thing| {
                match thing {
                    Ok(thing) => {
                        assert_eq!(thing.attributes.get(Thing::KEY), Ok(Some(number as u32 % 101)));
                        answers += 1;
                    }
                    Err(error) => refusals.push((number, error.is_not_found())),
                }
                Ok(())
            });
            for number in 0..1010_u32 {
                lookups.add((), |thing| thing.put(Thing::KEY, number % 101)).expect("added");
            }
            assert_eq!(lookups.finish(), Ok(1010));
            assert_eq!((answers, refusals.len()), (1000, 10));
            assert!(refusals.iter().all(|(number, not_found)| number % 101 == 100 && *not_found));

            let mut batch = connection.batch();
            for key in 0..200_u32 {
                batch.add(Shelf::DEL, (), |thing| thing.put(Thing::KEY, key)).expect("added");
            }
            let outcomes = batch.finish().expect("outcomes");
            let failed: Vec<usize> = outcomes.failures().iter().map(|failure| failure.index).collect();
            assert_eq!(failed, (100..200).collect::<Vec<_>>());
            assert_eq!(outcomes.failures()[0].refused.path.to_string(), "SHELF_A_KEY");
        },
    );
    for (figures, _) in counted {
        assert_eq!((figures.requests, figures.refusals, figures.dropped), (1210 + 1, 110, 0));
    }
}

#[test]
fn a_dump_larger_than_the_receivers_queue_is_paced() {
    const COUNT: u32 = 100_000;
    for engine in asked_for(ENGINES) {
        let mut server = match Server::with(Protocol::USERSOCK, config(engine)) {
            Err(error @ Error::NoRing { .. }) => return missing("paced", &error.to_string()),
            other => other.expect("a server"),
        };
        let port = server.port();
        let (full, room) = mpsc::channel();
        let asker = std::thread::spawn(move || {
            let mut connection = connect(&Config { engine: EngineChoice::Syscall, ..Config::of_process(port) });
            let mut dump = connection.dump(Shelf::GET, (), |_| {}).expect("begun");
            // Only when the server could not send more.
            room.recv().expect("told");
            let mut next = 0;
            while let Some(thing) = dump.next().expect("a thing") {
                assert_eq!(thing.attributes.get(Thing::KEY), Ok(Some(next)));
                next += 1;
            }
            assert!(dump.end().is_complete());
            next
        });
        let (mut things, mut told) = (many(COUNT), false);
        while !asker.is_finished() {
            match server.step(&mut things, Deadline::after(Duration::from_millis(100))) {
                Err(error) if error.is_timed_out() => {}
                other => other.expect("a step"),
            }
            if !told && server.figures().pauses > 0 {
                told = full.send(()).is_ok();
            }
        }
        assert_eq!(asker.join().expect("no panic"), COUNT);
        assert!(told && server.figures().dropped == 0, "{:?}", server.figures());
    }
}

#[test]
fn a_dump_given_up_leaves_the_connection_usable() {
    served(
        "given up",
        config,
        || many(50_000),
        |config| {
            let mut connection = connect(&config);
            for round in 0..3 {
                let mut dump = connection.dump(Shelf::GET, (), |_| {}).expect("begun");
                for _ in 0..10 {
                    assert!(dump.next().expect("a thing").is_some());
                }
                drop(dump);
                let reply = connection.get(Shelf::GET, (), |thing| thing.put(Thing::KEY, round)).expect("an answer");
                assert_eq!(reply.body().attributes.get(Thing::KEY), Ok(Some(round)));
            }
            assert_eq!(keys(&mut connection).map(|keys| keys.len()), Ok(50_000));
            assert_eq!(connection.statistics().reopened > 0, namespaces_have_cookies("given up"));
        },
    );
}

#[test]
fn one_who_does_not_listen_keeps_nobody_waiting() {
    let impatient = |engine| ServerConfig { patience: Duration::from_millis(200), ..config(engine) };
    let counted = served(
        "deaf",
        impatient,
        || many(100_000),
        |config| {
            let deaf = Socket::open(Protocol::USERSOCK, &SocketOptions::default()).expect("a socket");
            let mut dump = MessageHeader { length: 16, kind: Shelf::GET.kind, ..MessageHeader::default() };
            dump.flags = Flags::REQUEST | Flags::DUMP;
            send_to(&deaf, config.peer, &dump.to_bytes()).expect("sent");
            // Others are served meanwhile, until his dump is dropped and longer.
            let mut connection = connect(&config);
            let start = Instant::now();
            while start.elapsed() < Duration::from_millis(400) {
                let asked = Instant::now();
                drop(connection.get(Shelf::GET, (), |thing| thing.put(Thing::KEY, 7)).expect("an answer"));
                assert!(asked.elapsed() < Duration::from_secs(2));
            }
            assert_eq!(keys(&mut connection).map(|keys| keys.len()), Ok(100_000));
        },
    );
    for (figures, _) in counted {
        assert_eq!((figures.dumps, figures.dropped), (2, 1));
        assert!(figures.pauses > 0);
    }
}

#[test]
fn a_second_dump_is_busy() {
    served(
        "busy",
        config,
        || many(100_000),
        |config| {
            let socket = Socket::open(Protocol::USERSOCK, &SocketOptions::default()).expect("a socket");
            socket.connect_to(config.peer).expect("connected");
            let engine = engine::open(config.engine, socket).expect("an engine");
            let port = engine.socket().port();
            let (first, second) = (Exchange::dump(1, port), Exchange::dump(2, port));
            let (mut first, mut second) = (first.answered_by(config.peer), second.answered_by(config.peer));
            let mut both = Vec::new();
            for exchange in [&first, &second] {
                let mut bytes =
                    MessageHeader { length: 16, kind: Shelf::GET.kind, ..MessageHeader::default() }.to_bytes();
                exchange.stamp(&mut bytes);
                both.extend(bytes);
            }
            engine.send(&both).expect("sent");
            let (mut things, mut busy) = (0, 0);
            while !first.is_finished() || !second.is_finished() {
                let datagram = engine.receive(soon()).expect("a part");
                let origin = Origin { port: datagram.sender(), group: datagram.group() };
                for message in Messages::new(&datagram).map(|message| message.expect("whole")) {
                    things += usize::from(matches!(first.accept(message, origin), Step::Item(_)));
                    if let Step::Failed(refusal) = second.accept(message, origin) {
                        assert_eq!(refusal.errno, Errno::BUSY);
                        busy += 1;
                    }
                }
            }
            assert_eq!((things, busy), (100_000, 1));
        },
    );
}

/// Datagrams that are short or lie, of one who asks: they are counted, and others served.
#[test]
fn a_server_survives_those_who_ask() {
    let counted = served(
        "liars",
        config,
        || many(10),
        |config| {
            let liar = Socket::open(Protocol::USERSOCK, &SocketOptions::default()).expect("a socket");
            let header = |length, kind, flags| MessageHeader { length, kind, flags, sequence: 1, port: 1 }.to_bytes();
            let get = |length| header(length, Shelf::GET.kind, Flags::REQUEST);
            let attribute = |bytes: &[u8]| [&get(16 + bytes.len() as u32)[..], bytes].concat();
            for bytes in [
                vec![1],
                get(16)[..15].to_vec(),
                get(0).to_vec(),
                get(15).to_vec(),
                get(17).to_vec(),
                get(u32::MAX).to_vec(),
                [get(16), get(4000)].concat(),
            ] {
                send_to(&liar, config.peer, &bytes).expect("sent");
            }
            // These can be taken apart, and are refused or ignored.
            for bytes in [
                attribute(&[200, 0, 1, 0]),
                attribute(&[3, 0, 1, 0]),
                attribute(&[9, 9]),
                header(16, MessageType::ERROR, Flags::NONE).to_vec(),
                header(16, MessageType::DONE, Flags::REQUEST | Flags::DUMP).to_vec(),
                header(16, Shelf::GET.kind, Flags::NONE).to_vec(),
            ] {
                send_to(&liar, config.peer, &bytes).expect("sent");
            }
            assert_eq!(keys(&mut connect(&config)).map(|keys| keys.len()), Ok(10));
        },
    );
    for (figures, _) in counted {
        // Seven that cannot be taken apart, of which one had a message before.
        assert_eq!((figures.malformed, figures.requests, figures.refusals), (7, 1 + 6 + 1 + 1, 1 + 3));
    }
}

/// A peer that answers by hand.
fn by_hand(engine: EngineChoice, answer: impl FnOnce(&dyn Engine, u32, &[u8]) + Send, test: impl FnOnce(Connection)) {
    let socket = Socket::open(Protocol::USERSOCK, &SocketOptions::default()).expect("a socket");
    let config = Config { engine, deadline: Some(Duration::from_millis(300)), ..Config::of_process(socket.port()) };
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let engine = engine::open(EngineChoice::Syscall, socket).expect("an engine");
            let request = engine.receive(soon()).expect("a request");
            answer(&*engine, request.sender(), &request);
        });
        test(connect(&config));
    });
}

fn header_of(request: &[u8]) -> MessageHeader {
    Message::parse(request).expect("a message").header
}

#[test]
fn a_server_that_dies_in_a_dump_is_an_error_in_time() {
    for engine in asked_for(ENGINES) {
        let part = |engine: &dyn Engine, port: u32, bytes: &[u8]| {
            let request = Request::new(Message::parse(bytes).expect("a message"), port);
            let mut buffer = [0; 256];
            let mut answers = Answers::new(&mut buffer);
            answers.part(&request, Shelf::GET, (), |thing| thing.put(Thing::KEY, 1)).expect("room");
            engine.send_to(answers.bytes(), ringlink::engine::Destination::Port(port)).expect("sent");
        };
        by_hand(engine, part, |mut connection| {
            let start = Instant::now();
            let mut dump = connection.dump(Shelf::GET, (), |_| {}).expect("begun");
            assert!(dump.next().expect("the first").is_some());
            assert_eq!(dump.next().map(drop), Err(Error::TimedOut));
            assert!(!dump.end().is_complete());
            drop(dump);
            assert!(start.elapsed() < Duration::from_secs(10));
            // Nobody is there any more.
            let error = connection.apply(Shelf::QUIT, (), |_| {}).expect_err("nobody");
            assert_eq!(error.errno(), Some(libc::ECONNREFUSED), "{error}");
        });
    }
}

/// Datagrams that are short or lie, of one who answers: an error each, and no wait beyond the deadline.
#[test]
fn an_asker_survives_those_who_answer() {
    type Lie = fn(MessageHeader) -> Vec<u8>;
    let lies: &[(&str, Lie)] = &[
        ("one byte", |_| vec![7]),
        ("half a header", |header| header.to_bytes()[..9].to_vec()),
        ("a length beyond the end", |header| MessageHeader { length: 900, ..header }.to_bytes().to_vec()),
        ("a length below a header's", |header| MessageHeader { length: 3, ..header }.to_bytes().to_vec()),
        ("another type", |header| MessageHeader { length: 16, kind: MessageType(77), ..header }.to_bytes().to_vec()),
        ("half an error", |header| {
            [&MessageHeader { length: 18, kind: MessageType::ERROR, ..header }.to_bytes()[..], &[0; 2]].concat()
        }),
        ("another's number", |header| {
            MessageHeader { length: 16, kind: Shelf::NEW.kind, sequence: header.sequence ^ 5, ..header }
                .to_bytes()
                .to_vec()
        }),
    ];
    for engine in asked_for(ENGINES) {
        for (name, lie) in lies {
            let answer = |engine: &dyn Engine, port: u32, bytes: &[u8]| {
                let header = MessageHeader { flags: Flags::NONE, ..header_of(bytes) };
                engine.send_to(&lie(header), ringlink::engine::Destination::Port(port)).expect("sent");
            };
            by_hand(engine, answer, |mut connection| {
                let start = Instant::now();
                let error = connection.get(Shelf::GET, (), |_| {}).map(drop).expect_err(name);
                assert!(start.elapsed() < Duration::from_secs(10), "{name}: {error}");
                match *name {
                    "another's number" => assert_eq!(error, Error::TimedOut),
                    _ => assert!(matches!(error, Error::Codec(_)), "{name}: {error}"),
                }
            });
        }
    }
}

#[test]
fn wrong_ports() {
    // The port of a socket that is closed again; the process's first is not, which would be given to the next.
    let (_first, second) = (kernel::open(Protocol::USERSOCK), kernel::open(Protocol::USERSOCK));
    let port = second.port();
    drop(second);
    let mut connection = connect(&Config::of_process(port));
    let error = connection.get(Shelf::GET, (), |_| {}).map(drop).expect_err("nobody");
    assert_eq!(error.errno(), Some(libc::ECONNREFUSED), "{error}");
    let error = connection.dump(Shelf::GET, (), |_| {}).map(drop).expect_err("nobody");
    assert_eq!(error.errno(), Some(libc::ECONNREFUSED), "{error}");

    // A port id that is taken.
    let server = Server::open(Protocol::USERSOCK, 0).expect("a server");
    let error = Server::open(Protocol::USERSOCK, server.port()).map(drop).expect_err("taken");
    assert_eq!(error.errno(), Some(libc::EADDRINUSE), "{error}");
    let again = server.port();
    drop(server);
    assert_eq!(Server::open(Protocol::USERSOCK, again).expect("free again").port(), again);
}

/// A process that does not take its requests: the deadline holds for the send, too.
#[test]
fn a_full_queue_is_an_error_in_time() {
    let idle = kernel::open(Protocol::USERSOCK);
    for engine in asked_for(ENGINES) {
        let config = Config { engine, deadline: Some(Duration::from_millis(100)), ..Config::of_process(idle.port()) };
        let mut connection = connect(&config);
        let start = Instant::now();
        let error = loop {
            match connection.get(Shelf::GET, (), |thing| thing.put(Thing::NAME, "x".repeat(8000).as_str())).map(drop) {
                Err(Error::TimedOut) => assert!(start.elapsed() < Duration::from_secs(60)),
                other => break other.expect_err("nobody answers"),
            }
        };
        assert_eq!(error, Error::System { call: "send", errno: libc::EAGAIN });
    }
}

/// Others cannot answer in the server's place: the kernel does not let them.
#[test]
fn forged_answers_are_refused() {
    served(
        "forged",
        config,
        || many(10),
        |config| {
            let mut connection = connect(&config);
            let forger = kernel::open(Protocol::USERSOCK);
            let asker = connection.socket().port();
            let error = send_to(&forger, asker, &[0; 16]).expect_err("not the peer");
            assert_eq!(error.raw_os_error(), Some(libc::ECONNREFUSED));
            assert_eq!(keys(&mut connection).map(|keys| keys.len()), Ok(10));
            assert_eq!(connection.socket().peer(), config.peer);
        },
    );
}

#[test]
fn events_of_the_one_who_is_listened_to() {
    isolated("events", || {
        served("events", config, Things::default, |config| {
            let monitor = match Monitor::with(Protocol::USERSOCK, &config, &[CHANGES]) {
                Err(error) if error.is_permission() => return missing("events", "needs CAP_NET_ADMIN"),
                other => other.expect("a monitor"),
            };
            let mut connection = connect(&config);
            // Somebody else tells the same group, and this monitor, something.
            let forger = kernel::open(Protocol::USERSOCK);
            let forger = engine::open(EngineChoice::Syscall, forger).expect("an engine");
            forger.send_to(&[0; 16], ringlink::engine::Destination::Group(CHANGES)).expect("told");
            let to_monitor = ringlink::engine::Destination::Port(monitor.socket().port());
            forger.send_to(&[0; 16], to_monitor).expect("sent");
            for key in 0..100_u32 {
                connection.apply(Shelf::NEW, (), |thing| thing.put(Thing::KEY, key)).expect("put");
            }
            for key in 0..100_u32 {
                let notice = monitor.receive(soon()).expect("an event");
                assert_eq!(notice.group(), CHANGES);
                let message = notice.messages().next().expect("one").expect("whole");
                assert_eq!((message.header.sequence, message.header.port), (0, 0));
                let thing = message.body(Shelf::NEW).expect("something put there");
                assert_eq!(thing.attributes.get(Thing::KEY), Ok(Some(key)));
            }
            assert_eq!(monitor.foreign(), 2);
        });
    });
}

#[test]
fn who_asks_is_said_by_the_kernel() {
    let known = |engine| {
        let socket = SocketOptions { credentials: true, ..SocketOptions::default() };
        ServerConfig { socket, ..config(engine) }
    };
    let this_process_only = || {
        |request: &Request<'_>, answer: &mut Answer<'_, '_>| {
            let process = answer.credentials().map(|credentials| credentials.process.unsigned_abs());
            assert_eq!(process, Some(std::process::id()));
            match request.is_dump() {
                true => answer.part(1, Shelf::GET, (), |_| {}).map(drop),
                false => Err(Refusal::new(Errno::PERM)),
            }
        }
    };
    served("credentials", known, this_process_only, |config| {
        let mut connection = connect(&config);
        assert!(connection.apply(Shelf::QUIT, (), |_| {}).is_err_and(|error| error.is_permission()));
        assert_eq!(keys(&mut connection), Ok(vec![]));
    });
    served(
        "credentials",
        config,
        || {
            |_: &Request<'_>, answer: &mut Answer<'_, '_>| {
                assert_eq!(answer.credentials(), None);
                Ok(())
            }
        },
        |config| {
            assert_eq!(connect(&config).apply(Shelf::QUIT, (), |_| {}), Ok(None));
        },
    );
}

#[test]
fn a_session_with_a_process_is_recorded_and_replayed() {
    served(
        "recorded",
        config,
        || many(5000),
        |config| {
            let socket = Socket::open(Protocol::USERSOCK, &SocketOptions::default()).expect("a socket");
            socket.connect_to(config.peer).expect("connected");
            let (engine, tape) = (engine::open(config.engine, socket).expect("an engine"), Tape::default());
            let recorder = Recorder::new(engine, tape.clone(), "a process").expect("a recorder");
            let live = keys(&mut Connection::over(Box::new(recorder), Config::default()));
            let replay = Replay::new(Recording::parse(&tape.bytes()).expect("a recording")).expect("a replay");
            assert_eq!(keys(&mut Connection::over(Box::new(replay), Config::default())), live);
            assert_eq!(live.map(|keys| keys.len()), Ok(5000));
        },
    );
}

#[test]
fn groups_that_nobody_can_tell() {
    let mut server = Server::open(Protocol::USERSOCK, 0).expect("a server");
    assert_eq!(server.tell(1, Shelf::NEW, (), |_| {}), Ok(()), "nobody listens");
    for group in [0, 33, u32::MAX] {
        let error = server.tell(group, Shelf::NEW, (), |_| {}).expect_err("none");
        assert!(matches!(error, Error::Configuration { .. }), "{error}");
    }
    let long = server.tell(1, Shelf::NEW, (), |thing| thing.put(Thing::NAME, "x".repeat(40_000).as_str()));
    assert!(matches!(long, Err(Error::Codec(error)) if error.needed().is_some()), "{long:?}");
}

/// What does not fit a datagram ends with an error that says so, not with silence.
#[test]
fn answers_that_are_too_long() {
    let long = || {
        |request: &Request<'_>, answer: &mut Answer<'_, '_>| {
            let text = "x".repeat(60_000);
            match request.is_dump() {
                true => answer.part(1, Shelf::GET, (), |thing| thing.put(Thing::NAME, text.as_str())).map(drop),
                false => answer.item(Shelf::GET, (), |thing| thing.put(Thing::NAME, text.as_str())),
            }
        }
    };
    served("too long", config, long, |config| {
        let mut connection = connect(&config);
        let error = connection.get(Shelf::GET, (), |_| {}).map(drop).expect_err("too long");
        assert_eq!(error.errno(), Some(libc::EMSGSIZE), "{error}");
        let error = keys(&mut connection).expect_err("too long");
        assert_eq!(error.errno(), Some(libc::EMSGSIZE), "{error}");
    });
    // A request that is longer than a slot is dropped, and the server goes on.
    let small = |engine| ServerConfig { datagram: 4096, ..config(engine) };
    let counted = served("too long", small, Things::default, |config| {
        let mut connection = connect(&Config { deadline: Some(Duration::from_millis(200)), ..config });
        let ask = |length: usize| "x".repeat(length);
        let error = connection.apply(Shelf::NEW, (), |thing| thing.put(Thing::NAME, ask(9000).as_str()));
        assert_eq!(error, Err(Error::TimedOut));
        connection.apply(Shelf::NEW, (), |thing| thing.put(Thing::KEY, 1)).expect("put");
    });
    for (figures, _) in counted {
        assert_eq!(figures.dropped, 1);
    }
}

/// An answer of the kernel's, and the same written here: byte for byte.
#[test]
fn as_the_kernel_writes_it() {
    for (cap_ack, echo) in [(true, Echo::Capped), (false, Echo::Whole)] {
        let options = SocketOptions { cap_ack, ..SocketOptions::default() };
        let socket = Socket::open(Protocol::ROUTE, &options).expect("a socket");
        socket.connect_to_kernel().expect("connected");
        let engine = engine::open(EngineChoice::Syscall, socket).expect("an engine");
        let port = engine.socket().port();
        let mut buffer = [0; 256];
        let ask = |exchange: Exchange, bytes: &mut [u8]| {
            exchange.stamp(bytes);
            bytes.to_vec()
        };
        // An acknowledgement, a refusal, and a refusal with a text and a place.
        let noop = MessageHeader { length: 16, kind: MessageType::NOOP, ..MessageHeader::default() };
        let noop = ask(Exchange::apply(1, port), &mut noop.to_bytes());
        let absent = Rtm::GETLINK.write(&mut buffer, LinkHeader::default(), |link| link.put(Link::IFNAME, "no such"));
        let absent = ask(Exchange::get(2, port), absent.expect("room"));
        let long = Rtm::GETLINK.write(&mut buffer, LinkHeader::default(), |link| link.put_raw(29, &[0; 9]));
        let long = ask(Exchange::get(3, port), long.expect("room"));
        let header = LinkHeader { flags: ringlink::codec::route::LinkFlags::UP, ..LinkHeader::default() };
        let strict = Rtm::GETLINK.write(&mut buffer, header, |_| {});
        let strict = ask(Exchange::dump(4, port), strict.expect("room"));
        for bytes in [noop, absent, long, strict] {
            let datagram = engine.exchange(&bytes, soon()).expect("an answer");
            let said = Message::parse(&datagram).expect("a message");
            let request = Request::new(Message::parse(&bytes).expect("a message"), port);
            let mut buffer = [0; 512];
            let mut answers = Answers::new(&mut buffer);
            let written = match (said.header.kind, Refusal::of_error(said)) {
                (MessageType::ERROR, None) => answers.acknowledge(&request, None),
                (MessageType::ERROR, Some(refusal)) => answers.refuse(&request, &refusal, echo),
                (MessageType::DONE, _) => {
                    let mut exchange = Exchange::dump(4, port);
                    let Step::Failed(refusal) = exchange.accept(said, Origin::KERNEL) else {
                        println!("absent: strict checks of dumps of links");
                        continue;
                    };
                    assert!(refusal.text.is_some());
                    answers.break_off(&request, &refusal)
                }
                other => panic!("{other:?}"),
            };
            written.expect("room");
            assert_eq!(answers.bytes(), datagram.bytes(), "{:?} {:?}", messages(&datagram), said.header);
        }
    }
}

/// The other process of the test below: does nothing unless that starts it.
#[test]
fn the_other_process() {
    let Ok(engine) = std::env::var("RINGLINK_TEST_SERVER") else { return };
    let engine = if engine == "ring" { EngineChoice::Ring } else { EngineChoice::Syscall };
    let mut server = Server::with(Protocol::USERSOCK, config(engine)).expect("a server");
    println!("\nport {}", server.port());
    let mut things = many(1000);
    while !things.closed {
        server.step(&mut things, soon()).expect("asked in time");
    }
    println!("\nrequests {}", server.figures().requests);
}

struct Other {
    child: Child,
    said: BufReader<ChildStdout>,
}

impl Other {
    fn start(engine: &str) -> (Other, u32) {
        let program = std::env::current_exe().expect("this program");
        let mut child = Command::new(program)
            .args(["--exact", "the_other_process", "--nocapture"])
            .env("RINGLINK_TEST_SERVER", engine)
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let said = BufReader::new(child.stdout.take().expect("its output"));
        let mut other = Other { child, said };
        let port = other.word("port ");
        (other, port)
    }

    /// The number behind this word.
    fn word(&mut self, word: &str) -> u32 {
        loop {
            let mut line = String::new();
            assert_ne!(self.said.read_line(&mut line).expect("a line"), 0, "the other process ended before {word}");
            if let Some(number) = line.trim_end().strip_prefix(word) {
                return number.parse().expect("a number");
            }
        }
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn two_processes_count_the_same() {
    const MESSAGES: u32 = 20_000;
    for (name, engine) in ["syscall", "ring"].into_iter().zip(ENGINES) {
        if let (EngineChoice::Ring, Err(error @ Error::NoRing { .. })) =
            (engine, Server::with(Protocol::USERSOCK, config(engine)))
        {
            return missing("two processes", &error.to_string());
        }
        let (mut other, port) = Other::start(name);
        let mut connection = connect(&Config { engine, ..Config::of_process(port) });
        let mut answers = 0;
        let mut lookups = connection.lookups(Shelf::GET, |number, thing| {
            assert_eq!(thing?.attributes.get(Thing::KEY)?, Some(number as u32 % 1000));
            answers += 1;
            Ok(())
        });
        for number in 0..MESSAGES {
            lookups.add((), |thing| thing.put(Thing::KEY, number % 1000)).expect("added");
        }
        assert_eq!(lookups.finish(), Ok(MESSAGES as usize));
        connection.apply(Shelf::QUIT, (), |_| {}).expect("acknowledged");
        assert_eq!((other.word("requests "), answers), (MESSAGES + 1, MESSAGES));
        assert!(other.child.wait().expect("ended").success());
        // It is gone.
        let error = connection.apply(Shelf::QUIT, (), |_| {}).expect_err("nobody");
        assert_eq!(error.errno(), Some(libc::ECONNREFUSED));
    }
}
