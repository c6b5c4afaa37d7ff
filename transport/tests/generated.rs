//! Requests that nobody chose, made up from the tables (`ringlink_codec::generate`), for a kernel that may break: in a guest
//! alone.
//!
//! What is asked is seldom sensible; how it ends always is. Each request is answered, refused, or its dump ends, within its
//! deadline; everything that the kernel says is an answer to it, is read and is printed; and the connection goes on as if
//! nothing had been. `RINGLINK_GENERATED` says how many requests of each protocol go over each engine, and
//! `RINGLINK_GENERATED_SEED` which. The matrix tells the bytes of the request after which a guest died or hung.

mod kernel;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use arbitrary::Unstructured;
use kernel::{absent, asked_for, ip, isolated, missing};
use ringlink::codec::diag::{IpProtocol, SocketView};
use ringlink::codec::generate::Bounds;
use ringlink::codec::generic::{Control, ControlAttribute, FAMILIES, Numbers};
use ringlink::codec::netfilter::NetfilterHeader;
use ringlink::codec::netfilter::nftables::Nft;
use ringlink::codec::protocol::{self, Protocol};
use ringlink::codec::route::{Family, LinkHeader, Rtm};
use ringlink::codec::table::{Layout, Name, Operation, OperationRow, Plain, Record, Space, Table, Verb};
use ringlink::codec::wire::{Flags, Message, Writer};
use ringlink::codec::xfrm::{CountHeader, Xfrm};
use ringlink::generic::Generic;
use ringlink::sockets::{InetQuery, inet};
use ringlink::{Config, Connection, EngineChoice, Error};

/// How long a request may take. A dump of an emulated machine's kernel that loads a module first takes some seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// The protocols whose kernels' parts are asked.
const PROTOCOLS: [&Protocol; 5] =
    [&protocol::ROUTE_AND_TRAFFIC, &protocol::GENERIC, &protocol::NETFILTER, &protocol::XFRM, &protocol::SOCK_DIAG];

/// How many requests one namespace sees.
const BATCH: u64 = 50;

/// Calls a function that is generic over the size of a fixed header; these are all sizes there are.
macro_rules! of_size {
    ($size:expr, $function:ident $arguments:tt) => {
        of_size!($size, $function $arguments, 0 1 3 4 8 12 16 20 24 48 52 56 60 64 132 168 176 224 232 280)
    };
    ($size:expr, $function:ident $arguments:tt, $($known:literal)*) => {
        match $size {
            $($known => of_size!(@ $function $known $arguments),)*
            size => panic!("a header of {size} bytes: to be added to the sizes"),
        }
    };
    (@ $function:ident $known:literal ($($argument:expr),*)) => { $function::<$known>($($argument),*) };
}

/// A fixed header of so many bytes, whatever is in it.
#[derive(Clone, Copy, Debug)]
struct Head<const N: usize>([u8; N]);

impl<const N: usize> Default for Head<N> {
    fn default() -> Self {
        Self([0; N])
    }
}

impl<const N: usize> Plain for Head<N> {
    fn take(rest: &mut &[u8]) -> Self {
        let (head, behind) = rest.split_first_chunk().expect("enough bytes");
        *rest = behind;
        Self(*head)
    }

    fn give(self, rest: &mut &mut [u8]) {
        rest.copy_from_slice(&self.0);
    }
}

impl<const N: usize> Record for Head<N> {
    const LAYOUT: &'static Layout = &Layout { name: "", prefix: "", size: N, fields: &[], tail: None };

    fn from_bytes(mut bytes: &[u8]) -> Self {
        Self::take(&mut bytes)
    }
}

/// The space of the request that is being made.
struct Made;

thread_local! {
    static SPACE: Cell<Option<&'static Space>> = const { Cell::new(None) };
}

impl Table for Made {
    fn space() -> &'static Space {
        SPACE.get().expect("a request is being made")
    }

    fn names() -> &'static [Name] {
        // Nothing is read by it.
        &[]
    }
}

/// Numbers at random, the same for the same seed (splitmix64).
fn noise(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    };
    (0..256).flat_map(|_| next().to_ne_bytes()).collect()
}

/// Address families that many requests are of, among those that no kernel has.
const COMMON: [u8; 4] = [0, 2, 7, 10];

/// The question whose answers have the number of a question about connections, and are printed as such.
const MISNAMED: &str = "IPCTNL_MSG_EXP_GET_STATS_CPU";

/// Questions that are not dumped, though nothing refuses the flag, and whose one answer says that others follow (`NLM_F_MULTI`): a
/// dump of them waits for these.
const NOT_DUMPED: &[&str] = &["IPCTNL_MSG_CT_GET_STATS", "IPCTNL_MSG_TIMEOUT_DEFAULT_GET"];

/// A request of a protocol: the first that this seed makes and that may be sent. Made up alone, hardly any would get further
/// than to the first check.
fn request(protocol: &'static Protocol, numbers: Numbers<'_>, seed: u64) -> Vec<u8> {
    let mut buffer = vec![0; 1 << 15];
    for again in 0.. {
        let noise = noise(seed.wrapping_add(again << 48));
        let [attributes, common, whole, index, ..] = noise[noise.len() - 8..] else { unreachable!("there are eight") };
        let bounds = Bounds { depth: 4, attributes: attributes % 5, bytes: 12, items: 2 };
        let mut writer = Writer::new(&mut buffer);
        bounds
            .any(&mut Unstructured::new(&noise), protocol, numbers, &mut writer)
            .expect("a source that never refuses");
        let Ok(bytes) = writer.finish() else { continue };
        // Some tables have no messages.
        let Ok(message) = Message::parse(bytes) else { continue };
        // Options of lwtunnel-ip are known to stop kernels for good (Linux 6.18).
        let tree = message.tree(protocol).to_string();
        let stops = ["LWTUNNEL_IP_OPTS", "LWTUNNEL_IP6_OPTS"].iter().any(|name| tree.contains(name));
        let unusual = !message.payload.first().is_some_and(|family| COMMON.contains(family));
        let unlikely = [protocol::ROUTE.number, protocol::NETFILTER.number].contains(&protocol.number)
            && unusual
            && !common.is_multiple_of(4);
        let row = protocol.row(message, numbers).filter(|_| message.header.flags.contains(Flags::REQUEST));
        let Some(row) = row.filter(|_| !stops && !unlikely) else { continue };
        let mut made = bytes.to_vec();
        let mut flags = message.header.flags;
        if NOT_DUMPED.contains(&row.name) {
            flags = Flags(flags.0 & !Flags::DUMP.0);
            made[6..8].copy_from_slice(&flags.0.to_ne_bytes());
        }
        let header = &mut made[16..][..row.header.size];
        if protocol.number == protocol::ROUTE.number && flags.contains(Flags::DUMP) && whole.is_multiple_of(2) {
            // Of everything.
            header[1..].fill(0);
        }
        let field =
            row.header.fields.iter().find(|field| ["index", "ifindex"].contains(&field.name) && field.size == 4);
        if let (Some(field), 1..) = (field, index % 4) {
            // Of an interface that is there.
            header[field.offset..][..4].copy_from_slice(&u32::from(index % 4).to_ne_bytes());
        }
        return made;
    }
    unreachable!("a request is made in the end");
}

/// How requests ended.
#[derive(Debug, Default)]
struct Ends {
    answered: u64,
    done: u64,
    dumped: u64,
    interrupted: u64,
    refused: BTreeMap<String, u64>,
    with_path: u64,
    messages: u64,
}

/// What is asked and heard.
struct Asker<'a> {
    protocol: &'static Protocol,
    numbers: Numbers<'a>,
    connection: &'a mut Connection,
    ends: &'a mut Ends,
    /// The number of the last request whose answers were seen.
    last: u32,
}

/// Reads and prints an answer, which must be to a request that is younger than the one before, and the same for all answers.
fn heard(
    protocol: &'static Protocol,
    numbers: Numbers<'_>,
    asked: &str,
    message: Message<'_>,
    last: u32,
    of: &mut Option<u32>,
) {
    let number = *of.get_or_insert(message.header.sequence);
    assert_eq!(message.header.sequence, number, "an answer to another request");
    assert!(number > last, "an answer to request {number}, which was before {last}");
    let tree = message.tree(protocol).with(numbers).to_string();
    let wrong = tree.lines().any(|line| line.trim_start().starts_with("error:"));
    assert!(!wrong || asked == MISNAMED, "{tree}");
    let json = message.json(protocol).with(numbers).to_string();
    assert!(!json.is_empty());
}

/// The type of the answers: that of the message by which the kernel tells what was asked for, where it has one.
fn answer(protocol: &Protocol, kind: u16, row: &OperationRow) -> u16 {
    let protocol::Numbering::Types(tables) = protocol.numbering else { return kind };
    if row.name == MISNAMED {
        return 0x0103;
    }
    if ["RTM_GETMULTICAST", "RTM_GETANYCAST"].contains(&row.name) {
        // Dumps have the question's number, events another.
        return kind;
    }
    // How it is asked for may be a part of the question's name.
    let ways = ["_CTRZERO", "_DYING", "_UNCONFIRMED", "_RESET"];
    let what = ways.iter().find_map(|way| row.name.strip_suffix(way)).unwrap_or(row.name);
    let name = what.replacen("GET", "NEW", 1);
    let mut rows = tables.iter().flat_map(|table| table.rows.iter().map(|row| (table.first | row.number, row.name)));
    let found = rows.find(|(_, told)| *told == name);
    found.map_or(kind, |(kind, _)| kind)
}

/// Sends a request that has a header of this size.
fn ask<const N: usize>(asker: &mut Asker<'_>, bytes: &[u8], row: &'static OperationRow) -> Result<(), Error> {
    let message = Message::parse(bytes).expect("a message");
    let (head, rest) = message.payload.split_at(N);
    let header = Head(head.try_into().expect("as long"));
    let rest = rest.get(N.next_multiple_of(4) - N..).unwrap_or_default();
    let kind = message.header.kind.0;
    let given = Flags(message.header.flags.0 & !(Flags::REQUEST.0 | Flags::DUMP.0));
    let operation = Operation::<(Head<N>, Made)>::new(kind, answer(asker.protocol, kind, row)).named(row.name);
    SPACE.set(Some((row.space)()));
    let Asker { protocol, numbers, last, .. } = *asker;
    let (start, mut of) = (Instant::now(), None);
    let mut messages = 0;
    let mut listen = |message: Message<'_>| {
        heard(protocol, numbers, row.name, message, last, &mut of);
        messages += 1;
        assert!(start.elapsed() < PATIENCE, "it never ends");
    };
    // Attributes as they are: bytes behind the header.
    if message.header.flags.contains(Flags::DUMP) {
        let mut dump = asker.connection.dump(operation, header, |to| to.tail(rest))?;
        while let Some(message) = dump.next_message()? {
            listen(message);
        }
        let end = dump.end();
        assert!(!end.truncated && end.skipped == 0, "{}: {end:?}", row.name);
        asker.ends.dumped += 1;
        asker.ends.interrupted += u64::from(end.interrupted);
    } else {
        asker.connection.apply_each(operation.with(given), header, |to| to.tail(rest), &mut listen)?;
        match (row.verb, messages > 0) {
            (Verb::Get, true) => asker.ends.answered += 1,
            _ => asker.ends.done += 1,
        }
    }
    asker.ends.messages += messages;
    asker.last = of.unwrap_or(last);
    Ok(())
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Tells whoever watches the guest's console what is asked next: what the harness captures dies with the guest.
fn announce(bytes: &[u8]) {
    let mut console = std::io::stdout().lock();
    let _ = writeln!(console, "\n@@ ringlink asks {}", hexadecimal(bytes));
    let _ = console.flush();
}

/// Sends a request and sees to its end.
fn send(asker: &mut Asker<'_>, bytes: &[u8]) {
    let message = Message::parse(bytes).expect("a message");
    let row = asker.protocol.row(message, asker.numbers).expect("it was made from a row");
    announce(bytes);
    match of_size!(row.header.size, ask(asker, bytes, row)) {
        Ok(()) => {}
        Err(error) => {
            let text = error.to_string();
            let refused = error.refused().unwrap_or_else(|| panic!("{text}: {}", shown(asker, bytes)));
            assert!(text.starts_with(row.name), "{text}");
            let named = refused.path.steps().iter().all(|(_, name)| !name.is_empty());
            assert!(named, "{text}: {}", shown(asker, bytes));
            asker.ends.with_path += u64::from(!refused.path.is_empty());
            let name = refused.errno.name().map_or_else(|| refused.errno.to_string(), str::to_owned);
            *asker.ends.refused.entry(name).or_default() += 1;
        }
    }
}

fn shown(asker: &Asker<'_>, bytes: &[u8]) -> String {
    let message = Message::parse(bytes).expect("a message");
    format!("{}\n{}", hexadecimal(bytes), message.tree(asker.protocol).with(asker.numbers))
}

/// A request that everybody knows how it ends.
fn plain(protocol: &Protocol, connection: &mut Connection) {
    let count = match protocol.number {
        0 => {
            let lo = connection.get(Rtm::GETLINK, LinkHeader { index: 1, ..LinkHeader::default() }, |_| {});
            lo.expect("lo").body().header.index
        }
        4 => {
            let query = InetQuery::new(Family::INET, IpProtocol::TCP);
            let mut dump = inet(connection, &query).expect("asked");
            let mut count = 1;
            while let Some(socket) = dump.next().expect("told") {
                SocketView::read(socket).expect("readable");
                count += 1;
            }
            count
        }
        6 => 1 + connection.get(Xfrm::GETSADINFO, CountHeader::default(), |_| {}).map(|_| 0).expect("counted"),
        12 => {
            let generation = connection.get(Nft::GETGEN, NetfilterHeader::default(), |_| {});
            1 + generation.map(|_| 0).expect("a generation")
        }
        16 => {
            let question = Control::GETFAMILY;
            let operation = question.operation(question.family.id);
            let control =
                connection.get(operation, question.header(), |ask| ask.put(ControlAttribute::FAMILY_NAME, "nlctrl"));
            1 + control.map(|_| 0).expect("the controller")
        }
        number => unreachable!("protocol {number}"),
    };
    assert!(count > 0);
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable}={text}")))
}

/// Whether this is a guest, whose kernel is nobody else's. Whoever sets a variable by mistake is not believed.
fn is_guest() -> bool {
    let line = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
    std::env::var_os("RINGLINK_GUEST").is_some() && line.contains("vm.script=")
}

fn over_engines(name: &'static str, protocol: &'static Protocol) {
    if !is_guest() {
        return absent(name, "a kernel that may break; guests have one");
    }
    let (count, seed) = (number("RINGLINK_GENERATED", 200), number("RINGLINK_GENERATED_SEED", 1));
    for engine in asked_for([EngineChoice::Syscall, EngineChoice::Ring]) {
        let config = Config { engine, deadline: Some(PATIENCE), ..Config::default() };
        let socket = ringlink::Protocol(protocol.number);
        if let Err(error @ Error::NoRing { .. }) = Connection::with(socket, config.clone()) {
            missing(name, &error.to_string());
            continue;
        }
        let mut ends = Ends::default();
        for first in (0..count).step_by(usize::try_from(BATCH).expect("small")) {
            isolated(name, || {
                ip("link set lo up");
                ip("link add v0 type veth peer name v1");
                ip("addr add 10.0.0.1/24 dev v0");
                // The family comes with the first interface, where the kernel has it.
                let _ = std::process::Command::new("ip").args(["link", "add", "wg0", "type", "wireguard"]).output();
                let _listener = TcpListener::bind("127.0.0.1:0").expect("bound");
                let _sockets = (UdpSocket::bind("[::1]:0").expect("bound"), UnixDatagram::pair().expect("a pair"));
                let mut generic = Generic::open().expect("a connection");
                let known: Vec<_> =
                    FAMILIES.iter().filter_map(|family| Some((generic.number(family).ok()?, *family))).collect();
                let numbers = Numbers(&known);
                let mut connection = Connection::with(socket, config.clone()).expect("a connection");
                let mut asker = Asker { protocol, numbers, connection: &mut connection, ends: &mut ends, last: 0 };
                for number in first..count.min(first + BATCH) {
                    send(&mut asker, &request(protocol, numbers, seed.wrapping_mul(1 << 32).wrapping_add(number)));
                    plain(protocol, asker.connection);
                }
            });
        }
        println!("{name}, {engine:?}, seed {seed}: {count} requests: {ends:?}");
        let Ends { answered, done, dumped, .. } = ends;
        assert!(answered + done + dumped > 0 && !ends.refused.is_empty(), "all the same: {ends:?}");
    }
}

#[test]
fn of_interfaces_and_routes() {
    over_engines("of_interfaces_and_routes", &protocol::ROUTE_AND_TRAFFIC);
}

#[test]
fn of_generic_families() {
    over_engines("of_generic_families", &protocol::GENERIC);
}

#[test]
fn of_netfilter() {
    over_engines("of_netfilter", &protocol::NETFILTER);
}

#[test]
fn of_ipsec() {
    over_engines("of_ipsec", &protocol::XFRM);
}

#[test]
fn of_sockets() {
    over_engines("of_sockets", &protocol::SOCK_DIAG);
}

/// What is made is the same everywhere, and can be sent by this test.
#[test]
fn requests_are_made() {
    fn known<const N: usize>() -> usize {
        N
    }
    let numbers: Vec<_> = (0x20..).zip(FAMILIES.iter().copied()).collect();
    for protocol in PROTOCOLS {
        let mut bytes = 0;
        for seed in 0..1000 {
            let made = request(protocol, Numbers(&numbers), seed);
            assert_eq!(made, request(protocol, Numbers(&numbers), seed));
            bytes += made.len();
            let row = protocol.row(Message::parse(&made).expect("a message"), Numbers(&numbers)).expect("a row");
            assert_eq!(of_size!(row.header.size, known()), row.header.size);
        }
        println!("{}: {} bytes each", protocol.name, bytes / 1000);
        assert!(bytes / 1000 > 30, "hardly more than headers");
    }
}
