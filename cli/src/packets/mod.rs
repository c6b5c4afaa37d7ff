//! `log` and `queue`: packets that rules tell of, or hand over for a verdict.

use std::fmt::{self, Write};
use std::net::IpAddr;

use ringlink::codec::diag::IpProtocol;
use ringlink::codec::netfilter::Family;
use ringlink::codec::netfilter::packet::{Hook, ReceivedAt, SenderAddress, VlanTag, hook_name};
use ringlink::codec::route::EtherType;
use ringlink::packets::{Extent, PacketConfig};

use crate::arguments::{Words, number};
use crate::failure::Failure;
use crate::names::Names;
use crate::output::{Formatted, FormattedNumber, Hex, Output};
use crate::session::{Session, warn};

pub(crate) mod log;
pub(crate) mod queue;

mod capture;

/// What packets are received with, by the options before the object.
fn config(session: &Session) -> PacketConfig {
    let defaults = PacketConfig::default();
    let mut socket = session.config().socket.clone();
    socket.receive_buffer = socket.receive_buffer.or(defaults.socket.receive_buffer);
    PacketConfig { engine: session.config().engine, socket }
}

/// What the log and queues tell alike.
struct Told<'a> {
    family: Family,
    hook: Hook,
    protocol: EtherType,
    received: Option<ReceivedAt>,
    interfaces: [Option<u32>; 4],
    mark: Option<u32>,
    sender: Option<SenderAddress>,
    owner: Option<(u32, u32)>,
    vlan: Option<VlanTag>,
    payload: Option<&'a [u8]>,
}

impl Told<'_> {
    fn print(&self, row: &mut Output, names: &Names) {
        match self.family {
            Family::IPV4 => row.field("family", "", "ip"),
            Family::IPV6 => row.field("family", "", "ip6"),
            family => row.field("family", "", Formatted(format_args!("{}", Lower(family)))),
        }
        match hook_name(self.family, self.hook) {
            Some(name) => row.field("hook", "", name),
            None => row.field("hook", "hook", self.hook.0),
        }
        for (key, index) in ["in", "out", "physin", "physout"].into_iter().zip(self.interfaces) {
            if let Some(index) = index {
                row.field(key, key, names.interface(index));
            }
        }
        if let Some(ReceivedAt { seconds, microseconds }) = self.received {
            row.json("received", FormattedNumber(format_args!("{seconds}.{microseconds:06}")));
        }
        if let Some(mark) = self.mark {
            row.json("mark", mark);
            row.word("mark");
            row.word(Hex(mark.into()));
        }
        if let Some(sender) = &self.sender {
            row.field("lladdr", "lladdr", Formatted(format_args!("{sender}")));
        }
        if let Some((user, group)) = self.owner {
            row.field("uid", "uid", user);
            row.field("gid", "gid", group);
        }
        if let Some(vlan) = self.vlan {
            row.field("vlan", "vlan", vlan.id());
            row.json("vlan_protocol", Formatted(format_args!("{}", vlan.protocol)));
            row.json("vlan_priority", vlan.priority());
        }
        row.json("ethertype", Formatted(format_args!("{}", self.protocol)));
        if let Some(payload) = self.payload {
            if let Some(packet) = Addresses::of(payload) {
                packet.print(row);
            }
            row.field("length", "length", u64::try_from(payload.len()).unwrap_or(u64::MAX));
        }
    }
}

/// A family's name in small letters.
struct Lower(Family);

impl fmt::Display for Lower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.name() {
            Some(name) => name.chars().try_for_each(|letter| f.write_char(letter.to_ascii_lowercase())),
            None => self.0.fmt(f),
        }
    }
}

/// Who sends an IP packet to whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Addresses {
    source: IpAddr,
    destination: IpAddr,
    protocol: u8,
    /// Of TCP, UDP and their kin.
    ports: Option<(u16, u16)>,
}

impl Addresses {
    /// Reads an IP header; `None` where the bytes are none. Extension headers of IPv6 are not gone through.
    fn of(packet: &[u8]) -> Option<Self> {
        let (source, destination, protocol, behind, first) = match packet.first()? >> 4 {
            4 => {
                let address = |at: usize| Some(IpAddr::from(*packet.get(at..)?.first_chunk::<4>()?));
                let length = usize::from(packet.first()? & 0xf) * 4;
                let fragment = u16::from_be_bytes(*packet.get(6..)?.first_chunk()?) & 0x1fff;
                (address(12)?, address(16)?, *packet.get(9)?, packet.get(length.max(20)..), fragment == 0)
            }
            6 => {
                let address = |at: usize| Some(IpAddr::from(*packet.get(at..)?.first_chunk::<16>()?));
                (address(8)?, address(24)?, *packet.get(6)?, packet.get(40..), true)
            }
            _ => return None,
        };
        // TCP, UDP, DCCP, SCTP, UDP-Lite: they all begin with the ports.
        let ports = matches!(protocol, 6 | 17 | 33 | 132 | 136) && first;
        let ports = behind.filter(|_| ports).and_then(|behind| behind.first_chunk::<4>());
        let ports = ports.map(|[a, b, c, d]| (u16::from_be_bytes([*a, *b]), u16::from_be_bytes([*c, *d])));
        Some(Self { source, destination, protocol, ports })
    }

    fn print(&self, row: &mut Output) {
        match IpProtocol(self.protocol).name() {
            Some(name) => row.field("protocol", "", Formatted(format_args!("{name}"))),
            None => row.field("protocol", "protocol", self.protocol),
        }
        row.field("src", "", self.source);
        if let Some((source, _)) = self.ports {
            row.json("sport", source);
            row.glue(".");
            row.glue(source);
        }
        row.word(">");
        row.field("dst", "", self.destination);
        if let Some((_, destination)) = self.ports {
            row.json("dport", destination);
            row.glue(".");
            row.glue(destination);
        }
    }
}

/// The number behind `--count`: how many packets there are to be, at least one.
fn count(words: &mut Words<'_>) -> Result<u64, Failure> {
    words.parse("a number of packets, at least 1", |word| number(word).filter(|count| *count > 0))
}

/// The number behind `--range`: how many bytes of each packet are wanted, 0 for what is known of it alone.
fn range(words: &mut Words<'_>) -> Result<Extent, Failure> {
    Ok(match words.number()? {
        0 => Extent::Metadata,
        bytes => Extent::First(bytes),
    })
}

/// Tells on standard error how many more packets were lost since this was last asked.
fn tell_losses(lost: u64, told: &mut u64) {
    if lost != *told {
        warn(format_args!("{} packets were lost", lost.wrapping_sub(*told)));
        *told = lost;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_any_bytes() {
        let mut packet = [0_u8; 60];
        for first in 0..=u8::MAX {
            packet[0] = first;
            for length in 0..packet.len() {
                let _ = Addresses::of(&packet[..length]);
            }
        }
        packet[..20].copy_from_slice(&[0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2]);
        packet[20..24].copy_from_slice(&[0, 7, 1, 0]);
        let found = Addresses::of(&packet[..28]).expect("a header");
        assert_eq!((found.source.to_string().as_str(), found.protocol, found.ports), ("10.0.0.1", 17, Some((7, 256))));
        // A later fragment has no ports.
        packet[7] = 1;
        assert_eq!(Addresses::of(&packet[..28]).and_then(|packet| packet.ports), None);
    }
}
