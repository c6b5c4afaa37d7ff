//! Commands: what is asked, and what is told, each numbered for itself.

use super::{
    CableEcho, CableEchoEvent, CableTest, CableTestEvent, Channels, Coalesce, Debug, ETHTOOL, Eee, Features, Fec,
    LinkInfo, LinkModes, LinkState, MacMerge, Module, ModuleFirmware, ModuleMemory, Mse, Pause, Phy, Plca,
    PrivateFlags, Pse, PseEvent, Rings, Rss, Statistics, StringSets, TimestampInfo, TimestampSettings, TunnelInfo,
    VirtualClocks, WakeOnLan,
};
use crate::commands;
use crate::generic::GenericHeader;

commands! {
    /// What is asked. Every question can be asked of one device, or of all in a dump; changes take `CAP_NET_ADMIN`.
    pub Request, "ETHTOOL_MSG_", of ETHTOOL {
        /// Tell names.
        STRSET_GET: get (GenericHeader, StringSets) => 1 (GenericHeader, StringSets) = 1,
        /// Tell how a device is connected.
        LINKINFO_GET: get (GenericHeader, LinkInfo) => 2 (GenericHeader, LinkInfo) = 2,
        /// Change how a device is connected.
        LINKINFO_SET: set (GenericHeader, LinkInfo) = 3,
        /// Tell speeds.
        LINKMODES_GET: get (GenericHeader, LinkModes) => 4 (GenericHeader, LinkModes) = 4,
        /// Change speeds.
        LINKMODES_SET: set (GenericHeader, LinkModes) = 5,
        /// Tell whether there is a link.
        LINKSTATE_GET: get (GenericHeader, LinkState) => 6 (GenericHeader, LinkState) = 6,
        /// Tell what the driver logs.
        DEBUG_GET: get (GenericHeader, Debug) => 7 (GenericHeader, Debug) = 7,
        /// Change what the driver logs.
        DEBUG_SET: set (GenericHeader, Debug) = 8,
        /// Tell what wakes the machine up.
        WOL_GET: get (GenericHeader, WakeOnLan) => 9 (GenericHeader, WakeOnLan) = 9,
        /// Change what wakes the machine up.
        WOL_SET: set (GenericHeader, WakeOnLan) = 10,
        /// Tell features.
        FEATURES_GET: get (GenericHeader, Features) => 11 (GenericHeader, Features) = 11,
        /// Change features. The answer says what became of it.
        FEATURES_SET: set (GenericHeader, Features) => 12 (GenericHeader, Features) = 12,
        /// Tell the driver's flags.
        PRIVFLAGS_GET: get (GenericHeader, PrivateFlags) => 14 (GenericHeader, PrivateFlags) = 13,
        /// Change the driver's flags.
        PRIVFLAGS_SET: set (GenericHeader, PrivateFlags) = 14,
        /// Tell rings.
        RINGS_GET: get (GenericHeader, Rings) => 16 (GenericHeader, Rings) = 15,
        /// Change rings.
        RINGS_SET: set (GenericHeader, Rings) = 16,
        /// Tell channels.
        CHANNELS_GET: get (GenericHeader, Channels) => 18 (GenericHeader, Channels) = 17,
        /// Change channels.
        CHANNELS_SET: set (GenericHeader, Channels) = 18,
        /// Tell how long interrupts are put off.
        COALESCE_GET: get (GenericHeader, Coalesce) => 20 (GenericHeader, Coalesce) = 19,
        /// Change how long interrupts are put off.
        COALESCE_SET: set (GenericHeader, Coalesce) = 20,
        /// Tell pause frames.
        PAUSE_GET: get (GenericHeader, Pause) => 22 (GenericHeader, Pause) = 21,
        /// Change pause frames.
        PAUSE_SET: set (GenericHeader, Pause) = 22,
        /// Tell energy efficient Ethernet.
        EEE_GET: get (GenericHeader, Eee) => 24 (GenericHeader, Eee) = 23,
        /// Change energy efficient Ethernet.
        EEE_SET: set (GenericHeader, Eee) = 24,
        /// Tell time stamps.
        TSINFO_GET: get (GenericHeader, TimestampInfo) => 26 (GenericHeader, TimestampInfo) = 25,
        /// Test the cable; what is found comes to group `monitor`.
        CABLE_TEST_ACT: act (GenericHeader, CableTest) = 26,
        /// Measure echoes in the cable; they come to group `monitor`.
        CABLE_TEST_TDR_ACT: act (GenericHeader, CableEcho) = 27,
        /// Tell tunnels.
        TUNNEL_INFO_GET: get (GenericHeader, TunnelInfo) => 29 (GenericHeader, TunnelInfo) = 28,
        /// Tell error correction.
        FEC_GET: get (GenericHeader, Fec) => 30 (GenericHeader, Fec) = 29,
        /// Change error correction.
        FEC_SET: set (GenericHeader, Fec) = 30,
        /// Tell a page of a module's memory.
        MODULE_EEPROM_GET: get (GenericHeader, ModuleMemory) => 32 (GenericHeader, ModuleMemory) = 31,
        /// Tell counters.
        STATS_GET: get (GenericHeader, Statistics) => 33 (GenericHeader, Statistics) = 32,
        /// Tell virtual clocks.
        PHC_VCLOCKS_GET: get (GenericHeader, VirtualClocks) => 34 (GenericHeader, VirtualClocks) = 33,
        /// Tell a module's power.
        MODULE_GET: get (GenericHeader, Module) => 35 (GenericHeader, Module) = 34,
        /// Change a module's power.
        MODULE_SET: set (GenericHeader, Module) = 35,
        /// Tell power given.
        PSE_GET: get (GenericHeader, Pse) => 37 (GenericHeader, Pse) = 36,
        /// Change power given.
        PSE_SET: set (GenericHeader, Pse) = 37,
        /// Tell how packets are spread.
        RSS_GET: get (GenericHeader, Rss) => 38 (GenericHeader, Rss) = 38,
        /// Tell how turns are taken.
        PLCA_GET_CFG: get (GenericHeader, Plca) => 39 (GenericHeader, Plca) = 39,
        /// Change how turns are taken.
        PLCA_SET_CFG: set (GenericHeader, Plca) = 40,
        /// Tell whether turns are taken.
        PLCA_GET_STATUS: get (GenericHeader, Plca) => 40 (GenericHeader, Plca) = 41,
        /// Tell packets in parts.
        MM_GET: get (GenericHeader, MacMerge) => 42 (GenericHeader, MacMerge) = 42,
        /// Change packets in parts.
        MM_SET: set (GenericHeader, MacMerge) = 43,
        /// Write new firmware to a module; how it goes is told to the asker.
        MODULE_FW_FLASH_ACT: act (GenericHeader, ModuleFirmware) = 44,
        /// Tell a PHY.
        PHY_GET: get (GenericHeader, Phy) => 45 (GenericHeader, Phy) = 45,
        /// Tell which packets are stamped.
        TSCONFIG_GET: get (GenericHeader, TimestampSettings) => 47 (GenericHeader, TimestampSettings) = 46,
        /// Change which packets are stamped.
        TSCONFIG_SET: set (GenericHeader, TimestampSettings) => 48 (GenericHeader, TimestampSettings) = 47,
        /// Change how packets are spread.
        RSS_SET: set (GenericHeader, Rss) = 48,
        /// Make one more spreading.
        RSS_CREATE_ACT: new (GenericHeader, Rss) => 51 (GenericHeader, Rss) = 49,
        /// Delete a spreading.
        RSS_DELETE_ACT: delete (GenericHeader, Rss) = 50,
        /// Tell errors of signals.
        MSE_GET: get (GenericHeader, Mse) => 54 (GenericHeader, Mse) = 51,
    }
}

commands! {
    /// What is told: answers to questions, and changes, which come to group `monitor`.
    pub Answer, "ETHTOOL_MSG_", of ETHTOOL {
        /// Names.
        STRSET_GET_REPLY: new (GenericHeader, StringSets) = 1,
        /// How a device is connected.
        LINKINFO_GET_REPLY: new (GenericHeader, LinkInfo) = 2,
        /// What changed of the same.
        LINKINFO_NTF: set (GenericHeader, LinkInfo) = 3,
        /// Speeds.
        LINKMODES_GET_REPLY: new (GenericHeader, LinkModes) = 4,
        /// What changed of the same.
        LINKMODES_NTF: set (GenericHeader, LinkModes) = 5,
        /// Whether there is a link.
        LINKSTATE_GET_REPLY: new (GenericHeader, LinkState) = 6,
        /// What the driver logs.
        DEBUG_GET_REPLY: new (GenericHeader, Debug) = 7,
        /// What changed of the same.
        DEBUG_NTF: set (GenericHeader, Debug) = 8,
        /// What wakes the machine up.
        WOL_GET_REPLY: new (GenericHeader, WakeOnLan) = 9,
        /// What changed of the same.
        WOL_NTF: set (GenericHeader, WakeOnLan) = 10,
        /// Features.
        FEATURES_GET_REPLY: new (GenericHeader, Features) = 11,
        /// What became of a change.
        FEATURES_SET_REPLY: set (GenericHeader, Features) = 12,
        /// What changed of the same.
        FEATURES_NTF: set (GenericHeader, Features) = 13,
        /// The driver's flags.
        PRIVFLAGS_GET_REPLY: new (GenericHeader, PrivateFlags) = 14,
        /// What changed of the same.
        PRIVFLAGS_NTF: set (GenericHeader, PrivateFlags) = 15,
        /// Rings.
        RINGS_GET_REPLY: new (GenericHeader, Rings) = 16,
        /// What changed of the same.
        RINGS_NTF: set (GenericHeader, Rings) = 17,
        /// Channels.
        CHANNELS_GET_REPLY: new (GenericHeader, Channels) = 18,
        /// What changed of the same.
        CHANNELS_NTF: set (GenericHeader, Channels) = 19,
        /// How long interrupts are put off.
        COALESCE_GET_REPLY: new (GenericHeader, Coalesce) = 20,
        /// What changed of the same.
        COALESCE_NTF: set (GenericHeader, Coalesce) = 21,
        /// Pause frames.
        PAUSE_GET_REPLY: new (GenericHeader, Pause) = 22,
        /// What changed of the same.
        PAUSE_NTF: set (GenericHeader, Pause) = 23,
        /// Energy efficient Ethernet.
        EEE_GET_REPLY: new (GenericHeader, Eee) = 24,
        /// What changed of the same.
        EEE_NTF: set (GenericHeader, Eee) = 25,
        /// Time stamps.
        TSINFO_GET_REPLY: new (GenericHeader, TimestampInfo) = 26,
        /// How a test of a cable goes.
        CABLE_TEST_NTF: act (GenericHeader, CableTestEvent) = 27,
        /// How the measuring of echoes goes.
        CABLE_TEST_TDR_NTF: act (GenericHeader, CableEchoEvent) = 28,
        /// Tunnels.
        TUNNEL_INFO_GET_REPLY: new (GenericHeader, TunnelInfo) = 29,
        /// Error correction.
        FEC_GET_REPLY: new (GenericHeader, Fec) = 30,
        /// What changed of the same.
        FEC_NTF: set (GenericHeader, Fec) = 31,
        /// A page of a module's memory.
        MODULE_EEPROM_GET_REPLY: new (GenericHeader, ModuleMemory) = 32,
        /// Counters.
        STATS_GET_REPLY: new (GenericHeader, Statistics) = 33,
        /// Virtual clocks.
        PHC_VCLOCKS_GET_REPLY: new (GenericHeader, VirtualClocks) = 34,
        /// A module's power.
        MODULE_GET_REPLY: new (GenericHeader, Module) = 35,
        /// What changed of the same.
        MODULE_NTF: set (GenericHeader, Module) = 36,
        /// Power given.
        PSE_GET_REPLY: new (GenericHeader, Pse) = 37,
        /// How packets are spread.
        RSS_GET_REPLY: new (GenericHeader, Rss) = 38,
        /// How turns are taken.
        PLCA_GET_CFG_REPLY: new (GenericHeader, Plca) = 39,
        /// Whether turns are taken.
        PLCA_GET_STATUS_REPLY: new (GenericHeader, Plca) = 40,
        /// What changed of the same.
        PLCA_NTF: set (GenericHeader, Plca) = 41,
        /// Packets in parts.
        MM_GET_REPLY: new (GenericHeader, MacMerge) = 42,
        /// What changed of the same.
        MM_NTF: set (GenericHeader, MacMerge) = 43,
        /// How the writing of firmware goes.
        MODULE_FW_FLASH_NTF: act (GenericHeader, ModuleFirmware) = 44,
        /// A PHY.
        PHY_GET_REPLY: new (GenericHeader, Phy) = 45,
        /// Numbered, but not sent.
        PHY_NTF: set (GenericHeader, Phy) = 46,
        /// Which packets are stamped.
        TSCONFIG_GET_REPLY: new (GenericHeader, TimestampSettings) = 47,
        /// What became of a change.
        TSCONFIG_SET_REPLY: set (GenericHeader, TimestampSettings) = 48,
        /// Something about power that a port gives.
        PSE_NTF: act (GenericHeader, PseEvent) = 49,
        /// What changed of the same.
        RSS_NTF: set (GenericHeader, Rss) = 50,
        /// The spreading that was made.
        RSS_CREATE_ACT_REPLY: new (GenericHeader, Rss) = 51,
        /// A spreading was made.
        RSS_CREATE_NTF: new (GenericHeader, Rss) = 52,
        /// A spreading was deleted.
        RSS_DELETE_NTF: delete (GenericHeader, Rss) = 53,
        /// Errors of signals.
        MSE_GET_REPLY: new (GenericHeader, Mse) = 54,
    }
}
