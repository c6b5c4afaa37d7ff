//! Processes that start, end and change, as the kernel tells of them (the process connector; drivers/connector/cn_proc.c).
//!
//! The kernel tells only the machine's first user and process namespaces, in the ids of these, and only who has
//! `CAP_NET_ADMIN`. Each processor numbers its events, so what was lost is known to a number: [`Processes::lost`].
//!
//! ```no_run
//! use ringlink::codec::connector::Event;
//! use ringlink::engine::Deadline;
//! use ringlink::processes::Processes;
//!
//! let mut processes = Processes::open()?;
//! loop {
//!     if let Event::Exec(exec) = processes.next(Deadline::none())?.event {
//!         println!("process {} runs another program; {} events lost", exec.process_tgid, processes.lost());
//!     }
//! }
//! # #[allow(unreachable_code)]
//! # Ok::<(), ringlink::Error>(())
//! ```

use std::time::Duration;

use ringlink_codec::connector::{self, Event, Notice, Parts, ProcessEvents, Sequences};
use ringlink_codec::multicast::ConnectorGroup;

use crate::connection::Config;
use crate::engine::Deadline;
use crate::error::Error;
use crate::monitor::Monitor;
use crate::socket::Protocol;
use crate::sys;

/// How long the kernel's answer to the request may take. It is queued before the request's sending ends.
const PATIENCE: Duration = Duration::from_secs(2);

/// How many processors' events are counted: as many as any kernel has.
const PROCESSORS: usize = 8192;

/// Listens to what happens to processes. See the [module](self).
#[derive(Debug)]
pub struct Processes {
    monitor: Monitor,
    sequences: Box<Sequences<PROCESSORS>>,
    events: ProcessEvents,
    lost: u64,
}

impl Processes {
    /// Listens to all events.
    ///
    /// # Errors
    ///
    /// As [`with`](Processes::with).
    pub fn open() -> Result<Processes, Error> {
        Processes::with(&Config::default(), ProcessEvents::ALL)
    }

    /// Listens to some events; all are received, so that losses can be counted. Of the configuration, the engine and the
    /// socket's options count.
    ///
    /// # Errors
    ///
    /// Those of [`Monitor::with`]; `EPERM` without `CAP_NET_ADMIN`; [`Error::Configuration`] in another user or process
    /// namespace than the machine's first.
    pub fn with(config: &Config, events: ProcessEvents) -> Result<Processes, Error> {
        let monitor = Monitor::with(Protocol::CONNECTOR, config, &[ConnectorGroup::PROC.0])?;
        let request = sys::unguessable();
        let mut buffer = [0; 64];
        monitor.send(connector::listen(&mut buffer, request, true)?)?;
        let mut processes = Processes { monitor, sequences: Box::default(), events, lost: 0 };
        let deadline = Deadline::after(PATIENCE);
        loop {
            match processes.receive(deadline) {
                Ok(Notice { acknowledges, event: Event::Acknowledged { error }, .. })
                    if acknowledges == Some(request) =>
                {
                    return match error {
                        0 => Ok(processes),
                        errno => Err(Error::System { call: "send", errno: errno.cast_signed() }),
                    };
                }
                Ok(_) => {}
                Err(error) if error.is_timed_out() => {
                    let rule = "the kernel tells of processes in the machine's first user and process namespaces alone";
                    return Err(Error::Configuration { rule });
                }
                // What was lost before all was set up was nobody's.
                Err(error) if error.is_loss() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Waits for the next event.
    ///
    /// # Errors
    ///
    /// [`Error::Overrun`] where events were lost, which [`lost`](Processes::lost) counts once later ones have come;
    /// [`Error::TimedOut`], [`Error::Codec`], and what the engine says. It goes on after each of them.
    pub fn next(&mut self, deadline: Deadline) -> Result<Notice, Error> {
        loop {
            let notice = self.receive(deadline)?;
            // Answers are told to all who listen.
            if notice.acknowledges.is_none() && self.events.contains(notice.what) {
                return Ok(notice);
            }
        }
    }

    /// How many events were lost so far, by the numbers that each processor gives to its own. Only what came after a loss
    /// shows it.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// The monitor, for its socket and counters.
    pub fn monitor(&self) -> &Monitor {
        &self.monitor
    }

    /// Says that nothing needs to be told any more. Kernels before 6.6 go on to make events for nobody where a socket is
    /// closed without that.
    ///
    /// # Errors
    ///
    /// What the engine says.
    pub fn end(self) -> Result<(), Error> {
        self.monitor.send(connector::listen(&mut [0; 64], 0, false)?)
    }

    fn receive(&mut self, deadline: Deadline) -> Result<Notice, Error> {
        loop {
            let datagram = self.monitor.receive(deadline)?;
            let Some(message) = datagram.messages().next().transpose()? else { continue };
            let Some(part) = Parts::of(message).next().transpose()? else { continue };
            let Some(notice) = Notice::of(&part)? else { continue };
            if let Some(cpu) = notice.cpu {
                let lost = self.sequences.see(cpu, notice.sequence).unwrap_or(0);
                self.lost = self.lost.wrapping_add(lost.into());
            }
            return Ok(notice);
        }
    }
}
