//! Sockets of the live kernel, in network namespaces of their own.

mod kernel;

use std::io::{ErrorKind, Read};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::unix::net::UnixDatagram;

use kernel::{absent, ip, isolated};
use ringlink::codec::diag::filter::{NoNames, compile};
use ringlink::codec::diag::{
    InetExtensions, InetHeader, InetSocket, IpProtocol, NetlinkShow, PacketShow, SocketState, SocketStates, SocketView,
    UnixShow, UnixSocketView, XdpShow,
};
use ringlink::codec::multicast::SocketGroup;
use ringlink::codec::route::Family;
use ringlink::engine::Deadline;
use ringlink::sockets::{InetQuery, destroy, inet, netlink, packet, unix, xdp};
use ringlink::{Connection, Monitor, Protocol};

fn headers(connection: &mut Connection, query: &InetQuery<'_>) -> Vec<InetHeader> {
    let mut headers = Vec::new();
    let mut dump = inet(connection, query).expect("asked");
    while let Some(socket) = dump.next().expect("told") {
        headers.push(SocketView::read(socket).expect("readable").header);
    }
    assert!(dump.end().is_complete());
    headers
}

#[test]
fn every_kind_is_told() {
    isolated("every_kind_is_told", || {
        ip("link set lo up");
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let port = listener.local_addr().expect("bound").port();
        let stream = TcpStream::connect(("127.0.0.1", port)).expect("connected");
        let udp = UdpSocket::bind("[::1]:0").expect("bound");
        let named = UnixDatagram::unbound().expect("made");
        let mut connection = Connection::open(Protocol::SOCK_DIAG).expect("opened");

        let tcp = headers(&mut connection, &InetQuery::new(Family::INET, IpProtocol::TCP));
        let told = |address: std::net::SocketAddr, state| {
            tcp.iter().filter(|tcp| tcp.id.local(Family::INET) == address && tcp.state == state).count()
        };
        assert_eq!(told(listener.local_addr().expect("bound"), SocketState::LISTEN), 1);
        assert_eq!(told(stream.local_addr().expect("bound"), SocketState::ESTABLISHED), 1);
        assert_eq!(tcp.len(), 3);

        let listening = InetQuery { states: SocketStates::LISTEN, ..InetQuery::new(Family::INET, IpProtocol::TCP) };
        assert_eq!(headers(&mut connection, &listening).len(), 1);
        let mut buffer = [0; 64];
        let filter = compile(&format!("dport = {port}"), &NoNames, &mut buffer).expect("an expression");
        let filtered = InetQuery { filter, ..InetQuery::new(Family::INET, IpProtocol::TCP) };
        assert_eq!(headers(&mut connection, &filtered).len(), 1);

        let informed = InetQuery { extensions: InetExtensions::INFO, states: SocketStates::ESTABLISHED, ..filtered };
        let mut dump = inet(&mut connection, &informed).expect("asked");
        let info = dump.next().expect("told").expect("one").attributes.get(InetSocket::INFO).expect("readable");
        assert!(info.is_some_and(|info| info.snd_mss > 0 && info.pmtu > 0));
        drop(dump);

        let six = headers(&mut connection, &InetQuery::new(Family::INET6, IpProtocol::UDP));
        assert_eq!(
            six.iter().map(|udp| udp.id.local(Family::INET6)).collect::<Vec<_>>(),
            [udp.local_addr().expect("bound")]
        );

        let mut sockets = 0;
        let mut dump = unix(&mut connection, SocketStates::ALL, UnixShow::NAME | UnixShow::RQLEN).expect("asked");
        while let Some(socket) = dump.next().expect("told") {
            assert!(UnixSocketView::read(socket).expect("readable").queues.is_some());
            sockets += 1;
        }
        assert!(sockets >= 1);
        drop((dump, named));

        let mut own = 0;
        let mut dump = netlink(&mut connection, NetlinkShow::GROUPS).expect("asked");
        while let Some(socket) = dump.next().expect("told") {
            own += usize::from(socket.header.protocol == Protocol::SOCK_DIAG.0 && socket.header.portid != 0);
        }
        assert_eq!(own, 1);
        drop(dump);
        let mut dump = packet(&mut connection, PacketShow::INFO).expect("asked");
        assert!(dump.next().expect("told").is_none());
        drop(dump);

        // Kinds that not every kernel has.
        for told in [
            xdp(&mut connection, XdpShow::INFO).and_then(|mut dump| dump.next().map(drop)),
            inet(&mut connection, &InetQuery::mptcp(Family::INET)).and_then(|mut dump| dump.next().map(drop)),
            inet(&mut connection, &InetQuery::new(Family::INET, IpProtocol::DCCP))
                .and_then(|mut dump| dump.next().map(drop)),
        ] {
            assert!(told.as_ref().err().is_none_or(ringlink::Error::is_not_found), "{told:?}");
        }
    });
}

#[test]
fn a_destroyed_socket_is_gone() {
    isolated("a_destroyed_socket_is_gone", || {
        ip("link set lo up");
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let mut stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
        let address = stream.local_addr().expect("bound");
        let monitor = Monitor::subscribe(&[SocketGroup::INET_TCP_DESTROY]).expect("joined");
        let mut connection = Connection::open(Protocol::SOCK_DIAG).expect("opened");
        let query = InetQuery::new(Family::INET, IpProtocol::TCP);
        let all = headers(&mut connection, &query);
        let ours = *all.iter().find(|socket| socket.id.local(Family::INET) == address).expect("told");
        match destroy(&mut connection, query.protocol, &ours) {
            Err(error) if error.is_unsupported() => {
                return absent("a_destroyed_socket_is_gone", "the kernel has no CONFIG_INET_DIAG_DESTROY");
            }
            done => done.expect("destroyed"),
        }
        let error = stream.read(&mut [0; 1]).expect_err("aborted");
        assert_eq!(error.kind(), ErrorKind::ConnectionAborted);
        let left = headers(&mut connection, &query);
        assert!(!left.iter().any(|socket| socket.id.local(Family::INET) == address), "{left:?}");
        let again = destroy(&mut connection, query.protocol, &ours).expect_err("gone");
        assert!(again.is_not_found(), "{again}");

        // Those who listen for it are told when the socket is no process's any more.
        drop(stream);
        let notice = monitor.receive(Deadline::after(std::time::Duration::from_secs(20))).expect("told");
        let told: Vec<_> = notice
            .messages()
            .map(|message| message.expect("whole").answer(ringlink::codec::diag::InetDiag::SOCK_DIAG_BY_FAMILY))
            .map(|body| SocketView::read(body.expect("a socket")).expect("readable").header.id.local(Family::INET))
            .collect();
        assert_eq!(told.len(), 1);
    });
}
