//! Tables as data: what the printer, the audit and the fuzzers follow.

use core::fmt;

/// A set of attributes: what the numbers of one nest, or of one kind of message, mean.
#[derive(Debug)]
pub struct Space {
    /// Name of the Rust type (`Link`).
    pub name: &'static str,
    /// What the kernel's names begin with (`IFLA_`).
    pub prefix: &'static str,
    names: fn() -> &'static [Name],
    /// INVARIANT: one for each of the names, in their order.
    shapes: &'static [Shape],
}

/// The number and the name of an attribute.
#[derive(Clone, Copy, Debug)]
pub struct Name {
    /// Its number, without flags.
    pub number: u16,
    /// The kernel's full name (`IFLA_MTU`).
    pub name: &'static str,
}

/// The name of the attribute with this number, among names by ascending number.
pub(super) fn name_of(names: &[Name], number: u16) -> Option<&'static str> {
    let at = names.binary_search_by_key(&number, |name| name.number).ok()?;
    names.get(at).map(|name| name.name)
}

/// One attribute of a space.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Its number, without flags.
    pub number: u16,
    /// The kernel's full name (`IFLA_MTU`).
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
}

impl Space {
    /// A space; [`space!`](crate::space) makes them. Names stand by ascending number, shapes in the names' order.
    #[doc(hidden)]
    #[must_use]
    pub const fn new(
        name: &'static str,
        prefix: &'static str,
        names: fn() -> &'static [Name],
        shapes: &'static [Shape],
    ) -> Self {
        Self { name, prefix, names, shapes }
    }

    /// The attributes, by ascending number.
    pub fn rows(&self) -> impl Iterator<Item = Row> + Clone + use<> {
        (self.names)().iter().zip(self.shapes).map(|(Name { number, name }, shape)| Row {
            number: *number,
            name,
            shape: *shape,
        })
    }

    /// The row with this number.
    #[must_use]
    pub fn row(&self, number: u16) -> Option<Row> {
        let names = (self.names)();
        let at = names.binary_search_by_key(&number, |name| name.number).ok()?;
        Some(Row { number, name: names.get(at)?.name, shape: *self.shapes.get(at)? })
    }

    /// The row with this kernel name, with or without the prefix.
    #[must_use]
    pub fn row_named(&self, name: &str) -> Option<Row> {
        self.rows().find(|row| row.name == name || row.name.strip_prefix(self.prefix) == Some(name))
    }
}

/// What a payload holds. Spaces are named by function, so that tables may contain themselves.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Shape {
    /// An unsigned number of this many bytes, in the machine's byte order.
    Unsigned(u8),
    /// A signed number of this many bytes, in the machine's byte order.
    Signed(u8),
    /// An unsigned number of this many bytes, big-endian.
    BigEndian(u8),
    /// A signed number of this many bytes, big-endian.
    SignedBigEndian(u8),
    /// An unsigned number of 4 or 8 bytes, as its value needs (`NLA_UINT`).
    Uint,
    /// A signed number of 4 or 8 bytes (`NLA_SINT`).
    Sint,
    /// Nothing: the attribute's presence is its value.
    Flag,
    /// Padding, to be skipped.
    Pad,
    /// Text, ended by NUL or by the end of the payload.
    Text,
    /// Bytes without a meaning to this library.
    Bytes,
    /// Bytes that are not shown unless that is asked for.
    Secret,
    /// A hardware address.
    Hardware,
    /// A protocol address, by its length IPv4 or IPv6.
    Address,
    /// An IPv4 address.
    Ipv4,
    /// An IPv6 address.
    Ipv6,
    /// An address and a port, as a C struct that begins with its family.
    SocketAddress,
    /// A number, with names for its values.
    Named(&'static ValueTable, &'static Shape),
    /// A struct.
    Record(&'static Layout),
    /// This many of the same, one behind the other, without headers.
    Array(&'static Shape, u16),
    /// As many of the same as fit, one behind the other, without headers; the number is the size of one.
    Packed(&'static Shape, u16),
    /// Attributes.
    Nest(fn() -> &'static Space),
    /// A struct, then attributes.
    Headed(&'static Layout, fn() -> &'static Space),
    /// A struct, then bytes.
    Prefixed(&'static Layout),
    /// A struct, then as many of the same as fit, without headers; the number is the size of one.
    Followed(&'static Layout, &'static Shape, u16),
    /// A struct, then bytes that are not shown unless that is asked for.
    Keyed(&'static Layout),
    /// Structs that begin with their own 16-bit length, each followed by attributes within that length.
    Records(&'static Layout, fn() -> &'static Space),
    /// Attributes whose numbers only count, all of the same shape.
    Indexed(&'static Shape),
    /// An attribute that may stand several times.
    Many(&'static Shape),
    /// Records of a type byte, a length byte and that many bytes (libnftnl's user data).
    Tlvs,
    /// Something else says which of these it is.
    Choice(fn() -> &'static ChoiceTable),
}

impl Shape {
    /// Whether both are the same payload: the same space, the same struct, the same kind of number.
    #[must_use]
    pub fn is(self, other: Self) -> bool {
        match (self, other) {
            (Self::Nest(one), Self::Nest(two)) => core::ptr::eq(one(), two()),
            (Self::Headed(one, first), Self::Headed(two, second)) => {
                one.name == two.name && core::ptr::eq(first(), second())
            }
            (Self::Record(one), Self::Record(two))
            | (Self::Prefixed(one), Self::Prefixed(two))
            | (Self::Keyed(one), Self::Keyed(two)) => one.name == two.name,
            (Self::Followed(one, first, _), Self::Followed(two, second, _)) => {
                one.name == two.name && first.is(*second)
            }
            (Self::Named(one, _), Self::Named(two, _)) => one.name == two.name,
            (Self::Packed(one, _), Self::Packed(two, _))
            | (Self::Indexed(one), Self::Indexed(two))
            | (Self::Many(one), Self::Many(two)) => one.is(*two),
            (Self::Unsigned(one), Self::Unsigned(two))
            | (Self::Signed(one), Self::Signed(two))
            | (Self::BigEndian(one), Self::BigEndian(two))
            | (Self::SignedBigEndian(one), Self::SignedBigEndian(two)) => one == two,
            (one, two) => core::mem::discriminant(&one) == core::mem::discriminant(&two),
        }
    }
}

impl fmt::Debug for Shape {
    /// Names spaces without entering them: tables may contain themselves.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsigned(bytes) => write!(f, "u{}", u16::from(*bytes).saturating_mul(8)),
            Self::Signed(bytes) => write!(f, "s{}", u16::from(*bytes).saturating_mul(8)),
            Self::BigEndian(bytes) => write!(f, "be{}", u16::from(*bytes).saturating_mul(8)),
            Self::SignedBigEndian(bytes) => write!(f, "sbe{}", u16::from(*bytes).saturating_mul(8)),
            Self::Uint => f.write_str("uint"),
            Self::Sint => f.write_str("sint"),
            Self::Flag => f.write_str("flag"),
            Self::Pad => f.write_str("pad"),
            Self::Text => f.write_str("text"),
            Self::Bytes => f.write_str("bytes"),
            Self::Secret => f.write_str("secret"),
            Self::Hardware => f.write_str("hardware address"),
            Self::Address => f.write_str("address"),
            Self::Ipv4 => f.write_str("ipv4"),
            Self::Ipv6 => f.write_str("ipv6"),
            Self::SocketAddress => f.write_str("socket address"),
            Self::Named(table, base) => write!(f, "{}({base:?})", table.name),
            Self::Record(layout) => f.write_str(layout.name),
            Self::Array(of, count) => write!(f, "[{of:?}; {count}]"),
            Self::Packed(of, _) => write!(f, "[{of:?}]"),
            Self::Nest(space) => write!(f, "nest {}", space().name),
            Self::Headed(layout, space) => write!(f, "{} + nest {}", layout.name, space().name),
            Self::Prefixed(layout) => write!(f, "{} + bytes", layout.name),
            Self::Followed(layout, of, _) => write!(f, "{} + [{of:?}]", layout.name),
            Self::Keyed(layout) => write!(f, "{} + secret", layout.name),
            Self::Records(layout, space) => write!(f, "[{} + nest {}]", layout.name, space().name),
            Self::Indexed(of) => write!(f, "indexed {of:?}"),
            Self::Many(of) => write!(f, "many {of:?}"),
            Self::Tlvs => f.write_str("tlvs"),
            Self::Choice(table) => write!(f, "choice {}", table().name),
        }
    }
}

/// The layout of a struct.
#[derive(Debug)]
pub struct Layout {
    /// Name of the C struct, without `struct`.
    pub name: &'static str,
    /// What the C fields' names begin with beyond the Rust fields' names (`rtm_`).
    pub prefix: &'static str,
    /// Size in bytes.
    pub size: usize,
    /// The fields, in order. Those whose name begins with `pad` are padding.
    pub fields: &'static [Field],
    /// Where the 16-bit field stands that says how many bytes follow the struct, before any attributes; in almost all
    /// formats there is none.
    pub tail: Option<usize>,
}

impl Layout {
    /// How many bytes of `bytes`, which begin with the struct, are the struct and what follows it before attributes.
    #[inline(always)]
    #[must_use]
    pub fn length(&self, bytes: &[u8]) -> usize {
        let tail = self.tail.and_then(|at| bytes.get(at..)?.first_chunk().copied()).map_or(0, u16::from_ne_bytes);
        self.size.saturating_add(usize::from(tail))
    }
}

/// One field of a struct.
#[derive(Debug)]
pub struct Field {
    /// Its Rust name; the C name has the layout's prefix before it.
    pub name: &'static str,
    /// Where it starts, in bytes.
    pub offset: usize,
    /// Its size in bytes.
    pub size: usize,
    /// What it holds.
    pub shape: Shape,
}

impl Field {
    /// Whether the field only fills space.
    #[must_use]
    pub fn is_padding(&self) -> bool {
        self.name.starts_with("pad")
    }
}

/// Numbers with names.
#[derive(Debug)]
pub struct ValueTable {
    /// Name of the Rust type (`RouteProtocol`).
    pub name: &'static str,
    /// What the kernel's names begin with (`RTPROT_`).
    pub prefix: &'static str,
    /// Whether the values are bits that combine.
    pub bits: bool,
    /// The values, in the order of the kernel's header.
    pub rows: &'static [NamedValue],
}

/// A number with a name.
#[derive(Debug)]
pub struct NamedValue {
    /// The number.
    pub value: u64,
    /// The name, without the table's prefix.
    pub name: &'static str,
}

impl ValueTable {
    /// The name of a number, without the prefix.
    #[must_use]
    pub fn name_of(&self, value: u64) -> Option<&'static str> {
        self.rows.iter().find(|row| row.value == value).map(|row| row.name)
    }

    /// The number of a name, which may have the prefix and be in any case.
    #[must_use]
    pub fn value_of(&self, name: &str) -> Option<u64> {
        let bare = match name.get(..self.prefix.len()) {
            Some(prefix) if prefix.eq_ignore_ascii_case(self.prefix) => name.get(self.prefix.len()..)?,
            _ => name,
        };
        self.rows.iter().find(|row| row.name.eq_ignore_ascii_case(bare)).map(|row| row.value)
    }

    /// Writes a number by its names: one name, or for bits all names joined by `|`; unknown numbers and bits stay
    /// numbers.
    ///
    /// # Errors
    ///
    /// Those of `out`.
    pub fn write(&self, out: &mut (impl fmt::Write + ?Sized), value: u64) -> fmt::Result {
        if !self.bits {
            return match self.name_of(value) {
                Some(name) => out.write_str(name),
                None => write!(out, "{value}"),
            };
        }
        let mut left = value;
        let mut first = true;
        for row in self.rows.iter().filter(|row| row.value != 0) {
            if left & row.value == row.value {
                left &= !row.value;
                if !core::mem::take(&mut first) {
                    out.write_char('|')?;
                }
                out.write_str(row.name)?;
            }
        }
        match (left, first) {
            (0, true) => out.write_str("0"),
            (0, false) => Ok(()),
            (_, true) => write!(out, "{left:#x}"),
            (_, false) => write!(out, "|{left:#x}"),
        }
    }
}

/// Payloads among which something else chooses.
#[derive(Debug)]
pub struct ChoiceTable {
    /// Name of the Rust type (`LinkData`).
    pub name: &'static str,
    /// What chooses.
    pub by: By,
    /// The payloads, the first match counts.
    pub rows: &'static [AlternativeRow],
}

/// What chooses a payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The attribute with this number beside it.
    Sibling(u16),
    /// The byte at this place of the message's fixed header.
    Header(u8),
}

/// One payload of a choice.
#[derive(Debug)]
pub struct AlternativeRow {
    /// What chooses it.
    pub selectors: &'static [Selector],
    /// What it holds.
    pub shape: Shape,
}

/// What a chooser says for a payload to be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selector {
    /// This text.
    Text(&'static str),
    /// This number.
    Number(u64),
    /// Anything.
    Any,
}

impl ChoiceTable {
    /// The payload for a chooser's value.
    #[must_use]
    pub fn select(&self, value: Selected<'_>) -> Option<&'static AlternativeRow> {
        self.rows.iter().find(|row| row.selectors.iter().any(|selector| value.is(*selector)))
    }
}

/// What a chooser said in a message.
#[derive(Clone, Copy, Debug)]
pub enum Selected<'a> {
    /// Text, without its NUL.
    Text(&'a [u8]),
    /// A number.
    Number(u64),
}

impl Selected<'_> {
    /// Whether this is what the selector wants.
    #[must_use]
    pub fn is(&self, selector: Selector) -> bool {
        match (self, selector) {
            (_, Selector::Any) => true,
            (Self::Text(found), Selector::Text(wanted)) => *found == wanted.as_bytes(),
            (Self::Number(found), Selector::Number(wanted)) => *found == wanted,
            _ => false,
        }
    }
}

/// How a literal in a [`choices!`](crate::choices) row becomes a selector.
#[doc(hidden)]
pub struct Literal<T>(pub T);

impl Literal<&'static str> {
    #[doc(hidden)]
    #[must_use]
    pub const fn selector(self) -> Selector {
        Selector::Text(self.0)
    }
}

impl Literal<u64> {
    #[doc(hidden)]
    #[must_use]
    pub const fn selector(self) -> Selector {
        Selector::Number(self.0)
    }
}
