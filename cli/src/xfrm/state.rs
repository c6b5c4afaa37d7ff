//! `xfrm state`: security associations.

use ringlink::codec::table::Operation;
use ringlink::codec::table::{AttributeWriter, Be16, SecretBytes};
use ringlink::codec::xfrm::{
    Address, AeadAlgorithm, Algorithm, AuthAlgorithm, CountHeader, Encap, ExtraFlags, LifetimeLimits, Mark, Mode,
    Offload, OffloadFlags, ReplayState, ReplayStateEsn, Sad, SecurityContext, SpiRange, StateFlags, StateFlush,
    StateId, StateInfo, StateMessage, StateView, Xfrm, Xfrma,
};

use super::words::{self, Chosen, Keys, Named};
use super::{connect, family, print, some_family};
use crate::arguments::{Words, keyword};
use crate::failure::Failure;
use crate::session::{Session, warn};

const VERBS: &[&str] =
    &["add", "update", "allocspi", "delete", "deleteall", "delall", "list", "show", "lst", "get", "flush", "count"];

/// Does what the words behind `xfrm state` say.
pub(super) fn run(session: &mut Session, words: &mut Words<'_>, keys: &Keys) -> Result<(), Failure> {
    let Some(verb) = words.next() else {
        return list(session, words);
    };
    match keyword(verb, VERBS) {
        Some("add") => change(session, words, keys, Xfrm::NEWSA),
        Some("update") => change(session, words, keys, Xfrm::UPDSA),
        Some("allocspi") => allocate(session, words),
        Some("delete") => delete(session, words),
        Some("deleteall" | "delall") => delete_all(session, words),
        Some("list" | "show" | "lst") => list(session, words),
        Some("get") => get(session, words),
        Some("flush") => flush(session, words),
        Some(_) => count(session, words),
        None => Err(words.refuse("list, add, update, allocspi, get, del, deleteall, flush or count")),
    }
}

/// States that are asked for.
#[derive(Default)]
struct Wanted {
    named: Named,
    mode: Option<Mode>,
    reqid: Option<u32>,
    flags: StateFlags,
}

impl Wanted {
    fn read(words: &mut Words<'_>, session: &Session) -> Result<Self, Failure> {
        let mut wanted = Self::default();
        while let Some(word) = words.next() {
            match word {
                "mode" => wanted.mode = Some(words::mode(words)?),
                "reqid" => wanted.reqid = Some(words.number()?),
                "flag" => wanted.flags = words::state_flags(words)?,
                // They are hidden anyway.
                "nokeys" => {}
                _ if wanted.named.read(word, words, session)? => {}
                _ => return Err(words.refuse("src, dst, proto, spi, mode, reqid or flag")),
            }
        }
        Ok(wanted)
    }

    /// What the kernel can sort out by itself.
    fn ask(&self, session: &Session) -> impl Fn(&mut AttributeWriter<'_, '_, Xfrma>) + use<> {
        let (filter, proto) = (self.named.filter(family(&session.options)), self.named.proto);
        move |attributes| {
            attributes.put_some(Xfrma::PROTO, proto);
            attributes.put(Xfrma::ADDRESS_FILTER, filter);
        }
    }

    /// What it cannot.
    fn matches(&self, info: &StateInfo) -> bool {
        self.named.spi.is_none_or(|spi| info.id.spi == spi)
            && self.mode.is_none_or(|mode| info.mode == mode)
            && self.reqid.is_none_or(|reqid| info.reqid == reqid)
            && (self.flags == StateFlags::default() || info.flags.intersects(self.flags))
    }
}

fn list(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = Wanted::read(words, session)?;
    let ask = wanted.ask(session);
    let view = print::View::of(&session.options);
    session.learn_names()?;
    connect(session)?;
    session.dump(Xfrm::DUMP_STATES, (), ask, |output, names, body| {
        if wanted.matches(&body.header) {
            output.row(|row| print::state(row, names, view, &StateView::read(body)?, None))?;
        }
        Ok(())
    })?;
    session.finish()
}

fn get(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let (id, saddr, mark) = name(session, words)?;
    let view = print::View::of(&session.options);
    session.learn_names()?;
    connect(session)?;
    let Session { connection, names, output, .. } = session;
    let reply = connection.get(Xfrm::GETSA, id, |attributes| put_name(attributes, saddr, mark))?;
    output.row(|row| print::state(row, names, view, &StateView::read(reply.body())?, None))?;
    drop(reply);
    session.finish()
}

fn delete(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let (id, saddr, mark) = name(session, words)?;
    connect(session)?;
    let warning = session.connection.apply(Xfrm::DELSA, id, |attributes| put_name(attributes, saddr, mark))?;
    tell(warning);
    Ok(())
}

/// Reads what names one state.
fn name(session: &Session, words: &mut Words<'_>) -> Result<(StateId, Address, Option<Mark>), Failure> {
    let (mut named, mut mark) = (Named::default(), None);
    while let Some(word) = words.next() {
        match word {
            "mark" => mark = Some(words::mark(words)?),
            _ if named.read(word, words, session)? => {}
            _ => return Err(words.refuse("src, dst, proto, spi or mark")),
        }
    }
    if named.proto.is_none() {
        return Err(words.refuse_end("what names the state: src ADDR dst ADDR proto PROTO spi N"));
    }
    let id = named.id();
    let family = if named.is_empty() { family(&session.options) } else { named.family() };
    Ok((
        StateId { daddr: id.daddr, spi: id.spi, family: some_family(family), proto: id.proto, pad: 0 },
        named.saddr(),
        mark,
    ))
}

fn put_name(attributes: &mut AttributeWriter<'_, '_, Xfrma>, saddr: Address, mark: Option<Mark>) {
    attributes.put(Xfrma::SRCADDR, saddr);
    // A mark of which no bit counts is none.
    attributes.put_some(Xfrma::MARK, mark.filter(|mark| mark.m & mark.v != 0));
}

/// Deletes the states that are there one by one, until there are none.
fn delete_all(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let wanted = Wanted::read(words, session)?;
    let ask = wanted.ask(session);
    connect(session)?;
    let mut gathered = session.gather(Xfrm::DUMP_STATES, (), ask)?;
    gathered.retain(|body| wanted.matches(&body.header));
    let mut batch = session.connection.batch();
    for body in gathered.iter() {
        let StateInfo { id, family, saddr, .. } = body.header;
        let mark = body.attributes.get(Xfrma::MARK)?;
        let id = StateId { daddr: id.daddr, spi: id.spi, family, proto: id.proto, pad: 0 };
        batch.add(Xfrm::DELSA, id, |attributes| put_name(attributes, saddr, mark))?;
    }
    super::finish(batch)
}

fn flush(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let mut header = StateFlush::default();
    while let Some(word) = words.next() {
        match word {
            "proto" => header.proto = words::proto(words)?,
            _ => return Err(words.refuse("proto")),
        }
    }
    connect(session)?;
    let warning = session.connection.apply(Xfrm::FLUSHSA, header, |_| {})?;
    tell(warning);
    Ok(())
}

fn count(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    if words.next().is_some() {
        return Err(words.refuse("nothing more"));
    }
    connect(session)?;
    let detailed = session.options.statistics > 0 || session.options.json;
    let Session { connection, output, .. } = session;
    let reply = connection.get(Xfrm::GETSADINFO, CountHeader { flags: u32::MAX }, |_| {})?;
    let (count, hash) = reply.body().attributes.read((Sad::CNT, Sad::HINFO))?;
    output.row(|row| {
        row.word("\t");
        row.field("count", "SAD count", count.unwrap_or(0));
        if let Some(hash) = hash.filter(|_| detailed) {
            row.word("(buckets");
            row.field("buckets", "count", hash.sadhcnt);
            row.field("max_buckets", "Max", hash.sadhmcnt);
            row.glue(")");
        }
    });
    drop(reply);
    session.finish()
}

fn allocate(session: &mut Session, words: &mut Words<'_>) -> Result<(), Failure> {
    let (mut named, mut mark) = (Named::default(), None);
    let (mut least, mut most) = (None, None);
    let mut info = StateInfo::default();
    while let Some(word) = words.next() {
        match word {
            "mode" => info.mode = words::mode(words)?,
            "mark" => mark = Some(words::mark(words)?),
            "reqid" => info.reqid = words.number()?,
            "seq" => info.seq = words.number()?,
            "min" => least = Some(words.number()?),
            "max" => most = Some(words.number()?),
            "spi" => return Err(words.refuse("no index: the kernel finds one")),
            _ if named.read(word, words, session)? => {}
            _ => return Err(words.refuse("src, dst, proto, mode, mark, reqid, seq, min or max")),
        }
    }
    if named.proto.is_none() {
        return Err(words.refuse_end("what names the state to be: src ADDR dst ADDR proto PROTO"));
    }
    // What PF_KEY has as a default (RFC 2367 leaves it open); of compression, an index has 16 bits.
    let usual = if named.proto == Some(ringlink::codec::xfrm::Protocol::COMP) { 0xffff } else { 0x0fff_ffff };
    let (min, max) = match (least, most) {
        (None, None) => (0x100, usual),
        (Some(min), Some(max)) if min <= max => (min, max),
        (Some(_), Some(_)) => return Err(Failure::Usage("`min` is more than `max`".into())),
        _ => return Err(words.refuse_end("both min and max")),
    };
    info.id = named.id();
    info.saddr = named.saddr();
    info.family = some_family(if named.is_empty() { family(&session.options) } else { named.family() });
    let view = print::View::of(&session.options);
    session.learn_names()?;
    connect(session)?;
    let Session { connection, names, output, .. } = session;
    let reply = connection.get(Xfrm::ALLOCSPI, SpiRange { info, min, max }, |attributes| {
        attributes.put_some(Xfrma::MARK, mark.filter(|mark| mark.m & mark.v != 0));
    })?;
    output.row(|row| print::state(row, names, view, &StateView::read(reply.body())?, None))?;
    drop(reply);
    session.finish()
}

/// A state as the command line has it, to be made.
#[derive(Default)]
struct Draft<'k> {
    named: Named,
    selector: Chosen,
    info: StateInfo,
    auth: Option<(Algorithm, SecretBytes<'k>)>,
    auth_truncated: Option<(AuthAlgorithm, SecretBytes<'k>)>,
    aead: Option<(AeadAlgorithm, SecretBytes<'k>)>,
    crypt: Option<(Algorithm, SecretBytes<'k>)>,
    compression: Option<(Algorithm, SecretBytes<'k>)>,
    mark: Option<Mark>,
    output_mark: Option<Mark>,
    window: u32,
    replay: ReplayStateEsn,
    extra_flags: ExtraFlags,
    encap: Option<Encap>,
    care_of: Option<Address>,
    context: Option<&'k str>,
    if_id: Option<u32>,
    padding: Option<u32>,
    offload: Option<Offload>,
}

fn change(
    session: &mut Session,
    words: &mut Words<'_>,
    keys: &Keys,
    operation: Operation<StateMessage>,
) -> Result<(), Failure> {
    let mut draft =
        Draft { info: StateInfo { lft: LifetimeLimits::FOREVER, ..StateInfo::default() }, ..Draft::default() };
    let mut keys = keys.iter();
    while let Some(word) = words.next() {
        match word {
            "mode" => draft.info.mode = words::mode(words)?,
            "mark" => draft.mark = Some(words::mark(words)?),
            "output-mark" => draft.output_mark = Some(words::mark(words)?),
            "reqid" => draft.info.reqid = words.number()?,
            "seq" => draft.info.seq = words.number()?,
            "replay-window" => draft.window = words.number()?,
            "replay-seq" => draft.replay.seq = words.number()?,
            "replay-seq-hi" => draft.replay.seq_hi = words.number()?,
            "replay-oseq" => draft.replay.oseq = words.number()?,
            "replay-oseq-hi" => draft.replay.oseq_hi = words.number()?,
            "flag" => draft.info.flags = words::state_flags(words)?,
            "extra-flag" => draft.extra_flags = words::extra_flags(words)?,
            "limit" => {
                let mut limits = draft.info.lft;
                words::limit(words, &mut limits)?;
                draft.info.lft = limits;
            }
            "encap" => draft.encap = Some(encap(words)?),
            "coa" => draft.care_of = words::address(Some(words.net(session.options.family())?)).map(Into::into),
            "ctx" => draft.context = Some(words.value("a security label")?),
            "if_id" => draft.if_id = Some(words.number()?),
            "tfcpad" => draft.padding = Some(words.number()?),
            "offload" => draft.offload = Some(offload(words, session)?),
            "sel" => {
                while let Some(word) = words.peek() {
                    let mut ahead = words.clone();
                    ahead.next();
                    if !draft.selector.read(word, &mut ahead, session)? {
                        break;
                    }
                    *words = ahead;
                }
                if draft.selector.is_empty() {
                    return Err(words.refuse("a selector: src, dst, dev, proto, sport, dport, type, code or key"));
                }
            }
            "enc" => draft.crypt = Some(Algorithm::with(algorithm(words)?, words::key(words, &mut keys)?.get())),
            "auth" => draft.auth = Some(Algorithm::with(algorithm(words)?, words::key(words, &mut keys)?.get())),
            "auth-trunc" => {
                let (name, key) = (algorithm(words)?, words::key(words, &mut keys)?.get());
                draft.auth_truncated = Some(AuthAlgorithm::with(name, key, words.number()?));
            }
            "aead" => {
                let (name, key) = (algorithm(words)?, words::key(words, &mut keys)?.get());
                draft.aead = Some(AeadAlgorithm::with(name, key, words.number()?));
            }
            "comp" => draft.compression = Some(Algorithm::with(algorithm(words)?, SecretBytes::new(&[]))),
            _ if draft.named.read(word, words, session)? => {}
            _ => return Err(words.refuse("src, dst, proto, spi, mode, enc, auth, aead or another word of `xfrm help`")),
        }
    }
    if draft.named.proto.is_none() {
        return Err(words.refuse_end("what names the state: src ADDR dst ADDR proto PROTO spi N"));
    }
    if draft.info.flags.contains(StateFlags::ESN) && draft.window == 0 {
        return Err(words.refuse_end("a replay-window, which `flag esn` needs"));
    }
    if draft.window > 4096 {
        return Err(Failure::Usage(format!("`replay-window {}`: expected at most 4096", draft.window)));
    }
    let family = if draft.named.is_empty() { family(&session.options) } else { draft.named.family() };
    draft.info.id = draft.named.id();
    draft.info.saddr = draft.named.saddr();
    draft.info.family = some_family(family);
    if !draft.selector.is_empty() {
        draft.info.sel = draft.selector.selector(draft.info.family);
    }
    // More than 32 packets, or numbers of 64 bits, need the newer form.
    let extended = draft.info.flags.contains(StateFlags::ESN) || draft.window > 32;
    draft.info.replay_window = if extended { 0 } else { u8::try_from(draft.window).unwrap_or(32) };
    connect(session)?;
    let warning = session.connection.apply(operation, draft.info, |attributes| draft.put(attributes, extended))?;
    tell(warning);
    Ok(())
}

/// The next word as the name of an algorithm.
fn algorithm<'w>(words: &mut Words<'w>) -> Result<&'w str, Failure> {
    words.parse("the name of an algorithm, of at most 63 bytes", |word| (word.len() < 64).then_some(word))
}

fn encap(words: &mut Words<'_>) -> Result<Encap, Failure> {
    let kind = words.parse("espinudp, espinudp-nonike or espintcp", |word| words::named(print::ENCAPS, word))?;
    let (sport, dport) = (Be16::new(words.number()?), Be16::new(words.number()?));
    let address = words.address(ringlink::codec::route::Family::UNSPEC)?;
    Ok(Encap { kind, sport, dport, pad: 0, oa: address.into() })
}

fn offload(words: &mut Words<'_>, session: &mut Session) -> Result<Offload, Failure> {
    let mut offload = Offload::default();
    loop {
        match words.peek() {
            Some("crypto") => drop(words.next()),
            Some("packet") => {
                words.next();
                offload.flags = offload.flags | OffloadFlags::PACKET;
            }
            Some("dev") => {
                words.next();
                offload.ifindex = words::device(words, session)?;
            }
            Some("dir") => {
                words.next();
                match words.value("in or out")? {
                    "in" => offload.flags = offload.flags | OffloadFlags::INBOUND,
                    "out" => {}
                    _ => return Err(words.refuse("in or out")),
                }
            }
            _ if offload.ifindex == 0 => return Err(words.refuse_end("dev DEV")),
            _ => return Ok(offload),
        }
    }
}

impl Draft<'_> {
    fn put(&self, attributes: &mut AttributeWriter<'_, '_, Xfrma>, extended: bool) {
        attributes.put_some(Xfrma::ALG_AUTH, self.auth);
        attributes.put_some(Xfrma::ALG_AUTH_TRUNC, self.auth_truncated);
        attributes.put_some(Xfrma::ALG_AEAD, self.aead);
        attributes.put_some(Xfrma::ALG_CRYPT, self.crypt);
        attributes.put_some(Xfrma::ALG_COMP, self.compression);
        attributes.put_some(Xfrma::ENCAP, self.encap);
        attributes.put_some(Xfrma::COADDR, self.care_of);
        attributes.put_some(Xfrma::MARK, self.mark.filter(|mark| mark.m != 0));
        if let Some(Mark { v, m }) = self.output_mark {
            attributes.put(Xfrma::SET_MARK, v);
            attributes.put_some(Xfrma::SET_MARK_MASK, (m != u32::MAX).then_some(m));
        }
        if extended {
            let replay =
                ReplayStateEsn { replay_window: self.window, bmp_len: self.window.div_ceil(32), ..self.replay };
            attributes.put(Xfrma::REPLAY_ESN_VAL, (replay, &[][..]));
        } else if self.replay.seq != 0 || self.replay.oseq != 0 {
            let ReplayStateEsn { seq, oseq, .. } = self.replay;
            attributes.put(Xfrma::REPLAY_VAL, ReplayState { oseq, seq, bitmap: 0 });
        }
        if self.extra_flags != ExtraFlags::default() {
            attributes.put(Xfrma::SA_EXTRA_FLAGS, self.extra_flags);
        }
        if let Some(text) = self.context {
            put_context(attributes, text);
        }
        attributes.put_some(Xfrma::IF_ID, self.if_id);
        attributes.put_some(Xfrma::TFCPAD, self.padding);
        attributes.put_some(Xfrma::OFFLOAD_DEV, self.offload);
    }
}

/// Writes a security label: SELinux's.
pub(super) fn put_context(attributes: &mut AttributeWriter<'_, '_, Xfrma>, text: &str) {
    let text = [text.as_bytes(), &[0]].concat();
    let length = u16::try_from(text.len()).unwrap_or(u16::MAX);
    let context = SecurityContext {
        len: length.saturating_add(8),
        exttype: Xfrma::SEC_CTX.number(),
        ctx_alg: 1,
        ctx_doi: 1,
        ctx_len: length,
    };
    attributes.put(Xfrma::SEC_CTX, (context, text.as_slice()));
}

/// Tells the kernel's warning, where it gave one.
pub(super) fn tell(warning: Option<String>) {
    if let Some(warning) = warning {
        warn(format_args!("{warning}"));
    }
}
