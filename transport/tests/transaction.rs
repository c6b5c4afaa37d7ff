//! Transactions of nf_tables over the live kernel: rules as nft makes them, all or nothing, large ones, refusals.

mod kernel;
#[path = "nftables/ruleset.rs"]
mod ruleset;

use std::collections::BTreeSet;
use std::fs;
use std::net::Ipv4Addr;
use std::os::fd::AsRawFd;
use std::process::Command;

use kernel::{asked_for, isolated, missing, soon};
use ringlink::codec::multicast::NetfilterGroup;
use ringlink::codec::netfilter::nftables::*;
use ringlink::codec::netfilter::{Family, NetfilterHeader};
use ringlink::codec::table::{AttributeWriter, Chars};
use ringlink::codec::wire::Flags;
use ringlink::connection::steps::Advance;
use ringlink::connection::{Rejected, Transaction};
use ringlink::engine::EngineChoice;
use ringlink::{Config, Connection, Error, Monitor, Protocol};

const INET: Family = Family::INET;

fn header() -> NetfilterHeader {
    NetfilterHeader::of(INET)
}

fn open() -> Connection {
    Connection::open(Protocol::NETFILTER).expect("a connection")
}

/// One connection over each engine.
fn connections() -> Vec<Connection> {
    let with = |engine| Connection::with(Protocol::NETFILTER, Config { engine, ..Config::default() });
    asked_for([EngineChoice::Syscall, EngineChoice::Ring]).filter_map(|engine| with(engine).ok()).collect()
}

/// Whether nft is here; says so where it is not.
fn nft_is_here(name: &str) -> bool {
    let here = Command::new("nft").arg("--version").output().is_ok();
    if !here {
        missing(name, "needs the program nft (nftables)");
    }
    here
}

fn nft(arguments: &[&str]) -> String {
    let output = Command::new("nft").args(arguments).output().expect("nft runs");
    assert!(output.status.success(), "nft {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

/// Without the handles, which say in what order things were made.
fn without_handles(json: &str) -> String {
    let mut parts = json.split("\"handle\": ");
    let mut text = parts.next().unwrap_or_default().to_string();
    for part in parts {
        text += part.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start_matches(", ");
    }
    text
}

/// All rules' expressions, as the kernel tells them.
fn expressions() -> Vec<(String, Vec<String>)> {
    let mut connection = open();
    let mut rules = connection.dump(Nft::GETRULE, NetfilterHeader::default(), |_| {}).expect("a dump");
    let mut found = Vec::new();
    while let Some(rule) = rules.next().expect("rules") {
        let view = RuleView::read(rule).expect("a rule");
        let list = view.expressions().map(|expression| format!("{:?}", expression.expect("an expression")));
        found.push((format!("{} {}", view.table, view.chain), list.collect()));
    }
    assert!(rules.end().is_complete());
    found
}

#[test]
fn rules_are_those_that_nft_makes() {
    const NAME: &str = "rules_are_those_that_nft_makes";
    if !nft_is_here(NAME) {
        return;
    }
    let chains = ruleset::chains();
    let file = std::env::temp_dir().join(format!("ringlink-ruleset-{}.nft", std::process::id()));
    fs::write(&file, ruleset::text(&chains)).expect("the file can be written");
    let mut theirs = None;
    isolated(NAME, || {
        let _ = nft(&["-f", file.to_str().expect("a path")]);
        theirs = Some((expressions(), nft(&["-j", "list", "ruleset"])));
    });
    fs::remove_file(&file).expect("the file can be removed");
    let Some((rules, listed)) = theirs else { return };
    isolated(NAME, || {
        let chains = ruleset::chains();
        let mut connection = open();
        let mut transaction = connection.transaction();
        ruleset::write(&mut transaction, &chains).expect("written");
        transaction.commit().unwrap_or_else(|error| panic!("{error}"));
        let ours = expressions();
        let texts = chains.iter().flat_map(|chain| chain.rules.iter().map(|(text, _)| text));
        let mut different = 0;
        for ((theirs, ours), text) in rules.iter().zip(&ours).zip(texts) {
            if theirs != ours {
                different += 1;
                println!("{text}\n  nft:  {theirs:?}\n  ours: {ours:?}");
            }
        }
        println!("{} rules by nft, {} by the library, {different} different", rules.len(), ours.len());
        assert_eq!((rules.len(), different), (ours.len(), 0));
        assert_eq!(without_handles(&nft(&["-j", "list", "ruleset"])), without_handles(&listed));
    });
}

/// Writes the table `t` and in it the chain `c`.
fn table_and_chain(transaction: &mut Transaction<'_>) {
    transaction.add(Nft::NEWTABLE.create(), header(), |table| table.put(Table::NAME, "t")).expect("a table");
    let chain = |chain: &mut AttributeWriter<'_, '_, Chain>| {
        chain.put(Chain::TABLE, "t");
        chain.put(Chain::NAME, "c");
    };
    transaction.add(Nft::NEWCHAIN.create(), header(), chain).expect("a chain");
}

/// Writes a rule into that chain.
fn rule(transaction: &mut Transaction<'_>, fill: impl Fn(&mut RuleWriter<'_, '_, '_>)) {
    let operation = Nft::NEWRULE.create().append();
    let written = transaction.add(operation, header(), |rule| {
        rule.put(Rule::TABLE, "t");
        rule.put(Rule::CHAIN, "c");
        rule.nest(Rule::EXPRESSIONS, |list| fill(&mut RuleWriter::new(list, INET)));
    });
    written.expect("a rule");
}

fn rejected(result: Result<(), Error>) -> Rejected {
    match result {
        Err(Error::Transaction(rejected)) => *rejected,
        other => panic!("{other:?}"),
    }
}

fn tables(connection: &mut Connection) -> usize {
    let mut dump = connection.dump(Nft::GETTABLE, NetfilterHeader::default(), |_| {}).expect("a dump");
    let mut count = 0;
    while dump.next().expect("tables").is_some() {
        count += 1;
    }
    count
}

fn generation(connection: &mut Connection) -> u32 {
    let reply = connection.get(Nft::GETGEN, NetfilterHeader::default(), |_| {}).expect("a generation");
    GenerationView::read(reply.body()).expect("a generation").id.expect("its number")
}

#[test]
fn a_wrong_command_is_named_and_nothing_changes() {
    isolated("a_wrong_command_is_named_and_nothing_changes", || {
        for mut connection in connections() {
            let before = generation(&mut connection);
            let mut transaction = connection.transaction();
            table_and_chain(&mut transaction);
            for index in 2..200 {
                rule(&mut transaction, |rule| match index {
                    137 => rule.jump("nowhere"),
                    _ => rule.accept(),
                });
            }
            assert_eq!(transaction.count(), 200);
            let rejected = rejected(transaction.commit());
            let [failure] = &rejected.failures[..] else { panic!("{rejected:?}") };
            assert_eq!((failure.index, failure.refused.request), (137, "NFT_MSG_NEWRULE"));
            assert!(failure.refused.errno.is_not_found() && rejected.whole.is_none() && !rejected.incomplete);
            let text = rejected.to_string();
            println!("{text}");
            assert!(text.contains("command 137") && text.ends_with("NFTA_LIST_ELEM (item 0)"), "{text}");
            assert_eq!((tables(&mut connection), generation(&mut connection)), (0, before));

            // The connection goes on, and the same without the mistake is carried out.
            let mut transaction = connection.transaction();
            table_and_chain(&mut transaction);
            (2..200).for_each(|_| rule(&mut transaction, |rule| rule.accept()));
            transaction.commit().expect("good");
            assert_eq!(expressions().len(), 198);
            let mut transaction = connection.transaction();
            transaction.add(Nft::DELTABLE, header(), |table| table.put(Table::NAME, "t")).expect("written");
            transaction.commit().expect("gone");
            assert_eq!(tables(&mut connection), 0);
        }
    });
}

#[test]
fn every_wrong_command_is_named() {
    isolated("every_wrong_command_is_named", || {
        let mut connection = open();
        let mut transaction = connection.transaction();
        table_and_chain(&mut transaction);
        rule(&mut transaction, |rule| rule.lookup(Register::REG_1, CmpOp::EQ, "nowhere".into()));
        rule(&mut transaction, |rule| rule.accept());
        rule(&mut transaction, |rule| {
            rule.counter();
            rule.counter();
            rule.bare("nothing");
        });
        let rejected = rejected(transaction.commit());
        let indexes: Vec<_> = rejected.failures.iter().map(|failure| failure.index).collect();
        assert_eq!(indexes, [2, 4]);
        let texts: Vec<_> = rejected.failures.iter().map(|failure| failure.refused.to_string()).collect();
        assert!(texts.iter().all(|text| text.ends_with("NFTA_RULE_EXPRESSIONS.NFTA_LIST_ELEM")), "{texts:?}");
        assert_eq!(rejected.failures.iter().map(|failure| failure.item).collect::<Vec<_>>(), [Some(0), Some(2)]);

        // More refusals than are made room for: the first are told, and that there are more.
        let mut transaction = connection.transaction();
        table_and_chain(&mut transaction);
        for _ in 0..20_000 {
            rule(&mut transaction, |rule| rule.bare("nothing"));
        }
        let many = self::rejected(transaction.commit());
        println!("{} of 20000 refusals, incomplete: {}", many.failures.len(), many.incomplete);
        assert!(many.failures.len() >= 4096 && many.failures[0].index == 2);
        assert!(many.incomplete || many.failures.len() == 20_000);
        assert_eq!(tables(&mut connection), 0);
    });
}

#[test]
fn a_passed_generation_is_refused() {
    isolated("a_passed_generation_is_refused", || {
        let mut connection = open();
        let first = generation(&mut connection);
        let mut transaction = connection.transaction().at_generation(first);
        table_and_chain(&mut transaction);
        transaction.commit().expect("the generation of now");
        let mut transaction = connection.transaction().at_generation(first);
        rule(&mut transaction, |rule| rule.accept());
        let error = transaction.commit().expect_err("it has passed");
        assert!(error.is_outdated() && !error.is_permission(), "{error:?}");
        assert!(error.to_string().contains("read them again"), "{error}");
        assert_eq!(expressions().len(), 0);
    });
}

#[test]
fn what_was_made_is_told_on_request() {
    isolated("what_was_made_is_told_on_request", || {
        for mut connection in connections() {
            let mut transaction = connection.transaction();
            table_and_chain(&mut transaction);
            for _ in 0..500 {
                let operation = Nft::NEWRULE.create().append().with(Flags::ECHO);
                let written = transaction.add(operation, header(), |rule| {
                    rule.put(Rule::TABLE, "t");
                    rule.put(Rule::CHAIN, "c");
                    rule.nest(Rule::EXPRESSIONS, |list| RuleWriter::new(list, INET).counter());
                });
                written.expect("a rule");
            }
            let mut handles = Vec::new();
            let told = transaction.commit_each(|index, message| {
                if let Ok(body) = message.body(Nft::NEWRULE) {
                    let rule = RuleView::read(body).expect("a rule");
                    handles.push((index, rule.handle.expect("a handle")));
                }
            });
            told.expect("carried out");
            assert_eq!(handles.len(), 500);
            assert!(handles.iter().zip(2..).all(|((index, _), wanted)| *index == wanted), "{handles:?}");
            assert!(handles.windows(2).all(|two| two[0].1 < two[1].1));
            // What was told can be asked for.
            let reply = connection.get(Nft::GETRULE, header(), |rule| {
                rule.put(Rule::TABLE, "t");
                rule.put(Rule::CHAIN, "c");
                rule.put(Rule::HANDLE, handles[250].1);
            });
            let reply = reply.expect("the rule");
            let view = RuleView::read(reply.body()).expect("a rule");
            assert_eq!(view.handle, Some(handles[250].1));
            drop(reply);
            let mut transaction = connection.transaction();
            transaction.add(Nft::DELTABLE, header(), |table| table.put(Table::NAME, "t")).expect("written");
            transaction.commit().expect("gone");
        }
    });
}

/// Writes 10,000 rules and a set of 100,000 elements.
fn large(transaction: &mut Transaction<'_>) {
    table_and_chain(transaction);
    for number in 0..10_000_u32 {
        rule(transaction, |rule| {
            rule.source(CmpOp::EQ, Ipv4Addr::from(0x0a00_0000 + number).into(), 32);
            rule.port(CmpOp::EQ, Port::Destination, 6, 80..=80);
            rule.counter();
            rule.accept();
        });
    }
    let set = |set: &mut AttributeWriter<'_, '_, Set>| {
        set.put(Set::TABLE, "t");
        set.put(Set::NAME, "s");
        set.put(Set::KEY_TYPE, 7);
        set.put(Set::KEY_LEN, 4);
        set.put(Set::ID, 1);
    };
    transaction.add(Nft::NEWSET.create(), header(), set).expect("a set");
    let head = |elements: &mut AttributeWriter<'_, '_, Elements>| {
        elements.put(Elements::TABLE, "t");
        elements.put(Elements::SET, "s");
    };
    let addresses = (0..100_000_u32).map(|number| Ipv4Addr::from(0x0b00_0000 + number));
    let each = |element: &mut AttributeWriter<'_, '_, Element>, address: &Ipv4Addr| {
        element.nest(Element::KEY, |key| key.put(Data::VALUE, &address.octets()));
    };
    let written = transaction.add_list(Nft::NEWSETELEM.create(), header(), head, Elements::ELEMENTS, addresses, each);
    written.expect("elements");
}

#[test]
fn ten_thousand_rules_and_a_hundred_thousand_elements() {
    isolated("ten_thousand_rules_and_a_hundred_thousand_elements", || {
        let mut connection = open();
        let mut transaction = connection.transaction();
        large(&mut transaction);
        assert_eq!(transaction.count(), 10_004);
        transaction.commit().expect("one datagram");
        assert_eq!(expressions().len(), 10_000);
        let asked = |elements: &mut AttributeWriter<'_, '_, Elements>| {
            elements.put(Elements::TABLE, "t");
            elements.put(Elements::SET, "s");
        };
        let mut dump = connection.dump(Nft::GETSETELEM, header(), asked).expect("a dump");
        let mut found = BTreeSet::new();
        while let Some(body) = dump.next().expect("elements") {
            for element in ElementsView::read(body).expect("elements").iter() {
                found.insert(element.expect("an element").key.expect("a key").to_vec());
            }
        }
        drop(dump);
        assert_eq!(found.len(), 100_000);
        assert!(found.contains(&[11, 1, 134, 159][..]) && !found.contains(&[11, 1, 134, 160][..]));

        // One that is there already spoils all, and is named as the command that it belongs to.
        let mut transaction = connection.transaction();
        rule(&mut transaction, |rule| rule.accept());
        let each = |element: &mut AttributeWriter<'_, '_, Element>, address: &u32| {
            element.nest(Element::KEY, |key| key.put(Data::VALUE, &address.to_be_bytes()));
        };
        // The set has none but the last of these.
        let items = (0..9000).map(|number| 0x0c00_0000 + number).chain([0x0b01_869f_u32]);
        let operation = Nft::NEWSETELEM.create().exclusive();
        transaction.add_list(operation, header(), asked, Elements::ELEMENTS, items, each).expect("written");
        let rejected = rejected(transaction.commit());
        assert_eq!(rejected.failures.len(), 1);
        assert_eq!((rejected.failures[0].index, rejected.failures[0].item), (1, Some(9000)));
        assert!(rejected.failures[0].refused.errno.already_exists(), "{rejected}");
        println!("{rejected}");
    });
}

#[test]
fn without_rights_it_is_said_what_is_missing() {
    // Older kernels have the limit in the first namespace only.
    let most = fs::read_to_string("/proc/sys/net/core/wmem_max").expect("the limit");
    let most: usize = most.trim().parse().expect("a number");
    isolated("without_rights_it_is_said_what_is_missing", || {
        // SAFETY: no pointers; the system call, unlike the C library's function, changes this thread alone.
        let dropped = unsafe { libc::syscall(libc::SYS_setresuid, 65_534, 65_534, 65_534) };
        assert_eq!(dropped, 0);
        for mut connection in connections() {
            let mut transaction = connection.transaction();
            table_and_chain(&mut transaction);
            let error = transaction.commit().expect_err("no rights");
            assert!(error.is_permission() && !error.is_outdated(), "{error:?}");
            assert!(error.to_string().contains("CAP_NET_ADMIN"), "{error}");

            if most > 7 << 20 {
                println!("absent: a limit of send buffers that can be reached");
                continue;
            }
            // The buffer cannot be raised as far as it would have to be.
            let mut transaction = connection.transaction();
            (0..3).for_each(|_| large(&mut transaction));
            let error = transaction.commit().expect_err("too long");
            assert!(
                matches!(error, Error::SendBuffer { needed, got } if needed > 14 << 20 && got < needed),
                "{error:?}"
            );
            assert!(error.to_string().contains("net.core.wmem_max"), "{error}");
        }
    });
}

#[test]
fn changes_are_told_to_who_listens() {
    isolated("changes_are_told_to_who_listens", || {
        let monitor = Monitor::subscribe(&[NetfilterGroup::NFTABLES]).expect("joined");
        let mut connection = open();
        let mut transaction = connection.transaction();
        table_and_chain(&mut transaction);
        rule(&mut transaction, |rule| rule.accept());
        transaction.commit().expect("carried out");
        let mut told = Vec::new();
        while told.last() != Some(&Nft::NEWGEN.kind) {
            let notice = monitor.receive(soon()).expect("in time");
            told.extend(notice.messages().map(|message| message.expect("a message").header.kind));
        }
        assert_eq!(told, [Nft::NEWTABLE.kind, Nft::NEWCHAIN.kind, Nft::NEWRULE.kind, Nft::NEWGEN.kind]);
    });
}

#[test]
fn a_transaction_needs_no_thread_that_waits() {
    isolated("a_transaction_needs_no_thread_that_waits", || {
        for mut connection in connections() {
            let mut transaction = connection.transaction();
            table_and_chain(&mut transaction);
            while transaction.advance().map(|result| result.expect("carried out")).is_pending() {
                let descriptor = transaction.descriptor().as_raw_fd();
                let mut entry = libc::pollfd { fd: descriptor, events: libc::POLLIN, revents: 0 };
                // SAFETY: the one entry is there for the call.
                assert_eq!(unsafe { libc::poll(&raw mut entry, 1, 20_000) }, 1, "readable in time");
            }
            drop(transaction);
            let mut transaction = connection.transaction();
            transaction.add(Nft::DELTABLE, header(), |table| table.put(Table::NAME, "t")).expect("written");
            transaction.commit().expect("gone");
            // Nothing to do is done at once.
            connection.transaction().commit().expect("nothing");
        }
    });
}

#[test]
fn another_protocol_takes_no_transaction() {
    let mut connection = Connection::open(Protocol::ROUTE).expect("a connection");
    let mut transaction = connection.transaction();
    table_and_chain(&mut transaction);
    let error = transaction.commit().expect_err("the kernel would take it for something else");
    assert!(matches!(error, Error::Configuration { .. }), "{error}");
}

#[cfg(feature = "tokio1")]
#[test]
fn a_transaction_is_awaited() {
    isolated("a_transaction_is_awaited", || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let mut connection = ringlink::tokio::Connection::open(Protocol::NETFILTER).expect("a connection");
            let mut transaction = connection.transaction();
            table_and_chain(&mut transaction);
            rule(&mut transaction, |rule| rule.jump("nowhere"));
            let rejected = rejected(transaction.commit().await);
            assert_eq!(rejected.failures[0].index, 2);
            let mut transaction = connection.transaction();
            table_and_chain(&mut transaction);
            transaction.commit().await.expect("carried out");
        });
        assert_eq!(tables(&mut open()), 1);
    });
}

#[test]
fn expressions_that_old_programs_do_not_know() {
    isolated("expressions_that_old_programs_do_not_know", || {
        type Case = (&'static str, fn(&mut RuleWriter<'_, '_, '_>));
        let cases: [Case; 8] = [
            ("last", |rule| rule.expression("last", Last, |_| {})),
            ("inner", |rule| {
                rule.port(CmpOp::EQ, Port::Destination, 17, 4789..=4789);
                rule.expression("inner", Inner, |inner| {
                    inner.put(Inner::NUM, 0);
                    inner.put(Inner::TYPE, InnerType::VXLAN);
                    inner.put(Inner::FLAGS, InnerFlags::HDRSIZE | InnerFlags::LL | InnerFlags::NH | InnerFlags::TH);
                    inner.put(Inner::HDRSIZE, 8);
                    inner.nest(Inner::EXPR, |expression| {
                        expression.put(Expression::NAME, "payload");
                        expression.choose(Expression::DATA, Payload, |payload| {
                            payload.put(Payload::DREG, Register::REG_1);
                            payload.put(Payload::BASE, PayloadBase::NETWORK_HEADER);
                            payload.put(Payload::OFFSET, 12);
                            payload.put(Payload::LEN, 4);
                        });
                    });
                });
            }),
            ("tunnel", |rule| {
                rule.expression("tunnel", Tunnel, |tunnel| {
                    tunnel.put(Tunnel::KEY, TunnelSubject::ID);
                    tunnel.put(Tunnel::DREG, Register::REG_1);
                    tunnel.put(Tunnel::MODE, TunnelMode::RX);
                });
            }),
            ("match", |rule| {
                rule.expression("match", Match, |comment| {
                    comment.put(Match::NAME, "comment");
                    comment.put(Match::REV, 0);
                    comment.put_chosen::<_, XtComment>(Match::INFO, XtComment { comment: Chars::new("hello") });
                });
            }),
            ("target", |rule| {
                rule.expression("target", Target, |mark| {
                    mark.put(Target::NAME, "MARK");
                    mark.put(Target::REV, 2);
                    mark.put_chosen::<_, XtMarkTarget>(Target::INFO, XtMarkTarget { mark: 1, mask: 3 });
                });
            }),
            ("queue", |rule| {
                rule.expression("queue", Queue, |queue| {
                    queue.put(Queue::NUM, 5);
                    queue.put(Queue::TOTAL, 2);
                    queue.put(Queue::FLAGS, QueueFlags::BYPASS);
                });
            }),
            ("bitwise", |rule| {
                rule.mark(CmpOp::EQ, 1);
                rule.expression("bitwise", Bitwise, |shift| {
                    shift.put(Bitwise::SREG, Register::REG_1);
                    shift.put(Bitwise::DREG, Register::REG_1);
                    shift.put(Bitwise::LEN, 4);
                    shift.put(Bitwise::OP, BitwiseOp::LSHIFT);
                    shift.nest(Bitwise::DATA, |data| data.put(Data::VALUE, &3_u32.to_ne_bytes()));
                });
            }),
            ("flow_offload", |rule| {
                rule.expression("flow_offload", FlowOffload, |flow| flow.put(FlowOffload::TABLE_NAME, "nowhere"));
            }),
        ];
        let mut connection = open();
        for (name, fill) in cases {
            let mut transaction = connection.transaction();
            table_and_chain(&mut transaction);
            rule(&mut transaction, fill);
            match transaction.commit() {
                Ok(()) => {}
                Err(error) if error.is_not_found() || error.is_unsupported() => {
                    println!("absent: {name}: {error}");
                    continue;
                }
                Err(error) => panic!("{name}: {error}"),
            }
            let mut dump = connection.dump(Nft::GETRULE, header(), |_| {}).expect("a dump");
            let mut last = None;
            while let Some(rule) = dump.next().expect("rules") {
                let expressions = RuleView::read(rule).expect("a rule").expressions();
                last = expressions
                    .map(|expression| expression.expect("an expression"))
                    .last()
                    .map(|one| format!("{one:?}"));
            }
            drop(dump);
            let last = last.expect("an expression");
            println!("{last}");
            assert!(last.to_lowercase().starts_with(name), "{name}: {last}");
            let mut transaction = connection.transaction();
            transaction.add(Nft::DELTABLE, header(), |table| table.put(Table::NAME, "t")).expect("written");
            transaction.commit().expect("gone");
        }
    });
}
