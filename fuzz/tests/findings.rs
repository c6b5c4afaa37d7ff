//! Everything that a fuzzer ever found, once more: `findings/TARGET/` has an input a file. And all captures, through all targets.

use std::fs;
use std::path::Path;

use ringlink_fuzz::{TARGETS, seeds};

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
fn captures_pass_all_targets() {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../codec/tests");
    let mut count = 0;
    for folder in fs::read_dir(tests).expect("the codec's tests").map(|entry| entry.expect("an entry").path()) {
        let Ok(files) = fs::read_dir(&folder) else { continue };
        for file in files.map(|entry| entry.expect("an entry").path()) {
            let Ok(text) = fs::read_to_string(&file) else { continue };
            for capture in ringlink_fuzz::captures(&text) {
                TARGETS.iter().for_each(|(name, check)| seeds(name, &capture).iter().for_each(|input| check(input)));
                count += 1;
            }
        }
    }
    assert!(count > 150, "{count}");
}
