//! The floor: the system calls and nothing else. It decodes nothing; of events it looks at the one byte that says which
//! is the last.

use std::io;
use std::net::Ipv4Addr;
use std::ops::Range;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::PathBuf;

use ringlink::codec::route::Rtm;
use ringlink::codec::wire::Messages;

use super::{Change, Library, Until, heavy_route};
use crate::Outcome;
use crate::object::{Object, Tally};
use crate::scene::{FIRST_ROUTE, GATEWAY, LAST};

/// Bytes of a receive: what the kernel puts into a dump's datagram at most.
const BUFFER: usize = 32 * 1024;

/// How many datagrams one recvmmsg(2) takes, and the bytes of each.
const MANY: usize = 64;
const EVENT: usize = 4096;

/// Requests in one send: as many as have room in the receive buffer if all are refused.
const BATCH: u32 = 250;

/// Questions in one send.
const QUESTIONS: u32 = 64;

/// Bare loops by the call they receive with.
pub fn open(way: &str) -> Outcome<Box<dyn Library>> {
    let receive = match way {
        "" | "recv" | "one by one" => Receive::One,
        "batched" => Receive::Batched,
        "kept" => Receive::Kept,
        "recvmsg" => Receive::Message,
        "recvmmsg" => Receive::Many,
        "epoll + recvmsg" => Receive::Epoll,
        _ => return Err(format!("no bare loop is named {way}").into()),
    };
    Ok(Box::new(Bare {
        socket: socket(0)?,
        receive,
        buffer: vec![0; BUFFER.max(MANY * EVENT)],
        epoll: None,
        kept: Vec::new(),
    }))
}

enum Receive {
    One,
    Message,
    Many,
    Epoll,
    /// One datagram at a time, but many requests in one send.
    Batched,
    /// One datagram at a time; sockets in other namespaces stay open from turn to turn.
    Kept,
}

struct Bare {
    socket: OwnedFd,
    receive: Receive,
    buffer: Vec<u8>,
    epoll: Option<OwnedFd>,
    kept: Vec<OwnedFd>,
}

impl Library for Bare {
    fn dump(&mut self, object: Object) -> Outcome<Tally> {
        dump(&self.socket, &mut self.buffer[..BUFFER], object, |_| Ok(()))
    }

    fn dump_once(&mut self, object: Object) -> Outcome<Tally> {
        dump(&socket(0)?, &mut self.buffer[..BUFFER], object, |_| Ok(()))
    }

    fn listen(&mut self) -> Outcome {
        // RTMGRP_IPV4_ROUTE
        self.socket = socket(0x40)?;
        if let Receive::Epoll = self.receive {
            // SAFETY: a new descriptor that nobody else has.
            let epoll = unsafe {
                OwnedFd::from_raw_fd(i32::try_from(checked(libc::epoll_create1(libc::EPOLL_CLOEXEC) as isize)?)?)
            };
            let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: 0 };
            let (epoll_number, socket) = (epoll.as_raw_fd(), self.socket.as_raw_fd());
            // SAFETY: the pointer is to a local.
            checked(unsafe { libc::epoll_ctl(epoll_number, libc::EPOLL_CTL_ADD, socket, &raw mut event) } as isize)?;
            self.epoll = Some(epoll);
        }
        Ok(())
    }

    fn events(&mut self, until: Until) -> Outcome<Tally> {
        let mut tally = Tally::default();
        match self.receive {
            Receive::Many => self.events_many(until, &mut tally)?,
            _ => loop {
                if let Some(epoll) = &self.epoll {
                    let mut event = libc::epoll_event { events: 0, u64: 0 };
                    // SAFETY: the pointer is to a local, for one event.
                    checked(unsafe { libc::epoll_wait(epoll.as_raw_fd(), &raw mut event, 1, -1) } as isize)?;
                }
                let received = match self.receive {
                    Receive::One | Receive::Batched | Receive::Kept => receive(&self.socket, &mut self.buffer),
                    _ => receive_message(&self.socket, &mut self.buffer),
                };
                match received {
                    Ok(length) if take(&self.buffer[..length], until, &mut tally) => break,
                    Err(error) if error.raw_os_error() != Some(libc::ENOBUFS) => return Err(error.into()),
                    _ => {}
                }
            },
        }
        Ok(tally)
    }

    fn look_up(&mut self, addresses: Range<u32>) -> Outcome<Tally> {
        let mut tally = Tally::default();
        let at_once = if let Receive::Batched = self.receive { QUESTIONS } else { 1 };
        let mut batch = Vec::with_capacity(at_once as usize * 36);
        let mut next = addresses.start;
        while next < addresses.end {
            batch.clear();
            let end = addresses.end.min(next + at_once);
            for address in next..end {
                batch.extend_from_slice(&route_request(26, 1, ASKED, FIRST_ROUTE + address)[..36]);
            }
            send(&self.socket, &batch)?;
            for _ in next..end {
                // Each answer is a datagram.
                let length = receive(&self.socket, &mut self.buffer)?;
                refuse_errors(&self.buffer[..length])?;
                tally.add(0);
            }
            next = end;
        }
        Ok(tally)
    }

    fn change(&mut self, change: Change, numbers: Range<u32>) -> Outcome<Tally> {
        let (kind, flags, length) = match change {
            // NLM_F_REQUEST | NLM_F_CREATE
            Change::Add => (24, 0x401, 44),
            Change::Delete => (25, 1, 36),
        };
        let mut tally = Tally::default();
        let mut batch = Vec::with_capacity(BATCH as usize * length);
        let mut next = numbers.start;
        while next < numbers.end {
            batch.clear();
            let end = numbers.end.min(next + BATCH);
            for number in next..end {
                // Only the last asks for an acknowledgement.
                let flags = if number + 1 == end { flags | 4 } else { flags };
                let mut request = route_request(kind, flags, MADE, FIRST_ROUTE + number);
                request[0] = u8::try_from(length)?;
                batch.extend_from_slice(&request[..length]);
                tally.add(0);
            }
            send(&self.socket, &batch)?;
            let length = receive(&self.socket, &mut self.buffer)?;
            refuse_errors(&self.buffer[..length])?;
            next = end;
        }
        Ok(tally)
    }

    fn namespaces(&mut self, files: &[PathBuf]) -> Outcome<Tally> {
        let mut tally = Tally::default();
        if let (Receive::Kept, true) = (&self.receive, self.kept.is_empty()) {
            self.kept = files.iter().map(socket_in).collect::<Result<_, _>>()?;
        }
        for (at, file) in files.iter().enumerate() {
            let opened;
            let socket = match self.kept.get(at) {
                Some(socket) => socket,
                None => {
                    opened = socket_in(file)?;
                    &opened
                }
            };
            for object in Object::ALL {
                tally.items += dump(socket, &mut self.buffer[..BUFFER], object, |_| Ok(()))?.items;
            }
        }
        Ok(tally)
    }

    /// The bare loop, but for the codec that takes its datagrams apart.
    fn dump_heavily(&mut self, passes: u32) -> Outcome<Tally> {
        let mut tally = Tally::default();
        dump(&self.socket, &mut self.buffer[..BUFFER], Object::Route, |datagram| {
            for message in Messages::new(datagram) {
                if let Ok(body) = message?.body(Rtm::NEWROUTE) {
                    heavy_route(&mut tally, body, passes);
                }
            }
            Ok(())
        })?;
        Ok(tally)
    }
}

impl Bare {
    fn events_many(&mut self, until: Until, tally: &mut Tally) -> Outcome {
        let mut slots: Vec<libc::iovec> = self
            .buffer
            .chunks_mut(EVENT)
            .take(MANY)
            .map(|slot| libc::iovec { iov_base: slot.as_mut_ptr().cast(), iov_len: slot.len() })
            .collect();
        // SAFETY: all zeros is a message header without a buffer.
        let mut headers: Vec<libc::mmsghdr> = slots.iter().map(|_| unsafe { std::mem::zeroed() }).collect();
        // SAFETY: all zeros is an address.
        let mut senders: Vec<libc::sockaddr_nl> = slots.iter().map(|_| unsafe { std::mem::zeroed() }).collect();
        // The kernel waits for the first datagram and takes what else is there.
        let flags = libc::MSG_WAITFORONE;
        loop {
            for ((header, slot), sender) in headers.iter_mut().zip(&mut slots).zip(&mut senders) {
                header.msg_hdr.msg_name = (&raw mut *sender).cast();
                header.msg_hdr.msg_namelen = size_of::<libc::sockaddr_nl>() as u32;
                header.msg_hdr.msg_iov = slot;
                header.msg_hdr.msg_iovlen = 1;
            }
            let count = u32::try_from(MANY)?;
            // SAFETY: every header points to a sender and a slot, every slot into the buffer, and all of them live.
            let received = unsafe {
                libc::recvmmsg(self.socket.as_raw_fd(), headers.as_mut_ptr(), count, flags, std::ptr::null_mut())
            };
            let received = match checked(received as isize) {
                Ok(received) => received,
                Err(error) if error.raw_os_error() == Some(libc::ENOBUFS) => continue,
                Err(error) => return Err(error.into()),
            };
            for (header, slot) in headers.iter().zip(self.buffer.chunks(EVENT)).take(received) {
                if take(&slot[..header.msg_len as usize], until, tally) {
                    return Ok(());
                }
            }
        }
    }
}

/// Counts a datagram's events; says whether the last was among them.
#[inline]
fn take(mut datagram: &[u8], until: Until, tally: &mut Tally) -> bool {
    while let Some(length) = datagram.first_chunk().map(|length| u32::from_ne_bytes(*length) as usize) {
        tally.add(0);
        if until.reached(tally.items, datagram.get(16 + 5).copied().unwrap_or(0)) {
            return true;
        }
        datagram = datagram.get(length.next_multiple_of(4).max(16)..).unwrap_or_default();
    }
    false
}

/// The sequence number of all dumps: bytes that attributes do not have by chance.
const SEQUENCE: [u8; 4] = *b"floo";

/// A dump's datagrams, until one begins with `NLMSG_DONE` or ends with it. Counts datagrams, not messages: looking for
/// messages would be work.
#[inline]
fn dump(socket: &OwnedFd, buffer: &mut [u8], object: Object, mut each: impl FnMut(&[u8]) -> Outcome) -> Outcome<Tally> {
    let (kind, header, family) = match object {
        Object::Link => (18, 16, 0),
        Object::Address => (22, 8, 2),
        Object::Route => (26, 12, 2),
        Object::Neighbour => (30, 12, 2),
        Object::Rule => (34, 12, 2),
    };
    let mut request = [0_u8; 32];
    request[0] = 16 + header;
    request[4] = kind;
    request[6..8].copy_from_slice(&0x301_u16.to_ne_bytes());
    request[8..12].copy_from_slice(&SEQUENCE);
    request[16] = family;
    send(socket, &request[..16 + usize::from(header)])?;
    let mut tally = Tally::default();
    loop {
        let length = receive(socket, buffer)?;
        tally.items += 1;
        each(&buffer[..length])?;
        // `nlmsghdr` of an end: 20 bytes with its code, NLMSG_DONE, any flags, the request's sequence number.
        let done = |at: Option<usize>| {
            let header = at.and_then(|at| buffer.get(at..at + 12));
            header.is_some_and(|header| header[..6] == [20, 0, 0, 0, 3, 0] && header[8..] == SEQUENCE)
        };
        if done(Some(0)) || done(length.checked_sub(20)) {
            return Ok(tally);
        }
        refuse_errors(&buffer[..length])?;
    }
}

/// `rtmsg` of a route that is asked for: AF_INET, a whole address.
const ASKED: [u8; 8] = [2, 32, 0, 0, 0, 0, 0, 0];

/// `rtmsg` of a route that is made or deleted: the same in the main table, RTPROT_STATIC, RTN_UNICAST.
const MADE: [u8; 8] = [2, 32, 0, 0, 254, 4, 0, 1];

/// A request about one route: `nlmsghdr`, `rtmsg`, `RTA_DST`, `RTA_GATEWAY`. Callers cut off what they do not send.
fn route_request(kind: u8, flags: u16, header: [u8; 8], destination: u32) -> [u8; 44] {
    let mut request = [0_u8; 44];
    request[0] = 36;
    request[4] = kind;
    request[6..8].copy_from_slice(&flags.to_ne_bytes());
    request[16..24].copy_from_slice(&header);
    request[28..32].copy_from_slice(&[8, 0, 1, 0]);
    request[32..36].copy_from_slice(&Ipv4Addr::from(destination).octets());
    request[36..40].copy_from_slice(&[8, 0, 5, 0]);
    request[40..44].copy_from_slice(&GATEWAY.octets());
    request
}

fn refuse_errors(datagram: &[u8]) -> Outcome {
    let kind = datagram.get(4..6).is_some_and(|kind| kind == [2, 0]);
    let errno = datagram.get(16..20).map_or(0, |errno| i32::from_ne_bytes([errno[0], errno[1], errno[2], errno[3]]));
    match kind && errno != 0 {
        true => Err(io::Error::from_raw_os_error(-errno).into()),
        false => Ok(()),
    }
}

fn socket(groups: u32) -> Outcome<OwnedFd> {
    // SAFETY: no memory is involved.
    let descriptor =
        checked(unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) } as isize)?;
    // SAFETY: a new descriptor that nobody else has.
    let socket = unsafe { OwnedFd::from_raw_fd(i32::try_from(descriptor)?) };
    let on = 1_i32;
    for option in [libc::NETLINK_GET_STRICT_CHK, libc::NETLINK_CAP_ACK] {
        // SAFETY: the option's value is an int that lives through the call.
        unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_NETLINK, option, (&raw const on).cast(), 4) };
    }
    // SAFETY: all zeros is an address without port and groups.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = u16::try_from(libc::AF_NETLINK)?;
    address.nl_groups = groups;
    let length = u32::try_from(size_of::<libc::sockaddr_nl>())?;
    // SAFETY: the address lives through the call and has that length.
    checked(unsafe { libc::bind(socket.as_raw_fd(), (&raw const address).cast(), length) } as isize)?;
    Ok(socket)
}

/// Moves the calling thread into a namespace, and opens a socket there.
fn socket_in(file: &PathBuf) -> Outcome<OwnedFd> {
    let file = std::fs::File::open(file)?;
    // SAFETY: no memory is involved.
    checked(unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) } as isize)?;
    socket(0)
}

fn send(socket: &OwnedFd, bytes: &[u8]) -> io::Result<usize> {
    // SAFETY: the pointer is valid for the length.
    checked(unsafe { libc::send(socket.as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0) })
}

#[inline]
fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    // SAFETY: the pointer is valid for the length.
    checked(unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0) })
}

/// With the sender's address, as whoever trusts only the kernel must receive.
#[inline]
fn receive_message(socket: &OwnedFd, buffer: &mut [u8]) -> io::Result<usize> {
    let mut slot = libc::iovec { iov_base: buffer.as_mut_ptr().cast(), iov_len: buffer.len() };
    // SAFETY: all zeros is an address and a message header without a buffer.
    let (mut address, mut header): (libc::sockaddr_nl, libc::msghdr) = unsafe { std::mem::zeroed() };
    header.msg_name = (&raw mut address).cast();
    header.msg_namelen = size_of::<libc::sockaddr_nl>() as u32;
    header.msg_iov = &raw mut slot;
    header.msg_iovlen = 1;
    // SAFETY: every pointer in the header is to a local or into the buffer, with its length.
    checked(unsafe { libc::recvmsg(socket.as_raw_fd(), &raw mut header, 0) })
}

fn checked(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

const _: () = assert!(LAST != 4, "the last event's protocol must not be that of the routes");
