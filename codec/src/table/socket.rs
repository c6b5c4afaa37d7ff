//! Socket addresses as payloads: `struct sockaddr_in` and `struct sockaddr_in6`, told apart by their family.

use core::fmt;
use core::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::{Encode, HardwareAddress, Malformed, Shape, Value};
use crate::wire::{Payload, Writer};

/// `AF_INET`, the same on all machines.
const INET: u16 = 2;
/// `AF_INET6`.
const INET6: u16 = 10;

/// A socket address, as the C struct of its family.
pub struct SockAddr;

/// What a [`SockAddr`] reads as.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct SocketAddress<'a>(pub &'a [u8]);

impl SocketAddress<'_> {
    /// The address, where its family is IPv4 or IPv6 and the bytes are enough for it.
    #[must_use]
    pub fn socket(self) -> Option<SocketAddr> {
        let (family, rest) = self.0.split_first_chunk()?;
        let (port, rest) = rest.split_first_chunk()?;
        let port = u16::from_be_bytes(*port);
        match u16::from_ne_bytes(*family) {
            INET => {
                let (address, _) = rest.split_first_chunk::<4>()?;
                Some(SocketAddrV4::new(Ipv4Addr::from(*address), port).into())
            }
            INET6 => {
                let (flow, rest) = rest.split_first_chunk()?;
                let (address, rest) = rest.split_first_chunk::<16>()?;
                let scope = rest.first_chunk()?;
                let (flow, scope) = (u32::from_ne_bytes(*flow), u32::from_ne_bytes(*scope));
                Some(SocketAddrV6::new(Ipv6Addr::from(*address), port, flow, scope).into())
            }
            _ => None,
        }
    }
}

impl PartialEq<SocketAddr> for SocketAddress<'_> {
    fn eq(&self, other: &SocketAddr) -> bool {
        self.socket() == Some(*other)
    }
}

impl fmt::Display for SocketAddress<'_> {
    /// The address and its port; the bytes where it is none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.socket() {
            Some(socket) => fmt::Display::fmt(&socket, f),
            None => fmt::Display::fmt(&HardwareAddress(self.0), f),
        }
    }
}

impl fmt::Debug for SocketAddress<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Value for SockAddr {
    type Read<'a> = SocketAddress<'a>;
    const SHAPE: Shape = Shape::SocketAddress;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<SocketAddress<'_>, Malformed> {
        Ok(SocketAddress(payload.bytes))
    }
}

impl Encode<SockAddr> for SocketAddr {
    fn encode(self, writer: &mut Writer<'_>) {
        match self {
            Self::V4(address) => {
                writer.array(INET.to_ne_bytes());
                writer.array(address.port().to_be_bytes());
                writer.array(address.ip().octets());
                writer.array([0; 8]);
            }
            Self::V6(address) => {
                writer.array(INET6.to_ne_bytes());
                writer.array(address.port().to_be_bytes());
                writer.array(address.flowinfo().to_ne_bytes());
                writer.array(address.ip().octets());
                writer.array(address.scope_id().to_ne_bytes());
            }
        }
    }
}

impl Encode<SockAddr> for SocketAddress<'_> {
    fn encode(self, writer: &mut Writer<'_>) {
        writer.bytes(self.0);
    }
}
