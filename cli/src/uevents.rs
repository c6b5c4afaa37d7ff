//! `uevents`: prints what happens to devices, as the kernel or udev tells it.

use ringlink::codec::multicast::UeventGroup;
use ringlink::codec::uevent::Uevent;
use ringlink::engine::Deadline;
use ringlink::{Monitor, Protocol};

use crate::arguments::Words;
use crate::failure::Failure;
use crate::monitor::{by_any_engine, loss, stamped, told};
use crate::output::{Face, Output};
use crate::session::{Session, warn};

/// What `ringlink uevents help` says.
pub(crate) const HELP: &str = "\
ringlink [-t | -ts] [--json] uevents [--udev] [--json]

Prints what happens to devices until it is interrupted: what the kernel tells, or with --udev what udev makes of it, and below
each event its properties. With --json, each event is an object on a line of its own.

What others than the kernel (with --udev: than user 0) send is not printed, but counted on standard error.
";

/// Does what the words behind `uevents` say, until standard output ends.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut udev = false;
    while let Some(word) = words.next() {
        match word {
            "--udev" | "udev" => udev = true,
            "--json" => session.options.json = true,
            _ => return Err(words.refuse("--udev or --json")),
        }
    }
    let monitor = by_any_engine(session.config(), |config| match udev {
        true => Monitor::of_udev(config),
        false => Monitor::with(Protocol::KOBJECT_UEVENT, config, &[UeventGroup::KERNEL.0]),
    })?;
    told(session, &monitor);
    let mut output = Output::new(if session.options.json { Face::JsonLines } else { Face::Text });
    let mut foreign = 0;
    loop {
        match monitor.receive(Deadline::none()) {
            Ok(notice) => {
                let bytes = notice.bytes();
                match if udev { Uevent::from_udev(bytes) } else { Uevent::from_kernel(bytes) } {
                    Ok(event) => {
                        stamped(session, &mut output);
                        output.row(|row| print(row, &event));
                    }
                    Err(error) => unreadable(error),
                }
            }
            Err(error) => loss(error)?,
        }
        if monitor.foreign() != foreign {
            warn(format_args!("{} events of somebody else were refused", monitor.foreign() - foreign));
            foreign = monitor.foreign();
        }
        output.flush();
        if output.is_broken() {
            return Ok(output.close()?);
        }
    }
}

/// Prints an event: in text a line, and one for each property.
pub(crate) fn print(row: &mut Output, event: &Uevent<'_>) {
    row.field("action", "", event.action);
    row.field("devpath", "", event.devpath);
    row.object("properties", |list| {
        for property in event.properties {
            match property {
                // The line above says both.
                Ok((name, _)) if !list.is_json() && (name == "ACTION" || name == "DEVPATH") => {}
                Ok((name, value)) => {
                    list.line("    ");
                    list.member(name, value);
                }
                Err(error) => unreadable(error),
            }
        }
    });
}

fn unreadable(error: ringlink::codec::Error) {
    warn(format_args!("an event could not be read whole: {error}"));
}
