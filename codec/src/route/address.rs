//! Addresses of interfaces, labels for choosing among them, prefixes that routers advertise.

use core::net::Ipv6Addr;

use super::Family;
use crate::table::{Body, Inet, InetAddress, Str, Text};
use crate::wire::Error;
use crate::{flags, record, space, values};

record! {
    /// What address messages begin with (`struct ifaddrmsg`, include/uapi/linux/if_addr.h).
    pub AddressHeader, "ifaddrmsg", "ifa_" {
        /// `INET` or `INET6`; in a dump request `UNSPEC` means both.
        family: Family,
        /// Bits of the address that name its network, 0 to 32 or 128.
        prefixlen: u8,
        /// Low eight bits of the flags; all of them are in [`Address::FLAGS`].
        flags: u8,
        /// How far the address is meaningful.
        scope: Scope,
        /// Interface.
        index: u32,
    }
}

/// Header and attributes of address messages.
pub type AddressMessage = (AddressHeader, Address);

space! {
    /// Attributes of an address (include/uapi/linux/if_addr.h; net/ipv4/devinet.c, net/ipv6/addrconf.c).
    pub Address, "IFA_" {
        /// Network's address; on a point-to-point link the other end's. Alone, it is the interface's own.
        ADDRESS: Inet = 1,
        /// Interface's own address; IPv6 gives it only where it differs from `ADDRESS`.
        LOCAL: Inet = 2,
        /// Name of an IPv4 address, begins with the interface's (`eth0:1`); up to 15 bytes.
        LABEL: Str = 3,
        /// Broadcast address; IPv4 only.
        BROADCAST: Inet = 4,
        /// Anycast address, in `RTM_GETANYCAST` and its notifications.
        ANYCAST: Inet = 5,
        /// Lifetimes, and when the address came and changed.
        CACHEINFO: AddressCacheInfo = 6,
        /// Joined group, in `RTM_GETMULTICAST` and its notifications.
        MULTICAST: Inet = 7,
        /// All flags; over the header's eight bits.
        FLAGS: AddressFlags = 8,
        /// Priority (metric) of the route to the address's network.
        RT_PRIORITY: u32 = 9,
        /// Namespace to look in, by its id in this one; in a dump request, and repeated in the answers.
        TARGET_NETNSID: i32 = 10,
        /// Who set the address.
        PROTO: AddressProtocol = 11,
        /// Sockets and interfaces that joined the group; since Linux 7.3.
        MC_USERS: u32 = 12,
    }
}

record! {
    /// Lifetimes of an address (`struct ifa_cacheinfo`, include/uapi/linux/if_addr.h). The C names of the two stamps
    /// have no prefix.
    pub AddressCacheInfo, "ifa_cacheinfo", "ifa_" {
        /// Seconds until the address is deprecated, all ones for never.
        prefered: u32,
        /// Seconds until the address is deleted, all ones for never.
        valid: u32,
        /// When it was made, in hundredths of a second since boot.
        cstamp: u32,
        /// When it was last changed, in hundredths of a second since boot.
        tstamp: u32,
    }
}

impl AddressCacheInfo {
    /// A lifetime without end (`INFINITY_LIFE_TIME`).
    pub const FOREVER: u32 = u32::MAX;
}

flags! {
    /// What an address is and may (include/uapi/linux/if_addr.h).
    pub AddressFlags(u32), "IFA_F_" {
        /// Another address of the same network came before; for IPv6, a temporary address (`IFA_F_TEMPORARY`).
        SECONDARY = 0x1,
        /// No duplicate address detection.
        NODAD = 0x2,
        /// Used before duplicate address detection is done (RFC 4429).
        OPTIMISTIC = 0x4,
        /// Duplicate address detection found another owner.
        DADFAILED = 0x8,
        /// Home address of a mobile node (RFC 6275).
        HOMEADDRESS = 0x10,
        /// Not for new connections: its preferred lifetime is over.
        DEPRECATED = 0x20,
        /// Duplicate address detection is under way.
        TENTATIVE = 0x40,
        /// Without a lifetime.
        PERMANENT = 0x80,
        /// Temporary addresses are made from this one.
        MANAGETEMPADDR = 0x100,
        /// Makes no route to its network.
        NOPREFIXROUTE = 0x200,
        /// Joins its multicast group by itself.
        MCAUTOJOIN = 0x400,
        /// Made from a secret that stays the same in one network (RFC 7217).
        STABLE_PRIVACY = 0x800,
    }
}

values! {
    /// Who set an address (include/uapi/linux/if_addr.h); numbers without a name are free for programs.
    pub AddressProtocol(u8), "IFAPROT_" {
        UNSPEC = 0,
        /// Kernel, for a loopback interface.
        KERNEL_LO = 1,
        /// Kernel, from a router's advertisement.
        KERNEL_RA = 2,
        /// Kernel, link-local.
        KERNEL_LL = 3,
    }
}

values! {
    /// How far an address or a destination is (include/uapi/linux/rtnetlink.h). Numbers between those named are free.
    pub Scope(u8), "RT_SCOPE_" {
        /// Anywhere.
        UNIVERSE = 0,
        /// Within this site.
        SITE = 200,
        /// On this link.
        LINK = 253,
        /// On this host.
        HOST = 254,
        /// Nowhere: no such destination.
        NOWHERE = 255,
    }
}

/// What most programs want to know of an address, borrowed from its message.
///
/// ```
/// use core::net::{IpAddr, Ipv4Addr};
/// use ringlink_codec::prelude::*;
/// use ringlink_codec::route::{Address, AddressHeader, AddressView, Family, Rtm};
///
/// let mut buffer = Buffer::<64>::new();
/// let header = AddressHeader { family: Family::INET, prefixlen: 24, index: 2, ..Default::default() };
/// let bytes = buffer.message(Rtm::NEWADDR, header, |address| {
///     address.put(Address::LOCAL, Ipv4Addr::new(192, 0, 2, 1));
///     address.put(Address::LABEL, "eth0");
/// })?;
///
/// let view = AddressView::read(Message::parse(bytes)?.body(Rtm::NEWADDR)?)?;
/// assert_eq!(view.own().and_then(|own| own.ip()), Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))));
/// assert_eq!((view.header.prefixlen, view.header.index), (24, 2));
/// # Ok::<(), ringlink_codec::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AddressView<'a> {
    /// Family, length of the prefix, scope, interface.
    pub header: AddressHeader,
    /// All flags: the attribute's, where there is none the header's eight bits.
    pub flags: AddressFlags,
    /// `IFA_ADDRESS`: on a point-to-point link the other end's address.
    pub address: Option<InetAddress<'a>>,
    /// `IFA_LOCAL`: the interface's own address, where it is given apart.
    pub local: Option<InetAddress<'a>>,
    /// Broadcast address.
    pub broadcast: Option<InetAddress<'a>>,
    /// Name of an IPv4 address.
    pub label: Option<Text<'a>>,
    /// Lifetimes.
    pub cache: Option<AddressCacheInfo>,
    /// Priority of the route to the address's network.
    pub route_priority: Option<u32>,
    /// Who set the address.
    pub protocol: Option<AddressProtocol>,
}

impl<'a> AddressView<'a> {
    /// Reads the attributes in one pass.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, or one of those above has the wrong length.
    #[inline]
    pub fn read(body: Body<'a, AddressMessage>) -> Result<Self, Error> {
        let (address, local, broadcast, label, cache, flags, route_priority, protocol) = body.attributes.read((
            Address::ADDRESS,
            Address::LOCAL,
            Address::BROADCAST,
            Address::LABEL,
            Address::CACHEINFO,
            Address::FLAGS,
            Address::RT_PRIORITY,
            Address::PROTO,
        ))?;
        let header = body.header;
        Ok(Self {
            header,
            flags: flags.unwrap_or(AddressFlags(u32::from(header.flags))),
            address,
            local,
            broadcast,
            label,
            cache,
            route_priority,
            protocol,
        })
    }

    /// The interface's own address: `local`, where there is none `address`.
    #[inline]
    #[must_use]
    pub fn own(&self) -> Option<InetAddress<'a>> {
        self.local.or(self.address)
    }
}

record! {
    /// What messages of address labels begin with (`struct ifaddrlblmsg`, include/uapi/linux/if_addrlabel.h).
    pub AddressLabelHeader, "ifaddrlblmsg", "ifal_" {
        /// `INET6`.
        family: Family,
        /// Nothing.
        pad: u8,
        /// Bits of the address that count.
        prefixlen: u8,
        /// Zero.
        flags: u8,
        /// Interface that the label is for, 0 for all.
        index: u32,
        /// Counts changes of the table; in answers.
        seq: u32,
    }
}

/// Header and attributes of address label messages.
pub type AddressLabelMessage = (AddressLabelHeader, AddressLabel);

space! {
    /// A label by which IPv6 source addresses are chosen (RFC 6724; include/uapi/linux/if_addrlabel.h,
    /// net/ipv6/addrlabel.c).
    pub AddressLabel, "IFAL_" {
        /// Addresses that have the label.
        ADDRESS: Ipv6Addr = 1,
        /// Label; all ones is reserved.
        LABEL: u32 = 2,
    }
}

record! {
    /// What `RTM_NEWPREFIX` begins with (`struct prefixmsg`, include/uapi/linux/rtnetlink.h).
    pub PrefixHeader, "prefixmsg", "prefix_" {
        /// `INET6`.
        family: Family,
        /// Nothing.
        pad1: u8,
        /// Nothing.
        pad2: u16,
        /// Interface that the advertisement came in by.
        ifindex: i32,
        /// Type of the neighbour discovery option: 3 (`prefix_type` in C).
        kind: u8,
        /// Length of the prefix in bits.
        len: u8,
        /// Flags of the option.
        flags: PrefixFlags,
        /// Nothing.
        pad3: u8,
    }
}

flags! {
    /// Flags of an advertised prefix (include/net/if_inet6.h).
    pub PrefixFlags(u8), "IF_PREFIX_" {
        /// Addresses with it are on this link.
        ONLINK = 0x1,
        /// Addresses may be made of it.
        AUTOCONF = 0x2,
    }
}

/// Header and attributes of prefix notifications.
pub type PrefixMessage = (PrefixHeader, Prefix);

space! {
    /// A prefix that a router advertised (include/uapi/linux/rtnetlink.h; net/ipv6/addrconf.c).
    pub Prefix, "PREFIX_" {
        /// Prefix itself.
        ADDRESS: Ipv6Addr = 1,
        /// Lifetimes.
        CACHEINFO: PrefixCacheInfo = 2,
    }
}

record! {
    /// Lifetimes of a prefix (`struct prefix_cacheinfo`, include/uapi/linux/rtnetlink.h).
    pub PrefixCacheInfo, "prefix_cacheinfo", "" {
        /// Seconds for which addresses made of it are preferred, all ones for ever.
        preferred_time: u32,
        /// Seconds for which they are valid, all ones for ever.
        valid_time: u32,
    }
}
