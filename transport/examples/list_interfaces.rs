//! Lists the interfaces, by the view that has what most programs want.

use ringlink::codec::route::{LinkHeader, LinkView, Rtm};
use ringlink::{Connection, Error, Protocol};

fn main() -> Result<(), Error> {
    let mut connection = Connection::open(Protocol::ROUTE)?;
    let mut links = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?;
    while let Some(link) = links.next()? {
        let link = LinkView::read(link)?;
        println!("{}: {} mtu {} {}", link.header.index, link.name, link.mtu.unwrap_or(0), link.header.flags);
    }
    if !links.end().is_complete() {
        eprintln!("the interfaces changed meanwhile: some may be missing");
    }
    Ok(())
}
