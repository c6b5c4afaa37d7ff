//! Virtual functions of a device, and their port profiles (include/uapi/linux/if_link.h).

use crate::table::{Be16, Bytes, Many, Nest, Pad, Str};
use crate::{record, space, values};

space! {
    /// The virtual functions of a device.
    pub VfList, "IFLA_VF_" {
        /// One of them.
        INFO: Many<Nest<Vf>> = 1,
    }
}

space! {
    /// A virtual function. Every struct begins with its number.
    pub Vf, "IFLA_VF_" {
        /// Hardware address.
        MAC: VfMac = 1,
        /// VLAN, where there is one; see `VLAN_LIST`.
        VLAN: VfVlan = 2,
        /// Largest rate of sending; see `RATE`.
        TX_RATE: VfTxRate = 3,
        /// Whether packets from other hardware addresses are dropped.
        SPOOFCHK: VfSwitch = 4,
        /// Whether it sees the carrier of the port.
        LINK_STATE: VfLink = 5,
        /// Rates of sending.
        RATE: VfRate = 6,
        /// Whether it may ask for the hash table and key of receive-side scaling.
        RSS_QUERY_EN: VfSwitch = 7,
        /// Counters.
        STATS: Nest<VfStats> = 8,
        /// Whether it may do what others may not, such as promiscuous mode.
        TRUST: VfSwitch = 9,
        /// InfiniBand: id of the node.
        IB_NODE_GUID: VfGuid = 10,
        /// InfiniBand: id of the port.
        IB_PORT_GUID: VfGuid = 11,
        /// VLANs, outermost first, with their protocols.
        VLAN_LIST: Nest<VfVlanList> = 12,
        /// Hardware broadcast address.
        BROADCAST: VfBroadcast = 13,
    }
}

record! {
    /// Hardware address of a virtual function.
    pub VfMac, "ifla_vf_mac", "" {
        /// Number of the function.
        vf: u32,
        /// The address, zero behind its end.
        mac: [u8; 32],
    }
}

record! {
    /// Hardware broadcast address of a virtual function.
    pub VfBroadcast, "ifla_vf_broadcast", "" {
        /// The address, zero behind its end.
        broadcast: [u8; 32],
    }
}

record! {
    /// VLAN of a virtual function.
    pub VfVlan, "ifla_vf_vlan", "" {
        /// Number of the function.
        vf: u32,
        /// 1 to 4095; 0 for none.
        vlan: u32,
        /// Priority, 0 to 7.
        qos: u32,
    }
}

record! {
    /// One VLAN of a virtual function, with its protocol.
    pub VfVlanInfo, "ifla_vf_vlan_info", "" {
        /// Number of the function.
        vf: u32,
        /// 1 to 4095; 0 for none.
        vlan: u32,
        /// Priority, 0 to 7.
        qos: u32,
        /// 0x8100 (802.1Q) or 0x88a8 (802.1ad).
        vlan_proto: Be16,
        /// Nothing.
        pad: [u8; 2],
    }
}

space! {
    /// VLANs of a virtual function.
    pub VfVlanList, "IFLA_VF_VLAN_" {
        /// One of them; today's kernels take one.
        INFO: Many<VfVlanInfo> = 1,
    }
}

record! {
    /// Largest rate of sending of a virtual function.
    pub VfTxRate, "ifla_vf_tx_rate", "" {
        /// Number of the function.
        vf: u32,
        /// Megabits a second; 0 for no limit.
        rate: u32,
    }
}

record! {
    /// Rates of sending of a virtual function.
    pub VfRate, "ifla_vf_rate", "" {
        /// Number of the function.
        vf: u32,
        /// What it has for sure, in megabits a second; 0 for nothing.
        min_tx_rate: u32,
        /// What it has at most, in megabits a second; 0 for no limit.
        max_tx_rate: u32,
    }
}

record! {
    /// Something that is on or off for a virtual function (`ifla_vf_spoofchk`, `ifla_vf_rss_query_en`,
    /// `ifla_vf_trust`: three structs of one layout).
    pub VfSwitch, "ifla_vf_spoofchk", "" {
        /// Number of the function.
        vf: u32,
        /// 1 on, 0 off, 0xffffffff where the driver does not know.
        setting: u32,
    }
}

record! {
    /// What carrier a virtual function sees.
    pub VfLink, "ifla_vf_link_state", "" {
        /// Number of the function.
        vf: u32,
        /// Which.
        link_state: VfLinkState,
    }
}

values! {
    /// What carrier a virtual function sees.
    pub VfLinkState(u32), "IFLA_VF_LINK_STATE_" {
        /// That of the port.
        AUTO = 0,
        /// Always one.
        ENABLE = 1,
        /// Never one.
        DISABLE = 2,
    }
}

record! {
    /// An InfiniBand id of a virtual function.
    pub VfGuid, "ifla_vf_guid", "" {
        /// Number of the function.
        vf: u32,
        /// Nothing; absent on kernels for 32-bit x86, which are not read here.
        pad: u32,
        /// The id.
        guid: u64,
    }
}

space! {
    /// Counters of a virtual function.
    pub VfStats, "IFLA_VF_STATS_" {
        // Numbers begin at 0 here.
        /// Packets received.
        RX_PACKETS: u64 = 0,
        /// Packets sent.
        TX_PACKETS: u64 = 1,
        /// Bytes received.
        RX_BYTES: u64 = 2,
        /// Bytes sent.
        TX_BYTES: u64 = 3,
        /// Broadcast packets received.
        BROADCAST: u64 = 4,
        /// Multicast packets received.
        MULTICAST: u64 = 5,
        /// Aligns what follows.
        PAD: Pad = 6,
        /// Received packets dropped.
        RX_DROPPED: u64 = 7,
        /// Packets dropped on the way out.
        TX_DROPPED: u64 = 8,
    }
}

space! {
    /// Port profiles of virtual functions.
    pub VfPorts, "IFLA_VF_" {
        /// One of them.
        PORT: Many<Nest<Port>> = 1,
    }
}

space! {
    /// The port profile of a virtual function or of a device: what a switch is to know of it (IEEE 802.1Qbg and its
    /// forerunners).
    pub Port, "IFLA_PORT_" {
        /// Number of the function; 0xffffffff for the device itself.
        VF: u32 = 1,
        /// Name of the profile, up to 39 bytes.
        PROFILE: Str = 2,
        /// What kind of station it is.
        VSI_TYPE: PortVsi = 3,
        /// UUID of the guest's interface, 16 bytes.
        INSTANCE_UUID: Bytes = 4,
        /// UUID of the host, 16 bytes.
        HOST_UUID: Bytes = 5,
        /// What is asked: a [`PortRequest`], one byte in a request; the driver tells it in two, in the byte order of
        /// the machine.
        REQUEST: Bytes = 6,
        /// What came of it.
        RESPONSE: PortResponse = 7,
    }
}

record! {
    /// What kind of station a port is (IEEE 802.1Qbg).
    pub PortVsi, "ifla_port_vsi", "vsi_" {
        /// Who manages its type.
        mgr_id: u8,
        /// Its type, most significant byte first.
        type_id: [u8; 3],
        /// Version of its type.
        type_version: u8,
        /// Nothing.
        pad: [u8; 3],
    }
}

values! {
    /// What is asked of a switch for a port.
    pub PortRequest(u8), "PORT_REQUEST_" {
        PREASSOCIATE = 0,
        PREASSOCIATE_RR = 1,
        ASSOCIATE = 2,
        DISASSOCIATE = 3,
    }
}

values! {
    /// What came of it.
    pub PortResponse(u16), "PORT_" {
        VDP_RESPONSE_SUCCESS = 0,
        VDP_RESPONSE_INVALID_FORMAT = 1,
        VDP_RESPONSE_INSUFFICIENT_RESOURCES = 2,
        VDP_RESPONSE_UNUSED_VTID = 3,
        VDP_RESPONSE_VTID_VIOLATION = 4,
        // The kernel's spelling.
        VDP_RESPONSE_VTID_VERSION_VIOALTION = 5,
        VDP_RESPONSE_OUT_OF_SYNC = 6,
        PROFILE_RESPONSE_SUCCESS = 0x100,
        PROFILE_RESPONSE_INPROGRESS = 0x101,
        PROFILE_RESPONSE_INVALID = 0x102,
        PROFILE_RESPONSE_BADSTATE = 0x103,
        PROFILE_RESPONSE_INSUFFICIENT_RESOURCES = 0x104,
        PROFILE_RESPONSE_ERROR = 0x105,
    }
}
