//! ringlink's monitor on tokio's current thread.

use ringlink::codec::route::{Group, Rtm};
use ringlink::engine::EngineChoice;
use ringlink::tokio::Monitor;
use ringlink::{Config, Error, Protocol};
use tokio::runtime::Runtime;

use super::own::route;
use super::{Library, Until};
use crate::Outcome;
use crate::object::Tally;

/// ringlink at work, awaited.
struct Awaited {
    runtime: Runtime,
    config: Config,
    monitor: Option<Monitor>,
}

/// The engine by its name: `` for the default, `ring`.
pub fn open(way: &str) -> Outcome<Box<dyn Library>> {
    let engine = match way.trim() {
        "" => EngineChoice::Auto,
        "ring" => EngineChoice::Ring,
        _ => return Err(format!("ringlink on tokio has no way {way}").into()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    Ok(Box::new(Awaited { runtime, config: Config { engine, ..Config::default() }, monitor: None }))
}

impl Library for Awaited {
    fn listen(&mut self) -> Outcome {
        self.monitor = Some(Monitor::with(Protocol::ROUTE, &self.config, &[Group::IPV4_ROUTE.0])?);
        Ok(())
    }

    fn events(&mut self, until: Until) -> Outcome<Tally> {
        let monitor = self.monitor.as_mut().ok_or("the monitor is not open")?;
        self.runtime.block_on(async {
            let mut tally = Tally::default();
            loop {
                let notice = match monitor.receive().await {
                    Err(Error::Overrun { .. }) => continue,
                    other => other?,
                };
                for message in notice.messages() {
                    let message = message?;
                    let body = message.body(Rtm::NEWROUTE).or_else(|_| message.body(Rtm::DELROUTE))?;
                    let protocol = body.header.protocol.0;
                    tally.add(route(body));
                    if until.reached(tally.items, protocol) {
                        return Ok(tally);
                    }
                }
            }
        })
    }
}
