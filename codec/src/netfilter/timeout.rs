//! Timeouts of connections, by name, for rules to give (include/uapi/linux/netfilter/nfnetlink_cttimeout.h;
//! net/netfilter/nfnetlink_cttimeout.c).

use super::NetfilterHeader;
use super::conntrack::Protocol;
use crate::table::{Be16, Be32, Choice, Nest, Str};
use crate::{choices, operations, space};

/// What tells of timeouts.
pub type TimeoutMessage = (NetfilterHeader, Timeout);

operations! {
    /// Messages about timeouts.
    pub Timeouts, "IPCTNL_MSG_TIMEOUT_", from 0x0800 {
        /// Make a set of timeouts or change it, or: this is one.
        NEW: new TimeoutMessage = 0,
        /// Tell of one set, by its name, or of all.
        GET: get TimeoutMessage => NEW TimeoutMessage = 1,
        /// Delete a set, or all.
        DELETE: delete TimeoutMessage = 2,
        /// Change what a protocol has without a set.
        DEFAULT_SET: set TimeoutMessage = 3,
        /// Tell what a protocol has without a set. The answer is of type `DEFAULT_SET`.
        DEFAULT_GET: get TimeoutMessage => DEFAULT_SET TimeoutMessage = 4,
    }
}

space! {
    /// A set of timeouts.
    pub Timeout, "CTA_TIMEOUT_" {
        /// Its name.
        NAME: Str = 1,
        /// Family of the addresses: 2 is IPv4, 10 is IPv6.
        L3PROTO: Be16 = 2,
        /// Protocol.
        L4PROTO: Protocol = 3,
        /// The timeouts, by the protocol.
        DATA: Choice<TimeoutData> = 4,
        /// How many rules use it.
        USE: Be32 = 5,
    }
}

choices! {
    /// The timeouts, by the protocol.
    pub TimeoutData, by Sibling 3 {
        1 => Nest<IcmpTimeouts>,
        6 => Nest<TcpTimeouts>,
        17 => Nest<UdpTimeouts>,
        33 => Nest<DccpTimeouts>,
        47 => Nest<GreTimeouts>,
        58 => Nest<Icmpv6Timeouts>,
        132 => Nest<SctpTimeouts>,
        136 => Nest<UdpliteTimeouts>,
        else => Nest<GenericTimeouts>,
    }
}

space! {
    /// Timeouts of other protocols, in seconds.
    pub GenericTimeouts, "CTA_TIMEOUT_GENERIC_" {
        /// Always.
        TIMEOUT: Be32 = 1,
    }
}

space! {
    /// Timeouts of TCP by its state, in seconds.
    pub TcpTimeouts, "CTA_TIMEOUT_TCP_" {
        /// A SYN was seen.
        SYN_SENT: Be32 = 1,
        /// SYN and ACK came back.
        SYN_RECV: Be32 = 2,
        /// It is established.
        ESTABLISHED: Be32 = 3,
        /// A FIN was seen.
        FIN_WAIT: Be32 = 4,
        /// That was acknowledged.
        CLOSE_WAIT: Be32 = 5,
        /// A FIN from the other side, too.
        LAST_ACK: Be32 = 6,
        /// That was acknowledged, too.
        TIME_WAIT: Be32 = 7,
        /// A reset was seen.
        CLOSE: Be32 = 8,
        /// SYNs from both sides.
        SYN_SENT2: Be32 = 9,
        /// Packets were sent again several times.
        RETRANS: Be32 = 10,
        /// Data waits for acknowledgement.
        UNACK: Be32 = 11,
    }
}

space! {
    /// Timeouts of UDP, in seconds.
    pub UdpTimeouts, "CTA_TIMEOUT_UDP_" {
        /// Before an answer.
        UNREPLIED: Be32 = 1,
        /// Behind one.
        REPLIED: Be32 = 2,
    }
}

space! {
    /// Timeouts of UDP-Lite, in seconds.
    pub UdpliteTimeouts, "CTA_TIMEOUT_UDPLITE_" {
        /// Before an answer.
        UNREPLIED: Be32 = 1,
        /// Behind one.
        REPLIED: Be32 = 2,
    }
}

space! {
    /// Timeouts of ICMP, in seconds.
    pub IcmpTimeouts, "CTA_TIMEOUT_ICMP_" {
        /// Always.
        TIMEOUT: Be32 = 1,
    }
}

space! {
    /// Timeouts of DCCP by its state, in seconds; not in Linux 6.18.
    pub DccpTimeouts, "CTA_TIMEOUT_DCCP_" {
        /// A request was seen.
        REQUEST: Be32 = 1,
        /// A response came back.
        RESPOND: Be32 = 2,
        /// That was acknowledged.
        PARTOPEN: Be32 = 3,
        /// Data was seen.
        OPEN: Be32 = 4,
        /// The server wants to close.
        CLOSEREQ: Be32 = 5,
        /// A close was seen.
        CLOSING: Be32 = 6,
        /// It is closed.
        TIMEWAIT: Be32 = 7,
    }
}

space! {
    /// Timeouts of SCTP by its state, in seconds.
    pub SctpTimeouts, "CTA_TIMEOUT_SCTP_" {
        /// It is closed.
        CLOSED: Be32 = 1,
        /// INIT was seen.
        COOKIE_WAIT: Be32 = 2,
        /// A cookie went back.
        COOKIE_ECHOED: Be32 = 3,
        /// It is established.
        ESTABLISHED: Be32 = 4,
        /// SHUTDOWN was seen.
        SHUTDOWN_SENT: Be32 = 5,
        /// SHUTDOWN was seen from the other side.
        SHUTDOWN_RECD: Be32 = 6,
        /// That was acknowledged.
        SHUTDOWN_ACK_SENT: Be32 = 7,
        /// A heartbeat on another path.
        HEARTBEAT_SENT: Be32 = 8,
        /// That was acknowledged; not used any more.
        HEARTBEAT_ACKED: Be32 = 9,
    }
}

space! {
    /// Timeouts of ICMPv6, in seconds.
    pub Icmpv6Timeouts, "CTA_TIMEOUT_ICMPV6_" {
        /// Always.
        TIMEOUT: Be32 = 1,
    }
}

space! {
    /// Timeouts of GRE, in seconds.
    pub GreTimeouts, "CTA_TIMEOUT_GRE_" {
        /// Before an answer.
        UNREPLIED: Be32 = 1,
        /// Behind one.
        REPLIED: Be32 = 2,
    }
}
