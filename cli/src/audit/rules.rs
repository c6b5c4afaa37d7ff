//! Rules, in the words of auditctl(8).

use std::fmt::Write;

use ringlink::codec::audit::{
    Action, Architecture, Comparison, Condition, ConditionValue, Filter, KEY_SEPARATOR, Permissions, RecordType, Rule,
    RuleBuilder, RuleField, RuleOperator, keys,
};
use ringlink::codec::reply::Errno;

use super::{open, syscalls, words as names};
use crate::arguments::{Words, number};
use crate::failure::Failure;
use crate::output::{Face, Output};
use crate::session::Session;

/// Bytes of text that a rule's conditions may have: four paths and keys.
const TEXT: usize = 4 * 4096;

const EXPECTED: &str = "-a, -A, -d, -w, -W, -D, -S, -F, -C, -p, -k or --json";

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Task {
    List,
    Add,
    Delete,
    DeleteAll,
}

/// What the words ask for.
struct Asked<'w> {
    task: Task,
    prepend: bool,
    filter: Filter,
    action: Action,
    calls: Vec<&'w str>,
    /// In the order in which they stand: a rule is named by that, too.
    conditions: Vec<Asking<'w>>,
    watched: Option<&'w str>,
    keys: Vec<&'w str>,
}

/// A condition's words.
enum Asking<'w> {
    Field(&'w str, RuleOperator, &'w str),
    Comparison(&'w str, RuleOperator, &'w str),
    Permissions(&'w str),
}

/// Does what the words behind `rules` say.
pub(super) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let asked = read(session, words)?;
    match asked.task {
        Task::List => list(session, &asked),
        Task::DeleteAll => delete_all(session, &asked),
        Task::Add | Task::Delete => {
            let mut text = vec![0; TEXT];
            let rule = build(&asked, &mut text)?;
            let mut audit = open(session)?;
            Ok(if asked.task == Task::Add { audit.add_rule(&rule) } else { audit.delete_rule(&rule) }?)
        }
    }
}

fn read<'w>(session: &mut Session, words: &mut Words<'w>) -> Result<Asked<'w>, Failure> {
    let mut asked = Asked {
        task: Task::List,
        prepend: false,
        filter: Filter::EXIT,
        action: Action::ALWAYS,
        calls: Vec::new(),
        conditions: Vec::new(),
        watched: None,
        keys: Vec::new(),
    };
    while let Some(word) = words.next() {
        let task = match word {
            "-a" | "-A" | "-w" => Some(Task::Add),
            "-d" | "-W" => Some(Task::Delete),
            "-D" => Some(Task::DeleteAll),
            _ => None,
        };
        if let Some(task) = task {
            if asked.task != Task::List {
                return Err(words.refuse("one rule at a time"));
            }
            asked.task = task;
        }
        let expected = "a field, an operator and a value (uid>=1000)";
        match word {
            "-a" | "-A" | "-d" => {
                (asked.filter, asked.action) = words.parse("ACTION,LIST (always,exit)", list_and_action)?;
                asked.prepend = word == "-A";
            }
            "-w" | "-W" => {
                asked.watched =
                    Some(words.parse("a path that begins with /", |path| path.starts_with('/').then_some(path))?);
            }
            "-D" => {}
            "-S" => asked.calls.extend(words.value("a system call")?.split(',')),
            "-F" => match words.parse(expected, names::condition)? {
                ("key", RuleOperator::EQUAL, key) => asked.keys.push(key),
                (field, operator, value) => asked.conditions.push(Asking::Field(field, operator, value)),
            },
            "-C" => {
                let (one, operator, two) = words.parse("two ids and = or != between (uid!=euid)", names::condition)?;
                asked.conditions.push(Asking::Comparison(one, operator, two));
            }
            "-p" => asked.conditions.push(Asking::Permissions(words.value("permissions of r, w, x and a")?)),
            "-k" => asked.keys.push(words.value("a key")?),
            "--json" => session.options.json = true,
            _ => return Err(words.refuse(EXPECTED)),
        }
    }
    Ok(asked)
}

/// Both of `always,exit`, in either order.
fn list_and_action(word: &str) -> Option<(Filter, Action)> {
    let action = |word| match word {
        "always" => Some(Action::ALWAYS),
        "never" => Some(Action::NEVER),
        _ => None,
    };
    let (one, two) = word.split_once(',')?;
    match (names::filter(one), action(two)) {
        (Some(filter), Some(action)) => Some((filter, action)),
        _ => Some((names::filter(two)?, action(one)?)),
    }
}

fn build<'t>(asked: &Asked<'_>, text: &'t mut [u8]) -> Result<Rule<'t>, Failure> {
    let mut rule = RuleBuilder::new(text, asked.filter, asked.action);
    if asked.prepend {
        rule.prepend();
    }
    let mut architecture = syscalls::NATIVE;
    // A watch looks at a folder as at a file, but with all that is in it.
    if let Some(path) = asked.watched {
        let field = if std::path::Path::new(path).is_dir() { RuleField::DIR } else { RuleField::WATCH };
        rule.all_syscalls();
        rule.text(field, RuleOperator::EQUAL, path.strip_suffix('/').filter(|path| !path.is_empty()).unwrap_or(path));
        if !asked.conditions.iter().any(|asking| matches!(asking, Asking::Permissions(_))) {
            rule.permissions(permissions("rwxa")?);
        }
    }
    for asking in &asked.conditions {
        match *asking {
            Asking::Field(name, operator, value) => {
                let field = names::field(name).ok_or_else(|| wrong(name, "a field of auditctl(8)"))?;
                if field == RuleField::ARCH {
                    architecture = read_architecture(value)?;
                    rule.architecture(operator, architecture);
                } else if field.is_text() {
                    rule.text(field, operator, value);
                } else {
                    rule.number(field, operator, read_number(field, value)?);
                }
            }
            Asking::Comparison(one, operator, two) => {
                if !matches!(operator, RuleOperator::EQUAL | RuleOperator::NOT_EQUAL) {
                    return Err(wrong(names::operator_name(operator), "= or != between two ids"));
                }
                rule.compare(operator, read_comparison(one, two)?);
            }
            Asking::Permissions(words) => rule.permissions(permissions(words)?),
        }
    }
    for call in &asked.calls {
        match *call {
            "all" => rule.all_syscalls(),
            call => match number(call).or_else(|| syscalls::number(architecture, call)) {
                Some(number) => rule.syscall(number),
                None => return Err(wrong(call, &format!("a system call of {architecture}, or its number"))),
            },
        }
    }
    if rule.is_without_syscalls() && asked.filter != Filter::TASK {
        rule.all_syscalls();
    }
    let separator = char::from(KEY_SEPARATOR).to_string();
    let keys = asked.keys.join(&separator);
    if !keys.is_empty() {
        rule.text(RuleField::FILTERKEY, RuleOperator::EQUAL, &keys);
    }
    Ok(rule.finish()?)
}

fn wrong(found: &str, expected: &str) -> Failure {
    Failure::Usage(format!("`{found}`: expected {expected}"))
}

fn permissions(words: &str) -> Result<Permissions, Failure> {
    words.chars().try_fold(Permissions(0), |all, word| {
        Ok(all
            | match word {
                'r' => Permissions::READ,
                'w' => Permissions::WRITE,
                'x' => Permissions::EXEC,
                'a' => Permissions::ATTR,
                _ => return Err(wrong(words, "permissions of r, w, x and a")),
            })
    })
}

fn read_architecture(word: &str) -> Result<Architecture, Failure> {
    let native = syscalls::NATIVE;
    let found = match word {
        "b64" if native.0 & 0x8000_0000 != 0 => Some(native),
        "b32" => match native {
            Architecture::X86_64 => Some(Architecture::I386),
            Architecture::AARCH64 => Some(Architecture::ARM),
            Architecture::S390X => Some(Architecture::S390),
            _ => None,
        },
        _ => {
            let named = Architecture::TABLE.value_of(word).and_then(|value| u32::try_from(value).ok());
            named.or_else(|| number(word)).map(Architecture)
        }
    };
    found.ok_or_else(|| wrong(word, "b64, b32 or the name of an architecture"))
}

fn read_number(field: RuleField, word: &str) -> Result<u32, Failure> {
    // `number` knows numbers without a sign, in decimal and hexadecimal.
    let plain = |word: &str| number::<u32>(word).or_else(|| number::<i32>(word).map(i32::cast_unsigned));
    let found = match field {
        RuleField::PERM => return permissions(word).map(|permissions| permissions.0),
        RuleField::EXIT => {
            let (sign, name) = word.strip_prefix('-').map_or((1_i32, word), |name| (-1, name));
            let named = name.strip_prefix('E').and_then(|name| Errno::TABLE.value_of(name));
            plain(word).or_else(|| Some((sign * i32::try_from(named?).ok()?).cast_unsigned()))
        }
        RuleField::MSGTYPE => {
            plain(word).or_else(|| RecordType::TABLE.value_of(word).and_then(|value| u32::try_from(value).ok()))
        }
        RuleField::SUCCESS => match word {
            "yes" => Some(1),
            "no" => Some(0),
            _ => plain(word),
        },
        RuleField::FILETYPE => names::file_type(word).or_else(|| plain(word)),
        RuleField::FSTYPE => names::file_system(word).or_else(|| plain(word)),
        _ if word == "unset" => Some(u32::MAX),
        _ => plain(word),
    };
    found.ok_or_else(|| wrong(word, &format!("a value for {}", names::field_name(field))))
}

/// The kernel's name of a comparison has both ids, in one of two orders.
fn read_comparison(one: &str, two: &str) -> Result<Comparison, Failure> {
    let of = |one: &str, two: &str| Comparison::TABLE.value_of(&format!("{one}_TO_{two}"));
    let found = of(one, two).or_else(|| of(two, one)).and_then(|value| u32::try_from(value).ok());
    found.map(Comparison).ok_or_else(|| wrong(&format!("{one} and {two}"), "two ids that can be compared"))
}

/// Whether a rule has this key.
fn has_key(rule: &Rule<'_>, wanted: &[&str]) -> bool {
    wanted.iter().all(|wanted| match rule.condition(RuleField::FILTERKEY).map(|condition| condition.value) {
        Some(ConditionValue::Text(text)) => keys(text).any(|key| key == *wanted),
        _ => false,
    })
}

fn list(session: &mut Session, asked: &Asked<'_>) -> Result<(), Failure> {
    let mut output = Output::new(if session.options.json { Face::Json } else { Face::Text });
    let mut audit = open(session)?;
    let mut any = false;
    audit.rules(|rule| {
        if has_key(&rule, &asked.keys) {
            any = true;
            output.row(|row| print(row, &rule));
        }
        Ok(())
    })?;
    if !any && !output.is_json() {
        output.row(|row| row.word("No rules"));
    }
    Ok(output.finish()?)
}

fn delete_all(session: &mut Session, asked: &Asked<'_>) -> Result<(), Failure> {
    let mut audit = open(session)?;
    let mut rules = Vec::new();
    audit.rules(|rule| {
        if has_key(&rule, &asked.keys) {
            rules.push((rule.header, rule.strings().to_vec()));
        }
        Ok(())
    })?;
    for (header, text) in &rules {
        match audit.delete_rule(&Rule::of(*header, text)?) {
            // Somebody else was quicker.
            Err(error) if error.is_not_found() => {}
            other => other?,
        }
    }
    Ok(())
}

fn print(row: &mut Output, rule: &Rule<'_>) {
    row.json("list", names::filter_name(rule.filter()).unwrap_or("unknown"));
    row.json("action", action(rule.header.action).as_str());
    row.field("rule", "", line(rule).as_str());
    if !row.is_json() {
        return;
    }
    let architecture = architecture_of(rule);
    let mask = rule.header.mask;
    if mask.is_all() {
        row.json("syscalls", "all");
    } else {
        row.list("syscalls", |list| {
            mask.numbers().for_each(|number| list.item(call(architecture, number).as_str()));
        });
    }
    row.list("conditions", |list| {
        for condition in rule.conditions() {
            list.entry(|entry| {
                entry.json("field", names::field_name(condition.field).as_str());
                entry.json("operator", names::operator_name(condition.operator));
                match condition.value {
                    ConditionValue::Number(number) => entry.json("value", number),
                    ConditionValue::Text(text) if condition.field == RuleField::FILTERKEY => {
                        entry.list("value", |list| keys(text).for_each(|key| list.item(key)));
                    }
                    ConditionValue::Text(text) => entry.json("value", text),
                }
            });
        }
    });
}

fn action(action: Action) -> String {
    action.to_string().to_lowercase()
}

fn architecture_of(rule: &Rule<'_>) -> Architecture {
    match rule.condition(RuleField::ARCH) {
        Some(Condition { value: ConditionValue::Number(number), .. }) => Architecture(number),
        _ => syscalls::NATIVE,
    }
}

fn call(architecture: Architecture, number: u16) -> String {
    syscalls::name(architecture, number).map_or_else(|| number.to_string(), str::to_owned)
}

/// Whether auditctl shows a rule as a watch: all system calls, and nothing but what a watch has.
fn is_watch(rule: &Rule<'_>) -> bool {
    let of_watch = |field| matches!(field, RuleField::PERM | RuleField::FILTERKEY | RuleField::DIR | RuleField::WATCH);
    rule.filter() == Filter::EXIT
        && rule.header.mask.is_all()
        && rule.conditions().all(|condition| of_watch(condition.field))
        && rule.condition(RuleField::PERM).is_some()
}

/// A rule as auditctl shows it.
fn line(rule: &Rule<'_>) -> String {
    let mut line = String::new();
    let watch = is_watch(rule);
    let architecture = architecture_of(rule);
    // Writing to a string cannot fail.
    if !watch {
        let filter = names::filter_name(rule.filter()).unwrap_or("unknown");
        let _ = write!(line, "-a {},{filter}", action(rule.header.action));
        for condition in rule.conditions().filter(|condition| condition.field == RuleField::ARCH) {
            let bits = if architecture.0 & 0x8000_0000 != 0 { "b64" } else { "b32" };
            let _ = write!(line, " -F arch{}{bits}", names::operator_name(condition.operator));
        }
        if matches!(rule.filter(), Filter::EXIT | Filter::ENTRY | Filter::URING_EXIT) {
            if rule.header.mask.is_all() {
                line += " -S all";
            } else {
                let calls: Vec<String> = rule.header.mask.numbers().map(|number| call(architecture, number)).collect();
                if !calls.is_empty() {
                    let _ = write!(line, " -S {}", calls.join(","));
                }
            }
        }
    }
    for condition in rule.conditions().filter(|condition| condition.field != RuleField::ARCH) {
        word(&mut line, &condition, watch);
    }
    line.trim_start().to_owned()
}

/// A condition as auditctl shows it.
fn word(line: &mut String, condition: &Condition<'_>, watch: bool) {
    let Condition { field, operator, value } = *condition;
    let (name, sign) = (names::field_name(field), names::operator_name(operator));
    // Writing to a string cannot fail.
    let _ = match (field, value) {
        (RuleField::FILTERKEY, ConditionValue::Text(text)) => keys(text).try_for_each(|key| match watch {
            true => write!(line, " -k {key}"),
            false => write!(line, " -F key={key}"),
        }),
        (RuleField::WATCH | RuleField::DIR, ConditionValue::Text(path)) if watch => write!(line, " -w {path}"),
        (_, ConditionValue::Text(text)) => write!(line, " -F {name}{sign}{text}"),
        (RuleField::PERM, ConditionValue::Number(number)) => {
            let has = |of, letter| if Permissions(number).contains(of) { letter } else { "" };
            let letters = [
                has(Permissions::READ, "r"),
                has(Permissions::WRITE, "w"),
                has(Permissions::EXEC, "x"),
                has(Permissions::ATTR, "a"),
            ]
            .concat();
            if watch { write!(line, " -p {letters}") } else { write!(line, " -F perm={letters}") }
        }
        (RuleField::FIELD_COMPARE, ConditionValue::Number(number)) => {
            let names = Comparison(number).to_string().to_lowercase();
            match names.split_once("_to_") {
                Some((one, two)) => write!(line, " -C {one}{sign}{two}"),
                None => write!(line, " -C {sign}{names}"),
            }
        }
        (RuleField::MSGTYPE, ConditionValue::Number(number)) => {
            let kind = u16::try_from(number).map(RecordType);
            match kind.ok().and_then(RecordType::name) {
                Some(kind) => write!(line, " -F {name}{sign}{kind}"),
                None => write!(line, " -F {name}{sign}{number}"),
            }
        }
        (RuleField::EXIT, ConditionValue::Number(number)) => {
            let code = number.cast_signed();
            match (Errno(code.unsigned_abs()).name(), code < 0) {
                (Some(error), true) => write!(line, " -F {name}{sign}-E{error}"),
                (Some(error), false) => write!(line, " -F {name}{sign}E{error}"),
                (None, _) => write!(line, " -F {name}{sign}{code}"),
            }
        }
        (RuleField::ARG0 | RuleField::ARG1 | RuleField::ARG2 | RuleField::ARG3, ConditionValue::Number(number)) => {
            write!(line, " -F {name}{sign}0x{number:X}")
        }
        (RuleField::INODE, ConditionValue::Number(number)) => write!(line, " -F {name}{sign}{number}"),
        (RuleField::FSTYPE, ConditionValue::Number(number)) => match names::file_system_name(number) {
            Some(kind) => write!(line, " -F {name}{sign}{kind}"),
            None => write!(line, " -F {name}{sign}0x{number:X}"),
        },
        (_, ConditionValue::Number(number)) => write!(line, " -F {name}{sign}{}", number.cast_signed()),
    };
}
