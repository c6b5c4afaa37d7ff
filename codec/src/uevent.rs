//! Devices that come, go and change, as the kernel tells of them and as udev passes it on (`NETLINK_KOBJECT_UEVENT`;
//! lib/kobject_uevent.c, and src/libsystemd/sd-device/device-monitor.c of systemd).
//!
//! These are no netlink messages: a datagram is an event. The kernel's is `ACTION@PATH` and properties, each with a NUL behind
//! it; udev's begins with a [`UdevHeader`] that says where the properties stand. Which of both is meant says the multicast group:
//! the kernel's must have come from port 0, udev's from user 0, for anybody may write what looks like either.
//!
//! ```
//! use ringlink_codec::uevent::Uevent;
//!
//! let event = Uevent::from_kernel(b"add@/devices/virtual/net/d0\0ACTION=add\0DEVPATH=/devices/virtual/net/d0\0\
//!     SUBSYSTEM=net\0INTERFACE=d0\0IFINDEX=7\0SEQNUM=812\0")?;
//! assert_eq!((event.action.to_str(), event.devpath.to_str()), (Some("add"), Some("/devices/virtual/net/d0")));
//! assert_eq!(event.get("INTERFACE").and_then(|name| name.to_str()), Some("d0"));
//! assert_eq!(event.sequence(), Some(812));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use crate::record;
use crate::table::{Be32, Chars, Record, Text};
use crate::wire::{Error, ErrorKind, Writer, short};

record! {
    /// What udev's events begin with (`struct monitor_netlink_header`).
    pub UdevHeader, "", "" {
        /// `libudev`.
        prefix: Chars<8>,
        /// [`UdevHeader::MAGIC`].
        magic: Be32,
        /// Bytes of this header, as the sender has it.
        header_size: u32,
        /// Where the properties start, in bytes from the start of the datagram.
        properties_off: u32,
        /// Bytes that they have.
        properties_len: u32,
        /// [`hash`] of the subsystem, for filters in the kernel; 0 for none.
        filter_subsystem_hash: Be32,
        /// [`hash`] of the device's type; 0 for none.
        filter_devtype_hash: Be32,
        /// Bloom filter of the device's tags, the high half.
        filter_tag_bloom_hi: Be32,
        /// The low half.
        filter_tag_bloom_lo: Be32,
    }
}

impl UdevHeader {
    /// What is in `magic`: the version of the format.
    pub const MAGIC: u32 = 0xfeed_cafe;
}

/// An event.
#[derive(Clone, Copy, Debug)]
pub struct Uevent<'a> {
    /// What happened: `add`, `remove`, `change`, `move`, `online`, `offline`, `bind`, `unbind`.
    pub action: Text<'a>,
    /// The device, as a path below `/sys`.
    pub devpath: Text<'a>,
    /// What else is told.
    pub properties: Properties<'a>,
    /// The header, of an event of udev's.
    pub header: Option<UdevHeader>,
}

impl<'a> Uevent<'a> {
    /// The event in a datagram of the kernel's.
    ///
    /// # Errors
    ///
    /// If it does not begin with an action, `@`, a path and a NUL.
    pub fn from_kernel(datagram: &'a [u8]) -> Result<Self, Error> {
        let end = datagram.iter().position(|byte| *byte == 0);
        let cut = Error::new(ErrorKind::MessageTruncated { found: short(datagram.len()) }, 0);
        let (head, rest) = end.and_then(|end| datagram.split_at_checked(end)).ok_or(cut)?;
        let at = head.iter().position(|byte| *byte == b'@');
        let (action, path) = at.and_then(|at| head.split_at_checked(at)).ok_or_else(|| malformed(0))?;
        let (Some((_, devpath)), Some((_, properties)), false) =
            (path.split_first(), rest.split_first(), action.is_empty())
        else {
            return Err(malformed(0));
        };
        let offset = datagram.len().saturating_sub(properties.len());
        let properties = Properties { rest: properties, offset };
        Ok(Self { action: Text::from_bytes(action), devpath: Text::from_bytes(devpath), properties, header: None })
    }

    /// The event in a datagram of udev's. Action and path are empty where there are no such properties.
    ///
    /// # Errors
    ///
    /// If it does not begin with udev's header, or that says properties which are not there.
    pub fn from_udev(datagram: &'a [u8]) -> Result<Self, Error> {
        const SIZE: usize = size_of::<UdevHeader>();
        if datagram.len() < SIZE {
            let kind = ErrorKind::PayloadLength { found: short(datagram.len()), expected: short(SIZE) };
            return Err(Error::new(kind, 0));
        }
        let header = UdevHeader::from_bytes(datagram);
        if header.prefix != Chars(*b"libudev\0") {
            return Err(malformed(0));
        }
        if header.magic != UdevHeader::MAGIC {
            return Err(malformed(8));
        }
        let (start, length) = (usize::try_from(header.properties_off), usize::try_from(header.properties_len));
        let (start, length) = (start.unwrap_or(usize::MAX), length.unwrap_or(usize::MAX));
        let bytes = datagram.get(start..).filter(|_| start >= SIZE).and_then(|rest| rest.get(..length));
        let Some(bytes) = bytes else {
            let kind = ErrorKind::RecordLength { length: header.properties_len, available: short(datagram.len()) };
            return Err(Error::new(kind, 16));
        };
        let properties = Properties { rest: bytes, offset: start };
        let get = |name| properties.get(name).unwrap_or_default();
        Ok(Self { action: get("ACTION"), devpath: get("DEVPATH"), properties, header: Some(header) })
    }

    /// The first property of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Text<'a>> {
        self.properties.get(name)
    }

    /// The device's subsystem (`SUBSYSTEM`).
    #[must_use]
    pub fn subsystem(&self) -> Option<Text<'a>> {
        self.get("SUBSYSTEM")
    }

    /// The event's number (`SEQNUM`): the machine's events are counted through, but not all of them are told in each network
    /// namespace.
    #[must_use]
    pub fn sequence(&self) -> Option<u64> {
        self.get("SEQNUM")?.to_str()?.parse().ok()
    }
}

/// Properties, in order: name and value. Yields the error of a broken one once, then ends.
#[derive(Clone, Copy, Debug)]
pub struct Properties<'a> {
    rest: &'a [u8],
    offset: usize,
}

impl<'a> Properties<'a> {
    /// The first property of this name.
    #[must_use]
    pub fn get(self, name: &str) -> Option<Text<'a>> {
        self.map_while(Result::ok).find(|(found, _)| *found == name).map(|(_, value)| value)
    }
}

impl<'a> Iterator for Properties<'a> {
    type Item = Result<(Text<'a>, Text<'a>), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let bytes = core::mem::take(&mut self.rest);
        if bytes.is_empty() {
            return None;
        }
        let end = bytes.iter().position(|byte| *byte == 0);
        let Some((property, rest)) = end.and_then(|end| bytes.split_at_checked(end)) else {
            return Some(Err(Error::new(
                ErrorKind::MessageTruncated { found: short(bytes.len()) },
                short(self.offset),
            )));
        };
        let at = property.iter().position(|byte| *byte == b'=');
        let parts = at.and_then(|at| property.split_at_checked(at));
        let Some((name, Some((_, value)))) = parts.map(|(name, value)| (name, value.split_first())) else {
            return Some(Err(malformed(self.offset)));
        };
        self.rest = rest.get(1..).unwrap_or_default();
        self.offset = self.offset.saturating_add(bytes.len().saturating_sub(self.rest.len()));
        Some(Ok((Text::from_bytes(name), Text::from_bytes(value))))
    }
}

impl core::iter::FusedIterator for Properties<'_> {}

/// Writes an event as udev does; the hashes are those of the properties, without tags.
///
/// # Errors
///
/// If the buffer is too small.
///
/// ```
/// use ringlink_codec::uevent::{self, Uevent};
///
/// let mut buffer = [0; 128];
/// let bytes = uevent::write_udev(&mut buffer, &[("ACTION", "add"), ("DEVPATH", "/devices/x"), ("SUBSYSTEM", "net")])?;
/// let event = Uevent::from_udev(bytes)?;
/// assert_eq!(event.action, "add");
/// assert_eq!(event.header.map(|header| header.filter_subsystem_hash.get()), Some(uevent::hash(b"net")));
/// # Ok::<(), ringlink_codec::Error>(())
/// ```
pub fn write_udev<'b>(buffer: &'b mut [u8], properties: &[(&str, &str)]) -> Result<&'b mut [u8], Error> {
    let size = |(name, value): &(&str, &str)| name.len().saturating_add(value.len()).saturating_add(2);
    let length = properties.iter().map(size).fold(0, usize::saturating_add);
    let hashed = |name| {
        let found = properties.iter().find(|(other, _)| *other == name);
        Be32::new(found.map_or(0, |(_, value)| hash(value.as_bytes())))
    };
    let header = UdevHeader {
        prefix: Chars(*b"libudev\0"),
        magic: Be32::new(UdevHeader::MAGIC),
        header_size: short(size_of::<UdevHeader>()),
        properties_off: short(size_of::<UdevHeader>()),
        properties_len: short(length),
        filter_subsystem_hash: hashed("SUBSYSTEM"),
        filter_devtype_hash: hashed("DEVTYPE"),
        ..UdevHeader::default()
    };
    let mut writer = Writer::new(buffer);
    header.write(&mut writer);
    for (name, value) in properties {
        for part in [name.as_bytes(), b"=", value.as_bytes(), b"\0"] {
            writer.bytes(part);
        }
    }
    writer.finish()
}

/// The hash that udev's filters go by: MurmurHash2, with seed 0.
#[must_use]
pub fn hash(bytes: &[u8]) -> u32 {
    const FACTOR: u32 = 0x5bd1_e995;
    let mut hash = short(bytes.len());
    let (words, rest) = bytes.as_chunks::<4>();
    for word in words {
        let word = u32::from_le_bytes(*word).wrapping_mul(FACTOR);
        let word = (word ^ (word >> 24)).wrapping_mul(FACTOR);
        hash = hash.wrapping_mul(FACTOR) ^ word;
    }
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0, |word, byte| (word << 8) | u32::from(*byte));
        hash = hash.wrapping_mul(FACTOR);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(FACTOR);
    hash ^ (hash >> 15)
}

/// What stands at `offset` is not what has to be there.
#[cold]
fn malformed(offset: usize) -> Error {
    Error::new(ErrorKind::Unexpected, short(offset))
}
