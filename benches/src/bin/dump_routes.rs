//! Dumps a table of routes (200,000, or as the argument says) with a bare receive loop and with each engine, interleaved
//! in one process, in a private namespace; prints medians, ratios to the bare loop, system calls and allocations.

use std::time::{Duration, Instant};

use ringlink::codec::route::{Family, RouteHeader, Rtm};
use ringlink::{Config, Connection, EngineChoice, Error, Protocol};
use ringlink_benches::{Counting, allocations, namespace_with_routes, read_route};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const ROUNDS: usize = 31;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: u32 = std::env::args().nth(1).map_or(Ok(200_000), |count| count.parse())?;
    namespace_with_routes(count)?;
    let mut bare = Bare::open()?;
    let mut engines = Vec::new();
    for engine in [EngineChoice::Syscall, EngineChoice::Ring, EngineChoice::Auto] {
        engines.push((engine, Connection::with(Protocol::ROUTE, Config { engine, ..Config::default() })?));
    }
    let mut times = vec![Vec::new(); engines.len() + 1];
    let mut allocated = vec![0; engines.len()];
    for round in 0..=ROUNDS {
        let start = Instant::now();
        let bytes = bare.dump()?;
        let bare_time = start.elapsed();
        let mut round_times = vec![bare_time];
        for (index, (_, connection)) in engines.iter_mut().enumerate() {
            let before = allocations();
            let start = Instant::now();
            let routes = dump(connection)?;
            let time = start.elapsed();
            allocated[index] = allocations() - before;
            round_times.push(time);
            if routes < u64::from(count) {
                return Err(format!("{routes} of {count} routes").into());
            }
        }
        // The first round warms up: rings are made, pages are touched.
        if round > 0 {
            times.iter_mut().zip(round_times).for_each(|(all, one)| all.push(one));
        } else {
            println!("{count} routes, {bytes} bytes, {} receives by the bare loop", bare.receives);
        }
    }
    let floor = median(times[0].iter().map(Duration::as_secs_f64));
    println!("{:<10} {:>9.2} ms", "bare loop", floor * 1e3);
    for (index, (engine, connection)) in engines.iter().enumerate() {
        let time = median(times[index + 1].iter().map(Duration::as_secs_f64));
        // Each dump against the bare loop of its own round: what else the machine does hits both.
        let pairs = times[index + 1].iter().zip(&times[0]);
        let ratio = median(pairs.map(|(time, bare)| time.as_secs_f64() / bare.as_secs_f64()));
        let dumps = (ROUNDS + 1) as u64;
        println!(
            "{:<10} {:>9.2} ms  {ratio:.3} x bare  {} system calls and {} allocations a dump",
            format!("{engine:?}"),
            time * 1e3,
            connection.statistics().counters.system_calls / dumps,
            allocated[index],
        );
    }
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

fn dump(connection: &mut Connection) -> Result<u64, Error> {
    let header = RouteHeader { family: Family::INET, ..RouteHeader::default() };
    let (mut routes, mut sum) = (0, 0);
    let dump = connection.dump(Rtm::GETROUTE, header, |_| {})?;
    dump.for_each(|route| {
        sum += read_route(route);
        routes += 1;
        Ok(())
    })?;
    std::hint::black_box(sum);
    Ok(routes)
}

/// The least a program can do: send the request, receive into one buffer of 32 KiB until a datagram begins with
/// `NLMSG_DONE` or ends with it. Decodes nothing.
struct Bare {
    descriptor: i32,
    buffer: Vec<u8>,
    receives: u64,
}

impl Bare {
    fn open() -> Result<Bare, std::io::Error> {
        // SAFETY: no memory is involved.
        let descriptor = unsafe { libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0) };
        if descriptor < 0 {
            return Err(std::io::Error::last_os_error());
        }
        let strict: i32 = 1;
        // SAFETY: the option's value is an int that lives through the call.
        unsafe { libc::setsockopt(descriptor, 270, 12, (&raw const strict).cast(), 4) };
        Ok(Bare { descriptor, buffer: vec![0; 32 * 1024], receives: 0 })
    }

    fn dump(&mut self) -> Result<usize, std::io::Error> {
        let mut request = [0_u8; 28];
        request[0] = 28;
        request[4] = 26;
        request[6..8].copy_from_slice(&0x301_u16.to_ne_bytes());
        request[16] = 2;
        // SAFETY: the pointer is valid for the length.
        let sent = unsafe { libc::send(self.descriptor, request.as_ptr().cast(), request.len(), 0) };
        if sent < 0 {
            return Err(std::io::Error::last_os_error());
        }
        let mut total = 0;
        self.receives = 0;
        loop {
            // SAFETY: the pointer is valid for the length.
            let length = unsafe { libc::recv(self.descriptor, self.buffer.as_mut_ptr().cast(), self.buffer.len(), 0) };
            let Ok(length) = usize::try_from(length) else { return Err(std::io::Error::last_os_error()) };
            self.receives += 1;
            total += length;
            let done = |at: usize| self.buffer.get(at + 4).is_some_and(|kind| *kind == 3);
            if done(0) || (length >= 20 && done(length - 20) && self.buffer[length - 20] == 20) {
                return Ok(total);
            }
        }
    }
}
