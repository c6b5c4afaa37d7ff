//! Headers of packets: their fields, by name and by place, and what a field says of the next header.

use super::types::Type;

/// A field of a header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) kind: Type,
    /// In bits from the header's beginning.
    pub(super) offset: u32,
    pub(super) bits: u32,
    /// The message types of ICMP that have it; empty for all.
    pub(super) only: &'static [u8],
}

/// A header.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) name: &'static str,
    /// Its number: of the extension, the option, the chunk; not of protocols.
    pub(super) number: u8,
    pub(super) fields: &'static [Field],
    /// Where the field stands that says what follows, and what does by its value.
    pub(super) key: Option<u32>,
    pub(super) next: &'static [(u64, &'static Header)],
}

impl PartialEq for Header {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Eq for Header {}

impl Header {
    /// The field that stands just there.
    pub(super) fn field(&self, offset: u32, bits: u32) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.offset == offset && field.bits == bits)
    }

    /// The field of this name.
    pub(super) fn named(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// What follows by a value of its key.
    pub(super) fn next(&self, value: u64) -> Option<&'static Header> {
        self.next.iter().find(|(number, _)| *number == value).map(|(_, header)| *header)
    }
}

/// `headers! { UDP = "udp" 0 { "sport": SERVICE 0/16; } }` makes a header; `=> 72 TRANSPORTS` says what follows, by which field.
macro_rules! headers {
    ($($id:ident = $name:literal $number:literal
        { $($field:literal: $kind:ident $offset:literal/$bits:literal $($only:literal)*;)* }
        $(=> $key:literal $next:ident)?)*) => {$(
        pub(super) static $id: Header = Header {
            name: $name,
            number: $number,
            fields: &[$(Field {
                name: $field,
                kind: Type::$kind,
                offset: $offset,
                bits: $bits,
                only: &[$($only),*],
            }),*],
            key: headers!(@key $($key)?),
            next: headers!(@next $($next)?),
        };
    )*};
    (@key $key:literal) => { Some($key) };
    (@key) => { None };
    (@next $next:ident) => { $next };
    (@next) => { &[] };
}

/// Headers behind a network header, by the protocol's number.
pub(super) static TRANSPORTS: &[(u64, &Header)] = &[
    (1, &ICMP),
    (2, &IGMP),
    (6, &TCP),
    (17, &UDP),
    (33, &DCCP),
    (50, &ESP),
    (51, &AH),
    (58, &ICMPV6),
    (108, &COMP),
    (132, &SCTP),
    (136, &UDPLITE),
];

/// Headers behind one of the link layer, by EtherType.
pub(super) static NETWORKS: &[(u64, &Header)] =
    &[(0x0800, &IP), (0x0806, &ARP), (0x86dd, &IP6), (0x8100, &VLAN), (0x88a8, &VLAN)];

// proto.c of nftables.
headers! {
    ETHER = "ether" 0 {
        "daddr": ETHER 0/48; "saddr": ETHER 48/48; "type": ETHERTYPE 96/16;
    } => 96 NETWORKS
    VLAN = "vlan" 0 {
        "pcp": INTEGER 0/3; "dei": INTEGER 3/1; "id": INTEGER 4/12; "type": ETHERTYPE 16/16;
    } => 16 NETWORKS
    IP = "ip" 0 {
        "version": INTEGER 0/4; "hdrlength": INTEGER 4/4; "dscp": DSCP 8/6; "ecn": ECN 14/2; "length": INTEGER 16/16;
        "id": INTEGER 32/16; "frag-off": INTEGER 48/16; "ttl": INTEGER 64/8; "protocol": PROTOCOL 72/8;
        "checksum": INTEGER 80/16; "saddr": IPV4 96/32; "daddr": IPV4 128/32;
    } => 72 TRANSPORTS
    IP6 = "ip6" 0 {
        "version": INTEGER 0/4; "dscp": DSCP 4/6; "ecn": ECN 10/2; "flowlabel": INTEGER 12/20; "length": INTEGER 32/16;
        "nexthdr": PROTOCOL 48/8; "hoplimit": INTEGER 56/8; "saddr": IPV6 64/128; "daddr": IPV6 192/128;
    } => 48 TRANSPORTS
    ARP = "arp" 0 {
        "htype": INTEGER 0/16; "ptype": ETHERTYPE 16/16; "hlen": INTEGER 32/8; "plen": INTEGER 40/8;
        "operation": ARP_OPERATION 48/16; "saddr ether": ETHER 64/48; "saddr ip": IPV4 112/32;
        "daddr ether": ETHER 144/48; "daddr ip": IPV4 192/32;
    }
    ICMP = "icmp" 0 {
        "type": ICMP_TYPE 0/8; "code": ICMP_CODE 8/8; "checksum": INTEGER 16/16; "id": INTEGER 32/16 8 0;
        "sequence": INTEGER 48/16 8 0; "gateway": INTEGER 32/32 5; "mtu": INTEGER 48/16 3;
    }
    ICMPV6 = "icmpv6" 0 {
        "type": ICMPV6_TYPE 0/8; "code": ICMPV6_CODE 8/8; "checksum": INTEGER 16/16;
        "parameter-problem": INTEGER 32/32 4; "mtu": INTEGER 32/32 2; "id": INTEGER 32/16 128 129;
        "sequence": INTEGER 48/16 128 129; "max-delay": INTEGER 32/16 130;
    }
    IGMP = "igmp" 0 {
        "type": IGMP_TYPE 0/8; "mrt": INTEGER 8/8; "checksum": INTEGER 16/16; "group": INTEGER 32/32;
    }
    TCP = "tcp" 0 {
        "sport": SERVICE 0/16; "dport": SERVICE 16/16; "sequence": INTEGER 32/32; "ackseq": INTEGER 64/32;
        "doff": INTEGER 96/4; "reserved": INTEGER 100/4; "flags": TCP_FLAG 104/8; "window": INTEGER 112/16;
        "checksum": INTEGER 128/16; "urgptr": INTEGER 144/16;
    }
    UDP = "udp" 0 {
        "sport": SERVICE 0/16; "dport": SERVICE 16/16; "length": INTEGER 32/16; "checksum": INTEGER 48/16;
    }
    UDPLITE = "udplite" 0 {
        "sport": SERVICE 0/16; "dport": SERVICE 16/16; "csumcov": INTEGER 32/16; "checksum": INTEGER 48/16;
    }
    SCTP = "sctp" 0 {
        "sport": SERVICE 0/16; "dport": SERVICE 16/16; "vtag": INTEGER 32/32; "checksum": INTEGER 64/32;
    }
    DCCP = "dccp" 0 {
        "sport": SERVICE 0/16; "dport": SERVICE 16/16; "type": DCCP_TYPE 67/4;
    }
    AH = "ah" 0 {
        "nexthdr": PROTOCOL 0/8; "hdrlength": INTEGER 8/8; "reserved": INTEGER 16/16; "spi": INTEGER 32/32;
        "sequence": INTEGER 64/32;
    }
    ESP = "esp" 0 {
        "spi": INTEGER 0/32; "sequence": INTEGER 32/32;
    }
    COMP = "comp" 0 {
        "nexthdr": PROTOCOL 0/8; "flags": BITMASK 8/8; "cpi": INTEGER 16/16;
    }
    TRANSPORT = "th" 0 {
        "sport": SERVICE 0/16; "dport": SERVICE 16/16;
    }
}

// exthdr.c of nftables.
headers! {
    HBH = "hbh" 0 { "nexthdr": PROTOCOL 0/8; "hdrlength": INTEGER 8/8; }
    RT = "rt" 43 {
        "nexthdr": PROTOCOL 0/8; "hdrlength": INTEGER 8/8; "type": INTEGER 16/8; "seg-left": INTEGER 24/8;
    }
    SRH = "srh" 43 {
        "last-entry": INTEGER 32/8; "flags": INTEGER 40/8; "tag": INTEGER 48/16; "sid[1]": IPV6 64/128;
        "sid[2]": IPV6 192/128;
    }
    RT0 = "rt0" 43 { "reserved": INTEGER 32/32; }
    FRAG = "frag" 44 {
        "nexthdr": PROTOCOL 0/8; "reserved": INTEGER 8/8; "frag-off": INTEGER 16/13; "reserved2": INTEGER 29/2;
        "more-fragments": INTEGER 31/1; "id": INTEGER 32/32;
    }
    DST = "dst" 60 { "nexthdr": PROTOCOL 0/8; "hdrlength": INTEGER 8/8; }
    MH = "mh" 135 {
        "nexthdr": PROTOCOL 0/8; "hdrlength": INTEGER 8/8; "type": MH_TYPE 16/8; "reserved": INTEGER 24/8;
        "checksum": INTEGER 32/16;
    }
}

/// Extensions of IPv6; several share the number of routing headers.
pub(super) static EXTENSIONS: &[&Header] = &[&HBH, &RT, &SRH, &RT0, &FRAG, &DST, &MH];

// tcpopt.c of nftables.
headers! {
    EOL = "eol" 0 { "kind": INTEGER 0/8; }
    NOP = "nop" 1 { "kind": INTEGER 0/8; }
    MAXSEG = "maxseg" 2 { "kind": INTEGER 0/8; "length": INTEGER 8/8; "size": INTEGER 16/16; }
    WINDOW = "window" 3 { "kind": INTEGER 0/8; "length": INTEGER 8/8; "count": INTEGER 16/8; }
    SACK_PERM = "sack-perm" 4 { "kind": INTEGER 0/8; "length": INTEGER 8/8; }
    SACK = "sack" 5 {
        "kind": INTEGER 0/8; "length": INTEGER 8/8; "left": INTEGER 16/32; "right": INTEGER 48/32;
    }
    SACK1 = "sack1" 5 { "left": INTEGER 80/32; "right": INTEGER 112/32; }
    SACK2 = "sack2" 5 { "left": INTEGER 144/32; "right": INTEGER 176/32; }
    SACK3 = "sack3" 5 { "left": INTEGER 208/32; "right": INTEGER 240/32; }
    TIMESTAMP = "timestamp" 8 {
        "kind": INTEGER 0/8; "length": INTEGER 8/8; "tsval": INTEGER 16/32; "tsecr": INTEGER 48/32;
    }
    MD5SIG = "md5sig" 19 { "kind": INTEGER 0/8; "length": INTEGER 8/8; }
    MPTCP = "mptcp" 30 { "kind": INTEGER 0/8; "length": INTEGER 8/8; "subtype": INTEGER 16/4; }
    FASTOPEN = "fastopen" 34 { "kind": INTEGER 0/8; "length": INTEGER 8/8; }
}

/// Options of TCP.
pub(super) static TCP_OPTIONS: &[&Header] =
    &[&EOL, &NOP, &MAXSEG, &WINDOW, &SACK_PERM, &SACK, &SACK1, &SACK2, &SACK3, &TIMESTAMP, &MD5SIG, &MPTCP, &FASTOPEN];

// ipopt.c of nftables.
headers! {
    RR = "rr" 7 {
        "type": INTEGER 0/8; "length": INTEGER 8/8; "ptr": INTEGER 16/8; "addr": INTEGER 24/32;
    }
    LSRR = "lsrr" 131 {
        "type": INTEGER 0/8; "length": INTEGER 8/8; "ptr": INTEGER 16/8; "addr": INTEGER 24/32;
    }
    SSRR = "ssrr" 137 {
        "type": INTEGER 0/8; "length": INTEGER 8/8; "ptr": INTEGER 16/8; "addr": INTEGER 24/32;
    }
    RA = "ra" 148 { "type": INTEGER 0/8; "length": INTEGER 8/8; "value": INTEGER 16/16; }
}

/// Options of IPv4.
pub(super) static IP_OPTIONS: &[&Header] = &[&RR, &LSRR, &SSRR, &RA];

// sctp_chunk.c of nftables. Each chunk begins with type, flags and length.
headers! {
    DATA = "data" 0 {
        "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; "tsn": INTEGER 32/32;
        "stream": INTEGER 64/16; "ssn": INTEGER 80/16; "ppid": INTEGER 96/32;
    }
    INIT = "init" 1 {
        "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; "init-tag": INTEGER 32/32;
        "a-rwnd": INTEGER 64/32; "num-outbound-streams": INTEGER 96/16; "num-inbound-streams": INTEGER 112/16;
        "initial-tsn": INTEGER 128/32;
    }
    INIT_ACK = "init-ack" 2 {
        "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; "init-tag": INTEGER 32/32;
        "a-rwnd": INTEGER 64/32; "num-outbound-streams": INTEGER 96/16; "num-inbound-streams": INTEGER 112/16;
        "initial-tsn": INTEGER 128/32;
    }
    CHUNK_SACK = "sack" 3 {
        "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; "cum-tsn-ack": INTEGER 32/32;
        "a-rwnd": INTEGER 64/32; "num-gap-ack-blocks": INTEGER 96/16; "num-dup-tsns": INTEGER 112/16;
    }
    HEARTBEAT = "heartbeat" 4 { "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; }
    HEARTBEAT_ACK = "heartbeat-ack" 5 { "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; }
    ABORT = "abort" 6 { "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; }
    SHUTDOWN = "shutdown" 7 {
        "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; "cum-tsn-ack": INTEGER 32/32;
    }
    SHUTDOWN_ACK = "shutdown-ack" 8 { "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; }
    ERROR = "error" 9 { "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; }
    COOKIE_ECHO = "cookie-echo" 10 { "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; }
    COOKIE_ACK = "cookie-ack" 11 { "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; }
    ECNE = "ecne" 12 {
        "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; "lowest-tsn": INTEGER 32/32;
    }
    CWR = "cwr" 13 {
        "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; "lowest-tsn": INTEGER 32/32;
    }
    SHUTDOWN_COMPLETE = "shutdown-complete" 14 {
        "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16;
    }
    ASCONF_ACK = "asconf-ack" 128 {
        "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; "seqno": INTEGER 32/32;
    }
    FORWARD_TSN = "forward-tsn" 192 {
        "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; "new-cum-tsn": INTEGER 32/32;
    }
    ASCONF = "asconf" 193 {
        "type": INTEGER 0/8; "flags": INTEGER 8/8; "length": INTEGER 16/16; "seqno": INTEGER 32/32;
    }
}

/// Chunks of SCTP.
pub(super) static CHUNKS: &[&Header] = &[
    &DATA,
    &INIT,
    &INIT_ACK,
    &CHUNK_SACK,
    &HEARTBEAT,
    &HEARTBEAT_ACK,
    &ABORT,
    &SHUTDOWN,
    &SHUTDOWN_ACK,
    &ERROR,
    &COOKIE_ECHO,
    &COOKIE_ACK,
    &ECNE,
    &CWR,
    &SHUTDOWN_COMPLETE,
    &ASCONF_ACK,
    &FORWARD_TSN,
    &ASCONF,
];

/// The header of a number, and the field that stands just there; without such a field the first header of the number.
pub(super) fn find(
    headers: &'static [&'static Header],
    number: u8,
    offset: u32,
    bits: u32,
) -> Option<(&'static Header, Option<&'static Field>)> {
    let mut numbered = headers.iter().filter(|header| header.number == number);
    let first = numbered.clone().next()?;
    let found = numbered.find_map(|header| header.field(offset, bits).map(|field| (*header, Some(field))));
    Some(found.unwrap_or((first, None)))
}
