//! WireGuard's devices, whole: the kernel tells a device with many peers in several messages, and is told one likewise.
//!
//! ```no_run
//! use ringlink::generic::{Generic, wireguard};
//!
//! let mut generic = Generic::open()?;
//! let (device, end) = wireguard::Device::get(&mut generic, "wg0")?;
//! assert!(end.is_complete());
//! for peer in &device.peers {
//!     println!("{:?} by way of {:?}: {} allowed addresses", peer.public_key, peer.endpoint, peer.allowed.len());
//! }
//! # Ok::<(), ringlink::Error>(())
//! ```
//!
//! Keys are wiped when they are dropped, and not shown by `Debug`. What the connection's buffers hold of them is overwritten
//! when it is no longer needed ([`Connection::wipe`](crate::Connection::wipe)).

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use ringlink_codec::generic::SocketFamily;
use ringlink_codec::generic::wireguard::{self as table, AllowedIp, DeviceFlags, PeerFlags, Request};
use ringlink_codec::reply::End;
use ringlink_codec::table::{AttributeWriter, Attributes, OwnedSecret, SecretBytes};

use super::Generic;
use crate::error::Error;

/// Bytes of a message to which peers are gathered; the kernel's own nests end at 64 KiB.
const GATHERED: usize = 16 * 1024;

/// A secret key. In a box, so that moving it leaves no copies.
pub type Key = Box<OwnedSecret<32>>;

/// A device and all its peers.
#[derive(Debug, Default)]
pub struct Device {
    /// Name of the interface.
    pub name: String,
    /// Its index.
    pub index: u32,
    /// Its secret key; told to those with `CAP_NET_ADMIN`.
    pub private_key: Option<Key>,
    /// The key by which others know it.
    pub public_key: Option<[u8; 32]>,
    /// Its UDP port.
    pub listen_port: u16,
    /// Mark of the packets it sends, 0 for none.
    pub mark: u32,
    /// Its peers.
    pub peers: Vec<Peer>,
}

/// The other end of a tunnel.
#[derive(Debug, Default)]
pub struct Peer {
    /// The key by which it is known.
    pub public_key: [u8; 32],
    /// A key that both know besides.
    pub preshared_key: Option<Key>,
    /// Where it was last heard from, or is to be looked for.
    pub endpoint: Option<SocketAddr>,
    /// Seconds between packets that keep the way open, 0 for none.
    pub keepalive: u16,
    /// When keys were last agreed on, since 1970.
    pub last_handshake: Option<Duration>,
    /// Bytes received.
    pub received: u64,
    /// Bytes sent.
    pub sent: u64,
    /// Addresses that it may use.
    pub allowed: Vec<Allowed>,
}

/// Addresses that a peer may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// The address.
    pub address: IpAddr,
    /// How many of its bits count.
    pub length: u8,
}

/// A part of a peer that fits into one message.
struct Piece<'d> {
    peer: &'d Peer,
    /// Whether it begins the peer, or goes on with more addresses.
    first: bool,
    allowed: &'d [Allowed],
}

impl Device {
    /// Reads a device, by its interface's name.
    ///
    /// The end says whether peers were added or taken away meanwhile: then some may be missing or twice.
    ///
    /// # Errors
    ///
    /// Those of [`Generic::dump`] and [`Dump::next`](crate::connection::Dump::next); [`Error::is_not_found`] where WireGuard is
    /// not there at all.
    pub fn get(generic: &mut Generic, name: &str) -> Result<(Device, End), Error> {
        let mut device = Device::default();
        generic.connection().wipe();
        let mut dump = generic.dump(Request::GET_DEVICE, |ask| ask.put(table::Device::IFNAME, name))?;
        while let Some(part) = dump.next()? {
            device.add(part.attributes)?;
        }
        let end = dump.end();
        Ok((device, end))
    }

    /// Adds what one message of a device tells.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where it cannot be read; what was read before stays.
    pub fn add(&mut self, part: Attributes<'_, table::Device>) -> Result<(), Error> {
        let ((name, index, private), (public, port, mark, peers)) = part.read((
            (table::Device::IFNAME, table::Device::IFINDEX, table::Device::PRIVATE_KEY),
            (table::Device::PUBLIC_KEY, table::Device::LISTEN_PORT, table::Device::FWMARK, table::Device::PEERS),
        ))?;
        if let Some(name) = name {
            self.name = name.to_string();
        }
        self.index = index.unwrap_or(self.index);
        self.private_key = private.and_then(key).or(self.private_key.take());
        self.public_key = public.or(self.public_key);
        self.listen_port = port.unwrap_or(self.listen_port);
        self.mark = mark.unwrap_or(self.mark);
        for peer in peers.into_iter().flatten() {
            let (_, peer) = peer?;
            let public = peer.get(table::Peer::PUBLIC_KEY)?.unwrap_or_default();
            match self.peers.last_mut() {
                // It did not fit into the message before.
                Some(last) if last.public_key == public => last.allow(peer)?,
                _ => self.peers.push(Peer::read(public, peer)?),
            }
        }
        Ok(())
    }

    /// Makes the device what this says: its peers are these and no others. The index, times and counters do not matter.
    ///
    /// It takes several messages if there are many peers. Where one fails, those before it hold.
    ///
    /// # Errors
    ///
    /// Those of [`Generic::apply`].
    pub fn set(&self, generic: &mut Generic) -> Result<(), Error> {
        let pieces = self.pieces();
        let mut rest = pieces.as_slice();
        let mut first = true;
        while first || !rest.is_empty() {
            let (message, behind) = rest.split_at(fitting(rest));
            generic.apply(Request::SET_DEVICE, |device| self.write(device, first, message))?;
            (rest, first) = (behind, false);
        }
        Ok(())
    }

    /// Writes one of the messages; what is not about peers is in the first.
    fn write(&self, to: &mut AttributeWriter<'_, '_, table::Device>, first: bool, peers: &[Piece<'_>]) {
        to.put(table::Device::IFNAME, self.name.as_str());
        if first {
            to.put(table::Device::FLAGS, DeviceFlags::REPLACE_PEERS);
            // Zeros take a key away.
            let private = self.private_key.as_ref().map_or(SecretBytes::new(&[0; 32]), |key| key.get());
            to.put(table::Device::PRIVATE_KEY, private);
            to.put(table::Device::LISTEN_PORT, self.listen_port);
            to.put(table::Device::FWMARK, self.mark);
        }
        to.indexed(table::Device::PEERS, |list| {
            peers.iter().for_each(|piece| list.nest(0, |peer| piece.write(peer)));
        });
    }

    /// The peers in parts, none of which is larger than a message.
    fn pieces(&self) -> Vec<Piece<'_>> {
        let most = GATHERED / Piece::ADDRESS / 2;
        let mut pieces = Vec::with_capacity(self.peers.len());
        for peer in &self.peers {
            let mut chunks = peer.allowed.chunks(most);
            pieces.push(Piece { peer, first: true, allowed: chunks.next().unwrap_or_default() });
            pieces.extend(chunks.map(|allowed| Piece { peer, first: false, allowed }));
        }
        pieces
    }
}

/// How many of these parts go into one message: as many as fit, and one at least.
fn fitting(pieces: &[Piece<'_>]) -> usize {
    let mut room = GATHERED;
    let fits = |piece: &&Piece<'_>| match room.checked_sub(piece.size()) {
        Some(left) => {
            room = left;
            true
        }
        None => false,
    };
    pieces.iter().take_while(fits).count().max(1).min(pieces.len())
}

impl Piece<'_> {
    /// Bytes of a peer without addresses, at most: header, two keys, flags, endpoint, interval, the list's header.
    const PEER: usize = 4 + 36 + 36 + 8 + 32 + 8 + 4;
    /// Bytes of an address, at most: header, family, address, length.
    const ADDRESS: usize = 4 + 8 + 20 + 8;

    fn size(&self) -> usize {
        Self::PEER + Self::ADDRESS * self.allowed.len()
    }

    fn write(&self, to: &mut AttributeWriter<'_, '_, table::Peer>) {
        to.put(table::Peer::PUBLIC_KEY, self.peer.public_key);
        if self.first {
            to.put(table::Peer::FLAGS, PeerFlags::REPLACE_ALLOWEDIPS);
            let shared = self.peer.preshared_key.as_ref().map_or(SecretBytes::new(&[0; 32]), |key| key.get());
            to.put(table::Peer::PRESHARED_KEY, shared);
            to.put_some(table::Peer::ENDPOINT, self.peer.endpoint);
            to.put(table::Peer::PERSISTENT_KEEPALIVE_INTERVAL, self.peer.keepalive);
        }
        to.indexed(table::Peer::ALLOWEDIPS, |list| {
            for Allowed { address, length } in self.allowed {
                list.nest(0, |to| {
                    let family = if address.is_ipv4() { SocketFamily::INET } else { SocketFamily::INET6 };
                    to.put(AllowedIp::FAMILY, family);
                    to.put(AllowedIp::IPADDR, *address);
                    to.put(AllowedIp::CIDR_MASK, *length);
                });
            }
        });
    }
}

impl Peer {
    fn read(public_key: [u8; 32], peer: Attributes<'_, table::Peer>) -> Result<Peer, Error> {
        let ((shared, endpoint, keepalive), (handshake, received, sent)) = peer.read((
            (table::Peer::PRESHARED_KEY, table::Peer::ENDPOINT, table::Peer::PERSISTENT_KEEPALIVE_INTERVAL),
            (table::Peer::LAST_HANDSHAKE_TIME, table::Peer::RX_BYTES, table::Peer::TX_BYTES),
        ))?;
        let time = |time: ringlink_codec::generic::Timespec| {
            let time = Duration::new(u64::try_from(time.sec).ok()?, u32::try_from(time.nsec).ok()?);
            (!time.is_zero()).then_some(time)
        };
        let mut read = Peer {
            public_key,
            preshared_key: shared.and_then(key),
            endpoint: endpoint.and_then(|address| address.socket()),
            keepalive: keepalive.unwrap_or(0),
            last_handshake: handshake.and_then(time),
            received: received.unwrap_or(0),
            sent: sent.unwrap_or(0),
            allowed: Vec::new(),
        };
        read.allow(peer)?;
        Ok(read)
    }

    /// Adds the addresses that are told.
    fn allow(&mut self, peer: Attributes<'_, table::Peer>) -> Result<(), Error> {
        for item in peer.get(table::Peer::ALLOWEDIPS)?.into_iter().flatten() {
            let (address, length) = item?.1.read((AllowedIp::IPADDR, AllowedIp::CIDR_MASK))?;
            if let (Some(address), Some(length)) = (address.and_then(|address| address.ip()), length) {
                self.allowed.push(Allowed { address, length });
            }
        }
        Ok(())
    }
}

/// A key, if it is one: zeros are none.
fn key(bytes: SecretBytes<'_>) -> Option<Key> {
    let some = bytes.expose().iter().any(|byte| *byte != 0);
    some.then(|| OwnedSecret::new(bytes.expose())).flatten().map(Box::new)
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use ringlink_codec::generic::wireguard::Request;
    use ringlink_codec::wire::{Messages, Writer};

    use super::*;

    fn peer(number: u8, allowed: usize) -> Peer {
        let address = |at: usize| Allowed { address: Ipv4Addr::from(u32::try_from(at).unwrap()).into(), length: 32 };
        Peer {
            public_key: [number; 32],
            preshared_key: OwnedSecret::new(&[0xa5; 32]).map(Box::new),
            endpoint: Some(SocketAddr::from(([192, 0, 2, number], 1))),
            keepalive: 25,
            allowed: (0..allowed).map(address).collect(),
            ..Peer::default()
        }
    }

    /// What is written into messages, put together again.
    fn there_and_back(device: &Device) -> (usize, Device) {
        let mut buffer = vec![0; 1 << 20];
        let mut writer = Writer::new(&mut buffer);
        let pieces = device.pieces();
        let mut rest = pieces.as_slice();
        let mut first = true;
        while first || !rest.is_empty() {
            let (message, behind) = rest.split_at(fitting(rest));
            let set = Request::SET_DEVICE.operation(30);
            set.encode(&mut writer, Default::default(), Default::default(), |to| device.write(to, first, message));
            (rest, first) = (behind, false);
        }
        let mut back = Device::default();
        let mut count = 0;
        for message in Messages::new(writer.finish().unwrap()) {
            let body = message.unwrap().body(Request::SET_DEVICE.operation(30)).unwrap();
            assert!(body.message.length < 32 * 1024);
            back.add(body.attributes).unwrap();
            count += 1;
        }
        (count, back)
    }

    #[test]
    fn parts_become_one_device() {
        for (peers, allowed, messages) in [(0, 0, 1), (1, 1, 1), (100, 10, 4), (3, 1000, 12)] {
            let device = Device {
                name: "wg0".into(),
                private_key: OwnedSecret::new(&[0x5a; 32]).map(Box::new),
                listen_port: 51820,
                mark: 7,
                peers: (0..peers).map(|number| peer(number, allowed)).collect(),
                ..Device::default()
            };
            let (count, back) = there_and_back(&device);
            assert_eq!(count, messages, "{peers} peers with {allowed}");
            assert_eq!(format!("{back:?}"), format!("{device:?}"));
            assert_eq!(back.private_key.unwrap().get().expose(), [0x5a; 32]);
            assert!(back.peers.iter().all(|peer| peer.preshared_key.as_ref().unwrap().get().expose() == [0xa5; 32]));
        }
    }

    #[test]
    fn keys_of_zeros_are_none_and_keys_are_not_shown() {
        assert!(key(SecretBytes::new(&[0; 32])).is_none());
        let shown = format!("{:?}", peer(1, 1));
        assert!(shown.contains("(32 secret bytes)") && !shown.contains("165"), "{shown}");
    }
}
