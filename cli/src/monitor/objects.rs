//! What can be listened to, and in which multicast groups it is told.

use ringlink::Protocol;
use ringlink::codec::multicast::{
    AuditGroup, ConnectorGroup, NetfilterGroup, SelinuxGroup, SocketGroup, UeventGroup, XfrmGroup,
};
use ringlink::codec::route::{Family, Group};
use ringlink::codec::table::ValueTable;

/// Something of rtnetlink that changes.
#[derive(Debug)]
pub(crate) struct Object {
    /// The word on the command line and in JSON.
    pub(crate) name: &'static str,
    /// How rows are labelled in text.
    pub(crate) label: &'static str,
    /// The groups that tell of it, with their families.
    groups: &'static [(Family, Group)],
}

/// All of rtnetlink that tells of its changes, in the order in which `ip` takes abbreviations. Address labels and neighbour
/// tables are not among them: the kernel tells nobody of their changes.
pub(crate) const OBJECTS: &[Object] = &[
    Object { name: "link", label: "LINK", groups: &[(Family::UNSPEC, Group::LINK)] },
    Object {
        name: "address",
        label: "ADDR",
        groups: &[(Family::INET, Group::IPV4_IFADDR), (Family::INET6, Group::IPV6_IFADDR)],
    },
    Object {
        name: "route",
        label: "ROUTE",
        groups: &[
            (Family::INET, Group::IPV4_ROUTE),
            (Family::INET6, Group::IPV6_ROUTE),
            (Family::MPLS, Group::MPLS_ROUTE),
        ],
    },
    Object {
        name: "mroute",
        label: "MROUTE",
        groups: &[(Family::INET, Group::IPV4_MROUTE), (Family::INET6, Group::IPV6_MROUTE)],
    },
    Object { name: "prefix", label: "PREFIX", groups: &[(Family::INET6, Group::IPV6_PREFIX)] },
    Object { name: "neigh", label: "NEIGH", groups: &[(Family::UNSPEC, Group::NEIGH)] },
    Object {
        name: "netconf",
        label: "NETCONF",
        groups: &[
            (Family::INET, Group::IPV4_NETCONF),
            (Family::INET6, Group::IPV6_NETCONF),
            (Family::MPLS, Group::MPLS_NETCONF),
        ],
    },
    Object {
        name: "rule",
        label: "RULE",
        groups: &[(Family::INET, Group::IPV4_RULE), (Family::INET6, Group::IPV6_RULE)],
    },
    Object { name: "nsid", label: "NSID", groups: &[(Family::UNSPEC, Group::NSID)] },
    Object { name: "nexthop", label: "NEXTHOP", groups: &[(Family::UNSPEC, Group::NEXTHOP)] },
    Object { name: "stats", label: "STATS", groups: &[(Family::UNSPEC, Group::STATS)] },
    Object { name: "ifinfo", label: "IFINFO", groups: &[(Family::INET6, Group::IPV6_IFINFO)] },
    Object { name: "mdb", label: "MDB", groups: &[(Family::UNSPEC, Group::MDB)] },
    Object { name: "vlan", label: "VLAN", groups: &[(Family::UNSPEC, Group::BRVLAN)] },
    Object { name: "tunnel", label: "TUNNEL", groups: &[(Family::UNSPEC, Group::TUNNEL)] },
    Object { name: "nduseropt", label: "NDUSEROPT", groups: &[(Family::INET6, Group::ND_USEROPT)] },
    Object {
        name: "maddress",
        label: "MADDR",
        groups: &[(Family::INET, Group::IPV4_MCADDR), (Family::INET6, Group::IPV6_MCADDR)],
    },
    Object { name: "acaddress", label: "ACADDR", groups: &[(Family::INET6, Group::IPV6_ACADDR)] },
    Object { name: "tc", label: "TC", groups: &[(Family::UNSPEC, Group::TC)] },
    Object { name: "dcb", label: "DCB", groups: &[(Family::UNSPEC, Group::DCB)] },
    Object { name: "mctp", label: "MCTP", groups: &[(Family::UNSPEC, Group::MCTP_IFADDR)] },
];

impl Object {
    /// The object with this name, or the first whose name begins so.
    pub(crate) fn named(word: &str) -> Option<&'static Self> {
        // What `ip` calls it elsewhere.
        let word = if word == "neighbor" || word == "neighbour" { "neigh" } else { word };
        let begins = |object: &&Self| !word.is_empty() && object.name.starts_with(word);
        OBJECTS.iter().find(|object| object.name == word).or_else(|| OBJECTS.iter().find(begins))
    }

    /// The object that a group tells of.
    pub(crate) fn told_in(group: u32) -> Option<&'static Self> {
        OBJECTS.iter().find(|object| object.groups.iter().any(|(_, other)| other.0 == group))
    }

    /// The groups that tell of it, in this family or in all.
    pub(crate) fn groups(&self, family: Family) -> impl Iterator<Item = u32> {
        let wanted = move |other: Family| family == Family::UNSPEC || other == Family::UNSPEC || other == family;
        self.groups.iter().filter(move |(other, _)| wanted(*other)).map(|(_, group)| group.0)
    }
}

/// Another protocol that tells of changes.
#[derive(Debug)]
pub(crate) struct Other {
    /// The word on the command line and in JSON.
    pub(crate) name: &'static str,
    /// The protocol.
    pub(crate) protocol: Protocol,
    /// Its groups; of generic netlink none, for each family has its own.
    groups: Option<&'static ValueTable>,
}

/// The other protocols that have groups with names.
pub(crate) const OTHERS: &[Other] = &[
    Other { name: "sock_diag", protocol: Protocol::SOCK_DIAG, groups: Some(SocketGroup::TABLE) },
    Other { name: "xfrm", protocol: Protocol::XFRM, groups: Some(XfrmGroup::TABLE) },
    Other { name: "selinux", protocol: Protocol::SELINUX, groups: Some(SelinuxGroup::TABLE) },
    Other { name: "audit", protocol: Protocol::AUDIT, groups: Some(AuditGroup::TABLE) },
    Other { name: "connector", protocol: Protocol::CONNECTOR, groups: Some(ConnectorGroup::TABLE) },
    Other { name: "netfilter", protocol: Protocol::NETFILTER, groups: Some(NetfilterGroup::TABLE) },
    Other { name: "generic", protocol: Protocol::GENERIC, groups: None },
    Other { name: "uevent", protocol: Protocol::KOBJECT_UEVENT, groups: Some(UeventGroup::TABLE) },
];

impl Other {
    /// The protocol with this name.
    pub(crate) fn named(word: &str) -> Option<&'static Self> {
        OTHERS.iter().find(|other| other.name == word)
    }

    /// The names and numbers of its groups that the kernel tells in: udev's is for its own messages, which are not heard.
    pub(crate) fn groups(&self) -> impl Iterator<Item = (String, u32)> {
        let is_udev = |number| self.protocol == Protocol::KOBJECT_UEVENT && number == UeventGroup::UDEV.0;
        let rows = self.groups.map_or(&[][..], |table| table.rows);
        rows.iter().filter_map(move |row| {
            let number = u32::try_from(row.value).ok().filter(|number| *number != 0 && !is_udev(*number))?;
            Some((row.name.to_lowercase(), number))
        })
    }
}
