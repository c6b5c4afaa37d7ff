//! Words of auditctl(8) and the numbers that they stand for.

use ringlink::codec::audit::{Filter, RuleField, RuleOperator};

/// Filters, as `-a` and `-l` have them.
const FILTERS: &[(&str, Filter)] = &[
    ("user", Filter::USER),
    ("task", Filter::TASK),
    ("exit", Filter::EXIT),
    ("exclude", Filter::EXCLUDE),
    ("filesystem", Filter::FS),
    ("io_uring", Filter::URING_EXIT),
];

/// Operators; of two that begin alike, the longer first.
const OPERATORS: &[(&str, RuleOperator)] = &[
    ("!=", RuleOperator::NOT_EQUAL),
    ("<=", RuleOperator::LESS_THAN_OR_EQUAL),
    (">=", RuleOperator::GREATER_THAN_OR_EQUAL),
    ("&=", RuleOperator::BIT_TEST),
    ("=", RuleOperator::EQUAL),
    ("<", RuleOperator::LESS_THAN),
    (">", RuleOperator::GREATER_THAN),
    ("&", RuleOperator::BIT_MASK),
];

/// Fields whose words are not the kernel's names.
const FIELDS: &[(&str, RuleField)] = &[
    ("auid", RuleField::LOGINUID),
    ("path", RuleField::WATCH),
    ("key", RuleField::FILTERKEY),
    ("a0", RuleField::ARG0),
    ("a1", RuleField::ARG1),
    ("a2", RuleField::ARG2),
    ("a3", RuleField::ARG3),
];

/// File types, in conditions `filetype`.
const FILE_TYPES: &[(&str, u32)] = &[
    ("file", libc::S_IFREG),
    ("dir", libc::S_IFDIR),
    ("socket", libc::S_IFSOCK),
    ("link", libc::S_IFLNK),
    ("character", libc::S_IFCHR),
    ("block", libc::S_IFBLK),
    ("fifo", libc::S_IFIFO),
];

/// File systems, in conditions `fstype`.
const FILE_SYSTEMS: &[(&str, u32)] = &[("debugfs", 0x6462_6720), ("tracefs", 0x7472_6163)];

fn named<T: Copy>(table: &[(&'static str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

fn name_of<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> Option<&'static str> {
    table.iter().find(|(_, known)| known == value).map(|(name, _)| *name)
}

pub(super) fn filter(name: &str) -> Option<Filter> {
    named(FILTERS, name)
}

pub(super) fn filter_name(filter: Filter) -> Option<&'static str> {
    name_of(FILTERS, &filter)
}

pub(super) fn operator_name(operator: RuleOperator) -> &'static str {
    name_of(OPERATORS, &operator).unwrap_or("?")
}

/// A field's word, an operator and the rest of a condition.
pub(super) fn condition(word: &str) -> Option<(&str, RuleOperator, &str)> {
    let at = word.find(['=', '!', '<', '>', '&'])?;
    let (field, rest) = word.split_at(at);
    let (sign, operator) = OPERATORS.iter().find(|(sign, _)| rest.starts_with(sign))?;
    Some((field, *operator, &rest[sign.len()..])).filter(|(field, _, value)| !field.is_empty() && !value.is_empty())
}

pub(super) fn field(name: &str) -> Option<RuleField> {
    let plain = || RuleField::TABLE.value_of(name).and_then(|value| u32::try_from(value).ok()).map(RuleField);
    named(FIELDS, name).or_else(|| plain().filter(|_| !name.contains(char::is_uppercase)))
}

pub(super) fn field_name(field: RuleField) -> String {
    match name_of(FIELDS, &field) {
        Some(name) => name.to_owned(),
        None => field.to_string().to_lowercase(),
    }
}

pub(super) fn file_type(name: &str) -> Option<u32> {
    named(FILE_TYPES, name)
}

pub(super) fn file_system(name: &str) -> Option<u32> {
    named(FILE_SYSTEMS, name)
}

pub(super) fn file_system_name(magic: u32) -> Option<&'static str> {
    name_of(FILE_SYSTEMS, &magic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_a_field_an_operator_and_a_value() {
        assert_eq!(condition("uid>=1000"), Some(("uid", RuleOperator::GREATER_THAN_OR_EQUAL, "1000")));
        assert_eq!(condition("a1&=0x40"), Some(("a1", RuleOperator::BIT_TEST, "0x40")));
        assert_eq!(condition("a1&64"), Some(("a1", RuleOperator::BIT_MASK, "64")));
        assert_eq!(condition("path=/a=b"), Some(("path", RuleOperator::EQUAL, "/a=b")));
        for word in ["uid", "=1", "uid=", "uid!1", ""] {
            assert_eq!(condition(word), None, "{word}");
        }
    }

    #[test]
    fn fields_there_and_back() {
        for row in RuleField::TABLE.rows {
            let known = RuleField(u32::try_from(row.value).unwrap());
            assert_eq!(field(&field_name(known)), Some(known));
        }
        assert_eq!((field("nosuch"), field("UID")), (None, None));
    }
}
