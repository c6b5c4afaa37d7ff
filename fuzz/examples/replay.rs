//! Runs every target once over its inputs, without a fuzzer: `FOLDER/TARGET/` has an input a file.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use ringlink_fuzz::TARGETS;

fn main() -> Result<(), Box<dyn Error>> {
    let folders: Vec<PathBuf> = std::env::args().skip(1).map(PathBuf::from).collect();
    if folders.is_empty() {
        return Err("usage: replay FOLDER …".into());
    }
    for (name, check) in TARGETS {
        let mut count = 0_usize;
        for folder in &folders {
            let Ok(inputs) = fs::read_dir(folder.join(name)) else { continue };
            for input in inputs {
                let input = Input(input?.path());
                check(&fs::read(&input.0)?);
                count += 1;
            }
        }
        println!("{name}: {count} inputs");
    }
    Ok(())
}

/// An input that is being run.
struct Input(PathBuf);

impl Drop for Input {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("of {}", self.0.display());
        }
    }
}
