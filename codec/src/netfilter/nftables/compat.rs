//! Matches and targets of iptables in rules of nf_tables (include/uapi/linux/netfilter/nf_tables_compat.h;
//! net/netfilter/nft_compat.c).
//!
//! What stands in [`Match::INFO`] and [`Target::INFO`] is the extension's own struct, which name and revision choose. The
//! rows here say what the revisions are that today's iptables sends; `REV` beside the name says whether that is so. Behind
//! a struct stand zeros up to a multiple of 8 bytes.

use crate::netfilter::NetfilterHeader;
use crate::table::{Be, Be32, Bytes, Chars, Choice, Str};
use crate::{choices, flags, operations, record, space, values};

operations! {
    /// What of iptables the kernel has.
    pub Compat, "NFNL_MSG_COMPAT_", from 0x0b00 {
        /// Whether the kernel has this match or target in this revision; told back if so.
        GET: get (NetfilterHeader, CompatExtension) = 0,
    }
}

space! {
    /// A match or target of iptables.
    pub CompatExtension, "NFTA_COMPAT_" {
        /// Its name.
        NAME: Str = 1,
        /// Its revision.
        REV: Be32 = 2,
        /// What it is.
        TYPE: Be<CompatType> = 3,
    }
}

values! {
    /// What an extension of iptables is. The kernel has no names for these numbers.
    pub CompatType(u32), "" {
        /// A match.
        MATCH = 0,
        /// A target.
        TARGET = 1,
    }
}

space! {
    /// `match`: a match of iptables.
    pub Match, "NFTA_MATCH_" {
        /// Its name.
        NAME: Str = 1,
        /// Its revision.
        REV: Be32 = 2,
        /// What it is set to, by its name.
        INFO: Choice<MatchInfo> = 3,
    }
}

choices! {
    /// What a match of iptables is set to, by its name.
    pub MatchInfo, by Sibling 1 {
        "addrtype" => XtAddrtype,
        "comment" => XtComment,
        "conntrack" => XtConntrack,
        "limit" => XtLimit,
        "mark" | "connmark" => XtMark,
        "multiport" => XtMultiport,
        "state" => XtState,
        "tcp" => XtTcp,
        "udp" => XtUdp,
        else => Bytes,
    }
}

space! {
    /// `target`: a target of iptables.
    pub Target, "NFTA_TARGET_" {
        /// Its name.
        NAME: Str = 1,
        /// Its revision.
        REV: Be32 = 2,
        /// What it is set to, by its name.
        INFO: Choice<TargetInfo> = 3,
    }
}

choices! {
    /// What a target of iptables is set to, by its name.
    pub TargetInfo, by Sibling 1 {
        "LOG" => XtLog,
        "MARK" => XtMarkTarget,
        "TCPMSS" => XtTcpmss,
        else => Bytes,
    }
}

record! {
    /// `addrtype`, revision 1 (`struct xt_addrtype_info_v1`, include/uapi/linux/netfilter/xt_addrtype.h).
    pub XtAddrtype, "xt_addrtype_info_v1", "" {
        /// Kinds of the source address: a bit for each `RTN_*`.
        source: u16,
        /// Kinds of the destination address.
        dest: u16,
        /// How.
        flags: XtAddrtypeFlags,
    }
}

flags! {
    /// How kinds of addresses are meant.
    pub XtAddrtypeFlags(u32), "XT_ADDRTYPE_" {
        /// Not of these.
        INVERT_SOURCE = 0x1,
        /// Not of these.
        INVERT_DEST = 0x2,
        /// Seen from the interface it came from.
        LIMIT_IFACE_IN = 0x4,
        /// Seen from the interface it goes to.
        LIMIT_IFACE_OUT = 0x8,
    }
}

record! {
    /// `comment`, revision 0 (`struct xt_comment_info`, include/uapi/linux/netfilter/xt_comment.h).
    pub XtComment, "xt_comment_info", "" {
        /// The text.
        comment: Chars<256>,
    }
}

record! {
    /// `conntrack`, revision 3 (`struct xt_conntrack_mtinfo3`, include/uapi/linux/netfilter/xt_conntrack.h). Addresses of
    /// IPv4 stand in the first four bytes.
    pub XtConntrack, "xt_conntrack_mtinfo3", "" {
        /// Source address of the first packet.
        origsrc_addr: [u8; 16],
        /// Its mask.
        origsrc_mask: [u8; 16],
        /// Destination address of the first packet.
        origdst_addr: [u8; 16],
        /// Its mask.
        origdst_mask: [u8; 16],
        /// Source address of answers.
        replsrc_addr: [u8; 16],
        /// Its mask.
        replsrc_mask: [u8; 16],
        /// Destination address of answers.
        repldst_addr: [u8; 16],
        /// Its mask.
        repldst_mask: [u8; 16],
        /// Seconds until it is forgotten, from.
        expires_min: u32,
        /// And to.
        expires_max: u32,
        /// Protocol.
        l4proto: u16,
        /// Source port of the first packet, from.
        origsrc_port: u16,
        /// Destination port of the first packet, from.
        origdst_port: u16,
        /// Source port of answers, from.
        replsrc_port: u16,
        /// Destination port of answers, from.
        repldst_port: u16,
        /// What is looked at.
        match_flags: XtConntrackFlags,
        /// What is meant the other way round.
        invert_flags: XtConntrackFlags,
        /// States.
        state_mask: XtConntrackState,
        /// Statuses (`IPS_*`).
        status_mask: u16,
        /// Source port of the first packet, to.
        origsrc_port_high: u16,
        /// Destination port of the first packet, to.
        origdst_port_high: u16,
        /// Source port of answers, to.
        replsrc_port_high: u16,
        /// Destination port of answers, to.
        repldst_port_high: u16,
        /// Nothing.
        pad: [u8; 2],
    }
}

flags! {
    /// What of a connection is looked at.
    pub XtConntrackFlags(u16), "XT_CONNTRACK_" {
        STATE = 0x1,
        PROTO = 0x2,
        ORIGSRC = 0x4,
        ORIGDST = 0x8,
        REPLSRC = 0x10,
        REPLDST = 0x20,
        STATUS = 0x40,
        EXPIRES = 0x80,
        ORIGSRC_PORT = 0x100,
        ORIGDST_PORT = 0x200,
        REPLSRC_PORT = 0x400,
        REPLDST_PORT = 0x800,
        DIRECTION = 0x1000,
        STATE_ALIAS = 0x2000,
    }
}

// `XT_CONNTRACK_STATE_BIT(IP_CT_*)` makes those without a name of their own.
flags! {
    /// States of connections.
    pub XtConntrackState(u16), "XT_CONNTRACK_STATE_" {
        INVALID = 0x1,
        ESTABLISHED = 0x2,
        RELATED = 0x4,
        NEW = 0x8,
        /// The source address is another one.
        SNAT = 0x40,
        /// The destination address is another one.
        DNAT = 0x80,
        UNTRACKED = 0x100,
    }
}

record! {
    /// `limit`, revision 0 (`struct xt_rateinfo`, include/uapi/linux/netfilter/xt_limit.h), as 64-bit kernels have it; what
    /// stands behind `burst` is the kernel's own.
    pub XtLimit, "xt_rateinfo", "" {
        /// Ten-thousandths of a second between packets.
        avg: u32,
        /// Packets more than that.
        burst: u32,
        /// The kernel's own.
        pad_prev: [u8; 8],
        /// The kernel's own.
        pad_credit: [u8; 12],
        /// Nothing, where a pointer follows.
        pad: [u8; 4],
        /// The kernel's own.
        pad_master: [u8; 8],
    }
}

record! {
    /// `mark` and `connmark`, revision 1 (`struct xt_mark_mtinfo1`, include/uapi/linux/netfilter/xt_mark.h).
    pub XtMark, "xt_mark_mtinfo1", "" {
        /// The mark.
        mark: u32,
        /// Which of its bits count.
        mask: u32,
        /// Whether it is meant the other way round.
        invert: u8,
        /// Nothing.
        pad: [u8; 3],
    }
}

record! {
    /// `multiport`, revision 1 (`struct xt_multiport_v1`, include/uapi/linux/netfilter/xt_multiport.h).
    pub XtMultiport, "xt_multiport_v1", "" {
        /// Which ports.
        flags: XtMultiportKind,
        /// How many of `ports`.
        count: u8,
        /// The ports.
        ports: [u16; 15],
        /// 1 where a port and the next one are a range.
        pflags: [u8; 15],
        /// Whether it is meant the other way round.
        invert: u8,
    }
}

values! {
    /// Which ports of a packet.
    pub XtMultiportKind(u8), "XT_MULTIPORT_" {
        SOURCE = 0,
        DESTINATION = 1,
        EITHER = 2,
    }
}

record! {
    /// `state`, revision 0 (`struct xt_state_info`, include/uapi/linux/netfilter/xt_state.h).
    pub XtState, "xt_state_info", "" {
        /// States: a bit for each of [`XtConntrackState`]'s first four, and 0x40 for packets that are not tracked.
        statemask: u32,
    }
}

record! {
    /// `tcp`, revision 0 (`struct xt_tcp`, include/uapi/linux/netfilter/xt_tcpudp.h).
    pub XtTcp, "xt_tcp", "" {
        /// Source ports, from and to.
        spts: [u16; 2],
        /// Destination ports, from and to.
        dpts: [u16; 2],
        /// Number of an option that must be there, or 0.
        option: u8,
        /// Which flags are looked at.
        flg_mask: u8,
        /// Which of these must be set.
        flg_cmp: u8,
        /// What is meant the other way round.
        invflags: XtTcpInvert,
    }
}

flags! {
    /// What of TCP is meant the other way round.
    pub XtTcpInvert(u8), "XT_TCP_INV_" {
        SRCPT = 0x1,
        DSTPT = 0x2,
        FLAGS = 0x4,
        OPTION = 0x8,
    }
}

record! {
    /// `udp`, revision 0 (`struct xt_udp`, include/uapi/linux/netfilter/xt_tcpudp.h).
    pub XtUdp, "xt_udp", "" {
        /// Source ports, from and to.
        spts: [u16; 2],
        /// Destination ports, from and to.
        dpts: [u16; 2],
        /// What is meant the other way round.
        invflags: XtUdpInvert,
        /// Nothing.
        pad: u8,
    }
}

flags! {
    /// What of UDP is meant the other way round.
    pub XtUdpInvert(u8), "XT_UDP_INV_" {
        SRCPT = 0x1,
        DSTPT = 0x2,
    }
}

record! {
    /// `LOG`, revision 0 (`struct xt_log_info`, include/uapi/linux/netfilter/xt_LOG.h).
    pub XtLog, "xt_log_info", "" {
        /// How urgent it is (syslog(2)).
        level: u8,
        /// What is told.
        logflags: XtLogFlags,
        /// What stands before it.
        prefix: Chars<30>,
    }
}

flags! {
    /// What is told of a packet.
    pub XtLogFlags(u8), "XT_LOG_" {
        TCPSEQ = 0x1,
        TCPOPT = 0x2,
        IPOPT = 0x4,
        UID = 0x8,
        NFLOG = 0x10,
        MACDECODE = 0x20,
    }
}

record! {
    /// `MARK`, revision 2 (`struct xt_mark_tginfo2`, include/uapi/linux/netfilter/xt_mark.h).
    pub XtMarkTarget, "xt_mark_tginfo2", "" {
        /// Which bits are turned over.
        mark: u32,
        /// Which bits are set to 0 before.
        mask: u32,
    }
}

record! {
    /// `TCPMSS`, revision 0 (`struct xt_tcpmss_info`, include/uapi/linux/netfilter/xt_TCPMSS.h).
    pub XtTcpmss, "xt_tcpmss_info", "" {
        /// Largest segment, or 65535 for what the path takes.
        mss: u16,
    }
}
