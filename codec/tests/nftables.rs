//! Tables, chains, rules and sets as a kernel told them, read by views and keys; and rules written as nft writes them.

#![cfg(target_endian = "little")]

mod support;

use std::fmt::Write;
use std::net::{IpAddr, Ipv4Addr};

use ringlink_codec::generic::Numbers;
use ringlink_codec::netfilter::nftables::*;
use ringlink_codec::netfilter::{Family, NetfilterHeader};
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::NETFILTER;
use support::{expect, lines, some};

const TABLES: &str = include_str!("captures/nftables_table.hex");
const CHAINS: &str = include_str!("captures/nftables_chain.hex");
const RULES: &str = include_str!("captures/nftables_rule.hex");
const SETS: &str = include_str!("captures/nftables_set.hex");
const ELEMENTS: &str = include_str!("captures/nftables_element.hex");
const OBJECTS: &str = include_str!("captures/nftables_object.hex");
const GENERATION: &str = include_str!("captures/nftables_generation.hex");
const EVENTS: &str = include_str!("captures/nftables_event.hex");
const COMPAT: &str = include_str!("captures/nftables_compat.hex");

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn table_line(body: Body<'_, TableMessage>) -> String {
    let view = TableView::read(body).unwrap();
    let mut line = format!("{} {} holds {} flags {}", view.family, view.name, view.holds.unwrap(), view.flags);
    some(&mut line, "comment", view.comment());
    line
}

#[test]
fn captured_tables() {
    expect(
        &lines(TABLES, Nft::NEWTABLE, table_line),
        r#"
        INET t holds 19 flags 0 comment the first
        INET nat holds 2 flags 0
        NETDEV n holds 1 flags 0
    "#,
    );
}

#[test]
fn captured_chains() {
    let found = lines(CHAINS, Nft::NEWCHAIN, |body| {
        let view = ChainView::read(body).unwrap();
        let mut line = format!("{} {} {} flags {}", view.family, view.table, view.name, view.flags);
        some(&mut line, "type", view.kind);
        some(&mut line, "hook", view.hook.map(|(number, priority)| format!("{number} priority {priority}")));
        some(&mut line, "policy", view.policy);
        view.devices().unwrap().for_each(|device| some(&mut line, "device", Some(device.unwrap())));
        some(&mut line, "used", view.used);
        some(&mut line, "comment", view.comment());
        line
    });
    expect(
        &found,
        r#"
        INET t other flags 0 used 3 comment jumped to
        INET t pre flags BASE type filter hook 0 priority -300 policy ACCEPT used 17
        INET t input flags BASE type filter hook 1 priority 0 policy DROP used 64
        INET nat pre flags BASE type nat hook 0 priority -100 policy ACCEPT used 4
        INET nat post flags BASE type nat hook 4 priority 100 policy ACCEPT used 7
        NETDEV n c flags BASE type filter hook 0 priority 0 policy ACCEPT device lo used 3
    "#,
    );
}

/// A rule's expressions by their names.
fn rule_line(body: Body<'_, RuleMessage>) -> String {
    let view = RuleView::read(body).unwrap();
    let names: Vec<_> = view.expressions().map(|expression| expression.unwrap().name().to_string()).collect();
    let mut line = names.join(" ");
    some(&mut line, "comment", view.comment());
    line
}

#[test]
fn captured_rules() {
    // What nft was told stands in the capture's header, a line for each rule.
    let told = RULES.lines().filter_map(|line| line.strip_prefix("# ")).skip(2);
    let read = lines(RULES, Nft::NEWRULE, rule_line);
    let found: Vec<_> = told.zip(&read).map(|(told, read)| format!("{told} => {read}")).collect();
    assert_eq!(found.len(), read.len());
    expect(
        &found,
        r#"
        notrack => notrack
        fib saddr . iif oif missing drop => fib cmp immediate
        fib daddr type local accept => fib cmp immediate
        socket transparent 1 mark set 1 => socket cmp immediate meta
        tcp dport 80 tproxy ip to 127.0.0.1:8080 => meta cmp payload cmp immediate immediate tproxy
        osf name "Linux" counter => osf cmp counter
        meta nftrace set 1 => immediate meta
        ct helper set "h1" => objref
        ct timeout set "tm1" => objref
        ip6 nexthdr tcp counter => meta cmp payload cmp counter
        ipsec in reqid 5 counter => xfrm cmp counter
        exthdr hbh exists counter => meta cmp exthdr cmp counter
        tcp option maxseg size 1460 counter => exthdr cmp counter
        tcp option sack-perm exists counter => exthdr cmp counter
        ip option lsrr exists counter => meta cmp exthdr cmp counter
        sctp chunk data exists counter => exthdr cmp counter
        frag more-fragments 1 counter => meta cmp exthdr bitwise cmp counter
        tcp flags syn synproxy mss 1460 wscale 7 timestamp sack-perm => meta cmp payload bitwise cmp synproxy
        ct expectation set "e1" => objref
        ct state established,related accept comment "the first" => ct bitwise cmp immediate comment the first
        ct state new counter => ct bitwise cmp counter
        iifname "eth0" accept => meta cmp immediate
        iif "lo" accept => meta cmp immediate
        iifname "eth*" accept => meta cmp immediate
        ip saddr 10.0.0.0/8 drop => meta cmp payload cmp immediate
        ip saddr 10.0.0.0/9 drop => meta cmp payload bitwise cmp immediate
        ip saddr != 10.0.0.1 drop => meta cmp payload cmp immediate
        ip6 saddr fe80::/10 accept => meta cmp payload bitwise cmp immediate
        ip6 daddr ::1 accept => meta cmp payload cmp immediate
        tcp dport 22 accept => meta cmp payload cmp immediate
        tcp dport 10-20 accept => meta cmp payload cmp cmp immediate
        tcp dport != 10-20 drop => meta cmp payload range immediate
        udp sport 53 accept => meta cmp payload cmp immediate
        icmp type echo-request accept => meta cmp meta cmp payload cmp immediate
        icmpv6 type nd-router-advert accept => meta cmp meta cmp payload cmp immediate
        meta l4proto tcp accept => meta cmp immediate
        meta mark 5 accept => meta cmp immediate
        meta mark 5-10 accept => meta byteorder cmp cmp immediate
        meta mark set 7 => immediate meta
        meta mark set mark or 0x10 => meta bitwise meta
        ct mark set 3 => immediate ct
        ct mark set meta mark => meta ct
        meta mark set ct mark => ct meta
        meta length 100-200 accept => meta byteorder cmp cmp immediate
        limit rate 10/second accept => limit immediate
        limit rate over 10/minute burst 7 packets drop => limit immediate
        limit rate 1 mbytes/second accept => limit immediate
        log prefix "hello " level info => log
        log group 5 snaplen 64 => log
        counter packets 0 bytes 0 => counter
        counter name "c1" => objref
        quota name "q1" drop => objref immediate
        limit name "l1" accept => objref immediate
        quota over 1 mbytes drop => quota immediate
        quota 10 kbytes accept => quota immediate
        ct count over 5 drop => connlimit immediate
        reject => reject
        reject with tcp reset => meta cmp reject
        reject with icmp host-unreachable => meta cmp reject
        jump other => immediate
        goto other => immediate
        ip saddr @banned drop => meta cmp payload lookup immediate
        tcp dport @ports accept => meta cmp payload lookup immediate
        ip saddr . tcp dport @cc accept => meta cmp meta cmp payload payload lookup immediate
        tcp dport vmap @pm => meta cmp payload lookup
        ip saddr { 1.1.1.1, 2.2.2.2 } drop => meta cmp payload lookup immediate
        tcp dport { 1-2, 5 } drop => meta cmp payload lookup immediate
        add @seen { ip saddr } => meta cmp payload dynset
        update @seen { ip saddr timeout 5s limit rate 5/second } drop => meta cmp payload dynset immediate
        meta mark set jhash ip saddr mod 4 => meta cmp payload hash meta
        meta mark set symhash mod 4 offset 2 => hash meta
        meta mark set numgen inc mod 4 => numgen meta
        meta mark set numgen random mod 8 offset 1 => numgen meta
        rt ip nexthop 10.0.0.1 counter => rt cmp counter
        rt classid 5 counter => rt cmp counter
        counter name ip saddr map @om => meta cmp payload objref
        meta cgroup 5 accept => meta cmp immediate
        ip dscp set 4 => meta cmp payload bitwise payload
        ip ttl 64 accept => meta cmp payload cmp immediate
        meta priority set 1:5 => immediate meta
        meta day "Monday" accept => meta cmp immediate
        tcp dport 80 dnat ip to 10.0.0.1:8080 => meta cmp payload cmp immediate immediate nat
        dnat ip to 10.0.0.1 => immediate nat
        redirect => redir
        tcp dport 90 redirect to :99 => meta cmp payload cmp immediate redir
        masquerade => masq
        tcp dport 1 masquerade to :1024-2048 => meta cmp payload cmp immediate immediate masq
        masquerade random,persistent => masq
        snat ip to 10.0.0.1-10.0.0.5 => immediate immediate nat
        snat ip6 to fe80::1 => immediate nat
        meta nfproto ipv4 tcp dport 1 snat ip to 10.0.0.1:10-20 => meta cmp meta cmp payload cmp immediate immediate immediate nat
        snat ip to ip saddr map { 10.0.0.1 : 10.9.9.9 } => meta cmp payload lookup nat
        ip saddr 1.2.3.4 fwd to "lo" => meta cmp payload cmp immediate fwd
        fwd ip to 10.0.0.1 device "lo" => immediate immediate fwd
        dup to "lo" => immediate dup
    "#,
    );
}

#[test]
fn captured_sets() {
    let found = lines(SETS, Nft::NEWSET, |body| {
        let view = SetView::read(body).unwrap();
        let mut line = format!("{} {} {} flags {}", view.family, view.table, view.name, view.flags);
        some(&mut line, "key", view.key_type.zip(view.key_length).map(|(kind, length)| format!("{kind}/{length}")));
        some(&mut line, "data", view.data_type);
        some(&mut line, "length", view.data_length);
        some(&mut line, "objects", view.object_type);
        some(&mut line, "timeout", view.timeout);
        some(&mut line, "size", view.size);
        for field in view.fields.into_iter().flat_map(|fields| fields.all(SetFields::ELEM)) {
            some(&mut line, "field", field.unwrap().get(SetField::LEN).unwrap());
        }
        view.expressions().for_each(|expression| some(&mut line, "does", Some(expression.unwrap().name())));
        some(&mut line, "comment", view.comment());
        line
    });
    expect(
        &found,
        r#"
        INET t banned flags TIMEOUT key 7/4 comment not welcome
        INET t ports flags INTERVAL key 13/2
        INET t seen flags TIMEOUT|EVAL key 7/4 timeout 60000 size 1000
        INET t pm flags MAP key 13/2 data VERDICT length 16
        INET t am flags MAP key 7/4 data 7 length 4
        INET t om flags OBJECT key 7/4 objects COUNTER
        INET t cc flags 0 key 461/8
        INET t iv flags INTERVAL|CONCAT key 461/8 field 4 field 2
        INET t lim flags 0 key 7/4 does counter
        INET t __set0 flags ANONYMOUS|CONSTANT key 7/4 size 2
        INET t __set1 flags ANONYMOUS|CONSTANT|INTERVAL key 13/2 size 5
        INET nat __map0 flags ANONYMOUS|CONSTANT|MAP key 7/4 data 7 length 4 size 1
    "#,
    );
}

#[test]
fn captured_elements() {
    let found = lines(ELEMENTS, Nft::NEWSETELEM, |body| {
        let view = ElementsView::read(body).unwrap();
        let mut line = format!("{}:", view.set);
        for element in view.iter() {
            let element = element.unwrap();
            write!(line, " [{} {}", element.key.map_or("*".into(), hex), element.flags).unwrap();
            some(&mut line, "to", element.key_end.map(hex));
            some(&mut line, "value", element.value.map(hex));
            some(&mut line, "verdict", element.verdict.map(|verdict| verdict.code));
            some(&mut line, "chain", element.verdict.and_then(|verdict| verdict.chain));
            some(&mut line, "object", element.object);
            some(&mut line, "timeout", element.timeout);
            element.expressions().for_each(|one| some(&mut line, "does", Some(one.unwrap().name())));
            some(&mut line, "comment", element.comment());
            line.push(']');
        }
        line
    });
    expect(
        &found,
        r#"
        banned: [0a000002 0] [0a000001 0 timeout 3600000 comment one]
        banned:
        ports: [0051 INTERVAL_END] [0050 0] [0015 INTERVAL_END] [000a 0] [0000 INTERVAL_END]
        ports:
        pm: [0016 0 verdict ACCEPT] [0017 0 verdict JUMP chain other]
        pm:
        am: [0a000001 0 value 0a010001]
        am: [* CATCHALL value 0a090909]
        om: [0a000001 0 object c1]
        om:
        cc: [0a00000100500000 0]
        cc:
        iv: [0a00000000500000 0 to 0a0000ff005a0000]
        iv:
        lim: [0a000001 0 does counter]
        lim:
    "#,
    );
}

#[test]
fn captured_objects() {
    let found = lines(OBJECTS, Nft::NEWOBJ, |body| {
        let view = ObjectView::read(body).unwrap();
        let mut line = format!("{} {} {} used {}", view.table, view.name, view.kind, view.used.unwrap());
        some(&mut line, "bytes", view.data(Quota).unwrap().and_then(|quota| quota.get(Quota::BYTES).unwrap()));
        some(&mut line, "rate", view.data(Limit).unwrap().and_then(|limit| limit.get(Limit::RATE).unwrap()));
        some(&mut line, "helper", view.data(CtHelper).unwrap().and_then(|helper| helper.get(CtHelper::NAME).unwrap()));
        some(&mut line, "expects", view.data(CtExpect).unwrap().and_then(|one| one.get(CtExpect::TIMEOUT).unwrap()));
        some(&mut line, "mss", view.data(Synproxy).unwrap().and_then(|one| one.get(Synproxy::MSS).unwrap()));
        if let Some(timeouts) = view.data(CtTimeout).unwrap() {
            for timeout in timeouts.get(CtTimeout::DATA).unwrap().unwrap() {
                let (state, seconds) = timeout.unwrap();
                write!(line, " {state}={seconds}").unwrap();
            }
        }
        some(&mut line, "comment", view.comment());
        line
    });
    expect(
        &found,
        r#"
        t c1 COUNTER used 2 comment counted
        t q1 QUOTA used 1 bytes 1048576
        t l1 LIMIT used 1 rate 10
        t h1 CT_HELPER used 1 helper ftp
        t tm1 CT_TIMEOUT used 1 1=120 2=60 3=100 4=120 5=60 6=30 7=120 8=4 9=120 10=300 11=300
        t e1 CT_EXPECT used 1 expects 60000
        t s1 SYNPROXY used 0 mss 1460
    "#,
    );
}

#[test]
fn captured_generation_and_events() {
    let found =
        lines(GENERATION, Nft::NEWGEN, |body| format!("{:?}", GenerationView::read(body).unwrap().id.is_some()));
    expect(&found, "true");
    let found: Vec<String> = support::messages(EVENTS)
        .iter()
        .map(|bytes| {
            let message = Message::parse(bytes).unwrap();
            if let Ok(body) = message.body(Nft::TRACE) {
                let view = TraceView::read(body).unwrap();
                let mut line = format!("trace {} {} {}", view.kind, view.table, view.chain);
                some(&mut line, "verdict", view.verdict.map(|verdict| verdict.code));
                some(&mut line, "policy", view.policy);
                some(&mut line, "out", view.output);
                line
            } else {
                NETFILTER.row(message, Numbers::default()).unwrap().name.to_string()
            }
        })
        .collect();
    expect(
        &found,
        r#"
        NFT_MSG_NEWTABLE
        NFT_MSG_NEWGEN
        NFT_MSG_NEWCHAIN
        NFT_MSG_NEWGEN
        NFT_MSG_NEWRULE
        NFT_MSG_NEWGEN
        trace RULE e c verdict ACCEPT out 1
        trace RULE nat post verdict DROP out 1
        NFT_MSG_DELRULE
        NFT_MSG_DELCHAIN
        NFT_MSG_DELTABLE
        NFT_MSG_NEWGEN
    "#,
    );
}

#[test]
fn what_iptables_sends_is_read_by_its_names() {
    let found = lines(COMPAT, Nft::NEWRULE, |body| {
        let view = RuleView::read(body).unwrap();
        let mut line = String::new();
        for expression in view.expressions().map(Result::unwrap) {
            let ExpressionView::Match(found) = expression else { continue };
            let (name, revision) = found.read((Match::NAME, Match::REV)).unwrap();
            write!(line, "{} {}", name.unwrap(), revision.unwrap()).unwrap();
            let info = Match::INFO;
            match name.unwrap().to_str().unwrap() {
                "tcp" => some(&mut line, "to", found.chosen_value::<_, XtTcp>(info).unwrap().map(|tcp| tcp.dpts[0])),
                "udp" => some(&mut line, "from", found.chosen_value::<_, XtUdp>(info).unwrap().map(|udp| udp.spts[1])),
                "comment" => {
                    let comment = found.chosen_value::<_, XtComment>(info).unwrap().unwrap();
                    some(&mut line, "says", Some(comment.comment.text()));
                }
                "conntrack" => {
                    let conntrack = found.chosen_value::<_, XtConntrack>(info).unwrap().unwrap();
                    write!(line, " {} {}", conntrack.match_flags, conntrack.state_mask).unwrap();
                }
                "addrtype" => {
                    some(&mut line, "to", found.chosen_value::<_, XtAddrtype>(info).unwrap().map(|kind| kind.dest));
                }
                "limit" => {
                    some(&mut line, "every", found.chosen_value::<_, XtLimit>(info).unwrap().map(|limit| limit.avg))
                }
                "mark" => some(&mut line, "of", found.chosen_value::<_, XtMark>(info).unwrap().map(|mark| mark.mask)),
                "state" => {
                    some(&mut line, "in", found.chosen_value::<_, XtState>(info).unwrap().map(|state| state.statemask));
                }
                "multiport" => {
                    let ports = found.chosen_value::<_, XtMultiport>(info).unwrap().unwrap();
                    write!(line, " {:?} {:?}", &ports.ports[..ports.count.into()], ports.flags).unwrap();
                }
                _ => {}
            }
            line.push(';');
        }
        line
    });
    expect(
        &found,
        r#"
        comment 0 says hello;
        conntrack 3 STATE ESTABLISHED|NEW;
        addrtype 1 to 4;
        conntrack 3 STATE|STATE_ALIAS RELATED;
        multiport 1 [1, 2, 5, 9] DESTINATION;
    "#,
    );
}

/// The rule of the capture that nft was told in these words.
fn captured(told: &str) -> Vec<u8> {
    let mut rules = RULES.lines().filter_map(|line| line.strip_prefix("# ")).skip(2);
    let place = rules.position(|line| line == told).unwrap_or_else(|| panic!("{told}"));
    support::messages(RULES).swap_remove(place)
}

fn expressions(bytes: &[u8]) -> String {
    let view = RuleView::read(Message::parse(bytes).unwrap().body(Nft::NEWRULE).unwrap()).unwrap();
    view.expressions().map(|expression| format!("{:?}\n", expression.unwrap())).collect()
}

#[test]
fn rules_are_written_as_nft_writes_them() {
    type Case = (&'static str, fn(&mut RuleWriter<'_, '_, '_>));
    let cases: &[Case] = &[
        ("ip saddr 10.0.0.0/8 drop", |rule| {
            rule.source(CmpOp::EQ, Ipv4Addr::new(10, 0, 0, 0).into(), 8);
            rule.drop();
        }),
        // Bits that the prefix does not count make no difference.
        ("ip saddr 10.0.0.0/9 drop", |rule| {
            rule.source(CmpOp::EQ, Ipv4Addr::new(10, 1, 2, 3).into(), 9);
            rule.drop();
        }),
        ("tcp dport 10-20 accept", |rule| {
            rule.port(CmpOp::EQ, Port::Destination, 6, 10..=20);
            rule.accept();
        }),
        ("tcp dport != 10-20 drop", |rule| {
            rule.port(CmpOp::NEQ, Port::Destination, 6, 10..=20);
            rule.drop();
        }),
        ("meta mark set 7", |rule| rule.set_mark(7)),
        ("iifname \"eth*\" accept", |rule| {
            rule.input_name(CmpOp::EQ, "eth*");
            rule.accept();
        }),
        ("log prefix \"hello \" level info", |rule| {
            rule.log(LogEntry { prefix: Some("hello "), level: Some(LogLevel::INFO), ..LogEntry::default() });
        }),
        ("reject", |rule| rule.reject(RejectInetCode::PORT_UNREACH)),
        ("goto other", |rule| rule.goto("other")),
    ];
    for (told, write) in cases {
        let mut buffer = [0; 1024];
        let ours = Nft::NEWRULE.write(&mut buffer, NetfilterHeader::of(Family::INET), |rule| {
            rule.nest(Rule::EXPRESSIONS, |list| write(&mut RuleWriter::new(list, Family::INET)));
        });
        assert_eq!(expressions(ours.unwrap()), expressions(&captured(told)), "{told}");
    }
}

#[test]
fn a_protocol_is_asked_for_once() {
    let mut buffer = [0; 2048];
    let write = |family: Family, buffer: &mut [u8]| {
        let bytes = Nft::NEWRULE.write(buffer, NetfilterHeader::of(family), |rule| {
            rule.nest(Rule::EXPRESSIONS, |list| {
                let mut rule = RuleWriter::new(list, family);
                rule.source(CmpOp::EQ, Ipv4Addr::LOCALHOST.into(), 32);
                rule.destination(CmpOp::EQ, Ipv4Addr::LOCALHOST.into(), 0);
                rule.port(CmpOp::EQ, Port::Source, 17, 53..=53);
                rule.port(CmpOp::EQ, Port::Destination, 17, 53..=53);
            });
        });
        rule_line(Message::parse(bytes.unwrap()).unwrap().body(Nft::NEWRULE).unwrap())
    };
    let rest = "payload cmp meta cmp payload cmp payload cmp";
    assert_eq!(write(Family::INET, &mut buffer), format!("meta cmp {rest}"));
    assert_eq!(write(Family::NETDEV, &mut buffer), format!("meta cmp {rest}"));
    assert_eq!(write(Family::IPV4, &mut buffer), rest);
}

#[test]
fn a_buffer_too_short_says_how_long_it_has_to_be() {
    let write = |buffer: &mut [u8]| {
        let written = Nft::NEWRULE.write(buffer, NetfilterHeader::of(Family::INET), |rule| {
            rule.put(Rule::TABLE, "t");
            rule.nest(Rule::EXPRESSIONS, |list| {
                let mut rule = RuleWriter::new(list, Family::INET);
                rule.source(CmpOp::EQ, Ipv4Addr::LOCALHOST.into(), 9);
                rule.nat(
                    NatType::SNAT,
                    Family::IPV4,
                    &NatTarget {
                        addresses: Some(IpAddr::from(Ipv4Addr::LOCALHOST)..=Ipv4Addr::BROADCAST.into()),
                        ports: Some(1..=2),
                        flags: NatFlags::PERSISTENT,
                    },
                );
            });
        });
        written.map(|bytes| bytes.len())
    };
    let length = write(&mut [0; 2048]).unwrap();
    for size in 0..length {
        assert_eq!(write(&mut vec![0; size]).unwrap_err().needed(), Some(u32::try_from(length).unwrap()), "{size}");
    }
}

/// Reads all there is to read of a message.
fn survive(bytes: &[u8]) {
    let Ok(message) = Message::parse(bytes) else { return };
    if let Ok(Ok(view)) = message.body(Nft::NEWTABLE).map(TableView::read) {
        let _ = view.comment();
    }
    if let Ok(Ok(view)) = message.body(Nft::NEWCHAIN).map(ChainView::read) {
        view.devices().map(Iterator::count).ok();
        let _ = view.comment();
    }
    if let Ok(Ok(view)) = message.body(Nft::NEWRULE).map(RuleView::read) {
        view.expressions().count();
        let _ = view.comment();
    }
    if let Ok(Ok(view)) = message.body(Nft::NEWSET).map(SetView::read) {
        view.expressions().count();
        let _ = view.comment();
    }
    if let Ok(Ok(view)) = message.body(Nft::NEWSETELEM).map(ElementsView::read) {
        for element in view.iter().flatten() {
            element.expressions().count();
            let _ = element.comment();
        }
    }
    if let Ok(Ok(view)) = message.body(Nft::NEWOBJ).map(ObjectView::read) {
        view.data(CtTimeout).ok();
        let _ = view.comment();
    }
    message.body(Nft::NEWFLOWTABLE).map(|body| FlowtableView::read(body).map(|view| view.devices().count())).ok();
    message.body(Nft::NEWGEN).map(GenerationView::read).ok();
    message.body(Nft::TRACE).map(TraceView::read).ok();
    // The printer touches every row.
    assert!(!message.tree(&NETFILTER).to_string().is_empty());
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    let samples = [TABLES, CHAINS, SETS, ELEMENTS, OBJECTS, GENERATION, EVENTS];
    for sample in samples.iter().flat_map(|capture| support::messages(capture)).filter(|bytes| bytes.len() < 220) {
        support::every_damage(&sample, survive);
    }
    for told in ["ip saddr 10.0.0.0/9 drop", "limit rate 10/second accept", "tcp dport 22 accept", "jump other"] {
        support::every_damage(&captured(told), survive);
    }
}
