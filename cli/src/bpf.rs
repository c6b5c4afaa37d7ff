//! BPF programs that requests name. They are loaded by others; here they are only opened.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use crate::arguments::{Words, number};
use crate::failure::Failure;

/// A program, open as long as this is there.
#[derive(Debug)]
pub(crate) enum Program {
    /// From a BPF file system: the path, and the program.
    Pinned(String, OwnedFd),
    /// Open already, by whoever started this program.
    Given(RawFd),
}

impl Program {
    /// Reads `pinned PATH` or `fd NUMBER`.
    pub(crate) fn read(words: &mut Words<'_>, expected: &str) -> Result<Self, Failure> {
        match words.value(expected)? {
            "pinned" | "object-pinned" => {
                let path = words.value("the path of a program in a BPF file system")?;
                Ok(Self::Pinned(path.to_owned(), pinned(path)?))
            }
            "fd" => {
                let descriptor = |word: &str| number::<RawFd>(word).filter(|descriptor| *descriptor >= 0);
                words.parse("the number of an open descriptor", descriptor).map(Self::Given)
            }
            _ => Err(words.refuse(expected)),
        }
    }

    /// Its descriptor.
    pub(crate) fn descriptor(&self) -> RawFd {
        match self {
            Self::Pinned(_, program) => program.as_raw_fd(),
            Self::Given(descriptor) => *descriptor,
        }
    }

    /// What people may call it.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Pinned(path, _) => path.clone(),
            Self::Given(descriptor) => format!("fd {descriptor}"),
        }
    }
}

/// The part of `union bpf_attr` that `BPF_OBJ_GET` reads (bpf(2)).
#[repr(C)]
struct ObjectGet {
    pathname: u64,
    bpf_fd: u32,
    file_flags: u32,
}

/// `BPF_OBJ_GET` of `enum bpf_cmd`.
const OBJECT_GET: libc::c_int = 7;

/// Opens a program that is pinned in a BPF file system; open(2) does not open such files.
fn pinned(path: &str) -> Result<OwnedFd, Failure> {
    let failure = |error: io::Error| Failure::Input(format!("program `{path}`: {error}"));
    let name = CString::new(path).map_err(|_| Failure::Input(format!("`{path}` is no path")))?;
    let pathname =
        u64::try_from(name.as_ptr().expose_provenance()).map_err(|_| failure(io::ErrorKind::InvalidInput.into()))?;
    let question = ObjectGet { pathname, bpf_fd: 0, file_flags: 0 };
    // SAFETY: bpf(2) reads `size_of::<ObjectGet>()` bytes of `question`, and the string at `pathname` up to its NUL:
    // `name` lives until the end of this function. It writes to neither.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, OBJECT_GET, &raw const question, size_of::<ObjectGet>()) };
    let descriptor = RawFd::try_from(answer).ok().filter(|descriptor| *descriptor >= 0);
    let descriptor = descriptor.ok_or_else(|| failure(io::Error::last_os_error()))?;
    // SAFETY: bpf(2) has just made this descriptor for this call; nothing else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
