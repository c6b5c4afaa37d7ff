//! Words of tunnels.

use std::net::{IpAddr, Ipv4Addr};

use ringlink::codec::route::{
    Family, Geneve, GeneveDf, Gre, GreFlags, Ip6Tunnel, Ip6TunnelFlags, IpTunnel, SitFlags, TunnelEncap,
    TunnelEncapFlags, Vti, Vxlan, VxlanDf,
};
use ringlink::codec::table::{AttributeWriter, Be16, Key};

use super::Reader;
use super::readers::{self, words};
use crate::arguments::number;
use crate::failure::Failure;

/// Whether the outer packet may be fragmented, by the kernel's number.
const FRAGMENTATION: [&str; 3] = ["unset", "set", "inherit"];

words! {
    /// Reads words of a VXLAN.
    vxlan: Vxlan {
        "id" | "vni" => number(ID),
        "group" | "remote" => end(GROUP, Vxlan::GROUP6),
        "local" => end(LOCAL, Vxlan::LOCAL6),
        "dev" => interface(LINK),
        "ttl" | "hoplimit" => hops_or_inherit(TTL, |vxlan| vxlan.put(Vxlan::TTL_INHERIT, ())),
        "tos" | "dsfield" => or_number(TOS, "inherit", 1),
        "df" => one_of(DF, &FRAGMENTATION, VxlanDf),
        "flowlabel" => label(LABEL),
        "ageing" => or_number(AGEING, "none", 0),
        "maxaddress" => or_number(LIMIT, "unlimited", 0),
        "srcport" | "port" => port_range(PORT_RANGE),
        "dstport" => port(PORT),
        "learning" => fixed(LEARNING, 1),
        "nolearning" => fixed(LEARNING, 0),
        "proxy" => fixed(PROXY, 1),
        "noproxy" => fixed(PROXY, 0),
        "rsc" => fixed(RSC, 1),
        "norsc" => fixed(RSC, 0),
        "l2miss" => fixed(L2MISS, 1),
        "nol2miss" => fixed(L2MISS, 0),
        "l3miss" => fixed(L3MISS, 1),
        "nol3miss" => fixed(L3MISS, 0),
        "udpcsum" => fixed(UDP_CSUM, 1),
        "noudpcsum" => fixed(UDP_CSUM, 0),
        "udp6zerocsumtx" => fixed(UDP_ZERO_CSUM6_TX, 1),
        "noudp6zerocsumtx" => fixed(UDP_ZERO_CSUM6_TX, 0),
        "udp6zerocsumrx" => fixed(UDP_ZERO_CSUM6_RX, 1),
        "noudp6zerocsumrx" => fixed(UDP_ZERO_CSUM6_RX, 0),
        "remcsumtx" => fixed(REMCSUM_TX, 1),
        "noremcsumtx" => fixed(REMCSUM_TX, 0),
        "remcsumrx" => fixed(REMCSUM_RX, 1),
        "noremcsumrx" => fixed(REMCSUM_RX, 0),
        "external" => external(COLLECT_METADATA, 1),
        "noexternal" => fixed(COLLECT_METADATA, 0),
        "vnifilter" => fixed(VNIFILTER, 1),
        "novnifilter" => fixed(VNIFILTER, 0),
        "gbp" => present(GBP),
        "gpe" => present(GPE),
    }
}

words! {
    /// Reads words of a Geneve tunnel.
    geneve: Geneve {
        "id" | "vni" => number(ID),
        "remote" => end(REMOTE, Geneve::REMOTE6),
        "ttl" | "hoplimit" => hops_or_inherit(TTL, |geneve| geneve.put(Geneve::TTL_INHERIT, 1)),
        "tos" | "dsfield" => or_number(TOS, "inherit", 1),
        "df" => one_of(DF, &FRAGMENTATION, GeneveDf),
        "flowlabel" => label(LABEL),
        "dstport" => port(PORT),
        "external" => present(COLLECT_METADATA),
        "udpcsum" => fixed(UDP_CSUM, 1),
        "noudpcsum" => fixed(UDP_CSUM, 0),
        "udp6zerocsumtx" => fixed(UDP_ZERO_CSUM6_TX, 1),
        "noudp6zerocsumtx" => fixed(UDP_ZERO_CSUM6_TX, 0),
        "udp6zerocsumrx" => fixed(UDP_ZERO_CSUM6_RX, 1),
        "noudp6zerocsumrx" => fixed(UDP_ZERO_CSUM6_RX, 0),
        "innerprotoinherit" => present(INNER_PROTO_INHERIT),
    }
}

/// What a tunnel is wrapped in once more.
#[derive(Default)]
struct Wrapping {
    kind: Option<TunnelEncap>,
    flags: TunnelEncapFlags,
    source: u16,
    destination: u16,
}

impl Wrapping {
    /// Reads a word of a wrapping; says whether it was one.
    fn read(&mut self, reader: &mut Reader<'_, '_>, word: &str) -> Result<bool, Failure> {
        let flag = |word: &str| {
            Some(match word {
                "csum" => TunnelEncapFlags::CSUM,
                "udp6-csum" => TunnelEncapFlags::CSUM6,
                "remcsum" => TunnelEncapFlags::REMCSUM,
                _ => return None,
            })
        };
        match word {
            "encap" => {
                self.kind = Some(reader.words.parse("fou, gue or none", |word| match word {
                    "fou" => Some(TunnelEncap::FOU),
                    "gue" => Some(TunnelEncap::GUE),
                    "none" => Some(TunnelEncap::NONE),
                    _ => None,
                })?);
            }
            "noencap" => self.kind = Some(TunnelEncap::NONE),
            "encap-sport" => self.source = if reader.words.take("auto") { 0 } else { reader.words.number()? },
            "encap-dport" => self.destination = reader.words.number()?,
            word => match (word.strip_prefix("encap-").and_then(flag), word.strip_prefix("noencap-").and_then(flag)) {
                (Some(flag), _) => self.flags = self.flags | flag,
                (_, Some(flag)) => self.flags = TunnelEncapFlags(self.flags.0 & !flag.0),
                _ => return Ok(false),
            },
        }
        Ok(true)
    }

    fn put<S>(
        &self,
        data: &mut AttributeWriter<'_, '_, S>,
        kind: Key<S, TunnelEncap>,
        flags: Key<S, TunnelEncapFlags>,
        source: Key<S, Be16>,
        destination: Key<S, Be16>,
    ) {
        if let Some(wrapping) = self.kind {
            data.put(kind, wrapping);
            data.put(flags, self.flags);
            data.put(source, self.source);
            data.put(destination, self.destination);
        }
    }
}

/// Traffic class and flow label of an IPv6 outside, and how often it may be wrapped again.
struct OverIpv6 {
    flags: Ip6TunnelFlags,
    information: u32,
    limit: u8,
    hops: u8,
}

impl Default for OverIpv6 {
    fn default() -> Self {
        // What `ip` asks for where nothing is said.
        Self { flags: Ip6TunnelFlags::default(), information: 0, limit: 4, hops: 64 }
    }
}

impl OverIpv6 {
    /// Reads a word of a tunnel over IPv6; says whether it was one.
    fn read(&mut self, reader: &mut Reader<'_, '_>, word: &str) -> Result<bool, Failure> {
        match word {
            "hoplimit" | "ttl" | "hlim" => self.hops = reader.words.number()?,
            "encaplimit" if reader.words.take("none") => self.set(Ip6TunnelFlags::IGN_ENCAP_LIMIT, true),
            "encaplimit" => {
                self.limit = reader.words.number()?;
                self.set(Ip6TunnelFlags::IGN_ENCAP_LIMIT, false);
            }
            "tclass" | "tos" | "dsfield" if reader.words.take("inherit") => {
                self.set(Ip6TunnelFlags::USE_ORIG_TCLASS, true)
            }
            "tclass" | "tos" | "dsfield" => {
                let class = u32::from(reader.words.number::<u8>()?);
                self.information = self.information & !(0xff << 20) | class << 20;
                self.set(Ip6TunnelFlags::USE_ORIG_TCLASS, false);
            }
            "flowlabel" | "fl" if reader.words.take("inherit") => self.set(Ip6TunnelFlags::USE_ORIG_FLOWLABEL, true),
            "flowlabel" | "fl" => {
                let label = |word: &str| number::<u32>(word).filter(|label| *label <= 0xf_ffff);
                let label = reader.words.parse("a flow label (0 to 0xfffff), or inherit", label)?;
                self.information = self.information & !0xf_ffff | label;
                self.set(Ip6TunnelFlags::USE_ORIG_FLOWLABEL, false);
            }
            "dscp" => {
                if !reader.words.take("inherit") {
                    reader.words.next();
                    return Err(reader.words.refuse("inherit"));
                }
                self.set(Ip6TunnelFlags::RCV_DSCP_COPY, true);
            }
            "allow-localremote" => self.set(Ip6TunnelFlags::ALLOW_LOCAL_REMOTE, true),
            "noallow-localremote" => self.set(Ip6TunnelFlags::ALLOW_LOCAL_REMOTE, false),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn set(&mut self, flag: Ip6TunnelFlags, on: bool) {
        self.flags = if on { self.flags | flag } else { Ip6TunnelFlags(self.flags.0 & !flag.0) };
    }
}

/// What packets of a GRE tunnel have: keys, numbers, checksums.
#[derive(Default)]
struct Marks {
    incoming: GreFlags,
    outgoing: GreFlags,
    incoming_key: u32,
    outgoing_key: u32,
}

impl Marks {
    /// Reads a word that says what packets have; says whether it was one.
    fn read(&mut self, reader: &mut Reader<'_, '_>, word: &str) -> Result<bool, Failure> {
        let (both, rest) = match (word.strip_prefix('i'), word.strip_prefix('o')) {
            (Some(rest), _) => ((true, false), rest),
            (_, Some(rest)) => ((false, true), rest),
            _ => ((true, true), word),
        };
        let flag = match rest {
            "key" => GreFlags::KEY,
            "seq" => GreFlags::SEQ,
            "csum" => GreFlags::CSUM,
            _ => return Ok(false),
        };
        let key = if flag == GreFlags::KEY { reader.key()? } else { 0 };
        if both.0 {
            self.incoming = self.incoming | flag;
            self.incoming_key |= key;
        }
        if both.1 {
            self.outgoing = self.outgoing | flag;
            self.outgoing_key |= key;
        }
        Ok(true)
    }
}

impl Reader<'_, '_> {
    /// Reads a key: a number, or an address as which `ip` prints it.
    fn key(&mut self) -> Result<u32, Failure> {
        self.words.parse("a number or a dotted quad", |word| match word.parse::<Ipv4Addr>() {
            Ok(quad) => Some(quad.to_bits()),
            Err(_) => number(word),
        })
    }

    /// Reads an end of a tunnel of this family.
    fn end(&mut self, family: Family) -> Result<Vec<u8>, Failure> {
        Ok(crate::arguments::octets(self.words.address(family)?))
    }

    fn refuse_tunnel_word(&self) -> Failure {
        self.words.refuse("a word of this kind of tunnel, as `ip link add type KIND help` shows them")
    }

    /// Reads words of a GRE tunnel over this family.
    pub(super) fn gre(&mut self, gre: &mut AttributeWriter<'_, '_, Gre>, family: Family) -> Result<(), Failure> {
        let (mut wrapping, mut marks, mut over) = (Wrapping::default(), Marks::default(), OverIpv6::default());
        let mut discovery = true;
        let mut ignore = false;
        let mut external = false;
        while let Some(word) = self.words.next() {
            match word {
                "local" => gre.put(Gre::LOCAL, self.end(family)?.as_slice()),
                "remote" => gre.put(Gre::REMOTE, self.end(family)?.as_slice()),
                "dev" => readers::interface(self, gre, Gre::LINK)?,
                "fwmark" => readers::number(self, gre, Gre::FWMARK)?,
                "external" => external = true,
                "erspan_ver" => readers::number(self, gre, Gre::ERSPAN_VER)?,
                "erspan" | "erspan_index" => readers::number(self, gre, Gre::ERSPAN_INDEX)?,
                "erspan_hwid" => readers::number(self, gre, Gre::ERSPAN_HWID)?,
                "erspan_dir" => {
                    let direction = self.words.parse("ingress or egress", |word| match word {
                        "ingress" => Some(0),
                        "egress" => Some(1),
                        _ => None,
                    })?;
                    gre.put(Gre::ERSPAN_DIR, direction);
                }
                _ if marks.read(self, word)? || wrapping.read(self, word)? => {}
                _ if family == Family::INET6 => {
                    if !over.read(self, word)? {
                        return Err(self.refuse_tunnel_word());
                    }
                }
                "ttl" | "hoplimit" => readers::or_number(self, gre, Gre::TTL, "inherit", 0)?,
                "tos" | "dsfield" => readers::or_number(self, gre, Gre::TOS, "inherit", 1)?,
                "pmtudisc" => discovery = true,
                "nopmtudisc" => discovery = false,
                "ignore-df" => ignore = true,
                "noignore-df" => ignore = false,
                _ => return Err(self.refuse_tunnel_word()),
            }
        }
        if external {
            gre.put(Gre::COLLECT_METADATA, ());
            return Ok(());
        }
        gre.put(Gre::IFLAGS, marks.incoming);
        gre.put(Gre::OFLAGS, marks.outgoing);
        gre.put(Gre::IKEY, marks.incoming_key);
        gre.put(Gre::OKEY, marks.outgoing_key);
        if family == Family::INET6 {
            gre.put(Gre::TTL, over.hops);
            gre.put(Gre::ENCAP_LIMIT, over.limit);
            gre.put(Gre::FLOWINFO, over.information);
            gre.put(Gre::FLAGS, over.flags);
        } else {
            gre.put(Gre::PMTUDISC, u8::from(discovery));
            if ignore {
                gre.put(Gre::IGNORE_DF, 1);
            }
        }
        wrapping.put(gre, Gre::ENCAP_TYPE, Gre::ENCAP_FLAGS, Gre::ENCAP_SPORT, Gre::ENCAP_DPORT);
        Ok(())
    }

    /// Reads words of an IPIP or SIT tunnel.
    pub(super) fn ipip(&mut self, tunnel: &mut AttributeWriter<'_, '_, IpTunnel>, kind: &str) -> Result<(), Failure> {
        let mut wrapping = Wrapping::default();
        let mut discovery = true;
        let mut external = false;
        let mut protocol = 0;
        while let Some(word) = self.words.next() {
            match word {
                "local" | "remote" => {
                    let key = if word == "local" { IpTunnel::LOCAL } else { IpTunnel::REMOTE };
                    if let IpAddr::V4(address) = self.words.address(Family::INET)? {
                        tunnel.put(key, address);
                    }
                }
                "dev" => readers::interface(self, tunnel, IpTunnel::LINK)?,
                "ttl" | "hoplimit" => readers::or_number(self, tunnel, IpTunnel::TTL, "inherit", 0)?,
                "tos" | "dsfield" => readers::or_number(self, tunnel, IpTunnel::TOS, "inherit", 1)?,
                "pmtudisc" => discovery = true,
                "nopmtudisc" => discovery = false,
                "fwmark" => readers::number(self, tunnel, IpTunnel::FWMARK)?,
                "external" => external = true,
                "isatap" if kind == "sit" => tunnel.put(IpTunnel::FLAGS, SitFlags::ISATAP),
                "6rd-prefix" if kind == "sit" => {
                    let net = self.words.net(Family::INET6)?;
                    if let Some(IpAddr::V6(prefix)) = net.address {
                        tunnel.put(IpTunnel::_6RD_PREFIX, prefix);
                        tunnel.put(IpTunnel::_6RD_PREFIXLEN, u16::from(net.length));
                    }
                }
                "6rd-relay_prefix" if kind == "sit" => {
                    let net = self.words.net(Family::INET)?;
                    if let Some(IpAddr::V4(prefix)) = net.address {
                        tunnel.put(IpTunnel::_6RD_RELAY_PREFIX, prefix);
                        tunnel.put(IpTunnel::_6RD_RELAY_PREFIXLEN, u16::from(net.length));
                    }
                }
                "mode" => {
                    protocol = self.words.parse("ipip, ip6ip, mplsip or any", |word| match word {
                        "ipip" | "ipv4/ipv4" | "ip4ip4" => Some(4),
                        "ip6ip" | "ipv6/ipv4" | "ip6ip4" => Some(41),
                        "mplsip" | "mpls/ipv4" => Some(137),
                        "any" | "any/ipv4" => Some(0),
                        _ => None,
                    })?;
                }
                _ if wrapping.read(self, word)? => {}
                _ => return Err(self.refuse_tunnel_word()),
            }
        }
        tunnel.put(IpTunnel::PROTO, protocol);
        if external {
            tunnel.put(IpTunnel::COLLECT_METADATA, ());
            return Ok(());
        }
        tunnel.put(IpTunnel::PMTUDISC, u8::from(discovery));
        wrapping.put(tunnel, IpTunnel::ENCAP_TYPE, IpTunnel::ENCAP_FLAGS, IpTunnel::ENCAP_SPORT, IpTunnel::ENCAP_DPORT);
        Ok(())
    }

    /// Reads words of a tunnel in IPv6.
    pub(super) fn ip6tnl(&mut self, tunnel: &mut AttributeWriter<'_, '_, Ip6Tunnel>) -> Result<(), Failure> {
        let (mut wrapping, mut over) = (Wrapping::default(), OverIpv6::default());
        let mut external = false;
        let mut protocol = 0;
        while let Some(word) = self.words.next() {
            match word {
                "local" | "remote" => {
                    let key = if word == "local" { Ip6Tunnel::LOCAL } else { Ip6Tunnel::REMOTE };
                    if let IpAddr::V6(address) = self.words.address(Family::INET6)? {
                        tunnel.put(key, address);
                    }
                }
                "dev" => readers::interface(self, tunnel, Ip6Tunnel::LINK)?,
                "fwmark" if self.words.take("inherit") => over.set(Ip6TunnelFlags::USE_ORIG_FWMARK, true),
                "fwmark" => readers::number(self, tunnel, Ip6Tunnel::FWMARK)?,
                "external" => external = true,
                "mode" => {
                    protocol = self.words.parse("ip6ip6, ipip6 or any", |word| match word {
                        "ip6ip6" | "ipv6/ipv6" => Some(41),
                        "ipip6" | "ip4ip6" | "ipv4/ipv6" => Some(4),
                        "any" | "any/ipv6" => Some(0),
                        _ => None,
                    })?;
                }
                _ if wrapping.read(self, word)? || over.read(self, word)? => {}
                _ => return Err(self.refuse_tunnel_word()),
            }
        }
        tunnel.put(Ip6Tunnel::PROTO, protocol);
        if external {
            tunnel.put(Ip6Tunnel::COLLECT_METADATA, ());
            return Ok(());
        }
        tunnel.put(Ip6Tunnel::TTL, over.hops);
        tunnel.put(Ip6Tunnel::ENCAP_LIMIT, over.limit);
        tunnel.put(Ip6Tunnel::FLOWINFO, over.information);
        tunnel.put(Ip6Tunnel::FLAGS, over.flags);
        wrapping.put(
            tunnel,
            Ip6Tunnel::ENCAP_TYPE,
            Ip6Tunnel::ENCAP_FLAGS,
            Ip6Tunnel::ENCAP_SPORT,
            Ip6Tunnel::ENCAP_DPORT,
        );
        Ok(())
    }

    /// Reads words of a tunnel that IPsec takes by its key.
    pub(super) fn vti(&mut self, tunnel: &mut AttributeWriter<'_, '_, Vti>, family: Family) -> Result<(), Failure> {
        while let Some(word) = self.words.next() {
            match word {
                "local" => tunnel.put(Vti::LOCAL, self.end(family)?.as_slice()),
                "remote" => tunnel.put(Vti::REMOTE, self.end(family)?.as_slice()),
                "dev" => readers::interface(self, tunnel, Vti::LINK)?,
                "fwmark" => readers::number(self, tunnel, Vti::FWMARK)?,
                "key" | "ikey" | "okey" => {
                    let key = self.key()?;
                    if word != "okey" {
                        tunnel.put(Vti::IKEY, key);
                    }
                    if word != "ikey" {
                        tunnel.put(Vti::OKEY, key);
                    }
                }
                _ => return Err(self.refuse_tunnel_word()),
            }
        }
        Ok(())
    }
}
