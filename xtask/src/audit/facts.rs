//! The second witness: names, numbers and sizes of a newer kernel, kept as tab-separated files beside the project.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use ringlink_codec::table::{Row, Shape, Space};

use super::Findings;
use super::headers::ends_between_fields;
use super::walk::{Tables, c_name};
use crate::failure::{Context, Outcome};

/// What the files say.
pub struct Facts {
    /// Attributes by C name.
    attributes: BTreeMap<String, Attribute>,
    /// Messages and commands by C name: family and number.
    messages: BTreeMap<String, (String, u64)>,
    /// Sizes of structs on x86-64, where known.
    sizes: BTreeMap<String, u64>,
}

/// What stands among messages and attributes in the headers and is none: words of ipset(8), and where a part of its numbers
/// ends.
const NEVER_SENT: &[&str] = &[
    "IPSET_ATTR_CADT_MAX",
    "IPSET_CMD_RESTORE",
    "IPSET_CMD_HELP",
    "IPSET_CMD_VERSION",
    "IPSET_CMD_QUIT",
    "IPSET_CMD_MAX",
];

struct Attribute {
    family: String,
    space: String,
    number: u64,
    /// The kernel's policy, then the YNL type: what is known of the payload's form.
    forms: [String; 2],
}

/// How much of one family the tables have.
#[derive(Default)]
struct Coverage {
    covered: usize,
    missing: Vec<String>,
    wrong: usize,
}

impl Facts {
    /// Reads `attributes.tsv`, `messages.tsv` and `structs.tsv` of a folder.
    pub fn read(folder: &Path) -> Outcome<Self> {
        let mut facts = Self { attributes: BTreeMap::new(), messages: BTreeMap::new(), sizes: BTreeMap::new() };
        for row in
            table(folder, "attributes.tsv", &["family", "space", "value", "name", "kernel_policy_6.12", "spec_type"])?
        {
            let [family, space, value, name, policy, form] = row;
            // A space that only a description has carries names that no header has; they repeat between families.
            if let (Ok(number), false) = (value.parse(), space.starts_with("(spec)")) {
                facts.attributes.insert(bare(&name), Attribute { family, space, number, forms: [policy, form] });
            }
        }
        for [family, name, value] in table(folder, "messages.tsv", &["family", "name", "value"])? {
            if let Ok(number) = value.parse() {
                facts.messages.insert(bare(&name), (family, number));
            }
        }
        for [name, size] in table(folder, "structs.tsv", &["struct", "sizeof_x86_64"])? {
            if let Ok(size) = size.parse() {
                facts.sizes.insert(name, size);
            }
        }
        facts.attributes.retain(|name, _| !NEVER_SENT.contains(&name.as_str()));
        facts.messages.retain(|name, _| !NEVER_SENT.contains(&name.as_str()));
        Ok(facts)
    }

    /// Compares all tables with the facts, and prints a line for every family that the tables have something of.
    pub fn compare(&self, tables: &Tables, findings: &mut Findings, verbose: bool) {
        let mut ours = BTreeSet::new();
        let mut families: BTreeMap<&str, Coverage> = BTreeMap::new();
        let mut count = |family, right: bool| {
            let coverage = families.entry(family).or_default();
            match right {
                true => coverage.covered += 1,
                false => coverage.wrong += 1,
            }
        };
        let mut names: Vec<(&str, String, u64)> = Vec::new();
        for (_, table) in &tables.operations {
            names.extend(table.rows.iter().map(|row| (table.name, row.name.to_owned(), u64::from(row.number))));
        }
        for values in &tables.values {
            names.extend(values.rows().map(|(name, number)| (values.table.name, name, number)));
        }
        for space in &tables.spaces {
            names.extend(space.rows().map(|row| (space.name, c_name(row.name), u64::from(row.number))));
            findings.wrong.extend(self.other_names(space, findings));
            findings.doubts.extend(space.rows().filter_map(|row| self.doubt(space, row)));
        }
        for (table, name, number) in names {
            let fact = self.attributes.get(&name).map(|fact| (fact.family.as_str(), fact.number));
            let fact = fact.or_else(|| self.messages.get(&name).map(|(family, number)| (family.as_str(), *number)));
            match fact {
                None if !findings.confirmed.contains(&name) => findings.unwitnessed.push(format!("{table}: {name}")),
                None => {}
                Some((family, theirs)) => {
                    count(family, theirs == number);
                    if theirs != number {
                        findings.wrong.push(format!("{table}: {name} is {number} in the table, {theirs} in the facts"));
                    }
                    ours.insert(name);
                }
            }
        }
        self.count_missing(&ours, &mut families);
        print(&families, verbose);
        self.compare_sizes(tables, findings);
    }

    fn count_missing(&self, ours: &BTreeSet<String>, families: &mut BTreeMap<&str, Coverage>) {
        let attributes = self.attributes.iter().map(|(name, fact)| (name, fact.family.as_str()));
        let messages = self.messages.iter().map(|(name, (family, _))| (name, family.as_str()));
        for (name, family) in attributes.chain(messages).filter(|(name, _)| !ours.contains(*name)) {
            if let Some(coverage) = families.get_mut(family) {
                coverage.missing.push(name.clone());
            }
        }
    }

    /// Rows whose number has another name in the facts, unless the installed headers know ours as well.
    fn other_names(&self, space: &Space, findings: &Findings) -> Vec<String> {
        let mut homes: BTreeMap<&str, usize> = BTreeMap::new();
        for fact in space.rows().filter_map(|row| self.attributes.get(&c_name(row.name))) {
            *homes.entry(&fact.space).or_default() += 1;
        }
        let Some((home, _)) = homes.into_iter().max_by_key(|(_, rows)| *rows) else {
            return Vec::new();
        };
        let theirs: BTreeMap<u64, &str> = self
            .attributes
            .iter()
            .filter(|(_, fact)| fact.space == home)
            .map(|(name, fact)| (fact.number, name.as_str()))
            .collect();
        let unknown = |row: &Row| {
            !self.attributes.contains_key(&c_name(row.name)) && !findings.confirmed.contains(&c_name(row.name))
        };
        space
            .rows()
            .filter(unknown)
            .filter_map(|row| theirs.get(&u64::from(row.number)).map(|name| (row, name)))
            .map(|(row, name)| {
                format!("{}: {} is {} in the facts under number {}", space.name, row.name, name, row.number)
            })
            .collect()
    }

    /// A row whose payload has another form than the kernel's policy, or where there is none its description, says.
    fn doubt(&self, space: &Space, row: Row) -> Option<String> {
        let fact = self.attributes.get(&c_name(row.name))?;
        let [policy, spec] = &fact.forms;
        let (theirs, said) = Form::of_policy(policy)
            .map(|form| (form, policy))
            .or_else(|| Form::of_spec(spec).map(|form| (form, spec)))?;
        let ours = Form::of_shape(row.shape)?;
        (ours != theirs)
            .then(|| format!("{}: {} is {:?} in the table, the kernel says {said}", space.name, row.name, row.shape))
    }

    fn compare_sizes(&self, tables: &Tables, findings: &mut Findings) {
        let mut covered = 0;
        for layout in &tables.layouts {
            let Some(theirs) = self.sizes.get(layout.name) else {
                continue;
            };
            let difference = || {
                format!("{0}: struct {0} has {1} bytes in the table, {theirs} in the facts", layout.name, layout.size)
            };
            match u64::try_from(layout.size) {
                Ok(ours) if ours == *theirs => covered += 1,
                // Ours may show the first of the elements that end a struct of no fixed length.
                _ if ends_between_fields(layout, *theirs) => findings.notes.push(difference()),
                _ => findings.wrong.push(difference()),
            }
        }
        println!("structs: {covered} of {} have the facts' size", tables.layouts.len());
    }
}

/// A name without the remark that may stand behind it in parentheses.
fn bare(name: &str) -> String {
    name.split(" (").next().unwrap_or(name).to_owned()
}

/// The form of a payload, as far as a policy tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A number of this many bytes.
    Number(u8),
    Flag,
    Nest,
}

impl Form {
    fn of_shape(shape: Shape) -> Option<Self> {
        match shape {
            Shape::Unsigned(bytes) | Shape::Signed(bytes) | Shape::BigEndian(bytes) | Shape::SignedBigEndian(bytes) => {
                Some(Self::Number(bytes))
            }
            Shape::Named(_, base) => Self::of_shape(*base),
            Shape::Many(of) => Self::of_shape(*of),
            Shape::Ipv4 => Some(Self::Number(4)),
            Shape::Flag => Some(Self::Flag),
            Shape::Nest(_) | Shape::Indexed(_) => Some(Self::Nest),
            _ => None,
        }
    }

    fn of_policy(policy: &str) -> Option<Self> {
        let kind = policy
            .split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_')
            .find_map(|word| word.strip_prefix("NLA_").filter(|kind| !kind.starts_with("POLICY")))?;
        match kind {
            "U8" | "S8" => Some(Self::Number(1)),
            "U16" | "S16" | "BE16" => Some(Self::Number(2)),
            "U32" | "S32" | "BE32" => Some(Self::Number(4)),
            "U64" | "S64" | "MSECS" => Some(Self::Number(8)),
            "FLAG" => Some(Self::Flag),
            "NESTED" | "NESTED_ARRAY" => Some(Self::Nest),
            _ => None,
        }
    }

    fn of_spec(spec: &str) -> Option<Self> {
        match spec {
            "u8" | "s8" => Some(Self::Number(1)),
            "u16" | "s16" => Some(Self::Number(2)),
            "u32" | "s32" => Some(Self::Number(4)),
            "u64" | "s64" => Some(Self::Number(8)),
            "flag" => Some(Self::Flag),
            "nest" | "nest-type-value" => Some(Self::Nest),
            _ => None,
        }
    }
}

fn print(families: &BTreeMap<&str, Coverage>, verbose: bool) {
    println!("{:<20} {:>8} {:>8} {:>8}", "family", "covered", "missing", "wrong");
    for (family, coverage) in families {
        println!("{family:<20} {:>8} {:>8} {:>8}", coverage.covered, coverage.missing.len(), coverage.wrong);
        if verbose {
            coverage.missing.iter().for_each(|name| println!("    missing: {name}"));
        }
    }
}

/// Some columns of a file with a line of column names.
fn table<const N: usize>(folder: &Path, name: &str, columns: &[&str; N]) -> Outcome<Vec<[String; N]>> {
    let path = folder.join(name);
    let text = fs::read_to_string(&path).context(|| format!("cannot read {}", path.display()))?;
    rows(&text, columns).context(|| path.display().to_string())
}

fn rows<const N: usize>(text: &str, columns: &[&str; N]) -> Outcome<Vec<[String; N]>> {
    let mut lines = text.lines();
    let header: Vec<&str> = lines.next().unwrap_or_default().split('\t').collect();
    let mut places = [0; N];
    for (place, column) in places.iter_mut().zip(columns) {
        let found = header.iter().position(|found| found == column);
        *place = found.context(|| format!("no column {column}"))?;
    }
    Ok(lines
        .filter(|line| !line.is_empty())
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            places.map(|place| cells.get(place).copied().unwrap_or_default().to_owned())
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_found_by_name() {
        let text = "a\tb\tc\n1\t2\t3\n\n4\t5\n";
        let found = rows(text, &["c", "a"]).expect("both are there");
        assert_eq!(found, [["3".to_owned(), "1".to_owned()], [String::new(), "4".to_owned()]]);
        assert_eq!(rows(text, &["d"]).expect_err("not there").to_string(), "no column d");
    }

    #[test]
    fn a_wrong_number_and_another_name_are_found() {
        let fact = |name: &str, number| {
            let forms = [String::new(), String::new()];
            (name.to_owned(), Attribute { family: "rt-link".into(), space: "IFLA".into(), number, forms })
        };
        let attributes = [fact("IFLA_MTU", 5), fact("IFLA_LINK", 5), fact("IFLA_OTHER", 3), fact("IFLA_MORE", 999)];
        let facts = Facts { attributes: attributes.into(), messages: BTreeMap::new(), sizes: BTreeMap::new() };
        let mut findings = Findings::default();
        facts.compare(&Tables::gather(), &mut findings, false);
        let wanted =
            ["IFLA_MTU is 4 in the table, 5 in the facts", "IFLA_IFNAME is IFLA_OTHER in the facts under number 3"];
        for wanted in wanted {
            assert!(findings.wrong.iter().any(|line| line.ends_with(wanted)), "{wanted}: {:?}", findings.wrong);
        }
        assert!(!findings.wrong.iter().any(|line| line.contains("IFLA_LINK ")));
    }

    #[test]
    fn policies_tell_forms() {
        let cases = [
            ("{ .type = NLA_U32 }", Some(Form::Number(4))),
            ("{.type = NLA_NESTED}", Some(Form::Nest)),
            ("NLA_POLICY_MAX(NLA_U8, 1)", Some(Form::Number(1))),
            ("NLA_POLICY_NESTED(some_policy)", None),
            ("{ .len = ETH_ALEN }", None),
            ("", None),
        ];
        for (policy, form) in cases {
            assert_eq!(Form::of_policy(policy), form, "{policy}");
        }
    }
}
