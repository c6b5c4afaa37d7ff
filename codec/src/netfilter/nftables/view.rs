//! What messages say, as plain fields; each read with one pass over the message.

use super::{
    Chain, ChainFlags, ChainMessage, Counter, Data, DataType, Devices, Element, ElementFlags, Elements,
    ElementsMessage, Expression, ExpressionList, ExpressionView, Flowtable, FlowtableFlags, FlowtableHook,
    FlowtableMessage, Generation, GenerationMessage, Hook, Object, ObjectData, ObjectMessage, ObjectType, Rule,
    RuleCompat, RuleMessage, Set, SetDescription, SetFields, SetFlags, SetMessage, SetPolicy, Table, TableFlags,
    TableMessage, Trace, TraceMessage, TraceType, Verdict, VerdictCode,
};
use crate::netfilter::Family;
use crate::table::{Alternative, Attributes, Body, Chosen, IndexedItems, Nest, Table as Space, Text, TlvItems};
use crate::wire::Error;

/// A table.
#[derive(Clone, Copy, Debug)]
pub struct TableView<'a> {
    /// Whose packets.
    pub family: Family,
    /// Its name; empty where the message has none.
    pub name: Text<'a>,
    /// Its number.
    pub handle: Option<u64>,
    /// What is special about it.
    pub flags: TableFlags,
    /// How much it holds.
    pub holds: Option<u32>,
    /// Port id of the socket whose it is.
    pub owner: Option<u32>,
    /// What programs keep with it.
    pub userdata: Option<TlvItems<'a>>,
}

impl<'a> TableView<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(body: Body<'a, TableMessage>) -> Result<Self, Error> {
        let (name, handle, flags, holds, owner, userdata) = body.attributes.read((
            Table::NAME,
            Table::HANDLE,
            Table::FLAGS,
            Table::USE,
            Table::OWNER,
            Table::USERDATA,
        ))?;
        let name = name.unwrap_or_default();
        let flags = flags.unwrap_or_default();
        Ok(Self { family: body.header.nfgen_family, name, handle, flags, holds, owner, userdata })
    }

    /// The comment that nft keeps with it.
    #[must_use]
    pub fn comment(&self) -> Option<Text<'a>> {
        comment(self.userdata, COMMENT)
    }
}

/// A chain.
#[derive(Clone, Copy, Debug)]
pub struct ChainView<'a> {
    /// Whose packets.
    pub family: Family,
    /// Its table's name.
    pub table: Text<'a>,
    /// Its name.
    pub name: Text<'a>,
    /// Its number.
    pub handle: Option<u64>,
    /// Where it is hooked in: the hook's number and the priority.
    pub hook: Option<(u32, i32)>,
    /// The rest of where it is hooked in; see [`devices`](Self::devices).
    pub hooked: Option<Attributes<'a, Hook>>,
    /// What it may do, of a hooked one.
    pub kind: Option<Text<'a>>,
    /// What becomes of packets that get to its end.
    pub policy: Option<VerdictCode>,
    /// Packets and bytes that its policy decided.
    pub counters: Option<(u64, u64)>,
    /// What is special about it.
    pub flags: ChainFlags,
    /// How many rules it holds and jumps lead to it.
    pub used: Option<u32>,
    /// What programs keep with it.
    pub userdata: Option<TlvItems<'a>>,
}

impl<'a> ChainView<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(body: Body<'a, ChainMessage>) -> Result<Self, Error> {
        let (table, name, handle, hooked, kind, policy, counters, flags, used, userdata) = body.attributes.read((
            Chain::TABLE,
            Chain::NAME,
            Chain::HANDLE,
            Chain::HOOK,
            Chain::TYPE,
            Chain::POLICY,
            Chain::COUNTERS,
            Chain::FLAGS,
            Chain::USE,
            Chain::USERDATA,
        ))?;
        let hook = hooked.map(|hook| hook.read((Hook::HOOKNUM, Hook::PRIORITY))).transpose()?;
        let counters = counters.map(|counters| counters.read((Counter::PACKETS, Counter::BYTES))).transpose()?;
        Ok(Self {
            family: body.header.nfgen_family,
            table: table.unwrap_or_default(),
            name: name.unwrap_or_default(),
            handle,
            hook: hook.and_then(|(number, priority)| number.zip(priority)),
            hooked,
            kind,
            policy,
            counters: counters.and_then(|(packets, bytes)| packets.zip(bytes)),
            flags: flags.unwrap_or_default(),
            used,
            userdata,
        })
    }

    /// The devices that it is hooked in at.
    ///
    /// Where the name of one ends in `*`, it stands for all whose names begin like it.
    ///
    /// # Errors
    ///
    /// If the attributes are broken.
    pub fn devices(&self) -> Result<impl Iterator<Item = Result<Text<'a>, Error>> + use<'a>, Error> {
        let (one, several) =
            self.hooked.map(|hook| hook.read((Hook::DEV, Hook::DEVS))).transpose()?.unwrap_or_default();
        // The kernel tells a single device both ways.
        let alone = one.filter(|_| several.is_none());
        Ok(alone.into_iter().map(Ok).chain(several.into_iter().flat_map(|devices| devices.all(Devices::NAME))))
    }

    /// The comment that nft keeps with it.
    #[must_use]
    pub fn comment(&self) -> Option<Text<'a>> {
        comment(self.userdata, COMMENT)
    }
}

/// A rule.
#[derive(Clone, Copy, Debug)]
pub struct RuleView<'a> {
    /// Whose packets.
    pub family: Family,
    /// Its table's name.
    pub table: Text<'a>,
    /// Its chain's name.
    pub chain: Text<'a>,
    /// Its number.
    pub handle: Option<u64>,
    /// Number of the rule behind which it stands.
    pub position: Option<u64>,
    /// Its number within the transaction that makes it.
    pub id: Option<u32>,
    /// What it does; see [`expressions`](Self::expressions).
    pub list: Option<Attributes<'a, ExpressionList>>,
    /// What iptables would have found out by itself.
    pub compat: Option<Attributes<'a, RuleCompat>>,
    /// What programs keep with it.
    pub userdata: Option<TlvItems<'a>>,
}

impl<'a> RuleView<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(body: Body<'a, RuleMessage>) -> Result<Self, Error> {
        let (table, chain, handle, position, id, list, compat, userdata) = body.attributes.read((
            Rule::TABLE,
            Rule::CHAIN,
            Rule::HANDLE,
            Rule::POSITION,
            Rule::ID,
            Rule::EXPRESSIONS,
            Rule::COMPAT,
            Rule::USERDATA,
        ))?;
        Ok(Self {
            family: body.header.nfgen_family,
            table: table.unwrap_or_default(),
            chain: chain.unwrap_or_default(),
            handle,
            position,
            id,
            list,
            compat,
            userdata,
        })
    }

    /// What it does, step by step.
    pub fn expressions(&self) -> impl Iterator<Item = Result<ExpressionView<'a>, Error>> + use<'a> {
        expressions(self.list)
    }

    /// The comment that nft keeps with it.
    #[must_use]
    pub fn comment(&self) -> Option<Text<'a>> {
        comment(self.userdata, COMMENT)
    }
}

/// A set or a map.
#[derive(Clone, Copy, Debug)]
pub struct SetView<'a> {
    /// Whose packets.
    pub family: Family,
    /// Its table's name.
    pub table: Text<'a>,
    /// Its name.
    pub name: Text<'a>,
    /// Its number.
    pub handle: Option<u64>,
    /// Its number within the transaction that makes it.
    pub id: Option<u32>,
    /// What is special about it.
    pub flags: SetFlags,
    /// What the keys are, as programs number it.
    pub key_type: Option<u32>,
    /// Bytes of a key.
    pub key_length: Option<u32>,
    /// What elements lead to.
    pub data_type: Option<DataType>,
    /// Bytes of what elements lead to.
    pub data_length: Option<u32>,
    /// Type of the objects that elements lead to.
    pub object_type: Option<ObjectType>,
    /// How long elements stay, in milliseconds.
    pub timeout: Option<u64>,
    /// How often those whose time is over are cleared away, in milliseconds.
    pub gc_interval: Option<u32>,
    /// What the kernel shall spare.
    pub policy: Option<SetPolicy>,
    /// How many elements it will have at most.
    pub size: Option<u32>,
    /// The fields of a key.
    pub fields: Option<Attributes<'a, SetFields>>,
    /// How many elements it has; newer kernels say.
    pub count: Option<u32>,
    /// What each element does, where that is one thing.
    pub expression: Option<Attributes<'a, Expression>>,
    /// What each element does, where that is several things.
    pub list: Option<Attributes<'a, ExpressionList>>,
    /// What programs keep with it.
    pub userdata: Option<TlvItems<'a>>,
}

impl<'a> SetView<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(body: Body<'a, SetMessage>) -> Result<Self, Error> {
        // Two tuples only because a tuple of keys ends at twelve; it is one pass.
        let (identity, rest) = body.attributes.read((
            (Set::TABLE, Set::NAME, Set::HANDLE, Set::ID, Set::FLAGS, Set::KEY_TYPE, Set::KEY_LEN),
            (
                Set::DATA_TYPE,
                Set::DATA_LEN,
                Set::OBJ_TYPE,
                Set::TIMEOUT,
                Set::GC_INTERVAL,
                Set::POLICY,
                Set::DESC,
                Set::COUNT,
                Set::EXPR,
                Set::EXPRESSIONS,
                Set::USERDATA,
            ),
        ))?;
        let (table, name, handle, id, flags, key_type, key_length) = identity;
        let (
            data_type,
            data_length,
            object_type,
            timeout,
            gc_interval,
            policy,
            description,
            count,
            expression,
            list,
            userdata,
        ) = rest;
        let keys = (SetDescription::SIZE, SetDescription::CONCAT);
        let (size, fields) = description.map(|description| description.read(keys)).transpose()?.unwrap_or_default();
        Ok(Self {
            family: body.header.nfgen_family,
            table: table.unwrap_or_default(),
            name: name.unwrap_or_default(),
            handle,
            id,
            flags: flags.unwrap_or_default(),
            key_type,
            key_length,
            data_type,
            data_length,
            object_type,
            timeout,
            gc_interval,
            policy,
            size,
            fields,
            count,
            expression,
            list,
            userdata,
        })
    }

    /// Whether its elements lead to something.
    #[must_use]
    pub fn is_map(&self) -> bool {
        self.flags.intersects(SetFlags::MAP | SetFlags::OBJECT)
    }

    /// What each element does.
    pub fn expressions(&self) -> impl Iterator<Item = Result<ExpressionView<'a>, Error>> + use<'a> {
        self.expression.into_iter().map(ExpressionView::read).chain(expressions(self.list))
    }

    /// The comment that nft keeps with it.
    #[must_use]
    pub fn comment(&self) -> Option<Text<'a>> {
        comment(self.userdata, SET_COMMENT)
    }
}

/// Elements of a set.
#[derive(Clone, Copy, Debug)]
pub struct ElementsView<'a> {
    /// Whose packets.
    pub family: Family,
    /// Its table's name.
    pub table: Text<'a>,
    /// Its name.
    pub set: Text<'a>,
    /// The elements; see [`iter`](Self::iter).
    pub elements: Option<IndexedItems<'a, Nest<Element>>>,
}

impl<'a> ElementsView<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(body: Body<'a, ElementsMessage>) -> Result<Self, Error> {
        let (table, set, elements) = body.attributes.read((Elements::TABLE, Elements::SET, Elements::ELEMENTS))?;
        let (table, set) = (table.unwrap_or_default(), set.unwrap_or_default());
        Ok(Self { family: body.header.nfgen_family, table, set, elements })
    }

    /// The elements.
    pub fn iter(&self) -> impl Iterator<Item = Result<ElementView<'a>, Error>> + use<'a> {
        self.elements.into_iter().flatten().map(|element| ElementView::read(element?.1))
    }
}

/// An element of a set.
#[derive(Clone, Copy, Debug)]
pub struct ElementView<'a> {
    /// Its key, or where its interval begins; nothing of one that stands for all others.
    pub key: Option<&'a [u8]>,
    /// Where its interval ends, in sets whose keys consist of several fields.
    pub key_end: Option<&'a [u8]>,
    /// The value that it leads to.
    pub value: Option<&'a [u8]>,
    /// The verdict that it leads to.
    pub verdict: Option<VerdictView<'a>>,
    /// Name of the object that it leads to.
    pub object: Option<Text<'a>>,
    /// What is special about it.
    pub flags: ElementFlags,
    /// How long it stays, in milliseconds.
    pub timeout: Option<u64>,
    /// How long it still stays, in milliseconds.
    pub expiration: Option<u64>,
    /// What it does, where that is one thing.
    pub expression: Option<Attributes<'a, Expression>>,
    /// What it does, where that is several things.
    pub list: Option<Attributes<'a, ExpressionList>>,
    /// What programs keep with it.
    pub userdata: Option<TlvItems<'a>>,
}

impl<'a> ElementView<'a> {
    /// Reads an element.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(element: Attributes<'a, Element>) -> Result<Self, Error> {
        let (key, key_end, data, object, flags, timeout, expiration, expression, list, userdata) = element.read((
            Element::KEY,
            Element::KEY_END,
            Element::DATA,
            Element::OBJREF,
            Element::FLAGS,
            Element::TIMEOUT,
            Element::EXPIRATION,
            Element::EXPR,
            Element::EXPRESSIONS,
            Element::USERDATA,
        ))?;
        let (value, verdict) =
            data.map(|data| data.read((Data::VALUE, Data::VERDICT))).transpose()?.unwrap_or_default();
        let bytes = |data: Option<Attributes<'a, Data>>| data.map_or(Ok(None), |data| data.get(Data::VALUE));
        Ok(Self {
            key: bytes(key)?,
            key_end: bytes(key_end)?,
            value,
            verdict: verdict.map(VerdictView::read).transpose()?,
            object,
            flags: flags.unwrap_or_default(),
            timeout,
            expiration,
            expression,
            list,
            userdata,
        })
    }

    /// What it does.
    pub fn expressions(&self) -> impl Iterator<Item = Result<ExpressionView<'a>, Error>> + use<'a> {
        self.expression.into_iter().map(ExpressionView::read).chain(expressions(self.list))
    }

    /// The comment that nft keeps with it.
    #[must_use]
    pub fn comment(&self) -> Option<Text<'a>> {
        comment(self.userdata, COMMENT)
    }
}

/// What becomes of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VerdictView<'a> {
    /// Which.
    pub code: VerdictCode,
    /// The chain that a jump leads to.
    pub chain: Option<Text<'a>>,
}

impl<'a> VerdictView<'a> {
    /// Reads a verdict.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(verdict: Attributes<'a, Verdict>) -> Result<Self, Error> {
        let (code, chain) = verdict.read((Verdict::CODE, Verdict::CHAIN))?;
        Ok(Self { code: code.unwrap_or_default(), chain })
    }
}

/// An object.
#[derive(Clone, Copy, Debug)]
pub struct ObjectView<'a> {
    /// Whose packets.
    pub family: Family,
    /// Its table's name.
    pub table: Text<'a>,
    /// Its name.
    pub name: Text<'a>,
    /// Its number.
    pub handle: Option<u64>,
    /// Its type.
    pub kind: ObjectType,
    /// How many rules and elements use it.
    pub used: Option<u32>,
    /// What it is set to; see [`data`](Self::data).
    pub set_to: Option<Chosen<'a, ObjectData>>,
    /// What programs keep with it.
    pub userdata: Option<TlvItems<'a>>,
    attributes: Attributes<'a, Object>,
}

impl<'a> ObjectView<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(body: Body<'a, ObjectMessage>) -> Result<Self, Error> {
        let (table, name, handle, kind, used, set_to, userdata) = body.attributes.read((
            Object::TABLE,
            Object::NAME,
            Object::HANDLE,
            Object::TYPE,
            Object::USE,
            Object::DATA,
            Object::USERDATA,
        ))?;
        Ok(Self {
            family: body.header.nfgen_family,
            table: table.unwrap_or_default(),
            name: name.unwrap_or_default(),
            handle,
            kind: kind.unwrap_or_default(),
            used,
            set_to,
            userdata,
            attributes: body.attributes,
        })
    }

    /// What it is set to, if it is of the type that `T` belongs to.
    ///
    /// # Errors
    ///
    /// If the attributes are broken.
    pub fn data<T>(&self, nest: T) -> Result<Option<Attributes<'a, T>>, Error>
    where
        T: Space,
        Nest<T>: Alternative<ObjectData>,
    {
        self.attributes.chosen(Object::DATA, nest)
    }

    /// The comment that nft keeps with it.
    #[must_use]
    pub fn comment(&self) -> Option<Text<'a>> {
        comment(self.userdata, COMMENT)
    }
}

/// A flowtable.
#[derive(Clone, Copy, Debug)]
pub struct FlowtableView<'a> {
    /// Whose packets.
    pub family: Family,
    /// Its table's name.
    pub table: Text<'a>,
    /// Its name.
    pub name: Text<'a>,
    /// Its number.
    pub handle: Option<u64>,
    /// How many rules use it.
    pub used: Option<u32>,
    /// What is special about it.
    pub flags: FlowtableFlags,
    /// Where it is hooked in: the hook's number and the priority.
    pub hook: Option<(u32, i32)>,
    /// The devices; see [`devices`](Self::devices).
    pub hooked: Option<Attributes<'a, Devices>>,
}

impl<'a> FlowtableView<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(body: Body<'a, FlowtableMessage>) -> Result<Self, Error> {
        let (table, name, handle, used, flags, hook) = body.attributes.read((
            Flowtable::TABLE,
            Flowtable::NAME,
            Flowtable::HANDLE,
            Flowtable::USE,
            Flowtable::FLAGS,
            Flowtable::HOOK,
        ))?;
        let keys = (FlowtableHook::NUM, FlowtableHook::PRIORITY, FlowtableHook::DEVS);
        let (number, priority, hooked) = hook.map(|hook| hook.read(keys)).transpose()?.unwrap_or_default();
        Ok(Self {
            family: body.header.nfgen_family,
            table: table.unwrap_or_default(),
            name: name.unwrap_or_default(),
            handle,
            used,
            flags: flags.unwrap_or_default(),
            hook: number.zip(priority),
            hooked,
        })
    }

    /// The devices that it is hooked in at.
    pub fn devices(&self) -> impl Iterator<Item = Result<Text<'a>, Error>> + use<'a> {
        self.hooked.into_iter().flat_map(|devices| devices.all(Devices::NAME))
    }
}

/// A generation of the rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GenerationView<'a> {
    /// Its number.
    pub id: Option<u32>,
    /// Process that made it.
    pub process: Option<u32>,
    /// Name of that process.
    pub name: Option<Text<'a>>,
}

impl<'a> GenerationView<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(body: Body<'a, GenerationMessage>) -> Result<Self, Error> {
        let keys = (Generation::ID, Generation::PROC_PID, Generation::PROC_NAME);
        let (id, process, name) = body.attributes.read(keys)?;
        Ok(Self { id, process, name })
    }
}

/// Where a packet that is traced came past.
#[derive(Clone, Copy, Debug)]
pub struct TraceView<'a> {
    /// Whose packets.
    pub family: Family,
    /// The packet: the same number in all messages about it.
    pub id: Option<u32>,
    /// What is told.
    pub kind: TraceType,
    /// Name of the table.
    pub table: Text<'a>,
    /// Name of the chain.
    pub chain: Text<'a>,
    /// Number of the rule.
    pub rule: Option<u64>,
    /// What the rule or the chain said.
    pub verdict: Option<VerdictView<'a>>,
    /// The chain's policy.
    pub policy: Option<VerdictCode>,
    /// Index of the interface it came from.
    pub input: Option<u32>,
    /// Index of the interface it goes to.
    pub output: Option<u32>,
    /// Its mark.
    pub mark: Option<u32>,
}

impl<'a> TraceView<'a> {
    /// Reads a message.
    ///
    /// # Errors
    ///
    /// As [`Attributes::read`].
    pub fn read(body: Body<'a, TraceMessage>) -> Result<Self, Error> {
        let (id, kind, table, chain, rule, verdict, policy, input, output, mark) = body.attributes.read((
            Trace::ID,
            Trace::TYPE,
            Trace::TABLE,
            Trace::CHAIN,
            Trace::RULE_HANDLE,
            Trace::VERDICT,
            Trace::POLICY,
            Trace::IIF,
            Trace::OIF,
            Trace::MARK,
        ))?;
        Ok(Self {
            family: body.header.nfgen_family,
            id,
            kind: kind.unwrap_or_default(),
            table: table.unwrap_or_default(),
            chain: chain.unwrap_or_default(),
            rule,
            verdict: verdict.map(VerdictView::read).transpose()?,
            policy,
            input,
            output,
            mark,
        })
    }
}

/// The type of comments in what libnftnl keeps (`NFTNL_UDATA_RULE_COMMENT` and its kin).
const COMMENT: u8 = 0;

/// The type of comments in what it keeps with sets (`NFTNL_UDATA_SET_COMMENT`).
const SET_COMMENT: u8 = 7;

/// A comment, where what is kept is well-formed up to it.
fn comment(userdata: Option<TlvItems<'_>>, kind: u8) -> Option<Text<'_>> {
    let found = userdata?.map_while(Result::ok).find(|(found, _)| *found == kind);
    found.map(|(_, text)| Text::until_nul(text))
}

fn expressions(
    list: Option<Attributes<'_, ExpressionList>>,
) -> impl Iterator<Item = Result<ExpressionView<'_>, Error>> + use<'_> {
    let all = list.into_iter().flat_map(|list| list.all(ExpressionList::ELEM));
    all.map(|expression| expression.and_then(ExpressionView::read))
}
