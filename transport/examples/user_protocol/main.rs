//! A protocol of one's own between two processes, both on this library: requests and answers, refusals that point at what is
//! wrong, a dump, batches, events.
//!
//! ```sh
//! cargo run --release -p ringlink --example user_protocol                  # starts the other process itself
//! cargo run --release -p ringlink --example user_protocol -- serve 4711    # or by hand: one process …
//! cargo run --release -p ringlink --example user_protocol -- ask 4711      # … and another
//! cargo run --release -p ringlink --example user_protocol -- race --messages 1000000 --engine ring
//! ```
//!
//! `race` asks that many questions, many in one datagram, and prints how long that takes beside the same exchange done with bare
//! `sendto(2)` and `recvfrom(2)`.

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdout, Command, Stdio};

use ringlink::engine::{Deadline, EngineChoice};
use ringlink::server::ServerConfig;
use ringlink::{Config, Connection, Monitor, Protocol, Server, SocketOptions};

mod race;
mod shelf;

use shelf::{CHANGES, Label, Shelf, Thing, Things};

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [] => {
            let other = Other::start(&["serve", "0"])?;
            ask(other.port, EngineChoice::Auto)?;
            println!("the other process counted {} requests", other.finish()?);
            Ok(())
        }
        ["serve", port] => serve(port.parse()?, EngineChoice::Auto, Things::default()),
        ["serve", port, engine, things] => serve(port.parse()?, choice(engine)?, race::things(things.parse()?)),
        ["serve-bare", things] => race::serve_bare(things.parse()?),
        ["ask", port] => ask(port.parse()?, EngineChoice::Auto),
        ["race", ref options @ ..] => race::run(options),
        _ => Err("serve PORT, ask PORT, or race [--messages N] [--window N] [--engine ring|syscall]".into()),
    }
}

fn choice(engine: &str) -> Outcome<EngineChoice> {
    Ok(match engine {
        "ring" => EngineChoice::Ring,
        "syscall" => EngineChoice::Syscall,
        "auto" => EngineChoice::Auto,
        other => return Err(format!("{other} is no engine: ring, syscall, auto").into()),
    })
}

/// Answers until it is asked to close down.
fn serve(port: u32, engine: EngineChoice, mut things: Things) -> Outcome<()> {
    let socket = SocketOptions { port, ..SocketOptions::default() };
    let mut server = Server::with(Protocol::USERSOCK, ServerConfig { engine, socket, ..ServerConfig::default() })?;
    println!("port {}", server.port());
    while !things.closed {
        server.step(&mut things, Deadline::none())?;
    }
    println!("requests {}", server.figures().requests);
    Ok(())
}

/// What can be asked.
fn ask(port: u32, engine: EngineChoice) -> Outcome<()> {
    let config = Config { engine, ..Config::of_process(port) };
    // To hear events takes CAP_NET_ADMIN.
    let monitor = Monitor::with(Protocol::USERSOCK, &config, &[CHANGES]);
    let mut connection = Connection::with(Protocol::USERSOCK, config)?;

    for (key, name) in [(1, "cup"), (2, "plate"), (3, "vase")] {
        connection.apply(Shelf::NEW.create().exclusive(), (), |thing| {
            thing.put(Thing::KEY, key);
            thing.put(Thing::VALUE, u64::from(key) * 10);
            thing.put(Thing::NAME, name);
        })?;
    }
    let reply = connection.get(Shelf::GET, (), |thing| thing.put(Thing::KEY, 2))?;
    println!("2: {:?}", reply.body().attributes);
    drop(reply);

    println!("refusals:");
    let refused = connection.apply(Shelf::NEW, (), |thing| {
        thing.put(Thing::KEY, 4);
        thing.put(Thing::NAME, "a name that is far too long");
    });
    println!("  {}", refused.unwrap_err());
    let refused = connection.apply(Shelf::NEW, (), |thing| {
        thing.put(Thing::KEY, 4);
        thing.nest(Thing::LABEL, |label| label.put(Label::NOTE, "dear"));
    });
    println!("  {}", refused.unwrap_err());
    println!("  {}", connection.get(Shelf::GET, (), |_| {}).map(drop).unwrap_err());
    println!("  {}", connection.apply(Shelf::DEL, (), |thing| thing.put(Thing::KEY, 9)).unwrap_err());

    let mut batch = connection.batch();
    for key in [3, 3, 2] {
        batch.add(Shelf::DEL, (), |thing| thing.put(Thing::KEY, key))?;
    }
    let outcomes = batch.finish()?;
    for failure in outcomes.failures() {
        println!("of {} changes, number {} failed: {}", outcomes.count(), failure.index, failure.refused);
    }

    println!("all:");
    let mut things = connection.dump(Shelf::GET, (), |_| {})?;
    while let Some(thing) = things.next()? {
        println!("  {:?}", thing.attributes);
    }
    println!("complete: {}", things.end().is_complete());
    drop(things);

    match monitor {
        Ok(monitor) => {
            println!("events:");
            for _ in 0..5 {
                for message in monitor.receive(Deadline::after(std::time::Duration::from_secs(5)))?.messages() {
                    let message = message?;
                    let what = if message.header.kind == Shelf::NEW.kind { "put there" } else { "taken away" };
                    let thing = message.body(Shelf::NEW).or(message.body(Shelf::DEL))?;
                    println!("  {what}: {:?}", thing.attributes.get(Thing::NAME)?.unwrap_or_default());
                }
            }
        }
        Err(error) => println!("no events: {error}"),
    }
    connection.apply(Shelf::QUIT, (), |_| {})?;
    Ok(())
}

/// This program again, as the other process.
struct Other {
    child: Child,
    said: BufReader<ChildStdout>,
    port: u32,
}

impl Other {
    fn start(arguments: &[&str]) -> Outcome<Other> {
        let mut child = Command::new(std::env::current_exe()?).args(arguments).stdout(Stdio::piped()).spawn()?;
        let said = BufReader::new(child.stdout.take().ok_or("no output of the other process")?);
        let mut other = Other { child, said, port: 0 };
        other.port = other.line("port ")?.parse()?;
        Ok(other)
    }

    /// What it says behind this word.
    fn line(&mut self, word: &str) -> Outcome<String> {
        let mut line = String::new();
        self.said.read_line(&mut line)?;
        let rest = line.trim_end().strip_prefix(word).ok_or_else(|| format!("the other process said {line:?}"))?;
        Ok(rest.to_owned())
    }

    /// How many requests it counted, once it has ended.
    fn finish(mut self) -> Outcome<u64> {
        let count = self.line("requests ")?.parse()?;
        self.child.wait()?;
        Ok(count)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It has ended mostly.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
