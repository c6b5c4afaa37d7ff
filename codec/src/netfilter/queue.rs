//! Packets handed to programs for a verdict (include/uapi/linux/netfilter/nfnetlink_queue.h;
//! net/netfilter/nfnetlink_queue.c).
//!
//! A rule (`queue num 5`) hands packets to a queue; a socket binds a queue, and no two bind the same. The queue is the
//! header's `res_id`. A packet has a number, and waits in the kernel until a verdict names it. The last attribute of a
//! message may lack its padding.

use super::conntrack::{Cta, Expectation};
use super::packet::{ConnectionInfo, Hook, ReceivedAt, SenderAddress, VlanTag, common};
use super::{Family, NetfilterHeader};
use crate::route::EtherType;
use crate::table::{Attributes, BareStr, Be, Be16, Be32, Body, Bytes, Nest, Text};
use crate::wire::{Error, ErrorKind, MESSAGE_HEADER, Message, short};
use crate::{flags, operations, record, space, values};

operations! {
    /// Messages of queues.
    pub Queue, "NFQNL_MSG_", from 0x0300 {
        /// A packet.
        PACKET: new PacketMessage = 0,
        /// What becomes of a packet.
        VERDICT: act PacketMessage = 1,
        /// Bind a queue, or say what is to be told.
        CONFIG: set ConfigMessage = 2,
        /// What becomes of all packets up to one. Of the attributes, the verdict, the mark and the priority count.
        VERDICT_BATCH: act PacketMessage = 3,
    }
}

/// Header and attributes of a packet and of a verdict.
pub type PacketMessage = (NetfilterHeader, Packet);

/// Header and attributes of a configuration; the queue is the header's number.
pub type ConfigMessage = (NetfilterHeader, Config);

space! {
    /// A packet, or its verdict.
    pub Packet, "NFQA_" {
        /// Its number, what its frame holds, and where it was met.
        PACKET_HDR: PacketHeader = 1,
        /// What becomes of it.
        VERDICT_HDR: VerdictHeader = 2,
        /// Its mark; in a verdict, the mark that it gets.
        MARK: Be32 = 3,
        /// When it was received.
        TIMESTAMP: Timestamp = 4,
        /// Interface it came in by.
        IFINDEX_INDEV: Be32 = 5,
        /// Interface it leaves by.
        IFINDEX_OUTDEV: Be32 = 6,
        /// Port of the bridge it came in by.
        IFINDEX_PHYSINDEV: Be32 = 7,
        /// Port of the bridge it leaves by.
        IFINDEX_PHYSOUTDEV: Be32 = 8,
        /// The sender's hardware address.
        HWADDR: PacketHardware = 9,
        /// The packet from its network header on, as much as was asked for; in a verdict, what it is replaced by.
        PAYLOAD: Bytes = 10,
        /// Its connection, with [`ConfigFlags::CONNTRACK`]; in a verdict, changes to it.
        CT: Nest<Cta> = 11,
        /// What it is to its connection.
        CT_INFO: Be<ConnectionInfo> = 12,
        /// Length of the packet, where more was there than was told.
        CAP_LEN: Be32 = 13,
        /// What is so of its checksums and segments.
        SKB_INFO: Be<PacketInfo> = 14,
        /// In a verdict, a connection that is expected.
        EXP: Nest<Expectation> = 15,
        /// User of the socket that sent it, with [`ConfigFlags::UID_GID`].
        UID: Be32 = 16,
        /// Group of users of the socket that sent it.
        GID: Be32 = 17,
        /// Its security label, with [`ConfigFlags::SECCTX`].
        SECCTX: BareStr = 18,
        /// Its VLAN, of bridges' packets; in a verdict, the VLAN that it gets.
        VLAN: Nest<Vlan> = 19,
        /// The whole header of layer 2, of bridges' packets; in a verdict, what it is replaced by.
        L2HDR: Bytes = 20,
        /// Its priority (`skb->priority`); in a verdict, the one that it gets.
        PRIORITY: Be32 = 21,
        /// Class of the control group of the socket that sent it (`net_cls.classid`).
        CGROUP_CLASSID: Be32 = 22,
    }
}

record! {
    /// A packet's number, what its frame holds, and where it was met (`struct nfqnl_msg_packet_hdr`,
    /// include/uapi/linux/netfilter/nfnetlink_queue.h).
    pub PacketHeader, "nfqnl_msg_packet_hdr", "" {
        /// Its number in the queue, from 1, one more for each.
        packet_id: Be32,
        /// Protocol of the frame (`ETH_P_*`).
        hw_protocol: Be16,
        /// Where it was met.
        hook: Hook,
    }
}

common! { "NFQA_VLAN_", "nfqnl_msg_packet_hw", "nfqnl_msg_packet_timestamp", "include/uapi/linux/netfilter/nfnetlink_queue.h" }

record! {
    /// What becomes of a packet (`struct nfqnl_msg_verdict_hdr`, include/uapi/linux/netfilter/nfnetlink_queue.h).
    pub VerdictHeader, "nfqnl_msg_verdict_hdr", "" {
        /// A [`Verdict`].
        verdict: Be32,
        /// The packet's number.
        id: Be32,
    }
}

impl VerdictHeader {
    /// This verdict for the packet with this number.
    #[must_use]
    pub const fn new(verdict: Verdict, id: u32) -> Self {
        Self { verdict: Be32::new(verdict.0), id: Be32::new(id) }
    }
}

// include/uapi/linux/netfilter.h
values! {
    /// What becomes of a packet; the high half of the number may hold more ([`Verdict::queue`]).
    pub Verdict(u32), "NF_" {
        /// It is dropped.
        DROP = 0,
        /// It goes on, behind the rule that queued it.
        ACCEPT = 1,
        /// The program has taken it; kernels refuse that.
        STOLEN = 2,
        /// It goes to a queue, of which the high half is the number.
        QUEUE = 3,
        /// It goes through the same chain once more, from the start: to be told apart then, it needs a mark.
        REPEAT = 4,
        /// It goes on without further rules; the kernel takes it for [`ACCEPT`](Verdict::ACCEPT).
        STOP = 5,
    }
}

impl Verdict {
    /// The packet goes to another queue.
    #[must_use]
    pub const fn queue(number: u16) -> Self {
        // `NF_QUEUE_NR`
        Self((number as u32) << 16 | Self::QUEUE.0)
    }

    /// The same; where nobody has bound that queue, the packet goes on instead of being dropped.
    #[must_use]
    pub const fn queue_or_accept(number: u16) -> Self {
        // `NF_VERDICT_FLAG_QUEUE_BYPASS`
        Self(Self::queue(number).0 | 0x8000)
    }
}

// include/uapi/linux/netfilter/nfnetlink_queue.h
flags! {
    /// What is so of a packet's checksums and segments.
    pub PacketInfo(u32), "NFQA_SKB_" {
        /// Its checksum looks wrong, and is yet to be made.
        CSUMNOTREADY = 0x1,
        /// It is several packets in one, longer than the device takes.
        GSO = 0x2,
        /// Its checksum has not been looked at.
        CSUM_NOTVERIFIED = 0x4,
    }
}

space! {
    /// What is configured of a queue.
    pub Config, "NFQA_CFG_" {
        /// What to do.
        CMD: ConfigCommand = 1,
        /// How much of a packet is told.
        PARAMS: ConfigParams = 2,
        /// Packets that may wait for a verdict; default: 1,024.
        QUEUE_MAXLEN: Be32 = 3,
        /// Which of the flags are meant.
        MASK: Be<ConfigFlags> = 4,
        /// The flags.
        FLAGS: Be<ConfigFlags> = 5,
    }
}

record! {
    /// What to do with a queue (`struct nfqnl_msg_config_cmd`, include/uapi/linux/netfilter/nfnetlink_queue.h).
    pub ConfigCommand, "nfqnl_msg_config_cmd", "" {
        /// What.
        command: Command,
        /// Nothing.
        pad: u8,
        /// Address family, for commands that no kernel obeys since 3.8.
        pf: Be16,
    }
}

// include/uapi/linux/netfilter/nfnetlink_queue.h
values! {
    /// What to do with a queue.
    pub Command(u8), "NFQNL_CFG_CMD_" {
        /// Nothing.
        NONE = 0,
        /// Bind the queue to this socket.
        BIND = 1,
        /// Let go of it; packets that wait are dropped.
        UNBIND = 2,
        /// Nothing any more (since Linux 3.8).
        PF_BIND = 3,
        /// Nothing any more (since Linux 3.8).
        PF_UNBIND = 4,
    }
}

record! {
    /// How much of a packet is told (`struct nfqnl_msg_config_params`,
    /// include/uapi/linux/netfilter/nfnetlink_queue.h).
    pub ConfigParams, "nfqnl_msg_config_params", "" {
        /// Bytes of a packet, 0 for all of it; with [`CopyMode::PACKET`].
        copy_range: Be32,
        /// Which parts.
        copy_mode: CopyMode,
    }
}

// include/uapi/linux/netfilter/nfnetlink_queue.h
values! {
    /// Which parts of a packet are told.
    pub CopyMode(u8), "NFQNL_COPY_" {
        /// Nothing: packets of a queue in this mode are dropped.
        NONE = 0,
        /// What is known of it.
        META = 1,
        /// The packet, too.
        PACKET = 2,
    }
}

// include/uapi/linux/netfilter/nfnetlink_queue.h
flags! {
    /// How a queue works, and what else is told of a packet.
    pub ConfigFlags(u32), "NFQA_CFG_F_" {
        /// When the queue is full or its program too slow, packets go on instead of being dropped.
        FAIL_OPEN = 0x1,
        /// Connections are told.
        CONNTRACK = 0x2,
        /// Packets come as long as they are in the kernel: not cut into segments first, checksums not made.
        GSO = 0x4,
        /// User and group of users of the socket that sent it.
        UID_GID = 0x8,
        /// Its security label.
        SECCTX = 0x10,
    }
}

/// A packet, borrowed from its message.
#[derive(Clone, Copy, Debug)]
pub struct PacketView<'a> {
    /// Whose packet it is.
    pub family: Family,
    /// The queue that it waits in.
    pub queue: u16,
    /// Its number in the queue.
    pub id: u32,
    /// What its frame holds.
    pub protocol: EtherType,
    /// Where it was met.
    pub hook: Hook,
    /// Its mark; none where that is 0.
    pub mark: Option<u32>,
    /// When it was received.
    pub received: Option<ReceivedAt>,
    /// Interface it came in by.
    pub indev: Option<u32>,
    /// Interface it leaves by.
    pub outdev: Option<u32>,
    /// Port of the bridge it came in by.
    pub physindev: Option<u32>,
    /// Port of the bridge it leaves by.
    pub physoutdev: Option<u32>,
    /// The sender's hardware address.
    pub sender: Option<SenderAddress>,
    /// The packet from its network header on, as much as was asked for.
    pub payload: Option<&'a [u8]>,
    /// Length of the packet, where more was there than was told.
    pub length: Option<u32>,
    /// What is so of its checksums and segments.
    pub info: PacketInfo,
    /// User and group of users of the socket that sent it.
    pub owner: Option<(u32, u32)>,
    /// Its security label.
    pub security: Option<Text<'a>>,
    /// Its connection.
    pub connection: Option<Attributes<'a, Cta>>,
    /// What it is to its connection.
    pub connection_info: Option<ConnectionInfo>,
    /// Its VLAN.
    pub vlan: Option<VlanTag>,
    /// The whole header of layer 2.
    pub layer2: Option<&'a [u8]>,
    /// Its priority.
    pub priority: Option<u32>,
    /// Class of the control group of the socket that sent it.
    pub class: Option<u32>,
}

impl<'a> PacketView<'a> {
    /// Reads the attributes in one pass.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, one of those above has the wrong length, or there is no number.
    #[inline]
    pub fn read(body: Body<'a, PacketMessage>) -> Result<Self, Error> {
        let (
            (header, mark, timestamp, indev, outdev, physindev, physoutdev, sender, payload, length, info, uid),
            (gid, security, connection, connection_info, vlan, layer2, priority, class),
        ) = body.attributes.read((
            (
                Packet::PACKET_HDR,
                Packet::MARK,
                Packet::TIMESTAMP,
                Packet::IFINDEX_INDEV,
                Packet::IFINDEX_OUTDEV,
                Packet::IFINDEX_PHYSINDEV,
                Packet::IFINDEX_PHYSOUTDEV,
                Packet::HWADDR,
                Packet::PAYLOAD,
                Packet::CAP_LEN,
                Packet::SKB_INFO,
                Packet::UID,
            ),
            (
                Packet::GID,
                Packet::SECCTX,
                Packet::CT,
                Packet::CT_INFO,
                Packet::VLAN,
                Packet::L2HDR,
                Packet::PRIORITY,
                Packet::CGROUP_CLASSID,
            ),
        ))?;
        let PacketHeader { packet_id, hw_protocol, hook } = header.ok_or_else(unnumbered)?;
        Ok(Self {
            family: body.header.nfgen_family,
            queue: body.header.res_id.get(),
            id: packet_id.get(),
            protocol: EtherType(hw_protocol.get()),
            hook,
            mark,
            received: timestamp.map(Timestamp::moment),
            indev,
            outdev,
            physindev,
            physoutdev,
            sender: sender.map(PacketHardware::address),
            payload,
            length,
            info: info.unwrap_or_default(),
            owner: uid.zip(gid),
            security,
            connection,
            connection_info,
            vlan: vlan.map(Vlan::tag).transpose()?.flatten(),
            layer2,
            priority,
            class,
        })
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); and if it is no packet.
    #[inline]
    pub fn of(message: Message<'a>) -> Result<Self, Error> {
        Self::read(message.body(Queue::PACKET)?)
    }
}

/// The error for a packet without a number, for which there could be no verdict.
#[cold]
fn unnumbered() -> Error {
    let kind = ErrorKind::PayloadLength { found: 0, expected: short(size_of::<PacketHeader>()) };
    let offset = short(MESSAGE_HEADER.saturating_add(size_of::<NetfilterHeader>()));
    Error { kind, offset, attribute: Packet::PACKET_HDR.number(), name: "NFQA_PACKET_HDR" }
}
