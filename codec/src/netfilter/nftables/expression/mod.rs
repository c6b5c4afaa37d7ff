//! Expressions: what rules consist of (net/netfilter/nft_*.c).

mod action;
mod count;
mod data;
mod packet;
mod value;

pub use action::{
    Dup, Dynset, DynsetFlags, DynsetOp, FlowOffload, Fwd, Log, LogFlags, LogLevel, Masq, Nat, NatFlags, NatType,
    Objref, Queue, QueueFlags, Redir, Reject, RejectInetCode, RejectType, Synproxy, SynproxyFlags, Tproxy,
};
pub use count::{Connlimit, ConnlimitFlags, Counter, Last, Limit, LimitFlags, LimitType, Quota, QuotaFlags};
pub use data::{Data, Register, Verdict, VerdictCode};
pub use packet::{
    Ct, CtDirection, CtKey, CtState, Exthdr, ExthdrFlags, ExthdrOp, Fib, FibFlags, FibResult, Inner, InnerFlags,
    InnerType, Meta, MetaKey, Osf, OsfFlags, Payload, PayloadBase, PayloadChecksum, PayloadChecksumFlags, Rt, RtKey,
    Socket, SocketKey, Tunnel, TunnelMode, TunnelSubject, Xfrm, XfrmKey,
};
pub use value::{
    Bitwise, BitwiseOp, Byteorder, ByteorderOp, Cmp, CmpOp, Hash, HashType, Immediate, Lookup, LookupFlags, Numgen,
    NumgenType, Range, RangeOp,
};

use super::{Match, Target};
use crate::table::{Choice, Nest, Str};
use crate::{choices, space};

space! {
    /// An expression: one step of a rule.
    pub Expression, "NFTA_EXPR_" {
        /// What it does (`cmp`); what takes no attributes (`notrack`) has nothing else.
        NAME: Str = 1,
        /// What goes with that.
        DATA: Choice<ExpressionData> = 2,
    }
}

choices! {
    /// What goes with an expression, by its name.
    pub ExpressionData, by Sibling 1 {
        "bitwise" => Nest<Bitwise>,
        "byteorder" => Nest<Byteorder>,
        "cmp" => Nest<Cmp>,
        "connlimit" => Nest<Connlimit>,
        "counter" => Nest<Counter>,
        "ct" => Nest<Ct>,
        "dup" => Nest<Dup>,
        "dynset" => Nest<Dynset>,
        "exthdr" => Nest<Exthdr>,
        "fib" => Nest<Fib>,
        "flow_offload" => Nest<FlowOffload>,
        "fwd" => Nest<Fwd>,
        "hash" => Nest<Hash>,
        "immediate" => Nest<Immediate>,
        "inner" => Nest<Inner>,
        "last" => Nest<Last>,
        "limit" => Nest<Limit>,
        "log" => Nest<Log>,
        "lookup" => Nest<Lookup>,
        "masq" => Nest<Masq>,
        "match" => Nest<Match>,
        "meta" => Nest<Meta>,
        "nat" => Nest<Nat>,
        "numgen" => Nest<Numgen>,
        "objref" => Nest<Objref>,
        "osf" => Nest<Osf>,
        "payload" => Nest<Payload>,
        "queue" => Nest<Queue>,
        "quota" => Nest<Quota>,
        "range" => Nest<Range>,
        "redir" => Nest<Redir>,
        "reject" => Nest<Reject>,
        "rt" => Nest<Rt>,
        "socket" => Nest<Socket>,
        "synproxy" => Nest<Synproxy>,
        "target" => Nest<Target>,
        "tproxy" => Nest<Tproxy>,
        "tunnel" => Nest<Tunnel>,
        "xfrm" => Nest<Xfrm>,
    }
}
