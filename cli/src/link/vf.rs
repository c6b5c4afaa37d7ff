//! The virtual functions of a device.

use ringlink::codec::Error;
use ringlink::codec::route::{EtherType, LinkFlags, LinkHeader, Vf, VfList, VfStats, VfSwitch, VfVlanList};
use ringlink::codec::table::{Attributes, HardwareAddress, Key};

use super::fields::{Fields, Small};
use super::kinds::VlanProtocol;
use super::known::Known;
use super::row::{Address, TypeName};
use crate::output::{Formatted, Output};

/// Prints the virtual functions of the device with this header, their counters where `statistics` says so.
///
/// # Errors
///
/// The first attribute that cannot be read; the others are printed.
pub(super) fn print(
    row: &mut Output,
    known: &mut Known,
    functions: Attributes<'_, VfList>,
    header: LinkHeader,
    statistics: bool,
) -> Result<(), Error> {
    row.list("vfinfo_list", |row| {
        for function in functions.all(VfList::INFO) {
            row.entry(|row| Fields::print(row, known, function?, |fields| fields.function(header, statistics)))?;
        }
        Ok(())
    })
}

impl Fields<'_, '_, Vf> {
    fn function(&mut self, header: LinkHeader, statistics: bool) {
        self.row.line("    ");
        if let Some(mac) = self.get(Vf::MAC) {
            self.row.field("vf", "vf", mac.vf);
            self.row.json("link_type", TypeName(header.kind));
            self.row.word("    link/");
            self.row.glue(TypeName(header.kind));
            self.address("address", "", header, &mac.mac);
        }
        if let Some(broadcast) = self.get(Vf::BROADCAST) {
            let to_one = header.flags.contains(LinkFlags::POINTOPOINT);
            if to_one {
                self.row.json("link_pointtopoint", true);
            }
            self.address("broadcast", if to_one { "peer" } else { "brd" }, header, &broadcast.broadcast);
        }
        self.vlans();
        if let Some(rate) = self.get(Vf::TX_RATE).filter(|rate| rate.rate != 0) {
            self.row.json("tx_rate", rate.rate);
            self.row.glue(Formatted(format_args!(", tx rate {} (Mbps)", rate.rate)));
        }
        if let Some(rate) = self.get(Vf::RATE) {
            if self.row.is_json() {
                self.row.object("rate", |row| {
                    row.json("max_tx", rate.max_tx_rate);
                    row.json("min_tx", rate.min_tx_rate);
                });
            }
            for (name, rate) in [("max_tx_rate", rate.max_tx_rate), ("min_tx_rate", rate.min_tx_rate)] {
                if rate != 0 {
                    self.row.glue(Formatted(format_args!(", {name} {rate}Mbps")));
                }
            }
        }
        self.setting(Vf::SPOOFCHK, "spoofchk", [", spoof checking on", ", spoof checking off"]);
        for (key, name, label) in
            [(Vf::IB_NODE_GUID, "node guid", ", NODE_GUID "), (Vf::IB_PORT_GUID, "port guid", ", PORT_GUID ")]
        {
            if let Some(guid) = self.get(key) {
                let bytes = guid.guid.to_be_bytes();
                self.row.json(name, HardwareAddress(&bytes));
                self.row.glue(label);
                self.row.glue(HardwareAddress(&bytes));
            }
        }
        if let Some(link) = self.get(Vf::LINK_STATE) {
            let state = Small(link.link_state.name().unwrap_or("DISABLE"));
            self.row.glue(", link-state ");
            self.row.tight();
            self.row.field("link_state", "", state);
        }
        self.setting(Vf::TRUST, "trust", [", trust on", ", trust off"]);
        self.setting(Vf::RSS_QUERY_EN, "query_rss_en", [", query_rss on", ", query_rss off"]);
        if let Some(counters) = self.get(Vf::STATS).filter(|_| statistics) {
            let known = &mut *self.known;
            let printed = self.row.object("stats", |row| Fields::print(row, known, counters, Fields::counters));
            self.stick(printed);
        }
    }

    /// An address that stands at the beginning of 32 bytes.
    fn address(&mut self, json: &'static str, label: &'static str, header: LinkHeader, bytes: &[u8]) {
        let length = if header.kind.0 == 32 { 20 } else { 6 };
        let address = HardwareAddress(bytes.get(..length).unwrap_or(bytes));
        self.row.field(json, label, Address { address, kind: header.kind });
    }

    /// Its VLANs, or the one that old kernels tell.
    fn vlans(&mut self) {
        let Some(list) = self.get(Vf::VLAN_LIST) else {
            if let Some(vlan) = self.get(Vf::VLAN) {
                vlan_words(self.row, vlan.vlan, vlan.qos);
            }
            return;
        };
        self.row.list("vlan_list", |row| {
            for vlan in list.all(VfVlanList::INFO).flatten() {
                row.entry(|row| {
                    vlan_words(row, vlan.vlan, vlan.qos);
                    let protocol = EtherType(vlan.vlan_proto.get());
                    if protocol != EtherType::_8021Q && protocol.0 != 0 {
                        row.json("protocol", VlanProtocol(protocol));
                        row.glue(", vlan protocol ");
                        row.glue(VlanProtocol(protocol));
                    }
                });
            }
        });
    }

    /// Something that is on or off, unless the driver does not know.
    fn setting(&mut self, key: Key<Vf, VfSwitch>, json: &'static str, [on, off]: [&'static str; 2]) {
        if let Some(switch) = self.get(key).filter(|switch| switch.setting != u32::MAX) {
            self.row.json(json, switch.setting != 0);
            self.row.glue(if switch.setting != 0 { on } else { off });
        }
    }
}

fn vlan_words(row: &mut Output, vlan: u32, priority: u32) {
    if vlan != 0 {
        row.json("vlan", vlan);
        row.glue(Formatted(format_args!(", vlan {vlan}")));
    }
    if priority != 0 {
        row.json("qos", priority);
        row.glue(Formatted(format_args!(", qos {priority}")));
    }
}

impl Fields<'_, '_, VfStats> {
    fn counters(&mut self) {
        let columns = [
            ("rx", [("bytes", VfStats::RX_BYTES), ("packets", VfStats::RX_PACKETS)].as_slice()),
            ("tx", [("tx_bytes", VfStats::TX_BYTES), ("tx_packets", VfStats::TX_PACKETS)].as_slice()),
        ];
        for (direction, keys) in columns {
            let mut counters: Vec<_> = keys.iter().map(|(name, key)| (*name, self.get(*key).unwrap_or(0))).collect();
            if direction == "rx" {
                counters.push(("multicast", self.get(VfStats::MULTICAST).unwrap_or(0)));
                counters.push(("broadcast", self.get(VfStats::BROADCAST).unwrap_or(0)));
            }
            counters.push((
                "dropped",
                self.get(if direction == "rx" { VfStats::RX_DROPPED } else { VfStats::TX_DROPPED }).unwrap_or(0),
            ));
            self.row.line("    ");
            self.row.object(direction, |row| {
                row.word(if direction == "rx" { "RX:" } else { "TX:" });
                counters.iter().for_each(|(name, counter)| row.field(name, name, *counter));
            });
        }
    }
}
