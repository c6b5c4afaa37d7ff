//! Expressions as `nft` writes them: values, and what they are compared with.

use ringlink::codec::netfilter::nftables::{
    CtDirection, CtKey, FibFlags, FibResult, MetaKey, RtKey, SocketKey, XfrmKey,
};

use super::protocol::{Field, Header};
use super::statement::Statement;
use super::types::{Order, Type};

/// An expression with its type.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Node {
    pub(super) kind: Kind,
    pub(super) ty: Type,
    pub(super) order: Order,
    pub(super) bits: u32,
}

/// What an expression is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Kind {
    /// A number, read in its byte order.
    Value(u128),
    /// What is longer than 16 bytes, or whose type is not known: as it stands in registers.
    Bytes(Box<[u8]>),
    /// Text; `true` where only its beginning counts.
    Text(Box<[u8]>, bool),
    /// The first bits of a value.
    Prefix(Box<Node>, u32),
    Range(Box<[Node; 2]>),
    Concat(Vec<Node>),
    /// Bits with names.
    List(Vec<Node>),
    /// A set that belongs to the rule.
    Set(Vec<Element>),
    /// A set by its name.
    Reference(Box<str>),
    /// What a map leads a key to.
    Map(Box<[Node; 2]>),
    Binary(Operator, Box<[Node; 2]>),
    Verdict(Verdict),
    /// An object by its name.
    Object(Box<str>),
    /// Whatever is not in the set.
    Any,
    Payload(Payload),
    Extension(Extension),
    Meta(MetaKey),
    Ct(CtKey, Option<CtDirection>),
    Fib(FibResult, FibFlags),
    Rt(RtKey),
    Socket(SocketKey, u32),
    Osf {
        version: bool,
        ttl: u8,
    },
    Numgen {
        random: bool,
        modulus: u32,
        offset: u32,
    },
    Hash {
        source: Option<Box<Node>>,
        modulus: u32,
        seed: Option<u32>,
        offset: u32,
    },
    Xfrm {
        key: XfrmKey,
        out: bool,
        number: u32,
    },
    Tunnel {
        id: bool,
    },
}

/// A part of the packet.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Payload {
    /// From where `offset` counts: 0 link, 1 network, 2 transport, 3 inner, 4 tunnel.
    pub(super) base: u32,
    /// In bits.
    pub(super) offset: u32,
    pub(super) bits: u32,
    /// The tunnel, of a packet in one.
    pub(super) inner: Option<&'static str>,
    pub(super) field: Option<(&'static Header, &'static Field)>,
}

/// A header of IPv6, an option, a chunk.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Extension {
    pub(super) of: Of,
    pub(super) number: u8,
    /// In bits.
    pub(super) offset: u32,
    pub(super) bits: u32,
    pub(super) present: bool,
    pub(super) header: Option<&'static Header>,
    pub(super) field: Option<&'static Field>,
}

/// What has extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    Ip6,
    Tcp,
    Ip,
    Sctp,
    Dccp,
}

/// What is done with two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    And,
    Or,
    Xor,
    Left,
    Right,
}

impl Operator {
    /// How it is written.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::And => "&",
            Self::Or => "|",
            Self::Xor => "^",
            Self::Left => "<<",
            Self::Right => ">>",
        }
    }
}

/// What becomes of a packet.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Verdict {
    /// Its word.
    Word(&'static str),
    /// `jump` or `goto`, and where to.
    To(&'static str, Box<str>),
    /// A number without a word.
    Number(u32),
}

/// An element of a set.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Element {
    pub(super) key: Node,
    pub(super) data: Option<Node>,
    /// In milliseconds.
    pub(super) timeout: Option<u64>,
    /// In milliseconds.
    pub(super) expires: Option<u64>,
    pub(super) comment: Option<Box<str>>,
    pub(super) statements: Vec<Statement>,
}

impl Node {
    pub(super) fn new(kind: Kind, ty: Type, order: Order, bits: u32) -> Self {
        Self { kind, ty, order, bits }
    }

    /// Something of a type whose values have one length.
    pub(super) fn of(kind: Kind, ty: Type) -> Self {
        let facts = ty.facts();
        Self { kind, ty, order: facts.order, bits: facts.bits }
    }

    /// A number of `bits` bits.
    pub(super) fn number(number: u128, ty: Type, order: Order, bits: u32) -> Self {
        Self { kind: Kind::Value(number), ty, order, bits }
    }

    /// A value as it stands in a register.
    pub(super) fn value(bytes: &[u8], ty: Type, order: Order) -> Self {
        let bits = u32::try_from(bytes.len()).unwrap_or(u32::MAX / 8) * 8;
        let kind = if ty.is_text() {
            let end = bytes.iter().position(|byte| *byte == 0);
            Kind::Text(
                bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default().into(),
                end.is_none() && bytes.len() < 16,
            )
        } else {
            match number(bytes, order) {
                Some(number) => Kind::Value(number),
                None => Kind::Bytes(bytes.into()),
            }
        };
        Self { kind, ty, order, bits }
    }

    /// The same, where it is a value whose type was not known before.
    pub(super) fn typed(mut self, ty: Type, order: Order) -> Self {
        match self.kind {
            Kind::Bytes(bytes) => {
                // Registers are filled up to four bytes.
                let length = usize::try_from(ty.facts().bits.div_ceil(8)).unwrap_or(0);
                let bytes = if length == 0 { &bytes } else { bytes.get(..length).unwrap_or(&bytes) };
                Self::value(bytes, ty, order)
            }
            Kind::Binary(operator, sides) => {
                let [left, right] = *sides;
                self.kind = Kind::Binary(operator, Box::new([left.typed(ty, order), right]));
                self
            }
            kind => Self { kind, ..self },
        }
    }

    /// The number, where it is one.
    pub(super) fn as_number(&self) -> Option<u128> {
        match self.kind {
            Kind::Value(number) => Some(number),
            _ => None,
        }
    }
}

/// The number that bytes are, where they are not too many.
pub(super) fn number(bytes: &[u8], order: Order) -> Option<u128> {
    if bytes.len() > 16 {
        return None;
    }
    let step = |number: u128, byte: &u8| (number << 8) | u128::from(*byte);
    Some(match order {
        Order::Host if cfg!(target_endian = "little") => bytes.iter().rev().fold(0, step),
        _ => bytes.iter().fold(0, step),
    })
}

/// The bits that a mask of `bits` bits has at its top, if it has no others.
pub(super) fn prefix_length(mask: u128, bits: u32) -> Option<u32> {
    let top = mask.checked_shl(128_u32.checked_sub(bits)?).unwrap_or(0);
    let length = top.leading_ones();
    (length <= bits && top.count_ones() == length).then_some(length)
}

/// All ones in `bits` bits.
pub(super) fn ones(bits: u32) -> u128 {
    if bits >= 128 { u128::MAX } else { (1_u128 << bits) - 1 }
}
