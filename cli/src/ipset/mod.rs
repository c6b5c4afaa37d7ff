//! `ipset`: shows and changes sets of addresses, ports, interfaces and the like, in the words of ipset(8).
//!
//! Many entries go in one message, each with a number, so that a refusal names the one that it is about.

use std::collections::HashMap;

use ringlink::Connection;
use ringlink::codec::netfilter::ipset::{IpSet, NAME_MAX, Pair, Set, SetMessage, SetType, SetView, TYPES, VERSION};
use ringlink::codec::netfilter::{Family, NetfilterHeader};
use ringlink::codec::table::{AttributeWriter, Operation};
use ringlink::socket::Protocol;

use crate::arguments::{Words, keyword};
use crate::failure::Failure;
use crate::session::Session;

mod element;
mod ports;
mod refusal;

mod change;
mod create;
mod show;

/// What `ringlink ipset help` says.
pub(crate) const HELP: &str = "\
ringlink ipset list|save [SET] [-terse] [-name] [-sorted] [-output plain|save]
ringlink ipset create SET TYPE [range FROM-TO|ADDRESS/BITS] [family inet|inet6] [hashsize N] [maxelem N] [bucketsize N]
    [initval N] [netmask BITS | bitmask ADDRESS] [markmask N] [forceadd] [size N] [timeout SECONDS] [counters] [comment]
    [skbinfo] [-exist]
ringlink ipset add SET ENTRY [OPTION …] [-exist]
ringlink ipset del SET ENTRY [nomatch] [before|after SET] [-exist]
ringlink ipset add|del SET - [-file FILE] [-exist]
ringlink ipset test SET ENTRY [nomatch] [before|after SET]
ringlink ipset flush|destroy [SET]
ringlink ipset rename|swap SET SET
ringlink ipset restore [-file FILE] [-exist]

TYPE      bitmap:ip | bitmap:ip,mac | bitmap:port | hash:ip | hash:ip,mac | hash:ip,mark | hash:ip,port |
          hash:ip,port,ip | hash:ip,port,net | hash:mac | hash:net | hash:net,iface | hash:net,net | hash:net,port |
          hash:net,port,net | list:set
ENTRY     PART[,PART…], one for each that the type's name has:
          ip     ADDRESS | ADDRESS-ADDRESS | ADDRESS/BITS
          net    ADDRESS[/BITS] | ADDRESS-ADDRESS
          port   [PROTOCOL:]PORT[-PORT] | icmp:TYPE/CODE | icmpv6:TYPE/CODE | icmp:NAME | PROTOCOL:0
          mac    AA:BB:CC:DD:EE:FF
          mark   N
          iface  [physdev:]NAME
          set    SET
OPTION    timeout SECONDS | packets N | bytes N | comment TEXT | skbmark N[/MASK] | skbprio MAJOR:MINOR | skbqueue N |
          nomatch | wildcard | before SET | after SET

With `-` in place of an entry, entries with their options are read from standard input, one a line; `restore` reads what
`save` prints. Both send many at a time, and stop at the first that is refused.
";

const COMMANDS: &[&str] =
    &["create", "add", "del", "test", "destroy", "list", "save", "restore", "flush", "rename", "swap", "show"];
const EXPECTED: &str = "list, save, create, add, del, test, flush, destroy, rename, swap or restore";

/// Words that ipset(8) knows commands by, too.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("n", "create"),
    ("x", "destroy"),
    ("e", "rename"),
    ("w", "swap"),
    ("-N", "create"),
    ("-A", "add"),
    ("-D", "del"),
    ("-T", "test"),
    ("-X", "destroy"),
    ("-L", "list"),
    ("-S", "save"),
    ("-R", "restore"),
    ("-F", "flush"),
    ("-E", "rename"),
    ("-W", "swap"),
];

/// Options, which may stand anywhere.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "options are independent of each other")]
struct Flags<'w> {
    /// What is there already, or not there, is as good.
    exist: bool,
    sorted: bool,
    name: bool,
    terse: bool,
    /// Print what `restore` reads.
    save: bool,
    /// Say nothing of what `test` finds.
    quiet: bool,
    /// A file in place of standard input.
    file: Option<&'w str>,
}

/// What is known of a set.
#[derive(Clone, Copy, Debug)]
struct Known {
    kind: &'static SetType,
    family: Family,
}

/// A connection to the kernel's ipset.
struct Sets<'s> {
    session: &'s mut Session,
    /// The version of the protocol that both speak.
    version: u8,
    /// Sets that were asked for or made.
    known: HashMap<String, Known>,
}

/// Does what the words behind `ipset` say.
pub(crate) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let words: Vec<&str> = std::iter::from_fn(|| words.next()).collect();
    let (words, flags) = take_flags(&words)?;
    let mut words = Words::new(&words);
    let command = command(&mut words)?;
    let mut sets = Sets::connect(session)?;
    match command {
        "list" | "show" => show::run(&mut sets, &mut words, flags),
        "save" => show::run(&mut sets, &mut words, Flags { save: true, ..flags }),
        "restore" => change::restore(&mut sets, &mut words, flags),
        command => {
            sets.change(command, &mut words, flags)?;
            sets.session.finish()
        }
    }
}

/// The next word as a command.
fn command(words: &mut Words<'_, &str>) -> Result<&'static str, Failure> {
    let Some(word) = words.next() else { return Err(words.refuse_end(EXPECTED)) };
    named(word).ok_or_else(|| words.refuse(EXPECTED))
}

/// The command that a word names.
fn named(word: &str) -> Option<&'static str> {
    let other = OTHER_NAMES.iter().find(|(name, _)| *name == word).map(|(_, command)| *command);
    other.or_else(|| keyword(word, COMMANDS))
}

/// Takes the options out of a line.
fn take_flags<'w>(line: &'w [&'w str]) -> Result<(Vec<&'w str>, Flags<'w>), Failure> {
    let (mut words, mut flags) = (Vec::<&str>::with_capacity(line.len()), Flags::default());
    let mut line = Words::new(line);
    while let Some(word) = line.next() {
        match word {
            "-exist" | "--exist" | "-!" => flags.exist = true,
            "-sorted" | "--sorted" | "-s" => flags.sorted = true,
            "-name" | "--name" | "-n" => flags.name = true,
            "-terse" | "--terse" | "-t" => flags.terse = true,
            "-quiet" | "--quiet" | "-q" => flags.quiet = true,
            "-output" | "--output" | "-o" => match line.value("plain or save")? {
                "plain" => flags.save = false,
                "save" => flags.save = true,
                _ => return Err(line.refuse("plain or save (`ringlink --json ipset list` prints JSON)")),
            },
            "-file" | "--file" | "-f" => flags.file = Some(line.value("a file")?),
            // An entry's comment may be any text.
            "comment" if words.first().copied().and_then(named) != Some("create") => {
                words.push(word);
                words.extend(line.next());
            }
            _ => words.push(word),
        }
    }
    Ok((words, flags))
}

impl<'s> Sets<'s> {
    /// From now on, the session's connection is one for netfilter.
    fn connect(session: &'s mut Session) -> Result<Self, Failure> {
        session.connection = Connection::with(Protocol::NETFILTER, session.config().clone())?;
        let reply = session
            .connection
            .get(IpSet::PROTOCOL, NetfilterHeader::default(), |set| set.put(Set::PROTOCOL, VERSION))
            .map_err(|error| match error.refused() {
                // The kernel's netfilter knows of no such part.
                Some(refused) if refused.errno.is_invalid() => Failure::Kernel(
                    "this kernel has no ipset (not built in, or its module ip_set is not loaded)".into(),
                ),
                _ => error.into(),
            })?;
        let (spoken, oldest) = reply.body().attributes.read((Set::PROTOCOL, Set::PROTOCOL_MIN))?;
        drop(reply);
        let spoken = spoken.unwrap_or(VERSION);
        let oldest = oldest.unwrap_or(spoken);
        if oldest > VERSION {
            return Err(Failure::Kernel(format!(
                "this kernel speaks versions {oldest} to {spoken} of ipset's protocol, this program {VERSION}"
            )));
        }
        Ok(Self { session, version: spoken.min(VERSION), known: HashMap::new() })
    }

    /// Carries out a command that prints no sets.
    fn change(&mut self, command: &str, words: &mut Words<'_, &str>, flags: Flags<'_>) -> Result<(), Failure> {
        match command {
            "create" => create::run(self, words, flags),
            "add" => change::run(self, words, flags, change::Direction::Add),
            "del" => change::run(self, words, flags, change::Direction::Delete),
            "test" => change::test(self, words, flags),
            "flush" => self.whole(IpSet::FLUSH, words, flags),
            "destroy" => self.whole(IpSet::DESTROY, words, flags),
            "rename" => self.pair(IpSet::RENAME, words),
            "swap" => self.pair(IpSet::SWAP, words),
            _ => Err(words.refuse("a command that changes something")),
        }
    }

    /// Empties or destroys a set, or all.
    fn whole(
        &mut self,
        operation: Operation<SetMessage>,
        words: &mut Words<'_, &str>,
        flags: Flags<'_>,
    ) -> Result<(), Failure> {
        let name = words.peek().is_some().then(|| self::name(words)).transpose()?;
        end(words)?;
        self.known.clear();
        let version = self.version;
        let done = self.session.connection.apply(strict(operation, flags), NetfilterHeader::default(), |set| {
            head(set, version, name);
        });
        done.map(drop).map_err(|error| refusal::of_set(error, name.unwrap_or("all sets")))
    }

    /// Renames a set, or exchanges two.
    fn pair(
        &mut self,
        operation: Operation<(NetfilterHeader, Pair)>,
        words: &mut Words<'_, &str>,
    ) -> Result<(), Failure> {
        let (one, two) = (name(words)?, name(words)?);
        end(words)?;
        self.known.clear();
        let (version, both) = (self.version, operation.kind == IpSet::SWAP.kind);
        let done = self.session.connection.apply(operation, NetfilterHeader::default(), |pair| {
            pair.put(Pair::PROTOCOL, version);
            pair.put(Pair::SETNAME, one);
            pair.put(Pair::SETNAME2, two);
        });
        done.map(drop).map_err(|error| refusal::of_pair(error, one, two, both))
    }

    /// Of what type a set is.
    fn look_up(&mut self, name: &str) -> Result<Known, Failure> {
        if let Some(known) = self.known.get(name) {
            return Ok(*known);
        }
        let version = self.version;
        let reply = self
            .session
            .connection
            .get(IpSet::HEADER, NetfilterHeader::default(), |set| head(set, version, Some(name)))
            .map_err(|error| refusal::of_set(error, name))?;
        let set = SetView::read(reply.body())?;
        let kind = set.kind.and_then(|kind| kind.to_str().map(str::to_owned)).unwrap_or_default();
        let family = set.family;
        drop(reply);
        let kind = SetType::named(&kind).ok_or_else(|| {
            Failure::Input(format!("set `{name}` is of type `{kind}`, which this program does not know"))
        })?;
        let known = Known { kind, family };
        self.known.insert(name.to_owned(), known);
        Ok(known)
    }
}

/// The same request, to fail where what is to be made is there, or what is to be taken away is not.
fn strict<Q, A>(operation: Operation<Q, A>, flags: Flags<'_>) -> Operation<Q, A> {
    if flags.exist { operation } else { operation.exclusive() }
}

/// What requests about a set begin with.
fn head(set: &mut AttributeWriter<'_, '_, Set>, version: u8, name: Option<&str>) {
    set.put(Set::PROTOCOL, version);
    set.put_some(Set::SETNAME, name);
}

/// The next word as a set's name.
fn name<'w>(words: &mut Words<'w, &str>) -> Result<&'w str, Failure> {
    words
        .parse("a set's name, of at most 31 bytes", |word| (!word.is_empty() && word.len() <= NAME_MAX).then_some(word))
}

/// The line ends here.
fn end(words: &mut Words<'_, &str>) -> Result<(), Failure> {
    match words.next() {
        Some(_) => Err(words.refuse("nothing more")),
        None => Ok(()),
    }
}

/// A type by its name; where there is none, the failure names the one that is most like it.
fn kind(name: &str) -> Result<&'static SetType, Failure> {
    SetType::named(name).ok_or_else(|| {
        let nearest = TYPES.iter().map(|kind| (distance(kind.name, name), kind.name)).min();
        match nearest {
            Some((far, nearest)) if far <= 3 => {
                Failure::Usage(format!("`{name}`: there is no such type of sets, perhaps `{nearest}` is meant"))
            }
            _ => {
                let names: Vec<&str> = TYPES.iter().map(|kind| kind.name).collect();
                Failure::Usage(format!("`{name}`: expected a type of sets ({})", names.join(", ")))
            }
        }
    })
}

/// How many letters are to be put in, taken out or replaced to make one word of another.
fn distance(one: &str, two: &str) -> usize {
    let mut row: Vec<usize> = (0..=two.len()).collect();
    for (at, letter) in one.bytes().enumerate() {
        let mut corner = std::mem::replace(&mut row[0], at + 1);
        for (place, other) in two.bytes().enumerate() {
            let replaced = corner + usize::from(letter != other);
            corner = row[place + 1];
            row[place + 1] = replaced.min(corner + 1).min(row[place] + 1);
        }
    }
    row[two.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_type_is_named() {
        let told = |name: &str| kind(name).unwrap_err().to_string();
        assert!(told("hash:ipp").contains("perhaps `hash:ip` is meant"));
        assert!(told("hash:net,prt").contains("perhaps `hash:net,port` is meant"));
        assert!(told("list").contains("expected a type of sets (bitmap:ip, "));
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("same", "same")), (3, 3, 0));
    }
}
