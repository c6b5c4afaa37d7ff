//! The macros that tables are made with. Flat: one row becomes one constant and one entry of a static.

/// Declares a space of attributes.
///
/// A row is a doc line, the kernel's name without its prefix, the payload type, the number:
///
/// ```
/// use ringlink_codec::space;
/// use ringlink_codec::table::{Str, Table};
///
/// space! {
///     /// Attributes of a toaster.
///     pub Toaster, "TOASTER_" {
///         /// Its name.
///         NAME: Str = 1,
///         /// Slices it takes.
///         SLICES: u8 = 2,
///         /// Watts it draws.
///         POWER: u32 = 4,
///     }
/// }
///
/// // `SLICES` became a constant and a row:
/// assert_eq!(Toaster::SLICES.number(), 2);
/// assert_eq!(Toaster::space().row(2).map(|row| row.name), Some("TOASTER_SLICES"));
/// ```
///
/// `Toaster` becomes a unit struct with a constant `SLICES: Key<Toaster, u8>`, and [`Table`](crate::table::Table)
/// for it. A name that is none in Rust is said apart: `_6RD_PREFIX as "6RD_PREFIX": Ipv6Addr = 11`.
#[macro_export]
macro_rules! space {
    ($(#[$meta:meta])* $vis:vis $name:ident, $prefix:literal {
        $($(#[$doc:meta])* $row:ident $(as $name_there:literal)?: $value:ty = $number:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $vis struct $name;

        impl $name {
            $(
                $(#[$doc])*
                #[doc = concat!("\n\n`", $prefix, $crate::name_there!($row $(, $name_there)?), "`")]
                pub const $row: $crate::table::Key<$name, $value> = $crate::table::Key::new($number);
            )*
        }

        impl $crate::table::Table for $name {
            fn space() -> &'static $crate::table::Space {
                static SPACE: $crate::table::Space = $crate::table::Space::new(
                    stringify!($name),
                    $prefix,
                    <$name as $crate::table::Table>::names,
                    &[$(<$value as $crate::table::Value>::SHAPE),*],
                );
                &SPACE
            }

            fn names() -> &'static [$crate::table::Name] {
                const {
                    &[$($crate::table::Name {
                        number: $number,
                        name: concat!($prefix, $crate::name_there!($row $(, $name_there)?)),
                    }),*]
                }
            }
        }
    };
}

/// Declares a set of numbers with names. Numbers without a name stay what they are.
///
/// ```
/// use ringlink_codec::values;
///
/// values! {
///     /// How brown.
///     pub Browning(u8), "TOASTER_BROWN_" {
///         /// Barely.
///         LIGHT = 1,
///         /// Properly.
///         MEDIUM = 2,
///         /// Too much.
///         DARK = 3,
///     }
/// }
///
/// assert_eq!(Browning::MEDIUM, Browning(2));
/// assert_eq!(Browning(2).to_string(), "MEDIUM");
/// assert_eq!(Browning(9).to_string(), "9");
/// ```
#[macro_export]
macro_rules! values {
    ($(#[$meta:meta])* $vis:vis $name:ident($base:ident), $prefix:literal { $($body:tt)* }) => {
        $crate::named! { false, $(#[$meta])* $vis $name($base), $prefix { $($body)* } }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(self, f)
            }
        }
    };
}

/// Declares a set of bits with names. Bits without a name are kept.
///
/// ```
/// use ringlink_codec::flags;
///
/// flags! {
///     /// What a toaster is doing.
///     pub ToasterFlags(u16), "TOASTER_F_" {
///         /// It is on.
///         ON = 0x1,
///         /// It is hot.
///         HOT = 0x2,
///         /// It is on fire.
///         FIRE = 0x4,
///     }
/// }
///
/// let flags = ToasterFlags::ON | ToasterFlags::HOT | ToasterFlags(0x100);
/// assert!(flags.contains(ToasterFlags::HOT) && !flags.contains(ToasterFlags::FIRE));
/// assert_eq!(flags.to_string(), "ON|HOT|0x100");
/// ```
#[macro_export]
macro_rules! flags {
    ($(#[$meta:meta])* $vis:vis $name:ident($base:ident), $prefix:literal { $($body:tt)* }) => {
        $crate::named! { true, $(#[$meta])* $vis $name($base), $prefix { $($body)* } }

        impl $name {
            /// Whether all bits of `other` are set.
            #[inline]
            #[must_use]
            pub const fn contains(self, other: Self) -> bool {
                self.0 & other.0 == other.0
            }

            /// Whether any bit of `other` is set.
            #[inline]
            #[must_use]
            pub const fn intersects(self, other: Self) -> bool {
                self.0 & other.0 != 0
            }
        }

        impl ::core::ops::BitOr for $name {
            type Output = Self;
            #[inline]
            fn bitor(self, other: Self) -> Self {
                Self(self.0 | other.0)
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                ::core::fmt::Display::fmt(self, f)
            }
        }
    };
}

/// What [`values!`] and [`flags!`] have in common.
#[doc(hidden)]
#[macro_export]
macro_rules! named {
    ($bits:literal, $(#[$meta:meta])* $vis:vis $name:ident($base:ident), $prefix:literal {
        $($(#[$doc:meta])* $row:ident $(as $name_there:literal)? = $number:expr,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(transparent)]
        $vis struct $name(pub $base);

        #[allow(missing_docs, reason = "names of values that say themselves what they are carry the kernel's name")]
        impl $name {
            $(
                $(#[$doc])*
                #[doc = concat!("\n\n`", $prefix, $crate::name_there!($row $(, $name_there)?), "`")]
                pub const $row: Self = Self($number);
            )*

            /// The kernel's names, without their prefix.
            pub const TABLE: &'static $crate::table::ValueTable = &$crate::table::ValueTable {
                name: stringify!($name),
                prefix: $prefix,
                bits: $bits,
                rows: &[$($crate::table::NamedValue { value: $number as u64, name: $crate::name_there!($row $(, $name_there)?) }),*],
            };

            /// The kernel's name, without its prefix, where there is one.
            #[must_use]
            pub fn name(self) -> Option<&'static str> {
                Self::TABLE.name_of(u64::from(self.0))
            }
        }

        impl ::core::fmt::Display for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                Self::TABLE.write(f, u64::from(self.0))
            }
        }

        impl $crate::table::Value for $name {
            type Read<'a> = Self;
            const SHAPE: $crate::table::Shape =
                $crate::table::Shape::Named(Self::TABLE, &<$base as $crate::table::Value>::SHAPE);

            #[inline]
            fn decode(payload: $crate::wire::Payload<'_>) -> Result<Self, $crate::table::Malformed> {
                <$base as $crate::table::Value>::decode(payload).map(Self)
            }
        }

        impl $crate::table::Encode<$name> for $name {
            #[inline]
            fn encode(self, writer: &mut $crate::wire::Writer<'_>) {
                $crate::table::Encode::<$base>::encode(self.0, writer);
            }
        }

        impl $crate::table::Fixed for $name {
            const SIZE: usize = ::core::mem::size_of::<$base>();
        }

        impl $crate::table::Plain for $name {
            #[inline]
            fn take(rest: &mut &[u8]) -> Self {
                Self(<$base as $crate::table::Plain>::take(rest))
            }

            #[inline]
            fn give(self, rest: &mut &mut [u8]) {
                $crate::table::Plain::give(self.0, rest);
            }
        }

        impl $crate::table::Named for $name {
            const TABLE: &'static $crate::table::ValueTable = Self::TABLE;

            #[inline]
            fn from_number(number: u64) -> Self {
                Self(<$base>::try_from(number).unwrap_or(<$base>::MAX))
            }

            #[inline]
            fn number(self) -> u64 {
                u64::from(self.0)
            }
        }
    };
}

/// Declares a kernel struct: the Rust name, the C name, and what the C fields' names begin with.
///
/// ```
/// use ringlink_codec::record;
/// use ringlink_codec::table::Record;
///
/// record! {
///     /// What every message of the toaster begins with.
///     pub ToasterHeader, "toaster_msg", "t_" {
///         /// Which toaster.
///         slot: u8,
///         /// Nothing.
///         pad: [u8; 3],
///         /// Slices in it.
///         slices: u32,
///     }
/// }
///
/// assert_eq!(ToasterHeader::LAYOUT.fields[2].offset, 4);
/// // A struct of an older kernel: what is missing is zero.
/// assert_eq!(ToasterHeader::from_bytes(&[7]), ToasterHeader { slot: 7, ..Default::default() });
/// ```
///
/// It becomes a `repr(C)` struct with public fields, and [`Record`](crate::table::Record) for it. Padding is written
/// out as a field whose name begins with `pad`; a struct with a hole does not compile. Where raw bytes stand between a
/// message's struct and its attributes, `"toaster_msg", "t_", then crumbs` names the 16-bit field that counts them.
///
/// ```compile_fail,E0080
/// ringlink_codec::record! {
///     /// C puts three bytes between these two.
///     pub Holed, "holed", "" {
///         /// One byte.
///         one: u8,
///         /// Four bytes.
///         four: u32,
///     }
/// }
/// ```
#[macro_export]
macro_rules! record {
    ($(#[$meta:meta])* $vis:vis $name:ident, $c:literal, $prefix:literal $(, then $tail:ident)? {
        $($(#[$doc:meta])* $field:ident: $type:ty,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, Default, PartialEq)]
        #[repr(C)]
        $vis struct $name {
            $($(#[$doc])* pub $field: $type,)*
        }

        // A hole would be read as if it were the next field.
        const _: () = assert!(
            ::core::mem::size_of::<$name>() == 0 $(+ ::core::mem::size_of::<$type>())*,
            "the struct has a hole: padding must be a field",
        );

        impl $crate::table::Plain for $name {
            #[inline]
            fn take(rest: &mut &[u8]) -> Self {
                Self { $($field: $crate::table::Plain::take(rest)),* }
            }

            #[inline]
            fn give(self, rest: &mut &mut [u8]) {
                let Self { $($field),* } = self;
                $($crate::table::Plain::give($field, rest);)*
            }
        }

        impl $crate::table::Record for $name {
            const LAYOUT: &'static $crate::table::Layout = &$crate::table::Layout {
                name: $c,
                prefix: $prefix,
                size: ::core::mem::size_of::<$name>(),
                fields: &[$($crate::table::Field {
                    name: stringify!($field),
                    offset: ::core::mem::offset_of!($name, $field),
                    size: ::core::mem::size_of::<$type>(),
                    shape: <$type as $crate::table::Value>::SHAPE,
                }),*],
                tail: $crate::record_tail!($name $(, $tail)?),
            };

            #[inline]
            fn from_bytes(mut bytes: &[u8]) -> Self {
                // The whole struct is copied first: from an array of known length, no field need look for its end.
                let whole: [u8; ::core::mem::size_of::<$name>()] = $crate::table::take(&mut bytes);
                <Self as $crate::table::Plain>::take(&mut whole.as_slice())
            }
        }

        impl $crate::table::Value for $name {
            type Read<'a> = Self;
            const SHAPE: $crate::table::Shape =
                $crate::table::Shape::Record(<$name as $crate::table::Record>::LAYOUT);

            #[inline]
            fn decode(payload: $crate::wire::Payload<'_>) -> Result<Self, $crate::table::Malformed> {
                Ok(<$name as $crate::table::Record>::from_bytes(payload.bytes))
            }
        }

        impl $crate::table::Encode<$name> for $name {
            #[inline]
            fn encode(self, writer: &mut $crate::wire::Writer<'_>) {
                $crate::table::Record::write(self, writer);
            }
        }

        impl $crate::table::Fixed for $name {
            const SIZE: usize = ::core::mem::size_of::<$name>();
        }
    };
}

/// Declares payloads among which something else chooses: the attribute with a number beside them (`by Sibling 1`), or
/// the byte at a place of the message's fixed header (`by Header 0`).
///
/// ```
/// use ringlink_codec::table::{Choice, Nest, Str};
/// use ringlink_codec::{choices, space};
///
/// choices! {
///     /// What a machine has of its own, by its kind.
///     pub MachineData, by Sibling 1 {
///         "toaster" => Nest<Toaster>,
///         "kettle" | "samovar" => u32,
///     }
/// }
///
/// space! {
///     /// A kitchen machine.
///     pub Machine, "MACHINE_" {
///         /// What it is.
///         KIND: Str = 1,
///         /// What that kind has of its own.
///         DATA: Choice<MachineData> = 2,
///     }
/// }
///
/// space! {
///     /// A toaster.
///     pub Toaster, "TOASTER_" {
///         /// Slices it takes.
///         SLICES: u8 = 1,
///     }
/// }
/// ```
#[macro_export]
macro_rules! choices {
    ($(#[$meta:meta])* $vis:vis $name:ident, by $by:ident $at:literal {
        $($($selector:literal)|+ => $value:ty,)*
        $(else => $default:ty,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $vis struct $name;

        impl $crate::table::Choices for $name {
            fn table() -> &'static $crate::table::ChoiceTable {
                static TABLE: $crate::table::ChoiceTable = $crate::table::ChoiceTable {
                    name: stringify!($name),
                    by: $crate::table::By::$by($at),
                    rows: &[
                        $($crate::table::AlternativeRow {
                            selectors: &[$($crate::table::Literal($selector).selector()),+],
                            shape: <$value as $crate::table::Value>::SHAPE,
                        },)*
                        $($crate::table::AlternativeRow {
                            selectors: &[$crate::table::Selector::Any],
                            shape: <$default as $crate::table::Value>::SHAPE,
                        },)?
                    ],
                };
                &TABLE
            }
        }

        $(impl $crate::table::Alternative<$name> for $value {})*
        $(impl $crate::table::Alternative<$name> for $default {})?
    };
}

/// Declares the messages of a protocol: a name, a verb (`get`, `new`, `set`, `delete`, `act`), the format of the
/// message, for a question the name and format of its answers, the number. Where the kernel counts the messages of one
/// part of a protocol from 0, `from` says which bits stand above (`"NFT_MSG_", from 0x0a00`).
///
/// ```
/// use ringlink_codec::table::Bytes;
/// use ringlink_codec::wire::MessageType;
/// use ringlink_codec::{operations, space};
///
/// space! {
///     /// Attributes of a toaster.
///     pub Toaster, "TOASTER_" {
///         /// What is in it.
///         BREAD: Bytes = 1,
///     }
/// }
///
/// operations! {
///     /// Messages of the toaster.
///     pub ToasterMessage, "TOASTER_MSG_" {
///         /// This is in the toaster.
///         NEW: new ((), Toaster) = 16,
///         /// What is in it?
///         GET: get ((), Toaster) => NEW ((), Toaster) = 17,
///         /// Out with it.
///         POP: act ((), Toaster) = 18,
///     }
/// }
///
/// // `GET` became a constant and a row:
/// assert_eq!(ToasterMessage::GET.answer, MessageType(16));
/// assert_eq!(ToasterMessage::OPERATIONS.row(17).map(|row| row.name), Some("TOASTER_MSG_GET"));
/// ```
#[macro_export]
macro_rules! operations {
    ($(#[$meta:meta])* $vis:vis $name:ident, $prefix:literal $(, from $first:literal)? {
        $($(#[$doc:meta])* $row:ident: $verb:ident $format:ty $(=> $answer:ident $answers:ty)? = $number:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $vis struct $name;

        impl $name {
            $(
                $(#[$doc])*
                #[doc = concat!("\n\n`", $prefix, stringify!($row), "`")]
                pub const $row: $crate::operation_type!($format $(, $answers)?) = {
                    let kind = Self::OPERATIONS.first | $number;
                    $crate::table::Operation::new(kind, $crate::operation_answer!(kind $(, Self::$answer)?))
                        .named(concat!($prefix, stringify!($row)))
                };
            )*

            /// The messages as data.
            pub const OPERATIONS: &'static $crate::table::Operations =
                $crate::operations_as_data!($name, $prefix, 0 $(| $first)?, $($row: $verb $format = $number,)*);
        }
    };
}

/// The rows of `operations!`, or of what is like it, as data.
#[doc(hidden)]
#[macro_export]
macro_rules! operations_as_data {
    ($name:ident, $prefix:literal, $first:expr, $($row:ident: $verb:ident $format:ty = $number:literal,)*) => {
        &$crate::table::Operations {
            name: stringify!($name),
            prefix: $prefix,
            first: $first,
            rows: &[$($crate::table::OperationRow {
                number: $number,
                name: concat!($prefix, stringify!($row)),
                verb: $crate::operation_verb!($verb),
                header: <<$format as $crate::table::Format>::Header as $crate::table::Record>::LAYOUT,
                space: <<$format as $crate::table::Format>::Space as $crate::table::Table>::space,
            }),*],
        }
    };
}

/// Where the field stands that counts the bytes behind a struct.
#[doc(hidden)]
#[macro_export]
macro_rules! record_tail {
    ($name:ident) => {
        None
    };
    ($name:ident, $tail:ident) => {
        Some(::core::mem::offset_of!($name, $tail))
    };
}

/// The kernel's name of a row, without the prefix.
#[doc(hidden)]
#[macro_export]
macro_rules! name_there {
    ($row:ident) => {
        stringify!($row)
    };
    ($row:ident, $name_there:literal) => {
        $name_there
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! operation_type {
    ($format:ty) => { $crate::table::Operation<$format> };
    ($format:ty, $answers:ty) => { $crate::table::Operation<$format, $answers> };
}

#[doc(hidden)]
#[macro_export]
macro_rules! operation_answer {
    ($kind:ident) => {
        $kind
    };
    ($kind:ident, $answer:expr) => {
        $answer.kind.0
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! operation_verb {
    (get) => {
        $crate::table::Verb::Get
    };
    (new) => {
        $crate::table::Verb::New
    };
    (set) => {
        $crate::table::Verb::Set
    };
    (delete) => {
        $crate::table::Verb::Delete
    };
    (act) => {
        $crate::table::Verb::Act
    };
}
