//! What of connection tracking can be followed: connections and expectations.
//!
//! The kernel tells what begins, what changes its state and what ends. **Of connections that began while nobody listened it tells
//! nothing, not even their end**, unless `net.netfilter.nf_conntrack_events` is 1 (by default it is 2; see
//! Documentation/networking/nf_conntrack-sysctl.rst): whoever follows sets it, or reads the table anew from time to time.
//!
//! Counters and the time that is left change without a word. An event of a change carries what changed, beside the tuples, the
//! status and the mark: what it leaves out is as before, and a dump after lost events tells such a connection as changed. A
//! dump that was disturbed is not flagged: an entry that is made or removed meanwhile is told by its event.
//!
//! ```
//! use ringlink_codec::follow::{Meaning, Subject};
//! use ringlink_codec::netfilter::conntrack::watched::Connections;
//! use ringlink_codec::netfilter::conntrack::{Conntrack, Cta};
//! use ringlink_codec::netfilter::{Family, NetfilterHeader};
//! use ringlink_codec::prelude::*;
//!
//! let mut buffer = Buffer::<64>::new();
//! let event = buffer.message(Conntrack::DELETE, NetfilterHeader::of(Family::IPV4), |gone| gone.put(Cta::ID, 7))?;
//! assert!(matches!(Connections(Family::UNSPEC).meaning(Message::parse(event)?), Meaning::Gone(_)));
//! assert!(matches!(Connections(Family::IPV6).meaning(Message::parse(event)?), Meaning::Other));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```

use super::{ConnectionMessage, Conntrack, Cta, Expect, Expectation, ExpectationMessage};
use crate::follow::{Digest, Key, Meaning, Subject};
use crate::multicast::NetfilterGroup;
use crate::netfilter::{Family, NetfilterHeader};
use crate::table::{Body, Operation};
use crate::wire::{Message, RawAttributes};

/// Connections of one family, or with `UNSPEC` of all.
#[derive(Clone, Copy, Debug)]
pub struct Connections(pub Family);

/// Expectations of one family, or with `UNSPEC` of all.
#[derive(Clone, Copy, Debug)]
pub struct Expectations(pub Family);

impl Subject for Connections {
    type Question = ConnectionMessage;
    type Answer = ConnectionMessage;

    fn dump(&self) -> Operation<ConnectionMessage> {
        Conntrack::GET
    }

    fn header(&self) -> NetfilterHeader {
        NetfilterHeader::of(self.0)
    }

    fn groups(&self) -> &[u32] {
        &[NetfilterGroup::CONNTRACK_NEW.0, NetfilterGroup::CONNTRACK_UPDATE.0, NetfilterGroup::CONNTRACK_DESTROY.0]
    }

    fn meaning(&self, message: Message<'_>) -> Meaning {
        let body = Body::<ConnectionMessage>::of(message);
        if self.0 != Family::UNSPEC && body.header.nfgen_family != self.0 {
            return Meaning::Other;
        }
        let Ok((id, tuple, zone)) = body.attributes.read((Cta::ID, Cta::TUPLE_ORIG, Cta::ZONE)) else {
            return Meaning::Doubt;
        };
        let key = key(body.header.nfgen_family, id, tuple.map(|tuple| tuple.payload().bytes), zone);
        there_or_gone(message, Conntrack::NEW.kind.0, Conntrack::DELETE.kind.0, key)
    }

    fn digest(&self, message: Message<'_>) -> u64 {
        digest(
            message,
            &[
                Cta::TIMEOUT.number(),
                Cta::COUNTERS_ORIG.number(),
                Cta::COUNTERS_REPLY.number(),
                Cta::USE.number(),
                Cta::TIMESTAMP.number(),
                Cta::TIMESTAMP_EVENT.number(),
                // In dumps of every connection that may be translated, in events of those that a proxy answered.
                Cta::SYNPROXY.number(),
            ],
        )
    }
}

impl Subject for Expectations {
    type Question = ExpectationMessage;
    type Answer = ExpectationMessage;

    fn dump(&self) -> Operation<ExpectationMessage> {
        Expect::GET
    }

    fn header(&self) -> NetfilterHeader {
        NetfilterHeader::of(self.0)
    }

    fn groups(&self) -> &[u32] {
        &[
            NetfilterGroup::CONNTRACK_EXP_NEW.0,
            NetfilterGroup::CONNTRACK_EXP_UPDATE.0,
            NetfilterGroup::CONNTRACK_EXP_DESTROY.0,
        ]
    }

    fn meaning(&self, message: Message<'_>) -> Meaning {
        let body = Body::<ExpectationMessage>::of(message);
        if self.0 != Family::UNSPEC && body.header.nfgen_family != self.0 {
            return Meaning::Other;
        }
        let keys = (Expectation::ID, Expectation::TUPLE, Expectation::ZONE);
        let Ok((id, tuple, zone)) = body.attributes.read(keys) else {
            return Meaning::Doubt;
        };
        let key = key(body.header.nfgen_family, id, tuple.map(|tuple| tuple.payload().bytes), zone);
        there_or_gone(message, Expect::NEW.kind.0, Expect::DELETE.kind.0, key)
    }

    fn digest(&self, message: Message<'_>) -> u64 {
        digest(message, &[Expectation::TIMEOUT.number()])
    }
}

/// Numbers are made of tuples and of where the entry lies in memory, so a number alone might be given twice.
fn key(family: Family, id: Option<u32>, tuple: Option<&[u8]>, zone: Option<u16>) -> Key {
    Key::new()
        .with(&[family.0])
        .with(&id.unwrap_or(0).to_ne_bytes())
        .with(tuple.unwrap_or_default())
        .with(&zone.unwrap_or(0).to_ne_bytes())
}

fn there_or_gone(message: Message<'_>, new: u16, delete: u16, key: Key) -> Meaning {
    match message.header.kind.0 {
        kind if kind == new => Meaning::Beside(key),
        kind if kind == delete => Meaning::Gone(key),
        _ => Meaning::Other,
    }
}

/// The digest of a message without some of its attributes, whatever their order: events have another than dumps. A number
/// that is 0 is as good as none: of a mark, dumps tell it and events do not.
fn digest(message: Message<'_>, without: &[u16]) -> u64 {
    let header = size_of::<NetfilterHeader>();
    let (header, attributes) = message.payload.split_at_checked(header).unwrap_or((message.payload, &[]));
    RawAttributes::new(attributes, 0)
        .map_while(Result::ok)
        .filter(|raw| !without.contains(&raw.number()) && raw.payload.bytes != [0; 4])
        .map(|raw| Digest::new().with(&raw.number().to_ne_bytes()).with(raw.payload.bytes).0)
        .fold(Digest::new().with(header).0, u64::wrapping_add)
}
