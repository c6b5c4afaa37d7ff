//! A protocol between processes: things on a shelf, by key. Its tables, and what answers it.

use std::collections::BTreeMap;

use ringlink::codec::reply::{Errno, Refusal};
use ringlink::codec::table::{AttributeWriter, Attributes, Body, Nest, Str};
use ringlink::codec::wire::Flags;
use ringlink::codec::{operations, space};
use ringlink::server::{self, Answer, Request, Service};

space! {
    /// A thing.
    pub Thing, "SHELF_A_" {
        /// Which.
        KEY: u32 = 1,
        /// What it is worth.
        VALUE: u64 = 2,
        /// What it is called, in 15 bytes at most.
        NAME: Str = 3,
        /// What is on its label.
        LABEL: Nest<Label> = 4,
    }
}

space! {
    /// What is on a label.
    pub Label, "SHELF_LABEL_" {
        /// A price; a label has one.
        PRICE: u32 = 1,
        /// More.
        NOTE: Str = 2,
    }
}

operations! {
    /// The messages.
    pub Shelf, "SHELF_" {
        /// This is on the shelf; or: put it there.
        NEW: new ((), Thing) = 16,
        /// What is on the shelf?
        GET: get ((), Thing) => NEW ((), Thing) = 17,
        /// This is gone; or: take it away.
        DEL: delete ((), Thing) = 18,
        /// Close down.
        QUIT: act ((), Thing) = 19,
    }
}

/// The multicast group that is told of changes.
pub const CHANGES: u32 = 1;

/// What is on the shelf.
#[derive(Debug, Default)]
pub struct Things {
    /// Values and names, by key.
    pub things: BTreeMap<u32, (u64, String)>,
    /// Whether it was asked to close down.
    pub closed: bool,
}

impl Service for Things {
    fn answer(&mut self, request: &Request<'_>, answer: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>> {
        match request.message.header.kind {
            kind if kind == Shelf::GET.kind && request.is_dump() => self.all(answer),
            kind if kind == Shelf::GET.kind => self.get(request, answer),
            kind if kind == Shelf::NEW.kind => self.put(request, answer),
            kind if kind == Shelf::DEL.kind => self.take(request, answer),
            kind if kind == Shelf::QUIT.kind => {
                self.closed = true;
                Ok(())
            }
            _ => Err(server::unknown()),
        }
    }
}

impl Things {
    fn all(&self, answer: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>> {
        let Ok(first) = u32::try_from(answer.cursor()) else { return Ok(()) };
        for (key, (value, name)) in self.things.range(first..) {
            if !answer.part(u64::from(*key) + 1, Shelf::GET, (), write(*key, *value, name))? {
                break;
            }
        }
        Ok(())
    }

    fn get(&self, request: &Request<'_>, answer: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>> {
        let key = key(request)?;
        let Some((value, name)) = self.things.get(&key) else { return Err(absent(request)) };
        answer.item(Shelf::GET, (), write(key, *value, name))
    }

    fn put(&mut self, request: &Request<'_>, answer: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>> {
        let key = key(request)?;
        let attributes = attributes(request);
        let (value, name, label) = attributes.read((Thing::VALUE, Thing::NAME, Thing::LABEL))?;
        let name = name.unwrap_or_default().to_string();
        if name.len() > 15 {
            return Err(Refusal::new(Errno::RANGE).saying("a name has 15 bytes").at(attributes.place(Thing::NAME)));
        }
        if let Some(label) = label
            && label.get(Label::PRICE)?.is_none()
        {
            let nest = attributes.place(Thing::LABEL);
            return Err(Refusal::new(Errno::INVAL).saying("a label has a price").lacking_in(nest, Label::PRICE));
        }
        if request.message.header.flags.contains(Flags::EXCLUSIVE) && self.things.contains_key(&key) {
            return Err(Refusal::new(Errno::EXIST).at(attributes.place(Thing::KEY)));
        }
        let value = value.unwrap_or(0);
        if value == 0 {
            answer.warn("it is worth nothing");
        }
        answer.tell(CHANGES, Shelf::NEW, (), |thing| write(key, value, &name)(thing))?;
        self.things.insert(key, (value, name));
        Ok(())
    }

    fn take(&mut self, request: &Request<'_>, answer: &mut Answer<'_, '_>) -> Result<(), Refusal<'static>> {
        let key = key(request)?;
        let Some((value, name)) = self.things.remove(&key) else { return Err(absent(request)) };
        answer.tell(CHANGES, Shelf::DEL, (), |thing| write(key, value, &name)(thing))
    }
}

/// A request's attributes: they are the same in all.
fn attributes<'a>(request: &Request<'a>) -> Attributes<'a, Thing> {
    Body::<((), Thing)>::of(request.message).attributes
}

/// Which thing a request is about.
fn key(request: &Request<'_>) -> Result<u32, Refusal<'static>> {
    let lacking = Refusal::new(Errno::INVAL).saying("which one?").lacking(Thing::KEY);
    attributes(request).get(Thing::KEY)?.ok_or(lacking)
}

fn absent(request: &Request<'_>) -> Refusal<'static> {
    Refusal::new(Errno::NOENT).saying("there is no such thing").at(attributes(request).place(Thing::KEY))
}

/// What is told of a thing.
fn write(key: u32, value: u64, name: &str) -> impl Fn(&mut AttributeWriter<'_, '_, Thing>) {
    move |thing| {
        thing.put(Thing::KEY, key);
        thing.put(Thing::VALUE, value);
        if !name.is_empty() {
            thing.put(Thing::NAME, name);
        }
    }
}
