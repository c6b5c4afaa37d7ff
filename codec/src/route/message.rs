//! m
use super::*;
crate::operations! {
    /// rtnetlink's messages (include/uapi/linux/rtnetlink.h).
    pub Rtm, "RTM_" {
        /// This interface is there, or make or change it.
        NEWLINK: new LinkMessage = 16,
        /// This interface is gone, or delete it.
        DELLINK: delete LinkMessage = 17,
        /// Tell about interfaces.
        GETLINK: get LinkMessage => NEWLINK LinkMessage = 18,
    }
}
