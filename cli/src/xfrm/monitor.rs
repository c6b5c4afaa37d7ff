//! `xfrm monitor`: prints what changes and what the kernel wants, as it happens.

use ringlink::Monitor;
use ringlink::codec::multicast::{Multicast, XfrmGroup};
use ringlink::codec::protocol::XFRM;
use ringlink::codec::wire::{Message, MessageType};
use ringlink::codec::xfrm::{EventFlags, Family, PolicyView, Protocol as Proto, StateId, StateView, Xfrm, Xfrma};
use ringlink::engine::Deadline;
use ringlink::socket::Protocol;

use super::policy::print_default;
use super::print::{self, Named, Numbered, Shown, View};
use super::words::PROTOS;
use crate::arguments::{Words, keyword};
use crate::failure::Failure;
use crate::output::{Face, Formatted, Hex, Output};
use crate::session::{Session, warn};

/// What can be listened to, and the groups that tell of it.
const SUBJECTS: &[(&str, XfrmGroup)] = &[
    ("acquire", XfrmGroup::ACQUIRE),
    ("expire", XfrmGroup::EXPIRE),
    ("SA", XfrmGroup::SA),
    ("aevent", XfrmGroup::AEVENTS),
    ("policy", XfrmGroup::POLICY),
    ("report", XfrmGroup::REPORT),
    ("migrate", XfrmGroup::MIGRATE),
    ("mapping", XfrmGroup::MAPPING),
];

/// Listens until standard output or the connection ends.
pub(super) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let names: Vec<&str> = ["all", "nokeys"].into_iter().chain(SUBJECTS.iter().map(|(name, _)| *name)).collect();
    let mut groups = Vec::new();
    while let Some(word) = words.next() {
        match keyword(word, &names) {
            Some("all") => groups.extend(SUBJECTS.iter().map(|(_, group)| *group)),
            // They are hidden anyway.
            Some("nokeys") => {}
            Some(name) => groups.extend(SUBJECTS.iter().filter(|(known, _)| *known == name).map(|(_, group)| *group)),
            None => return Err(words.refuse("all, acquire, expire, SA, aevent, policy, report, migrate or mapping")),
        }
    }
    if groups.is_empty() {
        groups.extend(SUBJECTS.iter().map(|(_, group)| *group));
    }
    let numbers: Vec<u32> = groups.iter().map(|group| group.number()).collect();
    let monitor = Monitor::with(Protocol::XFRM, session.config(), &numbers)?;
    session.output = Output::new(if session.options.json { Face::JsonLines } else { Face::Text });
    session.learn_names()?;
    let view = View::of(&session.options);
    if session.options.stats {
        warn(format_args!("listening; {}", monitor.reason()));
    }
    loop {
        match monitor.receive(Deadline::none()) {
            Ok(notice) => {
                for message in notice.messages() {
                    let printed = message.map_err(Failure::from).and_then(|message| print(session, view, message));
                    if let Err(failure) = printed {
                        warn(format_args!("an event could not be read whole: {failure}"));
                    }
                }
            }
            Err(error) if error.is_loss() => warn(format_args!("{error}; what is printed has a gap")),
            Err(error) => return Err(error.into()),
        }
        session.output.flush();
        if session.output.is_broken() {
            return Ok(session.output.close()?);
        }
    }
}

/// Prints a message.
fn print(session: &mut Session, view: View, message: Message<'_>) -> Result<(), Failure> {
    let Session { names, output, options, .. } = session;
    let is = |kind: MessageType| message.header.kind == kind;
    let word = match message.header.kind {
        kind if kind == Xfrm::DELSA.kind || kind == Xfrm::DELPOLICY.kind => Some(("deleted", "Deleted")),
        kind if kind == Xfrm::UPDSA.kind || kind == Xfrm::UPDPOLICY.kind => Some(("updated", "Updated")),
        kind if kind == Xfrm::EXPIRE.kind || kind == Xfrm::POLEXPIRE.kind => Some(("expired", "Expired")),
        _ => None,
    };
    if [Xfrm::NEWSA.kind, Xfrm::UPDSA.kind, Xfrm::DELSA.kind, Xfrm::EXPIRE.kind].into_iter().any(is) {
        let state = StateView::of(message)?;
        output.row(|row| {
            row.json("event", "state");
            print::state(row, names, view, &state, word)
        })?;
    } else if [Xfrm::NEWPOLICY.kind, Xfrm::UPDPOLICY.kind, Xfrm::DELPOLICY.kind, Xfrm::POLEXPIRE.kind]
        .into_iter()
        .any(is)
    {
        let policy = PolicyView::of(message)?;
        output.row(|row| {
            row.json("event", "policy");
            print::policy(row, names, view, &policy, word)
        })?;
    } else if let Ok(body) = message.body(Xfrm::ACQUIRE) {
        let (header, policy) = (body.header, PolicyView::of(message)?);
        output.row(|row| {
            row.json("event", "acquire");
            row.word("acquire");
            row.field("proto", "proto", Named(header.id.proto, header.id.proto.0.into(), PROTOS));
            let spi = header.id.spi.get();
            if spi != 0 || view.all {
                row.field("spi", "spi", Formatted(format_args!("0x{spi:08x}")));
                if view.all {
                    row.glue(Formatted(format_args!("({spi})")));
                }
            }
            let family = some(header.sel.family, header.policy.sel.family);
            row.json("src", Shown(header.saddr, family));
            row.json("dst", Shown(header.id.daddr, family));
            row.line("  ");
            row.object("sel", |row| {
                row.word("sel");
                print::selector(row, names, view, &header.sel, family);
            });
            row.line("  ");
            let printed = row.object("policy", |row| {
                row.word("policy");
                print::policy(row, names, view.inside(), &policy, None)
            });
            row.line("");
            row.json("seq", header.seq);
            if view.all {
                row.word(Formatted(format_args!(
                    "  seq 0x{:08} enc-mask {:08x} auth-mask {:08x} comp-mask {:08x}",
                    header.seq, header.ealgos, header.aalgos, header.calgos
                )));
            }
            printed
        })?;
    } else if let Ok(body) = message.body(Xfrm::FLUSHSA) {
        let Proto(number) = body.header.proto;
        output.row(|row| {
            row.json("event", "flush_state");
            row.word("Flushed state");
            row.field("proto", "proto", Named(body.header.proto, number.into(), PROTOS));
        });
    } else if let Ok(body) = message.body(Xfrm::FLUSHPOLICY) {
        let kind = body.attributes.get(Xfrma::POLICY_TYPE)?;
        output.row(|row| {
            row.json("event", "flush_policy");
            row.word("Flushed policy");
            if let Some(kind) = kind {
                row.field("ptype", "ptype", Named(kind.kind, kind.kind.0.into(), print::KINDS));
            }
        });
    } else if let Ok(body) = message.body(Xfrm::REPORT) {
        output.row(|row| {
            row.json("event", "report");
            row.word("report");
            row.field("proto", "proto", Named(body.header.proto, body.header.proto.0.into(), PROTOS));
            row.line("  ");
            row.object("sel", |row| {
                row.word("sel");
                print::selector(row, names, view, &body.header.sel, Family::UNSPEC);
            });
        });
    } else if let Ok(body) = message.body(Xfrm::NEWAE) {
        let header = body.header;
        output.row(|row| {
            row.json("event", "aevent");
            row.word("Async event");
            row.json("flags", Hex(header.flags.0.into()));
            row.word(Formatted(format_args!("({:#x})", header.flags.0)));
            for (flag, key, words) in [
                (EventFlags::CR, "replay_update", "replay update"),
                (EventFlags::CE, "timer_expired", "timer expired"),
                (EventFlags::CU, "policy_updated", "policy updated"),
            ] {
                if header.flags.contains(flag) {
                    row.yes(key, words);
                }
            }
            row.line("\t");
            row.field("src", "src", Shown(header.saddr, header.sa_id.family));
            print_id(row, &header.sa_id, header.reqid);
        });
    } else if let Ok(body) = message.body(Xfrm::MAPPING) {
        let header = body.header;
        let family = header.id.family;
        output.row(|row| {
            row.json("event", "mapping");
            row.json("old_src", Shown(header.old_saddr, family));
            row.json("old_sport", header.old_sport.get());
            row.json("new_src", Shown(header.new_saddr, family));
            row.json("new_sport", header.new_sport.get());
            row.word(Formatted(format_args!(
                "Mapping change {}:{} -> {}:{}",
                Shown(header.old_saddr, family),
                header.old_sport.get(),
                Shown(header.new_saddr, family),
                header.new_sport.get()
            )));
            row.line("\t");
            print_id(row, &header.id, header.reqid);
        });
    } else if let Ok(body) = message.body(Xfrm::GETDEFAULT) {
        output.row(|row| {
            row.json("event", "default");
            print_default(row, body.header);
        });
    } else if options.json {
        output.verbatim(format_args!("{}\n", message.json(&XFRM)));
    } else {
        output.verbatim(format_args!("{}", message.tree(&XFRM)));
    }
    Ok(())
}

/// The first family that is one.
fn some(one: Family, other: Family) -> Family {
    if one == Family::UNSPEC { other } else { one }
}

/// What names a state, as `ip xfrm monitor` has it.
fn print_id(row: &mut Output, id: &StateId, reqid: u32) {
    row.field("dst", "dst", Shown(id.daddr, id.family));
    row.field("reqid", "reqid", Hex(reqid.into()));
    row.field("proto", "protocol", Numbered(id.proto.0));
    row.field("spi", "SPI", Hex(id.spi.get().into()));
}
