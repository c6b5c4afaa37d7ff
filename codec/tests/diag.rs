//! Sockets as a kernel told them: read by views, printed, taken apart and put together again, damaged.

#![cfg(target_endian = "little")]

mod support;

use std::fmt::Write;

use ringlink_codec::diag::*;
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::SOCK_DIAG;
use ringlink_codec::route::Family;
use ringlink_codec::space;
use ringlink_codec::table::{BareStr, Bytes, Encode, Nest, Record, Shape, Space, Str};
use ringlink_codec::wire::{Payload, RawAttribute, RawAttributes, Writer};

const TCP: &str = include_str!("diag_captures/tcp.hex");
const UDP: &str = include_str!("diag_captures/udp.hex");
const MPTCP: &str = include_str!("diag_captures/mptcp.hex");
const UNIX: &str = include_str!("diag_captures/unix.hex");
const NETLINK: &str = include_str!("diag_captures/netlink.hex");
const PACKET: &str = include_str!("diag_captures/packet.hex");

const ALL: [(&str, &str); 6] =
    [("tcp", TCP), ("udp", UDP), ("mptcp", MPTCP), ("unix", UNIX), ("netlink", NETLINK), ("packet", PACKET)];

/// Checks lines one by one, so that a failure shows which.
fn expect(found: &[String], expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len(), "{}", shown(found));
}

fn shown(lines: &[String]) -> String {
    lines.iter().fold(String::new(), |text, line| text + line + "\n")
}

fn inet(capture: &str) -> Vec<String> {
    let messages = support::messages(capture);
    messages
        .iter()
        .map(|bytes| {
            let body = Message::parse(bytes).unwrap().answer(InetDiag::SOCK_DIAG_BY_FAMILY).unwrap();
            let view = SocketView::read(body).unwrap();
            let InetHeader { family, state, timer, rqueue, wqueue, id, .. } = view.header;
            let mut line =
                format!("{state} {} {} queues {rqueue} {wqueue} timer {timer}", id.local(family), id.peer(family));
            if id.if_ != 0 {
                write!(line, " dev {}", id.if_).unwrap();
            }
            if let Some(congestion) = view.congestion {
                write!(line, " {congestion}").unwrap();
            }
            if let Some(mark) = view.mark.filter(|mark| *mark != 0) {
                write!(line, " mark {mark}").unwrap();
            }
            if view.shutdown != Some(SocketShutdown::default()) {
                write!(line, " shutdown {}", view.shutdown.unwrap_or_default()).unwrap();
            }
            if let Some(v6only) = view.v6only {
                write!(line, " v6only {v6only}").unwrap();
            }
            if let Some(SocketMemory { rcvbuf, .. }) = view.memory {
                write!(line, " rcvbuf {rcvbuf}").unwrap();
            }
            line
        })
        .collect()
}

#[test]
fn captured_udp_sockets() {
    expect(
        &inet(UDP),
        "
        CLOSE 127.0.0.1:5001 0.0.0.0:0 queues 832 0 timer OFF rcvbuf 212992
        ESTABLISHED 127.0.0.1:5002 127.0.0.1:5001 queues 0 0 timer OFF rcvbuf 212992
        CLOSE 0.0.0.0:5003 0.0.0.0:0 queues 0 0 timer OFF dev 3 rcvbuf 212992
        CLOSE [::]:5004 [::]:0 queues 0 0 timer OFF v6only false rcvbuf 212992
        CLOSE 127.0.0.1:5005 0.0.0.0:0 queues 0 0 timer OFF rcvbuf 212992
        ",
    );
}

#[test]
fn captured_tcp_sockets() {
    expect(
        &inet(TCP),
        "
        LISTEN 192.0.2.1:8002 0.0.0.0:0 queues 0 3 timer OFF cubic mark 42 rcvbuf 131072
        LISTEN 127.0.0.1:8001 0.0.0.0:0 queues 0 5 timer OFF bbr rcvbuf 131072
        LISTEN 127.0.0.1:8005 0.0.0.0:0 queues 0 2 timer OFF bbr rcvbuf 131072
        LISTEN 127.0.0.1:8006 0.0.0.0:0 queues 0 3 timer OFF bbr rcvbuf 131072
        ESTABLISHED 127.0.0.1:40007 127.0.0.1:8006 queues 0 0 timer OFF bbr rcvbuf 131072
        ESTABLISHED 127.0.0.1:8006 127.0.0.1:40007 queues 0 0 timer OFF bbr rcvbuf 131072
        TIME_WAIT 127.0.0.1:8001 127.0.0.1:40003 queues 0 0 timer TIMEWAIT shutdown 0
        ESTABLISHED 127.0.0.1:40001 127.0.0.1:8001 queues 0 0 timer OFF bbr rcvbuf 131072
        FIN_WAIT2 127.0.0.1:40002 127.0.0.1:8001 queues 0 0 timer OFF bbr shutdown SEND rcvbuf 131072
        ESTABLISHED 127.0.0.1:8001 127.0.0.1:40001 queues 5 0 timer KEEPALIVE bbr rcvbuf 131072
        ESTABLISHED 127.0.0.1:40006 127.0.0.1:8004 queues 0 0 timer OFF bbr rcvbuf 131072
        CLOSE_WAIT 127.0.0.1:8001 127.0.0.1:40002 queues 1 0 timer OFF bbr shutdown RCV rcvbuf 131072
        SYN_SENT 192.0.2.1:40004 192.0.2.99:9 queues 0 1 timer ON bbr rcvbuf 131072
        LISTEN [::]:8004 [::]:0 queues 1 4 timer OFF bbr v6only false rcvbuf 131072
        LISTEN [2001:db8::1]:8003 [::]:0 queues 1 4 timer OFF bbr v6only true rcvbuf 131072
        ESTABLISHED [2001:db8::1]:8003 [2001:db8::1]:40005 queues 0 0 timer OFF bbr rcvbuf 131072
        ESTABLISHED [2001:db8::1]:40005 [2001:db8::1]:8003 queues 0 0 timer OFF bbr rcvbuf 131072
        ESTABLISHED [::ffff:127.0.0.1]:8004 [::ffff:127.0.0.1]:40006 queues 0 0 timer OFF bbr rcvbuf 131072
        ",
    );
}

#[test]
fn tcp_info_of_any_length() {
    let (mut lengths, mut keys, mut subflows) = (Vec::new(), 0, 0);
    for bytes in support::messages(TCP) {
        let body = Message::parse(&bytes).unwrap().answer(InetDiag::SOCK_DIAG_BY_FAMILY).unwrap();
        let raw = body.attributes.raw().map(Result::unwrap).find(|raw| raw.number() == InetSocket::INFO.number());
        let Some(raw) = raw else { continue };
        lengths.push(raw.payload.bytes.len());
        let info = body.attributes.get(InetSocket::INFO).unwrap().unwrap();
        assert_eq!(info.state, body.header.state.0);
        // An older kernel's is shorter, a newer one's longer.
        let older = TcpInfo::from_bytes(&raw.payload.bytes[..104]);
        assert_eq!((older.rtt, older.total_retrans, older.bytes_acked), (info.rtt, info.total_retrans, 0));
        let newer = [raw.payload.bytes, &[0xff; 40]].concat();
        assert_eq!(TcpInfo::from_bytes(&newer).snd_wnd, info.snd_wnd);
        keys += body.attributes.get(InetSocket::MD5SIG).unwrap().map_or(0, |keys| keys.len());
        if let Some(ulp) = body.attributes.get(InetSocket::ULP_INFO).unwrap() {
            assert_eq!(ulp.get(UlpInfo::NAME).unwrap(), Some(Text::new("mptcp")));
            subflows += usize::from(ulp.get(UlpInfo::MPTCP).unwrap().is_some());
        }
    }
    assert!(lengths.iter().all(|length| *length >= 232), "{lengths:?}");
    assert_eq!((keys, subflows > 0), (usize::from(TCP.contains("73656372657400")), true));
}

#[test]
fn mptcp_sockets_have_their_own_state() {
    let mut tokens = 0;
    for bytes in support::messages(MPTCP) {
        let body = Message::parse(&bytes).unwrap().answer(InetDiag::SOCK_DIAG_BY_FAMILY).unwrap();
        if let Some(info) = body.attributes.get(InetSocket::MPTCP_INFO).unwrap() {
            tokens += usize::from(info.token != 0);
        }
    }
    assert_eq!(tokens, 2);
}

#[test]
fn captured_unix_sockets() {
    let messages = support::messages(UNIX);
    let views: Vec<UnixSocketView<'_>> = messages
        .iter()
        .map(|bytes| {
            let body = Message::parse(bytes).unwrap().answer(UnixDiag::SOCK_DIAG_BY_FAMILY).unwrap();
            UnixSocketView::read(body).unwrap()
        })
        .collect();
    // Inodes count from the lowest.
    let lowest = views.iter().map(|view| view.header.ino).min().unwrap_or_default();
    let mut lines: Vec<String> = views
        .iter()
        .map(|view| {
            let UnixHeader { kind, state, ino, .. } = view.header;
            let name = view.name.unwrap_or_default().escape_ascii();
            let queues = view.queues.unwrap();
            let mut line =
                format!("{kind} {state} {} '{name}' queues {} {}", ino - lowest, queues.rqueue, queues.wqueue);
            if let Some(peer) = view.peer {
                write!(line, " peer {}", peer.saturating_sub(lowest)).unwrap();
            }
            if view.file.is_some() {
                line.push_str(" file");
            }
            if view.shutdown != Some(SocketShutdown::default()) {
                write!(line, " shutdown {}", view.shutdown.unwrap()).unwrap();
            }
            line
        })
        .collect();
    lines.sort();
    expect(
        &lines,
        r#"
        DGRAM CLOSE 5 'log.sock\x00' queues 0 0 file
        SEQPACKET ESTABLISHED 6 '' queues 0 0 peer 7
        SEQPACKET ESTABLISHED 7 '' queues 0 0 peer 6
        STREAM ESTABLISHED 1 '' queues 0 0 peer 0
        STREAM ESTABLISHED 3 '' queues 0 768 peer 4
        STREAM ESTABLISHED 4 'server.sock\x00' queues 4 0 peer 3 file
        STREAM ESTABLISHED 8 '' queues 0 0 peer 9 shutdown SEND
        STREAM ESTABLISHED 9 '' queues 0 0 peer 8 shutdown RCV
        STREAM LISTEN 0 '\x00ringlink.example' queues 1 3
        STREAM LISTEN 2 'server.sock\x00' queues 0 2 file
        "#,
    );
}

#[test]
fn captured_netlink_sockets() {
    let messages = support::messages(NETLINK);
    let lines: Vec<String> = messages
        .iter()
        .map(|bytes| {
            let body = Message::parse(bytes).unwrap().answer(NetlinkDiag::SOCK_DIAG_BY_FAMILY).unwrap();
            let view = NetlinkSocketView::read(body).unwrap();
            let NetlinkHeader { protocol, portid, kind, state, .. } = view.header;
            let groups = view.groups.and_then(|mut words| words.next()).unwrap_or_default();
            format!(
                "protocol {protocol} port {portid} {kind} {state} groups {groups:#x} {}",
                view.flags.unwrap_or_default()
            )
        })
        .filter(|line| line.contains("port 400"))
        .collect();
    expect(
        &lines,
        "
        protocol 0 port 4001 RAW CLOSE groups 0x15 0
        protocol 0 port 4001 RAW CLOSE groups 0x15 0
        protocol 15 port 4002 RAW CLOSE groups 0x1 0
        protocol 15 port 4002 RAW CLOSE groups 0x1 0
        protocol 16 port 4003 DGRAM CLOSE groups 0x0 0
        ",
    );
}

#[test]
fn captured_packet_sockets() {
    let messages = support::messages(PACKET);
    let lines: Vec<String> = messages
        .iter()
        .map(|bytes| {
            let body = Message::parse(bytes).unwrap().answer(PacketDiag::SOCK_DIAG_BY_FAMILY).unwrap();
            let view = PacketSocketView::read(body).unwrap();
            let info = view.info.unwrap();
            let mut line =
                format!("{} protocol {} dev {} {}", view.header.kind, view.header.num, info.index, info.flags);
            if let Some(fanout) = view.fanout {
                write!(line, " fanout {fanout}").unwrap();
            }
            if let Some(ring) = view.receive {
                write!(line, " ring {} x {}", ring.block_nr, ring.block_size).unwrap();
            }
            for instruction in view.filter.into_iter().flatten() {
                write!(line, " bpf {:#x} {:#x}", instruction.code, instruction.k).unwrap();
            }
            for membership in body.attributes.get(PacketSocket::MCLIST).unwrap().into_iter().flatten() {
                write!(line, " membership {} {:02x?}", membership.kind, &membership.addr[..6]).unwrap();
            }
            line
        })
        .collect();
    expect(
        &lines,
        "
        RAW protocol 3 dev 3 RUNNING fanout 7
        DGRAM protocol 2054 dev 0 RUNNING bpf 0x6 0x40000 membership 0 [01, 00, 5e, 00, 00, 01]
        RAW protocol 3 dev 0 RUNNING ring 2 x 4096
        ",
    );
}

#[test]
fn requests_and_answers_are_told_apart() {
    let mut buffer = Buffer::<128>::new();
    let header = UnixRequestHeader { sdiag_family: Family::UNIX, show: UnixShow::PEER, ..Default::default() };
    let bytes = buffer.message(UnixDiag::SOCK_DIAG_BY_FAMILY.with(Flags::DUMP), header, |_| {}).unwrap();
    let tree = Message::parse(bytes).unwrap().tree(&SOCK_DIAG).to_string();
    assert!(tree.contains("  show: PEER\n"), "{tree}");
    let tree = Message::parse(&support::messages(UNIX)[0]).unwrap().tree(&SOCK_DIAG).to_string();
    assert!(tree.contains("  kind: ") && tree.contains("UNIX_DIAG_RQLEN: {rqueue: "), "{tree}");

    let header =
        InetRequestHeader { sdiag_family: Family::INET6, sdiag_protocol: IpProtocol::TCP, ..Default::default() };
    let bytes = buffer.message(InetDiag::SOCK_DESTROY, header, |_| {}).unwrap();
    let json = Message::parse(bytes).unwrap().json(&SOCK_DIAG).to_string();
    assert!(json.starts_with(r#"{"message":"SOCK_DESTROY","type":21,"#), "{json}");
}

#[test]
fn keys_of_signatures_are_not_printed() {
    let with_keys = support::messages(TCP).into_iter().filter(|bytes| {
        let body = Message::parse(bytes).unwrap().answer(InetDiag::SOCK_DIAG_BY_FAMILY).unwrap();
        let keys = body.attributes.get(InetSocket::MD5SIG).unwrap();
        keys.into_iter()
            .flatten()
            .any(|key| key.key.expose().starts_with(b"secret") && !format!("{key:?}").contains("115"))
    });
    let mut count = 0;
    for bytes in with_keys {
        let message = Message::parse(&bytes).unwrap();
        for text in [message.tree(&SOCK_DIAG).to_string(), message.json(&SOCK_DIAG).to_string()] {
            assert!(text.contains("INET_DIAG_MD5SIG") && !text.contains("736563726574"), "{text}");
        }
        count += 1;
    }
    assert_eq!(count, 1);
}

space! {
    /// A space for keys whose numbers come from tables.
    pub Any, "" {}
}

/// Writes again what stands in a run of attributes, by what their rows say.
fn again(space: &'static Space, run: RawAttributes<'_>, to: &mut AttributeWriter<'_, '_, Any>) {
    for raw in run {
        let raw = raw.unwrap();
        let row = space.row(raw.number()).unwrap_or_else(|| panic!("{}: no row {}", space.name, raw.number()));
        put(row.shape, raw, to);
    }
}

fn put(shape: Shape, raw: RawAttribute<'_>, to: &mut AttributeWriter<'_, '_, Any>) {
    let (number, bytes) = (raw.number(), raw.payload.bytes);
    match shape {
        Shape::Unsigned(1) => to.put(Key::<Any, u8>::new(number), read::<u8>(raw.payload)),
        Shape::Unsigned(2) => to.put(Key::<Any, u16>::new(number), read::<u16>(raw.payload)),
        Shape::Unsigned(4) => to.put(Key::<Any, u32>::new(number), read::<u32>(raw.payload)),
        Shape::Unsigned(_) => to.put(Key::<Any, u64>::new(number), read::<u64>(raw.payload)),
        Shape::Named(_, base) => put(*base, raw, to),
        Shape::Text if bytes.ends_with(&[0]) => to.put(Key::<Any, Str>::new(number), read::<Str>(raw.payload)),
        Shape::Text => to.put(Key::<Any, BareStr>::new(number), read::<BareStr>(raw.payload)),
        Shape::Pad => to.put(Key::<Any, Bytes>::new(number), bytes),
        Shape::Bytes => to.put(Key::<Any, Bytes>::new(number), read::<Bytes>(raw.payload)),
        Shape::Record(layout) => to.put(Key::<Any, Bytes>::new(number), record(layout.name, bytes).as_slice()),
        Shape::Packed(Shape::Record(layout), size) => {
            let items = bytes.chunks(usize::from(size)).flat_map(|item| record(layout.name, item));
            to.put(Key::<Any, Bytes>::new(number), items.collect::<Vec<u8>>().as_slice());
        }
        Shape::Packed(Shape::Unsigned(4), _) => to.put(Key::<Any, Bytes>::new(number), bytes),
        Shape::Nest(inner) => to.nest(Key::<Any, Nest<Any>>::new(number), |to| {
            again(inner(), RawAttributes::new(bytes, raw.payload.offset), to);
        }),
        other => panic!("{other:?}"),
    }
}

fn read<V: Value>(payload: Payload<'_>) -> V::Read<'_> {
    V::decode(payload).unwrap_or_else(|_| panic!("{payload:?}"))
}

/// Reads a struct of any length and writes it. What an older kernel does not have is not written.
fn record(name: &str, bytes: &[u8]) -> Vec<u8> {
    fn again<R: Record + Encode<R>>(bytes: &[u8]) -> Vec<u8> {
        let mut buffer = vec![0; size_of::<R>()];
        let mut writer = Writer::new(&mut buffer);
        R::from_bytes(bytes).encode(&mut writer);
        let mut written = writer.finish().unwrap().to_vec();
        written.truncate(bytes.len());
        written
    }
    match name {
        "" => again::<SocketMemory>(bytes),
        "inet_diag_meminfo" => again::<InetMemory>(bytes),
        "inet_diag_sockopt" => again::<InetSocketOptions>(bytes),
        "tcp_info" => again::<TcpInfo>(bytes),
        "tcp_bbr_info" => again::<BbrInfo>(bytes),
        "tcpvegas_info" => again::<VegasInfo>(bytes),
        "tcp_dctcp_info" => again::<DctcpInfo>(bytes),
        "tcp_diag_md5sig" => again::<TcpMd5Key>(bytes),
        "unix_diag_vfs" => again::<UnixFile>(bytes),
        "unix_diag_rqlen" => again::<UnixQueues>(bytes),
        "packet_diag_info" => again::<PacketInfo>(bytes),
        "packet_diag_mclist" => again::<PacketMembership>(bytes),
        "packet_diag_ring" => again::<PacketRing>(bytes),
        "sock_filter" => again::<BpfInstruction>(bytes),
        other => panic!("{other}"),
    }
}

#[test]
fn captures_go_there_and_back() {
    for (name, capture) in ALL {
        for sample in support::messages(capture) {
            let message = Message::parse(&sample).unwrap();
            let row = SOCK_DIAG.row(message, Default::default()).unwrap();
            let mut buffer = vec![0; sample.len() + 64];
            let mut writer = Writer::new(&mut buffer);
            writer.bytes(&sample[..16 + row.header.size]);
            again((row.space)(), message.raw_attributes(row.header.size), &mut AttributeWriter::new(&mut writer));
            // The kernel leaves away the flag that says that an attribute is a nest.
            let mut back = writer.finish().unwrap().to_vec();
            for at in nests((row.space)(), message.raw_attributes(row.header.size)) {
                back[at] &= 0x7f;
            }
            assert_eq!(back, sample, "{name}: {}", message.tree(&SOCK_DIAG));
        }
    }
}

/// Places of the upper bytes of nests' types, where they carry no flag.
fn nests(space: &'static Space, run: RawAttributes<'_>) -> Vec<usize> {
    let mut places = Vec::new();
    for raw in run.map(Result::unwrap) {
        if let Some(Shape::Nest(inner)) = space.row(raw.number()).map(|row| row.shape) {
            if raw.kind & RawAttribute::NESTED == 0 {
                places.push(usize::try_from(raw.payload.offset).unwrap() - 1);
            }
            places.extend(nests(inner(), RawAttributes::new(raw.payload.bytes, raw.payload.offset)));
        }
    }
    places
}

#[test]
fn damage_is_no_panic() {
    for (_, capture) in ALL {
        let samples = support::messages(capture);
        for sample in samples.iter().step_by(3) {
            support::every_damage(sample, |bytes| {
                let Ok(message) = Message::parse(bytes) else { return };
                let _ = SocketView::read(Body::of(message));
                let _ = UnixSocketView::read(Body::of(message));
                let _ = NetlinkSocketView::read(Body::of(message));
                let _ = PacketSocketView::read(Body::of(message));
            });
            for length in 0..sample.len() {
                if let Ok(message) = Message::parse(&sample[..length]) {
                    let _ = message.tree(&SOCK_DIAG).to_string();
                }
            }
        }
    }
}
