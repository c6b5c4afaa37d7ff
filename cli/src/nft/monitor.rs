//! `nft monitor`: prints what changes, transaction by transaction.

use ringlink::Monitor;
use ringlink::codec::Error;
use ringlink::codec::multicast::NetfilterGroup;
use ringlink::codec::netfilter::nftables::{
    Chain, Elements as ElementsSpace, Flowtable, Generation, Nft, Object, Rule, Set as SetSpace, Table,
};
use ringlink::codec::table::{Attributes, Body, Format, Operation};
use ringlink::codec::wire::Message;
use ringlink::engine::Deadline;
use ringlink::socket::Protocol;

use super::decompile::object_name;
use super::expression::{Kind, Node};
use super::json::Json;
use super::print::{Printer, format};
use super::rows::family_name;
use super::ruleset::{self, Ruleset, Wanted};
use super::set::{Elements, Set};
use super::types::{Order, Type};
use crate::arguments::Words;
use crate::failure::Failure;
use crate::monitor::{loss, told};
use crate::output::{Face, Output};
use crate::session::{Session, warn};

/// Listens until standard output or the connection ends.
pub(super) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    while let Some(word) = words.next() {
        match word {
            "--json" => session.options.json = true,
            _ => return Err(words.refuse("--json or nothing more")),
        }
    }
    // Heard before it is read, so that nothing is missed in between.
    let monitor = Monitor::with(Protocol::NETFILTER, session.config(), &[NetfilterGroup::NFTABLES.0])?;
    let mut known = Ruleset::read(session, &Wanted { chains: true, sets: true, ..Wanted::default() })?;
    told(session, &monitor);
    session.output = Output::new(if session.options.json { Face::JsonLines } else { Face::Text });
    loop {
        match monitor.receive(Deadline::none()) {
            Ok(notice) => {
                for message in notice.messages() {
                    let line = message.and_then(|message| event(session, &mut known, message));
                    match line {
                        Ok(Some(line)) => session.output.verbatim(format_args!("{line}\n")),
                        Ok(None) => {}
                        Err(error) => warn(format_args!("an event could not be read whole: {error}")),
                    }
                }
            }
            Err(error) => loss(error)?,
        }
        session.output.flush();
        if session.output.is_broken() {
            return Ok(session.output.close()?);
        }
    }
}

/// A message of this operation, taken apart.
fn body<'m, Q: Format, A>(message: Message<'m>, operation: Operation<Q, A>) -> Option<Body<'m, Q>> {
    (message.header.kind == operation.kind).then(|| Body::of(message))
}

/// The same of either of two, and whether it is the second: something is gone.
fn either<'m, Q: Format, A, B>(
    message: Message<'m>,
    made: Operation<Q, A>,
    gone: Operation<Q, B>,
) -> Option<(Body<'m, Q>, bool)> {
    body(message, made).map(|body| (body, false)).or_else(|| body(message, gone).map(|body| (body, true)))
}

/// What happens, as one writes it: words, JSON.
struct Line<'s> {
    json: bool,
    gone: bool,
    printer: Printer<'s>,
}

impl Line<'_> {
    fn write(&self, text: impl FnOnce(&mut String), json: impl FnOnce(&mut Json)) -> String {
        let word = if self.gone { "delete" } else { "add" };
        if self.json {
            let mut out = Json::default();
            out.only(word, json);
            return String::from_utf8_lossy(&out.bytes).into_owned();
        }
        let mut out = format!("{word} ");
        text(&mut out);
        out.trim_end().to_owned()
    }
}

/// A line for a message; none for what goes with something else.
fn event(session: &Session, known: &mut Ruleset, message: Message<'_>) -> Result<Option<String>, Error> {
    let printer = Printer { names: &session.names };
    let line = |gone: bool| Line { json: session.options.json, gone, printer };
    if let Some((body, gone)) = either::<(_, Table), _, _>(message, Nft::NEWTABLE, Nft::DELTABLE) {
        let table = ruleset::read_table(body.header, body.attributes)?;
        let name = |out: &mut String| format(out, format_args!("table {} {}", family_name(table.family), table.name));
        return Ok(Some(line(gone).write(name, |out| table.json(out))));
    }
    if let Some((body, gone)) = either::<(_, Chain), _, _>(message, Nft::NEWCHAIN, Nft::DELCHAIN) {
        let chain = ruleset::read_chain(body.header, body.attributes)?;
        let written = line(gone).write(
            |out| {
                format(out, format_args!("chain {} {} {}", family_name(chain.family), chain.table, chain.name));
                if chain.hook.is_some() && !gone {
                    out.push_str(" {");
                    chain.hooked(out);
                    out.push_str(" }");
                }
            },
            |out| chain.json(out),
        );
        let shown = !chain.is_anonymous();
        known.chains.retain(|other| {
            !(other.family == chain.family && other.table == chain.table && other.handle == chain.handle)
        });
        if !gone {
            known.chains.push(chain);
        }
        return Ok(shown.then_some(written));
    }
    if let Some((body, gone)) = either::<(_, SetSpace), _, _>(message, Nft::NEWSET, Nft::DELSET) {
        let set = Set::read(body.header, body.attributes)?;
        let written = line(gone).write(
            |out| {
                format(out, format_args!("{} {} {} {}", set.word(), family_name(set.family), set.table, set.name));
                if !gone {
                    out.push_str(" { ");
                    set.declaration(out, printer);
                    out.push('}');
                }
            },
            |out| set.json(out, printer),
        );
        // A set that goes is told by its name alone.
        let before = known.sets.find(set.family, &set.table, &set.name);
        let hidden = set.is_anonymous() || gone && before.is_some_and(Set::is_anonymous);
        if !gone {
            known.sets.insert(set);
        }
        return Ok((!hidden).then_some(written));
    }
    if let Some((body, gone)) = either::<(_, ElementsSpace), _, _>(message, Nft::NEWSETELEM, Nft::DELSETELEM) {
        return elements(known, body, &line(gone));
    }
    if let Some((body, gone)) = either::<(_, Object), _, _>(message, Nft::NEWOBJ, Nft::DELOBJ) {
        let object = ruleset::read_object(body.header, body.attributes)?;
        let name = |out: &mut String| {
            let (kind, family) = (object_name(object.kind), family_name(object.family));
            format(out, format_args!("{kind} {family} {} {}", object.table, object.name));
        };
        return Ok(Some(line(gone).write(name, |out| object.json(out))));
    }
    if let Some((body, gone)) = either::<(_, Flowtable), _, _>(message, Nft::NEWFLOWTABLE, Nft::DELFLOWTABLE) {
        let told = ruleset::read_flowtable(body.header, body.attributes)?;
        let name = |out: &mut String| {
            format(out, format_args!("flowtable {} {} {}", family_name(told.family), told.table, told.name));
        };
        return Ok(Some(line(gone).write(name, |out| told.json(out))));
    }
    if let Some((body, gone)) = either::<(_, Rule), _, _>(message, Nft::NEWRULE, Nft::DELRULE) {
        let rule = known.rule(body.header, body.attributes)?;
        let name = |out: &mut String| {
            format(out, format_args!("rule {} {} {} ", family_name(rule.family), rule.table, rule.chain));
            if gone {
                format(out, format_args!("handle {}", rule.handle));
            } else {
                rule.text(out, printer);
            }
        };
        return Ok(Some(line(gone).write(name, |out| rule.json(out, printer))));
    }
    if let Some(body) = body(message, Nft::NEWGEN) {
        let (id, process, name) =
            body.attributes.read((Generation::ID, Generation::PROC_PID, Generation::PROC_NAME))?;
        let (id, process, name) = (id.unwrap_or(0), process.unwrap_or(0), name.unwrap_or_default().to_string());
        if !session.options.json {
            return Ok(Some(format!("# new generation {id} by process {process} ({name})")));
        }
        let mut out = Json::default();
        out.tagged("generation", |out| {
            out.number("id", id);
            out.number("pid", process);
            out.text("process", &name);
        });
        return Ok(Some(String::from_utf8_lossy(&out.bytes).into_owned()));
    }
    Ok(None)
}

/// Elements that come or go; those of a set that belongs to a rule are kept for when the rule is told.
fn elements(
    known: &mut Ruleset,
    body: Body<'_, ringlink::codec::netfilter::nftables::ElementsMessage>,
    line: &Line<'_>,
) -> Result<Option<String>, Error> {
    let attributes: Attributes<'_, ElementsSpace> = body.attributes;
    let (table, name, list) = attributes.read((ElementsSpace::TABLE, ElementsSpace::SET, ElementsSpace::ELEMENTS))?;
    let (table, name) = (table.unwrap_or_default().to_string(), name.unwrap_or_default().to_string());
    let family = body.header.nfgen_family.0;
    let Some(set) = known.sets.find_mut(family, &table, &name) else { return Ok(None) };
    let mut elements = Elements::default();
    for item in list.into_iter().flatten() {
        elements.read(set, item?.1)?;
    }
    let elements = elements.finish(set);
    if set.is_anonymous() {
        set.elements.extend(elements);
        return Ok(None);
    }
    if elements.is_empty() {
        return Ok(None);
    }
    let node = Node::new(Kind::Set(elements), Type::INTEGER, Order::Big, 0);
    let family = family_name(family);
    Ok(Some(line.write(
        |out| {
            format(out, format_args!("element {family} {table} {name} "));
            line.printer.text(out, &node);
        },
        |out| {
            out.tagged("element", |out| {
                out.text("family", family);
                out.text("table", &table);
                out.text("name", &name);
                out.key("elem");
                line.printer.json(out, &node);
            });
        },
    )))
}
