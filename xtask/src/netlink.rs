//! The smallest netlink client there is: one socket as a file. The chores ask the kernel whether it answers, and dump
//! tables for captures, before anything of the transport can be trusted.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::FromRawFd;
use std::process::Command;
use std::time::Duration;

use ringlink_codec::protocol::ROUTE_AND_TRAFFIC;
use ringlink_codec::table::{OperationRow, Verb};
use ringlink_codec::wire::{Flags, MESSAGE_HEADER, MessageType, Messages};

use crate::failure::{Context, Failure, Outcome};
use crate::process;

/// How long the kernel may take to tell its interfaces.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// A dump's datagrams are at most this long.
const DATAGRAM: usize = 32 * 1024;

/// Whether the kernel tells its interfaces within [`PATIENCE`]: where it does not, something holds its configuration
/// lock for ever, and everything that asks waits for ever. A process of its own asks, for that process cannot be
/// relied upon to end.
pub fn kernel_answers() -> Outcome<bool> {
    let myself = std::env::current_exe().context(|| "cannot find this program")?;
    match process::run(Command::new(myself).arg("links"), PATIENCE)? {
        None => Ok(false),
        Some(done) if done.status.success() => Ok(true),
        Some(done) => Err(Failure::new(String::from_utf8_lossy(&done.err).trim().to_owned())),
    }
}

/// All messages of rtnetlink, whose numbers are their types.
fn rows() -> impl Iterator<Item = &'static OperationRow> {
    ROUTE_AND_TRAFFIC.tables().flat_map(|(_, table)| table.rows)
}

/// The operation that asks for all objects of a table, by the kernel's name or a short one (`link`, `RTM_GETLINK`).
pub fn dump_operation(table: &str) -> Outcome<u16> {
    let wanted = table.to_ascii_uppercase();
    let names = [wanted.clone(), format!("RTM_GET{wanted}")];
    rows()
        .find(|row| row.verb == Verb::Get && names.iter().any(|name| name == row.name))
        .map(|row| row.number)
        .context(|| format!("{table}: no table of this name"))
}

/// All messages of a dump, whole, without the one that ends it. `family` is the first byte of the fixed header; `index`,
/// if it is not 0, its bytes 4 to 7.
pub fn dump(operation: u16, family: u8, index: u32) -> Outcome<Vec<Vec<u8>>> {
    let mut socket = open()?;
    let header = rows().find(|row| row.number == operation).map_or(0, |row| row.header.size).max(1);
    socket.write_all(&request(operation, family, index, header)).context(|| "cannot send to the kernel")?;
    let mut found = Vec::new();
    let mut buffer = vec![0; DATAGRAM];
    loop {
        let length = socket.read(&mut buffer).context(|| "cannot receive from the kernel")?;
        let datagram = &buffer[..length];
        for message in Messages::new(datagram) {
            let message = message.map_err(|error| Failure::new(format!("the kernel's answer: {error}")))?;
            match message.header.kind {
                MessageType::DONE => return Ok(found),
                MessageType::ERROR => return Err(Failure::new(message.tree(&ROUTE_AND_TRAFFIC).to_string())),
                _ => found.push([&message.header.to_bytes(), message.payload].concat()),
            }
        }
    }
}

fn request(operation: u16, family: u8, index: u32, header: usize) -> Vec<u8> {
    let length = MESSAGE_HEADER + header.next_multiple_of(4);
    let mut bytes = Vec::with_capacity(length);
    bytes.extend(u32::try_from(length).unwrap_or(u32::MAX).to_ne_bytes());
    bytes.extend(operation.to_ne_bytes());
    bytes.extend((Flags::REQUEST | Flags::DUMP).0.to_ne_bytes());
    bytes.resize(length, 0);
    bytes[MESSAGE_HEADER] = family;
    if let Some(place) = bytes.get_mut(MESSAGE_HEADER + 4..MESSAGE_HEADER + 8) {
        place.copy_from_slice(&index.to_ne_bytes());
    }
    bytes
}

fn open() -> Outcome<File> {
    const AF_NETLINK: i32 = 16;
    const SOCK_RAW_CLOEXEC: i32 = 3 | 0o2_000_000;
    const NETLINK_ROUTE: i32 = 0;

    unsafe extern "C" {
        /// socket(2). The standard library has no netlink sockets, but links the C library that has this.
        safe fn socket(domain: i32, kind: i32, protocol: i32) -> i32;
    }

    let descriptor = socket(AF_NETLINK, SOCK_RAW_CLOEXEC, NETLINK_ROUTE);
    if descriptor < 0 {
        return Err(io::Error::last_os_error()).context(|| "cannot open a netlink socket");
    }
    // SAFETY: the descriptor is open, and nothing else knows it.
    Ok(unsafe { File::from_raw_fd(descriptor) })
}
