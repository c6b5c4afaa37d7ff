//! `genl`: families of generic netlink by name: which there are, what they take, and any command of those with tables.

mod request;

use std::collections::BTreeSet;

use ringlink::codec::generic::{ControlFlags, Family, GenericHeader, Numbers};
use ringlink::codec::protocol::GENERIC;
use ringlink::codec::reply::AttributeType;
use ringlink::codec::table::{Operation, OperationRow, Shape, Space, Table, Verb};
use ringlink::codec::wire::Message;
use ringlink::generic::{FamilyInfo, Generic, Policies, Rule};
use ringlink::{Config, Error};

use crate::arguments::{Words, keyword};
use crate::failure::Failure;
use crate::output::{Face, Formatted, Output};
use crate::session::{Session, warn};
use request::{Chosen, Node};

/// What `ringlink genl help` says.
pub(crate) const HELP: &str = "\
ringlink genl [list]
ringlink genl policy FAMILY [COMMAND]
ringlink genl call | dump FAMILY COMMAND [--check] [--secrets] [ATTRIBUTE VALUE …]

Families of generic netlink by their names, commands and attributes by the kernel's, with or without their prefix, in any
case: `genl call ethtool rings_get header.dev_name eth0`.

  list    the families that this kernel has, their commands and multicast groups
  policy  what this kernel says the attributes of a family's commands must be like
  call    one command: a question for one answer, or a change; what the kernel answers is printed
  dump    a question for all

An attribute in a nest is named by its path, HEADER.DEV_NAME; those with the same beginning go into the same nest. Where a
nest may stand several times, one that would get an attribute a second time is the next (MODES.BITS.BIT.NAME a
MODES.BITS.BIT.NAME b); of a list, the item's number is part of the path (PEERS.0.ALLOWEDIPS.0.IPADDR). Values are as the
attribute has them: numbers, or the kernel's names for them (several joined by `|`), text, addresses, on or off for one
whose presence is its value, bytes in hexadecimal; keys of 32 bytes in base64, too, and any bytes as @FILE, so that
a key stands in no list of processes.

  --check    hold the request against what this kernel says it must be like, and name what is at fault, before sending it
  --secrets  print keys, which are otherwise only counted

With --json, answers are objects, one a line.
";

/// Does what the words behind `genl` say.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    const EXPECTED: &str = "list, policy, call, dump or help";
    match words.next() {
        None => list(session),
        Some(word) => match keyword(word, &["list", "policy", "call", "dump"]) {
            Some("list") if words.peek().is_none() => list(session),
            Some("list") => {
                words.next();
                Err(words.refuse("nothing more"))
            }
            Some("policy") => policy(session, words),
            Some("call") => send(session, words, false),
            Some(_) => send(session, words, true),
            None => Err(words.refuse(EXPECTED)),
        },
    }
}

fn open(config: &Config) -> Result<Generic, Failure> {
    Ok(Generic::with(config.clone())?)
}

/// The families that the kernel has.
fn list(session: &mut Session) -> Result<(), Failure> {
    let mut families = open(session.config())?.families()?;
    families.sort_by(|one, two| one.name.cmp(&two.name));
    for family in &families {
        let known = Family::named(&family.name);
        session.output.row(|row| {
            row.field("name", "", family.name.as_str());
            row.field("id", "id", family.id);
            row.field("version", "version", family.version);
            if family.header > 0 {
                row.field("header", "header", family.header);
            }
            row.json("tables", known.is_some());
            if !family.groups.is_empty() {
                row.word("groups");
                row.list("groups", |row| {
                    for (name, number) in &family.groups {
                        row.entry(|row| {
                            row.field("name", "", name.as_str());
                            row.field("id", "", *number);
                        });
                    }
                });
            }
            if row.is_json() {
                row.list("commands", |row| commands(row, family, known));
            } else {
                row.word(Formatted(format_args!("commands {}", family.commands.len())));
                if known.is_none() {
                    row.word("(no tables)");
                }
            }
        });
    }
    session.finish()
}

fn commands(row: &mut Output, family: &FamilyInfo, known: Option<&'static Family>) {
    for (number, flags) in &family.commands {
        let name = known.and_then(|known| known.requests.row(u16::try_from(*number).ok()?)).map(|row| row.name);
        row.entry(|row| {
            row.json("id", *number);
            if let Some(name) = name {
                row.json("name", name);
            }
            row.json("flags", Formatted(format_args!("{flags}")));
        });
    }
}

/// What the kernel says attributes must be like: a row for each.
fn policy(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let name = words.value("a family's name")?;
    let mut generic = open(session.config())?;
    let policies = generic.policies(name).map_err(|error| no_family(&mut generic, name, error))?;
    let known = Family::named(name);
    let wanted = match words.next() {
        None => None,
        Some(word) => {
            let row = known.and_then(|known| command(known, word));
            Some(row.ok_or_else(|| words.refuse(&expected_command(known)))?.number)
        }
    };
    if words.next().is_some() {
        return Err(words.refuse("nothing more"));
    }
    for (number, (one, all)) in &policies.commands {
        if wanted.is_some_and(|wanted| wanted != *number) {
            continue;
        }
        let row = known.and_then(|known| known.requests.row(*number));
        let label = row.map_or_else(|| number.to_string(), |row| row.name.to_owned());
        for (kind, policy) in [("do", one), ("dump", all)] {
            if let Some(policy) = policy {
                let mut walk = Rules { policies: &policies, command: &label, kind, open: BTreeSet::new() };
                walk.print(&mut session.output, *policy, row.map(|row| (row.space)()), "");
            }
        }
    }
    session.finish()
}

/// The rules of one command, on their way to the output.
struct Rules<'p> {
    policies: &'p Policies,
    command: &'p str,
    kind: &'static str,
    /// Policies that are being printed: one may lead to itself.
    open: BTreeSet<u32>,
}

impl Rules<'_> {
    fn print(&mut self, output: &mut Output, policy: u32, space: Option<&'static Space>, path: &str) {
        if !self.open.insert(policy) {
            return;
        }
        for (number, rule) in self.policies.policies.get(&policy).into_iter().flatten() {
            let row = space.and_then(|space| space.row(*number));
            let name = row.map_or_else(|| number.to_string(), |row| row.name.to_owned());
            let path = if path.is_empty() { name } else { format!("{path}.{name}") };
            output.row(|row| {
                row.field("command", "", self.command);
                row.field("request", "", self.kind);
                row.field("attribute", "", path.as_str());
                rule_fields(row, rule);
            });
            if let Some(nest) = rule.nest {
                self.print(output, nest, row.and_then(|row| inner(row.shape)), &path);
            }
        }
        self.open.remove(&policy);
    }
}

fn rule_fields(row: &mut Output, rule: &Rule) {
    let kind = AttributeType::TABLE.name_of(rule.kind.0.into()).unwrap_or("unknown");
    row.field("type", "", kind);
    let full = |bits: u32| (Some(0), Some(u64::MAX >> (64 - bits)));
    let unsigned = match rule.kind {
        // The whole range of a type says nothing.
        AttributeType::U8 if rule.unsigned == full(8) => (None, None),
        AttributeType::U16 if rule.unsigned == full(16) => (None, None),
        AttributeType::U32 if rule.unsigned == full(32) => (None, None),
        AttributeType::U64 | AttributeType::UINT if rule.unsigned == full(64) => (None, None),
        _ => rule.unsigned,
    };
    for (key, value) in [("min", unsigned.0), ("max", unsigned.1), ("mask", rule.mask)] {
        if let Some(value) = value {
            row.field(key, key, value);
        }
    }
    for (key, value) in [("min", rule.signed.0), ("max", rule.signed.1)] {
        if let Some(value) = value {
            row.field(key, key, value);
        }
    }
    for (key, label, value) in
        [("min_length", "min length", rule.length.0), ("max_length", "max length", rule.length.1)]
    {
        if let Some(value) = value {
            row.field(key, label, value);
        }
    }
}

/// The space of what is in an attribute.
fn inner(shape: Shape) -> Option<&'static Space> {
    match shape {
        Shape::Nest(space) => Some(space()),
        Shape::Many(of) | Shape::Indexed(of) => inner(*of),
        _ => None,
    }
}

/// A command by its name, with or without the prefix, in any case.
fn command(family: &'static Family, word: &str) -> Option<&'static OperationRow> {
    let is = |row: &&OperationRow| {
        let bare = row.name.strip_prefix(family.requests.prefix).unwrap_or(row.name);
        row.name.eq_ignore_ascii_case(word) || bare.eq_ignore_ascii_case(word)
    };
    family.requests.rows.iter().find(is)
}

fn expected_command(family: Option<&'static Family>) -> String {
    let Some(family) = family else { return "nothing more: there are no tables for this family".into() };
    let bare = |row: &OperationRow| row.name.strip_prefix(family.requests.prefix).unwrap_or(row.name).to_lowercase();
    let names: Vec<String> = family.requests.rows.iter().map(bare).collect();
    format!("a command of {}: {}", family.name, names.join(", "))
}

/// What to say of a family that is not there.
fn no_family(generic: &mut Generic, name: &str, error: Error) -> Failure {
    if !error.is_not_found() {
        return error.into();
    }
    let names: Vec<String> = generic.families().unwrap_or_default().into_iter().map(|family| family.name).collect();
    let text = match Family::named(name) {
        Some(_) => format!("this kernel has no family `{name}`: it was built without it, or its module is not loaded"),
        None => format!("this kernel has no family `{name}`; it has {}", names.join(", ")),
    };
    Failure::Input(text)
}

/// Sends one command, and prints its answers.
fn send(session: &mut Session, words: &mut Words<'_>, all: bool) -> Result<(), Failure> {
    let name = words.value("a family's name")?;
    let Some(family) = Family::named(name) else {
        let names: Vec<&str> = ringlink::codec::generic::FAMILIES.iter().map(|family| family.name).collect();
        return Err(words.refuse(&format!("a family with tables: {}", names.join(", "))));
    };
    let word = words.value(&expected_command(Some(family)))?;
    let Some(row) = command(family, word) else { return Err(words.refuse(&expected_command(Some(family)))) };
    let (mut check, mut secrets) = (false, false);
    let mut nodes: Vec<Node> = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "--check" => check = true,
            "--secrets" => secrets = true,
            path => {
                let value = words.value(&format!("the value of `{path}`"))?;
                request::add(&mut nodes, (row.space)(), path, value).map_err(Failure::Usage)?;
            }
        }
    }
    if all && row.verb != Verb::Get {
        return Err(Failure::Usage(format!("{} is no question: `genl call` makes the change", row.name)));
    }
    Chosen::is((row.space)());

    let mut generic = open(session.config())?;
    let info = generic.family(family.name).map_err(|error| no_family(&mut generic, family.name, error))?;
    let capable = if all { ControlFlags::CMD_CAP_DUMP } else { ControlFlags::CMD_CAP_DO };
    match info.commands.get(&row.number.into()) {
        None => {
            return Err(Failure::Input(format!("this kernel's {} has no command {}", family.name, row.name)));
        }
        Some(flags) if !flags.contains(capable) => {
            let (is, other) = if all { ("not dumped", "call") } else { ("only dumped", "dump") };
            return Err(Failure::Input(format!("{} is {is}: `genl {other}` asks for it", row.name)));
        }
        Some(_) => {}
    }
    if check {
        against_rules(&mut generic, family, row, all, &nodes)?;
    }
    let mut output = Output::new(if session.options.json { Face::JsonLines } else { Face::Text });
    let numbers = [(info.id, family)];
    let mut print = |message: Message<'_>| {
        let (tree, json) = (message.tree(&GENERIC), message.json(&GENERIC));
        let (tree, json) = if secrets { (tree.with_secrets(), json.with_secrets()) } else { (tree, json) };
        match session.options.json {
            true => output.verbatim(format_args!("{}\n", json.with(Numbers(&numbers)))),
            false => output.verbatim(format_args!("{}", tree.with(Numbers(&numbers)))),
        }
    };
    let operation = Operation::<(GenericHeader, Chosen)>::new(info.id, info.id).named(row.name);
    let header = header(family, row);
    let connection = generic.connection();
    connection.wipe();
    let done = match (all, row.verb) {
        (true, _) => connection.dump(operation, header, |to| request::write(&nodes, to)).and_then(|mut dump| {
            while let Some(message) = dump.next_message()? {
                print(message);
            }
            if dump.end().interrupted {
                warn(format_args!("what was dumped changed meanwhile: some of it may be missing or twice"));
            }
            Ok(())
        }),
        (false, Verb::Get) => {
            connection.get(operation, header, |to| request::write(&nodes, to)).map(|reply| print(reply.message()))
        }
        (false, _) => connection.apply_each(operation, header, |to| request::write(&nodes, to), print).map(|warning| {
            if let Some(warning) = warning {
                warn(format_args!("{warning}"));
            }
        }),
    };
    let closed = output.close();
    done?;
    Ok(closed?)
}

fn header(family: &'static Family, row: &OperationRow) -> GenericHeader {
    // Commands of generic families are bytes.
    GenericHeader { cmd: u8::try_from(row.number).unwrap_or(0), version: family.version, pad: 0 }
}

/// Holds a request against what the kernel says of its command.
fn against_rules(
    generic: &mut Generic,
    family: &'static Family,
    row: &'static OperationRow,
    all: bool,
    nodes: &[Node],
) -> Result<(), Failure> {
    let policies = generic.policies(family.name)?;
    let told = policies.commands.get(&row.number).and_then(|(one, every)| if all { *every } else { *one });
    if told.is_none() {
        warn(format_args!("not checked: this kernel does not say what {} must be like", row.name));
        return Ok(());
    }
    let mut buffer = vec![0; 32 * 1024];
    let operation = Operation::<(GenericHeader, Chosen)>::new(0x10, 0x10);
    let bytes = operation.write(&mut buffer, header(family, row), |to| request::write(nodes, to))?;
    let attributes = Message::parse(bytes)?.body(operation)?.attributes.raw();
    policies
        .check(row.number, all, Chosen::space(), attributes)
        .map_err(|violation| Failure::Input(format!("{}: {violation}", row.name)))
}
