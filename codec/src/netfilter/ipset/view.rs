//! Sets and entries read whole; entries written, too.

use core::net::IpAddr;

use super::{Create, DataFlags, Entries, Entry, Ip, Set, SetMessage};
use crate::Text;
use crate::netfilter::Family;
use crate::table::{All, AttributeWriter, Attributes, Body, HardwareAddress, Key, Many, Nest};
use crate::wire::Error;

/// A set, or where a set takes several messages, a part of it.
#[derive(Clone, Copy, Debug)]
pub struct SetView<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// The name of its type; `None` where the message goes on with the entries of the set before, or tells names alone.
    pub kind: Option<Text<'a>>,
    /// The type's revision.
    pub revision: u8,
    /// Whose addresses it holds.
    pub family: Family,
    /// The kernel's number of it.
    pub index: Option<u16>,
    /// What it is made with, and how it is.
    pub header: Option<SetHeader>,
    entries: Option<Attributes<'a, Entries>>,
}

/// What a set is made with, and how it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SetHeader {
    /// What a bitmap may hold.
    pub range: Option<Range>,
    /// How long entries stay that say nothing else, in seconds; 0 for ever.
    pub timeout: Option<u32>,
    /// What entries have beside them.
    pub flags: DataFlags,
    /// Which bits of marks count.
    pub mark_mask: Option<u32>,
    /// Which bits of addresses count.
    pub bitmask: Option<IpAddr>,
    /// How many bits of addresses count.
    pub netmask: Option<u8>,
    /// Where the hash starts.
    pub initval: Option<u32>,
    /// Slots of the hash.
    pub hash_size: Option<u32>,
    /// Most entries of a hash.
    pub max_elements: Option<u32>,
    /// Most entries of one slot of the hash.
    pub bucket_size: Option<u8>,
    /// Most entries of a list.
    pub size: Option<u32>,
    /// How many entries there are.
    pub elements: u32,
    /// How many rules and sets refer to it.
    pub references: u32,
    /// Memory that it takes, in bytes.
    pub memory: u32,
}

/// What a bitmap may hold, ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Addresses.
    Addresses(IpAddr, IpAddr),
    /// Ports.
    Ports(u16, u16),
}

/// A mark for packets that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkbMark {
    /// The mark.
    pub mark: u32,
    /// Which of its bits count.
    pub mask: u32,
}

/// A priority for packets that match, as a class of traffic control.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkbPriority {
    /// The queueing discipline's number.
    pub major: u16,
    /// The class's number.
    pub minor: u16,
}

/// An entry: what is told, or what a request asks for.
#[derive(Clone, Copy, Debug, Default)]
pub struct EntryView<'a> {
    /// The first address.
    pub ip: Option<IpAddr>,
    /// The last of a range of addresses.
    pub ip_to: Option<IpAddr>,
    /// How many bits of the address count.
    pub cidr: Option<u8>,
    /// The second address.
    pub ip2: Option<IpAddr>,
    /// The last of a range of second addresses.
    pub ip2_to: Option<IpAddr>,
    /// How many bits of the second address count.
    pub cidr2: Option<u8>,
    /// The port's protocol (`IPPROTO_`).
    pub proto: Option<u8>,
    /// The port; of ICMP, type and code.
    pub port: Option<u16>,
    /// The last of a range of ports.
    pub port_to: Option<u16>,
    /// The mark.
    pub mark: Option<u32>,
    /// The hardware address.
    pub ether: Option<HardwareAddress<'a>>,
    /// The interface's name.
    pub interface: Option<Text<'a>>,
    /// The name of a set.
    pub name: Option<Text<'a>>,
    /// The name of the set beside which it is to stand.
    pub name_reference: Option<Text<'a>>,
    /// What is special about it.
    pub flags: DataFlags,
    /// How long it stays, in seconds; 0 for ever.
    pub timeout: Option<u32>,
    /// Packets that matched.
    pub packets: Option<u64>,
    /// Bytes that matched.
    pub bytes: Option<u64>,
    /// What somebody wrote about it.
    pub comment: Option<Text<'a>>,
    /// A mark for packets that match.
    pub skb_mark: Option<SkbMark>,
    /// A priority for packets that match.
    pub skb_priority: Option<SkbPriority>,
    /// A queue of the device for packets that match.
    pub skb_queue: Option<u16>,
    /// Which of many it is, in requests.
    pub line: Option<u32>,
}

impl<'a> SetView<'a> {
    /// Reads what a list, or the answer to [`IpSet::HEADER`](super::IpSet::HEADER), says of a set.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(body: Body<'a, SetMessage>) -> Result<Self, Error> {
        let (name, kind, revision, family, index, data, entries) = body.attributes.read((
            Set::SETNAME,
            Set::TYPENAME,
            Set::REVISION,
            Set::FAMILY,
            Set::INDEX,
            Set::DATA,
            Set::ADT,
        ))?;
        Ok(Self {
            name: name.unwrap_or_default(),
            kind,
            revision: revision.unwrap_or(0),
            family: family.unwrap_or_default(),
            index,
            header: data.map(SetHeader::read).transpose()?,
            entries,
        })
    }

    /// The entries that this message tells of.
    pub fn entries(&self) -> impl Iterator<Item = Result<EntryView<'a>, Error>> + use<'a> {
        let entries: Option<All<'a, Entries, Many<Nest<Entry>>>> =
            self.entries.map(|entries| entries.all(Entries::DATA));
        entries.into_iter().flatten().map(|entry| entry.and_then(EntryView::read))
    }
}

impl SetHeader {
    /// Reads what a set is made with.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(data: Attributes<'_, Create>) -> Result<Self, Error> {
        let (addresses, ports, timeout, flags, mark_mask, bitmask, netmask) = data.read((
            (Create::IP, Create::IP_TO),
            (Create::PORT, Create::PORT_TO),
            Create::TIMEOUT,
            Create::CADT_FLAGS,
            Create::MARKMASK,
            Create::BITMASK,
            Create::NETMASK,
        ))?;
        let (initval, hash_size, max_elements, bucket_size, size, elements, references, memory) = data.read((
            Create::INITVAL,
            Create::HASHSIZE,
            Create::MAXELEM,
            Create::BUCKETSIZE,
            Create::SIZE,
            Create::ELEMENTS,
            Create::REFERENCES,
            Create::MEMSIZE,
        ))?;
        let range = match (address(addresses.0)?, address(addresses.1)?, ports) {
            (Some(first), Some(last), _) => Some(Range::Addresses(first, last)),
            (.., (Some(first), Some(last))) => Some(Range::Ports(first, last)),
            _ => None,
        };
        Ok(Self {
            range,
            timeout,
            flags: flags.unwrap_or_default(),
            mark_mask,
            bitmask: address(bitmask)?,
            netmask,
            initval,
            hash_size,
            max_elements,
            bucket_size,
            size,
            elements: elements.unwrap_or(0),
            references: references.unwrap_or(0),
            memory: memory.unwrap_or(0),
        })
    }
}

impl<'a> EntryView<'a> {
    /// Reads an entry.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(entry: Attributes<'a, Entry>) -> Result<Self, Error> {
        let (
            (ip, ip_to, cidr),
            (ip2, ip2_to, cidr2),
            (proto, port, port_to),
            mark,
            ether,
            interface,
            names,
            extensions,
        ) = entry.read((
            (Entry::IP, Entry::IP_TO, Entry::CIDR),
            (Entry::IP2, Entry::IP2_TO, Entry::CIDR2),
            (Entry::PROTO, Entry::PORT, Entry::PORT_TO),
            Entry::MARK,
            Entry::ETHER,
            Entry::IFACE,
            (Entry::NAME, Entry::NAMEREF),
            (
                (Entry::CADT_FLAGS, Entry::TIMEOUT, Entry::CADT_LINENO),
                (Entry::PACKETS, Entry::BYTES, Entry::COMMENT),
                (Entry::SKBMARK, Entry::SKBPRIO, Entry::SKBQUEUE),
            ),
        ))?;
        let ((flags, timeout, line), (packets, bytes, comment), (skb_mark, skb_priority, skb_queue)) = extensions;
        Ok(Self {
            ip: address(ip)?,
            ip_to: address(ip_to)?,
            cidr,
            ip2: address(ip2)?,
            ip2_to: address(ip2_to)?,
            cidr2,
            proto,
            port,
            port_to,
            mark,
            ether,
            interface,
            name: names.0,
            name_reference: names.1,
            flags: flags.unwrap_or_default(),
            timeout,
            packets,
            bytes,
            comment,
            skb_mark: skb_mark.map(SkbMark::from_number),
            skb_priority: skb_priority.map(SkbPriority::from_number),
            skb_queue,
            line,
        })
    }

    /// Writes it, as a request has it.
    pub fn write(&self, entry: &mut AttributeWriter<'_, '_, Entry>) {
        let Self {
            ip,
            ip_to,
            cidr,
            ip2,
            ip2_to,
            cidr2,
            proto,
            port,
            port_to,
            mark,
            ether,
            interface,
            name,
            name_reference,
            flags,
            timeout,
            packets,
            bytes,
            comment,
            skb_mark,
            skb_priority,
            skb_queue,
            line,
        } = *self;
        put(entry, Entry::IP, ip);
        put(entry, Entry::IP_TO, ip_to);
        entry.put_some(Entry::CIDR, cidr);
        entry.put_some(Entry::PORT, port);
        entry.put_some(Entry::PORT_TO, port_to);
        entry.put_some(Entry::TIMEOUT, timeout);
        entry.put_some(Entry::PROTO, proto);
        entry.put_some(Entry::CADT_FLAGS, (flags != DataFlags::default()).then_some(flags));
        entry.put_some(Entry::CADT_LINENO, line);
        entry.put_some(Entry::MARK, mark);
        entry.put_some(Entry::ETHER, ether.map(|ether| ether.0));
        entry.put_some(Entry::NAME, name);
        entry.put_some(Entry::NAMEREF, name_reference);
        put(entry, Entry::IP2, ip2);
        entry.put_some(Entry::CIDR2, cidr2);
        put(entry, Entry::IP2_TO, ip2_to);
        entry.put_some(Entry::IFACE, interface);
        entry.put_some(Entry::BYTES, bytes);
        entry.put_some(Entry::PACKETS, packets);
        entry.put_some(Entry::COMMENT, comment);
        entry.put_some(Entry::SKBMARK, skb_mark.map(SkbMark::number));
        entry.put_some(Entry::SKBPRIO, skb_priority.map(SkbPriority::number));
        entry.put_some(Entry::SKBQUEUE, skb_queue);
    }
}

impl SkbMark {
    /// The mark and the mask that [`Entry::SKBMARK`] holds.
    #[must_use]
    pub const fn from_number(number: u64) -> Self {
        let [a, b, c, d, e, f, g, h] = number.to_be_bytes();
        Self { mark: u32::from_be_bytes([a, b, c, d]), mask: u32::from_be_bytes([e, f, g, h]) }
    }

    /// The mark above the mask, as [`Entry::SKBMARK`] holds them.
    #[must_use]
    pub const fn number(self) -> u64 {
        let ([a, b, c, d], [e, f, g, h]) = (self.mark.to_be_bytes(), self.mask.to_be_bytes());
        u64::from_be_bytes([a, b, c, d, e, f, g, h])
    }
}

impl SkbPriority {
    /// Both numbers, as [`Entry::SKBPRIO`] holds them.
    #[must_use]
    pub const fn from_number(number: u32) -> Self {
        let [a, b, c, d] = number.to_be_bytes();
        Self { major: u16::from_be_bytes([a, b]), minor: u16::from_be_bytes([c, d]) }
    }

    /// The major number above the minor one, as [`Entry::SKBPRIO`] holds them.
    #[must_use]
    pub const fn number(self) -> u32 {
        let ([a, b], [c, d]) = (self.major.to_be_bytes(), self.minor.to_be_bytes());
        u32::from_be_bytes([a, b, c, d])
    }
}

/// The address in a nest, where there is one.
fn address(nest: Option<Attributes<'_, Ip>>) -> Result<Option<IpAddr>, Error> {
    nest.map_or(Ok(None), Ip::read)
}

/// Writes an address, where there is one.
fn put(entry: &mut AttributeWriter<'_, '_, Entry>, key: Key<Entry, Nest<Ip>>, address: Option<IpAddr>) {
    if let Some(address) = address {
        entry.nest(key, |nest| Ip::write(nest, address));
    }
}
