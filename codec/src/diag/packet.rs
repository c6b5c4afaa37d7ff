//! Packet sockets (packet(7)).

use super::{SocketMemory, SocketType};
use crate::route::Family;
use crate::table::{Body, Operation, Packed, PackedItems};
use crate::wire::Error;
use crate::{flags, operations, record, space};

// include/uapi/linux/sock_diag.h
operations! {
    /// What AF_PACKET is asked.
    pub PacketDiag, "" {
        /// All sockets.
        SOCK_DIAG_BY_FAMILY: get (PacketRequestHeader, PacketSocket) => ANSWER (PacketHeader, PacketSocket) = 20,
    }
}

impl PacketDiag {
    const ANSWER: Operation<PacketMessage> = PacketAnswer::SOCK_DIAG_BY_FAMILY;
}

// include/uapi/linux/sock_diag.h
operations! {
    /// What is told of AF_PACKET.
    pub PacketAnswer, "" {
        /// A socket.
        SOCK_DIAG_BY_FAMILY: new (PacketHeader, PacketSocket) = 20,
    }
}

/// Header and attributes of an answer.
pub type PacketMessage = (PacketHeader, PacketSocket);

record! {
    /// What a request begins with (`struct packet_diag_req`, include/uapi/linux/packet_diag.h).
    pub PacketRequestHeader, "packet_diag_req", "pdiag_" {
        /// `PACKET`.
        sdiag_family: Family,
        /// 0.
        sdiag_protocol: u8,
        /// Nothing.
        pad: u16,
        /// Not looked at.
        ino: u32,
        /// What is to be told beyond the header.
        show: PacketShow,
        /// Not looked at.
        cookie: [u32; 2],
    }
}

// include/uapi/linux/packet_diag.h
flags! {
    /// What is to be told of a socket beyond the header.
    pub PacketShow(u32), "PACKET_SHOW_" {
        /// Interface and settings.
        INFO = 0x1,
        /// Addresses for which it has opened interfaces.
        MCLIST = 0x2,
        /// Its rings.
        RING_CFG = 0x4,
        /// Its fanout group.
        FANOUT = 0x8,
        /// Its memory.
        MEMINFO = 0x10,
        /// Its filter.
        FILTER = 0x20,
    }
}

record! {
    /// What an answer begins with (`struct packet_diag_msg`, include/uapi/linux/packet_diag.h).
    pub PacketHeader, "packet_diag_msg", "pdiag_" {
        /// `PACKET`.
        family: Family,
        /// Raw or datagrams (`pdiag_type` in C).
        kind: SocketType,
        /// Protocol of its packets (`ETH_P_*`).
        num: u16,
        /// Its inode.
        ino: u32,
        /// Its cookie.
        cookie: [u32; 2],
    }
}

space! {
    /// What is told of a socket (include/uapi/linux/packet_diag.h; net/packet/diag.c).
    pub PacketSocket, "PACKET_DIAG_" {
        /// Interface and settings.
        INFO: PacketInfo = 0,
        /// Addresses for which it has opened interfaces.
        MCLIST: Packed<PacketMembership> = 1,
        /// Its ring for receiving.
        RX_RING: PacketRing = 2,
        /// Its ring for sending.
        TX_RING: PacketRing = 3,
        /// Its fanout group: number in the low half, way to choose in the high half.
        FANOUT: u32 = 4,
        /// The user whose it is.
        UID: u32 = 5,
        /// Its memory.
        MEMINFO: SocketMemory = 6,
        /// Its filter.
        FILTER: Packed<BpfInstruction> = 7,
    }
}

record! {
    /// Interface and settings (`struct packet_diag_info`, include/uapi/linux/packet_diag.h).
    pub PacketInfo, "packet_diag_info", "pdi_" {
        /// Interface, 0 for all.
        index: u32,
        /// Version of the rings' headers, less one.
        version: u32,
        /// Bytes before each packet in a ring.
        reserve: u32,
        /// Packets from this length on are copied.
        copy_thresh: u32,
        /// Where times come from.
        tstamp: u32,
        /// What is so.
        flags: PacketInfoFlags,
    }
}

// include/uapi/linux/packet_diag.h
flags! {
    /// What is so of a packet socket.
    pub PacketInfoFlags(u32), "PDI_" {
        /// It receives.
        RUNNING = 0x1,
        /// `PACKET_AUXDATA`.
        AUXDATA = 0x2,
        /// `PACKET_ORIGDEV`.
        ORIGDEV = 0x4,
        /// `PACKET_VNET_HDR`.
        VNETHDR = 0x8,
        /// `PACKET_LOSS`.
        LOSS = 0x10,
    }
}

record! {
    /// An address for which an interface was opened (`struct packet_diag_mclist`, include/uapi/linux/packet_diag.h).
    pub PacketMembership, "packet_diag_mclist", "pdmc_" {
        /// Interface.
        index: u32,
        /// How often.
        count: u32,
        /// What for (`PACKET_MR_*`; `pdmc_type` in C).
        kind: u16,
        /// Bytes of the address.
        alen: u16,
        /// The address.
        addr: [u8; 32],
    }
}

record! {
    /// A ring (`struct packet_diag_ring`, include/uapi/linux/packet_diag.h).
    pub PacketRing, "packet_diag_ring", "pdr_" {
        /// Bytes of a block.
        block_size: u32,
        /// Blocks.
        block_nr: u32,
        /// Bytes of a frame.
        frame_size: u32,
        /// Frames.
        frame_nr: u32,
        /// Milliseconds until a block that is not full is handed over.
        retire_tmo: u32,
        /// Bytes of a block that are the process's.
        sizeof_priv: u32,
        /// `TP_FT_REQ_FILL_RXHASH`.
        features: u32,
    }
}

record! {
    /// An instruction of a filter (`struct sock_filter`, include/uapi/linux/filter.h).
    pub BpfInstruction, "sock_filter", "" {
        /// What to do.
        code: u16,
        /// Instructions to skip if it is true.
        jt: u8,
        /// Instructions to skip if it is false.
        jf: u8,
        /// Operand.
        k: u32,
    }
}

/// What most programs want to know of a socket, borrowed from its message.
#[derive(Clone, Copy, Debug)]
pub struct PacketSocketView<'a> {
    /// Type, protocol, inode, cookie.
    pub header: PacketHeader,
    /// Interface and settings.
    pub info: Option<PacketInfo>,
    /// Its ring for receiving.
    pub receive: Option<PacketRing>,
    /// Its ring for sending.
    pub send: Option<PacketRing>,
    /// Its fanout group.
    pub fanout: Option<u32>,
    /// The user whose it is.
    pub uid: Option<u32>,
    /// Its memory.
    pub memory: Option<SocketMemory>,
    /// Its filter.
    pub filter: Option<PackedItems<'a, BpfInstruction>>,
}

impl<'a> PacketSocketView<'a> {
    /// Reads the attributes in one pass.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, or one of those above has the wrong length.
    #[inline]
    pub fn read(body: Body<'a, PacketMessage>) -> Result<Self, Error> {
        let (info, receive, send, fanout, uid, memory, filter) = body.attributes.read((
            PacketSocket::INFO,
            PacketSocket::RX_RING,
            PacketSocket::TX_RING,
            PacketSocket::FANOUT,
            PacketSocket::UID,
            PacketSocket::MEMINFO,
            PacketSocket::FILTER,
        ))?;
        Ok(Self { header: body.header, info, receive, send, fanout, uid, memory, filter })
    }
}
