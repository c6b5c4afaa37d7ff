//! All there is, as the kernel tells it at one moment.

use std::collections::HashMap;

use ringlink::codec::Error;
use ringlink::codec::netfilter::Family;
use ringlink::codec::netfilter::NetfilterHeader;
use ringlink::codec::netfilter::nftables::{
    Chain as ChainSpace, ChainFlags, Counter, CtExpect, CtHelper, CtTimeout, Devices, Elements as ElementsSpace,
    ExpressionList, Flowtable as FlowtableSpace, FlowtableFlags, FlowtableHook, Generation, Hook, Limit, Nft,
    Object as ObjectSpace, ObjectType, Quota, QuotaFlags, Rule as RuleSpace, RuleMessage, Secmark, Synproxy,
    SynproxyFlags, Table as TableSpace, TableFlags, VerdictCode,
};
use ringlink::codec::table::Attributes;

use super::decompile::{self, Rule as Decompiled};
use super::expression::Verdict;
use super::set::{Elements, Set, Sets, comment};
use super::statement::{Limit as LimitTold, Statement};
use crate::failure::Failure;
use crate::session::{Gathered, Session, warn};

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) family: u8,
    pub(super) name: Box<str>,
    pub(super) handle: u64,
    pub(super) flags: TableFlags,
    pub(super) comment: Option<Box<str>>,
}

/// A chain.
#[derive(Debug)]
pub(super) struct Chain {
    pub(super) family: u8,
    pub(super) table: Box<str>,
    pub(super) name: Box<str>,
    pub(super) handle: u64,
    pub(super) hook: Option<Hooked>,
    pub(super) flags: ChainFlags,
    pub(super) comment: Option<Box<str>>,
}

/// Where a chain is hooked in.
#[derive(Debug)]
pub(super) struct Hooked {
    pub(super) kind: Box<str>,
    pub(super) number: u32,
    pub(super) priority: i32,
    pub(super) policy: Option<VerdictCode>,
    pub(super) devices: Vec<Box<str>>,
}

/// An object with a name.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) family: u8,
    pub(super) table: Box<str>,
    pub(super) name: Box<str>,
    pub(super) handle: u64,
    pub(super) comment: Option<Box<str>>,
    pub(super) kind: ObjectType,
    pub(super) data: ObjectData,
}

/// What an object is set to.
#[derive(Debug)]
pub(super) enum ObjectData {
    Counter { packets: u64, bytes: u64 },
    Quota { bytes: u64, used: u64, flags: QuotaFlags },
    Limit(LimitTold),
    CtHelper { helper: Box<str>, protocol: u8, family: u16 },
    CtTimeout { protocol: u8, family: u16, seconds: Vec<(u16, u32)> },
    CtExpect { protocol: u8, family: u16, port: u16, timeout: u32, size: u8 },
    Secmark(Box<str>),
    Synproxy { mss: Option<u16>, scale: Option<u8>, flags: SynproxyFlags },
    Other(Box<[u8]>),
}

/// A flowtable.
#[derive(Debug)]
pub(super) struct Flowtable {
    pub(super) family: u8,
    pub(super) table: Box<str>,
    pub(super) name: Box<str>,
    pub(super) handle: u64,
    pub(super) flags: FlowtableFlags,
    pub(super) priority: i32,
    pub(super) devices: Vec<Box<str>>,
}

/// A rule.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) family: u8,
    pub(super) table: Box<str>,
    pub(super) chain: Box<str>,
    pub(super) handle: u64,
    pub(super) comment: Option<Box<str>>,
    pub(super) statements: Vec<Statement>,
}

/// What is wanted of all.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// 0 for all.
    pub(super) family: u8,
    pub(super) table: Option<String>,
    pub(super) chain: Option<String>,
    pub(super) set: Option<String>,
    pub(super) tables: bool,
    pub(super) chains: bool,
    pub(super) rules: bool,
    pub(super) sets: bool,
    pub(super) elements: bool,
    pub(super) objects: bool,
    pub(super) flowtables: bool,
}

impl Wanted {
    /// Everything.
    pub(super) fn all() -> Self {
        Self {
            tables: true,
            chains: true,
            rules: true,
            sets: true,
            elements: true,
            objects: true,
            flowtables: true,
            ..Self::default()
        }
    }
}

/// All there is.
#[derive(Debug, Default)]
pub(super) struct Ruleset {
    pub(super) tables: Vec<Table>,
    pub(super) chains: Vec<Chain>,
    pub(super) sets: Sets,
    pub(super) objects: Vec<Object>,
    pub(super) flowtables: Vec<Flowtable>,
    rules: Option<Gathered<RuleMessage>>,
    /// Which rules are in which chain.
    places: HashMap<(u8, Box<str>, Box<str>), Vec<usize>>,
}

/// How often what changed while it was read is read again.
const ATTEMPTS: u32 = 5;

impl Ruleset {
    /// Reads what is wanted, all of one generation.
    pub(super) fn read(session: &mut Session, wanted: &Wanted) -> Result<Self, Failure> {
        let mut attempt = 1;
        loop {
            let before = generation(session)?;
            let ruleset = Self::read_once(session, wanted);
            let after = generation(session)?;
            match ruleset {
                Ok(ruleset) if before == after => return Ok(ruleset),
                Ok(_) | Err(Failure::Library(_)) if before != after && attempt < ATTEMPTS => attempt += 1,
                Ok(ruleset) => {
                    warn(format_args!("the rules changed while they were read, some may be missing or twice"));
                    return Ok(ruleset);
                }
                Err(failure) => return Err(failure),
            }
        }
    }

    fn read_once(session: &mut Session, wanted: &Wanted) -> Result<Self, Failure> {
        let header = NetfilterHeader::of(Family(wanted.family));
        let mut ruleset = Self::default();
        let table = wanted.table.as_deref();
        let in_table = |family: u8, name: &str| {
            (wanted.family == 0 || wanted.family == family) && table.is_none_or(|table| *table == *name)
        };
        if wanted.tables {
            for body in session.gather(Nft::GETTABLE, header, |_| {})?.iter() {
                let table = heeded(read_table(body.header, body.attributes));
                ruleset.tables.extend(table.filter(|table| in_table(table.family, &table.name)));
            }
        }
        if wanted.chains {
            for body in session.gather(Nft::GETCHAIN, header, |_| {})?.iter() {
                let chain = heeded(read_chain(body.header, body.attributes));
                ruleset.chains.extend(chain.filter(|chain| in_table(chain.family, &chain.table)));
            }
        }
        if wanted.sets {
            let told = session.gather(Nft::GETSET, header, |set| {
                set.put_some(ringlink::codec::netfilter::nftables::Set::TABLE, table)
            })?;
            for body in told.iter() {
                if let Some(set) = heeded(Set::read(body.header, body.attributes))
                    && in_table(set.family, &set.table)
                {
                    ruleset.sets.insert(set);
                }
            }
        }
        if wanted.elements {
            for set in &mut ruleset.sets.all {
                if set.is_meter() {
                    continue;
                }
                if !set.is_anonymous() && wanted.set.as_deref().is_some_and(|name| *name != *set.name) {
                    continue;
                }
                set.elements = read_elements(session, set)?;
            }
        }
        if wanted.objects {
            for body in session.gather(Nft::GETOBJ, header, |object| object.put_some(ObjectSpace::TABLE, table))?.iter()
            {
                let object = heeded(read_object(body.header, body.attributes));
                ruleset.objects.extend(object.filter(|object| in_table(object.family, &object.table)));
            }
        }
        if wanted.flowtables {
            for body in session.gather(Nft::GETFLOWTABLE, header, |_| {})?.iter() {
                let flowtable = heeded(read_flowtable(body.header, body.attributes));
                ruleset.flowtables.extend(flowtable.filter(|told| in_table(told.family, &told.table)));
            }
        }
        if wanted.rules {
            let rules = session.gather(Nft::GETRULE, header, |rule| {
                rule.put_some(RuleSpace::TABLE, table);
                // Chains that belong to rules are needed, too.
            })?;
            for (index, body) in rules.iter().enumerate() {
                let Some((table, chain)) = heeded(body.attributes.read((RuleSpace::TABLE, RuleSpace::CHAIN))) else {
                    continue;
                };
                let name = |text: Option<ringlink::codec::Text<'_>>| text.unwrap_or_default().to_string().into();
                ruleset.places.entry((body.header.nfgen_family.0, name(table), name(chain))).or_default().push(index);
            }
            ruleset.rules = Some(rules);
        }
        Ok(ruleset)
    }

    /// The rules of a chain, one after the other.
    pub(super) fn rules_of(&self, chain: &Chain, mut each: impl FnMut(&Rule)) {
        self.rules_in(chain.family, &chain.table, &chain.name, &mut each);
    }

    fn rules_in(&self, family: u8, table: &str, chain: &str, each: &mut dyn FnMut(&Rule)) {
        let (Some(rules), Some(places)) = (&self.rules, self.places.get(&(family, table.into(), chain.into()))) else {
            return;
        };
        for body in places.iter().filter_map(|place| rules.get(*place)) {
            if let Some(rule) = heeded(self.rule(body.header, body.attributes)) {
                each(&rule);
            }
        }
    }

    /// A rule as the kernel tells it.
    pub(super) fn rule(&self, header: NetfilterHeader, rule: Attributes<'_, RuleSpace>) -> Result<Rule, Error> {
        let (table, chain, handle, expressions, user) = rule.read((
            RuleSpace::TABLE,
            RuleSpace::CHAIN,
            RuleSpace::HANDLE,
            RuleSpace::EXPRESSIONS,
            RuleSpace::USERDATA,
        ))?;
        let family = header.nfgen_family.0;
        let table: Box<str> = table.unwrap_or_default().to_string().into();
        let mut decompiled = Decompiled::new(family, &table, &self.sets);
        for expression in expressions.into_iter().flat_map(|list| list.all(ExpressionList::ELEM)) {
            decompiled.expression(expression?);
        }
        let mut statements = decompiled.finish();
        for statement in &mut statements {
            self.inline(family, &table, statement);
        }
        Ok(Rule {
            family,
            chain: chain.unwrap_or_default().to_string().into(),
            handle: handle.unwrap_or(0),
            comment: comment(user, 0),
            statements,
            table,
        })
    }

    /// A jump into a chain that belongs to the rule becomes what is in there.
    fn inline(&self, family: u8, table: &str, statement: &mut Statement) {
        let Statement::Verdict(Verdict::To(word, target)) = statement else { return };
        let belongs = |chain: &&Chain| {
            chain.family == family
                && *chain.table == *table
                && chain.name == *target
                && chain.flags.0 & ChainFlags::BINDING.0 != 0
        };
        if self.chains.iter().find(belongs).is_some() {
            let mut rules = Vec::new();
            self.rules_in(family, table, target, &mut |rule| rules.push(rule.statements.clone()));
            *statement = Statement::Chain(word, rules);
        }
    }
}

/// Which generation it is.
fn generation(session: &mut Session) -> Result<u32, Failure> {
    let reply = session.connection.get(Nft::GETGEN, NetfilterHeader::default(), |_| {})?;
    Ok(reply.body().attributes.get(Generation::ID)?.unwrap_or(0))
}

/// Tells of what cannot be read, and goes on without it.
fn heeded<T>(read: Result<T, Error>) -> Option<T> {
    match read {
        Ok(read) => Some(read),
        Err(error) => {
            warn(format_args!("a message could not be read whole: {error}"));
            None
        }
    }
}

/// The elements of a set.
fn read_elements(session: &mut Session, set: &Set) -> Result<Vec<super::expression::Element>, Failure> {
    let header = NetfilterHeader::of(Family(set.family));
    let mut elements = Elements::default();
    let mut dump = session.connection.dump(Nft::GETSETELEM, header, |elements| {
        elements.put(ElementsSpace::TABLE, &*set.table);
        elements.put(ElementsSpace::SET, &*set.name);
    })?;
    while let Some(body) = dump.next()? {
        let Some(list) = heeded(body.attributes.get(ElementsSpace::ELEMENTS)).flatten() else { continue };
        for item in list {
            heeded(item.and_then(|(_, element)| elements.read(set, element)));
        }
    }
    Ok(elements.finish(set))
}

/// A table as the kernel tells it.
pub(super) fn read_table(header: NetfilterHeader, table: Attributes<'_, TableSpace>) -> Result<Table, Error> {
    let (name, handle, flags, user) =
        table.read((TableSpace::NAME, TableSpace::HANDLE, TableSpace::FLAGS, TableSpace::USERDATA))?;
    Ok(Table {
        family: header.nfgen_family.0,
        name: name.unwrap_or_default().to_string().into(),
        handle: handle.unwrap_or(0),
        flags: flags.unwrap_or_default(),
        comment: comment(user, 0),
    })
}

fn devices(list: Option<Attributes<'_, Devices>>) -> Vec<Box<str>> {
    let Some(list) = list else { return Vec::new() };
    let names = list.all(Devices::NAME).flatten().map(|name| name.to_string().into());
    let prefixes = list.all(Devices::PREFIX).flatten().map(|name| format!("{name}*").into());
    let mut devices: Vec<Box<str>> = names.chain(prefixes).collect();
    devices.sort();
    devices
}

/// A chain as the kernel tells it.
pub(super) fn read_chain(header: NetfilterHeader, chain: Attributes<'_, ChainSpace>) -> Result<Chain, Error> {
    let ((table, name, handle, hook), (policy, kind, flags, user)) = chain.read((
        (ChainSpace::TABLE, ChainSpace::NAME, ChainSpace::HANDLE, ChainSpace::HOOK),
        (ChainSpace::POLICY, ChainSpace::TYPE, ChainSpace::FLAGS, ChainSpace::USERDATA),
    ))?;
    let hook = match hook {
        Some(hook) => {
            let (number, priority, device, several) =
                hook.read((Hook::HOOKNUM, Hook::PRIORITY, Hook::DEV, Hook::DEVS))?;
            let mut devices = devices(several);
            if devices.is_empty() {
                devices.extend(device.map(|device| device.to_string().into()));
            }
            Some(Hooked {
                kind: kind.unwrap_or_default().to_string().into(),
                number: number.unwrap_or(0),
                priority: priority.unwrap_or(0),
                policy,
                devices,
            })
        }
        None => None,
    };
    Ok(Chain {
        family: header.nfgen_family.0,
        table: table.unwrap_or_default().to_string().into(),
        name: name.unwrap_or_default().to_string().into(),
        handle: handle.unwrap_or(0),
        hook,
        flags: flags.unwrap_or_default(),
        comment: comment(user, 0),
    })
}

/// An object as the kernel tells it.
pub(super) fn read_object(header: NetfilterHeader, object: Attributes<'_, ObjectSpace>) -> Result<Object, Error> {
    let (table, name, handle, kind, user) = object.read((
        ObjectSpace::TABLE,
        ObjectSpace::NAME,
        ObjectSpace::HANDLE,
        ObjectSpace::TYPE,
        ObjectSpace::USERDATA,
    ))?;
    let kind = kind.unwrap_or(ObjectType::UNSPEC);
    Ok(Object {
        family: header.nfgen_family.0,
        table: table.unwrap_or_default().to_string().into(),
        name: name.unwrap_or_default().to_string().into(),
        handle: handle.unwrap_or(0),
        comment: comment(user, 0),
        kind,
        data: object_data(object, kind)?,
    })
}

fn object_data(object: Attributes<'_, ObjectSpace>, kind: ObjectType) -> Result<ObjectData, Error> {
    macro_rules! data {
        ($space:ident) => {
            object.chosen(ObjectSpace::DATA, $space)?
        };
    }
    let other = || {
        let data = object.raw().flatten().find(|attribute| attribute.kind == ObjectSpace::DATA.number());
        ObjectData::Other(data.map_or(&[][..], |attribute| attribute.payload.bytes).into())
    };
    Ok(match kind {
        ObjectType::COUNTER => {
            let Some(counter) = data!(Counter) else { return Ok(other()) };
            let (packets, bytes) = counter.read((Counter::PACKETS, Counter::BYTES))?;
            ObjectData::Counter { packets: packets.unwrap_or(0), bytes: bytes.unwrap_or(0) }
        }
        ObjectType::QUOTA => {
            let Some(quota) = data!(Quota) else { return Ok(other()) };
            let (bytes, used, flags) = quota.read((Quota::BYTES, Quota::CONSUMED, Quota::FLAGS))?;
            let flags = flags.unwrap_or_default();
            ObjectData::Quota { bytes: bytes.unwrap_or(0), used: used.unwrap_or(0), flags }
        }
        ObjectType::LIMIT => match data!(Limit) {
            Some(limit) => ObjectData::Limit(decompile::limit(limit)?),
            None => other(),
        },
        ObjectType::CT_HELPER => {
            let Some(helper) = data!(CtHelper) else { return Ok(other()) };
            let (name, family, protocol) = helper.read((CtHelper::NAME, CtHelper::L3PROTO, CtHelper::L4PROTO))?;
            ObjectData::CtHelper {
                helper: name.unwrap_or_default().to_string().into(),
                protocol: protocol.unwrap_or(0),
                family: family.unwrap_or(0),
            }
        }
        ObjectType::CT_TIMEOUT => {
            let Some(timeout) = data!(CtTimeout) else { return Ok(other()) };
            let (family, protocol, list) = timeout.read((CtTimeout::L3PROTO, CtTimeout::L4PROTO, CtTimeout::DATA))?;
            let seconds = list.into_iter().flatten().flatten().collect();
            ObjectData::CtTimeout { protocol: protocol.unwrap_or(0), family: family.unwrap_or(0), seconds }
        }
        ObjectType::CT_EXPECT => {
            let Some(expect) = data!(CtExpect) else { return Ok(other()) };
            let (family, protocol, port, timeout, size) = expect.read((
                CtExpect::L3PROTO,
                CtExpect::L4PROTO,
                CtExpect::DPORT,
                CtExpect::TIMEOUT,
                CtExpect::SIZE,
            ))?;
            ObjectData::CtExpect {
                protocol: protocol.unwrap_or(0),
                family: family.unwrap_or(0),
                port: port.unwrap_or(0),
                timeout: timeout.unwrap_or(0),
                size: size.unwrap_or(0),
            }
        }
        ObjectType::SECMARK => {
            let Some(mark) = data!(Secmark) else { return Ok(other()) };
            ObjectData::Secmark(mark.get(Secmark::CTX)?.unwrap_or_default().to_string().into())
        }
        ObjectType::SYNPROXY => {
            let Some(synproxy) = data!(Synproxy) else { return Ok(other()) };
            let (mss, scale, flags) = synproxy.read((Synproxy::MSS, Synproxy::WSCALE, Synproxy::FLAGS))?;
            match decompile::synproxy(mss, scale, flags.unwrap_or_default()) {
                Statement::Synproxy { mss, scale, flags } => ObjectData::Synproxy { mss, scale, flags },
                _ => other(),
            }
        }
        _ => other(),
    })
}

/// A flowtable as the kernel tells it.
pub(super) fn read_flowtable(
    header: NetfilterHeader,
    flowtable: Attributes<'_, FlowtableSpace>,
) -> Result<Flowtable, Error> {
    let (table, name, handle, hook, flags) = flowtable.read((
        FlowtableSpace::TABLE,
        FlowtableSpace::NAME,
        FlowtableSpace::HANDLE,
        FlowtableSpace::HOOK,
        FlowtableSpace::FLAGS,
    ))?;
    let (priority, list) = match hook {
        Some(hook) => hook.read((FlowtableHook::PRIORITY, FlowtableHook::DEVS))?,
        None => (None, None),
    };
    Ok(Flowtable {
        family: header.nfgen_family.0,
        table: table.unwrap_or_default().to_string().into(),
        name: name.unwrap_or_default().to_string().into(),
        handle: handle.unwrap_or(0),
        flags: flags.unwrap_or_default(),
        priority: priority.unwrap_or(0),
        devices: devices(list),
    })
}
