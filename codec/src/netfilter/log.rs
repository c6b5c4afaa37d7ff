//! Packets told to programs (include/uapi/linux/netfilter/nfnetlink_log.h; net/netfilter/nfnetlink_log.c).
//!
//! A rule (`log group 5`) tells a group of packets; a socket binds a group, and no two bind the same. The group is the
//! header's `res_id`. One datagram holds up to as many packets as was configured, and a datagram of several ends with
//! `NLMSG_DONE`, which says nothing. The last attribute of a message may lack its padding.

use super::conntrack::Cta;
use super::packet::{ConnectionInfo, Hook, ReceivedAt, SenderAddress, VlanTag, common};
use super::{Family, NetfilterHeader};
use crate::route::{EtherType, LinkType};
use crate::table::{Attributes, Be, Be16, Be32, Body, Bytes, Nest, Str, Text};
use crate::wire::{Error, Message};
use crate::{flags, operations, record, space, values};

operations! {
    /// Messages of the log.
    pub Log, "NFULNL_MSG_", from 0x0400 {
        /// A packet.
        PACKET: new PacketMessage = 0,
        /// Bind a group, or say what is to be told.
        CONFIG: set ConfigMessage = 1,
    }
}

/// Header and attributes of a packet.
pub type PacketMessage = (NetfilterHeader, Packet);

/// Header and attributes of a configuration; the group is the header's number.
pub type ConfigMessage = (NetfilterHeader, Config);

space! {
    /// A packet.
    pub Packet, "NFULA_" {
        /// What its frame holds, and where it was met.
        PACKET_HDR: PacketHeader = 1,
        /// Its mark.
        MARK: Be32 = 2,
        /// When it was received.
        TIMESTAMP: Timestamp = 3,
        /// Interface it came in by.
        IFINDEX_INDEV: Be32 = 4,
        /// Interface it leaves by.
        IFINDEX_OUTDEV: Be32 = 5,
        /// Port of the bridge it came in by.
        IFINDEX_PHYSINDEV: Be32 = 6,
        /// Port of the bridge it leaves by.
        IFINDEX_PHYSOUTDEV: Be32 = 7,
        /// The sender's hardware address.
        HWADDR: PacketHardware = 8,
        /// The packet from its network header on, as much as was asked for.
        PAYLOAD: Bytes = 9,
        /// What the rule says with it.
        PREFIX: Str = 10,
        /// User of the socket that sent it.
        UID: Be32 = 11,
        /// Number of the packet in this group, from 0.
        SEQ: Be32 = 12,
        /// Number of the packet in all groups of the namespace, from 1.
        SEQ_GLOBAL: Be32 = 13,
        /// Group of users of the socket that sent it.
        GID: Be32 = 14,
        /// Kind of the interface's hardware.
        HWTYPE: Be<LinkType> = 15,
        /// The hardware header, as much as the interface says it has.
        HWHEADER: Bytes = 16,
        /// Length of the hardware header.
        HWLEN: Be16 = 17,
        /// Its connection, with [`ConfigFlags::CONNTRACK`].
        CT: Nest<Cta> = 18,
        /// What it is to its connection.
        CT_INFO: Be<ConnectionInfo> = 19,
        /// Its VLAN, told for bridges and interfaces.
        VLAN: Nest<Vlan> = 20,
        /// The whole header of layer 2.
        L2HDR: Bytes = 21,
    }
}

record! {
    /// What a packet's frame holds, and where it was met (`struct nfulnl_msg_packet_hdr`,
    /// include/uapi/linux/netfilter/nfnetlink_log.h).
    pub PacketHeader, "nfulnl_msg_packet_hdr", "" {
        /// Protocol of the frame (`ETH_P_*`).
        hw_protocol: Be16,
        /// Where it was met.
        hook: Hook,
        /// Nothing.
        pad: u8,
    }
}

common! { "NFULA_VLAN_", "nfulnl_msg_packet_hw", "nfulnl_msg_packet_timestamp", "include/uapi/linux/netfilter/nfnetlink_log.h" }

space! {
    /// What is configured of a group.
    pub Config, "NFULA_CFG_" {
        /// What to do.
        CMD: ConfigCommand = 1,
        /// How much of a packet is told.
        MODE: ConfigMode = 2,
        /// Bytes of a datagram's buffer, at most 131,072; default: what fits a page with its accounting.
        NLBUFSIZ: Be32 = 3,
        /// How long a datagram waits for more packets, in hundredths of a second; default: 100.
        TIMEOUT: Be32 = 4,
        /// Packets of a datagram; default: 100.
        QTHRESH: Be32 = 5,
        /// What else is told.
        FLAGS: Be<ConfigFlags> = 6,
    }
}

record! {
    /// What to do with a group (`struct nfulnl_msg_config_cmd`, include/uapi/linux/netfilter/nfnetlink_log.h).
    pub ConfigCommand, "nfulnl_msg_config_cmd", "" {
        /// What.
        command: Command,
    }
}

// include/uapi/linux/netfilter/nfnetlink_log.h
values! {
    /// What to do with a group.
    pub Command(u8), "NFULNL_CFG_CMD_" {
        /// Nothing.
        NONE = 0,
        /// Bind the group to this socket.
        BIND = 1,
        /// Let go of it.
        UNBIND = 2,
        /// Have packets of the header's family that a rule logs without a group told here.
        PF_BIND = 3,
        /// Have them no longer.
        PF_UNBIND = 4,
    }
}

record! {
    /// How much of a packet is told (`struct nfulnl_msg_config_mode`, include/uapi/linux/netfilter/nfnetlink_log.h).
    pub ConfigMode, "nfulnl_msg_config_mode", "" {
        /// Bytes of a packet, 0 for all of it; with [`CopyMode::PACKET`].
        copy_range: Be32,
        /// Which parts.
        copy_mode: CopyMode,
        /// Nothing.
        pad: u8,
    }
}

// include/uapi/linux/netfilter/nfnetlink_log.h
values! {
    /// Which parts of a packet are told.
    pub CopyMode(u8), "NFULNL_COPY_" {
        /// Nothing of the packet itself: as [`META`](CopyMode::META).
        NONE = 0,
        /// What is known of it.
        META = 1,
        /// The packet, too.
        PACKET = 2,
    }
}

// include/uapi/linux/netfilter/nfnetlink_log.h
flags! {
    /// What else is told of a packet.
    pub ConfigFlags(u16), "NFULNL_CFG_F_" {
        /// Its number in the group.
        SEQ = 0x1,
        /// Its number in all groups.
        SEQ_GLOBAL = 0x2,
        /// Its connection.
        CONNTRACK = 0x4,
    }
}

/// A packet, borrowed from its message.
#[derive(Clone, Copy, Debug)]
pub struct PacketView<'a> {
    /// Whose packet it is.
    pub family: Family,
    /// The group that it was told.
    pub group: u16,
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
    /// What the rule says with it; none where that is nothing.
    pub prefix: Option<Text<'a>>,
    /// User and group of users of the socket that sent it.
    pub owner: Option<(u32, u32)>,
    /// Number of the packet in the group.
    pub sequence: Option<u32>,
    /// Number of the packet in all groups.
    pub global_sequence: Option<u32>,
    /// Kind of the interface's hardware.
    pub hardware: Option<LinkType>,
    /// The hardware header.
    pub hardware_header: Option<&'a [u8]>,
    /// Its connection.
    pub connection: Option<Attributes<'a, Cta>>,
    /// What it is to its connection.
    pub connection_info: Option<ConnectionInfo>,
    /// Its VLAN.
    pub vlan: Option<VlanTag>,
    /// The whole header of layer 2.
    pub layer2: Option<&'a [u8]>,
}

impl<'a> PacketView<'a> {
    /// Reads the attributes in one pass.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, or one of those above has the wrong length.
    #[inline]
    pub fn read(body: Body<'a, PacketMessage>) -> Result<Self, Error> {
        let (
            (header, mark, timestamp, indev, outdev, physindev, physoutdev, sender, payload, prefix, uid, gid),
            (sequence, global_sequence, hardware, hardware_header, connection, connection_info, vlan, layer2),
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
                Packet::PREFIX,
                Packet::UID,
                Packet::GID,
            ),
            (
                Packet::SEQ,
                Packet::SEQ_GLOBAL,
                Packet::HWTYPE,
                Packet::HWHEADER,
                Packet::CT,
                Packet::CT_INFO,
                Packet::VLAN,
                Packet::L2HDR,
            ),
        ))?;
        let PacketHeader { hw_protocol, hook, .. } = header.unwrap_or_default();
        Ok(Self {
            family: body.header.nfgen_family,
            group: body.header.res_id.get(),
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
            prefix: prefix.filter(|prefix| !prefix.as_bytes().is_empty()),
            owner: uid.zip(gid),
            sequence,
            global_sequence,
            hardware,
            hardware_header,
            connection,
            connection_info,
            vlan: vlan.map(Vlan::tag).transpose()?.flatten(),
            layer2,
        })
    }

    /// Reads a message.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read); and if it is no packet.
    #[inline]
    pub fn of(message: Message<'a>) -> Result<Self, Error> {
        Self::read(message.body(Log::PACKET)?)
    }
}
