//! One netlink socket: its protocol, options, groups and namespace (netlink(7)).
//!
//! A [`Socket`] is open, bound and configured, or it does not exist. Options that this kernel does not know are skipped
//! and remembered, never guessed from a version: [`Socket::has`] tells what is in force. Moving bytes is the work of an
//! [`engine`](crate::engine), which takes the socket over.
//!
//! Requests, dumps and monitors each want a socket of their own. A request socket is
//! [connected to the kernel](Socket::connect_to_kernel), so that nobody else can send to it; a monitor
//! [joins groups](Socket::join) and looks at each datagram's sender.
//!
//! ```
//! use ringlink::socket::{Protocol, Socket, SocketOption, SocketOptions};
//!
//! let requests = Socket::open(Protocol::ROUTE, &SocketOptions::default())?;
//! requests.connect_to_kernel()?;
//! assert!(requests.is_connected() && requests.has(SocketOption::ExtAck));
//!
//! let monitor = Socket::open(Protocol::ROUTE, &SocketOptions { no_enobufs: true, ..SocketOptions::default() })?;
//! monitor.join(1)?; // RTNLGRP_LINK
//! monitor.join(33)?; // RTNLGRP_BRVLAN: beyond the 32 that bind(2) can name
//! assert_eq!(monitor.memberships()?, [1, 33]);
//! # Ok::<(), ringlink::error::Error>(())
//! ```

use std::fmt;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};

use crate::error::Error;
use crate::namespace::{self, Namespace};
use crate::sys;

/// A netlink protocol: the third argument of `socket(2)` (include/uapi/linux/netlink.h). Numbers without a constant are
/// as good as those with one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Protocol(pub u8);

/// Names a protocol twice, once for the compiler and once for people.
macro_rules! protocols {
    ($($(#[$doc:meta])* $name:ident = $number:literal $(, gone: $successor:literal)?;)*) => {
        impl Protocol {
            $($(#[$doc])* pub const $name: Protocol = Protocol($number);)*

            /// The kernel's name without `NETLINK_`, if this library knows one.
            pub const fn name(self) -> Option<&'static str> {
                match self.0 {
                    $($number => Some(stringify!($name)),)*
                    _ => None,
                }
            }

            /// For a protocol that left the kernel: what does its work now.
            pub const fn successor(self) -> Option<&'static str> {
                match self.0 {
                    $($($number => Some($successor),)?)*
                    _ => None,
                }
            }
        }
    };
}

protocols! {
    /// Links, addresses, routes, neighbours, rules, traffic control (rtnetlink(7)).
    ROUTE = 0;
    /// Between processes; the kernel has no part in it.
    USERSOCK = 2;
    /// Packets queued to user space by iptables; left the kernel in 3.5.
    FIREWALL = 3, gone: "NETFILTER with NFNL_SUBSYS_QUEUE (nfqueue)";
    /// What sockets there are (sock_diag(7)).
    SOCK_DIAG = 4;
    /// Packets logged by iptables' ULOG; left the kernel in 3.17.
    NFLOG = 5, gone: "NETFILTER with NFNL_SUBSYS_ULOG (nflog)";
    /// IPsec policies and states.
    XFRM = 6;
    /// SELinux's events.
    SELINUX = 7;
    /// iSCSI initiators.
    ISCSI = 8;
    /// The audit subsystem.
    AUDIT = 9;
    /// Looking up one address in a routing table.
    FIB_LOOKUP = 10;
    /// The connector: process events and others.
    CONNECTOR = 11;
    /// nf_tables, connection tracking, queues, logs, ipset.
    NETFILTER = 12;
    /// Packets queued to user space by ip6tables; left the kernel in 3.5.
    IP6_FW = 13, gone: "NETFILTER with NFNL_SUBSYS_QUEUE (nfqueue)";
    /// Routing messages of DECnet; left the kernel in 6.1.
    DNRTMSG = 14, gone: "nothing: DECnet itself was removed";
    /// Devices that come and go: what udev listens to.
    KOBJECT_UEVENT = 15;
    /// The families that register by name (genetlink).
    GENERIC = 16;
    /// Events of SCSI transports.
    SCSITRANSPORT = 18;
    /// Keys for eCryptfs; left the kernel in 2.6.39.
    ECRYPTFS = 19, gone: "the device /dev/ecryptfs";
    /// InfiniBand and RDMA.
    RDMA = 20;
    /// The kernel's cryptographic algorithms.
    CRYPTO = 21;
    /// Shared-memory communications (smc_diag).
    SMC = 22;
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.name() {
            Some(name) => write!(f, "{name} ({})", self.0),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Protocol({self})")
    }
}

/// How a socket is opened. The defaults suit both requests and monitors.
#[derive(Clone, Debug)]
pub struct SocketOptions {
    /// Ask for texts, offsets and policies with errors ([`SocketOption::ExtAck`]). Default: true.
    pub ext_ack: bool,
    /// Do not echo the request in an acknowledgement ([`SocketOption::CapAck`]). Default: true.
    pub cap_ack: bool,
    /// Have dump requests checked and their filters obeyed ([`SocketOption::StrictCheck`]). Default: true.
    pub strict_check: bool,
    /// Do not report lost messages ([`SocketOption::NoEnobufs`]). Default: false.
    pub no_enobufs: bool,
    /// Hear the events of all namespaces that have an id here ([`SocketOption::ListenAllNsid`]). Default: false.
    pub listen_all_nsid: bool,
    /// Tell the group of each datagram, also above 32 ([`SocketOption::PacketInfo`]). Default: true.
    pub pktinfo: bool,
    /// Report multicasts that failed ([`SocketOption::BroadcastError`]). Default: false.
    pub broadcast_error: bool,
    /// Tell of each datagram which process and user sent it (`SO_PASSCRED`, unix(7)). Default: false.
    pub credentials: bool,
    /// The receive buffer to ask for, in bytes of the kernel's own accounting ([`Socket::set_receive_buffer`]).
    /// Default: the kernel's, `net.core.rmem_default` (212,992: 256 unread acknowledgements).
    pub receive_buffer: Option<usize>,
    /// The send buffer to ask for, in bytes ([`Socket::set_send_buffer`]). Default: the kernel's,
    /// `net.core.wmem_default`; a datagram may have 32 bytes less.
    pub send_buffer: Option<usize>,
    /// The namespace to open the socket in. Default: the calling thread's.
    pub namespace: Option<Namespace>,
    /// The port id to bind to, for a socket that others are to find ([`server`](crate::server)). Default: 0, one of the kernel's
    /// choice.
    pub port: u32,
}

impl Default for SocketOptions {
    fn default() -> SocketOptions {
        SocketOptions {
            ext_ack: true,
            cap_ack: true,
            strict_check: true,
            no_enobufs: false,
            listen_all_nsid: false,
            pktinfo: true,
            broadcast_error: false,
            credentials: false,
            receive_buffer: None,
            send_buffer: None,
            namespace: None,
            port: 0,
        }
    }
}

impl SocketOptions {
    /// The options that are to be switched on.
    fn wanted(&self) -> impl Iterator<Item = SocketOption> {
        let wanted = |option: &SocketOption| match option {
            SocketOption::ExtAck => self.ext_ack,
            SocketOption::CapAck => self.cap_ack,
            SocketOption::StrictCheck => self.strict_check,
            SocketOption::NoEnobufs => self.no_enobufs,
            SocketOption::ListenAllNsid => self.listen_all_nsid,
            SocketOption::PacketInfo => self.pktinfo,
            SocketOption::BroadcastError => self.broadcast_error,
        };
        SocketOption::ALL.into_iter().filter(wanted)
    }

    /// Their numbers, of level `SOL_NETLINK`.
    pub(crate) fn numbers(&self) -> Vec<u32> {
        self.wanted().map(|option| option.number().unsigned_abs()).collect()
    }
}

/// An option of a netlink socket that is on or off (netlink(7), "Socket options").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SocketOption {
    /// `NETLINK_EXT_ACK` (Linux 4.12): errors and warnings carry a text, an offset, a policy.
    ExtAck,
    /// `NETLINK_CAP_ACK` (4.3): an acknowledgement holds only the header of the request it answers.
    CapAck,
    /// `NETLINK_GET_STRICT_CHK` (4.20): dump requests are validated, and filter in the kernel.
    StrictCheck,
    /// `NETLINK_NO_ENOBUFS` (2.6.30): lost messages are counted ([`Socket::drops`]) but not reported as errors.
    NoEnobufs,
    /// `NETLINK_LISTEN_ALL_NSID` (4.2): events of every namespace with an id in this one. Needs `CAP_NET_BROADCAST`.
    ListenAllNsid,
    /// `NETLINK_PKTINFO` (2.6.14): each datagram carries its multicast group's number.
    PacketInfo,
    /// `NETLINK_BROADCAST_ERROR` (2.6.30): a multicast that did not reach this socket is an error for its sender.
    BroadcastError,
}

impl SocketOption {
    /// Every option, in the order of its bit.
    const ALL: [SocketOption; 7] = [
        SocketOption::ExtAck,
        SocketOption::CapAck,
        SocketOption::StrictCheck,
        SocketOption::NoEnobufs,
        SocketOption::ListenAllNsid,
        SocketOption::PacketInfo,
        SocketOption::BroadcastError,
    ];

    const fn number(self) -> i32 {
        match self {
            SocketOption::ExtAck => libc::NETLINK_EXT_ACK,
            SocketOption::CapAck => libc::NETLINK_CAP_ACK,
            SocketOption::StrictCheck => libc::NETLINK_GET_STRICT_CHK,
            SocketOption::NoEnobufs => libc::NETLINK_NO_ENOBUFS,
            SocketOption::ListenAllNsid => libc::NETLINK_LISTEN_ALL_NSID,
            SocketOption::PacketInfo => libc::NETLINK_PKTINFO,
            SocketOption::BroadcastError => libc::NETLINK_BROADCAST_ERROR,
        }
    }

    const fn bit(self) -> u16 {
        1 << self as u16
    }
}

/// One instruction of a classic BPF program, `struct sock_filter` (include/uapi/linux/filter.h).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(C)]
pub struct Instruction {
    /// Operation code.
    pub code: u16,
    /// Instructions to skip when a comparison holds.
    pub jump_true: u8,
    /// Instructions to skip when it does not.
    pub jump_false: u8,
    /// The operand.
    pub k: u32,
}

/// A netlink socket, open, bound and configured.
#[derive(Debug)]
pub struct Socket {
    descriptor: OwnedFd,
    protocol: Protocol,
    port: u32,
    /// The bits of the options in force, and [`CONNECTED`].
    state: AtomicU16,
    /// The port id that it is connected to; 0 is the kernel's, and stands where it is not connected.
    peer: AtomicU32,
    /// The drop counter as it was when a loss was last reported.
    drops_reported: AtomicU32,
    /// The receive buffer's size that a stand-in says: that of the socket it stands in for.
    recorded_buffer: Option<usize>,
}

/// The bit of [`Socket::state`] above all options.
const CONNECTED: u16 = 1 << 15;

impl Socket {
    /// Opens a socket, sets its options and binds it; the kernel chooses the port id, unless
    /// [`SocketOptions::port`] names one.
    ///
    /// With [`SocketOptions::namespace`] a short-lived thread does it there; the caller stays where it is.
    ///
    /// # Errors
    ///
    /// [`Error::NoProtocol`] when this kernel does not have the protocol, [`Error::Namespace`] when the namespace may not
    /// be entered, otherwise [`Error::System`]: `EADDRINUSE` where the port id is taken. An option that the kernel does not know is no error: see [`Socket::has`].
    pub fn open(protocol: Protocol, options: &SocketOptions) -> Result<Socket, Error> {
        match &options.namespace {
            Some(namespace) => namespace.run(|| Socket::open_here(protocol, options)),
            None => Socket::open_here(protocol, options),
        }
    }

    /// Opens a socket in each of these namespaces, as [`open`](Socket::open) does, in one short-lived thread for all of them.
    pub fn open_in_each(
        protocol: Protocol,
        options: &SocketOptions,
        namespaces: &[Namespace],
    ) -> Result<Vec<Result<Socket, Error>>, Error> {
        namespace::run_in_each(namespaces, || Socket::open_here(protocol, options))
    }

    fn open_here(protocol: Protocol, options: &SocketOptions) -> Result<Socket, Error> {
        let descriptor = sys::open(protocol.0).map_err(|error| match error.raw_os_error() {
            Some(libc::EPROTONOSUPPORT) => Error::NoProtocol { protocol },
            _ => Error::from_io("socket", &error),
        })?;
        let port = sys::bind(descriptor.as_fd(), options.port)?;
        let socket = Socket::of(descriptor, protocol, port);
        for option in options.wanted() {
            socket.set(option, true)?;
        }
        socket.finish(options)?;
        Ok(socket)
    }

    fn of(descriptor: OwnedFd, protocol: Protocol, port: u32) -> Socket {
        Socket {
            descriptor,
            protocol,
            port,
            state: AtomicU16::new(0),
            peer: AtomicU32::new(0),
            drops_reported: AtomicU32::new(0),
            recorded_buffer: None,
        }
    }

    /// Sets what is no option of netlink's.
    fn finish(&self, options: &SocketOptions) -> Result<(), Error> {
        if options.credentials {
            sys::set_socket_option(self.as_fd(), libc::SO_PASSCRED, 1)?;
        }
        if let Some(bytes) = options.receive_buffer {
            self.set_receive_buffer(bytes)?;
        }
        if let Some(bytes) = options.send_buffer {
            self.set_send_buffer(bytes)?;
        }
        Ok(())
    }

    /// A socket that was opened elsewhere: not bound where there is no port, and with what became of each of its
    /// [options](SocketOptions::numbers), 0 or a negative error number. What was not done is done here.
    pub(crate) fn opened(
        descriptor: OwnedFd,
        protocol: Protocol,
        port: Option<u32>,
        options: &SocketOptions,
        results: &[i32],
    ) -> Result<Socket, Error> {
        let port = port.map_or_else(|| sys::bind(descriptor.as_fd(), 0), Ok)?;
        let socket = Socket::of(descriptor, protocol, port);
        for (option, result) in options.wanted().zip(results) {
            match -result {
                0 => drop(socket.state.fetch_or(option.bit(), Ordering::Relaxed)),
                libc::ENOPROTOOPT => {}
                _ => drop(socket.set(option, true)?),
            }
        }
        socket.finish(options)?;
        Ok(socket)
    }

    /// What stands in for the socket of a recorded session: no socket at all, though it knows the session's protocol, port id
    /// and receive buffer, which stays as it is, and to whom it was connected; its send buffer takes anything. Its options are `ENOTSOCK`; who waits for it to be readable does not wait.
    pub(crate) fn stand_in(protocol: Protocol, port: u32, peer: Option<u32>, buffer: usize) -> Result<Socket, Error> {
        // A pipe whose other end is closed: it takes no rights, and poll(2) says at once that it may be read.
        let (reader, _) = std::io::pipe().map_err(|error| Error::from_io("pipe", &error))?;
        Ok(Socket {
            descriptor: reader.into(),
            protocol,
            port,
            state: AtomicU16::new(peer.map_or(0, |_| CONNECTED)),
            peer: AtomicU32::new(peer.unwrap_or(0)),
            drops_reported: AtomicU32::new(0),
            recorded_buffer: Some(buffer),
        })
    }

    /// The protocol it was opened for.
    pub fn protocol(&self) -> Protocol {
        self.protocol
    }

    /// The port id the kernel bound it to; never 0. It is what others would send to, and what replies carry in
    /// `nlmsg_pid`.
    pub fn port(&self) -> u32 {
        self.port
    }

    /// Connects the socket to the kernel (port 0): from now on the kernel refuses unicast from anybody else
    /// (`ECONNREFUSED` on their side), so that no answer can be forged. Multicast is not held back, so a connected socket
    /// should join no group: engines do not ask who sent what it receives.
    pub fn connect_to_kernel(&self) -> Result<(), Error> {
        self.connect_to(0)
    }

    /// Connects the socket to that of a process, by its port id; 0 is the kernel's. The kernel refuses unicast from anybody
    /// else, as with [`connect_to_kernel`](Socket::connect_to_kernel).
    ///
    /// Whether there is such a socket shows when something is sent (`ECONNREFUSED`). A port id says nothing of who has it:
    /// any process may bind to one that is free.
    pub fn connect_to(&self, port: u32) -> Result<(), Error> {
        sys::connect(self.as_fd(), port)?;
        self.peer.store(port, Ordering::Relaxed);
        self.state.fetch_or(CONNECTED, Ordering::Relaxed);
        Ok(())
    }

    /// The port id that the socket is connected to, 0 for the kernel's; 0 too where it is not connected.
    pub fn peer(&self) -> u32 {
        self.peer.load(Ordering::Relaxed)
    }

    /// Whether it was connected, to the kernel or to a process.
    pub fn is_connected(&self) -> bool {
        self.state.load(Ordering::Relaxed) & CONNECTED != 0
    }

    /// Whether an option is in force: it was asked for, and the kernel took it.
    pub fn has(&self, option: SocketOption) -> bool {
        self.state.load(Ordering::Relaxed) & option.bit() != 0
    }

    /// Switches an option. Returns whether the kernel knows it (`ENOPROTOOPT` is `false`, not an error).
    pub fn set(&self, option: SocketOption, on: bool) -> Result<bool, Error> {
        match sys::set_netlink_option(self.as_fd(), option.number(), u32::from(on)) {
            Ok(()) => {
                if on {
                    self.state.fetch_or(option.bit(), Ordering::Relaxed);
                } else {
                    self.state.fetch_and(!option.bit(), Ordering::Relaxed);
                }
                Ok(true)
            }
            Err(error) if error.errno() == Some(libc::ENOPROTOOPT) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Joins a multicast group by number, of any size. `EPERM` when the group is for the privileged, `EINVAL` when there
    /// is no such group. Joining twice is joining once.
    pub fn join(&self, group: u32) -> Result<(), Error> {
        sys::set_netlink_option(self.as_fd(), libc::NETLINK_ADD_MEMBERSHIP, group)
    }

    /// Leaves a multicast group. What was queued before is still received.
    pub fn leave(&self, group: u32) -> Result<(), Error> {
        sys::set_netlink_option(self.as_fd(), libc::NETLINK_DROP_MEMBERSHIP, group)
    }

    /// The groups joined, ascending (`NETLINK_LIST_MEMBERSHIPS`, Linux 4.2).
    pub fn memberships(&self) -> Result<Vec<u32>, Error> {
        // 2,048 groups are more than any protocol has; the kernel says how many bytes there would have been.
        let mut words = [0u32; 64];
        let length = sys::memberships(self.as_fd(), &mut words)?;
        let mut groups = Vec::new();
        for (word, bits) in (0u32..).zip(words.iter().take(length.div_ceil(4))) {
            groups.extend((0..32).filter(|bit| bits & (1 << bit) != 0).map(|bit| word * 32 + bit + 1));
        }
        Ok(groups)
    }

    /// Has the kernel run a classic BPF program on every datagram before it is queued; the program's result is the
    /// length to keep, 0 drops it (`SO_ATTACH_FILTER`, socket(7)). At most 4,096 instructions. A datagram dropped by a
    /// filter is not a loss and is not counted.
    pub fn attach_filter(&self, program: &[Instruction]) -> Result<(), Error> {
        sys::attach_filter(self.as_fd(), program)
    }

    /// Takes the filter away; `ENOENT` when there is none.
    pub fn detach_filter(&self) -> Result<(), Error> {
        sys::set_socket_option(self.as_fd(), libc::SO_DETACH_FILTER, 0)
    }

    /// How many messages the kernel has dropped because the receive buffer was full, since the socket was opened; wraps
    /// (`SO_MEMINFO`, Linux 4.12).
    pub fn drops(&self) -> Result<u32, Error> {
        sys::drops(self.as_fd())
    }

    /// The receive buffer's size in bytes, as the kernel accounts it: each message costs its memory, not its length.
    pub fn receive_buffer(&self) -> Result<usize, Error> {
        if let Some(bytes) = self.recorded_buffer {
            return Ok(bytes);
        }
        sys::socket_option(self.as_fd(), libc::SO_RCVBUF).map(|bytes| usize::try_from(bytes).unwrap_or(0))
    }

    /// The send buffer's size in bytes.
    pub fn send_buffer(&self) -> Result<usize, Error> {
        if self.recorded_buffer.is_some() {
            return Ok(usize::MAX);
        }
        sys::socket_option(self.as_fd(), libc::SO_SNDBUF).map(|bytes| usize::try_from(bytes).unwrap_or(0))
    }

    /// Asks for a receive buffer of so many bytes and returns what the kernel made of it: it doubles the number, and
    /// without `CAP_NET_ADMIN` cuts it to `net.core.rmem_max` first (`SO_RCVBUFFORCE`, then `SO_RCVBUF`).
    pub fn set_receive_buffer(&self, bytes: usize) -> Result<usize, Error> {
        self.set_buffer(bytes, libc::SO_RCVBUFFORCE, libc::SO_RCVBUF)?;
        self.receive_buffer()
    }

    /// Asks for a send buffer of so many bytes and returns what the kernel made of it (`SO_SNDBUFFORCE`, then
    /// `SO_SNDBUF`). A datagram longer than the result less 32 is refused with `EMSGSIZE`.
    pub fn set_send_buffer(&self, bytes: usize) -> Result<usize, Error> {
        self.set_buffer(bytes, libc::SO_SNDBUFFORCE, libc::SO_SNDBUF)?;
        self.send_buffer()
    }

    fn set_buffer(&self, bytes: usize, forced: i32, plain: i32) -> Result<(), Error> {
        if self.recorded_buffer.is_some() {
            return Ok(());
        }
        // The kernel reads an int and doubles it.
        let bytes = i32::try_from(bytes).unwrap_or(i32::MAX).min(i32::MAX / 2);
        sys::set_socket_option(self.as_fd(), forced, bytes)
            .or_else(|_| sys::set_socket_option(self.as_fd(), plain, bytes))
    }

    /// A number that tells this socket's network namespace from all others since boot (`SO_NETNS_COOKIE`, Linux 5.14).
    pub fn namespace_cookie(&self) -> Result<u64, Error> {
        sys::namespace_cookie(self.as_fd())
    }

    /// How many messages were dropped since this was last asked; 0 when the counter cannot be read.
    pub(crate) fn take_drops(&self) -> u32 {
        match self.drops() {
            Ok(drops) => drops.wrapping_sub(self.drops_reported.swap(drops, Ordering::Relaxed)),
            Err(_) => 0,
        }
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.descriptor.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(protocol: Protocol) -> Result<Socket, Error> {
        Socket::open(protocol, &SocketOptions::default())
    }

    #[test]
    fn protocols_that_left_the_kernel_say_what_replaces_them() {
        for protocol in [Protocol::FIREWALL, Protocol::NFLOG, Protocol::IP6_FW, Protocol::DNRTMSG, Protocol::ECRYPTFS] {
            let error = open(protocol).map(drop).expect_err("gone");
            assert_eq!(error, Error::NoProtocol { protocol });
            assert!(error.to_string().contains("left the kernel"));
        }
        assert_eq!(open(Protocol(31)).map(drop), Err(Error::NoProtocol { protocol: Protocol(31) }));
        assert_eq!(Protocol::ROUTE.to_string(), "ROUTE (0)");
        assert_eq!(Protocol(31).to_string(), "31");
    }

    #[test]
    fn options_are_set_and_remembered() {
        let socket = open(Protocol::ROUTE).expect("a socket");
        assert!(socket.port() != 0 && !socket.is_connected());
        assert!(socket.has(SocketOption::ExtAck) && socket.has(SocketOption::StrictCheck));
        assert!(!socket.has(SocketOption::NoEnobufs));
        assert_eq!(socket.set(SocketOption::NoEnobufs, true), Ok(true));
        assert!(socket.has(SocketOption::NoEnobufs));
        assert_eq!(socket.set(SocketOption::NoEnobufs, false), Ok(true));
        assert!(!socket.has(SocketOption::NoEnobufs));
        for option in SocketOption::ALL {
            if socket.has(option) {
                assert_eq!(sys::netlink_option(socket.as_fd(), option.number()), Ok(1), "{option:?}");
            }
        }
        assert_eq!(socket.drops(), Ok(0));
        assert_ne!(socket.namespace_cookie(), Ok(0));
    }

    #[test]
    fn groups_of_any_number() {
        let socket = open(Protocol::ROUTE).expect("a socket");
        socket.join(1).expect("RTNLGRP_LINK");
        socket.join(34).expect("a group beyond the old bit mask");
        assert_eq!(socket.memberships(), Ok(vec![1, 34]));
        socket.leave(1).expect("left");
        assert_eq!(socket.memberships(), Ok(vec![34]));
        assert_eq!(socket.join(100_000).map_err(|error| error.errno()), Err(Some(libc::EINVAL)));
    }

    #[test]
    fn buffers_say_what_they_became() {
        let socket = open(Protocol::ROUTE).expect("a socket");
        let size = socket.set_receive_buffer(65_536).expect("a size");
        assert_eq!(size, 131_072);
        assert_eq!(socket.receive_buffer(), Ok(size));
        assert!(socket.set_send_buffer(1 << 20).expect("a size") >= socket.send_buffer().expect("the same"));
    }

    #[test]
    fn filters_come_and_go() {
        let socket = open(Protocol::ROUTE).expect("a socket");
        // BPF_RET | BPF_K: keep everything.
        let keep = Instruction { code: 6, jump_true: 0, jump_false: 0, k: u32::MAX };
        socket.attach_filter(&[keep]).expect("attached");
        socket.detach_filter().expect("detached");
        assert_eq!(socket.detach_filter().map_err(|error| error.errno()), Err(Some(libc::ENOENT)));
        assert!(socket.attach_filter(&[]).is_err());
    }
}
