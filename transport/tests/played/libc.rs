//! The C library, with the system calls of netlink sockets played.
//!
//! # Safety
//!
//! Each function wants of its pointers what the system call of its name wants.

use std::mem::size_of;
use std::os::fd::IntoRawFd;
use std::ptr;
use std::time::Duration;

pub(crate) use ::libc::*;

use super::{FOR_EVER, Played, descriptor, sockets, wait, with};

/// What `getsockopt(2)` says a buffer is.
const BUFFER: c_int = 212_992;

fn result(result: Result<usize, c_int>) -> isize {
    match result {
        Ok(value) => isize::try_from(value).expect("small"),
        Err(errno) => {
            // SAFETY: the place is the thread's own.
            unsafe { *__errno_location() = errno };
            -1
        }
    }
}

fn done(outcome: Option<Result<(), c_int>>) -> c_int {
    result(outcome.unwrap_or(Err(ENOTSOCK)).map(|()| 0)) as c_int
}

pub(crate) unsafe fn socket(family: c_int, kind: c_int, _protocol: c_int) -> c_int {
    assert_eq!((family, kind), (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC));
    let number = descriptor().into_raw_fd();
    // A descriptor that was closed is given again.
    sockets().insert(number, Played::default());
    number
}

pub(crate) unsafe fn bind(socket: c_int, name: *const sockaddr, length: socklen_t) -> c_int {
    assert_eq!(length as usize, size_of::<sockaddr_nl>());
    // SAFETY: the caller's promise.
    let address = unsafe { name.cast::<sockaddr_nl>().read_unaligned() };
    assert_eq!(i32::from(address.nl_family), AF_NETLINK);
    // Descriptors are as unique as port ids.
    let port = if address.nl_pid == 0 { 4000 + socket.unsigned_abs() } else { address.nl_pid };
    done(with(socket, |played| played.port = port).map(Ok))
}

pub(crate) unsafe fn getsockname(socket: c_int, name: *mut sockaddr, length: *mut socklen_t) -> c_int {
    let Some(port) = with(socket, |played| played.port) else { return done(None) };
    // SAFETY: all fields are integers.
    let mut address: sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = AF_NETLINK as sa_family_t;
    address.nl_pid = port;
    // SAFETY: the caller's promise.
    unsafe {
        let room = length.read() as usize;
        let size = size_of::<sockaddr_nl>();
        ptr::copy_nonoverlapping((&raw mut address).cast::<u8>(), name.cast::<u8>(), room.min(size));
        length.write(size as socklen_t);
    }
    0
}

pub(crate) unsafe fn connect(socket: c_int, name: *const sockaddr, length: socklen_t) -> c_int {
    assert_eq!(length as usize, size_of::<sockaddr_nl>());
    // SAFETY: the caller's promise.
    let _ = unsafe { name.cast::<sockaddr_nl>().read_unaligned() };
    done(with(socket, |_| ()).map(Ok))
}

pub(crate) unsafe fn setsockopt(
    socket: c_int,
    level: c_int,
    option: c_int,
    value: *const c_void,
    length: socklen_t,
) -> c_int {
    // SAFETY: the caller's promise.
    let mut bytes = unsafe { std::slice::from_raw_parts(value.cast::<u8>(), length as usize) }.to_vec();
    if (level, option) == (SOL_SOCKET, SO_ATTACH_FILTER) {
        // SAFETY: the caller's promise: this option's value points on.
        bytes = unsafe {
            let program = value.cast::<sock_fprog>().read_unaligned();
            std::slice::from_raw_parts(program.filter.cast::<u8>(), usize::from(program.len) * size_of::<sock_filter>())
        }
        .to_vec();
    }
    let outcome = with(socket, |played| {
        let word = bytes.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes));
        match (level, option) {
            (SOL_NETLINK, NETLINK_ADD_MEMBERSHIP) => played.groups.push(word),
            (SOL_NETLINK, NETLINK_DROP_MEMBERSHIP) => played.groups.retain(|group| *group != word),
            (SOL_NETLINK, NETLINK_GET_STRICT_CHK) => return Err(ENOPROTOOPT),
            _ => drop(played.options.insert((level, option), bytes)),
        }
        Ok(())
    });
    done(outcome)
}

pub(crate) unsafe fn getsockopt(
    socket: c_int,
    level: c_int,
    option: c_int,
    value: *mut c_void,
    length: *mut socklen_t,
) -> c_int {
    let outcome = with(socket, |played| match (level, option) {
        (SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS) => {
            let mut words = [0_u32; 3];
            played.groups.iter().for_each(|group| words[(*group as usize - 1) / 32] |= 1 << ((group - 1) % 32));
            words.map(u32::to_ne_bytes).as_flattened().to_vec()
        }
        (SOL_SOCKET, SO_MEMINFO) => {
            [0, 0, 0, 0, 0, 0, 0, 0, played.drops].map(u32::to_ne_bytes).as_flattened().to_vec()
        }
        (SOL_SOCKET, SO_RCVBUF | SO_SNDBUF) => BUFFER.to_ne_bytes().to_vec(),
        _ => played.options.get(&(level, option)).cloned().unwrap_or_else(|| vec![0; 4]),
    });
    let Some(bytes) = outcome else { return done(None) };
    // SAFETY: the caller's promise.
    unsafe {
        let room = length.read() as usize;
        ptr::copy_nonoverlapping(bytes.as_ptr(), value.cast(), bytes.len().min(room));
        length.write(bytes.len() as socklen_t);
    }
    0
}

pub(crate) unsafe fn send(socket: c_int, bytes: *const c_void, length: size_t, _flags: c_int) -> ssize_t {
    // SAFETY: the caller's promise.
    let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) };
    result(with(socket, |played| played.send(bytes)).unwrap_or(Err(ENOTSOCK)).map(|()| length))
}

pub(crate) unsafe fn sendto(
    _socket: c_int,
    bytes: *const c_void,
    length: size_t,
    _flags: c_int,
    name: *const sockaddr,
    name_length: socklen_t,
) -> ssize_t {
    assert_eq!(name_length as usize, size_of::<sockaddr_nl>());
    // SAFETY: the caller's promise.
    let (bytes, address) = unsafe {
        (std::slice::from_raw_parts(bytes.cast::<u8>(), length), name.cast::<sockaddr_nl>().read_unaligned())
    };
    let mut sockets = sockets();
    let heard = |played: &Played| match address.nl_groups {
        0 => played.port == address.nl_pid,
        groups => played.groups.iter().any(|group| *group <= 32 && groups & 1 << (group - 1) != 0),
    };
    let mut listeners = sockets.values_mut().filter(|played| heard(played)).peekable();
    if listeners.peek().is_none() {
        return result(Err(ECONNREFUSED));
    }
    listeners.for_each(|played| played.queue(bytes.to_vec(), 1, address.nl_groups.trailing_zeros() % 32 + 1));
    result(Ok(length))
}

/// Takes a datagram, now or where it may wait when it has come.
fn take(socket: c_int, flags: c_int) -> Result<super::Queued, c_int> {
    let patience = if flags & MSG_DONTWAIT == 0 { FOR_EVER } else { Duration::ZERO };
    let taken = wait(patience, |sockets| match sockets.get_mut(&socket).map_or(Err(ENOTSOCK), Played::take) {
        Err(EAGAIN) => None,
        taken => Some(taken),
    });
    assert!(taken.is_some() || patience.is_zero(), "this waits for ever");
    taken.unwrap_or(Err(EAGAIN))
}

pub(crate) unsafe fn recv(socket: c_int, to: *mut c_void, room: size_t, flags: c_int) -> ssize_t {
    assert_ne!(flags & MSG_TRUNC, 0);
    result(take(socket, flags).map(|queued| {
        // SAFETY: the caller's promise.
        unsafe { ptr::copy_nonoverlapping(queued.bytes.as_ptr(), to.cast(), queued.bytes.len().min(room)) };
        queued.bytes.len()
    }))
}

/// `struct sockaddr_nl` of a sender, and the control message that names the group.
pub(super) fn origin(queued: &super::Queued) -> ([u8; size_of::<sockaddr_nl>()], Vec<u8>) {
    let groups = if (1..=32).contains(&queued.group) { 1_u32 << (queued.group - 1) } else { 0 };
    let [one, two] = (AF_NETLINK as sa_family_t).to_ne_bytes();
    let words = [[one, two, 0, 0], queued.sender.to_ne_bytes(), groups.to_ne_bytes()];
    let mut name = [0; size_of::<sockaddr_nl>()];
    name.copy_from_slice(words.as_flattened());
    let mut control = Vec::new();
    if queued.group != 0 {
        control.extend((size_of::<cmsghdr>() + 4).to_ne_bytes());
        control.extend(SOL_NETLINK.to_ne_bytes());
        control.extend(NETLINK_PKTINFO.to_ne_bytes());
        control.extend(queued.group.to_ne_bytes());
        control.resize(control.len().next_multiple_of(size_of::<usize>()), 0);
    }
    (name, control)
}

pub(crate) unsafe fn recvmsg(socket: c_int, header: *mut msghdr, flags: c_int) -> ssize_t {
    assert_ne!(flags & MSG_TRUNC, 0);
    result(take(socket, flags).map(|queued| {
        let (name, control) = origin(&queued);
        // SAFETY: the caller's promise.
        unsafe {
            let given = header.read();
            assert!(given.msg_iovlen == 1 && given.msg_namelen as usize >= name.len());
            let vector = given.msg_iov.read();
            let count = queued.bytes.len().min(vector.iov_len);
            ptr::copy_nonoverlapping(queued.bytes.as_ptr(), vector.iov_base.cast(), count);
            ptr::copy_nonoverlapping(name.as_ptr(), given.msg_name.cast(), name.len());
            let count = control.len().min(given.msg_controllen as usize);
            ptr::copy_nonoverlapping(control.as_ptr(), given.msg_control.cast(), count);
            (*header).msg_namelen = name.len() as socklen_t;
            (*header).msg_controllen = count as _;
            (*header).msg_flags = 0;
        }
        queued.bytes.len()
    }))
}

pub(crate) unsafe fn ppoll(
    entries: *mut pollfd,
    count: nfds_t,
    time: *const timespec,
    _mask: *const sigset_t,
) -> c_int {
    // SAFETY: the caller's promise.
    let (entries, time) = unsafe { (std::slice::from_raw_parts_mut(entries, count as usize), time.as_ref()) };
    let patience = time.map_or(FOR_EVER, |time| {
        Duration::new(time.tv_sec.try_into().expect("a time"), time.tv_nsec.try_into().expect("a time"))
    });
    let ready = wait(patience, |sockets| {
        let mut ready = 0;
        for entry in &mut *entries {
            // What is no socket of ours may always be read.
            let some = sockets.get(&entry.fd).is_none_or(Played::is_ready);
            entry.revents = if some { entry.events & POLLIN } else { 0 };
            ready += c_int::from(entry.revents != 0);
        }
        (ready > 0).then_some(ready)
    });
    assert!(ready.is_some() || time.is_some(), "this waits for ever");
    ready.unwrap_or(0)
}
