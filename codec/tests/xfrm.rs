//! IPsec: states, policies and events as kernels told them; both layouts; keys that nobody sees; damage.

#![cfg(target_endian = "little")]

mod support;

use std::fmt::Write;
use std::net::IpAddr;

use ringlink_codec::prelude::*;
use ringlink_codec::protocol::XFRM;
use ringlink_codec::table::{Be16, Be32, Format, Record, SecretBytes, Table};
use ringlink_codec::wire::{ErrorKind, Writer};
use ringlink_codec::xfrm::*;

const STATES: &str = include_str!("captures/xfrm_state.hex");
const POLICIES: &str = include_str!("captures/xfrm_policy.hex");
const EVENTS: &str = include_str!("captures/xfrm_event.hex");
const COUNTS: &str = include_str!("captures/xfrm_count.hex");

fn samples() -> Vec<Vec<u8>> {
    [STATES, POLICIES, EVENTS, COUNTS].into_iter().flat_map(support::messages).collect()
}

fn expect(found: &[String], expected: &str) {
    let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len(), "{found:#?}");
}

fn some(line: &mut String, name: &str, value: Option<impl std::fmt::Display>) {
    if let Some(value) = value {
        write!(line, " {name} {value}").unwrap();
    }
}

fn mark(mark: Mark) -> String {
    format!("{:#x}/{:#x}", mark.v, mark.m)
}

/// A state on a line; of its keys, how long they are.
fn state_line(state: &StateView<'_>) -> String {
    let info = &state.info;
    let mut line = format!(
        "{} > {} {} {:#x} reqid {} {} window {}",
        state.source().unwrap(),
        state.destination().unwrap(),
        info.id.proto,
        info.id.spi.get(),
        info.reqid,
        info.mode,
        info.replay_window
    );
    some(&mut line, "flags", (info.flags.0 != 0).then_some(info.flags));
    some(&mut line, "extra", (state.extra_flags.0 != 0).then_some(state.extra_flags));
    some(&mut line, "mark", state.mark.map(mark));
    some(&mut line, "sets", state.set_mark.map(mark));
    let key = |key: SecretBytes<'_>| {
        let counted = |(at, byte): (usize, &u8)| usize::from(*byte) == at;
        assert!(key.expose().iter().enumerate().all(counted));
        format!("{key:?}")
    };
    some(&mut line, "auth", state.auth.map(|(algorithm, secret)| format!("{} {}", algorithm.name.text(), key(secret))));
    some(
        &mut line,
        "auth",
        state
            .auth_truncated
            .map(|(algorithm, secret)| format!("{} {} {}", algorithm.name.text(), key(secret), algorithm.trunc_len)),
    );
    some(
        &mut line,
        "aead",
        state
            .aead
            .map(|(algorithm, secret)| format!("{} {} {}", algorithm.name.text(), key(secret), algorithm.icv_len)),
    );
    some(&mut line, "enc", state.crypt.map(|(algorithm, secret)| format!("{} {}", algorithm.name.text(), key(secret))));
    some(&mut line, "comp", state.compression.map(|algorithm| algorithm.name.text().to_string()));
    some(
        &mut line,
        "encap",
        state.encap.map(|encap| {
            format!("{} {} {} {}", encap.kind, encap.sport, encap.dport, encap.oa.ip(info.family).unwrap())
        }),
    );
    some(&mut line, "coa", state.care_of.and_then(|address| address.ip(info.family)));
    some(&mut line, "replay", state.replay.map(|replay| format!("{}/{}", replay.seq, replay.oseq)));
    some(
        &mut line,
        "esn",
        state.replay_esn.map(|(replay, bitmap)| {
            assert_eq!(bitmap.len(), 16);
            format!("{}:{}/{}:{}", replay.seq_hi, replay.seq, replay.oseq_hi, replay.oseq)
        }),
    );
    some(&mut line, "if_id", state.if_id);
    some(&mut line, "pad", state.padding);
    if info.lft != LifetimeLimits::FOREVER {
        let LifetimeLimits { soft_byte_limit, hard_packet_limit, soft_add_expires_seconds, .. } = info.lft;
        write!(line, " limits {soft_byte_limit} {hard_packet_limit} {soft_add_expires_seconds}").unwrap();
    }
    some(&mut line, "hard", state.hard);
    line
}

#[test]
fn captured_states() {
    let read = |bytes: &Vec<u8>| {
        let body = Message::parse(bytes).unwrap().body(Xfrm::NEWSA).unwrap();
        assert!(body.header.curlft.add_time > 1_700_000_000);
        state_line(&StateView::read(body).unwrap())
    };
    expect(&support::messages(STATES).iter().map(read).collect::<Vec<_>>(), "
        2001:db8::1 > 2001:db8::3 ROUTING 0x0 reqid 0 ROUTEOPTIMIZATION window 0 coa 2001:db8::4 replay 0/0
        2001:db8::1 > 2001:db8::2 DSTOPTS 0x0 reqid 0 ROUTEOPTIMIZATION window 0 coa 2001:db8::3 replay 0/0
        192.0.2.1 > 192.0.2.2 ESP 0x1006 reqid 0 BEET window 0 auth hmac(sha1) (20 secret bytes) auth hmac(sha1) (20 secret bytes) 96 enc cbc(aes) (16 secret bytes) encap UDP_ENCAP_ESPINUDP 4500 4501 192.0.2.9 replay 0/0
        192.0.2.1 > 192.0.2.2 COMP 0x1005 reqid 0 TUNNEL window 0 comp deflate replay 0/0
        192.0.2.1 > 192.0.2.2 4 0xc0000201 reqid 0 TUNNEL window 0 replay 0/0
        192.0.2.1 > 192.0.2.2 AH 0x1004 reqid 0 TRANSPORT window 0 auth hmac(sha256) (32 secret bytes) auth hmac(sha256) (32 secret bytes) 96 replay 0/0 limits 1000 2000 30000
        2001:db8::1 > 2001:db8::2 ESP 0x1003 reqid 8 TRANSPORT window 0 flags ESN aead rfc4106(gcm(aes)) (20 secret bytes) 128 esn 1:9/2:0
        192.0.2.1 > 192.0.2.2 ESP 0x1002 reqid 7 TUNNEL window 32 flags NOPMTUDISC|AF_UNSPEC extra DONT_ENCAP_DSCP mark 0x10/0xff sets 0x20/0xf0 auth hmac(sha256) (32 secret bytes) auth hmac(sha256) (32 secret bytes) 128 enc cbc(aes) (32 secret bytes) replay 5/6 if_id 5 pad 64
        192.0.2.1 > 192.0.2.2 ESP 0x1001 reqid 7 TUNNEL window 0 auth hmac(sha1) (20 secret bytes) auth hmac(sha1) (20 secret bytes) 96 enc cbc(aes) (16 secret bytes) replay 0/0
    ");
}

/// A policy on a line.
fn policy_line(policy: &PolicyView<'_>) -> String {
    let PolicyInfo { sel, dir, action, priority, index, flags, lft, .. } = policy.info;
    let address = |address: Address| address.ip(sel.family).unwrap();
    let mut line = format!(
        "{}/{} > {}/{} {dir} {action} priority {priority} index {index} {}",
        address(sel.saddr),
        sel.prefixlen_s,
        address(sel.daddr),
        sel.prefixlen_d,
        policy.kind.unwrap()
    );
    some(&mut line, "proto", (sel.proto != 0).then_some(sel.proto));
    some(&mut line, "sport", (sel.sport_mask != 0).then_some(sel.sport));
    some(&mut line, "dport", (sel.dport_mask != 0).then_some(sel.dport));
    some(&mut line, "dev", (sel.ifindex != 0).then_some(sel.ifindex));
    some(&mut line, "flags", (flags.0 != 0).then_some(flags));
    some(&mut line, "mark", policy.mark.map(mark));
    some(&mut line, "if_id", policy.if_id);
    if lft != LifetimeLimits::FOREVER {
        write!(line, " limits {} {}", lft.soft_byte_limit, lft.hard_add_expires_seconds).unwrap();
    }
    for template in policy.templates.into_iter().flatten() {
        let Template { id, family, saddr, reqid, mode, optional, aalgos, .. } = template;
        let (from, to) = (saddr.ip(family).unwrap(), id.daddr.ip(family).unwrap());
        write!(line, " tmpl {from} > {to} {} {} {reqid} {mode} {optional}", id.proto, id.spi).unwrap();
        assert_eq!(aalgos, u32::MAX);
    }
    some(&mut line, "hard", policy.hard);
    line
}

#[test]
fn captured_policies() {
    let read = |bytes: &Vec<u8>| {
        let body = Message::parse(bytes).unwrap().body(Xfrm::NEWPOLICY).unwrap();
        policy_line(&PolicyView::read(body).unwrap())
    };
    expect(&support::messages(POLICIES).iter().map(read).collect::<Vec<_>>(), "
        10.9.0.0/24 > 10.9.2.0/24 OUT ALLOW priority 0 index 25 SUB proto 47 sport 258 dport 772
        10.9.0.0/24 > 10.9.1.0/24 OUT ALLOW priority 0 index 17 MAIN proto 1 sport 8 dport 0 dev 3 mark 0x10/0xff if_id 5
        2001:db8::/32 > 2001:db8:1::/48 FWD BLOCK priority 0 index 18 MAIN proto 6 sport 1 dport 2 flags LOCALOK|ICMP limits 1000 0
        10.1.0.0/16 > 10.0.0.0/24 IN ALLOW priority 100 index 8 MAIN tmpl 192.0.2.2 > 192.0.2.1 AH 0 8 TRANSPORT 1 tmpl 192.0.2.2 > 192.0.2.1 COMP 119 0 TRANSPORT 0
        10.0.0.0/24 > 10.1.0.0/16 OUT ALLOW priority 100 index 1 MAIN tmpl 192.0.2.1 > 192.0.2.2 ESP 0 7 TUNNEL 0
    ");
}

#[test]
fn captured_events() {
    let read = |bytes: &Vec<u8>| {
        let message = Message::parse(bytes).unwrap();
        let name = XFRM.row(message, Default::default()).unwrap().name.trim_start_matches("XFRM_MSG_");
        if let Ok(state) = StateView::of(message) {
            return format!("{name} {}", state_line(&state));
        }
        if let Ok(policy) = PolicyView::of(message) {
            let wanted = message.body(Xfrm::ACQUIRE).map(|body| {
                let Acquire { id, sel, seq, .. } = body.header;
                assert_ne!(seq, 0);
                format!("{} for {} proto {}: ", id.proto, sel.daddr.ip(sel.family).unwrap(), sel.proto)
            });
            return format!("{name} {}{}", wanted.unwrap_or_default(), policy_line(&policy));
        }
        if let Ok(body) = message.body(Xfrm::FLUSHSA) {
            return format!("{name} {}", body.header.proto);
        }
        let DefaultPolicy { in_, fwd, out } = message.body(Xfrm::GETDEFAULT).unwrap().header;
        format!("{name} {in_} {fwd} {out}")
    };
    expect(&support::messages(EVENTS).iter().map(read).collect::<Vec<_>>(), "
        NEWSA 192.0.2.1 > 192.0.2.2 ESP 0x1001 reqid 7 TUNNEL window 0 auth hmac(sha1) (20 secret bytes) auth hmac(sha1) (20 secret bytes) 96 enc cbc(aes) (16 secret bytes) replay 0/0
        UPDSA 192.0.2.1 > 192.0.2.2 ESP 0x1001 reqid 7 TUNNEL window 0 auth hmac(sha1) (20 secret bytes) auth hmac(sha1) (20 secret bytes) 96 enc cbc(aes) (16 secret bytes) replay 0/0 limits 1000 18446744073709551615 0
        DELSA 192.0.2.1 > 192.0.2.2 ESP 0x1001 reqid 7 TUNNEL window 0 auth hmac(sha1) (20 secret bytes) auth hmac(sha1) (20 secret bytes) 96 enc cbc(aes) (16 secret bytes) replay 0/0 limits 1000 18446744073709551615 0
        NEWSA 192.0.2.1 > 192.0.2.2 AH 0x1004 reqid 0 TRANSPORT window 0 auth hmac(sha256) (32 secret bytes) auth hmac(sha256) (32 secret bytes) 96 replay 0/0 limits 18446744073709551615 18446744073709551615 1
        EXPIRE 192.0.2.1 > 192.0.2.2 AH 0x1004 reqid 0 TRANSPORT window 0 limits 18446744073709551615 18446744073709551615 1 hard false
        EXPIRE 192.0.2.1 > 192.0.2.2 AH 0x1004 reqid 0 TRANSPORT window 0 limits 18446744073709551615 18446744073709551615 1 hard true
        FLUSHSA ESP
        NEWPOLICY 192.0.2.0/24 > 192.0.2.3/32 OUT ALLOW priority 0 index 1 MAIN tmpl 0.0.0.0 > 0.0.0.0 ESP 0 9 TRANSPORT 0
        ACQUIRE ESP for 192.0.2.3 proto 1: 192.0.2.0/24 > 192.0.2.3/32 OUT ALLOW priority 0 index 1 MAIN tmpl 0.0.0.0 > 0.0.0.0 ESP 0 9 TRANSPORT 0
        UPDPOLICY 192.0.2.0/24 > 192.0.2.3/32 OUT ALLOW priority 3 index 1 MAIN tmpl 0.0.0.0 > 0.0.0.0 ESP 0 9 TRANSPORT 0
        NEWPOLICY 192.0.2.0/24 > 192.0.2.4/32 OUT ALLOW priority 0 index 9 MAIN limits 18446744073709551615 1
        POLEXPIRE 192.0.2.0/24 > 192.0.2.4/32 OUT ALLOW priority 0 index 9 MAIN limits 18446744073709551615 1 hard true
        DELPOLICY 192.0.2.0/24 > 192.0.2.3/32 OUT ALLOW priority 3 index 1 MAIN tmpl 0.0.0.0 > 0.0.0.0 ESP 0 9 TRANSPORT 0
        GETDEFAULT BLOCK ACCEPT ACCEPT
        FLUSHSA IP
    ");
}

#[test]
fn captured_counts() {
    let samples = support::messages(COUNTS);
    let message = |at: usize| Message::parse(&samples[at]).unwrap();
    let states = message(0).answer(Xfrm::GETSADINFO).unwrap();
    let (count, hash) = states.attributes.read((Sad::CNT, Sad::HINFO)).unwrap();
    assert_eq!((count, hash), (Some(9), Some(StateHash { sadhcnt: 16, sadhmcnt: 1_048_576 })));
    let policies = message(1).answer(Xfrm::GETSPDINFO).unwrap();
    let (counts, four, six) = policies.attributes.read((Spd::INFO, Spd::IPV4_HTHRESH, Spd::IPV6_HTHRESH)).unwrap();
    assert_eq!(counts, Some(PolicyCounts::default()));
    assert_eq!(four, Some(HashThreshold { lbits: 32, rbits: 32 }));
    assert_eq!(six, Some(HashThreshold { lbits: 128, rbits: 128 }));
    let default = message(2).answer(Xfrm::GETDEFAULT).unwrap().header;
    assert_eq!((default.in_, default.out), (DefaultAction::ACCEPT, DefaultAction::ACCEPT));
    let event = message(3).answer(Xfrm::GETAE).unwrap();
    assert_eq!((event.header.sa_id.spi.get(), event.header.reqid), (0x1001, 7));
    assert_eq!(event.header.flags, EventFlags::default());
    let (replay, life) = event.attributes.read((Xfrma::REPLAY_VAL, Xfrma::LTIME_VAL)).unwrap();
    assert_eq!((replay, life.map(|life| life.packets)), (Some(ReplayState::default()), Some(0)));
    let found = StateView::read(message(4).answer(Xfrm::ALLOCSPI).unwrap()).unwrap();
    assert_eq!((found.info.id.spi.get(), found.info.lft.hard_add_expires_seconds), (0x3000, 30));
}

#[test]
fn fixed_headers_go_there_and_back() {
    fn again<H: Record>(bytes: &[u8]) -> Vec<u8> {
        let mut buffer = vec![0; size_of::<H>()];
        let mut writer = Writer::new(&mut buffer);
        H::from_bytes(bytes).write(&mut writer);
        writer.finish().unwrap().to_vec()
    }
    fn both<W: Record + From<N>, N: Record + From<W>>(bytes: &[u8]) -> Vec<u8> {
        let narrow = N::from(W::from_bytes(bytes));
        let mut buffer = vec![0; size_of::<N>()];
        let mut writer = Writer::new(&mut buffer);
        narrow.write(&mut writer);
        let back = W::from(N::from_bytes(writer.finish().unwrap()));
        let mut buffer = vec![0; size_of::<W>()];
        let mut writer = Writer::new(&mut buffer);
        back.write(&mut writer);
        writer.finish().unwrap().to_vec()
    }
    for sample in samples() {
        let message = Message::parse(&sample).unwrap();
        let row = XFRM.row(message, Default::default()).unwrap();
        let bytes = &message.payload[..row.header.size];
        let (same, converted) = match row.header.name {
            "xfrm_usersa_info" => {
                (again::<wide::StateInfo>(bytes), Some(both::<wide::StateInfo, narrow::StateInfo>(bytes)))
            }
            "xfrm_userpolicy_info" => {
                (again::<wide::PolicyInfo>(bytes), Some(both::<wide::PolicyInfo, narrow::PolicyInfo>(bytes)))
            }
            "xfrm_user_acquire" => (again::<wide::Acquire>(bytes), Some(both::<wide::Acquire, narrow::Acquire>(bytes))),
            "xfrm_user_expire" => (again::<wide::Expire>(bytes), Some(both::<wide::Expire, narrow::Expire>(bytes))),
            "xfrm_user_polexpire" => {
                (again::<wide::PolicyExpire>(bytes), Some(both::<wide::PolicyExpire, narrow::PolicyExpire>(bytes)))
            }
            "xfrm_usersa_id" => (again::<StateId>(bytes), None),
            "xfrm_userpolicy_id" => (again::<PolicyId>(bytes), None),
            "xfrm_aevent_id" => (again::<EventHeader>(bytes), None),
            "xfrm_usersa_flush" => (again::<StateFlush>(bytes), None),
            "xfrm_userpolicy_default" => (again::<DefaultPolicy>(bytes), None),
            "" => (again::<CountHeader>(bytes), None),
            other => panic!("{other}"),
        };
        assert_eq!(same, bytes, "{}", row.name);
        if let Some(converted) = converted {
            assert_eq!(converted, bytes, "{}", row.name);
        }
    }
}

#[test]
fn structs_have_the_sizes_of_both_layouts() {
    let sizes = [
        (wide::StateInfo::LAYOUT, 224, narrow::StateInfo::LAYOUT, 220),
        (wide::PolicyInfo::LAYOUT, 168, narrow::PolicyInfo::LAYOUT, 164),
        (wide::SpiRange::LAYOUT, 232, narrow::SpiRange::LAYOUT, 228),
        (wide::Acquire::LAYOUT, 280, narrow::Acquire::LAYOUT, 276),
        (wide::Expire::LAYOUT, 232, narrow::Expire::LAYOUT, 224),
        (wide::PolicyExpire::LAYOUT, 176, narrow::PolicyExpire::LAYOUT, 168),
    ];
    for (wide, wide_size, narrow, narrow_size) in sizes {
        assert_eq!((wide.size, narrow.size), (wide_size, narrow_size), "{}", wide.name);
        assert_eq!(wide.name, narrow.name);
    }
    // All others are the same on all machines, so their messages are, too.
    for (wide, narrow) in wide::Xfrm::OPERATIONS.rows.iter().zip(narrow::Xfrm::OPERATIONS.rows) {
        let differs = sizes.iter().any(|(layout, ..)| layout.name == wide.header.name);
        assert_eq!(wide.header.size != narrow.header.size, differs, "{}", wide.name);
    }
}

fn state() -> wide::StateInfo {
    wide::StateInfo {
        id: Id {
            daddr: IpAddr::from([192, 0, 2, 2]).into(),
            spi: Be32::new(0x1001),
            proto: Protocol::ESP,
            pad: [0; 3],
        },
        saddr: IpAddr::from([192, 0, 2, 1]).into(),
        lft: LifetimeLimits::FOREVER,
        family: Family::INET,
        mode: Mode::TUNNEL,
        reqid: 7,
        ..wide::StateInfo::default()
    }
}

#[test]
fn the_narrow_layout_is_read_and_written() {
    let key = SecretBytes::new(&[7; 16]);
    let mut buffer = Buffer::<512>::new();
    let bytes = buffer
        .message(narrow::Xfrm::NEWSA, state().into(), |attributes| {
            attributes.put(Xfrma::ALG_CRYPT, Algorithm::with("cbc(aes)", key));
            attributes.put(Xfrma::IF_ID, 5);
        })
        .unwrap();
    assert_eq!(bytes.len(), 16 + 220 + 4 + 68 + 16 + 8);
    let message = Message::parse(bytes).unwrap();
    let body = message.body(narrow::Xfrm::NEWSA).unwrap();
    assert_eq!(wide::StateInfo::from(body.header), state());
    let ((cipher, secret), number) =
        body.attributes.read((Xfrma::ALG_CRYPT, Xfrma::IF_ID)).map(|(a, b)| (a.unwrap(), b)).unwrap();
    assert_eq!((cipher.key(secret).expose(), number), (&[7; 16][..], Some(5)));
    assert!(message.tree(&narrow::PROTOCOL).to_string().contains("  XFRMA_IF_ID: 5\n"));

    // What is gone stands in an attribute, in the narrow layout, too.
    let id =
        StateId { daddr: state().id.daddr, spi: state().id.spi, family: Family::INET, proto: Protocol::ESP, pad: 0 };
    let mut buffer = Buffer::<512>::new();
    let bytes = buffer.message(narrow::Xfrm::DELSA, id, |attributes| {
        attributes.put(Xfrma::SA, narrow::StateInfo::from(state()));
    });
    let message = Message::parse(bytes.unwrap()).unwrap();
    assert_eq!(message.header.length, 16 + 24 + 4 + 220);
    assert_eq!(StateView::of(message).unwrap().info, state());
}

/// A message of every type that is written, and the size that it takes.
fn written(buffer: &mut [u8], at: usize) -> Option<Result<usize, Error>> {
    fn one<Q: Format, A>(
        operation: Operation<Q, A>,
        buffer: &mut [u8],
        header: Q::Header,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Option<Result<usize, Error>> {
        Some(operation.write(buffer, header, |attributes| fill(attributes)).map(|bytes| bytes.len()))
    }
    let key = SecretBytes::new(&[9; 20]);
    let state = StateInfo { ..state() };
    let id = PolicyId::default();
    let template = Template { reqid: 3, ..Template::default() };
    match at {
        0 => one(Xfrm::NEWSA, buffer, state, |attributes| {
            attributes.put(Xfrma::ALG_AEAD, AeadAlgorithm::with("rfc4106(gcm(aes))", key, 128));
            attributes.put(Xfrma::REPLAY_ESN_VAL, (ReplayStateEsn { bmp_len: 1, ..Default::default() }, &[1; 4][..]));
        }),
        1 => one(Xfrm::UPDSA, buffer, state, |attributes| {
            attributes.put(Xfrma::ALG_AUTH_TRUNC, AuthAlgorithm::with("hmac(sha1)", key, 96));
            attributes.put(Xfrma::ENCAP, Encap { sport: Be16::new(4500), ..Encap::default() });
        }),
        2 => one(Xfrm::DUMP_STATES, buffer, (), |attributes| {
            attributes.put(Xfrma::PROTO, Protocol::ESP);
            attributes.put(Xfrma::ADDRESS_FILTER, AddressFilter::default());
        }),
        3 => one(Xfrm::NEWPOLICY, buffer, PolicyInfo::default(), |attributes| {
            attributes.put(Xfrma::TMPL, &[template, template][..]);
            attributes.put(Xfrma::SEC_CTX, (SecurityContext::default(), &b"a label\0"[..]));
        }),
        4 => one(Xfrm::MIGRATE, buffer, id, |attributes| {
            attributes.put(Xfrma::MIGRATE, &[Migrate::default()][..]);
            attributes.put(Xfrma::KMADDRESS, KeyManagerAddress::default());
        }),
        5 => one(Xfrm::ALLOCSPI, buffer, SpiRange { info: state, min: 1, max: 2 }, |_| {}),
        6 => one(Xfrm::FLUSHSA, buffer, StateFlush { proto: Protocol::AH }, |_| {}),
        7 => one(Xfrm::FLUSHPOLICY, buffer, (), |attributes| {
            attributes.put(Xfrma::POLICY_TYPE, PolicyType::default());
        }),
        8 => one(Xfrm::NEWSPDINFO, buffer, CountHeader::default(), |attributes| {
            attributes.put(Spd::IPV4_HTHRESH, HashThreshold { lbits: 1, rbits: 2 });
        }),
        9 => one(Xfrm::MIGRATE_STATE, buffer, MigrateState::default(), |attributes| {
            attributes.put(Xfrma::IPTFS_DONT_FRAG, ());
            attributes.put(Xfrma::SA_DIR, StateDirection::OUT);
        }),
        10 => one(Xfrm::MAPPING, buffer, Mapping::default(), |_| {}),
        11 => one(Xfrm::REPORT, buffer, Report::default(), |_| {}),
        12 => one(Xfrm::POLEXPIRE, buffer, PolicyExpire::default(), |_| {}),
        13 => one(Xfrm::SETDEFAULT, buffer, DefaultPolicy::default(), |_| {}),
        _ => None,
    }
}

#[test]
fn every_buffer_that_is_too_short_is_refused() {
    let mut at = 0;
    let mut buffer = [0; 1024];
    while let Some(written_to) = written(&mut buffer, at) {
        let length = written_to.unwrap();
        let bytes = buffer[..length].to_vec();
        let message = Message::parse(&bytes).unwrap();
        let tree = message.tree(&XFRM).to_string();
        assert!(at == 2 || !tree.contains("error"), "{tree}");
        for short in 0..length {
            let error = written(&mut buffer[..short], at).unwrap().unwrap_err();
            assert_eq!(error.needed(), Some(u32::try_from(length).unwrap()));
        }
        at += 1;
    }
    assert_eq!(at, 14);
}

#[test]
fn no_key_is_shown_unless_it_is_asked_for() {
    // Keys of the captures are 00 01 02 …: no two of such bytes stand together anywhere else.
    let leaks = ["0405060708090a", "4, 5, 6, 7, 8, 9", "\\x04\\x05\\x06"];
    for sample in support::messages(STATES).into_iter().chain(support::messages(EVENTS)) {
        let message = Message::parse(&sample).unwrap();
        let mut texts = vec![message.tree(&XFRM).to_string(), message.json(&XFRM).to_string(), format!("{message:?}")];
        let row = XFRM.row(message, Default::default()).unwrap();
        let raw = message.raw_attributes(row.header.size);
        texts.push(format!("{raw:?} {:?}", raw.collect::<Vec<_>>()));
        texts.extend(StateView::of(message).map(|state| format!("{state:?}")));
        texts.extend(
            message.body(Xfrm::NEWSA).map(|body| format!("{body:?} {:?}", body.attributes.get(Xfrma::ALG_AEAD))),
        );
        for (text, leak) in texts.iter().flat_map(|text| leaks.map(|leak| (text, leak))) {
            assert!(!text.contains(leak), "{text}");
        }
        let has_key = raw.map(Result::unwrap).any(|raw| [1, 2, 18, 20].contains(&raw.number()));
        assert_eq!(message.tree(&XFRM).with_secrets().to_string().contains(leaks[0]), has_key);
        assert_eq!(message.json(&XFRM).with_secrets().to_string().contains(leaks[0]), has_key);
    }
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    // One message of each type, and the state with the most attributes.
    let mut types = std::collections::BTreeSet::new();
    let mut chosen: Vec<_> = samples().into_iter().filter(|sample| types.insert(sample[4])).collect();
    chosen.extend(support::messages(STATES).into_iter().max_by_key(Vec::len));
    assert!(chosen.len() > 12);
    for sample in chosen {
        let mut read = 0_usize;
        support::every_damage(&sample, |bytes| {
            let Ok(message) = Message::parse(bytes) else { return };
            read += message.tree(&XFRM).to_string().len();
            read += usize::from(StateView::of(message).is_ok());
            if let Ok(policy) = PolicyView::of(message) {
                read += policy.templates.into_iter().flatten().count();
            }
        });
        for length in 16..sample.len() {
            read += Message::parse(&sample[..length]).map_or(0, |cut| cut.json(&narrow::PROTOCOL).to_string().len());
        }
        assert!(read > 0);
    }
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    // It says that a state is gone, and not which.
    let mut buffer = Buffer::<64>::new();
    let bytes = buffer.message(Xfrm::DELSA, StateId::default(), |_| {}).unwrap();
    let error = StateView::of(Message::parse(bytes).unwrap()).unwrap_err();
    assert_eq!((error.name, error.offset), ("XFRMA_SA", 40));
    assert_eq!(error.kind, ErrorKind::PayloadLength { found: 0, expected: 224 });
    // A list of templates whose length is not that of some.
    let mut buffer = Buffer::<512>::new();
    let bytes = buffer.message(Xfrm::NEWPOLICY, PolicyInfo::default(), |policy| policy.put_raw(5, &[0; 63])).unwrap();
    let error = PolicyView::of(Message::parse(bytes).unwrap()).unwrap_err();
    assert_eq!((error.name, error.offset), ("XFRMA_TMPL", 16 + 168 + 4));
    // A key that is said to be longer than what is there is what is there.
    let (algorithm, _) = Algorithm::with("x", SecretBytes::new(&[1; 32]));
    assert_eq!(algorithm.key(SecretBytes::new(&[1, 2])).expose(), [1, 2]);
    assert_eq!(Xfrma::space().rows().count() + Sad::space().rows().count() + Spd::space().rows().count(), 47);
}
