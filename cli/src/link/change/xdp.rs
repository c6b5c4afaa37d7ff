//! `xdp …`: the program that sees packets before the rest of the kernel does.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

use ringlink::codec::route::{Link, LinkXdp, XdpFlags};
use ringlink::codec::table::AttributeWriter;

use super::Reader;
use crate::arguments::number;
use crate::failure::Failure;

impl Reader<'_, '_> {
    /// Reads which program is to run where, or that none is.
    pub(super) fn xdp(&mut self, link: &mut AttributeWriter<'_, '_, Link>, place: XdpFlags) -> Result<(), Failure> {
        const EXPECTED: &str = "off, pinned PATH or fd NUMBER";
        let descriptor = match self.words.value(EXPECTED)? {
            "off" | "none" => -1,
            "pinned" | "object-pinned" => {
                let program = pinned(self.words.value("the path of a program in a BPF file system")?)?;
                let descriptor = program.as_raw_fd();
                self.programs.push(program);
                descriptor
            }
            "fd" => self.words.parse("the number of an open descriptor", |word| {
                number::<RawFd>(word).filter(|descriptor| *descriptor >= 0)
            })?,
            _ => return Err(self.words.refuse(EXPECTED)),
        };
        let flags = match self.session.options.force {
            true => place,
            false => place | XdpFlags::UPDATE_IF_NOEXIST,
        };
        link.nest(Link::XDP, |xdp| put(xdp, descriptor, flags));
        Ok(())
    }
}

fn put(xdp: &mut AttributeWriter<'_, '_, LinkXdp>, descriptor: RawFd, flags: XdpFlags) {
    xdp.put(LinkXdp::FD, descriptor);
    if flags != XdpFlags::default() {
        xdp.put(LinkXdp::FLAGS, flags);
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

#[cfg(test)]
mod tests {
    use ringlink::codec::wire::Writer;

    use super::*;

    #[test]
    fn programs_become_attributes() {
        for (descriptor, flags, expected) in [
            (-1, XdpFlags::default(), &[(1_u16, -1_i32)][..]),
            (5, XdpFlags::UPDATE_IF_NOEXIST, &[(1, 5), (3, 1)]),
            (5, XdpFlags::UPDATE_IF_NOEXIST | XdpFlags::SKB_MODE, &[(1, 5), (3, 3)]),
            (5, XdpFlags::DRV_MODE, &[(1, 5), (3, 4)]),
            (5, XdpFlags::HW_MODE, &[(1, 5), (3, 8)]),
        ] {
            let mut buffer = [0; 64];
            let mut writer = Writer::new(&mut buffer);
            put(&mut AttributeWriter::new(&mut writer), descriptor, flags);
            let expected: Vec<u8> = expected
                .iter()
                .flat_map(|(kind, value)| {
                    [&8_u16.to_ne_bytes()[..], &kind.to_ne_bytes(), &value.to_ne_bytes()].concat()
                })
                .collect();
            assert_eq!(writer.finish().unwrap(), expected, "{descriptor} {flags}");
        }
    }
}
