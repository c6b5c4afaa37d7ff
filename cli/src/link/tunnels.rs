//! Tunnels that carry packets in IPv4 or IPv6: GRE and its kin, IPIP, SIT, VTI, and their likes over IPv6.

use std::net::IpAddr;

use ringlink::codec::route::{
    Gre, GreFlags, Ip6Tunnel, Ip6TunnelFlags, IpTunnel, SitFlags, TunnelEncap, TunnelEncapFlags, Vti, XfrmInterface,
};
use ringlink::codec::table::{Be16, InetAddress, Key, Table};

use super::fields::Fields;
use crate::output::Formatted;

/// GRE over IPv4, with Ethernet inside (`gretap`) or without, and ERSPAN.
pub(super) fn gre(gre: &mut Fields<'_, '_, Gre>) {
    gre.present(Gre::COLLECT_METADATA, "external", "external");
    let (remote, local) = (gre.get(Gre::REMOTE), gre.get(Gre::LOCAL));
    gre.ends(remote.map(ip), local.map(ip));
    gre.interface(Gre::LINK, "link", "dev");
    gre.hops(Gre::TTL, "ttl");
    gre.class(Gre::TOS);
    if let Some(discovery) = gre.get(Gre::PMTUDISC) {
        gre.row.json("pmtudisc", discovery != 0);
        if discovery == 0 {
            gre.row.word("nopmtudisc");
        }
    }
    gre.switch(Gre::IGNORE_DF, "ignore_df", "ignore-df");
    gre.keys();
    gre.hex_unless_zero(Gre::FWMARK, "fwmark", "fwmark");
    gre.mirroring();
    gre.wrapping(Gre::ENCAP_TYPE, Gre::ENCAP_FLAGS, Gre::ENCAP_SPORT, Gre::ENCAP_DPORT);
}

/// GRE over IPv6, with Ethernet inside (`ip6gretap`) or without, and ERSPAN.
pub(super) fn gre6(gre: &mut Fields<'_, '_, Gre>) {
    gre.present(Gre::COLLECT_METADATA, "external", "external");
    let (remote, local) = (gre.get(Gre::REMOTE), gre.get(Gre::LOCAL));
    gre.ends(remote.map(ip), local.map(ip));
    gre.interface(Gre::LINK, "link", "dev");
    gre.hops(Gre::TTL, "hoplimit");
    let flags = gre.get(Gre::FLAGS).unwrap_or_default();
    gre.limit(flags, Gre::ENCAP_LIMIT);
    let information = gre.get(Gre::FLOWINFO);
    gre.information(flags, information);
    gre.keys();
    gre.local_remote(flags);
    gre.mark(flags, Gre::FWMARK);
    gre.mirroring();
    gre.wrapping(Gre::ENCAP_TYPE, Gre::ENCAP_FLAGS, Gre::ENCAP_SPORT, Gre::ENCAP_DPORT);
}

/// IPIP and SIT.
pub(super) fn ipip(tunnel: &mut Fields<'_, '_, IpTunnel>) {
    tunnel.present(IpTunnel::COLLECT_METADATA, "external", "external");
    tunnel.inner(IpTunnel::PROTO, &[(0, "any"), (4, "ipip"), (41, "ip6ip"), (137, "mplsip")]);
    let (remote, local) = (tunnel.get(IpTunnel::REMOTE), tunnel.get(IpTunnel::LOCAL));
    tunnel.ends(remote.map(IpAddr::V4), local.map(IpAddr::V4));
    tunnel.interface(IpTunnel::LINK, "link", "dev");
    tunnel.hops(IpTunnel::TTL, "ttl");
    tunnel.class(IpTunnel::TOS);
    tunnel.either(IpTunnel::PMTUDISC, "pmtudisc", ["pmtudisc", "nopmtudisc"]);
    if tunnel.get(IpTunnel::FLAGS).is_some_and(|flags| flags.contains(SitFlags::ISATAP)) {
        tunnel.row.yes("isatap", "isatap");
    }
    let prefix = (tunnel.get(IpTunnel::_6RD_PREFIX), tunnel.get(IpTunnel::_6RD_PREFIXLEN));
    if let (Some(prefix), Some(length @ 1..)) = prefix {
        tunnel.row.json("prefix", prefix);
        tunnel.row.json("prefixlen", length);
        tunnel.row.word("6rd-prefix");
        tunnel.row.word(prefix);
        tunnel.row.glue(Formatted(format_args!("/{length}")));
        let relay = tunnel.get(IpTunnel::_6RD_RELAY_PREFIX).filter(|relay| !relay.is_unspecified());
        if let Some(relay) = relay {
            let length = tunnel.get(IpTunnel::_6RD_RELAY_PREFIXLEN).unwrap_or(0);
            tunnel.row.json("relay_prefix", relay);
            tunnel.row.json("relay_prefixlen", length);
            tunnel.row.word("6rd-relay_prefix");
            tunnel.row.word(relay);
            tunnel.row.glue(Formatted(format_args!("/{length}")));
        }
    }
    tunnel.hex_unless_zero(IpTunnel::FWMARK, "fwmark", "fwmark");
    tunnel.wrapping(IpTunnel::ENCAP_TYPE, IpTunnel::ENCAP_FLAGS, IpTunnel::ENCAP_SPORT, IpTunnel::ENCAP_DPORT);
}

/// IPv4 or IPv6 in IPv6.
pub(super) fn ip6tnl(tunnel: &mut Fields<'_, '_, Ip6Tunnel>) {
    tunnel.present(Ip6Tunnel::COLLECT_METADATA, "external", "external");
    tunnel.inner(Ip6Tunnel::PROTO, &[(0, "any"), (4, "ipip6"), (41, "ip6ip6")]);
    let (remote, local) = (tunnel.get(Ip6Tunnel::REMOTE), tunnel.get(Ip6Tunnel::LOCAL));
    tunnel.ends(remote.map(IpAddr::V6), local.map(IpAddr::V6));
    tunnel.interface(Ip6Tunnel::LINK, "link", "dev");
    tunnel.hops(Ip6Tunnel::TTL, "hoplimit");
    let flags = tunnel.get(Ip6Tunnel::FLAGS).unwrap_or_default();
    tunnel.limit(flags, Ip6Tunnel::ENCAP_LIMIT);
    let information = tunnel.get(Ip6Tunnel::FLOWINFO);
    tunnel.information(flags, information);
    tunnel.local_remote(flags);
    if flags.contains(Ip6TunnelFlags::MIP6_DEV) {
        tunnel.row.yes("ip6_tnl_f_mip6_dev", "mip6");
    }
    tunnel.mark(flags, Ip6Tunnel::FWMARK);
    tunnel.wrapping(Ip6Tunnel::ENCAP_TYPE, Ip6Tunnel::ENCAP_FLAGS, Ip6Tunnel::ENCAP_SPORT, Ip6Tunnel::ENCAP_DPORT);
}

/// Interfaces for packets that an IPsec tunnel takes by its key.
pub(super) fn vti(tunnel: &mut Fields<'_, '_, Vti>) {
    let (remote, local) = (tunnel.get(Vti::REMOTE), tunnel.get(Vti::LOCAL));
    tunnel.ends(remote.map(ip), local.map(ip));
    tunnel.interface(Vti::LINK, "link", "dev");
    for (key, name) in [(Vti::IKEY, "ikey"), (Vti::OKEY, "okey")] {
        if let Some(key) = tunnel.get(key).filter(|key| *key != 0) {
            tunnel.row.field(name, name, std::net::Ipv4Addr::from(key));
        }
    }
    tunnel.hex_unless_zero(Vti::FWMARK, "fwmark", "fwmark");
}

/// Interfaces for packets that an IPsec tunnel takes by its interface id.
pub(super) fn xfrm(interface: &mut Fields<'_, '_, XfrmInterface>) {
    interface.present(XfrmInterface::COLLECT_METADATA, "external", "external");
    if let Some(id) = interface.get(XfrmInterface::IF_ID) {
        interface.hex("if_id", "if_id", id);
    }
}

fn ip(address: InetAddress<'_>) -> IpAddr {
    // Of another length it is no address that could be told.
    address.ip().unwrap_or(IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED))
}

/// What tunnels have in common.
impl<S: Table> Fields<'_, '_, S> {
    /// The ends; `any` for none.
    fn ends(&mut self, remote: Option<IpAddr>, local: Option<IpAddr>) {
        for (name, end) in [("remote", remote), ("local", local)] {
            match end.filter(|end| !end.is_unspecified()) {
                Some(end) => self.row.field(name, name, end),
                None => self.row.field(name, name, "any"),
            }
        }
    }

    /// Hops that the outside may make; 0 for as many as the inside.
    fn hops(&mut self, key: Key<S, u8>, label: &'static str) {
        if let Some(hops) = self.get(key) {
            self.row.json("ttl", hops);
            self.row.word(label);
            match hops {
                0 => self.row.word("inherit"),
                hops => self.row.word(hops),
            }
        }
    }

    /// Which protocol is inside.
    fn inner(&mut self, key: Key<S, u8>, names: &[(u8, &'static str)]) {
        let Some(protocol) = self.get(key) else { return };
        if let Some((_, name)) = names.iter().find(|(number, _)| *number == protocol) {
            self.row.field("proto", "", *name);
        }
    }

    /// How often it may be wrapped again.
    fn limit(&mut self, flags: Ip6TunnelFlags, key: Key<S, u8>) {
        if flags.contains(Ip6TunnelFlags::IGN_ENCAP_LIMIT) {
            self.row.yes("ip6_tnl_f_ign_encap_limit", "encaplimit");
            self.row.word("none");
        } else {
            let limit = self.get(key).unwrap_or(0);
            self.row.field("encap_limit", "encaplimit", limit);
        }
    }

    /// Traffic class and flow label of an IPv6 outside, and where the class goes.
    fn information(&mut self, flags: Ip6TunnelFlags, information: Option<u32>) {
        let information = information.unwrap_or(0);
        if flags.contains(Ip6TunnelFlags::USE_ORIG_TCLASS) {
            self.row.yes("ip6_tnl_f_use_orig_tclass", "tclass");
            self.row.word("inherit");
        } else {
            let class = information >> 20 & 0xff;
            self.row.field("tclass", "tclass", Formatted(format_args!("{class:#04x}")));
        }
        if flags.contains(Ip6TunnelFlags::USE_ORIG_FLOWLABEL) {
            self.row.yes("ip6_tnl_f_use_orig_flowlabel", "flowlabel");
            self.row.word("inherit");
        } else {
            let label = information & 0xf_ffff;
            self.row.field("flowlabel", "flowlabel", Formatted(format_args!("{label:#07x}")));
        }
        if flags.contains(Ip6TunnelFlags::RCV_DSCP_COPY) {
            self.row.yes("ip6_tnl_f_rcv_dscp_copy", "dscp");
            self.row.word("inherit");
        }
    }

    /// Whether the remote end may be on this machine.
    fn local_remote(&mut self, flags: Ip6TunnelFlags) {
        if flags.contains(Ip6TunnelFlags::ALLOW_LOCAL_REMOTE) {
            self.row.yes("ip6_tnl_f_allow_local_remote", "allow-localremote");
        }
    }

    /// Mark of its packets.
    fn mark(&mut self, flags: Ip6TunnelFlags, key: Key<S, u32>) {
        if flags.contains(Ip6TunnelFlags::USE_ORIG_FWMARK) {
            self.row.yes("ip6_tnl_f_use_orig_fwmark", "fwmark");
            self.row.word("inherit");
        } else {
            self.hex_unless_zero(key, "fwmark", "fwmark");
        }
    }

    /// What it is wrapped in once more.
    fn wrapping(
        &mut self,
        kind: Key<S, TunnelEncap>,
        flags: Key<S, TunnelEncapFlags>,
        source: Key<S, Be16>,
        destination: Key<S, Be16>,
    ) {
        let name = match self.get(kind) {
            None | Some(TunnelEncap::NONE) => return,
            Some(TunnelEncap::FOU) => "fou",
            Some(TunnelEncap::GUE) => "gue",
            Some(_) => "unknown",
        };
        let flags = self.get(flags).unwrap_or_default();
        let (source, destination) = (self.get(source).unwrap_or(0), self.get(destination).unwrap_or(0));
        let [csum, csum6, remcsum] = [TunnelEncapFlags::CSUM, TunnelEncapFlags::CSUM6, TunnelEncapFlags::REMCSUM]
            .map(|flag| flags.contains(flag));
        self.row.word("encap");
        self.row.object("encap", |row| {
            row.field("type", "", name);
            row.json("sport", source);
            row.word("encap-sport");
            match source {
                0 => row.word("auto"),
                port => row.word(port),
            }
            row.field("dport", "encap-dport", destination);
            row.json("csum", csum);
            row.word(if csum { "encap-csum" } else { "noencap-csum" });
            row.json("csum6", csum6);
            row.word(if csum6 { "encap-csum6" } else { "noencap-csum6" });
            row.json("remcsum", remcsum);
            row.word(if remcsum { "encap-remcsum" } else { "noencap-remcsum" });
        });
    }
}

impl Fields<'_, '_, Gre> {
    /// Keys, numbers and checksums of each direction.
    fn keys(&mut self) {
        let incoming = self.get(Gre::IFLAGS).unwrap_or_default();
        let outgoing = self.get(Gre::OFLAGS).unwrap_or_default();
        for (flags, key, name) in [(incoming, Gre::IKEY, "ikey"), (outgoing, Gre::OKEY, "okey")] {
            if let Some(key) = self.get(key).filter(|_| flags.contains(GreFlags::KEY)) {
                // Written as an address, which is what users of `ip` know.
                self.row.field(name, name, std::net::Ipv4Addr::from(key));
            }
        }
        for (flags, flag, name) in [
            (incoming, GreFlags::SEQ, "iseq"),
            (outgoing, GreFlags::SEQ, "oseq"),
            (incoming, GreFlags::CSUM, "icsum"),
            (outgoing, GreFlags::CSUM, "ocsum"),
        ] {
            if flags.contains(flag) {
                self.row.yes(name, name);
            }
        }
    }

    /// ERSPAN: where mirrored packets come from.
    fn mirroring(&mut self) {
        self.same(Gre::ERSPAN_INDEX, "erspan_index");
        self.same(Gre::ERSPAN_VER, "erspan_ver");
        if let Some(direction) = self.get(Gre::ERSPAN_DIR) {
            let direction = if direction == 0 { "ingress" } else { "egress" };
            self.row.field("erspan_dir", "erspan_dir", direction);
        }
        if let Some(device) = self.get(Gre::ERSPAN_HWID) {
            self.hex("erspan_hwid", "erspan_hwid", device);
        }
    }
}
