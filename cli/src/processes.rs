//! `processes`: prints what happens to processes, as it happens.

use ringlink::codec::connector::{Event, Ids, Notice, ProcessEvents};
use ringlink::engine::Deadline;
use ringlink::processes::Processes;

use crate::arguments::Words;
use crate::failure::Failure;
use crate::monitor::{loss, stamped, told};
use crate::output::{Face, Formatted, Output};
use crate::session::{Session, warn};

/// What `ringlink processes help` says.
pub(crate) const HELP: &str = "\
ringlink [-t | -ts] [--json] processes [EVENT …] [--json]

Prints what happens to processes and their threads, until it is interrupted: the machine's seconds since its start, the event,
the process, and `/` and its thread where that is not the first one. With --json, each event is an object on a line of its own.
Lost events are told on standard error, with their number; a larger --receive-buffer avoids them.

EVENT  fork exec uid gid sid ptrace comm coredump exit

It takes CAP_NET_ADMIN in the machine's first user and process namespaces.
";

/// Does what the words behind `processes` say, until standard output ends.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut events = ProcessEvents::NONE;
    while let Some(word) = words.next() {
        if word == "--json" {
            session.options.json = true;
            continue;
        }
        let event = ProcessEvents::TABLE.value_of(word).and_then(|value| u32::try_from(value).ok()).map(ProcessEvents);
        match event.filter(|event| ProcessEvents::ALL.contains(*event)) {
            Some(event) => events = events | event,
            None => return Err(words.refuse("fork, exec, uid, gid, sid, ptrace, comm, coredump, exit or --json")),
        }
    }
    if events == ProcessEvents::NONE {
        events = ProcessEvents::ALL;
    }
    let mut processes = Processes::with(session.config(), events)?;
    told(session, processes.monitor());
    let mut output = Output::new(if session.options.json { Face::JsonLines } else { Face::Text });
    let mut lost = 0;
    loop {
        match processes.next(Deadline::none()) {
            Ok(notice) => {
                stamped(session, &mut output);
                print(&mut output, &notice);
            }
            Err(error) => loss(error)?,
        }
        if processes.lost() != lost {
            warn(format_args!("{} events of processes were lost", processes.lost() - lost));
            lost = processes.lost();
        }
        output.flush();
        if output.is_broken() {
            return Ok(output.close()?);
        }
    }
}

fn print(output: &mut Output, notice: &Notice) {
    output.row(|row| {
        let (seconds, nanos) = (notice.timestamp_ns / 1_000_000_000, notice.timestamp_ns % 1_000_000_000);
        row.json("timestamp_ns", notice.timestamp_ns);
        row.word(Formatted(format_args!("{seconds}.{nanos:09}")));
        if let Some(cpu) = notice.cpu {
            row.json("cpu", cpu);
        }
        row.json("sequence", notice.sequence);
        let name = notice.what.to_string().to_lowercase();
        row.field("event", "", name.as_str());
        let ids = |row: &mut Output, ids: &Ids, real, effective| {
            thread(row, ["pid", "tid"], ids.process_tgid, ids.process_pid);
            row.field(real, real, ids.r);
            row.field(effective, effective, ids.e);
        };
        match notice.event {
            Event::Fork(fork) => {
                thread(row, ["pid", "tid"], fork.parent_tgid, fork.parent_pid);
                row.word("made");
                thread(row, ["child_pid", "child_tid"], fork.child_tgid, fork.child_pid);
            }
            Event::Exec(exec) => thread(row, ["pid", "tid"], exec.process_tgid, exec.process_pid),
            Event::Uid(change) => ids(row, &change, "ruid", "euid"),
            Event::Gid(change) => ids(row, &change, "rgid", "egid"),
            Event::Sid(session) => thread(row, ["pid", "tid"], session.process_tgid, session.process_pid),
            Event::Ptrace(trace) => {
                thread(row, ["pid", "tid"], trace.process_tgid, trace.process_pid);
                row.word(if trace.tracer_tgid == 0 { "no more by anyone" } else { "by" });
                if trace.tracer_tgid != 0 {
                    thread(row, ["tracer_pid", "tracer_tid"], trace.tracer_tgid, trace.tracer_pid);
                }
            }
            Event::Comm(name) => {
                thread(row, ["pid", "tid"], name.process_tgid, name.process_pid);
                row.field("comm", "", name.comm.text());
            }
            Event::Coredump(coredump) => {
                thread(row, ["pid", "tid"], coredump.process_tgid, coredump.process_pid);
                row.word("of");
                thread(row, ["parent_pid", "parent_tid"], coredump.parent_tgid, coredump.parent_pid);
            }
            Event::Exit(exit) => {
                thread(row, ["pid", "tid"], exit.process_tgid, exit.process_pid);
                // As wait(2) tells it: the signal in the low seven bits, the code in the second byte.
                match exit.exit_code & 0x7f {
                    0 => row.field("code", "code", exit.exit_code >> 8),
                    signal => row.field("signal", "signal", signal),
                }
                row.json("exit_signal", exit.exit_signal.cast_signed());
                row.word("of");
                thread(row, ["parent_pid", "parent_tid"], exit.parent_tgid, exit.parent_pid);
            }
            _ => {}
        }
    });
}

/// A process, and its thread where that is not its first one.
fn thread(row: &mut Output, [process_key, thread_key]: [&'static str; 2], process: i32, thread: i32) {
    row.field(process_key, "", process);
    row.json(thread_key, thread);
    if thread != process {
        row.glue(Formatted(format_args!("/{thread}")));
    }
}
