//! Captures for the codec's tests: what this machine's kernel says to a dump, as text.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Context, Outcome};
use crate::{netlink, process};

/// What to capture.
#[derive(clap::Args)]
pub struct Options {
    /// Table to dump: what follows RTM_GET, or the whole name (link, addr, route, RTM_GETNEIGH)
    table: String,
    /// Shell lines that make something to dump, run in a network namespace of their own that ends with them
    setup: Vec<String>,
    /// First byte of the fixed header: the address family
    #[arg(long, default_value_t = 0)]
    family: u8,
    /// Bytes 4 to 7 of the fixed header: the interface, where a dump is of one (classes, filters)
    #[arg(long, default_value_t = 0)]
    index: u32,
    /// File to write; standard output by default
    #[arg(long, short)]
    output: Option<PathBuf>,
    /// Dump at once, in the namespace that is there
    #[arg(long, hide = true)]
    here: bool,
}

/// Dumps a table: a header of `#` lines that name kernel and commands, then one message a line in hexadecimal.
pub fn run(options: &Options) -> Outcome {
    if options.here {
        for message in netlink::dump(netlink::dump_operation(&options.table)?, options.family, options.index)? {
            println!("{}", hexadecimal(&message));
        }
        return Ok(());
    }
    let myself = std::env::current_exe().context(|| "cannot find this program")?;
    let mut script = String::from("set -e\n");
    for line in &options.setup {
        let _ = writeln!(script, "{{ {line}\n}} >&2");
    }
    let _ = writeln!(
        script,
        "exec {} capture --here --family {} --index {} {}",
        myself.display(),
        options.family,
        options.index,
        options.table
    );
    let dumped = process::must(Command::new("unshare").args(["--net", "sh", "-c", &script]), netlink::PATIENCE * 4)?;

    let release = fs::read_to_string("/proc/sys/kernel/osrelease").context(|| "cannot read the kernel's release")?;
    let mut text = format!("# Linux {}\n# {} family {}", release.trim(), options.table, options.family);
    if options.index != 0 {
        let _ = write!(text, " index {}", options.index);
    }
    text.push('\n');
    options.setup.iter().for_each(|line| text.extend(["# ", line, "\n"]));
    text.push_str(&dumped);
    match &options.output {
        Some(path) => fs::write(path, text).context(|| format!("cannot write {}", path.display())),
        None => {
            print!("{text}");
            Ok(())
        }
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_two_digits_each() {
        assert_eq!(hexadecimal(&[0, 0x0f, 0xa5]), "000fa5");
    }
}
