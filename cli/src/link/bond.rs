//! Bonds and their ports.

use ringlink::codec::route::{Bond, BondAdInfo, BondPort};

use super::fields::Fields;

pub(super) const MODES: [&str; 7] =
    ["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"];
pub(super) const ARP_VALIDATE: [&str; 7] =
    ["none", "active", "backup", "all", "filter", "filter_active", "filter_backup"];
pub(super) const ARP_ALL_TARGETS: [&str; 2] = ["any", "all"];
pub(super) const PRIMARY_RESELECT: [&str; 3] = ["always", "better", "failure"];
pub(super) const FAIL_OVER_MAC: [&str; 3] = ["none", "active", "follow"];
pub(super) const XMIT_HASH_POLICY: [&str; 6] =
    ["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4", "vlan+srcmac"];
pub(super) const LACP_ACTIVE: [&str; 2] = ["off", "on"];
pub(super) const LACP_RATE: [&str; 2] = ["slow", "fast"];
pub(super) const AD_SELECT: [&str; 3] = ["stable", "bandwidth", "count"];

/// What a bond is set to, and which port is the active one.
pub(super) fn bond(bond: &mut Fields<'_, '_, Bond>) {
    if let Some(mode) = bond.get(Bond::MODE) {
        bond.named("mode", "mode", &MODES, mode.0.into());
    }
    bond.interface(Bond::ACTIVE_SLAVE, "active_slave", "active_slave");
    bond.same(Bond::MIIMON, "miimon");
    bond.same(Bond::UPDELAY, "updelay");
    bond.same(Bond::DOWNDELAY, "downdelay");
    bond.same(Bond::PEER_NOTIF_DELAY, "peer_notify_delay");
    bond.same(Bond::USE_CARRIER, "use_carrier");
    bond.same(Bond::ARP_INTERVAL, "arp_interval");
    bond.same(Bond::MISSED_MAX, "arp_missed_max");
    if let Some(targets) = bond.get(Bond::ARP_IP_TARGET) {
        let targets: Vec<_> = targets.filter_map(|target| bond.stick(target)).map(|(_, target)| target).collect();
        if !targets.is_empty() {
            bond.row.word("arp_ip_target");
            bond.row.joined("arp_ip_target", ["", ",", ""], targets);
        }
    }
    if let Some(targets) = bond.get(Bond::NS_IP6_TARGET) {
        let targets: Vec<_> = targets.filter_map(|target| bond.stick(target)).map(|(_, target)| target).collect();
        if !targets.is_empty() {
            bond.row.word("ns_ip6_target");
            bond.row.joined("ns_ip6_target", ["", ",", ""], targets);
        }
    }
    match bond.get(Bond::ARP_VALIDATE).map(|value| value.0) {
        None => {}
        Some(0) => {
            bond.row.null("arp_validate", "arp_validate");
            bond.row.word("none");
        }
        Some(value) => bond.named("arp_validate", "arp_validate", &ARP_VALIDATE, value.into()),
    }
    if let Some(value) = bond.get(Bond::ARP_ALL_TARGETS) {
        bond.named("arp_all_targets", "arp_all_targets", &ARP_ALL_TARGETS, value.0.into());
    }
    bond.interface(Bond::PRIMARY, "primary", "primary");
    if let Some(value) = bond.get(Bond::PRIMARY_RESELECT) {
        bond.named("primary_reselect", "primary_reselect", &PRIMARY_RESELECT, value.0.into());
    }
    if let Some(value) = bond.get(Bond::FAIL_OVER_MAC) {
        bond.named("fail_over_mac", "fail_over_mac", &FAIL_OVER_MAC, value.0.into());
    }
    if let Some(value) = bond.get(Bond::XMIT_HASH_POLICY) {
        bond.named("xmit_hash_policy", "xmit_hash_policy", &XMIT_HASH_POLICY, value.0.into());
    }
    bond.same(Bond::RESEND_IGMP, "resend_igmp");
    bond.show(Bond::NUM_PEER_NOTIF, "num_peer_notif", "num_grat_arp");
    bond.same(Bond::ALL_SLAVES_ACTIVE, "all_slaves_active");
    bond.same(Bond::MIN_LINKS, "min_links");
    bond.same(Bond::LP_INTERVAL, "lp_interval");
    bond.same(Bond::PACKETS_PER_SLAVE, "packets_per_slave");
    if let Some(value) = bond.get(Bond::AD_LACP_ACTIVE) {
        bond.named("ad_lacp_active", "lacp_active", &LACP_ACTIVE, value.into());
    }
    if let Some(value) = bond.get(Bond::AD_LACP_RATE) {
        bond.named("ad_lacp_rate", "lacp_rate", &LACP_RATE, value.0.into());
    }
    if let Some(value) = bond.get(Bond::AD_SELECT) {
        bond.named("ad_select", "ad_select", &AD_SELECT, value.0.into());
    }
    if let Some(info) = bond.get(Bond::AD_INFO) {
        if bond.row.is_json() {
            let printed = bond.row.object("ad_info", |row| Fields::print(row, bond.known, info, aggregator));
            bond.stick(printed);
        } else {
            bond.within(info, aggregator);
        }
    }
    bond.same(Bond::AD_ACTOR_SYS_PRIO, "ad_actor_sys_prio");
    bond.same(Bond::AD_USER_PORT_KEY, "ad_user_port_key");
    bond.same(Bond::AD_ACTOR_SYSTEM, "ad_actor_system");
    bond.same(Bond::TLB_DYNAMIC_LB, "tlb_dynamic_lb");
}

/// What LACP has come to.
fn aggregator(info: &mut Fields<'_, '_, BondAdInfo>) {
    info.show(BondAdInfo::AGGREGATOR, "aggregator", "ad_aggregator");
    info.show(BondAdInfo::NUM_PORTS, "num_ports", "ad_num_ports");
    info.show(BondAdInfo::ACTOR_KEY, "actor_key", "ad_actor_key");
    info.show(BondAdInfo::PARTNER_KEY, "partner_key", "ad_partner_key");
    info.show(BondAdInfo::PARTNER_MAC, "partner_mac", "ad_partner_mac");
}

/// What a port of a bond is set to and does.
pub(super) fn port(port: &mut Fields<'_, '_, BondPort>) {
    if let Some(state) = port.get(BondPort::STATE) {
        port.state(["state", "state_index"], &["ACTIVE", "BACKUP"], state.0);
    }
    if let Some(status) = port.get(BondPort::MII_STATUS) {
        port.state(["mii_status", "mii_status_index"], &["UP", "GOING_DOWN", "DOWN", "GOING_BACK"], status.0);
    }
    port.same(BondPort::LINK_FAILURE_COUNT, "link_failure_count");
    port.same(BondPort::PERM_HWADDR, "perm_hwaddr");
    port.same(BondPort::QUEUE_ID, "queue_id");
    port.same(BondPort::PRIO, "prio");
    port.same(BondPort::AD_AGGREGATOR_ID, "ad_aggregator_id");
    if let Some(state) = port.get(BondPort::AD_ACTOR_OPER_PORT_STATE) {
        port.row.field("ad_actor_oper_port_state", "ad_actor_oper_port_state", state.0);
        port.lacp_state("ad_actor_oper_port_state_str", state.0.into());
    }
    if let Some(state) = port.get(BondPort::AD_PARTNER_OPER_PORT_STATE) {
        port.row.field("ad_partner_oper_port_state", "ad_partner_oper_port_state", state);
        port.lacp_state("ad_partner_oper_port_state_str", state);
    }
}

impl Fields<'_, '_, BondPort> {
    /// A state by its name, or without one by its number under another key.
    fn state(&mut self, [key, number]: [&'static str; 2], names: &[&'static str], state: u8) {
        match names.get(usize::from(state)) {
            Some(name) => self.row.field(key, key, *name),
            None => self.row.field(number, key, state),
        }
    }

    /// What one end of LACP is doing (IEEE 802.1AX).
    fn lacp_state(&mut self, name: &'static str, state: u16) {
        const NAMES: [&str; 8] =
            ["active", "short_timeout", "aggregating", "in_sync", "collecting", "distributing", "defaulted", "expired"];
        let set = (0..).zip(NAMES).filter(|(bit, _)| state & (1 << bit) != 0).map(|(_, name)| name);
        self.row.word(name);
        self.row.joined(name, ["<", ",", ">"], set);
    }
}
