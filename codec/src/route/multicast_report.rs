//! What the kernel tells a multicast routing daemon (include/uapi/linux/mroute.h, mroute6.h; net/ipv4/ipmr.c,
//! net/ipv6/ip6mr.c).

use super::GeneralHeader;
use crate::table::{Bytes, Inet};
use crate::{space, values};

/// Header and attributes of reports; the family is `IPMR` (128) or `IP6MR` (129).
pub type MulticastReportMessage = (GeneralHeader, MulticastReport);

space! {
    /// A packet for which there is no route. IPv6's attributes are named `IP6MRA_CREPORT_` and have the same numbers.
    pub MulticastReport, "IPMRA_CREPORT_" {
        /// What is wrong.
        MSGTYPE: MulticastReportType = 1,
        /// Number of the interface that it came in by, among those of the daemon.
        VIF_ID: u32 = 2,
        /// Source.
        SRC_ADDR: Inet = 3,
        /// Group.
        DST_ADDR: Inet = 4,
        /// The packet itself, or nothing.
        PKT: Bytes = 5,
        /// Table of multicast routes; IPv4 only.
        TABLE: u32 = 6,
    }
}

values! {
    /// What is wrong with a multicast packet.
    pub MulticastReportType(u8), "IGMPMSG_" {
        /// There is no route.
        NOCACHE = 1,
        /// It came in by the wrong interface.
        WRONGVIF = 2,
        /// It is to be sent to the rendezvous point.
        WHOLEPKT = 3,
        /// Both.
        WRVIFWHOLE = 4,
    }
}
