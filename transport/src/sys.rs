//! System calls, and the memory that the kernel writes into: half of this crate's unsafe code, the other half being the
//! ring. Everything here is safe to call.

use std::cell::Cell;
use std::ffi::CString;
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::ptr::{self, NonNull};
use std::time::Duration;

use crate::engine::{Credentials, Origin};
use crate::error::Error;
#[cfg(miri)]
use crate::played::libc;
use crate::socket::Instruction;

const NETLINK_ADDRESS: libc::socklen_t = size_of::<libc::sockaddr_nl>() as libc::socklen_t;

/// Opens a raw netlink socket that is closed on exec.
pub(crate) fn open(protocol: u8) -> io::Result<OwnedFd> {
    // SAFETY: no pointers are passed.
    let descriptor = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, protocol.into()) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just returned this descriptor, nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Binds the socket to this port id, for 0 to one of the kernel's choice, and returns it.
pub(crate) fn bind(socket: BorrowedFd<'_>, port: u32) -> Result<u32, Error> {
    let mut address = address(port, 0);
    // SAFETY: the pointer and length are those of `address`.
    if unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), NETLINK_ADDRESS) } != 0 {
        return Err(Error::last("bind"));
    }
    let mut length = NETLINK_ADDRESS;
    // SAFETY: the kernel writes at most `length` bytes, all of `address`, and the length to `length`.
    if unsafe { libc::getsockname(socket.as_raw_fd(), (&raw mut address).cast(), &raw mut length) } != 0 {
        return Err(Error::last("getsockname"));
    }
    Ok(address.nl_pid)
}

/// Connects the socket to a port id; 0 is the kernel's.
pub(crate) fn connect(socket: BorrowedFd<'_>, port: u32) -> Result<(), Error> {
    let address = address(port, 0);
    // SAFETY: the pointer and length are those of `address`.
    if unsafe { libc::connect(socket.as_raw_fd(), (&raw const address).cast(), NETLINK_ADDRESS) } != 0 {
        return Err(Error::last("connect"));
    }
    Ok(())
}

/// `AF_NETLINK`, a port id, a bit mask of groups.
fn address(port: u32, groups: u32) -> libc::sockaddr_nl {
    // SAFETY: all fields are integers, for which zero is a value.
    let mut address: libc::sockaddr_nl = unsafe { MaybeUninit::zeroed().assume_init() };
    address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    address.nl_pid = port;
    address.nl_groups = groups;
    address
}

/// Sets an option of level `SOL_NETLINK`.
pub(crate) fn set_netlink_option(socket: BorrowedFd<'_>, option: i32, value: u32) -> Result<(), Error> {
    set_option(socket, libc::SOL_NETLINK, option, &value.to_ne_bytes())
}

/// Sets an option of level `SOL_SOCKET` that is an int.
pub(crate) fn set_socket_option(socket: BorrowedFd<'_>, option: i32, value: i32) -> Result<(), Error> {
    set_option(socket, libc::SOL_SOCKET, option, &value.to_ne_bytes())
}

fn set_option(socket: BorrowedFd<'_>, level: i32, option: i32, value: &[u8]) -> Result<(), Error> {
    let length = value.len() as libc::socklen_t;
    // SAFETY: the kernel reads `length` bytes of `value`. The only option whose value is a pointer is SO_ATTACH_FILTER,
    // which `attach_filter` alone passes, with a pointer that is valid during the call.
    if unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, value.as_ptr().cast(), length) } != 0 {
        return Err(Error::last("setsockopt"));
    }
    Ok(())
}

/// Attaches a classic BPF program.
pub(crate) fn attach_filter(socket: BorrowedFd<'_>, program: &[Instruction]) -> Result<(), Error> {
    let rule = "a socket filter has 1 to 4096 instructions";
    let Ok(length @ 1..=4096) = u16::try_from(program.len()) else {
        return Err(Error::Configuration { rule });
    };
    let program = libc::sock_fprog { len: length, filter: program.as_ptr().cast_mut().cast() };
    // SAFETY: `Instruction` has the layout of `sock_filter`. The kernel copies `length` of them from the slice, which
    // outlives the call, and does not write to it.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            size_of::<libc::sock_fprog>() as libc::socklen_t,
        )
    };
    if result != 0 {
        return Err(Error::last("setsockopt"));
    }
    Ok(())
}

/// Reads an option into `value` and returns how long the kernel says it is, which may be more than fits.
fn option(socket: BorrowedFd<'_>, level: i32, option: i32, value: &mut [u8]) -> Result<usize, Error> {
    let mut length = value.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes into `value`, and the length to `length`.
    let result =
        unsafe { libc::getsockopt(socket.as_raw_fd(), level, option, value.as_mut_ptr().cast(), &raw mut length) };
    if result != 0 {
        return Err(Error::last("getsockopt"));
    }
    Ok(length as usize)
}

/// Reads an option of level `SOL_SOCKET` that is an int.
pub(crate) fn socket_option(socket: BorrowedFd<'_>, number: i32) -> Result<i32, Error> {
    let mut value = [0; 4];
    option(socket, libc::SOL_SOCKET, number, &mut value)?;
    Ok(i32::from_ne_bytes(value))
}

/// Reads an option of level `SOL_NETLINK` that is a flag. Some kernels return one byte, others an int.
#[cfg(test)]
pub(crate) fn netlink_option(socket: BorrowedFd<'_>, number: i32) -> Result<u32, Error> {
    let mut value = [0; 4];
    Ok(match option(socket, libc::SOL_NETLINK, number, &mut value)? {
        1 => value[0].into(),
        _ => u32::from_ne_bytes(value),
    })
}

/// Reads the bit map of the groups joined and returns how many of its bytes are valid.
pub(crate) fn memberships(socket: BorrowedFd<'_>, words: &mut [u32; 64]) -> Result<usize, Error> {
    let mut bytes = [0u8; 256];
    let length = option(socket, libc::SOL_NETLINK, libc::NETLINK_LIST_MEMBERSHIPS, &mut bytes)?;
    for (word, bytes) in words.iter_mut().zip(bytes.as_chunks().0) {
        *word = u32::from_ne_bytes(*bytes);
    }
    Ok(length.min(bytes.len()))
}

/// Reads the counter of dropped messages.
pub(crate) fn drops(socket: BorrowedFd<'_>) -> Result<u32, Error> {
    // `SK_MEMINFO_DROPS`, the ninth of the words (include/uapi/linux/sock_diag.h).
    const DROPS: usize = 8;
    let mut bytes = [0u8; 64];
    let length = option(socket, libc::SOL_SOCKET, libc::SO_MEMINFO, &mut bytes)?;
    match bytes.as_chunks().0.get(DROPS) {
        Some(word) if length >= (DROPS + 1) * 4 => Ok(u32::from_ne_bytes(*word)),
        _ => Err(Error::System { call: "getsockopt", errno: libc::ENOPROTOOPT }),
    }
}

/// Reads the cookie of the socket's network namespace.
pub(crate) fn namespace_cookie(socket: BorrowedFd<'_>) -> Result<u64, Error> {
    let mut value = [0; 8];
    option(socket, libc::SOL_SOCKET, libc::SO_NETNS_COOKIE, &mut value)?;
    Ok(u64::from_ne_bytes(value))
}

/// Sends one datagram to where the socket is connected, which is the kernel unless somebody connected it elsewhere.
pub(crate) fn send(socket: BorrowedFd<'_>, bytes: &[u8], wait: bool) -> io::Result<usize> {
    let flags = if wait { 0 } else { libc::MSG_DONTWAIT };
    // SAFETY: the kernel reads the bytes of the slice.
    let sent = unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), flags) };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Sends one datagram to the socket with this port id (0: none), and to the multicast groups of a bit mask, without waiting
/// for room in anybody's queue.
pub(crate) fn send_to(socket: BorrowedFd<'_>, bytes: &[u8], port: u32, groups: u32) -> io::Result<usize> {
    let address = address(port, groups);
    // SAFETY: the kernel reads the bytes of the slice and those of `address`.
    let sent = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            bytes.as_ptr().cast(),
            bytes.len(),
            libc::MSG_DONTWAIT,
            (&raw const address).cast(),
            NETLINK_ADDRESS,
        )
    };
    usize::try_from(sent).map_err(|_| io::Error::last_os_error())
}

/// Bounds how long a send waits for room in the receiver's queue (`SO_SNDTIMEO`); `None` is for ever.
pub(crate) fn set_send_timeout(socket: BorrowedFd<'_>, timeout: Option<Duration>) -> Result<(), Error> {
    // SAFETY: all fields are integers, for which zero is a value; here it means for ever.
    let mut time: libc::timeval = unsafe { MaybeUninit::zeroed().assume_init() };
    if let Some(timeout) = timeout {
        time.tv_sec = timeout.as_secs().try_into().unwrap_or(libc::time_t::MAX);
        time.tv_usec = timeout.subsec_micros().max(1) as _;
    }
    let (value, length) = ((&raw const time).cast(), size_of::<libc::timeval>() as libc::socklen_t);
    // SAFETY: the kernel reads `length` bytes of `time`.
    if unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_SNDTIMEO, value, length) } != 0 {
        return Err(Error::last("setsockopt"));
    }
    Ok(())
}

/// Receives one datagram and returns its length, which may be more than fits.
pub(crate) fn receive(socket: BorrowedFd<'_>, bytes: &mut [u8], wait: bool) -> io::Result<usize> {
    let flags = libc::MSG_TRUNC | if wait { 0 } else { libc::MSG_DONTWAIT };
    // SAFETY: the kernel writes at most as many bytes as the slice has.
    let length = unsafe { libc::recv(socket.as_raw_fd(), bytes.as_mut_ptr().cast(), bytes.len(), flags) };
    usize::try_from(length).map_err(|_| io::Error::last_os_error())
}

/// Receives one datagram and returns its length, which may be more than fits, and where it came from.
pub(crate) fn receive_from(socket: BorrowedFd<'_>, bytes: &mut [u8], wait: bool) -> io::Result<(usize, Origin)> {
    let flags = libc::MSG_TRUNC | if wait { 0 } else { libc::MSG_DONTWAIT };
    let mut address = address(0, 0);
    let mut control = Control([0; CONTROL]);
    let mut vector = libc::iovec { iov_base: bytes.as_mut_ptr().cast(), iov_len: bytes.len() };
    // SAFETY: all fields are integers and pointers, for which zero is a value.
    let mut header: libc::msghdr = unsafe { MaybeUninit::zeroed().assume_init() };
    header.msg_name = (&raw mut address).cast();
    header.msg_namelen = NETLINK_ADDRESS;
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    header.msg_control = (&raw mut control).cast();
    header.msg_controllen = CONTROL as _;
    // SAFETY: every pointer in `header` is to a local or to `bytes`, with its length.
    let length = unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, flags) };
    let length = usize::try_from(length).map_err(|_| io::Error::last_os_error())?;
    #[allow(clippy::unnecessary_cast, reason = "some C libraries have u32 there")]
    let control = control.0.get(..header.msg_controllen as usize).unwrap_or(&[]);
    Ok((length, origin(address.nl_pid, address.nl_groups, control)))
}

/// Room for the control messages that netlink knows, where pointers are long: `nl_pktinfo` and a namespace id, each 16 bytes
/// of header and 8 of an aligned int, and `ucred`, with 16 of three aligned ints.
pub(crate) const CONTROL: usize = 80;

/// Control messages start where a `cmsghdr` may.
#[repr(align(8))]
struct Control([u8; CONTROL]);

/// Length of a control message's header, `struct cmsghdr`: its length, level and type.
const CONTROL_HEADER: usize = size_of::<usize>() + 8;

/// Where a datagram came from, by its sender's address and its control messages.
pub(crate) fn origin(sender: u32, groups: u32, mut control: &[u8]) -> Origin {
    // Without `NETLINK_PKTINFO` there is only a bit mask, which cannot tell group 33 from group 1.
    let group = if groups == 0 { 0 } else { groups.trailing_zeros() + 1 };
    let mut origin = Origin { sender, group, ..Origin::default() };
    while let Some((header, _)) = control.split_first_chunk::<CONTROL_HEADER>() {
        let (length, rest) = header.split_at(size_of::<usize>());
        let length = length.try_into().map_or(0, usize::from_ne_bytes);
        let Some(data) = control.get(CONTROL_HEADER..length) else { break };
        let Some(value) = data.first_chunk::<4>() else { break };
        let (level, kind) = rest.split_at(4);
        if level == libc::SOL_NETLINK.to_ne_bytes() {
            if kind == libc::NETLINK_PKTINFO.to_ne_bytes() {
                origin.group = u32::from_ne_bytes(*value);
            } else if kind == libc::NETLINK_LISTEN_ALL_NSID.to_ne_bytes() {
                origin.namespace = Some(i32::from_ne_bytes(*value));
            }
        } else if level == libc::SOL_SOCKET.to_ne_bytes()
            && kind == libc::SCM_CREDENTIALS.to_ne_bytes()
            && let ([process, user, group], _) = data.as_chunks()
        {
            origin.credentials = Some(Credentials {
                process: i32::from_ne_bytes(*process),
                user: u32::from_ne_bytes(*user),
                group: u32::from_ne_bytes(*group),
            });
        }
        let Some(next) = control.get(length.next_multiple_of(size_of::<usize>())..) else {
            break;
        };
        control = next;
    }
    origin
}

/// Waits until the socket has something to receive, at most so long (`None`: for ever), or a signal comes.
pub(crate) fn wait_readable(socket: BorrowedFd<'_>, remaining: Option<Duration>) -> Result<(), Error> {
    wait_any(&mut [libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLIN, revents: 0 }], remaining)
}

/// Waits until something happens to one of the descriptors, at most so long (`None`: for ever), or a signal comes.
pub(crate) fn wait_any(entries: &mut [libc::pollfd], remaining: Option<Duration>) -> Result<(), Error> {
    // SAFETY: all fields are integers, for which zero is a value.
    let mut time: libc::timespec = unsafe { MaybeUninit::zeroed().assume_init() };
    let time = remaining.map_or(ptr::null(), |remaining| {
        time.tv_sec = remaining.as_secs().try_into().unwrap_or(libc::time_t::MAX);
        time.tv_nsec = remaining.subsec_nanos() as _;
        &raw const time
    });
    // SAFETY: the entries are as many as said; the time is null or a local; the signal mask may be null.
    if unsafe { libc::ppoll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, time, ptr::null()) } < 0 {
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(Error::from_io("ppoll", &error));
        }
    }
    Ok(())
}

/// A descriptor that tells of names that come and go in folders (inotify(7)); reading it does not wait.
pub(crate) fn notifier() -> Result<OwnedFd, Error> {
    // SAFETY: no pointers are passed.
    let descriptor = unsafe { libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC) };
    if descriptor < 0 {
        return Err(Error::last("inotify_init1"));
    }
    // SAFETY: the kernel just returned this descriptor, nobody else owns it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// Has a notifier tell of the names in a folder; says whether there is such a folder.
pub(crate) fn watch_folder(notifier: BorrowedFd<'_>, path: &str) -> Result<bool, Error> {
    let what = libc::IN_CREATE | libc::IN_DELETE | libc::IN_MOVE | libc::IN_ATTRIB | libc::IN_ONLYDIR;
    let path = CString::new(path).unwrap_or_default();
    // SAFETY: the path is a string with its NUL that outlives the call.
    if unsafe { libc::inotify_add_watch(notifier.as_raw_fd(), path.as_ptr(), what) } >= 0 {
        return Ok(true);
    }
    match Error::last("inotify_add_watch") {
        error if error.errno() == Some(libc::ENOENT) => Ok(false),
        error => Err(error),
    }
}

/// Reads all that a notifier has to tell; says whether that was anything.
pub(crate) fn take_notices(notifier: BorrowedFd<'_>) -> Result<bool, Error> {
    let mut buffer = [0_u8; 4096];
    let mut any = false;
    loop {
        // SAFETY: the kernel writes at most as many bytes as the buffer has.
        let length = unsafe { libc::read(notifier.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
        match length {
            1.. => any = true,
            0 => return Ok(any),
            _ => match io::Error::last_os_error() {
                error if error.kind() == io::ErrorKind::WouldBlock => return Ok(any),
                error if error.kind() == io::ErrorKind::Interrupted => {}
                error => return Err(Error::from_io("read", &error)),
            },
        }
    }
}

/// A number that other processes do not know.
pub(crate) fn unguessable() -> u32 {
    use std::hash::{BuildHasher, Hasher};
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    u32::try_from(random >> 32).unwrap_or_default()
}

/// Whether the descriptor is of a network namespace (ioctl_ns(2)).
pub(crate) fn is_network_namespace(descriptor: BorrowedFd<'_>) -> bool {
    // SAFETY: this request takes no argument, and other kinds of file refuse it.
    let kind = unsafe { libc::ioctl(descriptor.as_raw_fd(), libc::NS_GET_NSTYPE) };
    kind == libc::CLONE_NEWNET
}

/// Moves the calling thread, and no other, into a network namespace.
pub(crate) fn enter_network_namespace(namespace: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: no pointers are passed.
    if unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Zeroed private memory, a whole number of pages that take no room before they are written to.
#[derive(Debug)]
pub(crate) struct Mapping {
    /// INVARIANT: the start of `length` bytes, readable and writable, mapped until this value is dropped.
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: the memory belongs to the process, and this value alone unmaps it.
unsafe impl Send for Mapping {}

impl Mapping {
    pub(crate) fn new(length: usize) -> Result<Mapping, Error> {
        let (protection, flags) = (libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: a new mapping at an address of the kernel's choice touches no other memory.
        let start = unsafe { libc::mmap(ptr::null_mut(), length, protection, flags, -1, 0) };
        if start == libc::MAP_FAILED {
            return Err(Error::last("mmap"));
        }
        let start = NonNull::new(start.cast()).ok_or(Error::System { call: "mmap", errno: libc::EFAULT })?;
        Ok(Mapping { start, length })
    }

    pub(crate) fn start(&self) -> NonNull<u8> {
        self.start
    }
}

impl Drop for Mapping {
    fn drop(&mut self) {
        // SAFETY: by the invariant these bytes are this value's own, and it is the last user: what borrows from a mapping
        // (a `Lease` from `Slots`) does not outlive it, and the ring keeps the mapping while the kernel may write.
        unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
    }
}

/// The slots that datagrams are received into, and the list of those that are free.
///
/// A slot is in one of three places: in the list, in a [`Lease`], or with the kernel.
#[derive(Debug)]
pub(crate) struct Slots {
    /// INVARIANT: `free.len()` slots of `size` bytes, one after the other.
    memory: Mapping,
    size: usize,
    /// INVARIANT: the first `listed` cells hold different numbers, each less than `free.len()`, of slots that are neither
    /// leased nor with the kernel.
    free: Box<[Cell<u16>]>,
    listed: Cell<usize>,
    /// Whether a slot is overwritten when it is given back.
    wiped: Cell<bool>,
}

impl Slots {
    /// As many slots of `size` bytes; all are free.
    pub(crate) fn new(count: u16, size: usize) -> Result<Slots, Error> {
        let rule = "the engine's slots take more memory than there are addresses";
        let length = size.checked_mul(count.into()).ok_or(Error::Configuration { rule })?;
        // The list is a stack: the slot used last, which the processor has at hand, is used next.
        let free: Box<[Cell<u16>]> = (0..count).rev().map(Cell::new).collect();
        Ok(Slots { memory: Mapping::new(length)?, size, listed: Cell::new(free.len()), free, wiped: Cell::new(false) })
    }

    pub(crate) fn count(&self) -> usize {
        self.free.len()
    }

    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// From now on slots are overwritten when they are given back.
    pub(crate) fn wipe(&self) {
        self.wiped.set(true);
    }

    /// Takes a slot from the list; `None` when it is empty.
    pub(crate) fn take(&self) -> Option<Lease<'_>> {
        let number = self.take_number()?;
        // SAFETY: the number was in the list, so nobody else has it.
        Some(unsafe { self.lease(number) })
    }

    /// Takes a slot's number from the list, for the kernel; `None` when it is empty.
    pub(crate) fn take_number(&self) -> Option<u16> {
        let listed = self.listed.get().checked_sub(1)?;
        let number = self.free.get(listed)?.get();
        self.listed.set(listed);
        Some(number)
    }

    /// Makes a lease of a slot that the kernel has filled.
    ///
    /// # Safety
    ///
    /// The number came from [`take_number`](Slots::take_number), and the kernel no longer has the slot.
    pub(crate) unsafe fn lease(&self, number: u16) -> Lease<'_> {
        Lease { slots: self, number }
    }

    /// The first byte of a slot; the number must be one of a slot.
    pub(crate) fn start(&self, number: u16) -> NonNull<u8> {
        debug_assert!(usize::from(number) < self.count());
        // SAFETY: the slot lies inside the mapping, by the invariant of `memory`.
        unsafe { self.memory.start().add(usize::from(number) * self.size) }
    }

    fn give_back(&self, number: u16) {
        let listed = self.listed.get();
        // There is always room: there are as many cells as slots.
        if let Some(cell) = self.free.get(listed) {
            cell.set(number);
            self.listed.set(listed + 1);
        }
    }
}

/// The right to use one slot; given back when dropped.
#[derive(Debug)]
pub(crate) struct Lease<'s> {
    slots: &'s Slots,
    /// INVARIANT: the number of a slot that is not in the list, in another lease, or with the kernel.
    number: u16,
}

impl Lease<'_> {
    #[cold]
    #[inline(never)]
    fn overwrite(&mut self) {
        ringlink_codec::table::wipe(self.bytes_mut());
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        // SAFETY: the slot is initialised (mappings start zeroed) and, by the invariant, nobody writes to it meanwhile.
        unsafe { std::slice::from_raw_parts(self.slots.start(self.number).as_ptr(), self.slots.size) }
    }

    pub(crate) fn bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and the lease is borrowed mutably.
        unsafe { std::slice::from_raw_parts_mut(self.slots.start(self.number).as_ptr(), self.slots.size) }
    }
}

impl Drop for Lease<'_> {
    fn drop(&mut self) {
        if self.slots.wiped.get() {
            self.overwrite();
        }
        self.slots.give_back(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slot_is_in_one_place() {
        let slots = Slots::new(2, 4096).expect("slots");
        let mut first = slots.take().expect("one");
        let mut second = slots.take().expect("two");
        assert!(slots.take().is_none());
        first.bytes_mut().fill(1);
        second.bytes_mut().fill(2);
        assert!(first.bytes().iter().all(|byte| *byte == 1) && second.bytes().iter().all(|byte| *byte == 2));
        drop(first);
        assert_eq!(slots.take().expect("again").bytes()[0], 1);
        slots.wipe();
        drop(second);
        assert!(slots.take().expect("again").bytes().iter().all(|byte| *byte == 0));
    }

    fn control(messages: &[(usize, i32, i32, u32)]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (length, level, kind, value) in messages {
            bytes.extend(length.to_ne_bytes());
            bytes.extend(level.to_ne_bytes());
            bytes.extend(kind.to_ne_bytes());
            bytes.extend(value.to_ne_bytes());
            bytes.resize(bytes.len().next_multiple_of(size_of::<usize>()), 0);
        }
        bytes
    }

    #[test]
    fn control_messages() {
        let whole = CONTROL_HEADER + 4;
        let both = control(&[(whole, libc::SOL_NETLINK, 3, 34), (whole, libc::SOL_NETLINK, 8, 5)]);
        assert_eq!(both.len(), if size_of::<usize>() == 8 { 48 } else { 32 });
        assert_eq!(origin(0, 2, &both), Origin { group: 34, namespace: Some(5), ..Origin::default() });
        assert_eq!(origin(7, 4, &[]), Origin { sender: 7, group: 3, ..Origin::default() });
        let mut all = both.clone();
        all.extend((CONTROL_HEADER + 12).to_ne_bytes());
        all.extend([libc::SOL_SOCKET, libc::SCM_CREDENTIALS, 77, 1000, 100].map(i32::to_ne_bytes).as_flattened());
        all.resize(all.len().next_multiple_of(size_of::<usize>()), 0);
        assert!(all.len() <= CONTROL);
        let credentials = Some(Credentials { process: 77, user: 1000, group: 100 });
        assert_eq!(origin(0, 2, &all), Origin { group: 34, namespace: Some(5), credentials, ..Origin::default() });
        for length in 0..all.len() {
            let _ = origin(0, 0, &all[..length]);
        }
        assert_eq!(origin(0, 0, &control(&[(whole, libc::SOL_SOCKET, 3, 34)])), Origin::default());
        for length in [0, 1, CONTROL_HEADER, CONTROL_HEADER + 3, 100, usize::MAX - 7, usize::MAX] {
            assert_eq!(origin(0, 0, &control(&[(length, libc::SOL_NETLINK, 3, 34)])), Origin::default(), "{length}");
        }
        for length in 0..both.len() {
            let _ = origin(0, 0, &both[..length]);
        }
    }
}
