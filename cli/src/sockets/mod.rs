//! `sockets`: shows sockets, and closes them, in the words of `ss`.

mod control_groups;
mod information;
mod processes;
mod request;

pub(crate) use request::services;

use std::collections::{HashMap, HashSet};

use ringlink::codec::Error;
use ringlink::codec::diag::{
    InetHeader, InetMessage, InetSocket, NetlinkDiagFlags, NetlinkMessage, NetlinkShow, NetlinkSocketView,
    PacketInfoFlags, PacketShow, PacketSocketView, SocketMemory, SocketShutdown, SocketState, SocketTimer, SocketType,
    SocketView, UnixMessage, UnixShow, UnixSocket, UnixSocketView, cookie_number,
};
use ringlink::codec::protocol::Protocol as Tables;
use ringlink::codec::route::Family;
use ringlink::codec::table::{Body, Format};
use ringlink::connection::Dump;
use ringlink::sockets;
use ringlink::{Connection, Protocol};

use crate::arguments::Words;
use crate::failure::Failure;
use crate::names::Names;
use crate::output::{Formatted, Hex, Kind as Shown, Output, Show, decimal};
use crate::session::{Session, warn};
use processes::Processes;
use request::{Kind, Request};

/// What `ringlink sockets help` says.
pub(crate) const HELP: &str = "\
ringlink sockets [KIND …] [-a | -l] [state STATE …] [exclude STATE …] [OPTION …] [FILTER]

KIND    tcp udp udplite mptcp raw dccp sctp unix netlink packet, inet (tcp and udp), all;
        or -t -u -M -w -d -S -x -0. Without one, all but udplite; with a filter, of those the ones over IP
STATE   established syn-sent syn-recv fin-wait-1 fin-wait-2 time-wait close-wait last-ack closing
        listening unconnected; all connected synchronized bucket big
        Without one, what is connected; -a is all, -l what listens or is not connected
OPTION  -p --processes  who has them        -i --info    the protocol's state
        -e --extended   user, inode, cookie, control group
        -o --options    timers              -m --memory  memory
        -4 -6           of one family       -O --oneline, -H --no-header
        -K --destroy    close those that the filter lets pass, and show them
FILTER  sport|dport = != < > <= >= PORT; src|dst [=|!=] ADDRESS[/BITS][:PORT]; dev NAME; fwmark MARK[/MASK];
        cgroup PATH; autobound; and or not ( ), of which `and` and `or` bind alike, from the left

Letters may stand together: ringlink sockets -tuxan. Ports are shown as numbers.
";

/// Does what the words behind `sockets` say.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let family = session.options.family();
    let request = Request::read(words, family, &mut session.connection)?;
    let diag = Connection::with(Protocol::SOCK_DIAG, session.config().clone())?;
    // What is told of the connection in the end is told of this one.
    let route = std::mem::replace(&mut session.connection, diag);
    let processes = if request.processes { Processes::read() } else { Processes::default() };
    let groups = if request.extended { control_groups::paths() } else { HashMap::new() };
    let mut listing =
        Listing { session, request, route, processes, groups, asked: HashSet::new(), scratch: Vec::new() };
    listing.header();
    listing.list()?;
    session.finish()
}

/// Sockets on their way to be shown.
struct Listing<'s> {
    session: &'s mut Session,
    request: Request,
    /// For the names of interfaces.
    route: Connection,
    processes: Processes,
    /// Paths of control groups by inode.
    groups: HashMap<u64, Box<[u8]>>,
    /// Interfaces whose names were asked for.
    asked: HashSet<u32>,
    scratch: Vec<u8>,
}

impl Listing<'_> {
    fn header(&mut self) {
        let output = &mut self.session.output;
        if output.is_json() || self.request.bare {
            return;
        }
        output.row(|row| {
            for (name, width) in [("Netid", 5), ("State", 10), ("Recv-Q", 6), ("Send-Q", 6)] {
                row.word(Column(name, width));
            }
            row.word(Column("Local Address:Port", ADDRESS));
            row.word(Column("Peer Address:Port", ADDRESS));
            row.word("Process");
        });
    }

    fn list(&mut self) -> Result<(), Failure> {
        for kind in self.request.kinds.clone() {
            let listed = match kind {
                Kind::Netlink => self.netlink(),
                Kind::Packet => self.packet(),
                Kind::Unix => self.unix(),
                kind => self.inet(kind),
            };
            match listed {
                Err(Failure::Library(error)) if error.is_not_found() || error.is_unsupported() => {
                    if self.request.named {
                        let name = kind.name();
                        return Err(Failure::Input(format!(
                            "this kernel does not tell of {name} sockets: it was built without {name}_diag, or that is a module and not loaded"
                        )));
                    }
                }
                listed => listed?,
            }
            if self.session.output.is_broken() {
                break;
            }
        }
        Ok(())
    }

    /// Sockets over IP.
    fn inet(&mut self, kind: Kind) -> Result<(), Failure> {
        let families = match self.request.family {
            Family::INET => &[Family::INET][..],
            Family::INET6 => &[Family::INET6],
            Family::UNSPEC => &[Family::INET, Family::INET6],
            _ => return Ok(()),
        };
        for family in families {
            let mut seen: Vec<InetHeader> = Vec::new();
            let Self { session, request, route, processes, groups, asked, scratch } = self;
            let query = request.query(kind, *family);
            let Session { connection, names, output, .. } = &mut **session;
            let mut rows = Inet { request, processes, groups, scratch, netid: kind.name() };
            if !request.destroy {
                each(sockets::inet(connection, &query)?, output, |output, body| {
                    ask(names, route, asked, body.header.id.if_);
                    rows.print(output, names, body)
                })?;
                continue;
            }
            // Kept, because a connection serves one request at a time.
            each(sockets::inet(connection, &query)?, output, |_, body| {
                seen.push(body.header);
                Ok(())
            })?;
            for header in seen {
                match sockets::destroy(connection, query.protocol, &header) {
                    Ok(()) => {
                        ask(names, route, asked, header.id.if_);
                        let payload = ringlink::codec::wire::Payload { bytes: &[], offset: 0 };
                        let attributes = ringlink::codec::Attributes::new(payload);
                        rows.print(output, names, Body { message: Default::default(), header, attributes })?;
                    }
                    // It went away by itself, or is of a state or protocol that the kernel does not close.
                    Err(error) if error.is_not_found() || error.is_unsupported() => {}
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    fn unix(&mut self) -> Result<(), Failure> {
        let Self { session, request, processes, .. } = self;
        let Session { connection, output, .. } = &mut **session;
        let mut show = UnixShow::NAME | UnixShow::PEER | UnixShow::RQLEN;
        if request.extended {
            show = show | UnixShow::VFS | UnixShow::UID | UnixShow::ICONS;
        }
        if request.memory {
            show = show | UnixShow::MEMINFO;
        }
        let dump = sockets::unix(connection, request.states, show)?;
        let mut name = Vec::new();
        each(dump, output, |output, body| print_unix(output, request, processes, &mut name, body))
    }

    fn netlink(&mut self) -> Result<(), Failure> {
        let Self { session, request, processes, .. } = self;
        let Session { connection, output, .. } = &mut **session;
        if !request.states.has(SocketState::CLOSE) {
            return Ok(());
        }
        let dump = sockets::netlink(connection, NetlinkShow::MEMINFO | NetlinkShow::GROUPS | NetlinkShow::FLAGS)?;
        each(dump, output, |output, body| print_netlink(output, request, processes, body))
    }

    fn packet(&mut self) -> Result<(), Failure> {
        let Self { session, request, route, processes, asked, .. } = self;
        let Session { connection, names, output, .. } = &mut **session;
        if !request.states.has(SocketState::CLOSE) {
            return Ok(());
        }
        let show = PacketShow::INFO | PacketShow::MEMINFO | PacketShow::FANOUT | PacketShow::RING_CFG;
        let dump = sockets::packet(connection, show)?;
        each(dump, output, |output, body| {
            let view = PacketSocketView::read(body)?;
            ask(names, route, asked, view.info.map_or(0, |info| info.index));
            print_packet(output, names, request, processes, &view);
            Ok(())
        })
    }
}

/// Has every answer printed. What cannot be read whole is told of, once.
fn each<A: Format>(
    mut dump: Dump<'_, A>,
    output: &mut Output,
    mut print: impl FnMut(&mut Output, Body<'_, A>) -> Result<(), Error>,
) -> Result<(), Failure> {
    let mut broken = false;
    while let Some(body) = dump.next()? {
        if let Err(error) = print(output, body)
            && !std::mem::replace(&mut broken, true)
        {
            warn(format_args!("a message could not be read whole: {error}"));
        }
        if output.is_broken() {
            return Ok(());
        }
    }
    if dump.end().truncated {
        warn(format_args!("messages were lost, some sockets are missing"));
    }
    Ok(())
}

/// Learns an interface's name. One that has none any more is shown by its index.
fn ask(names: &mut Names, route: &mut Connection, asked: &mut HashSet<u32>, index: u32) {
    if index != 0 && asked.insert(index) {
        let _ = names.ask(route, index);
    }
}

/// Bytes for an address in a row.
const ADDRESS: usize = 28;

/// A word with blanks behind it.
struct Column<T>(T, usize);

impl<T: Show> Show for Column<T> {
    const KIND: Shown = Shown::Text;

    fn show(&self, bytes: &mut Vec<u8>) {
        let start = bytes.len();
        self.0.show(bytes);
        let end = start + self.1;
        if bytes.len() < end {
            bytes.resize(end, b' ');
        }
    }
}

/// What every row begins with: which kind, which state, what waits.
fn begin(row: &mut Output, netid: &str, state: &str, receive: u32, send: u32) {
    if row.is_json() {
        row.json("netid", netid);
        row.json("state", state);
        row.json("recv_q", receive);
        row.json("send_q", send);
    } else {
        row.word(Column(netid, 5));
        row.word(Column(state, 10));
        row.word(Column(receive, 6));
        row.word(Column(send, 6));
    }
}

/// A state in the words of `ss`.
fn state_name(SocketState(number): SocketState) -> &'static str {
    const NAMES: [&str; 14] = [
        "UNKNOWN",
        "ESTAB",
        "SYN-SENT",
        "SYN-RECV",
        "FIN-WAIT-1",
        "FIN-WAIT-2",
        "TIME-WAIT",
        "UNCONN",
        "CLOSE-WAIT",
        "LAST-ACK",
        "LISTEN",
        "CLOSING",
        "SYN-RECV",
        "BOUND",
    ];
    NAMES.get(usize::from(number)).copied().unwrap_or("UNKNOWN")
}

fn print_processes(row: &mut Output, request: &Request, processes: &Processes, inode: u32) {
    let found = processes.of(inode);
    if !request.processes || found.is_empty() {
        return;
    }
    if row.is_json() {
        return row.list("processes", |list| {
            for found in found {
                list.entry(|entry| {
                    entry.json("name", &*found.name);
                    entry.json("pid", found.process);
                    entry.json("fd", found.descriptor);
                });
            }
        });
    }
    row.word("users:(");
    for (place, found) in found.iter().enumerate() {
        let comma = if place > 0 { "," } else { "" };
        row.glue(Formatted(format_args!("{comma}(\"{}\",pid={},fd={})", found.name, found.process, found.descriptor)));
    }
    row.glue(")");
}

fn print_memory(row: &mut Output, request: &Request, memory: Option<SocketMemory>) {
    let Some(memory) = memory.filter(|_| request.memory) else { return };
    let SocketMemory { rmem_alloc, rcvbuf, wmem_alloc, sndbuf, fwd_alloc, wmem_queued, optmem, backlog, drops } =
        memory;
    if row.is_json() {
        return row.object("memory", |row| {
            for (name, value) in [
                ("rmem_alloc", rmem_alloc),
                ("rcvbuf", rcvbuf),
                ("wmem_alloc", wmem_alloc),
                ("sndbuf", sndbuf),
                ("fwd_alloc", fwd_alloc),
                ("wmem_queued", wmem_queued),
                ("optmem", optmem),
                ("backlog", backlog),
                ("drops", drops),
            ] {
                row.json(name, value);
            }
        });
    }
    row.word(Formatted(format_args!(
        "skmem:(r{rmem_alloc},rb{rcvbuf},t{wmem_alloc},tb{sndbuf},f{fwd_alloc},w{wmem_queued},o{optmem},bl{backlog},d{drops})"
    )));
}

fn print_shutdown(row: &mut Output, shutdown: Option<SocketShutdown>) {
    let Some(shutdown) = shutdown else { return };
    let (receives, sends) = (!shutdown.contains(SocketShutdown::RCV), !shutdown.contains(SocketShutdown::SEND));
    row.json("receives", receives);
    row.json("sends", sends);
    row.word(match (receives, sends) {
        (true, true) => "<->",
        (true, false) => "<--",
        (false, true) => "-->",
        (false, false) => "---",
    });
}

/// Within a row of sockets with several lines: goes to the next, unless one line was asked for.
fn next_line(row: &mut Output, request: &Request) {
    if !request.one_line {
        row.line("\t ");
    }
}

/// How sockets over IP are printed.
struct Inet<'r> {
    request: &'r Request,
    processes: &'r Processes,
    groups: &'r HashMap<u64, Box<[u8]>>,
    scratch: &'r mut Vec<u8>,
    netid: &'static str,
}

impl Inet<'_> {
    fn print(&mut self, output: &mut Output, names: &Names, body: Body<'_, InetMessage>) -> Result<(), Error> {
        let view = SocketView::read(body)?;
        let InetHeader { family, state, id, rqueue, wqueue, uid, inode, .. } = view.header;
        let v6only = view.v6only.unwrap_or(false);
        output.row(|row| {
            begin(row, self.netid, state_name(state), rqueue, wqueue);
            self.address(row, names, ["local_address", "local_port"], id.local(family), id.if_, v6only);
            if id.if_ != 0 {
                row.json("dev", names.interface(id.if_));
            }
            self.address(row, names, ["peer_address", "peer_port"], id.peer(family), 0, v6only);
            print_processes(row, self.request, self.processes, inode);
            if self.request.timers {
                information::timer(row, &view.header);
            }
            if row.is_json() || self.request.extended {
                self.extended(row, &view, uid, inode);
            }
            if self.request.memory || self.request.info {
                next_line(row, self.request);
                print_memory(row, self.request, view.memory);
            }
            match self.request.info {
                true => information::print(row, self.netid, self.request.timers, &view, body),
                false => Ok(()),
            }
        })
    }

    fn address(
        &mut self,
        row: &mut Output,
        names: &Names,
        keys: [&'static str; 2],
        address: std::net::SocketAddr,
        device: u32,
        v6only: bool,
    ) {
        let (ip, port) = (address.ip(), address.port());
        if row.is_json() {
            row.json(keys[0], ip);
            row.json(keys[1], port);
            return;
        }
        self.scratch.clear();
        match ip {
            std::net::IpAddr::V4(_) => ip.show(self.scratch),
            // For both families.
            std::net::IpAddr::V6(any) if any.is_unspecified() && !v6only => self.scratch.push(b'*'),
            std::net::IpAddr::V6(_) => {
                self.scratch.push(b'[');
                ip.show(self.scratch);
                self.scratch.push(b']');
            }
        }
        if device != 0 {
            self.scratch.push(b'%');
            names.interface(device).show(self.scratch);
        }
        self.scratch.push(b':');
        match port {
            0 => self.scratch.push(b'*'),
            port => decimal(self.scratch, port.into()),
        }
        row.word(Column(self.scratch.as_slice(), ADDRESS));
    }

    /// User, inode, cookie and what else `ss -e` shows.
    fn extended(&self, row: &mut Output, view: &SocketView<'_>, uid: u32, inode: u32) {
        let cookie = cookie_number(view.header.id.cookie);
        if row.is_json() {
            row.json("uid", uid);
            row.json("inode", inode);
            row.json("cookie", cookie);
        } else {
            if uid != 0 {
                row.word(Formatted(format_args!("uid:{uid}")));
            }
            row.word(Formatted(format_args!("ino:{inode} sk:{cookie:x}")));
        }
        if let Some(mark) = view.mark.filter(|mark| *mark != 0) {
            row.json("mark", Hex(mark.into()));
            row.word(Formatted(format_args!("fwmark:{mark:#x}")));
        }
        if let Some(inode) = view.cgroup.filter(|_| self.request.extended) {
            match self.groups.get(&inode) {
                Some(path) => {
                    row.json("cgroup", &**path);
                    row.word("cgroup:");
                    row.glue(&**path);
                }
                None => {
                    row.json("cgroup_id", inode);
                    row.word(Formatted(format_args!("cgroup:unreachable:{inode:x}")));
                }
            }
        }
        if let Some(v6only) = view.v6only {
            row.json("v6only", v6only);
            row.word(Formatted(format_args!("v6only:{}", u8::from(v6only))));
        }
        print_shutdown(row, view.shutdown.filter(|_| self.request.extended));
    }
}

/// An AF_UNIX socket. Its address is its name and its inode, that of its peer only the inode.
fn print_unix(
    output: &mut Output,
    request: &Request,
    processes: &Processes,
    name: &mut Vec<u8>,
    body: Body<'_, UnixMessage>,
) -> Result<(), Error> {
    let view = UnixSocketView::read(body)?;
    let header = view.header;
    let waiting = if request.extended { body.attributes.get(UnixSocket::ICONS)? } else { None };
    let queues = view.queues.unwrap_or_default();
    let netid = match header.kind {
        SocketType::STREAM => "u_str",
        SocketType::DGRAM => "u_dgr",
        SocketType::SEQPACKET => "u_seq",
        _ => "u_???",
    };
    // A name that is no path begins with a NUL, for which `@` stands, as for others in it. A path may end with one.
    name.clear();
    match view.name.unwrap_or_default() {
        [0, ..] => name.extend(view.name.unwrap_or_default().iter().map(|byte| if *byte == 0 { b'@' } else { *byte })),
        path => name.extend(path.iter().take_while(|byte| **byte != 0)),
    }
    output.row(|row| {
        begin(row, netid, state_name(header.state), queues.rqueue, queues.wqueue);
        let peer = view.peer.unwrap_or(0);
        if row.is_json() {
            if !name.is_empty() {
                row.json("local_address", name.as_slice());
            }
            row.json("inode", header.ino);
            row.json("peer_inode", peer);
        } else {
            let shown = if name.is_empty() { b"*" } else { name.as_slice() };
            row.word(Column(shown, ADDRESS.saturating_sub(11)));
            row.word(Column(header.ino, 10));
            row.word(Column("*", ADDRESS - 11));
            row.word(Column(peer, 10));
        }
        print_processes(row, request, processes, header.ino);
        if request.memory {
            next_line(row, request);
            print_memory(row, request, view.memory);
        }
        if request.extended {
            row.json("cookie", cookie_number(header.cookie));
            if let Some(uid) = view.uid {
                row.json("uid", uid);
                if uid != 0 {
                    row.word(Formatted(format_args!("uid:{uid}")));
                }
            }
            print_shutdown(row, view.shutdown);
            if let Some(file) = view.file {
                let (major, minor) = (file.dev >> 20, file.dev & 0xf_ffff);
                row.json("file_inode", file.ino);
                row.json("file_device", Formatted(format_args!("{major}:{minor}")));
                row.word(Formatted(format_args!("ino:{} dev:{major}/{minor}", file.ino)));
            }
            if let Some(waiting) = waiting.filter(|waiting| !waiting.is_empty()) {
                row.word("peers:");
                row.list("waiting", |list| waiting.for_each(|inode| list.item(inode)));
            }
        }
    });
    Ok(())
}

fn print_netlink(
    output: &mut Output,
    request: &Request,
    processes: &Processes,
    body: Body<'_, NetlinkMessage>,
) -> Result<(), Error> {
    let view = NetlinkSocketView::read(body)?;
    let header = view.header;
    let memory = view.memory.unwrap_or_default();
    output.row(|row| {
        // The kernel calls a socket connected that has an address to send to; `ss` shows that by the peer.
        begin(row, "nl", "UNCONN", memory.rmem_alloc, memory.wmem_alloc);
        let is_connected = header.state == SocketState::ESTABLISHED;
        let groups = view.groups.and_then(|mut words| words.next()).unwrap_or(0);
        let running = view.flags.unwrap_or_default().contains(NetlinkDiagFlags::CB_RUNNING);
        if row.is_json() {
            row.json("protocol", header.protocol);
            if let Some(protocol) = Tables::numbered(header.protocol) {
                row.json("protocol_name", protocol.name);
            }
            row.json("portid", header.portid);
            if is_connected {
                row.json("peer_portid", header.dst_portid);
                row.json("peer_group", header.dst_group);
            }
            row.json("inode", header.ino);
            row.json("groups", Hex(groups.into()));
            row.json("dumping", running);
        } else {
            let local = format!("{}:{}", header.protocol, header.portid);
            let peer = match is_connected {
                true => format!("{}:{}", header.dst_group, header.dst_portid),
                false => "*".to_owned(),
            };
            row.word(Column(local.as_str(), ADDRESS));
            row.word(Column(peer.as_str(), ADDRESS));
        }
        print_processes(row, request, processes, header.ino);
        if request.extended {
            let (cookie, running) = (cookie_number(header.cookie), u8::from(running));
            row.word(Formatted(format_args!("sk={cookie:x} cb={running} groups={groups:#010x}")));
        }
        if request.memory {
            next_line(row, request);
            print_memory(row, request, view.memory);
        }
    });
    Ok(())
}

fn print_packet(
    output: &mut Output,
    names: &Names,
    request: &Request,
    processes: &Processes,
    view: &PacketSocketView<'_>,
) {
    let header = view.header;
    let (info, memory) = (view.info.unwrap_or_default(), view.memory.unwrap_or_default());
    output.row(|row| {
        let netid = if header.kind == SocketType::RAW { "p_raw" } else { "p_dgr" };
        begin(row, netid, "UNCONN", memory.rmem_alloc, memory.wmem_alloc);
        if row.is_json() {
            row.json("protocol", header.num);
            if info.index != 0 {
                row.json("dev", names.interface(info.index));
            }
            row.json("inode", header.ino);
        } else {
            let mut local = Vec::new();
            match header.num {
                // `ETH_P_ALL`
                3 => local.push(b'*'),
                number => local.extend(format!("[{number}]").as_bytes()),
            }
            local.push(b':');
            match info.index {
                0 => local.push(b'*'),
                index => names.interface(index).show(&mut local),
            }
            row.word(Column(local.as_slice(), ADDRESS));
            row.word(Column("*", ADDRESS));
        }
        print_processes(row, request, processes, header.ino);
        if request.extended {
            let (uid, cookie) = (view.uid.unwrap_or(0), cookie_number(header.cookie));
            row.json("uid", uid);
            row.json("cookie", cookie);
            if uid != 0 {
                row.word(Formatted(format_args!("uid:{uid}")));
            }
            row.word(Formatted(format_args!("ino:{} sk:{cookie:x}", header.ino)));
            next_line(row, request);
            print_packet_details(row, view, info.version, info.copy_thresh, info.flags);
        }
        print_memory(row, request, view.memory);
    });
}

fn print_packet_details(
    row: &mut Output,
    view: &PacketSocketView<'_>,
    version: u32,
    threshold: u32,
    flags: PacketInfoFlags,
) {
    row.json("version", version);
    row.json("copy_threshold", threshold);
    row.word(Formatted(format_args!("ver:{version} cpy_thresh:{threshold}")));
    row.word("flags(");
    row.list("flags", |list| {
        for (flag, name) in [
            (PacketInfoFlags::RUNNING, "running"),
            (PacketInfoFlags::AUXDATA, "auxdata"),
            (PacketInfoFlags::ORIGDEV, "origdev"),
            (PacketInfoFlags::VNETHDR, "vnethdr"),
            (PacketInfoFlags::LOSS, "loss"),
        ] {
            if flags.contains(flag) {
                list.item(name);
            }
        }
    });
    row.word(")");
    if let Some(fanout) = view.fanout {
        row.json("fanout", fanout);
        row.word(Formatted(format_args!("fanout({fanout:#x})")));
    }
    for (key, label, ring) in [("rx_ring", "ring_rx(", view.receive), ("tx_ring", "ring_tx(", view.send)] {
        let Some(ring) = ring else { continue };
        row.word(label);
        row.object(key, |row| {
            for (name, value) in [
                ("block_size", ring.block_size),
                ("block_nr", ring.block_nr),
                ("frame_size", ring.frame_size),
                ("frame_nr", ring.frame_nr),
                ("tmo", ring.retire_tmo),
                ("features", ring.features),
            ] {
                row.json(name, value);
                row.word(Formatted(format_args!("{name}:{value}")));
            }
        });
        row.word(")");
    }
}

/// Whether a timer is worth a word.
fn runs(header: &InetHeader) -> bool {
    header.timer != SocketTimer::OFF
}

/// A payload's bytes as they came, for structs of any length.
fn payload(body: Body<'_, InetMessage>, number: u16) -> Option<&[u8]> {
    body.attributes.raw().map_while(Result::ok).find(|raw| raw.number() == number).map(|raw| raw.payload.bytes)
}

/// The number of the attribute that holds the protocol's state.
const INFO: u16 = InetSocket::INFO.number();
