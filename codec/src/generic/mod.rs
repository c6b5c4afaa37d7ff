//! Generic netlink: families that register by name (include/uapi/linux/genetlink.h).
//!
//! A family's messages have the number that the kernel gave the family as their type, and a header that names the command. The
//! number is found at run time ([`Control::GETFAMILY`] asks for it), so a [`Command`] becomes an [`Operation`] with it.
//!
//! ```
//! use ringlink_codec::generic::{Control, ControlAttribute, GenericHeader};
//! use ringlink_codec::prelude::*;
//!
//! // Which number has the family `ethtool`? The controller itself has a fixed one.
//! let question = Control::GETFAMILY;
//! let mut buffer = Buffer::<64>::new();
//! let operation = question.operation(ringlink_codec::generic::CONTROL.id);
//! let bytes = buffer.message(operation, question.header(), |ask| ask.put(ControlAttribute::FAMILY_NAME, "ethtool"))?;
//! let body = Message::parse(bytes)?.body(operation)?;
//! assert_eq!(body.header, GenericHeader { cmd: 3, version: 2, pad: 0 });
//! # Ok::<(), ringlink_codec::Error>(())
//! ```
//!
//! A family of one's own is a [`Family`] and its [`commands!`](crate::commands).

mod control;

pub mod ethtool;
pub mod mptcp_pm;
pub mod netdev;
pub mod taskstats;
pub mod tcp_metrics;
pub mod wireguard;

pub use control::*;

use crate::table::{Format, Operation, OperationRow, Operations, Record};
use crate::wire::{Flags, Message, MessageType};
use crate::{record, values};

record! {
    /// What messages of most families begin with (`struct genlmsghdr`, include/uapi/linux/genetlink.h).
    pub GenericHeader, "genlmsghdr", "" {
        /// The command.
        cmd: u8,
        /// The version of the family that is spoken.
        version: u8,
        /// Nothing (`reserved` in C).
        pad: u16,
    }
}

values! {
    /// An address family (include/linux/socket.h), two bytes wide as in most of generic netlink.
    pub SocketFamily(u16), "AF_" {
        UNSPEC = 0,
        INET = 2,
        INET6 = 10,
    }
}

record! {
    /// Seconds and nanoseconds (include/uapi/linux/time_types.h).
    pub Timespec, "__kernel_timespec", "tv_" {
        /// Seconds.
        sec: i64,
        /// Nanoseconds, below a second.
        nsec: i64,
    }
}

/// A fixed header that begins with that of generic netlink: [`GenericHeader`] itself, or one with more of the family's own
/// behind it.
pub trait CommandHeader: Record {
    /// The same, for this command in this version.
    #[must_use]
    fn with_command(self, command: u8, version: u8) -> Self;

    /// The command.
    fn command(&self) -> u8;
}

impl CommandHeader for GenericHeader {
    fn with_command(self, command: u8, version: u8) -> Self {
        Self { cmd: command, version, ..self }
    }

    fn command(&self) -> u8 {
        self.cmd
    }
}

/// A family of generic netlink, as data.
#[derive(Debug)]
pub struct Family {
    /// The name under which it registers.
    pub name: &'static str,
    /// Its number, where that is fixed; 0 where the kernel chooses it.
    pub id: u16,
    /// The version that is spoken.
    pub version: u8,
    /// What it is asked.
    pub requests: &'static Operations,
    /// What it answers; mostly the same commands as it is asked.
    pub answers: &'static Operations,
    /// What it tells unasked; mostly numbered with the answers.
    pub events: &'static Operations,
}

/// All families with tables here.
pub const FAMILIES: &[&Family] = &[
    &CONTROL,
    &ethtool::ETHTOOL,
    &mptcp_pm::MPTCP_PM,
    &netdev::NETDEV,
    &taskstats::TASKSTATS,
    &tcp_metrics::TCP_METRICS,
    &wireguard::WIREGUARD,
];

impl Family {
    /// The family with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        FAMILIES.iter().copied().find(|family| family.name == name)
    }

    /// The row of a message of this family. Answers carry the port of the socket that asked, events carry port 0.
    #[must_use]
    pub fn row(&self, message: Message<'_>) -> Option<&'static OperationRow> {
        let command = *message.payload.first()?;
        let table = match (message.header.flags.contains(Flags::REQUEST), message.header.port) {
            (true, _) => self.requests,
            (false, 0) => self.events,
            (false, _) => self.answers,
        };
        table.row(command.into())
    }

    /// Its tables of commands, each once.
    pub fn tables(&self) -> impl Iterator<Item = &'static Operations> {
        let same = |one: &Operations, two: &Operations| core::ptr::eq(one.rows, two.rows);
        let answers = (!same(self.requests, self.answers)).then_some(self.answers);
        let seen = same(self.requests, self.events) || same(self.answers, self.events);
        [Some(self.requests), answers, (!seen).then_some(self.events)].into_iter().flatten()
    }
}

/// The numbers that families have at the moment, for whoever reads messages without asking for them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Numbers<'n>(pub &'n [(u16, &'static Family)]);

impl Numbers<'_> {
    /// The family with this number.
    #[must_use]
    pub fn family(&self, kind: MessageType) -> Option<&'static Family> {
        if kind.0 == CONTROL.id {
            return Some(&CONTROL);
        }
        self.0.iter().find(|(number, _)| *number == kind.0).map(|(_, family)| *family)
    }
}

/// A command of a family with the format `Q` of the message and, where it is a question, the format `A` of the answers.
/// Rows of [`commands!`](crate::commands) make them.
pub struct Command<Q, A = Q> {
    /// The family.
    pub family: &'static Family,
    /// The command's number.
    pub command: u8,
    /// The command that answers carry; for what is no question, the same as `command`.
    pub answer: u8,
    /// Flags beyond `NLM_F_REQUEST`.
    pub flags: Flags,
    /// The kernel's full name (`CTRL_CMD_GETFAMILY`).
    pub name: &'static str,
    formats: core::marker::PhantomData<fn() -> (Q, A)>,
}

impl<Q, A> Clone for Command<Q, A> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<Q, A> Copy for Command<Q, A> {}

impl<Q, A> core::fmt::Debug for Command<Q, A> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Command({}, flags {:?})", self.name, self.flags)
    }
}

impl<Q, A> Command<Q, A> {
    /// A command `command` of `family`, with the kernel's name, that is answered by commands `answer`.
    #[must_use]
    pub const fn new(family: &'static Family, name: &'static str, command: u8, answer: u8) -> Self {
        Self { family, command, answer, flags: Flags::NONE, name, formats: core::marker::PhantomData }
    }

    /// The same with more flags.
    #[must_use]
    pub const fn with(self, flags: Flags) -> Self {
        Self { flags: self.flags.union(flags), ..self }
    }

    /// The operation, where the family has this number.
    #[must_use]
    pub const fn operation(self, number: u16) -> Operation<Q, A> {
        Operation::new(number, number).named(self.name).with(self.flags)
    }
}

impl<Q: Format<Header: CommandHeader>, A> Command<Q, A> {
    /// The fixed header of this command.
    #[must_use]
    pub fn header(self) -> Q::Header {
        Q::Header::default().with_command(self.command, self.family.version)
    }
}

/// Declares the commands of a generic family, as [`operations!`](crate::operations) declares messages; before the rows stands
/// the family's [`Family`], and a question has the number of the command that answers carry, which may be numbered apart.
///
/// ```
/// use ringlink_codec::generic::{Family, GenericHeader};
/// use ringlink_codec::table::Str;
/// use ringlink_codec::{commands, space};
///
/// space! {
///     /// Attributes of a toaster.
///     pub Toaster, "TOASTER_A_" {
///         /// Its name.
///         NAME: Str = 1,
///     }
/// }
///
/// commands! {
///     /// Commands of the toaster.
///     pub ToasterCommand, "TOASTER_CMD_", of TOASTER {
///         /// This toaster is there; or: tell about one.
///         GET: get (GenericHeader, Toaster) => 1 (GenericHeader, Toaster) = 1,
///         /// Out with it.
///         POP: act (GenericHeader, Toaster) = 2,
///     }
/// }
///
/// /// The toaster's family.
/// pub const TOASTER: Family = Family {
///     name: "toaster",
///     id: 0,
///     version: 1,
///     requests: ToasterCommand::OPERATIONS,
///     answers: ToasterCommand::OPERATIONS,
///     events: ToasterCommand::OPERATIONS,
/// };
///
/// assert_eq!(ToasterCommand::POP.command, 2);
/// assert_eq!(ToasterCommand::POP.header().cmd, 2);
/// ```
#[macro_export]
macro_rules! commands {
    ($(#[$meta:meta])* $vis:vis $name:ident, $prefix:literal, of $family:ident {
        $($(#[$doc:meta])* $row:ident: $verb:ident $format:ty $(=> $answer:literal $answers:ty)? = $number:literal,)*
    }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug)]
        $vis struct $name;

        impl $name {
            $(
                $(#[$doc])*
                #[doc = concat!("\n\n`", $prefix, stringify!($row), "`")]
                pub const $row: $crate::command_type!($format $(, $answers)?) = $crate::generic::Command::new(
                    &$family,
                    concat!($prefix, stringify!($row)),
                    $number,
                    $crate::command_answer!($number $(, $answer)?),
                );
            )*

            /// The commands as data.
            pub const OPERATIONS: &'static $crate::table::Operations =
                $crate::operations_as_data!($name, $prefix, 0, $($row: $verb $format = $number,)*);
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! command_type {
    ($format:ty) => { $crate::generic::Command<$format> };
    ($format:ty, $answers:ty) => { $crate::generic::Command<$format, $answers> };
}

#[doc(hidden)]
#[macro_export]
macro_rules! command_answer {
    ($number:literal) => {
        $number
    };
    ($number:literal, $answer:literal) => {
        $answer
    };
}
