//! Actions that change packets, or what the kernel keeps with them (net/sched/act_*.c).

use core::net::{Ipv4Addr, Ipv6Addr};

use super::super::EtherType;
use super::ActionTimes;
use super::action::action;
use crate::table::{Be, Be16, Be32, Bytes, Flag, Followed, Hardware, Many, Nest, Pad, Str};
use crate::{flags, record, space, values};

// include/uapi/linux/tc_act/tc_pedit.h
space! {
    /// `pedit`: changes bits at places of the packet (tc-pedit(8)).
    pub Pedit, "TCA_PEDIT_" {
        /// When it was made and used.
        TM: ActionTimes = 1,
        /// What is changed; in the form of old, places count from the network header on.
        PARMS: Followed<PeditSelector, PeditKey> = 2,
        /// Aligns what follows.
        PAD: Pad = 3,
        /// What is changed, where [`KEYS_EX`](Self::KEYS_EX) says from where places count.
        PARMS_EX: Followed<PeditSelector, PeditKey> = 4,
        /// For each of the keys, from where its place counts and how it changes.
        KEYS_EX: Nest<PeditKeys> = 5,
        // 6 stands within that.
    }
}

space! {
    /// From where places count and how keys change, in the keys' order.
    pub PeditKeys, "TCA_PEDIT_" {
        /// One key's.
        KEY_EX: Many<Nest<PeditKeyEx>> = 6,
    }
}

space! {
    /// From where a key's place counts and how it changes.
    pub PeditKeyEx, "TCA_PEDIT_KEY_EX_" {
        /// From where.
        HTYPE: PeditHeader = 1,
        /// How.
        CMD: PeditCommand = 2,
    }
}

action! {
    /// What `pedit` is set to; the keys follow.
    pub PeditSelector, "tc_pedit_sel", {
        /// How many keys.
        nkeys: u8,
        /// Nothing.
        flags: u8,
        /// Nothing.
        pad: u16,
    }
}

record! {
    /// A change of 32 bits.
    pub PeditKey, "tc_pedit_key", "" {
        /// Bits that stay, as they lie in the packet.
        mask: u32,
        /// Bits that are turned over then, or added.
        val: u32,
        /// Where they stand, in bytes.
        off: u32,
        /// Where in the packet a byte stands that is added to that place.
        at: u32,
        /// Bits of that byte that count; 0 for no such byte.
        offmask: u32,
        /// How far that is moved right.
        shift: u32,
    }
}

values! {
    /// From where a place counts.
    pub PeditHeader(u16), "TCA_PEDIT_KEY_EX_HDR_TYPE_" {
        /// The network header, whatever it is.
        NETWORK = 0,
        ETH = 1,
        IP4 = 2,
        IP6 = 3,
        TCP = 4,
        UDP = 5,
    }
}

values! {
    /// How bits change.
    pub PeditCommand(u16), "TCA_PEDIT_KEY_EX_CMD_" {
        /// They become what is said.
        SET = 0,
        /// What is said is added to them.
        ADD = 1,
    }
}

// include/uapi/linux/tc_act/tc_skbedit.h
space! {
    /// `skbedit`: changes what the kernel keeps with a packet (tc-skbedit(8)).
    pub SkbEdit, "TCA_SKBEDIT_" {
        /// When it was made and used.
        TM: ActionTimes = 1,
        /// What it is set to.
        PARMS: SkbEditSettings = 2,
        /// Priority.
        PRIORITY: u32 = 3,
        /// Queue of the device.
        QUEUE_MAPPING: u16 = 4,
        /// Mark.
        MARK: u32 = 5,
        /// Aligns what follows.
        PAD: Pad = 6,
        /// For whom it is (`PACKET_`).
        PTYPE: u16 = 7,
        /// Bits of the mark that change.
        MASK: u32 = 8,
        /// What else changes.
        FLAGS: SkbEditFlags = 9,
        /// The last of a range of queues; a hash chooses.
        QUEUE_MAPPING_MAX: u16 = 10,
    }
}

action! {
    /// What `skbedit` is set to.
    pub SkbEditSettings, "tc_skbedit", {}
}

flags! {
    /// What changes.
    pub SkbEditFlags(u64), "SKBEDIT_F_" {
        PRIORITY = 0x1,
        QUEUE_MAPPING = 0x2,
        MARK = 0x4,
        PTYPE = 0x8,
        MASK = 0x10,
        /// The priority becomes the packet's DSCP.
        INHERITDSFIELD = 0x20,
        /// The queue comes of the packet's hash.
        TXQ_SKBHASH = 0x40,
    }
}

// include/uapi/linux/tc_act/tc_skbmod.h
space! {
    /// `skbmod`: changes Ethernet headers (tc-skbmod(8)).
    pub SkbMod, "TCA_SKBMOD_" {
        /// When it was made and used.
        TM: ActionTimes = 1,
        /// What it is set to.
        PARMS: SkbModSettings = 2,
        /// Destination.
        DMAC: Hardware = 3,
        /// Source.
        SMAC: Hardware = 4,
        /// What the frame holds, in the machine's byte order.
        ETYPE: EtherType = 5,
        /// Aligns what follows.
        PAD: Pad = 6,
    }
}

action! {
    /// What `skbmod` is set to.
    pub SkbModSettings, "tc_skbmod", {
        /// Nothing; absent on 32-bit x86.
        pad: u32,
        /// What changes.
        flags: SkbModFlags,
    }
}

flags! {
    /// What changes.
    pub SkbModFlags(u64), "SKBMOD_F_" {
        DMAC = 0x1,
        SMAC = 0x2,
        ETYPE = 0x4,
        /// Source and destination change places.
        SWAPMAC = 0x8,
        /// Congestion is marked.
        ECN = 0x10,
    }
}

// include/uapi/linux/tc_act/tc_vlan.h
space! {
    /// `vlan`: adds, changes or takes away VLAN tags or Ethernet headers (tc-vlan(8)).
    pub VlanEdit, "TCA_VLAN_" {
        /// When it was made and used.
        TM: ActionTimes = 1,
        /// What it is set to.
        PARMS: VlanSettings = 2,
        /// Identifier, 0 to 4095.
        PUSH_VLAN_ID: u16 = 3,
        /// Type of the tag: 802.1Q or 802.1ad.
        PUSH_VLAN_PROTOCOL: Be<EtherType> = 4,
        /// Aligns what follows.
        PAD: Pad = 5,
        /// Priority, 0 to 7.
        PUSH_VLAN_PRIORITY: u8 = 6,
        /// Destination in a new Ethernet header.
        PUSH_ETH_DST: Hardware = 7,
        /// Source in a new Ethernet header.
        PUSH_ETH_SRC: Hardware = 8,
    }
}

action! {
    /// What `vlan` is set to.
    pub VlanSettings, "tc_vlan", {
        /// What it does.
        v_action: VlanAction,
    }
}

values! {
    /// What is done with VLAN tags.
    pub VlanAction(u32), "TCA_VLAN_ACT_" {
        /// The outermost is taken away.
        POP = 1,
        /// One is added.
        PUSH = 2,
        /// The outermost is changed.
        MODIFY = 3,
        /// The Ethernet header is taken away.
        POP_ETH = 4,
        /// One is added.
        PUSH_ETH = 5,
    }
}

// include/uapi/linux/tc_act/tc_mpls.h
space! {
    /// `mpls`: adds, changes or takes away MPLS labels (tc-mpls(8)).
    pub MplsEdit, "TCA_MPLS_" {
        /// When it was made and used.
        TM: ActionTimes = 1,
        /// What it is set to.
        PARMS: MplsSettings = 2,
        /// Aligns what follows.
        PAD: Pad = 3,
        /// What the frame holds then.
        PROTO: Be<EtherType> = 4,
        /// Label, 20 bits.
        LABEL: u32 = 5,
        /// Traffic class, 0 to 7.
        TC: u8 = 6,
        /// Time to live, 1 to 255.
        TTL: u8 = 7,
        /// 1 if it is the last label.
        BOS: u8 = 8,
    }
}

action! {
    /// What `mpls` is set to.
    pub MplsSettings, "tc_mpls", {
        /// What it does.
        m_action: MplsAction,
    }
}

values! {
    /// What is done with MPLS labels.
    pub MplsAction(u32), "TCA_MPLS_ACT_" {
        /// The outermost is taken away.
        POP = 1,
        /// One is added.
        PUSH = 2,
        /// The outermost is changed.
        MODIFY = 3,
        /// Its time to live becomes one less.
        DEC_TTL = 4,
        /// One is added before the Ethernet header.
        MAC_PUSH = 5,
    }
}

// include/uapi/linux/tc_act/tc_tunnel_key.h
space! {
    /// `tunnel_key`: says into what a tunnel wraps packets (tc-tunnel_key(8)).
    pub TunnelKey, "TCA_TUNNEL_KEY_" {
        /// When it was made and used.
        TM: ActionTimes = 1,
        /// What it is set to.
        PARMS: TunnelKeySettings = 2,
        /// Local end, of IPv4.
        ENC_IPV4_SRC: Ipv4Addr = 3,
        /// Remote end, of IPv4.
        ENC_IPV4_DST: Ipv4Addr = 4,
        /// Local end, of IPv6.
        ENC_IPV6_SRC: Ipv6Addr = 5,
        /// Remote end, of IPv6.
        ENC_IPV6_DST: Ipv6Addr = 6,
        /// Key of the tunnel (VNI, GRE key).
        ENC_KEY_ID: Be32 = 7,
        /// Aligns what follows.
        PAD: Pad = 8,
        /// UDP port of the remote end.
        ENC_DST_PORT: Be16 = 9,
        /// 1 if there is no checksum.
        NO_CSUM: u8 = 10,
        /// Options of the tunnel's protocol.
        ENC_OPTS: Nest<TunnelKeyOptions> = 11,
        /// Type of service.
        ENC_TOS: u8 = 12,
        /// Time to live.
        ENC_TTL: u8 = 13,
        /// Wrapped packets must not be fragmented.
        NO_FRAG: Flag = 14,
    }
}

action! {
    /// What `tunnel_key` is set to.
    pub TunnelKeySettings, "tc_tunnel_key", {
        /// What it does.
        t_action: TunnelKeyAction,
    }
}

values! {
    /// What is done with what a packet is wrapped in.
    pub TunnelKeyAction(u32), "TCA_TUNNEL_KEY_ACT_" {
        /// It is said.
        SET = 1,
        /// It is forgotten.
        RELEASE = 2,
    }
}

space! {
    /// Options of one tunnel protocol.
    pub TunnelKeyOptions, "TCA_TUNNEL_KEY_ENC_OPTS_" {
        /// Geneve options: in requests one in each, in answers all in one.
        GENEVE: Many<Nest<TunnelKeyGeneve>> = 1,
        /// VXLAN extension.
        VXLAN: Nest<TunnelKeyVxlan> = 2,
        /// ERSPAN header.
        ERSPAN: Nest<TunnelKeyErspan> = 3,
    }
}

space! {
    /// A Geneve option (RFC 8926), or several, one behind the other: then the attributes repeat, in this order.
    pub TunnelKeyGeneve, "TCA_TUNNEL_KEY_ENC_OPT_GENEVE_" {
        /// Who defines the type.
        CLASS: Many<Be16> = 1,
        /// Type; the high bit says that it must be understood.
        TYPE: Many<u8> = 2,
        /// Data, a multiple of 4 bytes, at most 124.
        DATA: Many<Bytes> = 3,
    }
}

space! {
    /// A VXLAN extension.
    pub TunnelKeyVxlan, "TCA_TUNNEL_KEY_ENC_OPT_VXLAN_" {
        /// Group policy: identifier in the low 16 bits, flags above.
        GBP: u32 = 1,
    }
}

space! {
    /// An ERSPAN header.
    pub TunnelKeyErspan, "TCA_TUNNEL_KEY_ENC_OPT_ERSPAN_" {
        /// Version: 1 has an index, 2 a direction and a hardware identifier.
        VER: u8 = 1,
        /// Where the packet was mirrored, 20 bits.
        INDEX: Be32 = 2,
        /// 0: on its way in, 1: on its way out.
        DIR: u8 = 3,
        /// Engine that mirrored it, 6 bits.
        HWID: u8 = 4,
    }
}

// include/uapi/linux/tc_act/tc_nat.h
space! {
    /// `nat`: changes IPv4 addresses, without tracking connections (tc-nat(8)).
    pub Nat, "TCA_NAT_" {
        /// What it is set to.
        PARMS: NatSettings = 1,
        /// When it was made and used.
        TM: ActionTimes = 2,
        /// Aligns what follows.
        PAD: Pad = 3,
    }
}

action! {
    /// What `nat` is set to.
    pub NatSettings, "tc_nat", {
        /// IPv4 address that is looked for.
        old_addr: [u8; 4],
        /// IPv4 address that it becomes.
        new_addr: [u8; 4],
        /// Bits of the address that count.
        mask: [u8; 4],
        /// Which of a packet's addresses.
        flags: NatActionFlags,
    }
}

flags! {
    /// Which of a packet's addresses is changed.
    pub NatActionFlags(u32), "TCA_NAT_FLAG_" {
        /// The source, not the destination.
        EGRESS = 0x1,
    }
}

// include/uapi/linux/tc_act/tc_csum.h
space! {
    /// `csum`: computes checksums anew (tc-csum(8)).
    pub Csum, "TCA_CSUM_" {
        /// What it is set to.
        PARMS: CsumSettings = 1,
        /// When it was made and used.
        TM: ActionTimes = 2,
        /// Aligns what follows.
        PAD: Pad = 3,
    }
}

action! {
    /// What `csum` is set to.
    pub CsumSettings, "tc_csum", {
        /// Of which headers.
        update_flags: CsumFlags,
    }
}

flags! {
    /// Headers whose checksums are computed.
    pub CsumFlags(u32), "TCA_CSUM_UPDATE_FLAG_" {
        IPV4HDR = 0x1,
        ICMP = 0x2,
        IGMP = 0x4,
        TCP = 0x8,
        UDP = 0x10,
        UDPLITE = 0x20,
        SCTP = 0x40,
    }
}

// include/uapi/linux/tc_act/tc_ct.h
space! {
    /// `ct`: tracks connections (tc-ct(8)).
    pub Ct, "TCA_CT_" {
        /// What it is set to.
        PARMS: CtSettings = 1,
        /// When it was made and used.
        TM: ActionTimes = 2,
        /// What it does.
        ACTION: CtActionFlags = 3,
        /// Zone.
        ZONE: u16 = 4,
        /// Mark that the connection gets.
        MARK: u32 = 5,
        /// Bits of the mark that change.
        MARK_MASK: u32 = 6,
        /// Labels that the connection gets, up to 16 bytes.
        LABELS: Bytes = 7,
        /// Bits of the labels that change.
        LABELS_MASK: Bytes = 8,
        /// The first of the IPv4 addresses that may stand for the packet's.
        NAT_IPV4_MIN: Ipv4Addr = 9,
        /// The last of them.
        NAT_IPV4_MAX: Ipv4Addr = 10,
        /// The first of the IPv6 addresses that may stand for the packet's.
        NAT_IPV6_MIN: Ipv6Addr = 11,
        /// The last of them.
        NAT_IPV6_MAX: Ipv6Addr = 12,
        /// The first of the ports that may stand for the packet's.
        NAT_PORT_MIN: Be16 = 13,
        /// The last of them.
        NAT_PORT_MAX: Be16 = 14,
        /// Aligns what follows.
        PAD: Pad = 15,
        /// Helper that reads along.
        HELPER_NAME: Str = 16,
        /// The helper's family.
        HELPER_FAMILY: super::super::Family = 17,
        /// The helper's protocol (`IPPROTO_`).
        HELPER_PROTO: u8 = 18,
    }
}

action! {
    /// What `ct` is set to.
    pub CtSettings, "tc_ct", {}
}

flags! {
    /// What is done with connections.
    pub CtActionFlags(u16), "TCA_CT_ACT_" {
        /// The connection is entered.
        COMMIT = 0x1,
        /// One that is there the other way round makes room.
        FORCE = 0x2,
        /// What is known of the packet's connection is forgotten.
        CLEAR = 0x4,
        /// Addresses are translated as the connection has them.
        NAT = 0x8,
        /// The source is translated.
        NAT_SRC = 0x10,
        /// The destination is translated.
        NAT_DST = 0x20,
    }
}

// include/uapi/linux/tc_act/tc_ctinfo.h
space! {
    /// `ctinfo`: brings back what a connection's mark holds (tc-ctinfo(8)).
    pub Ctinfo, "TCA_CTINFO_" {
        /// Aligns what follows.
        PAD: Pad = 1,
        /// When it was made and used.
        TM: ActionTimes = 2,
        /// What it is set to.
        ACT: CtinfoSettings = 3,
        /// Zone.
        ZONE: u16 = 4,
        /// Bits of the mark that are a DSCP.
        PARMS_DSCP_MASK: u32 = 5,
        /// Bits of which one must be set for that.
        PARMS_DSCP_STATEMASK: u32 = 6,
        /// Bits that the packet's mark gets.
        PARMS_CPMARK_MASK: u32 = 7,
        /// How many packets got a DSCP.
        STATS_DSCP_SET: u64 = 8,
        /// How many could not.
        STATS_DSCP_ERROR: u64 = 9,
        /// How many got a mark.
        STATS_CPMARK_SET: u64 = 10,
    }
}

action! {
    /// What `ctinfo` is set to.
    pub CtinfoSettings, "tc_ctinfo", {}
}

// include/uapi/linux/tc_act/tc_connmark.h
space! {
    /// `connmark`: packets get the mark of their connection (tc-connmark(8)).
    pub Connmark, "TCA_CONNMARK_" {
        /// What it is set to.
        PARMS: ConnmarkSettings = 1,
        /// When it was made and used.
        TM: ActionTimes = 2,
        /// Aligns what follows.
        PAD: Pad = 3,
    }
}

action! {
    /// What `connmark` is set to.
    pub ConnmarkSettings, "tc_connmark", {
        /// Zone.
        zone: u16,
        /// Nothing.
        pad: u16,
    }
}

// include/uapi/linux/tc_act/tc_ife.h
space! {
    /// `ife`: sends what the kernel knows of a packet along with it (tc-ife(8)).
    pub Ife, "TCA_IFE_" {
        /// What it is set to.
        PARMS: IfeSettings = 1,
        /// When it was made and used.
        TM: ActionTimes = 2,
        /// Destination.
        DMAC: Hardware = 3,
        /// Source.
        SMAC: Hardware = 4,
        /// What the frame holds, in the machine's byte order.
        TYPE: EtherType = 5,
        /// What is sent along.
        METALST: Nest<IfeMetadata> = 6,
        /// Aligns what follows.
        PAD: Pad = 7,
    }
}

action! {
    /// What `ife` is set to.
    pub IfeSettings, "tc_ife", {
        /// Which way.
        flags: IfeMode,
        /// Nothing.
        pad: u16,
    }
}

values! {
    /// Which way.
    pub IfeMode(u16), "IFE_" {
        /// What came along is taken up.
        DECODE = 0,
        /// What is known is sent along.
        ENCODE = 1,
    }
}

// include/uapi/linux/ife.h
space! {
    /// What is sent along: nothing in an attribute for what the packet has, or a number for all packets.
    pub IfeMetadata, "IFE_META_" {
        /// Mark, 4 bytes.
        SKBMARK: Bytes = 1,
        /// Hash; no kernel up to 7.2 sends it.
        HASHID: Bytes = 2,
        /// Priority, 4 bytes.
        PRIO: Bytes = 3,
        /// Queue; no kernel up to 7.2 sends it.
        QMAP: Bytes = 4,
        /// Index of old classifiers, 2 bytes.
        TCINDEX: Bytes = 5,
    }
}
