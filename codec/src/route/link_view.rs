//! An interface as most programs want it.

use super::{
    AfSpec, BridgeAfSpec, Family, Inet6Link, InetLink, Link, LinkAfSpec, LinkData, LinkHeader, LinkInfo, LinkMessage,
    LinkMode, LinkProperties, LinkProtinfo, LinkSlaveData, LinkStats64, LinkXdp, OperState,
};
use crate::table::{Alternative, Attributes, Body, Chosen, HardwareAddress, Nest, Table, Text};
use crate::wire::Error;

/// What a message about an interface says, as plain fields; read with one pass over the message.
///
/// What the message does not say is `None`. What hangs on the interface's kind is not decoded before it is asked for.
///
/// ```
/// use ringlink_codec::prelude::*;
/// use ringlink_codec::route::{Link, LinkFlags, LinkHeader, LinkInfo, LinkType, LinkView, Rtm, Vlan};
///
/// let mut buffer = Buffer::<256>::new();
/// let header = LinkHeader { index: 7, kind: LinkType::ETHER, flags: LinkFlags::UP, ..LinkHeader::default() };
/// let bytes = buffer.message(Rtm::NEWLINK, header, |link| {
///     link.put(Link::IFNAME, "lan.5");
///     link.put(Link::MTU, 1500);
///     link.put(Link::LINK, 2);
///     link.put(Link::ADDRESS, [2, 0, 0, 0, 0, 1]);
///     link.nest(Link::PROP_LIST, |names| names.add(ringlink_codec::route::LinkProperties::ALT_IFNAME, "guests"));
///     link.nest(Link::LINKINFO, |info| {
///         info.put(LinkInfo::KIND, "vlan");
///         info.choose(LinkInfo::DATA, Vlan, |vlan| vlan.put(Vlan::ID, 5));
///     });
/// })?;
///
/// let link = LinkView::read(Message::parse(bytes)?.body(Rtm::NEWLINK)?)?;
/// assert_eq!((link.header.index, link.mtu, link.link), (7, Some(1500), Some(2)));
/// assert!(link.name == "lan.5" && link.header.flags.contains(LinkFlags::UP));
/// assert!(link.alternative_names().all(|name| name == Ok(Text::new("guests"))));
/// let vlan = link.data(Vlan)?.map(|vlan| vlan.get(Vlan::ID)).transpose()?.flatten();
/// assert_eq!(vlan, Some(5));
/// # Ok::<(), ringlink_codec::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct LinkView<'a> {
    /// Whose message it is (`UNSPEC` for the interface's own, `BRIDGE` or `INET6` for what that family says of it),
    /// what hardware it is or looks like, its number, its flags.
    pub header: LinkHeader,
    /// Name; empty where the message has none.
    pub name: Text<'a>,
    /// Hardware address.
    pub address: Option<HardwareAddress<'a>>,
    /// Hardware broadcast address.
    pub broadcast: Option<HardwareAddress<'a>>,
    /// Hardware address burnt into the device.
    pub permanent_address: Option<HardwareAddress<'a>>,
    /// Largest packet, in bytes.
    pub mtu: Option<u32>,
    /// Smallest MTU it takes, in bytes.
    pub min_mtu: Option<u32>,
    /// Largest MTU it takes, in bytes; 0 where there is no limit.
    pub max_mtu: Option<u32>,
    /// Index of the interface it sits on, in the namespace `link_namespace`.
    pub link: Option<u32>,
    /// The namespace of `link`, by its id here; `None` for this one.
    pub link_namespace: Option<i32>,
    /// Index of the interface that it is a port of.
    pub master: Option<u32>,
    /// Name of the root queueing discipline.
    pub qdisc: Option<Text<'a>>,
    /// Group number.
    pub group: Option<u32>,
    /// State by RFC 2863.
    pub operational_state: Option<OperState>,
    /// Whether the state waits for user space.
    pub link_mode: Option<LinkMode>,
    /// How many want it promiscuous.
    pub promiscuity: Option<u32>,
    /// How many want all multicast packets.
    pub all_multicast: Option<u32>,
    /// Packets that its transmit queue holds.
    pub transmit_queue_length: Option<u32>,
    /// Transmit queues.
    pub transmit_queues: Option<u32>,
    /// Receive queues.
    pub receive_queues: Option<u32>,
    /// Description.
    pub alias: Option<Text<'a>>,
    /// Whether it has a carrier.
    pub carrier: Option<bool>,
    /// How often the carrier came or went.
    pub carrier_changes: Option<u32>,
    /// Whether a protocol in user space keeps it down.
    pub protocol_down: Option<bool>,
    /// Counters.
    pub stats: Option<LinkStats64>,
    /// Most bytes in one packet handed down to be segmented.
    pub gso_max_size: Option<u32>,
    /// Most segments in one packet handed down to be segmented.
    pub gso_max_segments: Option<u32>,
    /// As `gso_max_size`, for IPv4.
    pub gso_ipv4_max_size: Option<u32>,
    /// Most bytes that the device segments by itself.
    pub tso_max_size: Option<u32>,
    /// Most segments that the device makes by itself.
    pub tso_max_segments: Option<u32>,
    /// Most bytes that received packets are merged to.
    pub gro_max_size: Option<u32>,
    /// As `gro_max_size`, for IPv4.
    pub gro_ipv4_max_size: Option<u32>,
    /// Name of the device it belongs to (`0000:01:00.0`).
    pub parent_device: Option<Text<'a>>,
    /// Name of that device's bus (`pci`).
    pub parent_bus: Option<Text<'a>>,
    /// XDP programs.
    pub xdp: Option<Attributes<'a, LinkXdp>>,
    /// Name of its kind (`vlan`); `None` for hardware.
    pub kind: Option<Text<'a>>,
    /// What it is set to, by its kind; see [`data`](Self::data).
    pub kind_data: Option<Chosen<'a, LinkData>>,
    /// Name of the kind of interface that it is a port of (`bridge`).
    pub slave_kind: Option<Text<'a>>,
    /// What it is set to as a port; see [`slave_data`](Self::slave_data).
    pub slave_kind_data: Option<Chosen<'a, LinkSlaveData>>,
    /// Its kind and what goes with that, whole.
    pub info: Option<Attributes<'a, LinkInfo>>,
    /// What address families know of it; see [`inet`](Self::inet), [`inet6`](Self::inet6), [`bridge`](Self::bridge).
    pub af_spec: Option<Chosen<'a, LinkAfSpec>>,
    /// What the header's family knows of it.
    pub protinfo: Option<Chosen<'a, LinkProtinfo>>,
    /// Alternative names and the like; see [`alternative_names`](Self::alternative_names).
    pub properties: Option<Attributes<'a, LinkProperties>>,
}

impl<'a> LinkView<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// If the attributes are broken, or one of those above has the wrong length; the error names it.
    pub fn read(body: Body<'a, LinkMessage>) -> Result<Self, Error> {
        // Four tuples only because a tuple of keys ends at twelve; it is one pass.
        let (identity, state, sizes, rest) = body.attributes.read((
            (
                Link::IFNAME,
                Link::ADDRESS,
                Link::BROADCAST,
                Link::PERM_ADDRESS,
                Link::MTU,
                Link::MIN_MTU,
                Link::MAX_MTU,
                Link::LINK,
                Link::LINK_NETNSID,
                Link::MASTER,
                Link::QDISC,
                Link::GROUP,
            ),
            (
                Link::OPERSTATE,
                Link::LINKMODE,
                Link::PROMISCUITY,
                Link::ALLMULTI,
                Link::TXQLEN,
                Link::NUM_TX_QUEUES,
                Link::NUM_RX_QUEUES,
                Link::IFALIAS,
                Link::CARRIER,
                Link::CARRIER_CHANGES,
                Link::PROTO_DOWN,
                Link::STATS64,
            ),
            (
                Link::GSO_MAX_SIZE,
                Link::GSO_MAX_SEGS,
                Link::GSO_IPV4_MAX_SIZE,
                Link::TSO_MAX_SIZE,
                Link::TSO_MAX_SEGS,
                Link::GRO_MAX_SIZE,
                Link::GRO_IPV4_MAX_SIZE,
            ),
            (
                Link::PARENT_DEV_NAME,
                Link::PARENT_DEV_BUS_NAME,
                Link::XDP,
                Link::LINKINFO,
                Link::AF_SPEC,
                Link::PROTINFO,
                Link::PROP_LIST,
            ),
        ))?;
        let (
            name,
            address,
            broadcast,
            permanent_address,
            mtu,
            min_mtu,
            max_mtu,
            link,
            link_namespace,
            master,
            qdisc,
            group,
        ) = identity;
        let (
            operational_state,
            link_mode,
            promiscuity,
            all_multicast,
            transmit_queue_length,
            transmit_queues,
            receive_queues,
            alias,
            carrier,
            carrier_changes,
            protocol_down,
            stats,
        ) = state;
        let (
            gso_max_size,
            gso_max_segments,
            gso_ipv4_max_size,
            tso_max_size,
            tso_max_segments,
            gro_max_size,
            gro_ipv4_max_size,
        ) = sizes;
        let (parent_device, parent_bus, xdp, info, af_spec, protinfo, properties) = rest;
        let (kind, kind_data, slave_kind, slave_kind_data) = match info {
            Some(info) => info.read((LinkInfo::KIND, LinkInfo::DATA, LinkInfo::SLAVE_KIND, LinkInfo::SLAVE_DATA))?,
            None => (None, None, None, None),
        };
        Ok(Self {
            header: body.header,
            name: name.unwrap_or_default(),
            address,
            broadcast,
            permanent_address,
            mtu,
            min_mtu,
            max_mtu,
            link,
            link_namespace,
            master,
            qdisc,
            group,
            operational_state,
            link_mode,
            promiscuity,
            all_multicast,
            transmit_queue_length,
            transmit_queues,
            receive_queues,
            alias,
            carrier: carrier.map(|carrier| carrier != 0),
            carrier_changes,
            protocol_down: protocol_down.map(|down| down != 0),
            stats,
            gso_max_size,
            gso_max_segments,
            gso_ipv4_max_size,
            tso_max_size,
            tso_max_segments,
            gro_max_size,
            gro_ipv4_max_size,
            parent_device,
            parent_bus,
            xdp,
            kind,
            kind_data,
            slave_kind,
            slave_kind_data,
            info,
            af_spec,
            protinfo,
            properties,
        })
    }

    /// What it is set to, if it is of a kind that `T` belongs to.
    ///
    /// # Errors
    ///
    /// If the attributes are broken.
    pub fn data<T>(&self, nest: T) -> Result<Option<Attributes<'a, T>>, Error>
    where
        T: Table,
        Nest<T>: Alternative<LinkData>,
    {
        match self.info {
            Some(info) => info.chosen(LinkInfo::DATA, nest),
            None => Ok(None),
        }
    }

    /// What it is set to as a port, if it is a port of a kind that `T` belongs to.
    ///
    /// # Errors
    ///
    /// If the attributes are broken.
    pub fn slave_data<T>(&self, nest: T) -> Result<Option<Attributes<'a, T>>, Error>
    where
        T: Table,
        Nest<T>: Alternative<LinkSlaveData>,
    {
        match self.info {
            Some(info) => info.chosen(LinkInfo::SLAVE_DATA, nest),
            None => Ok(None),
        }
    }

    /// What IPv4 knows of it.
    ///
    /// # Errors
    ///
    /// If the attributes are broken.
    pub fn inet(&self) -> Result<Option<Attributes<'a, InetLink>>, Error> {
        self.families().map_or(Ok(None), |families| families.get(AfSpec::INET))
    }

    /// What IPv6 knows of it, in the interface's own messages or in those of the family `INET6`.
    ///
    /// # Errors
    ///
    /// If the attributes are broken.
    pub fn inet6(&self) -> Result<Option<Attributes<'a, Inet6Link>>, Error> {
        match (self.header.family, self.protinfo) {
            (Family::INET6, Some(protinfo)) => Ok(Some(Attributes::new(protinfo.payload))),
            _ => self.families().map_or(Ok(None), |families| families.get(AfSpec::INET6)),
        }
    }

    /// VLANs and the like of a bridge or port, in messages of the family `BRIDGE`.
    #[must_use]
    pub fn bridge(&self) -> Option<Attributes<'a, BridgeAfSpec>> {
        let chosen = self.af_spec.filter(|_| self.header.family == Family::BRIDGE)?;
        Some(Attributes::new(chosen.payload))
    }

    /// Its alternative names.
    pub fn alternative_names(&self) -> impl Iterator<Item = Result<Text<'a>, Error>> + use<'a> {
        self.properties.into_iter().flat_map(|properties| properties.all(LinkProperties::ALT_IFNAME))
    }

    fn families(&self) -> Option<Attributes<'a, AfSpec>> {
        let chosen = self.af_spec.filter(|_| self.header.family != Family::BRIDGE)?;
        Some(Attributes::new(chosen.payload))
    }
}
