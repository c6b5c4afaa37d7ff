//! What can be wrong with bytes.

use core::fmt;

/// Why bytes could not be read, or did not fit when written.
///
/// Small and `Copy`: names are looked up from the tables when a failure is made, strings are made when it is printed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where, in bytes from the start of the message; for a broken message header, from the start of the datagram.
    pub offset: u32,
    /// The attribute at fault, 0 where it is none.
    pub attribute: u16,
    /// The attribute's full kernel name (`IFLA_MTU`), empty where no table has it.
    pub name: &'static str,
}

/// The ways in which bytes can be wrong. Lengths are in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ErrorKind {
    /// Fewer bytes than a message header has.
    MessageTruncated {
        /// Bytes that are there.
        found: u32,
    },
    /// `nlmsg_len` is below 16 or reaches past the end of the datagram.
    MessageLength {
        /// What the header says.
        length: u32,
        /// Bytes that are there.
        available: u32,
    },
    /// Bytes behind the last attribute that are neither an attribute nor padding.
    AttributeTruncated {
        /// Bytes that are there.
        found: u32,
    },
    /// `nla_len` is below 4 or reaches past the end of what holds it.
    AttributeLength {
        /// What the attribute says.
        length: u16,
        /// Bytes that are there.
        available: u32,
    },
    /// A payload of the wrong length.
    PayloadLength {
        /// Bytes that are there.
        found: u32,
        /// Bytes that the value has.
        expected: u32,
    },
    /// A record inside a payload says a length that cannot be.
    RecordLength {
        /// What the record says.
        length: u32,
        /// Bytes that are there.
        available: u32,
    },
    /// Bytes that say something else than what has to stand there: a magic number, a separator.
    Unexpected,
    /// A message of another type than the one asked for.
    MessageType {
        /// The type that is there.
        found: u16,
        /// The type asked for.
        expected: u16,
    },
    /// The buffer is too small for what was written.
    Full {
        /// The size that would have been enough.
        needed: u32,
        /// The size that is there.
        capacity: u32,
    },
    /// A written payload is longer than an attribute's 16-bit length can say (65,531 bytes).
    TooLong {
        /// Its length, header included.
        length: u32,
    },
}

impl Error {
    /// An error without an attribute.
    #[cold]
    #[must_use]
    pub const fn new(kind: ErrorKind, offset: u32) -> Self {
        Self { kind, offset, attribute: 0, name: "" }
    }

    /// For a buffer that was too small: the size that would have been enough, in bytes.
    ///
    /// ```
    /// use ringlink_codec::wire::Writer;
    ///
    /// let mut buffer = [0; 4];
    /// let mut writer = Writer::new(&mut buffer);
    /// writer.bytes(&[0; 10]);
    /// assert_eq!(writer.finish().unwrap_err().needed(), Some(10));
    /// ```
    #[must_use]
    pub const fn needed(&self) -> Option<u32> {
        match self.kind {
            ErrorKind::Full { needed, .. } => Some(needed),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name, self.attribute) {
            ("", 0) => {}
            ("", number) => write!(f, "attribute {number}: ")?,
            (name, _) => write!(f, "{name}: ")?,
        }
        match self.kind {
            ErrorKind::MessageTruncated { found } => {
                write!(f, "{found} bytes found where a message header has 16")?;
            }
            ErrorKind::MessageLength { length, available } => {
                write!(f, "message says {length} bytes, {available} are there")?;
            }
            ErrorKind::AttributeTruncated { found } => {
                write!(f, "{found} bytes found where an attribute header has 4")?;
            }
            ErrorKind::AttributeLength { length, available } => {
                write!(f, "attribute says {length} bytes, {available} are there")?;
            }
            ErrorKind::PayloadLength { found, expected } => {
                write!(f, "{found} bytes found, {expected} expected")?;
            }
            ErrorKind::RecordLength { length, available } => {
                write!(f, "record says {length} bytes, {available} are there")?;
            }
            ErrorKind::Unexpected => f.write_str("not what has to stand there")?,
            ErrorKind::MessageType { found, expected } => {
                return write!(f, "message type {found} found, {expected} expected");
            }
            ErrorKind::Full { needed, capacity } => {
                return write!(f, "buffer holds {capacity} bytes, {needed} are needed");
            }
            ErrorKind::TooLong { length } => {
                write!(f, "{length} bytes written, an attribute holds at most 65535")?;
            }
        }
        write!(f, ", at offset {}", self.offset)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({self})")
    }
}

impl core::error::Error for Error {}
