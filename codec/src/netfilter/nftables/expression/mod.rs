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
use crate::table::{Attributes, Choice, Nest, Str, Text};
use crate::wire::Error;
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

/// Makes the table of what goes with each expression, and the expressions as an enum:
/// `expressions! { "cmp" => Cmp, }` is a row of the one and a variant of the other.
macro_rules! expressions {
    ($($name:literal => $space:ident,)*) => {
        choices! {
            /// What goes with an expression, by its name.
            pub ExpressionData, by Sibling 1 {
                $($name => Nest<$space>,)*
            }
        }

        /// An expression, taken apart by its name.
        #[derive(Clone, Copy, Debug)]
        #[non_exhaustive]
        pub enum ExpressionView<'a> {
            $(
                #[doc = concat!("`", $name, "`.")]
                $space(Attributes<'a, $space>),
            )*
            /// One that is a name and nothing else (`notrack`), or that this library does not know.
            Other(Text<'a>),
        }

        impl<'a> ExpressionView<'a> {
            /// Reads an expression. One without a name is [`Other`](Self::Other), with an empty one.
            ///
            /// # Errors
            ///
            /// If the attributes are broken.
            pub fn read(expression: Attributes<'a, Expression>) -> Result<Self, Error> {
                let (name, data) = expression.read((Expression::NAME, Expression::DATA))?;
                let name = name.unwrap_or_default();
                Ok(match (name.as_bytes(), data) {
                    $((found, Some(data)) if found == $name.as_bytes() => Self::$space(Attributes::new(data.payload)),)*
                    _ => Self::Other(name),
                })
            }

            /// Its name.
            #[must_use]
            pub fn name(&self) -> Text<'a> {
                match self {
                    $(Self::$space(_) => Text::new($name),)*
                    Self::Other(name) => *name,
                }
            }
        }
    };
}

expressions! {
    "bitwise" => Bitwise,
    "byteorder" => Byteorder,
    "cmp" => Cmp,
    "connlimit" => Connlimit,
    "counter" => Counter,
    "ct" => Ct,
    "dup" => Dup,
    "dynset" => Dynset,
    "exthdr" => Exthdr,
    "fib" => Fib,
    "flow_offload" => FlowOffload,
    "fwd" => Fwd,
    "hash" => Hash,
    "immediate" => Immediate,
    "inner" => Inner,
    "last" => Last,
    "limit" => Limit,
    "log" => Log,
    "lookup" => Lookup,
    "masq" => Masq,
    "match" => Match,
    "meta" => Meta,
    "nat" => Nat,
    "numgen" => Numgen,
    "objref" => Objref,
    "osf" => Osf,
    "payload" => Payload,
    "queue" => Queue,
    "quota" => Quota,
    "range" => Range,
    "redir" => Redir,
    "reject" => Reject,
    "rt" => Rt,
    "socket" => Socket,
    "synproxy" => Synproxy,
    "target" => Target,
    "tproxy" => Tproxy,
    "tunnel" => Tunnel,
    "xfrm" => Xfrm,
}
