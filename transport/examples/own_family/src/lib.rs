//! IOAM6 (in-situ OAM of IPv6, RFC 9486): a family of generic netlink that the library has no tables for, declared in another
//! crate with its macros. From these rows come typed requests and answers, printing by name, and refusals that say where.
//!
//! ```
//! use netlink::generic::Generic;
//! use own_family::{Ioam, IoamRequest};
//!
//! let mut generic = Generic::open()?;
//! match generic.dump(IoamRequest::DUMP_NAMESPACES, |_| {}) {
//!     Ok(mut namespaces) => {
//!         while let Some(namespace) = namespaces.next()? {
//!             let (id, data) = namespace.attributes.read((Ioam::NS_ID, Ioam::NS_DATA))?;
//!             println!("{id:?}: {data:?}");
//!         }
//!     }
//!     Err(error) => println!("{error}"),
//! }
//! # Ok::<(), netlink::Error>(())
//! ```

use netlink::codec::generic::{Family, GenericHeader};
use netlink::codec::table::{Bytes, Flag, Pad};
use netlink::codec::{commands, space};

/// The family (include/uapi/linux/ioam6_genl.h).
pub static IOAM6: Family = Family {
    name: "IOAM6",
    id: 0,
    version: 1,
    requests: IoamRequest::OPERATIONS,
    answers: IoamRequest::OPERATIONS,
    events: IoamRequest::OPERATIONS,
};

/// What all its commands carry.
pub type IoamMessage = (GenericHeader, Ioam);

commands! {
    /// Commands. What is asked for with `DUMP_` comes all at once; there is no question for a single one.
    pub IoamRequest, "IOAM6_CMD_", of IOAM6 {
        /// Make a namespace.
        ADD_NAMESPACE: new IoamMessage = 1,
        /// Take one away.
        DEL_NAMESPACE: delete IoamMessage = 2,
        /// Which namespaces are there?
        DUMP_NAMESPACES: get IoamMessage => 3 IoamMessage = 3,
        /// Make a schema.
        ADD_SCHEMA: new IoamMessage = 4,
        /// Take one away.
        DEL_SCHEMA: delete IoamMessage = 5,
        /// Which schemas are there?
        DUMP_SCHEMAS: get IoamMessage => 6 IoamMessage = 6,
        /// Give a namespace a schema, or none.
        NS_SET_SCHEMA: set IoamMessage = 7,
    }
}

space! {
    /// Attributes.
    pub Ioam, "IOAM6_ATTR_" {
        /// A namespace's number.
        NS_ID: u16 = 1,
        /// What a node puts into packets for it, in 4 bytes.
        NS_DATA: u32 = 2,
        /// The same in 8 bytes.
        NS_DATA_WIDE: u64 = 3,
        /// A schema's number, up to 24 bits.
        SC_ID: u32 = 4,
        /// A schema's bytes, 1,020 at most, a multiple of 4.
        SC_DATA: Bytes = 5,
        /// No schema.
        SC_NONE: Flag = 6,
        /// Aligns what follows.
        PAD: Pad = 7,
    }
}
