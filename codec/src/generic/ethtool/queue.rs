//! How packets go through a device: rings, channels, interrupts, pauses, hashing.

use super::{Bitset, Header};
use crate::table::{Be16, Bytes, Many, NamedUint, Nest, Packed, Pad};
use crate::{flags, space, values};

space! {
    /// Rings of buffers.
    pub Rings, "ETHTOOL_A_RINGS_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Most entries for receiving.
        RX_MAX: u32 = 2,
        /// Most entries for small packets.
        RX_MINI_MAX: u32 = 3,
        /// Most entries for large packets.
        RX_JUMBO_MAX: u32 = 4,
        /// Most entries for sending.
        TX_MAX: u32 = 5,
        /// Entries for receiving.
        RX: u32 = 6,
        /// Entries for small packets.
        RX_MINI: u32 = 7,
        /// Entries for large packets.
        RX_JUMBO: u32 = 8,
        /// Entries for sending.
        TX: u32 = 9,
        /// Bytes of a buffer for receiving.
        RX_BUF_LEN: u32 = 10,
        /// Whether headers are set apart from data.
        TCP_DATA_SPLIT: TcpDataSplit = 11,
        /// Bytes of an entry that tells of a packet.
        CQE_SIZE: u32 = 12,
        /// 1: descriptors are written to the device when sending.
        TX_PUSH: u8 = 13,
        /// 1: descriptors are written to the device when receiving.
        RX_PUSH: u8 = 14,
        /// Bytes of a packet that are written to the device.
        TX_PUSH_BUF_LEN: u32 = 15,
        /// Most of those.
        TX_PUSH_BUF_LEN_MAX: u32 = 16,
        /// Bytes from which on headers are set apart (Linux 6.14).
        HDS_THRESH: u32 = 17,
        /// Most of those.
        HDS_THRESH_MAX: u32 = 18,
    }
}

values! {
    /// Whether headers are set apart from data.
    pub TcpDataSplit(u8), "ETHTOOL_TCP_DATA_SPLIT_" {
        UNKNOWN = 0,
        DISABLED = 1,
        ENABLED = 2,
    }
}

space! {
    /// Channels: an interrupt and its queues.
    pub Channels, "ETHTOOL_A_CHANNELS_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Most that receive only.
        RX_MAX: u32 = 2,
        /// Most that send only.
        TX_MAX: u32 = 3,
        /// Most for other things.
        OTHER_MAX: u32 = 4,
        /// Most that do both.
        COMBINED_MAX: u32 = 5,
        /// Those that receive only.
        RX_COUNT: u32 = 6,
        /// Those that send only.
        TX_COUNT: u32 = 7,
        /// Those for other things.
        OTHER_COUNT: u32 = 8,
        /// Those that do both.
        COMBINED_COUNT: u32 = 9,
    }
}

space! {
    /// How long interrupts are put off.
    pub Coalesce, "ETHTOOL_A_COALESCE_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Microseconds behind a received packet.
        RX_USECS: u32 = 2,
        /// Packets received.
        RX_MAX_FRAMES: u32 = 3,
        /// The first, while an interrupt is served.
        RX_USECS_IRQ: u32 = 4,
        /// The second, while an interrupt is served.
        RX_MAX_FRAMES_IRQ: u32 = 5,
        /// Microseconds behind a sent packet.
        TX_USECS: u32 = 6,
        /// Packets sent.
        TX_MAX_FRAMES: u32 = 7,
        /// The first, while an interrupt is served.
        TX_USECS_IRQ: u32 = 8,
        /// The second, while an interrupt is served.
        TX_MAX_FRAMES_IRQ: u32 = 9,
        /// Microseconds between counters.
        STATS_BLOCK_USECS: u32 = 10,
        /// 1: adapts to what is received.
        USE_ADAPTIVE_RX: u8 = 11,
        /// 1: adapts to what is sent.
        USE_ADAPTIVE_TX: u8 = 12,
        /// Packets in a second below which it is slow.
        PKT_RATE_LOW: u32 = 13,
        /// When slow, microseconds behind a received packet.
        RX_USECS_LOW: u32 = 14,
        /// When slow, packets received.
        RX_MAX_FRAMES_LOW: u32 = 15,
        /// When slow, microseconds behind a sent packet.
        TX_USECS_LOW: u32 = 16,
        /// When slow, packets sent.
        TX_MAX_FRAMES_LOW: u32 = 17,
        /// Packets in a second above which it is fast.
        PKT_RATE_HIGH: u32 = 18,
        /// When fast, microseconds behind a received packet.
        RX_USECS_HIGH: u32 = 19,
        /// When fast, packets received.
        RX_MAX_FRAMES_HIGH: u32 = 20,
        /// When fast, microseconds behind a sent packet.
        TX_USECS_HIGH: u32 = 21,
        /// When fast, packets sent.
        TX_MAX_FRAMES_HIGH: u32 = 22,
        /// Seconds over which the rate is taken.
        RATE_SAMPLE_INTERVAL: u32 = 23,
        /// 1: the time begins anew with each packet sent.
        USE_CQE_MODE_TX: u8 = 24,
        /// 1: the time begins anew with each packet received.
        USE_CQE_MODE_RX: u8 = 25,
        /// Most bytes sent together.
        TX_AGGR_MAX_BYTES: u32 = 26,
        /// Most packets sent together.
        TX_AGGR_MAX_FRAMES: u32 = 27,
        /// Microseconds after which they are sent in any case.
        TX_AGGR_TIME_USECS: u32 = 28,
        /// Steps of adapting when receiving (Linux 6.11).
        RX_PROFILE: Nest<Profile> = 29,
        /// Steps of adapting when sending.
        TX_PROFILE: Nest<Profile> = 30,
        /// Received packets told by one entry.
        RX_CQE_FRAMES: u32 = 31,
        /// Nanoseconds after which they are told in any case.
        RX_CQE_NSECS: u32 = 32,
    }
}

space! {
    /// Steps of adapting.
    pub Profile, "ETHTOOL_A_PROFILE_" {
        /// A step.
        IRQ_MODERATION: Many<Nest<IrqModeration>> = 1,
    }
}

space! {
    /// When an interrupt comes.
    pub IrqModeration, "ETHTOOL_A_IRQ_MODERATION_" {
        /// After microseconds.
        USEC: u32 = 1,
        /// After packets.
        PKTS: u32 = 2,
        /// After events.
        COMPS: u32 = 3,
    }
}

space! {
    /// Pause frames.
    pub Pause, "ETHTOOL_A_PAUSE_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// 1: agreed on with the other end.
        AUTONEG: u8 = 2,
        /// 1: they are obeyed.
        RX: u8 = 3,
        /// 1: they are sent.
        TX: u8 = 4,
        /// Counters.
        STATS: Nest<PauseStats> = 5,
        /// Counters of which MAC.
        STATS_SRC: MacStatsSource = 6,
    }
}

space! {
    /// Counters of pause frames.
    pub PauseStats, "ETHTOOL_A_PAUSE_STAT_" {
        /// Aligns what follows.
        PAD: Pad = 1,
        /// Frames sent.
        TX_FRAMES: u64 = 2,
        /// Frames received.
        RX_FRAMES: u64 = 3,
        /// How often too many were sent.
        TX_PAUSE_STORM_EVENTS: u64 = 4,
    }
}

values! {
    /// Counters of which MAC.
    pub MacStatsSource(u32), "ETHTOOL_MAC_STATS_SRC_" {
        /// Of both.
        AGGREGATE = 0,
        /// Of that for express packets.
        EMAC = 1,
        /// Of that for packets that may be interrupted.
        PMAC = 2,
    }
}

space! {
    /// Packets that others may interrupt (IEEE 802.3br).
    pub MacMerge, "ETHTOOL_A_MM_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// 1: such packets are received.
        PMAC_ENABLED: u8 = 2,
        /// 1: such packets are to be sent.
        TX_ENABLED: u8 = 3,
        /// 1: they are.
        TX_ACTIVE: u8 = 4,
        /// Least bytes of a part sent.
        TX_MIN_FRAG_SIZE: u32 = 5,
        /// Least bytes of a part received.
        RX_MIN_FRAG_SIZE: u32 = 6,
        /// 1: the other end is asked whether it can.
        VERIFY_ENABLED: u8 = 7,
        /// What it said.
        VERIFY_STATUS: MacMergeVerification = 8,
        /// Milliseconds between questions.
        VERIFY_TIME: u32 = 9,
        /// Most of those.
        MAX_VERIFY_TIME: u32 = 10,
        /// Counters.
        STATS: Nest<MacMergeStats> = 11,
    }
}

values! {
    /// What the other end said.
    pub MacMergeVerification(u8), "ETHTOOL_MM_VERIFY_STATUS_" {
        UNKNOWN = 0,
        INITIAL = 1,
        VERIFYING = 2,
        SUCCEEDED = 3,
        FAILED = 4,
        DISABLED = 5,
    }
}

space! {
    /// Counters of packets in parts.
    pub MacMergeStats, "ETHTOOL_A_MM_STAT_" {
        /// Aligns what follows.
        PAD: Pad = 1,
        /// Packets that could not be put together.
        REASSEMBLY_ERRORS: u64 = 2,
        /// Parts that belong to none.
        SMD_ERRORS: u64 = 3,
        /// Packets put together.
        REASSEMBLY_OK: u64 = 4,
        /// Parts received.
        RX_FRAG_COUNT: u64 = 5,
        /// Parts sent.
        TX_FRAG_COUNT: u64 = 6,
        /// How often sending was held up.
        HOLD_COUNT: u64 = 7,
    }
}

space! {
    /// How received packets are spread over queues.
    pub Rss, "ETHTOOL_A_RSS_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Which spreading; absent for the first.
        CONTEXT: u32 = 2,
        /// Hash function, as a bit of its set of names.
        HFUNC: u32 = 3,
        /// Queue by hash.
        INDIR: Packed<u32> = 4,
        /// Key of the hash.
        HKEY: Bytes = 5,
        /// What is done with addresses first.
        INPUT_XFRM: HashTransform = 6,
        /// In a dump: the first spreading to be told.
        START_CONTEXT: u32 = 7,
        /// What is hashed, by kind of packet (Linux 6.17).
        FLOW_HASH: Nest<FlowHash> = 8,
    }
}

flags! {
    /// What is done with addresses before they are hashed.
    pub HashTransform(u32), "RXH_XFRM_" {
        /// Both directions are one.
        SYM_XOR = 0x1,
        /// The same, in another way.
        SYM_OR_XOR = 0x2,
    }
}

space! {
    /// What is hashed, by kind of packet.
    pub FlowHash, "ETHTOOL_A_FLOW_" {
        /// Of others.
        ETHER: NamedUint<HashFields> = 1,
        /// IPv4.
        IP4: NamedUint<HashFields> = 2,
        /// IPv6.
        IP6: NamedUint<HashFields> = 3,
        /// TCP over IPv4.
        TCP4: NamedUint<HashFields> = 4,
        /// TCP over IPv6.
        TCP6: NamedUint<HashFields> = 5,
        /// UDP over IPv4.
        UDP4: NamedUint<HashFields> = 6,
        /// UDP over IPv6.
        UDP6: NamedUint<HashFields> = 7,
        /// SCTP over IPv4.
        SCTP4: NamedUint<HashFields> = 8,
        /// SCTP over IPv6.
        SCTP6: NamedUint<HashFields> = 9,
        /// AH over IPv4.
        AH4: NamedUint<HashFields> = 10,
        /// AH over IPv6.
        AH6: NamedUint<HashFields> = 11,
        /// ESP over IPv4.
        ESP4: NamedUint<HashFields> = 12,
        /// ESP over IPv6.
        ESP6: NamedUint<HashFields> = 13,
        /// AH or ESP over IPv4.
        AH_ESP4: NamedUint<HashFields> = 14,
        /// AH or ESP over IPv6.
        AH_ESP6: NamedUint<HashFields> = 15,
        /// GTP-U over IPv4.
        GTPU4: NamedUint<HashFields> = 16,
        /// GTP-U over IPv6.
        GTPU6: NamedUint<HashFields> = 17,
        /// GTP-C over IPv4.
        GTPC4: NamedUint<HashFields> = 18,
        /// GTP-C over IPv6.
        GTPC6: NamedUint<HashFields> = 19,
        /// GTP-C with a tunnel's id over IPv4.
        GTPC_TEID4: NamedUint<HashFields> = 20,
        /// GTP-C with a tunnel's id over IPv6.
        GTPC_TEID6: NamedUint<HashFields> = 21,
        /// GTP-U with an extension over IPv4.
        GTPU_EH4: NamedUint<HashFields> = 22,
        /// GTP-U with an extension over IPv6.
        GTPU_EH6: NamedUint<HashFields> = 23,
        /// GTP-U upwards over IPv4.
        GTPU_UL4: NamedUint<HashFields> = 24,
        /// GTP-U upwards over IPv6.
        GTPU_UL6: NamedUint<HashFields> = 25,
        /// GTP-U downwards over IPv4.
        GTPU_DL4: NamedUint<HashFields> = 26,
        /// GTP-U downwards over IPv6.
        GTPU_DL6: NamedUint<HashFields> = 27,
    }
}

flags! {
    /// What is hashed.
    pub HashFields(u32), "RXH_" {
        /// Destination address of the frame.
        L2DA = 0x2,
        VLAN = 0x4,
        L3_PROTO = 0x8,
        IP_SRC = 0x10,
        IP_DST = 0x20,
        /// Source port.
        L4_B_0_1 = 0x40,
        /// Destination port.
        L4_B_2_3 = 0x80,
        GTP_TEID = 0x100,
        /// Flow label.
        IP6_FL = 0x200,
        /// The packet is dropped.
        DISCARD = 0x8000_0000,
    }
}

space! {
    /// Tunnels that a device knows.
    pub TunnelInfo, "ETHTOOL_A_TUNNEL_INFO_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Those over UDP.
        UDP_PORTS: Nest<TunnelPorts> = 2,
    }
}

space! {
    /// Ports of tunnels.
    pub TunnelPorts, "ETHTOOL_A_TUNNEL_UDP_" {
        /// A table of the device.
        TABLE: Many<Nest<TunnelTable>> = 1,
    }
}

space! {
    /// A table of ports.
    pub TunnelTable, "ETHTOOL_A_TUNNEL_UDP_TABLE_" {
        /// Entries it can have.
        SIZE: u32 = 1,
        /// Tunnels it is for.
        TYPES: Nest<Bitset> = 2,
        /// An entry.
        ENTRY: Many<Nest<TunnelEntry>> = 3,
    }
}

space! {
    /// A port that a device knows as a tunnel's.
    pub TunnelEntry, "ETHTOOL_A_TUNNEL_UDP_ENTRY_" {
        /// The port.
        PORT: Be16 = 1,
        /// The tunnel.
        TYPE: UdpTunnelType = 2,
    }
}

values! {
    /// A tunnel over UDP.
    pub UdpTunnelType(u32), "ETHTOOL_UDP_TUNNEL_TYPE_" {
        VXLAN = 0,
        GENEVE = 1,
        VXLAN_GPE = 2,
    }
}
