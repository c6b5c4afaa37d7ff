//! `xfrm policy`: which packets are protected.

use ringlink::codec::table::{AttributeWriter, Operation};
use ringlink::codec::xfrm::{
    Action, CountHeader, DefaultAction, DefaultPolicy, Direction, Family, HashThreshold, LifetimeLimits, Mark,
    PolicyFlags, PolicyId, PolicyInfo, PolicyKind, PolicyMessage, PolicyType, PolicyView, Spd, Template, Xfrm, Xfrma,
};

use super::state::{put_context, tell};
use super::words::{self, Chosen, Named};
use super::{connect, family, print, some_family};
use crate::arguments::{Words, keyword};
use crate::failure::Failure;
use crate::output::Output;
use crate::session::Session;

const VERBS: &[&str] = &[
    "add",
    "update",
    "delete",
    "deleteall",
    "delall",
    "list",
    "show",
    "lst",
    "get",
    "flush",
    "count",
    "set",
    "setdefault",
    "getdefault",
];

/// Does what the words behind `xfrm policy` say.
pub(super) fn run(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let Some(verb) = words.next() else {
        return list(session, words);
    };
    match keyword(verb, VERBS) {
        Some("add") => change(session, words, Xfrm::NEWPOLICY),
        Some("update") => change(session, words, Xfrm::UPDPOLICY),
        Some("delete") => delete(session, words),
        Some("deleteall" | "delall") => delete_all(session, words),
        Some("list" | "show" | "lst") => list(session, words),
        Some("get") => get(session, words),
        Some("flush") => flush(session, words),
        Some("count") => count(session, words),
        Some("set") => set_thresholds(session, words),
        Some("setdefault") => set_default(session, words),
        Some(_) => get_default(session, words),
        None => {
            Err(words.refuse("list, add, update, get, del, deleteall, flush, count, set, setdefault or getdefault"))
        }
    }
}

fn direction(words: &mut Words<'_>) -> Result<Direction, Failure> {
    words.parse("in, out or fwd", |word| words::named(print::DIRECTIONS, word))
}

fn action(words: &mut Words<'_>) -> Result<Action, Failure> {
    words.parse("allow or block", |word| words::named(print::ACTIONS, word))
}

fn kind(words: &mut Words<'_>) -> Result<PolicyKind, Failure> {
    words.parse("main or sub", |word| words::named(print::KINDS, word))
}

fn flags(words: &mut Words<'_>) -> Result<PolicyFlags, Failure> {
    let flags = words::flags(words, words::POLICY_FLAGS)?;
    u8::try_from(flags).map(PolicyFlags).map_err(|_| words.refuse("a number from 0 to 0xff"))
}

/// Policies that are asked for.
#[derive(Default)]
struct Wanted {
    chosen: Chosen,
    direction: Option<Direction>,
    index: Option<u32>,
    kind: Option<PolicyKind>,
    action: Option<Action>,
    priority: Option<u32>,
    flags: PolicyFlags,
    family: Family,
    no_sockets: bool,
}

impl Wanted {
    fn read(words: &mut Words<'_>, session: &mut Session) -> Result<Self, Failure> {
        let mut wanted = Self { family: family(&session.options), ..Self::default() };
        while let Some(word) = words.next() {
            match word {
                "nosock" => wanted.no_sockets = true,
                "dir" => wanted.direction = Some(direction(words)?),
                "index" => wanted.index = Some(words.number()?),
                "ptype" => wanted.kind = Some(kind(words)?),
                "action" => wanted.action = Some(action(words)?),
                "priority" => wanted.priority = Some(words.number()?),
                "flag" => wanted.flags = flags(words)?,
                _ if wanted.chosen.read(word, words, session)? => {}
                _ => {
                    return Err(words.refuse("a selector, nosock, dir, index, ptype, action, priority or flag"));
                }
            }
        }
        Ok(wanted)
    }

    fn matches(&self, info: &PolicyInfo, kind: Option<PolicyKind>) -> bool {
        (self.family == Family::UNSPEC || info.sel.family == self.family)
            && !(self.no_sockets && is_of_socket(info))
            && self.chosen.matches(&info.sel)
            && self.direction.is_none_or(|direction| info.dir == direction)
            && self.index.is_none_or(|index| info.index == index)
            && self.kind.is_none_or(|wanted| kind.unwrap_or(PolicyKind::MAIN) == wanted)
            && self.action.is_none_or(|action| info.action == action)
            && self.priority.is_none_or(|priority| info.priority == priority)
            && (self.flags == PolicyFlags::default() || info.flags.intersects(self.flags))
    }
}

/// Whether a policy is one that a socket has for itself.
fn is_of_socket(info: &PolicyInfo) -> bool {
    info.dir.0 > Direction::FWD.0
}

fn list(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = Wanted::read(words, session)?;
    let view = print::View::of(&session.options);
    session.learn_names()?;
    connect(session)?;
    session.dump(
        Xfrm::GETPOLICY,
        PolicyId::default(),
        |_| {},
        |output, names, body| {
            let policy = PolicyView::read(body)?;
            if wanted.matches(&policy.info, policy.kind) {
                output.row(|row| print::policy(row, names, view, &policy, None))?;
            }
            Ok(())
        },
    )?;
    session.finish()
}

/// What names one policy: its selector or its index, and what else the kernel compares.
#[derive(Default)]
struct Name<'w> {
    id: PolicyId,
    more: More<'w>,
}

/// What stands in attributes of a policy's own.
#[derive(Clone, Copy, Default)]
struct More<'w> {
    kind: Option<PolicyKind>,
    mark: Option<Mark>,
    context: Option<&'w str>,
    if_id: Option<u32>,
}

impl More<'_> {
    fn put(&self, attributes: &mut AttributeWriter<'_, '_, Xfrma>) {
        let kind = self.kind.map(|kind| PolicyType { kind, ..PolicyType::default() });
        attributes.put_some(Xfrma::POLICY_TYPE, kind);
        attributes.put_some(Xfrma::MARK, self.mark.filter(|mark| mark.m != 0));
        if let Some(text) = self.context {
            put_context(attributes, text);
        }
        attributes.put_some(Xfrma::IF_ID, self.if_id);
    }
}

impl<'w> Name<'w> {
    fn read(words: &mut Words<'w>, session: &mut Session) -> Result<Self, Failure> {
        let (mut chosen, mut index, mut way) = (Chosen::default(), None, None);
        let mut more = More::default();
        while let Some(word) = words.next() {
            match word {
                "dir" => way = Some(direction(words)?),
                "ctx" => more.context = Some(words.value("a security label")?),
                "mark" => more.mark = Some(words::mark(words)?),
                "index" => index = Some(words.number()?),
                "ptype" => more.kind = Some(kind(words)?),
                "if_id" => more.if_id = Some(words.number()?),
                _ if chosen.read(word, words, session)? => {}
                _ => return Err(words.refuse("a selector, index, dir, ctx, mark, ptype or if_id")),
            }
        }
        let Some(dir) = way else { return Err(words.refuse_end("dir in, out or fwd")) };
        match (chosen.is_empty(), index) {
            (true, None) => return Err(words.refuse_end("a selector or an index")),
            (false, Some(_)) => return Err(Failure::Usage("`index` and a selector both name a policy".into())),
            _ => {}
        }
        let sel = chosen.selector(some_family(family(&session.options)));
        Ok(Self { id: PolicyId { sel, index: index.unwrap_or(0), dir, ..PolicyId::default() }, more })
    }
}

fn get(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let name = Name::read(words, session)?;
    let view = print::View::of(&session.options);
    session.learn_names()?;
    connect(session)?;
    let Session { connection, names, output, .. } = session;
    let reply = connection.get(Xfrm::GETPOLICY, name.id, |attributes| name.more.put(attributes))?;
    output.row(|row| print::policy(row, names, view, &PolicyView::read(reply.body())?, None))?;
    drop(reply);
    session.finish()
}

fn delete(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let name = Name::read(words, session)?;
    connect(session)?;
    tell(session.connection.apply(Xfrm::DELPOLICY, name.id, |attributes| name.more.put(attributes))?);
    Ok(())
}

/// Deletes the policies that are there one by one; those of sockets are the sockets' own.
fn delete_all(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = Wanted::read(words, session)?;
    connect(session)?;
    let gathered = session.gather(Xfrm::GETPOLICY, PolicyId::default(), |_| {})?;
    let mut batch = session.connection.batch();
    for body in gathered.iter() {
        let PolicyView { info, kind, mark, if_id, .. } = PolicyView::read(body)?;
        if !wanted.matches(&info, kind) || is_of_socket(&info) {
            continue;
        }
        let id = PolicyId { sel: info.sel, index: info.index, dir: info.dir, ..PolicyId::default() };
        let more = More { kind, mark, context: None, if_id };
        batch.add(Xfrm::DELPOLICY, id, |attributes| more.put(attributes))?;
    }
    super::finish(batch)
}

fn flush(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut more = More::default();
    while let Some(word) = words.next() {
        match word {
            "ptype" => more.kind = Some(kind(words)?),
            _ => return Err(words.refuse("ptype")),
        }
    }
    connect(session)?;
    tell(session.connection.apply(Xfrm::FLUSHPOLICY, (), |attributes| more.put(attributes))?);
    Ok(())
}

fn change(session: &mut Session, words: &mut Words<'_>, operation: Operation<PolicyMessage>) -> Result<(), Failure> {
    let mut info = PolicyInfo { lft: LifetimeLimits::FOREVER, ..PolicyInfo::default() };
    let (mut chosen, mut way, mut more) = (Chosen::default(), None, More::default());
    let mut templates = Vec::new();
    while let Some(word) = words.next() {
        match word {
            "dir" => way = Some(direction(words)?),
            "ctx" => more.context = Some(words.value("a security label")?),
            "mark" => more.mark = Some(words::mark(words)?),
            "index" => info.index = words.number()?,
            "ptype" => more.kind = Some(kind(words)?),
            "action" => info.action = action(words)?,
            "priority" => info.priority = words.number()?,
            "flag" => info.flags = flags(words)?,
            "if_id" => more.if_id = Some(words.number()?),
            "limit" => {
                let mut limits = info.lft;
                words::limit(words, &mut limits)?;
                info.lft = limits;
            }
            "tmpl" => templates.push(template(words, session)?),
            _ if chosen.read(word, words, session)? => {}
            _ => return Err(words.refuse("a selector, dir, priority, tmpl or another word of `xfrm help`")),
        }
    }
    let Some(dir) = way else { return Err(words.refuse_end("dir in, out or fwd")) };
    info.dir = dir;
    info.sel = chosen.selector(some_family(family(&session.options)));
    for template in templates.iter_mut().filter(|template| template.family == Family::UNSPEC) {
        template.family = info.sel.family;
    }
    connect(session)?;
    tell(session.connection.apply(operation, info, |attributes| {
        more.put(attributes);
        if !templates.is_empty() {
            attributes.put(Xfrma::TMPL, templates.as_slice());
        }
    })?);
    Ok(())
}

/// The next words as a template, up to one that belongs to none.
fn template(words: &mut Words<'_>, session: &Session) -> Result<Template, Failure> {
    let mut template = Template { aalgos: u32::MAX, ealgos: u32::MAX, calgos: u32::MAX, ..Template::default() };
    let mut named = Named::default();
    while let Some(word) = words.peek() {
        let mut ahead = words.clone();
        ahead.next();
        match word {
            "mode" => template.mode = words::mode(&mut ahead)?,
            "reqid" => template.reqid = ahead.number()?,
            "level" => {
                template.optional = ahead.parse("required or use", |word| match word {
                    "required" => Some(0),
                    "use" => Some(1),
                    _ => None,
                })?;
            }
            _ if named.read(word, &mut ahead, session)? => {}
            _ => break,
        }
        *words = ahead;
    }
    if named.proto.is_none() {
        return match words.peek() {
            Some(_) => {
                words.next();
                Err(words.refuse("a template, which has at least `proto PROTO`"))
            }
            None => Err(words.refuse_end("a template, which has at least `proto PROTO`")),
        };
    }
    template.id = named.id();
    template.saddr = named.saddr();
    template.family = named.family();
    Ok(template)
}

fn count(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    if words.next().is_some() {
        return Err(words.refuse("nothing more"));
    }
    connect(session)?;
    let json = session.options.json;
    let (sockets, hashes) = (session.options.statistics > 0 || json, session.options.statistics > 1 || json);
    let Session { connection, output, .. } = session;
    let reply = connection.get(Xfrm::GETSPDINFO, CountHeader { flags: u32::MAX }, |_| {})?;
    let (counts, hash, four, six) =
        reply.body().attributes.read((Spd::INFO, Spd::HINFO, Spd::IPV4_HTHRESH, Spd::IPV6_HTHRESH))?;
    output.row(|row| {
        row.word("\t");
        row.word("SPD");
        if let Some(counts) = counts {
            row.field("in", "IN", counts.incnt);
            row.field("out", "OUT", counts.outcnt);
            row.field("fwd", "FWD", counts.fwdcnt);
            if sockets {
                row.word("(Sock:");
                row.field("socket_in", "IN", counts.inscnt);
                row.field("socket_out", "OUT", counts.outscnt);
                row.field("socket_fwd", "FWD", counts.fwdscnt);
                row.glue(")");
            }
        }
        if !hashes {
            return;
        }
        if let Some(hash) = hash {
            row.line("\t ");
            row.word("SPD buckets:");
            row.field("buckets", "count", hash.spdhcnt);
            row.field("max_buckets", "Max", hash.spdhmcnt);
        }
        threshold(row, "hthresh4", "SPD IPv4 thresholds:", four);
        threshold(row, "hthresh6", "SPD IPv6 thresholds:", six);
    });
    drop(reply);
    session.finish()
}

fn threshold(row: &mut Output, key: &'static str, label: &'static str, threshold: Option<HashThreshold>) {
    if let Some(HashThreshold { lbits, rbits }) = threshold {
        row.line("\t ");
        row.word(label);
        row.object(key, |row| {
            row.field("local", "local", lbits);
            row.field("remote", "remote", rbits);
        });
    }
}

fn set_thresholds(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let (mut four, mut six) = (None, None);
    while let Some(word) = words.next() {
        let (place, most) = match word {
            "hthresh4" => (&mut four, 32),
            "hthresh6" => (&mut six, 128),
            _ => return Err(words.refuse("hthresh4 or hthresh6")),
        };
        let mut bits = || {
            let bits: u8 = words.number()?;
            if bits > most { Err(words.refuse("at most as many bits as an address has")) } else { Ok(bits) }
        };
        *place = Some(HashThreshold { lbits: bits()?, rbits: bits()? });
    }
    if four.is_none() && six.is_none() {
        return Err(words.refuse_end("hthresh4 or hthresh6"));
    }
    connect(session)?;
    tell(session.connection.apply(Xfrm::NEWSPDINFO, CountHeader { flags: u32::MAX }, |attributes| {
        attributes.put_some(Spd::IPV4_HTHRESH, four);
        attributes.put_some(Spd::IPV6_HTHRESH, six);
    })?);
    Ok(())
}

const DEFAULTS: &[(DefaultAction, &str)] = &[(DefaultAction::BLOCK, "block"), (DefaultAction::ACCEPT, "accept")];

fn set_default(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut policy = DefaultPolicy::default();
    while words.peek().is_some() {
        let direction = direction(words)?;
        let action = words.parse("block or accept", |word| words::named(DEFAULTS, word))?;
        match direction {
            Direction::IN => policy.in_ = action,
            Direction::OUT => policy.out = action,
            _ => policy.fwd = action,
        }
    }
    if policy == DefaultPolicy::default() {
        return Err(words.refuse_end("a direction and block or accept"));
    }
    connect(session)?;
    tell(session.connection.apply(Xfrm::SETDEFAULT, policy, |_| {})?);
    Ok(())
}

fn get_default(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    if words.next().is_some() {
        return Err(words.refuse("nothing more"));
    }
    connect(session)?;
    let policy = session.connection.get(Xfrm::GETDEFAULT, DefaultPolicy::default(), |_| {})?.body().header;
    session.output.row(|row| print_default(row, policy));
    session.finish()
}

/// Prints what happens to packets that no policy is for.
pub(super) fn print_default(row: &mut Output, policy: DefaultPolicy) {
    row.word("Default policies:");
    for (key, label, action) in
        [("in", " in: ", policy.in_), ("fwd", " fwd:", policy.fwd), ("out", " out:", policy.out)]
    {
        row.line("");
        row.field(key, label, print::Named(action, action.0.into(), DEFAULTS));
    }
}
