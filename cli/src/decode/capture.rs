//! Captures of `nlmon` interfaces: classic pcap and pcapng, of the link type that is netlink's (LINKTYPE_NETLINK).
//!
//! What is read is taken apart by its own lengths, none of which is believed. A packet that is not whole is an error with its
//! number and offset, and the next one is read; where a length hides where that is, the error ends the capture.
//!
//! <https://www.tcpdump.org/manpages/pcap-savefile.5.html>, <https://www.ietf.org/archive/id/draft-ietf-opsawg-pcapng-02.html>,
//! <https://www.tcpdump.org/linktypes/LINKTYPE_NETLINK.html>.

use std::fmt;

/// LINKTYPE_NETLINK.
const NETLINK: u32 = 253;

/// Bytes before each packet: how it went, the device's type, ten bytes of nothing, netlink's protocol.
const COOKED: usize = 16;

/// `ARPHRD_NETLINK`, the type of `nlmon` devices.
const DEVICE: u16 = 824;

/// A packet of a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packet<'c> {
    /// Which it is, from 1 on, as tcpdump and Wireshark count.
    pub(super) number: u64,
    /// Where its messages start in the file.
    pub(super) offset: usize,
    /// When it was captured, if that is told: nanoseconds since 1970.
    pub(super) time: Option<u64>,
    /// How it went.
    pub(super) direction: Direction,
    /// Netlink's protocol.
    pub(super) protocol: u16,
    /// Its messages.
    pub(super) bytes: &'c [u8],
    /// How many bytes of it were not captured.
    pub(super) missing: usize,
}

/// How a packet went (`sll_pkttype`, packet(7)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Direction(pub(super) u16);

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            0 => "host",
            1 => "broadcast",
            2 => "multicast",
            3 => "otherhost",
            4 => "outgoing",
            6 => "to user space",
            7 => "to the kernel",
            other => return write!(f, "type {other}"),
        })
    }
}

/// What is wrong with a capture, or with one of its packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    /// Which packet, from 1 on; for what is none, the one that comes next.
    pub(super) number: u64,
    /// Where in the file.
    pub(super) offset: usize,
    /// What is wrong.
    pub(super) text: String,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "packet {} at offset {}: {}", self.number, self.offset, self.text)
    }
}

/// The order of a file's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Little,
    Big,
}

impl Order {
    fn u16(self, bytes: &[u8], at: usize) -> Option<u16> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) })
    }

    fn u32(self, bytes: &[u8], at: usize) -> Option<u32> {
        let bytes = *bytes.get(at..)?.first_chunk()?;
        Some(if self == Self::Big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) })
    }

    /// A length.
    fn size(self, bytes: &[u8], at: usize) -> Option<usize> {
        self.u32(bytes, at).and_then(|size| usize::try_from(size).ok())
    }
}

/// An interface that packets were captured on.
#[derive(Clone, Copy, Debug)]
struct Interface {
    link: u32,
    /// The most that was captured of a packet; 0 for all.
    most: usize,
    /// How many nanoseconds a tick of its clock has, as a fraction.
    tick: (u128, u128),
    /// Seconds to be added.
    offset: i64,
}

/// What kind of file it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Classic,
    Blocks,
}

/// The packets of a capture.
#[derive(Debug)]
pub(super) struct Capture<'c> {
    bytes: &'c [u8],
    format: Format,
    order: Order,
    at: usize,
    number: u64,
    interfaces: Vec<Interface>,
}

/// Whether these are the first bytes of a capture: no netlink message is as long as its magic numbers say.
pub(super) fn is_capture(bytes: &[u8]) -> bool {
    kind(bytes).is_some()
}

fn kind(bytes: &[u8]) -> Option<(Format, Order, u128)> {
    Some(match bytes.first_chunk::<4>()? {
        [0xd4, 0xc3, 0xb2, 0xa1] => (Format::Classic, Order::Little, 1000),
        [0xa1, 0xb2, 0xc3, 0xd4] => (Format::Classic, Order::Big, 1000),
        [0x4d, 0x3c, 0xb2, 0xa1] => (Format::Classic, Order::Little, 1),
        [0xa1, 0xb2, 0x3c, 0x4d] => (Format::Classic, Order::Big, 1),
        [0x0a, 0x0d, 0x0d, 0x0a] => (Format::Blocks, Order::Little, 1000),
        _ => return None,
    })
}

impl<'c> Capture<'c> {
    /// A capture, where it begins as one does.
    pub(super) fn new(bytes: &'c [u8]) -> Result<Self, String> {
        let Some((format, order, tick)) = kind(bytes) else {
            return Err("neither pcap nor pcapng: no magic number at offset 0".into());
        };
        let mut capture = Self { bytes, format, order, at: 0, number: 0, interfaces: Vec::new() };
        if format == Format::Classic {
            let (Some(link), Some(most)) = (order.u32(bytes, 20), order.size(bytes, 16)) else {
                return Err(format!("pcap: the file's header has 24 bytes, {} are there", bytes.len()));
            };
            // The upper bits tell of checksums behind frames.
            capture.interfaces.push(Interface { link: link & 0x0fff_ffff, most, tick: (tick, 1), offset: 0 });
            capture.at = 24;
        }
        Ok(capture)
    }

    /// An error after which the rest cannot be read.
    fn last(&mut self, offset: usize, text: String) -> Fault {
        self.at = self.bytes.len();
        Fault { number: self.number, offset, text }
    }

    /// The next packet of a classic capture.
    fn classic(&mut self) -> Option<Result<Packet<'c>, Fault>> {
        let start = self.at;
        let rest = self.bytes.get(start..).filter(|rest| !rest.is_empty())?;
        self.number += 1;
        let order = self.order;
        let (Some(seconds), Some(fraction), Some(length), Some(whole)) =
            (order.u32(rest, 0), order.u32(rest, 4), order.size(rest, 8), order.size(rest, 12))
        else {
            return Some(Err(self.last(start, format!("a packet's header has 16 bytes, {} are there", rest.len()))));
        };
        let interface = *self.interfaces.first()?;
        let behind = rest.get(16..).unwrap_or_default();
        let Some(data) = behind.get(..length) else {
            let text = format!("{length} bytes according to its header, {} are there", behind.len());
            return Some(Err(self.last(start + 16, text)));
        };
        self.at = start + 16 + length;
        let time = u64::from(seconds) * 1_000_000_000 + ticks(fraction.into(), interface.tick);
        Some(self.packet(interface, Some(time), start + 16, data, whole))
    }

    /// The next packet of a capture in blocks; blocks of other kinds are read on the way.
    fn block(&mut self) -> Option<Result<Packet<'c>, Fault>> {
        loop {
            let start = self.at;
            let rest = self.bytes.get(start..).filter(|rest| !rest.is_empty())?;
            let short = |rest: &[u8]| format!("a block has 12 bytes at least, {} are there", rest.len());
            if rest.first_chunk() == Some(&[0x0a, 0x0d, 0x0d, 0x0a]) {
                self.order = match rest.get(8..12) {
                    Some([0x4d, 0x3c, 0x2b, 0x1a]) => Order::Little,
                    Some([0x1a, 0x2b, 0x3c, 0x4d]) => Order::Big,
                    Some(_) => return Some(Err(self.cut(start, "a section with no byte order in it".into()))),
                    None => return Some(Err(self.cut(start, short(rest)))),
                };
                self.interfaces.clear();
            }
            let order = self.order;
            let (Some(kind), Some(length)) = (order.u32(rest, 0), order.size(rest, 4)) else {
                return Some(Err(self.cut(start, short(rest))));
            };
            let Some(block) = rest.get(..length).filter(|_| length >= 12 && length.is_multiple_of(4)) else {
                let text = format!("a block of {length} bytes according to its header, {} are there", rest.len());
                return Some(Err(self.cut(start, text)));
            };
            self.at = start + length;
            let body = block.get(8..length - 4).unwrap_or_default();
            if order.size(block, length - 4) != Some(length) {
                let number = self.number + 1;
                if matches!(kind, 2 | 3 | 6) {
                    self.number = number;
                }
                let text = "the block's length is another at its end than at its start".into();
                return Some(Err(Fault { number, offset: start, text }));
            }
            let found = match kind {
                1 => {
                    match interface(order, body) {
                        Some(interface) => self.interfaces.push(interface),
                        None => {
                            // Its number is taken all the same.
                            self.interfaces.push(Interface { link: u32::MAX, most: 0, tick: (1, 1), offset: 0 });
                            let text = "the description of an interface is cut".into();
                            return Some(Err(Fault { number: self.number + 1, offset: start, text }));
                        }
                    }
                    continue;
                }
                // Packets as they are written now, and as they once were: with 16 bits of interface and 16 of drops.
                6 => (order.size(body, 0), 20),
                2 => (order.u16(body, 0).map(usize::from), 20),
                3 => (Some(0), 4),
                _ => continue,
            };
            self.number += 1;
            return Some(self.in_block(body, found, start + 8));
        }
    }

    /// An error of a block that hides where the next one starts.
    fn cut(&mut self, offset: usize, text: String) -> Fault {
        self.number += 1;
        self.last(offset, text)
    }

    /// A packet in a block's body, whose interface and whose header's length are known.
    fn in_block(
        &self,
        body: &'c [u8],
        (interface, header): (Option<usize>, usize),
        offset: usize,
    ) -> Result<Packet<'c>, Fault> {
        let fault = |text: String| Fault { number: self.number, offset, text };
        let order = self.order;
        let (Some(number), Some(behind)) = (interface, body.get(header..)) else {
            return Err(fault(format!(
                "a packet's block has {header} bytes before the packet, {} are there",
                body.len()
            )));
        };
        let Some(interface) = self.interfaces.get(number).copied() else {
            return Err(fault(format!("of interface {number}, which the section does not describe")));
        };
        let (time, length, whole) = match header {
            4 => {
                let whole = order.size(body, 0).unwrap_or(0);
                let most = if interface.most == 0 { usize::MAX } else { interface.most };
                (None, whole.min(most), whole)
            }
            _ => {
                let half = |at| u64::from(order.u32(body, at).unwrap_or(0));
                let since = u128::from(half(4) << 32 | half(8));
                let seconds = interface.offset.saturating_mul(1_000_000_000);
                let time = ticks(since, interface.tick).saturating_add_signed(seconds);
                (Some(time), order.size(body, 12).unwrap_or(0), order.size(body, 16).unwrap_or(0))
            }
        };
        let Some(data) = behind.get(..length) else {
            return Err(fault(format!("{length} bytes according to its header, {} are there", behind.len())));
        };
        self.packet(interface, time, offset + header, data, whole)
    }

    /// A packet, without what the capture put before it.
    fn packet(
        &self,
        interface: Interface,
        time: Option<u64>,
        offset: usize,
        data: &'c [u8],
        whole: usize,
    ) -> Result<Packet<'c>, Fault> {
        let fault = |text: String| Fault { number: self.number, offset, text };
        if interface.link != NETLINK {
            return Err(fault(format!("link type {}, {NETLINK} (netlink) expected", interface.link)));
        }
        // This header is in network order whatever the file's is.
        let word = |at| Order::Big.u16(data, at);
        let (Some(direction), Some(device), Some(protocol)) = (word(0), word(2), word(14)) else {
            return Err(fault(format!("its header has {COOKED} bytes, {} are there", data.len())));
        };
        if device != DEVICE {
            return Err(fault(format!("of a device of type {device}, {DEVICE} (netlink) expected")));
        }
        Ok(Packet {
            number: self.number,
            offset: offset + COOKED,
            time,
            direction: Direction(direction),
            protocol,
            bytes: data.get(COOKED..).unwrap_or_default(),
            missing: whole.saturating_sub(data.len()),
        })
    }
}

impl<'c> Iterator for Capture<'c> {
    type Item = Result<Packet<'c>, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.format {
            Format::Classic => self.classic(),
            Format::Blocks => self.block(),
        }
    }
}

/// So many ticks in nanoseconds.
fn ticks(count: u128, (of, by): (u128, u128)) -> u64 {
    u64::try_from(count.saturating_mul(of) / by).unwrap_or(u64::MAX)
}

/// What a block says of an interface.
fn interface(order: Order, body: &[u8]) -> Option<Interface> {
    let (link, most) = (order.u16(body, 0)?, order.size(body, 4)?);
    let mut found = Interface { link: link.into(), most, tick: (1000, 1), offset: 0 };
    let mut options = body.get(8..).unwrap_or_default();
    while let (Some(kind @ 1..), Some(length)) = (order.u16(options, 0), order.u16(options, 2)) {
        let length = usize::from(length);
        let value = options.get(4..4 + length)?;
        match (kind, value) {
            // The clock's resolution: a negative power of ten, or of two where the highest bit is set.
            (9, [power @ 0..=0x7f]) => {
                let power = u32::from(*power);
                let ten = |power| 10_u128.checked_pow(power).unwrap_or(u128::MAX);
                found.tick = if power <= 9 { (ten(9 - power), 1) } else { (1, ten(power - 9)) };
            }
            (9, [power]) => found.tick = (1_000_000_000, 1_u128 << (power & 0x7f)),
            (14, value) => {
                let bytes = *value.first_chunk()?;
                found.offset = if order == Order::Big { i64::from_be_bytes(bytes) } else { i64::from_le_bytes(bytes) };
            }
            _ => {}
        }
        options = options.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: &[u8] = b"first message...";
    const SECOND: &[u8] = b"second message of another length";
    /// 2001-09-09T01:46:40.000005Z.
    const TIME: u64 = 1_000_000_000_000_005_000;

    fn number(order: Order, number: u32) -> [u8; 4] {
        if order == Order::Big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn half(order: Order, number: u16) -> [u8; 2] {
        if order == Order::Big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn cooked(protocol: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 7, 0x03, 0x38, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, protocol];
        bytes.extend(payload);
        bytes
    }

    fn classic(order: Order, magic: u32, fraction: u32) -> Vec<u8> {
        let mut file = Vec::from(number(order, magic));
        file.extend(half(order, 2));
        file.extend(half(order, 4));
        for field in [0, 0, 262_144, 253] {
            file.extend(number(order, field));
        }
        for (protocol, payload) in [(0, FIRST), (16, SECOND)] {
            let data = cooked(protocol, payload);
            let length = u32::try_from(data.len()).unwrap();
            for field in [1_000_000_000, fraction, length, length] {
                file.extend(number(order, field));
            }
            file.extend(data);
        }
        file
    }

    fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
        let padded = body.len().next_multiple_of(4);
        let length = number(order, u32::try_from(padded + 12).unwrap());
        let mut block = [&number(order, kind)[..], &length, body].concat();
        block.resize(padded + 8, 0);
        block.extend(length);
        block
    }

    fn blocks(order: Order) -> Vec<u8> {
        let numbers = |numbers: &[u32]| numbers.iter().flat_map(|field| number(order, *field)).collect::<Vec<u8>>();
        let section = [numbers(&[0x1a2b_3c4d]), Vec::from(half(order, 1)), vec![0; 2], vec![0xff; 8]].concat();
        // Microseconds, by an option, an option that says nothing here, and the end of options.
        let options = [&half(order, 9)[..], &half(order, 1), &[6, 0, 0, 0], &half(order, 2), &half(order, 3), b"nl0\0"];
        let interface = [&half(order, 253)[..], &[0; 2], &numbers(&[0]), &options.concat(), &[0; 4]].concat();
        let micros = TIME / 1000;
        let (high, low) = (u32::try_from(micros >> 32).unwrap(), u32::try_from(micros & 0xffff_ffff).unwrap());
        let data = cooked(0, FIRST);
        let length = u32::try_from(data.len()).unwrap();
        let packet = [numbers(&[0, high, low, length, length]), data].concat();
        let data = cooked(16, SECOND);
        let simple = [numbers(&[u32::try_from(data.len()).unwrap()]), data].concat();
        [
            block(order, 0x0a0d_0d0a, &section),
            block(order, 1, &interface),
            block(order, 6, &packet),
            // Names, which are passed over.
            block(order, 4, &[0; 4]),
            block(order, 3, &simple),
        ]
        .concat()
    }

    fn files() -> Vec<Vec<u8>> {
        let mut files = Vec::new();
        for order in [Order::Little, Order::Big] {
            files.extend([classic(order, 0xa1b2_c3d4, 5), classic(order, 0xa1b2_3c4d, 5000), blocks(order)]);
        }
        files
    }

    fn read(file: &[u8]) -> Vec<Result<Packet<'_>, Fault>> {
        // More than there are bytes would be a loop.
        Capture::new(file).map(|capture| capture.take(file.len()).collect()).unwrap_or_default()
    }

    #[test]
    fn every_kind_of_file_says_the_same() {
        for file in files() {
            assert!(is_capture(&file));
            let packets: Vec<_> = read(&file).into_iter().map(|packet| packet.expect("whole")).collect();
            let found: Vec<_> =
                packets.iter().map(|packet| (packet.number, packet.protocol, packet.bytes, packet.missing)).collect();
            assert_eq!(found, [(1, 0, FIRST, 0), (2, 16, SECOND, 0)]);
            assert!(packets.iter().all(|packet| packet.direction.to_string() == "to the kernel"));
            assert_eq!(packets[0].time, Some(TIME));
            for packet in packets {
                assert_eq!(file[packet.offset..][..packet.bytes.len()], *packet.bytes);
            }
        }
    }

    #[test]
    fn what_is_cut_is_an_error_and_what_is_before_it_is_not() {
        for file in files() {
            let whole = read(&file);
            let ends: Vec<usize> = whole.iter().flatten().map(|packet| packet.offset + packet.bytes.len()).collect();
            for length in 0..file.len() {
                let found = read(&file[..length]);
                let good = found.iter().flatten().count();
                assert!(good <= ends.iter().filter(|end| **end <= length).count(), "{length}");
                if length >= ends[0] + 4 {
                    assert_eq!(found[0], whole[0], "{length}");
                }
                if let Some(Err(fault)) = found.last() {
                    assert!(fault.offset <= length, "{fault} of {length}");
                }
            }
        }
    }

    #[test]
    fn damage_is_no_panic_and_no_loop() {
        for file in files() {
            let mut damaged = file.clone();
            for at in 0..file.len() {
                for value in [0, 1, 4, 0x7f, 0x80, 0xff] {
                    damaged[at] = value;
                    let found = read(&damaged);
                    assert!(found.len() < 16, "{at} is {value}: {}", found.len());
                }
                damaged[at] = file[at];
            }
        }
    }

    #[test]
    fn faults_have_a_number_and_a_place() {
        let faults = |file: &[u8]| -> Vec<String> {
            read(file).into_iter().filter_map(Result::err).map(|fault| fault.to_string()).collect()
        };
        let file = classic(Order::Little, 0xa1b2_c3d4, 5);
        let mut lying = file.clone();
        lying[24 + 8..][..4].copy_from_slice(&u32::MAX.to_le_bytes());
        assert_eq!(
            faults(&lying),
            [format!("packet 1 at offset 40: 4294967295 bytes according to its header, {} are there", file.len() - 40)]
        );
        let mut other = file.clone();
        other[24 + 16 + 2] = 0;
        assert_eq!(faults(&other), ["packet 1 at offset 40: of a device of type 56, 824 (netlink) expected"]);
        assert_eq!(read(&other).len(), 2, "the next is read");
        let mut linked = file.clone();
        linked[20] = 1;
        assert_eq!(faults(&linked).len(), 2);
        assert!(faults(&linked)[1].ends_with("link type 1, 253 (netlink) expected"));
        let mut short = file.clone();
        short[24 + 12..][..4].copy_from_slice(&100_u32.to_le_bytes());
        assert_eq!(read(&short)[0].as_ref().map(|packet| packet.missing), Ok(100 - 32));
        // A packet of an interface that is not described, and the one behind it.
        let file = blocks(Order::Big);
        let at = file.windows(16).position(|window| window == FIRST).expect("it is there") - 16 - 20;
        let mut strange = file.clone();
        strange[at + 3] = 9;
        assert_eq!(
            faults(&strange),
            [format!("packet 1 at offset {at}: of interface 9, which the section does not describe")]
        );
        assert_eq!(read(&strange).len(), 2);
        // A block that is no packet, and whose two lengths differ, is counted with the packet behind it.
        let mut section = file.clone();
        section[27] += 1;
        assert!(faults(&section)[0].starts_with("packet 1 at offset 0: the block's length is another"));
        assert!(Capture::new(b"no").is_err() && Capture::new(&[0xd4, 0xc3, 0xb2, 0xa1]).is_err());
    }

    #[test]
    fn clocks_of_any_resolution() {
        for (power, expected) in
            [(9, 5), (6, 5000), (0, 5_000_000_000), (12, 0), (0x80, 5_000_000_000), (0x80 | 1, 2_500_000_000)]
        {
            let body = [&[253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0][..], &[power, 0, 0, 0]].concat();
            let interface = interface(Order::Little, &body).expect("whole");
            assert_eq!(ticks(5, interface.tick), expected, "{power}");
        }
        for power in 0..=u8::MAX {
            let body = [&[253, 0, 0, 0, 0, 0, 0, 0, 9, 0, 1, 0][..], &[power, 0, 0, 0]].concat();
            let interface = interface(Order::Little, &body).expect("whole");
            let _ = ticks(u64::MAX.into(), interface.tick);
        }
    }
}
