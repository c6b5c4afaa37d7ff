//! The codec alone, over a socket of one's own: fixed buffers, no allocation, nothing of the transport. So a program
//! without `std` would do it, with its own system calls in place of the two here.

use ringlink::codec::prelude::*;
use ringlink::codec::route::{Link, LinkHeader, Rtm};
use std::io;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut request = Buffer::<64>::new();
    let mut exchange = Exchange::dump(1, 0);
    exchange.stamp(request.message(Rtm::GETLINK, LinkHeader::default(), |_| {})?);

    // SAFETY: no memory is involved.
    let socket = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
    let bytes = request.as_slice();
    // SAFETY: the pointer is valid for the length. A negative descriptor makes the call fail.
    if unsafe { libc::send(socket, bytes.as_ptr().cast(), bytes.len(), 0) } < 0 {
        return Err(io::Error::last_os_error().into());
    }
    let mut buffer = [0_u8; 32 * 1024];
    // A socket that is not bound learns its port id from the first answer.
    let mut port = None;
    loop {
        // SAFETY: the pointer is valid for the length.
        let length = unsafe { libc::recv(socket, buffer.as_mut_ptr().cast(), buffer.len(), 0) };
        let Ok(length) = usize::try_from(length) else {
            return Err(io::Error::last_os_error().into());
        };
        for message in Messages::new(&buffer[..length]) {
            let message = message?;
            if port.is_none() {
                port = Some(message.header.port);
                exchange = Exchange::dump(1, message.header.port);
            }
            match exchange.accept(message, Origin::KERNEL) {
                Step::Item(item) => {
                    let link = item.answer(Rtm::GETLINK)?;
                    println!("{}: {}", link.header.index, link.attributes.get(Link::IFNAME)?.unwrap_or_default());
                }
                Step::Finished { end, .. } => {
                    println!("complete: {}", end.is_complete());
                    return Ok(());
                }
                Step::Failed(refusal) => return Err(refusal.to_string().into()),
                Step::NotMine | Step::Skip => {}
            }
        }
    }
}
