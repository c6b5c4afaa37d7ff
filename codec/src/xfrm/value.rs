//! Numbers with names (include/uapi/linux/xfrm.h).

use crate::{flags, values};

values! {
    /// An address family, 16 bits wide as in every struct here.
    pub Family(u16), "AF_" {
        /// Any.
        UNSPEC = 0,
        /// IPv4.
        INET = 2,
        /// IPv6.
        INET6 = 10,
    }
}

// include/uapi/linux/in.h, include/uapi/linux/in6.h
values! {
    /// What a state makes of a packet, by the protocol number of its header.
    pub Protocol(u8), "IPPROTO_" {
        /// In requests: any.
        IP = 0,
        /// A routing header of Mobile IPv6.
        ROUTING = 43,
        /// Encryption, with or without authentication (RFC 4303).
        ESP = 50,
        /// Authentication (RFC 4302).
        AH = 51,
        /// A destination option of Mobile IPv6.
        DSTOPTS = 60,
        /// Compression (RFC 3173).
        COMP = 108,
        /// Any of those of IPsec (`IPSEC_PROTO_ANY`).
        RAW = 255,
    }
}

values! {
    /// What of a packet is protected.
    pub Mode(u8), "XFRM_MODE_" {
        /// What is behind the IP header.
        TRANSPORT = 0,
        /// The whole packet, behind an IP header that is added.
        TUNNEL = 1,
        /// Nothing: the route is a shorter one (Mobile IPv6).
        ROUTEOPTIMIZATION = 2,
        /// Nothing: a packet that comes in makes the kernel ask for a state.
        IN_TRIGGER = 3,
        /// As a tunnel whose inner addresses are not sent.
        BEET = 4,
        /// As a tunnel that sends packets aggregated and in fragments (RFC 9347).
        IPTFS = 5,
    }
}

values! {
    /// Who may share a state.
    pub Share(u8), "XFRM_SHARE_" {
        /// Everyone.
        ANY = 0,
        /// One session.
        SESSION = 1,
        /// One user.
        USER = 2,
        /// Nobody: it is used once.
        UNIQUE = 3,
    }
}

values! {
    /// Which packets a policy is for. Those of a socket are numbered from 3 on, in the same order.
    pub Direction(u8), "XFRM_POLICY_" {
        /// Those that come in for this host.
        IN = 0,
        /// Those that this host sends.
        OUT = 1,
        /// Those that this host forwards.
        FWD = 2,
    }
}

values! {
    /// What happens to a packet.
    pub Action(u8), "XFRM_POLICY_" {
        /// It passes, as the templates say.
        ALLOW = 0,
        /// It is dropped.
        BLOCK = 1,
    }
}

flags! {
    /// What is special about a policy.
    pub PolicyFlags(u8), "XFRM_POLICY_" {
        /// A socket may have another of its own.
        LOCALOK = 1,
        /// ICMP errors about packets that it is for are meant, too.
        ICMP = 2,
        /// States are asked for each processor.
        CPU_ACQUIRE = 4,
    }
}

values! {
    /// Which of the tables a policy is in.
    pub PolicyKind(u8), "XFRM_POLICY_TYPE_" {
        /// The usual one.
        MAIN = 0,
        /// That of Mobile IPv6.
        SUB = 1,
        /// In requests: any.
        ANY = 255,
    }
}

values! {
    /// What happens to packets that no policy is for.
    pub DefaultAction(u8), "XFRM_USERPOLICY_" {
        /// In requests: stays as it is.
        UNSPEC = 0,
        /// They are dropped.
        BLOCK = 1,
        /// They pass.
        ACCEPT = 2,
    }
}

flags! {
    /// What is special about a state.
    pub StateFlags(u8), "XFRM_STATE_" {
        /// Congestion marks are not copied.
        NOECN = 1,
        /// The traffic class is copied to the packet within.
        DECAP_DSCP = 2,
        /// Fragments are allowed to be made of the outer packet.
        NOPMTUDISC = 4,
        /// A source address of zeros matches any.
        WILDRECV = 8,
        /// ICMP errors about packets that it is for are meant, too.
        ICMP = 16,
        /// Inner packets may be of another family than the outer.
        AF_UNSPEC = 32,
        /// The authentication header is padded to 4 bytes, not 8.
        ALIGN4 = 64,
        /// Sequence numbers of 64 bits.
        ESN = 128,
    }
}

flags! {
    /// What else is special about a state.
    pub ExtraFlags(u32), "XFRM_SA_XFLAG_" {
        /// The traffic class of the packet within is not copied to the outer.
        DONT_ENCAP_DSCP = 1,
        /// Outgoing sequence numbers of 32 bits may start again.
        OSEQ_MAY_WRAP = 2,
    }
}

values! {
    /// Which packets a state is for.
    pub StateDirection(u8), "XFRM_SA_DIR_" {
        /// Those that come in.
        IN = 1,
        /// Those that go out.
        OUT = 2,
    }
}

flags! {
    /// What is asked of, or told in, messages about replay counters and lifetimes.
    pub EventFlags(u32), "XFRM_AE_" {
        /// The replay threshold.
        RTHR = 1,
        /// Replay counters.
        RVAL = 2,
        /// The lifetime so far.
        LVAL = 4,
        /// The timer's threshold.
        ETHR = 8,
        /// Because of replay counters.
        CR = 16,
        /// Because of the timer.
        CE = 32,
        /// Because somebody asked or changed it.
        CU = 64,
    }
}

flags! {
    /// How a device takes part.
    pub OffloadFlags(u8), "XFRM_OFFLOAD_" {
        /// Means nothing to any kernel.
        IPV6 = 1,
        /// The state is for packets that come in.
        INBOUND = 2,
        /// The device does all of it, not only the cipher.
        PACKET = 4,
    }
}

flags! {
    /// How a state is moved to other addresses, since Linux 7.1.
    pub MigrateFlags(u32), "XFRM_MIGRATE_STATE_" {
        /// The new one is not offloaded to a device as the old one was.
        CLEAR_OFFLOAD = 1,
        /// The selector from host to host follows the new addresses.
        UPDATE_H2H_SEL = 2,
    }
}

// include/uapi/linux/udp.h, include/uapi/linux/tcp.h
values! {
    /// What packets are wrapped in to pass address translators.
    pub EncapType(u16), "" {
        /// UDP, as an early draft had it.
        ESPINUDP_NON_IKE as "UDP_ENCAP_ESPINUDP_NON_IKE" = 1,
        /// UDP (RFC 3948).
        ESPINUDP as "UDP_ENCAP_ESPINUDP" = 2,
        /// TCP (RFC 8229).
        ESPINTCP as "TCP_ENCAP_ESPINTCP" = 7,
    }
}
