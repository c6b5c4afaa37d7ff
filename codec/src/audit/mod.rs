//! The audit subsystem: its settings and rules, and the records it writes (`NETLINK_AUDIT`, include/uapi/linux/audit.h;
//! kernel/audit.c, kernel/auditfilter.c).
//!
//! Requests and their answers are structs; a [`Rule`] is one with text behind it. [Records](Record) are text, whose
//! [`Fields`] are read in place, and several of one serial number are one event, which an [`Assembler`] puts together.
//!
//! The length in the header of a record sent to the daemon alone leaves out the header; that of one sent to the multicast
//! group does not. [`Record::parse`] goes by the length of the datagram.
//!
//! ```
//! use ringlink_codec::audit::{Audit, Record, RecordType, Typed};
//! use ringlink_codec::diag::NoAttributes;
//! use ringlink_codec::prelude::*;
//!
//! // Tell me your settings.
//! let mut buffer = Buffer::<16>::new();
//! assert_eq!(buffer.message(Audit::GET, (), |_| {})?.len(), 16);
//!
//! let text = br#"audit(1700000000.123:42): item=0 name="/etc/passwd" inode=7 mode=0100644 nametype=NORMAL"#;
//! let record = Record::of_text(RecordType::PATH, text)?;
//! assert_eq!((record.id.seconds, record.id.milliseconds, record.id.serial), (1_700_000_000, 123, 42));
//! let name = record.field("name").unwrap();
//! assert!(matches!(name.typed(record.kind), Typed::Text(path) if path.to_string() == "/etc/passwd"));
//! assert!(matches!(record.field("mode").unwrap().typed(record.kind), Typed::Octal(0o100644)));
//! # Ok::<(), ringlink_codec::Error>(())
//! ```
//!
//! # What is absent
//!
//! Names of users, system calls and error numbers: they hang on the machine that a record is from.

mod assembler;
mod record;
mod rule;
mod value;

use core::ops::RangeInclusive;

pub use assembler::{Assembler, Event, Records};
pub use record::{EventId, Field, FieldValue, Fields, Record, Typed, Untrusted};
pub use rule::{Condition, ConditionValue, Conditions, Rule, RuleBuilder, Syscalls, keys};
pub use value::*;

use crate::diag::NoAttributes;
use crate::protocol::{Description, Rest, Structs};
use crate::table::{Encode, Fixed, Malformed, Plain, Record as _, Shape, Value, Verb};
use crate::wire::{Message, Payload, Writer};
use crate::{operations, record};

/// The types of records that programs may send, all `CAP_AUDIT_WRITE`.
pub const USER_RECORDS: [RangeInclusive<u16>; 2] = [1100..=1199, 2100..=2999];

/// What separates several keys in one condition [`FILTERKEY`](RuleField::FILTERKEY), as the audit package has it.
pub const KEY_SEPARATOR: u8 = 1;

/// At most so many bytes of text may a key have (`AUDIT_MAX_KEY_LEN`).
pub const MAX_KEY: usize = 256;

/// At most so many conditions may a rule have (`AUDIT_MAX_FIELDS`).
pub const MAX_FIELDS: usize = 64;

operations! {
    /// What is asked and told about settings and rules. Records are in [`RecordType`].
    pub Audit, "AUDIT_" {
        /// The settings.
        GET: get ((), NoAttributes) => GET_ANSWER (Status, NoAttributes) = 1000,
        /// Change settings.
        SET: set (Status, NoAttributes) = 1001,
        /// Rules, in a form that kernels since 2.6.36 refuse.
        LIST: get ((), NoAttributes) = 1002,
        /// A rule, in that form.
        ADD: new ((), NoAttributes) = 1003,
        /// No such rule, in that form.
        DEL: delete ((), NoAttributes) = 1004,
        /// Watch a file; never came about.
        WATCH_INS: new ((), NoAttributes) = 1007,
        /// Watch it no more; never came about.
        WATCH_REM: delete ((), NoAttributes) = 1008,
        /// Files watched; never came about.
        WATCH_LIST: get ((), NoAttributes) = 1009,
        /// Who sent the daemon a signal.
        SIGNAL_INFO: get ((), NoAttributes) => SIGNAL_ANSWER (SignalInfo, NoAttributes) = 1010,
        /// A rule.
        ADD_RULE: new (RuleHeader, NoAttributes) = 1011,
        /// No such rule.
        DEL_RULE: delete (RuleHeader, NoAttributes) = 1012,
        /// All rules, one a message.
        LIST_RULES: get ((), NoAttributes) => LIST_RULES_ANSWER (RuleHeader, NoAttributes) = 1013,
        /// Forget parts of watched trees that are no more.
        TRIM: act ((), NoAttributes) = 1014,
        /// A tree is watched as another one is.
        MAKE_EQUIV: new (EquivalentHeader, NoAttributes) = 1015,
        /// Whether this process's terminal is listened to.
        TTY_GET: get ((), NoAttributes) => TTY_ANSWER (TtyStatus, NoAttributes) = 1016,
        /// Listen to it, or do not.
        TTY_SET: set (TtyStatus, NoAttributes) = 1017,
        /// Switch features.
        SET_FEATURE: set (Features, NoAttributes) = 1018,
        /// Which features are on.
        GET_FEATURE: get ((), NoAttributes) => FEATURE_ANSWER (Features, NoAttributes) = 1019,
    }
}

/// Answers whose type is that of the question.
macro_rules! answers {
    ($($name:ident: $header:ty = $number:literal;)*) => {
        impl Audit {
            $(const $name: crate::table::Operation<($header, NoAttributes)> =
                crate::table::Operation::new($number, $number);)*
        }
    };
}

answers! {
    GET_ANSWER: Status = 1000;
    SIGNAL_ANSWER: SignalInfo = 1010;
    LIST_RULES_ANSWER: RuleHeader = 1013;
    TTY_ANSWER: TtyStatus = 1016;
    FEATURE_ANSWER: Features = 1019;
}

record! {
    /// Settings and counters. A kernel may tell fewer of them, or more.
    pub Status, "audit_status", "" {
        /// In a change: which members count.
        mask: StatusMask,
        /// 0 no audit, 1 audit, 2 audit and nothing can be changed any more.
        enabled: u32,
        /// What is done where a record cannot be kept.
        failure: Failure,
        /// Process that is the daemon; 0 for none.
        pid: u32,
        /// Records a second that are kept at most; 0 for as many as come.
        rate_limit: u32,
        /// Records that wait for the daemon at most; 0 for as many as come.
        backlog_limit: u32,
        /// Records lost.
        lost: u32,
        /// Records that wait.
        backlog: u32,
        /// What this kernel can.
        feature_bitmap: FeatureBitmap,
        /// How long a process waits where the backlog is full, in jiffies.
        backlog_wait_time: u32,
        /// How long all have waited so far, in jiffies; since Linux 5.9.
        backlog_wait_time_actual: u32,
    }
}

record! {
    /// Features, which are on or off and may be locked.
    pub Features, "audit_features", "" {
        /// 1.
        vers: u32,
        /// Which are meant.
        mask: FeatureMask,
        /// Which are on.
        features: FeatureMask,
        /// Which stay as they are until the machine is started anew.
        lock: FeatureMask,
    }
}

record! {
    /// Whether what is typed on a terminal is recorded.
    pub TtyStatus, "audit_tty_status", "" {
        /// Whether it is.
        enabled: u32,
        /// Whether passwords are, too.
        log_passwd: u32,
    }
}

record! {
    /// Who sent the daemon a signal; a security context follows as text (`struct audit_sig_info`, include/linux/audit.h).
    pub SignalInfo, "audit_sig_info", "" {
        /// Login id.
        uid: u32,
        /// Process.
        pid: u32,
        /// Nothing, or the beginning of the context.
        ctx: [u8; 4],
    }
}

record! {
    /// Lengths of the two paths that follow: a tree that is watched, and one that is to be as well.
    pub EquivalentHeader, "", "" {
        /// Bytes of the first.
        old_len: u32,
        /// Bytes of the second.
        new_len: u32,
    }
}

record! {
    /// A rule. The text of its conditions follows, one behind the other, without NULs; [`Rule`] reads all of it.
    pub RuleHeader, "audit_rule_data", "" {
        /// When it is looked at, and whether it stands before others.
        flags: Filter,
        /// What comes of it.
        action: Action,
        /// How many conditions it has.
        field_count: u32,
        /// Which system calls are meant, by a bit each.
        mask: Syscalls,
        /// What each condition looks at.
        fields: Sixty4<RuleField>,
        /// What each looks for; of text, how many bytes it has.
        values: Sixty4<u32>,
        /// How each compares.
        fieldflags: Sixty4<RuleOperator>,
        /// Bytes of text that follow.
        buflen: u32,
    }
}

/// 64 values in a struct.
#[derive(Clone, Copy, PartialEq)]
#[repr(transparent)]
pub struct Sixty4<T>(pub [T; 64]);

impl<T: Default> Default for Sixty4<T> {
    fn default() -> Self {
        Self(core::array::from_fn(|_| T::default()))
    }
}

impl<T: core::fmt::Debug> core::fmt::Debug for Sixty4<T> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

impl<T: Plain> Plain for Sixty4<T> {
    fn take(rest: &mut &[u8]) -> Self {
        Self(Plain::take(rest))
    }

    fn give(self, rest: &mut &mut [u8]) {
        self.0.give(rest);
    }
}

impl<T: Fixed + Plain + 'static> Value for Sixty4<T> {
    type Read<'a> = Self;
    const SHAPE: Shape = <[T; 64] as Value>::SHAPE;

    fn decode(payload: Payload<'_>) -> Result<Self, Malformed> {
        <[T; 64]>::decode(payload).map(Self)
    }
}

impl<T: Fixed + Plain + 'static> Encode<Sixty4<T>> for Sixty4<T> {
    fn encode(self, writer: &mut Writer<'_>) {
        self.0.encode(writer);
    }
}

impl<T: Fixed + Plain + 'static> Fixed for Sixty4<T> {
    const SIZE: usize = size_of::<Self>();
}

/// What the printer and the tools go by.
pub(crate) static STRUCTS: Structs = Structs {
    operations: &[Audit::OPERATIONS],
    shapes: &[
        Status::SHAPE,
        Features::SHAPE,
        TtyStatus::SHAPE,
        SignalInfo::SHAPE,
        EquivalentHeader::SHAPE,
        RuleHeader::SHAPE,
        RecordType::SHAPE,
        Comparison::SHAPE,
        Permissions::SHAPE,
        Architecture::SHAPE,
    ],
    describe,
};

/// What a message is.
fn describe(message: Message<'_>) -> Option<Description> {
    let kind = message.header.kind.0;
    let described = |name, verb, layout, rest| {
        let structs = [Some((0, layout)).filter(|_| !message.payload.is_empty()), None, None];
        Description { name, verb, structs: if rest == Rest::Text { [None; 3] } else { structs }, rest }
    };
    if let Some(row) = Audit::OPERATIONS.row(kind) {
        let layout = match kind {
            1000 => Status::LAYOUT,
            1010 => SignalInfo::LAYOUT,
            1013 => RuleHeader::LAYOUT,
            1016 => TtyStatus::LAYOUT,
            1019 => Features::LAYOUT,
            _ => row.header,
        };
        let rest = if layout.size == 0 { Rest::Text } else { Rest::Bytes };
        let name = row.name.strip_prefix("AUDIT_").unwrap_or(row.name);
        return Some(described(("AUDIT_", name), row.verb, layout, rest));
    }
    let name = RecordType(kind).name().or_else(|| RecordType(kind).is_of_programs().then_some("USER_RECORD"))?;
    Some(described(("AUDIT_", name), Verb::Act, <()>::LAYOUT, Rest::Text))
}
