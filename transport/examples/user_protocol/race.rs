//! Many questions and answers between two processes, and the same exchange by bare system calls.

use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Instant;

use ringlink::engine::EngineChoice;
use ringlink::socket::Socket;
use ringlink::{Config, Connection, Protocol, SocketOptions};

use crate::shelf::{Shelf, Thing, Things};
use crate::{Other, Outcome, choice};

/// Things are asked for one after the other.
const THINGS: u32 = 1000;

/// What an answer costs in a receive buffer, as look-ups count it; the kernel doubles what is asked for.
const COST: usize = 3328 / 2;

/// Bytes of a question: header, key.
const QUESTION: usize = 16 + 8;
/// Bytes of an answer: header, key, value.
const ANSWER: usize = 16 + 8 + 12;

pub fn things(count: u32) -> Things {
    Things { things: (0..count).map(|key| (key, (worth(key), String::new()))).collect(), closed: false }
}

fn worth(key: u32) -> u64 {
    u64::from(key) * 3 + 1
}

pub fn run(options: &[&str]) -> Outcome<()> {
    let (mut messages, mut window, mut engine) = (1_000_000_u32, 512_usize, "ring");
    for option in options.chunks(2) {
        match *option {
            ["--messages", count] => messages = count.parse()?,
            ["--window", count] => window = count.parse()?,
            ["--engine", name] => engine = name,
            _ => return Err(format!("{option:?}: --messages N, --window N, --engine ring|syscall").into()),
        }
    }
    println!("{messages} questions and as many answers, {window} in a datagram");
    let ours = race(messages, window, choice(engine)?, engine)?;
    let bare = bare(messages, window)?;
    println!("bare is {:.2} times as quick", ours / bare);
    Ok(())
}

/// Asks a server over the library; returns the seconds it took.
fn race(messages: u32, window: usize, engine: EngineChoice, name: &str) -> Outcome<f64> {
    let other = Other::start(&["serve", "0", name, &THINGS.to_string()])?;
    let socket = SocketOptions { receive_buffer: Some(window * COST), ..SocketOptions::default() };
    let request = (window * QUESTION).clamp(4096, 32 * 1024);
    let config = Config { engine, socket, request, ..Config::of_process(other.port) };
    let mut connection = Connection::with(Protocol::USERSOCK, config)?;
    let (mut answers, mut wrong) = (0_u32, 0_u32);
    let start = Instant::now();
    let mut lookups = connection.lookups(Shelf::GET, |number, thing| {
        let expected = number as u32 % THINGS;
        let (key, value) = thing?.attributes.read((Thing::KEY, Thing::VALUE))?;
        answers += 1;
        wrong += u32::from((key, value) != (Some(expected), Some(worth(expected))));
        Ok(())
    });
    for number in 0..messages {
        lookups.add((), |ask| ask.put(Thing::KEY, number % THINGS))?;
    }
    lookups.finish()?;
    let seconds = start.elapsed().as_secs_f64();
    let calls = connection.statistics().counters;
    connection.apply(Shelf::QUIT, (), |_| {})?;
    let requests = other.finish()? - 1;
    print(name, messages, seconds);
    println!("  asked {messages}, the server counted {requests} requests, answered {answers}, wrong {wrong}");
    println!("  {} datagrams of answers, {} system calls of the asker", calls.datagrams, calls.system_calls);
    if (requests, answers, wrong) != (u64::from(messages), messages, 0) {
        return Err("the counts differ".into());
    }
    Ok(seconds)
}

fn print(name: &str, messages: u32, seconds: f64) {
    let each = f64::from(messages);
    println!(
        "{name}: {:.0} questions and answers a second, {:.3} µs each, {seconds:.3} s",
        each / seconds,
        seconds / each * 1e6
    );
}

/// The same without the library: buffers made beforehand, and what is needed of the messages.
fn bare(messages: u32, window: usize) -> Outcome<f64> {
    let other = Other::start(&["serve-bare", &THINGS.to_string()])?;
    let socket = Socket::open(Protocol::USERSOCK, &SocketOptions::default())?;
    socket.set_receive_buffer(window * COST)?;
    let mut question = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let (mut asked, mut answers, mut wrong) = (0_u32, 0_u32, 0_u32);
    let start = Instant::now();
    while asked < messages {
        question.clear();
        let until = messages.min(asked.saturating_add(u32::try_from(window)?));
        for number in asked..until {
            question.extend((QUESTION as u32).to_ne_bytes());
            question.extend(Shelf::GET.kind.0.to_ne_bytes());
            question.extend(1_u16.to_ne_bytes());
            question.extend((number + 1).to_ne_bytes());
            question.extend(socket.port().to_ne_bytes());
            question.extend([8_u16, 1].map(u16::to_ne_bytes).as_flattened());
            question.extend((number % THINGS).to_ne_bytes());
        }
        send_to(&socket, other.port, &question)?;
        while answers < until {
            let (length, _) = receive_from(&socket, &mut buffer)?;
            for answer in buffer.get(..length).unwrap_or_default().chunks_exact(ANSWER) {
                let number = u32_at(answer, 8).wrapping_sub(1);
                let value = u64::from(u32_at(answer, 28)) | u64::from(u32_at(answer, 32)) << 32;
                wrong += u32::from(number != answers || value != worth(number % THINGS));
                answers += 1;
            }
        }
        asked = until;
    }
    let seconds = start.elapsed().as_secs_f64();
    let quit = [&16_u32.to_ne_bytes()[..], &Shelf::QUIT.kind.0.to_ne_bytes(), &1_u16.to_ne_bytes(), &[0; 8]].concat();
    send_to(&socket, other.port, &quit)?;
    let requests = other.finish()?;
    print("bare", messages, seconds);
    println!("  asked {messages}, the server counted {requests} requests, answered {answers}, wrong {wrong}");
    if (requests, answers, wrong) != (u64::from(messages), messages, 0) {
        return Err("the counts differ".into());
    }
    Ok(seconds)
}

/// The other side of [`bare`].
pub fn serve_bare(things: u32) -> Outcome<()> {
    let things = self::things(things).things;
    let socket = Socket::open(Protocol::USERSOCK, &SocketOptions::default())?;
    println!("port {}", socket.port());
    let (mut buffer, mut answer, mut requests) = (vec![0; 64 * 1024], Vec::new(), 0_u64);
    loop {
        let (length, port) = receive_from(&socket, &mut buffer)?;
        let datagram = buffer.get(..length).unwrap_or_default();
        if length == 16 {
            println!("requests {requests}");
            return Ok(());
        }
        // 32 KiB at a time, as the library's server has it.
        for question in datagram.chunks_exact(QUESTION) {
            requests += 1;
            let key = u32_at(question, 20);
            let value = things.get(&key).map_or(0, |(value, _)| *value);
            answer.extend((ANSWER as u32).to_ne_bytes());
            answer.extend(Shelf::NEW.kind.0.to_ne_bytes());
            answer.extend(0_u16.to_ne_bytes());
            answer.extend(u32_at(question, 8).to_ne_bytes());
            answer.extend(port.to_ne_bytes());
            answer.extend([8_u16, 1].map(u16::to_ne_bytes).as_flattened());
            answer.extend(key.to_ne_bytes());
            answer.extend([12_u16, 2].map(u16::to_ne_bytes).as_flattened());
            answer.extend(value.to_ne_bytes());
            if answer.len() + ANSWER > 32 * 1024 {
                send_to(&socket, port, &answer)?;
                answer.clear();
            }
        }
        send_to(&socket, port, &answer)?;
        answer.clear();
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(|bytes| bytes.first_chunk()).copied().map_or(0, u32::from_ne_bytes)
}

fn send_to(socket: &Socket, port: u32, bytes: &[u8]) -> io::Result<()> {
    // SAFETY: all fields are integers, for which zero is a value.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    address.nl_pid = port;
    let (to, length) = ((&raw const address).cast(), size_of_val(&address) as libc::socklen_t);
    // SAFETY: both pointers are valid for their lengths.
    match unsafe { libc::sendto(socket.as_fd().as_raw_fd(), bytes.as_ptr().cast(), bytes.len(), 0, to, length) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

fn receive_from(socket: &Socket, buffer: &mut [u8]) -> io::Result<(usize, u32)> {
    // SAFETY: all fields are integers, for which zero is a value.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    let mut length = size_of_val(&address) as libc::socklen_t;
    let from = (&raw mut address).cast();
    // SAFETY: both pointers are valid for their lengths, and so is that to the length.
    let received = unsafe {
        libc::recvfrom(socket.as_fd().as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), 0, from, &raw mut length)
    };
    usize::try_from(received).map(|received| (received, address.nl_pid)).map_err(|_| io::Error::last_os_error())
}
