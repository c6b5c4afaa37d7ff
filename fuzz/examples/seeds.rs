//! Writes what the fuzzers start from: for each target a folder of seeds below the one named, and beside them a dictionary.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use ringlink_fuzz::{TARGETS, captures, seeds, words};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = PathBuf::from(std::env::args().nth(1).ok_or("usage: seeds FOLDER")?);
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codec/tests");
    let mut found = Vec::new();
    for entry in fs::read_dir(tests)? {
        let Ok(files) = fs::read_dir(entry?.path()) else { continue };
        for file in files {
            // What is no text holds no captures.
            found.extend(fs::read_to_string(file?.path()).map(|text| captures(&text)).unwrap_or_default());
        }
    }
    for (target, _) in TARGETS {
        let place = folder.join(target);
        fs::create_dir_all(&place)?;
        let inputs = found.iter().flat_map(|capture| seeds(target, capture));
        for (number, input) in inputs.enumerate() {
            fs::write(place.join(format!("seed-{number}")), input)?;
        }
    }
    let line = |word: &Vec<u8>| -> String {
        let bytes: String = word.iter().map(|byte| format!("\\x{byte:02x}")).collect();
        format!("\"{bytes}\"\n")
    };
    fs::write(folder.join("words.dict"), words().iter().map(line).collect::<String>())?;
    println!("{} captures, {} targets, {} words", found.len(), TARGETS.len(), words().len());
    Ok(())
}
