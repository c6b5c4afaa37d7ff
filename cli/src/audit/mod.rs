//! `audit`: the audit subsystem's settings, rules and events, in the words of auditctl(8).

mod rules;
mod syscalls;
mod words;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ringlink::audit::Audit;
use ringlink::codec::audit::{Assembler, Event, FeatureMask, Field, Fields, Record, RecordType, Typed};
use ringlink::codec::multicast::AuditGroup;
use ringlink::engine::Deadline;
use ringlink::{Monitor, Protocol};

use crate::arguments::{Words, keyword};
use crate::failure::Failure;
use crate::monitor::{by_any_engine, loss, stamped, told};
use crate::output::{Face, Formatted, Hex, Output};
use crate::session::{Session, warn};

/// What `ringlink audit help` says.
pub(crate) const HELP: &str = "\
ringlink [--json] audit status
ringlink [--json] audit rules [-k KEY]
ringlink audit rules -a|-A|-d ACTION,LIST [-S CALL[,CALL …]] [-F FIELD OP VALUE] … [-C ID OP ID] … [-k KEY] …
ringlink audit rules -w|-W PATH [-p PERMISSIONS] [-k KEY] …
ringlink audit rules -D [-k KEY]
ringlink [--json] audit watch [--json]

Shows what auditctl -s and -l show, and adds (-a, -A before the others, -w) and deletes (-d, -W, -D all) rules in the words of
auditctl(8). `watch` prints events until it is interrupted, the records of each together; with --json, each event is an object
on a line of its own. It listens beside the daemon and never takes its place.

ACTION  always | never
LIST    exit | task | user | exclude | filesystem | io_uring
FIELD   as in auditctl(8): arch auid uid pid path dir perm exe exit success msgtype a0 … key
OP      = != < > <= >= & &=

Users and groups are numbers, or unset. Names of system calls are those of x86, arm64, RISC-V and LoongArch.
It takes CAP_AUDIT_CONTROL, to watch CAP_AUDIT_READ, in the machine's first user and process namespaces.
";

const EXPECTED: &str = "status, rules or watch";
const OBJECTS: &[&str] = &["status", "rules", "watch"];

/// Open events, and bytes of text of each.
type Events = Assembler<64, 16384>;

/// How long an event that does not end may be open.
const PATIENCE: Duration = Duration::from_secs(2);

/// Does what the words behind `audit` say.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let word = words.value(EXPECTED)?;
    match keyword(word, OBJECTS) {
        Some("status") => status(session, words),
        Some("rules") => rules::run(session, words),
        Some(_) => watch(session, words),
        None => Err(words.refuse(EXPECTED)),
    }
}

/// An output of rows, where `--json` may stand behind the object, too.
fn output(session: &mut Session, words: &mut Words<'_>, face: Face) -> Result<Output, Failure> {
    while let Some(word) = words.next() {
        match word {
            "--json" => session.options.json = true,
            _ => return Err(words.refuse("nothing more, or --json")),
        }
    }
    Ok(Output::new(if session.options.json { face } else { Face::Text }))
}

fn open(session: &Session) -> Result<Audit, Failure> {
    Ok(Audit::with(session.config().clone())?)
}

/// Prints settings and counters.
fn status(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut output = output(session, words, Face::Json)?;
    let mut audit = open(session)?;
    let (status, features) = (audit.status()?, audit.features()?);
    output.row(|row| {
        for (number, (name, value)) in [
            ("enabled", status.enabled),
            ("failure", status.failure.0),
            ("pid", status.pid),
            ("rate_limit", status.rate_limit),
            ("backlog_limit", status.backlog_limit),
            ("lost", status.lost),
            ("backlog", status.backlog),
            ("backlog_wait_time", status.backlog_wait_time),
            ("backlog_wait_time_actual", status.backlog_wait_time_actual),
        ]
        .into_iter()
        .enumerate()
        {
            if number > 0 {
                row.line("");
            }
            row.field(name, name, value);
        }
        row.json("feature_bitmap", Hex(status.feature_bitmap.0.into()));
        let has = |of: FeatureMask, feature| of.contains(feature);
        row.object("features", |object| {
            for (name, feature) in [
                ("only_unset_loginuid", FeatureMask::ONLY_UNSET_LOGINUID),
                ("loginuid_immutable", FeatureMask::LOGINUID_IMMUTABLE),
            ] {
                let (on, locked) = (has(features.features, feature), has(features.lock, feature));
                object.object(name, |state| {
                    state.json("on", on);
                    state.json("locked", locked);
                });
                // As auditctl, which tells of this one alone.
                if feature == FeatureMask::LOGINUID_IMMUTABLE && !object.is_json() {
                    object.line("");
                    object.word(Formatted(format_args!(
                        "{name} {} {}",
                        u8::from(on),
                        if locked { "locked" } else { "unlocked" }
                    )));
                }
            }
        });
    });
    Ok(output.finish()?)
}

/// Prints events until standard output ends.
fn watch(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut output = output(session, words, Face::JsonLines)?;
    let monitor =
        by_any_engine(session.config(), |config| Monitor::with(Protocol::AUDIT, config, &[AuditGroup::READLOG.0]))?;
    told(session, &monitor);
    let mut events = Box::new(Events::new());
    loop {
        match monitor.receive(Deadline::after(PATIENCE)) {
            Ok(notice) => match Record::parse(notice.bytes()) {
                Ok(record) => {
                    if let Some(event) = events.add(&record) {
                        stamped(session, &mut output);
                        print(&mut output, &event);
                    }
                }
                Err(error) => warn(format_args!("a record could not be read: {error}")),
            },
            Err(error) if error.is_timed_out() => {}
            Err(error) => loss(error)?,
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        while let Some(event) = events.flush(now.saturating_sub(PATIENCE).as_secs()) {
            stamped(session, &mut output);
            print(&mut output, &event);
        }
        output.flush();
        if output.is_broken() {
            return Ok(output.close()?);
        }
    }
}

fn print(output: &mut Output, event: &Event<'_>) {
    output.row(|row| {
        row.json("serial", event.id.serial);
        row.json("seconds", event.id.seconds);
        row.json("milliseconds", event.id.milliseconds);
        row.json("complete", event.complete);
        if event.left_out > 0 {
            row.json("records_left_out", event.left_out);
        }
        row.list("records", |list| {
            for (number, record) in event.records().enumerate() {
                if list.is_json() {
                    list.entry(|entry| {
                        entry.json("type", Formatted(format_args!("{}", record.kind)));
                        entry.object("fields", |object| fields(object, record.fields(), record.kind));
                    });
                    continue;
                }
                if number > 0 {
                    list.line("");
                }
                list.word(Formatted(format_args!("type={} msg=audit({}):", record.kind, event.id)));
                list.word(record.text);
            }
        });
        if event.left_out > 0 {
            row.line("");
            row.word(Formatted(format_args!("{} records of {} had no room", event.left_out, event.id)));
        }
    });
}

/// The fields of a record as members; words without a name are left out.
fn fields(object: &mut Output, fields: Fields<'_>, kind: RecordType) {
    for field in fields {
        match field {
            Ok(field) if field.key.as_bytes().is_empty() => {}
            Ok(field) => value(object, &field, kind),
            Err(error) => warn(format_args!("a record could not be read whole: {error}")),
        }
    }
}

fn value(object: &mut Output, field: &Field<'_>, kind: RecordType) {
    match field.typed(kind) {
        Typed::Number(number) => object.member(field.key, number),
        Typed::Hex(number) => object.member(field.key, Hex(number)),
        Typed::Octal(number) => object.member(field.key, Formatted(format_args!("0{number:o}"))),
        Typed::Text(text) => object.member(field.key, Formatted(format_args!("{text}"))),
        Typed::Fields(nested) => object.nested(field.key, |object| fields(object, nested, kind)),
        _ => object.member(field.key, field.value.text()),
    }
}
