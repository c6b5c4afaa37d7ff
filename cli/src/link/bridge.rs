//! Bridges and their ports.

use ringlink::codec::route::{Bridge, BridgeId, BridgeOptions, BridgePort};
use ringlink::codec::table::{Key, Table};

use super::fields::{Fields, Mask, Small};
use super::kinds::VlanProtocol;
use crate::output::{Formatted, Kind, Show};

/// What a bridge is set to and does.
pub(super) fn bridge(bridge: &mut Fields<'_, '_, Bridge>) {
    bridge.same(Bridge::FORWARD_DELAY, "forward_delay");
    bridge.same(Bridge::HELLO_TIME, "hello_time");
    bridge.same(Bridge::MAX_AGE, "max_age");
    bridge.same(Bridge::AGEING_TIME, "ageing_time");
    bridge.map(Bridge::STP_STATE, "stp_state", "stp_state", |state| state.0);
    bridge.same(Bridge::PRIORITY, "priority");
    bridge.same(Bridge::VLAN_FILTERING, "vlan_filtering");
    bridge.map(Bridge::VLAN_PROTOCOL, "vlan_protocol", "vlan_protocol", VlanProtocol);
    bridge.id(Bridge::BRIDGE_ID, "bridge_id", "bridge_id");
    bridge.id(Bridge::ROOT_ID, "root_id", "designated_root");
    bridge.same(Bridge::ROOT_PORT, "root_port");
    bridge.same(Bridge::ROOT_PATH_COST, "root_path_cost");
    bridge.same(Bridge::TOPOLOGY_CHANGE, "topology_change");
    bridge.same(Bridge::TOPOLOGY_CHANGE_DETECTED, "topology_change_detected");
    bridge.seconds(Bridge::HELLO_TIMER, "hello_timer");
    bridge.seconds(Bridge::TCN_TIMER, "tcn_timer");
    bridge.seconds(Bridge::TOPOLOGY_CHANGE_TIMER, "topology_change_timer");
    bridge.seconds(Bridge::GC_TIMER, "gc_timer");
    bridge.same(Bridge::VLAN_DEFAULT_PVID, "vlan_default_pvid");
    bridge.same(Bridge::VLAN_STATS_ENABLED, "vlan_stats_enabled");
    bridge.same(Bridge::VLAN_STATS_PER_PORT, "vlan_stats_per_port");
    bridge.mask(Bridge::GROUP_FWD_MASK, "group_fwd_mask", "group_fwd_mask");
    bridge.show(Bridge::GROUP_ADDR, "group_addr", "group_address");
    bridge.same(Bridge::MCAST_SNOOPING, "mcast_snooping");
    options(bridge);
    bridge.map(Bridge::MCAST_ROUTER, "mcast_router", "mcast_router", |router| router.0);
    bridge.same(Bridge::MCAST_QUERY_USE_IFADDR, "mcast_query_use_ifaddr");
    bridge.same(Bridge::MCAST_QUERIER, "mcast_querier");
    bridge.same(Bridge::MCAST_HASH_ELASTICITY, "mcast_hash_elasticity");
    bridge.same(Bridge::MCAST_HASH_MAX, "mcast_hash_max");
    bridge.show(Bridge::MCAST_LAST_MEMBER_CNT, "mcast_last_member_cnt", "mcast_last_member_count");
    bridge.show(Bridge::MCAST_STARTUP_QUERY_CNT, "mcast_startup_query_cnt", "mcast_startup_query_count");
    bridge.show(Bridge::MCAST_LAST_MEMBER_INTVL, "mcast_last_member_intvl", "mcast_last_member_interval");
    bridge.show(Bridge::MCAST_MEMBERSHIP_INTVL, "mcast_membership_intvl", "mcast_membership_interval");
    bridge.show(Bridge::MCAST_QUERIER_INTVL, "mcast_querier_intvl", "mcast_querier_interval");
    bridge.show(Bridge::MCAST_QUERY_INTVL, "mcast_query_intvl", "mcast_query_interval");
    bridge.show(Bridge::MCAST_QUERY_RESPONSE_INTVL, "mcast_query_response_intvl", "mcast_query_response_interval");
    bridge.show(Bridge::MCAST_STARTUP_QUERY_INTVL, "mcast_startup_query_intvl", "mcast_startup_query_interval");
    bridge.same(Bridge::MCAST_STATS_ENABLED, "mcast_stats_enabled");
    bridge.same(Bridge::MCAST_IGMP_VERSION, "mcast_igmp_version");
    bridge.same(Bridge::MCAST_MLD_VERSION, "mcast_mld_version");
    bridge.same(Bridge::NF_CALL_IPTABLES, "nf_call_iptables");
    bridge.same(Bridge::NF_CALL_IP6TABLES, "nf_call_ip6tables");
    bridge.same(Bridge::NF_CALL_ARPTABLES, "nf_call_arptables");
}

/// Options that the kernel tells as bits: those of the list that it knows.
fn options(bridge: &mut Fields<'_, '_, Bridge>) {
    let Some(options) = bridge.get(Bridge::MULTI_BOOLOPT) else {
        return;
    };
    for (bit, name) in [
        (BridgeOptions::NO_LL_LEARN, "no_linklocal_learn"),
        (BridgeOptions::MCAST_VLAN_SNOOPING, "mcast_vlan_snooping"),
    ] {
        if options.mask.contains(bit) {
            bridge.row.field(name, name, u8::from(options.val.contains(bit)));
        }
    }
}

/// What a port of a bridge is set to and does.
pub(super) fn port(port: &mut Fields<'_, '_, BridgePort>) {
    if let Some(state) = port.get(BridgePort::STATE) {
        match state.name() {
            Some(name) => port.row.field("state", "state", Small(name)),
            None => port.row.field("state_index", "state", state.0),
        }
    }
    port.same(BridgePort::PRIORITY, "priority");
    port.same(BridgePort::COST, "cost");
    port.on_off(BridgePort::MODE, "hairpin", "hairpin");
    port.on_off(BridgePort::GUARD, "guard", "guard");
    port.on_off(BridgePort::PROTECT, "root_block", "root_block");
    port.on_off(BridgePort::FAST_LEAVE, "fastleave", "fastleave");
    port.on_off(BridgePort::LEARNING, "learning", "learning");
    port.on_off(BridgePort::UNICAST_FLOOD, "flood", "flood");
    port.mask(BridgePort::ID, "id", "port_id");
    port.mask(BridgePort::NO, "no", "port_no");
    port.same(BridgePort::DESIGNATED_PORT, "designated_port");
    port.same(BridgePort::DESIGNATED_COST, "designated_cost");
    port.id(BridgePort::BRIDGE_ID, "bridge_id", "designated_bridge");
    port.id(BridgePort::ROOT_ID, "root_id", "designated_root");
    port.seconds(BridgePort::HOLD_TIMER, "hold_timer");
    port.seconds(BridgePort::MESSAGE_AGE_TIMER, "message_age_timer");
    port.seconds(BridgePort::FORWARD_DELAY_TIMER, "forward_delay_timer");
    port.same(BridgePort::TOPOLOGY_CHANGE_ACK, "topology_change_ack");
    port.same(BridgePort::CONFIG_PENDING, "config_pending");
    port.on_off(BridgePort::PROXYARP, "proxy_arp", "proxy_arp");
    port.on_off(BridgePort::PROXYARP_WIFI, "proxy_arp_wifi", "proxy_arp_wifi");
    port.map(BridgePort::MULTICAST_ROUTER, "multicast_router", "mcast_router", |router| router.0);
    if let Some(leave) = port.get(BridgePort::FAST_LEAVE) {
        // In text it is told a second time, under its newer name.
        port.row.word("mcast_fast_leave");
        port.row.word(if leave != 0 { "on" } else { "off" });
    }
    port.on_off(BridgePort::MCAST_FLOOD, "mcast_flood", "mcast_flood");
    port.on_off(BridgePort::BCAST_FLOOD, "bcast_flood", "bcast_flood");
    port.on_off(BridgePort::MCAST_TO_UCAST, "mcast_to_unicast", "mcast_to_unicast");
    port.on_off(BridgePort::NEIGH_SUPPRESS, "neigh_suppress", "neigh_suppress");
    if let Some(mask) = port.get(BridgePort::GROUP_FWD_MASK) {
        port.row.field("group_fwd_mask", "group_fwd_mask", Mask(mask.into()));
        port.row.field("group_fwd_mask_str", "group_fwd_mask_str", ForwardedGroups(mask));
    }
    port.on_off(BridgePort::VLAN_TUNNEL, "vlan_tunnel", "vlan_tunnel");
    port.on_off(BridgePort::ISOLATED, "isolated", "isolated");
    port.on_off(BridgePort::LOCKED, "locked", "locked");
    if let Some(index) = port.get(BridgePort::BACKUP_PORT) {
        let name = port.known.name(index);
        port.row.field("backup_port", "backup_port", name);
    }
}

/// What only bridges need of their attributes.
impl<S: Table> Fields<'_, '_, S> {
    /// A bridge's id: its priority, then its address.
    fn id(&mut self, key: Key<S, BridgeId>, json: &'static str, label: &'static str) {
        if let Some(id) = self.get(key) {
            self.row.field(json, label, Identity(id));
        }
    }

    /// A number of 16 bits in hexadecimal.
    fn mask(&mut self, key: Key<S, u16>, json: &'static str, label: &'static str) {
        if let Some(value) = self.get(key) {
            self.row.field(json, label, Mask(value.into()));
        }
    }
}

/// A bridge's id: four digits of priority, then its address without leading zeros, as `ether_ntoa(3)` has it.
struct Identity(BridgeId);

impl Show for Identity {
    const KIND: Kind = Kind::Plain;

    fn show(&self, bytes: &mut Vec<u8>) {
        let [high, low] = self.0.prio;
        let [a, b, c, d, e, f] = self.0.addr;
        Formatted(format_args!("{high:02x}{low:02x}.{a:x}:{b:x}:{c:x}:{d:x}:{e:x}:{f:x}")).show(bytes);
    }
}

/// Which link-local groups a port forwards: by name where they have one, else by bit.
struct ForwardedGroups(u16);

impl Show for ForwardedGroups {
    const KIND: Kind = Kind::Plain;

    fn show(&self, bytes: &mut Vec<u8>) {
        let mut separator = "";
        for bit in (0..16).filter(|bit| self.0 & (1 << bit) != 0) {
            bytes.extend_from_slice(separator.as_bytes());
            separator = ",";
            match bit {
                0 => bytes.extend_from_slice(b"stp"),
                2 => bytes.extend_from_slice(b"lacp"),
                14 => bytes.extend_from_slice(b"lldp"),
                _ => Formatted(format_args!("{:#x}", 1 << bit)).show(bytes),
            }
        }
        if self.0 == 0 {
            bytes.extend_from_slice(b"0x0");
        }
    }
}
