//! Connections and monitors on tokio against the live kernel: over the engines, on one thread and on several.

use std::collections::BTreeSet;
use std::future::{Future, poll_fn};
use std::net::Ipv4Addr;
use std::ops::Range;
use std::pin::pin;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::task::Poll;
use std::thread::JoinHandle;
use std::time::Duration;

use ringlink::codec::reply::Errno;
use ringlink::codec::route::{
    Family, Group, Link, LinkFlags, LinkHeader, Route, RouteHeader, RouteProtocol, RouteTable, RouteType, Rtm, Scope,
    ShortTable,
};
use ringlink::codec::table::{AttributeWriter, Body};
use ringlink::engine;
use ringlink::tokio::{Connection, Monitor};
use ringlink::{Config, EngineChoice, Error, Namespace, Protocol, SocketOptions};

mod hesitant;
mod kernel;

use hesitant::{Hesitation, hesitant};
use kernel::{add_routes, asked_for, ip, isolated, missing, namespaces_have_cookies, request_socket};

/// Runs a test over every engine and in every kind of runtime, each time in a namespace of its own, which the runtime's
/// own threads are not in.
fn over_all<F: Future<Output = ()> + Send + 'static>(name: &'static str, test: impl Fn(Config) -> F + Sync) {
    let _alone = alone();
    for engine in asked_for([EngineChoice::Syscall, EngineChoice::Auto, EngineChoice::Ring]) {
        for threads in [0, 1, 4] {
            isolated(name, || {
                ip("link set lo up");
                add_routes(&*engine::open(EngineChoice::Syscall, request_socket()).expect("an engine"), 0..1000);
                let namespace = Some(Namespace::current().expect("a namespace"));
                let socket = SocketOptions { namespace, ..SocketOptions::default() };
                let config = Config { engine, socket, ..Config::default() };
                if let Err(error @ Error::NoRing { .. }) = Connection::with(Protocol::ROUTE, config.clone()) {
                    return missing(name, &error.to_string());
                }
                let future = test(config);
                std::thread::spawn(move || run(threads, future)).join().expect("no panic");
            });
        }
    }
}

/// One test at a time: what one takes is not to be counted as another's.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether the processor is an emulated one, for which less is enough.
fn is_guest() -> bool {
    std::env::var_os("RINGLINK_GUEST").is_some()
}

/// Runs a future as a task of a runtime with so many worker threads; none is a runtime of the calling thread alone.
fn run<F: Future<Output = ()> + Send + 'static>(threads: usize, future: F) {
    let runtime = match threads {
        0 => tokio::runtime::Builder::new_current_thread().enable_all().build(),
        _ => tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    };
    runtime.expect("a runtime").block_on(async {
        let task = tokio::spawn(future);
        tokio::time::timeout(Duration::from_secs(if is_guest() { 150 } else { 30 }), task)
            .await
            .expect("in time")
            .expect("no panic");
    });
}

fn open(config: &Config) -> Connection {
    Connection::with(Protocol::ROUTE, config.clone()).expect("a connection")
}

fn blocking(config: &Config) -> ringlink::Connection {
    ringlink::Connection::with(Protocol::ROUTE, config.clone()).expect("a connection")
}

fn lo() -> LinkHeader {
    LinkHeader { index: 1, ..LinkHeader::default() }
}

fn ipv4() -> RouteHeader {
    RouteHeader { family: Family::INET, ..RouteHeader::default() }
}

fn main_table(route: &mut AttributeWriter<'_, '_, Route>) {
    route.put(Route::TABLE, RouteTable::MAIN);
}

/// A host route by way of `lo`, in 10.0.0.0/8.
fn route(number: u32) -> (RouteHeader, impl FnMut(&mut AttributeWriter<'_, '_, Route>)) {
    let header = RouteHeader {
        dst_len: 32,
        table: ShortTable::MAIN,
        protocol: RouteProtocol::STATIC,
        scope: Scope::LINK,
        kind: RouteType::UNICAST,
        ..ipv4()
    };
    (header, move |route| {
        route.put(Route::DST, Ipv4Addr::from(0x0a00_0000 + number));
        route.put(Route::OIF, 1);
    })
}

fn destination<A>(route: &Body<'_, A>) -> Vec<u8>
where
    A: ringlink::codec::table::Format<Space = Route>,
{
    route.attributes.get(Route::DST).expect("readable").expect("a destination").0.to_vec()
}

/// The destinations in the main table, asked for in the blocking way.
fn expected(config: &Config) -> BTreeSet<Vec<u8>> {
    let mut connection = blocking(config);
    let mut found = BTreeSet::new();
    let dump = connection.dump(Rtm::GETROUTE, ipv4(), main_table).expect("a dump");
    let end = dump.for_each(|route| {
        found.insert(destination(&route));
        Ok(())
    });
    assert!(end.expect("no failure").is_complete());
    found
}

async fn destinations(connection: &mut Connection) -> BTreeSet<Vec<u8>> {
    let mut dump = connection.dump(Rtm::GETROUTE, ipv4(), main_table).expect("a dump");
    let mut found = BTreeSet::new();
    while let Some(route) = dump.next().await.expect("a route") {
        found.insert(destination(&route));
    }
    assert!(dump.end().is_complete());
    found
}

#[test]
fn every_method_gives_what_the_blocking_one_gives() {
    over_all("every_method_gives", |config| async move {
        let mut connection = open(&config);
        let mut reference = blocking(&config);
        for _ in 0..10 {
            let expected = {
                let reply = reference.get(Rtm::GETLINK, lo(), |_| {}).expect("an answer");
                (
                    reply.body().header,
                    reply.body().attributes.get(Link::IFNAME).expect("readable").map(|name| name.to_string()),
                )
            };
            let link = connection.get(Rtm::GETLINK, lo(), |_| {}).await.expect("an answer");
            let name = link.attributes.get(Link::IFNAME).expect("readable").map(|name| name.to_string());
            assert_eq!((link.header, name), expected);
        }

        let up = LinkHeader { flags: LinkFlags::UP, change: LinkFlags::UP, ..lo() };
        let refused = LinkHeader { index: 99, ..up };
        assert_eq!(connection.apply(Rtm::NEWLINK, up, |_| {}).await, reference.apply(Rtm::NEWLINK, up, |_| {}));
        assert_eq!(
            connection.apply(Rtm::NEWLINK, refused, |_| {}).await,
            reference.apply(Rtm::NEWLINK, refused, |_| {})
        );
        let absent = connection.get(Rtm::GETLINK, LinkHeader { index: 99, ..lo() }, |_| {}).await.map(|_| ());
        assert!(absent.is_err_and(|error| error.is_not_found()));

        let routes = expected(&config);
        assert_eq!(routes.len(), 1000);
        assert_eq!(destinations(&mut connection).await, routes);
        let mut found = BTreeSet::new();
        let mut dump = connection.dump(Rtm::GETROUTE, ipv4(), main_table).expect("a dump");
        for _ in 0..10 {
            found.insert(destination(&dump.next().await.expect("a route").expect("one more")));
        }
        let end = dump.for_each(|route| {
            found.insert(destination(&route));
            Ok(())
        });
        assert!(end.await.expect("no failure").is_complete());
        assert_eq!(found, routes);
        let strict = RouteHeader { dst_len: 24, ..ipv4() };
        let error = connection.dump(Rtm::GETROUTE, strict, |_| {}).expect("a dump").next().await.map(|_| ());
        assert_eq!(error.expect_err("refused").refused().expect("a refusal").errno, Errno::INVAL);

        let mut batch = connection.batch();
        for number in 0..1000 {
            // Every tenth is there already.
            let (header, fill) = route(if number % 10 == 9 { number } else { 1000 + number });
            batch.add(Rtm::NEWROUTE.create().exclusive(), header, fill).await.expect("added");
        }
        let outcomes = batch.finish().await.expect("sent");
        let failed: Vec<usize> = outcomes.failures().iter().map(|failure| failure.index).collect();
        assert_eq!((outcomes.count(), failed), (1000, (0..100).map(|ten| ten * 10 + 9).collect()));
        assert_eq!(destinations(&mut connection).await.len(), 1900);

        let mut answers = Vec::new();
        let mut lookups = connection.lookups(Rtm::GETROUTE, |number, route| {
            answers.push((number, route.map(|route| destination(&route)).is_ok()));
            Ok(())
        });
        let header = RouteHeader { dst_len: 32, ..ipv4() };
        for number in 0..1000 {
            let asked = if number % 10 == 9 { 0x1400_0000 } else { 0x0a00_0000 + number };
            lookups.add(header, |route| route.put(Route::DST, Ipv4Addr::from(asked))).await.expect("asked");
        }
        assert_eq!(lookups.finish().await.expect("answered"), 1000);
        assert_eq!(answers, (0..1000).map(|number| (number, number % 10 != 9)).collect::<Vec<_>>());
    });
}

/// Polls a future at most so often, each time when it was woken, and then drops it; whether it was ready.
async fn polled<F: Future>(future: F, times: u32) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = times;
    poll_fn(|context| match left {
        0 => Poll::Ready(None),
        _ => {
            left -= 1;
            match (future.as_mut().poll(context), left) {
                (Poll::Ready(output), _) => Poll::Ready(Some(output)),
                (Poll::Pending, 0) => Poll::Ready(None),
                (Poll::Pending, _) => Poll::Pending,
            }
        }
    })
    .await
}

/// Drops futures of every kind after so many polls, with right answers in between; how often nothing was dropped, because the
/// future was ready.
async fn drop_some(connection: &mut Connection, polls: u32, routes: usize) -> u32 {
    let mut ready = 0;
    let mut count = |is: bool| ready += u32::from(is);
    count(polled(connection.get(Rtm::GETLINK, lo(), |_| {}), polls).await.is_some());
    let up = LinkHeader { flags: LinkFlags::UP, change: LinkFlags::UP, ..lo() };
    count(polled(connection.apply(Rtm::NEWLINK, up, |_| {}), polls).await.is_some());
    {
        let mut dump = connection.dump(Rtm::GETROUTE, ipv4(), main_table).expect("a dump");
        count(polled(dump.next(), polls).await.is_some());
        // What was dropped has taken nothing.
        if polls % 2 == 1 {
            let mut number = 0;
            while dump.next().await.expect("a route").is_some() {
                number += 1;
                if number % 300 == 0 {
                    polled(dump.next(), 0).await;
                }
            }
            assert!(dump.end().is_complete());
        }
    }
    {
        let dump = connection.dump(Rtm::GETROUTE, ipv4(), main_table).expect("a dump");
        count(polled(dump.for_each(|_| Ok(())), polls).await.is_some());
    }
    {
        let mut batch = connection.batch();
        for number in 0..3 {
            let (header, fill) = route(number);
            batch.add(Rtm::NEWROUTE.create().exclusive(), header, fill).await.expect("added");
        }
        let done = polled(batch.flush(), polls).await.is_some();
        count(done);
        if done || polls.is_multiple_of(2) {
            let outcomes = batch.finish().await.expect("it goes on");
            assert_eq!((outcomes.count(), outcomes.failures().len()), (3, 3));
        }
    }
    {
        let mut answered = 0;
        let mut lookups = connection.lookups(Rtm::GETROUTE, |number, route| {
            assert_eq!((number, route.is_ok()), (answered, true));
            answered += 1;
            Ok(())
        });
        for number in 0..3 {
            let header = RouteHeader { dst_len: 32, ..ipv4() };
            let fill = |route: &mut AttributeWriter<'_, '_, Route>| {
                route.put(Route::DST, Ipv4Addr::from(0x0a00_0000 + number));
            };
            lookups.add(header, fill).await.expect("asked");
        }
        let done = polled(lookups.flush(), polls).await.is_some();
        count(done);
        if done || polls.is_multiple_of(2) {
            assert_eq!(lookups.finish().await.expect("it goes on"), 3);
            assert_eq!(answered, 3);
        }
    }
    let link = connection.get(Rtm::GETLINK, lo(), |_| {}).await.expect("an answer");
    assert_eq!(link.header.index, 1);
    if polls.is_multiple_of(3) {
        assert_eq!(destinations(connection).await.len(), routes);
    }
    ready
}

/// Descriptors that are open, and bytes of memory that are resident.
fn taken() -> (usize, usize) {
    let descriptors = std::fs::read_dir("/proc/self/fd").expect("descriptors").count();
    let pages = std::fs::read_to_string("/proc/self/statm").expect("memory");
    let pages: usize = pages.split(' ').nth(1).and_then(|pages| pages.parse().ok()).expect("a number");
    (descriptors, pages * 4096)
}

#[test]
fn a_future_dropped_anywhere_leaves_the_connection_usable() {
    static MOST: AtomicU32 = AtomicU32::new(0);
    let rounds = if is_guest() { 20 } else { 100 };
    over_all("a_future_dropped_anywhere", |config| async move {
        let (descriptors, _) = taken();
        let mut connection = open(&config);
        let mut hesitant = Connection::from(hesitant(&config, Hesitation { sent: 3, received: 3 }));
        let (mut drops, mut forced, mut memory) = (0, 0, 0);
        for round in 0..rounds {
            for polls in 0..8 {
                forced += 6 - drop_some(&mut hesitant, polls, 1000).await;
                drops += 6 - drop_some(&mut connection, polls, 1000).await;
            }
            // Once everything there is has been used.
            if round == 2 {
                (_, memory) = taken();
            }
        }
        println!("{forced} and {drops} futures dropped");
        MOST.fetch_max(forced, Ordering::Relaxed);
        let (_, after) = taken();
        assert!(after < memory + (1 << 20), "{memory} bytes of memory became {after}");
        drop((connection, hesitant));
        assert_eq!(taken().0, descriptors);
    });
    // Where the reactor has a thread of its own, it may see the bell ring before the future has said that it waits, which
    // then goes on at once.
    let most = MOST.load(Ordering::Relaxed);
    assert!(most >= 17 * rounds, "{most} futures dropped");
}

#[test]
fn a_socket_is_replaced_for_a_long_dump_that_was_given_up() {
    over_all("a_socket_is_replaced", |config| async move {
        let reference = config.clone();
        tokio::task::spawn_blocking(move || {
            let mut connection = blocking(&reference);
            let mut batch = connection.batch();
            for number in 1000..20_000 {
                let (header, fill) = route(number);
                batch.add(Rtm::NEWROUTE.create(), header, fill).expect("added");
            }
            assert!(batch.finish().expect("sent").failures().is_empty());
        })
        .await
        .expect("no panic");
        let mut connection = open(&config);
        for round in 0..20 {
            let mut dump = connection.dump(Rtm::GETROUTE, ipv4(), main_table).expect("a dump");
            for _ in 0..round * 500 {
                assert!(dump.next().await.expect("a route").is_some());
            }
            assert!(dump.next().await.expect("a route").is_some() && !dump.end().is_complete());
            drop(dump);
            if round % 2 == 1 {
                let link = connection.get(Rtm::GETLINK, lo(), |_| {}).await.expect("an answer");
                assert_eq!(link.header.index, 1);
            }
            assert_eq!(destinations(&mut connection).await.len(), 20_000);
        }
        assert_eq!(connection.statistics().reopened > 0, namespaces_have_cookies("given up"));
    });
}

/// A thread in the namespace of a configuration that adds routes when it is told to; it ends with this.
struct Writer {
    tell: Option<mpsc::Sender<Range<u32>>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    fn new(config: &Config) -> Writer {
        let mut connection = blocking(config);
        let (tell, told) = mpsc::channel::<Range<u32>>();
        let thread = std::thread::spawn(move || {
            for number in told.into_iter().flatten() {
                let (header, fill) = route(100_000 + number);
                connection.apply(Rtm::NEWROUTE.create(), header, fill).expect("added");
            }
        });
        Writer { tell: Some(tell), thread: Some(thread) }
    }

    fn add(&self, numbers: Range<u32>) {
        self.tell.as_ref().expect("there").send(numbers).expect("there");
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.tell = None;
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn monitor(config: &Config) -> Monitor {
    let socket = SocketOptions { receive_buffer: Some(4 << 20), ..config.socket.clone() };
    Monitor::with(Protocol::ROUTE, &Config { socket, ..config.clone() }, &[Group::IPV4_ROUTE.0]).expect("a monitor")
}

/// The number of the route that each event of a datagram tells.
fn numbers(notice: &ringlink::tokio::Notice<'_>) -> Vec<u32> {
    let number =
        |destination: Vec<u8>| u32::from_be_bytes(destination.try_into().expect("IPv4")) - 0x0a00_0000 - 100_000;
    let told = |message: Result<_, _>| -> ringlink::codec::wire::Message<'_> { message.expect("a message") };
    notice.messages().map(|message| number(destination(&told(message).body(Rtm::NEWROUTE).expect("a route")))).collect()
}

#[test]
fn a_monitor_is_woken_by_each_event_wherever_its_task_is() {
    over_all("a_monitor_is_woken", |config| async move {
        let mut monitor = monitor(&config);
        let writer = Writer::new(&config);
        // Others want the threads too, so that the task moves.
        let crowd: Vec<_> = (0..8)
            .map(|_| {
                tokio::spawn(async {
                    loop {
                        std::hint::black_box((0..2000u64).sum::<u64>());
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        let mut threads = BTreeSet::new();
        for number in 0..1000 {
            writer.add(number..number + 1);
            let notice = monitor.receive().await.expect("an event");
            assert_eq!(numbers(&notice), [number]);
            threads.insert(format!("{:?}", std::thread::current().id()));
            tokio::task::yield_now().await;
        }
        crowd.iter().for_each(tokio::task::JoinHandle::abort);
        println!("{} threads, {:?}", threads.len(), monitor.counters());
    });
}

#[test]
fn a_receive_that_is_dropped_loses_no_event() {
    over_all("a_receive_that_is_dropped", |config| async move {
        let mut monitor = monitor(&config);
        let writer = Writer::new(&config);
        writer.add(0..3000);
        let (mut next, mut dropped) = (0, 0);
        while next < 3000 {
            // The other branch is ready at once, after some turns of the runtime, or later.
            let turns = dropped % 4;
            let other = async {
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
            };
            tokio::select! {
                biased;
                notice = polled(monitor.receive(), dropped % 3) => match notice {
                    None => dropped += 1,
                    Some(notice) => for number in numbers(&notice.expect("an event")) {
                        assert_eq!(number, next);
                        next += 1;
                    },
                },
                () = other => dropped += 1,
            }
        }
        assert!(dropped > 0);
        // Nothing more comes, and a timeout says so.
        let nothing = tokio::time::timeout(Duration::from_millis(5), monitor.receive()).await;
        assert!(nothing.is_err());
        writer.add(3000..3001);
        assert_eq!(numbers(&monitor.receive().await.expect("an event")), [3000]);
    });
}

#[test]
fn a_request_may_lose_a_race_with_a_timer() {
    over_all("a_request_may_lose_a_race", |config| async move {
        let mut connection = open(&config);
        let mut hesitant = Connection::from(hesitant(&config, Hesitation { sent: 3, received: 3 }));
        for (round, micros) in (0..50u64).cycle().take(500).enumerate() {
            for connection in [&mut connection, &mut hesitant] {
                let soon = Duration::from_micros(micros);
                let dump = connection.dump(Rtm::GETROUTE, ipv4(), main_table).expect("a dump");
                let end = tokio::time::timeout(soon, dump.for_each(|_| Ok(()))).await;
                assert!(end.is_err() || end.is_ok_and(|end| end.is_ok_and(|end| end.is_complete())));
                let late = tokio::time::timeout(soon, connection.get(Rtm::GETLINK, lo(), |_| {})).await;
                assert!(late.is_err() || late.is_ok_and(|answer| answer.is_ok_and(|link| link.header.index == 1)));
                let index = (round % 2) as i32 * 98 + 1;
                let answer = connection.get(Rtm::GETLINK, LinkHeader { index, ..lo() }, |_| {}).await;
                assert_eq!(answer.map(|link| link.header.index).ok(), (index == 1).then_some(1));
            }
        }
    });
}

#[test]
fn a_long_dump_leaves_others_their_turn() {
    let _alone = alone();
    isolated("a_long_dump_leaves_others", || {
        ip("link set lo up");
        add_routes(&*engine::open(EngineChoice::Syscall, request_socket()).expect("an engine"), 0..100_000);
        let namespace = Some(Namespace::current().expect("a namespace"));
        let config = Config { socket: SocketOptions { namespace, ..SocketOptions::default() }, ..Config::default() };
        run(0, async move {
            let turns = Arc::new(AtomicU32::new(0));
            let counted = turns.clone();
            let other = tokio::spawn(async move {
                loop {
                    counted.fetch_add(1, Ordering::Relaxed);
                    tokio::task::yield_now().await;
                }
            });
            let mut connection = open(&config);
            let dump = connection.dump(Rtm::GETROUTE, ipv4(), main_table).expect("a dump");
            let mut routes = 0;
            let end = dump.for_each(|_| {
                routes += 1;
                Ok(())
            });
            assert!(end.await.expect("no failure").is_complete());
            assert!(turns.load(Ordering::Relaxed) > 0 && routes == 100_000);
            other.abort();
        });
    });
}
