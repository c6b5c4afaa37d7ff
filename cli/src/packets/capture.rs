//! Packets in a file as libpcap reads them.
//!
//! The link type is `LINKTYPE_NFLOG` (239), as `tcpdump -i nflog:N -w FILE` has it: what stands behind the netlink header, as
//! the kernel told it. So nothing is lost: the rule's prefix, interfaces, marks and owners stay with each packet, which
//! raw IP (101) has no place for, and packets that are no IP can be in it.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use ringlink::codec::netfilter::packet::ReceivedAt;

use crate::failure::Failure;

/// The most bytes of a packet, as the file says: more than a netlink attribute can hold.
const LONGEST: u32 = 0x0004_0000;

/// `LINKTYPE_NFLOG`.
const NFLOG: u32 = 239;

/// A file of packets.
pub(super) struct Capture {
    name: String,
    file: BufWriter<Box<dyn Write>>,
}

impl Capture {
    /// Makes a file, or takes standard output where its name is `-`.
    pub(super) fn create(name: &str) -> Result<Self, Failure> {
        let file: Box<dyn Write> = match name {
            "-" => Box::new(io::stdout()),
            _ => Box::new(File::create(name).map_err(|error| failure(name, &error))?),
        };
        let mut capture = Self { name: name.to_owned(), file: BufWriter::with_capacity(1 << 17, file) };
        // In this machine's byte order, which readers tell by the first number; so are the attributes' lengths.
        capture.write(&[0xa1b2_c3d4, u32::from_ne_bytes(version()), 0, 0, LONGEST, NFLOG], &[])?;
        Ok(capture)
    }

    /// Adds what stands behind a message's header, and when the packet was received; packets that this machine sent have the
    /// present time.
    pub(super) fn add(&mut self, payload: &[u8], received: Option<ReceivedAt>) -> Result<(), Failure> {
        let (seconds, microseconds) = match received {
            Some(ReceivedAt { seconds, microseconds }) => (seconds, u32::try_from(microseconds).unwrap_or(0)),
            None => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                (now.as_secs(), now.subsec_micros())
            }
        };
        let length = u32::try_from(payload.len()).unwrap_or(LONGEST);
        // The format has 32 bits for seconds.
        let seconds = u32::try_from(seconds).unwrap_or(u32::MAX);
        self.write(&[seconds, microseconds, length, length], payload)
    }

    /// Writes what was gathered.
    pub(super) fn flush(&mut self) -> Result<(), Failure> {
        self.file.flush().map_err(|error| failure(&self.name, &error))
    }

    fn write(&mut self, numbers: &[u32], bytes: &[u8]) -> Result<(), Failure> {
        let mut written = numbers.iter().try_for_each(|number| self.file.write_all(&number.to_ne_bytes()));
        written = written.and_then(|()| self.file.write_all(bytes));
        written.map_err(|error| failure(&self.name, &error))
    }
}

/// Standard output fails as such: a reader that went away is no failure.
fn failure(name: &str, error: &io::Error) -> Failure {
    match name {
        "-" => Failure::Output(io::Error::from(error.kind())),
        _ => Failure::Input(format!("{name}: {error}")),
    }
}

/// Version 2.4, as two 16-bit numbers.
fn version() -> [u8; 4] {
    let ([a, b], [c, d]) = (2_u16.to_ne_bytes(), 4_u16.to_ne_bytes());
    [a, b, c, d]
}
