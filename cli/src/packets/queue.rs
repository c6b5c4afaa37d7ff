//! `queue`: packets that rules hand over for a verdict, and the same verdict for all.

use std::time::{Duration, Instant};

use ringlink::Error;
use ringlink::codec::netfilter::queue::{ConfigFlags, PacketView, Verdict};
use ringlink::engine::Deadline;
use ringlink::packets::{PacketQueue, QueueConfig};

use super::{Told, config, count, range, tell_losses};
use crate::arguments::{Words, number};
use crate::failure::Failure;
use crate::monitor::stamped;
use crate::names::Names;
use crate::output::{Face, Output};
use crate::session::{Session, warn};

/// What `ringlink queue help` says.
pub(crate) const HELP: &str = "\
ringlink [-t | -ts] queue NUMBER --verdict VERDICT[,VERDICT] [--json] [--count N] [--range BYTES] [--length N]
         [--fail-open] [--gso] [--quiet]

Gives the packets that rules hand over to a queue (nft: `queue num 5`; iptables: `-j NFQUEUE --queue-num 5`) a verdict, and
prints them, until it is interrupted. No two programs have one queue. What was lost is counted on standard error.

VERDICT          accept | drop | repeat | queue=NUMBER | mark=MARK
                 mark=0x17 is accepted with that mark; repeat,mark=0x17 goes through the chain once more with it. Without
                 a mark that the rules look at, a repeated packet comes again and again.
  --json         each packet is an object on a line of its own
  --count N      end after so many packets; what waits then is dropped by the kernel
  --range BYTES  so many bytes of each packet; 0 for none, only what is known of it
  --length N     so many packets may wait
  --fail-open    what comes beyond that goes on instead of being dropped
  --gso          packets come before they are cut into segments
  --quiet        print nothing
";

/// How often the kernel's table of queues is looked at while packets come.
const SELDOM: Duration = Duration::from_secs(1);

const VERDICTS: &str = "accept, drop, repeat, queue=NUMBER or mark=MARK, joined by commas";

/// Does what the words behind `queue` say, until standard output ends or as many packets came as were asked for.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let queue_number = words.number()?;
    let mut settings = QueueConfig { packets: config(session), ..QueueConfig::default() };
    let (mut decision, mut most, mut quiet) = (None, u64::MAX, false);
    while let Some(word) = words.next() {
        match word {
            "--verdict" => decision = Some(words.parse(VERDICTS, decide)?),
            "--json" => session.options.json = true,
            "--count" => most = count(words)?,
            "--range" => settings.extent = range(words)?,
            "--length" => settings.length = words.number()?,
            "--fail-open" => settings.flags = settings.flags | ConfigFlags::FAIL_OPEN,
            "--gso" => settings.flags = settings.flags | ConfigFlags::GSO,
            "--quiet" => quiet = true,
            _ => {
                return Err(
                    words.refuse("--verdict, --json, --count, --range, --length, --fail-open, --gso or --quiet")
                );
            }
        }
    }
    let Some((verdict, mark)) = decision else {
        return Err(words.refuse_end(&format!("--verdict with {VERDICTS}")));
    };
    let queue = PacketQueue::with(queue_number, &settings)?;
    if session.options.stats {
        warn(format_args!("listening; {}", queue.reason()));
    }
    session.learn_names()?;
    let mut output = Output::new(if session.options.json { Face::JsonLines } else { Face::Text });
    let (mut came, mut lost, mut looked) = (0, 0, None::<Instant>);
    while came < most && !output.is_broken() {
        let mut next = queue.receive(Deadline::after(Duration::ZERO));
        if next.as_ref().is_err_and(Error::is_timed_out) {
            // What there is has been taken: now it is time to write.
            output.flush();
            let deadline = if looked.is_some_and(|looked| looked.elapsed() < SELDOM) {
                Deadline::after(SELDOM)
            } else {
                looked = Some(Instant::now());
                tell_losses(losses(&queue), &mut lost);
                Deadline::none()
            };
            next = queue.receive(deadline);
        }
        let packet = match next {
            Err(error) if error.is_timed_out() => continue,
            other => other?,
        };
        came += 1;
        match mark {
            Some(mark) => queue.verdict_marked(packet.id(), verdict, mark)?,
            None => queue.verdict(packet.id(), verdict)?,
        }
        if quiet {
            continue;
        }
        match packet.view() {
            Ok(view) => {
                stamped(session, &mut output);
                output.row(|row| print(row, &session.names, &view));
            }
            Err(error) => warn(format_args!("a packet could not be read whole: {error}")),
        }
    }
    queue.flush()?;
    tell_losses(losses(&queue), &mut lost);
    Ok(output.close()?)
}

/// How many packets were dropped without a verdict: those that did not come, and those for which the queue was full.
fn losses(queue: &PacketQueue) -> u64 {
    let lost = queue.counters().lost;
    queue.state().map_or(lost, |state| lost.max(state.user_dropped) + state.dropped)
}

/// A verdict and a mark.
fn decide(word: &str) -> Option<(Verdict, Option<u32>)> {
    let (mut verdict, mut mark) = (None, None);
    for part in word.split(',') {
        let found = match part.split_once('=') {
            None => match part {
                "accept" => Verdict::ACCEPT,
                "drop" => Verdict::DROP,
                "repeat" => Verdict::REPEAT,
                _ => return None,
            },
            Some(("queue", queue)) => Verdict::queue(number(queue)?),
            Some(("mark", text)) if mark.is_none() => {
                mark = Some(number(text)?);
                continue;
            }
            Some(_) => return None,
        };
        if verdict.replace(found).is_some() {
            return None;
        }
    }
    Some((verdict.unwrap_or(Verdict::ACCEPT), mark))
}

fn print(row: &mut Output, names: &Names, packet: &PacketView<'_>) {
    row.json("queue", packet.queue);
    row.field("id", "", packet.id);
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
    if let Some(length) = packet.length {
        row.field("whole_length", "of", length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verdicts_and_marks() {
        assert_eq!(decide("accept"), Some((Verdict::ACCEPT, None)));
        assert_eq!(decide("mark=0x17"), Some((Verdict::ACCEPT, Some(0x17))));
        assert_eq!(decide("repeat,mark=1"), Some((Verdict::REPEAT, Some(1))));
        assert_eq!(decide("queue=7"), Some((Verdict(0x0007_0003), None)));
        for wrong in ["", "accept,drop", "mark=1,mark=2", "mark=", "queue=65536", "accepted", "drop,"] {
            assert_eq!(decide(wrong), None, "{wrong}");
        }
    }
}
