//! netlink-bindings over netlink-socket2, blocking: attributes are decoded as they are walked, messages are borrowed.

use std::net::{IpAddr, Ipv4Addr};
use std::ops::Range;

use netlink_bindings::rt_link::{self, LinkAttrs};
use netlink_bindings::rt_neigh::{self, NeighbourAttrs};
use netlink_bindings::rt_route::{self, OpGetrouteDump, RouteAttrs, Rtmsg};
use netlink_bindings::traits::NetlinkRequest;
use netlink_socket2::{MulticastSocketRaw, NetlinkSocket};

use super::{Change, Library, Until};
use crate::Outcome;
use crate::object::{self, Object, Tally, last_of};
use crate::scene::{FIRST_ROUTE, GATEWAY};

/// The group of IPv4 route events.
const IPV4_ROUTE: u32 = 7;

/// netlink-bindings at work.
pub struct NetlinkBindings {
    socket: NetlinkSocket,
    events: Option<MulticastSocketRaw>,
}

impl NetlinkBindings {
    /// Opens nothing yet: the first request does.
    pub fn open() -> Outcome<NetlinkBindings> {
        Ok(NetlinkBindings { socket: NetlinkSocket::new(), events: None })
    }
}

impl Library for NetlinkBindings {
    fn dump(&mut self, object: Object) -> Outcome<Tally> {
        dump(&mut self.socket, object)
    }

    fn dump_once(&mut self, object: Object) -> Outcome<Tally> {
        dump(&mut NetlinkSocket::new(), object)
    }

    fn listen(&mut self) -> Outcome {
        let mut socket = MulticastSocketRaw::new(rt_route::PROTONUM)?;
        socket.listen(IPV4_ROUTE)?;
        self.events = Some(socket);
        Ok(())
    }

    fn events(&mut self, until: Until) -> Outcome<Tally> {
        let socket = self.events.as_mut().ok_or("nobody listens")?;
        let mut tally = Tally::default();
        loop {
            let (_, bytes) = match socket.recv() {
                Err(error) if error.as_io_error().raw_os_error() == Some(libc::ENOBUFS) => continue,
                other => other?,
            };
            let (header, attributes) = OpGetrouteDump::decode_reply(bytes);
            tally.add(route(&header, attributes)?);
            if until.reached(tally.items, header.rtm_protocol) {
                return Ok(tally);
            }
        }
    }

    fn look_up(&mut self, addresses: Range<u32>) -> Outcome<Tally> {
        let header = Rtmsg { rtm_family: 2, rtm_dst_len: 32, ..Rtmsg::default() };
        let mut tally = Tally::default();
        for address in addresses {
            let mut request = rt_route::Request::new().op_getroute_do(&header);
            request.encode().push_dst(IpAddr::V4(Ipv4Addr::from(FIRST_ROUTE + address)));
            let mut reply = self.socket.request(&request)?;
            let (header, attributes) = reply.recv_one()?;
            tally.add(route(&header, attributes)?);
        }
        Ok(tally)
    }

    fn change(&mut self, change: Change, numbers: Range<u32>) -> Outcome<Tally> {
        let header =
            Rtmsg { rtm_family: 2, rtm_dst_len: 32, rtm_table: 254, rtm_protocol: 4, rtm_type: 1, ..Rtmsg::default() };
        let mut tally = Tally::default();
        for number in numbers {
            let destination = IpAddr::V4(Ipv4Addr::from(FIRST_ROUTE + number));
            match change {
                Change::Add => {
                    let mut request = rt_route::Request::new().set_create().op_newroute_do(&header);
                    request.encode().push_dst(destination).push_gateway(IpAddr::V4(GATEWAY));
                    self.socket.request(&request)?.recv_ack()?;
                }
                Change::Delete => {
                    let mut request = rt_route::Request::new().op_delroute_do(&header);
                    request.encode().push_dst(destination);
                    self.socket.request(&request)?.recv_ack()?;
                }
            }
            tally.add(0);
        }
        Ok(tally)
    }
}

fn dump(socket: &mut NetlinkSocket, object: Object) -> Outcome<Tally> {
    let mut tally = Tally::default();
    match object {
        Object::Link => {
            let request = rt_link::Request::new().op_getlink_dump(&rt_link::Ifinfomsg::default());
            let mut reply = socket.request(&request)?;
            while let Some((header, attributes)) = reply.recv().transpose()? {
                tally.add(link(&header, attributes)?);
            }
        }
        Object::Route => {
            let header = Rtmsg { rtm_family: 2, ..Rtmsg::default() };
            let request = rt_route::Request::new().op_getroute_dump(&header);
            let mut reply = socket.request(&request)?;
            while let Some((header, attributes)) = reply.recv().transpose()? {
                tally.add(route(&header, attributes)?);
            }
        }
        Object::Neighbour => {
            let header = rt_neigh::Ndmsg { ndm_family: 2, ..rt_neigh::Ndmsg::default() };
            let request = rt_neigh::Request::new().op_getneigh_dump(&header);
            let mut reply = socket.request(&request)?;
            while let Some((header, attributes)) = reply.recv().transpose()? {
                tally.add(neighbour(&header, attributes)?);
            }
        }
        Object::Address | Object::Rule => return Err(super::missing("dumps of this")),
    }
    Ok(tally)
}

/// One walk over the attributes, which is this library's cheapest way to several of them.
fn route(header: &Rtmsg, attributes: rt_route::IterableRouteAttrs<'_>) -> Outcome<u64> {
    let (mut destination, mut gateway, mut output, mut priority, mut table) = (0, 0, 0, 0, 0);
    for attribute in attributes {
        match attribute.map_err(|error| format!("{error:?}"))? {
            RouteAttrs::Dst(address) => destination = last_of(Some(address)),
            RouteAttrs::Gateway(address) => gateway = last_of(Some(address)),
            RouteAttrs::Oif(index) => output = index,
            RouteAttrs::Priority(value) => priority = value,
            RouteAttrs::Table(value) => table = value,
            _ => {}
        }
    }
    Ok(object::route(header.rtm_dst_len, destination, gateway, output, priority, table))
}

fn link(header: &rt_link::Ifinfomsg, attributes: rt_link::IterableLinkAttrs<'_>) -> Outcome<u64> {
    let (mut name, mut mtu, mut address) = ([].as_slice(), 0, [].as_slice());
    for attribute in attributes {
        match attribute.map_err(|error| format!("{error:?}"))? {
            LinkAttrs::Ifname(value) => name = value.to_bytes(),
            LinkAttrs::Mtu(value) => mtu = value,
            LinkAttrs::Address(value) => address = value,
            _ => {}
        }
    }
    Ok(object::link(header.ifi_index.cast_unsigned(), mtu, name, address))
}

fn neighbour(header: &rt_neigh::Ndmsg, attributes: rt_neigh::IterableNeighbourAttrs<'_>) -> Outcome<u64> {
    let (mut address, mut hardware) = (0, [].as_slice());
    for attribute in attributes {
        match attribute.map_err(|error| format!("{error:?}"))? {
            NeighbourAttrs::Dst(value) => address = last_of(Some(value)),
            NeighbourAttrs::Lladdr(value) => hardware = value,
            _ => {}
        }
    }
    Ok(object::neighbour(header.ndm_ifindex.cast_unsigned(), header.ndm_state, address, hardware))
}
