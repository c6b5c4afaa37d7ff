//! Prints what happens to interfaces and addresses, for ever or for as many events as the argument says.

use ringlink::codec::protocol::ROUTE;
use ringlink::codec::route::Group;
use ringlink::engine::Deadline;
use ringlink::{Error, Monitor, Protocol};

fn main() -> Result<(), Error> {
    let mut left: u64 = std::env::args().nth(1).and_then(|count| count.parse().ok()).unwrap_or(u64::MAX);
    let groups = [Group::LINK.0, Group::IPV4_IFADDR.0, Group::IPV6_IFADDR.0];
    let monitor = Monitor::open(Protocol::ROUTE, &groups)?;
    while left > 0 {
        match monitor.receive(Deadline::none()) {
            Ok(notice) => {
                for message in notice.messages() {
                    print!("{}", message?.tree(&ROUTE));
                    left = left.saturating_sub(1);
                }
            }
            // What is known has holes now; a program that keeps a table would read it again.
            Err(error) if error.is_loss() => eprintln!("{error}"),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}
