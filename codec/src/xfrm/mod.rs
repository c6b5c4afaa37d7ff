//! IPsec: states, which say how packets are protected, and policies, which say what packets (`NETLINK_XFRM`,
//! include/uapi/linux/xfrm.h; net/xfrm/xfrm_user.c).
//!
//! All messages share one space of attributes, [`Xfrma`]. Keys are [`Keyed`]: an algorithm's struct,
//! then bytes that neither `Debug` nor the printer shows unless asked to. A notification that something is gone begins with
//! what names it; the rest stands in [`Xfrma::SA`] or [`Xfrma::POLICY`], and [`StateView`] and [`PolicyView`] read both.
//!
//! Six structs are 4 to 8 bytes shorter on 32-bit x86. Those of this machine are here; [`wide`] and [`narrow`] have both.
//!
//! ```
//! use std::net::IpAddr;
//!
//! use ringlink_codec::prelude::*;
//! use ringlink_codec::table::{Be32, SecretBytes};
//! use ringlink_codec::xfrm::*;
//!
//! let (here, there) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([192, 0, 2, 2]));
//! let id = Id { daddr: there.into(), spi: Be32::new(0x100), proto: Protocol::ESP, ..Id::default() };
//! let state = StateInfo {
//!     id,
//!     saddr: here.into(),
//!     lft: LifetimeLimits::FOREVER,
//!     family: Family::INET,
//!     mode: Mode::TUNNEL,
//!     ..StateInfo::default()
//! };
//! let mut buffer = Buffer::<512>::new();
//! let bytes = buffer.message(Xfrm::NEWSA, state, |attributes| {
//!     let key = SecretBytes::new(&[0xab; 20]);
//!     attributes.put(Xfrma::ALG_AEAD, AeadAlgorithm::with("rfc4106(gcm(aes))", key, 128));
//! })?;
//!
//! let view = StateView::read(Message::parse(bytes)?.body(Xfrm::NEWSA)?)?;
//! let (cipher, key) = view.aead.unwrap();
//! assert_eq!((view.destination(), cipher.name.text().to_str()), (Some(there), Some("rfc4106(gcm(aes))")));
//! assert_eq!(format!("{key:?}"), "(20 secret bytes)");
//! buffer.wipe();
//! # Ok::<(), ringlink_codec::Error>(())
//! ```
//!
//! # What is absent
//!
//! `struct xfrm_sec_ctx`, which no message carries. A question for all states begins with its attributes, one for a single
//! state with a struct, under the same number: the printer shows questions as if they were for one.

mod record;
mod value;

mod layout;

mod view;

pub use layout::{narrow, wide};
pub use record::*;
pub use value::*;
pub use view::{PolicyView, StateView};

#[cfg(target_arch = "x86")]
pub use layout::narrow::*;
#[cfg(not(target_arch = "x86"))]
pub use layout::wide::*;

use crate::space;
use crate::table::{Flag, Keyed, Packed, Pad, Prefixed};

space! {
    /// Attributes of all messages but those with counts.
    pub Xfrma, "XFRMA_" {
        /// Digest and its key; with as much of it sent as is usual for it. In answers beside `ALG_AUTH_TRUNC`.
        ALG_AUTH: Keyed<Algorithm> = 1,
        /// Cipher and its key.
        ALG_CRYPT: Keyed<Algorithm> = 2,
        /// Compression, without a key.
        ALG_COMP: Keyed<Algorithm> = 3,
        /// What packets are wrapped in to pass address translators.
        ENCAP: Encap = 4,
        /// States that packets of a policy have to have, the innermost first; at most six.
        TMPL: Packed<Template> = 5,
        /// The state that is gone.
        SA: StateInfo = 6,
        /// The policy that is gone.
        POLICY: PolicyInfo = 7,
        /// Security label.
        SEC_CTX: Prefixed<SecurityContext> = 8,
        /// What a state has lived through.
        LTIME_VAL: Lifetime = 9,
        /// Sequence numbers of 32 bits.
        REPLAY_VAL: ReplayState = 10,
        /// After how many packets the counters are told.
        REPLAY_THRESH: u32 = 11,
        /// After how long the counters are told, in tenths of a second.
        ETIMER_THRESH: u32 = 12,
        /// Source, in questions for one state.
        SRCADDR: Address = 13,
        /// Care-of address of Mobile IPv6.
        COADDR: Address = 14,
        /// When a state was last used, in seconds since 1970; Mobile IPv6 only.
        LASTUSED: u64 = 15,
        /// Which of the tables a policy is in.
        POLICY_TYPE: PolicyType = 16,
        /// Pairs of addresses that move.
        MIGRATE: Packed<Migrate> = 17,
        /// Cipher that authenticates, too, and its key.
        ALG_AEAD: Keyed<AeadAlgorithm> = 18,
        /// Addresses that a key exchange should use after a move.
        KMADDRESS: KeyManagerAddress = 19,
        /// Digest and its key, and how much of it is sent.
        ALG_AUTH_TRUNC: Keyed<AuthAlgorithm> = 20,
        /// What a packet's mark must be.
        MARK: Mark = 21,
        /// Bytes to which packets are padded, so that their lengths tell nothing.
        TFCPAD: u32 = 22,
        /// Sequence numbers of up to 64 bits, and the window.
        REPLAY_ESN_VAL: Prefixed<ReplayStateEsn> = 23,
        /// What else is special about a state.
        SA_EXTRA_FLAGS: ExtraFlags = 24,
        /// Protocol, in questions for all states.
        PROTO: Protocol = 25,
        /// Addresses, in questions for all states.
        ADDRESS_FILTER: AddressFilter = 26,
        /// Nothing.
        PAD: Pad = 27,
        /// A device that takes part.
        OFFLOAD_DEV: Offload = 28,
        /// Mark that packets get (`XFRMA_OUTPUT_MARK` of old).
        SET_MARK: u32 = 29,
        /// Which of its bits are set.
        SET_MARK_MASK: u32 = 30,
        /// Number of the interface of kind `xfrm` that it belongs to.
        IF_ID: u32 = 31,
        /// Seconds between two messages about a peer's new address.
        MTIMER_THRESH: u32 = 32,
        /// Which packets a state is for; since Linux 6.10.
        SA_DIR: StateDirection = 33,
        /// Seconds between packets that keep a translator's mapping; since Linux 6.11.
        NAT_KEEPALIVE_INTERVAL: u32 = 34,
        /// Processor that a state is for; since Linux 6.13.
        SA_PCPU: u32 = 35,
        /// Microseconds after which a missing packet is given up; mode `IPTFS`, since Linux 6.14.
        IPTFS_DROP_TIME: u32 = 36,
        /// Packets that may come out of order.
        IPTFS_REORDER_WINDOW: u16 = 37,
        /// Inner packets are not cut into fragments.
        IPTFS_DONT_FRAG: Flag = 38,
        /// Microseconds that packets wait for others to be sent with.
        IPTFS_INIT_DELAY: u32 = 39,
        /// Bytes that may wait.
        IPTFS_MAX_QSIZE: u32 = 40,
        /// Size of the outer packets; 0 for what the path allows.
        IPTFS_PKT_SIZE: u32 = 41,
    }
}

space! {
    /// How many states there are.
    pub Sad, "XFRMA_SAD_" {
        /// So many.
        CNT: u32 = 1,
        /// Their hash table.
        HINFO: StateHash = 2,
    }
}

space! {
    /// How many policies there are.
    pub Spd, "XFRMA_SPD_" {
        /// So many.
        INFO: PolicyCounts = 1,
        /// Their hash table.
        HINFO: PolicyHash = 2,
        /// From how long prefixes on IPv4 policies are hashed.
        IPV4_HTHRESH: HashThreshold = 3,
        /// From how long prefixes on IPv6 policies are hashed.
        IPV6_HTHRESH: HashThreshold = 4,
    }
}
