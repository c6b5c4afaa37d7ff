//! Bonds and their ports (include/uapi/linux/if_link.h, if_bonding.h; Documentation/networking/bonding.rst).

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::table::{Hardware, Indexed, Nest};
use crate::{flags, space, values};

// include/uapi/linux/if_link.h. Where nothing else is said, 1 is on and 0 off.
space! {
    /// Several ports that act as one.
    pub Bond, "IFLA_BOND_" {
        /// How packets are spread over the ports.
        MODE: BondMode = 1,
        /// Index of the port that carries packets; in a request 0 for none.
        ACTIVE_SLAVE: u32 = 2,
        /// How often carriers are looked at, in milliseconds; 0 for never.
        MIIMON: u32 = 3,
        /// How long a carrier must last before its port is used, in milliseconds.
        UPDELAY: u32 = 4,
        /// How long a carrier must be gone before its port is left, in milliseconds.
        DOWNDELAY: u32 = 5,
        /// Obsolete: carriers are always those of the drivers.
        USE_CARRIER: u8 = 6,
        /// How often neighbours are probed, in milliseconds; 0 for never.
        ARP_INTERVAL: u32 = 7,
        /// Neighbours to probe by ARP, up to 16.
        ARP_IP_TARGET: Indexed<Ipv4Addr> = 8,
        /// Which probes and answers count.
        ARP_VALIDATE: BondArpValidate = 9,
        /// Whether all neighbours must answer.
        ARP_ALL_TARGETS: BondArpAllTargets = 10,
        /// Index of the port that is preferred; in a request 0 for none.
        PRIMARY: u32 = 11,
        /// When the preferred port takes over again.
        PRIMARY_RESELECT: BondPrimaryReselect = 12,
        /// Whose hardware address is used in mode `ACTIVEBACKUP`.
        FAIL_OVER_MAC: BondFailOverMac = 13,
        /// What decides by which port a packet goes.
        XMIT_HASH_POLICY: BondXmitPolicy = 14,
        /// How many times multicast groups are joined again after a failover.
        RESEND_IGMP: u32 = 15,
        /// How many times neighbours are told after a failover.
        NUM_PEER_NOTIF: u8 = 16,
        /// Packets that come in at other ports are taken too.
        ALL_SLAVES_ACTIVE: u8 = 17,
        /// How many ports must be up for the bond to be up.
        MIN_LINKS: u32 = 18,
        /// How often switches are made to learn, in seconds.
        LP_INTERVAL: u32 = 19,
        /// In mode `ROUNDROBIN`, packets before the next port's turn; 0 chooses at random.
        PACKETS_PER_SLAVE: u32 = 20,
        /// How often the partner is to send.
        AD_LACP_RATE: BondLacpRate = 21,
        /// What makes the best aggregator.
        AD_SELECT: BondAdSelect = 22,
        /// What LACP came to.
        AD_INFO: Nest<BondAdInfo> = 23,
        /// LACP: system priority, 1 to 65535.
        AD_ACTOR_SYS_PRIO: u16 = 24,
        /// LACP: the upper ten bits of port keys.
        AD_USER_PORT_KEY: u16 = 25,
        /// LACP: system id; all zero for the bond's hardware address.
        AD_ACTOR_SYSTEM: Hardware = 26,
        /// In mode `TLB`, flows are moved as load changes.
        TLB_DYNAMIC_LB: u8 = 27,
        /// Time between telling neighbours, in milliseconds.
        PEER_NOTIF_DELAY: u32 = 28,
        /// LACP: it sends even when the partner does not.
        AD_LACP_ACTIVE: u8 = 29,
        /// How many probes in a row may go unanswered, 1 to 255.
        MISSED_MAX: u8 = 30,
        /// Neighbours to probe by IPv6 solicitation, up to 16.
        NS_IP6_TARGET: Indexed<Ipv6Addr> = 31,
        /// LACP: a port collects and distributes at once.
        COUPLED_CONTROL: u8 = 32,
        /// LACP: ARP and neighbour solicitations go out by all ports.
        BROADCAST_NEIGH: u8 = 33,
        /// LACP: without a partner, no port carries packets.
        LACP_STRICT: u8 = 34,
    }
}

values! {
    /// How a bond spreads packets over its ports.
    pub BondMode(u8), "BOND_MODE_" {
        /// In turn.
        ROUNDROBIN = 0,
        /// One port carries all, the others wait.
        ACTIVEBACKUP = 1,
        /// By a hash.
        XOR = 2,
        /// By all ports.
        BROADCAST = 3,
        /// By a hash over the ports that LACP found.
        _8023AD as "8023AD" = 4,
        /// By load, for packets that go out.
        TLB = 5,
        /// By load, for packets both ways.
        ALB = 6,
    }
}

// include/net/bonding.h
flags! {
    /// Which probes and answers count; none: any packet shows that the port is alive.
    pub BondArpValidate(u32), "BOND_ARP_" {
        /// The port that is active must see the answers.
        VALIDATE_ACTIVE = 0x1,
        /// Ports that wait must see the probes.
        VALIDATE_BACKUP = 0x2,
        /// Ports that are not checked must see any ARP packet.
        FILTER = 0x4,
    }
}

// include/net/bonding.h
values! {
    /// How many probed neighbours must answer.
    pub BondArpAllTargets(u32), "BOND_ARP_TARGETS_" {
        /// One.
        ANY = 0,
        /// Each.
        ALL = 1,
    }
}

// include/net/bonding.h
values! {
    /// When a preferred port takes over again.
    pub BondPrimaryReselect(u8), "BOND_PRI_RESELECT_" {
        /// As soon as it can.
        ALWAYS = 0,
        /// When it is faster than the one that is active.
        BETTER = 1,
        /// When the one that is active fails.
        FAILURE = 2,
    }
}

// include/net/bonding.h
values! {
    /// Whose hardware address is used in mode `ACTIVEBACKUP`.
    pub BondFailOverMac(u8), "BOND_FOM_" {
        /// All ports have the bond's.
        NONE = 0,
        /// The bond has the active port's.
        ACTIVE = 1,
        /// The active port takes the bond's.
        FOLLOW = 2,
    }
}

values! {
    /// What decides by which port a packet goes.
    pub BondXmitPolicy(u8), "BOND_XMIT_POLICY_" {
        /// Hardware addresses.
        LAYER2 = 0,
        /// Addresses and ports.
        LAYER34 = 1,
        /// Hardware addresses and addresses.
        LAYER23 = 2,
        /// As `LAYER23`, of the inner packet.
        ENCAP23 = 3,
        /// As `LAYER34`, of the inner packet.
        ENCAP34 = 4,
        /// VLAN and source hardware address.
        VLAN_SRCMAC = 5,
    }
}

// include/net/bond_3ad.h
values! {
    /// How often the partner is to send.
    pub BondLacpRate(u8), "AD_LACP_" {
        /// Every 30 seconds.
        SLOW = 0,
        /// Every second.
        FAST = 1,
    }
}

// include/net/bond_3ad.h
values! {
    /// What makes the best aggregator.
    pub BondAdSelect(u8), "BOND_AD_" {
        /// The most bandwidth, when the old one has no port left.
        STABLE = 0,
        /// The most bandwidth, at every change.
        BANDWIDTH = 1,
        /// The most ports, at every change.
        COUNT = 2,
        /// The highest priorities of ports, at every change.
        PRIO = 3,
    }
}

// include/uapi/linux/if_link.h
space! {
    /// What LACP came to.
    pub BondAdInfo, "IFLA_BOND_AD_INFO_" {
        /// Number of the aggregator that is active.
        AGGREGATOR: u16 = 1,
        /// Its ports.
        NUM_PORTS: u16 = 2,
        /// Key of this side.
        ACTOR_KEY: u16 = 3,
        /// Key of the partner.
        PARTNER_KEY: u16 = 4,
        /// System id of the partner.
        PARTNER_MAC: Hardware = 5,
    }
}

// include/uapi/linux/if_link.h
space! {
    /// A port of a bond.
    pub BondPort, "IFLA_BOND_SLAVE_" {
        /// Whether it carries packets.
        STATE: BondPortState = 1,
        /// Whether it has a carrier, as the bond sees it.
        MII_STATUS: BondPortLink = 2,
        /// How often its carrier was lost.
        LINK_FAILURE_COUNT: u32 = 3,
        /// Hardware address it had before.
        PERM_HWADDR: Hardware = 4,
        /// Queue of the bond that goes out here; 0 for none.
        QUEUE_ID: u16 = 5,
        /// LACP: number of its aggregator.
        AD_AGGREGATOR_ID: u16 = 6,
        /// LACP: its state on this side.
        AD_ACTOR_OPER_PORT_STATE: LacpState = 7,
        /// LACP: its state on the partner's side, as bits of [`LacpState`].
        AD_PARTNER_OPER_PORT_STATE: u16 = 8,
        /// Priority to become active, higher is better.
        PRIO: i32 = 9,
        /// LACP: priority of the port.
        ACTOR_PORT_PRIO: u16 = 10,
        /// LACP: whether this side settles.
        AD_CHURN_ACTOR_STATE: BondChurn = 11,
        /// LACP: whether the partner's side settles.
        AD_CHURN_PARTNER_STATE: BondChurn = 12,
    }
}

values! {
    /// Whether a port of a bond carries packets.
    pub BondPortState(u8), "BOND_STATE_" {
        ACTIVE = 0,
        BACKUP = 1,
    }
}

values! {
    /// Whether a port of a bond has a carrier.
    pub BondPortLink(u8), "BOND_LINK_" {
        UP = 0,
        /// Gone, `DOWNDELAY` not over.
        FAIL = 1,
        DOWN = 2,
        /// There again, `UPDELAY` not over.
        BACK = 3,
    }
}

flags! {
    /// State of a port by LACP (IEEE 802.1AX).
    pub LacpState(u8), "LACP_STATE_" {
        LACP_ACTIVITY = 0x1,
        /// Wants the fast rate.
        LACP_TIMEOUT = 0x2,
        AGGREGATION = 0x4,
        SYNCHRONIZATION = 0x8,
        COLLECTING = 0x10,
        DISTRIBUTING = 0x20,
        DEFAULTED = 0x40,
        EXPIRED = 0x80,
    }
}

// include/net/bond_3ad.h
values! {
    /// Whether one side of a port settles.
    pub BondChurn(u8), "AD_" {
        /// Not known yet.
        CHURN_MONITOR = 0,
        /// It does not.
        CHURN = 1,
        /// It has.
        NO_CHURN = 2,
    }
}
