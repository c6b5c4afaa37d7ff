//! What the kernel's no means, in words.

use ringlink::Error;
use ringlink::codec::netfilter::ipset::{BitmapRefusal, HashRefusal, IpSetRefusal, ListRefusal, NamedRefusal, Storage};
use ringlink::codec::reply::Errno;

use crate::failure::Failure;

/// A refusal of a request about a set.
pub(super) fn of_set(error: Error, name: &str) -> Failure {
    told(error, None, |errno| match errno {
        Errno::NOENT => Some(format!("there is no set `{name}`")),
        Errno::EXIST => Some(format!("there is a set `{name}` already")),
        _ if errno.0 == IpSetRefusal::BUSY.0 || errno.0 == IpSetRefusal::REFERENCED.0 => {
            Some(format!("`{name}`: a rule or another set refers to it"))
        }
        _ => None,
    })
}

/// A refusal to make a set.
pub(super) fn of_new_set(error: Error, name: &str, storage: Storage) -> Failure {
    told(error, Some(storage), |errno| match errno {
        Errno::EXIST => Some(format!(
            "there is a set `{name}` already (`-exist` takes that for done where it is of the same type and options)"
        )),
        _ => None,
    })
}

/// A refusal of a request about two sets, of which the second is to be there, or not to be.
pub(super) fn of_pair(error: Error, one: &str, two: &str, both: bool) -> Failure {
    told(error, None, |errno| match IpSetRefusal(errno.0) {
        _ if errno == Errno::NOENT => Some(format!("there is no set `{one}`")),
        IpSetRefusal::EXIST_SETNAME2 if both => Some(format!("there is no set `{two}`")),
        IpSetRefusal::EXIST_SETNAME2 => Some(format!("there is a set `{two}` already")),
        IpSetRefusal::REFERENCED | IpSetRefusal::BUSY => Some(format!("`{one}`: a rule or another set refers to it")),
        IpSetRefusal::TYPE_MISMATCH => Some(format!("`{one}` and `{two}` are of different types or families")),
        _ => None,
    })
}

/// A refusal of a request about entries; `place` says which.
pub(super) fn of_entry(error: Error, set: &str, storage: Storage, adds: bool, place: &str) -> Failure {
    let at = format!("{place}: ");
    told(error, Some(storage), |errno| {
        let text = match IpSetRefusal(errno.0) {
            _ if errno == Errno::NOENT => return Some(format!("there is no set `{set}`")),
            IpSetRefusal::EXIST if adds => "it is in the set already (`-exist` takes that for done)",
            IpSetRefusal::EXIST => "it is not in the set (`-exist` takes that for done)",
            _ => return words(errno, Some(storage)).map(|text| format!("{at}{text}")),
        };
        Some(format!("{at}{text}"))
    })
}

/// A refusal in words, those of `own` first. Without any, the library's; a missing privilege has its own advice.
pub(super) fn told(error: Error, storage: Option<Storage>, own: impl Fn(Errno) -> Option<String>) -> Failure {
    let Some(refused) = error.refused().filter(|_| !error.is_permission()) else { return error.into() };
    let errno = refused.errno;
    let Some(text) = own(errno).or_else(|| words(errno, storage)) else { return error.into() };
    let name = match (NamedRefusal::of(errno, storage), errno.name()) {
        (Some(named), _) => named.to_string(),
        (None, Some(name)) => format!("E{name}"),
        (None, None) => errno.to_string(),
    };
    Failure::Kernel(format!("{} refused ({name}): {text}", refused.request))
}

/// What a number of ipset's own means.
fn words(errno: Errno, storage: Option<Storage>) -> Option<String> {
    let number = errno.0;
    let text = match (IpSetRefusal(number), storage) {
        (IpSetRefusal::PROTOCOL, _) => {
            "the kernel takes the request for malformed: an attribute is missing or not one there"
        }
        (IpSetRefusal::FIND_TYPE, _) => "this kernel has no such type of sets",
        (IpSetRefusal::MAX_SETS, _) => "there are as many sets as the kernel takes",
        (IpSetRefusal::BUSY, _) => "the set is in use or being changed",
        (IpSetRefusal::REFERENCED, _) => "something refers to the set",
        (IpSetRefusal::INVALID_CIDR, _) => "so many bits cannot count here",
        (IpSetRefusal::INVALID_NETMASK, _) => "the netmask or bitmask is not one for this set",
        (IpSetRefusal::INVALID_FAMILY, _) => "the type has no sets of this family",
        (IpSetRefusal::TIMEOUT, _) => "the set was created without `timeout`",
        (IpSetRefusal::IPADDR_IPV4, _) => "an IPv4 address is missing",
        (IpSetRefusal::IPADDR_IPV6, _) => "an IPv6 address is missing",
        (IpSetRefusal::COUNTER, _) => "the set was created without `counters`",
        (IpSetRefusal::COMMENT, _) => "the set was created without `comment`",
        (IpSetRefusal::INVALID_MARKMASK, _) => "a markmask of 0 lets nothing count",
        (IpSetRefusal::SKBINFO, _) => "the set was created without `skbinfo`",
        (_, Some(Storage::Bitmap)) => match BitmapRefusal(number) {
            BitmapRefusal::BITMAP_RANGE => "it is out of the set's range",
            BitmapRefusal::BITMAP_RANGE_SIZE => "the range is too large: 65536 is the most",
            _ => return None,
        },
        (_, Some(Storage::Hash)) => match HashRefusal(number) {
            HashRefusal::HASH_FULL => "the set is full (`maxelem`)",
            HashRefusal::HASH_ELEM => "zero cannot be an entry of a hash",
            HashRefusal::INVALID_PROTO => "it cannot be of this protocol",
            HashRefusal::MISSING_PROTO => "the protocol is missing",
            HashRefusal::HASH_RANGE_UNSUPPORTED => "ranges cannot be added here",
            HashRefusal::HASH_RANGE => "the range is none, or too large",
            _ => return None,
        },
        (_, Some(Storage::List)) => match ListRefusal(number) {
            ListRefusal::NAME => "there is no set of this name",
            ListRefusal::LOOP => "a list of sets cannot be in a list of sets",
            ListRefusal::BEFORE => "the set beside which it is to stand is missing",
            ListRefusal::NAMEREF => "there is no set of the name beside which it is to stand",
            ListRefusal::LIST_FULL => "the list is full (`size`)",
            ListRefusal::REF_EXIST => "the set beside which it is to stand is not in the list, or it stands elsewhere",
            _ => return None,
        },
        _ => return None,
    };
    Some(text.to_owned())
}
