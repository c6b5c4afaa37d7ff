//! What ipset says no with: numbers of its own, above the system's.

use core::fmt;

use super::{Change, ChangeMessage, Storage};
use crate::netfilter::Subsystem;
use crate::reply::{Errno, Refusal};
use crate::table::Body;
use crate::values;

// enum ipset_errno
values! {
    /// Why ipset refuses a request, for all types.
    pub IpSetRefusal(u32), "IPSET_ERR_" {
        /// What the numbers begin with.
        PRIVATE = 4096,
        /// The request is not as the protocol has it: an attribute is missing, or does not say its byte order.
        PROTOCOL = 4097,
        /// There is no such type, or not this revision, or not for this family.
        FIND_TYPE = 4098,
        /// There are as many sets as there may be.
        MAX_SETS = 4099,
        /// The set is in use, or being changed.
        BUSY = 4100,
        /// The new name is another set's.
        EXIST_SETNAME2 = 4101,
        /// The sets are of different types.
        TYPE_MISMATCH = 4102,
        /// The entry is there already, or is not there.
        EXIST = 4103,
        /// So many bits cannot count here.
        INVALID_CIDR = 4104,
        /// So many bits cannot count in this set.
        INVALID_NETMASK = 4105,
        /// The type has no such family.
        INVALID_FAMILY = 4106,
        /// The set was made without timeouts.
        TIMEOUT = 4107,
        /// Something refers to the set.
        REFERENCED = 4108,
        /// An IPv4 address is missing.
        IPADDR_IPV4 = 4109,
        /// An IPv6 address is missing.
        IPADDR_IPV6 = 4110,
        /// The set was made without counters.
        COUNTER = 4111,
        /// The set was made without comments.
        COMMENT = 4112,
        /// No bit of the mark counts.
        INVALID_MARKMASK = 4113,
        /// The set was made without marks, priorities and queues.
        SKBINFO = 4114,
        /// What the numbers of the types begin with: [`BitmapRefusal`], [`HashRefusal`], [`ListRefusal`].
        TYPE_SPECIFIC = 4352,
    }
}

// include/uapi/linux/netfilter/ipset/ip_set_bitmap.h
values! {
    /// Why a bitmap refuses.
    pub BitmapRefusal(u32), "IPSET_ERR_" {
        /// The entry is out of the set's range.
        BITMAP_RANGE = 4352,
        /// The range is too large: 65,536 is the most.
        BITMAP_RANGE_SIZE = 4353,
    }
}

// include/uapi/linux/netfilter/ipset/ip_set_hash.h
values! {
    /// Why a hash refuses.
    pub HashRefusal(u32), "IPSET_ERR_" {
        /// It is full.
        HASH_FULL = 4352,
        /// Zero cannot be an entry.
        HASH_ELEM = 4353,
        /// There is no such protocol.
        INVALID_PROTO = 4354,
        /// The protocol is missing.
        MISSING_PROTO = 4355,
        /// Ranges cannot be added here.
        HASH_RANGE_UNSUPPORTED = 4356,
        /// The range is none.
        HASH_RANGE = 4357,
    }
}

// include/uapi/linux/netfilter/ipset/ip_set_list.h
values! {
    /// Why a list refuses.
    pub ListRefusal(u32), "IPSET_ERR_" {
        /// There is no set of this name.
        NAME = 4352,
        /// Lists cannot be in lists.
        LOOP = 4353,
        /// The set beside which it is to stand is missing.
        BEFORE = 4354,
        /// There is no set of the name beside which it is to stand.
        NAMEREF = 4355,
        /// It is full.
        LIST_FULL = 4356,
        /// The set beside which it is to stand is not in the list.
        REF_EXIST = 4357,
    }
}

/// A refusal by its names. The numbers of one type are those of another, so that without the type there may be three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NamedRefusal {
    /// The number.
    pub errno: Errno,
    /// How the set keeps its entries, where that is known.
    pub storage: Option<Storage>,
}

impl NamedRefusal {
    /// A refusal of ipset's own; `None` for one of the system's numbers.
    #[must_use]
    pub fn of(errno: Errno, storage: Option<Storage>) -> Option<Self> {
        (errno.0 >= IpSetRefusal::PRIVATE.0).then_some(Self { errno, storage })
    }
}

impl fmt::Display for NamedRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = self.errno.0;
        let names = match number < IpSetRefusal::TYPE_SPECIFIC.0 {
            true => [IpSetRefusal(number).name(), None, None],
            false => {
                let of =
                    |storage, name: Option<&'static str>| name.filter(|_| self.storage.is_none_or(|is| is == storage));
                [
                    of(Storage::Hash, HashRefusal(number).name()),
                    of(Storage::Bitmap, BitmapRefusal(number).name()),
                    of(Storage::List, ListRefusal(number).name()),
                ]
            }
        };
        let mut separator = "";
        for name in names.into_iter().flatten() {
            write!(f, "{separator}IPSET_ERR_{name}")?;
            separator = " or ";
        }
        match separator {
            "" => write!(f, "IPSET_ERR_{number}"),
            _ => Ok(()),
        }
    }
}

/// The number of the entry, of many, that the kernel refused: it stands in what the refusal repeats of the request.
/// `None` where it repeats nothing, or what was refused was not one of many.
#[must_use]
pub fn failed_line(refusal: &Refusal<'_>) -> Option<u32> {
    let echo = refusal.echo.filter(|echo| echo.header.kind.0 >> 8 == u16::from(Subsystem::IPSET.0))?;
    let change: Body<'_, ChangeMessage> = Body::of(echo);
    change.attributes.get(Change::LINENO).ok().flatten().filter(|line| *line > 0)
}
