//! Rules in nft's words, made expressions by the library's `RuleWriter`.

mod write;

use std::slice;

use ringlink::codec::netfilter::Family;
use ringlink::codec::netfilter::nftables::{
    CmpOp, CtDirection, CtKey, DynsetOp, LimitType, LogFlags, LogLevel, MetaKey, NatFlags, NatTarget, ObjectType,
    PayloadBase, Rate, Register, RejectType, SetName, VerdictCode,
};

use super::decompile::family;
use super::element::{Made, Shape, verdict};
use super::expression::ones;
use super::print::{CT, META};
use super::protocol::{self, Header};
use super::types::{Order, Type};
use super::value::{self, Interval};
use crate::arguments::Words;
use crate::failure::Failure;
use crate::names::Names;

/// A rule in words, understood.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    steps: Vec<Step>,
    /// Sets that go with it.
    pub(super) sets: Vec<Anonymous>,
    pub(super) comment: Option<String>,
}

/// A set that goes with a rule.
#[derive(Debug)]
pub(super) struct Anonymous {
    /// Its number within the transaction.
    pub(super) id: u32,
    pub(super) shape: Shape,
    pub(super) elements: Vec<Made>,
}

impl Anonymous {
    /// The pattern that the kernel makes its name of.
    pub(super) fn name(&self) -> &'static str {
        if self.shape.data.is_some() { "__map%d" } else { "__set%d" }
    }
}

/// What a rule asks for.
#[derive(Clone, Debug)]
struct Subject {
    load: Load,
    ty: Type,
    order: Order,
    bits: u32,
    /// Bits to the right of what is meant, in what is loaded.
    shift: u32,
    /// Bytes that are loaded.
    length: usize,
}

/// Where something is loaded from.
#[derive(Clone, Debug)]
enum Load {
    Payload { header: &'static Header, base: PayloadBase, offset: u32 },
    Meta(MetaKey),
    Ct(CtKey, Option<CtDirection>),
}

/// One step of a rule.
#[derive(Debug)]
enum Step {
    /// Side by side, each from a register of four bytes on.
    Load(Vec<Subject>),
    Mask(Vec<u8>),
    /// So many bytes, from this register of four bytes on.
    Turn(usize, u32),
    Compare(CmpOp, Vec<u8>),
    Range(CmpOp, Vec<u8>, Vec<u8>),
    Lookup(CmpOp, SetWord),
    /// What a map leads to, into a register.
    Map(SetWord, Register),
    Counter,
    Limit(Rate),
    Quota(u64, bool),
    Log {
        prefix: Option<String>,
        level: Option<LogLevel>,
        group: Option<u16>,
        flags: LogFlags,
    },
    Reject(RejectType, u8),
    Verdict(VerdictCode, Option<String>),
    Nat(&'static str, NatTarget),
    /// To the address that was looked up.
    NatMapped(&'static str, Family, NatFlags),
    SetMeta(MetaKey, Option<Vec<u8>>),
    SetCt(CtKey, Option<Vec<u8>>),
    Object(ObjectType, String),
    Update(DynsetOp, String, Option<u64>),
    Notrack,
}

/// A set by its name, or its number within the transaction.
#[derive(Clone, Debug)]
enum SetWord {
    Named(String),
    Anonymous(&'static str, u32),
}

impl SetWord {
    fn name(&self) -> SetName<'_> {
        match self {
            Self::Named(name) => SetName { name, id: None },
            Self::Anonymous(name, id) => SetName { name, id: Some(*id) },
        }
    }
}

const EXPECTED: &str = "ip, ip6, tcp, udp, icmp, ether …, meta, ct, iifname, oifname, counter, limit, quota, log, reject, snat, dnat, masquerade, redirect, add @set, accept, drop, jump … or comment";

/// Keys of `meta` that may stand without that word.
const WITHOUT_META: &[&str] = &["iif", "oif", "iifname", "oifname", "iifgroup", "oifgroup"];

/// Whether a set of the rule's table, by its name, is one of intervals; one that is not there is none.
pub(super) type OfIntervals<'i> = dyn FnMut(&str) -> Result<bool, Failure> + 'i;

/// Reads a rule to the end of the words.
pub(super) fn read(
    words: &mut Words<'_>,
    number: u8,
    names: &Names,
    of_intervals: &mut OfIntervals<'_>,
) -> Result<Compiled, Failure> {
    let mut compiler = Compiler { family: number, names, of_intervals, made: Compiled::default() };
    if words.peek().is_none() {
        return Err(words.refuse_end(EXPECTED));
    }
    while let Some(word) = words.next() {
        compiler.statement(word, words)?;
    }
    Ok(compiler.made)
}

struct Compiler<'n, 'i> {
    family: u8,
    names: &'n Names,
    of_intervals: &'n mut OfIntervals<'i>,
    made: Compiled,
}

impl Subject {
    /// How many registers of four bytes it takes.
    fn registers(&self) -> usize {
        self.length.div_ceil(4)
    }

    /// Whether it does not stand as it is compared: more and less are told byte by byte, so that it has to be big-endian.
    fn stands_otherwise(&self) -> bool {
        self.order == Order::Host && self.length > 1 && !self.ty.is_text()
    }
}

/// The operators of comparisons.
fn operator(word: &str) -> Option<CmpOp> {
    Some(match word {
        "==" | "eq" => CmpOp::EQ,
        "!=" | "ne" => CmpOp::NEQ,
        "<" | "lt" => CmpOp::LT,
        "<=" | "le" => CmpOp::LTE,
        ">" | "gt" => CmpOp::GT,
        ">=" | "ge" => CmpOp::GTE,
        _ => return None,
    })
}

impl Compiler<'_, '_> {
    fn step(&mut self, step: Step) {
        self.made.steps.push(step);
    }

    fn statement(&mut self, word: &str, words: &mut Words<'_>) -> Result<(), Failure> {
        match word {
            "counter" => match words.take("name") {
                true => self.object(ObjectType::COUNTER, words)?,
                false => {
                    // What a listing shows is started anew.
                    if words.take("packets") {
                        words.number::<u64>()?;
                        words.take("bytes");
                        words.number::<u64>()?;
                    }
                    self.step(Step::Counter);
                }
            },
            "limit" if words.take("name") => self.object(ObjectType::LIMIT, words)?,
            "limit" => {
                let rate = rate(words)?;
                self.step(Step::Limit(rate));
            }
            "quota" if words.take("name") => self.object(ObjectType::QUOTA, words)?,
            "quota" => {
                let over = words.take("over");
                words.take("until");
                let bytes = sized(words)?;
                self.step(Step::Quota(bytes, over));
            }
            "log" => self.log(words)?,
            "reject" => self.reject(words)?,
            "accept" | "drop" | "continue" | "return" | "jump" | "goto" => {
                words.back();
                let (code, chain) = verdict(words)?;
                self.step(Step::Verdict(code, chain));
            }
            "snat" | "dnat" | "masquerade" | "redirect" => self.nat(word, words)?,
            "notrack" => self.step(Step::Notrack),
            "add" | "update" | "delete" => self.update(word, words)?,
            "comment" => self.made.comment = Some(words.value("a text")?.trim_matches('"').to_owned()),
            _ => self.comparison(word, words)?,
        }
        Ok(())
    }

    fn object(&mut self, kind: ObjectType, words: &mut Words<'_>) -> Result<(), Failure> {
        let name = words.value("a name")?.trim_matches('"').to_owned();
        self.step(Step::Object(kind, name));
        Ok(())
    }

    /// What a word and those behind it ask for.
    fn subject(&self, word: &str, words: &mut Words<'_>) -> Result<Subject, Failure> {
        let meta = |word: &str| META.iter().find(|(_, name)| *name == word).map(|(key, _)| *key);
        if word == "meta" {
            let key = words.parse("a key of meta (mark, l4proto, iifname, pkttype …)", meta)?;
            return Ok(of_meta(key));
        }
        if let Some(key) = meta(word).filter(|_| WITHOUT_META.contains(&word)) {
            return Ok(of_meta(key));
        }
        if word == "ct" {
            let direction = match words.peek() {
                Some("original") => Some(CtDirection::ORIGINAL),
                Some("reply") => Some(CtDirection::REPLY),
                _ => None,
            };
            if direction.is_some() {
                words.next();
            }
            let name = words.value("a key of ct (state, mark, status, zone …)")?;
            let name = match name {
                "ip" | "ip6" => format!("{name} {}", words.value("saddr or daddr")?),
                name => name.to_owned(),
            };
            let Some((key, _)) = CT.iter().find(|(_, known)| *known == name) else {
                return Err(words.refuse("a key of ct (state, mark, status, zone …)"));
            };
            let (ty, bits, order) = super::decompile::ct_type(self.family, *key);
            let length = usize::try_from(bits / 8).unwrap_or(0);
            return Ok(Subject { load: Load::Ct(*key, direction), ty, order, bits, shift: 0, length });
        }
        let Some((header, base)) = named(word) else { return Err(words.refuse(EXPECTED)) };
        let known: Vec<&str> = header.fields.iter().map(|field| field.name).collect();
        let expected = known.join(", ");
        let name = words.value(&expected)?;
        // ARP's fields have two words.
        let two = |words: &Words<'_>| words.peek().map(|next| format!("{name} {next}"));
        let field = match header.named(name) {
            Some(field) => field,
            None => match two(words).and_then(|name| header.named(&name)) {
                Some(field) => {
                    words.next();
                    field
                }
                None => return Err(words.refuse(&expected)),
            },
        };
        let start = field.offset / 8;
        let end = (field.offset + field.bits).div_ceil(8);
        let load = Load::Payload { header, base, offset: start };
        let length = usize::try_from(end - start).unwrap_or(0);
        let shift = end * 8 - (field.offset + field.bits);
        Ok(Subject { load, ty: field.kind, order: Order::Big, bits: field.bits, shift, length })
    }

    /// What a word and those behind it ask for, of several things with `.` between them.
    fn subjects(&self, word: &str, words: &mut Words<'_>) -> Result<Vec<Subject>, Failure> {
        let mut subjects = vec![self.subject(word, words)?];
        while words.take(".") {
            let word = words.value(EXPECTED)?;
            subjects.push(self.subject(word, words)?);
        }
        // There are sixteen registers of four bytes.
        if subjects.iter().map(Subject::registers).sum::<usize>() > 16 {
            return Err(words.refuse("less: all together have 64 bytes at the most"));
        }
        Ok(subjects)
    }

    fn comparison(&mut self, word: &str, words: &mut Words<'_>) -> Result<(), Failure> {
        let key = self.subjects(word, words)?;
        let [subject] = key.as_slice() else { return self.several(key, words) };
        if words.take("set") {
            return self.set(subject, words);
        }
        let order = subject.order;
        let partial = subject.shift != 0 || subject.bits.div_ceil(8) * 8 != subject.bits;
        self.step(Step::Load(key.clone()));
        let mut mask = None;
        if words.take("&") || words.take("and") {
            let ty = subject.ty;
            mask = Some(words.parse(&value::expected(ty), |word| value::one(word, ty, self.names))?);
        }
        if partial || mask.is_some() {
            let mask = mask.unwrap_or(ones(subject.bits)) << subject.shift;
            self.step(Step::Mask(value::bytes(mask, order, subject.length)));
        }
        if words.take("vmap") {
            return self.verdicts(&key, words);
        }
        let sign = words.peek().and_then(operator);
        if sign.is_some() {
            words.next();
        }
        let op = sign.unwrap_or(CmpOp::EQ);
        match words.peek() {
            None => Err(words.refuse_end(&value::expected(subject.ty))),
            Some(next) if next == "{" || next.starts_with('@') => {
                if !matches!(op, CmpOp::EQ | CmpOp::NEQ) {
                    return Err(words.refuse("== or != before a set"));
                }
                let set = self.set_word(&key, words, None)?;
                self.step(Step::Lookup(op, set));
                Ok(())
            }
            Some(_) => self.compare(subject, op, sign.is_some() || mask.is_some(), words),
        }
    }

    /// Several things at once are looked up; nothing else is done with them.
    fn several(&mut self, key: Vec<Subject>, words: &mut Words<'_>) -> Result<(), Failure> {
        self.step(Step::Load(key.clone()));
        if words.take("vmap") {
            return self.verdicts(&key, words);
        }
        let op = match words.peek().and_then(operator) {
            Some(op @ (CmpOp::EQ | CmpOp::NEQ)) => {
                words.next();
                op
            }
            _ => CmpOp::EQ,
        };
        let set = self.set_word(&key, words, None)?;
        self.step(Step::Lookup(op, set));
        Ok(())
    }

    fn verdicts(&mut self, key: &[Subject], words: &mut Words<'_>) -> Result<(), Failure> {
        let map = self.set_word(key, words, Some((Type::VERDICT, 32)))?;
        self.step(Step::Map(map, Register::REG_VERDICT));
        Ok(())
    }

    fn compare(&mut self, subject: &Subject, op: CmpOp, explicit: bool, words: &mut Words<'_>) -> Result<(), Failure> {
        let Subject { ty, bits, shift, length, .. } = *subject;
        let word = words.value(&value::expected(ty))?;
        if ty.is_text() {
            let word = word.trim_matches('"');
            let bytes = match word.strip_suffix('*') {
                Some(beginning) => beginning.as_bytes().to_vec(),
                None => value::text(word),
            };
            self.step(Step::Compare(op, bytes));
            return Ok(());
        }
        // Flags may stand with commas between, which are words of their own.
        let mut text = word.to_owned();
        while ty.has_flags() && words.take(",") {
            text = format!("{text},{}", words.value(&value::expected(ty))?);
        }
        let Some(found) = value::interval(&text, ty, bits, self.names) else {
            return Err(words.refuse(&value::expected(ty)));
        };
        let Interval { first, last } = found;
        if ty.has_flags() && !explicit {
            // Any of these.
            self.step(Step::Mask(value::bytes(first << shift, subject.order, length)));
            self.step(Step::Compare(CmpOp::NEQ, vec![0; length]));
            return Ok(());
        }
        if first == last && matches!(op, CmpOp::EQ | CmpOp::NEQ) {
            self.step(Step::Compare(op, value::bytes(first << shift, subject.order, length)));
            return Ok(());
        }
        // What is more or less is compared byte by byte, so that it stands big-endian.
        let order = self.turned(slice::from_ref(subject));
        let width = last ^ first;
        if first != last && ty.has_prefixes() && first & width == 0 && width & (width.wrapping_add(1)) == 0 {
            let mask = ones(bits) & !width;
            self.step(Step::Mask(value::bytes(mask << shift, order, length)));
            self.step(Step::Compare(op, value::bytes(first << shift, order, length)));
            return Ok(());
        }
        let (from, to) = (value::bytes(first << shift, order, length), value::bytes(last << shift, order, length));
        match op {
            CmpOp::EQ | CmpOp::NEQ => self.step(Step::Range(op, from, to)),
            op if first == last => self.step(Step::Compare(op, from)),
            _ => return Err(words.refuse("one value")),
        }
        Ok(())
    }

    /// Has what was loaded stand big-endian.
    fn turned(&mut self, key: &[Subject]) -> Order {
        let mut place = 0;
        for subject in key {
            if subject.stands_otherwise() {
                self.step(Step::Turn(place, u32::try_from(subject.length).unwrap_or(4)));
            }
            place += subject.registers();
        }
        Order::Big
    }

    /// The same, where a set that is named has intervals.
    fn turned_for(&mut self, key: &[Subject], set: &str) -> Result<(), Failure> {
        if key.iter().any(Subject::stands_otherwise) && (self.of_intervals)(set)? {
            self.turned(key);
        }
        Ok(())
    }

    /// A set by name, or elements of one that goes with the rule.
    fn set_word(
        &mut self,
        key: &[Subject],
        words: &mut Words<'_>,
        data: Option<(Type, u32)>,
    ) -> Result<SetWord, Failure> {
        if let Some(name) = words.peek().and_then(|word| word.strip_prefix('@')) {
            words.next();
            self.turned_for(key, name)?;
            return Ok(SetWord::Named(name.to_owned()));
        }
        if key.iter().any(|subject| subject.shift != 0 || !subject.bits.is_multiple_of(8)) {
            words.next();
            return Err(words.refuse("a value: fields of less than a byte have no sets here"));
        }
        let order = if let [subject] = key { subject.order } else { Order::Big };
        let key_types = key.iter().map(|subject| (subject.ty, subject.bits)).collect();
        let mut shape = Shape { key: key_types, order, interval: false, data, object: false };
        // Intervals are told by their elements.
        let start = words.clone();
        let elements = match shape.read(words, self.names) {
            Ok(elements) => elements,
            Err(_) => {
                *words = start;
                shape.interval = true;
                let elements = shape.read(words, self.names)?;
                self.turned(key);
                elements
            }
        };
        let id = u32::try_from(self.made.sets.len()).unwrap_or(0) + 1;
        let set = Anonymous { id, shape, elements };
        let word = SetWord::Anonymous(set.name(), id);
        self.made.sets.push(set);
        Ok(word)
    }

    /// Whether what follows is something of the packet or of its connection, and no value.
    fn is_subject(words: &Words<'_>) -> bool {
        words
            .peek()
            .is_some_and(|word| matches!(word, "meta" | "ct") || WITHOUT_META.contains(&word) || named(word).is_some())
    }

    /// Looks something up in a map, and has what it leads to in the first register.
    fn mapped(&mut self, key: Vec<Subject>, words: &mut Words<'_>, data: (Type, u32)) -> Result<(), Failure> {
        if !words.take("map") {
            words.next();
            return Err(words.refuse("map and @ with its name, or map { KEY : VALUE, … }"));
        }
        self.step(Step::Load(key.clone()));
        let map = self.set_word(&key, words, Some(data))?;
        self.step(Step::Map(map, Register::REG_1));
        Ok(())
    }

    fn set(&mut self, subject: &Subject, words: &mut Words<'_>) -> Result<(), Failure> {
        let ty = subject.ty;
        let value = if Self::is_subject(words) {
            let word = words.value(EXPECTED)?;
            let from = self.subjects(word, words)?;
            match from.as_slice() {
                [Subject { load: Load::Meta(_) | Load::Ct(..), .. }] if words.peek() != Some("map") => {
                    self.step(Step::Load(from));
                }
                _ => self.mapped(from, words, (ty, subject.bits))?,
            }
            None
        } else {
            let number = words.parse(&value::expected(ty), |word| value::one(word, ty, self.names))?;
            Some(value::bytes(number, subject.order, subject.length))
        };
        match subject.load {
            Load::Meta(key) => self.step(Step::SetMeta(key, value)),
            Load::Ct(key, _) => self.step(Step::SetCt(key, value)),
            Load::Payload { .. } => return Err(words.refuse("meta or ct: fields of the packet are not set here")),
        }
        Ok(())
    }

    fn log(&mut self, words: &mut Words<'_>) -> Result<(), Failure> {
        let (mut prefix, mut level, mut group, mut flags) = (None, None, None, LogFlags::default());
        loop {
            if words.take("prefix") {
                prefix = Some(words.value("a text")?.trim_matches('"').to_owned());
            } else if words.take("group") {
                group = Some(words.number()?);
            } else if words.take("level") {
                const LEVELS: [&str; 9] = ["emerg", "alert", "crit", "err", "warn", "notice", "info", "debug", "audit"];
                let place = words.parse("emerg, alert, crit, err, warn, notice, info, debug or audit", |word| {
                    LEVELS.iter().position(|level| *level == word)
                })?;
                level = Some(LogLevel(u32::try_from(place).unwrap_or(4)));
            } else if words.take("flags") {
                flags = flags
                    | words.parse("all, skuid or ether", |word| match word {
                        "all" => Some(LogFlags(0x2f)),
                        "skuid" => Some(LogFlags::UID),
                        "ether" => Some(LogFlags::MACDECODE),
                        _ => None,
                    })?;
            } else {
                break;
            }
        }
        self.step(Step::Log { prefix, level, group, flags });
        Ok(())
    }

    fn reject(&mut self, words: &mut Words<'_>) -> Result<(), Failure> {
        let usual = match self.family {
            family::IPV4 => (RejectType::ICMP_UNREACH, 3),
            family::IPV6 => (RejectType::ICMP_UNREACH, 4),
            _ => (RejectType::ICMPX_UNREACH, 1),
        };
        let (kind, code) = if words.take("with") {
            let how = words.value("tcp reset, icmp CODE, icmpv6 CODE or icmpx CODE")?;
            let (kind, ty) = match how {
                "tcp" if words.take("reset") => (RejectType::TCP_RST, None),
                "icmp" => (RejectType::ICMP_UNREACH, Some(Type::ICMP_CODE)),
                "icmpv6" => (RejectType::ICMP_UNREACH, Some(Type::ICMPV6_CODE)),
                "icmpx" => (RejectType::ICMPX_UNREACH, Some(Type::ICMPX_CODE)),
                _ => return Err(words.refuse("tcp reset, icmp CODE, icmpv6 CODE or icmpx CODE")),
            };
            let code = match ty {
                Some(ty) => {
                    words.take("type");
                    let code = words.parse(&value::expected(ty), |word| value::one(word, ty, self.names))?;
                    u8::try_from(code).map_err(|_| words.refuse(&value::expected(ty)))?
                }
                None => 0,
            };
            (kind, code)
        } else {
            usual
        };
        self.step(Step::Reject(kind, code));
        Ok(())
    }

    fn nat(&mut self, word: &str, words: &mut Words<'_>) -> Result<(), Failure> {
        const EXPECTED: &str = "an address, ADDRESS:PORT, [ADDRESS]:PORT or :PORT";
        let word = match word {
            "snat" => "snat",
            "dnat" => "dnat",
            "redirect" => "redirect",
            _ => "masquerade",
        };
        let mut target = NatTarget::default();
        let network = if words.take("ip") {
            Family::IPV4
        } else if words.take("ip6") {
            Family::IPV6
        } else {
            Family(self.family)
        };
        let mut mapped = false;
        if words.take("to") {
            mapped = matches!(word, "snat" | "dnat") && Self::is_subject(words);
            if mapped {
                let data = match network {
                    Family::IPV4 => (Type::IPV4, 32),
                    Family::IPV6 => (Type::IPV6, 128),
                    _ => return Err(words.refuse("ip to or ip6 to: the map leads to addresses of one of the two")),
                };
                let word = words.value(EXPECTED)?;
                let key = self.subjects(word, words)?;
                self.mapped(key, words, data)?;
            } else {
                let (addresses, ports) = words.parse(EXPECTED, destination)?;
                target.addresses = addresses;
                target.ports = ports;
            }
        }
        while let Some(flag) = words.peek() {
            target.flags = target.flags
                | match flag {
                    "random" => NatFlags::PROTO_RANDOM,
                    "fully-random" => NatFlags::PROTO_RANDOM_FULLY,
                    "persistent" => NatFlags::PERSISTENT,
                    "," => NatFlags(0),
                    _ => break,
                };
            words.next();
        }
        if mapped {
            self.step(Step::NatMapped(word, network, target.flags));
            return Ok(());
        }
        if matches!(word, "snat" | "dnat") && target.addresses.is_none() && target.ports.is_none() {
            return Err(words.refuse_end("to and an address"));
        }
        self.step(Step::Nat(word, target));
        Ok(())
    }

    fn update(&mut self, word: &str, words: &mut Words<'_>) -> Result<(), Failure> {
        let operation = match word {
            "add" => DynsetOp::ADD,
            "update" => DynsetOp::UPDATE,
            _ => DynsetOp::DELETE,
        };
        let name = words.parse("@ and the name of a set", |word| word.strip_prefix('@'))?.to_owned();
        if !words.take("{") {
            words.next();
            return Err(words.refuse("{ and a key"));
        }
        let word = words.value("a key")?;
        let key = self.subjects(word, words)?;
        self.step(Step::Load(key.clone()));
        self.turned_for(&key, &name)?;
        let timeout = match words.take("timeout") {
            true => Some(words.parse("a time (30s, 1h)", value::duration)?),
            false => None,
        };
        if !words.take("}") {
            words.next();
            return Err(words.refuse("timeout or }"));
        }
        self.step(Step::Update(operation, name, timeout));
        Ok(())
    }
}

fn of_meta(key: MetaKey) -> Subject {
    let (ty, bits, order) = super::decompile::meta_type(key);
    let length = usize::try_from(bits / 8).unwrap_or(0);
    Subject { load: Load::Meta(key), ty, order, bits, shift: 0, length }
}

/// A header by its name, and where it stands.
fn named(word: &str) -> Option<(&'static Header, PayloadBase)> {
    let below = [(&protocol::ETHER, PayloadBase::LL_HEADER), (&protocol::VLAN, PayloadBase::LL_HEADER)];
    let network = [&protocol::IP, &protocol::IP6, &protocol::ARP].map(|header| (header, PayloadBase::NETWORK_HEADER));
    let transport = protocol::TRANSPORTS.iter().map(|(_, header)| *header).chain([&protocol::TRANSPORT]);
    let all =
        below.into_iter().take(1).chain(network).chain(transport.map(|header| (header, PayloadBase::TRANSPORT_HEADER)));
    all.into_iter().find(|(header, _)| header.name == word)
}

type Destination = (Option<std::ops::RangeInclusive<std::net::IpAddr>>, Option<std::ops::RangeInclusive<u16>>);

/// `10.0.0.1`, `10.0.0.1-10.0.0.9:80-90`, `[::1]:80`, `:80`.
fn destination(word: &str) -> Option<Destination> {
    let (addresses, ports) = if let Some(rest) = word.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        (address, rest.strip_prefix(':'))
    } else if word.matches(':').count() == 1 {
        let (address, port) = word.split_once(':')?;
        (address, Some(port))
    } else {
        (word, None)
    };
    let range = |text: &str| -> Option<std::ops::RangeInclusive<std::net::IpAddr>> {
        let (first, last) = text.split_once('-').unwrap_or((text, text));
        Some(first.parse().ok()?..=last.parse().ok()?)
    };
    let addresses = if addresses.is_empty() { None } else { Some(range(addresses)?) };
    let ports = match ports {
        None => None,
        Some(text) => {
            let (first, last) = text.split_once('-').unwrap_or((text, text));
            Some(first.parse().ok()?..=last.parse().ok()?)
        }
    };
    (addresses.is_some() || ports.is_some()).then_some((addresses, ports))
}

/// Bytes with their unit.
pub(super) fn sized(words: &mut Words<'_>) -> Result<u64, Failure> {
    let number: u64 = words.number()?;
    let unit = words.parse("bytes, kbytes or mbytes", |word| match word {
        "bytes" => Some(1),
        "kbytes" => Some(1024),
        "mbytes" => Some(1024 * 1024),
        _ => None,
    })?;
    number.checked_mul(unit).ok_or_else(|| words.refuse("less"))
}

/// `rate [over] 5/minute [burst 7 packets]`, `rate 10 kbytes/second`.
pub(super) fn rate(words: &mut Words<'_>) -> Result<Rate, Failure> {
    const EXPECTED: &str = "N/second, N/minute, N/hour, N/day or N/week";
    if !words.take("rate") {
        words.next();
        return Err(words.refuse("rate"));
    }
    let over = words.take("over");
    let per = |word: &str| match word {
        "second" => Some(1),
        "minute" => Some(60),
        "hour" => Some(3600),
        "day" => Some(86_400),
        "week" => Some(604_800),
        _ => None,
    };
    let word = words.value(EXPECTED)?;
    let (rate, seconds, kind) = match word.split_once('/') {
        Some((number, unit)) => {
            let number = number.parse().ok().ok_or_else(|| words.refuse(EXPECTED))?;
            (number, per(unit).ok_or_else(|| words.refuse(EXPECTED))?, LimitType::PKTS)
        }
        None => {
            let number: u64 = word.parse().ok().ok_or_else(|| words.refuse(EXPECTED))?;
            let unit = words.value("bytes/second, kbytes/second, mbytes/second …")?;
            let (scale, time) = unit.split_once('/').ok_or_else(|| words.refuse("bytes/second …"))?;
            let scale = match scale {
                "bytes" => 1,
                "kbytes" => 1024,
                "mbytes" => 1024 * 1024,
                _ => return Err(words.refuse("bytes/second, kbytes/second, mbytes/second …")),
            };
            let rate = number.checked_mul(scale).ok_or_else(|| words.refuse("less"))?;
            (rate, per(time).ok_or_else(|| words.refuse(EXPECTED))?, LimitType::PKT_BYTES)
        }
    };
    let mut burst = if kind == LimitType::PKTS { 5 } else { 0 };
    if words.take("burst") {
        if kind == LimitType::PKTS {
            burst = words.number()?;
            words.take("packets");
        } else {
            burst = u32::try_from(sized(words)?).map_err(|_| words.refuse("less"))?;
        }
    }
    Ok(Rate { rate, seconds, burst, kind, over })
}
