//! `doctor`: what this kernel has and this process may, what a lack costs, and what to do about it.

mod facts;
mod system;

use ringlink::codec::generic::FAMILIES;
use ringlink::codec::protocol::Protocol as Tables;
use ringlink::engine::Sizes;
use ringlink::error::Error;
use ringlink::generic::Generic;
use ringlink::probe::{self, SocketKind};
use ringlink::socket::SocketOption;
use ringlink::{Config, codec};

use crate::arguments::{Options, Words};
use crate::failure::Failure;
use crate::output::{Face, Output};
use crate::session;

/// What `ringlink doctor help` says.
pub(crate) const HELP: &str = "\
ringlink [--json] [--netns NAME] doctor [--all]

Says what this kernel has of netlink and of io_uring, what this process may do and which limits bite; of what is missing, what
that costs and what to do about it. It asks and changes nothing, needs no rights, and takes some milliseconds. A kernel with
loadable modules loads those that the questions are about, as their first use would: without them it could not answer.

Without --all, what is there is told in one line for each area; with --json everything is told, one object a line:
area, name, state (found, missing, unknown), detail, and for what is not found, cost and advice.
";

/// Whether something is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Found,
    Missing,
    /// It may not be asked, or cannot be.
    Unknown,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Found => "found",
            Self::Missing => "missing",
            Self::Unknown => "unknown",
        }
    }
}

/// What is said about one thing.
#[derive(Debug)]
struct Finding {
    area: &'static str,
    name: String,
    state: State,
    detail: String,
    /// What it costs that it is not there, and what to do.
    remedy: Option<(String, String)>,
}

impl Finding {
    fn found(area: &'static str, name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { area, name: name.into(), state: State::Found, detail: detail.into(), remedy: None }
    }

    fn not(
        state: State,
        area: &'static str,
        name: impl Into<String>,
        detail: impl Into<String>,
        cost: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        let remedy = Some((cost.into(), advice.into()));
        Self { area, name: name.into(), state, detail: detail.into(), remedy }
    }

    /// Found or missing by a flag.
    fn either(there: bool, area: &'static str, name: &str, detail: &str, (cost, advice): (&str, &str)) -> Self {
        match there {
            true => Self::found(area, name, detail),
            false => Self::not(State::Missing, area, name, detail, cost, advice),
        }
    }
}

/// Does what the words behind `doctor` say.
pub(crate) fn run(options: &Options, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut all = options.json;
    while let Some(word) = words.next() {
        match word {
            "--all" | "all" => all = true,
            _ => return Err(words.refuse("--all or help")),
        }
    }
    let config = session::config(options)?;
    let mut output = Output::new(if options.json { Face::JsonLines } else { Face::Text });
    // One area after the other, so that a question without an answer is seen to be one.
    let areas: [fn(&Config) -> Vec<Finding>; 8] =
        [system::kernel, protocols, generic, netfilter, sockets, rings, system::rights, limits];
    for area in areas {
        print(&mut output, &area(&config), all);
        output.flush();
    }
    Ok(output.close()?)
}

/// Prints an area: what is there in one line, unless all is wanted.
fn print(output: &mut Output, findings: &[Finding], all: bool) {
    let json = output.is_json();
    let Some(first) = findings.first().filter(|_| !json) else {
        return findings.iter().for_each(|finding| object(output, finding));
    };
    output.verbatim(format_args!("{}\n", first.area));
    if !all {
        let found: Vec<String> = findings.iter().filter(|finding| finding.state == State::Found).map(short).collect();
        if !found.is_empty() {
            output.verbatim(format_args!("  found    {}\n", found.join(", ")));
        }
    }
    for finding in findings.iter().filter(|finding| all || finding.state != State::Found) {
        let between = if finding.detail.is_empty() { "" } else { ": " };
        output.verbatim(format_args!("  {:8} {}{between}{}\n", finding.state.word(), finding.name, finding.detail));
        if let Some((cost, advice)) = &finding.remedy {
            output.verbatim(format_args!("           {cost}\n"));
            if !advice.is_empty() {
                output.verbatim(format_args!("           -> {advice}\n"));
            }
        }
    }
}

fn short(finding: &Finding) -> String {
    match finding.area {
        // Values say more than names.
        "kernel" | "limits" | "io_uring" if !finding.detail.is_empty() => {
            format!("{} ({})", finding.name, finding.detail)
        }
        _ => finding.name.clone(),
    }
}

fn object(output: &mut Output, finding: &Finding) {
    output.row(|row| {
        row.json("area", finding.area);
        row.json("name", finding.name.as_str());
        row.json("state", finding.state.word());
        row.json("detail", finding.detail.as_str());
        if let Some((cost, advice)) = &finding.remedy {
            row.json("cost", cost.as_str());
            row.json("advice", advice.as_str());
        }
    });
}

fn protocols(config: &Config) -> Vec<Finding> {
    const AREA: &str = "protocols";
    let findings = probe::protocols(config).into_iter().filter_map(|(protocol, opened)| {
        let name = match protocol.name() {
            Some(name) => format!("{name} ({})", protocol.0),
            // Numbers that never were a protocol are no lack.
            None if opened.is_err() => return None,
            None => protocol.0.to_string(),
        };
        let (what, source) = facts::protocol(protocol);
        Some(match opened {
            Ok(()) if Tables::numbered(protocol.0).is_some() => Finding::found(AREA, name, what),
            Ok(()) => Finding::found(AREA, name, format!("{what}; without tables here, messages are shown as bytes")),
            Err(Error::NoProtocol { .. }) => match protocol.successor() {
                Some(successor) => {
                    let cost = format!("it left the kernel; in its place: {successor}");
                    Finding::not(State::Missing, AREA, name, what, cost, "")
                }
                None => {
                    Finding::not(State::Missing, AREA, name, what, "none of it can be asked or heard", source.advice())
                }
            },
            Err(error) => {
                let advice = "a sandbox may forbid it: allow AF_NETLINK in its filter of system calls";
                Finding::not(State::Unknown, AREA, name, error.to_string(), "none of it can be asked here", advice)
            }
        })
    });
    findings.collect()
}

fn generic(config: &Config) -> Vec<Finding> {
    const AREA: &str = "generic families";
    let families = Generic::with(Config { deadline: Some(system::PATIENCE), ..config.clone() })
        .and_then(|mut generic| generic.families());
    let families = match families {
        Ok(families) => families,
        Err(error) => return vec![unasked(AREA, &error)],
    };
    let known = |name: &str| FAMILIES.iter().any(|family| family.name == name);
    let there = families.iter().map(|family| {
        let tables = if known(&family.name) { "" } else { ", without tables here" };
        Finding::found(AREA, &family.name, format!("number {}{tables}", family.id))
    });
    let absent = FAMILIES.iter().filter(|family| !families.iter().any(|other| other.name == family.name));
    let absent = absent.map(|family| {
        let (what, advice) = facts::family(family.name);
        Finding::not(State::Missing, AREA, family.name, what, "it cannot be asked or changed", advice)
    });
    there.chain(absent).collect()
}

fn netfilter(config: &Config) -> Vec<Finding> {
    const AREA: &str = "netfilter";
    let findings = probe::netfilter(config).into_iter().map(|(subsystem, answer)| {
        let (what, module) = facts::subsystem(subsystem);
        let name = codec::netfilter::Subsystem::TABLE.name_of(subsystem.0.into()).unwrap_or("unknown");
        match answer {
            Some(Ok(())) => Finding::found(AREA, name, what),
            None => {
                let cost = "perhaps it is there: nothing harmless can be asked of it";
                Finding::not(State::Unknown, AREA, name, what, cost, "")
            }
            Some(Err(error)) if error.is_permission() => {
                let advice = "ask with CAP_NET_ADMIN, or in a namespace of your own (`unshare -Urn`)";
                Finding::not(State::Unknown, AREA, name, what, "it cannot be asked whether it is there", advice)
            }
            Some(Err(error)) if error.refused().is_some() => {
                let cost = "it cannot be asked or changed";
                Finding::not(State::Missing, AREA, name, what, cost, system::module(module))
            }
            Some(Err(error)) => unknown(AREA, name, &error),
        }
    });
    findings.collect()
}

fn sockets(config: &Config) -> Vec<Finding> {
    const AREA: &str = "sock_diag";
    let findings = probe::sockets(config).into_iter().map(|(kind, answer)| {
        let (name, module) = match kind {
            SocketKind::Family(number) => facts::address_family(number),
            SocketKind::Inet(number) => facts::inet_protocol(number),
            _ => ("?", "?"),
        };
        match answer {
            Ok(()) => Finding::found(AREA, name, ""),
            Err(error) if error.is_not_found() => {
                let cost = "such sockets are not told of";
                Finding::not(State::Missing, AREA, name, "", cost, system::module(module))
            }
            Err(error) => unknown(AREA, name, &error),
        }
    });
    findings.collect()
}

fn rings(_: &Config) -> Vec<Finding> {
    const AREA: &str = "io_uring";
    let support = probe::ring();
    let slow = "long dumps and bursts of events take more system calls; nothing is lost";
    let mut findings = Vec::new();
    match &support.usable {
        Ok(()) => {
            findings.push(Finding::found(AREA, "ring", "set up, with a ring of buffers and waits with a time limit"))
        }
        Err(error) => {
            let advice = system::why_no_ring(error);
            findings.push(Finding::not(State::Missing, AREA, "ring", error.to_string(), slow, advice));
        }
    }
    match support.multishot {
        Some(true) => findings.push(Finding::found(AREA, "multishot receive", "tried")),
        Some(false) => {
            let detail = "the kernel takes the flag and receives once";
            let cost = "a ring receives correctly, and is armed anew for each datagram";
            findings.push(Finding::not(State::Missing, AREA, "multishot receive", detail, cost, "Linux 6.0 has it"));
        }
        None => {
            let cost = "without a ring it cannot be tried";
            findings.push(Finding::not(State::Unknown, AREA, "multishot receive", "", cost, ""));
        }
    }
    let ways = [
        (support.cooperative, "COOP_TASKRUN", "a ring interrupts its thread for each datagram", "Linux 5.19 has it"),
        (support.single_issuer, "SINGLE_ISSUER", "fleets of sockets are a little slower", "Linux 6.0 has it"),
        (support.deferred, "DEFER_TASKRUN", "fleets of sockets are a little slower", "Linux 6.1 has it"),
    ];
    findings.extend(ways.map(|(there, name, cost, advice)| Finding::either(there, AREA, name, "", (cost, advice))));
    let threshold = Sizes::default().threshold;
    let detail = match &support.usable {
        Ok(()) => format!("system calls, and from a dump's {}th datagram on a ring", threshold + 1),
        Err(_) => "system calls for everything: no ring can be made".to_owned(),
    };
    findings.push(Finding::found(AREA, "engine `auto`", detail));
    findings.extend(system::ring_limits());
    findings
}

fn limits(config: &Config) -> Vec<Finding> {
    const AREA: &str = "limits";
    /// A receive buffer for large bursts.
    const WISH: usize = 8 << 20;
    /// What the kernel puts into a dump's datagram at the most.
    const DATAGRAM: usize = 32 * 1024;
    let mut findings = Vec::new();
    match probe::options(config) {
        Ok(options) => findings.extend(options.into_iter().map(|(option, taken)| {
            let (name, remedy) = facts::option(option);
            let detail = match (option, taken) {
                (SocketOption::StrictCheck, true) => "dumps are checked and filtered by the kernel",
                (SocketOption::ExtAck, true) => "refusals say what is wrong, and where",
                _ => "",
            };
            Finding::either(taken, AREA, name, detail, remedy)
        })),
        Err(error) => findings.push(unasked(AREA, &error)),
    }
    match probe::receive_buffer(config, WISH) {
        Ok(buffer) => {
            let detail = format!("{} bytes", buffer.default);
            findings.push(match buffer.default >= 2 * DATAGRAM {
                true => Finding::found(AREA, "receive buffer", detail),
                false => Finding::not(
                    State::Missing,
                    AREA,
                    "receive buffer",
                    format!("{detail}, less than two datagrams of {DATAGRAM}"),
                    "dumps and events are lost more often",
                    "raise net.core.rmem_default, or ask with --receive-buffer",
                ),
            });
            let detail = format!("{} bytes asked, {} given", buffer.asked, buffer.given);
            findings.push(match buffer.given >= buffer.asked {
                true => Finding::found(AREA, "larger receive buffer", detail),
                false => Finding::not(
                    State::Missing,
                    AREA,
                    "larger receive buffer",
                    detail,
                    "large bursts of events are lost; the loss is told, and --resync reads anew",
                    "raise net.core.rmem_max, or give CAP_NET_ADMIN, with which the limit does not count",
                ),
            });
        }
        Err(error) => findings.push(unasked(AREA, &error)),
    }
    findings.extend(system::sysctls());
    findings
}

/// What cannot be asked at all.
fn unasked(area: &'static str, error: &Error) -> Finding {
    unknown(area, "all of it", error)
}

fn unknown(area: &'static str, name: &str, error: &Error) -> Finding {
    Finding::not(State::Unknown, area, name, error.to_string(), "it is not known whether it is there", "")
}
