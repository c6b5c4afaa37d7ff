//! neli, blocking, by its socket handle: headers and attributes become values, attributes' payloads are read from them.

use std::ops::Range;

use neli::consts::nl::{NlTypeWrapper, NlmF, Nlmsg};
use neli::consts::rtnl::{Ifla, Nda, Nud, RtAddrFamily, RtScope, RtTable, Rta, Rtm, Rtn, Rtprot};
use neli::consts::socket::NlFamily;
use neli::nl::{NlPayload, Nlmsghdr, NlmsghdrBuilder};
use neli::rtnl::{Ifinfomsg, IfinfomsgBuilder, Ndmsg, NdmsgBuilder, RtattrBuilder, Rtmsg, RtmsgBuilder};
use neli::socket::synchronous::NlSocketHandle;
use neli::types::{Buffer, RtBuffer};
use neli::utils::Groups;
use neli::{FromBytesWithInput, Size, ToBytes};

use super::{Library, Until};
use crate::Outcome;
use crate::object::{self, Object, Tally, last};
use crate::scene::FIRST_ROUTE;

/// The group of IPv4 route events.
const IPV4_ROUTE: u32 = 7;

/// neli at work.
pub struct Neli {
    socket: NlSocketHandle,
}

impl Neli {
    /// Opens a socket.
    pub fn open() -> Outcome<Neli> {
        Ok(Neli { socket: NlSocketHandle::connect(NlFamily::Route, None, Groups::empty())? })
    }
}

impl Library for Neli {
    fn dump(&mut self, object: Object) -> Outcome<Tally> {
        dump(&self.socket, object)
    }

    fn dump_once(&mut self, object: Object) -> Outcome<Tally> {
        dump(&Neli::open()?.socket, object)
    }

    fn listen(&mut self) -> Outcome {
        self.socket = NlSocketHandle::connect(NlFamily::Route, None, Groups::new_groups(&[IPV4_ROUTE]))?;
        Ok(())
    }

    fn events(&mut self, until: Until) -> Outcome<Tally> {
        let mut tally = Tally::default();
        loop {
            let (messages, _) = match self.socket.recv::<NlTypeWrapper, Rtmsg>() {
                Err(neli::err::SocketError::Io(error)) if error.raw_os_error() == Some(libc::ENOBUFS) => continue,
                other => other?,
            };
            for message in messages {
                let message = message?;
                let NlPayload::Payload(header) = message.nl_payload() else { continue };
                tally.add(route(header));
                if until.reached(tally.items, u8::from(*header.rtm_protocol())) {
                    return Ok(tally);
                }
            }
        }
    }

    fn look_up(&mut self, addresses: Range<u32>) -> Outcome<Tally> {
        let mut tally = Tally::default();
        for address in addresses {
            let destination = RtattrBuilder::default()
                .rta_type(Rta::Dst)
                .rta_payload((FIRST_ROUTE + address).to_be_bytes().to_vec())
                .build()?;
            let attributes: RtBuffer<Rta, Buffer> = [destination].into_iter().collect();
            send(&self.socket, Rtm::Getroute, NlmF::REQUEST, route_header(32, attributes)?)?;
            let (messages, _) = self.socket.recv::<NlTypeWrapper, Rtmsg>()?;
            for message in messages {
                let message = message?;
                let NlPayload::Payload(header) = message.nl_payload() else { return Err("no answer".into()) };
                tally.add(route(header));
            }
        }
        Ok(tally)
    }
}

fn dump(socket: &NlSocketHandle, object: Object) -> Outcome<Tally> {
    let flags = NlmF::REQUEST | NlmF::DUMP;
    let mut tally = Tally::default();
    match object {
        Object::Link => {
            let header = IfinfomsgBuilder::default().ifi_family(RtAddrFamily::Unspecified).build()?;
            send(socket, Rtm::Getlink, flags, header)?;
            receive(socket, link, &mut tally)?;
        }
        Object::Route => {
            send(socket, Rtm::Getroute, flags, route_header(0, RtBuffer::new())?)?;
            receive(socket, route, &mut tally)?;
        }
        Object::Neighbour => {
            let header = NdmsgBuilder::default()
                .ndm_family(RtAddrFamily::Inet)
                .ndm_index(0)
                .ndm_state(Nud::empty())
                .ndm_type(Rtn::Unspec)
                .build()?;
            send(socket, Rtm::Getneigh, flags, header)?;
            receive(socket, neighbour, &mut tally)?;
        }
        Object::Address | Object::Rule => return Err(super::missing("dumps of this")),
    }
    Ok(tally)
}

fn route_header(prefix: u8, attributes: RtBuffer<Rta, Buffer>) -> Outcome<Rtmsg> {
    Ok(RtmsgBuilder::default()
        .rtm_family(RtAddrFamily::Inet)
        .rtm_dst_len(prefix)
        .rtm_src_len(0)
        .rtm_tos(0)
        .rtm_table(RtTable::Unspec)
        .rtm_protocol(Rtprot::Unspec)
        .rtm_scope(RtScope::Universe)
        .rtm_type(Rtn::Unspec)
        .rtattrs(attributes)
        .build()?)
}

fn send<P: Size + ToBytes + std::fmt::Debug>(socket: &NlSocketHandle, kind: Rtm, flags: NlmF, header: P) -> Outcome {
    let message: Nlmsghdr<Rtm, P> =
        NlmsghdrBuilder::default().nl_type(kind).nl_flags(flags).nl_payload(NlPayload::Payload(header)).build()?;
    Ok(socket.send(&message)?)
}

/// A dump's messages, to its end.
fn receive<P>(socket: &NlSocketHandle, read: impl Fn(&P) -> u64, tally: &mut Tally) -> Outcome
where
    P: Size + FromBytesWithInput<Input = usize> + std::fmt::Debug,
{
    loop {
        let (messages, _) = socket.recv::<NlTypeWrapper, P>()?;
        for message in messages {
            let message = message?;
            if *message.nl_type() == NlTypeWrapper::Nlmsg(Nlmsg::Done) {
                return Ok(());
            }
            match message.nl_payload() {
                NlPayload::Payload(payload) => tally.add(read(payload)),
                NlPayload::Err(error) => return Err(format!("{error:?}").into()),
                _ => {}
            }
        }
    }
}

fn route(header: &Rtmsg) -> u64 {
    let (mut destination, mut gateway, mut output, mut priority, mut table) = (0, 0, 0, 0, 0);
    for attribute in header.rtattrs().iter() {
        let payload: &[u8] = attribute.rta_payload().as_ref();
        match attribute.rta_type() {
            Rta::Dst => destination = last(payload),
            Rta::Gateway => gateway = last(payload),
            Rta::Oif => output = number(payload),
            Rta::Priority => priority = number(payload),
            Rta::Table => table = number(payload),
            _ => {}
        }
    }
    object::route(*header.rtm_dst_len(), destination, gateway, output, priority, table)
}

fn link(header: &Ifinfomsg) -> u64 {
    let (mut name, mut mtu, mut address) = ([].as_slice(), 0, [].as_slice());
    for attribute in header.rtattrs().iter() {
        let payload: &[u8] = attribute.rta_payload().as_ref();
        match attribute.rta_type() {
            Ifla::Ifname => name = payload.strip_suffix(&[0]).unwrap_or(payload),
            Ifla::Mtu => mtu = number(payload),
            Ifla::Address => address = payload,
            _ => {}
        }
    }
    object::link(header.ifi_index().cast_unsigned(), mtu, name, address)
}

fn neighbour(header: &Ndmsg) -> u64 {
    let (mut address, mut hardware) = (0, [].as_slice());
    for attribute in header.rtattrs().iter() {
        let payload: &[u8] = attribute.rta_payload().as_ref();
        match attribute.rta_type() {
            Nda::Dst => address = last(payload),
            Nda::Lladdr => hardware = payload,
            _ => {}
        }
    }
    object::neighbour(header.ndm_index().cast_unsigned(), header.ndm_state().bits(), address, hardware)
}

fn number(payload: &[u8]) -> u32 {
    payload.first_chunk().map_or(0, |bytes| u32::from_ne_bytes(*bytes))
}
