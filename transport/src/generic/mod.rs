//! Generic netlink: families by name.
//!
//! A [`Generic`] connection finds a family's number when its first command is sent, and keeps it. A number that the kernel no
//! longer knows (the module that has the family was loaded anew, and got another one) is forgotten with the refusal, and found
//! anew for the next command. A dump's refusal does not come by here: after it, [`Generic::forget`] does that.
//!
//! ```
//! use ringlink::codec::generic::{Control, ControlAttribute};
//! use ringlink::generic::Generic;
//!
//! let mut generic = Generic::open()?;
//! let ethtool = generic.family("ethtool")?;
//! println!("ethtool is family {}, version {}", ethtool.id, ethtool.version);
//! for (name, group) in &ethtool.groups {
//!     println!("  group {name}: {group}");
//! }
//! // Any command of any family: here the controller's own, which tells of all families.
//! let mut families = generic.dump(Control::GETFAMILY, |_| {})?;
//! while let Some(family) = families.next()? {
//!     println!("{:?}", family.attributes.get(ControlAttribute::FAMILY_NAME)?);
//! }
//! # Ok::<(), ringlink::Error>(())
//! ```

mod check;

pub mod wireguard;

pub use check::{Problem, Violation};

use std::collections::BTreeMap;
use std::fmt;

use ringlink_codec as codec;
use ringlink_codec::generic::{
    Command, CommandHeader, Control, ControlAttribute, ControlFlags, ControlGroup, ControlOperation, ControlPolicy,
    Numbers,
};
use ringlink_codec::reply::{AttributeType, PolicyType};
use ringlink_codec::table::{AttributeWriter, Attributes, Format};

use crate::connection::{Config, Connection, Dump, Reply};
use crate::error::Error;
use crate::monitor::Monitor;
use crate::socket::Protocol;

/// A connection to the families of generic netlink. See the [module](self).
pub struct Generic {
    connection: Connection,
    numbers: BTreeMap<&'static str, u16>,
}

/// A family, as the controller tells of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FamilyInfo {
    /// Its name.
    pub name: String,
    /// Its number.
    pub id: u16,
    /// The version it speaks.
    pub version: u32,
    /// Bytes of its own header.
    pub header: u32,
    /// Its commands' numbers, and what each can do and takes.
    pub commands: BTreeMap<u32, ControlFlags>,
    /// Its multicast groups' numbers, by name.
    pub groups: BTreeMap<String, u32>,
}

/// What a family's attributes must be like, as this kernel tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Policies {
    /// By command: the policy of a question for one answer or a change, and that of a question for all. Commands that can only
    /// be asked for all are told under number 0 (seen on Linux 6.18), the last of them only.
    pub commands: BTreeMap<u16, (Option<u32>, Option<u32>)>,
    /// By index: the rules of a policy, by number of the attribute.
    pub policies: BTreeMap<u32, BTreeMap<u16, Rule>>,
}

/// What an attribute must be like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// What it holds.
    pub kind: AttributeType,
    /// Its least and its greatest value, unsigned.
    pub unsigned: (Option<u64>, Option<u64>),
    /// Its least and its greatest value, signed.
    pub signed: (Option<i64>, Option<i64>),
    /// Its least and its greatest length, in bytes.
    pub length: (Option<u32>, Option<u32>),
    /// The valid bits.
    pub mask: Option<u64>,
    /// Of a nest: the policy of what is in it.
    pub nest: Option<u32>,
}

impl fmt::Debug for Generic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Generic").field("connection", &self.connection).field("numbers", &self.numbers).finish()
    }
}

impl Generic {
    /// Opens a connection with the default configuration.
    ///
    /// # Errors
    ///
    /// As [`Connection::open`].
    pub fn open() -> Result<Generic, Error> {
        Generic::with(Config::default())
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// As [`Connection::with`].
    pub fn with(config: Config) -> Result<Generic, Error> {
        Ok(Generic { connection: Connection::with(Protocol::GENERIC, config)?, numbers: BTreeMap::new() })
    }

    /// What the controller tells of a family.
    ///
    /// # Errors
    ///
    /// [`Error::Refused`], with [`Error::is_not_found`], where there is no such family: it was not built in, or its module is not
    /// loaded.
    pub fn family(&mut self, name: &str) -> Result<FamilyInfo, Error> {
        let id = codec::generic::CONTROL.id;
        let command = Control::GETFAMILY;
        let ask = |ask: &mut AttributeWriter<'_, '_, ControlAttribute>| ask.put(ControlAttribute::FAMILY_NAME, name);
        let reply = self.connection.get(command.operation(id), command.header(), ask)?;
        FamilyInfo::read(reply.body().attributes)
    }

    /// All families that there are.
    ///
    /// # Errors
    ///
    /// As [`Dump::next`].
    pub fn families(&mut self) -> Result<Vec<FamilyInfo>, Error> {
        let mut families = Vec::new();
        let mut dump = self.dump(Control::GETFAMILY, |_| {})?;
        while let Some(family) = dump.next()? {
            families.push(FamilyInfo::read(family.attributes)?);
        }
        Ok(families)
    }

    /// What a family's attributes must be like (`CTRL_CMD_GETPOLICY`, Linux 5.7).
    ///
    /// # Errors
    ///
    /// [`Error::Refused`] where there is no such family, or none that is checked.
    pub fn policies(&mut self, name: &str) -> Result<Policies, Error> {
        let mut policies = Policies::default();
        let mut dump = self.dump(Control::GETPOLICY, |ask| ask.put(ControlAttribute::FAMILY_NAME, name))?;
        while let Some(part) = dump.next()? {
            policies.read(part.attributes)?;
        }
        Ok(policies)
    }

    /// The number that a command's family has at the moment.
    ///
    /// # Errors
    ///
    /// As [`family`](Generic::family).
    pub fn number(&mut self, family: &'static codec::generic::Family) -> Result<u16, Error> {
        if family.id != 0 {
            return Ok(family.id);
        }
        if let Some(number) = self.numbers.get(family.name) {
            return Ok(*number);
        }
        let number = self.family(family.name)?.id;
        self.numbers.insert(family.name, number);
        Ok(number)
    }

    /// Finds all numbers anew when they are next asked for.
    pub fn forget(&mut self) {
        self.numbers.clear();
    }

    /// Asks a question that has one answer. See [`Connection::get`].
    ///
    /// # Errors
    ///
    /// Those of [`Connection::get`] and [`family`](Generic::family).
    pub fn get<Q: Format<Header: CommandHeader>, A: Format<Header: CommandHeader>>(
        &mut self,
        command: Command<Q, A>,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Reply<'_, A>, Error> {
        let number = self.number(command.family)?;
        let reply = self.connection.get(command.operation(number), command.header(), fill);
        let reply = reply.inspect_err(|error| forget(&mut self.numbers, command.family, error))?;
        let found = reply.body().header.command();
        match found == command.answer {
            true => Ok(reply),
            false => {
                let kind = codec::wire::ErrorKind::MessageType { found: found.into(), expected: command.answer.into() };
                Err(Error::Codec(codec::Error::new(kind, 16)))
            }
        }
    }

    /// Asks for a change, and waits until the kernel has made it. See [`Connection::apply`].
    ///
    /// # Errors
    ///
    /// Those of [`Connection::apply`] and [`family`](Generic::family).
    pub fn apply<Q: Format<Header: CommandHeader>, A>(
        &mut self,
        command: Command<Q, A>,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Option<String>, Error> {
        let number = self.number(command.family)?;
        let done = self.connection.apply(command.operation(number), command.header(), fill);
        done.inspect_err(|error| forget(&mut self.numbers, command.family, error))
    }

    /// Asks for everything. See [`Connection::dump`].
    ///
    /// # Errors
    ///
    /// Those of [`Connection::dump`] and [`family`](Generic::family).
    pub fn dump<Q: Format<Header: CommandHeader>, A: Format>(
        &mut self,
        command: Command<Q, A>,
        fill: impl FnOnce(&mut AttributeWriter<'_, '_, Q::Space>),
    ) -> Result<Dump<'_, A>, Error> {
        let number = self.number(command.family)?;
        self.connection.dump(command.operation(number), command.header(), fill)
    }

    /// Opens a monitor of some of a family's groups, by their names.
    ///
    /// # Errors
    ///
    /// [`Error::Configuration`] where the family has no group of such a name, and those of [`Monitor::open`].
    pub fn subscribe(&mut self, family: &str, groups: &[&str]) -> Result<Monitor, Error> {
        let info = self.family(family)?;
        let rule = "a generic family has the groups that the controller tells of, and no others";
        let numbers: Option<Vec<u32>> = groups.iter().map(|name| info.groups.get(*name).copied()).collect();
        Monitor::open(Protocol::GENERIC, &numbers.ok_or(Error::Configuration { rule })?)
    }

    /// Has a closure use the numbers that the families with tables have at the moment, to print messages by.
    ///
    /// # Errors
    ///
    /// As [`families`](Generic::families).
    pub fn numbers<T>(&mut self, with: impl FnOnce(Numbers<'_>) -> T) -> Result<T, Error> {
        let known = |info: &FamilyInfo| Some((info.id, codec::generic::Family::named(&info.name)?));
        let numbers: Vec<_> = self.families()?.iter().filter_map(known).collect();
        Ok(with(Numbers(&numbers)))
    }

    /// The connection below.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

/// Forgets a family's number where the refusal may mean that there is no such family any more.
fn forget(numbers: &mut BTreeMap<&'static str, u16>, family: &codec::generic::Family, error: &Error) {
    if error.is_not_found() {
        numbers.remove(family.name);
    }
}

impl FamilyInfo {
    /// Reads what the controller tells.
    ///
    /// # Errors
    ///
    /// [`Error::Codec`] where it cannot be read.
    pub fn read(family: Attributes<'_, ControlAttribute>) -> Result<FamilyInfo, Error> {
        let keys = (
            (ControlAttribute::FAMILY_NAME, ControlAttribute::FAMILY_ID, ControlAttribute::VERSION),
            (ControlAttribute::HDRSIZE, ControlAttribute::OPS, ControlAttribute::MCAST_GROUPS),
        );
        let ((name, id, version), (header, commands, groups)) = family.read(keys)?;
        let mut info = FamilyInfo {
            name: name.map(|name| name.to_string()).unwrap_or_default(),
            id: id.unwrap_or(0),
            version: version.unwrap_or(0),
            header: header.unwrap_or(0),
            ..FamilyInfo::default()
        };
        for command in commands.into_iter().flatten() {
            let (_, command) = command?;
            if let (Some(id), Some(flags)) = command.read((ControlOperation::ID, ControlOperation::FLAGS))? {
                info.commands.insert(id, flags);
            }
        }
        for group in groups.into_iter().flatten() {
            let (_, group) = group?;
            if let (Some(name), Some(id)) = group.read((ControlGroup::NAME, ControlGroup::ID))? {
                info.groups.insert(name.to_string(), id);
            }
        }
        Ok(info)
    }
}

impl Policies {
    /// Adds what one message of the dump tells.
    fn read(&mut self, part: Attributes<'_, ControlAttribute>) -> Result<(), Error> {
        let (policies, commands) = part.read((ControlAttribute::POLICY, ControlAttribute::OP_POLICY))?;
        for policy in policies.into_iter().flatten() {
            let (index, attributes) = policy?;
            for attribute in attributes {
                let (number, rule) = attribute?;
                let rule = Rule::read(rule)?;
                self.policies.entry(index.into()).or_default().insert(number, rule);
            }
        }
        for command in commands.into_iter().flatten() {
            let (number, of) = command?;
            self.commands.insert(number, of.read((ControlPolicy::DO, ControlPolicy::DUMP))?);
        }
        Ok(())
    }
}

impl Rule {
    fn read(rule: Attributes<'_, PolicyType>) -> Result<Rule, Error> {
        let (kind, unsigned, signed, length, masks, nest) = rule.read((
            PolicyType::TYPE,
            (PolicyType::MIN_VALUE_U, PolicyType::MAX_VALUE_U),
            (PolicyType::MIN_VALUE_S, PolicyType::MAX_VALUE_S),
            (PolicyType::MIN_LENGTH, PolicyType::MAX_LENGTH),
            (PolicyType::MASK, PolicyType::BITFIELD32_MASK),
            PolicyType::POLICY_IDX,
        ))?;
        let mask = masks.0.or(masks.1.map(u64::from));
        Ok(Rule { kind: kind.unwrap_or_default(), unsigned, signed, length, mask, nest })
    }
}
