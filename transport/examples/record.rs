//! Records a list of the interfaces into a file, and prints it; or prints one that was recorded, on any machine and without
//! a kernel's help: `record FILE`, `record --replay FILE`.

use ringlink::codec::route::{Link, LinkHeader, Rtm};
use ringlink::engine::record::{Recorder, Recording, Replay};
use ringlink::engine::{self, Engine, EngineChoice};
use ringlink::{Config, Connection, Error, Protocol};
use ringlink::{SocketOptions, socket::Socket};

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let engine: Box<dyn Engine> = match &arguments[..] {
        [flag, file] if flag == "--replay" => {
            let recording = Recording::open(file)?;
            println!("# {}, {} entries", recording.note(), recording.entries().count());
            Box::new(Replay::new(recording)?)
        }
        [file] => {
            let socket = Socket::open(Protocol::ROUTE, &SocketOptions::default())?;
            socket.connect_to_kernel()?;
            Box::new(Recorder::create(engine::open(EngineChoice::Auto, socket)?, file, "the interfaces")?)
        }
        _ => {
            eprintln!("usage: record [--replay] FILE");
            return Ok(());
        }
    };
    let mut connection = Connection::over(engine, Config::default());
    let links = connection.dump(Rtm::GETLINK, LinkHeader::default(), |_| {})?;
    let end = links.for_each(|link| {
        let (name, mtu) = link.attributes.read((Link::IFNAME, Link::MTU))?;
        println!("{}: {:?} mtu {:?}", link.header.index, name, mtu);
        Ok(())
    })?;
    println!("# complete: {}", end.is_complete());
    Ok(())
}
