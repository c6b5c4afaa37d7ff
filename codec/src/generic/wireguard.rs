//! WireGuard: tunnels, their peers, the addresses each peer may use (include/uapi/linux/wireguard.h;
//! drivers/net/wireguard/netlink.c).
//!
//! A device is told in several messages if it has many peers: those behind the first carry [`Device::IFNAME`] and more
//! [`Device::PEERS`] only, and a peer that did not fit goes on in the next message with more [`Peer::ALLOWEDIPS`].
//!
//! ```
//! use ringlink_codec::generic::wireguard::{AllowedIp, Device, DeviceFlags, Peer, Request};
//! use ringlink_codec::generic::SocketFamily;
//! use ringlink_codec::prelude::*;
//! use std::net::Ipv4Addr;
//!
//! let mut buffer = Buffer::<512>::new();
//! let set = Request::SET_DEVICE;
//! let bytes = buffer.message(set.operation(30), set.header(), |device| {
//!     device.put(Device::IFNAME, "wg0");
//!     device.put(Device::FLAGS, DeviceFlags::REPLACE_PEERS);
//!     device.put(Device::PRIVATE_KEY, &[7; 32]);
//!     device.indexed(Device::PEERS, |peers| peers.nest(0, |peer| {
//!         peer.put(Peer::PUBLIC_KEY, [8; 32]);
//!         peer.put(Peer::ENDPOINT, std::net::SocketAddr::from(([192, 0, 2, 1], 51820)));
//!         peer.indexed(Peer::ALLOWEDIPS, |addresses| addresses.nest(0, |address| {
//!             address.put(AllowedIp::FAMILY, SocketFamily::INET);
//!             address.put(AllowedIp::IPADDR, Ipv4Addr::new(10, 0, 0, 0));
//!             address.put(AllowedIp::CIDR_MASK, 24);
//!         }));
//!     }));
//! })?;
//! let device = Message::parse(bytes)?.body(set.operation(30))?.attributes;
//! assert_eq!(format!("{:?}", device.get(Device::PRIVATE_KEY)?), "Some((32 secret bytes))");
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use super::{Family, GenericHeader, SocketFamily, Timespec};
use crate::table::{Indexed, Inet, Nest, Secret, SockAddr, Str};
use crate::{commands, flags, space};

/// The family.
pub const WIREGUARD: Family = Family {
    name: "wireguard",
    id: 0,
    version: 1,
    requests: Request::OPERATIONS,
    answers: Request::OPERATIONS,
    events: Request::OPERATIONS,
};

/// What commands carry.
pub type DeviceMessage = (GenericHeader, Device);

commands! {
    /// Commands of WireGuard; all take `CAP_NET_ADMIN` in the device's namespace.
    pub Request, "WG_CMD_", of WIREGUARD {
        /// Tell about a device, by index or name; dumps only.
        GET_DEVICE: get DeviceMessage => 0 DeviceMessage = 0,
        /// Change a device, by index or name.
        SET_DEVICE: set DeviceMessage = 1,
    }
}

space! {
    /// A tunnel's end.
    pub Device, "WGDEVICE_A_" {
        /// Index of the interface.
        IFINDEX: u32 = 1,
        /// Name of the interface.
        IFNAME: Str = 2,
        /// Key that only this end knows, 32 bytes; zeros take it away.
        PRIVATE_KEY: Secret = 3,
        /// Key by which others know this end.
        PUBLIC_KEY: [u8; 32] = 4,
        /// How a change is meant.
        FLAGS: DeviceFlags = 5,
        /// UDP port; in a request, 0 lets the kernel choose.
        LISTEN_PORT: u16 = 6,
        /// Mark of the packets it sends, 0 for none.
        FWMARK: u32 = 7,
        /// The peers; their indexes mean nothing.
        PEERS: Indexed<Nest<Peer>> = 8,
    }
}

flags! {
    /// How a change of a device is meant.
    pub DeviceFlags(u32), "WGDEVICE_F_" {
        /// Only the peers named here stay.
        REPLACE_PEERS = 0x1,
    }
}

space! {
    /// The other end of a tunnel.
    pub Peer, "WGPEER_A_" {
        /// Key by which it is known.
        PUBLIC_KEY: [u8; 32] = 1,
        /// Key that both ends know besides, 32 bytes; zeros for none.
        PRESHARED_KEY: Secret = 2,
        /// How a change is meant.
        FLAGS: PeerFlags = 3,
        /// Where it was last heard from, or is to be looked for.
        ENDPOINT: SockAddr = 4,
        /// Seconds between packets that keep the way open, 0 for none.
        PERSISTENT_KEEPALIVE_INTERVAL: u16 = 5,
        /// When keys were last agreed on, since 1970; zero for never.
        LAST_HANDSHAKE_TIME: Timespec = 6,
        /// Bytes received.
        RX_BYTES: u64 = 7,
        /// Bytes sent.
        TX_BYTES: u64 = 8,
        /// Addresses that it may use and that are sent to it; their indexes mean nothing.
        ALLOWEDIPS: Indexed<Nest<AllowedIp>> = 9,
        /// Version of the protocol: 1.
        PROTOCOL_VERSION: u32 = 10,
    }
}

flags! {
    /// How a change of a peer is meant.
    pub PeerFlags(u32), "WGPEER_F_" {
        /// It goes.
        REMOVE_ME = 0x1,
        /// Only the addresses named here stay.
        REPLACE_ALLOWEDIPS = 0x2,
        /// It is changed if it is there, and not made.
        UPDATE_ONLY = 0x4,
    }
}

space! {
    /// Addresses that a peer may use.
    pub AllowedIp, "WGALLOWEDIP_A_" {
        /// Address family.
        FAMILY: SocketFamily = 1,
        /// The address.
        IPADDR: Inet = 2,
        /// How many of its bits count.
        CIDR_MASK: u8 = 3,
        /// How a change is meant (Linux 6.16).
        FLAGS: AllowedIpFlags = 4,
    }
}

flags! {
    /// How a change of allowed addresses is meant.
    pub AllowedIpFlags(u32), "WGALLOWEDIP_F_" {
        /// They go.
        REMOVE_ME = 0x1,
    }
}
