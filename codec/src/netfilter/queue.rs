//! Packets handed to programs for a verdict (include/uapi/linux/netfilter/nfnetlink_queue.h; net/netfilter/nfnetlink_queue.c).

use crate::operations;

operations! {
    /// Messages of queues.
    pub Queue, "NFQNL_MSG_", from 0x0300 {}
}
