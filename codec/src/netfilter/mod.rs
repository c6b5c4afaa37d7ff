//! Netfilter: firewall, connection tracking, packets to and from programs, sets (include/uapi/linux/netfilter/nfnetlink.h).
//!
//! One protocol for several parts of the kernel. A message's type is the part ([`Subsystem`]) in its high byte and the
//! part's own number in its low one, and each begins with a [`NetfilterHeader`]. Nearly all numbers are big-endian,
//! without saying so in the attribute's type.
//!
//! Each part has a module of its own, whose types do not repeat its name.

pub mod accounting;
pub mod conntrack;
pub mod fingerprint;
pub mod helper;
pub mod hook;
pub mod ipset;
pub mod log;
pub mod nftables;
pub mod packet;
pub mod queue;
pub mod timeout;

use crate::table::{Be16, Be32, Operations};
use crate::{operations, record, space, values};

/// The messages of all parts.
pub const OPERATIONS: &[&Operations] = &[
    Control::OPERATIONS,
    conntrack::Conntrack::OPERATIONS,
    conntrack::Expect::OPERATIONS,
    queue::Queue::OPERATIONS,
    log::Log::OPERATIONS,
    ipset::IpSet::OPERATIONS,
    nftables::Nft::OPERATIONS,
    nftables::Compat::OPERATIONS,
    accounting::Accounting::OPERATIONS,
    fingerprint::Fingerprints::OPERATIONS,
    helper::Helpers::OPERATIONS,
    hook::Hooks::OPERATIONS,
    timeout::Timeouts::OPERATIONS,
];

record! {
    /// What every message begins with (`struct nfgenmsg`, include/uapi/linux/netfilter/nfnetlink.h).
    pub NetfilterHeader, "nfgenmsg", "" {
        /// Whose packets it is about.
        nfgen_family: Family,
        /// `NFNETLINK_V0`, 0.
        version: u8,
        /// A number of the part: of a queue, a group, a generation; of [`Control::BATCH_BEGIN`], the part itself.
        res_id: Be16,
    }
}

impl NetfilterHeader {
    /// The header of a message about this family's packets.
    #[must_use]
    pub fn of(nfgen_family: Family) -> Self {
        Self { nfgen_family, ..Self::default() }
    }

    /// The same with this number.
    #[must_use]
    pub fn numbered(self, number: u16) -> Self {
        Self { res_id: Be16::new(number), ..self }
    }
}

// include/uapi/linux/netfilter.h
values! {
    /// Whose packets: the families that netfilter has hooks for.
    pub Family(u8), "NFPROTO_" {
        /// Any, or none.
        UNSPEC = 0,
        /// IPv4 and IPv6 together.
        INET = 1,
        /// IPv4.
        IPV4 = 2,
        /// ARP.
        ARP = 3,
        /// What an interface receives, before anything else.
        NETDEV = 5,
        /// What goes over a bridge.
        BRIDGE = 7,
        /// IPv6.
        IPV6 = 10,
    }
}

values! {
    /// A part of netfilter.
    pub Subsystem(u8), "NFNL_SUBSYS_" {
        /// None: what brackets transactions.
        NONE = 0,
        /// Connection tracking.
        CTNETLINK = 1,
        /// Connections that are expected.
        CTNETLINK_EXP = 2,
        /// Packets handed to programs for a verdict.
        QUEUE = 3,
        /// Packets told to programs.
        ULOG = 4,
        /// Fingerprints of operating systems.
        OSF = 5,
        /// Sets of addresses.
        IPSET = 6,
        /// Named counters.
        ACCT = 7,
        /// Timeouts of connections.
        CTNETLINK_TIMEOUT = 8,
        /// Helpers in programs.
        CTHELPER = 9,
        /// Tables, chains, rules.
        NFTABLES = 10,
        /// What of iptables nf_tables can carry.
        NFT_COMPAT = 11,
        /// What is hooked in where.
        HOOK = 12,
    }
}

operations! {
    /// What brackets a transaction: messages in between are carried out together or not at all.
    pub Control, "NFNL_MSG_" {
        /// Its beginning; the part is the header's `res_id`.
        BATCH_BEGIN: act (NetfilterHeader, Transaction) = 16,
        /// Its end.
        BATCH_END: act (NetfilterHeader, Transaction) = 17,
    }
}

space! {
    /// What a transaction begins with.
    pub Transaction, "NFNL_BATCH_" {
        /// The generation it is made for: the kernel refuses it (`ERESTART`) when that has passed.
        GENID: Be32 = 1,
    }
}
