//! Lists the interfaces of another network namespace, by its name or by a process in it: `other_namespace PID`. The
//! calling thread stays where it is. Needs CAP_SYS_ADMIN.

use ringlink::codec::route::{Link, LinkHeader, Rtm};
use ringlink::{Config, Connection, Error, Namespace, Protocol};

fn main() -> Result<(), Error> {
    let which = std::env::args().nth(1).unwrap_or(std::process::id().to_string());
    let namespace = match which.parse() {
        Ok(pid) => Namespace::pid(pid)?,
        Err(_) => Namespace::name(&which)?,
    };
    let mut connection = Connection::with(Protocol::ROUTE, Config::in_namespace(namespace))?;
    let mut links = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?;
    while let Some(link) = links.next()? {
        println!("{}: {}", link.header.index, link.attributes.get(Link::IFNAME)?.unwrap_or_default());
    }
    Ok(())
}
