//! Words of each kind of interface.

use std::net::IpAddr;

use ringlink::codec::route::{
    Bond, BondAdSelect, BondArpAllTargets, BondArpValidate, BondFailOverMac, BondLacpRate, BondMode, BondPort,
    BondPrimaryReselect, BondXmitPolicy, Bridge, BridgeOptions, BridgePort, BridgePortState, BridgeStp, Family, Ipvlan,
    IpvlanFlags, IpvlanMode, Link, Macvlan, MacvlanAddressMode, MacvlanAddresses, MacvlanFlags, MacvlanMode,
    MulticastRouter, Veth, Vlan, VlanFlags, VlanFlagsChange, VlanQos, VlanQosMapping, Vrf, XfrmInterface,
};
use ringlink::codec::table::{AttributeWriter, Attributes};
use ringlink::codec::wire::Payload;

use super::super::bond;
use super::readers::{self, words};
use super::{Reader, stage};
use crate::arguments::number;
use crate::failure::Failure;

impl Reader<'_, '_> {
    /// Reads the words of a kind, or of a port of a kind (`bridge_slave`), to the end.
    pub(super) fn kind(&mut self, kind: &str) -> Result<Vec<u8>, Failure> {
        let tunnel = matches!(kind, "ipip" | "sit" | "ip6tnl" | "vti" | "vti6")
            || kind.contains("gre")
            || kind.contains("erspan");
        if tunnel && !self.makes {
            // The kernel would take what is not said for zero, so that a change of one setting would lose the others.
            return Err(self.words.refuse("a kind whose settings can be changed one by one; delete and add this one"));
        }
        match kind {
            "bond" => stage(|data| self.bond(data)),
            "bond_slave" => stage(|data| self.bond_port(data)),
            "bridge" => stage(|data| self.bridge(data)),
            "bridge_slave" => stage(|data| self.bridge_port(data)),
            "geneve" => stage(|data| self.geneve(data)),
            "gre" | "gretap" | "erspan" => stage(|data| self.gre(data, Family::INET)),
            "ip6gre" | "ip6gretap" | "ip6erspan" => stage(|data| self.gre(data, Family::INET6)),
            "ip6tnl" => stage(|data| self.ip6tnl(data)),
            "ipip" | "sit" => stage(|data| self.ipip(data, kind)),
            "ipvlan" | "ipvtap" => stage(|data| self.ipvlan(data)),
            "macvlan" | "macvtap" => stage(|data| self.macvlan(data)),
            "veth" => stage(|data| self.veth(data)),
            "vlan" => stage(|data| self.vlan(data)),
            "vrf" => stage(|data| self.vrf(data)),
            "vti" => stage(|data| self.vti(data, Family::INET)),
            "vti6" => stage(|data| self.vti(data, Family::INET6)),
            "vxlan" => stage(|data| self.vxlan(data)),
            "xfrm" => stage(|data| self.xfrm(data)),
            // Kinds without words of their own, or that this program does not know: the kernel says.
            _ => match self.words.next() {
                None => Ok(Vec::new()),
                Some(_) => Err(self.words.refuse(&format!("no more words: none are known for the kind `{kind}`"))),
            },
        }
    }
}

words! {
    /// Reads words of a bridge.
    bridge: Bridge {
        "forward_delay" => number(FORWARD_DELAY),
        "hello_time" => number(HELLO_TIME),
        "max_age" => number(MAX_AGE),
        "ageing_time" => number(AGEING_TIME),
        "stp_state" => value(STP_STATE, BridgeStp),
        "priority" => number(PRIORITY),
        "vlan_filtering" => number(VLAN_FILTERING),
        "vlan_protocol" => vlan_protocol(VLAN_PROTOCOL),
        "vlan_default_pvid" => number(VLAN_DEFAULT_PVID),
        "vlan_stats_enabled" => number(VLAN_STATS_ENABLED),
        "vlan_stats_per_port" => number(VLAN_STATS_PER_PORT),
        "group_fwd_mask" => number(GROUP_FWD_MASK),
        "group_address" => hardware(GROUP_ADDR),
        "mcast_snooping" => number(MCAST_SNOOPING),
        "mcast_vlan_snooping" => bridge_option(MULTI_BOOLOPT, BridgeOptions::MCAST_VLAN_SNOOPING),
        "no_linklocal_learn" => bridge_option(MULTI_BOOLOPT, BridgeOptions::NO_LL_LEARN),
        "mcast_router" => value(MCAST_ROUTER, MulticastRouter),
        "mcast_query_use_ifaddr" => number(MCAST_QUERY_USE_IFADDR),
        "mcast_querier" => number(MCAST_QUERIER),
        "mcast_hash_elasticity" => number(MCAST_HASH_ELASTICITY),
        "mcast_hash_max" => number(MCAST_HASH_MAX),
        "mcast_last_member_count" => number(MCAST_LAST_MEMBER_CNT),
        "mcast_startup_query_count" => number(MCAST_STARTUP_QUERY_CNT),
        "mcast_last_member_interval" => number(MCAST_LAST_MEMBER_INTVL),
        "mcast_membership_interval" => number(MCAST_MEMBERSHIP_INTVL),
        "mcast_querier_interval" => number(MCAST_QUERIER_INTVL),
        "mcast_query_interval" => number(MCAST_QUERY_INTVL),
        "mcast_query_response_interval" => number(MCAST_QUERY_RESPONSE_INTVL),
        "mcast_startup_query_interval" => number(MCAST_STARTUP_QUERY_INTVL),
        "mcast_stats_enabled" => number(MCAST_STATS_ENABLED),
        "mcast_igmp_version" => number(MCAST_IGMP_VERSION),
        "mcast_mld_version" => number(MCAST_MLD_VERSION),
        "nf_call_iptables" => number(NF_CALL_IPTABLES),
        "nf_call_ip6tables" => number(NF_CALL_IP6TABLES),
        "nf_call_arptables" => number(NF_CALL_ARPTABLES),
        "fdb_flush" => present(FDB_FLUSH),
    }
}

words! {
    /// Reads words of a port of a bridge.
    bridge_port: BridgePort {
        "fdb_flush" => present(FLUSH),
        "state" => value(STATE, BridgePortState),
        "priority" => number(PRIORITY),
        "cost" => number(COST),
        "hairpin" => on_off(MODE),
        "guard" => on_off(GUARD),
        "root_block" => on_off(PROTECT),
        "fastleave" | "mcast_fast_leave" => on_off(FAST_LEAVE),
        "learning" => on_off(LEARNING),
        "flood" => on_off(UNICAST_FLOOD),
        "mcast_flood" => on_off(MCAST_FLOOD),
        "bcast_flood" => on_off(BCAST_FLOOD),
        "mcast_to_unicast" => on_off(MCAST_TO_UCAST),
        "proxy_arp" => on_off(PROXYARP),
        "proxy_arp_wifi" => on_off(PROXYARP_WIFI),
        "mcast_router" => value(MULTICAST_ROUTER, MulticastRouter),
        "neigh_suppress" => on_off(NEIGH_SUPPRESS),
        "group_fwd_mask" => number(GROUP_FWD_MASK),
        "vlan_tunnel" => on_off(VLAN_TUNNEL),
        "isolated" => on_off(ISOLATED),
        "locked" => on_off(LOCKED),
        "mab" => on_off(MAB),
        "backup_port" => interface(BACKUP_PORT),
        "nobackup_port" => no_interface(BACKUP_PORT),
    }
}

words! {
    /// Reads words of a bond.
    bond: Bond {
        "mode" => one_of(MODE, &bond::MODES, BondMode),
        "active_slave" => interface(ACTIVE_SLAVE),
        "clear_active_slave" => no_interface(ACTIVE_SLAVE),
        "miimon" => number(MIIMON),
        "updelay" => number(UPDELAY),
        "downdelay" => number(DOWNDELAY),
        "peer_notify_delay" => number(PEER_NOTIF_DELAY),
        "use_carrier" => number(USE_CARRIER),
        "arp_interval" => number(ARP_INTERVAL),
        "arp_missed_max" => number(MISSED_MAX),
        "arp_ip_target" => addresses(ARP_IP_TARGET, Family::INET, ipv4),
        "ns_ip6_target" => addresses(NS_IP6_TARGET, Family::INET6, ipv6),
        "arp_validate" => one_of(ARP_VALIDATE, &bond::ARP_VALIDATE, BondArpValidate),
        "arp_all_targets" => one_of(ARP_ALL_TARGETS, &bond::ARP_ALL_TARGETS, BondArpAllTargets),
        "primary" => interface(PRIMARY),
        "primary_reselect" => one_of(PRIMARY_RESELECT, &bond::PRIMARY_RESELECT, BondPrimaryReselect),
        "fail_over_mac" => one_of(FAIL_OVER_MAC, &bond::FAIL_OVER_MAC, BondFailOverMac),
        "xmit_hash_policy" => one_of(XMIT_HASH_POLICY, &bond::XMIT_HASH_POLICY, BondXmitPolicy),
        "resend_igmp" => number(RESEND_IGMP),
        "num_grat_arp" | "num_unsol_na" => number(NUM_PEER_NOTIF),
        "all_slaves_active" => number(ALL_SLAVES_ACTIVE),
        "min_links" => number(MIN_LINKS),
        "lp_interval" => number(LP_INTERVAL),
        "packets_per_slave" => number(PACKETS_PER_SLAVE),
        "lacp_active" => on_off(AD_LACP_ACTIVE),
        "lacp_rate" => one_of(AD_LACP_RATE, &bond::LACP_RATE, BondLacpRate),
        "ad_select" => one_of(AD_SELECT, &bond::AD_SELECT, BondAdSelect),
        "ad_actor_sys_prio" => number(AD_ACTOR_SYS_PRIO),
        "ad_user_port_key" => number(AD_USER_PORT_KEY),
        "ad_actor_system" => hardware(AD_ACTOR_SYSTEM),
        "tlb_dynamic_lb" => number(TLB_DYNAMIC_LB),
    }
}

fn ipv4(address: IpAddr) -> Option<std::net::Ipv4Addr> {
    match address {
        IpAddr::V4(address) => Some(address),
        IpAddr::V6(_) => None,
    }
}

fn ipv6(address: IpAddr) -> Option<std::net::Ipv6Addr> {
    match address {
        IpAddr::V4(_) => None,
        IpAddr::V6(address) => Some(address),
    }
}

words! {
    /// Reads words of a port of a bond.
    bond_port: BondPort {
        "queue_id" => number(QUEUE_ID),
        "prio" => number(PRIO),
    }
}

words! {
    /// Reads words of a routing domain.
    vrf: Vrf {
        "table" => table(TABLE),
    }
}

words! {
    /// Reads words of an interface for IPsec.
    xfrm: XfrmInterface {
        "dev" => interface(LINK),
        "if_id" => number(IF_ID),
        "external" => present(COLLECT_METADATA),
    }
}

impl Reader<'_, '_> {
    /// Reads words of a VLAN.
    fn vlan(&mut self, vlan: &mut AttributeWriter<'_, '_, Vlan>) -> Result<(), Failure> {
        let mut change = VlanFlagsChange::default();
        while let Some(word) = self.words.next() {
            let flag = match word {
                "id" => {
                    vlan.put(Vlan::ID, self.words.number::<u16>()?);
                    continue;
                }
                "protocol" | "proto" => {
                    readers::vlan_protocol(self, vlan, Vlan::PROTOCOL)?;
                    continue;
                }
                "ingress-qos-map" | "egress-qos-map" => {
                    let mappings = self.mappings()?;
                    let key = if word.starts_with('i') { Vlan::INGRESS_QOS } else { Vlan::EGRESS_QOS };
                    vlan.nest(key, |list| mappings.into_iter().for_each(|mapping| list.add(VlanQos::MAPPING, mapping)));
                    continue;
                }
                "reorder_hdr" => VlanFlags::REORDER_HDR,
                "gvrp" => VlanFlags::GVRP,
                "mvrp" => VlanFlags::MVRP,
                "loose_binding" => VlanFlags::LOOSE_BINDING,
                "bridge_binding" => VlanFlags::BRIDGE_BINDING,
                _ => {
                    return Err(self.words.refuse(
                        "id, protocol, reorder_hdr, gvrp, mvrp, loose_binding, bridge_binding, \
                         ingress-qos-map or egress-qos-map",
                    ));
                }
            };
            change.mask = change.mask | flag;
            if self.on()? {
                change.flags = change.flags | flag;
            }
        }
        if change.mask != VlanFlags::default() {
            vlan.put(Vlan::FLAGS, change);
        }
        Ok(())
    }

    /// Reads pairs of priorities (`1:2`), as many as there are.
    fn mappings(&mut self) -> Result<Vec<VlanQosMapping>, Failure> {
        let pair = |word: &str| {
            let (from, to) = word.split_once(':')?;
            Some(VlanQosMapping { from: number(from)?, to: number(to)? })
        };
        let mut mappings = vec![self.words.parse("a pair of priorities (1:2)", pair)?];
        while let Some(mapping) = self.words.peek().and_then(pair) {
            self.words.next();
            mappings.push(mapping);
        }
        Ok(mappings)
    }

    /// Reads words of one end of a pair.
    fn veth(&mut self, veth: &mut AttributeWriter<'_, '_, Veth>) -> Result<(), Failure> {
        let Some(word) = self.words.next() else { return Ok(()) };
        if word != "peer" {
            return Err(self.words.refuse("peer"));
        }
        let (draft, attributes) = self.peer()?;
        veth.headed(Veth::PEER, draft.header, |peer| {
            peer.put_some(Link::IFNAME, draft.name);
            let payload = Payload { bytes: &attributes, offset: 0 };
            for raw in Attributes::<Link>::new(payload).raw().flatten() {
                peer.put_raw(raw.kind, raw.payload.bytes);
            }
        });
        Ok(())
    }

    /// Reads words of a macvlan.
    fn macvlan(&mut self, macvlan: &mut AttributeWriter<'_, '_, Macvlan>) -> Result<(), Failure> {
        let mut flags = MacvlanFlags::default();
        while let Some(word) = self.words.next() {
            match word {
                "mode" => {
                    let mode = self.words.parse("private, vepa, bridge, passthru or source", |word| {
                        let modes = [
                            MacvlanMode::PRIVATE,
                            MacvlanMode::VEPA,
                            MacvlanMode::BRIDGE,
                            MacvlanMode::PASSTHRU,
                            MacvlanMode::SOURCE,
                        ];
                        modes.into_iter().find(|mode| mode.name().is_some_and(|name| name.eq_ignore_ascii_case(word)))
                    })?;
                    macvlan.put(Macvlan::MODE, mode);
                }
                "nopromisc" => flags = flags | MacvlanFlags::NOPROMISC,
                "nodst" => flags = flags | MacvlanFlags::NODST,
                "bcqueuelen" => macvlan.put(Macvlan::BC_QUEUE_LEN, self.words.number::<u32>()?),
                "macaddr" => self.source_addresses(macvlan)?,
                _ => return Err(self.words.refuse("mode, nopromisc, nodst, bcqueuelen or macaddr")),
            }
        }
        if flags != MacvlanFlags::default() {
            macvlan.put(Macvlan::FLAGS, flags);
        }
        Ok(())
    }

    /// Reads what to do with the addresses of a macvlan in mode `source`.
    fn source_addresses(&mut self, macvlan: &mut AttributeWriter<'_, '_, Macvlan>) -> Result<(), Failure> {
        let mode = self.words.parse("add, del, set or flush", |word| match word {
            "add" => Some(MacvlanAddressMode::ADD),
            "del" => Some(MacvlanAddressMode::DEL),
            "set" => Some(MacvlanAddressMode::SET),
            "flush" => Some(MacvlanAddressMode::FLUSH),
            _ => None,
        })?;
        macvlan.put(Macvlan::MACADDR_MODE, mode);
        match mode {
            MacvlanAddressMode::FLUSH => {}
            MacvlanAddressMode::SET => {
                let mut addresses = Vec::new();
                while self.words.peek().is_some() {
                    addresses.push(self.hardware()?);
                }
                macvlan.nest(Macvlan::MACADDR_DATA, |list| {
                    addresses.iter().for_each(|address| list.add(MacvlanAddresses::MACADDR, address.as_slice()));
                });
            }
            _ => macvlan.put(Macvlan::MACADDR, self.hardware()?.as_slice()),
        }
        Ok(())
    }

    /// Reads words of an ipvlan.
    fn ipvlan(&mut self, ipvlan: &mut AttributeWriter<'_, '_, Ipvlan>) -> Result<(), Failure> {
        let mut flags = None;
        while let Some(word) = self.words.next() {
            match word {
                "mode" => {
                    let mode = self.words.parse("l2, l3 or l3s", |word| match word {
                        "l2" => Some(IpvlanMode::L2),
                        "l3" => Some(IpvlanMode::L3),
                        "l3s" => Some(IpvlanMode::L3S),
                        _ => None,
                    })?;
                    ipvlan.put(Ipvlan::MODE, mode);
                }
                "bridge" => flags = Some(IpvlanFlags::default()),
                "private" => flags = Some(IpvlanFlags::PRIVATE),
                "vepa" => flags = Some(IpvlanFlags::VEPA),
                _ => return Err(self.words.refuse("mode, bridge, private or vepa")),
            }
        }
        ipvlan.put_some(Ipvlan::FLAGS, flags);
        Ok(())
    }
}
