//! Connectivity fault management of a bridge (CFM, IEEE 802.1Q clause 18 and following, ITU-T G.8013;
//! include/uapi/linux/if_bridge.h, cfm_bridge.h).
//!
//! An endpoint (MEP) sends and expects continuity check messages (CCM). The first eight attributes of [`BridgeCfm`] are
//! requests, those that end in `INFO` tell the same.

use crate::table::{Hardware, Many, Nest};
use crate::{space, values};

space! {
    /// Connectivity fault management of a bridge.
    pub BridgeCfm, "IFLA_BRIDGE_CFM_" {
        /// Make an endpoint.
        MEP_CREATE: Nest<CfmMepCreate> = 1,
        /// Delete an endpoint.
        MEP_DELETE: Nest<CfmMepDelete> = 2,
        /// Set up an endpoint.
        MEP_CONFIG: Nest<CfmMepConfig> = 3,
        /// Set up continuity checks.
        CC_CONFIG: Nest<CfmCcConfig> = 4,
        /// Expect a peer.
        CC_PEER_MEP_ADD: Nest<CfmCcPeerMep> = 5,
        /// Expect a peer no longer.
        CC_PEER_MEP_REMOVE: Nest<CfmCcPeerMep> = 6,
        /// Tell peers of a defect, or no longer.
        CC_RDI: Nest<CfmCcRdi> = 7,
        /// Send continuity check messages.
        CC_CCM_TX: Nest<CfmCcCcmTx> = 8,
        /// An endpoint.
        MEP_CREATE_INFO: Many<Nest<CfmMepCreate>> = 9,
        /// How an endpoint is set up.
        MEP_CONFIG_INFO: Many<Nest<CfmMepConfig>> = 10,
        /// How an endpoint's continuity checks are set up.
        CC_CONFIG_INFO: Many<Nest<CfmCcConfig>> = 11,
        /// Whether an endpoint tells its peers of a defect.
        CC_RDI_INFO: Many<Nest<CfmCcRdi>> = 12,
        /// What an endpoint sends.
        CC_CCM_TX_INFO: Many<Nest<CfmCcCcmTx>> = 13,
        /// A peer that is expected.
        CC_PEER_MEP_INFO: Many<Nest<CfmCcPeerMep>> = 14,
        /// What an endpoint saw.
        MEP_STATUS_INFO: Many<Nest<CfmMepStatus>> = 15,
        /// What was heard of a peer.
        CC_PEER_STATUS_INFO: Many<Nest<CfmCcPeerStatus>> = 16,
    }
}

space! {
    /// An endpoint.
    pub CfmMepCreate, "IFLA_BRIDGE_CFM_MEP_CREATE_" {
        /// Its number on this bridge.
        INSTANCE: u32 = 1,
        /// What it watches.
        DOMAIN: CfmDomain = 2,
        /// Which way it looks.
        DIRECTION: CfmDirection = 3,
        /// Index of the port it stands on.
        IFINDEX: u32 = 4,
    }
}

space! {
    /// An endpoint to delete.
    pub CfmMepDelete, "IFLA_BRIDGE_CFM_MEP_DELETE_" {
        /// Its number on this bridge.
        INSTANCE: u32 = 1,
    }
}

space! {
    /// How an endpoint is set up.
    pub CfmMepConfig, "IFLA_BRIDGE_CFM_MEP_CONFIG_" {
        /// Its number on this bridge.
        INSTANCE: u32 = 1,
        /// Its hardware address.
        UNICAST_MAC: Hardware = 2,
        /// Its level, 0 to 7.
        MDLEVEL: u32 = 3,
        /// Its id in the domain, up to 8191.
        MEPID: u32 = 4,
    }
}

space! {
    /// How an endpoint's continuity checks are set up.
    pub CfmCcConfig, "IFLA_BRIDGE_CFM_CC_CONFIG_" {
        /// The endpoint's number.
        INSTANCE: u32 = 1,
        /// 1 on, 0 off.
        ENABLE: u32 = 2,
        /// How often messages are expected.
        EXP_INTERVAL: CfmInterval = 3,
        /// Id of the association that is expected (MAID).
        EXP_MAID: [u8; 48] = 4,
    }
}

space! {
    /// A peer to expect.
    pub CfmCcPeerMep, "IFLA_BRIDGE_CFM_CC_PEER_" {
        /// The endpoint's number.
        MEP_INSTANCE: u32 = 1,
        /// The peer's id in the domain, up to 8191.
        MEPID: u32 = 2,
    }
}

space! {
    /// Whether an endpoint tells its peers of a defect.
    pub CfmCcRdi, "IFLA_BRIDGE_CFM_CC_RDI_" {
        /// The endpoint's number.
        INSTANCE: u32 = 1,
        /// 1: it does.
        RDI: u32 = 2,
    }
}

space! {
    /// What an endpoint sends.
    pub CfmCcCcmTx, "IFLA_BRIDGE_CFM_CC_CCM_TX_" {
        /// The endpoint's number.
        INSTANCE: u32 = 1,
        /// Hardware address it sends to.
        DMAC: Hardware = 2,
        /// 1: messages are numbered.
        SEQ_NO_UPDATE: u32 = 3,
        /// For how long, in seconds; 0 stops.
        PERIOD: u32 = 4,
        /// 1: messages tell the interface's state.
        IF_TLV: u32 = 5,
        /// That state.
        IF_TLV_VALUE: u8 = 6,
        /// 1: messages tell the port's state.
        PORT_TLV: u32 = 7,
        /// That state.
        PORT_TLV_VALUE: u8 = 8,
    }
}

space! {
    /// What an endpoint saw since it was last asked.
    pub CfmMepStatus, "IFLA_BRIDGE_CFM_MEP_STATUS_" {
        /// The endpoint's number.
        INSTANCE: u32 = 1,
        /// 1: an opcode that it does not know.
        OPCODE_UNEXP_SEEN: u32 = 2,
        /// 1: a version that it does not know.
        VERSION_UNEXP_SEEN: u32 = 3,
        /// 1: a level below its own.
        RX_LEVEL_LOW_SEEN: u32 = 4,
    }
}

space! {
    /// What was heard of a peer.
    pub CfmCcPeerStatus, "IFLA_BRIDGE_CFM_CC_PEER_STATUS_" {
        /// The endpoint's number.
        INSTANCE: u32 = 1,
        /// The peer's id in the domain.
        PEER_MEPID: u32 = 2,
        /// 1: its messages stay away.
        CCM_DEFECT: u32 = 3,
        /// 1: it tells of a defect.
        RDI: u32 = 4,
        /// Its port's state.
        PORT_TLV_VALUE: u8 = 5,
        /// Its interface's state.
        IF_TLV_VALUE: u8 = 6,
        /// 1: a message came since this was last asked.
        SEEN: u32 = 7,
        /// 1: a state came since this was last asked.
        TLV_SEEN: u32 = 8,
        /// 1: a number out of order came since this was last asked.
        SEQ_UNEXP_SEEN: u32 = 9,
    }
}

values! {
    /// What an endpoint watches.
    pub CfmDomain(u32), "BR_CFM_" {
        PORT = 0,
        VLAN = 1,
    }
}

values! {
    /// Which way an endpoint looks.
    pub CfmDirection(u32), "BR_CFM_MEP_DIRECTION_" {
        /// Out of the port.
        DOWN = 0,
        /// Into the bridge.
        UP = 1,
    }
}

values! {
    /// How often continuity check messages are sent.
    pub CfmInterval(u32), "BR_CFM_CCM_INTERVAL_" {
        NONE = 0,
        /// 300 a second.
        _3_3_MS as "3_3_MS" = 1,
        _10_MS as "10_MS" = 2,
        _100_MS as "100_MS" = 3,
        _1_SEC as "1_SEC" = 4,
        _10_SEC as "10_SEC" = 5,
        _1_MIN as "1_MIN" = 6,
        _10_MIN as "10_MIN" = 7,
    }
}
