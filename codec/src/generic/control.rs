//! The controller: which families there are, and what each takes (include/uapi/linux/genetlink.h; net/netlink/genetlink.c).

use super::{Family, GenericHeader};
use crate::reply::PolicyType;
use crate::table::{Indexed, Nest, Str};
use crate::{commands, flags, space};

/// The controller's own family.
pub const CONTROL: Family = Family {
    name: "nlctrl",
    id: 16,
    version: 2,
    requests: Control::OPERATIONS,
    answers: Control::OPERATIONS,
    events: Control::OPERATIONS,
};

/// What commands of the controller carry.
pub type ControlMessage = (GenericHeader, ControlAttribute);

commands! {
    /// Commands of the controller.
    pub Control, "CTRL_CMD_", of CONTROL {
        /// A family is there.
        NEWFAMILY: new ControlMessage = 1,
        /// A family is gone.
        DELFAMILY: delete ControlMessage = 2,
        /// Tell about a family, by name or number, or about all.
        GETFAMILY: get ControlMessage => 1 ControlMessage = 3,
        /// Numbered, but not sent.
        NEWOPS: new ControlMessage = 4,
        /// Numbered, but not sent.
        DELOPS: delete ControlMessage = 5,
        /// Numbered, but not answered.
        GETOPS: get ControlMessage => 4 ControlMessage = 6,
        /// A family has a multicast group more.
        NEWMCAST_GRP: new ControlMessage = 7,
        /// A family has a multicast group less.
        DELMCAST_GRP: delete ControlMessage = 8,
        /// Numbered, but not answered.
        GETMCAST_GRP: get ControlMessage => 7 ControlMessage = 9,
        /// What a family's attributes must be like; dumps only.
        GETPOLICY: get ControlMessage => 10 ControlMessage = 10,
    }
}

space! {
    /// A family, as the controller tells of it.
    pub ControlAttribute, "CTRL_ATTR_" {
        /// Its number.
        FAMILY_ID: u16 = 1,
        /// Its name.
        FAMILY_NAME: Str = 2,
        /// The version it speaks.
        VERSION: u32 = 3,
        /// Bytes of its own header, behind that of generic netlink.
        HDRSIZE: u32 = 4,
        /// Its greatest attribute number; 0 where that is told by command.
        MAXATTR: u32 = 5,
        /// Its commands; the index only counts.
        OPS: Indexed<Nest<ControlOperation>> = 6,
        /// Its multicast groups; the index only counts.
        MCAST_GROUPS: Indexed<Nest<ControlGroup>> = 7,
        /// What attributes must be like: by index of a policy, by number of an attribute.
        POLICY: Indexed<Indexed<Nest<PolicyType>>> = 8,
        /// Which policy a command has, by its number.
        OP_POLICY: Indexed<Nest<ControlPolicy>> = 9,
        /// In a question for policies: of this command alone.
        OP: u32 = 10,
    }
}

space! {
    /// A command of a family.
    pub ControlOperation, "CTRL_ATTR_OP_" {
        /// Its number.
        ID: u32 = 1,
        /// What it can do and takes.
        FLAGS: ControlFlags = 2,
    }
}

flags! {
    /// What a command can do and takes.
    pub ControlFlags(u32), "GENL_" {
        /// It takes `CAP_NET_ADMIN`.
        ADMIN_PERM = 0x1,
        /// It can be asked for one answer, or for a change.
        CMD_CAP_DO = 0x2,
        /// It can be asked for all.
        CMD_CAP_DUMP = 0x4,
        /// Its attributes are checked.
        CMD_CAP_HASPOL = 0x8,
        /// It takes `CAP_NET_ADMIN` in the user namespace of its network namespace.
        UNS_ADMIN_PERM = 0x10,
    }
}

space! {
    /// A multicast group of a family.
    pub ControlGroup, "CTRL_ATTR_MCAST_GRP_" {
        /// Its name.
        NAME: Str = 1,
        /// Its number, to be joined by.
        ID: u32 = 2,
    }
}

space! {
    /// The policies of a command, by their indexes.
    pub ControlPolicy, "CTRL_ATTR_POLICY_" {
        /// Of a question for one answer, or of a change.
        DO: u32 = 1,
        /// Of a question for all.
        DUMP: u32 = 2,
    }
}
