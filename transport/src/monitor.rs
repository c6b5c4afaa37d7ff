//! Events: what the kernel tells about changes, to whoever joined the groups.
//!
//! A [`Monitor`] has a socket of its own, which asks for nothing. Only the kernel's messages are handed out, or those of the one
//! process that is listened to ([`Config::peer`]); others are counted. Lost events are an error, [`Error::Overrun`], after
//! which the monitor goes on: what was known of the kernel's tables before then has holes.
//!
//! ```no_run
//! use ringlink::codec::route::{Group, Link, Rtm};
//! use ringlink::engine::Deadline;
//! use ringlink::{Monitor, Protocol};
//!
//! let monitor = Monitor::open(Protocol::ROUTE, &[Group::LINK.0])?;
//! loop {
//!     let notice = monitor.receive(Deadline::none())?;
//!     for message in notice.messages() {
//!         if let Ok(link) = message?.body(Rtm::NEWLINK) {
//!             println!("{:?} changed", link.attributes.get(Link::IFNAME)?);
//!         }
//!     }
//! }
//! # #[allow(unreachable_code)]
//! # Ok::<(), ringlink::Error>(())
//! ```

use std::cell::Cell;
use std::fmt;
use std::os::fd::BorrowedFd;
use std::time::Duration;

use ringlink_codec::multicast::{Multicast, UeventGroup};
use ringlink_codec::wire::Messages;

use crate::connection::Config;
use crate::engine::ring::{Ring, RingConfig};
use crate::engine::syscall::{Syscall, SyscallConfig};
use crate::engine::{self, Counters, Datagram, Deadline, Engine, Reason};
use crate::error::Error;
use crate::socket::{Protocol, Socket, SocketOption};

/// A socket for events. See the [module](self).
pub struct Monitor {
    engine: Box<dyn Engine>,
    /// Whose messages are handed out: a port id, 0 for the kernel's.
    peer: u32,
    foreign: Cell<u64>,
    overruns: Cell<u64>,
    /// How many system calls had been made when the drop counter was last read; `None` where the engine itself reports
    /// losses.
    counted: Cell<Option<u64>>,
    /// Whether the engine reported a loss and the socket's queue has not been empty since: until then the kernel drops what
    /// comes without another word.
    congested: Cell<bool>,
    /// Whose datagrams are handed out; is told the peer, too.
    trusted: fn(&Datagram<'_>, u32) -> bool,
}

impl fmt::Debug for Monitor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Monitor").field("engine", &self.engine).field("foreign", &self.foreign).finish()
    }
}

impl Monitor {
    /// Opens a monitor with the default configuration and joins these groups.
    ///
    /// # Errors
    ///
    /// As [`with`](Monitor::with).
    pub fn open(protocol: Protocol, groups: &[u32]) -> Result<Monitor, Error> {
        Monitor::with(protocol, &Config::default(), groups)
    }

    /// Opens a monitor of a protocol's groups, by their names.
    ///
    /// ```
    /// use ringlink::Monitor;
    /// use ringlink::codec::multicast::NetfilterGroup;
    ///
    /// match Monitor::subscribe(&[NetfilterGroup::CONNTRACK_NEW, NetfilterGroup::CONNTRACK_DESTROY]) {
    ///     Ok(monitor) => println!("joined {:?}", monitor.socket().memberships()?),
    ///     Err(error) => println!("{error}"),
    /// }
    /// # Ok::<(), ringlink::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`with`](Monitor::with).
    pub fn subscribe<G: Multicast>(groups: &[G]) -> Result<Monitor, Error> {
        let numbers: Vec<u32> = groups.iter().map(|group| group.number()).collect();
        Monitor::open(Protocol(G::PROTOCOL), &numbers)
    }

    /// Opens a monitor and joins these groups. Of the configuration, the engine, the socket's options and whose events they
    /// are ([`Config::peer`]) count.
    ///
    /// [`EngineChoice::Auto`](crate::EngineChoice::Auto) takes a ring where there is one to be had, for events come without end.
    /// On a ring the socket does not report losses by itself ([`SocketOptions::no_enobufs`](crate::SocketOptions::no_enobufs)), which would end its
    /// receive each time: its drop counter is read after every wait instead.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::with`](crate::Connection::with), and what the system says of a group: `EPERM` where it may
    /// not be joined, `EINVAL` where the protocol has none of that number.
    pub fn with(protocol: Protocol, config: &Config, groups: &[u32]) -> Result<Monitor, Error> {
        let open = || {
            let socket = Socket::open(protocol, &config.socket)?;
            groups.iter().try_for_each(|group| socket.join(*group))?;
            Ok::<Socket, Error>(socket)
        };
        let ring = || {
            let socket = open()?;
            socket.set(SocketOption::NoEnobufs, true)?;
            Ring::new(socket, RingConfig::monitor())
        };
        let syscall = || Syscall::new(open()?, SyscallConfig::default());
        let engine = engine::prefer_ring(config.engine, ring, syscall)?;
        Ok(Monitor { peer: config.peer, ..Monitor::over(engine) })
    }

    /// A monitor over an engine of the caller's, whose socket has joined its groups: one that
    /// [records](crate::engine::record) or replays, or one of a kind of its own.
    ///
    /// Where the socket does not report losses ([`SocketOption::NoEnobufs`]), its drop counter is read after every wait.
    pub fn over(engine: Box<dyn Engine>) -> Monitor {
        let counted = engine.socket().has(SocketOption::NoEnobufs).then_some(0);
        Monitor {
            engine,
            peer: 0,
            foreign: Cell::new(0),
            overruns: Cell::new(0),
            counted: Cell::new(counted),
            congested: Cell::new(false),
            trusted: |datagram, peer| datagram.sender() == peer,
        }
    }

    /// Opens a monitor of what udev makes of the kernel's events about devices ([`codec::uevent`](crate::codec::uevent)).
    ///
    /// They come from a process, and anybody may send to this socket: only what user 0 sent to udev's group is handed out.
    /// Whoever replays a recorded session hears nothing, for a recording does not say which user sent a datagram.
    ///
    /// # Errors
    ///
    /// As [`with`](Monitor::with).
    pub fn of_udev(config: &Config) -> Result<Monitor, Error> {
        let mut config = config.clone();
        config.socket.credentials = true;
        let monitor = Monitor::with(Protocol::KOBJECT_UEVENT, &config, &[UeventGroup::UDEV.0])?;
        Ok(Monitor { trusted: is_from_udev, ..monitor })
    }

    /// Sends a message to the kernel; no answer is waited for. Some protocols tell nothing before they are asked to.
    ///
    /// # Errors
    ///
    /// What the engine says.
    pub fn send(&self, bytes: &[u8]) -> Result<(), Error> {
        self.engine.send(bytes)
    }

    /// Waits for the next datagram from the kernel, or from the process that is listened to. Several may be held at once on a
    /// ring.
    ///
    /// # Errors
    ///
    /// [`Error::Overrun`] where events were lost, [`Error::TimedOut`], and what the engine says. The monitor goes on
    /// after each of them.
    pub fn receive(&self, deadline: Deadline) -> Result<Notice<'_>, Error> {
        self.count_losses()?;
        if self.congested.get() {
            match self.receive_next(Deadline::after(Duration::ZERO)) {
                Err(error) if error.is_timed_out() => {
                    self.congested.set(false);
                    self.take_drops()?;
                }
                other => return other,
            }
        }
        self.receive_next(deadline)
    }

    fn receive_next(&self, deadline: Deadline) -> Result<Notice<'_>, Error> {
        loop {
            let datagram = self.engine.receive(deadline).inspect_err(|error| {
                if let Error::Overrun { .. } = error {
                    self.congested.set(self.counted.get().is_none());
                }
            })?;
            if (self.trusted)(&datagram, self.peer) {
                return Ok(Notice { datagram });
            }
            self.foreign.set(self.foreign.get().wrapping_add(1));
        }
    }

    /// Reads the drop counter, if the kernel was entered since that was last done: it drops only while events are queued, so
    /// there is always another wait after a loss.
    fn count_losses(&self) -> Result<(), Error> {
        let Some(counted) = self.counted.get() else { return Ok(()) };
        let calls = self.engine.counters().system_calls;
        if calls == counted {
            return Ok(());
        }
        self.counted.set(Some(calls));
        self.take_drops()
    }

    /// Reads the drop counter.
    fn take_drops(&self) -> Result<(), Error> {
        match self.engine.socket().take_drops() {
            0 => Ok(()),
            drops => {
                self.overruns.set(self.overruns.get().wrapping_add(1));
                Err(Error::Overrun { drops })
            }
        }
    }

    /// How many datagrams were refused because of who sent them.
    pub fn foreign(&self) -> u64 {
        self.foreign.get()
    }

    /// The descriptor that becomes readable when there are events: then a [`receive`](Monitor::receive) whose deadline has
    /// passed takes one after the other, and fails with [`Error::TimedOut`] when it has taken all.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        self.engine.descriptor()
    }

    /// The socket, for its groups and its drop counter.
    pub fn socket(&self) -> &Socket {
        self.engine.socket()
    }

    /// The engine, and why it is that.
    pub fn reason(&self) -> Reason {
        self.engine.reason()
    }

    /// What the engine did.
    pub fn counters(&self) -> Counters {
        let counters = self.engine.counters();
        Counters { overruns: counters.overruns.wrapping_add(self.overruns.get()), ..counters }
    }
}

/// Whether user 0 sent a datagram to udev's group.
fn is_from_udev(datagram: &Datagram<'_>, _: u32) -> bool {
    datagram.group() == UeventGroup::UDEV.0 && datagram.credentials().is_some_and(|credentials| credentials.user == 0)
}

/// A datagram of events, borrowed from the monitor.
#[derive(Debug)]
#[must_use = "events that are not looked at are lost"]
pub struct Notice<'m> {
    datagram: Datagram<'m>,
}

impl Notice<'_> {
    /// The events, in order.
    pub fn messages(&self) -> Messages<'_> {
        Messages::new(self.datagram.bytes())
    }

    /// The multicast group it was sent to.
    pub fn group(&self) -> u32 {
        self.datagram.group()
    }

    /// The multicast group it was sent to, by its name; `G` is a group of the monitor's protocol.
    pub fn group_name<G: Multicast>(&self) -> G {
        G::numbered(self.datagram.group())
    }

    /// The id of the namespace it comes from, where it is not the monitor's own; needs
    /// [`SocketOptions::listen_all_nsid`](crate::SocketOptions::listen_all_nsid).
    pub fn namespace(&self) -> Option<i32> {
        self.datagram.namespace()
    }

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        self.datagram.bytes()
    }
}
