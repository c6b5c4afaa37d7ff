//! Events as rows.

use ringlink::codec::generic::Numbers;
use ringlink::codec::protocol::ROUTE_AND_TRAFFIC;
use ringlink::codec::route::{
    Family, Link, LinkMessage, Namespace, NamespaceMessage, Netconf, NetconfMessage, NexthopMessage, Rtm,
};
use ringlink::codec::table::{Body, OperationRow, Verb};
use ringlink::codec::{Error, Message};

use super::objects::Object;
use super::origins::Origins;
use super::stamp::Stamp;
use crate::link::Rows;
use crate::names::Names;
use crate::output::{Face, Formatted, Output};
use crate::route::{View, family_name, interface};
use crate::session::Session;
use crate::{address, neighbour, route, rule};

/// Where events are printed, and what they are printed with.
pub(crate) struct Screen {
    /// Where rows go.
    pub(crate) output: Output,
    /// Names of interfaces and numbers.
    pub(crate) names: Names,
    /// Whether more is printed than goes without saying.
    pub(crate) details: bool,
    links: Rows,
    origins: Origins,
    stamp: Stamp,
    /// Whether each row says what it is about.
    labelled: bool,
    /// Whether each row says which namespace it comes from.
    placed: bool,
    statistics: bool,
    view: View,
}

/// What stands before a row.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'h> {
    /// What it is about, in JSON.
    pub(crate) object: &'h str,
    /// The same in text, where rows are labelled.
    pub(crate) label: &'h str,
    /// What happened, in JSON.
    pub(crate) event: &'h str,
    /// The same in text; empty where the row says it.
    pub(crate) word: &'h str,
}

impl Screen {
    /// One that prints what the session's options ask for, with the names that it has learnt.
    pub(crate) fn new(session: &mut Session, labelled: bool, placed: bool) -> Self {
        let (options, config) = (&session.options, session.config());
        let details = options.details || options.json;
        let mut config = config.clone();
        // Names are asked for by requests, which want the usual room.
        config.socket.receive_buffer = None;
        Self {
            output: Output::new(if options.json { Face::JsonLines } else { Face::Text }),
            details,
            links: Rows::new(options, config.clone()),
            stamp: Stamp::of(options),
            labelled,
            placed,
            statistics: options.statistics > 0,
            view: View { details, ..View::default() },
            origins: Origins::new(options.clone(), config),
            names: std::mem::take(&mut session.names),
        }
    }

    /// The namespaces that events may come from.
    pub(crate) fn origins(&mut self) -> &mut Origins {
        &mut self.origins
    }

    /// Says what the next rows begin with; `origin` is the id of the namespace that they come from, if not this one.
    pub(crate) fn head(&mut self, head: Head<'_>, origin: Option<i32>) {
        let Self { output, origins, stamp, labelled, placed, .. } = self;
        let name = origin.filter(|_| *placed).and_then(|id| origins.place(id).name.as_deref());
        output.head(|row| {
            row.json("object", head.object);
            row.json("event", head.event);
            stamp.print(row);
            match (*placed, origin, name) {
                (false, ..) => {}
                (true, None, _) => {
                    row.null("netnsid", "");
                    row.glue("[nsid current]");
                }
                (true, Some(id), None) => {
                    row.json("netnsid", id);
                    row.glue(Formatted(format_args!("[nsid {id}]")));
                }
                (true, Some(id), Some(name)) => {
                    row.json("netnsid", id);
                    row.json("netns", name);
                    row.glue(Formatted(format_args!("[netns {name}]")));
                }
            }
            if *labelled && !head.label.is_empty() {
                row.glue(Formatted(format_args!("[{}]", head.label)));
            }
            row.glue(head.word);
        });
    }

    /// Prints a message of rtnetlink as an event, if it is about something that is wanted.
    pub(crate) fn event(
        &mut self,
        message: Message<'_>,
        object: Option<&'static Object>,
        origin: Option<i32>,
        is_wanted: impl Fn(&Object) -> bool,
    ) -> Result<(), Error> {
        if let Ok(link) = message.body(Rtm::NEWLINK) {
            self.learn(&link, origin)?;
        }
        if let Ok(namespace) = message.body(Rtm::NEWNSID).or(message.body(Rtm::DELNSID))
            && let Some(id) = namespace.attributes.get(Namespace::NSID)?
        {
            self.origins.forget(id);
        }
        if !object.is_none_or(is_wanted) {
            return Ok(());
        }
        let event = event_of(ROUTE_AND_TRAFFIC.row(message, Numbers::default()));
        let (name, label) = object.map_or(("message", "MESSAGE"), |object| (object.name, object.label));
        self.head(Head { object: name, label, event, word: "" }, origin);
        self.row(message, origin)
    }

    /// Learns the name of an interface.
    pub(crate) fn learn(&mut self, link: &Body<'_, LinkMessage>, origin: Option<i32>) -> Result<(), Error> {
        if let (Ok(index), Some(name)) = (u32::try_from(link.header.index), link.attributes.get(Link::IFNAME)?) {
            match origin {
                None => self.names.insert(index, name),
                Some(id) => self.origins.place(id).names.insert(index, name),
            }
        }
        Ok(())
    }

    /// Asks for the name of an interface that is not known: its settings are told before itself.
    fn ask(&mut self, index: Option<i32>) {
        let Some(index) = index.and_then(|index| u32::try_from(index).ok()) else { return };
        if self.names.interface(index).name.is_empty()
            && let Some(connection) = self.origins.connection()
        {
            // Without its name, it is named by its index.
            let _ = self.names.ask(connection, index);
        }
    }

    /// Prints a message of rtnetlink: as `show` does where it has rows for such, else with all its names and values.
    fn row(&mut self, message: Message<'_>, origin: Option<i32>) -> Result<(), Error> {
        let routed = |family| matches!(family, Family::INET | Family::INET6 | Family::MPLS);
        if let Ok(link) = message.body(Rtm::NEWLINK).or(message.body(Rtm::DELLINK))
            && link.header.family != Family::INET6
        {
            return self.link(&link, origin, true);
        }
        if let Ok(namespace) = message.body(Rtm::NEWNSID).or(message.body(Rtm::DELNSID)) {
            return self.nsid(namespace);
        }
        let settings = message.body(Rtm::NEWNETCONF);
        if let (Ok(settings), None) = (&settings, origin) {
            self.ask(settings.attributes.get(Netconf::IFINDEX)?);
        }
        let Self { output, names, origins, .. } = self;
        let names = match origin {
            None => &*names,
            Some(id) => &origins.place(id).names,
        };
        if let Ok(body) = message.body(Rtm::NEWADDR).or(message.body(Rtm::DELADDR)) {
            return address::print_event(output, names, body);
        }
        if let Ok(body) = message.body(Rtm::NEWNEIGH).or(message.body(Rtm::DELNEIGH)) {
            return neighbour::print(output, names, body, neighbours(self.statistics));
        }
        if let Ok(body) = message.body(Rtm::NEWRULE).or(message.body(Rtm::DELRULE)) {
            return rule::print(output, names, body, self.details);
        }
        if let Ok(body) = message.body(Rtm::NEWNEXTHOP).or(message.body(Rtm::DELNEXTHOP)) {
            return route::print_nexthop(output, names, body, self.details);
        }
        if let Ok(body) = settings.or(message.body(Rtm::DELNETCONF)) {
            return netconf(output, names, body, self.details);
        }
        match message.body(Rtm::NEWROUTE).or(message.body(Rtm::DELROUTE)) {
            Ok(body) if routed(body.header.family) => return route::print(output, names, body, &self.view),
            _ => {}
        }
        let text = if output.is_json() {
            message.json(&ROUTE_AND_TRAFFIC).to_string()
        } else {
            message.tree(&ROUTE_AND_TRAFFIC).to_string()
        };
        output.made(&text);
        let broken = ROUTE_AND_TRAFFIC.row(message, Numbers::default()).and_then(|row| {
            let header = row.header.length(message.payload);
            message.raw_attributes(header).find_map(Result::err)
        });
        broken.map_or(Ok(()), Err)
    }

    /// Prints an interface.
    pub(crate) fn link(&mut self, link: &Body<'_, LinkMessage>, origin: Option<i32>, event: bool) -> Result<(), Error> {
        let Self { output, names, links, origins, .. } = self;
        match origin {
            None => links.print_one(output, names, link, event),
            Some(id) => {
                let place = origins.place(id);
                place.links.print_one(output, &place.names, link, event)
            }
        }
    }

    /// Prints a neighbour.
    pub(crate) fn neighbour(
        &mut self,
        body: Body<'_, ringlink::codec::route::NeighbourMessage>,
        without_device: bool,
    ) -> Result<(), Error> {
        let view = neighbour::View { without_device, ..neighbours(self.statistics) };
        neighbour::print(&mut self.output, &self.names, body, view)
    }

    /// Prints a next hop object.
    pub(crate) fn nexthop(&mut self, body: Body<'_, NexthopMessage>) -> Result<(), Error> {
        route::print_nexthop(&mut self.output, &self.names, body, self.details)
    }

    fn nsid(&mut self, body: Body<'_, NamespaceMessage>) -> Result<(), Error> {
        let id = body.attributes.get(Namespace::NSID)?;
        let gone = body.message.kind == Rtm::DELNSID.kind;
        let name = id.filter(|_| !gone).and_then(|id| self.origins.name(id));
        self.output.row(|row| {
            if gone {
                row.yes("deleted", "Deleted");
            }
            if let Some(id) = id {
                row.field("nsid", "nsid", id);
            }
            if let Some(name) = &name {
                row.json("name", name.as_str());
                row.word(Formatted(format_args!("(iproute2 netns name: {name})")));
            }
        });
        Ok(())
    }
}

/// What a message says has happened, by its verb.
pub(super) fn event_of(row: Option<&OperationRow>) -> &'static str {
    match row.map(|row| row.verb) {
        Some(Verb::New | Verb::Set) => "new",
        Some(Verb::Delete) => "del",
        _ => "message",
    }
}

fn neighbours(statistics: bool) -> neighbour::View {
    neighbour::View { statistics, ..neighbour::View::default() }
}

/// Prints forwarding settings, as `ip netconf` does.
fn netconf(output: &mut Output, names: &Names, body: Body<'_, NetconfMessage>, details: bool) -> Result<(), Error> {
    let (index, forwarding, filter, multicast, proxy, linkdown, input, broadcast, forced) = body.attributes.read((
        Netconf::IFINDEX,
        Netconf::FORWARDING,
        Netconf::RP_FILTER,
        Netconf::MC_FORWARDING,
        Netconf::PROXY_NEIGH,
        Netconf::IGNORE_ROUTES_WITH_LINKDOWN,
        Netconf::INPUT,
        Netconf::BC_FORWARDING,
        Netconf::FORCE_FORWARDING,
    ))?;
    output.row(|row| {
        if body.message.kind == Rtm::DELNETCONF.kind {
            row.yes("deleted", "Deleted");
        }
        row.field("family", "", family_name(body.header.family));
        match index {
            Some(-1) => row.field("interface", "", "all"),
            Some(-2) => row.field("interface", "", "default"),
            Some(index) => row.field("interface", "", interface(names, index)),
            None => {}
        }
        let on_off = |row: &mut Output, name: &'static str, value: Option<i32>| {
            if let Some(value) = value {
                row.json(name, value != 0);
                row.word(name);
                row.word(if value == 0 { "off" } else { "on" });
            }
        };
        on_off(row, "forwarding", forwarding);
        match filter {
            Some(0) => row.field("rp_filter", "rp_filter", "off"),
            Some(1) => row.field("rp_filter", "rp_filter", "strict"),
            Some(2) => row.field("rp_filter", "rp_filter", "loose"),
            Some(_) => row.field("rp_filter", "rp_filter", "unknown mode"),
            None => {}
        }
        on_off(row, "mc_forwarding", multicast);
        on_off(row, "proxy_neigh", proxy);
        on_off(row, "ignore_routes_with_linkdown", linkdown);
        on_off(row, "input", input);
        if details {
            on_off(row, "bc_forwarding", broadcast);
            on_off(row, "force_forwarding", forced);
        }
    });
    Ok(())
}
