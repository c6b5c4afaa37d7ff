//! What routes wrap packets in (lightweight tunnels).

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{MplsLabel, RouteTable};
use crate::table::{Be, Be16, Be32, Be64, Bytes, Encode, Many, Nest, Packed, Pad, Prefixed, Record, Str};
use crate::wire::Writer;
use crate::{choices, flags, record, space, values};

values! {
    /// What a packet is wrapped in (include/uapi/linux/lwtunnel.h).
    pub EncapType(u16), "LWTUNNEL_ENCAP_" {
        NONE = 0,
        /// [`MplsEncap`].
        MPLS = 1,
        /// [`IpEncap`].
        IP = 2,
        /// [`Ila`].
        ILA = 3,
        /// [`Ip6Encap`].
        IP6 = 4,
        /// [`Seg6Encap`].
        SEG6 = 5,
        /// [`BpfEncap`].
        BPF = 6,
        /// [`Seg6Local`].
        SEG6_LOCAL = 7,
        /// [`RplEncap`].
        RPL = 8,
        /// [`Ioam6Encap`].
        IOAM6 = 9,
        /// [`XfrmEncap`].
        XFRM = 10,
    }
}

choices! {
    /// How a route wraps packets, by [`Route::ENCAP_TYPE`](super::Route::ENCAP_TYPE).
    pub RouteEncap, by Sibling 21 {
        1 => Nest<MplsEncap>,
        2 => Nest<IpEncap>,
        3 => Nest<Ila>,
        4 => Nest<Ip6Encap>,
        5 => Nest<Seg6Encap>,
        6 => Nest<BpfEncap>,
        7 => Nest<Seg6Local>,
        8 => Nest<RplEncap>,
        9 => Nest<Ioam6Encap>,
        10 => Nest<XfrmEncap>,
    }
}

choices! {
    /// How a next hop object wraps packets, by [`Nexthop::ENCAP_TYPE`](super::Nexthop::ENCAP_TYPE).
    pub NexthopEncap, by Sibling 7 {
        1 => Nest<MplsEncap>,
        2 => Nest<IpEncap>,
        3 => Nest<Ila>,
        4 => Nest<Ip6Encap>,
        5 => Nest<Seg6Encap>,
        6 => Nest<BpfEncap>,
        7 => Nest<Seg6Local>,
        8 => Nest<RplEncap>,
        9 => Nest<Ioam6Encap>,
        10 => Nest<XfrmEncap>,
    }
}

space! {
    /// MPLS labels pushed onto a packet (include/uapi/linux/mpls_iptunnel.h; net/mpls/mpls_iptunnel.c).
    pub MplsEncap, "MPLS_IPTUNNEL_" {
        /// Labels, the outermost first; the last has its bottom bit set.
        DST: Packed<MplsLabel> = 1,
        /// Time to live of the labels, 1 to 255; without it, the packet's.
        TTL: u8 = 2,
    }
}

space! {
    /// A tunnel over IPv4, for a device in collect-metadata mode (include/uapi/linux/lwtunnel.h;
    /// net/ipv4/ip_tunnel_core.c).
    pub IpEncap, "LWTUNNEL_IP_" {
        /// Key of the tunnel (VNI, GRE key).
        ID: Be64 = 1,
        /// Remote end.
        DST: Ipv4Addr = 2,
        /// Local end.
        SRC: Ipv4Addr = 3,
        /// Time to live, 0 for the device's.
        TTL: u8 = 4,
        /// Type of service.
        TOS: u8 = 5,
        /// Flags.
        FLAGS: Be<EncapFlags> = 6,
        /// Nothing.
        PAD: Pad = 7,
        /// Options of the tunnel's protocol.
        OPTS: Nest<EncapOptions> = 8,
    }
}

space! {
    /// A tunnel over IPv6, for a device in collect-metadata mode (include/uapi/linux/lwtunnel.h;
    /// net/ipv4/ip_tunnel_core.c).
    pub Ip6Encap, "LWTUNNEL_IP6_" {
        /// Key of the tunnel (VNI, GRE key).
        ID: Be64 = 1,
        /// Remote end.
        DST: Ipv6Addr = 2,
        /// Local end.
        SRC: Ipv6Addr = 3,
        /// Hop limit, 0 for the device's.
        HOPLIMIT: u8 = 4,
        /// Traffic class.
        TC: u8 = 5,
        /// Flags.
        FLAGS: Be<EncapFlags> = 6,
        /// Nothing.
        PAD: Pad = 7,
        /// Options of the tunnel's protocol.
        OPTS: Nest<EncapOptions> = 8,
    }
}

flags! {
    /// Flags of a tunnelled packet (include/uapi/linux/if_tunnel.h).
    pub EncapFlags(u16), "TUNNEL_" {
        /// With a checksum.
        CSUM = 0x1,
        ROUTING = 0x2,
        /// With a key.
        KEY = 0x4,
        /// With a sequence number.
        SEQ = 0x8,
        STRICT = 0x10,
        REC = 0x20,
        VERSION = 0x40,
        /// Without a key, though one is given.
        NO_KEY = 0x80,
        DONT_FRAGMENT = 0x100,
        /// Operations, administration and maintenance.
        OAM = 0x200,
        /// Options that must be understood.
        CRIT_OPT = 0x400,
        GENEVE_OPT = 0x800,
        VXLAN_OPT = 0x1000,
        /// Route is not kept for the next packet.
        NOCACHE = 0x2000,
        ERSPAN_OPT = 0x4000,
        GTP_OPT = 0x8000,
    }
}

space! {
    /// Options of one tunnel protocol (include/uapi/linux/lwtunnel.h). Linux 6.18, for one, crashes when it is asked
    /// to make a route with options.
    pub EncapOptions, "LWTUNNEL_IP_OPTS_" {
        /// Geneve options: in requests one in each, in answers all in one.
        GENEVE: Many<Nest<GeneveOption>> = 1,
        /// VXLAN extension.
        VXLAN: Nest<VxlanOption> = 2,
        /// ERSPAN header.
        ERSPAN: Nest<ErspanOption> = 3,
    }
}

space! {
    /// A Geneve option (include/uapi/linux/lwtunnel.h, RFC 8926), or several, one behind the other: then the attributes
    /// repeat, in this order.
    pub GeneveOption, "LWTUNNEL_IP_OPT_GENEVE_" {
        /// Who defines the type.
        CLASS: Many<Be16> = 1,
        /// Type; the high bit says that it must be understood.
        TYPE: Many<u8> = 2,
        /// Data, a multiple of 4 bytes, at most 124.
        DATA: Many<Bytes> = 3,
    }
}

space! {
    /// A VXLAN extension (include/uapi/linux/lwtunnel.h).
    pub VxlanOption, "LWTUNNEL_IP_OPT_VXLAN_" {
        /// Group policy: identifier in the low 16 bits, flags above.
        GBP: u32 = 1,
    }
}

space! {
    /// An ERSPAN header (include/uapi/linux/lwtunnel.h).
    pub ErspanOption, "LWTUNNEL_IP_OPT_ERSPAN_" {
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

space! {
    /// Identifier locator addressing (include/uapi/linux/ila.h; net/ipv6/ila/ila_lwt.c). The generic netlink family
    /// `ila` has the same attributes; routes take those of the locator and the four modes.
    pub Ila, "ILA_ATTR_" {
        /// Locator: the new high half of the address.
        LOCATOR: Be64 = 1,
        /// Identifier: the low half; not used.
        IDENTIFIER: Be64 = 2,
        /// Locator that the mapping is for; generic netlink only.
        LOCATOR_MATCH: Be64 = 3,
        /// Interface that the mapping is for; generic netlink only.
        IFINDEX: i32 = 4,
        /// Direction; not used.
        DIR: u32 = 5,
        /// Nothing.
        PAD: Pad = 6,
        /// What becomes of the transport checksum.
        CSUM_MODE: IlaChecksum = 7,
        /// Type of the identifier.
        IDENT_TYPE: IlaIdentifier = 8,
        /// When the address is rewritten; routes only.
        HOOK_TYPE: IlaHook = 9,
    }
}

values! {
    /// What becomes of the transport checksum (include/uapi/linux/ila.h).
    pub IlaChecksum(u8), "ILA_CSUM_" {
        /// It is adjusted.
        ADJUST_TRANSPORT = 0,
        /// Part of the identifier makes up for the change, a bit says so.
        NEUTRAL_MAP = 1,
        /// Nothing.
        NO_ACTION = 2,
        /// As `NEUTRAL_MAP`, without the bit.
        NEUTRAL_MAP_AUTO = 3,
    }
}

values! {
    /// Type of an identifier (include/uapi/linux/ila.h).
    pub IlaIdentifier(u8), "ILA_ATYPE_" {
        IID = 0,
        LUID = 1,
        VIRT_V4 = 2,
        VIRT_UNI_V6 = 3,
        VIRT_MULTI_V6 = 4,
        NONLOCAL_ADDR = 5,
        RSVD_1 = 6,
        RSVD_2 = 7,
        /// Identifier says itself.
        USE_FORMAT = 32,
    }
}

values! {
    /// When an address is rewritten (include/uapi/linux/ila.h).
    pub IlaHook(u8), "ILA_HOOK_" {
        ROUTE_OUTPUT = 0,
        ROUTE_INPUT = 1,
    }
}

space! {
    /// IPv6 segment routing: a packet is sent by way of segments (include/uapi/linux/seg6_iptunnel.h;
    /// net/ipv6/seg6_iptunnel.c).
    pub Seg6Encap, "SEG6_IPTUNNEL_" {
        /// Mode, routing header, then the segments, the last one first, then options.
        SRH: Prefixed<Seg6Tunnel> = 1,
        /// Source address of the outer header; since Linux 7.1.
        SRC: Ipv6Addr = 2,
        /// Table in which the first segment is looked up; since Linux 7.3.
        TABLE: RouteTable = 3,
    }
}

record! {
    /// How segments are put on a packet (`struct seg6_iptunnel_encap` with the fixed part of the routing header,
    /// include/uapi/linux/seg6_iptunnel.h).
    ///
    /// ```
    /// use core::net::Ipv6Addr;
    /// use ringlink_codec::prelude::*;
    /// use ringlink_codec::route::{EncapType, Route, RouteHeader, Rtm, Seg6Encap, Seg6Mode, Seg6Tunnel, SegmentHeader};
    ///
    /// // The end of the path stands first.
    /// let segments = [Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 2), Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 1)];
    /// let tunnel = Seg6Tunnel { mode: Seg6Mode::ENCAP, srh: SegmentHeader::new(2) };
    /// let mut buffer = Buffer::<128>::new();
    /// let bytes = buffer.message(Rtm::NEWROUTE.create(), RouteHeader::default(), |route| {
    ///     route.put(Route::ENCAP_TYPE, EncapType::SEG6);
    ///     route.choose(Route::ENCAP, Seg6Encap, |encap| encap.put(Seg6Encap::SRH, (tunnel, &segments[..])));
    /// })?;
    ///
    /// let route = Message::parse(bytes)?.body(Rtm::NEWROUTE)?.attributes;
    /// let encap = route.chosen(Route::ENCAP, Seg6Encap)?;
    /// if let Some((tunnel, behind)) = encap.map(|encap| encap.get(Seg6Encap::SRH)).transpose()?.flatten() {
    ///     assert!(tunnel.srh.segments(behind).eq(segments));
    /// }
    /// # assert!(encap.is_some());
    /// # Ok::<(), ringlink_codec::Error>(())
    /// ```
    pub Seg6Tunnel, "seg6_iptunnel_encap", "" {
        /// Where they go.
        mode: Seg6Mode,
        /// Routing header.
        srh: SegmentHeader,
    }
}

record! {
    /// Fixed part of a segment routing header (`struct ipv6_sr_hdr`, include/uapi/linux/seg6.h, RFC 8754).
    pub SegmentHeader, "ipv6_sr_hdr", "" {
        /// Next header.
        nexthdr: u8,
        /// Length of what follows, in units of 8 bytes: two for each segment, then options.
        hdrlen: u8,
        /// Type of the routing header: 4 (`type` in C).
        kind: u8,
        /// Segments still to visit.
        segments_left: u8,
        /// Index of the last entry of the list, where the path begins.
        first_segment: u8,
        /// Flags.
        flags: SegmentFlags,
        /// Group of packets that this one belongs to.
        tag: Be16,
    }
}

impl SegmentHeader {
    /// A header for this many segments, 1 to 127, without options.
    #[must_use]
    pub const fn new(segments: u8) -> Self {
        let last = segments.saturating_sub(1);
        Self {
            nexthdr: 0,
            hdrlen: segments.saturating_mul(2),
            kind: 4,
            segments_left: last,
            first_segment: last,
            flags: SegmentFlags(0),
            tag: Be16::ZERO,
        }
    }

    /// The segments in the bytes behind the header, the last of the path first; fewer where bytes are missing.
    pub fn segments(self, behind: &[u8]) -> impl Iterator<Item = Ipv6Addr> {
        let segments = behind.chunks_exact(16).take(usize::from(self.first_segment).saturating_add(1));
        segments.filter_map(|octets| <[u8; 16]>::try_from(octets).ok().map(Ipv6Addr::from))
    }
}

/// `segments! { Seg6Tunnel, … }` says that a header can be written with the segments behind it as addresses.
macro_rules! segments {
    ($($header:ty,)*) => {$(
        impl Encode<Prefixed<$header>> for ($header, &[Ipv6Addr]) {
            fn encode(self, writer: &mut Writer<'_>) {
                Record::write(self.0, writer);
                for segment in self.1 {
                    writer.array(segment.octets());
                }
            }
        }
    )*};
}

segments! {
    Seg6Tunnel,
    SegmentHeader,
    RplHeader,
}

values! {
    /// Where segments are put (include/uapi/linux/seg6_iptunnel.h).
    pub Seg6Mode(u32), "SEG6_IPTUN_MODE_" {
        /// Into the packet's own header.
        INLINE = 0,
        /// Into a new IPv6 header around the packet.
        ENCAP = 1,
        /// Into a new IPv6 header around the frame.
        L2ENCAP = 2,
        /// As `ENCAP`, without the first segment in the list.
        ENCAP_RED = 3,
        /// As `L2ENCAP`, without the first segment in the list.
        L2ENCAP_RED = 4,
    }
}

flags! {
    /// Flags of a segment routing header (include/uapi/linux/seg6.h).
    pub SegmentFlags(u8), "SR6_FLAG1_" {
        /// Options hold an HMAC.
        HMAC = 0x8,
        ALERT = 0x10,
        OAM = 0x20,
        PROTECTED = 0x40,
    }
}

space! {
    /// IPv6 segment routing: what this host does as a segment (include/uapi/linux/seg6_local.h;
    /// net/ipv6/seg6_local.c).
    pub Seg6Local, "SEG6_LOCAL_" {
        /// What happens to a packet.
        ACTION: Seg6Action = 1,
        /// Routing header and segments, for `END_B6` and `END_B6_ENCAP`.
        SRH: Prefixed<SegmentHeader> = 2,
        /// Table to look in, for `END_T` and `END_DT6`.
        TABLE: RouteTable = 3,
        /// IPv4 next hop, for `END_DX4`.
        NH4: Ipv4Addr = 4,
        /// IPv6 next hop, for `END_X` and `END_DX6`.
        NH6: Ipv6Addr = 5,
        /// Interface that the packet came in by; no action takes it.
        IIF: u32 = 6,
        /// Interface that the packet leaves by, for `END_DX2` and, optionally, `END_X`.
        OIF: u32 = 7,
        /// Program, for `END_BPF`.
        BPF: Nest<Seg6Program> = 8,
        /// Table of the VRF to look in, for `END_DT4`, `END_DT6` and `END_DT46`.
        VRFTABLE: RouteTable = 9,
        /// Counters; an empty nest in a request switches them on.
        COUNTERS: Nest<Seg6Counters> = 10,
        /// Variants of the action.
        FLAVORS: Nest<Seg6Flavors> = 11,
    }
}

values! {
    /// What a host does as a segment (include/uapi/linux/seg6_local.h, RFC 8986).
    pub Seg6Action(u32), "SEG6_LOCAL_ACTION_" {
        UNSPEC = 0,
        /// Go on to the next segment.
        END = 1,
        /// Go on over this next hop.
        END_X = 2,
        /// Go on by this table.
        END_T = 3,
        /// Unwrap a frame, send it out.
        END_DX2 = 4,
        /// Unwrap an IPv6 packet, send it to this next hop.
        END_DX6 = 5,
        /// Unwrap an IPv4 packet, send it to this next hop.
        END_DX4 = 6,
        /// Unwrap an IPv6 packet, look it up in this table.
        END_DT6 = 7,
        /// Unwrap an IPv4 packet, look it up in this table.
        END_DT4 = 8,
        /// Insert more segments.
        END_B6 = 9,
        /// Wrap into more segments.
        END_B6_ENCAP = 10,
        /// Push MPLS labels; not made yet.
        END_BM = 11,
        /// Look the last segment up; not made yet.
        END_S = 12,
        /// Proxy for a host that knows no segments; not made yet.
        END_AS = 13,
        /// The same by masquerading; not made yet.
        END_AM = 14,
        /// Run a program.
        END_BPF = 15,
        /// Unwrap an IPv4 or IPv6 packet, look it up in this table.
        END_DT46 = 16,
    }
}

space! {
    /// A program that is run as a segment (include/uapi/linux/seg6_local.h).
    pub Seg6Program, "SEG6_LOCAL_BPF_" {
        /// In a request a descriptor, in an answer the program's id.
        PROG: u32 = 1,
        /// Name, for people; up to 255 bytes.
        PROG_NAME: Str = 2,
    }
}

space! {
    /// Counters of a segment (include/uapi/linux/seg6_local.h).
    pub Seg6Counters, "SEG6_LOCAL_CNT_" {
        /// Nothing.
        PAD: Pad = 1,
        /// Packets.
        PACKETS: u64 = 2,
        /// Bytes.
        BYTES: u64 = 3,
        /// Packets that could not be handled.
        ERRORS: u64 = 4,
    }
}

space! {
    /// Variants of a segment's action (include/uapi/linux/seg6_local.h).
    pub Seg6Flavors, "SEG6_LOCAL_FLV_" {
        /// Which.
        OPERATION: Seg6FlavorOperations = 1,
        /// Bits of the block that compressed segments have in common, for `NEXT_CSID`.
        LCBLOCK_BITS: u8 = 2,
        /// Bits of a compressed segment, for `NEXT_CSID`.
        LCNODE_FN_BITS: u8 = 3,
    }
}

flags! {
    /// Variants of a segment's action; C has the numbers of these bits (include/uapi/linux/seg6_local.h).
    pub Seg6FlavorOperations(u32), "SEG6_LOCAL_FLV_OP_" {
        /// Last segment but one takes the routing header off.
        PSP = 0x2,
        /// Last segment takes the routing header off.
        USP = 0x4,
        /// Last segment unwraps.
        USD = 0x8,
        /// Several compressed segments in one address.
        NEXT_CSID = 0x10,
    }
}

space! {
    /// Programs that handle packets of a route (include/uapi/linux/lwtunnel.h; net/core/lwt_bpf.c).
    pub BpfEncap, "LWT_BPF_" {
        /// For packets that come in.
        IN: Nest<EncapProgram> = 1,
        /// For packets before they are routed out.
        OUT: Nest<EncapProgram> = 2,
        /// For packets before they are sent; may change them.
        XMIT: Nest<EncapProgram> = 3,
        /// Bytes of room that the last may fill, up to 256.
        XMIT_HEADROOM: u32 = 4,
    }
}

space! {
    /// A program that handles packets (include/uapi/linux/lwtunnel.h).
    pub EncapProgram, "LWT_BPF_PROG_" {
        /// Descriptor; in requests only.
        FD: u32 = 1,
        /// Name, for people; up to 255 bytes.
        NAME: Str = 2,
    }
}

space! {
    /// Source routing in low-power networks (include/uapi/linux/rpl_iptunnel.h; net/ipv6/rpl_iptunnel.c).
    pub RplEncap, "RPL_IPTUNNEL_" {
        /// Routing header, then the segments, not compressed.
        SRH: Prefixed<RplHeader> = 1,
    }
}

record! {
    /// Fixed part of an RPL routing header (`struct ipv6_rpl_sr_hdr`, include/uapi/linux/rpl.h, RFC 6554). C has bit
    /// fields behind the first four bytes.
    pub RplHeader, "ipv6_rpl_sr_hdr", "" {
        /// Next header.
        nexthdr: u8,
        /// Length of what follows, in units of 8 bytes.
        hdrlen: u8,
        /// Type of the routing header: 3 (`type` in C).
        kind: u8,
        /// Segments still to visit.
        segments_left: u8,
        /// Bytes left out of each segment but the last in the high four bits (`cmpri`), of the last in the low four
        /// (`cmpre`); 0 in requests.
        compressed: u8,
        /// Bytes that only fill the last unit, in the high four bits (`pad`).
        filling: u8,
        /// Nothing.
        pad: [u8; 2],
    }
}

space! {
    /// In-situ operations, administration and maintenance (include/uapi/linux/ioam6_iptunnel.h;
    /// net/ipv6/ioam6_iptunnel.c).
    pub Ioam6Encap, "IOAM6_IPTUNNEL_" {
        /// Where the trace is put.
        MODE: Ioam6Mode = 1,
        /// Destination of the outer header, for `ENCAP` and `AUTO`.
        DST: Ipv6Addr = 2,
        /// What is traced.
        TRACE: Ioam6Trace = 3,
        /// Packets out of `FREQ_N` that are traced, 1 to 1,000,000.
        FREQ_K: u32 = 4,
        /// See `FREQ_K`; 1 to 1,000,000.
        FREQ_N: u32 = 5,
        /// Source of the outer header, for `ENCAP` and `AUTO`.
        SRC: Ipv6Addr = 6,
    }
}

values! {
    /// Where a trace is put (include/uapi/linux/ioam6_iptunnel.h).
    pub Ioam6Mode(u8), "IOAM6_IPTUNNEL_MODE_" {
        /// Into the packet's own header.
        INLINE = 1,
        /// Into a new IPv6 header around the packet.
        ENCAP = 2,
        /// `INLINE` for packets of this host, `ENCAP` for others.
        AUTO = 3,
    }
}

record! {
    /// What is traced (`struct ioam6_trace_hdr`, include/uapi/linux/ioam6.h, RFC 9197). C has bit fields behind the
    /// first two bytes.
    pub Ioam6Trace, "ioam6_trace_hdr", "" {
        /// Namespace.
        namespace_id: Be16,
        /// Words that a node adds in the high five bits (`nodelen`), filled in by the kernel; then whether the trace
        /// overflowed.
        node: u8,
        /// Words left in the trace, in the low seven bits (`remlen`).
        remaining: u8,
        /// Which data a node adds: the highest bit is `bit0` of C (`type_be32`).
        kind: Be32,
    }
}

space! {
    /// An IPsec policy without an interface of its own (include/uapi/linux/lwtunnel.h;
    /// net/xfrm/xfrm_interface_core.c).
    pub XfrmEncap, "LWT_XFRM_" {
        /// Interface id of the policies and states, from 1 on.
        IF_ID: u32 = 1,
        /// Interface below, from 1 on.
        LINK: u32 = 2,
    }
}
