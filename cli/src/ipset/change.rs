//! `ipset add`, `del` and `test`; `restore`, and entries from a file: many in one message.

use std::fs;
use std::io::{self, Read};

use ringlink::codec::netfilter::NetfilterHeader;
use ringlink::codec::netfilter::ipset::{Change, ChangeMessage, Entries, IpSet, IpSetRefusal};
use ringlink::codec::table::Operation;

use super::element::{self, Draft};
use super::{Flags, Known, Sets, command, end, name, refusal, strict, take_flags};
use crate::arguments::Words;
use crate::failure::Failure;

/// Bytes of entries that go in one message. What the kernel refuses of it comes back whole, and has to fit what is
/// received at a time.
const CHUNK: usize = 24 * 1024;

/// Whether entries come or go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Add,
    Delete,
}

impl Direction {
    fn operation(self) -> Operation<ChangeMessage> {
        match self {
            Self::Add => IpSet::ADD,
            Self::Delete => IpSet::DEL,
        }
    }
}

/// Entries of one set that wait to be sent together.
struct Pending<'w> {
    set: &'w str,
    known: Known,
    direction: Direction,
    exist: bool,
    entries: Vec<Draft<'w>>,
    /// Bytes that they take.
    room: usize,
}

/// Adds or deletes an entry, or those of a file.
pub(super) fn run(
    sets: &mut Sets<'_>,
    words: &mut Words<'_, &str>,
    flags: Flags<'_>,
    direction: Direction,
) -> Result<(), Failure> {
    let set = name(words)?;
    let known = sets.look_up(set)?;
    if words.take("-") {
        end(words)?;
        return many(sets, set, known, flags, direction);
    }
    let entry = element::read(words, known, 1)?;
    let mut pending = Pending::new(set, known, direction, flags);
    pending.entries.push(entry);
    pending.send(sets, "entry")
}

/// Adds or deletes the entries of a file, one a line.
fn many(sets: &mut Sets<'_>, set: &str, known: Known, flags: Flags<'_>, direction: Direction) -> Result<(), Failure> {
    let text = read(flags)?;
    let text = Lines::split(&text)?;
    let mut pending = Pending::new(set, known, direction, flags);
    for (index, (_, line)) in text.lines().enumerate() {
        let number = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
        let entry = match element::read(&mut Words::new(line), known, number) {
            Ok(entry) => entry,
            Err(failure) => {
                pending.send(sets, "element")?;
                return Err(at("element", number, &failure));
            }
        };
        pending.add(sets, entry, "element")?;
    }
    pending.send(sets, "element")
}

/// Says whether an entry is in a set, by word and by exit code.
pub(super) fn test(sets: &mut Sets<'_>, words: &mut Words<'_, &str>, flags: Flags<'_>) -> Result<(), Failure> {
    let set = name(words)?;
    let known = sets.look_up(set)?;
    let draft = element::read(words, known, 1)?;
    let version = sets.version;
    let asked = sets.session.connection.apply(IpSet::TEST, NetfilterHeader::default(), |change| {
        change.put(Change::PROTOCOL, version);
        change.put(Change::SETNAME, set);
        change.nest(Change::DATA, |data| draft.entry(None).write(data));
    });
    let found = match asked {
        Ok(_) => true,
        Err(error) if error.refused().is_some_and(|refused| refused.errno.0 == IpSetRefusal::EXIST.0) => false,
        Err(error) => {
            return Err(refusal::of_entry(error, set, known.kind.storage, true, &format!("`{}`", draft.word)));
        }
    };
    let mut elem = Vec::new();
    element::show(&mut elem, &draft.entry(None), Some(known.kind));
    let output = &mut sets.session.output;
    if output.is_json() || (found && !flags.quiet) {
        output.row(|row| {
            row.json("set", set);
            row.field("elem", "", elem.as_slice());
            row.json("found", found);
            row.word("is in set");
            row.word(set);
            row.glue(".");
        });
    }
    match found {
        true => Ok(()),
        false => Err(Failure::Input(format!("{} is NOT in set {set}.", String::from_utf8_lossy(&elem)))),
    }
}

/// Carries out the commands of a file, one a line.
pub(super) fn restore(sets: &mut Sets<'_>, words: &mut Words<'_, &str>, flags: Flags<'_>) -> Result<(), Failure> {
    end(words)?;
    let text = read(flags)?;
    let text = Lines::split(&text)?;
    let mut pending: Option<Pending<'_>> = None;
    for (number, line) in text.lines() {
        if let Err(failure) = restore_line(sets, &mut pending, number, line, flags) {
            // What stands before is carried out, so that it is clear how far the file was.
            if let Some(mut pending) = pending {
                pending.send(sets, "line")?;
            }
            return Err(failure);
        }
    }
    if let Some(mut pending) = pending {
        pending.send(sets, "line")?;
    }
    sets.session.finish()
}

/// Carries out a line, or lets it wait for others like it.
fn restore_line<'w>(
    sets: &mut Sets<'_>,
    pending: &mut Option<Pending<'w>>,
    number: u32,
    line: &'w [&'w str],
    flags: Flags<'_>,
) -> Result<(), Failure> {
    let mut words = Words::new(line);
    let direction = match words.next() {
        Some("add" | "-A") => Direction::Add,
        Some("del" | "-D") => Direction::Delete,
        // What `ipset` prints in the end of a file.
        Some("COMMIT" | "quit") => return Ok(()),
        _ => {
            if let Some(mut before) = pending.take() {
                before.send(sets, "line")?;
            }
            let (line, own) = take_flags(line).map_err(|failure| at("line", number, &failure))?;
            let mut words = Words::new(&line);
            let both = Flags { exist: own.exist || flags.exist, quiet: own.quiet || flags.quiet, ..own };
            let done = command(&mut words).and_then(|command| sets.change(command, &mut words, both));
            return done.map_err(|failure| at("line", number, &failure));
        }
    };
    // Options stand in front in lines that ipset(8) reads, and nowhere in those that it writes.
    let mut exist = flags.exist;
    while words.take("-exist") || words.take("-!") {
        exist = true;
    }
    let waits = |pending: &&mut Pending<'w>, set: &str| {
        pending.set == set && pending.direction == direction && pending.exist == exist
    };
    let failed = |failure: Failure| at("line", number, &failure);
    let set = name(&mut words).map_err(failed)?;
    if let Some(pending) = pending.as_mut().filter(|pending| waits(pending, set)) {
        let entry = element::read(&mut words, pending.known, number).map_err(failed)?;
        return pending.add(sets, entry, "line");
    }
    if let Some(mut before) = pending.take() {
        before.send(sets, "line")?;
    }
    let known = sets.look_up(set).map_err(failed)?;
    let entry = element::read(&mut words, known, number).map_err(failed)?;
    let mut new = Pending::new(set, known, direction, Flags { exist, ..flags });
    let added = new.add(sets, entry, "line");
    *pending = Some(new);
    added
}

impl<'w> Pending<'w> {
    fn new(set: &'w str, known: Known, direction: Direction, flags: Flags<'_>) -> Self {
        Self { set, known, direction, exist: flags.exist, entries: Vec::new(), room: 0 }
    }

    /// Adds an entry. Where it does not fit beside those that wait, they are sent first.
    fn add(&mut self, sets: &mut Sets<'_>, entry: Draft<'w>, noun: &str) -> Result<(), Failure> {
        let room = entry.room();
        if self.room + room > CHUNK {
            self.send(sets, noun)?;
        }
        self.room += room;
        self.entries.push(entry);
        Ok(())
    }

    /// Sends what waits. The kernel stops at the first entry that it refuses, and says which.
    fn send(&mut self, sets: &mut Sets<'_>, noun: &str) -> Result<(), Failure> {
        let entries = std::mem::take(&mut self.entries);
        self.room = 0;
        let Some(first) = entries.first() else { return Ok(()) };
        let flags = Flags { exist: self.exist, ..Flags::default() };
        let operation = strict(self.direction.operation(), flags);
        let version = sets.version;
        let done = sets.session.connection.apply(operation, NetfilterHeader::default(), |change| {
            change.put(Change::PROTOCOL, version);
            change.put(Change::SETNAME, self.set);
            if let [entry] = entries.as_slice() {
                change.nest(Change::DATA, |data| entry.entry(None).write(data));
                return;
            }
            change.nest(Change::ADT, |many| {
                for entry in &entries {
                    many.nest(Entries::DATA, |data| entry.entry(Some(entry.line)).write(data));
                }
            });
            // Where the kernel writes which one it refuses.
            change.put(Change::LINENO, 0);
        });
        done.map(drop).map_err(|error| {
            let line = error.refused().and_then(|refused| refused.line);
            let entry = match line {
                Some(line) => entries.iter().find(|entry| entry.line == line),
                None => (entries.len() == 1).then_some(first),
            };
            let place = match entry {
                Some(entry) if noun == "entry" => format!("`{}`", entry.word),
                Some(entry) => format!("{noun} {} (`{}`)", entry.line, entry.word),
                None => format!("{noun}s {} to {}", first.line, entries.last().map_or(0, |last| last.line)),
            };
            refusal::of_entry(error, self.set, self.known.kind.storage, self.direction == Direction::Add, &place)
        })
    }
}

/// The same failure, with the place that it is about.
fn at(noun: &str, number: u32, failure: &Failure) -> Failure {
    let text = format!("{noun} {number}: {failure}");
    match failure {
        Failure::Kernel(_) | Failure::Library(_) => Failure::Kernel(text),
        _ => Failure::Input(text),
    }
}

/// The text of the file that is named, or of standard input.
fn read(flags: Flags<'_>) -> Result<String, Failure> {
    let (text, from) = match flags.file {
        Some(path) => (fs::read_to_string(path), path),
        None => {
            let mut text = String::new();
            (io::stdin().lock().read_to_string(&mut text).map(|_| text), "standard input")
        }
    };
    text.map_err(|error| Failure::Input(format!("{from}: {error}")))
}

/// The words of a text, line by line.
struct Lines<'t> {
    words: Vec<&'t str>,
    /// The number of each line that has words, from 1, and where its words end.
    ends: Vec<(u32, usize)>,
}

impl<'t> Lines<'t> {
    /// Splits a text. Quotation marks hold words together; lines that begin with `#` say nothing.
    fn split(text: &'t str) -> Result<Self, Failure> {
        let mut lines = Self { words: Vec::with_capacity(text.len() / 8), ends: Vec::with_capacity(text.len() / 16) };
        for (index, line) in text.lines().enumerate() {
            let number = u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1);
            let mut rest = line.trim_start();
            if rest.is_empty() || rest.starts_with('#') {
                continue;
            }
            while !rest.is_empty() {
                let (word, behind) = match rest.strip_prefix('"') {
                    Some(inside) => inside
                        .split_once('"')
                        .ok_or_else(|| Failure::Input(format!("line {number}: a quotation mark is open: `{rest}`")))?,
                    None => rest.split_at(rest.find([' ', '\t']).unwrap_or(rest.len())),
                };
                lines.words.push(word);
                rest = behind.trim_start();
            }
            lines.ends.push((number, lines.words.len()));
        }
        Ok(lines)
    }

    /// The numbers and the words of the lines that have any.
    fn lines(&self) -> impl Iterator<Item = (u32, &[&'t str])> {
        let starts = std::iter::once(0).chain(self.ends.iter().map(|(_, end)| *end));
        self.ends.iter().zip(starts).map(|((number, end), start)| (*number, &self.words[start..*end]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_into_words() {
        let text = "create a hash:ip\n\n # nothing\n  add a 1.1.1.1 comment \"two words\" timeout 5 \nadd a 2.2.2.2 comment \"\"";
        let lines = Lines::split(text).map_err(|failure| failure.to_string()).unwrap();
        let lines: Vec<(u32, Vec<&str>)> = lines.lines().map(|(number, words)| (number, words.to_vec())).collect();
        assert_eq!(lines[0], (1, vec!["create", "a", "hash:ip"]));
        assert_eq!(lines[1], (4, vec!["add", "a", "1.1.1.1", "comment", "two words", "timeout", "5"]));
        assert_eq!(lines[2], (5, vec!["add", "a", "2.2.2.2", "comment", ""]));
        let failure = Lines::split("flush\nadd a 1.1.1.1 comment \"open").map(drop).unwrap_err();
        assert_eq!(failure.to_string(), "line 2: a quotation mark is open: `\"open`");
    }
}
