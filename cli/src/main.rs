//! `ringlink`: what `ip` does, over the ringlink library.
//!
//! An object (`route`), a verb (`show`) and words in the order `ip` users type them. [`arguments`] reads them,
//! [`session`] holds the connection, [`output`] prints rows as JSON or as text, [`failure`] says what went wrong and
//! gives the exit code. Each object is one module, which says how a row is printed once for both.
//!
//! What is absent: bytes. Messages are read and written by the codec's keys, sent and received by the library.

mod arguments;
mod failure;

mod output;

mod bpf;
mod names;
mod session;

mod address;
mod conntrack;
mod link;
mod neighbour;
mod route;
mod rule;
mod sockets;

mod ipset;
mod nft;
mod xfrm;

mod audit;
mod decode;
mod doctor;
mod genl;
mod monitor;
mod packets;
mod processes;
mod uevents;
mod watch;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::CommandFactory;

use arguments::{Options, Words, keyword};
use failure::Failure;
use session::Session;

/// Objects in the order in which `ip` takes abbreviations: `r` is `route`, `ru` is `rule`.
const OBJECTS: &[&str] = &[
    "address",
    "route",
    "rule",
    "neighbor",
    "neighbour",
    "link",
    "xfrm",
    "ipset",
    "nft",
    "monitor",
    "watch",
    "genl",
    "decode",
    "doctor",
    "sockets",
    "ss",
    "uevents",
    "processes",
    "conntrack",
    "log",
    "queue",
    "audit",
    "help",
];

fn main() -> ExitCode {
    let mut options = match Options::read() {
        Ok(options) => options,
        // Clap's own exit code for usage is 2, which here is the kernel's.
        Err(error) => {
            // Standard output or error that is gone is nothing to tell anyone about.
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    let words = std::mem::take(&mut options.words);
    match run(options, &words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            tell(&failure);
            ExitCode::from(failure.code())
        }
    }
}

fn run(options: Options, line: &[String]) -> Result<(), Failure> {
    let mut words = Words::new(line);
    let Some(word) = words.next() else { return help() };
    let object = keyword(word, OBJECTS);
    match object {
        Some("help") => return help(),
        Some("decode") if words.peek() == Some("help") => return print(decode::HELP),
        Some("decode") => return decode::run(&options, &mut words),
        Some("doctor") if words.peek() == Some("help") => return print(doctor::HELP),
        Some("doctor") => return doctor::run(&options, &mut words),
        None => {
            return Err(
                words.refuse("link, addr, route, neigh, rule, xfrm, nft, ipset, sockets, conntrack, monitor, watch, uevents, processes, audit, log, queue, genl, decode, doctor or help")
            );
        }
        Some(_) => {}
    }
    if words.peek() == Some("help") {
        return print(match object {
            Some("address") => address::HELP,
            Some("route") => route::HELP,
            Some("rule") => rule::HELP,
            Some("link") => link::HELP,
            Some("xfrm") => xfrm::HELP,
            Some("ipset") => ipset::HELP,
            Some("nft") => nft::HELP,
            Some("monitor") => monitor::HELP,
            Some("watch") => watch::HELP,
            Some("genl") => genl::HELP,
            Some("sockets" | "ss") => sockets::HELP,
            Some("uevents") => uevents::HELP,
            Some("processes") => processes::HELP,
            Some("conntrack") => conntrack::HELP,
            Some("log") => packets::log::HELP,
            Some("queue") => packets::queue::HELP,
            Some("audit") => audit::HELP,
            _ => neighbour::HELP,
        });
    }
    let mut session = Session::open(options)?;
    let done = match object {
        Some("address") => address::run(&mut session, &mut words),
        Some("route") => route::run(&mut session, &mut words),
        Some("rule") => rule::run(&mut session, &mut words),
        Some("link") => link::run(&mut session, &mut words),
        Some("xfrm") => xfrm::run(&mut session, line),
        Some("ipset") => ipset::run(&mut session, &mut words),
        Some("nft") => nft::run(&mut session, &mut words),
        Some("monitor") => monitor::run(&mut session, &mut words),
        Some("watch") => watch::run(&mut session, &mut words),
        Some("genl") => genl::run(&mut session, &mut words),
        Some("sockets" | "ss") => sockets::run(&mut session, &mut words),
        Some("uevents") => uevents::run(&mut session, &mut words),
        Some("processes") => processes::run(&mut session, &mut words),
        Some("conntrack") => conntrack::run(&mut session, &mut words),
        Some("log") => packets::log::run(&mut session, &mut words),
        Some("queue") => packets::queue::run(&mut session, &mut words),
        Some("audit") => audit::run(&mut session, &mut words),
        _ => neighbour::run(&mut session, &mut words),
    };
    if done.is_err() && session.output.rows() > 0 {
        // What was printed before the failure stays, as whole JSON. The failure is worth more than one of the output.
        let _ = session.output.finish();
    }
    done
}

fn help() -> Result<(), Failure> {
    print(&Options::command().render_help().to_string())
}

fn print(text: &str) -> Result<(), Failure> {
    Ok(io::stdout().write_all(text.as_bytes())?)
}

/// Says what went wrong, and what to do about it.
fn tell(failure: &Failure) {
    if failure.is_silent() {
        return;
    }
    let mut err = io::stderr().lock();
    // Standard error that is gone is nothing to tell anyone about.
    let _ = writeln!(err, "ringlink: {failure}");
    if let Some(advice) = failure.advice() {
        let _ = writeln!(err, "  {advice}");
    }
}
