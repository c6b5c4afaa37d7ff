//! What TCP remembers of other ends (include/uapi/linux/tcp_metrics.h; net/ipv4/tcp_metrics.c).

use core::net::{Ipv4Addr, Ipv6Addr};

use super::{Family, GenericHeader};
use crate::table::{Bytes, Nest, Pad};
use crate::{commands, space};

/// The family.
pub const TCP_METRICS: Family = Family {
    name: "tcp_metrics",
    id: 0,
    version: 1,
    requests: Request::OPERATIONS,
    answers: Request::OPERATIONS,
    events: Request::OPERATIONS,
};

/// What commands carry.
pub type MetricsMessage = (GenericHeader, Destination);

commands! {
    /// Commands about what TCP remembers.
    pub Request, "TCP_METRICS_CMD_", of TCP_METRICS {
        /// Tell about another end, by its address, or about all.
        GET: get MetricsMessage => 1 MetricsMessage = 1,
        /// Forget another end, by its address, or all.
        DEL: delete MetricsMessage = 2,
    }
}

space! {
    /// Another end, and what is remembered of it.
    pub Destination, "TCP_METRICS_ATTR_" {
        /// Its address, in IPv4.
        ADDR_IPV4: Ipv4Addr = 1,
        /// Its address, in IPv6.
        ADDR_IPV6: Ipv6Addr = 2,
        /// How old this is, in milliseconds.
        AGE: u64 = 3,
        /// Last time stamp of a connection that was closed; not used since Linux 4.10.
        TW_TSVAL: u32 = 4,
        /// How old that is, in seconds; not used since Linux 4.10.
        TW_TS_STAMP: i32 = 5,
        /// The measures.
        VALS: Nest<Metrics> = 6,
        /// Greatest segment, for fast open.
        FOPEN_MSS: u16 = 7,
        /// How often a first packet with data was lost.
        FOPEN_SYN_DROPS: u16 = 8,
        /// How long ago that was, in milliseconds.
        FOPEN_SYN_DROP_TS: u64 = 9,
        /// Cookie for fast open.
        FOPEN_COOKIE: Bytes = 10,
        /// This end's address, in IPv4.
        SADDR_IPV4: Ipv4Addr = 11,
        /// This end's address, in IPv6.
        SADDR_IPV6: Ipv6Addr = 12,
        /// Aligns what follows.
        PAD: Pad = 13,
    }
}

space! {
    /// The measures; each attribute is by one more than the kernel's `TCP_METRIC_` of the same thing.
    pub Metrics, "TCP_METRICS_A_METRICS_" {
        /// Round trip time, in eighths of a millisecond.
        RTT: u32 = 1,
        /// How much it varies, in quarters of a millisecond.
        RTTVAR: u32 = 2,
        /// Window at which slow start ends, in segments.
        SSTHRESH: u32 = 3,
        /// Congestion window, in segments.
        CWND: u32 = 4,
        /// How far segments are out of order; the spelling is the kernel's.
        REODERING: u32 = 5,
        /// Round trip time, in eighths of a microsecond.
        RTT_US: u32 = 6,
        /// How much it varies, in quarters of a microsecond.
        RTTVAR_US: u32 = 7,
    }
}
