//! A program that prints every name and value of links: what the tables of a whole family add to a program.

use ringlink::codec::protocol::ROUTE;
use ringlink::codec::route::{LinkHeader, Rtm};
use ringlink::{Connection, Error, Protocol};

fn main() -> Result<(), Error> {
    println!("{} arguments", std::env::args().len());
    let mut connection = Connection::open(Protocol::ROUTE)?;
    let mut links = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?;
    while let Some(link) = links.next_message()? {
        print!("{}", link.tree(&ROUTE));
    }
    Ok(())
}
