//! `xdp …`: the program that sees packets before the rest of the kernel does.

use std::os::fd::RawFd;

use ringlink::codec::route::{Link, LinkXdp, XdpFlags};
use ringlink::codec::table::AttributeWriter;

use super::Reader;
use crate::bpf::Program;
use crate::failure::Failure;

impl Reader<'_, '_> {
    /// Reads which program is to run where, or that none is.
    pub(super) fn xdp(&mut self, link: &mut AttributeWriter<'_, '_, Link>, place: XdpFlags) -> Result<(), Failure> {
        let descriptor = if self.words.take("off") || self.words.take("none") {
            -1
        } else {
            let program = Program::read(self.words, "off, pinned PATH or fd NUMBER")?;
            let descriptor = program.descriptor();
            self.programs.push(program);
            descriptor
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
