//! Sockets as `ss` shows them: the same lines, whatever kinds, states and filters are asked for.

mod support;

use std::collections::BTreeSet;
use std::io::Write as _;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr as UnixAddress, UnixDatagram, UnixListener, UnixStream};
use std::process::Command;

use serde_json::Value;
use support::{Netns, command, skip};

/// Runs a test in a thread that has moved to a namespace of its own, and so have the programs it starts.
fn inside(test: &str, run: impl FnOnce() + Send) {
    if Command::new("ss").arg("-V").output().is_err() {
        return skip(test, "there is no ss").unwrap_or_default();
    }
    let Some(netns) = Netns::with_interfaces(test) else { return };
    netns.ip("addr add 192.0.2.1/24 dev v0");
    netns.ip("addr add 2001:db8::1/64 dev v0 nodad");
    netns.ip("neigh add 192.0.2.99 lladdr 02:00:00:00:00:99 dev v0");
    let namespace = std::fs::File::open(format!("/run/netns/{}", netns.name())).unwrap();
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // SAFETY: the descriptor is open; only this thread moves.
            assert_eq!(unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) }, 0);
            run();
        });
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
    });
}

/// A socket that the standard library does not make.
fn socket(family: i32, kind: i32, protocol: i32) -> Option<OwnedFd> {
    // SAFETY: no pointers are passed.
    let descriptor = unsafe { libc::socket(family, kind | libc::SOCK_CLOEXEC, protocol) };
    // SAFETY: it is open, and nobody else's.
    (descriptor >= 0).then(|| unsafe { OwnedFd::from_raw_fd(descriptor) })
}

fn option(socket: &impl AsRawFd, level: i32, name: i32, value: &[u8]) {
    let length = u32::try_from(value.len()).unwrap();
    // SAFETY: the pointer is valid for the length.
    let done = unsafe { libc::setsockopt(socket.as_raw_fd(), level, name, value.as_ptr().cast(), length) };
    assert_eq!(done, 0, "{}", std::io::Error::last_os_error());
}

fn bytes_of(address: SocketAddr) -> [u8; 16] {
    let SocketAddr::V4(address) = address else { panic!("{address}") };
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&u16::try_from(libc::AF_INET).unwrap().to_ne_bytes());
    bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
    bytes[4..8].copy_from_slice(&address.ip().octets());
    bytes
}

/// Starts to connect; a socket that does not wait goes on by itself.
fn connect(socket: &OwnedFd, address: SocketAddr) {
    let bytes = bytes_of(address);
    // SAFETY: the pointer is valid for the length.
    unsafe { libc::connect(socket.as_raw_fd(), bytes.as_ptr().cast(), 16) };
}

/// Sockets that are kept as long as they are looked at.
#[derive(Default)]
struct Scene {
    listeners: Vec<TcpListener>,
    streams: Vec<TcpStream>,
    datagrams: Vec<UdpSocket>,
    local: (Vec<UnixListener>, Vec<UnixStream>, Vec<UnixDatagram>),
    others: Vec<OwnedFd>,
    ports: Vec<u16>,
}

impl Scene {
    /// Some hundred sockets in all states that sockets stay in.
    fn new(folder: &std::path::Path) -> Self {
        let mut scene = Self::default();
        for address in
            ["127.0.0.1:0", "127.0.0.2:0", "192.0.2.1:0", "[::1]:0", "[2001:db8::1]:0", "[::]:0", "0.0.0.0:0"]
        {
            let listener = TcpListener::bind(address).unwrap();
            let mut address = listener.local_addr().unwrap();
            if address.ip().is_unspecified() {
                address.set_ip([127, 0, 0, 3].into());
            }
            scene.ports.push(address.port());
            for number in 0..12 {
                let client = TcpStream::connect(address).unwrap();
                let (server, _) = listener.accept().unwrap();
                scene.pair(number, client, server);
            }
            // One that nobody has accepted yet.
            scene.streams.push(TcpStream::connect(address).unwrap());
            scene.listeners.push(listener);
        }
        scene.waiting();
        for address in ["127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"] {
            for _ in 0..10 {
                let one = UdpSocket::bind(address).unwrap();
                let mut to = one.local_addr().unwrap();
                scene.ports.push(to.port());
                if to.ip().is_unspecified() {
                    to.set_ip(if to.is_ipv4() { [127, 0, 0, 1].into() } else { "::1".parse().unwrap() });
                }
                let other = UdpSocket::bind(if to.is_ipv4() { "127.0.0.1:0" } else { "[::1]:0" }).unwrap();
                other.connect(to).unwrap();
                other.send(b"a word").unwrap();
                scene.datagrams.extend([one, other]);
            }
        }
        let bound = UdpSocket::bind("0.0.0.0:0").unwrap();
        option(&bound, libc::SOL_SOCKET, libc::SO_BINDTODEVICE, b"v0\0");
        option(&bound, libc::SOL_SOCKET, libc::SO_MARK, &0x2a_u32.to_ne_bytes());
        scene.datagrams.push(bound);
        scene.unix(folder);
        scene.others.extend(socket(libc::AF_PACKET, libc::SOCK_RAW, i32::from(3_u16.to_be())));
        scene.others.extend(socket(libc::AF_PACKET, libc::SOCK_DGRAM, i32::from(0x0806_u16.to_be())));
        if let Some(mptcp) = socket(libc::AF_INET, libc::SOCK_STREAM, 262) {
            let bytes = bytes_of("127.0.0.1:0".parse().unwrap());
            // SAFETY: the pointer is valid for the length.
            assert_eq!(unsafe { libc::bind(mptcp.as_raw_fd(), bytes.as_ptr().cast(), 16) }, 0);
            // SAFETY: no pointers are passed.
            assert_eq!(unsafe { libc::listen(mptcp.as_raw_fd(), 3) }, 0);
            scene.others.push(mptcp);
        }
        scene
    }

    /// Brings a connection into one of the states.
    fn pair(&mut self, number: u32, mut client: TcpStream, mut server: TcpStream) {
        use std::net::Shutdown::Write;
        match number % 6 {
            // FIN-WAIT-2 and CLOSE-WAIT
            1 => client.shutdown(Write).unwrap(),
            // TIME-WAIT
            2 => {
                client.shutdown(Write).unwrap();
                server.shutdown(Write).unwrap();
                return;
            }
            // Something that nobody has read yet.
            3 => server.write_all(b"some words").unwrap(),
            // FIN-WAIT-1: no room for what there is to send.
            4 => {
                fill(&mut client);
                client.shutdown(Write).unwrap();
            }
            // CLOSE-WAIT and FIN-WAIT-2, then LAST-ACK and FIN-WAIT-2.
            5 => {
                fill(&mut server);
                client.shutdown(Write).unwrap();
                server.shutdown(Write).unwrap();
            }
            _ => option(&client, libc::SOL_SOCKET, libc::SO_MARK, &7_u32.to_ne_bytes()),
        }
        self.streams.extend([client, server]);
    }

    /// Connections that are not made: the peer does not answer, or the listener waits for the first data.
    fn waiting(&mut self) {
        let silent = socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_NONBLOCK, 0).unwrap();
        connect(&silent, "192.0.2.99:9".parse().unwrap());
        let lazy = TcpListener::bind("127.0.0.1:0").unwrap();
        option(&lazy, libc::IPPROTO_TCP, libc::TCP_DEFER_ACCEPT, &60_i32.to_ne_bytes());
        self.streams.push(TcpStream::connect(lazy.local_addr().unwrap()).unwrap());
        self.listeners.push(lazy);
        self.others.push(silent);
    }

    fn unix(&mut self, folder: &std::path::Path) {
        let (listeners, streams, datagrams) = &mut self.local;
        for number in 0..10 {
            let path = folder.join(format!("stream{number}"));
            let listener = UnixListener::bind(&path).unwrap();
            let client = UnixStream::connect(&path).unwrap();
            let (server, _) = listener.accept().unwrap();
            (&client).write_all(b"some words").unwrap();
            // One that nobody has accepted yet.
            streams.extend([client, server, UnixStream::connect(&path).unwrap()]);
            let name = UnixAddress::from_abstract_name(format!("ringlink\0{number}")).unwrap();
            let hidden = UnixListener::bind_addr(&name).unwrap();
            listeners.extend([listener, hidden]);
            let (one, other) = UnixStream::pair().unwrap();
            one.shutdown(std::net::Shutdown::Write).unwrap();
            streams.extend([one, other]);
            let bound = UnixDatagram::bind(folder.join(format!("datagram{number}"))).unwrap();
            datagrams.extend([bound, UnixDatagram::unbound().unwrap()]);
        }
        let mut pair = [0; 2];
        // SAFETY: there is room for two descriptors.
        let made =
            unsafe { libc::socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET | libc::SOCK_CLOEXEC, 0, pair.as_mut_ptr()) };
        assert_eq!(made, 0);
        // SAFETY: they are open, and nobody else's.
        self.others.extend(pair.map(|descriptor| unsafe { OwnedFd::from_raw_fd(descriptor) }));
    }
}

/// Sends until there is no room.
fn fill(stream: &mut TcpStream) {
    stream.set_nonblocking(true).unwrap();
    let words = [0; 64 * 1024];
    while stream.write(&words).is_ok() {}
    stream.set_nonblocking(false).unwrap();
}

/// A folder of this test's own.
struct Folder(std::path::PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ringlink-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn output(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {err}");
    String::from_utf8(output.stdout).unwrap()
}

fn words(options: &str, filter: &str) -> Vec<String> {
    let options = options.split_whitespace().map(str::to_owned);
    options.chain((!filter.is_empty()).then(|| filter.to_owned())).collect()
}

/// Words by columns, without what passes by itself.
fn plain<'t>(lines: impl Iterator<Item = &'t str>) -> Vec<String> {
    // `ss` takes a device's number apart as programs have it, not as the kernel has it, and lists those who wait at a listener
    // where none do (see differences.md).
    let passes = |word: &str| {
        ["lastsnd:", "lastrcv:", "lastack:", "timer:", "busy:", "rwnd_limited:", "dev:"]
            .iter()
            .any(|label| word.starts_with(label))
            || word == "peers:"
    };
    let mut lines: Vec<String> = lines
        .map(|line| line.split_whitespace().filter(|word| !passes(word)).collect::<Vec<_>>().join(" "))
        .filter(|line| !line.is_empty())
        .collect();
    lines.sort();
    lines
}

/// The lines of `ss`. It leaves away a column that is the same for all that were asked for; it is put back.
fn lines_of_ss(options: &str, filter: &str) -> Vec<String> {
    let text = output(Command::new("ss").args(words(options, filter)));
    let mut lines = text.lines();
    let header = lines.next().unwrap_or_default();
    let has = |column: &str| header.split_whitespace().any(|word| word == column);
    let kind =
        [("-t", "tcp "), ("-u", "udp "), ("-M", "mptcp ")].iter().find(|(letter, _)| options.starts_with(letter));
    let lines: Vec<String> = lines
        .map(|line| match (has("Netid"), kind) {
            (false, Some((_, kind))) => format!("{kind}{line}"),
            _ => line.to_owned(),
        })
        .map(|line| match has("State") {
            true => line,
            false => line
                .split_whitespace()
                .enumerate()
                .map(|(at, word)| if at == 0 { format!("{word} ?") } else { word.to_owned() })
                .collect::<Vec<_>>()
                .join(" "),
        })
        .collect();
    plain(lines.iter().map(String::as_str))
}

fn lines(options: &str, filter: &str) -> Vec<String> {
    let mut command = command("sockets");
    let text = output(command.args(words(options, filter)));
    plain(text.lines().skip(1))
}

/// How often both are looked at before a difference counts.
const LOOKS: usize = 50;

/// Compares what both show. Where it differs, another look is taken: sockets change by themselves.
fn compare(options: &str, filter: &str) -> usize {
    let stated = |lines: Vec<String>, theirs: &[String]| match theirs.iter().any(|line| line.contains(" ? ")) {
        true => lines
            .iter()
            .map(|line| {
                line.split(' ')
                    .enumerate()
                    .map(|(at, word)| if at == 1 { "?" } else { word })
                    .collect::<Vec<_>>()
                    .join(" ")
            })
            .collect(),
        false => lines,
    };
    let mut pairs = std::iter::repeat_with(|| {
        let theirs = lines_of_ss(options, filter);
        let mut ours = stated(lines(options, filter), &theirs);
        ours.sort();
        (theirs, ours)
    });
    let (theirs, ours) =
        pairs.by_ref().take(LOOKS).find(|(theirs, ours)| theirs == ours).or_else(|| pairs.next()).unwrap();
    let (theirs_alone, ours_alone): (Vec<_>, Vec<_>) = (
        theirs.iter().filter(|line| !ours.contains(line)).collect(),
        ours.iter().filter(|line| !theirs.contains(line)).collect(),
    );
    assert_eq!(theirs_alone, ours_alone, "{options} {filter}");
    assert_eq!(theirs.len(), ours.len(), "{options} {filter}");
    ours.len()
}

#[test]
fn sockets_are_those_of_ss() {
    const TEST: &str = "sockets_are_those_of_ss";
    let folder = Folder::new(TEST);
    inside(TEST, || {
        let scene = Scene::new(&folder.0);
        let count = compare("-tuxan", "");
        assert!(count > 350, "{count}");
        let states: BTreeSet<String> =
            lines("-tan", "").iter().map(|line| line.split(' ').nth(1).unwrap().to_owned()).collect();
        let expected = [
            "CLOSE-WAIT",
            "ESTAB",
            "FIN-WAIT-1",
            "FIN-WAIT-2",
            "LAST-ACK",
            "LISTEN",
            "SYN-RECV",
            "SYN-SENT",
            "TIME-WAIT",
        ];
        assert_eq!(states.iter().map(String::as_str).collect::<Vec<_>>(), expected);
        for options in [
            "-tun",
            "-tuln",
            "-tuxn",
            "-xan -t",
            "-tuxanmO",
            "-tuan4",
            "-tuan6",
            "-tuaneO",
            "-tuxanpO",
            "-tanimO",
            "-tanioO",
            "-0 -xan",
            "-Mtan",
            "-ua -n",
            "-ta -n",
            "-tan4 state established",
            "-tun state all exclude listening",
            "-tun state connected",
            "-tn state synchronized",
            "-tn state bucket",
            "-tn state big",
            "-tun exclude established",
            "-tn state time-wait state close-wait",
            "-un state unconnected",
        ] {
            compare(options, "");
        }
        drop(scene);
    });
}

#[test]
fn unix_sockets_in_detail() {
    const TEST: &str = "unix_sockets_in_detail";
    let folder = Folder::new(TEST);
    inside(TEST, || {
        let scene = Scene::new(&folder.0);
        for options in ["-xaneO -0", "-xanemO -0"] {
            compare(options, "");
        }
        drop(scene);
    });
}

#[test]
fn filters_choose_what_they_choose_for_ss() {
    const TEST: &str = "filters_choose_what_they_choose_for_ss";
    let folder = Folder::new(TEST);
    inside(TEST, || {
        let scene = Scene::new(&folder.0);
        let (one, two, three) = (scene.ports[0], scene.ports[3], scene.ports[12]);
        let expressions = [
            format!("sport = :{one}"),
            format!("sport = {one}"),
            format!("sport :{one}"),
            format!("dport = :{one}"),
            format!("sport != :{one}"),
            format!("dport ne :{one}"),
            format!("sport > :{one}"),
            format!("sport < :{one}"),
            format!("sport >= :{one}"),
            format!("sport le :{one}"),
            format!("dport gt :{two}"),
            format!("dport <= :{two}"),
            format!("sport = :{one} or sport = :{two}"),
            format!("sport = :{one} or dport = :{one}"),
            format!("sport = :{one} and dport > :1024"),
            format!("sport = :{one} dport > :1024"),
            format!("not sport = :{one}"),
            format!("! sport = :{one}"),
            format!("not ( sport = :{one} or dport = :{one} )"),
            format!("( sport = :{one} and dport > :1 ) or sport = :{three}"),
            format!("sport = :{one} or sport = :{two} and dport = :0"),
            format!("dport = :0 and sport = :{one} or sport = :{two}"),
            format!("not ( sport >= :{one} and not dport = :{two} )"),
            "src 127.0.0.1".to_owned(),
            "dst 127.0.0.1".to_owned(),
            "src 127.0.0.0/8".to_owned(),
            "dst 192.0.2.0/24".to_owned(),
            "src = 127.0.0.2".to_owned(),
            "not src 127.0.0.2".to_owned(),
            format!("src 127.0.0.1:{one}"),
            format!("dst 127.0.0.0/8:{one}"),
            "src [::1]".to_owned(),
            "dst [2001:db8::/32]".to_owned(),
            format!("dst [::1]:{two}"),
            "src [::]".to_owned(),
            "src 0.0.0.0".to_owned(),
            format!("src *:{one}"),
            "dst [::ffff:127.0.0.3]".to_owned(),
            "dst 127.0.0.3".to_owned(),
            "autobound".to_owned(),
            "not autobound".to_owned(),
            "dev v0".to_owned(),
            "dev != v0".to_owned(),
            "fwmark = 7".to_owned(),
            "fwmark = 0x2/0x2".to_owned(),
            "fwmark != 0".to_owned(),
            "src 127.0.0.0/8 and not ( dst 127.0.0.1 or dst 127.0.0.2 ) or dev v0".to_owned(),
            "sport = :ssh".to_owned(),
            "dst 203.0.113.0/24".to_owned(),
        ];
        assert!(expressions.len() >= 40);
        let found: Vec<usize> = expressions.iter().map(|filter| compare("-tuan", filter)).collect();
        assert!(found.iter().filter(|count| **count > 0).count() > 40, "{found:?}");
        drop(scene);
    });
}

fn rows(options: &str, filter: &str) -> Vec<Value> {
    let mut command = command("--json sockets");
    serde_json::from_str(&output(command.args(words(options, filter)))).unwrap()
}

#[test]
fn connections_in_numbers() {
    const TEST: &str = "connections_in_numbers";
    let folder = Folder::new(TEST);
    inside(TEST, || {
        let scene = Scene::new(&folder.0);
        let theirs = lines_of_ss("-tnieO", "");
        let mut compared = 0;
        let is_quiet = |row: &Value| row["recv_q"] == 0 && row["send_q"] == 0 && row["state"] == "ESTAB";
        for row in rows("-tnie", "").into_iter().filter(is_quiet) {
            let cookie = format!("sk:{:x}", row["cookie"].as_u64().unwrap());
            let line = theirs.iter().find(|line| line.split(' ').any(|word| word == cookie)).unwrap();
            let number = |label: &str| {
                let value = line.split(' ').find_map(|word| word.strip_prefix(label))?;
                value.split('/').next()?.parse::<f64>().ok()
            };
            let info = &row["tcp_info"];
            for (label, name, unit) in [
                ("rtt:", "rtt", 1000.0),
                ("mss:", "snd_mss", 1.0),
                ("pmtu:", "pmtu", 1.0),
                ("advmss:", "advmss", 1.0),
                ("cwnd:", "snd_cwnd", 1.0),
                ("bytes_acked:", "bytes_acked", 1.0),
                ("bytes_received:", "bytes_received", 1.0),
                ("segs_out:", "segs_out", 1.0),
                ("segs_in:", "segs_in", 1.0),
                ("delivered:", "delivered", 1.0),
                ("minrtt:", "min_rtt", 1000.0),
                ("snd_wnd:", "snd_wnd", 1.0),
            ] {
                if let Some(theirs) = number(label) {
                    let ours = info[name].as_f64().unwrap() / unit;
                    assert!((ours - theirs).abs() <= theirs / 1000.0, "{label} {ours}: {line}");
                    compared += 1;
                }
            }
        }
        assert!(compared > 500, "{compared}");
        drop(scene);
    });
}

#[test]
fn what_is_destroyed_is_gone() {
    const TEST: &str = "what_is_destroyed_is_gone";
    inside(TEST, || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let other = TcpStream::connect(address).unwrap();
        let filter = format!("sport = :{}", stream.local_addr().unwrap().port());
        // Without a filter nothing is closed.
        let refused = command("sockets -t --destroy").output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("expected a filter"));
        let destroyed = rows("-t --destroy", &filter);
        if destroyed.is_empty() {
            return skip(TEST, "the kernel has no CONFIG_INET_DIAG_DESTROY").unwrap_or_default();
        }
        assert_eq!(destroyed.len(), 1, "{destroyed:?}");
        let error = std::io::Read::read(&mut stream, &mut [0; 1]).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionAborted);
        assert!(lines_of_ss("-tan", &filter).is_empty());
        assert_eq!(lines("-tn state established", &format!("dport = {}", address.port())).len(), 1);
        drop(other);
    });
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (words, said) in [
        ("sockets -tz", "expected -t -u"),
        ("sockets --nonsense", "expected --all"),
        ("sockets state nowhere", "expected a state"),
        ("sockets sport", "expected =, !="),
        ("sockets -x sport = 1", "no unix sockets"),
        ("sockets -t ( sport = 1", "closing parenthesis"),
    ] {
        let output = command(words).output().unwrap();
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{words}: {err}");
        assert!(err.contains(said), "{words}: {err}");
    }
}
