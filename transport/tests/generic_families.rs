//! Families of generic netlink against the live kernel, each in a network namespace of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::Command;

use ringlink::codec::generic::ethtool::{
    Autonegotiation, Bitset, BitsetView, Channels, Duplex, Features, Header, LinkInfo, LinkModes, LinkState, Port,
    Request, Rings, StringSetId, StringSetList, StringSets, TimestampInfo,
};
use ringlink::codec::generic::{FAMILIES, mptcp_pm, netdev, taskstats, tcp_metrics};
use ringlink::codec::protocol::GENERIC;
use ringlink::codec::reply::AttributeType;
use ringlink::codec::table::{AttributeWriter, Attributes, OwnedSecret, Shape, Space};
use ringlink::engine::Deadline;
use ringlink::error::Error;
use ringlink::generic::{Generic, Policies, wireguard};

mod kernel;

use kernel::{absent, ip, isolated, missing, soon};

/// A connection, where the family is there.
fn open(name: &str, family: &'static ringlink::codec::generic::Family) -> Option<Generic> {
    let mut generic = Generic::open().expect("a connection");
    match generic.number(family) {
        Ok(_) => Some(generic),
        Err(error) if error.is_not_found() => {
            absent(name, &format!("no family {}", family.name));
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// A pair of devices that are up: v0 and v1.
fn pair() {
    ip("link add v0 type veth peer name v1");
    ip("link set v0 up");
    ip("link set v1 up");
}

fn device(header: &mut AttributeWriter<'_, '_, Header>) {
    header.put(Header::DEV_NAME, "v0");
}

/// What a tool prints in the calling thread's namespace; nothing where it is not installed.
fn tool(name: &str, arguments: &[&str]) -> Option<String> {
    let done = Command::new(name).args(arguments).output().ok()?;
    assert!(done.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&done.stderr));
    Some(String::from_utf8(done.stdout).expect("text"))
}

/// The names of the set bits, or of those that are not.
fn names(bits: Option<Attributes<'_, Bitset>>, value: bool) -> BTreeSet<String> {
    let bits = bits.expect("a set of bits");
    let all = BitsetView::of(bits).expect("whole").map(|bit| bit.expect("a bit"));
    all.filter(|bit| bit.value == value).map(|bit| bit.name.expect("a name").to_string()).collect()
}

#[test]
fn ethtool_says_what_the_tool_says() {
    let name = "ethtool_says_what_the_tool_says";
    isolated(name, || {
        let Some(mut generic) = open(name, &ringlink::codec::generic::ethtool::ETHTOOL) else { return };
        pair();
        let Some(features) = tool("ethtool", &["-k", "v0"]) else { return missing(name, "no ethtool") };

        let reply = generic.get(Request::FEATURES_GET, |ask| ask.nest(Features::HEADER, device)).expect("features");
        let (changeable, wanted, active, fixed) = reply
            .body()
            .attributes
            .read((Features::HW, Features::WANTED, Features::ACTIVE, Features::NOCHANGE))
            .expect("read");
        let active_names = names(active, true);
        let (changeable, wanted, fixed) = (names(changeable, true), names(wanted, true), names(fixed, true));
        let mut compared = 0;
        for line in features.lines().skip(1) {
            let (feature, rest) = line.trim().split_once(": ").expect("name and value");
            // The tool has names of its own for groups; those of single bits are the kernel's.
            let known = active_names.contains(feature) || changeable.contains(feature) || fixed.contains(feature);
            if !known {
                continue;
            }
            assert_eq!(rest.starts_with("on"), active_names.contains(feature), "{line}");
            let is_fixed = fixed.contains(feature) || !changeable.contains(feature);
            assert_eq!(rest.ends_with("[fixed]"), is_fixed, "{line}");
            let wish = rest.contains("[requested");
            assert_eq!(wish, !is_fixed && wanted.contains(feature) != active_names.contains(feature), "{line}");
            compared += 1;
        }
        assert!(compared > 15, "{compared} of {features}");
        drop(reply);

        // The same in words: the same bits, and names by the set of names.
        let compact = |ask: &mut AttributeWriter<'_, '_, Features>| {
            ask.nest(Features::HEADER, |header| {
                device(header);
                header.put(Header::FLAGS, ringlink::codec::generic::ethtool::HeaderFlags::COMPACT_BITSETS);
            });
        };
        let reply = generic.get(Request::FEATURES_GET, compact).expect("features");
        let words = BitsetView::of(reply.body().attributes.get(Features::ACTIVE).expect("read").expect("there"));
        let words: Vec<u32> = words.expect("whole").map(|bit| bit.expect("a bit").index.expect("a number")).collect();
        drop(reply);
        let all = strings(&mut generic, StringSetId::FEATURES);
        let by_number: BTreeSet<String> = words.iter().map(|index| all[index].clone()).collect();
        assert_eq!(by_number, active_names);

        let settings = tool("ethtool", &["v0"]).expect("ethtool is there");
        let reply = generic.get(Request::LINKMODES_GET, |ask| ask.nest(LinkModes::HEADER, device)).expect("modes");
        let modes = reply.body().attributes;
        let (speed, duplex, auto) =
            modes.read((LinkModes::SPEED, LinkModes::DUPLEX, LinkModes::AUTONEG)).expect("read");
        assert!(settings.contains(&format!("Speed: {}Mb/s", speed.expect("a speed"))), "{settings}");
        assert_eq!(settings.contains("Duplex: Full"), duplex == Some(Duplex::FULL));
        assert_eq!(settings.contains("Auto-negotiation: off"), auto == Some(Autonegotiation::DISABLE));
        drop(reply);
        let reply = generic.get(Request::LINKINFO_GET, |ask| ask.nest(LinkInfo::HEADER, device)).expect("info");
        let port = reply.body().attributes.get(LinkInfo::PORT).expect("read");
        assert_eq!(settings.contains("Port: Twisted Pair"), port == Some(Port::TP));
        drop(reply);
        let reply = generic.get(Request::LINKSTATE_GET, |ask| ask.nest(LinkState::HEADER, device)).expect("state");
        let link = reply.body().attributes.get(LinkState::LINK).expect("read");
        assert_eq!(settings.contains("Link detected: yes"), link == Some(1));
        drop(reply);

        match generic.get(Request::CHANNELS_GET, |ask| ask.nest(Channels::HEADER, device)) {
            Err(Error::Refused(refused)) if refused.errno.is_unsupported() => {
                println!("absent: ethtool: channels of a veth: {refused}");
            }
            reply => {
                let reply = reply.expect("channels");
                let channels = reply.body().attributes;
                let text = tool("ethtool", &["-l", "v0"]).expect("ethtool is there");
                let numbers: Vec<u32> =
                    text.lines().filter_map(|line| line.split_once(':')?.1.trim().parse().ok()).collect();
                let ours = channels
                    .read((
                        (Channels::RX_MAX, Channels::TX_MAX, Channels::COMBINED_MAX),
                        (Channels::RX_COUNT, Channels::TX_COUNT, Channels::COMBINED_COUNT),
                    ))
                    .expect("read");
                let ours = [ours.0.0, ours.0.1, ours.0.2, ours.1.0, ours.1.1, ours.1.2];
                assert_eq!(numbers, ours.into_iter().flatten().collect::<Vec<u32>>(), "{text}");
            }
        }

        let reply = generic.get(Request::TSINFO_GET, |ask| ask.nest(TimestampInfo::HEADER, device)).expect("stamps");
        let stamps = names(reply.body().attributes.get(TimestampInfo::TIMESTAMPING).expect("read"), true);
        let text = tool("ethtool", &["-T", "v0"]).expect("ethtool is there");
        assert!(!stamps.is_empty() && stamps.iter().all(|stamp| text.contains(stamp.as_str())), "{stamps:?} {text}");
        drop(reply);

        let refused = generic.get(Request::RINGS_GET, |ask| {
            ask.nest(Rings::HEADER, |header| header.put(Header::DEV_NAME, "none"));
        });
        let error = refused.expect_err("no such device");
        let refused = error.refused().expect("a refusal");
        assert_eq!(refused.request, "ETHTOOL_MSG_RINGS_GET");
        assert_eq!(refused.path.steps(), [(1, "ETHTOOL_A_RINGS_HEADER"), (2, "ETHTOOL_A_HEADER_DEV_NAME")], "{error}");
    });
}

/// Names by number.
fn strings(generic: &mut Generic, set: StringSetId) -> BTreeMap<u32, String> {
    use ringlink::codec::generic::ethtool::{NamedIndex, StringList, StringSet};
    let reply = generic.get(Request::STRSET_GET, |ask| {
        ask.nest(StringSets::HEADER, |_| {});
        ask.nest(StringSets::STRINGSETS, |sets| {
            sets.nest(StringSetList::STRINGSET, |one| one.put(StringSet::ID, set));
        });
    });
    let reply = reply.expect("names");
    let sets = reply.body().attributes.get(StringSets::STRINGSETS).expect("read").expect("sets");
    let set = sets.all(StringSetList::STRINGSET).next().expect("one").expect("read");
    let list = set.get(StringSet::STRINGS).expect("read").expect("names");
    let named = |item: Attributes<'_, NamedIndex>| {
        let (index, value) = item.read((NamedIndex::INDEX, NamedIndex::VALUE)).expect("read");
        (index.expect("a number"), value.expect("a name").to_string())
    };
    list.all(StringList::STRING).map(|item| named(item.expect("read"))).collect()
}

#[test]
fn ethtool_tells_of_changes() {
    let name = "ethtool_tells_of_changes";
    isolated(name, || {
        let Some(mut generic) = open(name, &ringlink::codec::generic::ethtool::ETHTOOL) else { return };
        pair();
        let monitor = generic.subscribe("ethtool", &["monitor"]).expect("a monitor");
        use ringlink::codec::generic::ethtool::{BitsetBit, BitsetBits};
        let change = |ask: &mut AttributeWriter<'_, '_, Features>| {
            ask.nest(Features::HEADER, device);
            ask.nest(Features::WANTED, |bits| {
                bits.nest(Bitset::BITS, |list| {
                    list.nest(BitsetBits::BIT, |bit| bit.put(BitsetBit::NAME, "tx-tcp-segmentation"));
                });
            });
        };
        generic.apply(Request::FEATURES_SET, change).expect("changed");
        let names = strings(&mut generic, StringSetId::FEATURES);
        let number = generic.number(&ringlink::codec::generic::ethtool::ETHTOOL).expect("known");
        let notice = monitor.receive(soon()).expect("an event");
        let message = notice.messages().next().expect("one").expect("whole");
        let event = message.body(ringlink::codec::generic::ethtool::Answer::FEATURES_NTF.operation(number));
        let event = event.expect("of the family");
        assert_eq!(event.header.cmd, ringlink::codec::generic::ethtool::Answer::FEATURES_NTF.command);
        let (header, active) = event.attributes.read((Features::HEADER, Features::ACTIVE)).expect("read");
        let _ = header.expect("a device").get(Header::DEV_NAME).expect("read").expect("a name");
        // Events have their bits in words.
        let active = BitsetView::of(active.expect("bits")).expect("whole");
        let active: BTreeSet<&str> =
            active.map(|bit| names[&bit.expect("a bit").index.expect("a number")].as_str()).collect();
        assert!(active.contains("tx-tcp6-segmentation") && !active.contains("tx-tcp-segmentation"), "{active:?}");
    });
}

#[test]
fn every_object_of_ethtool_is_dumped_and_read() {
    let name = "every_object_of_ethtool";
    isolated(name, || {
        let Some(mut generic) = open(name, &ringlink::codec::generic::ethtool::ETHTOOL) else { return };
        pair();
        let mut told = BTreeSet::new();
        macro_rules! dump {
            ($($command:ident)*) => {$({
                // Old kernels want the header, be it empty; it has number 1 in all of these.
                let mut dump = generic.dump(Request::$command, |to| to.put_raw(0x8001, &[])).expect("asked");
                loop {
                    match dump.next() {
                        Ok(Some(answer)) => {
                            let text = format!("{:?}", answer.attributes);
                            assert!(!text.contains("\"error\":"), "{text}");
                            told.insert(stringify!($command));
                        }
                        Ok(None) => break,
                        Err(error) if error.is_unsupported() => break,
                        Err(error) => panic!("{}: {error}", stringify!($command)),
                    }
                }
            })*};
        }
        dump! {
            STRSET_GET LINKINFO_GET LINKMODES_GET LINKSTATE_GET DEBUG_GET WOL_GET FEATURES_GET PRIVFLAGS_GET RINGS_GET
            CHANNELS_GET COALESCE_GET PAUSE_GET EEE_GET TSINFO_GET FEC_GET PHC_VCLOCKS_GET MODULE_GET
        }
        for object in ["STRSET_GET", "LINKINFO_GET", "LINKMODES_GET", "LINKSTATE_GET", "FEATURES_GET", "TSINFO_GET"] {
            assert!(told.contains(object), "{object}: {told:?}");
        }
    });
}

#[test]
fn mptcp_endpoints_come_and_go() {
    use mptcp_pm::{Address, AddressFlags, Endpoint, MPTCP_PM, PathManager, Request};
    let name = "mptcp_endpoints_come_and_go";
    isolated(name, || {
        let Some(mut generic) = open(name, &MPTCP_PM) else { return };
        let address = Ipv4Addr::new(192, 0, 2, 1);
        let endpoint = |to: &mut AttributeWriter<'_, '_, Endpoint>, id: u8, address: Ipv4Addr| {
            to.nest(Endpoint::ADDR, |to| {
                to.put(Address::FAMILY, ringlink::codec::generic::SocketFamily::INET);
                to.put(Address::ID, id);
                to.put(Address::ADDR4, address);
                to.put(Address::FLAGS, AddressFlags::SIGNAL);
            });
        };
        generic.apply(Request::ADD_ADDR, |to| endpoint(to, 7, address)).expect("added");
        generic.apply(Request::ADD_ADDR, |to| endpoint(to, 8, Ipv4Addr::new(192, 0, 2, 2))).expect("added");
        let again = generic.apply(Request::ADD_ADDR, |to| endpoint(to, 7, address)).expect_err("it is there");
        assert_eq!(again.refused().expect("a refusal").request, "MPTCP_PM_CMD_ADD_ADDR");
        if let Some(text) = tool("ip", &["mptcp", "endpoint", "show"]) {
            // `ip` reads one byte of the family's two, so where the first is the higher one it takes no address for its own.
            let wanted = if cfg!(target_endian = "big") { "id 7 signal" } else { "192.0.2.1 id 7 signal" };
            assert!(text.contains(wanted), "{text}");
        }

        let ask = |to: &mut AttributeWriter<'_, '_, PathManager>| {
            to.nest(PathManager::ADDR, |to| to.put(Address::ID, 7));
        };
        let reply = generic.get(Request::GET_ADDR, ask).expect("told");
        let told = reply.body().attributes.get(PathManager::ADDR).expect("read").expect("an address");
        let read = told.read((Address::ADDR4, Address::FLAGS)).expect("read");
        assert_eq!(read, (Some(address), Some(AddressFlags::SIGNAL)));
        drop(reply);

        let mut ids = Vec::new();
        let mut dump = generic.dump(Request::GET_ADDR, |_| {}).expect("asked");
        while let Some(answer) = dump.next().expect("an answer") {
            let told = answer.attributes.get(PathManager::ADDR).expect("read").expect("an address");
            ids.push(told.get(Address::ID).expect("read").expect("an id"));
        }
        assert_eq!(ids, [7, 8]);
        drop(dump);

        generic.apply(Request::FLUSH_ADDRS, |_| {}).expect("flushed");
        let mut dump = generic.dump(Request::GET_ADDR, |_| {}).expect("asked");
        assert!(dump.next().expect("an end").is_none());
        drop(dump);

        let limits = |to: &mut AttributeWriter<'_, '_, PathManager>| {
            to.put(PathManager::RCV_ADD_ADDRS, 3);
            to.put(PathManager::SUBFLOWS, 4);
        };
        generic.apply(Request::SET_LIMITS, limits).expect("set");
        let reply = generic.get(Request::GET_LIMITS, |_| {}).expect("told");
        let told = reply.body().attributes.read((PathManager::RCV_ADD_ADDRS, PathManager::SUBFLOWS));
        assert_eq!(told, Ok((Some(3), Some(4))));
    });
}

#[test]
fn mptcp_tells_of_listeners() {
    let name = "mptcp_tells_of_listeners";
    isolated(name, || {
        let Some(mut generic) = open(name, &mptcp_pm::MPTCP_PM) else { return };
        ip("link set lo up");
        let monitor = generic.subscribe("mptcp_pm", &["mptcp_pm_events"]).expect("a monitor");
        let number = generic.number(&mptcp_pm::MPTCP_PM).expect("known");
        const IPPROTO_MPTCP: i32 = 262;
        // SAFETY: no pointers are passed.
        let descriptor = unsafe { libc::socket(libc::AF_INET, libc::SOCK_STREAM, IPPROTO_MPTCP) };
        assert!(descriptor >= 0, "{}", std::io::Error::last_os_error());
        // SAFETY: the descriptor was opened above and is nobody else's.
        let socket = unsafe { OwnedFd::from_raw_fd(descriptor) };
        // SAFETY: no pointers are passed; an unbound socket is bound to a port of the kernel's choice.
        assert_eq!(unsafe { libc::listen(descriptor, 1) }, 0, "{}", std::io::Error::last_os_error());
        let notice = match monitor.receive(Deadline::after(std::time::Duration::from_secs(5))) {
            // Linux before 6.2 does not tell.
            Err(Error::TimedOut) => return absent(name, "no events of listeners"),
            other => other.expect("an event"),
        };
        let message = notice.messages().next().expect("one").expect("whole");
        let numbers = [(number, &mptcp_pm::MPTCP_PM)];
        let tree = message.tree(&GENERIC).with(ringlink::codec::generic::Numbers(&numbers)).to_string();
        assert!(tree.contains("MPTCP_EVENT_LISTENER_CREATED") && tree.contains("MPTCP_ATTR_SPORT"), "{tree}");
        drop(socket);
    });
}

#[test]
fn tcp_metrics_as_ip_tells_them() {
    use tcp_metrics::{Destination, Metrics, Request, TCP_METRICS};
    let name = "tcp_metrics_as_ip_tells_them";
    isolated(name, || {
        let Some(mut generic) = open(name, &TCP_METRICS) else { return };
        ip("link set lo up");
        let listener = TcpListener::bind("127.0.0.1:0").expect("bound");
        let mut client = TcpStream::connect(listener.local_addr().expect("an address")).expect("connected");
        let (mut server, _) = listener.accept().expect("accepted");
        for _ in 0..20 {
            client.write_all(&[1; 4096]).expect("written");
            server.read_exact(&mut [0; 4096]).expect("read");
            server.write_all(&[2; 4096]).expect("written");
            client.read_exact(&mut [0; 4096]).expect("read");
        }
        drop((client, server));
        let mut told = Vec::new();
        let mut dump = generic.dump(Request::GET, |_| {}).expect("asked");
        while let Some(answer) = dump.next().expect("an answer") {
            let (address, age, values) =
                answer.attributes.read((Destination::ADDR_IPV4, Destination::AGE, Destination::VALS)).expect("read");
            let window = values.map(|values| values.get(Metrics::CWND).expect("read"));
            told.push((address.expect("an address"), age.is_some(), window.flatten()));
        }
        drop(dump);
        let text = tool("ip", &["tcp_metrics", "show"]).unwrap_or_default();
        assert_eq!(told.len(), text.lines().count(), "{told:?} {text}");
        for (address, _, window) in &told {
            assert!(text.contains(&address.to_string()), "{text}");
            assert!(window.is_none_or(|window| text.contains(&format!("cwnd {window}"))), "{window:?} {text}");
        }
        if told.is_empty() {
            return absent(name, "the kernel remembers nothing of local connections");
        }
        generic.apply(Request::DEL, |to| to.put(Destination::ADDR_IPV4, told[0].0)).expect("forgotten");
        let mut dump = generic.dump(Request::GET, |_| {}).expect("asked");
        let mut left = 0;
        while dump.next().expect("an answer").is_some() {
            left += 1;
        }
        assert_eq!(left, told.len() - 1);
    });
}

#[test]
fn netdev_tells_devices_and_counters() {
    use netdev::{Device, NETDEV, QueueStats, Request};
    let name = "netdev_tells_devices_and_counters";
    isolated(name, || {
        let Some(mut generic) = open(name, &NETDEV) else { return };
        let monitor = generic.subscribe("netdev", &["mgmt"]).expect("a monitor");
        pair();
        let mut devices = Vec::new();
        let mut dump = generic.dump(Request::DEV_GET, |_| {}).expect("asked");
        while let Some(answer) = dump.next().expect("an answer") {
            let (index, features) = answer.attributes.read((Device::IFINDEX, Device::XDP_FEATURES)).expect("read");
            devices.push(index.expect("an index"));
            assert!(features.is_some());
        }
        assert_eq!(devices.len(), 3, "lo and two others");
        drop(dump);
        for index in &devices {
            let reply = generic.get(Request::DEV_GET, |ask| ask.put(Device::IFINDEX, *index)).expect("told");
            assert_eq!(reply.body().attributes.get(Device::IFINDEX), Ok(Some(*index)));
        }
        let number = generic.number(&NETDEV).expect("known");
        let notice = monitor.receive(soon()).expect("an event");
        let message = notice.messages().next().expect("one").expect("whole");
        let event = message.body(Request::DEV_ADD_NTF.operation(number)).expect("of the family");
        assert!(devices.contains(&event.attributes.get(Device::IFINDEX).expect("read").expect("an index")));

        let mut dump = generic.dump(Request::QSTATS_GET, |_| {}).expect("asked");
        loop {
            match dump.next() {
                Ok(Some(answer)) => {
                    let index = answer.attributes.get(QueueStats::IFINDEX).expect("read").expect("an index");
                    assert!(devices.contains(&index));
                }
                Ok(None) => break,
                Err(error) if error.is_unsupported() => return absent(name, "no counters of queues"),
                Err(error) => panic!("{error}"),
            }
        }
    });
}

#[test]
fn taskstats_of_this_process() {
    use taskstats::{Question, Report, Request, TASKSTATS};
    let name = "taskstats_of_this_process";
    let Some(mut generic) = open(name, &TASKSTATS) else { return };
    let pid = std::process::id();
    let reply = match generic.get(Request::TASKSTATS_CMD_GET, |ask| ask.put(Question::PID, pid)) {
        Err(error) if error.is_permission() => return missing(name, "needs CAP_NET_ADMIN"),
        other => other.expect("told"),
    };
    let task = reply.body().attributes.get(Report::AGGR_PID).expect("read").expect("of a task");
    let (told, stats) = task.read((Report::PID, Report::STATS)).expect("read");
    let stats = stats.expect("what it used");
    assert_eq!((told, stats.ac_pid), (Some(pid), pid));
    let comm = std::fs::read_to_string("/proc/self/comm").expect("a name");
    assert!(stats.ac_comm.text() == comm.trim(), "{:?} {comm}", stats.ac_comm);
    // SAFETY: these two cannot fail.
    assert_eq!((stats.ac_uid, stats.ac_ppid), unsafe { (libc::getuid(), libc::getppid().cast_unsigned()) });
    assert!(stats.version >= 8 && stats.ac_btime > 0 && stats.hiwater_rss > 0, "{stats:?}");
}

/// The kernel's own rules, held against the tables: it has no attribute that they lack, and none of another form.
#[test]
fn the_kernels_policies_agree_with_the_tables() {
    let name = "the_kernels_policies_agree_with_the_tables";
    isolated(name, || {
        let mut generic = Generic::open().expect("a connection");
        let mut compared = 0;
        for family in FAMILIES {
            let policies = match generic.policies(family.name) {
                Err(error) if error.is_unsupported() => return absent(name, &error.to_string()),
                Err(error) if error.is_not_found() || error.errno() == Some(libc::ENODATA) => continue,
                other => other.unwrap_or_else(|error| panic!("{}: {error}", family.name)),
            };
            for (command, (one, all)) in &policies.commands {
                let row = match (family.requests.row(*command), command) {
                    (Some(row), _) => row,
                    // Where kernels tell of commands that are dumps only.
                    (None, 0) => continue,
                    (None, _) => panic!("{}: no row of command {command}", family.name),
                };
                for policy in [one, all].into_iter().flatten() {
                    compared += agree(row.name, &policies, *policy, (row.space)(), &mut BTreeSet::new());
                }
            }
        }
        assert!(compared > 100, "{compared}");
    });
}

/// Compares a policy and those in it with a space and those in it; returns how many attributes it has.
fn agree(command: &str, policies: &Policies, policy: u32, space: &'static Space, seen: &mut BTreeSet<u32>) -> usize {
    if !seen.insert(policy) {
        return 0;
    }
    let mut count = 0;
    // Of some policies the kernel tells no rules at all.
    for (number, rule) in policies.policies.get(&policy).into_iter().flatten() {
        // A rule without a kind refuses the attribute.
        if rule.kind == AttributeType::INVALID {
            continue;
        }
        let Some(row) = space.row(*number) else {
            // Before Linux 6.8, all commands of mptcp_pm had one policy.
            assert_eq!(space.prefix, "MPTCP_PM_ENDPOINT_", "{command}: {} has no row {number}", space.name);
            continue;
        };
        let expected = kinds(row.shape);
        assert!(expected.is_empty() || expected.contains(&rule.kind), "{command}: {}: {rule:?}", row.name);
        count += 1;
        if let (Some(nest), Some(inner)) = (rule.nest, inner(row.shape)) {
            count += agree(command, policies, nest, inner, seen);
        }
    }
    count
}

fn inner(shape: Shape) -> Option<&'static Space> {
    match shape {
        Shape::Nest(space) => Some(space()),
        Shape::Many(of) | Shape::Indexed(of) => inner(*of),
        _ => None,
    }
}

/// The kinds by which a kernel may tell of a payload of this form; none where any will do.
fn kinds(shape: Shape) -> &'static [AttributeType] {
    match shape {
        Shape::Unsigned(1) => &[AttributeType::U8],
        Shape::Unsigned(2) | Shape::BigEndian(2) => &[AttributeType::U16],
        Shape::Unsigned(4) | Shape::BigEndian(4) | Shape::Ipv4 => &[AttributeType::U32],
        Shape::Unsigned(8) | Shape::BigEndian(8) => &[AttributeType::U64],
        Shape::Signed(4) => &[AttributeType::S32, AttributeType::U32],
        Shape::Uint => &[AttributeType::UINT],
        Shape::Flag => &[AttributeType::FLAG],
        Shape::Text => &[AttributeType::STRING, AttributeType::NUL_STRING],
        Shape::Nest(_) | Shape::Indexed(_) => &[AttributeType::NESTED, AttributeType::NESTED_ARRAY],
        Shape::Ipv6 | Shape::Secret | Shape::Bytes | Shape::SocketAddress => &[AttributeType::BINARY],
        Shape::Named(_, base) => kinds(*base),
        Shape::Many(of) => kinds(*of),
        _ => &[],
    }
}

#[test]
fn requests_are_held_against_the_kernels_rules() {
    let name = "requests_are_held_against_the_kernels_rules";
    isolated(name, || {
        let Some(mut generic) = open(name, &ringlink::codec::generic::ethtool::ETHTOOL) else { return };
        let policies = match generic.policies("ethtool") {
            Err(error) if error.is_unsupported() => return absent(name, &error.to_string()),
            other => other.expect("policies"),
        };
        let check = |fill: fn(&mut AttributeWriter<'_, '_, Channels>)| {
            let mut buffer = [0; 128];
            let set = Request::CHANNELS_SET;
            let bytes = set.operation(20).write(&mut buffer, set.header(), fill).expect("fits");
            let body = ringlink::codec::wire::Message::parse(bytes).expect("whole").body(set.operation(20));
            let attributes = body.expect("of the command").attributes.raw();
            let space = <Channels as ringlink::codec::table::Table>::space();
            policies.check(set.command.into(), false, space, attributes).map_err(|violation| violation.to_string())
        };
        assert_eq!(check(|to| to.nest(Channels::HEADER, device)), Ok(()));
        let error = check(|to| {
            to.nest(Channels::HEADER, device);
            to.put(Channels::RX_MAX, 1);
        });
        assert_eq!(error, Err("ETHTOOL_A_CHANNELS_RX_MAX: not among what this kernel's command takes".into()));
    });
}

/// Our machines' kernel has no WireGuard; guests do.
fn with_wireguard(name: &str) -> Option<Generic> {
    // The module comes with the first interface of its kind.
    let made = Command::new("ip").args(["link", "add", "wg0", "type", "wireguard"]).output().expect("ip is installed");
    if !made.status.success() && std::env::var_os("RINGLINK_GUEST").is_none() {
        println!("absent: {name}: needs WireGuard; a guest has it");
        return None;
    }
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Some(Generic::open().expect("a connection"))
}

/// A secret key as the kernel keeps it: some bits are fixed.
fn secret(number: u8) -> Option<wireguard::Key> {
    let mut bytes = [number; 32];
    bytes[0] &= 248;
    bytes[31] = bytes[31] & 127 | 64;
    OwnedSecret::new(&bytes).map(Box::new)
}

#[test]
fn a_thousand_peers_are_set_and_read() {
    let name = "a_thousand_peers_are_set_and_read";
    isolated(name, || {
        let Some(mut generic) = with_wireguard(name) else { return };
        let number = |number: u32| {
            let mut key = [7; 32];
            key[..4].copy_from_slice(&number.to_be_bytes());
            key
        };
        let peer = |at: u32| wireguard::Peer {
            public_key: number(at),
            preshared_key: secret(0xa5),
            endpoint: Some(SocketAddr::from((Ipv4Addr::from(0xc000_0200 + at), 51820))),
            keepalive: 25,
            allowed: (0..10)
                .map(|host| wireguard::Allowed {
                    address: Ipv4Addr::from(0x0a00_0000 + at * 16 + host).into(),
                    length: 32,
                })
                .collect(),
            ..wireguard::Peer::default()
        };
        let device = wireguard::Device {
            name: "wg0".into(),
            private_key: secret(0x5a),
            listen_port: 51820,
            mark: 9,
            peers: (0..1000).map(peer).collect(),
            ..wireguard::Device::default()
        };
        device.set(&mut generic).expect("set");
        let (told, end) = wireguard::Device::get(&mut generic, "wg0").expect("told");
        assert!(end.is_complete(), "{end:?}");
        assert_eq!((told.listen_port, told.mark, told.public_key.is_some()), (51820, 9, true));
        assert_eq!(
            told.private_key.as_ref().expect("a key").get().expose(),
            secret(0x5a).expect("a key").get().expose()
        );
        assert_eq!(told.peers.len(), 1000);
        let told_by_key: BTreeMap<[u8; 32], &wireguard::Peer> =
            told.peers.iter().map(|peer| (peer.public_key, peer)).collect();
        for peer in &device.peers {
            let other = told_by_key[&peer.public_key];
            let addresses = |peer: &wireguard::Peer| -> BTreeSet<String> {
                peer.allowed.iter().map(|allowed| format!("{allowed:?}")).collect()
            };
            assert_eq!((other.endpoint, other.keepalive, addresses(other)), (peer.endpoint, 25, addresses(peer)));
            assert_eq!(
                other.preshared_key.as_ref().expect("a key").get().expose(),
                secret(0xa5).expect("a key").get().expose()
            );
        }
        assert!(!format!("{told:?}").contains("165, 165"), "a key is shown");

        wireguard::Device { name: "wg0".into(), ..wireguard::Device::default() }.set(&mut generic).expect("set");
        let (told, _) = wireguard::Device::get(&mut generic, "wg0").expect("told");
        assert!(told.peers.is_empty() && told.private_key.is_none(), "{told:?}");
        let error = wireguard::Device::get(&mut generic, "none").expect_err("no such device");
        assert_eq!(error.errno(), Some(libc::ENODEV), "{error}");
    });
}

/// Both ends are made here, so that their packets go over this namespace's loopback; one is then moved to another.
#[test]
fn two_peers_talk() {
    let name = "two_peers_talk";
    isolated(name, || {
        let Some(mut generic) = with_wireguard(name) else { return };
        ip("link add wg1 type wireguard");
        ip("link set lo up");
        let device = |name: &str, number: u8, listen_port: u16| wireguard::Device {
            name: name.into(),
            private_key: secret(number),
            listen_port,
            ..wireguard::Device::default()
        };
        let mut devices = [device("wg0", 1, 1001), device("wg1", 2, 1002)];
        let mut keys = Vec::new();
        for device in &devices {
            device.set(&mut generic).expect("set");
            let (told, _) = wireguard::Device::get(&mut generic, &device.name).expect("told");
            keys.push(told.public_key.expect("a key"));
        }
        for (device, other) in devices.iter_mut().zip([(keys[1], 2_u8), (keys[0], 1)]) {
            let (public_key, host) = other;
            device.peers.push(wireguard::Peer {
                public_key,
                preshared_key: secret(3),
                endpoint: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 1000 + u16::from(host)))),
                allowed: vec![wireguard::Allowed { address: Ipv4Addr::new(10, 0, 0, host).into(), length: 32 }],
                ..wireguard::Peer::default()
            });
            device.set(&mut generic).expect("set");
        }
        let (ready, is_ready) = std::sync::mpsc::channel();
        let (moved, is_moved) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            scope.spawn(move || {
                // SAFETY: no pointers are passed; only this thread moves.
                assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
                // SAFETY: no arguments, cannot fail.
                ready.send(unsafe { libc::gettid() }).expect("awaited");
                is_moved.recv().expect("moved");
                ip("addr add 10.0.0.2/24 dev wg1");
                ip("link set wg1 up");
                let socket = UdpSocket::bind("10.0.0.2:5").expect("bound");
                ready.send(0).expect("awaited");
                socket.set_read_timeout(Some(std::time::Duration::from_secs(60))).expect("set");
                let mut bytes = [0; 16];
                let (length, from) = socket.recv_from(&mut bytes).expect("a packet");
                socket.send_to(&bytes[..length], from).expect("sent");
            });
            let thread = is_ready.recv().expect("there");
            ip(&format!("link set wg1 netns {thread}"));
            ip("addr add 10.0.0.1/24 dev wg0");
            ip("link set wg0 up");
            moved.send(()).expect("awaited");
            is_ready.recv().expect("bound");
            let socket = UdpSocket::bind("10.0.0.1:5").expect("bound");
            socket.set_read_timeout(Some(std::time::Duration::from_secs(60))).expect("set");
            socket.send_to(b"hello", "10.0.0.2:5").expect("sent");
            let mut bytes = [0; 16];
            let (length, _) = socket.recv_from(&mut bytes).expect("an answer");
            assert_eq!(&bytes[..length], b"hello");
        });
        let (told, _) = wireguard::Device::get(&mut generic, "wg0").expect("told");
        let peer = &told.peers[0];
        assert!(peer.last_handshake.is_some() && peer.received > 0 && peer.sent > 0, "{peer:?}");
    });
}
