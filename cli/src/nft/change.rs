//! `nft add`, `create`, `insert`, `delete`, `destroy` and `flush`: changes, one command a call.

use ringlink::codec::netfilter::nftables::{
    Chain, Counter, Elements, Hook, Limit, LimitFlags, Nft, Object, ObjectType, Quota, QuotaFlags, Rule, Set,
    SetDescription, SetField, SetFields, SetFlags, Table, VerdictCode,
};
use ringlink::codec::netfilter::{Family, NetfilterHeader};
use ringlink::codec::table::{AttributeWriter, Format, Operation};
use ringlink::connection::Transaction;

use super::compile::{self, Anonymous, rate, sized};
use super::element::{Shape, put_comment};
use super::list::table;
use super::rows::{hooks, priorities};
use super::ruleset::{Ruleset, Wanted};
use super::types::{Order, Type};
use super::value;
use crate::arguments::Words;
use crate::failure::Failure;
use crate::session::Session;

/// What is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Add,
    Create,
    Insert,
    Delete,
    Destroy,
    Flush,
}

const KINDS: &str = "table, chain, rule, set, map, element, counter, quota, limit or flowtable";

/// The words of nft's language in what was typed: braces, semicolons and commas are words of their own.
pub(super) fn split(line: &[&str]) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    // What is in quotes stays together, over several words of the shell's, too.
    let (mut word, mut quoted) = (String::new(), false);
    for text in line {
        // What the shell has kept together behind `comment` or `prefix` is one word.
        let whole = words.last().is_some_and(|word| matches!(word.as_str(), "comment" | "prefix"));
        if whole && !quoted && !text.contains(['{', '}', ';', '"']) {
            words.push((*text).to_owned());
            continue;
        }
        for character in text.chars() {
            match character {
                '"' => {
                    quoted = !quoted;
                    word.push('"');
                }
                '{' | '}' | ';' | ',' if !quoted => {
                    words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                    words.push(character.to_string());
                }
                character if character.is_whitespace() && !quoted => {
                    words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
                }
                character => word.push(character),
            }
        }
        if quoted {
            word.push(' ');
        } else {
            words.extend((!word.is_empty()).then(|| std::mem::take(&mut word)));
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// Does what the words behind the verb say.
pub(super) fn run(session: &mut Session, verb: Verb, words: &mut Words<'_>) -> Result<(), Failure> {
    if verb == Verb::Flush {
        return flush(session, words);
    }
    let what = words.value(KINDS)?;
    match (verb, what) {
        (_, "table") => change_table(session, verb, words),
        (_, "chain") => change_chain(session, verb, words),
        (Verb::Add | Verb::Insert | Verb::Create, "rule") => add_rule(session, verb, words),
        (_, "rule") => delete_rule(session, verb, words),
        (Verb::Add | Verb::Create, "set" | "map") => add_set(session, verb, words, what == "map"),
        (_, "set" | "map") => named(session, verb, words, [Nft::DELSET, Nft::DESTROYSET], |set, table, name| {
            set.put(Set::TABLE, table);
            set.put(Set::NAME, name);
        }),
        (_, "element") => elements(session, verb, words),
        (_, "flowtable") if matches!(verb, Verb::Delete | Verb::Destroy) => {
            use ringlink::codec::netfilter::nftables::Flowtable;
            named(session, verb, words, [Nft::DELFLOWTABLE, Nft::DESTROYFLOWTABLE], |told, table, name| {
                told.put(Flowtable::TABLE, table);
                told.put(Flowtable::NAME, name);
            })
        }
        (_, "counter") => object(session, verb, words, ObjectType::COUNTER),
        (_, "quota") => object(session, verb, words, ObjectType::QUOTA),
        (_, "limit") => object(session, verb, words, ObjectType::LIMIT),
        _ => Err(words.refuse(KINDS)),
    }
}

fn over(words: &mut Words<'_>) -> Result<(), Failure> {
    match words.next() {
        None => Ok(()),
        Some(_) => Err(words.refuse("nothing more")),
    }
}

/// How something new is asked for.
fn making<Q, A>(verb: Verb, operation: Operation<Q, A>) -> Operation<Q, A> {
    let made = operation.create();
    if verb == Verb::Create { made.exclusive() } else { made }
}

/// Carries out commands, all or none.
fn commit(
    session: &mut Session,
    fill: impl FnOnce(&mut Transaction<'_>) -> Result<(), ringlink::Error>,
) -> Result<(), Failure> {
    let mut transaction = session.connection.transaction();
    fill(&mut transaction)?;
    transaction.commit()?;
    Ok(())
}

/// Carries out one command.
fn one<Q, A>(
    session: &mut Session,
    operation: Operation<Q, A>,
    family: u8,
    fill: impl FnMut(&mut AttributeWriter<'_, '_, Q::Space>),
) -> Result<(), Failure>
where
    Q: Format<Header = NetfilterHeader>,
{
    commit(session, |transaction| transaction.add(operation, NetfilterHeader::of(Family(family)), fill))
}

fn change_table(session: &mut Session, verb: Verb, words: &mut Words<'_>) -> Result<(), Failure> {
    let (family, name) = table(words)?;
    over(words)?;
    let operation = match verb {
        Verb::Delete => Nft::DELTABLE,
        Verb::Destroy => Nft::DESTROYTABLE,
        _ => making(verb, Nft::NEWTABLE),
    };
    one(session, operation, family, |table| table.put(Table::NAME, name.as_str()))
}

/// Takes away something that has a name in a table.
fn named<Q, A>(
    session: &mut Session,
    verb: Verb,
    words: &mut Words<'_>,
    [delete, destroy]: [Operation<Q, A>; 2],
    mut fill: impl FnMut(&mut AttributeWriter<'_, '_, Q::Space>, &str, &str),
) -> Result<(), Failure>
where
    Q: Format<Header = NetfilterHeader>,
{
    let (family, table) = table(words)?;
    let name = words.value("a name")?.to_owned();
    over(words)?;
    let operation = match verb {
        Verb::Delete => delete,
        Verb::Destroy => destroy,
        _ => return Err(Failure::Usage("that is not added here".to_owned())),
    };
    one(session, operation, family, |writer| fill(writer, &table, &name))
}

fn change_chain(session: &mut Session, verb: Verb, words: &mut Words<'_>) -> Result<(), Failure> {
    if matches!(verb, Verb::Delete | Verb::Destroy) {
        return named(session, verb, words, [Nft::DELCHAIN, Nft::DESTROYCHAIN], |chain, table, name| {
            chain.put(Chain::TABLE, table);
            chain.put(Chain::NAME, name);
        });
    }
    let (family, table) = table(words)?;
    let name = words.value("a name")?.to_owned();
    let (mut hook, mut policy, mut comment) = (None, None, None);
    if words.take("{") {
        while !words.take("}") {
            match words.value("type, policy, comment or }")? {
                ";" => {}
                "type" => {
                    let kind = words.value("filter, nat or route")?.to_owned();
                    if !words.take("hook") {
                        words.next();
                        return Err(words.refuse("hook"));
                    }
                    let known = hooks(family);
                    let number = words.parse(&known.join(", "), |word| known.iter().position(|name| *name == word))?;
                    let device = match words.take("device") {
                        true => Some(words.value("a device")?.trim_matches('"').to_owned()),
                        false => None,
                    };
                    if !words.take("priority") {
                        words.next();
                        return Err(words.refuse("priority"));
                    }
                    let word = words.value("a priority")?;
                    let base = priorities(family).iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
                    let base = base.or_else(|| word.parse().ok());
                    let base =
                        base.ok_or_else(|| words.refuse("a number, raw, mangle, dstnat, filter, security or srcnat"))?;
                    let sign = [("+", 1), ("-", -1)].into_iter().find(|(sign, _)| words.take(sign));
                    let more = match sign {
                        Some((_, sign)) => words.number::<u16>().map(|number| i32::from(number) * sign)?,
                        None => 0,
                    };
                    let number = u32::try_from(number).unwrap_or(0);
                    hook = Some((kind, number, device, base.saturating_add(more)));
                }
                "policy" => {
                    policy = Some(words.parse("accept or drop", |word| match word {
                        "accept" => Some(VerdictCode::ACCEPT),
                        "drop" => Some(VerdictCode::DROP),
                        _ => None,
                    })?);
                }
                "comment" => comment = Some(words.value("a text")?.trim_matches('"').to_owned()),
                _ => return Err(words.refuse("type, policy, comment or }")),
            }
        }
    }
    over(words)?;
    one(session, making(verb, Nft::NEWCHAIN), family, |chain| {
        chain.put(Chain::TABLE, table.as_str());
        chain.put(Chain::NAME, name.as_str());
        if let Some((kind, number, device, priority)) = &hook {
            chain.nest(Chain::HOOK, |hook| {
                hook.put(Hook::HOOKNUM, *number);
                hook.put(Hook::PRIORITY, *priority);
                hook.put_some(Hook::DEV, device.as_deref());
            });
            chain.put(Chain::TYPE, kind.as_str());
        }
        chain.put_some(Chain::POLICY, policy);
        if let Some(comment) = &comment {
            put_comment(comment, 0, |records| chain.put(Chain::USERDATA, records));
        }
    })
}

fn add_rule(session: &mut Session, verb: Verb, words: &mut Words<'_>) -> Result<(), Failure> {
    let (family, table) = table(words)?;
    let chain = words.value("a chain")?.to_owned();
    let position = match words.peek() {
        Some("handle" | "position") => {
            words.next();
            Some(words.number::<u64>()?)
        }
        _ => None,
    };
    let header = NetfilterHeader::of(Family(family));
    let Session { connection, names, .. } = &mut *session;
    let mut of_intervals = |set: &str| {
        let asked = connection.get(Nft::GETSET, header, |question| {
            question.put(Set::TABLE, table.as_str());
            question.put(Set::NAME, set);
        });
        match asked {
            // Without it the kernel refuses the rule, and says why.
            Err(error) if error.is_not_found() => Ok(false),
            answer => {
                let flags = answer?.body().attributes.get(Set::FLAGS)?;
                Ok(flags.is_some_and(|flags| flags.contains(SetFlags::INTERVAL)))
            }
        }
    };
    let rule = compile::read(words, family, names, &mut of_intervals)?;
    commit(session, |transaction| {
        for set in &rule.sets {
            add_anonymous(transaction, header, &table, set)?;
        }
        let operation = match verb {
            Verb::Insert => Nft::NEWRULE.create(),
            _ => Nft::NEWRULE.create().append(),
        };
        transaction.add(operation, header, |writer| {
            writer.put(Rule::TABLE, table.as_str());
            writer.put(Rule::CHAIN, chain.as_str());
            writer.put_some(Rule::POSITION, position);
            writer.nest(Rule::EXPRESSIONS, |list| rule.write(list, family));
            if let Some(comment) = &rule.comment {
                put_comment(comment, 0, |records| writer.put(Rule::USERDATA, records));
            }
        })
    })
}

/// A set that goes with a rule, and its elements.
fn add_anonymous(
    transaction: &mut Transaction<'_>,
    header: NetfilterHeader,
    table: &str,
    set: &Anonymous,
) -> Result<(), ringlink::Error> {
    let Anonymous { id, shape, elements } = set;
    let flags = SetFlags::ANONYMOUS | SetFlags::CONSTANT;
    transaction.add(Nft::NEWSET.create(), header, |writer| {
        writer.put(Set::TABLE, table);
        writer.put(Set::NAME, set.name());
        writer.put(Set::ID, *id);
        put_shape(writer, shape, flags, None, None);
    })?;
    transaction.add_list(
        Nft::NEWSETELEM.create(),
        header,
        |writer| {
            writer.put(Elements::TABLE, table);
            writer.put(Elements::SET, set.name());
            writer.put(Elements::SET_ID, *id);
        },
        Elements::ELEMENTS,
        elements,
        |element, made| made.write(element),
    )
}

/// What keys are and lead to, with the flags that follow from that.
fn put_shape(
    set: &mut AttributeWriter<'_, '_, ringlink::codec::netfilter::nftables::Set>,
    shape: &Shape,
    flags: SetFlags,
    size: Option<u32>,
    comment: Option<&str>,
) {
    let several = shape.key.len() > 1;
    let mut flags = flags;
    if shape.interval {
        flags = flags | SetFlags::INTERVAL;
        if several {
            flags = flags | SetFlags::CONCAT;
        }
    }
    if shape.object {
        flags = flags | SetFlags::OBJECT;
    } else if shape.data.is_some() {
        flags = flags | SetFlags::MAP;
    }
    set.put(Set::FLAGS, flags);
    set.put(Set::KEY_TYPE, shape.key.iter().fold(0, |number, (ty, _)| (number << 6) | ty.0));
    set.put(Set::KEY_LEN, shape.length());
    if let Some((ty, bits)) = shape.data {
        use ringlink::codec::netfilter::nftables::DataType;
        let number = if ty == Type::VERDICT { DataType::VERDICT } else { DataType(ty.0) };
        set.put(Set::DATA_TYPE, number);
        if ty != Type::VERDICT {
            set.put(Set::DATA_LEN, bits.div_ceil(8));
        }
    }
    // The kernel takes intervals of several fields apart by their lengths.
    let fields = if several && shape.interval { &shape.key[..] } else { &[] };
    if size.is_some() || !fields.is_empty() {
        set.nest(Set::DESC, |description| {
            description.put_some(SetDescription::SIZE, size);
            if !fields.is_empty() {
                description.nest(SetDescription::CONCAT, |lengths| {
                    for (_, bits) in fields {
                        lengths.nest(SetFields::ELEM, |field| field.put(SetField::LEN, bits.div_ceil(8)));
                    }
                });
            }
        });
    }
    // What nft must know to show it again.
    let order = |order: Order| if order == Order::Host { 1_u32.to_ne_bytes() } else { 2_u32.to_ne_bytes() };
    let key = order(if shape.interval { Order::Big } else { shape.order });
    let data = shape.data.filter(|(ty, _)| *ty != Type::VERDICT).map(|(ty, _)| order(ty.facts().order));
    let comment: Option<Vec<u8>> = comment.map(|comment| comment.bytes().chain([0]).collect());
    let mut records: Vec<(u8, &[u8])> = vec![(0, &key)];
    records.extend(data.as_ref().map(|data| (1, &data[..])));
    records.extend(comment.as_ref().map(|comment| (7, &comment[..])));
    set.put(Set::USERDATA, &records[..]);
}

fn delete_rule(session: &mut Session, verb: Verb, words: &mut Words<'_>) -> Result<(), Failure> {
    let (family, table) = table(words)?;
    let chain = words.value("a chain")?.to_owned();
    if !words.take("handle") {
        words.next();
        return Err(words.refuse("handle and the rule's number"));
    }
    let handle = words.number::<u64>()?;
    over(words)?;
    let operation = if verb == Verb::Destroy { Nft::DESTROYRULE } else { Nft::DELRULE };
    one(session, operation, family, |rule| {
        rule.put(Rule::TABLE, table.as_str());
        rule.put(Rule::CHAIN, chain.as_str());
        rule.put(Rule::HANDLE, handle);
    })
}

/// Types with a `.` between them.
fn types(words: &mut Words<'_>) -> Result<Vec<(Type, u32)>, Failure> {
    const EXPECTED: &str = "a type (ipv4_addr, inet_service, mark, ifname …)";
    let mut types = Vec::new();
    loop {
        let ty = words.parse(EXPECTED, Type::named)?;
        let bits = ty.facts().bits;
        if bits == 0 {
            return Err(words.refuse("a type whose values have one length"));
        }
        types.push((ty, bits));
        if !words.take(".") {
            return Ok(types);
        }
    }
}

fn add_set(session: &mut Session, verb: Verb, words: &mut Words<'_>, map: bool) -> Result<(), Failure> {
    const EXPECTED: &str = "type, flags, timeout, gc-interval, size, comment, elements or }";
    let (family, table) = table(words)?;
    let name = words.value("a name")?.to_owned();
    if !words.take("{") {
        words.next();
        return Err(words.refuse("{ type …; }"));
    }
    let mut shape = Shape { key: Vec::new(), order: Order::Big, interval: false, data: None, object: false };
    let (mut flags, mut timeout, mut collect, mut size) = (SetFlags(0), None, None, None);
    let (mut comment, mut elements, mut kind) = (None, Vec::new(), None);
    while !words.take("}") {
        match words.value(EXPECTED)? {
            ";" => {}
            "type" => {
                shape.key = types(words)?;
                shape.order = match shape.key.as_slice() {
                    [(ty, _)] => ty.facts().order,
                    _ => Order::Big,
                };
                if map && !words.take(":") {
                    words.next();
                    return Err(words.refuse(": and what keys lead to"));
                }
                if map {
                    kind = match words.peek() {
                        Some("counter") => Some(ObjectType::COUNTER),
                        Some("quota") => Some(ObjectType::QUOTA),
                        Some("limit") => Some(ObjectType::LIMIT),
                        _ => None,
                    };
                    shape.object = kind.is_some();
                    if shape.object {
                        words.next();
                    } else {
                        shape.data = types(words)?.first().copied();
                    }
                }
            }
            "flags" => loop {
                flags = flags
                    | words.parse("interval, timeout, constant or dynamic", |word| match word {
                        "interval" => Some(SetFlags::INTERVAL),
                        "timeout" => Some(SetFlags::TIMEOUT),
                        "constant" => Some(SetFlags::CONSTANT),
                        "dynamic" => Some(SetFlags::EVAL),
                        _ => None,
                    })?;
                shape.interval = flags.0 & SetFlags::INTERVAL.0 != 0;
                if !words.take(",") {
                    break;
                }
            },
            "timeout" => {
                timeout = Some(words.parse("a time (30s, 1h)", value::duration)?);
                flags = flags | SetFlags::TIMEOUT;
            }
            "gc-interval" => {
                let time = words.parse("a time (30s, 1h)", value::duration)?;
                collect = Some(u32::try_from(time).map_err(|_| words.refuse("a shorter time"))?);
            }
            "size" => size = Some(words.number::<u32>()?),
            "comment" => comment = Some(words.value("a text")?.trim_matches('"').to_owned()),
            "elements" => {
                words.take("=");
                elements = shape.read(words, &session.names)?;
            }
            _ => return Err(words.refuse(EXPECTED)),
        }
    }
    if shape.key.is_empty() {
        return Err(words.refuse("type: a set says of what"));
    }
    over(words)?;
    let header = NetfilterHeader::of(Family(family));
    commit(session, |transaction| {
        transaction.add(making(verb, Nft::NEWSET), header, |set| {
            set.put(Set::TABLE, table.as_str());
            set.put(Set::NAME, name.as_str());
            set.put(Set::ID, 1);
            put_shape(set, &shape, flags, size, comment.as_deref());
            set.put_some(Set::OBJ_TYPE, kind);
            set.put_some(Set::TIMEOUT, timeout);
            set.put_some(Set::GC_INTERVAL, collect);
        })?;
        if elements.is_empty() {
            return Ok(());
        }
        transaction.add_list(
            Nft::NEWSETELEM.create(),
            header,
            |list| {
                list.put(Elements::TABLE, table.as_str());
                list.put(Elements::SET, name.as_str());
            },
            Elements::ELEMENTS,
            &elements,
            |element, made| made.write(element),
        )
    })
}

fn elements(session: &mut Session, verb: Verb, words: &mut Words<'_>) -> Result<(), Failure> {
    let (family, table) = table(words)?;
    let name = words.value("a set")?.to_owned();
    // What the set is of says what words mean.
    let wanted = Wanted { family, table: Some(table.clone()), sets: true, ..Wanted::default() };
    let ruleset = match Ruleset::read(session, &wanted) {
        Err(Failure::Library(error)) if error.is_not_found() => Ruleset::default(),
        other => other?,
    };
    let Some(set) = ruleset.sets.find(family, &table, &name) else {
        return Err(Failure::Input(format!("there is no set `{name}` in table {table}")));
    };
    let leads = !matches!(verb, Verb::Delete | Verb::Destroy);
    let shape = set.shape(leads);
    let made = shape.read(words, &session.names)?;
    over(words)?;
    let operation = match verb {
        Verb::Delete => Nft::DELSETELEM,
        Verb::Destroy => Nft::DESTROYSETELEM,
        _ => making(verb, Nft::NEWSETELEM),
    };
    commit(session, |transaction| {
        transaction.add_list(
            operation,
            NetfilterHeader::of(Family(family)),
            |list| {
                list.put(Elements::TABLE, table.as_str());
                list.put(Elements::SET, name.as_str());
            },
            Elements::ELEMENTS,
            &made,
            |element, made| made.write(element),
        )
    })
}

fn object(session: &mut Session, verb: Verb, words: &mut Words<'_>, kind: ObjectType) -> Result<(), Failure> {
    let (family, table) = table(words)?;
    let name = words.value("a name")?.to_owned();
    let name_it = |object: &mut AttributeWriter<'_, '_, Object>| {
        object.put(Object::TABLE, table.as_str());
        object.put(Object::NAME, name.as_str());
        object.put(Object::TYPE, kind);
    };
    if matches!(verb, Verb::Delete | Verb::Destroy) {
        over(words)?;
        let operation = if verb == Verb::Delete { Nft::DELOBJ } else { Nft::DESTROYOBJ };
        return one(session, operation, family, name_it);
    }
    let braces = words.take("{");
    let (mut quota, mut limit) = (None, None);
    match kind {
        ObjectType::QUOTA => {
            let over = words.take("over");
            quota = Some((sized(words)?, over));
        }
        ObjectType::LIMIT => limit = Some(rate(words)?),
        _ => {}
    }
    while braces && !words.take("}") {
        if !words.take(";") {
            words.next();
            return Err(words.refuse("; or }"));
        }
    }
    over(words)?;
    one(session, making(verb, Nft::NEWOBJ), family, |object| {
        name_it(object);
        match (quota, limit) {
            (Some((bytes, over)), _) => object.choose(Object::DATA, Quota, |data| {
                data.put(Quota::BYTES, bytes);
                data.put(Quota::FLAGS, if over { QuotaFlags::INV } else { QuotaFlags(0) });
            }),
            (None, Some(rate)) => object.choose(Object::DATA, Limit, |data| {
                data.put(Limit::RATE, rate.rate);
                data.put(Limit::UNIT, rate.seconds);
                data.put(Limit::BURST, rate.burst);
                data.put(Limit::TYPE, rate.kind);
                data.put(Limit::FLAGS, if rate.over { LimitFlags::INV } else { LimitFlags(0) });
            }),
            (None, None) => object.choose(Object::DATA, Counter, |_| {}),
        }
    })
}

fn flush(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    const EXPECTED: &str = "ruleset, table, chain, set or map";
    match words.value(EXPECTED)? {
        "ruleset" => {
            let family = super::list::family(words).unwrap_or(0);
            over(words)?;
            one(session, Nft::DELTABLE, family, |_| {})
        }
        "table" => {
            let (family, table) = table(words)?;
            over(words)?;
            one(session, Nft::DELRULE, family, |rule| rule.put(Rule::TABLE, table.as_str()))
        }
        "chain" => {
            let (family, table) = table(words)?;
            let chain = words.value("a chain")?.to_owned();
            over(words)?;
            one(session, Nft::DELRULE, family, |rule| {
                rule.put(Rule::TABLE, table.as_str());
                rule.put(Rule::CHAIN, chain.as_str());
            })
        }
        "set" | "map" => {
            let (family, table) = table(words)?;
            let set = words.value("a set")?.to_owned();
            over(words)?;
            one(session, Nft::DELSETELEM, family, |list| {
                list.put(Elements::TABLE, table.as_str());
                list.put(Elements::SET, set.as_str());
            })
        }
        _ => Err(words.refuse(EXPECTED)),
    }
}
