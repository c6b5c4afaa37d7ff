//! What the log and the queues have in common: both tell of packets.

use core::fmt;

use super::Family;
use crate::values;

// include/uapi/linux/netfilter.h
values! {
    /// Where a packet of IPv4, IPv6, ARP or a bridge was met; other families number their hooks apart ([`hook_name`]).
    pub Hook(u8), "NF_INET_" {
        /// As it came in, before it was routed.
        PRE_ROUTING = 0,
        /// On its way to a socket of this machine.
        LOCAL_IN = 1,
        /// On its way through this machine.
        FORWARD = 2,
        /// As it was sent by a socket of this machine.
        LOCAL_OUT = 3,
        /// As it leaves.
        POST_ROUTING = 4,
        /// At the interface, before anything else.
        INGRESS = 5,
    }
}

/// The name of a hook: `nf_tables`' words, which depend on the family (include/uapi/linux/netfilter.h,
/// netfilter_arp.h, netfilter_bridge.h).
#[must_use]
pub const fn hook_name(family: Family, hook: Hook) -> Option<&'static str> {
    Some(match (family, hook.0) {
        (Family::NETDEV, 0) => "ingress",
        (Family::NETDEV, 1) => "egress",
        (Family::NETDEV, _) => return None,
        (Family::ARP, 0) => "input",
        (Family::ARP, 1) => "output",
        (Family::ARP, 2) => "forward",
        (Family::ARP, _) => return None,
        (_, 0) => "prerouting",
        (_, 1) => "input",
        (_, 2) => "forward",
        (_, 3) => "output",
        (_, 4) => "postrouting",
        (Family::BRIDGE, 5) => "brouting",
        (_, 5) => "ingress",
        _ => return None,
    })
}

// include/uapi/linux/netfilter/nf_conntrack_common.h
values! {
    /// What a packet is to its connection (`enum ip_conntrack_info`).
    pub ConnectionInfo(u32), "IP_CT_" {
        /// Of a connection that has seen packets both ways, in the direction of its first.
        ESTABLISHED = 0,
        /// Related to a connection, in the direction of that one's first.
        RELATED = 1,
        /// The first of a connection.
        NEW = 2,
        /// Of a connection that has seen packets both ways, in the direction of its answers.
        ESTABLISHED_REPLY = 3,
        /// Related to a connection, in the direction of that one's answers.
        RELATED_REPLY = 4,
        /// Of no connection that is tracked; programs alone see this number.
        NEW_REPLY = 5,
    }
}

/// A sender's hardware address, of up to eight bytes; kernels tell no more of longer ones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct SenderAddress {
    bytes: [u8; 8],
    length: u8,
}

impl SenderAddress {
    pub(super) fn new(bytes: [u8; 8], length: u16) -> Self {
        Self { bytes, length: u8::try_from(length).unwrap_or(u8::MAX).min(8) }
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl fmt::Display for SenderAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        crate::table::HardwareAddress(self.bytes()).fmt(f)
    }
}

impl fmt::Debug for SenderAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A packet's VLAN, which the kernel has taken out of the packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VlanTag {
    /// Which kind of tag (`8021Q`, `8021AD`).
    pub protocol: crate::route::EtherType,
    /// Priority (3 bits), drop eligibility (1 bit), number (12 bits).
    pub control: u16,
}

impl VlanTag {
    /// The VLAN's number, 0 to 4,095.
    #[must_use]
    pub const fn id(self) -> u16 {
        self.control & 0x0fff
    }

    /// The priority, 0 to 7.
    #[must_use]
    pub const fn priority(self) -> u16 {
        self.control >> 13
    }
}

/// When a packet was received, by the machine's clock, in time since 1970; packets that this machine sent have none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReceivedAt {
    /// Seconds.
    pub seconds: u64,
    /// Microseconds.
    pub microseconds: u64,
}

/// The tables that the log and the queues each have under names of their own:
/// `common! { "NFULA_VLAN_", "nfulnl_msg_packet_hw", "nfulnl_msg_packet_timestamp", "include/…" }` makes a space `Vlan` and
/// structs `PacketHardware` and `Timestamp`.
macro_rules! common {
    ($vlan:literal, $hardware:literal, $timestamp:literal, $header:literal) => {
        $crate::space! {
            #[doc = concat!("A VLAN's tag (", $header, ").")]
            pub Vlan, $vlan {
                /// Which kind of tag.
                PROTO: $crate::table::Be<$crate::route::EtherType> = 1,
                /// Priority, drop eligibility, number.
                TCI: $crate::table::Be16 = 2,
            }
        }

        impl Vlan {
            /// The tag, if it is whole.
            fn tag(tag: $crate::table::Attributes<'_, Self>) -> Result<Option<VlanTag>, $crate::wire::Error> {
                let (protocol, control) = tag.read((Self::PROTO, Self::TCI))?;
                Ok(protocol.zip(control).map(|(protocol, control)| VlanTag { protocol, control }))
            }
        }

        $crate::record! {
            #[doc = concat!("A sender's hardware address (`struct ", $hardware, "`, ", $header, ").")]
            pub PacketHardware, $hardware, "" {
                /// Bytes of the address.
                hw_addrlen: $crate::table::Be16,
                /// Nothing.
                pad: u16,
                /// The address.
                hw_addr: [u8; 8],
            }
        }

        impl PacketHardware {
            /// The address.
            #[must_use]
            pub fn address(self) -> SenderAddress {
                SenderAddress::new(self.hw_addr, self.hw_addrlen.get())
            }
        }

        $crate::record! {
            #[doc = concat!("When a packet was received, since 1970 (`struct ", $timestamp, "`, ", $header, ").")]
            pub Timestamp, $timestamp, "" {
                /// Seconds.
                sec: $crate::table::Be64,
                /// Microseconds.
                usec: $crate::table::Be64,
            }
        }

        impl Timestamp {
            /// The moment in the machine's byte order.
            #[must_use]
            pub const fn moment(self) -> ReceivedAt {
                ReceivedAt { seconds: self.sec.get(), microseconds: self.usec.get() }
            }
        }
    };
}

pub(super) use common;
