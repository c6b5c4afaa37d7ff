//! The audit subsystem's settings and rules, and its records (kernel/audit.c).
//!
//! [`Audit`] asks and changes; it takes `CAP_AUDIT_CONTROL` in the machine's first user and process namespaces. Records are
//! heard by a [`Monitor`](crate::Monitor) of the group
//! [`READLOG`](crate::codec::multicast::AuditGroup::READLOG), any number of which may listen, and which takes
//! `CAP_AUDIT_READ`. One process alone may be the daemon, for which the kernel keeps records that wait: that is never taken
//! over by accident, but only by [`Audit::become_the_daemon`].
//!
//! ```
//! use ringlink::audit::Audit;
//!
//! match Audit::open().and_then(|mut audit| audit.status()) {
//!     Ok(status) => println!("{} records lost", status.lost),
//!     Err(error) => println!("{error}"),
//! }
//! ```

use ringlink_codec as codec;
use ringlink_codec::audit::{Audit as Messages, Features, Record, RecordType, Rule, Status, StatusMask, TtyStatus};
use ringlink_codec::diag::NoAttributes;
use ringlink_codec::reply::End;
use ringlink_codec::table::Operation;

use crate::connection::{Config, Connection};
use crate::engine::{Datagram, Deadline};
use crate::error::Error;
use crate::socket::Protocol;

/// Asks and changes what audit does. See the [module](self).
#[derive(Debug)]
pub struct Audit {
    connection: Connection,
    config: Config,
}

impl Audit {
    /// Opens a connection with the default configuration.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::open`].
    pub fn open() -> Result<Audit, Error> {
        Audit::with(Config::default())
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::with`].
    pub fn with(config: Config) -> Result<Audit, Error> {
        Ok(Audit { connection: Connection::with(Protocol::AUDIT, config.clone())?, config })
    }

    /// The settings and counters.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::get`]; `ECONNREFUSED` outside the machine's first namespaces.
    pub fn status(&mut self) -> Result<Status, Error> {
        Ok(self.connection.get(Messages::GET, (), |_| {})?.body().header)
    }

    /// Changes the settings that the status' mask names.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::apply`]; [`Error::Configuration`] where the mask names the daemon's process, for which there is
    /// [`become_the_daemon`](Audit::become_the_daemon).
    pub fn set(&mut self, status: Status) -> Result<(), Error> {
        if status.mask.contains(StatusMask::PID) {
            return Err(Error::Configuration { rule: "a process becomes audit's daemon by asking for that alone" });
        }
        self.connection.apply(Messages::SET, status, |_| {}).map(drop)
    }

    /// Which features are on, and which are locked.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::get`].
    pub fn features(&mut self) -> Result<Features, Error> {
        Ok(self.connection.get(Messages::GET_FEATURE, (), |_| {})?.body().header)
    }

    /// Switches the features that the mask names, and locks those that `lock` does.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::apply`].
    pub fn set_features(&mut self, features: Features) -> Result<(), Error> {
        self.connection.apply(Messages::SET_FEATURE, features, |_| {}).map(drop)
    }

    /// Whether this process's terminal is listened to.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::get`].
    pub fn tty(&mut self) -> Result<TtyStatus, Error> {
        Ok(self.connection.get(Messages::TTY_GET, (), |_| {})?.body().header)
    }

    /// Listens to this process's terminal, or does not.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::apply`].
    pub fn set_tty(&mut self, status: TtyStatus) -> Result<(), Error> {
        self.connection.apply(Messages::TTY_SET, status, |_| {}).map(drop)
    }

    /// Hands every rule to a closure, in the order in which the kernel has them.
    ///
    /// # Errors
    ///
    /// Those of [`Dump::for_each`](crate::connection::Dump::for_each), the closure's own, and [`Error::Codec`] where a rule
    /// cannot be read.
    pub fn rules(&mut self, mut each: impl FnMut(Rule<'_>) -> Result<(), Error>) -> Result<End, Error> {
        let rules = self.connection.dump(Messages::LIST_RULES, (), |_| {})?;
        rules.for_each(|body| each(Rule::read(body)?))
    }

    /// Adds a rule.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::apply`]; `EEXIST` where it is there already, `EINVAL` where the kernel can make nothing of it.
    pub fn add_rule(&mut self, rule: &Rule<'_>) -> Result<(), Error> {
        self.connection.apply(Messages::ADD_RULE, rule.header, |text| rule.write(text)).map(drop)
    }

    /// Deletes a rule, which is named by all that it says.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::apply`]; `ENOENT` where it is not there.
    pub fn delete_rule(&mut self, rule: &Rule<'_>) -> Result<(), Error> {
        self.connection.apply(Messages::DEL_RULE, rule.header, |text| rule.write(text)).map(drop)
    }

    /// Writes a record, as programs do; the kernel puts before it who this is. It takes `CAP_AUDIT_WRITE`.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::apply`]; [`Error::Configuration`] where programs do not write records of that type.
    pub fn tell(&mut self, kind: RecordType, text: &str) -> Result<(), Error> {
        if !kind.is_of_programs() {
            return Err(Error::Configuration { rule: "programs write records of types 1100 to 1199 and 2100 to 2999" });
        }
        let operation = Operation::<((), NoAttributes)>::new(kind.0, kind.0).named("AUDIT_USER");
        let written = self.connection.apply(operation, (), |to| {
            // With its NUL, in whose place the kernel puts one anyway.
            let mut bytes = text.as_bytes().to_vec();
            bytes.push(0);
            to.tail(&bytes);
        });
        written.map(drop)
    }

    /// Makes this process audit's daemon: from now on the kernel sends every record here, keeps those that wait, and holds up
    /// whoever causes records when too many do. It refuses that while another daemon is alive.
    ///
    /// The daemon has to go on receiving. It is none any more when it [resigns](Daemon::resign) or its socket is closed.
    ///
    /// # Errors
    ///
    /// Those of [`Connection::apply`]; `EEXIST` where there is a daemon.
    pub fn become_the_daemon(mut self) -> Result<Daemon, Error> {
        self.appoint(std::process::id())?;
        Ok(Daemon { audit: self })
    }

    fn appoint(&mut self, pid: u32) -> Result<(), Error> {
        let status = Status { mask: StatusMask::PID, pid, ..Status::default() };
        self.connection.apply(Messages::SET, status, |_| {}).map(drop)
    }

    /// The connection, for requests that have no method here.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

/// Audit's daemon: whom the kernel sends every record.
#[derive(Debug)]
pub struct Daemon {
    audit: Audit,
}

impl Daemon {
    /// Waits for the next message.
    ///
    /// # Errors
    ///
    /// What the engine says.
    pub fn receive(&mut self, deadline: Deadline) -> Result<Told<'_>, Error> {
        Ok(Told { datagram: self.audit.connection.receive(deadline)? })
    }

    /// Is the daemon no more. Records that were not received are lost.
    ///
    /// # Errors
    ///
    /// Those of [`Audit::with`] and [`Connection::apply`].
    pub fn resign(self) -> Result<Audit, Error> {
        // Over another socket, for on the daemon's the answer stands behind records, whose lengths lie. The kernel goes by the
        // process.
        let mut audit = Audit::with(self.audit.config.clone())?;
        audit.appoint(0)?;
        Ok(audit)
    }
}

/// What the daemon was sent.
#[derive(Debug)]
#[must_use = "a record that is not looked at is lost"]
pub struct Told<'d> {
    datagram: Datagram<'d>,
}

impl Told<'_> {
    /// Its type: of a record, or [`REPLACE`](RecordType::REPLACE) where another process would be the daemon.
    pub fn kind(&self) -> RecordType {
        let header: Option<&[u8; 16]> = self.datagram.first_chunk();
        RecordType(header.map_or(0, |[_, _, _, _, low, high, ..]| u16::from_ne_bytes([*low, *high])))
    }

    /// The record.
    ///
    /// # Errors
    ///
    /// Where it is none.
    pub fn record(&self) -> Result<Record<'_>, codec::Error> {
        Record::parse(&self.datagram)
    }

    /// The bytes. The length in their header leaves the header out.
    pub fn bytes(&self) -> &[u8] {
        &self.datagram
    }
}
