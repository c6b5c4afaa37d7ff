//! Traffic control as kernels told it, read by views and keys. What `tc -s` said of the same objects stands in the
//! lines.

#![cfg(target_endian = "little")]

mod support;

use std::fmt::Write;

use ringlink_codec::Attributes;
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::ROUTE_AND_TRAFFIC;
use ringlink_codec::route::EtherType;
use ringlink_codec::route::tc::*;
use ringlink_codec::table::Headed;
use support::{expect, lines, messages};

const QDISCS: &str = include_str!("captures/tc_qdisc.hex");
const CLASSES: &str = include_str!("captures/tc_class.hex");
/// Kinds that the kernel of the others has not.
const KINDS: &str = include_str!("captures/tc_kinds.hex");
const CLASS_KINDS: &str = include_str!("captures/tc_class_kinds.hex");

/// A handle as tc(8) writes it.
fn handle(handle: Handle) -> String {
    match (handle, handle.minor()) {
        (Handle::ROOT, _) => "root".into(),
        (_, 0) => format!("{:x}:", handle.major()),
        (_, minor) => format!("{:x}:{minor:x}", handle.major()),
    }
}

fn counters(counters: TcCounters) -> String {
    let TcCounters { bytes, packets, queue, rate } = counters;
    let mut line = format!(
        "{bytes}b {packets}p dropped {} overlimits {} requeues {}",
        queue.drops, queue.overlimits, queue.requeues
    );
    write!(line, " waiting {}b {}p", queue.backlog, queue.qlen).unwrap();
    if let Some((bytes, packets)) = rate {
        write!(line, " rate {bytes} {packets}").unwrap();
    }
    line
}

#[test]
fn captured_disciplines() {
    let found = lines(QDISCS, TcRtm::NEWQDISC, |body| {
        let view = QdiscView::read(body).unwrap();
        let mut line = format!(
            "{} {} dev {} {}",
            view.kind.unwrap(),
            handle(view.header.handle),
            view.header.ifindex,
            handle(view.header.parent)
        );
        support::some(&mut line, "ingress_block", view.ingress_block);
        write!(line, " refcnt {} {}", view.references(), counters(view.counters)).unwrap();
        line
    });
    expect(
        &found,
        "
        noqueue 0: dev 20 root refcnt 2 0b 0p dropped 0 overlimits 0 requeues 0 waiting 0b 0p
        htb 1: dev 10 root refcnt 3 132b 3p dropped 0 overlimits 0 requeues 0 waiting 0b 0p
        tbf 10: dev 10 1:10 refcnt 1 0b 0p dropped 0 overlimits 0 requeues 0 waiting 0b 0p
        pfifo 20: dev 10 1:20 refcnt 1 132b 3p dropped 0 overlimits 0 requeues 0 waiting 0b 0p
        mq 2: dev 11 root refcnt 1 0b 0p dropped 0 overlimits 0 requeues 0 waiting 0b 0p
        pfifo_fast 0: dev 11 2:2 refcnt 1 0b 0p dropped 0 overlimits 0 requeues 0 waiting 0b 0p
        pfifo_fast 0: dev 11 2:1 refcnt 1 0b 0p dropped 0 overlimits 0 requeues 0 waiting 0b 0p
        clsact ffff: dev 11 ffff:fff1 refcnt 1 0b 0p dropped 0 overlimits 0 requeues 0 waiting 0b 0p
        bfifo 3: dev 12 root refcnt 3 0b 0p dropped 0 overlimits 0 requeues 0 waiting 0b 0p
        ingress ffff: dev 12 ffff:fff1 ingress_block 22 refcnt 1 0b 0p dropped 0 overlimits 0 requeues 0 waiting 0b 0p
        tbf 4: dev 13 root refcnt 3 0b 0p dropped 0 overlimits 0 requeues 0 waiting 0b 0p rate 0 0
        ",
    );
}

#[test]
fn captured_classes() {
    let found = lines(CLASSES, TcRtm::NEWTCLASS, |body| {
        let view = TcClassView::read(body).unwrap();
        let mut line = format!("{} {} {}", view.kind.unwrap(), handle(view.header.handle), handle(view.header.parent));
        support::some(&mut line, "leaf", view.leaf().map(handle));
        let Some(options) = body.attributes.chosen(TcClass::OPTIONS, Htb).unwrap() else {
            return line;
        };
        let (parms, rate, ceil) = options.read((Htb::PARMS, Htb::RATE64, Htb::CEIL64)).unwrap();
        let parms = parms.unwrap();
        let rate = rate.unwrap_or(parms.rate.rate.into());
        let ceil = ceil.unwrap_or(parms.ceil.rate.into());
        write!(line, " prio {} rate {rate} ceil {ceil} quantum {} level {}", parms.prio, parms.quantum, parms.level)
            .unwrap();
        let stats = body.attributes.chosen_value::<_, HtbStats>(TcClass::XSTATS).unwrap().unwrap();
        write!(
            line,
            " {} lended {} borrowed {} tokens {} {}",
            counters(view.counters),
            stats.lends,
            stats.borrows,
            stats.tokens,
            stats.ctokens
        )
        .unwrap();
        line
    });
    expect(
        &found,
        "
        htb 1:10 1:1 leaf 10: prio 1 rate 5000000000 ceil 10000000000 quantum 60000 level 0 0b 0p dropped 0 overlimits 0 requeues 0 waiting 0b 0p lended 0 borrowed 0 tokens 0 0
        htb 1:1 root prio 0 rate 12500000 ceil 125000000 quantum 200000 level 7 132b 3p dropped 0 overlimits 0 requeues 0 waiting 0b 0p lended 0 borrowed 0 tokens 25538 181
        htb 1:20 1:1 leaf 20: prio 3 rate 1250000 ceil 1250000 quantum 62500 level 0 132b 3p dropped 0 overlimits 0 requeues 0 waiting 0b 0p lended 3 borrowed 0 tokens 18784 18784
        tbf 10:1 10:
        ",
    );
}

/// Calls `read` with the attributes of the first discipline of a kind.
fn discipline<T>(kind: &str, read: impl FnOnce(Attributes<'_, Tc>) -> T) -> T {
    for bytes in messages(KINDS) {
        let attributes = Message::parse(&bytes).unwrap().body(TcRtm::NEWQDISC).unwrap().attributes;
        if attributes.get(Tc::KIND).unwrap().unwrap() == kind {
            return read(attributes);
        }
    }
    panic!("no {kind}");
}

/// One number of a kind's options.
macro_rules! number {
    ($kind:literal, $space:ident::$key:ident) => {
        discipline($kind, |tc| tc.chosen(Tc::OPTIONS, $space).unwrap().unwrap().get($space::$key).unwrap().unwrap())
    };
}

/// The options of a kind that are one struct.
macro_rules! whole {
    ($kind:literal, $type:ty) => {
        discipline($kind, |tc| tc.chosen_value::<_, $type>(Tc::OPTIONS).unwrap().unwrap())
    };
}

#[test]
fn options_of_kinds() {
    let choke = number!("choke", Choke::PARMS);
    assert_eq!((choke.limit, choke.qth_min, choke.qth_max, choke.flags), (1000, 83, 250, RedFlags::ECN));
    let red = number!("red", Red::PARMS);
    assert_eq!((red.limit, red.qth_min, red.qth_max), (400_000, 30_000, 90_000));
    assert_eq!(red.flags, RedFlags::ECN | RedFlags::ADAPTATIVE);
    assert_eq!(number!("red", Red::FLAGS).value, 5);
    let gred = number!("gred", Gred::DPS);
    assert_eq!((gred.dps, gred.def_dp, gred.grio), (3, 2, 1));
    let sfb = number!("sfb", Sfb::PARMS);
    assert_eq!((sfb.limit, sfb.max, sfb.bin_size, sfb.rehash_interval), (1000, 25, 20, 600_000));
    assert_eq!(number!("codel", Codel::TARGET), 3999);
    assert_eq!(number!("codel", Codel::CE_THRESHOLD), 1999);
    assert_eq!(number!("fq_codel", FqCodel::FLOWS), 512);
    assert_eq!(number!("fq_codel", FqCodel::MEMORY_LIMIT), 4 << 20);
    assert_eq!(number!("fq", Fq::FLOW_MAX_RATE), 125_000_000);
    assert_eq!(number!("fq", Fq::HORIZON), 8_000_000);
    assert_eq!(number!("fq", Fq::PRIOMAP).bands, 3);
    assert_eq!(number!("fq", Fq::WEIGHTS), [589_824, 196_608, 65_536]);
    assert_eq!(number!("fq_pie", FqPie::TARGET), 15_000);
    assert_eq!(number!("pie", Pie::BYTEMODE), 1);
    assert_eq!(number!("hhf", Hhf::ADMIT_BYTES), 131_072);
    assert_eq!(whole!("hfsc", HfscOptions).defcls, 1);
    assert_eq!(number!("ets", Ets::NBANDS), 4);
    assert_eq!(number!("cake", Cake::DIFFSERV_MODE), CakeDiffserv::DIFFSERV4);
    assert_eq!(number!("cake", Cake::FLOW_MODE), CakeFlow::DUAL_SRC);
    assert_eq!(number!("cake", Cake::ACK_FILTER), CakeAck::FILTER);
    assert_eq!(number!("cake", Cake::OVERHEAD), 18);
    let sfq = whole!("sfq", Sfq);
    assert_eq!((sfq.v0.limit, sfq.v0.perturb_period, sfq.depth, sfq.headdrop), (120, 10, 60, 1));
    assert_eq!((sfq.qth_min, sfq.qth_max, sfq.flags), (8000, 60_000, RedFlags::ECN));
    assert_eq!(whole!("prio", Prio), Prio { bands: 4, priomap: [1, 2, 2, 2, 1, 2, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1] });
    assert_eq!(whole!("multiq", Multiq), Multiq { bands: 4, max_bands: 4 });
    assert_eq!(whole!("skbprio", Skbprio), Skbprio { limit: 64 });
    assert_eq!(whole!("pfifo_head_drop", Fifo), Fifo { limit: 10 });
    let cbs = number!("cbs", Cbs::PARMS);
    assert_eq!((cbs.hicredit, cbs.locredit, cbs.sendslope, cbs.idleslope), (153, -1389, -980_000, 20_000));
    let etf = number!("etf", Etf::PARMS);
    // CLOCK_TAI
    assert_eq!((etf.clockid, etf.delta), (11, 300_000));
    assert_eq!(etf.flags, EtfFlags::DEADLINE_MODE_ON | EtfFlags::SKIP_SOCK_CHECK);
}

#[test]
fn lists_in_options() {
    let gred = discipline("gred", |tc| {
        let gred = tc.chosen(Tc::OPTIONS, Gred).unwrap().unwrap();
        let queues: Vec<GredQueue> = gred.get(Gred::PARMS).unwrap().unwrap().collect();
        let list = gred.get(Gred::VQ_LIST).unwrap().unwrap();
        let entries: Vec<u32> = list
            .all(GredQueueList::ENTRY)
            .map(|entry| entry.unwrap().get(GredQueueEntry::DP).unwrap().unwrap())
            .collect();
        (queues.len(), queues[1].limit, queues[1].prio, entries)
    });
    assert_eq!(gred, (16, 61_440, 2, vec![1]));

    let ets = discipline("ets", |tc| {
        let ets = tc.chosen(Tc::OPTIONS, Ets).unwrap().unwrap();
        let quanta = ets.get(Ets::QUANTA).unwrap().unwrap();
        quanta.all(EtsQuanta::QUANTA_BAND).collect::<Result<Vec<_>, _>>().unwrap()
    });
    assert_eq!(ets, [3000, 2000, 1000]);

    let mqprio = discipline("mqprio", |tc| {
        let (classes, mqprio) = tc.chosen_value::<_, Headed<TrafficClasses, Mqprio>>(Tc::OPTIONS).unwrap().unwrap();
        (classes.num_tc, classes.count[1], classes.offset[1], mqprio.all(Mqprio::TC_ENTRY).count())
    });
    assert_eq!(mqprio, (2, 2, 1, 16));

    let taprio = discipline("taprio", |tc| {
        let taprio = tc.chosen(Tc::OPTIONS, Taprio).unwrap().unwrap();
        let schedule = taprio.get(Taprio::SCHED_ENTRY_LIST).unwrap();
        // A schedule that has not begun is the next one.
        let schedule =
            schedule.or_else(|| taprio.get(Taprio::ADMIN_SCHED).unwrap()?.get(Taprio::SCHED_ENTRY_LIST).unwrap());
        let entry = |entry: Attributes<'_, TaprioEntry>| {
            let keys = (TaprioEntry::CMD, TaprioEntry::GATE_MASK, TaprioEntry::INTERVAL);
            let (command, gates, interval) = entry.read(keys).unwrap();
            (command.unwrap(), gates.unwrap(), interval.unwrap())
        };
        schedule.unwrap().all(TaprioSchedule::ENTRY).map(|one| entry(one.unwrap())).collect::<Vec<_>>()
    });
    assert_eq!(taprio, [(TaprioCommand::SET_GATES, 1, 300_000), (TaprioCommand::SET_GATES, 2, 400_000)]);

    let tins = discipline("cake", |tc| {
        let stats = tc.chosen(Tc::STATS2, TcCakeStats).unwrap().unwrap();
        let cake = stats.get(TcCakeStats::APP).unwrap().unwrap();
        let tins = cake.get(CakeStats::TIN_STATS).unwrap().unwrap();
        tins.map(|tin| {
            let (index, tin) = tin.unwrap();
            (index, tin.get(CakeTinStats::THRESHOLD_RATE64).unwrap().unwrap())
        })
        .collect::<Vec<_>>()
    });
    assert_eq!(tins, [(1, 78_125), (2, 1_250_000), (3, 625_000), (4, 312_500)]);
}

#[test]
fn a_struct_before_attributes() {
    discipline("netem", |tc| {
        let (options, more) = tc.chosen_value::<_, Headed<NetemOptions, Netem>>(Tc::OPTIONS).unwrap().unwrap();
        // 10 and 2 milliseconds, in ticks.
        assert_eq!((options.limit, options.latency, options.jitter, options.gap), (500, 156_250, 31_250, 5));
        assert_eq!(more.get(Netem::LATENCY64), Ok(Some(10_000_000)));
        let slot = more.get(Netem::SLOT).unwrap().unwrap();
        assert_eq!((slot.min_delay, slot.max_packets, slot.max_bytes), (800_000, 7, 9000));
        let loss = more.get(Netem::LOSS).unwrap().unwrap().get(NetemLoss::GE).unwrap().unwrap();
        assert_eq!(loss.p, 42_949_673);
        let stats = tc.chosen_value::<_, NetemStats>(Tc::XSTATS).unwrap();
        assert_eq!(stats, Some(NetemStats::default()));
    });

    // Written, the same bytes as the kernel's, but for the flag of nests.
    let mut buffer = Buffer::<128>::new();
    let options = NetemOptions { latency: 156_250, limit: 500, ..Default::default() };
    let bytes = buffer
        .message(TcRtm::NEWQDISC, TcHeader::default(), |qdisc| {
            qdisc.put(Tc::KIND, "netem");
            qdisc.choose_headed(Tc::OPTIONS, options, Netem, |netem| netem.put(Netem::LATENCY64, 10_000_000));
        })
        .unwrap();
    let body = Message::parse(bytes).unwrap().body(TcRtm::NEWQDISC).unwrap();
    let (read, more) = body.attributes.chosen_value::<_, Headed<NetemOptions, Netem>>(Tc::OPTIONS).unwrap().unwrap();
    assert_eq!((read, more.get(Netem::LATENCY64)), (options, Ok(Some(10_000_000))));
}

#[test]
fn classes_of_kinds() {
    let mut curves = Vec::new();
    let mut lines = Vec::new();
    for bytes in messages(CLASS_KINDS) {
        let body = Message::parse(&bytes).unwrap().body(TcRtm::NEWTCLASS).unwrap();
        let view = TcClassView::read(body).unwrap();
        let class = body.attributes;
        // The class of a discipline whose own options are a struct has attributes.
        if let Some(curve) = class.chosen(TcClass::OPTIONS, Hfsc).unwrap() {
            curves.extend(curve.get(Hfsc::RSC).unwrap());
        }
        if let Some(stats) = class.chosen_value::<_, FqCodelClassStats>(TcClass::XSTATS).unwrap() {
            assert_eq!(stats.kind, FqCodelStatsKind::CLASS);
            lines.push((view.counters.queue.qlen, stats.class_stats.deficit));
        }
        if let Some(stats) = class.chosen_value::<_, SfqFlowStats>(TcClass::XSTATS).unwrap() {
            lines.push((view.counters.queue.qlen, stats.allot));
        }
        if let Some(stats) = class.chosen(TcClass::STATS2, TcCakeStats).unwrap() {
            let deficit = stats.get(TcCakeStats::APP).unwrap().unwrap().get(CakeStats::DEFICIT).unwrap().unwrap();
            lines.push((view.counters.queue.qlen, deficit));
        }
    }
    assert_eq!(curves, [ServiceCurve { m1: 625_000, d: 10_000, m2: 250_000 }]);
    let expected = [
        (1, 1514),
        (1, 1514),
        (1, 1514),
        (1, 1514),
        (0, 572),
        (1, 1514),
        (1, 1514),
        (1, 1514),
        (1, 1514),
        (1, 300),
        (0, -642),
        (1, 300),
        (1, 300),
        (1, 300),
        (1, 300),
    ];
    assert_eq!(lines, expected);
}

#[test]
fn handles_and_filters_of_headers() {
    let header = TcHeader { info: TcHeader::filter_info(49_152, EtherType::IPV6), ..Default::default() };
    assert_eq!((header.priority(), header.protocol()), (49_152, EtherType::IPV6));
    assert_eq!(header.info, 0xc000_dd86);
    assert_eq!(Handle::new(1, 0x10), Handle(0x1_0010));
    assert_eq!((Handle::INGRESS.major(), Handle::INGRESS.minor()), (0xffff, 0xfff1));
}

/// All samples.
fn samples() -> Vec<Vec<u8>> {
    [QDISCS, CLASSES, KINDS, CLASS_KINDS].into_iter().flat_map(messages).collect()
}

#[test]
fn every_attribute_has_a_row() {
    for sample in samples() {
        let tree = Message::parse(&sample).unwrap().tree(&ROUTE_AND_TRAFFIC).to_string();
        for line in tree.lines().skip(1).map(str::trim_start) {
            assert!(!line.starts_with("error:") && !line.contains(": error:"), "{tree}");
            // A number alone is the place of an item in a list.
            assert!(!line.starts_with(|first: char| first.is_ascii_digit()) || line.ends_with(':'), "{tree}");
        }
    }
}

#[test]
fn damage_is_survived() {
    for sample in samples() {
        let mut count = 0_u32;
        support::every_damage(&sample, |bytes| {
            let Ok(message) = Message::parse(bytes) else { return };
            if let Ok(body) = message.body(TcRtm::NEWQDISC) {
                let _ = QdiscView::read(body);
            }
            if let Ok(body) = message.body(TcRtm::NEWTCLASS) {
                let _ = TcClassView::read(body);
            }
            // Printing is the slow part: one in sixty-four is enough of it.
            count = count.wrapping_add(1);
            if count.is_multiple_of(64) {
                let _ = message.tree(&ROUTE_AND_TRAFFIC).to_string();
            }
        });
    }
}
