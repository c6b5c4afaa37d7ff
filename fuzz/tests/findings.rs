//! Everything that a fuzzer ever found, once more: `findings/TARGET/` has an input a file. And all seeds.

use std::fs;
use std::path::Path;

use ringlink_fuzz::{Seeds, TARGETS};

#[test]
fn findings_stay_mended() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("findings");
    for (name, check) in TARGETS {
        let Ok(inputs) = fs::read_dir(folder.join(name)) else { continue };
        for input in inputs {
            let path = input.expect("a folder").path();
            println!("{}", path.display());
            check(&fs::read(&path).expect("a file"));
        }
    }
}

#[test]
fn seeds_pass() {
    let seeds = Seeds::find().expect("the workspace's tests");
    for (name, check) in TARGETS {
        let inputs = seeds.of(name);
        assert!(!inputs.is_empty(), "{name} has no seeds");
        inputs.iter().for_each(|input| check(input));
    }
    assert!(seeds.messages.len() > 400 && !seeds.records.is_empty() && !seeds.recordings.is_empty());
}
