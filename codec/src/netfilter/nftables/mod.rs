//! Firewall: tables, chains, rules, sets (include/uapi/linux/netfilter/nf_tables.h; net/netfilter/nf_tables_api.c).
//!
//! Everything stands in a table. What changes something is sent between [`Control::BATCH_BEGIN`](super::Control) and
//! [`Control::BATCH_END`](super::Control), and done whole or not at all; questions are sent alone. A message's family
//! (`nfgen_family`) is its table's.
//!
//! A rule is a list of [`Expression`]s that work on registers: some load a part of the packet, some compare, some
//! act. The first that says no ends the rule.
//!
//! ```
//! use ringlink_codec::netfilter::nftables::{Expression, ExpressionList, Meta, MetaKey, Nft, Register, Rule};
//! use ringlink_codec::netfilter::{Family, NetfilterHeader};
//! use ringlink_codec::prelude::*;
//!
//! let mut buffer = Buffer::<256>::new();
//! let bytes = buffer.message(Nft::NEWRULE.create().append(), NetfilterHeader::of(Family::INET), |rule| {
//!     rule.put(Rule::TABLE, "filter");
//!     rule.put(Rule::CHAIN, "input");
//!     rule.nest(Rule::EXPRESSIONS, |list| list.nest(ExpressionList::ELEM, |expression| {
//!         expression.put(Expression::NAME, "meta");
//!         expression.choose(Expression::DATA, Meta, |meta| {
//!             meta.put(Meta::KEY, MetaKey::L4PROTO);
//!             meta.put(Meta::DREG, Register::REG_1);
//!         });
//!     }));
//! })?;
//!
//! let rule = Message::parse(bytes)?.body(Nft::NEWRULE)?.attributes;
//! let list = rule.get(Rule::EXPRESSIONS)?.unwrap();
//! let expression = list.all(ExpressionList::ELEM).next().unwrap()?;
//! let meta = expression.chosen(Expression::DATA, Meta)?.unwrap();
//! assert_eq!(meta.get(Meta::KEY)?, Some(MetaKey::L4PROTO));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

mod chain;
mod flowtable;
mod object;
mod rule;
mod set;
mod table;
mod trace;

mod expression;

mod compat;

mod view;
mod writer;

pub use chain::{Chain, ChainFlags, Devices, Hook};
pub use compat::*;
pub use expression::*;
pub use flowtable::{Flowtable, FlowtableFlags, FlowtableHook};
pub use object::{
    CtExpect, CtHelper, CtTimeout, Object, ObjectData, ObjectType, Secmark, TunnelKey, TunnelKeyErspan, TunnelKeyFlags,
    TunnelKeyGeneve, TunnelKeyIp, TunnelKeyIp6, TunnelKeyOptions, TunnelKeyVxlan,
};
pub use rule::{ExpressionList, Rule, RuleCompat, RuleCompatFlags};
pub use set::{
    DataType, Element, ElementFlags, Elements, Set, SetDescription, SetField, SetFields, SetFlags, SetPolicy,
};
pub use table::{Generation, Table, TableFlags};
pub use trace::{Trace, TraceType};
pub use view::{
    ChainView, ElementView, ElementsView, FlowtableView, GenerationView, ObjectView, RuleView, SetView, TableView,
    TraceView, VerdictView,
};
pub use writer::{LogEntry, NatTarget, Port, Rate, RuleWriter, SetName};

use super::NetfilterHeader;
use crate::operations;

/// What messages about tables carry.
pub type TableMessage = (NetfilterHeader, Table);
/// What messages about chains carry.
pub type ChainMessage = (NetfilterHeader, Chain);
/// What messages about rules carry.
pub type RuleMessage = (NetfilterHeader, Rule);
/// What messages about sets carry.
pub type SetMessage = (NetfilterHeader, Set);
/// What messages about elements of sets carry.
pub type ElementsMessage = (NetfilterHeader, Elements);
/// What messages about named objects carry.
pub type ObjectMessage = (NetfilterHeader, Object);
/// What messages about flowtables carry.
pub type FlowtableMessage = (NetfilterHeader, Flowtable);
/// What messages about generations carry.
pub type GenerationMessage = (NetfilterHeader, Generation);
/// What messages about packets that are traced carry.
pub type TraceMessage = (NetfilterHeader, Trace);

operations! {
    /// Messages of nf_tables; all but [`TRACE`](Self::TRACE) take `CAP_NET_ADMIN` in the namespace's user namespace.
    /// What changes something is refused (`EINVAL`) outside a transaction.
    pub Nft, "NFT_MSG_", from 0x0a00 {
        /// This table is there.
        NEWTABLE: new TableMessage = 0,
        /// Tell about a table, by name; in a dump about all.
        GETTABLE: get TableMessage => NEWTABLE TableMessage = 1,
        /// Take a table away with all that is in it, by name or handle; without either all tables.
        DELTABLE: delete TableMessage = 2,
        /// This chain is there.
        NEWCHAIN: new ChainMessage = 3,
        /// Tell about a chain; in a dump about all.
        GETCHAIN: get ChainMessage => NEWCHAIN ChainMessage = 4,
        /// Take a chain away, by name or handle; without either all of the table.
        DELCHAIN: delete ChainMessage = 5,
        /// This rule is there.
        NEWRULE: new RuleMessage = 6,
        /// Tell about a rule by handle; in a dump about all, or those of one table or chain.
        GETRULE: get RuleMessage => NEWRULE RuleMessage = 7,
        /// Take a rule away, by handle; without one all of the chain, without that all of the table.
        DELRULE: delete RuleMessage = 8,
        /// This set is there.
        NEWSET: new SetMessage = 9,
        /// Tell about a set; in a dump about all, or those of one table.
        GETSET: get SetMessage => NEWSET SetMessage = 10,
        /// Take a set away, by name or handle; without either all of the table.
        DELSET: delete SetMessage = 11,
        /// These elements are in the set.
        NEWSETELEM: new ElementsMessage = 12,
        /// Tell whether these elements are in the set; in a dump about all of the set.
        GETSETELEM: get ElementsMessage => NEWSETELEM ElementsMessage = 13,
        /// Take these elements out of the set; without any, all.
        DELSETELEM: delete ElementsMessage = 14,
        /// A transaction was carried out: this is the generation now.
        NEWGEN: new GenerationMessage = 15,
        /// Tell which generation it is.
        GETGEN: get GenerationMessage => NEWGEN GenerationMessage = 16,
        /// A packet went this way; only to who is in the group `NFTRACE`.
        TRACE: new TraceMessage = 17,
        /// This object is there.
        NEWOBJ: new ObjectMessage = 18,
        /// Tell about an object by name and type; in a dump about all, or those of one table or type.
        GETOBJ: get ObjectMessage => NEWOBJ ObjectMessage = 19,
        /// Take an object away, by name or handle and type.
        DELOBJ: delete ObjectMessage = 20,
        /// The same as [`GETOBJ`](Self::GETOBJ), and set what it counts to zero.
        GETOBJ_RESET: get ObjectMessage => NEWOBJ ObjectMessage = 21,
        /// This flowtable is there.
        NEWFLOWTABLE: new FlowtableMessage = 22,
        /// Tell about a flowtable; in a dump about all, or those of one table.
        GETFLOWTABLE: get FlowtableMessage => NEWFLOWTABLE FlowtableMessage = 23,
        /// Take a flowtable away, by name or handle; with devices, only these.
        DELFLOWTABLE: delete FlowtableMessage = 24,
        /// The same as [`GETRULE`](Self::GETRULE), and set what it counts to zero.
        GETRULE_RESET: get RuleMessage => NEWRULE RuleMessage = 25,
        /// The same as [`DELTABLE`](Self::DELTABLE); what is not there is no error.
        DESTROYTABLE: delete TableMessage = 26,
        /// The same as [`DELCHAIN`](Self::DELCHAIN); what is not there is no error.
        DESTROYCHAIN: delete ChainMessage = 27,
        /// The same as [`DELRULE`](Self::DELRULE); what is not there is no error.
        DESTROYRULE: delete RuleMessage = 28,
        /// The same as [`DELSET`](Self::DELSET); what is not there is no error.
        DESTROYSET: delete SetMessage = 29,
        /// The same as [`DELSETELEM`](Self::DELSETELEM); what is not there is no error.
        DESTROYSETELEM: delete ElementsMessage = 30,
        /// The same as [`DELOBJ`](Self::DELOBJ); what is not there is no error.
        DESTROYOBJ: delete ObjectMessage = 31,
        /// The same as [`DELFLOWTABLE`](Self::DELFLOWTABLE); what is not there is no error.
        DESTROYFLOWTABLE: delete FlowtableMessage = 32,
        /// The same as [`GETSETELEM`](Self::GETSETELEM), and set what it counts to zero.
        GETSETELEM_RESET: get ElementsMessage => NEWSETELEM ElementsMessage = 33,
    }
}
