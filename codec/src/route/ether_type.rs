//! What an Ethernet frame holds.

// include/uapi/linux/if_ether.h
crate::values! {
    /// What an Ethernet frame holds, by the two bytes behind its addresses. Most attributes have it big-endian:
    /// `Be<EtherType>`.
    pub EtherType(u16), "ETH_P_" {
        /// Not a type: every frame.
        ALL = 0x0003,
        IP = 0x0800,
        ARP = 0x0806,
        ERSPAN2 = 0x22eb,
        /// Whole Ethernet frames, in GRE and the like.
        TEB = 0x6558,
        RARP = 0x8035,
        /// An 802.1Q VLAN tag.
        _8021Q as "8021Q" = 0x8100,
        IPV6 = 0x86dd,
        /// Flow control.
        PAUSE = 0x8808,
        /// LACP and its kin.
        SLOW = 0x8809,
        MPLS_UC = 0x8847,
        MPLS_MC = 0x8848,
        PPP_DISC = 0x8863,
        PPP_SES = 0x8864,
        /// 802.1X.
        PAE = 0x888e,
        /// An 802.1ad (QinQ) outer VLAN tag.
        _8021AD as "8021AD" = 0x88a8,
        ERSPAN = 0x88be,
        LLDP = 0x88cc,
        MRP = 0x88e3,
        MACSEC = 0x88e5,
        _1588 as "1588" = 0x88f7,
        PRP = 0x88fb,
        /// Connectivity fault management.
        CFM = 0x8902,
        HSR = 0x892f,
        /// Network service header.
        NSH = 0x894f,
        LOOPBACK = 0x9000,
    }
}
