//! Messages and multicast groups of rtnetlink.

use super::{
    AddressLabelMessage, AddressMessage, BridgeVlanMessage, BridgeVlanQuestion, LinkMessage, MdbMessage,
    MulticastReportMessage, NamespaceMessage, NeighbourMessage, NeighbourTableMessage, NetconfMessage, NexthopMessage,
    PrefixMessage, RouteMessage, RuleMessage, StatisticsMessage, StatisticsRequest, TunnelMessage, UserOptionMessage,
};

crate::operations! {
    /// Messages of rtnetlink (include/uapi/linux/rtnetlink.h). Those of traffic control are
    /// [`TcRtm`](super::tc::TcRtm); without tables here: data centre bridging (78 and 79).
    pub Rtm, "RTM_" {
        /// Make or change an interface; as a notification: an interface is there.
        NEWLINK: new LinkMessage = 16,
        /// Delete an interface; as a notification: an interface is gone.
        DELLINK: delete LinkMessage = 17,
        /// Ask for one interface, or with `NLM_F_DUMP` for all.
        GETLINK: get LinkMessage => NEWLINK LinkMessage = 18,
        /// Change an interface that is there.
        SETLINK: set LinkMessage = 19,
        /// Add an address to an interface, or change one.
        NEWADDR: new AddressMessage = 20,
        /// Take an address away.
        DELADDR: delete AddressMessage = 21,
        /// Ask for addresses.
        GETADDR: get AddressMessage => NEWADDR AddressMessage = 22,
        /// Add or replace a route.
        NEWROUTE: new RouteMessage = 24,
        /// Delete a route.
        DELROUTE: delete RouteMessage = 25,
        /// Ask which route a packet would take, or with `NLM_F_DUMP` for routes.
        GETROUTE: get RouteMessage => NEWROUTE RouteMessage = 26,
        /// Add or change a neighbour, or an entry of a bridge's forwarding table.
        NEWNEIGH: new NeighbourMessage = 28,
        /// Delete a neighbour.
        DELNEIGH: delete NeighbourMessage = 29,
        /// Ask for neighbours.
        GETNEIGH: get NeighbourMessage => NEWNEIGH NeighbourMessage = 30,
        /// Add a routing rule.
        NEWRULE: new RuleMessage = 32,
        /// Delete the first routing rule that matches.
        DELRULE: delete RuleMessage = 33,
        /// Ask for routing rules; dumps only.
        GETRULE: get RuleMessage => NEWRULE RuleMessage = 34,
        // 36 to 50 are traffic control: `TcRtm`.
        /// A router advertised this prefix; only a notification.
        NEWPREFIX: new PrefixMessage = 52,
        /// A multicast group was joined; only a notification.
        NEWMULTICAST: new AddressMessage = 56,
        /// A multicast group was left; only a notification.
        DELMULTICAST: delete AddressMessage = 57,
        /// Ask for joined multicast groups; the answers have this type too.
        GETMULTICAST: get AddressMessage = 58,
        /// An anycast address was added; only a notification.
        NEWANYCAST: new AddressMessage = 60,
        /// An anycast address was taken away; only a notification.
        DELANYCAST: delete AddressMessage = 61,
        /// Ask for anycast addresses; the answers have this type too.
        GETANYCAST: get AddressMessage = 62,
        /// This is a neighbour table, or one interface's parameters of it; only an answer.
        NEWNEIGHTBL: new NeighbourTableMessage = 64,
        /// Ask for neighbour tables; dumps only.
        GETNEIGHTBL: get NeighbourTableMessage => NEWNEIGHTBL NeighbourTableMessage = 66,
        /// Change a neighbour table's limits or parameters.
        SETNEIGHTBL: set NeighbourTableMessage = 67,
        /// A router advertised options that are for programs; only a notification.
        NEWNDUSEROPT: new UserOptionMessage = 68,
        /// Add a label for source address selection.
        NEWADDRLABEL: new AddressLabelMessage = 72,
        /// Delete an address label.
        DELADDRLABEL: delete AddressLabelMessage = 73,
        /// Ask for address labels.
        GETADDRLABEL: get AddressLabelMessage => NEWADDRLABEL AddressLabelMessage = 74,
        // 78 and 79 are data centre bridging.
        /// Forwarding settings of an interface; a notification or an answer.
        NEWNETCONF: new NetconfMessage = 80,
        /// Settings are gone with their interface; only a notification.
        DELNETCONF: delete NetconfMessage = 81,
        /// Ask for forwarding settings.
        GETNETCONF: get NetconfMessage => NEWNETCONF NetconfMessage = 82,
        /// Entries of a multicast forwarding table; a notification or an answer. To add some, see [`Rtm::ADD_MDB`].
        NEWMDB: new MdbMessage = 84,
        /// Entries of a multicast forwarding table are gone; only a notification. To delete some, see
        /// [`Rtm::DELETE_MDB`].
        DELMDB: delete MdbMessage = 85,
        /// Ask for all entries of multicast forwarding tables; the answers have this type too. To ask for one entry, see
        /// [`Rtm::FIND_MDB`].
        GETMDB: get MdbMessage = 86,
        /// Give a network namespace an id in this one.
        NEWNSID: new NamespaceMessage = 88,
        /// An id is gone with its namespace; only a notification.
        DELNSID: delete NamespaceMessage = 89,
        /// Ask for the id of a network namespace, or for all.
        GETNSID: get NamespaceMessage => NEWNSID NamespaceMessage = 90,
        /// Counters of an interface; a notification or an answer.
        NEWSTATS: new StatisticsMessage = 92,
        /// Ask for counters of an interface, or of all.
        GETSTATS: get StatisticsRequest => NEWSTATS StatisticsMessage = 94,
        /// Let a device count, or not.
        SETSTATS: set StatisticsRequest = 95,
        /// A multicast packet for a routing daemon; only a notification.
        NEWCACHEREPORT: new MulticastReportMessage = 96,
        // 100 to 102 are chains of traffic control.
        /// Add or replace a next hop object.
        NEWNEXTHOP: new NexthopMessage = 104,
        /// Delete a next hop object, and all routes over it.
        DELNEXTHOP: delete NexthopMessage = 105,
        /// Ask for next hop objects.
        GETNEXTHOP: get NexthopMessage => NEWNEXTHOP NexthopMessage = 106,
        /// Add alternative names to an interface.
        NEWLINKPROP: new LinkMessage = 108,
        /// Take alternative names from an interface.
        DELLINKPROP: delete LinkMessage = 109,
        /// Numbered, but no kernel up to 7.2 answers it.
        GETLINKPROP: get LinkMessage => NEWLINKPROP LinkMessage = 110,
        /// Add VLANs to a bridge or port, or change them; as a notification: they are there.
        NEWVLAN: new BridgeVlanMessage = 112,
        /// Take VLANs from a bridge or port.
        DELVLAN: delete BridgeVlanMessage = 113,
        /// Ask for VLANs; dumps only.
        GETVLAN: get BridgeVlanQuestion => NEWVLAN BridgeVlanMessage = 114,
        /// A bucket of a resilient next hop group; a notification or an answer.
        NEWNEXTHOPBUCKET: new NexthopMessage = 116,
        /// Numbered, but no kernel up to 7.2 sends or takes it.
        DELNEXTHOPBUCKET: delete NexthopMessage = 117,
        /// Ask for the buckets of resilient next hop groups.
        GETNEXTHOPBUCKET: get NexthopMessage => NEWNEXTHOPBUCKET NexthopMessage = 118,
        /// Let a VXLAN interface take network identifiers; as a notification: it takes them.
        NEWTUNNEL: new TunnelMessage = 120,
        /// Let a VXLAN interface no longer take network identifiers.
        DELTUNNEL: delete TunnelMessage = 121,
        /// Ask for the network identifiers that VXLAN interfaces take; dumps only.
        GETTUNNEL: get TunnelMessage => NEWTUNNEL TunnelMessage = 122,
    }
}

crate::values! {
    /// A multicast group of rtnetlink (include/uapi/linux/rtnetlink.h), for `NETLINK_ADD_MEMBERSHIP`.
    pub Group(u32), "RTNLGRP_" {
        /// No group.
        NONE = 0,
        /// Interfaces.
        LINK = 1,
        /// Not used.
        NOTIFY = 2,
        /// Neighbours, and entries of forwarding tables.
        NEIGH = 3,
        /// Traffic control.
        TC = 4,
        /// IPv4 addresses.
        IPV4_IFADDR = 5,
        /// IPv4 multicast routes.
        IPV4_MROUTE = 6,
        /// IPv4 routes.
        IPV4_ROUTE = 7,
        /// IPv4 routing rules.
        IPV4_RULE = 8,
        /// IPv6 addresses.
        IPV6_IFADDR = 9,
        /// IPv6 multicast routes.
        IPV6_MROUTE = 10,
        /// IPv6 routes.
        IPV6_ROUTE = 11,
        /// IPv6 settings of interfaces.
        IPV6_IFINFO = 12,
        /// Gone from the kernel; the C name has lower case in it.
        DECNET_IFADDR = 13,
        /// Not used.
        NOP2 = 14,
        /// Gone from the kernel; the C name has lower case in it.
        DECNET_ROUTE = 15,
        /// Gone from the kernel; the C name has lower case in it.
        DECNET_RULE = 16,
        /// Not used.
        NOP4 = 17,
        /// Prefixes that routers advertise.
        IPV6_PREFIX = 18,
        /// IPv6 routing rules.
        IPV6_RULE = 19,
        /// Neighbour discovery options for programs.
        ND_USEROPT = 20,
        /// Phonet addresses.
        PHONET_IFADDR = 21,
        /// Phonet routes.
        PHONET_ROUTE = 22,
        /// Data centre bridging.
        DCB = 23,
        /// IPv4 forwarding settings.
        IPV4_NETCONF = 24,
        /// IPv6 forwarding settings.
        IPV6_NETCONF = 25,
        /// Multicast forwarding tables of bridges.
        MDB = 26,
        /// MPLS routes.
        MPLS_ROUTE = 27,
        /// Ids of network namespaces.
        NSID = 28,
        /// MPLS input settings.
        MPLS_NETCONF = 29,
        /// IPv4 multicast packets for a routing daemon; joining takes `CAP_NET_ADMIN`.
        IPV4_MROUTE_R = 30,
        /// IPv6 multicast packets for a routing daemon; joining takes `CAP_NET_ADMIN`.
        IPV6_MROUTE_R = 31,
        /// Next hop objects.
        NEXTHOP = 32,
        /// VLANs of bridges.
        BRVLAN = 33,
        /// MCTP addresses.
        MCTP_IFADDR = 34,
        /// VNIs of tunnels.
        TUNNEL = 35,
        /// Hardware statistics.
        STATS = 36,
        /// IPv4 multicast groups that are joined and left.
        IPV4_MCADDR = 37,
        /// IPv6 multicast groups that are joined and left.
        IPV6_MCADDR = 38,
        /// IPv6 anycast addresses.
        IPV6_ACADDR = 39,
    }
}
