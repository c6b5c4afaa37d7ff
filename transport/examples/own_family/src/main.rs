//! Prints what this network namespace has of IOAM6, and what a request to change it is answered.

use netlink::Error;
use netlink::generic::Generic;
use own_family::{Ioam, IoamRequest};

fn main() -> Result<(), Error> {
    let mut generic = Generic::open()?;
    match generic.apply(IoamRequest::DEL_NAMESPACE, |namespace| namespace.put(Ioam::NS_ID, 4711)) {
        Ok(_) => println!("namespace 4711 is gone"),
        Err(error) => println!("{error}"),
    }
    let mut namespaces = match generic.dump(IoamRequest::DUMP_NAMESPACES, |_| {}) {
        Err(error) if error.is_not_found() => {
            println!("this kernel has no IOAM6");
            return Ok(());
        }
        other => other?,
    };
    while let Some(namespace) = namespaces.next()? {
        println!("{:?}", namespace.attributes);
    }
    Ok(())
}
