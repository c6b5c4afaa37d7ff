//! Keys and rows: one row per protocol fact, and what reads and writes by them.
//!
//! A table is one macro invocation: [`space!`](crate::space) for attributes, [`values!`](crate::values) and
//! [`flags!`](crate::flags) for numbers with names, [`record!`](crate::record) for structs,
//! [`choices!`](crate::choices) for payloads that something else selects, [`operations!`](crate::operations) for
//! messages. All are exported: a family of your own, in your own crate, is the same few lines.
//!
//! ```
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::table::{Nest, Str};
//! use ringlink_codec::{operations, record, space};
//!
//! record! {
//!     /// What every message of the toaster begins with.
//!     pub ToasterHeader, "toaster", "t_" {
//!         /// Which toaster.
//!         slot: u32,
//!     }
//! }
//!
//! space! {
//!     /// Attributes of a toaster.
//!     pub Toaster, "TOASTER_" {
//!         /// Its name.
//!         NAME: Str = 1,
//!         /// How it toasts.
//!         PROGRAM: Nest<Program> = 2,
//!     }
//! }
//!
//! space! {
//!     /// How it toasts.
//!     pub Program, "TOASTER_PROGRAM_" {
//!         /// For how long, in seconds.
//!         SECONDS: u32 = 1,
//!     }
//! }
//!
//! operations! {
//!     /// Messages of the toaster.
//!     pub ToasterMessage, "TOASTER_MSG_" {
//!         /// This toaster is there.
//!         NEW: new (ToasterHeader, Toaster) = 16,
//!         /// Tell about a toaster.
//!         GET: get (ToasterHeader, Toaster) => NEW (ToasterHeader, Toaster) = 17,
//!     }
//! }
//!
//! let mut buffer = Buffer::<64>::new();
//! let bytes = buffer.message(ToasterMessage::GET, ToasterHeader { slot: 2 }, |toaster| {
//!     toaster.put(Toaster::NAME, "left");
//!     toaster.nest(Toaster::PROGRAM, |program| program.put(Program::SECONDS, 90));
//! })?;
//!
//! let body = Message::parse(bytes)?.body(ToasterMessage::GET)?;
//! let (name, program) = body.attributes.read((Toaster::NAME, Toaster::PROGRAM))?;
//! assert_eq!(body.header.slot, 2);
//! assert!(name.is_some_and(|name| name == "left"));
//! assert_eq!(program.map(|program| program.get(Program::SECONDS)), Some(Ok(Some(90))));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```
//!
//! # What does not compile
//!
//! A key of another space:
//!
//! ```compile_fail,E0308
//! use ringlink_codec::route::{Link, Route};
//! fn read(links: ringlink_codec::Attributes<'_, Link>) {
//!     let _ = links.get(Route::OIF);
//! }
//! ```
//!
//! A value of another type:
//!
//! ```compile_fail,E0277
//! use ringlink_codec::{route::Link, table::AttributeWriter};
//! fn write(link: &mut AttributeWriter<'_, '_, Link>) {
//!     link.put(Link::MTU, "1500");
//! }
//! ```
//!
//! A nest that the choice does not have:
//!
//! ```compile_fail,E0277
//! use ringlink_codec::{route::{Link, LinkInfo}, table::AttributeWriter};
//! fn write(info: &mut AttributeWriter<'_, '_, LinkInfo>) {
//!     info.choose(LinkInfo::DATA, Link, |_| {});
//! }
//! ```
//!
//! Bytes kept longer than what they were read from:
//!
//! ```compile_fail,E0515
//! use ringlink_codec::{Text, prelude::*, route::{Link, LinkHeader, Rtm}};
//! fn name() -> Option<Text<'static>> {
//!     let buffer = [0; 64];
//!     let link = Message::parse(&buffer).ok()?.body(Rtm::NEWLINK).ok()?;
//!     link.attributes.get(Link::IFNAME).ok()?
//! }
//! ```

mod shape;

mod value;

mod arrays;
mod number;
mod secret;
mod socket;
mod text;

mod attributes;
mod choice;
mod operation;

mod build;

mod macros;

pub(crate) use arrays::split_record;
pub use arrays::{
    Followed, Headed, Indexed, IndexedItems, Many, Nest, Nesting, Packed, PackedItems, Prefixed, Records, RecordsItems,
    TlvItems, Tlvs,
};
pub use attributes::{All, Attributes, Keys};
pub(crate) use build::stamp;
pub use build::{AttributeWriter, Batch, Buffer, IndexedWriter, RecordsWriter};
pub(crate) use choice::sibling_value;
pub use choice::{Alternative, Choice, Choices, Chosen};
#[doc(hidden)]
pub use number::Named;
pub use number::{Be, Be16, Be32, Be64, BeI32, Bitfield32, NamedUint, NetOrder, Sint, Uint};
pub use operation::{Body, Format, Operation, OperationRow, Operations, Verb};
pub(crate) use operation::{close, open};
pub use secret::{Keyed, OwnedSecret, Secret, SecretBytes, wipe};
#[doc(hidden)]
pub use shape::Literal;
pub use shape::{
    AlternativeRow, By, ChoiceTable, Field, Layout, Name, NamedValue, Row, Selected, Selector, Shape, Space, ValueTable,
};
pub use socket::{SockAddr, SocketAddress};
pub use text::{BareStr, Bytes, Chars, Flag, Hardware, HardwareAddress, Inet, InetAddress, Pad, Str, Text};
#[doc(hidden)]
pub use value::take;
pub use value::{Encode, Fixed, Key, Malformed, Plain, Record, Table, Value};
