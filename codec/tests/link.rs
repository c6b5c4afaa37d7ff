//! Interfaces: bytes read, messages built, captures of a kernel, damage.
//!
//! The captures with a Debian kernel are from a guest; the others from the machine itself. They are read, not built
//! again: the kernel's old nests carry no `NLA_F_NESTED`, those written here do.

#![cfg(target_endian = "little")]

mod support;

use std::fmt::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use ringlink_codec::prelude::*;
use ringlink_codec::protocol::ROUTE;
use ringlink_codec::route::*;
use ringlink_codec::table::{By, Layout, Selector, Shape, Space, Table};
use ringlink_codec::wire::{ErrorKind, Payload};

/// Bytes with what they mean beside them.
macro_rules! bytes {
    ($($($byte:literal)+, $meaning:literal;)*) => { &[$($($byte),+),*] };
}

/// Captures by name.
macro_rules! captures {
    ($($name:ident)*) => {
        const CAPTURES: &[(&str, &str)] =
            &[$((stringify!($name), include_str!(concat!("captures/link_", stringify!($name), ".hex")))),*];
    };
}

captures! {
    batadv bond bond_arp bond_port bridge bridge_family bridge_port bridge_tunnel dummy erspan geneve gretap ifb
    inet6_family ip6gre ip6tnl ipip ipvlan isatap loopback macsec macvlan macvtap sit tun vcan veth vlan vrf vrf_port
    vti vti6 vxlan vxlan6 wireguard xfrm
}

fn capture(name: &str) -> Vec<Vec<u8>> {
    let (_, text) = CAPTURES.iter().find(|capture| capture.0 == name).unwrap();
    assert!(text.starts_with("# Linux "), "{name} does not say where it comes from");
    support::messages(text)
}

fn body(bytes: &[u8]) -> Body<'_, LinkMessage> {
    Message::parse(bytes).unwrap().body(Rtm::NEWLINK).unwrap()
}

/// The first message of a capture as a view.
fn with_view(name: &str, check: impl FnOnce(LinkView<'_>)) {
    let messages = capture(name);
    check(LinkView::read(body(&messages[0])).unwrap());
}

/// Checks that a tree has these lines, in this order.
fn has_lines(what: &str, tree: &str, expected: &[&str]) {
    let mut lines = tree.lines().map(str::trim);
    for expected in expected {
        assert!(lines.any(|line| line == *expected), "{what}: no line {expected:?} in its place in\n{tree}");
    }
}

#[test]
fn bytes_become_values() {
    let message: &[u8] = bytes! {
        84 0 0 0, "length";
        16 0, "RTM_NEWLINK";
        0 0, "flags";
        1 0 0 0, "sequence";
        0 0 0 0, "port";
        0, "AF_UNSPEC";
        0, "padding";
        1 0, "ARPHRD_ETHER";
        7 0 0 0, "index";
        0x43 0x10 1 0, "UP, BROADCAST, RUNNING, MULTICAST, LOWER_UP";
        0 0 0 0, "change";
        8 0 3 0, "IFLA_IFNAME";
        0x76 0x35 0 0, "v5";
        5 0 16 0, "IFLA_OPERSTATE";
        6 0 0 0, "IF_OPER_UP, padding";
        8 0 37 0, "IFLA_LINK_NETNSID";
        0xff 0xff 0xff 0xff, "-1";
        28 0 18 0, "IFLA_LINKINFO, without NLA_F_NESTED";
        9 0 1 0, "IFLA_INFO_KIND";
        0x76 0x6c 0x61 0x6e 0 0 0 0, "vlan, NUL, padding";
        12 0 2 0, "IFLA_INFO_DATA";
        6 0 1 0, "IFLA_VLAN_ID";
        5 0 0 0, "5, padding";
    };
    let view = LinkView::read(body(message)).unwrap();
    assert_eq!((view.header.family, view.header.kind, view.header.index), (Family::UNSPEC, LinkType::ETHER, 7));
    assert_eq!(view.header.flags.to_string(), "UP|BROADCAST|RUNNING|MULTICAST|LOWER_UP");
    assert_eq!(view.name, "v5");
    assert_eq!(view.operational_state, Some(OperState::UP));
    assert_eq!(view.link_namespace, Some(-1));
    assert_eq!(view.kind, Some(Text::new("vlan")));
    assert_eq!(view.data(Vlan).unwrap().unwrap().get(Vlan::ID), Ok(Some(5)));
    assert!(view.data(Vxlan).unwrap().is_none());
    assert!(view.slave_data(BridgePort).unwrap().is_none());
    assert_eq!(view.alternative_names().count(), 0);
}

/// An attribute that a view needs and cannot read is named, with its place.
#[test]
fn bad_attributes_are_named() {
    let mut buffer = Buffer::<128>::new();
    let header = LinkHeader::default();
    let cases: &[(u16, &[u8], &str)] = &[
        (4, &[1, 2], "IFLA_MTU"),
        (16, &[], "IFLA_OPERSTATE"),
        (37, &[0; 8], "IFLA_LINK_NETNSID"),
        (33, &[0; 4], "IFLA_CARRIER"),
    ];
    for (number, payload, name) in cases {
        let message = buffer.message(Rtm::NEWLINK, header, |link| {
            link.put(Link::IFNAME, "x");
            link.put_raw(*number, payload);
        });
        let error = LinkView::read(body(message.unwrap())).unwrap_err();
        assert_eq!((error.name, error.attribute, error.offset), (*name, *number, 44), "{error}");
        assert!(matches!(error.kind, ErrorKind::PayloadLength { .. }));
    }
    // One that it does not need is nobody's business.
    let message = buffer.message(Rtm::NEWLINK, header, |link| link.put_raw(Link::EVENT.number(), &[1]));
    assert!(LinkView::read(body(message.unwrap())).is_ok());
}

/// Kind, what is written, the lines that are printed of it.
type Kind = (&'static str, fn(&mut AttributeWriter<'_, '_, LinkInfo>), &'static [&'static str]);

const KINDS: &[Kind] = &[
    (
        "veth",
        |info| {
            info.choose(LinkInfo::DATA, Veth, |veth| {
                let header = LinkHeader { flags: LinkFlags::UP, change: LinkFlags::UP, ..LinkHeader::default() };
                veth.headed(Veth::PEER, header, |peer| {
                    peer.put(Link::IFNAME, "peer");
                    peer.put(Link::ADDRESS, [2, 0, 0, 0, 0, 1]);
                });
            });
        },
        &[
            "VETH_INFO_PEER: {family: UNSPEC, kind: NETROM, index: 0, flags: UP, change: UP}",
            "IFLA_IFNAME: \"peer\"",
            "IFLA_ADDRESS: 02:00:00:00:00:01",
        ],
    ),
    (
        "bridge",
        |info| {
            info.choose(LinkInfo::DATA, Bridge, |bridge| {
                bridge.put(Bridge::FORWARD_DELAY, 200);
                bridge.put(Bridge::STP_STATE, BridgeStp::KERNEL_STP);
                bridge.put(Bridge::VLAN_FILTERING, 1);
                bridge.put(Bridge::VLAN_PROTOCOL, EtherType::_8021Q);
                bridge.put(Bridge::FDB_FLUSH, ());
                bridge.put(Bridge::MCAST_QUERY_INTVL, 12_500);
                let val = BridgeOptions::MST_ENABLE;
                bridge.put(Bridge::MULTI_BOOLOPT, BridgeOptionsChange { val, mask: val });
                bridge.nest(Bridge::MCAST_QUERIER_STATE, |querier| {
                    querier.put(BridgeQuerier::IP_ADDRESS, Ipv4Addr::new(192, 0, 2, 1));
                    querier.put(BridgeQuerier::IP_OTHER_TIMER, 25_500);
                });
            });
        },
        &[
            "IFLA_BR_FORWARD_DELAY: 200",
            "IFLA_BR_STP_STATE: KERNEL_STP",
            "IFLA_BR_VLAN_FILTERING: 1",
            "IFLA_BR_FDB_FLUSH: true",
            "IFLA_BR_MCAST_QUERY_INTVL: 12500",
            "IFLA_BR_MULTI_BOOLOPT: {val: MST_ENABLE, mask: MST_ENABLE}",
            "BRIDGE_QUERIER_IP_ADDRESS: 192.0.2.1",
            "BRIDGE_QUERIER_IP_OTHER_TIMER: 25500",
        ],
    ),
    (
        "macvlan",
        |info| {
            info.choose(LinkInfo::DATA, Macvlan, |macvlan| {
                macvlan.put(Macvlan::MODE, MacvlanMode::SOURCE);
                macvlan.put(Macvlan::FLAGS, MacvlanFlags::NODST);
                macvlan.put(Macvlan::MACADDR_MODE, MacvlanAddressMode::SET);
                macvlan.nest(Macvlan::MACADDR_DATA, |list| {
                    list.add(MacvlanAddresses::MACADDR, [2, 0, 0, 0, 0, 1]);
                    list.add(MacvlanAddresses::MACADDR, [2, 0, 0, 0, 0, 2]);
                });
                macvlan.put(Macvlan::BC_CUTOFF, -1);
            });
        },
        &[
            "IFLA_MACVLAN_MODE: SOURCE",
            "IFLA_MACVLAN_FLAGS: NODST",
            "IFLA_MACVLAN_MACADDR_MODE: SET",
            "IFLA_MACVLAN_MACADDR: 02:00:00:00:00:01",
            "IFLA_MACVLAN_MACADDR: 02:00:00:00:00:02",
            "IFLA_MACVLAN_BC_CUTOFF: -1",
        ],
    ),
    (
        "vxlan",
        |info| {
            info.choose(LinkInfo::DATA, Vxlan, |vxlan| {
                vxlan.put(Vxlan::ID, 0xff_ffff);
                vxlan.put(Vxlan::GROUP6, Ipv6Addr::LOCALHOST);
                vxlan.put(Vxlan::PORT_RANGE, VxlanPortRange { low: 1.into(), high: 0x1234.into() });
                vxlan.put(Vxlan::PORT, 4789);
                vxlan.put(Vxlan::GBP, ());
                vxlan.put(Vxlan::LABEL, 0x12345);
                vxlan.put(Vxlan::TTL_INHERIT, ());
                vxlan.put(Vxlan::DF, VxlanDf::INHERIT);
                vxlan.put(Vxlan::LABEL_POLICY, VxlanLabelPolicy::INHERIT);
            });
        },
        &[
            "IFLA_VXLAN_ID: 16777215",
            "IFLA_VXLAN_GROUP6: ::1",
            "IFLA_VXLAN_PORT_RANGE: {low: 1, high: 4660}",
            "IFLA_VXLAN_PORT: 4789",
            "IFLA_VXLAN_GBP: true",
            "IFLA_VXLAN_LABEL: 74565",
            "IFLA_VXLAN_DF: INHERIT",
            "IFLA_VXLAN_LABEL_POLICY: INHERIT",
        ],
    ),
    (
        "bond",
        |info| {
            info.choose(LinkInfo::DATA, Bond, |bond| {
                bond.put(Bond::MODE, BondMode::ACTIVEBACKUP);
                bond.indexed(Bond::ARP_IP_TARGET, |list| {
                    list.put(0, Ipv4Addr::new(192, 0, 2, 1));
                    list.put(1, Ipv4Addr::new(192, 0, 2, 2));
                });
                bond.put(Bond::ARP_VALIDATE, BondArpValidate::VALIDATE_ACTIVE | BondArpValidate::FILTER);
                bond.put(Bond::AD_SELECT, BondAdSelect::PRIO);
                bond.indexed(Bond::NS_IP6_TARGET, |list| list.put(0, Ipv6Addr::LOCALHOST));
            });
        },
        &[
            "IFLA_BOND_MODE: ACTIVEBACKUP",
            "0: 192.0.2.1",
            "1: 192.0.2.2",
            "IFLA_BOND_ARP_VALIDATE: VALIDATE_ACTIVE|FILTER",
            "IFLA_BOND_AD_SELECT: PRIO",
            "0: ::1",
        ],
    ),
    (
        "netkit",
        |info| {
            info.choose(LinkInfo::DATA, Netkit, |netkit| {
                netkit.headed(Netkit::PEER_INFO, LinkHeader::default(), |peer| peer.put(Link::IFNAME, "in"));
                netkit.put(Netkit::POLICY, NetkitPolicy::DROP);
                netkit.put(Netkit::MODE, NetkitMode::L3);
                netkit.put(Netkit::SCRUB, NetkitScrub::NONE);
                netkit.put(Netkit::PAIRING, NetkitPairing::SINGLE);
            });
        },
        &[
            "IFLA_IFNAME: \"in\"",
            "IFLA_NETKIT_POLICY: DROP",
            "IFLA_NETKIT_MODE: L3",
            "IFLA_NETKIT_SCRUB: NONE",
            "IFLA_NETKIT_PAIRING: SINGLE",
        ],
    ),
    (
        "ip6gretap",
        |info| {
            info.choose(LinkInfo::DATA, Gre, |gre| {
                gre.put(Gre::IFLAGS, GreFlags::KEY | GreFlags::CSUM);
                gre.put(Gre::IKEY, 5);
                gre.put(Gre::REMOTE, Ipv6Addr::LOCALHOST);
                gre.put(Gre::FLAGS, Ip6TunnelFlags::USE_ORIG_TCLASS);
                gre.put(Gre::ENCAP_TYPE, TunnelEncap::GUE);
                gre.put(Gre::ENCAP_FLAGS, TunnelEncapFlags::CSUM6);
            });
        },
        &[
            "IFLA_GRE_IFLAGS: KEY|CSUM",
            "IFLA_GRE_IKEY: 5",
            "IFLA_GRE_REMOTE: ::1",
            "IFLA_GRE_FLAGS: USE_ORIG_TCLASS",
            "IFLA_GRE_ENCAP_TYPE: GUE",
            "IFLA_GRE_ENCAP_FLAGS: CSUM6",
        ],
    ),
    (
        "can",
        |info| {
            info.choose(LinkInfo::DATA, Can, |can| {
                can.put(Can::BITTIMING, CanBitTiming { bitrate: 500_000, ..CanBitTiming::default() });
                let flags = CanControlMode::FD | CanControlMode::LOOPBACK;
                can.put(Can::CTRLMODE, CanControlModeChange { mask: flags, flags });
                can.put(Can::TERMINATION_CONST, &[0_u16, 120][..]);
                can.nest(Can::XL_PWM, |pwm| pwm.put(CanPwm::PWMS, 3));
            });
            info.put_chosen::<_, CanDeviceStats>(
                LinkInfo::XSTATS,
                CanDeviceStats { restarts: 2, ..Default::default() },
            );
        },
        &[
            "IFLA_CAN_BITTIMING: {bitrate: 500000, sample_point: 0, tq: 0, prop_seg: 0, phase_seg1: 0, phase_seg2: 0, sjw: 0, brp: 0}",
            "IFLA_CAN_CTRLMODE: {mask: LOOPBACK|FD, flags: LOOPBACK|FD}",
            "IFLA_CAN_TERMINATION_CONST: [0, 120]",
            "IFLA_CAN_PWM_PWMS: 3",
            "IFLA_INFO_XSTATS: {bus_error: 0, error_warning: 0, error_passive: 0, bus_off: 0, arbitration_lost: 0, restarts: 2}",
        ],
    ),
    (
        "amt",
        |info| {
            info.choose(LinkInfo::DATA, Amt, |amt| {
                amt.put(Amt::MODE, AmtMode::RELAY);
                amt.put(Amt::RELAY_PORT, 2268);
                amt.put(Amt::LOCAL_IP, Ipv4Addr::LOCALHOST);
            });
        },
        &["IFLA_AMT_MODE: RELAY", "IFLA_AMT_RELAY_PORT: 2268", "IFLA_AMT_LOCAL_IP: 127.0.0.1"],
    ),
    (
        "bareudp",
        |info| {
            info.choose(LinkInfo::DATA, Bareudp, |bareudp| {
                bareudp.put(Bareudp::PORT, 6635);
                bareudp.put(Bareudp::ETHERTYPE, EtherType::MPLS_UC);
                bareudp.put(Bareudp::MULTIPROTO_MODE, ());
            });
        },
        &["IFLA_BAREUDP_PORT: 6635", "IFLA_BAREUDP_ETHERTYPE: MPLS_UC", "IFLA_BAREUDP_MULTIPROTO_MODE: true"],
    ),
    (
        "batadv",
        |info| info.choose(LinkInfo::DATA, Batadv, |mesh| mesh.put(Batadv::ALGO_NAME, "BATMAN_V")),
        &["IFLA_BATADV_ALGO_NAME: \"BATMAN_V\""],
    ),
    ("dsa", |info| info.choose(LinkInfo::DATA, Dsa, |dsa| dsa.put(Dsa::CONDUIT, 2)), &["IFLA_DSA_CONDUIT: 2"]),
    (
        "geneve",
        |info| {
            info.choose(LinkInfo::DATA, Geneve, |geneve| {
                geneve.put(Geneve::PORT_RANGE, GenevePortRange { low: 256.into(), high: 512.into() });
                geneve.put(Geneve::GRO_HINT, ());
                geneve.put(Geneve::LOCAL, Ipv4Addr::LOCALHOST);
            });
        },
        &[
            "IFLA_GENEVE_PORT_RANGE: {low: 256, high: 512}",
            "IFLA_GENEVE_GRO_HINT: true",
            "IFLA_GENEVE_LOCAL: 127.0.0.1",
        ],
    ),
    (
        "gtp",
        |info| {
            info.choose(LinkInfo::DATA, Gtp, |gtp| {
                gtp.put(Gtp::ROLE, GtpRole::SGSN);
                gtp.put(Gtp::LOCAL, Ipv4Addr::LOCALHOST);
            });
        },
        &["IFLA_GTP_ROLE: SGSN", "IFLA_GTP_LOCAL: 127.0.0.1"],
    ),
    (
        "hsr",
        |info| {
            info.choose(LinkInfo::DATA, Hsr, |hsr| {
                hsr.put(Hsr::SLAVE1, 3);
                hsr.put(Hsr::PROTOCOL, HsrProtocol::PRP);
            });
        },
        &["IFLA_HSR_SLAVE1: 3", "IFLA_HSR_PROTOCOL: PRP"],
    ),
    (
        "ipoib",
        |info| info.choose(LinkInfo::DATA, Ipoib, |ipoib| ipoib.put(Ipoib::MODE, IpoibMode::CONNECTED)),
        &["IFLA_IPOIB_MODE: CONNECTED"],
    ),
    (
        "ipvtap",
        |info| {
            info.choose(LinkInfo::DATA, Ipvlan, |ipvlan| {
                ipvlan.put(Ipvlan::MODE, IpvlanMode::L3);
                ipvlan.put(Ipvlan::FLAGS, IpvlanFlags::VEPA);
            });
        },
        &["IFLA_IPVLAN_MODE: L3", "IFLA_IPVLAN_FLAGS: VEPA"],
    ),
    (
        "macsec",
        |info| {
            info.choose(LinkInfo::DATA, Macsec, |macsec| {
                macsec.put(Macsec::PORT, 1);
                macsec.put(Macsec::VALIDATION, MacsecValidation::CHECK);
                macsec.put(Macsec::OFFLOAD, MacsecOffload::MAC);
            });
        },
        &["IFLA_MACSEC_PORT: 1", "IFLA_MACSEC_VALIDATION: CHECK", "IFLA_MACSEC_OFFLOAD: MAC"],
    ),
    (
        "ovpn",
        |info| info.choose(LinkInfo::DATA, Ovpn, |ovpn| ovpn.put(Ovpn::MODE, OvpnMode::MP)),
        &["IFLA_OVPN_MODE: MP"],
    ),
    ("ppp", |info| info.choose(LinkInfo::DATA, Ppp, |ppp| ppp.put(Ppp::DEV_FD, 3)), &["IFLA_PPP_DEV_FD: 3"]),
    (
        "rmnet",
        |info| {
            info.choose(LinkInfo::DATA, Rmnet, |rmnet| {
                let flags = RmnetFlags::INGRESS_DEAGGREGATION;
                rmnet.put(Rmnet::FLAGS, RmnetFlagsChange { flags, mask: flags });
            });
        },
        &["IFLA_RMNET_FLAGS: {flags: INGRESS_DEAGGREGATION, mask: INGRESS_DEAGGREGATION}"],
    ),
    (
        "vxcan",
        |info| {
            info.choose(LinkInfo::DATA, Vxcan, |vxcan| {
                vxcan.headed(Vxcan::PEER, LinkHeader::default(), |peer| peer.put(Link::IFNAME, "can1"));
            });
        },
        &["IFLA_IFNAME: \"can1\""],
    ),
    ("wwan", |info| info.choose(LinkInfo::DATA, Wwan, |wwan| wwan.put(Wwan::LINK_ID, 4)), &["IFLA_WWAN_LINK_ID: 4"]),
];

#[test]
fn kinds_are_built() {
    for (kind, fill, expected) in KINDS {
        let mut buffer = [0; 1024];
        let request = Rtm::NEWLINK.create().exclusive().write(&mut buffer, LinkHeader::default(), |link| {
            link.nest(Link::LINKINFO, |info| {
                info.put(LinkInfo::KIND, *kind);
                fill(info);
            });
        });
        let request = request.unwrap();
        has_lines(kind, &Message::parse(request).unwrap().tree(&ROUTE).to_string(), expected);
        let view = LinkView::read(body(request)).unwrap();
        assert_eq!(view.kind.unwrap(), *kind);
        assert!(view.kind_data.is_some());
        let length = request.len();
        for short in 0..length {
            let mut buffer = vec![0; short];
            let error = Rtm::NEWLINK.write(&mut buffer, LinkHeader::default(), |link| {
                link.nest(Link::LINKINFO, |info| {
                    info.put(LinkInfo::KIND, *kind);
                    fill(info);
                });
            });
            assert_eq!(error.unwrap_err().needed(), u32::try_from(length).ok());
        }
    }
}

#[test]
fn the_rest_is_built() {
    let mut buffer = Buffer::<2048>::new();
    let header = LinkHeader { index: 3, ..LinkHeader::default() };
    let bytes = buffer.message(Rtm::SETLINK, header, |link| {
        link.put(Link::EXT_MASK, ExtMask::VF | ExtMask::SKIP_STATS);
        link.put(Link::STATS64, LinkStats64 { rx_bytes: 1 << 40, ..LinkStats64::default() });
        link.nest(Link::VFINFO_LIST, |list| {
            for vf in 0..2 {
                list.nest(VfList::INFO, |info| {
                    info.put(Vf::TRUST, VfSwitch { vf, setting: 1 });
                    info.put(Vf::LINK_STATE, VfLink { vf, link_state: VfLinkState::DISABLE });
                    info.put(Vf::IB_NODE_GUID, VfGuid { vf, guid: 5, ..VfGuid::default() });
                    info.nest(Vf::VLAN_LIST, |vlans| {
                        let vlan = VfVlanInfo { vf, vlan: 9, vlan_proto: 0x88a8.into(), ..VfVlanInfo::default() };
                        vlans.add(VfVlanList::INFO, vlan);
                    });
                    info.nest(Vf::STATS, |stats| stats.put(VfStats::RX_PACKETS, 77));
                });
            }
        });
        link.nest(Link::VF_PORTS, |ports| {
            ports.nest(VfPorts::PORT, |port| {
                port.put(Port::VF, 0);
                port.put(Port::INSTANCE_UUID, &[7; 16]);
                port.put(Port::REQUEST, &[PortRequest::ASSOCIATE.0]);
                port.put(Port::RESPONSE, PortResponse::PROFILE_RESPONSE_INPROGRESS);
            });
        });
        link.choose(Link::AF_SPEC, AfSpec, |families| {
            families.nest(AfSpec::INET, |inet| inet.put(InetLink::CONF, &[(Ipv4Devconf::FORWARDING, 1)][..]));
            families.nest(AfSpec::INET6, |inet6| {
                inet6.put(Inet6Link::ADDR_GEN_MODE, AddressGeneration::NONE);
                inet6.put(Inet6Link::TOKEN, Ipv6Addr::LOCALHOST);
            });
            families.nest(AfSpec::MCTP, |mctp| mctp.put(MctpLink::PHYS_BINDING, MctpBinding::I3C));
        });
        link.nest(Link::XDP, |xdp| {
            xdp.put(LinkXdp::FD, -1);
            xdp.put(LinkXdp::FLAGS, XdpFlags::DRV_MODE | XdpFlags::REPLACE);
        });
        link.nest(Link::PROTO_DOWN_REASON, |reason| reason.put(ProtoDownReason::MASK, 3));
        link.nest(Link::DEVLINK_PORT, |port| port.put(LinkDevlinkPort::BUS_NAME, "pci"));
        link.nest(Link::DPLL_PIN, |pin| pin.put(LinkDpllPin::ID, 12));
        link.put(Link::MAX_PACING_OFFLOAD_HORIZON, 5_000_000_000);
        link.put(Link::TARGET_NETNSID, 4);
    });
    let message = Message::parse(bytes.unwrap()).unwrap();
    let expected: &[&str] = &[
        "IFLA_EXT_MASK: VF|SKIP_STATS",
        "IFLA_VF_INFO:",
        "IFLA_VF_TRUST: {vf: 0, setting: 1}",
        "IFLA_VF_LINK_STATE: {vf: 0, link_state: DISABLE}",
        "IFLA_VF_IB_NODE_GUID: {vf: 0, guid: 5}",
        "IFLA_VF_VLAN_INFO: {vf: 0, vlan: 9, qos: 0, vlan_proto: 34984}",
        "IFLA_VF_STATS_RX_PACKETS: 77",
        "IFLA_VF_INFO:",
        "IFLA_VF_TRUST: {vf: 1, setting: 1}",
        "IFLA_VF_PORT:",
        "IFLA_PORT_INSTANCE_UUID: 07070707070707070707070707070707",
        "IFLA_PORT_RESPONSE: PROFILE_RESPONSE_INPROGRESS",
        "IFLA_INET6_ADDR_GEN_MODE: NONE",
        "IFLA_INET6_TOKEN: ::1",
        "IFLA_MCTP_PHYS_BINDING: I3C",
        "IFLA_XDP_FD: -1",
        "IFLA_XDP_FLAGS: DRV_MODE|REPLACE",
        "IFLA_PROTO_DOWN_REASON_MASK: 3",
        "DEVLINK_ATTR_BUS_NAME: \"pci\"",
        "DPLL_A_PIN_ID: 12",
        "IFLA_MAX_PACING_OFFLOAD_HORIZON: 5000000000",
        "IFLA_IF_NETNSID: 4",
    ];
    has_lines("the rest", &message.tree(&ROUTE).to_string(), expected);

    let link = message.body(Rtm::SETLINK).unwrap().attributes;
    assert_eq!(link.get(Link::STATS64).unwrap().unwrap().rx_bytes, 1 << 40);
    let functions = link.get(Link::VFINFO_LIST).unwrap().unwrap();
    let trusted = functions.all(VfList::INFO).map(|vf| vf.unwrap().get(Vf::TRUST).unwrap().unwrap().vf);
    assert_eq!(trusted.collect::<Vec<_>>(), [0, 1]);

    // What the header's family is says what the specification is.
    let header = LinkHeader { family: Family::BRIDGE, ..header };
    let bytes = buffer.message(Rtm::SETLINK, header, |link| {
        link.choose(Link::PROTINFO, BridgePort, |port| port.put(BridgePort::STATE, BridgePortState::BLOCKING));
        link.choose(Link::AF_SPEC, BridgeAfSpec, |bridge| {
            bridge.put(BridgeAfSpec::FLAGS, BridgeFlags::SELF);
            bridge.put(BridgeAfSpec::MODE, BridgeMode::VEPA);
            bridge.nest(BridgeAfSpec::MRP, |mrp| {
                mrp.nest(BridgeMrp::INFO, |info| info.put(MrpInfo::RING_ROLE, MrpRingRole::MRM));
            });
            bridge.nest(BridgeAfSpec::CFM, |cfm| {
                cfm.nest(BridgeCfm::CC_CONFIG, |config| {
                    config.put(CfmCcConfig::EXP_INTERVAL, CfmInterval::_100_MS);
                    config.put(CfmCcConfig::EXP_MAID, [1; 48]);
                });
                cfm.nest(BridgeCfm::CC_PEER_MEP_INFO, |peer| peer.put(CfmCcPeerMep::MEPID, 8191));
            });
            bridge.nest(BridgeAfSpec::MST, |mst| {
                mst.nest(BridgeMst::ENTRY, |entry| {
                    entry.put(BridgeMstEntry::MSTI, 2);
                    entry.put(BridgeMstEntry::STATE, BridgePortState::FORWARDING);
                });
            });
        });
    });
    let expected: &[&str] = &[
        "IFLA_BRPORT_STATE: BLOCKING",
        "IFLA_BRIDGE_FLAGS: SELF",
        "IFLA_BRIDGE_MODE: VEPA",
        "IFLA_BRIDGE_MRP_INFO_RING_ROLE: MRM",
        "IFLA_BRIDGE_CFM_CC_CONFIG_EXP_INTERVAL: 100_MS",
        "IFLA_BRIDGE_CFM_CC_PEER_MEPID: 8191",
        "IFLA_BRIDGE_MST_ENTRY_MSTI: 2",
        "IFLA_BRIDGE_MST_ENTRY_STATE: FORWARDING",
    ];
    has_lines("bridge", &Message::parse(bytes.unwrap()).unwrap().tree(&ROUTE).to_string(), expected);
}

/// Capture, the lines that are printed of it.
const SAID: &[(&str, &[&str])] = &[
    (
        "bond",
        &[
            "IFLA_BOND_MODE: 8023AD",
            "IFLA_BOND_MIIMON: 100",
            "IFLA_BOND_XMIT_HASH_POLICY: LAYER34",
            "IFLA_BOND_AD_LACP_RATE: FAST",
        ],
    ),
    ("bond_arp", &["0: 192.0.2.1", "1: 192.0.2.2", "IFLA_BOND_ARP_VALIDATE: VALIDATE_ACTIVE"]),
    (
        "bond_port",
        &[
            "IFLA_INFO_SLAVE_KIND: \"bond\"",
            "IFLA_BOND_SLAVE_STATE: ACTIVE",
            "IFLA_BOND_SLAVE_MII_STATUS: UP",
            "IFLA_BOND_SLAVE_PERM_HWADDR: 02:00:00:00:00:0a",
            "IFLA_BOND_SLAVE_AD_ACTOR_OPER_PORT_STATE: LACP_ACTIVITY|LACP_TIMEOUT|AGGREGATION|DEFAULTED",
        ],
    ),
    (
        "bridge",
        &[
            "IFLA_INFO_KIND: \"bridge\"",
            "IFLA_BR_FORWARD_DELAY: 400",
            "IFLA_BR_STP_STATE: KERNEL_STP",
            "IFLA_BR_PRIORITY: 4096",
            "IFLA_BR_BRIDGE_ID: {prio: 1000, addr: 020000000003}",
            "IFLA_BR_MCAST_ROUTER: TEMP_QUERY",
        ],
    ),
    (
        "bridge_family",
        &[
            "family: BRIDGE",
            "IFLA_BRPORT_STATE: FORWARDING",
            "IFLA_BRIDGE_VLAN_INFO: {flags: PVID|UNTAGGED, vid: 10}",
            "IFLA_BRIDGE_VLAN_INFO: {flags: RANGE_BEGIN, vid: 100}",
            "IFLA_BRIDGE_VLAN_INFO: {flags: RANGE_END, vid: 110}",
        ],
    ),
    (
        "bridge_port",
        &[
            "IFLA_INFO_SLAVE_KIND: \"bridge\"",
            "IFLA_BRPORT_COST: 7",
            "IFLA_BRPORT_LEARNING: 0",
            "IFLA_BRPORT_ISOLATED: 1",
        ],
    ),
    ("bridge_tunnel", &["IFLA_BRIDGE_VLAN_TUNNEL_ID: 1020", "IFLA_BRIDGE_VLAN_TUNNEL_VID: 20"]),
    ("erspan", &["IFLA_GRE_ERSPAN_VER: 1", "IFLA_GRE_ERSPAN_INDEX: 123", "IFLA_GRE_IFLAGS: SEQ|KEY"]),
    (
        "geneve",
        &["IFLA_GENEVE_ID: 9", "IFLA_GENEVE_REMOTE: 192.0.2.9", "IFLA_GENEVE_DF: INHERIT", "IFLA_GENEVE_PORT: 6081"],
    ),
    ("gretap", &["IFLA_GRE_IFLAGS: SEQ|KEY|CSUM", "IFLA_GRE_OFLAGS: SEQ|KEY", "IFLA_GRE_IKEY: 17"]),
    ("inet6_family", &["family: INET6", "IFLA_PROTINFO:", "IFLA_INET6_FLAGS: READY"]),
    ("ip6gre", &["IFLA_GRE_IKEY: 1", "IFLA_GRE_OKEY: 2", "IFLA_GRE_LOCAL: 2001:db8::1", "IFLA_GRE_FLOWINFO: 74565"]),
    (
        "ip6tnl",
        &[
            "IFLA_IPTUN_REMOTE: 2001:db8::2",
            "IFLA_IPTUN_TTL: 7",
            "IFLA_IPTUN_FLAGS: IGN_ENCAP_LIMIT|USE_ORIG_TCLASS|CAP_XMIT|CAP_RCV",
        ],
    ),
    ("ipip", &["IFLA_IPTUN_REMOTE: 192.0.2.2", "IFLA_IPTUN_ENCAP_TYPE: FOU", "IFLA_IPTUN_ENCAP_DPORT: 5555"]),
    ("ipvlan", &["IFLA_IPVLAN_MODE: L3S", "IFLA_IPVLAN_FLAGS: PRIVATE"]),
    ("isatap", &["kind: SIT", "IFLA_IPTUN_FLAGS: ISATAP"]),
    (
        "macsec",
        &["IFLA_MACSEC_CIPHER_SUITE: CIPHER_ID_GCM_AES_256", "IFLA_MACSEC_VALIDATION: STRICT", "IFLA_MACSEC_WINDOW: 8"],
    ),
    (
        "macvlan",
        &[
            "IFLA_MACVLAN_MODE: SOURCE",
            "IFLA_MACVLAN_MACADDR: 02:00:00:00:00:aa",
            "IFLA_MACVLAN_MACADDR: 02:00:00:00:00:bb",
        ],
    ),
    ("macvtap", &["IFLA_INFO_KIND: \"macvtap\"", "IFLA_MACVLAN_MODE: BRIDGE"]),
    ("sit", &["IFLA_IPTUN_6RD_PREFIX: 2001:db8::", "IFLA_IPTUN_6RD_PREFIXLEN: 32"]),
    (
        "tun",
        &["kind: NONE", "IFLA_TUN_TYPE: TUN", "IFLA_TUN_OWNER: 1000", "IFLA_TUN_GROUP: 100", "IFLA_TUN_MULTI_QUEUE: 1"],
    ),
    (
        "veth",
        &[
            "IFLA_IFALIAS: \"uplink\"",
            "IFLA_XDP_ATTACHED: NONE",
            "IFLA_ALT_IFNAME: \"a-long-name-of-ve0\"",
            "IFLA_ALT_IFNAME: \"other0\"",
        ],
    ),
    (
        "vlan",
        &[
            "IFLA_VLAN_PROTOCOL: 8021AD",
            "IFLA_VLAN_ID: 5",
            "IFLA_VLAN_INGRESS_QOS:",
            "IFLA_VLAN_QOS_MAPPING: {from: 1, to: 2}",
            "IFLA_VLAN_QOS_MAPPING: {from: 3, to: 4}",
            "IFLA_VLAN_EGRESS_QOS:",
            "IFLA_VLAN_QOS_MAPPING: {from: 5, to: 6}",
        ],
    ),
    ("vrf", &["IFLA_VRF_TABLE: 100"]),
    ("vrf_port", &["IFLA_INFO_SLAVE_KIND: \"vrf\"", "IFLA_VRF_PORT_TABLE: 100"]),
    ("vti", &["IFLA_VTI_IKEY: 5", "IFLA_VTI_REMOTE: 192.0.2.6"]),
    ("vti6", &["IFLA_VTI_REMOTE: 2001:db8::6", "IFLA_VTI_IKEY: 6"]),
    (
        "vxlan",
        &[
            "IFLA_VXLAN_ID: 4242",
            "IFLA_VXLAN_LOCAL: 192.0.2.1",
            "IFLA_VXLAN_TTL: 64",
            "IFLA_VXLAN_DF: SET",
            "IFLA_VXLAN_AGEING: 120",
            "IFLA_VXLAN_PORT: 4789",
            "IFLA_VXLAN_PORT_RANGE: {low: 40000, high: 50000}",
        ],
    ),
    ("vxlan6", &["IFLA_VXLAN_ID: 7", "IFLA_VXLAN_LABEL: 74565", "IFLA_VXLAN_PORT: 8472"]),
    ("xfrm", &["IFLA_XFRM_IF_ID: 77"]),
];

#[test]
fn captures_print() {
    for (name, expected) in SAID {
        let trees: Vec<_> =
            capture(name).iter().map(|bytes| Message::parse(bytes).unwrap().tree(&ROUTE).to_string()).collect();
        has_lines(name, &trees.concat(), expected);
    }
    for (name, _) in CAPTURES {
        for bytes in capture(name) {
            let message = Message::parse(&bytes).unwrap();
            let tree = message.tree(&ROUTE).to_string();
            // Nothing is unknown, nothing is malformed.
            assert!(!tree.contains(" error: "), "{name}: {tree}");
            let numbers = |line: &&str| line.trim_start().starts_with(|first: char| first.is_ascii_digit());
            let unknown: Vec<_> = tree.lines().filter(numbers).collect();
            assert!(unknown.is_empty() || *name == "bond_arp", "{name}: {unknown:?}");
            let json = message.json(&ROUTE).to_string();
            let depth = |open: char, close: char| json.matches(open).count() == json.matches(close).count();
            assert!(depth('{', '}') && depth('[', ']') && !json.contains("\"error\""), "{name}: {json}");
        }
    }
}

#[test]
fn captures_are_viewed() {
    with_view("veth", |link| {
        assert_eq!((link.name, link.mtu, link.kind), (Text::new("ve0"), Some(1400), Some(Text::new("veth"))));
        assert_eq!((link.min_mtu, link.max_mtu, link.transmit_queue_length), (Some(68), Some(65535), Some(500)));
        assert_eq!(link.address.unwrap().0, [2, 0, 0, 0, 0, 1]);
        assert_eq!(link.broadcast.unwrap().0, [0xff; 6]);
        assert_eq!((link.alias, link.link, link.link_namespace), (Some(Text::new("uplink")), Some(2), None));
        assert_eq!((link.carrier, link.operational_state), (Some(true), Some(OperState::UP)));
        assert!(link.header.flags.contains(LinkFlags::UP | LinkFlags::LOWER_UP));
        assert_eq!(link.stats, Some(LinkStats64::default()));
        assert!(link.kind_data.is_none() && link.master.is_none());
        let names: Result<Vec<_>, _> = link.alternative_names().collect();
        assert_eq!(names, Ok(vec![Text::new("a-long-name-of-ve0"), Text::new("other0")]));
        let settings = link.inet().unwrap().unwrap().get(InetLink::CONF).unwrap().unwrap();
        assert_eq!(Ipv4Devconf::SEND_REDIRECTS.of(settings), Some(1));
        assert_eq!(Ipv4Devconf(99).of(settings), None);
        assert_eq!(Ipv4Devconf(0).of(settings), None);
        let settings = link.inet6().unwrap().unwrap().get(Inet6Link::CONF).unwrap().unwrap();
        assert_eq!(Ipv6Devconf::HOPLIMIT.of(settings), Some(64));
        assert_eq!(Ipv6Devconf::MTU6.of(settings), Some(1400));
        assert!(link.bridge().is_none());
    });
    with_view("loopback", |link| {
        assert_eq!((link.name, link.header.index, link.header.kind), (Text::new("lo"), 1, LinkType::LOOPBACK));
        assert_eq!(link.stats, Some(LinkStats64::default()));
        assert!(link.kind.is_none() && link.info.is_none());
    });
    with_view("vlan", |link| {
        let (id, protocol, flags) =
            link.data(Vlan).unwrap().unwrap().read((Vlan::ID, Vlan::PROTOCOL, Vlan::FLAGS)).unwrap();
        assert_eq!((link.link, id, protocol), (Some(4), Some(5), Some(EtherType::_8021AD)));
        assert_eq!(flags.unwrap().flags, VlanFlags::REORDER_HDR | VlanFlags::GVRP);
    });
    with_view("vxlan", |link| {
        let vxlan = link.data(Vxlan).unwrap().unwrap();
        let (group, inherit) = vxlan.read((Vxlan::GROUP, Vxlan::TTL_INHERIT)).unwrap();
        assert_eq!((group, inherit), (Some(Ipv4Addr::new(192, 0, 2, 2)), Some(false)));
    });
    with_view("bridge_port", |link| {
        assert_eq!((link.kind, link.slave_kind), (Some(Text::new("veth")), Some(Text::new("bridge"))));
        let port = link.slave_data(BridgePort).unwrap().unwrap();
        assert_eq!(port.get(BridgePort::COST), Ok(Some(7)));
        assert!(link.slave_data(BondPort).unwrap().is_none());
        assert!(link.master.is_some());
    });
    with_view("bridge_family", |link| {
        assert_eq!(link.header.family, Family::BRIDGE);
        assert!(link.inet().unwrap().is_none() && link.inet6().unwrap().is_none());
        let vlans = link.bridge().unwrap().all(BridgeAfSpec::VLAN_INFO).map(|vlan| vlan.unwrap().vid);
        assert_eq!(vlans.collect::<Vec<_>>(), [1, 10, 100, 110]);
    });
    with_view("inet6_family", |link| {
        let inet6 = link.inet6().unwrap().unwrap();
        let (counters, cache) = inet6.read((Inet6Link::STATS, Inet6Link::CACHEINFO)).unwrap();
        assert_eq!(IpStatistic::NUM.of(counters.unwrap()), Some(38));
        assert_eq!(cache.unwrap().max_reasm_len, 65535);
    });
}

/// Takes text and keeps none of it.
struct Nowhere;

impl Write for Nowhere {
    fn write_str(&mut self, _: &str) -> fmt::Result {
        Ok(())
    }
}

/// Prints and reads whatever this is; what matters is that it ends.
fn survive(bytes: &[u8]) {
    for message in Messages::new(bytes).flatten() {
        write!(Nowhere, "{}{}", message.tree(&ROUTE), message.json(&ROUTE)).unwrap();
        let Ok(body) = message.body(Rtm::NEWLINK) else { continue };
        let steps = body.attributes.raw().count();
        assert!(steps <= bytes.len());
        let Ok(link) = LinkView::read(body) else { continue };
        assert!(link.alternative_names().count() <= bytes.len());
        if let Ok(Some(inet6)) = link.inet6() {
            let counters = inet6.get(Inet6Link::STATS).ok().flatten();
            let _ = counters.and_then(|counters| IpStatistic::INPKTS.of(counters));
        }
        let _ = (link.inet(), link.data(Vlan), link.slave_data(BridgePort));
        if let Some(bridge) = link.bridge() {
            assert!(bridge.all(BridgeAfSpec::VLAN_INFO).count() <= bytes.len());
        }
    }
}

#[test]
fn damaged_captures_are_survived() {
    for (name, _) in CAPTURES {
        for bytes in capture(name) {
            for length in 0..bytes.len() {
                survive(&bytes[..length]);
                let mut shorter = bytes[..length].to_vec();
                if let (Ok(length), Some(field)) = (u32::try_from(length), shorter.get_mut(..4)) {
                    field.copy_from_slice(&length.to_ne_bytes());
                    survive(&shorter);
                }
            }
            // Each byte becomes what a length or a type is most easily confused with.
            let mut damaged = bytes.clone();
            for at in 0..bytes.len() {
                let byte = bytes[at];
                for value in [0, 3, byte.wrapping_add(1), byte.wrapping_sub(1), byte ^ 0x80, 0xff] {
                    damaged[at] = value;
                    survive(&damaged);
                }
                damaged[at] = byte;
            }
        }
    }
}

/// Every value of every byte, of a message that has all that nests.
#[test]
fn damaged_requests_are_survived() {
    let mut buffer = Buffer::<256>::new();
    let bytes = buffer.message(Rtm::NEWLINK, LinkHeader::default(), |link| {
        link.nest(Link::LINKINFO, |info| {
            info.put(LinkInfo::KIND, "veth");
            info.choose(LinkInfo::DATA, Veth, |veth| {
                veth.headed(Veth::PEER, LinkHeader::default(), |peer| {
                    peer.nest(Link::LINKINFO, |info| {
                        info.put(LinkInfo::KIND, "bond");
                        info.choose(LinkInfo::DATA, Bond, |bond| {
                            bond.indexed(Bond::ARP_IP_TARGET, |list| list.put(0, Ipv4Addr::LOCALHOST));
                        });
                    });
                });
            });
        });
        link.nest(Link::PROP_LIST, |names| names.add(LinkProperties::ALT_IFNAME, "b"));
    });
    support::every_damage(bytes.unwrap(), survive);
}

/// So many virtual functions make a list that is longer than its 16-bit length can say.
#[test]
fn a_list_that_wraps_is_an_error() {
    let mut list = Vec::new();
    for vf in 0..300_u32 {
        let mut info = [0; 256];
        let mut writer = ringlink_codec::wire::Writer::new(&mut info);
        writer.attribute(VfList::INFO.number(), &[&[40, 0, 1, 0][..], &vf.to_ne_bytes(), &[0; 208]].concat());
        list.extend_from_slice(writer.finish().unwrap());
    }
    let wrapped = u16::try_from((list.len() + 4) & 0xffff).unwrap();
    let mut payload = vec![0; size_of::<LinkHeader>()];
    payload.extend_from_slice(&[wrapped.to_ne_bytes(), Link::VFINFO_LIST.number().to_ne_bytes()].concat());
    payload.extend_from_slice(&list);
    let mut message = Vec::new();
    message.extend_from_slice(&u32::try_from(payload.len() + 16).unwrap().to_ne_bytes());
    message.extend_from_slice(&[16, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    message.extend_from_slice(&payload);
    survive(&message);
    // 66,004 bytes say that they are 468: two functions, and a piece of a third.
    let list = body(&message).attributes.raw().next().unwrap().unwrap();
    let functions: Vec<_> = Attributes::<VfList>::new(list.payload).all(VfList::INFO).collect();
    assert!(matches!(functions[..], [Ok(_), Ok(_), Err(Error { kind: ErrorKind::AttributeLength { .. }, .. })]));
}

/// Walks all that hangs on a space; the printer and the fuzzers rely on what is checked here.
#[test]
fn tables_are_sound() {
    let mut seen: Vec<&'static Space> = Vec::new();
    let mut layouts: Vec<&'static Layout> = Vec::new();
    let mut open = vec![Shape::Nest(Link::space)];
    while let Some(shape) = open.pop() {
        match shape {
            Shape::Headed(layout, space) | Shape::Records(layout, space) => {
                open.push(Shape::Record(layout));
                open.push(Shape::Nest(space));
            }
            Shape::Nest(space) => {
                let space = space();
                if seen.iter().any(|seen| std::ptr::eq(*seen, space)) {
                    continue;
                }
                seen.push(space);
                for pair in space.rows().collect::<Vec<_>>().windows(2) {
                    assert!(pair[0].number < pair[1].number, "{}: {} is out of order", space.name, pair[1].name);
                }
                open.extend(space.rows().map(|row| row.shape));
                for row in space.rows() {
                    let Shape::Choice(table) = row.shape else { continue };
                    if let By::Sibling(sibling) = table().by {
                        assert!(space.row(sibling).is_some(), "{}: nothing chooses {}", space.name, row.name);
                    }
                }
            }
            Shape::Choice(table) => {
                let mut texts = Vec::new();
                for row in table().rows {
                    open.push(row.shape);
                    for selector in row.selectors {
                        if let Selector::Text(text) = selector {
                            assert!(!texts.contains(text), "{text} chooses twice");
                            texts.push(text);
                        }
                    }
                }
            }
            Shape::Record(layout) => layouts.push(layout),
            Shape::Many(of) | Shape::Indexed(of) | Shape::Packed(of, _) | Shape::Array(of, _) => open.push(*of),
            _ => {}
        }
    }
    assert!(seen.len() > 70, "{}", seen.len());

    // Sizes by C, on a machine of 64 bits.
    let sizes = [
        ("br_boolopt_multi", 8),
        ("bridge_vlan_info", 4),
        ("can_berr_counter", 4),
        ("can_bittiming", 32),
        ("can_bittiming_const", 48),
        ("can_clock", 4),
        ("can_ctrlmode", 8),
        ("can_device_stats", 24),
        ("ifinfomsg", 16),
        ("ifla_bridge_id", 8),
        ("ifla_cacheinfo", 16),
        ("ifla_geneve_port_range", 4),
        ("ifla_port_vsi", 8),
        ("ifla_rmnet_flags", 8),
        ("ifla_vf_broadcast", 32),
        ("ifla_vf_guid", 16),
        ("ifla_vf_link_state", 8),
        ("ifla_vf_mac", 36),
        ("ifla_vf_rate", 12),
        ("ifla_vf_spoofchk", 8),
        ("ifla_vf_tx_rate", 8),
        ("ifla_vf_vlan", 12),
        ("ifla_vf_vlan_info", 16),
        ("ifla_vlan_flags", 8),
        ("ifla_vlan_qos_mapping", 8),
        ("ifla_vxlan_port_range", 4),
        ("rtnl_link_ifmap", 32),
        ("rtnl_link_stats", 96),
        ("rtnl_link_stats64", 200),
    ];
    for layout in &layouts {
        let size = sizes.iter().find(|size| size.0 == layout.name);
        assert_eq!(size.map(|size| size.1), Some(layout.size), "{}", layout.name);
    }
    for (name, _) in sizes {
        assert!(layouts.iter().any(|layout| layout.name == name), "{name} hangs on nothing");
    }
}

/// Structs grow from kernel to kernel.
#[test]
fn counters_may_be_shorter_or_longer() {
    let read = |bytes: &[u8]| {
        let mut space = vec![0; 256];
        let mut writer = ringlink_codec::wire::Writer::new(&mut space);
        writer.attribute(Link::STATS64.number(), bytes);
        let written = writer.finish().unwrap();
        Attributes::<Link>::new(Payload { bytes: written, offset: 0 }).get(Link::STATS64).unwrap().unwrap()
    };
    let bytes: Vec<u8> = (1..=26_u64).flat_map(u64::to_ne_bytes).collect();
    let whole = read(&bytes[..200]);
    assert_eq!((whole.rx_packets, whole.rx_nohandler, whole.rx_otherhost_dropped), (1, 24, 25));
    assert_eq!(read(&bytes), whole);
    assert_eq!(read(&bytes[..192]), LinkStats64 { rx_otherhost_dropped: 0, ..whole });
}
