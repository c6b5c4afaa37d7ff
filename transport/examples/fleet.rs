//! Counts the interfaces and routes of every named network namespace, with one thread and a few system calls.

use ringlink::codec::route::{Family, LinkHeader, RouteHeader, Rtm};
use ringlink::fleet::{Event, FleetConfig};
use ringlink::socket::Socket;
use ringlink::{Error, Fleet, Namespace, Protocol, SocketOptions};

fn main() -> Result<(), Error> {
    let (mut names, mut namespaces) = (vec!["(here)".into()], vec![Namespace::current()?]);
    for name in Namespace::names()? {
        let name = name.to_string_lossy().into_owned();
        // One may have gone meanwhile.
        if let Ok(namespace) = Namespace::name(&name) {
            names.push(name);
            namespaces.push(namespace);
        }
    }
    let mut fleet = Fleet::new(FleetConfig::default())?;
    // Without the right to enter another namespace, nothing but an error comes of those.
    let mut of_socket = Vec::new();
    let sockets = Socket::open_in_each(Protocol::ROUTE, &SocketOptions::default(), &namespaces)?;
    for (name, socket) in names.into_iter().zip(sockets) {
        match socket.and_then(|socket| fleet.add(socket)) {
            Ok(socket) => {
                fleet.dump(socket, Rtm::GETLINK, LinkHeader::default(), |_| {})?;
                let ipv4 = RouteHeader { family: Family::INET, ..RouteHeader::default() };
                fleet.dump(socket, Rtm::GETROUTE, ipv4, |_| {})?;
                of_socket.push((name, [0, 0]));
            }
            Err(error) => eprintln!("{name}: {error}"),
        }
    }
    fleet.run(|ticket, event| {
        let Some((name, counts)) = of_socket.get_mut(ticket.socket) else { return Ok(()) };
        match event {
            Event::Answer(message) => counts[usize::from(message.body(Rtm::NEWROUTE).is_ok())] += 1,
            // A namespace that never had a route has no table to dump.
            Event::Done(Err(error)) if error.is_not_found() => {}
            Event::Done(Err(error)) => eprintln!("{name}: {error}"),
            Event::Done(Ok(end)) if !end.is_complete() => eprintln!("{name}: something may be missing"),
            Event::Done(Ok(_)) => {}
        }
        Ok(())
    })?;
    for (name, [links, routes]) in of_socket {
        println!("{name}: {links} interfaces, {routes} routes");
    }
    println!("{} system calls", fleet.counters().system_calls);
    Ok(())
}
