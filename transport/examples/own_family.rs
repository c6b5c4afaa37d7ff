//! A family that the codec does not have, declared here: the queueing disciplines of interfaces, as far as this program
//! wants to know them.

use ringlink::codec::table::Str;
use ringlink::codec::{operations, record, space};
use ringlink::{Connection, Error, Protocol};

record! {
    /// What messages of traffic control begin with (include/uapi/linux/rtnetlink.h).
    pub TrafficHeader, "tcmsg", "tcm_" {
        /// Address family; not used.
        family: u8,
        /// Nothing.
        pad: [u8; 3],
        /// The interface.
        ifindex: i32,
        /// Its own name, as major << 16 | minor.
        handle: u32,
        /// Whose child it is.
        parent: u32,
        /// More, by kind of message.
        info: u32,
    }
}

space! {
    /// Attributes of a queueing discipline (include/uapi/linux/rtnetlink.h).
    pub Traffic, "TCA_" {
        /// Its kind.
        KIND: Str = 1,
    }
}

operations! {
    /// The messages this program needs.
    pub Tc, "RTM_" {
        /// This discipline is there.
        NEWQDISC: new (TrafficHeader, Traffic) = 36,
        /// Tell about disciplines.
        GETQDISC: get (TrafficHeader, Traffic) => NEWQDISC (TrafficHeader, Traffic) = 38,
    }
}

fn main() -> Result<(), Error> {
    let mut connection = Connection::open(Protocol::ROUTE)?;
    let mut disciplines = connection.dump(Tc::GETQDISC, TrafficHeader::default(), |_| {})?;
    while let Some(discipline) = disciplines.next()? {
        let kind = discipline.attributes.get(Traffic::KIND)?.unwrap_or_default();
        println!("interface {}: {kind} {:x}:", discipline.header.ifindex, discipline.header.handle >> 16);
    }
    Ok(())
}
