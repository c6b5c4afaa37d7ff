//! l
use crate::table::*;
use crate::{record,space,choices};
record! { 
    /// h
    pub LinkHeader, "ifinfomsg", "ifi_" {
        /// f
        family: u8,
        /// p
        pad: u8,
        /// k
        kind: u16,
        /// i
        index: i32,
        /// f
        flags: u32,
        /// c
        change: u32,
    }
}
/// m
pub type LinkMessage = (LinkHeader, Link);
space! { 
    /// Link.
    pub Link, "IFLA_" {
    /// a
     ADDRESS: Hardware = 1,
     /// a
     IFNAME: Str = 3, 
     /// a
     MTU: u32 = 4, 
     /// a
     LINK: u32 = 5, 
     /// a
     LINKINFO: Nest<LinkInfo> = 18, } }
space! { 
    /// Link.
    pub LinkInfo, "IFLA_INFO_" { 
    /// a
     KIND: Str = 1, 
    /// a
     DATA: Choice<LinkData> = 2, } }
choices! { 
    /// Link.
    pub LinkData, by Sibling 1 { "vlan" => Nest<Vlan>, "vxlan" | "foo" => Nest<Vxlan>, } }
space! { 
    /// Link.
    pub Vlan, "IFLA_VLAN_" { 
    /// a
     ID: u16 = 1, 
    /// a
     PROTOCOL: Be16 = 5, } }
space! { 
    /// Link.
    pub Vxlan, "IFLA_VXLAN_" { 
    /// a
     ID: u32 = 1, 
    /// a
     PORT: Be16 = 15, } }
