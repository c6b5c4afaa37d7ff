//! What an interface is set to by its kind, and as a port of another one.
//!
//! Kinds that have nothing of their own to print (veth, dummy, ifb, wireguard …) are named only, and so are those that
//! this program does not know.

use ringlink::codec::route::{
    Bond, BondPort, Bridge, BridgePort, EtherType, Geneve, Gre, Ip6Tunnel, IpTunnel, Ipvlan, IpvlanFlags, LinkData,
    LinkInfo, LinkSlaveData, Macsec, MacsecCipher, Macvlan, MacvlanAddresses, MacvlanFlags, MacvlanMode, Tun, Vlan,
    VlanFlags, VlanQos, Vrf, VrfPort, Vti, Vxlan, XfrmInterface,
};
use ringlink::codec::table::{Alternative, Attributes, Nest, Table};
use ringlink::codec::{Error, Text};

use super::fields::{Fields, Small};
use super::known::Known;
use super::{bond, bridge, tunnels, vxlan};
use crate::output::{Formatted, Kind, Output, Show};

/// Prints an interface's kind and what goes with it.
///
/// # Errors
///
/// The first attribute that cannot be read; the others are printed.
pub(super) fn print<'a>(row: &mut Output, known: &mut Known, info: Attributes<'a, LinkInfo>) -> Result<(), Error> {
    Fields::print(row, known, info, |info| {
        if let Some(kind) = info.get(LinkInfo::KIND) {
            info.row.line("    ");
            info.row.field("info_kind", "", kind);
            info.data(kind);
        }
        if let Some(kind) = info.get(LinkInfo::SLAVE_KIND) {
            info.row.line("    ");
            info.row.json("info_slave_kind", kind);
            info.row.word(kind);
            info.row.glue("_slave");
            info.port(kind);
        }
    })
}

/// A printer of one kind's attributes.
type Print<T> = fn(&mut Fields<'_, '_, T>);

impl<'a> Fields<'_, 'a, LinkInfo> {
    /// What it is set to by its kind.
    fn data(&mut self, kind: Text<'_>) {
        match kind.as_bytes() {
            b"bond" => self.kind(Bond, bond::bond),
            b"bridge" => self.kind(Bridge, bridge::bridge),
            b"geneve" => self.kind(Geneve, vxlan::geneve),
            b"gre" | b"gretap" | b"erspan" => self.kind(Gre, tunnels::gre),
            b"ip6gre" | b"ip6gretap" | b"ip6erspan" => self.kind(Gre, tunnels::gre6),
            b"ip6tnl" => self.kind(Ip6Tunnel, tunnels::ip6tnl),
            b"ipip" | b"sit" => self.kind(IpTunnel, tunnels::ipip),
            b"ipvlan" | b"ipvtap" => self.kind(Ipvlan, ipvlan),
            b"macsec" => self.kind(Macsec, macsec),
            b"macvlan" | b"macvtap" => self.kind(Macvlan, macvlan),
            b"tun" => self.kind(Tun, tun),
            b"vlan" => self.kind(Vlan, vlan),
            b"vrf" => self.kind(Vrf, |vrf| vrf.same(Vrf::TABLE, "table")),
            b"vti" | b"vti6" => self.kind(Vti, tunnels::vti),
            b"vxlan" => self.kind(Vxlan, vxlan::vxlan),
            b"xfrm" => self.kind(XfrmInterface, tunnels::xfrm),
            _ => {}
        }
    }

    /// What it is set to as a port.
    fn port(&mut self, kind: Text<'_>) {
        match kind.as_bytes() {
            b"bond" => self.slave(BondPort, bond::port),
            b"bridge" => self.slave(BridgePort, bridge::port),
            b"vrf" => self.slave(VrfPort, |port| port.same(VrfPort::TABLE, "table")),
            _ => {}
        }
    }

    fn kind<T: Table>(&mut self, nest: T, print: Print<T>)
    where
        Nest<T>: Alternative<LinkData>,
    {
        let data = self.chosen(LinkInfo::DATA, nest);
        self.object("info_data", data, print);
    }

    fn slave<T: Table>(&mut self, nest: T, print: Print<T>)
    where
        Nest<T>: Alternative<LinkSlaveData>,
    {
        let data = self.chosen(LinkInfo::SLAVE_DATA, nest);
        self.object("info_slave_data", data, print);
    }

    /// An object, empty where there are no attributes.
    fn object<T: Table>(&mut self, key: &'static str, data: Option<Attributes<'a, T>>, print: Print<T>) {
        let known = &mut *self.known;
        let printed = self.row.object(key, |row| match data {
            Some(data) => Fields::print(row, known, data, |fields| print(fields)),
            None => Ok(()),
        });
        self.stick(printed);
    }
}

fn vlan(vlan: &mut Fields<'_, '_, Vlan>) {
    vlan.map(Vlan::PROTOCOL, "protocol", "protocol", VlanProtocol);
    vlan.same(Vlan::ID, "id");
    if let Some(change) = vlan.get(Vlan::FLAGS) {
        const NAMES: [(VlanFlags, &str); 5] = [
            (VlanFlags::REORDER_HDR, "REORDER_HDR"),
            (VlanFlags::GVRP, "GVRP"),
            (VlanFlags::MVRP, "MVRP"),
            (VlanFlags::LOOSE_BINDING, "LOOSE_BINDING"),
            (VlanFlags::BRIDGE_BINDING, "BRIDGE_BINDING"),
        ];
        let flags = NAMES.iter().filter(|(flag, _)| change.flags.contains(*flag)).map(|(_, name)| *name);
        vlan.row.joined("flags", ["<", ",", ">"], flags);
    }
    if let Some(mappings) = vlan.get(Vlan::INGRESS_QOS) {
        priorities(vlan.row, "ingress_qos", "ingress-qos-map", mappings);
    }
    if let Some(mappings) = vlan.get(Vlan::EGRESS_QOS) {
        priorities(vlan.row, "egress_qos", "egress-qos-map", mappings);
    }
}

/// How priorities are translated, on a line of its own.
fn priorities(row: &mut Output, key: &'static str, label: &'static str, mappings: Attributes<'_, VlanQos>) {
    row.line("      ");
    row.word(label);
    row.word("{");
    row.list(key, |row| {
        for mapping in mappings.all(VlanQos::MAPPING).flatten() {
            row.entry(|row| {
                row.field("from", "", mapping.from);
                row.glue(":");
                row.tight();
                row.field("to", "", mapping.to);
            });
        }
    });
    row.word("}");
}

/// The protocol of a VLAN tag.
pub(super) struct VlanProtocol(pub(super) EtherType);

impl Show for VlanProtocol {
    const KIND: Kind = Kind::Plain;

    fn show(&self, bytes: &mut Vec<u8>) {
        match self.0 {
            EtherType::_8021Q => bytes.extend_from_slice(b"802.1Q"),
            EtherType::_8021AD => bytes.extend_from_slice(b"802.1ad"),
            other => Formatted(format_args!("[{}]", other.0)).show(bytes),
        }
    }
}

fn macvlan(macvlan: &mut Fields<'_, '_, Macvlan>) {
    let mode = macvlan.get(Macvlan::MODE);
    if let Some(mode) = mode {
        match mode.name() {
            Some(name) => macvlan.row.field("mode", "mode", Small(name)),
            None => macvlan.row.field("mode", "mode", "unknown"),
        }
    }
    if let Some(flags) = macvlan.get(Macvlan::FLAGS) {
        if flags.contains(MacvlanFlags::NOPROMISC) {
            macvlan.row.yes("nopromisc", "nopromisc");
        }
        if flags.contains(MacvlanFlags::NODST) {
            macvlan.row.yes("nodst", "nodst");
        }
    }
    macvlan.show(Macvlan::BC_QUEUE_LEN, "bcqueuelen", "bcqueuelen");
    macvlan.show(Macvlan::BC_QUEUE_LEN_USED, "usedbcqueuelen", "usedbcqueuelen");
    if mode != Some(MacvlanMode::SOURCE) {
        return;
    }
    if let Some(count) = macvlan.get(Macvlan::MACADDR_COUNT) {
        macvlan.row.json("macaddr_count", count);
        macvlan.row.word("remotes");
        macvlan.row.word(Formatted(format_args!("({count})")));
    }
    if let Some(addresses) = macvlan.get(Macvlan::MACADDR_DATA) {
        macvlan.row.list("macaddr_data", |row| {
            addresses.all(MacvlanAddresses::MACADDR).flatten().for_each(|address| row.item(address));
        });
    }
}

fn ipvlan(ipvlan: &mut Fields<'_, '_, Ipvlan>) {
    if let Some(mode) = ipvlan.get(Ipvlan::MODE) {
        match mode.name() {
            Some(name) => ipvlan.row.field("mode", "mode", Small(name)),
            None => ipvlan.row.field("mode", "mode", "unknown"),
        }
    }
    if let Some(flags) = ipvlan.get(Ipvlan::FLAGS) {
        let word = match flags {
            flags if flags.contains(IpvlanFlags::PRIVATE) => "private",
            flags if flags.contains(IpvlanFlags::VEPA) => "vepa",
            _ => "bridge",
        };
        ipvlan.row.yes(word, word);
    }
}

fn tun(tun: &mut Fields<'_, '_, Tun>) {
    let Some(kind) = tun.get(Tun::TYPE) else { return };
    match kind.name() {
        Some(name) => tun.row.field("type", "type", Small(name)),
        None => tun.row.field("type", "type", Formatted(format_args!("UNKNOWN:{}", kind.0))),
    }
    tun.on_off(Tun::PI, "pi", "pi");
    tun.on_off(Tun::VNET_HDR, "vnet_hdr", "vnet_hdr");
    if let Some(several) = tun.get(Tun::MULTI_QUEUE) {
        tun.row.json("multi_queue", several != 0);
        if several != 0 {
            tun.row.word("multi_queue");
            tun.show(Tun::NUM_QUEUES, "numqueues", "numqueues");
            tun.show(Tun::NUM_DISABLED_QUEUES, "numdisabled", "numdisabled");
        }
    }
    tun.on_off(Tun::PERSIST, "persist", "persist");
    if let Some(owner) = tun.get(Tun::OWNER) {
        tun.row.field("user", "user", account("/etc/passwd", owner).as_str());
    }
    if let Some(group) = tun.get(Tun::GROUP) {
        tun.row.field("group", "group", account("/etc/group", group).as_str());
    }
}

/// The name of a user or group by the file that lists them, or the number.
fn account(file: &str, number: u32) -> String {
    let text = std::fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let name = text.lines().find_map(|line| {
        let mut parts = line.split(':');
        let (name, _, found) = (parts.next()?, parts.next()?, parts.next()?);
        (found.parse() == Ok(number)).then(|| name.to_owned())
    });
    name.unwrap_or_else(|| number.to_string())
}

fn macsec(macsec: &mut Fields<'_, '_, Macsec>) {
    if let Some(channel) = macsec.get(Macsec::SCI) {
        macsec.row.field("sci", "sci", Formatted(format_args!("{channel:016x}")));
    }
    macsec.on_off(Macsec::PROTECT, "protect", "protect");
    if let Some(cipher) = macsec.get(Macsec::CIPHER_SUITE) {
        let name = match cipher {
            MacsecCipher::DEFAULT_CIPHER_ID | MacsecCipher::CIPHER_ID_GCM_AES_128 => "GCM-AES-128",
            MacsecCipher::CIPHER_ID_GCM_AES_256 => "GCM-AES-256",
            MacsecCipher::CIPHER_ID_GCM_AES_XPN_128 => "GCM-AES-XPN-128",
            MacsecCipher::CIPHER_ID_GCM_AES_XPN_256 => "GCM-AES-XPN-256",
            _ => "(unknown)",
        };
        macsec.row.field("cipher_suite", "cipher", name);
    }
    macsec.show(Macsec::ICV_LEN, "icv_len", "icvlen");
    macsec.show(Macsec::ENCODING_SA, "encoding_sa", "encodingsa");
    if let Some(validation) = macsec.get(Macsec::VALIDATION) {
        match validation.name() {
            Some(name) => macsec.row.field("validation", "validate", Small(name)),
            None => macsec.row.field("validation", "validate", "(unknown)"),
        }
    }
    macsec.on_off(Macsec::ENCRYPT, "encrypt", "encrypt");
    macsec.on_off(Macsec::INC_SCI, "inc_sci", "send_sci");
    macsec.on_off(Macsec::ES, "es", "end_station");
    macsec.on_off(Macsec::SCB, "scb", "scb");
    let protected = macsec.get(Macsec::REPLAY_PROTECT);
    macsec.on_off(Macsec::REPLAY_PROTECT, "replay_protect", "replay");
    if protected.is_some_and(|protected| protected != 0) {
        macsec.show(Macsec::WINDOW, "window", "window");
    }
}
