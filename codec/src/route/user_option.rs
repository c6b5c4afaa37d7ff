//! Options of router advertisements that are for programs, such as name servers (include/uapi/linux/rtnetlink.h;
//! net/ipv6/ndisc.c).
//!
//! The options stand as they came between the message's header and its attributes.
//!
//! ```
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::route::{Family, Rtm, UserOption, UserOptionHeader, UserOptions};
//!
//! // A captive portal (RFC 8910): type, length in units of 8 bytes, text.
//! let option = b"\x25\x02https://a.b/\0\0";
//! let header = UserOptionHeader { family: Family::INET6, ifindex: 2, opts_len: 16, icmp_type: 134, ..Default::default() };
//! let mut buffer = Buffer::<128>::new();
//! let bytes = buffer.message(Rtm::NEWNDUSEROPT, header, |message| {
//!     message.tail(option);
//!     message.put(UserOption::SRCADDR, core::net::Ipv6Addr::LOCALHOST);
//! })?;
//!
//! let message = Message::parse(bytes)?;
//! assert_eq!(message.body(Rtm::NEWNDUSEROPT)?.attributes.get(UserOption::SRCADDR)?, Some(core::net::Ipv6Addr::LOCALHOST));
//! let mut options = UserOptions::read(message)?;
//! assert_eq!(options.next(), Some(Ok((0x25, &option[2..]))));
//! assert_eq!(options.next(), None);
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use core::net::Ipv6Addr;

use super::{Family, Rtm};
use crate::table::Record;
use crate::wire::{Error, ErrorKind, MESSAGE_HEADER, Message, short};
use crate::{record, space};

record! {
    /// What messages of options begin with.
    pub UserOptionHeader, "nduseroptmsg", "nduseropt_", then opts_len {
        /// `INET6`.
        family: Family,
        /// Nothing.
        pad1: u8,
        /// Bytes of the options behind this struct.
        opts_len: u16,
        /// Interface that the advertisement came in by.
        ifindex: i32,
        /// Type of the ICMPv6 message: 134.
        icmp_type: u8,
        /// Its code: 0.
        icmp_code: u8,
        /// Nothing.
        pad2: u16,
        /// Nothing.
        pad3: u32,
    }
}

/// Header and attributes of notifications of options.
pub type UserOptionMessage = (UserOptionHeader, UserOption);

space! {
    /// Where options came from.
    pub UserOption, "NDUSEROPT_" {
        /// Address of the router.
        SRCADDR: Ipv6Addr = 1,
    }
}

/// The options of a message: the type of each, and what stands behind its type and length (RFC 4861).
#[derive(Clone, Copy, Debug)]
pub struct UserOptions<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> UserOptions<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// If the message is of another type, or shorter than its header says.
    pub fn read(message: Message<'a>) -> Result<Self, Error> {
        message.body(Rtm::NEWNDUSEROPT)?;
        let (start, end) = (UserOptionHeader::LAYOUT.size, UserOptionHeader::LAYOUT.length(message.payload));
        match message.payload.get(start..end) {
            Some(bytes) => Ok(Self { bytes, offset: MESSAGE_HEADER.saturating_add(start) }),
            None => {
                let kind = ErrorKind::PayloadLength { found: short(message.payload.len()), expected: short(end) };
                Err(Error::new(kind, short(MESSAGE_HEADER)))
            }
        }
    }
}

impl<'a> Iterator for UserOptions<'a> {
    type Item = Result<(u8, &'a [u8]), Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.is_empty() {
            return None;
        }
        let length = self.bytes.get(1).map_or(0, |units| usize::from(*units).saturating_mul(8));
        match self.bytes.split_at_checked(length) {
            Some(([kind, _, option @ ..], rest)) => {
                self.bytes = rest;
                self.offset = self.offset.saturating_add(length);
                Some(Ok((*kind, option)))
            }
            _ => {
                let kind = ErrorKind::PayloadLength { found: short(self.bytes.len()), expected: short(length.max(8)) };
                self.bytes = &[];
                Some(Err(Error::new(kind, short(self.offset))))
            }
        }
    }
}
