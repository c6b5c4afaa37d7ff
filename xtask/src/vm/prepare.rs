//! Makes a guest out of Debian's packages: the emulator is installed, a kernel is only fetched and unpacked, into
//! `$RINGLINK_VM_DIR` (`~/.cache/ringlink-vm`). Other suites than the machine's own are asked through an apt
//! configuration of their own, so the machine's stays as it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::{Architecture, Guest};
use crate::failure::{Context, Failure, Outcome};
use crate::process::{exists, filter, must};

/// Kernels seen working, and where Debian keeps them.
pub(super) const KERNELS: [Kernel; 6] = [
    Kernel::amd64("5.10", "debian-security", "bullseye-security"),
    Kernel::amd64("6.1", "debian-security", "bookworm-security"),
    Kernel::amd64("6.12", "debian-security", "bookworm-security"),
    Kernel::amd64("6.18", "debian", "trixie-backports"),
    Kernel::amd64("7.3", "debian", "trixie-backports"),
    // Big-endian.
    Kernel {
        name: "6.1-s390x",
        architecture: Architecture::S390x,
        version: "6.1",
        archive: "debian",
        suite: "bookworm",
    },
];

/// A kernel of Debian's.
#[derive(Clone, Copy)]
pub(super) struct Kernel {
    /// What it is called here.
    pub(super) name: &'static str,
    pub(super) architecture: Architecture,
    version: &'static str,
    archive: &'static str,
    suite: &'static str,
}

impl Kernel {
    const fn amd64(version: &'static str, archive: &'static str, suite: &'static str) -> Self {
        Self { name: version, architecture: Architecture::Amd64, version, archive, suite }
    }
}

/// How long one step with packages may take.
const PATIENCE: Duration = Duration::from_secs(600);

/// What the first root needs to mount the second.
const MODULES: [&str; 4] = ["virtio_pci", "virtio_ccw", "9pnet_virtio", "9p"];

/// What a guest of another architecture has of its own, for it cannot run this machine's programs.
const PROGRAMS: [&str; 9] =
    ["busybox-static", "bash", "coreutils", "dash", "ethtool", "iproute2", "iptables", "nftables", "util-linux"];

/// Names that packages give their programs only when they are installed.
const LINKS: [(&str, &str); 2] = [("bin/sh", "dash"), ("usr/sbin/iptables", "xtables-nft-multi")];

/// Modules that tests want and that nothing loads by itself; the last two make the random numbers of IPsec.
const LOAD: [&str; 4] = ["mpls_router", "ila", "drbg", "jitterentropy_rng"];

const INIT: &str = include_str!("init.sh");

pub(super) fn guest(name: &str) -> Outcome<Guest> {
    let kernel = KERNELS
        .iter()
        .find(|kernel| kernel.name == name)
        .context(|| format!("kernel {name}: known are {}", KERNELS.map(|kernel| kernel.name).join(", ")))?;
    if !cfg!(target_arch = "x86_64") {
        return Err(Failure::new("guests are only made on x86-64"));
    }
    tools(kernel.architecture)?;
    let folder = cache()?.join(name);
    let stamp = folder.join("release");
    let programs = fs::read_to_string(folder.join("root/programs")).ok();
    let outdated = kernel.architecture != Architecture::Amd64 && programs != Some(PROGRAMS.join(" "));
    if !stamp.exists() || outdated {
        println!("guest: making one with kernel {name} in {}", folder.display());
        unpack(*kernel, &folder).map_err(|failure| failure.because(format!("kernel {name}")))?;
    }
    let release = fs::read_to_string(&stamp).context(|| format!("cannot read {}", stamp.display()))?;
    // The init script is this program's own, so it is put into the guest anew when it is another.
    initramfs(kernel.architecture, &folder, &release)?;
    let load = LOAD.map(str::to_owned).to_vec();
    Ok(Guest { release, architecture: kernel.architecture, folder, load, memory: 512 })
}

fn cache() -> Outcome<PathBuf> {
    let folder = match (std::env::var_os("RINGLINK_VM_DIR"), std::env::var_os("HOME")) {
        (Some(folder), _) => PathBuf::from(folder),
        (None, Some(home)) => PathBuf::from(home).join(".cache/ringlink-vm"),
        (None, None) => return Err(Failure::new("neither RINGLINK_VM_DIR nor HOME is set")),
    };
    fs::create_dir_all(&folder).context(|| format!("cannot make {}", folder.display()))?;
    folder.canonicalize().context(|| folder.display().to_string())
}

/// Installs the programs that make and run guests, where they are not there.
fn tools(architecture: Architecture) -> Outcome {
    let emulator = (architecture.emulator(), architecture.emulator_package());
    let tools = [("busybox", "busybox-static"), ("depmod", "kmod"), ("xz", "xz-utils"), ("zstd", "zstd"), emulator];
    let missing: Vec<&str> =
        tools.iter().filter(|(program, _)| !exists(program)).map(|(_, package)| *package).collect();
    if missing.is_empty() {
        return Ok(());
    }
    println!("guest: installing {}", missing.join(" "));
    if !exists("apt-get") {
        return Err(Failure::new(format!("missing: {}", missing.join(", "))));
    }
    must(Command::new("apt-get").arg("update"), PATIENCE)?;
    let removes = |plan: &str| plan.lines().any(|line| line.starts_with("Remv "));
    if install(&[], &missing, true).is_ok_and(|plan| !removes(&plan)) {
        return install(&[], &missing, false).map(drop);
    }
    // A machine that has other parts of the emulator from backports takes this one from there, too. Some parts are
    // packages of their own only there.
    let codename = os_release("VERSION_CODENAME")?;
    let names = ["", "-updates", "-backports"].map(|suffix| format!("{codename}{suffix}"));
    let suites: Vec<(&str, &str)> = names.iter().map(|name| ("debian", name.as_str())).collect();
    let apt = Apt::new("tools", &suites, None)?;
    let options: Vec<String> = apt.options.iter().cloned().chain(["-t".into(), names[2].clone()]).collect();
    if removes(&install(&options, &missing, true)?) {
        return Err(Failure::new(format!("installing {} would remove other packages", missing.join(", "))));
    }
    install(&options, &missing, false).map(drop)
}

fn install(options: &[String], packages: &[&str], only_say: bool) -> Outcome<String> {
    let mut command = Command::new("apt-get");
    command.args(options).args(["install", "-y", "--no-install-recommends"]);
    if only_say {
        command.arg("--simulate");
    }
    must(command.args(packages).env("DEBIAN_FRONTEND", "noninteractive"), PATIENCE)
}

fn os_release(name: &str) -> Outcome<String> {
    let text = fs::read_to_string("/etc/os-release").context(|| "cannot read /etc/os-release")?;
    let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    value.map(|value| value.trim_matches('"').to_owned()).context(|| format!("/etc/os-release has no {name}"))
}

/// An apt configuration of its own: its sources, its lists, and unless it is to install, no packages installed and an
/// architecture of its own.
struct Apt {
    options: Vec<String>,
}

impl Apt {
    fn new(name: &str, suites: &[(&str, &str)], alone: Option<Architecture>) -> Outcome<Self> {
        let folder = cache()?.join("apt").join(name);
        for part in ["lists/partial", "cache/archives/partial"] {
            let path = folder.join(part);
            fs::create_dir_all(&path).context(|| format!("cannot make {}", path.display()))?;
        }
        let host = mirror()?;
        let key = "/usr/share/keyrings/debian-archive-keyring.gpg";
        let sources: String = suites
            .iter()
            .map(|(archive, suite)| format!("deb [signed-by={key}] {host}/{archive} {suite} main\n"))
            .collect();
        write(&folder.join("sources.list"), sources.as_bytes())?;
        let set = |name: &str, value: &Path| format!("-o{name}={}", value.display());
        let mut options = vec![
            set("Dir::Etc::SourceList", &folder.join("sources.list")),
            set("Dir::Etc::SourceParts", Path::new("-")),
            set("Dir::State::Lists", &folder.join("lists")),
            set("Dir::Cache", &folder.join("cache")),
            "-oAPT::Sandbox::User=root".to_owned(),
        ];
        if let Some(architecture) = alone {
            write(&folder.join("status"), b"")?;
            options.push(set("Dir::State::status", &folder.join("status")));
            options.push(format!("-oAPT::Architecture={}", architecture.name()));
            options.push(format!("-oAPT::Architectures={}", architecture.name()));
        }
        must(Command::new("apt-get").args(&options).arg("update"), PATIENCE)?;
        Ok(Self { options })
    }

    /// The newest kernel of this version, without the flavours for clouds and for real time.
    fn newest(&self, version: &str, architecture: Architecture) -> Outcome<String> {
        let pattern = format!("^linux-image-{}[.]", version.replace('.', "[.]"));
        let found =
            must(Command::new("apt-cache").args(&self.options).args(["search", "--names-only", &pattern]), PATIENCE)?;
        let mut names: Vec<&str> = found
            .lines()
            .filter_map(|line| line.split(' ').next())
            .filter(|name| is_plain(name, architecture))
            .collect();
        names.sort_by_key(|name| numbers(name));
        names.pop().map(str::to_owned).context(|| format!("Debian has no linux-image-{version} now"))
    }

    /// A kernel's package and what of the kernel it depends upon: newer ones come in parts.
    fn parts(&self, image: &str) -> Outcome<Vec<String>> {
        let mut parts = vec![image.to_owned()];
        let mut at = 0;
        while let Some(package) = parts.get(at).cloned() {
            let found = must(Command::new("apt-cache").args(&self.options).args(["depends", &package]), PATIENCE)?;
            for name in found.lines().filter_map(|line| line.trim().strip_prefix("Depends: ")) {
                let of_kernel =
                    ["linux-binary-", "linux-modules-", "linux-base-"].iter().any(|part| name.starts_with(part));
                if of_kernel && !parts.iter().any(|part| part == name) {
                    parts.push(name.to_owned());
                }
            }
            at += 1;
        }
        Ok(parts)
    }
}

/// The host that the machine's own sources name.
fn mirror() -> Outcome<String> {
    let mut files = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(folder) = fs::read_dir("/etc/apt/sources.list.d") {
        files.extend(folder.filter_map(Result::ok).map(|entry| entry.path()));
    }
    let texts = files.iter().filter_map(|path| fs::read_to_string(path).ok());
    texts.into_iter().find_map(|text| host(&text)).context(|| "the machine's apt sources name no Debian mirror")
}

/// What stands before `/debian` in the first source that is Debian's.
fn host(sources: &str) -> Option<String> {
    let lines = sources.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let words = lines.flat_map(str::split_whitespace);
    words
        .filter_map(|word| word.trim_end_matches('/').strip_suffix("/debian"))
        .find(|host| host.contains("://"))
        .map(str::to_owned)
}

fn is_plain(package: &str, architecture: Architecture) -> bool {
    let flavour = |name: &str| package.split('-').any(|part| part == name);
    flavour(architecture.name()) && !["cloud", "rt", "dbg", "unsigned", "template"].into_iter().any(flavour)
}

/// The numbers in a name, so that 6.12.9 is older than 6.12.10.
fn numbers(name: &str) -> Vec<u64> {
    name.split(|letter: char| !letter.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

fn unpack(kernel: Kernel, folder: &Path) -> Outcome {
    let Kernel { architecture, version, archive, suite, .. } = kernel;
    let place = match architecture {
        Architecture::Amd64 => suite.to_owned(),
        other => format!("{suite}-{}", other.name()),
    };
    let apt = Apt::new(&place, &[(archive, suite)], Some(architecture))?;
    let image = apt.newest(version, architecture)?;
    let parts = apt.parts(&image)?;
    println!("guest: fetching {}", parts.join(" "));
    let work = folder.with_extension("new");
    let _ = fs::remove_dir_all(&work);
    let root = work.join("root");
    fs::create_dir_all(&root).context(|| format!("cannot make {}", root.display()))?;
    must(Command::new("apt-get").args(&apt.options).arg("download").args(&parts).current_dir(&work), PATIENCE)?;
    for file in files(&work)?.iter().filter(|file| file.extension().is_some_and(|ending| ending == "deb")) {
        must(Command::new("dpkg-deb").arg("-x").arg(file).arg(&root), PATIENCE)?;
        fs::remove_file(file).context(|| format!("cannot remove {}", file.display()))?;
    }

    let modules = ["lib/modules", "usr/lib/modules"].map(|path| root.join(path));
    let modules = modules.iter().filter_map(|path| files(path).ok()?.pop()).find(|path| path.join("kernel").is_dir());
    let modules = modules.context(|| format!("{image} has no modules"))?;
    let release = modules.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let images = [root.join("boot"), root.join("usr/lib/modules").join(&release), modules.clone()];
    let images = images.iter().flat_map(|path| files(path).unwrap_or_default());
    let packed = images
        .into_iter()
        .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("vmlinuz")));
    let packed = packed.context(|| format!("{image} has no kernel"))?;
    let packed = fs::read(&packed).context(|| format!("cannot read {}", packed.display()))?;
    let kernel = unpacked_kernel(&packed).unwrap_or(packed);
    write(&work.join("kernel"), &kernel)?;

    let home = work.join("lib/modules");
    fs::create_dir_all(&home).context(|| format!("cannot make {}", home.display()))?;
    let home = home.join(&release);
    fs::rename(&modules, &home).context(|| format!("cannot move {}", modules.display()))?;
    must(Command::new("find").arg(&home).args(["-name", "*.ko.xz", "-exec", "xz", "-d", "{}", "+"]), PATIENCE)?;
    must(Command::new("depmod").arg("-b").arg(&work).arg(&release), PATIENCE)?;
    fs::remove_dir_all(&root).context(|| format!("cannot remove {}", root.display()))?;
    if architecture != Architecture::Amd64 {
        own_root(&apt, &root)?;
    }
    let _ = fs::remove_dir_all(folder);
    fs::rename(&work, folder).context(|| format!("cannot move {}", work.display()))?;
    write(&folder.join("release"), release.as_bytes())
}

/// Unpacks programs of another architecture, and all that they need, into a folder that a guest takes for its root. The
/// machine's own root is in its `/machine`.
fn own_root(apt: &Apt, root: &Path) -> Outcome {
    println!("guest: fetching programs: {}", PROGRAMS.join(" "));
    let mut command = Command::new("apt-get");
    let work = root.with_extension("packages");
    fs::create_dir_all(work.join("partial")).context(|| format!("cannot make {}", work.display()))?;
    command.args(&apt.options).arg(format!("-oDir::Cache::archives={}", work.display()));
    command.args(["install", "-y", "--download-only", "--no-install-recommends"]).args(PROGRAMS);
    must(&mut command, PATIENCE)?;
    for name in ["machine", "proc", "sys", "dev", "run", "tmp", "root"] {
        let path = root.join(name);
        fs::create_dir_all(&path).context(|| format!("cannot make {}", path.display()))?;
    }
    for file in files(&work)?.iter().filter(|file| file.extension().is_some_and(|ending| ending == "deb")) {
        must(Command::new("dpkg-deb").arg("-x").arg(file).arg(root), PATIENCE)?;
    }
    for (name, target) in LINKS {
        let link = root.join(name);
        if link.symlink_metadata().is_err() {
            std::os::unix::fs::symlink(target, &link).context(|| format!("cannot make {}", link.display()))?;
        }
    }
    fs::remove_dir_all(&work).context(|| format!("cannot remove {}", work.display()))?;
    write(&root.join("programs"), PROGRAMS.join(" ").as_bytes())
}

/// The ELF image inside a bzImage (Documentation/arch/x86/boot.rst), so that no emulated processor has to unpack it.
/// `None` where that is not how this image is made: the emulator takes it as it is, only slower.
fn unpacked_kernel(image: &[u8]) -> Option<Vec<u8>> {
    let number = |at: usize| Some(u32::from_le_bytes(image.get(at..at + 4)?.try_into().ok()?) as usize);
    if image.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let sectors = match image.get(0x1f1)? {
        0 => 4,
        sectors => usize::from(*sectors),
    };
    let start = (sectors + 1) * 512 + number(0x248)?;
    let packed = image.get(start..start.checked_add(number(0x24c)?)?)?;
    let (program, arguments): (&str, &[&str]) = match packed.get(..4)? {
        [0xfd, b'7', b'z', b'X'] => ("xz", &["-dc", "--single-stream"]),
        [0x28, 0xb5, 0x2f, 0xfd] => ("zstd", &["-dc"]),
        _ => return None,
    };
    // Four bytes behind the stream say its size.
    let stream = packed.get(..packed.len().checked_sub(4)?)?;
    let kernel = filter(Command::new(program).args(arguments), stream.to_vec()).ok()?;
    kernel.starts_with(b"\x7fELF").then_some(kernel)
}

/// Writes the first root: busybox, the module tools, the modules that the second root needs, the init script.
fn initramfs(architecture: Architecture, folder: &Path, release: &str) -> Outcome {
    let mut archive = Archive::default();
    for name in ["bin", "sbin", "proc", "sys", "dev", "run", "host", "lib", "modules"] {
        archive.folder(name);
    }
    let busybox = match architecture {
        Architecture::Amd64 => program("busybox")?,
        Architecture::S390x => folder.join("root/bin/busybox"),
    };
    archive.file("bin/busybox", &read(&busybox)?, 0o755);
    for name in ["sh", "mount", "poweroff", "echo", "chroot", "sed", "mkdir", "ln", "uname", "printf", "dd"] {
        archive.link(&format!("bin/{name}"), "busybox");
    }
    if architecture == Architecture::Amd64 {
        let kmod = program("kmod")?;
        archive.file("bin/kmod", &read(&kmod)?, 0o755);
        let libraries = must(Command::new("ldd").arg(&kmod), PATIENCE)?;
        for library in libraries.split_whitespace().filter(|word| word.starts_with('/')) {
            archive.file(library.trim_start_matches('/'), &read(Path::new(library))?, 0o755);
        }
    }
    for name in ["sbin/modprobe", "sbin/insmod"] {
        archive.link(name, if architecture == Architecture::Amd64 { "../bin/kmod" } else { "../bin/busybox" });
    }
    let mut loaded: Vec<String> = Vec::new();
    for module in MODULES {
        let mut command = Command::new("modprobe");
        command.arg("-d").arg(folder).args(["-S", release, "--show-depends", module]);
        // A module that is built in has nothing to show.
        let Ok(lines) = must(&mut command, PATIENCE) else {
            continue;
        };
        for path in lines.lines().filter_map(|line| line.strip_prefix("insmod ")) {
            let path = path.trim().to_owned();
            if !loaded.contains(&path) {
                archive.file(&format!("modules/{:02}.ko", loaded.len()), &read(Path::new(&path))?, 0o644);
                loaded.push(path);
            }
        }
    }
    archive.file("init", INIT.as_bytes(), 0o755);
    let (path, new) = (folder.join("initramfs"), folder.join(format!("initramfs-{}", std::process::id())));
    let bytes = archive.finish();
    if fs::read(&path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    // Another guest may be starting from the old one.
    write(&new, &bytes)?;
    fs::rename(&new, &path).context(|| format!("cannot replace {}", path.display()))
}

fn program(name: &str) -> Outcome<PathBuf> {
    let folders = ["/bin", "/usr/bin", "/sbin", "/usr/sbin"];
    folders
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
        .context(|| format!("no {name}"))
}

/// An archive as the kernel unpacks it into its first root (Documentation/driver-api/early-userspace/buffer-format.rst).
#[derive(Default)]
struct Archive {
    bytes: Vec<u8>,
    entries: usize,
}

impl Archive {
    fn folder(&mut self, name: &str) {
        self.entry(name, 0o040_755, &[]);
    }

    fn link(&mut self, name: &str, target: &str) {
        self.entry(name, 0o120_777, target.as_bytes());
    }

    /// Adds a file, and the folders above it.
    fn file(&mut self, name: &str, content: &[u8], mode: u32) {
        for (at, _) in name.match_indices('/') {
            self.folder(&name[..at]);
        }
        self.entry(name, 0o100_000 | mode, content);
    }

    fn entry(&mut self, name: &str, mode: u32, content: &[u8]) {
        self.entries += 1;
        let fields = [self.entries, mode as usize, 0, 0, 1, 0, content.len(), 0, 0, 0, 0, name.len() + 1, 0];
        self.bytes.extend(b"070701");
        for field in fields {
            self.bytes.extend(format!("{field:08X}").bytes());
        }
        self.bytes.extend([name.as_bytes(), &[0]].concat());
        self.pad();
        self.bytes.extend(content);
        self.pad();
    }

    fn pad(&mut self) {
        self.bytes.resize(self.bytes.len().next_multiple_of(4), 0);
    }

    fn finish(mut self) -> Vec<u8> {
        self.entry("TRAILER!!!", 0, &[]);
        self.bytes
    }
}

fn files(folder: &Path) -> Outcome<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).context(|| format!("cannot read {}", folder.display()))?;
    let paths: Result<Vec<_>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    paths.context(|| format!("cannot read {}", folder.display()))
}

fn read(path: &Path) -> Outcome<Vec<u8>> {
    fs::read(path).context(|| format!("cannot read {}", path.display()))
}

fn write(path: &Path, content: &[u8]) -> Outcome {
    fs::write(path, content).context(|| format!("cannot write {}", path.display()))?;
    // Guests read as root of another machine would: whoever made the file, all may read it.
    fs::set_permissions(path, fs::Permissions::from_mode(0o644))
        .context(|| format!("cannot open up {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mirror_is_read_from_either_form_of_source() {
        let old = "# deb http://old.example/debian a main\ndeb http://mirror.example/debian bookworm main\n";
        let new = "Types: deb\nURIs: http://mirror.example/debian/\nSuites: bookworm\n";
        assert_eq!(host(old).as_deref(), Some("http://mirror.example"));
        assert_eq!(host(new).as_deref(), Some("http://mirror.example"));
        assert_eq!(host("deb http://other.example/apt a main"), None);
    }

    #[test]
    fn the_newest_plain_kernel_is_told() {
        let mut names = ["linux-image-6.12.9+deb12-amd64", "linux-image-6.12.10+deb12-amd64"];
        names.sort_by_key(|name| numbers(name));
        assert_eq!(names[1], "linux-image-6.12.10+deb12-amd64");
        assert!(is_plain(names[0], Architecture::Amd64));
        assert!(!is_plain("linux-image-6.12.9+deb12-cloud-amd64", Architecture::Amd64));
        assert!(!is_plain("linux-image-6.12.9+deb12-rt-amd64", Architecture::Amd64));
        assert!(is_plain("linux-image-6.1.0-56-s390x", Architecture::S390x));
        assert!(!is_plain(names[0], Architecture::S390x));
    }

    #[test]
    fn an_archive_has_its_entries_aligned() {
        let mut archive = Archive::default();
        archive.file("a/b", b"xyz", 0o644);
        let bytes = archive.finish();
        assert!(bytes.starts_with(b"07070100000001000041ED"));
        assert_eq!(bytes.len() % 4, 0);
        assert_eq!(bytes.windows(6).filter(|part| *part == b"070701").count(), 3);
    }
}
