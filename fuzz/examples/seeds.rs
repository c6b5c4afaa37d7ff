//! Writes what the fuzzers start from: for each target a folder of seeds below the one named, and beside them a dictionary.

use std::error::Error;
use std::fs;
use std::path::PathBuf;

use ringlink_fuzz::{Seeds, TARGETS, words};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: seeds FOLDER")?);
    let seeds = Seeds::find()?;
    let mut count = 0;
    for (target, _) in TARGETS {
        let place = folder.join(target);
        fs::create_dir_all(&place)?;
        for (number, input) in seeds.of(target).into_iter().enumerate() {
            fs::write(place.join(format!("seed-{number}")), input)?;
            count += 1;
        }
    }
    let line = |word: &Vec<u8>| -> String {
        let bytes: String = word.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("\"{bytes}\"\n")
    };
    fs::write(folder.join("words.dict"), words().iter().map(line).collect::<String>())?;
    println!("{} captures, {} targets, {count} seeds, {} words", seeds.messages.len(), TARGETS.len(), words().len());
    Ok(())
}
