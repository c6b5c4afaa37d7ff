//! What several objects share: address families, MPLS labels.

use crate::table::{Be32, Packed, PackedItems, Value};
use crate::wire::{Error, Payload};

crate::values! {
    /// An address family (include/linux/socket.h), one byte wide as in every fixed header of rtnetlink.
    pub Family(u8), "AF_" {
        UNSPEC = 0,
        UNIX = 1,
        INET = 2,
        AX25 = 3,
        IPX = 4,
        APPLETALK = 5,
        NETROM = 6,
        BRIDGE = 7,
        ATMPVC = 8,
        X25 = 9,
        INET6 = 10,
        ROSE = 11,
        /// Gone from the kernel; the C name is `AF_DECnet`.
        DECNET as "DECnet" = 12,
        SECURITY = 14,
        KEY = 15,
        NETLINK = 16,
        PACKET = 17,
        ATMSVC = 20,
        RDS = 21,
        PPPOX = 24,
        LLC = 26,
        IB = 27,
        MPLS = 28,
        CAN = 29,
        TIPC = 30,
        BLUETOOTH = 31,
        IUCV = 32,
        RXRPC = 33,
        ISDN = 34,
        PHONET = 35,
        IEEE802154 = 36,
        CAIF = 37,
        ALG = 38,
        NFC = 39,
        VSOCK = 40,
        KCM = 41,
        QIPCRTR = 42,
        SMC = 43,
        XDP = 44,
        MCTP = 45,
        /// IPv4 multicast routing (`RTNL_FAMILY_IPMR`).
        IPMR = 128,
        /// IPv6 multicast routing (`RTNL_FAMILY_IP6MR`).
        IP6MR = 129,
    }
}

crate::record! {
    /// One entry of a label stack (include/uapi/linux/mpls.h, RFC 3032).
    ///
    /// ```
    /// use ringlink_codec::route::MplsLabel;
    ///
    /// let stack = [MplsLabel::new(100), MplsLabel::new(200).bottom()];
    /// assert_eq!(stack[0].entry.get(), 0x0006_4000);
    /// assert_eq!(stack[1].entry.get(), 0x000c_8100);
    /// assert!(!stack[0].is_bottom() && stack[1].is_bottom());
    /// ```
    pub MplsLabel, "mpls_label", "" {
        /// Label (20 bits), traffic class (3), bottom of stack (1), time to live (8).
        entry: Be32,
    }
}

impl MplsLabel {
    /// An entry with this label, of which the low 20 bits count, and nothing else set.
    #[must_use]
    pub const fn new(label: u32) -> Self {
        Self { entry: Be32::new((label & 0xf_ffff) << 12) }
    }

    /// The same as the last entry of its stack.
    #[must_use]
    pub const fn bottom(self) -> Self {
        Self { entry: Be32::new(self.entry.get() | 0x100) }
    }

    /// The label, 0 to 1,048,575; those below 16 are reserved.
    #[must_use]
    pub const fn label(self) -> u32 {
        self.entry.get() >> 12
    }

    /// The traffic class, 0 to 7.
    #[must_use]
    pub const fn traffic_class(self) -> u8 {
        (self.entry.get().to_be_bytes()[2] >> 1) & 7
    }

    /// Whether this is the last entry of its stack.
    #[must_use]
    pub const fn is_bottom(self) -> bool {
        self.entry.get() & 0x100 != 0
    }

    /// The time to live; 0 in the kernel's tables, where a packet brings its own.
    #[must_use]
    pub const fn ttl(self) -> u8 {
        self.entry.get().to_be_bytes()[3]
    }

    /// The label stack in an address of the family MPLS.
    ///
    /// # Errors
    ///
    /// If the length is no multiple of four.
    ///
    /// ```
    /// use ringlink_codec::route::MplsLabel;
    /// use ringlink_codec::table::InetAddress;
    ///
    /// let mut stack = MplsLabel::stack(InetAddress(&[0x00, 0x06, 0x41, 0x00]).0)?;
    /// assert_eq!(stack.next().map(MplsLabel::label), Some(100));
    /// # Ok::<(), ringlink_codec::Error>(())
    /// ```
    pub fn stack(bytes: &[u8]) -> Result<PackedItems<'_, Self>, Error> {
        Packed::<Self>::decode(Payload { bytes, offset: 0 }).map_err(|kind| Error::new(kind, 0))
    }
}
