//! Structs with 64-bit numbers whose size hangs on how those are aligned, and the messages that begin with them.
//!
//! A kernel speaks to each process in the process's own layout. All that differs is the padding at the structs' ends, so
//! the fields stand here once, and the macro `sized!` is given the padding.

/// `sized! { state: 7, policy: 4, end: 7, packed: 8 }` makes the structs with these many bytes of padding, aligned to at most
/// this, and the messages.
macro_rules! sized {
    (state: $state:literal, policy: $policy:literal, end: $end:literal, packed: $packed:literal) => {
        use crate::table::Operation;
        use crate::xfrm::*;
        use crate::{operations, record};

        record! {
            /// A state: how packets between two hosts are protected.
            #[repr(packed($packed))]
            pub StateInfo, "xfrm_usersa_info", "" {
                /// Packets within that it is for.
                sel: Selector,
                /// What names it.
                id: Id,
                /// Source of the outer packet.
                saddr: Address,
                /// How long it lives.
                lft: LifetimeLimits,
                /// What it has lived through.
                curlft: Lifetime,
                /// Packets that were refused.
                stats: StateErrors,
                /// Number of the request that it answers.
                seq: u32,
                /// Number that policies' templates ask for.
                reqid: u32,
                /// Family of the outer addresses.
                family: Family,
                /// What of a packet is protected.
                mode: Mode,
                /// Packets that may be late, up to 255; with [`Xfrma::REPLAY_ESN_VAL`] it is there.
                replay_window: u8,
                /// What is special about it.
                flags: StateFlags,
                /// Nothing.
                pad: [u8; $state],
            }
        }

        record! {
            /// A policy: what happens to packets.
            #[repr(packed($packed))]
            pub PolicyInfo, "xfrm_userpolicy_info", "" {
                /// Packets that it is for.
                sel: Selector,
                /// How long it lives.
                lft: LifetimeLimits,
                /// What it has lived through.
                curlft: Lifetime,
                /// Of several that match, the lowest counts.
                priority: u32,
                /// Number that the kernel gave it; its low three bits are the direction.
                index: u32,
                /// Which packets it is for.
                dir: Direction,
                /// What happens to them.
                action: Action,
                /// What is special about it.
                flags: PolicyFlags,
                /// Who may share states.
                share: Share,
                /// Nothing.
                pad: [u8; $policy],
            }
        }

        record! {
            /// What a request for a security parameter index begins with.
            #[repr(packed($packed))]
            pub SpiRange, "xfrm_userspi_info", "" {
                /// The state to be.
                info: StateInfo,
                /// Lowest index.
                min: u32,
                /// Highest index; for compression at most 65,535.
                max: u32,
            }
        }

        record! {
            /// What the kernel's wish for a state begins with; a state being made for it has its `seq`.
            #[repr(packed($packed))]
            pub Acquire, "xfrm_user_acquire", "" {
                /// What will name the state.
                id: Id,
                /// Its source.
                saddr: Address,
                /// The packet for which it is wanted.
                sel: Selector,
                /// The policy that asks for it.
                policy: PolicyInfo,
                /// Digests that may be used.
                aalgos: u32,
                /// Ciphers that may be used.
                ealgos: u32,
                /// Compressions that may be used.
                calgos: u32,
                /// Number of this request.
                seq: u32,
            }
        }

        record! {
            /// What a message about a state at its limits begins with.
            #[repr(packed($packed))]
            pub Expire, "xfrm_user_expire", "" {
                /// The state.
                state: StateInfo,
                /// Not 0: it is gone.
                hard: u8,
                /// Nothing.
                pad: [u8; $end],
            }
        }

        record! {
            /// What a message about a policy at its limits begins with.
            #[repr(packed($packed))]
            pub PolicyExpire, "xfrm_user_polexpire", "" {
                /// The policy (`pol` in C).
                pol: PolicyInfo,
                /// Not 0: it is gone.
                hard: u8,
                /// Nothing.
                pad: [u8; $end],
            }
        }

        /// What tells of a state.
        pub type StateMessage = (StateInfo, Xfrma);
        /// What names a state.
        pub type StateIdMessage = (StateId, Xfrma);
        /// What tells of a policy.
        pub type PolicyMessage = (PolicyInfo, Xfrma);
        /// What names a policy.
        pub type PolicyIdMessage = (PolicyId, Xfrma);
        /// What tells of replay counters and lifetimes.
        pub type EventMessage = (EventHeader, Xfrma);
        /// What tells how many states there are.
        pub type StateCountMessage = (CountHeader, Sad);
        /// What tells how many policies there are.
        pub type PolicyCountMessage = (CountHeader, Spd);
        /// What tells what happens to packets that no policy is for.
        pub type DefaultMessage = (DefaultPolicy, Xfrma);

        operations! {
            /// Messages of NETLINK_XFRM (include/uapi/linux/xfrm.h; net/xfrm/xfrm_user.c).
            pub Xfrm, "XFRM_MSG_" {
                /// Make a state, or: this is one.
                NEWSA: new StateMessage = 16,
                /// Delete a state, or: this one ([`Xfrma::SA`]) is gone.
                DELSA: delete StateIdMessage = 17,
                /// Tell of one state; of all: [`Xfrm::DUMP_STATES`].
                GETSA: get StateIdMessage => NEWSA StateMessage = 18,
                /// Make a policy, or: this is one.
                NEWPOLICY: new PolicyMessage = 19,
                /// Delete a policy, or: this one ([`Xfrma::POLICY`]) is gone.
                DELPOLICY: delete PolicyIdMessage = 20,
                /// Tell of one policy, or of all.
                GETPOLICY: get PolicyIdMessage => NEWPOLICY PolicyMessage = 21,
                /// Find a security parameter index, and make a state that only has it.
                ALLOCSPI: act (SpiRange, Xfrma) => NEWSA StateMessage = 22,
                /// A state is wanted.
                ACQUIRE: act (Acquire, Xfrma) = 23,
                /// A state has come to its limits.
                EXPIRE: act (Expire, Xfrma) = 24,
                /// Make or change a policy.
                UPDPOLICY: set PolicyMessage = 25,
                /// Make or change a state.
                UPDSA: set StateMessage = 26,
                /// A policy has come to its limits.
                POLEXPIRE: act (PolicyExpire, Xfrma) = 27,
                /// Delete all states.
                FLUSHSA: act (StateFlush, Xfrma) = 28,
                /// Delete all policies of a table ([`Xfrma::POLICY_TYPE`]).
                FLUSHPOLICY: act ((), Xfrma) = 29,
                /// Change replay counters and lifetimes, or: they are these.
                NEWAE: set EventMessage = 30,
                /// Tell of replay counters and lifetimes.
                GETAE: get EventMessage => NEWAE EventMessage = 31,
                /// A packet came that a mobile node cannot protect.
                REPORT: act (Report, Xfrma) = 32,
                /// Move states and policies to other addresses ([`Xfrma::MIGRATE`]), or: they moved.
                MIGRATE: act PolicyIdMessage = 33,
                /// So many states there are.
                NEWSADINFO: new StateCountMessage = 34,
                /// How many states are there?
                GETSADINFO: get StateCountMessage => NEWSADINFO StateCountMessage = 35,
                /// Change thresholds of the policies' hash table, or: so many policies there are.
                NEWSPDINFO: set PolicyCountMessage = 36,
                /// How many policies are there?
                GETSPDINFO: get PolicyCountMessage => NEWSPDINFO PolicyCountMessage = 37,
                /// A peer behind a translator has another address or port.
                MAPPING: act (Mapping, Xfrma) = 38,
                /// Change what happens to packets that no policy is for.
                SETDEFAULT: set DefaultMessage = 39,
                /// What happens to packets that no policy is for? The answer has the same type, and so has the notification.
                GETDEFAULT: get DefaultMessage = 40,
                /// Move one state to other addresses; since Linux 7.1.
                MIGRATE_STATE: act (MigrateState, Xfrma) = 41,
            }
        }

        impl Xfrm {
            /// Tell of all states, or of those that [`Xfrma::PROTO`] and [`Xfrma::ADDRESS_FILTER`] choose. Other than the
            /// question for one, it begins with its attributes (`xfrm_dump_sa` in net/xfrm/xfrm_user.c).
            ///
            /// `XFRM_MSG_GETSA`
            pub const DUMP_STATES: Operation<((), Xfrma), StateMessage> =
                Operation::new(Self::GETSA.kind.0, Self::NEWSA.kind.0);
        }
    };
}

/// 64-bit numbers aligned to 8 bytes: every machine but those of [`narrow`].
pub mod wide {
    sized! { state: 7, policy: 4, end: 7, packed: 8 }
}

/// 64-bit numbers aligned to 4 bytes: 32-bit x86. Fields that are structs with such numbers in them are to be copied
/// out before they are borrowed, where that is not this machine's own layout.
pub mod narrow {
    sized! { state: 3, policy: 0, end: 3, packed: 4 }

    /// The protocol as a 32-bit x86 process sees it, to print its messages.
    pub const PROTOCOL: crate::protocol::Protocol = crate::protocol::Protocol {
        numbering: crate::protocol::Numbering::Types(&[Xfrm::OPERATIONS]),
        ..crate::protocol::XFRM
    };
}

/// `other! { StateInfo { sel, id } }` makes structs of one layout from those of the other, and lets the narrow ones be written
/// where the tables, which are this machine's, have the native ones.
macro_rules! other {
    ($($name:ident { $($field:ident),* })*) => {$(
        impl From<narrow::$name> for wide::$name {
            #[allow(clippy::needless_update, reason = "not all have padding")]
            fn from(narrow: narrow::$name) -> Self {
                Self { $($field: narrow.$field.into(),)* ..Self::default() }
            }
        }

        impl From<wide::$name> for narrow::$name {
            #[allow(clippy::needless_update, reason = "not all have padding")]
            fn from(wide: wide::$name) -> Self {
                Self { $($field: wide.$field.into(),)* ..Self::default() }
            }
        }
    )*};
}

other! {
    StateInfo { sel, id, saddr, lft, curlft, stats, seq, reqid, family, mode, replay_window, flags }
    PolicyInfo { sel, lft, curlft, priority, index, dir, action, flags, share }
    SpiRange { info, min, max }
    Acquire { id, saddr, sel, policy, aalgos, ealgos, calgos, seq }
    Expire { state, hard }
    PolicyExpire { pol, hard }
}

/// `within! { narrow: StateInfo, PolicyInfo }` lets structs of the layout that is not this machine's be written into
/// attributes, for whoever makes messages of another machine.
macro_rules! within {
    ($other:ident: $($name:ident),*) => {$(
        impl crate::table::Encode<super::$name> for $other::$name {
            fn encode(self, writer: &mut crate::wire::Writer<'_>) {
                crate::table::Record::write(self, writer);
            }
        }
    )*};
}

#[cfg(not(target_arch = "x86"))]
within! { narrow: StateInfo, PolicyInfo }
#[cfg(target_arch = "x86")]
within! { wide: StateInfo, PolicyInfo }
