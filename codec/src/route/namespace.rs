//! Ids that network namespaces have in one another.

use super::Family;
use crate::{record, space};

record! {
    /// What messages of namespace ids begin with, and what a dump request of any kind may begin with
    /// (`struct rtgenmsg`, include/uapi/linux/rtnetlink.h).
    pub GeneralHeader, "rtgenmsg", "rtgen_" {
        /// `UNSPEC`.
        family: Family,
    }
}

/// Header and attributes of messages of namespace ids.
pub type NamespaceMessage = (GeneralHeader, Namespace);

space! {
    /// A network namespace, as seen from another (include/uapi/linux/net_namespace.h; net/core/net_namespace.c).
    pub Namespace, "NETNSA_" {
        /// Its id; -1 where it has none, or in a request to let the kernel choose.
        NSID: i32 = 1,
        /// A process in it; in requests.
        PID: u32 = 2,
        /// A descriptor of it; in requests.
        FD: u32 = 3,
        /// Ask in this namespace, by its id in the asker's.
        TARGET_NSID: i32 = 4,
        /// Id in the asker's namespace, where another was asked in.
        CURRENT_NSID: i32 = 5,
    }
}
