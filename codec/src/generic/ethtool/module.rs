//! Modules that are plugged into a port.

use super::Header;
use crate::table::{Bytes, Nest, Str, Uint};
use crate::{space, values};

space! {
    /// A page of a module's memory.
    pub ModuleMemory, "ETHTOOL_A_MODULE_EEPROM_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// Where to begin, in bytes.
        OFFSET: u32 = 2,
        /// How many bytes, at most 128.
        LENGTH: u32 = 3,
        /// Which page.
        PAGE: u8 = 4,
        /// Which bank.
        BANK: u8 = 5,
        /// Address of the memory, 0x50 or 0x51.
        I2C_ADDRESS: u8 = 6,
        /// The bytes.
        DATA: Bytes = 7,
    }
}

space! {
    /// A module's power.
    pub Module, "ETHTOOL_A_MODULE_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// When it has much.
        POWER_MODE_POLICY: ModulePowerPolicy = 2,
        /// Whether it has much.
        POWER_MODE: ModulePower = 3,
    }
}

values! {
    /// When a module has much power.
    pub ModulePowerPolicy(u8), "ETHTOOL_MODULE_POWER_MODE_POLICY_" {
        /// Always.
        HIGH = 1,
        /// While a port of it is up.
        AUTO = 2,
    }
}

values! {
    /// Whether a module has much power.
    pub ModulePower(u8), "ETHTOOL_MODULE_POWER_MODE_" {
        LOW = 1,
        HIGH = 2,
    }
}

space! {
    /// New firmware for a module (Linux 6.11).
    pub ModuleFirmware, "ETHTOOL_A_MODULE_FW_FLASH_" {
        /// Which device.
        HEADER: Nest<Header> = 1,
        /// File with the firmware, below the kernel's folder for that.
        FILE_NAME: Str = 2,
        /// The module's password.
        PASSWORD: u32 = 3,
        /// How it goes.
        STATUS: ModuleFirmwareStatus = 4,
        /// More about it.
        STATUS_MSG: Str = 5,
        /// Bytes written.
        DONE: Uint = 6,
        /// Bytes to be written.
        TOTAL: Uint = 7,
    }
}

values! {
    /// How writing firmware goes.
    pub ModuleFirmwareStatus(u32), "ETHTOOL_MODULE_FW_FLASH_STATUS_" {
        STARTED = 1,
        IN_PROGRESS = 2,
        COMPLETED = 3,
        ERROR = 4,
    }
}
