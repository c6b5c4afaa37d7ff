//! Runs every target once over its inputs, without a fuzzer: `FOLDER/TARGET/` has an input a file.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use ringlink_fuzz::TARGETS;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: replay FOLDER")?);
    for (name, check) in TARGETS {
        let Ok(inputs) = fs::read_dir(folder.join(name)) else { continue };
        let mut count = 0_usize;
        for input in inputs {
            check(&fs::read(input?.path())?);
            count += 1;
        }
        println!("{name}: {count} inputs");
    }
    Ok(())
}
