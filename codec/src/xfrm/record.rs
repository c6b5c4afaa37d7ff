//! Structs that are the same on all machines (include/uapi/linux/xfrm.h).

use core::fmt;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{
    DefaultAction, EncapType, EventFlags, Family, MigrateFlags, Mode, OffloadFlags, PolicyKind, Protocol, Share,
};
use crate::record;
use crate::table::{Be16, Be32, Chars, Encode, Fixed, Malformed, Plain, SecretBytes, Shape, Value};
use crate::wire::{Payload, Writer};

/// An address of 16 bytes, of which IPv4 uses the first four (`xfrm_address_t`). A family elsewhere says which it is.
///
/// ```
/// use std::net::{IpAddr, Ipv4Addr};
/// use ringlink_codec::xfrm::{Address, Family};
///
/// let address = Address::from(IpAddr::from([192, 0, 2, 1]));
/// assert_eq!(address.ip(Family::INET), Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1))));
/// assert_eq!(address.ip(Family::UNSPEC), None);
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[repr(transparent)]
pub struct Address(pub [u8; 16]);

impl Address {
    /// The address, where the family is one of IP's.
    #[must_use]
    pub fn ip(self, family: Family) -> Option<IpAddr> {
        match (family, self.0) {
            (Family::INET, [a, b, c, d, ..]) => Some(IpAddr::V4(Ipv4Addr::new(a, b, c, d))),
            (Family::INET6, octets) => Some(IpAddr::V6(Ipv6Addr::from(octets))),
            _ => None,
        }
    }

    /// Whether all bytes are zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0 == [0; 16]
    }
}

impl From<IpAddr> for Address {
    fn from(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => {
                let [a, b, c, d] = address.octets();
                Self([a, b, c, d, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            }
            IpAddr::V6(address) => Self(address.octets()),
        }
    }
}

impl From<IpAddr> for Family {
    fn from(address: IpAddr) -> Self {
        if address.is_ipv4() { Self::INET } else { Self::INET6 }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Plain for Address {
    #[inline]
    fn take(rest: &mut &[u8]) -> Self {
        Self(Plain::take(rest))
    }

    #[inline]
    fn give(self, rest: &mut &mut [u8]) {
        self.0.give(rest);
    }
}

impl Value for Address {
    type Read<'a> = Self;
    const SHAPE: Shape = <[u8; 16] as Value>::SHAPE;

    #[inline]
    fn decode(payload: Payload<'_>) -> Result<Self, Malformed> {
        <[u8; 16] as Value>::decode(payload).map(Self)
    }
}

impl Encode<Address> for Address {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        writer.array(self.0);
    }
}

impl Encode<Address> for IpAddr {
    #[inline]
    fn encode(self, writer: &mut Writer<'_>) {
        Address::from(self).encode(writer);
    }
}

impl Fixed for Address {
    const SIZE: usize = 16;
}

record! {
    /// Which packets are meant; zeros mean any.
    pub Selector, "xfrm_selector", "" {
        /// Destination.
        daddr: Address,
        /// Source.
        saddr: Address,
        /// Destination port; the code of ICMP; the low half of the key of GRE.
        dport: Be16,
        /// Which of its bits count.
        dport_mask: Be16,
        /// Source port; the type of ICMP; the high half of the key of GRE.
        sport: Be16,
        /// Which of its bits count.
        sport_mask: Be16,
        /// Family of the addresses.
        family: Family,
        /// Bits of the destination that count.
        prefixlen_d: u8,
        /// Bits of the source that count.
        prefixlen_s: u8,
        /// Transport protocol (`IPPROTO_`).
        proto: u8,
        /// Nothing.
        pad: [u8; 3],
        /// Interface.
        ifindex: i32,
        /// User whose packets they are.
        user: u32,
    }
}

record! {
    /// What a packet names its state by.
    pub Id, "xfrm_id", "" {
        /// Destination of the outer packet.
        daddr: Address,
        /// Security parameter index; 0 for any.
        spi: Be32,
        /// The header that names it.
        proto: Protocol,
        /// Nothing.
        pad: [u8; 3],
    }
}

record! {
    /// How long a state or policy lives. [`LifetimeLimits::FOREVER`] is what most have; zeros are a limit of no bytes.
    pub LifetimeLimits, "xfrm_lifetime_cfg", "" {
        /// Bytes after which a new state is asked for.
        soft_byte_limit: u64,
        /// Bytes after which it is not used any more.
        hard_byte_limit: u64,
        /// Packets after which a new state is asked for.
        soft_packet_limit: u64,
        /// Packets after which it is not used any more.
        hard_packet_limit: u64,
        /// Seconds from when it was made to when a new one is asked for; 0 for never.
        soft_add_expires_seconds: u64,
        /// Seconds from when it was made to when it goes; 0 for never.
        hard_add_expires_seconds: u64,
        /// Seconds from its first use to when a new one is asked for; 0 for never.
        soft_use_expires_seconds: u64,
        /// Seconds from its first use to when it goes; 0 for never.
        hard_use_expires_seconds: u64,
    }
}

impl LifetimeLimits {
    /// No limit to bytes or packets (`XFRM_INF`).
    pub const INFINITE: u64 = u64::MAX;

    /// No limits at all.
    pub const FOREVER: Self = Self {
        soft_byte_limit: Self::INFINITE,
        hard_byte_limit: Self::INFINITE,
        soft_packet_limit: Self::INFINITE,
        hard_packet_limit: Self::INFINITE,
        soft_add_expires_seconds: 0,
        hard_add_expires_seconds: 0,
        soft_use_expires_seconds: 0,
        hard_use_expires_seconds: 0,
    };
}

record! {
    /// What a state or policy has lived through.
    pub Lifetime, "xfrm_lifetime_cur", "" {
        /// Bytes.
        bytes: u64,
        /// Packets.
        packets: u64,
        /// When it was made, in seconds since 1970.
        add_time: u64,
        /// When it was first used, in seconds since 1970; 0 for never.
        use_time: u64,
    }
}

record! {
    /// Sequence numbers of 32 bits.
    pub ReplayState, "xfrm_replay_state", "" {
        /// Of the last packet that was sent.
        oseq: u32,
        /// The highest that came in.
        seq: u32,
        /// Which of the 32 up to `seq` came in: bit n is `seq` - n.
        bitmap: u32,
    }
}

record! {
    /// Sequence numbers of up to 64 bits; the window's bits follow, in 32-bit words.
    pub ReplayStateEsn, "xfrm_replay_state_esn", "" {
        /// How many words follow.
        bmp_len: u32,
        /// Low half of the number of the last packet that was sent.
        oseq: u32,
        /// Low half of the highest that came in.
        seq: u32,
        /// High half of the number of the last packet that was sent.
        oseq_hi: u32,
        /// High half of the highest that came in.
        seq_hi: u32,
        /// Size of the window, in packets.
        replay_window: u32,
    }
}

record! {
    /// Packets that were refused.
    pub StateErrors, "xfrm_stats", "" {
        /// Too old for the window.
        replay_window: u32,
        /// In the window, and seen before.
        replay: u32,
        /// Not what the sender sent.
        integrity_failed: u32,
    }
}

record! {
    /// A cipher, digest or compression; its key follows.
    pub Algorithm, "xfrm_algo", "alg_" {
        /// Its name in the kernel's crypto layer (`cbc(aes)`).
        name: Chars<64>,
        /// Length of the key, in bits.
        key_len: u32,
    }
}

record! {
    /// A digest of which not all is sent; its key follows.
    pub AuthAlgorithm, "xfrm_algo_auth", "alg_" {
        /// Its name in the kernel's crypto layer (`hmac(sha256)`).
        name: Chars<64>,
        /// Length of the key, in bits.
        key_len: u32,
        /// How much of the digest is sent, in bits.
        trunc_len: u32,
    }
}

record! {
    /// A cipher that authenticates, too; its key follows.
    pub AeadAlgorithm, "xfrm_algo_aead", "alg_" {
        /// Its name in the kernel's crypto layer (`rfc4106(gcm(aes))`).
        name: Chars<64>,
        /// Length of the key and the salt behind it, in bits.
        key_len: u32,
        /// Length of the check value, in bits.
        icv_len: u32,
    }
}

/// Bits of a key.
fn bits(key: SecretBytes<'_>) -> u32 {
    u32::try_from(key.expose().len()).unwrap_or(u32::MAX).saturating_mul(8)
}

/// `keyed! { Algorithm { trunc_len } }` gives a struct that a key follows the ways to and from both.
macro_rules! keyed {
    ($($name:ident $({ $more:ident })?)*) => {$(
        impl $name {
            /// An algorithm and its key, as they are written: see [`Keyed`](crate::table::Keyed).
            #[must_use]
            pub fn with<'a>(name: &str, key: SecretBytes<'a>, $($more: u32)?) -> (Self, SecretBytes<'a>) {
                (Self { name: Chars::new(name), key_len: bits(key), $($more)? }, key)
            }

            /// The key among the bytes that follow: no more of them than the key is long.
            #[must_use]
            pub fn key(self, bytes: SecretBytes<'_>) -> SecretBytes<'_> {
                let length = usize::try_from(self.key_len.div_ceil(8)).unwrap_or(usize::MAX);
                SecretBytes::new(bytes.expose().get(..length).unwrap_or(bytes.expose()))
            }
        }
    )*};
}

keyed! {
    Algorithm
    AuthAlgorithm { trunc_len }
    AeadAlgorithm { icv_len }
}

record! {
    /// A state that packets of a policy have to have.
    pub Template, "xfrm_user_tmpl", "" {
        /// What names the state.
        id: Id,
        /// Family of the outer addresses.
        family: Family,
        /// Nothing.
        pad: u16,
        /// Source of the outer packet.
        saddr: Address,
        /// Number that the state must have; 0 for any.
        reqid: u32,
        /// What of a packet is protected.
        mode: Mode,
        /// Who may share the state.
        share: Share,
        /// Whether packets pass without the state where there is none.
        optional: u8,
        /// Nothing.
        pad_mode: u8,
        /// Digests that may be used, by the numbers of PF_KEY; all ones for any.
        aalgos: u32,
        /// Ciphers that may be used.
        ealgos: u32,
        /// Compressions that may be used.
        calgos: u32,
    }
}

record! {
    /// What packets are wrapped in to pass address translators.
    pub Encap, "xfrm_encap_tmpl", "encap_" {
        /// UDP or TCP (`encap_type` in C).
        kind: EncapType,
        /// Source port.
        sport: Be16,
        /// Destination port.
        dport: Be16,
        /// Nothing.
        pad: u16,
        /// The address before translation.
        oa: Address,
    }
}

record! {
    /// What a packet's mark must be.
    pub Mark, "xfrm_mark", "" {
        /// The mark.
        v: u32,
        /// Which of its bits count.
        m: u32,
    }
}

record! {
    /// The head of a security label; its text follows (`struct sadb_x_sec_ctx` in all but name).
    pub SecurityContext, "xfrm_user_sec_ctx", "" {
        /// Bytes of this struct and the text.
        len: u16,
        /// The attribute's number.
        exttype: u16,
        /// Whose label it is: 1 for SELinux.
        ctx_alg: u8,
        /// Whose rules it is by: 1 for the kernel's security modules.
        ctx_doi: u8,
        /// Bytes of the text, with its NUL.
        ctx_len: u16,
    }
}

record! {
    /// Which of the tables a policy is in.
    pub PolicyType, "xfrm_userpolicy_type", "" {
        /// The table (`type` in C).
        kind: PolicyKind,
        /// Nothing.
        pad: u8,
        /// Nothing.
        reserved1: u16,
        /// Nothing.
        reserved2: u8,
        /// Nothing.
        pad_end: u8,
    }
}

record! {
    /// A pair of addresses that moves.
    pub Migrate, "xfrm_user_migrate", "" {
        /// Destination until now.
        old_daddr: Address,
        /// Source until now.
        old_saddr: Address,
        /// Destination from now on.
        new_daddr: Address,
        /// Source from now on.
        new_saddr: Address,
        /// Protocol of the states that move.
        proto: Protocol,
        /// Their mode.
        mode: Mode,
        /// Nothing.
        reserved: u16,
        /// Their number; 0 for any.
        reqid: u32,
        /// Family until now.
        old_family: Family,
        /// Family from now on.
        new_family: Family,
    }
}

record! {
    /// Addresses that a key exchange should use after a move.
    pub KeyManagerAddress, "xfrm_user_kmaddress", "" {
        /// Ours.
        local: Address,
        /// The peer's.
        remote: Address,
        /// Nothing.
        reserved: u32,
        /// Family of both.
        family: Family,
        /// Nothing.
        pad: u16,
    }
}

record! {
    /// Which states a dump is to have.
    pub AddressFilter, "xfrm_address_filter", "" {
        /// Source.
        saddr: Address,
        /// Destination.
        daddr: Address,
        /// Family; any if unspecified.
        family: Family,
        /// Bits of the source that count.
        splen: u8,
        /// Bits of the destination that count.
        dplen: u8,
    }
}

record! {
    /// A device that takes part.
    pub Offload, "xfrm_user_offload", "" {
        /// Its index.
        ifindex: i32,
        /// How it does.
        flags: OffloadFlags,
        /// Nothing.
        pad: [u8; 3],
    }
}

record! {
    /// Hash table of the states.
    pub StateHash, "xfrmu_sadhinfo", "" {
        /// Buckets.
        sadhcnt: u32,
        /// Buckets that there may be.
        sadhmcnt: u32,
    }
}

record! {
    /// How many policies there are.
    pub PolicyCounts, "xfrmu_spdinfo", "" {
        /// For packets that come in.
        incnt: u32,
        /// For packets that are sent.
        outcnt: u32,
        /// For packets that are forwarded.
        fwdcnt: u32,
        /// Of sockets, for packets that come in.
        inscnt: u32,
        /// Of sockets, for packets that are sent.
        outscnt: u32,
        /// Of sockets, for packets that are forwarded.
        fwdscnt: u32,
    }
}

record! {
    /// Hash table of the policies.
    pub PolicyHash, "xfrmu_spdhinfo", "" {
        /// Buckets.
        spdhcnt: u32,
        /// Buckets that there may be.
        spdhmcnt: u32,
    }
}

record! {
    /// From how long prefixes on policies are hashed.
    pub HashThreshold, "xfrmu_spdhthresh", "" {
        /// Bits of the local prefix.
        lbits: u8,
        /// Bits of the remote prefix.
        rbits: u8,
    }
}

record! {
    /// What requests about one state begin with.
    pub StateId, "xfrm_usersa_id", "" {
        /// Destination of the outer packet.
        daddr: Address,
        /// Security parameter index.
        spi: Be32,
        /// Family of the addresses.
        family: Family,
        /// Protocol.
        proto: Protocol,
        /// Nothing.
        pad: u8,
    }
}

record! {
    /// What messages about replay counters and lifetimes begin with.
    pub EventHeader, "xfrm_aevent_id", "" {
        /// The state.
        sa_id: StateId,
        /// Its source.
        saddr: Address,
        /// What is asked or told, and why.
        flags: EventFlags,
        /// The state's number.
        reqid: u32,
    }
}

record! {
    /// What requests about one policy begin with: it is named by its selector, or by its index.
    pub PolicyId, "xfrm_userpolicy_id", "" {
        /// Its selector.
        sel: Selector,
        /// Its index; 0 where the selector names it.
        index: u32,
        /// Which packets it is for.
        dir: super::Direction,
        /// Nothing.
        pad: [u8; 3],
    }
}

record! {
    /// What a request to delete all states begins with.
    pub StateFlush, "xfrm_usersa_flush", "" {
        /// Of this protocol; 0 for all.
        proto: Protocol,
    }
}

record! {
    /// What a report of a packet that a mobile node cannot protect begins with.
    pub Report, "xfrm_user_report", "" {
        /// Protocol of the missing state.
        proto: Protocol,
        /// Nothing.
        pad: [u8; 3],
        /// The packet's addresses.
        sel: Selector,
    }
}

record! {
    /// What a message about a peer with another address or port begins with.
    pub Mapping, "xfrm_user_mapping", "" {
        /// The state.
        id: StateId,
        /// Its number.
        reqid: u32,
        /// Source until now.
        old_saddr: Address,
        /// Source of the packet that came.
        new_saddr: Address,
        /// Port until now.
        old_sport: Be16,
        /// Port of the packet that came.
        new_sport: Be16,
    }
}

record! {
    /// What a request to move one state begins with, since Linux 7.1.
    pub MigrateState, "xfrm_user_migrate_state", "" {
        /// The state.
        id: StateId,
        /// Destination from now on.
        new_daddr: Address,
        /// Source from now on.
        new_saddr: Address,
        /// Mark that the state has.
        old_mark: Mark,
        /// Selector from now on.
        new_sel: Selector,
        /// Number from now on.
        new_reqid: u32,
        /// How it is moved.
        flags: MigrateFlags,
        /// Family from now on.
        new_family: Family,
        /// Nothing; must be zero.
        reserved: u16,
    }
}

record! {
    /// What happens to packets that no policy is for.
    pub DefaultPolicy, "xfrm_userpolicy_default", "" {
        /// To those that come in (`in` in C).
        in_: DefaultAction,
        /// To those that are forwarded.
        fwd: DefaultAction,
        /// To those that are sent.
        out: DefaultAction,
    }
}

record! {
    /// What messages with counts begin with: one number, which the kernel only sends back.
    pub CountHeader, "", "" {
        /// Anything.
        flags: u32,
    }
}
