//! Rules: written with checks, read with more.

use core::fmt;

use super::{
    Action, Architecture, Comparison, Filter, KEY_SEPARATOR, MAX_FIELDS, Permissions, RuleField, RuleHeader,
    RuleOperator, Sixty4,
};
use crate::diag::NoAttributes;
use crate::table::{AttributeWriter, Body, Encode, Fixed, Malformed, Plain, Shape, Text, Value};
use crate::wire::{Error, ErrorKind, MESSAGE_HEADER, Payload, Writer, place, short};

/// Which system calls are meant, by a bit each; also classes of them, from the end on (`AUDIT_CLASS_*`).
#[derive(Clone, Copy, Default, PartialEq)]
#[repr(transparent)]
pub struct Syscalls(pub Sixty4<u32>);

impl Syscalls {
    /// None.
    pub const NONE: Self = Self(Sixty4([0; 64]));
    /// All, and all classes, as auditctl(8) has it.
    pub const ALL: Self = Self(Sixty4([u32::MAX; 64]));

    /// Adds a system call by its number; says whether there is a bit for it.
    pub fn add(&mut self, number: u16) -> bool {
        let word = self.0.0.get_mut(usize::from(number / 32));
        word.map(|word| *word |= 1 << (number % 32)).is_some()
    }

    /// Whether a system call is meant.
    #[must_use]
    pub fn contains(&self, number: u16) -> bool {
        self.0.0.get(usize::from(number / 32)).is_some_and(|word| word & (1 << (number % 32)) != 0)
    }

    /// Whether all are meant, whatever is said of the classes, which the kernel takes out.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.0.0.iter().take(63).all(|word| *word == u32::MAX)
    }

    /// The numbers that are meant, ascending.
    pub fn numbers(&self) -> impl Iterator<Item = u16> + '_ {
        (0..2048).filter(|number| self.contains(*number))
    }
}

impl fmt::Debug for Syscalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_all() {
            true => f.write_str("all"),
            false => f.debug_set().entries(self.numbers()).finish(),
        }
    }
}

impl Plain for Syscalls {
    fn take(rest: &mut &[u8]) -> Self {
        Self(Plain::take(rest))
    }

    fn give(self, rest: &mut &mut [u8]) {
        self.0.give(rest);
    }
}

impl Value for Syscalls {
    type Read<'a> = Self;
    const SHAPE: Shape = Shape::Bytes;

    fn decode(payload: Payload<'_>) -> Result<Self, Malformed> {
        Sixty4::decode(payload).map(Self)
    }
}

impl Encode<Syscalls> for Syscalls {
    fn encode(self, writer: &mut Writer<'_>) {
        self.0.encode(writer);
    }
}

impl Fixed for Syscalls {
    const SIZE: usize = size_of::<Self>();
}

/// A condition of a rule.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition<'a> {
    /// What it looks at.
    pub field: RuleField,
    /// How it compares.
    pub operator: RuleOperator,
    /// What it looks for.
    pub value: ConditionValue<'a>,
}

/// What a condition looks for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum ConditionValue<'a> {
    /// A number.
    Number(u32),
    /// Text.
    Text(Text<'a>),
}

/// A rule that was told, its lengths checked.
#[derive(Clone, Copy, Debug)]
pub struct Rule<'a> {
    /// The struct.
    pub header: RuleHeader,
    text: &'a [u8],
}

impl<'a> Rule<'a> {
    /// Reads a rule.
    ///
    /// # Errors
    ///
    /// If it says more conditions than there can be, or more text than there is.
    pub fn read(body: Body<'a, (RuleHeader, NoAttributes)>) -> Result<Self, Error> {
        Self::of(body.header, body.attributes.payload().bytes)
    }

    /// A rule of its two parts.
    ///
    /// # Errors
    ///
    /// As [`read`](Self::read).
    pub fn of(header: RuleHeader, text: &'a [u8]) -> Result<Self, Error> {
        let fail = |length, available, at: usize| {
            let kind = ErrorKind::RecordLength { length, available: short(available) };
            Err(Error::new(kind, place(MESSAGE_HEADER.wrapping_add(at))))
        };
        if header.field_count > short(MAX_FIELDS) {
            return fail(header.field_count, MAX_FIELDS, core::mem::offset_of!(RuleHeader, field_count));
        }
        let length = usize::try_from(header.buflen).unwrap_or(usize::MAX);
        let Some(text) = text.get(..length) else {
            return fail(header.buflen, text.len(), core::mem::offset_of!(RuleHeader, buflen));
        };
        let rule = Self { header, text };
        let mut left = text.len();
        for (field, value) in rule.raw().map(|(field, _, value)| (field, value)).filter(|(field, _)| field.is_text()) {
            let _ = field;
            match usize::try_from(value).ok().and_then(|value| left.checked_sub(value)) {
                Some(rest) => left = rest,
                None => return fail(value, left, core::mem::offset_of!(RuleHeader, values)),
            }
        }
        Ok(rule)
    }

    /// The text of its conditions, one behind the other.
    #[must_use]
    pub const fn strings(&self) -> &'a [u8] {
        self.text
    }

    /// When it is looked at.
    #[must_use]
    pub const fn filter(&self) -> Filter {
        self.header.flags.list()
    }

    /// Its conditions, in order; all have to hold.
    #[must_use]
    pub fn conditions(&self) -> Conditions<'a> {
        Conditions { rule: *self, next: 0, text: self.text }
    }

    /// The first condition on a field.
    #[must_use]
    pub fn condition(&self, field: RuleField) -> Option<Condition<'a>> {
        self.conditions().find(|condition| condition.field == field)
    }

    fn raw(&self) -> impl Iterator<Item = (RuleField, RuleOperator, u32)> + '_ {
        let RuleHeader { fields, fieldflags, values, field_count, .. } = &self.header;
        let count = usize::try_from(*field_count).unwrap_or(0);
        let rows = fields.0.iter().zip(&fieldflags.0).zip(&values.0).take(count);
        rows.map(|((field, operator), value)| (*field, *operator, *value))
    }
}

/// The conditions of a rule.
#[derive(Clone, Copy, Debug)]
pub struct Conditions<'a> {
    rule: Rule<'a>,
    next: usize,
    text: &'a [u8],
}

impl<'a> Iterator for Conditions<'a> {
    type Item = Condition<'a>;

    fn next(&mut self) -> Option<Condition<'a>> {
        let (field, operator, number) = self.rule.raw().nth(self.next)?;
        self.next = self.next.saturating_add(1);
        let value = if field.is_text() {
            // The lengths were checked when the rule was read.
            let length = usize::try_from(number).unwrap_or(usize::MAX);
            let (text, rest) = self.text.split_at_checked(length).unwrap_or((self.text, &[]));
            self.text = rest;
            ConditionValue::Text(Text::from_bytes(text))
        } else {
            ConditionValue::Number(number)
        };
        Some(Condition { field, operator, value })
    }
}

/// Writes a rule; errors stick and come back once, from [`finish`](RuleBuilder::finish).
///
/// ```
/// use ringlink_codec::audit::{Action, Filter, RuleBuilder, RuleField, RuleOperator};
///
/// let mut text = [0; 64];
/// let mut rule = RuleBuilder::new(&mut text, Filter::EXIT, Action::ALWAYS);
/// rule.syscall(2);
/// rule.number(RuleField::UID, RuleOperator::GREATER_THAN_OR_EQUAL, 1000);
/// rule.text(RuleField::FILTERKEY, RuleOperator::EQUAL, "opens");
/// let rule = rule.finish()?;
/// assert_eq!((rule.header.field_count, rule.conditions().count()), (2, 2));
/// # Ok::<(), ringlink_codec::Error>(())
/// ```
#[derive(Debug)]
pub struct RuleBuilder<'b> {
    header: RuleHeader,
    text: &'b mut [u8],
    error: Option<Error>,
}

impl<'b> RuleBuilder<'b> {
    /// A rule without conditions and system calls, whose text goes into this buffer.
    #[must_use]
    pub fn new(text: &'b mut [u8], filter: Filter, action: Action) -> Self {
        Self { header: RuleHeader { flags: filter, action, ..RuleHeader::default() }, text, error: None }
    }

    /// The rule is to stand before others.
    pub fn prepend(&mut self) {
        self.header.flags.0 |= Filter::PREPEND;
    }

    /// A system call is meant, too.
    pub fn syscall(&mut self, number: u16) {
        if !self.header.mask.add(number) {
            self.fail(ErrorKind::RecordLength { length: number.into(), available: 2048 });
        }
    }

    /// All system calls are meant.
    pub fn all_syscalls(&mut self) {
        self.header.mask = Syscalls::ALL;
    }

    /// Whether no system call is meant so far.
    #[must_use]
    pub fn is_without_syscalls(&self) -> bool {
        self.header.mask == Syscalls::NONE
    }

    /// Which system calls are meant hangs on their architecture. Auditctl puts this before all others.
    pub fn architecture(&mut self, operator: RuleOperator, architecture: Architecture) {
        self.number(RuleField::ARCH, operator, architecture.0);
    }

    /// A condition with a number.
    pub fn number(&mut self, field: RuleField, operator: RuleOperator, value: u32) {
        match field.is_text() {
            false => self.condition(field, operator, value),
            true => self.fail(ErrorKind::Unexpected),
        }
    }

    /// What a file is opened for.
    pub fn permissions(&mut self, permissions: Permissions) {
        self.number(RuleField::PERM, RuleOperator::EQUAL, permissions.0);
    }

    /// Two ids are compared.
    pub fn compare(&mut self, operator: RuleOperator, comparison: Comparison) {
        self.number(RuleField::FIELD_COMPARE, operator, comparison.0);
    }

    /// A condition with text, of at least one byte.
    pub fn text(&mut self, field: RuleField, operator: RuleOperator, text: &str) {
        if !field.is_text() || text.is_empty() || text.bytes().any(|byte| byte == 0) {
            return self.fail(ErrorKind::Unexpected);
        }
        let start = usize::try_from(self.header.buflen).unwrap_or(usize::MAX);
        let end = start.saturating_add(text.len());
        let capacity = short(self.text.len());
        match self.text.get_mut(start..end) {
            Some(space) => space.copy_from_slice(text.as_bytes()),
            None => return self.fail(ErrorKind::Full { needed: short(end), capacity }),
        }
        self.header.buflen = short(end);
        self.condition(field, operator, short(text.len()));
    }

    /// The rule.
    ///
    /// # Errors
    ///
    /// If it has more than 64 conditions, a field got a number where it has text or the other way round, a system call's number
    /// is beyond 2047, or the text did not fit the buffer.
    pub fn finish(self) -> Result<Rule<'b>, Error> {
        match self.error {
            Some(error) => Err(error),
            None => Rule::of(self.header, self.text),
        }
    }

    fn condition(&mut self, field: RuleField, operator: RuleOperator, value: u32) {
        let at = usize::try_from(self.header.field_count).unwrap_or(usize::MAX);
        let RuleHeader { fields, values, fieldflags, .. } = &mut self.header;
        match (fields.0.get_mut(at), values.0.get_mut(at), fieldflags.0.get_mut(at)) {
            (Some(fields), Some(values), Some(flags)) => (*fields, *values, *flags) = (field, value, operator),
            _ => {
                return self.fail(ErrorKind::RecordLength {
                    length: short(at.saturating_add(1)),
                    available: short(MAX_FIELDS),
                });
            }
        }
        self.header.field_count = self.header.field_count.saturating_add(1);
    }

    #[cold]
    fn fail(&mut self, kind: ErrorKind) {
        self.error.get_or_insert(Error::new(kind, self.header.field_count));
    }
}

impl Rule<'_> {
    /// Writes what is behind the struct in a request ([`Audit::ADD_RULE`](super::Audit::ADD_RULE), [`Audit::DEL_RULE`](super::Audit::DEL_RULE)).
    pub fn write(&self, to: &mut AttributeWriter<'_, '_, NoAttributes>) {
        to.tail(self.text);
    }
}

/// The keys in a condition's text.
pub fn keys(text: Text<'_>) -> impl Iterator<Item = Text<'_>> {
    text.as_bytes().split(|byte| *byte == KEY_SEPARATOR).map(Text::from_bytes)
}

const _: () = assert!(size_of::<RuleHeader>() == 1040);
