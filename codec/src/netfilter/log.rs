//! Packets told to programs (include/uapi/linux/netfilter/nfnetlink_log.h; net/netfilter/nfnetlink_log.c).

use crate::operations;

operations! {
    /// Messages of the log.
    pub Log, "NFULNL_MSG_", from 0x0400 {}
}
