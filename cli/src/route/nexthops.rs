//! Next hop objects, of which a detailed route tells what stands behind its `nhid`.

use std::collections::HashMap;

use ringlink::Connection;
use ringlink::codec::route::{
    EncapType, Nexthop, NexthopGroupEntry, NexthopHeader, NexthopMessage, RouteFlags, RouteProtocol, Rtm, Scope,
};
use ringlink::codec::table::Body;
use ringlink::codec::{Error, Message};

use super::encap;
use super::row::flags;
use crate::names::Names;
use crate::output::Output;

/// Next hop objects by their number.
#[derive(Debug, Default)]
pub(crate) struct Nexthops {
    messages: HashMap<u32, Vec<u8>>,
}

impl Nexthops {
    /// Learns all of them. A kernel that has none such (before Linux 5.3) has none of them.
    pub(super) fn learn(connection: &mut Connection) -> Result<Self, ringlink::Error> {
        let mut nexthops = Self::default();
        let mut dump = connection.dump(Rtm::GETNEXTHOP, NexthopHeader::default(), |_| {})?;
        loop {
            match dump.next_message() {
                Ok(Some(message)) => nexthops.insert(message),
                Ok(None) => return Ok(nexthops),
                Err(ringlink::Error::Refused(_)) => return Ok(nexthops),
                Err(error) => return Err(error),
            }
        }
    }

    fn insert(&mut self, message: Message<'_>) {
        let body = Body::<NexthopMessage>::of(message);
        if let Ok(Some(id)) = body.attributes.get(Nexthop::ID) {
            let mut bytes = message.header.to_bytes().to_vec();
            bytes.extend_from_slice(message.payload);
            self.messages.insert(id, bytes);
        }
    }

    /// Prints one as part of a route.
    pub(super) fn print(&self, row: &mut Output, names: &Names, id: u32) -> Result<(), Error> {
        let Some(bytes) = self.messages.get(&id) else {
            return Ok(());
        };
        let body = Body::<NexthopMessage>::of(Message::parse(bytes)?);
        row.line("\t");
        row.word("nh_info");
        row.object("nh_info", |row| print(row, names, body, true))
    }
}

/// Prints a next hop object as a row of its own.
pub(crate) fn print_event(
    output: &mut Output,
    names: &Names,
    body: Body<'_, NexthopMessage>,
    details: bool,
) -> Result<(), Error> {
    output.row(|row| {
        if body.message.kind == Rtm::DELNEXTHOP.kind {
            row.yes("deleted", "Deleted");
        }
        print(row, names, body, details)
    })
}

/// Prints a next hop object; without details, what goes without saying is left out.
fn print(row: &mut Output, names: &Names, body: Body<'_, NexthopMessage>, details: bool) -> Result<(), Error> {
    let (id, group, encap_type, gateway, oif, blackhole, fdb) = body.attributes.read((
        Nexthop::ID,
        Nexthop::GROUP,
        Nexthop::ENCAP_TYPE,
        Nexthop::GATEWAY,
        Nexthop::OIF,
        Nexthop::BLACKHOLE,
        Nexthop::FDB,
    ))?;
    if let Some(id) = id {
        row.field("id", "id", id);
    }
    if let Some(group) = group {
        row.word("group");
        row.list("group", |list| {
            for (index, entry) in group.enumerate() {
                if index > 0 {
                    list.glue("/");
                    list.tight();
                }
                list.entry(|row| print_member(row, entry));
            }
        });
    }
    if let Some(kind) = encap_type.filter(|kind| *kind != EncapType::NONE) {
        let payload = body.attributes.get(Nexthop::ENCAP)?.map(|chosen| chosen.payload);
        encap::print(row, names, kind, payload, encap::ALONE)?;
    }
    if let Some(gateway) = gateway {
        row.field("gateway", "via", gateway);
    }
    if let Some(index) = oif {
        row.field("dev", "dev", names.interface(index));
    }
    if details || body.header.scope != Scope::UNIVERSE {
        row.field("scope", "scope", names.scopes().name(body.header.scope.0));
    }
    if blackhole.is_some() {
        row.null("blackhole", "blackhole");
    }
    if details || body.header.protocol != RouteProtocol::UNSPEC {
        row.field("protocol", "proto", names.protocols().name(body.header.protocol.0));
    }
    flags(row, RouteFlags(body.header.flags.0));
    if fdb.is_some() {
        row.null("fdb", "fdb");
    }
    Ok(())
}

/// A member of a group; a weight of one goes without saying.
fn print_member(row: &mut Output, entry: NexthopGroupEntry) {
    row.field("id", "", entry.id);
    let weight = entry.full_weight();
    if weight != 1 {
        row.glue(",");
        row.tight();
        row.field("weight", "", weight);
    }
}
