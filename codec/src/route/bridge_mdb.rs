//! Multicast forwarding tables of bridges and of VXLAN interfaces (include/uapi/linux/if_bridge.h;
//! net/bridge/br_mdb.c, drivers/net/vxlan/vxlan_mdb.c).
//!
//! Requests have the message types of notifications and answers, and other attributes: [`Rtm::NEWMDB`] is what the
//! kernel tells, [`Rtm::ADD_MDB`] what it is asked. Printers take all for what the kernel tells.
//!
//! ```
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::route::{BridgeGroup, BridgePortHeader, Family, MdbEntry, MdbSet, MdbState, Rtm};
//!
//! // `bridge mdb add dev … port … grp 239.1.1.1 permanent`: bridge 3, port 7.
//! let mut buffer = Buffer::<64>::new();
//! let header = BridgePortHeader { family: Family::BRIDGE, ifindex: 3, ..Default::default() };
//! let group = BridgeGroup::ipv4([239, 1, 1, 1].into());
//! let entry = MdbEntry { ifindex: 7, state: MdbState::PERMANENT, addr: group, ..Default::default() };
//! let bytes = buffer.message(Rtm::ADD_MDB.create().exclusive(), header, |set| set.put(MdbSet::ENTRY, entry))?;
//!
//! let entry = Message::parse(bytes)?.body(Rtm::ADD_MDB)?.attributes.get(MdbSet::ENTRY)?;
//! assert!(entry.is_some_and(|entry| entry.addr.bytes() == [239, 1, 1, 1]));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{EtherType, Family, MulticastRouter, RouteProtocol, Rtm};
use crate::table::{Be16, Headed, Inet, Many, Nest, Operation};
use crate::{flags, record, space, values};

record! {
    /// What messages of multicast forwarding tables begin with.
    pub BridgePortHeader, "br_port_msg", "" {
        /// `BRIDGE`; in answers to dumps `UNSPEC`.
        family: Family,
        /// Nothing.
        pad: [u8; 3],
        /// The bridge, or the VXLAN interface; in a dump request 0 for all.
        ifindex: u32,
    }
}

/// Header and attributes of notifications and answers.
pub type MdbMessage = (BridgePortHeader, Mdb);

/// Header and attributes of requests to add and delete.
pub type MdbChange = (BridgePortHeader, MdbSet);

/// Header and attributes of requests for one entry.
pub type MdbQuestion = (BridgePortHeader, MdbGet);

impl Rtm {
    /// Add an entry of a multicast forwarding table; `RTM_NEWMDB`, as a request.
    pub const ADD_MDB: Operation<MdbChange> = Operation::new(84, 84);
    /// Delete an entry of a multicast forwarding table, or with `NLM_F_BULK` several; `RTM_DELMDB`, as a request.
    pub const DELETE_MDB: Operation<MdbChange> = Operation::new(85, 85);
    /// Ask for one entry of a multicast forwarding table; `RTM_GETMDB`, not as a dump.
    pub const FIND_MDB: Operation<MdbQuestion, MdbMessage> = Operation::new(86, 84);
}

space! {
    /// A multicast forwarding table, as it is told.
    pub Mdb, "MDBA_" {
        /// Entries.
        MDB: Nest<MdbEntries> = 1,
        /// Ports towards multicast routers.
        ROUTER: Nest<MdbRouters> = 2,
    }
}

space! {
    /// Entries of a table; each nest has those of one group.
    pub MdbEntries, "MDBA_MDB_" {
        /// Those of one group.
        ENTRY: Many<Nest<MdbGroup>> = 1,
    }
}

space! {
    /// Entries of one group.
    pub MdbGroup, "MDBA_MDB_ENTRY_" {
        /// One of them.
        INFO: Many<Headed<MdbEntry, MdbDetails>> = 1,
    }
}

record! {
    /// Where a group is forwarded.
    pub MdbEntry, "br_mdb_entry", "" {
        /// The port; the bridge itself for what this host wants.
        ifindex: u32,
        /// Whether it times out.
        state: MdbState,
        /// What it is.
        flags: MdbFlags,
        /// VLAN, 0 for none.
        vid: u16,
        /// The group.
        addr: BridgeGroup,
    }
}

record! {
    /// An address of a group, and of which kind it is (the struct within `struct br_mdb_entry`, which has no name).
    pub BridgeGroup, "", "" {
        /// The address, zero behind its end.
        u: [u8; 16],
        /// [`EtherType::IP`], [`EtherType::IPV6`], or 0 for a hardware address.
        proto: Be16,
        /// Nothing.
        pad: [u8; 2],
    }
}

impl BridgeGroup {
    /// A group of IPv4.
    #[must_use]
    pub fn ipv4(address: Ipv4Addr) -> Self {
        let mut u = [0; 16];
        if let Some((first, _)) = u.split_first_chunk_mut() {
            *first = address.octets();
        }
        Self { u, proto: EtherType::IP.0.into(), pad: [0; 2] }
    }

    /// A group of IPv6.
    #[must_use]
    pub fn ipv6(address: Ipv6Addr) -> Self {
        Self { u: address.octets(), proto: EtherType::IPV6.0.into(), pad: [0; 2] }
    }

    /// The bytes of the address: 4, 16, or 6 of a hardware address.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        let length = match EtherType(self.proto.get()) {
            EtherType::IP => 4,
            EtherType::IPV6 => 16,
            _ => 6,
        };
        self.u.get(..length).unwrap_or_default()
    }
}

values! {
    /// Whether an entry times out.
    pub MdbState(u8), "MDB_" {
        TEMPORARY = 0,
        PERMANENT = 1,
    }
}

flags! {
    /// What an entry is.
    pub MdbFlags(u8), "MDB_FLAGS_" {
        /// In hardware.
        OFFLOAD = 0x1,
        /// It goes at the first leave message.
        FAST_LEAVE = 0x2,
        /// Made because another group's entry excludes a source.
        STAR_EXCL = 0x4,
        /// Not forwarded.
        BLOCKED = 0x8,
        /// The device could not take it over.
        OFFLOAD_FAILED = 0x10,
    }
}

space! {
    /// What else is told of an entry.
    pub MdbDetails, "MDBA_MDB_EATTR_" {
        /// Until it times out; hundredths of a second.
        TIMER: u32 = 1,
        /// Sources that it lets pass, or keeps away.
        SRC_LIST: Nest<MdbSources> = 2,
        /// What the list of sources means.
        GROUP_MODE: MulticastMode = 3,
        /// The source, for a group from one source only.
        SOURCE: Inet = 4,
        /// Who made it.
        RTPROT: RouteProtocol = 5,
        /// VXLAN: where packets are sent.
        DST: Inet = 6,
        /// VXLAN: UDP port there.
        DST_PORT: u16 = 7,
        /// VXLAN: network identifier there.
        VNI: u32 = 8,
        /// VXLAN: interface by which.
        IFINDEX: u32 = 9,
        /// VXLAN: network identifier of the packets.
        SRC_VNI: u32 = 10,
    }
}

values! {
    /// What a list of sources means (include/uapi/linux/in.h).
    pub MulticastMode(u8), "MCAST_" {
        /// All but these.
        EXCLUDE = 0,
        /// Only these.
        INCLUDE = 1,
    }
}

space! {
    /// Sources of an entry.
    pub MdbSources, "MDBA_MDB_SRCLIST_" {
        /// One of them.
        ENTRY: Many<Nest<MdbSource>> = 1,
    }
}

space! {
    /// A source of an entry.
    pub MdbSource, "MDBA_MDB_SRCATTR_" {
        /// Its address.
        ADDRESS: Inet = 1,
        /// Until it times out; hundredths of a second.
        TIMER: u32 = 2,
    }
}

space! {
    /// Ports towards multicast routers.
    pub MdbRouters, "MDBA_ROUTER_" {
        /// One of them.
        PORT: Many<Headed<MdbRouterPort, MdbRouter>> = 1,
    }
}

record! {
    /// A port towards a multicast router (a number in C).
    pub MdbRouterPort, "", "" {
        /// Its index.
        ifindex: u32,
    }
}

space! {
    /// What is told of a port towards a multicast router. Times are in hundredths of a second.
    pub MdbRouter, "MDBA_ROUTER_PATTR_" {
        /// Until it times out, the longer of the two below.
        TIMER: u32 = 1,
        /// How it became one.
        TYPE: MulticastRouter = 2,
        /// Until IPv4's times out.
        INET_TIMER: u32 = 3,
        /// Until IPv6's times out.
        INET6_TIMER: u32 = 4,
        /// VLAN that it is one in.
        VID: u16 = 5,
    }
}

space! {
    /// A request to add or delete entries.
    pub MdbSet, "MDBA_SET_" {
        /// The entry.
        ENTRY: MdbEntry = 1,
        /// What else it is to be.
        ENTRY_ATTRS: Nest<MdbSettings> = 2,
    }
}

space! {
    /// A request for one entry.
    pub MdbGet, "MDBA_GET_" {
        /// The entry.
        ENTRY: MdbEntry = 1,
        /// What else it is.
        ENTRY_ATTRS: Nest<MdbSettings> = 2,
    }
}

space! {
    /// What an entry is to be, beyond [`MdbEntry`].
    pub MdbSettings, "MDBE_ATTR_" {
        /// The source, for a group from one source only: an address, or a hardware address.
        SOURCE: Inet = 1,
        /// Sources that it lets pass, or keeps away.
        SRC_LIST: Nest<MdbSettingsSources> = 2,
        /// What the list of sources means.
        GROUP_MODE: MulticastMode = 3,
        /// Who makes it.
        RTPROT: RouteProtocol = 4,
        /// VXLAN: where packets are sent.
        DST: Inet = 5,
        /// VXLAN: UDP port there.
        DST_PORT: u16 = 6,
        /// VXLAN: network identifier there.
        VNI: u32 = 7,
        /// VXLAN: interface by which.
        IFINDEX: i32 = 8,
        /// VXLAN: network identifier of the packets.
        SRC_VNI: u32 = 9,
        /// When many are deleted: which bits of the state count.
        STATE_MASK: u8 = 10,
    }
}

space! {
    /// Sources that an entry is to have.
    pub MdbSettingsSources, "MDBE_SRC_LIST_" {
        /// One of them.
        ENTRY: Many<Nest<MdbSettingsSource>> = 1,
    }
}

space! {
    /// A source that an entry is to have.
    pub MdbSettingsSource, "MDBE_SRCATTR_" {
        /// Its address.
        ADDRESS: Inet = 1,
    }
}
