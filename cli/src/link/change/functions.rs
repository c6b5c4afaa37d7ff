//! `vf N …`: what is set of the virtual functions of a device.

use ringlink::codec::route::{
    EtherType, ExtMask, Link, LinkHeader, Rtm, Vf, VfGuid, VfLink, VfLinkState, VfList, VfMac, VfRate, VfSwitch,
    VfTxRate, VfVlan, VfVlanInfo, VfVlanList,
};
use ringlink::codec::table::AttributeWriter;

use super::readers::vlan_protocol_named;
use crate::arguments::{Words, hardware, keyword};
use crate::failure::Failure;
use crate::session::Session;

/// Words in the order in which `ip` takes abbreviations.
const WORDS: &[&str] = &[
    "mac",
    "vlan",
    "rate",
    "max_tx_rate",
    "min_tx_rate",
    "spoofchk",
    "query_rss",
    "trust",
    "state",
    "node_guid",
    "port_guid",
];

/// What the words cannot say by themselves.
#[derive(Default)]
pub(super) struct Device {
    /// Bytes of its hardware address, where it has one.
    address: Option<usize>,
    /// The rates that its functions have.
    rates: Vec<VfRate>,
}

impl Device {
    /// Asks the kernel.
    pub(super) fn ask(session: &mut Session, index: i32) -> Result<Self, Failure> {
        let header = LinkHeader { index, ..LinkHeader::default() };
        let wanted = ExtMask::VF | ExtMask::SKIP_STATS;
        let reply = session.connection.get(Rtm::GETLINK, header, |link| link.put(Link::EXT_MASK, wanted))?;
        let (address, functions) = reply.body().attributes.read((Link::ADDRESS, Link::VFINFO_LIST))?;
        let mut rates = Vec::new();
        for function in functions.into_iter().flat_map(|functions| functions.all(VfList::INFO)) {
            rates.extend(function?.get(Vf::RATE)?);
        }
        Ok(Self { address: address.map(|address| address.0.len()), rates })
    }
}

/// One virtual function, as the command line has it: what is not said stays as it is.
#[derive(Default)]
pub(super) struct Function {
    mac: Option<VfMac>,
    vlan: Option<VfVlan>,
    /// VLANs of which the first is not of 802.1Q, outermost first.
    vlans: Vec<VfVlanInfo>,
    tx_rate: Option<VfTxRate>,
    rate: Option<VfRate>,
    spoofchk: Option<VfSwitch>,
    query_rss: Option<VfSwitch>,
    trust: Option<VfSwitch>,
    state: Option<VfLink>,
    node_guid: Option<VfGuid>,
    port_guid: Option<VfGuid>,
}

impl Function {
    /// Reads the number and the words behind it, as long as they are words of a function.
    pub(super) fn read(words: &mut Words<'_>, device: &Device) -> Result<Self, Failure> {
        let vf = words.number()?;
        let mut function = Self::default();
        let (mut rate, mut least, mut most) = (None, None, None);
        let mut first = true;
        while let Some(word) = words.peek().and_then(|word| keyword(word, WORDS)) {
            words.next();
            first = false;
            match word {
                "mac" => function.mac = Some(VfMac { vf, mac: mac(words, device)? }),
                "vlan" => function.read_vlans(vf, words)?,
                "rate" => rate = Some(words.number()?),
                "max_tx_rate" => most = Some(words.number()?),
                "min_tx_rate" => least = Some(words.number()?),
                "spoofchk" => function.spoofchk = Some(switch(vf, words)?),
                "query_rss" => function.query_rss = Some(switch(vf, words)?),
                "trust" => function.trust = Some(switch(vf, words)?),
                "state" => function.state = Some(VfLink { vf, link_state: words.parse(STATES, state)? }),
                "node_guid" => function.node_guid = Some(id(vf, words)?),
                _ => function.port_guid = Some(id(vf, words)?),
            }
        }
        if first {
            const EXPECTED: &str = "what to set: mac, vlan, rate, max_tx_rate, min_tx_rate, spoofchk, query_rss, \
                                    trust, state, node_guid or port_guid";
            return Err(match words.next() {
                Some(_) => words.refuse(EXPECTED),
                None => words.refuse_end(EXPECTED),
            });
        }
        if least.is_none() && most.is_none() {
            // The attribute that old kernels have.
            function.tx_rate = rate.map(|rate| VfTxRate { vf, rate });
        } else {
            function.rate = Some(rates(vf, least, most.or(rate), device)?);
        }
        Ok(function)
    }

    /// Reads a VLAN, or several: an outer one of 802.1ad may be followed by others.
    fn read_vlans(&mut self, vf: u32, words: &mut Words<'_>) -> Result<(), Failure> {
        let VfVlanInfo { vlan, qos, vlan_proto, .. } = read_vlan(vf, words)?;
        if vlan_proto.get() == EtherType::_8021Q.0 {
            // The attribute that old kernels have.
            self.vlan = Some(VfVlan { vf, vlan, qos });
            return Ok(());
        }
        self.vlans = vec![VfVlanInfo { vf, vlan, qos, vlan_proto, pad: [0; 2] }];
        while words.take("vlan") {
            self.vlans.push(read_vlan(vf, words)?);
        }
        Ok(())
    }

    /// Writes it.
    pub(super) fn put(&self, function: &mut AttributeWriter<'_, '_, Vf>) {
        let Self { mac, vlan, vlans, tx_rate, rate, spoofchk, query_rss, trust, state, node_guid, port_guid } = self;
        function.put_some(Vf::MAC, *mac);
        function.put_some(Vf::VLAN, *vlan);
        if !vlans.is_empty() {
            function.nest(Vf::VLAN_LIST, |list| vlans.iter().for_each(|vlan| list.add(VfVlanList::INFO, *vlan)));
        }
        function.put_some(Vf::TX_RATE, *tx_rate);
        function.put_some(Vf::RATE, *rate);
        function.put_some(Vf::SPOOFCHK, *spoofchk);
        function.put_some(Vf::RSS_QUERY_EN, *query_rss);
        function.put_some(Vf::TRUST, *trust);
        function.put_some(Vf::LINK_STATE, *state);
        function.put_some(Vf::IB_NODE_GUID, *node_guid);
        function.put_some(Vf::IB_PORT_GUID, *port_guid);
    }
}

/// A hardware address, as long as the device's own: the kernel cannot tell how many of the 32 bytes are meant.
fn mac(words: &mut Words<'_>, device: &Device) -> Result<[u8; 32], Failure> {
    let address = words.parse("a hardware address (02:00:00:00:00:01)", hardware)?;
    let mut mac = [0; 32];
    match (mac.get_mut(..address.len()), device.address) {
        (Some(_), Some(length)) if length != 0 && length != address.len() => {
            Err(words.refuse(&format!("a hardware address of {length} bytes")))
        }
        (Some(bytes), _) => {
            bytes.copy_from_slice(&address);
            Ok(mac)
        }
        (None, _) => Err(words.refuse("a hardware address of at most 32 bytes")),
    }
}

fn read_vlan(vf: u32, words: &mut Words<'_>) -> Result<VfVlanInfo, Failure> {
    let vlan = words.number()?;
    let qos = if words.take("qos") { words.number()? } else { 0 };
    let protocol = match words.take("proto") {
        true => words.parse("802.1Q or 802.1ad", vlan_protocol_named)?,
        false => EtherType::_8021Q,
    };
    Ok(VfVlanInfo { vf, vlan, qos, vlan_proto: protocol.0.into(), pad: [0; 2] })
}

/// Both rates travel together: the one that is not said is the one that the function has.
fn rates(vf: u32, least: Option<u32>, most: Option<u32>, device: &Device) -> Result<VfRate, Failure> {
    let now = device.rates.iter().find(|rate| rate.vf == vf);
    let least = least.or_else(|| now.map(|now| now.min_tx_rate));
    let most = most.or_else(|| now.map(|now| now.max_tx_rate));
    match (least, most) {
        (Some(min_tx_rate), Some(max_tx_rate)) => Ok(VfRate { vf, min_tx_rate, max_tx_rate }),
        _ => Err(Failure::Input(format!(
            "the kernel does not tell the rates of virtual function {vf}: both min_tx_rate and max_tx_rate are needed"
        ))),
    }
}

fn switch(vf: u32, words: &mut Words<'_>) -> Result<VfSwitch, Failure> {
    let setting = words.parse("on or off", |word| match word {
        "on" => Some(1),
        "off" => Some(0),
        _ => None,
    })?;
    Ok(VfSwitch { vf, setting })
}

const STATES: &str = "auto, enable or disable";

fn state(word: &str) -> Option<VfLinkState> {
    match word {
        "auto" => Some(VfLinkState::AUTO),
        "enable" => Some(VfLinkState::ENABLE),
        "disable" => Some(VfLinkState::DISABLE),
        _ => None,
    }
}

/// An InfiniBand id: eight bytes of two digits each, the most significant first.
fn id(vf: u32, words: &mut Words<'_>) -> Result<VfGuid, Failure> {
    let guid = words.parse("eight bytes (00:11:22:33:44:55:66:77)", |word| {
        let bytes = hardware(word).filter(|_| word.len() == 23)?;
        Some(u64::from_be_bytes(bytes.try_into().ok()?))
    })?;
    Ok(VfGuid { vf, guid, ..VfGuid::default() })
}

#[cfg(test)]
mod tests {
    use ringlink::codec::wire::Writer;

    use super::*;

    fn words_of(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    fn device() -> Device {
        Device { address: Some(6), rates: vec![VfRate { vf: 2, min_tx_rate: 7, max_tx_rate: 9 }] }
    }

    /// What a line becomes, and the words behind it that are no function's.
    fn written(line: &str) -> Result<(Vec<u8>, usize), Failure> {
        let line = words_of(line);
        let mut words = Words::new(&line);
        let function = Function::read(&mut words, &device())?;
        let mut buffer = [0; 512];
        let mut writer = Writer::new(&mut buffer);
        function.put(&mut AttributeWriter::new(&mut writer));
        let rest = std::iter::from_fn(|| words.next()).count();
        Ok((writer.finish()?.to_vec(), rest))
    }

    /// An attribute of 32-bit numbers.
    fn attribute(kind: u16, numbers: &[u32]) -> Vec<u8> {
        let length = u16::try_from(4 + 4 * numbers.len()).unwrap();
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        numbers.iter().for_each(|number| bytes.extend(number.to_ne_bytes()));
        bytes
    }

    #[test]
    fn words_become_attributes() {
        let vlan = |vlan: u32, qos: u32, protocol: [u8; 2]| {
            [attribute(1, &[2, vlan, qos]), protocol.to_vec(), vec![0; 2]].concat()
        };
        let lengthen = |mut attribute: Vec<u8>, length: u16| {
            attribute[..2].copy_from_slice(&length.to_ne_bytes());
            attribute
        };
        let mac = [attribute(1, &[2]), vec![2, 0, 0, 0, 0, 5], vec![0; 26]].concat();
        let guid = |kind| {
            let number = 0x0011_2233_4455_6677_u64.to_ne_bytes();
            lengthen([attribute(kind, &[2, 0]), number.to_vec()].concat(), 20)
        };
        for (line, expected) in [
            ("2 mac 02:00:00:00:00:05", lengthen(mac, 40)),
            ("2 vlan 7", attribute(2, &[2, 7, 0])),
            ("2 vlan 0", attribute(2, &[2, 0, 0])),
            ("0x2 vlan 7 qos 3 proto 802.1Q", attribute(2, &[2, 7, 3])),
            (
                "2 vlan 7 qos 3 proto 802.1ad vlan 8",
                [
                    lengthen(attribute(12 | 0x8000, &[]), 44),
                    lengthen(vlan(7, 3, [0x88, 0xa8]), 20),
                    lengthen(vlan(8, 0, [0x81, 0]), 20),
                ]
                .concat(),
            ),
            ("2 rate 100", attribute(3, &[2, 100])),
            ("2 min_tx_rate 5 max_tx_rate 50", attribute(6, &[2, 5, 50])),
            ("2 max_tx_rate 50", attribute(6, &[2, 7, 50])),
            ("2 min_tx_rate 5", attribute(6, &[2, 5, 9])),
            ("2 rate 100 min_tx_rate 5", attribute(6, &[2, 5, 100])),
            ("2 rate 100 max_tx_rate 50 min_tx_rate 5", attribute(6, &[2, 5, 50])),
            ("2 spoofchk on", attribute(4, &[2, 1])),
            ("2 query_rss off", attribute(7, &[2, 0])),
            ("2 trust on", attribute(9, &[2, 1])),
            ("2 state auto", attribute(5, &[2, 0])),
            ("2 state enable", attribute(5, &[2, 1])),
            ("2 state disable", attribute(5, &[2, 2])),
            ("2 node_guid 00:11:22:33:44:55:66:77", guid(10)),
            ("2 port_guid 00:11:22:33:44:55:66:77", guid(11)),
            ("2 trust off spoofchk off", [attribute(4, &[2, 0]), attribute(9, &[2, 0])].concat()),
        ] {
            assert_eq!(written(line).map_err(|failure| failure.to_string()), Ok((expected, 0)), "{line}");
        }
        // Where a word is no function's, the device's own begin.
        assert_eq!(written("2 trust on mtu 1400").map_or(0, |(_, rest)| rest), 2);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for (line, says) in [
            ("2", "the line ends after `2`: expected what to set"),
            ("x mac 02:00:00:00:00:05", "`x`: expected a number"),
            ("2 mtu 7", "`mtu` after `2`: expected what to set"),
            ("2 mac 02:00:00:00:05", "expected a hardware address of 6 bytes"),
            ("2 vlan", "the line ends after `vlan`: expected a number"),
            ("2 vlan 7 proto 0x9100", "expected 802.1Q or 802.1ad"),
            ("2 trust maybe", "`maybe` after `trust`: expected on or off"),
            ("2 state up", "expected auto, enable or disable"),
            ("2 node_guid 0:1:2:3:4:5:6:7", "expected eight bytes"),
            ("3 min_tx_rate 5", "rates of virtual function 3"),
        ] {
            let failure = written(line).map(|_| ()).unwrap_err().to_string();
            assert!(failure.contains(says), "{line}: {failure}");
        }
    }
}
