//! Filters and actions of traffic control: what a kernel says of them, line by line as tc(8) shows it, and requests
//! with the bytes that tc(8) sends.
//!
//! Not all that tc(8) shows is made here: each line that is made must be among tc's for the same filter, in the same
//! order.

#![cfg(target_endian = "little")]

mod support;

use std::net::Ipv4Addr;

use ringlink_codec::Attributes;
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::ROUTE_AND_TRAFFIC;
use ringlink_codec::route::EtherType;
use ringlink_codec::route::tc::*;
use ringlink_codec::table::Be32;
use ringlink_codec::wire::RawAttribute;
use support::messages;

const FILTERS: &str = include_str!("captures/tc_filter.hex");
const REQUESTS: &str = include_str!("captures/tc_filter_request.hex");
const ACTIONS: &str = include_str!("captures/tc_action.hex");
const ACTION_REQUESTS: &str = include_str!("captures/tc_action_request.hex");

/// What tc(8) calls a protocol of filters.
fn protocol_name(protocol: EtherType) -> &'static str {
    match protocol {
        EtherType::ALL => "all",
        EtherType::IP => "ip",
        EtherType::IPV6 => "ipv6",
        EtherType::ARP => "arp",
        EtherType::_8021Q => "802.1Q",
        EtherType::MPLS_UC => "mpls_uc",
        other => panic!("{other}"),
    }
}

/// What tc(8) calls a verdict.
fn verdict_name(verdict: Verdict) -> String {
    match verdict.extended() {
        Some((Verdict::GOTO_CHAIN, chain)) => format!("goto chain {chain}"),
        Some((_, count)) => format!("jump {count}"),
        None => match verdict {
            Verdict::OK => "pass",
            Verdict::SHOT => "drop",
            Verdict::PIPE => "pipe",
            Verdict::STOLEN => "stolen",
            Verdict::UNSPEC => "continue",
            other => panic!("{other}"),
        }
        .to_owned(),
    }
}

/// An address and its mask, as tc(8) writes them.
fn masked<A: std::fmt::Display>(address: A, bits: u32, whole: u32) -> String {
    if bits == whole { address.to_string() } else { format!("{address}/{bits}") }
}

/// The lines of a filter.
fn filter_lines(body: Body<'_, TcMessage>) -> Vec<String> {
    let header = body.header;
    let (kind, chain) = body.attributes.read((Tc::KIND, Tc::CHAIN)).unwrap();
    let kind = kind.unwrap().to_string();
    let (protocol, priority) = (protocol_name(header.protocol()), header.priority());
    let mut first = format!("filter protocol {protocol} pref {priority} {kind} chain {}", chain.unwrap());
    let options = body.attributes.get(Tc::OPTIONS).unwrap();
    if options.is_none() {
        return vec![first];
    }
    let mut lines = Vec::new();
    let mut actions = None;
    match kind.as_str() {
        "flower" => {
            first += &format!(" handle {:#x}", header.handle.0);
            let flower = body.attributes.chosen(Tc::OPTIONS, Flower).unwrap().unwrap();
            flower_lines(flower, &mut lines);
            actions = flower.get(Flower::ACT).unwrap();
        }
        "u32" => {
            let u32 = body.attributes.chosen(Tc::OPTIONS, U32).unwrap().unwrap();
            let (selector, divisor) = u32.read((U32::SEL, U32::DIVISOR)).unwrap();
            let handle = header.handle.0;
            let (table, bucket, node) = (handle >> 20, handle >> 12 & 0xff, handle & 0xfff);
            match (divisor, selector) {
                (Some(divisor), _) => first += &format!(" fh {table:x}: ht divisor {divisor}"),
                (None, Some((selector, keys))) => {
                    assert_eq!((bucket, usize::from(selector.nkeys)), (0, keys.len()));
                    assert_eq!(u32.get(U32::HASH).unwrap(), Some(Handle(table << 20)));
                    first += &format!(
                        " fh {table:x}::{node:x} order {node} key ht {table:x} bkt 0 terminal flowid not_in_hw"
                    );
                    assert!(selector.flags.contains(U32Flags::TERMINAL));
                    assert_eq!(u32.get(U32::FLAGS).unwrap(), Some(FilterFlags::NOT_IN_HW));
                    for key in keys {
                        assert_eq!(key.offmask, 0);
                        lines.push(format!("match {:08x}/{:08x} at {}", key.val.get(), key.mask.get(), key.off));
                    }
                    let (_, counts) = u32.get(U32::PCNT).unwrap().unwrap();
                    assert_eq!(counts.len(), usize::from(selector.nkeys));
                }
                (None, None) => panic!("a rule without keys"),
            }
            if let Some(police) = u32.get(U32::POLICE).unwrap() {
                let (settings, result) = police.read((Police::TBF, Police::RESULT)).unwrap();
                let settings = settings.unwrap();
                assert_eq!(settings.rate.rate, 125_000);
                lines.push(format!(
                    "police {:#x} rate 1Mbit burst 10Kb mtu 2Kb action {}/{} overhead 0b",
                    settings.index,
                    verdict_name(settings.action),
                    verdict_name(result.unwrap_or(Verdict::UNSPEC)),
                ));
                lines.push(format!("ref {} bind {}", settings.refcnt, settings.bindcnt));
            }
            actions = u32.get(U32::ACT).unwrap();
        }
        "matchall" => {
            first += &format!(" handle {:#x}", header.handle.0);
            let matchall = body.attributes.chosen(Tc::OPTIONS, Matchall).unwrap().unwrap();
            let (flags, counters) = matchall.read((Matchall::FLAGS, Matchall::PCNT)).unwrap();
            assert!(counters.is_some());
            let flags = flags.unwrap();
            if flags.contains(FilterFlags::SKIP_HW) {
                lines.push("skip_hw".to_owned());
            }
            assert!(flags.contains(FilterFlags::NOT_IN_HW));
            lines.push("not_in_hw".to_owned());
            actions = matchall.get(Matchall::ACT).unwrap();
        }
        "basic" => {
            first += &format!(" handle {:#x}", header.handle.0);
            let basic = body.attributes.chosen(Tc::OPTIONS, Basic).unwrap().unwrap();
            ematch_lines(basic.get(Basic::EMATCHES).unwrap().unwrap(), &mut lines);
            actions = basic.get(Basic::ACT).unwrap();
        }
        "bpf" => {
            let bpf = body.attributes.chosen(Tc::OPTIONS, Bpf).unwrap().unwrap();
            let (class, length, program) = bpf.read((Bpf::CLASSID, Bpf::OPS_LEN, Bpf::OPS)).unwrap();
            let (class, program) = (class.unwrap(), program.unwrap());
            assert_eq!(usize::from(length.unwrap()), program.len());
            let code: Vec<_> = program.map(|one| format!("{} {} {} {}", one.code, one.jt, one.jf, one.k)).collect();
            first += &format!(
                " handle {:#x} flowid {:x}:{:x} not_in_hw bytecode '{},{}'",
                header.handle.0,
                class.major(),
                class.minor(),
                code.len(),
                code.join(",")
            );
        }
        "route" => {
            let route = body.attributes.chosen(Tc::OPTIONS, Route4).unwrap().unwrap();
            let (class, from) = route.read((Route4::CLASSID, Route4::FROM)).unwrap();
            let class = class.unwrap();
            first += &format!(
                " fh 0x{:08x} flowid {:x}:{:x} from {}",
                header.handle.0,
                class.major(),
                class.minor(),
                from.unwrap()
            );
        }
        "fw" => {
            let fw = body.attributes.chosen(Tc::OPTIONS, Fw).unwrap().unwrap();
            let (class, mask) = fw.read((Fw::CLASSID, Fw::MASK)).unwrap();
            let class = class.unwrap();
            first += &format!(
                " handle {:#x}/{:#x} classid {:x}:{:x}",
                header.handle.0,
                mask.unwrap(),
                class.major(),
                class.minor()
            );
            actions = fw.get(Fw::ACT).unwrap();
        }
        "flow" => {
            first += &format!(
                " handle {:#x} hash keys src,dst,proto divisor 16 baseclass 1:10 perturb 10sec",
                header.handle.0
            );
            let flow = body.attributes.chosen(Tc::OPTIONS, Flow).unwrap().unwrap();
            let read = flow.read((Flow::KEYS, Flow::MODE, Flow::DIVISOR, Flow::BASECLASS, Flow::PERTURB)).unwrap();
            let keys = FlowKeys::SRC | FlowKeys::DST | FlowKeys::PROTO;
            let base = Some(Handle::new(1, 0x10));
            assert_eq!(read, (Some(keys), Some(FlowMode::HASH), Some(16), base, Some(10)));
        }
        "cgroup" => {
            first += &format!(" handle {:#x}", header.handle.0);
            actions = body.attributes.chosen(Tc::OPTIONS, Cgroup).unwrap().unwrap().get(Cgroup::ACT).unwrap();
        }
        other => panic!("{other}"),
    }
    lines.insert(0, first);
    for action in actions.into_iter().flatten() {
        let (order, action) = action.unwrap();
        action_lines(order, action, &mut lines);
    }
    lines
}

/// What a `flower` filter looks at, in tc's order.
fn flower_lines(flower: Attributes<'_, Flower>, lines: &mut Vec<String>) {
    let mut some = |name: &str, value: Option<String>| lines.extend(value.map(|value| format!("{name} {value}")));
    let ports = |number: Option<u16>| number.map(|number| number.to_string());
    some("vlan_id", ports(flower.get(Flower::KEY_VLAN_ID).unwrap()));
    some("vlan_prio", flower.get(Flower::KEY_VLAN_PRIO).unwrap().map(|number| number.to_string()));
    some(
        "ip_proto",
        flower.get(Flower::KEY_IP_PROTO).unwrap().map(|number| match number {
            6 => "tcp".to_owned(),
            17 => "udp".to_owned(),
            other => panic!("{other}"),
        }),
    );
    let (tos, mask) = flower.read((Flower::KEY_IP_TOS, Flower::KEY_IP_TOS_MASK)).unwrap();
    some("ip_tos", tos.zip(mask).map(|(tos, mask)| format!("{tos}/{mask:#x}")));
    let (to, mask) = flower.read((Flower::KEY_IPV4_DST, Flower::KEY_IPV4_DST_MASK)).unwrap();
    some("dst_ip", to.zip(mask).map(|(to, mask)| masked(to, mask.to_bits().count_ones(), 32)));
    let (to, mask) = flower.read((Flower::KEY_IPV6_DST, Flower::KEY_IPV6_DST_MASK)).unwrap();
    some("dst_ip", to.zip(mask).map(|(to, mask)| masked(to, mask.to_bits().count_ones(), 128)));
    some("dst_port", ports(flower.get(Flower::KEY_TCP_DST).unwrap()));
    let (low, high) = flower.read((Flower::KEY_PORT_SRC_MIN, Flower::KEY_PORT_SRC_MAX)).unwrap();
    some("src_port", low.zip(high).map(|(low, high)| format!("{low}-{high}")));
    let (from, mask) = flower.read((Flower::KEY_ARP_SIP, Flower::KEY_ARP_SIP_MASK)).unwrap();
    some("arp_sip", from.zip(mask).map(|(from, mask)| masked(from, mask.to_bits().count_ones(), 32)));
    some("arp_sha", flower.get(Flower::KEY_ARP_SHA).unwrap().map(|address| address.to_string()));
    let mpls = flower.get(Flower::KEY_MPLS_OPTS).unwrap();
    for label in mpls.into_iter().flat_map(|mpls| mpls.all(FlowerMpls::LSE)) {
        let label = label.unwrap();
        let (depth, number) = label.read((FlowerMplsLabel::DEPTH, FlowerMplsLabel::LABEL)).unwrap();
        let (ttl, bottom) = label.read((FlowerMplsLabel::TTL, FlowerMplsLabel::BOS)).unwrap();
        let mut line = format!("depth {} label {}", depth.unwrap(), number.unwrap());
        support::some(&mut line, "ttl", ttl);
        support::some(&mut line, "bos", bottom);
        some("lse", Some(line));
    }
    some("enc_dst_ip", flower.get(Flower::KEY_ENC_IPV4_DST).unwrap().map(|address| address.to_string()));
    some("enc_src_ip", flower.get(Flower::KEY_ENC_IPV4_SRC).unwrap().map(|address| address.to_string()));
    some("enc_key_id", flower.get(Flower::KEY_ENC_KEY_ID).unwrap().map(|number| number.to_string()));
    some("enc_dst_port", ports(flower.get(Flower::KEY_ENC_UDP_DST_PORT).unwrap()));
    let geneve = |options: Option<Attributes<'_, FlowerTunnelOptions>>| {
        let option = options?.get(FlowerTunnelOptions::GENEVE).unwrap().unwrap();
        let (class, kind, data) = option.read((FlowerGeneve::CLASS, FlowerGeneve::TYPE, FlowerGeneve::DATA)).unwrap();
        let data: String = data.unwrap().iter().map(|byte| format!("{byte:02x}")).collect();
        Some((class.unwrap(), kind.unwrap(), data))
    };
    let option = geneve(flower.get(Flower::KEY_ENC_OPTS).unwrap());
    let mask = geneve(flower.get(Flower::KEY_ENC_OPTS_MASK).unwrap());
    some(
        "geneve_opts",
        option.zip(mask).map(|((class, kind, data), (class_mask, kind_mask, data_mask))| {
            format!("{class:04x}:{kind:02x}:{data}/{class_mask:04x}:{kind_mask:02x}:{data_mask}")
        }),
    );
    let (state, mask) = flower.read((Flower::KEY_CT_STATE, Flower::KEY_CT_STATE_MASK)).unwrap();
    let tracked = FlowerConnectionFlags::TRACKED | FlowerConnectionFlags::ESTABLISHED;
    assert!(state.is_none_or(|state| state == tracked) && state == mask);
    some("ct_zone", ports(flower.get(Flower::KEY_CT_ZONE).unwrap()));
    some(
        "not_in_hw",
        flower.get(Flower::FLAGS).unwrap().map(|flags| {
            assert_eq!(flags, FilterFlags::NOT_IN_HW);
            String::new()
        }),
    );
}

/// Extended matches.
fn ematch_lines(tree: Attributes<'_, EmatchTree>, lines: &mut Vec<String>) {
    let header = tree.get(EmatchTree::HDR).unwrap().unwrap();
    let mut count = 0;
    for item in tree.get(EmatchTree::LIST).unwrap().unwrap() {
        let (number, (header, behind)) = item.unwrap();
        count += 1;
        assert_eq!(number, count);
        let relation = if header.flags.contains(EmatchFlags::INVERT) { "AND NOT " } else { "" };
        match EmatchView::read(header, behind).unwrap() {
            EmatchView::Cmp(cmp) => {
                assert_eq!((cmp.align(), cmp.operand(), cmp.is_translated()), (1, EmatchOperand::EQ, false));
                let layer = cmp.layer().0;
                lines.push(format!("cmp(u8 at {} layer {layer} mask {:#x} eq {})", cmp.off, cmp.mask, cmp.val));
            }
            EmatchView::Meta(meta) => {
                let (header, right) = meta.read((EmMeta::HDR, EmMeta::RVALUE)).unwrap();
                let header = header.unwrap();
                assert_eq!((header.left.id(), header.left.of()), (EmMetaId::NFMARK, EmMetaType::INT));
                assert_eq!((header.right.id(), header.left.op), (EmMetaId::VALUE, EmatchOperand::GT));
                let value = u32::from_ne_bytes(right.unwrap().try_into().unwrap());
                lines.push(format!("{relation}meta(nf_mark gt {value})"));
            }
            EmatchView::Container(first) => {
                assert_eq!((first, header.flags), (3, EmatchFlags(0)));
                lines.push("OR (".to_owned());
            }
            EmatchView::Nbyte(place, bytes) => {
                let text = std::str::from_utf8(&bytes[..usize::from(place.length())]).unwrap();
                lines.push(format!("nbyte(61 62 \"{text}\" at {} layer {})", place.off, place.layer().0));
            }
            EmatchView::U32(key) => {
                lines.push(format!("AND u32({:08x}/{:08x} at {})", key.val.get(), key.mask.get(), key.off));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(header.nmatches, count);
}

/// An action, in the lines of tc(8).
fn action_lines(order: u16, action: Attributes<'_, Action>, lines: &mut Vec<String>) {
    let kind = action.get(Action::KIND).unwrap().unwrap().to_string();
    let interface = |index: u32| match index {
        2 => "vb",
        other => panic!("interface {other}"),
    };
    let mut counted = |head: String, index: u32, refcnt: i32, bindcnt: i32| {
        lines.push(format!("action order {order}: {head}"));
        lines.push(format!("index {index} ref {refcnt} bind {bindcnt}"));
    };
    match kind.as_str() {
        "gact" => {
            let gact = action.chosen(Action::OPTIONS, Gact).unwrap().unwrap();
            let (settings, chance) = gact.read((Gact::PARMS, Gact::PROB)).unwrap();
            let settings = settings.unwrap();
            if let Some(chance) = chance {
                assert_eq!((chance.ptype, chance.pval, chance.paction), (GactChoice::DETERM, 3, Verdict::SHOT));
            }
            let head = format!("gact action {}", verdict_name(settings.action));
            counted(head, settings.index, settings.refcnt, settings.bindcnt);
        }
        "mirred" => {
            let mirred = action.chosen(Action::OPTIONS, Mirred).unwrap().unwrap();
            let settings = mirred.get(Mirred::PARMS).unwrap().unwrap();
            let how = match settings.eaction {
                MirredTarget::EGRESS_REDIR => "Egress Redirect",
                MirredTarget::EGRESS_MIRROR => "Egress Mirror",
                other => panic!("{other}"),
            };
            let (device, verdict) = (interface(settings.ifindex), verdict_name(settings.action));
            let head = format!("mirred ({how} to device {device}) {verdict}");
            counted(head, settings.index, settings.refcnt, settings.bindcnt);
        }
        "pedit" => {
            let pedit = action.chosen(Action::OPTIONS, Pedit).unwrap().unwrap();
            let (settings, keys) = pedit.get(Pedit::PARMS_EX).unwrap().unwrap();
            let count = keys.len();
            assert_eq!(usize::from(settings.nkeys), count);
            let head = format!("pedit action {} keys {count}", verdict_name(settings.action));
            counted(head, settings.index, settings.refcnt, settings.bindcnt);
            let more = pedit.get(Pedit::KEYS_EX).unwrap().unwrap();
            for ((at, key), more) in keys.enumerate().zip(more.all(PeditKeys::KEY_EX)) {
                let more = more.unwrap();
                assert_eq!(more.get(PeditKeyEx::CMD).unwrap(), Some(PeditCommand::SET));
                let from = match more.get(PeditKeyEx::HTYPE).unwrap() {
                    Some(PeditHeader::IP4) => "ipv4",
                    Some(PeditHeader::TCP) => "tcp",
                    other => panic!("{other:?}"),
                };
                let (value, mask) = (u32::from_be(key.val), u32::from_be(key.mask));
                lines.push(format!("key #{at} at {from}+{}: val {value:08x} mask {mask:08x}", key.off));
            }
        }
        "tunnel_key" => {
            let tunnel = action.chosen(Action::OPTIONS, TunnelKey).unwrap().unwrap();
            assert_eq!(tunnel.get(TunnelKey::PARMS).unwrap().unwrap().t_action, TunnelKeyAction::SET);
            let (from, to) = tunnel.read((TunnelKey::ENC_IPV4_SRC, TunnelKey::ENC_IPV4_DST)).unwrap();
            let (key, port) = tunnel.read((TunnelKey::ENC_KEY_ID, TunnelKey::ENC_DST_PORT)).unwrap();
            lines.push(format!("src_ip {}", from.unwrap()));
            lines.push(format!("dst_ip {}", to.unwrap()));
            lines.push(format!("key_id {}", key.unwrap()));
            lines.push(format!("dst_port {}", port.unwrap()));
        }
        "gate" => {
            let gate = action.chosen(Action::OPTIONS, Gate).unwrap().unwrap();
            assert_eq!(gate.get(Gate::PRIORITY).unwrap(), Some(-1));
            for entry in gate.get(Gate::ENTRY_LIST).unwrap().unwrap().all(GateList::ENTRY) {
                let entry = entry.unwrap();
                let (number, open, interval) =
                    entry.read((GateEntry::INDEX, GateEntry::GATE, GateEntry::INTERVAL)).unwrap();
                let octets = entry.get(GateEntry::MAX_OCTETS).unwrap().unwrap();
                lines.push(format!(
                    "number {} gate-state {} interval {}ms ipv wildcard max-octets {}",
                    number.unwrap(),
                    if open.is_some() { "open" } else { "close" },
                    interval.unwrap() / 1_000_000,
                    if octets == -1 { "wildcard".to_owned() } else { format!("{octets}b") },
                ));
            }
        }
        "simple" => {
            let simple = action.chosen(Action::OPTIONS, Simple).unwrap().unwrap();
            let (settings, text) = simple.read((Simple::PARMS, Simple::DATA)).unwrap();
            let settings = settings.unwrap();
            counted(format!("Simple <{}>", text.unwrap()), settings.index, settings.refcnt, settings.bindcnt);
        }
        "sample" => {
            let sample = action.chosen(Action::OPTIONS, Sample).unwrap().unwrap();
            let (rate, group, size) = sample.read((Sample::RATE, Sample::PSAMPLE_GROUP, Sample::TRUNC_SIZE)).unwrap();
            let settings = sample.get(Sample::PARMS).unwrap().unwrap();
            let (rate, group, size) = (rate.unwrap(), group.unwrap(), size.unwrap());
            let head =
                format!("sample rate 1/{rate} group {group} trunc_size {size} {}", verdict_name(settings.action));
            counted(head, settings.index, settings.refcnt, settings.bindcnt);
        }
        "connmark" => {
            let connmark = action.chosen(Action::OPTIONS, Connmark).unwrap().unwrap();
            let settings = connmark.get(Connmark::PARMS).unwrap().unwrap();
            let head = format!("connmark zone {} {}", settings.zone, verdict_name(settings.action));
            counted(head, settings.index, settings.refcnt, settings.bindcnt);
        }
        "vlan" => {
            let vlan = action.chosen(Action::OPTIONS, VlanEdit).unwrap().unwrap();
            let settings = vlan.get(VlanEdit::PARMS).unwrap().unwrap();
            assert_eq!(settings.v_action, VlanAction::POP);
            let head = format!("vlan pop {}", verdict_name(settings.action));
            counted(head, settings.index, settings.refcnt, settings.bindcnt);
        }
        "csum" => {
            let csum = action.chosen(Action::OPTIONS, Csum).unwrap().unwrap();
            let settings = csum.get(Csum::PARMS).unwrap().unwrap();
            assert_eq!(settings.update_flags, CsumFlags::IPV4HDR | CsumFlags::TCP);
            let head = format!("csum (iph, tcp) action {}", verdict_name(settings.action));
            counted(head, settings.index, settings.refcnt, settings.bindcnt);
        }
        "nat" => {
            let nat = action.chosen(Action::OPTIONS, Nat).unwrap().unwrap();
            let settings = nat.get(Nat::PARMS).unwrap().unwrap();
            assert_eq!((settings.old_addr, settings.new_addr), ([192, 0, 2, 0], [198, 51, 100, 0]));
            assert_eq!((settings.mask, settings.flags), ([255, 255, 255, 0], NatActionFlags(0)));
        }
        "bpf" => {
            let bpf = action.chosen(Action::OPTIONS, ActBpf).unwrap().unwrap();
            let settings = bpf.get(ActBpf::PARMS).unwrap().unwrap();
            let head = format!("bpf bytecode '1,6 0 0 0' default-action {}", verdict_name(settings.action));
            counted(head, settings.index, settings.refcnt, settings.bindcnt);
        }
        "ct" => {
            let ct = action.chosen(Action::OPTIONS, Ct).unwrap().unwrap();
            let (what, zone, mark) = ct.read((Ct::ACTION, Ct::ZONE, Ct::MARK)).unwrap();
            let commit = CtActionFlags::COMMIT | CtActionFlags::NAT | CtActionFlags::NAT_SRC;
            assert_eq!((what, zone, mark), (Some(commit), Some(5), Some(1)));
            let range = ct.read((Ct::NAT_IPV4_MIN, Ct::NAT_IPV4_MAX)).unwrap();
            assert_eq!(range, (Some(Ipv4Addr::new(192, 0, 2, 5)), Some(Ipv4Addr::new(192, 0, 2, 9))));
        }
        "skbedit" => {
            let edit = action.chosen(Action::OPTIONS, SkbEdit).unwrap().unwrap();
            let read = edit.read((SkbEdit::MARK, SkbEdit::PRIORITY, SkbEdit::QUEUE_MAPPING)).unwrap();
            assert_eq!(read, (Some(7), Some(0x1_0002), Some(3)));
        }
        "skbmod" => {
            let edit = action.chosen(Action::OPTIONS, SkbMod).unwrap().unwrap();
            assert_eq!(edit.get(SkbMod::PARMS).unwrap().unwrap().flags, SkbModFlags::SWAPMAC);
        }
        "ife" => {
            let ife = action.chosen(Action::OPTIONS, Ife).unwrap().unwrap();
            let (settings, kind, list) = ife.read((Ife::PARMS, Ife::TYPE, Ife::METALST)).unwrap();
            assert_eq!((settings.unwrap().flags, kind), (IfeMode::ENCODE, Some(EtherType(0xed3e))));
            let list = list.unwrap().read((IfeMetadata::SKBMARK, IfeMetadata::PRIO)).unwrap();
            assert_eq!(list, (Some(&[][..]), Some(&[5, 0, 0, 0][..])));
        }
        "mpls" => {
            let mpls = action.chosen(Action::OPTIONS, MplsEdit).unwrap().unwrap();
            let (settings, protocol) = mpls.read((MplsEdit::PARMS, MplsEdit::PROTO)).unwrap();
            assert_eq!((settings.unwrap().m_action, protocol), (MplsAction::POP, Some(EtherType::IP)));
        }
        "ctinfo" => {
            let info = action.chosen(Action::OPTIONS, Ctinfo).unwrap().unwrap();
            let masks = info.read((Ctinfo::PARMS_DSCP_MASK, Ctinfo::PARMS_DSCP_STATEMASK)).unwrap();
            assert_eq!(masks, (Some(0xfc00_0000), Some(0x0100_0000)));
        }
        other => panic!("{other}"),
    }
    let stats = action.get(Action::STATS).unwrap().unwrap();
    assert!(stats.get(TcStats::BASIC).unwrap().is_some());
    if let Some(cookie) = action.get(Action::COOKIE).unwrap() {
        lines.push(format!("cookie {}", cookie.iter().map(|byte| format!("{byte:02x}")).collect::<String>()));
    }
}

/// Checks that the lines stand among tc's, in their order.
fn among(lines: &[String], theirs: &[&str]) {
    let mut rest = theirs.iter();
    for line in lines {
        let line = line.trim();
        assert!(rest.any(|their| *their == line), "{line:?} is not among {theirs:#?}, or not in its place: {lines:#?}");
    }
}

#[test]
fn captured_filters_are_as_tc_shows_them() {
    let shown = include_str!("tc_captures/filter.txt");
    let starts: Vec<usize> = shown.match_indices("filter protocol").map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([shown.len()]);
    let theirs: Vec<Vec<&str>> =
        starts.iter().zip(ends).map(|(start, end)| shown[*start..end].lines().collect()).collect();
    let filters = messages(FILTERS);
    assert_eq!(filters.len(), theirs.len());
    let mut count = 0;
    for (bytes, theirs) in filters.iter().zip(&theirs) {
        let lines = filter_lines(Message::parse(bytes).unwrap().body(TcRtm::NEWTFILTER).unwrap());
        among(&lines, theirs);
        count += lines.len();
    }
    assert!(count > 120, "{count}");
}

#[test]
fn captured_actions_are_as_tc_shows_them() {
    let shown: Vec<&str> = include_str!("tc_captures/action.txt").lines().collect();
    let mut lines = Vec::new();
    for bytes in messages(ACTIONS) {
        let actions = Message::parse(&bytes).unwrap().body(TcRtm::GETACTION).unwrap().attributes;
        let (count, list) = actions.read((Actions::COUNT, Actions::TAB)).unwrap();
        lines.push(format!("total acts {}", count.unwrap()));
        for item in list.unwrap() {
            let (order, action) = item.unwrap();
            action_lines(order, action, &mut lines);
        }
    }
    among(&lines, &shown);
    assert_eq!(lines.iter().filter(|line| line.starts_with("action order")).count(), 4);
}

/// Takes `NLA_F_NESTED` away where tc(8) does not set it: of its nests, only an action's options have it.
fn without_flags(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    // Attributes begin behind the headers. How deep they stand: an action's options, in a list of a filter's options, 3.
    let mut open = vec![(size_of::<MessageHeader>() + size_of::<TcHeader>(), bytes.len(), 0)];
    while let Some((mut at, end, depth)) = open.pop() {
        while at + 4 <= end {
            let length = usize::from(u16::from_ne_bytes([bytes[at], bytes[at + 1]]));
            let kind = u16::from_ne_bytes([bytes[at + 2], bytes[at + 3]]);
            if kind & RawAttribute::NESTED != 0 {
                open.push((at + 4, at + length, depth + 1));
            }
            if depth != 3 {
                bytes[at + 2..at + 4].copy_from_slice(&(kind & !RawAttribute::NESTED).to_ne_bytes());
            }
            at += length.next_multiple_of(4);
        }
    }
    bytes
}

/// A filter of packets that come in by interface 3, as tc(8) asks for it.
fn header(priority: u16, protocol: EtherType, handle: u32) -> TcHeader {
    TcHeader {
        ifindex: 3,
        handle: Handle(handle),
        parent: Handle::new(0xffff, Handle::MIN_INGRESS),
        info: TcHeader::filter_info(priority, protocol),
        ..Default::default()
    }
}

#[test]
fn a_flower_filter_is_written_as_tc_writes_it() {
    let mut buffer = Buffer::<256>::new();
    let operation = TcRtm::NEWTFILTER.create().exclusive().with(Flags::ACK);
    let written = buffer.message(operation, header(11, EtherType::IP, 1), |filter| {
        filter.put(Tc::KIND, "flower");
        filter.choose(Tc::OPTIONS, Flower, |flower| {
            flower.put(Flower::KEY_IPV4_DST, Ipv4Addr::new(192, 0, 2, 1));
            flower.put(Flower::KEY_IPV4_DST_MASK, Ipv4Addr::BROADCAST);
            flower.put(Flower::KEY_IP_PROTO, 6);
            flower.put(Flower::KEY_TCP_DST, 80);
            flower.indexed(Flower::ACT, |actions| {
                actions.nest(1, |action| {
                    action.put(Action::KIND, "gact");
                    action.choose(Action::OPTIONS, Gact, |gact| {
                        gact.put(Gact::PARMS, GactSettings { action: Verdict::SHOT, ..Default::default() });
                    });
                });
            });
            flower.put(Flower::FLAGS, FilterFlags(0));
            flower.put(Flower::KEY_ETH_TYPE, EtherType::IP);
        });
    });
    assert_eq!(without_flags(written.unwrap()), messages(REQUESTS)[1]);
}

#[test]
fn a_u32_filter_is_written_as_tc_writes_it() {
    let mut buffer = Buffer::<256>::new();
    let operation = TcRtm::NEWTFILTER.create().exclusive().with(Flags::ACK);
    let written = buffer.message(operation, header(10, EtherType::IP, 0), |filter| {
        filter.put(Tc::KIND, "u32");
        filter.choose(Tc::OPTIONS, U32, |u32| {
            u32.indexed(U32::ACT, |actions| {
                actions.nest(1, |action| {
                    action.put(Action::KIND, "mirred");
                    action.choose(Action::OPTIONS, Mirred, |mirred| {
                        let settings = MirredSettings {
                            action: Verdict::STOLEN,
                            eaction: MirredTarget::EGRESS_REDIR,
                            ifindex: 2,
                            ..Default::default()
                        };
                        mirred.put(Mirred::PARMS, settings);
                    });
                });
            });
            let selector = U32Selector { flags: U32Flags::TERMINAL, nkeys: 2, ..Default::default() };
            let key = |mask, val, off| U32Key { mask: Be32::new(mask), val: Be32::new(val), off, offmask: 0 };
            let keys = [key(0xffff_ff00, 0xc000_0200, 16), key(0x00ff_0000, 0x0011_0000, 8)];
            u32.put(U32::SEL, (selector, &keys[..]));
        });
    });
    assert_eq!(without_flags(written.unwrap()), messages(REQUESTS)[0]);
}

#[test]
fn extended_matches_go_there_and_back() {
    let mut buffer = Buffer::<512>::new();
    let head = |kind, flags| EmatchHeader { kind, flags, ..Default::default() };
    let key = U32Key { mask: Be32::new(0xff00), val: Be32::new(0x4500), off: 8, offmask: 0 };
    let text = EmText { pattern_len: 2, ..Default::default() };
    let written = buffer.message(TcRtm::NEWTFILTER, TcHeader::default(), |filter| {
        filter.put(Tc::KIND, "basic");
        filter.choose(Tc::OPTIONS, Basic, |basic| {
            basic.nest(Basic::EMATCHES, |tree| {
                tree.put(EmatchTree::HDR, EmatchTreeHeader { nmatches: 2, progid: 0 });
                tree.indexed(EmatchTree::LIST, |list| {
                    list.put(1, (head(EmatchKind::U32, EmatchFlags::REL_AND), key));
                    list.put(2, (head(EmatchKind::TEXT, EmatchFlags::default()), text, &b"ab"[..]));
                });
            });
        });
    });
    let message = Message::parse(written.unwrap()).unwrap();
    let basic = message.body(TcRtm::NEWTFILTER).unwrap().attributes.chosen(Tc::OPTIONS, Basic).unwrap().unwrap();
    let list = basic.get(Basic::EMATCHES).unwrap().unwrap().get(EmatchTree::LIST).unwrap().unwrap();
    let items: Vec<_> = list.map(|item| item.unwrap().1).collect();
    assert!(matches!(EmatchView::read(items[0].0, items[0].1), Ok(EmatchView::U32(found)) if found == key));
    assert!(matches!(EmatchView::read(items[1].0, items[1].1), Ok(EmatchView::Text(_, b"ab"))));
    // Each kind says what it misses, and none reads past its end.
    for (kind, whole) in [(0, 4), (1, 12), (2, 4), (3, 16), (5, 24), (8, 4)] {
        let bytes = [0; 24];
        for length in 0..bytes.len() {
            let read = EmatchView::read(head(EmatchKind(kind), EmatchFlags(0)), &bytes[..length]);
            assert_eq!(read.is_ok(), length >= whole, "kind {kind}, {length} bytes");
        }
    }
    assert!(EmatchView::read(head(EmatchKind::CANID, EmatchFlags(0)), &[0; 9]).is_err());
}

#[test]
fn damage_is_never_more_than_an_error() {
    let print = |bytes: &[u8]| {
        if let Ok(message) = Message::parse(bytes) {
            let _ = message.tree(&ROUTE_AND_TRAFFIC).to_string();
        }
    };
    for sample in [FILTERS, REQUESTS, ACTIONS, ACTION_REQUESTS].into_iter().flat_map(messages) {
        for length in 0..sample.len() {
            let mut shorter = sample[..length].to_vec();
            if length >= 16 {
                shorter[..4].copy_from_slice(&u32::try_from(length).unwrap().to_ne_bytes());
            }
            print(&shorter);
        }
    }
}
