//! What protocols, families and options are for, and where they come from.

use ringlink::Protocol;
use ringlink::codec::netfilter::Subsystem;
use ringlink::socket::SocketOption;

/// Where a protocol comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Source {
    /// A module.
    Module(&'static str),
    /// An option of the kernel's build, and what goes with it.
    Option(&'static str),
    /// No kernel has it.
    Nowhere,
}

impl Source {
    /// What to do where the protocol is missing.
    pub(super) fn advice(self) -> String {
        match self {
            Self::Module(name) => super::system::module(name),
            Self::Option(name) => format!("build the kernel with {name}"),
            Self::Nowhere => String::new(),
        }
    }
}

/// What a protocol is for, and what to do where it is not there.
pub(super) fn protocol(protocol: Protocol) -> (&'static str, Source) {
    match protocol {
        Protocol::ROUTE => ("interfaces, addresses, routes", Source::Option("CONFIG_NET")),
        Protocol::USERSOCK => ("messages between processes", Source::Option("CONFIG_NET")),
        Protocol::FIREWALL | Protocol::IP6_FW => ("packets for programs, by iptables", Source::Nowhere),
        Protocol::SOCK_DIAG => ("what sockets there are", Source::Option("CONFIG_NET")),
        Protocol::NFLOG => ("packets told to programs, by iptables", Source::Nowhere),
        Protocol::XFRM => ("IPsec", Source::Module("xfrm_user")),
        Protocol::SELINUX => {
            ("SELinux's events", Source::Option("CONFIG_SECURITY_SELINUX, and start it with `security=selinux`"))
        }
        Protocol::ISCSI => ("iSCSI initiators", Source::Module("scsi_transport_iscsi")),
        Protocol::AUDIT => ("audit", Source::Option("CONFIG_AUDIT, and start it without `audit=off`")),
        Protocol::FIB_LOOKUP => ("looking up one address", Source::Option("CONFIG_INET")),
        Protocol::CONNECTOR => ("events of processes", Source::Option("CONFIG_CONNECTOR and CONFIG_PROC_EVENTS")),
        Protocol::NETFILTER => ("firewall, connection tracking, sets", Source::Module("nfnetlink")),
        Protocol::DNRTMSG => ("DECnet's routing messages", Source::Nowhere),
        Protocol::KOBJECT_UEVENT => ("devices that come and go", Source::Option("CONFIG_NET")),
        Protocol::GENERIC => ("families that register by name", Source::Option("CONFIG_NET")),
        Protocol::SCSITRANSPORT => ("events of SCSI transports", Source::Module("scsi_mod")),
        Protocol::ECRYPTFS => ("eCryptfs' keys", Source::Nowhere),
        Protocol::RDMA => ("InfiniBand and RDMA", Source::Module("ib_core")),
        Protocol::CRYPTO => ("the kernel's algorithms", Source::Module("crypto_user")),
        Protocol::SMC => ("nothing: the number is reserved, sock_diag tells of SMC's sockets", Source::Nowhere),
        _ => ("a protocol of somebody's own", Source::Nowhere),
    }
}

/// What a family of generic netlink is for, and what to do where it is not there.
pub(super) fn family(name: &str) -> (&'static str, String) {
    let (what, module) = match name {
        "nlctrl" => ("families at all", ""),
        "ethtool" => ("settings of network devices", ""),
        "mptcp_pm" => ("paths of MPTCP", ""),
        "netdev" => ("queues and pages of network devices", ""),
        "TASKSTATS" => ("accounts of tasks", ""),
        "tcp_metrics" => ("what TCP remembers of peers", ""),
        "wireguard" => ("WireGuard's devices", "wireguard"),
        "nl80211" => ("wireless devices", "cfg80211"),
        "devlink" => ("what is behind network devices", ""),
        "IPVS" => ("virtual servers", "ip_vs"),
        "l2tp" => ("L2TP's tunnels", "l2tp_netlink"),
        "macsec" => ("keys of MACsec", "macsec"),
        "team" => ("teams of devices", "team"),
        "gtp" => ("tunnels of GTP", "gtp"),
        "batadv" => ("meshes of batman-adv", "batman_adv"),
        "TIPCv2" | "TIPC" => ("TIPC", "tipc"),
        "ovs_datapath" | "ovs_vport" | "ovs_flow" | "ovs_packet" | "ovs_meter" | "ovs_ct_limit" => {
            ("Open vSwitch", "openvswitch")
        }
        "nl802154" => ("IEEE 802.15.4 devices", "ieee802154"),
        "nfc" => ("NFC devices", "nfc"),
        "hsr" | "HSR" => ("HSR and PRP", "hsr"),
        "drbd" => ("DRBD", "drbd"),
        "nbd" => ("network block devices", "nbd"),
        "ovpn" => ("OpenVPN's devices", "ovpn"),
        "SMC_GEN_NETLINK" => ("SMC's links", "smc"),
        _ => ("", ""),
    };
    let advice = match module {
        "" => "this kernel was built without it, or is older than it".to_owned(),
        module => super::system::module(module),
    };
    (what, advice)
}

/// What a part of netfilter is for, and its module.
pub(super) fn subsystem(subsystem: Subsystem) -> (&'static str, &'static str) {
    match subsystem {
        Subsystem::CTNETLINK => ("tracked connections", "nf_conntrack_netlink"),
        Subsystem::CTNETLINK_EXP => ("expected connections", "nf_conntrack_netlink"),
        Subsystem::QUEUE => ("packets for a verdict", "nfnetlink_queue"),
        Subsystem::ULOG => ("packets told to programs", "nfnetlink_log"),
        Subsystem::OSF => ("fingerprints of systems", "nfnetlink_osf"),
        Subsystem::IPSET => ("sets of addresses", "ip_set"),
        Subsystem::ACCT => ("named counters", "nfnetlink_acct"),
        Subsystem::CTNETLINK_TIMEOUT => ("timeouts of connections", "nfnetlink_cttimeout"),
        Subsystem::CTHELPER => ("helpers in programs", "nfnetlink_cthelper"),
        Subsystem::NFTABLES => ("tables, chains, rules", "nf_tables"),
        Subsystem::NFT_COMPAT => ("iptables' matches in nf_tables", "nft_compat"),
        Subsystem::HOOK => ("what is hooked in where", "nfnetlink_hook"),
        _ => ("a part of netfilter", "nfnetlink"),
    }
}

/// The name of an address family, and the module that tells of its sockets.
pub(super) fn address_family(number: u8) -> (&'static str, &'static str) {
    match number {
        1 => ("unix", "unix_diag"),
        2 => ("inet", "inet_diag"),
        10 => ("inet6", "inet_diag"),
        16 => ("netlink", "netlink_diag"),
        17 => ("packet", "af_packet_diag"),
        30 => ("tipc", "tipc_diag"),
        40 => ("vsock", "vsock_diag"),
        43 => ("smc", "smc_diag"),
        44 => ("xdp", "xsk_diag"),
        _ => ("another family", "?"),
    }
}

/// The name of a protocol, and the module that tells of its sockets.
pub(super) fn inet_protocol(number: u32) -> (&'static str, &'static str) {
    match number {
        6 => ("tcp", "tcp_diag"),
        17 => ("udp", "udp_diag"),
        33 => ("dccp", "dccp_diag"),
        132 => ("sctp", "sctp_diag"),
        136 => ("udplite", "udp_diag"),
        255 => ("raw", "raw_diag"),
        262 => ("mptcp", "mptcp_diag"),
        _ => ("another protocol", "?"),
    }
}

/// An option's name, what its lack costs and which kernels have it.
pub(super) fn option(option: SocketOption) -> (&'static str, (&'static str, &'static str)) {
    match option {
        SocketOption::ExtAck => {
            ("NETLINK_EXT_ACK", ("refusals are numbers only: no text, no attribute", "Linux 4.12 has it"))
        }
        SocketOption::CapAck => ("NETLINK_CAP_ACK", ("acknowledgements take more of the buffer", "Linux 4.3 has it")),
        SocketOption::StrictCheck => (
            "NETLINK_GET_STRICT_CHK",
            ("dumps are not filtered by the kernel, and wrong requests pass", "Linux 4.20 has it"),
        ),
        SocketOption::NoEnobufs => ("NETLINK_NO_ENOBUFS", ("losses cannot be counted only", "Linux 2.6.30 has it")),
        SocketOption::ListenAllNsid => {
            ("NETLINK_LISTEN_ALL_NSID", ("other namespaces' events are not heard", "Linux 4.2 has it"))
        }
        SocketOption::PacketInfo => ("NETLINK_PKTINFO", ("groups above 32 are not told", "Linux 2.6.14 has it")),
        SocketOption::BroadcastError => {
            ("NETLINK_BROADCAST_ERROR", ("who sends does not learn of losses", "Linux 2.6.30 has it"))
        }
        _ => ("another option", ("", "")),
    }
}
