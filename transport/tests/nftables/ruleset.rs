//! A ruleset twice: in nft's words, and as the library writes it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ringlink::codec::netfilter::nftables::*;
use ringlink::codec::netfilter::{Family, NetfilterHeader};
use ringlink::codec::table::{AttributeWriter, Be32, Key};
use ringlink::connection::Transaction;

const R0: Register = Register::REG_VERDICT;
const R1: Register = Register::REG_1;
const R2: Register = Register::REG_2;
const EQ: CmpOp = CmpOp::EQ;
const NEQ: CmpOp = CmpOp::NEQ;
const TCP: u8 = 6;
const UDP: u8 = 17;

/// What writes a rule.
pub(crate) type Write = Box<dyn Fn(&mut RuleWriter<'_, '_, '_>)>;

/// A chain: where it is, and its rules.
pub(crate) struct Rules {
    pub(crate) family: Family,
    pub(crate) table: &'static str,
    pub(crate) chain: &'static str,
    /// Type, hook's number and name, priority, device.
    pub(crate) hook: Option<(&'static str, u32, &'static str, i32, Option<&'static str>)>,
    pub(crate) rules: Vec<(String, Write)>,
}

impl Rules {
    fn family(&self) -> &'static str {
        match self.family {
            Family::INET => "inet",
            Family::NETDEV => "netdev",
            Family::ARP => "arp",
            Family::IPV6 => "ip6",
            _ => "ip",
        }
    }
}

/// Collects rules.
macro_rules! rules {
    ($($text:expr => |$rule:ident| $write:expr;)*) => {
        vec![$(($text.to_string(), Box::new(move |$rule: &mut RuleWriter<'_, '_, '_>| { $write; }) as Write),)*]
    };
}

/// All chains, each table's together.
pub(crate) fn chains() -> Vec<Rules> {
    let filter = |number, name, priority| Some(("filter", number, name, priority, None));
    let nat = |number, name, priority| Some(("nat", number, name, priority, None));
    let chain = |family, table, chain, hook, rules| Rules { family, table, chain, hook, rules };
    let lo = Some(("filter", 0, "ingress", 0, Some("lo")));
    vec![
        chain(Family::INET, "t", "other", None, Vec::new()),
        chain(Family::INET, "t", "pre", filter(0, "prerouting", -300), prerouting()),
        chain(Family::INET, "t", "input", filter(1, "input", 0), input()),
        chain(Family::INET, "t", "many", filter(2, "forward", 0), many()),
        chain(Family::INET, "nat", "pre", nat(0, "prerouting", -100), prerouting_nat()),
        chain(Family::INET, "nat", "post", nat(4, "postrouting", 100), postrouting()),
        chain(Family::IPV4, "d", "c", filter(0, "prerouting", 0), ipv4()),
        chain(Family::NETDEV, "n", "c", lo, netdev()),
        chain(Family::ARP, "a", "c", filter(0, "input", 0), arp()),
    ]
}

fn v4(text: &str) -> IpAddr {
    IpAddr::V4(text.parse::<Ipv4Addr>().expect("an address"))
}

fn v6(text: &str) -> IpAddr {
    IpAddr::V6(text.parse::<Ipv6Addr>().expect("an address"))
}

fn name16(text: &str) -> [u8; 16] {
    let mut bytes = [0; 16];
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    bytes
}

fn exthdr(rule: &mut RuleWriter<'_, '_, '_>, op: ExthdrOp, kind: u8, offset: u32, len: u32, flags: ExthdrFlags) {
    rule.expression("exthdr", Exthdr, |exthdr| {
        exthdr.put(Exthdr::DREG, R1);
        exthdr.put(Exthdr::TYPE, kind);
        exthdr.put(Exthdr::OFFSET, offset);
        exthdr.put(Exthdr::LEN, len);
        exthdr.put(Exthdr::FLAGS, flags);
        exthdr.put(Exthdr::OP, op);
    });
}

fn fib(rule: &mut RuleWriter<'_, '_, '_>, result: FibResult, flags: FibFlags) {
    rule.expression("fib", Fib, |fib| {
        fib.put(Fib::DREG, R1);
        fib.put(Fib::RESULT, result);
        fib.put(Fib::FLAGS, flags);
    });
}

fn rt(rule: &mut RuleWriter<'_, '_, '_>, key: RtKey) {
    rule.expression("rt", Rt, |rt| {
        rt.put(Rt::DREG, R1);
        rt.put(Rt::KEY, key);
    });
}

fn synproxy(synproxy: &mut AttributeWriter<'_, '_, Synproxy>) {
    synproxy.put(Synproxy::MSS, 1460);
    synproxy.put(Synproxy::WSCALE, 7);
    let options = SynproxyFlags::MSS | SynproxyFlags::WSCALE | SynproxyFlags::SACK_PERM | SynproxyFlags::TIMESTAMP;
    synproxy.put(Synproxy::FLAGS, options);
}

fn prerouting() -> Vec<(String, Write)> {
    let present = ExthdrFlags::PRESENT;
    rules! {
        "notrack" => |rule| rule.bare("notrack");
        "fib saddr . iif oif missing drop" => |rule| {
            fib(rule, FibResult::OIF, FibFlags::SADDR | FibFlags::IIF | FibFlags::PRESENT);
            rule.compare(R1, EQ, &[0; 4]);
            rule.drop();
        };
        "fib daddr type local accept" => |rule| {
            fib(rule, FibResult::ADDRTYPE, FibFlags::DADDR);
            rule.compare(R1, EQ, &2_u32.to_ne_bytes());
            rule.accept();
        };
        "socket transparent 1 meta mark set 1" => |rule| {
            rule.expression("socket", Socket, |socket| {
                socket.put(Socket::KEY, SocketKey::TRANSPARENT);
                socket.put(Socket::DREG, R1);
            });
            rule.compare(R1, EQ, &[1]);
            rule.set_mark(1);
        };
        "tcp dport 80 tproxy ip to 127.0.0.1:8080" => |rule| {
            rule.port(EQ, Port::Destination, TCP, 80..=80);
            rule.immediate(R1, &[127, 0, 0, 1]);
            rule.immediate(R2, &8080_u16.to_be_bytes());
            rule.expression("tproxy", Tproxy, |tproxy| {
                tproxy.put(Tproxy::FAMILY, u32::from(Family::IPV4.0));
                tproxy.put(Tproxy::REG_ADDR, R1);
                tproxy.put(Tproxy::REG_PORT, R2);
            });
        };
        "osf name \"Linux\" counter" => |rule| {
            rule.expression("osf", Osf, |osf| {
                osf.put(Osf::DREG, R1);
                osf.put(Osf::TTL, 0);
            });
            rule.compare(R1, EQ, &name16("Linux"));
            rule.counter();
        };
        "meta nftrace set 1" => |rule| {
            rule.immediate(R1, &[1]);
            rule.set_meta(MetaKey::NFTRACE, R1);
        };
        "ct helper set \"h1\"" => |rule| rule.object(ObjectType::CT_HELPER, "h1");
        "ct timeout set \"tm1\"" => |rule| rule.object(ObjectType::CT_TIMEOUT, "tm1");
        "ct expectation set \"e1\"" => |rule| rule.object(ObjectType::CT_EXPECT, "e1");
        "ip6 nexthdr tcp counter" => |rule| {
            rule.network(Family::IPV6);
            rule.payload(PayloadBase::NETWORK_HEADER, 6, 1, R1);
            rule.compare(R1, EQ, &[TCP]);
            rule.counter();
        };
        "ipsec in reqid 5 counter" => |rule| {
            rule.expression("xfrm", Xfrm, |xfrm| {
                xfrm.put(Xfrm::DREG, R1);
                xfrm.put(Xfrm::KEY, XfrmKey::REQID);
                xfrm.put(Xfrm::DIR, 0);
                xfrm.put(Xfrm::SPNUM, 0);
            });
            rule.compare(R1, EQ, &5_u32.to_ne_bytes());
            rule.counter();
        };
        "exthdr hbh exists counter" => |rule| {
            rule.network(Family::IPV6);
            exthdr(rule, ExthdrOp::IPV6, 0, 0, 1, present);
            rule.compare(R1, EQ, &[1]);
            rule.counter();
        };
        "tcp option maxseg size 1460 counter" => |rule| {
            exthdr(rule, ExthdrOp::TCPOPT, 2, 2, 2, ExthdrFlags(0));
            rule.compare(R1, EQ, &1460_u16.to_be_bytes());
            rule.counter();
        };
        "tcp option sack-perm exists counter" => |rule| {
            exthdr(rule, ExthdrOp::TCPOPT, 4, 0, 1, present);
            rule.compare(R1, EQ, &[1]);
            rule.counter();
        };
        "ip option lsrr exists counter" => |rule| {
            rule.network(Family::IPV4);
            exthdr(rule, ExthdrOp::IPV4, 131, 0, 1, present);
            rule.compare(R1, EQ, &[1]);
            rule.counter();
        };
        "sctp chunk data exists counter" => |rule| {
            exthdr(rule, ExthdrOp::SCTP, 0, 0, 1, present);
            rule.compare(R1, EQ, &[1]);
            rule.counter();
        };
        "frag more-fragments 1 counter" => |rule| {
            rule.network(Family::IPV6);
            exthdr(rule, ExthdrOp::IPV6, 44, 3, 1, ExthdrFlags(0));
            rule.mask(R1, &[1], &[0]);
            rule.compare(R1, EQ, &[1]);
            rule.counter();
        };
    }
}

fn hash(rule: &mut RuleWriter<'_, '_, '_>, kind: HashType, source: Option<(Register, u32)>, modulus: u32, offset: u32) {
    rule.expression("hash", Hash, |hash| {
        hash.put_some(Hash::SREG, source.map(|(register, _)| register));
        hash.put(Hash::DREG, R1);
        hash.put_some(Hash::LEN, source.map(|(_, length)| length));
        hash.put(Hash::MODULUS, modulus);
        hash.put(Hash::TYPE, kind);
        hash.put(Hash::OFFSET, offset);
    });
    rule.set_meta(MetaKey::MARK, R1);
}

fn numgen(rule: &mut RuleWriter<'_, '_, '_>, kind: NumgenType, modulus: u32, offset: u32) {
    rule.expression("numgen", Numgen, |numgen| {
        numgen.put(Numgen::DREG, R1);
        numgen.put(Numgen::MODULUS, modulus);
        numgen.put(Numgen::TYPE, kind);
        numgen.put(Numgen::OFFSET, offset);
    });
    rule.set_meta(MetaKey::MARK, R1);
}

fn between(rule: &mut RuleWriter<'_, '_, '_>, key: MetaKey, from: u32, to: u32) {
    rule.meta(key, R1);
    rule.byteorder(R1, ByteorderOp::HTON, 4);
    rule.compare_range(R1, EQ, &from.to_be_bytes(), &to.to_be_bytes());
    rule.accept();
}

fn rate(rate: u64, seconds: u64, burst: u32) -> Rate {
    Rate { rate, seconds, burst, kind: LimitType::PKTS, over: false }
}

fn input() -> Vec<(String, Write)> {
    rules! {
        "ct state established,related accept" => |rule| {
            rule.ct_state(EQ, CtState::ESTABLISHED | CtState::RELATED);
            rule.accept();
        };
        "ct state new counter" => |rule| {
            rule.ct_state(EQ, CtState::NEW);
            rule.counter();
        };
        "tcp flags syn synproxy mss 1460 wscale 7 timestamp sack-perm" => |rule| {
            rule.transport(TCP);
            rule.payload(PayloadBase::TRANSPORT_HEADER, 13, 1, R1);
            rule.mask(R1, &[2], &[0]);
            rule.compare(R1, NEQ, &[0]);
            rule.expression("synproxy", Synproxy, synproxy);
        };
        "synproxy name \"s1\"" => |rule| rule.object(ObjectType::SYNPROXY, "s1");
        "ct original ip saddr 10.0.0.1 counter" => |rule| {
            rule.ct(CtKey::SRC_IP, Some(CtDirection::ORIGINAL), R1);
            rule.compare(R1, EQ, &[10, 0, 0, 1]);
            rule.counter();
        };
        "iifname \"eth0\" accept" => |rule| { rule.input_name(EQ, "eth0"); rule.accept() };
        "oifname != \"eth0\" accept" => |rule| { rule.output_name(NEQ, "eth0"); rule.accept() };
        "iif \"lo\" accept" => |rule| { rule.meta_is(MetaKey::IIF, EQ, &1_u32.to_ne_bytes()); rule.accept() };
        "iifname \"eth*\" accept" => |rule| { rule.input_name(EQ, "eth*"); rule.accept() };
        "ip saddr != 10.0.0.1 drop" => |rule| { rule.source(NEQ, v4("10.0.0.1"), 32); rule.drop() };
        "ip saddr != 10.0.0.0/8 drop" => |rule| { rule.source(NEQ, v4("10.0.0.0"), 8); rule.drop() };
        "ip saddr != 10.0.0.0/9 drop" => |rule| { rule.source(NEQ, v4("10.0.0.0"), 9); rule.drop() };
        "ip6 daddr ::1 accept" => |rule| { rule.destination(EQ, v6("::1"), 128); rule.accept() };
        "tcp dport 22 accept" => |rule| { rule.port(EQ, Port::Destination, TCP, 22..=22); rule.accept() };
        "tcp dport != 10-20 drop" => |rule| { rule.port(NEQ, Port::Destination, TCP, 10..=20); rule.drop() };
        "udp sport 53 accept" => |rule| { rule.port(EQ, Port::Source, UDP, 53..=53); rule.accept() };
        "icmp type echo-request accept" => |rule| { rule.icmp(EQ, Family::IPV4, 8); rule.accept() };
        "icmpv6 type nd-router-advert accept" => |rule| { rule.icmp(EQ, Family::IPV6, 134); rule.accept() };
        "meta l4proto tcp accept" => |rule| { rule.transport(TCP); rule.accept() };
        "meta mark 5 accept" => |rule| { rule.mark(EQ, 5); rule.accept() };
        "meta mark 5-10 accept" => |rule| between(rule, MetaKey::MARK, 5, 10);
        "meta length 100-200 accept" => |rule| between(rule, MetaKey::LEN, 100, 200);
        "meta mark set 7" => |rule| rule.set_mark(7);
        "meta mark set mark or 0x10" => |rule| {
            rule.meta(MetaKey::MARK, R1);
            rule.mask(R1, &(!0x10_u32).to_ne_bytes(), &0x10_u32.to_ne_bytes());
            rule.set_meta(MetaKey::MARK, R1);
        };
        "ct mark set 3" => |rule| { rule.immediate(R1, &3_u32.to_ne_bytes()); rule.set_ct(CtKey::MARK, None, R1) };
        "ct mark set meta mark" => |rule| { rule.meta(MetaKey::MARK, R1); rule.set_ct(CtKey::MARK, None, R1) };
        "meta mark set ct mark" => |rule| { rule.ct(CtKey::MARK, None, R1); rule.set_meta(MetaKey::MARK, R1) };
        "limit rate 10/second accept" => |rule| { rule.limit(rate(10, 1, 5)); rule.accept() };
        "limit rate over 10/minute burst 7 packets drop" => |rule| {
            rule.limit(Rate { over: true, ..rate(10, 60, 7) });
            rule.drop();
        };
        "limit rate 1 mbytes/second accept" => |rule| {
            rule.limit(Rate { kind: LimitType::PKT_BYTES, ..rate(1 << 20, 1, 0) });
            rule.accept();
        };
        "log prefix \"hello \" level info" => |rule| {
            rule.log(LogEntry { prefix: Some("hello "), level: Some(LogLevel::INFO), ..LogEntry::default() });
        };
        "log level debug flags tcp sequence,options" => |rule| {
            let flags = LogFlags::TCPSEQ | LogFlags::TCPOPT;
            rule.log(LogEntry { level: Some(LogLevel::DEBUG), flags, ..LogEntry::default() });
        };
        "log group 5 snaplen 64 queue-threshold 3" => |rule| {
            let entry = LogEntry { group: Some(5), snaplen: Some(64), threshold: Some(3), ..LogEntry::default() };
            rule.log(entry);
        };
        "counter packets 0 bytes 0" => |rule| rule.counter();
        "counter name \"c1\"" => |rule| rule.object(ObjectType::COUNTER, "c1");
        "quota name \"q1\" drop" => |rule| { rule.object(ObjectType::QUOTA, "q1"); rule.drop() };
        "limit name \"l1\" accept" => |rule| { rule.object(ObjectType::LIMIT, "l1"); rule.accept() };
        "quota over 1 mbytes drop" => |rule| { rule.quota(1 << 20, true); rule.drop() };
        "quota 10 kbytes accept" => |rule| { rule.quota(10 << 10, false); rule.accept() };
        "ct count over 5 drop" => |rule| {
            rule.expression("connlimit", Connlimit, |connlimit| {
                connlimit.put(Connlimit::COUNT, 5);
                connlimit.put(Connlimit::FLAGS, ConnlimitFlags::INV);
            });
            rule.drop();
        };
        "reject" => |rule| rule.reject(RejectInetCode::PORT_UNREACH);
        "reject with tcp reset" => |rule| rule.reject_with(RejectType::TCP_RST, 0);
        "reject with icmpx admin-prohibited" => |rule| rule.reject(RejectInetCode::ADMIN_PROHIBITED);
        "reject with icmp host-unreachable" => |rule| {
            rule.network(Family::IPV4);
            rule.reject_with(RejectType::ICMP_UNREACH, 1);
        };
        "jump other" => |rule| rule.jump("other");
        "goto other" => |rule| rule.goto("other");
        "return" => |rule| rule.verdict(VerdictCode::RETURN, None);
        "continue" => |rule| rule.verdict(VerdictCode::CONTINUE, None);
        "ip saddr @banned drop" => |rule| {
            rule.load_address(Port::Source, Family::IPV4, R1);
            rule.lookup(R1, EQ, "banned".into());
            rule.drop();
        };
        "ip saddr != @banned accept" => |rule| {
            rule.load_address(Port::Source, Family::IPV4, R1);
            rule.lookup(R1, NEQ, "banned".into());
            rule.accept();
        };
        "tcp dport @ports accept" => |rule| {
            rule.load_port(Port::Destination, TCP, R1);
            rule.lookup(R1, EQ, "ports".into());
            rule.accept();
        };
        "ip saddr . tcp dport @cc accept" => |rule| {
            rule.network(Family::IPV4);
            rule.transport(TCP);
            rule.load_address(Port::Source, Family::IPV4, R1);
            rule.load_port(Port::Destination, TCP, Register::REG32_01);
            rule.lookup(R1, EQ, "cc".into());
            rule.accept();
        };
        "tcp dport vmap @pm" => |rule| {
            rule.load_port(Port::Destination, TCP, R1);
            rule.map(R1, "pm".into(), R0);
        };
        "ip saddr { 1.1.1.1, 2.2.2.2 } drop" => |rule| {
            rule.load_address(Port::Source, Family::IPV4, R1);
            rule.lookup(R1, EQ, ANONYMOUS);
            rule.drop();
        };
        "add @seen { ip saddr }" => |rule| {
            rule.load_address(Port::Source, Family::IPV4, R1);
            rule.update_set(DynsetOp::ADD, "seen".into(), R1, None);
        };
        "update @seen { ip saddr timeout 5s limit rate 5/second } drop" => |rule| {
            rule.load_address(Port::Source, Family::IPV4, R1);
            rule.expression("dynset", Dynset, |dynset| {
                dynset.put(Dynset::SET_NAME, "seen");
                dynset.put(Dynset::OP, DynsetOp::UPDATE);
                dynset.put(Dynset::SREG_KEY, R1);
                dynset.put(Dynset::TIMEOUT, 5000);
                dynset.nest(Dynset::EXPR, |expression| {
                    expression.put(Expression::NAME, "limit");
                    expression.choose(Expression::DATA, Limit, |limit| {
                        limit.put(Limit::RATE, 5);
                        limit.put(Limit::UNIT, 1);
                        limit.put(Limit::BURST, 5);
                    });
                });
            });
            rule.drop();
        };
        "meta mark set jhash ip saddr mod 4" => |rule| {
            rule.load_address(Port::Source, Family::IPV4, R2);
            hash(rule, HashType::JENKINS, Some((R2, 4)), 4, 0);
        };
        "meta mark set symhash mod 4 offset 2" => |rule| hash(rule, HashType::SYM, None, 4, 2);
        "meta mark set numgen inc mod 4" => |rule| numgen(rule, NumgenType::INCREMENTAL, 4, 0);
        "meta mark set numgen random mod 8 offset 1" => |rule| numgen(rule, NumgenType::RANDOM, 8, 1);
        "rt ip nexthop 10.0.0.1 counter" => |rule| {
            rt(rule, RtKey::NEXTHOP4);
            rule.compare(R1, EQ, &[10, 0, 0, 1]);
            rule.counter();
        };
        "rt classid 5 counter" => |rule| {
            rt(rule, RtKey::CLASSID);
            rule.compare(R1, EQ, &5_u32.to_ne_bytes());
            rule.counter();
        };
        "counter name ip saddr map @om" => |rule| {
            rule.load_address(Port::Source, Family::IPV4, R1);
            rule.object_by(R1, "om".into());
        };
        "meta skuid 1000 accept" => |rule| { rule.meta_is(MetaKey::SKUID, EQ, &1000_u32.to_ne_bytes()); rule.accept() };
        "meta cgroup 5 accept" => |rule| { rule.meta_is(MetaKey::CGROUP, EQ, &5_u32.to_ne_bytes()); rule.accept() };
        "meta day \"Monday\" accept" => |rule| { rule.meta_is(MetaKey::TIME_DAY, EQ, &[1]); rule.accept() };
        "ip dscp set 4" => |rule| {
            rule.network(Family::IPV4);
            rule.payload(PayloadBase::NETWORK_HEADER, 0, 2, R1);
            rule.mask(R1, &[0xff, 0x03], &[0x00, 0x10]);
            rule.write_payload(PayloadBase::NETWORK_HEADER, 0, 2, R1, Some((10, PayloadChecksumFlags(0))));
        };
        "ip ttl 64 accept" => |rule| {
            rule.network(Family::IPV4);
            rule.payload(PayloadBase::NETWORK_HEADER, 8, 1, R1);
            rule.compare(R1, EQ, &[64]);
            rule.accept();
        };
        "tcp sport set 99" => |rule| {
            rule.transport(TCP);
            rule.immediate(R1, &99_u16.to_be_bytes());
            rule.write_payload(PayloadBase::TRANSPORT_HEADER, 0, 2, R1, Some((16, PayloadChecksumFlags(0))));
        };
        "meta priority set 1:5" => |rule| {
            rule.immediate(R1, &0x0001_0005_u32.to_ne_bytes());
            rule.set_meta(MetaKey::PRIORITY, R1);
        };
    }
}

/// Rules that differ by a number: prefixes of all lengths, ports, rates.
fn many() -> Vec<(String, Write)> {
    let mut rules: Vec<(String, Write)> = rules! {
        "rt mtu 1400 counter" => |rule| {
            rt(rule, RtKey::TCPMSS);
            rule.compare(R1, EQ, &1400_u16.to_ne_bytes());
            rule.counter();
        };
    };
    for length in 1..=32_u8 {
        let network = Ipv4Addr::from(0xac10_2b3f_u32 & (u32::MAX << (32 - length)));
        rules.push((
            format!("ip saddr {network}/{length} drop"),
            Box::new(move |rule| {
                rule.source(EQ, network.into(), length);
                rule.drop();
            }),
        ));
    }
    for length in (1..=128_u8).step_by(3) {
        let network = Ipv6Addr::from(0xfd00_1234_5678_9abc_def0_1234_5678_9abd_u128 & (u128::MAX << (128 - length)));
        rules.push((
            format!("ip6 daddr {network}/{length} accept"),
            Box::new(move |rule| {
                rule.destination(EQ, network.into(), length);
                rule.accept();
            }),
        ));
    }
    for port in 1..=20_u16 {
        rules.push((
            format!("udp dport {port}-{} accept", port * 100),
            Box::new(move |rule| {
                rule.port(EQ, Port::Destination, UDP, port..=port * 100);
                rule.accept();
            }),
        ));
        rules.push((
            format!("ip saddr 10.0.0.{port} tcp sport {port} limit rate {port}/hour log group {port} accept"),
            Box::new(move |rule| {
                rule.source(EQ, Ipv4Addr::new(10, 0, 0, port as u8).into(), 32);
                rule.port(EQ, Port::Source, TCP, port..=port);
                rule.limit(rate(port.into(), 3600, 5));
                rule.log(LogEntry { group: Some(port), ..LogEntry::default() });
                rule.accept();
            }),
        ));
    }
    rules
}

fn target(addresses: Option<(&str, &str)>, ports: Option<(u16, u16)>) -> NatTarget {
    let address = |text: &str| text.parse::<IpAddr>().expect("an address");
    NatTarget {
        addresses: addresses.map(|(from, to)| address(from)..=address(to)),
        ports: ports.map(|(from, to)| from..=to),
        flags: NatFlags(0),
    }
}

fn prerouting_nat() -> Vec<(String, Write)> {
    rules! {
        "tcp dport 80 dnat ip to 10.0.0.1:8080" => |rule| {
            rule.port(EQ, Port::Destination, TCP, 80..=80);
            rule.nat(NatType::DNAT, Family::IPV4, &target(Some(("10.0.0.1", "10.0.0.1")), Some((8080, 8080))));
        };
        "dnat ip to 10.0.0.1" => |rule| {
            rule.nat(NatType::DNAT, Family::IPV4, &target(Some(("10.0.0.1", "10.0.0.1")), None));
        };
        "redirect" => |rule| rule.redirect(&NatTarget::default());
        "tcp dport 90 redirect to :99" => |rule| {
            rule.port(EQ, Port::Destination, TCP, 90..=90);
            rule.redirect(&target(None, Some((99, 99))));
        };
    }
}

fn postrouting() -> Vec<(String, Write)> {
    rules! {
        "masquerade" => |rule| rule.masquerade(&NatTarget::default());
        "tcp dport 1 masquerade to :1024-2048" => |rule| {
            rule.port(EQ, Port::Destination, TCP, 1..=1);
            rule.masquerade(&target(None, Some((1024, 2048))));
        };
        "masquerade random,persistent" => |rule| {
            let flags = NatFlags::PROTO_RANDOM | NatFlags::PERSISTENT;
            rule.masquerade(&NatTarget { flags, ..NatTarget::default() });
        };
        "snat ip to 10.0.0.1-10.0.0.5" => |rule| {
            rule.nat(NatType::SNAT, Family::IPV4, &target(Some(("10.0.0.1", "10.0.0.5")), None));
        };
        "snat ip6 to fe80::1" => |rule| {
            rule.nat(NatType::SNAT, Family::IPV6, &target(Some(("fe80::1", "fe80::1")), None));
        };
        "meta nfproto ipv4 tcp dport 1 snat ip to 10.0.0.1:10-20" => |rule| {
            rule.network(Family::IPV4);
            rule.port(EQ, Port::Destination, TCP, 1..=1);
            rule.nat(NatType::SNAT, Family::IPV4, &target(Some(("10.0.0.1", "10.0.0.1")), Some((10, 20))));
        };
        "snat ip to ip saddr map @am" => |rule| {
            rule.load_address(Port::Source, Family::IPV4, R1);
            rule.map(R1, "am".into(), R1);
            rule.nat_by(NatType::SNAT, Family::IPV4, R1, NatFlags(0));
        };
    }
}

fn ipv4() -> Vec<(String, Write)> {
    rules! {
        "dup to 10.0.0.9" => |rule| {
            rule.immediate(R1, &[10, 0, 0, 9]);
            rule.expression("dup", Dup, |dup| dup.put(Dup::SREG_ADDR, R1));
        };
        "dup to 10.0.0.9 device \"lo\"" => |rule| {
            rule.immediate(R1, &[10, 0, 0, 9]);
            rule.immediate(R2, &1_u32.to_ne_bytes());
            rule.expression("dup", Dup, |dup| {
                dup.put(Dup::SREG_ADDR, R1);
                dup.put(Dup::SREG_DEV, R2);
            });
        };
        "ip saddr 10.0.0.0/8 drop" => |rule| { rule.source(EQ, v4("10.0.0.0"), 8); rule.drop() };
        "tcp dport 5 accept" => |rule| { rule.port(EQ, Port::Destination, TCP, 5..=5); rule.accept() };
    }
}

fn netdev() -> Vec<(String, Write)> {
    let lo = 1_u32.to_ne_bytes();
    rules! {
        "ip saddr 1.2.3.4 fwd to \"lo\"" => |rule| {
            rule.source(EQ, v4("1.2.3.4"), 32);
            rule.immediate(R1, &lo);
            rule.expression("fwd", Fwd, |fwd| fwd.put(Fwd::SREG_DEV, R1));
        };
        "fwd ip to 10.0.0.1 device \"lo\"" => |rule| {
            rule.immediate(R1, &lo);
            rule.immediate(R2, &[10, 0, 0, 1]);
            rule.expression("fwd", Fwd, |fwd| {
                fwd.put(Fwd::SREG_DEV, R1);
                fwd.put(Fwd::SREG_ADDR, R2);
                fwd.put(Fwd::NFPROTO, u32::from(Family::IPV4.0));
            });
        };
        "dup to \"lo\"" => |rule| {
            rule.immediate(R1, &lo);
            rule.expression("dup", Dup, |dup| dup.put(Dup::SREG_DEV, R1));
        };
        "ether saddr 00:01:02:03:04:05 drop" => |rule| {
            rule.meta_is(MetaKey::IFTYPE, EQ, &1_u16.to_ne_bytes());
            rule.payload(PayloadBase::LL_HEADER, 6, 6, R1);
            rule.compare(R1, EQ, &[0, 1, 2, 3, 4, 5]);
            rule.drop();
        };
    }
}

fn arp() -> Vec<(String, Write)> {
    rules! {
        "arp operation request drop" => |rule| {
            rule.payload(PayloadBase::NETWORK_HEADER, 6, 2, R1);
            rule.compare(R1, EQ, &1_u16.to_be_bytes());
            rule.drop();
        };
    }
}

/// What is in the tables besides chains, in nft's words.
const INET_T: &str = r#"
    counter c1 { }
    quota q1 { 1 mbytes }
    limit l1 { rate 10/second }
    ct helper h1 { type "ftp" protocol tcp; }
    ct timeout tm1 {
        protocol tcp; l3proto ip;
        policy = { established : 100, close : 4 }
    }
    ct expectation e1 { protocol tcp; dport 99; timeout 60s; size 12; l3proto ip; }
    synproxy s1 { mss 1460; wscale 7; timestamp sack-perm; }
    set banned { type ipv4_addr; elements = { 10.0.0.1, 10.0.0.2 } }
    set ports { type inet_service; flags interval; elements = { 10-20, 80 } }
    set seen { type ipv4_addr; flags dynamic,timeout; timeout 60s; size 1000; }
    map pm { type inet_service : verdict; elements = { 22 : accept, 23 : drop } }
    map om { type ipv4_addr : counter; elements = { 10.0.0.1 : "c1" } }
    set cc { type ipv4_addr . inet_service; elements = { 10.0.0.1 . 80 } }
"#;
const INET_NAT: &str = "
    map am { type ipv4_addr : ipv4_addr; elements = { 10.0.0.1 : 10.1.0.1 } }
";

/// The whole ruleset in nft's words.
pub(crate) fn text(chains: &[Rules]) -> String {
    let mut text = String::new();
    for (place, chain) in chains.iter().enumerate() {
        text += &format!("table {} {} {{\n", chain.family(), chain.table);
        if chains.iter().position(|first| first.table == chain.table) == Some(place) {
            text += match chain.table {
                "t" => INET_T,
                "nat" => INET_NAT,
                _ => "",
            };
        }
        text += &format!("chain {} {{\n", chain.chain);
        if let Some((kind, _, hook, priority, device)) = chain.hook {
            let device = device.map(|device| format!(" device \"{device}\"")).unwrap_or_default();
            text += &format!("type {kind} hook {hook}{device} priority {priority}; policy accept;\n");
        }
        for (rule, _) in &chain.rules {
            text += &format!("{rule}\n");
        }
        text += "}\n}\n";
    }
    text
}

/// The set without a name that one rule has for itself.
const ANONYMOUS: SetName<'static> = SetName { name: "__set%d", id: Some(99) };

// How nft numbers what keys are (`enum datatypes`).
const ADDRESS: u32 = 7;
const SERVICE: u32 = 13;
/// Types in a key of several fields take six bits each.
const ADDRESS_AND_SERVICE: u32 = ADDRESS << 6 | SERVICE;

/// The whole ruleset as the library writes it.
pub(crate) fn write(transaction: &mut Transaction<'_>, chains: &[Rules]) -> Result<(), ringlink::Error> {
    for (place, chain) in chains.iter().enumerate() {
        let header = NetfilterHeader::of(chain.family);
        if chains.iter().position(|first| first.table == chain.table) == Some(place) {
            transaction.add(Nft::NEWTABLE.create(), header, |table| table.put(Table::NAME, chain.table))?;
        }
        transaction.add(Nft::NEWCHAIN.create(), header, |new| {
            new.put(Chain::TABLE, chain.table);
            new.put(Chain::NAME, chain.chain);
            if let Some((kind, number, _, priority, device)) = chain.hook {
                new.put(Chain::TYPE, kind);
                new.nest(Chain::HOOK, |hook| {
                    hook.put(Hook::HOOKNUM, number);
                    hook.put(Hook::PRIORITY, priority);
                    hook.put_some(Hook::DEV, device);
                });
                new.put(Chain::POLICY, VerdictCode::ACCEPT);
            }
        })?;
    }
    let header = NetfilterHeader::of(Family::INET);
    objects(transaction, header)?;
    sets(transaction, header)?;
    for chain in chains {
        let header = NetfilterHeader::of(chain.family);
        for (_, write) in &chain.rules {
            transaction.add(Nft::NEWRULE.create().append(), header, |rule| {
                rule.put(Rule::TABLE, chain.table);
                rule.put(Rule::CHAIN, chain.chain);
                rule.nest(Rule::EXPRESSIONS, |list| write(&mut RuleWriter::new(list, chain.family)));
            })?;
        }
    }
    Ok(())
}

fn objects(transaction: &mut Transaction<'_>, header: NetfilterHeader) -> Result<(), ringlink::Error> {
    let mut object = |name: &str, kind, fill: &dyn Fn(&mut AttributeWriter<'_, '_, Object>)| {
        transaction.add(Nft::NEWOBJ.create(), header, |object| {
            object.put(Object::TABLE, "t");
            object.put(Object::NAME, name);
            object.put(Object::TYPE, kind);
            fill(object);
        })
    };
    object("c1", ObjectType::COUNTER, &|object| object.choose(Object::DATA, Counter, |_| {}))?;
    object("q1", ObjectType::QUOTA, &|object| {
        object.choose(Object::DATA, Quota, |quota| quota.put(Quota::BYTES, 1 << 20));
    })?;
    object("l1", ObjectType::LIMIT, &|object| {
        object.choose(Object::DATA, Limit, |limit| {
            limit.put(Limit::RATE, 10);
            limit.put(Limit::UNIT, 1);
            limit.put(Limit::BURST, 5);
        });
    })?;
    object("h1", ObjectType::CT_HELPER, &|object| {
        object.choose(Object::DATA, CtHelper, |helper| {
            helper.put(CtHelper::NAME, "ftp");
            helper.put(CtHelper::L4PROTO, TCP);
        });
    })?;
    object("tm1", ObjectType::CT_TIMEOUT, &|object| {
        object.choose(Object::DATA, CtTimeout, |timeout| {
            timeout.put(CtTimeout::L3PROTO, u16::from(Family::IPV4.0));
            timeout.put(CtTimeout::L4PROTO, TCP);
            timeout.indexed(CtTimeout::DATA, |states| {
                // CTA_TIMEOUT_TCP_ESTABLISHED and CTA_TIMEOUT_TCP_CLOSE.
                states.put(3, 100);
                states.put(8, 4);
            });
        });
    })?;
    object("e1", ObjectType::CT_EXPECT, &|object| {
        object.choose(Object::DATA, CtExpect, |expect| {
            expect.put(CtExpect::L3PROTO, u16::from(Family::IPV4.0));
            expect.put(CtExpect::L4PROTO, TCP);
            expect.put(CtExpect::DPORT, 99);
            expect.put(CtExpect::TIMEOUT, 60_000);
            expect.put(CtExpect::SIZE, 12);
        });
    })?;
    object("s1", ObjectType::SYNPROXY, &|object| object.choose(Object::DATA, Synproxy, synproxy))
}

fn sets(transaction: &mut Transaction<'_>, header: NetfilterHeader) -> Result<(), ringlink::Error> {
    let mut id = 0;
    let mut set =
        |table: &str, name: &str, key: (u32, u32), flags, fill: &dyn Fn(&mut AttributeWriter<'_, '_, Set>)| {
            id = if name == ANONYMOUS.name { 99 } else { id + 1 };
            transaction.add(Nft::NEWSET.create(), header, |set| {
                set.put(Set::TABLE, table);
                set.put(Set::NAME, name);
                set.put(Set::FLAGS, flags);
                set.put(Set::KEY_TYPE, key.0);
                set.put(Set::KEY_LEN, key.1);
                set.put(Set::ID, id);
                fill(set);
                // NFTNL_UDATA_SET_KEYBYTEORDER and BYTEORDER_BIG_ENDIAN.
                set.put(Set::USERDATA, &[(0, &2_u32.to_ne_bytes()[..])][..]);
            })
        };
    let plain = SetFlags(0);
    set("t", "banned", (ADDRESS, 4), plain, &|_| {})?;
    set("t", "ports", (SERVICE, 2), SetFlags::INTERVAL, &|_| {})?;
    set("t", "seen", (ADDRESS, 4), SetFlags::TIMEOUT | SetFlags::EVAL, &|set| {
        set.put(Set::TIMEOUT, 60_000);
        set.nest(Set::DESC, |description| description.put(SetDescription::SIZE, 1000));
    })?;
    set("t", "pm", (SERVICE, 2), SetFlags::MAP, &|set| set.put(Set::DATA_TYPE, DataType::VERDICT))?;
    set("t", "om", (ADDRESS, 4), SetFlags::OBJECT, &|set| set.put(Set::OBJ_TYPE, ObjectType::COUNTER))?;
    set("t", "cc", (ADDRESS_AND_SERVICE, 8), plain, &|_| {})?;
    set("t", ANONYMOUS.name, (ADDRESS, 4), SetFlags::ANONYMOUS | SetFlags::CONSTANT, &|set| {
        set.nest(Set::DESC, |description| description.put(SetDescription::SIZE, 2));
    })?;
    set("nat", "am", (ADDRESS, 4), SetFlags::MAP, &|set| {
        set.put(Set::DATA_TYPE, DataType(ADDRESS));
        set.put(Set::DATA_LEN, 4);
    })?;
    elements(transaction, header)
}

fn elements(transaction: &mut Transaction<'_>, header: NetfilterHeader) -> Result<(), ringlink::Error> {
    type Filled<'f> = &'f dyn Fn(&mut AttributeWriter<'_, '_, Element>);
    let mut into = |table: &str, set: SetName<'_>, items: &[(&[u8], Filled<'_>)]| {
        let id: Key<Elements, Be32> = Elements::SET_ID;
        transaction.add_list(
            Nft::NEWSETELEM.create(),
            header,
            |elements| {
                elements.put(Elements::TABLE, table);
                elements.put(Elements::SET, set.name);
                elements.put_some(id, set.id);
            },
            Elements::ELEMENTS,
            items,
            |element, (key, fill)| {
                element.nest(Element::KEY, |data| data.put(Data::VALUE, *key));
                fill(element);
            },
        )
    };
    let nothing: Filled<'_> = &|_| {};
    let end: Filled<'_> = &|element| element.put(Element::FLAGS, ElementFlags::INTERVAL_END);
    let port = u16::to_be_bytes;
    into("t", "banned".into(), &[(&[10, 0, 0, 1], nothing), (&[10, 0, 0, 2], nothing)])?;
    into(
        "t",
        "ports".into(),
        &[(&port(0), end), (&port(10), nothing), (&port(21), end), (&port(80), nothing), (&port(81), end)],
    )?;
    let verdict = |element: &mut AttributeWriter<'_, '_, Element>, code| {
        element.nest(Element::DATA, |data| data.nest(Data::VERDICT, |verdict| verdict.put(Verdict::CODE, code)));
    };
    into(
        "t",
        "pm".into(),
        &[
            (&port(22), &|element| verdict(element, VerdictCode::ACCEPT)),
            (&port(23), &|element| verdict(element, VerdictCode::DROP)),
        ],
    )?;
    into("t", "om".into(), &[(&[10, 0, 0, 1], &|element| element.put(Element::OBJREF, "c1"))])?;
    into("t", "cc".into(), &[(&[10, 0, 0, 1, 0, 80, 0, 0], nothing)])?;
    into("t", ANONYMOUS, &[(&[1, 1, 1, 1], nothing), (&[2, 2, 2, 2], nothing)])?;
    into(
        "nat",
        "am".into(),
        &[(&[10, 0, 0, 1], &|element| {
            element.nest(Element::DATA, |data| data.put(Data::VALUE, &[10, 1, 0, 1]));
        })],
    )
}
