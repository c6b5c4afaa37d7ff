//! Interfaces: `ringlink link show`, `list`, `add`, `set`, `del`, `property`.

mod rows;
mod show;

mod change;

mod row;
mod statistics;
mod vf;

mod bond;
mod bridge;
mod kinds;
mod tunnels;
mod vxlan;

mod fields;

mod known;
mod namespaces;

use ringlink::codec::route::{Link, Rtm};
use ringlink::codec::table::AttributeWriter;

use crate::arguments::{Words, keyword};
use crate::failure::Failure;
use crate::session::Session;

pub(crate) use rows::Rows;
pub(crate) use show::Filter;

/// What `ringlink link help` says.
pub(crate) const HELP: &str = "\
ringlink link [show] [[dev] DEV] [up] [master DEV | vrf NAME | nomaster] [type KIND | type KIND_slave] [group GROUP]
              [novf]
ringlink link add [link DEV] [name] NAME [SETTING …] type KIND [KIND'S WORDS …]
ringlink link set {[dev] DEV | group GROUP} [SETTING …] [type KIND[_slave] KIND'S WORDS …]
ringlink link del {[dev] DEV | group GROUP}
ringlink link property add|del [dev] DEV altname NAME [altname NAME …]

SETTING  up down address LLADDR broadcast LLADDR mtu N name NAME txqueuelen N numtxqueues N numrxqueues N index N
         master DEV nomaster netns NAME|PID link-netnsid ID group GROUP alias TEXT addrgenmode MODE
         arp|multicast|allmulticast|promisc|dynamic|trailers|carrier|protodown on|off protodown_reason BIT on|off
         mode default|dormant state STATE gso_max_size N gso_max_segs N gro_max_size N
         xdp|xdpgeneric|xdpdrv|xdpoffload off|pinned PATH|fd N (another program is replaced with --force only)
         vf N FUNCTION … (of a device that is there)
FUNCTION mac LLADDR vlan N [qos N] [proto 802.1Q|802.1ad] [vlan …] rate N max_tx_rate N min_tx_rate N
         spoofchk|query_rss|trust on|off state auto|enable|disable node_guid|port_guid EUI64
KIND     bond bridge dummy geneve gre gretap erspan ifb ip6gre ip6gretap ip6erspan ip6tnl ipip ipvlan ipvtap macvlan
         macvtap sit veth vlan vrf vti vti6 vxlan wireguard xfrm, and any other that needs no words of its own
";

/// Verbs in the order in which `ip` takes abbreviations.
const VERBS: &[&str] = &["add", "set", "change", "replace", "delete", "show", "lst", "list", "property"];

/// Does what the words say.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(word) = words.next() else {
        return show::show(session, words);
    };
    match keyword(word, VERBS) {
        Some("show" | "lst" | "list") => show::show(session, words),
        Some("add") => change::add(session, words, Rtm::NEWLINK.create().exclusive()),
        Some("replace") => change::add(session, words, Rtm::NEWLINK.create().replace()),
        Some("set" | "change") => change::set(session, words),
        Some("delete") => change::delete(session, words),
        Some("property") => change::property(session, words),
        _ => Err(words.refuse("show, add, set, del or property")),
    }
}

/// Writes the name of an interface that is there: longer than 15 bytes, it can only be an alternative name.
fn put_name(link: &mut AttributeWriter<'_, '_, Link>, name: &str) {
    if name.len() <= 15 {
        link.put(Link::IFNAME, name);
    } else {
        link.put(Link::ALT_IFNAME, name);
    }
}
