//! Media redundancy of a bridge (MRP, IEC 62439-2; include/uapi/linux/if_bridge.h, mrp_bridge.h).
//!
//! Requests set one thing each; [`BridgeMrp::INFO`] tells all of it, a nest for each ring.

use crate::table::{Many, Nest};
use crate::{space, values};

space! {
    /// Media redundancy of a bridge.
    pub BridgeMrp, "IFLA_BRIDGE_MRP_" {
        /// Make or delete a ring.
        INSTANCE: Nest<MrpInstance> = 1,
        /// Set a port's state.
        PORT_STATE: Nest<MrpPortStateChange> = 2,
        /// Set a port's role.
        PORT_ROLE: Nest<MrpPortRoleChange> = 3,
        /// Set a ring's state.
        RING_STATE: Nest<MrpRingStateChange> = 4,
        /// Set the bridge's role in a ring.
        RING_ROLE: Nest<MrpRingRoleChange> = 5,
        /// Send test packets around the ring.
        START_TEST: Nest<MrpStartTest> = 6,
        /// What is known of one ring.
        INFO: Many<Nest<MrpInfo>> = 7,
        /// Set the bridge's role in an interconnection.
        IN_ROLE: Nest<MrpInRoleChange> = 8,
        /// Set an interconnection's state.
        IN_STATE: Nest<MrpInStateChange> = 9,
        /// Send test packets over the interconnection.
        START_IN_TEST: Nest<MrpStartInTest> = 10,
    }
}

space! {
    /// A ring, to make or delete.
    pub MrpInstance, "IFLA_BRIDGE_MRP_INSTANCE_" {
        /// Number of the ring.
        RING_ID: u32 = 1,
        /// Index of the primary port.
        P_IFINDEX: u32 = 2,
        /// Index of the secondary port.
        S_IFINDEX: u32 = 3,
        /// Priority to manage the ring, lower is better; 0x8000 where nothing is said.
        PRIO: u16 = 4,
    }
}

space! {
    /// State of a port, to set.
    pub MrpPortStateChange, "IFLA_BRIDGE_MRP_PORT_STATE_" {
        /// The state.
        STATE: MrpPortState = 1,
    }
}

space! {
    /// Role of a port, to set.
    pub MrpPortRoleChange, "IFLA_BRIDGE_MRP_PORT_ROLE_" {
        /// The role.
        ROLE: MrpPortRole = 1,
    }
}

space! {
    /// State of a ring, to set.
    pub MrpRingStateChange, "IFLA_BRIDGE_MRP_RING_STATE_" {
        /// Number of the ring.
        RING_ID: u32 = 1,
        /// The state.
        STATE: MrpState = 2,
    }
}

space! {
    /// Role in a ring, to set.
    pub MrpRingRoleChange, "IFLA_BRIDGE_MRP_RING_ROLE_" {
        /// Number of the ring.
        RING_ID: u32 = 1,
        /// The role.
        ROLE: MrpRingRole = 2,
    }
}

space! {
    /// Test packets to send around a ring.
    pub MrpStartTest, "IFLA_BRIDGE_MRP_START_TEST_" {
        /// Number of the ring.
        RING_ID: u32 = 1,
        /// Time between packets, in microseconds; 0 stops.
        INTERVAL: u32 = 2,
        /// How many may be lost before the ring counts as open.
        MAX_MISS: u32 = 3,
        /// For how long, in microseconds.
        PERIOD: u32 = 4,
        /// 1: watch for them only, do not send.
        MONITOR: u32 = 5,
    }
}

space! {
    /// What is known of a ring.
    pub MrpInfo, "IFLA_BRIDGE_MRP_INFO_" {
        /// Number of the ring.
        RING_ID: u32 = 1,
        /// Index of the primary port.
        P_IFINDEX: u32 = 2,
        /// Index of the secondary port.
        S_IFINDEX: u32 = 3,
        /// Priority to manage the ring.
        PRIO: u16 = 4,
        /// State of the ring.
        RING_STATE: MrpState = 5,
        /// Role in the ring.
        RING_ROLE: MrpRingRole = 6,
        /// Time between test packets, in microseconds.
        TEST_INTERVAL: u32 = 7,
        /// How many test packets may be lost.
        TEST_MAX_MISS: u32 = 8,
        /// 1: test packets are watched for only.
        TEST_MONITOR: u32 = 9,
        /// Index of the port towards the other ring.
        I_IFINDEX: u32 = 10,
        /// State of the interconnection.
        IN_STATE: MrpState = 11,
        /// Role in the interconnection.
        IN_ROLE: MrpInRole = 12,
        /// Time between its test packets, in microseconds.
        IN_TEST_INTERVAL: u32 = 13,
        /// How many of its test packets may be lost.
        IN_TEST_MAX_MISS: u32 = 14,
    }
}

space! {
    /// Role in an interconnection, to set.
    pub MrpInRoleChange, "IFLA_BRIDGE_MRP_IN_ROLE_" {
        /// Number of the ring.
        RING_ID: u32 = 1,
        /// Number of the interconnection.
        IN_ID: u16 = 2,
        /// The role.
        ROLE: MrpInRole = 3,
        /// Index of the port towards the other ring.
        I_IFINDEX: u32 = 4,
    }
}

space! {
    /// State of an interconnection, to set.
    pub MrpInStateChange, "IFLA_BRIDGE_MRP_IN_STATE_" {
        /// Number of the interconnection.
        IN_ID: u32 = 1,
        /// The state.
        STATE: MrpState = 2,
    }
}

space! {
    /// Test packets to send over an interconnection.
    pub MrpStartInTest, "IFLA_BRIDGE_MRP_START_IN_TEST_" {
        /// Number of the interconnection.
        IN_ID: u32 = 1,
        /// Time between packets, in microseconds; 0 stops.
        INTERVAL: u32 = 2,
        /// How many may be lost before it counts as open.
        MAX_MISS: u32 = 3,
        /// For how long, in microseconds.
        PERIOD: u32 = 4,
    }
}

values! {
    /// State of a ring (`BR_MRP_RING_STATE_`) or of an interconnection (`BR_MRP_IN_STATE_`).
    pub MrpState(u32), "BR_MRP_RING_STATE_" {
        /// Broken somewhere: every port forwards.
        OPEN = 0,
        /// Whole: one port blocks.
        CLOSED = 1,
    }
}

values! {
    /// State of a port of a ring.
    pub MrpPortState(u32), "BR_MRP_PORT_STATE_" {
        DISABLED = 0,
        BLOCKED = 1,
        FORWARDING = 2,
        NOT_CONNECTED = 3,
    }
}

values! {
    /// Role of a port.
    pub MrpPortRole(u32), "BR_MRP_PORT_ROLE_" {
        PRIMARY = 0,
        SECONDARY = 1,
        /// Towards the other ring.
        INTER = 2,
    }
}

values! {
    /// Role of a bridge in a ring.
    pub MrpRingRole(u32), "BR_MRP_RING_ROLE_" {
        DISABLED = 0,
        /// Client.
        MRC = 1,
        /// Manager.
        MRM = 2,
        /// Manager if it wins, else client.
        MRA = 3,
    }
}

values! {
    /// Role of a bridge in an interconnection.
    pub MrpInRole(u32), "BR_MRP_IN_ROLE_" {
        DISABLED = 0,
        /// Client.
        MIC = 1,
        /// Manager.
        MIM = 2,
    }
}
