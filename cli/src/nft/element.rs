//! Elements of sets in words, made what the kernel takes.

use ringlink::codec::netfilter::nftables::{Data, Element as ElementSpace, ElementFlags, Verdict, VerdictCode};
use ringlink::codec::table::AttributeWriter;

use super::expression::ones;
use super::types::{Order, Type};
use super::value::{self, Interval};
use crate::arguments::Words;
use crate::failure::Failure;
use crate::names::Names;

/// What the keys of a set are, and what they lead to.
#[derive(Clone, Debug)]
pub(super) struct Shape {
    /// Types of the key's fields, with their bits.
    pub(super) key: Vec<(Type, u32)>,
    pub(super) order: Order,
    pub(super) interval: bool,
    /// What elements lead to, with its bits; a verdict, an object.
    pub(super) data: Option<(Type, u32)>,
    pub(super) object: bool,
}

/// An element on its way to the kernel.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    pub(super) key: Vec<u8>,
    /// Where it ends, of several fields.
    last: Option<Vec<u8>>,
    /// Whether an interval ends before it.
    is_end: bool,
    any: bool,
    data: Option<Leads>,
    timeout: Option<u64>,
    comment: Option<String>,
}

/// What an element leads to.
#[derive(Clone, Debug)]
pub(super) enum Leads {
    Value(Vec<u8>),
    Verdict(VerdictCode, Option<String>),
    Object(String),
}

/// A verdict, and the chain that it leads to.
pub(super) fn verdict(words: &mut Words<'_>) -> Result<(VerdictCode, Option<String>), Failure> {
    const EXPECTED: &str = "accept, drop, continue, return, jump CHAIN or goto CHAIN";
    let code = words.parse(EXPECTED, |word| {
        Some(match word {
            "accept" => VerdictCode::ACCEPT,
            "drop" => VerdictCode::DROP,
            "continue" => VerdictCode::CONTINUE,
            "return" => VerdictCode::RETURN,
            "jump" => VerdictCode::JUMP,
            "goto" => VerdictCode::GOTO,
            _ => return None,
        })
    })?;
    let leads = matches!(code, VerdictCode::JUMP | VerdictCode::GOTO);
    let chain = if leads { Some(words.value("a chain")?.to_owned()) } else { None };
    Ok((code, chain))
}

/// Refuses the beginning of a name: it is an interval to the kernel, and what is written here would be the name of one thing.
fn whole_name(words: &Words<'_>, word: &str, ty: Type) -> Result<(), Failure> {
    match ty.is_text() && word.trim_matches('"').ends_with('*') {
        true => Err(words.refuse("a name in full: elements here are no beginnings of names")),
        false => Ok(()),
    }
}

impl Shape {
    fn is_single(&self) -> bool {
        self.key.len() == 1
    }

    /// Bytes of a key.
    pub(super) fn length(&self) -> u32 {
        match self.key.as_slice() {
            [(_, bits)] => bits.div_ceil(8),
            fields => fields.iter().map(|(_, bits)| bits.div_ceil(32) * 4).sum(),
        }
    }

    /// Reads elements between braces.
    pub(super) fn read(&self, words: &mut Words<'_>, names: &Names) -> Result<Vec<Made>, Failure> {
        if !words.take("{") {
            words.next();
            return Err(words.refuse("{ and elements"));
        }
        let mut elements = Vec::new();
        loop {
            if words.take("}") {
                return Ok(elements);
            }
            self.element(words, names, &mut elements)?;
            if !words.take(",") && words.peek() != Some("}") {
                words.next();
                return Err(words.refuse(", or }"));
            }
        }
    }

    fn element(&self, words: &mut Words<'_>, names: &Names, elements: &mut Vec<Made>) -> Result<(), Failure> {
        let mut made = Made::default();
        let mut end = None;
        if words.take("*") {
            made.any = true;
        } else if self.is_single() {
            let (ty, bits) = self.key[0];
            let length = usize::try_from(bits.div_ceil(8)).unwrap_or(0);
            let word = words.value(&value::expected(ty))?;
            whole_name(words, word, ty)?;
            if ty.is_text() && !self.interval {
                made.key = value::text(word);
            } else {
                let order = if self.interval { Order::Big } else { self.order };
                let found = self.field(words, word, ty, bits, names)?;
                made.key = value::bytes(found.first, order, length);
                if self.interval && found.last != ones(bits) {
                    end = Some(value::bytes(found.last + 1, order, length));
                } else if !self.interval && !found.is_one() {
                    return Err(words.refuse("one value: the set has no flag `interval`"));
                }
            }
        } else {
            let mut last = Vec::new();
            for (index, (ty, bits)) in self.key.iter().enumerate() {
                if index > 0 && !words.take(".") {
                    words.next();
                    return Err(words.refuse(". and the next field"));
                }
                let word = words.value(&value::expected(*ty))?;
                whole_name(words, word, *ty)?;
                let length = usize::try_from(bits.div_ceil(8)).unwrap_or(0);
                let (from, to) = if ty.is_text() {
                    (value::text(word), value::text(word))
                } else {
                    let found = self.field(words, word, *ty, *bits, names)?;
                    if !found.is_one() && !self.interval {
                        return Err(words.refuse("one value: the set has no flag `interval`"));
                    }
                    let order = if self.interval { Order::Big } else { ty.facts().order };
                    (value::bytes(found.first, order, length), value::bytes(found.last, order, length))
                };
                for (bytes, field) in [(&mut made.key, from), (&mut last, to)] {
                    bytes.extend(field);
                    bytes.resize(bytes.len().next_multiple_of(4), 0);
                }
            }
            made.last = self.interval.then_some(last);
        }
        loop {
            if words.take("timeout") {
                made.timeout = Some(words.parse("a time (30s, 1h)", value::duration)?);
            } else if words.take("comment") {
                made.comment = Some(words.value("a text")?.trim_matches('"').to_owned());
            } else {
                break;
            }
        }
        if words.take(":") {
            made.data = Some(self.leads(words, names)?);
        } else if self.data.is_some() || self.object {
            words.next();
            return Err(words.refuse(": and what the key leads to"));
        }
        elements.push(made);
        elements.extend(end.map(|key| Made { key, is_end: true, ..Made::default() }));
        Ok(())
    }

    fn field(&self, words: &Words<'_>, word: &str, ty: Type, bits: u32, names: &Names) -> Result<Interval, Failure> {
        if ty.is_text() {
            let bytes = value::text(word);
            let number = super::expression::number(&bytes, Order::Big).unwrap_or(0);
            return Ok(Interval { first: number, last: number });
        }
        value::interval(word, ty, bits, names).ok_or_else(|| words.refuse(&value::expected(ty)))
    }

    /// What a key leads to.
    fn leads(&self, words: &mut Words<'_>, names: &Names) -> Result<Leads, Failure> {
        match self.data {
            _ if self.object => Ok(Leads::Object(words.value("an object")?.trim_matches('"').to_owned())),
            Some((Type::VERDICT, _)) => {
                let (code, chain) = verdict(words)?;
                Ok(Leads::Verdict(code, chain))
            }
            Some((ty, bits)) => {
                let number = words.parse(&value::expected(ty), |word| value::one(word, ty, names))?;
                let length = usize::try_from(bits.div_ceil(8)).unwrap_or(0);
                Ok(Leads::Value(value::bytes(number, ty.facts().order, length)))
            }
            None => Err(words.refuse("no value: it is a set and no map")),
        }
    }
}

impl Made {
    /// Writes it.
    pub(super) fn write(&self, element: &mut AttributeWriter<'_, '_, ElementSpace>) {
        let flags = match (self.is_end, self.any) {
            (true, _) => ElementFlags::INTERVAL_END,
            (_, true) => ElementFlags::CATCHALL,
            _ => ElementFlags::default(),
        };
        if flags != ElementFlags::default() {
            element.put(ElementSpace::FLAGS, flags);
        }
        if !self.any {
            element.nest(ElementSpace::KEY, |key| key.put(Data::VALUE, &self.key[..]));
        }
        if let Some(last) = &self.last {
            element.nest(ElementSpace::KEY_END, |key| key.put(Data::VALUE, &last[..]));
        }
        match &self.data {
            Some(Leads::Value(bytes)) => element.nest(ElementSpace::DATA, |data| data.put(Data::VALUE, &bytes[..])),
            Some(Leads::Verdict(code, chain)) => element.nest(ElementSpace::DATA, |data| {
                data.nest(Data::VERDICT, |verdict| {
                    verdict.put(Verdict::CODE, *code);
                    verdict.put_some(Verdict::CHAIN, chain.as_deref());
                });
            }),
            Some(Leads::Object(name)) => element.put(ElementSpace::OBJREF, name.as_str()),
            None => {}
        }
        element.put_some(ElementSpace::TIMEOUT, self.timeout);
        if let Some(comment) = &self.comment {
            put_comment(comment, 0, |records| element.put(ElementSpace::USERDATA, records));
        }
    }
}

/// A comment as libnftnl keeps it: with a NUL behind it.
pub(super) fn put_comment(comment: &str, number: u8, put: impl FnOnce(&[(u8, &[u8])])) {
    let bytes: Vec<u8> = comment.bytes().chain([0]).collect();
    put(&[(number, &bytes)]);
}
