//! Fingerprints of operating systems, by their first TCP packet (include/uapi/linux/netfilter/nfnetlink_osf.h;
//! net/netfilter/nfnetlink_osf.c). The kernel takes them and tells none.

use super::NetfilterHeader;
use crate::table::Chars;
use crate::{operations, record, space, values};

operations! {
    /// Messages about fingerprints.
    pub Fingerprints, "OSF_MSG_", from 0x0500 {
        /// Add a fingerprint.
        ADD: new (NetfilterHeader, FingerprintAttributes) = 0,
        /// Remove a fingerprint.
        REMOVE: delete (NetfilterHeader, FingerprintAttributes) = 1,
    }
}

space! {
    /// Attributes of both.
    pub FingerprintAttributes, "OSF_ATTR_" {
        /// The fingerprint.
        FINGER: Fingerprint = 1,
    }
}

record! {
    /// A fingerprint (`struct nf_osf_user_finger`, include/uapi/linux/netfilter/nfnetlink_osf.h).
    pub Fingerprint, "nf_osf_user_finger", "" {
        /// Its window.
        wss: FingerprintNumber,
        /// Time to live.
        ttl: u8,
        /// Whether it must not be fragmented.
        df: u8,
        /// Bytes of the packet.
        ss: u16,
        /// Greatest segment.
        mss: u16,
        /// How many options it has.
        opt_num: u16,
        /// The system (`Linux`).
        genre: Chars<32>,
        /// Its version (`2.4`).
        version: Chars<32>,
        /// What else tells it from others.
        subtype: Chars<32>,
        /// Its options, 40 in C.
        opt: [[FingerprintOption; 20]; 2],
    }
}

record! {
    /// A TCP option of a fingerprint (`struct nf_osf_opt`, include/uapi/linux/netfilter/nfnetlink_osf.h).
    pub FingerprintOption, "nf_osf_opt", "" {
        /// Its number.
        kind: u16,
        /// Its length in bytes.
        length: u16,
        /// Its number, where it has one.
        wc: FingerprintNumber,
    }
}

record! {
    /// A number of a fingerprint (`struct nf_osf_wc`, include/uapi/linux/netfilter/nfnetlink_osf.h).
    pub FingerprintNumber, "nf_osf_wc", "" {
        /// What it is a number of.
        wc: FingerprintUnit,
        /// The number.
        val: u32,
    }
}

// include/uapi/linux/netfilter/nfnetlink_osf.h
values! {
    /// What a number of a fingerprint is a number of.
    pub FingerprintUnit(u32), "OSF_WSS_" {
        /// Itself.
        PLAIN = 0,
        /// Greatest segments.
        MSS = 1,
        /// Largest packets.
        MTU = 2,
        /// What it is a multiple of.
        MODULO = 3,
    }
}
