//! Programs of interfaces (`link set … xdp`) and of routes (`encap bpf`): they come and go, as `ip` sees them.

mod support;

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::{Path, PathBuf};

use support::Netns;

/// A program that returns this number: two instructions of eight bytes (include/uapi/linux/bpf.h).
fn returning(number: u8) -> [u8; 16] {
    let mut code = [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];
    code[4..8].copy_from_slice(&u32::from(number).to_ne_bytes());
    code
}

/// The beginning of `union bpf_attr` for `BPF_PROG_LOAD` (bpf(2)).
#[repr(C)]
#[derive(Default)]
struct Load {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
}

/// The same for `BPF_OBJ_PIN`.
#[repr(C)]
struct Pin {
    pathname: u64,
    bpf_fd: u32,
    file_flags: u32,
}

const PROGRAM_LOAD: libc::c_int = 5;
const OBJECT_PIN: libc::c_int = 6;

/// Types of programs, each with a number that lets a packet pass (`XDP_PASS`, `BPF_OK`).
const XDP: (u32, u8) = (6, 2);
const ROUTE_IN: (u32, u8) = (10, 0);
const ROUTE_OUT: (u32, u8) = (11, 0);
const ROUTE_XMIT: (u32, u8) = (12, 0);

fn number(pointer: *const impl Sized) -> u64 {
    u64::try_from(pointer.expose_provenance()).unwrap()
}

/// Loads a program that lets everything pass. Its descriptor stays open in the programs that this one starts.
fn program((prog_type, answer): (u32, u8)) -> io::Result<OwnedFd> {
    let code = returning(answer);
    let (insns, license) = (number(&raw const code), number(c"MIT".as_ptr()));
    let load = Load { prog_type, insn_cnt: 2, insns, license, ..Load::default() };
    // SAFETY: bpf(2) reads `size_of::<Load>()` bytes of `load`, two instructions at `insns`, which live to the end of
    // this function, and the static string at `license`. It writes nothing without a log buffer.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, PROGRAM_LOAD, &raw const load, size_of::<Load>()) };
    let descriptor = RawFd::try_from(answer).ok().filter(|descriptor| *descriptor >= 0);
    let descriptor = descriptor.ok_or_else(io::Error::last_os_error)?;
    // SAFETY: the call has just made it, nothing else knows it.
    let program = unsafe { OwnedFd::from_raw_fd(descriptor) };
    // SAFETY: F_SETFD changes a flag of this open descriptor and no memory.
    match unsafe { libc::fcntl(program.as_raw_fd(), libc::F_SETFD, 0) } {
        0 => Ok(program),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A BPF file system of this thread's own, and of the programs that it starts.
struct Pins {
    folder: PathBuf,
}

impl Pins {
    fn new() -> io::Result<Self> {
        let folder = std::env::temp_dir().join(format!("ringlink-xdp-{}", std::process::id()));
        fs::create_dir(&folder)?;
        let pins = Self { folder };
        // SAFETY: takes numbers only; from here on this thread has mounts of its own.
        if unsafe { libc::unshare(libc::CLONE_NEWNS) } != 0 {
            return Err(io::Error::last_os_error());
        }
        pins.mount(c"/", libc::MS_REC | libc::MS_PRIVATE, None)?;
        let folder = CString::new(pins.folder.to_str().unwrap()).unwrap();
        pins.mount(&folder, 0, Some(c"bpf"))?;
        Ok(pins)
    }

    fn mount(&self, target: &std::ffi::CStr, flags: libc::c_ulong, kind: Option<&std::ffi::CStr>) -> io::Result<()> {
        let kind = kind.map_or(std::ptr::null(), std::ffi::CStr::as_ptr);
        // SAFETY: `target` and `kind` are strings that end with NUL, or null where mount(2) looks at none.
        match unsafe { libc::mount(c"none".as_ptr(), target.as_ptr(), kind, flags, std::ptr::null()) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    fn pin(&self, program: &OwnedFd) -> io::Result<PathBuf> {
        let path = self.folder.join("pass");
        let name = CString::new(path.to_str().unwrap()).unwrap();
        let pin = Pin { pathname: number(name.as_ptr()), bpf_fd: program.as_raw_fd().unsigned_abs(), file_flags: 0 };
        // SAFETY: bpf(2) reads `size_of::<Pin>()` bytes of `pin` and the string at `pathname`, which lives longer.
        match unsafe { libc::syscall(libc::SYS_bpf, OBJECT_PIN, &raw const pin, size_of::<Pin>()) } {
            0 => Ok(path),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

impl Drop for Pins {
    fn drop(&mut self) {
        // The mount goes with the thread; outside of it the folder is an empty one.
        remove(&self.folder);
    }
}

/// Takes the mount off and removes the folder under it.
fn remove(folder: &Path) {
    let name = CString::new(folder.to_str().unwrap_or_default()).unwrap_or_default();
    // SAFETY: `name` is a string that ends with NUL. That nothing may be mounted there does not matter.
    unsafe { libc::umount2(name.as_ptr(), libc::MNT_DETACH) };
    let _ = fs::remove_dir(folder);
}

#[test]
fn programs_are_attached_and_taken_off() {
    const TEST: &str = "programs_are_attached_and_taken_off";
    let Some(netns) = Netns::with_interfaces(TEST) else { return };
    let program = match program(XDP) {
        Ok(program) => program,
        Err(error) => {
            println!("absent: {TEST}: bpf(2): {error}");
            return;
        }
    };
    let descriptor = program.as_raw_fd();
    // Both programs print where it is attached, and its number.
    let attached = || {
        netns.compare("link show dev v0");
        let rows = netns.rows("link show dev v0");
        rows.first().map_or(0, |row| row["xdp"]["mode"].as_u64().unwrap_or(0))
    };
    for (word, mode) in [("xdp", 1), ("xdpdrv", 1), ("xdpgeneric", 2)] {
        netns.change(&format!("link set dev v0 {word} fd {descriptor}"));
        assert_eq!(attached(), mode, "{word}");
        // There is one already.
        let refused = netns.ringlink(&format!("link set dev v0 {word} fd {descriptor}"));
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(refused.status.code() == Some(2) && error.contains("EBUSY"), "{word}: {error}");
        netns.change(&format!("--force link set dev v0 {word} fd {descriptor}"));
        netns.change(&format!("link set dev v0 {word} off"));
        assert_eq!(attached(), 0, "{word} off");
    }
    let refused = netns.ringlink(&format!("link set dev v0 xdpoffload fd {descriptor}"));
    assert_eq!(refused.status.code(), Some(2), "{}", String::from_utf8_lossy(&refused.stderr));

    let pins = Pins::new().unwrap();
    let path = pins.pin(&program).unwrap();
    netns.change(&format!("link set v0 mtu 1400 xdpgeneric pinned {} alias with-a-program", path.display()));
    assert_eq!(attached(), 2);
    netns.ip("link set dev v0 xdpgeneric off");
    assert_eq!(attached(), 0);
    let refused = netns.ringlink("link set dev v0 xdp pinned /nonexistent");
    let error = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(1) && error.contains("`/nonexistent`: No such file"), "{error}");
}

#[test]
fn routes_run_programs() {
    const TEST: &str = "routes_run_programs";
    let Some(netns) = Netns::with_interfaces(TEST) else { return };
    netns.ip("addr add 10.0.0.1/24 dev v0");
    let programs = [ROUTE_IN, ROUTE_OUT, ROUTE_XMIT].map(program);
    let [Ok(incoming), Ok(outgoing), Ok(xmit)] = programs else {
        println!("absent: {TEST}: bpf(2): {programs:?}");
        return;
    };
    let [incoming, outgoing, xmit] = [incoming, outgoing, xmit].map(|program| (program.as_raw_fd(), program));
    netns.change(&format!("route add 10.30.0.0/16 encap bpf in fd {} dev v0", incoming.0));
    netns.change(&format!(
        "route add 10.31.0.0/16 encap bpf out fd {} xmit fd {} headroom 16 via 10.0.0.2 dev v0",
        outgoing.0, xmit.0
    ));
    netns.compare("route");
    netns.compare_text("route");
    let rows = netns.rows("route show 10.31.0.0/16");
    let [row] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(row["xmit"], format!("fd {}", xmit.0));
    assert_eq!(row["encap"], "bpf");
    // A program of another type.
    let refused = netns.ringlink(&format!("route add 10.32.0.0/16 encap bpf out fd {} dev v0", incoming.0));
    assert_eq!(refused.status.code(), Some(2), "{}", String::from_utf8_lossy(&refused.stderr));
    netns.change("route del 10.31.0.0/16");
    assert!(netns.rows("route show 10.31.0.0/16").is_empty());
}
