//! `nft list`: prints what there is.

use ringlink::codec::netfilter::nftables::ObjectType;

use super::json::Json;
use super::print::Printer;
use super::rows::{FAMILIES, family_name};
use super::ruleset::{Ruleset, Wanted};
use super::set::Set;
use crate::arguments::Words;
use crate::failure::Failure;
use crate::output::{Face, Output};
use crate::session::Session;

/// What is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Ruleset,
    Tables,
    Table,
    Chains,
    Chain,
    Rules,
    Sets(&'static str),
    Set(&'static str),
    Flowtables,
    Flowtable,
    Objects(ObjectType),
    Object(ObjectType),
}

/// Words for what is listed.
const WHAT: &[(&str, What)] = &[
    ("ruleset", What::Ruleset),
    ("tables", What::Tables),
    ("table", What::Table),
    ("chains", What::Chains),
    ("chain", What::Chain),
    ("rules", What::Rules),
    ("sets", What::Sets("set")),
    ("set", What::Set("set")),
    ("maps", What::Sets("map")),
    ("map", What::Set("map")),
    ("meters", What::Sets("meter")),
    ("meter", What::Set("meter")),
    ("flowtables", What::Flowtables),
    ("flowtable", What::Flowtable),
    ("counters", What::Objects(ObjectType::COUNTER)),
    ("counter", What::Object(ObjectType::COUNTER)),
    ("quotas", What::Objects(ObjectType::QUOTA)),
    ("quota", What::Object(ObjectType::QUOTA)),
    ("limits", What::Objects(ObjectType::LIMIT)),
    ("limit", What::Object(ObjectType::LIMIT)),
    ("secmarks", What::Objects(ObjectType::SECMARK)),
    ("secmark", What::Object(ObjectType::SECMARK)),
    ("synproxys", What::Objects(ObjectType::SYNPROXY)),
    ("synproxy", What::Object(ObjectType::SYNPROXY)),
];

/// Words behind `ct`.
const CT: &[(&str, What)] = &[
    ("helpers", What::Objects(ObjectType::CT_HELPER)),
    ("helper", What::Object(ObjectType::CT_HELPER)),
    ("timeouts", What::Objects(ObjectType::CT_TIMEOUT)),
    ("timeout", What::Object(ObjectType::CT_TIMEOUT)),
    ("expectations", What::Objects(ObjectType::CT_EXPECT)),
    ("expectation", What::Object(ObjectType::CT_EXPECT)),
];

/// A family's number, if the next word is one.
pub(super) fn family(words: &mut Words<'_>) -> Option<u8> {
    let word = words.peek()?;
    let (number, _) = FAMILIES.iter().find(|(_, name)| *name == word)?;
    words.next();
    Some(*number)
}

/// A table's family and name.
pub(super) fn table(words: &mut Words<'_>) -> Result<(u8, String), Failure> {
    let family = family(words).unwrap_or(super::decompile::family::IPV4);
    Ok((family, words.value("a table")?.to_owned()))
}

/// Reads what is to be listed, and lists it.
pub(super) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    const EXPECTED: &str = "ruleset, tables, chains, rules, sets, maps, flowtables, counters, quotas, limits, ct …, or one of these with its name";
    let Some(word) = words.next() else { return Err(words.refuse_end(EXPECTED)) };
    let find = |table: &[(&str, What)], word: &str| table.iter().find(|(name, _)| *name == word).map(|(_, what)| *what);
    let what = if word == "ct" {
        words.parse("helper, helpers, timeout, timeouts, expectation or expectations", |word| find(CT, word))?
    } else {
        find(WHAT, word).ok_or_else(|| words.refuse(EXPECTED))?
    };
    let mut name = None;
    let mut wanted = match what {
        What::Table | What::Chain | What::Set(_) | What::Flowtable | What::Object(_) => {
            let (family, table) = table(words)?;
            if what != What::Table {
                name = Some(words.value("a name")?.to_owned());
            }
            Wanted { family, table: Some(table), ..parts(what) }
        }
        _ => {
            let family = family(words);
            let table = if family.is_some() && what != What::Ruleset { words.next() } else { None };
            Wanted { family: family.unwrap_or(0), table: table.map(str::to_owned), ..parts(what) }
        }
    };
    if words.next().is_some() {
        return Err(words.refuse("nothing more"));
    }
    if matches!(what, What::Set(_)) {
        wanted.set.clone_from(&name);
    }
    if let What::Chain = what {
        wanted.chain.clone_from(&name);
    }
    let name = name.as_deref();
    let ruleset = match Ruleset::read(session, &wanted) {
        Err(Failure::Library(error)) if error.is_not_found() && wanted.table.is_some() => Ruleset::default(),
        other => other?,
    };
    missing(what, &wanted, &ruleset, name)?;
    let text = if session.options.json {
        json(session, what, &ruleset, name)
    } else {
        let mut text = String::new();
        words_of(session, what, &ruleset, name, &mut text);
        text.into_bytes()
    };
    session.output = Output::new(if session.options.json { Face::JsonLines } else { Face::Text });
    let text = String::from_utf8_lossy(&text);
    session.output.verbatim(format_args!("{text}"));
    session.finish()
}

/// Which parts are needed for what is listed.
fn parts(what: What) -> Wanted {
    let none = Wanted::default();
    match what {
        What::Ruleset | What::Table => Wanted::all(),
        What::Tables => Wanted { tables: true, ..none },
        What::Chains => Wanted { chains: true, ..none },
        What::Chain | What::Rules => Wanted { chains: true, rules: true, sets: true, elements: true, ..none },
        What::Sets(_) | What::Set(_) => Wanted { sets: true, elements: true, ..none },
        What::Flowtables | What::Flowtable => Wanted { flowtables: true, ..none },
        What::Objects(_) | What::Object(_) => Wanted { objects: true, ..none },
    }
}

/// Says that something that was named is not there.
fn missing(what: What, wanted: &Wanted, ruleset: &Ruleset, name: Option<&str>) -> Result<(), Failure> {
    let is = |found: &str| name.is_none_or(|name| *name == *found);
    let (there, kind) = match what {
        What::Table => (!ruleset.tables.is_empty(), "table"),
        What::Chain => (ruleset.chains.iter().any(|chain| is(&chain.name)), "chain"),
        What::Set(kind) => (ruleset.sets.all.iter().any(|set| is(&set.name) && set.word() == kind), kind),
        What::Flowtable => (ruleset.flowtables.iter().any(|flowtable| is(&flowtable.name)), "flowtable"),
        What::Object(kind) => {
            let there = ruleset.objects.iter().any(|object| is(&object.name) && object.is(kind));
            (there, super::decompile::object_name(kind))
        }
        _ => return Ok(()),
    };
    if there {
        return Ok(());
    }
    let family = family_name(wanted.family);
    let table = wanted.table.as_deref().unwrap_or_default();
    Err(Failure::Input(match name {
        Some(name) => format!("there is no {kind} `{name}` in table {family} {table}"),
        None => format!("there is no table {family} {table}"),
    }))
}

/// Whether a set is listed.
fn lists(set: &Set, word: &str, name: Option<&str>) -> bool {
    match name {
        Some(name) => *name == *set.name && set.word() == word,
        None => set.word() == word && (word == "meter" || !set.is_anonymous()),
    }
}

fn json(session: &Session, what: What, ruleset: &Ruleset, name: Option<&str>) -> Vec<u8> {
    let printer = Printer { names: &session.names };
    let mut out = Json::default();
    out.only("nftables", |out| {
        out.list(|out| {
            out.tagged("metainfo", |out| {
                out.text("version", env!("CARGO_PKG_VERSION"));
                out.text("release_name", "ringlink");
                out.number("json_schema_version", 1_u8);
            });
            match what {
                What::Ruleset | What::Table => all_json(out, ruleset, printer),
                What::Tables => ruleset.tables.iter().for_each(|table| table.json(out)),
                What::Chains => {
                    ruleset.chains.iter().filter(|chain| !chain.is_anonymous()).for_each(|chain| chain.json(out))
                }
                What::Chain => {
                    for chain in ruleset.chains.iter().filter(|chain| name == Some(&chain.name)) {
                        chain.json(out);
                        ruleset.rules_of(chain, |rule| rule.json(out, printer));
                    }
                }
                What::Rules => {
                    for chain in ruleset.chains.iter().filter(|chain| !chain.is_anonymous()) {
                        ruleset.rules_of(chain, |rule| rule.json(out, printer));
                    }
                }
                What::Sets(word) | What::Set(word) => {
                    let sets = ruleset.sets.all.iter().filter(|set| lists(set, word, name));
                    sets.for_each(|set| set.json(out, printer));
                }
                What::Flowtables | What::Flowtable => {
                    let named = ruleset.flowtables.iter().filter(|told| name.is_none_or(|name| *name == *told.name));
                    named.for_each(|flowtable| flowtable.json(out));
                }
                What::Objects(kind) | What::Object(kind) => {
                    let named = ruleset.objects.iter().filter(|told| name.is_none_or(|name| *name == *told.name));
                    named.filter(|object| object.is(kind)).for_each(|object| object.json(out));
                }
            }
        });
    });
    out.bytes.push(b'\n');
    out.bytes
}

fn all_json(out: &mut Json, ruleset: &Ruleset, printer: Printer<'_>) {
    for table in &ruleset.tables {
        let here = |family: u8, name: &str| family == table.family && *name == *table.name;
        let chains = || ruleset.chains.iter().filter(|chain| here(chain.family, &chain.table) && !chain.is_anonymous());
        table.json(out);
        chains().for_each(|chain| chain.json(out));
        let objects = ruleset.objects.iter().filter(|object| here(object.family, &object.table));
        objects.for_each(|object| object.json(out));
        let sets = ruleset.sets.all.iter().filter(|set| here(set.family, &set.table) && !set.is_anonymous());
        sets.for_each(|set| set.json(out, printer));
        let flowtables = ruleset.flowtables.iter().filter(|told| here(told.family, &told.table));
        flowtables.for_each(|flowtable| flowtable.json(out));
        chains().for_each(|chain| ruleset.rules_of(chain, |rule| rule.json(out, printer)));
    }
}

fn words_of(session: &Session, what: What, ruleset: &Ruleset, name: Option<&str>, out: &mut String) {
    let printer = Printer { names: &session.names };
    if what == What::Tables {
        for table in &ruleset.tables {
            out.push_str(&format!("table {} {}\n", family_name(table.family), table.name));
        }
        return;
    }
    // Tables in order of appearance; what is listed may leave the tables themselves out.
    let mut tables: Vec<(u8, Box<str>)> = Vec::new();
    let mut seen = |family: u8, name: &str| {
        if !tables.iter().any(|(other, table)| *other == family && **table == *name) {
            tables.push((family, name.into()));
        }
    };
    ruleset.tables.iter().for_each(|table| seen(table.family, &table.name));
    ruleset.chains.iter().for_each(|chain| seen(chain.family, &chain.table));
    ruleset.sets.all.iter().for_each(|set| seen(set.family, &set.table));
    ruleset.objects.iter().for_each(|object| seen(object.family, &object.table));
    ruleset.flowtables.iter().for_each(|flowtable| seen(flowtable.family, &flowtable.table));
    let named = |found: &str| name.is_none_or(|name| *name == *found);
    let whole = matches!(what, What::Ruleset | What::Table);
    for (family, table) in &tables {
        let here = |other: u8, name: &str| other == *family && *name == **table;
        let mut blocks: Vec<String> = Vec::new();
        let mut block = |fill: &mut dyn FnMut(&mut String)| {
            let mut text = String::new();
            fill(&mut text);
            blocks.push(text);
        };
        let kind = match what {
            What::Objects(kind) | What::Object(kind) => Some(kind),
            _ => None,
        };
        for object in ruleset.objects.iter().filter(|object| here(object.family, &object.table)) {
            if whole || kind.is_some_and(|kind| object.is(kind)) && named(&object.name) {
                block(&mut |text| object.text(text));
            }
        }
        for set in ruleset.sets.all.iter().filter(|set| here(set.family, &set.table)) {
            let listed = match what {
                What::Sets(word) | What::Set(word) => lists(set, word, name),
                _ => whole && !set.is_anonymous(),
            };
            if listed {
                block(&mut |text| set.text(text, printer));
            }
        }
        for flowtable in ruleset.flowtables.iter().filter(|told| here(told.family, &told.table)) {
            if whole || matches!(what, What::Flowtables | What::Flowtable) && named(&flowtable.name) {
                block(&mut |text| flowtable.text(text));
            }
        }
        for chain in ruleset.chains.iter().filter(|chain| here(chain.family, &chain.table) && !chain.is_anonymous()) {
            let listed = match what {
                What::Chain => named(&chain.name),
                What::Chains | What::Rules => true,
                _ => whole,
            };
            if listed {
                block(&mut |text| {
                    chain.head(text);
                    ruleset.rules_of(chain, |rule| {
                        text.push_str("\t\t");
                        rule.text(text, printer);
                        text.push('\n');
                    });
                    text.push_str("\t}\n");
                });
            }
        }
        if blocks.is_empty() && !whole {
            continue;
        }
        match ruleset.tables.iter().find(|found| here(found.family, &found.name)) {
            Some(found) => found.head(out),
            None => out.push_str(&format!("table {} {table} {{\n", family_name(*family))),
        }
        out.push_str(&blocks.join("\n"));
        out.push_str("}\n");
    }
}
