//! Expressions that do something.

use super::{Expression, Register};
use crate::netfilter::nftables::{ExpressionList, ObjectType};
use crate::table::{Be, Be16, Be32, Be64, Nest, Pad, Str};
use crate::{flags, space, values};

space! {
    /// `dynset`: an element put into a set, or taken out.
    pub Dynset, "NFTA_DYNSET_" {
        /// The set's name.
        SET_NAME: Str = 1,
        /// The set, by its number within the transaction.
        SET_ID: Be32 = 2,
        /// What to do.
        OP: Be<DynsetOp> = 3,
        /// Where the key stands.
        SREG_KEY: Be<Register> = 4,
        /// Where stands what it leads to.
        SREG_DATA: Be<Register> = 5,
        /// How long it stays, in milliseconds.
        TIMEOUT: Be64 = 6,
        /// What the element does.
        EXPR: Nest<Expression> = 7,
        /// Nothing.
        PAD: Pad = 8,
        /// How.
        FLAGS: Be<DynsetFlags> = 9,
        /// What the element does, where that is several things.
        EXPRESSIONS: Nest<ExpressionList> = 10,
    }
}

values! {
    /// What to do with an element.
    pub DynsetOp(u32), "NFT_DYNSET_OP_" {
        /// Put it in if it is not there.
        ADD = 0,
        /// Put it in, or let its time begin anew.
        UPDATE = 1,
        /// Take it out.
        DELETE = 2,
    }
}

flags! {
    /// How an element is put into a set.
    pub DynsetFlags(u32), "NFT_DYNSET_F_" {
        /// The rule goes on if that was not possible.
        INV = 0x1,
        /// It does something.
        EXPR = 0x2,
    }
}

space! {
    /// `flow_offload`: the connection into a flowtable.
    pub FlowOffload, "NFTA_FLOW_" {
        /// Its name.
        TABLE_NAME: Str = 1,
    }
}

space! {
    /// `log`: the packet is told: to the kernel's log, or with a group to programs.
    pub Log, "NFTA_LOG_" {
        /// Group.
        GROUP: Be16 = 1,
        /// What stands before it, up to 127 bytes.
        PREFIX: Str = 2,
        /// How many bytes of the packet programs get.
        SNAPLEN: Be32 = 3,
        /// How many packets are told together.
        QTHRESHOLD: Be16 = 4,
        /// How urgent it is, without a group.
        LEVEL: Be<LogLevel> = 5,
        /// What is told, without a group.
        FLAGS: Be<LogFlags> = 6,
    }
}

values! {
    /// How urgent a line of the log is (syslog(2)).
    pub LogLevel(u32), "NFT_LOGLEVEL_" {
        /// The machine cannot be used.
        EMERG = 0,
        /// Something must be done at once.
        ALERT = 1,
        /// Critical.
        CRIT = 2,
        /// An error.
        ERR = 3,
        /// A warning.
        WARNING = 4,
        /// Worth a look.
        NOTICE = 5,
        /// To know.
        INFO = 6,
        /// For who looks for errors.
        DEBUG = 7,
        /// Not to the log, but to the audit.
        AUDIT = 8,
    }
}

// include/uapi/linux/netfilter/nf_log.h
flags! {
    /// What is told of a packet.
    pub LogFlags(u32), "NF_LOG_" {
        /// TCP's sequence numbers.
        TCPSEQ = 0x1,
        /// TCP's options.
        TCPOPT = 0x2,
        /// IP's options.
        IPOPT = 0x4,
        /// The socket's user.
        UID = 0x8,
        /// Nothing.
        NFLOG = 0x10,
        /// The link layer's header.
        MACDECODE = 0x20,
    }
}

space! {
    /// `queue`: a program decides.
    pub Queue, "NFTA_QUEUE_" {
        /// Which queue, or the first of several.
        NUM: Be16 = 1,
        /// How many queues.
        TOTAL: Be16 = 2,
        /// How.
        FLAGS: Be<QueueFlags> = 3,
        /// Where the queue's number stands.
        SREG_QNUM: Be<Register> = 4,
    }
}

flags! {
    /// How packets go to a program.
    pub QueueFlags(u16), "NFT_QUEUE_FLAG_" {
        /// If no program listens, they go on.
        BYPASS = 0x1,
        /// The processor chooses among the queues.
        CPU_FANOUT = 0x2,
    }
}

space! {
    /// `reject`: thrown away, and the sender told.
    pub Reject, "NFTA_REJECT_" {
        /// How.
        TYPE: Be<RejectType> = 1,
        /// The code: of ICMP or ICMPv6 by the packet's family, or a [`RejectInetCode`].
        ICMP_CODE: u8 = 2,
    }
}

values! {
    /// How a sender is told.
    pub RejectType(u32), "NFT_REJECT_" {
        /// By ICMP.
        ICMP_UNREACH = 0,
        /// By a reset of TCP.
        TCP_RST = 1,
        /// By ICMP or ICMPv6, as the packet is.
        ICMPX_UNREACH = 2,
    }
}

values! {
    /// A code that stands for one of ICMP and one of ICMPv6.
    pub RejectInetCode(u8), "NFT_REJECT_ICMPX_" {
        /// No route.
        NO_ROUTE = 0,
        /// No such port.
        PORT_UNREACH = 1,
        /// No such host.
        HOST_UNREACH = 2,
        /// Forbidden.
        ADMIN_PROHIBITED = 3,
    }
}

space! {
    /// `nat`: another address.
    pub Nat, "NFTA_NAT_" {
        /// Which.
        TYPE: Be<NatType> = 1,
        /// Family of the address (`NFPROTO_*`), in four bytes.
        FAMILY: Be32 = 2,
        /// Where the first address stands.
        REG_ADDR_MIN: Be<Register> = 3,
        /// Where the last address stands.
        REG_ADDR_MAX: Be<Register> = 4,
        /// Where the first port stands.
        REG_PROTO_MIN: Be<Register> = 5,
        /// Where the last port stands.
        REG_PROTO_MAX: Be<Register> = 6,
        /// How.
        FLAGS: Be<NatFlags> = 7,
    }
}

values! {
    /// Which address becomes another one.
    pub NatType(u32), "NFT_NAT_" {
        /// The source.
        SNAT = 0,
        /// The destination.
        DNAT = 1,
    }
}

// include/uapi/linux/netfilter/nf_nat.h
flags! {
    /// How addresses are chosen.
    pub NatFlags(u32), "NF_NAT_RANGE_" {
        /// There are addresses.
        MAP_IPS = 0x1,
        /// There are ports.
        PROTO_SPECIFIED = 0x2,
        /// Ports at random.
        PROTO_RANDOM = 0x4,
        /// The same host gets the same address.
        PERSISTENT = 0x8,
        /// Ports wholly at random.
        PROTO_RANDOM_FULLY = 0x10,
        /// Ports moved as a whole.
        PROTO_OFFSET = 0x20,
        /// Networks mapped, hosts kept.
        NETMAP = 0x40,
    }
}

space! {
    /// `tproxy`: to a socket of this machine, whatever the packet's destination.
    pub Tproxy, "NFTA_TPROXY_" {
        /// Family of the address (`NFPROTO_*`), in four bytes.
        FAMILY: Be32 = 1,
        /// Where the address stands.
        REG_ADDR: Be<Register> = 2,
        /// Where the port stands.
        REG_PORT: Be<Register> = 3,
    }
}

space! {
    /// `masq`: the address of the interface it goes to.
    pub Masq, "NFTA_MASQ_" {
        /// How.
        FLAGS: Be<NatFlags> = 1,
        /// Where the first port stands.
        REG_PROTO_MIN: Be<Register> = 2,
        /// Where the last port stands.
        REG_PROTO_MAX: Be<Register> = 3,
    }
}

space! {
    /// `redir`: to this machine.
    pub Redir, "NFTA_REDIR_" {
        /// Where the first port stands.
        REG_PROTO_MIN: Be<Register> = 1,
        /// Where the last port stands.
        REG_PROTO_MAX: Be<Register> = 2,
        /// How.
        FLAGS: Be<NatFlags> = 3,
    }
}

space! {
    /// `dup`: a copy to somewhere else.
    pub Dup, "NFTA_DUP_" {
        /// Where the address stands.
        SREG_ADDR: Be<Register> = 1,
        /// Where the interface's index stands.
        SREG_DEV: Be<Register> = 2,
    }
}

space! {
    /// `fwd`: out of another interface.
    pub Fwd, "NFTA_FWD_" {
        /// Where the interface's index stands.
        SREG_DEV: Be<Register> = 1,
        /// Where the next hop's address stands.
        SREG_ADDR: Be<Register> = 2,
        /// Family of that (`NFPROTO_*`), in four bytes.
        NFPROTO: Be32 = 3,
    }
}

space! {
    /// `objref`: an object with a name.
    pub Objref, "NFTA_OBJREF_" {
        /// Its type.
        IMM_TYPE: Be<ObjectType> = 1,
        /// Its name.
        IMM_NAME: Str = 2,
        /// Where the key stands that a map leads to the object.
        SET_SREG: Be<Register> = 3,
        /// That map's name.
        SET_NAME: Str = 4,
        /// That map, by its number within the transaction.
        SET_ID: Be32 = 5,
    }
}

space! {
    /// `synproxy`: handshakes answered for a server.
    pub Synproxy, "NFTA_SYNPROXY_" {
        /// Largest segment.
        MSS: Be16 = 1,
        /// Scale of windows.
        WSCALE: u8 = 2,
        /// Which options there are.
        FLAGS: Be<SynproxyFlags> = 3,
    }
}

// include/uapi/linux/netfilter/nf_synproxy.h
flags! {
    /// Options of TCP in a handshake.
    pub SynproxyFlags(u32), "NF_SYNPROXY_OPT_" {
        /// Largest segment.
        MSS = 0x1,
        /// Scale of windows.
        WSCALE = 0x2,
        /// Selective acknowledgements.
        SACK_PERM = 0x4,
        /// Timestamps.
        TIMESTAMP = 0x8,
        /// Explicit congestion notification.
        ECN = 0x10,
    }
}
