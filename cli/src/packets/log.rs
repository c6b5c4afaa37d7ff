//! `log`: packets that rules tell of.

use std::time::Duration;

use ringlink::codec::netfilter::log::PacketView;
use ringlink::engine::Deadline;
use ringlink::packets::{Extent, LogConfig, LoggedPackets, PacketLog};

use super::capture::Capture;
use super::{Told, config, count, range, tell_losses};
use crate::arguments::Words;
use crate::failure::Failure;
use crate::monitor::stamped;
use crate::names::Names;
use crate::output::{Face, Output};
use crate::session::{Session, warn};

/// What `ringlink log help` says.
pub(crate) const HELP: &str = "\
ringlink [-t | -ts] log GROUP [--pcap FILE] [--json] [--count N] [--range BYTES]

Prints the packets that rules tell a group (nft: `log group 5`; iptables: `-j NFLOG --nflog-group 5`), until it is
interrupted. No two programs are told of one group. What was lost is counted on standard error.

  --pcap FILE    write them to a file that tcpdump and wireshark read, and print nothing; - is standard output
  --json         each packet is an object on a line of its own
  --count N      end after so many packets
  --range BYTES  so many bytes of each packet; 0 for none, only what is known of it
";

/// How long packets wait for others in the kernel.
const TIMEOUT: Duration = Duration::from_millis(50);

/// Does what the words behind `log` say, until standard output ends or as many packets came as were asked for.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let group = words.number()?;
    let (mut most, mut extent, mut capture) = (u64::MAX, Extent::Whole, None);
    while let Some(word) = words.next() {
        match word {
            "--json" => session.options.json = true,
            "--count" => most = count(words)?,
            "--range" => extent = range(words)?,
            "--pcap" => capture = Some(words.value("a file")?),
            _ => return Err(words.refuse("--pcap, --json, --count or --range")),
        }
    }
    let settings = LogConfig {
        extent,
        timeout: Some(TIMEOUT),
        buffer: Some(32 * 1024),
        packets: config(session),
        ..LogConfig::default()
    };
    let log = PacketLog::with(group, &settings)?;
    if session.options.stats {
        warn(format_args!("listening; {}", log.reason()));
    }
    session.learn_names()?;
    let output = Output::new(if session.options.json { Face::JsonLines } else { Face::Text });
    let mut sink = match capture {
        Some(name) => Sink::File(Capture::create(name)?),
        None => Sink::Rows(output),
    };
    let (mut came, mut lost) = (0, 0);
    while came < most && !sink.is_broken() {
        let packets = match log.receive(Deadline::after(Duration::ZERO)) {
            // What there is has been taken: now it is time to write.
            Err(error) if error.is_timed_out() => {
                sink.flush()?;
                tell_losses(log.counters().lost, &mut lost);
                log.receive(Deadline::none())?
            }
            other => other?,
        };
        came += sink.take(session, &packets, most - came)?;
    }
    sink.flush()?;
    tell_losses(log.counters().lost, &mut lost);
    Ok(())
}

/// Where packets go.
enum Sink {
    Rows(Output),
    File(Capture),
}

impl Sink {
    /// Takes packets, at most so many; says how many it took.
    fn take(&mut self, session: &Session, packets: &LoggedPackets<'_>, most: u64) -> Result<u64, Failure> {
        let mut taken = 0;
        if let Self::Rows(output) = self {
            stamped(session, output);
        }
        for message in packets.messages() {
            if taken == most {
                break;
            }
            taken += 1;
            match (PacketView::of(message), &mut *self) {
                (Ok(packet), Self::Rows(output)) => output.row(|row| print(row, &session.names, &packet)),
                (Ok(packet), Self::File(capture)) => capture.add(message.payload, packet.received)?,
                (Err(error), _) => warn(format_args!("a packet could not be read whole: {error}")),
            }
        }
        Ok(taken)
    }

    fn is_broken(&self) -> bool {
        matches!(self, Self::Rows(output) if output.is_broken())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        match self {
            Self::Rows(output) => Ok(output.close()?),
            Self::File(capture) => capture.flush(),
        }
    }
}

fn print(row: &mut Output, names: &Names, packet: &PacketView<'_>) {
    row.json("group", packet.group);
    if let Some(sequence) = packet.sequence {
        row.json("seq", sequence);
    }
    let told = Told {
        family: packet.family,
        hook: packet.hook,
        protocol: packet.protocol,
        received: packet.received,
        interfaces: [packet.indev, packet.outdev, packet.physindev, packet.physoutdev],
        mark: packet.mark,
        sender: packet.sender,
        owner: packet.owner,
        vlan: packet.vlan,
        payload: packet.payload,
    };
    told.print(row, names);
    if let Some(prefix) = packet.prefix {
        row.field("prefix", "prefix", prefix);
    }
}
