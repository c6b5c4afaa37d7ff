//! Objects with names: counters, quotas, limits and what connections are given.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{Connlimit, Counter, Limit, Quota, Synproxy};
use crate::table::{Be, Be16, Be32, Be64, Bytes, Choice, Indexed, Many, Nest, Pad, Str, Tlvs};
use crate::{choices, flags, space, values};

space! {
    /// An object: what several rules share.
    pub Object, "NFTA_OBJ_" {
        /// Its table's name.
        TABLE: Str = 1,
        /// Its name, 1 to 255 bytes, unique among the table's objects of its type.
        NAME: Str = 2,
        /// Its type.
        TYPE: Be<ObjectType> = 3,
        /// What it is set to, by its type.
        DATA: Choice<ObjectData> = 4,
        /// How many rules and elements use it.
        USE: Be32 = 5,
        /// Its number within the table.
        HANDLE: Be64 = 6,
        /// Nothing.
        PAD: Pad = 7,
        /// What programs keep with it: libnftnl's records (a comment is type 0), up to 256 bytes.
        USERDATA: Tlvs = 8,
    }
}

values! {
    /// What an object is.
    pub ObjectType(u32), "NFT_OBJECT_" {
        /// Nothing.
        UNSPEC = 0,
        /// A counter.
        COUNTER = 1,
        /// A quota.
        QUOTA = 2,
        /// A helper for connections.
        CT_HELPER = 3,
        /// A limit of the rate.
        LIMIT = 4,
        /// A limit of the number of connections.
        CONNLIMIT = 5,
        /// What tunnels put on packets.
        TUNNEL = 6,
        /// Timeouts of connections.
        CT_TIMEOUT = 7,
        /// A security label.
        SECMARK = 8,
        /// Connections that are expected.
        CT_EXPECT = 9,
        /// What answers handshakes for a server.
        SYNPROXY = 10,
    }
}

choices! {
    /// What an object is set to, by its type.
    pub ObjectData, by Sibling 3 {
        1 => Nest<Counter>,
        2 => Nest<Quota>,
        3 => Nest<CtHelper>,
        4 => Nest<Limit>,
        5 => Nest<Connlimit>,
        6 => Nest<TunnelKey>,
        7 => Nest<CtTimeout>,
        8 => Nest<Secmark>,
        9 => Nest<CtExpect>,
        10 => Nest<Synproxy>,
    }
}

space! {
    /// A helper for connections.
    pub CtHelper, "NFTA_CT_HELPER_" {
        /// Name (`ftp`).
        NAME: Str = 1,
        /// Family (`NFPROTO_*`).
        L3PROTO: Be16 = 2,
        /// Protocol (`IPPROTO_*`).
        L4PROTO: u8 = 3,
    }
}

space! {
    /// Timeouts of connections.
    pub CtTimeout, "NFTA_CT_TIMEOUT_" {
        /// Family (`NFPROTO_*`).
        L3PROTO: Be16 = 1,
        /// Protocol (`IPPROTO_*`).
        L4PROTO: u8 = 2,
        /// Seconds for each of the protocol's states: attributes of 4 bytes, big-endian, numbered by the protocol
        /// (`CTA_TIMEOUT_TCP_*`, include/uapi/linux/netfilter/nfnetlink_cttimeout.h).
        DATA: Indexed<Be32> = 3,
    }
}

space! {
    /// Connections that are expected.
    pub CtExpect, "NFTA_CT_EXPECT_" {
        /// Family (`NFPROTO_*`).
        L3PROTO: Be16 = 1,
        /// Protocol (`IPPROTO_*`).
        L4PROTO: u8 = 2,
        /// Port they go to.
        DPORT: Be16 = 3,
        /// How long they are expected, in milliseconds; in the machine's byte order.
        TIMEOUT: u32 = 4,
        /// How many of them.
        SIZE: u8 = 5,
    }
}

space! {
    /// A security label.
    pub Secmark, "NFTA_SECMARK_" {
        /// Its text.
        CTX: Str = 1,
    }
}

space! {
    /// What tunnels put on packets.
    pub TunnelKey, "NFTA_TUNNEL_KEY_" {
        /// The tunnel's number.
        ID: Be32 = 1,
        /// Addresses, of IPv4.
        IP: Nest<TunnelKeyIp> = 2,
        /// Addresses, of IPv6.
        IP6: Nest<TunnelKeyIp6> = 3,
        /// What is special.
        FLAGS: Be<TunnelKeyFlags> = 4,
        /// Type of service.
        TOS: u8 = 5,
        /// Hops.
        TTL: u8 = 6,
        /// Source port.
        SPORT: Be16 = 7,
        /// Destination port.
        DPORT: Be16 = 8,
        /// What the kind of tunnel has of its own.
        OPTS: Nest<TunnelKeyOptions> = 9,
    }
}

flags! {
    /// What is special about what tunnels put on packets.
    pub TunnelKeyFlags(u32), "NFT_TUNNEL_F_" {
        /// No UDP checksum.
        ZERO_CSUM_TX = 0x1,
        /// Packets are not to be fragmented.
        DONT_FRAGMENT = 0x2,
        /// With sequence numbers.
        SEQ_NUMBER = 0x4,
    }
}

space! {
    /// A tunnel's IPv4 addresses.
    pub TunnelKeyIp, "NFTA_TUNNEL_KEY_IP_" {
        /// Source.
        SRC: Ipv4Addr = 1,
        /// Destination.
        DST: Ipv4Addr = 2,
    }
}

space! {
    /// A tunnel's IPv6 addresses.
    pub TunnelKeyIp6, "NFTA_TUNNEL_KEY_IP6_" {
        /// Source.
        SRC: Ipv6Addr = 1,
        /// Destination.
        DST: Ipv6Addr = 2,
        /// Flow label.
        FLOWLABEL: Be32 = 3,
    }
}

space! {
    /// What a kind of tunnel has of its own.
    pub TunnelKeyOptions, "NFTA_TUNNEL_KEY_OPTS_" {
        /// VXLAN.
        VXLAN: Nest<TunnelKeyVxlan> = 1,
        /// ERSPAN.
        ERSPAN: Nest<TunnelKeyErspan> = 2,
        /// An option of Geneve.
        GENEVE: Many<Nest<TunnelKeyGeneve>> = 3,
    }
}

space! {
    /// What VXLAN has of its own.
    pub TunnelKeyVxlan, "NFTA_TUNNEL_KEY_VXLAN_" {
        /// Group policy.
        GBP: Be32 = 1,
    }
}

space! {
    /// What ERSPAN has of its own.
    pub TunnelKeyErspan, "NFTA_TUNNEL_KEY_ERSPAN_" {
        /// Version, 1 or 2.
        VERSION: Be32 = 1,
        /// Port, of version 1.
        V1_INDEX: Be32 = 2,
        /// Number of the hardware, of version 2.
        V2_HWID: u8 = 3,
        /// Direction, of version 2.
        V2_DIR: u8 = 4,
    }
}

space! {
    /// An option of Geneve.
    pub TunnelKeyGeneve, "NFTA_TUNNEL_KEY_GENEVE_" {
        /// Whose option.
        CLASS: Be16 = 1,
        /// Which of theirs.
        TYPE: u8 = 2,
        /// What it says.
        DATA: Bytes = 3,
    }
}
