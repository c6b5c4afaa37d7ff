//! VXLAN and Geneve: Ethernet in UDP.

use ringlink::codec::route::{Geneve, Vxlan};
use ringlink::codec::table::{Be32, Key, Table};

use super::fields::Fields;

/// Whether the bit "do not fragment" is set on the outside, by the kernel's number.
const FRAGMENTATION: [&str; 3] = ["unset", "set", "inherit"];

/// What a VXLAN is set to.
pub(super) fn vxlan(vxlan: &mut Fields<'_, '_, Vxlan>) {
    vxlan.switch(Vxlan::COLLECT_METADATA, "external", "external");
    vxlan.switch(Vxlan::VNIFILTER, "vnifilter", "vnifilter");
    let Some(id) = vxlan.get(Vxlan::ID) else { return };
    vxlan.row.field("id", "id", id);
    match vxlan.get(Vxlan::GROUP) {
        Some(group) if group.is_multicast() => vxlan.row.field("group", "group", group),
        Some(remote) if !remote.is_unspecified() => vxlan.row.field("remote", "remote", remote),
        Some(_) => {}
        None => match vxlan.get(Vxlan::GROUP6) {
            Some(group) if group.is_multicast() => vxlan.row.field("group6", "group", group),
            Some(remote) if !remote.is_unspecified() => vxlan.row.field("remote6", "remote", remote),
            _ => {}
        },
    }
    match vxlan.get(Vxlan::LOCAL) {
        Some(local) => {
            if !local.is_unspecified() {
                vxlan.row.field("local", "local", local);
            }
        }
        None => {
            if let Some(local) = vxlan.get(Vxlan::LOCAL6).filter(|local| !local.is_unspecified()) {
                vxlan.row.field("local6", "local", local);
            }
        }
    }
    vxlan.interface(Vxlan::LINK, "link", "dev");
    if let Some(range) = vxlan.get(Vxlan::PORT_RANGE) {
        vxlan.row.word("srcport");
        vxlan.row.object("port_range", |object| {
            object.field("low", "", range.low.get());
            object.field("high", "", range.high.get());
        });
    }
    vxlan.show(Vxlan::PORT, "port", "dstport");
    if let Some(learning) = vxlan.get(Vxlan::LEARNING) {
        vxlan.row.json("learning", learning != 0);
        if learning == 0 {
            vxlan.row.word("nolearning");
        }
    }
    vxlan.switch(Vxlan::PROXY, "proxy", "proxy");
    vxlan.switch(Vxlan::RSC, "rsc", "rsc");
    vxlan.switch(Vxlan::L2MISS, "l2miss", "l2miss");
    vxlan.switch(Vxlan::L3MISS, "l3miss", "l3miss");
    vxlan.class(Vxlan::TOS);
    let inherit = vxlan.get(Vxlan::TTL_INHERIT).unwrap_or(false);
    vxlan.lifetime(Vxlan::TTL, inherit);
    let fragmentation = vxlan.get(Vxlan::DF).map(|fragmentation| fragmentation.0);
    vxlan.fragmentation(fragmentation);
    vxlan.label(Vxlan::LABEL);
    if let Some(seconds) = vxlan.get(Vxlan::AGEING) {
        vxlan.row.json("ageing", seconds);
        vxlan.row.word("ageing");
        match seconds {
            0 => vxlan.row.word("none"),
            seconds => vxlan.row.word(seconds),
        }
    }
    if let Some(limit) = vxlan.get(Vxlan::LIMIT).filter(|limit| *limit != 0) {
        vxlan.row.field("limit", "maxaddr", limit);
    }
    vxlan.either(Vxlan::UDP_CSUM, "udp_csum", ["udpcsum", "noudpcsum"]);
    vxlan.either(Vxlan::UDP_ZERO_CSUM6_TX, "udp_zero_csum6_tx", ["udp6zerocsumtx", "noudp6zerocsumtx"]);
    vxlan.either(Vxlan::UDP_ZERO_CSUM6_RX, "udp_zero_csum6_rx", ["udp6zerocsumrx", "noudp6zerocsumrx"]);
    vxlan.switch(Vxlan::REMCSUM_TX, "remcsum_tx", "remcsumtx");
    vxlan.switch(Vxlan::REMCSUM_RX, "remcsum_rx", "remcsumrx");
    vxlan.present(Vxlan::GBP, "gbp", "gbp");
    vxlan.present(Vxlan::GPE, "gpe", "gpe");
}

/// What a Geneve tunnel is set to.
pub(super) fn geneve(geneve: &mut Fields<'_, '_, Geneve>) {
    geneve.present(Geneve::COLLECT_METADATA, "external", "external");
    let Some(id) = geneve.get(Geneve::ID) else { return };
    geneve.row.field("id", "id", id);
    if let Some(remote) = geneve.get(Geneve::REMOTE).filter(|remote| !remote.is_unspecified()) {
        geneve.row.field("remote", "remote", remote);
    } else if let Some(remote) = geneve.get(Geneve::REMOTE6).filter(|remote| !remote.is_unspecified()) {
        geneve.row.field("remote6", "remote", remote);
    }
    let inherit = geneve.get(Geneve::TTL_INHERIT).is_some_and(|inherit| inherit != 0);
    geneve.lifetime(Geneve::TTL, inherit);
    geneve.class(Geneve::TOS);
    let fragmentation = geneve.get(Geneve::DF).map(|fragmentation| fragmentation.0);
    geneve.fragmentation(fragmentation);
    geneve.label(Geneve::LABEL);
    geneve.show(Geneve::PORT, "port", "dstport");
    geneve.either(Geneve::UDP_CSUM, "udp_csum", ["udpcsum", "noudpcsum"]);
    geneve.either(Geneve::UDP_ZERO_CSUM6_TX, "udp_zero_csum6_tx", ["udp6zerocsumtx", "noudp6zerocsumtx"]);
    geneve.either(Geneve::UDP_ZERO_CSUM6_RX, "udp_zero_csum6_rx", ["udp6zerocsumrx", "noudp6zerocsumrx"]);
    geneve.present(Geneve::INNER_PROTO_INHERIT, "inner_proto_inherit", "innerprotoinherit");
}

/// What VXLAN and Geneve have in common.
impl<S: Table> Fields<'_, '_, S> {
    /// Hops that the outside may make: as the inside where `inherit` says so, 0 for the kernel's choice.
    fn lifetime(&mut self, key: Key<S, u8>, inherit: bool) {
        if inherit {
            self.row.word("ttl");
            return self.row.word("inherit");
        }
        let hops = self.get(key).unwrap_or(0);
        self.row.json("ttl", hops);
        self.row.word("ttl");
        match hops {
            0 => self.row.word("auto"),
            hops => self.row.word(hops),
        }
    }

    /// Traffic class of the outside; 1 for that of the inside.
    pub(super) fn class(&mut self, key: Key<S, u8>) {
        match self.get(key) {
            None | Some(0) => {}
            Some(1) if !self.row.is_json() => {
                self.row.word("tos");
                self.row.word("inherit");
            }
            Some(class) => self.hex("tos", "tos", class),
        }
    }

    /// Whether the outside may be fragmented; in text nothing where that is as it is by default.
    fn fragmentation(&mut self, value: Option<u8>) {
        let Some(value) = value else { return };
        if self.row.is_json() || value != 0 {
            self.named("df", "df", &FRAGMENTATION, value.into());
        }
    }

    /// Flow label of an IPv6 outside.
    fn label(&mut self, key: Key<S, Be32>) {
        if let Some(label) = self.get(key).filter(|label| *label != 0) {
            self.hex("label", "flowlabel", label);
        }
    }
}
