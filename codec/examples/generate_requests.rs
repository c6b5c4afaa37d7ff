//! Makes up valid requests of a family, given by its name, and prints them: what a fuzzer of a kernel or a mock would send.
//!
//! `cargo run -p ringlink-codec --features arbitrary --example generate_requests -- wireguard 3`
//!
//! The name is a protocol's (`route`, `netfilter`) or that of a generic family. Never send what is generated to a kernel that
//! others need: some requests bring kernels down.

use std::hash::{BuildHasher, RandomState};

use arbitrary::Unstructured;
use ringlink_codec::generate::Bounds;
use ringlink_codec::generic::{Family, Numbers};
use ringlink_codec::prelude::*;
use ringlink_codec::protocol::{GENERIC, Protocol};
use ringlink_codec::wire::Writer;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_else(|| "wireguard".to_owned());
    let count: u64 = arguments.next().map_or(Ok(3), |count| count.parse())?;
    // A generic family's number is the kernel's to give: any other one does to look at.
    let family = Family::named(&name).map(|family| (0x20, family));
    let protocol = match family {
        Some(_) => &GENERIC,
        None => Protocol::named(&name).ok_or_else(|| format!("{name}: neither a protocol nor a generic family"))?,
    };
    let numbers = Numbers(family.as_slice());
    let random = RandomState::new();
    let mut made = 0;
    for round in 0.. {
        let noise: Vec<u8> = (0..512_u64).flat_map(|at| random.hash_one((round, at)).to_ne_bytes()).collect();
        let mut buffer = vec![0; 1 << 16];
        let mut writer = Writer::new(&mut buffer);
        Bounds::default().any(&mut Unstructured::new(&noise), protocol, numbers, &mut writer)?;
        let message = Message::parse(writer.finish()?)?;
        if message.header.flags.contains(Flags::REQUEST) {
            print!("{}", message.tree(protocol).with(numbers));
            made += 1;
        }
        if made == count {
            break;
        }
    }
    Ok(())
}
