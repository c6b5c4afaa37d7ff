//! Extended matches: what must be so of a packet, joined by and, or and not (tc-ematch(8); net/sched/ematch.c,
//! net/sched/em_*.c).

use super::U32Key;
use crate::table::{
    Attributes, Bytes, Chars, Encode, Indexed, Packed, PackedItems, Plain, Prefixed, Record, Str, Value,
};
use crate::wire::{Error, ErrorKind, Payload, Writer, short};
use crate::{flags, record, space, values};

// include/uapi/linux/pkt_cls.h
space! {
    /// A tree of matches, as a list.
    pub EmatchTree, "TCA_EMATCH_TREE_" {
        /// How many there are.
        HDR: EmatchTreeHeader = 1,
        /// Matches, by number from 1 on. [`EmatchView`] reads what is behind the header.
        LIST: Indexed<Prefixed<EmatchHeader>> = 2,
    }
}

record! {
    /// What a tree begins with.
    pub EmatchTreeHeader, "tcf_ematch_tree_hdr", "" {
        /// Matches in the list.
        nmatches: u16,
        /// The program that made the tree: 0 for tc(8).
        progid: u16,
    }
}

record! {
    /// What every match begins with; what it is set to follows.
    pub EmatchHeader, "tcf_ematch_hdr", "" {
        /// A number of the program's own.
        matchid: u16,
        /// What is matched.
        kind: EmatchKind,
        /// How it is joined to the next.
        flags: EmatchFlags,
        /// Nothing.
        pad: u16,
    }
}

values! {
    /// What is matched.
    pub EmatchKind(u16), "TCF_EM_" {
        /// Other matches, as if in parentheses.
        CONTAINER = 0,
        /// A number in the packet, with another.
        CMP = 1,
        /// Bytes in the packet.
        NBYTE = 2,
        /// 32 bits of the packet.
        U32 = 3,
        /// What the kernel knows of the packet.
        META = 4,
        /// Text in the packet.
        TEXT = 5,
        /// Was never there.
        VLAN = 6,
        /// CAN identifiers.
        CANID = 7,
        /// A set of addresses.
        IPSET = 8,
        /// A match of iptables.
        IPT = 9,
    }
}

flags! {
    /// How a match is joined to the next; without either, it is the last.
    pub EmatchFlags(u16), "TCF_EM_" {
        /// Both must hold.
        REL_AND = 0x1,
        /// One must hold.
        REL_OR = 0x2,
        /// The opposite holds.
        INVERT = 0x4,
        /// It is set to a single 32-bit number.
        SIMPLE = 0x8,
    }
}

values! {
    /// From where a place in a packet counts.
    pub EmatchLayer(u8), "TCF_LAYER_" {
        /// The link layer's header.
        LINK = 0,
        /// The network layer's.
        NETWORK = 1,
        /// The transport layer's.
        TRANSPORT = 2,
    }
}

values! {
    /// How numbers compare.
    pub EmatchOperand(u8), "TCF_EM_OPND_" {
        /// They are the same.
        EQ = 0,
        /// The packet's is larger.
        GT = 1,
        /// The packet's is smaller.
        LT = 2,
    }
}

// include/uapi/linux/tc_ematch/tc_em_cmp.h
record! {
    /// A number in the packet, and what it is compared with.
    pub EmCmp, "tcf_em_cmp", "" {
        /// The other number.
        val: u32,
        /// Bits that count, 0 for all.
        mask: u32,
        /// Where it stands.
        off: u16,
        /// Two bit fields: how long it is (`TCF_EM_ALIGN_`), and whether `val` and `mask` are in the packet's byte order.
        align_flags: u8,
        /// Two bit fields: from where the place counts, and how the numbers compare.
        layer_opnd: u8,
    }
}

impl EmCmp {
    /// How many bytes the number has: 1, 2 or 4.
    #[must_use]
    pub const fn align(self) -> u8 {
        halves(self.align_flags).0
    }

    /// Whether the packet's number is turned into the machine's byte order first.
    #[must_use]
    pub const fn is_translated(self) -> bool {
        halves(self.align_flags).1 & 1 != 0
    }

    /// From where the place counts.
    #[must_use]
    pub const fn layer(self) -> EmatchLayer {
        EmatchLayer(halves(self.layer_opnd).0)
    }

    /// How the numbers compare.
    #[must_use]
    pub const fn operand(self) -> EmatchOperand {
        EmatchOperand(halves(self.layer_opnd).1)
    }
}

// include/uapi/linux/tc_ematch/tc_em_nbyte.h
record! {
    /// Bytes in the packet; what they must be follows.
    pub EmNbyte, "tcf_em_nbyte", "" {
        /// Where they stand.
        off: u16,
        /// Two bit fields: 12 bits of how many, 4 of from where the place counts.
        len_layer: u16,
    }
}

impl EmNbyte {
    /// How many bytes.
    #[must_use]
    pub const fn length(self) -> u16 {
        match cfg!(target_endian = "little") {
            true => self.len_layer & 0xfff,
            false => self.len_layer >> 4,
        }
    }

    /// From where the place counts.
    #[must_use]
    pub const fn layer(self) -> EmatchLayer {
        let [low, high] = self.len_layer.to_le_bytes();
        EmatchLayer(if cfg!(target_endian = "little") { high >> 4 } else { low & 0xf })
    }
}

// include/uapi/linux/tc_ematch/tc_em_text.h
record! {
    /// Text in the packet; the text follows.
    pub EmText, "tcf_em_text", "" {
        /// How it is looked for (`kmp`, `bm`, `fsm`).
        algo: Chars<16>,
        /// From where on.
        from_offset: u16,
        /// Up to where.
        to_offset: u16,
        /// Bytes of the text.
        pattern_len: u16,
        /// Two bit fields: from where the one place counts, and from where the other.
        from_to_layer: u8,
        /// Nothing.
        pad: u8,
    }
}

impl EmText {
    /// From where the two places count.
    #[must_use]
    pub const fn layers(self) -> (EmatchLayer, EmatchLayer) {
        let (from, to) = halves(self.from_to_layer);
        (EmatchLayer(from), EmatchLayer(to))
    }
}

// include/uapi/linux/tc_ematch/tc_em_meta.h
space! {
    /// Something that the kernel knows of the packet, and what it is compared with.
    pub EmMeta, "TCA_EM_META_" {
        /// What is compared, and how.
        HDR: EmMetaHeader = 1,
        /// What goes with the left side, as its type has it: a 32-bit number or bytes.
        LVALUE: Bytes = 2,
        /// What goes with the right side.
        RVALUE: Bytes = 3,
    }
}

record! {
    /// The two sides.
    pub EmMetaHeader, "tcf_meta_hdr", "" {
        /// The one; it says how both compare.
        left: EmMetaValue,
        /// The other.
        right: EmMetaValue,
    }
}

record! {
    /// One side.
    pub EmMetaValue, "tcf_meta_val", "" {
        /// Type in the upper 4 bits, what it is in the lower 11.
        kind: u16,
        /// How far it is moved right.
        shift: u8,
        /// How it compares with the other.
        op: EmatchOperand,
    }
}

impl EmMetaValue {
    /// Whether it is bytes, or a number.
    #[must_use]
    pub const fn of(self) -> EmMetaType {
        EmMetaType(self.kind >> 12)
    }

    /// What it is.
    #[must_use]
    pub const fn id(self) -> EmMetaId {
        EmMetaId(self.kind & 0x7ff)
    }
}

values! {
    /// What a side is.
    pub EmMetaType(u16), "TCF_META_TYPE_" {
        /// Bytes.
        VAR = 0,
        /// A number.
        INT = 1,
    }
}

values! {
    /// What the kernel knows of a packet.
    pub EmMetaId(u16), "TCF_META_ID_" {
        /// What the request says.
        VALUE = 0,
        RANDOM = 1,
        LOADAVG_0 = 2,
        LOADAVG_1 = 3,
        LOADAVG_2 = 4,
        DEV = 5,
        PRIORITY = 6,
        PROTOCOL = 7,
        PKTTYPE = 8,
        PKTLEN = 9,
        DATALEN = 10,
        MACLEN = 11,
        NFMARK = 12,
        TCINDEX = 13,
        RTCLASSID = 14,
        RTIIF = 15,
        SK_FAMILY = 16,
        SK_STATE = 17,
        SK_REUSE = 18,
        SK_BOUND_IF = 19,
        SK_REFCNT = 20,
        SK_SHUTDOWN = 21,
        SK_PROTO = 22,
        SK_TYPE = 23,
        SK_RCVBUF = 24,
        SK_RMEM_ALLOC = 25,
        SK_WMEM_ALLOC = 26,
        SK_OMEM_ALLOC = 27,
        SK_WMEM_QUEUED = 28,
        SK_RCV_QLEN = 29,
        SK_SND_QLEN = 30,
        SK_ERR_QLEN = 31,
        SK_FORWARD_ALLOCS = 32,
        SK_SNDBUF = 33,
        SK_ALLOCS = 34,
        // 35 was never there.
        SK_HASH = 36,
        SK_LINGERTIME = 37,
        SK_ACK_BACKLOG = 38,
        SK_MAX_ACK_BACKLOG = 39,
        SK_PRIO = 40,
        SK_RCVLOWAT = 41,
        SK_RCVTIMEO = 42,
        SK_SNDTIMEO = 43,
        SK_SENDMSG_OFF = 44,
        SK_WRITE_PENDING = 45,
        VLAN_TAG = 46,
        RXHASH = 47,
    }
}

// include/uapi/linux/tc_ematch/tc_em_ipt.h
space! {
    /// A match of iptables.
    pub EmIpt, "TCA_EM_IPT_" {
        /// Hook that the match believes to stand at.
        HOOK: u32 = 1,
        /// Name of the match.
        MATCH_NAME: Str = 2,
        /// Its revision.
        MATCH_REVISION: u8 = 3,
        /// Protocol (`NFPROTO_`).
        NFPROTO: u8 = 4,
        /// What it is set to.
        MATCH_DATA: Bytes = 5,
    }
}

// include/uapi/linux/can.h
record! {
    /// CAN identifiers, by a mask.
    pub EmCanid, "can_filter", "" {
        /// The identifier, with its flags.
        can_id: u32,
        /// Bits that count.
        can_mask: u32,
    }
}

// include/uapi/linux/netfilter/xt_set.h
record! {
    /// A set of addresses.
    pub EmIpset, "xt_set_info", "" {
        /// The set's number.
        index: u16,
        /// How many parts of the packet are looked up.
        dim: u8,
        /// For each of them from bit 1 on: the source's, not the destination's. Bit 0 turns the match over.
        flags: u8,
    }
}

/// A match, taken apart by its kind.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum EmatchView<'a> {
    /// The number of the first of the matches in parentheses.
    Container(u32),
    /// A number in the packet.
    Cmp(EmCmp),
    /// Bytes in the packet.
    Nbyte(EmNbyte, &'a [u8]),
    /// 32 bits of the packet.
    U32(U32Key),
    /// What the kernel knows of the packet.
    Meta(Attributes<'a, EmMeta>),
    /// Text in the packet.
    Text(EmText, &'a [u8]),
    /// CAN identifiers.
    Canid(PackedItems<'a, EmCanid>),
    /// A set of addresses.
    Ipset(EmIpset),
    /// A match of iptables.
    Ipt(Attributes<'a, EmIpt>),
    /// One that this library does not know.
    Other(&'a [u8]),
}

impl<'a> EmatchView<'a> {
    /// Reads what is behind a match's header. Places in errors count from there.
    ///
    /// # Errors
    ///
    /// If it is shorter than a match of its kind, or of another length than its kind can have.
    pub fn read(header: EmatchHeader, behind: &'a [u8]) -> Result<Self, Error> {
        let payload = Payload { bytes: behind, offset: 0 };
        Ok(match header.kind {
            EmatchKind::CONTAINER => Self::Container(whole(behind)?),
            EmatchKind::CMP => Self::Cmp(whole(behind)?),
            EmatchKind::NBYTE => Self::Nbyte(whole(behind)?, behind.get(size_of::<EmNbyte>()..).unwrap_or_default()),
            EmatchKind::U32 => Self::U32(whole(behind)?),
            EmatchKind::META => Self::Meta(Attributes::new(payload)),
            EmatchKind::TEXT => Self::Text(whole(behind)?, behind.get(size_of::<EmText>()..).unwrap_or_default()),
            EmatchKind::CANID => {
                let items = Packed::decode(payload);
                Self::Canid(items.map_err(|kind| Error { kind, offset: 0, attribute: 0, name: "" })?)
            }
            EmatchKind::IPSET => Self::Ipset(whole(behind)?),
            EmatchKind::IPT => Self::Ipt(Attributes::new(payload)),
            _ => Self::Other(behind),
        })
    }
}

/// The struct that stands first, which must be there whole.
fn whole<R: Plain>(behind: &[u8]) -> Result<R, Error> {
    match behind.get(..size_of::<R>()) {
        Some(mut bytes) => Ok(R::take(&mut bytes)),
        None => {
            let kind = ErrorKind::PayloadLength { found: short(behind.len()), expected: short(size_of::<R>()) };
            Err(Error { kind, offset: 0, attribute: 0, name: "" })
        }
    }
}

/// Two bit fields of four bits, the one that C has first first.
const fn halves(byte: u8) -> (u8, u8) {
    match cfg!(target_endian = "little") {
        true => (byte & 0xf, byte >> 4),
        false => (byte >> 4, byte & 0xf),
    }
}

impl<R: Record> Encode<Prefixed<EmatchHeader>> for (EmatchHeader, R) {
    fn encode(self, writer: &mut Writer<'_>) {
        self.0.write(writer);
        self.1.write(writer);
    }
}

impl<R: Record> Encode<Prefixed<EmatchHeader>> for (EmatchHeader, R, &[u8]) {
    fn encode(self, writer: &mut Writer<'_>) {
        self.0.write(writer);
        self.1.write(writer);
        writer.bytes(self.2);
    }
}
