//! Names and ids of network namespaces, and their events, against the live kernel.

use std::ffi::OsStr;

use ringlink::codec::route::{Group, Link, LinkFlags, LinkHeader, Rtm};
use ringlink::namespaces::{Namespaces, Turn, give_id, id_of};
use ringlink::{Config, Connection, Monitor, Namespace, Protocol, SocketOptions};

mod kernel;

use kernel::{ip, isolated, soon};

/// A named namespace that is deleted when dropped.
struct Named(String);

impl Named {
    fn new(what: &str) -> Named {
        let name = format!("ringlink-{what}-{}", std::process::id());
        ip(&format!("netns add {name}"));
        Named(name)
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        ip(&format!("netns del {}", self.0));
    }
}

#[test]
fn names_come_and_go() {
    isolated("names_come_and_go", || {
        let mut namespaces = Namespaces::open().expect("open");
        let mut turns = Vec::new();
        let mut look = |namespaces: &mut Namespaces| {
            turns.clear();
            let ours = |name: &OsStr| name == OsStr::new(&format!("ringlink-named-{}", std::process::id()));
            let tell = |name: &OsStr, turn| {
                if ours(name) {
                    turns.push((name.to_string_lossy().into_owned(), turn));
                }
            };
            namespaces.look(tell).expect("a look");
            turns.clone()
        };
        look(&mut namespaces);
        let name = Named::new("named").0.clone();
        // It was made and deleted between two looks: nothing is left to tell.
        assert_eq!(look(&mut namespaces), []);
        let named = Named::new("named");
        assert_eq!(look(&mut namespaces), [(name.clone(), Turn::Appeared)]);
        assert_eq!(look(&mut namespaces), []);
        drop(named);
        let again = Named::new("named");
        match look(&mut namespaces).as_slice() {
            // A namespace is told by its inode.
            [] => {
                println!("absent: names_come_and_go: this kernel gave the inode's number to the next namespace at once")
            }
            turns => assert_eq!(turns, [(name.clone(), Turn::Vanished), (name.clone(), Turn::Appeared)]),
        }
        assert_eq!(namespaces.id_of(OsStr::new(&name)), None);
        namespaces.identify().expect("ids");
        let id = namespaces.id_of(OsStr::new(&name)).expect("an id");
        assert_eq!(namespaces.name_of(id), Some(OsStr::new(&name)));
        drop(again);
        assert_eq!(look(&mut namespaces), [(name, Turn::Vanished)]);
        assert_eq!(namespaces.name_of(id), None);
    });
}

#[test]
fn events_of_all_namespaces_have_a_name() {
    isolated("events_of_all_namespaces", || {
        let named = Named::new("all");
        let mut namespaces = Namespaces::open().expect("open");
        namespaces.look(|_, _| {}).expect("a look");
        namespaces.identify().expect("ids");
        let socket = SocketOptions { listen_all_nsid: true, ..SocketOptions::default() };
        let monitor = Monitor::with(Protocol::ROUTE, &Config { socket, ..Config::default() }, &[Group::LINK.0]);
        let monitor = monitor.expect("a monitor");
        let there = Namespace::name(&named.0).expect("there");
        let mut connection = Connection::with(Protocol::ROUTE, Config::in_namespace(there)).expect("a connection");
        let up = LinkHeader { index: 1, flags: LinkFlags::UP, change: LinkFlags::UP, ..LinkHeader::default() };
        connection.apply(Rtm::NEWLINK, up, |_| {}).expect("lo is up");
        let notice = monitor.receive(soon()).expect("an event");
        let id = notice.namespace().expect("of another namespace");
        assert_eq!(namespaces.name_of(id), Some(OsStr::new(&named.0)));
        let link = notice.messages().next().expect("a message").expect("whole").body(Rtm::NEWLINK).expect("a link");
        assert!(link.attributes.get(Link::IFNAME).expect("readable").is_some_and(|name| name == "lo"));
    });
}

#[test]
fn ids_are_given_once() {
    isolated("ids_are_given_once", || {
        let named = Named::new("id");
        let there = Namespace::name(&named.0).expect("there");
        let mut connection = Connection::open(Protocol::ROUTE).expect("a connection");
        assert_eq!(id_of(&mut connection, &there), Ok(None));
        assert_eq!(give_id(&mut connection, &there, Some(77)), Ok(77));
        assert_eq!(id_of(&mut connection, &there), Ok(Some(77)));
        assert!(give_id(&mut connection, &there, None).is_err_and(|error| error.already_exists()));
    });
}
