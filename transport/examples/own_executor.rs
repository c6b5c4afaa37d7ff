//! A runtime that this library does not know: requests as futures, on an executor and a reactor of a few lines. `Ready` is all
//! that another runtime needs, with its own way to wait for a descriptor (smol's is `async_io::Async`).

use std::cell::RefCell;
use std::future::{Future, poll_fn};
use std::os::fd::{AsRawFd, RawFd};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use ringlink::codec::route::{AddressHeader, Link, LinkHeader, Rtm};
use ringlink::connection::steps::Advance;
use ringlink::{Connection, Error, Protocol};

thread_local! {
    /// The reactor: the descriptors that somebody waits for.
    static WAITED_FOR: RefCell<Vec<RawFd>> = const { RefCell::new(Vec::new()) };
}

/// Whatever is under way, as a future.
async fn ready<S: Advance>(steps: &mut S) -> Result<S::Output, Error> {
    poll_fn(|_context| {
        let poll = steps.advance();
        if poll.is_pending() {
            WAITED_FOR.with_borrow_mut(|waited_for| waited_for.push(steps.descriptor().as_raw_fd()));
        }
        poll
    })
    .await
}

/// The executor: polls everything again when one of the descriptors has become readable.
fn block_on<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return output;
        }
        let waited_for = WAITED_FOR.with_borrow_mut(std::mem::take);
        let mut entries: Vec<libc::pollfd> =
            waited_for.into_iter().map(|fd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 }).collect();
        // SAFETY: the entries are as many as said.
        unsafe { libc::poll(entries.as_mut_ptr(), entries.len() as libc::nfds_t, -1) };
    }
}

async fn names(connection: &mut Connection) -> Result<Vec<String>, Error> {
    let mut names = Vec::new();
    let mut links = connection.start_dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?;
    while ready(&mut links).await? {
        names.extend(links.current().attributes.get(Link::IFNAME)?.map(|name| name.to_string()));
    }
    Ok(names)
}

async fn addresses(connection: &mut Connection) -> Result<usize, Error> {
    let mut count = 0;
    let mut addresses = connection.start_dump(Rtm::GETADDR, AddressHeader::default(), |_| {})?;
    while ready(&mut addresses).await? {
        count += 1;
    }
    Ok(count)
}

fn main() -> Result<(), Error> {
    let mut connection = Connection::open(Protocol::ROUTE)?;
    let (names, addresses) = block_on(async {
        let names = names(&mut connection).await?;
        Ok::<_, Error>((names, addresses(&mut connection).await?))
    })?;
    println!("{}: {addresses} addresses", names.join(", "));
    Ok(())
}
