//! Connections and expectations read whole.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    ConnectionMessage, Counters, Cta, DccpInfo, DccpRole, DccpState, Expectation, ExpectationFlags, ExpectationMessage,
    ExpectationNat, Help, Nat, NatPorts, ProtoInfo, Protocol, SctpInfo, SctpState, SecurityContext, SequenceAdjustment,
    Status, SynProxy, TcpFlagsMask, TcpInfo, TcpState, Timestamp, Tuple, TupleIp, TupleProto,
};
use crate::netfilter::NetfilterHeader;
use crate::table::{AttributeWriter, Attributes, Body, Text};
use crate::wire::Error;

/// What a message about a connection says, as plain fields; each nest is read in one pass.
///
/// Which ones the kernel tells depends on the message: an event leaves out what did not change.
#[derive(Clone, Copy, Debug)]
pub struct ConnectionView<'a> {
    /// Its family.
    pub header: NetfilterHeader,
    /// Its packets.
    pub original: Endpoints,
    /// Answers to them.
    pub reply: Endpoints,
    /// The connection that this one was expected by.
    pub master: Option<Endpoints>,
    /// What is so of it.
    pub status: Option<Status>,
    /// Seconds until it is forgotten.
    pub timeout: Option<u32>,
    /// What its protocol knows of it.
    pub protocol: Option<ProtocolView>,
    /// What it has sent.
    pub counters_original: Option<Counts>,
    /// What came back.
    pub counters_reply: Option<Counts>,
    /// Its mark.
    pub mark: Option<u32>,
    /// How many in the kernel hold it.
    pub users: Option<u32>,
    /// A number that tells it from an earlier one with the same tuples.
    pub id: Option<u32>,
    /// The zone of both tuples; 0 is not told.
    pub zone: Option<u16>,
    /// Name of its helper.
    pub helper: Option<Text<'a>>,
    /// Security label.
    pub security: Option<Text<'a>>,
    /// Beginning and end, in nanoseconds since 1970; 0 where it has not ended.
    pub timestamp: Option<(u64, u64)>,
    /// When this event happened, in nanoseconds since 1970.
    pub event_time: Option<u64>,
    /// Its labels.
    pub labels: Option<&'a [u8]>,
    /// What a SYN proxy knows of it.
    pub syn_proxy: Option<Attributes<'a, SynProxy>>,
    /// How sequence numbers of its packets are changed.
    pub sequence_original: Option<Attributes<'a, SequenceAdjustment>>,
    /// How those of the answers are.
    pub sequence_reply: Option<Attributes<'a, SequenceAdjustment>>,
}

impl<'a> ConnectionView<'a> {
    /// Reads a connection.
    ///
    /// # Errors
    ///
    /// If a run of attributes is broken, or one of those above has the wrong length; the error names it.
    pub fn read(body: Body<'a, ConnectionMessage>) -> Result<Self, Error> {
        let (tuples, state, rest) = body.attributes.read((
            (
                Cta::TUPLE_ORIG,
                Cta::TUPLE_REPLY,
                Cta::STATUS,
                Cta::TIMEOUT,
                Cta::PROTOINFO,
                Cta::MARK,
                Cta::ID,
                Cta::USE,
            ),
            (Cta::COUNTERS_ORIG, Cta::COUNTERS_REPLY, Cta::ZONE, Cta::LABELS, Cta::TIMESTAMP, Cta::HELP, Cta::SECCTX),
            (Cta::TUPLE_MASTER, Cta::SYNPROXY, Cta::SEQ_ADJ_ORIG, Cta::SEQ_ADJ_REPLY, Cta::TIMESTAMP_EVENT),
        ))?;
        let (original, reply, status, timeout, protocol, mark, id, users) = tuples;
        let (counters_original, counters_reply, zone, labels, timestamp, help, security) = state;
        let (master, syn_proxy, sequence_original, sequence_reply, event_time) = rest;
        Ok(Self {
            header: body.header,
            original: original.map_or(Ok(Endpoints::default()), Endpoints::read)?,
            reply: reply.map_or(Ok(Endpoints::default()), Endpoints::read)?,
            master: master.map(Endpoints::read).transpose()?,
            status,
            timeout,
            protocol: match protocol {
                Some(protocol) => ProtocolView::read(protocol)?,
                None => None,
            },
            counters_original: counters_original.map(Counts::read).transpose()?,
            counters_reply: counters_reply.map(Counts::read).transpose()?,
            mark,
            users,
            id,
            zone,
            helper: help.map_or(Ok(None), |help| help.get(Help::NAME))?,
            security: security.map_or(Ok(None), |security| security.get(SecurityContext::NAME))?,
            timestamp: timestamp.map(times).transpose()?,
            event_time,
            labels,
            syn_proxy,
            sequence_original,
            sequence_reply,
        })
    }

    /// Its protocol.
    #[must_use]
    pub fn protocol_number(&self) -> Option<Protocol> {
        self.original.protocol.or(self.reply.protocol)
    }

    /// Where its source is translated to, if it is: what the answers go to.
    #[must_use]
    pub fn translated_source(&self) -> Option<NatTarget> {
        let translated = self.status?.contains(Status::SRC_NAT);
        translated.then_some(NatTarget { address: self.reply.destination, port: self.reply.destination_port })
    }

    /// Where its destination is translated to, if it is: what the answers come from.
    #[must_use]
    pub fn translated_destination(&self) -> Option<NatTarget> {
        let translated = self.status?.contains(Status::DST_NAT);
        translated.then_some(NatTarget { address: self.reply.source, port: self.reply.source_port })
    }
}

fn times(times: Attributes<'_, Timestamp>) -> Result<(u64, u64), Error> {
    let (start, stop) = times.read((Timestamp::START, Timestamp::STOP))?;
    Ok((start.unwrap_or(0), stop.unwrap_or(0)))
}

/// A tuple as plain fields: addresses, protocol, and ports or what the protocol has instead.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoints {
    /// Source address.
    pub source: Option<IpAddr>,
    /// Destination address.
    pub destination: Option<IpAddr>,
    /// Protocol.
    pub protocol: Option<Protocol>,
    /// Source port; of GRE, the call's key.
    pub source_port: Option<u16>,
    /// Destination port; of GRE, the call's key.
    pub destination_port: Option<u16>,
    /// Type of ICMP or ICMPv6.
    pub icmp_type: Option<u8>,
    /// Code of ICMP or ICMPv6.
    pub icmp_code: Option<u8>,
    /// Identifier of ICMP or ICMPv6.
    pub icmp_id: Option<u16>,
    /// The zone of this direction alone.
    pub zone: Option<u16>,
}

impl Endpoints {
    /// Reads a tuple.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    #[inline]
    pub fn read(tuple: Attributes<'_, Tuple>) -> Result<Self, Error> {
        let (addresses, protocol, zone) = tuple.read((Tuple::IP, Tuple::PROTO, Tuple::ZONE))?;
        let mut endpoints = Self { zone, ..Self::default() };
        if let Some(addresses) = addresses {
            let (source, destination, source6, destination6) =
                addresses.read((TupleIp::V4_SRC, TupleIp::V4_DST, TupleIp::V6_SRC, TupleIp::V6_DST))?;
            endpoints.source = either(source, source6);
            endpoints.destination = either(destination, destination6);
        }
        if let Some(protocol) = protocol {
            let (number, source, destination, kind, code, id, kind6, code6, id6) = protocol.read((
                TupleProto::NUM,
                TupleProto::SRC_PORT,
                TupleProto::DST_PORT,
                TupleProto::ICMP_TYPE,
                TupleProto::ICMP_CODE,
                TupleProto::ICMP_ID,
                TupleProto::ICMPV6_TYPE,
                TupleProto::ICMPV6_CODE,
                TupleProto::ICMPV6_ID,
            ))?;
            endpoints.protocol = number;
            endpoints.source_port = source;
            endpoints.destination_port = destination;
            endpoints.icmp_type = kind.or(kind6);
            endpoints.icmp_code = code.or(code6);
            endpoints.icmp_id = id.or(id6);
        }
        Ok(endpoints)
    }

    /// Writes a tuple: the nests that it has something for. What ICMP has goes by the names of the protocol.
    pub fn write(&self, tuple: &mut AttributeWriter<'_, '_, Tuple>) {
        if self.source.is_some() || self.destination.is_some() {
            tuple.nest(Tuple::IP, |addresses| {
                match self.source {
                    Some(IpAddr::V4(address)) => addresses.put(TupleIp::V4_SRC, address),
                    Some(IpAddr::V6(address)) => addresses.put(TupleIp::V6_SRC, address),
                    None => {}
                }
                match self.destination {
                    Some(IpAddr::V4(address)) => addresses.put(TupleIp::V4_DST, address),
                    Some(IpAddr::V6(address)) => addresses.put(TupleIp::V6_DST, address),
                    None => {}
                }
            });
        }
        if let Some(protocol) = self.protocol {
            tuple.nest(Tuple::PROTO, |proto| {
                proto.put(TupleProto::NUM, protocol);
                proto.put_some(TupleProto::SRC_PORT, self.source_port);
                proto.put_some(TupleProto::DST_PORT, self.destination_port);
                let (kind, code, id) = match protocol {
                    Protocol::ICMPV6 => (TupleProto::ICMPV6_TYPE, TupleProto::ICMPV6_CODE, TupleProto::ICMPV6_ID),
                    _ => (TupleProto::ICMP_TYPE, TupleProto::ICMP_CODE, TupleProto::ICMP_ID),
                };
                proto.put_some(id, self.icmp_id);
                proto.put_some(kind, self.icmp_type);
                proto.put_some(code, self.icmp_code);
            });
        }
        tuple.put_some(Tuple::ZONE, self.zone);
    }

    /// What answers look like where nothing is translated: the ends change places, and an ICMP question becomes its
    /// answer.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self {
            source: self.destination,
            destination: self.source,
            source_port: self.destination_port,
            destination_port: self.source_port,
            icmp_type: self.icmp_type.map(|kind| answer(self.protocol, kind)),
            ..*self
        }
    }
}

/// The ICMP type that answers another, or that it answers (`icmp_invmap` of net/netfilter/nf_conntrack_proto_icmp.c).
fn answer(protocol: Option<Protocol>, kind: u8) -> u8 {
    let pairs: &[(u8, u8)] = match protocol {
        Some(Protocol::ICMPV6) => &[(128, 129), (139, 140)],
        _ => &[(8, 0), (13, 14), (15, 16), (17, 18)],
    };
    let found = pairs.iter().find_map(|(one, other)| match kind {
        kind if kind == *one => Some(*other),
        kind if kind == *other => Some(*one),
        _ => None,
    });
    found.unwrap_or(kind)
}

#[inline]
fn either(ipv4: Option<Ipv4Addr>, ipv6: Option<Ipv6Addr>) -> Option<IpAddr> {
    ipv4.map(IpAddr::V4).or(ipv6.map(IpAddr::V6))
}

/// What a protocol knows of a connection.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ProtocolView {
    /// TCP.
    Tcp {
        /// Its state.
        state: Option<TcpState>,
        /// By how many bits windows are shifted, in both directions.
        scales: Option<(u8, u8)>,
        /// What was seen, in both directions.
        flags: Option<(TcpFlagsMask, TcpFlagsMask)>,
    },
    /// SCTP.
    Sctp {
        /// Its state.
        state: Option<SctpState>,
        /// Verification tags of both directions.
        tags: Option<(u32, u32)>,
    },
    /// DCCP.
    Dccp {
        /// Its state.
        state: Option<DccpState>,
        /// Whether the side that began is client or server.
        role: Option<DccpRole>,
        /// Sequence number of the handshake.
        handshake: Option<u64>,
    },
}

impl ProtocolView {
    /// Reads what a protocol knows; `None` where it is none of those above.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(info: Attributes<'_, ProtoInfo>) -> Result<Option<Self>, Error> {
        let (tcp, dccp, sctp) = info.read((ProtoInfo::TCP, ProtoInfo::DCCP, ProtoInfo::SCTP))?;
        if let Some(tcp) = tcp {
            let (state, original, reply, flags, flags_reply) = tcp.read((
                TcpInfo::STATE,
                TcpInfo::WSCALE_ORIGINAL,
                TcpInfo::WSCALE_REPLY,
                TcpInfo::FLAGS_ORIGINAL,
                TcpInfo::FLAGS_REPLY,
            ))?;
            return Ok(Some(Self::Tcp { state, scales: original.zip(reply), flags: flags.zip(flags_reply) }));
        }
        if let Some(sctp) = sctp {
            let (state, original, reply) =
                sctp.read((SctpInfo::STATE, SctpInfo::VTAG_ORIGINAL, SctpInfo::VTAG_REPLY))?;
            return Ok(Some(Self::Sctp { state, tags: original.zip(reply) }));
        }
        let Some(dccp) = dccp else { return Ok(None) };
        let (state, role, handshake) = dccp.read((DccpInfo::STATE, DccpInfo::ROLE, DccpInfo::HANDSHAKE_SEQ))?;
        Ok(Some(Self::Dccp { state, role, handshake }))
    }
}

/// What passed in one direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets.
    pub packets: u64,
    /// Their bytes, IP headers included.
    pub bytes: u64,
}

impl Counts {
    /// Reads the counters of one direction.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(counters: Attributes<'_, Counters>) -> Result<Self, Error> {
        let (packets, bytes) = counters.read((Counters::PACKETS, Counters::BYTES))?;
        Ok(Self { packets: packets.unwrap_or(0), bytes: bytes.unwrap_or(0) })
    }
}

/// What an address is translated to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NatTarget {
    /// The address.
    pub address: Option<IpAddr>,
    /// The port; the kernel chooses where it is not said.
    pub port: Option<u16>,
}

impl NatTarget {
    /// Writes what a connection that is made is translated to.
    pub fn write(&self, nat: &mut AttributeWriter<'_, '_, Nat>) {
        match self.address {
            Some(IpAddr::V4(address)) => nat.put(Nat::V4_MINIP, address),
            Some(IpAddr::V6(address)) => nat.put(Nat::V6_MINIP, address),
            None => {}
        }
        if let Some(port) = self.port {
            nat.nest(Nat::PROTO, |ports| {
                ports.put(NatPorts::PORT_MIN, port);
                ports.put(NatPorts::PORT_MAX, port);
            });
        }
    }
}

/// What a message about an expectation says, as plain fields; each nest is read in one pass.
#[derive(Clone, Copy, Debug)]
pub struct ExpectationView<'a> {
    /// Its family.
    pub header: NetfilterHeader,
    /// The connection that expects it.
    pub master: Endpoints,
    /// The packet that is expected.
    pub tuple: Endpoints,
    /// Which bits of it count.
    pub mask: Endpoints,
    /// Seconds until it is forgotten; of one that stays, what is left of the last time it was set.
    pub timeout: Option<u32>,
    /// A number that tells it from an earlier one with the same tuple.
    pub id: Option<u32>,
    /// Name of its helper.
    pub helper: Option<Text<'a>>,
    /// Zone; 0 is not told.
    pub zone: Option<u16>,
    /// What is so of it.
    pub flags: ExpectationFlags,
    /// Which of its helper's policies it is under.
    pub class: Option<u32>,
    /// How the connection's addresses are to be translated.
    pub nat: Option<Attributes<'a, ExpectationNat>>,
    /// What the kernel calls when the connection comes.
    pub function: Option<Text<'a>>,
}

impl<'a> ExpectationView<'a> {
    /// Reads an expectation.
    ///
    /// # Errors
    ///
    /// As [`ConnectionView::read`].
    pub fn read(body: Body<'a, ExpectationMessage>) -> Result<Self, Error> {
        let (master, tuple, mask, timeout, id, helper, zone, flags, class, nat, function) = body.attributes.read((
            Expectation::MASTER,
            Expectation::TUPLE,
            Expectation::MASK,
            Expectation::TIMEOUT,
            Expectation::ID,
            Expectation::HELP_NAME,
            Expectation::ZONE,
            Expectation::FLAGS,
            Expectation::CLASS,
            Expectation::NAT,
            Expectation::FN,
        ))?;
        Ok(Self {
            header: body.header,
            master: master.map_or(Ok(Endpoints::default()), Endpoints::read)?,
            tuple: tuple.map_or(Ok(Endpoints::default()), Endpoints::read)?,
            mask: mask.map_or(Ok(Endpoints::default()), Endpoints::read)?,
            timeout,
            id,
            helper,
            zone,
            flags: flags.unwrap_or_default(),
            class,
            nat,
            function,
        })
    }
}
