//! What a refusal tells: what it means by predicates, where the request was wrong by names, why in the kernel's words.

use ringlink::codec::route::{Link, LinkHeader, LinkInfo, Rtm};
use ringlink::{Connection, Error, Protocol};

fn main() -> Result<(), Error> {
    let mut connection = Connection::open(Protocol::ROUTE)?;
    match connection.get(Rtm::GETLINK, LinkHeader::default(), |link| link.put(Link::IFNAME, "nonesuch0")) {
        Ok(_) => println!("there is an interface of that name"),
        Err(error) if error.is_not_found() => println!("no such interface: {error}"),
        Err(error) => return Err(error),
    }

    let made = connection.apply(Rtm::NEWLINK.create().exclusive(), LinkHeader::default(), |link| {
        link.nest(Link::LINKINFO, |info| info.put(LinkInfo::KIND, "nonesuch"));
    });
    match made {
        Ok(_) => println!("it was made"),
        Err(error) if error.is_permission() => println!("run this with CAP_NET_ADMIN: {error}"),
        Err(error) if error.is_unsupported() => println!("this kernel has no such kind, load its module: {error}"),
        Err(Error::Refused(refused)) => println!("{}: {} at {}", refused.request, refused.text, refused.path),
        Err(error) => return Err(error),
    }
    Ok(())
}
