//! Guests: another kernel, over this machine's files. What may break a kernel, and what this machine's kernel lacks,
//! runs there.
//!
//! A guest sees the machine's whole root read-only, so every program built here runs in it; `/run` is its only
//! writable folder, and `TMPDIR`. It has no network beyond its own. `RINGLINK_GUEST` in its environment tells tests that
//! they may ask what could crash a kernel. A guest that panics, or never says how its command
//! ended, is a failure.

mod prepare;

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::failure::{Context, Failure, Outcome};
use crate::process::{Event, Running};

/// How many times longer than on the machine things take, for the processor is emulated.
pub const SLOWNESS: u32 = 10;

/// What to run where.
#[derive(clap::Args)]
pub struct Options {
    /// Kernel: 5.10, 6.1, 6.12, 6.18 or 7.3, as Debian packages it; 6.1-s390x is big-endian and runs that processor's programs
    #[arg(long, default_value = "6.1")]
    kernel: String,
    /// Modules to load first, besides those that load by themselves and those that the tests want
    #[arg(long, value_delimiter = ',')]
    load: Vec<String>,
    /// Seconds after which the guest is ended
    #[arg(long, default_value_t = 300)]
    limit: u64,
    /// Mebibytes of memory
    #[arg(long, default_value_t = 512)]
    memory: u32,
    /// Command, run in this folder; without one the guest is only prepared
    #[arg(last = true)]
    command: Vec<String>,
}

/// A kernel made ready to run.
pub struct Guest {
    /// The kernel's release (`6.1.0-56-amd64`).
    pub release: String,
    /// The processor.
    pub architecture: Architecture,
    folder: PathBuf,
    load: Vec<String>,
    memory: u32,
}

/// A processor that is emulated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Architecture {
    /// This machine's, so that its programs run in the guest.
    Amd64,
    /// A big-endian one, which has programs of its own.
    S390x,
}

/// A command of a guest, ready to start. The emulator's exit status is to be read by [`Boot::verdict`].
pub struct Boot {
    /// The emulator.
    pub command: Command,
    script: PathBuf,
}

/// The names of all kernels.
pub fn kernels() -> impl Iterator<Item = &'static str> {
    prepare::KERNELS.iter().map(|kernel| kernel.name)
}

/// Prepares a guest, runs the command in it and exits as the command did. Where the machine cannot have a guest, says
/// so: that is no failure of the command.
pub fn run(options: &Options) -> Outcome<ExitCode> {
    let guest = match Guest::prepare(&options.kernel) {
        Ok(guest) => Guest { load: [guest.load.as_slice(), &options.load].concat(), memory: options.memory, ..guest },
        Err(failure) => {
            println!("skipped: guest: {failure}");
            return Ok(ExitCode::SUCCESS);
        }
    };
    let words: Vec<&OsStr> = options.command.iter().map(OsStr::new).collect();
    let Some((program, arguments)) = words.split_first() else {
        println!("guest {} is ready in {}", guest.release, guest.folder.display());
        return Ok(ExitCode::SUCCESS);
    };
    let here = std::env::current_dir().context(|| "cannot find the current folder")?;
    let mut boot = guest.boot(Path::new(program), arguments, &here)?;
    let running = Running::start(&mut boot.command)?;
    let mut told = Vec::new();
    let end = Instant::now() + Duration::from_secs(options.limit);
    loop {
        match running.next(end.saturating_duration_since(Instant::now())) {
            Event::Wrote(_, mut bytes) => {
                // The guest's console ends its lines as terminals do.
                bytes.retain(|byte| *byte != b'\r');
                std::io::stdout().write_all(&bytes).context(|| "cannot print the guest's output")?;
                told.extend(bytes);
                told.drain(..told.len().saturating_sub(4096));
            }
            Event::Quiet => {
                running.kill();
                return Err(Failure::new(format!("guest {}: not done after {} s", guest.release, options.limit)));
            }
            Event::Closed => break,
        }
    }
    boot.verdict(running.wait()?, &told).map(ExitCode::from)
}

impl Architecture {
    /// Debian's name for it.
    fn name(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::S390x => "s390x",
        }
    }

    fn emulator(self) -> &'static str {
        match self {
            Self::Amd64 => "qemu-system-x86_64",
            Self::S390x => "qemu-system-s390x",
        }
    }

    fn emulator_package(self) -> &'static str {
        match self {
            Self::Amd64 => "qemu-system-x86",
            Self::S390x => "qemu-system-s390x",
        }
    }

    /// Rust's name for it, as a target.
    pub fn target(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-unknown-linux-gnu",
            Self::S390x => "s390x-unknown-linux-gnu",
        }
    }
}

impl Guest {
    /// A guest with this kernel. The first one takes packages from Debian, 0.5 GB and some minutes; later ones nothing.
    pub fn prepare(kernel: &str) -> Outcome<Self> {
        prepare::guest(kernel)
    }

    /// A command of this machine, to be run in the guest. Of the environment, the guest gets what tests look at.
    pub fn boot(&self, program: &Path, arguments: &[&OsStr], folder: &Path) -> Outcome<Boot> {
        for path in [program, folder, &self.folder] {
            self.show(path)?;
        }
        static BOOTS: AtomicU32 = AtomicU32::new(0);
        let boot = BOOTS.fetch_add(1, Ordering::Relaxed);
        let script = self.folder.join(format!("script-{}-{boot}", std::process::id()));
        let mut text = b"export PATH=/usr/sbin:/usr/bin:/sbin:/bin TMPDIR=/run HOME=/run RINGLINK_GUEST=1".to_vec();
        for name in ["CI", "RUST_BACKTRACE", "RINGLINK_GENERATED", "RINGLINK_GENERATED_SEED"] {
            if let Some(value) = std::env::var_os(name) {
                text.extend([b" ", name.as_bytes(), b"=", &quoted(&value)].concat());
            }
        }
        text.extend([b"\ncd ", &quoted(folder.as_os_str())[..], b"\nexec"].concat());
        for word in [program.as_os_str()].iter().chain(arguments) {
            text.extend([b" ", &quoted(word)[..]].concat());
        }
        text.push(b'\n');
        fs::write(&script, text).context(|| format!("cannot write {}", script.display()))?;

        let mut command = Command::new(self.architecture.emulator());
        command.args(["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "1", "-m", &self.memory.to_string()]);
        command.args(["-nic", "none", "-display", "none", "-serial", "stdio", "-no-reboot", "-monitor", "none"]);
        let (console, root) = match self.architecture {
            Architecture::Amd64 => {
                command.args(["-M", "pc", "-vga", "none", "-device", "isa-debug-exit,iobase=0xf4,iosize=0x04"]);
                ("ttyS0", String::new())
            }
            Architecture::S390x => {
                command.args(["-M", "s390-ccw-virtio"]);
                ("ttysclp0", self.folder.join("root").display().to_string())
            }
        };
        command.args(["-virtfs", "local,path=/,mount_tag=machine,security_model=none,readonly=on,multidevs=remap"]);
        command.arg("-kernel").arg(self.folder.join("kernel"));
        command.arg("-initrd").arg(self.folder.join("initramfs"));
        command.arg("-append").arg(format!(
            "console={console} quiet panic=-1 oops=panic cryptomgr.notests vm.modules={} vm.load={} vm.root={root} vm.script={}",
            self.folder.join("lib/modules").join(&self.release).display(),
            self.load.join(","),
            script.display()
        ));
        Ok(Boot { command, script })
    }

    /// Makes a path of this machine one of the guest as well, which a guest with a root of its own does not have.
    pub fn show(&self, path: &Path) -> Outcome {
        if self.architecture == Architecture::Amd64 {
            return Ok(());
        }
        let relative = path.strip_prefix("/").context(|| format!("{} is not a whole path", path.display()))?;
        let there = self.folder.join("root").join(relative);
        // Something of its own, or below what was shown before.
        if there.symlink_metadata().is_ok()
            || there.ancestors().take_while(|above| *above != self.folder).any(Path::is_symlink)
        {
            return Ok(());
        }
        if let Some(above) = there.parent() {
            fs::create_dir_all(above).context(|| format!("cannot make {}", above.display()))?;
        }
        std::os::unix::fs::symlink(Path::new("/machine").join(relative), &there)
            .context(|| format!("cannot make {}", there.display()))
    }
}

impl Boot {
    /// The exit status of the guest's command, from the emulator's, or where it has none from the last that the guest
    /// told.
    pub fn verdict(&self, status: ExitStatus, told: &[u8]) -> Outcome<u8> {
        let told = || {
            let text = String::from_utf8_lossy(told);
            let (_, code) = text.rsplit_once("guest: exit status ")?;
            code.split_whitespace().next()?.parse().ok()
        };
        match status.code() {
            Some(0) if self.command.get_program() != Architecture::Amd64.emulator() => {
                told().context(|| "the guest panicked, or ended without a verdict")
            }
            Some(0) => Err(Failure::new("the guest panicked, or ended without a verdict")),
            Some(code @ 33..) if code % 2 == 1 => {
                u8::try_from((code >> 1) - 16).context(|| format!("the emulator's exit code {code}"))
            }
            _ => Err(Failure::new(format!("the emulator failed: {status}"))),
        }
    }
}

impl Drop for Boot {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.script);
    }
}

/// A word that the shell takes as it is.
fn quoted(word: &OsStr) -> Vec<u8> {
    let mut text = vec![b'\''];
    for byte in word.as_bytes() {
        match byte {
            b'\'' => text.extend(b"'\\''"),
            other => text.push(*other),
        }
    }
    text.push(b'\'');
    text
}

#[cfg(test)]
mod tests {
    use std::os::unix::process::ExitStatusExt;

    use super::*;

    #[test]
    fn words_survive_the_shell() {
        for word in ["a", "a b", "it's", "$HOME", ""] {
            let script = [b"printf %s ", &quoted(OsStr::new(word))[..]].concat();
            let done = Command::new("sh").arg("-c").arg(OsStr::from_bytes(&script)).output().expect("sh");
            assert_eq!(done.stdout, word.as_bytes());
        }
    }

    #[test]
    fn only_a_verdict_counts_as_one() {
        let boot = |program: &str| Boot { command: Command::new(program), script: PathBuf::from("/absent") };
        let exit = |code: i32| boot("qemu-system-x86_64").verdict(ExitStatus::from_raw(code << 8), b"").ok();
        assert_eq!([exit(33), exit(35), exit(255)], [Some(0), Some(1), Some(111)]);
        assert_eq!([exit(0), exit(1), exit(2), exit(34)], [None; 4]);
        let told = |text: &[u8]| boot("qemu-system-s390x").verdict(ExitStatus::from_raw(0), text).ok();
        assert_eq!([told(b"guest: exit status 3\n"), told(b"Kernel panic")], [Some(3), None]);
    }
}
