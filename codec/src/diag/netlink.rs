//! Sockets of netlink itself.

use super::{SocketMemory, SocketState, SocketType};
use crate::route::Family;
use crate::table::{Body, Operation, Packed, PackedItems};
use crate::wire::Error;
use crate::{flags, operations, record, space};

// include/uapi/linux/sock_diag.h
operations! {
    /// What netlink is asked.
    pub NetlinkDiag, "" {
        /// Sockets: all of a protocol, or of all.
        SOCK_DIAG_BY_FAMILY: get (NetlinkRequestHeader, NetlinkSocket) => ANSWER (NetlinkHeader, NetlinkSocket) = 20,
    }
}

impl NetlinkDiag {
    const ANSWER: Operation<NetlinkMessage> = NetlinkAnswer::SOCK_DIAG_BY_FAMILY;
}

// include/uapi/linux/sock_diag.h
operations! {
    /// What is told of netlink.
    pub NetlinkAnswer, "" {
        /// A socket.
        SOCK_DIAG_BY_FAMILY: new (NetlinkHeader, NetlinkSocket) = 20,
    }
}

/// Header and attributes of an answer.
pub type NetlinkMessage = (NetlinkHeader, NetlinkSocket);

record! {
    /// What a request begins with (`struct netlink_diag_req`, include/uapi/linux/netlink_diag.h).
    pub NetlinkRequestHeader, "netlink_diag_req", "ndiag_" {
        /// `NETLINK`.
        sdiag_family: Family,
        /// The protocol; 255 for all (`NDIAG_PROTO_ALL`).
        sdiag_protocol: u8,
        /// Nothing.
        pad: u16,
        /// Not looked at.
        ino: u32,
        /// What is to be told beyond the header.
        show: NetlinkShow,
        /// Not looked at.
        cookie: [u32; 2],
    }
}

impl NetlinkRequestHeader {
    /// Stands for all protocols (`NDIAG_PROTO_ALL`, include/uapi/linux/netlink_diag.h).
    pub const ALL_PROTOCOLS: u8 = 255;
}

// include/uapi/linux/netlink_diag.h
flags! {
    /// What is to be told of a socket beyond the header.
    pub NetlinkShow(u32), "NDIAG_SHOW_" {
        /// Its memory.
        MEMINFO = 0x1,
        /// Its groups.
        GROUPS = 0x2,
        /// Its rings; there are none since Linux 4.6.
        RING_CFG = 0x4,
        /// What is so.
        FLAGS = 0x8,
    }
}

record! {
    /// What an answer begins with (`struct netlink_diag_msg`, include/uapi/linux/netlink_diag.h).
    pub NetlinkHeader, "netlink_diag_msg", "ndiag_" {
        /// `NETLINK`.
        family: Family,
        /// Raw or datagrams, which is the same (`ndiag_type` in C).
        kind: SocketType,
        /// The protocol.
        protocol: u8,
        /// State: connected or not.
        state: SocketState,
        /// Its port; 0 for the kernel's.
        portid: u32,
        /// Port that it is connected to.
        dst_portid: u32,
        /// Group that it is connected to.
        dst_group: u32,
        /// Its inode.
        ino: u32,
        /// Its cookie.
        cookie: [u32; 2],
    }
}

space! {
    /// What is told of a socket (include/uapi/linux/netlink_diag.h; net/netlink/diag.c).
    pub NetlinkSocket, "NETLINK_DIAG_" {
        /// Its memory.
        MEMINFO: SocketMemory = 0,
        /// Its groups: bits, in words as the kernel's pointers are wide.
        GROUPS: Packed<u32> = 1,
        /// Its ring for receiving; gone since Linux 4.6.
        RX_RING: NetlinkRing = 2,
        /// Its ring for sending; gone since Linux 4.6.
        TX_RING: NetlinkRing = 3,
        /// What is so.
        FLAGS: NetlinkDiagFlags = 4,
    }
}

// include/uapi/linux/netlink_diag.h
flags! {
    /// What is so of a netlink socket.
    pub NetlinkDiagFlags(u32), "NDIAG_FLAG_" {
        /// A dump is under way.
        CB_RUNNING = 0x1,
        /// `NETLINK_PKTINFO`.
        PKTINFO = 0x2,
        /// `NETLINK_BROADCAST_ERROR`.
        BROADCAST_ERROR = 0x4,
        /// `NETLINK_NO_ENOBUFS`.
        NO_ENOBUFS = 0x8,
        /// `NETLINK_LISTEN_ALL_NSID`.
        LISTEN_ALL_NSID = 0x10,
        /// `NETLINK_CAP_ACK`.
        CAP_ACK = 0x20,
    }
}

record! {
    /// A ring (`struct netlink_diag_ring`, include/uapi/linux/netlink_diag.h).
    pub NetlinkRing, "netlink_diag_ring", "ndr_" {
        /// Bytes of a block.
        block_size: u32,
        /// Blocks.
        block_nr: u32,
        /// Bytes of a frame.
        frame_size: u32,
        /// Frames.
        frame_nr: u32,
    }
}

/// What most programs want to know of a socket, borrowed from its message.
#[derive(Clone, Copy, Debug)]
pub struct NetlinkSocketView<'a> {
    /// Protocol, state, ports, inode, cookie.
    pub header: NetlinkHeader,
    /// Its memory.
    pub memory: Option<SocketMemory>,
    /// Its groups.
    pub groups: Option<PackedItems<'a, u32>>,
    /// What is so.
    pub flags: Option<NetlinkDiagFlags>,
}

impl<'a> NetlinkSocketView<'a> {
    /// Reads the attributes in one pass.
    ///
    /// # Errors
    ///
    /// If the run of attributes is broken, or one of those above has the wrong length.
    #[inline]
    pub fn read(body: Body<'a, NetlinkMessage>) -> Result<Self, Error> {
        let (memory, groups, flags) =
            body.attributes.read((NetlinkSocket::MEMINFO, NetlinkSocket::GROUPS, NetlinkSocket::FLAGS))?;
        Ok(Self { header: body.header, memory, groups, flags })
    }
}
