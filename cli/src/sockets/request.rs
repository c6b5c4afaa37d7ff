//! What is asked for: kinds, states and a filter, in the words and the letters of `ss`.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;

use ringlink::Connection;
use ringlink::codec::diag::filter::{Names, compile};
use ringlink::codec::diag::{InetExtensions, IpProtocol, MPTCP_PROTOCOL, SocketStates};
use ringlink::codec::route::{Family, Link, LinkHeader, Rtm};
use ringlink::sockets::InetQuery;

use crate::arguments::Words;
use crate::failure::Failure;

/// A kind of sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Netlink,
    Packet,
    Unix,
    Raw,
    Udp,
    UdpLite,
    Tcp,
    Dccp,
    Sctp,
    Mptcp,
}

/// What is connected, or on its way to be.
const CONNECTED: SocketStates = SocketStates(
    SocketStates::ALL.0
        & !(SocketStates::LISTEN.0 | SocketStates::CLOSE.0 | SocketStates::TIME_WAIT.0 | SocketStates::SYN_RECV.0),
);

/// Kinds in the order in which they are shown: their word, their letter, the states that are shown if none are asked for.
const KINDS: [(Kind, &str, Option<char>, SocketStates); 10] = [
    (Kind::Netlink, "netlink", None, SocketStates::CLOSE),
    (Kind::Packet, "packet", Some('0'), SocketStates::CLOSE),
    (Kind::Unix, "unix", Some('x'), CONNECTED),
    (Kind::Raw, "raw", Some('w'), SocketStates::ESTABLISHED),
    (Kind::Udp, "udp", Some('u'), SocketStates::ESTABLISHED),
    (Kind::UdpLite, "udplite", None, SocketStates::ESTABLISHED),
    (Kind::Tcp, "tcp", Some('t'), CONNECTED),
    (Kind::Dccp, "dccp", Some('d'), CONNECTED),
    (Kind::Sctp, "sctp", Some('S'), CONNECTED),
    (Kind::Mptcp, "mptcp", Some('M'), CONNECTED),
];

impl Kind {
    /// Its word.
    pub(super) fn name(self) -> &'static str {
        KINDS.iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, ..)| name)
    }

    /// Whether the kernel filters them.
    pub(super) fn is_inet(self) -> bool {
        !matches!(self, Self::Netlink | Self::Packet | Self::Unix)
    }
}

/// What is asked for.
#[allow(clippy::struct_excessive_bools, reason = "options are independent of each other")]
#[derive(Debug, Default)]
pub(super) struct Request {
    /// Kinds, in the order in which they are shown.
    pub(super) kinds: Vec<Kind>,
    /// Whether they were asked for by name.
    pub(super) named: bool,
    /// Address families; `UNSPEC` for both.
    pub(super) family: Family,
    /// States.
    pub(super) states: SocketStates,
    /// The filter's program, empty for none.
    pub(super) filter: Vec<u8>,
    /// Users, inodes, cookies, control groups.
    pub(super) extended: bool,
    /// Timers.
    pub(super) timers: bool,
    /// Memory.
    pub(super) memory: bool,
    /// State of the protocol.
    pub(super) info: bool,
    /// Processes.
    pub(super) processes: bool,
    /// One line a socket.
    pub(super) one_line: bool,
    /// No line of column names.
    pub(super) bare: bool,
    /// Close them.
    pub(super) destroy: bool,
}

/// States that are asked for.
#[derive(Default)]
struct States {
    /// By `-a` and `-l`.
    letters: Option<SocketStates>,
    /// By `state` and `exclude`, which count more.
    words: Option<SocketStates>,
}

/// Bytes of the longest filter.
const FILTER: usize = 16 * 1024;

impl Request {
    /// Reads the words behind `sockets`.
    pub(super) fn read(words: &mut Words<'_>, family: Family, route: &mut Connection) -> Result<Self, Failure> {
        let mut request = Self { family, ..Self::default() };
        let mut kinds: Vec<Kind> = Vec::new();
        let mut states = States::default();
        let mut filter = String::new();
        while let Some(word) = words.next() {
            if filter.is_empty() && request.option(word, &mut kinds, &mut states, words)? {
                continue;
            }
            filter.extend([word, " "]);
        }
        request.named = !kinds.is_empty();
        let wanted = |kind: Kind| match request.named {
            true => kinds.contains(&kind),
            false => kind != Kind::UdpLite && (filter.is_empty() || kind.is_inet()),
        };
        let chosen = || KINDS.iter().filter(|(kind, ..)| wanted(*kind));
        request.states = states.words.or(states.letters).unwrap_or_else(|| match request.named {
            true => chosen().fold(SocketStates(0), |all, (.., states)| all | *states),
            false => CONNECTED,
        });
        request.kinds = chosen().map(|(kind, ..)| *kind).collect();
        if let Some(kind) = request.kinds.iter().find(|kind| !filter.is_empty() && !kind.is_inet()) {
            return Err(Failure::Usage(format!(
                "`{}`: the kernel filters tcp, udp and their kin, and no {} sockets",
                filter.trim_end(),
                kind.name()
            )));
        }
        if request.destroy && filter.is_empty() {
            return Err(Failure::Usage("--destroy: expected a filter (`sport >= 0` is all)".to_owned()));
        }
        let mut buffer = vec![0; FILTER];
        let program = compile(&filter, &FilterNames::new(route), &mut buffer)
            .map_err(|error| Failure::Usage(format!("`{}`: {error}", filter.trim_end())))?;
        request.filter = program.to_vec();
        Ok(request)
    }

    /// What the kernel is asked about a kind over IP.
    pub(super) fn query(&self, kind: Kind, family: Family) -> InetQuery<'_> {
        let Request { info, memory, extended, states, filter, .. } = self;
        let mut extensions = InetExtensions::default();
        if *info {
            extensions = extensions | InetExtensions::INFO | InetExtensions::VEGASINFO | InetExtensions::CONG;
        }
        if *memory {
            extensions = extensions | InetExtensions::SKMEMINFO;
        }
        if *extended {
            extensions = extensions | InetExtensions::SHUTDOWN | InetExtensions::TOS | InetExtensions::TCLASS;
        }
        let protocol = match kind {
            Kind::Raw => IpProtocol::RAW,
            Kind::Udp => IpProtocol::UDP,
            Kind::UdpLite => IpProtocol::UDPLITE,
            Kind::Dccp => IpProtocol::DCCP,
            Kind::Sctp => IpProtocol::SCTP,
            _ => IpProtocol::TCP,
        };
        let protocol = if kind == Kind::Mptcp { MPTCP_PROTOCOL } else { protocol.0.into() };
        InetQuery { family, protocol, states: *states, extensions, filter }
    }

    /// Takes a word that is no part of the filter.
    fn option(
        &mut self,
        word: &str,
        kinds: &mut Vec<Kind>,
        states: &mut States,
        words: &mut Words<'_>,
    ) -> Result<bool, Failure> {
        const EXPECTED: &str = "a state (established, listening, time-wait, connected, all …)";
        if let Some(name) = word.strip_prefix("--") {
            return self.long_option(name, kinds, states);
        }
        if let Some(letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) {
            for letter in letters.chars() {
                if !self.letter(letter, kinds, states) {
                    return Err(words.refuse("-t -u -x -w -0 -d -S -M -a -l -4 -6 -e -o -m -i -p -n -H -O or -K"));
                }
            }
            return Ok(true);
        }
        match word {
            "state" => states.words = Some(states.words.unwrap_or_default() | words.parse(EXPECTED, state)?),
            "exclude" | "excl" => {
                let not = words.parse(EXPECTED, state)?;
                states.words = Some(SocketStates(states.words.unwrap_or(SocketStates::ALL).0 & !not.0));
            }
            "inet" => kinds.extend([Kind::Tcp, Kind::Udp]),
            "all" => kinds.extend(KINDS.iter().map(|(kind, ..)| *kind)),
            word => match KINDS.iter().find(|(_, name, ..)| *name == word) {
                Some((kind, ..)) => kinds.push(*kind),
                None => return Ok(false),
            },
        }
        Ok(true)
    }

    fn letter(&mut self, letter: char, kinds: &mut Vec<Kind>, states: &mut States) -> bool {
        match letter {
            'a' => states.letters = Some(SocketStates::ALL),
            'l' => states.letters = Some(SocketStates::LISTEN | SocketStates::CLOSE),
            '4' => self.family = Family::INET,
            '6' => self.family = Family::INET6,
            'e' => self.extended = true,
            'o' => self.timers = true,
            'm' => self.memory = true,
            'i' => self.info = true,
            'p' => self.processes = true,
            'O' => self.one_line = true,
            'H' => self.bare = true,
            'K' => self.destroy = true,
            // Ports are never named.
            'n' => {}
            letter => match KINDS.iter().find(|(_, _, own, _)| *own == Some(letter)) {
                Some((kind, ..)) => kinds.push(*kind),
                None => return false,
            },
        }
        true
    }

    fn long_option(&mut self, name: &str, kinds: &mut Vec<Kind>, states: &mut States) -> Result<bool, Failure> {
        const OPTIONS: [(&str, char); 11] = [
            ("all", 'a'),
            ("listening", 'l'),
            ("extended", 'e'),
            ("options", 'o'),
            ("memory", 'm'),
            ("info", 'i'),
            ("processes", 'p'),
            ("oneline", 'O'),
            ("no-header", 'H'),
            ("destroy", 'K'),
            ("numeric", 'n'),
        ];
        match (OPTIONS.iter().find(|(option, _)| *option == name), KINDS.iter().find(|(_, kind, ..)| *kind == name)) {
            (Some((_, letter)), _) => Ok(self.letter(*letter, kinds, states)),
            (None, Some((kind, ..))) => {
                kinds.push(*kind);
                Ok(true)
            }
            (None, None) if name == "kill" => {
                self.destroy = true;
                Ok(true)
            }
            (None, None) => {
                let names = OPTIONS.map(|(option, _)| format!("--{option}")).join(" ");
                Err(Failure::Usage(format!("`--{name}`: expected {names}, or a kind of sockets")))
            }
        }
    }
}

/// States by the names that `ss` has for them.
fn state(word: &str) -> Option<SocketStates> {
    Some(match word {
        "established" => SocketStates::ESTABLISHED,
        "syn-sent" => SocketStates::SYN_SENT,
        "syn-recv" => SocketStates::SYN_RECV,
        "fin-wait-1" => SocketStates::FIN_WAIT1,
        "fin-wait-2" => SocketStates::FIN_WAIT2,
        "time-wait" => SocketStates::TIME_WAIT,
        "unconnected" | "closed" | "close" => SocketStates::CLOSE,
        "close-wait" => SocketStates::CLOSE_WAIT,
        "last-ack" => SocketStates::LAST_ACK,
        "listening" | "listen" => SocketStates::LISTEN,
        "closing" => SocketStates::CLOSING,
        "bound-inactive" => SocketStates::BOUND_INACTIVE,
        "all" => SocketStates::ALL,
        "connected" => SocketStates(SocketStates::ALL.0 & !(SocketStates::CLOSE.0 | SocketStates::LISTEN.0)),
        "synchronized" => SocketStates(
            SocketStates::ALL.0 & !(SocketStates::CLOSE.0 | SocketStates::LISTEN.0 | SocketStates::SYN_SENT.0),
        ),
        "bucket" => SocketStates::SYN_RECV | SocketStates::TIME_WAIT,
        "big" => SocketStates(SocketStates::ALL.0 & !(SocketStates::SYN_RECV.0 | SocketStates::TIME_WAIT.0)),
        _ => return None,
    })
}

/// What names in filters mean on this machine.
struct FilterNames<'c> {
    route: std::cell::RefCell<&'c mut Connection>,
    services: std::cell::OnceCell<HashMap<String, u16>>,
}

impl<'c> FilterNames<'c> {
    fn new(route: &'c mut Connection) -> Self {
        Self { route: std::cell::RefCell::new(route), services: std::cell::OnceCell::new() }
    }
}

impl Names for FilterNames<'_> {
    fn interface(&self, name: &str) -> Option<u32> {
        let mut route = self.route.try_borrow_mut().ok()?;
        let reply = route.get(Rtm::GETLINK, LinkHeader::default(), |link| link.put(Link::IFNAME, name)).ok()?;
        u32::try_from(reply.body().header.index).ok()
    }

    fn port(&self, name: &str) -> Option<u16> {
        self.services.get_or_init(services).get(name).copied()
    }

    fn control_group(&self, path: &str) -> Option<u64> {
        let under = super::control_groups::mount().map(|mount| mount.join(path.trim_start_matches('/')));
        let found = under.and_then(|path| fs::metadata(path).ok()).or_else(|| fs::metadata(path).ok());
        found.filter(fs::Metadata::is_dir).map(|group| group.ino())
    }
}

/// The ports in /etc/services, by name and other names. The first of several counts.
pub(crate) fn services() -> HashMap<String, u16> {
    let mut services = HashMap::new();
    let text = fs::read_to_string("/etc/services").unwrap_or_default();
    for line in text.lines() {
        let mut words = line.split('#').next().unwrap_or_default().split_whitespace();
        let name = words.next();
        let port = words.next().and_then(|port| port.split('/').next()?.parse().ok());
        if let (Some(name), Some(port)) = (name, port) {
            for name in std::iter::once(name).chain(words) {
                services.entry(name.to_owned()).or_insert(port);
            }
        }
    }
    services
}
