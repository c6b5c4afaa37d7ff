//! Multipath TCP: addresses to use and to announce, and what becomes of connections (include/uapi/linux/mptcp_pm.h;
//! net/mptcp/pm_netlink.c).
//!
//! Commands and events are numbered apart: [`Request`] for questions and their answers, [`Event`] for what comes to group
//! `mptcp_pm_events`.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{Family, GenericHeader, SocketFamily};
use crate::table::{Be16, Nest, Pad};
use crate::{commands, flags, space, values};

/// The family.
pub const MPTCP_PM: Family = Family {
    name: "mptcp_pm",
    id: 0,
    version: 1,
    requests: Request::OPERATIONS,
    answers: Answer::OPERATIONS,
    events: Event::OPERATIONS,
};

/// What commands about one endpoint carry.
pub type EndpointMessage = (GenericHeader, Endpoint);
/// What other commands and all answers carry.
pub type PathMessage = (GenericHeader, PathManager);
/// What events carry.
pub type EventMessage = (GenericHeader, Connection);

commands! {
    /// Commands of the path manager.
    pub Request, "MPTCP_PM_CMD_", of MPTCP_PM {
        /// Add an endpoint.
        ADD_ADDR: new EndpointMessage = 1,
        /// Delete an endpoint, by its id; id 0 is the address that connections began with.
        DEL_ADDR: delete EndpointMessage = 2,
        /// Tell about an endpoint, by its id, or about all.
        GET_ADDR: get PathMessage => 3 PathMessage = 3,
        /// Delete all endpoints.
        FLUSH_ADDRS: delete EndpointMessage = 4,
        /// Set how much of what others announce is used.
        SET_LIMITS: set PathMessage = 5,
        /// Tell how much of what others announce is used.
        GET_LIMITS: get PathMessage => 6 PathMessage = 6,
        /// Change an endpoint's flags, or a connection's.
        SET_FLAGS: set PathMessage = 7,
        /// Announce an address to a connection's other end.
        ANNOUNCE: act PathMessage = 8,
        /// Take an announcement back.
        REMOVE: act PathMessage = 9,
        /// Open one more way for a connection.
        SUBFLOW_CREATE: act PathMessage = 10,
        /// Close one of a connection's ways.
        SUBFLOW_DESTROY: act PathMessage = 11,
    }
}

commands! {
    /// Answers of the path manager: the commands that are questions.
    pub Answer, "MPTCP_PM_CMD_", of MPTCP_PM {
        /// An endpoint.
        GET_ADDR: new PathMessage = 3,
        /// The limits.
        GET_LIMITS: new PathMessage = 6,
    }
}

commands! {
    /// What becomes of connections.
    pub Event, "MPTCP_EVENT_", of MPTCP_PM {
        /// A connection is being opened.
        CREATED: new EventMessage = 1,
        /// A connection is open; more ways may be added.
        ESTABLISHED: new EventMessage = 2,
        /// A connection is closed.
        CLOSED: delete EventMessage = 3,
        // 4 and 5 are free.
        /// The other end announced an address.
        ANNOUNCED: new EventMessage = 6,
        /// The other end took an address back.
        REMOVED: delete EventMessage = 7,
        // 8 and 9 are free.
        /// One more way is open.
        SUB_ESTABLISHED: new EventMessage = 10,
        /// A way is closed.
        SUB_CLOSED: delete EventMessage = 11,
        // 12 is free.
        /// A way became backup, or ceased to be.
        SUB_PRIORITY: set EventMessage = 13,
        // 14 is free.
        /// An address is listened on.
        LISTENER_CREATED: new EventMessage = 15,
        /// An address is listened on no more.
        LISTENER_CLOSED: delete EventMessage = 16,
    }
}

space! {
    /// What commands about one endpoint carry; since Linux 6.8 apart from [`PathManager`], with the same number.
    pub Endpoint, "MPTCP_PM_ENDPOINT_" {
        /// The endpoint.
        ADDR: Nest<Address> = 1,
    }
}

space! {
    /// What commands of the path manager carry.
    pub PathManager, "MPTCP_PM_ATTR_" {
        /// An endpoint; of a connection, this end.
        ADDR: Nest<Address> = 1,
        /// How many announced addresses of others are used, at most 8.
        RCV_ADD_ADDRS: u32 = 2,
        /// How many ways a connection may have besides the first, at most 8.
        SUBFLOWS: u32 = 3,
        /// Which connection.
        TOKEN: u32 = 4,
        /// Id of this end's address.
        LOC_ID: u8 = 5,
        /// The other end.
        ADDR_REMOTE: Nest<Address> = 6,
    }
}

space! {
    /// An endpoint.
    pub Address, "MPTCP_PM_ADDR_ATTR_" {
        /// Address family.
        FAMILY: SocketFamily = 1,
        /// Its number.
        ID: u8 = 2,
        /// The address, in IPv4.
        ADDR4: Ipv4Addr = 3,
        /// The address, in IPv6.
        ADDR6: Ipv6Addr = 4,
        /// The port, where one is said; in the machine's byte order.
        PORT: u16 = 5,
        /// What it is used for.
        FLAGS: AddressFlags = 6,
        /// Index of the interface.
        IF_IDX: i32 = 7,
    }
}

flags! {
    /// What an endpoint is used for.
    pub AddressFlags(u32), "MPTCP_PM_ADDR_FLAG_" {
        /// It is announced.
        SIGNAL = 0x1,
        /// More ways go out from it.
        SUBFLOW = 0x2,
        /// Its ways are used when others fail.
        BACKUP = 0x4,
        /// Ways go out from it to every announced address.
        FULLMESH = 0x8,
        /// The kernel made it, for a way that came in.
        IMPLICIT = 0x10,
        /// It is used for ways that announced addresses ask for (Linux 6.18).
        LAMINAR = 0x20,
    }
}

space! {
    /// A way of a connection, as sock_diag tells it.
    pub Subflow, "MPTCP_SUBFLOW_ATTR_" {
        /// The other end's token.
        TOKEN_REM: u32 = 1,
        /// This end's token.
        TOKEN_LOC: u32 = 2,
        /// Where it writes, relative.
        RELWRITE_SEQ: u32 = 3,
        /// Number in the connection of what is being received.
        MAP_SEQ: u64 = 4,
        /// Number on this way of what is being received.
        MAP_SFSEQ: u32 = 5,
        /// How far its own numbers are ahead.
        SSN_OFFSET: u32 = 6,
        /// Bytes of what is being received.
        MAP_DATALEN: u16 = 7,
        /// Its state.
        FLAGS: SubflowFlags = 8,
        /// Id of the other end's address.
        ID_REM: u8 = 9,
        /// Id of this end's address.
        ID_LOC: u8 = 10,
        /// Aligns what follows.
        PAD: Pad = 11,
    }
}

flags! {
    /// State of a way.
    pub SubflowFlags(u32), "MPTCP_SUBFLOW_FLAG_" {
        MCAP_REM = 0x1,
        MCAP_LOC = 0x2,
        JOIN_REM = 0x4,
        JOIN_LOC = 0x8,
        BKUP_REM = 0x10,
        BKUP_LOC = 0x20,
        FULLY_ESTABLISHED = 0x40,
        CONNECTED = 0x80,
        MAPVALID = 0x100,
    }
}

space! {
    /// A connection or one of its ways, in an event.
    pub Connection, "MPTCP_ATTR_" {
        /// Which connection.
        TOKEN: u32 = 1,
        /// Address family.
        FAMILY: SocketFamily = 2,
        /// Id of this end's address.
        LOC_ID: u8 = 3,
        /// Id of the other end's address.
        REM_ID: u8 = 4,
        /// This end, in IPv4.
        SADDR4: Ipv4Addr = 5,
        /// This end, in IPv6.
        SADDR6: Ipv6Addr = 6,
        /// The other end, in IPv4.
        DADDR4: Ipv4Addr = 7,
        /// The other end, in IPv6.
        DADDR6: Ipv6Addr = 8,
        /// This end's port.
        SPORT: Be16 = 9,
        /// The other end's port.
        DPORT: Be16 = 10,
        /// 1: used when other ways fail.
        BACKUP: u8 = 11,
        /// Error number with which it ended.
        ERROR: u8 = 12,
        /// What is agreed on.
        FLAGS: EventFlags = 13,
        /// Numbered, but not sent.
        TIMEOUT: u32 = 14,
        /// Index of the interface.
        IF_IDX: i32 = 15,
        /// Why it was reset.
        RESET_REASON: ResetReason = 16,
        /// Whether the reason passes.
        RESET_FLAGS: u32 = 17,
        /// 1: this end was connected to; `FLAGS` says so, too.
        SERVER_SIDE: u8 = 18,
    }
}

flags! {
    /// What is agreed on for a connection.
    pub EventFlags(u16), "MPTCP_PM_EV_FLAG_" {
        /// The other end wants no more ways to its first address.
        DENY_JOIN_ID0 = 0x1,
        /// This end was connected to.
        SERVER_SIDE = 0x2,
    }
}

values! {
    /// Why a way was reset (RFC 8684, section 3.6).
    pub ResetReason(u32), "MPTCP_RST_" {
        /// Not said.
        EUNSPEC = 0,
        /// Multipath TCP is not working.
        EMPTCP = 1,
        /// There is a want of resources.
        ERESOURCE = 2,
        /// It is forbidden.
        EPROHIBIT = 3,
        /// Too much is not acknowledged.
        EWQ2BIG = 4,
        /// It is too slow.
        EBADPERF = 5,
        /// A device between changes what is sent.
        EMIDDLEBOX = 6,
    }
}
