//! Words that any kind of interface takes.

use std::os::fd::{AsFd, AsRawFd};

use ringlink::Namespace;
use ringlink::codec::route::{
    AddressGeneration, AfSpec, Inet6Link, Link, LinkFlags, LinkMode, OperState, ProtoDownReason, VfList, XdpFlags,
};
use ringlink::codec::table::AttributeWriter;

use super::functions::{Device, Function};
use super::{Draft, Reader, set_flag, stage};
use crate::arguments::{hardware, number};
use crate::failure::Failure;

impl<'w> Reader<'_, 'w> {
    /// Reads words to the end.
    pub(super) fn settings(
        &mut self,
        draft: &mut Draft<'w>,
        link: &mut AttributeWriter<'_, '_, Link>,
    ) -> Result<(), Failure> {
        while let Some(word) = self.words.next() {
            match word {
                "type" => {
                    let kind = self.words.value("a kind of interface")?;
                    draft.kind = Some((kind, self.kind(kind)?));
                }
                "dev" => draft.name = Some(self.words.value("an interface")?),
                "link" if self.makes => {
                    let below = self.words.value("an interface")?;
                    link.put(Link::LINK, self.session.interface(below)?);
                }
                "name" => {
                    let name = self.words.value("a name")?;
                    match self.makes {
                        true => draft.name = Some(name),
                        false => link.put(Link::IFNAME, name),
                    }
                }
                "up" => set_flag(&mut draft.header, LinkFlags::UP, true),
                "down" => set_flag(&mut draft.header, LinkFlags::UP, false),
                "arp" => set_flag(&mut draft.header, LinkFlags::NOARP, !self.on()?),
                "multicast" => set_flag(&mut draft.header, LinkFlags::MULTICAST, self.on()?),
                "allmulticast" => set_flag(&mut draft.header, LinkFlags::ALLMULTI, self.on()?),
                "promisc" => set_flag(&mut draft.header, LinkFlags::PROMISC, self.on()?),
                "dynamic" => set_flag(&mut draft.header, LinkFlags::DYNAMIC, self.on()?),
                "trailers" => set_flag(&mut draft.header, LinkFlags::NOTRAILERS, !self.on()?),
                "address" => link.put(Link::ADDRESS, self.hardware()?.as_slice()),
                "broadcast" | "brd" => link.put(Link::BROADCAST, self.hardware()?.as_slice()),
                "mtu" => link.put(Link::MTU, self.words.number::<u32>()?),
                "txqueuelen" | "txqlen" | "qlen" => link.put(Link::TXQLEN, self.words.number::<u32>()?),
                "numtxqueues" => link.put(Link::NUM_TX_QUEUES, self.words.number::<u32>()?),
                "numrxqueues" => link.put(Link::NUM_RX_QUEUES, self.words.number::<u32>()?),
                "gso_max_size" => link.put(Link::GSO_MAX_SIZE, self.words.number::<u32>()?),
                "gso_max_segs" => link.put(Link::GSO_MAX_SEGS, self.words.number::<u32>()?),
                "gro_max_size" => link.put(Link::GRO_MAX_SIZE, self.words.number::<u32>()?),
                "index" => draft.header.index = self.words.number()?,
                "alias" => link.put(Link::IFALIAS, self.words.value("a description")?),
                "link-netnsid" => link.put(Link::LINK_NETNSID, self.words.number::<i32>()?),
                "master" | "vrf" => {
                    let above = self.words.value("an interface")?;
                    link.put(Link::MASTER, self.session.interface(above)?);
                }
                "nomaster" | "novrf" => link.put(Link::MASTER, 0),
                "netns" => self.netns(link)?,
                "group" => {
                    let groups = self.session.names.groups();
                    let group = self.words.parse("a group", |word| groups.number(word))?;
                    match draft.name {
                        // Without an interface before it, the interfaces of that group are meant.
                        None if !self.makes => draft.group = Some(group),
                        _ => link.put(Link::GROUP, group),
                    }
                }
                "mode" => link.put(Link::LINKMODE, self.words.parse("default or dormant", mode)?),
                "state" => link.put(Link::OPERSTATE, self.words.parse("a state (up, down, dormant …)", state)?),
                "carrier" => link.put(Link::CARRIER, u8::from(self.on()?)),
                "protodown" => link.put(Link::PROTO_DOWN, u8::from(self.on()?)),
                "protodown_reason" => {
                    let bit =
                        self.words.parse("a number from 0 to 31", |word| number::<u8>(word).filter(|bit| *bit < 32))?;
                    let mask = 1_u32 << bit;
                    let value = if self.on()? { mask } else { 0 };
                    link.nest(Link::PROTO_DOWN_REASON, |reason| {
                        reason.put(ProtoDownReason::MASK, mask);
                        reason.put(ProtoDownReason::VALUE, value);
                    });
                }
                "addrgenmode" => {
                    let mode = self.words.parse("eui64, none, stable_secret or random", generation)?;
                    link.choose(Link::AF_SPEC, AfSpec, |families| {
                        families.nest(AfSpec::INET6, |inet6| inet6.put(Inet6Link::ADDR_GEN_MODE, mode));
                    });
                }
                "vf" if !self.makes => {
                    let Some(name) = draft.name else {
                        return Err(self.words.refuse("an interface before its functions"));
                    };
                    let index = self.index(name)?;
                    let device = Device::ask(self.session, index)?;
                    draft.functions.push(Function::read(self.words, &device)?);
                }
                "xdp" => self.xdp(link, XdpFlags::default())?,
                "xdpgeneric" => self.xdp(link, XdpFlags::SKB_MODE)?,
                "xdpdrv" => self.xdp(link, XdpFlags::DRV_MODE)?,
                "xdpoffload" => self.xdp(link, XdpFlags::HW_MODE)?,
                name if draft.name.is_none() => draft.name = Some(name),
                _ => return Err(self.words.refuse("a word of `ringlink link help`")),
            }
        }
        if !draft.functions.is_empty() {
            // One list of all: of several, the kernel would read the last.
            link.nest(Link::VFINFO_LIST, |list| {
                draft.functions.iter().for_each(|function| list.nest(VfList::INFO, |vf| function.put(vf)));
            });
        }
        Ok(())
    }

    /// Reads `on` or `off`.
    pub(super) fn on(&mut self) -> Result<bool, Failure> {
        self.words.parse("on or off", |word| match word {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        })
    }

    /// Reads a hardware address.
    pub(super) fn hardware(&mut self) -> Result<Vec<u8>, Failure> {
        self.words.parse("a hardware address (02:00:00:00:00:01)", hardware)
    }

    /// Reads a namespace by name or process id.
    fn netns(&mut self, link: &mut AttributeWriter<'_, '_, Link>) -> Result<(), Failure> {
        let word = self.words.value("a network namespace's name, or a process id")?;
        let namespace = match (Namespace::name(word), number::<u32>(word)) {
            (Err(_), Some(pid)) => {
                link.put(Link::NET_NS_PID, pid);
                return Ok(());
            }
            (named, _) => named?,
        };
        // A descriptor is never negative.
        link.put(Link::NET_NS_FD, namespace.as_fd().as_raw_fd().unsigned_abs());
        self.namespaces.push(namespace);
        Ok(())
    }

    /// Reads the other end of a pair into a request of its own: its header, and its attributes.
    pub(super) fn peer(&mut self) -> Result<(Draft<'w>, Vec<u8>), Failure> {
        let mut draft = Draft::default();
        let attributes = stage::<Link>(|link| self.settings(&mut draft, link))?;
        Ok((draft, attributes))
    }
}

fn mode(word: &str) -> Option<LinkMode> {
    match word {
        "default" | "DEFAULT" => Some(LinkMode::DEFAULT),
        "dormant" | "DORMANT" => Some(LinkMode::DORMANT),
        _ => None,
    }
}

fn state(word: &str) -> Option<OperState> {
    (0..=6).map(OperState).find(|state| state.name().is_some_and(|name| name.eq_ignore_ascii_case(word)))
}

fn generation(word: &str) -> Option<AddressGeneration> {
    match word {
        "eui64" => Some(AddressGeneration::EUI64),
        "none" => Some(AddressGeneration::NONE),
        "stable_secret" => Some(AddressGeneration::STABLE_PRIVACY),
        "random" => Some(AddressGeneration::RANDOM),
        _ => None,
    }
}
