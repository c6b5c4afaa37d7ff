//! The numbers that families of generic netlink have in an input.

use std::cell::RefCell;
use std::collections::BTreeSet;

use ringlink::codec::Message;
use ringlink::codec::generic::{CONTROL, Control, ControlMessage, FAMILIES, Family, Numbers};
use ringlink::codec::protocol::{GENERIC, Protocol};
use ringlink::codec::table::Body;
use ringlink::codec::wire::MessageType;
use ringlink::generic::{FamilyInfo, Generic};

use crate::arguments::number;
use crate::session::warn;

/// What is expected behind `--family`.
pub(super) const EXPECTED: &str = "NAME=NUMBER, the number of a family of generic netlink";

/// Families by number, as far as they are known. Later words do not change earlier ones: what the caller says counts more
/// than what is heard, and that more than what this machine's kernel says.
#[derive(Debug, Default)]
pub(super) struct Known {
    said: Vec<(u16, &'static Family)>,
    heard: Vec<(u16, &'static Family)>,
    asked: Vec<(u16, &'static Family)>,
    /// All of them, the first that counts first.
    all: Vec<(u16, &'static Family)>,
    /// Numbers of messages that no family is known for.
    unknown: RefCell<BTreeSet<u16>>,
}

/// A name and a number.
pub(super) fn named(word: &str) -> Option<(&str, u16)> {
    let (name, digits) = word.split_once('=')?;
    Some((name, number(digits)?))
}

impl Known {
    /// The caller says what number a family has.
    pub(super) fn say(&mut self, name: &str, number: u16) -> Result<(), String> {
        let Some(family) = Family::named(name) else {
            let names: Vec<&str> = FAMILIES.iter().map(|family| family.name).collect();
            return Err(format!("`{name}`: there are tables for {}", names.join(", ")));
        };
        self.said.push((number, family));
        self.gather();
        Ok(())
    }

    /// This machine's kernel says what numbers there are; where it does not, that is told on standard error.
    pub(super) fn ask(&mut self) {
        match Generic::open().and_then(|mut generic| generic.families()) {
            Ok(families) => {
                let known = |info: &FamilyInfo| Some((info.id, Family::named(&info.name)?));
                self.asked = families.iter().filter_map(known).collect();
                self.gather();
            }
            Err(error) => warn(format_args!("the numbers of families are not known here: {error}")),
        }
    }

    /// Hears what a message says of a family, if it is one of the controller's.
    pub(super) fn hear(&mut self, message: Message<'_>) {
        let of_controller = message.header.kind == MessageType(CONTROL.id);
        let command = message.payload.first().copied();
        if !of_controller || command != Some(Control::NEWFAMILY.command) {
            return;
        }
        let info = FamilyInfo::read(Body::<ControlMessage>::of(message).attributes).ok();
        if let Some((number, family)) = info.and_then(|info| Some((info.id, Family::named(&info.name)?)))
            && !self.heard.iter().any(|(heard, other)| *heard == number && other.name == family.name)
        {
            self.heard.push((number, family));
            self.gather();
        }
    }

    fn gather(&mut self) {
        let all = self.said.iter().chain(&self.heard).chain(&self.asked);
        self.all = all.copied().collect();
    }

    /// The numbers, for the printer.
    pub(super) fn numbers(&self) -> Numbers<'_> {
        Numbers(&self.all)
    }

    /// Notes the number of a message of generic netlink.
    pub(super) fn note(&self, protocol: &Protocol, message: Message<'_>) {
        let number = message.header.kind;
        let generic = protocol.number == GENERIC.number && number >= MessageType::FIRST;
        if generic && self.numbers().family(number).is_none() {
            self.unknown.borrow_mut().insert(number.0);
        }
    }

    /// Tells on standard error of the families whose numbers are not known.
    pub(super) fn tell_unknown(&self) {
        for number in self.unknown.borrow().iter() {
            warn(format_args!("no family is known to have number {number}: --family NAME={number} says which it is"));
        }
    }
}
