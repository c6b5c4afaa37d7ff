//! Events of devices over the live kernel, and forged ones, which are refused.

mod kernel;

use std::os::fd::{AsFd, AsRawFd};

use kernel::{ip, isolated, open, soon};
use ringlink::codec::multicast::UeventGroup;
use ringlink::codec::uevent::{self, Uevent};
use ringlink::engine::EngineChoice;
use ringlink::socket::{Protocol, Socket};
use ringlink::{Config, Error, Monitor};

const FORGED: &[u8] = b"add@/devices/forged\0ACTION=add\0DEVPATH=/devices/forged\0SUBSYSTEM=net\0SEQNUM=1\0";

/// Sends to a port or to groups, as another user where one is named.
fn send(socket: &Socket, port: u32, groups: u32, user: Option<u32>, bytes: &[u8]) {
    // SAFETY: all fields are integers and pointers, for which zero is a value.
    let (mut address, mut header): (libc::sockaddr_nl, libc::msghdr) = unsafe { std::mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as u16;
    (address.nl_pid, address.nl_groups) = (port, groups);
    let mut vector = libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
    // A control message with a `ucred`: 16 bytes of header where pointers are long, and 12 of data.
    let mut control = Vec::new();
    if let Some(user) = user {
        control.resize(size_of::<usize>(), 0);
        control.extend([libc::SOL_SOCKET, libc::SCM_CREDENTIALS].map(i32::to_ne_bytes).as_flattened());
        let length = control.len() + 12;
        control[..size_of::<usize>()].copy_from_slice(&length.to_ne_bytes());
        control.extend(std::process::id().to_ne_bytes());
        control.extend([user, user].map(u32::to_ne_bytes).as_flattened());
        control.resize(control.len().next_multiple_of(size_of::<usize>()), 0);
    }
    header.msg_name = (&raw mut address).cast();
    header.msg_namelen = size_of_val(&address) as u32;
    header.msg_iov = &raw mut vector;
    header.msg_iovlen = 1;
    if !control.is_empty() {
        header.msg_control = control.as_mut_ptr().cast();
        header.msg_controllen = control.len() as _;
    }
    // SAFETY: every pointer in the header is valid for its length.
    let sent = unsafe { libc::sendmsg(socket.as_fd().as_raw_fd(), &raw const header, 0) };
    assert!(sent > 0, "{}", std::io::Error::last_os_error());
}

fn configs() -> [Config; 2] {
    [EngineChoice::Syscall, EngineChoice::Ring].map(|engine| Config { engine, ..Config::default() })
}

#[test]
fn the_kernels_events_and_nobody_elses() {
    isolated("uevents", || {
        for config in configs() {
            let monitor = match Monitor::with(Protocol::KOBJECT_UEVENT, &config, &[UeventGroup::KERNEL.0]) {
                Err(Error::NoRing { .. }) => continue,
                other => other.expect("a monitor"),
            };
            let forger = open(Protocol::KOBJECT_UEVENT);
            send(&forger, 0, 1 << (UeventGroup::KERNEL.0 - 1), None, FORGED);
            send(&forger, monitor.socket().port(), 0, None, FORGED);
            ip("link add d0 type veth peer name d1");
            let mut found = Vec::new();
            while found.len() < 2 {
                let notice = monitor.receive(soon()).expect("an event");
                let event = Uevent::from_kernel(notice.bytes()).expect("the kernel's");
                assert!(event.properties.into_iter().all(|property| property.is_ok()));
                assert!(event.sequence().is_some() && event.get("ACTION") == Some(event.action));
                if event.subsystem().is_some_and(|subsystem| subsystem == "net") {
                    found.push(event.get("INTERFACE").expect("a name").to_string());
                }
            }
            found.sort();
            assert_eq!(found, ["d0", "d1"]);
            assert_eq!(monitor.foreign(), 2);
            ip("link del d0");
        }
    });
}

#[test]
fn udevs_events_are_those_of_user_0() {
    isolated("udev's events", || {
        for config in configs() {
            let monitor = match Monitor::of_udev(&config) {
                Err(Error::NoRing { .. }) => continue,
                other => other.expect("a monitor"),
            };
            let sender = open(Protocol::KOBJECT_UEVENT);
            let group = 1 << (UeventGroup::UDEV.0 - 1);
            let mut buffer = [0; 256];
            let mut event = |path| {
                let properties = [("ACTION", "add"), ("DEVPATH", path), ("SUBSYSTEM", "net")];
                uevent::write_udev(&mut buffer, &properties).expect("it fits").to_vec()
            };
            let (forged, true_one) = (event("/devices/forged"), event("/devices/true"));
            // By another user; by user 0, but to this socket alone; as it has to be.
            send(&sender, 0, group, Some(1000), &forged);
            send(&sender, monitor.socket().port(), 0, Some(0), &forged);
            send(&sender, 0, group, None, &true_one);
            let notice = monitor.receive(soon()).expect("an event");
            assert_eq!(notice.bytes(), true_one);
            let event = Uevent::from_udev(notice.bytes()).expect("udev's");
            assert_eq!((event.action.to_str(), event.devpath.to_str()), (Some("add"), Some("/devices/true")));
            assert_eq!(monitor.foreign(), 2);
        }
    });
}
